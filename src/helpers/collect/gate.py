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
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from helpers.collect import closed, receipts, wide
from helpers.collect.delivery_order import told_by
from helpers.collect.moved_points import moved
from helpers.collect.off_contract import Off, Screen
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
DECIMAL = ("float", "longitude", "latitude")
SINGLING = ("id", "longitude", "latitude")  # types of what may single out a row
NAME = "nom"  # in the token of a column that the contract does not name
SPOT_DIGITS = 8  # of the hash of a point
END_TO_END = "DELTA_LENGTH_BYTE_ARRAY"
TRIED = 4096  # texts of a batch that tell whether most of them differ
NOTHING = pa.table({ROW: pa.array([], pa.int64()), FAULT: pa.array([], pa.string())})
Rows = npt.NDArray[np.bool_]  # a mask over the rows of a batch


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
        (why the row is set aside, or null), each field of the contract as text (by dictionary
        where texts come again), `spot_sign` of a source of points, and `geometry` for a division.
        """
        read = moved(contract, edition, self.read(contract, edition, table)).combine_chunks()
        size, faults = read.num_rows, _whole(read[FAULT])
        fields: dict[str, pa.Array] = {}
        off: dict[str, Off] = {}
        personal = np.zeros(size, bool)
        present = [name for name in contract.fields if name in read.column_names]
        columns = [(contract, name, _whole(read[name])) for name in present]
        judged = dict(zip(present, self._pool.map(self._judge, columns), strict=True))
        for name in contract.fields:
            fields[name], broken = judged.get(name, (pa.nulls(size, pa.string()), None))
            if broken is not None:
                off[name] = broken
        for name, reasons in zip(off, self._screen.of_each([*off.values()]), strict=True):
            met = off[name].rows[reasons.is_valid().to_numpy(zero_copy_only=False)]
            if len(met):
                told = pc.binary_join_element_wise(PERSON, reasons.drop_null(), name, ":")
                unsaid = faults.is_null().to_numpy(zero_copy_only=False)[met]
                faults = _with(faults, told.filter(pa.array(unsaid)), met[unsaid])
                personal[met] = True
        if personal.any():
            fields = _blanked(contract, fields, personal)
        spot = self._spots(contract, read, fields)
        for name, broken in off.items():
            kept = ~personal[broken.rows]
            tokens = self._tokens(broken).filter(pa.array(kept))
            fields[name] = _with(fields[name], tokens, broken.rows[kept])
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

        A default point (the town hall) is one point; a market is many, which the grid makes one.
        Long enough for no two to have the same: with fewer signs, another key would mix others.
        """
        point = contract.point
        if point is None:
            return {}
        if not all(name in read.column_names for name in point):
            return {SPOT: pa.nulls(read.num_rows, pa.string())}
        told = pc.binary_join_element_wise(*(_whole(read[name]) for name in point), ";")
        kept = pc.and_(*(pc.is_valid(fields[name]) for name in point))
        return {SPOT: pc.if_else(kept, self.key.hashes(told, digits=SPOT_DIGITS), None)}

    def _judge(self, column: tuple[Contract, str, pa.Array]) -> tuple[pa.Array, Off | None]:
        """Return what is written of a field, and what is off the contract, if anything is."""
        contract, name, told = column
        rule = contract.fields[name]
        told, places = _different(told)
        texts = closed.trimmed(rule, told)
        judged = closed.judge(contract, name, texts, self.con, self.step_m)
        hide = rule.type == "id" and not rule.hashed
        written = self.key.hashes(judged.texts) if hide else judged.texts
        if places is not None:
            once = written.dictionary_encode()  # what differed may be written alike
            written = pa.DictionaryArray.from_arrays(once.indices.take(places), once.dictionary)
        if judged.off is None:
            return written, None
        broken = judged.off.is_valid()
        rows = pc.indices_nonzero(broken if places is None else broken.take(places))
        at = rows if places is None else places.take(rows)
        return written, Off(rows.to_numpy(), judged.off.take(at), texts.take(at))

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

    def _tokens(self, off: Off) -> pa.Array:
        """Return what stands for each text off the contract: the rule broken, a keyed hash."""
        return pc.binary_join_element_wise(OFF, off.rules, ":", self.key.hashes(off.texts), "")

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
    contract: Contract, fields: dict[str, pa.Array], personal: Rows
) -> dict[str, pa.Array]:
    """Return `fields` without what could single out the person of the rows that are `personal`."""
    singling = {n for n, rule in contract.fields.items() if rule.type in SINGLING}
    rows = pa.array(personal)
    return {
        name: pc.if_else(rows, None, _as_texts(texts)) if name in singling else texts
        for name, texts in fields.items()
    }


