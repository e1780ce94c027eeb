"""The past events most like one to come, and what happened."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa

from helpers.core.stats.intervals import DIGITS
from helpers.events.around import CONTROL, ROUTE, WHOLE
from helpers.events.history import AFTER, DURING, History
from helpers.events.known import Event

UNKNOWN_CROWD = math.log(4)  # how far a crowd nobody told is taken to lie from any other
HOURS_APART = 6.0  # starts so far apart count as much as a crowd e times as large
SIMILAR = pa.schema(
    [
        ("event", pa.string()), ("rank", pa.int64()), ("other", pa.string()),
        ("zone", pa.string()), ("start_at", pa.timestamp("us")), ("seen", pa.int64()),
        ("same_place", pa.bool_()), ("distance", pa.float64()), ("n", pa.int64()),
        ("usual", pa.float64()), ("outcome", pa.string()),
    ]
)  # fmt: skip


def distance(one: Event, other: Event) -> float:
    """Return how unlike two events of a class are: crowd (log), place, hour of start, week-end."""
    crowds = one.expected, other.expected if other.seen is None else other.seen
    if None in crowds:
        crowd = UNKNOWN_CROWD
    else:
        crowd = abs(math.log((crowds[0] or 0) + 50) - math.log((crowds[1] or 0) + 50))
    apart = abs(one.start.hour - other.start.hour) % 24
    hours = min(apart, 24 - apart) / HOURS_APART
    elsewhere = 0.0 if (one.x, one.y) == (other.x, other.y) else 0.5
    weekend = 0.25 * ((one.start.weekday() >= 5) != (other.start.weekday() >= 5))
    return crowd + hours + elsewhere + weekend


def similar(history: History, coming: list[Event], number: int) -> pa.Table:
    """Return, for each event to come, the past ones most like it (schema `SIMILAR`).

    `n`: facts counted in its rings while it lasted and just after; `usual`: what its control area
    said of the same hours, at the rate of its days of reference.
    """
    rings = [a for a in history.hourly.where.areas if a not in (CONTROL, ROUTE)]
    rows: list[dict[str, Any]] = []
    for event in coming:
        own = [i for i in history.of_kind(event.kind).tolist()
               if history.past.events[i].id != event.id]  # fmt: skip
        near = {i: distance(event, history.past.events[i]) for i in own}
        ranked = sorted(own, key=lambda i: (round(near[i], DIGITS), -history.past.day[i], i))
        for rank, i in enumerate(ranked[:number], 1):
            other = history.past.events[i]
            counted = history.beside(np.array([i]), rings, [DURING, AFTER], WHOLE)
            told = len(counted.area) > 0 and counted.control_without[0] > 0
            rows.append({
                "event": event.id, "rank": rank, "other": other.id, "zone": other.zone,
                "start_at": other.start, "seen": other.seen, "outcome": other.outcome,
                "same_place": (event.x, event.y) == (other.x, other.y),
                "distance": round(near[i], DIGITS), "n": int(counted.area[0]) if told else None,
                "usual": _usual(counted) if told else None,
            })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SIMILAR)


def _usual(counted: Any) -> float:
    odds = counted.area_without[0] / counted.control_without[0]
    return round(float(counted.control[0] * odds), DIGITS)
