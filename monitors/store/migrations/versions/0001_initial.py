"""The tables as they first were. Frozen: a later change is a revision of its own."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _only(where: str) -> dict[str, Any]:
    """Let an index be of some rows only, in the words of the database at hand: naming the other would import it."""
    return {f"{op.get_bind().dialect.name}_where": sa.text(where)}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "baselines",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site", "run_id", name=op.f("pk_baselines")),
    )
    op.create_table(
        "bodies",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("first_ms", BIG, nullable=False),
        sa.Column("last_ms", BIG, nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodies")),
        sa.UniqueConstraint("hash", name=op.f("uq_bodies_hash")),
    )
    op.create_table(
        "events",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("incident", BIG, nullable=False),
        sa.Column("at_us", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("sites", sa.Text(), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_incident"), "events", ["incident"], unique=False)
    op.create_table(
        "findings",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
        sa.UniqueConstraint("digest", name=op.f("uq_findings_digest")),
    )
    op.create_table(
        "incidents",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("since_us", BIG, nullable=False),
        sa.Column("opened_us", BIG, nullable=False),
        sa.Column("resolved_us", BIG, nullable=True),
        sa.Column("why_resolved", sa.Text(), nullable=False),
        sa.Column("acknowledged", sa.Text(), nullable=True),
        sa.Column("spells", sa.Text(), nullable=False),
        sa.Column("in_book", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(
        "ix_incidents_in_book",
        "incidents",
        ["id"],
        unique=False,
        **_only("in_book = 1"),
    )
    op.create_table(
        "memory",
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("check_name", "site", name=op.f("pk_memory")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("sink", sa.Text(), nullable=False),
        sa.Column("incident", BIG, nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at_us", BIG, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("first_failed_us", BIG, nullable=True),
        sa.Column("next_at_us", BIG, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("delivered_at_us", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("key", "sink", name=op.f("uq_outbox_key")),
    )
    op.create_index(op.f("ix_outbox_incident"), "outbox", ["incident"], unique=False)
    op.create_index(
        "ix_outbox_queued",
        "outbox",
        ["sink", "incident", "number"],
        unique=False,
        **_only("state = 'queued'"),
    )
    op.create_table(
        "series",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("vantage", sa.Text(), nullable=False),
        sa.Column("rolled_available", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("site", "check_name", "vantage", name=op.f("uq_series_site")),
    )
    op.create_table(
        "silences",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("until_us", BIG, nullable=False),
        sa.Column("created_us", BIG, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
    )
    op.create_table(
        "told",
        sa.Column("incident", BIG, autoincrement=False, nullable=False),
        sa.Column("sink", sa.Text(), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at_us", BIG, nullable=False),
        sa.Column("sites", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("acknowledged", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "sink", name=op.f("pk_told")),
    )
    op.create_table(
        "tracks",
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("results", sa.Text(), nullable=False),
        sa.Column("first_us", BIG, nullable=False),
        sa.Column("last_us", BIG, nullable=False),
        sa.Column("relapses", BIG, nullable=False),
        sa.Column("opened_us", BIG, nullable=True),
        sa.PrimaryKeyConstraint("problem", "site", "check_name", name=op.f("pk_tracks")),
    )
    op.create_table(
        "probes",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("series", BIG, nullable=False),
        sa.Column("at_ms", BIG, nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("verdict", sa.SmallInteger(), nullable=False),
        sa.Column("available", sa.SmallInteger(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("resolve_us", BIG, nullable=True),
        sa.Column("connect_us", BIG, nullable=True),
        sa.Column("tls_us", BIG, nullable=True),
        sa.Column("first_byte_us", BIG, nullable=True),
        sa.Column("transfer_us", BIG, nullable=True),
        sa.Column("total_us", BIG, nullable=False),
        sa.Column("body", BIG, nullable=True),
        sa.Column("findings", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name=op.f("fk_probes_series")),
        sa.ForeignKeyConstraint(["body"], ["bodies.id"], name=op.f("fk_probes_body"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probes")),
    )
    op.create_index("ix_probes_at_ms", "probes", ["at_ms", "series"], unique=False)
    op.create_index(
        "ix_probes_body",
        "probes",
        ["body"],
        unique=False,
        **_only("body IS NOT NULL"),
    )
    op.create_table(
        "rollups",
        sa.Column("period", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("start_ms", BIG, autoincrement=False, nullable=False),
        sa.Column("series", BIG, autoincrement=False, nullable=False),
        sa.Column("probes", BIG, nullable=False),
        sa.Column("available", BIG, nullable=False),
        sa.Column("unavailable", BIG, nullable=False),
        sa.Column("outages", BIG, nullable=False),
        sa.Column("infos", BIG, nullable=False),
        sa.Column("warnings", BIG, nullable=False),
        sa.Column("breaking", BIG, nullable=False),
        sa.Column("latencies", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name=op.f("fk_rollups_series")),
        sa.PrimaryKeyConstraint("period", "start_ms", "series", name=op.f("pk_rollups")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "probe_findings",
        sa.Column("probe", BIG, autoincrement=False, nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("finding", BIG, nullable=False),
        sa.ForeignKeyConstraint(["probe"], ["probes.id"], name=op.f("fk_probe_findings_probe"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["finding"], ["findings.id"], name=op.f("fk_probe_findings_finding")),
        sa.PrimaryKeyConstraint("probe", "position", name=op.f("pk_probe_findings")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_probe_findings_finding"), "probe_findings", ["finding"], unique=False)
