"""What is said of actions, held against panels whose truth is known.

`python -m helpers.impact.grades [panels]` prints Markdown tables: bias, coverage and false effects
of the ratio, by seed; the share moved to the ring told for a true one of 0, 25 and 50 %; what
areas chosen for their worst month would seem to have gained; and regressions that are not read.
Seeds of two were used while the method was chosen, the third was not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from helpers.core.base import commands
from helpers.core.stats import staggered_adoption, staggered_counts
from helpers.core.stats.staggered_adoption import NEVER
from helpers.core.stats.staggered_counts import Spans, alone, held, moved

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SEEDS = (11, 12, 2029)  # the last one was not used while choosing
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
    """What was told of so many panels: ratio and share with their intervals (panels, 3), truths."""

    ratio: Floats
    share: Floats
    truth: Floats

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
    ratio, share, truth = np.zeros((panels, 3)), np.zeros((panels, 3)), np.zeros(panels)
    for i in range(panels):
        one = world.draw(rng)
        start = one.start - earlier
        zones = held(one.zones, start, one.controls, spans)
        rings = held(one.rings, start, one.controls, spans)
        told = moved(zones, rings, CONFIDENCE)
        ratio[i] = zones.ratio().within(CONFIDENCE)
        share[i] = told.share, told.low, told.high
        truth[i] = one.truth
    return Graded(ratio, share, truth)


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


def alone_covered(world: World, seed: int, panels: int) -> float:
    """Return the share of the intervals of single zones, each alone, that hold their truth."""
    rng = np.random.default_rng(seed)
    inside = []
    for _ in range(panels):
        one = world.draw(rng)
        for zone, start in zip(one.zones, one.start.tolist(), strict=True):
            _, low, high = alone(zone, start, one.controls, SPANS).within(CONFIDENCE)
            inside.append(low <= one.truth <= high)
    return float(np.mean(inside))


def apart(low: Graded, high: Graded) -> float:
    """Return how often a panel of `high` shows a larger share moved than one of `low`."""
    return float((high.share[:, 0][:, None] > low.share[:, 0][None, :]).mean())


def growing_effects(seed: int, panels: int) -> tuple[float, float, float]:
    """Return the mean true effect, and those of two estimators, where effects grow with time.

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
    truth, simple, both = found.mean(axis=0)
    return float(truth), float(simple), float(both)


def lines(panels: int) -> Iterator[str]:
    """Yield the lines of the tables: one a world, figures by seed."""
    worlds = {
        "comme annoncé (−16 %)": World(),
        "trois faits par période": World(level=3.0),
        "zones plus agitées": World(own=0.2),
        "zones très inégales": World(spread=1.0),
        "effets inégaux (0 à −32 %)": World(uneven=1.0),
        "quatre zones": World(treated=4),
        "six zones": World(treated=6),
        "aucun effet": World(effect=0.0),
        "aucun effet, trois faits": World(effect=0.0, level=3.0),
        "choisies au pire mois, mois écarté": World(effect=0.0, chosen=True),
    }
    yield "| monde | biais, en part de l'effet | intervalles justes | effet annoncé |"
    yield "|---|---|---|---|"
    for name, world in worlds.items():
        yield _line(name, [graded(world, seed, panels) for seed in SEEDS], world.effect)
    naive = replace(SPANS, gap=0)
    yield _line(
        "choisies au pire mois, mois compté",
        [graded(World(effect=0.0, chosen=True), seed, panels, naive) for seed in SEEDS], 0.0,
    )  # fmt: skip
    # A date put a year early needs a year more before it, and no true beginning within its spans.
    late = World(first=27, periods=52)
    yield _line(
        "date placebo, un an avant",
        [graded(late, seed, panels, earlier=FALSE_DATE) for seed in SEEDS], 0.0, placebo=True,
    )  # fmt: skip
    few = max(panels // 5, 1)
    ranks = " ; ".join(
        f"{by_chance_rejects(World(effect=0.0), seed, few, 199):.3f}" for seed in SEEDS
    )
    for name, world in {"comme annoncé": World(), "quatre faits par période": World(level=4.0),
                        "plus agitées": World(own=0.2)}.items():  # fmt: skip
        shares = " ; ".join(f"{alone_covered(world, seed, few):.3f}" for seed in SEEDS)
        yield f"| une zone seule, {name} ({few * world.treated} zones) | | {shares} | |"
    yield f"| aucun effet, par tirage de lieux ({few} panneaux) | | | {ranks} |"
    yield ""
    yield "| faits par zone et période | déplacé | dit (médiane) | intervalles justes | > 0 dit |"
    yield "|---|---|---|---|---|"
    for level, own in ((12.0, 0.1), (60.0, 0.05)):
        by_share = {
            one: graded(World(level=level, own=own, displaced=one), SEEDS[2], panels)
            for one in (0.0, 0.25, 0.5)
        }
        for one, told in by_share.items():
            median = f"{np.median(told.share[:, 0]):.3f}"
            held_in = f"{told.share_covered(one):.3f} | {(told.share[:, 1] > 0).mean():.3f}"
            yield f"| {level:.0f} | {one} | {median} | {held_in} |"
        pairs = (apart(by_share[a], by_share[b]) for a, b in ((0, 0.25), (0.25, 0.5), (0, 0.5)))
        yield f"| {level:.0f} | paires bien rangées | {' ; '.join(f'{p:.3f}' for p in pairs)} | | |"
    yield ""
    truth, simple, both = growing_effects(SEEDS[2], panels)
    yield f"Effets croissants : vérité {truth:.3f} ; par groupe et date {simple:.3f} ; "
    yield f"régression à deux effets {both:.3f}"


def _line(name: str, told: list[Graded], effect: float, *, placebo: bool = False) -> str:
    if placebo:
        told = [replace(one, truth=np.ones_like(one.truth)) for one in told]
    off = [float((one.ratio[:, 0] - one.truth).mean()) / (effect or 1.0) for one in told]
    unit = "" if effect else " (en rapport)"
    parts = [
        " ; ".join(f"{value:+.3f}" for value in off) + unit,
        " ; ".join(f"{one.covered():.3f}" for one in told),
        " ; ".join(f"{one.told():.3f}" for one in told),
    ]
    return f"| {name} | {' | '.join(parts)} |"


if __name__ == "__main__":
    commands.begin()
    for line in lines(int(sys.argv[1]) if len(sys.argv) > 1 else 1000):
        print(line, flush=True)
