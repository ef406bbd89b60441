"""The letters that a ticket's clocks cause: one to each team address, one to the researcher. Says only what rows and events say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from triaged.policy.calendar import in_letters
from triaged.ticket.address import Role
from triaged.ticket.clocks import ACKNOWLEDGE, Clock, Standing, is_open, kept_by, needs, standing
from triaged.ticket.deadlines import is_told
from triaged.ticket.desk import Desk
from triaged.ticket.events import JSON, Event, EventKind, State
from triaged.ticket.hearing import gone_lines, hearers
from triaged.ticket.instants import DISCLOSURE
from triaged.ticket.letters import Automatic, Letter, ResearcherLetter, render_researcher
from triaged.ticket.news import STATE_WORDS, lines, shown_day
from triaged.ticket.reference import Entropy
from triaged.ticket.relaying import answer_subject, to_team
from triaged.ticket.rounds import next_round, resolved
from triaged.ticket.shown import guide
from triaged.ticket.tended import Speaking, Tended

MOST_CLOCKS = 20  # that one letter lists


@dataclass(frozen=True, slots=True)
class Line:
    """One promise as a letter shows it."""

    promise: str
    clause: str
    words: str  # "by the end of …", "MISSED: it was due …"


def letters(
    ticket: Tended,
    speaking: tuple[Speaking, ...],
    desk: Desk,
    at: datetime,
    entropy: Entropy,
) -> tuple[tuple[Letter, ...], tuple[Event, ...]]:
    """What is said at `at`, and the events that say which instants it answers for."""
    to_researcher = [s for s in speaking if s.researcher]
    sent: tuple[Letter, ...] = ()
    events: list[Event] = []
    if to_researcher and ticket.may_be_told:
        sent = (_to_researcher(ticket, to_researcher, desk, at, entropy),)
        news = sum(h.news for h in ticket.happenings)
        data: dict[str, JSON] = {"letter": sent[0].message_id, "template": sent[0].template, "news": news}
        events.append(_covering(EventKind.TOLD, to_researcher, researcher=True, **data))
    elif to_researcher:
        events.append(_covering(EventKind.UNTOLD, to_researcher, researcher=True))
    untold = bool(to_researcher) and not ticket.may_be_told
    if untold or any(s.team for s in speaking):
        sent += _reminders(ticket, speaking, untold, desk, at, entropy)
        events.append(_covering(EventKind.WARNED, [s for s in speaking if s.team], researcher=False))
    return sent, tuple(events)


def _covering(kind: EventKind, speaking: Iterable[Speaking], *, researcher: bool, **data: JSON) -> Event:
    said: list[JSON] = [
        [s.clock.promise, s.clock.round, i.astimezone(UTC).isoformat()]
        for s in speaking
        for i in (s.researcher if researcher else s.team)
    ]
    return Event(kind, "triaged", {"for": said, **data})


def _reminders(
    ticket: Tended, speaking: tuple[Speaking, ...], untold: bool, desk: Desk, at: datetime, entropy: Entropy
) -> tuple[Letter, ...]:
    """One mail to each team address; those who hear of a miss get theirs when something was missed just now."""
    fell = [s.clock for s in speaking if s.fell]
    waiting = [c for c in ticket.clocks if is_open(c)]
    missed = [c for c in waiting if standing(c) is Standing.MISSED]
    values = {
        "ref": ticket.name.ref,
        "headline": _headline(ticket, fell, missed),
        "state": STATE_WORDS[ticket.state],
        "warnings": gone_lines(ticket.assigned, ticket.away, desk),
        "lines": _team_lines(waiting, desk, at),
        "left": max(len(waiting) - MOST_CLOCKS, 0),
        "untold": untold,
        "guide": guide(Role.TEAM, ticket.name, desk),
    }
    hear = hearers(desk, ticket.assigned, ticket.away)
    known = {address.lower() for address in hear}
    escalate = tuple(a for a in desk.escalate if a.lower() not in known) if fell else ()
    # A miss is a conversation of its own, so that its subject is seen: docs/conversations.md.
    return to_team(
        "reminder",
        ticket.name,
        ticket.subject,
        values,
        Role.TEAM,
        desk,
        at,
        entropy,
        ticket.team_ids,
        to=(*hear, *escalate),
        flag="MISSED" if missed else "",
    )


def _headline(ticket: Tended, fell: list[Clock], missed: list[Clock]) -> str:
    if fell:
        return f"MISSED just now on {ticket.name.ref}: {_names(fell)}"
    return f"Still missed on {ticket.name.ref}: {_names(missed)}" if missed else f"Due soon on {ticket.name.ref}"


def _names(clocks: list[Clock]) -> str:
    return ", ".join(dict.fromkeys(c.promise for c in clocks))


def _team_lines(clocks: list[Clock], desk: Desk, at: datetime) -> tuple[Line, ...]:
    shown = sorted(clocks, key=lambda c: c.due_at)[:MOST_CLOCKS]
    return tuple(Line(c.promise, c.clause, _standing_words(c, desk, at)) for c in shown)


def _standing_words(clock: Clock, desk: Desk, at: datetime) -> str:
    by = in_letters(clock.due_at, desk.policy.calendar)
    stands = standing(clock)
    if stands is Standing.PAUSED:
        return "stands still: we wait on the researcher"
    if stands is Standing.RUNNING:
        return f"{by}, {_left(clock, at)} left"
    again = f"; a new date was given: {in_letters(clock.again_at, desk.policy.calendar)}" if clock.again_at else ""
    return f"MISSED: it was due {by}{again}"


def _left(clock: Clock, at: datetime) -> str:
    minutes = int((clock.due_at - at).total_seconds() // 60)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} day{'s' * (days != 1)}" + (f" {hours} h" if hours else "")
    return f"{hours} h {minutes % 60} min"


def _to_researcher(ticket: Tended, speaking: list[Speaking], desk: Desk, at: datetime, entropy: Entropy) -> Letter:
    calendar = desk.policy.calendar
    fell = [s.clock for s in speaking if s.fell and not _is_publication(s.clock, desk)]
    come = any(s.fell and _is_publication(s.clock, desk) for s in speaking)
    news = any(h.news for h in ticket.happenings)
    keeps = news or (desk.policy.updates_unchanged_keep and any(s.clock.every for s in speaking))
    ahead = _ahead(ticket, keeps, desk, at)
    values = {
        "ref": ticket.name.ref,
        "organisation": desk.policy.organisation,
        "contact": desk.address,
        "missed": _missed_lines(fell, ahead, ticket.state, desk),
        "come": come,
        "since": shown_day(ticket.written_at, calendar) if ticket.written_at else "",
        "news": news,
        "happenings": lines(ticket.happenings, calendar),
        "state": STATE_WORDS[ticket.state],
        "next": next_lines([c for c in ahead if c.promise not in {f.promise for f in fell}], desk, at),
    }
    template = "missed" if fell else "update" if any(s.clock.every for s in speaking) else "deadline"
    letter = ResearcherLetter(
        template=template,
        ticket=ticket.name,
        to=ticket.reporter,
        subject=answer_subject(ticket.subject, ticket.name, ticket.reporter_proven),
        values=values,
        automatic=Automatic.GENERATED,  # AR-12
        parents=ticket.researcher_ids,
        meets=repeated(ticket.clocks, desk) if keeps else (),
        proven=ticket.reporter_proven,
    )
    return render_researcher(letter, desk, at, entropy)


def _is_publication(clock: Clock, desk: Desk) -> bool:
    """The date of the disclosure profile: it comes, and nobody has broken a word."""
    return clock.promise == DISCLOSURE[1] and desk.policy.promise(clock.promise) is None


def repeated(clocks: Iterable[Clock], desk: Desk) -> tuple[str, ...]:
    """The repeated promises that still run, and that any letter with substance keeps."""
    return kept_by((c.promise, needs(desk.policy, c.promise)) for c in clocks if c.every and is_open(c))


def _ahead(ticket: Tended, keeps: bool, desk: Desk, at: datetime) -> list[Clock]:
    """The open clocks after this letter: the repeated ones that it keeps go on from now, or end with what it tells."""
    waiting = [c for c in ticket.clocks if is_open(c) and is_told(c)]
    if not keeps:
        return waiting
    following = [] if resolved(ticket.state) else [next_round(c, at, desk.policy) for c in waiting if c.every]
    return [*(c for c in waiting if not c.every), *following]


def _missed_lines(fell: list[Clock], ahead: list[Clock], state: State, desk: Desk) -> tuple[Line, ...]:
    """Each promise once: of a repeated one that was missed for long, the first round of this silence."""
    calendar = desk.policy.calendar
    first: dict[str, Clock] = {}
    for clock in sorted(fell, key=lambda c: c.due_at):
        first.setdefault(clock.promise, clock)
    shown = []
    for clock in first.values():
        again = _again(clock, ahead, state, desk)
        words = f"It was due {in_letters(clock.due_at, calendar)}. {again}".rstrip()
        shown.append(Line(clock.promise, clock.clause, words))
    return tuple(shown)


def _again(clock: Clock, ahead: list[Clock], state: State, desk: Desk) -> str:
    running = [c for c in ahead if c.promise == clock.promise and standing(c) is Standing.RUNNING]
    new = running[-1].due_at if running else clock.again_at
    if new is None:
        return "" if clock.every and resolved(state) else "A person has to set a new date."
    return f"The new date: {in_letters(new, desk.policy.calendar)}."


def next_lines(clocks: list[Clock], desk: Desk, at: datetime) -> tuple[Line, ...]:
    """What is still promised, and by when. A promise that was missed stands with its new date."""
    shown: dict[str, tuple[datetime, Line]] = {}
    for clock in sorted(clocks, key=lambda c: (c.promise, c.round)):
        if clock.promise != ACKNOWLEDGE:
            by, words = _promised(clock, desk, at)
            shown[clock.promise] = (by, Line(clock.promise, clock.clause, words))
    return tuple(line for _, line in sorted(shown.values(), key=lambda pair: pair[0]))[:MOST_CLOCKS]


def _promised(clock: Clock, desk: Desk, at: datetime) -> tuple[datetime, str]:
    """When, and in words."""
    stands = standing(clock)
    if stands is Standing.PAUSED:
        return clock.due_at, "stands still until we hear from you"
    by = clock.due_at if stands is Standing.RUNNING else clock.again_at
    if by is None or by <= at:
        return clock.due_at, "passed; no new date is set"
    return by, in_letters(by, desk.policy.calendar)


def extended_letter(
    ticket: Tended, clock: Clock, was_due: datetime, why: str, desk: Desk, at: datetime, entropy: Entropy
) -> tuple[Letter, ...]:
    """A member moved the date of `clock` (as it is now), and the researcher is told both, with the reason in the member's words."""
    if not ticket.reporter or not is_told(clock):
        return ()
    values = {
        "ref": ticket.name.ref,
        "organisation": desk.policy.organisation,
        "contact": desk.address,
        "what": "publication" if clock.promise == DISCLOSURE[1] else clock.promise,
        "clause": clock.clause,
        "was": in_letters(was_due, desk.policy.calendar),
        "by": in_letters(clock.due_at, desk.policy.calendar),
        "why": why.strip(),
    }
    letter = ResearcherLetter(
        template="extended",
        ticket=ticket.name,
        to=ticket.reporter,
        subject=answer_subject(ticket.subject, ticket.name, ticket.reporter_proven),
        values=values,
        automatic=Automatic.NO,  # a person's act, and words
        parents=ticket.researcher_ids,
        meets=repeated(ticket.clocks, desk),
        proven=ticket.reporter_proven,
    )
    return (render_researcher(letter, desk, at, entropy),)
