"""The timeline is one well-formed picture, whatever the span, that fetches nothing and runs nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from triaged.publication.timeline import LEFT, MOST_LANES, RIGHT, WIDTH, Lane, Mark, draw

AT = datetime(2026, 11, 20, 9, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SVG = "{http://www.w3.org/2000/svg}"


def lane(name: str = "assess", stands: str = "met", ended: datetime | None = AT + DAY) -> Lane:
    return Lane(name, AT, AT + 7 * DAY, ended, stands)


def picture(
    lanes: tuple[Lane, ...], marks: tuple[Mark, ...] = (), days: int = 30, title: str = "x"
) -> ElementTree.Element:
    return ElementTree.fromstring(draw(title, lanes, marks, AT, AT + days * DAY, UTC))


@pytest.mark.parametrize("days", [1, 10, 120, 3660])
def test_everything_lies_within_the_picture_and_no_date_touches_the_next(days: int) -> None:
    drawn = picture((lane(), lane("fix", "missed", None)), ((AT + 5 * DAY, "team", "reminder"),), days)
    bars = [r for r in drawn.iter(f"{SVG}rect") if r.get("rx") == "2" and float(r.get("y", 0)) < 200]
    assert all(LEFT <= float(r.get("x", 0)) <= WIDTH - RIGHT for r in bars)
    columns = sorted(float(t.get("x", 0)) for t in drawn.iter(f"{SVG}text") if t.text and t.text.startswith("day "))
    assert all(later - earlier > 60 for earlier, later in pairwise(columns))


@pytest.mark.parametrize(("stands", "strip"), [("met", ""), ("late", "late"), ("missed", "missed"), ("waived", "")])
def test_what_is_overdue_has_a_strip_of_its_own(stands: str, strip: str) -> None:
    ended = {"met": AT + DAY, "late": AT + 9 * DAY, "missed": None, "waived": AT + 2 * DAY}[stands]
    drawn = picture((lane(stands=stands, ended=ended),))
    found = [r.get("class") for r in drawn.iter(f"{SVG}rect") if r.get("height") == "5"]
    assert found == ([strip] if strip else [])


def test_names_are_escaped_and_nothing_is_fetched_or_run() -> None:
    text = draw('<script>"&', (lane('a"><image href="https://a.example/"/>'),), (), AT, AT + DAY, UTC)
    ElementTree.fromstring(text)
    assert not any(tag in text for tag in ("<script", "<image", "url(", "@import"))
    assert 'href="' not in text


def test_many_promises_are_cut_and_none_at_all_is_a_picture_still() -> None:
    assert len(picture(tuple(lane(f"own{n}") for n in range(MOST_LANES + 9))).findall(f"{SVG}g")) == MOST_LANES
    assert picture(()).tag == f"{SVG}svg"


def test_light_and_dark() -> None:
    assert "prefers-color-scheme: dark" in draw("x", (), (), AT, AT + DAY, UTC)
