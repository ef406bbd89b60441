"""Whether a policy's file and its published text hold together: small named rules, each with findings. Mends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from triaged.policy import wording
from triaged.policy.build import folded
from triaged.policy.clauses import clauses
from triaged.policy.model import Policy, Promise
from triaged.policy.publishing import expiring, mailto, published_contacts
from triaged.policy.sentences import Sense, Sentence, sentences

_LEAST_CLAUSE = 12  # signs: a shorter clause stands in too many sentences to stand behind one
_SUBJECTS = ("denial of service", "brute force", "social engineering", "phishing", "malware", "scanner", "spam")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the owner of the policy should know."""

    rule: str
    where: str  # ims-network.txt:1, or ims-network.toml: promise[update]
    text: str  # a sentence, with the mend


def lint(policy: Policy, now: datetime, mailbox: str = "") -> tuple[Finding, ...]:
    """What the rules find, in their order. `now` is for what expires; `mailbox` the address that is read, where known."""
    read = sentences(policy.text or "")
    by_text = (Finding(rule, _line(policy, at), text) for rule, look in TEXT_RULES for at, text in look(policy, read))
    by_file = (Finding(rule, _key(policy, key), text) for rule, look in FILE_RULES for key, text in look(policy, now))
    return (*by_text, *by_file, *_mailbox(policy, mailbox))


def _mailbox(policy: Policy, address: str) -> Iterator[Finding]:
    """S0-1: exactly the published mailbox is read."""
    if address and address.lower() != policy.contact.lower():
        text = f"{policy.contact} is published, and the mailbox that is read is {address}: make them one"
        yield Finding("mailbox", _key(policy, "policy.contact"), text)


def _line(policy: Policy, line: int) -> str:
    return f"{policy.text_name}:{line}" if line else policy.text_name


def _key(policy: Policy, key: str) -> str:
    return f"{policy.path.name}: {key}"


def mis_encoded(policy: Policy, _: tuple[Sentence, ...]) -> Iterator[tuple[int, str]]:
    for number, line in _lines(policy):
        for shown, meant in wording.misread(line):
            was = f'stands for "{meant}", read in a wrong encoding' if meant else "was lost in a wrong encoding"
            yield number, f'"{shown}" {was}: save the text as UTF-8 with the sign that was meant'


def placeholder(policy: Policy, _: tuple[Sentence, ...]) -> Iterator[tuple[int, str]]:
    for number, line in _lines(policy):
        for found in wording.PLACEHOLDER.finditer(line):
            yield number, f'"{found[0]}" is a placeholder: write what belongs there'


def threat(_: Policy, read: tuple[Sentence, ...]) -> Iterator[tuple[int, str]]:
    for one in read:
        if wording.threatens(one.text):
            typo = ' ("persecute" should perhaps be "prosecute")' if "persecute" in one.text.lower() else ""
            yield one.line, f'"{one.text}" threatens those who would report{typo}: no letter will hold it; take it out'


def no_address(policy: Policy, _: tuple[Sentence, ...]) -> Iterator[tuple[int, str]]:
    text = policy.text or ""
    if text and not wording.ADDRESS.search(text) and not wording.PLACEHOLDER.search(text) and "https://" not in text:
        yield 0, f"names no address that a report could be sent to: write {policy.contact}"


def other_address(policy: Policy, _: tuple[Sentence, ...]) -> Iterator[tuple[int, str]]:
    for number, line in _lines(policy):
        for found in wording.ADDRESS.finditer(line):
            if found[0].lower() != policy.contact.lower() and not wording.PLACEHOLDER.search(found[0]):
                yield number, f"{found[0]} is not the mailbox {policy.contact}: reports sent there are not seen"


def no_times(policy: Policy, read: tuple[Sentence, ...]) -> Iterator[tuple[int, str]]:
    if policy.text and not any(wording.PERIOD.search(one.text) for one in read):
        yield 0, "gives no time for anything: say by when a report is acknowledged, assessed and heard of again"


def unbacked_promise(policy: Policy, read: tuple[Sentence, ...]) -> Iterator[tuple[int, str]]:
    for one in _without_clause(policy, read, Sense.PROMISE):
        yield one.line, f'"{one.text}" promises, and no clause of the file stands behind it: add one, or a promise'


def unbacked_rule(policy: Policy, read: tuple[Sentence, ...]) -> Iterator[tuple[int, str]]:
    for one in _without_clause(policy, read, Sense.ASK):
        yield one.line, f'"{one.text}" asks or forbids, and no clause of the file holds it: add [[ask]] or [[rule]]'


