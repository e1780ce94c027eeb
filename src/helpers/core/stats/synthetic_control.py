"""One treated unit held against a weighted mean of others: synthetic control, and its kin.

Plain difference in differences gives all controls one weight; the synthetic control chooses weights
that follow the treated unit before the action (Abadie, A. & Gardeazabal, J. 2003, American Economic
Review 93; Abadie, Diamond & Hainmueller 2010, JASA 105); synthetic difference in differences
weighs units and periods, and lets levels differ (Arkhangelsky, D., Athey, S., Hirshberg, D.,
Imbens, G. & Wager, S. 2021, American Economic Review 111).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Floats = NDArray[np.float64]
STEP = 2.0  # of the search for the predictors' weights, on the log scale
TOLERANCE = 1e-10
LOOKS = 20_000


@dataclass(frozen=True)
class Synthetic:
    """Weights (controls,) that sum to 1, and the gap treated − synthetic in each period."""

    weights: Floats
    gap: Floats


def simplex(matrix: Floats, target: Floats, ridge: float = 0.0) -> Floats:
    """Return the weights w ≥ 0 of sum 1 that make |matrix w − target|² + ridge |w|² least.

    `matrix` (n, m), `target` (n,). Exact: among weights of sum s, the least of |Bw|² + (s − 1)²,
    where B w is what is left, is the constrained solution, scaled (Lawson & Hanson 1974, chapter
    23, for the active set).
    """
    left = matrix - target[:, None]
    if ridge > 0:
        left = np.vstack([left, np.sqrt(ridge) * np.eye(matrix.shape[1])])
    left = left / max(float(np.sqrt((left**2).sum(axis=0)).min()), 1e-12)
    sum_row = np.ones((1, matrix.shape[1]))
    aim = np.append(np.zeros(len(left)), 1.0)
    weights, _ = optimize.nnls(np.vstack([left, sum_row]), aim, maxiter=50 * matrix.shape[1])
    return np.asarray(weights / weights.sum())


def difference(treated: Floats, controls: Floats, before: int) -> float:
    """Return the treated unit's change less that of the controls' mean.

    `treated` (periods,), `controls` (units, periods); the first `before` periods precede.
    """
    gap = treated - controls.mean(axis=0)
    return float(gap[before:].mean() - gap[:before].mean())


def by_outcome(treated: Floats, controls: Floats, before: int) -> Synthetic:
    """Return the synthetic control fitted on all outcomes before the action; as `difference`."""
    weights = simplex(controls[:, :before].T, treated[:before])
    return Synthetic(weights, np.asarray(treated - weights @ controls))


def by_predictors(
    treated: Floats, controls: Floats, fitted: slice, predictors: Floats
) -> Synthetic:
    """Return the synthetic control fitted on predictors, weighed so that outcomes are followed.

    `predictors` (k, 1 + units), the treated unit first; `fitted` the periods whose outcomes the
    predictors' weights must follow. These weights are a search without a single end (log weights,
    Nelder & Mead 1965, from equal ones): other starts may follow better with other controls, which
    is a reason to show `by_outcome` beside.
    """
    x = predictors / predictors.std(axis=1, ddof=1, keepdims=True)

    def chosen(log: Floats) -> Floats:
        root = np.exp((log - log.max()) / 2)
        return simplex(root[:, None] * x[:, 1:], root * x[:, 0])

    def left(log: Floats) -> float:
        off = treated[fitted] - chosen(log) @ controls[:, fitted]
        return float((off**2).mean())

    size = len(x)
    first = np.vstack([np.zeros(size), STEP * np.eye(size)])
    found = optimize.minimize(
        left, np.zeros(size), method="Nelder-Mead",
        options={"initial_simplex": first, "maxfev": LOOKS, "maxiter": LOOKS, "fatol": TOLERANCE},
    )  # fmt: skip
    weights = chosen(np.asarray(found.x))
    return Synthetic(weights, np.asarray(treated - weights @ controls))


def synthetic_difference(treated: Floats, controls: Floats, before: int) -> float:
    """Return the synthetic difference in differences of one treated unit; as `difference`.

    Ridges as in the paper: (treated × after)^¼ of the noise for units, next to none for periods.
    """
    early, late = controls[:, :before], controls[:, before:]
    noise = float(np.diff(early, axis=1).std(ddof=1))
    after = late.shape[1]
    of_units = simplex(
        (early - early.mean(axis=1, keepdims=True)).T,
        treated[:before] - treated[:before].mean(),
        np.sqrt(after) * noise**2 * before,
    )
    mean = late.mean(axis=1)
    of_periods = simplex(
        early - early.mean(axis=0), mean - mean.mean(), (1e-6 * noise) ** 2 * len(early)
    )
    gap = treated - of_units @ controls
    return float(gap[before:].mean() - of_periods @ gap[:before])


def placebo_rank(treated: Floats, controls: Floats, before: int) -> float:
    """Return the share of units whose gap widens as much as the treated one's, itself included.

    Ratio of squared gaps after and before, each control in turn taken for treated among the others
    (Abadie, Diamond & Hainmueller 2010): a p-value, never below 1 / (controls + 1).
    """
    ratios = [_widening(by_outcome(treated, controls, before).gap, before)]
    for unit in range(len(controls)):
        others = np.delete(controls, unit, axis=0)
        ratios.append(_widening(by_outcome(controls[unit], others, before).gap, before))
    return float(np.mean(np.array(ratios) >= ratios[0]))


def _widening(gap: Floats, before: int) -> float:
    return float((gap[before:] ** 2).mean() / max(float((gap[:before] ** 2).mean()), 1e-12))
