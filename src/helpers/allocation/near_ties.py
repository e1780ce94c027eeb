"""One plan drawn among those that are as good, so that what presence does can be measured later.

Plans that tie are listed first, then one of them is drawn, each with the same chance. Given the
list, the chance that a zone has a team at a slot is therefore known exactly, not estimated: it is
the share of the list. A cell at 0 or 1 tells nothing of effects: it was never left to chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.allocation.means import Floats
from helpers.allocation.programme import Programme
from helpers.allocation.solve import Plan, solve


@dataclass(frozen=True)
class Draw:
    """Plans that tie, the one drawn, and the chance of a team (zones, slots) given the list.

    A plan found several times stands several times; `refused`: found, but not a tie.
    """

    plans: tuple[Plan, ...]
    chosen: Plan
    propensity: Floats
    refused: int


def near_ties(
    programme: Programme, best: Plan, tolerance: float, draws: int, seed: int, gap: float = 0.0
) -> tuple[list[Plan], int]:
    """Return plans that lose at most the share `tolerance` of the best one's gain, and the refused.

    Gains of each zone and slot are moved by up to half the tolerance, then the best plan is found
    again. Without costs of change or travel such a plan is always a near-tie: it loses at most
    half the tolerance on what it wins, and half on what it gives up. Draws are of the zone's name:
    neither the order of zones nor a zone more moves those of another.
    """
    columns, gain = programme.columns, programme.problem.gain
    plans: list[Plan] = []
    for turn in range(draws):
        moved = np.stack([_stream(seed, f"{turn} {zone}").uniform(-1, 1, gain.shape[1])
                          for zone in columns.means.zones])  # fmt: skip
        nudge = np.zeros(columns.count)
        nudge[columns.u : columns.k] = -(gain * moved[:, :, None]).ravel() * tolerance / 2
        plan = solve(programme, gap=gap, nudge=nudge)
        if plan is not None and plan.net >= best.net - tolerance * best.gain:
            plans.append(plan)
    return plans, draws - len(plans)


def draw(
    programme: Programme, best: Plan, tolerance: float, draws: int, seed: int, name: str,
    gap: float = 0.0,
) -> Draw:  # fmt: skip
    """Return a plan drawn among near-ties; `name` of the draw, a week's say, has its own stream.

    The best plan is drawn for sure where nothing ties with it.
    """
    plans, refused = near_ties(programme, best, tolerance, draws, seed, gap)
    plans = plans or [best]
    at = choice(len(plans), seed, name)
    there = [plan.presence.sum(axis=0) > 0 for plan in plans]
    return Draw(tuple(plans), plans[at], np.mean(there, axis=0), refused)


def choice(count: int, seed: int, name: str) -> int:
    """Return a position below `count`, each with the same chance."""
    return int(_stream(seed, f"choice {name}").integers(count))


def _stream(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, *f"allocation {name}".encode()])
