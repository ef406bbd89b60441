"""The largest message that is taken in, of whatever it consists: a second of CPU and 256 MiB, the message itself included."""

from __future__ import annotations

import subprocess
import sys

import pytest

LARGEST = 52_428_800  # limits.message_bytes
SECONDS, MEBIBYTES = 1.0, 256

# Expressions, so that no copy of the message is made before the child that is measured makes it.
MESSAGES = {
    "text": "head('text/plain') + b'All work and no play.\\n' * (SIZE // 22)",
    "text in another charset": "head('text/plain; charset=koi8-r') + b'\\xf0\\xd2\\xc9\\xd7\\xc5\\xd4\\n' * (SIZE // 7)",
    "text in no charset": "head('text/plain') + b'\\xf0\\xd2\\xc9\\xd7\\xc5\\xd4\\n' * (SIZE // 7)",
    "one line": "head('text/plain') + b'x' * SIZE",
    "quotes": "head('text/plain') + b'> > On 1 May a@b.example wrote:\\n' * (SIZE // 32)",
    "HTML": "head('text/html') + b'<p>All <b>work</b></p>' * (SIZE // 22)",
    "base64": "head('application/zip', 'base64') + (b'QUJD' * 18 + b'\\n') * (SIZE // 73)",
    "broken base64": "head('application/zip', 'base64') + b'!QUJD=' * (SIZE // 6)",
    "quoted-printable": "head('application/zip', 'quoted-printable') + b'=41=42=\\n' * (SIZE // 8)",
    "uuencode": "head('application/zip', 'x-uuencode') + b'begin 644 x\\n' + b'#86)C\\n' * (SIZE // 6)",
    "uuencode in the text": "head('text/plain') + b'begin 644 x\\n' + b'#86)C\\n' * (SIZE // 6) + b'end\\n'",
    "uuencoded files in the text": "head('text/plain') + b'begin 644 x\\n#86)C\\nend\\n' * (SIZE // 22)",
    "winmail.dat": "head('application/ms-tnef') + b'\\x78\\x9f\\x3e\\x22\\0\\0' "
    "+ (b'\\2\\2\\x90\\6' + bytes(7) + b'\\2\\x0f\\x80\\6\\0\\1\\0\\0\\0x\\0\\0') * (SIZE // 23)",
    "one large file in winmail.dat": "head('application/ms-tnef') + b'\\x78\\x9f\\x3e\\x22\\0\\0\\2\\2\\x90\\6' + bytes(7) "
    "+ b'\\2\\x0f\\x80\\6\\0' + (SIZE - 200).to_bytes(4, 'little') + b'x' * SIZE",
    "an attached message": "head('message/rfc822') + head('text/plain') + b'x\\n' * (SIZE // 2)",
    "delimiters": "head('multipart/mixed; boundary=b') + b'--b\\n\\nx\\n' * (SIZE // 8)",
    "boundaries of others": "head('multipart/mixed; boundary=b') + b'--bx\\n' * (SIZE // 5)",
    "header": "b'Subject: x\\n' * (SIZE // 11)",
    "one field": "b'Subject: ' + b'x' * SIZE",
    "a folded field": "b'Subject: x' + b'\\n x' * (SIZE // 3)",
    "a delivery report": "head('multipart/report; report-type=delivery-status; boundary=b') + b'--b\\n\\nx\\n--b\\nContent-Type: "
    "message/delivery-status\\n\\n' + b'Final-Recipient: rfc822; a@b.example\\nAction: failed\\n\\n' * (SIZE // 54)",
    "an old report": "b'Return-Path: <>\\nFrom: MAILER-DAEMON@b.example\\nSubject: failure notice\\n\\n' "
    "+ b'<a@b.example>:\\n550\\n\\n' * (SIZE // 21)",
    "zeros": "bytes(SIZE)",
    "every octet": "bytes(range(256)) * (SIZE // 256)",
    "carriage returns": "head('text/plain') + b'x\\r' * (SIZE // 2)",
}
PROGRAM = """
import sys, time
from pathlib import Path
from triaged.message.model import Limits
from triaged.message.parse import parse
from triaged.settings.limits import Limits as Settings

def head(kind, encoding="7bit"):
    return f"From: noa@example.org\\nContent-Type: {kind}\\nContent-Transfer-Encoding: {encoding}\\n\\n".encode()

SIZE = int(sys.argv[1])
limits = Limits(**{name: getattr(Settings(), name) for name in Limits.__slots__})
parse(head("text/html") + b"<p>\\xe4\\xf6 \\xf0\\xd2\\xc9\\xd7\\xc5\\xd4" * 9, limits)  # what is imported at the first use
raw = eval(sys.argv[2])[:SIZE]
start = time.process_time()
message = parse(raw, limits)
spent = time.process_time() - start
unread = [defect for defect in message.defects if defect.startswith("unreadable")]
# Not ru_maxrss: that begins with what the process that started this one held.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(spent, int(peak.split()[1]) // 1024, *unread)
"""


@pytest.mark.parametrize("name", MESSAGES)
def test_at12_the_largest_message_takes_a_second_and_256_mebibytes_at_most(name: str) -> None:
    command = [sys.executable, "-c", PROGRAM, str(LARGEST), MESSAGES[name]]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    spent, mebibytes, *unread = ran.stdout.split()
    assert not unread
    assert float(spent) < SECONDS
    assert int(mebibytes) < MEBIBYTES
