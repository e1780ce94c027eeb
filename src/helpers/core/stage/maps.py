"""Outlines of zones and cells, as GeoJSON, and the ground that maps are drawn on."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import duckdb
import numpy as np
import shapely

from helpers.core.place_time.territory import CELL, corners, unproject
from helpers.core.stage import figure, palette


def zone_features(con: duckdb.DuckDBPyConnection, division: str) -> list[dict[str, Any]]:
    """Return the division's drawn zones as GeoJSON features, with code and name. View `zones`."""
    rows = con.execute(
        "SELECT code, name, geometry FROM zones WHERE division = ? AND geometry IS NOT NULL "
        "ORDER BY code",
        [division],
    ).fetchall()
    return [
        {
            "type": "Feature",
            "properties": {"code": code, "nom": name},
            "geometry": json.loads(shapely.to_geojson(shapely.from_wkb(shape))),
        }
        for code, name, shape in rows
    ]


def cell_features(rows: list[dict[str, Any]], crs: str) -> list[dict[str, Any]]:
    """Return the rows, each with a `cell`, as GeoJSON squares in degrees."""
    if not rows:
        return []
    corner = corners([row["cell"] for row in rows])
    size = int(CELL.match(rows[0]["cell"])["size"])  # type: ignore[index]
    squares = shapely.box(corner[:, 0], corner[:, 1], corner[:, 0] + size, corner[:, 1] + size,
                          ccw=False)  # fmt: skip
    degrees = unproject(np.asarray(squares, dtype=object), crs)
    rounded = shapely.transform(degrees, lambda xy: np.round(xy, 5))
    return [
        {"type": "Feature", "properties": row, "geometry": json.loads(shapely.to_geojson(shape))}
        for row, shape in zip(rows, rounded, strict=True)
    ]


def base_map(features: list[dict[str, Any]]) -> alt.Chart:
    """Return the outlines of the zones: the ground that maps are drawn on."""
    return (
        alt.Chart(figure.data(features))
        .mark_geoshape(fill=palette.LAND, stroke=palette.EDGE, strokeWidth=0.5)
        .project(type="mercator")
    )
