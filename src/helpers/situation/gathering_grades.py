"""Grades of `gatherings`: false alerts within the budget, planted gatherings found, events silent.

Made-up cities of counters (`make grade ROOMS=situation`). Days share rain and strikes, places have
days of their own that drag on, hours stray with tails heavier than Gauss's. All is judged with as
many tests of themes as a city has, in which nothing happens.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from helpers.core.place_time.counters import DEAD, HOURS, OK, Hours, Place
from helpers.core.stage import params
from helpers.core.stats.grading import Line, Trial, seen
from helpers.core.stats.quasi_poisson import Bools, Floats
from helpers.situation import alerts, gatherings
from helpers.situation.knobs import Knobs

THEMES = 1104  # tests of themes beside: those of `situation.grades`
FIRST = dt.date(2024, 1, 1)
HOUR = 15  # when a gathering is planted
PROFILE = np.array([8, 5, 3, 2, 2, 3, 8, 18, 30, 36, 44, 52, 60, 58, 56, 60, 66, 70, 64, 52, 40,
                    32, 24, 15], dtype=float)  # fmt: skip
WEEKDAYS = np.array([0.90, 0.92, 0.98, 0.98, 1.05, 1.30, 0.87])


@dataclass(frozen=True)
class World:
    """How counters vary: standard deviations of logarithms, and how heavy their tails are.

    `shared`: a day of all places; `own`: a day of each, of which `drag` stays on the morrow;
    `hour`: each hour; `freedom`: of Student's law of own days and hours (0: Gauss's). `weeks`: how
    long the counters have counted. `daily`: passages a day of the smallest and the largest place.
    """

    places: int = 10
    shared: float = 0.10
    own: float = 0.08
    drag: float = 0.5
    hour: float = 0.08
    freedom: float = 0.0
    weeks: int = 70
    daily: tuple[float, float] = (1_000.0, 30_000.0)


WORLDS = {
    "jours partagés, lieux propres": World(),
    "lieux bien plus agités": World(own=0.20, hour=0.15),
    "queues lourdes (Student, 4)": World(freedom=4.0),
    "petits compteurs": World(daily=(100.0, 1_000.0)),
    "trois compteurs": World(places=3),
}


def draw(world: World, rng: np.random.Generator) -> Hours:
    """Return a city of counters in which nothing happens; the last day is to be judged."""
    days, size = 7 * world.weeks, world.places
    shared = world.shared * rng.standard_normal(days)
    own = np.zeros((size, days))
    noise = world.own * _strays(rng, (size, days), world.freedom)
    own[:, 0] = noise[:, 0]
    for day in range(1, days):
        own[:, day] = world.drag * own[:, day - 1] + np.sqrt(1 - world.drag**2) * noise[:, day]
    hourly = world.hour * _strays(rng, (size, days, HOURS), world.freedom)
    low, high = np.log(world.daily)
    level = np.exp(rng.uniform(low, high, size))
    usual = WEEKDAYS[np.arange(days) % 7][:, None] * PROFILE / PROFILE.sum()
    mean = level[:, None, None] * usual * np.exp((shared + own)[:, :, None] + hourly)
    flow = rng.poisson(mean).astype(float)
    listed = tuple(Place(f"P{i}", f"P{i}", None, 1000.0 * i, 0.0, "") for i in range(size))
    why = np.full(flow.shape, OK, dtype=np.int64)
    era = np.zeros((size, days), dtype=np.int64)
    return Hours(FIRST, listed, flow, np.full(flow.shape, np.nan), why, era)


def _strays(rng: np.random.Generator, shape: tuple[int, ...], freedom: float) -> Floats:
    """Return draws of unit variance, Student's where `freedom` tells."""
    if not freedom:
        return rng.standard_normal(shape)
    return np.asarray(rng.standard_t(freedom, shape) * np.sqrt((freedom - 2) / freedom))


def planted(hours: Hours, place: int, times: float, knobs: Knobs) -> Hours:
    """Return the city with a gathering at a place: its passages multiplied on the last day."""
    slot = slice(HOUR, HOUR + knobs.gathering_hours)
    hours.flow[place, -1, slot] = np.round(hours.flow[place, -1, slot] * times)
    return hours


