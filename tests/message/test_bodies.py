"""The text a person would read, and attachments as slices of the raw bytes."""

from __future__ import annotations

import base64
import hashlib

import pytest

from triaged.message.body import unflow
from triaged.message.charsets import decode
from triaged.message.document import as_json
from triaged.message.filetype import detect
from triaged.message.model import Limits, Message
from triaged.message.parse import parse
from triaged.message.transfer import decode_transfer

LIMITS = Limits(262144, 16384, 2000, 100, 500, 50, 524288, 1048576, 10000, 64)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
HTML = "<p>Steps:</p><ul><li>open <a href='https://app.example.test/login'>login</a></li></ul><script>alert(1)</script>"


def read(text: str) -> Message:
    return parse(text.replace("\n", "\r\n").encode(), LIMITS)


def part(content_type: str, body: str, *fields: str) -> str:
    return "\n".join([f"--b\nContent-Type: {content_type}", *fields, "", body, ""])


def multipart(subtype: str, *parts: str) -> str:
    return (
        f"From: noa@example.org\nMIME-Version: 1.0\nContent-Type: multipart/{subtype}; boundary=b\n\npreamble\n"
        + "".join(parts)
        + "--b--\nepilogue\n"
    )


def test_plain_is_preferred_and_html_is_no_attachment() -> None:
    message = read(multipart("alternative", part("text/plain", "plain form"), part("text/html", HTML)))
    assert (message.text.strip(), message.attachments) == ("plain form", ())


@pytest.mark.parametrize("plain", ["", " \n ", "Your mail reader does not show HTML. Please view it in a browser."])
def test_html_is_read_where_plain_says_nothing(plain: str) -> None:
    message = read(
        multipart("alternative", part("text/plain", plain), part("text/html", HTML + "<p>" + "long " * 500 + "</p>"))
    )
    assert "login" in message.text
    assert "https://app.example.test/login" in message.text
    assert "alert" not in message.text


def test_text_parts_of_a_mixed_message_are_all_read_in_order() -> None:
    message = read(
        multipart(
            "mixed",
            part("text/plain", "first"),
            part("image/png", "x", "Content-Disposition: inline"),
            part("text/plain", "second"),
        )
    )
    assert message.text == "first\n\nsecond"
    assert [item.media_type for item in message.attachments] == ["image/png"]
    assert message.attachments[0].inline


def test_an_attachment_is_a_slice_of_the_raw_message() -> None:
    encoded = base64.encodebytes(PNG).decode()
    text = multipart(
        "mixed",
        part("text/plain", "see it"),
        part(
            "image/jpeg",
            encoded,
            "Content-Transfer-Encoding: base64",
            "Content-Disposition: attachment; filename=poc.png",
        ),
    )
    raw = text.replace("\n", "\r\n").encode()
    item = parse(raw, LIMITS).attachments[0]
    assert (item.name, item.media_type, item.detected_type) == ("poc.png", "image/jpeg", "image/png")
    assert (item.size, item.sha256, item.inline) == (len(PNG), hashlib.sha256(PNG).hexdigest(), False)
    assert decode_transfer(raw[item.offset : item.offset + item.length], item.encoding)[0] == PNG


def test_a_forwarded_message_is_an_attachment_and_not_text() -> None:
    inner = "From: Dana <dana@example.org>\nDate: Fri, 20 Nov 2026 09:12:00 +0000\nSubject: =?utf-8?q?=C3=84?=\n\ninner text"
    message = read(multipart("mixed", part("text/plain", "see below"), part("message/rfc822", inner)))
    assert message.text.strip() == "see below"
    assert [item.media_type for item in message.attachments] == ["message/rfc822"]
    assert message.forwarded is not None
    assert (message.forwarded.sender, message.forwarded.subject, message.forwarded.form) == (
        "Dana <dana@example.org>",
        "Ä",
        "attached",
    )


