"""The dose really done: hours of patrol that an action added near its place, in its shifts.

Rosters tell hours by sector and shift, not by action. What an action added is the hours of its
sector in its weeks, beyond what the same sector had in other weeks, had it followed the rest of the
city: ordinary least squares on weekly hours, errors robust to unequal variance (HC1, MacKinnon &
White 1985, Journal of Econometrics 29). Other actions of the sector are in the regression too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from helpers.actions.knobs import Knobs
from helpers.core.city.city import City
from helpers.core.place_time.calendar import full_weeks
from helpers.core.place_time.presence import hours_by_day, mute_days
from helpers.core.stats.intervals import DIGITS

Floats = NDArray[np.float64]
NO_HOURS, NO_SECTOR, NOT_PATROL, TOO_SHORT, TOGETHER, NOT_BEGUN = (
    "no_hours", "no_sector", "not_patrol", "too_short", "together", "not_begun"
)  # fmt: skip
PATROLS = ("patrouille_pedestre", "point_fixe", "operation_conjointe", "controle",
           "verbalisation_ciblee", "presence_ecole")  # fmt: skip
ENDED = ("refused", "proposed", "approved")  # states of what has not been done
DOSES = pa.schema(
    [
        ("action", pa.string()), ("weeks", pa.int64()), ("existing_h", pa.float64()),
        ("done_h", pa.float64()), ("done_low", pa.float64()), ("done_high", pa.float64()),
        ("reason", pa.string()),
    ]
)  # fmt: skip
SECTOR_HOURS = pa.schema(
    [
        ("action", pa.string()), ("week", pa.date32()), ("shift", pa.string()),
        ("hours", pa.float64()),
    ]
)  # fmt: skip


class Weekly:
    """Agent-hours by week, sector and shift; nothing where the city tells no hours of patrol.

    `told` (weeks,): the weeks that the source tells as wholly as it usually does.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, city: City) -> None:
        about = city.about.patrols
        period = city.about.period
        self.mondays = full_weeks(period.start, period.end)
        self._hours: dict[tuple[str, str], Floats] = {}
        days: dict[int, set[dt.date]] = {}
        place = {monday: i for i, monday in enumerate(self.mondays)}
        whole = period.start, period.end + dt.timedelta(days=1)
        rows = hours_by_day(con, about, whole) if about else []
        for sector, shift, day, hours in rows:
            week = place.get(day - dt.timedelta(days=day.weekday()))
            if week is not None:
                held = self._hours.setdefault((sector, shift), np.zeros(len(self.mondays)))
                held[week] += hours
                days.setdefault(week, set()).add(day)
        told = np.array([len(days.get(i, ())) for i in range(len(self.mondays))])
        # Fewer days than the roster usually has: some are missing, and are no hours of zero.
        self.told = told >= (np.median(told[told > 0]) if told.any() else 1)
        self._mute = mute_days(rows)

    def of(self, sectors: Sequence[str], shifts: Sequence[str]) -> Floats:
        """Return the hours of sectors in shifts (all where none is named), by week (weeks,)."""
        found = [h for (sector, shift), h in self._hours.items()
                 if sector in sectors and (shift in shifts or not shifts)]  # fmt: skip
        return np.sum(found, axis=0) if found else np.zeros(len(self.mondays))

    def shifts(self, sector: str) -> list[str]:
        """Return the shifts in which a sector has hours, in order."""
        return sorted(shift for one, shift in self._hours if one == sector)

    @property
    def sectors(self) -> list[str]:
        """The sectors that have hours, in order."""
        return sorted({sector for sector, _ in self._hours})

    def told_of(self, sector: str) -> NDArray[np.bool_]:
        """Return which of the weeks told are told of a sector too."""
        mute = self._mute.get(sector, set())
        gone = {day - dt.timedelta(days=day.weekday()) for day in mute}
        heard = np.array([one not in gone for one in self.mondays], dtype=bool)
        return np.asarray(self.told & heard)

    def within(self, start: dt.date, end: dt.date) -> NDArray[np.bool_]:
        """Return which weeks told lie wholly between two days, both included."""
        week = dt.timedelta(days=6)
        inside = [start <= one and one + week <= end for one in self.mondays]
        return np.array(inside, dtype=bool) & self.told


