"""The leak gate: what of the inside stands in a letter to a researcher (AT-29, law 7). Finds and shows; never sends or decides.

It is made for an honest member who is tired: a quote without marks, a line pasted from a note, a name of the wrong ticket, in any
shape that mail clients make of it. Somebody who means to leak is not stopped: base64, HTML entities, pictures, look-alike letters
and other words for the same thing are out of scope.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import accumulate

from triaged.message.clean import clean_header
from triaged.ticket.address import MAC_BYTES, Role, bare
from triaged.ticket.comparing import Read, folded, readings, telling, tokens, unspaced
from triaged.ticket.reference import TOKEN_LENGTH, token_of
from triaged.ticket.shown import ANSWER_GUIDE, TEAM_GUIDE, defanged

RUN = 6  # words in a row that no two people write by chance
LETTERS = 40  # the same where words can't be told apart: letters and digits in a row
SAID_RUN = 4  # words in a row that the researcher knows from the conversation
SAID_LETTERS = 12
SHOWN = 120
MOST = 20  # overlaps that a member is shown
_FRESH_WORDS = (
    2  # of a run, neither said before nor everyday: two texts that quote the same words may go on with the same one
)
_FRESH_LETTERS = 20
_LOOKED_UP = 200  # tokens of a letter that are looked for in all that was said; the others count as new
_MAC = MAC_BYTES * 8 // 5

# What only our mail to the team says, the guide for a reply and what we think of the report.
SIGNS = (
    ANSWER_GUIDE.lower(),
    TEAM_GUIDE.lower(),
    "to write to the team only:",
    "may repeat: ",
    "noise: 0.",
    "noise: 1.",
    "taken for: question (",
    "taken for: other (",
    "a reply that you may send, if it fits",
)
_NAMED_SIGNS = ("new report {prefix}-", "team only ({prefix}-", "to researcher ({prefix}-")  # heads and Reply-To


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another ticket, of which the reader of the letter must not read."""

    reference: str
    notes: tuple[str, ...]  # what the team wrote there by mail
    heard: tuple[str, ...]  # what its researchers wrote
    people: tuple[tuple[str, str], ...]  # (name, address) of those who take part there


@dataclass(frozen=True, slots=True)
class Inside:
    """What must not reach the researcher of one ticket."""

    # The team's conversation: notes, letters to the team whole, texts of other tickets that the team was shown. Not in it: the
    # mail whose words the letter is made of, and earlier drafts of the letter as an echo shows them.
    notes: tuple[str, ...]
    # What the researcher knows or may know: both sides' texts of their conversation, with their names, addresses, subjects and
    # file names, and the policy's text and sentences.
    said: tuple[str, ...]
    references: tuple[str, ...]  # of other tickets, where the team's mail named them
    own: str  # this ticket's reference
    people: tuple[
        tuple[str, str], ...
    ]  # (name, address) of members, ("", address) of the team; never the mailbox itself
    words: tuple[str, ...]  # configured internal host names and words, lower-case
    prefix: str  # of references: IMS
    elsewhere: tuple[Elsewhere, ...] = ()


@dataclass(frozen=True, slots=True)
class Overlap:
    """One piece of the inside in a letter."""

    what: str  # note | team-mail | other-ticket | reference | keyed-address | address | member | internal | host
    shown: str  # the words, for the echo to the member: at most 120 characters, links defanged


def overlaps(subject: str, text: str, inside: Inside) -> tuple[Overlap, ...]:
    """What of the inside the letter holds, each once, at most twenty. Empty: it may go."""
    named: dict[str, Overlap] = {}
    for one in _found(f"{subject}\n{text}", inside):
        shown = defanged(clean_header(one.shown))[:SHOWN].strip()
        named.setdefault(shown.lower(), Overlap(one.what, shown))
        if len(named) == MOST:
            break
    return tuple(named.values())


def _found(text: str, inside: Inside) -> Iterator[Overlap]:
    said = readings(
        (*inside.said, *_spellings(inside.own), *(text for note in inside.notes for text in _offered(note)))
    )
    letters = readings((_without_own_reply(text, inside.own),))
    for letter in letters:
        yield from _names(letter, inside, said[0])
    others = tuple(_texts(inside))
    for letter in letters:
        fresh = _Fresh(letter, _marks(letter, said), said)
        for what, other in others:
            yield from (Overlap(what, shown) for shown in _shared(fresh, other))
        yield from (Overlap("other-ticket", shown) for shown in _of_others(fresh, inside.elsewhere))


