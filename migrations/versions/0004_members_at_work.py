"""What members and researchers do by mail: assignment, assessment, letters that wait, proposals, requests, absences."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EMPTY = (
    ("ticket", "assigned", 320),
    ("ticket", "severity", 16),
    ("ticket", "decision", 32),
    ("ticket", "forwarded_by", 320),
)


def _words(name: str, length: int | None = None) -> sa.Column:
    kind = sa.String(length=length) if length else sa.Text()
    return sa.Column(name, kind, nullable=False, server_default="")


def _instant(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    with op.batch_alter_table("ticket") as table:
        for _, name, length in _EMPTY:
            table.add_column(_words(name, length))
        table.add_column(_words("cvss"))
        table.add_column(sa.Column("merged_into", _KEY, nullable=True))
        table.create_foreign_key("fk_ticket_merged_into", "ticket", ["merged_into"], ["id"])
    with op.batch_alter_table("participant") as table:
        table.add_column(_words("credit"))
        table.add_column(sa.Column("anonymous", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("letter") as table:
        table.add_column(_words("author", 320))
        table.add_column(_words("hold_reason"))
    with op.batch_alter_table("receipt") as table:
        table.add_column(sa.Column("sent", sa.Boolean(), nullable=False, server_default=sa.false()))
    _proposals()
    _requests()
    op.create_table(
        "absence",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        _instant("since"),
        sa.PrimaryKeyConstraint("tenant", "address", name=op.f("pk_absence")),
    )


def _proposals() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("ticket_id", _KEY, nullable=False),
        sa.Column("verb", sa.String(length=32), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=320), nullable=False),
        _instant("at"),
        _instant("settled_at", nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_proposal_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
    )
    op.create_index(op.f("ix_proposal_ticket_id"), "proposal", ["ticket_id"])


def _requests() -> None:
    op.create_table(
        "request",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("ticket_id", _KEY, nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        _instant("at"),
        _instant("settled_at", nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name=op.f("fk_request_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
    )
    op.create_index(op.f("ix_request_ticket_id"), "request", ["ticket_id"])


def downgrade() -> None:
    for name in ("absence", "request", "proposal"):
        op.drop_table(name)
    with op.batch_alter_table("receipt") as table:
        table.drop_column("sent")
    with op.batch_alter_table("letter") as table:
        table.drop_column("hold_reason")
        table.drop_column("author")
    with op.batch_alter_table("participant") as table:
        table.drop_column("anonymous")
        table.drop_column("credit")
    with op.batch_alter_table("ticket") as table:
        table.drop_constraint("fk_ticket_merged_into", type_="foreignkey")
        for name in ("merged_into", "cvss", *(name for _, name, _ in _EMPTY)):
            table.drop_column(name)
