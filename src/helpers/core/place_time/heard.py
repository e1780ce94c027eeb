"""In which weeks a zone was heard: silence, or what a source does not cover, is no zero."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.place_time.calendar import full_weeks, last_days

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def weeks_of(days: Collection[dt.date]) -> set[dt.date]:
    """Return the Mondays of the weeks in which these days lie."""
    return {day - dt.timedelta(days=day.weekday()) for day in days}


def heard_weeks(
    con: duckdb.DuckDBPyConnection, source: str, division: str, zones: Sequence[str],
    mondays: Sequence[dt.date],
) -> Bools:  # fmt: skip
    """Return where no day of a week is missing of a source; shape (zones, weeks).

    `zones` are of the division, or the whole city. Views `weeks` and `grades_weekly`.
    """
    heard = np.ones((len(zones), len(mondays)), dtype=bool)
    row_of = {zone: i for i, zone in enumerate(zones)}
    place = {monday: i for i, monday in enumerate(mondays)}
    silent = con.execute(
        "SELECT week FROM weeks WHERE source = ? AND (status = 'missing' OR missing_days > 0)",
        [source],
    ).fetchall()
    heard[:, [place[monday] for (monday,) in silent if monday in place]] = False
    local = con.execute(
        "SELECT zone, week FROM grades_weekly WHERE source = ? AND division = ? "
        "AND missing_days > 0",
        [source, division],
    ).fetchall()
    for zone, monday in local:
        if zone in row_of and monday in place:
            heard[row_of[zone], place[monday]] = False
    return heard


def silent_days(
    con: duckdb.DuckDBPyConnection, sources: Collection[str], division: str, zone: str
) -> set[dt.date]:
    """Return the days of the weeks when a source was silent in a zone. View `grades_weekly`."""
    weeks = con.execute(
        "SELECT DISTINCT week FROM grades_weekly WHERE list_contains(?, source) AND division = ? "
        "AND zone = ? AND missing_days > 0",
        [list(sources), division, zone],
    ).fetchall()
    return {monday + dt.timedelta(days=i) for (monday,) in weeks for i in range(7)}


def heard_days(
    con: duckdb.DuckDBPyConnection, sources: Collection[str], start: dt.date, after: dt.date,
    apart: Collection[dt.date] = (),
) -> list[dt.date]:  # fmt: skip
    """Return the days, `start` to before `after`, of weeks when all sources were heard. `weeks`.

    But for `apart`, the days that the contract does not cover.
    """
    silent = con.execute(
        "SELECT week FROM weeks WHERE list_contains(?, source) AND status = 'missing'",
        [list(sources)],
    )
    missing = {week + dt.timedelta(days=i) for (week,) in silent.fetchall() for i in range(7)}
    days = (start + dt.timedelta(days=i) for i in range((after - start).days))
    return [day for day in days if day not in missing and day not in apart]


def covered_weeks(
    city: City, theme: str, division: str, zones: Sequence[str], mondays: Sequence[dt.date]
) -> Bools:
    """Return where the sources of a theme cover the whole week; shape (zones, weeks)."""
    gone = coverage.of_theme(city, theme, division)
    covered = np.ones((len(zones), len(mondays)), dtype=bool)
    for row, zone in enumerate(zones):
        uncovered = weeks_of(gone.city if zone == WHOLE else gone.of(zone))
        covered[row, [monday in uncovered for monday in mondays]] = False
    return covered


def of_theme(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, division: str, zones: Sequence[str],
    mondays: Sequence[dt.date],
) -> Bools:  # fmt: skip
    """Return where all the sources of a theme cover the whole week and were heard (zones, weeks).

    Views `weeks` and `grades_weekly`.
    """
    heard = covered_weeks(city, theme, division, zones, mondays)
    heard[:, [monday < city.about.period.start for monday in mondays]] = False
    for source in city.themes[theme].sources:
        heard &= heard_weeks(con, source, division, zones, mondays)
    return heard


def share_heard(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, division: str, zones: Sequence[str],
    days: int,
) -> Floats:  # fmt: skip
    """Return which share of the whole weeks of the last days each zone was heard in; (zones,).

    What a count is brought to beside those of zones that were heard all along. 1 where the days
    hold no whole week. Views `weeks` and `grades_weekly`.
    """
    mondays = full_weeks(*last_days(city, days))
    if not mondays:
        return np.ones(len(zones))
    heard: Floats = of_theme(con, city, theme, division, zones, mondays).mean(axis=1)
    return heard
