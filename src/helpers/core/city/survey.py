"""A city's survey of how quiet people feel: what its file says, read as counts by wave and zone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base import store
from helpers.core.base.yaml_models import Strict, among, parse
from helpers.core.city.city import City
from helpers.core.city.names import NO_PLACE, OUTSIDE
from helpers.core.city.surroundings import Surroundings, read_surroundings

Floats = NDArray[np.float64]
FILE = "sentiment.yaml"
YEAR_DAYS = 364  # a whole number of weeks before the first wave
FACTS, PATROL = "faits signalés par habitant", "heures de patrouille par habitant"
ABSENT = "pas d'enquête de tranquillité dans ce paquet de ville"


class SurveyRule(Strict):
    """`sentiment.yaml`, as written: the source, its columns, and what is set beside.

    One row a `wave` (a day), `zone` of `division` and `stratum`: `adults` there are, `invited` to
    answer, `answers` and how many of them feel `quiet` (both empty where too few to be told). The
    index is told by the zones of `told_by`. `reports` and `facts` name themes, `features` those of
    context.yaml.
    """

    source: str
    question: str
    division: str
    told_by: str
    wave: str
    zone: str
    stratum: str
    adults: str
    invited: str
    answers: str
    quiet: str
    reports: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    features: tuple[str, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """The columns of the source."""
        return (self.wave, self.zone, self.stratum, self.adults, self.invited, self.answers,
                self.quiet)  # fmt: skip


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


@dataclass(frozen=True)
class Feature:
    """A feature of zones: what a step more of it is called, and its values in steps (zones,)."""

    name: str
    more: str
    values: Floats


def read_rule(city: City) -> SurveyRule | None:
    """Return the pack's `sentiment.yaml`, None where it has none; raise PhareError where wrong."""
    if not (city.pack / FILE).exists():
        return None
    here = f"{city.pack.name}/{FILE}"
    rule: SurveyRule = parse(SurveyRule, city.pack / FILE, here)
    among(here, "source", rule.source, city.contracts)
    for name in rule.columns():
        among(here, "colonne", name, city.contracts[rule.source].fields)
    for name in (rule.division, rule.told_by):
        among(here, "division", name, city.about.divisions)
    for theme in (*rule.reports, *rule.facts):
        among(here, "thème", theme, city.themes)
    held: Surroundings | None = read_surroundings(city)
    for feature in rule.features:
        among(here, "features", feature, held.features if held else {})
    return rule


def sources(city: City, rule: SurveyRule | None) -> list[str]:
    """Return the sources that the survey and what is set beside it are read from."""
    if rule is None:
        return []
    held = read_surroundings(city)
    hours = city.about.patrols
    named = [rule.source, *([held.source] if held else []), *([hours.source] if hours else [])]
    return [name for name in dict.fromkeys(named) if name in city.contracts]


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
    found = [
        Feature(FACTS, "deux fois plus de faits par habitant", np.log2((facts + 0.5) / adults))
    ]
    hours = _hours(con, city, survey, span)
    if hours is not None:
        found.append(Feature(PATROL, "deux fois plus d'heures de patrouille par habitant", hours))
    found += _held(con, city, rule, survey)
    reports = _count(con, rule, survey, rule.reports, span) / adults * 1000
    return found, reports if rule.reports else np.full(len(survey.zones), np.nan)


def _count(
    con: duckdb.DuckDBPyConnection, rule: SurveyRule, survey: Survey, themes: tuple[str, ...],
    span: tuple[dt.date, dt.date],
) -> Floats:  # fmt: skip
    """Return the facts of the zones, those of agents left out: their activity is not demand."""
    zone = store.quote(f"zone_{rule.division}")
    rows = con.execute(
        f"SELECT {zone}, CAST(sum(n) AS DOUBLE) FROM cube WHERE list_contains(?, theme) "
        "AND origin != 'agent' AND hour > ? AND hour < ? GROUP BY 1",
        [list(themes), *span],
    ).fetchall()
    counts = dict(rows)
    return np.array([counts.get(zone, 0.0) for zone in survey.zones])


def _hours(
    con: duckdb.DuckDBPyConnection, city: City, survey: Survey, span: tuple[dt.date, dt.date]
) -> Floats | None:
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
        found.append(Feature(one.label, one.more, np.array(column, dtype=float) / one.step))
    return found
