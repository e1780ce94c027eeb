"""Days, weeks and hours of the week, in local time; Monday first, as in France."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from zoneinfo import ZoneInfo

import holidays
import numpy as np
from numpy.typing import NDArray
from vacances_scolaires_france import SchoolHolidayDates

from helpers.core.city.about import Holidays, Slot
from helpers.core.city.city import City
from helpers.core.city.names import DayKind

Floats = NDArray[np.float64]
DAYS = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
FULL_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
HOURS_OF_WEEK = 168
PUBLIC_HOLIDAY: DayKind = "public_holiday"
SCHOOL_HOLIDAYS: DayKind = "school_holidays"
WEEKEND: DayKind = "weekend"
EVENT: DayKind = "event"
WORKING: DayKind = "working_day"
# First and last day of which the package knows the school holidays of France.
SCHOOL_KNOWN = (dt.date(1990, 10, 27), dt.date(2028, 8, 31))
OUT_OF_THE_ORDINARY = (PUBLIC_HOLIDAY, SCHOOL_HOLIDAYS, WEEKEND, EVENT)


def window(end: dt.date, days: int) -> tuple[dt.date, dt.date]:
    """Return the first day and the day after the last of the `days` days that end with `end`."""
    after = end + dt.timedelta(days=1)
    return after - dt.timedelta(days=days), after


def last_window(city: City, days: int) -> tuple[dt.date, dt.date]:
    """Return the first day and the day after the last of the city's last `days` days.

    None lies before its period: of a shorter one, the window is all of it, since a day before the
    data begin is no day without facts.
    """
    first, after = window(city.about.period.end, days)
    return max(first, city.about.period.start), after


def last_days(city: City, days: int) -> tuple[dt.date, dt.date]:
    """Return the first and the last of the city's last `days` days (`last_window`)."""
    first, after = last_window(city, days)
    return first, after - dt.timedelta(days=1)


def first_monday(start: dt.date) -> dt.date:
    """Return the first Monday from `start` on."""
    return start + dt.timedelta(days=-start.weekday() % 7)


