"""URLs, hosts and IP addresses in a report, defanged ones too; which are the tester's own. Never resolves or fetches."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from triaged.reading.facts_model import Fact, blanked, matches, sentence
from triaged.reading.facts_names import is_host

_DOT = r"(?:\.|\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)|\{dot\}| \[\.\] | \[dot\] | \(dot\) )"
_DEFANGED = re.compile(r" ?[\[({](?:\.|dot)[\])}] ?", re.I)
_URL = re.compile(
    r"(?<![A-Za-z0-9])(h[tx*]{2}ps?|f[tx]ps?|wss?|ldaps?|sftp|ssh|smb)(\[://\]|\[?:\]?//)"
    r"([^\s<>\"`|\\^\u201c\u201d\u2018\u2019\u300c\u300d\u3001\u3002\uff0c\uff1b\uff09]{1,2000})",
    re.I,
)
_AUTHORITY = re.compile(r"(?:[^/?#@]{0,200}@)?(\[[0-9a-f:.%]{2,60}\]|[^/?#:@]{1,255})(?::\d{0,5})?(?=[/?#]|$)", re.I)
_NAME = re.compile(r"[^\W_](?:[\w-]*)(?:\.[\w-]+)*\.?$")
_HTML_END = re.compile(r"&(?:quot|gt|lt|#39);")
_NAMESPACES = ("www.w3.org", "schemas.xmlsoap.org", "schemas.microsoft.com", "schemas.openxmlformats.org")
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z][\w-]{1,62}")
_DOTTED = re.compile(rf"(?<![\w.-])[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,9}}", re.I)
_HOST_FIELD = re.compile(
    r"^[ \t>*'\"-]{0,10}(?:-H ['\"])?Host:[ \t]*([A-Za-z0-9][\w.-]{2,250})(?=[:\s'\"]|$)", re.I | re.M
)
_SPELT_AT = ("at)", "at]", "at}", "at>")  # somebody (at) host (dot) org
_IPV4 = re.compile(rf"(?<![\w.])\d{{1,3}}(?:{_DOT}\d{{1,3}}){{3}}(?!\w|\.?\d)", re.I)
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:]|\.\d)", re.I)
# "version 1.6.2.0", "v5.0.1.2", "Chrome/98.0.4758.102": four numbers that are no address.
_VERSION_BEFORE = re.compile(
    r"(?:\b(?:versions?|ver|build|firmware|release|drivers?)\b\.?[ \t:=]{0,4}v?|\bv|[a-z]/|[<>=]=?[ \t]?)$", re.I
)

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


def network(text: str) -> list[Fact]:
    """`url`, `host`, `ip_address` and `tester_ip_address` facts; an address within a URL is the URL's."""
    urls = _urls(text)
    rest = blanked(text, [fact.at for fact in urls])
    rest = blanked(rest, [found.span() for found in matches(_MAIL, rest)])
    return [*urls, *_hosts(rest), *_addresses(rest)]


def without_links(text: str) -> str:
    """The text with URLs and mail addresses blanked: their words are no prose."""
    rest = blanked(text, [fact.at for fact in _urls(text)])
    return blanked(rest, [found.span() for found in matches(_MAIL, rest)])


def _urls(text: str) -> list[Fact]:
    found = []
    for match in matches(_URL, text):
        opener = text[match.start() - 1 : match.start()]
        rest = _ended(match[3], opener)
        authority = _AUTHORITY.match(_refanged(rest))
        if authority is None or not _names_a_server(authority[1]):
            continue
        scheme = match[1].lower().replace("x", "t").replace("*", "t")
        value = f"{scheme}://{_refanged(rest)}"
        if not authority[1].lower().startswith(_NAMESPACES):
            found.append(Fact("url", value, (match.start(), match.start(3) + len(rest))))
    return found


def _ended(run: str, opener: str) -> str:
    """Where the URL ends within a run of characters: before a closing bracket that it did not open, or its mark."""
    if opener == "'":
        run = run.split("'", 1)[0]
    if (cut := _HTML_END.search(run)) is not None:
        run = run[: cut.start()]
    depth = {")": 0, "]": 0}
    for index, character in enumerate(run):
        if character in "([":
            depth[")" if character == "(" else "]"] += 1
        elif character in depth:
            depth[character] -= 1
            if depth[character] < 0:
                run = run[:index]
                break
    return run.rstrip(".,;:!?'*_~")


def _refanged(text: str) -> str:
    return _DEFANGED.sub(".", text)


def _names_a_server(host: str) -> bool:
    if host.startswith("["):
        return _address(host[1:-1]) is not None
    return _NAME.match(host) is not None


def _hosts(text: str) -> list[Fact]:
    found = [
        Fact("host", match[1].lower(), match.span(1))
        for match in matches(_HOST_FIELD, text)
        if "." in match[1] and _address(match[1]) is None
    ]
    for match in matches(_DOTTED, text):
        before, after = text[max(0, match.start() - 5) : match.start()], text[match.end() : match.end() + 1]
        name = _refanged(match[0])
        if not before.rstrip().lower().endswith(_SPELT_AT) and is_host(name, before, after, defanged=name != match[0]):
            found.append(Fact("host", name.lower(), match.span()))
    return found


def _addresses(text: str) -> list[Fact]:
    candidates = sorted([*matches(_IPV4, text), *matches(_IPV6, text)], key=lambda match: match.start())
    found: list[Fact] = []
    for match in candidates:
        address = _address(_refanged(match[0]))
        if address is None or not _names_a_system(address, match[0]) or _is_version(text, match.start()):
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


def _is_testers(text: str, at: tuple[int, int], earlier: list[Fact]) -> bool:
    """ "Tested from A, B and C": what follows one of the tester's addresses in a list is another."""
    before, after = sentence(text, *at)
    if _TESTER_AFTER.match(after):
        return True
    last = earlier[-1] if earlier else None
    if last is not None and at[0] - last.at[1] < 20 and _LIST_GAP.match(text[last.at[1] : at[0]]):
        return last.kind == "tester_ip_address"
    return _TESTER_BEFORE.search(before) is not None
