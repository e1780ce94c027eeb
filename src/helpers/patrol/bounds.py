"""How many facts there are, within bounds, where only part is told and agents find what they seek.

Of λ facts, habitants tell λ·r; agents find, of the others, the share 1 − exp(−δ·hours) of patrol.
With the share r known within a declared range only, λ is known within bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from helpers.core.city.city import City
from helpers.core.place_time.calendar import last_window
from helpers.core.stats.intervals import DIGITS, joint_ranks
from helpers.patrol.knobs import Knobs
from helpers.patrol.shares import NO_ORIGIN, THIN, by_origin

Floats = NDArray[np.float64]
NO_CITIZEN = "no_citizen"  # nothing that habitants told: the level cannot be measured
NO_RANGE = "no_declared_share"
ZONES = pa.schema(
    [
        ("theme", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("n_citizen", pa.int64()), ("n_agent", pa.int64()), ("n_unknown", pa.int64()),
        ("low", pa.float64()), ("high", pa.float64()), ("rank_all", pa.int64()),
        ("rank_citizen", pa.int64()), ("rank_low", pa.int64()), ("rank_high", pa.int64()),
        ("naive_ratio", pa.float64()), ("citizen_ratio", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def bounds(
    citizen: Floats, agent: Floats, unknown: Floats, reporting: tuple[float, float],
    confidence: float,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Return the bounds of the level λ of each zone, same shape as the counts.

    Habitants told between `citizen` and `citizen + unknown` facts, a share within `reporting`; λ
    is no smaller than what is recorded at all. The sampling interval around these bounds covers
    λ, not the whole range: its critical value is that of Imbens, G. & Manski, C. (2004),
    Confidence intervals for partially identified parameters, Econometrica 72, eq. 7, each end an
    exact Poisson limit (Garwood 1936).
    """
    low_share, high_share = reporting
    everything = citizen + agent + unknown
    floor, ceiling = citizen / high_share, (citizen + unknown) / low_share
    width = np.maximum(ceiling - np.maximum(floor, everything), 0)
    error = np.maximum(np.sqrt(citizen + unknown + 1) / low_share, 1e-9)
    tail = special.ndtr(-_critical(width / error, confidence))
    low = np.maximum(_lowest(citizen, tail) / high_share, _lowest(everything, tail))
    high = special.gammaincinv(citizen + unknown + 1, 1 - tail) / low_share
    top = np.maximum(high, low)
    return np.asarray(np.round(low, DIGITS)), np.asarray(np.round(top, DIGITS))


def least(row: Mapping[str, Any]) -> float:
    """Return how many facts there were in a zone at least: a row of ZONES.

    `low` bounds the level, of which what happened is one draw; what is recorded did happen.
    """
    recorded = row["n_citizen"] + row["n_agent"] + row["n_unknown"]
    return float(max(row["low"], recorded))


def _lowest(count: Floats, tail: Floats) -> Floats:
    found = special.gammaincinv(np.maximum(count, 1), tail)
    return np.asarray(np.where(count > 0, found, 0.0))


def _critical(gap: Floats, confidence: float) -> Floats:
    """Return C with Φ(C + gap) − Φ(−C) = confidence, by bisection."""
    low, high = np.zeros_like(gap), np.full_like(gap, 8.0)
    for _ in range(60):
        middle = (low + high) / 2
        under = special.ndtr(middle + gap) - special.ndtr(-middle) < confidence
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return high


def by_zone(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return one row a theme × zone (schema `ZONES`): counts, bounds of the level, ranks.

    Zones are those that hours of patrol are given for, else of the main division. A theme without
    habitants' records, or without a declared share, abstains and leaves one row. `naive_ratio`
    and `citizen_ratio` compare the zone to the mean zone, by all records and by habitants' alone.
    `rank_low` to `rank_high`: the ranks that the bounds leave. View `cube`.
    """
    told = city.about.patrols
    division = told.division if told else city.about.main_division
    counted = by_origin(con, last_window(city, knobs.window_days), division)
    rows: list[dict[str, Any]] = []
    for name, theme in city.themes.items():
        mine = {zone: row for (one, zone), row in sorted(counted.items()) if one == name}
        citizen, agent, unknown = np.array(list(mine.values()), dtype=float).reshape(-1, 3).T
        reason = NO_RANGE if theme.reporting is None else ""
        if citizen.sum() < knobs.minimum_count:
            reason = (NO_ORIGIN if unknown.sum() > agent.sum() else
                      NO_CITIZEN if agent.sum() else THIN)  # fmt: skip
        if reason or theme.reporting is None:
            rows.append({"theme": name, "division": division, "status": "abstained",
                         "reason": reason})  # fmt: skip
            continue
        reporting = (theme.reporting.low, theme.reporting.high)
        low, high = bounds(citizen, agent, unknown, reporting, knobs.confidence)
        rows += _zone_rows(name, division, list(mine), (citizen, agent, unknown), low, high)
    return pa.Table.from_pylist(rows, schema=ZONES)


def _zone_rows(
    theme: str, division: str, zones: list[str], counted: tuple[Floats, Floats, Floats],
    low: Floats, high: Floats,
) -> list[dict[str, Any]]:  # fmt: skip
    citizen, agent, unknown = counted
    total = citizen + agent + unknown
    best, worst = joint_ranks(low, high)
    return [
        {
            "theme": theme, "division": division, "zone": zone,
            "n_citizen": int(citizen[i]), "n_agent": int(agent[i]),
            "n_unknown": int(unknown[i]), "low": low[i], "high": high[i],
            "rank_all": 1 + int((total > total[i]).sum()),
            "rank_citizen": 1 + int((citizen > citizen[i]).sum()),
            "rank_low": int(best[i]), "rank_high": int(worst[i]),
            "naive_ratio": round(float(total[i] / total.mean()), DIGITS),
            "citizen_ratio": round(float(citizen[i] / citizen.mean()), DIGITS),
            "status": "ok", "reason": "",
        }
        for i, zone in enumerate(zones)
    ]  # fmt: skip
