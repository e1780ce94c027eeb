"""Readers of files, each against another writer or reader, and against real files."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import gzip
import io
import json
import os
import sqlite3
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio.raw
import pyproj
import pytest
import shapefile
import shapely
import xlsxwriter
import zstandard

from helpers.connect import bytes as connect_bytes
from helpers.connect import json as connect_json
from helpers.connect import open_file, xlsx
from helpers.connect.reading import BATCH_ROWS, CELL_BYTES
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import POINT, FileFormat
from helpers.core.city.names import FAULT, GEOMETRY, ROW

SECRET = "Duhamel-Imaginaire"


class Layout(FileFormat):
    """A layout that may state the reference system of a file that says none."""

    crs: str = ""


def read(
    path: Path, permitted: Collection[str], *, shapes: bool = False, **layout: Any
) -> list[dict[str, Any]]:
    """Return the rows of a file."""
    reading = open_file(Layout(**layout), path, permitted, shapes=shapes)
    return pa.Table.from_batches(list(reading.batches)).to_pylist()


def written(folder: Path, content: str | bytes, name: str = "recu") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path: Path, permitted: Collection[str] = ("a", "b"), **layout: Any) -> str:
    """Return what a refused file is told; nothing of it may be in what Python would print."""
    with pytest.raises(PhareError) as caught:
        read(path, permitted, **layout)
    error: BaseException | None = caught.value
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert path.name not in str(error), "the door says which file, where it may be named"
    assert SECRET not in str(error)
    return str(error)


# --- Whatever the format ---------------------------------------------------------------------


def test_what_is_not_a_plain_file_of_its_folder_is_refused(tmp_path: Path) -> None:
    inside, outside = tmp_path / "livraison", tmp_path / "secrets"
    inside.mkdir()
    outside.mkdir()
    real = written(outside, "a,b\n1,2\n", "autre.csv")
    (inside / "lien.csv").symlink_to(real)
    assert "hors de son dossier" in refusal(inside / "lien.csv", format="csv")
    (inside / "rompu.csv").symlink_to(inside / "rien.csv")
    assert "rompu" in refusal(inside / "rompu.csv", format="csv")
    (inside / "rond.csv").symlink_to(inside / "rond.csv")
    assert "rompu" in refusal(inside / "rond.csv", format="csv")
    (inside / "dossier.csv").mkdir()
    assert "ordinaire" in refusal(inside / "dossier.csv", format="csv")
    os.mkfifo(inside / "tube.csv")
    assert "ordinaire" in refusal(inside / "tube.csv", format="csv")
    written(inside, "a,b\n1,2\n", "vrai.csv")
    (inside / "voisin.csv").symlink_to(inside / "vrai.csv")
    assert len(read(inside / "voisin.csv", ["a"], format="csv")) == 1
    (tmp_path / "ailleurs").symlink_to(inside)  # the folder itself may be a link
    assert len(read(tmp_path / "ailleurs/vrai.csv", ["a"], format="csv")) == 1


def test_only_drawn_formats_have_shapes(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,2\n")
    assert "formes" in refusal(path, shapes=True, format="csv")


def test_reserved_names_are_refused_only_where_permitted(tmp_path: Path) -> None:
    path = written(tmp_path, "a,fault,geometry\n1,2,3\n")
    assert "réservé" in refusal(path, ["a", "fault"], format="csv")
    assert read(path, ["a"], format="csv") == [{ROW: 1, FAULT: None, "a": "1"}]


def test_no_row_gives_an_empty_batch_with_its_columns(tmp_path: Path) -> None:
    for form, content in (("csv", "a,b"), ("json", "[]"), ("jsonl", "\n")):
        reading = open_file(FileFormat(format=form), written(tmp_path, content), ["a", "b"])
        (batch,) = reading.batches
        assert batch.num_rows == 0
        assert batch.schema.names == [ROW, FAULT, *reading.columns]


# --- Delimited -------------------------------------------------------------------------------


def test_rows_of_the_wrong_length_keep_their_number(tmp_path: Path) -> None:
    lines = [f"{i},x" for i in range(1, 300_001)]
    wrong = {1: "1", 2: "2,x,y", 122_880: "3", 122_881: "4,,,,", 200_000: '"\n",z,z', 300_000: "5"}
    for number, line in wrong.items():
        lines[number - 1] = line
    path = written(tmp_path, "a,b\n" + "\n\n".join(lines))
    reading = open_file(FileFormat(format="csv"), path, ["a"])
    batches = list(reading.batches)
    assert [batch.num_rows for batch in batches] == [BATCH_ROWS, BATCH_ROWS, 54_240]
    rows = pa.Table.from_batches(batches)
    assert rows[ROW].to_pylist() == list(range(1, 300_001))
    faults = {r[ROW]: r[FAULT] for r in rows.to_pylist() if r[FAULT] is not None}
    expected = {n: f"colonnes:{len(next(csv.reader([line])))}/2" for n, line in wrong.items()}
    expected[200_000] = "colonnes:3/2"
    assert faults == expected
    assert all(int(r["a"]) == r[ROW] for r in rows.to_pylist() if r[FAULT] is None)


def test_numbers_are_right_across_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from helpers.connect import csv as connect_csv

    lines = [f"{i},x" if i % 7 else f"{i}" for i in range(1, 2001)]
    path = written(tmp_path, "a,b\n" + "\n".join(lines))
    whole = read(path, ["a"], format="csv")
    monkeypatch.setattr(connect_csv, "BLOCK", 64)
    assert read(path, ["a"], format="csv") == whole
    assert [row[ROW] for row in whole if row[FAULT]] == list(range(7, 2001, 7))


def test_large_cells(tmp_path: Path) -> None:
    """A row of 10 MB is read; a permitted cell of more than a mebibyte is a fault of its row."""
    note = "é\n" * 5_000_000
    path = written(tmp_path, f'a,note\n1,"{note}"\n2,\n3,"{"x" * CELL_BYTES}"\n')
    assert [r["a"] for r in read(path, ["a"], format="csv")] == ["1", "2", "3"]
    rows = read(path, ["a", "note"], format="csv")
    assert [r[FAULT] for r in rows] == ["cellule_trop_grande", None, None]
    assert (rows[0]["a"], len(rows[2]["note"])) == (None, CELL_BYTES)
    endless = written(tmp_path, "a,note\n1,2\n3," + SECRET * 3_000_000)
    told = refusal(endless, ["a"], format="csv")
    assert "16 Mio" in told
    assert "après la ligne de données 1" in told


def test_open_quote_is_refused_with_its_row_even_where_cells_add_up(tmp_path: Path) -> None:
    for tail in (f'3,"4,{SECRET}', f'3,"{SECRET}\n5,6', f'"{SECRET}'):
        told = refusal(written(tmp_path, f"a,b\n1,2\n{tail}"), format="csv")
        assert "jamais refermé" in told
        assert "ligne de données 2" in told


def test_illegible_bytes_are_a_fault_of_their_row_in_permitted_columns_only(
    tmp_path: Path,
) -> None:
    content = b"a,b,nom\n1,\xe9,x\n2,y,\xe9\n\xe9,too few\n4,z,w\n"
    path = written(tmp_path, content)
    rows = read(path, ["a", "b"], format="csv")
    assert [r[FAULT] for r in rows] == ["encodage", None, "colonnes:2/3", None]
    assert [r["b"] for r in rows] == [None, "y", None, "z"]
    rows = read(written(tmp_path, b"a,b\n1,\x81\n2,\x80\n"), ["b"], format="csv", encoding="cp1252")
    assert [(r[FAULT], r["b"]) for r in rows] == [("encodage", None), (None, "€")]
    assert "n'est pas de l'utf-8" in refusal(written(tmp_path, b"a,\xe9\n1,2\n"), format="csv")


def test_the_mark_of_utf8_is_believed_before_the_contract(tmp_path: Path) -> None:
    """A year of files from an old Windows, and one saved anew: the first column keeps its name."""
    for encoding, cell in (("utf-8-sig", "é"), ("cp1252", "é")):
        path = written(tmp_path, "Nom,b\né,2\n".encode(encoding))
        rows = read(path, ["Nom", "b"], format="csv", encoding="cp1252")
        assert [(r["Nom"], r["b"]) for r in rows] == [(cell, "2")]
        packed = written(tmp_path, gzip.compress(path.read_bytes(), mtime=0))
        rows = read(packed, ["Nom"], format="csv", encoding="cp1252")
        assert [r["Nom"] for r in rows] == [cell]


def test_a_character_cut_by_a_block_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "a,b\n" + "".join(f"é{i},😀\n" for i in range(50))
    for size in (1, 2, 3, 5, 7):
        monkeypatch.setattr(connect_bytes, "CHUNK", size)
        for encoding in ("utf-8", "utf-16", "utf-8-sig"):
            path = written(tmp_path, text.encode(encoding))
            rows = read(path, ["a", "b"], format="csv", encoding=encoding)
            assert [(r["a"], r["b"], r[FAULT]) for r in rows] == [
                (f"é{i}", "😀", None) for i in range(50)
            ]


def test_formulas_dates_and_decimal_commas_are_only_text(tmp_path: Path) -> None:
    cells = ["=cmd|' /C calc'!A0", "+33", "@SUM(1)", "-1", "01/02/2024", "2024-02-01", "1,5", "NA",
             "null", "#N/A", "TRUE", " x "]  # fmt: skip
    path = written(tmp_path, "a;b\n" + "".join(f"{cell};1\n" for cell in cells))
    assert [r["a"] for r in read(path, ["a"], format="csv", separator=";")] == cells


@pytest.mark.parametrize(
    ("content", "layout"),
    [
        ("", {}),
        ("\na,b\n1,2\n", {}),
        ("a,a\n1,2\n", {}),
        ("a,,b\n1,2,3\n", {}),
        ("a,b\n1,2\n", {"separator": '"'}),
        ("a,b\n1,2\n", {"separator": ",,"}),
        ("a,b\n1,2\n", {"separator": ""}),
        ("a,b\n1,2\n", {"encoding": "klingon"}),
        ("a,b\n1,2\n", {"encoding": "rot13"}),
    ],
)
def test_unusable_header_or_layout_is_refused(
    content: str, layout: dict[str, Any], tmp_path: Path
) -> None:
    refusal(written(tmp_path, content), format="csv", **layout)


def zipped(**files: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def test_archive_of_several_files_or_none_is_refused(tmp_path: Path) -> None:
    assert "2 fichiers" in refusal(written(tmp_path, zipped(a=b"a,b\n", b=b"")), format="csv")
    assert "0 fichiers" in refusal(written(tmp_path, zipped()), format="csv")


def test_bombs_are_refused_before_they_unpack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect_bytes, "FREE_BYTES", 4 << 20)
    plain = b"a,b\n" + b"1,2\n" * (6 << 20)
    for bomb in (gzip.compress(plain, 9), zstandard.compress(plain, 19), zipped(x=plain)):
        assert len(bomb) < 200_000
        assert "limites" in refusal(written(tmp_path, bomb), format="csv")
    assert "limites" in refusal(written(tmp_path, zipped(x=plain)), format="xlsx")
    monkeypatch.setattr(connect_bytes, "MOST_BYTES", 1 << 20)
    random = np.random.default_rng(0).integers(48, 58, 3 << 20).astype(np.uint8).tobytes()
    assert "limites" in refusal(written(tmp_path, gzip.compress(b"a\n" + random)), format="csv")


def test_archive_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    content = zipped(x=b"a,b\n" + b"1,2\n" * 1000)
    size = (4004).to_bytes(4, "little")
    assert content.count(size) == 2
    lying = content.replace(size, (40).to_bytes(4, "little"))
    assert "illisible" in refusal(written(tmp_path, lying), format="csv")
    assert "illisible" in refusal(written(tmp_path, lying), format="xlsx")


# --- JSON ------------------------------------------------------------------------------------


def test_numbers_lists_and_members_are_as_written(tmp_path: Path) -> None:
    line = '{"id":12345678901234567890,"x":1.10,"e":1e5,"lieu":{"lon":5.30,"nom":"\\u00e9"},'
    line += '"l":[1.0, "\\u00e9", {"k":null}],"vide":"","rien":null,"oui":true}'
    names = ["id", "x", "e", "lieu.lon", "l", "vide", "rien", "oui"]
    path = written(tmp_path, "\ufeff" + line + "\n" + "{}")
    reading = open_file(FileFormat(format="jsonl"), path, names)
    assert reading.columns == ["id", "x", "e", "lieu.lon", "lieu.nom", "l", "vide", "rien", "oui"]
    first, second = pa.Table.from_batches(list(reading.batches)).to_pylist()
    assert first == {
        ROW: 1, FAULT: None, "id": "12345678901234567890", "x": "1.10", "e": "1e5",
        "lieu.lon": "5.30", "l": '[1.0,"é",{"k":null}]', "vide": None, "rien": None, "oui": "true",
    }  # fmt: skip
    assert second == {ROW: 2, **dict.fromkeys([FAULT, *names])}


def test_bad_lines_are_faults_and_quote_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect_json, "LINE_BYTES", 2000)
    lines = ['{"a":1}', '{"a":', "[1]", '{"a":{"b":1}}', '{"a.b":1,"a":{"b":2}}', '{"a":"\\ud800"}',
             '{"a":"' + "x" * 3000 + '"}', "[" * 1500, '{"a":2}']  # fmt: skip
    content = "\n".join(lines).encode() + b'\n{"a":"\xff"}\n{"a":3}'
    rows = read(written(tmp_path, content), ["a"], format="jsonl")
    assert [r[ROW] for r in rows] == list(range(1, 12))
    assert [r["a"] for r in rows if r[FAULT] is None] == ["1", "2", "3"]
    assert rows[6][FAULT] == "cellule_trop_grande"


@pytest.mark.parametrize(
    ("content", "records"),
    [("{", ""), ('{"a":1}', ""), ('{"r":{"x":1}}', "r"), ('{"r":[]}', "s"), ("", ""), ("[1}", "")],
)
def test_unusable_document_is_refused(content: str, records: str, tmp_path: Path) -> None:
    refusal(written(tmp_path, content), format="json", records=records)


def test_too_large_a_document_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect_json, "DOCUMENT_BYTES", 100)
    assert "JSON Lines" in refusal(written(tmp_path, "[" + " " * 200 + "]"), format="json")


# --- Workbooks -------------------------------------------------------------------------------


def book(path: Path, fill: Any) -> Path:
    made = xlsxwriter.Workbook(path)
    fill(made, made.add_worksheet("Une"))
    made.close()
    return path


def test_cells_are_text_without_inventing(tmp_path: Path) -> None:
    def fill(made: Any, sheet: Any) -> None:
        day, moment = (made.add_format({"num_format": f"dd/mm/yyyy{h}"}) for h in ("", " hh:mm"))
        sheet.write_row(0, 0, ["entier", "réel", "oui", "jour", "moment", "texte", "formule"])
        sheet.write_row(1, 0, [3, 0.1, True])
        sheet.write_datetime(1, 3, dt.datetime(2024, 2, 29), day)
        sheet.write_datetime(1, 4, dt.datetime(2024, 2, 29, 13, 5), moment)
        sheet.write_string(1, 5, "007")
        sheet.write_formula(1, 6, "=1+1", None, 2)
        sheet.write_row(3, 0, [9007199254740991, 1e-7, False])
        sheet.write_datetime(3, 4, dt.datetime(2024, 3, 1), moment)
        sheet.write_string(3, 5, "=cmd|x")
        sheet.write_formula(3, 6, "=1/0", None, "#DIV/0!")

    path = book(tmp_path / "c.xlsx", fill)
    names = ["entier", "réel", "oui", "jour", "moment", "texte", "formule"]
    assert [tuple(row.values()) for row in read(path, names, format="xlsx")] == [
        (1, None, "3", "0.1", "true", "2024-02-29", "2024-02-29T13:05:00", "007", "2"),
        (2, None, "9007199254740991", "1e-07", "false", None, "2024-03-01T00:00:00", "=cmd|x",
         None),
    ]  # fmt: skip


def test_sheet_by_name_offset_and_merged_header(tmp_path: Path) -> None:
    def fill(made: Any, sheet: Any) -> None:
        other = made.add_worksheet("Deux")
        other.merge_range("C3:C4", "id")
        other.merge_range("D3:E3", "lieu")
        other.write_row("D4", ["lon", "lat"])
        other.write_row("C5", [1, 5.3, 43.2])
        other.write_row("C7", [2, 5.4, 43.3, "en trop"])
        sheet.merge_range("A1:B1", "deux fois")
        sheet.write_row(1, 0, [1, SECRET])

    path = book(tmp_path / "c.xlsx", fill)
    rows = read(path, ["id", "lieu.lat"], format="xlsx", sheet="Deux")
    assert [tuple(row.values()) for row in rows] == [
        (1, None, "1", "43.2"), (2, "colonnes:4/3", None, None)
    ]  # fmt: skip
    assert "fusionnée" in refusal(path, format="xlsx")
    assert "« Trois »" in refusal(path, format="xlsx", sheet="Trois")


def test_label_merged_along_the_data_makes_no_names_of_them(tmp_path: Path) -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.write_column(0, 1, ["b", *[SECRET] * 9])
        sheet.merge_range("A1:A1048576", "a")

    rows = read(book(tmp_path / "c.xlsx", fill), ["a", "b"], format="xlsx")
    assert [tuple(row.values()) for row in rows] == [(i, None, None, SECRET) for i in range(1, 10)]


def test_workbook_that_would_take_all_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell at the far corner: calamine 0.9 aborts the process, asking for 512 GiB."""

    def fill(_: Any, sheet: Any) -> None:
        sheet.write(0, 0, "a")
        sheet.write(1_048_575, 16_383, SECRET)

    path = book(tmp_path / "c.xlsx", fill)
    for size in (connect_bytes.CHUNK, 37):
        monkeypatch.setattr(connect_bytes, "CHUNK", size)
        assert "trop étendue" in refusal(path, format="xlsx")
    monkeypatch.setattr(xlsx, "WORKBOOK_BYTES", 100)
    assert "limites" in refusal(path, format="xlsx")


