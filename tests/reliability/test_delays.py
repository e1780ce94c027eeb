"""Late entries: delay laws that we know, and the St. Louis police's own coding lag."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.stage import params
from helpers.core.stats import nowcast
from helpers.core.stats.nowcast import Floats, Triangle
from helpers.reliability import delays, words
from tests.fixtures.made_up import CITY, FACTS, write_pack
from tests.fixtures.real import ROOT, Built

HORIZON = 180
KNOBS = params.knobs("reliability", ROOT)
SHORT = KNOBS.model_copy(update={"delay_horizon_days": 60})


def simulate(mean: float, over: float, wobble: float, seed: int, periods: int = 150) -> Triangle:
    """Return every record of weeks whose delays are gamma (shape 1.2, scale 15 days).

    `over`: variance of the weeks' level; `wobble`: variance of each week's own delay scale.
    """
    rng = np.random.default_rng(seed)
    n = np.zeros((1, periods, HORIZON + 1))
    for week in range(periods):
        level = rng.gamma(1 / over, over) if over else 1.0
        scale = 15 * (rng.gamma(1 / wobble, wobble) if wobble else 1.0)
        late = np.floor(rng.gamma(1.2, scale, rng.poisson(mean * level))).astype(int)
        n[0, week] = np.bincount(late[late <= HORIZON], minlength=HORIZON + 1)
    age = np.arange(periods, dtype=np.int64)[::-1] * 7
    return Triangle(n, age, np.ones(periods, dtype=bool))


def test_curve_is_the_law_of_the_delays_though_recent_ones_are_cut_off() -> None:
    whole = simulate(4000, 0.0, 0.0, seed=1, periods=52)
    seen = whole.seen_at(0)
    assert seen.n.sum() < 0.97 * whole.n.sum()
    law = stats.gamma(1.2, scale=15)
    days = np.arange(HORIZON + 1)
    expected = law.cdf(days + 1) / law.cdf(HORIZON + 1)
    assert np.abs(nowcast.curve(seen) - expected).max() < 0.006
    flat = seen.n.sum(axis=(0, 1))
    assert np.abs(np.cumsum(flat) / flat.sum() - expected).max() > 0.015


def test_curve_by_hand() -> None:
    """Three periods, two steps: g(2) = 1/10, g(1) = (4 + 2)/(9 + 6); F(1) = .9, F(0) = .9 × .6."""
    n = np.array([[[5.0, 4.0, 1.0], [4.0, 2.0, 0.0], [3.0, 0.0, 0.0]]])
    triangle = Triangle(n, np.array([2, 1, 0]), np.ones(3, dtype=bool), half_life=np.inf)
    assert nowcast.curve(triangle) == pytest.approx([0.54, 0.9, 1.0])


@pytest.mark.parametrize(
    ("mean", "over", "wobble"),
    [(1000, 0.0, 0.0), (1000, 0.02, 0.0), (1000, 0.02, 0.02), (2000, 0.1, 0.1)],
)
def test_held_back_weeks_fall_in_the_interval_nine_times_in_ten(
    mean: float, over: float, wobble: float
) -> None:
    inside = total = 0
    for seed in range(4):
        rows = nowcast.held_back(simulate(mean, over, wobble, seed), 52, 7, 0.9)
        one, many, _ = nowcast.coverage(rows)
        inside, total = inside + one, total + many
    assert total > 1500
    assert 0.85 <= inside / total <= 0.95


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_days_on_which_nothing_was_entered_do_not_bend_the_forecast(seed: int) -> None:
    """Weeks of lost report days, one day in three: nine final counts in ten still lie inside."""
    whole = simulate(1000, 0.02, 0.0, seed)
    rng = np.random.default_rng(seed)
    gone = np.repeat(rng.random((150 * 7 + HORIZON) // 20 + 1) < 1 / 3, 20)
    at = np.arange(150)[:, None] * 7 + np.arange(HORIZON + 1)[None, :]
    lost = gone[at]
    lost[:, 0] = False
    n = np.where(lost[None], 0.0, whole.n)
    told = nowcast.held_back(Triangle(n, whole.age, whole.heard, lost), 52, 7, 0.9)
    inside, total, weeks = nowcast.coverage(told)
    assert weeks > 30
    assert 0.85 <= inside / total <= 0.97
    untold = nowcast.held_back(Triangle(n, whole.age, whole.heard), 52, 7, 0.9)
    wide = [float((one.high - one.low).mean()) for one in (told, untold)]
    assert wide[0] < 0.9 * wide[1]


def test_an_office_closed_on_sundays_loses_no_day_and_a_failure_is_seen() -> None:
    rng = np.random.default_rng(24)
    entered = rng.poisson(np.tile([100, 100, 100, 100, 100, 20, 0], 40)).astype(float)
    assert not delays.lost_days(entered).any()
    entered[100:103] = (2.0, 0.0, 11.0)
    kept = [day for day in (100, 101, 102) if day % 7 < 5]
    assert set(kept) <= set(np.flatnonzero(delays.lost_days(entered)).tolist()) <= {100, 101, 102}


def test_intervals_widen_once_delays_change_pace() -> None:
    """From week 90 on entries take three times as long: the width learns it from what comes."""
    slow, fast = simulate(1000, 0.0, 0.0, 25), simulate(1000, 0.0, 0.0, 26)
    n = fast.n.copy()
    for week in range(90, 150):
        delay = np.minimum(np.repeat(np.arange(HORIZON + 1), slow.n[0, week].astype(int)) * 2,
                           HORIZON)  # fmt: skip
        n[0, week] = np.bincount(delay, minlength=HORIZON + 1)
    changed = nowcast.held_back(Triangle(n, fast.age, fast.heard), 60, 7, 0.9)
    calm = nowcast.held_back(fast, 60, 7, 0.9)
    assert changed.width > 1.3 * calm.width
    late = changed.period >= 105
    assert changed.inside[late].mean() >= 0.8


def test_forecast_knows_nothing_of_what_came_after() -> None:
    triangle = simulate(300, 0.02, 0.02, seed=5)
    other = Triangle(triangle.n.copy(), triangle.age, triangle.heard)
    later = np.arange(HORIZON + 1)[None, :] > triangle.age[:, None] - 70
    other.n[0][later] += 1000
    one, two = (nowcast.forecast(t.seen_at(70), 0.9) for t in (triangle, other))
    assert np.array_equal(one.value, two.value)
    assert np.array_equal(one.high, two.high)


def test_interval_is_wider_for_younger_weeks_and_holds_its_own_mean() -> None:
    found = nowcast.forecast(simulate(1000, 0.02, 0.02, seed=2).seen_at(0), 0.9)
    width = (found.high - found.low)[0]
    assert width[-1] > 3 * width[0]
    assert ((found.low <= found.value) & (found.value <= found.high)).all()
    assert (found.low >= found.seen).all()


def test_quantiles_are_those_of_the_negative_binomial_and_poisson() -> None:
    rng = np.random.default_rng(3)
    mean = rng.gamma(1, 50, 300)
    variance = mean * np.where(rng.random(300) > 0.3, 1 + rng.gamma(1, 2, 300), 1.0)
    wide = variance > mean * (1 + 1e-9)
    for q in (0.05, 0.5, 0.95):
        size = mean**2 / np.where(wide, variance - mean, 1)
        binomial = stats.nbinom.ppf(q, size, np.where(wide, mean / variance, 0.5))
        expected = np.where(wide, binomial, stats.poisson.ppf(q, mean))
        assert np.array_equal(nowcast.quantile(q, mean, variance), expected)


@pytest.mark.parametrize("horizon", [6, 12])
def test_st_louis_months_fall_in_the_interval_nine_times_in_ten(horizon: int, shared: Path) -> None:
    """Offences by month of occurrence, and the months it took to code them: a real delay curve."""
    path = shared / "stlouis/stl_crime_2008_2020_noaddr.parquet"
    rows = duckdb.sql(
        "SELECT (year(occurred) - 2008) * 12 + month(occurred) - 1 AS month, greatest(0, "
        "date_diff('month', occurred, CAST(src_month || '-01' AS DATE))) AS late, count(*) AS n "
        f"FROM '{path}' WHERE occurred >= '2008-01-01' AND \"Count\" = '1' "
        f"AND late <= {horizon} GROUP BY ALL"
    ).fetchnumpy()
    n = np.zeros((1, 156, horizon + 1))
    n[0, rows["month"], rows["late"]] = rows["n"]
    triangle = Triangle(n, np.arange(156)[::-1].astype(np.int64), np.ones(156, dtype=bool))
    found = nowcast.held_back(triangle, 96, 1, 0.9)
    inside, total, _ = nowcast.coverage(found)
    assert total > 500
    assert 0.85 <= inside / total <= 0.95
    to_come = found.final - found.seen
    assert to_come[found.age == 0].mean() > 200


# --- From observations ---------------------------------------------------------------------------


@pytest.fixture
def late_city(tmp_path: Path, memory: Any) -> tuple[Any, Any, Floats]:
    """The made-up city with a year of facts, gamma delays, cut off at the end of the period."""
    city = write_pack(tmp_path)
    rng = np.random.default_rng(4)
    day = np.repeat(np.arange(366), 100)
    late = np.floor(rng.gamma(1.2, 5, day.size)).astype(np.int64)
    kept = day + late <= 365
    noon = np.datetime64("2024-01-01T12:00", "us")
    hour = noon + day[kept].astype("timedelta64[D]")
    table = pa.table(
        {
            "hour": hour,
            "recorded_at": hour + late[kept].astype("timedelta64[D]"),
            "zone_carres": np.where(np.arange(kept.sum()) % 2, "A", "B"),
        }
    )
    memory.register("made_up", table)
    memory.execute(
        "CREATE VIEW observations AS SELECT 'faits' AS source, hour, recorded_at, zone_carres, "
        "'ouest' AS zone_moities, 'minute' AS time_precision FROM made_up"
    )
    return city, memory, np.bincount(day // 7, minlength=52)[:52].astype(float)


def test_weeks_of_a_source_are_brought_to_their_final_count(
    late_city: tuple[Any, Any, Floats],
) -> None:
    city, con, final = late_city
    delays.read_delays(con, city, SHORT)
    rows, checks = delays.find(con, city, {}, SHORT)
    whole = [row for row in rows.to_pylist() if row["division"] == "ville"]
    assert [row["week"] for row in whole] == sorted(row["week"] for row in whole)
    assert whole[-1]["week"] == dt.date(2024, 12, 23)
    assert whole[-1]["share_in"] < 0.7
    for row in whole:
        week = (row["week"] - dt.date(2024, 1, 1)).days // 7
        assert row["low"] <= final[week] <= row["high"]
        assert row["seen"] < final[week]
    squares = [row for row in rows.to_pylist() if row["division"] == "carres"]
    last = [row for row in squares if row["week"] == dt.date(2024, 12, 23)]
    assert {row["zone"] for row in last} == {"A", "B"}
    assert sum(row["seen"] for row in last) == whole[-1]["seen"]
    assert checks["faits"][1] > 50


def test_a_silent_week_is_missing_and_has_no_final_count(
    late_city: tuple[Any, Any, Floats],
) -> None:
    city, con, _ = late_city
    gone = {dt.date(2024, 12, 18)}
    delays.read_delays(con, city, SHORT)
    rows, _ = delays.find(con, city, {"faits": gone}, SHORT)
    there = {r["week"]: r for r in rows.to_pylist() if r["division"] == "ville"}
    row = there[dt.date(2024, 12, 16)]
    assert (row["status"], row["value"], row["low"], row["high"]) == ("missing", None, None, None)
    assert there[dt.date(2024, 12, 23)]["status"] == "ok"


def test_curve_of_days_is_the_law(late_city: tuple[Any, Any, Floats]) -> None:
    city, con, _ = late_city
    delays.read_delays(con, city, SHORT)
    found = delays.day_curves(con, city, {}, SHORT)["faits"]
    law = stats.gamma(1.2, scale=5)
    assert found == pytest.approx(law.cdf(np.arange(61) + 1) / law.cdf(61), abs=0.01)


def test_in_hand_today_is_known_where_the_month_of_entry_alone_is(
    tmp_path: Path, memory: Any
) -> None:
    """Four years of made-up facts, entered by law: what is truly in, day by day, at the last one.

    How late a day seems says nothing of it: of a month's last day, seen entered the same day by
    the half, it would say that next to nothing is.
    """
    rng = np.random.default_rng(14)
    days = np.arange(np.datetime64("2021-01-01"), np.datetime64("2025-01-01"))
    law = stats.gamma(1.2, scale=8)
    day = np.repeat(days, 60)
    entered = day + np.floor(law.rvs(day.size, random_state=rng)).astype("timedelta64[D]")
    month = (entered.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
    end = days[-1]
    seen = month <= end
    noon = np.timedelta64(12, "h")
    memory.register("made_up", pa.table({
        "hour": day[seen].astype("datetime64[us]") + noon,
        "recorded_at": month[seen].astype("datetime64[us]") + noon,
    }))  # fmt: skip
    memory.execute(
        "CREATE VIEW observations AS SELECT 'faits' AS source, hour, recorded_at, 'A' AS "
        "zone_carres, 'ouest' AS zone_moities, 'minute' AS time_precision FROM made_up"
    )
    month_known = {"type": "date", "format": "%Y-%m", "month_end": True}
    facts = FACTS | {
        "fields": FACTS["fields"] | {"saisi": month_known},
        "observation": FACTS["observation"] | {"recorded_at": "saisi"},
    }
    period = {"start": "2021-01-01", "end": "2024-12-31"}
    city = write_pack(tmp_path, {**CITY, "period": period}, facts=facts)
    delays.read_delays(memory, city, KNOBS)
    told = delays.curves_table(memory, city, delays.day_curves(memory, city, {}, KNOBS)).to_pylist()
    for age in (0, 2, 6, 13, 30, 31, 45, 61, 75):
        assert told[age]["in_hand"] == pytest.approx(law.cdf(age + 1.0), abs=0.04), age
    assert told[6]["share_in"] < told[6]["in_hand"] / 2


def test_a_month_cut_in_two_by_the_period_is_refused_where_the_month_of_entry_alone_is_known(
    tmp_path: Path,
) -> None:
    facts = FACTS | {
        "fields": FACTS["fields"] | {"saisi": {"type": "date", "month_end": True,
                                               "format": "%Y-%m"}},
        "observation": FACTS["observation"] | {"recorded_at": "saisi"},
    }  # fmt: skip
    half = {**CITY, "period": {"start": "2024-01-01", "end": "2024-12-15"}}
    with pytest.raises(PhareError, match="finit le 2024-12-15"):
        write_pack(tmp_path, half, facts=facts).contracts  # noqa: B018


def test_source_that_does_not_say_when_it_recorded_has_no_curve(
    late_city: tuple[Any, Any, Floats],
) -> None:
    city, con, _ = late_city
    con.execute(
        "CREATE OR REPLACE VIEW observations AS SELECT 'faits' AS source, hour, "
        "CAST(NULL AS TIMESTAMP) AS recorded_at, zone_carres, 'ouest' AS zone_moities, "
        "'minute' AS time_precision FROM made_up"
    )
    delays.read_delays(con, city, SHORT)
    rows, checks = delays.find(con, city, {}, SHORT)
    assert (rows.num_rows, checks, delays.day_curves(con, city, {}, SHORT)) == (0, {}, {})
    assert "Aucune source" in words.delays(city, {}, {}, 0.9)


def test_denvers_same_day_share_is_that_of_a_plain_count(denver: Built) -> None:
    """Old facts are all in, but for the late ones of lost report days: a few points less."""
    con = store.connect()
    store.view(con, "observations", denver.out / "observations.parquet")
    delays.read_delays(con, denver.city, KNOBS)
    found = delays.day_curves(con, denver.city, {}, KNOBS)["crime"]
    plain = con.execute(
        "SELECT avg(CAST(late = 0 AS INTEGER)), avg(CAST(late <= 7 AS INTEGER)) FROM (SELECT "
        "greatest(0, date_diff('day', hour, timezone('America/Denver', timezone('UTC', "
        "recorded_at)))) AS late FROM observations WHERE hour >= DATE '2018-01-01' "
        "AND hour < DATE '2018-12-01') WHERE late <= 180"
    ).fetchall()[0]
    assert found[[0, 7]] == pytest.approx(plain, abs=0.04)
