"""The weather as observed, hour by hour, and as it was forecast before."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from helpers.simulate import columns
from helpers.simulate.settings_sources import Forecasts
from helpers.simulate.sources import walls
from helpers.simulate.streams import Floats, Ints, Moments, stream
from helpers.simulate.weather import Weather

HOURS = 24
STRONGEST_MS = 90.0  # no gust has been forecast beyond
LEVELS = ("vert", "jaune", "orange", "rouge")
HEAT_C, RAIN_MM, GUST_MS = (33.0, 36.0, 39.0), (5.0, 15.0, 40.0), (20.0, 28.0, 36.0)
PUBLISHED = np.timedelta64(10, "m")  # after the hour


def meteo(days: Moments, weather: Weather, rules: Forecasts, timezone: str, seed: int) -> pa.Table:
    """Return observations, then forecasts of the same hours, each with when it was issued (UTC).

    A forecast's error grows as the square root of its lead; it never uses what came later than
    its issue, and is always issued before its hour.
    """
    ts, wall = _hours(days, timezone)
    hourly = {
        "t_c": weather.t_c[wall],
        "pluie_mm": weather.rain_mm[wall],
        "vent_ms": weather.wind_ms[wall],
        "rafale_ms": weather.gust_ms[wall],
    }
    seen = _rows(ts, ts + PUBLISHED, hourly, "observe", rules)
    issue = np.flatnonzero(np.isin(ts.astype(np.int64) % HOURS, rules.issued_h))
    lead = np.arange(rules.step_h, rules.reach_h + 1, rules.step_h)
    at, ahead = (axis.ravel() for axis in np.meshgrid(issue, lead, indexing="ij"))
    target = at + ahead
    at, ahead, target = (values[target < len(ts)] for values in (at, ahead, target))
    rng = stream(seed, "meteo/forecast")
    spread = np.sqrt(ahead / HOURS)
    rain, wind = np.exp(0.3 * spread * rng.standard_normal((2, len(at))))
    told = {
        "t_c": hourly["t_c"][target] + rules.error_c * spread * rng.standard_normal(len(at)),
        "pluie_mm": hourly["pluie_mm"][target] * rain,
        "vent_ms": hourly["vent_ms"][target] * wind,
        "rafale_ms": np.minimum(hourly["rafale_ms"][target] * wind, STRONGEST_MS),
    }
    planned = _rows(ts[target], ts[at], told, "prevu", rules)
    return pa.concat_tables([seen, planned])


def _hours(days: Moments, timezone: str) -> tuple[Moments, Ints]:
    """Return the hours of the period in UTC, and the position of each one's wall hour."""
    start = days[0].astype("datetime64[h]")
    walls_of = start + np.arange(len(days) * HOURS).astype("timedelta64[h]")
    offset = walls.offset_hours(walls_of, timezone)
    real = ~np.isin(walls_of, walls.missing_hours(timezone).astype("datetime64[h]"))
    ts = (walls_of - offset.astype("timedelta64[h]"))[real]
    # The second pass of a doubled hour is an hour of UTC that no first pass tells.
    every = np.arange(ts[0], ts[-1] + np.timedelta64(1, "h"))
    return every, np.flatnonzero(real)[np.searchsorted(ts, every, side="right") - 1]


def _rows(
    ts: Moments, issued: Moments, series: dict[str, Floats], kind: str, rules: Forecasts
) -> pa.Table:
    return pa.table(
        {
            "station": columns.constant(rules.station, len(ts)).cast(pa.string()),
            "ts": columns.joined(columns.iso(ts), "Z"),
            **{name: columns.decimals(values, 1) for name, values in series.items()},
            "vigilance": columns.codes(LEVELS, _level(series)).cast(pa.string()),
            "type": columns.constant(kind, len(ts)).cast(pa.string()),
            "emis_le": columns.joined(columns.iso(issued), "Z"),
        }
    )


def _level(series: dict[str, Floats]) -> Ints:
    """Return the level of warning: the highest of those for heat, rain and gusts (assumed)."""
    pairs = (("t_c", HEAT_C), ("pluie_mm", RAIN_MM), ("rafale_ms", GUST_MS))
    levels = [np.searchsorted(bounds, series[name], side="right") for name, bounds in pairs]
    return np.asarray(np.max(levels, axis=0), dtype=np.int64)
