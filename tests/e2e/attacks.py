"""Attacks by mail as stories that are played side by side: all that one step of each sends arrives in one pass of the program."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

from tests.e2e.installation import Installation, parsed, report
from tests.e2e.watched import Mail, Seen, Watch
from tests.servers.postfix import verdict

SECRET = "quagga{:03}zebra"  # in a note of each story's ticket
SECRETS = re.compile(r"quagga\d{3}zebra")
TEAM_KEY = re.compile(r"To write to the team only: (\S+)")

Steps = Generator[list[Mail], None, None]


@dataclass
class Story:
    """One attack with people of its own, and a ticket that a proven researcher has opened and a member has a note on."""

    name: str
    number: int
    house: Installation
    watch: Watch
    seen: list[Seen] = field(default_factory=list)  # after each step
    ref: str = ""
    acknowledgement: Seen = field(default_factory=lambda: Seen("", b"", ""))
    relay: Seen = field(default_factory=lambda: Seen("", b"", ""))
    mailed: int = 0  # of the seen, those that came before the attack

    def of(self, who: str, domain: str = "elsewhere.test") -> str:
        return f"{who}.s{self.number}.{self.house.name}@{domain}"

    @property
    def researcher(self) -> str:
        return self.of("noa", "proven.test")

    @property
    def stranger(self) -> str:
        return self.of("mal")

    @property
    def eve(self) -> str:
        return self.of("eve", "evil.test")

    @property
    def member(self) -> str:
        return self.house.member

    @property
    def lead(self) -> str:
        return f"omer.{self.house.name}@example.test"

    @property
    def r(self) -> str:
        return str(parsed(self.acknowledgement.raw)["Reply-To"].addresses[0].addr_spec)

    @property
    def t(self) -> str:
        found = TEAM_KEY.search(self.relay.text)
        assert found
        return found[1]

    @property
    def b(self) -> str:
        """As it stands in the Return-Path of what the researcher got."""
        return str(parsed(self.acknowledgement.raw)["Return-Path"]).strip("<>")

    @property
    def secret(self) -> str:
        return SECRET.format(self.number)

    def opens(self) -> Mail:
        return Mail(report(self.researcher, self.house.address), self.researcher, self.house.address)

    def noted(self) -> Mail:
        return self.by(self.member, self.t, f"The door code is {self.secret}, keep it to yourselves.")

    def by(self, author: str, to: str, text: str, subject: str = "Re: it", envelope: str = "", **fields: str) -> Mail:
        """As a mail client of `author` writes; nothing proves it where the envelope is of an unproven domain."""
        return Mail(report(author, to, subject, text, **fields), envelope or author, to)

    def answering(self, seen: Seen, author: str, to: str, text: str, **fields: str) -> Mail:
        return self.by(author, to, text, In_Reply_To=seen.message_id, References=seen.message_id, **fields)

    def raw(self, head: Iterable[str], body: str, sender: str, to: str) -> Mail:
        """Byte for byte, for what no library would write."""
        own = f"Message-ID: {make_msgid(domain='elsewhere.test')}"
        return Mail("\r\n".join([*head, own, "", *body.split("\n"), ""]).encode(), sender, to)

    def got(self, mailbox: str, *templates: str) -> list[Seen]:
        """What lies in that mailbox since the attack began, on whatever ticket; the team's and members' of this ticket only."""
        ours = mailbox in (self.house.team, self.member, self.lead)
        found = [one for one in self.seen[self.mailed :] if one.mailbox == mailbox.lower()]
        found = [one for one in found if not ours or one.ref in self.refs]
        return [one for one in found if not templates or one.template in templates]

    @property
    def refs(self) -> set[str]:
        return {self.ref, *(one.ref for one in self.seen[self.mailed :] if one.mailbox in self.own_mailboxes)}

    @property
    def own_mailboxes(self) -> set[str]:
        mark = f".s{self.number}.{self.house.name}@"
        return {one.mailbox for one in self.seen if mark in one.mailbox}

    def outcomes(self, *mails: Mail) -> list[str]:
        """What became of each."""
        took = self.watch.took()
        return [took[str(parsed(mail.raw)["Message-ID"])][-1].outcome for mail in mails]

    def ticket(self) -> Any:
        return self.house.ticket(self.ref)

    @property
    def state(self) -> str:
        return str(self.ticket()["state"])

    def nothing_more_than(self, **counts: int) -> None:
        """How many mails each of the story's people got since the attack, by name; whoever isn't named got none."""
        had = [one for one in self.seen[self.mailed :] if one.mailbox in self.own_mailboxes]
        names = {self.researcher: "researcher", self.stranger: "stranger"}
        got = Counter(names.get(one.mailbox, one.mailbox.partition(".")[0]) for one in had)
        assert got == Counter(counts), [(one.mailbox, one.template, one.text) for one in had]


def forged_proof(mail: Mail, *fields: str) -> Mail:
    """With what a trusted server would write, written by the sender."""
    domain = str(parsed(mail.raw)["From"]).rpartition("@")[2].rstrip(">")
    return Mail("".join(f"{f}\r\n" for f in (verdict(domain), *fields)).encode() + mail.raw, mail.sender, mail.to)


def again(mail: Mail, *fields: str) -> Mail:
    """The same mail with more header fields: another content under the same Message-ID and the same signature."""
    return Mail("".join(f"{f}\r\n" for f in fields).encode() + mail.raw, mail.sender, mail.to)


def with_file(mail: Mail, name: str, data: bytes) -> Mail:
    message = parsed(mail.raw)
    message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return Mail(bytes(message), mail.sender, mail.to)


def quoted(seen: Seen) -> str:
    return "\n".join(f"> {line}".rstrip() for line in seen.text.split("\n"))


@dataclass
class Stage:
    """All stories, played to their ends."""

    watch: Watch
    stories: dict[str, Story]
    failed: dict[str, BaseException]

    def ended(self, name: str) -> None:
        if name in self.failed:
            raise self.failed[name]


def play(house: Installation, attacks: dict[str, Callable[[Story], Steps]]) -> Stage:
    """Each story's next step, until all have ended. A story that fails is left where it failed."""
    watch = Watch(house)
    stories = {name: Story(name, number, house, watch) for number, name in enumerate(attacks)}
    watch.pass_of(story.opens() for story in stories.values())
    for story in stories.values():
        begin(story, watch.seen())
    watch.pass_of(story.noted() for story in stories.values())
    for story in stories.values():
        story.seen = watch.seen()
        story.mailed = len(story.seen)
    stage = Stage(watch, stories, {})
    running = {name: attacks[name](story) for name, story in stories.items()}
    while running:
        mails = [mail for name in list(running) for mail in step(stage, running, name)]
        if running:
            watch.pass_of(mails)
        seen = watch.seen()
        for story in stories.values():
            story.seen = seen
    return stage


def begin(story: Story, seen: list[Seen]) -> None:
    [story.acknowledgement] = [one for one in seen if one.mailbox == story.researcher]
    story.ref = story.acknowledgement.ref
    [story.relay] = [one for one in seen if one.template == "relay" and one.ref == story.ref]


def step(stage: Stage, running: dict[str, Steps], name: str) -> list[Mail]:
    """What the story sends next; it is taken out of `running` at its end."""
    try:
        return next(running[name])
    except StopIteration:
        pass
    except Exception as error:  # told by the test of that name
        stage.failed[name] = error
    del running[name]
    return []


def message(mail: Mail) -> EmailMessage:
    return parsed(mail.raw)
