"""A policy → its page for researchers: sections first, then Markdown and HTML of them. Holds no threat and no script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from triaged.policy import public_holidays
from triaged.policy.calendar import WEEKDAYS, Calendar
from triaged.policy.model import Policy, Promise
from triaged.policy.publishing import mailto
from triaged.policy.sentences import Sentence, sentences
from triaged.policy.terms import Bounds
from triaged.policy.wording import PLACEHOLDER

if TYPE_CHECKING:
    from jinja2 import Environment

# What CommonMark reads as markup within a line, and what it reads so at the start of one.
_MARKUP = re.compile(r"([\\`*_\[\]<>&|~#])")
_OPENING = re.compile(r"^([0-9]{0,9})([-+.)=])")
_ITEMS = {
    "description": "Description",
    "steps": "Steps to reproduce",
    "affected": "What is affected",
    "evidence": "Evidence",
    "contact": "Contact",
    "tester_addresses": "Your IP addresses",
}

_LANGUAGES = {
    "ar": "العربية",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "es": "Español",
    "fi": "Suomi",
    "fr": "Français",
    "he": "עברית",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "nl": "Nederlands",
    "no": "Norsk",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "ru": "Русский",
    "sv": "Svenska",
    "tr": "Türkçe",
    "uk": "Українська",
    "zh": "中文",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One sentence of the policy, word for word, with a few words of ours beside it."""

    text: str
    label: str = ""  # before it: "Within 3 business days"


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page."""

    anchor: str
    title: str
    entries: tuple[Entry, ...]
    remark: str = ""  # below them, in our words


def sections(policy: Policy) -> tuple[Section, ...]:
    """The parts that have something to say, in the order of a researcher's questions."""
    parts = (
        Section("include", "What to include", _asks(policy)),
        Section("promises", "What you can expect", _promises(policy), counting(policy.calendar)),
        Section("scope", "Scope", _entries(policy.scope.clauses), _scope(policy)),
        Section("rules", "Rules", tuple(Entry(r.clause, str(r.window or "")) for r in policy.rules)),
        Section("safe-harbour", "Safe harbour", _entries(policy.safe_harbour.clauses), _harbour(policy)),
        Section("confidentiality", "Confidentiality", _entries(policy.confidentiality.clauses)),
        Section("credit", "Credit", _entries(policy.credit.clauses)),
        Section("reward", "Rewards", _entries(policy.reward.clauses), _bounds(policy)),
        Section("disclosure", "Publication", _publication(policy), _disclosure(policy)),
        Section("more", "Good to know", _statements(policy)),
    )
    return tuple(part for part in parts if part.entries or (part.remark and part.anchor != "promises"))


def markdown(policy: Policy) -> str:
    """The page as CommonMark."""
    return _templates().get_template("policy.md.j2").render(page_values(policy))


def html(policy: Policy) -> str:
    """The page as one HTML document: no script, nothing loaded from elsewhere."""
    return _templates().get_template("policy.html.j2").render(page_values(policy))


def page_values(policy: Policy) -> dict[str, object]:
    languages = policy.publish.preferred_languages or policy.languages
    return {
        "policy": policy,
        "mailto": mailto(policy.contact),
        "languages": [(tag, _LANGUAGES.get(tag.partition("-")[0], tag)) for tag in languages],
        "keys": [key for key in policy.publish.encryption if key.startswith("https://")],
        "sections": sections(policy),
    }


def _entries(clauses: tuple[str, ...]) -> tuple[Entry, ...]:
    return tuple(Entry(clause) for clause in clauses)


def _asks(policy: Policy) -> tuple[Entry, ...]:
    return tuple(Entry(ask.clause, _ITEMS[ask.item]) for ask in policy.asks)


def _promises(policy: Policy) -> tuple[Entry, ...]:
    read = sentences(policy.text or "")
    return tuple(Entry(_whole(promise, read), _period(promise)) for promise in policy.promises)


def _whole(promise: Promise, read: tuple[Sentence, ...]) -> str:
    """The sentence of the text that a clause is a part of."""
    if promise.source == "added":
        return promise.clause
    return next((one.text for one in read if promise.clause in one.text), promise.clause)


def _period(promise: Promise) -> str:
    return f"{'Every' if promise.every else 'Within'} {promise.period}"


def _publication(policy: Policy) -> tuple[Entry, ...]:
    return _entries(tuple(dict.fromkeys((*policy.disclosure.clauses, *policy.publication.clauses))))


def _statements(policy: Policy) -> tuple[Entry, ...]:
    """All but threats, and placeholders that would send a researcher nowhere."""
    said = (one.clause for one in policy.statements if one.kind != "threat")
    return tuple(Entry(clause) for clause in said if not PLACEHOLDER.search(clause) and not clause.endswith(":"))


def counting(calendar: Calendar) -> str:
    """How days are counted, in a sentence or two."""
    place = public_holidays.country_name(calendar.country) if calendar.country else ""
    place += f", {calendar.subdivision}" if calendar.subdivision else ""
    weekend = [WEEKDAYS[day] for day in sorted(calendar.weekend)]
    free = _joined([*weekend, f"public holidays ({place})"] if place else weekend)
    zone = f"UTC{calendar.zone}" if calendar.zone[0] in "+-" else calendar.zone
    hours, minutes = divmod(calendar.closing, 60)
    closing = (
        "at the end of the last day" if calendar.closing == 1440 else f"at {hours:02}:{minutes:02} on the last day"
    )
    business = f"Business days are all but {free}. " if free else ""
    return f"{business}The day on which we receive your report is not counted; a period ends {closing} ({zone})."


def _joined(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _harbour(policy: Policy) -> str:
    """A clause that ends with a colon led to a list in the text: say where that list is here."""
    open_ended = any(clause.endswith(":") for clause in policy.safe_harbour.clauses)
    return "The rules are those above." if open_ended and policy.rules else ""


def _scope(policy: Policy) -> str:
    scope = policy.scope
    said = (
        f"In scope: {', '.join(scope.included)}." if scope.included else "",
        f"Out of scope: {', '.join(scope.excluded)}." if scope.excluded else "",
    )
    return " ".join(part for part in said if part)


def _bounds(policy: Policy) -> str:
    reward = policy.reward
    spans = (f"{_bounded(one)} {one.least} to {one.most} {reward.currency}" for one in reward.bounds)
    return f"By severity: {'; '.join(spans)}." if reward.bounds else ""


def _bounded(one: Bounds) -> str:
    return f"{one.severity} ({one.quality})" if one.quality else one.severity


def _disclosure(policy: Policy) -> str:
    return " ".join(_days(policy))


def _days(policy: Policy) -> Iterator[str]:
    terms = policy.disclosure
    if terms.fix_by_days:
        yield f"We aim to mend what is reported within {terms.fix_by_days} days."
    if terms.disclose_days:
        grace = f" or, where the fix came in time, {terms.grace_days} days after it" if terms.grace_days else ""
        yield f"Details may be published {terms.disclose_days} days after we received the report{grace}."


def plain(text: str) -> str:
    """Text that CommonMark shows as it stands."""
    return _OPENING.sub(r"\1\\\2", inline(text))


def inline(text: str) -> str:
    """The same for text that begins no line."""
    return _MARKUP.sub(r"\\\1", text)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    made = Environment(
        loader=PackageLoader("triaged.publication"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["plain"] = plain
    return made
