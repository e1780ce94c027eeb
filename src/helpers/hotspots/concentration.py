"""How concentrated facts are, beside what chance alone would show.

With few facts even a uniform city looks concentrated: of a tenth of a fact a cell, half lie in
4.5 % of cells. The share of cells that holds half the facts, and the whole curve of concentration,
are therefore always told beside those of as many facts thrown at random over the same cells
(Bernasco, W. & Steenbeek, W. 2017, More places than crimes, Journal of Quantitative Criminology
33).
"""

from __future__ import annotations

from typing import Any

import altair as alt
import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.base.french import percent
from helpers.core.city.city import City
from helpers.core.place_time.territory import cell_size
from helpers.core.stage import figure, palette
from helpers.core.stats.intervals import DIGITS
from helpers.hotspots.cells import cell_counts, study_cells

Floats = NDArray[np.float64]
HALF = 0.5
DRAWS = 99
# Shares of the cells at which the curve is told, from the busiest cell on.
GRID = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5, 1.0)
CHANCE = (0.025, 0.5, 0.975)
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("cells", pa.int64()), ("n", pa.int64()), ("share", pa.float64()),
        ("chance", pa.float64()), ("chance_low", pa.float64()), ("chance_high", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip
CURVE = pa.schema(
    [
        ("theme", pa.string()), ("cells", pa.float64()), ("facts", pa.float64()),
        ("chance", pa.float64()), ("chance_low", pa.float64()), ("chance_high", pa.float64()),
    ]
)  # fmt: skip


def half_share(counts: NDArray[Any]) -> float:
    """Return the smallest share of the cells (n,) that holds half of the facts."""
    ordered = np.sort(counts)[::-1]
    reached = np.searchsorted(np.cumsum(ordered), HALF * ordered.sum() - 1e-9)
    return float((reached + 1) / len(counts))


def curve(counts: NDArray[Any]) -> Floats:
    """Return the share of the facts in each share GRID of the cells (n,), busiest first.

    At least one cell; between two cells, the curve is straight.
    """
    held = np.concatenate([[0.0], np.cumsum(np.sort(counts)[::-1])]) / max(counts.sum(), 1)
    at = np.maximum(np.array(GRID) * len(counts), 1.0)
    return np.asarray(np.interp(at, np.arange(len(held)), held))


def assess(
    theme: str, counts: Floats, minimum_count: int, seed: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a row of SCHEMA and those of CURVE; chance holds 95 % of draws."""
    n, cells = int(counts.sum()), len(counts)
    row: dict[str, Any] = {"theme": theme, "cells": cells, "n": n}
    if n < minimum_count:
        why = f"moins de {minimum_count} faits localisés dans la période"
        return {**row, "status": "abstained", "reason": why}, []
    rng = np.random.default_rng([seed, *theme.encode(), 1])
    drawn = [np.bincount(rng.integers(0, cells, n), minlength=cells) for _ in range(DRAWS)]
    low, middle, high = np.quantile([half_share(one) for one in drawn], CHANCE)
    told = {"share": half_share(counts), "chance": middle, "chance_low": low, "chance_high": high}
    row |= {**_rounded(told), "status": "ok", "reason": ""}
    bands = np.quantile([curve(one) for one in drawn], CHANCE, axis=0)
    names = ("cells", "facts", "chance_low", "chance", "chance_high")
    points = zip(GRID, curve(counts), *bands, strict=True)
    return row, [{"theme": theme, **_rounded(dict(zip(names, p, strict=True)))} for p in points]


def _rounded(values: dict[str, Any]) -> dict[str, float]:
    return {k: round(float(v), DIGITS) for k, v in values.items()}


def find(
    con: duckdb.DuckDBPyConnection, city: City, window_days: int, minimum_count: int, seed: int
) -> tuple[pa.Table, pa.Table]:
    """Return a row of SCHEMA a theme, and the curves (CURVE). Views `cube`, `zones`."""
    cells = study_cells(con, city, cell_size(con)) if city.themes else []
    if not cells:
        why = "le découpage principal n'a pas de contours : aucune maille à comparer"
        none = [{"theme": theme, "status": "abstained", "reason": why} for theme in city.themes]
        return pa.Table.from_pylist(none, schema=SCHEMA), CURVE.empty_table()
    found = [
        assess(theme, cell_counts(con, city, theme, window_days, cells), minimum_count, seed)
        for theme in city.themes
    ]
    rows, points = [row for row, _ in found], [point for _, some in found for point in some]
    return pa.Table.from_pylist(rows, schema=SCHEMA), pa.Table.from_pylist(points, schema=CURVE)


def draw_curves(table: pa.Table, city: City) -> Any:
    """Return, a panel a theme, the share of facts in the busiest cells, and chance's in grey."""
    rows = [{**row, "theme": city.themes[row["theme"]].title} for row in table.to_pylist()]
    scale = alt.Scale(type="log", domain=[GRID[0], 1])
    axis = alt.Axis(format=".1~%", values=[0.001, 0.01, 0.1, 1])
    base = alt.Chart().encode(
        x=alt.X("cells:Q", title="part des mailles", scale=scale, axis=axis),
    )
    shares = alt.Axis(format="%", tickCount=3)
    band = base.mark_area(color=palette.GREY, opacity=0.5).encode(
        y=alt.Y("chance_low:Q", title="part des faits", axis=shares), y2="chance_high:Q"
    )
    middle = base.mark_line(color=palette.GREY, strokeWidth=2).encode(y="chance:Q")
    line = base.mark_line(color=palette.ORANGE, strokeWidth=2).encode(y="facts:Q")
    layers = alt.layer(band, middle, line, data=figure.data(rows)).properties(width=190, height=110)
    return layers.facet(facet=alt.Facet("theme:N", title=None), columns=3)


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
    points = base.mark_point(filled=True, size=80, opacity=1, color=palette.ORANGE).encode(x=x)
    chance = base.mark_tick(color=palette.GREY, thickness=5, size=16).encode(x="chance:Q")
    links = base.mark_rule(color=palette.GREY).encode(x="share:Q", x2="chance:Q")
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
