"""The actions that the pack's source tells of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city.action_rules import NO_THEME, ActionRules, aimed, told_twice
from helpers.core.city.city import City
from helpers.core.place_time.calendar import first_monday
from helpers.core.place_time.territory import project
from helpers.core.stage.run import Run
from helpers.impact.knobs import Knobs
from helpers.register import received
from helpers.register.beforehand import NOT_REGISTERED, REGISTERED_LATE, Unkept, unkept

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Action:
    """An action: its kind, the category of facts it aims at, where (metres) and from when.

    `x` and `y` are NaN without a place. `registered` is None where nobody wrote down beforehand
    what would be judged; `theme` None where no theme counts its facts. `unkept`: why the city's
    register does not bear it out, "" where it does, None where the city has no register. `twice`:
    another row of the source bears the same number.
    """

    id: str
    kind: str
    indicator: str
    theme: str | None
    start: dt.date
    registered: dt.date | None
    x: float
    y: float
    unkept: Unkept | None = None
    twice: bool = False

    @property
    def why(self) -> Unkept:
        """Why what is judged was not written down before the beginning, "" where it was."""
        if self.unkept is not None:
            return self.unkept
        if self.registered is None:
            return NOT_REGISTERED
        return REGISTERED_LATE if self.registered >= self.start else ""


def of_city(run: Run, city: City, rules: ActionRules | None) -> list[Action]:
    """Return the actions of the city's source; none where no file of the pack names it."""
    if rules is None:
        return []
    found = read_actions(run.con, city, rules, run.read(f"accepted/{rules.source}.parquet"))
    entries = received.of_run(run)
    if entries is None:
        return found
    today = received.today(run, entries)
    # Of all the city's themes, even one that is not in force now: the register may name it.
    counted = aimed(run.city)
    return [
        replace(one, unkept=unkept(entries, one.id, theme, part, today))
        for one in found
        for theme, part in [counted.get(one.indicator, NO_THEME)]
    ]


def read_actions(
    con: duckdb.DuckDBPyConnection, city: City, rules: ActionRules, path: Path
) -> list[Action]:
    """Return the accepted actions that have an indicator and began by the end of the period."""
    told = ", ".join(
        f"{quote(column)} AS {quote(name)}" for name, column in rules.fields.told().items()
    )
    rows = store.records(
        con,
        f"SELECT {told} FROM read_parquet({literal(path)}) WHERE {quote(rules.fields.indicator)} "
        f"IS NOT NULL AND {quote(rules.fields.start)} <= ? ORDER BY ALL",
        [city.about.period.end],
    )
    counted, twice = aimed(city), told_twice(con, rules, path)
    longitude, latitude = (
        np.array([row[name] for row in rows], dtype=float) for name in ("longitude", "latitude")
    )
    metres = np.column_stack(project(longitude, latitude, city.about.crs))
    return [
        Action(
            row["id"], row["kind"], row["indicator"], theme, row["start"], row["registered"],
            float(x), float(y), twice=row["id"] in twice,
        )
        for row, (x, y) in zip(rows, metres, strict=True)
        for theme, _ in [counted.get(row["indicator"], NO_THEME)]
    ]  # fmt: skip


def start_weeks(city: City, actions: list[Action]) -> Ints:
    """Return the first whole week of each action, a position (actions,)."""
    monday = first_monday(city.about.period.start)
    found = [-((monday - action.start).days // 7) for action in actions]
    return np.array(found, dtype=np.int64)


def metres(actions: list[Action]) -> NDArray[np.float64]:
    """Return where each action is (actions, 2), NaN without a place."""
    return np.array([[one.x, one.y] for one in actions], dtype=np.float64).reshape(-1, 2)


def too_near(actions: list[Action], knobs: Knobs) -> NDArray[np.bool_]:
    """Return which actions have another one so near that zones or rings would meet."""
    at = metres(actions)
    apart = np.hypot(*(at[:, None] - at[None, :]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    return np.asarray((apart < 2 * (knobs.zone_m + knobs.ring_m)).any(axis=1))
