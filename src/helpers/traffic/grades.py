"""Grades of `traffic`: closures in towns whose truth is drawn.

`make grade ROOMS=traffic` tells how often the intervals hold what was planted, and how often
something is said where nothing moved. Roads have weekdays, days that all of them share and
days of their own that drag on; one is closed, and a share of what it loses goes to two others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from helpers.core.city.about import Slot
from helpers.core.city.traffic_rules import (
    Channels,
    Closure,
    CountedClass,
    Measures,
    Sites,
    TrafficRules,
)
from helpers.core.place_time.counters import HOURS, OK, Hours, Place
from helpers.core.stage import params
from helpers.core.stats.grading import Line, Trial, seen
from helpers.traffic import closures, fluidity
from helpers.traffic.knobs import Knobs
from helpers.traffic.known import Roads

FIRST = dt.date(2024, 1, 1)
DAYS, LAST = 500, 470  # days counted; the first one of the closure
CLOSED, BESIDE = 4, (5, 6)  # positions of roads
LEVEL = 800.0  # vehicles an hour
WEEKDAYS = np.array([1.02, 1.05, 1.06, 1.07, 1.10, 0.92, 0.76])


@dataclass(frozen=True)
class World:
    """A town of `roads`: how its days vary (standard deviations of logarithms), what is closed.

    `own`: each road's day, of which `drag` stays on the morrow; `shared`: a day of them all.
    """

    share: float = 0.6
    kept: float = 0.1
    length: int = 14
    own: float = 0.05
    drag: float = 0.5
    shared: float = 0.08
    roads: int = 10


WORLDS = {
    "deux semaines, report de 60 %": World(),
    "deux semaines, aucun report": World(share=0.0),
    "un jour, report de 60 %": World(length=1),
    "jours très liés (0,8)": World(drag=0.8),
    "routes plus agitées": World(own=0.12),
    "quatre voies témoins": World(roads=7),
}


def _rules(closed: Closure) -> TrafficRules:
    return TrafficRules(
        sites=Sites(source="s", id="i", longitude="x", latitude="y", road="r", names="n"),
        channels=Channels(source="c", id="i", site="s", mobility="m", start="a", end="b", step="t"),
        measures=Measures(source="m", channel="c", counter="k", start="a", end="b", count="n"),
        classes={"all": CountedClass(title="Tous", mobility=("CAR",))}, flow="all",
        slots={"day": Slot(title="jour", start_h=0)}, closures=(closed,),
    )  # fmt: skip


def town(world: World, rng: np.random.Generator) -> Roads:
    """Return a town, its fifth road closed; what goes elsewhere goes half to each road beside."""
    names = [f"R{i + 1:02d}" for i in range(world.roads)]
    start = FIRST + dt.timedelta(days=LAST)
    closed = Closure(
        title="Travaux", road=names[CLOSED], start=start,
        end=start + dt.timedelta(days=world.length - 1), parallel=tuple(names[i] for i in BESIDE),
    )  # fmt: skip
    noise = rng.standard_normal((world.roads, DAYS))
    own = noise.copy()
    for day in range(1, DAYS):
        own[:, day] = world.drag * own[:, day - 1] + np.sqrt(1 - world.drag**2) * noise[:, day]
    kind = np.arange(DAYS) % 7
    shared = world.shared * rng.standard_normal(DAYS)
    mean = LEVEL * WEEKDAYS[kind] * np.exp(world.own * own + shared)
    window = slice(LAST, LAST + world.length)
    gone = mean[CLOSED, window] * (1 - world.kept)
    mean[CLOSED, window] *= world.kept
    for i in BESIDE:
        mean[i, window] += world.share * gone / len(BESIDE)
    flow = rng.poisson(mean[:, :, None], (world.roads, DAYS, HOURS)).astype(float)
    places = tuple(Place(name, f"Voie {name}", "Z", 0.0, 0.0, "") for name in names)
    era = np.zeros((world.roads, DAYS), dtype=np.int64)
    why = np.full(flow.shape, OK, dtype=np.int64)
    return Roads(_rules(closed), Hours(FIRST, places, flow, flow * np.nan, why, era), kind)


@dataclass(frozen=True)
class Graded:
    """What was seen in each town (runs,): the true share held, all ratios held; what was said.

    `plain`: a parallel road said busier by its days of the closure beside as many before, Poisson.
    """

    share: list[bool]
    ratios: list[bool]
    moved: list[bool]
    beside: list[bool]
    plain: list[bool]


def graded(world: World, knobs: Knobs, seed: int, runs: int) -> Graded:
    """Return how often the share, and all the ratios at once, are held; and what is said."""
    share, ratios, moved, beside, plain = [], [], [], [], []
    truth = [world.kept, *(1 + world.share * (1 - world.kept) / len(BESIDE) for _ in BESIDE)]
    for run in range(runs):
        roads = town(world, np.random.default_rng([seed, run]))
        rows = closures.measure(roads, knobs).to_pylist()
        low, high = rows[0]["moved_low"], rows[0]["moved_high"]
        share.append(low is not None and low <= world.share <= high)
        moved.append(low is not None and low > 0)
        pairs = zip(rows, truth, strict=True)
        ratios.append(all(row["low"] <= one <= row["high"] for row, one in pairs))
        beside.append(any(row["level"] == fluidity.MORE for row in rows[1:]))
        daily = roads.hours.flow[list(BESIDE)].sum(axis=2)
        now = daily[:, LAST : LAST + world.length].sum(axis=1)
        then = daily[:, LAST - 7 : LAST - 7 + world.length].sum(axis=1)
        plain.append(bool(((now - then) / np.sqrt(now + then) > 1.96).any()))
    return Graded(share, ratios, moved, beside, plain)


def _closures(seed: int, tries: int) -> Iterator[Line]:
    knobs: Knobs = params.knobs("traffic")
    for setting, world in WORLDS.items():
        told = graded(world, knobs, seed, tries)
        yield seen("report vrai, dans son intervalle à 95 %", setting, (0.93, None), told.share)
        yield seen("tous les rapports vrais, à la fois", setting, (0.93, None), told.ratios)
        none = world.share == 0
        if none:
            yield seen("report dit à tort", setting, (None, 0.05), told.moved)
        yield seen(f"voie parallèle dite plus chargée{' à tort' * none}", setting,
                   (None, 0.05 if none else None), told.beside,
                   "jours d'avant, hasard seul" if none else "",
                   told.plain if none else None)  # fmt: skip


TRIALS = (Trial("closures", 75, _closures),)
