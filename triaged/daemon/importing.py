"""Mail from files into receipts, then through the same reading and deciding as mail from a mailbox."""

from __future__ import annotations

import hashlib
import mailbox as mailboxes
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from sqlalchemy import select

from triaged.daemon import clock
from triaged.daemon.house import House, open_house
from triaged.daemon.intake import take_in
from triaged.daemon.studying import study_some
from triaged.settings.model import Settings
from triaged.tracker import leases
from triaged.tracker.engine import reading, writing
from triaged.tracker.imported import keep_imported
from triaged.tracker.schema import receipt

BATCH = 50
SUFFIXES = frozenset({".eml", ".mbox", ".msg", ".txt", ".mail", ""})


@dataclass(frozen=True, slots=True)
class Found:
    """One message in a file."""

    place: str  # names it within PATH; the same at every import
    raw: bytes
    date: datetime  # its own Date, else the file's


def import_path(
    settings: Settings, mailbox: str, path: Path, *, clocks: bool, letters: bool, progress: Callable[[int], None]
) -> dict[str, int]:
    """Take in all messages under `path`; how many had which outcome."""
    house = open_house(settings)
    try:
        ids = _store(house, mailbox, path, clocks, letters, progress)
        intake = house.intake()
        while take_in(intake):
            pass
        studio = house.studio()
        while study_some(studio):
            pass
        return _outcomes(house, ids)
    finally:
        with writing(house.engine) as connection:
            leases.give_up(connection, house.owner)
        house.engine.dispose()


def _store(
    house: House, mailbox: str, path: Path, clocks: bool, letters: bool, progress: Callable[[int], None]
) -> list[int]:
    ids: list[int] = []
    block: list[Found] = []
    folder = f"import {hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    tenant = next(m.tenant for m in house.settings.mailboxes if m.name == mailbox)
    limit = house.settings.limits.message_bytes

    def keep() -> None:
        with writing(house.engine) as connection:
            rows = [(f.place, f.raw[:limit], len(f.raw), f.date) for f in block]
            ids.extend(keep_imported(connection, tenant, mailbox, folder, rows, clocks, letters, clock.real()))

    for number, found in enumerate(messages(path), start=1):
        block.append(found)
        if len(block) == BATCH or sum(len(f.raw) for f in block) > house.settings.limits.fetch_bytes:
            keep()
            block.clear()
        progress(number)
    keep()
    return ids


def _outcomes(house: House, ids: list[int]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    with reading(house.engine) as connection:
        for start in range(0, len(ids), 500):
            block = ids[start : start + 500]
            found = connection.execute(select(receipt.c.outcome).where(receipt.c.id.in_(block)))
            counted.update(found.scalars())
    return dict(counted)


def messages(path: Path) -> Iterator[Found]:
    """Every message under `path`: an mbox, a Maildir, one message, or a folder of any of them."""
    if path.is_file():
        yield from _file(path)
    elif all((path / name).is_dir() for name in ("cur", "new")):
        yield from _maildir(path)
    else:
        for inner in sorted(path.iterdir()):
            if inner.is_dir() and not inner.is_symlink():
                yield from messages(inner)
            elif inner.is_file() and inner.suffix.lower() in SUFFIXES:
                yield from _file(inner)


def _file(path: Path) -> Iterator[Found]:
    with path.open("rb") as opened:
        start = opened.read(5)
    if start == b"From " and path.suffix.lower() != ".eml":
        box = mailboxes.mbox(str(path), create=False)
        try:
            for key in box.iterkeys():
                yield _found(f"{path}#{key}", box.get_bytes(key), path)
        finally:
            box.close()
    else:
        yield _found(str(path), path.read_bytes(), path)


def _maildir(path: Path) -> Iterator[Found]:
    for inner in sorted((*(path / "cur").iterdir(), *(path / "new").iterdir()), key=lambda p: p.name):
        if inner.is_file():
            yield _found(str(inner), inner.read_bytes(), inner)


def _found(place: str, raw: bytes, path: Path) -> Found:
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Found(place, raw, min(_date(raw) or written, clock.real()))


def _date(raw: bytes) -> datetime | None:
    """The Date field: for a file there is no better witness of when it came."""
    head = raw[:65536].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    line = next((part for part in head.split(b"\n") if part[:5].lower() == b"date:"), b"")
    try:
        date = parsedate_to_datetime(line[5:200].decode("ascii", "replace").strip())
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
