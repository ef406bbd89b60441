"""`make measure CORPUS=DIR`: every table of what is read in a corpus, one after the other."""

from __future__ import annotations

import sys
import tempfile

from tests.measure import corpus, duplicates, readers, reports


def main() -> None:
    """The last is once more what the program does: the candidates from the index of a tracker, here of SQLite."""
    given = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        stored = ["--database", f"sqlite:///{folder}/measure.db"]
        for measure, more in ((corpus, []), (readers, []), (reports, []), (duplicates, []), (duplicates, stored)):
            sys.argv = [measure.__name__, *given, *more]
            measure.main()


if __name__ == "__main__":
    main()
