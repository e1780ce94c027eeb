"""Grades: what levels and alerts promise, held against made-up cities where the truth is known.

In these cities nothing changes, or one known thing does: counts follow the season and the day of
the week, weeks drag on from one to the next (ρ), each year has a sway of its own, days are more
variable than chance. `make grade ROOMS=situation`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from helpers.core.city.about import Holidays
from helpers.core.city.names import WHOLE
from helpers.core.stage import params
from helpers.core.stats.grading import Line, Trial, seen
from helpers.core.stats.quasi_poisson import Floats
from helpers.situation import alerts, held, levels
from helpers.situation.held import BASE_DAYS, Held
from helpers.situation.knobs import Knobs

END = dt.date(2024, 12, 31)
FRANCE = Holidays(country="FR", school_zone="B")


@dataclass(frozen=True)
class World:
    """How a made-up theme's counts vary: zones' facts a day, and what moves them.

    `sway`: relative spread of the years; `drag` and `weekly`: correlation from week to week and
    relative spread of the weeks; `size`: relative variance of a day beyond chance. `restless`: the
    days of one zone in ten vary so much more (standard deviation of the logarithm).
    """

    zones: int = 12
    mean: float = 0.5
    years: int = 5
    sway: float = 0.05
    drag: float = 0.5
    weekly: float = 0.08
    size: float = 0.05
    restless: float = 0.0


WORLDS = {
    "hasard seul": World(sway=0, weekly=0, size=0),
    "semaines liées (ρ = 0,5), années à 5 %": World(),
    "semaines liées (ρ = 0,8), années à 10 %": World(sway=0.1, drag=0.8, weekly=0.12),
    "petits comptes": World(mean=0.05),
}


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
    if world.restless:
        mean[::10] *= np.exp(rng.normal(0, world.restless, mean[::10].shape))
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


def false_levels(
    world: World, knobs: Knobs, seed: int, runs: int, setting: str = ""
) -> Iterator[Line]:
    """Yield how often the city, then its zones, are said above or below while nothing changed.

    Beside: the city's count against that of the same days a year before, both by chance alone.
    """
    wrong: dict[str, list[float]] = {}
    plain: dict[str, list[float]] = {}
    for run in range(runs):
        series = draw(world, np.random.default_rng([seed, run]))
        for days in knobs.periods_days:
            found = levels.expect(series, days, knobs)
            if found is not None:
                n = series.counts[:, -days:].sum(axis=1)
                out = (n > found.high) | (n < found.low)
                wrong.setdefault(f"{days} j, ville", []).append(float(out[0]))
                wrong.setdefault(f"{days} j, zones", []).append(float(out[1:].mean()))
                before = series.counts[0, -BASE_DAYS - days : -BASE_DAYS].sum()
                away = abs(n[0] - before) > 1.96 * np.sqrt(max(n[0] + before, 1))
                plain.setdefault(f"{days} j, ville", []).append(float(away))
    for name, values in wrong.items():
        beside = plain.get(name)
        usual = "" if beside is None else "même période un an avant, hasard seul"
        yield seen(f"dit à tort hors de l'habitude, {name}", setting, (None, 1 - knobs.confidence),
                   values, usual, beside)  # fmt: skip


@dataclass(frozen=True)
class Day:
    """A made-up city's day of alerts: `themes` of `zones` each, districts of `district` zones."""

    themes: int = 8
    zones: int = 60
    district: int = 8


def c2(counts: Floats) -> Floats:
    """Return EARS C2's score of the last day of each row: above 3, it alarms.

    Seven days of reference, two left out (Hutwagner et al. 2003); a deviation of half a fact at
    least, as for sparse counts.
    """
    past = counts[:, -10:-3]
    spread = np.maximum(past.std(axis=1, ddof=1), 0.5)
    return np.asarray((counts[:, -1] - past.mean(axis=1)) / spread)


def farrington(counts: Floats) -> Floats:
    """Return Farrington's score of the last week of each row: above 2.58, it alarms (99.5 %).

    The same weeks of past years, three on both sides, quasi-Poisson, powers of two thirds; no trend
    (Farrington et al. 1996, JRSS A 159).
    """
    weeks = counts[:, counts.shape[1] % 7 :].reshape(len(counts), -1, 7).sum(axis=2)[:, ::-1]
    at = [52 * year + k for year in range(1, 5) for k in range(-3, 4)]
    past = weeks[:, [i for i in at if i < weeks.shape[1]]]
    mean = np.maximum(past.mean(axis=1), 0.1)
    over = ((past - mean[:, None]) ** 2).sum(axis=1) / mean / (past.shape[1] - 1)
    spread = np.sqrt(np.maximum(over, 1.0) * (1 + 1 / past.shape[1]) / mean)
    return np.asarray(((weeks[:, 0] / mean) ** (2 / 3) - 1) / (2 / 3 * spread))


