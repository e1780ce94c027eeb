"""A feed that dies slowly, or loses a part: the last weeks against the same weeks of past years.

Neither is a silence (it still brings something) nor, where it takes years, a dated step. Weekly
counts, brought to what they will be once all is entered, are compared with those of the same weeks
of each past year by a quasi-Poisson ratio; the season is the same on both sides.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from helpers.core.base.store import literal
from helpers.core.city.names import WHOLE
from helpers.core.stats.intervals import rate_ratio

LATELY = 13  # weeks
HEARD = 8  # of them, and of each past year's, at least
YEAR = 52
LESS = 0.6  # told where the whole interval lies below
CONFIDENCE = 0.99
GRADE = {"less": "C", "ok": "A"}  # of the weeks compared, and of the source
DECAY = pa.schema(
    [
        ("source", pa.string()), ("first", pa.date32()), ("last", pa.date32()),
        ("against", pa.date32()), ("ratio", pa.float64()), ("low", pa.float64()),
        ("high", pa.float64()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def judge(n: list[float | None]) -> tuple[int, tuple[float, float, float]] | None:
    """Return how many years ago the feed brought most, and the ratio to it; None where unknown.

    `n`: counts of successive weeks, None where the source was missing; the last `LATELY` are
    compared with the same weeks of each past year. The ratio comes with its interval.
    """
    now = [one for one in n[-LATELY:] if one is not None]
    found: list[tuple[float, int, tuple[float, float, float]]] = []
    for years in range(1, len(n) // YEAR + 1):
        end = len(n) - YEAR * years
        then = [one for one in n[max(0, end - LATELY) : end] if one is not None]
        if min(len(now), len(then)) >= HEARD and sum(now) > 0 and sum(then) > 0:
            told = rate_ratio(np.array(now), np.array(then), CONFIDENCE)
            found.append((told[0], years, told))
    if not found:
        return None
    _, years, told = min(found)
    return years, told


def find(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the ratio of each source's last weeks to those of its best year (rows of DECAY).

    `status`: `less` where the whole interval lies below `LESS`, `ok`, or `abstained`. Views `weeks`
    and `nowcast`.
    """
    rows = con.execute(
        "SELECT source, week, CASE WHEN w.status = 'ok' THEN n / coalesce(share_in, 1) END AS n "
        f"FROM weeks w LEFT JOIN (SELECT * FROM nowcast WHERE division = {literal(WHOLE)}) USING "
        "(source, week) ORDER BY ALL"
    ).fetchall()
    series: dict[str, list[tuple[dt.date, float | None]]] = {}
    for source, week, n in rows:
        series.setdefault(source, []).append((week, n))
    found: list[dict[str, Any]] = []
    for source, told in series.items():
        row: dict[str, Any] = {"source": source, "first": told[-LATELY:][0][0], "last": told[-1][0]}
        judged = judge([n for _, n in told])
        if judged is None:
            found.append({**row, "status": "abstained", "reason": "no_past_year"})
            continue
        years, (ratio, low, high) = judged
        against = told[max(0, len(told) - YEAR * years - LATELY)][0]
        status = "less" if high < LESS else "ok"
        found.append({**row, "against": against, "ratio": ratio, "low": low, "high": high,
                      "status": status, "reason": ""})  # fmt: skip
    return pa.Table.from_pylist(found, schema=DECAY)
