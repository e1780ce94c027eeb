"""Past events beside days without one: the counts that ratios are read from.

A day of reference has no event around the place, the same weekday (public holidays are a weekday of
their own), the same kind of school day, lies in the same weeks, and was heard.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.place_time.calendar import PUBLIC_HOLIDAY, SCHOOL_HOLIDAYS, all_kinds
from helpers.core.stats.event_ratio import Beside
from helpers.events.around import CONTROL, Facts, Hourly, Places
from helpers.events.knobs import Knobs
from helpers.events.known import Event

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
BEFORE, DURING, AFTER, LATE = "before", "during", "after", "late"
PHASES = (BEFORE, DURING, AFTER, LATE)
DAY = 24
LASTS, BESIDE = "lasts_long", "beside_another"
HOLIDAY = 7  # the weekday of public holidays


@dataclass(frozen=True)
class Days:
    """What each day of the period is: weekday (0–7), school holidays, heard; shape (days,)."""

    weekday: Ints
    school: Bools
    heard: Bools

    def alike(self, day: int) -> Bools:
        """Return the days that are the same kind of day."""
        same = (self.weekday == self.weekday[day]) & (self.school == self.school[day])
        return np.asarray(same, dtype=np.bool_)


@dataclass(frozen=True)
class Past:
    """Events to learn from: their places and the hours of each phase (events, phases, 2)."""

    events: list[Event]
    place: Ints
    day: Ints
    phases: Ints
    stratum: Ints
    references: list[Ints]


@dataclass(frozen=True)
class History:
    """All that estimates are read from; `dropped` counts past events not used, by reason."""

    hourly: Hourly
    days: Days
    quiet: Bools
    past: Past
    dropped: dict[str, dict[str, int]]
    knobs: Knobs

    def beside(self, rows: Ints, areas: Sequence[str], phases: Sequence[str], theme: str) -> Beside:
        """Return events (positions in `past.events`) beside their days of reference.

        Counts of all `areas` and `phases` together. Events without both sides are left out.
        """
        found = np.full((len(rows), 4), np.nan)
        for i, row in enumerate(rows.tolist()):
            found[i] = self._counted(row, areas, phases, theme)
        kept = np.isfinite(found).all(axis=1)
        area, control, area_without, control_without = found[kept].T
        stratum = self.past.stratum[rows][kept]
        return Beside(area, control, area_without, control_without, stratum)

    def _counted(
        self, row: int, areas: Sequence[str], phases: Sequence[str], theme: str
    ) -> tuple[float, float, float, float]:
        place, back = int(self.past.place[row]), self.past.references[row] - self.past.day[row]
        shift = np.concatenate([[0], back * DAY])
        area = control = np.zeros(len(shift))
        for phase in phases:
            first, last = self.past.phases[row, PHASES.index(phase)]
            hours = first + shift, last + shift
            area = area + sum(self.hourly.between(place, a, theme, *hours) for a in areas)
            control = control + self.hourly.between(place, CONTROL, theme, *hours)
        told = np.isfinite(area[1:]) & np.isfinite(control[1:])
        without = [float(side[1:][told].sum()) for side in (area, control)]
        return float(area[0]), float(control[0]), without[0], without[1]

    def of_kind(self, kind: str) -> Ints:
        """Return the positions of the past events of a class."""
        return np.flatnonzero([event.kind == kind for event in self.past.events])


def phases_of(event: Event, first: dt.datetime, knobs: Knobs) -> Ints:
    """Return the hours of each of `PHASES`, counted from `first`: from, to before; (phases, 2)."""
    start = int((event.start - first).total_seconds() // 3600)
    end = max(start + 1, -int(-(event.end - first).total_seconds() // 3600))
    soon, late = knobs.after_h
    edges = [start - knobs.before_h, start, end, end + soon, end + late]
    return np.array(list(pairwise(edges)), dtype=np.int64)


def days_of(con: duckdb.DuckDBPyConnection, city: City, themes: Sequence[str]) -> Days:
    """Return what the days of the city's period are.

    Heard: no source of the themes was silent in any zone, and its contract covers the day. View
    `days` (as `reliability` writes it).
    """
    period = city.about.period
    kinds = all_kinds(city.about.holidays, period.start, period.end)
    count = (period.end - period.start).days + 1
    days = [period.start + dt.timedelta(days=i) for i in range(count)]
    told = [kinds.get(day, ()) for day in days]
    sources = {source for theme in themes for source in city.themes[theme].sources}
    silent = con.execute(
        "SELECT DISTINCT day FROM days WHERE list_contains(?, source) AND status = 'missing'",
        [sorted(sources)],
    ).fetchall()
    gone = [coverage.of_theme(city, theme, city.about.main_division) for theme in themes]
    untold = {day for (day,) in silent}.union(*(one.everywhere for one in gone))
    return Days(
        np.array([HOLIDAY if PUBLIC_HOLIDAY in k else d.weekday()
                  for d, k in zip(days, told, strict=True)], dtype=np.int64),
        np.array([SCHOOL_HOLIDAYS in k for k in told], dtype=np.bool_),
        np.array([day not in untold for day in days], dtype=np.bool_),
    )  # fmt: skip


def lasting_long(event: Event, knobs: Knobs) -> bool:
    """Tell whether an event lasts too long for hours before and after it to mean anything."""
    return event.hours > knobs.longest_h


def history(events: list[Event], facts: Facts, where: Places, days: Days, knobs: Knobs) -> History:
    """Return the past short events that are alone around their place, and their references."""
    short = [e for e in events if e.allowed and not lasting_long(e, knobs)]
    spots = [where.position(e) for e in short]
    located = [(e, p) for e, p in zip(short, spots, strict=True) if p is not None]
    windows = np.array([phases_of(e, facts.first, knobs) for e, _ in located], dtype=np.int64)
    windows = windows.reshape(-1, len(PHASES), 2)
    place = np.array([p for _, p in located], dtype=np.int64)
    begin, end = windows[:, 0, 0], windows[:, -1, 1]
    quiet = _quiet(where, place, begin, end, len(days.heard))
    dropped: dict[str, dict[str, int]] = {}
    kept = []
    for i, (event, _) in enumerate(located):
        if end[i] > facts.hours:
            continue  # to come, or not over
        why = _unfit(i, windows, place, where, days)
        if why:
            dropped.setdefault(event.kind, {}).setdefault(why, 0)
            dropped[event.kind][why] += 1
        else:
            kept.append(i)
    chosen = np.array(kept, dtype=np.int64)
    day = windows[chosen, 1, 0] // DAY
    block = day // (7 * knobs.reference_weeks)
    references = [
        np.flatnonzero(quiet[place[i]] & days.heard & days.alike(int(d))
                       & (np.arange(len(days.heard)) // (7 * knobs.reference_weeks) == b))
        for i, d, b in zip(chosen.tolist(), day.tolist(), block.tolist(), strict=True)
    ]  # fmt: skip
    stratum = ((place[chosen] * (HOLIDAY + 1) + days.weekday[day]) * 2 + days.school[day]) * (
        int(block.max(initial=0)) + 1
    ) + block
    past = Past([located[i][0] for i in kept], place[chosen], day, windows[chosen], stratum,
                references)  # fmt: skip
    return History(Hourly(facts, where), days, quiet, past, dropped, knobs)


def _quiet(where: Places, place: Ints, begin: Ints, end: Ints, days: int) -> Bools:
    """Return the days without any event around each place, shape (places, days)."""
    quiet = np.ones((len(where.at), days), dtype=np.bool_)
    for spot, first, last in zip(
        place.tolist(), (begin // DAY).tolist(), (-(-end // DAY)).tolist(), strict=True
    ):
        quiet[np.ix_(where.near[spot], np.arange(max(first, 0), min(last, days)))] = False
    return quiet


def _unfit(i: int, windows: Ints, place: Ints, where: Places, days: Days) -> str:
    """Return why nothing is learnt from an event, nothing where it will do."""
    begin, end = windows[:, 0, 0], windows[:, -1, 1]
    if begin[i] < 0:
        return "before_period"
    if not days.heard[windows[i, 1, 0] // DAY]:
        return "not_heard"
    beside = where.near[place[i], place] & (begin < end[i]) & (end > begin[i])
    return BESIDE if beside.sum() > 1 else ""


def why_few(past: History, kind: str, events: list[Event]) -> str:
    """Return why a class has too few events to learn from, nothing where they are just few.

    Most of its events last too long, or most of the others are beside another one.
    """
    own = [event for event in events if event.kind == kind]
    long = sum(lasting_long(event, past.knobs) for event in own)
    if own and long > len(own) / 2:
        return LASTS
    beside = past.dropped.get(kind, {}).get(BESIDE, 0)
    return BESIDE if own and beside > (len(own) - long) / 2 else ""
