"""Table values of a policy file → the terms they stand for, with what contradicts itself noted. Reads no file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from triaged.policy.problem import Path as Key
from triaged.policy.problem import did_you_mean, shown
from triaged.policy.schema_terms import BOUNDS, REPLY, SCALE, STATEMENT, WINDOW
from triaged.policy.table import Note, Table
from triaged.policy.terms import (
    PROFILES,
    Ask,
    Assessment,
    Bounds,
    Confidentiality,
    Credit,
    Disclosure,
    Level,
    Publication,
    Publish,
    Reply,
    Retention,
    Reward,
    Rule,
    SafeHarbour,
    Scope,
    Statement,
    Window,
)

Values = Mapping[str, Any]

QUESTIONS = {
    "description": "Could you describe the problem, and what someone could do with it?",
    "steps": "Could you write down, step by step, how we can see it ourselves?",
    "affected": "Which address, product or version is affected?",
    "evidence": "Do you have a screenshot, a recording or a log that shows it?",
    "contact": "How can we reach you, if this address is not the best way?",
    "tester_addresses": "Which IP addresses did you test from? They help us to tell your tests from attacks.",
}
_TO_NAME = {
    "promise": ("name", "promises"),
    "ask": ("item", "asks"),
    "rule": ("name", "rules"),
    "statement": ("name", "statements"),
    "reply": ("name", "replies"),
}


def terms(values: Values, published: str | None, note: Note) -> dict[str, Any]:
    """The arguments of Policy beyond its promises and calendar."""
    _clauses_stand(values, published, note)
    _names_differ(values, note)
    return {
        **_head(values["policy"], values["calendar"]),
        "asks": tuple(_ask(one) for one in values["ask"]),
        "rules": tuple(_rule(one, ("rule", index), note) for index, one in enumerate(values["rule"])),
        "statements": tuple(Statement(**_given(one)) for one in values["statement"] if _whole(one, STATEMENT)),
        "replies": tuple(Reply(**_given(one)) for one in values["reply"] if _whole(one, REPLY)),
        "safe_harbour": SafeHarbour(**_given(values["safe_harbour"])),
        "confidentiality": Confidentiality(**_given(values["confidentiality"])),
        "credit": Credit(**_given(values["credit"])),
        "reward": _reward(values["reward"], note),
        "publication": Publication(**_given(values["publication"])),
        "disclosure": _disclosure(values["disclosure"], note),
        "assessment": _assessment(values["assessment"], note),
        "scope": Scope(**_given(values["scope"])),
        "retention": Retention(**_given(values["retention"])),
        "publish": _publish(values["publish"], note),
    }


def _given(values: Values) -> dict[str, Any]:
    """What the file gives; for the rest the value's own defaults stand."""
    return {key: value for key, value in values.items() if value is not None}


def _whole(values: Values, table: Table) -> bool:
    """False where a key was refused: then the file is refused, and only its other mistakes are still looked for."""
    return all(entry.name in values for entry in table.fields)


def _head(policy: Values, calendar: Values) -> dict[str, Any]:
    head = {key: policy[key] for key in ("languages", "updates_unchanged_keep", "exploited") if key in policy}
    renamed = {
        "text_name": policy.get("text"),
        "contact_source": policy.get("contact_source"),
        "calendar_source": calendar.get("source"),
    }
    return head | _given(renamed)


def _clauses_stand(values: Values, published: str | None, note: Note) -> None:
    """A clause that a file claims for the text stands there word for word, white space folded."""
    if published is None:
        return
    text = folded(published)
    for key, clause in _claimed(values):
        if folded(clause) not in text:
            mend = 'does not stand in the published text: copy it word for word, or write source = "added"'
            note(key, mend if len(key) == 3 else f"holds {shown(clause)}, which {mend}")


def _claimed(values: Values) -> Iterator[tuple[Key, str]]:
    for name, value in values.items():
        if isinstance(value, list):
            yield from (
                ((name, index, "clause"), one["clause"])
                for index, one in enumerate(value)
                if one.get("source", "text") == "text" and "clause" in one
            )
        elif value.get("source", "text") == "text":
            yield from (((name, "clauses"), clause) for clause in value.get("clauses", ()))


