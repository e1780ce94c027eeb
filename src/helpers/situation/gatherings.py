"""Gatherings that no event announces: counters of walkers far above their usual of the same hours.

Counts of places and permits alone: nothing is read of anybody, nor of any network. What is known
for that place and hour (an event, an order that occupies the ground) explains a count, and is no
alert; a counter that is dead or mute says nothing. These tests are judged with those of `alerts`,
in the same budget of false alerts.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.base.store import literal, quote
from helpers.core.city.traffic_rules import TrafficRules
from helpers.core.place_time import counters, occasions
from helpers.core.place_time.counters import CHANGED, CUMULATED, DEAD, HOURS, Hours
from helpers.core.place_time.territory import project
from helpers.core.stage.run import Run
from helpers.core.stats import unexpected
from helpers.situation.knobs import Knobs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
WEEK = 7
CONFIDENCE = 0.95  # of the interval beside a count: one comparison alone, without the others
GRID = np.geomspace(1.0, 1e-12, 200)  # p-values of a count that may be anything, falling
LONGEST = dt.timedelta(days=4)  # what lasts longer (works, a season) is no event of an evening
# Why nothing is said.
KNOWN, MUTE, ZEROS, MOVED, TOO_FEW_WEEKS = "known", "mute", "zeros", "moved", "too_few_weeks"
TOTALS = "totals"  # the machine sends its total, which is no number of passages
GATHERINGS = pa.schema(
    [
        ("site", pa.string()), ("name", pa.string()), ("zone", pa.string()),
        ("hour", pa.int64()), ("hours", pa.int64()), ("n", pa.int64()),
        ("expected", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("references", pa.int64()), ("p", pa.float64()), ("q", pa.float64()),
        ("alert", pa.bool_()), ("watch", pa.bool_()), ("limit", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Occasion:
    """What is known to draw people: moments (local wall clock), metres, and how far it explains."""

    start: dt.datetime
    end: dt.datetime
    x: float
    y: float
    reach_m: float


def tests(run: Run, rules: TrafficRules | None) -> list[dict[str, Any]]:
    """Return the tests of the last day's hours at each counter, to be judged (`alerts.together`).

    Rows of GATHERINGS before judgement, with `reach`; none where no class is to be watched. View
    `zones`.
    """
    if rules is None or rules.crowd is None:
        return []
    files = {name: run.read(f"accepted/{name}.parquet") for name in rules.sources}
    hours = counters.read(run.con, run.city, rules, files, rules.crowd)
    known = explained(hours, occasions_known(run, rules, run.knobs), run.knobs)
    return compared(hours, known, run.knobs)


def occasions_known(run: Run, rules: TrafficRules, knobs: Knobs) -> list[Occasion]:
    """Return the events held or allowed, and the orders that let people in. View `zones`."""
    agenda, period = run.city.about.agenda, run.city.about.period
    found: list[dict[str, Any]] = []
    if agenda.events is not None:
        held = ", ".join(literal(one) for one in agenda.events.held) or "NULL"
        test = f"{quote(agenda.events.status)} IN ({held})"
        size = quote(agenda.events.size)
        path = run.read(f"accepted/{agenda.events.source}.parquet")
        found += occasions.lasting(
            run.con, run.city, path, agenda.events, {}, period.start, period.end,
            f"{test} AND ({size} IS NULL OR {size} > 0)",
        )  # fmt: skip
    if agenda.closures is not None and rules.permits:
        kinds = ", ".join(map(literal, rules.permits))
        path = run.read(f"accepted/{agenda.closures.source}.parquet")
        found += occasions.lasting(
            run.con, run.city, path, agenda.closures, {"reach": agenda.closures.radius_m},
            period.start, period.end, f"{quote(agenda.closures.kind)} IN ({kinds})",
        )  # fmt: skip
    placed = [row for row in found if row["longitude"] is not None]
    longitude, latitude = (
        np.array([row[name] for row in placed], dtype=float) for name in ("longitude", "latitude")
    )
    metres = zip(*project(longitude, latitude, run.city.about.crs), strict=True)
    margin = dt.timedelta(hours=knobs.gathering_margin_h)
    return [
        Occasion(row["start_at"] - margin, row["end_at"] + margin, float(x), float(y),
                 max(float(row.get("reach") or 0.0), knobs.gathering_reach_m))
        for row, (x, y) in zip(placed, metres, strict=True)
        if row["end_at"] - row["start_at"] <= LONGEST
    ]  # fmt: skip


def explained(hours: Hours, known: list[Occasion], knobs: Knobs) -> Bools:
    """Return the slots of hours (places, days, slots) that something known explains."""
    step = knobs.gathering_hours
    found = np.zeros((len(hours.places), hours.flow.shape[1], HOURS // step), dtype=bool)
    flat = found.reshape(len(hours.places), -1)
    zero = dt.datetime.combine(hours.first, dt.time())
    at = np.array([[one.x, one.y] for one in hours.places]).reshape(-1, 2)
    for one in known:
        near = np.hypot(*(at - [one.x, one.y]).T) <= one.reach_m
        first = int((one.start - zero).total_seconds() // (3600 * step))
        last = -int(-(one.end - zero).total_seconds() // (3600 * step))
        flat[near, max(first, 0) : max(last, 0)] = True
    return found


def compared(hours: Hours, known: Bools, knobs: Knobs) -> list[dict[str, Any]]:
    """Return one row a place and slot of hours of the last day, with `p` and `reach` where told.

    Only days of the machine that counts now are compared.
    """
    step = knobs.gathering_hours
    slots = HOURS // step
    shape = (len(hours.places), hours.flow.shape[1], slots, step)
    sums = hours.flow.reshape(shape).sum(axis=3)
    sums = np.where((hours.era == hours.era[:, -1:])[:, :, None], sums, np.nan)
    weeks = knobs.alert_memory_weeks + knobs.alert_reference_weeks + 1
    groups = [(_weekly(sums[:, :, s], weeks, np.nan), _weekly(known[:, :, s], weeks, False))
              for s in range(slots)]  # fmt: skip
    judged = unexpected.judge(groups, knobs.alert_reference_weeks, CONFIDENCE)
    rows = []
    for slot, told in enumerate(judged):
        for i, place in enumerate(hours.places):
            n, last = sums[i, -1, slot], slice(slot * step, (slot + 1) * step)
            row: dict[str, Any] = {
                "site": place.site, "name": place.name, "zone": place.zone, "hour": slot * step,
                "hours": step, "n": None if np.isnan(n) else round(float(n)), "status": "ok",
                "reason": "", "references": int(told.references[i]),
            }  # fmt: skip
            if np.isnan(n):
                row |= {"status": "missing", "reason": _why(hours, i, last)}
            elif known[i, -1, slot]:
                row |= {"status": "abstained", "reason": KNOWN}
            elif np.isnan(told.p[i]):
                row |= {"status": "abstained", "reason": TOO_FEW_WEEKS}
            else:
                ends = {"expected": told.expected, "low": told.low, "high": told.high}
                row |= {name: round(float(one[i]), 1) for name, one in ends.items()}
                row |= {"p": float(told.p[i]), "reach": GRID}
            rows.append(row)
    return rows


def _weekly(days: NDArray[Any], weeks: int, nothing: Any) -> NDArray[Any]:
    """Return the last day (places, days) and the same day of the weeks before, latest first."""
    found = np.full((len(days), weeks), nothing, dtype=days.dtype)
    told = days[:, ::-1][:, ::WEEK][:, :weeks]
    found[:, : told.shape[1]] = told
    return found


def _why(hours: Hours, i: int, slot: slice) -> str:
    """Return why the last day's slot of a place is not known."""
    seen = hours.why[i, -1, slot]
    if (seen == DEAD).any():
        return ZEROS
    if (seen == CUMULATED).any():
        return TOTALS
    return MOVED if (seen == CHANGED).any() else MUTE


def lit(table: pa.Table) -> list[dict[str, Any]]:
    """Return the alerts, the surest first: a place once."""
    return _once([row for row in table.to_pylist() if row["alert"]], set())


def to_watch(table: pa.Table) -> list[dict[str, Any]]:
    """Return what is worth a look, the least to be expected first: a place once."""
    alerted = {row["site"] for row in lit(table)}
    return _once([row for row in table.to_pylist() if row["watch"]], alerted)


def _once(rows: list[dict[str, Any]], told: set[str]) -> list[dict[str, Any]]:
    found = []
    for row in sorted(rows, key=lambda r: (r["p"], r["site"], r["hour"])):
        if row["site"] not in told:
            told.add(row["site"])
            found.append(row)
    return found


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return judged rows as a table of GATHERINGS."""
    return pa.Table.from_pylist(rows, schema=GATHERINGS)
