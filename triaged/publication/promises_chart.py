"""How promises were kept as a picture: records in, one self-contained SVG out. Draws no words of strangers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from html import escape

from triaged.ticket.performance import Outcome, Record

WIDTH, LEFT, BARS, TOP, ROW, BAR = 1000, 150, 520, 92, 44, 18
MOST_ROWS = 40
MEANINGS = {
    Outcome.KEPT: "kept",
    Outcome.KEPT_UNCHANGED: "kept, nothing changed",
    Outcome.LATE: "late",
    Outcome.MISSED: "missed",
    Outcome.OPEN: "open",
    Outcome.WAIVED: "waived",
}
_LEGEND_WIDTHS = (70, 170, 64, 84, 70, 80)

STYLE = """
:root { color-scheme: light dark; }
svg { background: #ffffff; color: #1c2430; font: 12px system-ui, sans-serif; }
text { fill: currentColor; }
.title { font-size: 16px; font-weight: 600; }
.faint { fill: #667085; }
.inside { fill: #ffffff; }
.kept { fill: #2f855a; } .kept_unchanged { fill: #6f8f3a; } .late { fill: #c2410c; } .missed { fill: #b42318; }
.open { fill: #64748b; } .waived { fill: #8b93a1; }
@media (prefers-color-scheme: dark) {
  svg { background: #12161c; color: #e6e9ee; }
  .faint { fill: #98a2b3; }
  .kept { fill: #2f8a5e; } .kept_unchanged { fill: #7d9c45; } .late { fill: #cf5f22; } .missed { fill: #d0453c; }
  .open { fill: #5d6b7e; } .waived { fill: #4a5361; }
}
"""


def draw(title: str, records: Sequence[Record]) -> str:
    """One bar a promise, as long as its share of what came of it, with median, 90th percentile and worst beside it."""
    shown = records[:MOST_ROWS]
    height = TOP + max(len(shown), 1) * ROW + 46
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="16" y="28">{escape(title)}</text>',
        *_head(),
    ]
    for number, record in enumerate(shown):
        parts += _row(record, TOP + number * ROW)
    if not shown:
        parts.append(f'<text class="faint" x="16" y="{TOP + 14}">No promise was made in this time.</text>')
    return "\n".join([*parts, *_legend(height - 22), "</svg>", ""])


def _head() -> Iterator[str]:
    for words, x in (("median", 740), ("90 in 100", 830), ("worst", 930)):
        yield f'<text class="faint" x="{x}" y="{TOP - 28}" text-anchor="middle">{words}</text>'
    yield f'<text class="faint" x="835" y="{TOP - 44}" text-anchor="middle">time until it was kept</text>'


def _row(record: Record, top: int) -> Iterator[str]:
    middle = top + BAR - 5
    yield f'<text x="16" y="{middle}">{escape(record.promise)}</text>'
    yield f'<text class="faint" x="{LEFT - 10}" y="{middle}" text-anchor="end">{record.made}</text>'
    x = float(LEFT)
    for kind, count in record.counts.items():
        width = BARS * count / max(record.made, 1)
        if count:
            yield f"<g><title>{escape(f'{record.promise}: {count} {MEANINGS[kind]}')}</title>"
            yield f'<rect class="{kind.value}" x="{x:.1f}" y="{top}" width="{max(width - 1, 1):.1f}" height="{BAR}" rx="2"/>'
            if width > 22:
                yield f'<text class="inside" x="{x + width / 2:.1f}" y="{middle}" text-anchor="middle">{count}</text>'
            yield "</g>"
        x += width
    spans = (record.times.median, record.times.p90, record.times.worst)
    for span, column in zip(spans, (740, 830, 930), strict=True):
        yield f'<text x="{column}" y="{middle}" text-anchor="middle">{shown_span(span)}</text>'


def _legend(y: int) -> Iterator[str]:
    x = LEFT
    for (kind, words), width in zip(MEANINGS.items(), _LEGEND_WIDTHS, strict=True):
        yield f'<rect class="{kind.value}" x="{x}" y="{y - 9}" width="14" height="10" rx="2"/>'
        yield f'<text x="{x + 19}" y="{y}">{words}</text>'
        x += width


def shown_span(span: timedelta | None) -> str:
    """A length of time as people say it: "3 d 4 h", "5 h 12 min", "40 s"; a dash for none."""
    if span is None:
        return "-"
    seconds = round(span.total_seconds())
    days, hours, minutes = seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{seconds} s"
