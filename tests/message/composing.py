"""What mail clients make of an answer and of a forward: whole messages in the shapes that they send, in words of our own."""

from __future__ import annotations

import quopri
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html import escape

DANA = "dana@example.test"
Bodies = tuple[tuple[str, str], ...]  # (media type, text) of each alternative, the plain one first


@dataclass(frozen=True, slots=True)
class Original:
    """The message that is answered or forwarded, as a client shows it."""

    name: str
    address: str
    to: str
    subject: str
    at: datetime
    message_id: str
    references: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Client:
    """One mail client: what it writes into the header, and how it makes the body of an answer and of a forward."""

    fields: tuple[str, ...]
    reply: Callable[[str, Original], Bodies]
    forward: Callable[[str, Original], Bodies]
    references: bool = True


def message(client: Client, bodies: Bodies, original: Original, *, to: str, forwarded: bool) -> bytes:
    """The whole message, as the mailbox has it from a server that vouches for the member's domain."""
    prefix = "Fwd" if forwarded else "Re"
    fields = [
        "Authentication-Results: mx.example.test; dmarc=pass header.from=example.test",
        f"From: Dana Levi <{DANA}>",
        f"To: {to}",
        f"Subject: {prefix}: {original.subject}",
        "Date: Fri, 20 Nov 2026 10:30:00 +0000",
        "Message-ID: <answer@example.test>",
    ]
    if not forwarded:
        fields.append(f"In-Reply-To: {original.message_id}")
        if client.references:
            fields.append("References: " + "\r\n ".join([*original.references, original.message_id]))
    fields += [*client.fields, "MIME-Version: 1.0"]
    return "\r\n".join([*fields, *_parts(bodies), ""]).encode("ascii")


def _parts(bodies: Bodies) -> Iterable[str]:
    if len(bodies) == 1:
        yield from _part(*bodies[0])
        return
    yield from ('Content-Type: multipart/alternative; boundary="=_1b2c3d"', "")
    for media_type, text in bodies:
        yield "--=_1b2c3d"
        yield from _part(media_type, text)
    yield "--=_1b2c3d--"


def _part(media_type: str, text: str) -> Iterable[str]:
    yield f"Content-Type: {media_type}; charset=utf-8"
    yield "Content-Transfer-Encoding: quoted-printable"
    yield ""
    yield from quopri.encodestring(text.encode()).decode("ascii").split("\n")


# Pieces that several clients share.


def marked(text: str, mark: str = "> ") -> str:
    """Every line with a mark, as clients quote plain text: none between the levels."""
    return "\n".join(
        f"{mark.rstrip()}{line}" if line.startswith(">") else f"{mark}{line}".rstrip() for line in text.split("\n")
    )


def filled(text: str, columns: int = 76) -> str:
    """Long lines broken at spaces, quoted ones with their mark again."""
    out: list[str] = []
    for line in text.split("\n"):
        bare = line.lstrip("> ")
        mark = line[: len(line) - len(bare)]
        out += (
            textwrap.wrap(bare, max(20, columns - len(mark)), initial_indent=mark, subsequent_indent=mark)
            if len(line) > columns
            else [line]
        )
    return "\n".join(out)


def divs(text: str) -> str:
    return "".join(f"<div>{escape(line, quote=False) or '<br>'}</div>" for line in text.split("\n"))


def breaks(text: str) -> str:
    return "<br>\n".join(escape(line, quote=False) for line in text.split("\n"))


def who(original: Original) -> str:
    return f"{original.name} <{original.address}>"


def linked(original: Original) -> str:
    address = original.address
    return f'{escape(original.name)} &lt;<a href="mailto:{address}">{address}</a>&gt;'


def labels(original: Original, first: str = "From", date: str = "Sent", bold: str = "") -> list[str]:
    """The header block above a quote."""
    at = f"{original.at:%A, %-d %B %Y %H:%M}"
    pairs = [(first, who(original)), (date, at), ("To", original.to), ("Subject", original.subject)]
    return [f"{bold}{label}:{bold} {value}" for label, value in pairs]


# Gmail.


def gmail_line(original: Original, form: str = "%a, %-d %b %Y at %H:%M") -> str:
    return f"On {original.at:{form}}, {who(original)} wrote:"


