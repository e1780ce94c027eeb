"""The door itself: of each row, the permitted fields; of each field, what its rule describes.

First the allow-list: a column that the contract does not name, or refuses, is never read. Then
what is closed (`closed`): nothing else is ever written. Of what is off the contract, a keyed hash
stays, and detectors (`persons`) tell whether somebody may be recognised in it: of such a row only
codes, numbers and moments are kept.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from helpers.collect import closed, persons, receipts, wide
from helpers.collect.delivery_order import told_by
from helpers.collect.moved_points import moved
from helpers.collect.receipts import PERSON
from helpers.collect.recognise import Delivered, place_of, recognise
from helpers.connect.reading import BATCH_ROWS
from helpers.core.base import redact, store
from helpers.core.base.errors import PhareError
from helpers.core.base.store import literal, quote
from helpers.core.base.workspace import scratch
from helpers.core.city.contract import Contract, Edition
from helpers.core.city.contract_sql import OFF
from helpers.core.city.key import Key
from helpers.core.city.names import FAULT, GEOMETRY, ROW, SPOT

FIELDS_AT_ONCE = 2
TOGETHER = 4  # batches of a query: enough for two threads
DECIMAL = ("float", "longitude", "latitude")
SINGLING = ("id", "longitude", "latitude")  # types of what may single out a row
NAME = "nom"  # in the token of a column that the contract does not name
TRIED = 4096  # texts of a batch that tell whether most of them differ
REMEMBERED = 500_000  # texts already screened: codes and names of places come again and again


class Screen:
    """`persons.screen`, that remembers the texts it has seen."""

    def __init__(self) -> None:
        self.seen: dict[str, str | None] = {}

    def reasons(self, texts: pa.Array) -> pa.Array:
        """Return why somebody may be recognised in each text (n,), null where nobody is."""
        different = pc.unique(texts.drop_null())
        met = different.to_pylist()
        new = [text for text in met if text not in self.seen]
        if len(self.seen) + len(new) > REMEMBERED:
            self.seen.clear()
            new = met
        if new:  # all at once: one by one would cost a hundred times
            reasons = persons.screen(pa.array(new, pa.string())).to_pylist()
            self.seen.update(zip(new, reasons, strict=True))
        told = pa.array([self.seen[text] for text in met], pa.string())
        return pc.take(told, pc.index_in(texts, different))


def _written(contract: Contract, edition: Edition, name: str) -> str:
    """Return the SQL of the field as the contract wants it: the part that counts, its own code."""
    rule = contract.fields[name]
    value = quote(contract.columns(edition)[name])
    extract = edition.extract.get(name, rule.extract)
    if extract:
        value = f"nullif(regexp_extract({value}, {literal(extract)}, 1), '')"
    codes = edition.values.get(name)
    if codes:
        whens = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in codes.items())
        value = f"CASE trim({value}) {whens} ELSE {value} END"
    if rule.type in DECIMAL and edition.file.decimal != contract.file.decimal:
        value = (
            f"replace({value}, {literal(edition.file.decimal)}, {literal(contract.file.decimal)})"
        )
    return value


class Gate:
    """What lets rows in: the fields permitted, as the contract wants them, and nothing else.

    `key` is the city's; `place_step_m` the side of the grid onto which coordinates are moved.
    """

    def __init__(self, key: Key, place_step_m: float) -> None:
        self.con, self.key, self.step_m, self._screen = store.connect(), key, place_step_m, Screen()
        self._pool = ThreadPoolExecutor(FIELDS_AT_ONCE)

    def let_in(
        self, contract: Contract, edition: Edition, table: pa.Table, number: int, offset: int
    ) -> pa.Table:
        """Return the rows of `table` as they are let in, in their order.

        Columns: `row_number` (after `offset` rows of earlier files), `delivery` (`number`), `fault`
        (why the row is set aside, or null), each field of the contract as text, `spot_sign` of a
        source of points, and `geometry` for a division.
        """
        read = moved(contract, edition, self.read(contract, edition, table)).combine_chunks()
        size, faults = read.num_rows, _whole(read[FAULT])
        fields: dict[str, pa.Array] = {}
        off: dict[str, pa.Array] = {}
        personal: pa.Array | None = None
        present = [name for name in contract.fields if name in read.column_names]
        columns = [(contract, name, _whole(read[name])) for name in present]
        judged = dict(zip(present, self._pool.map(self._judge, columns), strict=True))
        for name in contract.fields:
            if name not in judged:
                fields[name] = pa.nulls(size, pa.string())
                continue
            fields[name], broken, left = judged[name]
            if broken is not None:
                off[name] = self._tokens(broken, left)
                reasons = self._screen.reasons(left)
                told = pc.binary_join_element_wise(PERSON, reasons, name, ":")
                faults = pc.coalesce(faults, told)
                met = pc.is_valid(reasons)
                personal = met if personal is None else pc.or_(personal, met)
        if personal is not None and pc.any(personal).as_py():
            fields, off = _blanked(contract, fields, off, personal)
        spot = self._spots(contract, read, fields)
        fields |= {name: pc.coalesce(fields[name], tokens) for name, tokens in off.items()}
        shape = {GEOMETRY: read[GEOMETRY]} if contract.kind == "division" else {}
        return pa.table(
            {
                ROW: pc.add(read[ROW], offset),
                "delivery": pa.array(np.full(size, number, np.int32)),
                FAULT: faults,
                **fields,
                **spot,
                **shape,
            }
        )

    def _spots(
        self, contract: Contract, read: pa.Table, fields: dict[str, pa.Array]
    ) -> dict[str, pa.Array]:
        """Return the sign of the point of each row as received, for a source of points.

        A default point (the town hall) is one point; a market is many, which the grid makes one. A
        sign of 16 tells these apart, and no two houses for sure.
        """
        point = contract.point
        if point is None:
            return {}
        if not all(name in read.column_names for name in point):
            return {SPOT: pa.nulls(read.num_rows, pa.string())}
        told = pc.binary_join_element_wise(*(_whole(read[name]) for name in point), ";")
        met = pc.unique(told.drop_null())
        signs = pc.utf8_slice_codeunits(self.key.hashes(met), 0, 1)
        kept = pc.and_(*(pc.is_valid(fields[name]) for name in point))
        return {SPOT: pc.if_else(kept, pc.take(signs, pc.index_in(told, met)), None)}

    def _judge(
        self, column: tuple[Contract, str, pa.Array]
    ) -> tuple[pa.Array, pa.Array | None, pa.Array]:
        """Return what is written of a field, the rule that each text breaks, and those texts."""
        contract, name, told = column
        rule = contract.fields[name]
        told, places = _different(told)
        texts = closed.trimmed(rule, told)
        judged = closed.judge(contract, name, texts, self.con.cursor(), self.step_m)
        written = self.key.hashes(judged.texts) if rule.type == "id" else judged.texts
        off, left = judged.off, texts
        if off is not None:
            left = pc.if_else(pc.is_valid(off), texts, None)
        if places is not None:
            written = written.take(places)
            off, left = (off.take(places), left.take(places)) if off is not None else (None, left)
        return written, off, left

    def called(
        self, contract: Contract, edition: Edition, offered: Sequence[str],
        cells: Sequence[str] = (),
    ) -> list[str]:  # fmt: skip
        """Return how the columns offered may be called, in order.

        By their names where the contract writes them, or admits them as `cells`. Of another one the
        keyed hash tells, in two deliveries, whether it is the same.
        """
        named = {*contract.columns(edition).values(), *contract.refused, *cells}
        return [c if c in named else f"{OFF}{NAME}:{self.key.hash(c)}" for c in offered]

    def _tokens(self, off: pa.Array, texts: pa.Array) -> pa.Array:
        """Return what stands for each text (n,) off the contract: the rule broken, a keyed hash."""
        met = pc.unique(texts.drop_null())
        hashes = pc.take(self.key.hashes(met), pc.index_in(texts, met))
        return pc.binary_join_element_wise(OFF, off, ":", hashes, "")

    def read(self, contract: Contract, edition: Edition, table: pa.Table) -> pa.Table:
        """Return row, fault and the fields present, by the contract's names, and any geometry."""
        columns = contract.columns(edition)
        present = [n for n in contract.fields if columns.get(n) in table.column_names]
        shape = [GEOMETRY] if contract.kind == "division" else []
        written = {name: _written(contract, edition, name) for name in present}
        if all(sql == quote(columns[name]) for name, sql in written.items()):
            return pa.table(
                {ROW: table[ROW], FAULT: table[FAULT]}
                | {name: table[columns[name]] for name in present}
                | {name: table[name] for name in shape}
            )
        told = [f"{sql} AS {quote(name)}" for name, sql in written.items()]
        self.con.register("incoming", table)
        try:
            return self.con.execute(
                f"SELECT {', '.join([ROW, FAULT, *told, *shape])} FROM incoming ORDER BY {ROW}"
            ).to_arrow_table()
        finally:
            self.con.unregister("incoming")


