"""What a count would be if nothing had changed, and the interval that says how sure that is.

Two ways, chosen by how much past there is, never by what it holds (a choice made on the counts
would spoil the level of the interval). `by_the_year_before`: the level of the year before, as the
calendar moves it; how far such a forecast errs is learnt from the same forecasts made in the past,
not from how well a curve fits. `by_references`: past periods side by side, Student's predictive
interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.quasi_poisson import Bools, Floats

FEWEST_FORECASTS = 8  # past forecasts; fewer do not tell how they err
TREND_FROM = 6  # past years from which their slope is taken on; below, it is not known
FITTED = 4  # degrees of freedom that the season took from the past forecasts
HALF = 0.5  # Jeffreys' prior, in facts


@dataclass(frozen=True)
class Expected:
    """Expected counts and intervals, each (zones,); `references`: past periods they rest on."""

    value: Floats
    low: Floats
    high: Floats
    references: int


@dataclass(frozen=True)
class Forecasts:
    """A period's forecasts, the latest first: (zones, forecasts) counts, (forecasts,) exposures.

    `n` and `e`: the period; `base` and `base_e`: the year before it. `sound`: (forecasts,), those
    whose days were heard. The first one is to be judged.
    """

    n: Floats
    e: Floats
    base: Floats
    base_e: Floats
    sound: Bools

    def means(self) -> tuple[Floats, Floats]:
        """Return what was forecast, and its shape as a gamma variable (zones, forecasts)."""
        shape = self.base + HALF
        scale = np.divide(self.e, self.base_e, out=np.zeros_like(self.e), where=self.base_e > 0)
        return shape * scale, shape


def by_the_year_before(held: Forecasts, confidence: float, known: float = 0.0) -> Expected | None:
    """Return what is expected of the first forecast; None where too few of the past tell.

    Row 0 is the city, and learns for itself; the zones learn together. `known`: relative variance
    of the forecast that past ones do not show (a change of recording since).
    """
    past = np.flatnonzero(held.sound[1:]) + 1
    if not held.sound[0] or len(past) < FEWEST_FORECASTS:
        return None
    means, shape = held.means()
    spare = effective(held.n[0, past], means[0, past], shape[0, past])
    spread = np.empty(len(held.n))
    for rows in (slice(0, 1), slice(1, None)):
        spread[rows] = sway(held.n[rows][:, past], means[rows][:, past], shape[rows][:, past])
    spread *= len(past) / max(len(past) - FITTED, 1)
    mean, tail = means[:, 0], (1 - confidence) / 2
    more = (1 / shape[:, 0] + spread + known) * mean**2
    wider = (special.stdtrit(spare, 1 - tail) / special.ndtri(1 - tail)) ** 2
    low, high = count_interval(mean, more * wider, tail)
    value = np.round(mean * held.base[:, 0] / shape[:, 0], DIGITS)
    return Expected(value, low, high, len(past))


def band(held: Forecasts, row: int, confidence: float) -> Expected | None:
    """Return what was expected of each of one row's forecasts, the latest first: (forecasts,).

    The usual range that a curve is drawn upon: `by_the_year_before`, of every forecast instead of
    the first one. NaN where the year before was not heard; None where too few of the past tell.
    """
    past = np.flatnonzero(held.sound[1:]) + 1
    if len(past) < FEWEST_FORECASTS:
        return None
    means, shape = held.means()
    alike = slice(0, 1) if row == 0 else slice(1, None)  # who learn their sway together
    spread = sway(held.n[alike][:, past], means[alike][:, past], shape[alike][:, past])
    spread *= len(past) / max(len(past) - FITTED, 1)
    spare = effective(held.n[0, past], means[0, past], shape[0, past])
    mean, tail = means[row], (1 - confidence) / 2
    wider = (special.stdtrit(spare, 1 - tail) / special.ndtri(1 - tail)) ** 2
    low, high = count_interval(mean, (1 / shape[row] + spread) * mean**2 * wider, tail)
    value, low, high = (
        np.where(held.sound, one, np.nan) for one in (np.round(mean, DIGITS), low, high)
    )
    return Expected(value, low, high, len(past))


def sway(n: Floats, means: Floats, shape: Floats) -> float:
    """Return the relative variance of forecasts beyond that of counts; moments, at least 0.

    All (zones, forecasts): one figure for all of them.
    """
    if not n.size:
        return 0.0
    excess = (n - means) ** 2 - means - means**2 / shape
    return max(0.0, float(excess.sum() / max((means**2).sum(), 1e-9)))


def effective(n: Floats, means: Floats, shape: Floats) -> float:
    """Return how many independent forecasts tell their spread as well as these (forecasts,).

    Errors that drag on tell less: N / (1 + 2 Σ ρ²) (Bayley & Hammersley 1946, JRSS Supplement 8,
    for a variance); a chance correlation's 1/N is taken off each ρ².
    """
    error = (n - means) / np.sqrt(np.maximum(means + means**2 / shape, 1e-9))
    count = len(error)
    total = float((error**2).sum())
    if total <= 0:
        return float(max(count - FITTED, 1))
    lags = range(1, count // 4 + 1)
    squares = [float((error[k:] * error[:-k]).sum() / total) ** 2 - 1 / count for k in lags]
    return max(count / (1 + 2 * max(sum(squares), 0.0)) - FITTED, 1.0)


def count_interval(mean: Floats, more: Floats, tail: float) -> tuple[Floats, Floats]:
    """Return the quantiles of counts of that mean and of variance mean + `more`, each (zones,).

    Negative binomial; a count outside has at most the chance `tail` on its side.
    """
    size = mean**2 / np.maximum(more, 1e-12 * np.maximum(mean, 1e-12) ** 2)
    size = np.clip(size, 1e-9, 1e12)
    ends = [stats.nbinom.ppf(q, size, size / (size + mean)) for q in (tail, 1 - tail)]
    low, high = (np.where(mean > 0, np.maximum(end, 0.0), 0.0) for end in ends)
    return np.asarray(low), np.asarray(high)


def by_references(
    counts: Floats, exposure: Floats, now: float, confidence: float, *, years: bool = False
) -> Expected:
    """Return what is expected by k ≥ 2 past periods, the latest first.

    `counts` (zones, k), `exposure` (k,).

    `now`: the exposure of the period judged. Student's predictive interval of the rates, whatever
    they are, and no narrower than the gamma–Poisson predictive of Jeffreys' prior (Gelman et al.,
    Bayesian Data Analysis, §2.6). With `years`, and `TREND_FROM` of them, along their slope.
    """
    rates, k, tail = counts * (now / exposure), len(exposure), (1 - confidence) / 2
    at = np.arange(k, dtype=float)
    columns = [np.ones(k), at + 1] if years and k >= TREND_FROM else [np.ones(k)]
    design = np.stack(columns, axis=1)
    new = np.zeros(design.shape[1])
    new[0] = 1.0  # the period judged lies at 0
    inverse = np.linalg.inv(design.T @ design)
    fitted = rates @ design @ inverse
    freedom = k - design.shape[1]
    left = ((rates - fitted @ design.T) ** 2).sum(axis=1) / freedom
    reach = special.stdtrit(freedom, 1 - tail) * np.sqrt(left * (1 + new @ inverse @ new))
    value = np.asarray(np.maximum(fitted @ new, 0.0), np.float64)
    total = counts.sum(axis=1) + HALF
    least, most = (
        stats.nbinom.ppf(q, total, exposure.sum() / (exposure.sum() + now))
        for q in (tail, 1 - tail)
    )
    low = np.asarray(np.minimum(least, np.maximum(np.floor(value - reach), 0.0)), np.float64)
    high = np.asarray(np.maximum(most, np.ceil(value + reach)), np.float64)
    return Expected(np.round(value, DIGITS), low, high, k)


def never_against(found: Expected, last: Floats, margin: float) -> Expected:
    """Return the intervals, no narrower than `margin` around the period just before (zones,).

    What `trends` says stable within that margin, or falling, is then never « more than usual ».
    """
    low = np.minimum(found.low, np.floor(last / (1 + margin)))
    high = np.maximum(found.high, np.ceil(last * (1 + margin)))
    return Expected(found.value, low, high, found.references)
