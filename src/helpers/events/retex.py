"""Afterwards: what was planned beside what happened, and what our own sizing was worth.

Each past event is foretold as if it were to come: from days before its own, by ratios from which
its own stratum is left out. The rival is what cities do without us: the count of the last event of
its class at its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.city.event_rules import EventRules
from helpers.core.stats.event_ratio import Beside, foreseen
from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.quasi_poisson import reach
from helpers.events import retex_sizing
from helpers.events.around import CONTROL, ROUTE, WHOLE
from helpers.events.excess import FEWEST_REFERENCES, references
from helpers.events.history import AFTER, DURING, PHASES, History
from helpers.events.ratios import FEW_EVENTS, Found

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
RETEX = pa.schema(
    [
        ("event", pa.string()), ("kind", pa.string()), ("zone", pa.string()),
        ("start_at", pa.timestamp("us")), ("expected", pa.int64()), ("seen", pa.int64()),
        ("measures", pa.int64()), ("measures_taken", pa.int64()), ("outcome", pa.string()),
        ("n", pa.int64()), ("foretold", pa.float64()), ("low", pa.int64()), ("high", pa.int64()),
        ("usual", pa.float64()), ("last_time", pa.int64()), ("status", pa.string()),
        ("reason", pa.string()), *retex_sizing.OFFICERS,
    ]
)  # fmt: skip
# What is less where a forecast is better, and what ours is held against.
MEASURES, RIVALS = ("error", "deviance"), ("last_time", "usual")
SCORES = pa.schema(
    [
        ("kind", pa.string()), ("events", pa.int64()), ("error", pa.float64()),
        ("error_usual", pa.float64()), ("error_last_time", pa.float64()),
        ("deviance", pa.float64()), ("deviance_usual", pa.float64()),
        ("deviance_last_time", pa.float64()),
        *((f"spared_{measure}_{rival}_{end}", pa.float64())
          for measure in MEASURES for rival in RIVALS for end in ("low", "high")),
        ("within", pa.float64()), ("status", pa.string()), ("reason", pa.string()),
        *retex_sizing.SCORED,
    ]
)  # fmt: skip
NO_LAST, NO_BASE = "first_of_its_place", "no_reference"
PRIOR = 0.5  # facts added to a forecast of none, so that a deviance stays finite


def left_one_out(counts: Beside) -> Floats:
    """Return, for each event, the ratio of all the others: its stratum left out; NaN without any.

    Strata share days of reference: leaving only the event out would let its own days speak.
    """
    more, less = counts.terms()
    stratum = np.unique(counts.stratum, return_inverse=True)[1]
    others = [part.sum() - np.bincount(stratum, part)[stratum] for part in (more, less)]
    nothing = np.full(len(more), np.nan)
    return np.asarray(np.divide(others[0], others[1], out=nothing, where=others[1] > 0))


@dataclass(frozen=True)
class Foretold:
    """Past events, one row each: counted, foretold, without an event, the last time; NaN: none."""

    rows: Ints
    n: Floats
    mean: Floats
    usual: Floats
    last: Floats
    low: Floats
    high: Floats


def foretell(history: History, found: Found, kind: str, since: int) -> Foretold:
    """Return the class's events from day `since` on, foretold from before them.

    Counts are of all rings, while the event lasts and just after.
    """
    rows = history.of_kind(kind)
    rings = [a for a in history.hourly.where.areas if a not in (CONTROL, ROUTE)]
    counts = [history.beside(np.array([i]), rings, [DURING, AFTER], WHOLE) for i in rows]
    told = np.array([len(one.area) > 0 for one in counts], dtype=np.bool_)
    rows = rows[told]
    whole = history.beside(rows, rings, [DURING, AFTER], WHOLE)
    ratio = left_one_out(whole)
    usual = np.array([_usual(history, i, rings) for i in rows], dtype=np.float64).reshape(-1, 2)
    last = _last_times(history, rows, whole.area)
    recent = history.past.day[rows] >= since
    own = found[kind, WHOLE, "rings", "event"].told
    phi, error = (own.phi, own.whole.error) if own else (1.0, 0.0)
    mean = usual[:, 0] * ratio
    spread = np.sqrt(error**2 + 1 / np.maximum(usual[:, 1], 1))
    confidence = history.knobs.confidence
    low, high = foreseen(np.nan_to_num(mean[recent]), spread[recent], phi, confidence)
    return Foretold(rows[recent], whole.area[recent], mean[recent], usual[recent, 0], last[recent],
                    low, high)  # fmt: skip


def _usual(history: History, row: int, rings: list[str]) -> tuple[float, float]:
    """Return the mean count of an event's hours on the last days of reference, and their sum."""
    past, knobs = history.past, history.knobs
    place, day = int(past.place[row]), int(past.day[row])
    days = references(history, place, day, day, knobs.baseline_weeks)
    if len(days) < FEWEST_REFERENCES:
        return float("nan"), 0.0
    shift, total = (days - day) * 24, 0.0
    first = past.phases[row, PHASES.index(DURING), 0] + shift
    last = past.phases[row, PHASES.index(AFTER), 1] + shift
    total = sum(float(np.nansum(history.hourly.between(place, a, WHOLE, first, last)))
                for a in rings)  # fmt: skip
    return total / len(days), total


