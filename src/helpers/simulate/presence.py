"""Where patrols are: agent-hours by day, slot and quarter.

They follow the facts in part (the busiest quarters get more), which is why what agents record on
their own initiative does not measure what happens (Lum and Isaac 2016; Ensign et al. 2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.simulate.settings_world import Patrols
from helpers.simulate.streams import Floats, Ints, stream

SLOTS = ("matin", "apres_midi", "soir", "nuit")
STARTS_H = (6, 13, 19, 23)  # the night lasts until the next morning
NIGHT = SLOTS.index("nuit")
HOURS = 24


@dataclass(frozen=True)
class Presence:
    """Agent-hours on patrol, shape (days, slots, quarters); slots as in `SLOTS`.

    A night's hours stand on the day on which it begins.
    """

    hours: Floats

    def at(self, day: Ints, hour: Ints, quarter: Ints) -> Floats:
        """Return the agent-hours of the slot that holds each day and hour (positions)."""
        early = hour < STARTS_H[0]
        slot = SLOT_OF_HOUR[hour]
        return np.asarray(self.hours[np.maximum(day - early, 0), slot, quarter], dtype=np.float64)


SLOT_OF_HOUR: Ints = (np.searchsorted(STARTS_H, np.arange(HOURS), side="right") - 1) % len(SLOTS)


def draw_presence(days: int, facts: Floats, extra: Floats, rules: Patrols, seed: int) -> Presence:
    """Return the patrols of `days` days.

    `facts` are the expected facts of each quarter (any unit); `extra` the agent-hours a day that
    actions add, shape (days, quarters): they fall half in the afternoon and half in the evening.
    """
    rng = stream(seed, "presence")
    even = 1 / len(facts)
    share = rules.follows_facts * facts / facts.sum() + (1 - rules.follows_facts) * even
    slots = np.array([rules.slots[slot] for slot in SLOTS])  # type: ignore[index]
    slots = slots / slots.sum()
    mean = rules.hours_per_day * slots[None, :, None] * share[None, None, :]
    shape = rules.daily_shape
    hours = mean * rng.gamma(shape, 1 / shape, (days, len(SLOTS), len(facts)))
    for slot in (SLOTS.index("apres_midi"), SLOTS.index("soir")):
        hours[:, slot] += extra / 2
    return Presence(np.round(hours, 1))
