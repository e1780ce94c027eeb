"""What a survey's file holds: people invited, answers, and how many feel quiet, as counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base import store
from helpers.core.city.names import NO_PLACE, OUTSIDE
from helpers.core.city.survey import SurveyRule

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Survey:
    """Counts of shape (waves, zones, strata); `answers` and `quiet` NaN where they are not told.

    `group` (zones,) is the position in `groups` of the zone that holds each one.
    """

    waves: list[dt.date]
    zones: list[str]
    strata: list[str]
    groups: list[str]
    group: NDArray[np.int64]
    adults: Floats
    invited: Floats
    answers: Floats
    quiet: Floats


def group_names(con: duckdb.DuckDBPyConnection, rule: SurveyRule | None) -> dict[str, str]:
    """Return code → name of the zones by which the index is told. View `zones`."""
    division = rule.told_by if rule else ""
    query = "SELECT code, name FROM zones WHERE division = ?"
    return dict(con.execute(query, [division]).fetchall())


def read(con: duckdb.DuckDBPyConnection, rule: SurveyRule) -> Survey:
    """Return the survey. Views of the source, and `cube`."""
    names = ("wave", "zone", "stratum", "adults", "invited", "answers", "quiet")
    told = ", ".join(
        f"{store.quote(column)} AS {name}"
        for name, column in zip(names, rule.columns(), strict=True)
    )
    rows = con.execute(
        f"SELECT {told} FROM {store.quote(rule.source)} ORDER BY wave, zone, stratum"
    ).fetchall()
    parents = _parents(con, rule)
    waves, zones, strata = (sorted({row[i] for row in rows}) for i in range(3))
    zones = [zone for zone in zones if zone in parents]
    groups = sorted({parents[zone] for zone in zones})
    place = [{value: i for i, value in enumerate(axis)} for axis in (waves, zones, strata)]
    counts = np.full((4, len(waves), len(zones), len(strata)), np.nan)
    for wave, zone, stratum, *values in rows:
        if zone in place[1]:
            at = place[0][wave], place[1][zone], place[2][stratum]
            counts[(slice(None), *at)] = [np.nan if v is None else float(v) for v in values]
    adults, invited, answers, quiet = counts
    group = np.array([groups.index(parents[zone]) for zone in zones], dtype=np.int64)
    return Survey(
        waves, zones, strata, groups, group, np.nan_to_num(adults), np.nan_to_num(invited),
        answers, quiet,
    )  # fmt: skip


def _parents(con: duckdb.DuckDBPyConnection, rule: SurveyRule) -> dict[str, str]:
    """Return zone → the zone of `told_by` in which most of its records lie. View `cube`."""
    mine, theirs = (store.quote(f"zone_{name}") for name in (rule.division, rule.told_by))
    rows = con.execute(
        f"SELECT {mine}, {theirs}, count(*) AS n FROM cube "
        f"WHERE {mine} NOT IN ('{OUTSIDE}', '{NO_PLACE}') GROUP BY ALL ORDER BY 3, 2"
    ).fetchall()
    return {zone: parent for zone, parent, _ in rows}
