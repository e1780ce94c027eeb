"""What is said of levels, held against worlds whose truth is known.

Changes told where there are none, falls and rises of the size said to be detectable, and the
heaviest pairs found by criticality. `make grade ROOMS=trends`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from helpers.core.stats.grading import Line, Trial, seen
from helpers.core.stats.quasi_poisson import Floats
from helpers.core.stats.two_windows import Compared, How, compare
from helpers.trends import criticality
from helpers.trends.knobs import CriticalityWeights

YEAR = 52
POWER, ALPHA = 0.9, 0.05
HEAVIEST = 30
PAIRS = 20  # towns whose heaviest are sought, for as many changes judged at a time


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


def changes(
    seed: int, runs: int, mean: float, alike: float, *, years: int = 5, sway: float = 0.0,
    spread: float = 0.2,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return in which worlds without a change one is told (runs,), and by two plain counts.

    NaN where nothing is said. The plain way: both years' counts, as if chance alone moved them.
    """
    means = np.full((runs, years * YEAR), mean)
    counts = counted(np.random.default_rng(seed), means, alike, spread, sway)
    found = judged(counts, sway)
    last, past = (counts[:, end - YEAR : end or None].sum(axis=1) for end in (0, -YEAR))
    one = 2 * np.minimum(stats.binom.cdf(last, last + past, 0.5),
                         stats.binom.sf(last - 1, last + past, 0.5))  # fmt: skip
    return np.where(found.why == "", found.p() <= ALPHA, np.nan), (one <= ALPHA).astype(float)


def changes_seen(seed: int, runs: int, mean: float, *, fall: bool, spread: float = 0.0) -> Floats:
    """Return in which worlds a change of the size said beforehand to be detectable is told.

    The size is that stated, in the middle, by worlds without a change; `mean` facts a week before.
    """
    rng = np.random.default_rng(seed)
    means = np.full((runs, 5 * YEAR), mean)
    still = judged(counted(rng, means, 0.3, spread, 0.0), 0.0)
    size = float(np.median(still.detectable(np.full(runs, ALPHA), POWER)[int(fall)]))
    means[:, -YEAR:] *= size
    found = judged(counted(rng, means, 0.3, spread, 0.0), 0.0)
    ratio = found.ratio(1 - ALPHA)[0]
    return np.asarray((found.p() <= ALPHA) & ((ratio < 1) == fall), dtype=np.float64)


def heaviest_found(seed: int, runs: int, moving: float) -> Floats:
    """Return the share of the truly heaviest pairs among those found so, (runs, 3).

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
    return shares


def _first(values: Floats) -> set[int]:
    return set(np.argsort(-values, kind="stable")[:HEAVIEST].tolist())


def _changes(seed: int, tries: int) -> Iterator[Line]:
    what = "fausse évolution"
    for mean in (1.0, 8.0, 60.0):
        for alike, sway in ((0.0, 0.0), (0.5, 0.0), (0.7, 0.0), (0.5, 0.03)):
            found, plain = changes(seed, tries, mean, alike, sway=sway)
            most = 0.07 if alike <= 0.5 else 0.10
            setting = f"{mean:g} par semaine, ρ {alike:g}, balancement {100 * sway:g} %"
            yield seen(what, setting, (None, most), found, "deux comptes, hasard seul", plain)


def _detectable(seed: int, tries: int) -> Iterator[Line]:
    for mean in (0.6, 1.5, 8.0):
        for fall in (True, False):
            what = f"{'baisse' if fall else 'hausse'} dite décelable, vue"
            told = changes_seen(seed, tries, mean, fall=fall)
            yield seen(what, f"{mean:g} par semaine, ρ 0,3", (0.87, None), told)


def _heaviest(seed: int, tries: int) -> Iterator[Line]:
    for moving in (0.0, 0.05, 0.1, 0.2):
        found = heaviest_found(seed, max(tries // PAIRS, 2), moving)
        setting = f"niveaux qui bougent de {100 * moving:g} % par an"
        # What will move nobody can know: nothing is promised of towns where much does.
        asked = (0.93 if moving <= 0.05 else None, None)
        what = f"les {HEAVIEST} plus lourds, retrouvés"
        yield seen(what, setting, asked, found[:, 0], "deux années réunies", found[:, 2])
        twice = found[:, 1]
        yield seen(f"{what} (autre voie)", setting, asked, found[:, 0],
                   "dernière année × évolution", twice)  # fmt: skip


TRIALS = (
    Trial("changes", 2000, _changes),
    Trial("detectable", 2000, _detectable),
    Trial("heaviest", 1000, _heaviest),
)
