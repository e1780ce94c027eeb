"""Wide files made long: a column a month, a year or a category becomes a row a cell.

The rows received are the cells: an empty one is told apart (`EMPTY`), it is nobody's zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.collect import closed
from helpers.connect.reading import BATCH_ROWS, Reading
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city import contract_sql
from helpers.core.city.contract import Contract, Edition
from helpers.core.city.names import FAULT, ROW

EMPTY = "cellule_vide"  # without a colon: the source tells nothing there, no rule is broken


def wide_columns(contract: Contract, edition: Edition, offered: Sequence[str]) -> list[str]:
    """Return the columns offered that the edition reads as cells, in the file's order.

    One that a field reads, or that is refused, is none of them.
    """
    told = edition.unpivot
    if told is None:
        return []
    taken = {*contract.columns(edition).values(), *contract.refused}
    if isinstance(told.columns, tuple):
        return [c for c in offered if c in told.columns and c not in taken]
    form = told.pattern or contract_sql.shape(told.columns, *closed.years(contract))
    return [c for c in offered if re.fullmatch(form, c.strip()) and c not in taken]


def made(contract: Contract, edition: Edition) -> tuple[str, ...]:
    """Return the columns that the cells of a wide edition make: that of names, that of values."""
    told, names = edition.unpivot, contract.columns(edition)
    return (names[told.name], names[told.value]) if told else ()


def unpivoted(contract: Contract, edition: Edition, reading: Reading, wide: list[str]) -> Reading:
    """Return the file as if it had been long; `reading` has the columns `wide` and the others.

    A row is numbered by its place in the file, then by that of its column.
    """
    name, value = made(contract, edition)
    both = [column for column in (name, value) if column in reading.columns]
    if both or not wide:
        raise PhareError(
            "colonne à la fois dans le fichier et faite par `unpivot` : "
            f"{redact.known(both, (name, value))}"
            if both
            else "aucune colonne que `unpivot.columns` admette",
            redact.FILE,
            "corriger `unpivot` dans le contrat, ou vérifier le fichier livré",
        )
    others = [column for column in reading.columns if column not in wide]
    return Reading([*others, name, value], _long(reading.batches, wide, (name, value)))


def _long(
    batches: Iterator[pa.RecordBatch], wide: list[str], made: tuple[str, str]
) -> Iterator[pa.RecordBatch]:
    at_once = max(1, BATCH_ROWS // len(wide))
    for batch in batches:
        for start in range(0, max(batch.num_rows, 1), at_once):
            yield _cells(batch.slice(start, at_once), wide, made)


def _cells(rows: pa.RecordBatch, wide: list[str], made: tuple[str, str]) -> pa.RecordBatch:
    count, width = rows.num_rows, len(wide)
    row = np.repeat(np.arange(count), width)
    column = np.tile(np.arange(width), count)
    cells = pa.concat_arrays([rows[name] for name in wide]).take(pa.array(column * count + row))
    bare = pc.utf8_trim_whitespace(cells)
    empty = pc.fill_null(pc.equal(bare, ""), True)
    faults = pc.coalesce(rows[FAULT].take(pa.array(row)), pc.if_else(empty, EMPTY, None))
    numbers = pc.add(
        pc.multiply(pc.subtract(rows[ROW].take(pa.array(row)), 1), width), pa.array(column + 1)
    )
    kept = {
        name: rows[name].take(pa.array(row))
        for name in rows.schema.names
        if name not in (*wide, ROW, FAULT)
    }
    told = pa.array(wide, pa.string()).take(pa.array(column))
    return pa.RecordBatch.from_pydict(
        {ROW: numbers, FAULT: faults, **kept, made[0]: told, made[1]: cells}
    )


def told(
    contract: Contract, edition: Edition, offered: Sequence[str], wide: Sequence[str], rows: int
) -> dict[str, int | list[int]]:
    """Return, for the receipt, how many lines and columns the cells of a wide file come from.

    And the places, from 1, of the columns that are neither cells nor named: a period written
    otherwise than the others would be one of them.
    """
    if edition.unpivot is None or not wide:
        return {}
    named = {*contract.columns(edition).values(), *contract.refused, *wide}
    left = [place for place, one in enumerate(offered, start=1) if one not in named]
    return {"lines": rows // len(wide), "wide_columns": len(wide), "wide_left": left}
