"""An accident or an obstruction that happens now: how many, from where, what events keep.

Sized by the functions that size events (`sizing`), after them: those of the same hours keep their
least, no more, and nothing is ever above what exists. More of those present may leave for it than
for what was planned; some are left everywhere all the same.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from helpers.core.city.about import Slot
from helpers.core.city.event_rules import EventRules, Range, Sudden
from helpers.events.again import NOWHERE, events_of
from helpers.events.known import Event
from helpers.events.means import Means
from helpers.events.plan import Tables
from helpers.events.sharing import Moments, Plan
from helpers.events.sizing import Row, Wanted, allot, crossed, wanted

NAME = "sudden"  # beside the numbers of events, which are hashes


@dataclass(frozen=True)
class Left:
    """What a sector gives, at most, and how many stay there, at least, while it lasts."""

    zone: str
    sent: int
    stays: int


@dataclass(frozen=True)
class Response:
    """A row of SIZING and its rows of SHIFTS; who comes from where; how many events keep."""

    sizing: Row
    shifts: list[Row]
    left: list[Left]
    at_events: int


def assumed(rule: Sudden, officers: Range, barriers: Range, lasts_h: Range) -> Sudden:
    """Return what a kind is taken to need, where it is taken to be so much."""
    return rule.model_copy(update={"officers": officers, "barriers": barriers, "lasts_h": lasts_h})


def respond(
    tables: Tables, rules: EventRules, slots: dict[str, Slot], confidence: float,
    home: dict[str, str], rule: Sudden, at: dt.datetime, sector: str | None,
) -> Response:  # fmt: skip
    """Return who and what can be sent to what happens at a moment (local wall clock), in a sector.

    `home` gives the sector of patrol of each event. Officers are those usually there at that time.
    """
    own = {} if sector is None else {NAME: sector}
    plan = Plan(Means.of_table(tables["means"]), rules, home | own)
    events, outlooks = events_of(tables)
    asked = [wanted(event, outlooks[event.id], rules, slots, confidence) for event in events]
    allot(plan, [_least(one) for one in asked if isinstance(one, Wanted)])
    need = _wanted(rule, at, slots)
    before = _hourly(plan, need)
    plan.rules = rules.model_copy(update={"shared_out": max(rules.shared_out, rule.shared_out)})
    (row,), shifts = allot(plan, [need])
    after = _hourly(plan, need)
    there = _hourly(Plan(plan.means, rules, {}), need)
    gone = [sum(there[i].values()) - sum(before[i].values()) for i in range(len(there))]
    return Response(row, shifts, _left(before, after), max(gone, default=0))


def _least(one: Wanted) -> Wanted:
    """Return what an event cannot do without."""
    shifts = {key: (moments, (low, low), facts)
              for key, (moments, (low, _), facts) in one.shifts.items()}  # fmt: skip
    return replace(one, shifts=shifts, barriers=(one.barriers[0], one.barriers[0]))


def _wanted(rule: Sudden, at: dt.datetime, slots: dict[str, Slot]) -> Wanted:
    span = at, at + dt.timedelta(hours=rule.lasts_h[1])
    event = Event(
        NAME, NAME, None, None, None, NOWHERE, NOWHERE, *span, *span, None, None, None, None, None,
        None, NAME, False, {}, (),
    )  # fmt: skip
    officers, barriers, closures = (
        (math.floor(ends[0]), math.ceil(ends[1]))
        for ends in (rule.officers, rule.barriers, rule.closures)
    )
    shifts = {key: (moments, officers, (0.0, 0.0)) for key, moments in crossed(span, slots).items()}
    return Wanted(event, span, shifts, barriers, closures, NAME)


def _hourly(plan: Plan, need: Wanted) -> list[Counter[str]]:
    """Return zone → officers who stay there, of each hour; nothing where nobody told who is."""
    if not plan.means.officers:
        return []
    spans: list[tuple[tuple[dt.date, str], Moments]] = [
        (key, moments) for key, (moments, _, _) in need.shifts.items()
    ]
    return [Counter(zones) for key, moments in spans for zones in plan.staying(key, moments)]


def _left(before: Sequence[Counter[str]], after: Sequence[Counter[str]]) -> list[Left]:
    """Return the sectors that give somebody, those that give most first."""
    zones = sorted({zone for hour in before for zone in hour})
    found = [
        Left(zone, max(was[zone] - now[zone] for was, now in zip(before, after, strict=True)),
             min(now[zone] for now in after))
        for zone in zones
    ]  # fmt: skip
    return sorted((one for one in found if one.sent), key=lambda one: (-one.sent, one.zone))
