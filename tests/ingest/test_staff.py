"""Yearly numbers of staff: each error is named with its commune and years, none is mended."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from helpers.core.base.errors import PhareError
from helpers.core.city import staff_codes, staff_rules
from helpers.core.stage import remark_words
from helpers.ingest import staff_tables, staff_words
from helpers.ingest.staff_signs import Sign
from helpers.ingest.staff_tables import Staff
from tests.fixtures.packs import at, changed
from tests.fixtures.real import INGEST, build
from tests.fixtures.staff import city_of, line, sound, take_in, write_rows

YEARS = range(2014, 2021)


def of(found: Staff, code: str) -> list[Sign]:
    return [one for one in found.signs if one.code == code]


def numbers(found: Staff, year: int, kind: str = "agents") -> list[dict[str, Any]]:
    return [
        row
        for row in staff_tables.numbers(found).to_pylist()
        if (row["year"], row["kind"]) == (year, kind)
    ]


def told(folder: Path, rows: Sequence[dict[str, Any]]) -> tuple[Staff, str]:
    """Return what a file of these rows comes to, and what is said of it."""
    built, found = take_in(folder, {"effectifs.csv": rows})
    return found, staff_words.told(found, built.city)


def test_a_sound_series_bears_no_sign_and_na_is_missing_never_zero(tmp_path: Path) -> None:
    found, text = told(tmp_path, sound("11111", YEARS))
    assert found.signs == []
    assert "Aucun signe" in text
    assert staff_tables.remarks(found) == []
    table = staff_tables.numbers(found).to_pylist()
    assert {row["kind"] for row in table} == {"agents", "asvp"}  # all else is « NA »
    assert {row["grade"] for row in table} == {"A"}
    assert [row["value"] for row in table if row["kind"] == "agents"] == [
        30 + y % 100 for y in YEARS
    ]


def test_na_among_numbers_stays_unknown_and_makes_no_jump(tmp_path: Path) -> None:
    rows = sound("11111", YEARS) + sound("22222", YEARS)
    rows[3]["asvp"] = "NA"
    found, text = told(tmp_path, rows)
    assert of(found, staff_codes.JUMP) == []
    (sign,) = of(found, staff_codes.UNTOLD)
    assert (sign.commune, sign.kinds, sign.years) == ("11111", ("asvp",), (2017,))
    assert "(« NA »), jamais zéro** (1). Alpha, ASVP (2017)." in text
    row, _ = numbers(found, 2017, "asvp")
    assert (row["value"], row["grade"]) == (None, "D")


def test_a_zero_written_is_a_zero_and_its_jump_is_told(tmp_path: Path) -> None:
    rows = sound("11111", YEARS)
    rows[3]["asvp"] = 0
    found, text = told(tmp_path, rows)
    (row,) = numbers(found, 2017, "asvp")
    assert (row["value"], row["grade"], row["signs"]) == (0, "C", ["jump"])
    assert "Alpha, ASVP (2016 : 12, 2017 : 0)" in text


def test_missing_years_and_the_bridge_over_them_are_named_not_filled(tmp_path: Path) -> None:
    rows = sound("11111", [2014, 2015, 2018, 2019, 2020]) + sound("22222", [2017, 2018, 2019, 2020])
    found, text = told(tmp_path, rows)
    missing = [(one.commune, one.years) for one in of(found, staff_codes.MISSING)]
    assert missing == [("11111", (2016, 2017)), ("22222", (2014, 2015, 2016))]
    assert "Alpha (2016–2017)" in text
    assert "Bêta (2014–2016)" in text
    (bridge,) = of(found, staff_codes.BRIDGE_MISSING)
    assert (bridge.commune, bridge.first, bridge.last) == ("11111", 2015, 2018)
    assert [row["value"] for row in numbers(found, 2016)] == [None, None]
    assert [row["grade"] for row in numbers(found, 2018)] == ["B", "A"]
    (one,) = staff_tables.remarks(found)
    assert "année absente : 5" in remark_words.sentence(one)


def test_a_year_skipped_while_the_population_goes_on_is_a_shift(tmp_path: Path) -> None:
    rows = sound("11111", YEARS)
    for row in rows[3:]:  # 2017 and later are labelled a year too late
        row["annee"] += 1
    found, text = told(tmp_path, rows)
    (sign,) = of(found, staff_codes.YEAR_SHIFTED)
    assert (sign.commune, sign.first, sign.last) == ("11111", 2016, 2018)
    assert sign.before == sign.after
    assert of(found, staff_codes.BRIDGE_MISSING) == []
    assert {row["grade"] for row in staff_tables.numbers(found).to_pylist()} == {"D"}
    assert "Alpha (de 2016 à 2018" in text


def test_the_population_of_the_year_before_is_a_shift_and_another_one_a_break(
    tmp_path: Path,
) -> None:
    rows = sound("11111", YEARS) + sound("22222", YEARS, 50_000)
    rows[3]["population"] = rows[2]["population"]
    rows[7 + 3]["population"] += 5
    found, text = told(tmp_path, rows)
    (shift,) = of(found, staff_codes.YEAR_SHIFTED)
    assert (shift.commune, shift.first, shift.last) == ("11111", 2016, 2017)
    (broken,) = of(found, staff_codes.BRIDGE_BROKEN)
    assert (broken.commune, broken.first, broken.last) == ("22222", 2016, 2017)
    assert broken.after == broken.before + 5 if broken.before else False
    assert "Pont rompu" in text
    beta = {row["year"]: row["grade"] for row in staff_tables.numbers(found).to_pylist()
            if row["commune"] == "22222"}  # fmt: skip
    assert [beta[year] for year in YEARS] == ["A", "A", "C", "C", "A", "A", "A"]


def test_a_population_copied_into_the_year_after_is_no_bridge(tmp_path: Path) -> None:
    rows = sound("11111", YEARS)
    rows[-1]["population_suivante"] = rows[-1]["population"]
    found, _ = told(tmp_path, rows)
    (sign,) = of(found, staff_codes.BRIDGE_COPIED)
    assert (sign.first, sign.last) == (2020, 2021)
    assert numbers(found, 2020)[0]["grade"] == "B"


def test_a_copy_of_the_year_before_is_told_and_a_small_commune_is_not(tmp_path: Path) -> None:
    rows = sound("11111", YEARS) + sound("22222", YEARS, 900)
    rows[3] |= {"agents": rows[2]["agents"], "asvp": rows[2]["asvp"]}
    for row in rows[7:]:
        row |= {"agents": 3, "asvp": 0}
    found, text = told(tmp_path, rows)
    (sign,) = of(found, staff_codes.COPIED)
    assert (sign.commune, sign.first, sign.last) == ("11111", 2016, 2017)
    assert "recopie ou stabilité, rien ne le dit" in text


def test_columns_interchanged_one_year_are_told_once(tmp_path: Path) -> None:
    rows = sound("11111", YEARS)
    for row in rows:
        row |= {"asvp": 99 + row["annee"] % 5, "gardes_champetres": 0}
    rows[3] |= {"asvp": 6, "gardes_champetres": 91}
    found, text = told(tmp_path, rows)
    (sign,) = of(found, staff_codes.SWAPPED)
    assert (sign.kinds, sign.first) == (("asvp", "gardes_champetres"), 2017)
    assert len(of(found, staff_codes.JUMP)) == 4
    assert "Alpha, ASVP, gardes champêtres (2017 : 6 et 91)" in text


def test_a_column_that_is_another_a_year_later_is_told(tmp_path: Path) -> None:
    rows = sound("11111", YEARS)
    for before, row in itertools.pairwise(rows):
        row["chiens"] = before["agents"]
    found, _ = told(tmp_path, rows)
    (sign,) = of(found, staff_codes.COLUMN_SHIFTED)
    assert (sign.kinds, sign.after) == (("agents", "chiens"), 1)


def test_an_edition_a_year_beside_the_one_before_is_told_and_a_revision_is_not(
    tmp_path: Path,
) -> None:
    old = sound("11111", YEARS) + sound("22222", YEARS, 50_000)
    new = sound("11111", YEARS) + sound("22222", YEARS, 50_000)
    for before, row in zip(old[:7], new[1:7], strict=False):
        row["agents"] = before["agents"]
    new[7]["agents"] += 2  # revised, in place
    built, found = take_in(tmp_path, {"ed-2020.csv": old, "ed-2021.csv": new})
    (sign,) = of(found, staff_codes.EDITION_SHIFTED)
    assert (sign.commune, sign.kinds, sign.after) == ("11111", ("agents",), 1)
    assert sign.names == ("ed-2020.csv", "ed-2021.csv")
    text = staff_words.told(found, built.city)
    assert "un an après, ed-2021.csv à côté de ed-2020.csv" in text


def test_editions_without_a_year_in_common_have_no_bridge(tmp_path: Path) -> None:
    files = {
        "ed-1.csv": sound("11111", [2014, 2015, 2016]),
        "ed-2.csv": sound("11111", [2017, 2018]),
    }
    built, found = take_in(tmp_path, files)
    (sign,) = of(found, staff_codes.EDITIONS_APART)
    assert (sign.first, sign.last) == (2016, 2017)
    text = staff_words.told(found, built.city)
    assert "ed-1.csv (jusqu'en 2016) et ed-2.csv (à partir de 2017)" in text


def test_a_key_written_twice_is_refused_with_its_file_lines_and_fields(tmp_path: Path) -> None:
    rows = sound("11111", YEARS)
    rows.insert(5, rows[2] | {"agents": 88, "chiens": 1})
    found, text = told(tmp_path, rows)
    (sign,) = of(found, staff_codes.REFUSED)
    assert (sign.first, sign.lines) == (2016, (4, 7))  # the first line has the names of columns
    assert "Alpha 2016 (effectifs.csv, lignes 4 et 7, champs agents, chiens)" in text
    assert [row["value"] for row in numbers(found, 2016)] == [None]
    assert of(found, staff_codes.MISSING) == []


def test_a_row_that_breaks_the_contract_is_named_with_its_line(tmp_path: Path) -> None:
    rows = sound("11111", YEARS)
    rows[4]["agents"] = "beaucoup"
    found, text = told(tmp_path, rows)
    (sign,) = of(found, staff_codes.SET_ASIDE)
    assert (sign.first, sign.lines) == (2018, (6,))
    assert "Alpha 2018 (effectifs.csv, ligne 6, " in text
    assert "beaucoup" not in text
    assert of(found, staff_codes.MISSING) == []


def test_merged_communes_and_pooled_agents_are_marked(tmp_path: Path) -> None:
    rows = sound("11111", YEARS)
    for row in rows:
        row |= {"commune_nouvelle": 0, "mise_en_commun": "NA" if row["annee"] < 2019 else 0}
    rows[4]["commune_nouvelle"] = rows[6]["mise_en_commun"] = 1
    found, text = told(tmp_path, rows)
    assert [one.first for one in of(found, staff_codes.MERGED)] == [2018]
    assert [one.first for one in of(found, staff_codes.POOLED)] == [2020]
    (partial,) = of(found, staff_codes.PARTIAL)
    assert (partial.kinds, partial.first, partial.last) == (("mise_en_commun",), 2019, 2020)
    assert numbers(found, 2020)[0]["signs"] == ["pooled"]
    assert "Commune nouvelle" in text


def test_a_count_that_follows_another_without_a_year_in_common_has_no_bridge(
    tmp_path: Path,
) -> None:
    rows = sound("11111", YEARS)
    for row in rows:
        row |= {"brigades_canines": 2} if row["annee"] < 2016 else {"maitres_chiens": 4}
    found, text = told(tmp_path, rows)
    (sign,) = of(found, staff_codes.NO_OVERLAP)
    assert (sign.first, sign.last) == (2015, 2016)
    assert "brigades canines (jusqu'en 2015), puis maîtres-chiens (à partir de 2016)" in text
    assert of(found, staff_codes.COLUMN_YEAR) == []  # 2014 is among its years


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("source",), "absente", "absente"),
        (("counts", "agents"), {"label": "agents", "follows": "rien"}, "rien"),
        (("own",), "99999", "99999"),
        (("commune",), "annee", "nommé deux fois"),
        (("commune",), "asvp", "nommé deux fois"),
        (("next_population",), "annee", "nommé deux fois"),
    ],
)
def test_a_mistake_in_the_rules_is_named(
    tmp_path: Path, where: tuple[str, ...], value: Any, message: str
) -> None:
    city = city_of(tmp_path, {"effectifs.csv": []})
    with pytest.raises(PhareError, match=message):
        staff_rules.read_rules(changed(city.pack, "staff.yaml", at(*where, value=value)))


def test_a_mark_that_is_no_yes_or_no_is_refused(tmp_path: Path) -> None:
    city = city_of(tmp_path, {"effectifs.csv": []})
    number = {"type": "int", "minimum": 0, "maximum": 9}
    where = at("fields", "mise_en_commun", value=number)
    with pytest.raises(PhareError, match="« mise_en_commun » est un champ int"):
        staff_rules.read_rules(changed(city.pack, "contracts/effectifs.yaml", where))


def test_a_source_with_other_keys_than_commune_and_year_is_refused(tmp_path: Path) -> None:
    city = city_of(tmp_path, {"effectifs.csv": []})
    other = changed(city.pack, "contracts/effectifs.yaml", at("key", value=["commune"]))
    with pytest.raises(PhareError, match="une ligne par commune et année"):
        staff_rules.read_rules(other)


def test_a_city_without_staff_says_so(tmp_path: Path) -> None:
    city = city_of(tmp_path, {"effectifs.csv": [line("11111", 2014, 9, 9, 1)]})
    (city.pack / "staff.yaml").unlink()
    assert staff_rules.read_rules(city) is None
    assert staff_words.told(None, city) == staff_words.NONE
    assert staff_tables.remarks(None) == []
    assert staff_tables.numbers(None).num_rows == staff_tables.signs(None).num_rows == 0


def test_a_file_without_rows_says_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    found, text = told(tmp_path, [])
    assert staff_tables.numbers(found).num_rows == 0
    assert "0\u00a0ligne de 0\u00a0commune." in text


def test_without_a_population_of_the_year_after_no_number_is_graded_a(tmp_path: Path) -> None:
    built, _ = take_in(tmp_path, {"effectifs.csv": sound("11111", YEARS)})
    city = changed(built.city.pack, "staff.yaml", at("next_population", value=""))
    found = staff_tables.read(city, built.raw, built.out, built.receipts, INGEST)
    assert found is not None
    assert [one.code for one in found.signs] == [staff_codes.NO_POPULATION]
    assert {row["grade"] for row in staff_tables.numbers(found).to_pylist()} == {"B"}
    assert "Aucun pont" in staff_words.told(found, city)


def test_a_row_set_aside_in_an_older_edition_does_not_touch_the_later_one(tmp_path: Path) -> None:
    old, new = sound("11111", YEARS), sound("11111", YEARS)
    old[3]["agents"] = "?"
    built, found = take_in(tmp_path, {"ed-2020.csv": old, "ed-2021.csv": new})
    (sign,) = of(found, staff_codes.SET_ASIDE)
    assert (sign.names[0], sign.lines) == ("ed-2020.csv", (5,))
    assert [row["grade"] for row in numbers(found, 2017)] == ["A"]
    assert "ed-2020.csv, ligne 5" in staff_words.told(found, built.city)


def test_the_line_of_a_second_file_is_its_own(tmp_path: Path) -> None:
    rows = sound("11111", YEARS)
    rows[5]["agents"] = "?"
    _, found = take_in(tmp_path, {"ed-1.csv": sound("11111", YEARS), "ed-2.csv": rows})
    (sign,) = of(found, staff_codes.SET_ASIDE)
    assert (sign.names[0], sign.lines) == ("ed-2.csv", (7,))


def test_full_time_equivalents_keep_their_half(tmp_path: Path) -> None:
    city = city_of(tmp_path, {"effectifs.csv": sound("11111", YEARS)})
    half = [line("11111", 2014, 20_518, 20_555, 30.5), line("11111", 2015, 20_555, 20_592, 61.5)]
    write_rows(tmp_path / "livraison/effectifs.csv", half)
    kind = at("fields", "agents", "type", value="float")
    changed(city.pack, "contracts/effectifs.yaml", kind)
    built = build(changed(city.pack, "staff.yaml", at("unit", value="full_time")), tmp_path,
                  tmp_path / "out")  # fmt: skip
    found = staff_tables.read(built.city, built.raw, built.out, built.receipts, INGEST)
    text = staff_words.told(found, built.city)
    assert "(2014 : 30,5, 2015 : 61,5)" in text
    assert "équivalents temps plein" in text


def test_what_the_last_edition_changes_is_told_the_largest_first(tmp_path: Path) -> None:
    old = sound("11111", YEARS) + sound("22222", YEARS)
    new = [dict(one) for one in old]
    new[5]["agents"] += 66  # Alpha, 2019
    new[6]["asvp"] = "NA"  # Alpha, 2020: taken back
    for one in new[7:]:
        one["agents"] += 2
    built, found = take_in(tmp_path, {"ed-2022.csv": old, "ed-2023.csv": new})
    told = of(found, staff_codes.REVISED)
    assert len(told) == 9
    largest = max(told, key=lambda one: (one.after or 0) - (one.before or 0))
    assert (largest.commune, largest.first, largest.before, largest.after) == (
        "11111", 2019, 49, 115,
    )  # fmt: skip
    text = staff_words.told(found, built.city)
    assert "Alpha, agents de police municipale (2019 : 49, puis 115 dans ed-2023.csv)" in text
    assert "Alpha, ASVP (2020 : 12, puis non dit dans ed-2023.csv)" in text
    assert "écart d'abord** (9)." in text
    row, _ = numbers(found, 2019)
    assert row["value"] == 115
    assert "revised" in row["signs"]
    (one,) = staff_tables.remarks(found)
    assert "nombre que la dernière édition change : 9" in remark_words.sentence(one)


def test_a_third_edition_is_compared_with_the_last_that_told_the_year(tmp_path: Path) -> None:
    first, third = sound("11111", YEARS), sound("11111", YEARS)
    third[0]["agents"] += 3
    files = {"ed-1.csv": first, "ed-2.csv": sound("11111", YEARS)[3:], "ed-3.csv": third}
    _, found = take_in(tmp_path, files)
    (sign,) = of(found, staff_codes.REVISED)
    assert (sign.first, sign.before, sign.after, sign.names) == (
        2014, 44, 47, ("ed-1.csv", "ed-3.csv"),
    )  # fmt: skip


def test_nines_and_one_number_in_all_years_are_told_without_a_population(tmp_path: Path) -> None:
    rows = sound("11111", YEARS) + sound("22222", YEARS)
    for one in rows[:7]:
        one |= {"agents": 9999, "population": "NA", "population_suivante": "NA"}
    for one in rows[7:]:
        one["asvp"] = 12
    rows[8]["agents"] = 999
    rows[9]["agents"] = 99  # a number like any other
    found, text = told(tmp_path, rows)
    nines = [(one.commune, one.years) for one in of(found, staff_codes.PLACEHOLDER)]
    assert nines == [("11111", tuple(YEARS)), ("22222", (2015,))]
    same = [(one.commune, one.kinds) for one in of(found, staff_codes.CONSTANT)]
    assert same == [("11111", ("agents",)), ("22222", ("asvp",))]
    assert "Alpha, agents de police municipale (2014–2020 : 9\u202f999)" in text
    assert {row["grade"] for row in numbers(found, 2016) if row["value"] == 9999} == {"C"}
    assert "valeur de remplissage (9999…) : 2" in "".join(
        map(remark_words.sentence, staff_tables.remarks(found))
    )


def test_a_count_whose_column_an_edition_lacks_is_named_with_its_years(tmp_path: Path) -> None:
    rows = sound("11111", YEARS)
    city = city_of(tmp_path, {"ed-1.csv": rows, "ed-2.csv": rows})
    path = tmp_path / "livraison/ed-2.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("Nombre d'ASVP", "Nombre des ASVP"), encoding="utf-8")
    built = build(city, tmp_path, tmp_path / "out")
    found = staff_tables.read(built.city, built.raw, built.out, built.receipts, INGEST)
    assert found is not None
    (sign,) = of(found, staff_codes.COLUMN_ABSENT)
    assert (sign.kinds, sign.names, sign.lines) == (("asvp",), ("ed-2.csv",), (4,))
    assert of(found, staff_codes.REVISED) == []
    assert [row["value"] for row in numbers(found, 2015, "asvp")] == [15]
    assert "ASVP (ed-2.csv, 2014–2020, la colonne 4 du fichier lui ressemble)" in (
        staff_words.told(found, built.city)
    )
