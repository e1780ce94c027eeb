"""GeoJSON: properties as columns, as written; shapes read by shapely, brought to WGS 84."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from helpers.connect import bytes as connect_bytes
from helpers.connect.json import BROKEN, DOCUMENT_BYTES, UNREADABLE, Offered, Row
from helpers.connect.placing import WGS84, Placing, placing
from helpers.connect.reading import BATCH_ROWS, Reading, assemble
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import FileFormat


class _Feature(msgspec.Struct):
    properties: msgspec.Raw
    geometry: msgspec.Raw = msgspec.Raw(b"null")


class _Named(msgspec.Struct):
    name: str = ""


class _System(msgspec.Struct):
    properties: _Named = msgspec.field(default_factory=_Named)


class _Collection(msgspec.Struct):
    features: list[msgspec.Raw]
    crs: _System | None = None


_collection = msgspec.json.Decoder(_Collection).decode
_feature = msgspec.json.Decoder(_Feature).decode
NOTHING = _Feature(msgspec.Raw(b""))


def read(layout: FileFormat, path: Path, permitted: Collection[str], *, shapes: bool) -> Reading:
    """Open a GeoJSON document, read whole. A member `crs` (of the 2008 form) is obeyed."""
    document = connect_bytes.whole(path, layout.encoding, DOCUMENT_BYTES)
    try:
        found = _collection(document)
    except UNREADABLE:
        raise _unreadable() from None
    if shapes and not found.features:
        raise _unreadable()
    system = found.crs.properties.name if found.crs else ""
    where = placing(layout, permitted, shapes, system or layout.crs or WGS84)
    survey = Offered(())
    for feature in found.features:
        _properties(survey, _parsed(feature))
    names = [name for name in survey.names if name in permitted]
    batches = _batches(found.features, Offered(permitted), names, where)
    return Reading([*survey.names, *where.points], batches)


def _unreadable(row: int = 0) -> PhareError:
    return PhareError(
        "GeoJSON illisible, ou sans zone, ou zone sans propriétés",
        redact.FILE + (f", ligne {row}" if row else ""),
        "vérifier le fichier livré et son encodage",
    )


def _parsed(feature: msgspec.Raw) -> _Feature:
    try:
        return _feature(feature)
    except UNREADABLE:
        return NOTHING


def _properties(offered: Offered, feature: _Feature) -> Row | None:
    """Return the permitted properties, or None where they cannot be read."""
    try:
        return offered.row(feature.properties)
    except UNREADABLE:
        return None


def _batches(
    features: list[msgspec.Raw], offered: Offered, names: list[str], where: Placing
) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(features), BATCH_ROWS):
        parsed = [_parsed(one) for one in features[start : start + BATCH_ROWS]]
        rows = [_properties(offered, one) for one in parsed]
        if where.shapes and None in rows:
            raise _unreadable(start + rows.index(None) + 1)
        faults = pa.array([BROKEN if row is None else None for row in rows], pa.string())
        columns = {
            name: pa.array([(row or {}).get(name) for row in rows], pa.string()) for name in names
        }
        numbers = pa.array(range(start + 1, start + 1 + len(rows)), pa.int64())
        geometry = None
        if where.wanted:
            given = np.array([bytes(one.geometry) for one in parsed], object)
            drawn = shapely.from_geojson(given, on_invalid="ignore")
            broken = shapely.is_missing(drawn) & (given != b"null")
            placed, points, geometry = where.place(drawn, broken, start + 1)
            faults = pc.coalesce(faults, placed)
            columns |= points
        yield assemble(numbers, faults, columns, geometry)
