"""Rewards: what two members decide, what the researcher is told, what the ledger keeps. Pays nothing; sends no amount by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from triaged.ticket.amounts import read_amount, reason
from triaged.ticket.bank_data import refuse_bank_data, refuse_payee
from triaged.ticket.events import Event, EventKind, State
from triaged.ticket.letters import Letter
from triaged.ticket.reward import MOST_REFERENCE, Decided, Decision, basis, bounds_of, money, standing, within
from triaged.ticket.verbs import MisreadError, VerbError
from triaged.ticket.worked import Case, Step, Worked
from triaged.ticket.writing import to_people

Deed = Callable[[Worked, str, Case], Step]
REWARD, NONE, PAID = "reward", "none", "paid"
LETTERS = frozenset({"rewarded", "unrewarded"})
_NOT_YET = frozenset({State.RECEIVED, State.ASSESSING})


def reward(worked: Worked, words: str, case: Case) -> Step:
    """An amount, none, or that it was paid. The first two take effect by a second member's word, where there is one."""
    _rewardable(worked, case)
    refuse_bank_data(words)
    first, _, rest = words.partition(" ")
    if first.lower() == PAID:
        return _paid(worked, rest.strip(), case)
    _one_at_a_time(worked)
    return _none(worked, rest.strip(), case) if first.lower() == NONE else _amount(worked, words, case)


def _rewardable(worked: Worked, case: Case) -> None:
    if not case.desk.policy.reward.offered:
        raise VerbError(f"the policy that {worked.name.ref} came in under offers no rewards")
    if worked.merged_into:
        raise VerbError("it was merged into another ticket: decide there")
    if worked.kind != "report":
        raise VerbError(f"{worked.name.ref} is no report: /report takes it for one")


def _one_at_a_time(worked: Worked) -> None:
    """Nobody confirms what they have not read: while one proposal waits, there is no other."""
    if any(proposal.verb == REWARD for proposal in worked.proposals):
        raise VerbError("a reward is proposed already: another member answers with /confirm, or /cancel drops it first")
    last = standing(worked.rewards)
    if last is not None and last.state is Decided.PAID:
        raise VerbError(f"{money(last.amount, last.currency)} was paid already, {last.reference}")


def _amount(worked: Worked, words: str, case: Case) -> Step:
    asked = read_amount(words, case.desk.policy.reward)
    if worked.tended.state in _NOT_YET or not worked.severity:
        raise VerbError("it has no severity yet: /assess accepted SEVERITY comes first")
    if worked.tended.state is State.DECLINED:
        raise VerbError("it is declined: /reward none REASON, or /reopen and /assess accepted SEVERITY")
    bounds = bounds_of(worked.severity, asked.quality, case.desk.policy.reward)
    within(asked, bounds)
    rests = basis(asked, worked.severity, bounds)
    _as_proposed(rests, case)
    decision = Decision(
        Decided.APPROVED,
        asked.amount,
        asked.currency,
        worked.severity,
        asked.quality,
        asked.why,
        case.by,
        case.second,
        "",
        case.at,
    )
    after = decided(worked, decision)
    values = {"amount": money(asked.amount, asked.currency), "clause": _clause(case)}
    line = f"approved: {money(asked.amount, asked.currency)}; when it is paid, write /reward paid REFERENCE"
    return Step(after, (line, *rests), (_event(decision, case),), _letter(after, "rewarded", values, case), basis=rests)


def _as_proposed(rests: tuple[str, ...], case: Case) -> None:
    """A confirmation is of what was shown: severity, bounds and all. What changed since has to be proposed again."""
    if case.confirmed and case.text != "\n".join(rests):
        was, now = case.text.split("\n"), list(rests)
        changed = "; ".join(
            f"{' '.join(a.split())} is now {b.partition(':')[2].strip()}"
            for a, b in zip(was, now, strict=False)
            if a != b
        )
        raise VerbError(f"it is not what was proposed any more ({changed}): /cancel drops it, then propose it again")


def _none(worked: Worked, why: str, case: Case) -> Step:
    if not why:
        raise MisreadError("say why, as in /reward none it was known to us already; the researcher does not read it")
    rests = ("amount:   none", f"severity: {worked.severity or 'not assessed'}", f"reason:   {reason(why)}")
    _as_proposed(rests, case)
    decision = Decision(Decided.DECLINED, None, "", worked.severity, "", why, case.by, case.second, "", case.at)
    after = decided(worked, decision)
    letters = _letter(after, "unrewarded", {"clause": _clause(case)}, case) if worked.reporter else ()
    return Step(
        after, ("no reward, and the researcher is told so", *rests), (_event(decision, case),), letters, basis=rests
    )


