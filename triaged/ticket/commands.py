"""The table of what members may do to a ticket. Help, the document for the team and the command line come from it; does nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Text(StrEnum):
    """Where the text beside a command goes."""

    NOWHERE = ""  # the command takes none
    RESEARCHER = "researcher"
    TEAM = "team"
    PUBLIC = "public"  # into the draft of what is published


@dataclass(frozen=True, slots=True)
class Verb:
    """One command."""

    name: str
    words: str  # what follows it, as usage shows it: "[PROMISE] DAY REASON"
    about: str
    text: Text = Text.NOWHERE
    wanted: bool = False  # the text must be there
    roles: frozenset[str] = frozenset({"triager", "lead"})
    second: bool = False  # a second member has to confirm it, where the team is of two or more
    private: bool = False  # nobody else hears of it
    secret: bool = False  # its words are for nobody outside
    alone: frozenset[str] = frozenset()  # first words with which no second member is needed

    @property
    def usage(self) -> str:
        return f"{self.name} {self.words}".rstrip()


EVERYBODY = frozenset({"triager", "lead", "observer"})
LEAD = frozenset({"lead"})  # where the team has one; else a triager may


def _looking(name: str, words: str, about: str) -> Verb:
    return Verb(name, words, about, roles=EVERYBODY, private=True)


GROUPS: tuple[tuple[str, tuple[Verb, ...]], ...] = (
    (
        "To the researcher, with the text below the commands",
        (
            Verb("reply", "", "answers the researcher", Text.RESEARCHER, wanted=True),
            Verb("ask", "", "asks the researcher; promises that pause stand still until they write", Text.RESEARCHER, wanted=True),
            Verb("update", "", "tells the researcher how it stands", Text.RESEARCHER, wanted=True),
            Verb("attach", "", "sends the files of this mail to the researcher, with the text", Text.RESEARCHER),
            Verb("acknowledge", "", "sends the acknowledgement, where none went out"),
        ),
    ),
    (
        "What the report is, and what became of it",
        (
            Verb(
                "assess",
                "accepted|declined [REASON] [SEVERITY] [cvss VECTOR] [cwe CWE-79] [fix-by DAY]",
                "tells the researcher our assessment, with the text; reasons: out-of-scope, not-a-vulnerability, not-reproducible",
                Text.RESEARCHER,
            ),
            Verb(
                "duplicate-of",
                "REF|known:NAME",
                "declines it as known from an earlier ticket or our own list, and tells the researcher so",
                Text.RESEARCHER,
            ),
            Verb(
                "reward",
                "AMOUNT [CURRENCY] [quality WORD] REASON|none REASON|paid REFERENCE",
                "decides about the reward, and tells the reporter the amount, or that there is none",
                second=True,
                secret=True,
                alone=frozenset({"paid"}),
            ),
            Verb("affects", "PRODUCT[: VERSIONS]", "what is affected, as in Gateway: before 2.3.1; told with the assessment"),
            Verb("assessing", "", "somebody looks into it"),
            Verb("fixing", "", "work on a fix has begun"),
            Verb("fixed", "[in VERSION]", "a fix is available"),
            Verb("extend", "[PROMISE] DAY REASON", "a later day; the researcher is told the reason"),
            Verb("exploited", "", "it is used in attacks: the fix is due sooner, legal clocks start where the policy says so"),
            Verb("close", "", "closes it; what a letter owes stays owed"),
            Verb("reopen", "", "takes it up again"),
            Verb("report", "", "takes it for a report: all promises run, counted from its receipt"),
            Verb("question", "", "takes it for a question: only the acknowledgement is owed"),
            Verb("other", "", "takes it for something else: only the acknowledgement is owed"),
            Verb("spam", "", "closes it as spam; nothing is owed"),
            Verb("merge", "REF", "joins it to an earlier ticket of the same researcher"),
            Verb("split", "SUBJECT", "opens a second ticket for another problem in the same report"),
            Verb("breach", "RULE", "records that a rule of the policy was broken; nobody is told", secret=True),
        ),
    ),
    (
        "What is published of it",
        (
            Verb("advisory", "TITLE", "keeps the text as the draft of what is to be published", Text.PUBLIC, wanted=True),
            Verb("draft", "", "sends the draft to the researcher for comment, with the text", Text.RESEARCHER),
            Verb("cve", "NUMBER", "the CVE number that was assigned to it"),
            Verb("disclose", "DAY", "the day of publication, as agreed with the researcher", second=True),
            Verb("revise", "TITLE", "other words for what is published", Text.PUBLIC, wanted=True, second=True),
        ),
    ),
    (
        "Promises",
        (
            Verb("wait", "", "we wait on the researcher: promises that pause stand still until they write"),
            Verb("resume", "", "we wait no more"),
            Verb("keep", "PROMISE", "a promise was kept in a way that triaged can't see"),
            Verb("waive", "PROMISE REASON", "a promise need not be kept; nobody outside is told", roles=LEAD, secret=True),
        ),
    ),
    (
        "People",
        (
            Verb("assign", "NAME|me|nobody", "whose ticket it is"),
            Verb("add", "ADDRESS", "lets a person take part as the researcher does, from now on"),
            Verb("remove", "ADDRESS", "a participant takes part no more"),
            Verb(
                "credit",
                "[ask [hall|advisory] | share with NAME | none | accept]",
                "how they are to be named; asks them by letter; names nobody; lets a name of another house stand",
            ),
            Verb("note", "", "a note for the team; it never leaves it", Text.TEAM, wanted=True, roles=EVERYBODY),
        ),
    ),
    (
        "Letters that have not gone yet, and what waits for a second member",
        (
            Verb("cancel", "", "drops the letters that wait, and proposals"),
            Verb("hold", "", "keeps the letters that wait back"),
            Verb("send", "", "lets held letters go, whatever they were held for"),
            Verb("confirm", "[COMMAND]", "lets another member's proposal take effect; says which, where several wait"),
        ),
    ),
    (
        "To look at it",
        (
            _looking("show", "", "how the ticket stands"),
            _looking("attachments", "[N]", "mails you the files, or file N, in an archive with a password"),
            _looking("password", "", "mails you the password of your archives"),
            _looking("help", "", "this list"),
        ),
    ),
)  # fmt: skip

VERBS: Mapping[str, Verb] = MappingProxyType({verb.name: verb for _, verbs in GROUPS for verb in verbs})

HOW = (
    "Commands are lines that begin with / at the top of your mail; a / line further down\n"
    "is text. Text follows below them. All commands of a mail are done, or none.\n"
    "A DAY is 2026-12-24, 24 December, tomorrow, friday or in 2 weeks; SEVERITY is\n"
    "none, low, medium, high, critical, or a word of your policy's scale.\n"
    "On the command line: triaged ticket VERB REF [words] [--text FILE] [--as MEMBER]."
)


def help_text() -> str:
    """All commands, as /help mails them, `triaged ticket --help` prints them and the document for the team has them."""
    return "\n".join((HOW, *(line for title, verbs in GROUPS for line in _group(title, verbs))))


def _group(title: str, verbs: Iterable[Verb]) -> Iterable[str]:
    yield from ("", f"{title}:")
    for verb in verbs:
        yield f"  /{verb.usage}"
        yield f"      {verb.about}{_more(verb)}"


def _more(verb: Verb) -> str:
    said = []
    if verb.second:
        said.append("a second member confirms it")
    if verb.roles is LEAD:
        said.append("a lead's word, where the team has one")
    return f" ({'; '.join(said)})" if said else ""
