"""What is on today: events, streets and places closed, weather warnings, from the pack's sources.

`agenda` in city.yaml says which source tells what, field by field. Nothing here names anybody: an
event has a kind and a place, a closure the hash of an order's number.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from helpers.core.base.store import literal, quote
from helpers.core.city.about import ClosuresRule, EventsRule
from helpers.core.place_time import occasions
from helpers.core.stage.run import Run

WHEN_WHERE = [("zone", pa.string()), ("end_at", pa.timestamp("us"))]
SCHEMAS = {
    "events": pa.schema([("id", pa.string()), ("kind", pa.string()), ("size", pa.int64()),
                         ("status", pa.string()), *WHEN_WHERE]),
    "closures": pa.schema([("id", pa.string()), ("kind", pa.string()), ("radius_m", pa.int64()),
                           ("event", pa.string()), *WHEN_WHERE]),
    "warnings": pa.schema([("level", pa.string())]),
}  # fmt: skip


@dataclass(frozen=True)
class Today:
    """What is on: events and closures (those of `SCHEMAS`), the highest warning if any."""

    day: dt.date
    events: list[dict[str, Any]]
    closures: list[dict[str, Any]]
    warnings: list[dict[str, Any]]

    def tables(self) -> dict[str, pa.Table]:
        """Return them as tables of `SCHEMAS`."""
        return {
            name: pa.Table.from_pylist(getattr(self, name), schema=schema)
            for name, schema in SCHEMAS.items()
        }


def of_day(run: Run, day: dt.date) -> Today:
    """Return what is on in the city on `day`. View `zones`."""
    return Today(day, happenings(run, day), closures(run, day), warnings(run, day))


def of_tables(day: dt.date, tables: dict[str, pa.Table]) -> Today:
    """Return what `Today.tables` gave, whatever the order in which it was kept."""
    events, closed, warned = (tables[name].to_pylist() for name in SCHEMAS)
    return Today(day, sorted(events, key=_greatest), sorted(closed, key=_by_place), warned)


def _greatest(event: dict[str, Any]) -> tuple[Any, ...]:
    """Return what events are ordered by: the greatest first. An id is a hash: it tells nothing."""
    return -(event["size"] or 0), event["zone"] or "", event["kind"], event["end_at"], event["id"]


def _by_place(closure: dict[str, Any]) -> tuple[Any, ...]:
    return closure["zone"] or "", closure["kind"], closure["end_at"], closure["id"]


def happenings(run: Run, day: dt.date) -> list[dict[str, Any]]:
    """Return the events held or allowed that last into `day`: id, kind, zone, size, end.

    The greatest first. `zone` is of the main division, None where it has no place in it.
    """
    rule = run.city.about.agenda.events
    if rule is None:
        return []
    held = ", ".join(literal(one) for one in rule.held) or "NULL"
    fields = {"id": rule.id, "kind": rule.kind, "size": rule.size, "status": rule.status}
    rows = _of_day(run, rule, day, fields, f"{quote(rule.status)} IN ({held})")
    return sorted(rows, key=_greatest)


def closures(run: Run, day: dt.date) -> list[dict[str, Any]]:
    """Return the closures in force on `day`: id, kind, zone, radius_m, end, kind of the event."""
    rule = run.city.about.agenda.closures
    if rule is None:
        return []
    fields = {"id": rule.id, "kind": rule.kind, "radius_m": rule.radius_m, "event": rule.event}
    rows = _of_day(run, rule, day, fields)
    kinds = {row["id"]: row["kind"] for row in happenings(run, day)}
    for row in rows:
        row["event"] = kinds.get(row["event"])
    return sorted(rows, key=_by_place)


def warnings(run: Run, day: dt.date) -> list[dict[str, Any]]:
    """Return the warnings of `day`, the highest level alone: level; nothing where there is none."""
    rule = run.city.about.agenda.warnings
    if rule is None:
        return []
    path = literal(run.read(f"accepted/{rule.source}.parquet"))
    levels = [row[0] for row in run.con.execute(
        f"SELECT DISTINCT {quote(rule.level)} FROM read_parquet({path}) "
        f"WHERE CAST({quote(rule.moment)} AS DATE) = ?", [day],
    ).fetchall()]  # fmt: skip
    for level in rule.levels:
        if level in levels:
            return [{"level": level}]
    return []


def _of_day(
    run: Run, rule: EventsRule | ClosuresRule, day: dt.date, fields: dict[str, str],
    test: str = "TRUE",
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the rows of a source that last into `day`: `fields`, their zone and end."""
    path = run.read(f"accepted/{rule.source}.parquet")
    rows = occasions.lasting(run.con, run.city, path, rule, fields, day, day, test)
    return [{name: row[name] for name in (*fields, "zone", "end_at")} for row in rows]