def _with(texts: pa.Array, others: pa.Array, rows: npt.NDArray[np.uint64]) -> pa.Array:
    """Return `texts` (n,) with `others` at the `rows`, which rise."""
    mask = np.zeros(len(texts), bool)
    mask[rows] = True
    at = pa.array(mask)
    if pa.types.is_dictionary(texts.type):
        both = pa.concat_arrays([texts.dictionary, others]).dictionary_encode()
        places, told = both.indices[: len(texts.dictionary)], both.indices[len(texts.dictionary) :]
        indices = pc.replace_with_mask(places.take(texts.indices), at, told)
        return pa.DictionaryArray.from_arrays(indices, both.dictionary)
    # Of texts, twenty times as fast as replacing them in `texts`, or as pc.coalesce.
    return pc.if_else(
        at, pc.replace_with_mask(pa.nulls(len(texts), pa.string()), at, others), texts
    )


def _as_texts(texts: pa.Array) -> pa.Array:
    """Return the texts (n,) one by one, whether or not they come by dictionary."""
    return texts.dictionary_decode() if pa.types.is_dictionary(texts.type) else texts


def _different(texts: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Return the texts (m,) that differ, and the place of each of `texts` (n,) among them.

    Codes come again and again: each is judged once. Where most texts differ, they are returned as
    they are, without places.
    """
    if not _repeats(texts):
        return texts, None
    encoded = texts.dictionary_encode()
    return encoded.dictionary, encoded.indices


def _repeats(texts: pa.Array) -> bool:
    """Tell whether texts (n,) come again: of the first ones, half or fewer differ."""
    if pa.types.is_dictionary(texts.type):
        return True
    first = texts.slice(0, TRIED)
    return 2 * int(pc.count_distinct(first).as_py()) <= len(first)


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
                    writer = writer or stack.enter_context(_writer(path, table))
                    writer.write_table(_like(writer.schema, table), row_group_size=BATCH_ROWS)
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
        if not files:  # an optional source of which nothing came yet
            nothing = gate.let_in(contract, contract.every_edition()[0], NOTHING, 0, 0)
            pq.write_table(nothing, path, compression="zstd")
        raw.mkdir(parents=True, exist_ok=True)
        shutil.move(path, raw / f"{contract.source}.parquet")
    return receipts.of_source(contract, files, told_by(names, received))


def _writer(path: Path, first: pa.Table) -> pq.ParquetWriter:
    """Open the file in which tables like the `first` are written.

    Texts that come again are written by dictionary, others end to end: a dictionary that overflows
    costs a third of the writing. Nobody looks for a text by the bounds of its column. All are read
    as texts: how they came is no part of the file.
    """
    texts = [one.name for one in first.schema if not pa.types.is_integer(one.type)]
    once = [name for name in texts if not _repeats(_whole(first[name]))]
    return pq.ParquetWriter(
        path,
        first.schema,
        compression="zstd",
        use_dictionary=[name for name in first.column_names if name not in (ROW, *once)],
        column_encoding={ROW: "DELTA_BINARY_PACKED"} | dict.fromkeys(once, END_TO_END),
        write_statistics=[ROW],
        store_schema=False,
    )


def _like(schema: pa.Schema, table: pa.Table) -> pa.Table:
    """Return the table with texts by dictionary, or one by one, as the schema has them."""
    columns = []
    for one, column in zip(schema, table.columns, strict=True):
        if one.type != column.type:
            whole = _whole(column)
            column = (
                whole.dictionary_encode() if pa.types.is_dictionary(one.type) else _as_texts(whole)
            )
        columns.append(column)
    return pa.table(columns, schema)


def _let_in(
    gate: Gate, contract: Contract, one: Delivered, number: int, offset: int
) -> Iterator[pa.Table]:
    """Yield the admitted rows of a file, in order.

    A batch at a time: what it took serves the next one. No error ever quotes what a row says.
    """
    for table in _one_ahead(_read(one.reading.batches, place_of(contract, one.shown))):
        try:
            yield gate.let_in(contract, one.edition, table, number, offset)
        except duckdb.Error:
            raise PhareError(
                "fichier illisible avec la mise en page du contrat",
                place_of(contract, one.shown),
                "vérifier le fichier livré et la partie `file` du contrat",
            ) from None


def _read(batches: Iterator[pa.RecordBatch], place: str) -> Iterator[pa.Table]:
    """Yield the batches as tables; `place` is where errors happen."""
    try:
        for batch in batches:
            yield pa.Table.from_batches([batch])
    except PhareError as error:
        raise redact.placed(error, place) from None


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
        **wide.told(contract, one.edition, one.offered, one.cells, rows),
        **receipts.columns_told(contract, one.edition, offered, one.cells),
        "columns_otherwise": one.otherwise,
        "fields_absent": one.absent(contract),
    }
