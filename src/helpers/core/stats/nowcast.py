"""How many records of a recent period are still to come: delay curve and predictive interval.

The delays seen so far are cut off by today's date: long ones of recent facts are not there yet. The
delay curve corrects for that with reverse-time hazards (Kalbfleisch & Lawless 1989, JASA 84;
Lawless 1994, Canadian Journal of Statistics 22): g(d) = records of delay d / records of delay ≤ d,
among the periods old enough to show both; F(d) = Π (1 − g(j)) over j > d. It is the chain ladder of
actuaries, a day a step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEIGHBOURS = 8  # past periods that say what a period usually brings
MINIMUM_PERIODS = 20
ALL_IN = 0.999  # from this share on nothing worth telling is still to come
LONGEST_SPREAD = 1e4


@dataclass(frozen=True)
class Triangle:
    """Records by series, period and delay: `n` has shape (series, periods, horizon + 1).

    `age`: for each period, the greatest delay that could be seen (steps from its end to today);
    what is later is zero in `n`. `heard`: the periods in which the source was not missing.
    """

    n: Floats
    age: Ints
    heard: Bools

    @property
    def horizon(self) -> int:
        return int(self.n.shape[2]) - 1

    def seen_at(self, earlier: int) -> Triangle:
        """Return the triangle as it was `earlier` steps before: later records taken away."""
        age = self.age - earlier
        kept = age >= 0
        hidden = np.arange(self.n.shape[2])[None, :] > age[kept, None]
        n = np.where(hidden[None], 0.0, self.n[:, kept])
        return Triangle(n, age[kept], self.heard[kept])


@dataclass(frozen=True)
class Expected:
    """The final count of some periods of a triangle, one row a series."""

    periods: Ints
    seen: Floats
    share_in: Floats
    value: Floats
    low: Floats
    high: Floats


def curve(triangle: Triangle) -> Floats:
    """Return F(d), d = 0 to the horizon: the share of a period's records in hand after d steps.

    All series together; 1 at the horizon, beyond which no record is expected.
    """
    n = triangle.n.sum(axis=0) * triangle.heard[:, None]
    reach = np.arange(n.shape[1])[None, :] <= triangle.age[:, None]
    shown = (n * reach).sum(axis=0)
    up_to = (np.cumsum(n, axis=1) * reach).sum(axis=0)
    hazard = np.divide(shown, up_to, out=np.zeros_like(shown), where=up_to > 0)
    later = np.concatenate([np.cumprod((1 - hazard[1:])[::-1])[::-1], [1.0]])
    return np.asarray(np.clip(later, 1e-6, 1.0))


def usual_level(triangle: Triangle, share_in: Floats) -> tuple[Floats, Floats]:
    """Return what the periods before each one brought on average, and how that varies (1/size).

    Shapes (series, periods) and (series,). Periods of silence are left out; counts are brought to
    their final level with the delay curve.
    """
    at = np.minimum(triangle.age, triangle.horizon)
    final = triangle.n.sum(axis=2) / share_in[at]
    weight = triangle.heard * np.maximum(share_in[at] - 0.5, 0.0)
    sums, weights = np.zeros_like(final), np.zeros(final.shape[1])
    for back in range(1, NEIGHBOURS + 1):
        sums[:, back:] += (final * weight)[:, :-back]
        weights[back:] += weight[:-back]
    fallback = (final * weight).sum(axis=1) / max(float(weight.sum()), 1e-9)
    mean = np.where(weights > 1, sums / np.where(weights > 1, weights, 1), fallback[:, None])
    used = (weights > 1) & triangle.heard & (share_in[at] > 0.9)
    excess = (((final - mean) ** 2 - final) * used).sum(axis=1)
    over = excess / np.maximum((mean**2 * used).sum(axis=1), 1e-9)
    return mean, np.clip(over, 1 / LONGEST_SPREAD, 10.0)


def _to_come(seen: Floats, share_in: Floats, usual: Floats, over: Floats) -> tuple[Floats, Floats]:
    """Return the mean and variance of what is still to come.

    The level of a period is Gamma(1/over) around the usual one; given it, records seen and to come
    are independent Poisson: to come is negative binomial (Gelman et al., Bayesian Data Analysis,
    §2.6).
    """
    size = 1 / over + seen
    rate = 1 / (over * np.maximum(usual, 1e-9)) + share_in
    mean = size / rate * (1 - share_in)
    return mean, mean + mean**2 / size


def spread(triangle: Triangle, share_in: Floats, ages: Ints) -> Floats:
    """Return, for each age, how many times wider than chance past misses were, at least 1.

    Over the periods old enough to be complete; all series together. It holds what the model leaves
    out: delays that vary from week to week, and the uncertainty of the curve.
    """
    done = (triangle.age >= triangle.horizon) & triangle.heard
    if done.sum() < 2:
        return np.ones(len(ages))
    total = np.cumsum(triangle.n[:, done], axis=2)
    usual, over = usual_level(triangle, share_in)
    found = np.ones(len(ages))
    for i, age in enumerate(ages):
        seen = total[:, :, age]
        mean, variance = _to_come(seen, share_in[age], usual[:, done], over[:, None])
        missed = (total[:, :, -1] - seen - mean) ** 2 / np.maximum(variance, 1e-9)
        weight = np.minimum(mean, 1.0)  # periods with next to nothing to come say nothing of it
        found[i] = (missed * weight).sum() / max(float(weight.sum()), 1e-9)
    return np.maximum(found, 1.0)


def quantile(q: float, mean: Floats, variance: Floats) -> Floats:
    """Return the smallest counts whose distribution function reaches q, same shape as `mean`.

    Negative binomial of that mean and variance, Poisson where it does not exceed chance.
    """
    mean = np.maximum(mean, 1e-12)
    wide = variance > mean * (1 + 1e-9)
    size = np.where(wide, mean**2 / np.where(wide, variance - mean, 1.0), 1e9)
    return np.asarray(stats.nbinom.ppf(q, size, size / (size + mean)))


def forecast(triangle: Triangle, confidence: float, periods: Ints | None = None) -> Expected:
    """Return the final count of the periods (default: those not all in), with its interval."""
    share_in = curve(triangle)
    at = np.minimum(triangle.age, triangle.horizon)
    if periods is None:
        periods = np.flatnonzero((share_in[at] < ALL_IN) & triangle.heard)
    ages = at[periods]
    seen = triangle.n[:, periods].sum(axis=2)
    usual, over = usual_level(triangle, share_in)
    mean, variance = _to_come(seen, share_in[ages], usual[:, periods], over[:, None])
    variance = variance * spread(triangle, share_in, ages)[None, :]
    tail = (1 - confidence) / 2
    low, high = (seen + quantile(q, mean, variance) for q in (tail, 1 - tail))
    return Expected(periods, seen, share_in[ages], seen + mean, low, high)


def held_back(triangle: Triangle, steps: int, step: int, confidence: float) -> dict[str, Ints]:
    """Return, for past days of today, what was forecast then and what came: one row a forecast.

    The triangle is taken back `steps` times by `step`; each time, the periods not all in that are
    complete by now are forecast with what was known then. Keys: series, period, age, seen, low,
    high, final (counts).
    """
    final = triangle.n.sum(axis=2)
    parts: list[dict[str, Ints]] = []
    for back in range(1, steps + 1):
        then = triangle.seen_at(back * step)
        if then.heard.sum() < MINIMUM_PERIODS:
            break
        found = forecast(then, confidence)
        done = triangle.age[found.periods] >= triangle.horizon
        series, place = np.nonzero(np.broadcast_to(done, found.seen.shape))
        period = found.periods[place]
        parts.append(
            {
                "series": series, "period": period, "age": then.age[period],
                "seen": found.seen[series, place].astype(np.int64),
                "low": found.low[series, place].astype(np.int64),
                "high": found.high[series, place].astype(np.int64),
                "final": final[series, period].astype(np.int64),
            }
        )  # fmt: skip
    names = ("series", "period", "age", "seen", "low", "high", "final")
    none = [np.zeros(0, dtype=np.int64)]
    return {name: np.concatenate([part[name] for part in parts] or none) for name in names}


def coverage(rows: dict[str, Ints]) -> tuple[int, int]:
    """Return how many final counts lie within their interval, and out of how many."""
    inside = (rows["final"] >= rows["low"]) & (rows["final"] <= rows["high"])
    return int(inside.sum()), len(inside)
