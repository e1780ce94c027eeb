"""Which decisions followed which figure: what was known on the day of each decision.

The register does not say why somebody decided. What is told here is order in time alone: which
figures could already say something of the action, or of earlier ones at the same problem.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from helpers.register import rules
from helpers.register.entries import Action, Entry

TEXT = pa.string()
PROPOSED, RENEWED, CHANGED, APPROVED, REFUSED = (
    "proposed", "renewed", "changed", "approved", "refused"
)  # fmt: skip
POWER_FIGURE, EFFECT_FIGURE = "actions_detectable", "impact_ratios"
FOLLOWED = pa.schema(
    [
        ("entry", pa.int64()), ("on", pa.date32()), ("role", TEXT), ("action", TEXT),
        ("decision", TEXT), ("figure", TEXT), ("of", TEXT), ("said", TEXT),
        ("exploratory", pa.bool_()),
    ]
)  # fmt: skip
SEEN, UNSEEN = "sure_enough", "not_sure_enough"  # to be seen


def followed(
    entries: Sequence[Entry], powers: pa.Table, effects: pa.Table, period: tuple[dt.date, dt.date],
    weeks: int,
) -> pa.Table:  # fmt: skip
    """Return one row a decision on an action, in the period, and figure that came before: FOLLOWED.

    A decision that no figure came before has one row, without figure. An effect is known `weeks`
    after its action began; `exploratory` as `impact` says.
    """
    seen = {row["action"]: row["seen"] for row in powers.to_pylist()}
    judged = [row for row in effects.to_pylist() if row["scope"] == "action"]
    problem_of = {e.draft.subject: a.problem for e, a in rules.actions(entries)}
    rows: list[dict[str, Any]] = []
    for entry, decision in decisions(entries):
        day, action = rules.day_of(entry), entry.draft.subject
        if not period[0] <= day <= period[1]:
            continue
        row = {"entry": entry.seq, "on": day, "role": entry.draft.role, "action": action,
               "decision": decision}  # fmt: skip
        known: list[tuple[str | None, str | None, str | None, bool]] = [
            (EFFECT_FIGURE, one["key"], one["verdict"], one["exploratory"]) for one in judged
            if problem_of.get(one["key"]) == problem_of[action]
            and one["start"] + dt.timedelta(weeks=weeks) <= day
        ]  # fmt: skip
        if seen.get(action) is not None:
            known.append((POWER_FIGURE, action, SEEN if seen[action] else UNSEEN, False))
        names = ("figure", "of", "said", "exploratory")
        rows += [row | dict(zip(names, told, strict=True))
                 for told in known or [(None, None, None, False)]]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=FOLLOWED)


def decisions(entries: Sequence[Entry]) -> list[tuple[Entry, str]]:
    """Return the entries on actions and the opinions on those, in order, each with what it is."""
    found = []
    by_seq = {entry.seq: entry for entry in entries}
    for entry in entries:
        told = entry.draft.payload
        if isinstance(told, Action):
            before = by_seq.get(entry.draft.supersedes or 0)
            found.append((entry, _kind(told, before)))
        elif told.kind == "approval" and entry.draft.subject.startswith("ACT"):
            found.append((entry, APPROVED if told.opinion == "approved" else REFUSED))
    return found


def _kind(told: Action, before: Entry | None) -> str:
    if before is None:
        return PROPOSED
    old = before.draft.payload
    assert isinstance(old, Action)
    same = all(getattr(told, name) == getattr(old, name) for name in rules.HYPOTHESIS)
    return RENEWED if same and told.end > old.end else CHANGED
