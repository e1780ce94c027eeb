"""Cells and divisions: which square and which zones a point falls in, and shapes to draw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from helpers.city import OUTSIDE

Floats = NDArray[np.float64]


@cache
def _to_metres(crs: str) -> Transformer:
    return Transformer.from_crs("EPSG:4326", crs, always_xy=True)


def project(lon: Floats, lat: Floats, crs: str) -> tuple[Floats, Floats]:
    """Return metres east and north in `crs` of WGS 84 degrees; shapes (n,), NaN stays NaN."""
    x, y = _to_metres(crs).transform(lon, lat)
    return np.asarray(x, dtype=float), np.asarray(y, dtype=float)


def unproject(shapes: NDArray[np.object_], crs: str) -> NDArray[np.object_]:
    """Return shapes given in metres of `crs` as shapes in WGS 84 degrees."""
    back = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    moved: NDArray[np.object_] = shapely.transform(
        shapes, lambda xy: np.column_stack(back.transform(xy[:, 0], xy[:, 1]))
    )
    return moved


def cell_names(x: Floats, y: Floats, crs: str, size_m: int) -> NDArray[np.object_]:
    """Return the names of the squares of side `size_m` that hold the points, None where NaN.

    The form is INSEE's: lower left corner in metres, `CRS3035RES200mN…E…`.
    """
    code = CRS.from_user_input(crs).to_epsg()
    names = np.full(len(x), None, dtype=object)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    north = np.floor(y[known] / size_m).astype(np.int64) * size_m
    east = np.floor(x[known] / size_m).astype(np.int64) * size_m
    names[known] = [f"CRS{code}RES{size_m}mN{n}E{e}" for n, e in zip(north, east, strict=True)]
    return names


@dataclass(frozen=True)
class Zones:
    """The zones of one division, ordered by code; `shapes` in metres of the city's CRS."""

    codes: NDArray[np.object_]
    names: NDArray[np.object_]
    shapes: NDArray[np.object_]

    @staticmethod
    def read(codes: list[str], names: list[str], wkb: list[bytes], crs: str) -> Zones:
        """Return the zones whose WGS 84 shapes are given as WKB."""
        order = np.argsort(np.asarray(codes, dtype=str), kind="stable")
        degrees = shapely.from_wkb(np.asarray(wkb, dtype=object)[order])
        to = _to_metres(crs)
        metres = shapely.transform(
            degrees, lambda xy: np.column_stack(to.transform(xy[:, 0], xy[:, 1]))
        )
        return Zones(
            np.asarray(codes, dtype=object)[order],
            np.asarray(names, dtype=object)[order],
            shapely.make_valid(metres),
        )

    def at(self, x: Floats, y: Floats) -> NDArray[np.object_]:
        """Return the code of the zone at each point (n,); `outside` where none, None where NaN.

        A point on a shared edge goes to the zone with the smallest code: never to two.
        """
        found = np.full(len(x), OUTSIDE, dtype=object)
        known = np.isfinite(x) & np.isfinite(y)
        found[~known] = None
        rows = np.flatnonzero(known)
        tree = shapely.STRtree(self.shapes)
        point, zone = tree.query(shapely.points(x[rows], y[rows]), predicate="intersects")
        order = np.lexsort((-zone, point))
        found[rows[point[order]]] = self.codes[zone[order]]
        return found

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
