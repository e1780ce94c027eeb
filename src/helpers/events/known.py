"""All that is known of events, past and to come, with their orders: rows of the pack's sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np
import pyarrow as pa

from helpers.core.base.store import literal, quote
from helpers.core.city.about import ClosuresRule, EventsRule
from helpers.core.city.city import City
from helpers.core.city.event_rules import EventRules
from helpers.core.place_time import occasions
from helpers.core.place_time.territory import project

State = Literal["taken", "asked", "to_do", "unknown"]
CALENDAR = pa.schema(
    [
        ("event", pa.string()), ("kind", pa.string()), ("zone", pa.string()),
        ("longitude", pa.float64()), ("latitude", pa.float64()), ("start_at", pa.timestamp("us")),
        ("end_at", pa.timestamp("us")), ("setup_at", pa.timestamp("us")),
        ("teardown_at", pa.timestamp("us")), ("expected", pa.int64()), ("least", pa.int64()),
        ("most", pa.int64()), ("capacity", pa.int64()), ("status", pa.string()),
        ("allowed", pa.bool_()), ("orders", pa.list_(pa.string())), ("orders_signed", pa.int64()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Order:
    """An order: from when to when, where, within which distance (metres), signed on which day."""

    id: str
    kind: str
    event: str | None
    start: dt.datetime
    end: dt.datetime
    x: float
    y: float
    radius_m: float
    signed: dt.date | None


@dataclass(frozen=True)
class Event:
    """An event: `start` to `end`, occupied from `setup` to `teardown` (local wall clock).

    `x`, `y` are metres, NaN without a place. Crowds are None where nobody told: unknown is not
    zero. `measures`: field → how far, as the source writes it, or people in the register, whose
    fields are `entered`; `entry`: the partner's that it was taken over from; `orders`: its own,
    signed or not.
    """

    id: str
    kind: str
    zone: str | None
    longitude: float | None
    latitude: float | None
    x: float
    y: float
    start: dt.datetime
    end: dt.datetime
    setup: dt.datetime
    teardown: dt.datetime
    expected: int | None
    least: int | None
    most: int | None
    seen: int | None
    capacity: int | None
    outcome: str | None
    status: str
    allowed: bool
    measures: Mapping[str, Any]
    orders: tuple[Order, ...]
    entered: frozenset[str] = frozenset()
    entry: str | None = None

    @property
    def hours(self) -> float:
        """How long it lasts, in hours."""
        return (self.end - self.start).total_seconds() / 3600

    def signed(self, today: dt.date) -> list[Order]:
        """Return its orders that are signed by the end of `today`."""
        return [one for one in self.orders if one.signed is not None and one.signed <= today]


def read_orders(
    con: duckdb.DuckDBPyConnection, city: City, rules: EventRules, path: Path,
    first: dt.date, last: dt.date,
) -> list[Order]:  # fmt: skip
    """Return the orders in force some time in the days `first` to `last`. View `zones`."""
    rule = _closures(city)
    fields = {"id": rule.id, "kind": rule.kind, "event": rule.event, "radius_m": rule.radius_m,
              "signed": rules.signed}  # fmt: skip
    rows = occasions.lasting(con, city, path, rule, fields, first, last)
    return [
        Order(
            row["id"], row["kind"], row["event"], row["start_at"], row["end_at"], x, y,
            float(row["radius_m"] or 0), row["signed"],
        )
        for row, (x, y) in zip(rows, _metres(city, rows), strict=True)
    ]  # fmt: skip


def read_events(
    con: duckdb.DuckDBPyConnection, city: City, rules: EventRules, path: Path,
    orders: list[Order], first: dt.date, last: dt.date, entries: Path | None = None,
) -> list[Event]:  # fmt: skip
    """Return the events that last into the days `first` to `last`, in the order of their start.

    Those that will not take place (`dropped`) are left out. With them come those that a partner
    entered (`entries`) and that the city has not taken over yet. View `zones`.
    """
    rule = _events(city)
    measured = sorted({
        name for one in rules.classes.values() for m in one.measures
        for name in (m.field, m.field_count) if name
    })  # fmt: skip
    fields = {"id": rule.id, "kind": rule.kind, "expected": rule.size, "status": rule.status,
              **rules.fields.model_dump(exclude_none=True)}  # fmt: skip
    fields |= {f"measure {name}": name for name in measured}
    fields |= {"entry": rule.entries.taken_over} if rule.entries else {}
    dropped = ", ".join(literal(one) for one in rules.dropped) or "NULL"
    test = f"coalesce({quote(rule.status)} NOT IN ({dropped}), TRUE)"
    rows = occasions.lasting(con, city, path, rule, fields, first, last, test)
    if entries is not None and rule.entries is not None:
        held = city.contracts[rule.entries.source].fields
        told = {name: column for name, column in fields.items() if column in held}
        told["zone_told"] = rule.entries.zone
        alone = f"{test} AND {quote(rule.id)} NOT IN ({taken_over(city, path)})"
        more = occasions.lasting(con, city, entries, rule, told, first, last, alone)
        unsaid = dict.fromkeys(fields)
        rows += [{**unsaid, **row, "zone": row["zone"] or row["zone_told"]} for row in more]
    own: dict[str, list[Order]] = {}
    for order in orders:
        if order.event is not None:
            own.setdefault(order.event, []).append(order)
    found = [
        _event(row, at, rule, measured, own.get(row["id"], []))
        for row, at in zip(rows, _metres(city, rows), strict=True)
    ]
    return sorted(found, key=lambda one: (one.start, one.kind, one.zone or ""))


def taken_over(city: City, path: Path) -> str:
    """Return the SQL of the entries that the events of the file `path` come from."""
    rule = _events(city).entries
    assert rule is not None  # the caller has entries
    name = quote(rule.taken_over)
    return f"SELECT {name} FROM read_parquet({literal(path)}) WHERE {name} IS NOT NULL"


def _event(
    row: dict[str, Any], at: tuple[float, float], rule: EventsRule, measured: list[str],
    orders: list[Order],
) -> Event:  # fmt: skip
    start, end = row["start_at"], row["end_at"]
    return Event(
        row["id"], row["kind"], row["zone"], row["longitude"], row["latitude"], *at, start, end,
        min(row.get("setup") or start, start), max(row.get("teardown") or end, end),
        row["expected"], row.get("least"), row.get("most"), row.get("seen"),
        row.get("capacity") or None, row.get("outcome"), row["status"], row["status"] in rule.held,
        {name: row[f"measure {name}"] for name in measured},
        tuple(sorted(orders, key=lambda one: (one.kind, one.start))),
        entry=row.get("entry"),
    )  # fmt: skip


def calendar(events: list[Event], today: dt.date) -> pa.Table:
    """Return one row an event (schema `CALENDAR`), orders told by their kind."""
    rows = [
        {
            "event": one.id, "kind": one.kind, "zone": one.zone, "longitude": one.longitude,
            "latitude": one.latitude, "start_at": one.start, "end_at": one.end,
            "setup_at": one.setup, "teardown_at": one.teardown, "expected": one.expected,
            "least": one.least, "most": one.most, "capacity": one.capacity, "status": one.status,
            "allowed": one.allowed, "orders": sorted({o.kind for o in one.signed(today)}),
            "orders_signed": len(one.signed(today)),
        }
        for one in events
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CALENDAR)


def _metres(city: City, rows: list[dict[str, Any]]) -> list[tuple[float, float]]:
    degrees = np.array([[r["longitude"], r["latitude"]] for r in rows], dtype=float)
    longitude, latitude = degrees.reshape(-1, 2).T
    x, y = project(longitude, latitude, city.about.crs)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _events(city: City) -> EventsRule:
    assert city.about.agenda.events is not None  # `read_rules` refuses a pack without
    return city.about.agenda.events


def _closures(city: City) -> ClosuresRule:
    assert city.about.agenda.closures is not None  # `read_rules` refuses a pack without
    return city.about.agenda.closures
