"""By how much a window of days departs from its usual, beside controls, and how sure that is.

A day's level is the logarithm of what was counted, less the mean of the days of its own kind
(day of the week, holidays) in the reference. What is shared with the control series on that very
day, weather first, is taken out: their median. How far a window strays when nothing happens is not
modelled but read: the same window is put everywhere else in the reference, end to end, and its mean
levels vary as they do (a placebo in time; Abadie, A., Diamond, A. & Hainmueller, J. 2015,
Comparative politics and the synthetic control method, American Journal of Political Science 59).
Days alike one after the other, counts more variable than chance: all are in it. The interval is
Student's predictive one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.core.stats.event_ratio import Ratio

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
FEWEST_WINDOWS = 6  # placed elsewhere; fewer do not tell how they vary
FEWEST_ALIKE = 3  # days of a kind without which that kind has no usual
KNOWN = 0.5  # share of a window's days without which it is not told
FEWEST_CONTROLS = 3  # below, a median of controls is the fate of one of them


@dataclass(frozen=True)
class Departure:
    """A ratio to the usual, days of the window known, windows placed elsewhere."""

    ratio: Ratio
    days: int
    windows: int


def levels(counts: Floats, kind: Ints, reference: Bools) -> Floats:
    """Return log counts less the mean of their kind in the reference, NaN where not known.

    `counts` (series, days) with NaN, `kind` (days,), `reference` (series, days). A count of zero
    is half a passage: its logarithm has a bound.
    """
    log = np.log(np.maximum(counts, 0.5))
    found = np.full(log.shape, np.nan)
    for one in np.unique(kind):
        own = kind == one
        sound = own & reference & np.isfinite(log)
        size = sound.sum(axis=1)
        told = size >= FEWEST_ALIKE
        usual = np.where(sound, log, 0.0).sum(axis=1) / np.maximum(size, 1)
        found[:, own] = np.where(told[:, None], log[:, own] - usual[:, None], np.nan)
    return found


def less_controls(own: Floats, controls: Floats, fewest: int = FEWEST_CONTROLS) -> Floats:
    """Return levels (days,) less the median of the controls' (controls, days) of the same day.

    NaN on days on which fewer than `fewest` of them are known.
    """
    known = np.isfinite(controls).sum(axis=0)
    enough = known >= max(fewest, 1)
    shared = np.full(own.shape, np.nan)
    shared[enough] = np.nanmedian(controls[:, enough], axis=0)
    return np.asarray(own - shared)


def departure(
    level: Floats, window: Bools, reference: Bools, kind: Ints, extra: float = 0.0
) -> Departure | None:
    """Return how far the days of `window` are from 0; None where too little tells.

    All (days,): `level` as `levels` and `less_controls` give it, `reference` the days of the
    usual, `kind` theirs. `extra`: relative variance of the window's counts that the reference does
    not show (a road nearly empty counts less surely).
    """
    sound = np.isfinite(level)
    inside = np.flatnonzero(window & sound)
    span = np.flatnonzero(window)
    if not len(span) or len(inside) < KNOWN * len(span):
        return None
    usual = reference & sound & ~window
    placed = _placed(level, usual, int(span[-1] - span[0] + 1), max(1, len(inside)))
    if len(placed) < FEWEST_WINDOWS:
        return None
    days = int(usual.sum())
    kinds = len(np.unique(kind[usual]))
    used = days / max(days - kinds, 1)  # the means of kinds were taken from these very days
    spread = float(placed.var(ddof=1)) * used
    single = float(level[usual].var(ddof=1)) * used
    shares = [
        ((kind[inside] == one).mean() ** 2) / max(int((kind[usual] == one).sum()), 1)
        for one in np.unique(kind[inside])
    ]
    centre = max(spread / len(placed), single * float(sum(shares)))
    error = float(np.sqrt(spread + centre + extra))
    value = float(level[inside].mean())
    return Departure(Ratio(value, error, float(len(placed) - 1)), len(inside), len(placed))


def _placed(level: Floats, usual: Bools, length: int, known: int) -> Floats:
    """Return the mean level of each window of `length` days placed end to end in the usual.

    Those of which as large a share is known as of the window, at least.
    """
    wanted = max(1.0, KNOWN * known)
    starts = range(0, len(level) - length + 1, length)
    held = [(level[at : at + length], usual[at : at + length]) for at in starts]
    found = [float(one[told].mean()) for one, told in held if told.sum() >= wanted]
    return np.array(found)


def together(values: Floats, errors: Floats, fewest: int = 3) -> Ratio | None:
    """Return the mean of several departures (n,), log scale, none surer than its parts allow.

    From `fewest` on, the error is how they differ from each other, or what each could err, the
    larger of both; Student's with n − 1 degrees. None below.
    """
    n = len(values)
    if n < fewest:
        return None
    between = float(values.std(ddof=1)) / np.sqrt(n)
    within = float(np.sqrt((errors**2).sum())) / n
    return Ratio(float(values.mean()), float(max(between, within)), float(n - 1))


def share_moved(
    lost: tuple[float, Ratio], gained: tuple[float, Ratio], confidence: float
) -> tuple[float, float, float] | None:
    """Return the share of what one series lost that another gained, with its interval (Fieller).

    Each is what was expected of it, and its ratio; several that gain are summed before they are
    compared, for what they owe to their controls they owe together. None where the loss is not
    established: a share of nothing. Fieller, E. 1954, Some problems in interval estimation,
    JRSS B 16.
    """
    base, ratio = lost
    if ratio.within(confidence)[2] >= 1:
        return None
    down = base * (1 - np.exp(ratio.value))
    down_error = base * ratio.error  # what was counted is known: what is not is what was expected
    other, up = gained
    more = other * (np.exp(up.value) - 1)
    error = other * up.error
    freedom = min(ratio.freedom, up.freedom)
    reach = Ratio(0.0, 1.0, freedom).within(confidence)[2]
    far = float(np.log(reach)) ** 2
    a, b, c = down**2 - far * down_error**2, more * down, more**2 - far * error**2
    root = b**2 - a * c
    if a <= 0 or root < 0:
        return None
    half = float(np.sqrt(root))
    return float(more / down), float((b - half) / a), float((b + half) / a)
