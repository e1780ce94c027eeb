"""What is going on: each zone's last day, week, month, year against what was to be expected."""

from __future__ import annotations

import datetime as dt
from itertools import product
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from helpers.core.base import store
from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.place_time.calendar import window
from helpers.core.place_time.counts import Span, counts
from helpers.core.stats.quasi_poisson import Floats
from helpers.situation import expected, held, monthly
from helpers.situation.expected import Expected, Forecasts
from helpers.situation.held import BASE_DAYS, IN_PART, Held
from helpers.situation.knobs import Knobs

SILENT, TOO_FEW_REFERENCES = "silent", "too_few_references"  # why nothing is said
# What is to be known beside a level: a change of recording taken out; a code of the source that
# came, went or changed its name; entries still to come taken into account.
CORRECTED, CODES, LATE = "recording_corrected", "codes_changed", "late_entries"
# Share of a window's days that may be missing: a year is not mute for a fortnight, a week is for
# a day. What the missing days would have brought is expected of none.
TOLERATED = 0.05
BASE_HEARD = 0.5  # share of the year before that must have been heard
COMES = ("new", "back")  # kinds of drift of a code that makes more
ALL_IN = 0.995  # share of the entries in hand from which none worth telling is to come
REMARK = pa.struct(
    [("kind", pa.string()), ("what", pa.string()), ("other", pa.string()), ("gone", pa.bool_())]
)
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("period_days", pa.int64()), ("division", pa.string()),
        ("zone", pa.string()), ("n", pa.int64()), ("expected", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("references", pa.int64()),
        ("aside_days", pa.int64()), ("aside_n", pa.int64()), ("level", pa.string()),
        ("remarks", pa.list_(REMARK)), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def reference_windows(end: dt.date, days: int, count: int, earliest: dt.date) -> list[Span]:
    """Return the past windows (first day, day after) that a window stands beside, the latest first.

    A window of a year or more stands beside all those of past years that end on its date: each
    holds every season. A shorter one beside up to `count` windows just before, whole weeks away.
    None overlaps another, or begins before `earliest`.
    """
    if days > BASE_DAYS:
        found: list[Span] = []
        for year in range(1, end.year - earliest.year + 1):
            first, after = window(_same_date(end, end.year - year), days)
            if first >= earliest and after <= (found[-1] if found else window(end, days))[0]:
                found.append((first, after))
        return found
    first, after = window(end, days)
    step = dt.timedelta(weeks=-(-days // 7))
    listed = [(first - step * i, after - step * i) for i in range(1, count + 1)]
    return [(a, b) for a, b in listed if a >= earliest]


def _same_date(day: dt.date, year: int) -> dt.date:
    leap = (day.month, day.day) == (2, 29)
    return dt.date(year, 2, 28) if leap else day.replace(year=year)


def forecasts(series: Held, days: int) -> Forecasts:
    """Return the last window and those before it, whole weeks apart, each beside its year before.

    Windows do not overlap; the last `days` days come first. Days kept aside count nowhere.
    """
    width, step = series.counts.shape[1], 7 * -(-days // 7)
    starts = np.arange(width - days, BASE_DAYS - 1, -step)
    sound = series.heard & ~series.aside
    sound[: series.unknown] = False
    ordinary = np.array([sound[a : a + days].mean() >= 1 - TOLERATED for a in starts], dtype=bool)
    known = np.array([sound[a - BASE_DAYS : a].mean() >= BASE_HEARD for a in starts], dtype=bool)
    n, e = _sums(series.counts * sound), _sums(series.exposure * sound)
    return Forecasts(
        n[:, starts + days] - n[:, starts], e[starts + days] - e[starts],
        n[:, starts] - n[:, starts - BASE_DAYS], e[starts] - e[starts - BASE_DAYS],
        ordinary & known,
    )  # fmt: skip


def _sums(values: Floats) -> Floats:
    """Return the sums of what lies before each place, along the last axis."""
    zero = np.zeros((*values.shape[:-1], 1))
    return np.concatenate([zero, np.cumsum(values, axis=-1)], axis=-1)


def expect(series: Held, days: int, knobs: Knobs) -> Expected | None:
    """Return what is expected of the last `days` days, as far as they are ordinary, or None.

    None too where too few past periods were heard.
    """
    if days <= BASE_DAYS:
        told = forecasts(series, days)
        if len(told.sound):
            found = expected.by_the_year_before(told, knobs.confidence, _parted(series, days))
            if found is not None:
                return found
    width = series.counts.shape[1]
    end = series.first + dt.timedelta(days=width - 1)
    past = reference_windows(end, days, knobs.reference_periods, series.first)
    sound = series.heard & ~series.aside
    spans = [(series.place(a), series.place(b)) for a, b in past]
    spans = [s for s in spans if s[0] >= series.unknown and _heard(series, *s)]
    least = knobs.minimum_years if days > BASE_DAYS else knobs.minimum_references
    if len(spans) < least:
        return None
    n = np.stack([(series.counts * sound)[:, a:b].sum(axis=1) for a, b in spans], axis=1)
    e = np.array([(series.exposure * sound)[a:b].sum() for a, b in spans])
    now = float((series.exposure * sound)[width - days :].sum())
    found = expected.by_references(n, e, now, knobs.confidence, years=days > BASE_DAYS)
    if days > BASE_DAYS:
        found = expected.never_against(found, n[:, 0] * now / e[0], knobs.stable_margin)
    return found


def weeks(
    series: Held, zone: str, knobs: Knobs, past: Forecasts | None = None
) -> list[dict[str, Any]]:
    """Return the 7 days up to today, and those before them, the latest first, of one of the zones.

    `first` (their first day), `n` (None where not heard), `expected`, `low`, `high` (None where
    nothing tells what is usual), and `before`: the counts of the same weeks 52, 104, … weeks ago.
    `past`: `forecasts(series, 7)`, where it is at hand.
    """
    row, width = series.zones.index(zone), series.counts.shape[1]
    starts = np.arange(width - 7, -1, -7)
    heard = [bool(series.heard[a : a + 7].all()) for a in starts]
    n = [int(series.counts[row, a : a + 7].sum()) if ok else None
         for a, ok in zip(starts, heard, strict=True)]  # fmt: skip
    past = past or forecasts(series, 7)
    usual = expected.band(past, row, knobs.confidence) if len(past.sound) else None
    found = []
    for i, start in enumerate(starts.tolist()):
        told: dict[str, float | None] = dict.fromkeys(("expected", "low", "high"))
        if usual is not None and i < len(usual.value) and np.isfinite(usual.value[i]):
            told = {"expected": float(usual.value[i]), "low": float(usual.low[i]),
                    "high": float(usual.high[i])}  # fmt: skip
        day = series.first + dt.timedelta(days=start)
        found.append({"first": day, "n": n[i], **told, "before": n[i + 52 :: 52]})
    return found


def _parted(series: Held, days: int) -> float:
    """Return the relative variance of a forecast that past ones do not show.

    That of the calendar beyond the days it was told by, and of changes of recording since.
    """
    width = series.counts.shape[1]
    start = width - days
    error = series.calendar.error(slice(start, width), slice(start - BASE_DAYS, start))
    base = series.exposure[start - BASE_DAYS : start]
    shares = [base[: max(one.at - start + BASE_DAYS, 0)].sum() / base.sum() for one in series.steps]
    pairs = zip(shares, series.steps, strict=True)
    return error + float(sum((share * one.error) ** 2 for share, one in pairs))


def _heard(series: Held, a: int, b: int) -> bool:
    """Tell whether nearly all of the days were heard, and are no exception (`TOLERATED`)."""
    return float((series.heard & ~series.aside)[a:b].mean()) >= 1 - TOLERATED


def assess(
    con: duckdb.DuckDBPyConnection,
    city: City,
    theme: str,
    division: str,
    days: int,
    knobs: Knobs,
) -> list[dict[str, Any]]:
    """Return a row of SCHEMA for the city and each zone.

    Views: those of `held.read`, and `breaks` (trends).
    """
    return [
        row
        for series in held.read(con, city, theme, division)
        for row in told(series, con, city, theme, division, days, knobs)
    ]


def told(
    series: Held,
    con: duckdb.DuckDBPyConnection,
    city: City,
    theme: str,
    division: str,
    days: int,
    knobs: Knobs,
) -> list[dict[str, Any]]:
    """Return the rows of `assess` of a series read before. View `breaks`."""
    start = max(series.counts.shape[1] - days, 0)
    n = series.counts[:, start:].sum(axis=1)
    silent = series.heard[start:].mean() < 1 - TOLERATED
    came = (series.heard | series.uncovered)[start:].mean() >= 1 - TOLERATED
    # What is extraordinary is told and not judged; a period made of nothing else is judged whole.
    apart = series.aside[start:] & series.heard[start:]
    whole = apart.mean() > 1 / 2
    apart = apart & ~whole
    judged = series if not whole else _with_all(series, start)
    out = (series.counts[:, start:] * apart).sum(axis=1)
    found = None if silent else expect(judged, days, knobs)
    remarks = _remarks(con, series, theme, start, found)
    rows = []
    for i, zone in enumerate(series.zones):
        if zone == held.TOGETHER:
            continue
        row: dict[str, Any] = {
            "theme": theme, "period_days": days, "division": division, "zone": zone,
            "n": None if silent else int(n[i]), "expected": None, "low": None, "high": None,
            "references": found.references if found else 0, "aside_days": int(apart.sum()),
            "aside_n": int(out[i]), "level": "abstained", "remarks": remarks,
            "status": "abstained", "reason": TOO_FEW_REFERENCES,
        }  # fmt: skip
        if silent:
            row |= {"status": "missing", "reason": coverage.NOT_COVERED if came else SILENT}
        elif series.in_part:
            row["reason"] = IN_PART
        elif found is not None:
            row |= _level(n[i] - out[i], found, i)
        rows.append(row)
    return rows


def _with_all(series: Held, start: int) -> Held:
    """Return the series, its days from `start` on no exception."""
    aside = series.aside.copy()
    aside[start:] = False
    return Held(**{**series.__dict__, "aside": aside})


def _level(n: float, found: Expected, i: int) -> dict[str, Any]:
    low, high = float(found.low[i]), float(found.high[i])
    level = "above" if n > high else "below" if n < low else "usual"
    return {"expected": float(found.value[i]), "low": low, "high": high, "level": level,
            "status": "ok", "reason": ""}  # fmt: skip


def _remarks(
    con: duckdb.DuckDBPyConnection, series: Held, theme: str, start: int, found: Expected | None
) -> list[dict[str, Any]]:
    """Return what is to be known of the theme's levels. View `breaks`."""
    if found is None:
        return []
    since = max(start - BASE_DAYS, 0)
    told = [_remark(CORRECTED, one.title) for one in series.steps if one.at > since]
    day = series.first + dt.timedelta(days=since)
    rows = store.records(
        con, f"SELECT * FROM breaks WHERE theme = {store.literal(theme)} "
        f"AND week >= DATE '{day}' ORDER BY week"
    )  # fmt: skip
    for one in (one for row in rows for one in row["explanations"] if one["code"]):
        told.append(_remark(CODES, one["code"], one["other"], one["kind"] not in COMES))
    if series.share_in[start:].mean() < ALL_IN:
        told.append(_remark(LATE))
    return told


def _remark(
    kind: str, what: str = "", other: str | None = None, gone: bool = False
) -> dict[str, Any]:
    return {"kind": kind, "what": what, "other": other or "", "gone": gone}


def assess_months(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, division: str, days: int, knobs: Knobs
) -> list[dict[str, Any]]:
    """Return a row of SCHEMA for the city and each zone, of a theme known by the month.

    Whole months stand for the period. Views `cube`, `zones` and `months`.
    """
    rows = []
    for one in monthly.assess(con, city, theme, division, days, knobs):
        n, past = one["n"], one["past"]
        row: dict[str, Any] = {
            "theme": theme, "period_days": days, "division": division, "zone": one["zone"],
            "n": n, "expected": None, "low": None, "high": None, "references": len(past),
            "aside_days": 0, "aside_n": 0, "level": "abstained", "remarks": [],
            "status": "abstained", "reason": one["reason"] or TOO_FEW_REFERENCES,
        }  # fmt: skip
        least = knobs.minimum_years if days > BASE_DAYS else knobs.minimum_references
        if n is None and not one["reason"]:
            row |= {"status": "missing", "reason": monthly.NOT_TOLD}
        elif n is not None and len(past) >= least:
            row |= _level(n, _beside(np.array(past, dtype=float), days, knobs), 0)
        rows.append(row)
    return rows


def _beside(past: Floats, days: int, knobs: Knobs) -> Expected:
    """Return what past periods (k,), the latest first, as long as the one judged, lead to."""
    years = days > BASE_DAYS
    found = expected.by_references(
        past[None], np.ones(len(past)), 1.0, knobs.confidence, years=years
    )
    return expected.never_against(found, past[:1], knobs.stable_margin) if years else found


def dated_themes(con: duckdb.DuckDBPyConnection, city: City) -> list[str]:
    """Return the themes, in the city's order, with a dated fact, in any division. View `cube`.

    A count of the last week means nothing for a theme whose facts are known by the year alone.
    """
    dated = {theme for theme, _ in counts(con, ["theme"])}
    return [name for name, theme in city.themes.items() if theme.division is None and name in dated]


def divisions(city: City) -> list[str]:
    """Return the divisions that are drawn; the main one alone where none is."""
    drawn = [n for n, d in city.about.divisions.items() if d.source or d.grouping_of]
    return drawn or [city.about.main_division]


def find(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return the assessment of each dated theme, period and division; columns of SCHEMA.

    Divisions are those of `divisions`. Views: those of `assess`, and `months` where a theme is
    known by the month.
    """
    rows: list[dict[str, Any]] = []
    dated = dated_themes(con, city)
    for theme, about in city.themes.items():
        if theme in dated:
            for division in divisions(city):
                for series in held.read(con, city, theme, division):
                    for days in knobs.periods_days:
                        rows += told(series, con, city, theme, division, days, knobs)
        elif about.division is None and monthly.by_month(city, theme):
            for days, division in product(knobs.periods_days, divisions(city)):
                rows += assess_months(con, city, theme, division, days, knobs)
    return pa.Table.from_pylist(rows, schema=SCHEMA)
