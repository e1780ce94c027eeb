"""The divisions of a city: read from their accepted sources, and written ready to be drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import shapely

from helpers.core.base import store
from helpers.core.base.store import quote
from helpers.core.city.city import City, Division
from helpers.core.place_time.territory import Zones


def read_zones(city: City, out: Path) -> dict[str, Zones]:
    """Return the zones of each drawn division, from the accepted division sources in `out`."""
    con = store.connect()
    zones: dict[str, Zones] = {}
    for name, division in city.about.divisions.items():
        if division.source:
            rows, named = _division_rows(con, division, out), city.zone_names(name)
            names = [named.get(code, code) for code in rows["code"]]
            zones[name] = Zones.read(rows["code"], names, rows["geometry"], city.about.crs)
    for name, division in city.about.divisions.items():
        if division.grouping_of:
            parent = city.about.divisions[division.grouping_of]
            group = quote(division.group_by or "")
            found = con.execute(
                f"SELECT CAST({group} AS VARCHAR) FROM read_parquet(?) "
                f"ORDER BY CAST({quote(parent.code)} AS VARCHAR)",
                [str(out / "accepted" / f"{parent.source}.parquet")],
            ).fetchall()
            children = zones[division.grouping_of]
            zones[name] = children.grouped([row[0] for row in found], division.zones)
    return zones


def _division_rows(
    con: duckdb.DuckDBPyConnection, division: Division, out: Path
) -> dict[str, list[Any]]:
    path = out / "accepted" / f"{division.source}.parquet"
    rows: dict[str, list[Any]] = store.table(
        con,
        f"SELECT CAST({quote(division.code)} AS VARCHAR) AS code, geometry "
        "FROM read_parquet(?) ORDER BY 1",
        [str(path)],
    ).to_pydict()
    return rows


def write_zones(city: City, zones: dict[str, Zones], tolerance_m: float, path: Path) -> None:
    """Write division, code, name, area_km2 and `geometry` (WKB, degrees, simplified to draw)."""
    parts: dict[str, list[Any]] = {c: [] for c in ("division", "code", "name", "area_km2")}
    shapes: list[bytes | None] = []
    for name, division in city.about.divisions.items():
        if name in zones:
            z = zones[name]
            codes, names, areas = list(z.codes), list(z.names), list(z.area_km2())
            shapes += list(shapely.to_wkb(z.drawable(city.about.crs, tolerance_m)))
        else:
            codes, names = list(division.zones), list(division.zones.values())
            areas, blank = [None] * len(codes), [None] * len(codes)
            shapes += blank
        for column, values in zip(parts, ([name] * len(codes), codes, names, areas), strict=True):
            parts[column] += values
    con = store.connect()
    con.register("zones", pa.table({**parts, "geometry": pa.array(shapes, pa.binary())}))
    store.write(con, "SELECT * FROM zones", path, order_by=["division", "code"])
