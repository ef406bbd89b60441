"""URLs, hosts and IP addresses in a report, defanged ones too; which are the tester's own. Never resolves or fetches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import islice

from triaged.reading.cues import MOST_MATCHES, Text, cued, cues, matches
from triaged.reading.facts_model import Fact, sentence
from triaged.reading.facts_names import is_host

_DOT = r"(?:\.|\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)|\{dot\}| \[\.\] | \[dot\] | \(dot\) )"
_DEFANGED = re.compile(r" ?[\[({](?:\.|dot)[\])}] ?", re.I)
_DEFANGED_DOTS = cues("[.]|(.)|{.}|[dot]|(dot)|{dot}")
_URL = cued(
    "//",
    r"(?<![a-z0-9])(h[tx*]{2}ps?|f[tx]ps?|wss?|ldaps?|sftp|ssh|smb)(\[://\]|\[?:\]?//)"
    r"([^\s<>\"`|\\^\u201c\u201d\u2018\u2019\u300c\u300d\u3001\u3002\uff0c\uff1b\uff09]{1,2000})",
)
_AUTHORITY = re.compile(r"(?:[^/?#@]{0,200}@)?(\[[0-9a-f:.%]{2,60}\]|[^/?#:@]{1,255})(?::\d{0,5})?(?=[/?#]|$)", re.I)
_NAME = re.compile(r"[^\W_](?:[\w-]*)(?:\.[\w-]+)*\.?$")
_BRACKET = re.compile(r"[()\[\]]")
_HTML_END = re.compile(r"&(?:quot|gt|lt|#39);")
_NAMESPACES = ("www.w3.org", "schemas.xmlsoap.org", "schemas.microsoft.com", "schemas.openxmlformats.org")
_MAIL = cued("@", r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z][\w-]{1,62}")
_DOTTED = re.compile(rf"(?<![\w.-])[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,9}}")
_PLAIN_DOT = re.compile(r"\.(?=[\w-])")
_LABEL_BEFORE = re.compile(r"[\w-]{1,63}$")
_HOST_FIELD = cued("host:", r"^[ \t>*'\"-]{0,10}(?:-h ['\"])?host:[ \t]*([a-z0-9][\w.-]{2,250})(?=[:\s'\"]|$)")
_SPELT_AT = ("at)", "at]", "at}", "at>")  # somebody (at) host (dot) org
_IPV4 = re.compile(rf"(?<![\w.])\d{{1,3}}(?:{_DOT}\d{{1,3}}){{3}}(?!\w|\.?\d)")
_IPV4_DOT = re.compile(r"\.[0-9](?<=\d\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:]|\.\d)")
_IPV6_COLONS = re.compile(r":[0-9a-f]{0,4}:")
# "version 1.6.2.0", "v5.0.1.2", "Chrome/98.0.4758.102": four numbers that are no address.
_VERSION_BEFORE = re.compile(
    r"(?:\b(?:versions?|ver|build|firmware|release|drivers?)\b\.?[ \t:=]{0,4}v?|\bv|[a-z]/|[<>=]=?[ \t]?)$", re.I
)

# Words of which one stands in whatever _TESTER_BEFORE matches.
_TESTING = cues("ip|address|vps|scanner|test|traffic|requests|scans|used")
_TESTER_BEFORE = re.compile(
    r"\b(?:my|our|own)\b[^.\n]{0,40}\b(?:ips?|address(?:es)?|vps|scanners?)\b|\btest(?:ed|ing|s)?\b[^.]{0,40}\bfrom\b"
    r"|\bsource (?:ips?|address(?:es)?)\b|\btester(?:'s)? (?:ips?|address)|\b(?:ips?"
    r"|address(?:es)?)\b[^.]{0,20}\bused\b"
    r"|\b(?:i|we|scanners|team) (?:have )?used (?:the )?(?:following )?(?:ips?|address(?:es)?)"
    r"|\bresearcher(?:'s)? ips?\b|\b(?:traffic|requests|scans?|tests?) (?:came|come|will come|were sent"
    r"|originated) from\b"
    r"|\bmeine[rn]? (?:eigene[rn]? )?ip|\bgetestet\b[^.]{0,60}\bvon\b|\btests?\b[^.]{0,40}\bvon (?:der )?ip"
    r"|\b(?:mon|mes|nos|notre)\b[^.]{0,20}\bip|\bdepuis (?:l'|mon |cette )?(?:adresse|ip)|\b(?:mi|mis"
    r"|nuestra) (?:direcci[oó]n )?ip"
    r"|\b(?:il )?mio (?:indirizzo )?ip|\bmijn ip|\bmeu (?:endere[cç]o )?ip|\bmój (?:adres )?ip|\bмой ip"  # noqa: RUF001
    r"|\bс ip"  # noqa: RUF001
    r"|我的\s?ip|测试\s?ip|来源\s?ip|내 ip|私のip",
    re.I,
)
_TESTER_AFTER = re.compile(
    r"[\s)]{0,3}(?:(?:is|was|are|were|being)\b[^.\n]{0,20}\b(?:my|our|mine|ours)\b|\((?:my|our|mine|me)\b"
    r"|(?:ist|war) (?:meine|unsere)\b|[^.\n]{0,3}\(?(?:meine|mon|mi) ip\b)",
    re.I,
)
_LIST_GAP = re.compile(r"[\s,;&/+]{0,6}(?:and|und|et|y|e|en|or)?[\s,;&/+]{0,6}$")


def links(text: Text) -> list[Fact]:
    """`url` facts, refanged."""
    found = []
    for match in _URL.matches(text):
        first = match.start(3)
        rest = _ended(text.text[first : match.end()], text.text[match.start() - 1 : match.start()])
        plain = _refanged(rest)
        authority = _AUTHORITY.match(plain)
        if authority is None or not _names_a_server(authority[1]):
            continue
        if not authority[1].lower().startswith(_NAMESPACES):
            scheme = match[1].replace("x", "t").replace("*", "t")
            found.append(Fact("url", f"{scheme}://{plain}", (match.start(), first + len(rest))))
    return found


def without_links(text: Text, found: list[Fact]) -> Text:
    """The text with these URLs and its mail addresses blanked: their words are no prose."""
    rest = text.without(fact.at for fact in found)
    return rest.without(match.span() for match in _MAIL.matches(rest))


def systems(prose: Text) -> list[Fact]:
    """`host`, `ip_address` and `tester_ip_address` facts; `prose` has its links blanked: what is within is the URL's."""
    return [*_hosts(prose), *_addresses(prose)]


