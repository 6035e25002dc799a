"""Alembic's entry: it runs the migrations over the connection that the store hands in."""

from alembic import context

from interlock.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
