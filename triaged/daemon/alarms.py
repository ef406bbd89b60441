"""What is amiss, and what is to be said of it: states in, alarms out. Sends nothing, remembers nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from triaged.daemon.health import Place
from triaged.tracker.measuring import Measures, Running

AGAIN = timedelta(days=1)  # between two mails about one trouble that goes on
SUSPECTED = timedelta(minutes=5)  # that a part or the database may fail before it is an alarm
STEADY = timedelta(minutes=5)  # that a part must run for to be well again: one that dies at once runs in between
DATABASE = "database"
OUTBOX = "outbox"
DISK = "disk"

Said = Mapping[str, datetime]  # key of a trouble -> when ops heard of it last
Suspected = Mapping[str, datetime]  # key -> since when


@dataclass(frozen=True, slots=True)
class Bounds:
    """From when on something is amiss: [ops]."""

    unswept: timedelta
    outbox: timedelta
    disk: int  # octets that must be free


@dataclass(frozen=True, slots=True)
class State:
    """How it stands."""

    now: datetime
    began: datetime  # this process: what stood still while none ran gets its time to move
    measures: Measures | None  # None: the database did not answer
    folders: tuple[Place, ...]
    disk_free: int | None  # octets; None where nobody can tell


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is amiss. The key stays the same while it lasts."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Saying:
    """What ops are to hear now."""

    begun: tuple[Trouble, ...]
    still: tuple[Trouble, ...]  # heard of a day ago
    over: tuple[str, ...]  # keys

    def __bool__(self) -> bool:
        return bool(self.begun or self.still or self.over)


def saying(troubles: Iterable[Trouble], said: Said, now: datetime) -> Saying:
    """Each trouble once, again after a day, and its end. A clock that was set back is no reason to be silent for longer."""
    all_now = tuple(troubles)
    begun = tuple(t for t in all_now if t.key not in said)
    still = tuple(t for t in all_now if t.key in said and abs(now - said[t.key]) >= AGAIN)
    return Saying(begun, still, tuple(sorted(said.keys() - {t.key for t in all_now})))


def suspects(state: State, before: Suspected, said: Said) -> dict[str, datetime]:
    """Since when each part, or the database, has been failing. What was said already is suspected by whoever starts."""
    known = {**said, **before}
    if state.measures is None:  # nothing is heard of the parts: what was suspected of them stands
        return {**before, DATABASE: known.get(DATABASE, state.now)}
    amiss = {part_key(p): p for p in state.measures.parts if not p.name.startswith("watch ")}  # a sweep's absence tells
    return {key: known.get(key, state.now) for key, p in amiss.items() if _fails(p, key in known, state.now)}


def part_key(part: Running) -> str:
    return f"part {part.name}"


def _fails(part: Running, suspected: bool, now: datetime) -> bool:
    return part.state == "failing" or (suspected and part.state == "running" and now - part.since < STEADY)


def troubles(state: State, bounds: Bounds, suspected: Suspected, said: Said) -> list[Trouble]:
    """All that is amiss."""
    found = _disk(state, bounds, said)
    for key, since in suspected.items():
        if key in said or state.now - since >= SUSPECTED:
            found.append(Trouble(key, _failing(key, state)))
    if state.measures is None:  # nothing is known of the rest: what was said of it stands
        kept = said.keys() - {trouble.key for trouble in found} - {DISK, DATABASE}
        return found + [Trouble(key, f"{key}: as before, for all that is known") for key in sorted(kept)]
    return found + _unswept(state, state.measures, bounds, said) + _outbox(state, state.measures, bounds, said)


def _failing(key: str, state: State) -> str:
    if key == DATABASE:
        return "database: it does not answer; no mail is taken in and none is sent"
    reasons = [part.reason for part in state.measures.parts if part_key(part) == key] if state.measures else []
    return f"{key}: it fails again and again" + "".join(f" ({reason})" for reason in reasons if reason)


def _disk(state: State, bounds: Bounds, said: Said) -> list[Trouble]:
    """Low until a tenth more is free, so that it is not said twice an hour."""
    needed = bounds.disk * 11 // 10 if DISK in said else bounds.disk
    if state.disk_free is None or state.disk_free >= needed:
        return []
    return [Trouble(DISK, f"disk: {state.disk_free // 2**20} MiB are free where the tracker is")]


def _unswept(state: State, measures: Measures, bounds: Bounds, said: Said) -> list[Trouble]:
    found = []
    for mailbox, folder in state.folders:
        key, at = f"mailbox {mailbox} {folder}", measures.swept.get((mailbox, folder))
        if _waited(key, at, state, said) > bounds.unswept:
            words = f"was not swept for {_minutes(state.now - at)}" if at else "was never swept"
            found.append(Trouble(key, f"mailbox {mailbox}: {folder} {words}{_why(measures, mailbox)}"))
    return found


def _outbox(state: State, measures: Measures, bounds: Bounds, said: Said) -> list[Trouble]:
    since = measures.oldest_due
    if since is None or _waited(OUTBOX, since, state, said) <= bounds.outbox:
        return []
    waiting = measures.outbox.get("queued", 0) + measures.outbox.get("unknown", 0)
    return [Trouble(OUTBOX, f"outbox: {waiting} letter(s) wait, the oldest for {_minutes(state.now - since)}")]


def _waited(key: str, since: datetime | None, state: State, said: Said) -> timedelta:
    """Time that passed while no process ran counts only for what ops have heard of already."""
    if key in said:
        return timedelta.max if since is None else state.now - since
    return state.now - max(since or state.began, state.began)


def _why(measures: Measures, mailbox: str) -> str:
    reasons = [p.reason for p in measures.parts if p.name == f"watch {mailbox}" and p.state == "failing" and p.reason]
    return f" ({reasons[0]})" if reasons else ""


def _minutes(length: timedelta) -> str:
    return f"{length // timedelta(minutes=1)} minutes"


def subject(saying: Saying) -> str:
    """The worst of it in one line, without words of a server."""
    if not saying.begun and not saying.still:
        return f"triaged: all clear: {', '.join(saying.over)}"[:150]
    keys = ", ".join(trouble.key for trouble in (*saying.begun, *saying.still))
    return f"triaged: ALARM: {keys}"[:150]


def text(saying: Saying) -> str:
    """The mail's words."""
    parts = [
        ("This is amiss:", [trouble.text for trouble in saying.begun]),
        ("This is still amiss; it is told once a day:", [trouble.text for trouble in saying.still]),
        ("This is well again:", list(saying.over)),
    ]
    told = "\n\n".join("\n".join((head, *(f"  {line}" for line in lines))) for head, lines in parts if lines)
    return f"{told}\n\n`triaged check` tries everything and says the mend; docs/operations.md has each alarm with what to do.\n"