@dataclass(frozen=True)
class Seen:
    """Of each day (runs,): false alerts and counts to look at, and those of two usual ways.

    `power`: what was planted → which of the days saw it, by each way.
    """

    alert: list[float]
    watch: list[float]
    c2: list[float]
    farrington: list[float]
    power: dict[float, dict[str, list[float]]]


WAYS = ("alerte", "alerte ou à regarder", "C2", "Farrington", "C2 au même prix",
        "Farrington au même prix")  # fmt: skip


def tiers(
    day: Day, world: World, knobs: Knobs, seed: int, runs: int, times: tuple[float, ...]
) -> Seen:
    """Return how both tiers of alerts did over `runs` days, one zone's last week multiplied.

    The zone brings a fact a day: each of `times` its own in the last week. Elsewhere nothing
    changed: what is told there is false. A usual way is also held at the same price: it sees the
    zone where its score is beyond all those of the other themes, once by chance a day.
    """
    told = Seen([], [], [], [], {one: {way: [] for way in WAYS} for one in times})
    for run in range(runs):
        rng = np.random.default_rng([seed, 99, run])
        drawn = [draw(replace(world, zones=day.zones), rng) for _ in range(day.themes)]
        clean = [row for t in range(1, day.themes) for row in _tested(drawn[t], day, t, knobs)]
        scores = {way: np.concatenate([score(one.counts) for one in drawn[1:]])
                  for way, score in (("C2", c2), ("Farrington", farrington))}  # fmt: skip
        for many in times:
            series = _planted(drawn[0], many, rng)
            rows = _tested(series, day, 0, knobs)
            judged = alerts.judge([*rows, *clean], knobs.false_alert_rate, knobs.watch_false_a_day)
            here = [row for row in judged if (row["theme"], row["zone"]) == (0, "Z0")]
            own = {
                "C2": float(c2(series.counts)[1]),
                "Farrington": float(farrington(series.counts)[1]),
            }
            saw = (
                any(row["alert"] for row in here),
                any(row["alert"] or row["watch"] for row in here),
                own["C2"] > 3, own["Farrington"] > 2.58,
                own["C2"] > scores["C2"].max(), own["Farrington"] > scores["Farrington"].max(),
            )  # fmt: skip
            for way, one in zip(WAYS, saw, strict=True):
                told.power[many][way].append(float(one))
        share = day.themes / (day.themes - 1)
        judged = alerts.judge(clean, knobs.false_alert_rate, knobs.watch_false_a_day)
        told.alert.append(float(any(row["alert"] for row in judged)))
        told.watch.append(float(sum(row["alert"] or row["watch"] for row in judged)))
        told.c2.append(share * float((scores["C2"] > 3).sum()))
        told.farrington.append(share * float((scores["Farrington"] > 2.58).sum()))
    return told


def _planted(series: Held, times: float, rng: np.random.Generator) -> Held:
    """Return the theme with a zone of a fact a day, `times` as many in the last week."""
    counts = series.counts.copy()
    calm = series.exposure / series.exposure[-BASE_DAYS:].mean()
    counts[1] = rng.poisson(calm)
    counts[1, -7:] = rng.poisson(times * calm[-7:].mean(), 7)
    counts[0] = counts[1:].sum(axis=0)
    return replace(series, counts=counts)


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


def _levels(seed: int, tries: int) -> Iterator[Line]:
    knobs: Knobs = params.knobs("situation")
    for setting, world in WORLDS.items():
        yield from false_levels(world, knobs, seed, tries, setting)


def _alerts(seed: int, tries: int) -> Iterator[Line]:
    knobs: Knobs = params.knobs("situation")
    dragged = "semaines liées (ρ = 0,5), années à 5 %"
    for setting, world, times in (
        ("hasard seul", WORLDS["hasard seul"], (2.0, 3.0, 4.0)),
        (dragged, WORLDS[dragged], (2.0, 3.0, 4.0)),
        ("une zone sur dix agitée (× 2 d'un jour à l'autre)", World(restless=0.69), ()),
    ):
        told = tiers(Day(), world, knobs, seed, tries, times)
        asked = (None, knobs.false_alert_rate)
        yield seen("jours d'alerte à tort", setting, asked, told.alert, "EARS C2, un au moins",
                   [float(one > 0) for one in told.c2])  # fmt: skip
        asked = (None, knobs.watch_false_a_day)
        yield seen("comptes à regarder à tort, par jour", setting, asked, told.watch,
                   "Farrington (99,5 %)", told.farrington, share=False)  # fmt: skip
        for many, by_way in told.power.items():
            for way, usual in ((WAYS[0], WAYS[2]), (WAYS[1], WAYS[4]), (WAYS[1], WAYS[5])):
                name = f"vu : une semaine × {many:g} dans une zone à un fait par jour, {way}"
                ours = f"{setting} (à côté : {usual})"
                yield seen(name, ours, (None, None), by_way[way], usual, by_way[usual])


TRIALS = (Trial("levels", 300, _levels), Trial("alerts", 30, _alerts))
