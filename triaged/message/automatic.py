"""Who or what wrote the message, and whether an automatic letter may answer it: a table of small rules (RFC 3834, AR-1
to AR-8).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from triaged.message.fields import Header
from triaged.message.model import Address, Kind, Reason
from triaged.message.structure import Part

_COMMENT = re.compile(r"\([^()]*\)")
_AUTOMATION = re.compile(
    r"mailer-daemon|postmaster|listserv|majordomo|mdaemon|mail-?daemon|owner-.+|.+-(?:owner|request|bounces?)"
    r"|bounces?|bounces?[+=.-].+"
    r"|(?:do[._-]?)?not?[._-]?reply(?:[+._-].*)?|no-?responder|nepasrepondre|ne-pas-repondre",
    re.I,
)
_OUT_OF_OFFICE = re.compile(
    r"(?:\[[^\]]{1,40}\]\s*|\[)?(?:auto: |(?!.{0,60}\bre:).{0,60}\bis (?:currently )?(?:out of the office"
    r"|on vacation|on leave)|automatic reply|auto(?:matic)?[- ]?(?:reply|response|responder)|autoreply"
    r"|out of (?:the )?office|ooo:|on vacation|away from (?:my |the )?(?:mail|office|desk)"
    r"|automatische (?:antwort|abwesenheit)|abwesenheits?(?:notiz|assistent|agent|meldung)?\b"
    r"|r[eé]ponse automatique|absence du bureau|respuesta autom[aá]tica|risposta automatica"
    r"|fuori sede|automatisch antwoord|afwezig|resposta autom[aá]tica|autosvar|automatisk svar"
    r"|automaattinen vastaus|autom[aá]tica|odpowied[zź] automatyczna|automatyczna odpowied|autoodpowied[zź]"
    r"|автоответ|自動応答|自动回复|자동 회신|תשובה אוטומטית)",
    re.I,
)
_LIST_FIELDS = ("list-id", "list-post", "mailing-list", "x-mailing-list", "list-archive", "list-owner")
_BULK_FIELDS = ("list-unsubscribe", "list-unsubscribe-post", "list-help", "list-subscribe", "feedback-id")
_REPORTS = {
    "delivery-status": Kind.BOUNCE,
    "disposition-notification": Kind.MDN,
    "feedback-report": Kind.FEEDBACK,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at."""

    header: Header
    names: frozenset[str]
    root: Part
    return_path: str | None
    author: Address | None
    subject: str
    malformed: str  # the field that must stand once and whole, and doesn't; "" for none
    received_fields: int  # more Received fields than these are a loop (RFC 5321 section 6.3, AR-11)


def keyword(value: str) -> str:
    """The keyword of Auto-Submitted or Precedence, lower-case, without comments and parameters (RFC 3834 section 5.2)."""
    text = value[:998]
    for _ in range(5):  # nested comments, innermost first
        text = _COMMENT.sub(" ", text)
    return text.partition(";")[0].strip().lower()


def _auto_submitted(facts: Facts) -> str:
    found = facts.header.all("auto-submitted")
    return "auto-submitted" if any(keyword(value) != "no" for value in found) else ""


def _auto_replied(facts: Facts) -> str:
    found = [keyword(value) for value in facts.header.all("auto-submitted")]
    return "auto-submitted" if any(word.startswith(("auto-replied", "auto-reply")) for word in found) else ""


def _null_return_path(facts: Facts) -> str:
    return "return-path" if facts.return_path == "" else ""


def _automation_address(facts: Facts) -> str:
    for name, address in (
        ("from", facts.author.address if facts.author else ""),
        ("return-path", facts.return_path or ""),
    ):
        local = address.rpartition("@")[0]
        if local and _AUTOMATION.fullmatch(local) and (name == "from" or not local.lower().startswith("bounce")):
            return name
    return ""


def _one_of(*names: str) -> Callable[[Facts], str]:
    return lambda facts: next((name for name in names if name in facts.names), "")


def _precedence(*words: str) -> Callable[[Facts], str]:
    def rule(facts: Facts) -> str:
        for name in ("precedence", "x-precedence"):
            if name in facts.names and any(
                keyword(value).replace("-", "_") in words for value in facts.header.all(name)
            ):
                return name
        return ""

    return rule


def _response_suppressed(facts: Facts) -> str:
    """[MS-OXCMAIL] 2.1.3.2.20: only these values speak of automatic replies; it doesn't make the message automatic
    (AR-7).
    """
    values = ",".join(facts.header.all("x-auto-response-suppress")).lower().split(",")
    return "x-auto-response-suppress" if {"all", "autoreply", "oof"} & {value.strip() for value in values} else ""


def _calendar_reply(facts: Facts) -> str:
    parts = [facts.root, *facts.root.children]
    return (
        "content-type"
        if any(
            part.media_type == "text/calendar" and part.parameters.get("method", "").lower() == "reply"
            for part in parts
        )
        else ""
    )


