"""How many records of a recent period are still to come: delay curve and predictive interval.

The delays seen so far are cut off by today's date: long ones of recent facts are not there yet. The
delay curve corrects for that with reverse-time hazards (Kalbfleisch & Lawless 1989, JASA 84;
Lawless 1994, Canadian Journal of Statistics 22): g(d) = records of delay d / records of delay ≤ d,
among the periods old enough to show both; F(d) = Π (1 − g(j)) over j > d. It is the chain ladder of
actuaries, a day a step. Older periods weigh less (delays drift); steps on which nothing was entered
though much should have been (`lost`) say nothing of delays. What past forecasts missed widens the
next ones: by the spread of past misses, then step by step until the share of misses is the one
stated (adaptive conformal inference: Gibbs & Candès 2021, NeurIPS 34; on the width, as in
Angelopoulos, Candès & Tibshirani 2023, NeurIPS 36).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

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
HALF_LIFE = 26.0  # weeks, or months, after which a period weighs half as much
UNLOST = 3  # passes in which the delay curve makes up for what was lost of it
# By how much the logarithm of the width moves for one look all of whose forecasts were missed, by
# what came next and by the final counts, and how far.
QUICK, SLOW = 0.5, 0.1
WIDEST, SLOW_LOGS = 1.5, (-0.5, 1.0)


@dataclass(frozen=True)
class Triangle:
    """Records by series, period and delay: `n` has shape (series, periods, horizon + 1).

    `age`: for each period, the greatest delay that could be seen (steps from its end to today);
    what is later is zero in `n`. `heard`: the periods in which the source was not missing.
    `lost`, shape (periods, horizon + 1): the cells whose step brought next to nothing, to all.
    `half_life`: periods after which one weighs half as much in the delay curve.
    """

    n: Floats
    age: Ints
    heard: Bools
    lost: Bools | None = None
    half_life: float = HALF_LIFE

    @property
    def horizon(self) -> int:
        return int(self.n.shape[2]) - 1

    def seen_at(self, earlier: int) -> Triangle:
        """Return the triangle as it was `earlier` steps before: later records taken away."""
        age = self.age - earlier
        kept = age >= 0
        hidden = np.arange(self.n.shape[2])[None, :] > age[kept, None]
        n = np.where(hidden[None], 0.0, self.n[:, kept])
        lost = None if self.lost is None else self.lost[kept]
        return Triangle(n, age[kept], self.heard[kept], lost, self.half_life)

    @property
    def told(self) -> Bools:
        """The cells that tell something: within reach, and not lost."""
        reach = np.arange(self.n.shape[2])[None, :] <= self.age[:, None]
        return np.asarray(reach if self.lost is None else reach & ~self.lost)


@dataclass(frozen=True)
class Expected:
    """The final count of some periods of a triangle, one row a series."""

    periods: Ints
    seen: Floats
    share_in: Floats
    value: Floats
    low: Floats
    high: Floats
    mean: Floats
    variance: Floats


def curve(triangle: Triangle) -> Floats:
    """Return F(d), d = 0 to the horizon: the share of a period's records in hand after d steps.

    All series together, recent periods first (`HALF_LIFE`); 1 at the horizon, beyond which no
    record is expected.
    """
    weight = triangle.heard * 0.5 ** (np.arange(len(triangle.age))[::-1] / triangle.half_life)
    n = triangle.n.sum(axis=0) * weight[:, None]
    shown = (n * triangle.told).sum(axis=0)
    so_far, found = np.cumsum(n, axis=1), np.ones(n.shape[1])
    for _ in range(1 if triangle.lost is None else UNLOST):
        # A period that lost half of what was to come by then stands for twice what it shows.
        kept = exposure(triangle, found) / found if triangle.lost is not None else 1.0
        up_to = (so_far / np.maximum(kept, 0.1) * triangle.told).sum(axis=0)
        hazard = np.divide(shown, up_to, out=np.zeros_like(shown), where=up_to > 0)
        hazard = np.minimum(hazard, 1.0)
        later = np.concatenate([np.cumprod((1 - hazard[1:])[::-1])[::-1], [1.0]])
        found = np.asarray(np.clip(later, 1e-6, 1.0))
    return found


def exposure(triangle: Triangle, share_in: Floats) -> Floats:
    """Return the share of a period's records that could be in hand by each delay, lost ones out.

    Shape (periods, horizon + 1), cells beyond today's reach included.
    """
    mass = np.diff(share_in, prepend=0.0)[None, :]
    kept = np.ones((len(triangle.age), 1)) if triangle.lost is None else ~triangle.lost
    return np.asarray(np.maximum(np.cumsum(mass * kept, axis=1), 1e-6))


def usual_level(triangle: Triangle, share_in: Floats) -> tuple[Floats, Floats]:
    """Return what the periods before each one brought on average, and how that varies (1/size).

    Shapes (series, periods) and (series,). Periods of silence are left out; counts are brought to
    their final level with the delay curve.
    """
    at = np.minimum(triangle.age, triangle.horizon)
    in_hand = exposure(triangle, share_in)[np.arange(len(at)), at]
    final = triangle.n.sum(axis=2) / in_hand
    weight = triangle.heard * np.maximum(in_hand - 0.5, 0.0)
    sums, weights = np.zeros_like(final), np.zeros(final.shape[1])
    for back in range(1, NEIGHBOURS + 1):
        sums[:, back:] += (final * weight)[:, :-back]
        weights[back:] += weight[:-back]
    fallback = (final * weight).sum(axis=1) / max(float(weight.sum()), 1e-9)
    mean = np.where(weights > 1, sums / np.where(weights > 1, weights, 1), fallback[:, None])
    used = (weights > 1) & triangle.heard & (in_hand > 0.9)
    excess = (((final - mean) ** 2 - final) * used).sum(axis=1)
    over = excess / np.maximum((mean**2 * used).sum(axis=1), 1e-9)
    return mean, np.clip(over, 1 / LONGEST_SPREAD, 10.0)


def _to_come(
    seen: Floats, in_hand: Floats, later: Floats, usual: Floats, over: Floats
) -> tuple[Floats, Floats]:
    """Return the mean and variance of what is still to come: the share `later` of a period's.

    The level of a period is Gamma(1/over) around the usual one; given it, records seen and to come
    are independent Poisson: to come is negative binomial (Gelman et al., Bayesian Data Analysis,
    §2.6).
    """
    size = 1 / over + seen
    rate = 1 / (over * np.maximum(usual, 1e-9)) + in_hand
    mean = size / rate * later
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
    by_then = exposure(triangle, share_in)[done]
    forget = 0.5 ** (np.arange(int(done.sum()))[::-1] / triangle.half_life)
    usual, over = usual_level(triangle, share_in)
    found = np.ones(len(ages))
    for i, age in enumerate(ages):
        seen = total[:, :, age]
        in_hand, later = by_then[:, age], by_then[:, -1] - by_then[:, age]
        mean, variance = _to_come(seen, in_hand, later, usual[:, done], over[:, None])
        missed = (total[:, :, -1] - seen - mean) ** 2 / np.maximum(variance, 1e-9)
        weight = np.minimum(mean, 1.0) * forget  # with next to nothing to come, nothing is said
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


def forecast(
    triangle: Triangle,
    confidence: float,
    periods: Ints | None = None,
    *,
    width: float = 1.0,
    later: Floats | None = None,
) -> Expected:
    """Return the final count of the periods (default: those not all in), with its interval.

    `width`: how many times wider than the model's, from `width_of`. `later` (all periods): the
    share of each that can still come, where some of it is known to be lost; else all of it.
    """
    share_in = curve(triangle)
    at = np.minimum(triangle.age, triangle.horizon)
    if periods is None:
        periods = np.flatnonzero((share_in[at] < ALL_IN) & triangle.heard)
    ages = at[periods]
    seen = triangle.n[:, periods].sum(axis=2)
    usual, over = usual_level(triangle, share_in)
    in_hand = exposure(triangle, share_in)[periods, ages]
    to_come = 1 - share_in[ages] if later is None else later[periods]
    mean, variance = _to_come(seen, in_hand, to_come, usual[:, periods], over[:, None])
    variance = variance * spread(triangle, share_in, ages)[None, :]
    low, high = interval(seen, mean, variance * width**2, confidence)
    return Expected(periods, seen, share_in[ages], seen + mean, low, high, mean, variance)


def interval(
    seen: Floats, mean: Floats, variance: Floats, confidence: float
) -> tuple[Floats, Floats]:
    """Return the bounds of the final count, of what was seen and what is to come."""
    tail = (1 - confidence) / 2
    low, high = (seen + quantile(q, mean, variance) for q in (tail, 1 - tail))
    return low, high


@dataclass(frozen=True)
class Past:
    """What was forecast on past days of today, and what came: one entry a forecast, oldest first.

    `width`: how many times wider than the model's the next forecast is to be.
    """

    series: Ints
    period: Ints
    age: Ints
    seen: Ints
    low: Ints
    high: Ints
    final: Ints
    width: float = 1.0

    @property
    def inside(self) -> Bools:
        """Which final counts lie within their interval."""
        return np.asarray((self.final >= self.low) & (self.final <= self.high))


def held_back(triangle: Triangle, steps: int, step: int, confidence: float) -> Past:
    """Return the forecasts of `steps` past days of today, `step` apart, each with its own width.

    Each time the triangle is taken back, and the periods not all in, that are complete by now, are
    forecast with what was known then; the width moves with the forecasts that were settled then.
    What was lost since is taken off what could come: nobody can tell what it would have been.
    """
    final, total = triangle.n.sum(axis=2), np.cumsum(triangle.n, axis=2)
    rows: list[tuple[int, ...]] = []
    width = Width(1 - confidence)
    before: _Look | None = None
    for back in range(steps, 0, -1):
        then = triangle.seen_at(back * step)
        if then.heard.sum() < MINIMUM_PERIODS:
            continue
        by_then = exposure(triangle, curve(then))[: len(then.age)]
        at = np.minimum(then.age, then.horizon)
        if before is not None:
            width.soon(before.missed(total, by_then, at, width.value, confidence))
        width.settle(back)
        later = by_then[:, -1] - by_then[np.arange(len(at)), at]
        found = forecast(then, confidence, width=width.value, later=later)
        before = _Look(found, at[found.periods], later[found.periods])
        done = np.flatnonzero(triangle.age[found.periods] >= triangle.horizon)
        if not len(done):
            continue
        ends = final[:, found.periods[done]]
        missed = (ends < found.low[:, done]) | (ends > found.high[:, done])
        youngest = int(then.age[found.periods[done]].min())
        known = back - -(-(triangle.horizon - youngest) // step)
        width.expect(known, float(missed.mean()))
        for i in range(len(final)):
            for j in done.tolist():
                period = int(found.periods[j])
                told = (found.seen[i, j], found.low[i, j], found.high[i, j], final[i, period])
                rows.append((i, period, int(then.age[period]), *(int(v) for v in told)))
    width.settle(0)
    told_then = np.array(rows, dtype=np.int64).reshape(-1, len(fields(Past)) - 1)
    columns = {one.name: told_then[:, k] for k, one in enumerate(fields(Past)[:-1])}
    return Past(**columns, width=width.value)


class Width:
    """How many times wider than the model's the intervals are to be, learnt look after look.

    `soon`: what came by the next look, known at once; it follows a change of pace, and only widens.
    `settle`: final counts, known a horizon later; it keeps the share of misses near `alpha`.
    """

    def __init__(self, alpha: float) -> None:
        self._alpha, self._quick, self._slow = alpha, 0.0, 0.0
        self._waiting: list[tuple[int, float]] = []

    @property
    def value(self) -> float:
        return float(np.exp(self._quick + self._slow))

    def soon(self, missed: float | None) -> None:
        """Learn the share of forecasts missed by what came since the last look, if any did."""
        if missed is not None:
            self._quick = float(np.clip(self._quick + QUICK * (missed - self._alpha), 0.0, WIDEST))

    def expect(self, known: int, missed: float) -> None:
        """Keep the share of a look's forecasts missed by the final counts, known later."""
        self._waiting.append((known, missed))

    def settle(self, back: int) -> None:
        """Learn what is known `back` looks before today."""
        for known, missed in self._waiting:
            if known >= back:
                moved = self._slow + SLOW * (missed - self._alpha)
                self._slow = float(np.clip(moved, *SLOW_LOGS))
        self._waiting = [one for one in self._waiting if one[0] < back]


