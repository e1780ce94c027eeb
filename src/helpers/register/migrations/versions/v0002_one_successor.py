"""An entry is superseded once, by a later one; PostgreSQL's TRUNCATE is refused as DELETE is."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

FORKS = """
NEW.supersedes IS NOT NULL AND (
  NEW.supersedes >= NEW.seq OR EXISTS (SELECT 1 FROM entries WHERE supersedes = NEW.supersedes))
"""
SQLITE = (
    f"CREATE TRIGGER entries_fork BEFORE INSERT ON entries WHEN {FORKS} "
    "BEGIN SELECT RAISE(ABORT, 'append-only'); END",
)
POSTGRES = (
    "CREATE FUNCTION entries_fork() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN IF {FORKS} THEN RAISE EXCEPTION 'append-only' USING ERRCODE = '23001'; END IF; "
    "RETURN NEW; END $$",
    "CREATE TRIGGER entries_fork BEFORE INSERT ON entries "
    "FOR EACH ROW EXECUTE FUNCTION entries_fork()",
    "CREATE TRIGGER entries_whole BEFORE TRUNCATE ON entries "
    "FOR EACH STATEMENT EXECUTE FUNCTION entries_refuse()",
    "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_fork",
    "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_whole",
)


def upgrade() -> None:
    """Add the triggers, and the index by which they look."""
    op.create_index("entries_superseded", "entries", ["supersedes"], unique=True)
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRES:
        op.execute(statement)
