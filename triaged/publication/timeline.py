"""A report's clocks and letters as a picture: values in, one self-contained SVG out. Draws no words of strangers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from html import escape

from triaged.ticket.clocks import Clock, Standing, standing

LEFT, RIGHT, TOP = 150, 24, 64
WIDTH, ROW, BAR, STRIP = 1000, 36, 14, 5
LABEL_ROW = 18
MOST_LANES = 40
_DAY = timedelta(days=1)

STYLE = """
:root { color-scheme: light dark; }
svg { background: #ffffff; color: #1c2430; font: 12px system-ui, sans-serif; }
text { fill: currentColor; }
.title { font-size: 16px; font-weight: 600; }
.faint { fill: #667085; }
.grid { stroke: #d7dce3; stroke-width: 1; }
.running { fill: #9aa7b8; } .paused { fill: #c9b458; } .met { fill: #2f855a; } .late { fill: #c2410c; }
.missed { fill: #b42318; } .waived { fill: #b9c0ca; }
.due { stroke: currentColor; stroke-width: 2; }
.researcher { fill: #1d5fbf; } .team { fill: #8a5a00; }
@media (prefers-color-scheme: dark) {
  svg { background: #12161c; color: #e6e9ee; }
  .faint { fill: #98a2b3; }
  .grid { stroke: #2c3440; }
  .running { fill: #5d6b7e; } .paused { fill: #a8923a; } .met { fill: #3fa06f; } .late { fill: #e8722f; }
  .missed { fill: #e5534b; } .waived { fill: #4a5361; }
  .researcher { fill: #6ba4f0; } .team { fill: #d9a441; }
}
"""


@dataclass(frozen=True, slots=True)
class Lane:
    """One promise in one round, as a bar."""

    name: str
    started_at: datetime
    due_at: datetime
    ended_at: datetime | None  # met or waived
    stands: str

    @classmethod
    def of_clock(cls, clock: Clock) -> Lane:
        ended_at = clock.met_at or (clock.waived.at if clock.waived else None)
        return cls(clock.promise, clock.started_at, clock.due_at, ended_at, standing(clock).value)


Mark = tuple[datetime, str, str]  # when, audience, template


@dataclass(frozen=True, slots=True)
class Scale:
    """Instants to columns."""

    begins: datetime
    ends: datetime

    def x(self, at: datetime) -> float:
        share = (min(max(at, self.begins), self.ends) - self.begins) / (self.ends - self.begins)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def draw(
    title: str, lanes: tuple[Lane, ...], marks: tuple[Mark, ...], begins: datetime, ends: datetime, tz: tzinfo
) -> str:
    """The picture: one row a promise with its rounds, one row an audience with its letters, days below in zone `tz`."""
    scale = Scale(begins, ends)
    names = list(dict.fromkeys(lane.name for lane in lanes))[:MOST_LANES]
    rows = [*names, "to researcher", "to team"]
    bottom = TOP + len(rows) * ROW
    height = bottom + 3 * LABEL_ROW + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="16" y="28">{escape(title)}</text>',
        *_axis(scale, bottom, tz),
        *_labels(rows),
    ]
    for lane in lanes:
        if lane.name in names:
            parts += _lane(lane, TOP + names.index(lane.name) * ROW, scale, tz)
    for mark in marks:
        parts += _mark(mark, TOP + (len(names) + (mark[1] == "team")) * ROW, scale, tz)
    return "\n".join([*parts, *_legend(height), "</svg>", ""])


def _axis(scale: Scale, bottom: int, tz: tzinfo) -> Iterator[str]:
    """A line and a date every one, two, … weeks, so that no date touches the next."""
    days = max((scale.ends - scale.begins) // _DAY, 1)
    step = next((n for n in (1, 2, 7, 14, 28, 56, 112, 364) if days / n <= 11), 728)
    for count in range(0, days + 1, step):
        at = scale.begins + count * _DAY
        x, local = scale.x(at), at.astimezone(tz)
        yield f'<line class="grid" x1="{x}" y1="{TOP - 8}" x2="{x}" y2="{bottom}"/>'
        yield f'<text class="faint" x="{x}" y="{bottom + LABEL_ROW}" text-anchor="middle">{local:%Y-%m-%d}</text>'
        yield f'<text class="faint" x="{x}" y="{TOP - 14}" text-anchor="middle">day {count}</text>'


def _labels(rows: list[str]) -> Iterator[str]:
    for number, name in enumerate(rows):
        yield f'<text x="16" y="{TOP + number * ROW + ROW // 2 + 4}">{escape(name)}</text>'


def _lane(lane: Lane, top: int, scale: Scale, tz: tzinfo) -> Iterator[str]:
    """A bar from the start to its end; a strip below it for the time after the due instant, which the next round's bar
    would hide."""
    end = lane.ended_at or scale.ends if lane.stands != Standing.RUNNING else min(lane.due_at, scale.ends)
    begins, due_at, ends = scale.x(lane.started_at), scale.x(lane.due_at), scale.x(end)
    y = top + (ROW - BAR) // 2
    said = f"{lane.name}: from {_local(lane.started_at, tz)}, due {_local(lane.due_at, tz)}, {lane.stands}"
    said += f" {_local(lane.ended_at, tz)}" if lane.ended_at else ""
    yield f"<g><title>{escape(said)}</title>"
    first = "running" if lane.stands in (Standing.MISSED, Standing.LATE) else lane.stands
    yield _bar(first, begins, min(due_at, ends), y)
    if ends > due_at and lane.stands in (Standing.MISSED, Standing.LATE):
        yield _bar(lane.stands, due_at, ends, y + BAR + 2, STRIP)
    if lane.due_at <= scale.ends:
        yield f'<line class="due" x1="{due_at}" y1="{y - 4}" x2="{due_at}" y2="{y + BAR + 8}"/>'
    yield "</g>"


def _bar(style: str, begins: float, ends: float, y: int, height: int = BAR) -> str:
    width = max(ends - begins - 1, 2)  # a hair between one round and the next
    return f'<rect class="{style}" x="{begins}" y="{y}" width="{width:.1f}" height="{height}" rx="2"/>'


def _mark(mark: Mark, top: int, scale: Scale, tz: tzinfo) -> Iterator[str]:
    at, audience, template = mark
    style = "team" if audience == "team" else "researcher"
    yield f'<circle class="{style}" cx="{scale.x(at)}" cy="{top + ROW // 2}" r="5">'
    yield f"<title>{escape(f'{_local(at, tz)} to {audience}: {template}')}</title></circle>"


_MEANINGS = (("met", "kept"), ("running", "running"), ("missed", "missed"), ("late", "late"), ("waived", "over"))


def _legend(height: int) -> Iterator[str]:
    for number, (style, words) in enumerate(_MEANINGS):
        x = LEFT + number * 110
        yield f'<rect class="{style}" x="{x}" y="{height - 26}" width="16" height="10" rx="2"/>'
        yield f'<text x="{x + 22}" y="{height - 17}">{words}</text>'
    x = LEFT + len(_MEANINGS) * 110
    yield f'<line class="due" x1="{x}" y1="{height - 29}" x2="{x}" y2="{height - 13}"/>'
    yield f'<text x="{x + 8}" y="{height - 17}">due</text>'


def _local(at: datetime, tz: tzinfo) -> str:
    return f"{at.astimezone(tz):%Y-%m-%d %H:%M}"
