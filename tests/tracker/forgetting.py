"""A ticket that went through everything, full of strings that nobody else has, and where they are looked for afterwards."""

from __future__ import annotations

import base64
import hashlib
import quopri
import subprocess
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, insert

from tests.servers.process import binary
from tests.ticket.scene import MAILBOX, MEMBER, key, mail
from tests.tracker.test_commanding import HOUSE, RON, name, says
from tests.tracker.tracked import Tracked, open_tracker
from triaged.daemon.tending import desk_of
from triaged.message.content import content_sha256
from triaged.ticket.address import Role
from triaged.ticket.desk import Desk
from triaged.tracker import advisories
from triaged.tracker.disclosing import disclose_due
from triaged.tracker.engine import reading, writing
from triaged.tracker.erasures import perform
from triaged.tracker.schema import blob, consent, person, proposal, reward, ticket
from triaged.tracker.scope import Subject

ADDRESS = "Zelda.Quorvax@Marked-Host.example"
NAME = "Zeldá Quorvax"
SPOKEN = "Zelda Quorvax"
CREDIT = "The Quorvaxian"
PHONE = "+972 54-771 2398"
SUBJECT = "Plorkish overflow in the frobnicator"
FILE = "zq-proof-of-plork.txt"
INSIDE = "the marked inside of a file 4711x"
WORDS = (
    "The plorkish overflow lets anybody read the vaultish table.",
    "Later I found that glimmerous tokens never expire either.",
)
MARKS = (ADDRESS, NAME, SPOKEN, CREDIT, PHONE, SUBJECT, FILE, INSIDE, *WORDS, "plorkish", "glimmerous")
NEVER = frozenset({"Dana Levi", MEMBER, "Ron Katz", RON, MAILBOX})
FRIEND = "Ferdinand Ostwick <ferdi@other-host.example>"


def author() -> str:
    return f"=?utf-8?B?{base64.b64encode(NAME.encode()).decode()}?= <{ADDRESS}>"


