"""`make measure CORPUS=DIR`: every table of what is read in a corpus, one after the other."""

from __future__ import annotations

import sys

from tests.measure import corpus, duplicates, reports

for measure in (corpus, reports, duplicates):
    sys.argv = [f"{measure.__name__}", *sys.argv[1:]]
    measure.main()
