"""One treated place read in several ways, each held against places where nothing was done.

Each way gives an estimate and a rough error. What it is worth is told by the places: the same way,
with the same dates, is tried on each of them in turn, and the interval holds the values that would
put the treated place among them (Fisher 1935; placebo places of Abadie, Diamond & Hainmueller 2010,
JASA 105; studentised, Chung & Romano 2013, Annals of Statistics 41). So no way leans on an
assumption about its error that the places would not bear out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.core.stats import displacement, interrupted_series, micro_synthetic
from helpers.core.stats import synthetic_control as synthetic
from helpers.core.stats.staggered_adoption import Effect
from helpers.core.stats.staggered_counts import Heard, Spans, alone

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
BLOCK, YEAR_BLOCKS, YEAR = 4, 13, 52  # weeks; blocks of four weeks in a year; weeks
QUARTER = 13  # weeks whose totals micro-synthetic weights must reach


class FewPlaces(ValueError):
    """Too few places read something, in the same way, to rank the treated one among them."""


@dataclass(frozen=True)
class Way:
    """How a place is read: `of` a row → its effect (ValueError where nothing is).

    Its error is that of chance alone; what places differ by beyond chance is in proportion to
    `size` (rows,). Row 0 is the treated place, the others those where nothing was done.
    """

    of: Callable[[int], Effect]
    size: Floats


@dataclass(frozen=True)
class Read:
    """An estimate (log ratio, or facts), its interval, and its rank among `places` placebos.

    `chance`: the share of places, the treated one counted, that lie as far from nothing.
    """

    value: float
    low: float
    high: float
    chance: float
    places: int


@dataclass(frozen=True)
class Places:
    """Weekly counts (places, weeks) of the treated place, row 0, and of others, and their rings.

    `heard`: which weeks were heard in each; a week not heard at the treated place is left out, and
    so is a place not heard in a week that it keeps (`kept`).
    """

    zones: Floats
    rings: Floats
    heard: Bools

    def kept(self, weeks: Ints) -> Places:
        """Return the treated place with the others heard in all these weeks."""
        told = np.asarray(self.heard[:, weeks].all(axis=1))
        told[0] = True
        return Places(self.zones[told], self.rings[told], self.heard[told])


def fewest(confidence: float) -> int:
    """Return how many places a rank at this level asks for: 19 at 95 %."""
    return math.ceil(confidence / (1 - confidence) - 1e-9)


def against(way: Way, confidence: float) -> Read:
    """Return what a way reads of the treated place, held against what it reads of the others.

    ValueError where it reads nothing of the treated place; FewPlaces as `ranked`.
    """
    own, never, size = way.of(0), [], []
    for row in range(1, len(way.size)):
        try:
            never.append(way.of(row))
        except ValueError:
            continue
        size.append(float(way.size[row]))
    if not never:
        raise FewPlaces("no place to hold the treated one against")
    values, errors = (np.array([getattr(o, name) for o in never]) for name in ("value", "error"))
    # Moments, as DerSimonian & Laird 1986 (Controlled Clinical Trials 7): a large place has little
    # chance in it, and would seem far from the small ones for what makes all places differ.
    scale = np.array(size)
    unlike = max(float(((values / errors) ** 2 - 1).sum() / ((scale / errors) ** 2).sum()), 0.0)
    far = np.abs(values) / np.sqrt(errors**2 + unlike * scale**2)
    wide = math.sqrt(own.error**2 + unlike * float(way.size[0]) ** 2)
    return ranked(Effect(own.value, wide), far.tolist(), confidence)


def ranked(own: Effect, never: Sequence[float], confidence: float) -> Read:
    """Return an effect within what `never`, |value| / error where nothing was done, allows.

    FewPlaces where there are too few of them (`fewest`).
    """
    if len(never) < fewest(confidence):
        raise FewPlaces("too few places to rank the treated one among")
    far = np.sort(never)[math.ceil(confidence * (len(never) + 1) - 1e-9) - 1]
    beyond = sum(one >= abs(own.value) / own.error for one in never)
    reach = float(far) * own.error
    return Read(own.value, own.value - reach, own.value + reach, (1 + beyond) / (1 + len(never)),
                len(never))  # fmt: skip


def like_places(places: Places, start: int, spans: Spans) -> Way:
    """Read each row's ratio as `staggered_counts.alone`, beside the other places."""
    places = places.kept(_heard(places, np.concatenate(spans.around(start))))

    def of(row: int) -> Effect:
        others = _others(len(places.zones), row)
        heard = Heard(places.heard[[0]], places.heard[others])
        ratio = alone(places.zones[row], start, places.zones[others], spans, heard)
        return Effect(ratio.value, ratio.error, ratio.freedom)

    return Way(of, np.ones(len(places.zones)))


