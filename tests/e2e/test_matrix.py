"""Who writes to which address, naming which message: for every combination, through the whole program, who gets mail of it."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

import pytest

from tests.e2e.installation import Installation, installation, parsed, report
from tests.e2e.watched import Mail, Seen, Took, Watch
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Server
from triaged.ticket.reference import token_of

pytestmark = pytest.mark.timeout(300)

SENDERS = ("researcher", "participant", "stranger", "member", "member unproven", "own address")
ADDRESSES = ("plain", "researcher key", "team key", "another's key", "garbled key")
THREADS = ("to researcher", "to team", "another's", "none", "forged")
ANY = {*SENDERS, *ADDRESSES, *THREADS}
OURS = {"to researcher", "to team"}
KEYS = {"researcher key", "team key"}
THEIRS = {"researcher", "participant"}
NOBODYS = {"stranger", "own address"}

# The first row that fits decides. Sender, address, message that it names: what becomes of it, on which ticket, and every mail
# that anybody gets of it ("whose mailbox: kind"). Whoever isn't named gets none.
TABLE = [
    # The address decides before what is named (TH-1). A participant is heard at the researcher's address of their ticket.
    (THEIRS, {"researcher key"}, ANY, "appended, its ticket", "team: relay"),
    (THEIRS, {"team key"}, ANY, "held, its ticket", "team: relay"),
    (THEIRS, {"another's key"}, ANY, "held, another's ticket", "team: relay"),
    # A member acts where they are proven; the address says who reads it (AT-29, AT-31).
    ({"member"}, {"researcher key"}, ANY, "appended, its ticket",
     "researcher: answer, participant: answer, member: done, team: done"),
    ({"member"}, {"another's key"}, ANY, "appended, another's ticket",
     "another's researcher: answer, member: done, team: done"),
    ({"member"}, {"team key"}, ANY, "appended, its ticket", "team: note"),
    ({"member unproven"}, KEYS, ANY, "held, its ticket", "member: not_sent"),
    ({"member unproven"}, {"another's key"}, ANY, "held, another's ticket", "member: not_sent"),
    # Anybody else at a key: it proves knowledge, not identity (TH-2).
    (NOBODYS, KEYS, ANY, "held, its ticket", "team: relay"),
    (NOBODYS, {"another's key"}, ANY, "held, another's ticket", "team: relay"),
    # No key that counts: a message that is named decides. Of a letter to the team, only the team may.
    (THEIRS, ANY, {"to researcher"}, "appended, its ticket", "team: relay"),
    (THEIRS, ANY, {"to team"}, "held, its ticket", "team: relay"),
    (THEIRS, ANY, {"another's"}, "ticket, a new one", "team: relay"),
    ({"member"}, ANY, OURS, "appended, its ticket", "team: note"),
    ({"member"}, ANY, {"another's"}, "appended, another's ticket", "team: note"),
    ({"member unproven"}, ANY, OURS, "held, its ticket", "member: not_sent"),
    ({"member unproven"}, ANY, {"another's"}, "held, another's ticket", "member: not_sent"),
    (NOBODYS, ANY, {*OURS, "another's"}, "ticket, a new one", "team: relay"),
    # What names nothing of ours is a report of its own. Nobody of ours is answered by a machine (AR-3).
    ({"researcher"}, ANY, ANY, "ticket, a new one", "researcher: acknowledgement, team: relay"),
    ({"participant"}, ANY, ANY, "ticket, a new one", "participant: acknowledgement_minimal, team: relay"),
    ({"stranger"}, ANY, ANY, "ticket, a new one", "stranger: acknowledgement_minimal, team: relay"),
    (ANY, ANY, ANY, "ticket, a new one", "team: relay"),
]  # fmt: skip


# The same without keyed addresses: a letter of ours that is named decides alone, and `relay` is our letter that relays the
# report to the team, whose answer goes to the researcher (TH-7). Each ticket has a participant besides its researcher.
PLAIN_THREADS = ("to researcher", "relay", "to team", "another's", "none", "forged")
PLAIN_TABLE = [
    (THEIRS, ANY, {"to researcher", "relay"}, "appended, its ticket", "team: relay"),
    (THEIRS, ANY, {"to team"}, "held, its ticket", "team: relay"),
    (THEIRS, ANY, {"another's"}, "held, another's ticket", "team: relay"),
    ({"member"}, ANY, {"to researcher", "relay"}, "appended, its ticket",
     "researcher: answer, participant: answer, member: done, team: done"),
    ({"member"}, ANY, {"to team"}, "appended, its ticket", "team: note"),
    ({"member"}, ANY, {"another's"}, "appended, another's ticket",
     "another's researcher: answer, member: done, team: done"),
    ({"member unproven"}, ANY, {"to researcher", "relay", "to team"}, "held, its ticket", "member: not_sent"),
    ({"member unproven"}, ANY, {"another's"}, "held, another's ticket", "member: not_sent"),
    (NOBODYS, ANY, {"to researcher", "relay", "to team"}, "held, its ticket", "team: relay"),
    (NOBODYS, ANY, {"another's"}, "held, another's ticket", "team: relay"),
    ({"researcher"}, ANY, ANY, "ticket, a new one", "researcher: acknowledgement, team: relay"),
    ({"participant"}, ANY, ANY, "ticket, a new one", "participant: acknowledgement_minimal, team: relay"),
    ({"stranger"}, ANY, ANY, "ticket, a new one", "stranger: acknowledgement_minimal, team: relay"),
    (ANY, ANY, ANY, "ticket, a new one", "team: relay"),
]  # fmt: skip
EVERY = tuple(product(SENDERS, ADDRESSES, THREADS))
SOME = EVERY[::7]  # each sender with each address and each message; all of them on SQLite
PLAIN = tuple(product(SENDERS, ("plain",), PLAIN_THREADS))

SECRET = re.compile(r"quagga\d{3}zebra")
TEAM_KEY = re.compile(r"To write to the team only: (\S+)")
MORE = """\
acknowledgements_unproven_per_hour = 1000

