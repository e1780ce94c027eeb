"""Silence: told within a day of data, never invented, never a zero; known truths of our own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from helpers.core.base import store
from helpers.core.stage import params
from helpers.reliability import silence
from helpers.reliability.silence import Bools, Floats, Panel
from tests.fixtures.made_up import write_pack
from tests.fixtures.real import ROOT

KNOBS = params.knobs("reliability", ROOT)
SHARE, ALPHA = 0.1, 0.001
START = dt.date(2022, 1, 3)
WEEKDAYS = np.array([0.9, 0.95, 1.0, 1.0, 1.2, 1.15, 0.8])


def panel(n: Floats, share_known: Floats | None = None) -> Panel:
    days = [START + dt.timedelta(days=i) for i in range(n.shape[1])]
    series = [("faits", "ville", f"z{i}") for i in range(len(n))]
    return Panel(series, days, n, np.ones(n.shape) if share_known is None else share_known)


def truth(mean: float, days: int, season: float = 0.3) -> Floats:
    """Return the true mean of each day: weekday, season, a slope."""
    t = np.arange(days)
    return np.asarray(
        mean * WEEKDAYS[t % 7] * np.exp(season * np.cos(2 * np.pi * t / 365.25) + 0.1 * t / days)
    )


def draw(mean: Floats, over: float, rows: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    level = rng.gamma(1 / over, over, (rows, len(mean))) if over else 1.0
    return np.asarray(rng.poisson(mean * level, (rows, len(mean))), dtype=float)


def missing(n: Floats, half: int = silence.SOURCE_DAYS) -> tuple[Bools, silence.Heard]:
    classes = np.array([(START + dt.timedelta(days=i)).weekday() for i in range(n.shape[1])])
    limits = np.full(len(n), ALPHA)
    base = silence.class_factors(n, classes, SHARE)
    heard = silence.listen(panel(n), base, SHARE, limits, half, np.zeros(n.shape, dtype=bool))
    return heard.missing, heard


@pytest.fixture
def made_up_days(tmp_path: Path) -> Any:
    """The made-up city, and what fills view `observations`: squares of 20, 10, 5 and 1/20 a day."""
    city = write_pack(tmp_path)
    first = dt.datetime(2024, 1, 1)

    def observe(
        con: Any,
        zone_silent: tuple[str, int, int] = ("A", 0, 0),
        all_silent: tuple[int, int] = (0, 0),
    ) -> None:
        rng = np.random.default_rng(9)
        zones: list[str] = []
        hours: list[dt.datetime] = []
        for zone, mean in (("A", 20.0), ("B", 10.0), ("C", 5.0), ("D", 0.05)):
            n = rng.poisson(mean, 366)
            n[slice(*all_silent)] = 0
            if zone == zone_silent[0]:
                n[slice(*zone_silent[1:])] = 0
            for day, count in enumerate(n.tolist()):
                zones += [zone] * count
                hours += [first + dt.timedelta(days=day, hours=12)] * count
        columns = {
            "zone_carres": pa.array(zones, pa.string()),
            "hour": pa.array(hours, pa.timestamp("us")),
        }
        con.register("made_up", pa.table(columns))
        con.execute(
            "CREATE OR REPLACE VIEW observations AS SELECT 'faits' AS source, hour, "
            "'minute' AS time_precision, zone_carres, 'ouest' AS zone_moities FROM made_up"
        )

    return city, observe


def test_threshold_keeps_the_share_of_days_wrongly_missing() -> None:
    """Exact for days alike: a run of at least L low days covers q^L (L (1 − q) + q) of them."""
    for alpha in (0.05, 0.001, 1e-5):
        limit = silence.threshold(alpha)
        assert limit * (1 - np.log(limit)) == pytest.approx(alpha, rel=1e-6)
        for q in (0.01, 0.3, 0.9, 0.99):
            shortest = int(np.ceil(np.log(limit) / np.log(q)))
            assert q**shortest * (shortest * (1 - q) + q) <= alpha


@pytest.mark.parametrize("mean", [0.3, 1.0, 3.0, 10.0, 40.0, 300.0])
@pytest.mark.parametrize("over", [0.0, 0.05, 0.2])
def test_ordinary_days_are_hardly_ever_missing(mean: float, over: float) -> None:
    """Forty series of five years without silence: at most the nominal share of days is flagged."""
    flags, _ = missing(draw(truth(mean, 1826), over, 40, seed=int(mean * 100 + over * 1000)))
    assert flags.mean() <= ALPHA


@pytest.mark.parametrize("mean", [16.0, 50.0, 270.0])
def test_a_dead_feed_is_told_within_one_day_of_data(mean: float) -> None:
    """The series ends with its first dead day, as it would be seen that evening."""
    n = draw(truth(mean, 800), 0.01, 50, seed=7)
    for last in (300, 455, 640, 799):
        seen = n[:, : last + 1].copy()
        seen[:, last] = 0
        flags, heard = missing(seen)
        assert (heard.after == 1).mean() > 0.8
        assert flags[:, last].all()
        assert flags[:, :last].mean() <= ALPHA


@pytest.mark.parametrize("mean", [0.5, 2.0, 5.0])
def test_a_sparse_feed_is_told_after_about_the_days_that_it_announces(mean: float) -> None:
    n = draw(truth(mean, 1400, season=0.0), 0.0, 40, seed=3)
    _, before = missing(n[:, :1200])
    assert (before.after > 1).all()
    told = []
    for row, days in enumerate(before.after):
        dead = n[row : row + 1, : 1200 + int(1.5 * days) + 1].copy()
        dead[:, 1200:] = 0
        told.append(missing(dead)[0][0, 1200:].all())
        soon = n[row : row + 1, : 1200 + int(days) // 3].copy()
        soon[:, 1200:] = 0
        if soon[0, 1199] > 0:
            assert not missing(soon)[0][0, -1]
    assert np.mean(told) >= 0.9


@pytest.mark.parametrize("length", [1, 7, 126])
def test_an_outage_is_found_whole_and_alone(length: int) -> None:
    n = draw(truth(80, 1200), 0.02, 20, seed=11)
    n[:, 500 : 500 + length] = np.random.default_rng(1).poisson(1.0, (20, length))
    flags, _ = missing(n)
    assert flags[:, 500 : 500 + length].all()
    flags[:, 500 : 500 + length] = False
    assert not flags.any()


def test_a_fall_by_half_is_no_silence() -> None:
    """It is a break, told elsewhere: records do come."""
    n = draw(truth(100, 900), 0.02, 10, seed=5)
    n[:, 400:] = np.floor(n[:, 400:] / 2)
    assert not missing(n)[0].any()


def test_days_closed_every_week_are_no_silence() -> None:
    mean = truth(60, 700)
    mean[np.arange(700) % 7 == 6] = 0
    n = draw(mean, 0.0, 10, seed=2)
    assert not missing(n)[0].any()


def test_what_is_not_yet_recorded_is_no_silence() -> None:
    """Records come in over ten days: without the delay curve the last day would look dead."""
    mean = truth(60, 700)
    share = np.ones(700)
    share[-10:] = np.linspace(0.95, 0.05, 10)
    n = draw(mean * share, 0.0, 10, seed=2)
    classes = np.arange(700) % 7
    limits, nothing = np.full(10, ALPHA), np.zeros(n.shape, dtype=bool)
    base = silence.class_factors(n, classes, SHARE)
    known = np.broadcast_to(share, n.shape)
    told = silence.listen(panel(n, known), base, SHARE, limits, 28, nothing)
    naive = silence.listen(panel(n), base, SHARE, limits, 28, nothing)
    assert not told.missing.any()
    assert naive.missing[:, -1].mean() > 0.5


@pytest.mark.parametrize(("mean", "over"), [(0.4, 0.01), (5.0, 0.3), (40.0, 0.05), (700.0, 1e-6)])
def test_chance_of_a_low_day_is_that_of_the_negative_binomial(mean: float, over: float) -> None:
    low = np.floor(0.1 * np.full((1, 1), mean))
    found = silence.low_chance(np.full((1, 1), mean), np.full((1, 1), over), low)
    expected = stats.nbinom.cdf(low, 1 / over, 1 / (1 + over * mean))
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_zone_that_falls_silent_is_told_apart_from_its_source(
    made_up_days: Any, memory: Any
) -> None:
    """Square A is mute for ten days, the whole source for three others."""
    city, observe = made_up_days
    observe(memory, zone_silent=("A", 100, 110), all_silent=(200, 203))
    days, series = silence.find(memory, city, KNOBS)
    rows = [row for row in days.to_pylist() if row["status"] == "missing"]
    first = city.about.period.start
    whole = {(r["day"] - first).days for r in rows if r["division"] == "ville"}
    squares = {(r["zone"], (r["day"] - first).days) for r in rows if r["division"] == "carres"}
    assert whole == {200, 201, 202}
    assert squares == {("A", i) for i in range(100, 110)}
    assert {r["status"] for r in days.to_pylist() if r["division"] == "ville"} == {"ok", "missing"}
    length = (city.about.period.end - first).days + 1
    assert sum(r["division"] == "ville" for r in days.to_pylist()) == length
    watched = {r["zone"]: r["watched"] for r in series.to_pylist() if r["division"] == "carres"}
    assert watched == {"A": True, "B": True, "C": True, "D": False}
    assert silence.silent_days(days) == {
        "faits": {first + dt.timedelta(days=i) for i in (200, 201, 202)}
    }


def test_a_source_that_never_brought_anything_is_missing_every_day(
    made_up_days: Any, memory: Any
) -> None:
    city, observe = made_up_days
    observe(memory, all_silent=(0, 366))
    days, _ = silence.find(memory, city, KNOBS)
    assert days.num_rows == 366
    assert set(days["status"].to_pylist()) == {"missing"}
    assert set(days["reason"].to_pylist()) == {"nothing_received"}


def test_result_is_the_same_with_one_thread(made_up_days: Any) -> None:
    city, observe = made_up_days
    found: list[pa.Table] = []
    for threads in (1, 4):
        con = store.connect()
        con.execute(f"SET threads = {threads}")
        observe(con, zone_silent=("B", 50, 60))
        found.append(silence.find(con, city, KNOBS)[0])
    assert found[0].equals(found[1])
