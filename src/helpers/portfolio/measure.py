"""What each page of the portfolio measures on its question's facts, as other notebooks do on all.

`trends` for the evolution, `hotspots` for the zones, `rhythms` for the hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.base.yaml_models import read_yaml
from helpers.core.city.names import WHOLE
from helpers.core.place_time.counts import counts
from helpers.core.stage import params
from helpers.core.stage.run import Run
from helpers.core.stats.intervals import DIGITS, dispersion, poisson_interval
from helpers.hotspots import zones as hotspots_zones
from helpers.hotspots.knobs import ZoneKnobs
from helpers.portfolio.asked import Asked, asked_hours
from helpers.portfolio.knobs import Knobs
from helpers.rhythms import week
from helpers.rhythms.knobs import Knobs as RhythmKnobs
from helpers.trends import levels
from helpers.trends.milestones import Step
from helpers.trends.weekly_series import Weeks, counted_weeks

SAMPLE, NO_FACTS = "sample", "no_facts"  # reasons, beside those of `trends`
WEEK, YEAR = "week", "year"  # what a level is told by
ZONES = pa.schema(
    [
        ("question", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("name", pa.string()), ("n", pa.int64()), ("low", pa.float64()), ("high", pa.float64()),
        ("rate", pa.float64()), ("rate_low", pa.float64()), ("rate_high", pa.float64()),
        ("kind", pa.string()), ("label", pa.string()), ("ratio", pa.float64()),
        ("ratio_low", pa.float64()), ("ratio_high", pa.float64()), ("status", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip


class Narrowed(Weeks):
    """The weeks of a question's facts, held against what is known of their whole source.

    A change of recording is measured on all that the source brought, not on these facts alone.
    """

    def __init__(self, asked: Asked, run: Run, knobs: Knobs) -> None:
        # As written: what else `reliability` is set to is no matter of this stage.
        written = read_yaml(run.root / params.FILE, params.FILE)
        told_at = written["reliability"]["nowcast_confidence"]
        super().__init__(asked.facts, asked.city, knobs.window_weeks, told_at)
        self.whole = Weeks(run.con, asked.city, knobs.window_weeks, told_at)

    def steps(self, source: str) -> list[Step]:
        """Return what the changes of recording did to the source."""
        return self.whole.steps(source)


def evolution(asked: Asked, run: Run, knobs: Knobs) -> list[dict[str, Any]]:
    """Return the comparison of the last weeks (or year) with those before: city first, then zones.

    Rows of `levels.SCHEMA`, judged by the rules of its block in `params.yaml`, so that a question
    about a whole theme is answered as `trends` does. A sample has no evolution (`reason`: SAMPLE).
    """
    own = params.knobs("trends", run.root).model_copy(
        update={"window_weeks": knobs.window_weeks, "confidence": knobs.confidence,
                "minimum_count": knobs.minimum_count}
    )  # fmt: skip
    table = levels.levels(Narrowed(asked, run, knobs), own)
    rows: list[dict[str, Any]] = table.to_pylist()
    if not asked.sample and asked.n:
        return rows
    nothing = dict.fromkeys(("level", "level_low", "level_high", "ratio", "low", "high",
                             "detectable"))  # fmt: skip
    why: dict[str, Any] = {**nothing, "label": "abstained", "status": "abstained", "remarks": [],
           "reason": SAMPLE if asked.sample else NO_FACTS}  # fmt: skip
    return [row | why for row in rows]


def weeks(asked: Asked) -> list[dict[str, Any]]:
    """Return week (its Monday) and n of each full week, None where the source was silent."""
    counted = counted_weeks(asked.facts, asked.city, asked.question.theme)[WHOLE]
    return [{"week": week, "n": n} for week, n in counted]


def means(counted: list[dict[str, Any]], window: int) -> list[dict[str, Any]]:
    """Return first, last and mean of the last `window` weeks, then of as many before, if heard."""
    found = []
    for name, span in (("recent", counted[-window:]), ("before", counted[-2 * window : -window])):
        heard = [row["n"] for row in span if row["n"] is not None]
        if heard:
            found.append({"window": name, "first": span[0]["week"], "last": span[-1]["week"],
                          "mean": round(sum(heard) / len(heard), 3)})  # fmt: skip
    return found


def years(asked: Asked, knobs: Knobs) -> list[dict[str, Any]]:
    """Return year, n, low, high of facts known by the year: the exact Poisson interval."""
    counted = counts(asked.facts, ["year"], yearly=True)
    low, high = poisson_interval([n for _, n in counted], knobs.confidence)
    return [{"year": year, "n": n, "low": float(low[i]), "high": float(high[i])}
            for i, (year, n) in enumerate(counted)]  # fmt: skip


def level(asked: Asked, moved: dict[str, Any], knobs: Knobs) -> dict[str, Any]:
    """Return level, level_low, level_high, unit: facts a week over the window, or of the last year.

    That of `moved`, the city's evolution; where that abstains, the plain mean of the weeks heard,
    with the exact Poisson interval of counts first divided by how much more than chance the weeks
    vary (quasi-Poisson). None for a sample, or where the source was silent all along.
    """
    names = ("level", "level_low", "level_high")
    unit = YEAR if asked.yearly else WEEK
    heard = [asked.n] if asked.yearly else [
        row["n"] for row in weeks(asked)[-knobs.window_weeks:] if row["n"] is not None
    ]  # fmt: skip
    if moved["level"] is not None or asked.sample or not heard:
        unit = unit if moved["level"] is None else moved["step"]
        return {**{name: moved[name] for name in names}, "unit": unit}
    phi, steps = dispersion(heard), len(heard)
    ends = poisson_interval(sum(heard) / phi, knobs.confidence)
    values = (sum(heard) / steps, *(float(end) * phi / steps for end in ends))
    told = zip(names, values, strict=True)
    return {**{name: round(value, DIGITS) for name, value in told}, "unit": unit}


def zones(
    asked: Asked, run: Run, knobs: Knobs, moves: list[dict[str, Any]], seed: int
) -> pa.Table:  # fmt: skip
    """Return the rows of ZONES: each zone's count, rate and evolution (`moves`), most facts first.

    `low`–`high` is the Poisson interval of the count. `rate` per 1,000 of what the pack's
    `context.yaml` counts, in its main division, if it counts anything.
    """
    held: dict[str, int] = dict(
        counts(asked.facts, ["zone"], division=asked.division, span=asked.span, yearly=asked.yearly)
    )
    named = asked.facts.execute(
        "SELECT code, name FROM zones WHERE division = ? ORDER BY code", [asked.division]
    ).fetchall()
    moved = {row["zone"]: row for row in moves}
    sized = _rates(asked, run, knobs, seed)
    low, high = poisson_interval([held.get(code, 0) for code, _ in named], knobs.confidence)
    rows = []
    for i, (code, name) in enumerate(named):
        row: dict[str, Any] = {
            "question": asked.name, "division": asked.division, "zone": code, "name": name,
            "n": held.get(code, 0), "low": low[i], "high": high[i], **sized.get(code, {}),
        }  # fmt: skip
        move = moved.get(code, {"label": "abstained", "status": "abstained", "reason": NO_FACTS})
        row |= {"label": move["label"], "ratio": move.get("ratio"), "ratio_low": move.get("low"),
                "ratio_high": move.get("high"), "status": move["status"],
                "reason": move["reason"]}  # fmt: skip
        rows.append(row)
    rows.sort(key=lambda row: (-row["n"], row["zone"]))
    return pa.Table.from_pylist(rows, schema=ZONES)


def _rates(asked: Asked, run: Run, knobs: Knobs, seed: int) -> dict[str, dict[str, Any]]:
    if asked.yearly or asked.sample or asked.division != asked.city.about.main_division:
        return {}
    places, _ = hotspots_zones.size_of(run, knobs.window_days)
    limits = ZoneKnobs(
        window_days=knobs.window_days, false_discovery_rate=knobs.false_discovery_rate,
        minimum_count=knobs.minimum_count, confidence=knobs.confidence,
        permutations=knobs.permutations, neighbours=knobs.neighbours,
    )  # fmt: skip
    table = hotspots_zones.find(asked.facts, asked.city, places, limits, seed)
    return {
        row["zone"]: {"rate": row["rate"], "rate_low": row["low"], "rate_high": row["high"],
                      "kind": row["kind"]}
        for row in table.to_pylist() if row["status"] == "ok"
    }  # fmt: skip


def equals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the zones that may equal the first of ZONES: their interval reaches its own."""
    return [row for row in rows[1:] if row["high"] >= rows[0]["low"]]


