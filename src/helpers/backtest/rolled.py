"""A theme forecast from every week of three past years, each time with what was known then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from helpers.backtest.knobs import Knobs
from helpers.core.place_time.slots import NO_HOUR, Slots
from helpers.core.stats import rolling
from helpers.core.stats.count_levels import BASELINES, LAST, YEAR, Panel, Target
from helpers.core.stats.count_models import Fitted
from helpers.core.stats.count_scores import crps
from helpers.core.stats.rolling import BOTTOM_UP, HORIZONS, LEARNT, METHODS, Block, Floats

SHORT, FEW, UNDATED = "short_history", "too_few", "not_dated"
TIE = 1e-9  # of a score
OF_SLOTS, OF_DAY = "slots", "day"  # what a score is of: slots each alone, whole days


@dataclass(frozen=True)
class Rolled:
    """A horizon's three years, and the method chosen on the second; parts: slots, then the day.

    `choice`: method → its mean CRPS over zones in the year of choice; `city_choice`: likewise over
    the city, of its own baselines and of the sum of the zones (`BOTTOM_UP`). `told` keeps the
    scores of the year that judges, by division, part and method: they are asked for twice.
    """

    horizon: str
    lead: int
    warm: Block
    chosen_on: Block
    judged: Block
    choice: dict[str, float]
    city_choice: dict[str, float]
    parts: dict[str, slice]
    told: dict[tuple[str, str, str], Floats] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The one of the least CRPS in the year of choice."""
        return least(self.choice)

    @property
    def city_method(self) -> str:
        """Where the city's mean comes from: the least CRPS over the city, the sum where it ties."""
        return least(self.city_choice)

    @property
    def length(self) -> int:
        """Days of the target."""
        return HORIZONS[self.horizon]


def least(scores: Mapping[str, float]) -> str:
    """Return the name of the least score; of equal ones, whatever the last digits, the first.

    Two methods that are one in a city without zones differ by what a sum loses, which changes from
    a machine to another, and with it what is forecast.
    """
    reached = min(scores.values()) * (1 + TIE)
    return next(name for name, score in scores.items() if score <= reached)


def reason(slots: Slots, minimum_count: int) -> str:
    """Return why a theme is not forecast at all; empty where it is."""
    if not slots.counts.any():
        return UNDATED
    if slots.counts[: slots.known][-364:].sum() < minimum_count:
        return FEW
    month = Target(slots.lead, HORIZONS["month"])
    return "" if rolling.enough(slots.known, month, 7) else SHORT


def panel(slots: Slots) -> Panel:
    """Return the days that are complete, as the methods read them."""
    known = slots.known
    return Panel(slots.counts[:known], slots.heard[:known], slots.weekday[:known], slots.season, 7)


def roll(slots: Slots, knobs: Knobs, seed: int) -> Iterator[Rolled]:
    """Yield each horizon's forecasts of three years of origins; `reason` must be empty.

    Models are fitted twice, before the year of choice and before the year that judges.
    """
    days = panel(slots)
    fits = {}
    for length in sorted(set(LEARNT.values())):
        target = Target(slots.lead, length)
        for year in (1, 0):
            first = int(rolling.origins(days.steps, target, 7, year).min())
            fits[length, year] = rolling.learnt(
                days, first, target, knobs.training_weeks, knobs.training_step_weeks, seed
            )
    for horizon, length in HORIZONS.items():
        parts = parts_of(slots, horizon)
        if not parts:
            continue
        target = Target(slots.lead, length)
        warm, chosen_on, judged = (
            _block(days, target, horizon, year, fits[LEARNT[horizon], min(year, 1)])
            for year in (2, 1, 0)
        )
        choice = {m: _crps(warm, chosen_on, m, parts) for m in METHODS if m in chosen_on.means}
        found = Rolled(horizon, slots.lead, warm, chosen_on, judged, choice, {}, parts)
        yield _reconciled(found, days, target)


def _reconciled(found: Rolled, days: Panel, target: Target) -> Rolled:
    """Return the forecasts, the chosen method's scaled to the city's where that is better.

    Judged on the city's whole days in the year of choice (on its slot, for the next slot). The last
    count is no candidate: where nothing beats it, the city is not forecast (`scores.skill`), and
    zones scaled to it would all repeat one week.
    """
    city, whole = rolling.city_of(days), list(found.parts.values())[-1]
    blocks = (found.warm, found.chosen_on, found.judged)
    own = [rolling.block(city, one.at, target, None).with_day().part(whole) for one in blocks]
    zones = np.ones((1, days.counts.shape[2]))
    below = [one.part(whole).over(zones) for one in blocks]
    choice = {BOTTOM_UP: _mean(scored(below[0], below[1], found.method))}
    choice |= {name: _mean(scored(own[0], own[1], name)) for name in BASELINES if name != LAST}
    found = replace(found, city_choice=choice)
    if found.city_method == BOTTOM_UP:
        return found
    warm, chosen_on, judged = (
        rolling.scaled(one, found.method, city_own.means[found.city_method][:, 0, 0], whole)
        for one, city_own in zip(blocks, own, strict=True)
    )
    return replace(found, warm=warm, chosen_on=chosen_on, judged=judged)


def _mean(values: Floats) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else 0.0


def parts_of(slots: Slots, horizon: str) -> dict[str, slice]:
    """Return the parts that a horizon is told by, of those of the panel and their sum.

    Facts whose hour is not known are in the sum alone; without any known hour, no slot is told.
    """
    clocked = len([part for part in slots.parts if part != NO_HOUR])
    if horizon == "slot":
        return {OF_SLOTS: slice(0, 1)} if clocked else {}
    whole = {OF_DAY: slice(len(slots.parts), len(slots.parts) + 1)}
    return {OF_SLOTS: slice(0, clocked), **whole} if clocked else whole


def _block(days: Panel, target: Target, horizon: str, year: int, fitted: Fitted | None) -> Block:
    at = rolling.origins(days.steps, target, 7, year)
    if year == 2:  # dispersions need no more than every other week
        at = at[::2]
    return rolling.block(days, at, target, fitted).with_day()


def scored(learnt_on: Block, block: Block, method: str) -> Floats:
    """Return the CRPS of each forecast (origins, parts, zones), not a number where not judged.

    Its dispersion is that of the method's errors in the year before.
    """
    mean = block.means[method]
    alpha = rolling.alpha_of(mean, rolling.spread(learnt_on, method))
    held = np.broadcast_to(block.whole[:, None], mean.shape)
    found = np.full(mean.shape, np.nan)
    found[held] = crps(block.came[held], mean[held], alpha[held])
    return found


def _crps(warm: Block, block: Block, method: str, parts: dict[str, slice]) -> float:
    """Return the mean CRPS of slots plus that of days: neither drowns the other."""
    told = [scored(warm.part(one), block.part(one), method) for one in parts.values()]
    return sum(_mean(one) for one in told)


REFERENCE = YEAR  # the baseline that the gain of a method is told against
