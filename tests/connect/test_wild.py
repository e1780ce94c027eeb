"""Wild files: whatever comes, each row comes out once, with its number, its text or its fault.

The reference is always somebody else's reader: Python's csv and json, openpyxl, shapely.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import shutil
import tempfile
import traceback
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio.raw
import pytest
import shapely
import zstandard
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from helpers.connect import open_file
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import FileFormat
from helpers.core.city.names import FAULT, ROW

csv.field_size_limit(64 << 20)


def rows_of(content: bytes, permitted: list[str], **layout: Any) -> list[dict[str, Any]]:
    """Return the rows that the reader makes of `content`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recu"
        path.write_bytes(content)
        reading = open_file(FileFormat(**layout), path, permitted)
        batches = list(reading.batches)
    assert len({str(batch.schema) for batch in batches}) == 1
    assert batches[0].schema.names == [
        ROW, FAULT, *(name for name in reading.columns if name in permitted)
    ]  # fmt: skip
    return pa.Table.from_batches(batches).to_pylist()


def as_csv_module_sees(text: str, separator: str, kept: list[str]) -> list[dict[str, Any]]:
    """Return what must come out of a delimited text, told by Python's own reader."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    header = next(lines)
    expected = []
    for number, cells in enumerate((cells for cells in lines if cells), start=1):
        sound = len(cells) == len(header)
        values = dict(zip(header, cells, strict=True)) if sound else {}
        fault = None if sound else f"colonnes:{len(cells)}/{len(header)}"
        row = {ROW: number, FAULT: fault}
        expected.append(row | {name: values.get(name) or None for name in kept})
    return expected


def never_closed(text: str, separator: str) -> bool:
    """Tell whether the last quote is open at the end: then a further line is swallowed."""
    count = len(list(csv.reader(io.StringIO(text, newline=""), delimiter=separator)))
    more = csv.reader(io.StringIO(text + "\nz\n", newline=""), delimiter=separator)
    return [*more][-1] != ["z"] or count == 0


# Signs that mean something to somebody's parser, and some that mean nothing.
SIGNS = "a1 é\"\n\r,;|\t#'\\=+@-\x00\x1a\x1f\u2028€ÿ"


@settings(max_examples=400)
@given(
    body=st.text(SIGNS, max_size=60),
    separator=st.sampled_from([",", ";", "|", "\t", "\x01"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
@example(body='"x"y"z",1\n', separator=",", end="\n")
@example(body="\n\n1,2\n\r\n\r", separator=",", end="\r")
@example(body='1,""\n"",\n,\n', separator=",", end="\n")
@example(body=';;;"', separator=";", end="\n")
def test_any_delimited_text_is_read_as_pythons_csv_does(
    body: str, separator: str, end: str
) -> None:
    text = separator.join(["un", "deux"]) + end + body
    layout = {"format": "csv", "separator": separator}
    if never_closed(text, separator):
        with pytest.raises(PhareError, match="jamais refermé"):
            rows_of(text.encode(), ["un", "deux"], **layout)
    else:
        found = rows_of(text.encode(), ["un", "deux"], **layout)
        assert found == as_csv_module_sees(text, separator, ["un", "deux"])


CELLS = st.text(st.characters(exclude_categories=("Cs",), max_codepoint=0x2FFF), max_size=8)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252", "latin-1",
             "mac_roman", "cp437", "shift_jis", "utf-7")  # fmt: skip


@settings(max_examples=200)
@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6),
    encoding=st.sampled_from(ENCODINGS),
    separator=st.sampled_from([",", ";", "\t", "§", "¬"]),
)
def test_any_encoding_and_separator_give_the_text_back(
    rows: list[list[str]], encoding: str, separator: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator).writerows([["un", "deux", "trois"], *rows])
    try:
        content = text.getvalue().encode(encoding)
    except UnicodeEncodeError:
        assume(False)
    assume(content.decode(encoding) == text.getvalue())
    found = rows_of(content, ["trois", "un"], format="csv", encoding=encoding, separator=separator)
    assert found == as_csv_module_sees(text.getvalue(), separator, ["un", "trois"])


@settings(max_examples=200)
@given(st.binary(max_size=80))
@example(b"\xff\xfe")
@example(b'"')
def test_any_bytes_are_rows_or_a_refusal(garbage: bytes) -> None:
    """Nothing but PhareError; with latin-1, which reads any byte, the rows are those of csv."""
    content = b"a,b\n" + garbage
    text = content.decode("latin-1")
    if never_closed(text, ","):
        with pytest.raises(PhareError):
            rows_of(content, ["a", "b"], format="csv")
        return
    expected = as_csv_module_sees(text, ",", ["a", "b"])
    assert rows_of(content, ["a", "b"], format="csv", encoding="latin-1") == expected
    found = rows_of(content, ["a", "b"], format="csv")
    assert [row[ROW] for row in found] == [row[ROW] for row in expected]
    for row, other in zip(found, expected, strict=True):
        cells = [value and value.encode("latin-1") for value in (other["a"], other["b"])]
        if other[FAULT] is not None or all(_is_utf8(cell or b"") for cell in cells):
            assert row[FAULT] == other[FAULT]
            assert [row["a"], row["b"]] == [cell and cell.decode() for cell in cells]
        else:
            assert (row[FAULT], row["a"], row["b"]) == ("encodage", None, None)


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


@settings(max_examples=150)
@given(st.binary(max_size=60), st.sampled_from(
    ["csv", "xlsx", "json", "jsonl", "parquet", "geojson", "gpkg", "shp"]),
    st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"{",
                     b"SQLite format 3\0", b"\0\0\x27\x0a"]))  # fmt: skip
def test_no_garbage_crashes_any_reader(garbage: bytes, form: str, start: bytes) -> None:
    rows, refused = [], None
    try:
        rows = rows_of(start + garbage, ["a", "@longitude"], format=form)
    except PhareError as error:
        refused = error
    assert [row[ROW] for row in rows] == list(range(1, len(rows) + 1))
    if refused is not None:
        assert refused.__cause__ is None
        assert refused.__suppress_context__ or refused.__context__ is None


def pack(content: bytes, how: str) -> bytes:
    if how == "gzip":
        half = len(content) // 2  # two members, as some servers write
        return gzip.compress(content[:half]) + gzip.compress(content[half:])
    if how == "zstd":
        return zstandard.compress(content)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("dossier/faits.csv", content)
    return held.getvalue()


@settings(max_examples=40)
@given(st.lists(st.tuples(CELLS, CELLS), max_size=5), st.sampled_from(["gzip", "zstd", "zip"]))
def test_packed_or_not_a_file_is_the_same(rows: list[tuple[str, str]], how: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("un", "deux"), *rows])
    plain = text.getvalue().encode()
    packed = pack(plain, how)
    expected = rows_of(plain, ["un", "deux"], format="csv")
    assert rows_of(packed, ["un", "deux"], format="csv") == expected
    with pytest.raises(PhareError, match="compressé illisible"):
        rows_of(packed[:-5], ["un", "deux"], format="csv")


def whole_files(folder: Path) -> dict[str, Path]:
    """Write a file of each binary format; return format → path."""
    drawn = shapely.to_wkb(np.array([shapely.Point(5.3, 43.2), shapely.Point(5.4, 43.3)], object))
    names = np.array(["Duhamel", "Imaginaire"], object)
    found = {"gpkg": folder / "f.gpkg", "shp": folder / "f.shp"}
    for path, driver in zip(found.values(), ("GPKG", "ESRI Shapefile"), strict=True):
        pyogrio.raw.write(
            path, drawn, [names], ["a"], crs="EPSG:4326", geometry_type="Point", driver=driver
        )
    geo = {"primary_column": "g", "columns": {"g": {"encoding": "WKB"}}}
    table = pa.table({"a": names.tolist(), "g": pa.array(drawn.tolist(), pa.binary())})
    found["parquet"] = folder / "f.parquet"
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), found["parquet"])
    found["xlsx"] = folder / "f.xlsx"
    made = openpyxl.Workbook()
    for row in (["a"], ["Duhamel"], ["Imaginaire"]):
        made.active.append(row)
    made.save(found["xlsx"])
    return found


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return whole_files(tmp_path_factory.mktemp("models"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(["gpkg", "shp", "parquet", "xlsx"]),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=4))),
    cut=st.none() | st.floats(0, 1),
    suffix=st.sampled_from([".shp", ".shx", ".dbf", ".prj", ".cpg"]),
    shapes=st.booleans(),
)
def test_damaged_files_are_rows_or_a_refusal_that_names_nobody(
    models: dict[str, Path], form: str, changes: list[tuple[float, bytes]], cut: float | None,
    suffix: str, shapes: bool, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for path in models[form].parent.glob("f.*"):
            shutil.copy(path, folder)
        received = Path(folder) / models[form].name
        target = received.with_suffix(suffix) if form == "shp" else received
        content = bytearray(target.read_bytes())
        for where, new in changes:
            at = int(where * len(content))
            content[at : at + len(new)] = new
        target.write_bytes(content if cut is None else content[: int(cut * len(content))])
        try:
            shapes = shapes and form != "xlsx"
            reading = open_file(FileFormat(format=form), received, ["a"], shapes=shapes)
            for _ in reading.batches:
                pass
        except PhareError as error:
            said = str(error) + "".join(traceback.format_exception(error))
        else:
            said = ""
    said += "".join(capfd.readouterr())
    assert "Duhamel" not in said
    assert "Imaginaire" not in said


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | CELLS
)  # fmt: skip
KEYS = st.sampled_from(["a", "b", "é", "c d"])
RECORDS = st.dictionaries(
    KEYS, SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(KEYS, SCALARS, max_size=2),
    max_size=4,
)  # fmt: skip
NAMES = ["a", "b", "é", "c d", "a.a", "a.b", "b.é", "é.c d"]


def as_json_module_sees(record: dict[str, Any], name: str) -> str | None:
    value: Any = record
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(
        value, ensure_ascii=False, separators=(",", ":")
    )  # fmt: skip


@settings(max_examples=200)
@given(st.lists(RECORDS, max_size=6), st.booleans(), st.booleans())
def test_any_objects_are_rows_with_what_was_written(
    records: list[dict[str, Any]], ascii_only: bool, as_lines: bool
) -> None:
    written = [json.dumps(record, ensure_ascii=ascii_only) for record in records]
    if as_lines:
        content, layout = "\n\n".join(written), {"format": "jsonl"}
    else:
        content = '{"meta": 1, "a": {"rows": [' + ",".join(written) + "]}}"
        layout = {"format": "json", "records": "a.rows"}
    found = rows_of(content.encode(), NAMES, **layout)
    assert [row[ROW] for row in found] == list(range(1, len(records) + 1))
    for row, record in zip(found, records, strict=True):
        if any(isinstance(value, dict) for value in record.values()):
            # A permitted name that holds an object: nobody allowed what is inside.
            assert row[FAULT] == "json"
            assert set(row.values()) <= {row[ROW], "json", None}
            continue
        assert row[FAULT] is None
        for name in set(row) - {ROW, FAULT}:
            assert row[name] == as_json_module_sees(record, name)


@settings(max_examples=100)
@given(st.lists(RECORDS, min_size=1, max_size=4))
def test_members_of_objects_have_dotted_names(records: list[dict[str, Any]]) -> None:
    content = "\n".join(json.dumps(record) for record in records).encode()
    dotted = [name for name in NAMES if "." in name]
    for row, record in zip(rows_of(content, dotted, format="jsonl"), records, strict=True):
        assert row[FAULT] is None
        for name in set(row) - {ROW, FAULT}:
            assert row[name] == as_json_module_sees(record, name)


SHEET_TEXT = st.text("ab é=+@-1\"'<&;,", min_size=1, max_size=6).map(lambda text: f"t{text}t")
SHEET_CELLS = (
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | SHEET_TEXT
    | st.floats(-1e12, 1e12).map(lambda value: float(f"{value:.12g}"))
    | st.datetimes(min_value=dt.datetime(1901, 1, 1)).map(
        lambda moment: moment.replace(microsecond=0))
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(st.tuples(SHEET_CELLS, SHEET_CELLS), max_size=6))
def test_any_sheet_is_read_as_openpyxl_does(rows: list[tuple[Any, Any]]) -> None:
    book = openpyxl.Workbook()
    book.active.append(["un", "deux"])
    for row in rows:
        book.active.append(row)
    held = io.BytesIO()
    book.save(held)
    sheet = openpyxl.load_workbook(io.BytesIO(held.getvalue())).active
    expected = [row for row in sheet.iter_rows(min_row=2, values_only=True) if any(
        cell is not None for cell in row)]  # fmt: skip
    found = rows_of(held.getvalue(), ["un", "deux"], format="xlsx")
    assert [row[ROW] for row in found] == list(range(1, len(expected) + 1))
    for row, cells in zip(found, expected, strict=True):
        assert row[FAULT] is None
        for text, cell in zip((row["un"], row["deux"]), cells, strict=True):
            assert _same(text, cell), (text, cell)


def _same(text: str | None, cell: Any) -> bool:
    if text is None or cell is None:
        return text is None and cell is None
    if isinstance(cell, bool):
        return text == str(cell).lower()
    if isinstance(cell, int | float):
        whole = cell == int(cell)
        return float(text) == cell and (not whole or text == str(int(cell)))
    if isinstance(cell, str):
        return text == cell
    return text in (cell.isoformat(), cell.date().isoformat())
