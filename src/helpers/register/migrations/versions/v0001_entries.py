"""Entries are only ever added, one after the other.

The base itself refuses a change or a removal, and an entry that does not follow the last. Before
INSERT too: SQLite's `INSERT OR REPLACE` removes rows that no DELETE trigger sees.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

FOLLOWS = """
NEW.seq <> coalesce((SELECT max(seq) FROM entries), 0) + 1
OR NEW.previous <> coalesce((SELECT hash FROM entries ORDER BY seq DESC LIMIT 1), NEW.previous)
OR EXISTS (SELECT 1 FROM entries WHERE key = NEW.key)
"""
SQLITE = (
    "CREATE TRIGGER entries_update BEFORE UPDATE ON entries "
    "BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    "CREATE TRIGGER entries_delete BEFORE DELETE ON entries "
    "BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    f"CREATE TRIGGER entries_follow BEFORE INSERT ON entries WHEN {FOLLOWS} "
    "BEGIN SELECT RAISE(ABORT, 'append-only'); END",
)
POSTGRES = (
    "CREATE FUNCTION entries_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'append-only' USING ERRCODE = '23001'; END $$",
    "CREATE FUNCTION entries_follow() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN IF {FOLLOWS} THEN RAISE EXCEPTION 'append-only' USING ERRCODE = '23001'; END IF; "
    "RETURN NEW; END $$",
    "CREATE TRIGGER entries_kept BEFORE UPDATE OR DELETE ON entries "
    "FOR EACH ROW EXECUTE FUNCTION entries_refuse()",
    "CREATE TRIGGER entries_follow BEFORE INSERT ON entries "
    "FOR EACH ROW EXECUTE FUNCTION entries_follow()",
    # A session that replays another's changes fires no other trigger.
    "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_kept",
    "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_follow",
)


def upgrade() -> None:
    """Make the table and its triggers."""
    op.create_table(
        "entries",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("supersedes", sa.BigInteger),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.create_index("entries_subject", "entries", ["subject"])
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRES:
        op.execute(statement)
