"""Rules and graphs name metrics that exist, and each rule and alarm is explained: a graph of nothing looks like peace."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.daemon.test_metrics_document import metrics

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs/operations.md").read_text()
ELSEWHERE = {"up", "process_resident_memory_bytes"}  # of Prometheus and of its library
WORDS = {"avg_over_time", "delta", "state", "job"}  # functions and labels


def rules() -> list[dict[str, Any]]:
    found = YAML(typ="safe").load((ROOT / "config/ops/alerts.yml").read_text())
    return [rule for group in found["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "config/ops/dashboard.json").read_text())
    return found


def named(expression: str) -> set[str]:
    """The metrics that an expression names."""
    bare = re.sub(r'"[^"]*"|\[[0-9a-z]+\]', "", expression)
    return set(re.findall(r"[a-z][a-z_]+", bare)) - WORDS


def test_every_rule_names_metrics_that_exist() -> None:
    for rule in rules():
        assert named(rule["expr"]) and named(rule["expr"]) <= metrics() | ELSEWHERE, rule["alert"]
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"} and rule["annotations"]["summary"]


def test_every_graph_names_metrics_that_exist_and_every_metric_has_one() -> None:
    shown = set().union(*(named(t["expr"]) for panel in dashboard()["panels"] for t in panel["targets"]))
    assert shown - ELSEWHERE == metrics()


def test_every_rule_is_explained_under_its_name() -> None:
    explained = re.findall(r"`(Triaged[A-Za-z]+)`", "".join(re.findall(r"^### .*$", OPERATIONS, re.MULTILINE)))
    assert sorted(explained) == sorted(rule["alert"] for rule in rules())


def test_every_alarm_by_mail_is_explained_under_its_key() -> None:
    heads = " ".join(re.findall(r"^### (.*)$", OPERATIONS, re.MULTILINE))
    for key in ("`mailbox NAME FOLDER`", "`outbox`", "`disk`", "`part NAME`", "`database`"):
        assert key in heads, key
