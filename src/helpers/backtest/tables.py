"""All themes of a city backtested: the tables that the notebook keeps."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from helpers.backtest import rolled, scores
from helpers.backtest.knobs import Knobs
from helpers.core.city.city import City
from helpers.core.place_time import slots
from helpers.core.stats.rolling import HORIZONS, USE

SCHEMAS = {"methods": scores.METHODS, "scores": scores.SCORES, "spreads": scores.SPREADS,
           "skill": scores.SKILL, "places": scores.PLACES, "origins": scores.ORIGINS}  # fmt: skip


def of_city(
    con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs, seed: int
) -> dict[str, pa.Table]:
    """Return name → table (`SCHEMAS`), over the city's themes.

    A theme that is not dated to the day, has too few facts, or too short a past is told in `skill`
    alone, with the reason. Views `cube`, `zones`, `days` and `delays`.
    """
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in SCHEMAS}
    for theme in city.themes:
        read = slots.read(
            con, city, theme, knobs.origins, knobs.minimum_count, knobs.complete_share
        )
        why = rolled.reason(read, knobs.minimum_count)
        if why:
            found["skill"] += [_abstained(read, horizon, why) for horizon in HORIZONS]
            continue
        area = areas(con, read)
        told = set()
        for one in rolled.roll(read, knobs, seed):
            told.add(one.horizon)
            found["methods"] += scores.methods(read, one)
            found["scores"] += scores.scores(read, one, seed)
            found["spreads"] += scores.spreads(read, one)
            found["skill"] += scores.skill(read, one, knobs)
            found["places"] += scores.places(read, one, area, knobs)
            found["origins"] += scores.origins(read, one)
        missing = [horizon for horizon in HORIZONS if horizon not in told]
        found["skill"] += [_abstained(read, horizon, slots.NO_HOUR) for horizon in missing]
    return {n: pa.Table.from_pylist(rows, schema=SCHEMAS[n]) for n, rows in found.items()}


def areas(con: duckdb.DuckDBPyConnection, read: slots.Slots) -> np.typing.NDArray[np.float64]:
    """Return the area of each zone (zones,) in km²; all alike where one is not known."""
    rows = con.execute("SELECT code, area_km2 FROM zones WHERE division = ?", [read.division])
    known = dict(rows.fetchall())
    told = [known.get(zone) for zone in read.zones[:-1]]
    if not all(told):
        return np.ones(len(told))
    return np.array(told, dtype=float)


def _abstained(read: slots.Slots, horizon: str, why: str) -> dict[str, Any]:
    return {"theme": read.theme, "kind": read.kind, "horizon": horizon, "division": read.division,
            "status": "abstained", "reason": why, "use": USE}  # fmt: skip
