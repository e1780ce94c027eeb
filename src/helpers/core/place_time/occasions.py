"""What has a beginning, an end and a place: events and orders, as the pack's sources tell them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city.about import ClosuresRule, EventsRule
from helpers.core.city.city import City
from helpers.core.city.names import OUTSIDE
from helpers.core.place_time.territory import Zones, project

Floats = NDArray[np.float64]


def lasting(
    con: duckdb.DuckDBPyConnection, city: City, path: Path, rule: EventsRule | ClosuresRule,
    fields: dict[str, str], first: dt.date, last: dt.date, test: str = "TRUE",
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the accepted rows of `path` that last into the days `first` to `last`, both inclusive.

    Each has `fields` (name → column), `start_at`, `end_at` (local wall clock), `longitude`,
    `latitude` (degrees, None where unknown) and its `zone` of the main division, None where it has
    no place in it. In the order of what they tell, identifiers last: these are hashes, which
    another key orders anew. `test` is SQL that rows must pass. View `zones`.
    """
    told = {**fields, "start_at": rule.start, "end_at": rule.end,
            "longitude": rule.longitude, "latitude": rule.latitude}  # fmt: skip
    listed = ", ".join(f"{quote(column)} AS {quote(name)}" for name, column in told.items())
    held = city.contracts[rule.source].fields
    hashed = [name for name, column in told.items() if held[column].type == "id"]
    order = [*(name for name in told if name not in hashed), *hashed]
    rows = store.records(
        con,
        f"SELECT {listed} FROM read_parquet({literal(path)}) WHERE {test} "
        f"AND CAST({quote(rule.start)} AS DATE) <= ? AND CAST({quote(rule.end)} AS DATE) >= ? "
        f"ORDER BY {', '.join(map(quote, order))}",
        [last, first],
    )
    places = np.array([[row["longitude"], row["latitude"]] for row in rows], dtype=float)
    for row, zone in zip(rows, zones_at(con, city, *places.reshape(-1, 2).T), strict=True):
        row["zone"] = zone
    return rows


def zones_at(
    con: duckdb.DuckDBPyConnection, city: City, longitude: Floats, latitude: Floats,
    division: str = "",
) -> list[str | None]:  # fmt: skip
    """Return the zone of `division` (the main one) of each point (n,), degrees. View `zones`."""
    about = city.about
    drawn = con.execute(
        "SELECT code, name, geometry FROM zones WHERE division = ? AND geometry IS NOT NULL "
        "ORDER BY code",
        [division or about.main_division],
    ).fetchall()
    if not drawn or not len(longitude):
        return [None] * len(longitude)
    codes, names, shapes = (list(column) for column in zip(*drawn, strict=True))
    x, y = project(longitude, latitude, about.crs)
    found = Zones.read(codes, names, shapes, about.crs).at(x, y)
    return [None if zone is None or zone == OUTSIDE else str(zone) for zone in found]
