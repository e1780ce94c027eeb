"""Numbers with their uncertainty: value, interval, status. Missing is never zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

# Results are rounded to this many digits before they are written or drawn: the last bits of a
# float may depend on the processor, and nobody reads them.
DIGITS = 6


def poisson_interval(count: ArrayLike, confidence: float) -> tuple[Floats, Floats]:
    """Return the exact interval of a Poisson mean for each count, same shape as `count`.

    Garwood, F. (1936), Fiducial limits for the Poisson distribution, Biometrika 28.
    """
    n = np.asarray(count, dtype=float)
    tail = (1 - confidence) / 2
    low = np.where(n > 0, special.gammaincinv(np.maximum(n, 1), tail), 0.0)
    high = special.gammaincinv(n + 1, 1 - tail)
    return _rounded(low), _rounded(high)


def _rounded(values: ArrayLike) -> Floats:
    return np.round(np.asarray(values, dtype=float), DIGITS)


def dispersion(counts: ArrayLike) -> float:
    """Return the ratio of variance to mean of counts that should be Poisson, at least 1."""
    n = np.asarray(counts, dtype=float)
    if n.size < 2 or n.mean() == 0:
        return 1.0
    return float(max(1.0, n.var(ddof=1) / n.mean()))


def rate_ratio(
    recent: ArrayLike, before: ArrayLike, confidence: float
) -> tuple[float, float, float]:
    """Return the ratio of mean counts (recent / before), with its interval.

    Quasi-Poisson: Wald interval on the log ratio, its variance multiplied by the dispersion of
    the counts within the two spans (McCullagh & Nelder 1989, §6.2). Both sums must be positive.
    """
    a, b = np.asarray(recent, dtype=float), np.asarray(before, dtype=float)
    if a.sum() <= 0 or b.sum() <= 0:
        raise ValueError("a ratio needs positive counts on both sides")
    phi = max(dispersion(a), dispersion(b))
    spread = special.ndtri((1 + confidence) / 2) * np.sqrt(phi * (1 / a.sum() + 1 / b.sum()))
    ratio = a.mean() / b.mean()
    values = (ratio, ratio * np.exp(-spread), ratio * np.exp(spread))
    value, low, high = (round(float(v), DIGITS) for v in values)
    return value, low, high


def joint_ranks(low: ArrayLike, high: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the best and the worst rank (1 is the greatest) that the intervals leave, shape (n,).

    One more than the intervals wholly above, and as many as are not wholly below. Where all the
    intervals hold together at a level, so do the ranks (Klein, M., Wright, T. & Wieczorek, J. 2020,
    A joint confidence region for an overall ranking of populations, JRSS C 69, theorem 1).
    """
    bottom, top = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    above = len(top) - np.searchsorted(np.sort(bottom), top, side="right")
    below = np.searchsorted(np.sort(top), bottom, side="left")
    return np.asarray(above + 1, np.int64), np.asarray(len(top) - below, np.int64)
