"""Whether a road's flow departs by the same ratio at all hours: its counter may be what changed.

People change hours, roads and habits: a change of traffic seldom keeps the shape of the day. A
counter that is set again, moved or replaced multiplies all that it counts. Neither is proof.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from helpers.core.stats import beside_usual
from helpers.traffic.knobs import Knobs
from helpers.traffic.known import Roads

Bools = NDArray[np.bool_]
FEWEST_HOURS = 12  # with traffic enough to tell; fewer are a part of the day
HALF = 0.5  # of the change (log scale): an hour farther from the others than this is half spared


def same_ratio(roads: Roads, i: int, window: Bools, usual: Bools, knobs: Knobs) -> bool:
    """Return whether the window's ratio to the usual is nearly the same at all hours of a road.

    `window`, `usual` (days,). Each hour's level, less the day's mean over hours, departs neither
    beyond chance (all hours together, Šidák 1967) nor by more than half of what all hours depart
    by. False where too few hours, or none of a slot, have traffic enough to tell.
    """
    flow = roads.hours.flow[i]
    sound = usual & np.isfinite(flow).all(axis=1)
    if not sound.any():
        return False
    hours = np.flatnonzero(flow[sound].mean(axis=0) >= knobs.minimum_flow)
    slots = [roads.rules.slot_hours(slot) for slot in roads.rules.slots]
    if len(hours) < FEWEST_HOURS or any(not set(hours.tolist()) & set(one) for one in slots):
        return False
    same = np.broadcast_to(usual, (len(hours), roads.days))
    level = beside_usual.levels(flow[:, hours].T, roads.kind, same)
    whole = level.mean(axis=0)  # NaN unless all of them are known
    change = beside_usual.departure(whole, window, usual, roads.kind)
    each = knobs.confidence ** (1 / len(hours))
    for one in level - whole:
        found = beside_usual.departure(one, window, usual, roads.kind)
        if change is None or found is None:
            return False
        _, low, high = found.ratio.within(each)
        if not low <= 1 <= high or abs(found.ratio.value) > HALF * abs(change.ratio.value):
            return False
    return True
