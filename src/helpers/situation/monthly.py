"""Themes known by the month alone: the last whole months against the same months of past years."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from helpers.core.city.city import City
from helpers.core.place_time import months
from helpers.situation.knobs import Knobs

LEAST_DAYS = 28  # of a period that whole months may stand for
MONTH_ONLY = "month_only"  # why nothing is said of a shorter one
NOT_TOLD = "not_told"  # missing months: the source, or a part of it, did not tell them


def by_month(city: City, theme: str) -> bool:
    """Tell whether the theme's sources know their facts by the month alone."""
    return all(city.contracts[one].precision == "month" for one in city.themes[theme].sources)


def last_months(city: City, days: int) -> list[dt.date]:
    """Return the whole months that stand for the last `days` days; none for a shorter period."""
    if days < LEAST_DAYS:
        return []
    count = max(1, round(days / months.MEAN_DAYS))
    return months.full_months(city.about.period.start, city.about.period.end)[-count:]


def references(told: NDArray[np.bool_], count: int, most: int) -> list[list[int]]:
    """Return up to `most` past windows of `count` months, as positions in `told` (months,).

    The same months of past years; where fewer than two of them are told, those just before.
    """
    last = len(told) - count
    found: list[list[int]] = []
    for step in (-(-count // 12) * 12, count):
        starts = range(last - step, -1, -step)
        windows = [list(range(start, start + count)) for start in starts]
        found = [window for window in windows if told[window].all()][:most]
        if len(found) >= 2:
            break
    return found


def assess(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, division: str, days: int, knobs: Knobs
) -> list[dict[str, Any]]:
    """Return n, references (their counts) and reason of the city and each zone.

    `n` is None where the months are not told, with the reason, or `""` for a silence. Views
    `cube`, `zones` and `months`.
    """
    held = months.of_theme(con, city, theme, division)
    current = last_months(city, days)
    if not current:
        return [{"zone": zone, "n": None, "past": [], "reason": MONTH_ONLY} for zone in held.zones]
    at = list(range(len(held.first) - len(current), len(held.first)))
    past = references(held.told[0], len(current), knobs.reference_periods)
    return [
        {
            "zone": zone,
            "n": int(held.n[i, at].sum()) if held.told[i, at].all() else None,
            "past": [int(held.n[i, one].sum()) for one in past if held.told[i, one].all()],
            "reason": "",
        }
        for i, zone in enumerate(held.zones)
    ]
