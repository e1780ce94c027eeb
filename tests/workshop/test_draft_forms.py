"""Drafts of files of every form that the door reads, and of those made to be slow or wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
import yaml

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.contract import load_contract
from helpers.core.city.key import public
from helpers.workshop import new
from helpers.workshop.draft_contract import draft
from helpers.workshop.draft_reading import MOST_COLUMNS
from tests.fixtures.given import case
from tests.fixtures.real import build
from tests.workshop.conftest import pack

KEY = public("port_neuf")
SECRET = "Duhamel-Imaginaire"
ROWS: list[dict[str, Any]] = [
    {"code_commune": f"0{1001 + i % 3}", "nature": ["tapage", "depot"][i % 2], "n": i % 5,
     "jour": f"2024-03-{i % 28 + 1:02d}", "riverain": SECRET}
    for i in range(40)
]  # fmt: skip
EXPECTED = {"code_commune": "str", "nature": "enum", "n": "int", "jour": "date"}


def drafted(path: Path, *vouched_for: int) -> dict[str, Any]:
    text = draft("bornes", "Bornes", path, KEY, vouched_for, "America/Denver").text
    written = path.parent / "bornes.yaml"
    written.write_text(text, encoding="utf-8")
    load_contract(written)
    assert SECRET not in text
    contract: dict[str, Any] = yaml.safe_load(text)
    return contract


def kinds(contract: dict[str, Any]) -> dict[str, str]:
    return {name: rule["type"] for name, rule in contract["fields"].items()}


def features(shapes: Callable[[int], Any]) -> str:
    found = [
        {
            "type": "Feature",
            "properties": row,
            "geometry": json.loads(shapely.to_geojson(shapes(i))),
        }
        for i, row in enumerate(ROWS)
    ]
    return json.dumps({"type": "FeatureCollection", "features": found}, ensure_ascii=False)


def point(i: int) -> Any:
    return shapely.Point(5.3 + i / 1000, 43.2 + i / 1000)


def surface(i: int) -> Any:
    return shapely.box(5.3 + i / 1000, 43.2, 5.301 + i / 1000, 43.3)


def as_json(path: Path) -> None:
    path.write_text(json.dumps(ROWS), encoding="utf-8")


def as_lines(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")


def as_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), path)


def as_workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(ROWS[0]))
    for row in ROWS:
        sheet.append(list(row.values()))
    book.save(path)


FORMS: dict[str, Callable[[Path], None]] = {
    "json": as_json, "jsonl": as_lines, "parquet": as_parquet, "xlsx": as_workbook,
    "geojson": lambda path: path.write_text(features(point), "utf-8") and None,
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_drafted_alike_whatever_the_file_is_called(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"{SECRET}.bin"
    FORMS[form](path)
    contract = drafted(path)
    assert contract["file"] == {"format": form}
    assert contract["timezone"] == "America/Denver"
    places = {"longitude": "longitude", "latitude": "latitude"} if form == "geojson" else {}
    assert kinds(contract) == EXPECTED | places
    assert set(contract["refused"]) == {"riverain"}


@pytest.mark.parametrize("form", FORMS)
def test_each_drafted_form_comes_in(form: str, place: Path, tmp_path: Path) -> None:
    path = tmp_path / f"a.{form}"
    FORMS[form](path)
    new.new_source(place, "releves", "port_neuf", path)
    built = build(City(pack(place)), place, place / "out")
    assert built.fates["releves"]["accepted"] + built.fates["releves"].get("duplicate", 0) == 40
    assert set(built.receipts["releves"]["columns_refused"]) == {"riverain"}


def test_points_of_a_layer_become_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(features(point), encoding="utf-8")
    fields = drafted(path)["fields"]
    assert fields["longitude"]["column"] == "@longitude"
    assert (fields["longitude"]["minimum"], fields["longitude"]["maximum"]) == (5.3, 5.4)


def test_surfaces_are_a_division(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(features(surface), encoding="utf-8")
    contract = drafted(path)
    assert contract["kind"] == "division"
    assert kinds(contract) == EXPECTED


@pytest.mark.parametrize("encoding", ["UTF-8", "cp1252"])
def test_shapefile_without_cpg_is_drafted_with_its_encoding(
    encoding: str, place: Path, tmp_path: Path
) -> None:
    """The form in which accents once made two zones of four be set aside."""
    rows = [{"etat": ["été", "hiver"][i % 2], "n": i} for i in range(8)]
    layer = gpd.GeoDataFrame(rows, geometry=[surface(i) for i in range(8)], crs="EPSG:4326")
    layer.to_file(tmp_path / "a.shp", encoding=encoding)
    (tmp_path / "a.cpg").unlink()
    contract = drafted(tmp_path / "a.shp")
    assert contract["file"]["format"] == "shp"
    assert contract["file"]["encoding"].lower() == encoding.lower()
    assert contract["fields"]["etat"]["values"] == ["hiver", "été"]
    new.new_source(place, "saisons", "port_neuf", tmp_path / "a.shp")
    built = build(City(pack(place)), place, place / "out")
    assert built.fates["saisons"] == {"accepted": 8}


def test_given_shapefile_is_drafted_in_utf8() -> None:
    told = draft("a", "A", case("03-zones-set-aside-silently/livraison/secteurs.shp"), KEY).text
    assert yaml.safe_load(told)["file"] == {"format": "shp", "encoding": "utf-8"}


def test_geopackage_is_drafted(tmp_path: Path) -> None:
    layer = gpd.GeoDataFrame(ROWS, geometry=[point(i) for i in range(40)], crs="EPSG:2154")
    layer.to_file(tmp_path / "a.gpkg", driver="GPKG")
    assert drafted(tmp_path / "a.gpkg")["file"] == {"format": "gpkg"}


# --- Dates and hours, in the languages of our neighbours -------------------------------------


def column(name: str, texts: list[str], folder: Path) -> dict[str, Any]:
    """Return what is drafted of a column of these texts, beside one of codes."""
    path = folder / "a.csv"
    lines = [f"{texts[i % len(texts)]};{'AB'[i % 2]}" for i in range(40)]
    path.write_text("\n".join([f"{name};type", *lines]) + "\n", encoding="utf-8")
    found: dict[str, Any] = drafted(path)["fields"].get(name, {})
    return found


@pytest.mark.parametrize(
    ("name", "texts", "rule"),
    [
        ("heure", ["9", "14", "23"], {"type": "int", "minimum": 0, "maximum": 24}),
        ("Hora_dia", ["0", "7", "18"], {"type": "int", "minimum": 0, "maximum": 24}),
        ("minuto", ["5", "40"], {"type": "int", "minimum": 0, "maximum": 59}),
        ("hrmn", ["5", "1430"], {"type": "int", "minimum": 0, "maximum": 2400}),
        ("Mes_any", ["1", "9"], {"type": "int", "minimum": 1, "maximum": 12}),
        ("mois", ["3", "12"], {"type": "int", "minimum": 1, "maximum": 12}),
        ("Dia_mes", ["1", "27"], {"type": "int", "minimum": 1, "maximum": 31}),
        ("Any", ["2013", "2016"], {"type": "year"}),
        ("Jahr", ["2019"], {"type": "year"}),
        ("heure", ["14:30", "9:05"], {"type": "time"}),
        ("hora", ["14h30", "09h05"], {"type": "time"}),
        ("Uhrzeit", ["23:59:59", "00:00:00"], {"type": "time"}),
        ("mois", ["2024-01", "2024-11"], {"type": "date", "format": "%Y-%m"}),
        ("mes", ["01/2024", "11/2024"], {"type": "date", "format": "%m/%Y"}),
        ("fecha", ["31.12.2023", "01.02.2024"], {"type": "date", "format": "%d.%m.%Y"}),
        ("fecha", ["2024-03-05T10:00:00+01:00", "2024-07-05T10:00:00+02:00"],
         {"type": "timestamp", "format": "%Y-%m-%dT%H:%M:%S%z"}),
        ("fecha", ["03/25/2024 1:05 PM", "12/31/2024 11:40 AM"],
         {"type": "timestamp", "format": "%m/%d/%Y %I:%M %p"}),
        ("fecha", ["25/03/24", "01/02/24"], {"type": "date", "format": "%d/%m/%y"}),
        ("fecha", ["2024-W05-3", "2024-W11-7"], {"type": "date", "format": "%G-W%V-%u"}),
        ("datum", ["31-12-2023", "01-02-2024"], {"type": "date", "format": "%d-%m-%Y"}),
        ("data", ["2024/03/01"], {"type": "date", "format": "%Y/%m/%d"}),
        ("debut", ["2024-06-30T22:00:00Z"],
         {"type": "timestamp", "format": "%Y-%m-%dT%H:%M:%SZ"}),
        ("inicio", ["2024-06-30 22:15"], {"type": "timestamp", "format": "%Y-%m-%d %H:%M"}),
        ("Latitud", ["41.38", "41.40"], {"type": "latitude", "unit": "degrés"}),
    ],
)  # fmt: skip
def test_forms_of_dates_and_hours_are_drafted(
    name: str, texts: list[str], rule: dict[str, Any], tmp_path: Path
) -> None:
    found = column(name, texts, tmp_path)
    assert {key: found.get(key) for key in rule} == rule


@pytest.mark.parametrize("name", ["mois", "heure", "jour"])
def test_numbers_that_are_none_of_the_parts_keep_their_own_bounds(
    name: str, tmp_path: Path
) -> None:
    assert column(name, ["2", "40"], tmp_path)["maximum"] == 40


@pytest.mark.parametrize("name", ["sexo", "Edat", "cognom", "Alter", "Geschlecht", "victima"])
def test_attributes_of_persons_are_refused_in_other_languages_too(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    lines = "".join(f"2024-01-0{i % 9 + 1};{['H', 'D'][i % 2]}\n" for i in range(20))
    path.write_text(f"date;{name}\n{lines}", encoding="utf-8")
    assert kinds(drafted(path, 1, 2)) == {"date": "date"}


def test_the_columns_of_a_catalan_file_are_called_by_their_names() -> None:
    """Which once came all by their positions, and four of them whatever a person said."""
    path = case("31-hours-and-editions/2016_accidents_gu_bcn.csv")
    made = draft("a", "A", path, KEY, (), "Europe/Madrid")
    assert made.doubted == ()
    fields = yaml.safe_load(made.text)["fields"]
    dated = ("Any", "Mes_any", "Dia_mes", "Hora_dia")
    assert [fields[name]["type"] for name in dated] == ["year", "int", "int", "int"]
    assert [fields[name]["maximum"] for name in dated[1:]] == [12, 31, 24]
    assert fields["Coordenada_UTM_X"]["type"] == "longitude"
    assert "Codi_districte" in fields


# --- Separators ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("date, heure;n\n2024-01-01;5\n2024-01-02;6\n", ";"),
        ("lat;lon, degrés, nord, est\n43,29;5,36\n43,30;5,37\n", ";"),
        ("date\tnature, type, code\n2024-01-01\ttapage\n2024-01-02\tdepot\n", "\t"),
        ("date|n\n2024-01-01|5\n2024-01-02|6\n", "|"),
        ('date,nature\n2024-01-01,"tapage; depot"\n2024-01-02,depot\n', ","),
    ],
)
def test_separator_is_the_one_that_cuts_the_rows(text: str, separator: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    assert drafted(path, 1, 2)["file"]["separator"] == separator


# --- Attributes of persons --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["age", "AGE_SUSPECT", "sexe", "Sexe victime", "suspect", "victims", "nationalite",
             "origine ethnique", "race", "gender", "profession", "tranche_age", "mineurs"],
)  # fmt: skip
def test_attributes_of_persons_are_proposed_as_refused(name: str, tmp_path: Path) -> None:
    """Though their values are short codes or small numbers, and though a person vouches for it."""
    path = tmp_path / "a.csv"
    lines = "".join(f"2024-01-0{i % 9 + 1};{['F', 'M'][i % 2]}\n" for i in range(20))
    path.write_text(f"date;{name}\n{lines}", encoding="utf-8")
    assert kinds(drafted(path, 1, 2)) == {"date": "date"}


# --- Files made to be slow or wrong -----------------------------------------------------------

RING = [[5 + i / 1000, 43 + (i % 7) / 100] for i in range(3000)] + [[5, 43]]
ONE = {"type": "Feature", "properties": {"code": "A"},
       "geometry": {"type": "Polygon", "coordinates": [RING]}}  # fmt: skip
NASTY: dict[str, str] = {
    "one shape, one line": json.dumps({"type": "FeatureCollection", "features": [ONE]}),
    "one shape, a number a line": json.dumps(
        {"type": "FeatureCollection", "features": [ONE]}, indent=0
    ),
    "quotes": "date;nature\n" + '"' * 54_000 + ";x\n",
    "commas": "date;nature\n" + "," * 55_000 + "\n",
    "words": "date;nature\n2024-01-01;" + "abc " * 14_000 + "\n",
    "digits": "date;nature\n2024-01-01;" + "1-" * 27_000 + "\n",
    "a name of 55 kB": "a-" * 27_000 + ";date\n1;2024-01-01\n",
    "signs": "date;nature\n2024-01-01;" + "(((((" * 11_000 + "\n",
    "mails": "date;nature\n2024-01-01;" + "a@a." * 14_000 + "\n",
    "nested": json.dumps({"type": "FeatureCollection", "features": []})[:-2] + "[" * 20_000,
    "deep": '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null,'
            '"properties":{"code":' + "[" * 5000 + "]" * 5000 + "}}]}",
}  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_nasty_file_is_drafted_or_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{SECRET}.geojson"
    path.write_text(NASTY[name], encoding="utf-8")
    try:
        text = draft("a", "A", path, KEY).text
    except PhareError as error:
        text = str(error)
    assert text
    assert SECRET not in text
    assert len(text) < 5000


@pytest.mark.parametrize("form", ["csv", "geojson"])
def test_file_of_too_many_columns_is_refused(form: str, tmp_path: Path) -> None:
    names = [f"code{i}" for i in range(MOST_COLUMNS + 1)]
    one = {"type": "Feature", "properties": dict.fromkeys(names, 1), "geometry": None}
    texts = {"csv": ";".join(names) + "\n" + ";".join("1" for _ in names) + "\n",
             "geojson": json.dumps({"type": "FeatureCollection", "features": [one]})}  # fmt: skip
    path = tmp_path / "a"
    path.write_text(texts[form], encoding="utf-8")
    with pytest.raises(PhareError, match="301 colonnes"):
        draft("a", "A", path, KEY)


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"type": "FeatureCollection", "features": []}', "\ufeff", "   \n  ", "[{}]"],
)
def test_file_that_holds_nothing_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PhareError) as caught:
        draft("a", "A", path, KEY)
    assert "FILE=" in caught.value.where
