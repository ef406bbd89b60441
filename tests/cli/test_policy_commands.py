"""`triaged policy lint`, `publish` and `diff` on files, as a person or a script runs them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Triaged

AT = ("--at", "2026-11-20T09:00:00Z")
KNOWN = {
    "ims-network": ("mis-encoded", "\N{LOCK}"),
    "responsible-disclosure": ("placeholder", "[email protected]"),
    "good-faith-rules": ("threat", "we will persecute you"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_lint_names_the_known_defect_of_each_shipped_text(triaged: Triaged, name: str) -> None:
    rule, words = KNOWN[name]
    said = triaged("policy", "lint", f"policies/{name}.toml", *AT, "--json")
    assert said.code == 1
    assert all(set(one) == {"rule", "where", "text"} for one in said.document)
    assert any(one["rule"] == rule and words in one["text"] for one in said.document)
    plain = triaged("policy", "lint", f"policies/{name}.toml", *AT)
    assert plain.code == 1
    assert len(plain.out.splitlines()) == len(said.document)


def test_lint_takes_several_files_and_without_any_those_of_the_configuration(triaged: Triaged) -> None:
    files = [f"policies/{name}.toml" for name in KNOWN]
    several = triaged("policy", "lint", *files, *AT, "--json").document
    assert {one["where"].partition(".")[0] for one in several} == set(KNOWN)
    configured = triaged("policy", "lint", *AT, "--json").document
    assert [one["rule"] for one in configured if one["where"] == "ims-network.toml: policy.contact"] == ["mailbox"]
    assert "security@example.test" in configured[-1]["text"]


def test_lint_of_a_clean_policy_says_nothing(triaged: Triaged, installation: Path) -> None:
    (installation / "p.txt").write_text("Please write to security@here.ch. We answer within 3 days.\n")
    (installation / "p.toml").write_text(
        '[policy]\norganisation = "X"\nprefix = "XX"\ncontact = "security@here.ch"\nversion = "1"\ntext = "p.txt"\n'
        '[calendar]\nzone = "Europe/Zurich"\ncountry = "CH"\n'
        '[[promise]]\nname = "acknowledge"\nclause = "We answer within 3 days."\nwithin = "3 days"\n'
        '[[statement]]\nname = "write"\nkind = "request"\nclause = "Please write to security@here.ch."\n'
    )
    said = triaged("policy", "lint", "p.toml", "--json")
    assert (said.code, said.document) == (0, [])
    assert triaged("policy", "lint", "p.toml").out == ""


def test_publish_writes_the_same_files_twice(triaged: Triaged, installation: Path) -> None:
    for folder in ("one", "two"):
        said = triaged("policy", "publish", "policies/ims-network.toml", folder, *AT)
        assert said.code == 0
        assert "policy_url" in said.err
        assert {str(Path(line).relative_to(folder)) for line in said.out.splitlines()} == {
            ".well-known/security.txt",
            "security-policy.html",
            "security-policy.md",
            "disclose-io.json",
        }
    for path in (installation / "one").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (installation / "two" / path.relative_to(installation / "one")).read_bytes()


@pytest.mark.parametrize("day", ["2026-11-20", "2027-12-01"])
def test_publish_refuses_an_end_that_is_past_or_more_than_a_year_away(
    triaged: Triaged, installation: Path, day: str
) -> None:
    """ST-1."""
    file = installation / "policies" / "ims-network.toml"
    file.write_text(file.read_text() + f"\n[publish]\nexpires = {day}\n")
    said = triaged("policy", "publish", file, "web", *AT)
    assert said.code == 1
    assert "publish.expires" in said.err
    assert not (installation / "web").exists()


def test_diff_shows_what_changes_and_what_would_move(triaged: Triaged, installation: Path) -> None:
    old = installation / "policies" / "ims-network.toml"
    new = installation / "policies" / "new.toml"
    new.write_text(old.read_text().replace('within = "7 days"', 'within = "5 days"'))
    said = triaged("policy", "diff", old, new, "--received", "2026-11-20T09:00:00Z", "--json")
    assert said.code == 0
    assert said.document["changes"] == [
        {"kind": "changed", "where": "promise[assess].within", "before": "7 days", "after": "5 days"}
    ]
    assert said.document["moved"] == [
        {
            "promise": "assess",
            "started_at": "2026-11-20T09:00:00Z",
            "was_due_at": "2026-11-27T22:00:00Z",
            "due_at": "2026-11-25T22:00:00Z",
            "direction": "earlier",
        }
    ]
    plain = triaged("policy", "diff", old, new, "--received", "2026-11-20T09:00:00Z")
    assert "promise[assess].within" in plain.out
    assert "2026-11-25T22:00:00Z" in plain.out


WRONG = [
    ("policy", "lint", "nowhere.toml"),
    ("policy", "lint", "imap-password"),
    ("policy", "publish", "nowhere.toml", "web"),
    ("policy", "publish", "policies/ims-network.toml"),
    ("policy", "diff", "policies/ims-network.toml"),
    ("policy", "diff", "policies/ims-network.toml", "nowhere.toml"),
    ("policy", "diff", *["policies/ims-network.toml"] * 2, "--received", "9999-12-31"),
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_what_is_wrong_is_a_sentence_and_exit_code_2(triaged: Triaged, arguments: tuple[str, ...]) -> None:
    said = triaged(*arguments)
    assert (said.code, said.out) == (2, "")
    assert "should not happen" not in said.err


def test_check_warns_30_days_before_security_txt_ends(triaged: Triaged, installation: Path) -> None:
    """ST-1."""
    file = installation / "policies" / "ims-network.toml"
    soon = (datetime.now(UTC) + timedelta(days=10)).date()
    file.write_text(file.read_text() + f"\n[publish]\nexpires = {soon}\n")
    (item,) = (one for one in triaged("check", "--json").document if one["item"] == "policy ims-network")
    assert item["ok"]
    assert f"ends on {soon}, within 30 days" in item["note"]
