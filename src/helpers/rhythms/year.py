"""What the year does to rhythms: seasons, nights when the clock changes; each day's count."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from helpers.core.base import store
from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.place_time.calendar import (
    hour_of_week,
    last_window,
    lived_hours,
    odd_hours,
)
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import heard_days
from helpers.core.stage.run import Run
from helpers.core.stats.intervals import DIGITS, poisson_interval
from helpers.core.stats.month_season import month_ratios
from helpers.rhythms.knobs import Knobs
from helpers.rhythms.week import TOO_FEW

Floats = NDArray[np.float64]
LEAST_DAYS = 14  # heard of a month, for its year to be whole
LEAST_YEARS = 2  # with one year, a season cannot be told from what happened that year
# Reasons to abstain, beside TOO_FEW: of a season, then of a change of clock.
NOT_DATED, TOO_FEW_YEARS, EMPTY_MONTH = "not_dated", "too_few_years", "empty_month"
SKIPPED_HOUR, NOTHING_USUAL = "skipped_hour", "nothing_usual"
SEASONS = pa.schema(
    [
        ("theme", pa.string()), ("month", pa.int64()), ("n", pa.int64()), ("days", pa.int64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("years", pa.int64()), ("p", pa.float64()), ("status", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip
CLOCK = pa.schema(
    [
        ("theme", pa.string()), ("hour", pa.timestamp("us")), ("lived_h", pa.float64()),
        ("n", pa.int64()), ("rate", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("usual", pa.float64()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def event_days(run: Run) -> set[dt.date]:
    """Return the days of the city's events, from the context source that names them, if any."""
    events = run.city.about.holidays.events
    if events is None:
        return set()
    path = run.read(f"accepted/{events.source}.parquet")
    rows = run.con.execute(f"SELECT {store.quote(events.day)} FROM read_parquet(?)", [str(path)])
    return {row[0] for row in rows.fetchall()}


def daily_counts(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, days: Collection[dt.date]
) -> dict[dt.date, int]:
    """Return the count of each of these days, without those of silent weeks or not covered.

    Empty where no fact of the theme is dated to the day. Views `cube`, `weeks`.
    """
    each_day = dict(counts(con, ["day"], theme=theme))
    if not each_day or not days:
        return {}
    sources = city.themes[theme].sources
    apart = coverage.of_theme(city, theme, city.about.main_division).city
    heard = heard_days(con, sources, min(days), max(days) + dt.timedelta(days=1), apart)
    return {day: each_day.get(day, 0) for day in heard if day in days}


def daily(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, kinds: Mapping[dt.date, str]
) -> dict[str, list[int]]:
    """Return kind → counts of its days, without those of silent weeks. Views `cube`, `weeks`.

    Days that the contract does not cover are left out too.
    """
    found: dict[str, list[int]] = {}
    for day, n in daily_counts(con, city, theme, kinds.keys()).items():
        found.setdefault(kinds[day], []).append(n)
    return found


