"""The share of each tier among the actions of each quarter, with its interval, or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from scipy import stats

from helpers.core.place_time.calendar import quarters
from helpers.core.stats.intervals import DIGITS
from helpers.register import rules
from helpers.register.codes import TIERS

TIER_SHARES = pa.schema(
    [
        ("quarter", pa.date32()), ("tier", pa.string()), ("actions", pa.int64()),
        ("of", pa.int64()), ("share", pa.float64()), ("low", pa.float64()),
        ("high", pa.float64()), ("status", pa.string()), ("told", pa.int64()),
    ]
)  # fmt: skip
OK, TOO_FEW = "ok", "too_few"
DONE = ("running", "off", "unregistered")


def begun(row: dict[str, Any], end: dt.date) -> bool:
    """Tell whether an action was done: begun by `end`, and neither refused nor only proposed.

    One that was never approved, whose end has passed, was not.
    """
    held = (row["approvals"] or 0) >= rules.NEEDED or row["delivered"]
    return row["state"] in DONE and held and row["start"] <= end


def tier_shares(
    states: pa.Table, period: tuple[dt.date, dt.date], confidence: float, minimum: int
) -> pa.Table:
    """Return one row a quarter and tier, and one a tier of the whole period (`quarter` null).

    An action is of every quarter in which it lasted; `told` is how many of `of` the source of
    actions tells, the others being known by the register alone. Exact intervals (Clopper & Pearson
    1934, Biometrika 26); under `minimum` actions, no share.
    """
    rows = [row for row in states.to_pylist() if row["tier"] in TIERS and begun(row, period[1])]
    found = list(_shares(None, rows, confidence, minimum))
    for first, after in quarters(*period):
        there = [r for r in rows if r["start"] < after and (r["end"] or period[1]) >= first]
        found += _shares(first, there, confidence, minimum)
    return pa.Table.from_pylist(found, schema=TIER_SHARES)


def _shares(
    quarter: dt.date | None, rows: list[dict[str, Any]], confidence: float, minimum: int
) -> Iterator[dict[str, Any]]:
    for tier in TIERS:
        n = sum(row["tier"] == tier for row in rows)
        told = {"quarter": quarter, "tier": tier, "actions": n, "of": len(rows),
                "told": sum(bool(row["delivered"]) for row in rows)}  # fmt: skip
        if len(rows) < minimum:
            yield {**told, "status": TOO_FEW}
            continue
        low, high = stats.binomtest(n, len(rows)).proportion_ci(confidence, method="exact")
        ends = {"share": n / len(rows), "low": float(low), "high": float(high)}
        yield {**told, **{k: round(v, DIGITS) for k, v in ends.items()}, "status": OK}
