"""The daily board: every open ticket once, by what is promised next."""

from __future__ import annotations

from dataclasses import replace

from tests.ticket.scene import AT, DESK, MEMBER, TEAM
from tests.ticket.tending_scene import ASSESS, DAY, UPDATE, at, desk, kept, opened, promise, tended
from triaged.ticket.address import Role
from triaged.ticket.board import MOST_LINES, board
from triaged.ticket.events import State
from triaged.ticket.letters import TicketName, render_team
from triaged.ticket.tended import Tended

HOUSE = desk(ASSESS, UPDATE)


def named(ref: str, ticket: Tended) -> Tended:
    return replace(ticket, name=TicketName(ref.lower().replace("-", "")[3:], ref))


def shown(tickets: list[Tended]) -> str:
    letter, others = board(tickets, HOUSE, AT)
    assert letter.answers is Role.TEAM and others.values == letter.values
    return render_team(letter, HOUSE, AT, bytes).text


def test_what_is_missed_comes_first_then_what_is_due_next_and_last_what_promises_nothing() -> None:
    missed, _ = tended(opened(HOUSE), HOUSE, at("2026-12-01 00:00"))
    soon = opened(HOUSE, AT + 3 * DAY)
    later = kept(opened(HOUSE, AT + 3 * DAY), HOUSE, AT + 4 * DAY, "assess", "update")
    nothing = replace(opened(HOUSE), clocks=())
    tickets = [named("IMS-0000-0001", nothing), named("IMS-0000-0002", later)]
    text = shown([*tickets, named("IMS-0000-0003", soon), named("IMS-0000-0004", missed)])
    refs = [line.split()[0] for line in text.split("\n") if line.startswith("  IMS")]
    assert [ref[-1] for ref in refs] == ["4", "3", "2", "1"]
    assert '4 open in the mailbox "security", by what is promised next; 1 with a missed promise.' in text
    assert "assess MISSED: it was due by the end of Friday, 27 November 2026 (UTC)" in text
    assert "    nothing is promised" in text


def test_a_closed_ticket_stands_on_it_as_long_as_something_is_owed() -> None:
    closed = opened(HOUSE, state=State.CLOSED)
    assert "assess by the end of" in shown([closed])
    assert board([kept(closed, HOUSE, AT, "assess", "update")], HOUSE, AT) == ()


def test_no_open_ticket_is_no_mail_and_each_team_address_and_member_gets_one() -> None:
    assert board([], HOUSE, AT) == ()
    house = replace(HOUSE, notify=(TEAM, "two@example.test"))
    assert [x.to for x in board([opened(HOUSE)], house, AT)] == [TEAM, "two@example.test", MEMBER]


def test_a_promise_that_stands_still_says_so_and_comes_after_those_that_run() -> None:
    house = desk(promise("assess", "7 days", pauses=True))
    ticket = opened(house)
    still = replace(ticket, clocks=tuple(replace(c, paused_at=AT) for c in ticket.clocks))
    assert "assess stands still: we wait on the researcher" in shown([still])


def test_a_board_of_thousands_is_cut_and_says_so() -> None:
    tickets = [named(f"IMS-0000-{n:04}", opened(HOUSE)) for n in range(MOST_LINES + 5)]
    assert "… and 5 more" in shown(tickets)


def test_a_strangers_subject_stays_on_its_line() -> None:
    """AT-26: no control character, no second line."""
    text = shown([replace(opened(HOUSE), subject="a\r\nBcc: x\x1b[2J" + "b" * 500)])
    line = next(x for x in text.split("\n") if "Bcc" in x)
    assert "\x1b" not in line and len(line) < 120 and line.startswith("  IMS-")
    assert DESK.mailbox in text
