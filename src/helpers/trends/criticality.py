"""What weighs most, where: facts × severity × trend, with the rank's interval.

The score of a theme in a zone is (facts a week)^c · severity^s · ratio^t, the exponents published
in params.yaml. It is a convention that ranks places and subjects, never persons; its interval is
that of the counts behind it, which are those of demand: what agents record of their own accord
follows where they are sent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.stats import quasi_poisson
from helpers.core.stats.intervals import DIGITS, joint_ranks
from helpers.trends.knobs import CriticalityWeights, Knobs
from helpers.trends.levels import MONTH, YEAR

WEEKS = {YEAR: quasi_poisson.YEAR_WEEKS, MONTH: quasi_poisson.YEAR_WEEKS / 12}  # of a step
LEVELS = ("low", "middle", "high")
NO_RATIO = "no_ratio"  # no fact in the period before
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("per_week", pa.float64()), ("severity", pa.int64()), ("ratio", pa.float64()),
        ("score", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("level", pa.string()), ("level_low", pa.string()), ("level_high", pa.string()),
        ("rank", pa.int64()),
        ("rank_low", pa.int64()), ("rank_high", pa.int64()), ("ranked", pa.int64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def score(levels: pa.Table, city: City, knobs: Knobs) -> pa.Table:
    """Return the criticality of each theme in the city and in each zone: SCHEMA.

    `levels` as written by `trends`. The zones of all themes are ranked together, most critical
    first; the city's own rows are scored, not ranked. What `levels` abstains from has no score.
    """
    rows = [_row(row, city, knobs.criticality_weights) for row in levels.to_pylist()]
    local = [row for row in rows if row["status"] == "ok" and row["zone"] != WHOLE]
    if local:
        _rank(local, knobs.confidence)
    for row in rows:
        if row["status"] == "ok":
            _close(row, knobs)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _row(row: dict[str, Any], city: City, weights: CriticalityWeights) -> dict[str, Any]:
    severity = city.themes[row["theme"]].severity
    found = {k: row[k] for k in ("theme", "division", "zone", "ratio", "status", "reason")}
    found |= {"severity": severity}
    if row["status"] != "ok":
        return found
    if not row["ratio"]:
        return {**found, "status": "abstained", "reason": NO_RATIO}
    weeks = WEEKS.get(row["step"], 1.0)
    per_week = row["level"] / weeks
    log = (
        weights.count * np.log(per_week)
        + weights.severity * np.log(severity)
        + weights.trend * np.log(row["ratio"])
    )
    # The last window's count is in the level and in the ratio: both move together.
    own, past = row["spread"] ** 2, max(row["error"] ** 2 - row["spread"] ** 2, 0.0)
    error = float(np.sqrt((weights.count + weights.trend) ** 2 * own + weights.trend**2 * past))
    return {**found, "per_week": per_week, "log": log, "error": error, "freedom": row["freedom"]}


def _rank(rows: list[dict[str, Any]], confidence: float) -> None:
    """Add rank, its interval and how many were ranked: all intervals hold together."""
    count = len(rows)
    log, error = (np.array([row[k] for row in rows]) for k in ("log", "error"))
    freedom = np.array([row["freedom"] for row in rows], dtype=np.int64)
    half = error * quasi_poisson.reach(confidence ** (1 / count), freedom)
    low, high = joint_ranks(log - half, log + half)
    order = np.argsort(np.argsort(-log, kind="stable"), kind="stable") + 1
    for i, row in enumerate(rows):
        row |= {"rank": int(order[i]), "rank_low": int(low[i]), "rank_high": int(high[i]),
                "ranked": count}  # fmt: skip


def _close(row: dict[str, Any], knobs: Knobs) -> None:
    half = row.pop("error") * float(
        quasi_poisson.reach(knobs.confidence, np.array([row.pop("freedom")]))[0]
    )
    log = row.pop("log")
    names = ("low", "score", "high")
    ends = zip(names, (-half, 0.0, half), strict=True)
    row |= {name: round(float(np.exp(log + d)), DIGITS) for name, d in ends}
    row["per_week"] = round(float(row["per_week"]), DIGITS)
    told = {"low": "level_low", "score": "level", "high": "level_high"}
    at = {
        k: int(np.searchsorted(knobs.criticality_thresholds, row[k], side="right")) for k in names
    }
    row |= {told[k]: LEVELS[at[k]] for k in names}
