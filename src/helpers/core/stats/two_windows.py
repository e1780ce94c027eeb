"""Two windows of weeks compared: ratio, interval, p-value, and the change that would be seen.

Given the total of both windows, the last one's count is binomial (Przyborowski & Wilenski 1940,
Biometrika 31; limits of Clopper & Pearson 1934); counts are divided by the dispersion φ where weeks
vary more than chance. What is known of a change of recording, and of entries still to come, within
an interval only, widens that of the ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from helpers.core.stats import quasi_poisson
from helpers.core.stats.quasi_poisson import Floats

FARTHEST = 20.0  # log ratio beyond which nobody looks
MISSED = 0.5  # share of a window that may be silent or set aside
PAST, MUTE, FEW = "no_past", "silent", "too_few"  # why nothing is said


@dataclass(frozen=True)
class How:
    """Weeks of a window, level of the intervals, smallest mean count, power of what is seen."""

    window: int
    confidence: float
    minimum_count: int
    power: float


@dataclass(frozen=True)
class Span:
    """Counts and exposures of one window, one a zone, both shape (zones,)."""

    n: Floats
    exposure: Floats


@dataclass(frozen=True)
class Compared:
    """Results, one a zone, all of shape (zones,); nothing may be read where `why` is not empty.

    `dispersion` is φ, known with `freedom` degrees of freedom; `extra` the variance of the log
    ratio that does not come from counts.
    """

    recent: Span
    before: Span
    dispersion: Floats
    freedom: NDArray[np.int64]
    extra: Floats
    why: NDArray[np.str_]

    def wide(self, confidence: float | Floats) -> Floats:
        """Return how many standard errors an interval reaches."""
        return quasi_poisson.reach(confidence, self.freedom)

    def level(self, confidence: float) -> tuple[Floats, Floats, Floats]:
        """Return the facts of an ordinary week of the last window, with interval (Garwood 1936)."""
        n, unit = self.recent.n / self.dispersion, self.dispersion / self._exposed(self.recent)
        tail = special.ndtr(-self.wide(confidence))
        low = np.where(n > 0, special.gammaincinv(np.maximum(n, 1e-9), tail), 0.0)
        return n * unit, low * unit, special.gammaincinv(n + 1, 1 - tail) * unit

    def ratio(self, confidence: float) -> tuple[Floats, Floats, Floats]:
        """Return the ratio of the windows' levels, with its interval; ∞ where it has no end."""
        a, b, scale = self._pair()
        wide = quasi_poisson.reach(confidence, self._freedom())
        tail = special.ndtr(-wide)  # the exact limits, at the level that Student's reach stands for
        low_share = np.where(a > 0, special.betaincinv(np.maximum(a, 1e-9), b + 1, tail), 0.0)
        high_share = special.betaincinv(a + 1, np.maximum(b, 1e-9), 1 - tail)
        more = wide * np.sqrt(self.extra)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = a / b * scale
            low = low_share / (1 - low_share) * scale
            high = np.where(b > 0, high_share / (1 - high_share) * scale, np.inf)
            nearer = ratio * np.exp(-np.hypot(np.log(ratio / low), more))
            farther = ratio * np.exp(np.hypot(np.log(high / ratio), more))
        both = (a > 0) & (b > 0)
        lower = np.where(both, nearer, low * np.exp(-more))
        return ratio, lower, np.where(both, farther, high * np.exp(more))

    def p(self) -> Floats:
        """Return the chance of so great a change, either way, where there is none."""
        a, b, _ = self._pair()
        share = self.recent.exposure / np.maximum(self.recent.exposure + self.before.exposure, 1e-9)
        fewer = np.where(b > 0, special.betainc(np.maximum(b, 1e-9), a + 1, 1 - share), 1.0)
        more = np.where(a > 0, special.betainc(np.maximum(a, 1e-9), b + 1, share), 1.0)
        z = -special.ndtri(np.clip(np.minimum(fewer, more), 1e-300, 0.5))
        z = z / np.sqrt(1 + self._more())
        student = special.stdtr(np.maximum(self._freedom(), 1), -z)
        return np.asarray(2 * np.where(self.freedom > 0, student, special.ndtr(-z)))

    def detectable(self, alpha: Floats, power: float) -> tuple[Floats, Floats]:
        """Return the rise and the fall told at threshold `alpha` (zones,) in `power` of cases.

        Both as ratios: ∞ where no rise would be, 0 where no fall would be, to nothing even. A rise
        is of as many facts in all, otherwise split; a fall starts from the mean level of both
        windows and leaves fewer facts to see it by. Sizes of samples for two counts, with the
        correction of continuity (Casagrande, Pike & Smith 1978, Biometrics 34).
        """
        total = (self.recent.n + self.before.n) / self.dispersion
        both = np.maximum(self.recent.exposure + self.before.exposure, 1e-9)
        share = self.recent.exposure / both
        freedom = self._freedom()
        wide = [quasi_poisson.reach(one, freedom) for one in (1 - alpha, 2 * power - 1)]

        def seen(log: Floats, *, fall: bool) -> NDArray[np.bool_]:
            odds = np.exp(-log if fall else log) * share
            a, b = total * odds, total * (1 - share)
            if not fall:
                a, b = (part / np.maximum(odds + 1 - share, 1e-9) for part in (a, b))
            more = 1 + self.extra * a * b / np.maximum(a + b, 1e-9)
            still = np.sqrt((a + b) * share * (1 - share) * more)
            moved = np.sqrt((a * (1 - share) ** 2 + b * share**2) * more)
            gap = np.abs(a * (1 - share) - b * share) - 0.5
            return np.asarray(gap >= wide[0] * still + wide[1] * moved)

        return np.exp(_smallest(seen, total, fall=False)), np.exp(
            -_smallest(seen, total, fall=True)
        )

    def _more(self) -> Floats:
        """Return `extra` in units of the variance that comes from counts."""
        a, b, _ = self._pair()
        return np.asarray(self.extra / (1 / np.maximum(a, 0.5) + 1 / np.maximum(b, 0.5)))

    def _freedom(self) -> Floats:
        """Return the log ratio's degrees of freedom: `extra` is taken as known (Satterthwaite)."""
        return np.asarray(self.freedom * (1 + self._more()) ** 2)

    def _pair(self) -> tuple[Floats, Floats, Floats]:
        scale = self._exposed(self.before) / self._exposed(self.recent)
        return self.recent.n / self.dispersion, self.before.n / self.dispersion, scale

    @staticmethod
    def _exposed(span: Span) -> Floats:
        return np.maximum(span.exposure, 1e-9)


