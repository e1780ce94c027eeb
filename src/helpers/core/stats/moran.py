"""Whether neighbouring places have values more alike than chance: global Moran's I."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, spatial

Floats = NDArray[np.float64]
Weights = sparse.csr_array


def nearest(points: Floats, number: int) -> Weights:
    """Return row-standardised weights (n, n) of the `number` points nearest to each.

    Every place has neighbours, islands too; needs more points than `number`. Points at equal
    distances are taken in their order.
    """
    away = spatial.distance.squareform(spatial.distance.pdist(points))
    np.fill_diagonal(away, np.inf)
    near = np.argsort(away, axis=1, kind="stable")[:, :number]
    n = len(points)
    rows = np.repeat(np.arange(n), number)
    return sparse.csr_array((np.full(n * number, 1 / number), (rows, near.ravel())), shape=(n, n))


def global_moran(values: Floats, weights: Weights) -> float:
    """Return Moran's I of `values` (n,): (n / Σw)·Σᵢⱼ wᵢⱼ zᵢ zⱼ / Σ zᵢ²; NaN where they are equal.

    Moran, P. A. P. (1950), Notes on continuous stochastic phenomena, Biometrika 37; Cliff, A. D. &
    Ord, J. K. (1981), Spatial processes, eq. 1.44.
    """
    z = values - values.mean()
    if not np.any(np.abs(z) > 1e-12 * max(1.0, float(np.abs(values).max()))):
        return float("nan")
    return float(len(z) / weights.sum() * (z @ (weights @ z)) / (z @ z))


def permutation_p(
    values: Floats, weights: Weights, permutations: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return Moran's I and its p-value: the share of shuffles at least as alike, itself counted.

    One-sided, towards neighbours that are alike. NaN, 1 where the values are equal.
    """
    found = global_moran(values, weights)
    if np.isnan(found):
        return found, 1.0
    z = values - values.mean()
    shuffled = rng.permuted(np.tile(z, (permutations, 1)), axis=1)
    drawn = np.einsum("ij,ij->i", shuffled, (weights @ shuffled.T).T)
    limit = z @ (weights @ z)
    reached = int(np.sum(drawn >= limit - 1e-9 * abs(limit)))
    return found, (reached + 1) / (permutations + 1)
