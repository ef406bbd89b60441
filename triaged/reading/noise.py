"""How likely a report is spam, begging or a scanner's dump, with reasons. It sorts a queue; it rejects and hides nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

from triaged.message.model import Message
from triaged.reading.cues import Cued, Cues, Text, cued, cues
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
    phrases: Cues  # enough by themselves, wherever they stand
    patterns: tuple[Cued, ...]

    def holds(self, text: Text) -> bool:
        return text.holds(self.phrases) or any(pattern.found(text) for pattern in self.patterns)


def _rule(word: str, weight: float, phrases: str, *patterns: tuple[str, str]) -> _Rule:
    """Phrases with | between them, and (cues, pattern) pairs; all in small letters."""
    return _Rule(word, weight, cues(phrases), tuple(cued(*pair) for pair in patterns))


# Missing best practice, as lists of "bugs" for beginners have them. Weights were set by reading reports, not fitted.
_RULES = (
    _rule(
        "mail-authentication-record",
        2.5,
        "v=spf1|v=dmarc1|fake mailer|emkei|mxtoolbox",
        (
            "spf|dmarc|dkim|mta-sts|bimi|caa",
            r"\b(?:spf|dmarc|dkim|mta-sts|bimi|caa)\b[^.\n]{0,60}\b(?:record|policy|missing|not (?:found|enabled"
            r"|set|configured|valid)|misconfig)"
            r"|\b(?:no|missing|invalid|weak|lack of|without)\b[^.\n]{0,30}\b(?:spf|dmarc|dkim|caa)\b",
        ),
        ("mail spoof", r"\be?mail spoof"),
    ),
    _rule("clickjacking", 2.0, "clickjack|click-jack|click jack|x-frame-options|ui redress"),
    _rule(
        "missing-headers",
        1.8,
        "security header missing|security headers missing|security header is missing|security headers is missing"
        "|security header are missing|security headers are missing|strict-transport-security|x-xss-protection",
        (
            "security header|hsts|strict-transport|content-security-policy|csp|x-content|x-xss|x-frame",
            r"(?:missing|lack of|no|without|not (?:set|implemented|present))[^.\n]{0,40}(?:security headers?|hsts"
            r"|strict-transport|content-security-policy|\bcsp\b|x-(?:content|xss|frame))"
            r"|security headers? (?:are |is )?not",
        ),
    ),
    _rule(
        "rate-limit",
        2.0,
        "mail bomb|mail flood|account lockout",
        (
            "rate limit|rate-limit|ratelimit",
            r"\b(?:no|missing|lack(?:s|ing)?(?: of)?|without|absence of|bypass|lenient|not)\b[^.\n]{0,30}\brate[- ]?limit"
            r"|rate[- ]?limit(?:ing|s)?\b[^.\n]{0,40}\b(?:missing|bypass|not |lenient|absent|too|is a process)",
        ),
        ("mass mailing", r"\bmass mailing"),
    ),
    _rule(
        "cookie-flags",
        1.8,
        "",
        (
            "httponly|http only|secure flag|without secure|without http|samesite",
            r"cookies?\b[^.\n]{0,60}\b(?:httponly|http only|secure flag|without (?:secure|samesite|http)|samesite)",
        ),
    ),
    _rule("autocomplete", 1.8, "", ("autocomplete", r"\bautocomplete\b[^.\n]{0,40}\b(?:enabled|not disabled|on)\b")),
    _rule(
        "banner",
        1.5,
        "banner grabbing",
        (
            "disclos|fingerprint|leak|reveal",
            r"(?:server|version|banner)\b[^.\n]{0,30}\b(?:disclos|fingerprint|leak|reveal)",
        ),
        ("options method|trace method", r"\b(?:options|trace) method"),
        ("method enabled|methods enabled", r"http methods? enabled"),
    ),
    _rule("xmlrpc", 1.5, "wp-cron.php|wp-json/wp/v2/users|readme.html", ("xmlrpc|xml-rpc", r"\bxml-?rpc\b")),
    _rule("directory-listing", 1.2, "directory listing|directory browsing|directory indexing"),
    _rule(
        "session-hygiene",
        1.5,
        "password policy|no email verification|no e-mail verification|without verif|without email verif"
        "|concurrent session|concurrent login",
        (
            "expir|not invalidat|not destroy|still valid|remain valid|remains valid|remain active|remains active",
            r"\b(?:session|cookie|token|link)s?\b[^.\n]{0,50}\b(?:not (?:expir|invalidat|destroy)"
            r"|does ?n[o']t expire|still valid|remains? (?:valid|active)|expir)",
        ),
        (
            "password reset link|password reset token",
            r"password reset (?:link|token)s?\b[^.\n]{0,40}\b(?:expir|not|referer|referrer)",
        ),
        ("old session|old password", r"old (?:session|password)s?\b[^.\n]{0,30}(?:valid|expire)"),
    ),
    _rule(
        "tls-settings",
        1.5,
        "",
        (
            "ssl2|ssl3|sslv2|sslv3|tls1|tlsv1|tls 1|tls v1|weak cipher|breach|beast|poodle|lucky13|crime attack|ssl labs|ssllabs",
            r"\b(?:sslv?[23]|tls ?v?1\.[01]|weak ciphers?|breach|beast|poodle|lucky13|crime attack|ssl labs|ssllabs)\b",
        ),
    ),
    _rule(
        "tabnabbing-and-kin",
        1.2,
        "tabnabbing|noopener|broken link hijack|self-xss|self xss|text injection|content spoofing|homograph|idn homo|exif",
    ),
    _rule(
        "captcha",
        0.8,
        "captcha missing|captcha bypass|captcha is missing|captcha is bypass",
        ("captcha", r"\b(?:no|missing|lack of|without|bypass) captcha"),
    ),
    _rule(
        "user-enumeration",
        0.9,
        "email enumerat",
        ("enumerat", r"\buser(?:name)?s? enumerat|enumerat\w* users?"),
    ),
    _rule(
        "asks-for-money",
        2.5,
        "",
        (
            "you pay|you offer|you give|you provide|you have a|you have bount|you have bug bount",
            r"\b(?:do|did|will|would) you (?:pay|offer|give|provide|have (?:a |any )?(?:bug )?bount)",
        ),
        (
            "bount|reward|swag|compensation|token of appreciation|payment|gift",
            r"\bbount(?:y|ies)\b[^.\n]{0,30}\?|\bany (?:bounty|reward|swag)"
            r"|(?:hope|expect|waiting|looking forward|deserve|appreciate)[^.\n]{0,60}\b(?:bount|reward|swag"
            r"|compensation|token of appreciation|payment|gift)",
        ),
        (
            "monetary|paypal|bitcoin|btc address|western union|upi id",
            r"\b(?:monetary|paypal|bitcoin|btc address|western union|upi id)\b",
        ),
    ),
    _rule(
        "holds-details-back",
        2.0,
        "before i share|before i disclose|before i send|before i report|before i submit|contact us for pricing"
        "|full report please",
        (
            "you confirm|you agree|you reply|you pay",
            r"(?:once|after|if) you (?:confirm|agree|reply|pay)[^.\n]{0,40}(?:share|send|details|poc)",
        ),
        (
            "will send|will share",
            r"will (?:send|share) (?:the |you )?(?:full |complete )?(?:report|details|poc)",
        ),
    ),
    _rule(
        "form-letter",
        1.0,
        "ethical hacker|white hat|whitehat|bug hunter|bug bounty hunter|waiting for your response|waiting for your reply"
        "|waiting for your positive response|waiting for your positive reply",
        (
            "dear |hi |hello |respected ",
            r"\b(?:dear|hi|hello|respected) (?:sir|madam|sir/madam|security team|team|admin|webmaster|concern)",
        ),
        (
            "security researcher|security tester|security analyst",
            r"i am (?:a|an) (?:independent )?security (?:researcher|tester|analyst)",
        ),
        (
            "found a |found some |found this |found multiple |found the ",
            r"found (?:a|some|this|multiple|the) "
            r"(?:critical )?(?:bug|vulnerabilit)\w* (?:in|on|called|on your|in your) ?(?:your)? ?(?:web)?",
        ),
    ),
    _rule(
        "textbook-definition",
        1.0,
        "for more information|for more details|for more :|high level fix|best practice|is an attack that|is an exploit that"
        "|is an attack in which|is an exploit in which|is an attack where|is an exploit where|owasp top|owasp benchmark",
        (
            "is a malicious |is a technique|is a type of attack|is a vulnerability|is a process",
            r"is a (?:malicious )?(?:technique|type of attack|vulnerability|process)\b[^.\n]{0,60}\b(?:that|of"
            r"|which|where|in which|used)",
        ),
        ("owasp a", r"owasp a\d"),
    ),
    _rule(
        "scanner-dump",
        1.5,
        "",
        (
            "[+]|[!]|[info]|[low]|[medium]|[high]",
            r"^\s{0,6}\[(?:\+|!|info|low|medium|high)\].*\n(?:.*\n){0,3}?\s{0,6}\[(?:\+|!|info|low|medium|high)\]",
        ),
    ),
    _rule(
        "scanner-name",
        0.8,
        "",
        (
            "nessus|acunetix|netsparker|nikto|openvas|qualys|burp scan|zap scan|zap report|nuclei|automated scan"
            "|our scanner|scan result",
            r"\b(?:nessus|acunetix|netsparker|nikto|openvas|qualys|burp (?:scanner|scan)|zap (?:scan|report)|nuclei"
            r"|automated scan|our scanner|scan results?)\b",
        ),
    ),
    _rule(
        "marketing",
        2.0,
        "unsubscribe|book a demo|schedule a call|our platform helps|boost your|special offer",
        ("seo", r"\bseo\b"),
    ),
    # Against it: what only somebody who looked can say.
    _rule(
        "crash-trace",
        -2.5,
        "addresssanitizer|call trace:|kasan|traceback (most|segfault|core dumped",
        ("0x", r"^\s{0,8}#\d{1,3}\s{1,3}0x"),
        ("gdb", r"\bgdb\b"),
    ),
    _rule(
        "request-or-answer",
        -0.8,
        "root:x:0",
        ("http/", r"^\s{0,8}(?:post|put|delete|patch|get) \S{1,2000} http/|^http/\d(?:\.\d)? \d{3}"),
        ("uid=", r"\buid=\d"),
    ),
    _rule(
        "shown-harm",
        -1.5,
        "account takeover|account take over|take over|takes over|move money|moves money|escalat",
        (
            "other user|other customer|other account|another user|another customer|another account|user b|account b|victim"
            "|somebody else",
            r"\b(?:other (?:users?|customers?|accounts?)|another (?:user|customer|account)|user b|account b"
            r"|victim'?s?|somebody else)\b",
        ),
        (
            "without auth|without logging in|without credentials",
            r"\bwithout (?:authentication|authori[sz]ation|logging in|credentials)",
        ),
    ),
    _rule(
        "source-line",
        -1.0,
        "",
        # The full stop first: it is found faster than what must stand before it.
        (
            ".",
            r"\.(?<=[\w-]\.)(?:c|cc|cpp|h|py|js|ts|go|rs|java|php|rb|cs|kt|swift)(?::| line | \(line )\d{1,6}",
        ),
        ("commit ", r"\bcommit [0-9a-f]{7,40}\b"),
    ),
    _rule(
        "own-accounts",
        -0.8,
        "",
        (
            "my account|our account|own account|two account|test account",
            r"\b(?:my|our) (?:own )?(?:two )?(?:test )?accounts?\b",
        ),
        ("i stopped|i deleted|i did not|i have not", r"\bi (?:stopped|deleted|did not|have not)\b"),
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
    read = Text.of(text)
    hits = [(rule.word, rule.weight) for rule in _RULES if rule.holds(read)]
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
