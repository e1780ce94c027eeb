"""Waves: which themes are in force, from how far their sources can be trusted now.

A theme declares the sources it needs and the grade each must hold. Its state is computed, never
written by hand: not yet, pilot, active, suspended. What is suspended is not computed: it says why.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.city.theme import Grade, Theme
from helpers.core.stage.standing import State
from helpers.waves.knobs import Knobs

# The state of a theme is the worst of what its sources allow.
ORDER: tuple[State, ...] = ("active", "pilot", "suspended", "not_yet")
Judged = tuple[State, dict[str, Any]]
REASON = pa.struct(
    [
        ("source", pa.string()), ("reason", pa.string()), ("grade", pa.string()),
        ("needed_grade", pa.string()), ("weeks", pa.int64()), ("needed_weeks", pa.int64()),
        ("mute_since", pa.date32()),
    ]
)  # fmt: skip
STATES = pa.schema(
    [
        ("theme", pa.string()), ("wave", pa.int64()), ("state", pa.string()),
        ("sample", pa.bool_()), ("reasons", pa.list_(REASON)),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What reliability says of a source: its grade, weeks received, and since when it is mute."""

    grade: Grade
    accepted: int
    weeks: int | None
    mute_since: dt.date | None


def known_sources(con: duckdb.DuckDBPyConnection) -> dict[str, Known]:
    """Return what is known of each source; `weeks` is None for a yearly one.

    Views `grades` and `weeks`.
    """
    weeks = {
        row["source"]: row["received"]
        for row in store.records(
            con,
            "SELECT source, count(*) FILTER (status = 'ok') AS received FROM weeks GROUP BY 1",
        )
    }
    rows = store.records(con, "SELECT source, grade, accepted, mute_since FROM grades")
    return {
        row["source"]: Known(
            row["grade"],
            row["accepted"],
            weeks.get(row["source"]),
            row["mute_since"],
        )
        for row in rows
    }


def needs(theme: Theme, default_grade: Grade) -> dict[str, Grade]:
    """Return the grade that each source of the theme must hold."""
    return {**dict.fromkeys(theme.sources, default_grade), **theme.needs}


def judge(source: str, needed: Grade, known: Known | None, knobs: Knobs, *, sample: bool) -> Judged:
    """Return the state that one source allows a theme, and why (a row of REASON)."""
    told: dict[str, Any] = {"source": source, "needed_grade": needed}
    if known is None or not known.accepted:
        return "not_yet", {**told, "reason": "nothing_received"}
    told |= {"grade": known.grade}
    if known.mute_since:
        return "suspended", {**told, "reason": "mute", "mute_since": known.mute_since}
    if known.grade > needed:
        return "suspended", {**told, "reason": "below_need"}
    if sample:
        return "pilot", {**told, "reason": "sample"}
    if known.weeks is not None and known.weeks < knobs.pilot_weeks:
        counted = {"weeks": known.weeks, "needed_weeks": knobs.pilot_weeks}
        return "pilot", {**told, "reason": "few_weeks", **counted}
    return "active", {**told, "reason": "held"}


def states(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return theme, wave, state, sample, reasons: one row a theme, in the pack's order.

    `reasons`: one for each source that puts the theme in this state.
    """
    known = known_sources(con)
    rows = []
    for name, theme in city.themes.items():
        judged = [
            judge(
                source,
                needed,
                known.get(source),
                knobs,
                sample=city.contracts[source].coverage == "sample",
            )
            for source, needed in needs(theme, knobs.default_grade).items()
        ]
        state = max((one for one, _ in judged), key=ORDER.index)
        reasons = [why for one, why in judged if one == state]
        sample = any(city.contracts[one].coverage == "sample" for one in theme.sources)
        rows.append({"theme": name, "wave": theme.wave, "state": state, "sample": sample,
                     "reasons": reasons})  # fmt: skip
    return pa.Table.from_pylist(rows, schema=STATES)
