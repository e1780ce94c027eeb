"""The points of facts, in memory alone: what is written is of cells and bands, never of points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base.store import literal, quote
from helpers.core.city.city import City
from helpers.core.place_time.calendar import last_window
from helpers.core.place_time.counts import Span
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
    files: Mapping[str, Path],
    first: dt.date,
    after: dt.date,
) -> Facts:
    """Return the placed and dated facts of a theme, from `first` to before `after`.

    In the order of a hash of their place and moment: any number of them from the start is a draw at
    random, which the city's key has no part in. Records of one point and one minute are one fact
    told several times (a row a victim). Points that stand for many places (defaults) are no places.
    View `observations`.
    """
    parts = [
        rows
        for source in city.themes[theme].sources
        if (rows := _of_source(con, city, theme, source, files[source], (first, after)))
    ]
    if not parts:
        none = np.array([], dtype=float)
        nowhere = none.astype(np.int64)
        return Facts(none, none, nowhere, nowhere)
    whole = {name: np.concatenate([rows[name] for rows in parts]) for name in parts[0]}
    # The facts of all sources in one order: the first of them are still a draw at random.
    order = np.argsort(whole["drawn"], kind="stable")
    zone = np.unique(whole["zone"][order], return_inverse=True)[1]
    return Facts(
        whole["x"][order], whole["y"][order], whole["day"][order].astype(np.int64),
        zone.astype(np.int64),
    )  # fmt: skip


def _of_source(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, source: str, path: Path, span: Span
) -> dict[str, NDArray[Any]] | None:
    """Return drawn (a hash), x, y, day, zone of a source's facts, (n,); None without points."""
    rule = city.contracts[source].observation
    if rule is None or rule.longitude is None or rule.latitude is None:
        return None
    rows = con.execute(
        "SELECT md5_number_lower(concat_ws('|', lon, lat, o.started_at)) AS drawn, "
        f"CAST({quote(rule.longitude)} AS DOUBLE) AS lon, "
        f"CAST({quote(rule.latitude)} AS DOUBLE) AS lat, "
        "date_diff('day', DATE '1970-01-01', o.started_at) AS day, "
        f"coalesce(min({quote('zone_' + city.about.main_division)}), '') AS zone "
        "FROM observations o JOIN "
        f"(SELECT record, {quote(rule.longitude)}, {quote(rule.latitude)} "
        f"FROM read_parquet({literal(path)})) a USING (record) "
        "WHERE o.theme = ? AND o.source = ? AND o.cell IS NOT NULL AND o.n > 0 "
        "AND o.time_precision IN ('minute', 'hour', 'day') "
        "AND o.started_at >= ? AND o.started_at < ? GROUP BY lon, lat, o.started_at "
        "ORDER BY drawn, lon, lat, day, zone",
        [theme, source, *span],
    ).fetchnumpy()
    lon, lat = (np.asarray(rows[name], dtype=float) for name in ("lon", "lat"))
    x, y = project(lon, lat, city.about.crs, rule.coordinates_crs)
    named = {"drawn": np.asarray(rows["drawn"]),
             "zone": np.asarray(rows["zone"], dtype=str)}  # fmt: skip
    return {**named, "x": x, "y": y, "day": np.asarray(rows["day"], dtype=np.int64)}


def by_theme(
    con: duckdb.DuckDBPyConnection, city: City, files: Mapping[str, Path], window_days: int
) -> dict[str, Facts]:
    """Return theme → its facts (`read_facts`) of the last days of the city's period.

    `files` gives the accepted rows of each source. View `observations`.
    """
    first, after = last_window(city, window_days)
    return {theme: read_facts(con, city, theme, files, first, after) for theme in city.themes}
