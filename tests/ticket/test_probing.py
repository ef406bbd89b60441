"""Probes of `triaged check`: known again by their key alone, and filed; whatever only looks like one is mail like any other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.ticket.scene import AT, DESK, KEY, MAILBOX, READING, RESEARCHER, arrive, decide, entropy, mail
from triaged.daemon.probe import MEND, judged
from triaged.message.fields import read_header
from triaged.ticket.consequence import Consequence, Outcome
from triaged.ticket.probing import new_token, probe_id, write_probe

TOKEN = new_token(entropy)


def test_a_probe_of_ours_is_filed_and_sends_nothing() -> None:
    for trusted in ("mx.example.test", "", None):
        raw = write_probe(TOKEN, MAILBOX, trusted, KEY, AT)
        assert decide(raw) == Consequence(Outcome.FILED, "a probe of ours")


def test_a_probe_under_an_earlier_key_is_known_again() -> None:
    raw = write_probe(TOKEN, MAILBOX, None, KEY, AT)
    assert decide(raw, replace(DESK, keys=(b"a newer key", KEY))).outcome is Outcome.FILED


FORGED = {
    "another key": probe_id(TOKEN, MAILBOX, b"not the key"),
    "another mailbox's": probe_id(TOKEN, "other@example.test", KEY).replace("other", "security"),
    "another token": probe_id(TOKEN, MAILBOX, KEY).replace(TOKEN, "0" * 16),
    "no MAC": f"<probe.{TOKEN}@example.test>",
    "letters outside ASCII": f"<probe.{TOKEN}.{'ä' * 16}@example.test>",
}


@pytest.mark.parametrize("message_id", FORGED.values(), ids=FORGED)
def test_a_forged_probe_is_ordinary_mail(message_id: str) -> None:
    """P3: nothing that a stranger writes may be filed unseen."""
    assert decide(mail(MAILBOX, message_id=message_id)).outcome is Outcome.TICKET


def test_somebody_who_learned_a_probes_id_hides_no_report_behind_it() -> None:
    assert decide(mail(RESEARCHER, message_id=probe_id(TOKEN, MAILBOX, KEY))).outcome is Outcome.TICKET


def test_the_forged_field_of_a_probe_proves_nobody() -> None:
    raw = write_probe(TOKEN, MAILBOX, "mx.example.test", KEY, AT)
    assert arrive(raw).message.authenticity.verdict.value != "pass"


SURVIVED = f"Authentication-Results: mx.example.test; dmarc=pass header.from={TOKEN}.invalid"
SIGNED = "DKIM-Signature: v=1; a=rsa-sha256; d={}; s=k; h=From; b=x"
JUDGED = {
    "gone": ((), True, False),
    "kept": ((SURVIVED,), False, False),
    "kept under another name": ((f"X-Old-{SURVIVED}",), True, False),
    "the server's own result": (
        ("Authentication-Results: mx.example.test; dmarc=pass header.from=example.test",),
        True,
        False,
    ),
    "gone and signed": ((SIGNED.format("example.test"),), True, True),
    "gone and signed for a domain below": ((SIGNED.format(" mail.example.test "),), True, True),
    "gone and signed by a provider": ((SIGNED.format("provider.example"),), True, False),
    "a d= in another tag": ((SIGNED.format("provider.example; x=d=example.test"),), True, False),
}


@pytest.mark.parametrize(("fields", "ok", "signed"), JUDGED.values(), ids=JUDGED)
def test_what_came_back_is_judged(fields: tuple[str, ...], ok: bool, signed: bool) -> None:
    """AU-3, AU-9."""
    raw = "".join(f"{field}\r\n" for field in (*fields, f"From: {MAILBOX}")).encode() + b"\r\n"
    header, _ = read_header(raw, 0, len(raw), READING)
    item = judged("probe security", header, TOKEN, MAILBOX, trusting=True)
    assert (item.ok, item.mend) == (ok, "" if ok else MEND)
    assert ("no DKIM signature of example.test" in item.note) is not signed
    assert judged("probe security", header, TOKEN, MAILBOX, trusting=False).ok
