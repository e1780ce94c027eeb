"""What is said of actions, held against panels whose truth is known. `make grade ROOMS=impact`.

Bias, coverage and false effects of the ratio; the share moved to the ring told for a true one of 0,
25 and 50 %; what areas chosen for their worst month would seem to have gained; and regressions that
are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.core.stats import staggered_adoption, staggered_counts
from helpers.core.stats.grading import Line, Trial, seen
from helpers.core.stats.staggered_adoption import NEVER
from helpers.core.stats.staggered_counts import Spans, alone, held, moved

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CONFIDENCE = 0.95
SPANS = Spans(before=12, gap=1, after=12)
YEAR = 13  # periods of four weeks
FALSE_DATE = 13  # periods by which a placebo's beginning is put earlier


@dataclass(frozen=True)
class World:
    """Treated areas, a ring each, and controls, over three years of periods of four weeks.

    `level`: facts an area and period, unequal by `spread` (log); `own`: standard deviation (log) of
    what drags on in one area (half of it the next period); `shift`: of the town's level from a
    period to the next. `uneven`: effects go from 1 − uneven to 1 + uneven times `effect`.
    `chosen`: each area's action begins just after its worst period.
    """

    effect: float = 0.16
    displaced: float = 0.0
    level: float = 12.0
    spread: float = 0.6
    own: float = 0.1
    shift: float = 0.03
    uneven: float = 0.0
    chosen: bool = False
    treated: int = 20
    controls: int = 60
    periods: int = 39
    first: int = 14

    def draw(self, rng: np.random.Generator) -> Drawn:
        """Return one panel."""
        areas = 2 * self.treated + self.controls
        level = self.level * np.exp(rng.normal(0, self.spread, areas) - self.spread**2 / 2)
        season = 0.15 * np.cos(2 * np.pi * np.arange(self.periods) / YEAR)
        town = rng.normal(0, self.shift, self.periods).cumsum() + season
        alone = rng.normal(0, self.own, (areas, self.periods))
        for period in range(1, self.periods):
            alone[:, period] = 0.5 * alone[:, period - 1] + 0.75**0.5 * alone[:, period]
        counts = rng.poisson(level[:, None] * np.exp(town + alone - self.own**2 / 2))
        last = self.periods - SPANS.after
        start = rng.integers(self.first, last + 1, self.treated)
        zone, ring = counts[: self.treated], counts[self.treated : 2 * self.treated]
        if self.chosen:
            start = self.first + zone[:, self.first - 1 : last].argmax(axis=1)
        effect = self.effect * (1 + self.uneven * rng.uniform(-1, 1, self.treated))
        begun = np.arange(self.periods) >= start[:, None]
        prevented = rng.binomial(zone, effect[:, None] * begun)
        came = rng.binomial(prevented, self.displaced)
        whole = level[: self.treated]
        truth = 1 - float(effect @ whole / whole.sum())
        parts = (zone - prevented, ring + came, counts[2 * self.treated :])
        zones, rings, controls = (part.astype(np.float64) for part in parts)
        return Drawn(zones, rings, controls, start.astype(np.int64), truth)


@dataclass(frozen=True)
class Drawn:
    """Counts (areas, periods) of zones, rings and controls; beginnings (zones,); true ratio."""

    zones: Floats
    rings: Floats
    controls: Floats
    start: Ints
    truth: float


@dataclass(frozen=True)
class Graded:
    """What was told of so many panels: ratio and share with their intervals (panels, 3), truths.

    `plain`: the zones after over the zones before, as if nothing else moved; with its interval.
    """

    ratio: Floats
    share: Floats
    truth: Floats
    plain: Floats

    def covered(self) -> float:
        """Return the share of the ratio's intervals that hold its truth."""
        return float(((self.ratio[:, 1] <= self.truth) & (self.truth <= self.ratio[:, 2])).mean())

    def told(self) -> float:
        """Return the share of panels of which an effect, either way, is told."""
        return float(((self.ratio[:, 1] > 1) | (self.ratio[:, 2] < 1)).mean())

    def share_covered(self, displaced: float) -> float:
        """Return the share of the intervals of what moved that hold `displaced`."""
        return float(((self.share[:, 1] <= displaced) & (displaced <= self.share[:, 2])).mean())


