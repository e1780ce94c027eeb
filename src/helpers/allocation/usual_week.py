"""A usual week of a city: the hours of patrol that it has, and what its habitants ask for.

Hours stay in the shift that they are worked in: who works when is not known, so that rest cannot be
checked. What may move is the zone, by the hour of a team.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from helpers.allocation.knobs import Knobs
from helpers.allocation.means import (
    Bools,
    Crew,
    Dose,
    EquityBand,
    Floats,
    Hours,
    Ints,
    Means,
    MinimumService,
    Problem,
    Shift,
    covered_demand,
)
from helpers.core.city.about import Patrols, Slot
from helpers.core.city.city import City
from helpers.core.city.names import Origin
from helpers.core.place_time.calendar import first_monday, window
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import of_theme
from helpers.core.place_time.presence import usual_hours
from helpers.core.place_time.slots import DEMAND

HOUR_MIN, WEEK_DAYS = 60, 7
NO_HOURS, NO_DEMAND, NO_ZONE = "no_hours", "no_demand", "no_zone"
UNKNOWN: Origin = "unknown"


@dataclass(frozen=True)
class Week:
    """A week as it usually goes, by zone and slot of the week (Monday's first slot first).

    `present`: hours of a team, whole ones only; `asked`: facts expected from habitants, shapes
    (zones, slots). `known` (zones,): whether all is known that the zone asks for. `unheard`: themes
    whose sources were never all heard over a week, and in how many zones; `forecast`: how many
    themes and zones were brought to the level of their forecast, of how many. `placed`: the share
    of the facts whose hour and zone are known; `untold`: the share of what is asked that no source
    says who started. `elsewhere`: agent-hours of places that are no zone, left where they are.
    `mute`: zones that the roster left out for weeks, and how many days, taken as not told.
    """

    zones: tuple[str, ...]
    slots: tuple[tuple[int, str], ...]  # weekday, code
    present: Ints
    asked: Floats
    known: Bools
    unheard: tuple[tuple[str, int], ...]
    forecast: tuple[int, int]
    placed: float = 1.0
    untold: float = 0.0
    elsewhere: float = 0.0
    mute: tuple[tuple[str, int], ...] = ()


class Asked(NamedTuple):
    """What a week asks for: the fields of `Week` of the same names, in their order."""

    asked: Floats
    known: Bools
    unheard: tuple[tuple[str, int], ...]
    forecast: tuple[int, int]
    placed: float
    untold: float


def read(con: duckdb.DuckDBPyConnection, city: City, in_force: City, knobs: Knobs) -> Week | str:
    """Return the usual week, or why there is none: hours not told, or nothing asked for.

    Views of the source of patrols, `zones`, `cube`, `weeks`, `grades_weekly` and `forecasts`.
    """
    rule = city.about.patrols
    if rule is None:
        return NO_HOURS
    ordered = sorted(city.about.slots.items(), key=lambda item: item[1].start_h)
    slots = tuple((day, code) for day in range(WEEK_DAYS) for code, _ in ordered)
    last = city.about.period.end - dt.timedelta(days=(city.about.period.end.weekday() + 1) % 7)
    first, after = window(last, WEEK_DAYS * knobs.reference_weeks)
    span = max(first, first_monday(city.about.period.start)), after
    zones, hours, elsewhere, mute = _hours(con, rule, slots, span)
    if not len(zones) and elsewhere:
        return NO_ZONE
    present = np.floor(hours / knobs.team_officers).astype(np.int64)
    if not present.any():
        return NO_HOURS
    told = _asked(con, in_force, rule.division, zones, slots, span, knobs)
    if not told.asked.any():
        return NO_DEMAND
    return Week(zones, slots, present, *told, elsewhere=elsewhere, mute=mute)


def _hours(
    con: duckdb.DuckDBPyConnection, rule: Patrols, slots: tuple[tuple[int, str], ...],
    span: tuple[dt.date, dt.date],
) -> tuple[tuple[str, ...], Floats, float, tuple[tuple[str, int], ...]]:  # fmt: skip
    """Return zones, the usual agent-hours (zones, slots), and those of places that are no zone.

    Then the zones that the roster leaves out for weeks, and for how many days in all.

    What is asked for there is not known: no hour is moved there, or from there. View `zones`.
    """
    usual, mute = usual_hours(con, rule, span)
    known = {code for (code,) in con.execute("SELECT code FROM zones WHERE division = ?",
                                             [rule.division]).fetchall()}  # fmt: skip
    zones = tuple(sorted({zone for *_, zone in usual} & known))
    place = {slot: i for i, slot in enumerate(slots)}
    found, elsewhere = np.zeros((len(zones), len(slots))), 0.0
    for (day, slot, zone), hours in usual.items():
        if zone not in known:
            elsewhere += hours
        elif (day, slot) in place:
            found[zones.index(zone), place[day, slot]] = hours
    silent = tuple((zone, len(mute[zone])) for zone in zones if zone in mute)
    return zones, found, elsewhere, silent


def _asked(
    con: duckdb.DuckDBPyConnection, city: City, division: str, zones: tuple[str, ...],
    slots: tuple[tuple[int, str], ...], span: tuple[dt.date, dt.date], knobs: Knobs,
) -> Asked:  # fmt: skip
    """Return what is asked for in a week.

    The mean of the weeks when all sources of the theme were heard in the zone, brought to next
    week's forecast of the theme and zone where there is one.
    """
    mondays = [span[0] + dt.timedelta(days=i) for i in range(0, (span[1] - span[0]).days, 7)]
    heard = {theme: of_theme(con, city, theme, division, zones, mondays) for theme in city.themes}
    level = _levels(con, division)
    at, week = {zone: i for i, zone in enumerate(zones)}, {day: i for i, day in enumerate(mondays)}
    place = {slot: i for i, slot in enumerate(slots)}
    found, placed, of_nobody = np.zeros((len(zones), len(slots))), 0, 0.0
    rows = counts(con, ["theme", "working_day", "slot", "zone", "origin"], themes=[*city.themes],
                  origins=knobs.origins, division=division, span=span, placed=True)  # fmt: skip
    for theme, day, slot, zone, origin, n in rows:
        monday = day - dt.timedelta(days=day.weekday())
        placed += n
        # A night's end belongs to the day before, which the span may not hold.
        if monday in week and zone in at and heard[theme][at[zone], week[monday]]:
            mean = n / heard[theme][at[zone]].sum() * level.get((theme, zone), 1.0)
            found[at[zone], place[day.weekday(), slot]] += mean
            of_nobody += mean if origin == UNKNOWN else 0.0
    silent = {theme: int((~told.any(axis=1)).sum()) for theme, told in heard.items()}
    partly = [~told.any(axis=1) for told in heard.values() if told.any()]
    pairs = {
        (theme, zone) for theme, told in heard.items() for zone in zones if told[at[zone]].any()
    }
    whole = sum(n for _, n in counts(con, ["theme"], themes=[*city.themes], origins=knobs.origins,
                                     span=span))  # fmt: skip
    return Asked(
        found, ~np.any(partly, axis=0) if partly else np.zeros(len(zones), dtype=bool),
        tuple((theme, n) for theme, n in silent.items() if n),
        (sum(pair in level for pair in pairs), len(pairs)), placed / whole if whole else 0.0,
        of_nobody / found.sum() if found.any() else 0.0,
    )  # fmt: skip


def _levels(con: duckdb.DuckDBPyConnection, division: str) -> dict[tuple[str, str], float]:
    """Return (theme, zone) → next week's forecast, relative to a year's mean. View `forecasts`."""
    rows = con.execute(
        "SELECT theme, zone, mean / usual FROM forecasts WHERE horizon = 'week' AND part = 'day' "
        "AND division = ? AND kind = ? AND status = 'ok' AND usual > 0 ORDER BY ALL",
        [division, DEMAND],
    ).fetchall()
    return {(theme, zone): float(ratio) for theme, zone, ratio in rows}


def problem(week: Week, knobs: Knobs, answered: float, lost: Ints | None = None) -> Problem:
    """Return what may be moved: hours of a team between zones, each within its own shift.

    An hour of a team is a duty of its slot: of the clock, only the order of slots counts here.
    `answered`: the share of what is left that an hour of a team meets. `lost` (slots,): hours of a
    team that are missing; the rules stay those of the hours of today.
    """
    teams = week.present.sum(axis=0)
    if lost is not None:
        teams = np.maximum(teams - lost, 0)
    crews, shifts = [], []
    for i, (day, code) in enumerate(week.slots):
        crews.append(Crew(f"{day}_{code}", int(teams[i]), int(teams[i]) * HOUR_MIN))
        shifts.append(Shift(f"{day}_{code}", i * HOUR_MIN, (i + 1) * HOUR_MIN, (i,)))
    today = np.zeros((len(crews), len(week.zones), len(week.slots)), dtype=np.int64)
    for i in range(len(crews)):
        today[i, :, i] = week.present[:, i]
    means = Means(tuple(crews), tuple(shifts), np.eye(len(crews), dtype=bool), week.zones,
                  week.zones, np.arange(len(week.zones)), len(week.slots), today)  # fmt: skip
    now = week.present.sum(axis=1)
    rules = (
        Hours(),
        MinimumService(np.ceil(knobs.minimum_share * now).astype(np.int64)),
        Dose(np.floor(knobs.most_ratio * now).astype(np.int64)),
        EquityBand(np.where(week.known, week.asked.sum(axis=1), np.nan), knobs.equity_band),
    )
    gain = covered_demand(week.asked, answered, knobs.most_hours)
    return Problem(means, gain, rules, knobs.change_cost)


def again(plan: pa.Table, slots: Mapping[str, Slot]) -> Week | None:
    """Return the week that a plan was made of, out of its table; None where there was none.

    What pages ask anew: they never read what is accepted. `slots`: those of the city.
    """
    rows = [row for row in plan.to_pylist() if row["zone"]]
    if not rows:
        return None
    zones = tuple(sorted({row["zone"] for row in rows}))
    found = tuple(sorted({(row["weekday"], row["slot"]) for row in rows},
                         key=lambda at: (at[0], slots[at[1]].start_h)))  # fmt: skip
    known = {row["zone"]: row["known"] for row in rows}
    return Week(zones, found, grid(rows, zones, found, "today_h").astype(np.int64),
                grid(rows, zones, found, "asked"), np.array([known[zone] for zone in zones]),
                (), (0, 0))  # fmt: skip


def grid(
    rows: Iterable[Mapping[str, Any]], zones: Sequence[str], slots: Sequence[tuple[int, str]],
    column: str,
) -> Floats:  # fmt: skip
    """Return a column of a plan's rows by zone and slot of the week (zones, slots)."""
    found = np.zeros((len(zones), len(slots)))
    for row in rows:
        found[zones.index(row["zone"]), slots.index((row["weekday"], row["slot"]))] = row[column]
    return found


def hours_of(slots: Mapping[str, Slot]) -> dict[str, int]:
    """Return the hours that each working slot of a day lasts, until the next one begins."""
    ordered = sorted(slots, key=lambda code: slots[code].start_h)
    after = [*ordered[1:], *ordered[:1]]
    return {one: (slots[next_one].start_h - slots[one].start_h) % 24 or 24
            for one, next_one in zip(ordered, after, strict=True)}  # fmt: skip