def _without_own_reply(text: str, own: str) -> str:
    """The researcher's own reply address stands in their letters anyway, and in the guides of the team's mail."""
    key = rf"\+{token_of(own)}\.{Role.RESEARCHER}\.[0-9a-z]{{{_MAC}}}(?:@[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,9}})?"
    return re.sub(rf"(?<![\w.-])[\w.-]{{0,64}}{key}", " ", text, flags=re.IGNORECASE)


def _texts(inside: Inside) -> Iterator[tuple[str, Read]]:
    """All notes as one text, and all letters to the team as another: their signs tell them apart."""
    notes: list[str] = []
    letters: list[str] = []
    for text in inside.notes:
        (letters if _signs(text.lower(), inside.prefix) else notes).append(text)
    yield from (("note", read) for read in readings(notes))
    yield from (("team-mail", read) for read in readings(letters))


def _signs(plain: str, prefix: str) -> list[str]:
    """AT-29: a client that quotes without marks sends our whole letter along."""
    line = _one_line(plain)
    return [sign for sign in (*SIGNS, *(s.format(prefix=prefix.lower()) for s in _NAMED_SIGNS)) if sign in line]


def _spellings(reference: str) -> tuple[str, ...]:
    token = token_of(reference) or ""
    return reference, reference.replace("-", ""), token, f"{token[:4]}-{token[4:]}"


_OFFER = "A reply that you may send, if it fits"


def _offered(letter: str) -> Iterator[str]:
    """The reply that our own mail suggests to the team is meant to be sent. It is indented, and what strangers wrote is not."""
    _, marked, after = letter.partition(f"\n{_OFFER}")
    if marked:
        lines = after.split("\n")[1:]
        end = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("    ")), len(lines))
        yield "\n".join(lines[:end])


# --- names: of people, tickets, machines ---------------------------------------------------------------------------------------


def _names(letter: Read, inside: Inside, said: Read) -> Iterator[Overlap]:
    yield from (Overlap("team-mail", sign) for sign in _signs(letter.folded, inside.prefix))
    yield from (Overlap("keyed-address", shown) for shown in _keyed(letter, inside.own))
    yield from (Overlap("reference", shown) for shown in _references(letter, inside, said))
    yield from (Overlap("address", shown) for shown in _addresses(letter, inside.people))
    yield from (Overlap("member", shown) for shown in _members(letter, inside.people, said))
    yield from (Overlap("internal", shown) for shown in _configured(letter, inside.words, said))
    yield from (Overlap("host", shown) for shown in _private(letter, said))


_KEYED = re.compile(rf"\+([0-9a-z]{{{TOKEN_LENGTH}}})\.([{''.join(Role)}])\.[0-9a-z]{{0,{_MAC}}}")


def _keyed(letter: Read, own: str) -> Iterator[str]:
    """The researcher's own reply address is theirs; every other key opens what is not."""
    for found in _KEYED.finditer(letter.folded):
        if found.group(1) != token_of(own) or found.group(2) != Role.RESEARCHER:
            yield found.group()


_GAP = r"[\s>_-]{0,3}"
_GROUPS = rf"([0-9a-z]{{4}}){_GAP}([0-9a-z]{{4}})(?![0-9a-z])"
_ANY_TOKEN = re.compile(rf"(?<![0-9a-z])(?={_GROUPS})")


def _references(letter: Read, inside: Inside, said: Read) -> Iterator[str]:
    """Another ticket's, in any spelling: named to the team, or by its form alone. The researcher may have several."""
    quoted, named = _quoted(letter.folded, inside.prefix), _listed(letter.folded, inside.references)
    free = {token_of(inside.own)}
    if quoted or named:
        free |= _quoted(said.folded, inside.prefix).keys() | _listed(said.folded, inside.references).keys()
    return (shown for token, shown in (named | quoted).items() if token not in free)


def _listed(text: str, references: Iterable[str]) -> dict[str, str]:
    """Token -> as written, of these references with prefix or without."""
    tokens = {token_of(reference) for reference in references}
    found = _ANY_TOKEN.finditer(text) if tokens else ()
    return {token: "-".join(m.groups()) for m in found if (token := token_of("".join(m.groups()))) and token in tokens}


def _quoted(text: str, prefix: str) -> dict[str, str]:
    """Token -> as written, of every reference of that form. Without hyphens only with a digit: "IMS will take" is none."""
    found: dict[str, str] = {}
    for match in re.finditer(rf"(?<![0-9a-z]){re.escape(prefix.lower())}({_GAP}{_GROUPS})", text):
        token, tail = token_of("".join(match.groups()[1:])), match.group(1)
        if token and (tail.count("-") > 1 or any(c.isdigit() for c in tail)):
            found[token] = match.group()
    return found


