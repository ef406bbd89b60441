"""A tired member's mail never tells the researcher what was meant for the team, and never ends in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attack.world import MEMBER, NOA, TEAM, World, mail, reply_to, world

ANSWER = "Thank you. We look at it on Monday."


def relay(w: World) -> tuple[str, str]:
    """A report is taken in; the address that answers it, and what the team reads."""
    (told,) = [x for x in w.receive(mail(proven=True)) if x.to_address == TEAM]
    return reply_to(told, w), told.text


def unmarked(text: str) -> str:
    return text.replace("\n> ", "\n").replace("\n>", "\n")


def test_an_answer_above_the_whole_relay_quoted_without_marks_is_kept_back(tmp_path: Path) -> None:
    """AT-29: some clients quote so."""
    with world(tmp_path) as w:
        address, text = relay(w)
        told = w.receive(mail(MEMBER, address, proven=True, text=f"{ANSWER}\n\n{unmarked(text)}"))
        assert [(x.state, x.template) for x in told if x.audience == "researcher"] == [("held", "answer")]
        assert "HELD, not sent" in next(x.text for x in told if x.to_address == MEMBER)


def test_an_answer_above_a_marked_quote_goes_out_without_the_quote(tmp_path: Path) -> None:
    with world(tmp_path) as w:
        address, text = relay(w)
        quote = "\n".join(f"> {line}" for line in text.split("\n"))
        told = w.receive(mail(MEMBER, address, proven=True, text=f"{ANSWER}\n\nOn Friday, triaged wrote:\n{quote}"))
        assert [(x.to_address, x.text.strip()) for x in told if x.audience == "researcher"] == [(NOA, ANSWER)]


@pytest.mark.parametrize(
    "note", ["A reply to this mail goes to the\nresearcher.", "security+{}.t.0000000000000000@example.test"]
)
def test_words_of_a_relay_in_an_answer_are_found_over_line_ends(tmp_path: Path, note: str) -> None:
    with world(tmp_path) as w:
        address, _ = relay(w)
        token = address.partition("+")[2].partition(".")[0]
        told = w.receive(mail(MEMBER, address, proven=True, text=f"{ANSWER}\n{note.format(token)}"))
        assert [x.audience for x in told] == ["team"]


def test_a_member_whose_client_wants_no_automatic_replies_is_a_person(tmp_path: Path) -> None:
    """AR-7: X-Auto-Response-Suppress says nothing of who wrote the message."""
    with world(tmp_path) as w:
        address, _ = relay(w)
        told = w.receive(mail(MEMBER, address, proven=True, text=ANSWER, fields=("X-Auto-Response-Suppress: All",)))
        assert [(x.to_address, x.text.strip()) for x in told if x.audience == "researcher"] == [(NOA, ANSWER)]


@pytest.mark.parametrize("field", ["List-Id: <a.example.test>", "Precedence: bulk", "List-Unsubscribe: <mailto:x@y>"])
def test_a_member_whose_answer_looks_like_a_lists_mail_hears_that_it_was_not_sent(tmp_path: Path, field: str) -> None:
    with world(tmp_path) as w:
        address, _ = relay(w)
        told = w.receive(mail(MEMBER, address, proven=True, text=ANSWER, fields=(field,)))
        assert [(x.template, x.to_address) for x in told] == [("not_sent", MEMBER)]


@pytest.mark.parametrize(
    "field", ["Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated", "X-Autoreply: yes"]
)
def test_a_members_autoresponder_is_answered_by_nobody(tmp_path: Path, field: str) -> None:
    with world(tmp_path) as w:
        address, _ = relay(w)
        assert w.receive(mail(MEMBER, address, proven=True, text=ANSWER, fields=(field, "List-Id: <a.b>"))) == []
