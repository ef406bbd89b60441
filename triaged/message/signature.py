"""Where a signature begins: "-- ", a phone's own line, a list's footer, a decoration. It reads no quotes."""

from __future__ import annotations

import re
from itertools import pairwise

_SIGNATURE_LINES = 20
RULER = re.compile(r"\s*(?:_{10,}|-{20,}|={20,})\s*$")
_SENT_FROM = re.compile(
    r"[\s*_<\[(]*(?:sent (?:from|via|using|with) (?:my |a |the )?[\w<\[]|get (?:outlook|boxer|bluemail) for "
    r"|von meinem \S+ gesendet|gesendet (?:von|mit)|envoy[eé] (?:de|depuis|à partir)"
    r"|enviado (?:desde|do|de|via)|inviato da|verzonden (?:vanaf|met|via)|sendt fra|skickat från|l[aä]hetetty"
    r"|wys[lł]ano z|отправлено (?:с|из)|发自|iphoneから|나의 \S+에서)[^\n]{0,150}$",  # noqa: RUF001
    re.I,
)
_DECORATION = re.compile(r"[\s\-_*=~#+ᐧ—–.•|]*$")  # noqa: RUF001


def without_signature(lines: list[str]) -> list[str]:
    """Without what follows "-- " (RFC 3676 section 4.3), a phone's own line and a decoration at the end."""
    end = len(lines)
    for index in range(max(0, len(lines) - _SIGNATURE_LINES), len(lines)):
        footer = RULER.match(lines[index]) and any(
            "mailing list" in line.lower() for line in lines[index + 1 : index + 3]
        )
        if footer or (lines[index] in ("-- ", "--", "—", "– ", "--\u00a0") and not _sql(lines, index)):  # noqa: RUF001
            end = index
            break
    while end and (
        _DECORATION.match(lines[end - 1]) or (len(lines[end - 1]) < 200 and _SENT_FROM.match(lines[end - 1]))
    ):
        end -= 1
    return lines[:end]


def _sql(lines: list[str], index: int) -> bool:
    """A comment mark among other comment lines is code."""
    return any(later.startswith("-- ") and len(later) > 3 for line, later in pairwise(lines[index : index + 3]))
