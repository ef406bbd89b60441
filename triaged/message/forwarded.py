"""Forwarded mail -> who wrote the original, when and under what subject. It reads inline forwards and attached ones."""

from __future__ import annotations

import re

from triaged.message.clean import clean_header
from triaged.message.fields import start_of_header
from triaged.message.model import Forwarded, Limits
from triaged.message.structure import Part, read_structure
from triaged.message.transfer import decode_transfer
from triaged.message.words import decode_words

MARK = re.compile(
    r"[ \t>]*(?:-{2,}\s*(?:forwarded (?:message|by)|original message|weitergeleitete nachricht"
    r"|urspr[uü]ngliche nachricht|oprindelig (?:besked|meddelelse)|opprinnelig melding|ursprungligt meddelande"
    r"|alkuper[aä]inen viesti|wiadomo[sś][cć] oryginalna|исходное сообщение|message (?:transf[eé]r[eé]|d'origine"
    r"|original)"
    r"|mensaje (?:reenviado|original)|messaggio (?:inoltrato|originale)|doorgestuurd bericht"
    r"|oorspronkelijk bericht|mensagem (?:encaminhada|original)|videresendt (?:meddelelse|melding)"
    r"|vidarebefordrat meddelande|wiadomo[sś][cć] przekazana|пересланное сообщение|пересылаемое сообщение|転送|转发"
    r"|전달|p[uů]vodn[ií] zpr[aá]va|p[rř]eposlan[aá] zpr[aá]va|eredeti üzenet|továbbított üzenet|orijinal (?:ileti|mesaj)"
    r"|iletilen (?:ileti|mesaj)|переслане повідомлення|оригінальне повідомлення|αρχικό μήνυμα|προωθημένο μήνυμα"
    r"|mesaj (?:redirec[tț]ionat|original)|元のメッセージ|原始邮件|原始郵件|轉寄|원본 메[시일]|הודעה (?:מועברת|מקורית)"
    r"|الرسالة الأصلية|رسالة معاد توجيهها)[^\n]{0,80}"
    r"|begin forwarded message\s*:?|anfang der weitergeleiteten (?:nachricht|e-?mail)\s*:?"
    r"|d[eé]but du message (?:r[eé]exp[eé]di[eé]|transf[eé]r[eé])\s*:?|inicio del mensaje reenviado\s*:?"
    r"|inizio messaggio inoltrato\s*:?|begin doorgestuurd bericht\s*:?|in[ií]cio da mensagem (?:encaminhada"
    r"|reenviada)\s*:?)[ \t]*$",
    re.I,
)
_MESSAGES = frozenset({"message/rfc822", "message/global"})
_HEADER_LINES = 14
_CHAIN = 5  # attached forwards within each other that are followed
_CHAIN_BYTES = 4_194_304  # of a larger one only the header is read
_SUBJECT = re.compile(r"(?:fwd?|wg|tr|rv|i|enc|vs|vb|pd|doorst)\s*:", re.I)
_LABELS = {
    "from": (
        "from",
        "von",
        "de",
        "da",
        "van",
        "fra",
        "från",
        "od",
        "от",
        "expéditeur",
        "lähettäjä",
        "差出人",
        "发件人",
        "보낸사람",
        "보낸 사람",
        "מאת",
        "feladó",
        "kimden",
        "від",
        "από",
        "expeditor",
        "de la",
        "odesílatel",
        "من",
    ),
    "date": (
        "date",
        "sent",
        "datum",
        "gesendet",
        "envoyé",
        "envoyé le",
        "fecha",
        "enviado",
        "enviado el",
        "data",
        "inviato",
        "verzonden",
        "dato",
        "sendt",
        "skickat",
        "wysłano",
        "дата",
        "отправлено",
        "日付",
        "送信日時",
        "发送时间",
        "日期",
        "날짜",
        "תאריך",
        "enviada em",
        "lähetetty",
        "odesláno",
        "elküldve",
        "dátum",
        "gönderildi",
        "gönderilen",
        "tarih",
        "надіслано",
        "εστάλη",
        "στάλθηκε",
        "ημερομηνία",
        "trimis",
        "寄件日期",
        "보낸 날짜",
        "נשלח",
        "تاريخ",
        "التاريخ",
    ),
    "subject": (
        "subject",
        "betreff",
        "objet",
        "asunto",
        "oggetto",
        "onderwerp",
        "assunto",
        "emne",
        "ämne",
        "temat",
        "тема",
        "aihe",
        "件名",
        "主题",
        "제목",
        "נושא",
        "předmět",
        "predmet",
        "tárgy",
        "konu",
        "θέμα",
        "subiect",
        "主旨",
        "주제",
        "الموضوع",
    ),
    "to": (
        "to",
        "an",
        "à",
        "para",
        "a",
        "aan",
        "til",
        "till",
        "do",
        "кому",
        "宛先",
        "收件人",
        "받는사람",
        "אל",
        "cc",
        "reply-to",
        "komu",
        "címzett",
        "kime",
        "προς",
        "către",
        "vastaanottaja",
        "收件者",
        "받는 사람",
        "إلى",
    ),
}
LABEL_OF = {word: label for label, words in _LABELS.items() for word in words}
_LINE = re.compile(r"[ \t>*]*([^\W\d_][\w \-]{0,20}?)[ \t*]*[:\uff1a][ \t*]*(.*)")


