"""From raw rows to observations and the cube: nothing dropped, nothing invented.

For each source, rows in = accepted + set aside (by a rule, as duplicates, as older versions, as
another content under the same key, outside the period).
After this module nobody sees a raw row: all read the cube.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.base.store import quote
from helpers.core.base.workspace import scratch
from helpers.core.base.yaml_models import among
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.core.city.contract_sql import Frame
from helpers.core.city.names import NO_PLACE, NO_THEME, OUTSIDE
from helpers.core.place_time.calendar import slot_of, working_day
from helpers.core.place_time.counts import DATED, HOURLY
from helpers.core.place_time.territory import Zones, bounds
from helpers.core.stage.receipts import read_receipts
from helpers.ingest import silent_columns
from helpers.ingest.divisions import read_zones, write_zones
from helpers.ingest.knobs import Knobs
from helpers.ingest.observations import observe
from helpers.ingest.sort_rows import sort_rows

DEFAULTED = "place_precision = 'default'"


def themes_table(city: City) -> pa.Table:
    """Return source, category, theme, severity of each category that a theme counts."""
    rows = [
        (source, category, name, theme.severity)
        for name, theme in city.themes.items()
        for source, categories in theme.parts.items()
        for category in dict.fromkeys(categories)
    ]
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    types = (pa.string(), pa.string(), pa.string(), pa.int64())
    names = ("source", "category", "theme", "severity")
    return pa.table({n: pa.array(c, t) for n, c, t in zip(names, columns, types, strict=True)})


def ingest(city: City, raw: Path, out: Path, knobs: Knobs) -> dict[str, dict[str, int]]:
    """Sort, place and count every source of the city; return the count of each fate a source.

    Writes under `out`: accepted/, quarantined/, observations.parquet, cube.parquet, zones.parquet.
    """
    observed = city.observed_sources()
    if not observed:
        raise PhareError(
            "aucune source d'observations", f"{city.pack.name}/city.yaml", "en déclarer une"
        )
    fates: dict[str, dict[str, int]] = {}
    receipts = read_receipts(raw)
    with scratch() as folder:
        con = store.connect(spill=folder)
        # The zones first: where the city is, which they tell, judges the points of the others.
        zones: dict[str, Zones] = {}
        for drawn in (True, False):
            for name, contract in city.contracts.items():
                if (contract.kind == "division") == drawn:
                    frame = _frame(city, contract, zones)
                    path, zone = raw / f"{name}.parquet", city.about.timezone
                    receipt = receipts[name]
                    fates[name] = sort_rows(
                        con, contract, path, out, zone, frame, city.about.period, receipt["order"],
                        silent_columns.silent(contract, receipt["files"]),
                    )  # fmt: skip
            if drawn:
                zones = read_zones(city, out).zones
        fates = {name: fates[name] for name in city.contracts}
        _check_covers(city, zones)
        parts = [folder / f"{name}.parquet" for name in observed]
        for name, part in zip(observed, parts, strict=True):
            accepted = out / "accepted" / f"{name}.parquet"
            query = observe(
                con,
                city,
                city.contracts[name],
                accepted,
                zones,
                knobs,
                part.with_suffix(".placed"),
            )
            store.spill(con, query, part)
        _write_cube(con, city, parts, out)
        write_zones(city, zones, knobs.map_tolerance_m, out / "zones.parquet")
        con.close()
    return fates


def _frame(city: City, contract: Contract, zones: dict[str, Zones]) -> Frame | None:
    """Return where the city's zones are, in the coordinates of a source of facts, if known."""
    rule = contract.observation
    if rule is None or rule.longitude is None:
        return None
    found = bounds(zones, city.about.crs, rule.coordinates_crs)
    return None if found is None else Frame(*found)


def _check_covers(city: City, zones: dict[str, Zones]) -> None:
    """Refuse a zone of `covers` that no division knows: it would cover nothing, and say nothing."""
    for name, contract in city.contracts.items():
        for cover in contract.covers:
            if not cover.zones:
                continue
            drawn = zones.get(cover.division)
            listed = city.about.divisions[cover.division].zones if drawn is None else drawn.codes
            known = [str(code) for code in listed]
            for zone in cover.zones:
                among(f"{city.pack.name}/contracts/{name}.yaml", "covers.zones", zone, known)


