"""The policy file's tables beside its promises, as data: what is asked, forbidden, granted, disclosed and published."""

from __future__ import annotations

import re
from datetime import date, timedelta

from triaged.policy import kinds
from triaged.policy.problem import Refused, shown
from triaged.policy.table import Field, Kind, Table
from triaged.policy.terms import ITEMS, PROFILES, SEVERITY, Span

REPLIES = ("beg-bounty", "scanner", "template", "out-of-scope")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}", re.ASCII)
_OFFSET = re.compile(r"([+-])(0[0-9]|1[0-4]):([0-5][0-9])", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)
_LEVEL = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", re.ASCII)
_READ_OTHERWISE = frozenset({*SEVERITY, "accepted", "declined", "cvss", "cwe", "fix", "fix-by", "by"})  # by /assess
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_ORIGIN = r"https://(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}(?::[0-9]{1,5})?"
_HTTPS = re.compile(rf"{_ORIGIN}(?:/[!-~]*)?", re.ASCII)
_ROOT = re.compile(rf"{_ORIGIN}(?:/[A-Za-z0-9._~-]{{1,100}}){{0,10}}/?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_KEY = re.compile(r"(?:dns:|openpgp4fpr:)[!-~]{1,300}", re.ASCII)


def name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise Refused(f"must be a word of lower-case letters, digits, - and _, at most 40, not {shown(value)}")
    return value


def _offset(value: str) -> timedelta:
    found = _OFFSET.fullmatch(value)
    if not found:
        raise Refused(f'must be an offset such as "+01:00", never a zone with summer time, not {shown(value)}')
    span = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -span if found[1] == "-" else span


def _level(value: str) -> str:
    if not _LEVEL.fullmatch(value):
        raise Refused(f"must be a word such as sev1, of letters, digits, - _ and ., at most 40, not {shown(value)}")
    if value.lower() in _READ_OTHERWISE or value.lower().startswith(("cwe-", "cvss")):
        raise Refused(f"must not be {shown(value)}, which means something already where a report is assessed")
    return value


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise Refused(f'must be a language tag such as "en" or "de-CH", not {shown(value)}')
    return value


def _currency(value: str) -> str:
    if value and not _CURRENCY.fullmatch(value):
        raise Refused(f'must be a currency code such as "EUR", not {shown(value)}')
    return value


def _https(value: str) -> str:
    if value and not _HTTPS.fullmatch(value):
        raise Refused(f"must be an address that starts with https://, not {shown(value)}")
    return value


def _root(value: str) -> str:
    """The address of a site, to which paths are added: nothing after its path."""
    if value and not _ROOT.fullmatch(value):
        raise Refused(f"must be the address of a site such as https://example.org, without ? or #, not {shown(value)}")
    return value.rstrip("/")


def _uuid(value: str) -> str:
    if value and not _UUID.fullmatch(value):
        raise Refused(f"must be the UUID (version 4) of your organisation in the CVE programme, not {shown(value)}")
    return value


def _key_address(value: str) -> str:
    if not _KEY.fullmatch(value):
        return _https(value)
    return value


def _day() -> Kind:
    """One day, written 2027-05-01 with or without quotes."""
    says = "a day such as 2027-05-01"

    def read(value: object) -> date:
        try:
            return date.fromisoformat(value.isoformat() if isinstance(value, date) else str(value))
        except ValueError:
            raise Refused(f"must be {says}, not {shown(value)}") from None

    return Kind(says, read)


_SPAN = re.compile(r"([0-9]{1,4}) +(year|day)s?", re.ASCII)


def _span(value: str) -> Span:
    found = _SPAN.fullmatch(" ".join(value.split()))
    count = int(found[1]) if found else 0
    if not found or not 0 < count <= (50 if found[2] == "year" else 9999):
        raise Refused(f'must be a time such as "2 years" or "180 days", not {shown(value)}')
    return Span(count, f"{found[2]}s")


_SOURCE = Field("source", kinds.words("text", "added"), "whether the clauses stand in the text", "text")
_CLAUSES = Field("clauses", kinds.several(kinds.sentence()), "the sentences, word for word", ())
_DAYS = kinds.whole(1, 3660)
_LEVELS = ("low", "medium", "high", "critical")


def _named(doc: str) -> Field:
    return Field("name", kinds.text("a name", check=name), doc)


ASK = Table(
    (
        Field("item", kinds.words(*ITEMS), "what a report should hold: " + ", ".join(ITEMS)),
        Field("clause", kinds.sentence(), "the sentence that asks for it, word for word"),
        Field("question", kinds.sentence(), "how the acknowledgement asks for it", None, "one for each item"),
        _SOURCE,
    )
)
WINDOW = Table(
    (
        Field("from", kinds.clock(), "the rule holds from this time of day"),
        Field("to", kinds.clock(), "to this one, which is not within"),
        Field("offset", kinds.text("an offset", check=_offset), "of these times, all year round"),
    ),
    optional=True,
)
RULE = Table(
    (
        _named("of the rule, for the team"),
        Field("clause", kinds.sentence(), "the sentence that sets it, word for word"),
        Field("kind", kinds.words("forbid", "require"), "what it does", "forbid"),
        _SOURCE,
    ),
    tables={"window": WINDOW},
)
STATEMENT = Table(
    (
        _named("of the statement"),
        Field("clause", kinds.sentence(), "the sentence, word for word"),
        Field(
            "kind",
            kinds.words("commitment", "request", "threat"),
            "binds the organisation, asks something, or threatens (then no letter holds it)",
            "commitment",
        ),
        _SOURCE,
    )
)
REPLY = Table(
    (
        _named(", ".join(REPLIES) + " or your own"),
        Field("clause", kinds.sentence(), "the sentence that the answer quotes, word for word"),
        Field("text", kinds.sentence(), "what the answer says beside it"),
        _SOURCE,
    )
)
SAFE_HARBOUR = Table(
    (Field("level", kinds.words("full", "partial", "none"), "in the disclose.io terms", "none"), _CLAUSES, _SOURCE)
)
CONFIDENTIALITY = Table(
    (
        Field("consent_to_share", kinds.truth(), "no personal data to third parties without the person's word", True),
        _CLAUSES,
        _SOURCE,
    )
)
CREDIT = Table(
    (
        Field(
            "terms",
            kinds.words("named-unless-declined", "only-when-asked", "none"),
            "whether a researcher is named",
            "only-when-asked",
        ),
        Field("question", kinds.sentence(), "how the acknowledgement asks", None, "one sentence"),
        _CLAUSES,
        _SOURCE,
    )
)
BOUNDS = Table(
    (
        Field("severity", kinds.words(*_LEVELS), "low, medium, high or critical"),
        Field("least", kinds.whole(0), "whole units of the currency"),
        Field("most", kinds.whole(0), "whole units of the currency"),
        Field("quality", kinds.text("a quality", empty=True), "one of `reward.qualities`; none: any other", ""),
    )
)
REWARD = Table(
    (
        Field("offered", kinds.truth(), "whether valid new reports need a decision about a reward", False),
        Field("currency", kinds.text("a currency", empty=True, check=_currency), "of the bounds", ""),
        Field(
            "qualities", kinds.several(kinds.text("a name", check=name), most=20), "of reports, in your own words", ()
        ),
        _CLAUSES,
        _SOURCE,
    ),
    arrays={"bounds": BOUNDS},
)
SCALE = Table(
    (
        Field("name", kinds.text("a word", check=_level), "a word of your own, such as sev1"),
        Field("severity", kinds.words(*SEVERITY), "what it stands for: " + ", ".join(SEVERITY)),
    )
)
ASSESSMENT = Table(arrays={"scale": SCALE})
PUBLICATION = Table((_CLAUSES, _SOURCE))
DISCLOSURE = Table(
    (
        Field("profile", kinds.words(*PROFILES, "own"), ", ".join(PROFILES) + " or own numbers", "own"),
        Field("fix_by_days", _DAYS, "after the day of receipt", None, "the profile's"),
        Field("disclose_days", _DAYS, "after the day of receipt", None, "the profile's"),
        Field("grace_days", kinds.whole(0, 366), "after a fix that came in time", None, "the profile's"),
        Field("reminders", kinds.several(_DAYS, most=12), "days after the day of receipt", None, "the profile's"),
        Field("embargo", kinds.words("active", "proposed", "none"), "at receipt", "none"),
        Field("number", kinds.words("text", "chosen"), "who gives the days", "chosen"),
        _CLAUSES,
        _SOURCE,
    )
)
RETENTION = Table(
    (
        Field("after_close", kinds.text("a time", check=_span), "how long a closed ticket is kept", None),
        _CLAUSES,
        _SOURCE,
    )
)
SCOPE = Table(
    (
        Field("included", kinds.several(kinds.text()), "hosts and products that reports may be about", ()),
        Field("excluded", kinds.several(kinds.text()), "those that they may not", ()),
        _CLAUSES,
        _SOURCE,
    )
)
_ADDRESS = kinds.text("an address", empty=True, check=_https)
PUBLISH = Table(
    (
        Field("site", kinds.text("an address", empty=True, check=_root), "where the published site stands", ""),
        Field("cna", kinds.text("a UUID", empty=True, check=_uuid), "who you are as a CVE Numbering Authority", ""),
        Field("canonical", kinds.several(kinds.text("an address", check=_https)), "where security.txt stands", ()),
        Field("policy", _ADDRESS, "where the policy page stands", ""),
        Field("expires_days", kinds.whole(1, 364), "how long security.txt holds", None, "180"),
        Field("expires", _day(), "instead: the day on which it ends", None),
        Field("encryption", kinds.several(kinds.text("an address", check=_key_address)), "where your key stands", ()),
        Field("acknowledgments", _ADDRESS, "where researchers are thanked", ""),
        Field("hiring", _ADDRESS, "where your security jobs stand", ""),
        Field(
            "preferred_languages",
            kinds.several(kinds.text("a language", check=_language)),
            "for reports",
            (),
            "the policy's languages",
        ),
        Field(
            "security_txt",
            kinds.text("a file name", empty=True),
            "the security.txt that is published now, beside this file, for lint to look at",
            "",
        ),
    )
)
LANGUAGES = kinds.several(kinds.text("a language", check=_language), least=1, most=20)
TABLES = {
    "safe_harbour": SAFE_HARBOUR,
    "confidentiality": CONFIDENTIALITY,
    "credit": CREDIT,
    "reward": REWARD,
    "publication": PUBLICATION,
    "disclosure": DISCLOSURE,
    "assessment": ASSESSMENT,
    "scope": SCOPE,
    "retention": RETENTION,
    "publish": PUBLISH,
}
ARRAYS = {"ask": ASK, "rule": RULE, "statement": STATEMENT, "reply": REPLY}
