"""The base itself refuses what names somebody, what is of no kind, and a moment long gone.

Up to version 0005 a row of a kind that there is not passed (« Action » is no action, so nothing was
asked of it), and so did a name as subject, role, theme or problem, or in a field more. Each is now
of its form (`entries.FORMS`, `codes`; a new one is a new version): fields and texts of the payload
are of the characters of codes, and without anything that could be read two ways. A moment of
yesterday would make of a tier entered now one tried the day before: it is the server's, now.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

ROLES = ("analyste", "chef_de_poste", "chef_de_service", "coordination_prevention", "direction",
         "elu")  # fmt: skip
OF_EVENTS = ("measure_taken", "sizing", "recommendation")
FIELDS = (
    "kind", "measure", "state", "verdict", "reason", "reference", "year", "number", "proposed",
    "decided", "goal", "criterion", "theme", "fall", "least_effect", "end", "zone", "since",
    "hypotheses", "problem", "tier", "start", "lead", "response", "dose_h", "shifts",
    "justification", "entry", "opinion",
)  # fmt: skip
DIGIT, HEX = "[0-9]", "[0-9a-f]"


def _listed(codes: tuple[str, ...]) -> str:
    return ", ".join(repr(code) for code in codes)


class Dialect:
    """How SQLite says it; PostgreSQL's differs by each of these."""

    refuses: tuple[str, ...] = (
        "CREATE TRIGGER entries_names BEFORE INSERT ON entries "
        "WHEN NOT coalesce(({good}), 0) BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    )
    soon = "NEW.at >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-5 minutes')"
    # Cut at a zero byte, a text is shorter than its bytes, as one of other letters is.
    unambiguous = (
        "length(CAST(NEW.payload AS BLOB)) = length(NEW.payload) "
        "AND NEW.payload NOT GLOB '*[\\ ]*' "
        "AND (SELECT count(*) = count(DISTINCT fullkey) FROM json_tree(NEW.payload))"
    )
    closed = (
        "NOT EXISTS (SELECT 1 FROM json_tree(NEW.payload) WHERE "
        f"(typeof(key) = 'text' AND key NOT IN ({_listed(FIELDS)})) OR (type = 'text' "
        "AND (length(value) NOT BETWEEN 1 AND 60 OR value GLOB '*[^A-Za-z0-9_-]*')))"
    )

    def text(self, *at: str) -> str:
        """Return what is at a place of the payload, as a text."""
        return f"json_extract(NEW.payload, '$.{'.'.join(at)}')"

    def is_text(self, *at: str) -> str:
        """Return the condition that a text is there."""
        return f"json_type(NEW.payload, '$.{'.'.join(at)}') = 'text'"

    def short(self, *at: str) -> str:
        """Return the condition that a number has three decimals at most."""
        return f"round({self.text(*at)}, 3) = {self.text(*at)}"

    def numbered(self, what: str, prefix: str) -> str:
        """Return the condition that a text is a problem's or an action's number."""
        return (f"({what} GLOB '{prefix}-{3 * DIGIT}' "
                f"OR {what} GLOB '{prefix}-[1-9]{3 * DIGIT}')")  # fmt: skip

    def hexadecimal(self, what: str, length: int) -> str:
        """Return the condition that a text is so many hexadecimal digits, not all figures."""
        return f"({what} GLOB '{length * HEX}' AND {what} GLOB '*[a-f]*')"

    def code(self, what: str) -> str:
        """Return the condition that a text has the letters of a theme's code."""
        return f"{what} NOT GLOB '*[^a-z0-9_]*'"

    def before(self, early: str, late: str) -> str:
        """Return the condition that a text is not after another, letter by letter."""
        return f"{early} <= {late}"


class Postgres(Dialect):
    """How PostgreSQL says it. Of a field written twice it reads the last, as the register does."""

    refuses = (
        "CREATE FUNCTION entries_names() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NOT coalesce(({good}), false) "
        "THEN RAISE EXCEPTION 'append-only' USING ERRCODE = '23001'; END IF; RETURN NEW; "
        "EXCEPTION WHEN data_exception "
        "THEN RAISE EXCEPTION 'append-only' USING ERRCODE = '23001'; END $$",
        "CREATE TRIGGER entries_names BEFORE INSERT ON entries "
        "FOR EACH ROW EXECUTE FUNCTION entries_names()",
        "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_names",
    )
    soon = "NEW.at::timestamptz >= clock_timestamp() - interval '5 minutes'"
    unambiguous = r"NEW.payload ~ '^[!-\[\]-~]*$'"
    closed = (
        "NOT EXISTS (SELECT 1 FROM jsonb_path_query(NEW.payload::jsonb, "
        "'$.** ? (@.type() == \"object\")') o, jsonb_object_keys(o) k "
        f"WHERE k NOT IN ({_listed(FIELDS)})) "
        "AND NOT EXISTS (SELECT 1 FROM jsonb_path_query(NEW.payload::jsonb, "
        "'$.** ? (@.type() == \"string\")') s WHERE s #>> '{}' !~ '^[A-Za-z0-9_-]{1,60}$')"
    )

    def text(self, *at: str) -> str:
        """Return what is at a place of the payload, as a text."""
        return f"(NEW.payload::jsonb #>> '{{{','.join(at)}}}')"

    def is_text(self, *at: str) -> str:
        """Return the condition that a text is there."""
        return f"jsonb_typeof(NEW.payload::jsonb #> '{{{','.join(at)}}}') = 'string'"

    def short(self, *at: str) -> str:
        """Return the condition that a number has three decimals at most."""
        return f"round({self.text(*at)}::numeric, 3) = {self.text(*at)}::numeric"

    def numbered(self, what: str, prefix: str) -> str:
        """Return the condition that a text is a problem's or an action's number."""
        return f"{what} ~ '^{prefix}-([0-9]{{3}}|[1-9][0-9]{{3}})$'"

    def hexadecimal(self, what: str, length: int) -> str:
        """Return the condition that a text is so many hexadecimal digits, not all figures."""
        return f"({what} ~ '^{HEX}{{{length}}}$' AND {what} ~ '[a-f]')"

    def code(self, what: str) -> str:
        """Return the condition that a text has the letters of a theme's code."""
        return f"{what} ~ '^[a-z0-9_]*$'"

    def before(self, early: str, late: str) -> str:
        """Return the condition that a text is not after another, letter by letter."""
        return f'{early} COLLATE "C" <= {late} COLLATE "C"'


def good(to: Dialect) -> str:
    """Return the condition of a row whose names are of their forms, entered now."""
    problem, action = (to.numbered("NEW.subject", prefix) for prefix in ("PB", "ACT"))
    subject = (
        f"CASE WHEN NEW.kind IN ({_listed(OF_EVENTS)}) THEN {to.hexadecimal('NEW.subject', 20)} "
        f"WHEN NEW.kind = 'problem' THEN {problem} WHEN NEW.kind = 'action' THEN {action} "
        f"WHEN NEW.kind = 'approval' THEN ({problem} OR {action}) END"
    )
    theme, end = to.text("criterion", "theme"), to.text("end")
    held = " AND ".join([
        to.is_text("criterion", "theme"), to.code(theme), to.short("criterion", "fall"),
        to.short("least_effect"), to.before("substr(NEW.at, 1, 10)", end),
        to.before(end, "'2099-12-31'"),
    ])  # fmt: skip
    of_action = " AND ".join([
        to.is_text("problem"), to.numbered(to.text("problem"), "PB"),
        to.before("'2020-01-01'", to.text("start")),
    ])  # fmt: skip
    return " AND ".join([
        f"NEW.role IN ({_listed(ROLES)})", subject, to.hexadecimal("NEW.key", 32), to.soon,
        to.unambiguous, to.closed, f"(NEW.kind NOT IN ('problem', 'action') OR ({held}))",
        f"(NEW.kind <> 'action' OR ({of_action}))",
    ])  # fmt: skip


def upgrade() -> None:
    """Add the trigger."""
    to = Dialect() if op.get_bind().dialect.name == "sqlite" else Postgres()
    for statement in to.refuses:
        op.execute(statement.replace("{good}", good(to)))
