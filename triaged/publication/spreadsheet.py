"""Rows as a CSV file (RFC 4180) that a spreadsheet shows and does not run: no cell is a formula (AT-23)."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

_LEADS = frozenset("=+-@\t\r\n|%")


def csv_file(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The file, every cell quoted, lines ended by CR LF; None is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([cell(value) for value in row] for row in (head, *rows))
    return text.getvalue()


def cell(value: object) -> str:
    """Text that would begin a formula gets an apostrophe before it; numbers stay numbers."""
    if value is None:
        return ""
    text = str(value)
    return text if isinstance(value, int | float) or not _begins_formula(text) else f"'{text}"


def _begins_formula(text: str) -> bool:
    """The first sign that is seen, full-width ones read as what they stand for: a spreadsheet trims what is before it."""
    seen = text.lstrip(" \u00a0\u200b\u2060\ufeff")
    return bool(seen) and (unicodedata.normalize("NFKC", seen[0])[:1] in _LEADS or seen[0] in _LEADS)
