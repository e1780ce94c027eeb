"""Versions, checks, types: what a contract says of a row is what becomes of it."""

from __future__ import annotations

import copy
import datetime as dt
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from helpers.core.city import contract_sql
from helpers.core.city.contract import FieldRule
from helpers.ingest import ingest
from tests.fixtures.made_up import FACTS, MOMENT, build_made_up, deliver, fact, hashed, write_pack
from tests.fixtures.real import Built, build


def facts(**changes: Any) -> dict[str, Any]:
    """Return the made-up contract, changed."""
    found = copy.deepcopy(FACTS)
    for key, value in changes.items():
        found[key] = {**found.get(key, {}), **value} if isinstance(value, dict) else value
    return found


def accepted(built: Built, columns: str = "id, nombre") -> list[tuple[Any, ...]]:
    path = built.out / "accepted/faits.parquet"
    return duckdb.sql(f"SELECT {columns} FROM '{path}' ORDER BY ALL").fetchall()


# --- Versions --------------------------------------------------------------------------------

REVISED = facts(revised_at="fin")


def version(number: int, at: str, count: int) -> dict[str, str]:
    return fact(number, fin=f"2024-07-0{at}T12:00:00", nombre=str(count))


def test_latest_revision_is_kept_and_the_others_are_its_history(tmp_path: Path) -> None:
    rows = [version(1, "2", 5), version(1, "4", 6), version(1, "3", 7), version(1, "4", 6)]
    built = build_made_up(tmp_path, rows, facts=REVISED)
    assert accepted(built) == [(hashed("F1"), 6)]
    assert built.fates["faits"] == {"accepted": 1, "duplicate": 1, "replaced": 2}
    history = duckdb.sql(
        f"SELECT nombre FROM '{built.out}/quarantined/faits.parquet' WHERE reason = 'replaced'"
    ).fetchall()
    assert sorted(history) == [("5",), ("7",)]


def test_order_of_the_versions_changes_no_byte(tmp_path: Path) -> None:
    rows = [version(i % 7, str(1 + i % 3), i % 4) for i in range(60)]
    found = set()
    for shuffle in range(4):
        random.Random(shuffle).shuffle(rows)
        built = build_made_up(tmp_path / str(shuffle), rows, facts=REVISED)
        found.add((built.out / "observations.parquet").read_bytes())
    assert len(found) == 1


def several(folder: Path, deliveries: list[list[dict[str, str]]]) -> Built:
    """Deliver the facts in several files, one after the other."""
    city = write_pack(folder)
    about = city.pack / "city.yaml"
    text = about.read_text(encoding="utf-8").replace("file: faits.csv", "file: faits_*.csv")
    about.write_text(text, encoding="utf-8")
    for number, rows in enumerate(deliveries):
        deliver(folder, rows)
        path = folder / "livraison/faits.csv"
        path.rename(path.with_name(f"faits_{number}.csv"))
    return build(type(city)(city.pack), folder, folder / "out")


def test_later_delivery_corrects_an_earlier_one(tmp_path: Path) -> None:
    first = [fact(1, nombre="9"), fact(2), fact(3)]
    second = [fact(1, nombre="2"), fact(2), fact(4)]
    built = several(tmp_path, [first, second])
    assert accepted(built) == sorted(
        (hashed(name), n) for name, n in (("F1", 2), ("F2", 1), ("F3", 1), ("F4", 1))
    )
    assert built.fates["faits"] == {"accepted": 4, "duplicate": 1, "replaced": 1}
    receipt = built.receipts["faits"]
    assert receipt["rows"] == 6
    assert [(one["file"], one["rows"]) for one in receipt["files"]] == [
        ("faits_0.csv", 3), ("faits_1.csv", 3),
    ]  # fmt: skip


def test_the_same_files_again_give_the_same_bytes(tmp_path: Path) -> None:
    files = [[fact(1), fact(2)], [fact(2, nombre="3")]]
    one, two = several(tmp_path / "a", files), several(tmp_path / "b", files)
    for name in ("observations.parquet", "accepted/faits.parquet", "quarantined/faits.parquet"):
        assert (one.out / name).read_bytes() == (two.out / name).read_bytes()


def test_rows_that_repeat_are_facts_where_the_contract_says_so(tmp_path: Path) -> None:
    contract = facts(repeats=True)
    contract["key"] = []
    built = build_made_up(tmp_path, [fact(1), fact(1), fact(1)], facts=contract)
    assert built.fates["faits"] == {"accepted": 3}
    assert built.rows("SELECT CAST(sum(n) AS BIGINT) FROM cube") == [(3,)]


# --- Rules between fields, places and hours ----------------------------------------------------


def test_checks_between_fields_set_aside_with_their_own_reason(tmp_path: Path) -> None:
    contract = facts(
        fields={"seuil": {"type": "int", "column": "temoin", "minimum": 0, "maximum": 9}},
        checks=[{"reason": "sous_le_seuil", "field": "nombre", "at_least": "seuil"}],
    )
    contract["refused"] = {}
    rows = [fact(1, nombre="4", temoin="5"), fact(2, nombre="5", temoin="5"),
            fact(3, temoin="")]  # fmt: skip
    built = build_made_up(tmp_path, rows, facts=contract)
    assert built.fates["faits"] == {"accepted": 2, "sous_le_seuil": 1}


def test_a_place_on_the_bounds_of_its_contract_is_within_them(tmp_path: Path) -> None:
    """Moved onto the grid, it must not be taken for a place outside."""
    bounds = {"minimum": 5.3601, "maximum": 5.38496}  # the grid has 5.360075 and 5.385008
    contract = facts(fields={"lon": {**FACTS["fields"]["lon"], **bounds}})
    rows = [fact(1, lon="5.3601"), fact(2, lon="5.38496"), fact(3, lon="5.36009")]
    built = build_made_up(tmp_path, rows, facts=contract)
    assert dict(accepted(built, "id, remark")) == {
        hashed("F1"): None, hashed("F2"): None, hashed("F3"): "lieu_hors_bornes:lon",
    }  # fmt: skip


