"""DATEX II traffic regulations, as the national platform DiaLog publishes them: read as rows.

Names are those of DATEX II 3 (`TrafficRegulationPublication`) with DiaLog's extension for geometry:
docs/guides/echanger-des-arretes.md cites both. One row is one kind of restriction of an order, in
one span of days, at one place. What is not one of the four kinds keeps the name that it came with:
the door, whose list does not have it, sets it aside and says so.
"""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import shapely

from helpers.connect import bytes as connect_bytes
from helpers.connect.json import DOCUMENT_BYTES
from helpers.connect.placing import WGS84, placing
from helpers.connect.reading import BATCH_ROWS, Reading, assemble
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import FileFormat

XSI = "{http://www.w3.org/2001/XMLSchema-instance}type"
RADIUS = "radius_m"  # a foreign member of our own points: how far around they hold
METRES = 111_320.0  # of a degree of latitude
# kind → the type of regulation that says it, and the element and its value
KINDS = {
    "noEntry": ("AccessRestriction", "accessRestrictionType", "noEntry"),
    "speedLimitation": ("SpeedLimit", "maxValue", "kilometresPerHour"),
    "parkingProhibited": (
        "StandingOrParkingRestriction", "standingOrParkingRestrictionType", "parkingProhibited"
    ),
    "alternateRoad": (
        "RoadOrCarriagewayOrLaneManagement", "roadOrCarriagewayOrLaneManagementType",
        "singleAlternateLineTraffic",
    ),
}  # fmt: skip
IN_FORCE = ("madeAndImplemented", "madeAndPartiallyImplemented", "madeButNotImplemented")
SOME = "_some"  # added to a kind that holds for some vehicles only
PLAIN = (("comparisonOperator", "lessThanOrEqualTo"), ("typeOfWeight", "maximumPermitted"))
COLUMNS = ("id", "number", "status", "kind", "speed", "start", "end", "recurring", RADIUS)
Tree = ET.Element


@dataclass(frozen=True)
class Period:
    """Hours (from, to) and days of the week within a span of days; none means all."""

    hours: tuple[tuple[str, str], ...] = ()
    days: tuple[str, ...] = ()


@dataclass(frozen=True)
class Span:
    """From when to when, as written with its offset; `end` is empty where there is none."""

    start: str
    end: str = ""
    periods: tuple[Period, ...] = ()


@dataclass(frozen=True)
class Only:
    """Whom a regulation holds for, or (`exempt`) does not: elements and values, all at once."""

    parts: tuple[tuple[str, str], ...]
    exempt: bool = False


@dataclass(frozen=True)
class Regulation:
    """One kind of restriction: when, where (GeoJSON texts), for whom; `speed` in km/h."""

    kind: str
    speed: str = ""
    spans: tuple[Span, ...] = ()
    places: tuple[str, ...] = ()
    only: tuple[Only, ...] = ()

    @property
    def named(self) -> str:
        """The kind, and whether it holds for some vehicles only: exemptions leave it for all."""
        return self.kind + (SOME if any(not one.exempt for one in self.only) else "")


@dataclass(frozen=True)
class Order:
    """An order: its identifier at the publisher, its number, how far it is, its restrictions."""

    id: str
    number: str
    status: str
    span: Span
    regulations: tuple[Regulation, ...]


