"""What a plan wins over today's, and what each rule costs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from helpers.allocation.programme import Programme, build
from helpers.allocation.solve import Plan, Unsolved, solve

CHANGE = "change"


@dataclass(frozen=True)
class Price:
    """What would be won if a kind of rule were lifted: between `low` and `high`, by the gaps."""

    kind: str
    low: float
    high: float


def today(programme: Programme) -> float:
    """Return what the roster in force is worth, by the same gains; it changes nothing."""
    problem = programme.problem
    return problem.gain_of(problem.means.today.sum(axis=0))


def prices(
    programme: Programme, plan: Plan, gap: float = 0.0, seconds: float = 60.0
) -> tuple[Price, ...]:
    """Return the price of each kind of rule in the problem, all others kept.

    Not of the hours: there is no plan beyond them. `change`: if moving a team cost nothing.
    """
    kinds = dict.fromkeys(item.kind for item in programme.items if item.kind != "hours")
    found = []
    for kind in kinds:
        out = [item for item in programme.items if item.kind == kind]
        found.append(_price(kind, plan, solve(programme, lifted=out, gap=gap, seconds=seconds)))
    if programme.problem.change:
        free = build(replace(programme.problem, change=0.0))
        found.append(_price(CHANGE, plan, solve(free, gap=gap, seconds=seconds)))
    return tuple(found)


def _price(kind: str, plan: Plan, lifted: Plan | None) -> Price:
    if lifted is None:
        raise Unsolved("a plan exists with a rule and none without it")
    most = max(0.0, lifted.bound - plan.net)
    return Price(kind, min(most, max(0.0, lifted.net - plan.bound)), most)