def _blanked(
    contract: Contract, fields: dict[str, pa.Array], off: dict[str, pa.Array], rows: pa.Array
) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    """Return `fields` and `off` without what could still single out the person of these `rows`."""
    singling = {n for n, rule in contract.fields.items() if rule.type in SINGLING}
    kept = {
        name: pc.if_else(rows, None, texts) if name in singling else texts
        for name, texts in fields.items()
    }
    return kept, {name: pc.if_else(rows, None, tokens) for name, tokens in off.items()}


def _different(texts: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Return the texts (m,) that differ, and the place of each of `texts` (n,) among them.

    Codes come again and again: each is judged once. Where most texts differ, they are returned as
    they are, without places.
    """
    first = texts.slice(0, TRIED)
    if 2 * pc.count_distinct(first).as_py() > len(first):
        return texts, None
    encoded = texts.dictionary_encode()
    return encoded.dictionary, encoded.indices


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """Return the column, of one chunk at most, as an array."""
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def take_in(
    gate: Gate, contract: Contract, received: Sequence[Path], raw: Path, names: Sequence[str] = ()
) -> dict[str, Any]:
    """Write `raw/<source>.parquet` from the files as received, in order; return their receipt.

    A file is called by its name where it is one of `names`, or fits one of these patterns.
    """
    files: list[dict[str, Any]] = []
    with scratch() as folder:
        path, offset = folder / "admitted.parquet", 0
        with ExitStack() as stack:
            writer: pq.ParquetWriter | None = None
            for number, delivered in enumerate(received, start=1):
                shown = redact.file_name(delivered.name, names, closed.years(contract)[0], number)
                one, faults, rows = recognise(contract, delivered, shown), Counter[str](), 0
                for table in _one_ahead(_let_in(gate, contract, one, number, offset)):
                    writer = writer or stack.enter_context(
                        pq.ParquetWriter(path, table.schema, compression="zstd")
                    )
                    writer.write_table(table, row_group_size=BATCH_ROWS)
                    rows += table.num_rows
                    faults.update(table[FAULT].drop_null().to_pylist())
                met = receipts.personal(faults)
                if rows and rows == faults.total() - sum(met.values()):
                    raise PhareError(
                        "aucune ligne lisible avec la mise en page du contrat",
                        place_of(contract, shown),
                        f"vérifier séparateur « {one.edition.file.separator} », première ligne et "
                        f"encodage {one.edition.file.encoding}",
                    )
                files.append(_of_file(gate, contract, one, rows, met))
                offset += rows
        raw.mkdir(parents=True, exist_ok=True)
        shutil.move(path, raw / f"{contract.source}.parquet")
    return receipts.of_source(contract, files, told_by(names, received))


def _let_in(
    gate: Gate, contract: Contract, one: Delivered, number: int, offset: int
) -> Iterator[pa.Table]:
    """Yield the admitted rows of a file, in order.

    Some batches at a time: DuckDB lets go of what it read, and of what its functions were given,
    at the end of a query only. No error ever quotes what a row says.
    """
    for table in _one_ahead(_together(one.reading.batches, place_of(contract, one.shown))):
        try:
            yield gate.let_in(contract, one.edition, table, number, offset)
        except duckdb.Error:
            raise PhareError(
                "fichier illisible avec la mise en page du contrat",
                place_of(contract, one.shown),
                "vérifier le fichier livré et la partie `file` du contrat",
            ) from None


def _together(batches: Iterator[pa.RecordBatch], place: str) -> Iterator[pa.Table]:
    """Yield the batches, some at a time; `place` is where errors happen."""

    def some() -> list[pa.RecordBatch]:
        try:
            return list(islice(batches, TOGETHER))
        except PhareError as error:
            raise redact.placed(error, place) from None

    while found := some():
        yield pa.Table.from_batches(found)


def _one_ahead(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield the tables, each while the next one is made."""
    with ThreadPoolExecutor(1) as maker:
        held = maker.submit(next, tables, None)
        while (found := held.result()) is not None:
            held = maker.submit(next, tables, None)
            yield found


def _of_file(
    gate: Gate, contract: Contract, one: Delivered, rows: int, met: dict[str, int]
) -> dict[str, Any]:
    offered = gate.called(contract, one.edition, one.offered, one.cells)
    return {
        "file": one.shown,
        "size": one.path.stat().st_size,
        "sha256": store.sha256(one.path),
        "edition": one.edition.version,
        "rows": rows,
        "personal": met,
        **wide.told(one.edition.unpivot, one.cells, rows),
        **receipts.columns_told(contract, one.edition, offered, one.cells),
    }