def report(message_id: str = "<first@marked-host.example>") -> bytes:
    """With a file, a signature, and what its sender is called in encoded words."""
    text = f"{WORDS[0]}\nSteps: open https://app.example.test/vault\nPlease credit me as {CREDIT}.\n\n-- \n{NAME}\n{PHONE}\n"
    lines = [
        "Authentication-Results: mx.example.test; dmarc=pass header.from=marked-host.example",
        f"From: {author()}",
        f"To: {MAILBOX}",
        f"Subject: {SUBJECT}",
        f"Message-ID: {message_id}",
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        quopri.encodestring(text.encode()).decode().replace("\n", "\r\n"),
        "--b",
        f'Content-Type: text/plain; name="{FILE}"',
        f'Content-Disposition: attachment; filename="{FILE}"',
        "Content-Transfer-Encoding: base64",
        "",
        base64.b64encode(INSIDE.encode()).decode(),
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()


def follow_up(tracked: Tracked, text: str, number: int = 0) -> bytes:
    return mail(author(), key(name(tracked, number), Role.RESEARCHER), proven=True, subject=f"Re: {SUBJECT}", text=text)


def lived(engine: Engine, raw: bytes | None = None, desk: Desk = HOUSE) -> Tracked:
    """The marked ticket first, another researcher's second; both went through what a ticket can go through."""
    tracked = open_tracker(engine, desk)
    tracked.receive(raw or report())
    other = "There is a hole in the fence behind the greenhouse of your shop."
    tracked.receive(mail(FRIEND, proven=True, subject="A hole in the fence of the shop", text=other))
    tracked.send_all()
    tracked.receive(follow_up(tracked, WORDS[1]))
    tracked.receive(follow_up(tracked, f"CREDIT AS {CREDIT}"))
    tracked.receive(follow_up(tracked, "STATUS"))
    tracked.receive(mail("Eve <eve@evil.example>", key(name(tracked), Role.RESEARCHER), text=f"I know {SPOKEN} too."))
    says(tracked, f"/note\n\n{SPOKEN} called; the plorkish thing is real.")
    says(tracked, f"/assess accepted high\n\nThank you, {SPOKEN}. The plorkish overflow is real.")
    says(tracked, f"Dear {SPOKEN}, we work on glimmerous things.", role=Role.RESEARCHER)
    says(tracked, f"/breach {SPOKEN} went too far")
    says(tracked, f"/note\n\nThe same as what {SPOKEN} <{ADDRESS.upper()}> told us.", number=1)
    says(tracked, f"/waive update {SPOKEN} asked us not to write")
    says(tracked, "/nonsense")
    tracked.receive(report())  # a copy
    tracked.at += timedelta(minutes=5)
    tracked.live(tracked.at + timedelta(days=3))
    return _with_rows(tracked)


ADVISED = "Frobnicator accepts what it should not"
PENDING = "Quorvax at Google"
SAID_OF_IT = "Update the frobnicator to 2.3.1, and turn the old table off."


def published(tracked: Tracked) -> Tracked:
    """The first ticket goes all the way to its publication, as members and its researcher do it."""
    to = Role.RESEARCHER
    says(tracked, "/affects Frobnicator: before 2.3.1")
    says(tracked, f"/reward 500 EUR {SPOKEN} wrote it well")
    says(tracked, "/credit ask")
    tracked.later(minutes=3)
    tracked.send_all()
    code = tracked.rows(consent)[-1].code
    tracked.receive(follow_up(tracked, f"AGREE {code}"))
    says(tracked, f"/advisory {ADVISED}\n\n{SAID_OF_IT}")
    says(tracked, f"/draft\n\nDear {SPOKEN}, does this look right to you?")
    tracked.later(minutes=3)
    tracked.send_all()
    tracked.receive(mail(author(), key(name(tracked), to), proven=True, text=f"Fine, says {SPOKEN}."))
    says(tracked, "/disclose 2026-12-24")
    says(tracked, "/confirm disclose", by=RON)
    tracked.at = tracked.at.replace(year=2026, month=12, day=24, hour=9)
    desks = tracked.desks
    with writing(tracked.engine) as connection:
        found = advisories.candidates(connection, "default", desks, tracked.at)
        names = disclose_due(connection, found, lambda one: desk_of(one, desks), "", tracked.at, tracked.entropy)
    assert [one[-9:] for one in names] == ["2026-0001"], [one.why for one in found]
    tracked.send_all()
    tracked.later(hours=1)
    tracked.receive(follow_up(tracked, f"CREDIT AS {PENDING}"))
    tracked.later(hours=1)
    return tracked


def _with_rows(tracked: Tracked) -> Tracked:
    """What other parts of the program keep."""
    numbers = {row.address: row.id for row in tracked.rows(person)}
    who = numbers[ADDRESS.lower()]
    first = tracked.rows(ticket)[0].id
    at, common = tracked.at, {"ticket_id": first, "at": tracked.at}
    with writing(tracked.engine) as connection:
        given = {"person_id": who, "purpose": "share", "third_party": f"friends of {SPOKEN}", "state": "given"}
        connection.execute(insert(consent).values(**common, **given))
        paid = {
            "tenant": "default",
            "state": "declined",
            "why": f"for {SPOKEN}",
            "by": MEMBER,
            "reference": f"to {ADDRESS}",
        }
        connection.execute(insert(reward).values(**common, **paid))
        words = {"verb": "waive", "words": "x", "text": f"since {SPOKEN} said so", "by": MEMBER, "at": at}
        connection.execute(insert(proposal).values(ticket_id=first, **words))
    return tracked


def forget(tracked: Tracked, address: str = ADDRESS, token: str = "") -> dict[str, object]:
    subject = Subject("default", "" if token else address.lower(), token)
    done = perform(tracked.engine, subject, NEVER, MEMBER, tracked.at, tracked.entropy)
    assert done is not None
    return done


def forms(marks: tuple[str, ...]) -> list[bytes]:
    """Each mark as it can stand in a file: any case, UTF-8, quoted-printable, base64 at each place, as a hash."""
    found: set[bytes] = set()
    for one in marks:
        for text in {one, one.lower(), one.upper()}:
            found |= {text.encode(), quopri.encodestring(text.encode()).strip(), text.encode("utf-16-le")}
            found |= {base64.b64encode(bytes(n) + text.encode())[4 if n else 0 :][:-4][2:] for n in range(3)}
            found.add(hashlib.sha256(text.encode()).hexdigest().encode())
    return [one for one in found if len(one) > 5]


def hashes(*raws: bytes) -> list[bytes]:
    """Plain hashes that would tell whether a message was among them."""
    return [d.encode() for raw in raws for d in (hashlib.sha256(raw).hexdigest(), content_sha256(raw))]


def everything(engine: Engine) -> dict[str, bytes]:
    """The database's own files, and a fresh dump."""
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        files = {p.name: p.read_bytes() for p in path.parent.glob(path.name + "*")}
        dump = subprocess.run(
            [binary("sqlite3", "apt-get install sqlite3"), str(path), ".dump"], capture_output=True, check=True
        )
        return {**files, "dump": dump.stdout, "blobs": _blobs(engine)}
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    dump = subprocess.run([binary("pg_dump", "apt-get install postgresql"), url], capture_output=True, check=True)
    return {"dump": dump.stdout, "blobs": _blobs(engine)}


def _blobs(engine: Engine) -> bytes:
    """Dumps write bytes as hexadecimal."""
    with reading(engine) as connection:
        return b"\n".join(connection.execute(blob.select().with_only_columns(blob.c.data)).scalars())


def remains(engine: Engine, wanted: list[bytes]) -> list[str]:
    """Which of them are found, and where."""
    found = []
    for place, data in everything(engine).items():
        lower = data.lower()
        found += [f"{place}: {one!r}" for one in wanted if one in data or one.lower() in lower]
    return sorted(found)