def _smallest(seen: Callable[..., NDArray[np.bool_]], like: Floats, *, fall: bool) -> Floats:
    """Return the smallest log ratio that is `seen`, ∞ where even `FARTHEST` is not."""
    low, high = np.zeros_like(like), np.full_like(like, FARTHEST)
    never = ~seen(high, fall=fall)
    for _ in range(40):
        middle = (low + high) / 2
        told = seen(middle, fall=fall)
        low, high = np.where(told, low, middle), np.where(told, middle, high)
    return np.where(never, np.inf, high)


def compare(
    counts: Floats, exposure: Floats, how: How, extra: Floats, used: Floats | None = None
) -> Compared:
    """Return how the last window compares with the one before; shapes (zones, weeks), (zones,).

    Weeks of exposure 0 are left out of counts and exposures alike. All the past tells how much
    a window's mean varies (`quasi_poisson.long_run`); `used` (zones,): the season's coefficients
    that were fitted on a row itself, none unless told.
    """
    zones, weeks = counts.shape
    if weeks < 2 * how.window:
        nothing = Span(np.zeros(zones), np.zeros(zones))
        ones, none = np.ones(zones), np.zeros(zones, dtype=np.int64)
        return Compared(nothing, nothing, ones, none, extra, np.full(zones, PAST))
    e = exposure[:, weeks - 2 * how.window :]
    n = counts[:, weeks - 2 * how.window :] * (e > 0)
    halves = (slice(how.window), slice(how.window, None))
    before, recent = (Span(n[:, h].sum(axis=1), e[:, h].sum(axis=1)) for h in halves)
    fitted = np.zeros(zones) if used is None else used
    phi, freedom = quasi_poisson.long_run(counts, exposure, how.window, fitted)
    heard = np.minimum(*((e[:, h] > 0).mean(axis=1) for h in halves))
    few = (recent.n + before.n) / 2 < how.minimum_count
    why = np.select([heard < MISSED, few], [MUTE, FEW], "")
    return Compared(recent, before, phi, freedom, extra, why)
