"""Raw bytes -> Message. It never raises: what could not be read is named in `defects`, and the bytes stay with the
caller.
"""

from __future__ import annotations

import logging

from triaged.message.addresses import has_group_or_route, misleading_name, parse_addresses, rescue
from triaged.message.authenticity import authenticity
from triaged.message.automatic import Facts, is_spam, judge
from triaged.message.body import Body, read_body
from triaged.message.bounces import attached_bounce, looks_bounced, read_bounce
from triaged.message.clean import clean_header, clean_text, parse_message_ids
from triaged.message.encrypted import encryption
from triaged.message.fields import Header, read_header, start_of_header
from triaged.message.forwarded import read_forwarded
from triaged.message.model import Address, Authenticity, Bounce, Kind, Limits, Message, Reason, Trust, Verdict
from triaged.message.replies import new_text
from triaged.message.structure import Part, read_structure
from triaged.message.trace import delivered_to, parse_date, received_at, return_path
from triaged.message.words import decode_words

# These libraries log what strangers wrote.
for _library in ("mailparser", "flufl.bounce"):
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)

# At most one of each (RFC 5322 section 3.6, RFC 2045 section 3); the standard library takes the first in silence
# (AT-9).
_SINGLETONS = (
    "from",
    "date",
    "sender",
    "reply-to",
    "to",
    "cc",
    "message-id",
    "in-reply-to",
    "references",
    "subject",
    "content-type",
    "mime-version",
)
_REPORTS = (Kind.BOUNCE, Kind.MDN, Kind.FEEDBACK)
_NOBODY = Trust()


def parse(raw: bytes, limits: Limits, trust: Trust = _NOBODY) -> Message:
    """The message that these bytes are, whatever they are."""
    try:
        return _parse(raw, limits, trust)
    except Exception as error:  # the last resort of "never raises": the class says what to look for, the bytes are kept
        return unreadable(raw, limits, type(error).__name__)


def _parse(raw: bytes, limits: Limits, trust: Trust) -> Message:
    # Line ends of old Macs; the replacement keeps every offset.
    readable = raw if b"\n" in raw else raw.replace(b"\r", b"\n")
    root, parts, defects = read_structure(readable, start_of_header(readable), limits)
    header = root.header
    body = read_body(readable, root, parts, limits)
    defects.extend([*_header_defects(header), *body.defects])
    mail = _People(header, limits, defects)
    subject = clean_header(decode_words(header.first("subject")))
    path = return_path(header)
    reasons, kind, kind_reasons = judge(
        Facts(
            header,
            header.names(),
            root,
            path,
            mail.author,
            subject,
            _malformed(header, mail),
            limits.received_fields,
        )
    )
    if kind not in _REPORTS and looks_bounced(subject, header.first("from"), path, body.text):
        found = Reason("delivery-report-text", "subject")
        reasons, kind, kind_reasons = (*reasons, found), Kind.BOUNCE, (found,)
    wrapped = _wrapped(readable, parts, reasons, kind, limits)
    if wrapped is not None:
        found = Reason("delivery-report-text", "content-type")
        reasons, kind, kind_reasons = (*reasons, found), Kind.BOUNCE, (found,)
    verdict, forged = authenticity(header, mail.authors, mail.sound, trust)
    defects.extend(forged)
    attachments = tuple(body.attachments)
    return Message(
        kind=kind,
        kind_reasons=kind_reasons,
        author=mail.author,
        authors=mail.authors,
        sender=mail.sender,
        to=mail.to,
        cc=mail.cc,
        reply_to=mail.reply_to,
        delivered_to=delivered_to(header),
        return_path=path,
        subject=subject,
        date=parse_date(header.first("date")),
        message_id=next(iter(parse_message_ids(header.first("message-id"))), ""),
        in_reply_to=parse_message_ids(header.first("in-reply-to")),
        references=parse_message_ids(header.first("references")),
        received_at=received_at(header, trust),
        text=body.text,
        new_text=new_text(body.text, limits.text_lines),
        attachments=attachments,
        answerable=not reasons,
        automatic_reasons=reasons,
        spam=is_spam(header),
        bounce=wrapped or _bounce(readable, parts, body, kind, limits),
        forwarded=read_forwarded(readable, parts, subject, body.text, limits) if kind is not Kind.BOUNCE else None,
        encrypted=encryption(parts, body.text, attachments),
        authenticity=verdict,
        defects=tuple(dict.fromkeys(clean_header(defect, 100) for defect in defects)),
    )


