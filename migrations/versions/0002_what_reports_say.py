"""What reports say beside their text, and the study that compares them: facts, gaps, likeness, known issues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _ticket(table: str) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    column = sa.Column("ticket_id", KEY, nullable=False)
    return column, sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f(f"fk_{table}_ticket_id"))


def upgrade() -> None:
    op.create_table(
        "fact",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        *_ticket("fact"),
        sa.Column("message_id", KEY, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_fact_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact")),
    )
    op.create_index(op.f("ix_fact_ticket_id"), "fact", ["ticket_id"])
    op.create_index(op.f("ix_fact_message_id"), "fact", ["message_id"])
    op.create_table(
        "gap",
        *_ticket("gap"),
        sa.Column("item", sa.String(length=32), nullable=False),
        _instant("asked_at"),
        _instant("brought_at"),
        sa.PrimaryKeyConstraint("ticket_id", "item", name=op.f("pk_gap")),
    )
    op.create_table(
        "study",
        *_ticket("study"),
        sa.Column("message_id", KEY, nullable=False),
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("mailbox", sa.String(length=128), nullable=False),
        sa.Column("announcement", sa.JSON(), nullable=True),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("noise", sa.Float(), nullable=False),
        sa.Column("noise_reasons", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(length=128), nullable=True),
        _instant("claimed_until"),
        _instant("studied_at"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_study_message_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_study")),
    )
    op.create_index("ix_study_waiting", "study", ["studied_at", "ticket_id"])
    op.create_table(
        "likely",
        *_ticket("likely"),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_id", "name", name=op.f("pk_likely")),
    )
    op.create_table(
        "known_issue",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_issue")),
        sa.UniqueConstraint("tenant", "name", name=op.f("uq_known_issue_tenant_name")),
    )
    op.create_index(op.f("ix_message_text_hash"), "message", ["text_hash"])
    for statement in LIKENESS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))
    op.execute(sa.text(STUDY_OF_OLD))


# Tickets that are there are studied without an announcement, the team has heard of them: new reports are compared with them too.
STUDY_OF_OLD = (
    "INSERT INTO study (ticket_id, message_id, tenant, mailbox, whole, noise, noise_reasons, attempts) "
    "SELECT ticket.id, MIN(message.id), ticket.tenant, ticket.mailbox, false, 0.0, '[]', 0 FROM ticket "
    "JOIN message ON message.ticket_id = ticket.id AND message.direction = 'in' "
    "GROUP BY ticket.id, ticket.tenant, ticket.mailbox"
)

# The index of terms is FTS5 on SQLite and an array under GIN on PostgreSQL.
LIKENESS = {
    "sqlite": (
        "CREATE TABLE likeness (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, tenant VARCHAR(128) NOT NULL, "
        "name VARCHAR(128) NOT NULL, terms TEXT NOT NULL, marks TEXT NOT NULL)",
        "CREATE UNIQUE INDEX uq_likeness_tenant_name ON likeness (tenant, name)",
        "CREATE TABLE likeness_term (token INTEGER NOT NULL PRIMARY KEY, descriptions INTEGER NOT NULL)",
        "CREATE VIRTUAL TABLE likeness_index USING "
        "fts5(tokens, content='', detail=none, columnsize=0, tokenize='ascii')",
    ),
    "postgresql": (
        "CREATE TABLE likeness (id BIGSERIAL PRIMARY KEY, tenant VARCHAR(128) NOT NULL, "
        "name VARCHAR(128) NOT NULL, terms TEXT NOT NULL, marks TEXT NOT NULL)",
        "CREATE UNIQUE INDEX uq_likeness_tenant_name ON likeness (tenant, name)",
        "CREATE TABLE likeness_term (token BIGINT PRIMARY KEY, descriptions INTEGER NOT NULL) WITH (fillfactor = 70)",
        "CREATE TABLE likeness_index (id BIGINT PRIMARY KEY REFERENCES likeness ON DELETE CASCADE, "
        "tokens BIGINT[] NOT NULL)",
        "CREATE INDEX ix_likeness_index_tokens ON likeness_index USING gin (tokens)",
    ),
}


def downgrade() -> None:
    for name in ("likeness_index", "likeness_term", "likeness", "known_issue", "likely", "study", "gap", "fact"):
        op.drop_table(name)
    op.drop_index(op.f("ix_message_text_hash"), "message")
