"""Alerts: no more false ones than said when nothing changes, and real rises are told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.core.stage import params
from helpers.situation import alerts, words
from helpers.situation.knobs import Knobs
from tests.fixtures.made_up import build_made_up, fact
from tests.fixtures.real import ROOT, Built

KNOBS: Knobs = params.knobs("situation", ROOT).model_copy(
    update={"alert_periods_days": (1, 7), "alert_reference_weeks": 12, "alert_memory_weeks": 52,
            "false_alert_rate": 0.05}
)  # fmt: skip
SHORT = KNOBS.model_copy(update={"alert_memory_weeks": 30})
DAYS = (52 + 12) * 7 + 7
RUNS = 500


EVEN = np.ones(65)


def judged(daily: list[np.ndarray]) -> list[dict[str, Any]]:
    """Judge several themes together, each of counts (zones, days), as `find` does."""
    rows = []
    for counts in daily:
        whole = counts.sum(axis=0, keepdims=True)
        for days in KNOBS.alert_periods_days:
            for part in (whole, counts):
                sums = alerts.windows(part, days, 64)
                rows += alerts.test(sums, EVEN, KNOBS.alert_reference_weeks)
    return alerts.judge(rows, KNOBS.false_alert_rate, KNOBS.watch_false_a_day)


def nothing_happens(rng: np.random.Generator, law: str) -> np.ndarray:
    """Return counts (zones, days) of a year in which nothing but chance is at work."""
    means = np.exp(rng.normal(-1, 1.5, (12, 1)))
    week = np.array([0.9, 0.9, 1, 1, 1.2, 1.3, 0.7])[np.arange(DAYS) % 7]
    season = 1 + 0.2 * np.sin(2 * np.pi * (np.arange(DAYS) + rng.integers(365)) / 365)
    mean = means * week
    if law == "saison":
        mean = mean * season
    if law == "regroupé":
        return rng.poisson(mean * rng.gamma(4, 1 / 4, mean.shape)).astype(float)
    return rng.poisson(mean).astype(float)


@pytest.mark.parametrize("law", ["hasard", "regroupé", "saison"])
def test_false_alerts_are_no_more_frequent_than_said(law: str) -> None:
    """A day on which nothing has changed shows an alert at most as often as the rate says."""
    rng = np.random.default_rng([7, len(law)])
    days = [judged([nothing_happens(rng, law) for _ in range(2)]) for _ in range(RUNS)]
    slack = 2.6 * np.sqrt(0.05 * 0.95 / RUNS)
    assert np.mean([any(row["alert"] for row in day) for day in days]) <= 0.05 + slack
    watched = [sum(row["alert"] or row["watch"] for row in day) for day in days]
    assert np.mean(watched) <= 1 + 3 * np.std(watched) / np.sqrt(RUNS)
    if law == "hasard":
        assert np.mean(watched) > 0.4, "un budget qui ne sert pas n'est pas une liste"


def test_a_real_rise_is_told_and_only_there() -> None:
    rng = np.random.default_rng(11)
    found, elsewhere = 0, 0
    for _ in range(60):
        counts = rng.poisson(2.0, (12, DAYS)).astype(float)
        counts[4, -7:] = rng.poisson(6.0, 7)
        rows = alerts.judge(alerts.test(alerts.windows(counts, 7, 64), EVEN, 12), 0.05, 1)
        found += rows[4]["alert"]
        elsewhere += sum(row["alert"] for i, row in enumerate(rows) if i != 4)
    assert found >= 57
    assert elsewhere <= 0.1 * 60


@given(st.integers(1, 60), st.integers(0, 400), st.integers(8, 20))
def test_the_tail_is_that_of_the_binomial_where_counts_are_poisson(
    n: int, past: int, references: int
) -> None:
    expected = stats.binom.sf(n - 1, n + past, 1 / (references + 1))
    assert alerts.tails(n + past, 1 / (references + 1), references, 0.0)[n] == pytest.approx(
        expected, rel=1e-9
    )


@settings(max_examples=50)
@given(st.integers(1, 60), st.integers(0, 200), st.integers(8, 20), st.floats(0.01, 2))
def test_the_tail_is_that_of_the_beta_binomial_where_they_vary_more(
    n: int, past: int, references: int, alpha: float
) -> None:
    law = stats.betabinom(n + past, 1 / alpha, references / alpha)
    expected = law.pmf(np.arange(n, n + past + 1)).sum()
    found = alerts.tails(n + past, 1 / (references + 1), references, alpha)
    assert found[n] == pytest.approx(expected, rel=1e-6)


@settings(max_examples=50)
@given(st.integers(0, 120), st.integers(8, 20), st.sampled_from([0.0, 0.01, 0.3, 2.0]))
def test_a_count_lies_outside_its_interval_just_where_the_test_finds_it_rare(
    past: int, references: int, alpha: float
) -> None:
    share = 1 / (references + 1)
    low, high = alerts.left_alone(past, share, references, alpha)
    for n in {0, int(low) - 1, int(low), int(high), int(high) + 1, 3 * int(high)} - {-1}:
        law = stats.binom(n + past, share)
        if alpha:
            law = stats.betabinom(n + past, 1 / alpha, references / alpha)
        assert (n > high) == (law.sf(n - 1) <= alerts.CHANCE)
        assert (n < low) == (law.cdf(n) <= alerts.CHANCE)


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_nine_counts_in_ten_lie_within_their_interval_when_nothing_changes(alpha: float) -> None:
    rng = np.random.default_rng(8)
    gamma = rng.gamma(1 / alpha, alpha, (2000, 13)) if alpha else 1.0
    counts = rng.poisson(20 * gamma * np.ones((2000, 13)))
    inside = [
        low <= n <= high
        for n, past in zip(counts[:, 0], counts[:, 1:].sum(axis=1), strict=True)
        for low, high in [alerts.left_alone(int(past), 1 / 13, 12, alpha)]
    ]
    assert 0.89 <= np.mean(inside) <= 0.95  # counts are whole: a little more than nine in ten


def test_no_alert_lies_within_its_own_interval() -> None:
    """Two odd weeks among the twelve before: Student's interval of them would hold any rise."""
    rng = np.random.default_rng(9)
    sums = rng.poisson(20, (12, 65)).astype(float)
    sums[0, [0, 4, 9]] = 75, 70, 75
    rows = alerts.judge(alerts.test(sums, EVEN, 12), 0.05, 1.0)
    assert [i for i, row in enumerate(rows) if row["alert"]] == [0]
    assert rows[0]["n"] > rows[0]["high"]


