"""The door: the permitted fields come in as written, and nobody's name with them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.collect import gate
from helpers.core.base.errors import PhareError
from helpers.core.city import key
from helpers.core.city.contract import Contract
from tests.fixtures.made_up import ABOUT, SHAPES, door, squares
from tests.fixtures.real import read_csv

KEY = key.public("essai")
SECRET = "Duhamel-Imaginaire"


class Hashed:
    """What stands for a text in the data: it equals the text that hashes so, trimmed."""

    def __init__(self, value: str) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and KEY.hash(other.strip()) == self.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return f"<{self.value}>"


def contract(**changes: Any) -> Contract:
    """Return a small contract of identifiers: `a` required, `b` may be there, `nom` refused."""
    base: dict[str, Any] = {
        "source": "essai",
        "title": "Essai",
        "kind": "context",
        **ABOUT,
        "file": {"format": "csv"},
        "fields": {"a": {"type": "id", "required": True}, "b": {"type": "id"}},
        "refused": {"nom": "identité d'une personne"},
    }
    return Contract(**(base | changes))


def taken(folder: Path, content: str | bytes, **changes: Any) -> tuple[dict[str, Any], list[Any]]:
    """Take `content` in; return the receipt and the rows that were written."""
    received = folder / "recu.csv"
    received.write_bytes(content if isinstance(content, bytes) else content.encode())
    about = contract(**changes)
    receipt = gate.take_in(door(), about, [received], folder / "raw", ["recu.csv"])
    path = folder / "raw" / "essai.parquet"
    kept = ", ".join(f'"{name}"' for name in receipt["columns_kept"])
    rows = duckdb.sql(f"SELECT row_number, {kept} FROM '{path}' ORDER BY row_number").fetchall()
    return receipt, [(n, *(v if v is None else Hashed(v) for v in values)) for n, *values in rows]


def refusal(folder: Path, content: str | bytes, **changes: Any) -> str:
    with pytest.raises(PhareError) as caught:
        taken(folder, content, **changes)
    return str(caught.value)


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\r", exclude_categories=("Cs",)),
    max_size=12,
)


@pytest.mark.parametrize(("header", "version"), [("a,b", "1"), ("a,B", "2"), ("a", "1")])
def test_the_edition_that_finds_most_columns_is_taken(
    header: str, version: str, tmp_path: Path
) -> None:
    """An optional column renamed would else be lost without a word."""
    layout = {"format": "csv"}
    receipt, _ = taken(
        tmp_path,
        f"{header}\n{','.join('12'[: len(header.split(','))])}\n",
        editions=[
            {"version": "1", "file": layout},
            {"version": "2", "file": layout, "columns": {"b": "B"}},
        ],
    )
    assert receipt["files"][0]["edition"] == version
    assert receipt["columns_not_named"] == []
    (a, b), *more = duckdb.sql(f"SELECT a, b FROM '{tmp_path / 'raw/essai.parquet'}'").fetchall()
    assert not more
    assert a == KEY.hash("1")
    assert b == (KEY.hash("2") if "," in header else None)


@settings(max_examples=30, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(rows=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=12))
def test_any_text_comes_in_as_pythons_reader_sees_it(
    rows: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    """Quotes, separators, line ends, signs like # in a cell: nothing is dropped nor altered."""
    path = tmp_path / "recu.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerows([("a", "b", "nom"), *rows])
    receipt, written = taken(tmp_path, path.read_bytes())
    expected = read_csv(path)
    assert receipt["rows"] == len(expected) == len(rows)
    assert written == [
        (i, row["a"].strip() or None, row["b"].strip() or None)
        for i, row in enumerate(expected, start=1)
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["1,2,x", "#3,4,y", "5,6,z"],
        ["#1,2,x", "#3,4,y", "5,6,z"],
        ["1,2,x", "//3,4,y", "--5,6,z"],
        ["1,,x", ",,", "5,6,z"],
        ["'1,2',x", '"1""2",2,x'],
        ["1,2,x", "   ,2,x"],
    ],
)
def test_no_row_is_taken_for_a_comment(lines: list[str], tmp_path: Path) -> None:
    text = "\n".join(["a,b,nom", *lines]) + "\n"
    receipt, written = taken(tmp_path, text)
    expected = list(csv.DictReader(text.splitlines()))
    assert receipt["rows"] == len(expected) == len(lines)
    assert [row[1] for row in written] == [row["a"].strip() or None for row in expected]