@pytest.mark.parametrize("counts", [("3", "9"), ("9", "3")])
def test_of_two_versions_in_one_minute_the_later_one_is_kept(
    counts: tuple[str, str], tmp_path: Path
) -> None:
    contract = facts(revised_at="fin")
    del contract["fields"]["fin"]["precision"]
    rows = [fact(1, fin="2024-07-01T13:00:40", nombre=counts[0]),
            fact(1, fin="2024-07-01T13:00:20", nombre=counts[1])]  # fmt: skip
    built = build_made_up(tmp_path, rows, facts=contract)
    assert accepted(built) == [(hashed("F1"), int(counts[0]))]


def test_swapped_coordinates_are_told_from_others_out_of_bounds(tmp_path: Path) -> None:
    right = fact(1)
    rows = [right, fact(2, lon=right["lat"], lat=right["lon"]), fact(3, lon="90.0"),
            fact(4, lon="", lat="90.0")]  # fmt: skip
    built = build_made_up(tmp_path, rows)
    assert built.fates["faits"] == {"accepted": 3, "interverties:lon": 1}
    assert dict(accepted(built, "id, remark")) == {
        hashed("F1"): None, hashed("F3"): "lieu_hors_bornes:lon",
        hashed("F4"): "lieu_hors_bornes:lat",
    }  # fmt: skip


def test_hour_that_no_clock_showed_is_kept_and_remarked(tmp_path: Path) -> None:
    rows = [fact(1, debut="2024-03-31T02:30:00"), fact(2, debut="2024-03-31T03:30:00"),
            fact(3, debut="2024-10-27T02:30:00")]  # fmt: skip
    built = build_made_up(tmp_path, rows)
    told = dict(accepted(built, "id, remark"))
    assert told == {hashed("F1"): "heure_inexistante:debut", hashed("F2"): None, hashed("F3"): None}
    assert built.rows("SELECT hour, CAST(sum(n) AS BIGINT) FROM cube GROUP BY 1 ORDER BY 1") == [
        (dt.datetime(2024, 3, 31, 3), 2),
        (dt.datetime(2024, 10, 27, 2), 1),
    ]


def test_point_that_holds_too_many_facts_is_no_place(tmp_path: Path) -> None:
    """Fifty-one facts at the town hall, one each elsewhere; the declared square still counts."""
    rows = [fact(i, carre="D" if i % 2 else "") for i in range(51)]
    rows += [fact(100 + i, lon=f"{5.361 + i * 1e-5:.6f}") for i in range(300)]
    built = build_made_up(tmp_path, rows)
    found = built.rows(
        "SELECT place_precision, zone_carres, cell IS NULL, CAST(sum(n) AS BIGINT) "
        "FROM observations GROUP BY ALL ORDER BY ALL"
    )
    assert found == [
        ("default", "D", True, 25),
        ("default", "no_place", True, 26),
        ("point", "A", False, 300),
    ]
    totals = ingest.totals(built.city, built.out / "cube.parquet")
    assert {sum(row.values()) for row in totals.values()} == {351}


# --- Types ------------------------------------------------------------------------------------


def read(text: str | None, **rule: Any) -> Any:
    if rule["type"] in ("int", "float"):
        rule |= {"minimum": -10_000_000, "maximum": 10_000_000}
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    sql = contract_sql.typed("said", FieldRule(**rule), ",", "Europe/Paris")
    return con.execute(f"SELECT {sql} FROM (SELECT ?::VARCHAR AS said)", [text]).fetchall()[0][0]


@pytest.mark.parametrize(
    ("rule", "texts"),
    [
        ({"type": "year"}, {"16": 2016, "99": 1999, "69": 2069, "70": 1970, "2024": 2024,
                            "1874": 1874, "024": None, "20244": None, "x": None}),
        ({"type": "bool"}, {"oui": True, "Non": False, "1": True, "0": False, "VRAI": True,
                            "peut-être": None, "2": None}),
        ({"type": "int"}, {"12": 12, "-3": -3, "+4": 4, "1.0": None, "1e3": None, "1 000": None,
                           "٣": None, "9223372036854775808": None}),
        ({"type": "float"}, {"1,5": 1.5, "-0,25": -0.25, "3": 3.0, "1e3": 1000.0, "nan": None,
                             "inf": None, "1,2,3": None, "NA": None}),
        ({"type": "timestamp", "format": MOMENT},
         {"2024-02-29T23:59:59": dt.datetime(2024, 2, 29, 23, 59, 59),
          "2023-02-29T00:00:00": None, "2024-01-01": None}),
        ({"type": "timestamp", "format": "%Y-%m-%dT%H:%M:%S%z"},
         {"2024-07-01T10:00:00+00:00": dt.datetime(2024, 7, 1, 12),
          "2024-01-01T00:30:00+0100": dt.datetime(2024, 1, 1, 0, 30)}),
        ({"type": "date", "format": "%d/%m/%Y"},
         {"01/02/2024": dt.date(2024, 2, 1), "31/04/2024": None, "1/2/24": None}),
    ],
    ids=lambda value: str(value.get("type", "")) if "type" in value else "",
)  # fmt: skip
def test_text_is_read_in_its_type_or_not_at_all(
    rule: dict[str, Any], texts: dict[str, Any]
) -> None:
    assert {text: read(text, **rule) for text in texts} == texts
    assert read(None, **rule) is None
