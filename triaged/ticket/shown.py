"""How people and things are shown to the team: strangers' words on one line or quoted, links defanged. Values to text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from triaged.message.clean import clean_header
from triaged.message.model import Authenticity, Message, Verdict
from triaged.policy.calendar import zone
from triaged.ticket.address import Role, bare, keyed_address
from triaged.ticket.desk import Desk
from triaged.ticket.known import Arrival
from triaged.ticket.letters import TicketName

ANSWER_GUIDE = "A reply to this mail goes TO THE RESEARCHER."
TEAM_GUIDE = "A reply to this mail stays with the team."
VALUES_SHOWN = 3  # facts of one kind in a mail; all of them are in the tracker
FACT_CHARACTERS = 100
OTHERS_SHOWN = 3
FILES_SHOWN = 20
# Kind of fact -> what a mail calls it, the urgent first.
FACT_NAMES = {
    "exploited": "exploited",
    "disclosure_date": "will disclose",
    "cve": "CVE",
    "cwe": "CWE",
    "weakness": "weakness",
    "cvss": "CVSS",
    "product": "product",
    "url": "address",
    "host": "host",
    "ip_address": "IP address",
    "tester_ip_address": "tested from",
    "other_party": "others told",
    "anonymity": "anonymity",
    "credit_as": "credit as",
    "contact": "contact",
}


def shown_author(message: Message) -> str:
    """AT-11: the addr-spec first, the display name after it and in quotes."""
    if message.author is None:
        return "(no usable From)"
    name = one_line(message.author.name)
    return f'{message.author.address}  "{name}"' if name else message.author.address


def shown_proof(authenticity: Authenticity, desk: Desk) -> str:
    """In words, what is known of the author."""
    if authenticity.verdict is Verdict.PASS:
        return f"proven for {authenticity.domain} ({authenticity.method})"
    if authenticity.verdict is Verdict.FAIL:
        return "NOT PROVEN: the mail server says that the domain did not send it"
    return "NOT PROVEN: anybody can write this address into From"


def shown_instant(at: datetime, desk: Desk) -> str:
    """The instant in the policy's own zone, to the minute."""
    local = at.astimezone(zone(desk.policy.calendar.zone))
    return f"{local:%A, %-d %B %Y, %H:%M} ({desk.policy.calendar.zone})"


def defect_warnings(arrival: Arrival, desk: Desk) -> tuple[str, ...]:
    """What the team must know about the bytes, at most eight lines."""
    warnings = []
    if arrival.truncated:
        warnings.append(f"too large ({arrival.size:,} bytes): only its start is kept; read it in the mailbox")
    if arrival.message.encrypted:
        warnings.append(f"encrypted ({arrival.message.encrypted}): triaged could not read it")
    if arrival.junk or arrival.message.spam:
        warnings.append("the mail server calls it spam")
    warnings += [clean_header(d)[:120] for d in arrival.message.defects]
    return tuple(warnings[:8])


def also_sent_to(message: Message, desk: Desk) -> tuple[str, ...]:
    """Others who hold the report already: a cross-post, or somebody told (S2-7). For the team to know, not to judge."""
    own = {message.author.address.lower()} if message.author else set()
    named = dict.fromkeys(a.address.lower() for a in (*message.to, *message.cc))
    others = [address for address in named if bare(address) not in desk.own and address not in own]
    if not others:
        return ()
    more = f" and {len(others) - OTHERS_SHOWN} more" if len(others) > OTHERS_SHOWN else ""
    return (f"also sent to {', '.join(map(one_line, others[:OTHERS_SHOWN]))}{more}",)


def guide(answers: Role, name: TicketName, desk: Desk) -> str:
    """Where a reply goes, and the other way."""
    if not desk.plus_addressing:
        return ANSWER_GUIDE if answers is Role.RESEARCHER else TEAM_GUIDE
    other = Role.TEAM if answers is Role.RESEARCHER else Role.RESEARCHER
    address = keyed_address(desk.address, name.token, other, desk.keys[0])
    if answers is Role.RESEARCHER:
        return f"{ANSWER_GUIDE}\nTo write to the team only: {address}"
    return f"{TEAM_GUIDE}\nTo write to the researcher: {address}"


def quoted(text: str, most: int) -> str:
    """A stranger's words for the team: indented with "> ", links defanged, capped (AT-21)."""
    cut = text[:most]
    lines = [f"> {line}".rstrip() for line in defanged(cut).rstrip("\n").split("\n")]
    if len(text) > most:
        lines += ["", f"[{len(text) - most:,} more characters are in the tracker]"]
    return "\n".join(lines)


def fact_lines(facts: Iterable[tuple[str, str]]) -> list[str]:
    """One line a kind of fact; links defanged, a stranger's words on one line and short (AT-21)."""
    named: dict[str, list[str]] = {}
    for kind, value in facts:
        named.setdefault(kind, []).append(value)
    return [_fact_line(called, named[kind]) for kind, called in FACT_NAMES.items() if kind in named]


def _fact_line(called: str, values: list[str]) -> str:
    shown = ", ".join(one_line(value) for value in values[:VALUES_SHOWN])
    more = f" and {len(values) - VALUES_SHOWN} more" if len(values) > VALUES_SHOWN else ""
    return f"{called}: {shown}{more}"


def one_line(value: str) -> str:
    """A stranger's words within a line of ours."""
    return shown_subject(value)[:FACT_CHARACTERS]


def shown_subject(value: str) -> str:
    """The same for a field that may be long: without letters that look like none, which would push words to where ours begin."""
    return defanged(" ".join(clean_header(value).translate(_BLANK).split()))


# Braille's blank, Hangul's fillers and what has no width: they are no white space to Python.
_BLANK = dict.fromkeys(
    (0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, 0x2060, 0x2800, 0x3164, 0xFFA0), " "
)


def shown_files(files: Sequence[dict[str, object]]) -> dict[str, object]:
    """The first of a message's files for its mail, and how many more there are."""
    return {"attachments": files[:FILES_SHOWN], "more_attachments": max(0, len(files) - FILES_SHOWN)}


def labelled(lines: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """(label, text) with each label only before its first line."""
    shown: list[tuple[str, str]] = []
    last = ""
    for label, text in lines:
        shown.append(("" if label == last else label, text))
        last = label
    return shown


_SCHEME = re.compile(r"\b(h)tt(ps?)\Z", re.IGNORECASE)
_SCHEME_WIDTH = 6  # characters that the pattern looks at: "https" and what stands before it


_HOST = re.compile(r"[^\s/?#<>\"'()\[\]]{1,255}")
_BARE = (("www.", "www[.]"), ("WWW.", "WWW[.]"), ("Www.", "Www[.]"))  # what clients make links of without a scheme


def defanged(text: str) -> str:
    """Links that no mail client turns into one: hxxps://app[.]example[.]test/login, www[.]example.test (AT-21)."""
    # Only what stands beside "://" is looked at: a pattern over the whole text was a twentieth of taking a message in.
    first, *rest = text.split("://")
    parts = [first, *map(_without_dots, rest)]
    schemes = (part[:-_SCHEME_WIDTH] + _SCHEME.sub(r"\1xx\2", part[-_SCHEME_WIDTH:]) for part in parts[:-1])
    shown = "://".join([*schemes, parts[-1]])
    for plain, broken in _BARE:
        shown = shown.replace(plain, broken)
    return shown


def _without_dots(after: str) -> str:
    host = _HOST.match(after)
    return after if host is None else host.group().replace(".", "[.]") + after[host.end() :]
