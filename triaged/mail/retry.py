"""When to try again, as data and pure functions (RFC 5321 section 4.5.4.1); nothing here waits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

# SM-5: quick at first, because most refusals are greylisting or a restart, then patient.
LETTER_RETRIES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30))
LETTER_RETRY_EVERY = timedelta(hours=2)
LETTER_LIFETIME = timedelta(days=5)

SERVER_HOLDS = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 5, 15, 60))
# A wrong password tried often locks the account for everybody (IM-11, SM-4).
LOGIN_HOLD = timedelta(minutes=15)

RECONNECT_LONGEST = 300.0  # seconds


def next_attempt(attempts: int, first_at: datetime, at: datetime) -> datetime | None:
    """When a letter refused for now is tried again: after `attempts` tries, the first and the last at those instants.

    None: its five days are over and a person must look.
    """
    delay = LETTER_RETRIES[attempts - 1] if 1 <= attempts <= len(LETTER_RETRIES) else LETTER_RETRY_EVERY
    due = at + delay
    return due if due <= first_at + LETTER_LIFETIME else None


def hold_until(failures: int, at: datetime, scope: Literal["letter", "server", "login"]) -> datetime:
    """Until when everything for the server waits, after `failures` failures in a row; `at` itself for one letter's."""
    if scope == "letter":
        return at
    if scope == "login":
        return at + LOGIN_HOLD
    return at + SERVER_HOLDS[min(max(failures, 1), len(SERVER_HOLDS)) - 1]


def reconnect_delay(failures: int, chance: float) -> float:
    """Seconds before the next IMAP connection: doubling from 1 s to 5 min, less up to half of it by `chance` in [0, 1).

    The chance keeps many mailboxes of one server from coming back in the same instant (IM-11).
    """
    whole = min(RECONNECT_LONGEST, 2.0 ** min(max(failures, 1) - 1, 16))
    return max(1.0, whole * (1.0 - chance / 2))
