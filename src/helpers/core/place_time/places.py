"""The zones and what surroundings hold: exposure, features, what comes and goes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
import shapely
from numpy.typing import NDArray

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.city.surroundings import Dated, Surroundings
from helpers.core.place_time.calendar import full_weeks, last_days
from helpers.core.place_time.territory import Zones, project

Floats = NDArray[np.float64]


def zone_names(
    con: duckdb.DuckDBPyConnection, city: City, *, every: bool = False
) -> dict[str, str]:
    """Return code → name of the zones of the main division. View `zones`.

    With `every`, of all divisions; a code that two have keeps the name of the main one.
    """
    rows = con.execute(
        "SELECT code, name FROM zones WHERE division = ? OR ? "
        "ORDER BY division = ?, division, code",
        [city.about.main_division, every, city.about.main_division],
    ).fetchall()
    return dict(rows)


def sector_of(con: duckdb.DuckDBPyConnection, city: City) -> dict[str, str]:
    """Return zone → sector of the hours of patrol, of the main division's zones and of its own.

    Without such hours, each zone is its own. As facts tell it. View `cube`.
    """
    main = city.about.main_division
    own = city.about.patrols.division if city.about.patrols else main
    columns = store.quote(f"zone_{main}"), store.quote(f"zone_{own}")
    rows = con.execute(
        f"SELECT DISTINCT {', '.join(columns)} FROM cube "
        f"WHERE {columns[0]} IS NOT NULL AND {columns[1]} IS NOT NULL ORDER BY ALL"
    ).fetchall()
    named = city.zone_names(own)
    kept = {zone: sector for zone, sector in rows if sector in named or own == main}
    return kept | {sector: sector for sector in set(kept.values())}


@dataclass(frozen=True)
class Places:
    """The zones of the division that have a shape and an exposure, in order of code.

    `centres` (n, 2) are metres, `features` name → (n,); NaN where one is not known. `weekly` gives
    what comes and goes: name → number open in each of `weeks` (their Mondays), shape (n, weeks).
    """

    codes: list[str]
    names: list[str]
    centres: Floats
    exposure: Floats
    features: dict[str, Floats]
    weeks: list[dt.date]
    weekly: dict[str, Floats]
    left_out: int


def read_places(
    con: duckdb.DuckDBPyConnection, city: City, rules: Surroundings, window_days: int
) -> Places:
    """Return the zones and what they hold. Views `zones` and one for each of `rules.sources()`."""
    weeks = full_weeks(*last_days(city, window_days))
    rows = con.execute(
        "SELECT code, name, geometry FROM zones WHERE division = ? AND geometry IS NOT NULL "
        "ORDER BY code",
        [rules.division],
    ).fetchall()
    lasting = {name: f.field for name, f in rules.features.items() if f.field}
    columns = [rules.exposure.field, *lasting.values()]
    told = ", ".join(f"CAST({store.quote(name)} AS DOUBLE)" for name in columns)
    known = con.execute(
        f"SELECT {store.quote(rules.zone)}, {told} FROM {store.quote(rules.source)} ORDER BY ALL"
    ).fetchall()
    values = {row[0]: np.array(row[1:], dtype=float) for row in known}
    kept = [row for row in rows if row[0] in values and values[row[0]][0] > 0]
    if not kept:
        return Places([], [], np.zeros((0, 2)), np.zeros(0), {}, weeks, {}, len(rows))
    codes, names, shapes = (list(column) for column in zip(*kept, strict=True))
    zones = Zones.read(codes, names, shapes, city.about.crs)
    table = np.array([values[code] for code in codes])
    weekly = {
        name: open_each_week(con, city, f.dated, zones, weeks)
        for name, f in rules.features.items()
        if f.dated
    }
    features = {name: table[:, 1 + i] for i, name in enumerate(lasting)}
    middles = shapely.get_coordinates(shapely.centroid(zones.shapes))
    left = len(rows) - len(kept)
    return Places(codes, names, middles, table[:, 0], features, weeks, weekly, left)


def open_each_week(
    con: duckdb.DuckDBPyConnection, city: City, rule: Dated, zones: Zones, weeks: list[dt.date]
) -> Floats:
    """Return how many of the source's rows are open in each zone and week; (zones, weeks)."""
    told = {"x": rule.longitude, "y": rule.latitude, "start": rule.start, "end": rule.end}
    columns = con.execute(
        f"SELECT {', '.join(f'{store.quote(v)} AS {store.quote(k)}' for k, v in told.items())} "
        f"FROM {store.quote(rule.source)} WHERE list_contains(?, {store.quote(rule.field)}) "
        f"AND {store.quote(rule.longitude)} NOT NULL AND {store.quote(rule.latitude)} NOT NULL",
        [list(rule.values)],
    ).fetchnumpy()
    zone = zones.positions(*project(columns["x"], columns["y"], city.about.crs))
    start, end = (columns[name].astype("datetime64[D]") for name in ("start", "end"))
    monday = np.array(weeks, dtype="datetime64[D]")
    opened = (start[:, None] < monday + np.timedelta64(7, "D")) & (end[:, None] >= monday)
    found = np.zeros((len(zones.codes), len(weeks)))
    np.add.at(found, zone[zone >= 0], opened[zone >= 0].astype(float))
    return found
