"""What a survey is set beside: facts, hours of patrol, features of places, citizens' reports."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.city.surroundings import read_surroundings
from helpers.core.city.survey import SurveyRule
from helpers.core.place_time.counts import Span, counts
from helpers.sentiment.answers import Floats, Survey

YEAR_DAYS = 364  # a whole number of weeks before the first wave
FACTS, PATROL = "facts_per_inhabitant", "patrol_hours_per_inhabitant"


@dataclass(frozen=True)
class Feature:
    """A feature of zones (`FACTS`, `PATROL`, one of context.yaml): values in steps (zones,)."""

    name: str
    values: Floats


def beside(
    con: duckdb.DuckDBPyConnection, city: City, rule: SurveyRule, survey: Survey, waves: int
) -> tuple[list[Feature], Floats]:
    """Return what the last `waves` are set beside, and citizens' reports for a thousand adults.

    Facts told by habitants for each adult, and hours of patrol for each adult where they are known
    (both in doublings), then the features that the rule names. Views `cube`, that of context.yaml's
    source, and that of the hours of patrol where the city has them.
    """
    start = survey.waves[-waves:][0] - dt.timedelta(days=YEAR_DAYS)
    span = (start, survey.waves[-1])
    adults = np.maximum(survey.adults[-1].sum(axis=1), 1)
    facts = _count(con, rule, survey, rule.facts, span)
    found = [Feature(FACTS, np.log2((facts + 0.5) / adults))]
    hours = _hours(con, city, survey, span)
    if hours is not None:
        found.append(Feature(PATROL, hours))
    found += _held(con, city, rule, survey)
    reports = _count(con, rule, survey, rule.reports, span) / adults * 1000
    return found, reports if rule.reports else np.full(len(survey.zones), np.nan)


def _count(
    con: duckdb.DuckDBPyConnection, rule: SurveyRule, survey: Survey, themes: tuple[str, ...],
    span: Span,
) -> Floats:  # fmt: skip
    """Return the facts of the zones, those of agents left out: their activity is not demand."""
    # The very first hour has never been among them: results stay what they were.
    first = dt.datetime.combine(span[0], dt.time(1))
    told = dict(
        counts(
            con, ["zone"], themes=themes, origins=("citizen", "unknown"), division=rule.division,
            span=(first, span[1]),
        )
    )  # fmt: skip
    return np.array([float(told.get(zone, 0)) for zone in survey.zones])


def _hours(con: duckdb.DuckDBPyConnection, city: City, survey: Survey, span: Span) -> Floats | None:
    """Return log2 of the hours of patrol for each adult of the group that holds each zone."""
    rule = city.about.patrols
    if rule is None:
        return None
    zone, hours, day = (store.quote(name) for name in (rule.zone, rule.hours, rule.day))
    rows = con.execute(
        f"SELECT {zone}, CAST(sum({hours}) AS DOUBLE) FROM {store.quote(rule.source)} "
        f"WHERE {day} > ? AND {day} < ? GROUP BY 1 ORDER BY 1",
        list(span),
    ).fetchall()
    told = dict(rows)
    if not set(survey.groups) <= set(told):
        return None
    adults = np.bincount(survey.group, survey.adults[-1].sum(axis=1))
    by_group = np.round(np.array([told[name] for name in survey.groups]), 1) / adults
    return np.asarray(np.log2(by_group)[survey.group])


def _held(
    con: duckdb.DuckDBPyConnection, city: City, rule: SurveyRule, survey: Survey
) -> list[Feature]:
    held = read_surroundings(city)
    if held is None:
        return []
    found = []
    for name in rule.features:
        one = held.features[name]
        rows = con.execute(
            f"SELECT {store.quote(held.zone)}, CAST({store.quote(one.field)} AS DOUBLE) "
            f"FROM {store.quote(held.source)}"
        ).fetchall()
        values = dict(rows)
        column = [values.get(zone, np.nan) for zone in survey.zones]
        found.append(Feature(name, np.array(column, dtype=float) / one.step))
    return found
