"""What named places held, on an example worked by hand and against ties broken at random."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.core.stats.places_named import named, with_a_fact


def test_example_of_the_acceptance() -> None:
    observed, predicted, area = (np.array(v, dtype=float) for v in ([6, 3, 0], [3, 2, 1], [1] * 3))
    found = [named(predicted, observed, area, k) for k in (1, 2, 3)]
    assert [one.accuracy for one in found] == pytest.approx([2, 1.5, 1])
    assert [one.efficiency for one in found] == pytest.approx([1, 1, 1])
    assert [one.hit_rate for one in found] == pytest.approx([6 / 9, 1, 1])


def test_ties_count_for_what_breaking_them_at_random_gives_in_the_mean() -> None:
    rng = np.random.default_rng(2)
    score, observed = rng.integers(0, 4, 60).astype(float), rng.poisson(1, 60).astype(float)
    ones = np.ones(60)
    drawn = []
    for _ in range(4000):
        order = np.lexsort((rng.random(60), -score))[:10]
        drawn.append(observed[order].sum())
    assert named(score, observed, ones, 10).hits == pytest.approx(np.mean(drawn), abs=0.2)


def test_a_large_zone_is_named_last_where_it_is_sparse() -> None:
    forecast, observed, area = (np.array(v, dtype=float) for v in ([4, 3], [8, 6], [10, 1]))
    found = named(forecast, observed, area, 1.0)
    assert (found.hits, found.best) == (6, 6)
    half = named(forecast, observed, area, 6.0)
    assert half.hits == pytest.approx(6 + 8 * 5 / 10)


def test_plain_figure_of_the_journalist() -> None:
    forecast, observed = np.array([5.0, 4, 1, 0]), np.array([2.0, 0, 3, 0])
    assert with_a_fact(forecast, observed, 2) == (0.5, 0.5)
    assert with_a_fact(forecast, observed, 1) == (1.0, 0.5)
