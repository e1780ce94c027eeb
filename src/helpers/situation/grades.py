"""Grades: what levels and alerts promise, held against made-up cities where the truth is known.

`python -m helpers.situation.grades` prints, for each promise, what was observed, with the error of
the simulation. In these cities nothing changes, or one known thing does: counts follow the season
and the day of the week, weeks drag on from one to the next (ρ), each year has a sway of its own,
days are more variable than chance. Seeds 1 and 2 served while the methods were chosen; 3 did not.
"""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from helpers.core.base import commands
from helpers.core.city.about import Holidays
from helpers.core.city.names import WHOLE
from helpers.core.stage import params
from helpers.core.stats.quasi_poisson import Floats
from helpers.situation import alerts, held, levels
from helpers.situation.held import BASE_DAYS, Held
from helpers.situation.knobs import Knobs

SEEDS = (1, 2, 3)  # the last one was left alone until the end
END = dt.date(2024, 12, 31)
FRANCE = Holidays(country="FR", school_zone="B")


@dataclass(frozen=True)
class World:
    """How a made-up theme's counts vary: zones' facts a day, and what moves them.

    `sway`: relative spread of the years; `drag` and `weekly`: correlation from week to week and
    relative spread of the weeks; `size`: relative variance of a day beyond chance.
    """

    zones: int = 12
    mean: float = 0.5
    years: int = 5
    sway: float = 0.05
    drag: float = 0.5
    weekly: float = 0.08
    size: float = 0.05


WORLDS = {
    "hasard seul": World(sway=0, weekly=0, size=0),
    "semaines liées (ρ = 0,5), années à 5 %": World(),
    "semaines liées (ρ = 0,8), années à 10 %": World(sway=0.1, drag=0.8, weekly=0.12),
    "petits comptes": World(mean=0.05),
}


class Grade(NamedTuple):
    """A promise and what was seen: share, its Monte-Carlo error, how many times it was tried."""

    what: str
    nominal: str
    observed: float
    error: float
    tried: int


def draw(world: World, rng: np.random.Generator) -> Held:
    """Return a made-up theme in which nothing has changed, as `held.read` would."""
    first = dt.date(END.year - world.years + 1, 1, 1)
    days = np.arange((END - first).days + 1)
    spread = np.exp(rng.normal(0, 0.8, (world.zones, 1)))
    means = world.mean * spread / spread.mean()
    week = np.array([0.95, 0.95, 1, 1, 1.1, 1.2, 0.8])[(days + first.weekday()) % 7]
    season = 1 + 0.2 * np.sin(2 * np.pi * (days + rng.integers(365)) / 365.25)
    year = np.array([(first + dt.timedelta(days=int(i))).year - first.year for i in days])
    shared, own = (_moves(world, year, rng, n) for n in (1, world.zones))
    mean = means * week * season * shared * np.sqrt(own)
    if world.size:
        mean = mean * rng.gamma(1 / world.size, world.size, mean.shape)
    counts = rng.poisson(mean).astype(float)
    counts = np.concatenate([counts.sum(axis=0, keepdims=True), counts])
    ones, none = np.ones(len(days)), np.zeros(len(days), dtype=bool)
    told = held.calendar(FRANCE, first, counts[0], ones)
    zones = [WHOLE, *(f"Z{i}" for i in range(world.zones))]
    return Held(first, zones, counts, told.factor, told, ones, ~none, none, [], 0, none)


def _moves(world: World, year: Floats, rng: np.random.Generator, rows: int) -> Floats:
    """Return the factors of the years and of the weeks that drag on, (rows, days)."""
    yearly = rng.normal(0, world.sway, (rows, int(year.max()) + 1))[:, year.astype(int)]
    weeks = len(year) // 7 + 1
    noise = rng.normal(0, 1, (rows, weeks))
    drag = np.empty_like(noise)
    drag[:, 0] = noise[:, 0]
    for w in range(1, weeks):
        drag[:, w] = world.drag * drag[:, w - 1] + np.sqrt(1 - world.drag**2) * noise[:, w]
    return np.asarray(np.exp(yearly + world.weekly * np.repeat(drag, 7, axis=1)[:, : len(year)]))


def false_levels(world: World, knobs: Knobs, seed: int, runs: int) -> list[Grade]:
    """Return how often the city, then its zones, are said above or below while nothing changed."""
    wrong: dict[str, list[float]] = {}
    for run in range(runs):
        series = draw(world, np.random.default_rng([seed, run]))
        for days in knobs.periods_days:
            found = levels.expect(series, days, knobs)
            if found is not None:
                n = series.counts[:, -days:].sum(axis=1)
                out = (n > found.high) | (n < found.low)
                wrong.setdefault(f"{days} j, ville", []).append(float(out[0]))
                wrong.setdefault(f"{days} j, zones", []).append(float(out[1:].mean()))
    nominal = f"au plus {1 - knobs.confidence:.3f}"
    return [_grade(name, nominal, shares) for name, shares in wrong.items()]


