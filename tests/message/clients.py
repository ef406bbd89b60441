"""Writes tests/cases/clients anew: what each mail client makes of the same answers to a hostile letter.

    python -m tests.message.clients [--real]

With --real, mutt and Thunderbird compose theirs themselves; without, those files stay as they are.
"""

from __future__ import annotations

import argparse
import time
import tomllib
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path

from tests.message.composing import CLIENTS, DANA, Original, message
from tests.servers import mutt
from tests.servers.sink import sink
from tests.servers.thunderbird import BOTH, HTML, thunderbird

CASES = Path(__file__).resolve().parents[1] / "cases" / "clients"
REAL = ("mutt", "thunderbird", "thunderbird-html", "thunderbird-both")  # composed by the program itself
STRANGER = CASES / "stranger.eml"
LETTER = CASES / "letter.eml"
VOUCHED = b"Authentication-Results: mx.example.test; dmarc=pass header.from=example.test\r\n"


def answers() -> dict[str, dict[str, object]]:
    """What the member types in each case, and what is to be read."""
    with (CASES / "expected.toml").open("rb") as file:
        return tomllib.load(file)


def original(path: Path) -> Original:
    """The message as the client that answers it knows it."""
    read = message_from_bytes(path.read_bytes())
    [(name, address)] = getaddresses(read.get_all("From", []))
    payload = read.get_payload(decode=True)
    assert isinstance(payload, bytes)
    at = parsedate_to_datetime(read["Date"]) if read["Date"] else datetime(2026, 11, 20, 9, 12, tzinfo=UTC)
    text = payload.decode().replace("\r\n", "\n").rstrip("\n")
    references = tuple(read.get("References", "").split())
    return Original(name, address, read["To"], read["Subject"], at, read["Message-ID"], references, text)


def composed() -> dict[str, bytes]:
    """The files whose shape is written by hand, by name."""
    found = {}
    to = message_from_bytes(LETTER.read_bytes())["Reply-To"]
    for name in (name for name in CLIENTS if name not in REAL):
        for case, answer in answers().items():
            client, forwarded = CLIENTS[name], bool(answer["forward"])
            about = original(STRANGER if forwarded else LETTER)
            bodies = (client.forward if forwarded else client.reply)(str(answer["typed"]), about)
            sent_to = "security@example.test" if forwarded else to
            found[f"{name}.{case}.eml"] = message(client, bodies, about, to=sent_to, forwarded=forwarded)
    return found


def by_mutt() -> dict[str, bytes]:
    found = {}
    with sink() as server:
        for case, answer in answers().items():
            text, sender = str(answer["typed"]), f"Dana Levi <{DANA}>"
            if answer["forward"]:
                mutt.forward(STRANGER.read_bytes(), text, sender, "security@example.test", server.port)
            else:
                mutt.reply(LETTER.read_bytes(), text, sender, server.port)
            found[f"mutt.{case}.eml"] = VOUCHED + server.wait_for(len(found) + 1)[-1].data
    return found


def by_thunderbird() -> dict[str, bytes]:
    found = {}
    with sink() as server:
        for name, html, how in (
            ("thunderbird", False, BOTH), ("thunderbird-html", True, HTML), ("thunderbird-both", True, BOTH),
        ):  # fmt: skip
            for path, forwarded in ((LETTER, False), (STRANGER, True)):
                with thunderbird(path.read_bytes(), "Dana Levi", DANA, server.port, send_format=how) as client:
                    for case, answer in answers().items():
                        if bool(answer["forward"]) is forwarded:
                            kind, to = (
                                ("ForwardInline", "security@example.test") if forwarded else ("ReplyToSender", "")
                            )
                            client.compose(kind, str(answer["typed"]), html=html, to=to)
                            found[f"{name}.{case}.eml"] = VOUCHED + server.wait_for(len(found) + 1)[-1].data
                time.sleep(1)  # until its port is free
    return found


def main() -> None:
    """Write them."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--real", action="store_true")
    files = composed()
    if arguments.parse_args().real:
        files |= by_mutt() | by_thunderbird()
    for name, data in files.items():
        (CASES / name).write_bytes(data)
    print(f"{len(files)} files written")


if __name__ == "__main__":
    main()
