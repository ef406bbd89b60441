"""Who reported and how they want to be named: credit, anonymity, contact details, and other parties that were told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from triaged.reading.cues import Text, cued, cues, matches
from triaged.reading.facts_model import Fact, sentence, words

_NAMED = r"[ \t]{0,4}:?[ \t]{0,20}(?P<name>[^\n]{1,200})"
_CREDIT_FIELD = cued(
    "credit|author|reported by|reported-by|discovered by|found by|researcher|finder|discoverer"
    "|by:|by*|by\t|by :|by  |by \t|by *",
    r"^[ \t#*+>|-]{0,40}(?:(?:vulnerability |exploit |bug |vuln )?(?:credits?|author|reported[- ]by"
    r"|discovered by|found by|researcher|finder"
    r"|(?:(?:vulnerability )?(?:of+icial )?discoverer)|name (?:to|for) credit|by)[ \t]{0,30}[*]{0,2}:[*]{0,2})"
    + _NAMED,
)
_CREDIT = cued(
    "credit|crédit|acknowledge |mention |name me as|name us as|list|thank me|thank us|under the |as the |nennen sie|als finder"
    "|mon nom|mi nombre|citarme|acreditarme|mencionarme|noem |accreditarmi",
    r"\b(?:credit(?:ed)? (?:me|us|it)? ?(?:as|to|under)|acknowledge (?:me|us) as|mention (?:me|us) as"
    r"|name (?:me|us) as"
    r"|list(?:ed)? (?:me|us)? ?as\b|thank (?:me|us) as|credit should go to|credits? (?:goes|go) to"
    r"|under the (?:name|handle|alias)"
    r"|as the (?:finder|discoverer|reporter),|nennen sie (?:mich|uns) (?:als|unter|mit)|als finder (?:bitte )?"
    r"|me cr[ée]diter (?:sous|comme|en tant que)"
    r"|mon nom comme|mi nombre como|(?:citar|acreditar|mencionar)me como|noem (?:mij|me) (?:als)?|accreditarmi come)"
    + _NAMED,
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

_ANONYMOUS = (
    cued(
        "anonym|anonim|anoniem|anónim|anônim|匿名",
        r"\b(?:remain|remaining|stay|staying|be kept|like to be|prefer to be|wish to be|want to be|keep (?:me|us|it"
        r"|my name|my identity)"
        r"|credit(?:ed)? (?:me |us )?as|be (?:listed|credited|named) as|be) (?:fully |completely "
        r"|strictly )?(?:anonymous|anonymously)\b"
        r"|^[ \t]{0,4}anonymous[ \t.]{0,4}$"
        r"|\banonym (?:bleiben|bleibe|melden)|\bbleibe [^\n.]{0,20}anonym\b|\brester anonyme"
        r"|\bpermanecer (?:en el anonimato|an[óo]nim[oa])"
        r"|\brimanere anonim[oa]|\banoniem blijven|\bpermanecer an[ôo]nim[oa]|匿名",
    ),
    cued(
        "my name|my real name|my identity|my real identity|our name|our real name|our identity|our real identity",
        r"\b(?:do not|don't|please never|without) (?:publish(?:ing)?|mention(?:ing)?|nam(?:e|ing)|disclos(?:e|ing)"
        r"|us(?:e|ing)|shar(?:e|ing)|reveal(?:ing)?)"
        r" (?:my|our) (?:real )?(?:name|identity)\b",
    ),
    cued("no credit ", r"\bno credit (?:please|needed|wanted)"),
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
_POINT = r"(?:\.|\s?[\[({<]\s?\W?\s?dot\s?\W?\s?[\])}>]\s?|\[\.\])"
_SPELT_AT = re.compile(r"[\[({<]\s?\W?\s?at\s?\W?\s?[\])}>]")
_WITH_AT = cues("@")


def _mail(at: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?<![\w.+/%-])([a-z0-9][\w.+-]{{0,63}}){at}([a-z0-9-]{{1,63}}(?:{_POINT}[a-z0-9-]{{1,63}}){{1,6}})(?![\w@])"
    )


_MAIL = _mail("@")
_MAIL_SPELT = _mail(rf"(?:@|\s?{_SPELT_AT.pattern}\s?)")
_SPELT = re.compile(r"\s?[\[({<][^\w.]{0,3}(?:dot|\.)[^\w.]{0,3}[\])}>]\s?", re.I)
_HANDLE = cued("@", r"(?<![\w@/.`'\"=-])@[a-z][\w.-]{1,30}\w(?![\w@/(])")
_PHONE = cued("+", r"(?<![\w+.])\+\d{1,3}[ ().\u00a0-]{0,2}\d(?:[ ()./\u00a0-]{0,2}\d){6,12}(?![\w+])")
_KEY_WORD = re.compile(r"\b(?:pgp|gpg|openpgp|key|fingerprint|schlüssel|clé|clave)\b", re.I)
_KEY_ID = cued("0x", r"\b0x(?:[0-9a-f]{40}|[0-9a-f]{16}|[0-9a-f]{8})\b")
_OF_KEYS = cues("pgp|gpg|key|fingerprint|schlüssel|clé|clave")
_FINGERPRINT = re.compile(r"(?<![0-9a-f])[0-9a-f]{4}(?:[ \t\n]{0,3}[0-9a-f]{4}){9}(?![0-9a-f])")

_TELLING = cues(
    "inform|notif|told|contacted|asked|reported |submitted |acknowledged|in copy|ccd|cc'd|shared |opened |requested a cve"
    "|coordinat|gemeldet|benachrichtigt|signalé|avisado"
)
_PARTY = cued(
    "cert|cisa|bsi|ncsc|enisa|anssi|incibe|cnvd|mitre|github|gitlab|bugcrowd|hackerone|intigriti|yeswehack|zdi"
    "|zero day initiative|project zero|cloudflare|google|microsoft|apple|aws|amazon|red hat|debian|canonical"
    "|linux-distros|oss-security|psirt|upstream|the maintainers|hosting provider|registrar|vendor|manufacturer|police"
    "|data protection|press|hersteller|hébergeur",
    r"\b(?:CERT/CC|[A-Z]{2,10}-CERT|CERT-[A-Za-z]{2,10}|[A-Z]{2,6}CERT|CISA|BSI|NCSC(?:-[A-Z]{2,3})?|ENISA"
    r"|ANSSI|INCIBE|CNVD|JPCERT/CC"
    r"|MITRE|GitHub|GitLab|Bugcrowd|HackerOne|Intigriti|YesWeHack|ZDI|Zero Day Initiative|Project Zero"
    r"|Cloudflare|Google|Microsoft"
    r"|Apple|AWS|Amazon|Red Hat|Debian|Canonical|linux-distros|oss-security|(?:[A-Z]\w{1,20} )?PSIRT"
    r"|upstream(?: maintainers)?|the maintainers"
    r"|(?:the )?(?:hosting provider|registrar|vendor|manufacturer|police|data protection (?:authority|officer)"
    r"|press|hersteller|hébergeur))\b",
    as_written=True,
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


def credits(text: Text) -> list[Fact]:
    """`credit_as` facts: the names to thank, as the researcher writes them."""
    fields = list(_CREDIT_FIELD.matches(text))
    rest = text.without(match.span() for match in fields)
    return [
        *(fact for match in fields for fact in _names(text, match, _LISTED)),
        *(fact for match in _CREDIT.matches(rest) for fact in _names(rest, match, _WHOLE_LINE)),
    ]


def _names(text: Text, match: re.Match[str], pieces: re.Pattern[str]) -> Iterator[Fact]:
    """One name, or several where a field lists them."""
    start, rest = match.start("name"), text.written(match.span("name"))
    quoted = _QUOTED_NAME.match(rest)
    if quoted:
        yield Fact("credit_as", quoted["name"], (start + quoted.start("name"), start + quoted.end("name")))
        return
    for part in matches(pieces, rest):
        cut = _NAME_END.search(part[0])
        name = (part[0][: cut.start()] if cut else part[0]).strip(" \t*_.:'\"")
        if part.start() and not _FULL_NAME.match(name):
            return
        if 1 < len(name) <= 60 and name.lower() not in _NOBODY and "@" not in name and name[:1].isalnum():
            first = start + part.start() + part[0].index(name)
            yield Fact("credit_as", name, (first, first + len(name)))


def anonymity(text: Text) -> list[Fact]:
    """`anonymity` facts, value "anonymous": a wish not to be named."""
    return [
        Fact("anonymity", "anonymous", match.span())
        for wish in _ANONYMOUS
        for match in wish.matches(text)
        if not _NOT.search(text.text[max(0, match.start() - 40) : match.start()])
    ]


def contacts(text: Text, own: frozenset[str]) -> list[Fact]:
    """`contact` facts: addresses, handles, phones, PGP keys. `own`: the author's addresses, which always count."""
    return [*_mails(text, own), *_handles(text), *_phones(text), *_keys(text)]