def test_an_inline_forward_is_told_from_its_mark() -> None:
    message = read(
        "Subject: Fwd: x\n\nFYI\n\n---------- Forwarded message ---------\nVon: Dana <dana@example.org>\nDatum: heute\n"
        "Betreff: XSS\nAn: noa\n\ntext"
    )
    assert message.forwarded is not None
    assert (message.forwarded.sender, message.forwarded.date, message.forwarded.subject) == (
        "Dana <dana@example.org>",
        "heute",
        "XSS",
    )
    assert message.forwarded.form == "inline"
    assert message.new_text == "FYI"


def test_uuencode_in_the_text_becomes_a_file() -> None:
    message = read("Subject: x\n\nbefore\nbegin 644 a.txt\n#86)C\n`\nend\nafter\n")
    assert [(item.name, item.size, item.encoding) for item in message.attachments] == [("a.txt", 3, "x-uuencode")]
    assert "#86)C" not in message.text
    assert "after" in message.text


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ("Content-Disposition: attachment; filename*=utf-8''%e2%82%ac.txt; filename=x.txt", "€.txt"),
        ("Content-Disposition: attachment; filename*0=a; filename*1=b; filename*2*=%20c", "ab c"),
        ("Content-Disposition: attachment; filename*1=b; filename*0=a", "ab"),
        ('Content-Disposition: attachment; filename="=?utf-8?q?=C3=A4?="', "ä"),
        ('Content-Disposition: attachment; filename="a;b \\"c\\".txt"', 'a;b "c".txt'),
        ("Content-Disposition: attachment; filename=a b.txt", "a b.txt"),
        ("Content-Disposition: attachment; filename*=x-nope''%C3%A4", "ä"),
        ("Content-Disposition: attachment", ""),
    ],
)
def test_ml4_file_names(fields: str, name: str) -> None:
    message = read(multipart("mixed", part("text/plain", "x"), part("application/pdf", "x", fields)))
    assert [item.name for item in message.attachments] == [name]


@pytest.mark.parametrize(
    ("data", "label", "text", "defect"),
    [
        (b"caf\xe9", "iso-8859-1", "café", ""),
        (b"\x93hi\x94", "iso-8859-1", "\u201chi\u201d", ""),
        ("café".encode(), "", "café", ""),
        ("café".encode(), "us-ascii", "café", "wrong-charset: us-ascii"),
        ("café".encode(), "x-nope", "café", "unknown-charset: x-nope"),
        (b"caf\xe9 au lait", "utf-8", "café au lait", "wrong-charset: utf-8"),
        ("测试".encode("gbk"), "gb2312", "测试", ""),
        ("転送".encode("iso2022_jp"), "", "転送", ""),
        ("Привет".encode("koi8-r"), "KOI8-R", "Привет", ""),
        (b"\xff\xfea\x00", "", "a", ""),
    ],
)
def test_at17_text_is_read_by_its_charset_or_what_it_looks_like(
    data: bytes, label: str, text: str, defect: str
) -> None:
    got, problem = decode(data, label)
    assert (got.removeprefix("\ufeff"), problem) == (text, defect)


def test_format_flowed_is_unfolded_with_its_quotes() -> None:
    assert unflow("one \ntwo\n> quoted \n> on\n-- \nsig", delete_space=False) == "one two\n> quoted on\n-- \nsig"
    assert unflow("日 \n本", delete_space=True) == "日本"
    assert unflow(" >stuffed", delete_space=False) == ">stuffed"


@pytest.mark.parametrize("kind", ["multipart/encrypted; protocol=application/pgp-encrypted", "multipart/mixed"])
def test_pg1_pgp_is_told(kind: str) -> None:
    head = f"From: noa@example.org\nContent-Type: {kind}; boundary=b\n\n"
    armour = "-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----"
    text = (
        head
        + part("application/pgp-encrypted", "Version: 1")
        + part("application/octet-stream; name=encrypted.asc", armour)
        + "--b--\n"
    )
    assert read(text).encrypted == "pgp"
    assert read(f"From: a@example.org\n\n{armour}\n").encrypted == "pgp"


