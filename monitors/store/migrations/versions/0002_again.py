"""Which probes only looked again, and do not count for uptime; of earlier ones nobody noted it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column, which takes no longer on a year of probes."""
    op.add_column("probes", sa.Column("again", sa.SmallInteger(), server_default="0", nullable=False))