def _ended(run: str, opener: str) -> str:
    """Where the URL ends within a run of characters: before a closing bracket that it did not open, or its mark."""
    if opener == "'":
        run = run.split("'", 1)[0]
    if (cut := _HTML_END.search(run)) is not None:
        run = run[: cut.start()]
    depth = {")": 0, "]": 0}
    for bracket in _BRACKET.finditer(run):
        if bracket[0] in "([":
            depth[")" if bracket[0] == "(" else "]"] += 1
            continue
        depth[bracket[0]] -= 1
        if depth[bracket[0]] < 0:
            run = run[: bracket.start()]
            break
    return run.rstrip(".,;:!?'*_~")


def _refanged(text: str) -> str:
    return _DEFANGED.sub(".", text) if "." in text or "dot" in text.lower() else text


def _names_a_server(host: str) -> bool:
    if host.startswith("["):
        return _address(host[1:-1]) is not None
    return _NAME.match(host) is not None


def _hosts(text: Text) -> list[Fact]:
    found = [
        Fact("host", match[1], match.span(1))
        for match in _HOST_FIELD.matches(text)
        if "." in match[1] and _address(match[1]) is None
    ]
    for match in _dotted(text):
        before, after = text.text[max(0, match.start() - 5) : match.start()], text.text[match.end() : match.end() + 1]
        written = text.written(match.span())
        name = _refanged(written)
        if not before.rstrip().lower().endswith(_SPELT_AT) and is_host(name, before, after, defanged=name != written):
            found.append(Fact("host", name.lower(), match.span()))
    return found


def _dotted(text: Text) -> Iterable[re.Match[str]]:
    """Dotted words; where no full stop is defanged, they are looked for where one stands."""
    return (
        matches(_DOTTED, text.small) if text.holds(_DEFANGED_DOTS) else islice(_around_dots(text.small), MOST_MATCHES)
    )


def _around_dots(text: str) -> Iterator[re.Match[str]]:
    end = 0
    for dot in _PLAIN_DOT.finditer(text):
        label = _LABEL_BEFORE.search(text, max(end, dot.start() - 63), dot.start()) if dot.start() > end else None
        if label is not None and (match := _DOTTED.match(text, label.start())) is not None:
            end = match.end()
            yield match


def _addresses(text: Text) -> list[Fact]:
    fourth = _IPV4_DOT.search(text.small) is not None or text.holds(_DEFANGED_DOTS)
    sixth = _IPV6_COLONS.search(text.small) is not None
    candidates = [*(matches(_IPV4, text.small) if fourth else ()), *(matches(_IPV6, text.small) if sixth else ())]
    found: list[Fact] = []
    for match in sorted(candidates, key=lambda match: match.start()):
        address = _address(_refanged(match[0]))
        if address is None or not _names_a_system(address, match[0]) or _is_version(text.text, match.start()):
            continue
        kind = "tester_ip_address" if _is_testers(text, match.span(), found) else "ip_address"
        found.append(Fact(kind, str(address), match.span()))
    testers = {fact.value for fact in found if fact.kind == "tester_ip_address"}
    return [fact for fact in found if fact.kind != "ip_address" or fact.value not in testers]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _names_a_system(address: IPv4Address | IPv6Address, written: str) -> bool:
    """Loopback and the unspecified address name no system; "dead::beef" may be a name of C++."""
    if address.is_loopback or address.is_unspecified or str(address) == "255.255.255.255":
        return False
    return ":" not in written or (sum(map(bool, written.split(":"))) > 2 and any(map(str.isdigit, written)))


def _is_version(text: str, start: int) -> bool:
    return _VERSION_BEFORE.search(text[max(0, start - 16) : start]) is not None


def _is_testers(text: Text, at: tuple[int, int], earlier: list[Fact]) -> bool:
    """ "Tested from A, B and C": what follows one of the tester's addresses in a list is another."""
    before, after = sentence(text.text, *at)
    if _TESTER_AFTER.match(after):
        return True
    last = earlier[-1] if earlier else None
    if last is not None and at[0] - last.at[1] < 20 and _LIST_GAP.match(text.text[last.at[1] : at[0]]):
        return last.kind == "tester_ip_address"
    return text.holds(_TESTING) and _TESTER_BEFORE.search(before) is not None
