"""Planned and done, action by action and quarter by quarter, and their sums.

Hours are kept to a tenth and summed as whole tenths: sums by tier, by theme and by quarter are
equal to the last digit. Hours done are those that rosters show (`actions`), and so are those that
the sector had in the action's own weeks and shifts; what a service says of itself stands beside,
and is not added to them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from helpers.core.place_time.calendar import quarters

DAY = dt.timedelta(days=1)
TEXT, REAL, WHOLE = pa.string(), pa.float64(), pa.int64()
ACCOUNT = pa.schema(
    [
        ("action", TEXT), ("problem", TEXT), ("tier", TEXT), ("theme", TEXT), ("sector", TEXT),
        ("quarter", pa.date32()), ("days", WHOLE), ("planned", REAL), ("told_planned", REAL),
        ("done", REAL), ("done_low", REAL), ("done_high", REAL), ("told", REAL),
        ("existing", REAL), ("verdict", TEXT), ("ratio", REAL), ("low", REAL), ("high", REAL),
        ("exploratory", pa.bool_()), ("why", TEXT), ("delivered", pa.bool_()),
    ]
)  # fmt: skip
SUMS = pa.schema(
    [
        ("by", TEXT), ("key", TEXT), ("actions", WHOLE), ("delivered", WHOLE), ("planned", REAL),
        ("done", REAL), ("done_low", REAL), ("done_high", REAL), ("told", REAL),
        ("unmeasured", WHOLE), ("effect", WHOLE),
        ("none_shown", WHOLE), ("unclear", WHOLE), ("not_judged", WHOLE), ("exploratory", WHOLE),
    ]
)  # fmt: skip
DONE_HOURS = ("done", "done_low", "done_high")
DONE = ("running", "off", "unregistered")
VERDICTS = {"effect": "effet", "none_shown": "pas_d_effet_demontre", "unclear": "non_concluant",
            "not_judged": None}  # fmt: skip
NOT_KNOWN = "inconnu"
Row = dict[str, Any]
Cells = dict[tuple[dt.date, str], float]  # week, shift → agent-hours
WEEK = 7


def account(
    actions: pa.Table, doses: pa.Table, effects: pa.Table, sector_hours: pa.Table,
    period: tuple[dt.date, dt.date], needed: int,
) -> pa.Table:  # fmt: skip
    """Return one row an action and quarter of the period in which it was done: ACCOUNT.

    `sector_hours`: what the sector of each action had in its weeks and shifts, as `actions` counts
    them. `existing` is what is there on its days of the quarter; all that actions of one sector
    did is never above what they had together. `needed`: approvals without which what the source
    does not tell of was not done. `delivered`: the source tells of it. `verdict` is null where
    `impact` judged nothing; numbers of one with a reason are not told.
    """
    judged = {row["key"]: row for row in effects.to_pylist() if row["scope"] == "action"}
    had: dict[str, Cells] = {}
    for row in sector_hours.to_pylist():
        had.setdefault(row["action"], {})[row["week"], row["shift"]] = row["hours"]
    rows: list[Row] = []
    for one, dose in zip(actions.to_pylist(), doses.to_pylist(), strict=True):
        approved = one["delivered"] or (one["approvals"] or 0) >= needed
        if one["state"] not in DONE or not approved:
            continue
        for quarter, days in overlaps(one["start"], one["end"] or period[1], period):
            there = existing([(had.get(one["action"], {}), days)])
            told = _row(one, dose, judged.get(one["action"]), len(days))
            rows.append(told | {"quarter": quarter, "existing": there, "on": days})
    _cap(rows, had)
    rows.sort(key=lambda row: (row["quarter"], row["action"]))
    return pa.Table.from_pylist(rows, schema=ACCOUNT)


def overlaps(
    start: dt.date, end: dt.date, period: tuple[dt.date, dt.date]
) -> Iterator[tuple[dt.date, set[dt.date]]]:
    """Yield the first day of each quarter of the period that the days touch, and which do."""
    first, last = max(start, period[0]), min(end, period[1])
    if first > last:
        return
    for begin, after in quarters(first, last):
        day, until = max(first, begin), min(last + DAY, after)
        yield begin, {day + n * DAY for n in range((until - day).days)}


def existing(parts: Sequence[tuple[Cells, set[dt.date]]]) -> float | None:
    """Return the hours that a sector had on days, in weeks and shifts; None where none is known.

    `parts`: of each action, what its sector had and its days; what two share is counted once. Days
    of weeks that rosters do not tell, or tell in part, are at the mean of those known.
    """
    cells = {cell: hours for held, _ in parts for cell, hours in held.items()}
    by_week: dict[dt.date, float] = {}
    for (week, _), hours in cells.items():
        by_week[week] = by_week.get(week, 0.0) + hours
    if not by_week:
        return None
    usual = sum(by_week.values()) / len(by_week)
    days = set().union(*(own for _, own in parts))
    weeks = (day - day.weekday() * DAY for day in sorted(days))
    return round(sum(by_week.get(week, usual) for week in weeks) / WEEK, 1)


def _row(one: Row, dose: Row, effect: Row | None, days: int) -> Row:
    weekly = {"planned": one["planned_h"], "told_planned": one["told_planned_h"],
              "told": one["told_h"],
              **{name: dose[f"{name}_h" if name == "done" else name]
                 for name in DONE_HOURS}}  # fmt: skip
    told = {name: None if v is None else round(v * days / WEEK, 1) for name, v in weekly.items()}
    names = ("action", "problem", "tier", "theme", "sector", "delivered")
    row: Row = {name: one[name] for name in names} | {"days": days, **told}
    row |= {"why": one["exploratory"] or None, "exploratory": bool(one["exploratory"])}
    if effect is not None:
        row["verdict"] = effect["verdict"]
        row["exploratory"] |= effect["exploratory"]
        row["why"] = row["why"] or effect["why"]
        row |= {name: None if effect["reason"] else effect[name]
                for name in ("ratio", "low", "high")}  # fmt: skip
    return row


def _cap(rows: list[Row], had: Mapping[str, Cells]) -> None:
    """Bring what an action did, and actions of one sector and quarter together, down to the hours.

    That the sector had there: a quarter may have had fewer than the action's other weeks.
    """
    for key in {(row["sector"], row["quarter"]) for row in rows}:
        own = [r for r in rows if (r["sector"], r["quarter"]) == key and r["done"] is not None]
        for row in own:
            if row["existing"] is not None:
                row["done"] = min(row["done"], row["existing"])
        have = existing([(had.get(row["action"], {}), row["on"]) for row in own])
        total = sum(row["done"] for row in own)
        for row in own:
            if have is not None and total > have:  # downwards: tenths do not add up to more
                row["done"] = int(row["done"] * have / total * 10) / 10
            row["done_low"] = min(row["done_low"], row["done"])
            if row["existing"] is not None:
                row["done_high"] = max(min(row["done_high"], row["existing"]), row["done"])


def sums(table: pa.Table) -> pa.Table:
    """Return the sums of an account, of all and by tier, theme and quarter: SUMS.

    An action is counted once in each; one that is in two quarters is counted in both. `done_low`
    and `done_high` add up the ends of the actions' intervals: wider than what they do together.
    """
    rows = table.to_pylist()
    found = [_sum("all", "", rows)]
    for by in ("tier", "theme", "quarter"):
        keys = sorted({str(row[by] or NOT_KNOWN) for row in rows})
        found += [_sum(by, k, [r for r in rows if str(r[by] or NOT_KNOWN) == k]) for k in keys]
    return pa.Table.from_pylist(found, schema=SUMS)


def _sum(by: str, key: str, rows: list[Row]) -> Row:
    each = {row["action"]: row for row in rows}.values()
    counted = {name: sum(row["verdict"] == code for row in each)
               for name, code in VERDICTS.items()}  # fmt: skip
    return {
        "by": by, "key": key, "actions": len(each), **counted,
        "delivered": sum(bool(row["delivered"]) for row in each),
        **{name: tenths(row[name] for row in rows) for name in ("planned", *DONE_HOURS, "told")},
        "unmeasured": sum(row["done"] is None for row in each),
        "exploratory": sum(row["exploratory"] for row in each),
    }  # fmt: skip


def tenths(values: Iterable[float | None]) -> float | None:
    """Return the sum of hours kept to a tenth, exactly; None, not 0, where none is known."""
    known = [round(10 * value) for value in values if value is not None]
    return sum(known) / 10 if known else None
