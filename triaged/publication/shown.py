"""The values of a site → what its pages show: words, dates, shares, links. Escapes nothing and renders nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from triaged.policy.calendar import MONTHS
from triaged.policy.model import Policy
from triaged.publication import advisory_markdown, csaf, cve, osv
from triaged.publication.advisory import first_at, latest_at, page_path, product, releases, score, severity, slug
from triaged.publication.cleaning import one_line, paragraphs
from triaged.publication.scoring import Score
from triaged.publication.values import Advisory, Kept, Thanked, Year


@dataclass(frozen=True, slots=True)
class ShownAdvisory:
    """One advisory as the list and its page show it."""

    name: str
    slug: str
    title: str
    page: str  # path below the root
    id: str  # of the feed's entry
    product: str
    severity: str
    score: Score | None
    first: datetime
    latest: datetime
    revised: bool
    version: int
    paragraphs: tuple[tuple[str, ...], ...]
    plain_text: str
    credits: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    timeline: tuple[tuple[date, str], ...]
    files: tuple[tuple[str, str], ...]  # name, path below the root


@dataclass(frozen=True, slots=True)
class ShownYear:
    """One year of the Hall of Fame."""

    year: int
    page: str
    thanked: tuple[Thanked, ...]
    unnamed: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar that is 100 wide."""

    kind: str  # kept | late | missed
    start: str
    width: str


@dataclass(frozen=True, slots=True)
class ShownKept:
    """How one promise fared."""

    promise: str
    clause: str
    made: int
    kept: int
    late: int
    missed: int
    running: int
    percent: int  # of those that are no longer running, rounded down
    parts: tuple[Part, ...]
    spoken: str


def shown_advisory(one: Advisory, policy: Policy, base: str, titles: Mapping[str, str]) -> ShownAdvisory:
    return ShownAdvisory(
        name=one.name,
        slug=slug(one),
        title=one_line(one.title),
        page=page_path(one),
        id=_entry_id(one, policy, base),
        product=product(one, policy),
        severity=severity(one),
        score=score(one),
        first=first_at(one),
        latest=latest_at(one),
        revised=len(releases(one)) > 1,
        version=one.version,
        paragraphs=paragraphs(one.text),
        plain_text="\n\n".join("\n".join(lines) for lines in paragraphs(one.text)) or one_line(one.title),
        credits=tuple(one_line(name) for name in one.credits if one_line(name)),
        facts=tuple((label, value) for label, value in _facts(one, policy, titles) if value),
        timeline=tuple(_timeline(one)),
        files=tuple(_files(one, base)),
    )


def _entry_id(one: Advisory, policy: Policy, base: str) -> str:
    """For good (RFC 4287 section 4.2.6): the page's address, or a tag of the mail's domain and the day (RFC 4151)."""
    domain = policy.contact.rpartition("@")[2]
    return f"{base}/{page_path(one)}" if base else f"tag:{domain},{first_at(one).date().isoformat()}:{slug(one)}"


def _facts(one: Advisory, policy: Policy, titles: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "Product", product(one, policy)
    yield "Affected", one_line(one.affected)
    yield "Fixed in", one_line(one.fixed_in)
    yield "CVE", one.cve
    yield "Weakness", f"{one.cwe} {titles.get(one.cwe, '')}".strip()


def _timeline(one: Advisory) -> Iterator[tuple[date, str]]:
    yield one.received_on, "reported to us"
    if one.fixed_on:
        yield one.fixed_on, "fixed"
    for number, at in enumerate(releases(one), 1):
        yield at, "published" if number == 1 else f"revised (version {number})"


def _files(one: Advisory, base: str) -> Iterator[tuple[str, str]]:
    yield "CSAF 2.0 (JSON)", csaf.path(one, "2.0")
    yield "CSAF 2.1 (JSON)", csaf.path(one, "2.1")
    yield "OSV (JSON)", osv.path(one)
    if base:
        yield "CVE record (JSON)", cve.path(one)
    yield "Markdown", advisory_markdown.path(one)


def shown_year(one: Year) -> ShownYear:
    thanked = sorted(one.thanked, key=lambda who: (-who.reports, who.name.casefold(), who.name))
    named = tuple(Thanked(one_line(who.name), who.reports) for who in thanked if one_line(who.name))
    return ShownYear(one.year, f"hall-of-fame/{one.year}.html", named, one.unnamed, _thanks(len(named), one.unnamed))


def _thanks(named: int, unnamed: int) -> str:
    """Why somebody is not named is theirs to know: silence and refusal read the same."""
    if not named:
        return (
            f"{counted(unnamed, 'person')} reported problems to us; none is named here." if unnamed else "Nobody yet."
        )
    return f"{counted(named, 'person')} named" + (
        f", and {unnamed} more who {_are(unnamed)} not named here." if unnamed else "."
    )


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def counted(number: int, noun: str) -> str:
    plural = {"person": "people"}.get(noun, f"{noun}s")
    return f"{number:,} {noun if number == 1 else plural}"


def shown_kept(one: Kept) -> ShownKept:
    done = one.kept + one.late + one.missed
    made = max(one.made, done)
    return ShownKept(
        promise=one_line(one.promise).replace("_", " ").capitalize(),
        clause=one_line(one.clause),
        made=made,
        kept=one.kept,
        late=one.late,
        missed=one.missed,
        running=made - done,
        percent=100 * one.kept // done if done else 0,
        parts=tuple(_parts(one, made)),
        spoken=f"Of {made}: {one.kept} kept, {one.late} late, {one.missed} missed",
    )


def _parts(one: Kept, made: int) -> Iterator[Part]:
    start = 0.0
    for kind, count in (("kept", one.kept), ("late", one.late), ("missed", one.missed)):
        width = 100 * count / made if made else 0.0
        if count:
            yield Part(kind, f"{start:.3f}", f"{width:.3f}")
        start += width


def kept_sentence(kept: tuple[ShownKept, ...]) -> str:
    """All promises together."""
    done = sum(one.made - one.running for one in kept)
    return f"{sum(one.kept for one in kept):,} of {counted(done, 'promise')} kept in time." if done else ""


def day(at: date) -> str:
    """20 November 2026; instants by their day in UTC, as in the machine-readable files."""
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def iso(at: date) -> str:
    return (at.date() if isinstance(at, datetime) else at).isoformat()


def monogram(organisation: str) -> str:
    """One or two letters for the mark: the initials of a name, or its first letter."""
    letters = [word[0] for word in one_line(organisation).split() if word[0].isalnum()]
    return "".join(letters[:2]).upper()[:2] or "?"
