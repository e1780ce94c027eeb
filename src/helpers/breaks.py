"""Breaks of volume: the weeks from which a source, or a zone's share of it, stays at another level.

Sup-F test of one level shift at an unknown date (Andrews 1993, Econometrica 61), repeated with the
shifts found kept in the model (Bai & Perron 1998, Econometrica 66). The logarithm of the weekly
counts has a level, a slope and the season; what remains is AR(1), taken out first. The null
distribution is simulated with the same regressors. The interval of the date is Hansen's (2000,
Econometrica 68), that of the ratio Wald's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from helpers.calendar import spoken
from helpers.city import NO_PLACE, OUTSIDE, City
from helpers.silence import WHOLE
from helpers.store import quote
from helpers.words import change, plural

Floats = NDArray[np.float64]

YEAR_WEEKS = 365.2425 / 7
EDGE = 8  # weeks on each side of a break, at least: a shorter change is an episode
MINIMUM_WEEKS = 104  # below two years a break cannot be told from the season
SIMULATIONS = 2000
STREAM = 20260101  # of the simulated null alone: its table is a constant of the method
MOST = 5  # breaks of one series
ROBUST = 3.5  # residuals beyond that many deviations are brought back: one mad week is no level


@dataclass(frozen=True)
class Break:
    """A shift of level from the period at `at` on, between `first` and `last`; after / before."""

    at: int
    first: int
    last: int
    ratio: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class How:
    """False alarms allowed in a family of series, level of the intervals, records a week."""

    alpha: float
    confidence: float
    minimum_count: int


def design(weeks: int, *, seasonal: bool) -> Floats:
    """Return the regressors without any break: level, slope and, if asked, two yearly harmonics."""
    t = np.arange(weeks)
    columns = [np.ones(weeks), t / weeks - 0.5]
    if seasonal:
        for k in (1, 2):
            angle = 2 * np.pi * k * t / YEAR_WEEKS
            columns += [np.cos(angle), np.sin(angle)]
    return np.stack(columns, axis=1)


def _steps(weeks: int) -> Floats:
    """Return the candidate shifts, one a row: 0 before the week, 1 from it on."""
    starts = np.arange(EDGE, weeks - EDGE + 1)
    return np.asarray((np.arange(weeks)[None, :] >= starts[:, None]).astype(float))


def _without(columns: Floats, values: Floats) -> Floats:
    """Return `values` (rows) less what the regressors (columns) explain."""
    basis = np.linalg.qr(columns)[0]
    return np.asarray(values - (values @ basis) @ basis.T)


def _filtered(values: Floats, rho: float) -> Floats:
    """Return the rows less `rho` times their predecessor (Prais & Winsten's first term kept)."""
    out = values.copy()
    out[:, 1:] -= rho * values[:, :-1]
    out[:, 0] *= np.sqrt(1 - rho**2)
    return out


def _memory(residuals: Floats, regressors: int) -> float:
    """Return the AR(1) coefficient, raised for the bias of the regressors and of the search.

    Kendall's correction, made larger until false alarms came near their nominal rate (measured).
    """
    raw = float(residuals[1:] @ residuals[:-1] / max(float(residuals @ residuals), 1e-12))
    return float(np.clip(raw + (regressors + 6 + 6 * raw) / len(residuals), 0.0, 0.9))


def _statistics(columns: Floats, steps: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Return, for each candidate, F, the shift and its standard error, all AR(1) taken out."""
    inner, target = _without(columns, steps), _without(columns, y[None])[0]
    power = np.maximum((inner**2).sum(axis=1), 1e-9)
    shift = inner @ target / power
    best = int(np.argmax(shift**2 * power))
    left = target - shift[best] * inner[best]
    variance = float(left @ left) / (len(y) - columns.shape[1] - 1)
    return shift**2 * power / variance, shift, np.sqrt(variance / power)


@cache
def _null(weeks: int, seasonal: bool) -> Floats:
    """Return the sorted greatest F of series without break."""
    columns, steps = design(weeks, seasonal=seasonal), _steps(weeks)
    inner = _without(columns, steps)
    inner /= np.sqrt((inner**2).sum(axis=1, keepdims=True))
    noise = np.random.default_rng([STREAM, weeks, seasonal]).normal(size=(SIMULATIONS, weeks))
    noise = _without(columns, noise)
    gain = ((noise @ inner.T) ** 2).max(axis=1)
    left = ((noise**2).sum(axis=1) - gain) / (weeks - columns.shape[1] - 1)
    return np.sort(gain / left)


def _tamed(y: Floats) -> Floats:
    """Return y with its outliers brought back to `ROBUST` deviations, single weeks only."""
    width = 5
    padded = np.pad(y, width // 2, mode="edge")
    around = np.median(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
    apart = y - around
    reach = ROBUST * 1.4826 * float(np.median(np.abs(apart)))
    return np.asarray(around + np.clip(apart, -reach, reach)) if reach > 0 else y


def find_breaks(y: Floats, *, seasonal: bool, alpha: float, confidence: float) -> list[Break]:
    """Return the breaks of a series of logarithms, in the order of time.

    `alpha`: chance that a series without break shows one. Needs `MINIMUM_WEEKS` values.
    """
    base, steps = design(len(y), seasonal=seasonal), _steps(len(y))
    y = _tamed(y)
    null = _null(len(y), seasonal)
    columns = base
    found: list[Break] = []
    for _ in range(MOST):
        one = _best(columns, steps, y, null, confidence)
        if one.p > alpha:
            break
        near = [b for b in found if abs(b.at - one.at) < EDGE]
        if near:
            break
        found.append(one)
        columns = np.column_stack([columns, steps[one.at - EDGE]])
    return sorted(found, key=lambda b: b.at)


def _best(columns: Floats, steps: Floats, y: Floats, null: Floats, confidence: float) -> Break:
    f, shift, _ = _statistics(columns, steps, y)
    best = int(np.argmax(f))
    inner = np.column_stack([columns, steps[best]])
    rho = _memory(_without(inner, y[None])[0], inner.shape[1])
    white = _filtered(columns.T, rho).T
    f, shift, error = _statistics(white, _filtered(steps, rho), _filtered(y[None], rho)[0])
    best = int(np.argmax(f))
    reach_of_date = -2 * np.log(1 - np.sqrt(confidence))  # Hansen 2000, theorem 2
    near = np.flatnonzero(f >= f[best] - reach_of_date) + EDGE
    p = (1 + len(null) - int(np.searchsorted(null, f[best]))) / (1 + len(null))
    reach = float(special.ndtri((1 + confidence) / 2)) * float(error[best])
    ratio, low, high = (round(float(np.exp(shift[best] + d)), 4) for d in (0.0, -reach, reach))
    return Break(best + EDGE, int(near[0]), int(near[-1]), ratio, low, high, round(p, 4))


def weekly_counts(
    con: duckdb.DuckDBPyConnection, weeks: list[dt.date], division: str | None
) -> dict[str, dict[str, Floats]]:
    """Return source → zone → counts of the weeks. View `observations`."""
    zone = quote(f"zone_{division}") if division else f"'{WHOLE}'"
    rows = con.execute(
        f"SELECT source, {zone} AS zone, CAST(date_trunc('week', hour) AS DATE) AS week, "
        "count(*) AS n FROM observations WHERE time_precision != 'year' "
        f"AND {zone} NOT IN ('{NO_PLACE}', '{OUTSIDE}') GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    at = {week: i for i, week in enumerate(weeks)}
    found: dict[str, dict[str, Floats]] = {}
    for source, place, week, n in rows:
        if week in at:
            series = found.setdefault(source, {})
            series.setdefault(place, np.zeros(len(weeks)))[at[week]] = n
    return found


def find(
    con: duckdb.DuckDBPyConnection,
    city: City,
    alpha: float,
    confidence: float,
    minimum_count: int,
) -> pa.Table:
    """Return the breaks: source, division, zone, week, first, last, ratio, low, high, p, status.

    `alpha` holds for each source, and for all the zones of one division together. A zone's series
    is its share of the source: a break of the source is told once. Series of less than
    `minimum_count` records a week are left out; sources heard too short a time are told as
    `abstained`. Views `observations` and `weeks`.
    """
    heard: dict[str, list[dt.date]] = {}
    for source, week in con.execute(
        "SELECT source, week FROM weeks WHERE status = 'ok' ORDER BY ALL"
    ).fetchall():
        heard.setdefault(source, []).append(week)
    how = How(alpha, confidence, minimum_count)
    rows: list[dict[str, Any]] = []
    for division in (None, *city.about.divisions):
        every = sorted({week for weeks in heard.values() for week in weeks})
        place = {week: i for i, week in enumerate(every)}
        counts = weekly_counts(con, every, division)
        for source, weeks in heard.items():
            kept = [place[week] for week in weeks]
            series = {z: n[kept] for z, n in sorted(counts.get(source, {}).items())}
            if len(weeks) >= MINIMUM_WEEKS:
                rows += _of_series(source, division, weeks, series, how)
            elif division is None:
                rows.append(_abstained(source, len(weeks)))
    return pa.Table.from_pylist(rows, schema=BREAKS)


BREAKS = pa.schema(
    [
        ("source", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("week", pa.date32()), ("first", pa.date32()), ("last", pa.date32()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("p", pa.float64()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def _abstained(source: str, weeks: int) -> dict[str, Any]:
    return {
        "source": source, "division": WHOLE, "zone": WHOLE, "status": "abstained",
        "reason": f"{weeks} semaines reçues, il en faut {MINIMUM_WEEKS} pour écarter la saison",
    }  # fmt: skip


def _of_series(
    source: str,
    division: str | None,
    weeks: list[dt.date],
    series: dict[str, Floats],
    how: How,
) -> list[dict[str, Any]]:
    large = {zone: n for zone, n in series.items() if n.mean() >= how.minimum_count}
    whole = np.sum(list(series.values()), axis=0) if series else np.zeros(len(weeks))
    rows = []
    for zone, n in large.items():
        rest = whole - n if division else np.zeros(len(weeks))
        y = np.log(n + 0.5) - (np.log(rest + 0.5) if division else 0.0)
        for one in find_breaks(
            y,
            seasonal=True,
            alpha=how.alpha / len(large),
            confidence=how.confidence,
        ):
            rows.append(
                {
                    "source": source, "division": division or WHOLE, "zone": zone,
                    "week": weeks[one.at], "first": weeks[one.first], "last": weeks[one.last],
                    "ratio": one.ratio, "low": one.low, "high": one.high, "p": one.p,
                    "status": "ok", "reason": "",
                }
            )  # fmt: skip
    return rows


def in_words(table: pa.Table, titles: dict[str, str]) -> str:
    """Return the breaks as Markdown: the sources one by one, the zones counted."""
    rows = table.to_pylist()
    whole = [row for row in rows if row["zone"] == WHOLE and row["status"] == "ok"]
    lines = [
        f"- **{titles[row['source']]}** : {change(row['ratio'])} ({change(row['low'])} à "
        f"{change(row['high'])}) à partir de la semaine du {spoken(row['week'])} (entre le "
        f"{spoken(row['first'])} et le {spoken(row['last'])})."
        for row in whole
    ]
    lines += [
        f"- **{titles[row['source']]}** : abstention ({row['reason']})."
        for row in rows
        if row["status"] == "abstained"
    ]
    zones = len(rows) - len(lines)
    if zones:
        lines.append(f"- Dans les zones, {plural(zones, 'rupture propre')} à l'une d'elles.")
    return "\n".join(lines) or "Aucune rupture de volume établie."
