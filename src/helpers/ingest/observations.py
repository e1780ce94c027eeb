"""Observations: what happened, when, in which cell and zones, and who started the record."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city import moments
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.core.city.names import NO_CATEGORY, NO_PLACE, OURS, OUTSIDE, SPOT
from helpers.core.city.observation_rule import ObservationRule
from helpers.core.place_time.calendar import skipped_hours
from helpers.core.place_time.territory import Floats, Zones, cell_names, coded, project
from helpers.ingest.knobs import Knobs

NOWHERE, ELSEWHERE = 0, 1  # positions of `no_place` and `outside` before the codes of the zones
PRECISIONS = ("point", "default", "zone", "none", "snapped")
TOLD = ("record", "started", "ended", "recorded", "level", "n", "category", "origin")
WHOLE_DAY = "INTERVAL 1 DAY - INTERVAL 1 SECOND"
DEFAULT_MINIMUM = 50  # rows: below, a point that comes back is a place where things happen
BATCH = 250_000  # rows placed at once


def skipped(when: str, zone: str) -> str:
    """Return the SQL test that a local time lies in an hour that the clock of `zone` skips."""
    hours = ", ".join(f"TIMESTAMP '{hour}'" for hour in skipped_hours(zone))
    return f"date_trunc('hour', {when}) IN ({hours})" if hours else "FALSE"


def existing(when: str, zone: str) -> str:
    """Return the SQL of a local time; one that the change to summer time skips, an hour later."""
    return f"CASE WHEN {skipped(when, zone)} THEN {when} + INTERVAL 1 HOUR ELSE {when} END"


def observe(
    con: duckdb.DuckDBPyConnection,
    city: City,
    contract: Contract,
    accepted: Path,
    zones: dict[str, Zones],
    knobs: Knobs,
    placed: Path,
) -> str:
    """Return the SQL of the accepted rows as observations; file `placed` holds them meanwhile.

    A point, as received, that holds more than `default_point_share` of the located rows of the
    source is a default point (the town hall, the station): it says that the place is not known.
    Points that are many, and that the grid of the door makes one (a market), are none. Nor is any
    of a source that says that its points are snapped: these tell the zone (but the one that the
    source names is surer), and no cell.
    """
    rule = contract.observation
    assert rule is not None
    zone = city.about.timezone
    store.view(con, "accepted", accepted)
    con.execute(f"CREATE OR REPLACE VIEW moments AS {_moments(contract, rule, zone)}")
    con.execute(
        f"CREATE OR REPLACE TABLE defaults AS SELECT lon, lat, {SPOT} FROM moments "
        f"WHERE {SPOT} IS NOT NULL AND NOT {rule.snapped_points} GROUP BY ALL "
        f"HAVING count(*) >= greatest({DEFAULT_MINIMUM}, "
        f"{knobs.default_point_share} * (SELECT count(lon) FROM moments))"
    )
    _write_placed(con, city, rule, zones, knobs.cell_size_m, placed)
    store.view(con, "placed", placed)
    columns = ", ".join(quote(f"zone_{name}") for name in city.about.divisions)
    levels = ", ".join(map(literal, moments.PRECISIONS))
    utc = {
        name: f"CAST(timezone('UTC', timezone({literal(zone)}, {name})) AS TIMESTAMP)"
        for name in ("started", "ended", "recorded")
    }
    return (
        f"SELECT {literal(contract.source)} AS source, category, {utc['started']} AS started_at, "
        f"{utc['ended']} AS ended_at, {utc['recorded']} AS recorded_at, "
        "date_trunc('hour', started) AS hour, date_trunc('hour', ended) AS hour_end, "
        f"[{levels}][level + 1] AS time_precision, cell, place_precision, {columns}, "
        "origin, n, record FROM placed"
    )


def _moments(contract: Contract, rule: ObservationRule, city_zone: str) -> str:
    """Return the SQL of when, what, where and by whom, as told by each accepted row.

    When: the wall time of the city's zone, whatever the contract's.
    """
    zone = contract.timezone or city_zone
    count = f"CAST({quote(rule.count)} AS BIGINT)" if rule.count else "CAST(1 AS BIGINT)"
    when = moments.of(rule.started_at, rule, contract.fields)
    ended = when.last
    if rule.ended_at:
        end = moments.of(rule.ended_at, rule, contract.fields).last
        ended = f"greatest({ended}, coalesce({end}, {ended}))"
    ended = existing(f"CAST({ended} AS TIMESTAMP)", zone)
    entered = moments.finest(contract.fields[rule.recorded_at]) if rule.recorded_at else 0
    recorded = f"CAST({quote(rule.recorded_at) if rule.recorded_at else 'NULL'} AS TIMESTAMP)"
    if rule.recorded_at and contract.fields[rule.recorded_at].month_end:
        recorded = f"{recorded} + {WHOLE_DAY}"  # the latest that it may be
    declared = "".join(
        f", CAST({quote(zone.field)} AS VARCHAR) AS {quote(_told(zone.division))}"
        for zone in rule.declared_zones
    )

    began, level, last = (quote(f"{OURS}{name}") for name in ("began", "level", "ended"))

    def local(when: str, level: str) -> str:
        return moments.in_city(when, level, zone, city_zone)

    return (
        f"SELECT record, {local(existing(began, zone), level)} AS started, "
        f"{local(last, level)} AS ended, "
        f"{local(existing(recorded, zone), str(entered))} AS recorded, {level} AS level, "
        f"{count} AS n, coalesce(CAST({quote(rule.category)} AS VARCHAR), '{NO_CATEGORY}') "
        f"AS category, {_origin(rule)} AS origin, {_coordinate(rule.longitude)} AS lon, "
        f"{_coordinate(rule.latitude)} AS lat, {SPOT if contract.point else 'NULL'} AS {SPOT}"
        f"{declared} "
        f"FROM (SELECT *, {when.first} AS {began}, CAST({when.level} AS INTEGER) AS {level}, "
        f"{ended} AS {last} FROM accepted)"
    )


def _coordinate(name: str | None) -> str:
    return f"CAST({quote(name)} AS DOUBLE)" if name else "CAST(NULL AS DOUBLE)"


def _told(division: str) -> str:
    """Return the name of the column of what the source says of the division."""
    return f"{OURS}declared {division}"


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


def _write_placed(
    con: duckdb.DuckDBPyConnection,
    city: City,
    rule: ObservationRule,
    zones: dict[str, Zones],
    cell_size_m: int,
    path: Path,
) -> None:
    """Write `moments` with cell, place_precision and one `zone_<division>` each to `path`.

    Batch by batch in this thread: PROJ keeps its state by thread, and dies with DuckDB's.
    """
    rows = con.execute(
        "SELECT moments.*, defaults.lon IS NOT NULL AS defaulted FROM moments LEFT JOIN defaults "
        f"ON moments.lon = defaults.lon AND moments.lat = defaults.lat "
        f"AND moments.{SPOT} = defaults.{SPOT}"
    ).to_arrow_reader(BATCH)
    none = pa.RecordBatch.from_pylist([], schema=rows.schema)
    schema = _place(none, city, rule, zones, cell_size_m).schema
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for batch in rows:
            file.write_batch(_place(batch, city, rule, zones, cell_size_m))


def _place(
    rows: pa.RecordBatch, city: City, rule: ObservationRule, zones: dict[str, Zones], cell_m: int
) -> pa.RecordBatch:
    lon, lat = (
        rows[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in ("lon", "lat")
    )
    defaulted = rows["defaulted"].to_numpy(zero_copy_only=False)
    lon, lat = np.where(defaulted, np.nan, lon), np.where(defaulted, np.nan, lat)
    x, y = project(lon, lat, city.about.crs, rule.coordinates_crs)
    placed = np.isfinite(x) & np.isfinite(y)
    found = {name: _zone_of(name, city, rule, zones, x, y, rows) for name in city.about.divisions}
    zoned = np.any([codes.indices.to_numpy() != NOWHERE for codes in found.values()], axis=0)
    point = PRECISIONS.index("snapped" if rule.snapped_points else "point")
    precision = np.select([placed, defaulted, zoned], [point, 1, 2], 3).astype(np.int8)
    told = [rows[name] for name in TOLD]
    # A snapped point is in its zone, not in its cell: that of a crossing would gather facts.
    exact = np.where(rule.snapped_points, np.nan, x)
    places = [cell_names(exact, y, city.about.crs, cell_m), coded(precision, PRECISIONS)]
    names = [*TOLD, "cell", "place_precision", *(f"zone_{name}" for name in found)]
    return pa.RecordBatch.from_arrays([*told, *places, *found.values()], names)


def _zone_of(
    name: str,
    city: City,
    rule: ObservationRule,
    zones: dict[str, Zones],
    x: Floats,
    y: Floats,
    rows: pa.RecordBatch,
) -> pa.DictionaryArray:
    """Return the zone's code at each row; position 0 is `no_place`, 1 is `outside`."""
    listed = list(zones[name].codes) if name in zones else list(city.zone_names(name))
    known = np.isfinite(x) & np.isfinite(y)
    found = np.full(len(x), NOWHERE, dtype=np.int32)
    if name in zones:
        found[known] = zones[name].positions(x[known], y[known]) + 2
    told_of = [zone.division for zone in rule.declared_zones]
    named = next(
        (one for one in (name, city.about.divisions[name].grouping_of) if one in told_of), None
    )
    if named is not None:
        parts = {code: code for code in listed} if named == name else zones[name].parts
        declared = rows[_told(named)]
        position = (
            pc.index_in(declared, pa.array(list(parts), pa.string())).fill_null(-1).to_numpy()
        )
        of_part = np.array([listed.index(code) for code in parts.values()], dtype=np.int64)
        told = np.where(position >= 0, of_part[position], -1)
        # A list without shapes has no outside but what it does not name.
        unlisted = ELSEWHERE if name not in zones else NOWHERE
        unknown = declared.is_null().to_numpy(zero_copy_only=False)
        told = np.where(told >= 0, told + 2, np.where(unknown, NOWHERE, unlisted))
        # Whoever moved a point knew the zone before; the point that was moved may be in another.
        said = (found == NOWHERE) | (rule.snapped_points & (told > ELSEWHERE))
        found = np.where(said, told, found).astype(np.int32)
    return coded(found, [NO_PLACE, OUTSIDE, *listed])
