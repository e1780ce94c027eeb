"""When facts happen in the week: hour by hour, intervals shared out, thin hours told as such."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.place_time.calendar import (
    HOURS_OF_WEEK,
    hour_of_week,
    last_window,
    lived_hours,
    odd_hours,
)
from helpers.core.place_time.heard import heard_days, silent_days
from helpers.core.stats.intervals import DIGITS
from helpers.rhythms import shared_out
from helpers.rhythms.across_weeks import BUSIEST, LENGTH, by_week, chosen, spread, together
from helpers.rhythms.knobs import Knobs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# Reasons: to abstain; not to tell of an hour while the source was heard.
TOO_FEW, NEVER_LIVED = "too_few", "never_lived"
# Where no hour is known at all: the finest that is.
NO_HOUR = {"day": "day_only", "month": "month_only", "year": "year_only"}
HOURS = pa.schema(
    [
        ("theme", pa.string()), ("hour_of_week", pa.int64()), ("weight", pa.float64()),
        ("share", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("lived_h", pa.float64()), ("rate", pa.float64()), ("rate_low", pa.float64()),
        ("rate_high", pa.float64()), ("thin", pa.bool_()), ("left_out", pa.int64()),
        ("peak", pa.int64()), ("peak_share", pa.float64()), ("peak_low", pa.float64()),
        ("peak_high", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def aoristic(starts: Sequence[int], lengths: Sequence[int], counts: Sequence[int]) -> Floats:
    """Return the weight of each hour of the week (168,), which sum to the sum of `counts`.

    `starts` are hours of the week, `lengths` how many hours each interval touches (1 to 168): a
    fact weighs 1 / length in each. Ratcliffe, J. H. (2000), Aoristic analysis, International
    Journal of Geographical Information Science 14.
    """
    weights = np.zeros(HOURS_OF_WEEK)
    for start, length, count in sorted(zip(starts, lengths, counts, strict=True)):
        hours = np.arange(start, start + length) % HOURS_OF_WEEK
        weights[hours] += count / length
    return weights


def profile(
    con: duckdb.DuckDBPyConnection,
    theme: str,
    start: dt.date,
    after: dt.date,
    max_interval_h: int,
    zone: tuple[str, str] | None = None,
    timezone: str = "UTC",
) -> tuple[Floats, Floats, int]:
    """Return the week's weights (168,) of a theme from `start` to before `after`, and the left out.

    Between them, the weights' covariance (168, 168). Intervals are shared out as is likeliest
    (`shared_out`), not equally.
    Left out are facts whose interval is longer than `max_interval_h` by the clock, or known by the
    day or the month only. An interval over a change of clock is shared out by the hours lived: none
    in the hour that is jumped over, two in the one that comes twice. `zone` is a division and a
    zone of it. View `cube`.
    """
    days = (start + dt.timedelta(i) for i in range((after - start).days + 1 + max_interval_h // 24))
    odd = odd_hours(timezone, days)
    over = " OR ".join(
        f"hour <= TIMESTAMP '{one}' AND hour_end >= TIMESTAMP '{one}'" for one in sorted(odd)
    )
    where, values = chosen(theme, start, after, zone)
    rows = con.execute(
        f"SELECT {hour_of_week('hour')}, {LENGTH}, sum(n), "
        f"CASE WHEN hour_end > hour AND ({over or 'FALSE'}) THEN hour END FROM cube "
        f"WHERE {where} GROUP BY ALL",
        values,
    ).fetchall()
    kept = [row for row in rows if row[1] is not None and row[1] <= max_interval_h]
    left_out = sum(int(row[2]) for row in rows) - sum(int(row[2]) for row in kept)
    plain = [(start, length, int(n)) for start, length, n, changed in kept if changed is None]
    columns = list(zip(*plain, strict=True)) if plain else [(), (), ()]
    weights, spread = _shared(columns)
    for _, length, n, first in sorted((r for r in kept if r[3]), key=lambda r: (r[3], r[1])):
        one = _over_a_change(first, length, odd)
        weights, spread = weights + int(n) * one, spread + np.diag(int(n) * one)
    return weights, spread, left_out


def _shared(columns: Sequence[Sequence[int]]) -> tuple[Floats, Floats]:
    starts, lengths, facts = (np.array(column, dtype=np.int64) for column in columns)
    order = np.lexsort((lengths, starts))
    whole = shared_out.Intervals(starts[order], lengths[order], facts[order].astype(float))
    equal = aoristic(starts.tolist(), lengths.tolist(), facts.tolist())
    weights = shared_out.likeliest(whole, equal)
    return weights, shared_out.covariance(whole, weights)


def _over_a_change(first: dt.datetime, length: int, odd: Mapping[dt.datetime, float]) -> Floats:
    """Return the weight of each hour of the week of one fact, `length` hours by the clock."""
    hours = [first + dt.timedelta(hours=i) for i in range(length)]
    lived = np.array([odd.get(hour, 1.0) for hour in hours])
    weights = np.zeros(HOURS_OF_WEEK)
    np.add.at(weights, [h.weekday() * 24 + h.hour for h in hours], lived / lived.sum())
    return weights


def rates(
    weights: Floats, lived: Floats, spread: float | Floats, confidence: float
) -> tuple[Floats, Floats, Floats]:
    """Return facts per hour lived with their interval (3 × the shape of `weights`).

    Jeffreys interval of a Poisson mean, the counts first divided by `spread` (quasi-Poisson; one
    figure, or one an hour). NaN where the hour was never lived.
    """
    tail, shape = (1 - confidence) / 2, weights / spread + 0.5
    hours = np.where(lived > 0, lived, np.nan)
    low = np.where(weights > 0, special.gammaincinv(shape, tail), 0.0) * spread
    high = special.gammaincinv(shape, 1 - tail) * spread
    rate, low, high = (np.round(v / hours, DIGITS) for v in (weights, low, high))
    return rate, low, high


def thin(rate: Floats, low: Floats, high: Floats, mean: float, ratio: float) -> Bools:
    """Return the hours of which one cannot say whether they are above or below the mean hour.

    Their interval holds the mean and its ends are in a ratio over `ratio`; an hour surely quiet is
    not thin, however few its facts. Nor can anything be said of an hour never lived.
    """
    unsure = (low < mean) & (high > mean) & (high > ratio * low)
    return np.asarray(unsure | np.isnan(rate))


class Peak(NamedTuple):
    """The busiest run of `BUSIEST` hours: its first hour of the week, its share with interval."""

    start: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Week:
    """A theme's week: weights, hours lived, rates with their interval, thin hours, each (168,).

    `spread`: by how much the variance of each weight exceeds it (168,).
    """

    weights: Floats
    lived: Floats
    rate: Floats
    low: Floats
    high: Floats
    thin: Bools
    left_out: int
    spread: Floats
    peak: Peak

    @property
    def total(self) -> int:
        """How many facts have a known hour."""
        return round(float(self.weights.sum()))


def week(
    con: duckdb.DuckDBPyConnection,
    city: City,
    theme: str,
    span: tuple[dt.date, dt.date],
    knobs: Knobs,
    zone: tuple[str, str] | None = None,
    least: int = 0,
) -> Week:
    """Return the week of a theme over `span`, from its first day to before its second.

    Hours are those lived while the source was heard. `zone` is a division and a zone of it: then
    while it was heard there too, and view `grades_weekly`. Of fewer than `least` facts nothing is
    told beside their weights: all hours are thin. Views `cube` and `weeks`.
    """
    zone_of_time = city.about.timezone
    weights, known, left_out = profile(con, theme, *span, knobs.max_interval_h, zone, zone_of_time)
    division = zone[0] if zone else city.about.main_division
    gone = coverage.of_theme(city, theme, division)
    apart, sources = gone.of(zone[1]) if zone else gone.city, city.themes[theme].sources
    if zone:
        apart = apart | silent_days(con, sources, *zone)
    days = heard_days(con, sources, *span, apart)
    lived = lived_hours(zone_of_time, days)
    if round(float(weights.sum())) < least:
        unknown, alike = np.full(HOURS_OF_WEEK, np.nan), np.ones(HOURS_OF_WEEK)
        return Week(weights, lived, unknown, unknown, unknown, alike.astype(bool), left_out,
                    alike, Peak(0, 0.0, 0.0, 1.0))  # fmt: skip
    counted = by_week(con, theme, days, knobs.max_interval_h, zone)
    spread_of = spread(counted) * shared_out.loss(known, weights)
    found = rates(weights, lived, spread_of, knobs.confidence)
    mean = float(weights.sum() / max(lived.sum(), 1.0))
    return Week(weights, lived, *found, thin(*found, mean, knobs.thin_ratio), left_out,
                spread_of, busiest(weights, known, knobs.confidence, counted))  # fmt: skip


def shares(
    weights: Floats, confidence: float, spread: float | Floats = 1.0
) -> tuple[Floats, Floats, Floats]:
    """Return each hour's share of the week with its interval (3 × (168,)).

    Jeffreys interval of a proportion, weights taken as counts: Brown, Cai & DasGupta (2001),
    Interval estimation for a binomial proportion, Statistical Science 16. Both are first divided by
    `spread`, one figure or one an hour.
    """
    total, tail = weights.sum(), (1 - confidence) / 2
    a, b = weights / spread + 0.5, (total - weights) / spread + 0.5
    low = np.where(weights > 0, special.betaincinv(a, b, tail), 0.0)
    high = special.betaincinv(a, b, 1 - tail)
    return tuple(np.round(v, DIGITS) for v in (weights / total, low, high))  # type: ignore[return-value]


def find(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return HOURS: each theme's 168 hours, or one row with the reason why not.

    That is TOO_FEW, or one of NO_HOUR. An hour that was never lived is `missing` (NEVER_LIVED).
    Views `cube` and `weeks`.
    """
    span = last_window(city, knobs.window_days)
    parts = []
    for theme in city.themes:
        one = week(con, city, theme, span, knobs)
        if one.total < knobs.minimum_count:
            row = {"theme": theme, "weight": float(one.total), "left_out": one.left_out,
                   "status": "abstained", "reason": _why(con, theme)}  # fmt: skip
            parts.append(pa.Table.from_pylist([row], schema=HOURS))
        else:
            parts.append(_hours(theme, one, knobs.confidence))
    return pa.concat_tables(parts) if parts else HOURS.empty_table()


