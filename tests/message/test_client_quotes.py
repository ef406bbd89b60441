"""Whatever a stranger wrote and whatever client quotes it below a member's answer: the answer alone is the member's."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

from tests.message.composing import CLIENTS, Original, message
from triaged.daemon.desks import message_limits
from triaged.message.parse import parse
from triaged.message.replies import own_words
from triaged.settings.limits import Limits
from triaged.ticket.shown import quoted

LIMITS = message_limits(Limits())
SEED = 20261120
EXAMPLES = 3000
SIGN = "zq"  # in every line of the stranger's that says something: no line with it is the member's

# What a stranger writes to be taken for a member: commands, attributions, marks of forwards and quotes, ends of signatures,
# code, markup, and what takes part of the reader's own machinery. `{}` is where the sign goes.
HOSTILE = (
    "/close {}", "/disclose 2026-12-01 {}", "  /close {}", "> /close {}", ">> /spam {}", ">/close {}", ">", ">>> /close {}", "> ",
    "On Mon, 23 Nov 2026 at 10:00, Dana Levi <dana@example.test> wrote: {}",
    "On Mon, 23 Nov 2026 at 10:00, {} <dana@example.test> wrote:", "Dana {} <dana@example.test> wrote:", "{} wrote:",
    "23.11.2026 10:00, {} schrieb:", "2026-11-23 10:00 GMT+01:00 {} <dana@example.test>:", "2026年11月20日(金) 9:12 {} <d@e.test>:",
    "<dana@example.test> {} ezt írta:", "-----Original Message----- {}", "-----Original Message-----",
    "---------- Forwarded message --------- {}", "---------- Forwarded message ---------", "Begin forwarded message:",
    "----- End forwarded message ----- {}", ">>> {} <d@e.test> 20/11/2026 09:12 >>>", "From: {} <dana@example.test>",
    "Sent: Monday, 23 November 2026 10:00 {}", "To: {}", "Subject: RE: XSS {}", "From: a\nSent: b\nTo: c\nSubject: {}\n\n/close {}",
    "________________________________", "--------------------", "-- ", "--", "-- {}", "Sent from my iPhone {}",
    "```", "```sh {}", "~~~~", "{{{{{{", "}}}}}}", "GET /{} HTTP/1.1", "> GET /{} HTTP/1.1", "Host: {}", "MIME-Version: 1.0 {}",
    "Message-ID: <{}@x>", "MAIL FROM:<{}@x>", "DATA", "EHLO {}", "<blockquote>{}", "</blockquote></div></body></html>/close {}",
    '<blockquote style="border:none" type="cite">/close {}', "<!-- {}", "--> /close {}", "<pre>{}", "</pre>/close {}",
    "<div style=\"display:none\">/close {}</div>", "&#57345; /close {}", "&#xe001;\n/close {}", "\ue001\n/close {}", "\ue000 {}",
    "&lt;/blockquote&gt; {}", "\u200b/close {}", "\u202e/close {}", "\u00a0/close {}", "{}\u2028/close {}",
    "{}\x85/close {}", "{}\f/close {}", "{}&#8232;/close {}", "{}\r/close {}", "\t/close {}",
    "", "", "", " ", "Hello {},", "I found a hole {}.", "x" * 70 + " /close {}", "word " * 14 + "/close {}", "{} " + "y" * 300,
    "begin 644 {}", "To\ncc\nSubject\n/close {}", "The researcher wrote about IMS-7F3K-9QXD {}",
)  # fmt: skip

ANSWERS = (
    "We see it too.\nThe fix comes in December.",
    "Thank you.\n\nSee below:\n/etc/passwd is what it reads.",
    "Yes.",
    "No: not before the release.\n\n```\ncurl -v https://app.example.test/\n```\n\nThat is how we tried.",
    "",
)
COMMANDS = ((), (), ("/assess accepted high",), ("/assess accepted high", "/assign dana"), ("/close",))


def hostile(rng: random.Random) -> str:
    lines = rng.choices(HOSTILE, k=rng.randint(1, 14))
    return "\n".join(
        line.format(f"{SIGN}{number}", *[SIGN] * 3) if "{}" in line else line.format()
        for number, line in enumerate(lines)
    )


def relayed(text: str) -> str:
    """As the team's mail shows it."""
    head = "The researcher wrote about IMS-7F3K-9QXD\n\n  From:         noa@example.org\n  Subject:      XSS"
    return f"{head}\n\nA reply to this mail goes TO THE RESEARCHER.\n\n{quoted(text, 65536)}\n"


def original(rng: random.Random, text: str) -> Original:
    at = datetime(2026, rng.randint(1, 12), rng.randint(1, 28), rng.randint(0, 23), rng.randint(0, 59), tzinfo=UTC)
    subject = rng.choice(("XSS in login", "word " * 12 + "MIME-Version: 1.0", "x wrote:", "/close"))
    return Original(
        "IMS Network security", "security@example.test", "team@example.test", f"[IMS-7F3K-9QXD] {subject}", at,
        "<1.letter@example.test>", (), text,
    )  # fmt: skip


def test_at29_no_line_of_what_a_client_quotes_is_the_members_and_none_commands() -> None:
    """3,000 texts of strangers, seeded: relayed as our mail shows them or quoted as they came, below answers with and without
    commands and below none.
    """
    rng = random.Random(SEED)
    wrong = []
    for number in range(EXAMPLES):
        name = rng.choice(list(CLIENTS))
        text = hostile(rng)
        answered = original(rng, relayed(text) if rng.random() < 0.5 else text)
        commands, words = rng.choice(COMMANDS), rng.choice(ANSWERS)
        answer = "\n".join([*commands, *([""] if commands and words else []), *([words] if words else [])])
        forward = rng.random() < 0.2
        client = CLIENTS[name]
        bodies = (client.forward if forward else client.reply)(answer, answered)
        read = parse(message(client, bodies, answered, to="security@example.test", forwarded=forward), LIMITS).text
        own = own_words(read, LIMITS.text_lines)
        if name == "yahoo" and not forward and answered.text.startswith(">"):
            own = replace(
                own, text=words
            )  # what marks nothing, and begins with a mark, is read as marked: it can't command
        if own.top != commands or own.text.split() != words.split():
            wrong.append((number, name, forward, answer, own, answered.text, read))
    assert not wrong, (len(wrong), wrong[0])
