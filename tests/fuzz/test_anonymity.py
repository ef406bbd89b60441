"""Two hundred tickets of marked people; `make anonymity` plays as many as wanted. A leak that is planted is found in any form."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from random import Random
from urllib.parse import quote

import pytest
from sqlalchemy import Connection, select

from tests.fuzz.anonymity import Source, run
from tests.fuzz.anonymity_marks import Mark, Marks
from tests.tracker.tracked import Tracked
from triaged.tracker.schema import participant, person

pytestmark = pytest.mark.timeout(900)  # thirty seconds on two quiet cores

TICKETS, ROUNDS, SEED = 200, 4, 20261128


def test_no_artefact_of_two_hundred_tickets_holds_a_mark_that_no_consent_covers() -> None:
    """Law 7, and what is published: names, addresses, handles, phones, IP addresses, hosts, files."""
    tally = run(TICKETS, SEED, jobs=2, rounds=ROUNDS)
    print(tally)
    assert tally.problems == []
    tried = (tally.words, tally.named, tally.letters, tally.published, tally.rewards)
    assert tally.tickets == TICKETS and min(tried) > TICKETS // 10 and tally.taken_back, "nothing was tried"


def display_names(tracked: Tracked, tenant: str) -> Mapping[str, bytes]:
    return {"names": json.dumps([row.name for row in tracked.rows(person, tenant=tenant)]).encode()}


def names_without_asking_the_ledger(tracked: Tracked, tenant: str) -> Mapping[str, bytes]:
    return {"credits": "\n".join(row.credit for row in tracked.rows(participant)).encode()}


def test_a_planted_leak_is_found() -> None:
    planted = [
        Source(make, lambda name: ("hall", "advisory")) for make in (display_names, names_without_asking_the_ledger)
    ]
    problems = run(25, SEED, rounds=3, sources=planted).problems
    found = {one.partition(": ")[2].partition(" holds Mark(")[0] for one in problems}
    assert found == {"names", "credits"}


def test_a_site_that_does_not_ask_the_ledger_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def whoever_wrote(connection: Connection, *_: object) -> dict[int, tuple[str, ...]]:
        rows = select(participant.c.ticket_id, person.c.name).join(person, person.c.id == participant.c.person_id)
        return {row.ticket_id: (row.name,) for row in connection.execute(rows)}

    monkeypatch.setattr("triaged.tracker.consents.names_for", whoever_wrote)
    problems = run(12, SEED, rounds=4).problems
    for path in ("advisories/ims-", "csaf/white/2026/ims-", "csaf/clear/2026/ims-", ".osv.json", ".cve.json", ".md"):
        assert any(path in one and " holds Mark(kind='name'" in one for one in problems), path


def marked() -> tuple[Marks, Mark, str]:
    marks = Marks(Random(1))
    word = marks.word("credit", "noa@example.org")
    return marks, marks.by_key[word], word


FORMS = {
    "plain": lambda text: text,
    "upper case": lambda text: text.upper(),
    "accents": lambda text: text.replace("a", "á").replace("o", "ö"),
    "JSON": lambda text: json.dumps(text.replace("a", "á").replace("o", "ö")),
    "HTML": lambda text: html.escape(text).replace("z", "&#122;"),
    "HTML in JSON": lambda text: json.dumps("".join(f"&#x{ord(c):x};" for c in text)),
    "percent": lambda text: "".join(f"%{ord(c):02x}" for c in text),
    "percent of UTF-8": lambda text: quote(text.replace("o", "ö")),
    "quoted-printable": lambda text: f"{text[:5]}=\n{text[5:]}",
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 within": lambda text: base64.b64encode(f"xy{text} and more".encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(f"??>{text}".encode()).decode(),
    "base64 in lines": lambda text: base64.encodebytes(f"{'x' * 50}{text}".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_mark_is_found_however_it_is_written(form: str) -> None:
    marks, mark, word = marked()
    assert marks.found_in(f"before {FORMS[form](word)} after".encode()) == {mark}


def test_a_mark_is_found_in_headers_and_parts_of_a_mail() -> None:
    marks, mark, word = marked()
    encoded = base64.b64encode(f"{word} wrote".encode()).decode()
    for raw in (
        f"Message-ID: <a@b>\nSubject: =?utf-8?b?{encoded}?=\n\nx",
        f"Message-ID: <a@b>\nContent-Transfer-Encoding: base64\n\n{encoded}",
        f"Message-ID: <a@b>\nContent-Type: text/plain; name*0=x-{word[:6]}; name*1={word[6:]}\n\nx",
    ):
        assert mark in marks.found_in(raw.encode()), raw


def test_ip_addresses_and_phones_are_found_in_their_spellings() -> None:
    marks = Marks(Random(1))
    addresses = [marks.ip("noa@example.org") for _ in range(20)]
    for address in addresses:
        for shown in (address, address.upper(), f"[{address}]", address.replace(".", "[.]")):
            assert marks.found_in(f"from {shown};".encode()) == {marks.by_key[address]}
    phone = marks.phone("noa@example.org")
    for shown in (phone, phone.replace("-", " "), phone.replace("-", ""), phone.replace("-", ".")):
        assert {m.kind for m in marks.found_in(f"call {shown}!".encode())} == {"phone"}


def test_what_happens_follows_from_the_seed() -> None:
    one, other = run(5, 3, rounds=3), run(5, 3, rounds=3)
    assert (one.words, one.marks, one.letters, one.named) == (other.words, other.marks, other.letters, other.named)
