"""Reads a folder of labelled mail (labels.csv) and prints as a table how much of it is read as its sources expect.

    PYTHONPATH=. python tests/measure/corpus.py DIR [--list WHAT]

WHAT is one of the measures' names (from, subject, attachments, whole, names, made-up, body, reply, bounces, recipients, status,
auto, replied, people, exceptions, slow): its misses are printed one by one. Nothing is written, and nothing in the folder is
changed.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import json
import re
import statistics
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path

from triaged.daemon.desks import message_limits
from triaged.message import parse as parsing
from triaged.message.body import read_body
from triaged.message.fields import start_of_header
from triaged.message.html import html_to_text
from triaged.message.model import Kind, Message, Trust
from triaged.message.parse import parse
from triaged.message.replies import new_text
from triaged.message.structure import read_structure
from triaged.settings.limits import Limits

LIMITS = message_limits(Limits())
Row = dict[str, str]
MACHINES = (Kind.AUTO_REPLY, Kind.BOUNCE, Kind.MDN, Kind.FEEDBACK)


@dataclass
class Measure:
    """One line of the table: how many were right, and what was missed."""

    title: str
    right: int = 0
    asked: int = 0
    misses: list[str] = field(default_factory=list)

    def note(self, row: Row, right: bool, expected: object, got: object) -> None:
        self.asked += 1
        self.right += right
        if not right:
            self.misses.append(f"{row['path']}: expected {expected!r}, read {got!r}")


def folded(text: str) -> str:
    return " ".join(text.split())


def bare(text: str) -> str:
    """Letters and digits only: markup, white space and the way lists and links are shown differ by taste."""
    return re.sub(r"[^\w\ufffd]+|_+", "", text).lower()


def same(wanted: str, got: str) -> bool:
    """Equal, where a character that the source itself could not decode (U+FFFD) may be any one character."""
    wanted, got = (unicodedata.normalize("NFC", text) for text in (wanted, got))
    return re.fullmatch("(?s)" + ".".join(re.escape(piece) for piece in wanted.split("\ufffd")), got) is not None


def check_from(row: Row, message: Message, measure: Measure) -> None:
    wanted = re.findall(r"[^\s<>\"',;]+@[^\s<>\"',;]+", row["exp_from"])
    got = message.author.address if message.author else ""
    # Where the source shows words that hold no address, none is the right answer.
    right = got.lower() in (item.lower().rstrip(".") for item in wanted) if wanted else not got
    measure.note(row, right, row["exp_from"], got)


def check_subject(row: Row, message: Message, measure: Measure) -> None:
    measure.note(row, same(folded(row["exp_subject"]), folded(message.subject)), row["exp_subject"], message.subject)


def check_attachments(row: Row, message: Message, measure: Measure) -> None:
    got = [(item.media_type, item.name) for item in message.attachments]
    named = len(row["exp_attachment_names"].split("|")) if row["exp_attachment_names"] else 0
    # A source that counts fewer files than it names leaves some out of its count.
    measure.note(row, max(int(row["exp_n_attachments"]), named) == len(got), row["exp_n_attachments"], got)


def is_whole(raw: bytes) -> bool:
    """Whether every multipart opens and closes as RFC 2046 section 5.1.1 has it, by the standard library's judgement."""
    return not any(
        "Boundary" in type(defect).__name__ for part in message_from_bytes(raw).walk() for defect in part.defects
    )


def is_delivery_report(raw: bytes) -> bool:
    """A report by its form (RFC 3464), by the standard library's judgement."""
    return any(part.get_content_type() == "message/delivery-status" for part in message_from_bytes(raw).walk())


_NAME = re.compile(rb"(?i)\b(?:file)?name(\*[0-9*]*)?[ \t]*=[ \t]*(?:\r?\n[ \t]+)?(\"[^\"]{0,400}\"|[^\s;]{0,400})")
_UUENCODED = re.compile(rb"^begin [0-7]{3} ([^\r\n]{1,200})", re.M)


def is_stated(name: str, raw: bytes) -> bool:
    """Whether the message itself gives a part this name. Judged without the reader: a name parameter that is coded may be
    any name with a letter beyond ASCII or any that is spread over several parameters; one in clear is itself.
    """
    values = [(match[1], match[2].strip(b'"')) for match in _NAME.finditer(raw)]
    values += [(None, match[1].strip()) for match in _UUENCODED.finditer(raw)]
    clear = {folded(value.decode("utf-8", "replace")) for star, value in values if star is None and b"=?" not in value}
    coded = any(star is not None or b"=?" in value or not value.isascii() for star, value in values)
    return name in clear or coded


