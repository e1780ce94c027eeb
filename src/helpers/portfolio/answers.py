"""The answer to a question as one row of codes and numbers: what its page and its card say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from helpers.core.city.questions import Question
from helpers.portfolio.asked import Asked
from helpers.portfolio.measure import Busiest, equals
from helpers.trends.levels import REMARK

NOT_IN_FORCE = "not_in_force"
# `zone` has most facts, and `equals` others may equal it; `peak_hour` (of the week) starts its
# busiest hours; `contrast` is where days were compared, `feature` what of places was looked at.
ANSWERS = pa.schema(
    [
        ("question", pa.string()), ("title", pa.string()), ("axis", pa.string()),
        ("theme", pa.string()), ("n", pa.int64()), ("unsure", pa.int64()),
        ("level", pa.float64()), ("level_low", pa.float64()), ("level_high", pa.float64()),
        ("unit", pa.string()), ("recent", pa.int64()), ("before", pa.int64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("detectable", pa.float64()), ("remarks", pa.list_(REMARK)),
        ("label", pa.string()), ("status", pa.string()), ("reason", pa.string()),
        ("agent", pa.float64()), ("agent_low", pa.float64()), ("agent_high", pa.float64()),
        ("driven", pa.bool_()), ("grade", pa.string()), ("actor", pa.string()),
        ("division", pa.string()), ("zone", pa.string()), ("equals", pa.int64()),
        ("peak_hour", pa.int64()), ("contrast", pa.string()), ("contrast_ratio", pa.float64()),
        ("contrast_low", pa.float64()), ("contrast_high", pa.float64()),
        ("feature", pa.string()), ("feature_found", pa.bool_()),
    ]
)  # fmt: skip
OF_EVOLUTION = ("recent", "before", "ratio", "low", "high", "detectable", "remarks", "label",
                "status", "reason")  # fmt: skip
OF_ORIGIN = ("agent", "agent_low", "agent_high", "driven")


@dataclass(frozen=True)
class Measured:
    """What a page has measured: rows of `level`, `evolution` (the city's), `zones`, and so on."""

    level: dict[str, Any]
    moved: dict[str, Any]
    zones: list[dict[str, Any]]
    busiest: Busiest | None
    contrasts: list[dict[str, Any]]
    near: dict[str, Any] | None
    origin: dict[str, Any]


def answer(asked: Asked, found: Measured) -> pa.Table:
    """Return the answer as one row of ANSWERS."""
    row = {
        "question": asked.name, "title": asked.question.title, "axis": asked.theme.axis,
        "theme": asked.question.theme, "n": asked.n, "unsure": asked.unsure, **found.level,
        **{k: found.moved[k] for k in OF_EVOLUTION}, **{k: found.origin[k] for k in OF_ORIGIN},
        "grade": asked.grade, "actor": asked.question.actors[0].who, "division": asked.division,
        "peak_hour": found.busiest.start if found.busiest else None,
    }  # fmt: skip
    if found.zones and found.zones[0]["n"]:
        row |= {"zone": found.zones[0]["zone"], "equals": len(equals(found.zones))}
    if found.contrasts and found.contrasts[-1]["status"] == "ok":
        last = found.contrasts[-1]
        row |= {"contrast": last["where"]}
        row |= {f"contrast_{k}": last[k] for k in ("ratio", "low", "high")}
    if found.near:
        linked = found.near["status"] == "ok" and found.near["found"]
        row |= {"feature": found.near["feature"], "feature_found": linked}
    return pa.Table.from_pylist([row], schema=ANSWERS)


def left_out(name: str, question: Question, axis: str) -> dict[str, Any]:
    """Return the row of a question whose theme is not in force: nothing of it is computed."""
    return {
        "question": name, "title": question.title, "axis": axis, "theme": question.theme,
        "label": "abstained", "status": "abstained", "reason": NOT_IN_FORCE, "driven": False,
        "actor": question.actors[0].who,
    }  # fmt: skip
