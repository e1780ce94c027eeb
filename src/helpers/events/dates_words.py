"""The dates that the city's calendar knows of the days to come: school and public holidays."""

from __future__ import annotations

import datetime as dt

from helpers.core.base.french import spoken
from helpers.core.city.about import Holidays
from helpers.core.city.city import City
from helpers.core.place_time.calendar import (
    FULL_DAYS,
    PUBLIC_HOLIDAY,
    SCHOOL_HOLIDAYS,
    SCHOOL_KNOWN,
    all_kinds,
)

LONGEST = 70  # days of the longest school holidays, and some


def coming(city: City, days: int) -> str:
    """Return, as Markdown after a list, the holidays of the `days` days after the period.

    School holidays are said from their first day to their last, beyond these days too.
    """
    first = city.about.period.end + dt.timedelta(days=1)
    last = first + dt.timedelta(days=days - 1)
    about = city.about.holidays.model_copy(update={"events": None})
    lines = [*_school(about, first, last), *_public(about, first, last)]
    return "\n\n" + "\n".join(f"- {line}" for line in lines) if lines else ""


def _school(about: Holidays, first: dt.date, last: dt.date) -> list[str]:
    if not about.school_zone:
        return []
    wide = dt.timedelta(days=LONGEST)
    kinds = all_kinds(about, first - wide, last + wide)
    found: list[list[dt.date]] = []
    for day in (day for day, kind in kinds.items() if SCHOOL_HOLIDAYS in kind):
        if found and day - found[-1][-1] == dt.timedelta(days=1):
            found[-1].append(day)
        else:
            found.append([day])
    lines = [
        f"Vacances scolaires (zone {about.school_zone}) : du {_day(run[0])} au {_day(run[-1])}."
        for run in found if run[-1] >= first and run[0] <= last
    ]  # fmt: skip
    unknown = last > SCHOOL_KNOWN[1]
    return lines + ([f"Vacances scolaires inconnues après le {spoken(SCHOOL_KNOWN[1])}."]
                    if unknown else [])  # fmt: skip


def _public(about: Holidays, first: dt.date, last: dt.date) -> list[str]:
    days = [day for day, kind in all_kinds(about, first, last).items() if PUBLIC_HOLIDAY in kind]
    if not days:
        return []
    word = "Jours fériés" if len(days) > 1 else "Jour férié"
    return [f"{word} : {', '.join(_day(day) for day in days)}."]


def _day(day: dt.date) -> str:
    return f"{FULL_DAYS[day.weekday()]} {spoken(day)}"
