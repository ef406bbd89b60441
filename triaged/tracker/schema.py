"""The tables. Shapes only: no statement is written here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant on every database. SQLite keeps no zone: it is taken off going in and put back coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive instant was given to the tracker")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows by itself only in an INTEGER primary key.
Key = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[Any]:
    return Column("id", Key, primary_key=True, autoincrement=True)


def _to(target: str, *, nullable: bool = False, index: bool = False) -> Column[Any]:
    name = target.partition(".")[0] + "_id"
    return Column(name, Key, ForeignKey(target), nullable=nullable, index=index)


# Bytes, kept once by hash: raw messages and letters. An attachment is a slice of one.
blob = Table(
    "blob",
    metadata,
    _id(),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

# How far a folder has been taken in.
cursor = Table(
    "cursor",
    metadata,
    Column("mailbox", String(128), primary_key=True),
    Column("folder", String(255), primary_key=True),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("last_uid", BigInteger, nullable=False),
    Column("history_before", Instant, nullable=False),  # of the folder's first sweep ever
    Column("swept_at", Instant),
    Column("server_count", BigInteger),  # messages in the folder when it was last swept
)

# The policy texts that tickets came in under.
policy_text = Table(
    "policy_text",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("version", String(64), nullable=False),
    Column("organisation", Text, nullable=False),
    Column("source", Text, nullable=False),  # the policy file
    Column("published", Text),  # the text that it stands behind
    Column("seen_at", Instant, nullable=False),
    UniqueConstraint("name", "version"),  # one version with two texts refuses to start
)

ticket = Table(
    "ticket",
    metadata,
    _id(),
    Column("token", String(8), nullable=False, unique=True),
    Column("ref", String(20), nullable=False, unique=True),
    Column("tenant", String(128), nullable=False),
    Column("mailbox", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("since", Instant, nullable=False),  # when it came into that state
    Column("waiting", Boolean, nullable=False, default=False),
    Column("subject", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("policy_sha256", String(64), ForeignKey("policy_text.sha256"), nullable=False),
    Column("assigned", String(320), nullable=False, default=""),  # whose it is: a member's address, lower-case
    Column("severity", String(16), nullable=False, default=""),  # none | low | medium | high | critical, as assessed
    Column("cvss", Text, nullable=False, default=""),  # the vector
    Column("decision", String(32), nullable=False, default=""),  # why it was declined
    Column("forwarded_by", String(320), nullable=False, default=""),  # the member who sent a report on to us
    Column("cwe", String(16), nullable=False, default=""),  # CWE-79
    Column("product", Text, nullable=False, default=""),  # what is affected, as the team names it
    Column("affected", Text, nullable=False, default=""),  # its versions
    Column("fixed_in", Text, nullable=False, default=""),
    Column("agreed_for", Instant),  # the end of the day of publication that two members agreed on
    Column("merged_into", Key, ForeignKey("ticket.id", name="fk_ticket_merged_into"), nullable=True),
    Column("unannounced", Boolean, nullable=False, default=False),  # over a cap or in Junk: waits for the digest
    Column(
        "forgotten_at", Instant
    ),  # everything of it was erased: only its reference, its dates and its chain are left
    Column("event_count", Integer, nullable=False, default=0),
    Column("head", LargeBinary(32), nullable=False),  # hash of the last event
    Index(None, "tenant", "received_at"),
    Index(None, "unannounced", "opened_at"),
)

person = Table(
    "person",
    metadata,
    _id(),
    Column("tenant", String(128), nullable=False),
    Column("address", String(320), nullable=False),  # lower-case: how it is compared
    Column("written", String(320), nullable=False),  # as the person writes it: how it is mailed (RFC 5321 section 2.4)
    Column("name", Text, nullable=False),
    Column("proven_at", Instant),  # when the address last proved itself
    UniqueConstraint("tenant", "address"),
)

participant = Table(
    "participant",
    metadata,
    Column("ticket_id", Key, ForeignKey("ticket.id"), primary_key=True),
    Column("person_id", Key, ForeignKey("person.id"), primary_key=True, index=True),
    Column("role", String(16), nullable=False),  # reporter | participant
    Column("proven", Boolean, nullable=False),
    Column("since", Instant, nullable=False),
    Column("credit", Text, nullable=False, default=""),  # the name that they asked to be named by
    Column("credit_pending", Boolean, nullable=False, default=False),  # that name waits for a member's word
    Column("anonymous", Boolean, nullable=False, default=False),  # wins over `credit`
)

# One message as it arrived. Written before anything reads it, exactly once (law 1).
receipt = Table(
    "receipt",
    metadata,
    _id(),
    Column("tenant", String(128), nullable=False),
    Column("mailbox", String(128), nullable=False),
    Column("folder", String(255), nullable=False),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("internal_date", Instant, nullable=False),  # as the server has it
    Column("received_at", Instant),  # what the clocks count from; known once it is read
    Column("taken_at", Instant, nullable=False),
    Column("size", BigInteger, nullable=False),  # as announced
    Column("blob_id", Key, ForeignKey("blob.id")),  # none for history
    Column("truncated", Boolean, nullable=False, default=False),
    Column("junk", Boolean, nullable=False, default=False),
    Column("sent", Boolean, nullable=False, default=False),  # found in the mailbox's own sent folder, when it was swept
    Column("outcome", String(16), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("starts_clocks", Boolean, nullable=False, default=True),  # false for what was imported quietly
    Column("sends_letters", Boolean, nullable=False, default=True),
    Column("attempts", Integer, nullable=False, default=0),  # readings begun, counted before they begin
    Column("claimed_by", String(128)),
    Column("claimed_until", Instant),
    _to("ticket.id", nullable=True, index=True),
    UniqueConstraint("mailbox", "folder", "uidvalidity", "uid"),
    Index("ix_receipt_waiting", "outcome", "id"),
)

# Contents taken in, without their trace fields: the first receipt of each. A second one is a copy.
content = Table(
    "content",
    metadata,
    Column("tenant", String(128), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    _to("receipt.id"),
)

# One message of a ticket's two conversations, of either direction. Message-ID -> ticket, audience, where replies go.
message = Table(
    "message",
    metadata,
    _id(),
    _to("ticket.id", nullable=True),
    _to("receipt.id", nullable=True, index=True),
    Column("tenant", String(128), nullable=False),
    Column("direction", String(3), nullable=False),  # in | out
    Column("audience", String(16), nullable=False),  # researcher | team
    Column("answers", String(1), nullable=False),  # r | t | b
    Column("message_id", Text, nullable=False),
    Column("counterpart", String(320), nullable=False),  # whom it came from or went to, lower-case
    Column("counterpart_name", Text, nullable=False, default=""),
    Column("addressed", JSON, nullable=False),  # [{"name", "address"}]: To
    Column("subject", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("proven", Boolean, nullable=False),
    Column("at", Instant, nullable=False),
    Column("text", Text, nullable=False),
    Column("new_text", Text, nullable=False),
    Column("text_hash", String(64)),
    Column("defects", JSON, nullable=False),
    Index(None, "tenant", "message_id"),
    Index(None, "ticket_id", "at"),
    Index(None, "tenant", "counterpart", "text_hash"),
    Index(None, "text_hash"),
)

attachment = Table(
    "attachment",
    metadata,
    _id(),
    _to("message.id", index=True),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", String(255), nullable=False),
    Column("detected_type", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("inline", Boolean, nullable=False),
    Column("offset", BigInteger, nullable=False),  # of the encoded body in the receipt's blob
    Column("length", BigInteger, nullable=False),
    Column("encoding", String(32), nullable=False),
)

# What a message says, and where in its text: systems, identifiers, dates, people.
fact = Table(
    "fact",
    metadata,
    _id(),
    _to("ticket.id", index=True),
    _to("message.id", index=True),
    Column("kind", String(32), nullable=False),
    Column("value", Text, nullable=False),
    Column("first", Integer, nullable=False),  # offsets into the message's text
    Column("last", Integer, nullable=False),
)

# What of the policy's list a report leaves out: asked for once, ticked off by a message that brings it.
gap = Table(
    "gap",
    metadata,
    Column("ticket_id", Key, ForeignKey("ticket.id"), primary_key=True),
    Column("item", String(32), primary_key=True),
    Column("asked_at", Instant),
    Column("brought_at", Instant),
)

# The second step of each new ticket: what waits for it, and what it came to.
study = Table(
    "study",
    metadata,
    Column("ticket_id", Key, ForeignKey("ticket.id"), primary_key=True),
    _to("message.id"),  # the report
    Column("tenant", String(128), nullable=False),
    Column("mailbox", String(128), nullable=False),
    Column("announcement", JSON),  # the mail to the team, without the text; none where a digest tells of the ticket
    Column("whole", Boolean, nullable=False, default=False),  # a forwarded report: its quoted text counts as well
    Column("noise", Float, nullable=False),
    Column("noise_reasons", JSON, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),  # counted before they begin
    Column("claimed_by", String(128)),
    Column("claimed_until", Instant),
    Column("studied_at", Instant),
    Index("ix_study_waiting", "studied_at", "ticket_id"),
)

# What a ticket may repeat: other tickets and known issues, as its study found them.
likely = Table(
    "likely",
    metadata,
    Column("ticket_id", Key, ForeignKey("ticket.id"), primary_key=True),
    Column("name", String(128), primary_key=True),  # a reference, or known:NAME
    Column("score", Float, nullable=False),
    Column("why", JSON, nullable=False),
)

# What the team knows without a report. New reports are compared with it.
known_issue = Table(
    "known_issue",
    metadata,
    _id(),
    Column("tenant", String(128), nullable=False),
    Column("name", String(120), nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("known_at", Instant, nullable=False),
    # A commitment to title and text: the seal stands in the journal, the salt here until it is opened.
    Column("salt", LargeBinary(32)),
    Column("seal", LargeBinary(32)),
    Column("sealed_at", Instant),
    Column("opened_at", Instant),
    UniqueConstraint("tenant", "name"),
)

# What a member proposed and a second member has to confirm.
proposal = Table(
    "proposal",
    metadata,
    _id(),
    _to("ticket.id", index=True),
    Column("verb", String(32), nullable=False),
    Column("words", Text, nullable=False),  # as after the verb
    Column("text", Text, nullable=False),  # beside the command
    Column("by", String(320), nullable=False),  # address of the member, or "operator"
    Column("at", Instant, nullable=False),
    Column("settled_at", Instant),  # confirmed, cancelled or overtaken
)

# What a researcher asked for by one line, and has to confirm from the address on the ticket.
request = Table(
    "request",
    metadata,
    _id(),
    _to("ticket.id", index=True),
    Column("address", String(320), nullable=False),  # lower-case: whom the code was mailed to
    Column("kind", String(16), nullable=False),  # credit | withdraw
    Column("value", Text, nullable=False),
    Column("code", String(16), nullable=False),
    Column("at", Instant, nullable=False),
    Column("settled_at", Instant),
)

# Members whose mail server says that they are away, until they write again.
absence = Table(
    "absence",
    metadata,
    Column("tenant", String(128), primary_key=True),
    Column("address", String(320), primary_key=True),  # lower-case
    Column("since", Instant, nullable=False),
)

# Append-only, chained by hash per ticket. `body` and `salt` may be taken out; `seal` and `hash` stay.
event = Table(
    "event",
    metadata,
    Column("ticket_id", Key, ForeignKey("ticket.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),  # from 1
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("body", Text),  # canonical JSON of actor and data
    Column("salt", LargeBinary(16)),
    Column("seal", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)

# What happens to a tenant rather than to one ticket, chained in the same way: sealed issues, publications, erasures.
journal = Table(
    "journal",
    metadata,
    Column("tenant", String(128), primary_key=True),
    Column("seq", Integer, primary_key=True),  # from 1
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("body", Text),  # canonical JSON of actor and data
    Column("salt", LargeBinary(16)),
    Column("seal", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)

# Where each journal ends. Its row is what writers wait at, and an entry cut off the end shows by it.
journal_head = Table(
    "journal_head",
    metadata,
    Column("tenant", String(128), primary_key=True),
    Column("entries", Integer, nullable=False),
    Column("head", LargeBinary(32), nullable=False),  # hash of the last entry
)

# What a person lets us do with their name or report, each word of theirs a row: the last one counts. Append-only.
consent = Table(
    "consent",
    metadata,
    _id(),
    _to("ticket.id", index=True),
    _to("person.id", index=True),
    Column("purpose", String(16), nullable=False),  # hall | advisory | share
    Column("third_party", Text, nullable=False, default=""),  # with whom, of share
    Column("state", String(16), nullable=False),  # asked | given | refused | withdrawn
    Column("code", String(16), nullable=False, default=""),  # of the letter that asked
    Column("proven", Boolean, nullable=False, default=False),
    Column("at", Instant, nullable=False),
)

# Decisions about money, each a row: the last one counts. Append-only; nothing is paid from here.
reward = Table(
    "reward",
    metadata,
    _id(),
    _to("ticket.id", index=True),
    Column("tenant", String(128), nullable=False),
    Column("state", String(16), nullable=False),  # approved | declined | paid
    Column("amount", BigInteger),  # whole units of the currency
    Column("currency", String(3), nullable=False, default=""),
    Column("severity", String(16), nullable=False, default=""),
    Column("quality", String(32), nullable=False, default=""),
    Column("why", Text, nullable=False),
    Column("by", String(320), nullable=False),  # address of the member, or "operator"
    Column("second", String(320), nullable=False, default=""),  # who confirmed it
    Column("reference", Text, nullable=False, default=""),  # of the payment
    Column("at", Instant, nullable=False),
)

# What is to be published of a ticket, in the team's words.
advisory = Table(
    "advisory",
    metadata,
    _id(),
    _to("ticket.id"),
    Column("tenant", String(128), nullable=False),
    Column("name", String(64), nullable=False),  # IMS-2026-0001; of a draft the ticket's reference
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("cve", String(32), nullable=False, default=""),
    Column("written_at", Instant, nullable=False),  # title and text as they stand
    Column("published_at", Instant),
    Column("revisions", JSON, nullable=False, default=list),  # instants of the changes after it, RFC 3339
    UniqueConstraint("ticket_id"),
    UniqueConstraint("tenant", "name"),
)

# An erasure that was asked for. Once it is done, the row says how much went, and no longer of whom.
erasure = Table(
    "erasure",
    metadata,
    _id(),
    Column("tenant", String(128), nullable=False),
    Column("subject", Text, nullable=False),  # an address or a reference; "" once done
    Column("by", String(320), nullable=False),
    Column("at", Instant, nullable=False),
    Column("second", String(320), nullable=False, default=""),
    Column("done_at", Instant),
    Column("counts", JSON, nullable=False),  # table -> rows
)

# Keyed hashes of what was forgotten, so that the next sweep of the mailbox does not bring it back.
tombstone = Table(
    "tombstone",
    metadata,
    Column("tenant", String(128), primary_key=True),
    Column("kind", String(16), primary_key=True),  # content | message_id | address
    Column("mark", String(64), primary_key=True),  # HMAC-SHA256, hexadecimal
    Column("at", Instant, nullable=False),
)

# Hourly: a hash over every ticket's head, so that a ticket can't vanish either.
chain_root = Table(
    "chain_root",
    metadata,
    _id(),
    Column("at", Instant, nullable=False),
    Column("tickets", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
)

# One promise of one ticket in one round. What is to be done next, and when, is `wake_at`.
clock = Table(
    "clock",
    metadata,
    _id(),
    _to("ticket.id"),
    Column("mailbox", String(128), nullable=False),  # the ticket's: what is due is looked up by it
    Column("promise", String(64), nullable=False),
    Column("round", Integer, nullable=False, default=1),  # of a repeated promise
    Column("clause", Text, nullable=False),
    Column("every", String(64)),
    Column("period", String(64), nullable=False, default=""),  # how it is counted
    Column("started_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("warned_at", Instant),  # the last instant of the team's that has been handled
    Column("told_at", Instant),  # the last instant of the researcher's that has been handled
    Column("met_at", Instant),
    Column("kept_by", String(255), nullable=False, default=""),  # the Message-ID of the letter that met it
    Column("missed_at", Instant),
    Column("again_at", Instant),  # the new date that a missed promise was given
    Column("waived", JSON(none_as_null=True)),  # {"by", "why", "at"}
    Column("pauses", Boolean, nullable=False),
    Column("paused_at", Instant),
    Column("wake_at", Instant),  # null: nothing is to be done
    UniqueConstraint("ticket_id", "promise", "round"),
    Index("ix_clock_wake", "mailbox", "wake_at"),
)

# The days whose board has gone out.
board = Table(
    "board",
    metadata,
    Column("mailbox", String(128), primary_key=True),
    Column("day", String(10), primary_key=True),  # 2026-11-20, by the policy's zone
    Column("at", Instant, nullable=False),
)

letter = Table(
    "letter",
    metadata,
    _id(),
    Column("ticket_id", Key, ForeignKey("ticket.id"), index=True),
    Column("message_row", Key, ForeignKey("message.id")),
    Column("tenant", String(128), nullable=False),
    Column("mailbox", String(128), nullable=False),
    Column("audience", String(16), nullable=False),
    Column("to_address", String(320), nullable=False),  # as written
    Column("to_lower", String(320), nullable=False),
    Column("envelope_from", String(320), nullable=False),
    Column("message_id", String(255), nullable=False, unique=True),
    Column("blob_id", Key, ForeignKey("blob.id"), nullable=False),
    Column("template", String(64), nullable=False),
    Column("template_version", String(12), nullable=False),
    Column("language", String(16), nullable=False),
    Column("meets", JSON, nullable=False),  # promises kept by the server's acceptance
    Column("proven", Boolean, nullable=False),
    Column("state", String(16), nullable=False),  # queued | held | sending | accepted | unknown | failed | dropped
    Column("queued_at", Instant, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("first_attempt_at", Instant),
    Column("accepted_at", Instant),
    Column("undelivered_at", Instant),
    Column("last_reply", Text, nullable=False, default=""),
    Column("repeats", Integer, nullable=False, default=0),  # attempts after one whose end is not known (RFC 1047)
    Column("claimed_by", String(128)),
    Column("claimed_until", Instant),
    Column("sent_copy", String(8)),  # null: none wanted; wanted | done
    Column("author", String(320), nullable=False, default=""),  # the member whose words it holds; "" for ours
    Column("hold_reason", Text, nullable=False, default=""),  # why it waits for a member's word
    Index("ix_letter_due", "state", "not_before"),
    Index("ix_letter_caps", "tenant", "template", "to_lower", "queued_at"),
    Index("ix_letter_copies", "sent_copy", "mailbox"),
    CheckConstraint("state in ('queued','held','sending','accepted','unknown','failed','dropped')", name="state"),
)

# Automatic acknowledgements of one hour, proven and unproven apart (AR-10).
tally = Table(
    "tally",
    metadata,
    Column("tenant", String(128), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("hour", Instant, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

# One owner at a time for what may be done by one process only, such as sweeping a mailbox.
lease = Table(
    "lease",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("owner", String(255), nullable=False),
    Column("until", Instant, nullable=False),
)

# What runs, and how it fares: `check` reads it.
part = Table(
    "part",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("owner", String(255), nullable=False),
    Column("state", String(16), nullable=False),  # running | failing | stopped
    Column("reason", Text, nullable=False, default=""),
    Column("since", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),
)

# Facts of the installation: keys made here, the last instant given by hand.
installation = Table(
    "installation",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
)
