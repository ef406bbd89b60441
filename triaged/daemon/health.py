"""Is the process well, and is it ready? Values in, complaints out: asks nobody. A complaint names mailboxes, folders and parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from triaged.tracker.measuring import Measures, is_current

Place = tuple[str, str]  # mailbox, folder


def unwell(parts: Mapping[str, str]) -> list[str]:
    """Parts of this process that died and were not started again yet. Empty: it is well."""
    return [f"part {name}: {state}" for name, state in sorted(parts.items()) if state != "running"]


def unready(measures: Measures | None, folders: Sequence[Place], patience: timedelta, now: datetime) -> list[str]:
    """Why mail is not taken in as it should be; `measures`: None where the database gave none. Empty: ready."""
    if measures is None:
        return ["database: it does not answer"]
    if not is_current(measures.revision):
        return ["database: it is of another version than this program"]
    return [
        f"mailbox {mailbox}: {folder} {words}" for mailbox, folder, words in unswept(measures, folders, patience, now)
    ]


def unswept(
    measures: Measures, folders: Sequence[Place], patience: timedelta, now: datetime
) -> list[tuple[str, str, str]]:
    """Folders whose last good sweep is longer ago than `patience`: mailbox, folder, and how long in words."""
    found = []
    for mailbox, folder in folders:
        at = measures.swept.get((mailbox, folder))
        if at is None:
            found.append((mailbox, folder, "was never swept"))
        elif now - at > patience:
            found.append((mailbox, folder, f"was not swept for {(now - at) // timedelta(minutes=1)} minutes"))
    return found
