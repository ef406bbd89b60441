"""Who reported and how they want to be named: credit, anonymity, contact details, and other parties that were told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from triaged.reading.facts_model import Fact, matches, sentence, words

_CREDIT = re.compile(
    r"(?:^[ \t#*+>|-]{0,40}(?P<field>(?:vulnerability |exploit |bug |vuln )?(?:credits?|author|reported[- ]by"
    r"|discovered by|found by|researcher|finder"
    r"|(?:(?:vulnerability )?(?:of+icial )?discoverer)|name (?:to|for) credit|by)[ \t]{0,30}[*]{0,2}:[*]{0,2})"
    r"|\b(?:credit(?:ed)? (?:me|us|it)? ?(?:as|to|under)|acknowledge (?:me|us) as|mention (?:me|us) as"
    r"|name (?:me|us) as"
    r"|list(?:ed)? (?:me|us)? ?as\b|thank (?:me|us) as|credit should go to|credits? (?:goes|go) to"
    r"|under the (?:name|handle|alias)"
    r"|as the (?:finder|discoverer|reporter),|nennen sie (?:mich|uns) (?:als|unter|mit)|als finder (?:bitte )?"
    r"|me cr[ée]diter (?:sous|comme|en tant que)"
    r"|mon nom comme|mi nombre como|(?:citar|acreditar|mencionar)me como|noem (?:mij|me) (?:als)?|accreditarmi come))"
    r"[ \t]{0,4}:?[ \t]{0,20}(?P<name>[^\n]{1,200})",
    re.I | re.M,
)
_NAME_END = re.compile(
    r" \(|[<\[|]| - | [^\s<]{1,40}(?:@|\(at\))| aka | https?:|\s@"
    r"|,? (?:in|on|if|for|at|when|once|thanks|please|with a link|and link|dans"
    r"|en su|en el|in ihrer|auf) "
    r"|(?<=\w\w)[.;!](?:\s|$)|,|\bfrom the\b"
)
_QUOTED_NAME = re.compile(r"[\"“„«'](?P<name>[^\"”“»'\n]{2,60})[\"”“»']")
_LISTED = re.compile(r"(?:(?!, | and | & ).)+(?:, | and | & )?")
_WHOLE_LINE = re.compile(r".+")
_FULL_NAME = re.compile(r"[^\W\d_a-zß-ÿ][\w.'-]*(?: [^\W\d_][\w.'-]*){1,3}$")
_NOBODY = words("n/a na none anonymous - no nobody unknown me us")

_ANONYMOUS = re.compile(
    r"\b(?:remain|remaining|stay|staying|be kept|like to be|prefer to be|wish to be|want to be|keep (?:me|us|it"
    r"|my name|my identity)"
    r"|credit(?:ed)? (?:me |us )?as|be (?:listed|credited|named) as|be) (?:fully |completely "
    r"|strictly )?(?:anonymous|anonymously)\b"
    r"|\b(?:do not|don't|please never|without) (?:publish(?:ing)?|mention(?:ing)?|nam(?:e|ing)|disclos(?:e|ing)"
    r"|us(?:e|ing)|shar(?:e|ing)|reveal(?:ing)?)"
    r" (?:my|our) (?:real )?(?:name|identity)\b|\bno credit (?:please|needed|wanted)|^[ \t]{0,4}ANONYMOUS[ \t.]{0,4}$"
    r"|\banonym (?:bleiben|bleibe|melden)|\bbleibe [^\n.]{0,20}anonym\b|\brester anonyme"
    r"|\bpermanecer (?:en el anonimato|an[óo]nim[oa])"
    r"|\brimanere anonim[oa]|\banoniem blijven|\bpermanecer an[ôo]nim[oa]|匿名",
    re.I | re.M,
)
_NOT = re.compile(r"\b(?:not|no need to|n't|needn't|nicht|kein|ne|no)\b(?: \w+){0,4} ?$", re.I)

_CONTACT_WORDS = re.compile(
    r"\b(?:contact|reach|reported[- ]by|paypal|signal|telegram|twitter|mastodon|discord|github|linkedin|matrix|xmpp"
    r"|wire|keybase|handle|author|credit|by|call|phone|tel|mobile|whatsapp|x\.com|write to|kontakt|erreich"
    r"|joindre|contacto)\b",
    re.I,
)
_CONTACT_FIELD = re.compile(
    r"[\s#*>+|\[\](){}.-]{0,12}(?:e-?mail|mail|contact|paypal|kontakt|courriel|correo)(?: address)?[\s:*=<|-]{1,12}$",
    re.I,
)
_AFTER_ADDRESS = re.compile(r"@[\w.-]{1,60}, $")
_AT = r"(?:@|\s?[\[({<]\s?\W?\s?at\s?\W?\s?[\])}>]\s?)"
_POINT = r"(?:\.|\s?[\[({<]\s?\W?\s?dot\s?\W?\s?[\])}>]\s?|\[\.\])"
_MAIL = re.compile(
    rf"(?<![\w.+/%-])([A-Za-z0-9][\w.+-]{{0,63}}){_AT}([A-Za-z0-9-]{{1,63}}(?:{_POINT}[A-Za-z0-9-]{{1,63}}){{1,6}})(?![\w@])",
    re.I,
)
_SPELT = re.compile(r"\s?[\[({<][^\w.]{0,3}(?:dot|\.)[^\w.]{0,3}[\])}>]\s?", re.I)
_HANDLE = re.compile(r"(?<![\w@/.`'\"=-])@[A-Za-z][\w.-]{1,30}\w(?![\w@/(])")
_PHONE = re.compile(r"(?<![\w+.])\+\d{1,3}[ ().\u00a0-]{0,2}\d(?:[ ()./\u00a0-]{0,2}\d){6,12}(?![\w+])")
_KEY_WORD = re.compile(r"\b(?:pgp|gpg|openpgp|key|fingerprint|schlüssel|clé|clave)\b", re.I)
_KEY_ID = re.compile(r"\b0x(?:[0-9A-F]{40}|[0-9A-F]{16}|[0-9A-F]{8})\b", re.I)
_FINGERPRINT = re.compile(r"(?<![0-9A-F])[0-9A-F]{4}(?:[ \t\n]{0,3}[0-9A-F]{4}){9}(?![0-9A-F])", re.I)

_PARTY = re.compile(
    r"\b(?:CERT/CC|[A-Z]{2,10}-CERT|CERT-[A-Za-z]{2,10}|[A-Z]{2,6}CERT|CISA|BSI|NCSC(?:-[A-Z]{2,3})?|ENISA"
    r"|ANSSI|INCIBE|CNVD|JPCERT/CC"
    r"|MITRE|GitHub|GitLab|Bugcrowd|HackerOne|Intigriti|YesWeHack|ZDI|Zero Day Initiative|Project Zero"
    r"|Cloudflare|Google|Microsoft"
    r"|Apple|AWS|Amazon|Red Hat|Debian|Canonical|linux-distros|oss-security|(?:[A-Z]\w{1,20} )?PSIRT"
    r"|upstream(?: maintainers)?|the maintainers"
    r"|(?:the )?(?:hosting provider|registrar|vendor|manufacturer|police|data protection (?:authority|officer)"
    r"|press|hersteller|hébergeur))\b"
)
_TOLD = re.compile(
    r"\b(?:inform(?:ed|iert)?|notif(?:ied|y)|told|contacted|asked|reported (?:this |it |the \w+ )?(?:also )?to"
    r"|submitted (?:this |it )?to"
    r"|has acknowledged|acknowledged the|in copy|cc'?d|shared (?:this |it )?with|has been (?:notified|informed)"
    r"|have been (?:notified|informed)"
    r"|opened (?:a|an) [\w ]{0,30}\b(?:on|with|at)|requested a cve|coordinat(?:ed|ing) with|gemeldet"
    r"|benachrichtigt|signalé|informé|avisado|notificado)\b",
    re.I,
)
_NOT_TOLD = re.compile(
    r"\b(?:not|n't|nobody|never|nicht|keine?|no one|will|would|going to|plan to|should|please)\b", re.I
)


def credits(text: str) -> list[Fact]:
    """`credit_as` facts: the names to thank, as the researcher writes them."""
    return [fact for match in matches(_CREDIT, text) for fact in _names(match)]


def _names(match: re.Match[str]) -> Iterator[Fact]:
    """One name, or several where a field lists them."""
    start, rest = match.start("name"), match["name"]
    quoted = _QUOTED_NAME.match(rest)
    if quoted:
        yield Fact("credit_as", quoted["name"], (start + quoted.start("name"), start + quoted.end("name")))
        return
    for part in matches(_LISTED if match["field"] else _WHOLE_LINE, rest):
        cut = _NAME_END.search(part[0])
        name = (part[0][: cut.start()] if cut else part[0]).strip(" \t*_.:'\"")
        if part.start() and not _FULL_NAME.match(name):
            return
        if 1 < len(name) <= 60 and name.lower() not in _NOBODY and "@" not in name and name[:1].isalnum():
            first = start + part.start() + part[0].index(name)
            yield Fact("credit_as", name, (first, first + len(name)))


def anonymity(text: str) -> list[Fact]:
    """`anonymity` facts, value "anonymous": a wish not to be named."""
    return [
        Fact("anonymity", "anonymous", match.span())
        for match in matches(_ANONYMOUS, text)
        if not _NOT.search(text[max(0, match.start() - 40) : match.start()])
    ]


def contacts(text: str, own: frozenset[str]) -> list[Fact]:
    """`contact` facts: addresses, handles, phones, PGP keys. `own`: the author's addresses, which always count."""
    return [*_mails(text, own), *_handles(text), *_phones(text), *_keys(text)]


