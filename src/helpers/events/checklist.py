"""Are the measures taken? What a class of events asks for, beside what the sources say.

States come from the sources, or from what people entered in the register, which is a later word.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from helpers.core.city.event_rules import EventRules, Measure
from helpers.events.known import Event, State

CHECKLIST = pa.schema(
    [
        ("event", pa.string()), ("measure", pa.string()), ("owner", pa.string()),
        ("due_at", pa.timestamp("us")), ("state", pa.string()), ("reason", pa.string()),
        ("wanted", pa.int64()), ("late", pa.bool_()), ("rank", pa.int64()),
    ]
)  # fmt: skip
SILENT, NO_ORDER, SAID = "source_silent", "no_order_signed", "source_says"
ENTERED = "register_says"
WORST: tuple[State, ...] = ("to_do", "unknown", "asked", "taken")


def state(measure: Measure, event: Event, rules: EventRules, today: dt.date) -> tuple[State, str]:
    """Return how far a measure is, and where that is known from.

    An order that is not signed is to do: that nobody wrote one is known. A field left empty, where
    something is wanted or nobody said, is unknown.
    """
    if measure.order:
        signed = any(one.kind == measure.order for one in event.signed(today))
        return ("taken", SAID) if signed else ("to_do", NO_ORDER)
    told: dict[str, State] = {
        rules.states.to_do: "to_do", rules.states.asked: "asked", rules.states.taken: "taken"
    }  # fmt: skip
    found = told.get(event.measures.get(measure.field) or "")
    if found:
        return found, ENTERED if measure.field in event.entered else SAID
    return "unknown", SILENT


def checklist(events: Sequence[Event], rules: EventRules, now: dt.datetime) -> pa.Table:
    """Return one row an event to come and measure (schema `CHECKLIST`), what is missing first.

    A measure of which the source says that none is wanted (a quantity of 0) is left out. `late`:
    not taken, and due. `rank` orders all: late ones first, then by when they are due.
    """
    rows: list[dict[str, Any]] = []
    today = (now - dt.timedelta(microseconds=1)).date()  # at midnight, still the day before
    for event in events:
        held = rules.classes.get(event.kind)
        for measure in held.measures if held else ():
            wanted = event.measures.get(measure.field_count) if measure.field_count else None
            if wanted == 0:
                continue
            found, reason = state(measure, event, rules, today)
            due = event.start - dt.timedelta(hours=measure.due_h)
            rows.append({
                "event": event.id, "measure": measure.title, "owner": measure.owner,
                "due_at": due, "state": found, "reason": reason, "wanted": wanted,
                "late": found != "taken" and due <= now,
            })  # fmt: skip
    rows.sort(key=lambda r: (r["state"] == "taken", not r["late"], r["due_at"],
                             WORST.index(r["state"]), r["event"], r["measure"]))  # fmt: skip
    for rank, row in enumerate(rows, 1):
        row["rank"] = rank
    return pa.Table.from_pylist(rows, schema=CHECKLIST)
