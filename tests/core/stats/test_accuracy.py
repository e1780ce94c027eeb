"""Scores of forecasts: published values, and what must always hold."""

from __future__ import annotations

import numpy as np
import pytest
import scoringrules
from hypothesis import given
from hypothesis import strategies as st

from helpers.core.stats import accuracy

COUNTS = st.lists(st.integers(0, 20), min_size=1, max_size=12).filter(any)


def test_indices_of_the_example() -> None:
    """shared/acceptance.md: observed 6, 3, 0; foretold 3, 2, 1; equal areas."""
    assert accuracy.accuracy_index([6, 3, 0], [3, 2, 1], [1, 1, 1]).tolist() == [2, 1.5, 1]
    assert accuracy.efficiency_index([6, 3, 0], [3, 2, 1]).tolist() == [1, 1, 1]


def test_continuous_ranked_probability_scores_of_the_library() -> None:
    """shared/acceptance.md: N(0, 1) at 0; Poisson(3) at 2."""
    assert scoringrules.crps_normal(0.0, 0.0, 1.0) == pytest.approx(0.23369498, abs=1e-8)
    assert scoringrules.crps_poisson(2, 3.0) == pytest.approx(0.5417440078, abs=1e-8)


@given(COUNTS)
def test_a_perfect_forecast_is_as_efficient_as_can_be(observed: list[int]) -> None:
    assert accuracy.efficiency_index(observed, observed).tolist() == [1] * len(observed)
    ends = accuracy.accuracy_index(observed, observed, [1] * len(observed))
    assert ends[-1] == pytest.approx(1)
    assert (np.diff(ends) <= 1e-9).all()


@given(COUNTS, st.randoms(use_true_random=False))
def test_no_forecast_beats_the_truth(observed: list[int], random: object) -> None:
    foretold = list(range(len(observed)))
    random.shuffle(foretold)  # type: ignore[attr-defined]
    ours = accuracy.accuracy_index(observed, foretold, [1] * len(observed))
    best = accuracy.accuracy_index(observed, observed, [1] * len(observed))
    assert (ours <= best + 1e-9).all()
