"""How many officers, crews, barriers and closures, at what hour: ranges, never above what exists.

Two needs are read, and the larger holds: what the crowd is taken to ask for (the pack's
assumptions), and the work of the facts expected. Events of the same hours share what there is, in
the order of their start; what is lacking is said.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from helpers.core.base.store import quote
from helpers.core.city.about import Slot
from helpers.core.city.city import City
from helpers.core.city.event_rules import EventRules
from helpers.core.place_time.calendar import window
from helpers.core.place_time.counts import counts
from helpers.core.stats.intervals import DIGITS
from helpers.events.excess import slot_of
from helpers.events.knobs import Knobs
from helpers.events.known import Event

UNKNOWN_CROWD, NO_RULE, NO_MEANS = "crowd_unknown", "no_rule", "means_unknown"
Spread = tuple[int, int]
SIZING = pa.schema(
    [
        ("event", pa.string()), ("from_at", pa.timestamp("us")), ("to_at", pa.timestamp("us")),
        ("wanted_low", pa.int64()), ("wanted_high", pa.int64()),
        ("officers_low", pa.int64()), ("officers_high", pa.int64()), ("crews_low", pa.int64()),
        ("crews_high", pa.int64()), ("officers_short", pa.int64()),
        ("barriers_low", pa.int64()), ("barriers_high", pa.int64()),
        ("barriers_there", pa.int64()), ("barriers_short", pa.int64()),
        ("closures_low", pa.int64()), ("closures_high", pa.int64()), ("led_by", pa.string()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip
SHIFTS = pa.schema(
    [
        ("event", pa.string()), ("day", pa.date32()), ("slot", pa.string()),
        ("from_at", pa.timestamp("us")), ("to_at", pa.timestamp("us")),
        ("wanted_low", pa.int64()), ("wanted_high", pa.int64()), ("there", pa.int64()),
        ("officers_low", pa.int64()), ("officers_high", pa.int64()), ("short", pa.int64()),
        ("facts_low", pa.float64()), ("facts_high", pa.float64()),
    ]
)  # fmt: skip
THIN = pa.schema(
    [
        ("day", pa.date32()), ("slot", pa.string()), ("zone", pa.string()),
        ("present", pa.int64()), ("sent", pa.int64()), ("left", pa.int64()),
        ("usual", pa.float64()), ("per_officer_before", pa.float64()),
        ("per_officer_after", pa.float64()),
    ]
)  # fmt: skip

MEANS = pa.schema(
    [
        ("means", pa.string()), ("weekday", pa.int64()), ("slot", pa.string()),
        ("zone", pa.string()), ("number", pa.int64()),
    ]
)  # fmt: skip
OFFICERS, BARRIERS = "officers", "barriers"


@dataclass(frozen=True)
class Means:
    """What exists: officers usually there, (weekday, slot, zone) → number; barriers owned.

    `officers` is empty, and `barriers` None, where no source tells: unknown is not zero.
    """

    officers: dict[tuple[int, str, str], int]
    barriers: int | None
    zones: list[str] = field(default_factory=list)

    def there(self, weekday: int, slot: str) -> dict[str, int]:
        """Return zone → officers usually there on a weekday and slot."""
        return {zone: self.officers.get((weekday, slot, zone), 0) for zone in self.zones}

    def table(self) -> pa.Table:
        """Return one row a weekday, slot and sector, and one of the barriers (schema `MEANS`)."""
        rows: list[dict[str, Any]] = [
            {"means": OFFICERS, "weekday": weekday, "slot": slot, "zone": zone, "number": n}
            for (weekday, slot, zone), n in sorted(self.officers.items())
        ]
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
        return Means(officers, barriers, sorted({zone for *_, zone in officers}))


def read_means(con: duckdb.DuckDBPyConnection, city: City, rules: EventRules, weeks: int) -> Means:
    """Return what exists: the median of the last `weeks` of the hours of patrol, and the stock.

    Hours of a slot over its length are officers. Views of the sources named.
    """
    barriers, hours = None, city.about.patrols
    if rules.material:
        own = rules.material
        row = con.execute(
            f"SELECT CAST(sum({quote(own.quantity)}) AS BIGINT) FROM {quote(own.source)} "
            f"WHERE {quote(own.kind)} = ?", [own.barriers],
        ).fetchone()  # fmt: skip
        barriers = None if row is None or row[0] is None else int(row[0])
    if hours is None:
        return Means({}, barriers)
    first, after = window(city.about.period.end, 7 * weeks)
    rows = con.execute(
        f"SELECT isodow({quote(hours.day)}) - 1, {quote(hours.slot)}, {quote(hours.zone)}, "
        f"median(CAST({quote(hours.hours)} AS DOUBLE)) FROM {quote(hours.source)} "
        f"WHERE {quote(hours.day)} >= ? AND {quote(hours.day)} < ? GROUP BY ALL ORDER BY ALL",
        [first, after],
    ).fetchall()
    lengths = _lengths(city)
    officers = {
        (int(weekday), slot, zone): math.floor(total / lengths[slot] + 0.5)
        for weekday, slot, zone, total in rows
        if slot in lengths and total is not None
    }
    return Means(officers, barriers, sorted({zone for *_, zone in officers}))


def _lengths(city: City) -> dict[str, float]:
    """Return how many hours each slot lasts."""
    ordered = sorted(city.about.slots.items(), key=lambda item: item[1].start_h)
    starts = [slot.start_h for _, slot in ordered]
    following = [*starts[1:], starts[0] + 24]
    return {code: float(b - a) for (code, _), a, b in zip(ordered, starts, following, strict=True)}


Key = tuple[dt.date, str]
Moments = tuple[dt.datetime, dt.datetime]
Facts = tuple[float, float]


class Expected(Protocol):
    """The facts expected of an event, as far as sizing asks for them (`excess.Outlook`)."""

    @property
    def hours(self) -> Sequence[object]:
        """Whatever holds facts; nothing where none are expected."""

    def within(self, span: Moments) -> Expected:
        """Return what begins within a span."""

    def ends(self, confidence: float) -> Facts:
        """Return the least and the most facts."""


@dataclass(frozen=True)
class Wanted:
    """What an event asks for: officers in each slot that it crosses, barriers, closures.

    A slot tells its part of the span, the officers, and the facts that these were reckoned from.
    `led_by`: whether the crowd or the facts expected ask for more officers.
    """

    event: Event
    span: Moments
    shifts: dict[Key, tuple[Moments, Spread, Facts]]
    barriers: Spread
    closures: Spread
    led_by: str


def wanted(
    event: Event, outlook: Expected, rules: EventRules, slots: dict[str, Slot], confidence: float
) -> Wanted | str:
    """Return what an event asks for, or why that cannot be said.

    Officers of a slot: the larger of the crowd's need and of the facts' work over its hours.
    """
    held = rules.classes.get(event.kind)
    need = held.need if held else None
    if need is None:
        return NO_RULE
    crowd = crowd_of(event)
    span = (event.start - dt.timedelta(hours=need.before_h),
            event.end + dt.timedelta(hours=need.after_h))  # fmt: skip
    if crowd is None and not outlook.within(span).hours:
        return UNKNOWN_CROWD
    people = crowd or (0, 0)
    asked = [n / 1000 * per for n, per in zip(people, need.officers_per_thousand, strict=True)]
    shifts, led_by = {}, "crowd"
    for key, moments in _crossed(span, slots).items():
        hours = (moments[1] - moments[0]).total_seconds() / 3600
        least, most = outlook.within(moments).ends(confidence)
        facts = round(least, DIGITS), round(most, DIGITS)
        work = [n * minute / 60 / hours
                for n, minute in zip(facts, rules.minutes_per_fact, strict=True)]  # fmt: skip
        led_by = "facts" if work[1] > asked[1] else led_by
        low, high = (math.ceil(round(max(a, w), 6)) for a, w in zip(asked, work, strict=True))
        shifts[key] = moments, (low, high), facts
    low, high = (math.ceil(round(n / 1000 * per, 6))
                 for n, per in zip(people, need.barriers_per_thousand, strict=True))  # fmt: skip
    closures = math.floor(need.closures[0]), math.ceil(need.closures[1])
    return Wanted(event, span, shifts, (low, high), closures, led_by)


def crowd_of(event: Event) -> Spread | None:
    """Return the least and the most people expected; None where nobody told."""
    if event.expected is None:
        return None
    least = event.expected if event.least is None else min(event.least, event.expected)
    return least, event.expected if event.most is None else max(event.most, event.expected)


@dataclass(frozen=True)
class Sized:
    """A row an event (`SIZING`), one an event and slot (`SHIFTS`), and what is left (`THIN`)."""

    sizing: pa.Table
    shifts: pa.Table
    thin: pa.Table


def size(
    events: Sequence[Event], outlooks: Mapping[str, Expected], means: Means, rules: EventRules,
    home: dict[str, str], usual: dict[tuple[int, str, str], float], slots: dict[str, Slot],
    confidence: float,
) -> Sized:  # fmt: skip
    """Return the sizing of the events to come, and what it leaves elsewhere.

    `home` gives the sector of patrol of each event; `usual` the facts of a (weekday, slot, sector).
    Nobody is counted twice: what an event takes of a slot is no more there for the next.
    """
    left: dict[Key, dict[str, int]] = {}
    rows: list[dict[str, Any]] = []
    shifts: list[dict[str, Any]] = []
    barriers: list[tuple[dt.datetime, dt.datetime, int]] = []
    for event in sorted(events, key=lambda one: (one.start, one.id)):
        asked = wanted(event, outlooks[event.id], rules, slots, confidence)
        if isinstance(asked, str):
            rows.append({"event": event.id, "status": "abstained", "reason": asked})
            continue
        own = [_shift(asked, key, left, means, rules, home.get(event.id)) for key in asked.shifts]
        stock = _free(asked, barriers, means.barriers)
        held = asked.barriers[1] if stock is None else min(asked.barriers[1], stock)
        barriers.append((event.setup, event.teardown, held))
        rows.append(_row(asked, own, stock, rules.crew))
        shifts += own
    sized, by_slot = (pa.Table.from_pylist(found, schema=schema)
                      for found, schema in ((rows, SIZING), (shifts, SHIFTS)))  # fmt: skip
    return Sized(sized, by_slot, _thin(left, means, usual))


def _shift(
    asked: Wanted, key: Key, left: dict[Key, dict[str, int]], means: Means, rules: EventRules,
    home: str | None,
) -> dict[str, Any]:  # fmt: skip
    """Return the officers of one slot, capped by who may be sent, and take them from there."""
    (start, end), (low, high), facts = asked.shifts[key]
    there = None
    if means.officers:
        here = left.setdefault(key, means.there(key[0].weekday(), key[1]))
        there = _can_go(here, sum(means.there(key[0].weekday(), key[1]).values()), rules)
        _take(here, min(high, there), home, rules.least_left)
    can = [n if there is None else min(n, there) for n in (low, high)]
    return {
        "event": asked.event.id, "day": key[0], "slot": key[1], "from_at": start, "to_at": end,
        "wanted_low": low, "wanted_high": high, "there": there, "officers_low": can[0],
        "officers_high": can[1], "short": None if there is None else low - can[0],
        "facts_low": facts[0], "facts_high": facts[1],
    }  # fmt: skip


def _row(
    asked: Wanted, shifts: list[dict[str, Any]], stock: int | None, crew: int
) -> dict[str, Any]:
    """Return what is told of one event: its fullest slot, needs capped, and what is lacking."""
    low, high, least, most = (
        max(one[name] for one in shifts)
        for name in ("officers_low", "officers_high", "wanted_low", "wanted_high")
    )
    held = [n if stock is None else min(n, stock) for n in asked.barriers]
    known = all(one["there"] is not None for one in shifts)
    return {
        "event": asked.event.id, "from_at": asked.span[0], "to_at": asked.span[1],
        "wanted_low": least, "wanted_high": most,
        "officers_low": low, "officers_high": high, "crews_low": math.ceil(low / crew),
        "crews_high": math.ceil(high / crew),
        "officers_short": max(one["short"] for one in shifts) if known else None,
        "barriers_low": held[0], "barriers_high": held[1], "barriers_there": stock,
        "barriers_short": None if stock is None else asked.barriers[0] - held[0],
        "closures_low": asked.closures[0], "closures_high": asked.closures[1],
        "led_by": asked.led_by, "status": "ok", "reason": "" if known else NO_MEANS,
    }  # fmt: skip


def _crossed(span: Moments, slots: dict[str, Slot]) -> dict[Key, Moments]:
    """Return each day worked and slot that a span crosses, with the part of the span in it."""
    found: dict[Key, Moments] = {}
    at = span[0]
    while at < span[1]:
        following = at.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)
        key = slot_of(at, slots)
        first = found[key][0] if key in found else at
        found[key] = first, min(following, span[1])
        at = following
    return found


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


def _free(
    asked: Wanted, taken: list[tuple[dt.datetime, dt.datetime, int]], stock: int | None
) -> int | None:
    """Return the barriers that no event of the same time has."""
    if stock is None:
        return None
    event = asked.event
    gone = sum(n for start, end, n in taken if start < event.teardown and end > event.setup)
    return max(0, stock - gone)


def _thin(
    left: dict[Key, dict[str, int]], means: Means, usual: dict[tuple[int, str, str], float]
) -> pa.Table:
    """Return the sectors that give officers, and the facts an officer has there then and now."""
    rows = []
    for (day, slot), zones in sorted(left.items()):
        whole = means.there(day.weekday(), slot)
        for zone, stays in sorted(zones.items()):
            if stays == whole[zone]:
                continue
            facts = usual.get((day.weekday(), slot, zone))
            per = [None if facts is None or n == 0 else round(facts / n, 6)
                   for n in (whole[zone], stays)]  # fmt: skip
            rows.append({
                "day": day, "slot": slot, "zone": zone, "present": whole[zone],
                "sent": whole[zone] - stays, "left": stays, "usual": facts,
                "per_officer_before": per[0], "per_officer_after": per[1],
            })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=THIN)


def usual_facts(
    con: duckdb.DuckDBPyConnection, city: City, rules: EventRules, knobs: Knobs
) -> dict[tuple[int, str, str], float]:
    """Return (weekday, slot, sector) → facts of the rules' themes, a mean of the last weeks.

    View `cube`.
    """
    hours = city.about.patrols
    if hours is None:
        return {}
    themes = [theme for theme in rules.themes if theme in city.themes]
    weeks = knobs.baseline_weeks
    span = window(city.about.period.end, 7 * weeks)
    rows = counts(con, ["slot", "working_day", "zone"], themes=themes, origins=knobs.origins,
                  division=hours.division,
                  span=span, placed=True)  # fmt: skip
    total: dict[tuple[int, str, str], int] = {}
    for slot, day, zone, n in rows:
        key = day.weekday(), slot, zone
        total[key] = total.get(key, 0) + n
    return {key: round(n / weeks, 6) for key, n in total.items()}
