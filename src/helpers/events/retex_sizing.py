"""Afterwards: officers as our sizing asked for them, beside those whom the crowd that came did.

Nobody knows how many were truly needed. Both are reckoned under the same assumptions: before, from
the crowd announced and the facts foretold; afterwards, from the crowd seen and the facts counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from helpers.core.city.event_rules import EventRules
from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.quasi_poisson import reach
from helpers.events.known import Event
from helpers.events.sizing import Facts, Spread, crowd_of, officers

FEWEST = 3
OFFICERS = [
    ("sized_low", pa.int64()), ("sized_high", pa.int64()),
    ("asked_low", pa.int64()), ("asked_high", pa.int64()),
]  # fmt: skip
SCORED = [
    ("sized", pa.int64()), ("sized_error", pa.float64()), ("sized_error_last_time", pa.float64()),
    ("sized_spared_low", pa.float64()), ("sized_spared_high", pa.float64()),
    ("too_few", pa.int64()), ("too_many", pa.int64()),
]  # fmt: skip
Row = dict[str, Any]


def beside(
    event: Event, rules: EventRules, foretold: Facts | None, counted: int, hours: float
) -> Row:
    """Return the columns OFFICERS of one past event; nothing where a crowd was not told.

    `foretold`: the least and the most facts, None where nothing was; `hours` they are counted over.
    """
    need, crowd = rules.classes[event.kind].need, crowd_of(event)
    if need is None or crowd is None or event.seen is None or hours <= 0:
        return {name: None for name, _ in OFFICERS}
    before, _ = officers(crowd, foretold or (0.0, 0.0), hours, need, rules)
    after, _ = officers((event.seen, event.seen), (counted, counted), hours, need, rules)
    return {"sized_low": before[0], "sized_high": before[1], "asked_low": after[0],
            "asked_high": after[1]}  # fmt: skip


def score(rows: Sequence[Row], places: Sequence[int], confidence: float) -> Row:
    """Return the columns SCORED of a class: rows in the order of time, each at one of `places`.

    The middle of the range asked for is held against the middle of what the crowd that came asked
    for; the rival asks for what the event before, at the same place, turned out to ask for.
    """
    last: dict[int, float] = {}
    ours, theirs = [], []
    few = many = 0
    for row, place in zip(rows, places, strict=True):
        if row["sized_low"] is None:
            continue
        before: Spread = row["sized_low"], row["sized_high"]
        after: Spread = row["asked_low"], row["asked_high"]
        middle = sum(after) / 2
        if place in last:
            ours.append(abs(sum(before) / 2 - middle))
            theirs.append(abs(last[place] - middle))
            few += before[1] < after[0]
            many += before[0] > after[1]
        last[place] = middle
    if len(ours) < FEWEST:
        return {}
    spared = np.array(theirs) - np.array(ours)
    far = float(reach(confidence, np.array(len(ours) - 1))) * float(spared.std(ddof=1))
    far /= len(ours) ** 0.5
    return {
        "sized": len(ours), "sized_error": round(float(np.mean(ours)), DIGITS),
        "sized_error_last_time": round(float(np.mean(theirs)), DIGITS),
        "sized_spared_low": round(float(spared.mean()) - far, DIGITS),
        "sized_spared_high": round(float(spared.mean()) + far, DIGITS),
        "too_few": few, "too_many": many,
    }  # fmt: skip