@dataclass(frozen=True)
class Day:
    """A made-up city's day of alerts: `themes` of `zones` each, districts of `district` zones."""

    themes: int = 8
    zones: int = 60
    district: int = 8


def tiers(
    day: Day, world: World, knobs: Knobs, seed: int, runs: int, times: float = 1.0
) -> list[Grade]:
    """Return how the two tiers of alerts did over `runs` days, one zone's week multiplied.

    The zone brings a fact a day: `times` its own in the last week. Elsewhere nothing changed: what
    is told there is false.
    """
    seen: dict[str, list[float]] = {"alerte": [], "à regarder": []}
    wrong: dict[str, list[float]] = {"jours d'alerte à tort": [], "à regarder à tort": []}
    for run in range(runs):
        rng = np.random.default_rng([seed, 99, run])
        rows = []
        for theme in range(day.themes):
            series = draw(replace(world, zones=day.zones), rng)
            counts = series.counts
            if theme == 0:
                mean = series.exposure[-7:] / series.exposure[-BASE_DAYS:].mean()
                calm = series.exposure / series.exposure[-BASE_DAYS:].mean()
                counts[1] = rng.poisson(calm)
                counts[1, -7:] = rng.poisson(times * mean)
                counts[0] = counts[1:].sum(axis=0)
            rows += _tested(series, day, theme, knobs)
        judged = alerts.judge(rows, knobs.false_alert_rate, knobs.watch_false_a_day)
        here = [row for row in judged if (row["theme"], row["zone"]) == (0, "Z0")]
        clean = [row for row in judged if row["theme"] != 0]
        share = len(judged) / len(clean)
        seen["alerte"].append(float(any(row["alert"] for row in here)))
        seen["à regarder"].append(float(any(row["alert"] or row["watch"] for row in here)))
        wrong["jours d'alerte à tort"].append(float(any(row["alert"] for row in clean)))
        wrong["à regarder à tort"].append(
            share * sum(row["alert"] or row["watch"] for row in clean)
        )
    nominal = (f"au plus {knobs.false_alert_rate}", f"au plus {knobs.watch_false_a_day} par jour")
    found = [_grade(name, said, wrong[name]) for name, said in zip(wrong, nominal, strict=True)]
    return found + [_grade(f"semaine × {times:g}, {k}", "puissance", v) for k, v in seen.items()]


def _tested(series: Held, day: Day, theme: int, knobs: Knobs) -> list[dict[str, Any]]:
    """Return the tests of a theme: the city, its zones, its districts."""
    starts = np.arange(1, day.zones + 1, day.district)
    joined = np.add.reduceat(series.counts, starts, axis=0)
    rows: list[dict[str, Any]] = []
    memory = knobs.alert_memory_weeks + knobs.alert_reference_weeks
    for days in knobs.alert_periods_days:
        parts = (series.counts[:1], series.counts[1:], joined)
        names = ([WHOLE], series.zones[1:], [f"D{i}" for i in range(len(joined))])
        for counts, zones in zip(parts, names, strict=True):
            sums, exposure = alerts.windows_of(replace(series, counts=counts), days, memory)
            judged = alerts.test(sums, exposure, knobs.alert_reference_weeks)
            rows += [
                {"theme": theme, "zone": zone, "period_days": days, **row}
                for zone, row in zip(zones, judged, strict=True)
            ]
    return rows


def _grade(what: str, nominal: str, seen: list[float]) -> Grade:
    told = np.array(seen)
    error = float(told.std(ddof=1) / np.sqrt(len(told)))
    return Grade(what, nominal, float(told.mean()), error, len(told))


def main(runs: int = 400) -> None:
    """Print the grades."""
    knobs: Knobs = params.knobs("situation", Path.cwd())
    for seed in SEEDS:
        for name, world in WORLDS.items():
            for one in false_levels(world, knobs, seed, runs):
                _say(seed, name, one)
        for name in ("hasard seul", "semaines liées (ρ = 0,5), années à 5 %"):
            for times in (1.0, 2.0, 3.0, 4.0):
                for one in tiers(Day(), WORLDS[name], knobs, seed, max(runs // 4, 2), times):
                    _say(seed, name, one)


def _say(seed: int, world: str, one: Grade) -> None:
    print(
        f"graine {seed} | {world} | {one.what} | nominal {one.nominal} | "
        f"observé {one.observed:.3f} ± {one.error:.3f} ({one.tried})",
        flush=True,
    )


if __name__ == "__main__":
    commands.begin()
    main(*map(int, sys.argv[1:]))
