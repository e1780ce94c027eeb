"""Nothing dropped, nothing invented: against plain SQL and Python over the raw files."""

from __future__ import annotations

import csv
import datetime as dt
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml

from helpers.ingest import ingest, words
from tests.fixtures.real import INGEST, ROOT, Built, build, read_csv

RESULTS = ("cube.parquet", "observations.parquet", "zones.parquet")


def rows_of(path: Path) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = duckdb.sql(f"SELECT * FROM '{path}'").fetchall()
    return found


def results(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in RESULTS}


# --- Denver ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["denver", "open_marseille"])
def test_rows_in_are_accepted_plus_quarantined_plus_duplicates(
    name: str, shared: Path, request: pytest.FixtureRequest
) -> None:
    """To the row: each row number of the received file is in one of the two files, once."""
    built: Built = request.getfixturevalue(name)
    folder = shared / built.city.about.name.removesuffix("_ouvert")
    for source, delivery in built.city.about.sources.items():
        if delivery.names[0].endswith("geojson"):
            continue
        rows = len(read_csv(folder / delivery.names[0]))
        numbers = duckdb.sql(
            f"SELECT row_number FROM '{built.out}/accepted/{source}.parquet' UNION ALL "
            f"SELECT row_number FROM '{built.out}/quarantined/{source}.parquet' ORDER BY 1"
        ).fetchall()
        assert [n for (n,) in numbers] == list(range(1, rows + 1)), source
        assert sum(built.fates[source].values()) == rows


BEGAN = "FIRST_OCCURRENCE_DATE"


