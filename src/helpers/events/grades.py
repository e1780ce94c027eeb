"""What is said of an event's excess, held against worlds whose truth is known.

`make grade ROOMS=events`: for a true excess of 30 %, what three ways of telling it find, and how
often their intervals hold the truth. In these worlds events fall on the days that are busy anyway:
week-ends, summer, holidays, fine weather.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.core.stats import event_ratio
from helpers.core.stats.event_ratio import Beside
from helpers.core.stats.grading import Line, Trial, seen

Floats = NDArray[np.float64]
CONFIDENCE = 0.95
BLOCK_DAYS = 91
# How much more a day brings (log) and how much more often it has an event (log odds): week-end,
# summer, holiday, one standard deviation of fine weather. Set once, so that event days hold half
# as much again as all others where the truth is 30 %.
MORE, OFTENER = np.array([0.159, 0.106, 0.132, 0.053]), np.array([1.6, 1.2, 1.0, 0.8])
SELDOM = -3.6


@dataclass(frozen=True)
class World:
    """Facts a slot in the area of events and in its control: a truth, and what hides it.

    `shock`: standard deviation (log) of what area and control share a day; `own`: of what is the
    area's alone.
    """

    truth: float = 1.3
    level: float = 6.0
    control: float = 60.0
    years: int = 3
    shock: float = 0.15
    own: float = 0.0

    def draw(self, rng: np.random.Generator) -> Drawn:
        """Return the evenings of the world's days."""
        days = np.datetime64("2022-01-01") + np.arange(365 * self.years)
        weekday = (days.astype(np.int64) + 3) % 7
        summer = np.cos(2 * np.pi * ((np.arange(len(days)) - 200) / 365.25))
        holiday = (rng.random(len(days)) < 0.03).astype(np.float64)
        fine = rng.normal(size=len(days))
        known = np.column_stack([weekday >= 4, summer, holiday, fine]).astype(np.float64)
        event = rng.random(len(days)) < 1 / (1 + np.exp(-(SELDOM + known @ OFTENER)))
        log = known @ MORE + rng.normal(0, self.shock, len(days))
        own = rng.normal(0, self.own, len(days)) - self.own**2 / 2
        area = self.level * np.exp(log + own) * np.where(event, self.truth, 1.0)
        area, control = rng.poisson(area), rng.poisson(self.control * np.exp(log))
        stratum = np.arange(len(days)) // BLOCK_DAYS * 16 + weekday * 2 + holiday.astype(np.int64)
        return Drawn(
            days, known[:, 2:], event, stratum, area.astype(np.float64), control.astype(np.float64)
        )


@dataclass(frozen=True)
class Drawn:
    """One row a day: what is known of it (holiday, weather), if it had an event, its counts."""

    days: NDArray[np.datetime64]
    known: Floats
    event: NDArray[np.bool_]
    stratum: NDArray[np.int64]
    area: Floats
    control: Floats

    def beside(self) -> Beside:
        """Return each event beside the days without one of its stratum."""
        quiet = ~self.event
        size = int(self.stratum.max()) + 1
        area, control = (
            np.bincount(self.stratum[quiet], n[quiet], size).astype(np.float64)
            for n in (self.area, self.control)
        )
        stratum = self.stratum[self.event]
        return Beside(self.area[self.event], self.control[self.event], area[stratum],
                      control[stratum], stratum)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What three ways find, (replicates,); two of them with their interval (replicates, 3)."""

    naive: Floats
    adjusted: Floats
    beside: Floats


def found(world: World, seed: int, replicates: int) -> Found:
    """Return what is found in so many worlds: naively, adjusted, and with a control area."""
    rng = np.random.default_rng(seed)
    naive, adjusted, beside = np.zeros(replicates), *(np.zeros((replicates, 3)) for _ in range(2))
    for i in range(replicates):
        drawn = world.draw(rng)
        naive[i] = event_ratio.naive(drawn.area, drawn.event)
        design = np.concatenate([event_ratio.calendar_columns(drawn.days), drawn.known], axis=1)
        event = drawn.event[:, None].astype(np.float64)
        (one,) = event_ratio.over_days(drawn.area, design, event)
        other = event_ratio.beside(drawn.beside())
        assert one is not None
        assert other is not None
        adjusted[i], beside[i] = one.within(CONFIDENCE), other.within(CONFIDENCE)
    return Found(naive, adjusted, beside)


def covered(intervals: Floats, truth: float) -> float:
    """Return the share of intervals (replicates, 3: value, low, high) that hold the truth."""
    return float(((intervals[:, 1] <= truth) & (truth <= intervals[:, 2])).mean())


WORLDS = {
    "comme annoncé (+30 %)": World(),
    "excès propre au lieu": World(own=0.15),
    "deux faits par créneau": World(level=2.0),
    "aucun effet": World(truth=1.0),
}


def _excess(seed: int, tries: int) -> Iterator[Line]:
    for setting, world in WORLDS.items():
        told = found(world, seed, tries)
        near = (world.truth - 0.02, world.truth + 0.02)
        plain = "jours d'événement contre tous les autres"
        for way, values in (("ajusté", told.adjusted), ("avec témoin", told.beside)):
            yield seen(f"rapport moyen, {way}", setting, near, values[:, 0], plain, told.naive)
            inside = (values[:, 1] <= world.truth) & (world.truth <= values[:, 2])
            yield seen(f"intervalle à 95 %, {way}", setting, (0.93, 0.98), inside)


TRIALS = (Trial("excess", 300, _excess),)
