"""What is known to have happened, and when: changes of tool, lock-downs, riots, new rules.

A pack lists them with their source (city.yaml, `milestones`). One that ends is an exception: its
weeks are set aside from comparisons. One that lasts and changes how facts are recorded is measured
on the whole source, and taken out. Each explains the breaks whose interval it lies in.
"""

from __future__ import annotations

import bisect
import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.core.city.about import Milestone
from helpers.core.city.city import City
from helpers.core.stats.quasi_poisson import Floats, harmonics, quasi_poisson, reach

AROUND = 104  # weeks on each side from which a change of recording is measured
FEWEST = 13  # heard weeks on each side, at least
WEEK = dt.timedelta(weeks=1)
VAGUE = dt.timedelta(weeks=26)  # a date known no better explains nothing
UNMEASURED = "recording_unmeasured"  # fewer than `FEWEST` heard weeks before or after


@dataclass(frozen=True)
class Step:
    """By what a change of recording multiplied what a source records, from week `at` on.

    `log_ratio` and `error` on the log scale, with `freedom` degrees of freedom; None where it
    cannot be measured, `reason` saying why.
    """

    milestone: Milestone
    at: int
    log_ratio: float | None = None
    error: float = 0.0
    freedom: int = 0
    reason: str = ""

    def interval(self, confidence: float) -> tuple[float, float, float]:
        """Return the ratio and its interval."""
        assert self.log_ratio is not None
        wide = float(reach(confidence, np.array([self.freedom]))[0]) * self.error
        low, value, high = (round(float(np.exp(self.log_ratio + d)), 6) for d in (-wide, 0.0, wide))
        return value, low, high


def concerning(city: City, theme: str) -> list[Milestone]:
    """Return the milestones that touch the theme, in the order of time."""
    found = [one for one in city.about.milestones if touches(one, city, theme)]
    return sorted(found, key=lambda one: (one.start, one.title))


def touches(one: Milestone, city: City, theme: str) -> bool:
    """Tell whether a milestone touches the theme: by its name, by a source, or as all others."""
    everywhere = not one.sources and not one.themes
    its = not set(city.themes[theme].sources).isdisjoint(one.sources)
    return everywhere or its or theme in one.themes


def exceptional(milestones: Collection[Milestone], mondays: Sequence[dt.date]) -> NDArray[np.bool_]:
    """Return which weeks a milestone that ends has touched."""
    touched = [
        any(one.end and one.start < monday + WEEK and monday <= one.end for one in milestones)
        for monday in mondays
    ]
    return np.array(touched, dtype=bool)


def steps(
    milestones: Collection[Milestone], mondays: Sequence[dt.date], counts: Floats, heard: Floats
) -> list[Step]:
    """Return what each lasting change of recording did to a source's weekly `counts` (weeks,).

    `heard` (weeks,): the share of each week that is in hand, 0 where the source was silent or the
    week is set aside. The model: level, slope, season and a step, `AROUND` weeks on each side.
    """
    found = []
    for one in milestones:
        if not one.recording or one.end:
            continue
        at = bisect.bisect_left(mondays, one.start)
        if 0 < at < len(mondays):
            found.append(_step(one, at, counts, heard))
    return found


def _step(one: Milestone, at: int, counts: Floats, heard: Floats) -> Step:
    span = slice(max(0, at - AROUND), at + AROUND)
    y, exposure = counts[span], heard[span]
    t = np.arange(span.start, span.start + len(y))
    after = t >= at
    if min((exposure[after] > 0).sum(), (exposure[~after] > 0).sum()) < FEWEST:
        return Step(one, at, reason=UNMEASURED)
    seasonal = [] if len(y) < AROUND else [harmonics(len(counts))[span]]
    design = np.column_stack([np.ones(len(y)), (t - at) / AROUND, after, *seasonal])
    fit = quasi_poisson(y, design, exposure)
    error = float(np.sqrt(fit.covariance[2, 2]))
    return Step(one, at, float(fit.coefficients[2]), error, fit.freedom)


def within(milestones: Collection[Milestone], first: dt.date, last: dt.date) -> list[Milestone]:
    """Return what began or ended in the weeks `first` to `last` (Mondays) that a break may lie in.

    Of an interval longer than `VAGUE` nothing: years explain anything. A milestone within the
    interval is a likely explanation, not a proof.
    """
    if last - first > VAGUE:
        return []
    return [
        one for one in milestones
        if any(day and first <= day < last + WEEK for day in (one.start, one.end))
    ]  # fmt: skip
