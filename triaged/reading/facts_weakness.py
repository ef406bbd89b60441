"""The class of weakness that a report names, as a CWE number: a table of terms. Judges no code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from triaged.reading.cues import Text, cued
from triaged.reading.facts_model import Fact

_NONE = ""  # words that hold a term and mean something else

# CWE: the terms people write, words only; hyphens, case and spacing do not matter. The longest term at a place counts.
_TERMS = {
    "CWE-20": "improper input validation|insufficient input validation",
    "CWE-22": "path traversal|directory traversal|dot dot slash|zip slip|traversée de répertoire|pfadtraversal"
    "|arbitrary file read|arbitrary file download|recorrido de directorios|verzeichnis traversal",
    "CWE-59": "symlink attack|link following|symlink following",
    "CWE-73": "arbitrary file deletion|arbitrary file delete|delete an arbitrary file|delete arbitrary files"
    "|arbitrary file clearing|arbitrary file overwrite|arbitrary file write",
    "CWE-78": "os command injection|command injection|shell injection|befehlsinjektion|injection de commandes",
    "CWE-79": "xss|cross site scripting|cross site script|html injection|script injection|跨站脚本",
    "CWE-89": "sql injection|sqli|injection sql|inyección sql|sql einschleusung|sql注入|SQLインジェクション",
    "CWE-90": "ldap injection",
    "CWE-93": "crlf injection",
    "CWE-94": "remote code execution|rce|code injection|arbitrary code execution|execute arbitrary code"
    "|execution of arbitrary code|codeausführung|exécution de code|ejecución remota de código|远程代码执行",
    "CWE-98": "local file inclusion|lfi|remote file inclusion|rfi|file inclusion",
    "CWE-113": "response splitting|header injection",
    "CWE-117": "log injection|log forging",
    "CWE-120": "buffer overflow|buffer overrun|pufferüberlauf|缓冲区溢出",
    "CWE-121": "stack buffer overflow|stack based buffer overflow|stack overflow vulnerability",
    "CWE-122": "heap buffer overflow|heap based buffer overflow|heap overflow",
    "CWE-125": "out of bounds read|oob read|buffer over read|buffer overread|heap over read",
    "CWE-134": "format string|uncontrolled format string",
    "CWE-190": "integer overflow",
    "CWE-191": "integer underflow",
    "CWE-200": "information disclosure|information leak|information leakage|information exposure|info leak"
    "|sensitive data exposure|data leak|data leakage|informationsoffenlegung",
    "CWE-269": "privilege escalation|escalation of privileges|elevation of privilege|rechteausweitung",
    "CWE-284": "broken access control|improper access control",
    "CWE-287": "authentication bypass|auth bypass|improper authentication|login bypass|bypass authentication",
    "CWE-290": "email spoofing|mail spoofing",
    "CWE-295": "certificate validation|certificate verification",
    "CWE-306": "missing authentication|no authentication|without authentication|unauthenticated access",
    "CWE-307": "brute force|bruteforce|brute forcing",
    "CWE-312": "stored in cleartext|stored in plaintext|plaintext passwords|cleartext storage",
    "CWE-319": "cleartext transmission|sent in cleartext|sent in plaintext|unencrypted connection",
    "CWE-326": "weak encryption|small key",
    "CWE-327": "weak cipher|weak ciphers|broken crypto|weak cryptography|md5 signature|padding oracle",
    "CWE-330": "predictable|insufficient randomness|weak randomness|guessable token",
    "CWE-331": "insufficient entropy",
    "CWE-347": "signature bypass|signature verification bypass|alg none",
    "CWE-349": "cache poisoning|web cache deception",
    "CWE-352": "csrf|xsrf|cross site request forgery|falsification de requête",
    "CWE-362": "race condition|wettlaufsituation",
    "CWE-367": "toctou|time of check",
    "CWE-384": "session fixation",
    "CWE-400": "denial of service|dos|resource exhaustion|uncontrolled resource consumption|dienstverweigerung",
    "CWE-401": "memory leak",
    "CWE-415": "double free",
    "CWE-416": "use after free|uaf",
    "CWE-427": "dll hijacking|dll side loading",
    "CWE-428": "unquoted service path",
    "CWE-434": "unrestricted file upload|arbitrary file upload|malicious file upload|upload of dangerous files",
    "CWE-444": "request smuggling",
    "CWE-476": "null pointer dereference|null ptr deref|null dereference|null pointer deref|null deref"
    "|nullpointer dereference",
    "CWE-502": "deserialization|deserialisation|insecure deserialization|unserialize|object injection|désérialisation",
    "CWE-521": "weak password policy|weak password requirements",
    "CWE-548": "directory listing|directory indexing|directory browsing",
    "CWE-601": "open redirect|open redirection|url redirection|unvalidated redirect|redirection ouverte",
    "CWE-611": "xxe|xml external entity|external entity injection",
    "CWE-613": "session does not expire|insufficient session expiration|session not invalidated",
    "CWE-614": "without secure flag|missing secure flag|without the secure flag",
    "CWE-639": "idor|insecure direct object reference|insecure direct object references|bola"
    "|broken object level authorization",
    "CWE-640": "weak password reset|password reset poisoning",
    "CWE-643": "xpath injection",
    "CWE-644": "host header injection|host header poisoning",
    "CWE-672": "subdomain takeover|dangling cname|dangling dns|subdomain hijacking",
    "CWE-732": "incorrect file permissions|insecure permissions|incorrect permissions|insecure file permissions"
    "|weak file permissions|world writable",
    "CWE-787": "out of bounds write|oob write|memory corruption",
    "CWE-798": "hardcoded credentials|hard coded credentials|hardcoded password|hard coded password|hardcoded key"
    "|hard coded key|hardcoded secret|hardcoded api key|exposed api key|fest codierte zugangsdaten",
    "CWE-799": "rate limit|rate limiting|rate limits|ratelimit|no rate limiting",
    "CWE-804": "captcha bypass|captcha|captchas",
    "CWE-843": "type confusion",
    "CWE-862": "missing authorization|missing authorisation|missing permission check|missing access control",
    "CWE-863": "incorrect authorization|improper authorization|authorization bypass",
    "CWE-908": "uninitialized memory|uninitialised memory|uninit value",
    "CWE-915": "mass assignment",
    "CWE-918": "ssrf|server side request forgery|falsificación de petición del lado del servidor",
    "CWE-942": "cors misconfiguration|permissive cors|insecure cors",
    "CWE-943": "nosql injection",
    "CWE-1004": "without httponly|missing httponly|httponly flag",
    "CWE-1021": "clickjacking|click jacking|ui redress|ui redressing|user interface redress",
    "CWE-1022": "tabnabbing|reverse tabnabbing",
    "CWE-1236": "csv injection|formula injection",
    "CWE-1275": "without samesite|missing samesite",
    "CWE-1321": "prototype pollution|__proto__",
    "CWE-1333": "redos|regular expression denial of service|catastrophic backtracking",
    "CWE-1336": "template injection|ssti",
    "CWE-1392": "default credentials|default password|default passwords",
    _NONE: "x xss protection|xss protection|anti csrf|anti csrf token|csrf protection|ms dos|dos attack vector"
    "|memory leak detector",
}
_WORD = re.compile(r"[^\W_]+")
# Fields, cookies and parameters that carry a protection's name: "X-CSRF-Token: ...", "XSRF-TOKEN=...".
_PROTECTION = cued("csrf|xsrf|x-", r"(?:x-)?\b[xc]srf[\w-]{0,30}['\"]?\s?[:=]|\bx-[\w-]{1,40}:")
# Written without spaces: found as they stand.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def _by_first_word() -> dict[str, tuple[tuple[tuple[str, ...], str], ...]]:
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for cwe, terms in _TERMS.items():
        for term in terms.split("|"):
            words = tuple(_WORD.findall(term.casefold()))
            found.setdefault(words[0], []).append((words, cwe))
    return {first: tuple(sorted(terms, key=lambda term: -len(term[0]))) for first, terms in found.items()}


_INDEX = _by_first_word()
_EASTERN = {term: cwe for cwe, terms in _TERMS.items() for term in terms.split("|") if _UNSPACED.search(term)}


def weaknesses(prose: Text) -> list[Fact]:
    """`weakness` facts, each class once, where it is first named; `prose` has its links blanked."""
    text = prose.without(match.span() for match in _PROTECTION.matches(prose))
    return [*_named(text), *(() if text.text.isascii() else _unspaced(text.text))]


def _named(prose: Text) -> Iterator[Fact]:
    terms = _possible(frozenset(_folded_words(prose.words)))
    firsts = _first_places(_folded_words(prose.text), terms) if terms else {}
    spans = [match.span() for match in islice(_WORD.finditer(prose.text), max(map(sum, firsts.values()), default=0))]
    for cwe, (place, length) in firsts.items():
        yield Fact("weakness", cwe, (spans[place][0], spans[place + length - 1][1]))


def _folded_words(text: str) -> list[str]:
    """Word by word: a letter that folds to two must not move the others."""
    return _WORD.findall(text.lower()) if text.isascii() else [word.casefold() for word in _WORD.findall(text)]


def _possible(words: frozenset[str]) -> dict[str, list[tuple[list[str], str]]]:
    """The terms all of whose words stand in the text, by their first."""
    found = {}
    for first in _INDEX.keys() & words:
        if terms := [(list(term), cwe) for term, cwe in _INDEX[first] if words.issuperset(term)]:
            found[first] = terms
    return found


def _first_places(words: list[str], terms: dict[str, list[tuple[list[str], str]]]) -> dict[str, tuple[int, int]]:
    """Class -> where it is first named and in how many words; what a term holds is no other term's."""
    found: dict[str, tuple[int, int]] = {}
    end = 0
    for place, word in enumerate(words):
        if place >= end and word in terms:
            length, cwe = _longest(words, place, terms[word])
            end = place + length
            if cwe:
                found.setdefault(cwe, (place, length))
    return found


def _longest(words: list[str], place: int, terms: list[tuple[list[str], str]]) -> tuple[int, str]:
    for term, cwe in terms:
        if words[place : place + len(term)] == term:
            return len(term), cwe
    return 0, _NONE


def _unspaced(prose: str) -> Iterator[Fact]:
    for term, cwe in _EASTERN.items():
        if (start := prose.find(term)) >= 0:
            yield Fact("weakness", cwe, (start, start + len(term)))
