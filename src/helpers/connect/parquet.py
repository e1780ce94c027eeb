"""Parquet and GeoParquet, streamed: typed columns as text, shapes as WGS 84."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from helpers.connect.placing import WGS84, Placing, placing
from helpers.connect.reading import BATCH_ROWS, Reading, assemble
from helpers.connect.typed_text import as_text, is_textual
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import FileFormat

UNREADABLE = (pa.ArrowException, OSError, UnicodeError)


def read(layout: FileFormat, path: Path, permitted: Collection[str], *, shapes: bool) -> Reading:
    """Open a Parquet file; one that has shapes says so as GeoParquet does."""
    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
    except UNREADABLE:
        raise _unreadable() from None
    drawn, crs = _geometry(schema)
    if shapes and drawn is None:
        raise PhareError(
            "ce fichier Parquet ne porte pas de formes (métadonnées GeoParquet absentes)",
            redact.FILE,
            "le demander en GeoParquet, en GeoJSON ou en GeoPackage",
        )
    leaves = _leaves(schema, drawn)
    kept = {name: steps for name, (steps, _) in leaves.items() if name in permitted}
    odd = [name for name in kept if not is_textual(leaves[name][1])]
    if odd:
        raise PhareError(
            f"colonne sans forme de texte (octets ou durée) : {redact.known(odd, permitted)}",
            redact.FILE,
            "ne pas la permettre dans le contrat, ou la demander en texte",
        )
    where = placing(layout, permitted, shapes, crs) if drawn else None
    points = where.points if where else ()
    return Reading([*leaves, *points], _batches(file, kept, drawn, where))


def _unreadable(row: int = 0) -> PhareError:
    place = f", après la ligne {row}" if row else ""
    return PhareError(
        "fichier Parquet illisible ou tronqué",
        f"{redact.FILE}{place}",
        "le recevoir de nouveau",
    )


def _geometry(schema: pa.Schema) -> tuple[str | None, Any]:
    """Return the column of shapes and its reference system, as the metadata tell, or None."""
    about = (schema.metadata or {}).get(b"geo")
    if about is None:
        return None, None
    try:
        told = json.loads(about)
        name = told["primary_column"]
        column = told["columns"][name]
        if column["encoding"] != "WKB":
            raise ValueError
        schema.field(name)
        # Said to be absent, it is longitude and latitude; said to be null, it is unknown.
        return name, column.get("crs", WGS84)
    except (ValueError, KeyError, TypeError):
        raise PhareError(
            "métadonnées GeoParquet illisibles, ou formes codées autrement qu'en WKB",
            redact.FILE,
            "demander à l'éditeur un GeoParquet en WKB, ou un GeoPackage",
        ) from None


def _leaves(schema: pa.Schema, drawn: str | None) -> dict[str, tuple[tuple[str, ...], pa.DataType]]:
    """Return name → (steps from the top, type) of each value; members of a record are dotted."""
    found: dict[str, tuple[tuple[str, ...], pa.DataType]] = {}

    def visit(steps: tuple[str, ...], kind: pa.DataType) -> None:
        if pa.types.is_struct(kind):
            for member in kind:
                visit((*steps, member.name), member.type)
        else:
            found[".".join(steps)] = steps, kind

    for field in schema:
        if field.name != drawn:
            visit((field.name,), field.type)
    return found


def _batches(
    file: pq.ParquetFile,
    kept: dict[str, tuple[str, ...]],
    drawn: str | None,
    where: Placing | None,
) -> Iterator[pa.RecordBatch]:
    tops = list(dict.fromkeys(steps[0] for steps in kept.values()))
    if drawn and where and where.wanted:
        tops.append(drawn)
    rows, first = file.iter_batches(BATCH_ROWS, columns=tops), 1
    with file:
        while True:
            try:
                batch = next(rows, None)
                if batch is None:
                    return
                columns = {name: as_text(_member(batch, steps)) for name, steps in kept.items()}
            except UNREADABLE:
                raise _unreadable(first - 1) from None
            yield numbered(columns, batch, drawn, where, first)
            first += batch.num_rows


def _member(batch: pa.RecordBatch, steps: tuple[str, ...]) -> pa.Array:
    column = batch[steps[0]]
    for step in steps[1:]:
        column = pc.struct_field(column, step)
    return column


def numbered(
    columns: dict[str, pa.Array],
    batch: pa.RecordBatch,
    drawn: str | None,
    where: Placing | None,
    first: int,
) -> pa.RecordBatch:
    """Return text columns as rows from number `first` on, placed by the WKB of column `drawn`."""
    numbers = pa.array(range(first, first + batch.num_rows), pa.int64())
    if not drawn or where is None or not where.wanted:
        return assemble(numbers, pa.nulls(batch.num_rows, pa.string()), columns)
    column = batch[drawn]
    wkb = column.storage if isinstance(column, pa.ExtensionArray) else column
    given = np.array(wkb.to_pylist(), object)
    shapes = shapely.from_wkb(given, on_invalid="ignore")
    broken = shapely.is_missing(shapes) & wkb.is_valid().to_numpy(zero_copy_only=False)
    faults, points, geometry = where.place(shapes, broken, first)
    return assemble(numbers, faults, columns | points, geometry)
