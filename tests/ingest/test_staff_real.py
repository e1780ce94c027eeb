"""The real numbers of municipal police, read in place: what a plain reader of CSV finds in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpers.ingest import staff_signs, staff_tables, staff_words
from helpers.ingest.staff_tables import Staff
from tests.fixtures.real import Built, read_csv
from tests.fixtures.staff import COLUMNS, REAL, take_in

KINDS = ("agents", "asvp", "gardes_champetres", "brigades_canines", "maitres_chiens", "chiens")
YEARS = range(2013, 2024)


@dataclass(frozen=True)
class Plain:
    """What Python's own reader sees: (commune, year) → field → number, None where « NA »."""

    rows: dict[tuple[str, int], dict[str, int | None]]

    @property
    def communes(self) -> list[str]:
        return sorted({commune for commune, _ in self.rows})

    def pairs(self) -> list[tuple[str, int, dict[str, int | None], dict[str, int | None]]]:
        """Return commune, year, the row of the year before and its own, where both are there."""
        return [
            (commune, year, self.rows[commune, year - 1], row)
            for (commune, year), row in sorted(self.rows.items())
            if (commune, year - 1) in self.rows
        ]


@pytest.fixture(scope="module")
def path(shared: Path) -> Path:
    found = shared / REAL
    if not found.exists():
        pytest.skip(f"NO REAL DATA: {found} is absent, no real number of staff is read")
    return found


@pytest.fixture(scope="module")
def plain(path: Path) -> Plain:
    rows = {}
    for row in read_csv(path):
        told = {name: row[column] for name, column in COLUMNS.items()}
        key = (told["commune"], int(told["annee"]))
        assert key not in rows
        rows[key] = {
            name: None if text == "NA" else int(text)
            for name, text in told.items()
            if name not in ("commune", "annee")
        }
    return Plain(rows)


@pytest.fixture(scope="module")
def real(path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Built, Staff]:
    return take_in(tmp_path_factory.mktemp("staff"), {"effectifs.csv": path}, own="13055")


def signs(real: tuple[Built, Staff], code: str) -> list[staff_signs.Sign]:
    return [one for one in real[1].signs if one.code == code]


def test_every_row_comes_in_and_says_what_a_plain_reader_reads(
    real: tuple[Built, Staff], plain: Plain
) -> None:
    built, found = real
    assert built.fates["effectifs"] == {"accepted": 171}
    assert len(plain.rows) == 171
    assert len(plain.communes) == 16
    read = {
        (row.commune, row.year): row
        for series in found.held.rows.values()
        for row in series.values()
    }
    assert set(read) == set(plain.rows)
    for key, told in plain.rows.items():
        assert {kind: told[kind] for kind in KINDS} == read[key].counts
        assert (read[key].population, read[key].following) == (
            told["population"], told["population_suivante"],
        )  # fmt: skip


def test_the_years_absent_are_those_of_paris(real: tuple[Built, Staff], plain: Plain) -> None:
    absent = [(c, y) for c in plain.communes for y in YEARS if (c, y) not in plain.rows]
    assert absent == [("75056", year) for year in range(2013, 2018)]
    assert [(one.commune, one.years) for one in signs(real, "missing")] == [
        ("75056", (2013, 2014, 2015, 2016, 2017))
    ]


def test_all_bridges_between_years_hold_and_none_leads_beyond_the_last(
    real: tuple[Built, Staff], plain: Plain
) -> None:
    pairs = plain.pairs()
    assert len(pairs) == 155
    assert all(old["population_suivante"] == new["population"] for _, _, old, new in pairs)
    assert signs(real, "bridge_broken") == signs(real, "bridge_missing") == []
    assert signs(real, "year_shifted") == []
    copied = [key for key, row in sorted(plain.rows.items())
              if row["population"] == row["population_suivante"]]  # fmt: skip
    assert copied == [(commune, 2023) for commune in plain.communes]
    assert [(one.commune, one.first) for one in signs(real, "bridge_copied")] == copied


