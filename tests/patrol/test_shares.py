"""Bounds of the level against the truth of the simulated city, and against simulations."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.place_time.calendar import window
from helpers.core.stage import standing
from helpers.ingest import ingest
from helpers.patrol import shares
from tests.fixtures.made_up import write_pack
from tests.fixtures.real import INGEST, Built
from tests.fixtures.simulated import Made
from tests.fixtures.tables import table_of_facts

FIVE_YEARS = 1826


@pytest.fixture(scope="module")
def counted(
    made: Made, tmp_path_factory: pytest.TempPathFactory
) -> tuple[City, duckdb.DuckDBPyConnection]:
    """The small simulated city with its log and its hours of patrol, counted."""
    out = tmp_path_factory.mktemp("patrol")
    city = copy.copy(made.city)
    wanted = {"quartiers", "main_courante", "vacation"}
    city.__dict__["contracts"] = {n: c for n, c in made.city.contracts.items() if n in wanted}
    logged = {n: t for n, t in made.city.themes.items() if t.source == "main_courante"}
    city.__dict__["themes"] = logged
    ingest.ingest(city, made.raw, out, INGEST)
    con = store.connect()
    store.view(con, "cube", out / "cube.parquet")
    store.view(con, "vacation", out / "accepted" / "vacation.parquet")
    return city, con


def truth(made: Made, city: City) -> dict[tuple[str, str], int]:
    """Return how many facts really happened, by theme and arrondissement."""
    pairs = [(kind, name) for name, theme in city.themes.items() for kind in theme.categories]
    values = ", ".join(f"('{kind}', '{name}')" for kind, name in pairs)
    rows = made.con.execute(
        f"WITH t(kind, theme) AS (VALUES {values}), w AS (SELECT DISTINCT cell_east, cell_north, "
        f"quarter FROM '{made.truth}/expected.parquet') SELECT theme, left(quarter, 5), count(*) "
        f"FROM '{made.truth}/incidents.parquet' JOIN t USING (kind) "
        "JOIN w USING (cell_east, cell_north) GROUP BY ALL"
    ).fetchall()
    return {(theme, zone): n for theme, zone, n in rows}


def test_bounds_hold_the_truth_and_the_records_do_not(
    made: Made, counted: tuple[City, duckdb.DuckDBPyConnection]
) -> None:
    """The declared ranges hold the simulator's shares: what is tested is the rest of the chain."""
    city, con = counted
    rows = shares.by_zone(con, city, FIVE_YEARS, 0.95, 30).to_pylist()
    happened = truth(made, city)
    rows = [r for r in rows if r["status"] == "ok"]
    assert len(rows) >= 9 * 16 * 0.9
    real = np.array([happened.get((r["theme"], r["zone"]), 0) for r in rows])
    low, high = (np.array([r[k] for r in rows]) for k in ("low", "high"))
    assert np.mean((low <= real) & (real <= high)) >= 0.9
    naive = np.array([r["n_citizen"] + r["n_agent"] + r["n_unknown"] for r in rows])
    below, above = (stats.chi2.ppf(q, 2 * naive + k) / 2 for q, k in ((0.025, 0), (0.975, 2)))
    assert np.mean((np.nan_to_num(below) <= real) & (real <= above)) < 0.2


def test_more_hours_bring_more_agents_records_and_no_more_of_habitants(
    counted: tuple[City, duckdb.DuckDBPyConnection],
) -> None:
    """Habitants' records are the control: the same regression must find nothing there."""
    city, con = counted
    table = shares.measure(con, city, FIVE_YEARS, 0.95, 0.5, 30).to_pylist()
    rows = {r["theme"]: r for r in table}
    rule = city.about.patrols
    assert rule is not None
    assert rows["stationnement"]["effect_low"] > 1
    span = window(city.about.period.end, FIVE_YEARS)
    control = shares._effect(con, "stationnement", rule, span, 0.99, "citizen")
    assert control is not None
    assert control[1] <= 1 <= control[2]
    assert rows["stationnement"]["driven"]
    assert "porté par l'activité" in rows["stationnement"]["note"]