def test_negative_binomial_counts_given_their_sum_have_that_tail() -> None:
    """A simulation that knows nothing of the formula: p-values of null counts are not too small."""
    rng = np.random.default_rng(5)
    alpha, k = 0.3, 10
    counts = rng.negative_binomial(1 / alpha, 1 / (1 + alpha * 8), (4000, k + 1))
    p = np.array([alerts.tails(int(r.sum()), 1 / (k + 1), k, alpha)[int(r[0])] for r in counts])
    for level in (0.5, 0.1, 0.01):
        assert (p <= level).mean() <= level + 3 * np.sqrt(level * (1 - level) / len(p))
    assert (p <= 0.1).mean() > 0.05


@pytest.mark.parametrize("alpha", [0.0, 0.05, 0.5])
def test_dispersion_is_found_again(alpha: float) -> None:
    rng = np.random.default_rng(int(100 * alpha) + 1)
    means = np.exp(rng.normal(1.5, 0.8, (60, 1)))
    gamma = rng.gamma(1 / alpha, alpha, (60, 65)) if alpha else 1.0
    found = alerts.dispersion(rng.poisson(means * gamma).astype(float), EVEN, 12)
    assert alpha * 0.8 <= np.median(found) <= alpha * 1.5 + 0.02


def in_bursts(rng: np.random.Generator, series: int, weeks: int) -> Any:
    """Return counts of events that bring one record and, on average, another; small zones first."""
    events = rng.poisson(np.sort(rng.gamma(0.6, 1.5, (series, 1)), axis=0) + 0.02, (series, weeks))
    return (events + rng.poisson(events)).astype(float)