def dead(hours: Hours, place: int) -> Hours:
    """Return the city with a counter dead on its last day, whatever it sent."""
    hours.flow[place, -1], hours.why[place, -1] = np.nan, DEAD
    return hours


def judged(
    hours: Hours, known: Bools | None, knobs: Knobs, rng: np.random.Generator
) -> list[dict[str, object]]:
    """Return the rows of the counters, judged with `THEMES` tests in which nothing happens."""
    slots = HOURS // knobs.gathering_hours
    nothing = np.zeros((len(hours.places), hours.flow.shape[1], slots), dtype=bool)
    rows = gatherings.compared(hours, nothing if known is None else known, knobs)
    others = [{"p": float(p), "reach": gatherings.GRID} for p in rng.random(THEMES)]
    return alerts.judge([*rows, *others], knobs.false_alert_rate, knobs.watch_false_a_day)


def plain_score(hours: Hours, place: int, knobs: Knobs) -> float:
    """Return how far a place's last slot strays from the same slots before, in deviations."""
    slot = slice(HOUR, HOUR + knobs.gathering_hours)
    weeks = hours.flow[place, ::-7, slot].sum(axis=1)[: knobs.alert_reference_weeks + 1]
    return float((weeks[0] - weeks[1:].mean()) / max(weeks[1:].std(ddof=1), 0.5))


def false(world: World, knobs: Knobs, seed: int, runs: int, setting: str = "") -> Iterator[Line]:
    """Yield how many days had an alert, of counters or of anything, and what was worth a look.

    Beside: a slot beyond the mean and three deviations of the same slots of past weeks.
    """
    own, whole, look, both, plain = [], [], [], [], []
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        hours = draw(world, rng)
        rows = judged(hours, None, knobs, rng)
        mine = rows[:-THEMES]
        own.append(float(any(row["alert"] for row in mine)))
        whole.append(float(any(row["alert"] for row in rows)))
        look.append(float(sum(bool(row["watch"]) for row in mine)))
        both.append(float(sum(bool(row["watch"]) for row in rows)))
        plain.append(float(any(plain_score(hours, i, knobs) > 3 for i in range(world.places))))
    days, a_day = (None, knobs.false_alert_rate), (None, knobs.watch_false_a_day)
    usual = "trois écarts types, un créneau"
    yield seen("rassemblement : jours d'alerte à tort, compteurs", setting, days, own, usual, plain)
    yield seen("rassemblement : jours d'alerte à tort, avec les thèmes", setting, days, whole)
    yield seen("rassemblement : à regarder à tort par jour, compteurs", setting, a_day, look)
    yield seen("rassemblement : à regarder à tort par jour, tout", setting, a_day, both)


def found(
    world: World, knobs: Knobs, seed: int, runs: int, times: float, setting: str = ""
) -> Iterator[Line]:
    """Yield how often a gathering planted at a place is an alert, or worth a look."""
    alert, either, plain = [], [], []
    for run in range(runs):
        rng = np.random.default_rng([seed, 7, run])
        place = int(rng.integers(world.places))
        hours = planted(draw(world, rng), place, times, knobs)
        rows = judged(hours, None, knobs, rng)
        row = next(r for r in rows if r["site"] == f"P{place}" and r["hour"] == HOUR)
        alert.append(float(bool(row["alert"])))
        either.append(float(bool(row["alert"] or row["watch"])))
        plain.append(float(plain_score(hours, place, knobs) > 3))
    none = (None, None)
    yield seen(f"rassemblement × {times:g}, alerte", setting, none, alert)
    yield seen(f"rassemblement × {times:g}, alerte ou à regarder", setting, none, either,
               "trois écarts types", plain)  # fmt: skip


def _gatherings(seed: int, tries: int) -> Iterator[Line]:
    knobs: Knobs = params.knobs("situation")
    for setting, world in WORLDS.items():
        yield from false(world, knobs, seed, tries, setting)
        for times in (1.5, 2.0, 3.0):
            yield from found(world, knobs, seed, max(tries // 4, 2), times, setting)


TRIALS = (Trial("gatherings", 50, _gatherings),)
