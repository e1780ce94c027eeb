"""What a closed road loses, and what the roads beside it gain: against control roads of the day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.city.traffic_rules import Closure
from helpers.core.stats import beside_usual
from helpers.core.stats.beside_usual import Departure
from helpers.core.stats.event_ratio import Ratio
from helpers.core.stats.intervals import DIGITS
from helpers.traffic.fluidity import ABSTAINED, OK, SHORT, told, why
from helpers.traffic.knobs import Knobs
from helpers.traffic.known import Roads

Floats = NDArray[np.float64]
CLOSED, PARALLEL = "closed", "parallel"
NOT_COUNTED, FEW_CONTROLS = "not_counted", "few_controls"
CLOSURES = pa.schema(
    [
        ("closure", pa.string()), ("start", pa.date32()), ("end", pa.date32()),
        ("role", pa.string()), ("site", pa.string()), ("days", pa.int64()),
        ("controls", pa.int64()), ("counted", pa.int64()), ("expected", pa.float64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("level", pa.string()), ("moved", pa.float64()), ("moved_low", pa.float64()),
        ("moved_high", pa.float64()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def measure(roads: Roads | None, knobs: Knobs) -> pa.Table:
    """Return one row a closure and road, closed and parallel (CLOSURES).

    `counted`: passages of the days known, `expected` what there would have been. `moved`: the share
    of what the closed road lost that is found on the parallel ones, told on its row, where they are
    all told and the loss is established. Days within `reference_weeks` on either side are the
    usual. All intervals hold together (Šidák 1967), those of the shares apart.
    """
    if roads is None:
        return CLOSURES.empty_table()
    found = [one for closure in roads.rules.closures for one in _roads(roads, closure, knobs)]
    each = knobs.confidence ** (1 / max(sum(one is not None for _, one in found), 1))
    rows = []
    for row, one in found:
        if one is None:
            rows.append(row)
            continue
        expected = row["counted"] / float(np.exp(one.ratio.value))
        rows.append({**row, **told(one.ratio, each), "expected": round(expected, 1)})
    ratios = [None if one is None else one.ratio for _, one in found]
    for at, row in enumerate(rows):
        if row["role"] == CLOSED:
            row |= _moved(at, rows, ratios, knobs.confidence)
    return pa.Table.from_pylist(rows, schema=CLOSURES)


def _roads(
    roads: Roads, closure: Closure, knobs: Knobs
) -> list[tuple[dict[str, Any], Departure | None]]:
    """Return the row of each road of a closure, and how far it departed; None with a reason."""
    daily = np.asarray(roads.hours.flow.mean(axis=2))  # NaN unless the whole day is known
    window = roads.between(closure.start, closure.end)
    at = np.arange(roads.days)
    edge = np.flatnonzero(window)
    listed = (closure.road, *closure.parallel)
    named = {site: roads.index(site) for site in listed}
    base = {"closure": closure.title, "start": closure.start, "end": closure.end}
    if not len(edge):
        return [
            ({**base, "role": _role(site, closure), "site": site, "status": ABSTAINED,
              "reason": SHORT}, None) for site in listed
        ]  # fmt: skip
    far = 7 * knobs.reference_weeks
    near = (at >= edge[0] - far) & (at <= edge[-1] + far)
    era = roads.hours.era == roads.hours.era[:, edge[0]][:, None]
    usual = near & ~window & ~roads.touched & era
    level = beside_usual.levels(np.where(era, daily, np.nan), roads.kind, usual)
    control = [
        i for i in range(len(roads.places))
        if i not in named.values() and not roads.touched[i, window].any()
    ]  # fmt: skip
    found: list[tuple[dict[str, Any], Departure | None]] = []
    for site, i in named.items():
        row: dict[str, Any] = {**base, "role": _role(site, closure), "site": site}
        row |= {"controls": len(control), "status": ABSTAINED}
        if i is None:
            found.append((row | {"reason": NOT_COUNTED}, None))
            continue
        beside = beside_usual.less_controls(level[i], level[control])
        inside = window & np.isfinite(beside)
        counted = float(daily[i, inside].sum() * 24)
        expected = float((daily[i, inside] / np.exp(beside[inside])).sum() * 24)
        scarce = max(1 / max(counted, 1.0) - 1 / max(expected, 1.0), 0.0)
        one = beside_usual.departure(beside, window, usual[i], roads.kind, scarce)
        few = len(control) < beside_usual.FEWEST_CONTROLS
        reason = FEW_CONTROLS if few else "" if one else why(roads, i, window)
        row |= {"counted": round(counted), "days": int(inside.sum()), "reason": reason,
                "status": OK if one else ABSTAINED}  # fmt: skip
        found.append((row, one))
    return found


def _role(site: str, closure: Closure) -> str:
    return CLOSED if site == closure.road else PARALLEL


def _moved(
    at: int, rows: list[dict[str, Any]], ratios: list[Ratio | None], confidence: float
) -> dict[str, Any]:
    """Return the share moved of a closed road's row; nothing where it cannot be told."""
    beside = []
    for other in range(at + 1, len(rows)):
        if rows[other]["role"] == CLOSED:
            break
        beside.append(other)
    lost, gained = ratios[at], [(rows[i].get("expected"), ratios[i]) for i in beside]
    if lost is None or not gained:
        return {}
    sure = [(base, ratio) for base, ratio in gained if base is not None and ratio is not None]
    if len(sure) < len(gained):
        return {}
    share = beside_usual.share_moved((rows[at]["expected"], lost), sure, confidence)
    if share is None:
        return {}
    names = ("moved", "moved_low", "moved_high")
    return {name: round(one, DIGITS) for name, one in zip(names, share, strict=True)}