def _line_before(text: str, start: int, reach: int = 60) -> str:
    return text[max(0, start - reach, text.rfind("\n", 0, start) + 1) : start]


def _mails(text: str, own: frozenset[str]) -> Iterator[Fact]:
    end = len(text.rstrip())
    for match in matches(_MAIL, text):
        value = f"{match[1]}@{_SPELT.sub('.', match[2])}".lower()
        before, after = _line_before(text, match.start(), 200), text[match.end() : match.end() + 1]
        if value in own or _is_contact(before, after, closing=match.end() > end - 400):
            yield Fact("contact", value, match.span())


def _is_contact(before: str, after: str, *, closing: bool) -> bool:
    """Not an address of the proof of concept: it stands alone at the end, in a field of its own, or after "reach me at"."""
    if _CONTACT_FIELD.match(before):
        return True
    if before[-1:] in ('"', "'", "=", "/", "\\", ":") or after in ('"', "'", ":", "/"):
        return False
    alone = closing and not before.strip(" \t<(-") and after in ("", "\n", ">", ")")
    return alone or _CONTACT_WORDS.search(before) is not None


def _handles(text: str) -> Iterator[Fact]:
    for match in matches(_HANDLE, text):
        before = _line_before(text, match.start())
        after = text[match.end() : match.end() + 30].split("\n", 1)[0]
        named = before.endswith("(") or _AFTER_ADDRESS.search(before) is not None
        if not before.endswith("[") and (named or _CONTACT_WORDS.search(before) or _CONTACT_WORDS.search(after)):
            yield Fact("contact", match[0], match.span())


def _phones(text: str) -> Iterator[Fact]:
    for match in matches(_PHONE, text):
        if 8 <= sum(map(str.isdigit, match[0])) <= 15:
            yield Fact("contact", match[0], match.span())


def _keys(text: str) -> Iterator[Fact]:
    for match in matches(_KEY_ID, text):
        if _KEY_WORD.search(_line_before(text, match.start())):
            yield Fact("contact", match[0], match.span())
    for match in matches(_FINGERPRINT, text):
        if _KEY_WORD.search(text[max(0, match.start() - 60) : match.start()]):
            yield Fact("contact", "".join(match[0].split()), match.span())


def other_parties(text: str) -> list[Fact]:
    """`other_party` facts: whom the researcher has told too."""
    found = []
    for match in matches(_PARTY, text):
        before, after = sentence(text, *match.span())
        around = f"{before[-120:]} {after[:60]}"
        if _TOLD.search(around) and not _NOT_TOLD.search(around):
            value = match[0].removeprefix("the ")
            found.append(Fact("other_party", value, (match.end() - len(value), match.end())))
    return found