def _paid(worked: Worked, reference: str, case: Case) -> Step:
    last = standing(worked.rewards)
    if last is None or last.state is Decided.DECLINED:
        raise VerbError("no reward is approved: /reward AMOUNT REASON comes first")
    if last.state is Decided.PAID:
        raise VerbError(f"it was paid already, {last.reference}")
    if not reference:
        raise MisreadError("name the payment by a number of your own, as in /reward paid PO-2026-118")
    if len(reference) > MOST_REFERENCE or not reference.isprintable():
        raise VerbError(f"a reference is of {MOST_REFERENCE} characters at most, on one line")
    refuse_payee(reference)
    decision = replace(last, state=Decided.PAID, reference=reference, by=case.by, second="", at=case.at)
    line = f"recorded: {money(last.amount, last.currency)} paid, {reference}; no letter says so"
    return Step(decided(worked, decision), (line,), (_event(decision, case),))


def decided(worked: Worked, decision: Decision) -> Worked:
    """The ticket with one more row of the ledger."""
    return replace(worked, rewards=(*worked.rewards, decision))


def _event(decision: Decision, case: Case) -> Event:
    """The whole row: what the ledger says later is compared with it."""
    said = ("amount", "currency", "severity", "quality", "why", "second", "reference")
    return Event(
        EventKind.REWARDED, case.actor, {"state": decision.state.value, **{k: getattr(decision, k) for k in said}}
    )


def _letter(worked: Worked, template: str, values: Mapping[str, object], case: Case) -> tuple[Letter, ...]:
    """To the reporter alone: it is their own affair. It says nothing of how the report stands, so it keeps no promise."""
    reporter = worked.reporter
    if reporter is None:
        raise VerbError(f"{worked.name.ref} has no reporter's address: there is nobody to reward; /add names one")
    policy = case.desk.policy
    said = {"ref": worked.name.ref, "organisation": policy.organisation, "contact": case.desk.address, **values}
    letters = to_people(replace(worked, people=(reporter,)), template, said, replace(case, text=""))
    return tuple(replace(one, meets=()) for one in letters)


def _clause(case: Case) -> str:
    clauses = case.desk.policy.reward.clauses
    return clauses[0] if clauses else ""


# --- what goes with other commands ---------------------------------------------------------------------------------------------


def owed(worked: Worked, case: Case) -> bool:
    """Whether the policy's reward is still to be decided: of a report that was not merged."""
    offered = case.desk.policy.reward.offered and worked.kind == "report" and not worked.merged_into
    return offered and standing(worked.rewards) is None


def closing(deed: Deed) -> Deed:
    """`deed`, which closes the ticket, and does not before the reward is decided."""

    def with_decision(worked: Worked, words: str, case: Case) -> Step:
        if owed(worked, case):
            raise VerbError(
                "the policy offers a reward, and none was decided: /reward AMOUNT REASON or /reward none REASON,"
                " or /assess declined REASON"
            )
        return deed(worked, words, case)

    return with_decision


def assessing(deed: Deed) -> Deed:
    """`deed`, which assesses the report. Declining it decides about the reward too; accepting what was declined undoes that."""

    def with_decision(worked: Worked, words: str, case: Case) -> Step:
        step = deed(worked, words, case)
        before, after = worked.tended.state, step.worked.tended.state
        last = standing(worked.rewards)
        if after is State.DECLINED and owed(step.worked, case):
            return _with(step, Decided.DECLINED, _reason_of(step.worked), "no reward, by the assessment", case)
        accepted = before in (*_NOT_YET, State.DECLINED) and after is not State.DECLINED
        if accepted and last is not None and last.state is Decided.DECLINED:
            return _with(step, Decided.REOPENED, "accepted after all", "the reward is to be decided anew", case)
        if after is State.DECLINED and last is not None and last.state is Decided.APPROVED:
            line = f"{money(last.amount, last.currency)} stays approved: /reward none REASON takes it back"
            return replace(step, lines=(*step.lines, line))
        return step

    return with_decision


def _reason_of(worked: Worked) -> str:
    return f"assessed: declined, {worked.decision}" if worked.decision else "assessed: declined"


def _with(step: Step, state: Decided, why: str, line: str, case: Case) -> Step:
    decision = Decision(state, None, "", step.worked.severity, "", why, case.by, "", "", case.at)
    after = decided(step.worked, decision)
    return replace(step, worked=after, lines=(*step.lines, line), events=(*step.events, _event(decision, case)))


def cancelling(deed: Deed) -> Deed:
    """`deed`, which drops letters that wait: one about a reward leaves its researcher without word, and the ledger as it is."""

    def with_word(worked: Worked, words: str, case: Case) -> Step:
        dropped = any(one.template in LETTERS and one.state != "dropped" for one in worked.waiting)
        step = deed(worked, words, case)
        line = "what was decided about the reward stays decided: decide it anew with /reward, or tell it with /reply"
        return replace(step, lines=(*step.lines, line)) if dropped else step

    return with_word