def no_clock(policy: Policy, read: tuple[Sentence, ...]) -> Iterator[tuple[int, str]]:
    """A sentence that promises a time in words only, and that neither a promise nor the disclosure counts."""
    timed = [folded(c.text) for c in clauses(policy) if c.table in ("promise", "disclosure", "retention")]
    for one in read:
        vague = wording.VAGUE.search(one.text)
        if vague and one.sense is Sense.PROMISE and not _stands_behind(timed, one.text):
            yield one.line, f'"{vague[0]}" gives no time and no clock runs for it: add a promise with a period'


def added_clock(policy: Policy, _: datetime) -> Iterator[tuple[str, str]]:
    for promise in policy.promises:
        if promise.source == "added":
            yield _of(promise), f'the text does not say "{promise.clause}": researchers read it in letters only'


def chosen_period(policy: Policy, _: datetime) -> Iterator[tuple[str, str]]:
    for promise in policy.promises:
        if promise.source == "text" and promise.number == "chosen":
            yield _of(promise), f"counts {promise.period} by the organisation's choice: the text gives no number"
    terms = policy.disclosure
    if terms.source == "text" and terms.number == "chosen" and terms.clauses:
        yield "disclosure", f"counts {terms.disclose_days} days by the organisation's choice: the text gives no number"


def retention(policy: Policy, _: datetime) -> Iterator[tuple[str, str]]:
    """What the text says of keeping reports, with nothing that counts it."""
    if policy.retention.clauses and policy.retention.after_close is None:
        yield "retention", "has a clause and no after_close: say how long a closed ticket is kept"


def period_differs(policy: Policy, _: datetime) -> Iterator[tuple[str, str]]:
    for promise in policy.promises:
        stated = tuple(wording.periods(promise.clause))
        mine = (promise.period.count, promise.period.unit.removesuffix("s"))
        if stated and mine not in [_as_days(one) for one in stated]:
            yield _of(promise), f"counts {promise.period}, and its clause says something else: make them one"
        if not stated and promise.number == "text" and promise.source == "text":
            yield _of(promise), 'the clause gives no number: write number = "chosen", or quote the sentence that does'


def _as_days(stated: tuple[int, str]) -> tuple[int, str]:
    count, unit = stated
    return (count * 7, unit.replace("week", "day")) if unit.endswith("week") else stated


def holds(policy: Policy, _: datetime) -> Iterator[tuple[str, str]]:
    """A promise of an assessment that any letter keeps, or whose clause names a date that the letter need not hold."""
    for promise in policy.promises:
        if promise.name == "assess" and not promise.holds:
            yield _of(promise), 'any letter of a member keeps it, a mere "thank you" too: write holds = ["assessment"]'
        elif promise.holds and "date" not in promise.holds and wording.NAMED_DATE.search(promise.clause):
            yield _of(promise), 'the clause names a date, and the letter need hold none: write holds = [..., "date"]'


def scale(policy: Policy, _: datetime) -> Iterator[tuple[str, str]]:
    """A severity that the rewards are counted by, and that no word of the organisation's own scale stands for."""
    meant = {level.severity for level in policy.assessment.scale}
    for bounds in policy.reward.bounds if meant else ():
        if bounds.severity not in meant:
            yield (
                "assessment.scale",
                f"no word of it means {bounds.severity}, and a reward is bound to that: add one, or say the word itself",
            )


def window(policy: Policy, _: datetime) -> Iterator[tuple[str, str]]:
    for rule in policy.rules:
        stated, offsets = wording.daily(rule.clause), wording.offsets(rule.clause)
        key = f"rule[{rule.name}]"
        if rule.window is None:
            if stated:
                yield key, "names a time of day, and the rule has no window: write window = { from, to, offset }"
            continue
        held = rule.window
        minutes = (held.start.hour * 60 + held.start.minute, held.end.hour * 60 + held.end.minute)
        if stated and minutes != stated:
            yield key, f"the window {held} is not the one that the clause states"
        if offsets and held.offset != timedelta(minutes=offsets[0]):
            yield key, f"the window {held} has another offset than the clause states"
        if stated and not offsets:
            yield key, "the clause names a time of day and no offset: say which, such as (UTC+01:00)"


def offset(policy: Policy, now: datetime) -> Iterator[tuple[str, str]]:
    """A text that states one offset while the calendar's zone has another, for all the year or a part of it."""
    zone = policy.calendar.tzinfo
    of_zone = {now.replace(month=m, day=1).astimezone(zone).utcoffset() for m in (1, 7)}
    for stated in wording.offsets(policy.text or ""):
        if of_zone != {timedelta(minutes=stated)}:
            sign = "+" if stated >= 0 else "-"
            name = f"UTC{sign}{abs(stated) // 60:02}:{abs(stated) % 60:02}"
            yield "calendar.zone", f"{policy.calendar.zone} is not at {name}, which the text states, all year round"


