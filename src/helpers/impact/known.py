"""The actions that the pack's source tells of, and the weekly counts in and around each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city.action_rules import ActionRules
from helpers.core.city.city import City
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import covered_weeks, heard_weeks
from helpers.core.place_time.territory import cell_size, corners, project
from helpers.core.stage.run import Run
from helpers.core.stats.staggered_counts import Heard
from helpers.impact.knobs import Knobs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WEEK = dt.timedelta(days=7)


@dataclass(frozen=True)
class Action:
    """An action: its kind, the category of facts it aims at, where (metres) and from when.

    `x` and `y` are NaN without a place. `registered` is None where nobody wrote down beforehand
    what would be judged; `theme` None where no theme counts its facts.
    """

    id: str
    kind: str
    indicator: str
    theme: str | None
    start: dt.date
    registered: dt.date | None
    x: float
    y: float

    @property
    def exploratory(self) -> bool:
        """Whether what is judged was not written down before the beginning."""
        return self.registered is None or self.registered >= self.start


@dataclass(frozen=True)
class Around:
    """Weekly counts of one category: zones and rings (actions, weeks), controls (quarters, weeks).

    Controls are the main division's zones, less all that lies in the zone or ring of any action.
    An action was heard in a week when all the quarters that its zone and ring touch were.
    """

    zones: Floats
    rings: Floats
    controls: Floats
    heard: Heard


def of_city(run: Run, city: City, rules: ActionRules | None) -> list[Action]:
    """Return the actions of the city's source; none where no file of the pack names it."""
    if rules is None:
        return []
    return read_actions(run.con, city, rules, run.read(f"accepted/{rules.source}.parquet"))


def read_actions(
    con: duckdb.DuckDBPyConnection, city: City, rules: ActionRules, path: Path
) -> list[Action]:
    """Return the accepted actions that have an indicator and began by the end of the period."""
    told = ", ".join(
        f"{quote(column)} AS {quote(name)}" for name, column in rules.fields.model_dump().items()
    )
    rows = store.records(
        con,
        f"SELECT {told} FROM read_parquet({literal(path)}) WHERE {quote(rules.fields.indicator)} "
        f"IS NOT NULL AND {quote(rules.fields.start)} <= ? ORDER BY ALL",
        [city.about.period.end],
    )
    theme_of = {one: name for name, theme in city.themes.items() for one in theme.categories}
    longitude, latitude = (
        np.array([row[name] for row in rows], dtype=float) for name in ("longitude", "latitude")
    )
    metres = np.column_stack(project(longitude, latitude, city.about.crs))
    return [
        Action(
            row["id"], row["kind"], row["indicator"], theme_of.get(row["indicator"]),
            row["start"], row["registered"], float(x), float(y),
        )
        for row, (x, y) in zip(rows, metres, strict=True)
    ]  # fmt: skip


def first_monday(city: City) -> dt.date:
    """Return the first Monday of the period: weeks are counted from it."""
    start = city.about.period.start
    return start + dt.timedelta(days=-start.weekday() % 7)


def weeks(city: City) -> int:
    """Return the whole weeks of the period."""
    return (city.about.period.end + dt.timedelta(days=1) - first_monday(city)) // WEEK


def start_weeks(city: City, actions: list[Action]) -> Ints:
    """Return the first whole week of each action, a position (actions,)."""
    monday = first_monday(city)
    found = [-((monday - action.start).days // 7) for action in actions]
    return np.array(found, dtype=np.int64)


def too_near(actions: list[Action], knobs: Knobs) -> NDArray[np.bool_]:
    """Return which actions have another one so near that zones or rings would meet."""
    at = np.array([[one.x, one.y] for one in actions]).reshape(-1, 2)
    apart = np.hypot(*(at[:, None] - at[None, :]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    return np.asarray((apart < 2 * (knobs.zone_m + knobs.ring_m)).any(axis=1))


def around(
    con: duckdb.DuckDBPyConnection, city: City, actions: list[Action], indicator: str, theme: str,
    knobs: Knobs,
) -> Around:  # fmt: skip
    """Return the weekly counts of a category in and around all actions.

    Views `cube`, `weeks` and `grades_weekly`.

    A fact is where the middle of its cell is. Of origins `knobs.origins` alone: what agents record
    follows where they are sent.
    """
    size, monday = weeks(city), first_monday(city)
    rows = [
        (cell, zone, (week - monday) // WEEK, n)
        for category, cell, zone, week, n in counts(
            con, ["category", "cell", "zone", "week"], theme=theme, origins=knobs.origins,
            division=city.about.main_division, span=(monday, monday + size * WEEK), placed=True,
        )
        if category == indicator and zone is not None
    ]  # fmt: skip
    zones, rings = np.zeros((len(actions), size)), np.zeros((len(actions), size))
    division = city.about.main_division
    quarters = [zone for zone, _ in counts(con, ["zone"], division=division, placed=True) if zone]
    controls = np.zeros((len(quarters), size))
    mondays = [monday + i * WEEK for i in range(size)]
    told = covered_weeks(city, theme, division, quarters, mondays)
    for source in city.themes[theme].sources:
        told = told & heard_weeks(con, source, division, quarters, mondays)
    heard = Heard(np.ones((len(actions), size), dtype=bool), told)
    if not rows:
        return Around(zones, rings, controls, heard)
    place = {name: i for i, name in enumerate(quarters)}
    cells, which = np.unique([cell for cell, *_ in rows], return_inverse=True)
    middle = corners(cells.tolist()) + (cell_size(con) or 0) / 2
    nearest, away = _nearest(middle.astype(np.float64), actions)
    week = np.array([w for _, _, w, _ in rows])
    n = np.array([n for *_, n in rows], dtype=np.float64)
    quarter = np.array([place[zone] for _, zone, _, _ in rows])
    action, far = nearest[which], away[which]
    inside, ringed = far <= knobs.zone_m, far <= knobs.zone_m + knobs.ring_m
    for table, row, kept in (
        (zones, action, inside), (rings, action, ringed & ~inside), (controls, quarter, ~ringed)
    ):  # fmt: skip
        np.add.at(table, (row[kept], week[kept]), n[kept])
    for one, where in set(zip(action[ringed].tolist(), quarter[ringed].tolist(), strict=True)):
        heard.areas[one] &= told[where]
    return Around(zones, rings, controls, heard)


def _nearest(middle: Floats, actions: list[Action]) -> tuple[Ints, Floats]:
    """Return the nearest action of each cell, and how far (metres); ∞ where none has a place."""
    at = np.array([[one.x, one.y] for one in actions]).reshape(-1, 2)
    away = np.hypot(*(middle[:, None] - at[None, :]).transpose(2, 0, 1))
    away = np.where(np.isnan(away), np.inf, away)
    return away.argmin(axis=1), away.min(axis=1)