def check_names(row: Row, message: Message, raw: bytes, stated: Measure, made_up: Measure) -> None:
    """Name by name. Those that a source makes up, as from a subject or a Content-ID, are counted apart."""
    left = [folded(item.name) for item in message.attachments]
    for name in map(folded, row["exp_attachment_names"].split("|")):
        found = next((item for item in left if same(name, item)), None)
        measure = stated if not name or is_stated(name, raw) else made_up
        measure.note(row, found is not None, name, left)
        left = [item for index, item in enumerate(left) if index != (left.index(found) if found is not None else -1)]


def check_body(row: Row, message: Message, raw: bytes, measure: Measure, root: Path) -> None:
    wanted = (root / row["exp_body_path"]).read_text("utf-8", "replace")
    if row["exp_body_path"].endswith(".html"):
        wanted = html_to_text(wanted, 10**6)[0]
    html_alone = row["exp_body_path"].endswith(".html")
    if wanted.strip() == "no visible content":  # what a source that shows HTML alone has in place of an empty body
        wanted, html_alone = "", True
    # A source that shows HTML alone is compared with what is read of the HTML, where the plain form says something else.
    forms = [message.text, *(html_forms(raw) if html_alone else [])]
    right = any(
        alike(bare(wanted), bare(form)) or alike(bare(without_targets(wanted)), bare(without_targets(form)))
        for form in forms
    )
    measure.note(row, right, wanted[-300:], message.text[-300:])


def without_targets(text: str) -> str:
    """Without where links go, "(https://...)" behind their words: sources differ in whether and where they show it."""
    return re.sub(r"\s*\((?:https?|mailto|cid|gid):[^\s()]*\)", " ", text)


def html_forms(raw: bytes) -> list[str]:
    """Each HTML part of the message as the reader reads it."""
    _, parts, _ = read_structure(raw, start_of_header(raw), LIMITS)
    found = [part for part in parts if part.media_type == "text/html" and part.is_leaf()]
    return [read_body(raw, part, [part], LIMITS).text for part in found]


def alike(a: str, b: str) -> bool:
    """The same letters in the same order, but for a twentieth: links and bullets are shown differently everywhere."""
    if a == b:
        return True
    if "\ufffd" in a:
        a, b = (re.sub(r"[^\x00-\x7f]", "", text) for text in (a, b))
    matcher = difflib.SequenceMatcher(None, a[:20000], b[:20000], autojunk=len(a) > 5000)
    return matcher.quick_ratio() > 0.95 and matcher.ratio() > 0.95


def check_bounce(row: Row, message: Message, measure: Measure) -> None:
    measure.note(row, message.kind in (Kind.BOUNCE, Kind.FEEDBACK), "bounce", (message.kind.value, message.subject))


def check_recipients(row: Row, message: Message, measure: Measure) -> None:
    wanted = {item.strip().lower() for item in re.split(r"[|;,\s]+", row["bounce_recipients"]) if item.strip()}
    got = {item.address.lower() for item in message.bounce.recipients} if message.bounce else set()
    measure.note(row, wanted <= got and len(got) <= len(wanted) + 1, sorted(wanted), sorted(got))


def check_status(row: Row, message: Message, measure: Measure) -> None:
    wanted = set(re.split(r"[|;,\s]+", row["bounce_status"]))
    got = {item.status for item in message.bounce.recipients} if message.bounce else set()
    measure.note(
        row,
        bool(wanted & got),
        sorted(wanted),
        (sorted(got), [item.reason[:80] for item in message.bounce.recipients] if message.bounce else []),
    )


def check_auto(row: Row, message: Message, measure: Measure) -> None:
    measure.note(row, message.kind is Kind.AUTO_REPLY, "auto_reply", (message.kind.value, message.subject))


def check_people(row: Row, message: Message, measure: Measure) -> None:
    measure.note(
        row, message.kind not in MACHINES, "a person", (message.kind.value, message.subject, message.kind_reasons)
    )


def check_reply(row: Row, root: Path, measure: Measure) -> None:
    text = (root / row["path"]).read_text("utf-8", "replace")
    if row["format"] == "body-html":
        text = html_to_text(text, 10**6)[0]
    compare_reply(row, new_text(text.replace("\r\n", "\n"), 10000), root, measure)


def compare_reply(row: Row, got: str, root: Path, measure: Measure) -> None:
    if row["exp_reply_path"]:
        wanted = (root / row["exp_reply_path"]).read_text("utf-8", "replace")
        if row["exp_reply_path"].endswith(".html") or "<div" in wanted[:400]:
            wanted = html_to_text(wanted, 10**6)[0]
        measure.note(row, bare(wanted) == bare(got), wanted[-300:], got[-300:])
        return
    checks = json.loads((root / row["exp_checks_path"]).read_text("utf-8"))
    if patterns := checks.get("match"):
        measure.note(row, all(re.search(pattern.replace("\\/", "/"), got) for pattern in patterns), patterns, got[:300])
    elif forbidden := checks.get("not_contains"):
        measure.note(row, not any(item in got for item in forbidden), forbidden, got[:300])


