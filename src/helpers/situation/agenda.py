"""What is on today: events, streets and places closed, weather warnings, from the pack's sources.

`agenda` in city.yaml says which source tells what, field by field. Nothing here names anybody: an
event has a kind and a place, a closure the hash of an order's number.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city.names import OUTSIDE
from helpers.core.place_time.territory import Zones, project
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
    rows = _during(
        run, rule.source, day, rule.start, rule.end, rule.longitude, rule.latitude,
        {"id": rule.id, "kind": rule.kind, "size": rule.size, "status": rule.status},
        f"{quote(rule.status)} IN ({held})",
    )  # fmt: skip
    return sorted(rows, key=_greatest)


def closures(run: Run, day: dt.date) -> list[dict[str, Any]]:
    """Return the closures in force on `day`: id, kind, zone, radius_m, end, kind of the event."""
    rule = run.city.about.agenda.closures
    if rule is None:
        return []
    rows = _during(
        run, rule.source, day, rule.start, rule.end, rule.longitude, rule.latitude,
        {"id": rule.id, "kind": rule.kind, "radius_m": rule.radius_m, "event": rule.event},
    )  # fmt: skip
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


def _during(
    run: Run,
    source: str,
    day: dt.date,
    start: str,
    end: str,
    longitude: str,
    latitude: str,
    fields: dict[str, str],
    test: str = "TRUE",
) -> list[dict[str, Any]]:
    """Return the accepted rows of a source that last into `day`, with their `end` and `zone`."""
    path = literal(run.read(f"accepted/{source}.parquet"))
    told = ", ".join(f"{quote(column)} AS {quote(name)}" for name, column in fields.items())
    rows = store.records(
        run.con,
        f"SELECT {told}, {quote(end)} AS end_at, {quote(longitude)} AS lon, "
        f"{quote(latitude)} AS lat FROM read_parquet({path}) WHERE {test} "
        f"AND CAST({quote(start)} AS DATE) <= ? AND CAST({quote(end)} AS DATE) >= ? ORDER BY ALL",
        [day, day],
    )
    places = [[row.pop("lon"), row.pop("lat")] for row in rows]
    lon, lat = np.array(places, dtype=float).reshape(-1, 2).T
    for row, zone in zip(rows, _zones(run, lon, lat), strict=True):
        row["zone"] = zone
    return rows


def _zones(run: Run, lon: np.ndarray, lat: np.ndarray) -> list[str | None]:
    """Return the zone of the main division of each point. View `zones`."""
    about = run.city.about
    drawn = run.con.execute(
        "SELECT code, name, geometry FROM zones WHERE division = ? AND geometry IS NOT NULL "
        "ORDER BY code",
        [about.main_division],
    ).fetchall()
    if not drawn or not len(lon):
        return [None] * len(lon)
    codes, names, shapes = (list(column) for column in zip(*drawn, strict=True))
    x, y = project(lon, lat, about.crs)
    found = Zones.read(codes, names, shapes, about.crs).at(x, y)
    return [None if zone is None or zone == OUTSIDE else str(zone) for zone in found]
