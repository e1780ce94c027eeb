"""Weekly counts explained: a level a window, the season, a step where the recording changed.

Quasi-Poisson regression (McCullagh & Nelder 1989, Generalized Linear Models, §6.2 and §9.2): the
mean of week w is exposure·exp(x_w β), the variance φ times the mean. φ is taken from sums of
`BLOCK` weeks, so that what drags on from a week to the next widens the intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

YEAR_WEEKS = 365.2425 / 7
HARMONICS = 2
BLOCK = 4  # weeks whose sum tells how counts vary
WAVES = 4  # cosines of a window along which its long run is read
SLOWEST = 6  # weeks of a window that one more cosine asks for
HEARD = 0.5  # share of a window that must have been heard
FEWEST_BLOCKS = 6  # below, single weeks tell it
SEASON_WEEKS = 104  # heard weeks below which a season cannot be told from a change
SEASON_COUNT = 400  # facts below which a season is not told from chance
ROUNDS = 50


@dataclass(frozen=True)
class Explained:
    """Coefficients (p,) on the log scale, their covariance (p, p), φ and its degrees of freedom."""

    coefficients: Floats
    covariance: Floats
    dispersion: float
    freedom: int

    def along(self, rows: Floats) -> tuple[Floats, Floats]:
        """Return value and standard error of each row (m, p) times the coefficients."""
        spread = np.einsum("ij,jk,ik->i", rows, self.covariance, rows)
        return np.asarray(rows @ self.coefficients), np.asarray(np.sqrt(np.maximum(spread, 0)))


def harmonics(weeks: int) -> Floats:
    """Return the season's regressors, shape (weeks, 2·HARMONICS)."""
    angle = 2 * np.pi * np.arange(weeks)[:, None] * np.arange(1, HARMONICS + 1) / YEAR_WEEKS
    return np.asarray(np.concatenate([np.cos(angle), np.sin(angle)], axis=1))


