"""Planned and done, action by action and quarter by quarter, and their sums.

Hours are kept to a tenth and summed as whole tenths: sums by tier, by theme and by quarter are
equal to the last digit. Hours done are those that rosters show (`actions`); what a service says of
itself stands beside, and is not added to them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from helpers.core.base.store import quote
from helpers.core.city.city import City
from helpers.core.place_time.calendar import quarters

TEXT, REAL, WHOLE = pa.string(), pa.float64(), pa.int64()
ACCOUNT = pa.schema(
    [
        ("action", TEXT), ("problem", TEXT), ("tier", TEXT), ("theme", TEXT), ("sector", TEXT),
        ("quarter", pa.date32()), ("days", WHOLE), ("planned", REAL), ("done", REAL),
        ("done_low", REAL), ("done_high", REAL), ("told", REAL), ("existing", REAL),
        ("verdict", TEXT), ("ratio", REAL), ("low", REAL), ("high", REAL),
        ("exploratory", pa.bool_()), ("why", TEXT),
    ]
)  # fmt: skip
SUMS = pa.schema(
    [
        ("by", TEXT), ("key", TEXT), ("actions", WHOLE), ("planned", REAL), ("done", REAL),
        ("told", REAL), ("unmeasured", WHOLE), ("effect", WHOLE), ("none_shown", WHOLE),
        ("unclear", WHOLE), ("not_judged", WHOLE), ("exploratory", WHOLE),
    ]
)  # fmt: skip
DONE = ("running", "off", "unregistered")
VERDICTS = {"effect": "effet", "none_shown": "pas_d_effet_demontre", "unclear": "non_concluant",
            "not_judged": None}  # fmt: skip
NOT_KNOWN = "inconnu"
HOURS = ("planned", "done", "done_low", "done_high", "told")
Row = dict[str, Any]


def existing(con: duckdb.DuckDBPyConnection, city: City) -> dict[tuple[str, dt.date], float]:
    """Return (sector, first day of a quarter) → agent-hours that rosters tell. View of the source.

    Nothing where the city tells no hours of patrol.
    """
    about = city.about.patrols
    if about is None:
        return {}
    rows = con.execute(
        f"SELECT {quote(about.zone)}, CAST(date_trunc('quarter', {quote(about.day)}) AS DATE), "
        f"CAST(sum({quote(about.hours)}) AS DOUBLE) FROM {quote(about.source)} "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return {(sector, quarter): round(hours, 1) for sector, quarter, hours in rows}


def account(
    actions: pa.Table, doses: pa.Table, effects: pa.Table,
    hours: Mapping[tuple[str, dt.date], float], period: tuple[dt.date, dt.date], needed: int,
) -> pa.Table:  # fmt: skip
    """Return one row an action and quarter of the period in which it was done: ACCOUNT.

    `hours`: what each sector had in each quarter; all that actions did there is never above it.
    `needed`: approvals without which what the source does not tell of was not done. `verdict` is
    null where `impact` judged nothing; numbers of one with a reason are not told.
    """
    judged = {row["key"]: row for row in effects.to_pylist() if row["scope"] == "action"}
    rows: list[Row] = []
    for one, dose in zip(actions.to_pylist(), doses.to_pylist(), strict=True):
        approved = one["delivered"] or (one["approvals"] or 0) >= needed
        if one["state"] not in DONE or not approved:
            continue
        for quarter, days in overlaps(one["start"], one["end"] or period[1], period):
            rows.append(_row(one, dose, judged.get(one["action"]), quarter, days, hours))
    _cap(rows)
    rows.sort(key=lambda row: (row["quarter"], row["action"]))
    return pa.Table.from_pylist(rows, schema=ACCOUNT)


def overlaps(
    start: dt.date, end: dt.date, period: tuple[dt.date, dt.date]
) -> Iterator[tuple[dt.date, int]]:
    """Yield the first day of each quarter of the period that the days touch, and how many do."""
    first, last = max(start, period[0]), min(end, period[1])
    if first > last:
        return
    for begin, after in quarters(first, last):
        yield begin, (min(last, after - dt.timedelta(days=1)) - max(first, begin)).days + 1


def _row(
    one: Row, dose: Row, effect: Row | None, quarter: dt.date, days: int,
    hours: Mapping[tuple[str, dt.date], float],
) -> Row:  # fmt: skip
    weekly = {"planned": one["planned_h"], "told": one["told_h"],
              **{name: dose[f"{name}_h" if name == "done" else name]
                 for name in ("done", "done_low", "done_high")}}  # fmt: skip
    told = {name: None if v is None else round(v * days / 7, 1) for name, v in weekly.items()}
    row: Row = {name: one[name] for name in ("action", "problem", "tier", "theme", "sector")}
    row |= {
        "quarter": quarter,
        "days": days,
        **told,
        "existing": hours.get((one["sector"], quarter)),
    }
    row |= {"why": one["exploratory"] or None, "exploratory": bool(one["exploratory"])}
    if effect is not None:
        row["verdict"] = effect["verdict"]
        row["exploratory"] |= effect["exploratory"]
        row |= {name: None if effect["reason"] else effect[name]
                for name in ("ratio", "low", "high")}  # fmt: skip
    return row


def _cap(rows: list[Row]) -> None:
    """Bring what actions of one sector and quarter did together down to the hours it had."""
    for key in {(row["sector"], row["quarter"]) for row in rows}:
        own = [r for r in rows if (r["sector"], r["quarter"]) == key and r["done"] is not None]
        have = own[0]["existing"] if own else None
        total = sum(row["done"] for row in own)
        if have is not None and total > have:
            for row in own:  # downwards, so that tenths do not add up to more
                row["done"] = int(row["done"] * have / total * 10) / 10
                row["done_low"] = min(row["done_low"], row["done"])


def sums(table: pa.Table) -> pa.Table:
    """Return the sums of an account, of all and by tier, theme and quarter: SUMS.

    An action is counted once in each; one that is in two quarters is counted in both.
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
        **{name: tenths(row[name] for row in rows) for name in ("planned", "done", "told")},
        "unmeasured": sum(row["done"] is None for row in each),
        "exploratory": sum(row["exploratory"] for row in each),
    }  # fmt: skip


def tenths(values: Iterable[float | None]) -> float | None:
    """Return the sum of hours kept to a tenth, exactly; None, not 0, where none is known."""
    known = [round(10 * value) for value in values if value is not None]
    return sum(known) / 10 if known else None
