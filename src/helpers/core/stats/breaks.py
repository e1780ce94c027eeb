"""Breaks of volume: the weeks from which a source, or a zone's share of it, stays at another level.

Sup-F test of one level shift at an unknown date (Andrews 1993, Econometrica 61), repeated with the
shifts found kept in the model (Bai & Perron 1998, Econometrica 66). The logarithm of the weekly
counts has a level, a slope and the season; what remains is AR(1), taken out first. The null
distribution is simulated with the same regressors. The interval of the date is Hansen's (2000,
Econometrica 68), that of the ratio Wald's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

YEAR_WEEKS = 365.2425 / 7
EDGE = 8  # weeks on each side of a break, at least: a shorter change is an episode
MINIMUM_WEEKS = 104  # below two years a break cannot be told from the season
SIMULATIONS = 2000
STREAM = 20260101  # of the simulated null alone: its table is a constant of the method
MOST = 5  # breaks of one series
ROBUST = 3.5  # residuals beyond that many deviations are brought back: one mad week is no level


@dataclass(frozen=True)
class Break:
    """A shift of level from the period at `at` on, between `first` and `last`; after / before."""

    at: int
    first: int
    last: int
    ratio: float
    low: float
    high: float
    p: float


def design(weeks: int, *, seasonal: bool) -> Floats:
    """Return the regressors without any break: level, slope and, if asked, two yearly harmonics."""
    t = np.arange(weeks)
    columns = [np.ones(weeks), t / weeks - 0.5]
    if seasonal:
        for k in (1, 2):
            angle = 2 * np.pi * k * t / YEAR_WEEKS
            columns += [np.cos(angle), np.sin(angle)]
    return np.stack(columns, axis=1)


def _steps(weeks: int) -> Floats:
    """Return the candidate shifts, one a row: 0 before the week, 1 from it on."""
    starts = np.arange(EDGE, weeks - EDGE + 1)
    return np.asarray((np.arange(weeks)[None, :] >= starts[:, None]).astype(float))


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


def _statistics(columns: Floats, steps: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Return, for each candidate, F, the shift and its standard error, all AR(1) taken out."""
    inner, target = _without(columns, steps), _without(columns, y[None])[0]
    power = np.maximum((inner**2).sum(axis=1), 1e-9)
    shift = inner @ target / power
    best = int(np.argmax(shift**2 * power))
    left = target - shift[best] * inner[best]
    variance = float(left @ left) / (len(y) - columns.shape[1] - 1)
    return shift**2 * power / variance, shift, np.sqrt(variance / power)


@cache
def _null(weeks: int, seasonal: bool) -> Floats:
    """Return the sorted greatest F of series without break."""
    columns, steps = design(weeks, seasonal=seasonal), _steps(weeks)
    inner = _without(columns, steps)
    inner /= np.sqrt((inner**2).sum(axis=1, keepdims=True))
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
    """Return the breaks of a series of logarithms, in the order of time.

    `alpha`: chance that a series without break shows one. Needs `MINIMUM_WEEKS` values.
    """
    base, steps = design(len(y), seasonal=seasonal), _steps(len(y))
    y = _tamed(y)
    null = _null(len(y), seasonal)
    columns = base
    found: list[Break] = []
    for _ in range(MOST):
        one = _best(columns, steps, y, null, confidence)
        if one.p > alpha:
            break
        near = [b for b in found if abs(b.at - one.at) < EDGE]
        if near:
            break
        found.append(one)
        columns = np.column_stack([columns, steps[one.at - EDGE]])
    return sorted(found, key=lambda b: b.at)


def _best(columns: Floats, steps: Floats, y: Floats, null: Floats, confidence: float) -> Break:
    f, shift, _ = _statistics(columns, steps, y)
    best = int(np.argmax(f))
    inner = np.column_stack([columns, steps[best]])
    rho = _memory(_without(inner, y[None])[0], inner.shape[1])
    white = _filtered(columns.T, rho).T
    f, shift, error = _statistics(white, _filtered(steps, rho), _filtered(y[None], rho)[0])
    best = int(np.argmax(f))
    reach_of_date = -2 * np.log(1 - np.sqrt(confidence))  # Hansen 2000, theorem 2
    near = np.flatnonzero(f >= f[best] - reach_of_date) + EDGE
    p = (1 + len(null) - int(np.searchsorted(null, f[best]))) / (1 + len(null))
    reach = float(special.ndtri((1 + confidence) / 2)) * float(error[best])
    ratio, low, high = (round(float(np.exp(shift[best] + d)), 4) for d in (0.0, -reach, reach))
    return Break(best + EDGE, int(near[0]), int(near[-1]), ratio, low, high, round(p, 4))
