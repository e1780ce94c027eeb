"""What each month of the year does to counts, once trend and what drags on are taken out.

A level that rises all year through makes December higher than January: it is no season. And what
is high one month is often high the next: months are no independent witnesses.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from helpers.core.stats.intervals import DIGITS

Floats = NDArray[np.float64]
MONTHS = 12
# Correlations of neighbouring months that are weighed, each by how likely it makes the counts.
ALIKE = tuple(np.round(np.arange(-0.4, 0.96, 0.1), 1).tolist())


def month_ratios(
    n: NDArray[np.int64], days: NDArray[np.int64], years: Sequence[int], confidence: float
) -> tuple[Floats, Floats, Floats, float]:
    """Return each month's daily rate over the mean of the twelve, low, high (12,), and a p-value.

    `n` and `days` are of shape (years, 12), `years` at least two. Log-linear model of counts more
    variable than chance (variance μ + τ μ², τ by moments), one level a year and one a month, the
    errors of months autoregressive (order 1): fitted by generalised least squares on the log scale
    around the independent fit, averaged over the correlation by its restricted likelihood (Harville
    1974, Biometrika 61).
    The ratios are those left by the slope from year to year, whose error widens their intervals
    (Student's, by the delta method), and hold for the twelve months at once (Šidák 1967, JASA 62):
    what is told is the highest and the lowest, chosen for being so. The F test leaves out of the
    months whatever a slope could make of them: ten contrasts of twelve months, none of which a
    slope moves.
    """
    count, freedom = len(n), 11 * (len(n) - 1)
    alpha, beta, covariance, p = _averaged(n.astype(float), days.astype(float), years)
    place = np.array(years, dtype=float)
    slope_of = (place - place.mean()) / ((place - place.mean()) ** 2).sum()
    slope = float(slope_of @ alpha)
    left = alpha - alpha.mean() - slope * (place - place.mean())
    known = float(slope_of @ covariance[:count, :count] @ slope_of)
    seen = float((left**2).sum() / max(count - 2, 1) * (slope_of**2).sum())
    within = (np.arange(MONTHS) - 5.5) / MONTHS  # how far from the middle of the year, in years
    level = np.exp(beta - slope * within)
    share = level / level.sum()
    contrast = np.eye(MONTHS) - share
    own = np.diag(contrast @ covariance[count:, count:] @ contrast.T)
    tilted = (contrast @ within) ** 2 * max(known, seen)
    steps = freedom if known >= seen else count - 2
    both = (own + tilted) ** 2 / (own**2 / freedom + tilted**2 / steps)
    every = confidence ** (1 / MONTHS)
    reach = special.stdtrit(both, (1 + every) / 2) * np.sqrt(own + tilted)
    ratio = share * MONTHS
    values = (ratio, ratio * np.exp(-reach), ratio * np.exp(reach))
    value, low, high = (np.round(v, DIGITS) for v in values)
    return value, low, high, round(p, DIGITS)


def _averaged(
    n: Floats, days: Floats, years: Sequence[int]
) -> tuple[Floats, Floats, Floats, float]:
    """Return levels (years,), months (12,), covariance of both, p-value."""
    count, freedom = len(n), 11 * (len(n) - 1)
    mean = _two_way(n, days)
    # Where a level falls threefold, the same sway weighs more, on the log scale, than its chance.
    excess = ((n - mean) ** 2).sum() * n.size / freedom - mean.sum()
    sway = max(0.0, float(excess / (mean**2).sum()))
    root = 1 / np.sqrt(1 / mean + sway).ravel()
    response = (np.log(mean / days) + (n - mean) / mean).ravel() * root
    year, month = np.divmod(np.arange(MONTHS * count), MONTHS)
    columns = np.column_stack([
        *(year == one for one in range(count)), *(month == one for one in range(1, MONTHS)),
    ])  # fmt: skip
    design = columns * root[:, None]
    when = np.array(years)[year] * MONTHS + month
    apart = np.abs(np.subtract.outer(when, when))
    likely, fits, chances = [], [], []
    for alike in ALIKE:
        lower = np.linalg.cholesky(alike**apart if alike else np.eye(len(when)))
        x, y = np.linalg.solve(lower, design), np.linalg.solve(lower, response)
        information = x.T @ x
        fitted = np.linalg.solve(information, x.T @ y)
        scale = float(((y - x @ fitted) ** 2).sum() / freedom)
        bent = float(np.log(np.diag(lower)).sum() + np.linalg.slogdet(information)[1] / 2)
        likely.append(-freedom / 2 * np.log(max(scale, 1e-12)) - bent)
        covariance = np.linalg.inv(information) * max(scale, 1.0)
        fits.append((fitted, covariance))
        chances.append(_chance(fitted[count:], covariance[count:, count:], freedom))
    weights = np.exp(np.array(likely) - max(likely))
    weights = weights / weights.sum()
    middle = np.einsum("i,ij->j", weights, np.array([fitted for fitted, _ in fits]))
    spread = sum(
        w * (covariance + np.outer(fitted - middle, fitted - middle))
        for w, (fitted, covariance) in zip(weights, fits, strict=True)
    )
    # January's own, fixed at 0, comes back in its place.
    whole = np.insert(np.insert(np.asarray(spread), count, 0.0, axis=0), count, 0.0, axis=1)
    beta = np.append(0.0, middle[count:])
    return middle[:count], beta, whole, float(weights @ np.array(chances))


def _chance(months: Floats, covariance: Floats, freedom: int) -> float:
    """Return the F test's p-value of the months (11,) beyond what a slope could make of them."""
    taken = np.column_stack([np.ones(MONTHS), np.arange(MONTHS)])
    basis = np.linalg.qr(np.column_stack([taken, np.eye(MONTHS)[:, : MONTHS - 2]]))[0][:, 2:]
    free = basis[1:].T  # January is fixed at 0
    found = free @ months
    value = float(found @ np.linalg.solve(free @ covariance @ free.T, found)) / len(found)
    return float(special.fdtrc(len(found), freedom, value))


def _two_way(n: Floats, days: Floats) -> Floats:
    """Return the means days × year × month that keep the totals of `n` (Deming & Stephan 1940)."""
    month = np.ones(n.shape[1])
    for _ in range(500):
        year = n.sum(axis=1) / (days * month).sum(axis=1)
        before, month = month, n.sum(axis=0) / (days * year[:, None]).sum(axis=0)
        if np.abs(month / before - 1).max() < 1e-12:
            break
    return np.asarray(days * year[:, None] * month)
