"""The hours of agents that a city's source of patrols tells of: what exists, and no more."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import pairwise

import duckdb
import numpy as np

from helpers.core.base.store import quote
from helpers.core.city.about import Patrols

Usual = dict[tuple[int, str, str], float]
HoursOfDay = tuple[str, str, dt.date, float]  # zone, slot, day, agent-hours
MUTE = 14  # days without any row, where a zone has one nearly every day


def hours_by_day(
    con: duckdb.DuckDBPyConnection, rule: Patrols, span: tuple[dt.date, dt.date]
) -> list[HoursOfDay]:
    """Return zone, slot, day and agent-hours, all rows of a cell added (a row a crew, say).

    `span`: first working day, day after the last. Rows without hours add none. View of the source.
    """
    zone, slot, day, hours = (quote(n) for n in (rule.zone, rule.slot, rule.day, rule.hours))
    rows: list[HoursOfDay] = con.execute(
        f"SELECT {zone}, {slot}, {day}, CAST(coalesce(sum({hours}), 0) AS DOUBLE) "
        f"FROM {quote(rule.source)} WHERE {day} >= ? AND {day} < ? GROUP BY ALL ORDER BY ALL",
        list(span),
    ).fetchall()
    return rows


def mute_days(rows: Iterable[HoursOfDay]) -> dict[str, set[dt.date]]:
    """Return zone → the days that the source tells of, but not for that zone: no zero hours.

    A zone without a row on a day had none then, as far as its absence is ordinary. Longer than
    `MUTE` days, and than `MUTE` times what usually parts two of its days, nobody told: its roster
    was not delivered, or it is no more one of the zones.
    """
    by_zone: dict[str, set[dt.date]] = {}
    for zone, _, day, _ in rows:
        by_zone.setdefault(zone, set()).add(day)
    days = sorted(set().union(*by_zone.values()))
    found = {}
    for zone, own in by_zone.items():
        at = [i for i, day in enumerate(days) if day in own]
        usual = float(np.median(np.diff(at))) if len(at) > 1 else 1.0
        edges = [-1, *at, len(days)]
        mute = [days[i] for a, b in pairwise(edges) if b - a - 1 > MUTE * usual
                for i in range(a + 1, b)]  # fmt: skip
        if mute:
            found[zone] = set(mute)
    return found


def usual_hours(
    con: duckdb.DuckDBPyConnection, rule: Patrols, span: tuple[dt.date, dt.date]
) -> tuple[Usual, dict[str, set[dt.date]]]:
    """Return (weekday, slot, zone) → the median of agent-hours over the days that are told.

    And the days that are told, but not for a zone (`mute_days`). A zone without a row on another
    day that the source tells of had none then: nobody off the list may be counted on. A day without
    any row was not told, and is no zero. View of the source.
    """
    rows = hours_by_day(con, rule, span)
    days, mute = {day for _, _, day, _ in rows}, mute_days(rows)
    told: dict[tuple[int, str, str], list[float]] = {}
    for zone, slot, day, hours in rows:
        told.setdefault((day.weekday(), slot, zone), []).append(hours)
    found = {}
    for (weekday, slot, zone), known in told.items():
        heard = days - mute.get(zone, set())
        none = [0.0] * (sum(day.weekday() == weekday for day in heard) - len(known))
        found[weekday, slot, zone] = float(np.median([*known, *none]))
    return found, mute