def gmail_web(answer: str, original: Original) -> Bodies:
    line = filled(gmail_line(original), 70)
    return (
        ("text/plain", f"{filled(answer)}\n\n{line}\n\n{filled(marked(original.text))}\n"),
        ("text/html", _gmail_html(answer, original)),
    )


def gmail_html_alone(answer: str, original: Original) -> Bodies:
    return (("text/html", _gmail_html(answer, original)),)


def _gmail_html(answer: str, original: Original) -> str:
    return (
        f'<div dir="ltr">{divs(answer)}</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" '
        f'class="gmail_attr">{gmail_line(original)[: -len(who(original)) - 7]}{linked(original)} wrote:<br></div>'
        f'<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);'
        f'padding-left:1ex">{breaks(original.text)}<br></blockquote></div>\n'
    )


def gmail_mobile(answer: str, original: Original) -> Bodies:
    line = gmail_line(original, "%a, %b %-d, %Y, %H:%M")
    html = (
        f'<div dir="auto">{divs(answer)}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
        f'{escape(line, quote=False)}<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px '
        f'#ccc solid;padding-left:1ex">{breaks(original.text)}</blockquote></div>\n'
    )
    return ("text/plain", f"{filled(answer)}\n\n{filled(line, 70)}\n\n{filled(marked(original.text))}\n"), (
        "text/html",
        html,
    )


def gmail_forward(remark: str, original: Original) -> Bodies:
    block = "\n".join(labels(original, date="Date"))
    html = (
        f'<div dir="ltr">{divs(remark)}<br><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
        f"---------- Forwarded message ---------<br>{breaks(block)}<br></div><br><br>{breaks(original.text)}</div></div>\n"
    )
    return (
        ("text/plain", f"{remark}\n\n---------- Forwarded message ---------\n{block}\n\n\n{original.text}\n"),
        ("text/html", html),
    )


# Outlook.

_WORD = (
    '<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w="urn:schemas-microsoft-com:office:word">\n<head>\n'
    '<meta name="Generator" content="Microsoft Word 15 (filtered medium)">\n<style><!--\n/* Style Definitions */\n'
    "p.MsoNormal, li.MsoNormal, div.MsoNormal\n\t{margin:0cm;\n\tfont-size:11.0pt;}\n--></style><!--[if gte mso 9]><xml>\n"
    '<o:shapedefaults v:ext="edit" spidmax="1026" />\n</xml><![endif]-->\n</head>\n<body lang="EN-GB" link="#0563C1">\n'
    '<div class="WordSection1">\n'
)


def _word(text: str) -> str:
    return "\n".join(
        f'<p class="MsoNormal">{escape(line, quote=False) or "<o:p>&nbsp;</o:p>"}<o:p></o:p></p>'
        for line in text.split("\n")
    )


def outlook_desktop(answer: str, original: Original) -> Bodies:
    block = "<br>\n".join(
        f"<b>{label}:</b> {escape(value, quote=False)}"
        for label, value in (line.split(": ", 1) for line in labels(original))
    )
    return (
        (
            "text/html",
            f'{_WORD}{_word(answer)}\n<p class="MsoNormal"><o:p>&nbsp;</o:p></p>\n<div>\n<div style="border:none;border-top:'
            f'solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">\n<p class="MsoNormal">{block}<o:p></o:p></p>\n</div>\n</div>\n'
            f'<p class="MsoNormal"><o:p>&nbsp;</o:p></p>\n{_word(original.text)}\n</div>\n</body>\n</html>\n',
        ),
    )


def outlook_plain(answer: str, original: Original) -> Bodies:
    block = "\n".join(labels(original))
    return (("text/plain", f"{answer}\n\n-----Original Message-----\n{block}\n\n{original.text}\n"),)


def outlook_without_mark(answer: str, original: Original) -> Bodies:
    block = "\n".join(labels(original))
    return (("text/plain", f"{answer}\n\n{block}\n\n{original.text}\n"), *outlook_desktop(answer, original))


