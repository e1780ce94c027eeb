"""How good the repeats are: made-up cities with and without offspring, real ones both ways.

`make grade ROOMS=repeats` tells, for made-up cities whose zones each have their own season, how
often a repeat is found where there is none and how often where there is one, beside dates dealt
over the whole city (the plain table). `python -m helpers.repeats.grades city …` prints, for real
cities (their `data/<key>`), the ratio of the nearest and soonest band both ways.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from helpers.core.base import commands, store
from helpers.core.city.city import City
from helpers.core.place_time.points import Facts, by_theme
from helpers.core.stage import params
from helpers.core.stats.grading import Line, Trial, seen
from helpers.repeats import knox
from helpers.repeats.knobs import Knobs

Floats = NDArray[np.float64]
Season = Literal["none", "sine", "burst"]
SEASONS: tuple[Season, ...] = ("none", "sine", "burst")
WORDS = {"none": "sans saison", "sine": "une vague par zone", "burst": "une rafale par zone"}
ZONES, DAYS, FACTS = 20, 365, 800
PERMUTATIONS = 99  # enough to judge at 5 %, and half as long as the room's own


def season(kind: Season, peak: float) -> Floats:
    """Return the shares of the days of a year: even, a wave, or a burst of some weeks."""
    day = np.arange(DAYS)
    wave = {
        "none": np.ones(DAYS),
        "sine": 1 + 0.9 * np.cos(2 * np.pi * (day - peak) / DAYS),
        "burst": 1 + 6 * np.exp(-0.5 * ((day - peak) / 20) ** 2),
    }[kind]
    return np.asarray(wave / wave.sum())


def made_up(rng: np.random.Generator, kind: Season, branching: float) -> Facts:
    """Return a year of facts: hubs in zones, each of its own season; of them, some draw another.

    `branching` is the share of the facts that draw one within some 60 m and some seven days.
    """
    zone = rng.choice(ZONES, FACTS, p=rng.dirichlet(np.full(ZONES, 2.0)))
    centre = np.stack(np.divmod(np.arange(ZONES), 5), axis=1) * 1500.0 + 750
    hub = rng.uniform(-600, 600, (ZONES, 6, 2))
    at = centre[zone] + hub[zone, rng.integers(0, 6, FACTS)] + rng.normal(0, 80, (FACTS, 2))
    day = np.empty(FACTS, dtype=np.int64)
    for k, peak in enumerate(rng.uniform(0, DAYS, ZONES)):
        mine = zone == k
        day[mine] = rng.choice(DAYS, mine.sum(), p=season(kind, peak))
    drawn = np.flatnonzero(rng.random(FACTS) < branching)
    later = day[drawn] + rng.exponential(7, len(drawn)).astype(np.int64)
    at = np.concatenate([at, at[drawn] + rng.normal(0, 60, (len(drawn), 2))])
    kept = np.concatenate([np.arange(FACTS), FACTS + np.flatnonzero(later < DAYS)])
    days, zones = np.concatenate([day, later]), np.concatenate([zone, zone[drawn]])
    return Facts(at[kept, 0], at[kept, 1], days[kept], zones[kept].astype(np.int64))


def plain(facts: Facts) -> Facts:
    """Return the same facts in one zone: with one season, dates are dealt over the whole city."""
    return Facts(facts.x, facts.y, facts.day, np.zeros_like(facts.zone))


def graded(
    kind: Season, branching: float, knobs: Knobs, seed: int, replicates: int
) -> dict[str, Floats]:
    """Return, of each such city, `found` (said to repeat: 1 or 0) and `ratio`, of the first band.

    And the same of the plain table (`plain_found`, `plain_ratio`); `detectable`, the ratio told as
    detectable there.
    """
    rows = []
    whole = knobs.model_copy(update={"season_days": DAYS + 1})
    for turn in range(replicates):
        facts = made_up(np.random.default_rng([seed, turn]), kind, branching)
        row = []
        for mine, how in ((facts, knobs), (plain(facts), whole)):
            bands = [r for r in knox.assess("t", mine, how, seed) if r["p"] is not None]
            surest = min(r["p"] for r in bands)
            row += [surest <= knobs.significance, bands[0]["ratio"], bands[0]["detectable"]]
        rows.append(row)
    names = ("found", "ratio", "detectable", "plain_found", "plain_ratio", "plain_detectable")
    return dict(zip(names, np.array(rows, dtype=float).T, strict=True))


def _repeats(seed: int, tries: int) -> Iterator[Line]:
    knobs: Knobs = params.knobs("repeats")
    quick = knobs.model_copy(update={"permutations": PERMUTATIONS})
    usual = "Knox, dates mêlées dans toute la ville"
    for kind in SEASONS:
        for branching in (0.0, 0.1, 0.2):
            told = graded(kind, branching, quick, seed, tries)
            none = branching == 0
            yield seen("répétition dite à tort" if none else "répétition dite",
                       WORDS[kind] + ("" if none else f", {100 * branching:g} % en entraînent"),
                       (None, 0.05 if none else None), told["found"], usual if none else "",
                       told["plain_found"] if none else None)  # fmt: skip
            if none:
                yield seen("rapport de la première case, où il n'y a rien", WORDS[kind],
                           (0.9, 1.1), told["ratio"], usual, told["plain_ratio"])  # fmt: skip


TRIALS = (Trial("repeats", 25, _repeats),)


def main(keys: list[str]) -> None:
    """Print the measures of the cities named."""
    knobs: Knobs = params.knobs("repeats")
    for key in keys:
        city, con = City(Path("data/cities") / key), store.connect()
        data = Path("data") / key
        store.view(con, "observations", data / "observations.parquet")
        used = city.themed_sources()
        files = {source: data / "accepted" / f"{source}.parquet" for source in used}
        whole = knobs.model_copy(update={"season_days": knobs.window_days + 1})
        for theme, facts in by_theme(con, city, files, knobs.window_days).items():
            firsts = []
            for mine, how in ((facts, knobs), (plain(facts), whole)):
                first = knox.assess(theme, mine, how, 1, len(city.themes))[0]
                if first["status"] == "ok":
                    firsts.append(f"{first['ratio']} (p {first['p']}, vu {first['detectable']})")
            print(f"{key}  {theme:24s} n {len(facts):6d}  {'  plain '.join(firsts)}")


if __name__ == "__main__":
    commands.begin()
    main(sys.argv[1:])
