"""An organisation's published policy as data: what it promises, to be counted in which calendar. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from triaged.policy.calendar import Calendar
from triaged.policy.period import Period
from triaged.policy.terms import (
    Ask,
    Assessment,
    Confidentiality,
    Credit,
    Disclosure,
    Publication,
    Publish,
    Reply,
    Retention,
    Reward,
    Rule,
    SafeHarbour,
    Scope,
    Statement,
)


@dataclass(frozen=True, slots=True)
class Warn:
    """When the team hears of a promise before it is due: at a share of the time, or so long before. One of the two."""

    percent: int | None  # of the elapsed time from start to due
    before: Period | None


@dataclass(frozen=True, slots=True)
class Promise:
    """One thing that the policy promises. Exactly one of `within` and `every` is set."""

    name: str  # acknowledge | assess | update | fix | disclose, or a name of the organisation's own
    clause: str  # the sentence that promises it
    source: str  # text: the clause stands in the published text; added: the organisation adds it here
    number: str  # text: the clause gives the period; chosen: the organisation chose it
    within: Period | None
    every: Period | None  # a repeated promise
    met_by: str  # automatic: our acknowledgement keeps it; human: only a member's letter does
    pauses: bool  # stands still while we wait on the researcher
    warn: tuple[Warn, ...]
    holds: tuple[str, ...] = ()  # what a member's letter must hold to keep it: assessment, date; empty: any keeps it

    @property
    def period(self) -> Period:
        period = self.within or self.every
        assert period is not None, "the loader lets no promise through that has neither"  # noqa: S101
        return period


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy file, with the text that it stands for."""

    name: str  # the file's name without its ending
    path: Path
    organisation: str
    prefix: str  # of references: IMS in IMS-7F3K-9QXD
    contact: str
    version: str
    text: str | None = field(repr=False)  # as published
    sha256: str  # of the file's bytes, a NUL, and the published text's bytes
    source: str = field(repr=False)  # the TOML text
    calendar: Calendar
    promises: tuple[Promise, ...]
    text_name: str = ""  # the file of the published text
    contact_source: str = "text"  # text: the published text names the contact; added: the organisation adds it here
    calendar_source: str = (
        "text"  # text: the text names the country or the offset; added: the organisation adds it here
    )
    languages: tuple[str, ...] = ("en",)  # that reports may be written in (RFC 5646), the preferred first
    updates_unchanged_keep: bool = False  # whether an update that says "nothing changed" keeps the promise to update
    exploited: bool = False  # a report of exploitation starts the team's clocks of the EU CRA, Article 14
    asks: tuple[Ask, ...] = ()
    rules: tuple[Rule, ...] = ()
    statements: tuple[Statement, ...] = ()
    replies: tuple[Reply, ...] = ()
    safe_harbour: SafeHarbour = field(default_factory=SafeHarbour)
    confidentiality: Confidentiality = field(default_factory=Confidentiality)
    credit: Credit = field(default_factory=Credit)
    reward: Reward = field(default_factory=Reward)
    publication: Publication = field(default_factory=Publication)
    disclosure: Disclosure = field(default_factory=Disclosure)
    assessment: Assessment = field(default_factory=Assessment)
    scope: Scope = field(default_factory=Scope)
    retention: Retention = field(default_factory=Retention)
    publish: Publish = field(default_factory=Publish)

    def promise(self, name: str) -> Promise | None:
        return next((promise for promise in self.promises if promise.name == name), None)

    def ask(self, item: str) -> Ask | None:
        return next((ask for ask in self.asks if ask.item == item), None)

    def reply(self, name: str) -> Reply | None:
        return next((reply for reply in self.replies if reply.name == name), None)
