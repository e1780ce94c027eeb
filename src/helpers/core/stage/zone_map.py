"""A map of zones laid out once, for screens and figures alike: shapes, inset, labels, in pixels.

Where some zones are too small to be seen or aimed at, the part of the map that holds them is drawn
again, larger, in the corner that covers least land. Names stand on the zones that are to be named,
or beside those whose colour they would hide, the first of them first; one that finds no room
without hiding another is left to the table.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from helpers.core.stage import palette

PAD = 6.0  # pixels around the shapes
SMALL = 150.0  # square pixels under which a zone is too small
MANY = 4  # such zones that are worth an inset
MOST = 0.35  # of all zones that an inset is drawn for, the smallest
LARGER, LARGEST = 1.6, 4.0  # an inset enlarges as much at least, and at most
SIDE = 0.42  # of the frame's sides, at most, for the inset
FONT, CHARACTER = 13.0, 0.56  # a label's height in pixels; width of a character beside it
HIDDEN = 0.35  # of a named zone, at most, under a label, where there is room beside
Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Placed:
    """A zone's shape in pixels, y downwards; `inset`: drawn in the enlarged part."""

    code: str
    shape: BaseGeometry
    inset: bool

    @cached_property
    def d(self) -> str:
        """The shape as the `d` of an SVG path."""
        return path(self.shape)


@dataclass(frozen=True)
class Label:
    """A name, its middle at (x, y), and the point that it belongs to."""

    code: str
    text: str
    x: float
    y: float
    at: tuple[float, float]

    @property
    def box(self) -> Box:
        """The room that it takes."""
        half = len(self.text) * FONT * CHARACTER / 2 + 2
        return self.x - half, self.y - FONT * 0.7, self.x + half, self.y + FONT * 0.6

    @property
    def apart(self) -> bool:
        """Whether a line is needed to its point."""
        return math.hypot(self.x - self.at[0], self.y - self.at[1]) > FONT * 1.6


@dataclass(frozen=True)
class Fit:
    """How degrees become pixels: origin in degrees, pixels a degree, origin in pixels."""

    west: float
    north: float
    across: float
    down: float
    x0: float
    y0: float

    def pixels(self, shape: BaseGeometry) -> BaseGeometry:
        """Return a shape given in degrees."""

        def moved(xy: Any) -> Any:
            x = (xy[:, 0] - self.west) * self.across + self.x0
            return np.stack([x, (self.north - xy[:, 1]) * self.down + self.y0], axis=1)

        return shapely.transform(shape, moved)


@dataclass(frozen=True)
class Layout:
    """Where the shapes are: `of` the part that `frame` shows enlarged, where there is one."""

    width: int
    height: int
    placed: tuple[Placed, ...]
    of: Box | None
    frame: Box | None
    fit: Fit

    def marks(self, shapes: Iterable[BaseGeometry]) -> str:
        """Return shapes given in degrees, in the enlarged part too, as the `d` of an SVG path."""
        placed = [Placed("", self.fit.pixels(one), False) for one in shapes]
        larger: list[Placed] = []
        if self.of is not None and self.frame is not None:
            covered = shapely.box(*self.frame)
            larger = _enlarged(placed, self.of, self.frame)
            placed = [one for one in placed if not one.shape.intersects(covered)]
        return "".join(path(one.shape) for one in (*placed, *larger))


@dataclass(frozen=True)
class Zone:
    """How a zone is shown: colour, class, words, and what the page's control calls it."""

    fill: str
    kind: str
    words: str
    label: str = ""


def layout(features: list[dict[str, Any]], width: int, height: int) -> Layout:
    """Return the features (GeoJSON, degrees, `code`; at least one) fitted into the frame."""
    codes = [feature["properties"]["code"] for feature in features]
    drawn = [shapely.from_geojson(json.dumps(one["geometry"])) for one in features]
    fit = _fit(drawn, width, height)
    shapes = [fit.pixels(shape).simplify(0.35) for shape in drawn]
    of, frame = _inset(shapes, width, height)
    placed = [Placed(code, shape, False) for code, shape in zip(codes, shapes, strict=True)]
    if of is not None and frame is not None:
        placed += _enlarged(placed, of, frame)
    return Layout(width, height, tuple(placed), of, frame, fit)


