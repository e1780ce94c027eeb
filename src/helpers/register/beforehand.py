"""Whether what an action is judged by was written down before it began, and kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from helpers.register import rules
from helpers.register.entries import Entry

Unkept = Literal[
    "", "not_registered", "registered_late", "changed", "other_facts", "part_of_facts"
]  # fmt: skip
NOT_REGISTERED: Unkept = "not_registered"
REGISTERED_LATE: Unkept = "registered_late"
CHANGED: Unkept = "changed"
OTHER_FACTS: Unkept = "other_facts"
PART_OF_FACTS: Unkept = "part_of_facts"


def unkept(
    entries: Sequence[Entry], action: str, theme: str | None, part: bool, today: dt.date
) -> Unkept:
    """Return why what is said of an action's effect is exploratory, "" where it is not.

    `theme`: of the facts that it is judged by, None where no source tells them; `part`: they are
    not all the facts of that theme. A criterion is a whole theme: to judge by the part of it that
    suits is to choose afterwards. An action is registered beforehand where its first entry is of a
    day before it began.
    """
    versions = [held for entry, held in rules.actions(entries) if entry.draft.subject == action]
    first = next((one for one, _ in rules.actions(entries) if one.draft.subject == action), None)
    if first is None:
        return NOT_REGISTERED
    if rules.day_of(first) >= versions[0].start:
        return REGISTERED_LATE
    standing = next(one for one in rules.standings(entries, today) if one.action == action)
    if set(standing.changed) - {"entered"}:
        return CHANGED
    if theme not in (None, versions[-1].criterion.theme):
        return OTHER_FACTS
    return PART_OF_FACTS if theme and part else ""
