"""The base itself refuses what is held to nothing, and a tier too high that nothing justifies.

The rules are `rules`, and the register applies them all; a script that writes to the base beside
it, with a chain that holds, would pass by them. What is looked at here is the least that must be: a
problem or an action has goal, criterion, least effect and end; an action its problem, tier and
start; a higher tier a justification, or a lower one at the same problem that began and was entered
before the day of the entry, and was not replaced before it began.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

HELD = ("goal", "criterion", "least_effect", "end")
OF_ACTION = ("problem", "tier", "start")


def refusal(get: str, later: str, order: str) -> str:
    """Return the condition under which a row is refused.

    `get`: how a dialect reads `{key}` of the payload of `{row}`; `later`: its greater of two texts;
    `order`: how it is told to compare them.
    """

    def of(row: str, key: str) -> str:
        return get.format(row=row, key=key)

    def missing(keys: tuple[str, ...]) -> str:
        return " OR ".join(f"{of('NEW', key)} IS NULL" for key in keys)

    day = f"substr({{row}}.at, 1, 10){order}"
    began = f"{later}({of('e', 'start')}, {day.format(row='e')})"
    tier, lower = of("NEW", "tier"), of("e", "tier")
    same = f"{of('e', 'problem')} = {of('NEW', 'problem')}"
    return f"""
(NEW.kind IN ('problem', 'action') AND ({missing(HELD)}))
OR (NEW.kind = 'action' AND ({missing(OF_ACTION)} OR (
  {tier} <> 'prevention' AND {of("NEW", "justification")} IS NULL AND NOT EXISTS (
    SELECT 1 FROM entries e WHERE e.kind = 'action' AND {same}
    AND ({lower} = 'prevention' OR ({lower} = 'dissuasion' AND {tier} = 'repression'))
    AND {began} < {day.format(row="NEW")} AND NOT EXISTS (
      SELECT 1 FROM entries s WHERE s.supersedes = e.seq
      AND {day.format(row="s")} <= {began})))))
"""


OF_SQLITE = refusal("json_extract({row}.payload, '$.{key}')", "max", "")
OF_POSTGRES = refusal("({row}.payload::jsonb ->> '{key}')", "greatest", ' COLLATE "C"')
SQLITE = (
    f"CREATE TRIGGER entries_held BEFORE INSERT ON entries WHEN {OF_SQLITE} "
    "BEGIN SELECT RAISE(ABORT, 'append-only'); END",
)
POSTGRES = (
    "CREATE FUNCTION entries_held() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF "
    f"{OF_POSTGRES} "
    "THEN RAISE EXCEPTION 'append-only' USING ERRCODE = '23001'; END IF; RETURN NEW; "
    "EXCEPTION WHEN invalid_text_representation "
    "THEN RAISE EXCEPTION 'append-only' USING ERRCODE = '23001'; END $$",
    "CREATE TRIGGER entries_held BEFORE INSERT ON entries "
    "FOR EACH ROW EXECUTE FUNCTION entries_held()",
    "ALTER TABLE entries ENABLE ALWAYS TRIGGER entries_held",
)


def upgrade() -> None:
    """Add the trigger."""
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRES:
        op.execute(statement)
