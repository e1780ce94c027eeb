"""Levels of counts as they were known on past days: the forecasts that are hard to beat.

Arrays in, arrays out. A panel holds counts of steps (days, or weeks), parts of a step (slots) and
zones; `at` names origins by the number of steps known. Nothing from an origin on is ever looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
NOTHING = 0.05  # of a fact, added to any sum: what was never seen is rare, and not impossible
HALF_LIFE_WEEKS = 26
YEAR_WEEKS = 52
PRIOR_FACTS = 10.0  # that hold a weekday to the mean one
LAST, PAST, YEAR, RECENT, SHRUNK = "last", "past", "mean_52", "ewma_26", "shrunk"
BASELINES = (LAST, PAST, YEAR, RECENT, SHRUNK)


@dataclass(frozen=True)
class Panel:
    """Counts (steps, parts, zones), and whether a zone was heard at a step (steps, zones).

    `phase` (steps,) is the step's place in its week of `per_week` steps (0 for weekly counts),
    `season` (steps + a year,) the angle of the year, which is known ahead.
    """

    counts: Floats
    heard: Bools
    phase: Ints
    season: Floats
    per_week: int

    @property
    def steps(self) -> int:
        """How many steps are known."""
        return len(self.counts)

    @cached_property
    def heard_counts(self) -> Floats:
        """The counts, none where the zone was not heard."""
        return self.counts * self.heard[:, None]

    @cached_property
    def sums(self) -> tuple[Floats, Floats]:
        """Facts and steps heard before each step (steps + 1, …)."""
        first = np.zeros((1, *self.counts.shape[1:]))
        facts = np.concatenate([first, np.cumsum(self.heard_counts, axis=0)])
        return facts, np.concatenate([first[:, 0], np.cumsum(self.heard, axis=0, dtype=float)])

    @cached_property
    def week_sums(self) -> tuple[Floats, Floats]:
        """The city's facts (steps + 1, parts, per_week) and zones heard, by step of the week."""
        place = np.eye(self.per_week)[self.phase]
        facts = np.cumsum(self.heard_counts.sum(axis=2)[..., None] * place[:, None], axis=0)
        heard = np.cumsum(self.heard.sum(axis=1)[:, None] * place, axis=0)
        return (np.concatenate([np.zeros_like(facts[:1]), facts]),
                np.concatenate([np.zeros_like(heard[:1]), heard]))  # fmt: skip

    @cached_property
    def aged(self) -> dict[float, tuple[Floats, Floats]]:
        """Sums by half-life, kept once made: every origin and every target reads them."""
        return {}


@dataclass(frozen=True)
class Target:
    """What is forecast from an origin: `length` steps, after `lead` that nobody knows yet."""

    lead: int
    length: int

    def span(self, at: int) -> slice:
        """Return the steps of the target seen from an origin."""
        return slice(at + self.lead, at + self.lead + self.length)


def observed(panel: Panel, at: Ints, target: Target) -> tuple[Floats, Bools]:
    """Return what came (origins, parts, zones), and whether it was all heard (origins, zones)."""
    spans = [target.span(int(one)) for one in at]
    came = np.array([panel.counts[span].sum(axis=0) for span in spans])
    whole = np.array([
        panel.heard[span].all(axis=0) & (span.stop <= panel.steps) for span in spans
    ])  # fmt: skip
    return came, whole


def discounted(panel: Panel, at: Ints, weeks: float) -> tuple[Floats, Floats]:
    """Return facts, each counted less as it ages (half in `weeks`), and steps heard, likewise.

    Shapes (origins, parts, zones) and (origins, zones). What was not heard is neither.
    """
    if weeks not in panel.aged:
        keep = 0.5 ** (1 / (weeks * panel.per_week))
        heard = panel.heard.astype(float)
        facts = signal.lfilter([1.0], [1.0, -keep], panel.heard_counts, axis=0)
        panel.aged[weeks] = facts, signal.lfilter([1.0], [1.0, -keep], heard, axis=0)
    facts, steps = panel.aged[weeks]
    return facts[at - 1], steps[at - 1]