# --- Parquet ---------------------------------------------------------------------------------


def test_typed_columns_as_text(tmp_path: Path) -> None:
    moment = dt.datetime(2024, 7, 1, 12, 0, 0, tzinfo=dt.UTC)
    table = pa.table(
        {
            "big": pa.array([2**63 - 1, None]),
            "x": [1.0, 0.1],
            "nan": [float("nan"), 1e300],
            "half": pa.array([0.5, 2.0], pa.float32()),
            "ok": [True, False],
            "d": [dt.date(2024, 2, 29), None],
            "t": pa.array([moment.replace(tzinfo=None)] * 2, pa.timestamp("ns")),
            "tz": pa.array([moment, moment.replace(microsecond=5)],
                           pa.timestamp("us", "Europe/Paris")),
            "dec": pa.array([decimal.Decimal("12.50"), None], pa.decimal128(9, 2)),
            "dict": pa.array(["é", ""]).dictionary_encode(),
            "large": pa.array(["a", "b"], pa.large_string()),
            "list": [[1, 2], None],
            "rec": [{"in": {"deep": 1}, "secret": SECRET}, None],
            "blob": [b"\xff", b""],
        }
    )  # fmt: skip
    path = tmp_path / "t.parquet"
    pq.write_table(table, path, row_group_size=1)
    names = [*table.column_names[:-2], "rec.in.deep"]
    reading = open_file(FileFormat(format="parquet"), path, names)
    assert reading.columns == [*names, "rec.secret", "blob"]
    rows = pa.Table.from_batches(list(reading.batches)).to_pylist()
    assert [tuple(row.values())[2:] for row in rows] == [
        ("9223372036854775807", "1", None, "0.5", "true", "2024-02-29", "2024-07-01T12:00:00",
         "2024-07-01T12:00:00+00:00", "12.50", "é", "a", "[1,2]", "1"),
        (None, "0.1", "1e+300", "2", "false", None, "2024-07-01T12:00:00",
         "2024-07-01T12:00:00.000005+00:00", None, None, "b", None, None),
    ]  # fmt: skip
    assert "blob" in refusal(path, ["blob"], format="parquet")
    cut = written(tmp_path, path.read_bytes()[:-20])
    assert "tronqué" in refusal(cut, names, format="parquet")


