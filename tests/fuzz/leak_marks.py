"""Marked secrets: words and tokens that no two texts share by chance, and where they may be read. Finds them in final bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from random import Random

WINDOW = 8  # words of a secret sentence in a row
_WORDS = tuple(a + b + c for a in ("ba", "cor", "den", "fil", "gor", "hal", "jun", "kes", "lom", "mar", "nev", "pol")
               for b in ("ta", "ri", "mo", "lu", "de", "ni") for c in ("n", "sk", "ver", "le", "ton", "ry"))  # fmt: skip
PLAIN = (
    "Thank you for your report.",
    "We can reproduce it on the version that you named.",
    "Could you tell us which browser you used for this?",
    "A fix is being written and we will let you know.",
    "We will get back to you within 5 business days.",
    "Please keep the details to yourself until then.",
)


@dataclass
class Mark:
    """One secret: a token, a sentence, or both."""

    kind: str  # note | report | signature | reporter | reference | file | waiver
    token: str  # lower-case; "" where there is none
    sentence: str  # lower-case words
    said: set[str] = field(default_factory=set)  # tokens of the tickets whose researcher may read it
    known: set[str] = field(default_factory=set)  # lower-case addresses that know it
    tenant: str = "default"

    def text(self) -> str:
        return f"{self.sentence} {self.token}".strip().capitalize() + "."


def words(random: Random, count: int) -> str:
    return " ".join(random.choice(_WORDS) for _ in range(count))


def minted(random: Random, kind: str, **where: object) -> Mark:
    return Mark(kind, token(random), words(random, 10), **where)  # type: ignore[arg-type]


def token(random: Random) -> str:
    """What stands in a note and nowhere else: a host, a ticket of another system, a path, a file, a number, an address, a key."""
    word, number = random.choice(_WORDS), random.randrange(10**6, 10**7)
    return random.choice(
        (
            f"{word}-{number}.corp",
            f"sec-{number}",
            f"/srv/{word}/{number}",
            f"{word}-{number}.zip",
            f"+972-3-{number % 1000:03}-{number // 1000}",
            f"{word}.{number}@vendor.example",
            f"https://wiki.ims.example/{word}-{number}",
            f"key_{number:x}{word}",
        )
    )


def pasted(random: Random, mark: Mark) -> str:
    """The secret as a person pastes it."""
    whole = f"{mark.sentence} {mark.token}".strip()
    some = mark.sentence.split()
    forms = [whole, whole.upper(), whole.replace(" ", "\n", 4), f"* {whole}", whole.replace(" ", "\N{NO-BREAK SPACE}")]
    forms += [f"({mark.token})", f"see {mark.token}, please"] if mark.token else []
    if len(some) >= WINDOW:
        at = random.randrange(len(some) - WINDOW + 1)
        forms += [mark.sentence, " ".join(some[at : at + WINDOW]), ", ".join(some), "\n".join(some), whole.title()]
    return random.choice(forms)


@dataclass(frozen=True)
class Faces:
    """All that a reader of a letter can see of it, lower-case."""

    raw: str
    spaced: str  # the words of subject, names and text, one space between them

    def hold(self, mark: Mark) -> bool:
        if mark.token and (mark.token in self.raw or mark.token in self.spaced):
            return True
        some = mark.sentence.split()
        return len(some) >= WINDOW and any(
            " ".join(some[n : n + WINDOW]) in self.spaced for n in range(len(some) - WINDOW + 1)
        )


_SPACES = re.compile(r"[^\w@./:+-]+")


def faces(data: bytes) -> Faces:
    """Every header decoded, every part decoded."""
    message = message_from_bytes(data, policy=policy.compat32)
    seen = [str(make_header(decode_header(value))) for _, value in message.items()]
    for part in message.walk():
        body = part.get_payload(decode=True)
        seen += [str(value) for _, value in part.items()] if part is not message else []
        seen += [body.decode("utf-8", "replace")] if isinstance(body, bytes) else []
    whole = "\n".join(seen).lower()
    return Faces(data.decode("latin-1").lower() + whole, f" {_SPACES.sub(' ', whole)} ")


def found(seen: Faces, marks: Iterable[Mark]) -> list[Mark]:
    return [mark for mark in marks if seen.hold(mark)]
