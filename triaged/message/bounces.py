"""Delivery reports, of RFC 3464 and of no standard -> recipients with action and status. It decides nothing about
letters.
"""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes
from email.message import Message as ParsedMail

from triaged.message.addresses import addr_spec
from triaged.message.charsets import decode
from triaged.message.clean import clean_header, parse_message_ids
from triaged.message.fields import Header, read_header, start_of_header
from triaged.message.model import Bounce, BouncedRecipient, Limits
from triaged.message.structure import Part, read_structure
from triaged.message.transfer import decode_transfer

_MAXIMUM_RECIPIENTS = 200
_SCANNED = 65536  # bytes of a report that the heuristics read
_PARAGRAPHS = re.compile(r"\n(?:[ \t]*\n)+")
_EMPTY_LINES = re.compile(rb"\n(?:[ \t]*\r?\n){2,}")
_LINE = 500  # octets: its patterns take the square of a line's length
_FIELDS = re.compile(rb"\r?\n(?![ \t])")  # between unfolded lines
_STATUS = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
_ACTION = re.compile(r"\s*(failed|delayed|delivered|relayed|expanded)\b", re.I)  # RFC 3464 section 2.3.3
_REMOTE = re.compile(r"\b([245])\d\d[ -]['\"#]?([245]\.\d{1,3}\.\d{1,3})(?![\d.])")  # RFC 2034: behind the reply code
_REPLY_CODE = re.compile(r"(?<![\d.])([45]\d\d)[ -]")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,10}")
_SUBJECT = re.compile(
    r"(?:(?:e-?)?mail (?:delivery )?(?:failed|failure|problem|error|system|could not)|delivery status"
    r"|returned e?-?mail|undeliver(?:able|ed)|delivery (?:status notification|failure|report|has failed"
    r"|notification|delayed|unsuccessful)"
    r"|returned mail|failure notice|failed mail|failed delivery|mail system error|non[- ]?delivery|nondeliverable"
    r"|warning: (?:could not send|message)|message (?:status|delivery failure|you sent blocked)"
    r"|unzustellbar|undeliverable|nicht zugestellt|non remis|[eé]chec de (?:la )?remise|no se pudo entregar"
    r"|user unknown|delivery to the following|rejected mail|mail could not be delivered"
    r"|message undeliverable|permanent delivery failure|不達|配信|delayed mail|mail rejected|sender: "
    r"|unable to deliver|error in delivery|delivery error|bounced? (?:mail|message))",
    re.I,
)
_DAEMON = re.compile(
    r"mailer[-_.]?daemon|postmaster|mail[-_. ]?daemon|mdaemon|mail[-_. ](?:delivery|transport)"
    r"|mail(?:er)?[-_. ]?(?:service|system|gateway|server|administrator)|smtp"
    r"|\bdaemon\b|microsoftexchange[0-9a-f]*|system administrator|\bbounces?\b|^\s*(?:\"\"|'')?\s*<\s*>\s*$",
    re.I,
)
_FAILED = re.compile(
    r"could not be delivered|couldn't be delivered|was(?:n't| not) delivered|permanent (?:fatal )?error"
    r"|undeliverable|not (?:been )?delivered|delivery (?:failed|to the following)|unknown (?:user|recipient"
    r"|address)"
    r"|user unknown|mailbox (?:is )?(?:full|unavailable|not found)|no such (?:user|mailbox|recipient)"
    r"|failed permanently|returned to sender|address(?:es)? failed|recipient(?:s)? (?:rejected|could not)"
    r"|unable to deliver|over quota|quota exceeded|message (?:was )?rejected|blocked by|not listed in|does(?:n't"
    r"| not) exist|not a valid (?:user|mailbox|recipient|address)|failed (?:recipient|address)|error delivering"
    r"|mailbox unavailable",
    re.I,
)
_DELAYED = re.compile(
    r"delayed|will (?:keep|continue|be retried)|not yet been delivered|still trying|temporar(?:y|ily)|warning", re.I
)


def read_bounce(raw: bytes, parts: list[Part], text: str, limits: Limits) -> Bounce:
    """What a message that is known to be a delivery report says; recipients are empty where nothing could be told."""
    blocks = [block for part in parts if part.media_type in _STATUS_TYPES for block in _blocks(raw, part, limits)]
    envelope_id = next(
        (value for block in blocks if (value := clean_header(block.first("original-envelope-id"), 250))), ""
    )
    recipients = tuple(item for block in blocks[:_MAXIMUM_RECIPIENTS] if (item := _recipient(block)) is not None)
    recipients = recipients or _inline(text, limits) or _heuristic(raw, text)
    if len(recipients) == 1:
        stated = next((value for block in blocks if (value := block.first("status"))), "")
        recipients = (_completed(recipients[0], stated, text),)
    return Bounce(recipients, _original_message_id(raw, parts, text, limits), envelope_id)


