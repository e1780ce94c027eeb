"""How good a forecast of a count is: proper scores, calibration, coverage. Arrays in, arrays out.

A forecast is a mean and a dispersion `alpha`: the variance is mean + alpha × mean², a negative
binomial, Poisson's where `alpha` is 0 (Hilbe 2011, Negative Binomial Regression, §8.2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from helpers.core.stats.intervals import DIGITS

Floats = NDArray[np.float64]
LEAST = 1e-9  # of a mean: none is zero, a count never seen is not impossible
SLACK = 1e-10  # far below what is told, far above what a sum loses
POISSON = 1e-6  # a dispersion below it changes nothing that six digits show
BLOCK = 4096  # rows scored at a time: they stay in the processor's cache
WIDE = 800  # likely counts, above which a sum is an integral
NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)


def rounded(value: float) -> float:
    """Return a value of a table, to DIGITS; a half goes up, whatever the last bits of the sum.

    A mean of numbers that were rounded is a half as often as not, and which way it goes would hang
    on the order of a sum, and so on the processor.
    """
    return round(float(value) + SLACK, DIGITS)


def prepared(mean: ArrayLike, alpha: ArrayLike) -> tuple[Floats, Floats]:
    """Return mean and dispersion of one shape, the mean positive, a tiny dispersion zero."""
    m, a = np.broadcast_arrays(np.asarray(mean, dtype=float), np.asarray(alpha, dtype=float))
    return np.maximum(m, LEAST), np.where(a < POISSON, 0.0, a)


def cumulated(count: ArrayLike, mean: ArrayLike, alpha: ArrayLike) -> Floats:
    """Return the chance of `count` facts or fewer; 0 below zero. All of one shape."""
    m, a = prepared(mean, alpha)
    k = np.asarray(count, dtype=float)
    spread = a > 0
    size = 1 / np.where(spread, a, 1.0)
    least = np.maximum(k, 0)
    wide = special.betainc(size, least + 1, size / (size + m))
    return np.where(k < 0, 0.0, np.where(spread, wide, special.gammaincc(least + 1, m)))


def log_chance(count: ArrayLike, mean: ArrayLike, alpha: ArrayLike) -> Floats:
    """Return the logarithm of the chance of each count."""
    m, a = prepared(mean, alpha)
    k = np.asarray(count, dtype=float)
    spread = a > 0
    size = 1 / np.where(spread, a, 1.0)
    wide = special.gammaln(k + size) - special.gammaln(size) - size * np.log1p(m / size)
    wide = wide + k * (np.log(m) - np.log(size + m))
    found = np.where(spread, wide, k * np.log(m) - m) - special.gammaln(k + 1)
    return np.asarray(found, dtype=np.float64)


def quantiles(mean: ArrayLike, alpha: ArrayLike, at: ArrayLike) -> NDArray[np.int64]:
    """Return the quantiles `at` (q,) of each forecast (n,): the least count that reaches each one.

    Shape (q, n).
    """
    m, a = prepared(mean, alpha)
    share = np.asarray(at, dtype=float)[:, None]
    size = 1 / np.where(a > 0, a, 1.0)
    wide = stats.nbinom.ppf(share, size, size / (size + m))
    return np.asarray(np.where(a > 0, wide, stats.poisson.ppf(share, m)), dtype=np.int64)


def crps(observed: ArrayLike, mean: ArrayLike, alpha: ArrayLike) -> Floats:
    """Return the continuous ranked probability score of each forecast (n,); 0 is perfect.

    Σ over k of (F(k) − [observed ≤ k])². Gneiting & Raftery (2007), JASA 102, eq. 20; for counts
    Wei & Held (2014), Test 23. Summed one by one, to 1e-9, or, where more than `WIDE` counts are
    likely, as an integral, to 1e-4 of its value.
    """
    y, m, a = np.broadcast_arrays(np.asarray(observed, dtype=float), *prepared(mean, alpha))
    y, m, a = y.ravel(), m.ravel(), a.ravel()
    ratio = 1 + a * m  # variance over mean
    deviation = np.sqrt(m * ratio)
    low = np.floor(np.maximum(m - 9 * deviation, 0))
    # Beyond, a Poisson tail falls faster than any power, a negative binomial's by `fall` a step.
    fall = np.log(ratio / np.maximum(ratio - 1, LEAST))
    high = np.ceil(m + 8 * deviation + 8 + 21 / fall)
    order = np.argsort(high - low, kind="stable")
    narrow = int(np.searchsorted((high - low)[order], WIDE))
    found = np.empty(len(y))
    for start in range(0, narrow, BLOCK):
        rows = order[start : min(start + BLOCK, narrow)]
        found[rows] = _summed(y[rows], m[rows], a[rows], low[rows], high[rows])
    for start in range(narrow, len(y), BLOCK):
        rows = order[start : start + BLOCK]
        found[rows] = _integrated(y[rows], m[rows], a[rows], low[rows], high[rows])
    return found


def _summed(y: Floats, m: Floats, a: Floats, low: Floats, high: Floats) -> Floats:
    rounds = int((high - low).max()) + 1  # of the widest row: for the others, nothing is left
    chance, reached = np.exp(log_chance(low, m, a)), cumulated(low - 1, m, a)
    step = m / (1 + a * m)
    total = np.maximum(low - y, 0) + np.maximum(y - low - rounds, 0)
    for i in range(rounds):
        k = low + i
        reached += chance
        missed = reached - (k >= y)
        total += missed * missed
        chance *= step * (1 + a * k) / (k + 1)
    return total


def _integrated(y: Floats, m: Floats, a: Floats, low: Floats, high: Floats) -> Floats:
    """Return the sums by Gauss and Legendre's rule on each side of the count observed.

    F is smooth in k here; the half step at the count is Euler and Maclaurin's.
    """
    middle = np.clip(y, low, high) - 0.5
    total = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    for start, end, above in ((low - 0.5, middle, 0.0), (middle, high + 0.5, 1.0)):
        half = (end - start) / 2
        for node, weight in zip(NODES, WEIGHTS, strict=True):
            k = start + half * (1 + node)
            total += weight * half * (cumulated(np.maximum(k, 0), m, a) - above) ** 2
    inside = (y >= low) & (y <= high)
    return np.asarray(total - np.where(inside, np.exp(log_chance(y, m, a)), 0) / 12)


def pit(observed: Floats, mean: Floats, alpha: Floats, rng: np.random.Generator) -> Floats:
    """Return the randomised probability integral transform (n,): uniform if forecasts are right.

    Czado, Gneiting & Held (2009), Predictive model assessment for count data, Biometrics 65.
    """
    below, upto = (cumulated(k, mean, alpha) for k in (observed - 1, observed))
    return below + rng.random(len(observed)) * (upto - below)


def from_uniform(transformed: Floats) -> float:
    """Return the greatest distance of the values to a uniform law (Kolmogorov & Smirnov)."""
    ordered, n = np.sort(transformed), len(transformed)
    if not n:
        return float("nan")
    steps = np.arange(n)
    return float(max(((steps + 1) / n - ordered).max(), (ordered - steps / n).max()))


def covered(transformed: Floats, level: float) -> float:
    """Return how often the central interval of `level` held the count, ends shared out at random.

    `transformed`: the values of `pit`. A count has no interval of exactly 80 %; this one has.
    """
    return float((np.abs(transformed - 0.5) <= level / 2).mean()) if len(transformed) else np.nan


def dispersion_of(observed: Floats, mean: Floats) -> tuple[float, float]:
    """Return phi and alpha, none negative: the variance is mean × (1 + phi + alpha × mean).

    Weighted least squares of the squared Pearson residual, less one, on 1 and the mean; a small
    mean tells little of its variance and weighs little. McCullagh & Nelder (1989), §6.2, §9.2.
    """
    m = np.maximum(np.asarray(mean, dtype=float).ravel(), LEAST)
    if not m.size:
        return 0.0, 0.0
    excess = (np.asarray(observed, dtype=float).ravel() - m) ** 2 / m - 1
    weight = 1 / (2 + 1 / m)
    ones, slope = (weight * m**i for i in (0, 1))
    both = np.array([[ones.sum(), slope.sum()], [slope.sum(), (slope * m).sum()]])
    right = np.array([(ones * excess).sum(), (slope * excess).sum()])
    phi, alpha = np.linalg.lstsq(both, right, rcond=None)[0]
    if phi < 0 or alpha < 0:
        alone = np.maximum(right / np.diag(both), 0)
        gain = alone * right
        phi, alpha = (alone[0], 0.0) if gain[0] >= gain[1] else (0.0, alone[1])
    return float(phi), float(alpha)
