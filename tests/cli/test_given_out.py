"""What is given out: to the person whose data it is, and to a coordinator without the people."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from tests.cli.conftest import Triaged
from tests.conftest import installed
from tests.tracker.forgetting import ADDRESS, FRIEND, INSIDE, NAME, PHONE, SPOKEN, WORDS, report
from triaged.daemon.clock import real
from triaged.tracker.engine import connect, reading, writing
from triaged.tracker.schema import consent, participant, person, ticket


@pytest.fixture
def ref(triaged: Triaged, installation: Path) -> str:
    """A marked ticket with a second researcher on it, a note, and a letter."""
    box = installation / "box"
    box.mkdir()
    (box / "1.eml").write_bytes(report())
    assert triaged("import", box, "--mailbox", "security", "--clocks", "--letters").code == 0
    found = str(triaged("ticket", "list", "--json").document[0]["ref"])
    note = installation / "note"
    note.write_text("A secret note of the team.")
    assert triaged("ticket", "note", found, "--text", note).code == 0
    assert triaged("ticket", "add", found, FRIEND.rpartition("<")[2].strip(">")).code == 0
    note.write_text("Thank you both, Ferdinand Ostwick and you.")
    assert triaged("ticket", "reply", found, "--text", note).code == 0
    return found


def holding(data: bytes, *marks: str) -> list[str]:
    low = data.decode("utf-8", "replace").lower()
    return [mark for mark in marks if mark.lower() in low]


def test_a_person_is_given_all_that_is_held_of_them_and_nothing_of_others(
    triaged: Triaged, ref: str, installation: Path
) -> None:
    out = installation / "export.zip"
    said = triaged("export", ADDRESS, "--out", out, "--as", "Dana Levi")
    assert said.code == 0, said.err
    with zipfile.ZipFile(out) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert report() in files.values(), "the raw message that they sent"
    document = json.loads(files["export.json"])
    (one,) = document["tickets"]
    assert (one["ref"], one["role"]) == (ref, "reporter")
    assert {m["direction"] for m in one["messages"]} == {"in", "out"}
    assert WORDS[0] in one["messages"][0]["text"] and one["messages"][0]["attachments"][0]["size"] == len(INSIDE)
    assert holding(files["export.json"], "secret note", "ferdi@other-host.example", "Dana") == []
    folder = installation / "folder"
    assert triaged("export", ADDRESS.upper(), "--out", folder).code == 0
    assert (folder / "export.json").is_file()
    assert triaged("export", ADDRESS, "--out", folder).code == 1, "a folder that is in use is not written into"
    assert triaged("export", "nobody@example.org", "--out", installation / "x.zip").code == 1
    assert triaged("audit", "--offline").code == 0


def test_a_coordinator_gets_the_report_without_who_reported_it(triaged: Triaged, ref: str, installation: Path) -> None:
    installed("openssl", "apt-get install openssl")
    out, folder = installation / "bundle.zip", installation / "bundle"
    said = triaged("handover", ref, "--to", "CERT Zelduria", "--out", out, "--as", "Dana Levi", "--words")
    assert said.code == 0, said.err
    with zipfile.ZipFile(out) as archive:
        archive.extractall(folder)
    for file in folder.rglob("*"):
        assert holding(file.read_bytes(), ADDRESS, NAME, SPOKEN, PHONE, "quorvax", "secret note", INSIDE) == [], file
    document = json.loads((folder / "report.json").read_text())
    assert "[taken out]" in document["messages"][0]["text"] and WORDS[0] in document["messages"][0]["text"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["sha256"]) == {"report.json", "report.txt"}
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    words = "openssl pkeyutl -verify -pubin -rawin -inkey key.pem -sigfile manifest.json.sig -in manifest.json"
    checked = words.split()  # as an outsider writes it
    subprocess.run(checked, cwd=folder, check=True, capture_output=True)
    events = triaged("ticket", "show", ref, "--json").document["events"]
    assert next(e["data"]["to"] for e in events if e["kind"] == "handed_over") == "CERT Zelduria"


def test_words_of_who_did_not_agree_are_not_handed_over(triaged: Triaged, ref: str, installation: Path) -> None:
    """What tells without a cue who somebody is can't be known: "I am quorvax elsewhere"."""
    out = installation / "bundle.zip"
    assert triaged("handover", ref, "--to", "CERT Zelduria", "--out", out).code == 0
    with zipfile.ZipFile(out) as archive:
        document = json.loads(archive.read("report.json"))
        assert WORDS[0] not in archive.read("report.txt").decode()
    assert document["messages"] == [] and document["timeline"] and document["reference"] == ref


def test_only_who_agreed_to_exactly_that_party_is_named_to_it(triaged: Triaged, ref: str, installation: Path) -> None:
    engine = connect(f"sqlite:///{installation / 'triaged.db'}")
    with writing(engine) as connection:
        who = connection.execute(select(person.c.id).where(person.c.address == ADDRESS.lower())).scalar_one()
        on = connection.execute(select(ticket.c.id)).scalar_one()
        row = {"ticket_id": on, "person_id": who, "purpose": "share", "third_party": "CERT Zelduria", "state": "given"}
        connection.execute(insert(consent).values(**row, proven=True, at=real()))
    out = installation / "bundle.zip"
    assert triaged("handover", ref, "--to", "CERT Other", "--out", out).code == 0
    assert "people.json" not in zipfile.ZipFile(out).namelist()
    assert triaged("handover", ref, "--to", "CERT Zelduria", "--out", out, "--attachments").code == 0
    with zipfile.ZipFile(out) as archive:
        assert json.loads(archive.read("people.json"))["people"][0]["address"] == ADDRESS.lower()
        assert archive.read("attachments/1.txt").decode() == INSIDE
    with writing(engine) as connection:
        connection.execute(participant.update().values(anonymous=True))
    assert triaged("handover", ref, "--to", "CERT Zelduria", "--out", out).code == 0
    with zipfile.ZipFile(out) as archive:
        assert holding(b"".join(archive.read(n) for n in archive.namelist()), ADDRESS, SPOKEN) == []
    with reading(engine) as connection:
        assert connection.execute(select(consent.c.id)).all()
    engine.dispose()


@pytest.mark.parametrize("to", ["", "  ", "x" * 201, "a\nb\x07"])
def test_a_party_without_a_name_gets_nothing(triaged: Triaged, ref: str, installation: Path, to: str) -> None:
    out = installation / "bundle.zip"
    said = triaged("handover", ref, "--to", to, "--out", out)
    assert said.code != 0 and not out.exists()
