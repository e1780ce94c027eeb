"""Concentration: the trap of few facts, the band of chance, the curve against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.hotspots import concentration


def test_a_uniform_city_of_few_facts_looks_concentrated() -> None:
    """The trap of shared/simulator.md: a tenth of a fact a place, half of them in 4.5 %."""
    rng = np.random.default_rng(1)
    shares = [concentration.half_share(rng.poisson(0.1, 6000)) for _ in range(50)]
    assert np.mean(shares) == pytest.approx(0.045, abs=0.004)


@pytest.mark.parametrize("mean", [0.1, 2.0, 30.0])
def test_concentration_of_chance_lies_in_the_interval_of_chance(mean: float) -> None:
    rng = np.random.default_rng(int(10 * mean))
    inside = 0
    for turn in range(60):
        row, _ = concentration.assess("x", rng.poisson(mean, 800).astype(float), 30, turn)
        inside += row["chance_low"] <= row["share"] <= row["chance_high"]
    assert inside >= 0.85 * 60


def test_the_curve_of_chance_lies_in_the_band_of_chance() -> None:
    rng = np.random.default_rng(3)
    inside = np.zeros(len(concentration.GRID))
    for turn in range(60):
        _, points = concentration.assess("x", rng.poisson(2.0, 800).astype(float), 30, turn)
        inside += [p["chance_low"] <= p["facts"] <= p["chance_high"] for p in points]
    assert (inside >= 0.85 * 60).all()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=3000).filter(any))
def test_the_curve_meets_the_half_and_never_falls(counts: list[int]) -> None:
    cells = np.array(counts)
    found = concentration.curve(cells)
    assert (np.diff(found) >= -1e-12).all()
    assert found[-1] == pytest.approx(1)
    reached = np.array(concentration.GRID) >= concentration.half_share(cells)
    assert (found[reached] >= 0.5 - 1e-9).all()


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60).filter(any))
def test_half_share_is_the_fewest_cells_that_hold_half(counts: list[int]) -> None:
    found = round(concentration.half_share(np.array(counts)) * len(counts))
    top = sorted(counts, reverse=True)
    assert sum(top[:found]) * 2 >= sum(top)
    assert sum(top[: found - 1]) * 2 < sum(top)
