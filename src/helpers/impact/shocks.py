"""How inhabitants answer to a grave fact: reports, walkers, survey, of its zone, before and after.

The other way round from an action: something befell the zone, and what is asked is whether people
there report, walk and feel otherwise since, beside the zones where nothing did. A difference in
differences as for an action (`staggered_counts`), two-sided, over weeks fixed beforehand (Desmond,
Papachristos & Kirk 2016, American Sociological Review 81; a single dramatic week had carried their
result, Zoorob 2020, same review 85: hence the placebo dates, and each fact told beside all).

The same reading at dates when nothing happened (`placebos`) says how often it would be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from helpers.core.city.shock_rules import Shock
from helpers.core.stats.event_ratio import Ratio
from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.quasi_poisson import reach
from helpers.core.stats.staggered_counts import Heard, alone, held
from helpers.impact.effects import ALL, FEW_AREAS, SILENT, TOO_FEW, TOO_NEAR, TOO_SHORT, UNLIKE
from helpers.impact.knobs import Knobs
from helpers.impact.survey_change import FEW_CONTROLS, FEWEST, Asked, change

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
FACT = "fact"
REPORTS, WALKERS, SURVEY = "reports", "walkers", "survey"
LESS, MORE, NONE_SHOWN, UNCLEAR = "less", "more", "none_shown", "unclear"
NO_COUNTER = "no_counter"
LARGE = 1000.0  # counts from which chance, 3 %, is nothing beside how zones differ
TOLD = pa.schema(
    [
        ("scope", pa.string()), ("fact", pa.string()), ("day", pa.date32()), ("zone", pa.string()),
        ("outcome", pa.string()), ("facts", pa.int64()), ("value", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("detectable", pa.float64()),
        ("verdict", pa.string()), ("reason", pa.string()), ("placebos", pa.int64()),
        ("placebos_told", pa.int64()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Weekly:
    """What zones tell by week, (zones, weeks), and where it was heard; whole weeks of the period.

    `counts` is 0 where not heard. `start` (facts,): first whole week after each fact; `row`: the
    row of its zone, −1 where it tells nothing.
    """

    counts: Floats
    heard: Bools
    start: NDArray[np.int64]
    row: NDArray[np.int64]

    @property
    def controls(self) -> NDArray[np.int64]:
        """The rows of zones without any fact."""
        return np.setdiff1d(np.arange(len(self.counts)), self.row)


def measure(
    facts: Sequence[Shock], weekly: dict[str, Weekly], asked: Asked | None, knobs: Knobs
) -> pa.Table:
    """Return one row a fact and what may answer, and one of all facts together: TOLD.

    `weekly`: REPORTS and WALKERS, those that the city tells. A `value` is a ratio, 1 for no
    answer; that of the survey a difference of shares (−0.1: ten points fewer feel quiet), 0 for
    none. Intervals of facts hold together, outcome by outcome (Šidák 1967), and so do those of all
    facts. Where placebo dates show more answers than chance would, nothing is said.
    """
    rows: list[dict[str, Any]] = []
    shown = [name for name in (REPORTS, WALKERS) if name in weekly]
    levels = len(shown) + (asked is not None)
    for name in shown:
        rows += _of_weeks(facts, name, weekly[name], knobs.confidence ** (1 / levels), knobs)
    if asked is not None:
        rows += _of_survey(facts, asked, knobs.confidence ** (1 / levels), knobs)
    return pa.Table.from_pylist(rows, schema=TOLD)


def _of_weeks(
    facts: Sequence[Shock], name: str, weekly: Weekly, level: float, knobs: Knobs
) -> Iterator[dict[str, Any]]:
    why = [why_not(weekly, i, int(weekly.start[i]), knobs) for i in range(len(facts))]
    able = [i for i, reason in enumerate(why) if not reason]
    tried, told = placebos(weekly, able, knobs)
    unlike = _too_many(tried, told, knobs)
    each = level ** (1 / max(len(able), 1))
    for i, one in enumerate(facts):
        row = _row(FACT, name, one)
        if why[i] or unlike:
            yield {**row, "verdict": UNCLEAR, "reason": why[i] or UNLIKE}
        else:
            yield {**row, **verdict(read_one(weekly, i, int(weekly.start[i]), knobs), each, knobs)}
    row = {**_row(ALL, name), "facts": len(able), "placebos": tried, "placebos_told": told}
    if len(able) < knobs.minimum_areas or unlike:
        yield {**row, "verdict": UNCLEAR, "reason": UNLIKE if unlike else FEW_AREAS}
        return
    yield {**row, **verdict(_together(weekly, able, knobs), level, knobs)}


def _of_survey(
    facts: Sequence[Shock], asked: Asked, level: float, knobs: Knobs
) -> Iterator[dict[str, Any]]:
    zones = {one.zone for one in facts}
    found = [change(asked, one, zones, knobs) for one in facts]
    able = [one for one in found if not isinstance(one, str)]
    each = level ** (1 / max(len(able), 1))
    for one, told in zip(facts, found, strict=True):
        row = _row(FACT, SURVEY, one)
        if isinstance(told, str):
            yield {**row, "verdict": UNCLEAR, "reason": told}
        else:
            yield {**row, **_points(told, each, knobs)}
    row = {**_row(ALL, SURVEY), "facts": len(able)}
    if len(able) < knobs.minimum_areas:
        yield {**row, "verdict": UNCLEAR, "reason": FEW_AREAS}
        return
    yield {**row, **_points(_mean(able), level, knobs)}


def _row(scope: str, outcome: str, one: Shock | None = None) -> dict[str, Any]:
    if one is None:
        return {"scope": scope, "outcome": outcome}
    return {"scope": scope, "fact": one.title, "day": one.day, "zone": one.zone,
            "outcome": outcome, "facts": 1}  # fmt: skip


def verdict(ratio: Ratio, level: float, knobs: Knobs) -> dict[str, Any]:
    """Return value, low, high, detectable, verdict: columns of TOLD, of a ratio of counts.

    `detectable` is the smallest fall, as a share, shown in `knobs.power` of cases.
    """
    value, low, high = ratio.within(level)
    detectable = 1 - float(np.exp(-_far(ratio, level, knobs)))
    return _judged(value, low, high, 1.0, detectable, knobs)


def _points(found: Ratio, level: float, knobs: Knobs) -> dict[str, Any]:
    far = float(reach(level, np.array(found.freedom))) * found.error
    ends = found.value - far, found.value + far
    return _judged(found.value, *ends, 0.0, _far(found, level, knobs), knobs)


def _far(found: Ratio, level: float, knobs: Knobs) -> float:
    freedom = np.array(found.freedom)
    return float(reach(level, freedom) + reach(2 * knobs.power - 1, freedom)) * found.error


def _judged(
    value: float, low: float, high: float, none: float, detectable: float, knobs: Knobs
) -> dict[str, Any]:
    told = NONE_SHOWN if detectable <= knobs.sought else UNCLEAR
    told = LESS if high < none else MORE if low > none else told
    numbers = {"value": value, "low": low, "high": high, "detectable": detectable}
    return {**{k: round(v, DIGITS) for k, v in numbers.items()}, "verdict": told, "reason": ""}


def placebos(weekly: Weekly, able: Sequence[int], knobs: Knobs) -> tuple[int, int]:
    """Return at how many dates when nothing happened each fact was tried, and how many answered.

    Each zone of a fact that is read, at dates `shock_after_weeks` apart whose whole span lies
    clear of the zone's own facts: before, or once the answer should have passed. An answer is an
    interval at `confidence` that 1 is not in: one date in twenty, where nothing is wrong.
    """
    spans, tried, told = knobs.shock_spans, 0, 0
    reached = spans.before + spans.gap
    for i in able:
        others = weekly.start[weekly.row == weekly.row[i]]
        first = int(weekly.start[i]) % spans.after
        for start in range(first, weekly.counts.shape[1], spans.after):
            begins, ends = start - reached, start + spans.after
            clear = (ends < others) | (begins >= others + spans.after)  # facts' own weeks apart
            if clear.all() and not why_not(weekly, i, start, knobs, alone=True):
                _, low, high = read_one(weekly, i, start, knobs).within(knobs.confidence)
                tried, told = tried + 1, told + (not low <= 1 <= high)
    return tried, told


def _too_many(tried: int, told: int, knobs: Knobs) -> bool:
    """Tell whether so many placebo dates answer that chance alone seldom brings it.

    Dates share the weeks before them: as many are counted as spans that do not overlap.
    """
    spans = knobs.shock_spans
    whole = max(round(tried * spans.after / (spans.before + spans.gap + spans.after)), 1)
    shown = round(told * whole / max(tried, 1))
    return bool(stats.binom.sf(shown - 1, whole, 1 - knobs.confidence) < knobs.placebo_excess)


def read_one(weekly: Weekly, i: int, start: int, knobs: Knobs) -> Ratio:
    """Return the ratio of a fact's zone after `start` to what was expected, beside the others.

    Where all is counted by thousands, chance is nothing beside how zones differ, and a few zones
    tell it best each for one: the log ratio less the mean of theirs, its error their standard
    deviation (Donald & Lang 2007, Review of Economics and Statistics 89). Else as an action alone.
    """
    row, controls = int(weekly.row[i]), weekly.controls
    after, before = (weeks[weekly.heard[row, weeks]] for weeks in knobs.shock_spans.around(start))
    heard = controls[weekly.heard[controls][:, [*before, *after]].all(axis=1)]
    late, early = (weekly.counts[[row, *heard]][:, weeks].sum(axis=1) for weeks in (after, before))
    if min(late.min(), early.min()) < LARGE:
        told = Heard(weekly.heard[[row]], weekly.heard[controls])
        others = weekly.counts[controls]
        return alone(weekly.counts[row], start, others, knobs.shock_spans, told)
    moved = np.log(late / early)
    own, usual = moved[0], moved[1:]
    error = float(usual.std(ddof=1)) * float(np.sqrt(1 + 1 / len(usual)))
    return Ratio(float(own - usual.mean()), error, len(usual) - 1)


def _together(weekly: Weekly, able: Sequence[int], knobs: Knobs) -> Ratio:
    """Return the ratio of all facts that are read, together."""
    if min(weekly.counts[weekly.controls].sum(axis=1)) >= LARGE * weekly.counts.shape[1]:
        return _mean([read_one(weekly, i, int(weekly.start[i]), knobs) for i in able])
    own = weekly.row[able]
    heard = Heard(weekly.heard[own], weekly.heard[weekly.controls])
    counts, controls = weekly.counts[own], weekly.counts[weekly.controls]
    return held(counts, weekly.start[able], controls, knobs.shock_spans, heard).ratio()


def _mean(found: Sequence[Ratio]) -> Ratio:
    value = float(np.mean([one.value for one in found]))
    error = float(np.sqrt(sum(one.error**2 for one in found))) / len(found)
    return Ratio(value, error, min(one.freedom for one in found))


def why_not(weekly: Weekly, i: int, start: int, knobs: Knobs, *, alone: bool = False) -> str:
    """Return why nothing is read of a fact at a date, "" where something is.

    `alone`: whatever other facts are near (placebo dates look at that themselves).
    """
    row, spans = int(weekly.row[i]), knobs.shock_spans
    if row < 0:
        return NO_COUNTER
    if not spans.fit(np.array([start]), weekly.counts.shape[1])[0]:
        return TOO_SHORT
    same = np.flatnonzero(weekly.row == row)
    apart = np.abs(weekly.start[same] - start)
    if not alone and (apart[same != i] < spans.before + spans.gap + spans.after).any():
        return TOO_NEAR
    after, before = (weeks[weekly.heard[row, weeks]] for weeks in spans.around(start))
    if min(len(after) / spans.after, len(before) / spans.before) < knobs.heard_share:
        return SILENT
    others = weekly.controls[weekly.heard[weekly.controls][:, [*before, *after]].all(axis=1)]
    if len(others) < FEWEST:
        return FEW_CONTROLS
    counts = weekly.counts
    told = min(counts[others][:, weeks].sum() for weeks in (after, before))
    own = counts[row, before].sum() >= knobs.minimum_count and counts[row, after].any()
    return "" if told > 0 and own else TOO_FEW
