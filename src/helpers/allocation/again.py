"""The plan again, when something is taken otherwise: fast, and as proven as what it is told with.

The bound comes first: multipliers of the relaxation prove one for any programme of the same rows,
whatever their limits (Lagrangian duality). Where those of a programme near by (`Known`) prove too
little, the relaxation is solved anew. Few columns are then looked at; if the plan found among them
is not within `enough` of the bound, all of it is solved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from helpers.allocation.means import Floats, Ints
from helpers.allocation.programme import Programme
from helpers.allocation.solve import (
    CLOSE,
    Plan,
    Relaxed,
    System,
    Unsolved,
    plan_of,
    relaxed,
    solve,
    system_of,
    whole,
)

# Shares of the bound that a column may cost and still be looked at: the second where no plan is
# among those of the first.
NARROW = (2e-4, 5e-4)
LOYAL = (1.0, 0.25, 0.0625)  # parts of what an hour wins on average that holds it where it is shown


@dataclass(frozen=True)
class Known:
    """A programme whose relaxation is solved: its rows, and what they are worth (rows,)."""

    matrix: sparse.csr_array
    multipliers: Floats

    def bound(self, system: System) -> Relaxed | None:
        """Return what these multipliers prove of a system; None where its rows are others."""
        ours, theirs = self.matrix, system.matrix
        if ours.shape != theirs.shape or ours.nnz != theirs.nnz:
            return None
        if any((getattr(ours, part) != getattr(theirs, part)).any()
               for part in ("indptr", "indices", "data")):  # fmt: skip
            return None
        limit = np.where(self.multipliers > 0, system.low, system.high)
        told = np.where(np.isfinite(limit), self.multipliers, 0.0)
        reduced = system.cost - theirs.T @ told
        endless = np.isinf(system.most)
        if (reduced[endless] < -CLOSE).any():
            return None
        most = np.where(endless, 0.0, system.most)
        least = told @ np.where(told == 0, 0.0, limit) + np.minimum(reduced, 0.0) @ most
        return Relaxed(float(least), reduced, told)


def known(programme: Programme, seconds: float = 60.0) -> Known | None:
    """Return what the relaxation of a programme tells of those near by; None where it has none."""
    system = system_of(programme, (), programme.cost)
    found = relaxed(system, seconds)
    return None if found is None else Known(system.matrix, found.multipliers)


def again(
    programme: Programme, near: Known | None, shown: Ints, *, gap: float, enough: float,
    seconds: float = 60.0,
) -> Plan | None:  # fmt: skip
    """Return a plan proven within `enough` of the best (relative); None where there is none.

    Among such plans, one near to the plan `shown` (zones, slots): an hour leaves it where that wins
    as much as an hour of it does on average; less, where no plan so found is good enough. `gap`:
    where each search stops.
    """
    system = system_of(programme, (), programme.cost)
    hour = programme.problem.gain_of(shown) / max(1, int(shown.sum()))
    for proven in _proofs(system, near, seconds):
        if proven is None:
            return None
        for part in LOYAL:
            wanted = _towards(programme, system, shown, part * hour)
            try:
                plan = _among_few(programme, wanted, shown, proven, gap, enough, seconds)
            except (Far, Unsolved):
                continue
            if plan is None:
                break
            if plan.gap <= enough:
                return plan
    return solve(programme, gap=enough, seconds=seconds)


def _towards(programme: Programme, system: System, shown: Ints, weight: float) -> System:
    """Return the system in which each hour that leaves the plan shown costs `weight` of gain.

    Gains of the levels that it fills rise by half of that, those above fall by as much.
    """
    columns, cost = programme.columns, system.cost.copy()
    filled = np.arange(columns.levels) < shown[:, :, None]
    cost[columns.u : columns.k] += np.where(filled, -weight / 2, weight / 2).ravel()
    return replace(system, cost=cost)


class Far(RuntimeError):
    """What is wanted most is further from the bound than is enough, in parts of a team even."""


def _among_few(
    programme: Programme, wanted: System, shown: Ints, proven: Relaxed, gap: float, enough: float,
    seconds: float,
) -> Plan | None:  # fmt: skip
    """Return the plan wanted most among columns that cost little, and those of the plan shown.

    `Far` is raised by its relaxation, in hundredths of a second: the search for whole teams takes
    longer, and now and then gets stuck at its root (5 s, of one town in three of 500 zones).
    """
    of_parts = replace(wanted, whole=np.zeros_like(wanted.whole))
    columns = programme.columns
    filled = (np.arange(columns.levels) < shown[:, :, None]).ravel()
    there = (shown > 0).T[columns.place_slot].ravel()  # (places, zones), as the columns stand
    for share in NARROW:
        worth = share * abs(proven.least) + CLOSE
        down, up = proven.reduced > worth, proven.reduced < -worth
        down[columns.y : columns.u] &= ~there
        down[columns.u : columns.k] &= ~filled
        up[columns.u : columns.k] &= filled
        up &= np.isfinite(wanted.most)
        parts, _ = whole(of_parts, down, up, gap, seconds)
        if parts is None:
            continue
        reached = float(programme.cost @ parts)
        if reached - proven.least > enough * abs(reached):
            raise Far
        x, _ = whole(wanted, down, up, gap, seconds)
        if x is not None:
            return plan_of(programme, x, proven.least)
    return None


def _proofs(system: System, near: Known | None, seconds: float) -> Iterator[Relaxed | None]:
    """Yield what is known at once, where something is, then the relaxation."""
    told = near.bound(system) if near else None
    if told is not None:
        yield told
    yield relaxed(system, seconds)
