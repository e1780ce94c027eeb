"""How concentrated facts are, beside what chance alone would show.

With few facts even a uniform city looks concentrated: of a tenth of a fact a cell, half lie in
4.5 % of cells. The share of cells that holds half the facts, and the whole curve of concentration,
are therefore always told beside those of as many facts thrown at random over the same cells, those
where facts happen: thrown over ground where nobody is, chance would look far too even
(Bernasco, W. & Steenbeek, W. 2017, More places than crimes, Journal of Quantitative Criminology
33).
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.city.city import City
from helpers.core.city.coverage import NOT_COVERED
from helpers.core.stats.intervals import DIGITS
from helpers.hotspots.cells import TOO_FEW, cell_counts, covered, no_ground, study_cells
from helpers.hotspots.knobs import Knobs

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
        return {**row, "status": "abstained", "reason": TOO_FEW}, []
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
    con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs, seed: int
) -> tuple[pa.Table, pa.Table]:
    """Return a row of SCHEMA a theme, and the curves (CURVE). Views `cube`, `zones`."""
    cells = study_cells(con, city, knobs.radius_m) if city.themes else []
    if not cells:
        row = {"status": "abstained", "reason": no_ground(con)}
        none = [{"theme": theme, **row} for theme in city.themes]
        return pa.Table.from_pylist(none, schema=SCHEMA), CURVE.empty_table()
    found: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    for theme in city.themes:
        if not covered(city, theme, knobs.window_days):
            found.append(({"theme": theme, "status": "abstained", "reason": NOT_COVERED}, []))
            continue
        held = cell_counts(con, city, theme, knobs.window_days, cells)
        found.append(assess(theme, held, knobs.minimum_count, seed))
    rows, points = [row for row, _ in found], [point for _, some in found for point in some]
    return pa.Table.from_pylist(rows, schema=SCHEMA), pa.Table.from_pylist(points, schema=CURVE)
