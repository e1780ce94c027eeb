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

WIDEST = 0.5  # share of a gain that chance adds or takes, at most


@dataclass(frozen=True)
class Draw:
    """Plans that tie, the one drawn, and the chance of a team (zones, slots) given the list.

    A plan found several times stands several times, and is drawn as much oftener.
    """

    plans: tuple[Plan, ...]
    chosen: Plan
    propensity: Floats

    @property
    def distinct(self) -> int:
        """How many different plans the list holds; of one alone, nothing is left to chance."""
        return len({plan.presence.tobytes() for plan in self.plans})


def near_ties(
    programme: Programme, best: Plan, tolerance: float, draws: int, seed: int, gap: float = 0.0
) -> list[Plan]:
    """Return up to `draws` plans that lose at most the share `tolerance` of the best one's gain.

    Gains of each zone and slot are moved by chance, then the best plan is found again: as widely as
    such plans bear, the width being halved after a plan that loses more, doubled after one that
    does not. At half the tolerance, without costs of change or travel, every plan is a near-tie:
    what it wins and what it gives up are each misjudged by no more. Draws are of the zone's name:
    neither the order of zones nor a zone more moves those of another.
    """
    columns, gain = programme.columns, programme.problem.gain
    least, plans = best.net - tolerance * best.gain, []
    narrow, width = tolerance / 2, WIDEST
    for turn in range(draws):
        moved = np.stack([_stream(seed, f"{turn} {zone}").uniform(-1, 1, gain.shape[1])
                          for zone in columns.means.zones])  # fmt: skip
        while True:
            nudge = np.zeros(columns.count)
            nudge[columns.u : columns.k] = -(gain * moved[:, :, None]).ravel() * width
            plan = solve(programme, gap=gap, nudge=nudge)
            if plan is not None and plan.net >= least:
                plans.append(plan)
                width = min(WIDEST, 2 * width)
                break
            if width <= narrow:
                break
            width = max(narrow, width / 2)
    return plans


def draw(
    programme: Programme, best: Plan, tolerance: float, draws: int, seed: int, name: str,
    gap: float = 0.0,
) -> Draw:  # fmt: skip
    """Return a plan drawn among near-ties; `name` of the draw, a week's say, has its own stream.

    The best plan is drawn for sure where nothing ties with it.
    """
    plans = near_ties(programme, best, tolerance, draws, seed, gap) or [best]
    at = choice(len(plans), seed, name)
    there = [plan.presence.sum(axis=0) > 0 for plan in plans]
    return Draw(tuple(plans), plans[at], np.mean(there, axis=0))


def choice(count: int, seed: int, name: str) -> int:
    """Return a position below `count`, each with the same chance."""
    return int(_stream(seed, f"choice {name}").integers(count))


def _stream(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, *f"allocation {name}".encode()])
