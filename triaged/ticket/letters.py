"""Letters: what goes to a researcher and what goes to the team are two types, and the first has no field that can hold a note."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from triaged.ticket.address import Role, keyed_address
from triaged.ticket.desk import Desk
from triaged.ticket.folding import folded
from triaged.ticket.reference import Entropy
from triaged.ticket.wire import Enclosure, chain, compose, date_value, ids_value, mailbox_value, text_value

if TYPE_CHECKING:
    from jinja2 import Environment, Template


class Audience(StrEnum):
    """Who reads a message: the law that notes stay inside hangs on this word."""

    RESEARCHER = "researcher"
    TEAM = "team"


class Automatic(StrEnum):
    """Auto-Submitted of RFC 3834 section 5.2: a direct answer, a periodic letter, or a person's own words."""

    REPLIED = "auto-replied"
    GENERATED = "auto-generated"
    NO = ""


@dataclass(frozen=True, slots=True)
class TicketName:
    """How a ticket is addressed and quoted."""

    token: str  # 7f3k9qxd, as it stands in addresses
    ref: str  # IMS-7F3K-9QXD


@dataclass(frozen=True, slots=True)
class ResearcherLetter:
    """One letter to a researcher. Every field may be read by a stranger."""

    template: str
    ticket: TicketName
    to: str
    subject: str
    values: Mapping[str, object]
    automatic: Automatic
    parents: tuple[str, ...]  # the conversation's Message-IDs, oldest first; the last is answered
    meets: tuple[str, ...] = ()  # promises that the server's acceptance keeps
    proven: bool = False  # counts against which cap
    enclosed: tuple[Enclosure, ...] = ()  # made from the policy and the dates, or sent on by a member's command (AT-28)


@dataclass(frozen=True, slots=True)
class TeamLetter:
    """One letter to one team address. A reply to it goes where `answers` says."""

    template: str
    ticket: TicketName
    to: str
    subject: str
    values: Mapping[str, object]
    answers: Role
    parents: tuple[str, ...]
    automatic: Automatic = Automatic.GENERATED
    enclosed: tuple[Enclosure, ...] = ()  # evidence, sealed, for the one member who asked for it (AT-28)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it will be sent: final bytes, fixed when queued (law 4)."""

    token: str
    audience: Audience
    answers: Role
    to: str
    envelope_from: str
    message_id: str
    subject: str
    template: str
    template_version: str
    language: str
    text: str
    data: bytes
    meets: tuple[str, ...]
    proven: bool
    not_before: datetime | None = None  # it waits until then, and can be taken back; None: it goes at once
    hold_reason: str = ""  # it waits for a member's word
    author: str = ""  # the member whose words it holds, lower-case; "" for our own


def render_researcher(letter: ResearcherLetter, desk: Desk, at: datetime, entropy: Entropy) -> Letter:
    """The final bytes of a letter to a researcher."""
    return _render(letter, desk, Audience.RESEARCHER, Role.RESEARCHER, at, entropy)


def render_team(letter: TeamLetter, desk: Desk, at: datetime, entropy: Entropy) -> Letter:
    """The final bytes of a letter to the team."""
    return _render(letter, desk, Audience.TEAM, letter.answers, at, entropy)


def _render(
    letter: ResearcherLetter | TeamLetter, desk: Desk, audience: Audience, answers: Role, at: datetime, entropy: Entropy
) -> Letter:
    text = _template(letter.template).render(letter.values)
    message_id = f"<{entropy(16).hex()}@{desk.domain}>"
    fields = _fields(letter, desk, audience, answers, at, message_id)
    return Letter(
        token=letter.ticket.token,
        audience=audience,
        answers=answers,
        to=letter.to,
        envelope_from=_envelope(letter.ticket.token, desk),
        message_id=message_id,
        subject=letter.subject,
        template=letter.template,
        template_version=template_version(letter.template),
        language="en",
        text=text,
        data=compose(fields, text, letter.enclosed),
        meets=letter.meets if isinstance(letter, ResearcherLetter) else (),
        proven=letter.proven if isinstance(letter, ResearcherLetter) else False,
    )


def _fields(
    letter: ResearcherLetter | TeamLetter, desk: Desk, audience: Audience, answers: Role, at: datetime, message_id: str
) -> list[tuple[str, str]]:
    caps = desk.caps
    fields = [
        ("From", mailbox_value(f"{desk.policy.organisation} security", desk.address)),
        ("To", mailbox_value("", letter.to)),
    ]
    if desk.plus_addressing:
        fields.append(("Reply-To", _reply_to(letter.ticket, desk, audience, answers)))
    fields += [("Subject", text_value(letter.subject)), ("Date", date_value(at)), ("Message-ID", message_id)]
    references = chain(letter.parents, caps.references_ids, caps.references_bytes)
    if references:
        fields += [("In-Reply-To", references[-1]), ("References", ids_value(references))]
    if letter.automatic:
        fields += [("Auto-Submitted", letter.automatic.value), ("X-Auto-Response-Suppress", "All")]
    return fields


def _reply_to(ticket: TicketName, desk: Desk, audience: Audience, answers: Role) -> str:
    """AT-29: what a member answers is named in the address that the mail client shows."""
    address = keyed_address(desk.address, ticket.token, answers, desk.keys[0])
    if audience is Audience.RESEARCHER:
        return mailbox_value(f"{desk.policy.organisation} security", address)
    return mailbox_value(_TEAM_SIGNS[answers].format(ref=ticket.ref), address)


_TEAM_SIGNS = {
    Role.RESEARCHER: "TO RESEARCHER ({ref})",
    Role.TEAM: "team only ({ref})",
    Role.BOUNCE: "{ref}",
}


def _envelope(token: str, desk: Desk) -> str:
    if desk.envelope == "null":
        return ""
    if desk.envelope == "address" or not desk.plus_addressing:
        return desk.address
    return keyed_address(desk.address, token, Role.BOUNCE, desk.keys[0])  # AR-15


@cache
def _environment() -> Environment:
    from jinja2 import FunctionLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(_source),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["folded"] = folded
    return environment


def _source(name: str) -> str:
    return files("triaged.ticket").joinpath("templates", f"{name}.txt.j2").read_text(encoding="utf-8")


@cache
def _template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def template_version(name: str) -> str:
    """The first twelve hex digits of the template's SHA-256: which wording a letter had."""
    return hashlib.sha256(_source(name).encode()).hexdigest()[:12]
