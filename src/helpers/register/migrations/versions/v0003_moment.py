"""An entry's moment has one form, is not before the last one's, and has come; texts are texts.

A text in any form would be the one place where a name fits; a day to come would close all that
ends before it. SQLite keeps a blob or a text in a column of whatever type: both are refused.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

TEXTS = ("at", "role", "kind", "subject", "payload", "key", "previous", "hash")
FORM = "%Y-%m-%dT%H:%M:%fZ"
# What SQLite reads and writes again the same is of this form, and a day that there is. Five
# minutes: a clock set right meanwhile (`chain.AHEAD`).
ODD = f"""
NEW.at IS NOT strftime('{FORM}', NEW.at)
OR NEW.at > strftime('{FORM}', 'now', '+5 minutes')
OR NEW.at < coalesce((SELECT at FROM entries ORDER BY seq DESC LIMIT 1), '')
OR typeof(NEW.seq) <> 'integer' OR typeof(NEW.supersedes) NOT IN ('integer', 'null')
OR {" OR ".join(f"typeof(NEW.{name}) <> 'text'" for name in TEXTS)}
"""
SQLITE = (
    f"CREATE TRIGGER entries_moment BEFORE INSERT ON entries WHEN {ODD} "
    "BEGIN SELECT RAISE(ABORT, 'append-only'); END",
)
POSTGRES = (
    # One test after the other: what is not of the form is not taken for a moment. Written again,
    # hour 24 and second 60 are another moment.
    """CREATE FUNCTION entries_moment() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF NEW.at !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$'
THEN RAISE EXCEPTION 'append-only' USING ERRCODE = '23001'; END IF;
IF NEW.at <> to_char(NEW.at::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
OR NEW.at::timestamptz > clock_timestamp() + interval '5 minutes'
OR NEW.at COLLATE "C" < coalesce((SELECT at FROM entries ORDER BY seq DESC LIMIT 1), '')
THEN RAISE EXCEPTION 'append-only' USING ERRCODE = '23001'; END IF;
RETURN NEW;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format
THEN RAISE EXCEPTION 'append-only' USING ERRCODE = '23001';
END $$""",
    "CREATE TRIGGER entries_moment BEFORE INSERT ON entries "
    "FOR EACH ROW EXECUTE FUNCTION entries_moment()",
    "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_moment",
)


def upgrade() -> None:
    """Add the trigger."""
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRES:
        op.execute(statement)