[[team.member]]
name = "Omer Katz"
address = "{lead}"
role = "lead"
notify = "board"
"""


@dataclass
class Cell:
    """One combination, with people, a ticket and another's ticket of its own."""

    number: int
    sender: str
    address: str
    thread: str
    house: Installation
    ref: str = ""  # of its ticket
    others: str = ""  # of another's
    keys: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    message_id: str = ""  # of the mail of this combination

    def __str__(self) -> str:
        return f"{self.sender} | {self.address} | {self.thread}"

    def of(self, who: str, domain: str = "elsewhere.test") -> str:
        return f"{who}.c{self.number}.{self.house.name}@{domain}"

    @property
    def researcher(self) -> str:
        return self.of("noa", "proven.test")

    @property
    def other(self) -> str:
        return self.of("lev", "proven.test")

    @property
    def needs_another(self) -> bool:
        return "another's" in (self.address.removesuffix(" key"), self.thread)

    def people(self) -> dict[str, str]:
        """Mailbox -> whose it is."""
        theirs = {self.researcher: "researcher", self.other: "another's researcher"}
        ours = {self.house.member: "member", self.house.team: "team"}
        return theirs | {self.of("friend"): "participant", self.of("mal"): "stranger"} | ours

    def reports(self) -> Iterator[Mail]:
        """Of its researcher, and of another."""
        for author in (self.researcher, self.other) if self.needs_another else (self.researcher,):
            yield Mail(report(author, self.house.address), author, self.house.address)

    def learns(self, seen: list[Seen]) -> None:
        """Keys and Message-IDs of the letters of its tickets."""
        mine = {one.mailbox: one for one in seen if one.template == "acknowledgement"}
        self.ref = mine[self.researcher].ref
        self.ids["to researcher"] = mine[self.researcher].message_id
        if self.needs_another:
            self.others = mine[self.other].ref
            self.ids["another's"] = mine[self.other].message_id
        [relay] = [one for one in seen if one.template == "relay" and one.ref == self.ref]
        self.ids["relay"] = relay.message_id
        if self.house.values["plus"]:
            self.learns_keys(mine, relay)

    def learns_keys(self, mine: Mapping[str, Seen], relay: Seen) -> None:
        found = TEAM_KEY.search(relay.text)
        assert found
        self.keys["team key"] = found[1]
        self.keys["researcher key"] = reply_to(mine[self.researcher])
        self.keys["garbled key"] = garbled(self.keys["researcher key"])
        if self.needs_another:
            self.keys["another's key"] = reply_to(mine[self.other])

    def prepares(self) -> Iterator[Mail]:
        """A member lets a colleague of the researcher take part: from then on the team has a mail that is only its own."""
        if self.sender in ("participant", "member") or self.thread == "to team":
            member, to = self.house.member, self.keys.get("team key", self.house.address)
            raw = report(member, to, "Re: it", f"/add {self.of('friend')}", In_Reply_To=self.ids["relay"])
            yield Mail(raw, member, to)

    def mail(self) -> Mail:
        """What this combination is about."""
        authors = {
            "researcher": (self.researcher, self.researcher),
            "participant": (self.of("friend"), self.of("friend")),
            "stranger": (self.of("mal"), self.of("mal")),
            "member": (self.house.member, self.house.member),
            "member unproven": (self.house.member, self.of("mal")),
            "own address": (self.house.address, self.of("mal")),
        }
        author, envelope = authors[self.sender]
        to = self.keys[self.address] if self.address != "plain" else self.house.address
        named = self.ids.get(self.thread, "")
        if self.thread == "forged":
            named = f"<{uuid.uuid4().hex}@ims-network.net>"
        fields = {"In_Reply_To": named, "References": named} if named else {}
        subject = f"Re: XSS in the login form {self.ref if self.thread == 'forged' else ''}".strip()
        raw = report(author, to, subject, f"Words {secret(self)} of this combination alone.", **fields)
        forged = f"Authentication-Results: mx.example.test; dmarc=pass header.from={author.rpartition('@')[2]}\r\n"
        self.message_id = str(parsed(raw)["Message-ID"])
        return Mail(forged.encode() * (author != envelope) + raw, envelope, to)


