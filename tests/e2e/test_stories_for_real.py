"""One golden story for real: Dovecot, Postfix and `triaged run --once --at` say what the simulation says."""

from __future__ import annotations

import pytest

from tests.e2e.installation import Installation
from tests.e2e.playing_stories import Play, is_as_written_down
from tests.servers.postfix import Server

pytestmark = pytest.mark.timeout(300)


def test_a_story_goes_for_real_as_it_is_written_down(small_house: Installation, submission: Server) -> None:
    """Every letter of 120 days by date, recipient, subject and words, and every clock; `make stories-real` plays the rest."""
    play = Play(small_house, submission, "ims-network")
    play.to_the_end(between=False)
    is_as_written_down(play)
