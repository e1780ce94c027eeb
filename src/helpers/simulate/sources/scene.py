"""What every vendor's file rests on: the ground, the clock, the codes, and what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from pyproj import Transformer

from helpers.simulate import columns
from helpers.simulate.defects import Labels, Place, written_place
from helpers.simulate.settings_sources import DefaultPoint, Sources
from helpers.simulate.streams import Floats, Ints, Moments, draw, stream
from helpers.simulate.territory import Territory


@dataclass(frozen=True)
class Facts:
    """One row a fact as a source meets it: the incident behind it (−1: none), its kind (a position
    in the source's own codes), who started the record, its cell (a position in the territory), its
    true place (metres) and moment (local wall clock, minutes)."""

    incident: Ints
    kind: Ints
    initiator: Ints
    cell: Ints
    east: Floats
    north: Floats
    moment: Moments


@dataclass(frozen=True)
class Part:
    """What is told at once: a year; at large scales one of several layers of it."""

    year: int
    layer: int = 0
    layers: int = 1

    @property
    def name(self) -> str:
        """What sets the part's files and streams apart; sorts in the order of time."""
        return str(self.year) if self.layers == 1 else f"{self.year}-{self.layer:03d}"

    def numbers(self, prefix: str, size: int, digits: int) -> pa.Array:
        """Return `PREFIXyear-number`, numbered from 1, or from the layer's own million."""
        first = self.layer * 10**digits
        return columns.numbered(f"{prefix}{self.year}-", first + np.arange(1, size + 1), digits)


@dataclass(frozen=True)
class Scene:
    """The city in which vendors work. `days` are those of the period, in the city's time zone."""

    territory: Territory
    days: Moments
    timezone: str
    seed: int
    scale: float
    families: dict[str, str]
    rules: Sources

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of incidents, in order; `families` gives the family of each."""
        return tuple(self.families)

    @property
    def end(self) -> np.datetime64:
        """The first moment after the period: what comes later is not delivered yet."""
        return np.datetime64(self.days[-1] + np.timedelta64(1, "D"), "m")

    @cached_property
    def _grid(self) -> Floats:
        """Return, for each cell, the degrees of its centre and how they change a metre away.

        Shape (cells, 6): longitude, latitude, then their change per metre east and per metre
        north. Within a few hundred metres a straight line is good to a centimetre, and costs a
        hundredth of projecting each point.
        """
        where = self.territory
        to_degrees = Transformer.from_crs(where.crs, "EPSG:4326", always_xy=True)
        half, east, north = where.cell_m / 2, where.east * where.cell_m, where.north * where.cell_m
        steps = ((half, half), (half + 1, half), (half, half + 1))
        at = [np.array(to_degrees.transform(east + dx, north + dy)) for dx, dy in steps]
        return np.concatenate([at[0], at[1] - at[0], at[2] - at[0]]).T

    def degrees(self, cell: Ints, east: Floats, north: Floats) -> tuple[Floats, Floats]:
        """Return longitude and latitude of points in, or not far from, their cell."""
        where, grid = self.territory, self._grid[cell]
        dx = east - (where.east[cell] + 0.5) * where.cell_m
        dy = north - (where.north[cell] + 0.5) * where.cell_m
        return (
            grid[:, 0] + grid[:, 2] * dx + grid[:, 4] * dy,
            grid[:, 1] + grid[:, 3] * dx + grid[:, 5] * dy,
        )

    def centres(self, cell: Ints) -> tuple[Floats, Floats]:
        """Return longitude and latitude of the centres of cells."""
        return self._grid[cell, 0], self._grid[cell, 1]

    def place(self, facts: Facts, labels: Labels, spread_m: float, use: str) -> Place:
        """Return where a source says that its facts took place, `spread_m` off, defects applied.

        The declared quarter is the true one: it is known where the point is not.
        """
        rng = stream(self.seed, f"{use}/place")
        off = rng.standard_normal((2, len(facts.cell))) * spread_m
        longitude, latitude = self.degrees(facts.cell, facts.east + off[0], facts.north + off[1])
        points = self.rules.default_points
        which = draw(np.array([one.share for one in points]), len(facts.cell), rng)
        return written_place(
            longitude,
            latitude,
            self.territory.quarter[facts.cell],
            labels,
            np.array([[one.longitude, one.latitude] for one in points]),
            np.array([self.quarter_at(one) for one in points]),
            which,
        )

    def quarter_at(self, point: DefaultPoint) -> int:
        """Return the quarter that holds the point, or the nearest one."""
        nearest = self.territory.nearest(point.longitude, point.latitude)
        return int(self.territory.quarter[nearest])

    @cached_property
    def districts(self) -> tuple[str, ...]:
        """The codes of the districts, in order."""
        return tuple(sorted(set(self.territory.quarters.district)))

    @cached_property
    def district_of(self) -> Ints:
        """The position of each quarter's district."""
        return np.array([self.districts.index(d) for d in self.territory.quarters.district])

    @cached_property
    def place_names(self) -> pa.Array:
        """The labels of places that log entries use: a landmark of a quarter, 6 a quarter."""
        return pa.array(
            [f"{mark} {name}" for name in self.territory.quarters.name for mark in LANDMARKS]
        )

    def landmarks(self, cell: Ints, use: str) -> pa.Array:
        """Return a label of place for each cell, drawn among those of its quarter."""
        which = stream(self.seed, f"{use}/landmark").integers(0, len(LANDMARKS), len(cell))
        position = self.territory.quarter[cell] * len(LANDMARKS) + which
        return pa.DictionaryArray.from_arrays(pa.array(position.astype(np.int32)), self.place_names)


LANDMARKS = ("secteur", "arrêt de bus", "place centrale", "parking", "marché", "abords du parc")