def _why(con: duckdb.DuckDBPyConnection, theme: str) -> str:
    """Return why the theme has no week: no fact of it has an hour, or too few have."""
    rows = con.execute("SELECT DISTINCT time_precision FROM cube WHERE theme = ?", [theme])
    known = {row[0] for row in rows.fetchall()}
    finest = next((one for one in ("minute", "hour", *NO_HOUR) if one in known), "minute")
    return NO_HOUR.get(finest, TOO_FEW)


def _hours(theme: str, one: Week, confidence: float) -> pa.Table:
    weights = np.round(one.weights, DIGITS)
    never = np.isnan(one.rate)
    columns = (
        weights,
        *shares(weights, confidence, one.spread),
        one.lived,
        one.rate,
        one.low,
        one.high,
    )
    values: list[Any] = [
        [theme] * HOURS_OF_WEEK,
        range(HOURS_OF_WEEK),
        *(pa.array(column, pa.float64(), from_pandas=True) for column in columns),
        one.thin,
        *([value] * HOURS_OF_WEEK for value in (one.left_out, *one.peak)),
        np.where(never, "missing", "ok"),
        np.where(never, NEVER_LIVED, ""),
    ]
    arrays = [pa.array(v, field.type) for v, field in zip(values, HOURS, strict=True)]
    return pa.Table.from_arrays(arrays, schema=HOURS)