def _last_times(history: History, rows: Ints, counted: Floats) -> Floats:
    """Return the count of the event before each one at its place; NaN for the first."""
    found = np.full(len(rows), np.nan)
    before: dict[int, int] = {}
    for i in np.argsort(history.past.phases[rows, 1, 0], kind="stable").tolist():
        place = int(history.past.place[rows[i]])
        if place in before:
            found[i] = counted[before[place]]
        before[place] = i
    return found


def error(n: Floats, mean: Floats) -> Floats:
    """Return how far each count is from its forecast, in facts."""
    return np.asarray(np.abs(n - mean), dtype=np.float64)


def deviance(n: Floats, mean: Floats) -> Floats:
    """Return the Poisson deviance of each count (McCullagh & Nelder 1989, section 2.3)."""
    mean = np.maximum(mean, PRIOR)
    logs = np.where(n > 0, n * np.log(np.maximum(n, 1) / mean), 0.0)
    return np.asarray(2 * (logs - (n - mean)), dtype=np.float64)


def measure(history: History, found: Found, rules: EventRules) -> tuple[pa.Table, pa.Table]:
    """Return the past events beside what was planned (`RETEX`), and the scores (`SCORES`)."""
    since = len(history.days.heard) - history.knobs.retex_days
    rows: list[dict[str, Any]] = []
    scores = []
    for kind in rules.classes:
        if len(history.of_kind(kind)) < history.knobs.minimum_events:
            scores.append({"kind": kind, "status": "abstained", "reason": FEW_EVENTS})
            continue
        told = foretell(history, found, kind, since)
        own = [_beside_plan(history, rules, told, i) for i in range(len(told.rows))]
        order = sorted(range(len(own)), key=lambda i: own[i]["start_at"])
        sized = retex_sizing.score(
            [own[i] for i in order], [int(history.past.place[told.rows[i]]) for i in order],
            history.knobs.confidence,
        )  # fmt: skip
        rows += own
        scores.append({"kind": kind} | _score(told, history.knobs.confidence) | sized)
    return (pa.Table.from_pylist(rows, schema=RETEX), pa.Table.from_pylist(scores, schema=SCORES))


def _beside_plan(history: History, rules: EventRules, told: Foretold, i: int) -> dict[str, Any]:
    event = history.past.events[told.rows[i]]
    fields = [m for m in rules.classes[event.kind].measures if m.field]
    asked = [m for m in fields if event.measures.get(m.field_count) != 0]
    taken = sum(event.measures.get(m.field) == rules.states.taken for m in asked)
    known = bool(np.isfinite(told.mean[i]))
    foretold = (float(told.low[i]), float(told.high[i])) if known else None
    hours = event.hours + history.knobs.after_h[0]
    return retex_sizing.beside(event, rules, foretold, int(told.n[i]), hours) | {
        "event": event.id, "kind": event.kind, "zone": event.zone, "start_at": event.start,
        "expected": event.expected, "seen": event.seen, "measures": len(asked),
        "measures_taken": taken, "outcome": event.outcome, "n": int(told.n[i]),
        "foretold": round(float(told.mean[i]), DIGITS) if known else None,
        "low": int(told.low[i]) if known else None, "high": int(told.high[i]) if known else None,
        "usual": round(float(told.usual[i]), DIGITS) if np.isfinite(told.usual[i]) else None,
        "last_time": int(told.last[i]) if np.isfinite(told.last[i]) else None,
        "status": "ok" if known else "abstained", "reason": "" if known else NO_BASE,
    }  # fmt: skip


def _score(told: Foretold, confidence: float) -> dict[str, Any]:
    """Return the mean errors and deviances of the forecasts, over events that all three foretell.

    `spared_<measure>_<rival>_low`, `_high`: interval of what ours spares beside a rival, in facts
    or in deviance, above none where ours is better (Student, events paired; each by itself).
    """
    both = np.isfinite(told.mean) & np.isfinite(told.last)
    number = int(both.sum())
    if number < 3:
        return {"events": number, "status": "abstained", "reason": NO_LAST}
    n = told.n[both]
    ways = {"": told.mean[both], "_usual": told.usual[both], "_last_time": told.last[both]}
    row: dict[str, Any] = {"events": number, "status": "ok", "reason": ""}
    t = float(reach(confidence, np.array(number - 1)))
    for measure, of in zip(MEASURES, (error, deviance), strict=True):
        each = {name: of(n, mean) for name, mean in ways.items()}
        row |= {f"{measure}{name}": round(float(one.mean()), DIGITS) for name, one in each.items()}
        for rival in RIVALS:
            spared = each[f"_{rival}"] - each[""]
            mean, far = float(spared.mean()), t * float(spared.std(ddof=1)) / number**0.5
            row[f"spared_{measure}_{rival}_low"] = round(mean - far, DIGITS)
            row[f"spared_{measure}_{rival}_high"] = round(mean + far, DIGITS)
    held = (told.low[both] <= n) & (n <= told.high[both])
    row["within"] = round(float(held.mean()), DIGITS)
    return row
