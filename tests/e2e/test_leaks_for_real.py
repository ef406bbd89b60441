"""Twenty conversations full of marked secrets through real servers; three hundred are tests/e2e/leaks_for_real.py."""

from __future__ import annotations

import pytest

from tests.e2e.installation import Installation
from tests.e2e.leaks_for_real import try_group

pytestmark = pytest.mark.timeout(300)


def test_no_letter_of_twenty_conversations_through_real_servers_holds_a_secret(small_house: Installation) -> None:
    """Law 7, AT-29, AT-30: final bytes, every header and part."""
    try_group(small_house, first=1000, count=20, most=4)