@pytest.mark.parametrize(
    "text",
    [
        "a,b,nom\n",
        "\ufeffa,b,nom\n1,2,x\n",
        "a,b,nom\r\n1,2,x\r\n3,4,y\r\n",
        'a,b,nom\n"1\n2",2,x\n3,4,y\n',
        "a,b,nom\n1,2,x\n3,4,y",
    ],
    ids=["vide", "BOM", "CRLF", "retour dans une cellule", "sans fin de ligne"],
)
def test_usual_layouts_are_read_as_they_are(text: str, tmp_path: Path) -> None:
    receipt, written = taken(tmp_path, text)
    expected = list(csv.DictReader(text.removeprefix("\ufeff").splitlines(keepends=True)))
    assert receipt["rows"] == len(expected)
    assert [row[1:] for row in written] == [(row["a"], row["b"]) for row in expected]


def test_row_numbers_are_lines_of_the_received_file(tmp_path: Path) -> None:
    text = "a,nom\n" + "".join(f"v{i},x\n" for i in range(30_000))
    _, written = taken(tmp_path, text)
    assert written == [(i + 1, f"v{i}") for i in range(30_000)]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "cp1252"])
def test_declared_encoding_is_read(encoding: str, tmp_path: Path) -> None:
    """cp1252 is what office software in France writes: a contract may well say it."""
    content = "a,b,nom\né,à l'œil,x\n" if encoding == "cp1252" else "a,b,nom\né,à l'oeil,x\n"
    _, written = taken(
        tmp_path, content.encode(encoding), file={"format": "csv", "encoding": encoding}
    )
    assert written == [(1, "é", content.split(",")[3])]


def test_compressed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "recu.csv.gz"
    path.write_bytes(gzip.compress(b"a,b,nom\n1,2,x\n", mtime=0))
    receipt = gate.take_in(door(), contract(), [path], tmp_path / "raw")
    assert receipt["rows"] == 1
    assert receipt["files"][0]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


BROKEN = {
    "colonnes de trop partout": f"a,b,nom\n1,2,x,y\n3,4,{SECRET},de trop\n",
    "guillemet ouvert": f'a,b,nom\n1,2,x\n"3,4,{SECRET}\n5,6,z\n',
    "guillemet ouvert, plus loin": "a,b,nom\n" + "1,2,x\n" * 30_000 + f'"3,4,{SECRET}\n',
    "encodage": f"a,b,nom\né,2,{SECRET}\n".encode("latin-1"),
    "préambule": f"Liste de {SECRET}\na,b,nom\n1,2,x\n3,4,y\n",
    "entête courte": f"a,b\n1,2,{SECRET}\n3,4,{SECRET}\n5,6,z\n",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_broken_file_is_refused_by_name_and_quotes_no_row(
    content: str | bytes, tmp_path: Path
) -> None:
    told = refusal(tmp_path, content)
    assert "recu.csv" in told
    assert SECRET not in told
    assert not (tmp_path / "raw" / "essai.parquet").exists()


def test_text_after_a_closing_quote_is_refused_or_read_whole(tmp_path: Path) -> None:
    text = f'a,b,nom\n1,2,x\n"{SECRET}" et,2,x\n5,6,z\n'
    told = ""
    try:
        _, written = taken(tmp_path, text)
    except PhareError as error:
        told, written = str(error), None
    assert SECRET not in told
    expected = [row["a"] for row in csv.DictReader(text.splitlines())]
    assert written is None or [row[1] for row in written] == expected


@pytest.mark.parametrize("row", ["3,4,{},de trop", "{},4", "{}"])
@pytest.mark.parametrize("before", [1, 30_000])
def test_row_of_another_width_is_set_aside_and_nobody_with_it(
    row: str, before: int, tmp_path: Path
) -> None:
    bad = row.format(SECRET)
    text = "a,b,nom\n" + "1,2,x\n" * before + f"{bad}\n5,6,z\n"
    receipt, rows = taken(tmp_path, text)
    assert receipt["rows"] == before + 2
    assert rows[-2:] == [(before + 1, None, None), (before + 2, "5", "6")]
    path = tmp_path / "raw" / "essai.parquet"
    faults = duckdb.sql(f"SELECT row_number, fault FROM '{path}' WHERE fault IS NOT NULL")
    assert faults.fetchall() == [(before + 1, f"colonnes:{bad.count(',') + 1}/3")]
    assert SECRET.encode() not in path.read_bytes()


def test_error_keeps_no_row_in_its_chain(tmp_path: Path) -> None:
    """A traceback printed in a notebook shows the chained errors too."""
    with pytest.raises(PhareError) as caught:
        taken(tmp_path, BROKEN["guillemet ouvert, plus loin"])
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("content", "column"),
    [
        ("b,nom\n1,x\n", "a"),
        ("a;b;nom\n1;2;x\n3;4;y\n", "a"),
        ("", "a"),
    ],
    ids=["absente", "autre séparateur", "fichier vide"],
)
def test_missing_required_column_is_named_with_the_file(
    content: str, column: str, tmp_path: Path
) -> None:
    told = refusal(tmp_path, content)
    assert "recu.csv" in told
    assert f": {column}" in told or "séparateur" in told
    assert not (tmp_path / "raw" / "essai.parquet").exists()


