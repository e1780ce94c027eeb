"""What may answer to a grave fact, by week and zone of the main division: reports, walkers."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.city.city import City
from helpers.core.city.names import Origin
from helpers.core.city.shock_rules import ShockRules
from helpers.core.city.traffic_rules import TrafficRules
from helpers.core.place_time import counters
from helpers.core.place_time.calendar import first_monday, full_weeks
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import of_theme
from helpers.impact.shocks import Weekly

WEEK = 7


def reports(
    con: duckdb.DuckDBPyConnection, city: City, rules: ShockRules, origins: Collection[Origin]
) -> Weekly | None:
    """Return the reports of the themes named, those in force; None where there is none.

    A week was heard where all of their sources were. Views `cube`, `zones`, `weeks`,
    `grades_weekly`.
    """
    themes = [theme for theme in rules.reports if theme in city.themes]
    mondays = full_weeks(city.about.period.start, city.about.period.end)
    division = city.about.main_division
    rows = con.execute("SELECT code FROM zones WHERE division = ? ORDER BY code", [division])
    zones = [code for (code,) in rows.fetchall()]
    if not themes or not mondays or not zones:
        return None
    told = np.zeros((len(zones), len(mondays)))
    row = {zone: i for i, zone in enumerate(zones)}
    week = {monday: i for i, monday in enumerate(mondays)}
    found = counts(con, ["zone", "week"], themes=themes, origins=origins, division=division,
                   placed=True)  # fmt: skip
    for zone, monday, n in found:
        if zone in row and monday in week:
            told[row[zone], week[monday]] = n
    heard = np.ones(told.shape, dtype=bool)
    for theme in themes:
        heard &= of_theme(con, city, theme, division, zones, mondays)
    return Weekly(np.where(heard, told, 0.0), heard, _starts(city, rules), _rows(rules, row))


def walkers(
    con: duckdb.DuckDBPyConnection, city: City, rules: ShockRules, traffic: TrafficRules,
    files: dict[str, Path],
) -> Weekly | None:  # fmt: skip
    """Return the passages of walkers by week; None where the city counts none.

    Counters of a zone add up; a week is heard where all its hours are known at each of them. A zone
    where another machine counts from a day on is heard in its longest stretch alone. View `zones`.
    """
    if traffic.crowd is None:
        return None
    hours = counters.read(con, city, traffic, files, traffic.crowd)
    first = hours.day(first_monday(city.about.period.start))
    weeks = len(full_weeks(city.about.period.start, city.about.period.end))
    zones = sorted({one.zone for one in hours.places if one.zone})
    if not zones or not weeks:
        return None
    days = slice(first, first + WEEK * weeks)
    flow = hours.flow[:, days].sum(axis=2).reshape(-1, weeks, WEEK).sum(axis=2)  # NaN: not known
    era = hours.era[:, days].reshape(-1, weeks, WEEK)
    known = np.isfinite(flow) & (era.min(axis=2) == era.max(axis=2))
    for i, own in enumerate(era[:, :, 0]):
        stretch = np.bincount(own[known[i]]) if known[i].any() else np.zeros(1)
        known[i] &= own == int(stretch.argmax())
    member = np.array([[one.zone == zone for one in hours.places] for zone in zones])
    heard = np.array([known[own].all(axis=0) for own in member])
    passed = member.astype(float) @ np.where(known, flow, 0.0)
    row = {zone: i for i, zone in enumerate(zones)}
    return Weekly(np.where(heard, passed, 0.0), heard, _starts(city, rules), _rows(rules, row))


def _starts(city: City, rules: ShockRules) -> NDArray[np.int64]:
    """Return the first whole week after each fact (facts,), a position."""
    monday = first_monday(city.about.period.start)
    return np.array([(one.day - monday).days // WEEK + 1 for one in rules.facts], dtype=np.int64)


def _rows(rules: ShockRules, row: dict[str, int]) -> NDArray[np.int64]:
    return np.array([row.get(one.zone, -1) for one in rules.facts], dtype=np.int64)
