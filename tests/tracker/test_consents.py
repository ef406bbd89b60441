"""Being named, from the team's question to the name that is rendered: mail in, letters out, the ledger. On both databases."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tests.ticket.scene import DESK, FRIEND, KEY, MEMBER, POLICY, RESEARCHER, STRANGER, mail
from tests.tracker.tracked import Tracked, body_of, open_tracker
from triaged.daemon.tending import send_boards
from triaged.policy.model import Policy
from triaged.ticket.address import Role, keyed_address
from triaged.ticket.consent import Answer, Purpose, Word
from triaged.ticket.desk import Colleague
from triaged.ticket.events import State
from triaged.ticket.reference import token_of
from triaged.ticket.verbs import move
from triaged.tracker import consents, showing
from triaged.tracker.engine import reading, writing
from triaged.tracker.schema import blob, consent, event, letter, message, participant, person, ticket

NAME = "Noa Barak"
PARTY = "CERT Coordination Center"
UNDO = timedelta(seconds=120)
HOUSE = replace(DESK, undo=UNDO, members={MEMBER: Colleague("Dana Levi", MEMBER, notify="board")})


def house_of(engine: Engine, policy: Policy = POLICY) -> Tracked:
    tracked = open_tracker(engine, replace(HOUSE, policy=policy))
    tracked.receive(mail("Noa@Example.org", proven=True))
    tracked.send_all()
    return tracked


@pytest.fixture
def house(engine: Engine) -> Tracked:
    return house_of(engine)


def key(tracked: Tracked, role: Role, number: int = 0) -> str:
    return keyed_address(DESK.address, tracked.rows(ticket)[number].token, role, KEY)


def says(tracked: Tracked, words: str, number: int = 0) -> str:
    """What a member orders by mail; the echo."""
    tracked.later(minutes=20)
    tracked.receive(mail(MEMBER, key(tracked, Role.TEAM, number), proven=True, text=words))
    tracked.later(minutes=3)
    tracked.send_all()
    found = [row for row in tracked.rows(message) if row.direction == "out" and row.counterpart == MEMBER]
    return " ".join(str(found[-1].text).split())


def writes(
    tracked: Tracked,
    line: str,
    author: str = RESEARCHER,
    *,
    proven: bool = True,
    number: int = 0,
    charset: str = "utf-8",
) -> None:
    """What a researcher answers."""
    tracked.later(minutes=20)
    fields = (f"Content-Type: text/plain; charset={charset}",)
    text = f"{line}\n\nregards {tracked.at}"
    tracked.receive(mail(author, key(tracked, Role.RESEARCHER, number), proven=proven, text=text, fields=fields))
    tracked.send_all()


def letters(tracked: Tracked, template: str) -> list[Any]:
    texts = {row.message_id: row.text for row in tracked.rows(message)}
    return [(row.to_address, texts[row.message_id], row.state) for row in tracked.letters() if row.template == template]


def code(tracked: Tracked, to: str = "Noa@example.org") -> str:
    text = [text for address, text, _ in letters(tracked, "consent") if address.lower() == to.lower()][-1]
    found = re.search(r"^  AGREE (\S+)$", text, re.MULTILINE)
    assert found
    return found[1]


def named(tracked: Tracked, purpose: Purpose, party: str = "") -> list[tuple[str, ...]]:
    with reading(tracked.engine) as connection:
        return list(consents.names_for(connection, DESK.tenant, purpose, party).values())


def hall(tracked: Tracked) -> Any:
    with reading(tracked.engine) as connection:
        years = consents.hall(connection, DESK.tenant, POLICY.calendar.tzinfo)
    return [(y.year, [(t.name, t.reports) for t in y.thanked], y.unnamed) for y in years]


def sharing(tracked: Tracked, party: str = PARTY) -> tuple[str, ...] | None:
    with reading(tracked.engine) as connection:
        return consents.sharing(connection, tracked.rows(ticket)[0].id, party)


def changed_since(tracked: Tracked, at: datetime) -> bool:
    with reading(tracked.engine) as connection:
        return consents.changed_since(connection, tracked.rows(ticket)[0].id, at)


def add_friend(tracked: Tracked) -> None:
    with writing(tracked.engine) as connection:
        row = {"tenant": DESK.tenant, "address": FRIEND, "written": "Friend@Example.org", "name": ""}
        number = connection.execute(person.insert().returning(person.c.id), row).scalar_one()
        joins = {"ticket_id": tracked.rows(ticket)[0].id, "person_id": number, "role": "participant"}
        connection.execute(participant.insert(), {**joins, "proven": False, "since": tracked.at})


def test_a_name_without_consent_is_rendered_nowhere(house: Tracked) -> None:
    """Silence names nobody, also where the policy names those who do not decline."""
    says(house, "/assess accepted high\n\nWell found.")
    says(house, "/credit ask")
    assert named(house, Purpose.HALL) == named(house, Purpose.ADVISORY) == []
    assert hall(house) == [(2026, [], 1)]


def test_the_letter_that_asks_quotes_the_policy_and_says_how_to_answer(house: Tracked) -> None:
    echo = says(house, "/credit ask")
    [(to, text, state)] = letters(house, "consent")
    flat = " ".join(text.split())
    assert (to, state) == ("Noa@example.org", "accepted")
    assert all(f'"{clause}"' in flat for clause in POLICY.credit.clauses) and POLICY.credit.question in flat
    for line in ("CREDIT AS and a name", f"AGREE {code(house)}", f"REFUSE {code(house)}", "ANONYMOUS"):
        assert re.search(rf"^  {line}$", text, re.MULTILINE), line
    assert "If you say nothing, you are not named." in flat
    assert "goes at" in echo and "asked for consent: hall, advisory" in echo
    [asked] = house.rows(event, kind="asked")
    assert body_of(asked)["data"] == {"purposes": ["hall", "advisory"], "third_party": "", "people": 1}
    assert house.findings() == [] and house.broken() == []


def test_a_question_about_credit_keeps_no_promise(house: Tracked) -> None:
    says(house, "/credit ask")
    assert [row.meets for row in house.letters("consent")] == [[]]


def test_credit_as_names_and_anonymous_takes_every_name_back(house: Tracked) -> None:
    says(house, "/assess accepted high\n\nWell found.")
    writes(house, f"CREDIT AS {NAME}")
    assert named(house, Purpose.HALL) == named(house, Purpose.ADVISORY) == [(NAME,)]
    assert hall(house) == [(2026, [(NAME, 1)], 0)] and sharing(house) is None
    before = house.at
    assert not changed_since(house, before)
    writes(house, "ANONYMOUS", proven=False)
    assert named(house, Purpose.HALL) == named(house, Purpose.ADVISORY) == []
    assert hall(house) == [(2026, [], 1)]
    assert changed_since(house, before) and not changed_since(house, house.at)
    states = [(row.purpose, row.state, row.proven) for row in house.rows(consent)]
    assert states[2:] == [("hall", "withdrawn", False), ("advisory", "withdrawn", False)]


def test_agreeing_names_by_the_name_that_was_chosen_before_and_only_for_what_was_asked(house: Tracked) -> None:
    writes(house, f"CREDIT AS {NAME}")
    says(house, "/credit none")
    assert named(house, Purpose.HALL) == []
    says(house, "/credit ask hall")
    writes(house, f"AGREE {code(house)}", proven=False)
    assert (named(house, Purpose.HALL), named(house, Purpose.ADVISORY)) == ([(NAME,)], [])
    [(to, text, _)] = letters(house, "consented")
    assert to == "Noa@example.org" and "Hall of Fame" in text and "publish" not in text.partition("To take it")[0]


def test_agreeing_without_a_name_names_nobody(house: Tracked) -> None:
    says(house, "/credit ask")
    writes(house, f"AGREE {code(house)}")
    assert named(house, Purpose.HALL) == []
    writes(house, f"CREDIT AS {NAME}")
    assert named(house, Purpose.HALL) == [(NAME,)]


def test_refusing_works_later_too_and_the_code_agrees_to_nothing_any_more(house: Tracked) -> None:
    says(house, "/credit ask")
    writes(house, f"CREDIT AS {NAME}")
    writes(house, f"REFUSE {code(house)}")
    assert named(house, Purpose.HALL) == named(house, Purpose.ADVISORY) == []
    writes(house, f"AGREE {code(house)}")
    assert named(house, Purpose.HALL) == []
    assert [row.state for row in house.rows(consent)][-2:] == ["withdrawn", "withdrawn"]


def test_a_wrong_code_and_a_strangers_right_one_do_nothing_and_are_answered_by_nothing(house: Tracked) -> None:
    """Law 6."""
    writes(house, f"CREDIT AS {NAME}")
    says(house, "/credit none")
    says(house, "/credit ask")
    before = len(house.rows(consent))
    writes(house, "AGREE 0000-0000")
    writes(house, f"AGREE {code(house)}", STRANGER)
    assert len(house.rows(consent)) == before and letters(house, "consented") == []
    assert named(house, Purpose.HALL) == []


def test_one_participant_answers_for_nobody_else(house: Tracked) -> None:
    """Law 6: each has a code of their own."""
    add_friend(house)
    says(house, "/credit ask")
    assert len(letters(house, "consent")) == 2 and code(house) != code(house, FRIEND)
    writes(house, f"CREDIT AS {NAME}")
    writes(house, f"REFUSE {code(house)}", FRIEND)
    writes(house, f"AGREE {code(house)}", FRIEND)
    assert named(house, Purpose.HALL) == [(NAME,)]
    writes(house, "CREDIT AS A friend", FRIEND)
    assert named(house, Purpose.HALL) == [("A friend", NAME)]
    assert hall(house) == [], "nothing was accepted yet"


def test_a_report_goes_to_a_third_party_only_when_all_who_take_part_agreed(house: Tracked) -> None:
    add_friend(house)
    says(house, f"/credit share with {PARTY}")
    assert sharing(house) is None
    writes(house, f"AGREE {code(house)}")
    assert sharing(house) is None
    writes(house, f"AGREE {code(house, FRIEND)}", FRIEND)
    assert sharing(house) == () and sharing(house, "Somebody else") is None, "agreed, and no name was chosen"
    writes(house, f"CREDIT AS {NAME}")
    assert sharing(house, f" {PARTY.lower()} ") == (NAME,)
    assert named(house, Purpose.SHARE, PARTY) == [(NAME,)] and named(house, Purpose.SHARE) == []
    writes(house, "ANONYMOUS", FRIEND)
    assert sharing(house) is None


def test_the_letter_about_sharing_quotes_what_is_said_of_confidentiality(engine: Engine) -> None:
    clause = "We will treat your report as strictly confidential."
    secret = replace(POLICY, confidentiality=replace(POLICY.confidentiality, clauses=(clause,)))
    house = house_of(engine, secret)
    says(house, f"/credit share with {PARTY}")
    [(_, text, _)] = letters(house, "consent")
    assert clause in " ".join(text.split()) and f"\n  {PARTY}\n" in text and "nothing about you goes to them" in text


def test_after_anonymous_nobody_is_asked_and_no_old_code_gives_anything(house: Tracked) -> None:
    says(house, "/credit ask")
    writes(house, "ANONYMOUS")
    assert "there is nobody to ask" in says(house, "/credit ask")
    assert len(letters(house, "consent")) == 1
    writes(house, f"AGREE {code(house)}")
    assert named(house, Purpose.HALL) == [] and letters(house, "consented") == []


def test_a_withdrawn_report_asks_nothing_more_and_keeps_what_was_agreed(house: Tracked) -> None:
    writes(house, f"CREDIT AS {NAME}")
    writes(house, "WITHDRAW")
    assert "asked nothing more" in says(house, f"/credit share with {PARTY}")
    assert letters(house, "consent") == [] and named(house, Purpose.HALL) == [(NAME,)]


def test_a_policy_that_names_nobody_asks_nobody(engine: Engine) -> None:
    house = house_of(engine, replace(POLICY, credit=replace(POLICY.credit, terms="none")))
    assert "our policy names nobody" in says(house, "/credit ask") and letters(house, "consent") == []


def test_a_letter_that_asks_waits_and_can_be_taken_back(house: Tracked) -> None:
    house.receive(mail(MEMBER, key(house, Role.TEAM), proven=True, text="/credit ask"))
    house.send_all()
    assert [state for *_, state in letters(house, "consent")] == ["queued"]
    says(house, "/cancel")
    house.later(days=1)
    house.send_all()
    assert [state for *_, state in letters(house, "consent")] == ["dropped"]


def test_a_name_of_another_house_is_rendered_nowhere_before_a_member_accepts_it(house: Tracked) -> None:
    writes(house, "CREDIT AS Google")
    assert named(house, Purpose.HALL) == []
    assert "waits for /credit accept" in says(house, "/credit")
    before = house.at
    assert "may stand: Google" in says(house, "/credit accept")
    assert named(house, Purpose.HALL) == [("Google",)] and changed_since(house, before)
    assert "no name waits" in says(house, "/credit accept")
    writes(house, "CREDIT AS Microsoft")
    assert named(house, Purpose.HALL) == [], "another name is looked at anew"


def test_accepting_a_name_of_who_is_anonymous_names_nobody(house: Tracked) -> None:
    writes(house, "CREDIT AS Google")
    writes(house, "ANONYMOUS")
    says(house, "/credit accept")
    assert named(house, Purpose.HALL) == []


def test_a_removed_participant_is_named_no_more(house: Tracked) -> None:
    add_friend(house)
    writes(house, "CREDIT AS A friend", FRIEND)
    assert named(house, Purpose.HALL) == [("A friend",)]
    says(house, f"/remove {FRIEND}")
    assert named(house, Purpose.HALL) == []
    says(house, f"/add {FRIEND}")
    assert named(house, Purpose.HALL) == [], "who comes back is asked again"


def test_a_merged_ticket_names_nobody_since_nobody_can_take_back_what_was_said_there(house: Tracked) -> None:
    house.later(hours=1)
    house.receive(
        mail("Noa@Example.org", proven=True, text="Another page does the same, with what stands in its address.")
    )
    writes(house, f"CREDIT AS {NAME}", number=1)
    says(house, f"/credit share with {PARTY}", 1)
    writes(house, f"AGREE {code(house)}", number=1)
    number = house.rows(ticket)[1].id
    with reading(house.engine) as connection:
        assert consents.sharing(connection, number, PARTY) == (NAME,)
    says(house, f"/merge {house.refs()[0]}", 1)
    writes(house, "ANONYMOUS", number=1)
    assert named(house, Purpose.HALL) == named(house, Purpose.ADVISORY) == named(house, Purpose.SHARE, PARTY) == []
    with reading(house.engine) as connection:
        assert consents.sharing(connection, number, PARTY) is None


def test_the_document_shows_who_is_named_for_what_and_since_when(house: Tracked) -> None:
    says(house, "/credit ask hall")
    writes(house, f"CREDIT AS {NAME}")
    with reading(house.engine) as connection:
        document = showing.one_ticket(connection, token_of(house.refs()[0]) or "")
    assert document is not None
    at = house.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    given = {"third_party": "", "state": "given", "at": at, "open": False}
    purposes = [{"purpose": name, **given} for name in ("hall", "advisory")]
    assert document["credit"] == {"name": NAME, "anonymous": False, "pending": False, "purposes": purposes}


def test_a_consent_that_another_process_overtook_is_not_kept(house: Tracked) -> None:
    says(house, "/credit ask hall")
    number = house.rows(ticket)[0].id
    yes = Word(Purpose.HALL, Answer.GIVEN, house.at, code="aaaaaaaa", proven=True)
    with writing(house.engine) as connection:
        consents.speak(connection, number, RESEARCHER, (Word(Purpose.HALL, Answer.REFUSED, house.at),))
    with writing(house.engine) as connection, pytest.raises(consents.OvertakenError):
        consents.speak(connection, number, RESEARCHER, (yes,))


def test_two_answers_in_one_wave_leave_the_last(house: Tracked) -> None:
    writes(house, f"CREDIT AS {NAME}")
    says(house, "/credit none")
    says(house, "/credit ask")
    to, yes = key(house, Role.RESEARCHER), code(house)
    lines = (f"AGREE {yes}", f"REFUSE {yes}", f"AGREE {yes}")
    house.receive(*(mail(RESEARCHER, to, proven=True, text=f"{line}\n\n{n}") for n, line in enumerate(lines)))
    assert named(house, Purpose.HALL) == []


def test_what_happened_before_the_question_about_credit_is_still_told(house: Tracked) -> None:
    """It tells no news, so it is not the letter that told them."""
    house.act(house.refs()[0], lambda one, _: move(one, State.ACCEPTED, "member:Dana Levi", house.at))
    says(house, "/credit ask")
    house.live(house.at + timedelta(days=20))
    texts = [row.text for row in house.rows(message) if row.direction == "out"]
    assert [text for text in texts if "We assessed your report and accepted it." in text]


def test_who_takes_part_reads_in_no_header_where_another_wrote_from(house: Tracked) -> None:
    """AT-3: a Message-ID names the host or the domain that its mail was written at."""
    to = key(house, Role.RESEARCHER)
    house.receive(mail(RESEARCHER, to, proven=True, text="And more.", message_id="<1@noas-laptop.example>"))
    says(house, f"/add {FRIEND}\n/update\n\nWe work on it.")
    house.receive(mail(FRIEND, to, text="I saw it too.", message_id="<2@friends-desk.example>"))
    says(house, "/update\n\nWe still work on it.")
    says(house, "/credit ask")
    with reading(house.engine) as connection:
        rows = connection.execute(
            select(letter.c.to_lower, blob.c.data).join(blob, blob.c.id == letter.c.blob_id)
        ).all()
    sent = {who: b"".join(data for to_lower, data in rows if to_lower == who) for who in (RESEARCHER, FRIEND)}
    assert b"References:" in sent[FRIEND]
    assert b"noas-laptop" not in sent[FRIEND] and b"friends-desk" not in sent[RESEARCHER]


def test_the_hall_counts_a_person_once_however_they_type_their_name_that_day(house: Tracked) -> None:
    for number, name in enumerate((NAME, "noa  barak", NAME)):
        if number:
            house.later(hours=1)
            house.receive(mail("Noa@Example.org", proven=True, text=f"Another problem, {number}: see the search."))
        says(house, "/assess accepted high\n\nWell found.", number)
        writes(house, f"CREDIT AS {name}", number=number)
    house.later(hours=1)
    house.receive(mail(FRIEND, proven=True, text="The upload takes every file."))
    says(house, "/assess accepted low\n\nWell found.", 3)
    assert hall(house) == [(2026, [(NAME, 3)], 1)]
    writes(house, f"CREDIT AS {NAME}", FRIEND, number=3)
    assert hall(house) == [(2026, [(NAME, 1), (NAME, 3)], 0)], "two people of one name are two"
    says(house, "/close", 1)
    says(house, "/assess declined not-a-vulnerability\n\nIt is none.", 3)
    assert hall(house) == [(2026, [(NAME, 3)], 0)], "closed after it was accepted, and declined"


def test_who_says_thank_you_for_a_closed_report_stays_in_the_hall(house: Tracked) -> None:
    says(house, "/assess accepted high\n\nWell found.")
    writes(house, f"CREDIT AS {NAME}")
    says(house, "/close")
    writes(house, "Thank you for the quick fix!")
    assert house.rows(ticket)[0].state == "assessing" and hall(house) == [(2026, [(NAME, 1)], 0)]


def test_the_year_is_that_of_the_receipt_in_the_policys_zone(engine: Engine) -> None:
    tracked = open_tracker(engine, HOUSE)
    tracked.at = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)  # 00:30 of the next year in Jerusalem
    tracked.receive(mail("Noa@Example.org", proven=True))
    says(tracked, "/assess accepted high\n\nWell found.")
    assert hall(tracked) == [(2027, [], 1)]


def test_another_tenants_names_are_not_given(house: Tracked) -> None:
    writes(house, f"CREDIT AS {NAME}")
    with reading(house.engine) as connection:
        assert consents.names_for(connection, "second", Purpose.HALL) == {}
        assert consents.hall(connection, "second", UTC) == ()


def board(tracked: Tracked) -> str:
    tracked.at = tracked.at.replace(hour=7, minute=0) + timedelta(days=1)
    assert send_boards(tracked.tender())
    tracked.tend()
    texts = {row.message_id: row.text for row in tracked.rows(message)}
    return str(texts[tracked.letters("board")[-1].message_id])


def test_the_board_says_until_it_is_done_that_credit_is_still_to_be_asked(house: Tracked) -> None:
    assert "how to name them" not in board(house), "it was not accepted yet"
    says(house, "/assess accepted high\n\nWell found.")
    text = board(house)
    found = re.search(r"nobody asked yet how to name them: (/credit \S+ ask)$", text, re.MULTILINE)
    assert found
    answer = house.letters("board")[-1]
    fields = (f"In-Reply-To: {answer.message_id}",)
    house.receive(mail(MEMBER, key(house, Role.TEAM), proven=True, text=found[1], fields=fields))
    house.later(minutes=3)
    house.send_all()
    assert len(letters(house, "consent")) == 1, "the line is a command of an answer to the board"
    assert "how to name them" not in board(house)


def test_the_board_asks_for_nothing_where_the_researcher_said_how_or_nobody_is_named_unasked(engine: Engine) -> None:
    only_asked = replace(POLICY, credit=replace(POLICY.credit, terms="only-when-asked"))
    house = house_of(engine, only_asked)
    says(house, "/assess accepted high\n\nWell found.")
    assert "how to name them" not in board(house)


def test_a_question_that_was_dropped_was_not_asked(house: Tracked) -> None:
    says(house, "/assess accepted high\n\nWell found.")
    house.receive(mail(MEMBER, key(house, Role.TEAM), proven=True, text="/credit ask"))
    says(house, "/cancel")
    assert "how to name them" in board(house)
    writes(house, "ANONYMOUS")
    assert "how to name them" not in board(house)
