"""By how much each class of events multiplies facts: by ring and phase, by theme; places pooled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.city.event_rules import EventRules
from helpers.core.stats.event_ratio import Pooled, Ratio, beside, between_events, partially_pooled
from helpers.core.stats.intervals import DIGITS
from helpers.events.around import CONTROL, ROUTE, WHOLE
from helpers.events.history import AFTER, DURING, PHASES, History
from helpers.events.knobs import Knobs

Ints = NDArray[np.int64]
FEW_EVENTS, FEW_FACTS, NO_PLACE_ALIKE = "too_few_events", "too_few_facts", "no_reference"
RATIOS = pa.schema(
    [
        ("kind", pa.string()), ("theme", pa.string()), ("area", pa.string()),
        ("phase", pa.string()), ("events", pa.int64()), ("places", pa.int64()),
        ("n", pa.int64()), ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("between", pa.float64()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """The log ratio of a class in some areas and phases, at each place that has its own.

    `whole` is the class's; `pooled` draws places (positions, in `at`) towards it, None where only
    one place, or none, says enough by itself.
    """

    whole: Ratio
    at: tuple[int, ...] = ()
    pooled: Pooled | None = None
    phi: float = 1.0

    def here(self, place: int | None) -> Ratio:
        """Return the ratio at a place: its own where it has one, else that of another place."""
        if self.pooled is None:
            return self.whole
        if place in self.at:
            i = self.at.index(place)
            return Ratio(float(self.pooled.value[i]), float(self.pooled.error[i]),
                         self.whole.freedom)  # fmt: skip
        value, error = self.pooled.elsewhere()
        return Ratio(value, error, self.whole.freedom)


@dataclass(frozen=True)
class Estimate:
    """What was found, or the reason why nothing is told; `events`, `n` (facts) behind it."""

    told: Told | None
    reason: str
    events: int
    n: int


def estimate(
    history: History, rows: Ints, areas: Sequence[str], phases: Sequence[str], theme: str = WHOLE
) -> Estimate:
    """Return the ratio of some events (positions) to days without, in some areas and phases."""
    knobs = history.knobs
    if len(rows) < knobs.minimum_events:
        return Estimate(None, FEW_EVENTS, len(rows), 0)
    counts = history.beside(rows, areas, phases, theme)
    n = int(counts.area.sum())
    if n < knobs.minimum_count:
        return Estimate(None, FEW_FACTS, len(rows), n)
    whole = beside(counts)
    if whole is None:
        return Estimate(None, NO_PLACE_ALIKE, len(rows), n)
    at, parts = [], []
    for place in np.unique(history.past.place[rows]).tolist():
        own = rows[history.past.place[rows] == place]
        there = history.beside(own, areas, phases, theme)
        ratio = beside(there) if there.area.sum() >= knobs.minimum_count else None
        if ratio is not None and len(own) >= knobs.minimum_events // 2:
            at.append(place)
            parts.append(ratio)
    pooled = None
    if len(parts) > 1:
        pooled = partially_pooled(
            np.array([one.value for one in parts]), np.array([one.error for one in parts])
        )
    phi = between_events(counts, float(np.exp(whole.value)))
    return Estimate(Told(whole, tuple(at), pooled, phi), "", len(rows), n)


Found = dict[tuple[str, str, str, str], Estimate]


def find(history: History, rules: EventRules) -> Found:
    """Return (class, theme, area, phase) → what was found.

    By ring (and route) and phase for all themes together; by theme, in all rings while the event
    lasts and just after.
    """
    areas = [area for area in history.hourly.where.areas if area != CONTROL]
    rings = [area for area in areas if area != ROUTE]
    routed = {route.kind for route in rules.routes}
    found: Found = {}
    for kind in rules.classes:
        rows = history.of_kind(kind)
        for area in areas:
            if area == ROUTE and kind not in routed:
                continue
            for phase in PHASES:
                found[kind, WHOLE, area, phase] = estimate(history, rows, [area], [phase])
        for theme in history.hourly.facts.themes:
            found[kind, theme, "rings", "event"] = estimate(
                history, rows, rings, [DURING, AFTER], theme
            )
        found[kind, WHOLE, "rings", "event"] = estimate(history, rows, rings, [DURING, AFTER])
    return found


def table(found: Found, why: Mapping[str, str], knobs: Knobs) -> pa.Table:
    """Return `find`'s as a table (schema `RATIOS`); `why`: class → why its events are few."""
    rows = []
    for (kind, theme, area, phase), one in found.items():
        row = {
            "kind": kind, "theme": theme, "area": area, "phase": phase, "events": one.events,
            "n": one.n, "status": "ok" if one.told else "abstained", "reason": one.reason,
            "places": len(one.told.at) if one.told else 0,
        }  # fmt: skip
        if one.reason == FEW_EVENTS:
            row["reason"] = why.get(kind) or FEW_EVENTS
        if one.told is not None:
            ends = (round(v, DIGITS) for v in one.told.whole.within(knobs.confidence))
            row |= dict(zip(("ratio", "low", "high"), ends, strict=True))
            row["between"] = round(one.told.pooled.between, DIGITS) if one.told.pooled else None
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=RATIOS)