def test_a_column_of_another_case_is_the_same_column_and_what_is_refused_stays_so(
    tmp_path: Path,
) -> None:
    receipt, written = taken(tmp_path, "A,NOM\n1,x\n")
    assert receipt["columns_kept"] == ["a"]
    assert receipt["files"][0]["columns_otherwise"] == ["a"]
    assert len(receipt["columns_not_named"]) == 1
    assert written == [(1, "1")]


def test_optional_column_may_be_absent(tmp_path: Path) -> None:
    receipt, written = taken(tmp_path, "a,nom\n1,x\n")
    assert receipt["columns_kept"] == ["a"]
    assert written == [(1, "1")]


BROKEN_SHAPES = {
    "pas du JSON": "{",
    "pas un objet": "[]",
    "sans features": '{"type": "FeatureCollection"}',
    "sans propriétés": '{"features": [{"geometry": {"type": "Point", "coordinates": [5, 43]}}]}',
    "propriétés nulles": '{"features": [{"properties": null, "geometry": null}]}',
    "sans forme": '{"features": [{"properties": {"code": "A", "nom": "A", "moitie": "x"}, '
    '"geometry": null}]}',
    "forme inconnue": '{"features": [{"properties": {"code": "A", "nom": "A", "moitie": "x"}, '
    '"geometry": {"type": "Rond", "coordinates": []}}]}',
    "sans zone": '{"features": []}',
    "encodage": '{"features": "é"}'.encode("latin-1"),
}


@pytest.mark.parametrize("content", BROKEN_SHAPES.values(), ids=BROKEN_SHAPES.keys())
def test_broken_geojson_is_refused_by_name(content: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / "carres.geojson"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PhareError) as caught:
        gate.take_in(door(), Contract(**SHAPES), [path], tmp_path / "raw", [path.name])
    assert "carres.geojson" in str(caught.value)


def test_shapes_come_in_whole(tmp_path: Path) -> None:
    import shapely

    path = tmp_path / "carres.geojson"
    path.write_text(json.dumps(squares()), encoding="utf-8")
    gate.take_in(door(), Contract(**SHAPES), [path], tmp_path / "raw")
    rows = duckdb.sql(
        f"SELECT code, geometry FROM '{tmp_path / 'raw/carres.parquet'}' ORDER BY row_number"
    ).fetchall()
    for (code, wkb), feature in zip(rows, squares()["features"], strict=True):
        assert code == feature["properties"]["code"]
        assert shapely.from_wkb(wkb).equals(shapely.geometry.shape(feature["geometry"]))