def secret(cell: Cell) -> str:
    """Words that stand in this combination's mail alone."""
    return f"quagga{cell.number:03}zebra"


def reply_to(seen: Seen) -> str:
    return str(parsed(seen.raw)["Reply-To"].addresses[0].addr_spec)


def garbled(keyed: str) -> str:
    head, _, mac = keyed.rpartition(".r.")
    return f"{head}.r.{'0' * 16}{mac[16:]}"


Table = list[tuple[set[str], set[str], set[str], str, str]]


@dataclass(frozen=True)
class Played:
    """What came of all combinations."""

    table: Table
    cells: list[Cell]
    took: Mapping[str, list[Took]]
    seen: list[Seen]  # since the mails of the combinations went off


def play(house: Installation, table: Table, combinations: Iterable[tuple[str, str, str]]) -> Played:
    """All combinations in three passes of the program."""
    watch = Watch(house)
    cells = [Cell(number, *which, house) for number, which in enumerate(combinations)]
    watch.pass_of(mail for cell in cells for mail in cell.reports())
    acknowledged = watch.seen()
    for cell in cells:
        cell.learns(acknowledged)
    watch.pass_of(mail for cell in cells for mail in cell.prepares())
    before = watch.seen()
    done = {one.ref: one.message_id for one in before if one.template == "done" and one.mailbox == house.team}
    for cell in cells:
        cell.ids["to team"] = done.get(cell.ref, "")
    watch.pass_of(cell.mail() for cell in cells)
    return Played(table, cells, watch.took(), [one for one in watch.seen() if one not in before])


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL, some", "without keyed addresses"])
def played(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    dovecot: Dovecot,
    mail_server: Server,
) -> Iterator[Played]:
    directory = tmp_path_factory.mktemp("matrix")
    mail_server.prove()
    ports = (mail_server.mx_port, mail_server.submission_port)
    with contextlib.ExitStack() as stack:
        url = f"sqlite:///{directory}/triaged.db"
        if request.param.startswith("PostgreSQL"):
            url = stack.enter_context(request.getfixturevalue("postgres").database())
        house = installation(directory, url, dovecot, *ports, uuid.uuid4().hex[:10])
        if request.param.startswith("without"):
            house.write(plus=False, envelope="address")
        with house.config.open("a") as config:
            config.write(MORE.format(lead=f"omer.{house.name}@example.test"))
        yield {
            "SQLite": lambda: play(house, TABLE, EVERY),
            "PostgreSQL, some": lambda: play(house, TABLE, SOME),
            "without keyed addresses": lambda: play(house, PLAIN_TABLE, PLAIN),
        }[request.param]()


