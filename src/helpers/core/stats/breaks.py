"""Breaks of volume: weeks from which a series stays at another level, told from slow drifts.

Sup-F test of one change at an unknown date (Andrews 1993, Econometrica 61), repeated with the
changes found kept in the model (Bai & Perron 1998, Econometrica 66), each placed anew given the
others (Bai 1997, Econometric Theory 13). A change is a step or a ramp of `WIDTHS` weeks, one that
the end of the series may cut: a slow decline is then one drift, and no stair of steps. The
logarithm of the weekly counts has a level, a slope and the season; what remains is AR(1), taken out
first. The null distribution is simulated with the same regressors and the same changes sought.

The span of a step's date is the smallest set of weeks that holds `confidence` of its likelihood,
all weeks being alike beforehand (Smith 1975, Biometrika 62). A change is told only where its score
passes a threshold, and one that hardly passes is told larger than it is: the interval of the ratio
is that of a score known to have passed (Zhong & Prentice 2008, Biostatistics 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

YEAR_WEEKS = 365.2425 / 7
EDGE = 8  # weeks on each side of a break, at least: a shorter change is an episode
MINIMUM_WEEKS = 104  # below two years a break cannot be told from the season
SIMULATIONS = 2000
STREAM = 20260101  # of the simulated null alone: its table is a constant of the method
MOST = 5  # changes of one series
ROBUST = 3.5  # residuals beyond that many deviations are brought back: one mad week is no level
SUDDEN = 1  # weeks that a step takes
WIDTHS = (SUDDEN, 13, 26, 52, 104, 208, 416)
DATABLE = 26  # weeks: a step dated no better is told as a drift
PLAIN = 4.0  # of F: by how much a ramp must say more for a step not to be told
# Least variance of logarithms that is not the rounding of their sums: a constant series has none.
ROUNDING = 1e-12
STEP, DRIFT = "step", "drift"


@dataclass(frozen=True)
class Break:
    """A change of level; `ratio`: after / before.

    A step is from the period at `at` on, between `first` and `last`; a drift lies in `first` to
    `last`, its middle at `at`.
    """

    at: int
    first: int
    last: int
    ratio: float
    low: float
    high: float
    p: float
    kind: str = STEP


@dataclass(frozen=True)
class Changes:
    """The changes sought, one a row of `shape` (changes, weeks), from 0 to 1.

    `start`: first week of the new level of a step, of the way to it of a ramp; `width`: weeks.
    """

    shape: Floats
    start: Ints
    width: Ints


def design(weeks: int, *, seasonal: bool) -> Floats:
    """Return the regressors without any break: level, slope and, if asked, two yearly harmonics."""
    t = np.arange(weeks)
    columns = [np.ones(weeks), t / weeks - 0.5]
    if seasonal:
        for k in (1, 2):
            angle = 2 * np.pi * k * t / YEAR_WEEKS
            columns += [np.cos(angle), np.sin(angle)]
    return np.stack(columns, axis=1)


@cache
def sought(weeks: int) -> Changes:
    """Return all changes sought in a series: steps, then ramps whose middle it holds."""
    start, width = [], []
    for wide in WIDTHS:
        half, every = wide // 2, 1 + wide // 16
        if wide < weeks:
            found = np.arange(EDGE - half, weeks - EDGE + 1 - half, every)
            start.append(found)
            width.append(np.full(len(found), wide))
    starts, widths = np.concatenate(start), np.concatenate(width)
    t = np.arange(weeks)[None, :]
    shape = np.clip((t - starts[:, None] + 1) / widths[:, None], 0.0, 1.0)
    return Changes(shape, starts.astype(np.int64), widths.astype(np.int64))


def _without(columns: Floats, values: Floats) -> Floats:
    """Return `values` (rows) less what the regressors (columns) explain."""
    basis = np.linalg.qr(columns)[0]
    return np.asarray(values - (values @ basis) @ basis.T)


def _filtered(values: Floats, rho: float) -> Floats:
    """Return the rows less `rho` times their predecessor (Prais & Winsten's first term kept)."""
    out = values.copy()
    out[:, 1:] -= rho * values[:, :-1]
    out[:, 0] *= np.sqrt(1 - rho**2)
    return out


def _memory(residuals: Floats, regressors: int) -> float:
    """Return the AR(1) coefficient, raised for the bias of the regressors and of the search.

    Kendall's correction, made larger until false alarms came near their nominal rate (measured).
    """
    raw = float(residuals[1:] @ residuals[:-1] / max(float(residuals @ residuals), 1e-12))
    return float(np.clip(raw + (regressors + 6 + 6 * raw) / len(residuals), 0.0, 0.9))


def _statistics(columns: Floats, shapes: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Return, for each change, F, its size and its standard error, all AR(1) taken out."""
    inner, target = _without(columns, shapes), _without(columns, y[None])[0]
    power = (inner**2).sum(axis=1)
    # A change that the regressors hold already (a ramp found before) says nothing more.
    new = power > 1e-6 * np.maximum((shapes**2).sum(axis=1), 1e-9)
    power = np.where(new, power, 1.0)
    size = np.where(new, inner @ target, 0.0) / power
    best = int(np.argmax(size**2 * power))
    left = target - size[best] * inner[best]
    variance = max(float(left @ left) / (len(y) - columns.shape[1] - 1), ROUNDING)
    return size**2 * power / variance, size, np.sqrt(variance / power)


@cache
def _null(weeks: int, seasonal: bool) -> Floats:
    """Return the sorted greatest F of series without break."""
    columns, shapes = design(weeks, seasonal=seasonal), sought(weeks).shape
    inner = _without(columns, shapes)
    power = (inner**2).sum(axis=1, keepdims=True)
    inner = inner / np.sqrt(np.maximum(power, 1e-9)) * (power > 1e-6)
    noise = np.random.default_rng([STREAM, weeks, seasonal]).normal(size=(SIMULATIONS, weeks))
    noise = _without(columns, noise)
    gain = ((noise @ inner.T) ** 2).max(axis=1)
    left = ((noise**2).sum(axis=1) - gain) / (weeks - columns.shape[1] - 1)
    return np.sort(gain / left)


def _tamed(y: Floats) -> Floats:
    """Return y with its outliers brought back to `ROBUST` deviations, single weeks only."""
    width = 5
    padded = np.pad(y, width // 2, mode="edge")
    around = np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
    apart = y - around
    reach = ROBUST * 1.4826 * float(np.median(np.abs(apart)))
    return np.asarray(around + np.clip(apart, -reach, reach)) if reach > 0 else y


def find_breaks(y: Floats, *, seasonal: bool, alpha: float, confidence: float) -> list[Break]:
    """Return the changes of a series of logarithms, steps and drifts, in the order of time.

    `alpha`: chance that a series without change shows one. Needs `MINIMUM_WEEKS` values.
    """
    base, changes = design(len(y), seasonal=seasonal), sought(len(y))
    y = _tamed(y)
    null = _null(len(y), seasonal)
    held: list[int] = []
    chances: list[float] = []
    for _ in range(MOST):
        best, p = _most_likely(base, changes, held, y, null)
        if p > alpha or _beside(changes, held, best):
            break
        held.append(best)
        chances.append(p)
    for i in range(len(held) if len(held) > 1 else 0):
        others = held[:i] + held[i + 1 :]
        best, _ = _most_likely(base, changes, others, y, null)
        if not _beside(changes, others, best):
            held[i] = best
    passed = float(np.sqrt(np.quantile(null, 1 - alpha)))
    found = [
        _told(base, changes, held[:i] + held[i + 1 :], one, y, confidence, chances[i], passed)
        for i, one in enumerate(held)
    ]
    return sorted(found, key=lambda b: (b.at, b.kind))


def _beside(changes: Changes, held: list[int], one: int) -> bool:
    """Tell whether the middle of a change lies within `EDGE` weeks of one that is held."""
    middle = changes.start + changes.width // 2
    return any(abs(int(middle[one] - middle[other])) < EDGE for other in held)


def _whitened(
    base: Floats, changes: Changes, others: list[int], y: Floats
) -> tuple[Floats, Floats, Floats, float]:
    """Return F, size and error of each change given the others, AR(1) taken out, and its ρ."""
    columns = np.column_stack([base, *changes.shape[others]])
    best = int(np.argmax(_statistics(columns, changes.shape, y)[0]))
    inner = np.column_stack([columns, changes.shape[best]])
    rho = _memory(_without(inner, y[None])[0], inner.shape[1])
    white = _filtered(columns.T, rho).T
    return *_statistics(white, _filtered(changes.shape, rho), _filtered(y[None], rho)[0]), rho


def _most_likely(
    base: Floats, changes: Changes, others: list[int], y: Floats, null: Floats
) -> tuple[int, float]:
    """Return the change that explains most given the others, and its chance without any.

    A ramp must explain more than a step by `PLAIN`.
    """
    f = _whitened(base, changes, others, y)[0]
    best = int(np.argmax(f + np.where(changes.width == SUDDEN, PLAIN, 0.0)))
    return best, (1 + len(null) - int(np.searchsorted(null, f[best]))) / (1 + len(null))


def _told(
    base: Floats, changes: Changes, others: list[int], one: int, y: Floats, confidence: float,
    p: float, passed: float,
) -> Break:  # fmt: skip
    """Return a change with its date's span and its ratio's interval, `passed` its threshold."""
    f, size, error, _ = _whitened(base, changes, others, y)
    ends = _known_to_have_passed(float(size[one] / error[one]), passed, confidence)
    logs = (float(size[one]), *(end * float(error[one]) for end in ends))
    ratio, low, high = (round(float(np.exp(log)), 4) for log in logs)
    start, width, weeks = int(changes.start[one]), int(changes.width[one]), len(y)
    first, last = max(0, start), min(weeks - 1, start + width)
    if width == SUDDEN:
        first, last = _span(f[changes.width == SUDDEN], confidence)
        if last - first <= DATABLE:
            return Break(start, first, last, ratio, low, high, round(p, 4))
    middle = min(max(start + width // 2, 0), weeks - 1)
    return Break(middle, first, last, ratio, low, high, round(p, 4), DRIFT)


def _known_to_have_passed(score: float, passed: float, confidence: float) -> tuple[float, float]:
    """Return the interval of a score's mean, of unit error, told only beyond ±`passed`.

    Its ends are the means under which so great a score, or so small a one, has half the chance left
    by `confidence` among the scores told. Far beyond the threshold it is the usual one. It holds
    `score`, whatever the threshold would take off it, and no mean of the other sign: what is told
    to have moved is not told to have moved the other way.
    """
    far = abs(score)
    tail = (1 - confidence) / 2

    def above(mean: float) -> float:
        told = special.ndtr(mean - passed) + special.ndtr(-mean - passed)
        return float(special.ndtr(mean - max(far, passed)) / told)

    ends = []
    for chance, stop in ((tail, far), (1 - tail, far + 8.0)):
        low, high = 0.0, stop
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if above(middle) < chance else (low, middle)
        ends.append(high)
    least, most = min(ends[0], far), max(ends[1], far)
    return (least, most) if score > 0 else (-most, -least)


def _span(f: Floats, confidence: float) -> tuple[int, int]:
    """Return the first and last week of the likeliest that hold `confidence` of the likelihood.

    `f`: F of a step at each week, from `EDGE` on.
    """
    likelihood = np.exp((f - f.max()) / 2)
    order = np.argsort(-likelihood, kind="stable")
    held = np.cumsum(likelihood[order]) / likelihood.sum()
    kept = order[: int(np.searchsorted(held, confidence)) + 1] + EDGE
    return int(kept.min()), int(kept.max())
