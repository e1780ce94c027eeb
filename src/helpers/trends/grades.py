"""What is said of levels, held against worlds whose truth is known.

`python -m helpers.trends.grades` prints nominal and observed: changes told where there are none,
falls and rises of the size said to be detectable, and the heaviest pairs found by criticality.
Two seeds were used while the methods were chosen, the third was not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from helpers.core.base import commands
from helpers.core.stats.quasi_poisson import Floats
from helpers.core.stats.two_windows import Compared, How, compare
from helpers.trends import criticality
from helpers.trends.knobs import CriticalityWeights

SEEDS = (21, 22, 2028)  # the last one was not used while tuning
YEAR = 52
POWER, ALPHA = 0.9, 0.05
HEAVIEST = 30


def counted(
    rng: np.random.Generator, means: Floats, alike: float, spread: float, sway: float
) -> Floats:
    """Return weekly counts (runs, weeks) of these means (runs, weeks).

    `spread`: standard deviation (log) of an excess of the week, `alike` its correlation from one
    week to the next; `sway`: that of the level of each year.
    """
    shocks = rng.normal(0, 1, means.shape) * spread
    shocks[:, 1:] *= np.sqrt(1 - alike**2)
    for i in range(1, means.shape[1]):
        shocks[:, i] += alike * shocks[:, i - 1]
    levels = rng.normal(0, 1, (len(means), means.shape[1] // YEAR)) * sway
    log = np.log(means) + shocks + np.repeat(levels, YEAR, axis=1)
    return np.asarray(rng.poisson(np.exp(log)), dtype=np.float64)


def judged(counts: Floats, sway: float) -> Compared:
    """Return the two last years compared, `sway` taken into account."""
    how = How(YEAR, 1 - ALPHA, 30, POWER)
    return compare(counts, np.ones_like(counts), how, np.full(len(counts), 2 * sway**2))


def false_changes(
    seed: int, runs: int, mean: float, alike: float, *, years: int = 5, sway: float = 0.0,
    spread: float = 0.2,
) -> float:  # fmt: skip
    """Return the share of worlds without a change in which one is told."""
    means = np.full((runs, years * YEAR), mean)
    found = judged(counted(np.random.default_rng(seed), means, alike, spread, sway), sway)
    return float((found.p()[found.why == ""] <= ALPHA).mean())


def seen(seed: int, runs: int, mean: float, *, fall: bool, spread: float = 0.0) -> float:
    """Return how often a change of the size said beforehand to be detectable is told.

    The size is that stated, in the middle, by worlds without a change; `mean` facts a week before.
    """
    rng = np.random.default_rng(seed)
    means = np.full((runs, 5 * YEAR), mean)
    still = judged(counted(rng, means, 0.3, spread, 0.0), 0.0)
    size = float(np.median(still.detectable(np.full(runs, ALPHA), POWER)[int(fall)]))
    means[:, -YEAR:] *= size
    found = judged(counted(rng, means, 0.3, spread, 0.0), 0.0)
    ratio = found.ratio(1 - ALPHA)[0]
    return float(((found.p() <= ALPHA) & ((ratio < 1) == fall)).mean())


def heaviest_found(seed: int, runs: int, moving: float) -> tuple[float, float, float]:
    """Return the share of the truly heaviest pairs among those found so.

    By the score, by the last year's count times its ratio to the year before, by both years'
    mean: `moving` is the standard deviation (log) of the true yearly change.
    """
    rng = np.random.default_rng(seed)
    shares = np.zeros((runs, 3))
    weights = CriticalityWeights(count=1, severity=1, trend=1)
    for i in range(runs):
        severity = np.repeat(rng.integers(1, 6, 8), 111).astype(float)
        change = rng.normal(0, moving, len(severity))
        past = np.exp(rng.normal(np.log(80), 1.0, len(severity)))
        before = rng.poisson(past)
        recent = rng.poisson(past * np.exp(change))
        kept = np.flatnonzero((before + recent >= 60) & (before > 0) & (recent > 0))
        own, other = 1 / recent[kept], 1 / before[kept]
        rows = [
            {"level": np.log(recent[at] / YEAR), "change": np.log(recent[at] / before[at]),
             "own": float(a), "past": float(b), "more": 0.0, "severity": severity[at],
             "theme": at // 111}
            for at, a, b in zip(kept, own, other, strict=True)
        ]  # fmt: skip
        for theme in range(8):
            criticality.weigh([row for row in rows if row["theme"] == theme], weights)
        truth = _first(severity * past * np.exp(2 * change))
        log = np.full(len(severity), -np.inf)
        log[kept] = [row["log"] for row in rows]
        twice = severity * recent.astype(float) ** 2 / np.maximum(before, 1)
        for j, guess in enumerate((log, twice, severity * (recent + before))):
            shares[i, j] = len(truth & _first(guess)) / HEAVIEST
    first, second, third = shares.mean(axis=0).tolist()
    return first, second, third


def _first(values: Floats) -> set[int]:
    return set(np.argsort(-values, kind="stable")[:HEAVIEST].tolist())


def lines(runs: int) -> Iterator[str]:
    """Yield the lines of a Markdown table: what, nominal, observed by seed, Monte-Carlo error."""
    for mean in (1.0, 8.0, 60.0):
        for alike, sway in ((0.0, 0.0), (0.5, 0.0), (0.7, 0.0), (0.5, 0.03)):
            found = [false_changes(seed, runs, mean, alike, sway=sway) for seed in SEEDS]
            what = f"fausse évolution, {mean:g} par semaine, ρ {alike}, balancement {sway:.0%}"
            yield _line(what, ALPHA, found, runs)
    for mean in (0.6, 1.5, 8.0):
        for fall in (True, False):
            found = [seen(seed, runs, mean, fall=fall) for seed in SEEDS]
            what = f"{'baisse' if fall else 'hausse'} dite décelable, {mean:g} par semaine"
            yield _line(what, POWER, found, runs)
    for moving in (0.0, 0.05, 0.1, 0.2):
        found3 = [heaviest_found(seed, max(runs // 40, 5), moving) for seed in SEEDS]
        for j, name in enumerate(("note publiée", "dernière année deux fois", "deux années")):
            text = " ; ".join(f"{one[j]:.3f}" for one in found3)
            yield f"| les {HEAVIEST} plus lourds, évolutions de {moving:.0%}, {name} | | {text} |"


def _line(what: str, nominal: float, found: list[float], runs: int) -> str:
    error = (nominal * (1 - nominal) / runs) ** 0.5
    text = " ; ".join(f"{one:.3f}" for one in found)
    return f"| {what} | {nominal:g} | {text} (± {error:.3f}) |"


if __name__ == "__main__":
    commands.begin()
    for line in lines(int(sys.argv[1]) if len(sys.argv) > 1 else 2000):
        print(line, flush=True)
