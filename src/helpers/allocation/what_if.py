"""What if: the plan again with fewer teams or other rules, and what then differs.

Of the plans that are as good, one near to the plan shown is looked for, so that what differs is
what was asked for. The plan shown may lose `tolerance`; the one that answers, as much again. Where
a rule is loosened, what that wins is the question: it falls no shorter of the best than the plan
shown does, else all that the rule costs could be lost in what a plan may lose.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from helpers.allocation import conflict, usual_week
from helpers.allocation.again import Known, again, known
from helpers.allocation.knobs import Knobs
from helpers.allocation.means import Ints, Item
from helpers.allocation.programme import build
from helpers.allocation.solve import system_of
from helpers.allocation.usual_week import Week


@dataclass(frozen=True)
class Asked:
    """What is taken otherwise: teams missing at some slots (positions), and the city's rules."""

    missing: int
    at: tuple[int, ...]
    minimum_share: float
    most_ratio: float
    equity_band: float

    def looser(self, usual: Asked) -> bool:
        """Tell whether a rule holds less than it usually does: more may then be won."""
        return (
            self.minimum_share < usual.minimum_share
            or self.most_ratio > usual.most_ratio
            or self.equity_band > usual.equity_band
        )


@dataclass(frozen=True)
class Other:
    """The plan that answers: hours of a team (zones, slots), or the rules in conflict.

    `lost` (slots,): hours of a team that are missing. `short`: how much better a plan could be at
    most, relative (proven). `met`: facts that meet a team, by the plan shown and by this one, for
    each share answered.
    """

    lost: Ints
    planned: Ints | None = None
    short: float = 0.0
    met: tuple[tuple[float, float], ...] = ()
    conflicts: tuple[tuple[Item, ...], ...] = ()


class WhatIf:
    """Answers for one week and the plan of it that is shown (zones, slots), if there is one.

    `hours` (slots,): those that a slot lasts, so many hours of a team does a missing team take.
    """

    def __init__(self, week: Week, shown: Ints | None, hours: Ints, knobs: Knobs) -> None:
        self.week, self.hours, self.knobs = week, hours, knobs
        self.shown = week.present if shown is None else shown

    @property
    def usual(self) -> Asked:
        """What the plan shown was made with."""
        knobs = self.knobs
        return Asked(0, (), knobs.minimum_share, knobs.most_ratio, knobs.equity_band)

    @cached_property
    def _near(self) -> Known | None:
        problem = usual_week.problem(self.week, self.knobs, self.knobs.answered_share[1])
        return known(build(problem))

    @cached_property
    def _short(self) -> float:
        """How much better than the plan shown one could be at most, relative, rules unchanged.

        Twice the tolerance where more, or nothing, is proven.
        """
        knobs, near = self.knobs, self._near
        most = 2 * knobs.tolerance
        programme = build(usual_week.problem(self.week, knobs, knobs.answered_share[1]))
        proven = near.bound(system_of(programme, (), programme.cost)) if near else None
        if proven is None:
            return most
        changed = int(np.maximum(self.shown - self.week.present, 0).sum())
        net = programme.problem.gain_of(self.shown) - knobs.change_cost * changed
        return min(most, max(0.0, -proven.least - net) / max(abs(net), 1e-9))

    def answer(self, asked: Asked) -> Other:
        """Return the plan that is asked for; never an hour of a team beyond those that are left."""
        lost = np.zeros(len(self.week.slots), dtype=np.int64)
        lost[list(asked.at)] = asked.missing * self.hours[list(asked.at)]
        lost = np.minimum(lost, self.week.present.sum(axis=0))
        rules = {name: getattr(asked, name)
                 for name in ("minimum_share", "most_ratio", "equity_band")}  # fmt: skip
        knobs = self.knobs.model_copy(update=rules)
        programme = build(usual_week.problem(self.week, knobs, knobs.answered_share[1], lost))
        enough = self._short if asked.looser(self.usual) else 2 * knobs.tolerance
        plan = again(programme, self._near, self.shown, gap=knobs.gap,
                     enough=enough + knobs.gap)  # fmt: skip
        if plan is None:
            return Other(lost, conflicts=conflict.conflicts(programme))
        planned = plan.presence.sum(axis=0)
        met = []
        for share in knobs.answered_share:
            worth = usual_week.problem(self.week, knobs, share)
            met.append((worth.gain_of(self.shown), worth.gain_of(planned)))
        return Other(lost, planned, plan.gap, tuple(met))
