"""The week's hours: against sums by hand, exact fractions, and a profile known beforehand."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers import rhythms, rhythms_year
from tests.conftest import read_csv, table_of_facts, write_pack

WEEK = 168
INTERVALS = st.lists(
    st.tuples(st.integers(0, WEEK - 1), st.integers(1, WEEK), st.integers(0, 50)), max_size=60
)


def exact(intervals: list[tuple[int, int, int]]) -> list[Fraction]:
    """Share intervals out in fractions, hour by hour."""
    weights: dict[int, Fraction] = defaultdict(Fraction)
    for start, length, count in intervals:
        for hour in range(start, start + length):
            weights[hour % WEEK] += Fraction(count, length)
    return [weights[hour] for hour in range(WEEK)]


def split(intervals: list[tuple[int, int, int]]) -> tuple[list[int], list[int], list[int]]:
    return ([i[0] for i in intervals], [i[1] for i in intervals], [i[2] for i in intervals])


def test_small_example_by_hand() -> None:
    """Four facts: one at hour 5, one over 5–6, one over 166–1 (round the week's end) twice."""
    weights = rhythms.aoristic([5, 5, 166], [1, 2, 4], [1, 1, 2])
    expected = np.zeros(WEEK)
    expected[5], expected[6] = 1.5, 0.5
    expected[[166, 167, 0, 1]] = 0.5
    assert weights == pytest.approx(expected, abs=1e-9)


@given(INTERVALS)
def test_weights_are_the_exact_shares(intervals: list[tuple[int, int, int]]) -> None:
    weights = rhythms.aoristic(*split(intervals))
    assert weights == pytest.approx(np.array([float(w) for w in exact(intervals)]), abs=1e-8)
    assert weights.sum() == pytest.approx(sum(i[2] for i in intervals), abs=1e-6)


@given(INTERVALS, st.randoms(use_true_random=False))
def test_order_of_the_intervals_changes_no_bit(
    intervals: list[tuple[int, int, int]], order: object
) -> None:
    first = rhythms.aoristic(*split(intervals))
    order.shuffle(intervals)  # type: ignore[attr-defined]
    assert rhythms.aoristic(*split(intervals)).tobytes() == first.tobytes()


@given(st.integers(0, WEEK - 1), st.integers(1, 1000))
def test_interval_within_one_hour_weighs_one_there(hour: int, count: int) -> None:
    weights = rhythms.aoristic([hour], [1], [count])
    assert weights[hour] == count
    assert weights.sum() == count


@pytest.fixture(scope="module")
def thefts(shared: Path) -> list[tuple[int, int, int]]:
    """Thefts of vehicles in New York with their start and end, in hours of the week."""
    found = []
    for row in read_csv(shared / "intervals/nyc_vehicle_thefts.csv.gz"):
        if not row["date_start"] or not row["date_end"]:
            continue
        start, end = (
            dt.datetime.fromisoformat(row[name]).replace(minute=0, second=0)
            for name in ("date_start", "date_end")
        )
        length = int((end - start).total_seconds()) // 3600 + 1
        if 1 <= length <= WEEK:
            found.append((start.weekday() * 24 + start.hour, length, 1))
    return found


def test_real_intervals_sum_to_their_number(thefts: list[tuple[int, int, int]]) -> None:
    """Acceptance: weights sum to N within 1e-9."""
    assert len(thefts) > 20_000
    weights = rhythms.aoristic(*split(thefts))
    assert abs(weights.sum() - len(thefts)) <= 1e-9
    assert weights == pytest.approx(np.array([float(w) for w in exact(thefts)]), abs=1e-6)


def test_known_profile_is_found_again() -> None:
    """Facts at known hours, told as intervals of one to four hours around them."""
    rng = np.random.default_rng(2000)
    hours = np.arange(WEEK)
    truth = 1 + 0.9 * np.sin(2 * np.pi * (hours % 24 - 10) / 24) + 0.5 * (hours >= 120)
    truth /= truth.sum()
    happened = rng.choice(WEEK, size=60_000, p=truth)
    lengths = rng.integers(1, 5, size=60_000)
    starts = (happened - (rng.random(60_000) * lengths).astype(int)) % WEEK
    weights = rhythms.aoristic(starts.tolist(), lengths.tolist(), [1] * 60_000)
    found = weights / weights.sum()
    assert np.abs(found - truth).sum() / 2 < 0.03
    assert np.corrcoef(found, truth)[0, 1] > 0.985


# --- From the cube ---------------------------------------------------------------------------

MONDAY = dt.datetime(2024, 7, 1)


def hour(day: int, at: int) -> dt.datetime:
    return MONDAY + dt.timedelta(days=day, hours=at)


def test_profile_reads_the_cube_and_leaves_out_what_is_too_vague(
    memory: duckdb.DuckDBPyConnection,
) -> None:
    table_of_facts(
        memory,
        [
            {"hour": hour(0, 0), "n": 3},
            {"hour": hour(6, 23), "hour_end": hour(7, 0), "n": 2},  # Sunday 23 h to Monday 0 h
            {"hour": hour(2, 0), "hour_end": hour(2, 23), "n": 24},  # 24 hours: kept
            {"hour": hour(2, 0), "hour_end": hour(3, 0), "n": 5},  # 25 hours: left out
            {"hour": hour(1, 12), "time_precision": "day", "n": 100},
            {"hour": hour(1, 12), "time_precision": "year", "n": 100},
            {"hour": hour(1, 12), "theme": "depots", "n": 100},
            {"hour": hour(-1, 12), "n": 100},  # the day before the window
            {"hour": hour(8, 0), "n": 100},  # the day after
            {"hour": hour(4, 9), "n": 7, "time_precision": "hour", "zone_carres": "B"},
        ],
    )
    weights, left_out = rhythms.profile(
        memory, "bruit", MONDAY.date(), MONDAY.date() + dt.timedelta(8), 24
    )
    expected = np.zeros(WEEK)
    expected[0] = 3 + 1
    expected[167] = 1
    expected[48:72] += 1
    expected[4 * 24 + 9] = 7
    assert weights == pytest.approx(expected)
    assert left_out == 5 + 100  # too long, and known by the day only
    only, _ = rhythms.profile(
        memory, "bruit", MONDAY.date(), MONDAY.date() + dt.timedelta(8), 24, ("carres", "B")
    )
    assert only.sum() == only[4 * 24 + 9] == 7


def test_facts_known_by_the_day_are_told_among_those_left_out(
    memory: duckdb.DuckDBPyConnection,
) -> None:
    """`left_out` promises them: « known by the day only »."""
    table_of_facts(memory, [{"hour": hour(1, 0), "time_precision": "day", "n": 9}])
    _, left_out = rhythms.profile(
        memory, "bruit", MONDAY.date(), MONDAY.date() + dt.timedelta(7), 24
    )
    assert left_out == 9


def test_shares_have_jeffreys_interval_of_another_library() -> None:
    rng = np.random.default_rng(9)
    weights = rng.poisson(4, WEEK).astype(float)
    share, low, high = rhythms.shares(weights, 0.95)
    total = weights.sum()
    law = stats.beta(weights + 0.5, total - weights + 0.5)
    assert share.sum() == pytest.approx(1, abs=1e-4)
    assert high == pytest.approx(law.ppf(0.975), abs=2e-6)
    assert low == pytest.approx(np.where(weights > 0, law.ppf(0.025), 0), abs=2e-6)
    assert ((low <= share) & (share <= high)).all()


@settings(max_examples=20)
@given(st.integers(0, WEEK - 1))
def test_peak_is_found_round_the_end_of_the_week(start: int) -> None:
    weights = np.ones(WEEK)
    weights[(start + np.arange(6)) % WEEK] = 10
    found, share = rhythms.peak(weights)
    assert found == start
    assert share == pytest.approx(60 / (60 + WEEK - 6))


def test_hours_are_said_in_french() -> None:
    assert rhythms.spoken_hour(4 * 24 + 22) == "vendredi 22 h"
    assert rhythms.spoken_hour(0) == "lundi 0 h"
    assert rhythms.spoken_hour(167) == "dimanche 23 h"


def test_thin_theme_abstains_and_the_other_answers(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    city = write_pack(tmp_path)
    when = dt.datetime(2024, 12, 27, 22)  # a Friday
    table_of_facts(
        memory,
        [{"hour": when, "n": 200}, {"hour": when, "theme": "depots", "category": "depot", "n": 3}],
    )
    table = rhythms.find(memory, city, 365, 24, 0.95, 168)
    rows = table.to_pylist()
    noisy = [row for row in rows if row["theme"] == "bruit"]
    assert [row["hour_of_week"] for row in noisy] == list(range(WEEK))
    assert noisy[4 * 24 + 22]["weight"] == 200
    thin = [row for row in rows if row["theme"] == "depots"]
    assert [(row["status"], row["hour_of_week"], row["share"]) for row in thin] == [
        ("abstained", None, None)
    ]
    told = rhythms.in_words(table, city)
    assert "**Dépôts** : abstention (moins de 168" in told


def test_grid_has_each_hour_of_the_week_once_and_a_mean_of_one() -> None:
    weights = np.arange(WEEK, dtype=float)
    rows = rhythms.grid(weights)
    assert len({(row["jour"], row["heure"]) for row in rows}) == WEEK
    assert np.mean([row["indice"] for row in rows]) == pytest.approx(1, abs=1e-3)
    friday = next(row for row in rows if (row["jour"], row["heure"]) == ("ven.", 22))
    assert friday["faits"] == 4 * 24 + 22
    assert {row["indice"] for row in rhythms.grid(np.zeros(WEEK))} == {0.0}


def test_kinds_of_days_are_compared_and_silent_weeks_are_left_out(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Twice as many facts on holidays, in truth; in the silent week, days of zero do not count."""
    city = write_pack(tmp_path)
    rng = np.random.default_rng(12)
    first = dt.date(2024, 1, 1)
    kinds = {
        first + dt.timedelta(i): "jour férié" if i % 4 == 0 else "jour ouvré" for i in range(280)
    }
    silent = first + dt.timedelta(weeks=10)
    table_of_facts(
        memory,
        [
            {
                "hour": dt.datetime.combine(day, dt.time(12)),
                "n": int(rng.poisson(40 if kind == "jour férié" else 20)),
            }
            for day, kind in kinds.items()
            if not silent <= day < silent + dt.timedelta(7)
        ],
    )
    memory.execute("CREATE TABLE weeks (source VARCHAR, week DATE, status VARCHAR)")
    memory.execute("INSERT INTO weeks VALUES ('faits', ?, 'missing')", [silent])
    table = rhythms_year.by_kind(memory, city, kinds, 0.95, 30)
    (row,) = [r for r in table.to_pylist() if r["theme"] == "bruit"]
    assert (row["kind"], row["status"], row["days"]) == ("jour férié", "ok", 70 - 2)
    assert row["low"] <= 2 <= row["high"]
    assert row["high"] - row["low"] < 0.4
    assert "Jour férié** : " in rhythms_year.kinds_in_words(table, city)
    few = dict(list(kinds.items())[:12])
    thin = rhythms_year.by_kind(memory, city, few, 0.95, 30).to_pylist()
    assert {r["status"] for r in thin if r["theme"] == "bruit"} == {"abstained"}
