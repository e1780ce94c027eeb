"""Where facts gather more than chance explains: local statistic Gi* on the grid of cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import false_discovery_control

from helpers.core.base import store
from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.city.coverage import NOT_COVERED
from helpers.core.city.names import OUTSIDE
from helpers.core.place_time.calendar import window
from helpers.core.place_time.counts import counts
from helpers.core.place_time.places import Places
from helpers.core.place_time.territory import CELL, Zones, cell_names, cell_size, corners
from helpers.core.stats.hot_cells import chance, gi_star, neighbours
from helpers.core.stats.intervals import DIGITS
from helpers.hotspots.knobs import Knobs

Floats = NDArray[np.float64]
NO_OUTLINE, TOO_FEW = "no_outline", "too_few"  # reasons to abstain, with `NOT_COVERED`
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("cell", pa.string()), ("n", pa.int64()), ("z", pa.float64()),
        ("q", pa.float64()), ("hot", pa.bool_()), ("stability", pa.float64()),
        ("hot_coarse", pa.bool_()), ("hot_for_size", pa.bool_()), ("status", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip


def study_cells(con: duckdb.DuckDBPyConnection, city: City, cell_size_m: int) -> list[str]:
    """Return the cells whose centre lies in the main division; none if it is not drawn.

    View `zones`. Cells without facts count: leaving them out would make every place look crowded.
    """
    return study_ground(con, city, cell_size_m)[0]


def study_ground(
    con: duckdb.DuckDBPyConnection, city: City, cell_size_m: int
) -> tuple[list[str], list[str]]:
    """Return the study cells, in order of name, and the code of the zone of each. View `zones`."""
    division = city.about.main_division
    rows = con.execute(
        "SELECT code, name, geometry FROM zones WHERE division = ? AND geometry IS NOT NULL "
        "ORDER BY code",
        [division],
    ).fetchall()
    if not rows:
        return [], []
    codes, names, shapes = (list(column) for column in zip(*rows, strict=True))
    zones = Zones.read(codes, names, shapes, city.about.crs)
    west, south, east, north = shapely.total_bounds(zones.shapes)
    half = cell_size_m / 2
    xs = np.arange(np.floor(west / cell_size_m), np.ceil(east / cell_size_m)) * cell_size_m + half
    ys = np.arange(np.floor(south / cell_size_m), np.ceil(north / cell_size_m)) * cell_size_m + half
    grid_x, grid_y = (axis.ravel() for axis in np.meshgrid(xs, ys))
    found = zones.at(grid_x, grid_y)
    inside = found != OUTSIDE
    cells = cell_names(grid_x[inside], grid_y[inside], city.about.crs, cell_size_m).to_pylist()
    pairs = sorted(zip(cells, found[inside].tolist(), strict=True))
    return [cell for cell, _ in pairs], [code for _, code in pairs]


def cell_sizes(zones: list[str], places: Places | None) -> Floats | None:
    """Return what each cell's facts are brought to (n,): its zone's exposure, spread evenly.

    `zones` is the code of each cell's zone; NaN where its exposure is not known. None if the
    city has no exposure at all.
    """
    if places is None or not places.codes:
        return None
    each = dict(zip(places.codes, places.exposure.tolist(), strict=True))
    held = Counter(zones)
    return np.array([each.get(code, np.nan) / held[code] for code in zones])


def find(
    con: duckdb.DuckDBPyConnection,
    city: City,
    knobs: Knobs,
    seed: int,
    places: Places | None = None,
) -> pa.Table:
    """Return the rows of SCHEMA, one a study cell. Views `cube`, `zones`.

    `z` is Gi*; `hot` is true where so many facts gather around the cell that the false discovery
    rate allows it (`q`, adjusted from `chance`). `stability`, for hot cells, is the share of
    `draws` other years as likely as this one (Poisson) in which it would be hot again; `hot_coarse`
    whether its square of twice the side is hot, judged with cells twice as large; `hot_for_size`
    whether so many facts gather even for the people of `places` (None where nobody counted them).
    A theme with fewer placed facts than `minimum_count` abstains and leaves one row, its reason:
    TOO_FEW, NOT_COVERED where the contract does not cover all of the days and places, or NO_OUTLINE
    where the main division is not drawn.
    """
    cells, zones = study_ground(con, city, cell_size(con)) if city.themes else ([], [])
    if not cells:
        row = {"n": 0, "status": "abstained", "reason": NO_OUTLINE}
        return pa.Table.from_pylist([{"theme": name, **row} for name in city.themes], schema=SCHEMA)
    weights = neighbours(corners(cells).astype(float), knobs.radius_m)
    coarse, sizes = Coarse.over(cells, knobs.radius_m), cell_sizes(zones, places)
    parts = []
    for theme in city.themes:
        if not covered(city, theme, knobs.window_days):
            row = {"theme": theme, "status": "abstained", "reason": NOT_COVERED}
            parts.append(pa.Table.from_pylist([row], schema=SCHEMA))
            continue
        held = cell_counts(con, city, theme, knobs.window_days, cells)
        judged = judge(theme, cells, held, weights, knobs)
        if judged["hot"].null_count == 0:
            rng = np.random.default_rng([seed, *theme.encode()])
            judged = _tried(judged, held, weights, coarse, knobs, rng)
            judged = _for_size(judged, held, weights, sizes, knobs.false_discovery_rate)
        parts.append(judged)
    return pa.concat_tables(parts)


@dataclass(frozen=True)
class Coarse:
    """The same ground in squares of twice the side: where each cell is, and their weights."""

    of_cell: NDArray[np.int64]
    weights: sparse.csr_array

    @staticmethod
    def over(cells: list[str], radius_m: float) -> Coarse:
        """Return the coarse squares of the named cells, neighbours up to twice as far."""
        corner = corners(cells)
        size = 2 * int(CELL.match(cells[0])["size"])  # type: ignore[index]  # a cell's name
        squares, of_cell = np.unique(corner // size, axis=0, return_inverse=True)
        return Coarse(of_cell.ravel(), neighbours((squares * size).astype(float), 2 * radius_m))

    def hot(self, counts: Floats, rate: float) -> NDArray[np.bool_]:
        """Return, for each cell (n,), whether its square is hot."""
        squares = self.weights.shape[0]
        sums = np.bincount(self.of_cell, weights=counts, minlength=squares).astype(float)
        return _hot(sums, self.weights, rate)[self.of_cell]


def covered(city: City, theme: str, window_days: int) -> bool:
    """Tell whether the contract covers the theme, everywhere, on each of the last days."""
    first, after = window(city.about.period.end, window_days)
    gone = coverage.of_theme(city, theme, city.about.main_division).city
    return not any(first <= day < after for day in gone)


def cell_counts(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, window_days: int, cells: list[str]
) -> Floats:
    """Return how many facts of the last days each of the cells holds (n,). View `cube`."""
    span = window(city.about.period.end, window_days)
    found = dict(counts(con, ["cell"], theme=theme, span=span))
    return np.array([float(found.get(cell, 0)) for cell in cells])


def _tried(
    judged: pa.Table,
    held: Floats,
    weights: sparse.csr_array,
    coarse: Coarse,
    knobs: Knobs,
    rng: np.random.Generator,
) -> pa.Table:
    """Return the table with `stability` and `hot_coarse` of its hot cells."""
    hot = judged["hot"].to_numpy(zero_copy_only=False)
    again = np.zeros(len(held))
    if hot.any():
        for _ in range(knobs.draws):
            drawn = rng.poisson(held).astype(float)
            again += _hot(drawn, weights, knobs.false_discovery_rate)
    told = hot & (knobs.draws > 0)
    stability = pa.array(np.round(again / max(knobs.draws, 1), DIGITS), mask=~told)
    both = pa.array(coarse.hot(held, knobs.false_discovery_rate), mask=~hot)
    return _with(_with(judged, "stability", stability), "hot_coarse", both)


def _hot(
    held: Floats, weights: sparse.csr_array, rate: float, sizes: Floats | None = None
) -> NDArray[np.bool_]:
    """Return which cells (n,) are hot: of those said to be, a share `rate` at most is not."""
    return np.asarray(false_discovery_control(chance(held, weights, sizes)) <= rate)


def _for_size(
    judged: pa.Table, held: Floats, weights: sparse.csr_array, sizes: Floats | None, rate: float
) -> pa.Table:
    """Return the table with `hot_for_size`, of the cells whose size is known."""
    if sizes is None:
        return judged
    known = np.flatnonzero(sizes > 0)
    hot = np.zeros(len(held), dtype=bool)
    hot[known] = _hot(held[known], weights[known][:, known], rate, sizes[known])
    return _with(judged, "hot_for_size", pa.array(hot, mask=~(sizes > 0)))


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), SCHEMA.field(name), column)


def judge(
    theme: str, cells: list[str], held: Floats, weights: sparse.csr_array, knobs: Knobs
) -> pa.Table:
    """Return the rows of SCHEMA of one theme: which cells are hot, or one row with the reason.

    `held` is the facts of each of the `cells` (n,), `weights` their neighbourhoods (n, n).
    """
    total = int(held.sum())
    if total < knobs.minimum_count:
        row = {"theme": theme, "n": total, "status": "abstained", "reason": TOO_FEW}
        return pa.Table.from_pylist([row], schema=SCHEMA)
    scores = np.round(gi_star(held, weights), DIGITS)
    adjusted = np.round(false_discovery_control(chance(held, weights)), DIGITS)
    columns = {
        "theme": [theme] * len(cells),
        "cell": cells,
        "n": held.astype(int),
        "z": scores,
        "q": adjusted,
        "hot": adjusted <= knobs.false_discovery_rate,
        "stability": [None] * len(cells),
        "hot_coarse": [None] * len(cells),
        "hot_for_size": [None] * len(cells),
        "status": ["ok"] * len(cells),
        "reason": [""] * len(cells),
    }
    return pa.table(columns, schema=SCHEMA)


def by_theme(con: duckdb.DuckDBPyConnection, table: pa.Table) -> dict[str, dict[str, Any]]:
    """Return theme → what its cells (rows of SCHEMA) come to.

    `cells`, and of them `hot`, `stable` (hot in half of the draws or more), `both_sizes`,
    `for_size` (of the `sized` ones); `n` facts, `inside` of them in hot cells; the mean
    `stability` (None where nothing was drawn), `status` and `reason`.
    """
    con.register("cells_found", table)
    rows = store.records(
        con,
        "SELECT theme, max(status) AS status, max(reason) AS reason, sum(n) AS n, "
        "count(*) AS cells, count(*) FILTER (hot) AS hot, avg(stability) AS stability, "
        "count(*) FILTER (hot AND stability >= 0.5) AS stable, "
        "count(*) FILTER (hot AND hot_coarse) AS both_sizes, "
        "count(hot_for_size) AS sized, count(*) FILTER (hot AND hot_for_size) AS for_size, "
        "coalesce(sum(n) FILTER (hot), 0) AS inside FROM cells_found GROUP BY theme ORDER BY theme",
    )
    con.unregister("cells_found")
    return {row["theme"]: row for row in rows}
