"""The tables, the same in SQLite and PostgreSQL. Times are integers: `_ms` and `_us` since 1970, durations in `_us`.

Whatever may hold text from the wire holds ASCII JSON, which any database takes as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

# In SQLite only a column of type INTEGER is the key the rows are stored by.
BIG: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


def _key(name: str = "id") -> Column[int]:
    return Column(name, BIG, primary_key=True, autoincrement=False)


meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

series = Table(
    "series",
    metadata,
    _key(),
    Column("site", Text, nullable=False),
    Column("check_name", Text, nullable=False),
    Column("vantage", Text, nullable=False),
    # What its last probe that is rolled up said of its availability: 1, 0, or nothing yet.
    Column("rolled_available", SmallInteger),
    UniqueConstraint("site", "check_name", "vantage"),
)

bodies = Table(
    "bodies",
    metadata,
    _key(),
    Column("hash", Text, nullable=False, unique=True),
    Column("first_ms", BIG, nullable=False),
    Column("last_ms", BIG, nullable=False),
    Column("size", BIG, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

probes = Table(
    "probes",
    metadata,
    _key(),
    Column("series", BIG, ForeignKey("series.id"), nullable=False),
    Column("at_ms", BIG, nullable=False),
    Column("status", SmallInteger),
    Column("verdict", SmallInteger, nullable=False),
    Column("available", SmallInteger),
    Column("rule", Text),
    Column("resolve_us", BIG),
    Column("connect_us", BIG),
    Column("tls_us", BIG),
    Column("first_byte_us", BIG),
    Column("transfer_us", BIG),
    Column("total_us", BIG, nullable=False),
    Column("body", BIG, ForeignKey("bodies.id", ondelete="SET NULL")),
    Column("findings", SmallInteger, nullable=False),
    # Whether it looked once more at what was seen just before, in the same pass.
    Column("again", SmallInteger, nullable=False, server_default="0"),
    Index("ix_probes_at_ms", "at_ms", "series"),
    Index("ix_probes_body", "body", sqlite_where=text("body IS NOT NULL")),
)

findings = Table(
    "findings",
    metadata,
    _key(),
    Column("digest", Text, nullable=False, unique=True),
    Column("content", Text, nullable=False),
)

probe_findings = Table(
    "probe_findings",
    metadata,
    Column("probe", BIG, ForeignKey("probes.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("finding", BIG, ForeignKey("findings.id"), nullable=False, index=True),
    sqlite_with_rowid=False,
)

rollups = Table(
    "rollups",
    metadata,
    Column("period", SmallInteger, primary_key=True, autoincrement=False),
    Column("start_ms", BIG, primary_key=True, autoincrement=False),
    Column("series", BIG, ForeignKey("series.id"), primary_key=True, autoincrement=False),
    Column("probes", BIG, nullable=False),
    Column("available", BIG, nullable=False),
    Column("unavailable", BIG, nullable=False),
    Column("outages", BIG, nullable=False),
    Column("infos", BIG, nullable=False),
    Column("warnings", BIG, nullable=False),
    Column("breaking", BIG, nullable=False),
    Column("latencies", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

memory = Table(
    "memory",
    metadata,
    Column("check_name", Text, primary_key=True),
    Column("site", Text, primary_key=True),
    # The order in which sites were first heard of.
    Column("position", BIG, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

baselines = Table(
    "baselines",
    metadata,
    Column("site", Text, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

tracks = Table(
    "tracks",
    metadata,
    Column("problem", Text, primary_key=True),
    Column("site", Text, primary_key=True),
    Column("check_name", Text, primary_key=True),
    Column("finding", Text, nullable=False),
    Column("results", Text, nullable=False),
    Column("first_us", BIG, nullable=False),
    Column("last_us", BIG, nullable=False),
    Column("relapses", BIG, nullable=False),
    Column("opened_us", BIG),
)

incidents = Table(
    "incidents",
    metadata,
    _key(),
    Column("problem", Text, nullable=False),
    Column("finding", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("rule", Text, nullable=False),
    Column("check_name", Text, nullable=False),
    Column("since_us", BIG, nullable=False),
    Column("opened_us", BIG, nullable=False),
    Column("resolved_us", BIG),
    Column("why_resolved", Text, nullable=False),
    Column("acknowledged", Text),
    Column("spells", Text, nullable=False),
    # Whether decisions still need to know of it: open, or not yet told to be over.
    Column("in_book", SmallInteger, nullable=False),
    Index("ix_incidents_in_book", "id", sqlite_where=text("in_book = 1")),
)

events = Table(
    "events",
    metadata,
    _key(),
    Column("incident", BIG, nullable=False, index=True),
    Column("at_us", BIG, nullable=False),
    Column("kind", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("sites", Text, nullable=False),
    Column("by_whom", Text, nullable=False),
)

silences = Table(
    "silences",
    metadata,
    _key(),
    Column("until_us", BIG, nullable=False),
    Column("created_us", BIG, nullable=False),
    # Reason, who, incident, rule and sites.
    Column("content", Text, nullable=False),
)

told = Table(
    "told",
    metadata,
    Column("incident", BIG, primary_key=True, autoincrement=False),
    Column("sink", Text, primary_key=True),
    Column("number", BIG, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at_us", BIG, nullable=False),
    Column("sites", Text, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("acknowledged", SmallInteger, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    _key(),
    Column("sink", Text, nullable=False),
    Column("incident", BIG, nullable=False, index=True),
    Column("number", BIG, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("at_us", BIG, nullable=False),
    Column("content", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", BIG, nullable=False),
    Column("first_failed_us", BIG),
    Column("next_at_us", BIG, nullable=False),
    Column("error", Text, nullable=False),
    Column("delivered_at_us", BIG),
    UniqueConstraint("key", "sink"),
    Index("ix_outbox_queued", "sink", "incident", "number", sqlite_where=text("state = 'queued'")),
)


def prepare_for_postgresql() -> None:
    """Let PostgreSQL index the rows that SQLite does.

    To say it with the indexes would import all that SQLAlchemy knows of PostgreSQL, for every store in a file too.
    """
    for table in metadata.tables.values():
        for index in table.indexes:
            index.dialect_kwargs["postgresql_where"] = index.dialect_kwargs.get("sqlite_where")
