"""Four editions of one real table, whole: other columns, encodings, decimals, axes interchanged.

What is right is read in the files themselves by Python alone: their hours, their quarters, and the
degrees that three of them hold beside the metres.
"""

from __future__ import annotations

import csv
from collections import Counter
from typing import Any

import duckdb
import numpy as np
import pyproj
import pytest
import yaml

from helpers.core.city.city import City
from helpers.ingest.remarks import remarks
from tests.fixtures.cases import case
from tests.fixtures.made_up import ABOUT
from tests.fixtures.real import Built, build

ENCODINGS = {2013: "cp1252", 2016: "utf-8-sig", 2019: "utf-8-sig", 2020: "utf-8-sig"}
NEAR_M = 16  # 7.7 m from the metres to the degrees of 2019, and half the diagonal of the grid
QUARTER_M = 2_500  # from the middle of the same quarter in the other years


def rows_of(year: int) -> list[dict[str, str]]:
    path = case("31-hours-and-editions") / f"{year}_accidents_gu_bcn.csv"
    with path.open(encoding=ENCODINGS[year], newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    return [row for year in ENCODINGS for row in rows_of(year)]


def contract(quarters: list[str]) -> dict[str, Any]:
    form = {"format": "csv", "separator": ";", "decimal": ","}
    metres = {"unit": "mètres", "null_values": ["-1"]}
    return {
        **ABOUT, "source": "accidents", "title": "Accidents", "kind": "observations",
        "file": form, "since": 2013, "until": 2020, "key": ["numero"],
        "editions": [
            {"version": "2010-2015", "file": {**form, "encoding": "cp1252"},
             "columns": {"x": "Coordenada_UTM_Y", "y": "Coordenada_UTM_X"}, "absent": ["degres"]},
            {"version": "2016-2022", "file": form},
        ],
        "fields": {
            "numero": {"type": "id", "column": "Numero_expedient", "required": True},
            "an": {"type": "year", "column": "Any", "required": True},
            "mois": {"type": "int", "column": "Mes_any", "minimum": 1, "maximum": 12},
            "jour": {"type": "int", "column": "Dia_mes", "minimum": 1, "maximum": 31},
            "heure": {"type": "int", "column": "Hora_dia", "minimum": 0, "maximum": 23},
            "torn": {"type": "enum", "column": "Descripcio_torn", "required": True,
                     "values": ["Matí", "Tarda", "Nit"]},
            "quartier": {"type": "enum", "column": "Nom_barri", "null_values": ["Desconegut"],
                         "values": quarters},
            "degres": {"type": "id", "column": "Longitud"},
            "x": {**metres, "type": "longitude", "column": "Coordenada_UTM_X",
                  "minimum": 400_000, "maximum": 450_000},
            "y": {**metres, "type": "latitude", "column": "Coordenada_UTM_Y",
                  "minimum": 4_500_000, "maximum": 4_700_000},
        },
        "observation": {
            "category": "torn", "origin": {"value": "unknown"},
            "started_at": {"year": "an", "month": "mois", "day": "jour", "hour": "heure"},
            "longitude": "x", "latitude": "y", "coordinates_crs": "EPSG:23031",
            "declared_zone": {"division": "barris", "field": "quartier"},
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def built(rows: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("barcelona")
    quarters = sorted({row["Nom_barri"] for row in rows} - {"Desconegut"})
    city = {
        "name": "essai", "title": "Barcelone", "language": "fr", "timezone": "Europe/Madrid",
        "crs": "EPSG:25831", "simulated": True,
        "period": {"start": "2013-01-01", "end": "2020-12-31"}, "main_division": "barris",
        "divisions": {"barris": {"title": "Barris", "zones": {name: name for name in quarters}}},
        "sources": {"accidents": {"file": "*_accidents_gu_bcn.csv"}},
        "folders": [str(case("31-hours-and-editions"))],
        "holidays": {"country": "ES", "subdivision": "CT"},
    }  # fmt: skip
    theme = {"title": "Accidents", "axis": "circulation", "source": "accidents",
             "categories": ["Matí", "Tarda", "Nit"], "severity": 3}  # fmt: skip
    pack = folder / "essai"
    (pack / "contracts").mkdir(parents=True)
    written = {"city": city, "themes": {"themes": {"accidents": theme}},
               "contracts/accidents": contract(quarters)}  # fmt: skip
    for name, content in written.items():
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
        (pack / f"{name}.yaml").write_text(text, encoding="utf-8")
    return build(City(pack), folder, folder / "out")


def accepted(built: Built, columns: str) -> list[tuple[Any, ...]]:
    path = built.out / "accepted/accidents.parquet"
    return duckdb.sql(f"SELECT {columns} FROM '{path}' ORDER BY row_number").fetchall()


def test_every_row_comes_in_under_its_edition(built: Built, rows: list[dict[str, str]]) -> None:
    assert built.fates["accidents"] == {"accepted": len(rows)} == {"accepted": 550}
    told = [(one["file"], one["edition"]) for one in built.receipts["accidents"]["files"]]
    assert told == [
        (f"{year}_accidents_gu_bcn.csv", "2010-2015" if year == 2013 else "2016-2022")
        for year in ENCODINGS
    ]
    assert remarks(built.city, built.out) == []


def test_hours_shifts_and_quarters_are_those_of_the_files(
    built: Built, rows: list[dict[str, str]]
) -> None:
    told = Counter(
        (*(int(row[c]) for c in ("Any", "Mes_any", "Dia_mes", "Hora_dia")),
         row["Descripcio_torn"], row["Nom_barri"]) for row in rows
    )  # fmt: skip
    parts = "year(hour), month(hour), day(hour), hour(hour), category"
    found = built.rows(f"SELECT {parts}, zone_barris, CAST(sum(n) AS INT) FROM cube GROUP BY ALL")
    assert {row[:-1]: row[-1] for row in found} == {
        (*key[:-1], "no_place" if key[-1] == "Desconegut" else key[-1]): n
        for key, n in told.items()
    }
    assert built.rows("SELECT DISTINCT time_precision FROM cube") == [("hour",)]


def degrees(row: dict[str, str]) -> tuple[float, float]:
    """Return longitude and latitude whose decimal point the publisher has lost: « 2.186.949 »."""
    east, north = (row[c].replace(".", "").strip() for c in ("Longitud", "Latitud"))
    return float(f"{east[0]}.{east[1:]}"), float(f"{north[:2]}.{north[2:]}")


def test_points_are_where_the_degrees_of_the_files_say(
    built: Built, rows: list[dict[str, str]]
) -> None:
    points = accepted(built, "CAST(x AS DOUBLE), CAST(y AS DOUBLE)")
    kept = [
        (point, degrees(row)) for point, row in zip(points, rows, strict=True)
        if "Longitud" in row and row["Coordenada_UTM_X"] != "-1"
    ]  # fmt: skip
    assert len(kept) == 399
    geod = pyproj.Geod(ellps="WGS84")
    move = pyproj.Transformer.from_crs(23031, 4326, always_xy=True).transform
    for (x, y), (lon, lat) in kept:
        assert geod.inv(*move(x, y), lon, lat)[2] < NEAR_M
    unknown = [p for p, row in zip(points, rows, strict=True) if row["Coordenada_UTM_X"] == "-1"]
    assert unknown == [(None, None)]


def test_the_axes_interchanged_by_the_publisher_are_put_right(
    built: Built, rows: list[dict[str, str]]
) -> None:
    """Of 2013, that holds no degrees: each point lies in its quarter, as other years have it."""
    points = accepted(built, "CAST(x AS DOUBLE), CAST(y AS DOUBLE)")
    of: dict[str, list[tuple[float, float]]] = {}
    for point, row in zip(points, rows, strict=True):
        if row["Any"] != "2013" and point[0] is not None:
            of.setdefault(row["Nom_barri"], []).append(point)
    tried = [
        np.hypot(*(np.array(point) - np.mean(of[row["Nom_barri"]], axis=0)))
        for point, row in zip(points, rows, strict=True)
        if row["Any"] == "2013" and row["Nom_barri"] in of
    ]
    assert len(tried) > 100
    assert max(tried) < QUARTER_M
