"""When a researcher says that they will publish, or wants an answer by. Reads no clock: a date is as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from triaged.reading.cues import Text, cued, cues
from triaged.reading.facts_model import Fact, sentence

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio januari janeiro",
            "february feb februar février fevrier febrero febbraio februari fevereiro",
            "march mar märz maerz mars marzo maart março",
            "april apr avril abril aprile",
            "may mai mayo maggio mei maio",
            "june jun juni juin junio giugno junho",
            "july jul juli juillet julio luglio julho",
            "august aug août aout agosto augustus",
            "september sep sept septembre septiembre settembre setembro",
            "october oct oktober octobre octubre ottobre outubro",
            "november nov novembre noviembre novembro",
            "december dec dezember décembre decembre diciembre dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATES = cued(
    "20|19",
    r"\b(?P<iso>(?:19|20)\d\d-\d\d-\d\d)(?![\d-])"
    rf"|\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.|er)?(?: of| de)? (?P<month>{_MONTH})\.?(?: de)?,? (?P<year>20\d\d)\b"
    rf"|\b(?P<month2>{_MONTH})\.? (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year2>20\d\d)\b"
    r"|\b(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)(?P<year3>20\d\d)\b",
)
_SPAN = cued(
    "day|week|month|tage|woche|monat|jours|semaines|mois|días|semanas|meses|giorni|dagen",
    r"\b(\d{1,3})[- ]?(?P<unit>business days?|working days?|days?|weeks?|months?|tagen?|wochen|monaten?|jours"
    r"|semaines|mois"
    r"|días|semanas|meses|giorni|dagen)\b",
)
_UNITS = {"ta": "days", "wo": "weeks", "jo": "days", "dí": "days", "gi": "days", "da": "days", "mon": "months"}
# Without one of these no date is one of a disclosure: what _PUBLISHING and _BY hold.
_ANNOUNCING = cues(
    "disclos|publi|go public|going public|write about|write|blog|conference|talk|present it|present this|present my|present the"
    "|present our|embargo|deadline|veröffentlich|offenleg|divulg|full details|by |until|before|bis |avant le|antes del"
)
_PUBLISHING = re.compile(
    r"\b(?:disclos|publish|publication|publi(?:c|que)\b|go(?:ing)? public|write about|write[- ]?up|blog"
    r"|conference|talk\b"
    r"|present (?:it|this|my|the|our)|embargo|deadline|veröffentlich|offenleg|divulg|publi(?:er|car|eren|care)"
    r"|full details"
    r"|(?:answer|reply|respond|response|fix|fixed)\b[^.]{0,20}\b(?:by|until|before)\b)",
    re.I,
)
_BY = re.compile(r"\b(?:by|bis zum|bis spätestens|avant le|antes del) (?:the |am )?$", re.I)
# A line of a timeline, and words for what is over or was only asked for.
_TIMELINE = re.compile(r"[ \t*+\[(-]{0,6}$")
_FIELD = re.compile(r"[^\n]{0,60}:[ \t]{0,20}$")
_PAST = re.compile(
    r"\b(?:asked|requested|postpone|hold|acknowledg|submitted|contacted|notified|released|vendor (?:fix|repl)"
    r"|reported"
    r"|published|was (?:made )?public|answered|replied|no (?:reply|response))",
    re.I,
)


def disclosure_dates(text: Text) -> list[Fact]:
    """`disclosure_date` facts: ISO dates, or a span as "90 days"; day before month where both could be."""
    return [*_announced_dates(text), *_announced_spans(text)] if text.holds(_ANNOUNCING) else []


def _announced_dates(text: Text) -> Iterator[Fact]:
    for match in _DATES.matches(text):
        value = _iso(match)
        if value and _announces(text.text, match.start(), match.end()):
            yield Fact("disclosure_date", value, (match.start(), match.end()))


def _announces(text: str, first: int, last: int) -> bool:
    """Whether the sentence speaks of publishing or of an answer wanted; of a timeline or a field, its line only."""
    start = text[max(0, first - 60) : first].rsplit("\n", 1)[-1]
    before, after = sentence(text, first, last)
    line = after.split("\n", 1)[0]
    if _TIMELINE.match(start):
        return _PUBLISHING.search(line) is not None and not _PAST.search(line)
    if _FIELD.match(start):
        return _PUBLISHING.search(f"{start} {line}") is not None
    return _PUBLISHING.search(f"{before} {after}") is not None or _BY.search(before) is not None


def _announced_spans(text: Text) -> Iterator[Fact]:
    for match in _SPAN.matches(text):
        before, after = sentence(text.text, *match.span())
        if re.search(r"\b(?:last|past|ago|vor|seit|for) (?:the )?(?:last |past )?$", before, re.I) or after.startswith(
            " ago"
        ):
            continue
        if _PUBLISHING.search(f"{before[-100:]} {after[:60]}"):
            yield Fact("disclosure_date", f"{int(match[1])} {_unit(match['unit'])}", match.span())


def _unit(word: str) -> str:
    if word.startswith(("business", "working")):
        return "business days"
    if word in ("mois", "meses"):
        return "months"
    if word.startswith("sem"):
        return "weeks"
    known = next((unit for start, unit in _UNITS.items() if word.startswith(start)), None)
    return known or (word if word.endswith("s") else f"{word}s")


def _iso(match: re.Match[str]) -> str | None:
    if match["iso"]:
        year, month, day = map(int, match["iso"].split("-"))
    elif match["month"] or match["month2"]:
        month = _MONTHS[match["month"] or match["month2"]]
        day, year = int(match["day"] or match["day2"]), int(match["year"] or match["year2"])
    else:
        day, month, year = int(match["first"]), int(match["second"]), int(match["year3"])
        day, month = (month, day) if month > 12 else (day, month)
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