def _addresses(letter: Read, people: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Always, also where the researcher wrote it first: no letter gives a member's address."""
    ours = {bare(token) for _, address in people for token in tokens(folded(address)) if "@" in token}
    return (token for token in sorted(letter.tokens) if "@" in token and bare(token) in ours)


def _members(letter: Read, people: Iterable[tuple[str, str]], said: Read) -> Iterator[str]:
    """A full name, either way round. A first name alone is how people sign, and stays."""
    for name in dict.fromkeys(name.partition("(")[0] for name, _ in people):
        yield from (full for full in _orders(name) if full in letter.line and full not in said.line)
        together = "".join(name.split())
        if unspaced(together) and together in letter.letters and together not in said.letters:
            yield together


def _orders(name: str) -> list[str]:
    words = readings((name,))[0].words
    orders = (words, words[:1] + words[-1:], words[-1:] + words[:-1]) if len(words) > 1 else ()
    return [f" {' '.join(order)} " for order in orders]


def _configured(letter: Read, words: Iterable[str], said: Read) -> Iterator[str]:
    """Over line ends and quote marks."""
    plain = _one_line(letter.folded)
    for word in filter(None, (_one_line(folded(word)) for word in words)):
        whole = re.compile((r"(?<!\w)" if word[0].isalnum() else "") + re.escape(word) + r"(?!\w)")
        if whole.search(plain) and not whole.search(_one_line(said.folded)):
            yield word


def _one_line(text: str) -> str:
    return " ".join(text.replace(">", " ").split())


_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))  # RFC 1918, RFC 4193
_PRIVATE_HOST = re.compile(r"(?:[\w-]+\.)+(?:internal|intranet|corp|local|lan)")
_IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_IPV6 = re.compile(r"(?<![\w:])f[cd][0-9a-f]{2}:[0-9a-f:]{1,35}(?![\w:])")


def _private(letter: Read, said: Read) -> Iterator[str]:
    """Hosts and addresses that exist only inside, unless the researcher found them."""
    hosts = sorted({token.rpartition("@")[2] for token in letter.tokens})
    private = [host for host in hosts if _PRIVATE_HOST.fullmatch(host) or (_IPV4.fullmatch(host) and _inside(host))]
    private += (address for address in dict.fromkeys(_IPV6.findall(letter.folded)) if _inside(address))
    return _not_said(private, (said,))


def _inside(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE if network.version == address.version)


# --- what is shared with a text of the team ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A letter and what of it the researcher knows."""

    letter: Read
    known: bytearray  # 1 for each word of it that they wrote or read, or that everybody writes
    texts: tuple[Read, ...]  # where from


def _marks(letter: Read, texts: Iterable[Read]) -> bytearray:
    marks = _everyday(letter.words)
    runs = list(_windows(letter.words, SAID_RUN))
    mine = set(runs)
    _mark(marks, runs, {run for text in texts for run in mine.intersection(_windows(text.words, SAID_RUN))}, SAID_RUN)
    return marks


def _shared(fresh: _Fresh, other: Read) -> Iterator[str]:
    runs = list(_word_runs(fresh, other))
    yield from runs or _letter_runs(fresh, other)
    mine = set(filter(telling, fresh.letter.tokens))
    common = mine & other.tokens if mine else mine
    common = common.difference(*(text.tokens for text in fresh.texts)) if common else common
    yield from _not_said(sorted(common), fresh.texts)


def _of_others(fresh: _Fresh, tickets: Sequence[Elsewhere]) -> Iterator[str]:
    """Of other tickets: people, words in a row, and tokens but those that the researchers of several name: they are about the
    product.
    """
    people = [person for ticket in tickets for person in ticket.people]
    yield from (token for token in _addresses(fresh.letter, people) if not fresh.texts[0].holds(token))
    yield from _members(fresh.letter, people, fresh.texts[0])
    heard = [read for ticket in tickets for read in readings(ticket.heard)]
    notes = readings([text for ticket in tickets for text in ticket.notes])
    for read in (*heard, *notes):
        yield from _word_runs(fresh, read)
    named = Counter(token for read in heard for token in fresh.letter.tokens & read.tokens)
    found = {token for read in notes for token in fresh.letter.tokens & read.tokens} | named.keys()
    telling_ones = sorted(token for token in found if named[token] < 2 and telling(token))
    yield from _not_said([t for t in telling_ones if not any(t in text.tokens for text in fresh.texts)], fresh.texts)


def _not_said(found: Sequence[str], texts: Iterable[Read]) -> Iterator[str]:
    for count, token in enumerate(found):
        if count >= _LOOKED_UP or not any(text.holds(token) for text in texts):
            yield token


