"""Silence told apart from calm, grades from bounds, and accounts that add up."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import Counter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml

from helpers import reliability, store
from tests.conftest import ROOT, Built, build_made_up, fact, read_csv

KNOBS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["reliability"]
BOUNDS = (KNOBS["located_min"], KNOBS["valid_min"], KNOBS["delay_max_days"])
AMERICAN = "%m/%d/%Y %I:%M:%S %p"


def views(built: Built, silence_share: float = 0.1) -> duckdb.DuckDBPyConnection:
    con = store.connect()
    for name in ("cube", "observations", "zones"):
        store.view(con, name, built.out / f"{name}.parquet")
    con.register("weeks", reliability.weeks(con, built.city, silence_share))
    return con


@pytest.fixture(scope="module")
def crime(shared: Path) -> list[dict[str, str]]:
    return read_csv(shared / "denver/crime.csv.gz")


def test_denvers_silent_weeks_are_those_of_a_plain_count(
    denver: Built, crime: list[dict[str, str]]
) -> None:
    weeks: Counter[dt.date] = Counter()
    for row in crime:
        day = dt.datetime.strptime(row["FIRST_OCCURRENCE_DATE"].split()[0], "%m/%d/%Y").date()
        weeks[day - dt.timedelta(day.weekday())] += 1
    first, last = dt.date(2018, 1, 1), dt.date(2019, 6, 10)
    mondays = [first + dt.timedelta(7 * i) for i in range((last - first).days // 7 + 1)]
    floor = 0.1 * statistics.median(weeks[m] for m in mondays)
    con = views(denver)
    found = con.execute("SELECT week, n, status FROM weeks ORDER BY week").fetchall()
    assert [row[0] for row in found] == mondays
    for monday, n, status in found:
        assert n == weeks[monday]
        assert status == ("missing" if weeks[monday] <= floor else "ok"), monday


def test_denvers_gap_of_2018_is_missing(denver: Built) -> None:
    """The publisher's extract is nearly empty from August to November 2018."""
    con = views(denver)
    found = con.execute("SELECT week FROM weeks WHERE status = 'missing' ORDER BY 1").fetchall()
    silent = {row[0] for row in found}
    gap = {dt.date(2018, 7, 30) + dt.timedelta(7 * i) for i in range(18)}
    assert gap <= silent
    assert len(silent - gap) <= 3
    assert not {dt.date(2018, 1, 1), dt.date(2018, 7, 16), dt.date(2019, 1, 7)} & silent


def test_week_without_any_record_is_there_and_missing(tmp_path: Path) -> None:
    start = dt.date(2024, 1, 1)
    rows = []
    for week in range(52):
        day = start + dt.timedelta(weeks=week)
        many = {10: 0, 20: 1, 30: 2}.get(week, 20)
        rows += [fact(100 * week + i, debut=f"{day}T12:00:00") for i in range(many)]
    built = build_made_up(tmp_path, rows)
    con = views(built)
    found = con.execute(
        "SELECT week, n FROM weeks WHERE status = 'missing' ORDER BY week"
    ).fetchall()
    # Ten per cent of a usual week of twenty is two: not more than that is silence.
    assert found == [(start + dt.timedelta(weeks=w), n) for w, n in ((10, 0), (20, 1), (30, 2))]
    assert con.execute("SELECT count(*) FROM weeks").fetchall() == [(52,)]
    strict = views(built, 0.01)
    assert strict.execute("SELECT count(*) FROM weeks WHERE status = 'missing'").fetchall() == [
        (1,)
    ]


def test_yearly_source_has_no_weeks(open_marseille: Built) -> None:
    con = views(open_marseille)
    assert con.execute("SELECT DISTINCT source FROM weeks").fetchall() == [("accidents",)]


@pytest.mark.parametrize(
    ("value", "grade"), [(1.0, "A"), (0.95, "A"), (0.949, "B"), (0.9, "B"), (0.7, "C"), (0.1, "D")]
)
def test_letter_of_a_share(value: float, grade: str) -> None:
    assert reliability.letter(value, [0.95, 0.9, 0.7], more_is_better=True) == grade


@pytest.mark.parametrize(
    ("value", "grade"), [(0, "A"), (2, "A"), (2.01, "B"), (7, "B"), (30, "C"), (31, "D")]
)
def test_letter_of_a_delay(value: float, grade: str) -> None:
    assert reliability.letter(value, [2, 7, 30], more_is_better=False) == grade


@pytest.mark.parametrize("name", ["denver", "open_marseille"])
def test_accounts_add_up_to_the_files(
    name: str, shared: Path, request: pytest.FixtureRequest
) -> None:
    built: Built = request.getfixturevalue(name)
    folder = shared / built.city.about.name.removesuffix("_ouvert")
    accounts = {row["source"]: row for row in reliability.accounts(built.city, built.out)}
    assert set(accounts) == set(built.city.about.sources)
    for source, delivery in built.city.about.sources.items():
        one = accounts[source]
        set_aside = sum(one["quarantined"].values())
        assert one["accepted"] + set_aside + one["duplicates"] == one["rows_in"]
        if not delivery.file.endswith("geojson"):
            assert one["rows_in"] == len(read_csv(folder / delivery.file)), source