def _line_before(text: str, start: int, reach: int = 60) -> str:
    return text[max(0, start - reach, text.rfind("\n", 0, start) + 1) : start]


def _mails(text: Text, own: frozenset[str]) -> Iterator[Fact]:
    end = len(text.text.rstrip())
    for match in _mail_matches(text):
        value = f"{match[1]}@{_SPELT.sub('.', match[2])}"
        before, after = _line_before(text.text, match.start(), 200), text.text[match.end() : match.end() + 1]
        if value in own or _is_contact(before, after, closing=match.end() > end - 400):
            yield Fact("contact", value, match.span())


def _mail_matches(text: Text) -> Iterable[re.Match[str]]:
    if _SPELT_AT.search(text.small):
        return matches(_MAIL_SPELT, text.small)
    return matches(_MAIL, text.small) if text.holds(_WITH_AT) else ()


def _is_contact(before: str, after: str, *, closing: bool) -> bool:
    """Not an address of the proof of concept: it stands alone at the end, in a field of its own, or after "reach me at"."""
    if _CONTACT_FIELD.match(before):
        return True
    if before[-1:] in ('"', "'", "=", "/", "\\", ":") or after in ('"', "'", ":", "/"):
        return False
    alone = closing and not before.strip(" \t<(-") and after in ("", "\n", ">", ")")
    return alone or _CONTACT_WORDS.search(before) is not None


