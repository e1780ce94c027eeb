"""What a closed road loses, and what the roads beside it gain: against control roads of the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.city.traffic_rules import Closure
from helpers.core.place_time.counters import HOURS
from helpers.core.stats import beside_usual
from helpers.core.stats.beside_usual import Departure
from helpers.core.stats.intervals import DIGITS
from helpers.traffic.fluidity import ABSTAINED, OK, SHORT, told, why
from helpers.traffic.knobs import Knobs
from helpers.traffic.known import Roads

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
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


@dataclass(frozen=True)
class _Seen:
    """A road, or several as one, over a closure: days known, passages, how far it departed."""

    days: int
    counted: float
    departure: Departure | None

    @property
    def expected(self) -> float:
        """The passages that there would have been."""
        assert self.departure is not None
        return self.counted / float(np.exp(self.departure.ratio.value))


@dataclass(frozen=True)
class _Study:
    """What a closure is read from: mean flow a day (places, days), which days, which controls."""

    roads: Roads
    daily: Floats
    window: Bools
    usual: Bools
    controls: list[int]

    def seen(self, which: list[int]) -> _Seen:
        """Return how far the sum of some roads departed from its usual, beside the controls."""
        counts = np.vstack([self.daily[which].sum(axis=0), self.daily[self.controls]])
        usual = np.vstack([self.usual[which].all(axis=0), self.usual[self.controls]])
        level = beside_usual.levels(counts, self.roads.kind, usual)
        beside = beside_usual.less_controls(level[0], level[1:])
        inside = self.window & np.isfinite(beside)
        counted = float(counts[0, inside].sum() * HOURS)
        expected = float((counts[0, inside] / np.exp(beside[inside])).sum() * HOURS)
        # A road nearly empty counts less surely than its usual does.
        scarce = max(1 / max(counted, 1.0) - 1 / max(expected, 1.0), 0.0)
        found = beside_usual.departure(beside, self.window, usual[0], self.roads.kind, scarce)
        return _Seen(int(inside.sum()), counted, found)


def measure(roads: Roads | None, knobs: Knobs) -> pa.Table:
    """Return one row a closure and road, closed and parallel (CLOSURES).

    `counted`: passages of the days known, `expected` what there would have been. `moved`: the share
    of what the closed road lost that is found on the parallel ones, summed, told on its row where
    they are all known and the loss is established. Days within `reference_weeks` on either side
    are the usual. All intervals hold together (Šidák 1967), those of the shares apart.
    """
    if roads is None:
        return CLOSURES.empty_table()
    found = [one for closure in roads.rules.closures for one in _roads(roads, closure, knobs)]
    each = knobs.confidence ** (1 / max(sum(one is not None for _, one in found), 1))
    rows = [
        row if one is None else {**row, **told(one.ratio, each)} for row, one in found
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=CLOSURES)


def _roads(
    roads: Roads, closure: Closure, knobs: Knobs
) -> list[tuple[dict[str, Any], Departure | None]]:
    """Return the row of each road of a closure, and how far it departed; None with a reason."""
    study = _study(roads, closure, knobs)
    found: list[tuple[dict[str, Any], Departure | None]] = []
    seen: dict[str, _Seen] = {}
    for site in (closure.road, *closure.parallel):
        role, i = CLOSED if site == closure.road else PARALLEL, roads.index(site)
        row: dict[str, Any] = {
            "closure": closure.title, "start": closure.start, "end": closure.end, "role": role,
            "site": site, "status": ABSTAINED, "controls": len(study.controls) if study else None,
        }  # fmt: skip
        if i is None or study is None:
            found.append((row | {"reason": NOT_COUNTED if i is None else SHORT}, None))
            continue
        one = seen[site] = study.seen([i])
        row |= {"days": one.days, "counted": round(one.counted)}
        if one.departure is None:
            few = len(study.controls) < beside_usual.FEWEST_CONTROLS
            row["reason"] = FEW_CONTROLS if few else why(roads, i, study.window)
        else:
            row |= {"status": OK, "reason": "", "expected": round(one.expected, 1)}
        found.append((row, one.departure))
    if study is not None and closure.road in seen:
        found[0][0].update(_moved(study, closure, seen[closure.road], knobs.confidence))
    return found


def _study(roads: Roads, closure: Closure, knobs: Knobs) -> _Study | None:
    """Return what a closure is read from; None where its days are not of the period."""
    window = roads.between(closure.start, closure.end)
    edge = np.flatnonzero(window)
    if not len(edge):
        return None
    at, far = np.arange(roads.days), 7 * knobs.reference_weeks
    near = (at >= edge[0] - far) & (at <= edge[-1] + far)
    era = roads.hours.era == roads.hours.era[:, edge[0]][:, None]
    daily = np.where(era, roads.hours.flow.mean(axis=2), np.nan)  # NaN unless all hours are known
    involved = {closure.road, *closure.parallel}
    controls = [
        i for i, one in enumerate(roads.places)
        if one.site not in involved and not roads.touched[i, window].any()
    ]  # fmt: skip
    return _Study(roads, daily, window, near & ~window & ~roads.touched & era, controls)


def _moved(study: _Study, closure: Closure, lost: _Seen, confidence: float) -> dict[str, Any]:
    """Return the share moved, of a closed road's row; nothing where it cannot be told."""
    beside = [study.roads.index(site) for site in closure.parallel]
    known = [i for i in beside if i is not None]
    if lost.departure is None or not known or len(known) < len(beside):
        return {}
    gained = study.seen(known)
    if gained.departure is None:
        return {}
    share = beside_usual.share_moved(
        (lost.expected / lost.days, lost.departure.ratio),
        (gained.expected / gained.days, gained.departure.ratio), confidence,
    )  # fmt: skip
    if share is None:
        return {}
    names = ("moved", "moved_low", "moved_high")
    return {name: round(one, DIGITS) for name, one in zip(names, share, strict=True)}
