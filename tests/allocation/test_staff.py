"""Staff beside the plan: the last number to rely on, what is left out and why; no rank, no hour."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from helpers.allocation import staff, staff_words
from helpers.core.base import store
from helpers.core.city import staff_rules
from helpers.core.city.city import City
from helpers.core.stage import params
from helpers.ingest import staff_tables
from tests.fixtures.packs import at, changed
from tests.fixtures.real import ROOT, SHARED
from tests.fixtures.staff import REAL, sound, take_in

KNOBS = params.knobs("allocation", ROOT)
YEARS = range(2014, 2021)


def reference(city: City, found: staff_tables.Staff) -> pa.Table:
    con = store.connect()
    con.register("staff", staff_tables.numbers(found))
    table = staff.reference(con, staff_rules.read_rules(city), KNOBS)
    con.close()
    return table


def beside(folder: Path, rows: Any) -> tuple[list[dict[str, Any]], str]:
    """Return what stands beside the plan of a city with these rows, and what is said of it."""
    built, found = take_in(folder, {"effectifs.csv": rows})
    table = reference(built.city, found)
    return table.to_pylist(), staff_words.told(table, found.rules, built.city)


def of(rows: list[dict[str, Any]], kind: str, role: str) -> list[dict[str, Any]]:
    return [row for row in rows if (row["kind"], row["role"]) == (kind, role)]


def test_the_last_sound_year_is_shown_for_a_thousand_of_its_own_inhabitants(tmp_path: Path) -> None:
    rows, text = beside(tmp_path, sound("11111", YEARS))
    (own,) = of(rows, "agents", "own")
    population = 20_000 + 37 * 20
    assert (own["year"], own["value"], own["grade"]) == (2020, 50, "A")
    assert own["per_thousand"] == pytest.approx(1000 * 50 / population)
    assert "50 en 2020 (note A), soit 2,41 pour 1\u202f000 habitants" in text
    assert "n'est pas un nombre d'heures" in text
    assert "unité non dite" in text
    assert "données inventées" not in text
    assert "Source : Ministère de l'Intérieur" in text


def test_a_jump_is_left_out_with_its_reason_and_its_year_before_with_it(tmp_path: Path) -> None:
    rows = sound("11111", YEARS)
    rows[-1]["agents"] = 500
    found, text = beside(tmp_path, rows)
    (own,), (later,) = of(found, "agents", "own"), of(found, "agents", "later")
    assert (own["year"], later["year"], later["value"]) == (2018, 2020, 500)
    assert "Laissé de côté, 500 en 2020 (note C, bond d'un an à l'autre)" in text
    assert of(found, "asvp", "own")[0]["year"] == 2020


def test_without_a_sound_year_no_number_is_relied_on(tmp_path: Path) -> None:
    rows = sound("11111", YEARS)
    for row in rows[3:]:
        row["annee"] += 1
    found, text = beside(tmp_path, rows)
    assert of(found, "agents", "own") == of(found, "agents", "like") == []
    assert "aucune année à qui se fier" in text
    assert "années sans doute décalées" in text
    assert "pour 1\u202f000 habitants" not in text


def test_communes_of_like_population_come_by_code_and_doubtful_ones_are_left_out(
    tmp_path: Path,
) -> None:
    rows = [
        *sound("11111", YEARS), *sound("33333", YEARS, 35_000), *sound("22222", YEARS, 12_000),
        *sound("13055", YEARS, 90_000),
    ]  # fmt: skip
    found, text = beside(tmp_path, rows)
    assert [row["commune"] for row in of(found, "agents", "like")] == ["22222", "33333"]
    assert "Bêta (3,92), Gamma (1,40)" in text
    assert "sans classement" in text
    rows[13]["agents"] = rows[12]["agents"]
    rows[13]["asvp"] = rows[12]["asvp"]  # Gamma copies its year before
    found, _ = beside(tmp_path / "copied", rows)
    assert [row["commune"] for row in of(found, "agents", "like")] == ["22222"]


def test_without_a_population_there_is_no_rate_and_nobody_is_like(tmp_path: Path) -> None:
    rows = sound("11111", YEARS) + sound("22222", YEARS)
    for row in rows[:7]:
        row["population"] = "NA"
    found, text = beside(tmp_path, rows)
    (own,) = of(found, "agents", "own")
    assert (own["grade"], own["per_thousand"]) == ("B", None)
    assert of(found, "agents", "like") == []
    assert "50 en 2020 (note B, pont absent avec une année voisine)." in text


def test_a_city_that_gives_none_or_does_not_say_which_is_its_own_says_so(tmp_path: Path) -> None:
    built, found = take_in(tmp_path, {"effectifs.csv": sound("11111", YEARS)})
    nobody = changed(built.city.pack, "staff.yaml", at("own", value=""))
    table = reference(nobody, found)
    assert table.num_rows == 0
    assert staff_words.told(table, staff_rules.read_rules(nobody), nobody) == staff_words.NO_OWN
    assert staff_words.told(table, None, nobody) == staff_words.NONE


def test_every_sign_that_touches_a_number_has_its_words() -> None:
    from helpers.core.city import staff_codes

    never_known = {
        staff_codes.REFUSED,
        staff_codes.SET_ASIDE,
        staff_codes.MISSING,
        staff_codes.UNTOLD,
    }
    told = {code for code, grade in staff_codes.GRADES.items() if grade}
    assert set(staff_words.WHY) == told - never_known


def test_marseille_as_really_told(tmp_path: Path) -> None:
    path = SHARED / REAL
    if not path.exists():
        pytest.skip(f"NO REAL DATA: {path} is absent, no real number of staff is read")
    built, found = take_in(tmp_path, {"effectifs.csv": path}, own="13055")
    table = reference(built.city, found)
    rows = table.to_pylist()
    (agents,), (asvp,), (later,) = (
        of(rows, "agents", "own"), of(rows, "asvp", "own"), of(rows, "asvp", "later"),
    )  # fmt: skip
    # Of the ASVP, three jumps in four years: the last year that none touches is 2018.
    assert (agents["year"], agents["grade"], agents["signs"]) == (2023, "B", ["bridge_copied"])
    assert (asvp["year"], asvp["grade"]) == (2018, "A")
    assert (later["year"], later["signs"]) == (2023, ["bridge_copied", "jump"])
    # Lyon and Toulouse: the only ones of the file between half and twice its population.
    assert [row["commune"] for row in of(rows, "agents", "like")] == ["31555", "69123"]
    assert "69123" in staff_words.told(table, found.rules, built.city)