def attached_bounce(raw: bytes, part: Part, limits: Limits) -> Bounce | None:
    """What an attached message says where it is a delivery report of RFC 3464; None where it is anything else."""
    if part.media_type not in ("message/rfc822", "message/global"):
        return None
    data, _ = decode_transfer(raw[part.start : part.end], part.encoding)
    _, inner, _ = read_structure(data, start_of_header(data), limits)
    return read_bounce(data, inner, "", limits) if any(item.media_type in _STATUS_TYPES for item in inner) else None


_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})


def looks_bounced(subject: str, sender: str, return_path: str | None, text: str) -> bool:
    """Whether a message that is no RFC 3464 report is one all the same: a daemon's From or no return path, and a word
    of failure (NT-2).
    """
    daemon = bool(_DAEMON.search(sender[:500])) or not sender.strip()
    said = bool(_SUBJECT.match(subject)) or "delivery" in subject.lower()[:80]
    if not daemon and not (said and return_path == ""):
        return False
    return (daemon and said) or _FAILED.search(text[:4000]) is not None


def _inline(text: str, limits: Limits) -> tuple[BouncedRecipient, ...]:
    """The blocks of a report whose MIME structure was lost on the way."""
    found = (block.encode() for block in _PARAGRAPHS.split(text[:_SCANNED]) if "final-recipient:" in block.lower())
    read = (_recipient(read_header(block, 0, len(block), limits)[0]) for block in found)
    return tuple(item for item in read if item is not None)[:_MAXIMUM_RECIPIENTS]


def _blocks(raw: bytes, part: Part, limits: Limits) -> list[Header]:
    """The per-message block and one a recipient: header blocks between empty lines (RFC 3464 section 2.1)."""
    data, _ = decode_transfer(raw[part.start : part.end], part.encoding)
    found = re.split(rb"\n(?:[ \t]*\r?\n)+", data.replace(b"\r\n", b"\n").strip()[:_SCANNED])
    return [read_header(block, 0, len(block), limits)[0] for block in found[: _MAXIMUM_RECIPIENTS + 1]]


def _recipient(block: Header) -> BouncedRecipient | None:
    final = _typed(block.first("final-recipient")) or _typed(block.first("x-actual-recipient"))
    address = _typed(block.first("original-recipient")) or final
    stated = _ACTION.match(block.first("action"))
    action = stated[1].lower() if stated else ""
    if not address or not (action or block.first("status") or block.first("diagnostic-code")):
        return None
    diagnostic = block.first("diagnostic-code")
    status = _best_status(block.first("status"), diagnostic)
    return BouncedRecipient(
        address,
        action or ("delayed" if status.startswith("4") else "failed"),
        status,
        clean_header(_after_type(diagnostic), 500),
    )


def _completed(recipient: BouncedRecipient, stated: str, text: str) -> BouncedRecipient:
    """With the status that the report states elsewhere: for a recipient that is no address, or in the words for people."""
    status = recipient.status or _best_status(stated, "")
    if status.endswith(".0.0"):
        spoken = (match[1] for match in _STATUS.finditer(text[:_SCANNED]))
        status = next((word for word in spoken if word[0] == status[0] and not word.endswith(".0.0")), status)
    return replace(recipient, status=status)


def _best_status(stated: str, diagnostic: str) -> str:
    """What the remote server gave behind its reply code (RFC 2034), since some reporters make up the Status field; else the
    stated status; where that says no more than its class (5.0.0), any that the diagnostic holds.
    """
    remote = _REMOTE.search(diagnostic)
    if remote and remote[1] == remote[2][0]:
        return remote[2]
    first = _STATUS.search(stated)
    second = _STATUS.search(diagnostic)
    if second and (first is None or (first[1].endswith(".0.0") and second[1][0] == first[1][0])):
        return second[1]
    return first[1] if first else ""


def _typed(value: str) -> str:
    """The address of "rfc822; user@host", whatever its type and brackets."""
    text = _after_type(value).strip().strip("<>").strip()
    found = _ADDRESS.search(text)
    return addr_spec(text) or (addr_spec(found[0]) if found else "")


def _after_type(value: str) -> str:
    kind, semicolon, rest = value.partition(";")
    return (rest if semicolon and len(kind) < 40 else value).strip()


