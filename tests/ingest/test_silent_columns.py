"""Columns of the contract that a file writes otherwise, or does not have: read, or told."""

from __future__ import annotations

import csv
import html
import io
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from helpers.collect import words as collect_words
from helpers.core.stage import remark_words
from helpers.ingest import silent_columns, staff_tables
from helpers.ingest.staff_tables import Staff
from tests.fixtures.cases import HEAD, built, row, template_contract
from tests.fixtures.real import INGEST, Built, build
from tests.fixtures.staff import COLUMNS, city_of, sound

YEARS = range(2014, 2021)
AGENTS = COLUMNS["agents"]


def header(change: Callable[[str], str], names: Sequence[str] = (AGENTS,)) -> dict[str, str]:
    return {name: change(name) for name in names}


def editions(folder: Path, changes: Mapping[str, str], drop: Sequence[str] = ()) -> Built:
    """Take in two editions of the same years; the second has its headers changed, one more agent.

    Of the columns `drop`, the second has none.
    """
    old, new = sound("11111", YEARS), sound("11111", YEARS)
    for one in new:
        one["agents"] += 1
    city = city_of(folder, {"ed-2022.csv": old, "ed-2023.csv": new})
    path = folder / "livraison/ed-2023.csv"
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    kept = [i for i, name in enumerate(rows[0]) if name not in drop]
    rows[0] = [changes.get(name, name) for name in rows[0]]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([one[i] for i in kept] for one in rows)
    return build(city, folder, folder / "out")


def staff_of(one: Built) -> Staff:
    found = staff_tables.read(one.city, one.raw, one.out, one.receipts, INGEST)
    assert found is not None
    return found


def agents(one: Built) -> list[float | None]:
    table = staff_tables.numbers(staff_of(one)).to_pylist()
    return [row["value"] for row in table if row["kind"] == "agents"]


def said(one: Built) -> str:
    """Return what the report of `collect` and the end of the run say."""
    told = [collect_words.answer(one.receipts)]
    told += map(remark_words.sentence, silent_columns.remarks(one.city, one.receipts))
    return html.unescape("\n".join(told)).replace("\u00a0", " ")


@pytest.mark.parametrize(
    "change",
    [
        lambda name: name.replace("'", "’"),
        lambda name: name.replace(" ", "\u00a0"),
        lambda name: name.replace(" ", "\u202f  ") + " ",
        str.upper,
        lambda name: "\u200b" + name,
    ],
)
def test_a_header_written_otherwise_is_the_same_column_and_is_told(
    change: Callable[[str], str], tmp_path: Path
) -> None:
    one = editions(tmp_path, header(change))
    assert agents(one) == [31 + year % 100 for year in YEARS]
    assert "ed-2023.csv : 1 colonne dont le nom s'écrit autrement" in said(one)
    assert AGENTS in said(one)
    assert silent_columns.remarks(one.city, one.receipts) == []


def test_every_column_may_be_written_otherwise(tmp_path: Path) -> None:
    def change(name: str) -> str:
        return unicodedata.normalize("NFD", name.replace("'", "’").swapcase())

    one = editions(tmp_path, header(change, [*COLUMNS.values()]))
    assert agents(one) == [31 + year % 100 for year in YEARS]
    assert len(one.receipts["effectifs"]["files"][1]["columns_otherwise"]) == len(COLUMNS)


def test_two_headers_that_may_be_the_column_are_both_left_and_told(tmp_path: Path) -> None:
    two = {AGENTS: AGENTS.upper(), COLUMNS["chiens"]: AGENTS.lower()}
    one = editions(tmp_path, two)
    assert agents(one) == [30 + year % 100 for year in YEARS]  # those of 2022
    assert f"« {AGENTS} »" in said(one)


def test_an_absent_column_is_told_and_takes_no_number_of_another_edition_away(
    tmp_path: Path,
) -> None:
    one = editions(tmp_path, header(lambda _: "Nombre d'agents de la police municipale Untel"))
    assert agents(one) == [30 + year % 100 for year in YEARS]
    text = said(one)
    assert f"ed-2023.csv n'a pas cette colonne du contrat : « {AGENTS} »" in text
    assert "(la colonne 3 du fichier" in text  # its place, never its name
    assert "Untel" not in text
    assert "ed-2022.csv" not in text.split("ed-2023.csv")[-1]
    # The other numbers are those of the last edition.
    assert {row["year"] for row in staff_tables.numbers(staff_of(one)).to_pylist()} == {*YEARS}


def test_a_column_that_is_not_there_at_all_is_told_without_a_near_one(tmp_path: Path) -> None:
    one = editions(tmp_path, {}, drop=[COLUMNS["population"], AGENTS])
    assert agents(one) == [30 + year % 100 for year in YEARS]
    assert f"ces colonnes du contrat : « {AGENTS} », « {COLUMNS['population']} »" in said(one)
    assert "ressemble" not in said(one)
    assert "ce que disait une autre livraison est gardé" in said(one)


def test_nothing_is_kept_of_a_column_that_no_file_has(tmp_path: Path) -> None:
    city = city_of(tmp_path, {"ed-2022.csv": sound("11111", YEARS), "ed-2023.csv": []})
    for path in (tmp_path / "livraison").glob("ed-*.csv"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(AGENTS, "Effectif total"), encoding="utf-8")
    one = build(city, tmp_path, tmp_path / "out")
    assert said(one).count("n'a pas cette colonne") == 2
    assert "est gardé" not in said(one)
    assert agents(one) == []


FIELD: dict[str, Any] = {"type": "int", "minimum": 0, "maximum": 99}


def test_a_source_of_facts_keeps_what_a_later_file_does_not_tell(tmp_path: Path) -> None:
    fields = template_contract()["fields"] | {"gravite": FIELD}
    told = HEAD.replace("\n", ";gravite\n")
    first = told + "".join(row(i).replace("\n", f";{i}\n") for i in (1, 2))
    later = HEAD + row(1, "depot")
    one = built(tmp_path, {"faits_1.csv": first, "faits_2.csv": later}, fields=fields)
    table = one.rows(
        f"SELECT nature, gravite FROM '{one.out / 'accepted/faits.parquet'}' ORDER BY gravite"
    )
    assert table == [("depot", 1), ("tapage", 2)]
    assert "faits_2.csv n'a pas cette colonne du contrat : « gravite »" in said(one)


def test_two_contents_of_one_earlier_file_are_no_version_to_keep(tmp_path: Path) -> None:
    fields = template_contract()["fields"] | {"gravite": FIELD}
    told = HEAD.replace("\n", ";gravite\n")
    first = told + row(1).replace("\n", ";1\n") + row(1).replace("\n", ";2\n")
    one = built(tmp_path, {"faits_1.csv": first, "faits_2.csv": HEAD + row(1, "depot")},
                fields=fields)  # fmt: skip
    table = one.rows(f"SELECT nature, gravite FROM '{one.out / 'accepted/faits.parquet'}'")
    assert table == [("depot", None)]
