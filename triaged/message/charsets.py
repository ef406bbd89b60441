"""Bytes -> text by an allow-list of charsets (AT-17). It never raises and never runs a codec that is not listed."""

from __future__ import annotations

import re

# What the label means in practice, as browsers and mail clients read it: the wider of two kin charsets.
_LABELS = {
    "us-ascii": "ascii",
    "ascii": "ascii",
    "ansi_x3.4-1968": "ascii",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "l1": "cp1252",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "x-ansi": "cp1252",
    "8859-1": "cp1252",
    "iso-8859-2": "iso8859-2",
    "latin2": "iso8859-2",
    "iso-8859-3": "iso8859-3",
    "iso-8859-4": "iso8859-4",
    "iso-8859-5": "iso8859-5",
    "iso-8859-6": "iso8859-6",
    "iso-8859-7": "iso8859-7",
    "iso-8859-8": "iso8859-8",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-9": "cp1254",
    "iso-8859-10": "iso8859-10",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "iso-8859-13": "iso8859-13",
    "iso-8859-14": "iso8859-14",
    "iso-8859-15": "iso8859-15",
    "latin-9": "iso8859-15",
    "iso-8859-16": "iso8859-16",
    "windows-1250": "cp1250",
    "cp1250": "cp1250",
    "windows-1251": "cp1251",
    "cp1251": "cp1251",
    "cp-1251": "cp1251",
    "windows-1253": "cp1253",
    "windows-1254": "cp1254",
    "windows-1255": "cp1255",
    "windows-1256": "cp1256",
    "windows-1257": "cp1257",
    "windows-1258": "cp1258",
    "cp1250-1": "cp1250",
    "cp850": "cp850",
    "ibm850": "cp850",
    "cp437": "cp437",
    "ibm437": "cp437",
    "cp866": "cp866",
    "ibm866": "cp866",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "macintosh": "mac-roman",
    "x-mac-roman": "mac-roman",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "cp936": "gb18030",
    "x-gbk": "gb18030",
    "hz-gb-2312": "hz",
    "gb_2312-80": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "cn-big5": "big5hkscs",
    "euc-jp": "euc_jp",
    "x-euc-jp": "euc_jp",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "windows-31j": "cp932",
    "cp932": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-2022-jp-1": "iso2022_jp_ext",
    "iso-2022-jp-2": "iso2022_jp_2",
    "iso-2022-kr": "iso2022_kr",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "cp949": "cp949",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-32": "utf-32",
    "utf-7": "utf-7",
    "unicode-1-1-utf-7": "utf-7",
}
_NOT_ASCII_BASED = frozenset(
    {"utf-7", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "hz", "iso2022_jp_ext", "iso2022_jp_2", "iso2022_kr"}
)
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
# Windows-1252 has signs at these octets, where Windows-1250 and ISO-8859-2 have letters of Polish, Czech and others.
_NOT_WESTERN = re.compile(
    rb"[A-Za-z][\x80-\x90\x98\x99\x9b\x9d\x9f\xa1-\xaa\xac\xae-\xb3\xb5\xb6\xb8-\xba\xbc-\xbf][a-z]"
    rb"|[\x9a\x9e][a-z]|[a-z][\x9a\x9e\x9f\xb9\xbf]"
)
_ESCAPE = re.compile(rb"(\x1b(?:\$[@B]|\([BJ]))")
_SHORT = 2048  # bytes that are looked at where no letters are counted
_SAMPLE = 16384  # bytes that the guess is made from: charset-normalizer's cost grows with them


def decode(data: bytes, label: str, *, statistics: bool = False) -> tuple[str, str]:
    """The text, and the defect met on the way ("" for none). `label`: the declared charset, "" for none. `statistics`: count
    letters where neither the label nor the octets tell; it takes 2 ms and more, so that the caller bounds how often.
    """
    codec = _LABELS.get(label.strip("\"' \t").lower(), "")
    if label and not codec:
        return _guess(data, "", statistics), f"unknown-charset: {label[:40]}"
    if codec not in _NOT_ASCII_BASED and data.isascii():
        return _ascii(data, codec), ""
    if codec and codec != "ascii":
        try:
            return data.decode(codec), ""
        except UnicodeError:
            if codec == "iso2022_jp_ext" and data.isascii():
                return _japanese(data), ""
            return _guess(data, codec, statistics), f"wrong-charset: {label[:40]}"
    text = _guess(data, "", statistics)
    return text, f"wrong-charset: {label[:40]}" if codec else ""