def relative(weights: Floats, lived: Floats | None = None) -> Floats:
    """Return each hour's weight over that of the week's mean hour (168,); 0 where never lived.

    With `lived` (168,), weights are first divided by how often the hour was lived.
    """
    hours = np.ones(HOURS_OF_WEEK) if lived is None else lived
    mean = weights.sum() / max(hours.sum(), 1.0) or 1.0
    return np.divide(weights, hours * mean, out=np.zeros(HOURS_OF_WEEK), where=hours > 0)


def busiest(weights: Floats, covariance: Floats, confidence: float, weeks: Floats) -> Peak:
    """Return the busiest run of `BUSIEST` hours of the week (168,).

    `covariance` (168, 168) is that of the weights, but for what whole weeks vary by: `weeks`
    (weeks, 168) tells it, with Student's degrees of freedom. The run was chosen for being the
    busiest, among as many as stand side by side in a week: its lower end allows for that (Šidák
    1967, JASA 62).
    """
    total = float(weights.sum())
    if total <= 0:
        return Peak(0, 0.0, 0.0, 1.0)
    top, share = peak(weights)
    apart = -np.full(HOURS_OF_WEEK, share)
    apart[(top + np.arange(BUSIEST)) % HOURS_OF_WEEK] += (
        1.0  # the share's derivative, times the total
    )
    variance = max(float(apart @ covariance @ apart), 0.0) * together(weeks, top)
    error, freedom = np.sqrt(variance) / total, max(len(weeks) - 1, 1)
    tail = (1 - confidence) / 2
    picked = 1 - (1 - tail) ** (BUSIEST / HOURS_OF_WEEK)
    low = share + error * special.stdtrit(freedom, picked)
    high = share - error * special.stdtrit(freedom, tail)
    told = (round(float(v), DIGITS) for v in (share, max(low, 0.0), min(high, 1.0)))
    return Peak(top, *told)


def peak(weights: Floats, hours: int = BUSIEST) -> tuple[int, float]:
    """Return the first hour of the week of the busiest run of `hours`, and its share."""
    sums = sum(np.roll(weights, -i) for i in range(hours))
    top = int(np.argmax(np.round(np.asarray(sums), 6)))
    return top, float(np.asarray(sums)[top] / weights.sum())
