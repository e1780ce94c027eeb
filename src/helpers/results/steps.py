"""Every decision on an action, whatever the period: what a page tells of it, without the register.

A page reads results alone. Here is what it needs of the entries let in: who decided, when, for how
long, why not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pyarrow as pa

from helpers.register import rules
from helpers.register.entries import Action, Approval, Entry
from helpers.results import followed

TEXT, WHOLE, DAY = pa.string(), pa.int64(), pa.date32()
STEPS = pa.schema(
    [
        ("entry", WHOLE), ("on", DAY), ("role", TEXT), ("action", TEXT), ("decision", TEXT),
        ("end", DAY), ("about", WHOLE), ("motive", TEXT), ("current", pa.bool_()),
    ]
)  # fmt: skip
REGISTER = pa.schema([("today", DAY), ("entries", WHOLE)])


def steps(entries: Sequence[Entry]) -> pa.Table:
    """Return one row a decision on an action, in order of entry: STEPS.

    `decision` as `followed` has it; `end` is the action's, null of an opinion; `about` is the entry
    that an opinion is on, `motive` why it is against, where it says so. `current`: none supersedes
    it.
    """
    now = {entry.seq for entry in rules.in_force(entries)}
    rows = []
    for entry, decision in followed.decisions(entries):
        told = entry.draft.payload
        row = {
            "entry": entry.seq, "on": rules.day_of(entry), "role": entry.draft.role,
            "action": entry.draft.subject, "decision": decision, "current": entry.seq in now,
        }  # fmt: skip
        if isinstance(told, Action):
            row["end"] = told.end
        elif isinstance(told, Approval):
            row |= {"about": told.entry, "motive": told.reason}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=STEPS)


def register(entries: Sequence[Entry] | None, today: dt.date) -> pa.Table:
    """Return one row, the day on which states are told and how many entries are known: REGISTER.

    `entries` is null for a city without a register.
    """
    count = None if entries is None else len(entries)
    return pa.Table.from_pylist([{"today": today, "entries": count}], schema=REGISTER)