def conflict(policy: Policy, _: datetime) -> Iterator[tuple[str, str]]:
    """What one rule forbids at some hours another forbids always."""
    always = [rule for rule in policy.rules if rule.window is None and rule.kind == "forbid"]
    for rule in policy.rules:
        for subject in _SUBJECTS if rule.window else ():
            other = next((o for o in always if subject in o.clause.lower()), None)
            if other and subject in rule.clause.lower():
                yield (
                    f"rule[{rule.name}]",
                    f'forbids what causes {subject} at some hours, and "{other.clause}" forbids it always:'
                    " say which is meant",
                )


def reward_gap(policy: Policy, _: datetime) -> Iterator[tuple[str, str]]:
    """Bounds that leave a report without any, or that nobody can use."""
    terms = policy.reward
    if terms.bounds and not terms.offered:
        yield "reward.offered", "is false beside bounds: write offered = true, or remove the bounds"
    for severity in dict.fromkeys(one.severity for one in terms.bounds):
        held = {one.quality for one in terms.bounds if one.severity == severity}
        missing = [quality for quality in terms.qualities if quality not in held]
        if missing and "" not in held:
            named = ", ".join(missing)
            yield (
                "reward.bounds",
                f"a report of {severity} severity has no bounds where its quality is {named}: add them",
            )


def reserved_contact(policy: Policy, _: datetime) -> Iterator[tuple[str, str]]:
    if wording.PLACEHOLDER.fullmatch(policy.contact):
        yield "policy.contact", f"{policy.contact} stands in a reserved domain (RFC 2606): write your own address"


def expires(policy: Policy, now: datetime) -> Iterator[tuple[str, str]]:
    for text in expiring(policy, now):
        yield "publish", text


def security_txt(policy: Policy, _: datetime) -> Iterator[tuple[str, str]]:
    published = policy.publish.security_txt
    if published is None:
        return
    wanted = mailto(policy.contact)
    if wanted.lower() not in (contact.lower() for contact in published_contacts(published)):
        yield "publish.security_txt", f"the published Contact is not {wanted}: publish it again"


def outside_site(policy: Policy, _: datetime) -> Iterator[tuple[str, str]]:
    """The site that is written holds the policy page and those who are thanked: a link elsewhere leads past it."""
    terms = policy.publish
    for key, address in (("policy", terms.policy), ("acknowledgments", terms.acknowledgments)):
        if terms.site and address and not address.startswith(f"{terms.site}/"):
            yield f"publish.{key}", f"{address} is not below {terms.site}: remove it, and the site's own page is named"


TextRule = Callable[[Policy, tuple[Sentence, ...]], Iterator[tuple[int, str]]]
FileRule = Callable[[Policy, datetime], Iterator[tuple[str, str]]]
TEXT_RULES: tuple[tuple[str, TextRule], ...] = (
    ("mis-encoded", mis_encoded),
    ("placeholder", placeholder),
    ("threat", threat),
    ("no-address", no_address),
    ("other-address", other_address),
    ("no-times", no_times),
    ("unbacked-promise", unbacked_promise),
    ("unbacked-rule", unbacked_rule),
    ("no-clock", no_clock),
)
FILE_RULES: tuple[tuple[str, FileRule], ...] = (
    ("added-clock", added_clock),
    ("chosen-period", chosen_period),
    ("period-differs", period_differs),
    ("holds", holds),
    ("scale", scale),
    ("retention", retention),
    ("window", window),
    ("offset", offset),
    ("conflict", conflict),
    ("reward-gap", reward_gap),
    ("reserved-contact", reserved_contact),
    ("expires", expires),
    ("security-txt", security_txt),
    ("outside-site", outside_site),
)


def _lines(policy: Policy) -> Iterator[tuple[int, str]]:
    return enumerate((policy.text or "").splitlines(), 1)


def _of(promise: Promise) -> str:
    return f"promise[{promise.name}]"


def _without_clause(policy: Policy, read: tuple[Sentence, ...], sense: Sense) -> Iterator[Sentence]:
    held = [folded(clause.text) for clause in clauses(policy) if clause.table != "reply"]
    return (one for one in read if one.sense is sense and not _stands_behind(held, one.text))


def _stands_behind(held: list[str], sentence: str) -> bool:
    return any(sentence in clause or (len(clause) >= _LEAST_CLAUSE and clause in sentence) for clause in held)