def outlook_ios(answer: str, original: Original) -> Bodies:
    signed = f"{answer}\n\nGet Outlook for iOS<https://aka.ms/o0ukef>"
    block = "<br>\n".join(
        f"<b>{label}:</b> {escape(value, quote=False)}"
        for label, value in (line.split(": ", 1) for line in labels(original))
    )
    html = (
        f'<html><head></head><body><div dir="auto">{divs(answer)}</div><div id="ms-outlook-mobile-signature"><div><br></div>Get '
        f'<a href="https://aka.ms/o0ukef">Outlook for iOS</a></div><hr style="display:inline-block;width:98%" tabindex="-1">'
        f'<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif">{block}</font><div>&nbsp;</div></div>'
        f'<div class="BodyFragment"><font size="2"><div class="PlainText">{breaks(original.text)}</div></font></div>'
        "</body></html>\n"
    )
    ruler = "_" * 32
    plain = f"{signed}\n{ruler}\n" + "\n".join(labels(original)) + f"\n\n{original.text}\n"
    return ("text/plain", plain), ("text/html", html)


def outlook_ios_html_alone(answer: str, original: Original) -> Bodies:
    return outlook_ios(answer, original)[1:]


# Apple.


def apple_line(original: Original) -> str:
    return f"On {original.at:%-d %b %Y}, at {original.at:%H:%M}, {who(original)} wrote:"


def apple_mail(answer: str, original: Original) -> Bodies:
    line = apple_line(original)
    html = (
        '<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body style="overflow-wrap: '
        f'break-word; line-break: after-white-space;">{divs(answer)}<div><br><blockquote type="cite"><div>'
        f'{escape(line, quote=False)}</div><br class="Apple-interchange-newline"><div><div>{breaks(original.text)}</div></div>'
        "</blockquote></div><br></body></html>\n"
    )
    plain = f"{answer}\n\n> {line}\n> \n{marked(original.text)}\n"
    return ("text/plain", plain), ("text/html", html)


def apple_html_alone(answer: str, original: Original) -> Bodies:
    return apple_mail(answer, original)[1:]


def iphone(answer: str, original: Original) -> Bodies:
    quote = f"> {apple_line(original)}\n> \n> \N{ZERO WIDTH NO-BREAK SPACE}\n{marked(original.text)}"
    plain = f"{answer}\n\nSent from my iPhone\n\n{quote}\n"
    html = (
        '<html><head></head><body dir="auto">'
        f'{divs(answer)}<div><br id="lineBreakAtBeginningOfSignature"><div dir="ltr">Sent from my iPhone</div><div dir="ltr"><br>'
        f'<blockquote type="cite">{escape(apple_line(original), quote=False)}<br><br></blockquote></div><blockquote type="cite">'
        f'<div dir="ltr">{breaks(original.text)}</div></blockquote></div></body></html>\n'
    )
    return ("text/plain", plain), ("text/html", html)


def iphone_html_alone(answer: str, original: Original) -> Bodies:
    return iphone(answer, original)[1:]


def apple_forward(remark: str, original: Original) -> Bodies:
    block = labels(original, date="Date")
    from_, date, to, subject = block
    head = marked("\n".join([from_, subject, date, to]))
    return (("text/plain", f"{remark}\n\n\nBegin forwarded message:\n\n{head}\n> \n{marked(original.text)}\n"),)


# Thunderbird, mutt and others on computers.


def thunderbird(answer: str, original: Original) -> Bodies:
    """Flowed, its lines stuffed (RFC 3676 section 4.4)."""
    line = f"On {original.at:%d/%m/%Y %H:%M}, {original.name} wrote:"
    return (("text/plain; format=flowed", f"{answer}\n\n{line}\n{marked(_stuffed(original.text))}\n"),)


def _stuffed(text: str) -> str:
    return "\n".join(f" {line}" if line.startswith(" ") else line for line in text.split("\n"))


def thunderbird_html(answer: str, original: Original) -> Bodies:
    return (
        (
            "text/html",
            '<!DOCTYPE html>\n<html>\n  <head>\n    <meta http-equiv="Content-Type" content="text/html; charset=UTF-8">\n'
            f"  </head>\n  <body>\n    {breaks(answer)}<br>\n    <br>\n    "
            f'<div class="moz-cite-prefix">On {original.at:%d/%m/%Y %H:%M}, {original.name}\n      wrote:<br>\n    </div>\n'
            f'    <blockquote type="cite" cite="mid:{original.message_id[1:-1]}">\n      <pre wrap="" class="moz-quote-pre">'
            f"{escape(original.text, quote=False)}</pre>\n    </blockquote>\n    <br>\n  </body>\n</html>\n",
        ),
    )