def _handles(text: Text) -> Iterator[Fact]:
    for match in _HANDLE.matches(text):
        before = _line_before(text.text, match.start())
        after = text.text[match.end() : match.end() + 30].split("\n", 1)[0]
        named = before.endswith("(") or _AFTER_ADDRESS.search(before) is not None
        if not before.endswith("[") and (named or _CONTACT_WORDS.search(before) or _CONTACT_WORDS.search(after)):
            yield Fact("contact", text.written(match.span()), match.span())


def _phones(text: Text) -> Iterator[Fact]:
    for match in _PHONE.matches(text):
        if 8 <= sum(map(str.isdigit, match[0])) <= 15:
            yield Fact("contact", match[0], match.span())


def _keys(text: Text) -> Iterator[Fact]:
    for match in _KEY_ID.matches(text):
        if _KEY_WORD.search(_line_before(text.text, match.start())):
            yield Fact("contact", text.written(match.span()), match.span())
    for match in matches(_FINGERPRINT, text.small) if text.holds(_OF_KEYS) else ():
        if _KEY_WORD.search(text.text[max(0, match.start() - 60) : match.start()]):
            yield Fact("contact", "".join(text.written(match.span()).split()), match.span())


def other_parties(text: Text) -> list[Fact]:
    """`other_party` facts: whom the researcher has told too."""
    found = []
    for match in _PARTY.matches(text) if text.holds(_TELLING) else ():
        before, after = sentence(text.text, *match.span())
        around = f"{before[-120:]} {after[:60]}"
        if _TOLD.search(around) and not _NOT_TOLD.search(around):
            value = match[0].removeprefix("the ")
            found.append(Fact("other_party", value, (match.end() - len(value), match.end())))
    return found
