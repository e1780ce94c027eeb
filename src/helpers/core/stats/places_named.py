"""Of the places that a forecast names, what they held: hit rate, PAI, PEI. Arrays in, arrays out.

Places are named from the densest forecast down, until their area is reached; the last one, and
those that tie with it, are taken in part: what breaking ties at random would give in the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Named(NamedTuple):
    """What the places named held: `hits` facts of `total`, `best` the most that area could hold.

    `share` is that of the area.
    """

    hits: float
    best: float
    total: float
    share: float

    @property
    def hit_rate(self) -> float:
        """The share of the facts that fell there."""
        return self.hits / self.total if self.total else float("nan")

    @property
    def accuracy(self) -> float:
        """PAI: how many times what the same area at random holds (Chainey et al. 2008)."""
        return self.hit_rate / self.share

    @property
    def efficiency(self) -> float:
        """PEI: the share of what the best choice of that area held (Hunt 2016)."""
        return self.hits / self.best if self.best else float("nan")


def named(forecast: Floats, observed: Floats, area: Floats, wanted: float) -> Named:
    """Return what the densest places held, up to an area `wanted`; all of one shape (n,)."""
    return all_named(forecast, observed, area, (wanted,))[0]


def all_named(
    forecast: Floats, observed: Floats, area: Floats, wanted: Sequence[float]
) -> list[Named]:
    """Return `named` for several areas."""
    best = _held(observed / area, observed, area, wanted)
    hits = _held(forecast / area, observed, area, wanted)
    facts, total = float(observed.sum()), float(area.sum())
    return [
        Named(float(h), float(b), facts, w / total)
        for h, b, w in zip(hits, best, wanted, strict=True)
    ]


def _held(density: Floats, observed: Floats, area: Floats, wanted: Sequence[float]) -> Floats:
    _, tied = np.unique(-density, return_inverse=True)
    areas, facts = np.bincount(tied, area), np.bincount(tied, observed)
    before = np.cumsum(areas) - areas
    taken = np.clip((np.asarray(wanted)[:, None] - before) / areas, 0, 1)
    return np.asarray(taken @ facts, dtype=np.float64)


def with_a_fact(forecast: Floats, observed: Floats, k: int) -> tuple[float, float]:
    """Return the share of the `k` places of the greatest forecast that held a fact, then chance's.

    Chance names `k` places blindly. Shape (n,); ties count for their mean.
    """
    ones = np.ones(len(forecast))
    any_fact = (observed > 0).astype(float)
    return float(_held(forecast, any_fact, ones, (float(k),))[0]) / k, float(any_fact.mean())
