"""What is said of the year, held against worlds whose truth is known. `make grade ROOMS=rhythms`.

Worlds: daily counts with weekdays, a season, a level that drifts and steps, and an excess shared by
neighbouring weeks (autoregressive).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.core.city.about import Holidays
from helpers.core.place_time.calendar import (
    PUBLIC_HOLIDAY,
    SCHOOL_HOLIDAYS,
    WORKING,
    all_kinds,
)
from helpers.core.stats.grading import Line, Trial, seen
from helpers.core.stats.intervals import rate_ratio
from helpers.core.stats.month_season import month_ratios
from helpers.rhythms.day_kinds import Effects, Floats, effects, told

START, END = dt.date(2021, 1, 1), dt.date(2025, 12, 31)
THEMES = 17  # judged together
FRANCE = Holidays(country="FR", school_zone="B")
CONFIDENCE = 0.95


@dataclass(frozen=True)
class World:
    """Facts a day, by what school and public holidays multiply them, and what is no kind of day.

    `alike`: correlation from a week to the next of an excess of `spread` (log); `drift` a year
    (log); `season`: its half-height (log); `step`: a change of recording (log), once.
    """

    level: float = 20.0
    school: float = 1.0
    public: float = 1.0
    alike: float = 0.5
    spread: float = 0.15
    drift: float = 0.05
    season: float = 0.3
    step: float = 0.25

    def draw(self, rng: np.random.Generator, days: list[dt.date], flags: Floats) -> Floats:
        """Return one count a day (days,); `flags` (days, 2): school holidays, public holidays."""
        at = np.arange(len(days))
        noise = autoregressive(rng, len(days) // 7 + 1, self.alike, self.spread)
        log = np.log(self.level) + noise[at // 7] + self.drift * at / 365.25
        log += self.season * np.cos(2 * np.pi * (at / 365.25 - rng.random()))
        log += rng.normal(0, 0.2, 7)[[day.weekday() for day in days]]
        log += self.step * (at >= rng.integers(200, len(days) - 200))
        log += flags @ np.log([self.school, self.public])
        return np.asarray(rng.poisson(np.exp(log)), dtype=np.float64)


def autoregressive(rng: np.random.Generator, count: int, alike: float, spread: float) -> Floats:
    """Return a stationary series (count,) of standard deviation `spread`, correlation `alike`."""
    shocks = rng.normal(0, spread, count)
    shocks[1:] *= np.sqrt(1 - alike**2)
    for i in range(1, count):
        shocks[i] += alike * shocks[i - 1]
    return shocks


@dataclass(frozen=True)
class Found:
    """Of school then public holidays: covered and p, (replicates, 2); the same by plain means."""

    covered: Floats
    p: Floats
    plain_covered: Floats
    plain_p: Floats


def kinds_found(world: World, seed: int, replicates: int) -> Found:
    """Return what is told of kinds of day in so many worlds.

    Beside: days of the kind against working days, by counts alone (`rate_ratio`).
    """
    kinds = all_kinds(FRANCE, START, END)
    days = list(kinds)
    names = (SCHOOL_HOLIDAYS, PUBLIC_HOLIDAY)
    flags = np.array([[name in kinds[day] for name in names] for day in days], dtype=float)
    working = np.array([WORKING in kinds[day] for day in days])
    rng = np.random.default_rng(seed)
    covered, p, plain, plain_p = (np.ones((replicates, 2)) for _ in range(4))
    for i in range(replicates):
        drawn = world.draw(rng, days, flags)
        found = effects(dict(zip(days, drawn.astype(int).tolist(), strict=True)), kinds)
        assert isinstance(found, Effects)
        for j, (name, truth) in enumerate(zip(names, (world.school, world.public), strict=True)):
            value, slopes = found.against_working(name)
            row = told(value, *found.fitted.spread(slopes), CONFIDENCE)
            covered[i, j] = row["low"] <= truth <= row["high"]
            p[i, j] = row["p"]
            ratio, low, high = rate_ratio(drawn[flags[:, j] > 0], drawn[working], CONFIDENCE)
            plain[i, j] = low <= truth <= high
            error = np.log(high / low) / (2 * stats.norm.ppf((1 + CONFIDENCE) / 2))
            plain_p[i, j] = 2 * stats.norm.sf(abs(np.log(ratio)) / error)
    return Found(covered, p, plain, plain_p)


def false_among(p: Floats) -> Floats:
    """Return how many of each `THEMES` themes would be told, given p-values (replicates,)."""
    whole = p[: len(p) // THEMES * THEMES].reshape(-1, THEMES)
    q = stats.false_discovery_control(whole, axis=1, method="bh")
    return np.asarray((q <= 1 - CONFIDENCE).sum(axis=1), dtype=np.float64)


def seasons_told(
    seed: int, replicates: int, alike: float, drift: float, *, years: int = 5, spread: float = 0.15
) -> tuple[Floats, Floats]:
    """Return in which worlds without a season one would be told, themes by themselves.

    Weekly excess of `spread`, correlation `alike`; the level moves by `drift` a year (log). Beside:
    the χ² of the months' totals, as a spreadsheet would do it.
    """
    rng = np.random.default_rng(seed)
    days = [dt.date(2021, 1, 1) + dt.timedelta(i) for i in range(365 * years + years // 4)]
    at = np.arange(len(days))
    month = np.array([(day.year - 2021) * 12 + day.month - 1 for day in days])
    length = np.bincount(month, minlength=12 * years).reshape(years, 12)
    told_of, plain = np.zeros(replicates), np.zeros(replicates)
    for i in range(replicates):
        noise = autoregressive(rng, len(days) // 7 + 1, alike, spread)
        mean = np.exp(np.log(20) + noise[at // 7] + drift * at / 365.25)
        n = np.bincount(month, rng.poisson(mean), 12 * years).reshape(years, 12).astype(np.int64)
        told_of[i] = month_ratios(n, length, range(years), CONFIDENCE)[3] <= 1 - CONFIDENCE
        even = length.sum(axis=0) / length.sum() * n.sum()
        plain[i] = stats.chisquare(n.sum(axis=0), even).pvalue <= 1 - CONFIDENCE
    return told_of, plain


def _kinds(seed: int, tries: int) -> Iterator[Line]:
    usual = "moyennes des jours, sans calendrier"
    for setting, world in {
        "aucun effet, 20 faits par jour": World(),
        "effets plantés (× 1,15 ; × 0,8), 20 par jour": World(school=1.15, public=0.8),
        "effets plantés, 2 faits par jour": World(2.0, 1.15, 0.8),
    }.items():
        found = kinds_found(world, seed, tries)
        for j, kind in enumerate(("vacances", "fériés")):
            yield seen(f"sortes de jour : intervalle à 95 %, {kind}", setting, (0.93, 0.97),
                       found.covered[:, j], usual, found.plain_covered[:, j])  # fmt: skip
        if world.school == 1:
            alone = (found.plain_p[:, 0] <= 1 - CONFIDENCE).mean() * THEMES
            yield seen(f"sortes de jour : faux effets de vacances, sur {THEMES} thèmes", setting,
                       (None, 1.0), false_among(found.p[:, 0]), usual, [alone],
                       share=False)  # fmt: skip
        else:
            yield seen("sortes de jour : vacances trouvées", setting, (None, None),
                       found.p[:, 0] <= 1 - CONFIDENCE)  # fmt: skip


def _seasons(seed: int, tries: int) -> Iterator[Line]:
    for years in (2, 3, 5):
        for alike, drift in ((0.0, 0.0), (0.0, 0.1), (0.5, 0.0), (0.5, 0.1), (0.7, 0.1)):
            found, plain = seasons_told(seed, tries, alike, drift, years=years)
            setting = f"{years} ans, ρ {alike:g}, pente {100 * drift:g} % par an"
            yield seen("fausse saison", setting, (0.03, 0.07), found,
                       "totaux des mois (χ²)", plain)  # fmt: skip
    found, plain = seasons_told(seed, tries, 0.0, -0.3)
    yield seen("fausse saison", "5 ans, ρ 0, pente −30 % par an", (None, 0.07), found,
               "totaux des mois (χ²)", plain)  # fmt: skip


TRIALS = (Trial("kinds", 204, _kinds), Trial("seasons", 600, _seasons))
