"""The policy file's tables as data: [policy], [calendar], [[promise]], and the terms beside them."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

from triaged.policy import kinds
from triaged.policy.calendar import zone
from triaged.policy.model import Warn
from triaged.policy.period import parse_period
from triaged.policy.problem import Refused, did_you_mean, shown
from triaged.policy.schema_terms import ARRAYS, LANGUAGES, TABLES, name
from triaged.policy.table import Field, Table

_PREFIX = re.compile(r"[A-Z0-9]{2,8}", re.ASCII)
_ZONE = re.compile(r"[+-](?:0[0-9]|1[0-4]):[0-5][0-9]|UTC|[A-Z][A-Za-z]+(?:/[A-Za-z0-9_+-]+)+", re.ASCII)
_PERCENT = re.compile(r"([1-9][0-9]?)%", re.ASCII)


def _prefix(value: str) -> str:
    if not _PREFIX.fullmatch(value):
        raise Refused(f'must be 2 to 8 upper-case ASCII letters or digits such as "IMS", not {shown(value)}')
    return value


def _zone(value: str) -> str:
    try:
        if _ZONE.fullmatch(value):
            zone(value)
            return value
    except (KeyError, ValueError, OSError):
        pass  # no such zone, or a folder of zones: refused below
    near = did_you_mean(value, available_timezones())
    raise Refused(
        f'must be an IANA zone such as "Europe/Zurich" or an offset such as "+01:00", not {shown(value)}{near}'
    )


def _warn(value: str) -> Warn:
    percent = _PERCENT.fullmatch(value)
    before = parse_period(value)
    if not percent and not before:
        raise Refused(f'must hold shares such as "50%" or periods such as "1 business day", not {shown(value)}')
    return Warn(int(percent[1]) if percent else None, before)


HELD = ("assessment", "date")
DEFAULT_WARN = (_warn("50%"), _warn("1 business day"))
_WARN_DOC = '`["50%", "1 business day"]`'

_SOURCE = kinds.words("text", "added")
POLICY = Table(
    (
        Field("organisation", kinds.text(), "who promises"),
        Field("prefix", kinds.text("a prefix", check=_prefix), "of references: IMS in IMS-7F3K-9QXD"),
        Field("text", kinds.text("a file name", empty=True), "the published text, beside this file", ""),
        Field("contact", kinds.address(), "where reports go"),
        Field("version", kinds.text(), "a ticket keeps the version that it was received under"),
        Field("contact_source", _SOURCE, "whether the text names the contact", "text"),
        Field("languages", LANGUAGES, "that reports may be written in, the preferred first", ("en",)),
        Field("updates_unchanged_keep", kinds.truth(), "an update that says nothing changed keeps the promise", False),
        Field("exploited", kinds.truth(), "a report of exploitation starts the team's clocks of the EU CRA", False),
    )
)
CALENDAR = Table(
    (
        Field("zone", kinds.text("a zone", check=_zone), "an IANA zone, or a fixed offset"),
        Field("country", kinds.text("a country code", empty=True), "public holidays and weekend", ""),
        Field("subdivision", kinds.text("a canton or state", empty=True), "where the country has them", ""),
        Field("weekend", kinds.weekdays(), "days of the weekend", None, "the country's"),
        Field("closed", kinds.dates(), "further days off: dates and ranges", frozenset()),
        Field("worked", kinds.dates(), "days worked although weekend, holiday or closed", frozenset()),
        Field(
            "closing", kinds.closing(), "local time at which a promise of days is due on its last day", 1440, "24:00"
        ),
        Field("source", _SOURCE, "whether the text names the country or the offset", "text"),
    )
)
PROMISE = Table(
    (
        Field("name", kinds.text("a name", check=name), "acknowledge, assess, update, fix, disclose or your own"),
        Field("clause", kinds.sentence(), "the sentence that promises it, word for word"),
        Field("source", _SOURCE, "whether the clause stands in the text", "text"),
        Field("number", kinds.words("text", "chosen"), "who gives the period", None, "text; chosen where added"),
        Field("within", kinds.period(), "the period", None),
        Field("every", kinds.period(), "the period of a repeated promise", None),
        Field("met_by", kinds.words("automatic", "human"), "what keeps it", None, "human; automatic for acknowledge"),
        Field("pauses", kinds.truth(), "stands still while we wait on the researcher", False),
        Field(
            "warn",
            kinds.several(kinds.text("a share or period", check=_warn)),
            "when the team hears",
            DEFAULT_WARN,
            _WARN_DOC,
        ),
        Field(
            "holds",
            kinds.several(kinds.words(*HELD)),
            "what a member's letter must hold to keep it: assessment, and date, a day for a solution",
            (),
            "any letter of a member keeps it",
        ),
    )
)
ROOT = Table(tables={"policy": POLICY, "calendar": CALENDAR, **TABLES}, arrays={"promise": PROMISE, **ARRAYS})
