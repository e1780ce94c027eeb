"""What is said of the year, held against worlds whose truth is known.

`python -m helpers.rhythms.grades` prints nominal and observed. Worlds: daily counts with weekdays,
a season, a level that drifts and steps, and an excess shared by neighbouring weeks
(autoregressive). Two seeds were used while the methods were chosen, the third was not.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.core.base import commands
from helpers.core.city.about import Holidays
from helpers.core.place_time.calendar import PUBLIC_HOLIDAY, SCHOOL_HOLIDAYS, all_kinds
from helpers.core.stats.month_season import month_ratios
from helpers.rhythms.day_kinds import Effects, Floats, effects, told

SEEDS = (11, 12, 2029)  # the last one was not used while tuning
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


def kinds_found(world: World, seed: int, replicates: int) -> tuple[Floats, Floats]:
    """Return covered (replicates, 2) and p (replicates, 2), of school then public holidays."""
    kinds = all_kinds(FRANCE, START, END)
    days = list(kinds)
    names = (SCHOOL_HOLIDAYS, PUBLIC_HOLIDAY)
    flags = np.array([[name in kinds[day] for name in names] for day in days], dtype=float)
    rng = np.random.default_rng(seed)
    covered, p = np.zeros((replicates, 2)), np.ones((replicates, 2))
    for i in range(replicates):
        counts = dict(zip(days, world.draw(rng, days, flags).astype(int).tolist(), strict=True))
        found = effects(counts, kinds)
        assert isinstance(found, Effects)
        for j, (name, truth) in enumerate(zip(names, (world.school, world.public), strict=True)):
            value, slopes = found.against_working(name)
            row = told(value, *found.fitted.spread(slopes), CONFIDENCE)
            covered[i, j] = row["low"] <= truth <= row["high"]
            p[i, j] = row["p"]
    return covered, p


def false_among(p: Floats) -> Floats:
    """Return how many of each `THEMES` themes would be told, given p-values (replicates,)."""
    whole = p[: len(p) // THEMES * THEMES].reshape(-1, THEMES)
    q = stats.false_discovery_control(whole, axis=1, method="bh")
    return np.asarray((q <= 1 - CONFIDENCE).sum(axis=1), dtype=np.float64)


def seasons_told(
    seed: int, replicates: int, alike: float, drift: float, *, years: int = 5, spread: float = 0.15
) -> float:
    """Return the share of worlds without a season in which one would be told, themes by themselves.

    Weekly excess of `spread`, correlation `alike`; the level moves by `drift` a year (log).
    """
    rng = np.random.default_rng(seed)
    days = [dt.date(2021, 1, 1) + dt.timedelta(i) for i in range(365 * years + years // 4)]
    at = np.arange(len(days))
    month = np.array([(day.year - 2021) * 12 + day.month - 1 for day in days])
    length = np.bincount(month, minlength=12 * years).reshape(years, 12)
    told_of = 0
    for _ in range(replicates):
        noise = autoregressive(rng, len(days) // 7 + 1, alike, spread)
        mean = np.exp(np.log(20) + noise[at // 7] + drift * at / 365.25)
        n = np.bincount(month, rng.poisson(mean), 12 * years).reshape(years, 12).astype(np.int64)
        told_of += month_ratios(n, length, range(years), CONFIDENCE)[3] <= 1 - CONFIDENCE
    return told_of / replicates


def lines(replicates: int) -> Iterator[str]:
    """Yield one line of a Markdown table a grade: what, nominal, observed by seed ± its error."""
    planted = World(school=1.15, public=0.8)
    for name, world in {
        "sortes de jour, aucun effet": World(),
        "sortes de jour, effets plantés": planted,
        "sortes de jour, effets plantés, 2 faits par jour": World(2.0, 1.15, 0.8),
    }.items():
        found = [kinds_found(world, seed, replicates) for seed in SEEDS]
        for j, kind in enumerate(("vacances", "fériés")):
            yield _line(f"{name} : intervalle, {kind}", 0.95, [c[:, j] for c, _ in found])
        if world.school == 1:
            wrong = [false_among(p[:, 0]) for _, p in found]
            counted = " ; ".join(f"{w.mean():.2f} (au plus {w.max():.0f})" for w in wrong)
            yield f"| faux effets de vacances sur {THEMES} thèmes | 0 ou 1 | {counted} |"
        else:
            power = [(p[:, 0] <= 1 - CONFIDENCE).astype(float) for _, p in found]
            yield _line(f"{name} : vacances trouvées", float("nan"), power)
    for years in (2, 5):
        for alike, drift in ((0.0, 0.0), (0.0, 0.1), (0.5, 0.0), (0.5, 0.1), (0.7, 0.1)):
            told_of = [
                np.array([seasons_told(s, 4 * replicates, alike, drift, years=years)])
                for s in SEEDS
            ]
            error = (0.05 * 0.95 / (4 * replicates)) ** 0.5
            text = " ; ".join(f"{float(v[0]):.3f}" for v in told_of)
            what = f"fausse saison, {years} ans, ρ {alike}, pente {drift:.0%} par an"
            yield f"| {what} | 0.05 | {text} (± {error:.3f}) |"


def _line(what: str, nominal: float, by_seed: list[Floats]) -> str:
    text = " ; ".join(f"{one.mean():.3f}" for one in by_seed)
    error = float(np.sqrt(0.05 * 0.95 / len(by_seed[0])))
    return f"| {what} | {'' if np.isnan(nominal) else nominal} | {text} (± {error:.3f}) |"


if __name__ == "__main__":
    commands.begin()
    for line in lines(int(sys.argv[1]) if len(sys.argv) > 1 else 204):
        print(line, flush=True)
