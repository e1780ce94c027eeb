"""The points of facts, in memory alone: what is written is of cells and bands, never of points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base.store import literal, quote
from helpers.core.city.city import City
from helpers.core.place_time.calendar import window
from helpers.core.place_time.territory import project

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Facts:
    """Facts of one theme: metres east and north, day (an integer), zone's number, shapes (n,)."""

    x: Floats
    y: Floats
    day: Ints
    zone: Ints

    def __len__(self) -> int:
        return len(self.day)


def read_facts(
    con: duckdb.DuckDBPyConnection,
    city: City,
    theme: str,
    path: Path,
    first: dt.date,
    after: dt.date,
) -> Facts:
    """Return the placed and dated facts of a theme, from `first` to before `after`.

    In the order of their records' numbers, which are hashes: any number of them from the start is
    a draw at random. Records of one point and one minute are one fact told several times (a row a
    victim). Points that stand for many places (defaults) are no places. View `observations`.
    """
    rule = city.contracts[city.themes[theme].source].observation
    if rule is None or rule.longitude is None or rule.latitude is None:
        none = np.array([], dtype=float)
        nowhere = none.astype(np.int64)
        return Facts(none, none, nowhere, nowhere)
    rows = con.execute(
        f"SELECT min(record) AS first, CAST({quote(rule.longitude)} AS DOUBLE) AS lon, "
        f"CAST({quote(rule.latitude)} AS DOUBLE) AS lat, "
        "date_diff('day', DATE '1970-01-01', o.started_at) AS day, "
        f"coalesce(min({quote('zone_' + city.about.main_division)}), '') AS zone "
        "FROM observations o JOIN "
        f"(SELECT record, {quote(rule.longitude)}, {quote(rule.latitude)} "
        f"FROM read_parquet({literal(path)})) a USING (record) "
        "WHERE o.theme = ? AND o.source = ? AND o.cell IS NOT NULL AND o.n > 0 "
        "AND o.time_precision IN ('minute', 'hour', 'day') "
        "AND o.started_at >= ? AND o.started_at < ? GROUP BY lon, lat, o.started_at "
        "ORDER BY first, lon, lat, day",
        [theme, city.themes[theme].source, first, after],
    ).fetchnumpy()
    lon, lat = (np.asarray(rows[name], dtype=float) for name in ("lon", "lat"))
    x, y = project(lon, lat, city.about.crs, rule.coordinates_crs)
    zone = np.unique(np.asarray(rows["zone"], dtype=str), return_inverse=True)[1]
    return Facts(x, y, np.asarray(rows["day"], dtype=np.int64), zone.astype(np.int64))


def by_theme(
    con: duckdb.DuckDBPyConnection, city: City, files: Mapping[str, Path], window_days: int
) -> dict[str, Facts]:
    """Return theme → its facts (`read_facts`) of the last days of the city's period.

    `files` gives the accepted rows of each source. View `observations`.
    """
    first, after = window(city.about.period.end, window_days)
    return {
        theme: read_facts(con, city, theme, files[about.source], first, after)
        for theme, about in city.themes.items()
    }
