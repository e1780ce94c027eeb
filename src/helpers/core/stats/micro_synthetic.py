"""Many small treated areas held against a weighting of many small others: micro-synthetic control.

Weights of the controls make their totals those of the treated areas, characteristic by
characteristic and period by period (Robbins, M., Saunders, J. & Kilmer, B. 2017, A framework for
synthetic control methods with high-dimensional, micro-level data, JASA 112). On sparse counts
infinitely many weightings do so, each with a counterfactual of its own: `chosen` takes the
least uneven one, `admissible` tells how far all of them reach.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Floats = NDArray[np.float64]
ROUNDS = 500
TOLERANCE = 1e-9  # of a total, in parts of it
SMALLEST_STEP = 1e-10
SHARE = 1e-4  # of what a step promises that it must bring (Armijo)


@dataclass(frozen=True)
class Matched:
    """What must be alike: `controls` (areas, characteristics), and the treated areas' `totals`.

    A column of ones is among them, so that weights sum to the number of treated areas.
    """

    controls: Floats
    totals: Floats


def matched(characteristics: Floats, treated: NDArray[np.bool_]) -> Matched:
    """Return the controls and the totals to reach; `characteristics` (areas, k), `treated`."""
    table = np.column_stack([np.ones(len(treated)), characteristics])
    return Matched(table[~treated], table[treated].sum(axis=0))


def chosen(aim: Matched) -> Floats:
    """Return the weights ≥ 0 of least sum of squares that reach all totals, shape (controls,).

    By its dual: w = max(0, X λ), one λ a characteristic (Newton's method with a line search).
    ValueError where no weighting reaches the totals: the treated areas are like no mixture of the
    others.
    """
    size = np.maximum(np.abs(aim.totals), 1.0)
    x, b = aim.controls / size, aim.totals / size
    dual = np.asarray(np.linalg.lstsq(x.T @ x, b, rcond=None)[0])
    for _ in range(ROUNDS):
        weights = np.maximum(x @ dual, 0.0)
        off = weights @ x - b
        if np.abs(off).max() < TOLERANCE:
            return np.asarray(weights)
        held = x[weights > 0]
        step = np.asarray(np.linalg.lstsq(held.T @ held, off, rcond=None)[0])
        dual = _searched(x, b, dual, step, float(off @ step))
    raise ValueError("no weighting of the controls has the totals of the treated areas")


def _searched(x: Floats, b: Floats, dual: Floats, step: Floats, promised: float) -> Floats:
    def left(at: Floats) -> float:
        return float((np.maximum(x @ at, 0.0) ** 2).sum() / 2 - at @ b)

    now, length = left(dual), 1.0
    while left(dual - length * step) > now - SHARE * length * promised and length > SMALLEST_STEP:
        length /= 2
    return np.asarray(dual - length * step)


def admissible(aim: Matched, outcome: Floats) -> tuple[float, float]:
    """Return the least and the greatest counterfactual that any weighting reaching the totals has.

    `outcome` (controls,): counts of one period after the action. Two linear programmes (HiGHS);
    ValueError where no weighting reaches the totals, ±∞ where nothing bounds them.
    """
    ends = []
    for sign in (1.0, -1.0):
        found = optimize.linprog(
            sign * outcome, A_eq=aim.controls.T, b_eq=aim.totals, bounds=(0, None), method="highs"
        )
        if found.status == 2:
            raise ValueError("no weighting of the controls has the totals of the treated areas")
        ends.append(-sign * np.inf if found.fun is None else sign * float(found.fun))
    return ends[0], ends[1]