class _People:
    """The address fields of one header, read once."""

    __slots__ = ("author", "authors", "cc", "reply_to", "sender", "sound", "to")

    def __init__(self, header: Header, limits: Limits, defects: list[str]) -> None:
        fields = header.all("from")
        read = [parse_addresses(value, limits.addresses_per_field) for value in fields]
        problems = [problem for _, found in read for problem in found]
        problems.extend("group-or-route" for value in fields if has_group_or_route(value))
        self.authors = tuple(address for addresses, _ in read for address in addresses)[: limits.addresses_per_field]
        spoiled = {"truncated: from", "8bit-header: from"} & set(header.defects)
        self.sound = len(fields) == 1 and len(self.authors) == 1 and not problems and not spoiled
        self.author = (
            self.authors[0] if self.authors else next((found for value in fields if (found := rescue(value))), None)
        )
        defects.extend(f"malformed-from: {problem}" for problem in dict.fromkeys(problems))
        defects.extend([] if self.authors else ["no-from" if not fields else "unusable-from"])
        doubts = (f"misleading-name: {why}" for author in self.authors if (why := misleading_name(author)))
        defects[:0] = dict.fromkeys(doubts)  # first, since the team is shown the first few
        self.to, self.cc, self.reply_to, senders = (
            self._read(header, name, limits, defects) for name in ("to", "cc", "reply-to", "sender")
        )
        self.sender = senders[0] if senders else None

    @staticmethod
    def _read(header: Header, name: str, limits: Limits, defects: list[str]) -> tuple[Address, ...]:
        value = ", ".join(header.all(name))
        if not value:
            return ()
        addresses, problems = parse_addresses(value, limits.addresses_per_field)
        defects.extend(f"malformed-{name}: {problem}" for problem in problems)
        return addresses


def _malformed(header: Header, mail: _People) -> str:
    """Two parsers may read such a message in two ways: whoever wrote it, no automatic letter follows (ML-1, AT-9, AT-10)."""
    twice = (name for name in ("content-type", "message-id", "date") if len(header.all(name)) > 1)
    return next(twice, "") if mail.sound else "from"


def _header_defects(header: Header) -> list[str]:
    names = [field.name for field in header.fields]
    found = [f"duplicate-{name}" for name in _SINGLETONS if names.count(name) > 1]
    found.extend([] if "date" in names else ["no-date"])
    if not parse_message_ids(header.first("message-id")):
        found.append("malformed-message-id" if "message-id" in names else "no-message-id")
    return found


def _bounce(raw: bytes, parts: list[Part], body: Body, kind: Kind, limits: Limits) -> Bounce | None:
    return read_bounce(raw, parts, body.text, limits) if kind is Kind.BOUNCE else None


def _wrapped(raw: bytes, parts: list[Part], reasons: tuple[Reason, ...], kind: Kind, limits: Limits) -> Bounce | None:
    """The delivery report that a list's software sends on as an attached message. Only software wraps so: a person who
    attaches a bounce has an address of their own.
    """
    if kind in _REPORTS or not any(reason.word == "automation-address" for reason in reasons):
        return None
    return next((found for part in parts if (found := attached_bounce(raw, part, limits)) is not None), None)


def unreadable(raw: bytes, limits: Limits, error: str) -> Message:
    """What a person needs to see that something came: sender and subject if the header can be read, and the first
    text.
    """
    try:
        header, body = read_header(raw, start_of_header(raw), len(raw), limits)
        subject, author, path = clean_header(header.first("subject")), rescue(header.first("from")), return_path(header)
    except Exception:  # even the header: then the bytes alone
        body, subject, author, path = 0, "", None, None
    text = clean_text(raw[body : body + limits.text_bytes].decode("latin-1"))
    return Message(
        kind=Kind.PERSON,
        kind_reasons=(),
        author=author,
        authors=(author,) if author else (),
        sender=None,
        to=(),
        cc=(),
        reply_to=(),
        delivered_to=(),
        return_path=path,
        subject=subject,
        date=None,
        message_id="",
        in_reply_to=(),
        references=(),
        received_at=None,
        text=text,
        new_text=text,
        attachments=(),
        answerable=False,
        automatic_reasons=(Reason("unreadable", ""),),
        spam=False,
        bounce=None,
        forwarded=None,
        encrypted=None,
        authenticity=Authenticity(Verdict.NONE, "", ""),
        defects=(f"unreadable: {error}",),
    )
