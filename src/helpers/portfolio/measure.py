"""The portfolio: one question of the pack, one page; what each page measures.

A question keeps some facts of a theme (categories, hours); every measure is then that of the
other notebooks, made on these facts alone: `trends`, `rhythms`, `hotspots_zones`, `patrol`,
`context`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.city.city import THEMES, City, Theme
from helpers.core.city.names import NO_PLACE, OUTSIDE, WHOLE
from helpers.core.city.questions import Hours, Question
from helpers.core.city.surroundings import FILE, read_surroundings
from helpers.core.place_time.calendar import window
from helpers.core.stage import params, standing
from helpers.core.stage.run import Run
from helpers.core.stats.intervals import DIGITS, dispersion, poisson_interval
from helpers.hotspots import zones as hotspots_zones
from helpers.hotspots.knobs import ZoneKnobs
from helpers.rhythms import week
from helpers.rhythms.knobs import Knobs as HourKnobs
from helpers.trends import levels
from helpers.trends import words as trends_words
from helpers.trends.milestones import Step
from helpers.trends.weekly_series import Weeks, counted_weeks

VIEWS = (
    "cube.parquet",
    "zones.parquet",
    "derived/reliability/weeks.parquet",
    "derived/reliability/grades.parquet",
    "derived/reliability/grades_weekly.parquet",
    "derived/reliability/nowcast.parquet",
    "derived/patrol/themes.parquet",
    "derived/context/effects.parquet",
    "derived/context/checks.parquet",
)
SAMPLE = "échantillon : ni total, ni évolution"
NONE = "aucun fait ne répond à la question"
ZONES = pa.schema(
    [
        ("question", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("name", pa.string()), ("n", pa.int64()), ("low", pa.float64()), ("high", pa.float64()),
        ("rate", pa.float64()), ("rate_low", pa.float64()), ("rate_high", pa.float64()),
        ("kind", pa.string()), ("label", pa.string()), ("ratio", pa.float64()),
        ("ratio_low", pa.float64()), ("ratio_high", pa.float64()), ("status", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Knobs:
    """The knobs of the stage, as in `params.yaml`."""

    window_weeks: int
    confidence: float
    minimum_count: int
    max_interval_h: int
    minimum_hours: int
    thin_ratio: float
    false_discovery_rate: float
    permutations: int
    neighbours: int
    shown_zones: int

    @property
    def days(self) -> int:
        """The window in days."""
        return 7 * self.window_weeks


@dataclass(frozen=True)
class Asked:
    """A question made ready: its theme alone, and its facts as the `cube` of connections.

    `facts` holds those that the question keeps, `all_hours` the same at any hour, `apart` those
    surely outside its hours (empty where it names none), `unsure` how many might be in or out.
    """

    name: str
    question: Question
    theme: Theme
    city: City
    facts: duckdb.DuckDBPyConnection
    all_hours: duckdb.DuckDBPyConnection
    apart: duckdb.DuckDBPyConnection
    span: tuple[dt.date, dt.date]
    yearly: bool
    sample: bool
    n: int
    unsure: int

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


def _count(con: duckdb.DuckDBPyConnection, span: tuple[dt.date, dt.date]) -> int:
    query = "SELECT coalesce(sum(n), 0)::BIGINT FROM cube WHERE hour >= ? AND hour < ?"
    return int(con.execute(query, list(span)).fetchall()[0][0])


def _window(con: duckdb.DuckDBPyConnection, city: City, days: int) -> tuple[Any, bool]:
    """Return the days studied, and whether the facts are known by the year alone: then the last."""
    rows = con.execute(
        "SELECT bool_and(time_precision = 'year'), max(year(hour)) FROM cube"
    ).fetchall()
    if rows[0][0]:
        return (dt.date(rows[0][1], 1, 1), dt.date(rows[0][1] + 1, 1, 1)), True
    return window(city.about.period.end, days), False


def ask(run: Run, name: str, days: int) -> Asked:
    """Return the question ready to be measured; raise PhareError where the pack has no such one.

    Notes the files that every measure reads. Views: those of `VIEWS`, and `states`.
    """
    question = _question(run.city, name)
    con = run.view(*VIEWS)
    held = run.city.themes[question.theme]
    categories = question.categories or held.categories
    division = question.division or held.division
    theme = held.model_copy(update={"division": division, "categories": categories})
    city = standing.restricted(standing.in_force(run), {question.theme})
    if not city.themes:
        raise PhareError(
            f"le thème « {question.theme} » n'est pas en service",
            f"{run.city.pack.name}/{THEMES}, questions.{name}",
            "voir pourquoi dans le rapport `waves`",
        )
    city.themes[question.theme] = theme
    hours, kept = question.hours, (question.theme, categories)
    all_hours = narrowed(con, *kept)
    span, yearly = _window(all_hours, city, days)
    column = store.quote(f"zone_{division or city.about.main_division}")
    # A yearly table may tell of places beyond the city: as in `trends`, its own zones count.
    placed = f"{column} NOT IN ('{OUTSIDE}', '{NO_PLACE}')" if yearly else "TRUE"
    all_hours = narrowed(con, *kept, placed)
    facts = narrowed(con, *kept, f"{placed} AND ({_surely(hours)})" if hours else placed)
    apart = narrowed(con, *kept, f"{placed} AND NOT ({_perhaps(hours)})" if hours else "FALSE")
    n = _count(facts, span)
    unsure = _count(all_hours, span) - n - _count(apart, span) if hours else 0
    rows = con.execute("SELECT sample FROM states WHERE theme = ?", [question.theme]).fetchall()
    return Asked(name, question, theme, city, facts, all_hours, apart, span, yearly,
                 bool(rows[0][0]), n, unsure)  # fmt: skip


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


class Narrowed(Weeks):
    """The weeks of a question's facts, held against what is known of their whole source.

    A change of recording is measured on all that the source brought, not on these facts alone.
    """

    def __init__(self, asked: Asked, run: Run, knobs: Knobs) -> None:
        told_at = params.block("reliability", run.root)["nowcast_confidence"]
        super().__init__(asked.facts, asked.city, knobs.window_weeks, told_at)
        self.whole = Weeks(run.con, asked.city, knobs.window_weeks, told_at)

    def steps(self, source: str) -> list[Step]:
        """Return what the changes of recording did to the source."""
        return self.whole.steps(source)


def evolution(asked: Asked, run: Run, knobs: Knobs) -> list[dict[str, Any]]:
    """Return the comparison of the last weeks (or year) with those before: city first, then zones.

    Rows of `trends.SCHEMA`, judged by the rules of its block in `params.yaml`, so that a question
    about a whole theme is answered as `trends` does. A sample has no evolution, and says so.
    """
    own = params.knobs("trends", run.root).model_copy(
        update={"window_weeks": knobs.window_weeks, "confidence": knobs.confidence,
                "minimum_count": knobs.minimum_count}
    )  # fmt: skip
    table = levels.levels(Narrowed(asked, run, knobs), own)
    rows: list[dict[str, Any]] = [
        {**row, "remark": trends_words.remark(row),
         "reason": trends_words.reason(row, knobs.minimum_count)}
        for row in table.to_pylist()
    ]  # fmt: skip
    if not asked.sample and asked.n:
        return rows
    nothing = dict.fromkeys(("level", "level_low", "level_high", "ratio", "low", "high",
                             "detectable"))  # fmt: skip
    why = {**nothing, "label": "abstained", "status": "abstained", "remark": "",
           "reason": SAMPLE if asked.sample else NONE}  # fmt: skip
    return [row | why for row in rows]


def weeks(asked: Asked) -> list[tuple[dt.date, int | None]]:
    """Return Monday and count of each full week, None where the source was silent."""
    return counted_weeks(asked.facts, asked.city, asked.question.theme)[WHOLE]


def years(asked: Asked) -> list[tuple[int, int]]:
    """Return year and count, of facts known by the year."""
    rows = asked.facts.execute(
        "SELECT year(hour), sum(n)::BIGINT FROM cube GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return [(int(year), int(n)) for year, n in rows]


def level(asked: Asked, moved: dict[str, Any], knobs: Knobs) -> dict[str, Any]:
    """Return level, level_low, level_high, unit: facts a week over the window, or of the last year.

    That of `moved`, the city's evolution; where that abstains, the plain mean of the weeks heard,
    with the exact Poisson interval of counts first divided by how much more than chance the weeks
    vary (quasi-Poisson). None for a sample, or where the source was silent all along.
    """
    names = ("level", "level_low", "level_high")
    unit = "par an" if asked.yearly else "par semaine"
    heard = [asked.n] if asked.yearly else [
        n for _, n in weeks(asked)[-knobs.window_weeks:] if n is not None
    ]  # fmt: skip
    if moved["level"] is not None or asked.sample or not heard:
        return {**{name: moved[name] for name in names}, "unit": unit}
    phi, steps = dispersion(heard), len(heard)
    ends = poisson_interval(sum(heard) / phi, knobs.confidence)
    values = (sum(heard) / steps, *(float(end) * phi / steps for end in ends))
    told = zip(names, values, strict=True)
    return {**{name: round(value, DIGITS) for name, value in told}, "unit": unit}


def zones(
    asked: Asked, run: Run, knobs: Knobs, moves: list[dict[str, Any]], seed: int
) -> pa.Table:  # fmt: skip
    """Return the rows of ZONES: each zone's count, rate and evolution (`moves`), most facts first.

    `low`–`high` is the Poisson interval of the count. `rate` per 1,000 of what the pack's
    `context.yaml` counts, in its main division, if it counts anything.
    """
    column = store.quote(f"zone_{asked.division}")
    held = dict(
        asked.facts.execute(
            f"SELECT {column}, sum(n)::BIGINT FROM cube WHERE hour >= ? AND hour < ? GROUP BY 1",
            list(asked.span),
        ).fetchall()
    )
    named = asked.facts.execute(
        "SELECT code, name FROM zones WHERE division = ? ORDER BY code", [asked.division]
    ).fetchall()
    moved = {row["zone"]: row for row in moves}
    sized = _rates(asked, run, knobs, seed)
    low, high = poisson_interval([held.get(code, 0) for code, _ in named], knobs.confidence)
    rows = []
    for i, (code, name) in enumerate(named):
        row: dict[str, Any] = {
            "question": asked.name, "division": asked.division, "zone": code, "name": name,
            "n": held.get(code, 0), "low": low[i], "high": high[i], **sized.get(code, {}),
        }  # fmt: skip
        move = moved.get(code, {"label": "abstained", "status": "abstained", "reason": NONE})
        row |= {"label": move["label"], "ratio": move.get("ratio"), "ratio_low": move.get("low"),
                "ratio_high": move.get("high"), "status": move["status"],
                "reason": move["reason"]}  # fmt: skip
        rows.append(row)
    rows.sort(key=lambda row: (-row["n"], row["zone"]))
    return pa.Table.from_pylist(rows, schema=ZONES)


def _rates(asked: Asked, run: Run, knobs: Knobs, seed: int) -> dict[str, dict[str, Any]]:
    if asked.yearly or asked.sample or asked.division != asked.city.about.main_division:
        return {}
    places, _ = hotspots_zones.size_of(run, knobs.days)
    limits = ZoneKnobs(
        window_days=knobs.days, false_discovery_rate=knobs.false_discovery_rate,
        minimum_count=knobs.minimum_count, confidence=knobs.confidence,
        permutations=knobs.permutations, neighbours=knobs.neighbours,
    )  # fmt: skip
    table = hotspots_zones.find(asked.facts, asked.city, places, limits, seed)
    return {
        row["zone"]: {"rate": row["rate"], "rate_low": row["low"], "rate_high": row["high"],
                      "kind": row["kind"]}
        for row in table.to_pylist() if row["status"] == "ok"
    }  # fmt: skip


def hours(asked: Asked, knobs: Knobs) -> pa.Table:
    """Return the week's rhythm (rows of `rhythms.HOURS`) of the question's facts, at any hour."""
    limits = HourKnobs(
        window_days=knobs.days, max_interval_h=knobs.max_interval_h, confidence=knobs.confidence,
        minimum_count=knobs.minimum_hours, thin_ratio=knobs.thin_ratio,
    )  # fmt: skip
    return week.find(asked.all_hours, asked.city, limits)


def asked_hours(question: Question) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which hours of the week (168,) the question keeps: all, if it names none."""
    kept = np.zeros(24, dtype=bool)
    for one in question.hours:
        kept[[(one.start_h + i) % 24 for i in range(one.length)]] = True
    return np.tile(kept | (not question.hours), 7)
