"""Outlines of zones and cells, as GeoJSON, and the ground that maps are drawn on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import altair as alt
import duckdb
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from helpers.core.place_time.territory import CELL, corners, unproject
from helpers.core.stage import figure, palette, zone_map
from helpers.core.stage.zone_map import Box, Layout


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


def zone_chart(
    found: Layout,
    classes: Mapping[str, tuple[str, str]],
    colours: Mapping[str, str],
    named: Mapping[str, str],
) -> alt.LayerChart:
    """Return the map that apps draw (`zone_map`), as a chart: same shapes, inset, labels.

    `classes`: code → its class, as the legend calls it, and its words; `colours`: class → colour;
    `named` as for `zone_map.labels`. A zone without a class is not drawn.
    """
    colour = alt.Color(
        "properties.classe:N",
        title=None,
        scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        legend=alt.Legend(orient="top", symbolStrokeColor=palette.EDGE),
    )
    tip = alt.Tooltip("properties.mots:N", title="zone")
    layers = []
    for inset in (False, True):
        shapes = [
            _in_pixels(one.shape, {"classe": classes[one.code][0], "mots": classes[one.code][1]})
            for one in found.placed
            if one.inset == inset and one.code in classes
        ]
        if inset and found.frame is not None and found.of is not None:
            layers += [_box(found.of, None), _box(found.frame, palette.PAPER)]
        if shapes:
            drawn = _drawn(shapes).mark_geoshape(stroke=palette.OUTLINE, strokeWidth=0.5)
            layers.append(drawn.encode(color=colour, tooltip=tip))
        if inset and found.frame is not None:
            layers.append(_box(found.frame, None))
    texts = [{"nom": one.text, "x": one.x, "y": one.y} for one in zone_map.labels(found, named)]
    for halo in (True, False) if texts else ():
        layers.append(_names(texts, halo))
    return alt.layer(*layers).properties(width=found.width, height=found.height)


def _in_pixels(shape: BaseGeometry, told: dict[str, str]) -> dict[str, Any]:
    rounded = shapely.transform(shape, lambda xy: np.round(xy, 1))
    geometry = json.loads(shapely.to_geojson(rounded))
    return {"type": "Feature", "properties": told, "geometry": geometry}


def _drawn(shapes: list[dict[str, Any]]) -> alt.Chart:
    flat = {"type": "identity", "scale": 1, "translate": [0, 0]}
    return alt.Chart(figure.data(shapes)).project(**flat)


def _box(box: Box, fill: str | None) -> alt.Chart:
    drawn = _drawn([_in_pixels(shapely.box(*box), {})])
    return drawn.mark_geoshape(fill=fill, filled=fill is not None, stroke=palette.INK)


def _names(texts: list[dict[str, Any]], halo: bool) -> alt.Chart:
    edge = {"stroke": palette.PAPER, "strokeWidth": 3.5} if halo else {}
    x, y = (kind(f"{name}:Q", scale=None, axis=None) for kind, name in ((alt.X, "x"), (alt.Y, "y")))
    chart = alt.Chart(figure.data(texts)).mark_text(
        fontSize=zone_map.FONT, fontWeight="bold", color=palette.INK, **edge
    )
    return chart.encode(x=x, y=y, text="nom:N")


def base_map(features: list[dict[str, Any]]) -> alt.Chart:
    """Return the outlines of the zones: the ground that maps are drawn on."""
    return (
        alt.Chart(figure.data(features))
        .mark_geoshape(fill=palette.LAND, stroke=palette.EDGE, strokeWidth=0.5)
        .project(type="mercator")
    )
