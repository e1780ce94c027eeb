"""Road-safety facts of the zones whose roads are counted, by slot, against the year before."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.city.names import NO_PLACE, OUTSIDE
from helpers.core.city.traffic_rules import TrafficRules
from helpers.core.place_time.counts import counts
from helpers.core.stats.intervals import DIGITS
from helpers.traffic.fluidity import ABSTAINED, LESS, MORE, OK, TOO_FEW, USUAL
from helpers.traffic.knobs import Knobs
from helpers.traffic.known import Roads

Ints = NDArray[np.int64]
WEEK = 7
SAFETY = pa.schema(
    [
        ("theme", pa.string()), ("zone", pa.string()), ("slot", pa.string()), ("n", pa.int64()),
        ("before", pa.int64()), ("weeks", pa.int64()), ("ratio", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("level", pa.string()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def measure(
    con: duckdb.DuckDBPyConnection, city: City, roads: Roads | None, knobs: Knobs
) -> pa.Table:
    """Return one row a theme of safety in force, zone with a counted road, and slot (SAFETY).

    `n`: facts of the last `safety_weeks`, `before` those of as many weeks before; a week when a
    source was silent counts on neither side. `ratio`: their ratio over that of the rest of the
    city in the same slot, so that a change of recording is on both sides; the interval is exact
    (Clopper & Pearson 1934, Biometrika 26), the rest taken as known. All hold together
    (Šidák 1967). Views `cube` and `weeks`.
    """
    if roads is None:
        return SAFETY.empty_table()
    rules, zones = roads.rules, sorted({one.zone for one in roads.places if one.zone})
    found = []
    for theme in (name for name in rules.safety if name in city.themes):
        told = _counts(con, city, rules, theme, knobs)
        for zone in zones:
            for slot in rules.slots:
                found.append((theme, zone, slot, *told(zone, slot)))
    enough = [n + before >= knobs.minimum_facts and rest.min() > 0
              for *_, n, before, rest, _ in found]  # fmt: skip
    level = knobs.confidence ** (1 / max(sum(enough), 1))
    rows: list[dict[str, Any]] = []
    for (theme, zone, slot, n, before, rest, weeks), told_one in zip(found, enough, strict=True):
        row = {"theme": theme, "zone": zone, "slot": slot, "n": n, "before": before,
               "weeks": weeks, "status": ABSTAINED, "reason": TOO_FEW}  # fmt: skip
        if told_one:
            row |= _ratio(n, before, rest, level) | {"status": OK, "reason": ""}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=SAFETY)


def _ratio(n: int, before: int, rest: Ints, confidence: float) -> dict[str, Any]:
    """Return ratio, low, high and level; high is None where no fact was before."""
    tail, usual = (1 - confidence) / 2, float(rest[0] / rest[1])
    low = float(special.betaincinv(n, before + 1, tail)) if n else 0.0
    high = float(special.betaincinv(n + 1, before, 1 - tail)) if before else 1.0
    ends = [share / (1 - share) / usual if share < 1 else None for share in (low, high)]
    level = MORE if (ends[0] or 0) > 1 else LESS if ends[1] is not None and ends[1] < 1 else USUAL
    ratio = n / before / usual if before else None
    names = {"ratio": ratio, "low": ends[0], "high": ends[1]}
    return {**{k: None if v is None else round(v, DIGITS) for k, v in names.items()},
            "level": level}  # fmt: skip


def _counts(
    con: duckdb.DuckDBPyConnection, city: City, rules: TrafficRules, theme: str, knobs: Knobs
) -> Any:
    """Return a function of zone and slot: n, before, those of the rest of the city (2,), weeks."""
    after = city.about.period.end + dt.timedelta(days=1)
    span = WEEK * knobs.safety_weeks
    first = after - dt.timedelta(days=2 * span)
    heard = _heard(con, city.themes[theme].sources, first, span)
    heard[: max(0, (city.about.period.start - first).days)] = False  # nor its like: not yet begun
    slots = {hour: s for s, name in enumerate(rules.slots) for hour in rules.slot_hours(name)}
    place = {name: s for s, name in enumerate(rules.slots)}
    rows = counts(con, ["zone", "hour"], theme=theme, division=city.about.main_division,
                  span=(first, after))  # fmt: skip
    found: dict[str, Ints] = {}
    whole = np.zeros((2, len(rules.slots)), dtype=np.int64)
    for zone, hour, n in rows:
        at = (hour.date() - first).days
        if zone is None or not heard[at % span]:
            continue
        part = int(at < span), slots[hour.hour]  # 0 now, 1 before
        whole[part] += n
        if zone not in (OUTSIDE, NO_PLACE):
            found.setdefault(zone, np.zeros_like(whole))[part] += n

    def of(zone: str, slot: str) -> tuple[int, int, Ints, int]:
        own = found.get(zone, np.zeros_like(whole))[:, place[slot]]
        return int(own[0]), int(own[1]), whole[:, place[slot]] - own, int(heard.sum()) // WEEK

    return of


def _heard(
    con: duckdb.DuckDBPyConnection, sources: tuple[str, ...], first: dt.date, span: int
) -> NDArray[np.bool_]:
    """Return, of the days of either half, those that lie in a silent week of neither (span,)."""
    rows = store.records(
        con,
        "SELECT DISTINCT week FROM weeks WHERE list_contains(?, source) AND status = 'missing' "
        "ORDER BY 1",
        [list(sources)],
    )
    heard = np.ones(span, dtype=bool)
    for row in rows:
        at = (row["week"] - first).days + np.arange(WEEK)
        heard[at[(at >= 0) & (at < 2 * span)] % span] = False
    return heard