def thunderbird_forward(remark: str, original: Original) -> Bodies:
    block = "\n".join(
        f"{label + ':':<10}{value}" for label, value in (line.split(": ", 1) for line in labels(original, date="Date"))
    )
    return (
        (
            "text/plain; format=flowed",
            f"{remark}\n\n\n-------- Forwarded Message --------\n{block}\n\n{_stuffed(original.text)}\n",
        ),
    )


def mutt(answer: str, original: Original) -> Bodies:
    line = f"On {original.at:%a, %b %d, %Y at %I:%M:%S%p +0000}, {original.name} wrote:"
    quote = "\n".join(f"> {line}" for line in original.text.split("\n"))
    return (("text/plain", f"{answer}\n\n{line}\n{quote}\n"),)


def mutt_forward(remark: str, original: Original) -> Bodies:
    block = "\n".join(
        [
            f"Date: {format_datetime(original.at)}",
            f"From: {who(original)}",
            f"To: {original.to}",
            f"Subject: {original.subject}",
        ]
    )
    return (
        (
            "text/plain",
            f"{remark}\n\n----- Forwarded message from {who(original)} -----\n\n{block}\n\n{original.text}\n\n"
            "----- End forwarded message -----\n",
        ),
    )


def notes(answer: str, original: Original) -> Bodies:
    """Lotus Notes: labels on lines of their own, nothing marked."""
    return (
        (
            "text/plain",
            f"{answer}\n\n\n\n\n{who(original)}\n{original.at:%d/%m/%Y %H:%M}\n\n        To\n{original.to}\n        cc\n\n"
            f"        Subject\n{original.subject}\n\n\n\n\n\n\n{original.text}\n",
        ),
    )


def notes_plain(answer: str, original: Original) -> Bodies:
    block = "\n".join(
        f"{label + ':':<8}{value}" for label, value in (line.split(": ", 1) for line in labels(original, date="Date"))
    )
    return (("text/plain", f"{answer}\n\n\n\n{block}\n\n\n\n{original.text}\n"),)


def exchange(answer: str, original: Original) -> Bodies:
    return (("text/plain", f"{answer}\n{'_' * 40}\n" + "\n".join(labels(original)) + f"\n\n{original.text}\n"),)


def exchange_latvian(answer: str, original: Original) -> Bodies:
    """A language whose labels the reader has no table of."""
    at = f"{original.at:%d.%m.%Y %H:%M}"
    block = f"No: {who(original)}\nNosūtīts: {at}\nKam: {original.to}\nTēma: {original.subject}"
    return (("text/plain", f"{answer}\n\n{block}\n\n{original.text}\n"),)


def groupwise(answer: str, original: Original) -> Bodies:
    line = f">>> {who(original)} {original.at:%d/%m/%Y %H:%M} >>>"
    return (("text/plain", f"{answer}\n\n{line}\n{original.text}\n"),)


# Phones and the web.


def k9(answer: str, original: Original) -> Bodies:
    line = f"On {original.at:%-d %B %Y %H:%M:%S} UTC, {who(original)} wrote:"
    signature = "-- \nSent from my Android device with K-9 Mail. Please excuse my brevity."
    quote = "\n".join(f">{line}" for line in original.text.split("\n"))
    return (("text/plain", f"{answer}\n{signature}\n\n{line}\n{quote}\n"),)


def fairemail(answer: str, original: Original) -> Bodies:
    line = f"{original.at:%-d %b %Y %H:%M:%S} {who(original)}:"
    html = (
        f'<html><head></head><body><div>{breaks(answer)}</div><div fairemail="reply"><p>{escape(line, quote=False)}</p>'
        f'<blockquote type="cite" style="border-left:3px solid #ccc; padding-left:3px;margin:0">{breaks(original.text)}'
        "</blockquote></div></body></html>\n"
    )
    return ("text/plain", f"{answer}\n\n{line}\n\n{marked(original.text)}\n"), ("text/html", html)


