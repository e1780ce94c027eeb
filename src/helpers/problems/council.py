"""What a local security council asks: the last decisions, what followed, what was answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa

from helpers.register import rules
from helpers.register.entries import Action, Approval, Entry, Problem, Recommendation, Sizing

TEXT = pa.string()
APPROVED, REFUSED, WAITING, REPLACED, LAPSED = (
    "approved", "refused", "waiting", "replaced", "lapsed"
)  # fmt: skip
DECISIONS = pa.schema(
    [
        ("entry", pa.int64()), ("on", pa.date32()), ("kind", TEXT), ("subject", TEXT),
        ("problem", TEXT), ("sector", TEXT), ("role", TEXT), ("answer", TEXT),
        ("answered_on", pa.date32()), ("recent", pa.bool_()),
    ]
)  # fmt: skip
CHANGED, NO_NUMBER = "changed", -1
ANSWERS = pa.schema(
    [
        ("kind", TEXT), ("answer", TEXT), ("motive", TEXT), ("measure", TEXT),
        ("proposed", pa.int64()), ("decided", pa.int64()), ("count", pa.int64()),
    ]
)  # fmt: skip


def decisions(
    entries: Sequence[Entry], sectors: Mapping[str, str | None], since: dt.date, today: dt.date
) -> pa.Table:
    """Return one row a problem or action put to the council, in order of entry: DECISIONS.

    `sectors`: problem or action → sector, each its own. `answer`: approved by two roles, refused by
    one, replaced by a later entry, lapsed (its end came first), else waiting; of a problem, nothing
    as long as nobody gave an opinion. `answered_on` is the day of the last one. `recent`: entered,
    or answered, on `since` or after.
    """
    opinions: dict[int, list[Entry]] = {}
    for entry in rules.in_force(entries):
        if isinstance(entry.draft.payload, Approval):
            opinions.setdefault(entry.draft.payload.entry, []).append(entry)
    rows = []
    for entry in entries:
        told, day = entry.draft.payload, rules.day_of(entry)
        if not isinstance(told, Action | Problem):
            continue
        problem = told.problem if isinstance(told, Action) else entry.draft.subject
        said = opinions.get(entry.seq, [])
        last = max((rules.day_of(one) for one in said), default=None)
        asked = bool(said) or isinstance(told, Action)
        rows.append({
            "entry": entry.seq, "on": day, "kind": told.kind, "subject": entry.draft.subject,
            "problem": problem, "sector": sectors.get(entry.draft.subject),
            "role": entry.draft.role,
            "answer": _answer(entry, told.end, said, entries, today) if asked else None,
            "answered_on": last,
            "recent": max(day, last or day) >= since,
        })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=DECISIONS)


def _answer(
    entry: Entry, end: dt.date, said: Sequence[Entry], entries: Sequence[Entry], today: dt.date
) -> str:
    if any(getattr(one.draft.payload, "opinion", "") == "refused" for one in said):
        return REFUSED
    if rules.approved(entry, entries):
        return APPROVED
    if entry not in rules.in_force(entries):
        return REPLACED
    return LAPSED if end < today else WAITING


def answers(entries: Sequence[Entry], since: dt.date) -> pa.Table:
    """Return how many proposals of notebooks were followed, changed, refused, and why: ANSWERS.

    Those in force, entered on `since` or after. They name no place: an event is a hash here. Of
    those changed, what was proposed and what was decided in its place, null where the register did
    not keep them, and of which `measure`, for those that have one.
    """
    counted: dict[tuple[str, str, str, str, int, int], int] = {}
    for entry in rules.in_force(entries):
        told = entry.draft.payload
        if not isinstance(told, Recommendation | Sizing) or rules.day_of(entry) < since:
            continue
        numbers = ("", NO_NUMBER, NO_NUMBER)
        if told.verdict == CHANGED and told.proposed is not None and told.decided is not None:
            measure = told.measure if isinstance(told, Sizing) else ""
            numbers = (measure, told.proposed, told.decided)
        key = (told.kind, told.verdict, told.reason or "", *numbers)
        counted[key] = counted.get(key, 0) + 1
    rows = [{"kind": kind, "answer": answer, "motive": motive or None, "measure": measure or None,
             "proposed": None if proposed == NO_NUMBER else proposed,
             "decided": None if decided == NO_NUMBER else decided, "count": n}
            for (kind, answer, motive, measure, proposed, decided), n in sorted(counted.items())
            ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ANSWERS)
