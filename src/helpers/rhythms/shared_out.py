"""Facts known to lie between two hours, shared out among the hours of the week.

Equal shares (aoristic weights) flatten peaks and fill quiet hours. The shares that make what was
recorded likeliest do not: each fact is shared as the hours' own levels say, these are summed again,
and so on (expectation–maximisation: Dempster, Laird & Rubin 1977, JRSS B 39; for counts in
overlapping intervals, Turnbull 1976, JRSS B 38). What intervals leave unknown widens what is said
of each hour (observed information: Louis 1982, JRSS B 44).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.core.place_time.calendar import HOURS_OF_WEEK

Floats = NDArray[np.float64]
ROUNDS, SETTLED = 400, 1e-4  # steps at most; share of the facts that moves less than worth a step
LEAST = 0.5  # facts below which an hour's level is taken no lower, to tell its error


@dataclass(frozen=True)
class Intervals:
    """Groups of facts, each (groups,): first hour of the week, hours touched (1 to 168), facts."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    counts: Floats

    def touched(self) -> Floats:
        """Return which hours each group touches: 1 or 0, shape (groups, 168)."""
        after = (np.arange(HOURS_OF_WEEK)[None, :] - self.starts[:, None]) % HOURS_OF_WEEK
        return np.asarray((after < self.lengths[:, None]).astype(float))


def likeliest(one: Intervals, equal: Floats) -> Floats:
    """Return the weight of each hour of the week (168,), whose sum is that of the counts.

    `equal`: the weights of equal shares, where the search begins.
    """
    touched, weights = one.touched(), equal.copy()
    for _ in range(ROUNDS):
        inside = np.maximum(touched @ weights, 1e-12)
        found = weights * ((one.counts / inside) @ touched)
        moved = np.abs(found - weights).sum()
        weights = found
        if moved <= SETTLED * max(weights.sum(), 1.0):
            break
    return np.asarray(weights)


def covariance(one: Intervals, weights: Floats) -> Floats:
    """Return the covariance of the weights (168, 168), of Poisson facts: observed information."""
    level = np.maximum(weights, LEAST)
    touched = one.touched()
    inside = touched @ level
    information = (touched * (one.counts / inside**2)[:, None]).T @ touched
    # Hours without a fact: what half a fact there would tell.
    information += np.diag(np.where(weights < LEAST, 1 / level, 0.0))
    return np.asarray(np.linalg.pinv(information, hermitian=True))


def loss(spread: Floats, weights: Floats) -> Floats:
    """Return by how much each hour's variance exceeds its weight (168,), at least 1."""
    return np.maximum(np.diag(spread) / np.maximum(weights, LEAST), 1.0)