SPOTS = [shapely.Point(893_000.5, 6_247_000.25), None, shapely.Point(893_100, 6_247_100)]
TO_DEGREES = pyproj.Transformer.from_crs("EPSG:2154", "EPSG:4326", always_xy=True)


def degrees(shape: Any) -> tuple[str, str]:
    lon, lat = TO_DEGREES.transform(shape.x, shape.y)
    return f"{lon:.7f}", f"{lat:.7f}"


def geoparquet(path: Path, shapes: list[Any], about: dict[str, Any]) -> Path:
    wkb = [shape and shapely.to_wkb(shape) for shape in shapes]
    table = pa.table({"n": range(len(shapes)), "geom": pa.array(wkb, pa.binary())})
    geo = {"version": "1.1.0", "primary_column": "geom", "columns": {"geom": about}}
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


def test_geoparquet_points_in_another_system(tmp_path: Path) -> None:
    about = {"encoding": "WKB", "crs": pyproj.CRS("EPSG:2154").to_json_dict()}
    path = geoparquet(tmp_path / "p.parquet", [*SPOTS, shapely.LineString([(0, 0), (1, 1)])], about)
    rows = read(path, ["n", *POINT], format="parquet")
    expected = [shape and degrees(shape) for shape in SPOTS]
    assert [(r[POINT[0]], r[POINT[1]]) for r in rows[:3]] == [
        one or (None, None) for one in expected
    ]
    assert [(r["n"], r[FAULT]) for r in rows] == [
        ("0", None), ("1", None), ("2", None), (None, "forme")
    ]  # fmt: skip
    assert set(read(path, ["n"], format="parquet")[0]) == {ROW, FAULT, "n"}
    told = refusal(path, ["n"], format="parquet", shapes=True)
    assert "sans forme" in told
    assert "ligne 2" in told


