"""Text brought into the one form in which two texts are compared, whatever mail clients did to it. Never judges what it says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

BREAK = "\x1e"  # between two texts that are read as one: no run of words crosses it
GRAM = 4  # letters of Chinese, Japanese, Thai … that count as a word, overlapping
_LEAST = 5  # characters of a token that tells something by itself


@dataclass(frozen=True)
class Read:
    """One text, or several with breaks between them, as it is compared. Made when asked: of most texts little is."""

    folded: str

    @cached_property
    def words(self) -> list[str]:
        """A script without spaces gives overlapping words of four letters."""
        found = _WORDS.findall(self.folded)
        return [piece for word in found for piece in _grams(word)] if _UNSPACED.search(self.folded) else found

    @cached_property
    def letters(self) -> str:
        """The words without anything between them: hard wraps and lost spaces change nothing here."""
        return "".join(_WORDS.findall(self.folded))

    @cached_property
    def tokens(self) -> set[str]:
        """Host names, addresses, paths, numbers: words with something in or between them."""
        return tokens(self.folded)

    @cached_property
    def line(self) -> str:
        """The words, each between two spaces."""
        return f" {' '.join(self.words)} "

    def holds(self, token: str) -> bool:
        """Whether the token stands here, by itself or as the domain of a host, the folder of a path."""
        at = self.folded.find(token)
        while at >= 0:
            end = at + len(token)
            if not (at and _ALPHANUMERIC.match(self.folded, at - 1)) and not _ALPHANUMERIC.match(self.folded, end):
                return True
            at = self.folded.find(token, end)
        return False


def readings(texts: Iterable[str]) -> tuple[Read, ...]:
    """The texts as they stand and, where quoted-printable may have been left in them, as they read without it."""
    cut = [text.replace(BREAK, " ") for text in texts]
    residue = [_decoded(text) for text in cut if _RESIDUE.search(text)]
    return tuple(Read(folded(BREAK.join(some))) for some in (cut, residue) if some)


# --- letters -------------------------------------------------------------------------------------------------------------------


class _Letters(dict[int, str]):
    """Each letter without case, accent, width and style. Letter by letter, because normalising a whole text takes quadratic
    time where accents are heaped up.
    """

    def __missing__(self, code: int) -> str:
        plain = _plain(chr(code))
        if len(self) < 20_000:
            self[code] = plain
        return plain


def _plain(letter: str) -> str:
    if letter.isspace() or letter in _BLANKS:
        return letter if letter in f"\n{BREAK}" else " "
    kind = unicodedata.category(letter)
    if kind == "Cf" or kind[0] == "M":
        return ""  # zero widths, soft hyphens, marks of direction; accents
    if kind == "Pd":
        return "-"
    apart = unicodedata.normalize("NFKD", letter)[:4].casefold()
    return "".join(c for c in apart if unicodedata.category(c)[0] != "M")


_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"  # empty to the eye, letters to Python
_LETTERS = _Letters()


def folded(text: str) -> str:
    """Lower case, plain letters, links that are links again ("hxxp", "[.]", "[at]")."""
    plain = text.lower() if text.isascii() else text.translate(_LETTERS)
    return _DEFANGED.sub(lambda found: _FANGS[found.group(1) or "hxxp"], plain)


_FANGS = {"dot": ".", ".": ".", "at": "@", "@": "@", ":": ":", "://": "://", "/": "/", "hxxp": "http"}
_DEFANGED = re.compile(r" ?[\[({](dot|at|://|[.@:/])[\])}] ?|\bhxxp")

_RESIDUE = re.compile(r"=(?:[ \t]*\r?\n|[0-9A-Fa-f]{2})")
_SOFT_BREAK = re.compile(r"=[ \t]*\r?\n(?:[ \t]*>[ \t]?)*")  # of a quoted line too
_OCTETS = re.compile(r"(?:=[0-9A-Fa-f]{2})+")


def _decoded(text: str) -> str:
    joined = _SOFT_BREAK.sub("", text)
    return _OCTETS.sub(lambda found: bytes.fromhex(found.group().replace("=", "")).decode(errors="replace"), joined)


# --- words ---------------------------------------------------------------------------------------------------------------------

# Quote marks, line ends, punctuation and underscores all stand between words; which of them stood there changes nothing.
_WORDS = re.compile(rf"[^\W_]+|{BREAK}")
# Kana, Chinese, Thai to Burmese, Khmer: scripts that write no spaces.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]+")


def unspaced(word: str) -> bool:
    """Whether it is a name of three letters and more in a script without spaces, where nothing tells its parts apart."""
    return len(word) > 2 and _UNSPACED.fullmatch(word) is not None


def _grams(word: str) -> Iterator[str]:
    at = 0
    for run in _UNSPACED.finditer(word):
        if run.start() > at:
            yield word[at : run.start()]
        letters, at = run.group(), run.end()
        yield from (letters[i : i + GRAM] for i in range(max(1, len(letters) - GRAM + 1)))
    if at < len(word):
        yield word[at:]


# --- tokens --------------------------------------------------------------------------------------------------------------------

_ALPHANUMERIC = re.compile(r"[^\W_]")
_SPECIAL = re.compile(r"[\d./@_]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?![\d.]))")
_CVSS = re.compile(r"\bcvss:[\d.]+(?:/[a-z]{1,3}:[a-z]{1,3})+")  # a measure that everybody may compute
# Whole, between slashes, and between slashes and at signs; each begins and ends with a letter or digit.
_TOKENS = tuple(re.compile(rf"[^\W_](?:[\w.+~%{more}-]*[^\W_])?") for more in ("/@", "@", ""))


def tokens(text: str) -> set[str]:
    """Every token of folded text, with its parts: an address, its host, a path, its last name."""
    pieces = {piece for piece in text.split() if len(piece) >= _LEAST and _SPECIAL.search(piece)}
    told = _THOUSANDS.sub("", _CVSS.sub(" ", "\n".join(pieces)))
    found = {token for pattern in _TOKENS for token in pattern.findall(told)}
    return {token for token in found if len(token) >= _LEAST and _SPECIAL.search(token)}


_COMMON = re.compile(
    r"""
      \d{1,2}[./-]\d{1,2}[./-](?:\d{2}|\d{4}) | \d{4}[./-]\d{1,2}(?:[./-]\d{1,2})? | \d{4}-\d\d-\d\dt\d\d  # dates
    | v?\d{1,4}(?:\.\d{1,5}){1,2}                                                                       # versions
    | \d{1,4}-[a-z]{1,8} | \d{1,4}(?:ms|kb|mb|gb|px|st|nd|rd|th|min|days?|hours?) | \d{1,4}/\d{1,4}
    | [a-z]{1,20}/[a-z]{1,20}                                                                           # and/or
    | c[vw]e-[\d-]{1,20}                                                                                # public lists
    | [a-z]\.[a-z]\.?
    """,
    re.VERBOSE,
)
_TRADE = """
    base64 sha256 sha512 sha-256 sha-512 utf-8 utf-16 http/1.1 http/2 http/3 tls1.2 tls1.3 oauth2 oauth2.0 ipv4 ipv6
    x86_64 win32 win64 aes-256 aes256 rsa2048 ed25519 x25519 iso-8859-1 iso8601 log4j python3 html5 office365 node.js next.js vue.js
    etc/passwd    security.txt robots.txt index.html index.php readme.md package.json localhost.localdomain 127.0.0.1 0.0.0.0
    example.com example.org example.net
"""
_NAMES = frozenset(_TRADE.split())
_PUBLIC = ("cwe.mitre.org", "cve.mitre.org", "cve.org", "www.cve.org", "nvd.nist.gov", "owasp.org", "www.first.org")


def telling(token: str) -> bool:
    """Whether the token is no part of what everybody says: dates, versions, public lists, names of the trade."""
    return not (token in _NAMES or _COMMON.fullmatch(token) or token.startswith(_PUBLIC))
