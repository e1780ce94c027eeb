"""The latest of large counts: its p-value is one, whatever is shared or heavy-tailed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.core.stats import unexpected

Floats = NDArray[np.float64]
WEEKS, REFERENCES = 65, 12


def weeks(rng: np.random.Generator, freedom: float = 0.0, shared: float = 0.3) -> Floats:
    """Return counts of ten places (places, weeks), the latest first."""
    shape = (10, WEEKS)
    stray = rng.standard_t(freedom, shape) / np.sqrt(2) if freedom else rng.standard_normal(shape)
    level = 2000 * np.exp(0.15 * stray + shared * rng.standard_normal(WEEKS))
    return rng.poisson(level).astype(float)


@pytest.mark.parametrize("freedom", [0.0, 4.0])
def test_p_is_as_often_small_as_it_says(freedom: float) -> None:
    p = []
    for run in range(200):
        rng = np.random.default_rng([21, run])
        groups = [(one, np.zeros(one.shape, bool)) for one in (weeks(rng, freedom) for _ in "ab")]
        p += [row.p for row in unexpected.judge(groups, REFERENCES, 0.95)]
    told = np.concatenate(p)
    for limit in (0.05, 0.01, 0.001):
        most = limit + 3 * np.sqrt(limit / len(told))
        assert np.mean(told <= limit) <= most
    assert np.mean(told <= 0.05) > 0.03, "and no prudence for its own sake"


def test_what_all_places_share_is_no_surprise_and_one_alone_is() -> None:
    counts = weeks(np.random.default_rng(22))
    counts[:, 0] *= 3
    aside = np.zeros(counts.shape, bool)
    assert unexpected.judge([(counts, aside)], REFERENCES, 0.95)[0].p.min() > 1e-3
    counts[4, 0] *= 3
    told = unexpected.judge([(counts, aside)], REFERENCES, 0.95)[0]
    assert told.p[4] < 1e-6
    assert counts[4, 0] > 2 * told.high[4]
    assert np.delete(told.p, 4).min() > 1e-3


def test_weeks_aside_are_no_usual_and_the_unknown_says_nothing() -> None:
    counts = weeks(np.random.default_rng(23), shared=0.0)
    aside = np.zeros(counts.shape, bool)
    counts[0, 1:9:2] *= 5  # four events in the last eight weeks
    fooled = unexpected.judge([(counts, aside)], REFERENCES, 0.95)[0].expected[0]
    aside[0, 1:9:2] = True
    told = unexpected.judge([(counts, aside)], REFERENCES, 0.95)[0]
    assert fooled > 3000
    assert told.expected[0] == pytest.approx(2000, rel=0.2)
    counts[0, 0] = np.nan
    counts[1, 10:] = np.nan
    told = unexpected.judge([(counts, aside)], REFERENCES, 0.95)[0]
    assert np.isnan(told.p[:2]).all()
    assert np.isfinite(told.p[2:]).all()