def row_of(cell: Cell, table: Table) -> int:
    which = (cell.sender, cell.address, cell.thread)
    fits = (all(value in values for value, values in zip(which, row, strict=False)) for row in table)
    return next(number for number, fit in enumerate(fits) if fit)


def expected(cell: Cell, played: Played) -> tuple[str, str]:
    return played.table[row_of(cell, played.table)][3:]


def became(cell: Cell, played: Played) -> tuple[str, str]:
    """Outcome and ticket; every mail that anybody got on that ticket since."""
    [took] = played.took[cell.message_id]
    where = {cell.ref: "its ticket", cell.others: "another's ticket", "": "nowhere"}.get(took.ref, "a new one")
    people = cell.people()
    mails = [f"{people.get(s.mailbox, s.mailbox)}: {s.template}" for s in played.seen if s.ref == took.ref]
    order = list(people.values())
    mails.sort(key=lambda mail: order.index(mail.partition(":")[0]) if mail.partition(":")[0] in order else 99)
    return f"{took.outcome}, {where}", ", ".join(mails)


def listed(mails: str) -> list[str]:
    return sorted(mails.split(", "))


@pytest.mark.parametrize("sender", SENDERS)
def test_every_combination_becomes_what_the_table_says(played: Played, sender: str) -> None:
    """TH-1, TH-2, AR-3, AR-9, AU-4, AT-3, AT-5, AT-6, AT-29, AT-31."""
    for cell in played.cells:
        if cell.sender == sender:
            outcome, mails = became(cell, played)
            assert (outcome, listed(mails)) == (expected(cell, played)[0], listed(expected(cell, played)[1])), str(cell)


def test_nobody_but_whom_the_table_names_got_any_mail(played: Played) -> None:
    """Every mail in every mailbox of the server is one of a row's; none is left over."""
    counted = sum(len(listed(expected(cell, played)[1])) for cell in played.cells)
    assert [one for one in played.seen if not one.template] == []
    assert len(played.seen) == counted


def test_words_of_one_combination_reach_only_its_own_readers(played: Played) -> None:
    """Law 7: looked for in every byte of every mailbox, decoded as well."""
    owners = {ref: c for c in played.cells for ref in (c.ref, c.others, played.took[c.message_id][0].ref) if ref}
    for one in played.seen:
        cell, plain = owners[one.ref], one.plain.lower()
        assert set(SECRET.findall(plain)) <= {secret(cell)}, f"{one.template} to {one.mailbox}"
        if one.audience == "researcher":
            a_researcher_reads_nothing_of_the_inside(cell, one, plain)


def a_researcher_reads_nothing_of_the_inside(cell: Cell, one: Seen, plain: str) -> None:
    """Of the members' words, only an answer's; of their addresses, keys and names, nothing."""
    assert (secret(cell) in plain) == (one.template == "answer")
    for inside in (
        cell.house.team,
        cell.house.member,
        "dana",
        "omer",
        "team only",
        "to researcher",
        f"+{token_of(one.ref)}.t.",
    ):
        assert inside not in plain, f"{inside} in {one.template} to {one.mailbox}"


@pytest.mark.parametrize(("table", "combinations"), [(TABLE, EVERY), (PLAIN_TABLE, PLAIN)])
def test_every_row_of_a_table_decides_something(table: Table, combinations: tuple[tuple[str, str, str], ...]) -> None:
    used = {
        next(i for i, row in enumerate(table) if all(a in b for a, b in zip(c, row, strict=False)))
        for c in combinations
    }
    assert used == set(range(len(table)))
