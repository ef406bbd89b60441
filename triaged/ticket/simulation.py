"""A report's whole life on a clock that jumps from one due instant to the next, through the functions that the daemon calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from triaged.ticket.announcing import Studied, announce, announcement_of
from triaged.ticket.arrival import receive
from triaged.ticket.clocks import ACKNOWLEDGE, ASSESSMENT, Clock, needs
from triaged.ticket.consequence import Consequence
from triaged.ticket.desk import Desk
from triaged.ticket.events import Event, State
from triaged.ticket.known import Arrival, Known, clues
from triaged.ticket.letters import Audience, Letter
from triaged.ticket.lifecycle import why_not
from triaged.ticket.news import happenings, moved_to
from triaged.ticket.reference import Entropy
from triaged.ticket.rounds import keep
from triaged.ticket.telling import repeated
from triaged.ticket.tended import Tended
from triaged.ticket.tending import tend
from triaged.ticket.verbs import VerbError

NOBODY = Known({}, {}, False, None, 0, 2**31, 2**31)  # a tracker that has never seen a report


@dataclass(frozen=True, slots=True)
class Act:
    """What a member does at an instant: a move to `state`, or a letter that keeps `promise`; of both, the letter tells the move."""

    at: datetime
    promise: str = ""
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """One letter. Without `letter` it is a member's own, and its words are not known."""

    at: datetime
    audience: Audience
    to: str
    template: str
    keeps: tuple[str, ...]
    letter: Letter | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """All that came of one report."""

    received_at: datetime
    outcome: str
    reason: str
    ref: str = ""
    clocks: tuple[Clock, ...] = ()
    sent: tuple[Sent, ...] = ()
    happened: tuple[tuple[datetime, Event], ...] = ()


def play(arrival: Arrival, desk: Desk, acts: tuple[Act, ...], until: datetime, entropy: Entropy) -> Story:
    """The report's life up to `until`. Every letter is accepted in the instant that it is queued."""
    at = arrival.received_at
    opened = receive(arrival, clues(arrival.message, desk), NOBODY, desk, at, entropy)
    story = Story(at, opened.outcome.value, opened.reason)
    if opened.opens is None or opened.ticket is None:
        return story
    ticket = _opened(opened, arrival)
    story = replace(story, ref=ticket.name.ref, happened=tuple((at, e) for e in opened.events))
    ticket, story = _deliver(ticket, story, (*opened.letters, *_announced(opened, arrival, desk, entropy)), at, desk)
    waiting = sorted(acts, key=lambda act: act.at)
    while True:
        while waiting and waiting[0].at <= at:
            ticket, story = _act(ticket, story, waiting.pop(0), desk)
        ticket, story, wake_at = _tend(ticket, story, desk, at, entropy)
        following = [i for i in (wake_at, waiting[0].at if waiting else None) if i is not None]
        if not following or min(following) > until:
            return replace(story, clocks=ticket.clocks)
        at = max(min(following), at + timedelta(microseconds=1))


def _announced(opened: Consequence, arrival: Arrival, desk: Desk, entropy: Entropy) -> tuple[Letter, ...]:
    """The mail to the team, with nothing to compare the report with."""
    study, name = opened.study, opened.ticket
    if study is None or study.announcement is None or name is None:
        return ()
    told = announcement_of(study.announcement)
    text = arrival.message.text
    return announce(name, told, text, Studied(study.noise), {}, desk, arrival.received_at, entropy)


def _opened(opened: Consequence, arrival: Arrival) -> Tended:
    new = opened.opens
    assert new is not None  # noqa: S101 - looked at by the caller
    return Tended(
        name=new.name,
        subject=new.subject,
        state=State.RECEIVED,
        since=new.received_at,
        reporter=new.reporter_written,
        reporter_proven=new.reporter_proven,
        reachable=new.reporter_proven and any(x.audience is Audience.RESEARCHER for x in opened.letters),
        clocks=opened.clocks,
        researcher_ids=(arrival.message.message_id,) if arrival.message.message_id else (),
    )


def _tend(
    ticket: Tended, story: Story, desk: Desk, at: datetime, entropy: Entropy
) -> tuple[Tended, Story, datetime | None]:
    """Until nothing is said any more: a letter that is accepted starts the next round."""
    while True:
        result = tend(ticket, desk, at, entropy)
        happened = tuple((at, event) for event in result.events)
        ticket = replace(ticket, clocks=result.clocks, happenings=(*ticket.happenings, *happenings(happened)))
        story = replace(story, happened=(*story.happened, *happened))
        if not result.letters:
            return ticket, story, result.wake_at
        ticket, story = _deliver(ticket, story, result.letters, at, desk)


def _deliver(
    ticket: Tended, story: Story, letters: tuple[Letter, ...], at: datetime, desk: Desk
) -> tuple[Tended, Story]:
    for letter in letters:
        sent = Sent(at, letter.audience, letter.to, letter.template, letter.meets, letter)
        story = replace(story, sent=(*story.sent, sent))
        if letter.audience is Audience.TEAM:
            ids = (*ticket.team_ids.get(letter.to.lower(), ()), letter.message_id)
            ticket = replace(ticket, team_ids={**ticket.team_ids, letter.to.lower(): ids})
        else:
            ids = (*ticket.researcher_ids, letter.message_id)
            ticket = replace(ticket, researcher_ids=ids, written_at=at, happenings=())
            ticket, story = _keep(ticket, story, letter.meets, at, letter.message_id, desk)
    return ticket, story


def _act(ticket: Tended, story: Story, act: Act, desk: Desk) -> tuple[Tended, Story]:
    """Raises VerbError for a move that the table of states does not have."""
    if act.state is not None:
        if why := why_not(ticket.name.ref, ticket.state, act.state):
            raise VerbError(why)
        since = (*ticket.happenings, moved_to(act.state, act.at))
        ticket = replace(ticket, state=act.state, since=act.at, happenings=since)
    if not act.promise:
        return ticket, story
    keeps = tuple(dict.fromkeys((act.promise, ACKNOWLEDGE, *repeated(ticket.clocks, desk))))
    template = "assessed" if ASSESSMENT in needs(desk.policy, act.promise) else "answer"
    sent = Sent(act.at, Audience.RESEARCHER, ticket.reporter, template, keeps)
    story = replace(story, sent=(*story.sent, sent))
    ticket = replace(ticket, written_at=act.at, reachable=True, happenings=())
    return _keep(ticket, story, keeps, act.at, "", desk)


def _keep(
    ticket: Tended, story: Story, keeps: tuple[str, ...], at: datetime, letter: str, desk: Desk
) -> tuple[Tended, Story]:
    rows = keep(ticket.clocks, keeps, at, letter, ticket.state, ticket.since, desk.policy)
    happened = (*story.happened, *((at, event) for event in rows.events))
    return replace(ticket, clocks=rows.clocks), replace(story, happened=happened)