def seasons(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return SEASONS: each month's daily count against the mean day of the year, over whole years.

    What rises or falls all through the years is taken out, and months that are alike because they
    follow one another are no proof (`month_ratios`). `p` is the chance of such a season, or a
    stronger one, were there none; the themes are judged together (Benjamini & Hochberg 1995).
    Views `cube` and `weeks`.
    """
    period = city.about.period
    count = (period.end - period.start).days + 1
    all_days = (period.start + dt.timedelta(days=i) for i in range(count))
    months = {day: day.isoformat()[:7] for day in all_days}
    rows: list[dict[str, Any]] = []
    for theme in city.themes:
        rows += _season(theme, daily(con, city, theme, months), knobs)
    told = sorted({(r["theme"], r["p"]) for r in rows if r["status"] == "ok"})
    if told:
        judged = stats.false_discovery_control([p for _, p in told])
        held = {theme: round(float(p), DIGITS) for (theme, _), p in zip(told, judged, strict=True)}
        rows = [{**r, "p": held.get(r["theme"])} for r in rows]
    return pa.Table.from_pylist(rows, schema=SEASONS)


def _season(theme: str, found: Mapping[str, list[int]], knobs: Knobs) -> list[dict[str, Any]]:
    years = sorted({key[:4] for key in found})
    months = [[found.get(f"{y}-{m:02}", []) for m in range(1, 13)] for y in years]
    told_of = {
        int(y): row for y, row in zip(years, months, strict=True)
        if all(len(days) >= LEAST_DAYS for days in row) and sum(map(sum, row)) > 0
    }  # fmt: skip
    whole = list(told_of.values())
    n = np.array([[sum(days) for days in row] for row in whole])
    days = np.array([[len(days) for days in row] for row in whole])
    reason = (
        NOT_DATED if not found
        else TOO_FEW_YEARS if len(whole) < LEAST_YEARS
        else TOO_FEW if n.sum() < knobs.minimum_count
        else EMPTY_MONTH if (n.sum(axis=0) <= 0).any()
        else ""
    )  # fmt: skip
    if reason:
        return [{"theme": theme, "n": int(n.sum()) if whole else None, "years": len(whole),
                 "status": "abstained",
                 "reason": reason}]  # fmt: skip
    ratio, low, high, p = month_ratios(n, days, list(told_of), knobs.confidence)
    return [
        {
            "theme": theme, "month": i + 1, "n": int(n[:, i].sum()),
            "days": int(days[:, i].sum()), "ratio": float(ratio[i]), "low": float(low[i]),
            "high": float(high[i]), "years": len(whole), "p": p, "status": "ok", "reason": "",
        }
        for i in range(12)
    ]  # fmt: skip


def clock_changes(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return CLOCK: the hours of the last `window_days` days that were lived twice, or not at all.

    Only facts known to the hour count, here and in `usual`, the rate of the same hour of the other
    weeks. The intervals hold together for all themes (Bonferroni). Views `cube` and `weeks`.
    """
    first, after = last_window(city, knobs.window_days)
    sure = 1 - (1 - knobs.confidence) / max(len(city.themes), 1)
    rows = []
    for theme, about in city.themes.items():
        apart = coverage.of_theme(city, theme, city.about.main_division).city
        heard = heard_days(con, about.sources, first, after, apart)
        lived = lived_hours(city.about.timezone, heard)
        for hour, length in odd_hours(city.about.timezone, heard).items():
            row: dict[str, Any] = {"theme": theme, "hour": hour, "lived_h": length}
            n, others = _known_at(con, theme, hour, (first, after))
            weeks = lived[hour.weekday() * 24 + hour.hour] - length
            reason = (
                SKIPPED_HOUR if not length
                else NOTHING_USUAL if not others or weeks <= 0
                else ""
            )  # fmt: skip
            if reason:
                rows.append({**row, "status": "abstained", "reason": reason})
                continue
            low, high = poisson_interval(n, sure)
            rates = (round(float(v) / length, DIGITS) for v in (n, low, high))
            row |= dict(zip(("rate", "low", "high"), rates, strict=True))
            row |= {"n": n, "usual": round(others / weeks, DIGITS), "status": "ok", "reason": ""}
            rows.append(row)
    return pa.Table.from_pylist(rows, schema=CLOCK)


def _known_at(
    con: duckdb.DuckDBPyConnection, theme: str, hour: dt.datetime, span: tuple[dt.date, dt.date]
) -> tuple[int, int]:
    """Return the facts known to the hour: in this one, and in the same of other weeks of a span."""
    row = con.execute(
        "SELECT sum(n) FILTER (hour = $at), sum(n) FILTER (hour != $at) FROM cube "
        "WHERE theme = $theme AND hour = hour_end AND time_precision IN ('minute', 'hour') "
        "AND hour >= $first AND hour < $after "
        f"AND {hour_of_week('hour')} = {hour_of_week('CAST($at AS TIMESTAMP)')}",
        {"theme": theme, "at": hour, "first": span[0], "after": span[1]},
    ).fetchone()
    n, others = row or (0, 0)
    return int(n or 0), int(others or 0)
