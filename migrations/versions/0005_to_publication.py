"""From assessment to publication: what is affected, consents, rewards, advisories, erasures, and a journal of each tenant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TICKET = (("cwe", 16), ("product", None), ("affected", None), ("fixed_in", None))


def _words(name: str, length: int | None = None, *, empty: bool = True) -> sa.Column:
    kind = sa.String(length=length) if length else sa.Text()
    return sa.Column(name, kind, nullable=False, server_default="" if empty else None)


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _id() -> sa.Column:
    return sa.Column("id", _KEY, autoincrement=True, nullable=False)


def _ticket(table: str) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    name = op.f(f"fk_{table}_ticket_id")
    return sa.Column("ticket_id", _KEY, nullable=False), sa.ForeignKeyConstraint(
        ["ticket_id"], ["ticket.id"], name=name
    )


def upgrade() -> None:
    with op.batch_alter_table("ticket") as table:
        for name, length in _TICKET:
            table.add_column(_words(name, length))
        table.add_column(_instant("agreed_for", nullable=True))
        table.add_column(_instant("forgotten_at", nullable=True))
    with op.batch_alter_table("known_issue") as table:
        table.add_column(sa.Column("salt", sa.LargeBinary(length=32), nullable=True))
        table.add_column(sa.Column("seal", sa.LargeBinary(length=32), nullable=True))
        table.add_column(_instant("sealed_at", nullable=True))
        table.add_column(_instant("opened_at", nullable=True))
    with op.batch_alter_table("participant") as table:
        table.add_column(sa.Column("credit_pending", sa.Boolean(), nullable=False, server_default=sa.false()))
    _journal()
    _consents()
    _rewards()
    _advisories()
    _erasures()


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        _instant("at"),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=True),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "seq", name=op.f("pk_journal")),
    )
    op.create_table(
        "journal_head",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_journal_head")),
    )


def _consents() -> None:
    op.create_table(
        "consent",
        _id(),
        *_ticket("consent"),
        sa.Column("person_id", _KEY, nullable=False),
        _words("purpose", 16, empty=False),
        _words("third_party"),
        _words("state", 16, empty=False),
        _words("code", 16),
        sa.Column("proven", sa.Boolean(), nullable=False, server_default=sa.false()),
        _instant("at"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_consent_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_ticket_id"), "consent", ["ticket_id"])
    op.create_index(op.f("ix_consent_person_id"), "consent", ["person_id"])


def _rewards() -> None:
    op.create_table(
        "reward",
        _id(),
        *_ticket("reward"),
        _words("tenant", 128, empty=False),
        _words("state", 16, empty=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        _words("currency", 3),
        _words("severity", 16),
        _words("quality", 32),
        _words("why", empty=False),
        _words("by", 320, empty=False),
        _words("second", 320),
        _words("reference"),
        _instant("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reward")),
    )
    op.create_index(op.f("ix_reward_ticket_id"), "reward", ["ticket_id"])


def _advisories() -> None:
    op.create_table(
        "advisory",
        _id(),
        *_ticket("advisory"),
        _words("tenant", 128, empty=False),
        _words("name", 64, empty=False),
        _words("title", empty=False),
        _words("text", empty=False),
        _words("cve", 32),
        _instant("written_at"),
        _instant("published_at", nullable=True),
        sa.Column("revisions", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advisory")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_advisory_ticket_id")),
        sa.UniqueConstraint("tenant", "name", name=op.f("uq_advisory_tenant_name")),
    )


def _erasures() -> None:
    op.create_table(
        "erasure",
        _id(),
        _words("tenant", 128, empty=False),
        _words("subject", empty=False),
        _words("by", 320, empty=False),
        _instant("at"),
        _words("second", 320),
        _instant("done_at", nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_table(
        "tombstone",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        _instant("at"),
        sa.PrimaryKeyConstraint("tenant", "kind", "mark", name=op.f("pk_tombstone")),
    )


def downgrade() -> None:
    for name in ("tombstone", "erasure", "advisory", "reward", "consent", "journal_head", "journal"):
        op.drop_table(name)
    with op.batch_alter_table("participant") as table:
        table.drop_column("credit_pending")
    with op.batch_alter_table("known_issue") as table:
        for name in ("opened_at", "sealed_at", "seal", "salt"):
            table.drop_column(name)
    with op.batch_alter_table("ticket") as table:
        table.drop_column("agreed_for")
        table.drop_column("forgotten_at")
        for name, _ in reversed(_TICKET):
            table.drop_column(name)