def _write_cube(con: duckdb.DuckDBPyConnection, city: City, parts: list[Path], out: Path) -> None:
    con.register("themes", themes_table(city))
    listed = ", ".join(store.literal(part) for part in parts)
    observations = out / "observations.parquet"
    store.write(
        con,
        f"SELECT coalesce(theme, '{NO_THEME}') AS theme, severity, o.* "
        f"FROM read_parquet([{listed}]) o LEFT JOIN themes USING (source, category)",
        observations,
    )
    store.view(con, "observations", observations)
    zones = ", ".join(quote(f"zone_{name}") for name in city.about.divisions)
    store.write(
        con,
        f"SELECT theme, source, category, cell, {zones}, hour, hour_end, "
        # Without an hour a fact is in no slot, and its day is that of the calendar.
        f"CASE WHEN {HOURLY} THEN {slot_of('hour', city.about.slots)} END AS slot, "
        f"CASE WHEN {HOURLY} THEN {working_day('hour', city.about.slots)} "
        f"WHEN {DATED} THEN CAST(hour AS DATE) END AS working_day, time_precision, origin, "
        "CAST(sum(n) AS BIGINT) AS n FROM observations GROUP BY ALL",
        out / "cube.parquet",
    )


def outs(out: Path) -> list[Path]:
    """Return the files that `ingest` wrote under `out`, ordered."""
    folders = [out / "accepted", out / "quarantined"]
    tables = [out / f"{name}.parquet" for name in ("observations", "cube", "zones")]
    return [*(path for folder in folders for path in sorted(folder.iterdir())), *tables]


def totals(city: City, cube: Path) -> dict[str, dict[str, int]]:
    """Return, for each division, the facts in its zones, outside of them, and without place.

    `cell` is the grid: facts in a cell, and without place.
    """
    con = store.connect()
    store.view(con, "cube", cube)
    found: dict[str, dict[str, int]] = {}
    columns = {"cell": "cell", **{name: f"zone_{name}" for name in city.about.divisions}}
    for name, column in columns.items():
        zone = quote(column)
        rows = con.execute(
            f"SELECT CASE WHEN {zone} IS NULL OR {zone} = '{NO_PLACE}' THEN '{NO_PLACE}' "
            f"WHEN {zone} = '{OUTSIDE}' THEN '{OUTSIDE}' ELSE 'inside' END, "
            "CAST(sum(n) AS BIGINT) FROM cube GROUP BY 1"
        ).fetchall()
        found[name] = {"inside": 0, OUTSIDE: 0, NO_PLACE: 0, **dict(rows)}
    con.close()
    return found


def default_points(city: City, out: Path) -> dict[str, dict[str, Any]]:
    """Return, of each source of points, how its points are taken, with how many facts.

    `points` taken for default ones, the `rows` that they hold, `located`: rows with a point at all;
    `snapped`: whether the source says that its points were moved.
    """
    con = store.connect()
    found = {}
    for name in city.observed_sources():
        contract = city.contracts[name]
        if contract.point is None or contract.observation is None:
            continue
        lon, lat = map(quote, contract.point)
        points, rows, located = con.execute(
            f"SELECT count(DISTINCT CASE WHEN {DEFAULTED} THEN row(lon, lat) END), "
            f"count(*) FILTER ({DEFAULTED}), count(*) FROM (SELECT record, place_precision "
            "FROM read_parquet(?) WHERE source = ?) JOIN "
            f"(SELECT record, {lon} AS lon, {lat} AS lat FROM read_parquet(?)) "
            "USING (record) WHERE lon IS NOT NULL AND lat IS NOT NULL",
            [str(out / "observations.parquet"), name, str(out / "accepted" / f"{name}.parquet")],
        ).fetchall()[0]
        snapped = contract.observation.snapped_points
        found[name] = {"points": points, "rows": rows, "located": located, "snapped": snapped}
    con.close()
    return found