def _report(facts: Facts) -> str:
    return (
        "content-type"
        if facts.root.media_type in ("multipart/report", "message/delivery-status", "message/disposition-notification")
        else ""
    )


def report_kind(root: Part) -> Kind | None:
    """The kind of a report by its type, else by the parts right below it (RFC 6522, 3464, 8098, 5965)."""
    kinds = (
        [_REPORTS.get(root.parameters.get("report-type", "").lower())] if root.media_type == "multipart/report" else []
    )
    if root.media_type.startswith("message/"):
        kinds.append(_REPORTS.get(root.media_type.removeprefix("message/").removeprefix("global-")))
    if root.media_type in ("multipart/report", "multipart/mixed"):
        kinds.extend(
            _REPORTS.get(child.media_type.removeprefix("message/").removeprefix("global-")) for child in root.children
        )
    if root.media_type == "multipart/mixed" and all(
        child.media_type in ("multipart/report", "text/plain") for child in root.children
    ):  # a list's software put its own text around the report
        kinds.extend(report_kind(child) for child in root.children if child.media_type == "multipart/report")
    return next((kind for kind in kinds if kind is not None), None)


def _is_report(kind: Kind) -> Callable[[Facts], str]:
    return lambda facts: "content-type" if report_kind(facts.root) is kind else ""


def _spam(facts: Facts) -> str:
    return "x-spam-flag" if is_spam(facts.header) else ""


def is_spam(header: Header) -> bool:
    """The mail server's own verdict: X-Spam-Flag, or X-Spam-Status that begins with yes."""
    return any(
        value.strip().lower().startswith("yes")
        for name in ("x-spam-flag", "x-spam-status")
        for value in header.all(name)[:1]
    )


def _too_many_received(facts: Facts) -> str:
    return "received" if len(facts.header.all("received")) > facts.received_fields else ""


def _out_of_office_subject(facts: Facts) -> str:
    return "subject" if _OUT_OF_OFFICE.match(facts.subject) else ""


def _autoreply_value(facts: Facts) -> str:
    return (
        "x-autoreply"
        if any(keyword(value) not in ("no", "none", "false") for value in facts.header.all("x-autoreply"))
        else ""
    )


# (word, what it makes of the message or None, rule); the rule gives the field that made it hit. Every hit forbids an
# automatic letter.
Rule = tuple[str, Kind | None, Callable[[Facts], str]]
RULES: tuple[Rule, ...] = (
    ("malformed", None, lambda facts: facts.malformed),  # ML-1, AT-9, AT-10
    ("delivery-report", Kind.BOUNCE, _is_report(Kind.BOUNCE)),  # AR-8, NT-1
    ("disposition-notification", Kind.MDN, _is_report(Kind.MDN)),  # NT-3
    ("feedback-report", Kind.FEEDBACK, _is_report(Kind.FEEDBACK)),  # NT-4
    ("report", None, _report),  # multipart/report of any type
    ("failed-recipients", Kind.BOUNCE, _one_of("x-failed-recipients")),
    ("auto-replied", Kind.AUTO_REPLY, _auto_replied),  # AR-1
    ("auto-submitted", None, _auto_submitted),  # some ticket systems mark what people wrote so: no kind follows from it
    ("autoreply-field", Kind.AUTO_REPLY, _autoreply_value),
    (
        "autoresponder-field",
        Kind.AUTO_REPLY,
        _one_of("x-autorespond", "x-autoresponder", "x-mail-autoreply", "x-autogenerated-reply", "x-autoreply-from"),
    ),
    ("auto-reply-precedence", Kind.AUTO_REPLY, _precedence("auto_reply")),
    ("out-of-office-subject", Kind.AUTO_REPLY, _out_of_office_subject),
    ("null-return-path", None, _null_return_path),  # AR-2
    ("automation-address", None, _automation_address),  # AR-4
    ("list", Kind.LIST, _one_of(*_LIST_FIELDS)),  # AR-5
    ("list-precedence", Kind.LIST, _precedence("list")),  # AR-6
    ("bulk", Kind.BULK, _one_of(*_BULK_FIELDS)),
    ("bulk-precedence", Kind.BULK, _precedence("bulk", "junk")),
    ("auto-response-suppress", None, _response_suppressed),  # AR-7
    ("calendar-reply", None, _calendar_reply),
    ("loop", None, _one_of("x-loop", "x-triaged-loop")),
    ("spam", None, _spam),
    ("received-count", None, _too_many_received),  # AR-11
)


def judge(facts: Facts) -> tuple[tuple[Reason, ...], Kind, tuple[Reason, ...]]:
    """Why no automatic letter may go out (empty: it may), the kind, and what made it that kind."""
    hits = [(Reason(word, header), kind) for word, kind, rule in RULES if (header := rule(facts))]
    kind = next((kind for _, kind in hits if kind is not None), Kind.PERSON)
    return tuple(reason for reason, _ in hits), kind, tuple(reason for reason, found in hits if found is kind)