def agitated(rng: np.random.Generator, series: int, weeks: int) -> Any:
    """Return counts of zones of which one in ten varies far more than the others."""
    spread = np.where(np.arange(series) % 10 == 0, 0.8, 0.05)[:, None]
    means = rng.gamma(0.6, 3.0, (series, 1)) + 0.02
    return rng.poisson(means * np.exp(rng.normal(0, 1, (series, weeks)) * spread)).astype(float)


@pytest.mark.parametrize("world", [in_bursts, agitated])
def test_no_alert_where_nothing_changes_though_records_come_in_bursts(world: Any) -> None:
    """One event, several records, or zones unlike: a day in twenty at most shows an alert."""
    rng = np.random.default_rng(31)
    days = 60
    false = sum(
        any(
            row["alert"]
            for row in alerts.judge(alerts.test(world(rng, 300, 65), EVEN, 12), 0.05, 1)
        )
        for _ in range(days)
    )
    assert false <= stats.binom.ppf(0.999, days, 0.05)


def test_windows_are_the_same_days_of_the_week_and_missing_days_make_them_missing() -> None:
    daily = np.arange(1.0, 71.0)[None, :]
    sums = alerts.windows(daily, 2, 3)
    assert sums.tolist() == [[69 + 70, 62 + 63, 55 + 56, 48 + 49]]
    daily[0, 61] = np.nan
    assert np.isnan(alerts.windows(daily, 2, 3)[0, 1])
    assert np.isnan(alerts.windows(daily, 7, 12)[0, -1]), "avant le premier jour, on ne sait pas"


def city_of(folder: Path, silent: dt.date | None = None) -> tuple[Built, Any]:
    """A made-up city of a steady fact a day in each square, twelve of them on the last one."""
    start = dt.date(2024, 1, 1)
    places = ((5.365, 43.294), (5.3775, 43.294))
    rows = []
    for day in range(366):
        date = start + dt.timedelta(day)
        for i, (lon, lat) in enumerate(places):
            for k in range(12 if (day, i) == (365, 1) else 1):
                # No two at one point: that would be a default point, no place.
                east, north = lon + len(rows) * 5e-6, lat + day * 5e-6
                rows.append(fact(len(rows), debut=f"{date}T10:{k:02d}:00", fin="",
                                 lon=f"{east:.6f}", lat=f"{north:.6f}", nombre="1"))  # fmt: skip
    built = build_made_up(folder, rows)
    con = built.connect()
    missing = [("faits", "ville", silent)] if silent else []
    con.execute(
        "CREATE TABLE days (source VARCHAR, division VARCHAR, day DATE, status VARCHAR, "
        "reason VARCHAR)"
    )
    con.execute("CREATE TABLE delays (source VARCHAR, days BIGINT, in_hand DOUBLE)")
    con.execute("CREATE TABLE extraordinary (day DATE, theme VARCHAR, zone VARCHAR)")
    con.execute(
        "CREATE TABLE recorded (source VARCHAR, milestone VARCHAR, start DATE, ratio DOUBLE, "
        "low DOUBLE, high DOUBLE, status VARCHAR)"
    )
    for source, division, day in missing:
        con.execute("INSERT INTO days VALUES (?, ?, ?, 'missing', '')", [source, division, day])
    return built, con


def test_a_rise_lights_the_alert_of_its_zone_and_says_so(tmp_path: Path) -> None:
    built, con = city_of(tmp_path)
    table = alerts.find(con, built.city, SHORT)
    lit = {(row["zone"], row["period_days"]) for row in alerts.lit(table)}
    assert ("B", 1) in lit
    assert not any(zone == "A" for zone, _ in lit)
    on = [{"zone": "B", "kind": "Fête du quartier"}, {"zone": "A", "kind": "Marché"}]
    said = words.alerts(table, built.city, {"B": "Carré B"}, on, SHORT)
    assert "**Bruit, Carré B** (dernier jour) : 12\u00a0faits, 1\u00a0attendu (de 0 à 3)." in said
    assert "À savoir : Fête du quartier." in said
    assert "Marché" not in said


