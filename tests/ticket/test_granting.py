"""What follows from a researcher's one-line request, for every request, proof, asker and kind of mail (law 6, P2, AU-4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ticket.scene import (
    AT,
    DESK,
    FRIEND,
    MAILBOX,
    MEMBER,
    POLICY,
    REPORT,
    RESEARCHER,
    STRANGER,
    TEAM,
    TICKET,
    TO_RESEARCHER,
    decide,
    key,
    mail,
    view,
)
from triaged.ticket.address import Role
from triaged.ticket.clocks import Clock, start
from triaged.ticket.consent import Answer, Purpose, Word, credit_given
from triaged.ticket.consequence import Asked, Consequence, Named, Outcome
from triaged.ticket.events import EventKind, State
from triaged.ticket.known import Asking, TicketView, Waiting
from triaged.ticket.letters import Audience, Letter

KEY = key(TICKET, Role.RESEARCHER)
NAME = "Noa Xanthippe Barak"
CODE = "7f3k9qxd"
WRITTEN = {RESEARCHER: "Noa@Example.org", FRIEND: "Friend@Example.org"}  # as the ticket has them
LINES = {
    "STATUS": "STATUS",
    "ANONYMOUS": "ANONYMOUS",
    "CREDIT AS": f"CREDIT AS {NAME}",
    "CREDIT AS, too long": f"CREDIT AS {'Xanthippe ' * 12}",
    "WITHDRAW": "WITHDRAW",
    "CONFIRM, credit": "CONFIRM 7F3K-9QXD",
    "CONFIRM, withdraw": "CONFIRM 7F3K-9QXD",
    "CONFIRM, wrong": "CONFIRM 0000-0000",
    "CREDIT AS, markup": "CREDIT AS <b>Xanthippe</b>",
    "CREDIT AS, another house": "CREDIT AS Google",
    "AGREE": "AGREE 7F3K-9QXD",
    "AGREE, wrong": "AGREE 0000-0000",
    "REFUSE": "REFUSE 7F3K-9QXD",
    "REFUSE, wrong": "REFUSE 0000-0000",
}
ASKERS = {"reporter": RESEARCHER, "participant": FRIEND, "stranger": STRANGER}
MAILS: dict[str, tuple[str, ...]] = {
    "person": (),
    "asks for no automatic answer": ("X-Auto-Response-Suppress: All",),
    "list": ("List-Id: <l.example.org>",),
    "autoresponder": ("Auto-Submitted: auto-replied",),
    "null path": ("Return-Path: <>",),
}
MACHINES = {"autoresponder", "null path"}


def asking(author: str, line: str = "", **changes: Any) -> Asking | None:
    """What the tracker knows for a participant who asks; nothing for anybody else."""
    if author not in WRITTEN:
        return None
    waits = Waiting(7, "withdraw" if line == "CONFIRM, withdraw" else "credit", NAME, CODE, AT - timedelta(days=1))
    role = "reporter" if author == RESEARCHER else "participant"
    words = (Word(Purpose.HALL, Answer.ASKED, AT - timedelta(days=1), code=CODE),)
    found = Asking(role, WRITTEN[author], State.ASSESSING, start(POLICY, AT), (waits,), {}, words)
    return replace(found, **changes)


def ask(
    line: str,
    author: str = RESEARCHER,
    *,
    proven: bool = False,
    to: str = KEY,
    fields: tuple[str, ...] = (),
    at: datetime = AT,
    ticket: dict[str, Any] | None = None,
    subject: str = "Re: XSS in login",
    **changes: Any,
) -> Consequence:
    text = LINES.get(line, line) + "\n\nSincerely, Xanthippe"
    raw = mail(author, to, proven=proven, text=text, fields=fields, subject=subject)
    known: TicketView = view(asking=asking(author, line, **changes), **(ticket or {}))
    return decide(raw, ticket=known)


def answers(caused: Consequence) -> list[Letter]:
    return [x for x in caused.letters if x.audience is Audience.RESEARCHER]


def asked(caused: Consequence) -> Asked:
    assert caused.asks is not None
    return caused.asks


def told(caused: Consequence) -> str:
    """What the team reads of the request."""
    [relay] = [x for x in caused.letters if x.audience is Audience.TEAM]
    flat = " ".join(relay.text.split())
    return flat.partition("Request: ")[2]


# (request, who) -> (proven, unproven): the letter to the asker; what changes.
NOTHING = ("", "")
CONFIRMED = ("requested", "credit")
AGREED, REFUSED = ("consented", "given"), ("consented", "refused")
TABLE = {
    ("STATUS", "reporter"): (("status", ""), ("status", "")),
    ("STATUS", "participant"): (("status", ""), ("status", "")),
    ("ANONYMOUS", "reporter"): (("anonymous", "anonymous"), ("anonymous", "anonymous")),
    ("ANONYMOUS", "participant"): (("anonymous", "anonymous"), ("anonymous", "anonymous")),
    ("CREDIT AS", "reporter"): (("requested", "credit"), ("confirm", "opens credit")),
    ("CREDIT AS", "participant"): (("requested", "credit"), ("confirm", "opens credit")),
    ("CREDIT AS, too long", "reporter"): (("requested", ""), ("requested", "")),
    ("CREDIT AS, too long", "participant"): (("requested", ""), ("requested", "")),
    ("WITHDRAW", "reporter"): (("requested", "withdraws"), ("confirm", "opens withdraw")),
    ("WITHDRAW", "participant"): (("requested", ""), ("requested", "")),
    ("CONFIRM, credit", "reporter"): (CONFIRMED, CONFIRMED),
    ("CONFIRM, credit", "participant"): (CONFIRMED, CONFIRMED),
    ("CONFIRM, withdraw", "reporter"): (("requested", "withdraws"), ("requested", "withdraws")),
    ("CONFIRM, withdraw", "participant"): (("requested", ""), ("requested", "")),
    ("CONFIRM, wrong", "reporter"): (NOTHING, NOTHING),
    ("CONFIRM, wrong", "participant"): (NOTHING, NOTHING),
    ("CREDIT AS, markup", "reporter"): (("requested", ""), ("requested", "")),
    ("CREDIT AS, markup", "participant"): (("requested", ""), ("requested", "")),
    ("CREDIT AS, another house", "reporter"): (("requested", "credit"), ("confirm", "opens credit")),
    ("CREDIT AS, another house", "participant"): (("requested", "credit"), ("confirm", "opens credit")),
    ("AGREE", "reporter"): (AGREED, AGREED),
    ("AGREE", "participant"): (AGREED, AGREED),
    ("AGREE, wrong", "reporter"): (NOTHING, NOTHING),
    ("AGREE, wrong", "participant"): (NOTHING, NOTHING),
    ("REFUSE", "reporter"): (REFUSED, REFUSED),
    ("REFUSE", "participant"): (REFUSED, REFUSED),
    ("REFUSE, wrong", "reporter"): (NOTHING, NOTHING),
    ("REFUSE, wrong", "participant"): (NOTHING, NOTHING),
}


def changed(caused: Consequence) -> str:
    asks = caused.asks
    if asks is None:
        return ""
    if asks.opens:
        return f"opens {asks.opens.ask}"
    if asks.named:
        return "anonymous" if asks.named.anonymous else "credit"
    return asks.words[0].state.value if asks.words else "withdraws"


@pytest.mark.parametrize(("line", "who", "proven", "kind"), list(product(LINES, ASKERS, (True, False), MAILS)))
def test_what_a_request_does(line: str, who: str, proven: bool, kind: str) -> None:
    """Every request, asker, proof and kind of mail, at the researcher's key. Law 6: nothing but what is the asker's."""
    caused = ask(line, ASKERS[who], proven=proven, fields=MAILS[kind])
    if who == "stranger" or kind in MACHINES:
        assert changed(caused) == "" and answers(caused) == []
        assert EventKind.REQUESTED not in {e.kind for e in caused.events}
        assert caused.outcome is (Outcome.HELD if who == "stranger" else Outcome.APPENDED)
        return
    template, change = TABLE[line, who][not proven]
    if kind != "person":  # no letter may go out, so no code can: what needs none is done all the same
        template, change = "", "" if change.startswith("opens") else change
    assert changed(caused) == change
    assert [x.template for x in answers(caused)] == [template] * bool(template)
    assert [x.to for x in answers(caused)] == [WRITTEN[ASKERS[who]]] * bool(template)
    assert caused.asks is None or caused.asks.address == ASKERS[who]
    assert caused.outcome is Outcome.APPENDED
    assert caused.placed is not None and caused.placed.audience is Audience.RESEARCHER
    if kind == "person":
        done = line == "STATUS" or (change != "" and not change.startswith("opens"))
        assert ("NOT done" in told(caused)) is not done


@pytest.mark.parametrize("line", LINES)
def test_no_answer_goes_to_an_address_that_holds_no_key_and_proves_nothing(line: str) -> None:
    """Law 5: a forger knows the Message-ID of the report that they forged, and no letter of ours."""
    caused = ask(line, to=MAILBOX, fields=(f"In-Reply-To: {REPORT}",))
    assert answers(caused) == []
    assert changed(caused) in ("", "anonymous", "credit", "withdraws", "given", "refused")
    named = ask(line, to=MAILBOX, fields=(f"In-Reply-To: {TO_RESEARCHER}",))
    assert [x.template for x in answers(named)] == [t for t in (TABLE[line, "reporter"][1][0],) if t]


@pytest.mark.parametrize("line", LINES)
def test_a_members_mail_is_no_request(line: str) -> None:
    caused = ask(line, MEMBER, proven=True)
    assert caused.asks is None and EventKind.REQUESTED not in {e.kind for e in caused.events}


def test_the_answer_tells_the_state_and_the_open_promises_and_nothing_of_the_team() -> None:
    legal = Clock("cra_early_warning", "Regulation (EU) 2024/2847", None, AT, AT + timedelta(days=1), False)
    [letter] = answers(ask("STATUS", clocks=(*start(POLICY, AT), legal)))
    assert "It is being assessed." in letter.text
    shown = " ".join(letter.text.split())
    promised = [p for p in POLICY.promises if p.name != "acknowledge"]
    assert promised and all(f'"{p.clause}"' in shown for p in promised)
    assert "by the end of" in letter.text
    assert "2024/2847" not in letter.text, "a duty of the team's is not the researcher's to read of"
    for inside in (TEAM, MEMBER, "Dana"):
        assert inside.encode() not in letter.data
    parsed = message_from_bytes(letter.data, policy=policy.default)
    assert parsed["Auto-Submitted"] == "auto-replied"  # AR-12
    assert letter.meets == (), "an answer that nobody wrote keeps no promise"


def test_with_nothing_open_the_answer_says_so() -> None:
    [letter] = answers(ask("STATUS", clocks=(), state=State.CLOSED))
    assert "It is closed." in letter.text and "Nothing that we promised is open." in letter.text


@pytest.mark.parametrize(
    ("line", "template", "most"),
    [("STATUS", "status", 3), ("ANONYMOUS", "anonymous", 1), ("CREDIT AS", "confirm", 3), ("WITHDRAW", "confirm", 3)],
)
def test_over_the_days_count_no_letter_goes_out_and_the_team_reads_why(line: str, template: str, most: int) -> None:
    assert answers(ask(line, answered={template: most - 1}))
    caused = ask(line, answered={template: most})
    assert answers(caused) == []
    assert changed(caused) == ("anonymous" if line == "ANONYMOUS" else "")
    assert "within a day" in told(caused) or line == "ANONYMOUS"


@pytest.mark.parametrize("line", LINES)
def test_in_a_thread_that_has_fallen_silent_only_what_takes_back_acts(line: str) -> None:
    """AR-11: nor can a code be guessed at."""
    caused = ask(line, proven=True, ticket={"recent": DESK.caps.thread_messages_per_10_minutes + 1})
    assert answers(caused) == []
    assert changed(caused) == {"ANONYMOUS": "anonymous", "REFUSE": "refused"}.get(line, "")


def test_a_code_lapses_after_fourteen_days_and_is_of_one_address() -> None:
    waits = Waiting(7, "credit", NAME, CODE, AT - timedelta(days=14))
    for at, change in ((waits.at, ""), (waits.at + timedelta(microseconds=1), "credit")):
        assert changed(ask("CONFIRM, credit", waiting=(replace(waits, at=at),))) == change
    assert changed(ask("CONFIRM, credit", waiting=())) == "", "the tracker gives the open requests of the author alone"


def test_a_confirmed_name_is_the_one_that_was_asked_for_and_is_settled() -> None:
    asks = asked(ask("CONFIRM, credit"))
    assert asks == Asked(RESEARCHER, Named(NAME, anonymous=False), settles=7, words=credit_given(AT))
    assert asked(ask("CONFIRM, withdraw")) == Asked(RESEARCHER, settles=7, withdraws=True)


def test_anonymity_wins_and_keeps_the_name_for_a_change_of_mind() -> None:
    assert asked(ask("ANONYMOUS")).named == Named(None, anonymous=True)
    assert asked(ask("CREDIT AS", proven=True)).named == Named(NAME, anonymous=False)


def test_each_code_is_new_and_stands_in_the_letter_alone() -> None:
    first, second = ask("CREDIT AS"), ask("CREDIT AS")
    codes = [asked(caused).opens for caused in (first, second)]
    assert codes[0] is not None and codes[1] is not None and codes[0].code != codes[1].code
    shown = f"CONFIRM {codes[0].code[:4]}-{codes[0].code[4:]}".upper()
    [letter] = answers(first)
    assert f"\n  {shown}\n" in letter.text
    assert "4 December 2026" in letter.text, "until when"
    others = [x for x in first.letters if x is not letter]
    assert others and all(codes[0].code not in f"{x.text}{x.subject}".lower().replace("-", "") for x in others)
    assert all(codes[0].code not in str(e.data).lower() for e in first.events)


def test_events_hold_no_name_and_no_address() -> None:
    """What is personal stands with the participant, where it can be taken out."""
    for line, proven in product(LINES, (True, False)):
        for event in ask(line, proven=proven).events:
            assert "anthippe" not in str(event.data) and "noa" not in str(event.data).lower()


def test_the_team_hears_plainly_that_a_report_was_withdrawn() -> None:
    caused = ask("WITHDRAW", proven=True)
    [relay] = [x for x in caused.letters if x.audience is Audience.TEAM]
    assert relay.text.startswith(f"WITHDRAWN: the researcher took back {TICKET.ref}\n")
    assert "Promised:" not in relay.text


def test_the_team_reads_the_name_and_that_nothing_is_done_yet() -> None:
    assert f"CREDIT AS {NAME}: NOT done yet" in told(ask("CREDIT AS"))
    assert f"to be named as {NAME}" in told(ask("CREDIT AS", proven=True))


def test_a_proven_sender_reads_the_name_back() -> None:
    [letter] = answers(ask("CREDIT AS", proven=True))
    assert f"\n  {NAME}\n" in letter.text
    [hostile] = answers(ask("CREDIT AS {{7*7}} {% x %} %(x)s", proven=True))
    assert "\n  {{7*7}} {% x %} %(x)s\n" in hostile.text, "AT-25: a name is data"


def test_a_name_that_is_refused_is_answered_with_what_is_wrong_with_it_and_not_with_the_name() -> None:
    for name, wrong in (
        ("<b>Xanthippe</b>", "markup"),
        ("\u202eXanthippe", "direction"),
        ("x" * 4000, "100 characters"),
    ):
        caused = ask(f"CREDIT AS {name}", proven=True, fields=("Content-Type: text/plain; charset=utf-8",))
        [letter] = answers(caused)
        assert wrong in letter.text and name not in letter.text and changed(caused) == ""


def test_a_name_of_another_house_waits_and_both_sides_read_so() -> None:
    caused = ask("CREDIT AS, another house", proven=True)
    named = asked(caused).named
    assert named is not None and named.pending
    [letter] = answers(caused)
    assert "A person here looks at it first" in " ".join(letter.text.split())
    assert "/credit accept lets it stand" in told(caused)


def test_after_anonymous_no_code_gives_anything_and_the_answer_says_what_does() -> None:
    caused = ask("AGREE", nameless=True)
    [letter] = answers(caused)
    assert changed(caused) == "" and "CREDIT AS" in letter.text and "NOT done" in told(caused)


def test_agreeing_without_a_chosen_name_says_that_nobody_is_named_yet() -> None:
    assert "nobody is named yet" in answers(ask("AGREE"))[0].text
    assert "nobody is named yet" not in answers(ask("AGREE", chosen=True))[0].text


def test_anonymity_withdraws_every_purpose_that_was_ever_spoken_of() -> None:
    shared = Word(Purpose.SHARE, Answer.GIVEN, AT, "CERT")
    words = asked(ask("ANONYMOUS", words=(shared,))).words
    assert {(w.purpose.value, w.third_party, w.state) for w in words} == {
        ("hall", "", Answer.WITHDRAWN),
        ("advisory", "", Answer.WITHDRAWN),
        ("share", "CERT", Answer.WITHDRAWN),
    }


WORD = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12).map(lambda w: f"Qz{w}zQ")


@given(st.sampled_from(sorted(LINES)), st.lists(WORD, min_size=1, max_size=5), st.sampled_from([RESEARCHER, FRIEND]))
def test_no_letter_to_an_unproven_sender_holds_a_word_that_they_wrote(line: str, words: list[str], author: str) -> None:
    """P2: name, text, subject and display name."""
    said = " ".join(words)
    text = f"CREDIT AS {said}" if line.startswith("CREDIT") else LINES[line]
    raw = mail(f"{said} <{author}>", KEY, text=f"{text}\n\n{said}\n", subject=f"Re: {said}")
    waits = Waiting(7, "credit", said, CODE, AT)
    ticket = view(asking=asking(author, waiting=(waits,)), reporter_proven=False, subject=said)
    caused = decide(raw, ticket=ticket)
    assert len(answers(caused)) <= 1
    for letter in answers(caused):
        decoded = message_from_bytes(letter.data, policy=policy.default)
        shown = f"{decoded.as_string()}{letter.text}{letter.subject}"
        assert not [word for word in words if word.casefold() in shown.casefold()]
