"""Alerts: counts that nothing but chance would hardly bring, with a controlled share of false ones.

Each zone's last day and last week are held against the same days of the weeks before. Given the
sum of all these counts, the last one is binomial if counts are Poisson, beta-binomial if they are
negative binomial: the test is then exact whatever the level (Przyborowski & Wilenski 1940,
Biometrika 31, for two Poisson counts). How much counts vary beyond chance is learnt from a year of
the very same comparisons. All tests of a day are judged together (Benjamini & Hochberg 1995): on a
day when nothing has changed, the chance of one alert or more is at most the rate.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special
from scipy.stats import false_discovery_control

from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.place_time.calendar import window
from helpers.core.place_time.counts import counts
from helpers.core.stats.intervals import DIGITS, predictive_interval
from helpers.situation.knobs import Knobs

Floats = NDArray[np.float64]
SILENT, TOO_FEW_WEEKS = "silent", "too_few_weeks"  # why nothing is said
CONFIDENCE = 0.95  # of the interval beside a count: one comparison alone, without the others
MINIMUM_WEEKS = 8  # of references: fewer do not tell how counts vary
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("period_days", pa.int64()), ("division", pa.string()),
        ("zone", pa.string()), ("n", pa.int64()), ("expected", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("references", pa.int64()),
        ("dispersion", pa.float64()), ("p", pa.float64()),
        ("q", pa.float64()), ("alert", pa.bool_()), ("status", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip


def windows(daily: Floats, days: int, weeks: int) -> Floats:
    """Return the sums of the last `days` days, then of the same days 1, 2, … `weeks` weeks before.

    `daily` (series, days) ends today, NaN where the source was missing; the result has shape
    (series, weeks + 1), NaN where any day is missing or before the first.
    """
    held = np.full((len(daily), weeks * 7 + days), np.nan)
    known = min(held.shape[1], daily.shape[1])
    held[:, held.shape[1] - known :] = daily[:, daily.shape[1] - known :]
    last = held.shape[1]
    sums = [held[:, last - 7 * w - days : last - 7 * w].sum(axis=1) for w in range(weeks + 1)]
    return np.stack(sums, axis=1)


def dispersion(sums: Floats, references: int) -> float:
    """Return α, variance = μ + α μ², of the counts `sums` (series, weeks; the latest first).

    Each week is compared with the `references` weeks before it, as the test will do; the moment
    estimate over all series and weeks, and one standard error (between weeks) more: a tail known
    too thin would cry wolf. Counts that vary no more than chance give 0.
    """
    excess, scale = [], []
    for week in range(sums.shape[1] - references):
        n, past = sums[:, week], sums[:, week + 1 : week + 1 + references]
        sound = np.isfinite(n) & np.isfinite(past).all(axis=1)
        mean = past[sound].mean(axis=1)
        wider = 1 + 1 / references
        excess.append(((n[sound] - mean) ** 2 - mean * wider).sum())
        scale.append(np.maximum(mean**2 - mean / references, 0).sum() * wider)
    a, b = np.array(excess), np.array(scale)
    if b.sum() <= 0:
        return 0.0
    found = a.sum() / b.sum()
    error = np.sqrt(((a - found * b) ** 2).sum()) / b.sum()
    return round(float(max(0.0, found + error)), DIGITS)


def upper_tail(n: int, past: int, references: int, alpha: float) -> float:
    """Return the chance of `n` facts or more, knowing that `references` weeks brought `past`.

    Beta-binomial of n + past trials, shapes 1/α and references/α; binomial where α is 0.
    """
    if n == 0:
        return 1.0
    total = n + past
    if alpha == 0:
        return float(special.bdtrc(n - 1, total, 1 / (references + 1)))
    a, b = 1 / alpha, references / alpha
    k = np.arange(n, total + 1, dtype=float)
    log_pmf = (
        special.gammaln(total + 1) - special.gammaln(k + 1) - special.gammaln(total - k + 1)
        + special.betaln(k + a, total - k + b) - special.betaln(a, b)
    )  # fmt: skip
    return float(min(1.0, np.exp(special.logsumexp(log_pmf))))


def test(sums: Floats, references: int) -> list[dict[str, Any]]:
    """Return n, expected, references, dispersion, p of each series of `sums` (see `windows`).

    The first column is judged by the weeks that were heard among the `references` after it.
    """
    alpha = dispersion(sums[:, 1:], references)
    rows = []
    for series in sums:
        past = series[1 : references + 1]
        past = past[np.isfinite(past)]
        row: dict[str, Any] = {"references": len(past), "dispersion": alpha}
        if not np.isfinite(series[0]):
            row |= {"status": "missing", "reason": SILENT}
        elif len(past) < MINIMUM_WEEKS:
            row |= {"n": int(series[0]), "status": "abstained", "reason": TOO_FEW_WEEKS}
        else:
            n, total = int(series[0]), int(past.sum())
            p = upper_tail(n, total, len(past), alpha)
            expected, low, high = predictive_interval(past, CONFIDENCE)
            row |= {"n": n, "expected": expected, "low": low, "high": high, "p": p}
            row |= {"status": "ok", "reason": ""}
        rows.append(row)
    return rows


def judge(rows: list[dict[str, Any]], rate: float) -> list[dict[str, Any]]:
    """Return the rows with `q` (adjusted p) and `alert`, all judged together."""
    p = np.array([row.get("p", np.nan) for row in rows], dtype=float)
    tested = np.flatnonzero(np.isfinite(p))
    q = np.full(len(rows), np.nan)
    q[tested] = false_discovery_control(p[tested])
    return [
        {
            **row,
            "p": None if np.isnan(p[i]) else round(float(p[i]), 9),
            "q": None if np.isnan(q[i]) else round(float(q[i]), DIGITS),
            "alert": bool(q[i] <= rate),
        }
        for i, row in enumerate(rows)
    ]


def daily_counts(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, days: int
) -> tuple[list[str], Floats]:
    """Return the whole city then each zone of the main division, and counts (series, days).

    The days end with the city's period; NaN where the theme's source was missing or does not
    cover it, or the day lies before the period. Facts without a zone count in the city. Views
    `cube`, `zones`, `days`.
    """
    first, after = window(city.about.period.end, days)
    division = city.about.main_division
    listed = con.execute("SELECT code FROM zones WHERE division = ? ORDER BY 1", [division])
    names = [WHOLE, *(row[0] for row in listed.fetchall())]
    place = {name: i for i, name in enumerate(names)}
    daily = np.zeros((len(names), days))
    for zone, day, n in counts(
        con, ["zone", "day"], theme=theme, division=division, span=(first, after)
    ):
        at = (day - first).days
        daily[0, at] += n
        if zone in place:
            daily[place[zone], at] += n
    daily[:, : max(0, (city.about.period.start - first).days)] = np.nan
    silent = con.execute(
        "SELECT day FROM days WHERE source = ? AND division = ? AND status = 'missing' "
        "AND day >= ? AND day < ?",
        [city.themes[theme].source, WHOLE, first, after],
    )
    for (day,) in silent.fetchall():
        daily[:, (day - first).days] = np.nan
    gone = coverage.of_theme(city, theme, division)
    for row, name in enumerate(names):
        apart = gone.city if name == WHOLE else gone.of(name)
        daily[row, [(day - first).days for day in apart if first <= day < after]] = np.nan
    return names, daily


def find(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return the rows of SCHEMA: each theme, period, and the city and each of its zones.

    The city and its zones learn their dispersion apart. Views `cube`, `zones`, `days`.
    """
    rows: list[dict[str, Any]] = []
    references, memory = knobs.alert_reference_weeks, _memory(knobs)
    for theme, about in city.themes.items():
        if about.division is not None or _coarse(con, theme):
            continue
        names, daily = daily_counts(con, city, theme, _days(knobs))
        for days in knobs.alert_periods_days:
            sums = windows(daily, days, memory)
            judged = test(sums[:1], references) + test(sums[1:], references)
            base = {"theme": theme, "period_days": days, "division": city.about.main_division}
            rows += [{**base, "zone": zone, **row} for zone, row in zip(names, judged, strict=True)]
    return pa.Table.from_pylist(judge(rows, knobs.false_alert_rate), schema=SCHEMA)


def _coarse(con: duckdb.DuckDBPyConnection, theme: str) -> bool:
    """Tell whether the theme's facts are known by the month or the year: no day of it is zero."""
    return not counts(con, ["year"], theme=theme) and bool(
        counts(con, ["year"], theme=theme, yearly=True)
    )


def _memory(knobs: Knobs) -> int:
    """Return how many weeks before the last are looked at."""
    return knobs.alert_memory_weeks + knobs.alert_reference_weeks


def _days(knobs: Knobs) -> int:
    """Return how many days all windows take."""
    return _memory(knobs) * 7 + max(knobs.alert_periods_days)


def lit(table: pa.Table) -> list[dict[str, Any]]:
    """Return the alerts, the surest first."""
    rows: list[dict[str, Any]] = [row for row in table.to_pylist() if row["alert"]]
    return sorted(rows, key=lambda r: (r["q"], r["p"], r["theme"], r["period_days"], r["zone"]))


def span(city: City, knobs: Knobs) -> tuple[dt.date, dt.date]:
    """Return the first and the last day that the alerts rest on."""
    first, after = window(city.about.period.end, _days(knobs))
    return max(first, city.about.period.start), after - dt.timedelta(days=1)
