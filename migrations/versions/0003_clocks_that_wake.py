"""Clocks in rounds, with what was said of them and when to look again; since when a ticket is in its state; boards sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _instant(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def upgrade() -> None:
    op.create_table(
        "board",
        sa.Column("mailbox", sa.String(length=128), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", "day", name=op.f("pk_board")),
    )
    with op.batch_alter_table("ticket") as table:
        table.add_column(_instant("since"))
    op.execute(sa.text("update ticket set since = received_at"))
    with op.batch_alter_table("ticket") as table:
        table.alter_column("since", existing_type=sa.DateTime(timezone=True), nullable=False)
    _clocks()


def _clocks() -> None:
    """What runs is looked at once after this, and gets its own instant then."""
    with op.batch_alter_table("clock") as table:
        table.add_column(sa.Column("mailbox", sa.String(length=128), nullable=True))
        table.add_column(sa.Column("round", sa.Integer(), nullable=True))
        table.add_column(sa.Column("period", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("kept_by", sa.String(length=255), nullable=True))
        for name in ("told_at", "again_at", "wake_at"):
            table.add_column(_instant(name))
    op.execute(
        sa.text(
            "update clock set round = 1, kept_by = '', period = coalesce(every, ''), "
            "mailbox = (select ticket.mailbox from ticket where ticket.id = clock.ticket_id)"
        )
    )
    op.execute(
        sa.text(
            "update clock set wake_at = started_at "
            "where met_at is null and (waived is null or cast(waived as text) = 'null')"
        )
    )
    with op.batch_alter_table("clock") as table:
        table.alter_column("mailbox", existing_type=sa.String(length=128), nullable=False)
        table.alter_column("round", existing_type=sa.Integer(), nullable=False)
        table.alter_column("kept_by", existing_type=sa.String(length=255), nullable=False)
        table.alter_column("period", existing_type=sa.String(length=64), nullable=False)
        table.drop_index("ix_clock_open")
        table.drop_index("ix_clock_ticket_id")
        table.create_unique_constraint("uq_clock_ticket_id_promise_round", ["ticket_id", "promise", "round"])
        table.create_index("ix_clock_wake", ["mailbox", "wake_at"])


def downgrade() -> None:
    op.drop_table("board")
    with op.batch_alter_table("clock") as table:
        table.drop_index("ix_clock_wake")
        table.drop_constraint("uq_clock_ticket_id_promise_round", type_="unique")
        table.create_index("ix_clock_open", ["met_at", "due_at"])
        table.create_index("ix_clock_ticket_id", ["ticket_id"])
        for name in ("mailbox", "round", "period", "kept_by", "told_at", "again_at", "wake_at"):
            table.drop_column(name)
    with op.batch_alter_table("ticket") as table:
        table.drop_column("since")
