"""Zone by zone, the feature that weighs most there, and who could change it."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.context.effects import zone_counts
from helpers.context.knobs import Knobs
from helpers.core.city.city import City
from helpers.core.city.surroundings import Surroundings
from helpers.core.place_time.places import Places
from helpers.core.stats.intervals import DIGITS

Floats = NDArray[np.float64]
NOTHING = "nothing_heavier"  # no feature weighs more there than in the median zone
ZONES = pa.schema(
    [
        ("zone", pa.string()), ("name", pa.string()), ("theme", pa.string()),
        ("feature", pa.string()), ("value", pa.float64()), ("usual", pa.float64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()), ("n", pa.int64()),
        ("weight", pa.float64()), ("actor", pa.string()), ("status", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip


def by_zone(
    con: duckdb.DuckDBPyConnection, city: City, rules: Surroundings | None, places: Places | None,
    effects: pa.Table, knobs: Knobs,
) -> pa.Table:  # fmt: skip
    """Return zone, name, theme, feature, value, usual, ratio and interval, actor: ZONES.

    One row a zone: of the effects found, in the sense where their lever makes sense, the one that
    weighs most there. `weight` is how many of the zone's facts go with what it has beyond the
    median zone. A zone without any abstains. View `cube`.
    """
    if rules is None or places is None:
        return pa.Table.from_pylist([], schema=ZONES)
    found = [row for row in effects.to_pylist() if row["found"] and makes_sense(rules, row)]
    best: list[dict[str, Any] | None] = [None] * len(places.codes)
    weight = np.zeros(len(places.codes))
    for row in found:
        values = held(places, row["feature"])
        usual = float(np.median(values))
        gap = np.log(row["ratio"]) * (values - usual) / row["step"]
        counted = zone_counts(con, city, row["theme"], places, rules.division, knobs)
        excess = counted * -np.expm1(-gap)
        for i in np.flatnonzero(excess > np.maximum(weight, 1.0)):
            weight[i] = excess[i]
            told = {"value": float(values[i]), "usual": usual, "weight": float(excess[i])}
            best[i] = row | {key: round(value, DIGITS) for key, value in told.items()}
    rows = [
        _zone_row(code, name, one, rules)
        for code, name, one in zip(places.codes, places.names, best, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=ZONES)


def held(places: Places, name: str) -> Floats:
    """Return how much of a feature each place holds (n,): for what comes and goes, on average."""
    return places.weekly[name].mean(axis=1) if name in places.weekly else places.features[name]


def makes_sense(rules: Surroundings, row: dict[str, Any]) -> bool:
    """Tell whether an effect goes the way in which its feature's lever makes sense."""
    more = bool(row["ratio"] > 1)
    return more == (rules.features[row["feature"]].expected == "more")


def _zone_row(
    code: str, name: str, one: dict[str, Any] | None, rules: Surroundings
) -> dict[str, Any]:
    zone = {"zone": code, "name": name}
    if one is None:
        return {**zone, "status": "abstained", "reason": NOTHING}
    told = ("theme", "feature", "value", "usual", "ratio", "low", "high", "n", "weight")
    return {
        **zone, **{key: one[key] for key in told}, "actor": rules.features[one["feature"]].actor,
        "status": "ok", "reason": "",
    }  # fmt: skip
