"""Writes the golden stories: for each shipped policy, every letter of one report over 120 days, as a reader can check by hand.

`python -m tests.ticket.telling_stories` writes tests/ticket/stories/*.txt again; read the difference before it is committed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from triaged.cli.simulate import arrival, play_one, sample, simulated_desk
from triaged.policy.calendar import due_local
from triaged.policy.load import load_policy
from triaged.policy.model import Policy
from triaged.ticket.clocks import DATE, needs, standing
from triaged.ticket.deadlines import start_deadlines
from triaged.ticket.events import State
from triaged.ticket.simulation import Act, Sent, Story

STORIES = Path(__file__).parent / "stories"
POLICIES = Path(__file__).resolve().parents[2] / "config" / "policies"
NAMES = ("ims-network", "responsible-disclosure", "good-faith-rules")
RECEIVED = datetime(2026, 11, 20, 9, 12, tzinfo=UTC)
DAYS = 120
WIDTH = 100

# What the team does: it assesses in time and begins a fix, is silent until Christmas is over, writes at last, fixes
# and publishes.
ACTS = (
    Act(RECEIVED + timedelta(days=3, hours=1), promise="assess", state=State.ACCEPTED),
    Act(RECEIVED + timedelta(days=3, hours=2), state=State.FIXING),
    Act(RECEIVED + timedelta(days=38), promise="update"),
    Act(RECEIVED + timedelta(days=45), promise="update"),
    Act(RECEIVED + timedelta(days=57), state=State.FIXED),
    Act(RECEIVED + timedelta(days=63), state=State.DISCLOSED),
    Act(RECEIVED + timedelta(days=70), state=State.CLOSED),
)


def told(name: str) -> str:
    """The whole story under one policy."""
    policy = load_policy(POLICIES / f"{name}.toml")
    desk = simulated_desk(policy)
    raw = sample(RECEIVED, desk.address, proven=True)
    story = play_one(arrival(raw, RECEIVED, policy), desk, ACTS, DAYS)
    parts = [_head(policy, story), _clocks(policy, story)]
    parts += [_letter(policy, number, sent) for number, sent in enumerate(story.sent, start=1)]
    return "\n".join(parts)


def _head(policy: Policy, story: Story) -> str:
    acts = [f"  {due_local(a.at, policy.calendar)}  {_deed(a)}" for a in ACTS]
    lines = [
        f"{policy.organisation}: the report {story.ref}, received {due_local(RECEIVED, policy.calendar)}, {DAYS} days",
        "",
        "What the team does:",
        *acts,
        "",
    ]
    return "\n".join(lines)


def assessment(policy: Policy) -> str:
    """The member's command that the story's assessment is: with a date where the clause names one, the day that stands."""
    clocks = {clock.promise: clock for clock in start_deadlines(policy, RECEIVED)}
    if DATE not in needs(policy, "assess"):
        return "/assess accepted"
    day = (clocks["fix"].due_at - timedelta(microseconds=1)).astimezone(policy.calendar.tzinfo).date()
    return f"/assess accepted fix-by {day}"


def _deed(act: Act) -> str:
    if act.promise and act.state:
        return f"writes the letter that it is {act.state.value}, which keeps: {act.promise}"
    return f"moves the ticket to {act.state.value}" if act.state else f"writes a letter that keeps: {act.promise}"


def _clocks(policy: Policy, story: Story) -> str:
    lines = ["The clocks:"]
    for clock in story.clocks:
        instants = [clock.started_at, clock.due_at, clock.met_at]
        started, due_at, met = (due_local(i, policy.calendar) if i else "" for i in instants)
        line = f"  {clock.promise:12} {clock.round:2}  started {started}  due {due_at}  {standing(clock).value:8} {met}"
        lines.append(line.rstrip())
    return "\n".join([*lines, ""])


def _letter(policy: Policy, number: int, sent: Sent) -> str:
    keeps = f", keeps {', '.join(sent.keeps)}" if sent.keeps else ""
    head = f"== {number}. {due_local(sent.at, policy.calendar)}  to the {sent.audience.value}: {sent.template}{keeps} "
    if sent.letter is None:
        return f"{head.ljust(WIDTH, '=')}\n\n(a member's own letter)\n"
    words = "\n".join(line.rstrip() for line in sent.letter.text.rstrip("\n").split("\n"))
    return f"{head.ljust(WIDTH, '=')}\nTo: {sent.to}\nSubject: {sent.letter.subject}\n\n{words}\n"


def write() -> None:
    """All of them."""
    STORIES.mkdir(exist_ok=True)
    for name in NAMES:
        (STORIES / f"{name}.txt").write_text(told(name), encoding="utf-8")


if __name__ == "__main__":
    write()
