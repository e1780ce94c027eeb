"""Counts by day, slot of six hours and zone: what forecasts are made of, and what is missing in it.

A fact is in the slot in which it began, at the earliest. What is not known to the hour is in a part
of its own, what is in no zone in a place of its own: the parts add up to the day, the places to the
city. Days on which a source was silent, or that its contract does not cover, are not zeros.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base.store import quote
from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.city.names import NO_PLACE, OUTSIDE, WHOLE, Origin
from helpers.core.place_time.counts import counts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
SLOTS = ("00-06", "06-12", "12-18", "18-24")
NO_HOUR, UNPLACED = "no_hour", "unplaced"
DEMAND, ACTIVITY = "demand", "activity"
YEAR_DAYS = 364
FEW_HOURLESS = 0.05  # of the facts of a year, above which slots are not told
# Why a day of a zone is not known.
SILENT = "silent"


@dataclass(frozen=True)
class Slots:
    """A theme's counts (days, parts, places) from `first` on, to the last day of the period.

    `zones` are the places, the last one what is in no zone; `why` (days, places) is empty where the
    place was heard, else a reason. `kind`: whether these are facts that habitants tell, or what
    agents do. `lag_days`: the last days, whose records are not all in yet; None where delays are
    not known. `groups`: division → its zones, each with the places that it unites.
    """

    theme: str
    division: str
    kind: str
    first: dt.date
    counts: Floats
    parts: tuple[str, ...]
    zones: tuple[str, ...]
    why: NDArray[np.str_]
    lag_days: int | None
    groups: Mapping[str, Mapping[str, tuple[int, ...]]]

    @property
    def heard(self) -> Bools:
        """Where counts are known (days, places)."""
        return np.asarray(self.why == "")

    @property
    def lead(self) -> int:
        """Days that lie between the last complete day and the morrow of the period's end."""
        return self.lag_days or 0

    @property
    def known(self) -> int:
        """How many days are complete."""
        return len(self.counts) - self.lead

    @property
    def after(self) -> dt.date:
        """The morrow of the period's end: the first day to forecast."""
        return self.first + dt.timedelta(days=len(self.counts))

    def sums(self) -> dict[str, tuple[list[str], Floats]]:
        """Return division → its zones and what each sums (zones, places), zeros and ones.

        The theme's own division with what is in no zone, those that unite its zones, the city.
        """
        own = {zone: (i,) for i, zone in enumerate(self.zones)}
        city = {WHOLE: tuple(range(len(self.zones)))}
        found = {}
        for name, united in {self.division: own, **self.groups, WHOLE: city}.items():
            matrix = np.zeros((len(united), len(self.zones)))
            for i, held in enumerate(united.values()):
                matrix[i, list(held)] = 1
            found[name] = (list(united), matrix)
        return found

    @cached_property
    def weekday(self) -> Ints:
        """The weekday of each day, Monday 0."""
        return np.asarray((self.first.weekday() + np.arange(len(self.counts))) % 7, dtype=np.int64)

    @cached_property
    def season(self) -> Floats:
        """The angle of the year of each day, and of a year more."""
        start = (self.first - dt.date(self.first.year, 1, 1)).days
        days = start + np.arange(len(self.counts) + YEAR_DAYS)
        return np.asarray(2 * np.pi * days / 365.2425, dtype=np.float64)


def read(
    con: duckdb.DuckDBPyConnection,
    city: City,
    theme: str,
    origins: Collection[Origin],
    minimum: int,
    complete: float,
) -> Slots:
    """Return the theme's counts over the city's period, of its own division.

    `origins` are those of demand; where they bring fewer than `minimum` facts in the last year and
    all bring as many, the theme is one of agents' activity, and all are counted. A day is complete
    once the share `complete` of its records is in. Views `cube`, `zones`, `days` and `delays`.
    """
    about = city.themes[theme]
    division = about.division or city.about.main_division
    period = city.about.period
    days = (period.end - period.start).days + 1
    listed = con.execute("SELECT code FROM zones WHERE division = ? ORDER BY 1", [division])
    zones = [zone for (zone,) in listed.fetchall() if zone not in (OUTSIDE, NO_PLACE)]
    demand = _counted(con, theme, division, origins, (period.start, days), zones)
    kind, found = DEMAND, demand
    if demand[-YEAR_DAYS:].sum() < minimum:
        everyone = _counted(con, theme, division, None, (period.start, days), zones)
        if everyone[-YEAR_DAYS:].sum() >= minimum:
            kind, found = ACTIVITY, everyone
    parts, found = _told(found)
    groups = _groups(con, city, division, zones)
    return Slots(
        theme, division, kind, period.start, found, parts,
        (*zones, UNPLACED), _why(con, city, theme, division, zones, groups),
        _lag(con, about.sources, complete), groups,
    )  # fmt: skip


