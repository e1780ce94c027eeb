"""What a city has to guard its events: officers usually there, barriers owned."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from helpers.core.base.store import quote
from helpers.core.city.city import City
from helpers.core.city.event_rules import EventRules, Material
from helpers.core.place_time.calendar import last_window
from helpers.core.place_time.presence import usual_hours

MEANS = pa.schema(
    [
        ("means", pa.string()), ("weekday", pa.int64()), ("slot", pa.string()),
        ("zone", pa.string()), ("number", pa.int64()),
    ]
)  # fmt: skip
OFFICERS, BARRIERS, UNTOLD = "officers", "barriers", "untold_days"
OTHER = "other:"  # before the pack's own name of another material
NEARLY = 1e-9  # what a sum of hours may lose to rounding


@dataclass(frozen=True)
class Means:
    """What exists: officers usually there, (weekday, slot, zone) → number; barriers owned.

    `officers` is empty, and `barriers` None, where no source tells: unknown is not zero. `untold`:
    zone → days that the roster does not tell of it; what is usual is that of the others. `others`:
    kind → how many of another material are owned, of those that the source tells.
    """

    officers: dict[tuple[int, str, str], int]
    barriers: int | None
    zones: list[str] = field(default_factory=list)
    untold: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)

    def there(self, weekday: int, slot: str) -> dict[str, int]:
        """Return zone → officers usually there on a weekday and slot."""
        return {zone: self.officers.get((weekday, slot, zone), 0) for zone in self.zones}

    def table(self) -> pa.Table:
        """Return one row a weekday, slot and sector, one a sector not told for days, one of the
        barriers (schema `MEANS`).
        """
        rows: list[dict[str, Any]] = [
            {"means": OFFICERS, "weekday": weekday, "slot": slot, "zone": zone, "number": n}
            for (weekday, slot, zone), n in sorted(self.officers.items())
        ]
        rows += [{"means": UNTOLD, "zone": zone, "number": days}
                 for zone, days in sorted(self.untold.items())]  # fmt: skip
        rows += [{"means": f"{OTHER}{kind}", "number": n}
                 for kind, n in sorted(self.others.items())]  # fmt: skip
        if self.barriers is not None:
            rows.append({"means": BARRIERS, "number": self.barriers})
        return pa.Table.from_pylist(rows, schema=MEANS)

    @staticmethod
    def of_table(table: pa.Table) -> Means:
        """Return the means that a table tells."""
        rows = table.to_pylist()
        officers = {(row["weekday"], row["slot"], row["zone"]): row["number"]
                    for row in rows if row["means"] == OFFICERS}  # fmt: skip
        barriers = next((row["number"] for row in rows if row["means"] == BARRIERS), None)
        untold = {row["zone"]: row["number"] for row in rows if row["means"] == UNTOLD}
        others = {row["means"].removeprefix(OTHER): row["number"]
                  for row in rows if row["means"].startswith(OTHER)}  # fmt: skip
        return Means(officers, barriers, sorted({zone for *_, zone in officers}), untold, others)


def read_means(con: duckdb.DuckDBPyConnection, city: City, rules: EventRules, weeks: int) -> Means:
    """Return what exists: the median of the last `weeks` of the hours of patrol, and the stock.

    Hours of a slot over its length are officers; whole ones, of all sectors no more than the hours
    make. Views of the sources named.
    """
    owned, hours = _owned(con, rules.material), city.about.patrols
    barriers = owned.pop(rules.material.barriers, None) if rules.material else None
    if hours is None:
        return Means({}, barriers, others=owned)
    usual, mute = usual_hours(con, hours, last_window(city, 7 * weeks))
    lengths = _lengths(city)
    officers: dict[tuple[int, str, str], int] = {}
    for weekday, slot in sorted({(weekday, slot) for weekday, slot, _ in usual if slot in lengths}):
        exact = {zone: usual[key] / lengths[slot] for key in usual
                 for zone in [key[2]] if key[:2] == (weekday, slot)}  # fmt: skip
        officers |= {(weekday, slot, zone): n for zone, n in _whole(exact).items()}
    untold = {zone: len(days) for zone, days in mute.items()}
    return Means(officers, barriers, sorted({zone for *_, zone in officers}), untold, owned)


def _owned(con: duckdb.DuckDBPyConnection, own: Material | None) -> dict[str, int]:
    """Return kind → how many are owned, of the barriers and of the other material that is told."""
    if own is None:
        return {}
    rows = con.execute(
        f"SELECT {quote(own.kind)}, CAST(sum({quote(own.quantity)}) AS BIGINT) "
        f"FROM {quote(own.source)} GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {kind: int(n) for kind, n in rows
            if n is not None and kind in (own.barriers, *own.others)}  # fmt: skip


def _whole(exact: dict[str, float]) -> dict[str, int]:
    """Return whole officers, never more in all than there are; largest remainders come first."""
    held = {zone: math.floor(n + NEARLY) for zone, n in exact.items()}
    spare = math.floor(sum(exact.values()) + NEARLY) - sum(held.values())
    most = sorted(exact, key=lambda zone: (held[zone] - exact[zone], zone))
    return held | {zone: held[zone] + 1 for zone in most[: max(spare, 0)]}


def _lengths(city: City) -> dict[str, float]:
    """Return how many hours each slot lasts."""
    ordered = sorted(city.about.slots.items(), key=lambda item: item[1].start_h)
    starts = [slot.start_h for _, slot in ordered]
    following = [*starts[1:], starts[0] + 24]
    return {code: float(b - a) for (code, _), a, b in zip(ordered, starts, following, strict=True)}
