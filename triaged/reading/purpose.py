"""What a person wrote for: a report, a question, or neither. In doubt it is a report: the team can change it, and loses nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from triaged.message.model import Message
from triaged.reading.facts_model import Fact, said

_MOST_TEXT = 20_000
_SHORT = 60  # words


@dataclass(frozen=True, slots=True)
class Purpose:
    """`kind` is report, question or other; `reasons` are the words of the rules that hit."""

    kind: str
    reasons: tuple[str, ...]


_CLAIMS = re.compile(
    r"\b(?:(?:I|we)(?:'ve| have)? (?:\w+ )?(?:found|discovered|identified|noticed|detected|observed)"
    r"|(?:would like|writing|want) to (?:report|disclose)"
    r"|is vulnerable|are vulnerable|vulnerabilit(?:y|ies) (?:in|on|at|report)|proof of concept"
    r"|steps to reproduce|\bpoc\b|exploit(?:able|ed)?\b"
    r"|your (?:site|website|server|application|app|wordpress|api|vpn) (?:is|has|leaks|exposes|runs|allows)"
    r"|schwachstelle|sicherheitslücke|faille"
    r"|vulnerabilidad|vulnerabilità|kwetsbaarheid|уязвимост|漏洞|脆弱性|취약점)",
    re.I,
)
_ASKS = re.compile(
    r"\?|\b(?:I (?:would|'d) like to (?:know|ask)|could you (?:tell|please tell)|can you tell|question (?:about"
    r"|on)|any (?:news|update)"
    r"|eine frage|une question|una pregunta|una domanda|een vraag)",
    re.I,
)
_ABOUT_US = re.compile(
    r"\b(?:in scope|scope of|out of scope|your (?:disclosure )?policy|hall of fame|bug bounty program"
    r"|safe harbou?r|pgp key|public key|where (?:do|can|should) I"
    r"|whom? (?:do|should|can) I|how (?:do|can|should) I (?:report|submit|send|get)|certificate of|status of"
    r"|my (?:earlier |previous )?report|any (?:news|updates?)"
    r"|may I (?:use|test|scan)|am I allowed|vulnerability disclosure program)\b",
    re.I,
)
_OTHER = {
    "advertisement": re.compile(
        r"unsubscribe|book a demo|schedule a (?:call|demo)|our (?:platform|services?|product|solution"
        r"|team) (?:help|offer|can)|special offer|free trial"
        r"|\bSEO\b|backlinks?|guest post",
        re.I,
    ),
    "application": re.compile(
        r"\b(?:internship|job application|apply for|my (?:cv|resume|résumé)|vacanc(?:y"
        r"|ies)|bewerbung|candidature)\b",
        re.I,
    ),
    "thanks": re.compile(
        r"^\W{0,5}(?:(?:ok|great|perfect|hi|hello)\b[\s,!.]{0,3})?(?:many |thank you|thanks|thx|danke|merci"
        r"|gracias|grazie|bedankt)",
        re.I,
    ),
}
_TELLING = frozenset({"weakness", "cve", "cwe", "cvss", "exploited"})
_SYSTEM = frozenset({"url", "ip_address", "product"})


def purpose(message: Message, facts: tuple[Fact, ...]) -> Purpose:
    """The kind and its reasons. What names a weakness, claims a finding or can't be read is a report."""
    text = f"{message.subject}\n{said(message)[:_MOST_TEXT]}"
    body = text.partition("\n")[2]
    claims = _claims(message, text, {fact.kind for fact in facts})
    if claims:
        return Purpose("report", claims)
    other = tuple(word for word, pattern in _OTHER.items() if pattern.search(body))
    short = len(body.split(None, _SHORT)) <= _SHORT
    asks, about = _ASKS.search(body) is not None, _ABOUT_US.search(text) is not None
    if asks and about:
        return Purpose("question", ("asks-about-us",))
    if other and ("thanks" not in other or short):
        return Purpose("other", other)
    if asks and short and not {fact.kind for fact in facts} & _SYSTEM:
        return Purpose("question", ("short-question",))
    return Purpose("report", ("in-doubt",))


def _claims(message: Message, text: str, kinds: set[str]) -> tuple[str, ...]:
    hits = []
    if kinds & _TELLING:
        hits.append("names-a-weakness")
    if _CLAIMS.search(text):
        hits.append("claims-a-finding")
    if message.encrypted is not None:
        hits.append("encrypted")
    return tuple(hits)
