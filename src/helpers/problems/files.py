"""The file of each problem, step by step: scanning, analysis, response, assessment (SARA).

Eck, J. & Spelman, W. (1987), Problem-Solving: Problem-Oriented Policing in Newport News. What is
told comes from the register's snapshot, the actions (`actions`) and their effects (`impact`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from helpers.core.city.city import City
from helpers.core.place_time.calendar import full_weeks, last_days
from helpers.core.place_time.counts import counts
from helpers.core.stats.intervals import rate_ratio
from helpers.problems.knobs import Knobs
from helpers.register import rules
from helpers.register.codes import TIERS
from helpers.register.entries import Entry, Problem

TEXT, DAY = pa.string(), pa.date32()
OK, NO_ZONE, LEFT_OUT, TOO_FEW = "ok", "no_zone", "theme_left_out", "too_few"
FILES = pa.schema(
    [
        ("problem", TEXT), ("theme", TEXT), ("zone", TEXT), ("sector", TEXT), ("since", DAY),
        ("taken_up", DAY), ("role", TEXT), ("review_on", DAY), ("late", pa.bool_()),
        ("hypotheses", pa.list_(TEXT)), ("goal", TEXT), ("fall", pa.float64()),
        ("least_effect", pa.float64()), ("tried", pa.list_(TEXT)), ("recent", pa.int64()),
        ("before", pa.int64()), ("ratio", pa.float64()), ("low", pa.float64()),
        ("high", pa.float64()), ("status", TEXT),
    ]
)  # fmt: skip
TASKS = pa.schema(
    [
        ("problem", TEXT), ("action", TEXT), ("zone", TEXT), ("sector", TEXT), ("tier", TEXT),
        ("response", TEXT), ("lead", TEXT), ("start", DAY), ("end", DAY), ("end_in_force", DAY),
        ("renewals", pa.int64()), ("state", TEXT), ("planned_h", pa.float64()),
        ("told_planned_h", pa.float64()), ("done_h", pa.float64()), ("seen", pa.bool_()),
        ("detectable", pa.float64()), ("power", pa.float64()), ("verdict", TEXT),
        ("exploratory", pa.bool_()), ("why", TEXT), ("changed", pa.list_(TEXT)),
    ]
)  # fmt: skip
ELSEWHERE = pa.schema(
    [
        ("action", TEXT), ("problem", TEXT), ("theme", TEXT), ("zone", TEXT), ("sector", TEXT),
        ("recent", pa.int64()), ("before", pa.int64()), ("ratio", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("status", TEXT),
    ]
)  # fmt: skip
BEGUN = ("running", "off", "unregistered")


def tasks(actions: pa.Table, doses: pa.Table, powers: pa.Table, effects: pa.Table) -> pa.Table:
    """Return who does what, until when, and what came of it: one row an action of a problem.

    `zone` is that of the action's point, which may not be its problem's. `lead` is a role.
    `verdict` is `impact`'s, null where it judged nothing; `why` it is exploratory.
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
    """Return one row a problem of the register, in order: FILES. View `cube` and `zones`.

    Facts of its theme in its zone, in the last `window_weeks` whole weeks and in as many before.
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
    rows = []
    for name in sorted(now):
        entry, told = now[name]
        theme = told.criterion.theme
        rows.append({
            "problem": name, "theme": theme, "zone": told.zone,
            "sector": sectors.get(told.zone or ""), "since": told.since,
            "taken_up": rules.day_of(first[name]), "role": entry.draft.role, "review_on": told.end,
            "late": told.end < today, "hypotheses": list(told.hypotheses or ()), "goal": told.goal,
            "fall": told.criterion.fall, "least_effect": told.least_effect,
            "tried": [tier for tier in TIERS if (name, tier) in begun],
            **_facts(con, city, theme, told.zone, knobs),
        })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=FILES)


def elsewhere(
    con: duckdb.DuckDBPyConnection, city: City, files: pa.Table, tasks: pa.Table, knobs: Knobs
) -> pa.Table:
    """Return one row an action led in another zone than its problem's, in order: ELSEWHERE.

    Facts of the problem's theme, counted as FILES counts them, where the action is. View `cube`
    and `zones`.
    """
    problems = {row["problem"]: row for row in files.to_pylist()}
    rows = []
    for task in tasks.to_pylist():
        of = problems.get(task["problem"])
        if of and task["zone"] and task["zone"] != of["zone"]:
            named = {name: task[name] for name in ("action", "problem", "zone", "sector")}
            counted = _facts(con, city, of["theme"], task["zone"], knobs)
            rows.append({**named, "theme": of["theme"], **counted})
    return pa.Table.from_pylist(rows, schema=ELSEWHERE)


def _facts(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, zone: str | None, knobs: Knobs
) -> dict[str, Any]:
    found = con.execute(
        "SELECT division FROM zones WHERE code = ? ORDER BY division = ? DESC, 1",
        [zone, city.about.main_division],
    ).fetchone()
    if found is None:
        return {"status": NO_ZONE}
    if theme not in city.themes:
        return {"status": LEFT_OUT}
    mondays = full_weeks(*last_days(city, 14 * knobs.window_weeks + 6))[-2 * knobs.window_weeks :]
    after = mondays[-1] + dt.timedelta(weeks=1)
    rows = counts(con, ["zone", "week"], theme=theme, origins=knobs.origins, division=found[0],
                  span=(mondays[0], after))  # fmt: skip
    weekly = np.zeros(len(mondays))
    for place, week, n in rows:
        if place == zone:
            weekly[mondays.index(week)] = n
    half = len(mondays) // 2
    before, recent = weekly[:half], weekly[half:]
    told: dict[str, Any] = {"recent": int(recent.sum()), "before": int(before.sum())}
    if weekly.sum() < knobs.minimum_count or not (recent.any() and before.any()):
        return {**told, "status": TOO_FEW}
    value, low, high = rate_ratio(recent, before, knobs.confidence)
    return {**told, "ratio": value, "low": low, "high": high, "status": OK}
