"""Days, weeks and hours of the week, in local time; Monday first, as in France."""

from __future__ import annotations

import datetime as dt

DAYS = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
FULL_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
HOURS_OF_WEEK = 168


def spoken(day: dt.date) -> str:
    """Return the day as it is said: « 1er mars 2024 »."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {MONTHS[day.month - 1]} {day.year}"


def window(end: dt.date, days: int) -> tuple[dt.date, dt.date]:
    """Return the first day and the day after the last of the `days` days that end with `end`."""
    after = end + dt.timedelta(days=1)
    return after - dt.timedelta(days=days), after


def full_weeks(start: dt.date, end: dt.date) -> list[dt.date]:
    """Return the Mondays of the weeks that lie wholly within `start`…`end`, both inclusive."""
    first = start + dt.timedelta(days=-start.weekday() % 7)
    count = (end - first).days + 1
    return [first + dt.timedelta(weeks=i) for i in range(max(0, count // 7))]


def hour_of_week(column: str) -> str:
    """Return the SQL of the hour of the week (0 = Monday 00 h) of a local timestamp."""
    return f"((isodow({column}) - 1) * 24 + hour({column}))"
