"""The map of an event: its place, the rings around it, the zones that they touch, by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from helpers.core.place_time.territory import project, unproject
from helpers.core.stage import zone_map
from helpers.events.slot_words import Row

FRAMES = {"wide": (600, 430), "narrow": (346, 190)}  # in pixels, on a screen and a phone
WINDOW = 2.3  # half of what is seen, northwards, in radii of the last ring
LEAST = 0.003  # of the window that a part of a zone must cover: less is an edge, not a place
DOT, LINE = 0.08, 0.028  # the place and a ring's stroke, in radii of the last ring
FAR_DOT = 150.0  # metres: a place on the map of the whole city
Features = list[dict[str, Any]]


def here(row: Row, crs: str) -> tuple[float, float] | None:
    """Return where an event is, in metres of `crs`; None where nobody told."""
    if row["longitude"] is None or row["latitude"] is None:
        return None
    x, y = project(np.array([row["longitude"]]), np.array([row["latitude"]]), crs)
    return float(x[0]), float(y[0])


def around(
    features: Features, at: tuple[float, float], last_m: float, crs: str
) -> dict[str, zone_map.Layout]:
    """Return frame → the zones around a place (metres), cut at the frame's edge; none in the sea.

    `features`: zones in degrees; `last_m`: the radius of the last ring.
    """
    found = {}
    for name, (width, height) in FRAMES.items():
        high = WINDOW * last_m
        wide = high * width / height
        square = shapely.box(at[0] - wide, at[1] - high, at[0] + wide, at[1] + high)
        cut = _degrees([square], crs)[0].bounds
        whole = (cut[2] - cut[0]) * (cut[3] - cut[1])
        seen = []
        for one in features:
            part = shapely.clip_by_rect(shapely.from_geojson(json.dumps(one["geometry"])), *cut)
            if part.area > LEAST * whole:
                seen.append(one | {"geometry": json.loads(shapely.to_geojson(part))})
        if seen:
            found[name] = zone_map.layout(seen, width, height)
    return found


def rings(at: tuple[float, float], radii_m: Sequence[float], crs: str) -> list[BaseGeometry]:
    """Return a place and the rings around it as shapes in degrees, to be marked."""
    last, middle = radii_m[-1], shapely.Point(at)
    drawn: list[BaseGeometry] = [middle.buffer(DOT * last)]
    drawn += [middle.buffer(r).difference(middle.buffer(r - LINE * last)) for r in radii_m]
    return _degrees(drawn, crs)


def spots(places: Sequence[tuple[float, float]], crs: str) -> list[BaseGeometry]:
    """Return places (metres) as shapes in degrees, to be marked on the map of the whole city."""
    return _degrees([shapely.Point(one).buffer(FAR_DOT) for one in dict.fromkeys(places)], crs)


def _degrees(shapes: Sequence[BaseGeometry], crs: str) -> list[BaseGeometry]:
    """Return shapes in degrees, their holes turned so that a fill leaves them empty."""
    moved = unproject(np.array(shapes, dtype=object), crs)
    return [shapely.normalize(one) for one in moved]