@dataclass(frozen=True)
class _Look:
    """The forecasts of one day of today: how old the periods were, what share was to come."""

    found: Expected
    age: Ints
    later: Floats

    def missed(
        self, total: Floats, by_now: Floats, at: Ints, width: float, confidence: float
    ) -> float | None:
        """Return the share of forecasts whose records since then fall outside; None without any.

        `total`, `by_now`: records, and share of them that could be in hand, by period and delay.
        """
        periods = self.found.periods
        came = total[:, periods, at[periods]] - total[:, periods, self.age]
        due = by_now[periods, at[periods]] - by_now[periods, self.age]
        part = np.clip(due / np.maximum(self.later, 1e-9), 0.0, 1.0)[None, :]
        mean = self.found.mean * part
        variance = part**2 * (self.found.variance - self.found.mean) + mean
        low, high = interval(np.zeros_like(mean), mean, variance * width**2, confidence)
        telling = mean >= 1.0
        outside = ((came < low) | (came > high)) & telling
        return float(outside.sum() / telling.sum()) if telling.any() else None


def coverage(past: Past) -> tuple[int, int, int]:
    """Return how many final counts lie within their interval, out of how many, of which periods.

    The last is the number of distinct periods: forecasts of one are alike.
    """
    return int(past.inside.sum()), len(past.final), len(np.unique(past.period))