def _fit(shapes: list[BaseGeometry], width: int, height: int) -> Fit:
    """Return how degrees become pixels: seen at the middle latitude, north up."""
    left, south, right, north = shapely.total_bounds(np.array(shapes, dtype=object))
    narrow = math.cos(math.radians((south + north) / 2))
    scale = min(
        (width - 2 * PAD) / max((right - left) * narrow, 1e-9),
        (height - 2 * PAD) / max(north - south, 1e-9),
    )
    x0 = (width - (right - left) * narrow * scale) / 2
    y0 = (height - (north - south) * scale) / 2
    return Fit(left, north, narrow * scale, scale, x0, y0)


def _inset(shapes: list[BaseGeometry], width: int, height: int) -> tuple[Box | None, Box | None]:
    """Return the part to be enlarged and where it goes; none where all zones can be seen."""
    ranked = sorted((shape for shape in shapes if shape.area < SMALL), key=lambda one: one.area)
    small = ranked[: math.ceil(MOST * len(shapes))]
    if len(small) < MANY:
        return None, None
    centres = np.array([[s.centroid.x, s.centroid.y] for s in small])
    middle = np.median(centres, axis=0)
    far = np.hypot(*(centres - middle).T)
    near = [s for s, d in zip(small, far, strict=True) if d <= np.quantile(far, 0.85)]
    left, top, right, bottom = shapely.total_bounds(np.array(near, dtype=object))
    of = (left - 3, top - 3, right + 3, bottom + 3)
    wide, high = of[2] - of[0], of[3] - of[1]
    scale = min(SIDE * width / wide, SIDE * 1.2 * height / high, LARGEST)
    if scale < LARGER:
        return None, None
    w, h = wide * scale, high * scale
    land = shapely.union_all(shapes)
    corners = [(x, y) for y in (height - h - 2, 2.0) for x in (2.0, width - w - 2)]
    boxes = [(x, y, x + w, y + h) for x, y in corners]
    frame = min(boxes, key=lambda box: round(land.intersection(shapely.box(*box)).area))
    return of, frame


def _enlarged(placed: Iterable[Placed], of: Box, frame: Box) -> list[Placed]:
    scale, window = (frame[2] - frame[0]) / (of[2] - of[0]), shapely.box(*of)
    origin, corner = np.array(of[:2]), np.array(frame[:2])
    found = []
    for one in placed:
        part = one.shape.buffer(0).intersection(window)
        if part.area > 0:
            larger = shapely.transform(part, lambda xy: (xy - origin) * scale + corner)
            found.append(Placed(one.code, larger, True))
    return found


def labels(found: Layout, named: Mapping[str, str]) -> Iterator[Label]:
    """Yield a label a named zone, on its larger drawing, that hides none before it, nor a colour.

    `named`: code → text of the zones to be named, the first to be served first.
    """
    placed, width, height, frame = found.placed, found.width, found.height, found.frame
    taken: list[Box] = []
    largest: dict[str, Placed] = {}
    for one in placed:
        if one.code in named and one.shape.area > getattr(largest.get(one.code), "shape", _NO).area:
            largest[one.code] = one
    for code, text in named.items():
        if code not in largest:
            continue
        one = largest[code]
        point = one.shape.representative_point()
        bars = [box for box in (frame,) if box is not None and not one.inset]
        chosen: Label | None = None
        for x, y in _around(point.x, point.y):
            label = Label(code, text, *_within(x, y, text, width, height), (point.x, point.y))
            if any(_meet(label.box, box) for box in (*taken, *bars)):
                continue
            chosen = chosen or label  # the nearest, where none leaves all colours seen
            if not any(_hides(label.box, other) for other in largest.values()):
                chosen = label
                break
        if chosen is not None:
            taken.append(chosen.box)
            yield chosen


_NO = shapely.Point()


def _around(x: float, y: float) -> Iterator[tuple[float, float]]:
    """Yield places for a label, the nearest to its point first."""
    yield x, y
    for far in (1.2, 2.4, 3.6, 5.0):
        for east, north in ((0, -1), (0, 1), (2.2, -0.7), (-2.2, -0.7), (2.2, 0.7), (-2.2, 0.7)):
            yield x + east * far * FONT, y + north * far * FONT