def test_smime_is_told_and_a_signature_is_not_encryption() -> None:
    assert read("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx").encrypted == "smime"
    assert read("Content-Type: application/pkcs7-mime; smime-type=signed-data\n\nx").encrypted is None
    assert read(multipart("signed", part("text/plain", "x"), part("application/pgp-signature", "x"))).encrypted is None


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", ""),
        (b"hello\n", "text/plain"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04....", "application/zip"),
        (b"\x00\x01", "application/octet-stream"),
        (b"<html><p>", "text/html"),
    ],
)
def test_at15_types_are_told_by_the_first_bytes(content: bytes, wanted: str) -> None:
    assert detect(content) == wanted


def test_at16_broken_base64_is_kept_and_noted() -> None:
    message = read("Content-Transfer-Encoding: base64\n\n!!!!aGk=*\n")
    assert message.text == "hi"
    assert "broken-base64" in message.defects


def test_at18_nuls_are_gone_from_the_text() -> None:
    assert parse(b"Subject: a\x00b\r\n\r\nx\x00y", LIMITS).text == "xy"


def test_a_multipart_without_its_boundary_is_text_and_kept_as_a_file() -> None:
    message = read("Content-Type: multipart/mixed\n\nonly text\n")
    assert message.text.strip() == "only text"
    assert "no-boundary" in message.defects
    assert [item.media_type for item in message.attachments] == ["multipart/mixed"]


def test_the_json_object_has_the_promised_names() -> None:
    found = as_json(read("From: Noa <noa@example.org>\nDate: Fri, 20 Nov 2026 09:12:00 +0000\nSubject: XSS\n\nbody"))
    assert list(found) == [
        "kind",
        "from",
        "to",
        "cc",
        "reply_to",
        "subject",
        "date",
        "message_id",
        "in_reply_to",
        "references",
        "text",
        "new_text",
        "attachments",
        "automatic",
        "bounce",
        "forwarded",
        "encrypted",
        "authenticity",
        "facts",
        "missing",
        "noise",
        "defects",
    ]
    assert found["from"] == {"name": "Noa", "address": "noa@example.org"}
    assert found["date"] == "2026-11-20T09:12:00Z"
    assert found["noise"] == {"score": 0.0, "reasons": []}


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("Die Frösche saßen müde am Ufer und wünschten sich größere Flügel für die Überfahrt.", "cp1252"),
        ("Déjà vu à l'hôtel où l'été s'achève, être ou ne pas être, ça va, c'est sûr, n'est-ce pas.", "cp1252"),
        ("¿Qué? El niño comió jamón añejo en la montaña con más señales según él, y también pan.", "cp1252"),
        ("Não há ações à espera, coração e maçã, é só avó que vê a informação na página.", "cp1252"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy, což všem ostatním bylo zřejmé a jasné už dávno.", "cp1250"),
        ("Zażółć gęślą jaźń i coś jeszcze, proszę bardzo, już idę, bo jest późno i się ściemnia.", "cp1250"),
        ("Съешь ещё этих мягких французских булок да выпей чаю, и будет тебе хорошо.", "cp1251"),
        ("Съешь ещё этих мягких французских булок да выпей чаю, и будет тебе хорошо.", "koi8-r"),
    ],
)
def test_at17_a_sentence_without_its_charset_is_read_as_its_language_is_written(text: str, charset: str) -> None:
    assert decode(text.encode(charset), "", statistics=True) == (text, "")


def test_at17_japanese_of_windows_in_iso_2022_jp_keeps_its_circled_digits() -> None:
    assert decode(b'\x1b$B-!#1ET#38)$N03$H!"\x1b(B ok\r\n', "iso-2022-jp") == ("①１都３県の鯵と、 ok\r\n", "")


