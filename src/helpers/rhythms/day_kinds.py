"""What kinds of day do to counts, once month, weekday and the other kinds are taken out.

School holidays fall in some months, public holidays on some weekdays: mean counts alone would give
them what is the season's. One log-linear model holds all of it, a level for each month of each year
(what rises, sways or is recorded otherwise from a month to the next is no kind of day); errors are
shared within two months.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from helpers.core.city.city import City
from helpers.core.city.names import DayKind
from helpers.core.place_time.calendar import OUT_OF_THE_ORDINARY, WEEKEND, WORKING
from helpers.core.stats.clustered import (
    SINGULAR,
    Clustered,
    clustered_poisson,
    interval,
    p_value,
)
from helpers.core.stats.intervals import DIGITS
from helpers.rhythms.knobs import Knobs
from helpers.rhythms.week import TOO_FEW
from helpers.rhythms.year import daily_counts

Floats = NDArray[np.float64]
Kinds = Mapping[dt.date, Collection[DayKind]]
# Months whose errors are shared: what drags on passes from one to the next. Pairs begin in even
# months: the holidays of Christmas, winter, spring and autumn are cut by none in France.
TOGETHER = 2
LEAST_OF_A_KIND = 5  # days, to be compared with working days
# Why nothing is said of a kind, beside TOO_FEW: it cannot be told from the months it fills, or
# from the weekdays; or the model does not settle.
LIKE_MONTHS, UNSETTLED = "like_the_months", "not_converged"
KINDS = pa.schema(
    [
        ("theme", pa.string()), ("kind", pa.string()), ("days", pa.int64()), ("n", pa.int64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("p", pa.float64()), ("q", pa.float64()), ("found", pa.bool_()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Effects:
    """The fitted model: `place` of each kind's column; a kind without one cannot be told apart.

    Columns 1 to 6 are Tuesday to Sunday where `whole_week`: every weekday has its facts.
    """

    fitted: Clustered
    place: Mapping[DayKind, int]
    whole_week: bool

    def knows(self, kind: DayKind) -> bool:
        """Tell whether the kind can be told apart from the months and the weekdays."""
        return kind == WORKING or kind in self.place or (kind == WEEKEND and self.whole_week)

    def against_working(self, kind: DayKind) -> tuple[float, Floats]:
        """Return the log ratio of a kind that it `knows` to a working day, and its slopes (p,).

        A weekend's compares the mean Saturday or Sunday with the mean day from Monday to Friday.
        """
        slopes = np.zeros(len(self.fitted.coefficients))
        if kind in self.place:
            slopes[self.place[kind]] = 1.0
            return float(self.fitted.coefficients[self.place[kind]]), slopes
        if kind == WORKING:
            return 0.0, slopes
        level = np.exp(np.append(0.0, self.fitted.coefficients[1:7]))
        slopes[1:5] = -level[1:5] / level[:5].sum()
        slopes[5:7] = level[5:] / level[5:].sum()
        return float(np.log(level[5:].mean() / level[:5].mean())), slopes


def effects(counts: Mapping[dt.date, int], kinds: Kinds) -> Effects | None:
    """Return the model of the days' `counts`; None where it does not settle.

    `kinds`: all that each day is. Months and weekdays without a single fact tell nothing of kinds
    of day: their days are left out.
    """
    days = _telling(counts, kinds)
    if not days:
        return None
    y = np.array([counts[day] for day in days], dtype=float)
    weekday = np.array([day.weekday() for day in days])
    month = np.array([day.year * 12 + day.month for day in days])
    names = [one for one in OUT_OF_THE_ORDINARY if one != WEEKEND]
    columns = [np.ones(len(days)), *_dummies(weekday), *_dummies(month)]
    place: dict[DayKind, int] = {}
    for name in names:
        flag = np.array([name in kinds[day] for day in days], dtype=float)
        known = np.column_stack(columns)
        left = flag - known @ np.linalg.lstsq(known, flag, rcond=None)[0]
        if (left**2).sum() > SINGULAR * len(days) and (y * flag).sum() > 0:
            place[name] = len(columns)
            columns.append(flag)
    try:
        fitted = clustered_poisson(y, np.column_stack(columns), month // TOGETHER)
    except ValueError:
        return None
    return Effects(fitted, place, len(np.unique(weekday)) == 7)


def _telling(counts: Mapping[dt.date, int], kinds: Kinds) -> list[dt.date]:
    days = sorted(day for day in counts if day in kinds)
    while True:
        months: dict[tuple[int, int], int] = {}
        weekdays: dict[int, int] = {}
        for day in days:
            month = day.year, day.month
            months[month] = months.get(month, 0) + counts[day]
            weekdays[day.weekday()] = weekdays.get(day.weekday(), 0) + counts[day]
        kept = [d for d in days if months[d.year, d.month] > 0 and weekdays[d.weekday()] > 0]
        if len(kept) == len(days):
            return days
        days = kept


def _dummies(labels: NDArray[np.int64]) -> list[Floats]:
    return [(labels == one).astype(float) for one in np.unique(labels)[1:]]


def by_kind(con: duckdb.DuckDBPyConnection, city: City, kinds: Kinds, knobs: Knobs) -> pa.Table:
    """Return KINDS: each kind of day out of the ordinary, compared with a working day.

    `ratio` is by what a day's count is multiplied, at equal month and weekday and the other kinds
    equal. `q` is adjusted over the themes of a kind (Benjamini & Hochberg 1995), `found` true where
    it allows. Days of weeks in which the source was silent are left out. Views `cube`, `weeks`.
    """
    rows: list[dict[str, Any]] = []
    for theme in city.themes:
        counts = daily_counts(con, city, theme, kinds)
        if counts:
            rows += _theme(theme, counts, kinds, knobs)
    for kind in OUT_OF_THE_ORDINARY:
        told = [row for row in rows if row["kind"] == kind and row["status"] == "ok"]
        if told:
            adjusted = stats.false_discovery_control([row["p"] for row in told], method="bh")
            for row, q in zip(told, np.round(adjusted, DIGITS).tolist(), strict=True):
                row |= {"q": q, "found": q <= 1 - knobs.confidence}
    return pa.Table.from_pylist(rows, schema=KINDS)


def _theme(
    theme: str, counts: Mapping[dt.date, int], kinds: Kinds, knobs: Knobs
) -> list[dict[str, Any]]:
    found = effects(counts, kinds)
    ordinary = sum(n for day, n in counts.items() if tuple(kinds[day]) == (WORKING,))
    rows = []
    for kind in OUT_OF_THE_ORDINARY:
        numbers = [n for day, n in counts.items() if kind in kinds[day]]
        if not numbers:
            continue
        row = {"theme": theme, "kind": kind, "days": len(numbers), "n": sum(numbers),
               "status": "abstained"}  # fmt: skip
        few = min(sum(numbers), ordinary) < knobs.minimum_count
        if few or len(numbers) < LEAST_OF_A_KIND:
            row["reason"] = TOO_FEW
        elif found is None:
            row["reason"] = UNSETTLED
        elif not found.knows(kind):
            row["reason"] = LIKE_MONTHS
        else:
            value, slopes = found.against_working(kind)
            row |= told(value, *found.fitted.spread(slopes), knobs.confidence)
            row |= {"status": "ok", "reason": ""}
        rows.append(row)
    return rows


def told(value: float, error: float, freedom: float, confidence: float) -> dict[str, float]:
    """Return ratio, low, high and p of a log ratio."""
    low, high = interval(value, error, freedom, confidence)
    ends = {"ratio": np.exp(value), "low": np.exp(low), "high": np.exp(high)}
    found = {**ends, "p": p_value(value, error, freedom)}
    return {name: round(float(one), DIGITS) for name, one in found.items()}
