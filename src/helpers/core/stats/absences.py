"""When what is steady elsewhere is wholly absent, while the rest comes: not told, or nothing?"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

STEADY, STEADY_UNITS, GONE_UNITS, GONE_FACTS = 0.9, 12, 2, 20


def absences(counts: Sequence[int], rest: Sequence[int]) -> list[tuple[int, int]]:
    """Return the runs of units (first, after) in which what is steady elsewhere is wholly absent.

    `rest` is what the source told beside it: where it told little, little was awaited. Steady:
    there in STEADY of the units outside of such runs, STEADY_UNITS of them at least. Absent for so
    long that GONE_FACTS were awaited at its usual share: by chance, that happens once in thousands
    of millions of times. And never absent half as long another time (a beach in winter): what
    begins late, and ends early, is no season.
    """
    runs = [one for one in _zeros(counts) if one[1] - one[0] >= GONE_UNITS]
    beside = sum(rest) - sum(sum(rest[first:after]) for first, after in runs)
    if not beside:
        return []
    ratio = sum(counts) / beside
    long = [one for one in runs if ratio * sum(rest[slice(*one)]) >= GONE_FACTS]
    units = len(counts) - sum(after - first for first, after in long)
    there = sum(n > 0 for n in counts)
    if there < STEADY * units or units < STEADY_UNITS:
        return []
    between = [one for one in runs if one[0] > 0 and one[1] < len(counts)]

    def alone(run: tuple[int, int]) -> bool:
        others = (one for one in (runs if run in between else between) if one != run)
        return all(2 * (after - first) <= run[1] - run[0] for first, after in others)

    return [run for run in long if alone(run)]


def _zeros(counts: Sequence[int]) -> list[tuple[int, int]]:
    """Return the runs of zeros, first and after."""
    edges = [-1, *(i for i, n in enumerate(counts) if n > 0), len(counts)]
    pairs = itertools.pairwise(edges)
    return [(one + 1, other) for one, other in pairs if other - one > 1]
