"""Who starts the records, habitants or agents, and what more hours of patrol make of them.

What agents record follows where they are sent (Lum & Isaac 2016, To predict and serve?,
Significance 13; Ensign et al. 2018, Runaway feedback loops in predictive policing, PMLR 81).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from helpers.core.city.about import Patrols
from helpers.core.city.city import City
from helpers.core.city.names import Origin
from helpers.core.place_time.calendar import last_window
from helpers.core.place_time.counts import Span, counts
from helpers.core.place_time.presence import hours_by_day
from helpers.core.stats.intervals import DIGITS
from helpers.patrol.knobs import Knobs

Floats = NDArray[np.float64]
STEP = 1.1  # effects are told for 10 % more hours
ORIGINS: tuple[Origin, ...] = ("citizen", "agent", "unknown")
NO_ORIGIN, THIN = "origin_unknown", "too_few"
NO_HOURS, STEADY = "no_hours", "hours_do_not_vary"  # why the effect of hours is not measured
THEMES = pa.schema(
    [
        ("theme", pa.string()), ("n_citizen", pa.int64()), ("n_agent", pa.int64()),
        ("n_unknown", pa.int64()), ("share", pa.float64()), ("share_low", pa.float64()),
        ("share_high", pa.float64()), ("effect", pa.float64()), ("effect_low", pa.float64()),
        ("effect_high", pa.float64()), ("effect_reason", pa.string()), ("driven", pa.bool_()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def share_interval(part: int, total: int, confidence: float) -> tuple[float, float, float]:
    """Return the share part / total with its exact interval.

    Clopper, C. & Pearson, E. (1934), The use of confidence or fiducial limits, Biometrika 26.
    """
    tail = (1 - confidence) / 2
    low = special.betaincinv(part, total - part + 1, tail) if part else 0.0
    high = special.betaincinv(part + 1, total - part, 1 - tail) if part < total else 1.0
    return (round(part / total, DIGITS), round(float(low), DIGITS), round(float(high), DIGITS))


def elasticity(
    counts: Floats, hours: Floats, stratum: NDArray[np.int64], confidence: float
) -> tuple[float, float, float] | None:
    """Return the ratio of counts for 10 % more hours within strata, with its interval.

    Poisson regression on log hours with an effect a stratum, fitted given each stratum's total
    (Hausman, Hall & Griliches 1984, Econometrica 52), its variance robust to what days of a
    stratum share (Wooldridge 1999, Journal of Econometrics 90). All shape (n,); hours positive.
    None where no stratum with a fact has hours that vary.
    """
    strata, x = int(stratum.max(initial=-1)) + 1, np.log(hours)
    totals = np.bincount(stratum, counts, strata)
    beta, information = 0.0, 0.0
    score: Floats = np.zeros(strata)
    for _ in range(50):
        weight = np.exp(beta * x)
        weight = weight / np.bincount(stratum, weight, strata)[stratum]
        mean = np.bincount(stratum, weight * x, strata)
        spread = np.bincount(stratum, weight * (x - mean[stratum]) ** 2, strata)
        score = np.asarray(np.bincount(stratum, counts * (x - mean[stratum]), strata), np.float64)
        information = float((totals * spread).sum())
        if information <= 1e-9:
            return None
        step = float(np.clip(score.sum() / information, -1, 1))
        beta += step
        if abs(step) < 1e-10:
            break
    error = max(float((score**2).sum()) ** 0.5 / information, information**-0.5)
    reach = special.ndtri((1 + confidence) / 2) * error
    low, value, high = (round(float(STEP**b), DIGITS) for b in (beta - reach, beta, beta + reach))
    return value, low, high


def effect(
    con: duckdb.DuckDBPyConnection, theme: str, rule: Patrols, span: Span, confidence: float,
    origin: Origin = "agent",
) -> tuple[float, float, float] | None:  # fmt: skip
    """Return the ratio of an origin's records for 10 % more hours: same zone, slot and month.

    With its interval; None where the hours do not vary. Views `cube`, and that of the hours.
    """
    rows = [row for row in hours_by_day(con, rule, span) if row[-1] > 0]
    strata = {key: i for i, key in enumerate(sorted({_stratum(*row) for row in rows}))}
    by = counts(con, ["zone", "slot", "working_day"], theme=theme, origins=[origin],
                division=rule.division, span=span)  # fmt: skip
    found = {tuple(key): n for *key, n in by}
    counted = np.array([found.get(tuple(key), 0) for *key, _ in rows], dtype=float)
    hours = np.array([row[-1] for row in rows], dtype=float)
    stratum = np.array([strata[_stratum(*row)] for row in rows], dtype=np.int64)
    return elasticity(counted, hours, stratum, confidence)


def _stratum(zone: str, slot: str, day: dt.date, _: float) -> tuple[str, str, int, int]:
    return zone, slot, day.year, day.month


def by_origin(
    con: duckdb.DuckDBPyConnection, span: Span, division: str | None = None
) -> dict[tuple[str, str], list[int]]:
    """Return (theme, zone) → records of each of `ORIGINS`. View `cube`.

    Of the zones of `division`; without one, of the whole city, its zone being an empty text.
    """
    found: dict[tuple[str, str], list[int]] = {}
    rows = counts(con, ["theme", "zone", "origin"] if division else ["theme", "origin"],
                  division=division, span=span, placed=division is not None)  # fmt: skip
    for theme, *zone, origin, n in rows:
        key = (theme, zone[0] if zone else "")
        found.setdefault(key, [0] * len(ORIGINS))[ORIGINS.index(origin)] = n
    return found


def measure(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return one row a theme (schema `THEMES`). Views `cube`, and that of the hours of patrol.

    `share` is that of agents among records of known origin; `effect` the ratio of agents' records
    for 10 % more hours. `driven`: the share is above `driven_share` with confidence, or agents
    start more than a tenth of the records and their number grows with their hours.
    """
    span = last_window(city, knobs.window_days)
    counted = by_origin(con, span)
    rows = []
    for theme in city.themes:
        citizen, agent, unknown = counted.get((theme, ""), [0, 0, 0])
        row: dict[str, Any] = {
            "theme": theme, "n_citizen": citizen, "n_agent": agent, "n_unknown": unknown,
            "driven": False, "effect_reason": "", "status": "ok", "reason": "",
        }  # fmt: skip
        rows.append(row)
        known = citizen + agent
        if known < knobs.minimum_count:
            reason = NO_ORIGIN if unknown >= knobs.minimum_count else THIN
            row |= {"status": "abstained", "reason": reason, "effect_reason": reason}
            continue
        share = share_interval(agent, known, knobs.confidence)
        row |= dict(zip(("share", "share_low", "share_high"), share, strict=True))
        grows = False
        row["effect_reason"], found = _hours(con, city, theme, agent, knobs)
        if found:
            row |= dict(zip(("effect", "effect_low", "effect_high"), found, strict=True))
            grows = found[1] > 1 and share[1] > 0.1
        row["driven"] = bool(share[1] > knobs.driven_share or grows)
    return pa.Table.from_pylist(rows, schema=THEMES)


def _hours(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, agent: int, knobs: Knobs
) -> tuple[str, tuple[float, float, float] | None]:
    """Return why the effect of hours is not measured, or nothing and the effect."""
    rule = city.about.patrols
    if rule is None:
        return NO_HOURS, None
    if agent < knobs.minimum_count:
        return THIN, None
    span = last_window(city, knobs.window_days)
    found = effect(con, theme, rule, span, knobs.confidence)
    return ("" if found else STEADY), found