def by_weights(places: Places, start: int, spans: Spans, twice: bool) -> Way:
    """Read each row's log ratio to a synthetic control of the other places.

    Series are weekly means of blocks of four weeks, over their mean before; `twice` for synthetic
    difference in differences. A week not heard at the treated place is in no mean.
    """
    after, before = (_heard(places, weeks) for weeks in spans.around(start))
    places = places.kept(np.concatenate([after, before]))
    blocks = [before[i : i + BLOCK] for i in range(0, len(before), BLOCK)]
    means = np.column_stack([places.zones[:, b].mean(axis=1) for b in [*blocks, after]])
    level = places.zones[:, before].mean(axis=1)
    early, late = (places.zones[:, w].sum(axis=1) for w in (before, after))

    def of(row: int) -> Effect:
        others = _others(len(means), row)
        others = others[level[others] > 0]
        if min(early[row], late[row]) <= 0 or len(others) < 2:
            raise ValueError("nothing counted at the place, before or after, or nowhere else")
        own, rest = means[row] / level[row], means[others] / level[others, None]
        if twice:
            expected = own[-1] - synthetic.synthetic_difference(own, rest, len(blocks))
        else:
            expected = own[-1] - float(synthetic.by_outcome(own, rest, len(blocks)).gap[-1])
        if expected <= 0:
            raise ValueError("nothing was to be expected")
        return Effect(float(np.log(own[-1] / expected)),
                      float(np.sqrt(1 / early[row] + 1 / late[row])))  # fmt: skip

    return Way(of, np.ones(len(places.zones)))


def by_own_series(places: Places, start: int, spans: Spans) -> Way:
    """Read the step of each row's own series (`interrupted_series.segmented`), without any control.

    Blocks of four weeks that end with the span after; two years before the beginning at least. The
    blocks left out just before it have a level of their own: the bad month is in no trend.
    """
    end = start + spans.after
    first = start % BLOCK
    edges = np.arange(first, end - BLOCK + 1, BLOCK)
    kept = np.array([places.heard[0, e : e + BLOCK].all() for e in edges], dtype=bool)
    if (edges < start).sum() < 2 * YEAR_BLOCKS or not kept.all():
        raise ValueError("a series too short, or with silences")
    places = places.kept(np.arange(first, end))
    begun = edges >= start
    bad = ~begun & (edges + BLOCK > start - spans.gap)
    steps = np.column_stack([begun, bad]).astype(np.float64)

    def of(row: int) -> Effect:
        counts = np.array([places.zones[row, e : e + BLOCK].sum() for e in edges])
        if min(counts[part].sum() for part in (begun, bad, ~begun & ~bad)) <= 0:
            raise ValueError("nothing counted at the place, before, just before, or after")
        effect, _ = interrupted_series.segmented(counts, steps, YEAR_BLOCKS).effects
        if not 0 < effect.error < np.inf:
            raise ValueError("the series does not tell its step")
        return effect

    return Way(of, np.ones(len(places.zones)))


