"""Cells and divisions: which square and which zones a point falls in, and shapes to draw."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from helpers.core.city.names import OUTSIDE

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WGS84 = "EPSG:4326"
# Side of the squares wholly within one zone, whose points need no test of their own.
SQUARE_M = 50


@cache
def _transformer(crs: str, origin: str) -> Transformer:
    return Transformer.from_crs(origin, crs, always_xy=True)


def project(x: Floats, y: Floats, crs: str, origin: str = WGS84) -> tuple[Floats, Floats]:
    """Return metres east and north in `crs` of coordinates in `origin`; shapes (n,), NaN stays."""
    east, north = _transformer(crs, origin).transform(x, y)
    return np.asarray(east, dtype=float), np.asarray(north, dtype=float)


def in_metres(shapes: NDArray[np.object_], crs: str) -> NDArray[np.object_]:
    """Return shapes given in WGS 84 degrees as shapes in metres of `crs`."""
    to = _transformer(crs, WGS84)
    moved: NDArray[np.object_] = shapely.transform(
        shapes, lambda xy: np.column_stack(to.transform(xy[:, 0], xy[:, 1]))
    )
    return moved


def unproject(shapes: NDArray[np.object_], crs: str) -> NDArray[np.object_]:
    """Return shapes given in metres of `crs` as shapes in WGS 84 degrees."""
    back = _transformer(WGS84, crs)
    moved: NDArray[np.object_] = shapely.transform(
        shapes, lambda xy: np.column_stack(back.transform(xy[:, 0], xy[:, 1]))
    )
    return moved


def coded(positions: NDArray[np.integer[Any]], names: Sequence[str]) -> pa.DictionaryArray:
    """Return the texts `names[positions]`; a negative position is null."""
    indices = pa.array(positions.astype(np.int32), mask=positions < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(names), pa.string()))


def cell_names(x: Floats, y: Floats, crs: str, size_m: int) -> pa.DictionaryArray:
    """Return the names of the squares of side `size_m` that hold the points, null where NaN.

    The form is INSEE's: lower left corner in metres, `CRS3035RES200mN…E…`.
    """
    code = CRS.from_user_input(crs).to_epsg()
    position = np.full(len(x), -1, dtype=np.int64)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    squares, position[known] = _squares(x[known], y[known], size_m)
    return coded(position, [f"CRS{code}RES{size_m}mN{n}E{e}" for e, n in squares * size_m])


def _squares(x: Floats, y: Floats, size_m: int) -> tuple[Ints, Ints]:
    """Return the squares that hold the points (k, 2: east, north, in sides), and each one's."""
    packed, of_point = np.unique(_packed(x, y, size_m), return_inverse=True)
    return _unpacked(packed), of_point


def _packed(x: Floats, y: Floats, size_m: int) -> Ints:
    """Return the square of each point as one number: it sorts ten times faster than a pair."""
    east, north = (np.floor(one / size_m).astype(np.int64) for one in (x, y))
    return np.asarray(east * 2**31 + north, dtype=np.int64)


def _unpacked(packed: Ints) -> Ints:
    """Return the squares (k, 2: east, north, in sides) that these numbers stand for."""
    east, north = np.divmod(packed, 2**31)
    wrapped = north >= 2**30
    return np.column_stack([east + wrapped, north - wrapped * 2**31])


