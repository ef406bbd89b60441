"""A report that came to a wrong address, and a member sent on: a ticket of its original sender's. Nobody is answered by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from triaged.message.model import Address, Message, Reason
from triaged.reading.sameness import text_hash
from triaged.ticket.address import bare
from triaged.ticket.answering import Answer, proven
from triaged.ticket.consequence import Consequence, Outcome, PassedOn, Placed, ToStudy
from triaged.ticket.desk import Desk
from triaged.ticket.events import Event
from triaged.ticket.known import Arrival, Clues, Known, TicketView, clues
from triaged.ticket.letters import Audience
from triaged.ticket.opening import open_ticket
from triaged.ticket.reference import Entropy
from triaged.ticket.relaying import message_event
from triaged.ticket.shown import one_line

REASON = "forwarded-by-a-member"
AGAIN = "a member sent the same report on again"


def is_passed_on(arrival: Arrival, found: Clues, desk: Desk) -> bool:
    """Only a member, proven, sends on for somebody else: anybody can write any name into a forward."""
    return arrival.original is not None and found.author in desk.members and proven(arrival)


def clues_of(arrival: Arrival, desk: Desk) -> Clues:
    """What to look up. Two forwards are the same by what was forwarded: the remark above them often is."""
    found = clues(arrival.message, desk)
    original = arrival.original
    if original is None or not is_passed_on(arrival, found, desk):
        return found
    files = tuple(a.sha256 for a in arrival.message.attachments)
    return replace(found, text_hash=text_hash(original.message.subject, original.message.text, files))


def take_up(arrival: Arrival, found: Clues, known: Known, desk: Desk, at: datetime, entropy: Entropy) -> Consequence:
    """The ticket of a forward by a proven member, who is no party to it; its promises run from the member's mail."""
    if known.same_text is not None:
        return _again(known.tickets[known.same_text], arrival, found)
    assert arrival.original is not None  # noqa: S101 - is_passed_on
    message = _of_nobody_of_ours(arrival.original.message, desk)
    author = message.author
    theirs = replace(arrival, message=message, findings=arrival.original_findings)
    reporter = replace(found, author=author.address.lower() if author else "")
    nobody = Answer(None, (Reason(REASON, "From"),))
    opened = open_ticket(theirs, reporter, known, desk, at, entropy, decided=nobody)
    return replace(
        opened,
        opens=replace(opened.opens, forwarded_by=found.author) if opened.opens else None,
        events=_events(opened, found.author, desk),
        study=_told(opened, arrival, author, desk),
        passed_on=PassedOn(
            author=reporter.author,
            author_name=author.name if author else "",
            message_id=message.message_id,
            subject=message.subject,
            text=message.text,
            remarks=arrival.original.remarks,
        ),
    )


def _of_nobody_of_ours(message: Message, desk: Desk) -> Message:
    """One of us is nobody's reporter: a colleague who only sent it on, or our own mailbox."""
    author = message.author
    if author is None or (bare(author.address) not in desk.own and author.address.lower() not in desk.members):
        return message
    return replace(message, author=None, authors=())


def _events(opened: Consequence, member: str, desk: Desk) -> tuple[Event, ...]:
    first, *rest = opened.events
    return (replace(first, actor=f"member:{desk.named(member)}", data={**first.data, "forwarded_by": member}), *rest)


def _told(opened: Consequence, arrival: Arrival, author: Address | None, desk: Desk) -> ToStudy | None:
    """What the team will be mailed: who sent it on, what they remarked, and that nobody has been answered."""
    study = opened.study
    if study is None or study.announcement is None or arrival.message.author is None or arrival.original is None:
        return study
    by = f"forwarded by {one_line(desk.named(arrival.message.author.address))}"
    if author is None:
        answer = f"{by}; who wrote it can't be read from the mail, or is one of us: nobody can be answered"
    else:
        answer = f"{by}; the original sender has not been answered; reply `/acknowledge` to do so"
    remark = one_line(arrival.original.remarks)
    warnings: tuple[str, ...] = (f"the remark above it, for the team alone: {remark}",) if remark else ()
    warnings += ("what stands below the forwarded mail counts as its sender's words: put remarks above it",)
    earlier = study.announcement["warnings"]
    assert isinstance(earlier, tuple)  # noqa: S101 - of an Announcement
    return replace(study, announcement={**study.announcement, "answer": answer, "warnings": (*warnings, *earlier)})


def _again(ticket: TicketView, arrival: Arrival, found: Clues) -> Consequence:
    """AR-10: no second ticket, and nobody is told what they know."""
    event = message_event(arrival, Audience.TEAM, AGAIN)
    placed = Placed(Audience.TEAM, True, found.text_hash)
    return Consequence(Outcome.APPENDED, AGAIN, ticket.name, placed=placed, events=(event,))
