"""The hours of agents that a city's source of patrols tells of: what exists, and no more."""

from __future__ import annotations

import datetime as dt

import duckdb
import numpy as np

from helpers.core.base.store import quote
from helpers.core.city.about import Patrols

Usual = dict[tuple[int, str, str], float]


def hours_by_day(
    con: duckdb.DuckDBPyConnection, rule: Patrols, span: tuple[dt.date, dt.date]
) -> list[tuple[str, str, dt.date, float]]:
    """Return zone, slot, day and agent-hours, all rows of a cell added (a row a crew, say).

    `span`: first working day, day after the last. Rows without hours add none. View of the source.
    """
    zone, slot, day, hours = (quote(n) for n in (rule.zone, rule.slot, rule.day, rule.hours))
    rows: list[tuple[str, str, dt.date, float]] = con.execute(
        f"SELECT {zone}, {slot}, {day}, CAST(coalesce(sum({hours}), 0) AS DOUBLE) "
        f"FROM {quote(rule.source)} WHERE {day} >= ? AND {day} < ? GROUP BY ALL ORDER BY ALL",
        list(span),
    ).fetchall()
    return rows


def usual_hours(
    con: duckdb.DuckDBPyConnection, rule: Patrols, span: tuple[dt.date, dt.date]
) -> Usual:
    """Return (weekday, slot, zone) → the median of agent-hours over the days that are told.

    A zone without a row on a day that the source tells of had none then: nobody off the list may
    be counted on. A day without any row was not told, and is no zero. View of the source.
    """
    rows = hours_by_day(con, rule, span)
    days = {day for _, _, day, _ in rows}
    told: dict[tuple[int, str, str], list[float]] = {}
    for zone, slot, day, hours in rows:
        told.setdefault((day.weekday(), slot, zone), []).append(hours)
    found = {}
    for key, known in told.items():
        none = [0.0] * (sum(day.weekday() == key[0] for day in days) - len(known))
        found[key] = float(np.median([*known, *none]))
    return found