def hours(asked: Asked, knobs: Knobs) -> pa.Table:
    """Return the week's rhythm (rows of `week.HOURS`) of the question's facts, at any hour."""
    own = RhythmKnobs(
        window_days=knobs.window_days, max_interval_h=knobs.max_interval_h,
        confidence=knobs.confidence, minimum_count=knobs.minimum_hours,
        thin_ratio=knobs.thin_ratio,
    )  # fmt: skip
    return week.find(asked.all_hours, asked.city, own)


@dataclass(frozen=True)
class Busiest:
    """A run of hours: the hour of the week it starts at, how long it is, its share of the week."""

    start: int
    length: int
    share: float


def busiest(rows: list[dict[str, Any]], asked: Asked, confidence: float) -> Busiest | None:
    """Return the busiest run of hours among those asked, from the rows of `hours`.

    None where it does not stand out: its exact Poisson limit, at a level for as many runs as the
    week has (Bonferroni), must exceed what the mean hour asked would hold.
    """
    if rows[0]["status"] == "abstained":
        return None
    length = min([6, *(one.length for one in asked.question.hours)])
    kept, whole = asked_hours(asked.question), _weights(rows)
    weights = np.where(kept, whole, 0.0)
    if not weights.any():
        return None
    start = week.peak(weights, length)[0]
    run = [(start + i) % len(weights) for i in range(length)]
    held = sum(weights[run])
    low, _ = poisson_interval(held, 1 - (1 - confidence) / len(weights))
    if low <= weights.sum() * length / kept.sum():
        return None
    return Busiest(start, length, float(sum(whole[run]) / whole.sum()))


def _weights(rows: list[dict[str, Any]]) -> NDArray[np.float64]:
    return np.array([row["weight"] for row in rows], dtype=float)


def weight_of_hours(rows: list[dict[str, Any]], asked: Asked) -> tuple[float, float] | None:
    """Return the share of the week's facts in the hours asked, and their share of its time.

    None where the question names no hours, or where the week is not told.
    """
    if not asked.question.hours or rows[0]["status"] == "abstained":
        return None
    weights, kept = _weights(rows), asked_hours(asked.question)
    return float(weights[kept].sum() / weights.sum()), float(kept.mean())
