"""Level and trend of each theme in each zone: the last weeks against those before.

Both windows are held against what could be counted (`series`): silences, late entries, season,
changes of recording and exceptional weeks are taken into account before anything is compared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from scipy import stats

from helpers.core.city import coverage
from helpers.core.city.about import Milestone
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.place_time import months
from helpers.core.place_time.counts import counts
from helpers.core.stats import quasi_poisson, two_windows
from helpers.core.stats.intervals import DIGITS, poisson_interval
from helpers.core.stats.quasi_poisson import Floats
from helpers.core.stats.two_windows import Compared, Span, compare
from helpers.trends import milestones
from helpers.trends.knobs import Knobs
from helpers.trends.weekly_series import Series, Weeks, zones_of

WEEK, MONTH, YEAR = "week", "month", "year"  # what `level` is told by
# What is to be known of a comparison: weeks set aside (`n` of them), a change of recording taken
# out, or one that could not be; where facts are known by the year, the year `n` touched.
ASIDE, CORRECTED, TOUCHED = "set_aside", "recording_corrected", "year_touched"
REMARK = pa.struct([("kind", pa.string()), ("n", pa.int64()), ("milestone", pa.string())])
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("step", pa.string()), ("recent", pa.int64()), ("before", pa.int64()),
        ("level", pa.float64()), ("level_low", pa.float64()), ("level_high", pa.float64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("p", pa.float64()), ("detectable", pa.float64()), ("detectable_fall", pa.float64()),
        ("spread", pa.float64()), ("error", pa.float64()), ("freedom", pa.int64()),
        ("label", pa.string()), ("remarks", pa.list_(REMARK)),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip
WINDOWS = pa.schema(
    [
        ("theme", pa.string()), ("first", pa.date32()), ("after", pa.date32()),
        ("level", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
    ]
)  # fmt: skip


def how(knobs: Knobs, window: int) -> two_windows.How:
    """Return how two windows of `window` steps are compared."""
    return two_windows.How(window, knobs.confidence, knobs.minimum_count, knobs.power)


@dataclass(frozen=True)
class Judged:
    """A theme's zones (the city first), compared; `remarks` are those of SCHEMA.

    `unmeasured` says why none of them may be told, if a change of recording forbids it.
    """

    theme: str
    division: str
    step: str
    zones: list[str]
    found: Compared
    remarks: list[dict[str, Any]]
    unmeasured: str


def judge(weeks: Weeks, theme: str, knobs: Knobs) -> Judged:
    """Return the comparison of each zone of the theme's division, city first.

    Themes known by the month compare as many months as there are in the window of weeks, those
    known by the year alone the last year with the one before. A level sways by `yearly_sway`
    without anything having changed: no change smaller than that is told.
    """
    city = weeks.city
    division = city.themes[theme].division or city.about.main_division
    series = weeks.of(theme, division)
    sway = 2 * knobs.yearly_sway**2  # of either window's level, in the variance of their log ratio
    if series is None and months.monthly(weeks.con, theme):
        return _by_month(weeks, theme, division, knobs)
    if series is None:
        zones, years, counted, exposure = _years(weeks.con, city, theme, division)
        found = compare(counted, exposure, how(knobs, 1), np.full(len(zones), sway))
        touched = _touched(milestones.concerning(city, theme), years[-2:])
        return Judged(theme, division, YEAR, zones, found, touched, "")
    window = knobs.window_weeks
    used = np.zeros(len(series.zones))
    used[0] = 0 if series.season is None else 2 * quasi_poisson.HARMONICS  # fitted on the city
    extra = series.extra(window) + sway
    found = compare(series.counts, series.exposure, how(knobs, window), extra, used)
    marks = milestones.concerning(city, theme)
    remarks, unmeasured = _remarks(series, marks, 2 * window)
    return Judged(theme, division, WEEK, series.zones, found, remarks, unmeasured)


def _by_month(weeks: Weeks, theme: str, division: str, knobs: Knobs) -> Judged:
    """Return the comparison of months. A milestone cannot be set aside: its years are remarked."""
    city, length = weeks.city, max(1, round(knobs.window_weeks * 7 / months.MEAN_DAYS))
    held = months.of_theme(weeks.con, city, theme, division, weeks.origins)
    sway = 2 * knobs.yearly_sway**2
    found = compare(held.n, held.exposure, how(knobs, length), np.full(len(held.zones), sway))
    years = sorted({month.year for month in held.first[-2 * length :]})
    touched = _touched(milestones.concerning(city, theme), years)
    return Judged(theme, division, MONTH, held.zones, found, touched, "")


def _remarks(
    series: Series, marks: Sequence[Milestone], span: int
) -> tuple[list[dict[str, Any]], str]:
    """Return what was taken into account in the last `span` weeks, and why nothing can be said."""
    start = len(series.mondays) - span
    here = series.mondays[max(start, 0) :]
    apart = [one for one in marks if milestones.exceptional([one], here).any()]
    aside = int(series.aside[max(start, 0) :].sum())
    told = [_remark(ASIDE, aside, one) for one in apart]
    unmeasured = ""
    for step in series.steps:
        if step.at > start:
            told.append(_remark(step.reason or CORRECTED, None, step.milestone))
            unmeasured = step.reason or unmeasured
    return told, unmeasured


def _touched(marks: Sequence[Milestone], years: Sequence[int]) -> list[dict[str, Any]]:
    """Return which of the years compared a milestone touches: they cannot be set aside."""
    return [
        _remark(TOUCHED, year, mark)
        for year in years
        for mark in marks
        if mark.start.year <= year <= (mark.end or mark.start).year
    ]


def _remark(kind: str, n: int | None, milestone: Milestone) -> dict[str, Any]:
    return {"kind": kind, "n": n, "milestone": milestone.title}


def _years(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, division: str
) -> tuple[list[str], list[int], Floats, Floats]:
    """Return zones (the city first), years, counts and exposures (zones, years).

    `ville` sums the zones.

    A zone without a row for a year was not told of: its exposure is 0, as is that of a year of
    which the contract does not cover every day.
    """
    rows = counts(
        con, ["zone", "year"], theme=theme, division=division, placed=True, yearly=True
    )  # fmt: skip
    zones = [WHOLE, *zones_of(con, division)]
    first = min((year for _, year, _ in rows), default=0)
    last = max((year for _, year, _ in rows), default=-1)
    counted = np.zeros((len(zones), last - first + 1))
    told = np.zeros_like(counted)
    for place, year, n in rows:
        for row in {0, zones.index(place)}:
            counted[row, year - first] += n
            told[row, year - first] = 1
    gone = coverage.of_theme(city, theme, division)
    for i, zone in enumerate(zones):
        days = gone.city if zone == WHOLE else gone.of(zone)
        told[i, [day.year - first for day in days if first <= day.year <= last]] = 0
    return zones, list(range(first, last + 1)), counted, told


def levels(weeks: Weeks, knobs: Knobs) -> pa.Table:
    """Return the comparison of each theme in the city and in each zone; columns of SCHEMA.

    The city's label is that of its interval. A theme's zones are judged together: among those said
    to move, a share `false_discovery_rate` do not (Benjamini & Hochberg 1995). `detectable` and
    `detectable_fall` are the ratios that would be told in `power` of cases; empty where none would.
    `remarks`: what the comparison took into account.
    """
    rows = []
    for theme in weeks.city.themes:
        one = judge(weeks, theme, knobs)
        told = one.found.why[1:] == ""
        p = one.found.p()[1:][told]
        adjusted = stats.false_discovery_control(p, method="bh") if p.size else p
        moving = int((adjusted <= knobs.false_discovery_rate).sum())
        local = knobs.false_discovery_rate * max(moving, 1) / max(int(told.sum()), 1)
        threshold = np.full(len(one.zones), local)
        threshold[0] = 1 - knobs.confidence
        rows += _rows(one, threshold, knobs)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _rows(one: Judged, threshold: Floats, knobs: Knobs) -> list[dict[str, Any]]:
    found, step = one.found, one.step
    told, margin = _numbers(found, threshold, knobs), knobs.stable_margin
    rows = []
    for i, zone in enumerate(one.zones):
        reason = str(found.why[i]) or one.unmeasured
        row = {
            "theme": one.theme, "division": one.division, "zone": zone, "step": step,
            "recent": int(found.recent.n[i]), "before": int(found.before.n[i]),
            "label": "abstained", "remarks": one.remarks, "status": "abstained", "reason": reason,
        }  # fmt: skip
        if not reason:
            row |= {name: _told(values[i]) for name, values in told.items()}
            interval = (told["ratio"][i], told["low"][i], told["high"][i])
            row |= {"freedom": int(found.freedom[i]), "status": "ok",
                    "label": label(told["p"][i] <= threshold[i], interval, margin)}  # fmt: skip
        rows.append(row)
    return rows


def _numbers(found: Compared, threshold: Floats, knobs: Knobs) -> dict[str, Floats]:
    """Return the numeric columns of SCHEMA, each of shape (zones,).

    `spread` and `error`: standard errors of the logs of the level and of the ratio.
    """
    level, low, high = found.level(knobs.confidence)
    ratio, least, most = found.ratio(knobs.confidence)
    rise, fall = found.detectable(threshold, knobs.power)
    own, past = (found.dispersion / np.maximum(s.n, 0.5) for s in (found.recent, found.before))
    return {
        "level": level, "level_low": low, "level_high": high,
        "ratio": ratio, "low": least, "high": most, "p": found.p(),
        "detectable": rise, "detectable_fall": np.where(fall > 0, fall, np.nan),
        "spread": np.sqrt(own), "error": np.sqrt(own + past + found.extra),
    }  # fmt: skip


def _told(value: float) -> float | None:
    return round(float(value), DIGITS) if np.isfinite(value) else None


def label(moves: bool, ratio: tuple[float, float, float], margin: float) -> str:
    """Return up, down, stable (the whole interval within the margin) or unclear."""
    value, low, high = ratio
    if moves:
        return "up" if value > 1 else "down"
    return "stable" if low >= 1 / (1 + margin) and high <= 1 + margin else "unclear"


def weekly(weeks: Weeks, confidence: float) -> pa.Table:
    """Return theme, week, n, final, low, high, status for the whole city.

    `final`: the count with the entries still to come; its interval is that of a Poisson mean. All
    are empty where the source was silent.
    """
    names = ("theme", "week", "n", "final", "low", "high", "status")
    types = (pa.string(), pa.date32(), pa.int64(), *[pa.float64()] * 3, pa.string())
    parts = []
    for theme in weeks.city.themes:
        found = weeks.of(theme, weeks.city.about.main_division)
        if found is None:
            continue
        low, high = poisson_interval(found.counts[0], confidence)
        for i, monday in enumerate(found.mondays):
            share = found.share_in[i]
            values = [
                round(float(v / share), DIGITS) for v in (found.counts[0, i], low[i], high[i])
            ]
            ok = found.exposure[0, i] > 0 or found.aside[i]
            parts.append(
                (theme, monday, int(found.counts[0, i]), *values, "ok")
                if ok
                else (theme, monday, None, None, None, None, "missing")
            )
    return pa.table({n: pa.array([p[i] for p in parts], types[i]) for i, n in enumerate(names)})


def by_window(weeks: Weeks, knobs: Knobs) -> pa.Table:
    """Return the level of each window of the city's series, in today's recording: WINDOWS."""
    rows = []
    for theme in weeks.city.themes:
        found = weeks.of(theme, weeks.city.about.main_division)
        if found is None:
            continue
        window = quasi_poisson.windows(len(found.mondays), knobs.window_weeks)
        for one in range(int(window.max(initial=-1)), -1, -1):
            here = np.flatnonzero(window == one)
            level = _window_level(found.counts[:1, here], found.exposure[:1, here], here, knobs)
            if level is not None:
                first, last = found.mondays[here[0]], found.mondays[here[-1]]
                days = {"first": first, "after": last + dt.timedelta(weeks=1)}
                rows.append({"theme": theme, **days, **level})
    return pa.Table.from_pylist(rows, schema=WINDOWS)


def _window_level(
    counts: Floats, exposure: Floats, at: Any, knobs: Knobs
) -> dict[str, float | None] | None:
    n = counts * (exposure > 0)
    span = Span(n.sum(axis=1), exposure.sum(axis=1))
    if span.n[0] < knobs.minimum_count or (exposure > 0).mean() < two_windows.MISSED:
        return None
    means = span.n[:, None] / span.exposure[:, None] * exposure
    phi, freedom = quasi_poisson.dispersion(n, means, at, used=1)
    found = Compared(span, span, phi, freedom, np.zeros(1), np.array([""]))
    names = ("level", "low", "high")
    return {k: _told(v[0]) for k, v in zip(names, found.level(knobs.confidence), strict=True)}
