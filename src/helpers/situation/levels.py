"""What is going on: each zone's last day, week, month against what was to be expected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.place_time.calendar import window
from helpers.core.place_time.counts import Span, counts, counts_in
from helpers.core.stats.intervals import predictive_interval
from helpers.situation import monthly
from helpers.situation.knobs import Knobs

SILENT, TOO_FEW_REFERENCES = "silent", "too_few_references"  # why nothing is said
# Share of a window's days that may be missing: a year is not mute for a fortnight, a week is for
# a day. The count of such a window is low by as much at most.
TOLERATED = 0.05
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("period_days", pa.int64()), ("division", pa.string()),
        ("zone", pa.string()), ("n", pa.int64()), ("expected", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("references", pa.int64()),
        ("level", pa.string()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


YEAR = dt.timedelta(days=364)  # the whole weeks nearest to a year


def reference_windows(end: dt.date, days: int, count: int, earliest: dt.date) -> list[Span]:
    """Return up to `count` comparable past windows (first day, day after), the latest first.

    Those of the same season in past years, and their neighbours on both sides; where the past is
    too short for two of them, the windows just before. All are whole weeks away: a Tuesday is
    compared with Tuesdays. A window longer than 52 weeks would overlap that of a year before: its
    years lie as many whole weeks apart as it takes, 53 for 365 days, so that no past year is
    skipped; each such window holds every season, wherever it starts.
    """
    step = dt.timedelta(weeks=-(-days // 7))
    apart_by = max(YEAR, step)
    first, after = window(end, days)
    years = range(1, (first - earliest).days // apart_by.days + 1)
    season = [apart_by * year + step * side for year in years for side in (0, -1, 1)]
    before = [step * i for i in range(1, count + 1)]
    found: list[Span] = []
    for shifts in (season, before):
        found = []
        for start, end_of in ((first - shift, after - shift) for shift in shifts):
            apart = all(end_of <= a or start >= b for a, b in [(first, after), *found])
            if apart and start >= earliest and end_of <= first:
                found.append((start, end_of))
        if len(found) >= 2:
            break
    return sorted(found[:count], reverse=True)


def heard(
    con: duckdb.DuckDBPyConnection,
    source: str,
    windows: Sequence[Span],
    apart: Collection[dt.date] = (),
) -> list[Span]:
    """Return the windows whose days nearly all came (`TOLERATED`). View `days`.

    `apart`: days that the contract does not cover.
    """
    rows = con.execute(
        "SELECT day FROM days WHERE source = ? AND division = ? AND status = 'missing'",
        [source, WHOLE],
    )
    silent = {*apart, *(row[0] for row in rows.fetchall())}
    return [
        (a, b)
        for a, b in windows
        if sum(a <= day < b for day in silent) <= TOLERATED * (b - a).days
    ]


def judge(n: int, references: list[int], knobs: Knobs) -> dict[str, Any]:
    """Return expected, low, high, level, status, reason for a count beside its references."""
    if len(references) < knobs.minimum_references:
        return {
            "expected": None, "low": None, "high": None, "level": "abstained",
            "status": "abstained", "reason": TOO_FEW_REFERENCES,
        }  # fmt: skip
    expected, low, high = predictive_interval(references, knobs.confidence)
    level = "above" if n > high else "below" if n < low else "usual"
    return {
        "expected": expected, "low": low, "high": high, "level": level, "status": "ok",
        "reason": "",
    }  # fmt: skip


def assess(
    con: duckdb.DuckDBPyConnection,
    city: City,
    theme: str,
    division: str,
    days: int,
    knobs: Knobs,
) -> list[dict[str, Any]]:
    """Return a row of SCHEMA for the city and each zone. Views `cube`, `days`, `zones`."""
    period = city.about.period
    source = city.themes[theme].source
    current = window(period.end, days)
    past = reference_windows(period.end, days, knobs.reference_periods, period.start)
    counted = counts_in(con, theme, division, [current, *past])
    total = [sum(column) for column in zip(*counted.values(), strict=True)]
    listed = con.execute("SELECT code FROM zones WHERE division = ? ORDER BY 1", [division])
    zones = [row[0] for row in listed.fetchall()]
    gone = coverage.of_theme(city, theme, division)
    told = {apart: _told(con, source, [current, *past], apart) for apart in _gaps(gone, zones)}
    rows = []
    for zone in (WHOLE, *zones):
        here = told[gone.city if zone == WHOLE else gone.of(zone)]
        n, *before = (total if zone == WHOLE else counted.get(zone, [])) or [0] * len(here)
        references = [count for count, ok in zip(before, here[1:], strict=True) if ok]
        found = judge(n, references, knobs)
        if not here[0]:
            why = coverage.NOT_COVERED if heard(con, source, [current]) else SILENT
            found |= {"level": "abstained", "status": "missing", "reason": why}
        rows.append(
            {
                "theme": theme, "period_days": days, "division": division, "zone": zone,
                "n": n if here[0] else None, "references": len(references), **found,
            }
        )  # fmt: skip
    return rows


def _gaps(gone: coverage.Uncovered, zones: Sequence[str]) -> set[coverage.Days]:
    """Return the sets of days not covered that the city and its zones have: few are different."""
    return {gone.city, *(gone.of(zone) for zone in zones)}


def _told(
    con: duckdb.DuckDBPyConnection, source: str, windows: Sequence[Span], apart: coverage.Days
) -> list[bool]:
    kept = heard(con, source, windows, apart)
    return [one in kept for one in windows]


def assess_months(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, division: str, days: int, knobs: Knobs
) -> list[dict[str, Any]]:
    """Return a row of SCHEMA for the city and each zone, of a theme known by the month.

    Whole months stand for the period. Views `cube`, `zones` and `months`.
    """
    base = {"theme": theme, "period_days": days, "division": division}
    rows = []
    for one in monthly.assess(con, city, theme, division, days, knobs):
        n, past = one["n"], one["past"]
        found = judge(n or 0, past, knobs)
        if one["reason"]:
            found |= {"level": "abstained", "status": "abstained", "reason": one["reason"]}
        elif n is None:
            found |= {"level": "abstained", "status": "missing", "reason": monthly.NOT_TOLD}
        rows.append({**base, "zone": one["zone"], "n": n, "references": len(past), **found})
    return rows


def dated_themes(con: duckdb.DuckDBPyConnection, city: City) -> list[str]:
    """Return the themes, in the city's order, with a dated fact, in any division. View `cube`.

    A count of the last week means nothing for a theme whose facts are known by the year alone.
    """
    dated = {theme for theme, _ in counts(con, ["theme"])}
    return [name for name, theme in city.themes.items() if theme.division is None and name in dated]


def divisions(city: City) -> list[str]:
    """Return the divisions that are drawn; the main one alone where none is."""
    drawn = [n for n, d in city.about.divisions.items() if d.source or d.grouping_of]
    return drawn or [city.about.main_division]


def find(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return the assessment of each dated theme, period and division; columns of SCHEMA.

    Divisions are those of `divisions`. Views `cube`, `days`, `zones`, and `months` where a theme is
    known by the month.
    """
    dated = dated_themes(con, city)
    known = dict.fromkeys(dated, assess)
    known |= {
        name: assess_months
        for name, theme in city.themes.items()
        if theme.division is None and name not in dated and monthly.by_month(city, name)
    }
    rows = [
        row
        for theme in city.themes
        if theme in known
        for days in knobs.periods_days
        for division in divisions(city)
        for row in known[theme](con, city, theme, division, days, knobs)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
