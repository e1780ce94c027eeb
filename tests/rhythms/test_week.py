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

from helpers.core.stage import params
from helpers.rhythms import across_weeks, figures, shared_out, words
from helpers.rhythms import week as rhythms_week
from helpers.rhythms.knobs import Knobs
from tests.fixtures.made_up import CITY, write_pack
from tests.fixtures.real import ROOT, read_csv
from tests.fixtures.tables import all_heard, silent, table_of_facts

WEEK = 168
KNOBS: Knobs = params.knobs("rhythms", ROOT)
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
    weights = rhythms_week.aoristic([5, 5, 166], [1, 2, 4], [1, 1, 2])
    expected = np.zeros(WEEK)
    expected[5], expected[6] = 1.5, 0.5
    expected[[166, 167, 0, 1]] = 0.5
    assert weights == pytest.approx(expected, abs=1e-9)


@given(INTERVALS)
def test_weights_are_the_exact_shares(intervals: list[tuple[int, int, int]]) -> None:
    weights = rhythms_week.aoristic(*split(intervals))
    assert weights == pytest.approx(np.array([float(w) for w in exact(intervals)]), abs=1e-8)
    assert weights.sum() == pytest.approx(sum(i[2] for i in intervals), abs=1e-6)


@given(INTERVALS, st.randoms(use_true_random=False))
def test_order_of_the_intervals_changes_no_bit(
    intervals: list[tuple[int, int, int]], order: object
) -> None:
    first = rhythms_week.aoristic(*split(intervals))
    order.shuffle(intervals)  # type: ignore[attr-defined]
    assert rhythms_week.aoristic(*split(intervals)).tobytes() == first.tobytes()


@given(st.integers(0, WEEK - 1), st.integers(1, 1000))
def test_interval_within_one_hour_weighs_one_there(hour: int, count: int) -> None:
    weights = rhythms_week.aoristic([hour], [1], [count])
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
    weights = rhythms_week.aoristic(*split(thefts))
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
    weights = rhythms_week.aoristic(starts.tolist(), lengths.tolist(), [1] * 60_000)
    found = weights / weights.sum()
    assert np.abs(found - truth).sum() / 2 < 0.03
    assert np.corrcoef(found, truth)[0, 1] > 0.985


# --- From the cube ---------------------------------------------------------------------------

MONDAY = dt.datetime(2024, 7, 1)