def test_copies_and_jumps_are_those_that_a_plain_reader_finds(
    real: tuple[Built, Staff], plain: Plain
) -> None:
    copies, jumps = [], []
    for commune, year, old, new in plain.pairs():
        both = {kind: (a, b) for kind in KINDS
                if (a := old[kind]) is not None and (b := new[kind]) is not None}  # fmt: skip
        if all(a == b for a, b in both.values()) and sum(b for _, b in both.values()) >= 10:
            copies.append((commune, year))
        for kind, (a, b) in both.items():
            if abs(a - b) >= 10 and max(a, b) >= 1.5 * min(a, b):
                jumps.append((commune, kind, year))
    assert copies == [
        ("13002", 2021), ("31555", 2020), ("33063", 2020), ("34172", 2023), ("44109", 2014),
        ("67482", 2021), ("67482", 2022), ("67482", 2023), ("69123", 2016), ("69123", 2018),
        ("75056", 2019),
    ]  # fmt: skip
    assert [(one.commune, one.last) for one in signs(real, "copied")] == copies
    assert len(jumps) == 27
    told = [(one.commune, one.kinds[0], one.last) for one in signs(real, "jump")]
    assert sorted(told) == sorted(jumps)
    assert Counter(commune for commune, _, _ in jumps) == {
        "33063": 5, "69123": 4, "75056": 4, "13005": 3, "13055": 3, "31555": 3, "44109": 3,
        "06088": 1, "67482": 1,
    }  # fmt: skip


def test_the_columns_of_lyon_interchanged_in_2014_are_seen(
    real: tuple[Built, Staff], plain: Plain
) -> None:
    asvp, gardes = (
        {year: plain.rows["69123", year][kind] or 0 for year in (2013, 2014, 2015)}
        for kind in ("asvp", "gardes_champetres")
    )
    assert asvp[2014] < 0.1 * min(asvp[2013], asvp[2015])
    assert gardes[2014] > 0.9 * asvp[2013]
    assert gardes[2013] == gardes[2015] == 0
    assert [(one.commune, one.first) for one in signs(real, "swapped")] == [("69123", 2014)]


def test_the_column_of_dog_teams_says_2014_over_rows_of_2013_and_has_no_bridge(
    real: tuple[Built, Staff], plain: Plain
) -> None:
    assert COLUMNS["brigades_canines"].endswith("(2014)")
    for kind, years in (("brigades_canines", {2013}), ("maitres_chiens", set(range(2014, 2024)))):
        known = {year for (_, year), row in plain.rows.items() if row[kind] is not None}
        assert known == years
    (sign,) = signs(real, "column_year")
    assert (sign.kinds, sign.years, sign.names) == (("brigades_canines",), (2013,), ("2014",))
    apart = [(one.kinds, one.first, one.last) for one in signs(real, "no_overlap")]
    assert apart == [(("chiens",), 2013, 2014), (("maitres_chiens",), 2013, 2014)]


def test_pooled_agents_are_marked_and_no_commune_was_merged(
    real: tuple[Built, Staff], plain: Plain
) -> None:
    pooled = [key for key, row in sorted(plain.rows.items()) if row["mise_en_commun"] == 1]
    assert pooled == [("33063", 2023), ("59350", 2022)]
    assert [(one.commune, one.first) for one in signs(real, "pooled")] == pooled
    assert {row["commune_nouvelle"] for row in plain.rows.values()} == {0}
    assert signs(real, "merged") == signs(real, "untold") == []
    (partial,) = signs(real, "partial")
    assert (partial.kinds, partial.first, partial.last) == (("mise_en_commun",), 2021, 2023)


def test_the_population_of_marseille_is_that_of_insee_the_same_year(
    shared: Path, real: tuple[Built, Staff]
) -> None:
    """No year of Marseille is shifted: another publisher tells its 16 arrondissements."""
    rows = read_csv(shared / "marseille/population.csv")
    assert len(rows) == 16
    series = real[1].held.rows["13055"]
    for year in range(2013, 2022):
        column = f"p{year % 100}_pop"
        assert series[year].population == sum(float(row[column]) for row in rows)


def test_what_is_said_names_communes_and_years(real: tuple[Built, Staff], plain: Plain) -> None:
    built, found = real
    text = staff_words.told(found, built.city)
    assert "171\u00a0lignes de 16\u00a0communes, de 2013 à 2023" in text
    assert "75056 (2013–2017)" in text
    before, after = (plain.rows["13055", year]["asvp"] for year in (2019, 2020))
    assert f"Marseille, ASVP (2019 : {before}, 2020 : {after})" in text
    asvp, gardes = (plain.rows["69123", 2014][kind] for kind in ("asvp", "gardes_champetres"))
    assert f"69123, ASVP, gardes champêtres (2014 : {asvp} et {gardes})" in text
    (one,) = staff_tables.remarks(found)
    counts = dict(zip(one.names, one.sizes, strict=True))
    assert counts == {
        "missing": 5,
        "shifted": 2,
        "bridge": 18,
        "jump": 27,
        "copied": 11,
        "marked": 2,
    }
