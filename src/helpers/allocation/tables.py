"""What is kept of a city's plan: tables, from which the notebook and the page say the same.

`plan`: hours by zone and slot of the week. `summary`: what the answer is made of. `conflicts`: the
rules that cannot hold together. `prices`: what each rule costs. `recommendations`: the plan of a
zone in a slot of the day, all week, called by a hash, so that the register can say what became of
it without a name in it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from helpers.allocation.allocate import Found
from helpers.allocation.means import Ints, Item
from helpers.allocation.usual_week import Week
from helpers.core.stats.intervals import DIGITS

NAME = 20  # digits of a recommendation's name, as the register has them
PLAN = pa.schema(
    [
        ("weekday", pa.int64()), ("slot", pa.string()), ("zone", pa.string()),
        ("asked", pa.float64()), ("today_h", pa.int64()), ("planned_h", pa.int64()),
        ("chance_more", pa.float64()), ("known", pa.bool_()), ("status", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip
PRICES = pa.schema([("rule", pa.string()), ("low", pa.float64()), ("high", pa.float64())])
SUMMARY = pa.schema(
    [
        ("reason", pa.string()), ("hours", pa.int64()), ("planned", pa.int64()),
        ("moved", pa.int64()), ("short", pa.float64()), ("ties", pa.int64()),
        ("followed", pa.int64()), ("pairs", pa.int64()), ("zones", pa.int64()),
        ("unheard", pa.list_(pa.struct([("theme", pa.string()), ("zones", pa.int64())]))),
        ("placed", pa.float64()), ("untold", pa.float64()),
        ("elsewhere", pa.float64()),
        ("mute", pa.list_(pa.struct([("zone", pa.string()), ("days", pa.int64())]))),
        ("cells", pa.int64()), ("uncovered_today", pa.int64()),
        ("uncovered", pa.list_(pa.struct([
            ("zone", pa.string()), ("slot", pa.string()), ("days", pa.int64())]))),
        ("met_today", pa.list_(pa.float64())),
        ("met_planned", pa.list_(pa.float64())),
    ]
)  # fmt: skip
CONFLICTS = pa.schema(
    [("conflict", pa.int64()), ("rank", pa.int64()), ("kind", pa.string()), ("of", pa.string()),
     ("at", pa.string())]
)  # fmt: skip
RECOMMENDATIONS = pa.schema(
    [("recommendation", pa.string()), ("zone", pa.string()), ("slot", pa.string()),
     ("today_h", pa.int64()), ("planned_h", pa.int64())]
)  # fmt: skip


@dataclass(frozen=True)
class Summary:
    """What the answer is made of; `reason` says why there is no plan.

    `hours`: those of a team in the week, `planned` those of them that the plan uses. `short`: how
    much better a plan could be at most, relative (proven). `unheard`: themes never heard, and in
    how many of the `zones`. `placed`: share of facts whose hour and zone are known; `untold`: share
    of demand that no source says who started; `elsewhere`: agent-hours of places that are no zone;
    `mute`: zones that the roster left out for weeks, and for how many days. `uncovered`: zone, slot
    of the day, weekdays on which the plan has no team there; `cells`: all zones and slots of the
    week, `uncovered_today` those without a team today.
    `met`: facts that meet a team, today and by the plan, for each share answered.
    """

    reason: str
    hours: int = 0
    planned: int = 0
    moved: int = 0
    short: float = 0.0
    ties: int = 0
    followed: int = 0
    pairs: int = 0
    zones: int = 0
    unheard: tuple[tuple[str, int], ...] = ()
    placed: float = 1.0
    untold: float = 0.0
    elsewhere: float = 0.0
    mute: tuple[tuple[str, int], ...] = ()
    cells: int = 0
    uncovered_today: int = 0
    uncovered: tuple[tuple[str, str, int], ...] = ()
    met: tuple[tuple[float, float], ...] = ()
    conflicts: tuple[tuple[Item, ...], ...] = ()


def summary(found: Found) -> Summary:
    """Return what the answer is made of."""
    week, best, chosen = found.week, found.best, found.chosen
    if week is None:
        return Summary(found.reason)
    followed, pairs = week.forecast
    told = Summary(
        found.reason, int(week.present.sum()), followed=followed, pairs=pairs,
        zones=len(week.zones), unheard=week.unheard, placed=week.placed, untold=week.untold,
        elsewhere=week.elsewhere, mute=week.mute, conflicts=found.conflicts,
    )  # fmt: skip
    if best is None or chosen is None:
        return told
    return replace(
        told, planned=int(chosen.presence.sum()), moved=chosen.moved, ties=found.ties,
        short=max(0.0, best.bound - chosen.net) / max(chosen.net, 1e-9), met=found.met,
        cells=int(week.present.size), uncovered_today=int((week.present == 0).sum()),
        uncovered=_uncovered(week, chosen.presence.sum(axis=0)),
    )  # fmt: skip


def _uncovered(week: Week, planned: Ints) -> tuple[tuple[str, str, int], ...]:
    """Return zone, slot of the day and on how many weekdays no team is planned there."""
    none = Counter((week.zones[z], week.slots[t][1]) for z, t in np.argwhere(planned == 0))
    return tuple((zone, slot, days) for (zone, slot), days in sorted(none.items()))


def summary_table(found: Summary) -> pa.Table:
    """Return SUMMARY: one row."""
    row = {
        "reason": found.reason, "hours": found.hours, "planned": found.planned,
        "moved": found.moved, "short": round(found.short, DIGITS), "ties": found.ties,
        "followed": found.followed, "pairs": found.pairs, "zones": found.zones,
        "unheard": [{"theme": theme, "zones": n} for theme, n in found.unheard],
        "placed": round(found.placed, DIGITS), "untold": round(found.untold, DIGITS),
        "elsewhere": round(found.elsewhere, DIGITS),
        "mute": [{"zone": zone, "days": n} for zone, n in found.mute],
        "cells": found.cells, "uncovered_today": found.uncovered_today,
        "uncovered": [{"zone": zone, "slot": slot, "days": n} for zone, slot, n in found.uncovered],
        "met_today": [round(now, DIGITS) for now, _ in found.met],
        "met_planned": [round(then, DIGITS) for _, then in found.met],
    }  # fmt: skip
    return pa.Table.from_pylist([row], schema=SUMMARY)


def conflict_table(found: Summary) -> pa.Table:
    """Return CONFLICTS: the members of each conflict, in order."""
    rows = [{"conflict": i, "rank": j, "kind": item.kind, "of": item.of, "at": item.at}
            for i, items in enumerate(found.conflicts) for j, item in enumerate(items)]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CONFLICTS)


def read_summary(table: pa.Table, conflicts: pa.Table) -> Summary:
    """Return what the answer is made of, out of its tables (SUMMARY, CONFLICTS)."""
    (row,) = table.to_pylist()
    met = tuple(zip(row.pop("met_today"), row.pop("met_planned"), strict=True))
    sets: dict[int, list[Item]] = {}
    for one in sorted(conflicts.to_pylist(), key=lambda one: (one["conflict"], one["rank"])):
        sets.setdefault(one["conflict"], []).append(Item(one["kind"], one["of"], one["at"]))
    told = tuple(tuple(items) for items in sets.values())
    return Summary(
        **{
            **row,
            "unheard": tuple((one["theme"], one["zones"]) for one in row["unheard"]),
            "mute": tuple((one["zone"], one["days"]) for one in row["mute"]),
            "uncovered": tuple((one["zone"], one["slot"], one["days"]) for one in row["uncovered"]),
        },
        met=met,
        conflicts=told,
    )


def plan_table(found: Found) -> pa.Table:
    """Return PLAN: a row a zone and slot, nothing planned where rules are in conflict.

    One row of reason alone where the city has no usual week.
    """
    week = found.week
    if week is None:
        return pa.Table.from_pylist([{"status": "abstained", "reason": found.reason}], schema=PLAN)
    planned = None if found.chosen is None else found.chosen.presence.sum(axis=0)
    status = "abstained" if planned is None else "ok"
    rows = [
        {"weekday": day, "slot": slot, "zone": zone, "asked": round(week.asked[z, t], DIGITS),
         "today_h": week.present[z, t],
         "planned_h": None if planned is None else planned[z, t],
         "chance_more": None if found.more is None else round(found.more[z, t], DIGITS),
         "known": bool(week.known[z]), "status": status, "reason": found.reason}
        for t, (day, slot) in enumerate(week.slots) for z, zone in enumerate(week.zones)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PLAN)


def price_table(found: Found) -> pa.Table:
    """Return PRICES: facts expected that would be met if a kind of rule were lifted."""
    rows = [{"rule": one.kind, "low": round(one.low, DIGITS), "high": round(one.high, DIGITS)}
            for one in found.prices]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=PRICES)


def recommendation_table(found: Found, city: str, week: str) -> pa.Table:
    """Return RECOMMENDATIONS: a row a zone and slot of the day where a weekday's hours change.

    `week` names the plan: another plan's recommendation is another one, even of the same hours.
    """
    if found.week is None or found.chosen is None:
        return RECOMMENDATIONS.empty_table()
    planned, slots = found.chosen.presence.sum(axis=0), found.week.slots
    rows = []
    for slot in dict.fromkeys(code for _, code in slots):
        at = [t for t, (_, code) in enumerate(slots) if code == slot]
        for z, zone in enumerate(found.week.zones):
            now, then = found.week.present[z, at], planned[z, at]
            if (np.asarray(now) != then).any():
                hours = {str(slots[t][0]): int(planned[z, t]) for t in at}
                rows.append({"recommendation": _name(city, week, zone, slot, hours), "zone": zone,
                             "slot": slot, "today_h": int(now.sum()),
                             "planned_h": int(then.sum())})  # fmt: skip
    return pa.Table.from_pylist(rows, schema=RECOMMENDATIONS)


def _name(city: str, week: str, zone: str, slot: str, hours: Mapping[str, int]) -> str:
    told = json.dumps(["allocation", city, week, zone, slot, hours], sort_keys=True)
    name = hashlib.sha256(told.encode()).hexdigest()[:NAME]
    while name.isdigit():  # the register takes digits alone for a person's number
        name = hashlib.sha256(name.encode()).hexdigest()[:NAME]
    return name
