"""Counts a month and a zone, tall and wide: conserved, dated by the month, not by its last day."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from helpers.collect import words as collect_words
from helpers.core.base.errors import PhareError
from tests.fixtures import london
from tests.fixtures.cases import conserved
from tests.fixtures.made_up import FACTS, build_made_up, deliver, write_pack
from tests.fixtures.real import Built, build

PERIOD = {"start": "2024-04-01", "end": "2026-03-31"}


def test_a_month_is_known_by_the_form_of_its_field(tmp_path: Path) -> None:
    assert {one.precision for one in london.pack(tmp_path).contracts.values()} == {None, "month"}


@pytest.mark.parametrize(
    ("field", "precision", "known"),
    [
        ({"type": "date", "format": "%Y-%m"}, "day", "month"),
        ({"type": "date", "format": "%m/%Y"}, "minute", "month"),
        ({"type": "date", "format": "%B %Y"}, "month", "month"),
        ({"type": "date", "format": "%Y-%m"}, "year", "year"),
        ({"type": "year"}, "month", "year"),
        ({"type": "date", "format": "%Y-%m-%d"}, "month", "month"),
        ({"type": "date", "format": "%Y-%j"}, "day", "day"),
    ],
)
def test_a_precision_is_no_finer_than_what_the_field_tells(
    field: dict[str, Any], precision: str, known: str, tmp_path: Path
) -> None:
    fields = {**FACTS["fields"], "debut": {**field, "required": True}}
    rule = {**FACTS["observation"], "time_precision": precision, "ended_at": None}
    facts = {**FACTS, "fields": fields, "observation": rule}
    built = build_made_up(tmp_path, [], facts=facts)
    assert built.city.contracts["faits"].precision == known


@pytest.fixture(scope="module")
def tall(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("tall")
    city = london.pack(folder, observation=london.month_rule())
    return build(city, folder, folder / "out")


def test_real_months_are_those_of_the_file(tall: Built) -> None:
    expected: Counter[tuple[dt.date, str]] = Counter()
    for row in london.rows(london.TALL):
        month = dt.datetime.strptime(row["Month"], "%Y%m").date()
        expected[month, row["Borough"]] += int(row["CrimeCount"])
    found = tall.rows(
        "SELECT CAST(hour AS DATE), zone_boroughs, sum(n) FROM cube GROUP BY ALL ORDER BY ALL"
    )
    assert {(month, zone): int(n) for month, zone, n in found} == dict(expected)
    assert tall.fates["faits"] == {"accepted": 200}
    assert conserved(tall)


def test_a_month_lasts_from_its_first_hour_to_its_last(tall: Built) -> None:
    rows = tall.rows("SELECT DISTINCT hour, hour_end, time_precision FROM cube ORDER BY 1")
    assert len(rows) == 24
    for first, last, precision in rows:
        assert (first.day, first.hour, last.hour, precision) == (1, 0, 23, "month")
        assert (last + dt.timedelta(hours=1)).day == 1
        assert (first.year, first.month) == (last.year, last.month)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("wide")
    return build(london.wide(folder, PERIOD), folder, folder / "out")


def test_a_wide_file_is_read_a_row_a_cell(wide: Built) -> None:
    months = [c for c in london.rows(london.WIDE)[0] if c.startswith("20")]
    expected: Counter[tuple[str, str, dt.date]] = Counter()
    for row in london.rows(london.WIDE):
        for month in months:
            key = row["MajorText"], row["LookUp_BoroughName"]
            expected[(*key, dt.datetime.strptime(month, "%Y%m").date())] += int(row[month])
    first = dt.date(2024, 4, 1)
    found = wide.rows(
        "SELECT category, zone_boroughs, CAST(hour AS DATE), CAST(sum(n) AS BIGINT) FROM cube "
        "GROUP BY ALL"
    )
    assert {row[:3]: row[3] for row in found} == {
        k: n for k, n in expected.items() if k[2] >= first
    }
    assert wide.fates["faits"] == {"accepted": 2400, "hors_periode": 100}
    assert conserved(wide)


def test_the_receipt_tells_lines_columns_and_what_was_refused(wide: Built) -> None:
    (file,) = wide.receipts["faits"]["files"]
    assert (file["lines"], file["wide_columns"], file["rows"]) == (100, 25, 2500)
    assert file["columns_refused"] == ["WardName"]
    said = collect_words.answer(wide.receipts).replace("\u00a0", " ")
    assert "fichier large, 100 lignes × 25 colonnes = 2\u202f500 comptes" in said


def wide_facts(**changes: Any) -> dict[str, Any]:
    """Return the made-up contract for a wide file: a column a month, a row a square."""
    fields = {
        "mois": {"type": "date", "format": "%Y-%m", "required": True},
        "nombre": {"type": "int", "required": True, "minimum": 0, "maximum": 500},
        "nature": {"type": "enum", "required": True, "values": ["tapage", "petard", "depot", "x"]},
        "carre": {"type": "str", "required": True, "pattern": "[A-Z]"},
    }
    rule = {
        "category": "nature", "started_at": "mois", "time_precision": "month",
        "declared_zone": {"division": "carres", "field": "carre"},
        "origin": {"value": "unknown"}, "count": "nombre",
    }  # fmt: skip
    told = {"columns": "%Y-%m", "name": "mois", "value": "nombre"}
    return {**FACTS, "key": ["carre", "nature", "mois"], "fields": fields, "observation": rule,
            "unpivot": told} | changes  # fmt: skip


def made_wide(folder: Path, text: str, **changes: Any) -> Built:
    city = write_pack(folder, facts=wide_facts(**changes))
    deliver(folder, [])
    (folder / "livraison/faits.csv").write_text(text, encoding="utf-8")
    return build(city, folder, folder / "out")


def test_an_empty_cell_is_no_zero_and_no_fault(tmp_path: Path) -> None:
    text = "nature;carre;2024-01;2024-02;2024-03\ntapage;A;3;;0\ntapage;B; ;2;x\n"
    one = made_wide(tmp_path, text)
    assert one.fates["faits"] == {"accepted": 3, "cellule_vide": 2, "illisible:nombre": 1}
    assert one.rows("SELECT zone_carres, month(hour), n FROM cube ORDER BY ALL") == [
        ("A", 1, 3), ("A", 3, 0), ("B", 2, 2),
    ]  # fmt: skip
    assert conserved(one)


def test_a_column_that_the_pattern_does_not_admit_is_counted_and_never_written(
    tmp_path: Path,
) -> None:
    text = "nature;carre;2024-01;2024-13;Total;Jean Dupont\ntapage;A;3;4;7;9\n"
    one = made_wide(tmp_path, text)
    assert one.fates["faits"] == {"accepted": 1}
    (file,) = one.receipts["faits"]["files"]
    assert len(file["columns_not_named"]) == 3
    assert "Dupont" not in (one.raw / "receipts.json").read_text(encoding="utf-8")


def test_a_column_a_category(tmp_path: Path) -> None:
    text = "mois;carre;tapage;depot;autre\n2024-01;A;3;0;5\n2024-02;A;1;2;5\n"
    told = {"columns": ["tapage", "depot", "petard"], "name": "nature", "value": "nombre"}
    one = made_wide(tmp_path, text, unpivot=told)
    assert one.rows("SELECT category, month(hour), n FROM cube ORDER BY ALL") == [
        ("depot", 1, 0), ("depot", 2, 2), ("tapage", 1, 3), ("tapage", 2, 1),
    ]  # fmt: skip


def test_columns_of_years_through_an_expression(tmp_path: Path) -> None:
    fields = wide_facts()["fields"] | {
        "annee": {"type": "year", "required": True, "extract": "^an_([0-9]{4})$"}
    }
    del fields["mois"]
    rule = {
        **wide_facts()["observation"],
        "started_at": {"year": "annee"},
        "time_precision": "year",
    }
    told = {"columns": "an_20[0-9]{2}", "name": "annee", "value": "nombre"}
    one = made_wide(
        tmp_path, "nature;carre;an_2023;an_2024\ntapage;A;3;4\n",
        unpivot=told, fields=fields, observation=rule, key=["carre", "nature", "annee"],
    )  # fmt: skip
    assert one.rows("SELECT year(hour), n FROM cube ORDER BY ALL") == [(2023, 3), (2024, 4)]


@pytest.mark.parametrize(
    ("told", "text", "said"),
    [
        ({"columns": ".*", "name": "mois", "value": "nombre"}, "", "décrit"),
        ({"columns": "%Y-%m", "name": "mois", "value": "rien"}, "", "absentes de `fields`"),
        ({"columns": "%Y-%m", "name": "mois", "value": "mois"}, "", "deux champs"),
        ({"columns": "%Y-%m", "name": "mois", "value": "nombre"},
         "nature;carre;total\ntapage;A;3\n", "aucune colonne que `unpivot.columns` admette"),
        ({"columns": "%Y-%m", "name": "mois", "value": "nombre"},
         "nature;carre;mois;2024-01\ntapage;A;x;3\n", "à la fois dans le fichier et faite"),
    ],
)  # fmt: skip
def test_a_wide_layout_that_cannot_be_is_told(
    told: dict[str, Any], text: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(PhareError, match=said):
        made_wide(tmp_path, text or "nature;carre;2024-01\ntapage;A;3\n", unpivot=told)


def test_a_wide_edition_beside_a_tall_one(tmp_path: Path) -> None:
    layout = {"format": "csv", "separator": ";"}
    editions = [
        {"version": "longue", "file": layout},
        {"version": "large", "file": layout, "unpivot": wide_facts()["unpivot"]},
    ]
    one = made_wide(tmp_path / "a", "nature;carre;2024-01\ntapage;A;3\n", unpivot=None,
                    editions=editions)  # fmt: skip
    other = made_wide(tmp_path / "b", "nature;carre;mois;nombre\ntapage;A;2024-01;3\n",
                      unpivot=None, editions=editions)  # fmt: skip
    asked = "SELECT zone_carres, hour, n FROM cube"
    assert one.rows(asked) == other.rows(asked) == [("A", dt.datetime(2024, 1, 1), 3)]
