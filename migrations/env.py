"""Alembic's way in: runs on the connection that triaged opened, and on no other."""

from __future__ import annotations

from alembic import context

from triaged.tracker.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