def test_geoparquet_without_system_is_degrees_and_null_is_unknown(tmp_path: Path) -> None:
    square = shapely.box(5.3, 43.2, 5.4, 43.3)
    path = geoparquet(tmp_path / "p.parquet", [square], {"encoding": "WKB"})
    (row,) = read(path, ["n"], format="parquet", shapes=True)
    assert shapely.from_wkb(row[GEOMETRY]).equals_exact(square)
    path = geoparquet(tmp_path / "q.parquet", [square], {"encoding": "WKB", "crs": None})
    assert "système de coordonnées" in refusal(path, ["n"], format="parquet", shapes=True)
    assert read(path, ["n"], format="parquet", shapes=True, crs="EPSG:4326") == [row]
    bare = tmp_path / "r.parquet"
    pq.write_table(pa.table({"n": [1]}), bare)
    assert "GeoParquet" in refusal(bare, ["n"], format="parquet", shapes=True)


# --- Layers ----------------------------------------------------------------------------------


def geojson(features: list[Any], **more: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features} | more)


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    drawn = None if geometry is None else shapely.geometry.mapping(geometry)
    return {"type": "Feature", "properties": properties, "geometry": drawn}


def test_geojson_points_with_their_properties(tmp_path: Path) -> None:
    spots = [shapely.Point(5.37, 43.29, 12), None, shapely.MultiPoint([(5.4, 43.3)])]
    features = [feature(spot, n=i, lieu={"nom": "é"}) for i, spot in enumerate(spots)]
    features += [feature(shapely.Point(893_000, 6_247_000)), {"type": "Feature"}]
    path = written(tmp_path, geojson(features))
    rows = read(path, ["n", "lieu.nom", *POINT], format="geojson")
    assert [tuple(row.values())[1:] for row in rows] == [
        (None, "0", "é", "5.3700000", "43.2900000"),
        (None, "1", "é", None, None),
        (None, "2", "é", "5.4000000", "43.3000000"),
        ("forme:hors_du_globe", None, None, None, None),
        ("json", None, None, None, None),
    ]