def doses(states: pa.Table, weekly: Weekly, knobs: Knobs, end: dt.date) -> pa.Table:
    """Return one row an action, in order: DOSES, in agent-hours a week; `end` of the period.

    `done_h` is never above `existing_h`, the hours that the sector had in these shifts.
    """
    rows = states.to_pylist()
    found = []
    for row in rows:
        why = _why_not(row, weekly, end)
        told: dict[str, Any] = {"action": row["action"], "reason": why}
        found.append(told if why else told | _one(row, rows, weekly, knobs, end))
    return pa.Table.from_pylist(found, schema=DOSES)


def sector_hours(states: pa.Table, weekly: Weekly, end: dt.date) -> pa.Table:
    """Return the agent-hours that the sector of each action had in its own weeks and shifts.

    One row an action, week known and shift, in order: SECTOR_HOURS. Of an action whose dose rosters
    do not tell, nothing; `existing_h` of DOSES is their mean by week.
    """
    found = []
    for row in states.to_pylist():
        if _why_not(row, weekly, end):
            continue
        own = np.flatnonzero(_own(row, weekly, end))
        for shift in weekly.shifts(row["sector"]):
            if shift in row["shifts"] or not row["shifts"]:
                hours = weekly.of([row["sector"]], [shift])
                found += [{"action": row["action"], "week": weekly.mondays[i], "shift": shift,
                           "hours": float(hours[i])} for i in own]  # fmt: skip
    return pa.Table.from_pylist(found, schema=SECTOR_HOURS)


def _why_not(row: dict[str, Any], weekly: Weekly, end: dt.date) -> str:
    if row["state"] in ENDED or row["start"] > end:
        return NOT_BEGUN
    if not weekly.sectors:
        return NO_HOURS
    if row["response"] not in PATROLS:
        return NOT_PATROL
    return "" if row["sector"] in weekly.sectors else NO_SECTOR


def _one(
    row: dict[str, Any], rows: list[dict[str, Any]], weekly: Weekly, knobs: Knobs, end: dt.date
) -> dict[str, Any]:
    heard = weekly.told_of(row["sector"])
    own = _own(row, weekly, end)
    hours = weekly.of([row["sector"]], row["shifts"])
    told: dict[str, Any] = {"weeks": int(own.sum())}
    if own.sum() < knobs.minimum_weeks:
        return {**told, "reason": TOO_SHORT}
    told["existing_h"] = round(float(hours[own].mean()), DIGITS)
    rest = weekly.of([s for s in weekly.sectors if s != row["sector"]], row["shifts"])
    span = dt.timedelta(weeks=knobs.reference_weeks)
    last = min(row["end"] or end, end)
    used = weekly.within(row["start"] - span, last + span) & heard
    others = [_during(one, weekly, end) for one in rows
              if one is not row and one["sector"] == row["sector"]
              and not _why_not(one, weekly, end)]  # fmt: skip
    columns = [own, rest / max(rest.mean(), 1e-9), *others]
    design = np.column_stack([np.asarray(c, float)[used] for c in columns if c[used].any()])
    if design.shape[0] - design.shape[1] < knobs.minimum_weeks:
        return {**told, "reason": TOO_SHORT}
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return {**told, "reason": TOGETHER}
    value, error, freedom = added(design, hours[used])
    far = float(special.stdtrit(freedom, (1 + knobs.confidence) / 2)) * error
    ends = np.clip([value, value - far, value + far], 0, told["existing_h"])
    names = ("done_h", "done_low", "done_high")
    return {**told, **dict(zip(names, np.round(ends, DIGITS).tolist(), strict=True))}


def _own(row: dict[str, Any], weekly: Weekly, end: dt.date) -> NDArray[np.bool_]:
    """Return which weeks are the action's, and told of its sector."""
    return _during(row, weekly, end) & weekly.told_of(row["sector"])


def _during(row: dict[str, Any], weekly: Weekly, end: dt.date) -> NDArray[np.bool_]:
    return weekly.within(row["start"], min(row["end"] or end, end))


def added(design: Floats, hours: Floats) -> tuple[float, float, int]:
    """Return the coefficient of the first column, its error (HC1) and the degrees of freedom.

    `design` (weeks, columns) of full rank, `hours` (weeks,).
    """
    weeks, columns = design.shape
    inverse = np.linalg.inv(design.T @ design)
    fitted = inverse @ design.T @ hours
    left = hours - design @ fitted
    middle = (design * left[:, None] ** 2).T @ design
    variance = (inverse @ middle @ inverse)[0, 0] * weeks / (weeks - columns)
    return float(fitted[0]), float(np.sqrt(variance)), weeks - columns