def test_elasticity_of_known_truth_covers() -> None:
    """Poisson counts of hours^β with a level a stratum: the interval covers 10^… as it says."""
    rng = np.random.default_rng(7)
    inside = 0
    for _ in range(300):
        stratum = np.repeat(np.arange(40), 30)
        hours = rng.gamma(4, 5, stratum.size)
        level = rng.lognormal(-3, 1, 40)[stratum]
        found = shares.elasticity(
            rng.poisson(level * hours**0.8).astype(float), hours, stratum, 0.95
        )
        assert found is not None
        inside += found[1] <= 1.1**0.8 <= found[2]
    assert 0.91 <= inside / 300 <= 0.985


def test_bounds_of_one_share_are_the_exact_poisson_interval() -> None:
    """With one possible share and no agent, nothing is left but Garwood's interval (chi-square)."""
    count = np.array([0.0, 3.0, 40.0])
    none = np.zeros(3)
    low, high = shares.bounds(count, none, none, (1.0, 1.0), 0.95)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * count + 2) / 2, abs=1e-5)
    assert low[1:] == pytest.approx(stats.chi2.ppf(0.025, 2 * count[1:]) / 2, abs=1e-5)
    assert low[0] == 0


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4])
def test_bounds_cover_at_both_ends_of_the_range(share: float) -> None:
    rng = np.random.default_rng(11)
    level = np.full(4000, 150.0)
    told = rng.poisson(level * share).astype(float)
    seen = rng.poisson(level * (1 - share) * 0.3).astype(float)
    low, high = shares.bounds(told, seen, np.zeros(4000), (0.1, 0.4), 0.95)
    assert np.mean((low <= 150) & (high >= 150)) >= 0.94


def test_two_zones_of_equal_truth_and_unequal_patrols() -> None:
    """Records inflate the patrolled zone (three times the hours); habitants' alone do not."""
    rng = np.random.default_rng(3)
    level, share = 20_000, 0.2
    told = rng.poisson([level * share] * 2).astype(float)
    seen = rng.poisson(level * (1 - share) * -np.expm1(-0.2 * np.array([6.0, 2.0])))
    assert (told + seen)[0] / (told + seen)[1] > 1.5
    assert told[0] / told[1] == pytest.approx(1, abs=0.1)
    low, high = shares.bounds(told, seen.astype(float), np.zeros(2), (0.1, 0.4), 0.95)
    assert low.max() <= level <= high.min()


def test_denver_abstains_with_its_reason(denver: Built) -> None:
    con = denver.connect()
    rows = shares.measure(con, denver.city, 365, 0.95, 0.5, 30).to_pylist()
    assert {r["reason"] for r in rows} == {shares.NO_ORIGIN}
    assert all(r["share"] is None for r in rows)
    zones = shares.by_zone(con, denver.city, 365, 0.95, 30).to_pylist()
    assert {r["status"] for r in zones} == {"abstained"}
    assert not standing.driven(pa.Table.from_pylist(rows, schema=shares.THEMES))


def test_without_hours_the_share_stands_and_the_effect_says_why(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    city = write_pack(tmp_path)
    hour = dt.datetime(2024, 7, 1, 12)
    table_of_facts(
        memory,
        [{"hour": hour, "origin": "agent", "n": 90}, {"hour": hour, "origin": "citizen", "n": 10}],
    )
    row = shares.measure(memory, city, 366, 0.95, 0.5, 30).to_pylist()[0]
    exact = stats.binomtest(90, 100).proportion_ci(0.95, "exact")
    assert (row["share_low"], row["share_high"]) == pytest.approx(tuple(exact), abs=1e-5)
    assert row["effect_reason"] == shares.NO_HOURS
    assert row["effect"] is None
    assert row["driven"]
