"""Delivered files, each in its vendor's form: same tables, same bytes.

Rows are written in the order given. Nothing that a clock or a machine says gets in: a workbook
bears a fixed date of creation.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import xlsxwriter  # type: ignore[import-untyped]

from helpers.core.base import store

ROWS = 250_000  # written at once
CREATED = dt.datetime(2000, 1, 1)


@dataclass(frozen=True)
class Csv:
    """A delimited file; its tables hold text already in the vendor's decimal sign."""

    separator: str = ";"
    encoding: str = "utf-8"

    def write(self, table: pa.Table, path: Path) -> None:
        options = pacsv.WriteOptions(
            delimiter=self.separator, quoting_style="none", quoting_header="none"
        )
        if self.encoding == "utf-8":
            pacsv.write_csv(table, path, options)
            return
        with path.open("wb") as file:
            for start in range(0, max(1, table.num_rows), ROWS):
                buffer = pa.BufferOutputStream()
                options.include_header = start == 0
                pacsv.write_csv(table.slice(start, ROWS), buffer, options)
                file.write(buffer.getvalue().to_pybytes().decode().encode(self.encoding))


@dataclass(frozen=True)
class Parquet:
    """A typed Parquet file."""

    def write(self, table: pa.Table, path: Path) -> None:
        pq.write_table(table, path, compression="zstd")


@dataclass(frozen=True)
class JsonLines:
    """One JSON object a line."""

    def write(self, table: pa.Table, path: Path) -> None:
        with path.open("wb") as file:
            for piece in _objects(table, b"\n", b"\n"):
                file.write(piece)


@dataclass(frozen=True)
class Json:
    """A JSON document: a list of objects, under the key `records` if told."""

    records: str = ""

    def write(self, table: pa.Table, path: Path) -> None:
        before = f'{{"{self.records}":[\n' if self.records else "[\n"
        with path.open("wb") as file:
            file.write(before.encode())
            for piece in _objects(table, b",\n", b"\n"):
                file.write(piece)
            file.write(b"]}\n" if self.records else b"]\n")


@dataclass(frozen=True)
class Workbook:
    """A workbook of one sheet."""

    sheet: str

    def write(self, table: pa.Table, path: Path) -> None:
        with xlsxwriter.Workbook(path, {"strings_to_urls": False}) as book:
            book.set_properties({"created": CREATED})
            sheet = book.add_worksheet(self.sheet)
            sheet.write_row(0, 0, table.column_names)
            for column, values in enumerate(table.columns):
                sheet.write_column(1, column, values.to_pylist())


Form = Csv | Parquet | JsonLines | Json | Workbook


def _objects(table: pa.Table, between: bytes, last: bytes) -> Iterator[bytes]:
    """Yield the rows as JSON objects in UTF-8, `between` after each but the last one."""
    con = store.connect()
    con.register("lines", table)
    reader = con.execute(
        "SELECT CAST(to_json(lines) AS VARCHAR) || $1 AS text FROM lines", [between.decode()]
    ).to_arrow_reader(ROWS)
    held = b""
    for batch in reader:
        if held:
            yield held
        held = "".join(batch["text"].to_pylist()).encode()
    con.close()
    if held:
        yield held[: -len(between)] + last


def write_features(
    properties: Sequence[dict[str, Any]], geometries: Sequence[dict[str, Any]], path: Path
) -> None:
    """Write a GeoJSON collection, one feature a line, in WGS 84 degrees."""
    features = [
        {"type": "Feature", "properties": told, "geometry": shape}
        for told, shape in zip(properties, geometries, strict=True)
    ]
    lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features)
    text = f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'
    path.write_text(text, encoding="utf-8", newline="\n")