def test_geojson_of_the_old_kind_says_its_system(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}
    path = written(tmp_path, geojson([feature(SPOTS[0])], crs=crs))
    (row,) = read(path, POINT, format="geojson")
    assert (row[POINT[0]], row[POINT[1]]) == degrees(SPOTS[0])
    crs["properties"] = {"name": "EPSG:123456"}  # type: ignore[assignment]
    path = written(tmp_path, geojson([feature(SPOTS[0])], crs=crs))
    assert "inconnu" in refusal(path, POINT, format="geojson")


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "{}", '{"features": []}', '{"features": [{"geometry": null}]}',
     '{"features": [{"properties": null, "geometry": null}]}', geojson([feature(None, a=1)]),
     geojson([feature(shapely.Polygon(), a=1)]), geojson([feature(shapely.box(9e5, 0, 9e6, 1))]),
     '{"features": [{"properties": {}, "geometry": {"type": "Rond", "coordinates": []}}]}',
     ],
)  # fmt: skip
def test_unusable_zones_are_refused(content: str, tmp_path: Path) -> None:
    refusal(written(tmp_path, content), format="geojson", shapes=True)


def geopackage(path: Path, layer: str, shapes: list[Any], **more: Any) -> Path:
    fields = {"nom": np.array([f"é{i}" for i in range(len(shapes))], object)}
    pyogrio.raw.write(
        path, shapely.to_wkb(np.array(shapes, object)), [*fields.values()], [*fields],
        crs="EPSG:2154", geometry_type="Unknown", layer=layer, driver="GPKG", **more,
    )  # fmt: skip
    return path


