"""An organisation's published policy as data: what it promises, to be counted in which calendar. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from triaged.policy.calendar import Calendar
from triaged.policy.period import Period


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

    def promise(self, name: str) -> Promise | None:
        return next((promise for promise in self.promises if promise.name == name), None)
