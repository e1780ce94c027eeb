"""Do effects grow with the hours done? From one action to the next, over all that are known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from helpers.core.stats.dose_response import slope
from helpers.core.stats.intervals import DIGITS

STEP_H = 10.0  # agent-hours a week of which the change is told
FEW = "few_actions"
BY_DOSE = pa.schema(
    [
        ("actions", pa.int64()), ("step_h", pa.float64()), ("least_h", pa.float64()),
        ("most_h", pa.float64()), ("ratio", pa.float64()), ("low", pa.float64()),
        ("high", pa.float64()), ("reason", pa.string()),
    ]
)  # fmt: skip


def by_dose(
    doses: pa.Table, effects: pa.Table, confidence: float, minimum_actions: int
) -> pa.Table:
    """Return one row: what `STEP_H` hours a week more go with, as a ratio of facts: BY_DOSE.

    Of actions, whenever they were led, with both a dose that rosters show and an effect with its
    interval; FEW below `minimum_actions` of them, or where all had one dose. `least_h` and `most_h`
    are the smallest and the largest of these doses.
    """
    judged = {row["key"]: row for row in effects.to_pylist()
              if row["scope"] == "action" and not row["reason"]}  # fmt: skip
    both = [(row["done_h"], judged[row["action"]]) for row in doses.to_pylist()
            if row["done_h"] is not None and row["action"] in judged]  # fmt: skip
    row: dict[str, object] = {"actions": len(both), "step_h": STEP_H, "reason": FEW}
    done = np.array([dose for dose, _ in both], dtype=np.float64)
    if len(both) >= max(minimum_actions, 3) and np.ptp(done) > 0:
        ratio, low, high = (
            np.log([told[name] for _, told in both]) for name in ("ratio", "low", "high")
        )
        told = slope(done, ratio, high - low)
        ends = np.exp(STEP_H * np.array([told.value, *told.within(confidence)]))
        names = ("ratio", "low", "high", "least_h", "most_h")
        values = (*ends, done.min(), done.max())
        row |= {name: round(float(v), DIGITS) for name, v in zip(names, values, strict=True)}
        row["reason"] = ""
    return pa.Table.from_pylist([row], schema=BY_DOSE)
