"""What a person wrote for: a report, a question, or neither. In doubt it is a report: the team can change it, and loses nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from triaged.message.model import Message
from triaged.reading.cues import Text, cued
from triaged.reading.facts_model import Fact, said
from triaged.reading.missing import missing

_MOST_TEXT = 20_000
_SHORT = 60  # words


@dataclass(frozen=True, slots=True)
class Purpose:
    """`kind` is report, question or other; `reasons` are the words of the rules that hit."""

    kind: str
    reasons: tuple[str, ...]


_CLAIMS = cued(
    "found|discovered|identified|noticed|detected|observed|to report|to disclose|vulnerab|proof of concept|steps to reproduce"
    "|poc|exploit|your site |your website |your server |your application |your app |your wordpress |your api |your vpn "
    "|schwachstelle|sicherheitslücke|faille|kwetsbaarheid|уязвимост|漏洞|脆弱性|취약점",
    r"\b(?:(?:i|we)(?:'ve| have)? (?:\w+ )?(?:found|discovered|identified|noticed|detected|observed)"
    r"|(?:would like|writing|want) to (?:report|disclose)"
    r"|is vulnerable|are vulnerable|vulnerabilit(?:y|ies) (?:in|on|at|report)|proof of concept"
    r"|steps to reproduce|\bpoc\b|exploit(?:able|ed)?\b"
    r"|your (?:site|website|server|application|app|wordpress|api|vpn) (?:is|has|leaks|exposes|runs|allows)"
    r"|schwachstelle|sicherheitslücke|faille"
    r"|vulnerabilidad|vulnerabilità|kwetsbaarheid|уязвимост|漏洞|脆弱性|취약점)",
)
_ASKS = cued(
    "?|i would like to|i 'd like to|could you |can you tell|question about|question on|any news|any update|eine frage|une question"
    "|una pregunta|una domanda|een vraag",
    r"\?|\b(?:i (?:would|'d) like to (?:know|ask)|could you (?:tell|please tell)|can you tell|question (?:about"
    r"|on)|any (?:news|update)"
    r"|eine frage|une question|una pregunta|una domanda|een vraag)",
)
_ABOUT_US = cued(
    "in scope|scope of|out of scope|your policy|your disclosure policy|hall of fame|bug bounty program|safe harbo|pgp key"
    "|public key|where do i|where can i|where should i|who do i|who should i|who can i|whom do i|whom should i|whom can i"
    "|how do i|how can i|how should i|certificate of|status of|my report|my earlier report|my previous report|any news"
    "|any update|may i |am i allowed|vulnerability disclosure program",
    r"\b(?:in scope|scope of|out of scope|your (?:disclosure )?policy|hall of fame|bug bounty program"
    r"|safe harbou?r|pgp key|public key|where (?:do|can|should) i"
    r"|whom? (?:do|should|can) i|how (?:do|can|should) i (?:report|submit|send|get)|certificate of|status of"
    r"|my (?:earlier |previous )?report|any (?:news|updates?)"
    r"|may i (?:use|test|scan)|am i allowed|vulnerability disclosure program)\b",
)
_OTHER = {
    "advertisement": cued(
        "unsubscribe|book a demo|schedule a call|schedule a demo|our platform |our service|our product |our solution |our team "
        "|special offer|free trial|seo|backlink|guest post",
        r"unsubscribe|book a demo|schedule a (?:call|demo)|our (?:platform|services?|product|solution"
        r"|team) (?:help|offer|can)|special offer|free trial"
        r"|\bseo\b|backlinks?|guest post",
    ),
    "application": cued(
        "internship|job application|apply for|my cv|my resume|my résumé|vacanc|bewerbung|candidature",
        r"\b(?:internship|job application|apply for|my (?:cv|resume|résumé)|vacanc(?:y"
        r"|ies)|bewerbung|candidature)\b",
    ),
    "thanks": cued(
        "many |thank|thx|danke|merci|gracias|grazie|bedankt",
        r"\A\W{0,5}(?:(?:ok|great|perfect|hi|hello)\b[\s,!.]{0,3})?(?:many |thank you|thanks|thx|danke|merci"
        r"|gracias|grazie|bedankt)",
    ),
}
VERIFICATION = "verification"
# Mail that some service sends to whoever signed up with our address (AT-4). Counts only where no person can be answered.
_VERIFIES = cued(
    "verif|confirm|activat|validat|code|link|pass|bestätig",
    r"\b(?:verify|confirm|activate|validate) (?:your|this) (?:e-?mail|account|address|identity|registration|subscription)"
    r"|\b(?:verification|confirmation|activation|security|one-time|sign-in|login|access) (?:code|link|pass(?:code|word))"
    r"|\b(?:reset|set) your password|\bpassword reset|\bbestätigen sie ihre",
)
_TELLING = frozenset({"weakness", "cve", "cwe", "cvss", "exploited"})
_PLACES = frozenset({"url", "host"})
_HOST = re.compile(r"\A(?:[a-z][a-z0-9+.-]{0,20}://)?(?:[^/?#@]{0,200}@)?([^/?#:]{0,255}).*", re.DOTALL)
_SYSTEM = frozenset({"url", "ip_address", "product"})


def purpose(message: Message, facts: tuple[Fact, ...]) -> Purpose:
    """The kind and its reasons. What names a weakness, claims a finding or can't be read is a report."""
    text = Text.of(f"{message.subject}\n{said(message)[:_MOST_TEXT]}")
    claims = _claims(message, text, {fact.kind for fact in facts})
    if claims:
        return Purpose("report", claims)
    if not message.answerable and _VERIFIES.found(text) and not _names_our_systems(message, facts):
        return Purpose("other", (VERIFICATION,))
    body = Text.of(text.text.partition("\n")[2])
    other = tuple(word for word, pattern in _OTHER.items() if pattern.found(body))
    short = len(body.text.split(None, _SHORT)) <= _SHORT
    asks, about = _ASKS.found(body), _ABOUT_US.found(text)
    if asks and about and not _shows(message, facts):
        return Purpose("question", ("asks-about-us",))
    if other and ("thanks" not in other or short):
        return Purpose("other", other)
    if asks and short and not {fact.kind for fact in facts} & _SYSTEM:
        return Purpose("question", ("short-question",))
    return Purpose("report", ("in-doubt",))


def _shows(message: Message, facts: tuple[Fact, ...]) -> bool:
    """A question that shows how something is done, or brings a file, may be a finding put politely."""
    return bool(message.attachments) or not missing(message, facts, ("steps",))


def _names_our_systems(message: Message, facts: tuple[Fact, ...]) -> bool:
    """A service that wants an address confirmed links to itself: what links to the mailbox's own domain, or brings a file, may
    be a report that came through a form.
    """
    addressed = (*(address.address for address in message.to), *message.delivered_to)
    ours = tuple({address.rpartition("@")[2].lower() for address in addressed})
    hosts = (_HOST.sub(r"\1", fact.value.lower()) for fact in facts if fact.kind in _PLACES)
    return bool(message.attachments) or any(f".{host}".endswith(tuple(f".{our}" for our in ours)) for host in hosts)


def _claims(message: Message, text: Text, kinds: set[str]) -> tuple[str, ...]:
    hits = []
    if kinds & _TELLING:
        hits.append("names-a-weakness")
    if _CLAIMS.found(text):
        hits.append("claims-a-finding")
    if message.encrypted is not None:
        hits.append("encrypted")
    return tuple(hits)
