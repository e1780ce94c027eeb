"""The ground of the simulated city: the quarters that the pack carries, cut by the grid of cells.

A cell that a border crosses counts once for each quarter: a fact of a quarter then lies within it.
Points are drawn in squares that lie wholly within one quarter's part of a cell; the thin strip
along borders stays empty.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from helpers.core.place_time.territory import in_metres, project
from helpers.simulate.settings import Settings
from helpers.simulate.streams import Bools, Floats, Ints

SQUARE_M = 10
EDGE = 0.03  # of a square: points stay 30 cm clear of its sides, more than roundings move them
BORDER_STEP_M = 0.5  # a border passes between two marks by less than half of this
NOWHERE = -1


@dataclass(frozen=True)
class Quarters:
    """Facts of the quarters."""

    code: tuple[str, ...]
    name: tuple[str, ...]
    district: tuple[str, ...]
    km2: Floats


@dataclass(frozen=True)
class Territory:
    """The city's cells, one row for each quarter's part of a cell.

    `east`, `north` are the cell's lower-left corner over the cell size, `area` the part's share of
    a whole cell. The squares of part i are those from `first[i]` on, `size[i]` of them; `square_at`
    tells the part of each square of the city's bounding box (east × north), or −1.
    """

    quarters: Quarters
    cell_m: int
    crs: str
    east: Ints
    north: Ints
    quarter: Ints
    area: Floats
    first: Ints
    size: Ints
    square_east: Ints
    square_north: Ints
    square_at: Ints
    corner: tuple[int, int]

    def points(self, cell: Ints, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return one point a cell in metres, uniform over the cell's part of its quarter."""
        size = len(cell)
        square = self.first[cell] + (rng.random(size) * self.size[cell]).astype(np.int64)
        at = rng.uniform(EDGE, 1 - EDGE, (2, size))
        return (
            (self.square_east[square] + at[0]) * SQUARE_M,
            (self.square_north[square] + at[1]) * SQUARE_M,
        )

    def settled(self, east: Floats, north: Floats) -> tuple[Ints, Floats, Floats]:
        """Return the cell of each point in metres (−1: outside, or on a border), and the point kept
        off the sides of its square: rounding degrees then never moves it to the cell beside."""
        column, row = np.floor(east / SQUARE_M), np.floor(north / SQUARE_M)
        x, y = column.astype(np.int64) - self.corner[0], row.astype(np.int64) - self.corner[1]
        table = self.square_at
        inside = (x >= 0) & (x < table.shape[0]) & (y >= 0) & (y < table.shape[1])
        cell = np.where(inside, table[np.where(inside, x, 0), np.where(inside, y, 0)], NOWHERE)
        return (
            cell,
            (column + np.clip(east / SQUARE_M - column, EDGE, 1 - EDGE)) * SQUARE_M,
            (row + np.clip(north / SQUARE_M - row, EDGE, 1 - EDGE)) * SQUARE_M,
        )

    def centres(self) -> Floats:
        """Return the centres of the cells in metres, shape (cells, 2): east, north."""
        corners = np.column_stack([self.east, self.north])
        return np.asarray((corners + 0.5) * self.cell_m, dtype=np.float64)

    def central(self) -> Bools:
        """Return whether each cell's part holds the centre of the cell, shape (cells,)."""
        there, *_ = self.settled(*self.centres().T)
        return np.asarray(there == np.arange(len(self.east)))

    def nearest(self, longitude: float, latitude: float) -> int:
        """Return the cell of the square nearest to a point in degrees."""
        east, north = project(np.array([longitude]), np.array([latitude]), self.crs)
        away = (self.square_east - east / SQUARE_M) ** 2 + (
            self.square_north - north / SQUARE_M
        ) ** 2
        return int(np.searchsorted(self.first, away.argmin(), side="right") - 1)


def build_territory(pack: Path, settings: Settings, crs: str) -> Territory:
    """Return the cells of the city, each with its quarter. No random number is used."""
    features = json.loads((pack / settings.shapes.outlines).read_text(encoding="utf-8"))["features"]
    shapes = in_metres(shapely.from_geojson([json.dumps(one["geometry"]) for one in features]), crs)
    facts = [one["properties"] for one in features]
    quarters = Quarters(
        tuple(one["code"] for one in facts),
        tuple(one["nom"] for one in facts),
        tuple(one["arrondissement"] for one in facts),
        shapely.area(shapes) / 1e6,
    )
    return _cut(quarters, shapes, settings.shapes.cell_m, crs)


def _cut(quarters: Quarters, shapes: np.ndarray, cell_m: int, crs: str) -> Territory:
    """Return the quarters cut by the grid: the squares, then the parts of cells they make up."""
    labels, corner = _labelled(shapes)
    column, row = np.nonzero(labels >= 0)
    a_side = cell_m // SQUARE_M
    east, north = column + corner[0], row + corner[1]
    keys = np.column_stack([labels[column, row], north // a_side, east // a_side])
    order = np.lexsort((east, north, *keys.T[::-1]))
    keys, east, north = keys[order], east[order], north[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(keys, axis=0) != 0).any(axis=1)])
    size = np.diff(np.r_[starts, len(keys)])
    part = np.repeat(np.arange(len(starts)), size)
    square_at = np.full(labels.shape, NOWHERE, dtype=np.int64)
    square_at[east - corner[0], north - corner[1]] = part
    return Territory(
        quarters, cell_m, crs, keys[starts, 2], keys[starts, 1], keys[starts, 0],
        size / a_side**2, starts, size, east, north, square_at, corner,
    )  # fmt: skip


def _labelled(shapes: np.ndarray) -> tuple[Ints, tuple[int, int]]:
    """Return the quarter of each square (east × north) wholly within one, else −1; the corner."""
    low, high = shapely.total_bounds(shapes).reshape(2, 2)
    corner = np.floor(low / SQUARE_M).astype(np.int64)
    labels = np.full(tuple(np.floor(high / SQUARE_M).astype(np.int64) - corner + 1), NOWHERE)
    for index, shape in enumerate(shapes):
        shapely.prepare(shape)
        first, last = np.floor(np.array(shape.bounds).reshape(2, 2) / SQUARE_M).astype(np.int64)
        x, y = np.arange(first[0], last[0] + 1), np.arange(first[1], last[1] + 1)
        inside = shapely.contains_xy(
            shape, (x[:, None] + 0.5) * SQUARE_M, (y[None, :] + 0.5) * SQUARE_M
        )
        view = labels[np.ix_(x - corner[0], y - corner[1])]
        labels[np.ix_(x - corner[0], y - corner[1])] = np.where(inside, index, view)
    borders = shapely.segmentize(shapely.boundary(shapes), BORDER_STEP_M)
    crossed = np.floor(shapely.get_coordinates(borders) / SQUARE_M).astype(np.int64) - corner
    labels[crossed[:, 0], crossed[:, 1]] = NOWHERE
    return labels, (int(corner[0]), int(corner[1]))
