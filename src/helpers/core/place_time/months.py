"""Counts a month and a zone, and which of them are told: what is not told is missing, not zero.

A source of counts that writes its zeros tells what it writes: a category or a zone without a row in
a month was not told of, nor any sum of which it is a part. Elsewhere a month is told where the
source was heard (`reliability.months`). What the contract does not cover is never told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.base.store import quote
from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.city.names import NO_PLACE, OUTSIDE, WHOLE
from helpers.core.place_time.counts import Span, counts

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
MEAN_DAYS = 365.2425 / 12  # of a month


@dataclass(frozen=True)
class Months:
    """A theme's months: `n` and `told` have shape (zones, months), the city first."""

    first: list[dt.date]
    zones: list[str]
    n: Floats
    told: Bools

    @property
    def exposure(self) -> Floats:
        """How much of a mean month each one is, 0 where it is not told (zones, months)."""
        lengths = np.array([(after(month) - month).days for month in self.first])
        return np.asarray(self.told * lengths / MEAN_DAYS)


def after(month: dt.date) -> dt.date:
    """Return the first day of the next month."""
    return shifted(month, 1)


def shifted(month: dt.date, by: int) -> dt.date:
    """Return the first day of the month `by` months later."""
    at = month.year * 12 + month.month - 1 + by
    return dt.date(at // 12, at % 12 + 1, 1)


def full_months(start: dt.date, end: dt.date) -> list[dt.date]:
    """Return the first days of the months that lie wholly within `start`…`end`, both inclusive."""
    month = start if start.day == 1 else after(start.replace(day=1))
    found = []
    while after(month) - dt.timedelta(days=1) <= end:
        found.append(month)
        month = after(month)
    return found


def span_of(months: Sequence[dt.date]) -> Span:
    """Return the first day of these months that follow one another, and the day after the last."""
    return months[0], after(months[-1])


def monthly(con: duckdb.DuckDBPyConnection, theme: str) -> bool:
    """Tell whether the theme's facts are known to the month, and none better. View `cube`."""
    return not counts(con, ["year"], theme=theme) and bool(
        counts(con, ["year"], theme=theme, monthly=True)
    )


def of_theme(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, division: str,
    origins: Collection[str] | None = None,
) -> Months:  # fmt: skip
    """Return the theme's months of the city's period, by zone of `division`.

    `origins`: the records counted (all). Views `cube`, `zones` and `months`.
    """
    first = full_months(city.about.period.start, city.about.period.end)
    listed = con.execute("SELECT code FROM zones WHERE division = ? ORDER BY 1", [division])
    zones = [WHOLE, *(z for (z,) in listed.fetchall() if z not in (OUTSIDE, NO_PLACE))]
    n, place = np.zeros((len(zones), len(first))), {zone: i for i, zone in enumerate(zones)}
    at = {month: i for i, month in enumerate(first)}
    chosen = "TRUE" if origins is None else "list_contains(?, origin)"
    rows = con.execute(
        f"SELECT source, category, {quote(f'zone_{division}')} AS zone, "
        "CAST(date_trunc('month', hour) AS DATE) AS month, "
        f"CAST(coalesce(sum(n) FILTER ({chosen}), 0) AS BIGINT) AS n FROM cube "
        "WHERE theme = ? AND time_precision != 'year' GROUP BY ALL ORDER BY ALL",
        [*([list(origins)] if origins is not None else []), theme],
    ).fetchall()
    for *_, zone, month, count in rows:
        if month in at:
            n[0, at[month]] += count
            if zone in place:
                n[place[zone], at[month]] += count
    told = np.ones(n.shape, dtype=bool)
    for source in city.themes[theme].sources:
        cells = [(c, z, m) for name, c, z, m, _ in rows if name == source]
        told &= _told(con, city, source, cells, place, at)
    gone = coverage.of_theme(city, theme, division)
    for zone, row in place.items():
        days = gone.city if zone == WHOLE else gone.of(zone)
        for day in days:
            month = day.replace(day=1)
            if month in at:
                told[row, at[month]] = False
    return Months(first, zones, n, told)


def heard(con: duckdb.DuckDBPyConnection, source: str) -> set[dt.date]:
    """Return the months in which the source was heard. View `months`."""
    rows = con.execute("SELECT month FROM months WHERE source = ? AND status = 'ok'", [source])
    return {row[0] for row in rows.fetchall()}


def writes_zeros(con: duckdb.DuckDBPyConnection, city: City, source: str) -> bool:
    """Tell whether the source counts, and writes a zero where it counted nothing. View `cube`."""
    rule = city.contracts[source].observation
    if rule is None or rule.count is None:
        return False
    zeros = con.execute("SELECT count(*) FROM cube WHERE source = ? AND n = 0", [source])
    return bool(zeros.fetchall()[0][0])


def _told(
    con: duckdb.DuckDBPyConnection,
    city: City,
    source: str,
    cells: list[tuple[str, str, dt.date]],
    place: dict[str, int],
    at: dict[dt.date, int],
) -> Bools:
    """Return which months of which zones a source tells (zones, months).

    `cells`: the category, zone and month of what it tells of; the city needs all its zones.
    """
    told = np.zeros((len(place), len(at)), dtype=bool)
    came = [at[month] for month in heard(con, source) if month in at]
    if not writes_zeros(con, city, source):
        told[:, came] = True
        return told
    parts: dict[str, set[str]] = {}
    for category, zone, _ in cells:
        parts.setdefault(zone, set()).add(category)
    seen: dict[tuple[str, dt.date], int] = {}
    for _, zone, month in cells:
        seen[zone, month] = seen.get((zone, month), 0) + 1
    for month, column in ((month, i) for month, i in at.items() if i in came):
        full = {zone for zone, asked in parts.items() if seen.get((zone, month), 0) == len(asked)}
        told[0, column] = bool(parts) and len(full) == len(parts)
        for zone in full & place.keys():
            told[place[zone], column] = True
    return told
