"""How likely a report is spam, begging or a scanner's dump, with reasons. It sorts a queue; it rejects and hides nothing."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from triaged.message.model import Message
from triaged.reading.facts_model import Fact, said, words

_MOST_TEXT = 20_000  # characters: what noise there is shows early


@dataclass(frozen=True, slots=True)
class Noise:
    """From 0.0 (nothing speaks for noise) to 1.0, and the words of the rules that spoke for or against it."""

    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rule:
    word: str
    weight: float  # of evidence for noise; below zero, of evidence against it
    pattern: re.Pattern[str]


def _rule(word: str, weight: float, pattern: str) -> _Rule:
    return _Rule(word, weight, re.compile(pattern, re.I | re.M))


# Missing best practice, as lists of "bugs" for beginners have them. Weights were set by reading reports, not fitted.
_RULES = (
    _rule(
        "mail-authentication-record",
        2.5,
        r"\b(?:spf|dmarc|dkim|mta-sts|bimi|caa)\b[^.\n]{0,60}\b(?:record|policy|missing|not (?:found|enabled"
        r"|set|configured|valid)|misconfig)"
        r"|\b(?:no|missing|invalid|weak|lack of|without)\b[^.\n]{0,30}\b(?:spf|dmarc|dkim|caa)\b|v=spf1"
        r"|v=dmarc1|fake mailer|emkei|mxtoolbox"
        r"|\be?mail spoof",
    ),
    _rule("clickjacking", 2.0, r"click[- ]?jack|x-frame-options|ui redress"),
    _rule(
        "missing-headers",
        1.8,
        r"(?:missing|lack of|no|without|not (?:set|implemented|present))[^.\n]{0,40}(?:security headers?|hsts"
        r"|strict-transport|content-security-policy"
        r"|\bcsp\b|x-(?:content|xss|frame))|security headers? (?:are |is )?(?:missing|not)"
        r"|strict-transport-security|x-xss-protection",
    ),
    _rule(
        "rate-limit",
        2.0,
        r"\b(?:no|missing|lack(?:s|ing)?(?: of)?|without|absence of|bypass|lenient"
        r"|not)\b[^.\n]{0,30}\brate[- ]?limit|rate[- ]?limit(?:ing|s)?\b"
        r"[^.\n]{0,40}\b(?:missing|bypass|not |lenient|absent|too|is a process)|e?mail (?:bomb|flood)"
        r"|\bmass mailing|account lockout",
    ),
    _rule(
        "cookie-flags",
        1.8,
        r"cookies?\b[^.\n]{0,60}\b(?:httponly|http only|secure flag|without (?:secure"
        r"|samesite|http)|samesite)",
    ),
    _rule("autocomplete", 1.8, r"\bautocomplete\b[^.\n]{0,40}\b(?:enabled|not disabled|on)\b"),
    _rule(
        "banner",
        1.5,
        r"(?:server|version|banner)\b[^.\n]{0,30}\b(?:disclos|fingerprint|leak|reveal)|banner grabbing"
        r"|\boptions method|\btrace method|http methods? enabled",
    ),
    _rule("xmlrpc", 1.5, r"\bxml-?rpc\b(?:\.php)?|wp-cron\.php|wp-json/wp/v2/users|readme\.html"),
    _rule("directory-listing", 1.2, r"directory (?:listing|browsing|indexing)"),
    _rule(
        "session-hygiene",
        1.5,
        r"\b(?:session|cookie|token|link)s?\b[^.\n]{0,50}\b(?:not (?:expir|invalidat|destroy)"
        r"|does ?n[o']t expire|still valid|remains? (?:valid|active)|expir)"
        r"|password reset (?:link|token)s?\b[^.\n]{0,40}\b(?:expir|not|referer|referrer)|(?:weak|no"
        r"|poor) password policy|password policy"
        r"|old (?:session|password)s?\b[^.\n]{0,30}(?:valid|expire)|no (?:email|e-mail) verification"
        r"|without (?:email )?verif|concurrent (?:session|login)s?",
    ),
    _rule(
        "tls-settings",
        1.5,
        r"\b(?:sslv?[23]|tls ?v?1\.[01]|weak ciphers?|breach|beast|poodle|lucky13|crime attack|ssl labs|ssllabs)\b",
    ),
    _rule(
        "tabnabbing-and-kin",
        1.2,
        r"tabnabbing|noopener|broken link hijack|self[- ]xss|text injection|content spoofing|homograph|idn homo|exif",
    ),
    _rule("captcha", 0.8, r"\b(?:no|missing|lack of|without|bypass) captcha|captcha (?:is )?(?:missing|bypass)"),
    _rule("user-enumeration", 0.9, r"\buser(?:name)?s? enumerat|enumerat\w* users?|email enumerat"),
    _rule(
        "asks-for-money",
        2.5,
        r"\b(?:do|did|will|would) you (?:pay|offer|give|provide|have (?:a |any )?(?:bug )?bount)|\bbount(?:y"
        r"|ies)\b[^.\n]{0,30}\?|\bany (?:bounty|reward|swag)"
        r"|(?:hope|expect|waiting|looking forward|deserve|appreciate)[^.\n]{0,60}\b(?:bount|reward|swag"
        r"|compensation|token of appreciation|payment|gift)"
        r"|\b(?:monetary|paypal|bitcoin|btc address|western union|upi id)\b",
    ),
    _rule(
        "holds-details-back",
        2.0,
        r"before I (?:share|disclose|send|report|submit)|(?:once|after|if) you (?:confirm|agree|reply"
        r"|pay)[^.\n]{0,40}(?:share|send|details|poc)"
        r"|will (?:send|share) (?:the |you )?(?:full |complete )?(?:report|details|poc)|contact us for pricing"
        r"|full report please",
    ),
    _rule(
        "form-letter",
        1.0,
        r"\b(?:dear|hi|hello|respected) (?:sir|madam|sir/madam|security team|team|admin|webmaster|concern)"
        r"|ethical hacker|white ?hat|bug (?:bounty )?hunter"
        r"|I am (?:a|an) (?:independent )?security (?:researcher|tester|analyst)"
        r"|waiting for your (?:positive )?(?:response|reply)|found (?:a|some|this|multiple|the) "
        r"(?:critical )?(?:bug|vulnerabilit)\w* (?:in|on|called|on your|in your) ?(?:your)? ?(?:web)?",
    ),
    _rule(
        "textbook-definition",
        1.0,
        r"is a (?:malicious )?(?:technique|type of attack|vulnerability|process)\b[^.\n]{0,60}\b(?:that|of"
        r"|which|where|in which|used)|owasp (?:top|benchmark|a\d)"
        r"|is an (?:attack|exploit) (?:that|in which|where)|for more (?:information|details|:)|high level fix"
        r"|best practice",
    ),
    _rule(
        "scanner-dump",
        1.5,
        r"^\s{0,6}\[(?:\+|!|info|low|medium|high)\].*\n(?:.*\n){0,3}?\s{0,6}\[(?:\+|!|info|low|medium|high)\]",
    ),
    _rule(
        "scanner-name",
        0.8,
        r"\b(?:nessus|acunetix|netsparker|nikto|openvas|qualys|burp (?:scanner|scan)|zap (?:scan|report)|nuclei"
        r"|automated scan|our scanner|scan results?)\b",
    ),
    _rule(
        "marketing", 2.0, r"unsubscribe|book a demo|schedule a call|our platform helps|boost your|\bSEO\b|special offer"
    ),
    # Against it: what only somebody who looked can say.
    _rule(
        "crash-trace",
        -2.5,
        r"AddressSanitizer|Call Trace:|KASAN|Traceback \(most|segfault|^\s{0,8}#\d{1,3}\s{1,3}0x|core dumped|\bgdb\b",
    ),
    _rule(
        "request-or-answer",
        -0.8,
        r"^\s{0,8}(?:POST|PUT|DELETE|PATCH|GET) \S{1,2000} HTTP/|^HTTP/\d(?:\.\d)? \d{3}|\buid=\d|root:x:0",
    ),
    _rule(
        "shown-harm",
        -1.5,
        r"\b(?:other (?:users?|customers?|accounts?)|another (?:user|customer|account)|user B|account B"
        r"|victim'?s?|somebody else)\b[^.\n]{0,80}"
        r"|\bwithout (?:authentication|authori[sz]ation|logging in|credentials)|account take ?over|takes? over"
        r"|moves? money|escalat",
    ),
    _rule(
        "source-line",
        -1.0,
        r"[\w-]\.(?:c|cc|cpp|h|py|js|ts|go|rs|java|php|rb|cs|kt|swift)(?::| line | \(line )\d{1,6}|\bcommit [0-9a-f]{7,40}\b",
    ),
    _rule(
        "own-accounts",
        -0.8,
        r"\b(?:my|our) (?:own )?(?:two )?(?:test )?accounts?\b|\bI (?:stopped|deleted|did not|have not)\b",
    ),
)
_GRAVE = words(
    "CWE-89 CWE-78 CWE-94 CWE-22 CWE-918 CWE-611 CWE-502 CWE-639 CWE-862 CWE-863 CWE-287 CWE-416 CWE-476 CWE-120 CWE-121 CWE-122"
    " CWE-125 CWE-787 CWE-190 CWE-415 CWE-269 CWE-79 CWE-444 CWE-1321 CWE-798 CWE-434 CWE-1336 CWE-843 CWE-362"
)
_START = -2.2  # log-odds of noise before anything is read


def noise(message: Message, facts: tuple[Fact, ...], seen_before: int = 0) -> Noise:
    """The score and its reasons; `seen_before`: how many earlier messages of others held the same text."""
    text = f"{message.subject}\n{said(message)[:_MOST_TEXT]}"
    hits = [(rule.word, rule.weight) for rule in _RULES if rule.pattern.search(text)]
    hits += _of_message(message, text) + _of_facts(facts)
    if seen_before:
        hits.append(("same-text-before", 1.5 + min(seen_before, 10) / 5))
    odds = _START + sum(weight for _, weight in hits)
    reasons = tuple(word if weight > 0 else f"against: {word}" for word, weight in hits)
    return Noise(round(1 / (1 + math.exp(-odds)), 3), reasons)


def _of_message(message: Message, text: str) -> list[tuple[str, float]]:
    hits = [("server-says-spam", 3.0)] if message.spam else []
    length = len(text.split(None, 120))
    return [*hits, ("short", 0.6)] if length < 60 and message.encrypted is None else hits


def _of_facts(facts: tuple[Fact, ...]) -> list[tuple[str, float]]:
    """A grave weakness, a score or a known number named is a claim that can be checked."""
    named = {fact.value for fact in facts if fact.kind in ("weakness", "cwe")}
    kinds = {fact.kind for fact in facts}
    hits = [("checkable-weakness", -1.2)] if named & _GRAVE else []
    if "tester_ip_address" in kinds:
        hits.append(("names-own-address", -0.8))
    if kinds & {"product", "cve"}:
        hits.append(("names-version-or-number", -0.4))
    return hits
