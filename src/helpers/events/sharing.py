"""Who and what is still there, hour by hour, once events have taken theirs."""

from __future__ import annotations

import datetime as dt
import math

import pyarrow as pa

from helpers.core.city.event_rules import EventRules
from helpers.events.known import Event
from helpers.events.means import BARRIERS, Means

THIN = pa.schema(
    [
        ("day", pa.date32()), ("slot", pa.string()), ("zone", pa.string()),
        ("present", pa.int64()), ("sent", pa.int64()), ("left", pa.int64()),
        ("usual", pa.float64()), ("per_officer_before", pa.float64()),
        ("per_officer_after", pa.float64()),
    ]
)  # fmt: skip

Key = tuple[dt.date, str]
Moments = tuple[dt.datetime, dt.datetime]


class Plan:
    """Who is still there, hour by hour, once events have taken theirs: nobody is sent twice."""

    def __init__(self, means: Means, rules: EventRules, home: dict[str, str]) -> None:
        self.means, self.rules, self.home = means, rules, home
        self.left: dict[tuple[Key, dt.datetime], dict[str, int]] = {}
        self.lent: dict[str, dict[str, tuple[dt.datetime, dt.datetime, int]]] = {}

    def can_go(self, key: Key, moments: Moments) -> int | None:
        """Return how many more may be sent throughout; None where nobody told who is there."""
        if not self.means.officers:
            return None
        there = self.means.there(key[0].weekday(), key[1])
        return min(_can_go(self._at(key, hour), sum(there.values()), self.rules)
                   for hour in hours_of(moments))  # fmt: skip

    def send(self, event: str, key: Key, moments: Moments, number: int) -> int:
        """Send as many as may be, up to a number; return how many."""
        can = self.can_go(key, moments)
        if can is None:
            return number
        for hour in hours_of(moments):
            _take(self._at(key, hour), min(number, can), self.home.get(event),
                  self.rules.least_left)  # fmt: skip
        return min(number, can)

    def lend(self, what: str, event: Event, number: int) -> int:
        """Lend as many of a material as are free, up to a number; return how many it has.

        `what`: `means.BARRIERS`, or a kind of the other material.
        """
        stock, lent = self.stock(what), self.lent.setdefault(what, {})
        if stock is None:
            return number
        others = sum(
            n
            for name, (start, end, n) in lent.items()
            if name != event.id and start < event.teardown and end > event.setup
        )
        held = min(number, max(0, stock - others))
        lent[event.id] = event.setup, event.teardown, held
        return held

    def stock(self, what: str) -> int | None:
        """Return how many of a material are owned; None where nobody told."""
        return self.means.barriers if what == BARRIERS else self.means.others.get(what)

    def staying(self, key: Key, moments: Moments) -> list[dict[str, int]]:
        """Return zone → officers who stay there, of each hour of a part of a slot."""
        return [dict(self._at(key, hour)) for hour in hours_of(moments)]

    def _at(self, key: Key, hour: dt.datetime) -> dict[str, int]:
        there = self.means.there(key[0].weekday(), key[1])
        return self.left.setdefault((key, hour), there)


def hours_of(moments: Moments) -> list[dt.datetime]:
    """Return the hours that a span touches."""
    first = moments[0].replace(minute=0, second=0, microsecond=0)
    count = math.ceil((moments[1] - first).total_seconds() / 3600)
    return [first + dt.timedelta(hours=i) for i in range(count)]


def _can_go(left: dict[str, int], whole: int, rules: EventRules) -> int:
    """Return how many officers may still be sent: a share of those there, some left everywhere."""
    most = math.floor(rules.shared_out * whole) - (whole - sum(left.values()))
    return max(0, min(most, sum(max(0, n - rules.least_left) for n in left.values())))


def _take(left: dict[str, int], number: int, home: str | None, least: int) -> None:
    """Take officers from a slot: the event's own sector first, then where most are left."""
    for _ in range(number):
        spare = [zone for zone in sorted(left) if left[zone] > least]
        if not spare:
            return
        own = home if home in spare else max(spare, key=lambda zone: left[zone])
        left[own] -= 1


def thin(plan: Plan, usual: dict[tuple[int, str, str], float]) -> pa.Table:
    """Return the sectors that give officers, and the facts an officer has there then and now.

    Of a slot, its thinnest hour.
    """
    fewest: dict[tuple[Key, str], int] = {}
    for (key, _), zones in plan.left.items():
        for zone, stays in zones.items():
            fewest[key, zone] = min(stays, fewest.get((key, zone), stays))
    rows = []
    for ((day, slot), zone), stays in sorted(fewest.items()):
        there = plan.means.there(day.weekday(), slot)[zone]
        if stays == there:
            continue
        facts = usual.get((day.weekday(), slot, zone))
        per = [None if facts is None or n == 0 else round(facts / n, 6) for n in (there, stays)]
        rows.append({
            "day": day, "slot": slot, "zone": zone, "present": there, "sent": there - stays,
            "left": stays, "usual": facts, "per_officer_before": per[0],
            "per_officer_after": per[1],
        })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=THIN)