class _NoDoctype(ET.TreeBuilder):
    """Refuses a document type: no entity is ever defined, hence none expanded or fetched."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise _unreadable("un document DATEX II n'a pas de DOCTYPE")


def _unreadable(what: str = "DATEX II illisible") -> PhareError:
    return PhareError(what, redact.FILE, "demander un TrafficRegulationPublication (DATEX II 3)")


def parse(document: bytes) -> list[Order]:
    """Return the orders of a publication; PhareError where it is none, or names an entity."""
    try:
        root = ET.XML(document, ET.XMLParser(target=_NoDoctype()))
    except (ET.ParseError, ValueError, RecursionError):
        raise _unreadable() from None
    if _type(root) != "TrafficRegulationPublication":
        raise _unreadable("ce n'est pas une publication d'arrêtés DATEX II")
    return [_order(one) for one in root.iter() if _name(one) == "trafficRegulationOrder"]


def _name(node: Tree) -> str:
    return node.tag.rpartition("}")[2]


def _type(node: Tree) -> str:
    return node.get(XSI, "").rpartition(":")[2]


def _children(node: Tree | None, name: str) -> list[Tree]:
    return [one for one in (node if node is not None else ()) if _name(one) == name]


def _at(node: Tree, *path: str) -> Tree | None:
    found: Tree | None = node
    for name in path:
        found = next(iter(_children(found, name)), None)
    return found


def _text(node: Tree, *path: str) -> str:
    found = _at(node, *path)
    return (found.text or "").strip() if found is not None else ""


def _order(node: Tree) -> Order:
    span = _span(node) or Span("")
    return Order(
        node.get("id", ""), _text(node, "regulationId"), _text(node, "status"), span,
        tuple(r for one in _children(node, "trafficRegulation") for r in _regulations(one)),
    )  # fmt: skip


def _span(node: Tree) -> Span | None:
    told = _at(node, "validityByOrder", "validityTimeSpecification")
    if told is None:
        return None
    return Span(
        _text(told, "overallStartTime"), _text(told, "overallEndTime"),
        tuple(_period(one) for one in _children(told, "validPeriod")),
    )  # fmt: skip


def _period(node: Tree) -> Period:
    return Period(
        tuple((_text(one, "startTimeOfPeriod"), _text(one, "endTimeOfPeriod"))
              for one in _children(node, "recurringTimePeriodOfDay")),
        tuple((day.text or "").strip() for one in _children(node, "recurringDayWeekMonthPeriod")
              for day in _children(one, "applicableDay")),
    )  # fmt: skip


def _regulations(node: Tree) -> Iterator[Regulation]:
    """Yield one regulation for each of the types that a node tells, under the same conditions."""
    leaves = [leaf for one in _children(node, "condition") for leaf in _leaves(one)]
    spans = tuple(s for one in leaves if _type(one) == "ValidityCondition" and (s := _span(one)))
    places = tuple(_place(one) for one in leaves if _type(one) == "LocationCondition")
    only = tuple(
        _whom(one) for one in leaves
        if _type(one) not in ("ValidityCondition", "LocationCondition")
    )  # fmt: skip
    turned = any(
        _text(one, "negate") == "true" for one in leaves
        if _type(one) in ("ValidityCondition", "LocationCondition", "ConditionSet")
    )  # fmt: skip
    for told in _children(node, "typeOfRegulation"):
        kind, speed = _kind(told)
        yield Regulation(f"negate/{kind}" if turned else kind, speed, spans, places, only)


def _leaves(node: Tree) -> Iterator[Tree]:
    """Yield the conditions of a set of them, however deep."""
    if _type(node) != "ConditionSet":
        yield node
        return
    if _text(node, "negate") == "true" or _text(node, "operator") not in ("and", "or"):
        yield node
    for one in _children(node, "conditions"):
        yield from _leaves(one)


def _kind(node: Tree) -> tuple[str, str]:
    """Return the kind, and its speed; of another one, the name that it came with."""
    told = _type(node)
    for kind, (of_type, element, value) in KINDS.items():
        if told != of_type:
            continue
        if kind == "speedLimitation":
            if _text(node, element, "unitOfMeasure") == value:
                return kind, _text(node, element, "numericValue")
            return f"{told}/{_text(node, element, 'unitOfMeasure')}", ""
        if _text(node, element) == value:
            return kind, ""
        return f"{told}/{_text(node, element)}", ""
    words = [(one.text or "").strip() for one in node.iter() if not len(one)]
    return "/".join([told or "typeOfRegulation", *[w for w in words if w.isalpha()][:1]]), ""


def _place(node: Tree) -> str:
    """Return the geometry of a place as GeoJSON: DiaLog's own, or the points that it names."""
    for one in node.iter():
        if _name(one) == "geoJsonGeometry":
            return (one.text or "").strip()
    points = [
        f"[{_text(one, 'longitude')},{_text(one, 'latitude')}]"
        for one in node.iter() if _name(one) == "pointCoordinates"
    ]  # fmt: skip
    if len(points) == 1:
        return f'{{"type":"Point","coordinates":{points[0]}}}'
    lines = f'{{"type":"LineString","coordinates":[{",".join(points)}]}}'
    return lines if points else ""


