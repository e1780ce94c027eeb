"""How concentrated facts are, beside what chance alone would show.

With few facts even a uniform city looks concentrated: of a tenth of a fact a cell, half lie in
4.5 % of cells. The share of cells that holds half the facts is therefore always told beside that
of as many facts thrown at random over the same cells (Bernasco, W. & Steenbeek, W. 2017, More
places than crimes, Journal of Quantitative Criminology 33).
"""

from __future__ import annotations

from typing import Any

import altair as alt
import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers import figure
from helpers.city import City
from helpers.estimate import DIGITS
from helpers.hotspots import cell_counts, cell_size, study_cells
from helpers.words import percent

Floats = NDArray[np.float64]
HALF = 0.5
DRAWS = 99
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("cells", pa.int64()), ("n", pa.int64()), ("share", pa.float64()),
        ("chance", pa.float64()), ("chance_low", pa.float64()), ("chance_high", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def half_share(counts: NDArray[Any]) -> float:
    """Return the smallest share of the cells (n,) that holds half of the facts."""
    ordered = np.sort(counts)[::-1]
    reached = np.searchsorted(np.cumsum(ordered), HALF * ordered.sum() - 1e-9)
    return float((reached + 1) / len(counts))


def assess(theme: str, counts: Floats, minimum_count: int, seed: int) -> dict[str, Any]:
    """Return a row of SCHEMA; the interval of chance is that of 95 % of draws."""
    n, cells = int(counts.sum()), len(counts)
    row: dict[str, Any] = {"theme": theme, "cells": cells, "n": n}
    if n < minimum_count:
        why = f"moins de {minimum_count} faits localisés dans la période"
        return {**row, "status": "abstained", "reason": why}
    rng = np.random.default_rng([seed, *theme.encode(), 1])
    drawn = [
        half_share(np.bincount(rng.integers(0, cells, n), minlength=cells)) for _ in range(DRAWS)
    ]
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975])
    told = {"share": half_share(counts), "chance": middle, "chance_low": low, "chance_high": high}
    return {
        **row, **{k: round(float(v), DIGITS) for k, v in told.items()}, "status": "ok",
        "reason": "",
    }  # fmt: skip


def find(
    con: duckdb.DuckDBPyConnection, city: City, window_days: int, minimum_count: int, seed: int
) -> pa.Table:
    """Return a row of SCHEMA a theme. Views `cube`, `zones`."""
    cells = study_cells(con, city, cell_size(con)) if city.themes else []
    if not cells:
        why = "le découpage principal n'a pas de contours : aucune maille à comparer"
        rows = [{"theme": theme, "status": "abstained", "reason": why} for theme in city.themes]
        return pa.Table.from_pylist(rows, schema=SCHEMA)
    rows = [
        assess(theme, cell_counts(con, city, theme, window_days, cells), minimum_count, seed)
        for theme in city.themes
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def draw(table: pa.Table, city: City) -> Any:
    """Return, a line a theme, the share of cells that holds half the facts, and chance's."""
    rows = [
        {**row, "theme": city.themes[row["theme"]].title}
        for row in table.to_pylist()
        if row["status"] == "ok"
    ]
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("theme:N", title=None, sort=None, axis=alt.Axis(labelLimit=360))
    )
    axis = alt.Axis(format="%")
    x = alt.X("share:Q", title="part des mailles qui porte la moitié des faits", axis=axis)
    points = base.mark_point(filled=True, size=80, opacity=1, color=figure.ORANGE).encode(x=x)
    chance = base.mark_tick(color=figure.GREY, thickness=5, size=16).encode(x="chance:Q")
    links = base.mark_rule(color=figure.GREY).encode(x="share:Q", x2="chance:Q")
    return alt.layer(links, chance, points).properties(width=380, height=alt.Step(22))


def in_words(table: pa.Table, city: City) -> str:
    """Return one Markdown line a theme."""
    lines = []
    for row in table.to_pylist():
        title = city.themes[row["theme"]].title
        if row["status"] != "ok":
            lines.append(f"- **{title}** : abstention ({row['reason']}).")
            continue
        lines.append(
            f"- **{title}** : la moitié des faits dans {percent(row['share'], 1)} des mailles ; le "
            f"hasard seul donnerait {percent(row['chance'], 1)} "
            f"(de {percent(row['chance_low'], 1)} à {percent(row['chance_high'], 1)})."
        )
    return "\n".join(lines)