def with_ring(places: Places, start: int, spans: Spans) -> Way:
    """Read each row's weighted displacement difference, in facts, ring and place together.

    The weeks after beside the same weeks a year before; the control is the place whose counts in
    all other weeks are nearest, so that no week that is compared has chosen it.
    """
    late = np.arange(start, start + spans.after)
    if spans.after + spans.gap > YEAR or start < YEAR:
        raise ValueError("the same weeks a year before are not all before the action")
    late = late[places.heard[0, late] & places.heard[0, late - YEAR]]
    if not len(late):
        raise ValueError("no week heard in both years")
    places = places.kept(np.concatenate([late, late - YEAR]))
    rest = np.setdiff1d(np.arange(places.zones.shape[1]), [*late, *(late - YEAR)])
    usual = (places.zones + places.rings)[:, rest].sum(axis=1)

    def change(table: Floats, row: int) -> displacement.Change:
        before, after = (int(table[row, weeks].sum()) for weeks in (late - YEAR, late))
        return displacement.Change(before, after)

    def of(row: int) -> Effect:
        others = _others(len(usual), row)
        if not len(others):
            raise ValueError("no other place")
        beside = int(others[np.abs(usual[others] - usual[row]).argmin()])
        effect = displacement.weighted_difference(
            change(places.zones, row), change(places.zones, beside),
            change(places.rings, row), change(places.rings, beside),
        )  # fmt: skip
        if effect.error <= 0:
            raise ValueError("nothing counted")
        return effect

    return Way(of, usual)


@dataclass(frozen=True)
class Blocks:
    """Weekly counts of small areas (areas, weeks); `of` (places, areas): those of each place.

    `near` (places, areas): those of a place and of its ring, which are no controls of it. Row 0 is
    the treated place; `free` (areas,): those that no action touches.
    """

    counts: Floats
    of: Bools
    near: Bools
    free: Bools


def by_blocks(blocks: Blocks, heard: Bools, start: int, spans: Spans) -> Way:
    """Read each row's log ratio to a micro-synthetic weighting of small areas far from it.

    Weights reach its total of each quarter of the span before. `heard` (weeks,).
    """

    def of(row: int) -> Effect:
        aim, late, own = _matched(blocks, heard, start, spans, row)
        weights = micro_synthetic.chosen(aim)
        expected = float(weights @ late)
        if min(own, expected) <= 0:
            raise ValueError("nothing counted at the place, or expected there")
        early = max(float(aim.totals[1:].sum()), 1.0)
        return Effect(float(np.log(own / expected)), float(np.sqrt(1 / own + 1 / early)))

    return Way(of, np.ones(len(blocks.of)))


def reach_of_blocks(blocks: Blocks, heard: Bools, start: int, spans: Spans) -> tuple[float, float]:
    """Return how far row 0's ratio goes from one weighting to another, all as good as the other.

    ∞ where a weighting expects nothing. ValueError where no weighting reaches the totals.
    """
    aim, late, own = _matched(blocks, heard, start, spans, 0)
    least, most = micro_synthetic.admissible(aim, late)
    return own / most if most > 0 else np.inf, own / least if least > 0 else np.inf


def _matched(
    blocks: Blocks, heard: Bools, start: int, spans: Spans, row: int
) -> tuple[micro_synthetic.Matched, Floats, float]:
    after, before = (w[heard[w]] for w in spans.around(start))
    parts = [before[i : i + QUARTER] for i in range(0, len(before), QUARTER)]
    whole = np.column_stack([blocks.counts[:, p].sum(axis=1) for p in parts])
    late = blocks.counts[:, after].sum(axis=1)
    treated, controls = blocks.of[row], blocks.free & ~blocks.near[row]
    if not treated.any() or not controls.any():
        raise ValueError("no small area at the place, or none to hold it against")
    kept = treated | controls
    aim = micro_synthetic.matched(whole[kept], treated[kept])
    return aim, late[controls], float(late[treated].sum())


def _heard(places: Places, weeks: Ints) -> Ints:
    """Return those of the weeks that were heard at the treated place."""
    return np.asarray(weeks[places.heard[0, weeks]])


def _others(rows: int, row: int) -> Ints:
    """Return the rows of the places but this one; the treated one, row 0, is never among them."""
    return np.array([i for i in range(1, rows) if i != row], dtype=np.int64)


def wrongly(way: Way, confidence: float) -> tuple[int, int]:
    """Return at how many places where nothing was done a way tells an effect, by its own error.

    And at how many it tells anything.
    """
    told = []
    for row in range(1, len(way.size)):
        try:
            low, high = way.of(row).within(confidence)
        except ValueError:
            continue
        told.append(low > 0 or high < 0)
    return sum(told), len(told)
