"""Evidence goes to one member, sealed, under names that do no harm (AT-24, AT-28)."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
import pyzipper
from hypothesis import given
from hypothesis import strategies as st

from triaged.ticket.archive import password, sealed_archive
from triaged.ticket.filenames import OCTETS, safe_name, unique_names

KEYS = (b"k" * 32, b"old" * 11)
WORD = password(KEYS, "7f3k9qxd", "<a@example.test>")
FILES = [("poc.py", b"print('boom')\n" * 50), ("../../etc/cron.d/x", b"* * * * * root id\n"), ("empty", b"")]


def test_an_archive_opens_with_its_password_and_with_no_other() -> None:
    data = sealed_archive(FILES, WORD)
    with pyzipper.AESZipFile(io.BytesIO(data)) as opened:
        assert opened.namelist() == ["poc.py", "x", "empty"]
        for wrong in (None, b"", password(KEYS, "7f3k9qxd", "<b@example.test>").encode()):
            with pytest.raises(RuntimeError):
                opened.read("poc.py", pwd=wrong)
        assert [opened.read(name, pwd=WORD.encode()) for name in opened.namelist()] == [content for _, content in FILES]


def test_an_archive_is_aes_256_and_tells_no_checksum_and_no_time() -> None:
    """AE-2: the CRC of a short file would give its content away."""
    data = sealed_archive(FILES, WORD)
    for entry in zipfile.ZipFile(io.BytesIO(data)).infolist():
        aes = entry.extra[entry.extra.index(b"\x01\x99\x07\x00") + 4 :]
        assert aes[:5] == b"\x02\x00AE\x03" and entry.compress_type == 99 and entry.CRC == 0
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
    assert b"boom" not in data and b"root id" not in data


TOOLS = {
    "7zz": lambda path, word: ["7zz", "x", f"-p{word}", "-y", str(path)],
    "bsdtar": lambda path, word: ["bsdtar", "-x", "--passphrase", word, "-f", str(path)],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tools_that_members_have_open_it(tool: str, tmp_path: Path) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not here")
    path = tmp_path / "evidence.zip"
    path.write_bytes(sealed_archive([*FILES, ("Ünï 漏洞.txt", b"x")], WORD))
    for word, opens in (("wrong-wrong-wrong-wrong", False), (WORD, True)):
        into = tmp_path / f"{opens}"
        into.mkdir()
        done = subprocess.run(
            TOOLS[tool](path, word),
            cwd=into,
            capture_output=True,
            check=False,
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin"},
        )
        assert (done.returncode == 0) is opens, done
    assert {p.name: p.read_bytes() for p in (tmp_path / "True").iterdir()} == {
        "poc.py": FILES[0][1],
        "x": FILES[1][1],
        "empty": b"",
        "Ünï 漏洞.txt": b"x",
    }


def test_a_password_is_a_hundred_bits_of_the_key_the_ticket_and_the_letter() -> None:
    assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{5}(?:-[0-9a-hjkmnp-tv-z]{5}){3}", WORD)
    assert password(KEYS[:1], "7f3k9qxd", "<a@example.test>") == WORD, "made again, not kept"
    others = [
        password(KEYS[1:], "7f3k9qxd", "<a@example.test>"),
        password(KEYS, "2b4c8xyz", "<a@example.test>"),
        password(KEYS, "7f3k9qxd", "<b@example.test>"),
        password(KEYS, "7f3k9qx", "d<a@example.test>"),
    ]
    assert len({WORD, *others}) == 5


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("poc.png", "poc.png"),
        ("../../etc/cron.d/x", "x"),
        ("C:\\Users\\eve\\a.exe", "a.exe"),
        ("a\0.txt", "a.txt"),
        ("a\r\nX: y.txt", "a X_ y.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("a\u200b\ufeff.sh", "a.sh"),
        (".htaccess", "htaccess"),
        ("...", "file"),
        ("", "file"),
        ("/", "file"),
        ("-rf", "rf"),
        ("~root", "root"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("lpt\u00b9", "_lpt\u00b9"),
        ("console.log", "console.log"),
        ("a.txt. . ", "a.txt"),
        ('a"; rm -rf $HOME;.txt', "a__ rm -rf _HOME_.txt"),
        ("a.txt::$DATA", "a.txt___DATA"),
        ("漏洞" * 40 + ".pcap", "漏洞" * 19 + ".pcap"),
        ("x" * 200 + ".tar", "x" * 116 + ".tar"),
        ("x." + "y" * 200, "x." + "y" * 118),
    ],
)
def test_a_strangers_name_becomes_one_that_does_no_harm(name: str, safe: str) -> None:
    """AT-24"""
    assert safe_name(name) == safe


@given(
    st.lists(
        st.one_of(st.text(max_size=200), st.sampled_from(["a.txt", "A.TXT", "../a.txt", "a (2).txt", ""])), max_size=20
    )
)
def test_names_are_safe_whatever_they_were_and_no_two_are_one_file(names: list[str]) -> None:
    """AT-24"""
    made = unique_names(names)
    assert len({name.casefold() for name in made}) == len(made) == len(names)
    for name in made:
        assert name and len(name.encode()) <= OCTETS and name.isprintable()
        assert not set(name) & set('/\\:*?"<>|%\0') and name[0] not in ".-~ " and name[-1] not in ". "
        assert safe_name(name) == name, "and stays"