def _within(x: float, y: float, text: str, width: int, height: int) -> tuple[float, float]:
    half = len(text) * FONT * CHARACTER / 2 + 2
    x = width / 2 if 2 * half > width else min(max(x, half), width - half)
    return x, min(max(y, FONT), height - FONT)


def _hides(box: Box, one: Placed) -> bool:
    """Whether a label there would hide too much of a zone to leave its colour seen."""
    if not _meet(box, one.shape.bounds):
        return False
    return shapely.clip_by_rect(one.shape, *box).area > HIDDEN * one.shape.area


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


# --- On screen -------------------------------------------------------------------------------


def svg(
    found: Layout,
    zones: Mapping[str, Zone],
    named: Mapping[str, str],
    title: str,
    chosen: str = "",
    marks: str = "",
) -> str:
    """Return the map as SVG; each zone is a button that bears its words and its code.

    `zones`: code → how it is shown; `named` as for `labels`; `marks`: shapes drawn over the zones
    (`Layout.marks`). One stop of the Tab key: arrows go from zone to zone
    (the page's own script), which only needs the order of the elements.
    """
    parts = [_coast(found)]
    stop = chosen or next((one.code for one in found.placed), "")
    parts += [
        _path(one, zones[one.code], one.code == stop) for one in found.placed if not one.inset
    ]
    if found.frame is not None and found.of is not None:
        parts += [_rect(found.of, "none"), _rect(found.frame, palette.PAPER)]
        parts += [_path(one, zones[one.code], False) for one in found.placed if one.inset]
        parts += [_rect(found.frame, "none")]
    if marks:
        parts.append(
            f'<path class="map-mark" aria-hidden="true" fill="{palette.HOT}" d="{marks}"/>'
        )
    parts += [
        f'<path class="map-chosen" d="{one.d}"/>' for one in found.placed if one.code == chosen
    ]
    parts += [_label(one) for one in labels(found, named)]
    inner = "".join(parts)
    return (
        f'<svg class="map" viewBox="0 0 {found.width} {found.height}" role="group" '
        f'aria-label="{escape(title, quote=True)}">{inner}</svg>'
    )


def path(shape: BaseGeometry) -> str:
    """Return the shape as the `d` of an SVG path."""
    parts = []
    for polygon in shapely.get_parts(shape):
        if polygon.geom_type != "Polygon":
            continue
        for ring in (polygon.exterior, *polygon.interiors):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in ring.coords[:-1])
            parts.append(f"M{points}Z")
    return "".join(parts)


def _coast(found: Layout) -> str:
    """Return a pale line outside the whole: the sea and the neighbours begin there."""
    lines = "".join(one.d for one in found.placed if not one.inset)
    return f'<path class="map-coast" aria-hidden="true" d="{lines}"/>'


def _path(one: Placed, zone: Zone, stop: bool) -> str:
    drawn = f'class="map-zone map-{zone.kind}" data-zone="{escape(one.code, quote=True)}" '
    drawn += f'data-label="{escape(zone.label, quote=True)}" '
    drawn += f'fill="{zone.fill}" d="{one.d}"'
    words = escape(zone.words, quote=True)
    if one.inset:
        return f'<path {drawn} data-words="{words}" aria-hidden="true"/>'
    return (
        f'<path {drawn} role="button" aria-roledescription="zone" aria-label="{words}" '
        f'data-words="{words}" tabindex="{0 if stop else -1}"/>'
    )


def _rect(box: Box, fill: str) -> str:
    left, top, right, bottom = box
    return (
        f'<rect class="map-frame" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
        f'height="{bottom - top:.1f}" fill="{fill}"/>'
    )


def _label(one: Label) -> str:
    line = ""
    if one.apart:
        line = (
            f'<path class="map-leader" d="M{one.at[0]:.1f},{one.at[1]:.1f} '
            f'{one.x:.1f},{one.y:.1f}"/>'
        )
    return (
        f'<g class="map-label" aria-hidden="true">{line}<text x="{one.x:.1f}" y="{one.y:.1f}" '
        f'dy="0.32em">{escape(one.text)}</text></g>'
    )