CHECKS: dict[str, tuple[str, Callable[[Row], bool], Callable[[Row, Message, Measure], None]]] = {
    "from": ("From right", lambda row: bool(row["exp_from"]), check_from),
    "subject": ("Subject right", lambda row: bool(row["exp_subject"]), check_subject),
    "attachments": ("attachment count right", lambda row: bool(row["exp_n_attachments"]), check_attachments),
    "bounces": ("bounces found", lambda row: row["kind"] == "bounce", check_bounce),
    "recipients": ("bounce recipients right", lambda row: bool(row["bounce_recipients"]), check_recipients),
    "status": (
        "bounce status right",
        lambda row: row["bounce_status"].count(".") >= 2 and ".0.9" not in row["bounce_status"],
        check_status,
    ),
    "auto": ("automatic replies found", lambda row: row["kind"] == "auto_reply", check_auto),
    "people": (
        "people not taken for machines",
        lambda row: row["kind"] in ("human", "report", "reply", "list", "pgp"),
        check_people,
    ),
}


def measure(root: Path) -> tuple[dict[str, Measure], list[tuple[float, str]]]:
    """Every measure by name, and the CPU seconds of each message."""
    found = {name: Measure(title) for name, (title, _, _) in CHECKS.items()}
    found |= {
        "whole": Measure("attachment count right, where every multipart opens and closes"),
        "replied": Measure("automatic replies found, of those that are no delivery report by RFC 3464"),
        "names": Measure("attachment names right, of those that the message states"),
        "made-up": Measure("attachment names right, of those that the source makes up"),
        "body": Measure("body text right"),
        "reply": Measure("visible reply right"),
        "exceptions": Measure("read without an exception"),
    }
    cpu: list[tuple[float, str]] = []
    for row in rows(root):
        if row["format"] == "mime":
            measure_one(row, root, found, cpu)
        elif row["format"].startswith("body-") and (row["exp_reply_path"] or row["exp_checks_path"]):
            check_reply(row, root, found["reply"])
    return found, cpu


def measure_one(row: Row, root: Path, found: dict[str, Measure], cpu: list[tuple[float, str]]) -> None:
    raw = (root / row["path"]).read_bytes()
    start = time.process_time()
    message = parse(raw, LIMITS)
    cpu.append((time.process_time() - start, row["path"]))
    error = next((item for item in message.defects if item.startswith("unreadable")), "")
    found["exceptions"].note(row, not error, "no exception", traced(raw) if error else "")
    for name, (_, asked, check) in CHECKS.items():
        if asked(row):
            check(row, message, found[name])
    if row["exp_n_attachments"] and is_whole(raw):
        check_attachments(row, message, found["whole"])
    if row["kind"] == "auto_reply" and not is_delivery_report(raw):
        check_auto(row, message, found["replied"])
    if row["exp_body_path"]:
        check_body(row, message, raw, found["body"], root)
    if row["exp_attachment_names"]:
        check_names(row, message, raw, found["names"], found["made-up"])
    if row["exp_reply_path"]:
        compare_reply(row, message.new_text, root, found["reply"])


def traced(raw: bytes) -> str:
    try:
        parsing._parse(raw, LIMITS, Trust())
    except Exception as error:
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        return f"{error!r} at {frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else repr(error)
    return ""


def rows(root: Path) -> Iterator[Row]:
    with (root / "labels.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def table(found: dict[str, Measure], cpu: list[tuple[float, str]]) -> str:
    lines = ["| measure | right | of | % |", "| --- | ---: | ---: | ---: |"]
    for item in found.values():
        share = f"{100 * item.right / item.asked:.1f}" if item.asked else "-"
        lines.append(f"| {item.title} | {item.right} | {item.asked} | {share} |")
    times = sorted(seconds * 1000 for seconds, _ in cpu)
    p99 = times[int(len(times) * 0.99)]
    lines.append(
        f"\n{len(times)} messages; CPU a message: median {statistics.median(times):.2f} ms, "
        f"99th percentile {p99:.1f} ms, most {times[-1]:.0f} ms."
    )
    people = found["people"]
    lines.append(
        f"People taken for machines: {1000 * (people.asked - people.right) / max(1, people.asked):.1f} of 1000."
    )
    return "\n".join(lines)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--list", dest="what", default="")
    options = arguments.parse_args()
    found, cpu = measure(options.folder)
    print(table(found, cpu))
    if options.what == "slow":
        print("\n".join(f"{seconds * 1000:.0f} ms {path}" for seconds, path in sorted(cpu, reverse=True)[:20]))
    elif options.what:
        print("\n".join(found[options.what].misses))


if __name__ == "__main__":
    main()
