"""Rates of zones: shrunk towards the whole, compared with neighbours.

`n` is a count of facts and `exposure` what it is brought to (people present, say), shapes (z,).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
TIE = 1e-9  # below, two statistics are equal: the order of a sum may differ


@dataclass(frozen=True)
class Rates:
    """Rates by zone, shrunk: value, low, high; `mean` of all, `variance` between zones."""

    value: Floats
    low: Floats
    high: Floats
    mean: float
    variance: float


def empirical_bayes(n: Floats, exposure: Floats, confidence: float) -> Rates:
    """Return the rates of a gamma-Poisson model whose prior is that of all the zones.

    Moments of Marshall, R. J. (1991), Mapping disease and mortality rates using empirical Bayes
    estimators, Applied Statistics 40, eq. 6; interval of the posterior gamma. Where the zones
    differ no more than chance, all have the mean.
    """
    mean = float(n.sum() / exposure.sum())
    raw = n / exposure
    spread = float((exposure * (raw - mean) ** 2).sum() / exposure.sum())
    variance = max(0.0, spread - mean / float(exposure.mean()))
    if variance <= 0 or mean <= 0:
        same = np.full(len(n), mean)
        return Rates(same, same, same, mean, 0.0)
    shape, rate = mean**2 / variance + n, mean / variance + exposure
    tail = (1 - confidence) / 2
    low, high = (special.gammaincinv(shape, q) / rate for q in (tail, 1 - tail))
    return Rates(shape / rate, low, high, mean, variance)


def local_moran(
    values: Floats, weights: sparse.csr_array, permutations: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the local Moran's I of each place and its two-sided p-value, shapes (n,).

    Anselin, L. (1995), Local indicators of spatial association, Geographical Analysis 27, eq. 12,
    with conditional permutations: the place keeps its value, its neighbours' are drawn among all
    the others. `weights` are row-standardised and equal within a row (ValueError otherwise).
    Places without neighbour have p = 1.

    One set of draws serves all places: of each, as many values as there are neighbours and one
    more, which takes the place's own value's stead where it was drawn. A draw's sum is then the
    same for nearly all, and only ranks are looked up: the cost hardly grows with the places.
    """
    n = len(values)
    z = values - values.mean()
    scale = float(np.sqrt((z**2).mean()))
    if scale <= 0:
        return np.zeros(n), np.ones(n)
    z /= scale
    lag = np.asarray(weights @ z)
    held = np.diff(weights.indptr)
    if not np.allclose(weights.data, np.repeat(1 / np.maximum(held, 1), held)):
        raise ValueError("the weights of a row are not equal")
    drawn = distinct(permutations, n, int(held.max()) + 1, rng)
    p = np.ones(n)
    for size in np.unique(held[held > 0]):
        asked = held == size
        sums = z[drawn[:, :size]].sum(axis=1) / size
        ranked = np.sort(sums)
        above = permutations - np.searchsorted(ranked, lag - TIE, "left")
        below = np.searchsorted(ranked, lag + TIE, "right")
        place = drawn[:, :size].ravel()
        as_was = np.repeat(sums, size)
        instead = as_was + (np.repeat(z[drawn[:, size]], size) - z[place]) / size
        low, high = lag[place] - TIE, lag[place] + TIE
        np.add.at(above, place, (instead >= low).astype(int) - (as_was >= low))
        np.add.at(below, place, (instead <= high).astype(int) - (as_was <= high))
        p[asked] = np.minimum(1.0, 2 * (np.minimum(above, below)[asked] + 1) / (permutations + 1))
    return z * lag, p


def distinct(rows: int, among: int, size: int, rng: np.random.Generator) -> Ints:
    """Return, in each of the rows, `size` different whole numbers below `among`, in any order."""
    found = np.empty((rows, size), dtype=np.int64)
    for k in range(size):
        drawn = rng.integers(0, among - k, rows)
        for taken in np.sort(found[:, :k], axis=1).T:
            drawn += drawn >= taken
        found[:, k] = drawn
    return found