def _original_message_id(raw: bytes, parts: list[Part], text: str, limits: Limits) -> str:
    for part in parts:
        if part.media_type in (
            "message/rfc822",
            "text/rfc822-headers",
            "message/global",
            "message/rfc822-headers",
            "message/global-headers",
        ):
            data, _ = decode_transfer(raw[part.start : part.end], part.encoding)
            header, _ = read_header(data, start_of_header(data), len(data), limits)
            if found := parse_message_ids(header.first("message-id")):
                return found[0]
    for source in (text, decode(raw[parts[0].start :][:_SCANNED], "")[0]):
        match = re.search(r"^[> \t]*Message-ID:\s*(<[^<>\s]{1,248}>)", source, re.I | re.M)
        if match:
            return match[1]
    return ""


def _heuristic(raw: bytes, text: str) -> tuple[BouncedRecipient, ...]:
    """The reports of old mailers: by flufl.bounce, then by our own few patterns."""
    temporary, permanent = _by_flufl(raw)
    found = {address: "delayed" for address in temporary} | {address: "failed" for address in permanent}
    report = text[:_SCANNED]
    if not found:
        found = dict.fromkeys(
            _named_in(report),
            "delayed" if _DELAYED.search(report[:2000]) and not _REPLY_CODE.search(report) else "failed",
        )
    return tuple(_described(address, action, report) for address, action in list(found.items())[:_MAXIMUM_RECIPIENTS])


def _described(address: str, action: str, report: str) -> BouncedRecipient:
    """Status and reason stand close behind the address, as a rule."""
    at = report.lower().find(address.lower())
    near = report[at if at >= 0 else 0 :][:1500]
    status = _STATUS.search(near) or _STATUS.search(report)
    code = _REPLY_CODE.search(near) or _REPLY_CODE.search(report)
    line = next((line for line in near.split("\n")[1:] if line.strip()), "") if at >= 0 else ""
    stated = status[1] if status else f"{code[1][0]}.0.0" if code else ""
    return BouncedRecipient(address, action, stated, clean_header(line, 500))


def _by_flufl(raw: bytes) -> tuple[list[str], list[str]]:
    """(temporary, permanent). Its detectors walk every part many times, so that few parts and few blocks may reach them."""
    if len(raw) > _SCANNED or b"\n\n\n" in raw or b"\n\r\n\r\n" in raw:
        raw = _EMPTY_LINES.sub(b"\n\n", raw[: 4 * _SCANNED])[:_SCANNED]
    if (
        raw.count(b"\n--") + raw.lower().count(b"message/") > _MAXIMUM_RECIPIENTS
        or raw.count(b"\n\n") > 10 * _MAXIMUM_RECIPIENTS
        or _has_many_parameters(raw)
    ):
        return [], []
    raw = b"\n".join(line[:_LINE] for line in raw.split(b"\n"))
    from flufl.bounce import all_failures  # a dozen detectors with their regexes: only where a report isn't of RFC 3464

    try:
        parsed: ParsedMail = message_from_bytes(raw)
        temporary, permanent = all_failures(parsed)
    except (
        Exception
    ):  # it raises all sorts of things on malformed reports, and the patterns of our own are still to come
        return [], []
    return _texts(temporary), _texts(permanent)


def _has_many_parameters(raw: bytes) -> bool:
    """The standard library, which flufl.bounce reads with, takes the square of their number, for each of a dozen detectors."""
    fields = [line for line in _FIELDS.split(raw) if line[:8].lower() == b"content-"]
    return sum(map(len, fields)) > 16_384 or sum(line.count(b";") for line in fields) > 300


def _texts(addresses: object) -> list[str]:
    """flufl.bounce gives bytes or str, in a set: sorted, so that the same bytes always read the same."""
    out = (
        {addr_spec(_text(item)) for item in addresses}
        if isinstance(addresses, (set, frozenset, list, tuple))
        else set()
    )
    return sorted(address for address in out if address)


def _text(item: object) -> str:
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)


def _named_in(report: str) -> list[str]:
    """Addresses on lines of their own or in angle brackets, before the returned message begins."""
    lines = report[:8000].split("\n")
    end = next((index for index, line in enumerate(lines) if _returned_begins(line[:400].lower())), len(lines))
    head = "\n".join(lines[:end])
    found = [addr_spec(match[0]) for match in _ADDRESS.finditer(head)]
    ours = re.compile(r"(?:mailer-daemon|postmaster|abuse|support|helpdesk)@", re.I)
    return list(dict.fromkeys(address for address in found if address and not ours.match(address)))[:5]


def _returned_begins(line: str) -> bool:
    """A ruler that speaks of the returned message, or its first header field."""
    if line.startswith("---"):
        return any(word in line for word in ("original", "copy", "returned", "message"))
    return line.startswith(("received:", "return-path:", "from: "))
