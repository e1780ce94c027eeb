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
    x, bound = _minimum(system_of(programme, lifted, cost), gap, seconds)
    return None if x is None else plan_of(programme, x, bound)


def plan_of(programme: Programme, x: Floats, bound: float) -> Plan:
    """Return the plan of columns; `bound`: the least cost that there could be."""
    presence = programme.columns.presence(x)
    means = programme.problem.means
    gain = programme.problem.gain_of(presence.sum(axis=0))
    moved = int(np.maximum(presence - means.today, 0).sum())
    duties = np.rint(x[: len(means.duties)]).astype(np.int64)
    return Plan(duties, presence, gain, -float(programme.cost @ x), -bound, moved)


def feasible(programme: Programme, held: Collection[Item], seconds: float = 60.0) -> bool:
    """Tell whether some plan satisfies the structure and these items alone."""
    columns = programme.columns
    system = system_of(programme, set(programme.items) - set(held), np.zeros(columns.count))
    # Levels and what is kept only count what a plan is worth: nothing of it is asked here.
    idle = (np.arange(columns.count) >= columns.u) & (np.arange(columns.count) < columns.p)
    return whole(system, idle, np.zeros_like(idle), 0.0, seconds)[0] is not None


def rows_kept(programme: Programme, lifted: Collection[Item]) -> Bools:
    """Return which rows remain (rows,) without those of some items."""
    out = [programme.items.index(item) for item in lifted]
    return np.asarray((programme.item == STRUCTURE) | ~np.isin(programme.item, out))


def system_of(programme: Programme, lifted: Collection[Item], cost: Floats) -> System:
    """Return the programme in numbers, some items left out, at these costs."""
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
    found = relaxed(system, seconds)
    if found is None:
        return None, np.inf
    least, reduced = found.least, found.reduced
    worth = max(gap, FIRST) * abs(least) + CLOSE
    x, bound = whole(system, reduced > worth, reduced < -worth, gap, seconds)
    if x is not None:
        reached = float(system.cost @ x)
        bound = min(bound, least + worth)
        if reached - bound <= gap * abs(reached):
            return x, bound
        worth = reached - gap * abs(reached) - least + CLOSE
    else:
        worth = np.inf
    wider, bound = whole(system, reduced > worth, reduced < -worth, gap, seconds)
    if x is not None and wider is not None and system.cost @ x < system.cost @ wider:
        wider = x  # within the gap the solver may stop at either
    return wider, min(bound, least + worth)


@dataclass(frozen=True)
class Relaxed:
    """Least cost without whole numbers, reduced costs (columns,), multipliers (rows,).

    A column left at 0 costs its reduced cost by unit; one left at its most, less than nothing.
    """

    least: float
    reduced: Floats
    multipliers: Floats


def relaxed(system: System, seconds: float) -> Relaxed | None:
    """Return what the programme comes to without whole numbers; None where nothing is feasible."""
    equal = system.low == system.high
    under = np.isfinite(system.high) & ~equal
    over = np.isfinite(system.low) & ~equal
    found = linprog(
        system.cost,
        A_ub=sparse.vstack([system.matrix[under], -system.matrix[over]], format="csr"),
        b_ub=np.concatenate([system.high[under], -system.low[over]]),
        A_eq=system.matrix[equal], b_eq=system.low[equal],
        bounds=[(0.0, most) for most in system.most.tolist()],
        method="highs", options={"time_limit": seconds},
    )  # fmt: skip
    if found.status == INFEASIBLE:
        return None
    if found.status != OPTIMAL or found.x is None:
        raise Unsolved(found.message)
    multipliers, parts = np.zeros(len(system.low)), found.ineqlin.marginals
    multipliers[under] += parts[: under.sum()]
    multipliers[over] -= parts[under.sum() :]
    multipliers[equal] = found.eqlin.marginals
    reduced = found.lower.marginals + found.upper.marginals
    return Relaxed(float(system.cost @ found.x), reduced, multipliers)


def whole(
    system: System, down: Bools, up: Bools, gap: float, seconds: float
) -> tuple[Floats | None, float]:
    """Return whole columns of least cost and their bound, some fixed; None where none are.

    Fixed `down` at 0, `up` at their most. Given whole teams, what follows from them is best whole
    too: a reduced cost fixes those columns as well. The solver is given what is left free alone.
    """
    x = np.where(up & ~down, system.most, 0.0)
    free = ~(down | up)
    free &= ~_forced(system, free, system.high - system.matrix @ x)
    taken, fixed = system.matrix @ x, float(system.cost @ x)
    inner = system.matrix[:, np.flatnonzero(free)]
    held = np.diff(inner.indptr) > 0
    if _breaks(system, taken)[~held].any():
        return None, np.inf
    bound: float | None = 0.0
    if free.any():
        rows = LinearConstraint(inner[held].tocsc(), (system.low - taken)[held],
                                (system.high - taken)[held])  # fmt: skip
        found = milp(
            system.cost[free], integrality=system.whole[free].astype(np.int64),
            bounds=Bounds(0.0, system.most[free]), constraints=rows if held.any() else (),
            options={"mip_rel_gap": gap, "time_limit": seconds},
        )  # fmt: skip
        if found.status == INFEASIBLE:
            return None, np.inf
        if found.status not in (OPTIMAL, LIMIT) or found.x is None:
            raise Unsolved(found.message)
        x[free], bound = found.x, found.mip_dual_bound
    x[system.whole] = np.rint(x[system.whole])
    if _breaks(system, system.matrix @ x).any():
        raise Unsolved("the solver's plan breaks a row")
    return x, float(system.cost @ x if bound is None else fixed + bound)


def _forced(system: System, free: Bools, room: Floats) -> Bools:
    """Return the columns that rows leave at 0: nothing but sums in them, and no room (rows,)."""
    matrix = system.matrix
    row = np.repeat(np.arange(len(room)), np.diff(matrix.indptr))
    there = free[matrix.indices]
    less = np.bincount(row[there & (matrix.data < 0)], minlength=len(room)) > 0
    shut = there & ~less[row] & (room <= 0)[row]
    found = np.zeros_like(free)
    found[matrix.indices[shut]] = True
    return found


def _breaks(system: System, got: Floats) -> Bools:
    """Return the rows that are missed by more than `CLOSE`."""
    slack = CLOSE * np.maximum(1.0, np.maximum(_finite(system.low), _finite(system.high)))
    return np.asarray((got < system.low - slack) | (got > system.high + slack))


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), np.abs(values), 0.0)
