"""What a policy asks for, forbids, grants and publishes, beside its promises. Values only; absent tables are defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

ITEMS = ("description", "steps", "affected", "evidence", "contact", "tester_addresses")


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that a report should hold."""

    item: str  # one of ITEMS
    clause: str  # the sentence that asks for it
    question: str  # how the acknowledgement asks for it where it is missing: one kind sentence
    source: str = "text"  # text: the clause stands in the published text; added: the organisation adds it here


@dataclass(frozen=True, slots=True)
class Window:
    """A daily span of time at one offset, the same all year: 07:00 to 19:00 at +01:00. `end` is not within."""

    start: time
    end: time  # before start: the window runs over midnight
    offset: timedelta

    def holds(self, instant: datetime) -> bool:
        """Whether an aware instant lies within."""
        if instant.tzinfo is None:
            raise ValueError("an instant needs a zone")
        local = (instant.astimezone(UTC) + self.offset).time()
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end

    def __str__(self) -> str:
        minutes = int(self.offset.total_seconds()) // 60
        sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
        return f"{self.start:%H:%M} to {self.end:%H:%M} (UTC{sign}{hours:02}:{rest:02})"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of engagement: a flag for the team, never an accusation."""

    name: str
    clause: str
    source: str = "text"
    kind: str = "forbid"  # forbid | require
    window: Window | None = None  # the rule holds within it only


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of the text that binds or asks and has no table of its own."""

    name: str
    clause: str
    source: str = "text"
    kind: str = "commitment"  # commitment: binds the organisation, no date; request: asks something of the reader;
    # threat: never put in a letter


@dataclass(frozen=True, slots=True)
class Reply:
    """A suggested answer to one kind of noise; a member sends it, never the program."""

    name: str  # beg-bounty | scanner | template | out-of-scope | … , or a name of the organisation's own
    clause: str  # of the policy, quoted in the answer
    text: str  # what the answer says beside the clause
    source: str = "text"


@dataclass(frozen=True, slots=True)
class SafeHarbour:
    """What is promised to those who keep the rules; quoted word for word, and its condition never judged."""

    level: str = "none"  # full | partial | none, as in the disclose.io terms
    clauses: tuple[str, ...] = ()
    source: str = "text"


@dataclass(frozen=True, slots=True)
class Confidentiality:
    """How the report and the researcher's data are kept."""

    clauses: tuple[str, ...] = ()
    source: str = "text"
    consent_to_share: bool = True  # nothing about the person goes to third parties without their word


@dataclass(frozen=True, slots=True)
class Credit:
    """Whether and how a researcher is named."""

    terms: str = "only-when-asked"  # named-unless-declined | only-when-asked | none
    clauses: tuple[str, ...] = ()
    question: str = "Would you like to be named, and if so, how?"
    source: str = "text"

    @property
    def clause(self) -> str:
        return self.clauses[0] if self.clauses else ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a reward of one severity may be, in whole units of the currency. Never told by an automatic letter."""

    severity: str  # low | medium | high | critical
    least: int
    most: int
    quality: str = ""  # of the report, one of the policy's qualities; "": any that has no bounds of its own


@dataclass(frozen=True, slots=True)
class Reward:
    """Whether rewards are offered. A person decides each."""

    offered: bool = False
    clauses: tuple[str, ...] = ()
    currency: str = ""  # ISO 4217; "" where the policy names no amounts
    qualities: tuple[str, ...] = ()  # of reports, as the organisation calls them; empty: none are told apart
    bounds: tuple[Bounds, ...] = ()
    source: str = "text"


@dataclass(frozen=True, slots=True)
class Publication:
    """What is said of publishing the problem once it is resolved."""

    clauses: tuple[str, ...] = ()
    source: str = "text"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """By when a reported problem is to be mended and may be published, in days after the day of receipt."""

    profile: str = "own"  # a key of PROFILES, or own
    fix_by_days: int | None = None
    disclose_days: int | None = None
    grace_days: int = 0  # after a fix that came in time, before details are published
    reminders: tuple[int, ...] = ()  # days after the day of receipt, ascending
    embargo: str = "none"  # at receipt: active | proposed | none
    clauses: tuple[str, ...] = ()
    number: str = "chosen"  # text: the clauses give the days; chosen: the organisation chose them
    source: str = "text"


SEVERITY = ("none", "low", "medium", "high", "critical")  # the qualitative words of CVSS

PROFILES: Mapping[str, Disclosure] = MappingProxyType(
    {
        # profile                      fix by, disclose, grace
        "days_90_30": Disclosure("days_90_30", 90, 90, 30, (60, 75, 85)),  # Project Zero: 90 days, 30 after a fix
        "certcc_45": Disclosure("certcc_45", 45, 45, 0, (30, 38, 43)),  # CERT/CC: published after 45 days
        "nl_60": Disclosure("nl_60", 60, 60, 0, (40, 50, 55)),  # Dutch guideline for software
        "zdi_120": Disclosure("zdi_120", 120, 120, 0, (80, 100, 115)),  # Zero Day Initiative
        "distros_14": Disclosure("distros_14", 14, 14, 0, (7, 11, 13)),  # linux-distros: 14 days at most
    }
)


@dataclass(frozen=True, slots=True)
class Level:
    """A word of the organisation's own scale, and the severity that it stands for."""

    name: str  # as it is written: "sev1"; read in either case
    severity: str  # a word of SEVERITY


@dataclass(frozen=True, slots=True)
class Assessment:
    """How the organisation says how grave a problem is, beside CVSS and the five words."""

    scale: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What reports may be about. A person decides whether one lies within."""

    clauses: tuple[str, ...] = ()
    included: tuple[str, ...] = ()  # hosts, products: as the organisation names them
    excluded: tuple[str, ...] = ()
    source: str = "text"


@dataclass(frozen=True, slots=True)
class Span:
    """How long something is kept: years by the calendar, or days."""

    count: int
    unit: str  # years | days

    def after(self, instant: datetime) -> datetime:
        """That long after an instant; of 29 February, the last of February."""
        if self.unit == "days":
            return instant + timedelta(days=self.count)
        try:
            return instant.replace(year=instant.year + self.count)
        except ValueError:
            return instant.replace(year=instant.year + self.count, day=28)

    def __str__(self) -> str:
        return f"{self.count} {self.unit[:-1] if self.count == 1 else self.unit}"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a closed ticket is kept. What is past it is listed; nothing is erased by itself."""

    after_close: Span | None = None
    clauses: tuple[str, ...] = ()
    source: str = "text"


@dataclass(frozen=True, slots=True)
class Publish:
    """What the published files say beyond the policy itself (RFC 9116 section 2.5)."""

    site: str = ""  # https address of the published site's root, without a slash at its end
    cna: str = ""  # the organisation's own identifier (a UUID) where it is a CVE Numbering Authority
    canonical: tuple[str, ...] = ()  # https addresses of security.txt
    policy: str = ""  # https address of the policy page
    expires_days: int = 180  # of security.txt, after the instant of publication
    expires: date | None = None  # instead of expires_days: the day itself, its midnight in UTC
    encryption: tuple[str, ...] = ()  # addresses of keys, never keys
    acknowledgments: str = ""
    hiring: str = ""
    preferred_languages: tuple[str, ...] = ()  # empty: the policy's languages
    security_txt: str | None = None  # the text of the security.txt that is published now, where the file names it
