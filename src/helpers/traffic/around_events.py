"""Flow of the roads near events, before, during and after: against other days and other roads."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.base.store import literal, quote
from helpers.core.city.city import City
from helpers.core.place_time import occasions
from helpers.core.place_time.counters import HOURS
from helpers.core.place_time.territory import project
from helpers.core.stats import beside_usual
from helpers.core.stats.event_ratio import Ratio
from helpers.traffic.closures import FEW_CONTROLS
from helpers.traffic.fluidity import ABSTAINED, OK, SHORT, TOO_FEW, told
from helpers.traffic.knobs import Knobs
from helpers.traffic.known import Roads

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
BEFORE, DURING, AFTER = "before", "during", "after"
PARTS = (BEFORE, DURING, AFTER)
# Why an event is left out of a row, beside too few passages, days alike or roads out of reach.
OUTSIDE, UNHEARD = "outside", "unheard"
LONGEST_H = 24  # of an event whose hours are told apart; works and seasons are no evening
EVENTS = pa.schema(
    [
        ("site", pa.string()), ("kind", pa.string()), ("part", pa.string()),
        ("events", pa.int64()), ("near", pa.int64()),
        ("left_out", pa.list_(pa.struct([("reason", pa.string()), ("events", pa.int64())]))),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("level", pa.string()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Event:
    """An event: kind, first hour of the period and hour after its last one, metres."""

    kind: str
    start: int
    end: int
    x: float
    y: float

    def part(self, name: str, margin: int) -> tuple[int, int]:
        """Return the first hour of a part and how many it has."""
        if name == BEFORE:
            return self.start - margin, margin
        return (self.start, self.end - self.start) if name == DURING else (self.end, margin)


def read(
    con: duckdb.DuckDBPyConnection, city: City, path: Path | None, knobs: Knobs
) -> list[Event]:
    """Return the events held, large and short enough, of the period. View `zones`."""
    rule, period = city.about.agenda.events, city.about.period
    if rule is None or path is None:
        return []
    held = ", ".join(literal(one) for one in rule.held) or "NULL"
    test = f"{quote(rule.status)} IN ({held}) AND {quote(rule.size)} >= {knobs.event_crowd}"
    rows = occasions.lasting(
        con, city, path, rule, {"kind": rule.kind}, period.start, period.end, test
    )
    zero = dt.datetime.combine(period.start, dt.time())
    found = []
    for row in rows:
        if row["longitude"] is None:
            continue
        start = int((row["start_at"] - zero).total_seconds() // 3600)
        end = -int(-(row["end_at"] - zero).total_seconds() // 3600)
        x, y = project(np.array([row["longitude"]]), np.array([row["latitude"]]), city.about.crs)
        if 0 < end - start <= LONGEST_H:
            found.append(Event(row["kind"], start, end, float(x[0]), float(y[0])))
    return found


def measure(roads: Roads | None, events: list[Event], knobs: Knobs) -> pa.Table:
    """Return one row a road, kind of event and part (EVENTS).

    The mean of what each event's hours depart by from the same hours of days of the same kind, at
    most `event_reference_weeks` away and without an event near, less what roads out of reach did in
    the very same hours. All intervals hold together (Šidák 1967). `events` are told, of `near` held
    since the road's first count; `left_out`: why others are not, and how many.
    """
    if roads is None:
        return EVENTS.empty_table()
    at = np.array([[one.x, one.y] for one in roads.places]).reshape(-1, 2)
    where = np.array([[one.x, one.y] for one in events]).reshape(-1, 2)
    away = np.hypot(*(at[:, None] - where[None, :]).transpose(2, 0, 1))
    near = away <= knobs.event_reach_m
    found: list[tuple[dict[str, Any], Ratio | None]] = []
    for i, place in enumerate(roads.places):
        counted = np.flatnonzero(np.isfinite(roads.hours.flow[i].ravel()))
        since = counted[0] if len(counted) else roads.days * HOURS
        for kind in sorted({one.kind for one, here in zip(events, near[i], strict=True) if here}):
            own = [k for k, one in enumerate(events)
                   if near[i, k] and one.kind == kind and one.start >= since]  # fmt: skip
            for part in PARTS:
                tried = list(_departures(roads, events, i, own, near, part, knobs))
                each = [one for one in tried if not isinstance(one, str)]
                left = Counter(one for one in tried if isinstance(one, str))
                row = {"site": place.site, "kind": kind, "part": part, "events": len(each),
                       "near": len(own), "status": ABSTAINED, "reason": TOO_FEW,
                       "left_out": [{"reason": why, "events": n}
                                    for why, n in sorted(left.items(), key=_most)]}  # fmt: skip
                values, errors = np.array(each).reshape(-1, 2).T
                ratio = beside_usual.together(values, errors, knobs.minimum_events)
                found.append((row, ratio))
    level = knobs.confidence ** (1 / max(sum(one is not None for _, one in found), 1))
    rows = [
        row if one is None else {**row, **told(one, level), "status": OK, "reason": ""}
        for row, one in found
    ]
    return pa.Table.from_pylist(rows, schema=EVENTS)


def _most(one: tuple[str, int]) -> tuple[int, str]:
    return -one[1], one[0]


def _departures(
    roads: Roads, events: list[Event], i: int, own: list[int], near: Bools, part: str,
    knobs: Knobs,
) -> Iterator[tuple[float, float] | str]:  # fmt: skip
    """Yield the departure of each event and its error (log scale), or why it is left out."""
    busy = _busy(roads.days, [events[k] for k in np.flatnonzero(near[i])], knobs.event_margin_h)
    far = 7 * knobs.event_reference_weeks
    for k in own:
        first, length = events[k].part(part, knobs.event_margin_h)
        day, hour = divmod(first, HOURS)
        low, high = max(day - far, 0), min(day + far + 1, roads.days)
        if not low <= day < high:
            yield OUTSIDE
            continue
        cut = slice(low, high)
        counted = roads.spell(hour, length)[:, cut]
        at = np.arange(low, high)
        if not np.isfinite(counted[i, at == day]).all():
            yield UNHEARD
            continue
        usual = (at != day) & ~busy[cut] & ~roads.touched[i, cut]
        usual &= roads.hours.era[i, cut] == roads.hours.era[i, day]
        same = np.broadcast_to(usual, counted.shape)
        control = np.flatnonzero(~near[:, k] & ~roads.touched[:, cut].any(axis=1))
        level = beside_usual.levels(counted, roads.kind[cut], same)
        beside = beside_usual.less_controls(level[i], level[control])
        sound = usual & np.isfinite(counted[i])
        if not sound.any():
            yield SHORT
            continue
        if counted[i, sound].mean() < knobs.minimum_flow:
            yield TOO_FEW
            continue
        one = beside_usual.departure(beside, at == day, usual, roads.kind[cut])
        if one is not None:
            yield one.ratio.value, one.ratio.error
        else:
            alone = np.isfinite(level[i, at == day]).all() and np.isnan(beside[at == day]).any()
            yield FEW_CONTROLS if alone else SHORT


def _busy(days: int, events: list[Event], margin: int) -> Bools:
    """Return the days on which an event near is on, from its margin before to that after it."""
    found = np.zeros(days, dtype=bool)
    for one in events:
        first, last = (one.start - margin) // HOURS, (one.end + margin - 1) // HOURS
        found[max(first, 0) : max(last + 1, 0)] = True
    return found
