"""What is known of the actions: decided in the register, delivered by the source of actions.

The register is read from its snapshot, which came in by the door; it is never opened here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city.action_rules import NO_THEME, aimed, read_rules, told_twice
from helpers.core.place_time.places import sector_of
from helpers.core.place_time.territory import Zones, project
from helpers.core.stage.run import Run
from helpers.register import received, rules
from helpers.register.entries import Entry, Problem

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Delivered:
    """An action as its source tells it; hours are agent-hours a week, None where not told.

    `x` and `y` are metres, NaN without a place. `theme` counts the facts aimed at, None where none
    does, `indicator` is their category, and `part` tells whether the theme counts other ones too;
    `registered` is the day when the source says that they were written down. `twice`: several rows
    of the source bear this number, and this is one of them.
    """

    id: str
    kind: str
    theme: str | None
    start: dt.date
    x: float
    y: float
    registered: dt.date | None = None
    end: dt.date | None = None
    problem: str | None = None
    tier: str | None = None
    planned_h: float | None = None
    done_h: float | None = None
    indicator: str | None = None
    part: bool = False
    twice: bool = False


@dataclass(frozen=True)
class Known:
    """Entries of the register in order, and what was delivered by action; `today` judges states.

    `has_register` is False for a city without one: it has no entry, which is not « none decided ».
    """

    entries: Sequence[Entry]
    delivered: dict[str, Delivered]
    today: dt.date
    has_register: bool
    problems: dict[str, Problem] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """All actions, decided or delivered, in order."""
        decided = {entry.draft.subject for entry, _ in rules.actions(self.entries)}
        return sorted(decided | set(self.delivered))


def read(run: Run) -> Known:
    """Return what is known of the actions of the run's city."""
    entries = received.of_run(run)
    today, held = received.today(run, entries or []), entries is not None
    return Known(entries or [], _delivered(run), today, held, in_force(entries or []))


def in_force(entries: Sequence[Entry]) -> dict[str, Problem]:
    """Return problem → what the register says of it now."""
    told = ((e.draft.subject, e.draft.payload) for e in rules.in_force(entries))
    return {name: payload for name, payload in told if isinstance(payload, Problem)}


def _delivered(run: Run) -> dict[str, Delivered]:
    about = read_rules(run.city)
    if about is None:
        return {}
    fields = about.fields.told()
    columns = ", ".join(f"{quote(column)} AS {quote(name)}" for name, column in fields.items())
    path = run.read(f"accepted/{about.source}.parquet")
    rows = store.records(
        run.con, f"SELECT {columns} FROM read_parquet({literal(path)}) ORDER BY ALL"
    )
    counted, twice = aimed(run.city), told_twice(run.con, about, path)
    longitude, latitude = (
        np.array([row[name] for row in rows], dtype=float) for name in ("longitude", "latitude")
    )
    x, y = project(longitude, latitude, run.city.about.crs)
    return {
        row["id"]: Delivered(
            row["id"], row["kind"], theme, row["start"], float(x[i]), float(y[i]),
            row["registered"], row.get("end"), row.get("problem"), row.get("tier"),
            row.get("planned_h"), row.get("done_h"), row["indicator"], part,
            row["id"] in twice,
        )
        for i, row in enumerate(rows)
        if row["start"] is not None
        for theme, part in [counted.get(row["indicator"], NO_THEME)]
    }  # fmt: skip


@dataclass(frozen=True)
class Where:
    """Where an action is: a point (metres, NaN), a zone of the main division, a sector."""

    x: float
    y: float
    zone: str | None
    sector: str | None


def places(run: Run, known: Known) -> dict[str, Where]:
    """Return where each action is: at its delivered point, else in its problem's zone.

    The sector is of the division of the hours of patrol. View `zones`, and `cube`.
    """
    city = run.city
    sectors = sector_of(run.con, city)
    shapes = store.records(
        run.con,
        "SELECT code, name, geometry FROM zones WHERE division = ? AND geometry IS NOT NULL "
        "ORDER BY code",
        [city.about.main_division],
    )
    codes, titles, drawn = ([row[k] for row in shapes] for k in ("code", "name", "geometry"))
    zones = Zones.read(codes, titles, drawn, city.about.crs) if shapes else None
    problem_of = {e.draft.subject: a.problem for e, a in rules.actions(known.entries)}
    found = {}
    for name in known.names:
        point = known.delivered.get(name)
        x, y = (point.x, point.y) if point else (np.nan, np.nan)
        zone = zones.at(np.array([x]), np.array([y]))[0] if zones and np.isfinite(x) else None
        if zone not in sectors:
            problem = known.problems.get(problem_of.get(name, ""))
            zone = problem.zone if problem else None
        found[name] = Where(x, y, zone, sectors.get(zone or ""))
    return found