def summed(panel: Panel, at: Ints, weeks: int | None) -> tuple[Floats, Floats]:
    """Return the facts and the steps heard of the last `weeks` before each origin (all: None)."""
    facts, steps = panel.sums
    since = np.zeros_like(at) if weeks is None else np.maximum(at - weeks * panel.per_week, 0)
    return facts[at] - facts[since], steps[at] - steps[since]


def rate(facts: Floats, steps: Floats) -> Floats:
    """Return facts a step; `NOTHING` is added to the facts."""
    return np.asarray((facts + NOTHING) / np.maximum(steps, 1.0)[:, None], dtype=np.float64)


def shrunk(facts: Floats, steps: Floats) -> Floats:
    """Return rates drawn to the mean of the zones, as far as chance explains how they differ.

    Gamma prior over the zones, by moments: Clayton & Kaldor (1987), Biometrics 43, §3.
    """
    heard = np.maximum(steps, 1.0)[:, None]
    raw = facts / heard
    mean = (facts.sum(axis=2) + NOTHING) / np.maximum(heard.sum(axis=2), 1.0)
    chance = (mean[..., None] / heard).mean(axis=2)
    between = np.maximum(raw.var(axis=2) - chance, 1e-12)
    weight = (mean / between)[..., None]
    return np.asarray((mean[..., None] * weight + facts) / (weight + heard), dtype=np.float64)


def week_shape(panel: Panel, at: Ints) -> Floats:
    """Return what each step of the week does to the city's counts (origins, parts, per_week).

    Mean 1; from the year before the origin, held to 1 by `PRIOR_FACTS` facts.
    """
    if panel.per_week == 1:
        return np.ones((len(at), panel.counts.shape[1], 1))
    since = np.maximum(at - YEAR_WEEKS * panel.per_week, 0)
    facts, heard = (sums[at] - sums[since] for sums in panel.week_sums)
    share = heard / np.maximum(heard.sum(axis=1, keepdims=True), 1.0)
    usual = facts.sum(axis=2, keepdims=True) * share[:, None]
    raw = (facts + PRIOR_FACTS) / (usual + PRIOR_FACTS)
    return np.asarray(raw / raw.mean(axis=2, keepdims=True), dtype=np.float64)


def exposure(panel: Panel, at: Ints, target: Target, shape: Floats) -> Floats:
    """Return how many mean steps each target is worth (origins, parts)."""
    first = panel.phase[0] if panel.steps else 0
    found = []
    for i, one in enumerate(at):
        span = target.span(int(one))
        phase = (first + np.arange(span.start, span.stop)) % panel.per_week
        found.append(shape[i][:, phase].sum(axis=1))
    return np.array(found).reshape(len(at), -1)


def last(panel: Panel, at: Ints, target: Target, otherwise: Floats) -> Floats:
    """Return the last count of the same steps of the week that was known (origins, parts, zones).

    Where a part of it was not heard, what was is scaled up; where nothing was, `otherwise`.
    """
    weeks = -(-(target.lead + target.length) // panel.per_week)
    back = np.maximum(at + target.lead - weeks * panel.per_week, 0)
    facts, steps = (sums[back + target.length] - sums[back] for sums in panel.sums)
    whole = facts * (target.length / np.maximum(steps, 1))[:, None] + NOTHING
    return np.where((steps > 0)[:, None], whole, otherwise)


def baselines(panel: Panel, at: Ints, target: Target) -> dict[str, Floats]:
    """Return the mean forecast of each baseline (origins, parts, zones)."""
    worth = exposure(panel, at, target, week_shape(panel, at))[..., None]
    recent = discounted(panel, at, HALF_LIFE_WEEKS)
    steady = rate(*recent) * worth
    return {
        LAST: last(panel, at, target, steady),
        PAST: rate(*summed(panel, at, None)) * worth,
        YEAR: rate(*summed(panel, at, YEAR_WEEKS)) * worth,
        RECENT: steady,
        SHRUNK: shrunk(*recent) * worth,
    }
