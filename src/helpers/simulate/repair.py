"""The last repair of the quarters: exact counts of cells, and each quarter in one piece."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np
from scipy import ndimage

from helpers.simulate.streams import Bools, Floats, Ints

PASSES = 10


def repair(labels: Ints, wanted: Ints, squared: Floats) -> None:
    """Move cells of `labels` (−1 outside) in place, as few and as cheaply as possible.

    `squared` holds the squared distance to each quarter's centre: quarters × rows × columns.
    After `PASSES` passes what is left (an island that cannot be joined) stays.
    """
    for _ in range(PASSES):
        _balance(labels, wanted, squared)
        if not _join_pieces(labels):
            return
    _balance(labels, wanted, squared)


def _balance(labels: Ints, wanted: Ints, squared: Floats) -> None:
    """Pass single cells along chains of neighbours, from quarters too large to those too small."""
    stuck: set[tuple[int, int]] = set()
    while True:
        surplus = np.bincount(labels[labels >= 0], minlength=len(wanted)) - wanted
        chain = _chain(labels, surplus, stuck)
        if chain is None:
            _trade_with_outside(labels, surplus, squared)
            return
        # From the end of the chain: each giver then has a cell to spare again.
        for giver, taker in reversed(list(pairwise(chain))):
            if not _give(labels, giver, taker, squared):
                stuck.add((giver, taker))
                break


def _chain(labels: Ints, surplus: Ints, stuck: set[tuple[int, int]]) -> list[int] | None:
    """Return the shortest chain of adjacent quarters from a surplus to a lack, or None."""
    neighbours: dict[int, set[int]] = {}
    for first, second in (
        (labels[:, :-1], labels[:, 1:]),
        (labels[:-1, :], labels[1:, :]),
    ):
        touching = (first != second) & (first >= 0) & (second >= 0)
        for a, b in np.unique(np.column_stack((first[touching], second[touching])), axis=0):
            neighbours.setdefault(int(a), set()).add(int(b))
            neighbours.setdefault(int(b), set()).add(int(a))
    for start in np.nonzero(surplus > 0)[0]:
        before: dict[int, int] = {int(start): -1}
        queue = deque([int(start)])
        while queue:
            here = queue.popleft()
            if surplus[here] < 0:
                chain = [here]
                while before[chain[-1]] >= 0:
                    chain.append(before[chain[-1]])
                return chain[::-1]
            for other in sorted(neighbours.get(here, ())):
                if other not in before and (here, other) not in stuck:
                    before[other] = here
                    queue.append(other)
    return None


def _give(labels: Ints, giver: int, taker: int, squared: Floats) -> bool:
    """Give the cheapest cell of `giver` that touches `taker` and leaves `giver` in one piece."""
    own = labels == giver
    cells = np.argwhere(own & _touching(labels == taker))
    row, column = cells[:, 0], cells[:, 1]
    cost = squared[taker, row, column] - squared[giver, row, column]
    _, pieces = ndimage.label(own)
    for position in np.argsort(cost, kind="stable"):
        cell = tuple(cells[position])
        own[cell] = False
        if own.any() and ndimage.label(own)[1] <= pieces:
            labels[cell] = taker
            return True
        own[cell] = True
    return False


def _trade_with_outside(labels: Ints, surplus: Ints, squared: Floats) -> None:
    """Let an island, which has no neighbour to trade with, grow or shrink along its shore."""
    for quarter in np.nonzero(surplus)[0]:
        for _ in range(abs(int(surplus[quarter]))):
            own = labels == quarter
            far = squared[quarter]
            if surplus[quarter] < 0:
                shore = np.argwhere(_touching(own) & (labels < 0))
                best = shore[np.argmin(far[shore[:, 0], shore[:, 1]])]
                labels[tuple(best)] = quarter
            else:
                shore = np.argwhere(own & _touching(labels < 0))
                best = shore[np.argmax(far[shore[:, 0], shore[:, 1]])]
                labels[tuple(best)] = -1


def _touching(mask: Bools) -> Bools:
    """Return the cells that share a side with a cell of `mask`."""
    return np.asarray(ndimage.binary_dilation(mask) & ~mask, dtype=np.bool_)


def _join_pieces(labels: Ints) -> bool:
    """Give each piece but the largest to the neighbour it touches most; tell if one moved."""
    moved = False
    for quarter in range(int(labels.max()) + 1):
        pieces, count = ndimage.label(labels == quarter)
        if count < 2:
            continue
        sizes = np.bincount(pieces.ravel())[1:]
        for piece in np.nonzero(np.arange(count) != sizes.argmax())[0] + 1:
            around = labels[_touching(pieces == piece)]
            around = around[(around >= 0) & (around != quarter)]
            if len(around):
                labels[pieces == piece] = np.bincount(around).argmax()
                moved = True
    return moved