def proton(answer: str, original: Original) -> Bodies:
    day = {1: "st", 2: "nd", 3: "rd"}.get(original.at.day % 10, "th") if original.at.day not in (11, 12, 13) else "th"
    line = f"On {original.at:%A, %B %-d}{day}, {original.at:%Y} at {original.at:%-I:%M %p}, {who(original)} wrote:"
    signature = "Sent with [Proton Mail](https://proton.me/mail/home) secure email."
    html = (
        f'<div style="font-family: Arial, sans-serif; font-size: 14px;">{divs(answer)}</div><div><br></div><div class='
        '"protonmail_signature_block"><div>Sent with <a href="https://proton.me/mail/home">Proton Mail</a> secure email.</div>'
        f'</div><div><br></div><div class="protonmail_quote">{escape(line, quote=False)}<br><blockquote class='
        f'"protonmail_quote" type="cite">{breaks(original.text)}</blockquote></div>\n'
    )
    return ("text/plain", f"{answer}\n\n{signature}\n\n{line}\n\n{marked(original.text)}\n"), ("text/html", html)


def proton_html_alone(answer: str, original: Original) -> Bodies:
    return proton(answer, original)[1:]


def yahoo(answer: str, original: Original) -> Bodies:
    """Its plain form marks nothing below the attribution."""
    line = f"    On {original.at:%A, %B %-d, %Y at %I:%M:%S %p} GMT, {who(original)} wrote:  "
    return (("text/plain", f" {answer}\n\n{line}\n \n {original.text}\n"),)


CLIENTS = {
    "gmail-web": Client((), gmail_web, gmail_forward),
    "gmail-html": Client((), gmail_html_alone, lambda remark, original: gmail_forward(remark, original)[1:]),
    "gmail-mobile": Client((), gmail_mobile, gmail_forward),
    "outlook-desktop": Client(
        (
            "X-Mailer: Microsoft Outlook 16.0",
            "Thread-Index: AQHZ1234567890123456789012345678",
            "Content-Language: en-gb",
        ),
        outlook_desktop,
        outlook_desktop,
    ),
    "outlook-plain": Client(("X-Mailer: Microsoft Outlook 16.0",), outlook_plain, outlook_plain),
    "outlook-no-references": Client(
        ("X-Mailer: Microsoft Outlook 16.0", "Thread-Index: AQHZ1234567890123456789012345678"),
        outlook_without_mark,
        outlook_without_mark,
        references=False,
    ),
    "outlook-ios": Client(("Thread-Topic: XSS in login",), outlook_ios, outlook_ios),
    "outlook-ios-html": Client(("Thread-Topic: XSS in login",), outlook_ios_html_alone, outlook_ios_html_alone),
    "apple-mail": Client(("X-Mailer: Apple Mail (2.3826.300.87.4.3)",), apple_mail, apple_forward),
    "apple-mail-html": Client(("X-Mailer: Apple Mail (2.3826.300.87.4.3)",), apple_html_alone, apple_forward),
    "iphone": Client(("X-Mailer: iPhone Mail (22H20)",), iphone, apple_forward),
    "iphone-html": Client(("X-Mailer: iPhone Mail (22H20)",), iphone_html_alone, apple_forward),
    "thunderbird": Client(("User-Agent: Mozilla Thunderbird",), thunderbird, thunderbird_forward),
    "thunderbird-html": Client(("User-Agent: Mozilla Thunderbird",), thunderbird_html, thunderbird_forward),
    "mutt": Client(("User-Agent: Mutt/2.2.12 (2023-09-09)",), mutt, mutt_forward),
    "notes": Client(("X-Mailer: Lotus Notes Release 8.5.3",), notes, notes),
    "notes-plain": Client(("X-Mailer: HCL Notes Release 14.0",), notes_plain, notes_plain),
    "exchange-plain": Client(("X-MS-Has-Attach: ",), exchange, exchange),
    "exchange-other-language": Client(("X-MS-Has-Attach: ",), exchange_latvian, outlook_plain),
    "groupwise": Client(("X-Mailer: Novell GroupWise Internet Agent 8.0.2",), groupwise, groupwise),
    "k9": Client(("User-Agent: K-9 Mail for Android",), k9, outlook_plain),
    "fairemail": Client((), fairemail, thunderbird_forward),
    "proton": Client((), proton, gmail_forward),
    "proton-html": Client((), proton_html_alone, gmail_forward),
    "yahoo": Client(("X-Mailer: WebService/1.1.24866 YMailNorrin",), yahoo, gmail_forward),
}