def windows(weeks: int, length: int) -> NDArray[np.int64]:
    """Return which window each week lies in, 0 the last one; -1 before the first whole one."""
    back = (weeks - 1 - np.arange(weeks)) // length
    return np.asarray(np.where(back < weeks // length, back, -1))


def quasi_poisson(counts: Floats, design: Floats, exposure: Floats) -> Explained:
    """Return the fit of `counts` (n,) on `design` (n, p), weeks of `exposure` 0 left out.

    Newton's method on the likelihood; ValueError where it does not settle (a coefficient without
    bound), since nothing may be read from it then.
    """
    kept = exposure > 0
    y, x, offset = counts[kept], design[kept], np.log(exposure[kept])
    beta = np.asarray(np.linalg.lstsq(x, np.log(y + 0.5) - offset, rcond=None)[0])
    for _ in range(ROUNDS):
        mean = np.exp(np.clip(offset + x @ beta, -30, 30))
        information = (x * mean[:, None]).T @ x
        step = np.linalg.solve(information, x.T @ (y - mean))
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    else:
        raise ValueError("the regression did not settle")
    mean = np.exp(offset + x @ beta)
    at = np.flatnonzero(kept)
    phi, freedom = dispersion(y[None], mean[None], at, used=x.shape[1])
    inverse = np.linalg.inv(information)
    return Explained(beta, inverse * float(phi[0]), float(phi[0]), int(freedom[0]))


def dispersion(
    counts: Floats, means: Floats, at: NDArray[np.int64], used: int
) -> tuple[Floats, NDArray[np.int64]]:
    """Return φ ≥ 1 of each series (rows) and its degrees of freedom.

    Both shape (series, n), a mean of 0 where a week is left out; `at` (n,) the weeks' positions,
    `used` the coefficients fitted. Pearson's χ² of sums of `BLOCK` weeks, of single weeks where
    there are few blocks (χ² over its degrees of freedom: McCullagh & Nelder 1989, eq. 4.24).
    """
    few = len(np.unique(at // BLOCK)) - used < FEWEST_BLOCKS
    block = np.unique(at if few else at // BLOCK, return_inverse=True)[1]
    member = np.zeros((len(at), int(block.max(initial=-1)) + 1))
    member[np.arange(len(at)), block] = 1.0
    left, mean = (counts * (means > 0) - means) @ member, means @ member
    chi = np.divide(left**2, mean, out=np.zeros_like(mean), where=mean > 0).sum(axis=1)
    freedom = (mean > 0).sum(axis=1) - used
    phi = np.where(freedom > 0, chi / np.maximum(freedom, 1), 1.0)
    return np.maximum(phi, 1.0), np.asarray(freedom, dtype=np.int64)


def long_run(
    counts: Floats, exposure: Floats, length: int, used: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    """Return φ ≥ 1 of the mean of a window, one a series (rows), and its degrees of freedom.

    Both shape (series, weeks), exposure 0 where a week is left out. Weeks that follow one another
    are alike, and a mean varies with what drags on, not with what differs from a week to the next:
    in each whole window of `length` weeks its level is taken out, and what is left is read along
    the slowest cosines, whose variance is φ's (Müller 2004 for means; Lazarus, E., Lewis, D.,
    Stock, J. & Watson, M. 2018, HAR inference, Journal of Business & Economic Statistics 36).
    `used` (series,): coefficients of the season fitted on that very series. Windows without a fact,
    or half of them silent, tell nothing.
    """
    waves = max(1, min(WAVES, length // SLOWEST))
    window = windows(counts.shape[1], length)
    chi, terms = np.zeros(len(counts)), np.zeros(len(counts))
    for one in range(int(window.max(initial=-1)) + 1):
        here = np.flatnonzero(window == one)
        e = exposure[:, here]
        n = counts[:, here] * (e > 0)
        told = (n.sum(axis=1) > 0) & ((e > 0).mean(axis=1) >= HEARD)
        means = e * (n.sum(axis=1) / np.maximum(e.sum(axis=1), 1e-9))[:, None]
        for j in range(1, waves + 1):
            wave = np.cos(np.pi * j * (np.arange(length) + 0.5) / length)
            total = np.maximum(means.sum(axis=1), 1e-9)
            off = wave - (means @ wave / total)[:, None]
            spread = np.maximum((off**2 * means).sum(axis=1), 1e-9)
            chi += told * (off * (n - means)).sum(axis=1) ** 2 / spread
            terms += told
    freedom = np.maximum(terms - used, 0)
    phi = np.where(freedom > 0, chi / np.maximum(freedom, 1), 1.0)
    return np.maximum(phi, 1.0), np.asarray(freedom, dtype=np.int64)


def reach(confidence: float | Floats, freedom: NDArray[np.int64] | Floats) -> Floats:
    """Return how many standard errors an interval reaches: Student's, Gauss's without freedom."""
    tail = (1 + confidence) / 2
    student = special.stdtrit(np.maximum(freedom, 1), tail)
    return np.asarray(np.where(freedom > 0, student, special.ndtri(tail)))


def season(counts: Floats, exposure: Floats, length: int) -> Explained | None:
    """Return the season of one series (weeks,), a level a window of `length` weeks beside it.

    The last 2·HARMONICS coefficients are the season's. None where too little was heard to tell it
    from a change, or where the counts are too few.
    """
    window = windows(len(counts), length)
    heard = (exposure > 0) & (window >= 0)
    if heard.sum() < SEASON_WEEKS or counts[heard].sum() < SEASON_COUNT:
        return None
    kept = np.unique(window[heard])
    if any(counts[heard & (window == one)].sum() == 0 for one in kept):
        return None
    levels = (window[:, None] == kept[None, :]).astype(float)
    design = np.concatenate([levels, harmonics(len(counts))], axis=1)
    return quasi_poisson(counts, design, np.where(heard, exposure, 0.0))