def header_line(line: str) -> tuple[str, str] | None:
    """("from" | "date" | "subject" | "to", value) of a line such as "Von: Noa <noa@example.org>"; None where it is
    another line.
    """
    match = _LINE.match(line[:1000])
    label = LABEL_OF.get(match[1].strip().lower()) if match else None
    return (label, match[2].strip().strip("*").strip()) if match and label else None


def read_forwarded(raw: bytes, parts: list[Part], subject: str, text: str, limits: Limits) -> Forwarded | None:
    """The original of a forward; None where nothing was forwarded. An inline one needs its mark, or a subject that
    says so.
    """
    attached = next((part for part in parts[1:] if part.media_type in _MESSAGES), None)
    if attached is not None and attached.parent is not None and attached.parent.media_type != "multipart/report":
        return _attached(raw, attached, limits)
    return _inline(text.split("\n", limits.text_lines)[: limits.text_lines], bool(_SUBJECT.match(subject)))


def _attached(raw: bytes, part: Part, limits: Limits) -> Forwarded:
    """The attached message, or the one within it where its subject says that it was a forward itself."""
    for _ in range(_CHAIN):
        end = part.end if part.end - part.start < _CHAIN_BYTES else part.start + limits.header_block_bytes
        data, _ = decode_transfer(raw[part.start : end], part.encoding)
        root, parts, _ = read_structure(data, start_of_header(data), limits)
        header = root.header
        sender, date, subject = (clean_header(decode_words(header.first(name))) for name in ("from", "date", "subject"))
        inner = next((item for item in parts[1:] if item.media_type in _MESSAGES), None)
        if inner is None or not _SUBJECT.match(subject):
            break
        raw, part = data, inner
    return Forwarded(sender, date, subject, "attached")


def _inline(lines: list[str], announced: bool) -> Forwarded | None:
    """The innermost of forwards whose subjects say that they were forwards themselves."""
    last: Forwarded | None = None
    for index, line in enumerate(lines):
        marked = len(line) < 200 and MARK.match(line) is not None
        original = marked and "original" in line.lower()
        if (marked and not original) or (announced and (original or header_line(line))):
            start = index + (1 if marked else 0)
            found = _fields(lines[start : start + _HEADER_LINES])
            if "from" in found and (marked or len(found) >= 3):
                sender, date, subject = (clean_header(found.get(name, "")) for name in ("from", "date", "subject"))
                last, announced = Forwarded(sender, date, subject, "inline", index), False
                if not _SUBJECT.match(subject):
                    return last
    return last


def says_forwarded(subject: str) -> bool:
    """Whether a subject says that the mail was forwarded."""
    return _SUBJECT.match(subject) is not None


def below_header(lines: list[str], line: int) -> int:
    """Where the words begin below the mark and the header lines that stand at `line`."""
    start = line + (MARK.match(lines[line]) is not None)
    last, seen = start, False
    for index in range(start, min(start + _HEADER_LINES, len(lines))):
        if header_line(lines[index]) is not None:
            last, seen = index + 1, True
        elif seen and not lines[index].strip(" >\t"):
            return index
    return last


def _fields(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        read = header_line(line)
        if read is not None:
            found.setdefault(*read)
        elif found and not line.strip(" >\t"):
            break
    return found
