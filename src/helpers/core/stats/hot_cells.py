"""Whether a place holds more than its due, by its own count, or with its neighbours (Gi, Gi*)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, spatial, special

Floats = NDArray[np.float64]


def neighbours(points: Floats, radius: float) -> sparse.csr_array:
    """Return the binary weights (n, n) of points at most `radius` apart, each its own neighbour."""
    tree = spatial.KDTree(points)
    pairs = tree.query_pairs(radius, output_type="ndarray")
    n = len(points)
    rows = np.concatenate([pairs[:, 0], pairs[:, 1], np.arange(n)])
    columns = np.concatenate([pairs[:, 1], pairs[:, 0], np.arange(n)])
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(n, n))


def gi_star(values: Floats, weights: sparse.csr_array) -> Floats:
    """Return the standard score Gi* of each place; shape (n,). NaN where it is not defined.

    Ord, J. K. & Getis, A. (1995), Local spatial autocorrelation statistics, Geographical
    Analysis 27, eq. 14; `weights` is binary and counts each place among its own neighbours.
    """
    n = len(values)
    mean = values.mean()
    deviation = np.sqrt((values**2).mean() - mean**2)
    size = np.asarray(weights.sum(axis=1)).ravel()
    spread = deviation * np.sqrt((n * size - size**2) / (n - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((weights @ values - mean * size) / spread)


def gi(values: Floats, weights: sparse.csr_array) -> Floats:
    """Return the standard score Gi of each place (n,): its neighbours among all but itself.

    Eq. 12 of the same paper, `weights` as for `gi_star` (the place itself is taken out here). A
    lone cell of many facts is cold by Gi and hot by Gi*: the maps use Gi*.
    """
    n = len(values)
    mean = (values.sum() - values) / (n - 1)
    deviation = np.sqrt(((values**2).sum() - values**2) / (n - 1) - mean**2)
    size = np.asarray(weights.sum(axis=1)).ravel() - 1
    spread = deviation * np.sqrt(((n - 1) * size - size**2) / (n - 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((weights @ values - values - mean * size) / spread)


def crowded(counts: Floats, times: float, size: Floats | None = None) -> Floats:
    """Return, for each place (n,), the chance of its own count or more at `times` its due.

    The exact binomial tail: of all the facts, each falls in the place with `times` its share of
    `size` (n,), positive, the same everywhere if None. A small value says that the place's true
    rate is above `times` the mean, its neighbours left aside. Facts are taken as independent.
    """
    share = np.full(len(counts), 1 / len(counts)) if size is None else size / size.sum()
    return tail(counts, counts.sum(), times * share)


def tail(counts: Floats, total: Floats | float, share: Floats) -> Floats:
    """Return the chance that so many facts of `total` or more fall in a `share` (n,) of them."""
    some = np.maximum(counts, 1)
    above = special.betainc(some, np.maximum(total - some + 1, 1), np.minimum(share, 1.0))
    return np.asarray(np.where(counts > 0, above, 1.0))


def chance(counts: Floats, weights: sparse.csr_array) -> Floats:
    """Return, for each place (n,), the chance that as many facts gather around it; NaN as 1.

    The larger of two tails. That of Gi* (normal) asks whether the place stands out in this city,
    uneven as it is; where most cells hold no fact it is far too ready, finding something hot in
    half or more of the cities in which chance alone is at work. The exact binomial tail asks
    whether facts thrown at random over the city would do as much: with it, chance is found as
    often as said.
    """
    around = np.asarray(weights.sum(axis=1)).ravel() / len(counts)
    thrown = tail(np.asarray(weights @ counts), counts.sum(), around)
    uneven = special.ndtr(-np.nan_to_num(gi_star(counts, weights), nan=-np.inf))
    return np.asarray(np.maximum(uneven, thrown))


class OtherYears:
    """Years as likely as the one that is known: rates as they may truly be, then Poisson counts.

    A cell that is hot owes part of its count to luck, so a draw around the count itself makes it
    hot again too often. Rates have the law that explains all the counts best, of any shape (Kiefer
    & Wolfowitz 1956, by EM on a grid: Laird 1978), and each cell the part of it that its own count
    leaves likely (Robbins 1956).
    """

    GRID, TURNS = 80, 400

    def __init__(self, counts: Floats) -> None:
        values, self._of, held = np.unique(counts, return_inverse=True, return_counts=True)
        top = values[-1] + 1.0
        self.rates = np.geomspace(min(0.01, counts.mean() / 20 + 1e-9), top, self.GRID)
        log = special.xlogy(values[:, None], self.rates) - self.rates
        likely = np.exp(log - log.max(axis=1, keepdims=True))
        law = np.full(self.GRID, 1 / self.GRID)
        for _ in range(self.TURNS):
            law *= (held / (likely @ law)) @ likely / len(counts)
        after = likely * law
        self._reached = np.cumsum(after / after.sum(axis=1, keepdims=True), axis=1)

    def draw(self, rng: np.random.Generator) -> Floats:
        """Return the counts (n,) of one other year."""
        asked = rng.random(len(self._of))
        at = (self._reached[self._of] < asked[:, None]).sum(axis=1)
        rates = self.rates[np.minimum(at, self.GRID - 1)]
        return np.asarray(rng.poisson(rates), dtype=np.float64)
