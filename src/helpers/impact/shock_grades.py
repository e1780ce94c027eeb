"""What is said of grave facts, held against towns whose truth is known.

`python -m helpers.impact.shock_grades [towns]` prints Markdown tables: bias, coverage and false
answers of single facts, of all together and of the survey; how often placebo dates answer; how
often a town is set aside because of them, where controls are sound and where they are not. Seeds of
two were used while the method was chosen, the third was not.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from helpers.core.base import commands
from helpers.core.city.shock_rules import Shock
from helpers.impact import shocks
from helpers.impact.effects import ALL, UNLIKE
from helpers.impact.knobs import Knobs
from helpers.impact.shocks import Weekly
from helpers.impact.survey_change import Asked

Floats = NDArray[np.float64]
SEEDS = (21, 22, 2031)  # the last one was not used while choosing
MONDAY = dt.date(2021, 1, 4)
YEAR = 52
KNOBS = Knobs(
    zone_m=300, ring_m=200, before_weeks=52, gap_weeks=5, after_weeks=26, origins=["citizen"],
    confidence=0.95, power=0.8, sought=0.2, minimum_count=30, heard_share=0.75, minimum_areas=4,
    placebo_places=60, draws=999, shock_before_weeks=26, shock_after_weeks=8, wave_weeks=26,
    minimum_answers=30, placebo_excess=0.01,
)  # fmt: skip


@dataclass(frozen=True)
class Town:
    """Zones over five years of weeks, of which the first `facts` have a grave fact each.

    `kept`: the share of reports that their inhabitants still make in the weeks after; `level`:
    reports a zone and week, unequal by `spread` (log); `own`: standard deviation (log) of what
    drags on in one zone (half of it the next week); `sway`: of the zone's own season, which no
    control shares. `quiet`: the share of those who feel quiet that still does; `answers`: of a zone
    and wave.
    """

    kept: float = 1.0
    quiet: float = 1.0
    facts: int = 6
    zones: int = 80
    weeks: int = 260
    level: float = 10.0
    spread: float = 0.6
    own: float = 0.1
    sway: float = 0.0
    answers: int = 80

    def draw(self, rng: np.random.Generator) -> tuple[list[Shock], Weekly]:
        """Return the grave facts and the weekly reports of one town."""
        level = self.level * np.exp(rng.normal(0, self.spread, self.zones) - self.spread**2 / 2)
        at = np.arange(self.weeks)
        town = rng.normal(0, 0.02, self.weeks).cumsum() + 0.15 * np.cos(2 * np.pi * at / YEAR)
        drag = rng.normal(0, self.own, (self.zones, self.weeks))
        for week in range(1, self.weeks):
            drag[:, week] = 0.5 * drag[:, week - 1] + 0.75**0.5 * drag[:, week]
        phase = rng.uniform(0, 2 * np.pi, (self.zones, 1))
        season = np.where(np.arange(self.zones)[:, None] < self.facts, self.sway, 0.0)
        drag = drag + season * np.cos(4 * np.pi * at / YEAR + phase)
        start = rng.integers(30, self.weeks - KNOBS.shock_after_weeks + 1, self.facts)
        mean = level[:, None] * np.exp(town + drag - self.own**2 / 2)
        for i, begun in enumerate(start.tolist()):
            mean[i, begun : begun + KNOBS.shock_after_weeks] *= self.kept
        counts = rng.poisson(mean).astype(np.float64)
        weekly = Weekly(counts, np.ones(counts.shape, dtype=bool), start, np.arange(self.facts))
        return [self._fact(i, week) for i, week in enumerate(start.tolist())], weekly

    def _fact(self, i: int, week: int) -> Shock:
        day = MONDAY + dt.timedelta(weeks=week - 1, days=3)
        return Shock(title=f"fait {i}", day=day, zone=f"Z{i}")

    def survey(self, rng: np.random.Generator, facts: list[Shock]) -> Asked:
        """Return a survey of a wave a half-year, in which zones move of themselves by 3 points."""
        waves = [MONDAY + dt.timedelta(weeks=26 * k) for k in range(self.weeks // 26 + 2)]
        zones = [f"Z{i}" for i in range(self.zones)]
        share = 0.6 + rng.normal(0, 0.08, (1, self.zones, 1)) + rng.normal(
            0, 0.03 / 2**0.5, (len(waves), self.zones, 1)
        ) + np.array([0.03, 0.0, -0.04])  # fmt: skip
        for i, one in enumerate(facts):
            after = next(k for k, day in enumerate(waves) if day > one.day)
            share[after:, i] *= self.quiet
        answers = rng.poisson(self.answers / 3, share.shape)
        quiet = rng.binomial(answers, np.clip(share, 0.01, 0.99)).astype(np.float64)
        adults = np.full(share.shape, 1000.0)
        return Asked(waves, zones, adults, answers.astype(np.float64), quiet)


WALKED = Town(level=30_000.0, own=0.03, zones=10, facts=2, weeks=104)


@dataclass(frozen=True)
class Graded:
    """What was told: values with intervals (n, 3) of single facts, and of all; placebo dates."""

    single: Floats
    together: Floats
    placebos: int
    placebos_told: int
    set_aside: float  # share of towns

    @property
    def false_dates(self) -> float:
        """The share of placebo dates that answer."""
        return self.placebos_told / max(self.placebos, 1)


def covered(found: Floats, truth: float) -> float:
    """Return the share of the intervals that hold the truth."""
    return float(((found[:, 1] <= truth) & (truth <= found[:, 2])).mean())


def graded(town: Town, seed: int, towns: int) -> Graded:
    """Return what is told of the reports of so many towns.

    Intervals of single facts at `confidence` itself: read together they are wider.
    """
    rng = np.random.default_rng(seed)
    single, together, tried, told, aside = [], [], 0, 0, 0
    for _ in range(towns):
        facts, weekly = town.draw(rng)
        rows = shocks.measure(facts, {shocks.REPORTS: weekly}, None, KNOBS).to_pylist()
        whole = rows[-1]
        tried, told = tried + whole["placebos"], told + whole["placebos_told"]
        aside += whole["reason"] == UNLIKE
        if not whole["reason"]:
            together.append(_numbers(whole))
        for i, start in enumerate(weekly.start.tolist()):
            if not shocks.why_not(weekly, i, start, KNOBS):
                single.append(shocks.read_one(weekly, i, start, KNOBS).within(KNOBS.confidence))
    return Graded(np.array(single), np.array(together), tried, told, aside / towns)


def survey_graded(town: Town, seed: int, towns: int) -> tuple[Floats, Floats]:
    """Return value, low and high told of the survey of so many towns, less the truth of each.

    Of single facts, whose intervals hold together, and of all facts; both (n, 3).
    """
    rng = np.random.default_rng(seed)
    found: tuple[list[Floats], list[Floats]] = ([], [])
    for _ in range(towns):
        facts, _ = town.draw(rng)
        asked = town.survey(rng, facts)
        rows = shocks.measure(facts, {}, asked, KNOBS).to_pylist()
        truth = (town.quiet - 1) * (0.6 - 0.01 / 3)
        for row in rows:
            if not row["reason"]:
                found[row["scope"] == ALL].append(np.array(_numbers(row)) - truth)
    return np.array(found[0]), np.array(found[1])


def _numbers(row: dict[str, float]) -> tuple[float, float, float]:
    return row["value"], row["low"], row["high"]


def lines(towns: int) -> Iterator[str]:
    """Yield the lines of the tables, figures by seed."""
    yield ("| ville | biais, en part de l'effet | un fait : intervalles justes ; réponse dite | "
           "tous : intervalles justes ; réponse dite | placebo à tort | écartée |")  # fmt: skip
    yield "|---|---|---|---|---|---|"
    worlds = {
        "sans réponse": Town(),
        "sans réponse, trois par semaine": Town(level=3.0),
        "sans réponse, quartiers plus agités": Town(own=0.2),
        "moitié moins de signalements": Town(kept=0.5),
        "un quart de moins": Town(kept=0.75),
        "un quart de plus": Town(kept=1.25),
        "quatre faits seulement": Town(kept=0.75, facts=4),
        "passages : dix compteurs, sans réponse": WALKED,
        "passages : dix compteurs, un cinquième de moins": replace(WALKED, kept=0.8),
        "sans réponse, saison propre au quartier": Town(sway=0.4),
    }
    for name, town in worlds.items():
        yield _line(name, town, [graded(town, seed, towns) for seed in SEEDS])
    yield ""
    yield "| enquête, 80 réponses par quartier et vague | biais (points) | un fait | tous |"
    yield "|---|---|---|---|"
    for name, town in {"sans réponse": Town(), "un cinquième de tranquilles en moins":
                       Town(quiet=0.8)}.items():  # fmt: skip
        found = [survey_graded(town, seed, towns) for seed in SEEDS]
        bias = " ; ".join(f"{100 * one[:, 0].mean():+.2f}" for _, one in found)
        parts = [" ; ".join(f"{covered(one[k], 0.0):.3f}" for one in found) for k in (0, 1)]
        yield f"| {name} | {bias} | {parts[0]} | {parts[1]} |"


def _line(name: str, town: Town, told: list[Graded]) -> str:
    effect = abs(1 - town.kept)

    def each(values: list[str]) -> str:
        return " ; ".join(values)

    bias = each([f"{(one.single[:, 0].mean() - town.kept) / (effect or 1):+.3f}" for one in told])
    parts = [f"{bias}{'' if effect else ' (en rapport)'}"]
    for of in ("single", "together"):
        found = [getattr(one, of) for one in told]
        if min(map(len, found)):
            inside = each([f"{covered(one, town.kept):.3f}" for one in found])
            seen = each([f"{1 - covered(one, 1.0):.3f}" for one in found])
            parts.append(f"{inside} · {seen}")
        else:
            parts.append("–")
    parts.append(each([f"{one.false_dates:.3f}" for one in told]))
    parts.append(each([f"{one.set_aside:.3f}" for one in told]))
    return f"| {name} | {' | '.join(parts)} |"


if __name__ == "__main__":
    commands.begin()
    for line in lines(int(sys.argv[1]) if len(sys.argv) > 1 else 200):
        print(line, flush=True)
