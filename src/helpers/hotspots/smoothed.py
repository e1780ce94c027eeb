"""The same facts as a smoothed picture: for the eye, beside the cells that are really apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import shapely

from helpers.core.city.city import City
from helpers.core.place_time.territory import CELL, corners, unproject
from helpers.core.stats.density import smoothed

LEVELS = (2, 4, 8)  # times the mean, from which a band begins


@dataclass(frozen=True)
class Band:
    """Where a theme's smoothed counts are at least `times` their mean: a shape, as GeoJSON."""

    times: int
    geometry: dict[str, Any]


def find(table: pa.Table, city: City, radius_m: float) -> dict[str, list[Band]]:
    """Return theme → its bands, of the themes that are ok in `table` (rows of `cells.SCHEMA`)."""
    found = {}
    for theme in city.themes:
        chosen = pa.compute.and_(
            pa.compute.equal(table["theme"], theme), pa.compute.equal(table["status"], "ok")
        )
        mine = table.filter(chosen)
        if mine.num_rows:
            found[theme] = bands(mine, radius_m, city.about.crs)
    return found


def bands(table: pa.Table, radius_m: float, crs: str) -> list[Band]:
    """Return where one theme's smoothed counts are so often their mean, the lowest band first.

    `table` has the rows of `cells.SCHEMA` of that theme; the kernel's standard deviation is half
    of `radius_m`, the neighbourhood of the cells that are judged. `crs` is that of the cells.
    """
    cells = table["cell"].to_pylist()
    corner = corners(cells)
    size = int(CELL.match(cells[0])["size"])  # type: ignore[index]  # a cell's name
    counts = table["n"].to_numpy().astype(float)
    ratio = smoothed(corner // size, counts, radius_m / 2 / size) / counts.mean()
    level = np.digitize(ratio, LEVELS)
    found = []
    for i, times in enumerate(LEVELS, 1):
        east, north = corner[level == i].T
        if not len(east):
            continue
        squares = shapely.box(east, north, east + size, north + size, ccw=False)
        whole = shapely.union_all(squares)
        degrees = unproject(np.asarray([whole], dtype=object), crs)[0]
        shape = shapely.transform(degrees, lambda xy: np.round(xy, 5))
        found.append(Band(times, json.loads(shapely.to_geojson(shape))))
    return found
