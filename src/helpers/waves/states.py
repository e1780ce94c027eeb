"""Waves: which themes are in force, from how far their sources can be trusted now.

A theme declares the sources it needs and the grade each must hold. Its state is computed, never
written by hand: not yet, pilot, active, suspended. What is suspended is not computed: it says why.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import altair as alt
import duckdb
import pyarrow as pa

from helpers.core.base import store
from helpers.core.base.french import plural, spoken
from helpers.core.city.city import City, Grade, Theme
from helpers.core.stage import figure, palette
from helpers.core.stage.standing import TITLES, State

# The state of a theme is the worst of what its sources allow.
ORDER: tuple[State, ...] = ("active", "pilot", "suspended", "not_yet")
COLOURS = [palette.BLUE, "#7FB2D9", palette.ORANGE, "#B8BEC6"]


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
    return {theme.source: default_grade, **theme.needs}


def judge(
    source: str, needed: Grade, known: Known | None, pilot_weeks: int, *, sample: bool
) -> tuple[State, str]:
    """Return the state that one source allows a theme, and why."""
    if known is None or not known.accepted:
        return "not_yet", f"rien n'est encore entré de « {source} »"
    if known.mute_since:
        return "suspended", f"« {source} » se tait depuis le {spoken(known.mute_since)}"
    if known.grade > needed:
        return "suspended", f"« {source} » est notée {known.grade}, il faut {needed}"
    if sample:
        return "pilot", f"« {source} » est un échantillon : ni total, ni évolution"
    if known.weeks is not None and known.weeks < pilot_weeks:
        held = plural(known.weeks, "semaine reçue")
        return "pilot", f"« {source} » : {held}, il en faut {pilot_weeks}"
    return "active", f"« {source} » est notée {known.grade}"


def states(
    con: duckdb.DuckDBPyConnection, city: City, default_grade: Grade, pilot_weeks: int
) -> pa.Table:
    """Return theme, wave, state, sample, reason: one row a theme, in the pack's order."""
    known = known_sources(con)
    rows = []
    for name, theme in city.themes.items():
        judged = [
            judge(
                source,
                needed,
                known.get(source),
                pilot_weeks,
                sample=city.contracts[source].coverage == "sample",
            )
            for source, needed in needs(theme, default_grade).items()
        ]
        state = max((one for one, _ in judged), key=ORDER.index)
        reason = " ; ".join(why for one, why in judged if one == state)
        sample = city.contracts[theme.source].coverage == "sample"
        rows.append((name, theme.wave, state, sample, reason))
    columns = zip(*rows, strict=True)
    names = ("theme", "wave", "state", "sample", "reason")
    return pa.table({name: list(values) for name, values in zip(names, columns, strict=True)})


def draw(table: pa.Table, city: City) -> alt.Chart:
    """Return one row a theme: its wave, its state as a coloured square, and why."""
    rows = [
        {
            "theme": city.themes[row["theme"]].title,
            "vague": row["wave"],
            "état": TITLES[row["state"]],
            "motif": row["reason"],
            "rang": rank,
        }
        for rank, row in enumerate(table.to_pylist())
    ]
    scale = alt.Scale(domain=[TITLES[state] for state in ORDER], range=COLOURS)
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("theme:N", title=None, sort=alt.SortField("rang"), axis=alt.Axis(labelLimit=300))
    )
    squares = base.mark_square(size=260, opacity=1).encode(
        x=alt.value(12),
        color=alt.Color("état:N", scale=scale, legend=alt.Legend(orient="top", title=None)),
    )
    words = base.mark_text(align="left", dx=28, limit=560).encode(x=alt.value(0), text="motif:N")
    return (squares + words).properties(width=600, height=alt.Step(26))


def in_words(table: pa.Table, city: City) -> str:
    """Return the answer as Markdown: how many themes are in each state, and the others' why."""
    rows: list[dict[str, Any]] = table.to_pylist()
    counts = {state: sum(row["state"] == state for row in rows) for state in ORDER}
    told = ", ".join(f"{n} {TITLES[state]}" for state, n in counts.items() if n)
    lines = [f"Sur {plural(len(rows), 'thème')} : {told}."]
    lines += [
        f"- **{city.themes[row['theme']].title}** ({TITLES[row['state']]}) : {row['reason']}."
        for row in rows
        if row["state"] != "active"
    ]
    return "\n".join(lines)
