"""A city's plan of a week to a proven gap: seconds, gap, and a what-if.

Zones × slots × levels of gain under all rules, four crews of twelve teams, costs of change. Prints
the seconds of the plan, the proven gap, those of a what-if (a rule changed: the programme is
written, and its plan found near the one shown), the same programme given to the solver at once, and
the ratio. A city of
sixteen districts is measured beside it, whose what-ifs are those that a page waits for.

`python -m benchmarks.allocation [--size full]`; full is 500 zones, 21 slots, 3 levels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.parts.measure import Size, best, parser, show_ratio
from helpers.allocation import solve as solving
from helpers.allocation.again import again, known
from helpers.allocation.conflict import conflict
from helpers.allocation.means import EquityBand, Problem
from helpers.allocation.programme import build
from helpers.allocation.solve import Plan
from tests.allocation.towns import town

SHAPES: dict[Size, tuple[int, int]] = {"tiny": (40, 6), "small": (200, 21), "full": (500, 21)}
ROUNDS: dict[Size, int] = {"tiny": 1, "small": 1, "full": 3}  # towns, each another
GAP = 1e-3
ENOUGH = 5e-3  # of a what-if
CITY = (16, 28)  # districts of the simulated Marseille, four slots a day
WIDER = 0.05


def planned(problem: Problem) -> Plan | None:
    """Write the programme and solve it."""
    return solving.solve(build(problem), gap=GAP)


def asked(problem: Problem) -> Problem:
    """Return the what-if: a wider band of equity."""
    rules = (replace(r, band=WIDER) if isinstance(r, EquityBand) else r for r in problem.rules)
    return replace(problem, rules=tuple(rules))


def measured(name: str, problem: Problem) -> float:
    """Print the seconds of a plan and of a what-if; return those of the plan."""
    seconds, plan = best(lambda: planned(problem))
    if plan is None:
        why, items = best(lambda: conflict(build(problem)))
        print(f"  {name} : aucun plan, conflit de {len(items)} règles en {why:.2f} s", flush=True)
        return seconds
    near, shown = known(build(problem)), plan.presence.sum(axis=0)
    what_if, other = best(lambda: again(build(asked(problem)), near, shown, gap=GAP, enough=ENOUGH))
    proven = "aucun plan" if other is None else f"écart prouvé {other.gap:.4%}"
    print(f"  {name} : {seconds:.2f} s, écart prouvé {plan.gap:.4%} ; et si : {what_if:.2f} s, "
          f"{proven}", flush=True)  # fmt: skip
    return seconds


def main() -> None:
    """Plan towns in turn, then a city of districts; print the seconds."""
    size: Size = parser(__doc__).parse_args().size
    zones, slots = SHAPES[size]
    grid = 2 if size == "tiny" else 4
    spent = []
    for seed in range(ROUNDS[size]):
        problem = town(zones, slots, seed, grid=grid, band=0.03 if grid == 4 else 0.15)
        spent.append(measured(f"{zones} zones × {slots} créneaux × 3 niveaux", problem))
    city = town(*CITY, 1, grid=2, band=0.15, teams=6)
    measured(f"{CITY[0]} zones × {CITY[1]} créneaux", city)
    first = solving.FIRST
    solving.FIRST = np.inf
    at_once, _ = best(lambda: planned(town(zones, slots, 0, grid=grid)))
    solving.FIRST = first
    show_ratio("par coûts réduits / d'un seul coup", spent[0], at_once)


if __name__ == "__main__":
    main()
