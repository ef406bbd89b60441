"""Message -> the JSON object that `triaged message read` prints. Names and meaning are a promise to scripts."""

from __future__ import annotations

from datetime import UTC, datetime

from triaged.message.model import Address, Attachment, Bounce, Forwarded, Message


def as_json(message: Message) -> dict[str, object]:
    """The object, with the parts that reading adds (facts, missing, noise) still empty. Instants are RFC 3339 UTC."""
    return {
        "kind": message.kind.value,
        "from": _address(message.author),
        "to": [_address(item) for item in message.to],
        "cc": [_address(item) for item in message.cc],
        "reply_to": [_address(item) for item in message.reply_to],
        "subject": message.subject,
        "date": _instant(message.date),
        "message_id": message.message_id,
        "in_reply_to": list(message.in_reply_to),
        "references": list(message.references),
        "text": message.text,
        "new_text": message.new_text,
        "attachments": [_attachment(item) for item in message.attachments],
        "automatic": {
            "answerable": message.answerable,
            "reasons": [{"word": reason.word, "header": reason.header} for reason in message.automatic_reasons],
        },
        "bounce": _bounce(message.bounce),
        "forwarded": _forwarded(message.forwarded),
        "encrypted": message.encrypted,
        "authenticity": {
            "verdict": message.authenticity.verdict.value,
            "domain": message.authenticity.domain,
            "method": message.authenticity.method,
        },
        "facts": [],
        "missing": [],
        "noise": {"score": 0.0, "reasons": []},
        "defects": list(message.defects),
    }


def _address(address: Address | None) -> dict[str, str] | None:
    return None if address is None else {"name": address.name, "address": address.address}


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _attachment(item: Attachment) -> dict[str, object]:
    return {
        "name": item.name,
        "media_type": item.media_type,
        "detected_type": item.detected_type,
        "size": item.size,
        "sha256": item.sha256,
        "inline": item.inline,
    }


def _bounce(bounce: Bounce | None) -> dict[str, object] | None:
    if bounce is None:
        return None
    recipients = [
        {"address": item.address, "action": item.action, "status": item.status, "reason": item.reason}
        for item in bounce.recipients
    ]
    return {"recipients": recipients, "message_id": bounce.message_id}


def _forwarded(forwarded: Forwarded | None) -> dict[str, object] | None:
    if forwarded is None:
        return None
    return {"from": forwarded.sender, "date": forwarded.date, "subject": forwarded.subject, "form": forwarded.form}
