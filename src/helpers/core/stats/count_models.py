"""Models that challenge the baselines: a log-linear one, boosted trees, their mean.

Arrays in, arrays out. Both learn, on past origins whose targets had come, what levels of several
lengths and the season say of a count; a fit is used for many origins after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from helpers.core.stats.count_levels import (
    HALF_LIFE_WEEKS,
    NOTHING,
    Ints,
    Panel,
    Target,
    discounted,
    exposure,
    observed,
    shrunk,
    week_shape,
)

Floats = NDArray[np.float64]
GLM, BOOSTING, MEAN = "poisson_glm", "boosting", "mean_of_both"
CHALLENGERS = (GLM, BOOSTING, MEAN)
WEEKS = (104, 52, 26, 13, 4, 1)  # half-lives of the levels that models are told
CITY = (104, 26, 4)  # half-lives of the city's
# Origins from which on the city's levels are learnt too: they are the same for all zones, and what
# a few dozen origins say of them does not hold a year later (docs/decisions/0045).
MANY = 100
FARTHEST = 3.0  # times the recent level, either way, that a model may say
RIDGE = 1.0  # on standardised columns: a column that tells nothing gets no weight
ROUNDS, TOLERANCE, MOST = 50, 1e-9, 30.0
LEAST_ROWS, LEAST_FACTS = 500, 20  # under which nothing is learnt
DIGITS = 6  # of a slope, of a tree's forecast: the last bits may depend on the processor


@dataclass(frozen=True)
class Fitted:
    """The two models of one target, and how columns are brought to one scale."""

    target: Target
    centre: Floats
    scale: Floats
    slopes: Floats
    trees: Any
    city_too: bool


def described(panel: Panel, at: Ints, city_too: bool) -> Floats:
    """Return what is known at each origin (origins, parts, zones, columns).

    Logarithms of the zone's levels, the long ones first, each shorter one beside the one before;
    which part of the step it is; and, where `city_too`, where the city's level goes.
    """
    logs, city = [], []
    for weeks in WEEKS:
        facts, steps = discounted(panel, at, weeks)
        logs.append(np.log((facts + NOTHING) / np.maximum(steps, 1.0)[:, None]))
        if weeks in CITY:
            held = np.maximum(steps, 1.0).sum(axis=1)[:, None]
            city.append(np.log((facts.sum(axis=2) + NOTHING) / held)[..., None])
    columns = [logs[0], *(short - long for long, short in pairwise(logs))]
    if city_too:
        columns += [np.broadcast_to(s - g, logs[0].shape) for g, s in pairwise(city)]
    parts = panel.counts.shape[1]
    for part in range(1, parts):
        columns.append(np.broadcast_to(np.eye(parts)[part][None, :, None], logs[0].shape))
    return np.stack(columns, axis=-1)


def origins_to_learn(known: int, target: Target, panel: Panel, weeks: int, step: int) -> Ints:
    """Return past origins, `step` weeks apart over `weeks`, whose targets had come by `known`."""
    last = known - target.lead - target.length
    first = max(last - weeks * panel.per_week, 26 * panel.per_week)
    found = np.arange(last, first, -step * panel.per_week)
    # One day of the week alone would be learnt: origins turn, as those that are judged.
    turned = found - (np.arange(len(found)) * 3) % panel.per_week
    return np.asarray(turned[turned > 0][::-1], dtype=np.int64)


def fit(
    panel: Panel, known: int, target: Target, weeks: int, step: int, seed: int
) -> Fitted | None:
    """Return the models of a target, learnt on what was known; None where there is too little."""
    at = origins_to_learn(known, target, panel, weeks, step)
    if not len(at):
        return None
    came, whole = observed(panel, at, target)
    worth = exposure(panel, at, target, week_shape(panel, at))
    keep = np.broadcast_to(whole[:, None], came.shape)
    city_too = len(at) >= MANY
    x = described(panel, at, city_too)[keep]
    y, offset = came[keep], np.broadcast_to(worth[..., None], came.shape)[keep]
    if len(y) < LEAST_ROWS or y.sum() < LEAST_FACTS:
        return None
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale < 1e-9, 1.0, scale)
    slopes = poisson_slopes((x - centre) / scale, y, offset)
    return Fitted(target, centre, scale, slopes, _trees(x, y, offset, seed), city_too)


def poisson_slopes(x: Floats, y: Floats, offset: Floats) -> Floats:
    """Return the intercept and the slopes of a log-linear Poisson mean `offset` × exp(…).

    Iteratively reweighted least squares with a ridge on the slopes: McCullagh & Nelder (1989),
    §2.5; Hoerl & Kennard (1970). Negative binomial counts have the same mean: their dispersion is
    measured apart (`dispersion_of`).
    """
    columns = np.column_stack([np.ones(len(y)), x])
    held = RIDGE * np.eye(columns.shape[1])
    held[0, 0] = 0
    slopes = np.zeros(columns.shape[1])
    slopes[0] = np.log(y.sum() / offset.sum())
    for _ in range(ROUNDS):
        mean = offset * np.exp(np.clip(columns @ slopes, -MOST, MOST))
        gradient = columns.T @ (y - mean) - held @ slopes
        curve = (columns * mean[:, None]).T @ columns + held
        move = np.linalg.solve(curve, gradient)
        slopes = slopes + np.clip(move, -2, 2)
        if np.abs(move).max() < TOLERANCE:
            break
    return np.asarray(np.round(slopes, DIGITS))  # the last digits are the machine's


def _trees(x: Floats, y: Floats, offset: Floats, seed: int) -> Any:
    """Return trees boosted for the Poisson deviance; in one thread, so that sums have one order."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # half a second, where it is used

    model = HistGradientBoostingRegressor(
        loss="poisson", max_iter=60, learning_rate=0.08, max_leaf_nodes=8, min_samples_leaf=200,
        l2_regularization=1.0, early_stopping=False, random_state=seed,
    )  # fmt: skip
    # Whole weeks are all worth the same, and without weights columns are cut ten times faster.
    alike = bool(np.ptp(offset) < 1e-6 * offset.max())
    with threadpool_limits(limits=1):
        return model.fit(x, y / offset, sample_weight=None if alike else offset)


def challengers(
    fitted: Fitted, panel: Panel, at: Ints, target: Target | None = None
) -> dict[str, Floats]:
    """Return the mean forecast of each model (origins, parts, zones).

    A `target` other than the one learnt must lie within it: its mean a step is the same.
    """
    x = described(panel, at, fitted.city_too)
    shape = x.shape[:3]
    worth = exposure(panel, at, target or fitted.target, week_shape(panel, at))[..., None]
    flat = x.reshape(-1, x.shape[-1])
    line = np.column_stack([np.ones(len(flat)), (flat - fitted.centre) / fitted.scale])
    smooth = np.exp(np.clip(line @ fitted.slopes, -MOST, MOST)).reshape(shape)
    with threadpool_limits(limits=1):
        boosted = np.round(fitted.trees.predict(flat), DIGITS).reshape(shape)
    recent = shrunk(*discounted(panel, at, HALF_LIFE_WEEKS))
    low, high = recent / FARTHEST, recent * FARTHEST
    smooth, boosted = (np.clip(one, low, high) * worth for one in (smooth, boosted))
    return {GLM: smooth, BOOSTING: boosted, MEAN: (smooth + boosted) / 2}
