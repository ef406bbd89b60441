"""What parsing makes of one received message (RFC 5322, MIME): values only, nothing here reads bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """Who or what wrote the message."""

    PERSON = "person"
    AUTO_REPLY = "auto_reply"
    BOUNCE = "bounce"  # delivery reports of any form, RFC 3464 or not
    MDN = "mdn"  # RFC 8098
    FEEDBACK = "feedback"  # RFC 5965
    LIST = "list"
    BULK = "bulk"


class Verdict(StrEnum):
    """What a trusted receiving server said of the author's domain (RFC 8601, RFC 9989)."""

    PASS = "pass"  # noqa: S105 - the word of RFC 8601, not a secret
    FAIL = "fail"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one message. Enforced before parsing; what exceeds them is kept raw and recorded as a defect."""

    header_block_bytes: int
    header_bytes: int  # one field
    header_fields: int
    addresses_per_field: int
    parts: int
    depth: int
    html_bytes: int
    text_bytes: int  # of the text given back, in characters
    text_lines: int  # read by the reply reader
    parameter_segments: int  # RFC 2231 continuations
    received_fields: int = 100  # more is a loop (RFC 5321 section 6.3)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose trace fields are believed (RFC 8601 section 7.1). Empty: nobody's."""

    authserv_ids: frozenset[str] = frozenset()  # lower-case A-labels
    hosts: frozenset[str] = frozenset()  # lower-case A-labels


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox of RFC 5322 section 3.4: display name decoded and cleaned, addr-spec with the domain in lower-case
    A-labels.
    """

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """One part that is not the message's text, as a slice of the raw message."""

    name: str  # as claimed, cleaned of control characters; data, never a path
    media_type: str  # as declared
    detected_type: str  # by content
    size: int  # octets after transfer decoding
    sha256: str  # of the octets after transfer decoding
    inline: bool
    offset: int  # of the encoded body in the raw message; -1 for a file within the winmail.dat before it
    length: int
    encoding: str  # content transfer encoding: 7bit, base64, quoted-printable, x-uuencode


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that hit: its word, and the header field that made it hit."""

    word: str
    header: str


@dataclass(frozen=True, slots=True)
class BouncedRecipient:
    """RFC 3464 section 2.3: one recipient of the message that bounced."""

    address: str
    action: str  # failed | delayed | delivered | relayed | expanded
    status: str  # 5.1.1, or "" where not stated
    reason: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a delivery report says."""

    recipients: tuple[BouncedRecipient, ...]
    message_id: str  # of the message that bounced, with angle brackets; "" where not stated
    envelope_id: str  # Original-Envelope-Id (RFC 3461); "" where not stated


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The original of a forwarded message."""

    sender: str
    date: str
    subject: str
    form: str  # inline | attached
    line: int = 0  # of the text, where what was forwarded inline begins with its mark or header lines


@dataclass(frozen=True, slots=True)
class Authenticity:
    """Whether the author (From) is proven. Only PASS proves anything, and only "the same domain as it says"."""

    verdict: Verdict
    domain: str
    method: str  # dmarc | dkim | ""


@dataclass(frozen=True, slots=True)
class Message:
    """One received message, read. Every string is free of NUL, lone surrogates, C0/C1 (text keeps LF and TAB) and bidi
    controls in headers.
    """

    kind: Kind
    kind_reasons: tuple[Reason, ...]
    author: Address | None  # the first usable From mailbox; None where there is none
    authors: tuple[Address, ...]  # every From mailbox, of every From field
    sender: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    delivered_to: tuple[str, ...]  # Delivered-To, X-Original-To, Envelope-To: lower-case addr-specs, topmost first
    return_path: str | None  # topmost Return-Path: "" is the null path, None no such field
    subject: str
    date: datetime | None  # the Date field, UTC: the sender's claim, informational only
    message_id: str  # with angle brackets; "" where missing or malformed
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    received_at: datetime | None  # topmost Received of a trusted host, UTC
    text: str  # the whole body as text, LF
    new_text: str  # the body without quoted mail and signature
    attachments: tuple[Attachment, ...]
    answerable: bool  # no rule of the bytes forbids an automatic letter
    automatic_reasons: tuple[Reason, ...]
    spam: bool  # the mail server's own verdict (X-Spam-Flag: YES and its like)
    bounce: Bounce | None
    forwarded: Forwarded | None
    encrypted: str | None  # pgp | smime
    authenticity: Authenticity
    defects: tuple[str, ...]  # words such as "duplicate-from", "unknown-charset: x-nope", "truncated: parts"
