"""A right number, or a sentence: points that tell no place, clocks of another zone, totals."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pyproj
import pytest

from helpers.core.base.errors import PhareError
from helpers.core.city.remark import Remark
from helpers.core.stage import remark_words
from helpers.ingest import delivery_remarks
from helpers.ingest.remarks import remarks
from tests.fixtures.made_up import (
    CITY,
    FACTS,
    build_made_up,
    deliver,
    fact,
    middle,
    write_pack,
)
from tests.fixtures.real import Built, build

DAY = {"le": {"type": "date", "required": True, "format": "%d/%m/%Y"}}
ZONE = {"carre": {"type": "str", "pattern": "[A-Z]"}}
IN_ZONE = {"started_at": "le", "declared_zone": {"division": "carres", "field": "carre"}}
NUMBER = {"n": {"type": "int", "required": True, "minimum": 0, "maximum": 100000}}
THEMES = {
    "themes": {
        "bruit": {"title": "Bruit", "axis": "delinquance", "source": "faits",
                  "categories": ["tapage"], "severity": 2},
    }
}  # fmt: skip


def made(
    folder: Path, files: dict[str, str], fields: dict[str, Any], facts: dict[str, Any],
    period: tuple[str, str] = ("2024-01-01", "2024-12-31"), encoding: str = "utf-8", **more: Any,
) -> Built:  # fmt: skip
    """Take in the made-up city with these files, fields and rule of facts."""
    nature = {"type": "enum", "required": True, "values": ["tapage", "depot"]}
    base = {k: v for k, v in FACTS.items() if k not in ("refused", "key")}
    contract = {
        **copy.deepcopy(base), "repeats": True, "fields": {"nature": nature, **fields},
        "observation": {"category": "nature", "origin": {"value": "unknown"}, **facts}, **more,
    }  # fmt: skip
    city = copy.deepcopy(CITY)
    city["sources"]["faits"] = {"files": list(files)}
    city["period"] = dict(zip(("start", "end"), period, strict=True))
    pack = write_pack(folder, city, THEMES, contract)
    deliver(folder, [])
    (folder / "livraison/faits.csv").unlink()
    for name, text in files.items():
        (folder / "livraison" / name).write_text(text, encoding=encoding)
    return build(pack, folder, folder / "out")


def odd(built: Built) -> list[Remark]:
    deliveries = delivery_remarks.remarks(built.city, built.out, built.raw)
    return [*deliveries, *remarks(built.city, built.out)]


def days(built: Built) -> list[tuple[Any, ...]]:
    query = "SELECT hour, zone_carres, CAST(sum(n) AS INT) FROM cube GROUP BY ALL ORDER BY ALL"
    return built.rows(query)


# --- Points that tell no place ---------------------------------------------------------------

POINT = {"lon": FACTS["fields"]["lon"], "lat": FACTS["fields"]["lat"]}
LON, LAT = (f"{value:.6f}" for value in middle("A"))
NOWHERE = [("0", "0"), ("-1", "-1"), ("99", LAT), (LON, "43,29"), (f"{LON}x", LAT)]


def placed(folder: Path, points: list[tuple[str, str]], **rule: Any) -> Built:
    fields = {n: {**one, **rule} for n, one in POINT.items()}
    rows = [f"tapage;01/02/2024;{lon};{lat};B" for lon, lat in points]
    text = "\n".join(["nature;le;lon;lat;carre", *rows]) + "\n"
    facts = {**IN_ZONE, "longitude": "lon", "latitude": "lat"}
    return made(folder, {"faits.csv": text}, {**DAY, **fields, **ZONE}, facts)


def test_a_point_that_tells_no_place_does_not_throw_the_fact_away(tmp_path: Path) -> None:
    built = placed(tmp_path, [(LON, LAT), *NOWHERE])
    assert built.fates["faits"] == {"accepted": 6}
    assert [row[1:] for row in days(built)] == [("A", 1), ("B", 5)], "the declared zone serves"
    known = built.rows(
        "SELECT place_precision, count(cell) FROM observations GROUP BY 1 ORDER BY 1"
    )
    assert known == [("point", 1), ("zone", 0)]
    (told,) = odd(built)
    assert (told.code, told.n, told.of) == ("no_readable_place", 5, 6)
    assert "5\u00a0faits sur 6" in remark_words.sentence(told)


def test_a_required_point_or_a_reason_of_one_s_own_still_sets_the_row_aside(tmp_path: Path) -> None:
    required = placed(tmp_path / "a", [(LON, LAT), ("99", LAT)], required=True)
    assert required.fates["faits"] == {"accepted": 1, "hors_bornes:lon": 1}
    meant = placed(tmp_path / "b", [(LON, LAT), ("99", LAT)], reason="hors_commune")
    assert meant.fates["faits"] == {"accepted": 1, "hors_commune": 1}


# --- Two reference systems in two editions ---------------------------------------------------


def test_each_edition_may_have_its_own_reference_system(tmp_path: Path) -> None:
    metres = {"type": "longitude", "unit": "mètres", "minimum": 880_000, "maximum": 920_000}
    axes = {"x": metres, "y": {**metres, "type": "latitude", "minimum": 6e6, "maximum": 7e6}}
    form = {"format": "csv", "separator": ";"}
    editions = [
        {"version": "1", "file": form, "columns": {"x": "X93", "y": "Y93"}},
        {"version": "2", "file": form, "columns": {"x": "est", "y": "nord"},
         "coordinates_crs": "EPSG:32631"},
    ]  # fmt: skip
    files = {}
    for i, (system, names) in enumerate([(2154, "X93;Y93"), (32631, "est;nord")]):
        move = pyproj.Transformer.from_crs(4326, system, always_xy=True).transform
        rows = [
            "tapage;01/02/2024;{:.1f};{:.1f}".format(*move(*middle(square)))
            for square in ("AB" if i else "CD")
        ]
        unknown = ["tapage;01/02/2024;-1;-1"] if i else []
        files[f"f{i}.csv"] = "\n".join([f"nature;le;{names}", *rows, *unknown]) + "\n"
    nothing = {name: {**rule, "null_values": ["-1"]} for name, rule in axes.items()}
    facts = {"started_at": "le", "longitude": "x", "latitude": "y", "coordinates_crs": "EPSG:2154"}
    built = made(tmp_path, files, {**DAY, **nothing}, facts, editions=editions)
    assert [row[1:] for row in days(built)] == [
        ("A", 1), ("B", 1), ("C", 1), ("D", 1), ("no_place", 1),
    ]  # fmt: skip
    assert odd(built) == []


def test_a_month_in_one_column_or_in_two_by_edition(tmp_path: Path) -> None:
    form = {"format": "csv", "separator": ";"}
    editions = [
        {"version": "1", "file": form},
        {"version": "2", "file": form, "columns": {"an": "periode", "mois": "periode"},
         "extract": {"an": "^([0-9]{4})-", "mois": "-([0-9]{2})$"}},
    ]  # fmt: skip
    fields = {
        "an": {"type": "year", "required": True},
        "mois": {"type": "int", "required": True, "minimum": 1, "maximum": 12}, **ZONE, **NUMBER,
    }  # fmt: skip
    files = {"f1.csv": "nature;an;mois;carre;n\ntapage;2024;3;A;5\n",
             "f2.csv": "nature;periode;carre;n\ntapage;2024-04;A;7\n"}  # fmt: skip
    facts = {**IN_ZONE, "started_at": {"year": "an", "month": "mois"}, "count": "n"}
    built = made(tmp_path, files, fields, facts, editions=editions)
    assert days(built) == [
        (dt.datetime(2024, 3, 1), "A", 5), (dt.datetime(2024, 4, 1), "A", 7),
    ]  # fmt: skip


# --- Clocks ----------------------------------------------------------------------------------


def clock(folder: Path, told: str, form: str, **more: Any) -> list[tuple[Any, ...]]:
    moment = {"le": {"type": "timestamp", "required": True, "format": form}}
    text = f"nature;le;carre\ntapage;{told};A\n"
    built = made(folder, {"faits.csv": text}, {**moment, **ZONE}, IN_ZONE, **more)
    return built.rows("SELECT hour, started_at FROM observations")


@pytest.mark.parametrize(
    ("told", "form", "zone"),
    [
        ("2024-06-30T22:30:00Z", "%Y-%m-%dT%H:%M:%SZ", "Europe/Paris"),
        ("2024-06-30T22:30:00Z", "%Y-%m-%dT%H:%M:%SZ", "UTC"),
        ("2024-06-30T22:30:00+00:00", "%Y-%m-%dT%H:%M:%S%z", "Europe/Paris"),
        ("2024-06-30T22:30:00Z", "%Y-%m-%dT%H:%M:%S%z", "Europe/Paris"),
        ("2024-06-30T22:30:41.250Z", "%Y-%m-%dT%H:%M:%S.%fZ", "Europe/Paris"),
        ("2024-07-01 00:30:41.25", "%Y-%m-%d %H:%M:%S.%f", "Europe/Paris"),
        ("2024-06-30 22:30", "%Y-%m-%d %H:%M", "UTC"),
        ("2024-06-30 18:30", "%Y-%m-%d %H:%M", "America/New_York"),
    ],
)
def test_the_hour_is_that_of_the_city_whatever_the_clock_of_the_file(
    told: str, form: str, zone: str, tmp_path: Path
) -> None:
    instant = dt.datetime(2024, 6, 30, 22, 30)
    assert clock(tmp_path, told, form, timezone=zone) == [(dt.datetime(2024, 7, 1), instant)]


def test_a_day_is_the_city_s_own_and_the_period_is_that_of_the_city(tmp_path: Path) -> None:
    day = {**IN_ZONE, "time_precision": "day"}
    moment = {"le": {"type": "timestamp", "required": True, "format": "%Y-%m-%d %H:%M"}}
    text = "nature;le;carre\ntapage;2024-06-30 00:00;A\n"
    built = made(
        tmp_path / "a", {"faits.csv": text}, {**moment, **ZONE}, day, timezone="America/New_York"
    )
    assert days(built) == [(dt.datetime(2024, 6, 30), "A", 1)]
    edges = "nature;le;carre\ntapage;2023-12-31 23:30;A\ntapage;2024-12-31 23:30;A\n"
    built = made(tmp_path / "b", {"faits.csv": edges}, {**moment, **ZONE}, IN_ZONE, timezone="UTC")
    assert built.fates["faits"] == {"accepted": 1, "hors_periode": 1}
    assert days(built) == [(dt.datetime(2024, 1, 1), "A", 1)]


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%SZ"])
def test_an_instant_cannot_be_declared_as_a_day(form: str, tmp_path: Path) -> None:
    with pytest.raises(PhareError, match="timestamp"):
        dated(tmp_path, form, [])


# --- First lines, and themes of several sources ----------------------------------------------


@pytest.mark.parametrize(
    ("head", "what", "todo"),
    [
        ("nature;le;carre;;", "sans nom : 4, 5", "colonne vide"),
        ("nature;le;carre;carre", "3 et 4", "un nom"),
        ("Faits de 2024;;", "sans nom : 2, 3", "titre au-dessus"),
    ],
)
def test_a_first_line_that_names_no_column_is_told_by_places(
    head: str, what: str, todo: str, tmp_path: Path
) -> None:
    files = {"faits.csv": f"{head}\ntapage;01/02/2024;A\n"}
    with pytest.raises(PhareError) as caught:
        made(tmp_path, files, {**DAY, **ZONE}, IN_ZONE)
    assert what in caught.value.what
    assert todo in caught.value.todo


def test_a_file_that_says_utf_16_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(PhareError) as caught:
        made(
            tmp_path, {"faits.csv": "\ufeffnature;le;carre\n"}, {**DAY, **ZONE}, IN_ZONE,
            encoding="utf-16-le",
        )  # fmt: skip
    assert "encoding: utf-16" in caught.value.todo


# --- Counts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("told", ["1.234", "2.5", "0.5"])
def test_a_count_that_is_no_whole_number_is_set_aside(told: str, tmp_path: Path) -> None:
    number = {"n": {**NUMBER["n"], "type": "float"}}
    text = f"nature;le;carre;n\ntapage;01/02/2024;A;{told}\ntapage;02/02/2024;A;5.0\n"
    facts = {**IN_ZONE, "count": "n"}
    built = made(tmp_path, {"faits.csv": text}, {**DAY, **ZONE, **number}, facts)
    assert built.fates["faits"] == {"accepted": 1, "incoherent:compte_decimal": 1}
    assert built.rows("SELECT CAST(sum(n) AS INT) FROM cube") == [(5,)]


def counted(folder: Path, total: str) -> Built:
    rows = [
        f"tapage;{day:02d}/02/2024;{zone};{n}"
        for day in (1, 2, 3)
        for zone, n in (("A", 3), ("B", 4 + day), (total, 7 + day))
    ]
    text = "\n".join(["nature;le;carre;n", *rows]) + "\n"
    zone = {"carre": {"type": "enum", "values": ["A", "B", "Total"]}}
    facts = {**IN_ZONE, "count": "n"}
    return made(folder, {"faits.csv": text}, {**DAY, **zone, **NUMBER}, facts)


def test_rows_that_hold_the_totals_of_the_others_are_told(tmp_path: Path) -> None:
    told = {one.code: one for one in odd(counted(tmp_path / "a", ""))}
    assert (told["own_totals"].n, told["own_totals"].of) == (3, 27)
    told = {one.code: one for one in odd(counted(tmp_path / "b", "Total"))}
    assert told.keys() == {"unknown_zones", "own_totals"}


def test_facts_without_a_zone_that_are_no_totals_are_not_told(tmp_path: Path) -> None:
    rows = [f"tapage;{d:02d}/02/2024;{z};{n}" for d in (1, 2) for z, n in (("A", 3), ("", 2))]
    text = "\n".join(["nature;le;carre;n", *rows]) + "\n"
    facts = {**IN_ZONE, "count": "n"}
    assert odd(made(tmp_path, {"faits.csv": text}, {**DAY, **ZONE, **NUMBER}, facts)) == []


# --- Day and month ---------------------------------------------------------------------------


def dated(folder: Path, form: str, told: list[dt.date]) -> list[str]:
    text = "\n".join(["nature;le;carre", *(f"tapage;{d:%d/%m/%Y};A" for d in told)]) + "\n"
    day = {"le": {"type": "date", "required": True, "format": form}}
    built = made(folder, {"faits.csv": text}, {**day, **ZONE}, IN_ZONE)
    return [one.code for one in odd(built)]


def test_days_read_as_months_are_told(tmp_path: Path) -> None:
    all_year = [dt.date(2024, 1, 1) + dt.timedelta(days=9 * i) for i in range(40)]
    assert dated(tmp_path / "a", "%d/%m/%Y", all_year) == []
    with pytest.raises(PhareError, match=r"25 dates .* que jour et mois échangés") as told:
        dated(tmp_path / "b", "%m/%d/%Y", all_year)
    assert 'écrire `format: "%d/%m/%Y"`' in str(told.value)
    early = [day for day in all_year if day.day <= 12]
    assert dated(tmp_path / "d", "%m/%d/%Y", early) == ["day_or_month"]
    firsts = [dt.date(2024, month, 1) for month in range(1, 13)]
    assert dated(tmp_path / "c", "%d/%m/%Y", firsts) == []


# --- A category that no longer comes ---------------------------------------------------------


def two_categories(folder: Path, last: int, **more: Any) -> list[Remark]:
    """Return what is odd in a year of two categories, the second until week `last` (of 52)."""
    first = dt.date(2024, 1, 1)
    rows = [
        f"{nature};{first + dt.timedelta(days=day):%d/%m/%Y};A"
        for day in range(364)
        for nature in ("tapage", "depot")
        if nature == "tapage" or day < 7 * last
        for _ in range(2)
    ]
    text = "\n".join(["nature;le;carre", *rows]) + "\n"
    return odd(made(folder, {"faits.csv": text}, {**DAY, **ZONE}, IN_ZONE, **more))


def test_a_category_that_no_longer_comes_is_told_of_any_source(tmp_path: Path) -> None:
    assert two_categories(tmp_path / "a", 52) == []
    (told,) = two_categories(tmp_path / "b", 44)
    assert (told.code, told.names, told.sizes) == ("categories_gone_by_week", ("depot",), (8.0,))
    said = remark_words.sentence(told).replace("\u00a0", " ")
    assert "« depot » (8 semaines)" in said
    covers = [{"categories": ["depot"], "until": "2024-11-03"}]
    assert two_categories(tmp_path / "c", 44, covers=covers) == []


def test_a_category_that_no_longer_comes_is_told_by_month(tmp_path: Path) -> None:
    month = {"mois": {"type": "date", "required": True, "format": "%Y-%m"}}
    first = [f"{year}-{m:02d}" for year in (2023, 2024) for m in range(1, 13)]
    rows = [
        f"{nature};{when};A;9"
        for i, when in enumerate(first)
        for nature in ("tapage", "depot")
        if nature == "tapage" or i < 20
    ]
    text = "\n".join(["nature;mois;carre;n", *rows]) + "\n"
    facts = {**IN_ZONE, "started_at": "mois", "time_precision": "month", "count": "n"}
    fields = {**month, **ZONE, **NUMBER}
    (told,) = odd(
        made(tmp_path, {"faits.csv": text}, fields, facts, period=("2023-01-01", "2024-12-31"))
    )
    assert (told.code, told.names, told.sizes) == ("categories_gone_by_month", ("depot",), (4.0,))


@pytest.mark.parametrize(
    ("text", "value"),
    [("12,5", 12.5), ("12.5", 12.5), ("0,125", 0.125), ("1.234", None), ("-1.234", None),
     ("1.234.567", None), ("1234", 1234.0), ("1234,5", 1234.5), ("12.3456", 12.3456)],
)  # fmt: skip
def test_thousands_with_a_point_are_no_number_where_the_comma_is_decimal(
    text: str, value: float | None, tmp_path: Path
) -> None:
    """Read as one and a bit, a thousand would be wrong and within the bounds: the row is told."""
    facts = copy.deepcopy(FACTS)
    facts["file"]["decimal"] = ","
    facts["fields"]["temoin"] = {"type": "float", "minimum": -5000, "maximum": 5000}
    del facts["refused"]
    row = {
        **fact(1),
        "lon": fact(1)["lon"].replace(".", ","),
        "lat": fact(1)["lat"].replace(".", ","),
    }
    built = build_made_up(tmp_path, [row | {"temoin": text}], facts=facts)
    fates = {"accepted": 1} if value is not None else {"illisible:temoin": 1}
    assert built.fates["faits"] == fates
    path = built.out / "accepted/faits.parquet"
    found = duckdb.sql(f"SELECT temoin FROM '{path}'").fetchall()
    assert found == ([(pytest.approx(value),)] if value is not None else [])
