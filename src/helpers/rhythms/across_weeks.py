"""How the hours of the week vary from one week to the next: what chance alone would not do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base import store
from helpers.core.place_time.calendar import HOURS_OF_WEEK, hour_of_week
from helpers.core.place_time.counts import DATED, HOURLY

Floats = NDArray[np.float64]
BUSIEST = 6  # hours in a row
LENGTH = f"CASE WHEN {HOURLY} THEN date_diff('hour', hour, hour_end) + 1 END"


def chosen(
    theme: str, start: dt.date, after: dt.date, zone: tuple[str, str] | None
) -> tuple[str, list[Any]]:
    """Return the SQL condition of a theme's rows in a span and a zone, and its values."""
    where = f"theme = ? AND hour >= ? AND hour < ? AND {DATED}"
    if zone is None:
        return where, [theme, start, after]
    return f"{where} AND {store.quote(f'zone_{zone[0]}')} = ?", [theme, start, after, zone[1]]


def by_week(
    con: duckdb.DuckDBPyConnection,
    theme: str,
    days: Sequence[dt.date],
    max_interval_h: int,
    zone: tuple[str, str] | None = None,
) -> Floats:
    """Return how many facts began in each hour of each week of `days`: (weeks, 168). View `cube`.

    Facts whose interval is longer than `max_interval_h` by the clock are left out. Weeks at either
    end may be cut: they count as the part of one that they are.
    """
    if not days:
        return np.zeros((0, HOURS_OF_WEEK))
    where, values = chosen(theme, days[0], days[-1] + dt.timedelta(days=1), zone)
    rows = con.execute(
        f"SELECT date_trunc('week', hour)::DATE, {hour_of_week('hour')}, sum(n) FROM cube "
        f"WHERE {where} AND {LENGTH} <= ? GROUP BY ALL ORDER BY ALL",
        [*values, max_interval_h],
    ).fetchall()
    weeks = sorted({day - dt.timedelta(days=day.weekday()) for day in days})
    place = {monday: i for i, monday in enumerate(weeks)}
    found = np.zeros((len(weeks), HOURS_OF_WEEK))
    for monday, hour, n in rows:
        if monday in place:
            found[place[monday], hour] = n
    return found


def spread(weeks: Floats) -> Floats:
    """Return how much more than chance the counts of each hour vary from week to week (168,).

    At least 1. `weeks` (weeks, 168). The greater of two figures, for all hours alike: Pearson's
    statistic over its degrees of freedom (McCullagh & Nelder 1989, §4.5); and, since what moves a
    day moves its busy hours most, 1 + α × the hour's mean, α being the excess of the variance over
    the mean in units of the squared mean. Seasons count as variation.
    """
    if len(weeks) < 2 or not weeks.any():
        return np.ones(HOURS_OF_WEEK)
    mean = weeks.mean(axis=0)
    variance = weeks.var(axis=0, ddof=1)
    seen = mean > 0
    alike = float((variance[seen] / mean[seen]).mean())
    alpha = max(float((variance - mean).sum() / (mean**2).sum()), 0.0)
    return np.asarray(np.maximum(max(1.0, alike), 1 + alpha * mean), dtype=np.float64)


def together(weeks: Floats, top: int) -> float:
    """Return how much more than chance the share of the run from `top` on varies, at least 1.

    What one night brings, its hours share: the run's facts in each week, less what its share of the
    week's would be, summed as whole weeks (Liang & Zeger 1986, Biometrika 73), over what chance
    makes of so many facts. `weeks` (weeks, 168).
    """
    total = float(weeks.sum())
    run = weeks[:, (top + np.arange(BUSIEST)) % HOURS_OF_WEEK].sum(axis=1)
    share = float(run.sum()) / max(total, 1.0)
    if len(weeks) < 2 or not 0 < share < 1:
        return 1.0
    left = run - share * weeks.sum(axis=1)
    clustered = float((left**2).sum()) * len(weeks) / (len(weeks) - 1)
    return max(1.0, clustered / (total * share * (1 - share)))
