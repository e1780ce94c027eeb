"""How each action stands: proposed, approved, running, off, refused; and what it is held to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

import pyarrow as pa

from helpers.actions.known import Delivered, Known, Where
from helpers.core.base.errors import PhareError
from helpers.register import rules
from helpers.register.beforehand import unkept
from helpers.register.entries import Action, Approval, Entry

State = Literal["proposed", "approved", "running", "off", "refused", "unregistered"]
LOWEST, LOWER_TRIED, JUSTIFIED, UNREGISTERED = (
    "lowest", "lower_tried", "justified", "unregistered"
)  # fmt: skip
TEXT, DAY, WHOLE = pa.string(), pa.date32(), pa.int64()
STATES = pa.schema(
    [
        ("action", TEXT), ("problem", TEXT), ("tier", TEXT), ("response", TEXT), ("lead", TEXT),
        ("theme", TEXT), ("goal", TEXT), ("fall", pa.float64()), ("least_effect", pa.float64()),
        ("zone", TEXT), ("sector", TEXT), ("start", DAY), ("end", DAY), ("state", TEXT),
        ("gate", TEXT), ("justification", TEXT), ("shifts", pa.list_(TEXT)), ("entry", WHOLE),
        ("proposed_on", DAY), ("registered_before", pa.bool_()), ("approvals", WHOLE),
        ("against", WHOLE), ("renewals", WHOLE), ("changed", pa.list_(TEXT)),
        ("changed_by", pa.list_(WHOLE)), ("planned_h", pa.float64()), ("told_h", pa.float64()),
        ("delivered", pa.bool_()), ("exploratory", TEXT), ("indicator", TEXT),
        ("end_in_force", DAY), ("told_planned_h", pa.float64()),
        ("twice", pa.bool_()),
    ]
)  # fmt: skip


def states(known: Known, where: dict[str, Where]) -> pa.Table:
    """Return one row an action, in order: STATES.

    Days are those delivered, where the source tells them: what was done. `end_in_force` is the
    register's, renewals told; `planned_h` is the register's where it tells any. The source's own
    are `indicator`, the category aimed at, and `told_planned_h`; `twice`: several of its rows bear
    this number, and what is said is that of one of them. An action that nobody registered
    is of the state « unregistered ». `registered_before`: its first entry is of a day before it
    began.
    """
    by_action: dict[str, list[tuple[Entry, Action]]] = {}
    for entry, action in rules.actions(known.entries):
        by_action.setdefault(entry.draft.subject, []).append((entry, action))
    standing = {one.action: one for one in rules.standings(known.entries, known.today)}
    rows = []
    for name in known.names:
        place, there = known.delivered.get(name), where[name]
        row: dict[str, Any] = {
            "action": name, "zone": there.zone, "sector": there.sector, "delivered": False,
            "shifts": [], "changed": [], "changed_by": [], "twice": bool(place and place.twice),
        }  # fmt: skip
        if name in by_action:
            row |= _decided(by_action[name], standing[name], known)
        elif place:
            row |= {"state": UNREGISTERED, "gate": UNREGISTERED, "registered_before": False}
        row |= _delivered(place, row) if place else {}
        # A city without a register cannot be held to one.
        theme, part = (place.theme, place.part) if place else (None, False)
        why = unkept(known.entries, name, theme, part, known.today) if known.has_register else ""
        rows.append(row | {"exploratory": why})
    return pa.Table.from_pylist(rows, schema=STATES)


def _decided(
    versions: Sequence[tuple[Entry, Action]], standing: rules.Standing, known: Known
) -> dict[str, Any]:
    (first, begun), (last, now) = versions[0], versions[-1]
    opinions = [e.draft.payload for e in rules.in_force(known.entries)
                if isinstance(e.draft.payload, Approval)]  # fmt: skip
    said = [one.opinion for one in opinions if one.entry == last.seq]
    # First entered after its start: `registered_before` says so.
    changed = [name for name in standing.changed if name != "entered"]
    by = [seq for seq in standing.changed_by if seq != first.seq]
    against, proposed = said.count("refused"), rules.day_of(first)
    return {
        "problem": now.problem, "tier": now.tier, "response": now.response, "lead": now.lead,
        "theme": now.criterion.theme, "goal": now.goal, "fall": now.criterion.fall,
        "least_effect": now.least_effect, "start": now.start, "end": now.end,
        "state": state(standing, against, known.today, now.start),
        "gate": gate(last, now, known.entries), "justification": now.justification,
        "shifts": list(now.shifts or ()), "entry": last.seq, "proposed_on": proposed,
        "registered_before": proposed < begun.start, "approvals": said.count("approved"),
        "against": against, "renewals": len(standing.renewals), "changed": changed,
        "changed_by": by, "planned_h": now.dose_h, "end_in_force": now.end,
    }  # fmt: skip


def state(standing: rules.Standing, against: int, today: dt.date, start: dt.date) -> State:
    """Return the state of an action on the day `today`.

    Refused where a role is against; off where its end has passed, approved or not; proposed as
    long as two roles have not approved.
    """
    if against:
        return "refused"
    if standing.status == "off":
        return "off"
    if not standing.approved:
        return "proposed"
    return "running" if start <= today else "approved"


def gate(entry: Entry, action: Action, entries: Sequence[Entry]) -> str:
    """Return by what the action went through the gate of tiers, told by the register's own rule.

    Taken without its justification: if the rule then refuses it, it went through by that alone.
    """
    if action.tier == "prevention":
        return LOWEST
    before = [one for one in entries if one.seq < entry.seq]
    bare = entry.draft.model_copy(
        update={"payload": action.model_copy(update={"justification": None})}
    )
    try:
        rules.check(bare, before, [action.criterion.theme], rules.day_of(entry))
    except PhareError:
        return JUSTIFIED
    return LOWER_TRIED


def _delivered(place: Delivered, row: dict[str, Any]) -> dict[str, Any]:
    told = {"response": place.kind, "theme": place.theme, "problem": place.problem,
            "tier": place.tier, "planned_h": place.planned_h}  # fmt: skip
    missing = {name: value for name, value in told.items() if row.get(name) is None}
    days = {"start": place.start, "end": place.end or row.get("end")}
    return {
        **missing, **days, "told_h": place.done_h, "delivered": True,
        "indicator": place.indicator, "told_planned_h": place.planned_h,
    }  # fmt: skip