def test_quotes_in_html_are_marked_by_their_level_and_indented_text_is_none() -> None:
    html = (
        '<p>Mine</p><blockquote type="cite">one<blockquote>two</blockquote></blockquote><p>Also mine</p>'
        '<blockquote style="margin:0 0 0 40px;border:none;padding:0">proof \ue000of concept</blockquote>'
    )
    message = read(f"From: noa@example.org\nContent-Type: text/html\n\n{html}\n")
    lines = [line for line in message.text.split("\n") if line.strip("> ")]
    assert lines == ["Mine", "> one", ">> two", "Also mine", "proof of concept"]
    assert "two" not in message.new_text
    assert message.new_text.endswith("proof of concept")


def test_quotes_in_html_that_nothing_closes_or_opens_are_read() -> None:
    for html in (
        '<blockquote class="gmail_quote">x',
        "</blockquote>x",
        "<blockquote",
        "<BLOCKQUOTE CITE=a>x</blockquote></blockquote>",
    ):
        assert "x" in read(f"From: noa@example.org\nContent-Type: text/html\n\n{html}\n").text or "x" not in html


def test_uuencode_within_other_text_is_told_by_its_first_line() -> None:
    text = "How to:\nbegin 644 poc.txt\nis how such a file begins.\nend\n\nbegin 644 real.txt\n%:&5L;&\\\n`\nend\nBye."
    message = read(f"From: noa@example.org\n\n{text}\n")
    assert [(item.name, item.size) for item in message.attachments] == [("real.txt", 5)]
    assert "is how such a file begins." in message.text
    assert message.text.rstrip().endswith("Bye.")
    assert "%:&5L" not in message.text


def test_at13_files_in_the_text_are_no_more_than_parts_may_be() -> None:
    message = read("From: noa@example.org\n\n" + "begin 644 x\n#86)C\n`\nend\n" * 2000)
    assert len(message.attachments) == LIMITS.parts


INNERMOST = "From: Noa <noa@example.org>\nDate: Thu, 19 Nov 2026 10:00:00 +0000\nSubject: a hole"


def test_of_a_report_forwarded_three_times_the_first_sender_is_told_inline() -> None:
    steps = [
        f"From: {name}@example.test\nDate: Fri, 20 Nov 2026\nSubject: Fwd: a hole\nTo: x" for name in ("sales", "help")
    ]
    blocks = [f"---------- Forwarded message ---------\n{step}\n\n" for step in (*steps, INNERMOST)]
    message = read(
        "From: ada@example.test\nSubject: Fwd: a hole\n\nFor you.\n\n" + "".join(blocks) + "The login is open.\n"
    )
    assert message.forwarded is not None
    assert (message.forwarded.sender, message.forwarded.subject) == ("Noa <noa@example.org>", "a hole")


def test_of_a_report_forwarded_three_times_the_first_sender_is_told_attached() -> None:
    message = f"{INNERMOST}\n\nThe login is open.\n"
    for level, name in enumerate(("help", "sales", "ada")):
        message = (
            f"From: {name}@example.test\nSubject: Fwd: a hole\nContent-Type: multipart/mixed; boundary=b{level}\n\n"
            f"--b{level}\n\nFor you.\n--b{level}\nContent-Type: message/rfc822\n\n{message}\n--b{level}--\n"
        )
    forwarded = read(message).forwarded
    assert forwarded is not None
    assert (forwarded.sender, forwarded.subject, forwarded.form) == ("Noa <noa@example.org>", "a hole", "attached")


def test_mail_that_a_forwarded_report_shows_is_not_its_sender() -> None:
    evidence = "---------- Forwarded message ---------\nFrom: phisher@evil.test\nSubject: your account\n\nClick.\n"
    text = f"---------- Forwarded message ---------\n{INNERMOST}\n\nYou let this through:\n\n{evidence}"
    forwarded = read(f"From: ada@example.test\nSubject: Fwd: a hole\n\n{text}").forwarded
    assert forwarded is not None and forwarded.sender == "Noa <noa@example.org>"
