"""What is wrong in a file that an operator wrote, as sentences that name the mend. Never shows a secret."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]  # of a key: ("mailbox", 0, "imap", "port")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. `str()` of it is the whole sentence."""

    where: str  # the file, or the environment variable that set the value
    key: str  # "mailbox[security].imap.port"; "" where it is the file as a whole
    text: str  # what is wrong and what to write instead

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.text) if part)


class Refused(Exception):
    """A value that can't stand; its text says what it must be."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'; did you mean "imap"?' where a known word is near, else "". Bounded: long words are not compared."""
    from difflib import get_close_matches  # here, because only a mistake needs it

    near = get_close_matches(word[:64], list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def shown(value: object, limit: int = 60) -> str:
    """A value for an error text: printable, one line, never long."""
    text = value if isinstance(value, str) else repr(value)
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[: limit + 1])
    return f'"{clean[:limit]}…"' if len(text) > limit else f'"{clean}"'


def dotted(path: Path, raw: object) -> str:
    """The key as a person would look for it: an entry of an array by its name, where it has one."""
    words: list[str] = []
    for step in path:
        raw = _step(raw, step)
        if isinstance(step, int):
            name = raw.get("name") if isinstance(raw, dict) else None
            words[-1] += f"[{name if isinstance(name, str) and name.isprintable() else step}]"
        else:
            words.append(step)
    return ".".join(words)


def _step(raw: object, step: str | int) -> object:
    if isinstance(step, int):
        return raw[step] if isinstance(raw, list) and step < len(raw) else None
    return raw.get(step) if isinstance(raw, dict) else None
