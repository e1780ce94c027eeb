"""A day of weekend beside any other day: the ratio of their mean counts, theme by theme."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import pyarrow as pa

from helpers.core.city.city import City
from helpers.core.place_time.calendar import window
from helpers.core.place_time.counts import Span, counts
from helpers.core.stats.intervals import rate_ratio
from helpers.traffic.knobs import Knobs

SATURDAY = 5
RATIOS = pa.schema(
    [
        ("theme", pa.string()), ("n", pa.int64()), ("days", pa.int64()), ("ratio", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("status", pa.string()),
    ]
)  # fmt: skip


def measure(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return one row a theme (schema `RATIOS`), over the last `window_days` of the city's period.

    `ratio`: the mean count of a day of weekend over that of another day, with its interval
    (quasi-Poisson, `rate_ratio`). `days` are those of weeks when its sources were heard: the
    others are neither facts nor zeros. `status`: `ok`, or `too_few` under `minimum_count` facts or
    with none on one side. Views `cube` and `weeks`.
    """
    span = window(city.about.period.end, knobs.window_days)
    found = {(theme, day): n for theme, day, n in counts(con, ["theme", "day"], span=span)}
    rows: list[dict[str, Any]] = []
    for name, theme in city.themes.items():
        days = _heard(con, theme.sources, span)
        weekend = [found.get((name, day), 0) for day in days if day.weekday() >= SATURDAY]
        others = [found.get((name, day), 0) for day in days if day.weekday() < SATURDAY]
        total = sum(weekend) + sum(others)
        row = {"theme": name, "n": total, "days": len(days), "status": "too_few"}
        if total >= knobs.minimum_count and sum(weekend) and sum(others):
            ratio, low, high = rate_ratio(weekend, others, knobs.confidence)
            row |= {"ratio": ratio, "low": low, "high": high, "status": "ok"}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=RATIOS)


def _heard(con: duckdb.DuckDBPyConnection, sources: tuple[str, ...], span: Span) -> list[dt.date]:
    """Return the days of the span in weeks when every source was heard."""
    silent = con.execute(
        "SELECT DISTINCT week FROM weeks WHERE list_contains(?, source) AND status = 'missing'",
        [list(sources)],
    )
    mondays = {week for (week,) in silent.fetchall()}
    first, after = span
    days = (first + dt.timedelta(days=i) for i in range((after - first).days))
    return [day for day in days if day - dt.timedelta(days=day.weekday()) not in mondays]