def folded(text: str) -> str:
    """Runs of white space as one space each."""
    return " ".join(text.split())


def _names_differ(values: Values, note: Note) -> None:
    for table, (key, words) in _TO_NAME.items():
        seen: set[str] = set()
        for index, one in enumerate(values[table]):
            name = one.get(key)
            if name in seen:
                note((table, index, key), f"{shown(name)} is the {key} of two {words}: rename or remove one")
            seen |= {name} if name else set()


def _ask(one: Values) -> Ask:
    item = one.get("item", "description")
    return Ask(item, one.get("clause", ""), one.get("question") or QUESTIONS[item], one.get("source", "text"))


def _rule(one: Values, at: Key, note: Note) -> Rule:
    window = one.get("window")
    return Rule(
        name=one.get("name", ""),
        clause=one.get("clause", ""),
        source=one.get("source", "text"),
        kind=one.get("kind", "forbid"),
        window=_window(window, (*at, "window"), note) if window and _whole(window, WINDOW) else None,
    )


def _window(values: Values, at: Key, note: Note) -> Window:
    if values["from"] == values["to"]:
        note(at, "starts when it ends: write two times, or remove the window where the rule holds all day")
    return Window(values["from"], values["to"], values["offset"])


def _reward(values: Values, note: Note) -> Reward:
    bounds = tuple(Bounds(**one) for one in values["bounds"] if _whole(one, BOUNDS))
    qualities = values.get("qualities", ())
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(bounds):
        at: Key = ("reward", "bounds", index)
        if one.least > one.most:
            note(at, f"has least = {one.least} above most = {one.most}: exchange them")
        if one.quality and one.quality not in qualities:
            mend = did_you_mean(one.quality, qualities) or ": name it in reward.qualities"
            note((*at, "quality"), f"{shown(one.quality)} is none of reward.qualities{mend}")
        if (one.severity, one.quality) in seen:
            named = f"{shown(one.severity)} with quality {shown(one.quality)}" if one.quality else shown(one.severity)
            note((*at, "severity"), f"{named} has bounds twice: remove one")
        seen.add((one.severity, one.quality))
    if bounds and values.get("currency") == "":
        note(("reward", "currency"), 'is missing: amounts need one, such as currency = "EUR"')
    return Reward(**_given({**values, "bounds": bounds}))


def _assessment(values: Values, note: Note) -> Assessment:
    seen: set[str] = set()
    for index, one in enumerate(values["scale"]):
        name = one.get("name", "").lower()
        if name in seen:
            note(
                ("assessment", "scale", index, "name"), f"{shown(name)} stands twice in the scale: rename or remove one"
            )
        seen |= {name} if name else set()
    return Assessment(tuple(Level(**one) for one in values["scale"] if _whole(one, SCALE)))


def _disclosure(values: Values, note: Note) -> Disclosure:
    profile = values.get("profile", "own")
    found = replace(PROFILES.get(profile, Disclosure()), **_given(values))
    if "reminders" in values:
        found = replace(found, reminders=tuple(sorted(found.reminders)))
    last = max(found.fix_by_days or 0, found.disclose_days or 0)
    if found.fix_by_days and found.disclose_days and found.fix_by_days > found.disclose_days:
        note(("disclosure", "fix_by_days"), f"lies after disclose_days = {found.disclose_days}: make it that or less")
    if found.reminders and found.reminders[-1] >= last:
        mend = f"must lie before the last day, {last}" if last else "needs fix_by_days or disclose_days beside it"
        note(("disclosure", "reminders"), mend)
    return found


def _publish(values: Values, note: Note) -> Publish:
    if values.get("expires") and values.get("expires_days"):
        note(("publish", "expires"), "stands beside expires_days: keep one of them")
    return Publish(**_given({key: value for key, value in values.items() if key != "security_txt"}))
