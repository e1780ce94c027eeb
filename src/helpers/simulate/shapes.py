"""Quarters drawn from facts alone: unions of grid cells around each centre, in equal area.

The outline is the set of cells nearest to the centres (distance over the radius of a disc of the
quarter's area), its notches closed. Cells then go to quarters by a power diagram whose weights
are raised or lowered until each quarter holds its number of cells (Aurenhammer, Hoffmann and
Aronov 1998, least-squares assignment with capacities); a last repair moves single cells between
neighbours until counts are exact and quarters in one piece.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer
from scipy import ndimage

from helpers.simulate.repair import repair
from helpers.simulate.settings import Settings
from helpers.simulate.streams import Bools, Floats, Ints

MARGIN = 40  # cells around the outermost centres: room for the largest quarter
ROUNDS = 300  # of the power diagram; afterwards the repair is quicker
DEGREE_DECIMALS = 7  # about one centimetre


@dataclass(frozen=True)
class Quarters:
    """Facts of the quarters; `x`, `y` are the centres in cells of the grid."""

    code: tuple[str, ...]
    name: tuple[str, ...]
    district: tuple[str, ...]
    x: Floats
    y: Floats
    km2: Floats


@dataclass(frozen=True)
class Territory:
    """The city's cells: lower-left corner over the cell size (`east`, `north`), and quarter."""

    quarters: Quarters
    cell_m: int
    crs: str
    east: Ints
    north: Ints
    quarter: Ints


def read_quarters(path: Path, cell_m: int, crs: str) -> Quarters:
    """Read the facts of the quarters from `path` (CSV, centres in WGS 84, areas in km²)."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    to_metres = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    east, north = to_metres.transform(
        [float(row["lon_centre"]) for row in rows], [float(row["lat_centre"]) for row in rows]
    )
    return Quarters(
        tuple(row["code_quartier"] for row in rows),
        tuple(row["nom"] for row in rows),
        tuple(row["code_insee_arrondissement"] for row in rows),
        np.array(east) / cell_m,
        np.array(north) / cell_m,
        np.array([float(row["km2"]) for row in rows]),
    )


def build_territory(pack: Path, settings: Settings, crs: str) -> Territory:
    """Return the cells of the city, each with its quarter. No random number is used."""
    shapes = settings.shapes
    quarters = read_quarters(pack / shapes.facts, shapes.cell_m, crs)
    km2_per_cell = (shapes.cell_m / 1000) ** 2
    wanted = np.maximum(1, np.rint(quarters.km2 / km2_per_cell)).astype(np.int64)
    left, low = int(quarters.x.min()) - MARGIN, int(quarters.y.min()) - MARGIN
    xs = np.arange(left, int(quarters.x.max()) + MARGIN) + 0.5
    ys = np.arange(low, int(quarters.y.max()) + MARGIN) + 0.5
    squared = (xs[None, None, :] - quarters.x[:, None, None]) ** 2 + (
        ys[None, :, None] - quarters.y[:, None, None]
    ) ** 2
    inside = _outline(squared, wanted, shapes.closing_cells)
    labels = np.full(inside.shape, -1, dtype=np.int64)
    labels[inside] = _power_diagram(squared[:, inside], wanted)
    repair(labels, wanted, squared)
    row, column = np.nonzero(labels >= 0)
    return Territory(quarters, shapes.cell_m, crs, column + left, row + low, labels[row, column])


def _outline(squared: Floats, wanted: Ints, closing: int) -> Bools:
    """Return the mask of the city: exactly the cells wanted, notches closed, holes filled."""
    score = (squared / (wanted / np.pi)[:, None, None]).min(axis=0)
    reach = np.arange(-closing, closing + 1)
    disc = reach[:, None] ** 2 + reach[None, :] ** 2 <= closing**2
    total = int(wanted.sum())

    def closed(level: float) -> Bools:
        mask = ndimage.binary_closing(score <= level, disc)
        return np.asarray(ndimage.binary_fill_holes(mask), dtype=np.bool_)

    levels = np.unique(score)
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high) // 2
        if closed(levels[middle]).sum() >= total:
            high = middle
        else:
            low = middle + 1
    mask = closed(levels[low])
    while (excess := int(mask.sum()) - total) > 0:
        edge = np.argwhere(mask & ~ndimage.binary_erosion(mask))
        worst = np.argsort(-score[edge[:, 0], edge[:, 1]], kind="stable")[:excess]
        mask[edge[worst, 0], edge[worst, 1]] = False
    return mask


def _power_diagram(squared: Floats, wanted: Ints) -> Ints:
    """Return the quarter of each cell (columns of `squared`), counts near those wanted."""
    weights = wanted / np.pi
    best, least = np.zeros(squared.shape[1], dtype=np.int64), np.inf
    for done in range(ROUNDS):
        nearest = (squared - weights[:, None]).argmin(axis=0)
        lacking = wanted - np.bincount(nearest, minlength=len(wanted))
        wrong = np.abs(lacking).sum()
        if wrong < least:
            best, least = nearest, wrong
        weights = weights + 0.6 * lacking / np.sqrt(wanted) / (1 + done / 150)
    return best.astype(np.int64)


def write_geojson(territory: Territory, path: Path) -> None:
    """Write the quarters as polygons in WGS 84; each keeps a vertex at every cell corner.

    Shared corners have equal coordinates on both sides, so that no gap opens between quarters.
    """
    to_degrees = Transformer.from_crs(territory.crs, "EPSG:4326", always_xy=True)
    size = territory.cell_m

    def degrees(metres: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        corners = np.rint(metres / size) * size
        pairs = to_degrees.transform(corners[:, 0], corners[:, 1])
        return np.round(np.column_stack(pairs), DEGREE_DECIMALS)

    features = []
    facts = territory.quarters
    for index, code in enumerate(facts.code):
        own = territory.quarter == index
        east, north = territory.east[own] * size, territory.north[own] * size
        merged = shapely.union_all(shapely.box(east, north, east + size, north + size))
        shape = shapely.transform(shapely.segmentize(shapely.normalize(merged), size), degrees)
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "code": code,
                    "nom": facts.name[index],
                    "arrondissement": facts.district[index],
                },
                "geometry": json.loads(shapely.to_geojson(shapely.orient_polygons(shape))),
            }
        )
    lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features)
    text = f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'
    path.write_text(text, encoding="utf-8", newline="\n")