@dataclass(frozen=True)
class Zones:
    """The zones of one division, ordered by code; `shapes` in metres of the city's CRS.

    `parts` gives, for zones that unite those of another division, code of the part → code.
    """

    codes: NDArray[np.object_]
    names: NDArray[np.object_]
    shapes: NDArray[np.object_]
    parts: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def read(codes: list[str], names: list[str], wkb: list[bytes], crs: str) -> Zones:
        """Return the zones whose WGS 84 shapes are given as WKB."""
        order = np.argsort(np.asarray(codes, dtype=str), kind="stable")
        degrees = shapely.from_wkb(np.asarray(wkb, dtype=object)[order])
        return Zones(
            np.asarray(codes, dtype=object)[order],
            np.asarray(names, dtype=object)[order],
            shapely.make_valid(in_metres(degrees, crs)),
        )

    def at(self, x: Floats, y: Floats) -> NDArray[np.object_]:
        """Return the code of the zone at each point (n,); `outside` where none, None where NaN."""
        found = np.full(len(x), OUTSIDE, dtype=object)
        known = np.isfinite(x) & np.isfinite(y)
        found[~known] = None
        position = self.positions(x[known], y[known])
        found[np.flatnonzero(known)[position >= 0]] = self.codes[position[position >= 0]]
        return found

    @cached_property
    def _tree(self) -> shapely.STRtree:
        shapely.prepare(self.shapes)
        return shapely.STRtree(self.shapes)

    @cached_property
    def _inside(self) -> dict[str, Ints]:
        """Squares met so far, as `_packed` in order, and the zone that each is wholly inside."""
        return {"square": np.empty(0, dtype=np.int64), "zone": np.empty(0, dtype=np.int64)}

    def positions(self, x: Floats, y: Floats) -> Ints:
        """Return the position of the zone at each point (n,), −1 outside of all.

        A point on a shared edge goes to the zone with the smallest code: never to two. Points of
        a square wholly inside one zone are not tested one by one, nor the same point twice.
        """
        packed, of_point = np.unique(_packed(x, y, SQUARE_M), return_inverse=True)
        found = self._whole(packed)[of_point]
        rest = np.flatnonzero(found < 0)
        points, of_rest = np.unique(x[rest] + 1j * y[rest], return_inverse=True)
        point, zone = self._tree.query(
            shapely.points(points.real, points.imag), predicate="intersects"
        )
        order = np.lexsort((-zone, point))
        at_point = np.full(len(points), -1, dtype=np.int64)
        at_point[point[order]] = zone[order]
        found[rest] = at_point[of_rest]
        return found

    def _whole(self, packed: Ints) -> Ints:
        """Return the zone that each square (n,) is wholly inside, −1 where none; in order."""
        known, zones = self._inside["square"], self._inside["zone"]
        new = np.setdiff1d(packed, known, assume_unique=True)
        if len(new):
            squares = _unpacked(new)
            # A centimetre larger: the sides of a square inside a zone are on no edge of the zone.
            low, high = squares * SQUARE_M - 0.01, (squares + 1) * SQUARE_M + 0.01
            boxes = shapely.box(low[:, 0], low[:, 1], high[:, 0], high[:, 1])
            whole = np.full(len(new), -1, dtype=np.int64)
            box, zone = self._tree.query(boxes, predicate="covered_by")
            whole[box] = zone
            at = np.searchsorted(known, new)
            known, zones = np.insert(known, at, new), np.insert(zones, at, whole)
            self._inside.update(square=known, zone=zones)
        return zones[np.searchsorted(known, packed)]

    def area_km2(self) -> Floats:
        """Return the areas in square kilometres, rounded to a square decametre."""
        return np.round(shapely.area(self.shapes) / 1e6, 4)

    def grouped(self, parent: list[str], titles: dict[str, str]) -> Zones:
        """Return the zones united by `parent`, the group's code of each zone in order of code."""
        groups = sorted(set(parent))
        of_zone = np.asarray(parent, dtype=str)
        shapes = [shapely.union_all(self.shapes[of_zone == group]) for group in groups]
        return Zones(
            np.asarray(groups, dtype=object),
            np.asarray([titles.get(group, group) for group in groups], dtype=object),
            np.asarray(shapes, dtype=object),
            dict(zip(self.codes, parent, strict=True)),
        )

    def drawable(self, crs: str, tolerance_m: float) -> NDArray[np.object_]:
        """Return the shapes in degrees, simplified together so that neighbours still touch.

        Coordinates are rounded to 1e-5° (about a metre); rings run clockwise, as the spherical
        geometry of Vega wants them.
        """
        simple = shapely.coverage_simplify(self.shapes, tolerance_m)
        degrees = unproject(np.asarray(simple, dtype=object), crs)
        rounded = shapely.transform(degrees, lambda xy: np.round(xy, 5))
        oriented: NDArray[np.object_] = shapely.orient_polygons(rounded, exterior_cw=True)
        return oriented


def bounds(
    zones: Mapping[str, Zones], crs: str, origin: str
) -> tuple[float, float, float, float] | None:
    """Return the bounds of all zones (west, south, east, north), in coordinates of `origin`."""
    if not zones:
        return None
    all_of_them = shapely.total_bounds(np.concatenate([one.shapes for one in zones.values()]))
    found = Transformer.from_crs(crs, origin, always_xy=True).transform_bounds(*all_of_them)
    return found[0], found[1], found[2], found[3]


CELL = re.compile(r"^CRS\d+RES(?P<size>\d+)mN(?P<north>-?\d+)E(?P<east>-?\d+)$")


def corners(cells: list[str]) -> NDArray[np.int64]:
    """Return the lower left corners (east, north) of the named cells, in metres; shape (n, 2)."""
    matches = [CELL.match(name) for name in cells]
    pairs = [(int(m["east"]), int(m["north"])) for m in matches if m]
    return np.asarray(pairs, dtype=np.int64).reshape(-1, 2)


def cell_size(con: duckdb.DuckDBPyConnection) -> int | None:
    """Return the side of the cells, in metres, as their names tell it. View `cube`.

    None where no fact is in a cell: sources that tell the zone alone, or snapped points.
    """
    name = con.execute("SELECT max(cell) FROM cube").fetchall()[0][0] or ""
    found = CELL.match(name)
    return None if found is None else int(found["size"])
