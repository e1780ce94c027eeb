"""What every reader gives: the columns that a file offers, and batches of the permitted ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.core.city.contract import FileFormat
from helpers.core.city.names import FAULT, GEOMETRY, ROW

BATCH_ROWS = 122_880  # rows of a batch, but for the last: DuckDB's row group
CELL_BYTES = 1 << 20  # of one permitted cell, in UTF-8; more is a fault
UNDECODABLE, TOO_LARGE = "encodage", "cellule_trop_grande"


@dataclass(frozen=True)
class Reading:
    """A file being read.

    `columns` are the names of all the columns offered, in the file's order. Each batch holds
    `row_number` (int64, 1 for the first data row), `fault` (text: why the row cannot be read as
    one, else null; its values are then all null), the permitted columns present, as text (an empty
    cell is null, everything else as written), and for a reader of shapes asked for them
    `geometry` (binary: WKB, WGS 84 degrees). Nothing of another column is ever kept.

    There is at least one batch, though it may have no row; all have the same schema.
    `batches` may raise PhareError where the file turns out to be unreadable further on: what was
    read before is then to be thrown away.
    """

    columns: list[str]
    batches: Iterator[pa.RecordBatch]


class Reader(Protocol):
    """Open `path`, laid out as told, for the columns `permitted` alone.

    Raise PhareError, never quoting a value, where the file cannot be read at all.
    """

    def __call__(
        self, layout: FileFormat, path: Path, permitted: Collection[str], *, shapes: bool
    ) -> Reading: ...


def assemble(
    numbers: pa.Array,
    faults: pa.Array,
    columns: Mapping[str, pa.Array],
    geometry: pa.Array | None = None,
) -> pa.RecordBatch:
    """Return a batch as `Reading` describes it, from values as text or as UTF-8 bytes.

    Adds the faults that any cell may have: bytes that are not UTF-8 (`encodage`), more than
    CELL_BYTES (`cellule_trop_grande`). Faults given come first.
    """
    texts: dict[str, pa.Array] = {}
    for name, column in columns.items():
        texts[name], found = _checked(column)
        faults = pc.coalesce(faults, found) if found is not None else faults
    if geometry is not None:
        texts[GEOMETRY] = geometry
    if faults.null_count < len(faults):
        sound = pc.is_null(faults)
        texts = {name: pc.if_else(sound, column, None) for name, column in texts.items()}
    return pa.RecordBatch.from_pydict({ROW: numbers, FAULT: faults, **texts})


def _checked(column: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Return the cells as text, empty ones null, and the fault of each, or None without any."""
    sizes = pc.binary_length(column)
    bounds = pc.min_max(sizes)
    found = None
    if (bounds["max"].as_py() or 0) > CELL_BYTES:
        large = pc.fill_null(pc.greater(sizes, CELL_BYTES), False)
        found = pc.if_else(large, TOO_LARGE, pa.scalar(None, pa.string()))
    if bounds["min"].as_py() == 0:
        column = pc.if_else(pc.equal(sizes, 0), None, column)
    cells = column.cast(pa.binary())
    try:
        return cells.cast(pa.string()), found
    except pa.ArrowInvalid:
        damaged = _undecodable(cells)
    text = pc.if_else(damaged, None, cells).cast(pa.string())
    wrong = pc.if_else(damaged, UNDECODABLE, pa.scalar(None, pa.string()))
    return text, wrong if found is None else pc.coalesce(wrong, found)


def _undecodable(cells: pa.Array) -> pa.Array:
    """Tell which cells are not UTF-8; only those with a byte beyond ASCII are looked at."""
    suspects = pc.invert(pc.string_is_ascii(cells.view(pa.string())))
    rows = pc.indices_nonzero(suspects)
    wrong = [
        index
        for index, cell in zip(rows.to_pylist(), cells.take(rows).to_pylist(), strict=True)
        if not _is_utf8(cell)
    ]
    marks = np.zeros(len(cells), bool)
    marks[wrong] = True
    return pa.array(marks)


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


def none(names: Iterable[str], shapes: bool) -> pa.RecordBatch:
    """Return a batch of no row, with the columns `names`, and that of shapes if told."""
    columns = {name: pa.array([], pa.string()) for name in names}
    geometry = pa.array([], pa.binary()) if shapes else None
    return assemble(pa.array([], pa.int64()), pa.array([], pa.string()), columns, geometry)


def even(batches: Iterable[pa.RecordBatch], empty: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in batches of BATCH_ROWS, or `empty` where there is no row.

    What is written then does not depend on the blocks that a reader works in.
    """
    held: list[pa.RecordBatch] = []
    count, any_yet = 0, False
    for batch in batches:
        held.append(batch)
        any_yet = any_yet or batch.num_rows > 0
        count += batch.num_rows
        if count >= BATCH_ROWS:
            table = pa.Table.from_batches(held).combine_chunks()
            whole = count - count % BATCH_ROWS
            yield from table.slice(0, whole).to_batches(BATCH_ROWS)
            held = table.slice(whole).to_batches()
            count -= whole
    if count:
        yield from pa.Table.from_batches(held).combine_chunks().to_batches()
    if not any_yet:
        yield empty
