"""What is usual: the same days of the week, the same season, periods that were heard."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.core.city.names import WHOLE
from helpers.core.stage import params
from helpers.situation import levels as situation_levels
from helpers.situation.knobs import Knobs
from tests.fixtures.made_up import write_pack
from tests.fixtures.real import ROOT
from tests.fixtures.tables import table_of_facts

END = dt.date(2024, 12, 31)
KNOBS: Knobs = params.knobs("situation", ROOT).model_copy(
    update={"reference_periods": 8, "minimum_references": 2, "confidence": 0.95}
)
PERIODS = st.sampled_from([1, 2, 7, 10, 28, 30, 90, 200, 365])
Window = tuple[dt.date, dt.date]


@given(PERIODS, st.integers(1, 12), st.integers(0, 5000), st.dates(dt.date(2020, 1, 1), END))
@example(365, 8, 5000, END)
@example(28, 8, 1095, END)
@example(200, 8, 5000, END)
def test_reference_windows_are_comparable_and_do_not_overlap(
    days: int, count: int, past: int, end: dt.date
) -> None:
    """Whole weeks away, as long as the period, before it, in the data, and each day once."""
    earliest = end - dt.timedelta(past)
    first = end - dt.timedelta(days - 1)
    found = situation_levels.reference_windows(end, days, count, earliest)
    assert len(found) <= count
    seen: set[dt.date] = set()
    for start, after in found:
        assert (after - start).days == days
        assert (first - start).days % 7 == 0
        assert earliest <= start
        assert after <= first
        held = {start + dt.timedelta(i) for i in range(days)}
        assert not held & seen, "des références qui se chevauchent comptent deux fois"
        seen |= held


def test_with_enough_past_the_season_is_that_of_past_years() -> None:
    found = situation_levels.reference_windows(END, 7, 6, dt.date(2021, 1, 1))
    for start, _ in found:
        day_of_year = (start.replace(year=2024) - dt.date(2024, 12, 25)).days
        assert min(abs(day_of_year), 366 - abs(day_of_year)) <= 14
    assert len({start.year for start, _ in found}) >= 2


def test_a_year_is_compared_with_every_past_year_by_hand() -> None:
    """365 days hold 52 weeks and a day: the nearest Tuesday that overlaps nothing is 53 weeks away.

    2024 is compared with 2023-12-27 back, and so on: the days between two windows are six.
    """
    day = dt.date
    found = situation_levels.reference_windows(END, 365, 8, day(2018, 1, 1))
    assert found == [
        (day(2022, 12, 27), day(2023, 12, 27)),
        (day(2021, 12, 21), day(2022, 12, 21)),
        (day(2020, 12, 15), day(2021, 12, 15)),
        (day(2019, 12, 10), day(2020, 12, 9)),
        (day(2018, 12, 4), day(2019, 12, 4)),
    ]
    assert {start.weekday() for start, _ in found} == {day(2024, 1, 2).weekday()}
    assert situation_levels.reference_windows(END, 365, 2, day(2018, 1, 1)) == found[:2]


@pytest.mark.parametrize(
    ("days", "starts"),
    [
        (1, ["2024-01-09", "2024-01-02", "2023-12-26", "2023-01-03"]),
        (7, ["2023-12-27", "2024-01-03", "2023-12-20", "2022-12-28"]),
        (28, ["2023-12-06", "2024-01-03", "2023-11-08", "2022-12-07"]),
    ],
)
def test_shorter_periods_keep_their_season_by_hand(days: int, starts: list[str]) -> None:
    found = situation_levels.reference_windows(END, days, 4, dt.date(2020, 1, 1))
    assert [start.isoformat() for start, _ in found] == sorted(starts, reverse=True)


def test_with_a_short_past_the_windows_just_before_serve() -> None:
    found = situation_levels.reference_windows(END, 7, 8, END - dt.timedelta(70))
    starts = [start for start, _ in found]
    assert starts == [END - dt.timedelta(6 + 7 * i) for i in range(1, 9)]


def test_without_past_there_is_nothing_to_compare_with() -> None:
    assert situation_levels.reference_windows(END, 28, 8, END - dt.timedelta(20)) == []


@pytest.mark.parametrize(("n", "level"), [(10, "usual"), (8, "usual"), (60, "above"), (0, "below")])
def test_count_is_judged_against_its_references(n: int, level: str) -> None:
    found = situation_levels.judge(n, [10, 12, 9, 11, 10, 8], KNOBS)
    assert found["level"] == level
    assert found["status"] == "ok"
    assert found["expected"] == 10
    assert 1 <= found["low"] <= 6
    assert 15 <= found["high"] <= 21


def test_bounds_themselves_are_usual() -> None:
    found = situation_levels.judge(10, [10] * 6, KNOBS)
    low, high = int(found["low"]), int(found["high"])
    levels = {n: situation_levels.judge(n, [10] * 6, KNOBS)["level"] for n in range(high + 2)}
    assert levels[low] == levels[high] == "usual"
    assert (levels[low - 1], levels[high + 1]) == ("below", "above")


@pytest.mark.parametrize("references", [[], [12]])
def test_too_few_references_abstain(references: list[int]) -> None:
    found = situation_levels.judge(50, references, KNOBS)
    assert (found["level"], found["status"]) == ("abstained", "abstained")
    assert (found["expected"], found["low"], found["high"]) == (None, None, None)
    assert found["reason"] == "too_few_references"


@pytest.mark.parametrize("mean", [0.3, 2, 20, 200])
@pytest.mark.parametrize("references", [3, 8])
def test_false_alerts_are_no_more_frequent_than_said(mean: float, references: int) -> None:
    """Nothing changes: « above » at most in the upper 2.5 %, and the same below."""
    rng = np.random.default_rng(int(10 * mean) + references)
    runs = 1500
    levels = [
        situation_levels.judge(int(row[0]), [int(n) for n in row[1:]], KNOBS)["level"]
        for row in rng.poisson(mean, (runs, references + 1))
    ]
    slack = 3 * np.sqrt(0.025 * 0.975 / runs)
    for level in ("above", "below"):
        assert levels.count(level) / runs <= 0.025 + slack


def test_false_alerts_of_clumped_counts_stay_near_what_is_said() -> None:
    """Real counts vary more than chance: variance three times the mean, eight references."""
    rng = np.random.default_rng(8)
    runs = 1500
    levels = [
        situation_levels.judge(int(row[0]), [int(n) for n in row[1:]], KNOBS)["level"]
        for row in rng.negative_binomial(15, 1 / 3, (runs, 9))
    ]
    assert (levels.count("above") + levels.count("below")) / runs <= 0.1


def test_a_real_rise_is_told() -> None:
    rng = np.random.default_rng(9)
    levels = [
        situation_levels.judge(int(rng.poisson(60)), rng.poisson(30, 8).tolist(), KNOBS)["level"]
        for _ in range(300)
    ]
    assert levels.count("above") > 290


# --- From the cube ---------------------------------------------------------------------------


def days_table(con: duckdb.DuckDBPyConnection, *weeks: dt.date, day: dt.date | None = None) -> None:
    """Make table `days`: the source is mute for these weeks (Mondays), or on one day."""
    con.execute(
        "CREATE OR REPLACE TABLE days (source VARCHAR, division VARCHAR, zone VARCHAR, day DATE, "
        "status VARCHAR)"
    )
    silent = [monday + dt.timedelta(i) for monday in weeks for i in range(7)]
    rows = [("autre", WHOLE, "ville", dt.date(2024, 12, 23), "missing"),
            ("faits", "carres", "A", dt.date(2024, 12, 24), "missing"),
            ("faits", WHOLE, "ville", dt.date(2024, 12, 16), "ok")]  # fmt: skip
    rows += [
        ("faits", WHOLE, "ville", one, "missing") for one in [*silent, *([day] if day else [])]
    ]
    con.executemany("INSERT INTO days VALUES (?, ?, ?, ?, ?)", rows)


def zones_table(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE OR REPLACE TABLE zones (division VARCHAR, code VARCHAR, name VARCHAR)")
    for code in "ABCD":
        con.execute("INSERT INTO zones VALUES ('carres', ?, ?)", [code, f"Carré {code}"])


def daily(zone: str, n: int, first: dt.date, days: int) -> list[dict[str, Any]]:
    noon = dt.time(12)
    return [
        {
            "hour": dt.datetime.combine(first + dt.timedelta(i), noon),
            "zone_carres": zone,
            "n": n,
        }
        for i in range(days)
    ]


def test_heard_windows_are_those_without_a_silent_week(memory: duckdb.DuckDBPyConnection) -> None:
    silent = dt.date(2024, 12, 2)  # Monday 2 to Sunday 8
    days_table(memory, silent)
    touching: list[Window] = [
        (dt.date(2024, 12, 8), dt.date(2024, 12, 15)),
        (dt.date(2024, 11, 25), dt.date(2024, 12, 3)),
        (dt.date(2024, 12, 4), dt.date(2024, 12, 5)),
        (dt.date(2024, 11, 1), dt.date(2024, 12, 31)),
    ]
    clear: list[Window] = [
        (dt.date(2024, 12, 9), dt.date(2024, 12, 16)),
        (dt.date(2024, 11, 25), dt.date(2024, 12, 2)),
    ]
    year: Window = (dt.date(2024, 1, 1), dt.date(2025, 1, 1))  # mute for 2 % of its days
    assert situation_levels.heard(memory, "faits", [*touching, *clear, year]) == [*clear, year]
    assert situation_levels.heard(memory, "muet", touching + clear) == touching + clear


@pytest.fixture
def quiet_city(memory: duckdb.DuckDBPyConnection, tmp_path: Path) -> Any:
    """Two facts a day in A, ten in B; B doubles in the last week; one a day without place."""
    start = dt.date(2024, 10, 1)
    rows = daily("A", 2, start, 92) + daily("B", 10, start, 92)
    rows += daily("B", 10, dt.date(2024, 12, 25), 7) + daily("no_place", 1, start, 92)
    table_of_facts(memory, rows)
    zones_table(memory)
    pack = tmp_path / "ville"
    city = write_pack(pack)
    city.about = city.about.model_copy(
        update={"period": city.about.period.model_copy(update={"start": start, "end": END})}
    )
    return city


def by_zone(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["zone"]: row for row in rows}


def test_zone_that_doubled_is_told_and_the_others_are_usual(
    memory: duckdb.DuckDBPyConnection, quiet_city: Any
) -> None:
    days_table(memory)
    rows = by_zone(situation_levels.assess(memory, quiet_city, "bruit", "carres", 7, KNOBS))
    assert set(rows) == {"ville", "A", "B", "C", "D"}
    assert (rows["A"]["n"], rows["A"]["level"], rows["A"]["expected"]) == (14, "usual", 14)
    assert (rows["B"]["n"], rows["B"]["level"], rows["B"]["expected"]) == (140, "above", 70)
    assert (rows["C"]["n"], rows["C"]["level"]) == (0, "usual")
    # The city counts what has no place too.
    assert (rows["ville"]["n"], rows["ville"]["expected"]) == (161, 91)
    assert {row["references"] for row in rows.values()} == {8}


def test_silent_weeks_are_no_reference(memory: duckdb.DuckDBPyConnection, quiet_city: Any) -> None:
    memory.execute("DELETE FROM cube WHERE hour >= '2024-11-25' AND hour < '2024-12-09'")
    days_table(memory, dt.date(2024, 11, 25), dt.date(2024, 12, 2))
    rows = by_zone(situation_levels.assess(memory, quiet_city, "bruit", "carres", 7, KNOBS))
    assert rows["A"]["expected"] == 14
    assert rows["A"]["references"] == 5  # the silent fortnight touches three windows


def test_silence_now_is_missing_and_never_zero(
    memory: duckdb.DuckDBPyConnection, quiet_city: Any
) -> None:
    memory.execute("DELETE FROM cube WHERE hour >= '2024-12-23'")
    days_table(memory, dt.date(2024, 12, 23))
    for days in (7, 28):
        for row in situation_levels.assess(memory, quiet_city, "bruit", "carres", days, KNOBS):
            assert (row["n"], row["status"], row["level"]) == (None, "missing", "abstained")
            assert row["reason"] == "silent"
    days_table(memory)
    rows = by_zone(situation_levels.assess(memory, quiet_city, "bruit", "carres", 7, KNOBS))
    assert rows["B"]["level"] == "below", "entendue mais vide : un vrai zéro"


def test_feed_that_died_yesterday_is_missing_at_once(
    memory: duckdb.DuckDBPyConnection, quiet_city: Any
) -> None:
    days_table(memory, day=END)
    for days in (1, 7):
        rows = situation_levels.assess(memory, quiet_city, "bruit", "carres", days, KNOBS)
        assert {(row["n"], row["status"]) for row in rows} == {(None, "missing")}


def test_a_theme_without_a_dated_fact_is_not_offered(
    memory: duckdb.DuckDBPyConnection, quiet_city: Any
) -> None:
    """Known by the year only, or never delivered: a count of the week would be a false zero."""
    days_table(memory)
    assert situation_levels.dated_themes(memory, quiet_city) == ["bruit"]
    memory.execute("UPDATE cube SET time_precision = 'year'")
    assert situation_levels.dated_themes(memory, quiet_city) == []
