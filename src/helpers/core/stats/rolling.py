"""Forecasts from past origins, one a week, judged by what came: arrays in, arrays out.

Three years back from the last complete step: on the first one dispersions are learnt, on the second
one a method is chosen, on the third one it is judged. Each fit knows only what came before the
first origin that it serves; each origin knows only what came before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from helpers.core.stats.count_levels import (
    BASELINES,
    Ints,
    Panel,
    Target,
    baselines,
    observed,
)
from helpers.core.stats.count_models import CHALLENGERS, Fitted, challengers, fit
from helpers.core.stats.count_scores import dispersion_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
WEEKS = 52  # origins of a year, one a week
METHODS = (*BASELINES, *CHALLENGERS)
LEAST_KNOWN = 26  # weeks before an origin
# Days that each horizon is long; a slot is the first one of the day after. What models learn is
# the level of a week or of a month: a day's is the week's, shared out by its weekday.
HORIZONS = {"slot": 1, "day": 1, "week": 7, "month": 28}
LEARNT = {"slot": 7, "day": 7, "week": 7, "month": 28}
BOTTOM_UP = "bottom_up"  # the city is the sum of its zones; else zones are scaled to its forecast
USE = "never_to_judge_a_person"  # what every table of forecasts says of itself


@dataclass(frozen=True)
class Block:
    """Forecasts of a year of origins: what came, and each method's mean (origins, parts, zones).

    `whole` (origins, zones): the target was heard throughout, and the zone at the origin.
    """

    at: Ints
    came: Floats
    whole: Bools
    means: dict[str, Floats]

    def with_day(self) -> Block:
        """Return the block with one part more: the sum of all."""
        return replace(
            self, came=_with_sum(self.came), means={k: _with_sum(v) for k, v in self.means.items()}
        )

    def over(self, sums: Floats) -> Block:
        """Return the block for sums of zones; `sums` (groups, zones), of zeros and ones.

        A sum is whole where all its parts are: means add up, from the bottom.
        """
        short = (~self.whole).astype(float) @ sums.T
        return Block(
            self.at, self.came @ sums.T, short == 0,
            {name: mean @ sums.T for name, mean in self.means.items()},
        )  # fmt: skip

    def part(self, parts: slice) -> Block:
        """Return the block of some parts."""
        means = {name: mean[:, parts] for name, mean in self.means.items()}
        return replace(self, came=self.came[:, parts], means=means)

    def kept(self, values: Floats) -> Floats:
        """Return the values (origins, parts, zones) of what was whole, flat."""
        return values[np.broadcast_to(self.whole[:, None], values.shape)]


def _with_sum(values: Floats) -> Floats:
    return np.concatenate([values, values.sum(axis=1, keepdims=True)], axis=1)


def city_of(panel: Panel) -> Panel:
    """Return the panel of the whole: one zone, heard where all are."""
    counts, heard = panel.counts.sum(axis=2), np.asarray(panel.heard.all(axis=1))
    return Panel(counts[..., None], heard[:, None], panel.phase, panel.season, panel.per_week)


def scaled(block: Block, method: str, whole: Floats, parts: slice) -> Block:
    """Return the block, a method's means scaled to sum to `whole` (origins,) over `parts`.

    Proportions are those of the forecasts: Athanasopoulos, Ahmed & Hyndman (2009), International
    Journal of Forecasting 25, §3.
    """
    mean = block.means[method]
    ratio = whole / np.maximum(mean[:, parts].sum(axis=(1, 2)), 1e-9)
    return replace(block, means={**block.means, method: mean * ratio[:, None, None]})


def origins(known: int, target: Target, per_week: int, years_ago: int) -> Ints:
    """Return a year of origins, oldest first, whose targets had come by `known` steps.

    One a week; within the week they turn, so that every weekday is forecast in its turn.
    """
    back = np.arange(years_ago * WEEKS, (years_ago + 1) * WEEKS)
    at = known - target.lead - target.length - back * per_week - (back * 3) % per_week
    return np.asarray(at[::-1], dtype=np.int64)


def enough(known: int, target: Target, per_week: int) -> bool:
    """Tell whether the oldest origin has `LEAST_KNOWN` weeks before it."""
    return int(origins(known, target, per_week, 2).min()) >= LEAST_KNOWN * per_week


def block(panel: Panel, at: Ints, target: Target, fitted: Fitted | None) -> Block:
    """Return the forecasts of each method from these origins; no challenger without a fit."""
    came, whole = observed(panel, at, target)
    now = np.array([panel.heard[one - 1] for one in at])
    means = baselines(panel, at, target)
    if fitted is not None:
        means |= challengers(fitted, panel, at, target)
    return Block(at, came, whole & now, means)


def learnt(
    panel: Panel, known: int, target: Target, weeks: int, step: int, seed: int
) -> Fitted | None:
    """Return the models, of a panel cut at `known`: nothing later can be reached."""
    cut = Panel(panel.counts[:known], panel.heard[:known], panel.phase[:known], panel.season,
                panel.per_week)  # fmt: skip
    return fit(cut, known, target, weeks, step, seed)


def spread(found: Block, method: str) -> tuple[float, float]:
    """Return phi and alpha of a method's errors (`dispersion_of`)."""
    return dispersion_of(found.kept(found.came), found.kept(found.means[method]))


def alpha_of(mean: Floats, spread: tuple[float, float]) -> Floats:
    """Return the dispersion of each forecast: phi / mean + alpha."""
    phi, alpha = spread
    return np.asarray(phi / np.maximum(mean, 1e-9) + alpha, dtype=np.float64)
