"""The commune's yearly staff beside the plan: the last number to rely on, and what is like it.

A number of agents is no number of hours: nothing here enters the plan, and no hour is drawn from
it. Communes of like population are set beside, in the order of their codes: no rank is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from helpers.allocation.knobs import Knobs
from helpers.core.base import store
from helpers.core.city.staff_rules import StaffRules

RELIABLE = ("A", "B")
THOUSAND = 1000
SCHEMA = pa.schema(
    [
        ("kind", pa.string()), ("rank", pa.int64()), ("role", pa.string()),
        ("commune", pa.string()), ("year", pa.int64()), ("value", pa.float64()),
        ("population", pa.float64()), ("per_thousand", pa.float64()), ("grade", pa.string()),
        ("signs", pa.list_(pa.string())),
    ]
)  # fmt: skip
OWN, LATER, LIKE = "own", "later", "like"


def reference(con: duckdb.DuckDBPyConnection, rules: StaffRules | None, knobs: Knobs) -> pa.Table:
    """Return rows of SCHEMA, from the view `staff` that `ingest` kept; none without `rules.own`.

    Of each kind: its last number of grade A or B (`own`), a later one that is not (`later`), and
    that of communes of like population the same year, if it is of such a grade (`like`): between
    theirs and one's own, a ratio of `staff_similar` at most. `rank` is that of `rules.counts`.
    """
    if rules is None or not rules.own:
        return SCHEMA.empty_table()
    told = store.records(con, "SELECT * FROM staff WHERE value IS NOT NULL ORDER BY ALL")
    rows = []
    for rank, kind in enumerate(rules.counts):
        of_kind = [row for row in told if row["kind"] == kind]
        for role, row in _of_kind(of_kind, rules.own, knobs.staff_similar):
            rows.append({**row, "rank": rank, "role": role, "per_thousand": _rate(row)})
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _of_kind(
    rows: Sequence[Mapping[str, Any]], own: str, similar: float
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    ours = sorted((row for row in rows if row["commune"] == own), key=lambda row: row["year"])
    sound = [row for row in ours if row["grade"] in RELIABLE]
    if sound:
        yield OWN, sound[-1]
    if ours and (not sound or ours[-1]["year"] > sound[-1]["year"]):
        yield LATER, ours[-1]
    if sound and sound[-1]["population"]:
        year, size = sound[-1]["year"], sound[-1]["population"]
        for row in rows:
            alike = row["population"] and size / similar <= row["population"] <= size * similar
            if row["commune"] != own and row["year"] == year and alike and row["grade"] in RELIABLE:
                yield LIKE, row


def _rate(row: Mapping[str, Any]) -> float | None:
    """Return the number for a thousand inhabitants of the same year; None if they are not told."""
    return THOUSAND * row["value"] / row["population"] if row["population"] else None
