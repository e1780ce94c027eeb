"""By how much counts exceed, when an event takes place, what they would have been without it.

Two ways. `over_days`: a quasi-Poisson regression of one place's counts (day of week, month, trend
and its square, what else is known), for a place without a control. `beside`: each event's counts
against those of a control area of the same hours, over the same odds on days without an event of
its stratum (weekday, season), which takes out all that the whole town shares that day, weather
first. The common odds ratio is that of Mantel & Haenszel (1959, Journal of the National Cancer
Institute 22); its error is summed by stratum (Liang & Zeger 1986, Biometrika 73, with the small
sample's factor), so that reference days shared by events, and excess noise, widen it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from helpers.core.stats.quasi_poisson import quasi_poisson, reach

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Days = NDArray[np.datetime64]
FEWEST = 3  # strata below which no error can be read


@dataclass(frozen=True)
class Ratio:
    """A ratio on the log scale, its error, and the degrees of freedom that the error has."""

    value: float
    error: float
    freedom: float

    def within(self, confidence: float) -> tuple[float, float, float]:
        """Return the ratio and both ends of its interval (Student)."""
        far = float(reach(confidence, np.array(self.freedom))) * self.error
        low, value, high = np.exp([self.value - far, self.value, self.value + far])
        return float(value), float(low), float(high)


def naive(counts: Floats, event: NDArray[np.bool_]) -> float:
    """Return the mean count of event days over that of all other days: what one should not do."""
    return float(counts[event].mean() / counts[~event].mean())


def calendar_columns(days: Days) -> Floats:
    """Return level, weekdays, months, trend and its square of days (n,), shape (n, columns).

    A weekday or a month that no day has, has no column.
    """
    day = days.astype("datetime64[D]").astype(np.int64)
    weekday, month = (day + 3) % 7, days.astype("datetime64[M]").astype(np.int64) % 12
    trend = (day - day.mean()) / max(float(day.std()), 1.0)
    level = np.ones(len(day))
    dummies = [kind == one for kind in (weekday, month) for one in np.unique(kind)[1:]]
    return np.column_stack([level, *dummies, trend, trend**2]).astype(np.float64)


def over_days(
    counts: Floats, design: Floats, events: Floats, set_aside: ArrayLike = False
) -> list[Ratio | None]:
    """Return the ratio of each kind of event (columns of `events`, n × k, 0 or 1).

    `counts` (n,) and `design` (n, p) are rows of days, or of days and slots; those `set_aside`
    (n,) are left out. None for a kind under which nothing was ever counted: the likelihood has no
    bound there, and its days are left out too. ValueError where the rest does not settle.
    """
    kept = ~np.broadcast_to(np.asarray(set_aside, dtype=bool), len(counts))
    seen = (counts[:, None] * events * kept[:, None]).sum(axis=0) > 0
    kept &= ~(events[:, ~seen] > 0).any(axis=1)
    fit = quasi_poisson(counts, np.concatenate([design, events[:, seen]], axis=1), 1.0 * kept)
    found: list[Ratio | None] = [None] * events.shape[1]
    for column, i in enumerate(np.flatnonzero(seen), start=design.shape[1]):
        error = float(np.sqrt(fit.covariance[column, column]))
        found[i] = Ratio(float(fit.coefficients[column]), error, float(fit.freedom))
    return found


@dataclass(frozen=True)
class Beside:
    """Counts of events, one row each: in the area and its control, then on days of reference."""

    area: Floats
    control: Floats
    area_without: Floats
    control_without: Floats
    stratum: Ints

    def rows(self, kept: NDArray[np.bool_] | Ints) -> Beside:
        """Return some of the rows."""
        parts = (getattr(self, name)[kept] for name in Beside.__annotations__)
        return Beside(*parts)

    def terms(self) -> tuple[Floats, Floats]:
        """Return what each row says for and against a ratio (Mantel & Haenszel's R and S)."""
        total = self.area + self.control + self.area_without + self.control_without
        total = np.maximum(total, 1.0)
        return (
            self.area * self.control_without / total,
            self.control * self.area_without / total,
        )


def beside(counts: Beside) -> Ratio | None:
    """Return the ratio common to the events; None where too little was counted to tell one.

    Every stratum's score is R − ψS, of mean zero whatever the town shared that day. Its square,
    summed by stratum, is the variance.
    """
    more, less = counts.terms()
    if more.sum() <= 0 or less.sum() <= 0:
        return None
    ratio = more.sum() / less.sum()
    stratum = np.unique(counts.stratum, return_inverse=True)[1]
    score = np.bincount(stratum, more - ratio * less)
    informative = int((np.bincount(stratum, more + less) > 0).sum())
    if informative < FEWEST:
        return None
    share = np.bincount(stratum, less) / less.sum()
    # A stratum pulls the ratio towards itself by its share: its residual is that much too small.
    left = score / np.maximum(1 - share, 0.1)
    square = max(float((left * score).sum()), _by_chance(counts, ratio, stratum))
    error = float(np.sqrt(square) / more.sum())
    freedom = max(1.0, 1 / float((share**2).sum()) - 1)
    return Ratio(float(np.log(ratio)), error, freedom)


def _by_chance(counts: Beside, ratio: float, stratum: NDArray[np.intp]) -> float:
    """Return the variance of the summed scores were all counts Poisson: less, none can have.

    Days of reference are those of the stratum: what they owe to chance is shared by its events.
    """
    total = counts.area + counts.control + counts.area_without + counts.control_without
    total = np.maximum(total, 1.0)
    own = counts.control_without**2 * counts.area + (ratio * counts.area_without) ** 2 * (
        counts.control
    )
    rows = np.bincount(stratum)
    shared = [
        np.bincount(stratum, far / total) ** 2 * np.bincount(stratum, reference) / rows
        for far, reference in (
            (ratio * counts.control, counts.area_without), (counts.area, counts.control_without)
        )
    ]  # fmt: skip
    return float((own / total**2).sum() + sum(part.sum() for part in shared))


@dataclass(frozen=True)
class Pooled:
    """Places of one class drawn towards their mean: `value`, `error` (n,), log scale.

    `mean`, `mean_error`: the class; `between`: the standard deviation from place to place.
    """

    value: Floats
    error: Floats
    mean: float
    mean_error: float
    between: float

    def elsewhere(self) -> tuple[float, float]:
        """Return value and error at a place of the class never seen."""
        return self.mean, float(np.hypot(self.mean_error, self.between))


def partially_pooled(values: Floats, errors: Floats) -> Pooled:
    """Return log ratios (n,) with their errors drawn towards their common mean.

    Normal on normal, the variance between places by Paule & Mandel (1982, Journal of Research of
    the National Bureau of Standards 87): that which makes the weighted squares about their mean
    equal to their degrees of freedom; 0 where they vary no more than their errors do.
    """
    within = errors**2

    def surplus(between: float) -> float:
        weight = 1 / (within + between)
        mean = (weight * values).sum() / weight.sum()
        return float((weight * (values - mean) ** 2).sum()) - (len(values) - 1)

    between = 0.0
    if len(values) > 1 and surplus(0.0) > 0:
        top = float(np.var(values) * len(values) + 1)
        between = float(optimize.brentq(surplus, 0.0, top))
    weight = 1 / (within + between)
    mean, mean_error = float((weight * values).sum() / weight.sum()), float(weight.sum() ** -0.5)
    kept = between / (within + between)  # of what a place says for itself
    drawn = kept * values + (1 - kept) * mean
    error = np.sqrt(kept * within + (1 - kept) ** 2 * mean_error**2)
    return Pooled(drawn, np.asarray(error), mean, mean_error, float(np.sqrt(between)))


def between_events(counts: Beside, ratio: float) -> float:
    """Return φ ≥ 1: by how much more than by chance events differ from their expected count.

    Pearson's χ² of the events' counts in the area over its degrees of freedom, what the days of
    reference owe to chance being part of chance.
    """
    odds = counts.area_without / np.maximum(counts.control_without, 1.0)
    mean = ratio * counts.control * odds
    told = mean > 0
    chance = 1 / np.maximum(counts.control, 1) + 1 / np.maximum(counts.area_without, 1)
    variance = mean + mean**2 * (chance + 1 / np.maximum(counts.control_without, 1))
    chi = ((counts.area - mean) ** 2 / np.maximum(variance, 1e-9))[told]
    return max(1.0, float(chi.sum()) / max(1, int(told.sum()) - 1))


def foreseen(mean: Floats, spread: Floats, phi: float, confidence: float) -> tuple[Floats, Floats]:
    """Return both ends of the count itself, of `mean` known to a relative error `spread` (n,).

    Negative binomial of that mean and of variance φ·mean + (spread·mean)² (Poisson where equal).
    """
    mean = np.maximum(mean, 1e-9)
    variance = np.maximum(phi * mean + (spread * mean) ** 2, mean * (1 + 1e-6))
    size = mean**2 / (variance - mean)
    ends = []
    for tail in ((1 - confidence) / 2, (1 + confidence) / 2):
        # Smallest k with P(N ≤ k) ≥ tail: the continuous inverse first, then to the whole.
        k = np.ceil(special.nbdtrik(tail, size, size / (size + mean)) - 1e-9)
        ends.append(np.maximum(np.nan_to_num(k), 0.0))
    return ends[0], ends[1]
