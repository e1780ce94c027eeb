"""Where rows lie: shapes of any reference system as WGS 84, whole or as points in text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyproj
import shapely

from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import POINT, FileFormat

WGS84 = "OGC:CRS84"
POINT_DECIMALS = 7  # a centimetre
SHAPE_DECIMALS = 9  # of a shape brought to WGS 84: below the accuracy of any transformation
NO_POINT, OFF_THE_GLOBE = "forme", "forme:hors_du_globe"
Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Placing:
    """How shapes of a file are placed: the reference system they are in, and what is wanted."""

    to_wgs84: pyproj.Transformer | None
    points: tuple[str, ...]
    shapes: bool

    @property
    def wanted(self) -> bool:
        """Whether anybody asked where rows lie."""
        return self.shapes or bool(self.points)

    def place(
        self, drawn: Shapes, broken: npt.NDArray[np.bool_], first: int
    ) -> tuple[pa.Array, dict[str, pa.Array], pa.Array | None]:
        """Return the fault of each row, its point as text, and its shape (WKB) if wanted.

        `broken` tells the shapes that were there and could not be read; `first` is the number of
        the first row. A row that has no shape has no point, and no fault: its place is unknown.
        """
        none = shapely.is_missing(drawn) | shapely.is_empty(drawn)
        if self.shapes and none.any():
            self._refuse("une zone sans forme, ou de forme illisible", first + int(none.argmax()))
        drawn = shapely.force_2d(drawn)
        drawn[none] = None
        if self.to_wgs84 is not None:
            drawn = shapely.transform(drawn, self._moved)
        off = _off_the_globe(drawn)
        if self.shapes and off.any():
            self._refuse(
                "une zone hors du globe : ses coordonnées ne sont pas des degrés",
                first + int(off.argmax()),
            )
        faults, columns = self._points(drawn, broken, off)
        geometry = pa.array(shapely.to_wkb(drawn), pa.binary()) if self.shapes else None
        return faults, columns, geometry

    def _moved(self, coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        assert self.to_wgs84 is not None
        x, y = self.to_wgs84.transform(coordinates[:, 0], coordinates[:, 1])
        return np.round(np.column_stack([x, y]), SHAPE_DECIMALS)

    def _points(
        self, drawn: Shapes, broken: npt.NDArray[np.bool_], off: npt.NDArray[np.bool_]
    ) -> tuple[pa.Array, dict[str, pa.Array]]:
        faults = np.full(len(drawn), None, object)
        if not self.points:
            return pa.array(faults, pa.string()), {}
        # Publishers write a lone point as a multipoint now and then.
        multi = (shapely.get_type_id(drawn) == 4) & (shapely.get_num_geometries(drawn) == 1)
        points = np.where(multi, shapely.get_geometry(drawn, 0), drawn)
        is_point = shapely.get_type_id(points) == 0
        faults[broken | ~(is_point | shapely.is_missing(points))] = NO_POINT
        faults[is_point & off] = OFF_THE_GLOBE
        known = is_point & ~off
        values = zip(POINT, (shapely.get_x(points), shapely.get_y(points)), strict=True)
        columns = {name: _degrees(value, known) for name, value in values if name in self.points}
        return pa.array(faults, pa.string()), columns

    def _refuse(self, what: str, row: int) -> None:
        raise PhareError(
            what,
            f"{redact.FILE}, ligne {row}",
            "corriger cette zone à la source, ou le système de coordonnées que dit le fichier",
        )


def _off_the_globe(drawn: Shapes) -> npt.NDArray[np.bool_]:
    bounds = shapely.bounds(drawn)
    inside = (np.abs(bounds[:, [0, 2]]) <= 180).all(1) & (np.abs(bounds[:, [1, 3]]) <= 90).all(1)
    off: npt.NDArray[np.bool_] = ~inside & ~shapely.is_missing(drawn)
    return off


def _degrees(values: npt.NDArray[np.float64], known: npt.NDArray[np.bool_]) -> pa.Array:
    # Adding zero takes the sign off a zero that rounding left negative.
    rounded = np.round(np.where(known, values, 0.0), POINT_DECIMALS) + 0.0
    return pa.array(np.char.mod(f"%.{POINT_DECIMALS}f", rounded), pa.string(), mask=~known)


def placing(layout: FileFormat, permitted: Collection[str], shapes: bool, crs: Any) -> Placing:
    """Return how to place what is drawn in `crs`: what pyproj understands, or None if not told.

    What the file says counts; the contract's `crs` fills in for a file that says nothing.
    """
    points = tuple(name for name in POINT if name in permitted)
    said = crs or layout.crs
    if not (points or shapes):
        return Placing(None, (), False)
    if not said:
        raise PhareError(
            "le fichier ne dit pas dans quel système de coordonnées il est dessiné",
            redact.FILE,
            "livrer aussi son fichier .prj, ou écrire `crs` (EPSG:…) sous `file` dans le contrat",
        )
    try:
        system = pyproj.CRS.from_user_input(said)
        degrees = system.equals(WGS84, ignore_axis_order=True)
        move = None if degrees else pyproj.Transformer.from_crs(system, WGS84, always_xy=True)
    except pyproj.exceptions.ProjError:
        raise PhareError(
            "système de coordonnées inconnu",
            redact.FILE,
            "corriger `crs` dans le contrat, ou demander le fichier en WGS 84",
        ) from None
    return Placing(move, points, shapes)
