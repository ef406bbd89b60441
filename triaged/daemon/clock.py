"""The one reader of the clock. Everybody else is given the instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], datetime]


def real() -> datetime:
    """The instant, aware UTC."""
    return datetime.now(UTC)


def rehearsed(at: datetime) -> Now:
    """A clock that stands at `at`."""
    return lambda: at