def graded(world: World, seed: int, panels: int, spans: Spans = SPANS, earlier: int = 0) -> Graded:
    """Return what is told of so many panels; beginnings put `earlier` by so many are placebos."""
    rng = np.random.default_rng(seed)
    ratio, share, plain = (np.zeros((panels, 3)) for _ in range(3))
    truth = np.zeros(panels)
    for i in range(panels):
        one = world.draw(rng)
        start = one.start - earlier
        zones = held(one.zones, start, one.controls, spans)
        rings = held(one.rings, start, one.controls, spans)
        told = moved(zones, rings, CONFIDENCE)
        ratio[i] = zones.ratio().within(CONFIDENCE)
        share[i] = told.share, told.low, told.high
        truth[i] = one.truth
        plain[i] = before_and_after(one.zones, start, spans)
    return Graded(ratio, share, truth, plain)


def before_and_after(zones: Floats, start: Ints, spans: Spans) -> Floats:
    """Return the counts after over those before, and the interval of two Poisson counts (3,)."""
    after = sum(zone[s : s + spans.after].sum() for zone, s in zip(zones, start, strict=True))
    before = sum(
        zone[s - spans.gap - spans.before : s - spans.gap].sum()
        for zone, s in zip(zones, start, strict=True)
    )
    reach = 1.96 * np.sqrt(1 / after + 1 / before)
    return np.asarray(np.array([1.0, np.exp(-reach), np.exp(reach)]) * after / before)


def by_chance_rejects(world: World, seed: int, panels: int, draws: int) -> float:
    """Return how often the rank among actions that never were is at most 5 %."""
    rng = np.random.default_rng(seed)
    found = np.zeros(panels)
    for i in range(panels):
        one = world.draw(rng)
        ratio = held(one.zones, one.start, one.controls, SPANS).ratio()
        never = staggered_counts.by_chance(one.start, one.controls, SPANS, draws, seed)
        found[i] = staggered_counts.chance_of(ratio, never)
    return float((found <= 1 - CONFIDENCE).mean())


def alone_covered(world: World, seed: int, panels: int) -> Floats:
    """Return whether the interval of each single zone, each alone, holds its truth."""
    rng = np.random.default_rng(seed)
    inside = []
    for _ in range(panels):
        one = world.draw(rng)
        for zone, start in zip(one.zones, one.start.tolist(), strict=True):
            _, low, high = alone(zone, start, one.controls, SPANS).within(CONFIDENCE)
            inside.append(low <= one.truth <= high)
    return np.array(inside, dtype=np.float64)


def apart(low: Graded, high: Graded) -> float:
    """Return how often a panel of `high` shows a larger share moved than one of `low`."""
    return float(by_panel(low, high).mean())


def by_panel(low: Graded, high: Graded) -> Floats:
    """Return of how many panels of `low` each panel of `high` shows a larger share (panels,)."""
    return np.asarray((high.share[:, 0][:, None] > low.share[:, 0][None, :]).mean(axis=1))


def growing_effects(seed: int, panels: int) -> Floats:
    """Return the true effect, and those of two estimators, where effects grow, (panels, 3).

    Half of the units never begin; the others lose .1 more each period since they began: what the
    regression with two-way effects cannot read.
    """
    rng = np.random.default_rng(seed)
    found = np.zeros((panels, 3))
    for i in range(panels):
        start = np.where(np.arange(60) < 30, rng.choice([2, 4, 6], 60), NEVER).astype(np.int64)
        age = np.arange(10) - start[:, None]
        grown = np.where((start[:, None] >= 0) & (age >= 0), -0.1 * (age + 1), 0.0)
        outcome = rng.normal(0, 1, (60, 1)) + rng.normal(0, 0.1, (60, 10)) + grown
        effects = staggered_adoption.group_times(outcome, start)
        twice = staggered_adoption.two_way(outcome, start)
        found[i] = grown[grown < 0].mean(), effects.simple().value, twice.value
    return found


