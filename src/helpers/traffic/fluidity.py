"""Flow and speed of each road and slot, against the usual of the same kind of day."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.place_time.counters import CUMULATED, DEAD, MISSING, NO_COUNTER
from helpers.core.stats import beside_usual
from helpers.core.stats.beside_usual import Departure
from helpers.core.stats.event_ratio import Ratio
from helpers.core.stats.intervals import DIGITS
from helpers.traffic.all_hours import same_ratio
from helpers.traffic.knobs import Knobs
from helpers.traffic.known import Roads

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
FLOW, SPEED = "flow", "speed"
MORE, LESS, USUAL = "more", "less", "usual"
OK, ABSTAINED = "ok", "abstained"
# Why nothing is said.
NOT_TOLD, MUTE, ZEROS, MOVED, TOO_FEW, SHORT, TOTALS = (
    "not_told", "mute", "zeros", "moved", "too_few", "short", "totals"
)  # fmt: skip
# Hours known of two counters, and numbers among them, for their equality to be no chance.
SAME_HOURS, SAME_NUMBERS = 168, 20
FLUIDITY = pa.schema(
    [
        ("site", pa.string()), ("zone", pa.string()), ("slot", pa.string()),
        ("measure", pa.string()), ("value", pa.float64()), ("usual", pa.float64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("level", pa.string()), ("days", pa.int64()), ("closed", pa.bool_()),
        ("all_hours", pa.bool_()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def told(ratio: Ratio, confidence: float) -> dict[str, Any]:
    """Return ratio, low, high and level of a row."""
    value, low, high = ratio.within(confidence)
    level = MORE if low > 1 else LESS if high < 1 else USUAL
    ends = {"ratio": value, "low": low, "high": high}
    return {**{name: round(one, DIGITS) for name, one in ends.items()}, "level": level}


def measure(roads: Roads | None, knobs: Knobs) -> pa.Table:
    """Return one row a road, slot and measure (FLUIDITY), over the last `window_days`.

    `value`: the mean flow (passages an hour) or speed (km/h) of the days known, `usual` what the
    same kinds of days had in the `reference_weeks` before, of the same machine; days when the road
    was closed, or beside a closed one, are no usual. All intervals hold together (Šidák 1967).
    `all_hours`: of a flow that departs, whether by the same ratio at all hours (`same_ratio`).
    """
    if roads is None:
        return FLUIDITY.empty_table()
    end = roads.days
    window = np.arange(end) >= end - knobs.window_days
    before = ~window & (np.arange(end) >= end - knobs.window_days - 7 * knobs.reference_weeks)
    found: list[tuple[dict[str, Any], Departure | None]] = []
    for slot in roads.rules.slots:
        hours = roads.rules.slot_hours(slot)
        flow = roads.over(hours, roads.hours.flow)
        parts = {FLOW: flow, SPEED: roads.over(hours, roads.hours.speed)}
        for i, place in enumerate(roads.places):
            era, usual = _usual(roads, i, before)
            for name, values in parts.items():
                row = {"site": place.site, "zone": place.zone, "slot": slot, "measure": name,
                       "closed": bool((roads.touched[i] & window).any())}  # fmt: skip
                found.append(_one(row, roads, i, flow[i], values[i], window & era, usual, knobs))
    judged = sum(one is not None for _, one in found)
    each = knobs.confidence ** (1 / max(judged, 1))
    rows = [
        row if one is None else {**row, **told(one.ratio, each), "days": one.days}
        for row, one in found
    ]
    apart = [row for row in rows if row["measure"] == FLOW and row.get("level", USUAL) != USUAL]
    alike = {}
    for site in {row["site"] for row in apart if not row["closed"]}:
        i = next(i for i, place in enumerate(roads.places) if place.site == site)
        alike[site] = same_ratio(roads, i, window, _usual(roads, i, before)[1], knobs)
    for row in apart:
        row["all_hours"] = alike.get(row["site"])
    return pa.Table.from_pylist(rows, schema=FLUIDITY)


def _usual(roads: Roads, i: int, before: Bools) -> tuple[Bools, Bools]:
    """Return the days of the machine in service, and those of them before that are usual."""
    era = roads.hours.era[i] == roads.hours.era[i, -1]
    return era, before & era & ~roads.touched[i]


def _one(
    row: dict[str, Any], roads: Roads, i: int, flow: Floats, values: Floats, window: Bools,
    usual: Bools, knobs: Knobs,
) -> tuple[dict[str, Any], Departure | None]:  # fmt: skip
    """Return a row and what it departs by; None, with the reason, where nothing is said."""
    here = {**row, "status": ABSTAINED, "days": int(np.isfinite(values[window]).sum())}
    if row["measure"] == SPEED and not np.isfinite(roads.hours.speed[i]).any():
        return here | {"reason": NOT_TOLD}, None
    if not np.isfinite(flow[window]).any():
        return here | {"reason": why(roads, i, window)}, None
    level = beside_usual.levels(values[None], roads.kind, usual[None])[0]
    span = np.arange(roads.days) >= roads.days - knobs.window_days
    found = beside_usual.departure(level, span, usual, roads.kind)
    if found is None:
        return here | {"reason": why(roads, i, span)}, None
    inside = span & np.isfinite(level)
    value = float(values[inside].mean())
    expected = float(np.mean(values[inside] / np.exp(level[inside])))
    if row["measure"] == FLOW and expected < knobs.minimum_flow:
        return here | {"reason": TOO_FEW}, None
    numbers = {"value": round(value, 1), "usual": round(expected, 1)}
    return {**here, **numbers, "status": OK, "reason": ""}, found


def why(roads: Roads, i: int, window: Bools) -> str:
    """Return why a road is not told over a window: a total, dead, mute, changed or too short."""
    known = np.isfinite(roads.hours.flow[i, window]).mean()
    if known < beside_usual.KNOWN:
        seen = np.bincount(roads.hours.why[i, window].ravel(), minlength=CUMULATED + 1)
        if seen[CUMULATED] > seen[DEAD] + seen[MISSING] + seen[NO_COUNTER]:
            return TOTALS
        return ZEROS if seen[DEAD] > seen[MISSING] + seen[NO_COUNTER] else MUTE
    at = np.flatnonzero(window)
    earlier = roads.hours.era[i, : at[-1]] < roads.hours.era[i, at[-1]]
    return (
        MOVED if (earlier & np.isfinite(roads.hours.flow[i, : at[-1]]).any(axis=1)).any() else SHORT
    )


def copies(roads: Roads) -> list[tuple[str, str]]:
    """Return the pairs of sites that tell the same passages at every hour both are known.

    One sensor under two names, or a file delivered twice: nothing tells which is the road's own.
    """
    line = roads.hours.flow.reshape(len(roads.places), -1)
    found = []
    for i, j in itertools.combinations(range(len(line)), 2):
        both = np.isfinite(line[i]) & np.isfinite(line[j])
        if both.sum() < SAME_HOURS or not np.array_equal(line[i, both], line[j, both]):
            continue
        if len(np.unique(line[i, both])) >= SAME_NUMBERS:
            found.append((roads.places[i].site, roads.places[j].site))
    return found
