"""How many officers, crews, barriers and closures, at what hour: ranges, never above what exists.

Two needs are read, and the larger holds: what the crowd is taken to ask for (the pack's
assumptions), and the work of the facts expected. Events of the same hours share what there is;
what is lacking is said.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from helpers.core.city import coverage
from helpers.core.city.about import Slot
from helpers.core.city.city import City
from helpers.core.city.event_rules import EventRules
from helpers.core.place_time.calendar import last_window
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import heard_days
from helpers.core.stats.intervals import DIGITS
from helpers.events.excess import slot_of
from helpers.events.knobs import Knobs
from helpers.events.known import Event
from helpers.events.means import Means

UNKNOWN_CROWD, NO_RULE, NO_MEANS = "crowd_unknown", "no_rule", "means_unknown"
Spread = tuple[int, int]
SIZING = pa.schema(
    [
        ("event", pa.string()), ("from_at", pa.timestamp("us")), ("to_at", pa.timestamp("us")),
        ("wanted_low", pa.int64()), ("wanted_high", pa.int64()),
        ("officers_low", pa.int64()), ("officers_high", pa.int64()), ("crews_low", pa.int64()),
        ("crews_high", pa.int64()), ("officers_short", pa.int64()),
        ("short_from", pa.timestamp("us")),
        ("barriers_low", pa.int64()), ("barriers_high", pa.int64()),
        ("barriers_there", pa.int64()), ("barriers_wanted_low", pa.int64()),
        ("barriers_wanted_high", pa.int64()), ("barriers_short", pa.int64()),
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
    most = event.expected if event.most is None else max(event.most, event.expected)
    if event.capacity is not None:  # more than the place holds do not come in
        most = max(event.expected, min(most, event.capacity))
    return least, most


@dataclass(frozen=True)
class Sized:
    """A row an event (`SIZING`), one an event and slot (`SHIFTS`), and what is left (`THIN`)."""

    sizing: pa.Table
    shifts: pa.Table
    thin: pa.Table


class Plan:
    """Who is still there, hour by hour, once events have taken theirs: nobody is sent twice."""

    def __init__(self, means: Means, rules: EventRules, home: dict[str, str]) -> None:
        self.means, self.rules, self.home = means, rules, home
        self.left: dict[tuple[Key, dt.datetime], dict[str, int]] = {}
        self.barriers: dict[str, tuple[dt.datetime, dt.datetime, int]] = {}

    def can_go(self, key: Key, moments: Moments) -> int | None:
        """Return how many more may be sent throughout; None where nobody told who is there."""
        if not self.means.officers:
            return None
        there = self.means.there(key[0].weekday(), key[1])
        return min(_can_go(self._at(key, hour), sum(there.values()), self.rules)
                   for hour in _hours(moments))  # fmt: skip

    def send(self, event: str, key: Key, moments: Moments, number: int) -> int:
        """Send as many as may be, up to a number; return how many."""
        can = self.can_go(key, moments)
        if can is None:
            return number
        for hour in _hours(moments):
            _take(self._at(key, hour), min(number, can), self.home.get(event),
                  self.rules.least_left)  # fmt: skip
        return min(number, can)

    def lend(self, event: Event, number: int) -> int:
        """Lend as many barriers as are free, up to so many in all; return how many it has."""
        if self.means.barriers is None:
            return number
        others = sum(
            n
            for name, (start, end, n) in self.barriers.items()
            if name != event.id and start < event.teardown and end > event.setup
        )
        held = min(number, max(0, self.means.barriers - others))
        self.barriers[event.id] = event.setup, event.teardown, held
        return held

    def _at(self, key: Key, hour: dt.datetime) -> dict[str, int]:
        there = self.means.there(key[0].weekday(), key[1])
        return self.left.setdefault((key, hour), there)


def _hours(moments: Moments) -> list[dt.datetime]:
    """Return the hours that a span touches."""
    first = moments[0].replace(minute=0, second=0, microsecond=0)
    count = math.ceil((moments[1] - first).total_seconds() / 3600)
    return [first + dt.timedelta(hours=i) for i in range(count)]


def size(
    events: Sequence[Event], outlooks: Mapping[str, Expected], means: Means, rules: EventRules,
    home: dict[str, str], usual: dict[tuple[int, str, str], float], slots: dict[str, Slot],
    confidence: float,
) -> Sized:  # fmt: skip
    """Return the sizing of the events to come, and what it leaves elsewhere.

    `home` gives the sector of patrol of each event; `usual` the facts of a (weekday, slot, sector).
    Each has its least first, in the order of their start, so that what is lacking is lacking
    whatever the others are given beyond; then what is left goes up to their most.
    """
    plan = Plan(means, rules, home)
    rows: list[dict[str, Any]] = []
    known: list[Wanted] = []
    for event in sorted(events, key=lambda one: one.start):
        asked = wanted(event, outlooks[event.id], rules, slots, confidence)
        if isinstance(asked, str):
            rows.append({"event": event.id, "status": "abstained", "reason": asked})
        else:
            known.append(asked)
    least = {
        (one.event.id, key): plan.send(one.event.id, key, moments, low)
        for one in known
        for key, (moments, (low, _), _) in one.shifts.items()
    }
    lent = {one.event.id: plan.lend(one.event, one.barriers[0]) for one in known}
    shifts: list[dict[str, Any]] = []
    for one in known:
        own = [_shift(one, key, plan, least[one.event.id, key]) for key in one.shifts]
        most = plan.lend(one.event, one.barriers[1])
        rows.append(_row(one, own, (lent[one.event.id], most), plan, rules.crew))
        shifts += own
    sized, by_slot = (pa.Table.from_pylist(found, schema=schema)
                      for found, schema in ((rows, SIZING), (shifts, SHIFTS)))  # fmt: skip
    return Sized(sized, by_slot, _thin(plan, usual))


def _shift(asked: Wanted, key: Key, plan: Plan, least: int) -> dict[str, Any]:
    """Return the officers of one slot, who have their least already, sent up to their most."""
    moments, (low, high), facts = asked.shifts[key]
    more = plan.can_go(key, moments)
    most = least + plan.send(asked.event.id, key, moments, high - least)
    return {
        "event": asked.event.id, "day": key[0], "slot": key[1], "from_at": moments[0],
        "to_at": moments[1], "wanted_low": low, "wanted_high": high,
        "there": None if more is None else least + more, "officers_low": least,
        "officers_high": most, "short": None if more is None else low - least,
        "facts_low": facts[0], "facts_high": facts[1],
    }  # fmt: skip


def _row(
    asked: Wanted, shifts: list[dict[str, Any]], barriers: Spread, plan: Plan, crew: int
) -> dict[str, Any]:
    """Return what is told of one event: its fullest slot, needs capped, and what is lacking."""
    fullest = max(shifts, key=lambda one: (one["officers_high"], one["officers_low"]))
    low, high = fullest["officers_low"], fullest["officers_high"]
    least, most = (max(one[name] for one in shifts) for name in ("wanted_low", "wanted_high"))
    known = all(one["there"] is not None for one in shifts)
    worst = max(shifts, key=lambda one: one["short"] or 0)
    stock = plan.means.barriers
    return {
        "event": asked.event.id, "from_at": asked.span[0], "to_at": asked.span[1],
        "wanted_low": least, "wanted_high": most,
        "officers_low": low, "officers_high": high, "crews_low": math.ceil(low / crew),
        "crews_high": math.ceil(high / crew),
        "officers_short": worst["short"] if known else None,
        "short_from": worst["from_at"] if worst["short"] else None,
        "barriers_low": barriers[0], "barriers_high": barriers[1], "barriers_there": stock,
        "barriers_wanted_low": asked.barriers[0], "barriers_wanted_high": asked.barriers[1],
        "barriers_short": None if stock is None else asked.barriers[0] - barriers[0],
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


def _thin(plan: Plan, usual: dict[tuple[int, str, str], float]) -> pa.Table:
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


def usual_facts(
    con: duckdb.DuckDBPyConnection, city: City, rules: EventRules, knobs: Knobs
) -> dict[tuple[int, str, str], float]:
    """Return (weekday, slot, sector) → facts of the rules' themes, a mean of the last weeks.

    Of the days when all sources of the theme were heard and cover it, within the city's period.
    Views `cube` and `weeks`.
    """
    hours = city.about.patrols
    if hours is None:
        return {}
    span = last_window(city, 7 * knobs.baseline_weeks)
    total: dict[tuple[int, str, str], float] = {}
    for theme in (theme for theme in rules.themes if theme in city.themes):
        apart = coverage.of_theme(city, theme, hours.division).city
        heard = heard_days(con, city.themes[theme].sources, *span, apart)
        days = Counter(day.weekday() for day in heard)
        rows = counts(con, ["slot", "working_day", "zone"], theme=theme, origins=knobs.origins,
                      division=hours.division, span=span, placed=True)  # fmt: skip
        for slot, day, zone, n in rows:
            if day in heard:
                key = day.weekday(), slot, zone
                total[key] = total.get(key, 0.0) + n / days[key[0]]
    return {key: round(n, 6) for key, n in total.items()}