def full_weeks(start: dt.date, end: dt.date) -> list[dt.date]:
    """Return the Mondays of the weeks that lie wholly within `start`…`end`, both inclusive."""
    first = first_monday(start)
    count = (end - first).days + 1
    return [first + dt.timedelta(weeks=i) for i in range(max(0, count // 7))]


def quarters(start: dt.date, end: dt.date) -> list[tuple[dt.date, dt.date]]:
    """Return the first day and the day after the last of each quarter that two days touch."""
    found = []
    first = dt.date(start.year, 3 * ((start.month - 1) // 3) + 1, 1)
    while first <= end:
        after = dt.date(first.year + first.month // 10, (first.month + 2) % 12 + 1, 1)
        found.append((first, after))
        first = after
    return found


@cache
def skipped_hours(timezone: str) -> tuple[dt.datetime, ...]:
    """Return the local hours, 1970 to 2069, that the changes to summer time leave out.

    Zones whose clock moves by less than an hour are not told apart to the minute.
    """
    zone = ZoneInfo(timezone)
    day, end = dt.datetime(1970, 1, 1), dt.datetime(2070, 1, 1)
    found = []
    while day < end:
        after = day + dt.timedelta(days=1)
        if after.replace(tzinfo=zone).utcoffset() != day.replace(tzinfo=zone).utcoffset():
            hours = (day + dt.timedelta(hours=hour) for hour in range(24))
            found += [hour for hour in hours if _read_again(hour, zone) != hour]
        day = after
    return tuple(found)


def _read_again(wall: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    there = wall.replace(tzinfo=zone).astimezone(dt.UTC)
    return there.astimezone(zone).replace(tzinfo=None)


def odd_hours(timezone: str, days: Iterable[dt.date]) -> dict[dt.datetime, float]:
    """Return how long each local hour of these days lasted, in hours, where that is not one.

    On the night that the clock goes forward an hour is not lived (0); on the night that it goes
    back one is lived twice (2).
    """
    return {hour: length for day in sorted(set(days)) for hour, length in _odd(timezone, day)}


@cache  # pages ask it of the same year at each answer
def _odd(timezone: str, day: dt.date) -> tuple[tuple[dt.datetime, float], ...]:
    zone, quarter = ZoneInfo(timezone), dt.timedelta(minutes=15)
    start = dt.datetime.combine(day, dt.time())
    after = start + dt.timedelta(days=1)
    if after.replace(tzinfo=zone).utcoffset() == start.replace(tzinfo=zone).utcoffset():
        return ()
    begin, end = (one.replace(tzinfo=zone).astimezone(dt.UTC) for one in (start, after))
    lived = Counter(
        (begin + i * quarter).astimezone(zone).hour for i in range((end - begin) // quarter)
    )
    return tuple(
        (start + dt.timedelta(hours=hour), lived[hour] / 4)
        for hour in range(24) if lived[hour] != 4
    )  # fmt: skip


def lived_hours(timezone: str, days: Collection[dt.date]) -> Floats:
    """Return how many hours of these days fell in each hour of the week (168,), as lived."""
    counts = np.bincount([day.weekday() for day in days], minlength=7)
    lived = np.repeat(counts.astype(float), 24)
    for hour, length in odd_hours(timezone, days).items():
        lived[hour.weekday() * 24 + hour.hour] += length - 1
    return lived


def slot_of(column: str, slots: Mapping[str, Slot]) -> str:
    """Return the SQL of the working slot (its code) of a local timestamp.

    Slots follow one another round the clock: the last one of the day goes on past midnight.
    """
    ordered = sorted(slots.items(), key=lambda item: item[1].start_h, reverse=True)
    whens = " ".join(f"WHEN hour({column}) >= {one.start_h} THEN '{code}'" for code, one in ordered)
    return f"CASE {whens} ELSE '{ordered[0][0]}' END"


def working_day(column: str, slots: Mapping[str, Slot]) -> str:
    """Return the SQL of the day that a local timestamp is worked on: a night belongs to its eve."""
    first = min(one.start_h for one in slots.values())
    return f"CAST({column} - INTERVAL {first} HOUR AS DATE)"


def hour_of_week(column: str) -> str:
    """Return the SQL of the hour of the week (0 = Monday 00 h) of a local timestamp."""
    return f"((isodow({column}) - 1) * 24 + hour({column}))"


def day_kinds(
    about: Holidays, start: dt.date, end: dt.date, events: Collection[dt.date] = ()
) -> dict[dt.date, DayKind]:
    """Return what kind of day each one is first of all, `start` to `end` inclusive.

    In this order: a day of the city's events, a public holiday, school holidays, a weekend, a
    working day (`all_kinds`).
    """
    return {day: found[0] for day, found in all_kinds(about, start, end, events).items()}


def all_kinds(
    about: Holidays, start: dt.date, end: dt.date, events: Collection[dt.date] = ()
) -> dict[dt.date, tuple[DayKind, ...]]:
    """Return all that each day is, `start` to `end` inclusive: a working day if nothing else.

    Everything is known offline; school holidays are France's, of `SCHOOL_KNOWN`, and none beyond.
    Days that the source of events does not tell of are left out: nobody knows that there was none.
    """
    if about.events:
        start, end = max(start, about.events.start or start), min(end, about.events.end or end)
    years = range(start.year, end.year + 1)
    public = holidays.country_holidays(about.country, subdiv=about.subdivision, years=years)
    school = SchoolHolidayDates() if about.school_zone else None
    count = (end - start).days + 1
    kinds: dict[dt.date, tuple[DayKind, ...]] = {}
    for day in (start + dt.timedelta(days=i) for i in range(count)):
        known = SCHOOL_KNOWN[0] <= day <= SCHOOL_KNOWN[1]
        closed = bool(school and known and school.is_holiday_for_zone(day, about.school_zone))
        told: tuple[tuple[DayKind, bool], ...] = (
            (EVENT, day in events), (PUBLIC_HOLIDAY, day in public), (SCHOOL_HOLIDAYS, closed),
            (WEEKEND, day.weekday() >= 5),
        )  # fmt: skip
        kinds[day] = tuple(kind for kind, holds in told if holds) or (WORKING,)
    return kinds