def _word_runs(fresh: _Fresh, other: Read) -> Iterator[str]:
    words = fresh.letter.words
    runs = list(_windows(words, RUN))
    inside = set(runs).intersection(_windows(other.words, RUN))
    if inside:
        for start, end in _spans(runs, inside, fresh.known, RUN, _FRESH_WORDS):
            yield " ".join(words[start:end])


def _windows(words: Sequence[str], length: int) -> Iterable[tuple[str, ...]]:
    return zip(*(words[at:] for at in range(length)), strict=False)


def _letter_runs(fresh: _Fresh, other: Read) -> Iterator[str]:
    """In what was not said. What is found there may still have been said with other spaces."""
    letters = _unsaid_letters(fresh)
    runs = list(_slices(letters, LETTERS))
    inside = _runs_in(other.letters, set(runs))
    if inside:
        plain, mine = bytearray(len(letters)), list(_slices(letters, SAID_LETTERS))
        some = set(mine)
        known = {run for text in fresh.texts for run in some.intersection(_slices(text.letters, SAID_LETTERS))}
        _mark(plain, mine, known, SAID_LETTERS)
        for start, end in _spans(runs, inside, plain, LETTERS, _FRESH_LETTERS):
            yield letters[start:end]


def _unsaid_letters(fresh: _Fresh) -> str:
    words, whole = fresh.letter.words, fresh.letter.letters
    if sum(map(len, words)) != len(whole):
        return whole  # in scripts without spaces the words overlap
    return "".join("\0" if known else word for word, known in zip(words, fresh.known, strict=True))


def _slices(text: str, length: int) -> Iterator[str]:
    return (text[at : at + length] for at in range(len(text) - length + 1))


def _runs_in(text: str, runs: set[str]) -> set[str]:
    """Which of the runs stand in the text. Each holds a half that begins at a multiple of its length: the rest is not looked at."""
    step = LETTERS // 2
    halves = {run[:step] for run in runs} | {run[step:] for run in runs}
    found: set[str] = set()
    for at in range(0, len(text), step):
        if text[at : at + step] in halves:
            found.update(runs.intersection(text[n : n + LETTERS] for n in range(max(0, at - step), at + 1)))
    return found


def _mark(plain: bytearray, runs: Sequence[Hashable], known: Set[Hashable], length: int) -> None:
    """1 for all that stands in one of the known runs."""
    reach = 0
    for at, run in enumerate(runs):
        if run in known:
            plain[max(at, reach) : at + length] = b"\1" * (at + length - max(at, reach))
            reach = at + length


def _spans(
    runs: Sequence[Hashable], inside: Set[Hashable], plain: bytearray, length: int, least: int
) -> Iterator[tuple[int, int]]:
    """From where to where runs of the inside stand in the letter of which at least so much is new to the researcher."""
    fresh = list(accumulate((not known for known in plain), initial=0))
    held = [at for at, run in enumerate(runs) if run in inside and fresh[at + length] - fresh[at] >= least]
    begun = end = -1
    for at in held:
        if at > end >= 0:
            yield begun, end
        if at > end:
            begun = at
        end = at + length
    if end >= 0:
        yield begun, end


# What everybody writes in letters about reports, and dates. Two of another kind make a run of words telling.
_EVERYDAY = re.compile(
    r"(?:(?<= )|\A)(?:"
    r"(?:hi|hello|dear) [^ ]+"
    r"|thank you (?:very much |again )?for your (?:report|mail|patience|message|answer|reply|help|time)"
    r"|thanks for your (?:report|mail|patience|message|answer|reply|help|time)"
    r"|thank you for (?:reporting|letting us know|getting in touch)"
    r"|(?:please )?let us know if you have any (?:further |other |more )?questions"
    r"|we will (?:get back to you|keep you (?:informed|updated|posted)|let you know)(?: as soon as (?:we can|possible))?"
    r"|as soon as (?:we can|possible)|(?:kind|best) regards|looking forward to hearing from you"
    r"|(?:by |at |until |before )?the end of(?: the)?|(?:within|in) \d{1,3} (?:business )?days"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|[a-z]|cvss(?: \d){1,2}(?: [a-z]{1,3} [a-z])+|cwe \d{1,5}|cve \d{4} \d{1,7}"
    r"|january|february|march|april|may|june|july|august|september|october|november|december"
    r"|(?:(?:in|on|by|at|until|before|from|since|version) )?\d{1,4}(?: \d{1,5}){0,3}"
    r")(?= |\Z)"
)


def _everyday(words: Sequence[str]) -> bytearray:
    """1 for each word that is part of such a phrase."""
    marked = _EVERYDAY.sub(lambda found: " ".join("\0" for _ in found.group().split(" ")), " ".join(words))
    return bytearray(word == "\0" for word in marked.split(" ")) if words else bytearray()
