"""Real files come in by contract alone: four editions of one statistic, capped reports, victims."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from helpers.core.city.city import City
from tests.fixtures.real import ROOT, Built, build, read_csv

EDITIONS = ("ed2022.csv", "ed2023.csv", "ed2024.csv", "ed2025.json")


@pytest.fixture(scope="module")
def france(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(City(ROOT / "data/cities/france"), ROOT, tmp_path_factory.mktemp("france"))


@pytest.fixture(scope="module")
def paris(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(City(ROOT / "data/cities/paris"), ROOT, tmp_path_factory.mktemp("paris"))


def edition(shared: Path, name: str) -> list[dict[str, str]]:
    path = shared / "france" / f"delinquance_departementale_{name}"
    if path.suffix == ".json":
        rows = json.loads(path.read_text(encoding="utf-8"))["records"]
        return [{key: str(value) for key, value in row.items()} for row in rows]
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_each_edition_is_recognised_and_every_row_accounted_for(
    france: Built, shared: Path
) -> None:
    rows = [len(edition(shared, name)) for name in EDITIONS]
    assert rows == [8484, 12928, 16362, 18180]
    receipt = france.receipts["delinquance"]
    assert [one["edition"] for one in receipt["files"]] == ["2022", "2022", "2024", "2025"]
    assert [one["rows"] for one in receipt["files"]] == rows
    assert sum(france.fates["delinquance"].values()) == sum(rows)
    assert set(france.fates["delinquance"]) == {"accepted", "duplicate", "replaced"}


def test_latest_edition_says_each_year_and_older_scopes_keep_their_name(
    france: Built, shared: Path
) -> None:
    accepted = {
        (row[0], row[1], row[2]): row[3]
        for row in duckdb.sql(
            "SELECT departement, annee, indicateur, nombre "
            f"FROM '{france.out}/accepted/delinquance.parquet'"
        ).fetchall()
    }
    latest = {
        (row["codeDepartement"], int(row["annee"]), row["indicateur"]): int(row["nombre"])
        for row in edition(shared, "ed2025.json")
    }
    assert {key: accepted[key] for key in latest} == latest
    older = {key[2] for key in accepted.keys() - latest.keys()}
    assert older == {
        "Coups et blessures volontaires",
        "Autres coups et blessures volontaires",
        "Coups et blessures volontaires intrafamiliaux",
    }
    plain = Counter(row["classe"] for row in edition(shared, "ed2023.csv"))
    assert len(accepted) == len(latest) + sum(plain[name] for name in older)
    themes = {row[0] for row in france.rows("SELECT DISTINCT category FROM cube "
                                            "WHERE theme = 'sans_theme'")}  # fmt: skip
    assert older <= themes, "l'ancien périmètre n'entre dans aucun thème"


def test_decimal_commas_and_two_digit_years_are_read(france: Built, shared: Path) -> None:
    """A value that only the edition of 2023 holds, found in the text of the published file."""
    line = next(row for row in edition(shared, "ed2023.csv")
                if row["classe"] == "Coups et blessures volontaires"
                and (row["annee"], row["Code.département"]) == ("16", "13"))  # fmt: skip
    found = duckdb.sql(
        f"SELECT nombre, taux_pour_mille FROM '{france.out}/accepted/delinquance.parquet' "
        "WHERE departement = '13' AND annee = 2016 "
        "AND indicateur = 'Coups et blessures volontaires'"
    ).fetchall()
    rate = round(float(line["tauxpourmille"].replace(",", ".")), 6)  # of the contract's decimals
    assert found == [(int(line["faits"]), rate)]


def test_each_casualty_is_a_fact_even_when_two_are_alike(france: Built, shared: Path) -> None:
    rows = read_csv(shared / "france/accidents_velo_2021.csv")
    assert len({tuple(row.values()) for row in rows}) < len(rows)
    assert france.fates["accidents_velo"] == {"accepted": len(rows)}
    assert france.rows("SELECT CAST(sum(n) AS BIGINT) FROM cube WHERE theme = 'velo'") == [
        (len(rows),)
    ]


def test_reports_of_paris_are_placed_from_their_text_and_addresses_stay_out(
    paris: Built, shared: Path
) -> None:
    rows = read_csv(shared / "france/paris_dans_ma_rue_10000.csv")
    assert paris.fates["signalement"] == {"accepted": len(rows)}
    told = Counter(row["arrondissement"] for row in rows)
    found = paris.rows("SELECT zone_arrondissements, CAST(sum(n) AS BIGINT) FROM cube GROUP BY 1")
    assert dict(found) == dict(told)
    assert paris.rows("SELECT count(*) FROM observations WHERE place_precision <> 'point'") == [
        (0,)
    ]
    assert paris.receipts["signalement"]["columns_refused"].keys() == {"adresse"}
    streets = {row["adresse"].encode() for row in rows[::50] if len(row["adresse"]) > 12}
    assert len(streets) > 100
    for path in paris.out.rglob("*.*"):
        content = path.read_bytes()
        assert not [street for street in streets if street in content], path.name


def test_a_day_is_all_its_hours(paris: Built) -> None:
    """A report dated to the day happened at any hour of it, not at midnight."""
    hours = paris.rows("SELECT DISTINCT hour(hour), hour(hour_end), time_precision FROM cube")
    assert hours == [(0, 23, "day")]
