"""The plan of a usual week, its price list and its draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.allocation import conflict, near_ties, prices, usual_week
from helpers.allocation.knobs import Knobs
from helpers.allocation.means import Floats, Item
from helpers.allocation.prices import Price
from helpers.allocation.programme import build
from helpers.allocation.solve import Plan, solve
from helpers.allocation.usual_week import Week

CONFLICT = "conflict"


@dataclass(frozen=True)
class Found:
    """What a city's plan comes to; `reason` says why there is none.

    `met`: facts expected that meet a team, today and by the plan drawn, for each of the three
    shares answered. `ties`: different plans that tie. `more` (zones, slots): the chance of more
    hours than today, given the list of plans that tie.
    """

    reason: str
    week: Week | None = None
    conflicts: tuple[tuple[Item, ...], ...] = ()
    best: Plan | None = None
    chosen: Plan | None = None
    more: Floats | None = None
    ties: int = 0
    prices: tuple[Price, ...] = ()
    met: tuple[tuple[float, float], ...] = ()


def allocate(week: Week | str, knobs: Knobs, seed: int, name: str) -> Found:
    """Return the plan of a week; `name`, of the week that it is drawn for, has its own stream."""
    if isinstance(week, str):
        return Found(week)
    programme = build(usual_week.problem(week, knobs, knobs.answered_share[1]))
    best = solve(programme, gap=knobs.gap)
    if best is None:
        return Found(CONFLICT, week, conflict.conflicts(programme))
    drawn = near_ties.draw(programme, best, knobs.tolerance, knobs.draws, seed, name, knobs.gap)
    planned = drawn.chosen.presence.sum(axis=0)
    more = np.mean([one.presence.sum(axis=0) > week.present for one in drawn.plans], axis=0)
    met = []
    for answered in knobs.answered_share:
        worth = usual_week.problem(week, knobs, answered)
        met.append((worth.gain_of(week.present), worth.gain_of(planned)))
    return Found(
        "", week, (), best, drawn.chosen, more, drawn.distinct,
        prices.prices(programme, best, knobs.gap), tuple(met),
    )  # fmt: skip
