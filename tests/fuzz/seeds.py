"""Messages of our own making that mutation starts from: each form of mail that the reader knows, once."""

from __future__ import annotations

import base64
from pathlib import Path

LARGEST = 100_000  # bytes: a seed over this is passed over, since size is what the hostile inputs of the suite are for

_HEAD = b"From: Noa <noa@example.org>\r\nTo: security@example.test\r\nDate: Fri, 20 Nov 2026 10:00:00 +0100\r\n"
_MIXED = b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'

SEEDS: tuple[bytes, ...] = (
    _HEAD + b"Message-ID: <1@example.org>\r\nSubject: =?utf-8?q?Caf=C3=A9?= =?iso-8859-1?b?4Q==?=\r\n\r\nHello,\r\n\r\n"
    b"> quoted\r\n\r\nOn Fri, 20 Nov 2026 at 09:00, Ada <ada@example.test> wrote:\r\n> hi\r\n-- \r\nNoa\r\n",
    _HEAD + b"Return-Path: <noa@example.org>\r\nReceived: from a by mx.example.test (b) with ESMTP; Fri, 20 Nov 2026 "
    b"10:00:01 +0100\r\nAuthentication-Results: mx.example.test; dmarc=pass header.from=example.org; dkim=pass "
    b"header.d=example.org (x)\r\nIn-Reply-To: <2@example.test>\r\nReferences: <1@example.test> <2@example.test>\r\n\r\n"
    b"x\r\n\r\n-----Original Message-----\r\nFrom: Ada\r\nSent: Friday\r\nTo: Noa\r\nSubject: x\r\n\r\nquoted\r\n",
    _HEAD + _MIXED + b'--b\r\nContent-Type: text/plain; charset="utf-8"; format=flowed; delsp=yes\r\n\r\nOne \r\nline.\r\n'
    b"--b\r\nContent-Type: application/zip\r\nContent-Disposition: attachment;\r\n filename*0*=utf-8''%E2%82%AC;\r\n "
    b'filename*1=".zip"\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsDBBQAAAAA\r\n--b\r\nContent-Type: message/rfc822'
    b"\r\n\r\nFrom: a@example.org\r\nSubject: inner\r\n\r\ntext\r\n--b--\r\n",
    _HEAD + b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\nContent-Transfer-Encoding: quoted-printable'
    b"\r\n\r\nCaf=E9 =\r\nsoft\r\n--b\r\nContent-Type: text/html; charset=windows-1252\r\n\r\n<html><body><p>Hi "
    b'<a href="https://example.org/">x</a><table><tr><td>1</td></tr></table><pre>code</pre><div class="gmail_quote">'
    b"On Friday Ada wrote:<blockquote>quoted</blockquote></div></body></html>\r\n--b--\r\n",
    b"From: Mail Delivery Subsystem <MAILER-DAEMON@example.test>\r\nSubject: Undelivered Mail Returned to Sender\r\n"
    b"Auto-Submitted: auto-replied\r\nReturn-Path: <>\r\nContent-Type: multipart/report; report-type=delivery-status; "
    b"boundary=b\r\n\r\n--b\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; "
    b"mx.example.test\r\nOriginal-Envelope-Id: T1\r\n\r\nFinal-Recipient: rfc822; noa@example.org\r\nAction: failed\r\n"
    b"Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown user\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
    b"Message-ID: <3@example.test>\r\n--b--\r\n",
    b"From: MAILER-DAEMON@example.test\r\nSubject: failure notice\r\n\r\nHi. This is the qmail-send program.\r\n"
    b"<noa@example.org>:\r\n550 5.1.1 user unknown\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n"
    b"Message-ID: <4@example.test>\r\n",
    _HEAD + b"Subject: Automatic reply: away\r\nX-Auto-Response-Suppress: All\r\nPrecedence: bulk\r\nList-Id: <l.example>"
    b"\r\nX-Spam-Flag: YES\r\n\r\nI am away.\r\n",
    _HEAD + b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b\r\n\r\n--b\r\n'
    b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\nContent-Type: application/octet-stream; "
    b"name=encrypted.asc\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nwcBM\r\n-----END PGP MESSAGE-----\r\n--b--\r\n",
    _HEAD + b"Subject: Fwd: x\r\n\r\nsee below\r\n\r\n---------- Forwarded message ---------\r\nFrom: Lin <lin@example.org>"
    b"\r\nDate: Thu, 19 Nov 2026\r\nSubject: original\r\nTo: Noa\r\n\r\nThe hole.\r\n\r\nbegin 644 a.txt\r\n%:&5L;&\\`\r\n"
    b"`\r\nend\r\n",
    _HEAD + b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$3$s\x1b(B\r\n\r\n```\r\n> GET / HTTP/1.1\r\nHost: "
    b"a\r\n```\r\n>>> print(1)\r\n",
    _HEAD + b"Content-Type: text/plain; charset=gb2312\r\n\r\n\xc4\xe3\xba\xc3\r\n\xd4\xda 2026-11-20 10:00, "
    b"\xb0\xac <a@example.org> \xd0\xb4\xb5\xc0:\r\n> x\r\n",
    _HEAD + _MIXED + b"--b\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n"
    b"\r\n" + base64.encodebytes(
        b"\x78\x9f\x3e\x22\x01\x00\x01\x06\x90\x08\x00\x04\x00\x00\x00\x00\x00\x01\x00\x01\x00\x02\x02\x90\x06\x00\x0e"
        b"\x00\x00\x00" + bytes(14) + b"\x00\x00\x02\x10\x80\x01\x00\x06\x00\x00\x00a.txt\x00\x13\x02\x02\x0f\x80\x06"
        b"\x00\x02\x00\x00\x00hi\xd1\x00"
    ) + b"--b--\r\n",
)  # fmt: skip


def read_seeds(folder: Path | None) -> list[bytes]:
    """Our own messages, and those files of the folder that are small enough, in the order of their names."""
    if folder is None:
        return list(SEEDS)
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size <= LARGEST)
    return [*SEEDS, *(path.read_bytes() for path in files)]