def _whom(node: Tree) -> Only:
    """Return whom a condition names: each value under it, by its element.

    DiaLog says of every maximum the same operator, and of every weight the same kind: left out.
    """
    held = [(_name(one), (one.text or "").strip()) for one in node.iter() if not len(one)]
    parts = tuple(one for one in held if one[0] != "negate" and one not in PLAIN)
    return Only(parts or ((_type(node), ""),), _text(node, "negate") == "true")


def rows_of(orders: list[Order]) -> Iterator[tuple[dict[str, str | None], str]]:
    """Yield each row (COLUMNS) with the GeoJSON of its place, "" where it has none.

    An order that is planned or withdrawn is of the kind of its status: it restricts nothing.
    """
    for order in orders:
        number = itertools.count(1)
        for one in order.regulations or (Regulation("trafficRegulation"),):
            for span, place in itertools.product(one.spans or (order.span,), one.places or ("",)):
                yield {
                    "id": f"{order.id}.{next(number)}", "number": order.number,
                    "status": order.status,
                    "kind": one.named if order.status in IN_FORCE else order.status or "status",
                    "speed": one.speed, "start": span.start, "end": span.end,
                    "recurring": "1" if span.periods else "0",
                }, place  # fmt: skip


def circle(drawn: Any, told: float | None) -> tuple[Any, int | None]:
    """Return the middle of a shape in degrees, and within how many metres all of it lies.

    `told`: the radius, where the publisher gives one of a point.
    """
    if drawn is None or drawn.is_empty:
        return None, None
    east = np.cos(np.radians((drawn.bounds[1] + drawn.bounds[3]) / 2)) * METRES
    flat = shapely.transform(drawn, lambda xy: xy * (east, METRES))
    centre = shapely.minimum_bounding_circle(flat).centroid
    radius = int(np.ceil(round(float(shapely.minimum_bounding_radius(flat)), 3)))
    middle = shapely.transform(centre, lambda xy: xy / (east, METRES))
    return (drawn if drawn.geom_type == "Point" else middle), round(told or radius)


def read(layout: FileFormat, path: Path, permitted: Collection[str], *, shapes: bool) -> Reading:
    """Open a publication, read whole; `@longitude`, `@latitude`: the middle of each place."""
    orders = parse(connect_bytes.whole(path, layout.encoding, DOCUMENT_BYTES))
    where = placing(layout, permitted, shapes, WGS84)
    names = [name for name in COLUMNS if name in permitted]
    return Reading([*COLUMNS, *where.points], _batches(orders, names, where))


def _batches(orders: list[Order], names: list[str], where: Any) -> Iterator[pa.RecordBatch]:
    rows, first = rows_of(orders), 1
    while some := list(itertools.islice(rows, BATCH_ROWS)):
        given = np.array([place or None for _, place in some], object)
        drawn = shapely.from_geojson(given, on_invalid="ignore")
        broken = shapely.is_missing(drawn) & (given != np.array(None))
        found = [circle(shape, _told(text)) for shape, text in zip(drawn, given, strict=True)]
        points = np.array([point for point, _ in found], object)
        for (row, _), (_, radius) in zip(some, found, strict=True):
            row[RADIUS] = None if radius is None else str(radius)
        numbers = pa.array(range(first, first + len(some)), pa.int64())
        faults, columns, geometry = where.place(points, broken, first)
        texts = {n: pa.array([row[n] for row, _ in some], pa.string()) for n in names}
        yield assemble(numbers, faults, {**texts, **columns}, geometry)
        first += len(some)


class _Around(msgspec.Struct):
    radius_m: float | None = None


def _told(text: str | None) -> float | None:
    """Return the radius that a point of ours tells, None where it tells none."""
    try:
        return msgspec.json.decode(text or "{}", type=_Around).radius_m
    except msgspec.MsgspecError:
        return None
