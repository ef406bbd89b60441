"""docs/operations.md names every metric that the page has, and none that it has not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.daemon.test_health import FOLDERS, WELL
from tests.ticket.scene import AT
from triaged.daemon.metrics import Seen, exposition
from triaged.tracker.measuring import Totals

DOCUMENT = Path(__file__).parents[2] / "docs/operations.md"
SEEN = Seen(WELL, Totals({}, 0, 1), FOLDERS, {}, {}, 1, "0.1.0", AT)


def metrics() -> set[str]:
    """Every metric of ours, as a rule or a graph names it."""
    families = text_string_to_metric_families(exposition(SEEN, process=False).decode())
    return {f"{f.name}_info" if f.type == "info" else f.name for f in families}


def test_every_metric_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| `(triaged_[a-z_]+)", DOCUMENT.read_text(), re.MULTILINE))
    assert documented == metrics() and len(documented) >= 15


def test_a_page_without_totals_has_all_the_rest() -> None:
    page = exposition(replace(SEEN, totals=None), process=False).decode()
    assert "\ntriaged_letters_repeated " not in page and "\ntriaged_missed_promises 0.0\n" in page
