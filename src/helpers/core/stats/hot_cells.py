"""Whether values gather around each place: local statistics Gi and Gi*, and how chance would do."""

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


def chance(counts: Floats, weights: sparse.csr_array, exposure: Floats | None = None) -> Floats:
    """Return, for each place (n,), the chance that as many facts gather around it; NaN as 1.

    The larger of two tails. That of Gi* (normal) asks whether the place stands out in this city,
    uneven as it is; where most cells hold no fact it is far too ready, finding something hot in
    half or more of the cities in which chance alone is at work. The exact binomial tail asks
    whether facts thrown at random over the city would do as much: with it, chance is found as
    often as said.

    With `exposure` (n,), positive, chance throws facts as it lies (people present, say), and Gi*
    is that of Pearson's residuals; where it is the same everywhere this changes nothing.
    """
    size = np.ones(len(counts)) if exposure is None else exposure
    sums = np.asarray(weights @ counts)
    total, share = counts.sum(), np.asarray(weights @ size) / size.sum()
    thrown = special.betainc(np.maximum(sums, 1), total - np.maximum(sums, 1) + 1, share)
    expected = total * size / size.sum()
    apart = counts if exposure is None else (counts - expected) / np.sqrt(expected)
    uneven = special.ndtr(-np.nan_to_num(gi_star(apart, weights), nan=-np.inf))
    return np.asarray(np.maximum(uneven, np.where(sums > 0, thrown, 1.0)))
