"""A usual week of a city: the hours of patrol that it has, and what its habitants ask for.

Hours stay in the shift that they are worked in: who works when is not known, so that rest cannot be
checked. What may move is the zone, by the hour of a team.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from helpers.allocation.knobs import Knobs
from helpers.allocation.means import (
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
from helpers.core.base.store import quote
from helpers.core.city.about import Patrols, Slot
from helpers.core.city.city import City
from helpers.core.city.names import Origin
from helpers.core.place_time.calendar import window
from helpers.core.place_time.counts import counts
from helpers.core.place_time.slots import DEMAND

HOUR_MIN, WEEK_DAYS = 60, 7
NO_HOURS, NO_DEMAND = "no_hours", "no_demand"
UNKNOWN: Origin = "unknown"


@dataclass(frozen=True)
class Week:
    """A week as it usually goes, by zone and slot of the week (Monday's first slot first).

    `present`: hours of a team, whole ones only; `asked`: facts expected from habitants, shapes
    (zones, slots). `unheard`: themes whose sources were never all heard over a week; `forecast`:
    how many themes and zones were brought to the level of their forecast, of how many. `untold`:
    the share of what is asked that no source says who started.
    """

    zones: tuple[str, ...]
    slots: tuple[tuple[int, str], ...]  # weekday, code
    present: Ints
    asked: Floats
    unheard: tuple[str, ...]
    forecast: tuple[int, int]
    untold: float = 0.0


def read(con: duckdb.DuckDBPyConnection, city: City, in_force: City, knobs: Knobs) -> Week | str:
    """Return the usual week, or why there is none: hours not told, or nothing asked for.

    Views of the source of patrols, `cube`, `weeks` and `forecasts`.
    """
    rule = city.about.patrols
    if rule is None:
        return NO_HOURS
    ordered = sorted(city.about.slots.items(), key=lambda item: item[1].start_h)
    slots = tuple((day, code) for day in range(WEEK_DAYS) for code, _ in ordered)
    last = city.about.period.end - dt.timedelta(days=(city.about.period.end.weekday() + 1) % 7)
    span = window(last, WEEK_DAYS * knobs.reference_weeks)
    zones, hours = _hours(con, rule, slots, span)
    present = np.floor(hours / knobs.team_officers).astype(np.int64)
    if not present.any():
        return NO_HOURS
    asked, unheard, forecast = _asked(con, in_force, rule.division, zones, slots, span, knobs)
    if not asked.any():
        return NO_DEMAND
    of_nobody = asked[list(knobs.origins).index(UNKNOWN)].sum() if UNKNOWN in knobs.origins else 0.0
    whole = asked.sum(axis=0)
    return Week(zones, slots, present, whole, unheard, forecast, float(of_nobody / whole.sum()))


def _hours(
    con: duckdb.DuckDBPyConnection, rule: Patrols, slots: tuple[tuple[int, str], ...],
    span: tuple[dt.date, dt.date],
) -> tuple[tuple[str, ...], Floats]:  # fmt: skip
    """Return zones, and the median of agent-hours (zones, slots); a day not told is no zero."""
    rows = con.execute(
        f"SELECT {quote(rule.zone)}, isodow({quote(rule.day)}) - 1, {quote(rule.slot)}, "
        f"median(CAST({quote(rule.hours)} AS DOUBLE)) FROM {quote(rule.source)} "
        f"WHERE {quote(rule.day)} >= ? AND {quote(rule.day)} < ? GROUP BY ALL ORDER BY ALL",
        list(span),
    ).fetchall()
    zones = tuple(sorted({zone for zone, *_ in rows}))
    at = {zone: i for i, zone in enumerate(zones)}
    found = np.zeros((len(zones), len(slots)))
    for zone, day, slot, hours in rows:
        if (int(day), slot) in slots and hours is not None:
            found[at[zone], slots.index((int(day), slot))] = hours
    return zones, found


def _asked(
    con: duckdb.DuckDBPyConnection, city: City, division: str, zones: tuple[str, ...],
    slots: tuple[tuple[int, str], ...], span: tuple[dt.date, dt.date], knobs: Knobs,
) -> tuple[Floats, tuple[str, ...], tuple[int, int]]:  # fmt: skip
    """Return facts expected a week (origins, zones, slots), themes unheard, how many as forecast.

    The mean of the weeks when all sources of the theme were heard, brought to next week's forecast
    of the theme and zone where there is one.
    """
    heard = {theme: _weeks(con, about.sources, span) for theme, about in city.themes.items()}
    unheard = tuple(theme for theme, weeks in heard.items() if not weeks)
    level = _levels(con, division)
    at = {zone: i for i, zone in enumerate(zones)}
    found = np.zeros((len(knobs.origins), len(zones), len(slots)))
    pairs = {(theme, zone) for theme in heard if heard[theme] for zone in zones}
    rows = counts(con, ["theme", "working_day", "slot", "zone", "origin"], themes=[*city.themes],
                  origins=knobs.origins, division=division, span=span, placed=True)  # fmt: skip
    for theme, day, slot, zone, origin, n in rows:
        monday = day - dt.timedelta(days=day.weekday())
        if monday in heard[theme] and zone in at and (day.weekday(), slot) in slots:
            mean = n / len(heard[theme]) * level.get((theme, zone), 1.0)
            whose = knobs.origins.index(origin)
            found[whose, at[zone], slots.index((day.weekday(), slot))] += mean
    followed = sum(pair in level for pair in pairs)
    return found, unheard, (followed, len(pairs))


def _weeks(
    con: duckdb.DuckDBPyConnection, sources: tuple[str, ...], span: tuple[dt.date, dt.date]
) -> set[dt.date]:
    """Return the Mondays of the span whose weeks all the sources were heard. View `weeks`."""
    silent = con.execute(
        "SELECT DISTINCT week FROM weeks WHERE list_contains(?, source) AND status = 'missing'",
        [list(sources)],
    ).fetchall()
    mondays = {span[0] + dt.timedelta(days=i) for i in range(0, (span[1] - span[0]).days, 7)}
    return mondays - {week for (week,) in silent}


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
        EquityBand(week.asked.sum(axis=1), knobs.equity_band),
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
    return Week(zones, found, grid(rows, zones, found, "today_h").astype(np.int64),
                grid(rows, zones, found, "asked"), (), (0, 0))  # fmt: skip


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
