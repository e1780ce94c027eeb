"""What an event should add, zone by zone and slot by slot, and the past events most like it.

The counterfactual is the mean of the last days of reference of its place; the class's ratio (ring,
phase, place) multiplies it. Nothing of the event's own day is used: it is not known beforehand.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.city.about import Slot
from helpers.core.stats.event_ratio import Ratio, foreseen
from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.quasi_poisson import reach
from helpers.events.around import CONTROL, ROUTE, WHOLE
from helpers.events.history import (
    AFTER,
    DAY,
    DURING,
    LASTS,
    PHASES,
    History,
    lasting_long,
    phases_of,
)
from helpers.events.known import Event
from helpers.events.ratios import FEW_EVENTS, NO_PLACE_ALIKE, Found

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NO_PLACE, NOTHING_USUAL = "no_place", "no_facts_usually"
FARTHEST = 10.0  # log: beyond, an interval says nothing more
FEWEST_REFERENCES = 4
EXCESS = pa.schema(
    [
        ("event", pa.string()), ("zone", pa.string()), ("day", pa.date32()), ("slot", pa.string()),
        ("usual", pa.float64()), ("excess", pa.float64()), ("low", pa.float64()),
        ("high", pa.float64()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip
FORESEEN = pa.schema(
    [
        ("event", pa.string()), ("usual", pa.float64()), ("expected", pa.float64()),
        ("excess", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("count_low", pa.int64()), ("count_high", pa.int64()), ("peak_at", pa.timestamp("us")),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Hour:
    """An hour of an event in a zone's part of an area: its usual facts, times a ratio.

    `part` names the estimate that the ratio comes from; `error` is its own and that of the usual
    facts together (log).
    """

    at: dt.datetime
    phase: str
    zone: str
    usual: float
    part: tuple[str, str]
    ratio: float
    error: float
    freedom: float


@dataclass(frozen=True)
class Outlook:
    """What an event should bring: hours where a ratio is known; `reason` where none is."""

    hours: list[Hour]
    reason: str = ""
    phi: float = 1.0

    @property
    def usual(self) -> float:
        """The facts of the same hours without an event."""
        return sum(hour.usual for hour in self.hours)

    @property
    def expected(self) -> float:
        """The facts of the hours with the event."""
        return sum(hour.usual * hour.ratio for hour in self.hours)

    @property
    def spread(self) -> float:
        """The relative error of `expected`: parts err each by themselves, hours of one alike."""
        parts: dict[tuple[str, str], float] = {}
        for hour in self.hours:
            own = hour.usual * hour.ratio * hour.error
            parts[hour.part] = parts.get(hour.part, 0.0) + own
        return float(np.sqrt(sum(v**2 for v in parts.values()))) / max(self.expected, 1e-9)

    def ends(self, confidence: float) -> tuple[float, float]:
        """Return both ends of `expected` (log-normal, Student)."""
        freedom = np.array(min((hour.freedom for hour in self.hours), default=0.0))
        far = min(float(reach(confidence, freedom)) * self.spread, FARTHEST)
        return self.expected * float(np.exp(-far)), self.expected * float(np.exp(far))

    def within(self, span: tuple[dt.datetime, dt.datetime]) -> Outlook:
        """Return the hours that begin within a span."""
        inside = [hour for hour in self.hours if span[0] <= hour.at < span[1]]
        return Outlook(inside, self.reason, self.phi)


def references(history: History, place: int, day: int, until: int, weeks: int) -> Ints:
    """Return the last days of reference before day `until`, of the same kind as day `day`.

    The same weekday and kind of school day; the weekday alone where these are too few. A day after
    the period is the kind of its weekday.
    """
    days, recent = history.days, np.arange(len(history.days.heard))
    recent = (recent < until) & (recent >= until - 7 * weeks) & history.quiet[place] & days.heard
    if day < len(days.weekday):
        alike = np.flatnonzero(recent & days.alike(day))
        if len(alike) >= FEWEST_REFERENCES:
            return alike
        return np.flatnonzero(recent & (days.weekday == days.weekday[day]))
    weekday = (history.hourly.facts.first.weekday() + day) % 7
    return np.flatnonzero(recent & (days.weekday == weekday))


@dataclass(frozen=True)
class Used:
    """The ratio used in an area and phase, and the estimate it is; without one, why."""

    ratio: Ratio | None
    part: tuple[str, str] = ("", "")
    reason: str = ""
    phi: float = 1.0


def ratio_of(found: Found, kind: str, area: str, phase: str, place: int) -> Used:
    """Return the ratio of a class there and then.

    While the event lasts and just after, that of all rings together where the ring says too little.
    """
    part = area, phase
    own = found.get((kind, WHOLE, area, phase))
    if own is None:
        return Used(None, reason=FEW_EVENTS)
    if own.told is None and phase in (DURING, AFTER) and area != ROUTE:
        part = "rings", "event"
        own = found[kind, WHOLE, "rings", "event"]
    if own.told is None:
        return Used(None, reason=own.reason)
    return Used(own.told.here(place), part, phi=own.told.phi)


def outlook(history: History, found: Found, event: Event, until: int) -> Outlook:
    """Return what an event should bring, from days before day `until` (counted from the first)."""
    knobs = history.knobs
    if lasting_long(event, knobs):
        return Outlook([], LASTS)
    place = history.hourly.where.position(event)
    if place is None:
        return Outlook([], NO_PLACE)
    facts = history.hourly.facts
    windows = phases_of(event, facts.first, knobs)
    day = int(windows[1, 0]) // DAY
    days = references(history, place, day, until, knobs.baseline_weeks)
    if len(days) < FEWEST_REFERENCES:
        return Outlook([], NO_PLACE_ALIKE)
    hours: list[Hour] = []
    reason, phi = "", 1.0
    for area in [a for a in history.hourly.where.areas if a != CONTROL]:
        parts = history.hourly.by_zone(place, area)
        for phase in PHASES:
            used = ratio_of(found, event.kind, area, phase, place)
            if used.ratio is None:
                reason = reason or ("" if area == ROUTE else used.reason)
                continue
            first, last = windows[PHASES.index(phase)].tolist()
            usual = {zone: _mean(hourly, first, last, days - day) for zone, hourly in parts.items()}
            seen = len(days) * sum(float(u.sum()) for u in usual.values())
            error = float(np.hypot(used.ratio.error, (seen + 1) ** -0.5))
            told = float(np.exp(used.ratio.value)), error, used.ratio.freedom
            phi = max(phi, used.phi)
            hours += [
                Hour(facts.first + dt.timedelta(hours=h), phase, zone, mean, used.part, *told)
                for zone, means in usual.items()
                for h, mean in zip(range(first, last), means.tolist(), strict=True)
                if mean > 0
            ]
    return Outlook(hours, "" if hours else reason or NOTHING_USUAL, phi)


def _mean(hourly: Floats, first: int, last: int, back: Ints) -> Floats:
    """Return the mean facts of each hour from `first` to before `last`, `back` days away."""
    at = np.arange(first, last)[None] + back[:, None] * DAY
    inside = (at >= 0) & (at < len(hourly))
    seen = np.where(inside, hourly[at.clip(0, len(hourly) - 1)], 0.0).sum(axis=0)
    return np.asarray(seen / np.maximum(inside.sum(axis=0), 1), dtype=np.float64)


def by_slot(outlooks: dict[str, Outlook], slots: dict[str, Slot], confidence: float) -> pa.Table:
    """Return one row an event, zone, day worked and slot (schema `EXCESS`)."""
    rows: list[dict[str, Any]] = []
    for event, one in outlooks.items():
        if not one.hours:
            rows.append({"event": event, "status": "abstained", "reason": one.reason})
        groups: dict[tuple[str, dt.date, str], list[Hour]] = {}
        for hour in one.hours:
            groups.setdefault((hour.zone, *slot_of(hour.at, slots)), []).append(hour)
        for (zone, day, slot), hours in sorted(groups.items()):
            part = Outlook(hours)
            rows.append({
                "event": event, "zone": zone, "day": day, "slot": slot, "status": "ok",
                "reason": "", "usual": round(part.usual, DIGITS), **_excess(part, confidence),
            })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=EXCESS)


def _excess(one: Outlook, confidence: float) -> dict[str, float]:
    """Return the excess of an outlook and its ends."""
    values = (one.expected, *one.ends(confidence))
    return {
        name: round(value - one.usual, DIGITS)
        for name, value in zip(("excess", "low", "high"), values, strict=True)
    }


def slot_of(at: dt.datetime, slots: dict[str, Slot]) -> tuple[dt.date, str]:
    """Return the day worked and the slot of a local hour: a night belongs to its eve."""
    ordered = sorted(slots.items(), key=lambda item: item[1].start_h, reverse=True)
    for code, slot in ordered:
        if at.hour >= slot.start_h:
            return at.date(), code
    return at.date() - dt.timedelta(days=1), ordered[0][0]


def summary(outlooks: dict[str, Outlook], confidence: float) -> pa.Table:
    """Return one row an event (schema `FORESEEN`): facts expected, their excess, the worst hour."""
    rows = []
    for event, one in outlooks.items():
        row: dict[str, Any] = {"event": event, "status": "ok" if one.hours else "abstained",
                               "reason": one.reason}  # fmt: skip
        if one.hours:
            low, high = foreseen(
                np.array([one.expected]), np.array([one.spread]), one.phi, confidence
            )
            by_hour: dict[dt.datetime, float] = {}
            for hour in one.hours:
                by_hour[hour.at] = by_hour.get(hour.at, 0.0) + hour.usual * hour.ratio
            row |= {
                "usual": round(one.usual, DIGITS), "expected": round(one.expected, DIGITS),
                "count_low": int(low[0]), "count_high": int(high[0]),
                "peak_at": min(by_hour, key=lambda at: (-round(by_hour[at], DIGITS), at)),
                **_excess(one, confidence),
            }  # fmt: skip
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=FORESEEN)
