"""What differs between two policies, and which running clocks the new one would move."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from triaged.policy.difference import Moved, Started, as_if, changes, document, moved
from triaged.policy.load import load_policy

POLICIES = Path(__file__).parent.parent.parent / "config" / "policies"
RULES = (POLICIES / "good-faith-rules.toml").read_text()
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def edited(folder: Path, *edits: tuple[str, str]):
    text = RULES
    for before, after in edits:
        assert before in text, before
        text = text.replace(before, after)
    (folder / "good-faith-rules.txt").write_text((POLICIES / "good-faith-rules.txt").read_text())
    (folder / "new.toml").write_text(text)
    return load_policy(folder / "new.toml")


OLD = load_policy(POLICIES / "good-faith-rules.toml")


@pytest.mark.parametrize("name", ["ims-network", "responsible-disclosure", "good-faith-rules"])
def test_a_policy_does_not_differ_from_itself(name):
    policy = load_policy(POLICIES / f"{name}.toml")
    assert changes(policy, policy) == ()
    assert moved(policy, policy, as_if(policy, AT)) == ()


CASES = [
    ('every = "14 days"', 'every = "7 days"', ("changed", "promise[update].every", "14 days", "7 days")),
    ('every = "14 days"', 'within = "14 days"', ("removed", "promise[update].every", "14 days", "")),
    ('every = "14 days"', 'within = "14 days"', ("added", "promise[update].within", "", "14 days")),
    ('met_by = "automatic"', 'met_by = "human"', ("changed", "promise[acknowledge].met_by", "automatic", "human")),
    ('name = "update"', 'name = "news"', ("added", "promise[news].every", "", "14 days")),
    ('name = "update"', 'name = "news"', ("removed", "promise[update].every", "14 days", "")),
    ('closing = "24:00"', 'closing = "17:00"', ("changed", "calendar.closing", "1440", "1020")),
    (
        'closing = "24:00"',
        'closing = "24:00"\nclosed = ["2026-12-24..2026-12-25"]',
        ("changed", "calendar.closed", "", "2026-12-24, 2026-12-25"),
    ),
    ('profile = "days_90_30"', 'profile = "nl_60"', ("changed", "disclosure.disclose_days", "90", "60")),
    (
        'to = "19:00"',
        'to = "18:00"',
        (
            "changed",
            "rule[no-heavy-scanning-by-day].window",
            "07:00 to 19:00 (UTC+01:00)",
            "07:00 to 18:00 (UTC+01:00)",
        ),
    ),
    ('languages = ["en"]', 'languages = ["en", "de"]', ("changed", "policy.languages", "en", "en, de")),
    (
        'name = "no-malware"',
        'name = "no-viruses"',
        ("removed", "rule[no-malware].clause", "Do not install malware or viruses.", ""),
    ),
    (
        "We name you as the discoverer where you ask us to.",
        "We name you.",
        ("added", "credit.clauses: We name you.", "", "We name you."),
    ),
]


@pytest.mark.parametrize(("before", "after", "change"), CASES)
def test_a_change_is_named_with_its_key_and_both_values(tmp_path, before, after, change):
    found = [(c.kind, c.where, c.before, c.after) for c in changes(OLD, edited(tmp_path, (before, after)))]
    assert change in found


def test_the_order_of_tables_is_no_change(tmp_path):
    first, second = (
        RULES[RULES.index(f'[[rule]]\nname = "{name}"') :].split("\n\n")[0] for name in ("no-leaks", "no-evil")
    )
    new = edited(tmp_path, (first, "@@"), (second, first), ("@@", second))
    assert changes(OLD, new) == ()


def test_only_the_clocks_of_changed_promises_move_and_none_is_touched(tmp_path):
    new = edited(tmp_path, ('within = "7 days"', 'within = "5 days"'))
    started = as_if(OLD, AT)
    assert moved(OLD, new, started) == (
        Moved("assess", AT, datetime(2026, 11, 27, 23, 0, tzinfo=UTC), datetime(2026, 11, 25, 23, 0, tzinfo=UTC)),
    )
    assert moved(OLD, new, started)[0].direction == "earlier"


def test_a_calendar_moves_every_clock_that_it_counts(tmp_path):
    new = edited(tmp_path, ('closing = "24:00"', 'closing = "24:00"\nclosed = ["2026-11-23"]'))
    (shift,) = moved(OLD, new, as_if(OLD, AT))
    assert (shift.promise, shift.direction, shift.due_at - shift.was_due_at) == (
        "acknowledge",
        "later",
        timedelta(days=1),
    )


def test_a_clock_that_was_extended_keeps_its_extension(tmp_path):
    new = edited(tmp_path, ('within = "7 days"', 'within = "5 days"'))
    (clock,) = (one for one in as_if(OLD, AT) if one.promise == "assess")
    extended = Started("assess", AT, clock.due_at + timedelta(days=10))
    (shift,) = moved(OLD, new, [extended])
    assert shift.due_at == extended.due_at - timedelta(days=2)


def test_a_promise_that_is_gone_leaves_its_clock_without_a_due_instant(tmp_path):
    new = edited(tmp_path, ('name = "update"', 'name = "news"'))
    (shift,) = moved(OLD, new, as_if(OLD, AT))
    assert (shift.promise, shift.due_at, shift.direction) == ("update", None, "gone")


def test_a_clock_of_neither_policy_is_left_out(tmp_path):
    assert moved(OLD, OLD, [Started("cake", AT, AT)]) == ()


def test_the_document_holds_both_names_and_instants_in_utc(tmp_path):
    new = edited(tmp_path, ('within = "7 days"', 'within = "5 days"'), ('version = "2026-11-20"', 'version = "2"'))
    found = document(OLD, new, moved(OLD, new, as_if(OLD, AT)))
    assert found["from"] == {"name": "good-faith-rules", "version": "2026-11-20", "sha256": OLD.sha256}
    assert (found["to"]["name"], found["to"]["version"]) == ("new", "2")
    assert {change["where"] for change in found["changes"]} == {"promise[assess].within", "policy.version"}
    assert found["moved"] == [
        {
            "promise": "assess",
            "started_at": "2026-11-20T09:00:00Z",
            "was_due_at": "2026-11-27T23:00:00Z",
            "due_at": "2026-11-25T23:00:00Z",
            "direction": "earlier",
        }
    ]
