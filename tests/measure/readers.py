"""The visible reply by other readers of replies, on the same texts with the same comparison. They are measured, never used.

python -m tests.measure.readers DIR
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from tests.measure.corpus import LIMITS, Measure, compare_reply, rows
from triaged.message.html import html_to_text
from triaged.message.parse import parse
from triaged.message.replies import new_text

Reader = Callable[[str], str]


def readers() -> dict[str, Reader]:
    """Those that are installed: `make measure` installs all of them."""
    found: dict[str, Reader] = {"triaged": lambda text: new_text(text, 10000), "nothing cut at all": lambda text: text}
    try:
        from email_reply_parser import EmailReplyParser

        found["email-reply-parser"] = EmailReplyParser.parse_reply
    except ImportError:
        print("email-reply-parser is not installed: `make measure` installs it")
    try:
        from mailparser_reply import EmailReplyParser as Others

        every = ["en", "de", "fr", "it", "ja", "pl", "sv", "es", "nl", "da", "he", "ko", "zh", "cs"]
        known = [one for one in every if _knows(Others, one)]
        found["mail-parser-reply, all its languages"] = lambda text: Others(languages=known).parse_reply(text) or ""
        found["mail-parser-reply, English"] = lambda text: Others(languages=["en"]).parse_reply(text) or ""
    except ImportError:
        print("mail-parser-reply is not installed: `make measure` installs it")
    return found


def _knows(reader: type, language: str) -> bool:
    try:
        reader(languages=[language]).parse_reply("text")
    except Exception:  # each version raises its own for a language that it does not know
        return False
    return True


def texts(root: Path) -> list[tuple[dict[str, str], str]]:
    """Each row that says what is visible, with the text that a reader is given."""
    found = []
    for row in rows(root):
        if row["format"] == "mime" and row["exp_reply_path"]:
            found.append((row, parse((root / row["path"]).read_bytes(), LIMITS).text))
        elif row["format"].startswith("body-") and (row["exp_reply_path"] or row["exp_checks_path"]):
            text = (root / row["path"]).read_text("utf-8", "replace")
            plain = html_to_text(text, 10**6)[0] if row["format"] == "body-html" else text
            found.append((row, plain.replace("\r\n", "\n")))
    return found


def main() -> None:
    """A table of all readers."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    root = arguments.parse_args().folder
    given = texts(root)
    print("| reader | right | of | % |\n| --- | ---: | ---: | ---: |")
    for name, read in readers().items():
        measure = Measure(name)
        for row, text in given:
            compare_reply(row, read(text), root, measure)
        print(f"| {name} | {measure.right} | {measure.asked} | {100 * measure.right / max(1, measure.asked):.1f} |")


if __name__ == "__main__":
    main()
