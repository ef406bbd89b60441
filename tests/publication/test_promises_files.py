"""The CSV that no spreadsheet runs (AT-23), and the picture of how promises were kept."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.publication.promises_chart import STYLE, draw, shown_span
from triaged.publication.spreadsheet import cell, csv_file
from triaged.ticket.performance import Outcome, Record, Times

LEADS = ["=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠"]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("lead", LEADS)
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\u200b", "\ufeff"])
def test_no_cell_begins_a_formula(lead: str, before: str) -> None:
    """AT-23: = + - @ TAB CR, full-width ones, and each of them after white space that a spreadsheet drops."""
    assert cell(f"{before}{lead}HYPERLINK(1)") == f"'{before}{lead}HYPERLINK(1)"


@pytest.mark.parametrize(("value", "expected"), [(-5, "-5"), (0, "0"), (None, ""), ("a=b", "a=b"), ("", "")])
def test_numbers_and_plain_words_stay_what_they_are(value: object, expected: str) -> None:
    assert cell(value) == expected


@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=10))
def test_a_csv_file_reads_back_row_by_row_with_every_cell_quoted(rows: list[list[str]]) -> None:
    text = csv_file(("one", "two"), rows)
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert read == [["one", "two"], *([cell(value) for value in row] for row in rows)]
    assert text.startswith('"one","two"\r\n') and text.endswith('"\r\n')


def record(name: str, **counts: int) -> Record:
    outcomes = {one: counts.get(one.value, 0) for one in Outcome}
    days = [timedelta(days=n) for n in (1, 2, 9)]
    return Record(name, sum(outcomes.values()), outcomes, Times(3, *days))


def test_the_picture_shows_every_outcome_with_its_share() -> None:
    root = ElementTree.fromstring(draw("How", [record("assess", kept=6, late=3, missed=1), record("update", open=2)]))
    bars = [
        (bar.get("class"), float(bar.get("width", "0"))) for bar in root.iter(f"{SVG}rect") if bar.get("height") == "18"
    ]
    assert bars == [("kept", 311), ("late", 155), ("missed", 51), ("open", 519)]
    words = " ".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
    assert "assess 10" in words and "1 d 2 d 9 d" in words
    assert [title.text for title in root.iter(f"{SVG}title")][1] == "assess: 6 kept"


def test_nothing_in_the_picture_leaves_its_frame_or_loads_anything() -> None:
    many = [record(f"p{n}", kept=n, missed=1) for n in range(60)]
    text = draw("<script>alert(1)</script>", many)
    root = ElementTree.fromstring(text)
    width, height = (float(root.get(name, "0")) for name in ("width", "height"))
    for bar in root.iter(f"{SVG}rect"):
        assert float(bar.get("x", "0")) + float(bar.get("width", "0")) <= width and float(bar.get("y", "0")) < height
    assert "<script" not in text and not re.search(r"href|url\(|@import", text)
    assert ElementTree.fromstring(draw("Nothing", [])) is not None


def _colours(style: str) -> dict[str, str]:
    return dict(re.findall(r"\.(\w+) \{ fill: (#[0-9a-f]{6})", style))


def _light(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_light(one), _light(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("half", "ground"), [(0, "#ffffff"), (1, "#12161c")])
def test_bars_and_the_numbers_in_them_are_readable_in_light_and_dark(half: int, ground: str) -> None:
    """WCAG 2.2: 3 to 1 for what is drawn (1.4.11) and for the numbers, which the bar's title repeats."""
    colours = _colours(STYLE.split("@media")[half])
    for kind in Outcome:
        assert _contrast(colours[kind.value], "#ffffff") >= 3, kind
        if kind is not Outcome.WAIVED:
            assert _contrast(colours[kind.value], ground) >= 3, kind


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (None, "-"),
        (timedelta(0), "0 s"),
        (timedelta(seconds=59.6), "1 min"),
        (timedelta(hours=5, minutes=12), "5 h 12 min"),
        (timedelta(days=3), "3 d"),
        (timedelta(days=3, hours=4, minutes=59), "3 d 4 h"),
    ],
)
def test_a_length_of_time_is_said_as_people_say_it(span: timedelta | None, words: str) -> None:
    assert shown_span(span) == words
