"""The file of each problem, step by step: scanning, analysis, response, assessment (SARA).

Eck, J. & Spelman, W. (1987), Problem-Solving: Problem-Oriented Policing in Newport News. What is
told comes from the register's snapshot, the actions (`actions`) and their effects (`impact`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.city.city import City
from helpers.core.place_time.calendar import full_weeks, last_days
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import of_theme
from helpers.core.stats.intervals import rate_ratio
from helpers.problems.knobs import Knobs
from helpers.register import rules
from helpers.register.codes import TIERS
from helpers.register.entries import Entry, Problem

TEXT, DAY = pa.string(), pa.date32()
OK, NO_ZONE, LEFT_OUT, TOO_FEW, SILENT = "ok", "no_zone", "theme_left_out", "too_few", "silent"
Floats = NDArray[np.float64]
NO_WEEK: Floats = np.zeros(0)
FILES = pa.schema(
    [
        ("problem", TEXT), ("theme", TEXT), ("zone", TEXT), ("sector", TEXT), ("since", DAY),
        ("taken_up", DAY), ("role", TEXT), ("review_on", DAY), ("late", pa.bool_()),
        ("hypotheses", pa.list_(TEXT)), ("goal", TEXT), ("fall", pa.float64()),
        ("least_effect", pa.float64()), ("tried", pa.list_(TEXT)), ("recent", pa.int64()),
        ("before", pa.int64()), ("weeks", pa.int64()), ("ratio", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("status", TEXT),
    ]
)  # fmt: skip
TASKS = pa.schema(
    [
        ("problem", TEXT), ("action", TEXT), ("zone", TEXT), ("sector", TEXT), ("tier", TEXT),
        ("response", TEXT), ("lead", TEXT), ("start", DAY), ("end", DAY), ("end_in_force", DAY),
        ("renewals", pa.int64()), ("state", TEXT), ("planned_h", pa.float64()),
        ("told_planned_h", pa.float64()), ("done_h", pa.float64()), ("seen", pa.bool_()),
        ("detectable", pa.float64()), ("power", pa.float64()), ("verdict", TEXT),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("exploratory", pa.bool_()), ("why", TEXT), ("changed", pa.list_(TEXT)),
    ]
)  # fmt: skip
ELSEWHERE = pa.schema(
    [
        ("action", TEXT), ("problem", TEXT), ("theme", TEXT), ("zone", TEXT), ("sector", TEXT),
        ("recent", pa.int64()), ("before", pa.int64()), ("weeks", pa.int64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()), ("status", TEXT),
    ]
)  # fmt: skip
BEGUN = ("running", "off", "unregistered")


def tasks(actions: pa.Table, doses: pa.Table, powers: pa.Table, effects: pa.Table) -> pa.Table:
    """Return who does what, until when, and what came of it: one row an action of a problem.

    `zone` is that of the action's point, which may not be its problem's. `lead` is a role.
    `verdict` is `impact`'s, null where it judged nothing, with its ratio and interval, null where
    it has a reason to tell none; `why` it is exploratory.
    """
    judged = {row["key"]: row for row in effects.to_pylist() if row["scope"] == "action"}
    beside = zip(actions.to_pylist(), doses.to_pylist(), powers.to_pylist(), strict=True)
    rows = []
    for row, dose, power in beside:
        verdict = judged.get(row["action"])
        rows.append({
            **{name: row[name] for name in TASKS.names if name in row},
            "done_h": dose["done_h"],
            **{name: power[name] for name in ("seen", "detectable", "power")},
            "verdict": verdict["verdict"] if verdict else None,
            **{name: verdict[name] if verdict and not verdict["reason"] else None
               for name in ("ratio", "low", "high")},
            "exploratory": bool(row["exploratory"]) or bool(verdict and verdict["exploratory"]),
            "why": row["exploratory"] or (verdict["why"] if verdict else None),
        })  # fmt: skip
    kept = [row for row in rows if row["problem"]]
    return pa.Table.from_pylist(sorted(kept, key=lambda r: (r["problem"], r["start"], r["action"])),
                                schema=TASKS)  # fmt: skip


def files(
    con: duckdb.DuckDBPyConnection, city: City, entries: Sequence[Entry], done: pa.Table,
    sectors: Mapping[str, str], knobs: Knobs, today: dt.date,
) -> pa.Table:  # fmt: skip
    """Return one row a problem of the register, in order: FILES. Views `cube`, `zones`, `weeks`
    and `grades_weekly`.

    Facts of its theme in its zone, in the last `window_weeks` whole weeks and in as many before: of
    `weeks` of them, those heard there on both sides.
    `tried`: tiers of which an action at the problem has begun. `late`: the day of its review has
    passed.
    """
    begun = {(row["problem"], row["tier"]) for row in done.to_pylist() if row["state"] in BEGUN}
    first: dict[str, Entry] = {}
    now: dict[str, tuple[Entry, Problem]] = {}
    for entry in entries:
        if isinstance(entry.draft.payload, Problem):
            first.setdefault(entry.draft.subject, entry)
            now[entry.draft.subject] = entry, entry.draft.payload
    counted = [_counted(con, city, told.criterion.theme, told.zone, knobs)
               for _, (_, told) in sorted(now.items())]  # fmt: skip
    rows = []
    for name, facts in zip(sorted(now), _told(counted, knobs), strict=True):
        entry, told = now[name]
        theme = told.criterion.theme
        rows.append({
            "problem": name, "theme": theme, "zone": told.zone,
            "sector": sectors.get(told.zone or ""), "since": told.since,
            "taken_up": rules.day_of(first[name]), "role": entry.draft.role, "review_on": told.end,
            "late": told.end < today, "hypotheses": list(told.hypotheses or ()), "goal": told.goal,
            "fall": told.criterion.fall, "least_effect": told.least_effect,
            "tried": [tier for tier in TIERS if (name, tier) in begun],
            **facts,
        })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=FILES)


def elsewhere(
    con: duckdb.DuckDBPyConnection, city: City, files: pa.Table, tasks: pa.Table, knobs: Knobs
) -> pa.Table:
    """Return one row an action led in another zone than its problem's, in order: ELSEWHERE.

    Facts of the problem's theme, counted as FILES counts them, where the action is. Views `cube`,
    `zones`, `weeks` and `grades_weekly`.
    """
    problems = {row["problem"]: row for row in files.to_pylist()}
    named, counted = [], []
    for task in tasks.to_pylist():
        of = problems.get(task["problem"])
        if of and task["zone"] and task["zone"] != of["zone"]:
            own = {name: task[name] for name in ("action", "problem", "zone", "sector")}
            named.append({**own, "theme": of["theme"]})
            counted.append(_counted(con, city, of["theme"], task["zone"], knobs))
    rows = [{**own, **facts} for own, facts in zip(named, _told(counted, knobs), strict=True)]
    return pa.Table.from_pylist(rows, schema=ELSEWHERE)


class Counted(NamedTuple):
    """Weekly facts of a theme in a zone: the last weeks, and as many just before, heard in both."""

    status: str
    recent: Floats = NO_WEEK
    before: Floats = NO_WEEK


def _counted(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, zone: str | None, knobs: Knobs
) -> Counted:
    found = con.execute(
        "SELECT division FROM zones WHERE code = ? ORDER BY division = ? DESC, 1",
        [zone, city.about.main_division],
    ).fetchone()
    if found is None or zone is None:
        return Counted(NO_ZONE)
    if theme not in city.themes:
        return Counted(LEFT_OUT)
    mondays = full_weeks(*last_days(city, 14 * knobs.window_weeks + 6))[-2 * knobs.window_weeks :]
    mondays = mondays[len(mondays) % 2 :]  # of a short period, two halves that end with it
    if not mondays:
        return Counted(TOO_FEW)
    after = mondays[-1] + dt.timedelta(weeks=1)
    rows = counts(con, ["zone", "week"], theme=theme, origins=knobs.origins, division=found[0],
                  span=(mondays[0], after))  # fmt: skip
    weekly = np.zeros(len(mondays))
    for place, week, n in rows:
        if place == zone:
            weekly[mondays.index(week)] = n
    half = len(mondays) // 2
    heard = of_theme(con, city, theme, found[0], [zone], mondays)[0]
    both = heard[:half] & heard[half:]  # a week and its like: the season stays the same
    before, recent = weekly[:half][both], weekly[half:][both]
    if both.sum() < knobs.heard_share * half:
        return Counted(SILENT, recent, before)
    few = recent.sum() + before.sum() < knobs.minimum_count or not (recent.any() and before.any())
    return Counted(TOO_FEW if few else OK, recent, before)


def _told(those: Sequence[Counted], knobs: Knobs) -> list[dict[str, Any]]:
    """Return recent, before, weeks, ratio, low, high, status of each: columns of FILES.

    The intervals hold together at `knobs.confidence` (Šidák 1967): all are read at once.
    """
    level = knobs.confidence ** (1 / max(sum(one.status == OK for one in those), 1))
    rows = []
    for status, recent, before in those:
        row: dict[str, Any] = {"status": status}
        if status not in (NO_ZONE, LEFT_OUT):
            row |= {"recent": int(recent.sum()), "before": int(before.sum()),
                    "weeks": len(recent)}  # fmt: skip
        if status == OK:
            ends = rate_ratio(recent, before, level)
            row |= dict(zip(("ratio", "low", "high"), ends, strict=True))
        rows.append(row)
    return rows