def no_silence(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE weeks (source VARCHAR, week DATE, status VARCHAR)")


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
    weights, known, left_out = rhythms_week.profile(
        memory, "bruit", MONDAY.date(), MONDAY.date() + dt.timedelta(8), 24
    )
    # Two facts of Sunday 23 h or Monday 0 h, three of Monday 0 h: the two were likely there too.
    expected = np.zeros(WEEK)
    expected[0] = 3 + 2
    expected[48:72] += 1
    expected[4 * 24 + 9] = 7
    assert weights == pytest.approx(expected, abs=0.01)
    assert weights.sum() == pytest.approx(3 + 2 + 24 + 7)
    assert known[4 * 24 + 9, 4 * 24 + 9] == pytest.approx(7, rel=0.01), "sûre : celle de Poisson"
    assert left_out == 5 + 100  # too long, and known by the day only
    only, _, _ = rhythms_week.profile(
        memory, "bruit", MONDAY.date(), MONDAY.date() + dt.timedelta(8), 24, ("carres", "B")
    )
    assert only.sum() == only[4 * 24 + 9] == 7


def test_facts_known_by_the_day_are_told_among_those_left_out(
    memory: duckdb.DuckDBPyConnection,
) -> None:
    """`left_out` promises them: « known by the day only »."""
    table_of_facts(memory, [{"hour": hour(1, 0), "time_precision": "day", "n": 9}])
    _, _, left_out = rhythms_week.profile(
        memory, "bruit", MONDAY.date(), MONDAY.date() + dt.timedelta(7), 24
    )
    assert left_out == 9


def test_shares_have_jeffreys_interval_of_another_library() -> None:
    rng = np.random.default_rng(9)
    weights = rng.poisson(4, WEEK).astype(float)
    share, low, high = rhythms_week.shares(weights, 0.95)
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
    found, share, low, high = rhythms_week.busiest(weights, np.diag(weights), 0.95, STEADY)
    assert low < share < high
    assert found == start
    assert share == pytest.approx(60 / (60 + WEEK - 6), abs=1e-6)


STEADY = np.zeros((53, WEEK))  # weeks that vary by nothing but chance


def test_hours_are_said_in_french() -> None:
    assert words.spoken_hour(4 * 24 + 22) == "vendredi 22 h"
    assert words.spoken_hour(0) == "lundi 0 h"
    assert words.spoken_hour(167) == "dimanche 23 h"


def test_thin_theme_abstains_and_the_other_answers(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    city = write_pack(tmp_path)
    when = dt.datetime(2024, 12, 27, 22)  # a Friday
    table_of_facts(
        memory,
        [{"hour": when, "n": 200}, {"hour": when, "theme": "depots", "category": "depot", "n": 3}],
    )
    no_silence(memory)
    table = rhythms_week.find(memory, city, KNOBS)
    rows = table.to_pylist()
    noisy = [row for row in rows if row["theme"] == "bruit"]
    assert [row["hour_of_week"] for row in noisy] == list(range(WEEK))
    assert noisy[4 * 24 + 22]["weight"] == 200
    thin = [row for row in rows if row["theme"] == "depots"]
    assert [(row["status"], row["hour_of_week"], row["share"]) for row in thin] == [
        ("abstained", None, None)
    ]
    assert thin[0]["reason"] == "too_few"
    told = words.weeks(table, city, 168)
    assert "**Dépôts** : abstention (moins de 168 faits dont l'heure est connue)." in told


def test_grid_has_each_hour_of_the_week_once_and_a_mean_of_one() -> None:
    weights = np.arange(WEEK, dtype=float)
    rows = figures.grid(weights)
    assert len({(row["jour"], row["heure"]) for row in rows}) == WEEK
    assert np.mean([row["indice"] for row in rows]) == pytest.approx(1, abs=1e-3)
    friday = next(row for row in rows if (row["jour"], row["heure"]) == ("ven.", 22))
    assert friday["faits"] == 4 * 24 + 22
    assert {row["indice"] for row in figures.grid(np.zeros(WEEK))} == {0.0}


# --- Hours as they were lived ----------------------------------------------------------------

SPRING, AUTUMN = dt.datetime(2024, 3, 31, 2), dt.datetime(2024, 10, 27, 2)  # Sundays
SUNDAY_2H = 6 * 24 + 2


def test_interval_over_a_change_of_clock_is_shared_by_the_hours_lived(
    memory: duckdb.DuckDBPyConnection,
) -> None:
    """From 1 h to 3 h: two hours lived in spring, four in autumn; within 2 h, weight 1 there."""
    before, after = dt.timedelta(hours=-1), dt.timedelta(hours=1)
    table_of_facts(
        memory,
        [
            {"hour": SPRING + before, "hour_end": SPRING + after, "n": 6},
            {"hour": AUTUMN + before, "hour_end": AUTUMN + after, "n": 4},
            {"hour": AUTUMN, "hour_end": AUTUMN, "n": 5},
        ],
    )
    span = (dt.date(2024, 1, 1), dt.date(2025, 1, 1))
    weights, _, _ = rhythms_week.profile(memory, "bruit", *span, 24, timezone="Europe/Paris")
    found = weights[[SUNDAY_2H - 1, SUNDAY_2H, SUNDAY_2H + 1]]
    assert found == pytest.approx([3 + 1, 0 + 2 + 5, 3 + 1], abs=1e-9)
    assert weights.sum() == pytest.approx(15, abs=1e-9)
    plain, _, _ = rhythms_week.profile(memory, "bruit", *span, 24)
    assert plain[SUNDAY_2H] == pytest.approx(15, rel=1e-3), "là où l'on sait qu'il y en eut"


def test_doubled_hour_has_no_more_facts_per_hour_lived(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Ten facts in each hour lived of eight weeks round the autumn's night: the rate is ten."""
    city = write_pack(tmp_path, CITY | {"period": {"start": "2024-01-01", "end": "2024-11-24"}})
    first = dt.datetime(2024, 9, 30)
    hours = [first + dt.timedelta(hours=i) for i in range(8 * WEEK)]
    table_of_facts(memory, [{"hour": h, "n": 20 if h == AUTUMN else 10} for h in hours])
    no_silence(memory)
    knobs = KNOBS.model_copy(update={"window_days": 56})
    rows = [r for r in rhythms_week.find(memory, city, knobs).to_pylist() if r["rate"]]
    assert {row["rate"] for row in rows} == {10.0}
    assert {row["lived_h"] for row in rows if row["hour_of_week"] == SUNDAY_2H} == {9}
    assert not any(row["thin"] for row in rows)


def test_hours_of_silent_weeks_were_not_lived_and_their_absence_is_no_zero(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    city = write_pack(tmp_path)
    hours = [dt.datetime(2024, 12, 9) + dt.timedelta(hours=i) for i in range(2 * WEEK)]
    table_of_facts(memory, [{"hour": h, "n": 3} for h in hours])
    no_silence(memory)
    memory.execute("INSERT INTO weeks VALUES ('faits', DATE '2024-12-02', 'missing')")
    memory.execute("INSERT INTO weeks VALUES ('faits', DATE '2024-12-23', 'missing')")
    span = (dt.date(2024, 12, 2), dt.date(2024, 12, 30))
    week = rhythms_week.week(memory, city, "bruit", span, KNOBS)
    assert set(week.rate) == {3.0}
    assert set(week.lived) == {2.0}
    all_heard(memory)
    silent(memory, "faits", ["A"], [dt.date(2024, 12, 2), dt.date(2024, 12, 23)])
    there = rhythms_week.week(memory, city, "bruit", span, KNOBS, ("carres", "A"))
    assert set(there.rate) == {3.0}, "tue là seulement"


def test_rates_of_clumped_counts_are_covered_as_said() -> None:
    """Gamma–Poisson weeks, variance 2.5 times the mean, 168 hours × 40 years of 52 weeks."""
    rng = np.random.default_rng(21)
    truth, inside, spreads = rng.uniform(0.3, 6, WEEK), [], []
    for _ in range(40):
        counts = rng.poisson(rng.gamma(truth / 1.5, 1.5, (52, WEEK)))
        total, squares = counts.sum(axis=0), (counts**2).sum(axis=0)
        spreads.append((squares * 52 / total - total).sum() / (WEEK * 51))
        _, low, high = rhythms_week.rates(total.astype(float), np.full(WEEK, 52.0), 2.5, 0.95)
        inside.append(((low <= truth) & (truth <= high)).mean())
    assert 0.93 <= np.mean(inside) <= 0.97
    assert np.mean(spreads) == pytest.approx(2.5, abs=0.1)


def test_spread_is_that_of_the_counts_week_by_week(memory: duckdb.DuckDBPyConnection) -> None:
    """Against Pearson's statistic of the whole table, cell by cell; 1 where there is no fact."""
    rng = np.random.default_rng(5)
    counts = rng.poisson(rng.gamma(2, 3, (8, WEEK)))
    rows = [
        {"hour": MONDAY + dt.timedelta(weeks=w, hours=h), "n": int(counts[w, h])}
        for w in range(8)
        for h in range(WEEK)
    ]
    table_of_facts(memory, rows)
    days = [MONDAY.date() + dt.timedelta(i) for i in range(56)]
    read = across_weeks.by_week(memory, "bruit", days, 24)
    assert read.tolist() == counts.tolist()
    means = counts.mean(axis=0)
    expected = ((counts - means) ** 2 / means).sum() / (WEEK * 7)
    found = across_weeks.spread(read)
    assert found.min() == pytest.approx(expected)
    busy = means > 1.5 * means.mean()
    assert found[busy].mean() > found[~busy].mean(), "what is busy varies more"
    assert (across_weeks.spread(across_weeks.by_week(memory, "depots", days, 24)) == 1).all()


@pytest.mark.parametrize(("facts", "shared"), [(20_000, 0.0), (50_000, 0.2), (50_000, 0.4)])
def test_busiest_hours_hold_the_truth_though_a_night_moves_all_its_hours(
    facts: int, shared: float
) -> None:
    """Weeks of Poisson hours, each day with an excess of its own, log-normal and of mean one."""
    hours = np.arange(WEEK)
    truth = np.exp(0.8 * np.cos(2 * np.pi * (hours % 24 - 20) / 24) + 0.2 * (hours > 120))
    truth /= truth.sum()
    rng = np.random.default_rng([facts, int(10 * shared)])
    years, inside = 150, 0
    for _ in range(years):
        excess = np.exp(rng.normal(-(shared**2) / 2, shared, (52, 7)))
        weeks = rng.poisson(facts / 52 * truth * np.repeat(excess, 24, axis=1)).astype(float)
        weights = weeks.sum(axis=0)
        top = rhythms_week.busiest(weights, np.diag(weights), 0.95, weeks)
        inside += top.low <= truth[(top.start + np.arange(6)) % WEEK].sum() <= top.high
    assert inside >= stats.binom.ppf(0.002, years, 0.95)


def test_thin_hours_are_those_that_may_be_high_or_low() -> None:
    """Mean 1: surely quiet, surely busy, well known and middling, and one that may be anything."""
    low = np.array([0.0, 1.1, 0.9, 0.4, np.nan])
    high = np.array([0.5, 6.0, 1.1, 2.5, np.nan])
    thin = rhythms_week.thin(np.where(np.isnan(low), np.nan, 1.0), low, high, 1.0, 2)
    assert thin.tolist() == [False, False, False, True, True]
    rows = figures.grid(np.ones(WEEK), None, np.arange(WEEK) == 5)
    assert [i for i, row in enumerate(rows) if row["sûr"] != "oui"] == [5]


@pytest.mark.parametrize(("count", "share"), [(168, 0.9), (168 * 400, 0.0)])
def test_few_facts_leave_nearly_all_hours_thin_and_many_leave_none(
    count: int, share: float
) -> None:
    rng = np.random.default_rng(count)
    weights, lived = rng.multinomial(count, [1 / WEEK] * WEEK).astype(float), np.full(WEEK, 52.0)
    found = rhythms_week.rates(weights, lived, 1.0, 0.95)
    thin = rhythms_week.thin(*found, count / lived.sum(), 2).mean()
    assert thin >= share if share else thin == 0


# --- Shared out as is likeliest -------------------------------------------------------------


def test_a_pair_of_hours_by_hand() -> None:
    """8 facts at hour 0, 2 at hour 1, 10 at one or the other: likeliest is 16 and 4.

    Of the twenty, the ten that tell nothing of which leave what ten tell: p = .8, variance of the
    difference 400 · .8 · .2 / 10 = 6.4 for each (and the total's, Poisson, beside it).
    """
    one = shared_out.Intervals(np.array([0, 1, 0]), np.array([1, 1, 2]), np.array([8.0, 2.0, 10.0]))
    equal = rhythms_week.aoristic([0, 1, 0], [1, 1, 2], [8, 2, 10])
    assert equal[:2].tolist() == [13, 7]
    weights = shared_out.likeliest(one, equal)
    assert weights[:2] == pytest.approx([16, 4], abs=0.01)
    found = shared_out.covariance(one, weights)
    assert found[:2, :2].sum() == pytest.approx(20, rel=0.01)
    assert found[0, 0] == pytest.approx(6.4 + 0.8**2 * 20, rel=0.01)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("facts", [10_000, 45_000])
def test_busy_and_quiet_hours_are_covered_as_said(facts: int, seed: int) -> None:
    """Sixty facts in a hundred known within up to twelve hours: the busiest and quietest tenths."""
    hours = np.arange(WEEK)
    truth = np.exp(0.9 * np.sin(2 * np.pi * (hours % 24 - 14) / 24) + 0.3 * (hours >= 120))
    truth[[100, 101, 124, 125]] *= 2
    truth /= truth.sum()
    rng = np.random.default_rng([seed, facts])
    busy, quiet = np.argsort(truth)[-17:], np.argsort(truth)[:17]
    inside, shares, peaks = [], [], []
    for _ in range(12):
        happened = rng.choice(WEEK, facts, p=truth)
        lengths = np.where(rng.random(facts) < 0.4, 1, rng.integers(2, 13, facts))
        starts = (happened - (rng.random(facts) * lengths).astype(int)) % WEEK
        groups, counts = np.unique(np.stack([starts, lengths]), axis=1, return_counts=True)
        one = shared_out.Intervals(groups[0], groups[1], counts.astype(float))
        equal = rhythms_week.aoristic(groups[0].tolist(), groups[1].tolist(), counts.tolist())
        weights = shared_out.likeliest(one, equal)
        known = shared_out.covariance(one, weights)
        spread = shared_out.loss(known, weights)
        _, low, high = rhythms_week.rates(weights, np.full(WEEK, 52.0), spread, 0.95)
        rate = truth * facts / 52
        inside.append(((low <= rate) & (rate <= high))[busy].mean())
        shares.append(weights[quiet].sum() / facts / truth[quiet].sum())
        top = rhythms_week.busiest(weights, known, 0.95, STEADY)
        run = truth[(top.start + np.arange(6)) % WEEK].sum()
        peaks.append(top.low <= run <= top.high)
    assert 0.90 <= np.mean(inside) <= 1
    assert 0.9 <= np.mean(shares) <= 1.1
    assert sum(peaks) >= 10
