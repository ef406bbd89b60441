"""Names of strangers' files made fit to be handed on: no folder, no trick, no device of Windows (AT-24). Names in, names out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from triaged.message.clean import clean_header

OCTETS = 120  # of UTF-8, the extension among them
EXTENSION = 20
UNNAMED = "file"

# Letters that Windows keeps for itself, and what mail clients and shells take for more than a letter.
_UNSAFE = re.compile(r'[<>:"|?*\\/%`$;&!\'{}\x00-\x1f\x7f]')
# Nothing to the eye, letters to Python: fillers, joiners, selectors of a variant, Braille's blank.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?=\.|\s*\Z)", re.IGNORECASE
)


def safe_name(name: str) -> str:
    """The last part of it, on one line, at most 120 octets, its extension kept. "file" where nothing is left."""
    shown = "".join(filter(str.isprintable, _INVISIBLE.sub("", clean_header(name))))
    last = re.split(r"[/\\]", shown)[-1]
    plain = _UNSAFE.sub("_", last).lstrip("-~. ").rstrip(". ")
    if _DEVICE.match(plain):
        plain = f"_{plain}"
    return _short(plain, OCTETS) or UNNAMED


def unique_names(names: Iterable[str]) -> tuple[str, ...]:
    """Safe names of which no two are one file on a disk that knows no case: "poc.png", "poc (2).png"."""
    taken: set[str] = set()
    return tuple(_free(safe_name(name), taken) for name in names)


def _free(name: str, taken: set[str]) -> str:
    stem, extension = _parts(name)
    count, free = 1, name
    while free.casefold() in taken:
        count += 1
        mark = f" ({count})"
        free = f"{_cut(stem, OCTETS - len((mark + extension).encode()))}{mark}{extension}"
    taken.add(free.casefold())
    return free


def _short(name: str, most: int) -> str:
    if len(name.encode()) <= most:
        return name
    stem, extension = _parts(name)
    return f"{_cut(stem, most - len(extension.encode()))}{extension}"


def _parts(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    if not stem or len((dot + extension).encode()) > EXTENSION:
        return name, ""
    return stem, dot + extension


def _cut(text: str, octets: int) -> str:
    return text.encode()[:octets].decode(errors="ignore").rstrip(". ")
