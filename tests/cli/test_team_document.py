"""One list of commands: what /help mails, what `triaged ticket --help` prints, and what the document for the team shows."""

from __future__ import annotations

from tests.cli.conftest import ROOT, Triaged
from tests.ticket.scene import MEMBER, TICKET, decide, key, mail
from triaged.ticket.address import Role
from triaged.ticket.commands import VERBS, help_text

DOCUMENT = (ROOT / "docs" / "team.md").read_text()


def test_help_by_mail_on_the_command_line_and_in_the_document_is_one(triaged: Triaged) -> None:
    (echo,) = decide(mail(MEMBER, key(TICKET, Role.TEAM), proven=True, text="/help")).letters
    assert help_text() in echo.text
    assert help_text() in triaged("ticket", "--help").out
    assert help_text() in DOCUMENT


def test_every_command_of_the_command_line_is_a_verb_and_the_other_way_round(triaged: Triaged) -> None:
    said = triaged("ticket", "--help").out
    for verb in VERBS.values():
        assert f"/{verb.usage}" in said
        known = triaged("ticket", verb.name, "--help").code == 0
        assert known is (verb.name != "help"), verb.name