def test_a_silent_source_is_missing_and_lights_nothing(tmp_path: Path) -> None:
    built, con = city_of(tmp_path, silent=dt.date(2024, 12, 31))
    table = alerts.find(con, built.city, SHORT)
    rows = table.to_pylist()
    assert {row["status"] for row in rows} == {"missing"}
    assert {row["reason"] for row in rows} == {"silent"}
    assert {row["n"] for row in rows} == {None}
    assert alerts.lit(table) == []


def test_days_received_in_part_light_nothing_and_are_no_calm(tmp_path: Path) -> None:
    built, con = city_of(tmp_path)
    con.execute("INSERT INTO days VALUES ('faits', 'ville', '2024-10-08', 'ok', 'in_part')")
    table = alerts.find(con, built.city, SHORT)
    assert {(row["status"], row["reason"]) for row in table.to_pylist()} == {
        ("abstained", "in_part")
    }
    assert all(row["n"] is not None and row["p"] is None for row in table.to_pylist())
    said = words.alerts(table, built.city, {}, [], SHORT)
    assert said.startswith("**Aucune alerte possible** : rien ne peut être comparé (des jours ne")
    assert "Rien d'autre" not in words.watch(table, built.city, {}, [], SHORT)


def test_the_limit_of_what_is_worth_a_look_spends_the_budget_that_tails_allow() -> None:
    """By hand: two tests that can reach .5 and .05, one that cannot go below .6."""
    coarse, fine = np.array([1.0, 0.6]), np.array([1.0, 0.15, 0.05])
    assert alerts.watched([coarse, fine, fine], 0.1) == 0.05
    assert alerts.watched([coarse, fine, fine], 0.3) == 0.15
    assert alerts.watched([coarse, fine, fine], 0.09) == 0, "deux tests à .05 coûtent .1"
    assert alerts.watched([], 1.0) == 0


def test_judgement_does_not_hang_on_the_last_digits() -> None:
    rng = np.random.default_rng(9)
    rows = alerts.test(rng.poisson(3.0, (40, 65)).astype(float), EVEN, 12)
    shaken = [
        row | {name: np.minimum(row[name] * (1 + sign), 1) for name in ("p", "reach")}
        if "reach" in row
        else row
        for row, sign in zip(rows, rng.choice([-1e-12, 1e-12], len(rows)), strict=True)
    ]
    for budget in (0.5, 1, 3):
        assert alerts.judge(rows, 0.05, budget) == alerts.judge(shaken, 0.05, budget)


def test_late_entries_hide_no_rise() -> None:
    """Three quarters are still to come: 15 of the 60 that a rise brings, where 20 are usual."""
    sums = np.full((40, 65), 20.0)
    sums[0, 0] = 15
    exposure = EVEN.copy()
    exposure[0] = 0.25
    late, blind = alerts.test(sums, exposure, 12)[0], alerts.test(sums, EVEN, 12)[0]
    assert late["expected"] == pytest.approx(5)
    assert late["p"] < 0.001 < 0.5 < blind["p"]


def test_the_second_tier_sees_what_the_first_does_not() -> None:
    """A zone of one fact a day among a thousand tests, its week doubled: the list sees more."""
    rng = np.random.default_rng(21)
    seen, alone = 0, 0
    for _ in range(40):
        counts = rng.poisson(7.0, (1000, 65)).astype(float)
        counts[0, 0] = rng.poisson(14)
        rows = alerts.judge(alerts.test(counts, EVEN, 12), 0.05, 1)
        alone += rows[0]["alert"]
        seen += rows[0]["alert"] or rows[0]["watch"]
    assert seen >= 5
    assert alone <= seen / 2
