"""Grades of `gatherings`: false alerts within the budget, planted gatherings found, events silent.

`python -m helpers.situation.gathering_grades` prints what was observed in made-up cities of
counters, with the error of the simulation. Days share rain and strikes, places have days of their
own that drag on, hours stray with tails heavier than Gauss's. All is judged with as many tests of
themes as a city has, in which nothing happens.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.core.base import commands
from helpers.core.place_time.counters import DEAD, HOURS, OK, Hours, Place
from helpers.core.stage import params
from helpers.core.stats.quasi_poisson import Bools, Floats
from helpers.situation import alerts, gatherings
from helpers.situation.knobs import Knobs

SEEDS = (1, 2, 3)  # the last one was left alone until the end
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


class Grade(NamedTuple):
    """What was sought and seen: its mean, its Monte-Carlo error, how many times it was tried."""

    what: str
    observed: float
    error: float
    tried: int


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


def false(world: World, knobs: Knobs, seed: int, runs: int) -> Iterator[Grade]:
    """Yield how many days had an alert, of counters or of anything, and what was worth a look."""
    own, whole, look, both = [], [], [], []
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        rows = judged(draw(world, rng), None, knobs, rng)
        mine = rows[:-THEMES]
        own.append(float(any(row["alert"] for row in mine)))
        whole.append(float(any(row["alert"] for row in rows)))
        look.append(float(sum(bool(row["watch"]) for row in mine)))
        both.append(float(sum(bool(row["watch"]) for row in rows)))
    yield _grade("jours d'alerte à tort, compteurs", own)
    yield _grade("jours d'alerte à tort, compteurs et thèmes", whole)
    yield _grade("à regarder à tort par jour, compteurs", look)
    yield _grade("à regarder à tort par jour, tout", both)


def found(world: World, knobs: Knobs, seed: int, runs: int, times: float) -> Iterator[Grade]:
    """Yield how often a gathering planted at a place is an alert, or worth a look."""
    alert, either = [], []
    for run in range(runs):
        rng = np.random.default_rng([seed, 7, run])
        place = int(rng.integers(world.places))
        hours = planted(draw(world, rng), place, times, knobs)
        rows = judged(hours, None, knobs, rng)
        row = next(r for r in rows if r["site"] == f"P{place}" and r["hour"] == HOUR)
        alert.append(float(bool(row["alert"])))
        either.append(float(bool(row["alert"] or row["watch"])))
    yield _grade(f"passages × {times:g}, alerte", alert)
    yield _grade(f"passages × {times:g}, alerte ou à regarder", either)


def _grade(what: str, seen: list[float]) -> Grade:
    told = np.array(seen)
    return Grade(what, float(told.mean()), float(told.std(ddof=1) / np.sqrt(len(told))), len(told))


def main(runs: int = 400) -> None:
    """Print the grades."""
    knobs: Knobs = params.knobs("situation", Path.cwd())
    for seed in SEEDS:
        for name, world in WORLDS.items():
            for one in false(world, knobs, seed, runs):
                _say(seed, name, one)
            for times in (1.5, 2.0, 3.0):
                for one in found(world, knobs, seed, max(runs // 4, 2), times):
                    _say(seed, name, one)


def _say(seed: int, world: str, one: Grade) -> None:
    print(
        f"graine {seed} | {world} | {one.what} | {one.observed:.3f} ± {one.error:.3f} "
        f"({one.tried})", flush=True,
    )  # fmt: skip


if __name__ == "__main__":
    commands.begin()
    main(*map(int, sys.argv[1:]))
