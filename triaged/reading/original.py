"""A forwarded report as its original sender wrote it: their words apart from the forwarder's. Decides nothing, believes nobody."""

from __future__ import annotations

from dataclasses import dataclass, replace

from triaged.message.addresses import has_group_or_route, parse_addresses
from triaged.message.forwarded import below_header, says_forwarded
from triaged.message.model import Address, Authenticity, Limits, Message, Trust, Verdict
from triaged.message.parse import parse
from triaged.message.transfer import decode_transfer

MESSAGES = frozenset({"message/rfc822", "message/global"})
CHAIN = 5  # attached forwards within each other that are followed
_UNPROVEN = Authenticity(Verdict.NONE, "", "")


@dataclass(frozen=True, slots=True)
class Original:
    """What was forwarded. Its author is a claim, of the forwarder's mail client or of an attached header."""

    message: Message  # as if its sender had written to us: nothing proves it
    remarks: str  # what those wrote who sent it on: for the team alone


def original(raw: bytes, message: Message, limits: Limits) -> Original | None:
    """The original of a forward with its text; None where nothing was forwarded, or the text is not there."""
    forwarded = message.forwarded
    if forwarded is None:
        return None
    if forwarded.form == "attached":
        return _attached(raw, message, limits)
    lines = message.text.split("\n")
    text = "\n".join(_unquoted(lines[below_header(lines, forwarded.line) :])).strip("\n")
    remarks = "\n".join(lines[: forwarded.line]).strip()
    return _as_sent(message, _author(forwarded.sender), forwarded.subject, text, "", remarks) if text.strip() else None


def _attached(raw: bytes, message: Message, limits: Limits) -> Original | None:
    """The attached message, or the one within it where its subject says that it was a forward itself."""
    inner, remarks = message, [message.new_text]
    for _ in range(CHAIN):
        part = next((a for a in inner.attachments if a.media_type in MESSAGES and a.offset >= 0), None)
        if part is None or (inner is not message and not says_forwarded(inner.subject)):
            break
        raw, _ = decode_transfer(raw[part.offset : part.offset + part.length], part.encoding)
        if inner is not message:
            remarks.append(inner.new_text)
        inner = parse(raw, limits, Trust())
    if inner is message:
        return None
    doubtful = any(defect.startswith("malformed-from") for defect in inner.defects)
    author = inner.author if len(inner.authors) == 1 and not doubtful else None
    said = "\n\n".join(text for text in remarks if text.strip())
    return _as_sent(message, author, inner.subject, inner.text, inner.message_id, said)


def _as_sent(
    message: Message, author: Address | None, subject: str, text: str, message_id: str, remarks: str
) -> Original:
    sent = replace(
        message,
        author=author,
        authors=(author,) if author else (),
        sender=None,
        reply_to=(),
        return_path=None,
        subject=subject,
        message_id=message_id,
        in_reply_to=(),
        references=(),
        text=text,
        new_text=text,
        forwarded=None,
        authenticity=_UNPROVEN,
    )
    return Original(sent, remarks)


def _author(value: str) -> Address | None:
    """The one address of a From line that a mail client wrote into the text; none where there is any doubt (AT-10)."""
    found, problems = parse_addresses(value, 2)
    return found[0] if len(found) == 1 and not problems and not has_group_or_route(value) else None


def _unquoted(lines: list[str]) -> list[str]:
    """Clients that quote what they forward mark every line of it."""
    if all(line.startswith(">") for line in lines if line.strip()):
        return [line[1:].removeprefix(" ") for line in lines]
    return lines
