"""How unlikely the latest of a series of counts is, too large for a Poisson law to judge.

Each series has a count a week, the latest first (passages at a place, in the same hours of the same
day of the week). A week is held against the mean of those before it, on a log scale, less the
median of what all series did that very week: rain, a strike, a day off are shared. How far a series
strays when nothing happens is learnt from its own past weeks, compared in the very same way. Its
tail is Student's, twice over: for the spread is known by so many weeks alone, and for what strays
is heavier-tailed than Gauss's law, as the kurtosis of all series together tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
HALF = 0.5  # of a passage, added to all counts: an empty hour has a logarithm
FEWEST_REFERENCES = 8  # weeks that a week is held against
FEWEST_PAST = 20  # weeks compared in the past; fewer do not tell a spread
FEWEST_OTHERS = 3  # series whose median tells what all share; fewer, and nothing is taken out
LIGHTEST, HEAVIEST = 60.0, 4.5  # degrees of freedom of what strays, at most and at least


@dataclass(frozen=True)
class Judged:
    """Of each series (n,): what was expected, both ends, p of as much or more, references, past.

    NaN where nothing is told: the latest is unknown, or too little past.
    """

    expected: Floats
    low: Floats
    high: Floats
    p: Floats
    references: NDArray[np.int64]
    past: NDArray[np.int64]


def strays(counts: Floats, aside: Bools, references: int) -> tuple[Floats, Floats]:
    """Return how far each week strays from those before it, and the mean of these: (series, weeks).

    `counts` (series, weeks + references), the latest week first, NaN where unknown; `aside`, alike,
    weeks that are no ordinary ones: they are no reference, and no past, save the latest that is
    judged all the same.
    """
    usable = np.where(aside, np.nan, counts)
    weeks = counts.shape[1] - references
    found, usual = (np.full((len(counts), weeks), np.nan) for _ in range(2))
    for week in range(weeks):
        past = usable[:, week + 1 : week + 1 + references]
        known = np.isfinite(past).sum(axis=1)
        enough = known >= FEWEST_REFERENCES
        mean = np.where(np.isfinite(past), past, 0.0).sum(axis=1) / np.maximum(known, 1)
        usual[enough, week] = mean[enough]
        latest = counts[:, 0] if week == 0 else usable[:, week]
        found[:, week] = np.log((latest + HALF) / (np.where(enough, mean, np.nan) + HALF))
    return found, usual


def shared(found: Floats, aside: Bools) -> Floats:
    """Return, of each series and week, the median of what the others strayed (series, weeks).

    0 where fewer than `FEWEST_OTHERS` of them are known. What is aside tells nothing.
    """
    told = np.where(aside[:, : found.shape[1]], np.nan, found)
    median = np.zeros_like(found)
    for i in range(len(found)):
        others = np.delete(told, i, axis=0)
        enough = np.isfinite(others).sum(axis=0) >= FEWEST_OTHERS
        median[i, enough] = np.nanmedian(others[:, enough], axis=0)
    return median


def tail_freedom(left: list[Floats]) -> float:
    """Return the degrees of freedom of Student's law whose kurtosis is that of all these strays.

    Each (past,) is one series', its mean and spread taken out (4 + 6/κ; method of moments).
    """
    whole = np.concatenate(left) if left else np.zeros(0)
    if len(whole) < FEWEST_PAST:
        return HEAVIEST
    beyond = float((whole**4).mean() / (whole**2).mean() ** 2) - 3
    return float(np.clip(4 + 6 / beyond, HEAVIEST, LIGHTEST)) if beyond > 0 else LIGHTEST


def judge(groups: list[tuple[Floats, Bools]], references: int, confidence: float) -> list[Judged]:
    """Return what is to be said of the latest week of groups of series (hours of the day, say).

    Each group: `counts` and `aside` of `strays`. Series of a group share what is taken out; all
    groups together tell how heavy the tails are.
    """
    parts = []
    for counts, aside in groups:
        found, usual = strays(counts, aside, references)
        median = shared(found, aside)
        parts.append((found - median, median[:, 0], usual[:, 0], counts))
    scaled = [
        (past - past.mean()) / past.std()
        for left, *_ in parts
        for past in (row[1:][np.isfinite(row[1:])] for row in left)
        if len(past) >= FEWEST_PAST and past.std() > 0
    ]
    freedom = tail_freedom(scaled)
    return [_judged(*part, references, freedom, confidence) for part in parts]


def _judged(
    left: Floats, median: Floats, usual: Floats, counts: Floats, references: int, freedom: float,
    confidence: float,
) -> Judged:  # fmt: skip
    known = np.isfinite(left[:, 1:])
    past = known.sum(axis=1)
    filled = np.where(known, left[:, 1:], 0.0)
    mean = filled.sum(axis=1) / np.maximum(past, 1)
    square = np.where(known, (left[:, 1:] - mean[:, None]) ** 2, 0.0).sum(axis=1)
    spread = np.sqrt(square / np.maximum(past - 1, 1) * (1 + 1 / np.maximum(past, 1)))
    # No count varies less than a Poisson one does, whatever its own few weeks seem to tell.
    spread = np.maximum(spread, np.sqrt(1 / (usual + 1)))
    both = 1 / (1 / freedom + 1 / np.maximum(past - 1, 1))
    heavier = np.sqrt(freedom / (freedom - 2))
    told = (past >= FEWEST_PAST) & np.isfinite(left[:, 0])
    score = np.where(told, (left[:, 0] - mean) / spread * heavier, np.nan)
    p = np.where(told, special.stdtr(both, -score), np.nan)
    reach = special.stdtrit(both, (1 + confidence) / 2) * spread / heavier
    centre = np.log(usual + HALF) + median + mean
    value, low, high = (
        np.where(told, np.maximum(np.exp(centre + one) - HALF, 0.0), np.nan)
        for one in (0.0, -reach, reach)
    )
    heard = np.isfinite(counts[:, 1 : references + 1]).sum(axis=1)
    return Judged(value, low, high, p, heard.astype(np.int64), past.astype(np.int64))
