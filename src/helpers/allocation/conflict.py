"""Why no plan exists: sets of constraints that cannot hold together, none of them in excess."""

from __future__ import annotations

from helpers.allocation.means import Item
from helpers.allocation.programme import Programme
from helpers.allocation.solve import feasible

Items = tuple[Item, ...]


def conflict(programme: Programme, among: Items | None = None) -> Items:
    """Return an irreducible conflict among items (all by default), () where a plan exists.

    Irreducible: with any one of its members left out, the others can hold together. QuickXplain:
    Junker, U. (2004), Preferred explanations and relaxations for over-constrained problems, AAAI;
    of several conflicts, the one of the items that come last.
    """
    items = programme.items if among is None else among
    if feasible(programme, items):
        return ()
    found = set(_explained(programme, (), False, items))
    return tuple(item for item in items if item in found)


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
