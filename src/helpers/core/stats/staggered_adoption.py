"""What an action changed where it began at different dates: difference in differences by date.

Each group of units that began together is held against the units that never began, from the
period before its own beginning (Callaway, B. & Sant'Anna, P. 2021, Difference-in-differences with
multiple time periods, Journal of Econometrics 225; never-treated controls, no covariates). The
regression with an effect of each unit and each period is kept beside, as what not to read: it holds
late units against units already treated (Goodman-Bacon, A. 2021, same journal).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.core.stats import clustered

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
NEVER = -1  # the start of a unit that never began


@dataclass(frozen=True)
class Effect:
    """An effect in the outcome's unit, its standard error, and the degrees of freedom of that."""

    value: float
    error: float
    freedom: float = np.inf

    def within(self, confidence: float) -> tuple[float, float]:
        """Return both ends of the interval (Student's; Gauss's where freedom has no end)."""
        return clustered.interval(self.value, self.error, self.freedom, confidence)


@dataclass(frozen=True)
class Summary:
    """The mean effect, and the effects `parts` of each group, age or date `at` (n,)."""

    overall: Effect
    at: Ints
    parts: tuple[Effect, ...]


@dataclass(frozen=True)
class GroupTimes:
    """The effect of each group in each period, all of shape (pairs,).

    `group` and `period` are positions of periods: the one the group began at, the one looked at.
    `influence` (units, pairs) is what each unit adds to the error of each effect. `start` (units,).
    """

    start: Ints
    group: Ints
    period: Ints
    effect: Floats
    influence: Floats

    def simple(self) -> Effect:
        """Return the mean over all pairs since the beginning, each by the size of its group."""
        return _effect(*self._by_size(self.period >= self.group))

    def by_group(self) -> Summary:
        """Return each group's mean effect since it began, and their mean by size of group."""
        since = self.period >= self.group
        groups = np.unique(self.group[since])
        each = np.column_stack([since & (self.group == one) for one in groups]) * 1.0
        each /= each.sum(axis=0)
        effects, influence = self.effect @ each, self.influence @ each
        overall = _by_size(self.start, groups, effects, influence)
        parts = tuple(_effect(float(v), i) for v, i in zip(effects, influence.T, strict=True))
        return Summary(_effect(*overall), groups, parts)

    def by_age(self) -> Summary:
        """Return the effect by periods since the beginning, and its mean over ages of 0 and more.

        At ages below 0 nothing had begun: they tell whether the paths were parallel.
        """
        age = self.period - self.group
        return self._over(age, np.unique(age), 0)

    def by_date(self) -> Summary:
        """Return the effect in each period, over the groups begun by then, and their plain mean."""
        since = self.period >= self.group
        return self._over(np.where(since, self.period, NEVER), np.unique(self.period[since]), 0)

    def _over(self, key: Ints, at: Ints, first: int) -> Summary:
        found = [self._by_size(key == one) for one in at]
        counted = [one for one, place in zip(found, at, strict=True) if place >= first]
        value = float(np.mean([value for value, _ in counted]))
        own = np.mean([influence for _, influence in counted], axis=0)
        return Summary(_effect(value, own), at, tuple(_effect(*one) for one in found))

    def _by_size(self, pick: Bools) -> tuple[float, Floats]:
        groups, influence = self.group[pick], self.influence[:, pick]
        return _by_size(self.start, groups, self.effect[pick], influence)


def group_times(outcome: Floats, start: Ints) -> GroupTimes:
    """Return the effect of each group in each period.

    `outcome` (units, periods), none missing; `start` (units,) the position of each unit's first
    period under the action, NEVER for those that had none. Units treated from the first period on
    have no before and are left out. Before its beginning a group is held against the period
    just before the one looked at. ValueError without a unit that never began, or none that did.
    """
    never = start == NEVER
    groups = np.unique(start[start > 0])
    if not never.any() or not len(groups):
        raise ValueError("needs units that began after the first period, and units that never did")
    kept = never | (start > 0)
    y, begun = outcome[kept], start[kept]
    pairs = [(int(g), t) for g in groups for t in range(1, y.shape[1])]
    effects, influence = np.zeros(len(pairs)), np.zeros((len(y), len(pairs)))
    for column, (group, period) in enumerate(pairs):
        change = y[:, period] - y[:, group - 1 if period >= group else period - 1]
        sides = []
        for sign, inside in ((1.0, begun == group), (-1.0, begun == NEVER)):
            mean = float(change[inside].mean())
            influence[inside, column] = sign * (change[inside] - mean) * len(y) / inside.sum()
            sides.append(mean)
        effects[column] = sides[0] - sides[1]
    group_of, period_of = np.array(pairs, dtype=np.int64).T
    return GroupTimes(begun, group_of, period_of, effects, influence)


def two_way(outcome: Floats, start: Ints) -> Effect:
    """Return the coefficient of "has begun" beside effects of units and periods: what not to read.

    Same arrays as `group_times`. Errors summed by unit (Liang & Zeger 1986, Biometrika 73), with
    the small sample's factors; Student's freedom is units less one.
    """
    units, periods = outcome.shape
    begun = (start[:, None] >= 0) & (np.arange(periods) >= start[:, None])
    y, x = _both_ways(outcome), _both_ways(begun.astype(np.float64))
    square = float((x**2).sum())
    if square == 0:
        raise ValueError("the action begins nowhere, or everywhere at once")
    value = float((x * y).sum()) / square
    scores = (x * (y - value * x)).sum(axis=1)
    # Effects of units lie within the groups that errors are summed by: they cost no freedom.
    cells, used = units * periods, periods + 1
    factor = units / (units - 1) * (cells - 1) / (cells - used)
    return Effect(value, float(np.sqrt((scores**2).sum() * factor)) / square, units - 1)


def _both_ways(values: Floats) -> Floats:
    rows, columns = values.mean(axis=1, keepdims=True), values.mean(axis=0, keepdims=True)
    return np.asarray(values - rows - columns + values.mean())


def _by_size(start: Ints, groups: Ints, effects: Floats, influence: Floats) -> tuple[float, Floats]:
    """Return the mean of effects by size of group, and its influence: sizes are estimated too."""
    member = (start[:, None] == groups).astype(np.float64)
    share = member.mean(axis=0)
    value = float(effects @ share / share.sum())
    off = (member - share) / share.sum()
    return value, np.asarray(influence @ share / share.sum() + off @ (effects - value))


def _effect(value: float, influence: Floats) -> Effect:
    return Effect(value, float(np.sqrt((influence**2).mean() / len(influence))))
