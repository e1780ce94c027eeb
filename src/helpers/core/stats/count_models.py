"""Models that challenge the baselines: a log-linear one, boosted trees, their mean.

Arrays in, arrays out. Both learn, on past origins whose targets had come, what levels of several
lengths and the season say of a count; a fit is used for many origins after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from helpers.core.stats.count_levels import (
    NOTHING,
    Ints,
    Panel,
    Target,
    discounted,
    exposure,
    observed,
    week_shape,
)

Floats = NDArray[np.float64]
GLM, BOOSTING, MEAN = "poisson_glm", "boosting", "mean_of_both"
CHALLENGERS = (GLM, BOOSTING, MEAN)
WEEKS = (1, 4, 13, 26, 52, 104)  # half-lives of the levels that models are told
CITY = (4, 26)  # half-lives of the city's levels
RIDGE = 1.0  # on standardised columns: a column that tells nothing gets no weight
ROUNDS, TOLERANCE, MOST = 50, 1e-9, 30.0
LEAST_ROWS, LEAST_FACTS = 500, 20  # under which nothing is learnt
DIGITS = 6  # of a tree's forecast: the last bits may depend on the processor


@dataclass(frozen=True)
class Fitted:
    """The two models of one target, and how columns are brought to one scale."""

    target: Target
    centre: Floats
    scale: Floats
    slopes: Floats
    trees: Any


def described(panel: Panel, at: Ints, target: Target) -> Floats:
    """Return what is known at each origin (origins, parts, zones, columns).

    Logarithms of the zone's levels and of the city's, the season at the middle of the target, and
    which part of the step it is.
    """
    columns = []
    for weeks in sorted({*WEEKS, *CITY}):
        facts, steps = discounted(panel, at, weeks)
        held = np.maximum(steps, 1.0)
        if weeks in WEEKS:
            columns.append(np.log((facts + NOTHING) / held[:, None]))
        if weeks in CITY:
            city = (facts.sum(axis=2) + NOTHING) / held.sum(axis=1)[:, None]
            columns.append(np.broadcast_to(np.log(city)[..., None], facts.shape))
    middle = panel.season[np.minimum(at + target.lead + target.length // 2, len(panel.season) - 1)]
    parts = panel.counts.shape[1]
    whole = (len(at), parts, panel.counts.shape[2])
    for wave in (np.sin(middle), np.cos(middle)):
        columns.append(np.broadcast_to(wave[:, None, None], whole))
    for part in range(1, parts):
        columns.append(np.broadcast_to(np.eye(parts)[part][None, :, None], whole))
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
    x = described(panel, at, target)[keep]
    y, offset = came[keep], np.broadcast_to(worth[..., None], came.shape)[keep]
    if len(y) < LEAST_ROWS or y.sum() < LEAST_FACTS:
        return None
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale < 1e-9, 1.0, scale)
    slopes = poisson_slopes((x - centre) / scale, y, offset)
    return Fitted(target, centre, scale, slopes, _trees(x, y, offset, seed))


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
    return slopes


def _trees(x: Floats, y: Floats, offset: Floats, seed: int) -> Any:
    """Return trees boosted for the Poisson deviance; in one thread, so that sums have one order."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # half a second, where it is used

    model = HistGradientBoostingRegressor(
        loss="poisson", max_iter=100, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=200,
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
    x = described(panel, at, fitted.target)
    shape = x.shape[:3]
    worth = exposure(panel, at, target or fitted.target, week_shape(panel, at))[..., None]
    flat = x.reshape(-1, x.shape[-1])
    line = np.column_stack([np.ones(len(flat)), (flat - fitted.centre) / fitted.scale])
    smooth = np.exp(np.clip(line @ fitted.slopes, -MOST, MOST)).reshape(shape) * worth
    with threadpool_limits(limits=1):
        boosted = np.round(fitted.trees.predict(flat), DIGITS).reshape(shape) * worth
    return {GLM: smooth, BOOSTING: boosted, MEAN: (smooth + boosted) / 2}