WORLDS = {
    "comme annoncé (−16 %)": World(),
    "trois faits par période": World(level=3.0),
    "zones plus agitées": World(own=0.2),
    "zones très inégales": World(spread=1.0),
    "effets inégaux (0 à −32 %)": World(uneven=1.0),
    "quatre zones": World(treated=4),
    "six zones": World(treated=6),
    "aucun effet": World(effect=0.0),
    "aucun effet, trois faits": World(effect=0.0, level=3.0),
    "aucun effet, choisies au pire mois": World(effect=0.0, chosen=True),
}
USUAL = "avant et après, sans témoin"


def _ratios(seed: int, tries: int) -> Iterator[Line]:
    for setting, world in WORLDS.items():
        told = graded(world, seed, tries)
        inside = (told.plain[:, 1] <= told.truth) & (told.truth <= told.plain[:, 2])
        held_in = (told.ratio[:, 1] <= told.truth) & (told.truth <= told.ratio[:, 2])
        yield seen("rapport d'un effet, dans son intervalle à 95 %", setting, (0.93, 0.98), held_in,
                   USUAL, inside)  # fmt: skip
        if world.effect:
            off = (told.ratio[:, 0] - told.truth) / world.effect
            yield seen("biais, en part de l'effet", setting, (-0.1, 0.1), off, USUAL,
                       (told.plain[:, 0] - told.truth) / world.effect)  # fmt: skip
        else:
            said, plain = (((x[:, 1] > 1) | (x[:, 2] < 1)) for x in (told.ratio, told.plain))
            yield seen("effet dit à tort", setting, (None, 0.06), said, USUAL, plain)
    # A date put a year early needs a year more before it, and no true beginning within its spans.
    late = graded(World(first=27, periods=52), seed, tries, earlier=FALSE_DATE)
    yield seen("effet dit à tort", "date placebo, un an avant", (None, 0.06),
               (late.ratio[:, 1] > 1) | (late.ratio[:, 2] < 1), USUAL,
               (late.plain[:, 1] > 1) | (late.plain[:, 2] < 1))  # fmt: skip


def _alone(seed: int, tries: int) -> Iterator[Line]:
    for setting, world in {"comme annoncé": World(), "quatre faits par période": World(level=4.0),
                           "plus agitées": World(own=0.2)}.items():  # fmt: skip
        yield seen("une zone seule, dans son intervalle à 95 %", setting, (0.93, 0.98),
                   alone_covered(world, seed, tries))  # fmt: skip


def _moved(seed: int, tries: int) -> Iterator[Line]:
    for level, own, right in ((12.0, 0.1, None), (60.0, 0.05, 0.9)):
        less: Graded | None = None
        for share in (0.0, 0.25, 0.5):
            # Each share has towns of its own: from one share to the next, nothing is alike.
            at = seed + round(1000 * share)
            told = graded(World(level=level, own=own, displaced=share), at, tries)
            if less is not None:
                yield seen(
                    "part déplacée plus grande, dite plus grande",
                    f"{level:.0f} faits par période, {100 * share:.0f} % contre "
                    f"{100 * share - 25:.0f} %", (right, None), by_panel(less, told),
                )  # fmt: skip
            less = told
            setting = f"{level:.0f} faits par période, {100 * share:.0f} % déplacés"
            inside = (told.share[:, 1] <= share) & (share <= told.share[:, 2])
            yield seen("part déplacée, dans son intervalle à 95 %", setting, (0.93, None), inside)
            if not share:
                yield seen("déplacement dit à tort", setting, (None, 0.05), told.share[:, 1] > 0)


def _growing(seed: int, tries: int) -> Iterator[Line]:
    found = growing_effects(seed, tries)
    yield seen("effet moyen sur l'effet vrai, par groupe et date", "effets qui croissent",
               (0.98, 1.02), found[:, 1] / found[:, 0].mean(), "régression à deux effets",
               found[:, 2] / found[:, 0].mean())  # fmt: skip


TRIALS = (
    Trial("ratios", 400, _ratios),
    Trial("alone", 40, _alone),
    Trial("moved", 200, _moved),
    Trial("growing", 200, _growing),
)
