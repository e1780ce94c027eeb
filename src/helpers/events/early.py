"""How early partners told: from when an event was entered to when it starts, beside what is due.

The moment of an entry is the partner's own clock's: it says how early it was made, not sent.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city.city import City
from helpers.core.city.event_rules import EventRules

EARLY = pa.schema(
    [
        ("event", pa.string()), ("taken_over", pa.string()), ("by", pa.string()),
        ("kind", pa.string()), ("entered_at", pa.timestamp("us")),
        ("start_at", pa.timestamp("us")), ("lead_h", pa.float64()), ("due_h", pa.float64()),
        ("in_time", pa.bool_()),
    ]
)  # fmt: skip


def table(
    con: duckdb.DuckDBPyConnection, city: City, rules: EventRules, events: Path, entries: Path
) -> pa.Table:
    """Return one row an entry that was not withdrawn (schema `EARLY`), by start.

    `lead_h`: hours from the entry to the start, negative where it came after. `due_h`: of the
    measures that its class asks for, the one due first; `in_time`: whether the entry came before
    that, null where the class asks for nothing. `taken_over`: the event that the city made of it.
    """
    rule = city.about.agenda.events
    assert rule is not None
    told = rule.entries
    assert told is not None  # the caller has entries
    dropped = ", ".join(literal(one) for one in rules.dropped) or "NULL"
    rows = store.records(
        con,
        f"SELECT e.{quote(rule.id)} AS event, min(o.{quote(rule.id)}) AS taken_over, "
        f"e.{quote(told.by)} AS by, e.{quote(rule.kind)} AS kind, "
        f"e.{quote(told.entered)} AS entered_at, e.{quote(rule.start)} AS start_at "
        f"FROM read_parquet({literal(entries)}) e LEFT JOIN read_parquet({literal(events)}) o "
        f"ON o.{quote(told.taken_over)} = e.{quote(rule.id)} "
        f"WHERE coalesce(e.{quote(rule.status)} NOT IN ({dropped}), TRUE) GROUP BY ALL "
        "ORDER BY start_at, event",
    )
    return pa.Table.from_pylist([_measured(row, rules) for row in rows], schema=EARLY)


def _measured(row: dict[str, Any], rules: EventRules) -> dict[str, Any]:
    lead = (row["start_at"] - row["entered_at"]).total_seconds() / 3600
    held = rules.classes.get(row["kind"])
    due = max((one.due_h for one in held.measures), default=None) if held else None
    return {**row, "lead_h": lead, "due_h": due, "in_time": None if due is None else lead >= due}


def by_partner(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row a partner: `by`, `n`, `least_h` and `median_h` of leads, `late` of `judged`.

    `judged` counts the entries of a class that asks for something; `late` those not in time.
    """
    found = []
    for by in sorted({row["by"] for row in rows}):
        own = [row for row in rows if row["by"] == by]
        leads = [row["lead_h"] for row in own]
        found.append({
            "by": by, "n": len(own), "least_h": min(leads), "median_h": statistics.median(leads),
            "late": sum(row["in_time"] is False for row in own),
            "judged": sum(row["in_time"] is not None for row in own),
        })  # fmt: skip
    return found
