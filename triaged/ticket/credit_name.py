"""What may stand as a credited name, by its letters alone: taken, refused in words, or kept until a member looked. Names nobody."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MOST = 100  # characters, after NFC


@dataclass(frozen=True, slots=True)
class House:
    """Whose names somebody else must not bear."""

    organisation: str
    prefix: str = ""  # of references: what the organisation is called for short
    members: tuple[tuple[str, str], ...] = ()  # (name, address)
    sender: str = ""  # address of who asks: names of its own domain are theirs


@dataclass(frozen=True, slots=True)
class Judged:
    """A name as it would be kept, and what stands against it. `refused` is for the asker to read, `waits` for the team."""

    name: str
    refused: str = ""
    waits: str = ""


def judge(written: str, house: House) -> Judged:
    """The first thing that is wrong with it, or nothing."""
    name = unicodedata.normalize("NFC", written.strip(_EDGES))
    for wrong in (_too_long, _not_shown, _markup, _address, _marks, _look_alike, _wordless):
        if why := wrong(name):
            return Judged(name[:MOST], refused=why)
    name = " ".join(name.split())
    return Judged(name, waits=_of_another_house(name, house))


# Hebrew and Arabic clients put a direction mark around a line: at the edges it says nothing.
_EDGES = " \t\u200e\u200f\u061c\ufeff"
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks that show nothing
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MARKUP = re.compile(r"[<>&`]|\]\s*[(\[]|\[[^\]]*\]:|!\[", re.ASCII)
_URL = re.compile(
    r"[a-z][a-z0-9+.-]*://|\bwww\.|\b(?:mailto|javascript|data|vbscript|file|tel|h(?:tt|xx)ps?|ftps?):", re.IGNORECASE
)
_EMAIL = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]|[^\s@]@\[")


def _too_long(name: str) -> str:
    if not name:
        return "It is empty."
    return f"It is longer than {MOST} characters." if len(name) > MOST else ""


def _not_shown(name: str) -> str:
    """Controls, line ends, bidi controls, zero-width: what changes how other text is shown, or is not seen."""
    if any(c in _BIDI for c in name):
        return "It holds characters that change the direction of text."
    if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in name):
        return "It holds control characters."
    if any(unicodedata.category(c)[0] == "C" or c in _BLANK for c in name):
        return "It holds characters that can't be seen."
    return ""


def _markup(name: str) -> str:
    return "It holds markup: please leave out < > & and backticks, and links." if _MARKUP.search(name) else ""


def _address(name: str) -> str:
    found = _URL.search(name) or _EMAIL.search(name)
    return "It holds an address of the web or of mail." if found else ""


_FEW_MARKS = frozenset({"LATIN", "GREEK", "CYRILLIC"})  # their accents are one character with the letter (NFC)


def _marks(name: str) -> str:
    """Accents on accents. Hebrew points, Arabic vowels and Thai tones go up to three."""
    count, most = 0, 0
    for character in name:
        if unicodedata.category(character) in ("Mn", "Me"):
            count += 1
            if count > most:
                return "It holds too many accents on one letter."
        else:
            count, most = 0, _most_marks(character)
    return ""


def _most_marks(base: str) -> int:
    if not base.isalpha():
        return 1  # of an emoji
    return 2 if _script(base) in _FEW_MARKS else 4


_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE"})


def _look_alike(name: str) -> str:
    for word in re.split(r"[\W\d_]+", name):
        if len({_script(c) for c in word} & _ALIKE) > 1:
            return "It mixes letters of several alphabets within one word."
    return ""


def _script(letter: str) -> str:
    """LATIN of "LATIN SMALL LETTER A" and of "FULLWIDTH LATIN SMALL LETTER A"; styled letters are what they look like."""
    plain = unicodedata.normalize("NFKC", letter)[:1] or letter
    return unicodedata.name(plain, "").partition(" ")[0]


def _wordless(name: str) -> str:
    return "" if any(c.isalnum() for c in name) else "It holds no letter and no digit."


# --- names of somebody else's house ---

# Well-known names that people are taken in by; "meta" and "apple" are also words, so a member looks.
_BRANDS = (
    "adobe airbnb akamai alibaba amazon amd android apple atlassian aws azure binance bytedance chrome cisco citrix cloudflare"
    " coinbase crowdstrike debian dell discord disney docker dropbox ebay facebook fedora firefox fortinet github gitlab gmail"
    " google huawei ibm icloud instagram intel jetbrains kaspersky kubernetes lenovo linkedin mandiant mastercard meta microsoft"
    " mozilla netflix netscape nginx nintendo nokia nvidia okta openai oracle outlook paypal playstation qualcomm redhat reddit"
    " salesforce samsung sap shopify siemens signal slack snapchat sony spotify steam stripe telegram tesla tiktok twitch"
    " twitter uber ubuntu valve visa vmware wechat whatsapp wikipedia windows wordpress xbox yahoo youtube zendesk zoom"
    " hackerone bugcrowd intigriti yeswehack cert cisa enisa nist mitre interpol europol fbi nsa bsi"
)
BRANDS = frozenset(_BRANDS.split())
_OURS = re.compile(r"\b(?:security team|official|psirt|product security)\b")
_FORMS = re.compile(
    r"\b(?:incorporated|inc|ltd|limited|gmbh|corp|corporation|llc|plc|oy|a/s|pty|s\.a\.|b\.v\.)(?=\W|\Z)"
)
_HOST = re.compile(r"(?<![\w.@-])(?:[a-z0-9-]{2,}\.)+(?P<top>[a-z]{2,})(?![\w-])")
_DOMAINS = "com net org info biz dev app xyz online site tech cloud shop gov edu mil int example test invalid"
_TOPS = frozenset(_DOMAINS.split())
_FREE = "gmail googlemail outlook hotmail live yahoo icloud aol gmx web proton protonmail mail yandex qq"
_FREE_MAIL = frozenset(_FREE.split())
# Letters that look like Latin ones: a word written in them whole mixes nothing.
_SEEN_AS = str.maketrans(
    "\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0456\u0458\u0455\u0501\u051b"
    "\u03b1\u03b2\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0131",
    "abekmhopctyxijsdqabeikvoptuxi",
)  # fmt: skip
_DIGITS_AS = str.maketrans("013457", "oleast")


def _of_another_house(name: str, house: House) -> str:
    plain = _plain(name)
    words = re.findall(r"\w+", plain)
    own = _own_labels(house.sender)
    for found in _others(plain, words, own, house):
        return found
    return ""


def _others(plain: str, words: list[str], own: frozenset[str], house: House) -> Iterator[str]:
    if _holds(words, house.organisation) or (house.prefix and house.prefix.casefold() in words):
        yield "it holds the organisation's own name"
    if any(_holds(words, member) for member, _ in house.members if member):
        yield "it is a member's name"
    if any(address and address.casefold() in plain for _, address in house.members):
        yield "it holds a member's address"
    if _OURS.search(plain):
        yield "it speaks as a team or officially"
    spelt = {w for word in words for w in (word, word.translate(_DIGITS_AS))} | {"".join(words)}
    if brands := sorted((spelt & BRANDS) - own):
        yield f"it holds a well-known name ({brands[0]})"
    if _FORMS.search(plain) and not own & set(words):
        yield "it names a company"
    if any(_is_host(m) and not own & set(m[0].split(".")) for m in _HOST.finditer(plain)):
        yield "it names a domain"


def _is_host(found: re.Match[str]) -> bool:
    return found["top"] in _TOPS or len(found["top"]) == 2


def _holds(words: list[str], wanted: str) -> bool:
    """The words of `wanted` in a row, however they are joined; where it is long enough, also within one word."""
    parts = re.findall(r"\w+", _plain(wanted))
    if not parts:
        return False
    row = any(words[n : n + len(parts)] == parts for n in range(len(words)))
    joined = "".join(parts)
    return row or (len(joined) > _SHORT and joined in "".join(words))


_SHORT = 7  # letters of a name that may stand within others by chance


def _plain(name: str) -> str:
    """As it looks: without case, accents, styled letters, and with look-alikes as the Latin letters that they look like."""
    folded = unicodedata.normalize("NFKD", name).casefold().translate(_SEEN_AS)
    return "".join(c for c in folded if not unicodedata.combining(c))


def _own_labels(address: str) -> frozenset[str]:
    """What a sender's own domain is called: acme of noa@mail.acme.co.uk. Free mail is nobody's house."""
    labels = address.casefold().rpartition("@")[2].split(".")
    kept = {label for label in labels[:-1] if len(label) > 2}
    return frozenset() if kept & _FREE_MAIL else frozenset(kept)
