"""Cells that hold several times their due, each by its own count; Gi* around them as context.

The ground is that where facts happen: a cell within `radius_m` of one that ever held a fact, of any
theme. Empty ground (an airport's, a massif's) would lower the mean that each cell is held against.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from scipy import sparse, spatial
from scipy.stats import false_discovery_control

from helpers.core.base import store
from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.city.coverage import NOT_COVERED
from helpers.core.city.names import OUTSIDE
from helpers.core.place_time.calendar import last_window, window
from helpers.core.place_time.counts import counts
from helpers.core.place_time.places import Places
from helpers.core.place_time.points import Facts
from helpers.core.place_time.territory import CELL, Zones, cell_names, cell_size, corners
from helpers.core.stats.hot_cells import OtherYears, chance, crowded, gi_star, neighbours, tail
from helpers.core.stats.intervals import DIGITS
from helpers.hotspots.knobs import Knobs

Floats = NDArray[np.float64]
# Within which facts may be of one address, as a phone in the street records it: most, nearly all.
SPOT_M, AROUND_M = 20.0, 40.0
MOST_OF = 0.5  # of a cell's facts, held by the point to which it is told to be due
# Reasons to abstain, with `NOT_COVERED`.
NO_CELL, NO_OUTLINE, TOO_FEW = "no_cell", "no_outline", "too_few"
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("cell", pa.string()), ("n", pa.int64()), ("z", pa.float64()),
        ("q", pa.float64()), ("hot", pa.bool_()), ("stability", pa.float64()),
        ("hot_coarse", pa.bool_()), ("hot_for_size", pa.bool_()), ("one_place", pa.bool_()),
        ("hot_area", pa.bool_()), ("hot_before", pa.bool_()), ("status", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip


def study_cells(con: duckdb.DuckDBPyConnection, city: City, radius_m: float) -> list[str]:
    """Return the cells of the main division where facts happen; none if it is not drawn.

    Views `cube`, `zones`. Cells without a fact count, where there are some around.
    """
    return lived_ground(con, city, radius_m)[0]


def lived_ground(
    con: duckdb.DuckDBPyConnection, city: City, radius_m: float
) -> tuple[list[str], list[str]]:
    """Return the cells of `study_cells`, in order of name, and the code of the zone of each.

    Of the ground of the main division, the cells at most `radius_m` from one that held a fact, of
    any theme, at any time of the cube. None where no fact is in a cell. Views `cube`, `zones`.
    """
    size = cell_size(con)
    if size is None:
        return [], []
    cells, zones = study_ground(con, city, size)
    lived = near_facts(cells, [cell for cell, n in counts(con, ["cell"]) if n > 0], radius_m)
    kept = np.flatnonzero(lived)
    return [cells[i] for i in kept], [zones[i] for i in kept]


def no_ground(con: duckdb.DuckDBPyConnection) -> str:
    """Return why there is no ground to study: NO_CELL or NO_OUTLINE. View `cube`."""
    return NO_CELL if cell_size(con) is None else NO_OUTLINE


def near_facts(cells: list[str], busy: list[str], radius_m: float) -> NDArray[np.bool_]:
    """Return which of the cells (n,) are at most `radius_m` from one of the `busy` ones."""
    if not cells or not busy:
        return np.zeros(len(cells), dtype=bool)
    away, _ = spatial.KDTree(corners(busy).astype(float)).query(corners(cells).astype(float))
    return np.asarray(away <= radius_m)


def study_ground(
    con: duckdb.DuckDBPyConnection, city: City, cell_size_m: int
) -> tuple[list[str], list[str]]:
    """Return the cells whose centre lies in the main division, by name, and the zone of each.

    None where the division is not drawn. View `zones`.
    """
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
    points: Mapping[str, Facts] | None = None,
) -> pa.Table:
    """Return the rows of SCHEMA, one a study cell. Views `cube`, `zones`.

    `hot` is true where the cell's own facts are more than `times` the mean of the study cells, as
    far as the false discovery rate allows (`q`, adjusted from `crowded`): of the cells said, a
    share `false_discovery_rate` at most has a true rate below. Of the hot cells, `stability` is
    the chance of being hot again in another such year (`OtherYears`, `draws` of them);
    `hot_coarse`, whether the square of twice the side is hot; `one_place`, whether it no longer
    would be if its busiest point, which holds most of its facts, counted for one (None without the
    theme's `points`).
    `hot_for_size`: hot for the people of `places` (None where nobody counted them). As context, `z`
    is Gi*, and `hot_area` says where facts gather around the cell more than chance has it;
    `hot_before`, whether the cell was hot in as many days before (None where the period is short).
    A theme with fewer placed facts than `minimum_count` abstains and leaves one row, its reason:
    TOO_FEW, NOT_COVERED where the contract does not cover all of the days and places, NO_CELL where
    no fact has a precise point, or NO_OUTLINE where the main division is not drawn.
    """
    cells, zones = lived_ground(con, city, knobs.radius_m) if city.themes else ([], [])
    if not cells:
        row = {"n": 0, "status": "abstained", "reason": no_ground(con)}
        return pa.Table.from_pylist([{"theme": name, **row} for name in city.themes], schema=SCHEMA)
    weights = neighbours(corners(cells).astype(float), knobs.radius_m)
    coarse, sizes = Coarse.over(cells), cell_sizes(zones, places)
    last = window(city.about.period.end, knobs.window_days)[0] - dt.timedelta(days=1)
    before, _ = window(last, knobs.window_days)
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
            judged = _tried(judged, held, coarse, knobs, rng)
            judged = _for_size(judged, held, sizes, knobs)
            if points is not None:
                busiest = busiest_points(points[theme], cells, city)
                judged = with_one_place(judged, held, busiest, knobs)
            if before >= city.about.period.start:
                held = cell_counts(con, city, theme, knobs.window_days, cells, last)
                judged = _with(judged, "hot_before", pa.array(hot(held, knobs)))
        parts.append(judged)
    return pa.concat_tables(parts)


@dataclass(frozen=True)
class Coarse:
    """The same ground in squares of twice the side: where each cell is, how many cells each has."""

    of_cell: NDArray[np.int64]
    size: Floats

    @staticmethod
    def over(cells: list[str]) -> Coarse:
        """Return the coarse squares of the named cells."""
        side = 2 * int(CELL.match(cells[0])["size"])  # type: ignore[index]  # a cell's name
        _, of_cell, size = np.unique(
            corners(cells) // side, axis=0, return_inverse=True, return_counts=True
        )
        return Coarse(of_cell.ravel(), size.astype(float))

    def hot(self, counts: Floats, knobs: Knobs) -> NDArray[np.bool_]:
        """Return, for each cell (n,), whether its square is hot."""
        sums = np.bincount(self.of_cell, weights=counts, minlength=len(self.size)).astype(float)
        return hot(sums, knobs, self.size)[self.of_cell]


def hot(held: Floats, knobs: Knobs, size: Floats | None = None) -> NDArray[np.bool_]:
    """Return which cells (n,) hold more than `times` their due, at the false discovery rate."""
    p = crowded(held, knobs.times, size)
    return np.asarray(false_discovery_control(p) <= knobs.false_discovery_rate)


def busiest_points(facts: Facts, cells: list[str], city: City) -> Floats:
    """Return how many of the facts the busiest point of each of the cells holds, (n, 2).

    Within `SPOT_M` of it, and within `AROUND_M`: an address is not always recorded at one spot.
    """
    if not len(facts):
        return np.zeros((len(cells), 2))
    side = int(CELL.match(cells[0])["size"])  # type: ignore[index]  # a cell's name
    at = np.column_stack([facts.x, facts.y])
    spots, tree = np.unique(at, axis=0), spatial.cKDTree(at)
    near, around = (
        np.asarray(tree.query_ball_point(spots, reach, return_length=True)).tolist()
        for reach in (SPOT_M, AROUND_M)
    )
    names = cell_names(spots[:, 0], spots[:, 1], city.about.crs, side).to_pylist()
    most: dict[str, tuple[int, int]] = {}
    for name, *here in zip(names, near, around, strict=True):
        most[name] = max((here[0], here[1]), most.get(name, (0, 0)))
    return np.array([most.get(cell, (0, 0)) for cell in cells], dtype=np.float64)


def covered(city: City, theme: str, window_days: int) -> bool:
    """Tell whether the contract covers the theme, everywhere, on each of the last days."""
    first, after = last_window(city, window_days)
    gone = coverage.of_theme(city, theme, city.about.main_division).city
    return not any(first <= day < after for day in gone)


def cell_counts(
    con: duckdb.DuckDBPyConnection,
    city: City,
    theme: str,
    window_days: int,
    cells: list[str],
    end: dt.date | None = None,
) -> Floats:
    """Return how many facts of the days up to `end` each of the cells holds (n,). View `cube`.

    Without `end`, up to the end of the city's period.
    """
    span = window(end or city.about.period.end, window_days)
    found = dict(counts(con, ["cell"], theme=theme, span=span))
    return np.array([float(found.get(cell, 0)) for cell in cells])


def _tried(
    judged: pa.Table, held: Floats, coarse: Coarse, knobs: Knobs, rng: np.random.Generator
) -> pa.Table:
    """Return the table with `stability` and `hot_coarse` of its hot cells."""
    mine = judged["hot"].to_numpy(zero_copy_only=False)
    again = np.zeros(len(held))
    if mine.any() and knobs.draws:
        years = OtherYears(held)
        for _ in range(knobs.draws):
            again += hot(years.draw(rng), knobs)
    told = mine & (knobs.draws > 0)
    stability = pa.array(np.round(again / max(knobs.draws, 1), DIGITS), mask=~told)
    both = pa.array(coarse.hot(held, knobs), mask=~mine)
    return _with(_with(judged, "stability", stability), "hot_coarse", both)


def _for_size(judged: pa.Table, held: Floats, sizes: Floats | None, knobs: Knobs) -> pa.Table:
    """Return the table with `hot_for_size`, of the cells whose size is known."""
    if sizes is None:
        return judged
    known = np.flatnonzero(sizes > 0)
    found = np.zeros(len(held), dtype=bool)
    found[known] = hot(held[known], knobs, sizes[known])
    return _with(judged, "hot_for_size", pa.array(found, mask=~(sizes > 0)))


def with_one_place(judged: pa.Table, held: Floats, busiest: Floats, knobs: Knobs) -> pa.Table:
    """Return the table with `one_place` of its hot cells.

    A cell that is barely hot would be no more without a single fact: the point must also hold
    `MOST_OF` the cell's.
    """
    mine = judged["hot"].to_numpy(zero_copy_only=False)
    # With as many others hot, the probability up to which Benjamini-Hochberg says one is.
    limit = knobs.false_discovery_rate * mine.sum() / len(mine)
    extra = np.clip(busiest[:, 1] - 1, 0, held)
    without = tail(held - extra, held.sum() - extra, np.full(len(held), knobs.times / len(held)))
    found = (without > limit) & (busiest[:, 0] >= MOST_OF * held)
    return _with(judged, "one_place", pa.array(found, mask=~mine))


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), SCHEMA.field(name), column)


def judge(
    theme: str, cells: list[str], held: Floats, weights: sparse.csr_array, knobs: Knobs
) -> pa.Table:
    """Return the rows of SCHEMA of one theme: which cells are hot, or one row with the reason.

    What asks for more than counts (`stability` and the three after it) is None.

    `held` is the facts of each of the `cells` (n,), `weights` their neighbourhoods (n, n).
    """
    total = int(held.sum())
    if total < knobs.minimum_count:
        row = {"theme": theme, "n": total, "status": "abstained", "reason": TOO_FEW}
        return pa.Table.from_pylist([row], schema=SCHEMA)
    scores = np.round(gi_star(held, weights), DIGITS)
    adjusted = false_discovery_control(crowded(held, knobs.times))
    around = false_discovery_control(chance(held, weights))
    columns = {
        "theme": [theme] * len(cells),
        "cell": cells,
        "n": held.astype(int),
        "z": scores,
        "q": np.round(adjusted, DIGITS),
        "hot": adjusted <= knobs.false_discovery_rate,
        "stability": [None] * len(cells),
        "hot_coarse": [None] * len(cells),
        "hot_for_size": [None] * len(cells),
        "one_place": [None] * len(cells),
        "hot_area": around <= knobs.false_discovery_rate,
        "hot_before": [None] * len(cells),
        "status": ["ok"] * len(cells),
        "reason": [""] * len(cells),
    }
    return pa.table(columns, schema=SCHEMA)


def by_theme(con: duckdb.DuckDBPyConnection, table: pa.Table) -> dict[str, dict[str, Any]]:
    """Return theme → what its cells (rows of SCHEMA) come to.

    `cells`, and of them `hot`, `both_sizes`, `for_size` (of the `sized` ones), `one_place` (None
    where points are not known), `in_area`; `n` facts, `inside` of them in hot cells; `again`, how
    many of the hot cells another such year would have (None where nothing was drawn); `before`,
    the cells hot the window before (None where it is not known), `kept`, those that still are;
    `status`, `reason`.
    """
    con.register("cells_found", table)
    rows = store.records(
        con,
        "SELECT theme, max(status) AS status, max(reason) AS reason, sum(n) AS n, "
        "count(*) AS cells, count(*) FILTER (hot) AS hot, sum(stability) AS again, "
        "count(*) FILTER (hot AND hot_area) AS in_area, "
        "CASE WHEN count(hot_before) > 0 THEN count(*) FILTER (hot_before) END AS before, "
        "count(*) FILTER (hot AND hot_before) AS kept, "
        "CASE WHEN count(one_place) > 0 THEN count(*) FILTER (one_place) END AS one_place, "
        "count(*) FILTER (hot AND hot_coarse) AS both_sizes, "
        "count(hot_for_size) AS sized, count(*) FILTER (hot AND hot_for_size) AS for_size, "
        "coalesce(sum(n) FILTER (hot), 0) AS inside FROM cells_found GROUP BY theme ORDER BY theme",
    )
    con.unregister("cells_found")
    return {row["theme"]: row for row in rows}
