"""The door: what is counted is what came, what is refused is nowhere, and errors quote nobody."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers import collect
from helpers.city import City
from helpers.contract import Contract
from helpers.errors import PhareError
from tests.conftest import (
    ABOUT,
    ROOT,
    SHAPES,
    Built,
    build_made_up,
    deliver,
    fact,
    read_csv,
    squares,
    write_pack,
)

SECRET = "Duhamel-Imaginaire"


def contract(**changes: Any) -> Contract:
    """Return a small contract: `a` is required, `b` may be there, `nom` is refused."""
    base: dict[str, Any] = {
        "source": "essai",
        "title": "Essai",
        "kind": "context",
        **ABOUT,
        "file": {"format": "csv"},
        "fields": {"a": {"type": "str", "required": True}, "b": {"type": "str"}},
        "refused": {"nom": "identité d'une personne"},
    }
    return Contract(**(base | changes))


def taken(folder: Path, content: str | bytes, **changes: Any) -> tuple[dict[str, Any], list[Any]]:
    """Take `content` in; return the receipt and the rows that were written."""
    received = folder / "recu.csv"
    received.write_bytes(content if isinstance(content, bytes) else content.encode())
    receipt = collect.take_in(contract(**changes), received, folder / "raw")
    path = folder / "raw" / "essai.parquet"
    return receipt, duckdb.sql(f"SELECT * FROM '{path}' ORDER BY row_number").fetchall()


def refusal(folder: Path, content: str | bytes, **changes: Any) -> str:
    with pytest.raises(PhareError) as caught:
        taken(folder, content, **changes)
    return str(caught.value)


def received_files(built: Built, shared: Path) -> list[tuple[str, Path]]:
    folder = shared / built.city.about.name.removesuffix("_ouvert")
    return [(name, folder / d.file) for name, d in built.city.about.sources.items()]


def rows_in(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".geojson":
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        return [feature["properties"] for feature in features]
    return list(read_csv(path))


# --- Real files ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["denver", "open_marseille"])
def test_receipt_is_what_the_file_is(
    name: str, shared: Path, request: pytest.FixtureRequest
) -> None:
    built: Built = request.getfixturevalue(name)
    for source, path in received_files(built, shared):
        receipt, rows = built.receipts[source], rows_in(path)
        assert receipt["rows"] == len(rows), source
        assert receipt["size"] == path.stat().st_size
        assert receipt["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        kept, about = receipt["columns_kept"], built.city.contracts[source]
        told = {*kept, *receipt["columns_refused"], *receipt["columns_not_named"]}
        assert told == {key for row in rows for key in row}
        assert set(kept) <= set(about.fields)
        assert set(receipt["columns_refused"]) == set(about.refused)
        assert not set(receipt["columns_not_named"]) & (set(about.fields) | set(about.refused))


def test_receipts_on_disk_are_those_returned(denver: Built) -> None:
    written = json.loads((denver.raw / "receipts.json").read_text(encoding="utf-8"))
    assert written == denver.receipts


@pytest.mark.parametrize("name", ["denver", "open_marseille"])
def test_written_columns_are_the_allowed_ones(name: str, request: pytest.FixtureRequest) -> None:
    built: Built = request.getfixturevalue(name)
    for source, about in built.city.contracts.items():
        described = duckdb.sql(f"DESCRIBE SELECT * FROM '{built.raw / source}.parquet'").fetchall()
        columns = {row[0]: row[1] for row in described}
        assert columns.pop("row_number") == "BIGINT"
        assert columns.pop("geometry", "BLOB") == "BLOB"
        assert set(columns) == set(about.fields) & set(columns)
        assert set(columns.values()) == {"VARCHAR"}


def test_values_are_those_of_the_file_row_by_row(denver: Built, shared: Path) -> None:
    kept = denver.receipts["crime"]["columns_kept"]
    listed = ", ".join(f'"{name}"' for name in kept)
    written = duckdb.sql(
        f"SELECT {listed} FROM '{denver.raw / 'crime.parquet'}' ORDER BY row_number"
    ).fetchall()
    rows = read_csv(shared / "denver/crime.csv.gz")
    assert written == [tuple(row[name] or None for name in kept) for row in rows]


@pytest.mark.parametrize(
    ("name", "source", "refused"),
    [("denver", "crime", "INCIDENT_ADDRESS"), ("open_marseille", "accidents", "adr")],
)
def test_no_refused_address_is_anywhere(
    name: str, source: str, refused: str, shared: Path, request: pytest.FixtureRequest
) -> None:
    """Decoded, each value of each written file; and the bytes, for what decoding would miss."""
    built: Built = request.getfixturevalue(name)
    path = dict(received_files(built, shared))[source]
    addresses = {row[refused].strip() for row in read_csv(path)}
    addresses = {text for text in addresses if len(text) > 8}
    assert len(addresses) > 1000
    written = sorted(path for path in built.out.rglob("*") if path.is_file())
    assert len(written) > 5
    for one in written:
        content = one.read_bytes()
        assert not [text for text in sorted(addresses)[::97] if text.encode() in content], one
        if one.suffix != ".parquet":
            continue
        columns = [r[0] for r in duckdb.sql(f"DESCRIBE SELECT * FROM '{one}'").fetchall()]
        assert refused not in columns
        for column in columns:
            values = duckdb.sql(f"SELECT DISTINCT CAST(\"{column}\" AS VARCHAR) FROM '{one}'")
            assert not addresses & {row[0] for row in values.fetchall()}, (one.name, column)


# --- Made-up files ---------------------------------------------------------------------------


def test_refused_and_unnamed_columns_leave_no_trace(tmp_path: Path) -> None:
    rows = [fact(i, temoin=SECRET) for i in range(50)]
    built = build_made_up(tmp_path, rows)
    assert SECRET in (tmp_path / "livraison/faits.csv").read_text(encoding="utf-8")
    assert built.receipts["faits"]["columns_refused"] == {"temoin": "identité d'une personne"}
    assert built.receipts["carres"]["columns_not_named"] == ["maire"]
    for path in built.out.rglob("*.parquet"):
        text = str(duckdb.sql(f"SELECT * FROM '{path}'").fetchall())
        assert SECRET not in text
        assert SECRET.encode() not in path.read_bytes()
        columns = [r[0] for r in duckdb.sql(f"DESCRIBE SELECT * FROM '{path}'").fetchall()]
        assert not {"temoin", "maire"} & set(columns)
    assert SECRET not in (built.raw / "receipts.json").read_text(encoding="utf-8")


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\r", exclude_categories=("Cs",)),
    max_size=12,
)


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
        (i, row["a"] or None, row["b"] or None) for i, row in enumerate(expected, start=1)
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
    assert [row[1] for row in written] == [row["a"] or None for row in expected]


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
    receipt = collect.take_in(contract(), path, tmp_path / "raw")
    assert receipt["rows"] == 1
    assert receipt["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


BROKEN = {
    "colonne de trop": f"a,b,nom\n1,2,x\n3,4,{SECRET},de trop\n5,6,z\n",
    "colonne de moins": f"a,b,nom\n1,2,x\n{SECRET},4\n5,6,z\n",
    "colonne de trop, plus loin": "a,b,nom\n" + "1,2,x\n" * 30_000 + f"3,4,{SECRET},de trop\n",
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


def test_error_of_a_far_row_says_which(tmp_path: Path) -> None:
    assert "30002" in refusal(tmp_path, BROKEN["colonne de trop, plus loin"])


def test_error_keeps_no_row_in_its_chain(tmp_path: Path) -> None:
    """A traceback printed in a notebook shows the chained errors too."""
    with pytest.raises(PhareError) as caught:
        taken(tmp_path, BROKEN["colonne de trop, plus loin"])
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("content", "column"),
    [
        ("b,nom\n1,x\n", "a"),
        ("A,b,nom\n1,2,x\n", "a"),
        ("a;b;nom\n1;2;x\n3;4;y\n", "a"),
        ("", "a"),
    ],
    ids=["absente", "autre casse", "autre séparateur", "fichier vide"],
)
def test_missing_required_column_is_named_with_the_file(
    content: str, column: str, tmp_path: Path
) -> None:
    told = refusal(tmp_path, content)
    assert "recu.csv" in told
    assert f": {column}" in told or "séparateur" in told
    assert not (tmp_path / "raw" / "essai.parquet").exists()


def test_optional_column_may_be_absent(tmp_path: Path) -> None:
    receipt, written = taken(tmp_path, "a,nom\n1,x\n")
    assert receipt["columns_kept"] == ["a"]
    assert written == [(1, "1")]


def test_missing_file_names_it_the_city_and_how_to_get_it(tmp_path: Path) -> None:
    city = write_pack(tmp_path)
    with pytest.raises(PhareError, match=r"carres\.geojson") as caught:
        collect.collect(city, tmp_path, tmp_path / "raw")
    assert "essai" in caught.value.where
    assert "FROM" in caught.value.todo
    pack = City(ROOT / "data/cities/denver")
    with pytest.raises(PhareError) as caught:
        collect.collect(pack, tmp_path / "nulle" / "part", tmp_path / "raw")
    assert "portail" in caught.value.todo


def test_folder_given_by_hand_comes_before_that_of_the_pack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = write_pack(tmp_path)
    deliver(tmp_path, [fact(1)])
    deliver(tmp_path / "autre", [fact(1), fact(2)])
    monkeypatch.setenv("PHARE_FROM", str(tmp_path / "autre" / "livraison"))
    assert collect.collect(city, tmp_path, tmp_path / "raw")["faits"]["rows"] == 2
    monkeypatch.delenv("PHARE_FROM")
    assert collect.collect(city, tmp_path, tmp_path / "raw")["faits"]["rows"] == 1


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
        collect.take_in(Contract(**SHAPES), path, tmp_path / "raw")
    assert "carres.geojson" in str(caught.value)


def test_shapes_come_in_whole(tmp_path: Path) -> None:
    import shapely

    path = tmp_path / "carres.geojson"
    path.write_text(json.dumps(squares()), encoding="utf-8")
    collect.take_in(Contract(**SHAPES), path, tmp_path / "raw")
    rows = duckdb.sql(
        f"SELECT code, geometry FROM '{tmp_path / 'raw/carres.parquet'}' ORDER BY row_number"
    ).fetchall()
    for (code, wkb), feature in zip(rows, squares()["features"], strict=True):
        assert code == feature["properties"]["code"]
        assert shapely.from_wkb(wkb).equals(shapely.geometry.shape(feature["geometry"]))


def test_same_files_same_bytes_wherever_they_lie(tmp_path: Path) -> None:
    written = []
    for name in ("un", "deux dossiers plus loin/é"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        city = write_pack(folder)
        deliver(folder, [fact(i) for i in range(20)])
        collect.collect(city, folder, folder / "raw")
        written.append({p.name: p.read_bytes() for p in (folder / "raw").iterdir()})
    assert written[0] == written[1]
    assert len(written[0]) == 3


def test_words_name_each_refused_column_and_its_reason(tmp_path: Path) -> None:
    built = build_made_up(tmp_path, [fact(1), fact(2)])
    told = collect.in_words(built.receipts)
    assert "`temoin`" in told
    assert "identité d'une personne" in told
    assert "6" in told  # four squares and two facts
    table = collect.as_markdown(built.receipts)
    assert "faits.csv" in table
    assert built.receipts["faits"]["sha256"][:12] in table
    shutil.rmtree(built.out)
