"""Why no plan exists: sets of constraints that cannot hold together, none of them in excess."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from helpers.allocation.means import Item
from helpers.allocation.programme import STRUCTURE, Programme
from helpers.allocation.solve import (
    CLOSE,
    System,
    feasible,
    relaxed,
    rows_kept,
    system_of,
)

SECONDS = 60.0
Items = tuple[Item, ...]


def conflict(programme: Programme, among: Items | None = None) -> Items:
    """Return an irreducible conflict among items (all by default), () where a plan exists.

    Irreducible: with any one of its members left out, the others can hold together. The members of
    a proof that no plan exists even in parts of a team, pared; else QuickXplain: Junker, U. (2004),
    Preferred explanations and relaxations for over-constrained problems, AAAI.
    """
    items = programme.items if among is None else among
    if feasible(programme, items):
        return ()
    if proof := _proof(programme, items):
        return _pared(programme, proof)
    found = set(_explained(programme, (), False, items))
    return tuple(item for item in items if item in found)


def _pared(programme: Programme, items: Items) -> Items:
    """Return a conflict without what it does not need; few items, all needed as a rule."""
    kept = items
    for item in items:
        others = tuple(one for one in kept if one != item)
        if not feasible(programme, others):
            kept = others
    return kept


def _proof(programme: Programme, items: Items) -> Items:
    """Return items that cannot hold together even in parts of a team, () where all can so hold.

    Rows may be missed at a cost; those with a multiplier prove by themselves that one has to be
    (Farkas).
    """
    columns = programme.columns
    out = set(programme.items) - set(items)
    kept = np.flatnonzero(rows_kept(programme, out))
    of = programme.item[kept]
    named = np.flatnonzero(of != STRUCTURE)
    miss = sparse.csr_array((np.ones(len(named)), (named, np.arange(len(named)))),
                            shape=(len(kept), len(named)))  # fmt: skip
    system = system_of(programme, out, np.zeros(columns.count))
    idle = (np.arange(columns.count) >= columns.u) & (np.arange(columns.count) < columns.p)
    free = np.where(idle, 0.0, system.most)
    extra = 2 * len(named)
    found = relaxed(
        System(
            np.concatenate([system.cost, np.ones(extra)]),
            sparse.csr_array(sparse.hstack([system.matrix, miss, -miss])),
            system.low, system.high, np.concatenate([free, np.full(extra, np.inf)]),
            np.zeros(columns.count + extra, dtype=bool),
        ),
        SECONDS,
    )  # fmt: skip
    if found is None or found.least <= CLOSE:
        return ()
    guilty = {programme.items[i] for i in of[np.abs(found.multipliers) > CLOSE] if i != STRUCTURE}
    told = tuple(item for item in items if item in guilty)
    return () if feasible(programme, told) else told  # a proof in floats, held against the rows


def conflicts(programme: Programme) -> tuple[Items, ...]:
    """Return irreducible conflicts that share no member; without one of each, a plan may exist.

    Once all members of all of them are left out, a plan exists.
    """
    found: list[Items] = []
    left = programme.items
    while one := conflict(programme, left):
        found.append(one)
        left = tuple(item for item in left if item not in one)
    return tuple(found)


def _explained(programme: Programme, held: Items, grown: bool, items: Items) -> Items:
    """Return the items that, added to those held, bring a conflict; `grown`: held has changed."""
    if grown and not feasible(programme, held):
        return ()
    if len(items) == 1:
        return items
    first, second = items[: len(items) // 2], items[len(items) // 2 :]
    late = _explained(programme, held + first, True, second)
    early = _explained(programme, held + late, bool(late), first)
    return early + late
