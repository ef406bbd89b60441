"""Looks at the tracker for whoever asks: one look at a time, kept for some seconds, and nobody waits for it for ever."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Look(Generic[T]):
    began: float
    found: Future[T]


class Kept(Generic[T]):
    """What `look` finds, at most `seconds` old. While one look goes on no second begins: a slow database is asked once."""

    def __init__(self, look: Callable[[], T], seconds: float, clock: Callable[[], float]) -> None:
        self._look, self._seconds, self._clock = look, seconds, clock
        self._lock = Lock()
        self._last: _Look[T] | None = None
        self.good: T | None = None  # what the last look that ended well found, however old

    def ask(self) -> Future[T]:
        """The look that is fresh or going on, else a new one, in a thread of its own. Never blocks."""
        with self._lock:
            last, now = self._last, self._clock()
            if last is None or (last.found.done() and now - last.began > self._seconds):
                last = self._last = _Look(now, self._begin())
            return last.found

    def _begin(self) -> Future[T]:
        found: Future[T] = Future()
        found.set_running_or_notify_cancel()  # nobody who stops waiting takes it away from the others
        Thread(target=self._find, args=(found,), name="look", daemon=True).start()
        return found

    def _find(self, found: Future[T]) -> None:
        try:
            self.good = result = self._look()
            found.set_result(result)
        except Exception as error:
            found.set_exception(error)
