"""Every golden story for real, on SQLite and on PostgreSQL, with passes between: `make stories-real`, not part of the suite."""

from __future__ import annotations

import pytest

from tests.e2e.installation import Installation
from tests.e2e.playing_stories import Play, is_as_written_down
from tests.servers.postfix import Server
from tests.ticket.telling_stories import NAMES

pytestmark = pytest.mark.timeout(1800)


@pytest.mark.parametrize("name", NAMES)
def test_a_story_goes_for_real_with_passes_between(name: str, house: Installation, submission: Server) -> None:
    """Each instant says what it has to. On SQLite a pass in the middle of two and one a second before the next say nothing."""
    play = Play(house, submission, name)
    play.to_the_end(between=house.url.startswith("sqlite"))
    is_as_written_down(play)
    print(f"{name}: {len(play.expected)} letters, {play.passes} passes")