def test_geopackage_by_layer(tmp_path: Path) -> None:
    zone = shapely.box(893_000, 6_247_000, 894_000, 6_248_000)
    path = geopackage(tmp_path / "g.gpkg", "points", SPOTS)
    rows = read(path, ["nom", *POINT], format="gpkg")
    con = sqlite3.connect(path)
    assert [row["nom"] for row in rows] == [r[0] for r in con.execute("SELECT nom FROM points")]
    con.close()
    assert [(r[POINT[0]], r[POINT[1]]) for r in rows] == [
        degrees(SPOTS[0]), (None, None), degrees(SPOTS[2])
    ]  # fmt: skip
    geopackage(path, "zones", [zone], append=True)
    told = refusal(path, ["nom"], format="gpkg")
    assert "nombre de couches : 2" in told
    assert "zones" not in told
    (row,) = read(path, ["nom"], format="gpkg", layer="zones", shapes=True)
    drawn = shapely.from_wkb(row[GEOMETRY])
    corner = TO_DEGREES.transform(893_000, 6_247_000)
    assert min(np.hypot(*(np.array(drawn.exterior.coords) - corner).T)) < 1e-8
    assert "« autre »" in refusal(path, ["nom"], format="gpkg", layer="autre")


def test_what_gdal_would_follow_elsewhere_is_refused(tmp_path: Path) -> None:
    """A virtual layer leads GDAL to any file: it is told by its content, whatever its name."""
    written(tmp_path, f"nom\n{SECRET}\n", "autre.csv")
    virtual = (
        f'<OGRVRTDataSource><OGRVRTLayer name="autre"><SrcDataSource>{tmp_path}/autre.csv'
        "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    for name, form in (("v.gpkg", "gpkg"), ("v.shp", "shp")):
        refusal(written(tmp_path, virtual, name), ["nom"], format=form)


def points_in_shapefile(folder: Path, encoding: str, name: str = "s") -> Path:
    with shapefile.Writer(folder / name, encoding=encoding) as made:
        made.field("nom", "C")
        made.field("n", "N", 10, 2)
        made.field("jour", "D")
        made.point(SPOTS[0].x, SPOTS[0].y)
        made.record("café", 12.5, dt.date(2024, 2, 29))
        made.null()
        made.record("z", None, None)
    return folder / f"{name}.shp"


def test_shapefile_encodings_and_neighbours(tmp_path: Path) -> None:
    path = points_in_shapefile(tmp_path, "latin-1")
    names = ["nom", "n", "jour", *POINT]
    assert ".prj" in refusal(path, names, format="shp")
    (tmp_path / "s.prj").write_text(pyproj.CRS("EPSG:2154").to_wkt("WKT1_ESRI"), encoding="utf-8")
    first, second = read(path, names, format="shp")
    assert tuple(first.values()) == (1, None, "café", "12.5", "2024-02-29", *degrees(SPOTS[0]))
    assert tuple(second.values()) == (2, None, "z", None, None, None, None)
    told = read(path, names, format="shp", encoding="utf-8")
    assert [row[FAULT] for row in told] == ["encodage", None]
    (tmp_path / "s.cpg").write_text("UTF-8", encoding="utf-8")
    points_in_shapefile(tmp_path, "utf-8")
    assert [row["nom"] for row in read(path, names, format="shp")] == ["café", "z"]
    (tmp_path / "ailleurs").mkdir()
    (tmp_path / "s.dbf").rename(tmp_path / "ailleurs/s.dbf")
    assert ".dbf" in refusal(path, names, format="shp")
    inside = tmp_path / "ailleurs"
    for suffix in ("shp", "shx"):
        (inside / f"s.{suffix}").write_bytes((tmp_path / f"s.{suffix}").read_bytes())
    (inside / "s.dbf").rename(tmp_path / "vrai.dbf")
    (inside / "s.dbf").symlink_to(tmp_path / "vrai.dbf")
    with pytest.raises(PhareError, match="hors de son dossier"):
        read(inside / "s.shp", ["nom"], format="shp")


def test_what_lies_beside_a_shapefile_is_found_whatever_its_name(tmp_path: Path) -> None:
    path = points_in_shapefile(tmp_path, "utf-8", "lots [93] (a-z)*")
    (path.with_suffix(".prj")).write_text(pyproj.CRS("EPSG:4326").to_wkt("WKT1_ESRI"), "utf-8")
    assert len(read(path, ["nom", *POINT], format="shp")) == 2


# --- Real files ------------------------------------------------------------------------------

TABLES = {
    "denver/crime.csv.gz": (",", "OFFENSE_ID"),
    "denver/offense_codes.csv": (",", "OFFENSE_CODE"),
    "marseille/accidents_2013_2015_2020.csv": (",", "Num_Acc"),
    "marseille/faits_par_service_2012_2020.csv": (",", "code_index"),
    "marseille/rues.csv": (",", None),
    "france/paris_dans_ma_rue_10000.csv": (",", "id_dmr"),
    "france/delinquance_departementale_ed2022.csv": (";", "faits"),
    "intervals/nyc_vehicle_thefts.csv.gz": (",", None),
    "events/mlb_home_games_2008_2018.csv": (",", None),
    "portland/burglary.csv": (",", "occ_date"),
    "boston/311_service_requests_2011.zip": (",", "case_enquiry_id"),
}


@pytest.mark.parametrize("name", TABLES)
def test_real_tables_are_those_of_pythons_reader(name: str, shared: Path) -> None:
    separator, column = TABLES[name]
    path = shared / name
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            content = archive.read(archive.namelist()[0])
    lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator)
    header = next(lines)
    place = header.index(column) if column else 0
    expected = [cells[place] or None for cells in lines if cells]
    rows = read(path, [header[place]], format="csv", separator=separator)
    assert [row[header[place]] for row in rows] == expected
    assert {row[FAULT] for row in rows} == {None}


