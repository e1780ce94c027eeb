"""Deliveries: which is the later one, two contents under one number, facts outside the period."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pytest

from helpers.collect import words as collect_words
from helpers.collect.delivery_order import matching
from helpers.core.base.errors import PhareError
from helpers.ingest import words
from tests.fixtures.cases import (
    HEAD,
    built,
    case,
    conserved,
    edited,
    row,
    template,
    template_contract,
)
from tests.fixtures.real import Built, build


def natures(one: Built) -> list[str]:
    path = one.out / "accepted/faits.parquet"
    return [r[0] for r in one.rows(f"SELECT nature FROM '{path}' ORDER BY nature")]


def told(one: Built) -> str:
    """Return what the two reports say of the deliveries."""
    orders = {name: receipt["order"] for name, receipt in one.receipts.items()}
    said = words.versions(one.city, one.fates, orders)
    told = f"{collect_words.answer(one.receipts)}\n{words.fates(one.city, one.fates)}\n{said}"
    return html.unescape(told).replace("\u00a0", " ")


# --- Order -----------------------------------------------------------------------------------


def test_delivery_ten_comes_after_delivery_nine(tmp_path: Path) -> None:
    folder = case("05-delivery-order-by-name") / "livraison"
    one = built(tmp_path, {path.name: path for path in folder.iterdir()})
    assert natures(one) == ["depot"]
    assert one.fates["faits"] == {"accepted": 1, "replaced": 1}
    said = told(one)
    assert "faits_9.csv, puis faits_10.csv" in said
    assert "1 remplacement, est lu dans leurs noms" in said
    assert "`files`" in said


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("faits.csv", "faits (1).csv"),
        ("faits (2).csv", "faits (10).csv"),
        ("faits.csv", "faits-v2.csv"),
        ("faits-v9.csv", "faits-v10.csv"),
        ("faits_12-02-2024.csv", "faits_03-11-2024.csv"),
        ("faits_12022024.csv", "faits_03112024.csv"),
        ("faits_31.12.2023.csv", "faits_2024-01-02.csv"),
        ("faits_mars_2024.csv", "faits_avril_2024.csv"),
        ("faits_décembre-2023.csv", "faits_1er-janvier-2024.csv"),
        ("faits_9.csv", "FAITS_10.CSV"),
    ],
)
def test_names_are_read_as_they_were_meant(first: str, then: str, tmp_path: Path) -> None:
    files = {first: HEAD + row(1) + row(2), then: HEAD + row(1, "depot")}
    one = built(tmp_path, files)
    assert natures(one) == ["depot", "tapage"]
    assert one.receipts["faits"]["order"] == "names"


@pytest.mark.parametrize("other", ["bis", "corrigé"])
def test_where_names_tell_no_order_the_dates_inside_do(other: str, tmp_path: Path) -> None:
    late = HEAD + row(1, "depot") + row(2, at="2024-06-01T10:00:00")
    one = built(tmp_path, {"faits_zone.csv": late, f"faits_{other}.csv": HEAD + row(1)})
    assert natures(one) == ["depot", "tapage"]
    assert "est lu dans les dates qu'elles contiennent" in told(one)
    assert one.fates["faits"] == {"accepted": 2, "replaced": 1}


def test_where_nothing_tells_an_order_none_is_made_up(tmp_path: Path) -> None:
    one = built(tmp_path, {"faits_a.csv": HEAD + row(1), "faits_b.csv": HEAD + row(1, "depot")})
    assert one.fates["faits"] == {"accepted": 1, "conflit:cle": 1}
    assert "l'ordre des livraisons n'est pas dit" in told(one)


def test_order_that_the_pack_lists_is_kept_whatever_the_names(tmp_path: Path) -> None:
    files = {"faits_10.csv": HEAD + row(1), "faits_9.csv": HEAD + row(1, "depot")}
    city = template(tmp_path, files)
    sources = {"secteurs": {"file": "secteurs.geojson"}, "faits": {"files": [*files]}}
    edited(city.pack / "city.yaml", sources=sources)
    one = build(type(city)(city.pack), tmp_path, tmp_path / "out")
    assert natures(one) == ["depot"]
    assert "est lu dans" not in told(one)


def test_a_revision_date_is_stronger_than_any_order(tmp_path: Path) -> None:
    files = {"faits_1.csv": HEAD + row(1, "depot", "2024-05-01T00:00:00"),
             "faits_2.csv": HEAD + row(1)}  # fmt: skip
    one = built(tmp_path, files, revised_at="debut")
    assert natures(one) == ["depot"]
    assert "est lu dans" not in told(one)


def test_a_pattern_finds_files_whatever_their_capitals(tmp_path: Path) -> None:
    for name in ("Faits_2.CSV", "faits_1.csv", "autre.csv"):
        (tmp_path / name).touch()
    assert [p.name for p in matching(tmp_path, "faits*.csv")] == ["faits_1.csv", "Faits_2.CSV"]


# --- Two contents under one number -----------------------------------------------------------


def test_two_offences_under_one_number_are_told_apart(tmp_path: Path) -> None:
    folder = case("16-two-offences-one-number") / "livraison"
    one = built(tmp_path, {"faits.csv": folder / "faits.csv"})
    assert one.fates["faits"] == {"accepted": 2, "conflit:cle": 1}
    said = told(one)
    assert "sous un même numéro, contenus différents, sans date de révision" in said
    assert "remplacement" not in said
    assert conserved(one)


@pytest.mark.parametrize(
    ("rows", "fates"),
    [
        (row(1) + row(1), {"accepted": 1, "duplicate": 1}),
        (row(1) + row(1, "depot") + row(1), {"accepted": 1, "conflit:cle": 2}),
        (row(1) + row(1, at="2024-03-02T23:10:00"), {"accepted": 1, "conflit:cle": 1}),
        (row(1) + row(1, "depot") + row(1, "autre"), {"accepted": 1, "conflit:cle": 2}),
    ],
)
def test_contents_under_one_number(rows: str, fates: dict[str, int], tmp_path: Path) -> None:
    one = built(tmp_path, {"faits.csv": HEAD + rows})
    found = dict(one.fates["faits"])
    if "depot" in rows and "duplicate" in found:  # which of the contents is kept is nobody's word
        found["conflit:cle"] += found.pop("duplicate")
    assert found == fates
    assert conserved(one)


def test_same_revision_date_and_another_content_is_no_later_version(tmp_path: Path) -> None:
    one = built(tmp_path, {"faits.csv": HEAD + row(1) + row(1, "depot")}, revised_at="debut")
    assert one.fates["faits"] == {"accepted": 1, "conflit:cle": 1}
    assert "à la même date de révision" in told(one)


# --- Outside the period ----------------------------------------------------------------------


def test_facts_outside_the_period_are_counted_apart_and_told(tmp_path: Path) -> None:
    folder = case("15-dates-outside-the-period") / "livraison"
    one = built(tmp_path, {"faits.csv": folder / "faits.csv"})
    assert one.fates["faits"] == {"accepted": 1, "hors_periode": 3}
    assert "3 lignes hors période (du 1er janvier 2024 au 31 décembre 2025)" in told(one)
    assert "3 hors période" in words.answer(one.fates, {"cell": {"inside": 1}})
    assert conserved(one)
    assert one.rows("SELECT count(*) FROM cube") == [(1,)]


@pytest.mark.parametrize(
    ("years", "at", "fate"),
    [
        ((2000, 2099), "2023-12-31T23:59:00", "hors_periode"),
        ((2000, 2099), "2026-01-01T00:00:00", "hors_periode"),
        ((2000, 2099), "2024-01-01T00:00:00", "accepted"),
        ((2000, 2099), "2025-12-31T23:59:00", "accepted"),
        # A contract whose years are narrower than the period: the year is wrong, not outside.
        ((2025, 2025), "2024-06-01T00:00:00", "hors_bornes:debut"),
    ],
)
def test_the_bounds_of_the_period(
    years: tuple[int, int], at: str, fate: str, tmp_path: Path
) -> None:
    rows = row(1, at="2025-06-01T00:00:00") + row(2, at=at)
    one = built(tmp_path, {"faits.csv": HEAD + rows}, since=years[0], until=years[1])
    expected = {"accepted": 2} if fate == "accepted" else {"accepted": 1, fate: 1}
    assert one.fates["faits"] == expected
    assert conserved(one)


# --- Columns that the observation rests on ---------------------------------------------------


@pytest.mark.parametrize("column", ["longitude", "origine", "debut"])
def test_a_file_without_a_column_of_the_observation_stops_with_a_sentence(
    column: str, tmp_path: Path
) -> None:
    files = {"faits.csv": (HEAD + row(1)).replace(f";{column}", ";autre")}
    with pytest.raises(PhareError) as caught:
        built(tmp_path, files)
    assert f"colonne absente : {column}" in caught.value.what
    assert "faits.csv" in caught.value.where
    assert "absent" in caught.value.todo


def test_a_column_that_two_fields_read_is_told_with_the_field_that_lacks_it(
    tmp_path: Path,
) -> None:
    """An edition calls the column of one of them otherwise: the other still asks for the old."""
    fields = template_contract()["fields"] | {
        "suite": {"type": "enum", "column": "id", "extract": "^(F)", "values": ["F"],
                  "required": True},
    }  # fmt: skip
    layout: dict[str, Any] = {"format": "csv", "separator": ";"}
    renamed = {"version": "2", "file": layout, "columns": {"id": "numero"}}
    text = (HEAD + row(1)).replace("id;", "numero;", 1)
    with pytest.raises(PhareError) as caught:
        built(tmp_path / "one", {"faits.csv": text}, fields=fields, editions=[renamed])
    assert "colonne absente : id (champ suite)" in caught.value.what
    renamed["columns"] = {"id": "numero", "suite": "numero"}
    two = built(tmp_path / "two", {"faits.csv": text}, fields=fields, editions=[renamed])
    assert two.fates["faits"] == {"accepted": 1}


def test_an_edition_says_itself_that_it_has_no_place(tmp_path: Path) -> None:
    layout: dict[str, Any] = {"format": "csv", "separator": ";"}
    editions = [
        {"version": "avec lieu", "file": layout},
        {"version": "sans lieu", "file": layout, "absent": ["longitude", "latitude"]},
    ]
    bare = "id;nature;debut;origine\nF0002;tapage;2024-03-02T22:10:00;habitant\n"
    one = built(tmp_path, {"faits_1.csv": HEAD + row(1), "faits_2.csv": bare}, editions=editions)
    assert one.fates["faits"] == {"accepted": 2}
    assert one.rows("SELECT place_precision FROM observations ORDER BY 1") == [
        ("none",), ("point",),
    ]  # fmt: skip
