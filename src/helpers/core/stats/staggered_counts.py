"""What actions that began at different dates did to counts: prevented, or moved to the ring.

Each treated area is held, over the periods after its own beginning, against its own periods before,
multiplied by what the areas without an action did between the same two spans: a difference in
differences of ratios (Wooldridge, J. 2023, Simple approaches to nonlinear difference-in-differences
with panel data, Econometrics Journal 26), where a level twice as high has a season twice as wide.
Errors are summed by area, treated and control apart, whatever makes the periods of one alike
(Liang & Zeger 1986, Biometrika 73; leverage as HC2, MacKinnon & White 1985, Journal of
Econometrics 29).

Areas are often chosen for one bad month, and fall back of themselves: the span before ends `gap`
periods before the beginning, so that the month that made the choice is not what is compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.core.stats.event_ratio import Ratio
from helpers.core.stats.quasi_poisson import reach
from helpers.core.stats.staggered_adoption import NEVER

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
LEVERAGE = 0.05  # least that is left of an area that weighs nearly all


@dataclass(frozen=True)
class Spans:
    """Periods counted before, left out just before the beginning, and counted after."""

    before: int
    gap: int
    after: int

    def fit(self, start: Ints, periods: int) -> NDArray[np.bool_]:
        """Return which starts (n,) leave all these periods within the series."""
        whole = (start - self.gap - self.before >= 0) & (start + self.after <= periods)
        return np.asarray((start != NEVER) & whole)

    def around(self, start: int) -> tuple[Ints, Ints]:
        """Return the periods counted after a beginning, and those counted before."""
        end = start - self.gap
        return np.arange(start, start + self.after), np.arange(end - self.before, end)


@dataclass(frozen=True)
class Heard:
    """Which periods were heard in areas (areas, periods), and in controls (m, periods)."""

    areas: Bools
    controls: Bools

    def of(self, which: Ints) -> Heard:
        """Return what was heard of some of the areas, beside the same controls."""
        return Heard(self.areas[which], self.controls)


@dataclass(frozen=True)
class Held:
    """Each treated area after its beginning, beside what was to be expected; both (areas,).

    `drift` (controls, areas): what each control adds to the log of each expectation.
    """

    after: Floats
    expected: Floats
    drift: Floats

    @property
    def more(self) -> float:
        """Facts more than expected, in all; below 0 where facts were prevented."""
        return float(self.after.sum() - self.expected.sum())

    def ratio(self) -> Ratio:
        """Return the count over what was expected, all areas together, with its error.

        Student's freedom is that of areas as unequal as these (Satterthwaite 1946). ValueError
        where nothing was counted, or nothing expected.
        """
        if min(self.after.sum(), self.expected.sum()) <= 0:
            raise ValueError("nothing counted in the treated areas, before or after")
        share = self.expected / self.expected.sum()
        ratio = float(self.after.sum() / self.expected.sum())
        left = (self.after - ratio * self.expected) / self.after.sum()
        treated = float((left**2 / np.maximum(1 - share, LEVERAGE)).sum())
        controls = int(self.drift.any(axis=1).sum())
        control = float(((self.drift @ share) ** 2).sum()) * controls / (controls - 1)
        own = max(1 / float((share**2).sum()) - 1, 1.0)
        variance = treated + control
        freedom = variance**2 / max(treated**2 / own + control**2 / (controls - 1), 1e-300)
        return Ratio(float(np.log(ratio)), float(np.sqrt(variance)), freedom)


@dataclass(frozen=True)
class Moved:
    """The share of what was prevented that moved to the rings, and the ends of its interval.

    `low` and `high` are ∓∞ where nothing was clearly prevented: no share can be told then.
    """

    share: float
    low: float
    high: float


def held(
    counts: Floats, start: Ints, controls: Floats, spans: Spans, heard: Heard | None = None
) -> Held:
    """Return the treated areas beside their expectations.

    `counts` (areas, periods) and `start` (areas,) of the treated areas, all of whose spans must
    fit (`Spans.fit`); `controls` (m, periods) of areas that never had an action nor lie beside one.
    A period not heard in an area is left out of it, and of what it is held against; a control
    not heard in a period that an area keeps is no control of that area. ValueError where a span
    does not fit, or where fewer than two controls are left, or none that counted.
    """
    periods = counts.shape[1]
    if not len(start) or not spans.fit(start, periods).all():
        raise ValueError("a beginning too near the ends of the series")
    age = np.arange(periods) - start[:, None]
    after = ((age >= 0) & (age < spans.after)).astype(np.float64)
    before = ((age < -spans.gap) & (age >= -spans.gap - spans.before)).astype(np.float64)
    kept = np.ones((len(controls), len(start)), dtype=bool)
    if heard is not None:
        after, before = after * heard.areas, before * heard.areas
        kept = (~heard.controls).astype(np.float64) @ (after + before).T == 0
    late, early = kept * (controls @ after.T), kept * (controls @ before.T)  # (controls, areas)
    all_late, all_early = late.sum(axis=0), early.sum(axis=0)
    own, seen = (counts * before).sum(axis=1), (counts * after).sum(axis=1)
    if kept.sum(axis=0).min() < 2 or min(*all_late, *all_early) <= 0:
        raise ValueError("nothing counted in the controls, or fewer than two")
    return Held(seen, own * all_late / all_early, late / all_late - early / all_early)


def moved(zones: Held, rings: Held, confidence: float) -> Moved:
    """Return the share of facts prevented in `zones` that came back in `rings`, zone by ring.

    Both held against the same controls. Below 0: the rings gained from the action. The interval is
    that of the shares for which each zone's facts more in the ring less share × facts prevented
    are nothing but chance, errors summed by zone and by control (Fieller 1954, JRSS B 16).
    """
    gained, prevented = rings.after - rings.expected, zones.expected - zones.after
    drifts = -rings.drift @ rings.expected, zones.drift @ zones.expected
    freedom = len(gained) - 1
    square = float(reach(confidence, np.array(freedom))) ** 2
    far = square * freedom / (square + freedom)  # Student's, for errors read as if the share held

    def product(i: int, j: int) -> float:
        parts = [(gained, prevented), drifts]
        return sum(float(one[i] @ one[j]) * len(one[i]) / (len(one[i]) - 1) for one in parts)

    top, bottom = float(gained.sum()), float(prevented.sum())
    share = top / bottom if bottom else np.nan
    clear = bottom**2 - far * product(1, 1)
    if bottom <= 0 or clear <= 0:
        return Moved(share, -np.inf, np.inf)
    middle = (top * bottom - far * product(0, 1)) / clear
    half = middle**2 - (top**2 - far * product(0, 0)) / clear
    wide = float(np.sqrt(max(half, 0.0)))
    return Moved(share, middle - wide, middle + wide)


def by_chance(start: Ints, controls: Floats, spans: Spans, draws: int, seed: int) -> Floats:
    """Return |log ratio| / error of `draws` actions that never were, shape (draws,).

    The same beginnings given to areas drawn among the controls, held against the other controls:
    what the real ratio is ranked in (Fisher 1935; studentised, Chung & Romano 2013, Annals of
    Statistics 41). ValueError with fewer than two controls left, or where `held` has one.
    """
    rng = np.random.default_rng(seed)
    if len(controls) < len(start) + 2:
        raise ValueError("too few controls to draw actions that never were")
    found = np.zeros(draws)
    for draw in range(draws):
        order = rng.permutation(len(controls))
        drawn, others = order[: len(start)], order[len(start) :]
        ratio = held(controls[drawn], start, controls[others], spans).ratio()
        found[draw] = abs(ratio.value) / ratio.error
    return found


def chance_of(ratio: Ratio, never_were: Floats) -> float:
    """Return the share of `never_were` (draws,), the real one counted, as far from 1 as `ratio`."""
    far = abs(ratio.value) / ratio.error
    return float((1 + (never_were >= far).sum()) / (1 + len(never_were)))


def together(parts: Sequence[Held]) -> Held:
    """Return all treated areas as one; their controls are the same areas, in the same order.

    What was counted may differ from a part to the next (the facts that each action aims at).
    """
    return Held(
        np.concatenate([one.after for one in parts]),
        np.concatenate([one.expected for one in parts]),
        np.concatenate([one.drift for one in parts], axis=1),
    )


def alone(
    counts: Floats, start: int, controls: Floats, spans: Spans, heard: Heard | None = None
) -> Ratio:
    """Return the ratio of one treated area, `counts` (periods,), its error told by the controls.

    One area cannot tell how areas differ: beyond chance, each control's change departs from that of
    all by a variance in proportion to the square of its count (moments, as for the negative
    binomial: Breslow, N. 1984, Applied Statistics 33), taken to be that of the treated area too.
    ValueError as `held`, or where nothing was counted after the beginning, or before.
    """
    one = held(counts[None], np.array([start]), controls, spans, heard)
    if min(one.after[0], one.expected[0]) <= 0:
        raise ValueError("nothing counted in the treated area, before or after")
    after, before = spans.around(start)
    if heard is not None:
        after, before = after[heard.areas[0, after]], before[heard.areas[0, before]]
        controls = controls[heard.controls[:, [*before, *after]].all(axis=1)]
    late, early, own = (
        controls[:, after].sum(axis=1),
        controls[:, before].sum(axis=1),
        counts[before],
    )
    growth = late.sum() / early.sum()
    chance = growth * (late + early)
    left = (late - growth * early) ** 2 * len(late) / (len(late) - 1)
    unlike = max(float((left - chance).sum() / (chance * (late + early)).sum()), 0.0)
    counted = float(one.after[0]), float(own.sum()), float(late.sum()), float(early.sum())
    variance = sum(1 / n for n in counted) + unlike * (1 + growth) ** 2 / growth
    value = float(np.log(one.after[0] / one.expected[0]))
    return Ratio(value, float(np.sqrt(variance)), len(late) - 1)
