"""What weighs most, where: facts × severity × trend, with the rank's interval.

The score of a theme in a zone is (facts a week)^c · severity^s · ratio^t, the exponents published
in params.yaml; level and ratio are those left once chance is taken out, and the count of the last
weeks weighs once. It is a convention that ranks places and subjects, never persons; its interval is
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
from helpers.core.stats.quasi_poisson import Floats
from helpers.trends.knobs import CriticalityWeights, Knobs
from helpers.trends.levels import MONTH, YEAR

WEEKS = {YEAR: quasi_poisson.YEAR_WEEKS, MONTH: quasi_poisson.YEAR_WEEKS / 12}  # of a step
LEVELS = ("low", "middle", "high")
FEWEST_ALIKE = 3  # rows whose changes can tell how changes differ
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
    rows = [_row(row, city) for row in levels.to_pylist()]
    kept = [row for row in rows if row["status"] == "ok"]
    for group in {(row["zone"] == WHOLE) or row["theme"] for row in kept}:
        alike = [row for row in kept if ((row["zone"] == WHOLE) or row["theme"]) == group]
        weigh(alike, knobs.criticality_weights)
    local = [row for row in kept if row["zone"] != WHOLE]
    if local:
        _rank(local, knobs.confidence)
    for row in kept:
        _close(row, knobs)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _row(row: dict[str, Any], city: City) -> dict[str, Any]:
    """Return what `weigh` needs: logs of level and change, variances of the two windows' levels.

    `more` is the variance of the change that no count explains.
    """
    severity = city.themes[row["theme"]].severity
    found = {k: row[k] for k in ("theme", "division", "zone", "status", "reason")}
    found |= {"severity": severity}
    if row["status"] != "ok":
        return found
    if not row["ratio"]:
        return {**found, "status": "abstained", "reason": NO_RATIO}
    weeks = WEEKS.get(row["step"], 1.0)
    own = row["spread"] ** 2
    past = own * max(row["recent"], 0.5) / max(row["before"], 0.5)
    return {
        **found, "level": np.log(row["level"] / weeks), "change": np.log(row["ratio"]),
        "own": own, "past": past, "more": max(row["error"] ** 2 - own - past, 0.0),
        "freedom": row["freedom"],
    }  # fmt: skip


def weigh(rows: list[dict[str, Any]], weights: CriticalityWeights) -> None:
    """Add the log of the score and its error, per_week and ratio, to rows that are alike.

    The last window's count is in the level and in the ratio: chance would count twice. Changes are
    drawn to the rows' common one as far as chance explains that they differ (empirical Bayes:
    Efron, B. & Morris, C. 1975, JASA 70), and the level of the last window is that of both windows,
    moved by that change.
    """
    names = ("level", "change", "own", "past", "more")
    level, change, own, past, more = (np.array([row.pop(k) for row in rows]) for k in names)
    noise = own + past + more
    centre, apart = _spread(change, noise)
    kept = apart / (apart + noise) if len(rows) >= FEWEST_ALIKE else np.ones(len(rows))
    drawn = centre + kept * (change - centre)
    share = past / (own + past)  # of the last window in the level of both
    both = level - (1 - share) * change
    moved = weights.count * (1 - share) + weights.trend
    severity = np.log([float(row["severity"]) for row in rows])
    log = weights.count * both + weights.severity * severity + moved * drawn
    error = np.sqrt(weights.count**2 * own * share + moved**2 * kept * noise)
    for i, row in enumerate(rows):
        row |= {"per_week": float(np.exp(both[i] + (1 - share[i]) * drawn[i])),
                "ratio": round(float(np.exp(drawn[i])), DIGITS),
                "log": float(log[i]), "error": float(error[i])}  # fmt: skip


def _spread(change: Floats, noise: Floats) -> tuple[float, float]:
    """Return the mean of changes and their true variance (DerSimonian & Laird 1986)."""
    weight = 1 / noise
    centre = float((weight * change).sum() / weight.sum())
    excess = float((weight * (change - centre) ** 2).sum()) - (len(change) - 1)
    scale = float(weight.sum() - (weight**2).sum() / weight.sum())
    apart = max(0.0, excess / scale) if scale > 0 else 0.0
    weight = 1 / (noise + apart)
    return float((weight * change).sum() / weight.sum()), apart


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
