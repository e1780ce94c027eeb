"""What people entered in the register of measures taken: the latest word, over the sources'."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb

from helpers.core.base.store import literal
from helpers.core.city.event_rules import EventRules
from helpers.events.known import Event


def with_entered(
    con: duckdb.DuckDBPyConnection, rules: EventRules, path: Path, events: list[Event]
) -> list[Event]:
    """Return the events, their measures as the register's snapshot (`path`) says them last.

    An entry that another one replaces says nothing more; of two in force, the later counts. What
    was entered for a partner's entry is of the event that the city made of it.
    """
    rows = con.execute(
        f"WITH r AS (SELECT * FROM read_parquet({literal(path)})) "
        "SELECT event, measure, last(state ORDER BY seq) FROM r WHERE kind = 'measure_taken' "
        "AND seq NOT IN (SELECT supersedes FROM r WHERE supersedes IS NOT NULL) GROUP BY ALL "
        "ORDER BY ALL"
    ).fetchall()
    said = {(event, measure): state for event, measure, state in rows}
    return [_one(event, rules, said) for event in events]


def _one(event: Event, rules: EventRules, said: dict[tuple[str, str], str]) -> Event:
    held = rules.classes.get(event.kind)
    found = {
        one.field: said[id, one.entered]
        for one in (held.measures if held else ())
        for id in (event.entry or "", event.id)  # its own word comes last, and stays
        if (id, one.entered) in said
    }
    if not found:
        return event
    return replace(event, measures={**event.measures, **found}, entered=frozenset(found))
