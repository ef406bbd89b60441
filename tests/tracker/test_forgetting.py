"""What is left of a person after an erasure, and what stays as it was."""

from __future__ import annotations

from sqlalchemy import Engine

from tests.tracker.forgetting import MARKS, forget, forms, hashes, lived, remains, report
from triaged.tracker.compacting import compact


def test_nothing_of_a_forgotten_person_is_in_the_database_its_files_or_a_dump(engine: Engine) -> None:
    tracked = lived(engine)
    assert remains(engine, forms(MARKS)), "the search finds what is there"
    forget(tracked)
    assert tracked.findings() == []
    compact(engine)
    assert remains(engine, [*forms(MARKS), *hashes(report())]) == []
