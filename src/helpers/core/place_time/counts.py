"""The one reader of the cube: how many facts, by what is asked for.

Every question put to the cube goes through here, so that what counts is decided once: facts known
by the month or the year alone are in no day, week or window; those without an hour, in no hour and
no slot; a fact off every outline is in no zone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, Literal

import duckdb

from helpers.core.base.store import quote
from helpers.core.city.names import NO_PLACE, OUTSIDE, Origin

Dimension = Literal["theme", "source", "category", "origin", "cell", "zone", "hour", "day", "week",
                    "month", "year", "slot", "working_day", "six_hours"]  # fmt: skip
Span = tuple[dt.date, dt.date]
HOURLY = "time_precision IN ('minute', 'hour')"
DATED = "time_precision IN ('minute', 'hour', 'day')"
MONTHLY = "time_precision != 'year'"
CLOCKED = ("hour", "slot", "six_hours")  # dimensions of facts whose hour is known
SQL = {
    "day": "CAST(hour AS DATE)",
    "week": "CAST(date_trunc('week', hour) AS DATE)",
    "month": "CAST(date_trunc('month', hour) AS DATE)",
    "year": "year(hour)",
    "six_hours": "hour(hour) // 6",  # 0 from midnight on, to 3
}


def counts(
    con: duckdb.DuckDBPyConnection,
    by: Sequence[Dimension],
    *,
    theme: str | None = None,
    themes: Collection[str] | None = None,
    source: str | None = None,
    origins: Collection[Origin] | None = None,
    division: str | None = None,
    span: Span | None = None,
    placed: bool = False,
    monthly: bool = False,
    yearly: bool = False,
) -> list[tuple[Any, ...]]:
    """Return one row a group: the value of each dimension of `by`, then the number of facts.

    Rows are in the order of their values. `week` is a Monday. `zone` is that of `division`, and
    may be `outside`, `no_place` or None (a division that does not tell) unless `placed`. `span`:
    first day, day after the last. `monthly` lets in the facts known by the month alone, `yearly`
    those known by the year too. View `cube`.
    """
    zone = quote(f"zone_{division}")
    where: dict[str, list[Any]] = {}
    if set(by) & set(CLOCKED):
        where[HOURLY] = []
    if not yearly:
        where[MONTHLY if monthly else DATED] = []
    for column, value in (("theme", theme), ("source", source)):
        if value is not None:
            where[f"{column} = ?"] = [value]
    for column, chosen in (("theme", themes), ("origin", origins)):
        if chosen is not None:
            where[f"list_contains(?, {column})"] = [list(chosen)]
    if span is not None:
        where["hour >= ? AND hour < ?"] = list(span)
    if "cell" in by:
        where["cell IS NOT NULL"] = []
    if placed:
        where[f"{zone} NOT IN ('{OUTSIDE}', '{NO_PLACE}')"] = []
    told = ", ".join({**SQL, "zone": zone}.get(name, quote(name)) for name in by)
    rows: list[tuple[Any, ...]] = con.execute(
        f"SELECT {told + ', ' if by else ''}CAST(coalesce(sum(n), 0) AS BIGINT) FROM cube "
        f"WHERE {' AND '.join(where) or 'TRUE'} {'GROUP BY ALL' if by else ''} ORDER BY ALL",
        [value for values in where.values() for value in values],
    ).fetchall()
    return rows


def counts_in(
    con: duckdb.DuckDBPyConnection, theme: str, division: str, windows: Sequence[Span]
) -> dict[str, list[int]]:
    """Return zone → its count in each window (`outside` and `no_place` too). View `cube`."""
    sums = ", ".join(
        f"coalesce(sum(n) FILTER (hour >= DATE '{a}' AND hour < DATE '{b}'), 0)" for a, b in windows
    )
    rows = con.execute(
        f"SELECT {quote(f'zone_{division}')}, {sums} FROM cube WHERE theme = ? AND {DATED} "
        "GROUP BY 1 ORDER BY 1",
        [theme],
    ).fetchall()
    return {row[0]: [int(n) for n in row[1:]] for row in rows}
