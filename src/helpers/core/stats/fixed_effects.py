"""What changes in a zone when something opens there: each zone compared with itself, week by week.

A building site opens where many people pass: zones with and without cannot be compared. Each zone
is its own measure instead, and each week that of the whole city.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
TOLERANCE = 1e-10
ROUNDS = 50


def within(
    counts: Floats, present: Floats, heard: Bools | None = None
) -> tuple[float, float] | None:
    """Return the log ratio for one more of `present`, and its standard error; None if undefined.

    All (zones, weeks); a zone's weeks that are not `heard` are no zero, they tell nothing. Poisson
    with an effect of each zone and each week: given a zone's total, its weeks are multinomial
    (Hausman, J., Hall, B. & Griliches, Z. 1984, Econometrica 52). The error is robust to any
    dependence of weeks within a zone (sandwich over zones; Wooldridge, J. M. 1999, Journal of
    Econometrics 90), so overdispersed counts are no trouble.
    """
    told = np.ones(counts.shape, dtype=bool) if heard is None else heard
    counts = np.where(told, counts, 0.0)
    totals = counts.sum(axis=1)
    kept, held = totals > 0, counts.sum(axis=0) > 0
    y, x, total, told = (*(table[kept][:, held] for table in (counts, present)), totals[kept],
                         told[kept][:, held])  # fmt: skip
    if y.shape[1] < 2 or not (np.ptp(x, axis=1) > 0).any():
        return None
    theta = np.append(np.log(y.sum(axis=0)), 0.0)
    theta[:-1] -= theta[0]
    for _ in range(ROUNDS):
        scores, hessian = _derivatives(y, x, total, theta, told)
        if np.linalg.cond(hessian) > 1e12:
            return None
        step = np.linalg.solve(hessian, scores.sum(axis=0))
        theta[1:] += step
        if np.abs(step).max() < TOLERANCE:
            bread = np.linalg.inv(hessian)
            spread = bread @ (scores.T @ scores) @ bread * len(y) / (len(y) - 1)
            return float(theta[-1]), float(np.sqrt(spread[-1, -1]))
    return None


def _derivatives(
    y: Floats, x: Floats, total: Floats, theta: Floats, told: Bools
) -> tuple[Floats, Floats]:
    """Return each zone's score (zones, weeks) and the information (weeks, weeks).

    The first week's effect is fixed at 0; the last parameter is that of `x`.
    """
    level = theta[:-1] + theta[-1] * x
    share = np.exp(level - level.max(axis=1, keepdims=True)) * told
    share /= share.sum(axis=1, keepdims=True)
    expected = total[:, None] * share
    off = x - (share * x).sum(axis=1, keepdims=True)
    scores = np.column_stack([(y - expected)[:, 1:], ((y - expected) * x).sum(axis=1)])
    weeks = np.diag(expected.sum(axis=0)) - share.T @ expected
    cross = (expected * off).sum(axis=0)
    among = np.block([[weeks[1:, 1:], cross[1:, None]], [cross[None, 1:], np.array(
        [[(expected * off**2).sum()]])]])  # fmt: skip
    return scores, among
