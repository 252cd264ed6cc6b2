"""What alembic runs: the revisions, within the transaction and on the connection it is given."""

from __future__ import annotations

from alembic import context

# Both databases take changes of tables back with the transaction; alembic does not expect it of SQLite.
context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