@pytest.mark.parametrize(
    ("name", "zones"),
    [("marseille/quartiers.geojson", 111), ("marseille/quartiers_autre_graphie.geojson", 111),
     ("marseille/arrondissements.geojson", 16), ("denver/neighborhoods.geojson", 78)],
)  # fmt: skip
def test_real_zones_are_those_of_pythons_json(name: str, zones: int, shared: Path) -> None:
    features = json.loads((shared / name).read_text(encoding="utf-8"))["features"]
    column = next(iter(features[0]["properties"]))
    rows = read(shared / name, [column], format="geojson", shapes=True)
    assert len(rows) == len(features) == zones
    for row, one in zip(rows, features, strict=True):
        assert row[column] == str(one["properties"][column])
        drawn = shapely.geometry.shape(one["geometry"])
        assert shapely.from_wkb(row[GEOMETRY]).equals_exact(shapely.force_2d(drawn))


def test_real_json_with_its_records(shared: Path) -> None:
    path = shared / "france/delinquance_departementale_ed2025.json"
    expected = json.loads(path.read_text(encoding="utf-8"), parse_float=str)["records"]
    rows = read(path, [*expected[0]], format="json", records="records")
    assert len(rows) == len(expected)
    for row, one in zip(rows, expected, strict=True):
        assert [row[name] for name in one] == [str(value) for value in one.values()]


