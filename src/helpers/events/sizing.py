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
from helpers.core.city.event_rules import EventRules, Need
from helpers.core.place_time.calendar import last_window
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import heard_days
from helpers.core.stats.intervals import DIGITS
from helpers.events.excess import slot_of
from helpers.events.knobs import Knobs
from helpers.events.known import Event
from helpers.events.means import BARRIERS, Means
from helpers.events.sharing import Key, Moments, Plan, thin

UNKNOWN_CROWD, NO_RULE, NO_MEANS = "crowd_unknown", "no_rule", "means_unknown"
Spread = tuple[int, int]
# Other material, one a kind: what the pack calls it, how many (wanted too), how many are owned.
OTHER = pa.struct(
    [
        ("title", pa.string()), ("low", pa.int64()), ("high", pa.int64()),
        ("wanted_low", pa.int64()), ("wanted_high", pa.int64()), ("there", pa.int64()),
    ]
)  # fmt: skip
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
        ("closures_low", pa.int64()), ("closures_high", pa.int64()), ("others", pa.list_(OTHER)),
        ("led_by", pa.string()),
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

Facts = tuple[float, float]
Row = dict[str, Any]


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
    shifts, led_by = {}, "crowd"
    for key, moments in crossed(span, slots).items():
        hours = (moments[1] - moments[0]).total_seconds() / 3600
        least, most = outlook.within(moments).ends(confidence)
        facts = round(least, DIGITS), round(most, DIGITS)
        number, by_facts = officers(people, facts, hours, need, rules)
        led_by = "facts" if by_facts else led_by
        shifts[key] = moments, number, facts
    low, high = (math.ceil(round(n / 1000 * per, 6))
                 for n, per in zip(people, need.barriers_per_thousand, strict=True))  # fmt: skip
    closures = math.floor(need.closures[0]), math.ceil(need.closures[1])
    return Wanted(event, span, shifts, (low, high), closures, led_by)


def officers(
    people: Spread, facts: Facts, hours: float, need: Need, rules: EventRules
) -> tuple[Spread, bool]:
    """Return how many officers are asked for, the larger of two needs; whether facts lead.

    The crowd's, by thousand people; the work of so many facts over so many hours.
    """
    asked = [n / 1000 * per for n, per in zip(people, need.officers_per_thousand, strict=True)]
    work = [n * minute / 60 / hours
            for n, minute in zip(facts, rules.minutes_per_fact, strict=True)]  # fmt: skip
    low, high = (math.ceil(round(max(a, w), 6)) for a, w in zip(asked, work, strict=True))
    return (low, high), work[1] > asked[1]


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
    asked = [wanted(event, outlooks[event.id], rules, slots, confidence)
             for event in sorted(events, key=lambda one: one.start)]  # fmt: skip
    rows, shifts = allot(plan, [one for one in asked if isinstance(one, Wanted)])
    rows += [{"event": event.id, "status": "abstained", "reason": why}
             for event, why in zip(sorted(events, key=lambda one: one.start), asked, strict=True)
             if isinstance(why, str)]  # fmt: skip
    sized, by_slot = (pa.Table.from_pylist(found, schema=schema)
                      for found, schema in ((rows, SIZING), (shifts, SHIFTS)))  # fmt: skip
    return Sized(sized, by_slot, thin(plan, usual))


def allot(plan: Plan, known: Sequence[Wanted]) -> tuple[list[Row], list[Row]]:
    """Return the rows of SIZING and of SHIFTS of what is asked for, taken from what `plan` has.

    Each has its least first, then what is left goes up to their most.
    """
    least = {
        (one.event.id, key): plan.send(one.event.id, key, moments, low)
        for one in known
        for key, (moments, (low, _), _) in one.shifts.items()
    }
    shifts = {
        one.event.id: [_shift(one, key, plan, least[one.event.id, key]) for key in one.shifts]
        for one in known
    }
    rows = [_row(one, shifts[one.event.id], plan) for one in known]
    _lend(plan, known, rows)
    return rows, [shift for own in shifts.values() for shift in own]


def _lend(plan: Plan, known: Sequence[Wanted], rows: list[Row]) -> None:
    """Write into the rows the material that each event has of what is wanted, never more."""
    held = plan.rules.material
    barriers = _lent(plan, BARRIERS, [(one.event, one.barriers) for one in known])
    for one, row, (low, high) in zip(known, rows, barriers, strict=True):
        stock = row["barriers_there"]
        row |= {"barriers_low": low, "barriers_high": high, "others": [],
                "barriers_short": None if stock is None else one.barriers[0] - low}  # fmt: skip
    for what, other in held.others.items() if held else ():
        per = "crews" if other.per == "crew" else "officers"
        asked = [tuple(math.ceil(round(row[f"{per}_{end}"] * other.number, 6))
                       for end in ("low", "high")) for row in rows]  # fmt: skip
        lent = _lent(plan, what, [(one.event, (n[0], n[1]))
                                  for one, n in zip(known, asked, strict=True)])  # fmt: skip
        for row, wanted_ends, (low, high) in zip(rows, asked, lent, strict=True):
            row["others"].append({
                "title": other.title, "low": low, "high": high, "wanted_low": wanted_ends[0],
                "wanted_high": wanted_ends[1], "there": plan.stock(what),
            })  # fmt: skip


def _lent(plan: Plan, what: str, asked: Sequence[tuple[Event, Spread]]) -> list[Spread]:
    """Return how many each event has of a material: its least first, then up to its most."""
    least = [plan.lend(what, event, low) for event, (low, _) in asked]
    return [(low, plan.lend(what, event, high))
            for low, (event, (_, high)) in zip(least, asked, strict=True)]  # fmt: skip


def _shift(asked: Wanted, key: Key, plan: Plan, least: int) -> Row:
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


def _row(asked: Wanted, shifts: list[Row], plan: Plan) -> Row:
    """Return what is told of one event: its fullest slot, needs capped, and what is lacking."""
    crew = plan.rules.crew
    fullest = max(shifts, key=lambda one: (one["officers_high"], one["officers_low"]))
    low, high = fullest["officers_low"], fullest["officers_high"]
    least, most = (max(one[name] for one in shifts) for name in ("wanted_low", "wanted_high"))
    known = all(one["there"] is not None for one in shifts)
    worst = max(shifts, key=lambda one: one["short"] or 0)
    return {
        "event": asked.event.id, "from_at": asked.span[0], "to_at": asked.span[1],
        "wanted_low": least, "wanted_high": most,
        "officers_low": low, "officers_high": high, "crews_low": math.ceil(low / crew),
        "crews_high": math.ceil(high / crew),
        "officers_short": worst["short"] if known else None,
        "short_from": worst["from_at"] if worst["short"] else None,
        "barriers_there": plan.means.barriers,
        "barriers_wanted_low": asked.barriers[0], "barriers_wanted_high": asked.barriers[1],
        "closures_low": asked.closures[0], "closures_high": asked.closures[1],
        "led_by": asked.led_by, "status": "ok", "reason": "" if known else NO_MEANS,
    }  # fmt: skip


def crossed(span: Moments, slots: dict[str, Slot]) -> dict[Key, Moments]:
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
