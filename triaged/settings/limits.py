"""Every limit by name, with its default. Nothing here enforces one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def _limit(default: int, doc: str, least: int = 1) -> Any:
    return field(default=default, metadata={"doc": doc, "least": least})


@dataclass(frozen=True, slots=True)
class Limits:
    """What is over a limit is recorded and shown, never dropped."""

    message_bytes: int = _limit(52_428_800, "largest message stored whole; of a larger one its header and first bytes")
    oversize_body_bytes: int = _limit(65_536, "of the body of a message over `message_bytes`, this much is stored", 0)
    header_block_bytes: int = _limit(262_144, "header of a message or part that is parsed")
    header_bytes: int = _limit(16_384, "one header field that is parsed")
    header_fields: int = _limit(2_000, "header fields that are parsed")
    addresses_per_field: int = _limit(100, "addresses read from one header field")
    received_fields: int = _limit(100, "Received fields; more is a loop, and nothing automatic answers it")
    parts: int = _limit(500, "MIME parts that are parsed")
    depth: int = _limit(50, "MIME parts within parts that are parsed")
    parameter_segments: int = _limit(64, "continuations of one MIME parameter (RFC 2231)")
    html_bytes: int = _limit(524_288, "HTML that is turned into text")
    text_bytes: int = _limit(1_048_576, "text that is kept of a message's body")
    text_lines: int = _limit(10_000, "lines in which quotes and signatures are looked for")
    fetch_messages: int = _limit(50, "messages fetched and committed together")
    fetch_bytes: int = _limit(8_388_608, "octets fetched and committed together, where one message isn't larger")
    imap_literal_bytes: int = _limit(134_217_728, "literal that an IMAP server may send")
    reading_attempts: int = _limit(2, "attempts at reading a message before it is set aside")
    acknowledgements_proven_per_address_per_day: int = _limit(10, "to one proven sender", 0)
    acknowledgements_unproven_per_address_per_day: int = _limit(1, "to one unproven sender", 0)
    acknowledgements_proven_per_hour: int = _limit(2_000, "to all proven senders together", 0)
    acknowledgements_unproven_per_hour: int = _limit(60, "to all unproven senders together", 0)
    acknowledgement_bytes: int = _limit(2_048, "minimal acknowledgement", 512)
    acknowledgement_full_bytes: int = _limit(16_384, "full acknowledgement", 512)
    thread_messages_per_10_minutes: int = _limit(5, "from one sender on one thread before the thread falls silent")
    request_letters_per_ticket_per_day: int = _limit(
        3, "of each kind, in answer to a researcher's one-line requests", 0
    )
    smtp_connections: int = _limit(4, "connections to one submission server at a time")
    references_ids: int = _limit(20, "Message-IDs in the References of a letter", 4)
    references_bytes: int = _limit(900, "octets in the References of a letter", 256)
    relay_text_bytes: int = _limit(65_536, "of a researcher's text in the mail that relays it to the team")