@pytest.mark.parametrize(
    ("name", "rows"),
    [("toronto/toronto_mci.parquet", 240_992), ("evaluations/seattledmi.parquet", 154_272),
     ("stlouis/stl_crime_2008_2020_noaddr.parquet", 688_776)],
)  # fmt: skip
def test_real_parquet_comes_in_whole(name: str, rows: int, shared: Path) -> None:
    table = pq.read_table(shared / name)
    kept = [field.name for field in table.schema if not pa.types.is_timestamp(field.type)][-4:]
    reading = open_file(FileFormat(format="parquet"), shared / name, kept)
    assert reading.columns == table.column_names
    found = pa.Table.from_batches(list(reading.batches))
    assert found.num_rows == rows
    assert found[FAULT].null_count == rows
    for column in kept:
        kind = table.schema.field(column).type
        back = found[column].cast(kind)
        assert back.equals(table[column]) if not pa.types.is_string(kind) else True


def test_portland_in_feet_needs_its_system(shared: Path) -> None:
    """Districts of Portland in feet of Oregon, without .prj: told, they lie around Portland."""
    path = shared / "portland/Portland_Police_Districts.shp"
    assert ".prj" in refusal(path, ["DISTRICT"], format="shp", shapes=True)
    rows = read(path, ["DISTRICT"], format="shp", shapes=True, crs="EPSG:2913")
    with shapefile.Reader(path) as made:
        assert [row["DISTRICT"] for row in rows] == [one["DISTRICT"] for one in made.iterRecords()]
    bounds = shapely.total_bounds(shapely.from_wkb([row[GEOMETRY] for row in rows]))
    assert (bounds[:2] > (-122.9, 45.4)).all()
    assert (bounds[2:] < (-122.4, 45.7)).all()
