"""Facts an hour around each place of events: rings, the crowd's route, a control area.

Distances are from the middles of cells. A control area holds no cell of any place's rings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import shapely
from numpy.typing import NDArray

from helpers.core.city.city import City
from helpers.core.city.event_rules import EventRules
from helpers.core.place_time.counts import counts
from helpers.core.place_time.territory import cell_size, corners, project
from helpers.events.knobs import Knobs
from helpers.events.known import Event

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CONTROL, ROUTE = "control", "route"
NOWHERE = ""
WHOLE = "all"  # of the themes that the pack names


@dataclass(frozen=True)
class Facts:
    """Facts of cells with an hour, one row a group: positions in `cells`, `zones`, `themes`."""

    cells: list[str]
    centres: Floats
    zones: list[str]
    themes: tuple[str, ...]
    cell: Ints
    zone: Ints
    theme: Ints
    hour: Ints
    n: Ints
    first: dt.datetime
    hours: int


def read(
    con: duckdb.DuckDBPyConnection, city: City, rules: EventRules, knobs: Knobs
) -> Facts | None:
    """Return the facts of the rules' themes that are in force; None where no cell tells them.

    `hour` counts from the first hour of the city's period. View `cube`.
    """
    size = cell_size(con)
    themes = tuple(theme for theme in rules.themes if theme in city.themes)
    if size is None or not themes:
        return None
    rows = counts(con, ["theme", "cell", "zone", "hour"], themes=themes, origins=knobs.origins,
                  division=city.about.main_division)  # fmt: skip
    period = city.about.period
    first = dt.datetime.combine(period.start, dt.time())
    told, cells, zones, hours, n = (list(c) for c in zip(*rows, strict=True)) if rows else [[]] * 5
    names, cell = np.unique(np.array(cells, dtype=str), return_inverse=True)
    codes, zone = np.unique(np.array([z or NOWHERE for z in zones], dtype=str), return_inverse=True)
    since = (np.array(hours, dtype="datetime64[h]") - np.datetime64(first, "h")).astype(np.int64)
    span = ((period.end - period.start).days + 1) * 24
    inside = (since >= 0) & (since < span)
    theme = np.array([themes.index(one) for one in told], dtype=np.int64)
    centres, many = (
        corners(names.tolist()).astype(np.float64) + size / 2,
        np.array(n, dtype=np.int64),
    )
    return Facts(
        names.tolist(), centres, codes.tolist(), themes, cell[inside], zone[inside], theme[inside],
        since[inside], many[inside], first, span,
    )  # fmt: skip


@dataclass(frozen=True)
class Places:
    """Where short events are, a row a place: `at` metres (n, 2), `area` of each cell (n, cells).

    `areas` names what `area` points at: rings from the nearest, the route, the control; −1: none.
    """

    at: Floats
    areas: tuple[str, ...]
    area: NDArray[np.int8]
    near: NDArray[np.bool_]

    def position(self, event: Event) -> int | None:
        """Return the place of an event, None where it has none."""
        found = np.flatnonzero((self.at == (event.x, event.y)).all(axis=1))
        return int(found[0]) if len(found) else None


def ring_names(knobs: Knobs) -> tuple[str, ...]:
    """Return what rings are called: by the distance where they end, in metres."""
    return tuple(f"ring_{metres}" for metres in knobs.rings_m)


def places(
    events: Sequence[Event], facts: Facts, rules: EventRules, knobs: Knobs, crs: str
) -> Places:
    """Return the places of the events; two are `near` within reach of the last ring."""
    located = sorted({(e.x, e.y) for e in events if np.isfinite(e.x)})
    at = np.array(located, dtype=np.float64).reshape(-1, 2)
    rings = ring_names(knobs)
    areas = (*rings, ROUTE, CONTROL)
    away = np.hypot(*(facts.centres[None] - at[:, None]).transpose(2, 0, 1))
    within = away <= knobs.rings_m[-1]
    area = np.full(away.shape, -1, dtype=np.int8)
    witness = (away > knobs.control_m[0]) & (away <= knobs.control_m[1]) & ~within.any(axis=0)
    area[witness] = areas.index(CONTROL)
    for route in rules.routes:
        longitude, latitude = np.array(route.points, dtype=np.float64).T
        line = shapely.LineString(np.column_stack(project(longitude, latitude, crs)))
        along = shapely.distance(line, shapely.points(facts.centres)) <= route.width_m
        used = sorted({(e.x, e.y) for e in events if e.kind == route.kind})
        for row in (i for i, point in enumerate(located) if point in used):
            if shapely.distance(line, shapely.Point(at[row])) <= knobs.rings_m[-1]:
                area[row, along] = areas.index(ROUTE)
    area[within] = np.searchsorted(np.array(knobs.rings_m), away[within], side="left")
    apart = np.hypot(*(at[None] - at[:, None]).transpose(2, 0, 1))
    return Places(at, areas, area, apart <= knobs.rings_m[-1])


@dataclass
class Hourly:
    """Cumulative counts an hour of each place and area: `between` sums any hours of any days."""

    facts: Facts
    where: Places
    _summed: dict[tuple[int, int, str], Ints] = field(default_factory=dict)
    _rows: dict[int, Ints] = field(default_factory=dict)

    def between(self, place: int, area: str, theme: str, first: Ints, last: Ints) -> Floats:
        """Return the facts of an area from hour `first` to before `last`, both (n,).

        NaN where a part of these hours lies outside of the city's period.
        """
        whole = self._cumulative(place, self.where.areas.index(area), theme)
        inside = (first >= 0) & (last <= self.facts.hours)
        low, high = first.clip(0, self.facts.hours), last.clip(0, self.facts.hours)
        return np.where(inside, (whole[high] - whole[low]).astype(np.float64), np.nan)

    def by_zone(self, place: int, area: str) -> dict[str, Floats]:
        """Return zone → the facts of each hour in that zone's part of an area, all themes."""
        rows = self._near(place)
        own = rows[self.where.area[place, self.facts.cell[rows]] == self.where.areas.index(area)]
        found = {}
        for zone in np.unique(self.facts.zone[own]).tolist():
            there = own[self.facts.zone[own] == zone]
            hourly = np.bincount(self.facts.hour[there], self.facts.n[there], self.facts.hours)
            found[self.facts.zones[zone]] = hourly.astype(np.float64)
        return found

    def _near(self, place: int) -> Ints:
        if place not in self._rows:
            self._rows[place] = np.flatnonzero(self.where.area[place, self.facts.cell] >= 0)
        return self._rows[place]

    def _cumulative(self, place: int, area: int, theme: str) -> Ints:
        key = place, area, theme
        if key not in self._summed:
            rows = self._near(place)
            own = rows[self.where.area[place, self.facts.cell[rows]] == area]
            if theme != WHOLE:
                own = own[self.facts.theme[own] == self.facts.themes.index(theme)]
            hourly = np.bincount(self.facts.hour[own], self.facts.n[own], self.facts.hours)
            self._summed[key] = np.concatenate([[0], np.cumsum(hourly)]).astype(np.int64)
        return self._summed[key]
