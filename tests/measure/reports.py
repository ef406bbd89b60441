"""Facts, missing parts, noise and purpose of labelled reports: python tests/measure/reports.py DIR [--list] [--part tuned|held]."""

from __future__ import annotations

import argparse
import csv
import json
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from triaged.daemon.desks import message_limits
from triaged.message.model import Message
from triaged.message.parse import parse
from triaged.reading.facts import Fact, facts
from triaged.reading.missing import missing
from triaged.reading.noise import noise
from triaged.reading.purpose import purpose
from triaged.settings.limits import Limits

LIMITS = message_limits(Limits())
HERE = Path(__file__).parent / "labels"
H1_BODY = re.compile(r"## Vulnerability Information\n(.*?)\n## Attachments\n(.*)", re.S)


def as_message(path: Path) -> Message:
    """A text of the corpus as its author would have mailed it: the site's own header lines are no part of it."""
    raw = path.read_bytes()
    if path.suffix == ".eml":
        return parse(raw, LIMITS)
    text, mail = raw.decode("utf-8", "replace"), EmailMessage()
    mail["From"], mail["To"] = "Researcher <researcher@mail.example>", "security@vendor.example"
    title = text.split("\n", 1)[0].lstrip("# ")
    mail["Subject"] = re.sub(r"[\x00-\x1f\x7f]", " ", title)[:200]
    site = H1_BODY.search(text)
    mail.set_content(site[1] if site else text)
    for name in re.findall(r"^- (\S+)$", site[2] if site else "", re.M):
        mail.add_attachment(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", filename=name)
    return parse(mail.as_bytes(), LIMITS)


def labelled(root: Path) -> Iterator[tuple[str, dict[str, Any], Message]]:
    for key, label in json.loads((HERE / "labels.json").read_text("utf-8")).items():
        folder, _, rest = key.partition("/")
        yield key, label, as_message(root / rest if folder == "corpus" else HERE / key)


def same(wanted: str, got: str) -> bool:
    """Whether a value is one of the spellings of a label; case, and a leading "v" of versions, do not matter."""
    return any(one == "*" or plain(one) == plain(got) for one in wanted.split("|"))


def plain(value: str) -> str:
    return " ".join(re.sub(r"\bv(?=\d)", "", value.casefold()).split())


def compare(label: dict[str, Any], found: tuple[Fact, ...]) -> tuple[list[Fact], list[Fact], list[list[str]]]:
    """Facts that are right, facts that are wrong, labels that were not found."""
    required = [item for item in label["facts"] if not item[0].startswith("?")]
    allowed = [[item[0][1:], item[1]] for item in label["facts"] if item[0].startswith("?")]

    def matches(items: list[list[str]], fact: Fact) -> bool:
        return any(kind == fact.kind and same(value, fact.value) for kind, value in items)

    right = [fact for fact in found if matches(required, fact)]
    wrong = [fact for fact in found if not matches(required, fact) and not matches(allowed, fact)]
    missed = [item for item in required if not any(matches([item], fact) for fact in right)]
    return right, wrong, missed


def fact_tables(root: Path, part: str, listing: bool) -> str:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    whole = reports = 0
    for key, label, message in labelled(root):
        if "facts" not in label or part == ("tuned" if label["held_out"] else "held"):
            continue
        right, wrong, missed = compare(label, facts(message))
        reports += 1
        whole += not wrong and not missed
        for place, kinds in enumerate(([f.kind for f in right], [f.kind for f in wrong], [m[0] for m in missed])):
            for kind in kinds:
                counts[kind][place] += 1
        if listing and (wrong or missed):
            print(f"{key}\n  wrong  {[(f.kind, f.value) for f in wrong]}\n  missed {missed}")
    totals = [sum(column) for column in zip(*counts.values(), strict=True)]
    lines = ["| kind | right | wrong | missed | precision | recall |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for kind, (right_, wrong_, missed_) in [*sorted(counts.items()), ("all", totals)]:
        lines.append(
            f"| {kind} | {right_} | {wrong_} | {missed_} | {ratio(right_, wrong_)} | {ratio(right_, missed_)} |"
        )
    return "\n".join([*lines, f"\n{reports} reports, {whole} without any wrong or missed fact."])


def noise_table(root: Path, listing: bool) -> str:
    """How well the score tells beg-bounty-like reports from others: the area under the curve."""
    ours, theirs = scores(root, labels_only=True), scores(root, labels_only=False)
    tagged = [item for item in theirs if item[2] in by_topic(root)]
    lines = ["| told from | beg | not | area |", "| --- | ---: | ---: | ---: |"]
    for title, scored in (
        ("the labels here", ours),
        ("the corpus's tags and the labels here", theirs),
        ("the same topics only", tagged),
    ):
        beg, rest = ([score for score, is_beg, _ in scored if is_beg is wanted] for wanted in (True, False))
        lines.append(f"| {title} | {len(beg)} | {len(rest)} | {area(beg, rest):.3f} |")
    if listing:
        lines += [f"{score:.2f} {is_beg} {path}" for score, is_beg, path in sorted(theirs, reverse=True)]
    return "\n".join(lines)


def by_topic(root: Path) -> frozenset[str]:
    """The reports that the corpus tags as being about what beggars write about, begging or not."""
    with (root / "labels.csv").open(encoding="utf-8", newline="") as file:
        return frozenset(f"corpus/{row['path']}" for row in csv.DictReader(file) if "beg-topic" in row["tags"])


def scores(root: Path, *, labels_only: bool) -> list[tuple[float, bool, str]]:
    """Score, label and path of each report; a corpus report without a tag or label counts as no begging."""
    found = {}
    for key, label, message in labelled(root):
        if "facts" in label:
            found[key] = (noise(message, facts(message)).score, label["beg"], key)
    if not labels_only:
        with (root / "labels.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = f"corpus/{row['path']}"
                if row["format"] == "report-text" and key not in found:
                    message = as_message(root / row["path"])
                    beg = "beg-bounty-like" in row["tags"]
                    found[key] = (noise(message, facts(message)).score, beg, key)
    return list(found.values())


def area(beg: list[float], rest: list[float]) -> float:
    """The share of pairs in which the begging one scores higher; a tie is half."""
    wins = sum((one > other) + (one == other) / 2 for one in beg for other in rest)
    return wins / (len(beg) * len(rest))


def judged_table(root: Path, listing: bool) -> str:
    """Purpose and missing parts of the messages of our own, against their labels."""
    right = {"purpose": 0, "missing": 0}
    asked = {"purpose": 0, "missing": 0}
    for key, label, message in labelled(root):
        if not key.startswith("own/"):
            continue
        found = facts(message)
        for name, wanted, got in (
            ("purpose", label["purpose"], purpose(message, found).kind),
            ("missing", label.get("missing"), list(missing(message, found))),
        ):
            if wanted is not None:
                asked[name] += 1
                right[name] += wanted == got
                if listing and wanted != got:
                    print(f"{key}: {name} {got}, wanted {wanted}")
    return "\n".join(
        ["| of our own texts | right | of |", "| --- | ---: | ---: |"]
        + [f"| {name} | {right[name]} | {asked[name]} |" for name in right]
    )


def cpu_line(root: Path) -> str:
    spent = []
    for _, _, message in labelled(root):
        start = time.process_time()
        found = facts(message)
        missing(message, found), noise(message, found), purpose(message, found)
        spent.append(1000 * (time.process_time() - start))
    return f"CPU for all four: median {statistics.median(spent):.1f} ms, most {max(spent):.1f} ms."


def ratio(right: int, other: int) -> str:
    return f"{right / (right + other):.2f}" if right + other else "-"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--part", choices=("tuned", "held", "all"), default="")
    options = arguments.parse_args()
    for part in [options.part] if options.part else ["tuned", "held", "all"]:
        print(f"\n### Facts, {part}\n\n{fact_tables(options.folder, part, options.list)}")
    print(f"\n### Noise\n\n{noise_table(options.folder, options.list)}")
    print(f"\n### Purpose, and what is missing\n\n{judged_table(options.folder, options.list)}")
    print(f"\n{cpu_line(options.folder)}")


if __name__ == "__main__":
    main()
