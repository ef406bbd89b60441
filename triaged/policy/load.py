"""Reads a policy file and its published text into a Policy, or says everything that is wrong with them at once."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from triaged.policy import public_holidays
from triaged.policy.build import terms
from triaged.policy.calendar import Calendar
from triaged.policy.model import Policy, Promise
from triaged.policy.problem import Path as Key
from triaged.policy.problem import Problem, did_you_mean, dotted, shown
from triaged.policy.schema import ROOT
from triaged.policy.table import Note, read_table

_LARGEST = 1 << 20  # bytes of a policy file or its text
_NEVER_PAUSE = ("acknowledge", "disclose")
_KEPT_OTHERWISE = {"acknowledge": "an acknowledgement", "fix": "a fix", "disclose": "a publication"}
Beside = Callable[[str, str, list[Problem]], bytes | None]  # a file named in a policy, by name and key


class PolicyError(Exception):
    """A policy file that can't be used; `problems` holds every reason."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def load_policy(path: Path) -> Policy:
    """The policy in that file. Raises PolicyError with all problems at once."""

    def beside(name: str, key: str, problems: list[Problem]) -> bytes | None:
        return _beside(path, name, key, problems)

    return _policy(_octets(path, "", "a policy file", str(path)), path, beside)


def kept_policy(source: str, published: str | None, name: str) -> Policy:
    """The policy that a ticket came in under, from its kept TOML and text. Raises PolicyError."""

    def beside(named: str, key: str, problems: list[Problem]) -> bytes | None:
        return published.encode() if published is not None and key == "policy.text" else None

    return _policy(source.encode(), Path(f"{name}.toml"), beside)


def _policy(octets: bytes, path: Path, beside: Beside) -> Policy:
    raw, source = _toml(octets, path)
    problems: list[Problem] = []

    def note(key: Key, text: str) -> None:
        problems.append(Problem(str(path), dotted(key, raw), text))

    values = read_table(ROOT, raw, (), note)
    published = beside(values["policy"].get("text", ""), "policy.text", problems)
    security_txt = beside(values["publish"].get("security_txt", ""), "publish.security_txt", problems)
    text = None if published is None else published.decode()
    calendar = _calendar(values["calendar"], note)
    promises = _promises(values["promise"], note)
    further = terms(values, text, note)
    if problems:
        raise PolicyError(tuple(problems))
    head = values["policy"]
    if security_txt is not None:
        further["publish"] = replace(further["publish"], security_txt=security_txt.decode())
    return Policy(
        name=path.stem,
        path=path,
        organisation=head["organisation"],
        prefix=head["prefix"],
        contact=head["contact"],
        version=head["version"],
        text=text,
        sha256=hashlib.sha256(octets + b"\0" + (published or b"")).hexdigest(),
        source=source,
        calendar=calendar,
        promises=promises,
        **further,
    )


def _octets(path: Path, key: str, what: str, where: str) -> bytes:
    try:
        with path.open("rb") as file:
            octets = file.read(_LARGEST + 1)
    except OSError as error:
        why = (error.strerror or "unreadable").lower()
        mend = f"{path} can't be read ({why}): name {what} that exists and that this user may read"
        raise PolicyError((Problem(where, key, mend),)) from None
    if len(octets) > _LARGEST:
        raise PolicyError((Problem(where, key, f"{path} is larger than 1 MiB: name {what}"),))
    return octets


def _toml(octets: bytes, path: Path) -> tuple[dict[str, Any], str]:
    try:
        source = octets.decode()
        return tomllib.loads(source), source
    except (ValueError, RecursionError) as error:  # ValueError: not UTF-8, not TOML, or a number of 5,000 digits
        problem = Problem(str(path), "", f"is not TOML in UTF-8 ({error}): mend that place")
        raise PolicyError((problem,)) from None


def _beside(path: Path, name: str, key: str, problems: list[Problem]) -> bytes | None:
    if not name:
        return None
    try:
        octets = _octets(path.parent / name, key, "the published text", str(path))
        octets.decode()
    except PolicyError as error:
        problems.extend(error.problems)
        return None
    except UnicodeDecodeError:
        problems.append(Problem(str(path), key, f"{name} is not UTF-8: save it as UTF-8"))
        return None
    return octets


def _calendar(values: dict[str, Any], note: Note) -> Calendar:
    country, subdivision = values.get("country", ""), values.get("subdivision", "")
    known = _place_is_known(country, subdivision, note)
    weekend = values.get("weekend")
    of_country = public_holidays.weekend(country) if known else frozenset()
    if weekend is None and not country and "weekend" in values:
        note(("calendar", "weekend"), 'is missing: without a country, write one such as weekend = ["sat", "sun"]')
    return Calendar(
        zone=values.get("zone", "UTC"),
        country=country,
        subdivision=subdivision,
        weekend=of_country if weekend is None else weekend,
        country_weekend=weekend is None,
        closed=values.get("closed", frozenset()),
        worked=values.get("worked", frozenset()),
        closing=values.get("closing", 1440),
    )


def _place_is_known(country: str, subdivision: str, note: Note) -> bool:
    if not country:
        if subdivision:
            note(("calendar", "country"), f"is missing: write the country that {shown(subdivision)} is part of")
        return False
    if country not in public_holidays.countries():
        near = did_you_mean(country.upper(), public_holidays.countries())
        note(("calendar", "country"), f'must be a two-letter country code such as "IL", not {shown(country)}{near}')
        return False
    known = public_holidays.subdivisions(country)
    if subdivision and subdivision not in known:
        mend = f"write one of {', '.join(known)}" if known else 'write subdivision = ""'
        note(("calendar", "subdivision"), f"{shown(subdivision)} is no subdivision of {country}: {mend}")
    return True


def _promises(values: list[dict[str, Any]], note: Note) -> tuple[Promise, ...]:
    return tuple(_promise(one, ("promise", index), note) for index, one in enumerate(values))


def _holds(one: dict[str, Any], name: str, at: Key, note: Note) -> tuple[str, ...]:
    held: tuple[str, ...] = one.get("holds", ())
    if held and name in _KEPT_OTHERWISE:
        note((*at, "holds"), f"must be empty: {_KEPT_OTHERWISE[name]} keeps a promise to {name}, no assessment does")
    return held


def _promise(one: dict[str, Any], at: Key, note: Note) -> Promise:
    name, clause, source = one.get("name", ""), one.get("clause", ""), one.get("source", "text")
    within, every = one.get("within"), one.get("every")
    if "within" in one and "every" in one and (within is None) == (every is None):
        mend = "keep one of them" if within else 'write within = "3 business days" or every = "14 days"'
        note(at, f"must have either within or every: {mend}")
    if one.get("pauses") and name in _NEVER_PAUSE:
        note((*at, "pauses"), f"must be false: a promise to {name} never stands still")
    return Promise(
        name=name,
        clause=clause,
        source=source,
        number=one.get("number") or ("chosen" if source == "added" else "text"),
        within=within,
        every=every,
        met_by=one.get("met_by") or ("automatic" if name == "acknowledge" else "human"),
        pauses=one.get("pauses", False),
        warn=one.get("warn", ()),
        holds=_holds(one, name, at, note),
    )