def within(denver: Built, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the rows whose fact began in the city's period: the others are counted apart."""
    period = denver.city.about.period
    found = [
        row
        for row in rows
        if period.start
        <= dt.datetime.strptime(row[BEGAN].split()[0], "%m/%d/%Y").date()
        <= period.end
    ]
    assert denver.fates["crime"]["hors_periode"] == len(rows) - len(found) == 1721
    return found


def test_theme_totals_are_those_of_the_raw_file(denver: Built, shared: Path) -> None:
    themes = yaml.safe_load((ROOT / "data/cities/denver/themes.yaml").read_text("utf-8"))["themes"]
    rows = within(denver, read_csv(shared / "denver/crime.csv.gz"))
    plain = Counter(row["OFFENSE_CATEGORY_ID"] for row in rows)
    expected = {name: sum(plain[c] for c in t["categories"]) for name, t in themes.items()}
    assert dict(denver.rows("SELECT theme, sum(n) FROM cube GROUP BY 1")) == expected
    assert sum(expected.values()) == 49_089 - 1721


def test_cells_and_divisions_and_places_unknown_make_the_same_whole(
    denver: Built, shared: Path
) -> None:
    rows = within(denver, read_csv(shared / "denver/crime.csv.gz"))
    placed = sum(bool(row["GEO_LON"].strip() and row["GEO_LAT"].strip()) for row in rows)
    found = ingest.totals(denver.city, denver.out / "cube.parquet")
    assert found["cell"] == {"inside": placed, "outside": 0, "no_place": len(rows) - placed}
    zones = found["neighborhoods"]
    assert zones["inside"] + zones["outside"] == placed
    assert zones["no_place"] == len(rows) - placed
    # The publisher's own attribution of each row to a neighbourhood: nearly always the same.
    assert zones["inside"] == pytest.approx(sum(bool(r["NEIGHBORHOOD_ID"]) for r in rows), rel=0.02)


def test_zone_of_the_point_is_the_one_the_publisher_names(denver: Built, shared: Path) -> None:
    """Denver writes `five-points` where its map says « Five Points ».

    Its streets are the limits of its neighbourhoods: ten metres move a fact to the other side.
    """
    declared = Counter(
        row["NEIGHBORHOOD_ID"].strip()
        for row in within(denver, read_csv(shared / "denver/crime.csv.gz"))
    )
    found = denver.rows(
        "SELECT name, sum(n) FROM cube JOIN zones ON code = zone_neighborhoods GROUP BY 1"
    )
    matched = {
        name: (n, declared[name.lower().replace(" - ", "-").replace(" ", "-")]) for name, n in found
    }
    assert len(matched) == 78
    apart = sum(abs(n - told) for n, told in matched.values())
    assert apart < 0.06 * len(denver.rows("SELECT 1 FROM observations"))


def test_cube_sums_observations_key_by_key(denver: Built) -> None:
    columns = "theme, source, category, cell, zone_neighborhoods, hour, hour_end, time_precision, "
    differ = denver.rows(
        f"(SELECT {columns} origin, sum(n) FROM observations GROUP BY ALL) EXCEPT "
        f"(SELECT {columns} origin, n FROM cube)"
    )
    assert differ == []
    assert denver.rows(f"SELECT {columns} origin FROM cube GROUP BY ALL HAVING count(*) > 1") == []


def test_columns_are_those_of_the_narrow_waist(denver: Built) -> None:
    described = denver.rows("DESCRIBE cube")
    assert [row[0] for row in described] == [
        "theme", "source", "category", "cell", "zone_neighborhoods", "hour", "hour_end", "slot",
        "working_day", "time_precision", "origin", "n",
    ]  # fmt: skip
    assert {row[0]: row[1] for row in described}["n"] == "BIGINT"
    assert not {r[0] for r in denver.rows("DESCRIBE observations")} & {"OFFENSE_ID", "row_number"}


def test_hours_are_local_and_intervals_kept(denver: Built, shared: Path) -> None:
    """Against Python's reading of the American dates."""

    denver_time = ZoneInfo("America/Denver")

    def hour(text: str) -> dt.datetime:
        """Two rows tell an hour that the change to summer time skips: it becomes the next."""
        wall = dt.datetime.strptime(text, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=denver_time)
        there = wall.astimezone(dt.UTC).astimezone(denver_time)
        return there.replace(minute=0, second=0, tzinfo=None)

    expected: Counter[tuple[dt.datetime, dt.datetime]] = Counter()
    for row in within(denver, read_csv(shared / "denver/crime.csv.gz")):
        first = hour(row["FIRST_OCCURRENCE_DATE"])
        last = row["LAST_OCCURRENCE_DATE"].strip()
        expected[first, hour(last) if last else first] += 1
    found = denver.rows("SELECT hour, hour_end, sum(n) FROM cube GROUP BY ALL")
    assert {(a, b): n for a, b, n in found} == expected


# --- Marseille, open data --------------------------------------------------------------------


def test_accidents_of_2013_are_complete_and_samples_set_aside(
    open_marseille: Built, shared: Path
) -> None:
    """2,483 accidents and 1,935 with a place: the publisher's file, counted when received."""
    rows = read_csv(shared / "marseille/accidents_2013_2015_2020.csv")
    samples = [row for row in rows if row["annee"] != "2013"]
    assert open_marseille.fates["accidents"] == {
        "accepted": 2483,
        "echantillon_partiel": len(samples),
    }
    found = open_marseille.rows(
        "SELECT sum(n), sum(n) FILTER (cell IS NOT NULL), min(year(hour)), max(year(hour)) "
        "FROM cube WHERE theme = 'accidents'"
    )
    assert found == [(2483, 1935, 2013, 2013)]


def test_facts_by_service_are_those_of_the_file(open_marseille: Built, shared: Path) -> None:
    path = shared / "marseille/faits_par_service_2012_2020.csv"
    plain = duckdb.sql(
        "SELECT service, annee, code_index, sum(CAST(faits AS INTEGER)) "
        f"FROM read_csv('{path}', all_varchar = true) "
        "WHERE service LIKE 'DSP MARSEILLE %' GROUP BY ALL"
    ).fetchall()
    services = {"DSP MARSEILLE CENTRE", "DSP MARSEILLE NORD", "DSP MARSEILLE SUD"}
    expected = {(s, int(y), c): n for s, y, c, n in plain if s in services and n is not None}
    found = {
        (s, y, c): n
        for s, y, c, n in open_marseille.rows(
            "SELECT zone_services, year(hour), category, CAST(sum(n) AS BIGINT) FROM cube "
            "WHERE source = 'faits_par_service' AND zone_services LIKE 'DSP%' GROUP BY ALL"
        )
    }
    assert found == expected
    assert len({s for s, _, _ in found}) == 3
    whole = duckdb.sql(
        f"SELECT sum(CAST(faits AS INTEGER)) FROM read_csv('{path}', header = true, "
        "all_varchar = true)"
    ).fetchall()
    assert open_marseille.rows(
        "SELECT CAST(sum(n) AS BIGINT) FROM cube WHERE source = 'faits_par_service'"
    ) == [(int(whole[0][0]),)]


def test_all_divisions_agree_on_the_whole(open_marseille: Built) -> None:
    found = ingest.totals(open_marseille.city, open_marseille.out / "cube.parquet")
    assert set(found) == {"cell", "quartiers", "arrondissements", "services"}
    assert len({sum(row.values()) for row in found.values()}) == 1
    told = words.answer(open_marseille.fates, found)
    assert "sont égaux" in told
    broken = {**found, "cell": {**found["cell"], "inside": found["cell"]["inside"] - 1}}
    assert "erreur" in words.answer(open_marseille.fates, broken)


# --- Same bytes ------------------------------------------------------------------------------


def test_another_folder_and_one_thread_change_no_byte(
    denver: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHARE_THREADS", "1")
    again = ingest.ingest(denver.city, denver.raw, tmp_path / "ailleurs", INGEST)
    assert again == denver.fates
    assert results(tmp_path / "ailleurs") == results(denver.out)
    for folder in ("accepted", "quarantined"):
        for path in sorted((denver.out / folder).iterdir()):
            assert (tmp_path / "ailleurs" / folder / path.name).read_bytes() == path.read_bytes()


def test_order_of_the_received_rows_changes_no_byte(
    open_marseille: Built, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (shared / "marseille").iterdir():
        if path.suffix in (".csv", ".geojson"):
            shutil.copy(path, tmp_path / path.name)
    for name in ("accidents_2013_2015_2020.csv", "faits_par_service_2012_2020.csv"):
        with (shared / "marseille" / name).open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        random.Random(7).shuffle(rows)
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    monkeypatch.setenv("PHARE_FROM", str(tmp_path))
    shuffled = build(open_marseille.city, ROOT, tmp_path / "out")
    sha = [b.receipts["accidents"]["files"][0]["sha256"] for b in (shuffled, open_marseille)]
    assert sha[0] != sha[1]
    assert results(shuffled.out) == results(open_marseille.out)
