"""The best plan of a programme, by HiGHS (scipy.optimize.milp), and never taken on trust.

What the solver returns is rounded and held against every row again: it has been seen to call
optimal what breaks its constraints (scipy/scipy#24141).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from helpers.allocation.means import Bools, Floats, Ints, Item
from helpers.allocation.programme import STRUCTURE, Programme

CLOSE = 1e-6  # by how much a row may be missed, relative to its bound
FIRST = 2e-4  # share of the relaxation that a column may cost and still be looked at at once
OPTIMAL, LIMIT, INFEASIBLE = 0, 1, 2


@dataclass(frozen=True)
class System:
    """Least `cost` · x with `low` ≤ A x ≤ `high` and 0 ≤ x ≤ `most`, `whole` columns integer."""

    cost: Floats
    matrix: sparse.csr_array
    low: Floats
    high: Floats
    most: Floats
    whole: Bools


class Unsolved(RuntimeError):
    """The solver came to no answer within its time, or to one that breaks a row."""


@dataclass(frozen=True)
class Plan:
    """A plan: teams by duty (duties,) and where (crews, zones, slots); what it is worth.

    `net` is gain less what changes and travel cost; no plan has a net above `bound`.
    """

    duties: Ints
    presence: Ints
    gain: float
    net: float
    bound: float
    moved: int

    @property
    def gap(self) -> float:
        """How far a better plan could be, relative to this one's net."""
        return max(0.0, self.bound - self.net) / max(abs(self.net), 1e-9)


def solve(
    programme: Programme, *, lifted: Collection[Item] = (), gap: float = 0.0,
    seconds: float = 60.0, nudge: Floats | None = None,
) -> Plan | None:  # fmt: skip
    """Return the best plan, to a proven relative `gap`; None where the rules allow none.

    `lifted`: items left out. `nudge` (columns,): added to the costs to choose among near-ties; net
    and gain are those without it, `bound` with it. Raises Unsolved past the time.
    """
    cost = programme.cost if nudge is None else programme.cost + nudge
    x, bound = _minimum(_system(programme, lifted, cost), gap, seconds)
    if x is None:
        return None
    presence = programme.columns.presence(x)
    means = programme.problem.means
    gain = programme.problem.gain_of(presence.sum(axis=0))
    moved = int(np.maximum(presence - means.today, 0).sum())
    duties = np.rint(x[: len(means.duties)]).astype(np.int64)
    return Plan(duties, presence, gain, -float(programme.cost @ x), -bound, moved)


def feasible(programme: Programme, held: Collection[Item], seconds: float = 60.0) -> bool:
    """Tell whether some plan satisfies the structure and these items alone."""
    free = np.zeros_like(programme.cost)
    system = _system(programme, set(programme.items) - set(held), free)
    none = np.zeros(len(free), dtype=bool)
    return _whole(system, none, none, 0.0, seconds)[0] is not None


def rows_kept(programme: Programme, lifted: Collection[Item]) -> Bools:
    """Return which rows remain (rows,) without those of some items."""
    out = [programme.items.index(item) for item in lifted]
    return np.asarray((programme.item == STRUCTURE) | ~np.isin(programme.item, out))


def _system(programme: Programme, lifted: Collection[Item], cost: Floats) -> System:
    kept = np.flatnonzero(rows_kept(programme, lifted))
    return System(
        cost, sparse.csr_array(programme.matrix[kept]), programme.low[kept], programme.high[kept],
        programme.most, programme.whole,
    )  # fmt: skip


def _minimum(system: System, gap: float, seconds: float) -> tuple[Floats | None, float]:
    """Return the columns of least cost, and the bound that no plan is below; None if none are.

    By reduced costs (Nemhauser & Wolsey 1988, II.5.2): a plan that moves a column from where the
    relaxation leaves it costs at least the relaxation and the column's reduced cost. Columns whose
    reduced cost passes `worth` are fixed; what is left out is not below `least` + `worth`. A second
    turn, where needed, takes as `worth` the distance of the plan found, less the gap asked for:
    what is left out is no better than the gap allows.
    """
    relaxed = _relaxed(system, seconds)
    if relaxed is None:
        return None, np.inf
    least, below, above = relaxed
    worth = max(gap, FIRST) * abs(least) + CLOSE
    x, bound = _whole(system, below > worth, above > worth, gap, seconds)
    if x is not None:
        reached = float(system.cost @ x)
        bound = min(bound, least + worth)
        if reached - bound <= gap * abs(reached):
            return x, bound
        worth = reached - gap * abs(reached) - least + CLOSE
    else:
        worth = np.inf
    wider, bound = _whole(system, below > worth, above > worth, gap, seconds)
    if x is not None and wider is not None and system.cost @ x < system.cost @ wider:
        wider = x  # within the gap the solver may stop at either
    return wider, min(bound, least + worth)


def _relaxed(system: System, seconds: float) -> tuple[float, Floats, Floats] | None:
    """Return the least cost without whole numbers, and reduced costs (columns,) at both bounds."""
    equal = system.low == system.high
    under = np.isfinite(system.high) & ~equal
    over = np.isfinite(system.low) & ~equal
    found = linprog(
        system.cost,
        A_ub=sparse.vstack([system.matrix[under], -system.matrix[over]], format="csr"),
        b_ub=np.concatenate([system.high[under], -system.low[over]]),
        A_eq=system.matrix[equal], b_eq=system.low[equal],
        bounds=[(0.0, float(most)) for most in system.most],
        method="highs", options={"time_limit": seconds},
    )  # fmt: skip
    if found.status == INFEASIBLE:
        return None
    if found.status != OPTIMAL or found.x is None:
        raise Unsolved(found.message)
    return float(system.cost @ found.x), found.lower.marginals, -found.upper.marginals


def _whole(
    system: System, down: Bools, up: Bools, gap: float, seconds: float
) -> tuple[Floats | None, float]:
    """Return whole columns of least cost and their bound, some fixed; None where none are."""
    low = np.where(up & system.whole, system.most, 0.0)
    high = np.where(down & system.whole, 0.0, system.most)
    found = milp(
        system.cost, integrality=system.whole.astype(np.int64), bounds=Bounds(low, high),
        constraints=LinearConstraint(system.matrix.tocsc(), system.low, system.high),
        options={"mip_rel_gap": gap, "time_limit": seconds},
    )  # fmt: skip
    if found.status == INFEASIBLE:
        return None, np.inf
    if found.status not in (OPTIMAL, LIMIT) or found.x is None:
        raise Unsolved(found.message)
    x = np.asarray(found.x, dtype=np.float64)
    x[system.whole] = np.rint(x[system.whole])
    got = system.matrix @ x
    slack = CLOSE * np.maximum(1.0, np.maximum(_finite(system.low), _finite(system.high)))
    if (got < system.low - slack).any() or (got > system.high + slack).any():
        raise Unsolved("the solver's plan breaks a row")
    bound = found.mip_dual_bound
    return x, float(system.cost @ x if bound is None else bound)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), np.abs(values), 0.0)
