"""A question of the pack made ready: its theme alone, and the facts that it keeps.

A question keeps some facts of a theme (categories, hours); every measure is then that of the
other notebooks, made on these facts alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.core.city.names import NO_PLACE, OUTSIDE
from helpers.core.city.questions import Hours, Question
from helpers.core.city.surroundings import FILE, read_surroundings
from helpers.core.city.theme import THEMES, Theme
from helpers.core.place_time import months
from helpers.core.place_time.calendar import last_window
from helpers.core.place_time.counts import Span, counts
from helpers.core.stage import standing
from helpers.core.stage.run import Run

VIEWS = (
    "cube.parquet",
    "zones.parquet",
    "derived/reliability/weeks.parquet",
    "derived/reliability/months.parquet",
    "derived/reliability/grades.parquet",
    "derived/reliability/grades_weekly.parquet",
    "derived/reliability/nowcast.parquet",
    "derived/patrol/themes.parquet",
    "derived/context/effects.parquet",
    "derived/context/checks.parquet",
)


@dataclass(frozen=True)
class Asked:
    """A question made ready: its theme alone, and its facts as the `cube` of connections.

    `facts` holds those that the question keeps, `all_hours` the same at any hour, `apart` those
    surely outside its hours (empty where it names none), `unsure` how many might be in or out.
    `yearly`: facts are known by the year alone. `grade` is that of the source over `span`.
    """

    name: str
    question: Question
    theme: Theme
    city: City
    facts: duckdb.DuckDBPyConnection
    all_hours: duckdb.DuckDBPyConnection
    apart: duckdb.DuckDBPyConnection
    span: Span
    yearly: bool
    sample: bool
    n: int
    unsure: int
    grade: str

    @property
    def days(self) -> tuple[dt.date, dt.date]:
        """The first and the last day studied."""
        return self.span[0], self.span[1] - dt.timedelta(days=1)

    @property
    def division(self) -> str:
        """Where the question is answered."""
        return self.theme.division or self.city.about.main_division


def _offset(one: Hours) -> str:
    return f"(hour(hour) - {one.start_h} + 24) % 24"


def _surely(hours: Sequence[Hours]) -> str:
    """Return the SQL of facts whose whole interval lies within one of the spans."""
    told = (f"{_offset(one)} + date_diff('hour', hour, hour_end) < {one.length}" for one in hours)
    return f"time_precision IN ('minute', 'hour') AND ({' OR '.join(told)})"


def _perhaps(hours: Sequence[Hours]) -> str:
    """Return the SQL of facts whose interval meets one of the spans, or whose hour is unknown."""
    told = (
        f"{_offset(one)} < {one.length} OR {_offset(one)} + date_diff('hour', hour, hour_end) >= 24"
        for one in hours
    )
    return f"time_precision NOT IN ('minute', 'hour') OR {' OR '.join(told)}"


def narrowed(
    con: duckdb.DuckDBPyConnection, name: str, categories: Sequence[str], where: str = "TRUE"
) -> duckdb.DuckDBPyConnection:
    """Return a connection that sees the same views, but whose `cube` holds these facts alone."""
    listed = ", ".join(store.literal(one) for one in categories)
    found = con.cursor()
    found.execute("SET enable_progress_bar = false")
    found.execute(
        "CREATE TEMP VIEW cube AS SELECT * FROM memory.main.cube "
        f"WHERE theme = {store.literal(name)} AND category IN ({listed}) AND ({where})"
    )
    return found


def _window(con: duckdb.DuckDBPyConnection, city: City, days: int) -> tuple[Span, bool]:
    """Return the days studied, and whether no fact is known by the day.

    Of facts known by the month, the last whole months; by the year alone, the last of the years.
    """
    years = [year for year, _ in counts(con, ["year"], yearly=True)]
    if years and not counts(con, ["year"]):
        period = city.about.period
        full = months.full_months(period.start, period.end)
        if full and counts(con, ["month"], monthly=True):
            return months.span_of(full[-max(1, round(days / months.MEAN_DAYS)) :]), True
        return (dt.date(years[-1], 1, 1), dt.date(years[-1] + 1, 1, 1)), True
    return last_window(city, days), False


def ask(run: Run, name: str) -> Asked:
    """Return the question ready to be measured; raise PhareError where the pack has no such one.

    Notes the files that every measure reads. Views: those of `VIEWS`, and `states`.
    """
    question = _question(run.city, name)
    con = run.view(*VIEWS)
    written = run.city.themes[question.theme]
    asked_of = question.categories or written.categories
    parts = {
        source: own
        for source, told in written.parts.items()
        if (own := tuple(one for one in told if one in asked_of))
    }
    division = question.division or written.division
    theme = written.model_copy(update={"division": division, "parts": parts})
    city = standing.restricted(standing.in_force(run), {question.theme})
    if not city.themes:
        raise PhareError(
            f"le thème « {question.theme} » n'est pas en service",
            f"{run.city.pack.name}/{THEMES}, questions.{name}",
            "voir pourquoi dans le rapport `waves`",
        )
    city.themes[question.theme] = theme
    hours, kept = question.hours, (question.theme, theme.categories)
    all_hours = narrowed(con, *kept)
    span, yearly = _window(all_hours, city, run.knobs.window_days)
    column = store.quote(f"zone_{division or city.about.main_division}")
    # A yearly table may tell of places beyond the city: as in `trends`, its own zones count.
    placed = f"{column} NOT IN ('{OUTSIDE}', '{NO_PLACE}')" if yearly else "TRUE"
    all_hours = narrowed(con, *kept, placed)
    facts = narrowed(con, *kept, f"{placed} AND ({_surely(hours)})" if hours else placed)
    apart = narrowed(con, *kept, f"{placed} AND NOT ({_perhaps(hours)})" if hours else "FALSE")
    ((n,), (whole,), (outside,)) = (
        counts(held, [], span=span, yearly=yearly)[0] for held in (facts, all_hours, apart)
    )
    unsure = whole - n - outside if hours else 0
    rows = con.execute("SELECT sample FROM states WHERE theme = ?", [question.theme]).fetchall()
    first, after = span
    grade = standing.grade_of(con, theme.sources, first, after - dt.timedelta(days=1))
    return Asked(name, question, theme, city, facts, all_hours, apart, span, yearly,
                 bool(rows[0][0]), n, unsure, grade)  # fmt: skip


def _question(city: City, name: str) -> Question:
    here = f"{city.pack.name}/{THEMES}"
    if name not in city.questions:
        raise PhareError(
            f"aucune question « {name} »", here, f"choisir parmi : {', '.join(city.questions)}"
        )
    near = city.questions[name].near
    rules = read_surroundings(city) if near else None
    if near and near not in (rules.features if rules else {}):
        raise PhareError(
            f"questions.{name}.near nomme « {near} », qui n'existe pas", here,
            f"choisir un trait de {FILE}, ou retirer la clé",
        )  # fmt: skip
    return city.questions[name]


def asked_hours(question: Question) -> NDArray[np.bool_]:
    """Return which hours of the week (168,) the question keeps: all, if it names none."""
    kept = np.zeros(24, dtype=bool)
    for one in question.hours:
        kept[[(one.start_h + i) % 24 for i in range(one.length)]] = True
    return np.tile(kept | (not question.hours), 7)
