"""Bounds of the level against the truth of the simulated city, and against simulations."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from scipy import stats

from helpers.core.city.city import City
from helpers.core.stage import params
from helpers.patrol import bounds, shares
from helpers.patrol.knobs import Knobs
from tests.fixtures.real import ROOT, Built
from tests.fixtures.simulated import Made

KNOBS: Knobs = params.knobs("patrol", ROOT).model_copy(
    update={"window_days": 1826, "confidence": 0.95, "minimum_count": 30}
)


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
    rows = bounds.by_zone(con, city, KNOBS).to_pylist()
    happened = truth(made, city)
    rows = [r for r in rows if r["status"] == "ok"]
    assert len(rows) >= 9 * 16 * 0.9
    real = np.array([happened.get((r["theme"], r["zone"]), 0) for r in rows])
    low, high = (np.array([r[k] for r in rows]) for k in ("low", "high"))
    assert np.mean((low <= real) & (real <= high)) >= 0.9
    naive = np.array([r["n_citizen"] + r["n_agent"] + r["n_unknown"] for r in rows])
    below, above = (stats.chi2.ppf(q, 2 * naive + k) / 2 for q, k in ((0.025, 0), (0.975, 2)))
    assert np.mean((np.nan_to_num(below) <= real) & (real <= above)) < 0.2


def test_bounds_of_one_share_are_the_exact_poisson_interval() -> None:
    """With one possible share and no agent, nothing is left but Garwood's interval (chi-square)."""
    count = np.array([0.0, 3.0, 40.0])
    none = np.zeros(3)
    low, high = bounds.bounds(count, none, none, (1.0, 1.0), 0.95)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * count + 2) / 2, abs=1e-5)
    assert low[1:] == pytest.approx(stats.chi2.ppf(0.025, 2 * count[1:]) / 2, abs=1e-5)
    assert low[0] == 0


@pytest.mark.parametrize("share", [0.1, 0.2, 0.4])
def test_bounds_cover_at_both_ends_of_the_range(share: float) -> None:
    rng = np.random.default_rng(11)
    level = np.full(4000, 150.0)
    told = rng.poisson(level * share).astype(float)
    seen = rng.poisson(level * (1 - share) * 0.3).astype(float)
    low, high = bounds.bounds(told, seen, np.zeros(4000), (0.1, 0.4), 0.95)
    assert np.mean((low <= 150) & (high >= 150)) >= 0.94


def test_two_zones_of_equal_truth_and_unequal_patrols() -> None:
    """Records inflate the patrolled zone (three times the hours); habitants' alone do not."""
    rng = np.random.default_rng(3)
    level, share = 20_000, 0.2
    told = rng.poisson([level * share] * 2).astype(float)
    seen = rng.poisson(level * (1 - share) * -np.expm1(-0.2 * np.array([6.0, 2.0])))
    assert (told + seen)[0] / (told + seen)[1] > 1.5
    assert told[0] / told[1] == pytest.approx(1, abs=0.1)
    low, high = bounds.bounds(told, seen.astype(float), np.zeros(2), (0.1, 0.4), 0.95)
    assert low.max() <= level <= high.min()


def test_denver_abstains_with_its_reason(denver: Built) -> None:
    zones = bounds.by_zone(denver.connect(), denver.city, KNOBS).to_pylist()
    assert {r["status"] for r in zones} == {"abstained"}
    assert {r["reason"] for r in zones} == {shares.NO_ORIGIN}
