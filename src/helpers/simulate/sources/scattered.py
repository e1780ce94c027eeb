"""Facts that no other source sees: the places of some incidents, the moments of others."""

from __future__ import annotations

import numpy as np

from helpers.simulate.sources import walls
from helpers.simulate.sources.scene import Facts, Scene
from helpers.simulate.streams import Ints, stream

NOBODY = -1


def expected_lines(yearly: float, pool: Facts, scene: Scene) -> float:
    """Return how many lines `yearly` gives in the pool's year, of which only some days may count.

    The pool's year is that of its first fact.
    """
    if not len(pool.moment):
        return 0.0
    year = pool.moment[0].astype("datetime64[Y]")
    days = int((scene.days.astype("datetime64[Y]") == year).sum())
    return yearly * scene.scale * days / 365.25


def scattered(pool: Facts, size: int, kind: Ints, initiator: int, scene: Scene, use: str) -> Facts:
    """Return `size` facts of their own: cells of some of the pool's facts, moments of others.

    Taken apart, the two keep the pool's concentration and rhythm, and tell none of its facts.
    """
    rng = stream(scene.seed, f"{use}/scattered")
    where, when = rng.integers(0, len(pool.cell), (2, size))
    cell = pool.cell[where]
    east, north = scene.territory.points(cell, rng)
    minute = rng.integers(0, 60, size).astype("timedelta64[m]")
    moment = pool.moment[when].astype("datetime64[h]").astype("datetime64[m]") + minute
    return Facts(
        np.full(size, NOBODY),
        kind,
        np.full(size, initiator),
        cell,
        east,
        north,
        walls.existing(moment, scene.timezone),
    )
