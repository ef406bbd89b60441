"""The acknowledgement as a promise card: dates, clauses and calendar file, and never more than the policy says (AR-16, S0-x)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email import policy as email_policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar as ICalendar
from icalendar import Component

from tests.ticket.scene import AT, CAPS, DESK, MAILBOX, POLICIES, POLICY, RESEARCHER, TICKET, decide, mail
from triaged.message.clean import clean_header
from triaged.policy.load import load_policy
from triaged.policy.model import Policy
from triaged.policy.period import Period
from triaged.policy.terms import Credit, Publish, Rule, SafeHarbour, Statement
from triaged.ticket.calendar_file import calendar_file
from triaged.ticket.card import DATES, FULL_LADDER, RULES, terms
from triaged.ticket.clocks import PromisedDate, dates, start
from triaged.ticket.letters import Letter
from triaged.ticket.wire import Enclosure, UnsafeLetterError, compose

SHIPPED = {name: load_policy(POLICIES / f"{name}.toml") for name in ("ims-network", "responsible-disclosure")}
SHIPPED["good-faith-rules"] = load_policy(POLICIES / "good-faith-rules.toml")
QUESTION = "Hello, a question regarding your policy: do you pay rewards? Thank you."


def card(policy: Policy, *, proven: bool = True, text: str | None = None, subject: str = "XSS in login") -> Letter:
    raw = mail(proven=proven, subject=subject) if text is None else mail(proven=proven, subject=subject, text=text)
    caused = decide(raw, replace(DESK, policy=policy))
    (letter,) = [x for x in caused.letters if x.template.startswith("acknowledgement")]
    return letter


def parts(letter: Letter) -> list[EmailMessage]:
    read = message_from_bytes(letter.data, policy=email_policy.default)
    assert isinstance(read, EmailMessage)
    return [part for part in read.walk() if not part.is_multipart()]


def events(letter: Letter) -> list[Component]:
    file = parts(letter)[1].get_payload(decode=True)
    assert isinstance(file, bytes)
    return list(ICalendar.from_ical(file).walk("VEVENT"))


def folded(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_quotes_the_policy_word_for_word(name: str) -> None:
    """Promises, rules, safe harbour, confidentiality, credit."""
    policy = SHIPPED[name]
    text = folded(card(policy).text)
    said = [
        *(p.clause for p in policy.promises),
        *(r.clause for r in policy.rules),
        *policy.safe_harbour.clauses,
        *policy.confidentiality.clauses,
        policy.credit.clause,
    ]
    assert [clause for clause in said if folded(clause) not in text] == []
    assert policy.credit.question in text


def test_the_card_promises_nothing_that_the_policy_does_not() -> None:
    """S0-x: this policy has no safe harbour, no confidentiality, no reward and no day of publication."""
    text = card(SHIPPED["ims-network"]).text.lower()
    for word in ("harbour", "confidential", "legal", "reward", "published", "fixed", "rules", "working days"):
        assert word not in text, word


def test_terms_that_are_absent_are_not_in_the_card() -> None:
    text = card(replace(POLICY, credit=Credit())).text
    assert "Credit:" not in text and "named" not in text


@pytest.mark.parametrize(
    ("given", "says", "not_said"),
    [
        ("named-unless-declined", ["How?"], ["you are not named"]),
        ("only-when-asked", ["How?", "If you say nothing of it, you are not named."], []),
        ("none", [], ["How?", "you are not named"]),
    ],
)
def test_credit_is_told_as_its_terms_are(given: str, says: list[str], not_said: list[str]) -> None:
    text = card(replace(POLICY, credit=Credit(given, ("What we say of names.",), "How?"))).text
    assert "What we say of names." in text
    assert all(words in text for words in says) and not any(words in text for words in not_said)


def test_no_threat_stands_in_a_letter() -> None:
    """Neither a statement of the kind threat, nor a rule that threatens."""
    for policy in SHIPPED.values():
        for threat in (s.clause for s in policy.statements if s.kind == "threat"):
            assert folded(threat) not in folded(card(policy).text)
    threats = (
        Rule("sued", "Keep these rules or we will sue you."),
        Rule("part", "We know your address."),
        Rule("fair", "Do not read other people's data."),
    )
    said = (Statement("all", "Beware.  We know your address.", kind="threat"),)
    assert terms(replace(POLICY, rules=threats, statements=said)).rules == ("Do not read other people's data.",)


def test_safe_harbour_stands_where_the_published_text_has_it() -> None:
    """ "These rules:" before them, "the instructions above" after them."""
    above = card(SHIPPED["good-faith-rules"]).text
    below = card(SHIPPED["responsible-disclosure"]).text
    assert above.index("Safe harbour") < above.index("Our rules")
    assert below.index("Our rules") < below.index("Safe harbour")


def test_a_question_gets_no_rules_and_no_dates_of_a_report() -> None:
    """S0-13."""
    text = card(SHIPPED["responsible-disclosure"], text=QUESTION, subject="Question about your policy").text
    assert "Your mail has reached us" in text
    assert not any(words in text for words in ("Our rules", "Safe harbour", "Credit:", "work towards"))


def test_the_policys_own_page_is_the_only_link() -> None:
    """AR-16."""
    page = "https://example.test/security-policy.html"
    text = card(replace(POLICY, publish=Publish(policy=page))).text
    assert text.count("://") == 1 and f"The whole policy: {page}\n" in text
    assert "://" not in card(POLICY).text


@pytest.mark.parametrize("name", SHIPPED)
def test_the_calendar_file_holds_each_date_that_is_to_come(name: str) -> None:
    """RFC 5545, as a reader that is not ours reads it; RFC 5546 section 3.2.1 for PUBLISH."""
    policy = SHIPPED[name]
    letter = card(policy)
    text, file = parts(letter)
    assert (file.get_content_type(), file.get_param("method")) == ("text/calendar", "PUBLISH")
    assert (text.get_content_disposition(), file.get_content_disposition()) == (None, "attachment")
    assert file.get_filename() == f"{letter.text.split('tracked as ')[1][: len(policy.prefix) + 10]}.ics"
    found = {str(e["SUMMARY"]).split(": ")[1].split(" ")[0]: e for e in events(letter)}
    days = {"fix", "disclose"} if policy.disclosure.disclose_days else set()
    assert set(found) == {p.name for p in policy.promises} - {"acknowledge"} | days, "what this letter keeps is over"
    for clock in start(policy, AT):
        if clock.promise in found:
            last_day = (clock.due_at - timedelta(hours=1)).astimezone(policy.calendar.tzinfo).date()
            event = found[clock.promise]
            assert event["DTSTART"].dt == last_day and "DTEND" not in event
            assert folded(clock.clause) in folded(str(event["DESCRIPTION"]))
            assert str(event["ORGANIZER"]) == f"mailto:{MAILBOX}" and event["DTSTAMP"].dt == AT
            assert letter.token in str(event["UID"])


def test_a_promise_that_ends_within_a_day_is_an_instant() -> None:
    closing = replace(POLICY, calendar=replace(POLICY.calendar, closing=17 * 60))
    assert {type(e["DTSTART"].dt) for e in events(card(closing))} == {datetime}
    hours = tuple(replace(p, within=Period(24, "hours"), every=None) for p in POLICY.promises if p.name == "assess")
    (event,) = events(card(replace(POLICY, promises=hours)))
    assert event["DTSTART"].dt == AT + timedelta(hours=24)


def test_midnight_that_does_not_exist_ends_the_day_before_it() -> None:
    """Beirut goes to summer time at midnight: 28 March 2027 begins at 01:00."""
    calendar = replace(POLICY.calendar, zone="Asia/Beirut", country="", weekend=frozenset())
    policy = replace(POLICY, calendar=calendar)
    received = datetime(2027, 3, 20, 12, tzinfo=UTC)
    (clock,) = [c for c in start(policy, received) if c.promise == "assess"]
    (shown,) = dates((clock,), policy, ())
    file = calendar_file(TICKET, (shown,), replace(DESK, policy=policy), AT)
    assert "DTSTART;VALUE=DATE:20270327\r\n" in file and "Saturday, 27 March 2027" in shown.by


def test_the_same_date_has_the_same_uid_in_every_file() -> None:
    shown = dates(start(POLICY, AT), POLICY, ())
    first, second = (calendar_file(TICKET, shown, DESK, at) for at in (AT, AT + timedelta(days=9)))
    uids = [[line for line in file.split("\r\n") if line.startswith("UID")] for file in (first, second)]
    assert uids[0] == uids[1] and len(set(uids[0])) == len(shown)


@given(st.text(min_size=1, max_size=300), st.text(max_size=80))
def test_any_clause_makes_a_calendar_file_that_reads_the_same(clause: str, organisation: str) -> None:
    """Folded at 75 octets, escaped, without line breaks of its own (RFC 5545 sections 3.1 and 3.3.11)."""
    shown = PromisedDate("assess", clause, "by Tuesday", AT, False)
    desk = replace(DESK, policy=replace(POLICY, organisation=organisation))
    file = calendar_file(TICKET, (shown,), desk, AT)
    lines = file.encode().split(b"\r\n")
    assert all(len(line) <= 75 for line in lines) and "\n" not in file.replace("\r\n", "")
    (event,) = ICalendar.from_ical(file.encode()).walk("VEVENT")
    assert set(event) == {"UID", "DTSTAMP", "DTSTART", "SUMMARY", "DESCRIPTION", "ORGANIZER", "CLASS", "TRANSP"}
    assert str(event["DESCRIPTION"]) == f"{clean_header(clause)}\nby Tuesday"


def test_nothing_that_the_sender_wrote_stands_in_the_calendar_file() -> None:
    """P2: it is made from the policy and the dates alone."""
    file = parts(card(POLICY, subject="uniquesubject"))[1].get_content()
    assert "uniquesubject" not in str(file) and RESEARCHER not in str(file) and "Noa" not in str(file)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_minimal_form_holds_reference_and_dates_only(name: str) -> None:
    """AR-14, AR-16: one text/plain part, at most 2 kB, no clause, no rule, no file."""
    policy = SHIPPED[name]
    letter = card(policy, proven=False)
    (only,) = parts(letter)
    assert only.get_content_type() == "text/plain" and len(letter.data) <= CAPS.minimal_bytes
    for clause in (*(p.clause for p in policy.promises), *(r.clause for r in policy.rules), policy.credit.clause):
        assert clause not in folded(letter.text)
    assert [p.name for p in policy.promises if f"* {p.name}: " not in letter.text] == []


def long(words: int) -> str:
    return "A rule that takes many words to say. " * words


@pytest.mark.parametrize("rungs", range(len(FULL_LADDER)))
def test_what_would_be_too_long_is_left_out_in_a_stated_order(rungs: int) -> None:
    """AR-16: calendar file, rules, confidentiality and credit, questions, dates, name; and the letter says so."""
    policy = SHIPPED["responsible-disclosure"]
    letter = card(policy)
    for _ in range(rungs + 1):
        caps = replace(CAPS, full_bytes=len(letter.data) - 1)
        caused = decide(mail(proven=True), replace(DESK, policy=policy, caps=caps))
        (letter,) = [x for x in caused.letters if x.template == "acknowledgement"]
    stated = folded(letter.text).split("would be too long: ")[1].split(".")[0]
    assert stated.split(", ") == list(FULL_LADDER[: rungs + 1]) and "BEGIN:VCALENDAR" not in letter.data.decode()
    assert ("Our rules, word for word" in letter.text) is (RULES not in stated)
    assert ("Wednesday, 25 November 2026" in letter.text) is (DATES not in stated)


def test_rules_without_end_leave_room_for_the_dates() -> None:
    rules = tuple(Rule(f"rule-{n}", long(40)) for n in range(30))
    policy = replace(POLICY, rules=rules, safe_harbour=SafeHarbour("full", ("We will not sue.",)))
    letter = card(policy)
    assert len(letter.data) <= CAPS.full_bytes and "27 November 2026" in letter.text
    assert "We will not sue." not in letter.text, "what it depends on is not there"


def test_parts_are_exactly_those_that_were_meant() -> None:
    """AT-1: neither text nor file makes a further part, whatever either holds."""
    text = "--=_0\r\nContent-Type: text/html\r\n\r\n<script>\r\n--=_0--\n"
    data = compose([("Subject", "x")], text, [Enclosure("text/calendar; method=PUBLISH", "x.ics", text)])
    read = message_from_bytes(data, policy=email_policy.default)
    assert [p.get_content_type() for p in read.walk()] == ["multipart/mixed", "text/plain", "text/calendar"]
    assert read.defects == []
    with pytest.raises(UnsafeLetterError):
        compose([("Subject", "x")], "x", [Enclosure("text/calendar\r\nX-Evil: 1", "x.ics", "x")])


def test_a_date_of_the_researchers_own_is_the_date_in_the_card() -> None:
    """What shortens the deadlines shortens them in the first letter already."""
    policy = SHIPPED["good-faith-rules"]
    text = "SQL injection in /login, steps below. I will publish the details on 2026-12-20, whatever happens."
    found = {str(e["SUMMARY"]).split(": ")[1].split(" ")[0]: e["DTSTART"].dt for e in events(card(policy, text=text))}
    assert found["disclose"] == found["fix"] == date(2026, 12, 19)
