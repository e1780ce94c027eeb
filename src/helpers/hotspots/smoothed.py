"""The same facts as a smoothed picture: for the eye, beside the cells that are really apart."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute
import shapely

from helpers.core.city.city import City
from helpers.core.place_time.territory import CELL, corners, unproject
from helpers.core.stage import figure
from helpers.core.stage.maps import base_map, zone_features
from helpers.core.stats.density import smoothed

LEVELS = {2: "2 à 4 fois la moyenne", 4: "4 à 8 fois", 8: "plus de 8 fois"}
COLOURS = ["#C6DBEF", "#6BAED6", "#08519C"]


def bands(table: pa.Table, radius_m: float, crs: str) -> list[dict[str, Any]]:
    """Return, as GeoJSON features, where one theme's smoothed counts are so often their mean.

    `table` has the rows of `hotspots.SCHEMA` of one theme that is ok; the kernel's standard
    deviation is half of `radius_m`, the neighbourhood of the cells that are judged.
    """
    cells = table["cell"].to_pylist()
    corner = corners(cells)
    size = int(CELL.match(cells[0])["size"])  # type: ignore[index]  # a cell's name
    counts = table["n"].to_numpy().astype(float)
    ratio = smoothed(corner // size, counts, radius_m / 2 / size) / counts.mean()
    level = np.digitize(ratio, list(LEVELS))
    found = []
    for i, words in enumerate(LEVELS.values(), 1):
        east, north = corner[level == i].T
        if not len(east):
            continue
        squares = shapely.box(east, north, east + size, north + size, ccw=False)
        whole = shapely.union_all(squares)
        degrees = unproject(np.asarray([whole], dtype=object), crs)[0]
        shape = shapely.transform(degrees, lambda xy: np.round(xy, 5))
        geometry = json.loads(shapely.to_geojson(shape))
        found.append({"type": "Feature", "properties": {"niveau": words}, "geometry": geometry})
    return found


def _outline(zones: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the zones as one feature: a hundred outlines, drawn for each theme, cost seconds."""
    shapes = [shapely.geometry.shape(zone["geometry"]) for zone in zones]
    whole = shapely.union_all(shapely.make_valid(shapes))
    return {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(whole))}


def draw(con: duckdb.DuckDBPyConnection, table: pa.Table, city: City, radius_m: float) -> Any:
    """Return a map a theme of its smoothed counts, in three bands. View `zones`."""
    ground = [_outline(zone_features(con, city.about.main_division))]
    scale = alt.Scale(domain=list(LEVELS.values()), range=COLOURS)
    colour = alt.Color("properties.niveau:N", title=None, scale=scale,
                       legend=alt.Legend(orient="top", labelLimit=260))  # fmt: skip
    maps = []
    for name, theme in city.themes.items():
        chosen = pa.compute.and_(
            pa.compute.equal(table["theme"], name), pa.compute.equal(table["status"], "ok")
        )
        mine = table.filter(chosen)
        if not mine.num_rows:
            continue
        shapes = (
            alt.Chart(figure.data(bands(mine, radius_m, city.about.crs)))
            .mark_geoshape(stroke=None)
            .encode(color=colour)
            .project(type="mercator")
        )
        title = alt.TitleParams(theme.title, fontSize=12, fontWeight="normal", offset=2)
        layers = alt.layer(base_map(ground), shapes)
        maps.append(layers.properties(width=240, height=220, title=title))
    return alt.concat(*maps, columns=3, spacing=8) if maps else figure.nothing()
