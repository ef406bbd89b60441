"""Promised dates as an iCalendar file (RFC 5545), for a researcher's own calendar. Holds nothing that a stranger wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from triaged.message.clean import clean_header
from triaged.policy.calendar import Calendar, due
from triaged.policy.period import Period
from triaged.ticket.clocks import PromisedDate
from triaged.ticket.desk import Desk
from triaged.ticket.letters import TicketName

MEDIA_TYPE = "text/calendar; method=PUBLISH"
LINE_OCTETS = 75  # RFC 5545 section 3.1, without the line break
_DAY = timedelta(days=1)
_ESCAPED = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,", "\n": r"\n"})  # section 3.3.11


def calendar_file(name: TicketName, shown: Iterable[PromisedDate], desk: Desk, at: datetime) -> str:
    """One event a date that is still to come: a whole day where the promise ends with the day, else an instant in UTC.
    The same date of the same ticket has the same UID in every file.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//triaged//promised dates//EN", "METHOD:PUBLISH"]
    for promised in shown:
        if not promised.kept_by_this:
            lines += _event(name, promised, desk, at)
    return "".join(f"{folded}\r\n" for line in [*lines, "END:VCALENDAR"] for folded in _fold(line))


def _event(name: TicketName, promised: PromisedDate, desk: Desk, at: datetime) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{name.token}.{_text(promised.promise)}@{desk.domain}",
        f"DTSTAMP:{_utc(at)}",
        _starts(promised.due_at, desk.policy.calendar),
        f"SUMMARY:{_text(f'{name.ref}: {promised.promise} ({desk.policy.organisation})')}",
        f"DESCRIPTION:{_text(promised.clause)}\\n{_text(promised.by)}",
        f"ORGANIZER:mailto:{desk.address}",  # a PUBLISH must name one (RFC 5546 section 3.2.1)
        "CLASS:PRIVATE",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _starts(due_at: datetime, calendar: Calendar) -> str:
    day = whole_day(due_at, calendar)
    return f"DTSTART;VALUE=DATE:{day:%Y%m%d}" if day else f"DTSTART:{_utc(due_at)}"


def whole_day(due_at: datetime, calendar: Calendar) -> date | None:
    """The day that ends at `due_at` in the calendar's zone; None where the instant ends no day."""
    last = due_at.astimezone(calendar.tzinfo).date() - _DAY
    noon_before = datetime.combine(last - _DAY, time(12), calendar.tzinfo)
    ends = calendar.closing == 1440 and due(noon_before, Period(1, "days"), calendar) == due_at
    return last if ends else None


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    return clean_header(value, 4000).translate(_ESCAPED)


def _fold(line: str) -> Iterator[str]:
    """Lines of at most 75 octets, never split within a character."""
    piece, octets = "", 0
    for sign in line:
        size = len(sign.encode())
        if octets + size > LINE_OCTETS:
            yield piece
            piece, octets = " ", 1
        piece, octets = piece + sign, octets + size
    yield piece
