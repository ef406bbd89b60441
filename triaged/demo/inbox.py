"""`python -m triaged.demo.inbox PORT ADDRESS`: the mail that an address of the embedded server holds; changes none."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message

from imapclient import IMAPClient

from triaged.demo.mailboxes import PASSWORD
from triaged.demo.server import HOST
from triaged.message.clean import clean_header, clean_text

_SHOWN = ("From", "To", "Subject", "Date", "In-Reply-To")
_SECONDS = 10


def main(arguments: list[str]) -> int:
    """Prints each message of the address's INBOX, oldest first."""
    if len(arguments) != 2 or not arguments[0].isdigit():
        print("Say the IMAP port and the address: python -m triaged.demo.inbox 2143 noa@example.org", file=sys.stderr)
        return 2
    port, address = int(arguments[0]), arguments[1]
    try:
        messages = inbox(port, address)
    except OSError as failure:
        print(f"No mail server answers on {HOST}:{port} ({failure}); is `make run` up?", file=sys.stderr)
        return 1
    print("\n".join(shown(messages)) if messages else f"{address} has no mail.")
    return 0


def inbox(port: int, address: str) -> list[bytes]:
    """The raw messages in the INBOX of `address`, in the order of arrival; leaves their flags alone."""
    with IMAPClient(HOST, port, ssl=False, timeout=_SECONDS) as client:
        client.login(address, PASSWORD)
        client.select_folder("INBOX", readonly=True)
        found = client.fetch(client.search("ALL"), ["BODY.PEEK[]"])
        return [found[uid][b"BODY[]"] for uid in sorted(found)]


def shown(messages: Iterable[bytes]) -> Iterator[str]:
    """The lines to print: the fields a reader looks at, and the text."""
    for raw in messages:
        message = message_from_bytes(raw)
        yield "=" * 72
        for name in _SHOWN:
            if message[name]:
                yield f"{name}: {_decoded(str(message[name]))}"
        yield ""
        yield clean_text(_text(message))


def _text(message: Message) -> str:
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return ""


def _decoded(value: str) -> str:
    try:
        return clean_header(str(make_header(decode_header(value))))
    except (LookupError, UnicodeDecodeError):  # an encoded word in a charset that does not exist
        return clean_header(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
