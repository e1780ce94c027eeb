"""The roads that are counted: flows by day and slot, kinds of days, days when a road was closed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.city.city import City
from helpers.core.city.traffic_rules import Closure, TrafficRules
from helpers.core.place_time import counters
from helpers.core.place_time.calendar import PUBLIC_HOLIDAY, SCHOOL_HOLIDAYS, all_kinds
from helpers.core.place_time.counters import HOURS, Hours, Place

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
PUBLIC = 14  # the kind of public holidays; of others, the weekday, and 7 more in school holidays


@dataclass(frozen=True)
class Roads:
    """Counted roads of the class whose fluidity is told; `kind`: that of each day (days,)."""

    rules: TrafficRules
    hours: Hours
    kind: Ints

    @property
    def names(self) -> dict[str, str]:
        """Site → the name of its road."""
        return {one.site: one.name for one in self.places}

    @property
    def places(self) -> tuple[Place, ...]:
        """The places counted."""
        return self.hours.places

    @property
    def days(self) -> int:
        """How many days the period has."""
        return len(self.kind)

    def index(self, site: str) -> int | None:
        """Return the position of a site; None where its class is not counted there."""
        return next((i for i, one in enumerate(self.places) if one.site == site), None)

    def over(self, hours: tuple[int, ...], values: Floats) -> Floats:
        """Return the mean of `values` (places, days, 24) over hours, NaN unless all are known."""
        return np.asarray(values[:, :, list(hours)].mean(axis=2))

    def spell(self, start: int, length: int) -> Floats:
        """Return the mean flow of `length` hours from hour `start` of each day on (places, days).

        NaN unless all are known; what goes past midnight is of the morrow, `start` may be negative.
        """
        line = self.hours.flow.reshape(len(self.places), -1)
        padded = np.pad(line, ((0, 0), (HOURS, 3 * HOURS)), constant_values=np.nan)
        first = HOURS + start + HOURS * np.arange(self.days)
        return np.asarray(padded[:, first[:, None] + np.arange(length)].mean(axis=2))

    def between(self, start: dt.date, end: dt.date) -> Bools:
        """Return which days lie from `start` to `end`, both inclusive (days,)."""
        at = np.arange(self.days)
        return np.asarray((at >= self.hours.day(start)) & (at <= self.hours.day(end)))

    @cached_property
    def touched(self) -> Bools:
        """Days on which a road is closed, or beside one that is (places, days)."""
        found = np.zeros((len(self.places), self.days), dtype=bool)
        for one in self.rules.closures:
            for site in (one.road, *one.parallel):
                at = self.index(site)
                if at is not None:
                    found[at] |= self.between(one.start, one.end)
        return found


def closed_days(closures: tuple[Closure, ...]) -> set[tuple[str, dt.date]]:
    """Return the sites and days on which a road is closed: a zero there is one."""
    return {
        (one.road, one.start + dt.timedelta(days=i))
        for one in closures
        for i in range((one.end - one.start).days + 1)
    }


def kinds(city: City) -> Ints:
    """Return the kind of each day of the period: see `PUBLIC`."""
    period = city.about.period
    about = city.about.holidays.model_copy(update={"events": None})
    told = all_kinds(about, period.start, period.end)
    found = [
        PUBLIC if PUBLIC_HOLIDAY in kind else day.weekday() + 7 * (SCHOOL_HOLIDAYS in kind)
        for day, kind in sorted(told.items())
    ]
    return np.array(found, dtype=np.int64)


def read(
    con: duckdb.DuckDBPyConnection, city: City, rules: TrafficRules | None, files: dict[str, Path]
) -> Roads | None:
    """Return the roads; None where the city tells of no counter.

    `files`: source → its accepted rows. View `zones`.
    """
    if rules is None:
        return None
    told = counters.read(con, city, rules, files, rules.flow, closed_days(rules.closures))
    return Roads(rules, told, kinds(city))
