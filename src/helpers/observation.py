"""Observations: what happened, when, in which cell and zones, and who started the record."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.city import NO_PLACE, OUTSIDE, City, Division
from helpers.contract import Contract, ObservationRule, TimeParts
from helpers.store import literal, quote
from helpers.territory import Floats, Zones, cell_names, project

NO_CATEGORY = "sans_categorie"


def moment(when: str | TimeParts) -> str:
    """Return the SQL of the moment told by a column, or by several."""
    if isinstance(when, str):
        return f"CAST({quote(when)} AS TIMESTAMP)"
    month = quote(when.month) if when.month else "1"
    day = quote(when.day) if when.day else "1"
    hhmm = f"coalesce({quote(when.hhmm)}, 0)" if when.hhmm else "0"
    return (
        f"TRY(make_timestamp({quote(when.year)}, {month}, {day}, {hhmm} // 100, {hhmm} % 100, 0.0))"
    )


def observe(
    con: duckdb.DuckDBPyConnection,
    city: City,
    contract: Contract,
    zones: dict[str, Zones],
    cell_size_m: int,
) -> None:
    """Make table `observed` of the accepted rows in `sorted`, in the columns of observations."""
    rule = contract.observation
    assert rule is not None
    count = f"CAST({quote(rule.count)} AS BIGINT)" if rule.count else "CAST(1 AS BIGINT)"
    ended = f"coalesce({quote(rule.ended_at)}, started)" if rule.ended_at else "started"
    ended = (
        ended if rule.time_precision != "year" else "started + INTERVAL 1 YEAR - INTERVAL 1 HOUR"
    )
    recorded = (
        f"CAST({quote(rule.recorded_at)} AS TIMESTAMP)"
        if rule.recorded_at
        else "CAST(NULL AS TIMESTAMP)"
    )
    zone = literal(contract.timezone or city.about.timezone)
    con.execute(
        "CREATE OR REPLACE TABLE moments AS WITH base AS ("
        f"SELECT *, {moment(rule.started_at)} AS started FROM sorted WHERE fate IS NULL) "
        f"SELECT row_number, started, {ended} AS ended, {recorded} AS recorded, {count} AS n, "
        f"coalesce(CAST({quote(rule.category)} AS VARCHAR), '{NO_CATEGORY}') AS category, "
        f"{_origin(rule)} AS origin, {_coordinate(rule.longitude)} AS lon, "
        f"{_coordinate(rule.latitude)} AS lat, {_declared(rule)} AS declared FROM base"
    )
    con.register("placed", _places(con, city, rule, zones, cell_size_m))
    columns = ", ".join(f"placed.{quote(f'zone_{name}')}" for name in city.about.divisions)
    con.execute(
        "CREATE OR REPLACE TABLE observed AS SELECT "
        f"{literal(contract.source)} AS source, category, "
        f"CAST(timezone('UTC', timezone({zone}, started)) AS TIMESTAMP) AS started_at, "
        f"CAST(timezone('UTC', timezone({zone}, ended)) AS TIMESTAMP) AS ended_at, "
        f"CAST(timezone('UTC', timezone({zone}, recorded)) AS TIMESTAMP) AS recorded_at, "
        "date_trunc('hour', started) AS hour, date_trunc('hour', ended) AS hour_end, "
        f"{literal(rule.time_precision)} AS time_precision, cell, place_precision, {columns}, "
        "origin, n FROM moments JOIN placed USING (row_number)"
    )


def _coordinate(name: str | None) -> str:
    return f"CAST({quote(name)} AS DOUBLE)" if name else "CAST(NULL AS DOUBLE)"


def _declared(rule: ObservationRule) -> str:
    field = rule.declared_zone.field if rule.declared_zone else None
    return f"CAST({quote(field)} AS VARCHAR)" if field else "CAST(NULL AS VARCHAR)"


def _origin(rule: ObservationRule) -> str:
    if rule.origin.field is None:
        return literal(rule.origin.value or "unknown")
    whens = [
        f"WHEN {quote(rule.origin.field)} IN ({', '.join(literal(v) for v in values)}) "
        f"THEN {literal(name)}"
        for name, values in (("citizen", rule.origin.citizen), ("agent", rule.origin.agent))
        if values
    ]
    return f"CASE {' '.join(whens)} ELSE 'unknown' END"


def _places(
    con: duckdb.DuckDBPyConnection,
    city: City,
    rule: ObservationRule,
    zones: dict[str, Zones],
    cell_size_m: int,
) -> pa.Table:
    """Return row_number, cell, place_precision and one `zone_<division>` each, for `moments`."""
    rows = con.execute("SELECT row_number, lon, lat, declared FROM moments ORDER BY 1").fetchnumpy()
    lon, lat = (np.ma.filled(rows[c].astype(float), np.nan) for c in ("lon", "lat"))
    x, y = project(lon, lat, city.about.crs)
    placed = np.isfinite(x) & np.isfinite(y)
    declared: NDArray[np.object_] = np.ma.filled(
        np.ma.asarray(rows["declared"], dtype=object), None
    )
    data: dict[str, object] = {
        "row_number": rows["row_number"],
        "cell": pa.array(cell_names(x, y, city.about.crs, cell_size_m), pa.string()),
    }
    zoned = np.zeros(len(x), dtype=bool)
    for name, division in city.about.divisions.items():
        found = _zone_of(name, division, rule, zones, x, y, declared)
        zoned |= found != NO_PLACE
        data[f"zone_{name}"] = pa.array(found, pa.string())
    precision = np.where(placed, "point", np.where(zoned, "zone", "none"))
    data["place_precision"] = pa.array(precision, pa.string())
    return pa.table(data)


def _zone_of(
    name: str,
    division: Division,
    rule: ObservationRule,
    zones: dict[str, Zones],
    x: Floats,
    y: Floats,
    declared: NDArray[np.object_],
) -> NDArray[np.object_]:
    found = zones[name].at(x, y) if name in zones else np.full(len(x), None, dtype=object)
    unknown = found == np.array(None, dtype=object)
    if rule.declared_zone and rule.declared_zone.division == name:
        listed = set(zones[name].codes) if name in zones else set(division.zones)
        outside = NO_PLACE if name in zones else OUTSIDE
        told = np.array([d if d in listed else outside for d in declared], dtype=object)
        found = np.where(unknown, told, found)
        unknown = found == np.array(None, dtype=object)
    return np.where(unknown, NO_PLACE, found)
