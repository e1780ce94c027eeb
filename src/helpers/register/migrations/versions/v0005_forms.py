"""The base itself refuses what is no value: an empty reason, a criterion of nothing, an odd day.

Version 0004 asked that goal, criterion, least effect, end and, for a higher tier, a justification
be there; a script could still write an empty text or an empty object in their place. Of a problem
or an action, each is now of its form: a code of the list of the register (`codes`, as it was when
this version was written; a new code is a new version), a share, a day, an end not before the start.
Of every entry, what it says it is and where it is kept agree. What is not shown good is refused.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

GOALS = ("baisse_des_faits", "baisse_des_signalements")
TIERS = ("prevention", "dissuasion", "repression")
JUSTIFICATIONS = ("danger_immediat", "atteinte_grave", "decision_de_justice",
                  "palier_essaye_ailleurs", "palier_impossible")  # fmt: skip


class Dialect:
    """How SQLite reads the new payload; PostgreSQL's differs by each of these."""

    refuses: tuple[str, ...] = (
        "CREATE TRIGGER entries_forms BEFORE INSERT ON entries "
        "WHEN NOT coalesce(({good}), 0) BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    )
    order = ""
    # Of a key written twice, SQLite reads the first and the register the last.
    once = "(SELECT count(*) = count(DISTINCT key) FROM json_each(NEW.payload)) AND "

    def text(self, *at: str) -> str:
        """Return what is at a place of the payload, as a text."""
        return f"json_extract(NEW.payload, '$.{'.'.join(at)}')"

    def share(self, *at: str) -> str:
        """Return the condition that a number above 0, at most 1, is there."""
        kind = f"json_type(NEW.payload, '$.{'.'.join(at)}')"
        return f"{kind} IN ('integer', 'real') AND {self.text(*at)} > 0 AND {self.text(*at)} <= 1"

    def day(self, *at: str) -> str:
        """Return the condition that a day of the calendar is there, as ISO 8601 writes it."""
        # Moved by none, a 30th of February is a 2nd of March; as it is, it would pass.
        return f"date({self.text(*at)}, '+0 days') = {self.text(*at)}"


class Postgres(Dialect):
    """How PostgreSQL reads it. A text that is no JSON, no day, raises: that is a refusal too."""

    refuses = (
        "CREATE FUNCTION entries_forms() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NOT coalesce(({good}), false) "
        "THEN RAISE EXCEPTION 'append-only' USING ERRCODE = '23001'; END IF; RETURN NEW; "
        "EXCEPTION WHEN data_exception "
        "THEN RAISE EXCEPTION 'append-only' USING ERRCODE = '23001'; END $$",
        "CREATE TRIGGER entries_forms BEFORE INSERT ON entries "
        "FOR EACH ROW EXECUTE FUNCTION entries_forms()",
        "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_forms",
    )
    order = ' COLLATE "C"'
    once = ""

    def text(self, *at: str) -> str:
        """Return what is at a place of the payload, as a text."""
        return f"(NEW.payload::jsonb #>> '{{{','.join(at)}}}')"

    def share(self, *at: str) -> str:
        """Return the condition that a number above 0, at most 1, is there."""
        found = f"(NEW.payload::jsonb #> '{{{','.join(at)}}}')"
        return (f"CASE WHEN jsonb_typeof({found}) = 'number' THEN {self.text(*at)}::numeric > 0 "
                f"AND {self.text(*at)}::numeric <= 1 ELSE false END")  # fmt: skip

    def day(self, *at: str) -> str:
        """Return the condition that a day of the calendar is there, as ISO 8601 writes it."""
        told = self.text(*at)
        return (f"CASE WHEN {told} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$' "
                f"THEN to_char({told}::date, 'YYYY-MM-DD') = {told} ELSE false END")  # fmt: skip


def good(to: Dialect) -> str:
    """Return the condition of a row whose values are of their forms."""

    def listed(name: str, codes: tuple[str, ...]) -> str:
        return f"{to.text(name)} IN ({', '.join(repr(code) for code in codes)})"

    held = " AND ".join([
        listed("goal", GOALS), f"length({to.text('criterion', 'theme')}) > 0",
        to.share("criterion", "fall"), to.share("least_effect"), to.day("end"),
    ])  # fmt: skip
    action = " AND ".join([
        listed("tier", TIERS), to.day("start"),
        f"{to.text('end')}{to.order} >= {to.text('start')}{to.order}",
        f"({to.text('justification')} IS NULL OR {listed('justification', JUSTIFICATIONS)})",
    ])  # fmt: skip
    return (f"{to.once}{to.text('kind')} = NEW.kind "
            f"AND (NEW.kind NOT IN ('problem', 'action') OR ({held})) "
            f"AND (NEW.kind <> 'action' OR ({action}))")  # fmt: skip


def upgrade() -> None:
    """Add the trigger."""
    to = Dialect() if op.get_bind().dialect.name == "sqlite" else Postgres()
    for statement in to.refuses:
        op.execute(statement.replace("{good}", good(to)))
