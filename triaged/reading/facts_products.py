"""Products with the version that a report states: "Magento 2.4.3", ims-client==1.4.2, nginx/1.18.0. Knows no catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator

from triaged.reading.cues import Text, cued, matches
from triaged.reading.facts_model import Fact, words

_VERSION = r"\d{1,5}(?:\.\d{1,6}){1,4}(?:[-.+~]?(?:rc|alpha|beta|b|p|pl|sp|r|u|patch|dev|lts|snapshot)[-.]?\d{0,4})?"
_DOTTED_NUMBER = re.compile(r"\.[0-9](?<=\d\.\d)")  # what each pattern of a version holds
_NUMBER = re.compile(rf"(?<![\w./:@=-])v?({_VERSION})(?![\w/%]|[.,:-]?\d)")
_PINNED = cued(
    "==|@|~=",
    rf"(?<![\w./@-])(@?[a-z][\w.-]{{0,60}}(?:/[a-z][\w.-]{{0,60}})?)(==|@|~=)v?({_VERSION})(?![\w@]"
    rf"|\.?\d)",
)
_BANNER_VERSION = re.compile(r"/v?\d{1,5}\.")
_BANNER = re.compile(rf"(?<![\w./:-])([A-Z][A-Za-z_-]{{2,30}}|nginx|lighttpd|openresty)/v?({_VERSION})(?!\w|\.?\d)")
# Systems whose versions are plain numbers.
_WHOLE = cued(
    "windows |win |android |ios |ipados |macos |debian |fedora |rhel |centos |php |java |openjdk |postgresql |node.js "
    "|tomcat ",
    r"\b((?:MS |Microsoft )?Windows(?: Server)?|Win|Android|iOS|iPadOS|macOS|Debian|Fedora|RHEL|CentOS|PHP|Java"
    r"|OpenJDK"
    r"|PostgreSQL|Node\.js|Tomcat) (\d{1,4}(?: SP\d)?)(?![\w/%]|[.,:]\d)",
    as_written=True,
)
_VERSION_OF = cued(
    "version ", rf"\bversion v?({_VERSION}) of (?:the )?([a-z][\w.-]{{1,30}}(?: [a-z][\w.-]{{1,30}}){{0,3}})"
)
_USER_AGENT = cued(
    "user-agent|accept|server-timing|via|hardware name|cpu",
    r"^[ \t>]{0,8}(?:user-agent|accept[\w-]*|server-timing|via|hardware name|cpu)\s?:[^\n]*",
)

_LINK = re.compile(
    r"(?:[\s(]*\b(?:with|in|on|running)?\s?(?:the\s)?(?:versions?|version no\.?|ver\.?|v\.?|firmware|release"
    r"|build)\b\.?)+"
    r"[\s:=(v]*$",
    re.I,
)
_RELATION = re.compile(
    r"[\s(,]*(?:(before|prior to|below|earlier than|up to|through|until)(?: and including)?|(<=?))[\s:v]*$", re.I
)
_NAME_WORD = re.compile(r"[A-Z][\w.+'-]*$|[A-Za-z]+[A-Z\d][\w.+-]*$|[a-z]+(?:[-_][a-z\d]+)+$")
_LOWER_NAME = re.compile(r"[a-z][a-z\d_.+-]{2,40}$")
_LOWER_PARTS = words(
    "drivers driver plugin framework server client module kernel app extension package library theme gateway router"
    " manager for browser engine agent console panel firmware os portal"
)
_NEVER = words(
    "a an and are as at be before between bios by cvss cwe cve dated figure fig firmware for from has have http https"
    " if in is it its level line not of on only option or owasp page part port rfc rule runs score scored section"
    " since ssl step steps table takes tainted than that the this through tls to top until up update updated upgrade"
    " upgraded using ver version versions was were with your our my protocol release build test tested date chapter"
    " about around approximately over under least most roughly patch fixed day days hour hours value ratio factor"
    " against via we i you he she they und oder von mit auf ab bis vor seit est un une le la les de des du et el los"
    " una y en con runs run running affected vulnerable installed latest host address ip network"
    " all any other earlier older newer license server"
    " public os platform proxy file db mainline tainted"
)
_UNIT = re.compile(
    r"\s?(?:s|ms|sec|secs|seconds?|minutes?|hours?|days?|MB|GB|KB|MiB|GiB|kB|EUR|USD|euros?|dollars?|million"
    r"|times|x|€|\$|%)\b"
)
_HASH = re.compile(r"(?=[a-f]*\d)[0-9a-f]{7,40}$")  # of a commit
_UNLIKE_ADDRESS = re.compile(r"(?!10\.|0\.)(?:[0-3]?\d\.){2}\d{1,5}\.\d{1,2}$")  # small numbers
_DATE = re.compile(r"(?:\d{1,2}\.\d{1,2}\.(?:19|20)\d\d|(?:19|20)\d\d\.\d{1,2}\.\d{1,2})$")
_ENDS_NAME = ".,;:!?)(\"'`|*#=-[]"
_NOT_PRODUCTS = words("http https rtsp sip mozilla applewebkit gecko chrome safari firefox tls ssl ssh")

_FIELD_NAME = cued(
    "product|software|package|component|application|plugin|module|device|model",
    r"^[ \t#*>+-]{0,8}(?:affected |vulnerable )?(?:product|software|package|component|application|plugin|module"
    r"|device|model)"
    r"(?: name)?[*]{0,2}\s?:[*]{0,2}[ \t]{0,20}([a-z][^\n:,;(<]{1,60}?)[ \t]{0,20}$",
)
_FIELD_VERSION = re.compile(
    rf"^[ \t#*>+-]{{0,8}}(?:affected |vulnerable |software "
    rf"|firmware )?versions?(?: affected)?[*]{{0,2}}\s?:[*]{{0,2}}[ \t]{{0,20}}v?({_VERSION})",
    re.M,
)


def products(prose: Text) -> list[Fact]:
    """`product` facts, "NAME VERSION"; a bound keeps its word: "NAME before VERSION". `prose` has its links blanked."""
    text = prose.without(match.span() for match in _USER_AGENT.matches(prose))
    found = [*_whole(text)]
    if _DOTTED_NUMBER.search(text.small):
        found = [*_pinned(text), *_banners(text.text), *found, *_numbered(text), *_turned(text)]
        found += _of_fields(text, found)
    return found


def _pinned(text: Text) -> Iterator[Fact]:
    for match in _PINNED.matches(text):
        yield Fact("product", f"{text.written(match.span(1))} {text.written(match.span(3))}", match.span())


def _banners(text: str) -> Iterator[Fact]:
    for match in matches(_BANNER, text) if _BANNER_VERSION.search(text) else ():
        if match[1].lower() not in _NOT_PRODUCTS:
            yield Fact("product", f"{match[1]} {match[2]}", match.span())


def _whole(text: Text) -> Iterator[Fact]:
    for match in _WHOLE.matches(text):
        yield Fact("product", f"{match[1]} {match[2]}", match.span())


def _turned(text: Text) -> Iterator[Fact]:
    for match in _VERSION_OF.matches(text):
        yield Fact("product", f"{text.written(match.span(2))} {text.written(match.span(1))}", match.span())


def _numbered(text: Text) -> Iterator[Fact]:
    for match in matches(_NUMBER, text.small):
        if (fact := _before(text.text, match)) is not None:
            yield fact


def _before(text: str, match: re.Match[str]) -> Fact | None:
    """The product whose name stands before a version number, in the same line."""
    version = text[match.start(1) : match.end(1)]
    if _DATE.match(version) or _UNIT.match(text, match.end()):
        return None
    start = max(0, match.start() - 100, text.rfind("\n", 0, match.start()) + 1)
    window = text[start : match.start()]
    window, relation = _relation(window)
    linked = _LINK.search(window)
    name = window[: linked.start()] if linked else window
    stated = linked is not None or match[0][:1] == "v"
    if version.count(".") == 3 and not (stated or relation) and not _UNLIKE_ADDRESS.match(version):
        return None
    first = _name_start(name, bare=stated or version.count(".") > 1 or not version[-1].isdigit())
    if first is None:
        return None
    value = " ".join([*name[first:].split(), *([relation] if relation else []), version])
    return Fact("product", value, (start + first, match.end()))


def _relation(window: str) -> tuple[str, str]:
    """The text without a bound at its end, and the bound: "before", "up to", "<="."""
    found = _RELATION.search(window)
    if found is None:
        return window, ""
    return window[: found.start()], " ".join((found[1] or found[2]).lower().split())


def _name_start(name: str, *, bare: bool) -> int | None:
    """Where the name at the end of `name` starts: capitalised words; one word in small letters only where `bare`."""
    ending = [(match[0], match.start()) for match in re.finditer(r"\S+", name)][-6:]
    taken: list[tuple[str, int]] = []
    for word, start in reversed(ending):
        if word[-1] in _ENDS_NAME or word.lower() in _NEVER or _HASH.match(word):
            break
        if not (_NAME_WORD.match(word) or word in _LOWER_PARTS):
            if not taken and bare and _LOWER_NAME.match(word):
                taken.append((word, start))
            break
        taken.append((word, start))
    while taken and taken[-1][0] in _LOWER_PARTS:
        taken.pop()
    if not taken or not any(character.isalpha() for character in taken[-1][0]):
        return None
    return taken[-1][1]


def _of_fields(text: Text, found: list[Fact]) -> list[Fact]:
    """The "Product: X" and "Version: 1.2" lines of a form, where no such version has a name yet."""
    name = next(iter(_FIELD_NAME.matches(text)), None)
    field = _FIELD_VERSION.search(text.small, name.end(), name.end() + 500) if name else None
    version = text.written(field.span(1)) if field else ""
    if name is None or field is None or any(fact.value.endswith(version) for fact in found):
        return []
    return [Fact("product", f"{text.written(name.span(1)).strip()} {version}", (name.start(1), field.end(1)))]