def _told(counts: Floats) -> tuple[tuple[str, ...], Floats]:
    """Return the parts that are told of counts (days, slots and no hour, places), and their counts.

    Where more than `FEW_HOURLESS` of the last year's facts have no hour (a source known to the day
    alone, beside another), slots would say too little: the day is told whole, and no slot.
    """
    recent = counts[-YEAR_DAYS:].sum(axis=(0, 2))
    if not counts[:, -1].any():
        return SLOTS, counts[:, :-1]
    if recent[-1] > FEW_HOURLESS * recent.sum() or not counts[:, :-1].any():
        return (NO_HOUR,), counts.sum(axis=1, keepdims=True)
    return (*SLOTS, NO_HOUR), counts


def _counted(
    con: duckdb.DuckDBPyConnection,
    theme: str,
    division: str,
    origins: Collection[Origin] | None,
    span: tuple[dt.date, int],
    zones: list[str],
) -> Floats:
    """Return the counts (days, slots and what has no hour, zones and what has no place)."""
    start, days = span
    place = {zone: i for i, zone in enumerate(zones)}
    found = np.zeros((days, len(SLOTS) + 1, len(zones) + 1))
    chosen = {"theme": theme, "division": division, "origins": origins}
    for day, zone, n in counts(con, ["day", "zone"], **chosen):  # type: ignore[arg-type]
        if 0 <= (day - start).days < days:
            found[(day - start).days, -1, place.get(zone, -1)] += n
    for day, slot, zone, n in counts(con, ["day", "six_hours", "zone"], **chosen):  # type: ignore[arg-type]
        if 0 <= (day - start).days < days:
            found[(day - start).days, slot, place.get(zone, -1)] += n
            found[(day - start).days, -1, place.get(zone, -1)] -= n
    return found


def _groups(
    con: duckdb.DuckDBPyConnection, city: City, division: str, zones: list[str]
) -> dict[str, dict[str, tuple[int, ...]]]:
    """Return the divisions that unite the zones of this one, and the places that each unites.

    As facts tell them: a zone where nothing ever happened adds nothing to any sum.
    """
    place = {zone: i for i, zone in enumerate(zones)}
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, about in city.about.divisions.items():
        if about.grouping_of != division:
            continue
        rows = con.execute(
            f"SELECT DISTINCT {quote(f'zone_{name}')}, {quote(f'zone_{division}')} FROM cube "
            "ORDER BY ALL"
        ).fetchall()
        united: dict[str, list[int]] = {}
        for group, zone in rows:
            if zone in place and group not in (OUTSIDE, NO_PLACE, None):
                united.setdefault(group, []).append(place[zone])
        found[name] = {group: tuple(held) for group, held in united.items()}
    return found


def _why(
    con: duckdb.DuckDBPyConnection,
    city: City,
    theme: str,
    division: str,
    zones: list[str],
    groups: Mapping[str, Mapping[str, tuple[int, ...]]],
) -> NDArray[np.str_]:
    """Return why a place is not known on a day (days, places), empty where it is."""
    period = city.about.period
    days = (period.end - period.start).days + 1
    why = np.full((days, len(zones) + 1), "", dtype="<U16")
    places: dict[tuple[str, str], list[int]] = {(WHOLE, WHOLE): list(range(len(zones) + 1))}
    places |= {(division, zone): [i] for i, zone in enumerate(zones)}
    for name, united in groups.items():
        places |= {(name, group): list(held) for group, held in united.items()}
    rows = con.execute(
        "SELECT DISTINCT division, zone, day FROM days "
        "WHERE list_contains(?, source) AND status = 'missing' ORDER BY ALL",
        [list(city.themes[theme].sources)],
    ).fetchall()
    for one, zone, day in rows:
        if 0 <= (day - period.start).days < days:
            why[(day - period.start).days, places.get((one, zone), [])] = SILENT
    gone = coverage.of_theme(city, theme, division)
    for day in gone.everywhere:
        why[(day - period.start).days] = coverage.NOT_COVERED
    for zone, uncovered in gone.zones.items():
        for day in uncovered:
            why[(day - period.start).days, places.get((division, zone), [])] = coverage.NOT_COVERED
    return why


def _lag(con: duckdb.DuckDBPyConnection, sources: Collection[str], complete: float) -> int | None:
    """Return after how many days the share `complete` of a day's records is in. View `delays`.

    Of several sources the slowest; None where one does not tell.
    """
    rows = con.execute(
        "SELECT coalesce(min(days) FILTER (share_in >= ?), max(days)) FROM delays "
        "WHERE list_contains(?, source) GROUP BY source",
        [complete, list(sources)],
    ).fetchall()
    lags = [int(days) for (days,) in rows]
    return max(lags) if lags and len(lags) == len(sources) else None