def test_accounts_tell_duplicates_from_faults(tmp_path: Path) -> None:
    rows = [fact(1), fact(1), fact(1), fact(2, debut="hier"), fact(3, nombre="99"), fact(4)]
    built = build_made_up(tmp_path, rows)
    one = next(r for r in reliability.accounts(built.city, built.out) if r["source"] == "faits")
    assert one == {
        "source": "faits",
        "rows_in": 6,
        "accepted": 2,
        "quarantined": {"illisible:debut": 1, "hors_bornes:nombre": 1},
        "duplicates": 2,
    }


def grades_of(built: Built) -> dict[str, dict[str, Any]]:
    con = views(built)
    counted = reliability.accounts(built.city, built.out)
    return {row["source"]: row for row in reliability.grades(con, counted, *BOUNDS)}


def test_denvers_grade_is_measured_on_the_file(denver: Built, crime: list[dict[str, str]]) -> None:
    zone = ZoneInfo("America/Denver")

    def instant(text: str) -> dt.datetime:
        local = dt.datetime.strptime(text, AMERICAN).replace(tzinfo=zone, second=0)
        return local.astimezone(dt.UTC)

    delays = [
        (
            instant(row["REPORTED_DATE"])
            - instant(row["LAST_OCCURRENCE_DATE"] or row["FIRST_OCCURRENCE_DATE"])
        ).total_seconds()
        / 86400
        for row in crime
    ]
    one = grades_of(denver)["crime"]
    assert one["delay_days"] == pytest.approx(statistics.median(delays), abs=0.0011)
    located = sum(bool(row["GEO_LON"] and row["GEO_LAT"]) for row in crime) / len(crime)
    assert one["located"] == pytest.approx(located, abs=1e-6)
    assert one["valid"] == 1.0
    assert one["grade"] == "A"


def test_grade_is_the_worst_of_its_parts(tmp_path: Path) -> None:
    """Ten rows: one broken (90 % valid: C) and all of the others placed (A)."""
    rows = [fact(i) for i in range(9)] + [fact(9, debut="hier")]
    one = grades_of(build_made_up(tmp_path, rows))["faits"]
    assert (one["valid"], one["located"], one["delay_days"]) == (0.9, 1.0, None)
    assert one["grade"] == "C"
    assert "(C)" in one["reason"]
    assert "(A)" in one["reason"]


def test_places_unknown_bring_the_grade_down(tmp_path: Path) -> None:
    rows = [fact(i) for i in range(6)] + [fact(6 + i, lon="", lat="") for i in range(4)]
    one = grades_of(build_made_up(tmp_path, rows))["faits"]
    assert (one["located"], one["grade"]) == (0.6, "D")


def test_rows_outside_the_contracts_scope_are_no_fault(open_marseille: Built) -> None:
    """Samples of 2015 and 2020 are set aside by rule, not for being broken."""
    grades = grades_of(open_marseille)
    assert grades["accidents"]["valid"] == 1.0
    assert grades["accidents"]["located"] == pytest.approx(1935 / 2483, abs=1e-6)
    assert grades["accidents"]["grade"] == "C"
    facts = grades["faits_par_service"]
    assert facts["valid"] == pytest.approx(26784 / 26964, abs=1e-6)
    assert facts["located"] is None


def test_badge_is_the_worst_grade_of_the_sources_named(
    memory: duckdb.DuckDBPyConnection,
) -> None:
    memory.execute("CREATE TABLE grades AS SELECT * FROM (VALUES ('a', 'A'), ('b', 'C'), "
                   "('c', 'D')) t(source, grade)")  # fmt: skip
    assert reliability.badge(memory, ["a"]) == "fiabilité A"
    assert reliability.badge(memory, ["a", "b"]) == "fiabilité C"


def test_table_of_grades_keeps_every_number(denver: Built) -> None:
    con = views(denver)
    counted = reliability.accounts(denver.city, denver.out)
    found = reliability.grades(con, counted, *BOUNDS)
    table = {row["source"]: row for row in reliability.as_table(found, counted).to_pylist()}
    assert table["crime"]["rows_in"] == table["crime"]["accepted"] == 49_089
    assert table["crime"]["silent_weeks"] >= 10
    assert table["neighborhoods"]["located"] is None
    titles = {name: contract.title for name, contract in denver.city.contracts.items()}
    assert f"{table['crime']['silent_weeks']}\u00a0semaines muettes" in reliability.in_words(
        found, titles
    )


def test_one_silent_week_is_told_in_the_singular() -> None:
    row = {"source": "a", "grade": "A", "reason": "bien", "silent_weeks": 1}
    assert reliability.in_words([row], {"a": "A"}).endswith("1\u00a0semaine muette.")
