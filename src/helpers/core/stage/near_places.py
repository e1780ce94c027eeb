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
    A place was heard in a week when all the quarters that its zone and ring touch were.
    """

    zones: Floats
    rings: Floats
    controls: Floats
    heard: Heard


def around(
    con: duckdb.DuckDBPyConnection, city: City, at: Floats, theme: str, reach: Reach,
    wanted: str | None = None,
) -> Around:  # fmt: skip
    """Return the weekly counts of a theme, or of its category `wanted`, in and around all places.

    `at` (places, 2) are metres, NaN where one is not known. A fact is where the middle of its cell
    is. Of origins `reach.origins` alone: what agents record follows where they are sent. Views
    `cube`, `weeks` and `grades_weekly`.
    """
    mondays = full_weeks(city.about.period.start, city.about.period.end)
    size, monday = len(mondays), first_monday(city.about.period.start)
    rows = [
        (cell, zone, (week - monday) // WEEK, n)
        for category, cell, zone, week, n in counts(
            con, ["category", "cell", "zone", "week"], theme=theme, origins=reach.origins,
            division=city.about.main_division, span=(monday, monday + size * WEEK), placed=True,
        )
        if wanted in (None, category) and zone is not None
    ]  # fmt: skip
    zones, rings = np.zeros((len(at), size)), np.zeros((len(at), size))
    division = city.about.main_division
    quarters = [zone for zone, _ in counts(con, ["zone"], division=division, placed=True) if zone]
    controls = np.zeros((len(quarters), size))
    told = of_theme(con, city, theme, division, quarters, mondays)
    heard = Heard(np.ones((len(at), size), dtype=bool), told)
    if not rows:
        return Around(zones, rings, controls, heard)
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
    for one, where in set(zip(action[ringed].tolist(), quarter[ringed].tolist(), strict=True)):
        heard.areas[one] &= told[where]
    return Around(zones, rings, controls, heard)


def _nearest(middle: Floats, at: Floats) -> tuple[Ints, Floats]:
    """Return the nearest place of each cell, and how far (metres); ∞ where none is known."""
    away = np.hypot(*(middle[:, None] - at[None, :]).transpose(2, 0, 1))
    away = np.where(np.isnan(away), np.inf, away)
    return away.argmin(axis=1), away.min(axis=1)
