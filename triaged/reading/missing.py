"""What a report leaves out of what the policy asks for. Says only that nothing of it was seen: a person judges."""

from __future__ import annotations

import re
from itertools import islice

from triaged.message.model import Attachment, Message
from triaged.reading.cues import Text, cued
from triaged.reading.facts_model import Fact, written

DEFAULT = ("description", "steps", "affected", "evidence")
_MOST_TEXT = 65_536
_LEAST_WORDS = 20  # of a description that names no class of weakness
_FEW_WORDS = 8

# Pages that explain, never the affected system.
_REFERENCES = re.compile(
    r"https?://(?:[\w-]{1,63}\.){0,4}(?:owasp\.org|mitre\.org|nist\.gov|hackerone\.com|bugcrowd\.com"
    r"|wikipedia\.org|youtube\.com"
    r"|youtu\.be|portswigger\.net|exploit-db\.com|mxtoolbox\.com|securityheaders\.com|medium\.com|first\.org"
    r"|ietf\.org)(?:[/:?]|$)",
    re.I,
)
_NUMBERED = cued(
    "|".join(f"{number}{mark}" for number in range(1, 10) for mark in ".):-"),
    r"^[ \t>*#]{0,8}(?:step )?[1-9][.):-] ?\S",
)
_COMMAND = cued(
    "$ |# |http/|curl |nmap |sqlmap ",
    r"^[ \t>]{0,8}(?:[$#] [a-z./]|(?:GET|POST|PUT|DELETE|PATCH|OPTIONS|HEAD) \S{1,2000} HTTP/|curl \S|nmap \S"
    r"|sqlmap \S)",
    as_written=True,
)
_STEPS = cued(
    "repro|how to see|how to repeat|proof of concept|poc|schritte|étapes|pasos|passaggi|stappen|passos|шаги|步骤|复现|再現",
    r"\b(?:steps? (?:to|for) repro|to reproduce|how to (?:reproduce|see|repeat)|reproduction|reproduce:|repro:"
    r"|proof of concept\s?:|\bpoc\b\s?:?(?=\n?\Z)"
    r"|schritte|reproduzieren|étapes|reproduire|pasos|reproducir|passaggi|stappen|passos|шаги|步骤|复现|再現)",
)
_DOING = cued(
    "go to|browse to|navigate to|log in to|login to|open the|open http|click on|click the|send the request|send this request"
    "|send a request|intercept the request|intercept this request|intercept a request|against|by changing|by adding|by sending"
    "|by opening|by uploading|by entering|by visiting|with the session of|change |enter the|enter this",
    r"\b(?:(?:go|browse|navigate|log ?in) to|open (?:the|https?:)|click (?:on|the)|(?:send|intercept) (?:the"
    r"|this|a) request|run\b[^.\n]{0,40}\bagainst"
    r"|by (?:changing|adding|sending|opening|uploading|entering|visiting)|with the session of"
    r"|change \S{1,40} to|enter (?:the|this))",
)
_CODE = cued(
    "```|<script|</html>|</form>|</body>|<!entity|<iframe|onerror=|    |\t",
    r"^```|<script|</(?:html|form|body)>|<!entity|<iframe|\bonerror=|^(?: {4}|\t)\S",
)
_TRACE = cued(
    "addresssanitizer|call trace:|traceback (most|0x|kasan|uid=|root:x:0:0|http/|segfault|core dumped|bug: ",
    r"AddressSanitizer|Call Trace:|Traceback \(most recent|^\s{0,8}#\d{1,3}\s{1,3}0x"
    r"|KASAN|\buid=\d|root:x:0:0"
    r"|^HTTP/\d(?:\.\d)? \d{3}|segfault|core dumped|BUG: ",
    as_written=True,
)
_FRAME = cued("(", r"^\s{0,8}at [\w.$]{1,80}\(", as_written=True)
_SHOWN = cued(
    "attach|screen|video|recording|see the |capture d'écran|bildschirmfoto|anbei|adjunt|the answer |the response |the server "
    "|respond|répond avec|devuelve|i can read|i could read|log:|logs:",
    r"\b(?:attached|attachment|screen ?shots?|screen ?cast|video|recording|see the (?:image|log)"
    r"|capture d'écran|bildschirmfoto|anbei|adjunt[oa]"
    r"|the (?:answer|response) (?:takes|is|was|contains)|the server (?:answers|responds|returns)|responds? with"
    r"|répond avec|devuelve|i (?:can|could) read"
    r"|logs?:)\b",
)
_PAPERS = ("application/pdf", "application/zip", "text/", "application/vnd.", "application/msword", "message/rfc822")
_DECORATION = ("application/pgp", "application/pkcs7", "text/vcard", "text/x-vcard", "text/calendar")


def missing(message: Message, facts: tuple[Fact, ...], wanted: tuple[str, ...] = DEFAULT) -> tuple[str, ...]:
    """What of `wanted` was not found: of description, steps, affected, evidence, contact, tester_addresses.

    Nothing is missing of an encrypted message: it can't be seen here. A paper attached may hold what the text does not.
    """
    if message.encrypted is not None:
        return ()
    text = Text.of(written(message)[:_MOST_TEXT])
    found = _found(message, text, facts)
    return tuple(item for item in wanted if item not in found)


def _found(message: Message, text: Text, facts: tuple[Fact, ...]) -> frozenset[str]:
    kinds = {fact.kind for fact in facts}
    files = [item for item in message.attachments if not _decorates(item)]
    paper = any(item.media_type.startswith(_PAPERS) or item.detected_type.startswith(_PAPERS) for item in files)
    seen = {
        "description": paper or _describes(text.text, kinds),
        "steps": paper or _shows_steps(text) or _shows_by_link(facts),
        "affected": _names_system(facts),
        "evidence": bool(files) or _shows_evidence(text),
        "contact": bool(message.author or message.reply_to or "contact" in kinds),
        "tester_addresses": "tester_ip_address" in kinds,
    }
    return frozenset(name for name, here in seen.items() if here)


def _decorates(item: Attachment) -> bool:
    """A logo of a signature, a key or a card shows nothing."""
    small_picture = item.inline and item.media_type.startswith("image/") and item.size < 10_000
    return small_picture or item.media_type.startswith(_DECORATION)


def _describes(text: str, kinds: set[str]) -> bool:
    words = len(text.split(None, _LEAST_WORDS))
    return words > _LEAST_WORDS or (words >= _FEW_WORDS and bool(kinds & {"weakness", "cwe", "cve"}))


def _shows_steps(text: Text) -> bool:
    if any(pattern.found(text) for pattern in (_COMMAND, _CODE, _STEPS, _DOING)):
        return True
    return len(list(islice(_NUMBERED.matches(text), 2))) > 1


def _shows_by_link(facts: tuple[Fact, ...]) -> bool:
    """A link with its parameters is the step to take."""
    return any(fact.kind == "url" and "?" in fact.value and not _REFERENCES.match(fact.value) for fact in facts)


def _names_system(facts: tuple[Fact, ...]) -> bool:
    return any(
        fact.kind in ("host", "ip_address", "product") or (fact.kind == "url" and not _REFERENCES.match(fact.value))
        for fact in facts
    )


def _shows_evidence(text: Text) -> bool:
    return any(pattern.found(text) for pattern in (_COMMAND, _CODE, _TRACE, _SHOWN, _FRAME))
