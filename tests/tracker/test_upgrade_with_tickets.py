"""A database with tickets from before reports were compared: they are studied in silence, and new reports find them."""

from __future__ import annotations

from alembic import command
from alembic.config import Config

from tests.ticket.scene import STRANGER, mail
from tests.tracker.test_study import REPORT, decide_only, shown
from tests.tracker.tracked import Tracked
from triaged import resources
from triaged.tracker import migrate


def back_to(tracked: Tracked, revision: str) -> None:
    with tracked.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        configuration = Config()
        configuration.set_main_option("script_location", str(resources.migrations()))
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, revision)
        connection.commit()
    tracked.engine.dispose()


def test_tickets_that_were_there_before_are_compared_with_new_reports_and_announced_to_nobody(tracked: Tracked) -> None:
    decide_only(tracked, mail(proven=True, text=REPORT))
    back_to(tracked, "0001")
    assert migrate.upgrade(tracked.engine, resources.migrations()) == migrate.HEAD
    tracked.study()
    assert tracked.letters("relay") == []
    tracked.receive(mail(STRANGER, proven=True, subject="again", text=f"Dear all,\n{REPORT}"))
    first, second = tracked.refs()
    assert [like["ref"] for like in shown(tracked, second)["duplicates"]] == [first]
    assert len(tracked.letters("relay")) == 1 and tracked.broken() == []
