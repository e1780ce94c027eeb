"""Days received in part: a source that brings now whole days, now next to nothing of them.

A publisher's sample, an import that fails one night in three. Such days are not low enough for a
silence, and too many for a level to be found without them: they pull down what is expected, and a
whole day among them seems extraordinary. Two heaps, and a gap between: that is what is looked for.
Nothing in the counts tells them from days that are truly quiet (a patrol that goes out now and
then): whoever knows the source must say.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
GOOD, HALF_DAYS = 0.75, 28  # a whole day is the upper quarter of those around, on either side
FEWEST = 20  # records of a whole day: below, chance alone makes days of next to nothing
LITTLE, MUCH = 1 / 3, 0.6  # of a whole day, on either side of the gap
IN_PART = 0.5
BLOCK_DAYS = 364
# Of a block: runs of such days (a closed month is one, and so is a holiday), share of its days, and
# how many times fewer days lie in the gap than on either side of it: one heap, however spread, has
# no gap.
RUNS, SHARE, GAP = 20, 0.1, 4


def days_in_part(n: Floats, first_weekday: int) -> Bools:
    """Return the days (days,) that were received in part, of counts `n` (days,); mostly none.

    A whole day is told by those of the same weekday: a source that rests on Sundays brings whole
    Sundays. Blocks of a year, from the last day back, are judged each alone.
    """
    found = np.zeros(len(n), dtype=bool)
    if len(n) < 2 * HALF_DAYS:
        return found
    weekday = (np.arange(len(n)) + first_weekday) % 7
    usual = np.array([np.quantile(n[weekday == one], GOOD) for one in range(7)])[weekday]
    level = np.divide(n, usual, out=np.full(len(n), np.nan), where=usual > 0)
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(level, HALF_DAYS, constant_values=np.nan), 2 * HALF_DAYS + 1
    )
    told = np.isfinite(around).any(axis=1)
    whole = np.zeros(len(n))
    whole[told] = np.nanquantile(around[told], GOOD, axis=1) * usual[told]
    share = np.divide(n, whole, out=np.ones(len(n)), where=whole >= FEWEST)
    days = np.flatnonzero(whole >= FEWEST)  # others, days of rest say, do not part a run in two
    for after in range(len(n), 0, -BLOCK_DAYS):
        block = days[(days < after) & (days >= after - BLOCK_DAYS)]
        here = share[block]
        if not len(block):
            continue
        little, much = here <= LITTLE, here > MUCH
        between = (~little & ~much).sum()
        runs = little[0] + (little[1:] & ~little[:-1]).sum()
        gap = GAP * between < min(little.sum(), much.sum())
        found[block] = (here < IN_PART) & gap & (runs >= RUNS) & (little.mean() >= SHARE)
    return found
