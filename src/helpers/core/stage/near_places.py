"""Weekly counts in and around places: a circle, the ring around it, and the rest of the city."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.city.city import City
from helpers.core.city.names import Origin
from helpers.core.place_time.calendar import first_monday, full_weeks
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import of_theme
from helpers.core.place_time.territory import cell_size, corners
from helpers.core.stats.staggered_counts import Heard

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Row = tuple[str, str, int, int]  # cell, quarter, week, facts
WEEK = dt.timedelta(days=7)


class Reach(Protocol):
    """How far a place and its ring go (metres), and which origins count."""

    @property
    def zone_m(self) -> float: ...
    @property
    def ring_m(self) -> float: ...
    @property
    def origins(self) -> Collection[Origin]: ...


@dataclass(frozen=True)
class Around:
    """Weekly counts of one category: zones and rings (places, weeks), controls (quarters, weeks).

    Controls are the main division's zones, less all that lies in the zone or ring of any place.
    A place was heard in a week when all the quarters that its zone and ring touch were: those are
    `touched` (places, quarters), where any fact was counted.
    """

    zones: Floats
    rings: Floats
    controls: Floats
    heard: Heard
    touched: Bools


def around(
    con: duckdb.DuckDBPyConnection, city: City, at: Floats, theme: str, reach: Reach,
    wanted: str | None = None,
) -> Around:  # fmt: skip
    """Return the weekly counts of a theme, or of its category `wanted`, in and around all places.

    `at` (places, 2) are metres, NaN where one is not known. A fact is where the middle of its cell
    is. Of origins `reach.origins` alone: what agents record follows where they are sent. Views
    `cube`, `weeks` and `grades_weekly`.
    """
    mondays, span = _weeks(city)
    division = city.about.main_division
    rows = [
        row
        for category, row in _placed(con, city, span, reach.origins, theme=theme)
        if wanted in (None, category)
    ]
    quarters = _quarters(con, division)
    zones, rings, controls, touched = _laid(con, rows, at, quarters, len(mondays), reach)
    told = of_theme(con, city, theme, division, quarters, mondays)
    areas = np.ones(zones.shape, dtype=bool)
    for place, quarter in np.argwhere(touched):
        areas[place] &= told[quarter]
    return Around(zones, rings, controls, Heard(areas, told), touched)


def others(
    con: duckdb.DuckDBPyConnection, city: City, at: Floats, theme: str, wanted: str, reach: Reach
) -> dict[str, tuple[Floats, Floats]]:
    """Return category → its weekly zones and controls, as `around` counts them.

    All the categories of the theme's sources but `wanted`, of whatever theme, or of none.
    """
    mondays, span = _weeks(city)
    quarters = _quarters(con, city.about.main_division)
    by_category: dict[str, list[Row]] = {}
    for source in city.themes[theme].sources:
        for category, row in _placed(con, city, span, reach.origins, source=source):
            if category not in (None, wanted):
                by_category.setdefault(category, []).append(row)
    laid = {one: _laid(con, by_category[one], at, quarters, len(mondays), reach)
            for one in sorted(by_category)}  # fmt: skip
    return {one: (zones, controls) for one, (zones, _, controls, _) in laid.items()}


def unplaced(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, wanted: str, origins: Collection[Origin]
) -> Floats:
    """Return the weekly facts of a category that are in a quarter and in no cell (quarters, weeks).

    Quarters in the order of the controls of `around`.
    """
    mondays, span = _weeks(city)
    division = city.about.main_division
    place = {name: i for i, name in enumerate(_quarters(con, division))}
    found = np.zeros((len(place), len(mondays)))
    every = counts(con, ["category", "zone", "week"], theme=theme, origins=origins,
                   division=division, span=span, placed=True)  # fmt: skip
    for category, zone, week, n in every:
        if category == wanted and zone is not None:
            found[place[zone], (week - span[0]) // WEEK] += n
    for category, (_, zone, at, n) in _placed(con, city, span, origins, theme=theme):
        if category == wanted:
            found[place[zone], at] -= n
    return found


def _weeks(city: City) -> tuple[list[dt.date], tuple[dt.date, dt.date]]:
    """Return the whole weeks of the period, and their span: first day, day after the last."""
    period = city.about.period
    mondays, first = full_weeks(period.start, period.end), first_monday(period.start)
    return mondays, (first, first + len(mondays) * WEEK)


def _quarters(con: duckdb.DuckDBPyConnection, division: str) -> list[str]:
    return [zone for zone, _ in counts(con, ["zone"], division=division, placed=True) if zone]


def _placed(
    con: duckdb.DuckDBPyConnection, city: City, span: tuple[dt.date, dt.date],
    origins: Collection[Origin], theme: str | None = None, source: str | None = None,
) -> list[tuple[str | None, Row]]:  # fmt: skip
    """Return category, and cell, quarter, week, facts: of those in a cell and in a quarter."""
    rows = counts(
        con, ["category", "cell", "zone", "week"], theme=theme, source=source, origins=origins,
        division=city.about.main_division, span=span, placed=True,
    )  # fmt: skip
    return [
        (category, (cell, zone, (week - span[0]) // WEEK, n))
        for category, cell, zone, week, n in rows
        if zone is not None
    ]


def _laid(
    con: duckdb.DuckDBPyConnection, rows: list[Row], at: Floats, quarters: list[str], size: int,
    reach: Reach,
) -> tuple[Floats, Floats, Floats, Bools]:  # fmt: skip
    """Return zones, rings (places, weeks), controls (quarters, weeks), which quarters touched."""
    zones, rings = np.zeros((len(at), size)), np.zeros((len(at), size))
    controls = np.zeros((len(quarters), size))
    touched = np.zeros((len(at), len(quarters)), dtype=bool)
    if not rows:
        return zones, rings, controls, touched
    place = {name: i for i, name in enumerate(quarters)}
    cells, which = np.unique([cell for cell, *_ in rows], return_inverse=True)
    middle = corners(cells.tolist()) + (cell_size(con) or 0) / 2
    nearest, away = _nearest(middle.astype(np.float64), at)
    week = np.array([w for _, _, w, _ in rows])
    n = np.array([n for *_, n in rows], dtype=np.float64)
    quarter = np.array([place[zone] for _, zone, _, _ in rows])
    action, far = nearest[which], away[which]
    inside, ringed = far <= reach.zone_m, far <= reach.zone_m + reach.ring_m
    for table, row, kept in (
        (zones, action, inside), (rings, action, ringed & ~inside), (controls, quarter, ~ringed)
    ):  # fmt: skip
        np.add.at(table, (row[kept], week[kept]), n[kept])
    touched[action[ringed], quarter[ringed]] = True
    return zones, rings, controls, touched


def _nearest(middle: Floats, at: Floats) -> tuple[Ints, Floats]:
    """Return the nearest place of each cell, and how far (metres); ∞ where none is known."""
    away = np.hypot(*(middle[:, None] - at[None, :]).transpose(2, 0, 1))
    away = np.where(np.isnan(away), np.inf, away)
    return away.argmin(axis=1), away.min(axis=1)
