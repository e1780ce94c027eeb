"""Sizing once more, under other assumptions, from what the tables kept of it.

The same functions decide (`sizing.size`): nothing is ever above what exists, and what one event
takes is no more there for the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from helpers.core.city.about import Slot
from helpers.core.city.event_rules import EventRules, Range
from helpers.events.known import Event
from helpers.events.means import Means
from helpers.events.plan import Tables
from helpers.events.sharing import Moments
from helpers.events.sizing import Facts, Sized, size
from helpers.events.slot_words import Row

NOWHERE = float("nan")  # metres: sizing asks for no place


@dataclass(frozen=True)
class Kept:
    """The facts expected of an event, slot by slot, as `shifts` keeps them."""

    slots: Mapping[Moments, Facts] = field(default_factory=dict)

    @property
    def hours(self) -> list[Facts]:
        """The slots where some are expected."""
        return [facts for facts in self.slots.values() if facts[1] > 0]

    def within(self, span: Moments) -> Kept:
        """Return the slots that begin within a span."""
        return Kept({own: n for own, n in self.slots.items() if span[0] <= own[0] < span[1]})

    def ends(self, confidence: float) -> Facts:
        """Return the ends of a slot's facts, at the confidence that they were kept with."""
        (facts,) = self.slots.values() or [(0.0, 0.0)]
        return facts


def assumed(
    rules: EventRules, kind: str, officers: Range, barriers: Range, minutes: Range
) -> EventRules:
    """Return the rules where a class is taken to ask for so much.

    `officers` and `barriers` by thousand people, of the class `kind`; `minutes` of an officer by
    fact, of all classes. The class has a need already.
    """
    held = rules.classes[kind]
    assert held.need is not None
    need = held.need.model_copy(
        update={"officers_per_thousand": officers, "barriers_per_thousand": barriers}
    )
    classes = rules.classes | {kind: held.model_copy(update={"need": need})}
    return rules.model_copy(update={"classes": classes, "minutes_per_fact": minutes})


def again(tables: Tables, rules: EventRules, slots: dict[str, Slot], confidence: float) -> Sized:
    """Return the sizing of the events of the tables under `rules`; `thin` is not told of them.

    Under the rules that the tables were made with, it is what the tables hold.
    """
    events, outlooks = events_of(tables)
    means = Means.of_table(tables["means"])
    return size(events, outlooks, means, rules, {}, {}, slots, confidence)


def events_of(tables: Tables) -> tuple[list[Event], dict[str, Kept]]:
    """Return what sizing asks of the events of the tables, by their start; the facts of each."""
    kept: dict[str, dict[Moments, Facts]] = {}
    for row in tables["shifts"].to_pylist():
        facts = row["facts_low"], row["facts_high"]
        kept.setdefault(row["event"], {})[row["from_at"], row["to_at"]] = facts
    events = [_event(row) for row in tables["calendar"].to_pylist()]
    events.sort(key=lambda one: one.start)
    return events, {event.id: Kept(kept.get(event.id, {})) for event in events}


def _event(row: Row) -> Event:
    """Return what sizing asks of an event, from its row of `calendar`."""
    return Event(
        row["event"], row["kind"], row["zone"], row["longitude"], row["latitude"], NOWHERE,
        NOWHERE, row["start_at"], row["end_at"], row["setup_at"], row["teardown_at"],
        row["expected"], row["least"], row["most"], None, row["capacity"], None, row["status"],
        row["allowed"], {}, (),
    )  # fmt: skip
