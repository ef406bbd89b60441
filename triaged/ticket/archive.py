"""Evidence for one member: a ZIP that opens with a password only, and the password, which is kept nowhere. Unpacks nothing."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from io import BytesIO

from triaged.ticket.filenames import unique_names
from triaged.ticket.reference import base32

MEDIA_TYPE = "application/zip"
_CONTEXT = b"triaged archive password v1\0"
_GROUPS, _GROUP = 4, 5  # of five bits each: 100 bits
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the first instant that a ZIP can name: entries tell no time


def sealed_archive(files: Sequence[tuple[str, bytes]], password: str) -> bytes:
    """The files, (name, content) each, under safe names (AT-24), encrypted with AES-256 as WinZip does (AE-2: not even their
    CRC is told). A ZIP does tell their names and sizes. The salts are drawn by the library.
    """
    # Most processes never seal anything, and loading the ciphers takes its time.
    from pyzipper import WZ_AES, ZIP_DEFLATED, AESZipFile
    from pyzipper.zipfile_aes import WZ_AES_V2, AESZipInfo

    archive = BytesIO()
    names = unique_names(name for name, _ in files)
    with AESZipFile(archive, "w", compression=ZIP_DEFLATED) as sealed:
        sealed.setpassword(password.encode("ascii"))
        sealed.setencryption(WZ_AES, nbits=256, force_wz_aes_version=WZ_AES_V2)
        for name, (_, content) in zip(names, files, strict=True):
            entry = AESZipInfo(name, date_time=_BEGINNING)
            entry.external_attr = 0o600 << 16
            sealed.writestr(entry, content, compress_type=ZIP_DEFLATED)
    return archive.getvalue()


def password(keys: Sequence[bytes], token: str, holder: str) -> str:
    """The password of the archives of this ticket that go to the member with that address, from the first key: as
    "7f3k9-qxd2b-…", a hundred bits. Who holds a letter alone can't make it.
    """
    told = _CONTEXT + token.encode() + b"\0" + holder.encode()
    digits = base32(hmac.new(keys[0], told, hashlib.sha256).digest()[:25]).lower()
    return "-".join(digits[at : at + _GROUP] for at in range(0, _GROUPS * _GROUP, _GROUP))