def _ascii(data: bytes, codec: str) -> str:
    if codec in ("", "ascii") and b"\x1b$" in data:  # Japanese mail that forgot to say so (RFC 1468)
        try:
            return data.decode("iso2022_jp_ext")
        except UnicodeError:
            pass
    return data.decode("ascii")


def _japanese(data: bytes) -> str:
    """ISO-2022-JP with the characters that its Windows writers add (row 13: circled digits and others), by way of CP932."""
    out: list[bytes] = []
    double = False
    for piece in _ESCAPE.split(data):
        if _ESCAPE.fullmatch(piece):
            double = piece[1:2] == b"$"
        else:
            out.append(_shifted(piece) if double else piece)
    return b"".join(out).decode("cp932", "replace")


def _shifted(pairs: bytes) -> bytes:
    """JIS X 0208 as Shift JIS has it: two rows share a lead octet."""
    out = bytearray()
    for first, second in zip(pairs[::2], pairs[1::2], strict=False):
        row = first - 0x21
        if not (0 <= row < 94 and 0x21 <= second <= 0x7E):
            out += bytes((first, second))
            continue
        out.append(row // 2 + (0x81 if row < 62 else 0xC1))
        out.append(second + (0x7E if row % 2 else 0x1F if second < 0x60 else 0x20))
    return bytes(out)


def _guess(data: bytes, declared: str, statistics: bool) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character cut in two at the very end is no reason to read the rest as something else.
        if error.start > len(data) - 4 or (declared == "utf-8" and _mostly(data)):
            return data.decode("utf-8", "replace")
    if declared and _decodes_nearly(data, declared):
        return data.decode(declared, "replace")
    return _by_statistics(data) if statistics else _short(data)


def _mostly(data: bytes) -> bool:
    return _decodes_nearly(data, "utf-8")


def _decodes_nearly(data: bytes, codec: str) -> bool:
    text = data[:_SAMPLE].decode(codec, "replace")
    return text.count("\ufffd") * 50 <= len(text)


def _by_statistics(data: bytes) -> str:
    if len(data) >= 64 and not _western(data[:_SAMPLE]):
        from charset_normalizer import from_bytes  # ~10 MB and 90 ms: only where a part needs it

        best = from_bytes(data[:_SAMPLE], steps=5, chunk_size=512).best()
        if best is not None and best.encoding.replace("_", "-") in _GUESSABLE:
            return data.decode(best.encoding, "replace")
    return _short(data)


def _western(data: bytes) -> bool:
    """Whether it reads as a language of western Europe: letters with accents stand alone, and no sign stands in a word."""
    runs = _HIGH_RUN.findall(data)
    return sum(len(run) == 1 for run in runs) * 10 > len(runs) * 6 and _NOT_WESTERN.search(data) is None


def _short(data: bytes) -> str:
    """Without counting letters: what the octets above 127 look like, else western."""
    runs = _HIGH_RUN.findall(data[:_SHORT])
    longest = max(map(len, runs), default=0)
    if longest >= 4 and all(len(run) % 2 == 0 for run in runs):
        leads = [run[index] for run in runs for index in range(0, len(run), 2)]
        if sum(0xB0 <= lead <= 0xD7 for lead in leads) * 10 >= len(leads) * 6:  # the common characters of GB 2312
            return data.decode("gb18030", "replace")
    if longest >= 4:
        letters = b"".join(runs)
        if sum(octet >= 0xE0 for octet in letters) * 10 >= len(letters) * 7:
            return data.decode("cp1251", "replace")
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


_GUESSABLE = frozenset(
    {
        "cp1250",
        "cp1251",
        "cp1252",
        "cp1253",
        "cp1254",
        "cp1255",
        "cp1256",
        "cp1257",
        "koi8-r",
        "big5",
        "gb18030",
        "cp932",
        "cp949",
        "euc-jp",
        "euc-kr",
        "shift-jis",
        "latin-1",
    }
)
