"""Where facts gather more than chance explains: local statistic Gi* on the grid of cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import altair as alt
import duckdb
import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from scipy import sparse

from helpers.core.base import store
from helpers.core.base.french import number, percent, plural
from helpers.core.city.city import City
from helpers.core.place_time.calendar import window
from helpers.core.place_time.places import Places
from helpers.core.place_time.territory import CELL, Zones, cell_names, cell_size, corners
from helpers.core.stage import figure, palette
from helpers.core.stage.maps import base_map, cell_features, zone_features
from helpers.core.stats.hot_cells import chance, false_discovery, gi_star, neighbours
from helpers.core.stats.intervals import DIGITS

Floats = NDArray[np.float64]
SCHEMA = pa.schema(
    [
        ("theme", pa.string()), ("cell", pa.string()), ("n", pa.int64()), ("z", pa.float64()),
        ("q", pa.float64()), ("hot", pa.bool_()), ("stability", pa.float64()),
        ("hot_coarse", pa.bool_()), ("hot_for_size", pa.bool_()), ("status", pa.string()),
        ("reason", pa.string()),
    ]
)  # fmt: skip
UNSIZED = (
    "\nPas de couche de population : les mailles ne sont pas rapportées aux personnes présentes."
)


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
    inside = found != "outside"
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
    window_days: int,
    radius_m: float,
    false_discovery_rate: float,
    minimum_count: int,
    *,
    draws: int = 0,
    seed: int = 0,
    places: Places | None = None,
) -> pa.Table:
    """Return the rows of SCHEMA, one a study cell. Views `cube`, `zones`.

    `z` is Gi*; `hot` is true where so many facts gather around the cell that the false discovery
    rate allows it (`q`, adjusted from `chance`). `stability`, for hot cells, is the share of
    `draws` other years as likely as this one (Poisson) in which it would be hot again; `hot_coarse`
    whether its square of twice the side is hot, judged with cells twice as large; `hot_for_size`
    whether so many facts gather even for the people of `places` (None where nobody counted them).
    A theme with fewer placed facts than `minimum_count` abstains and leaves one row, its reason.
    """
    cells, zones = study_ground(con, city, cell_size(con)) if city.themes else ([], [])
    if not cells:
        reason = "le découpage principal n'a pas de contours : aucune maille à comparer"
        rows = [
            {"theme": theme, "n": 0, "status": "abstained", "reason": reason}
            for theme in city.themes
        ]
        return pa.Table.from_pylist(rows, schema=SCHEMA)
    weights = neighbours(corners(cells).astype(float), radius_m)
    coarse, sizes = Coarse.over(cells, radius_m), cell_sizes(zones, places)
    parts = []
    for theme in city.themes:
        counts = cell_counts(con, city, theme, window_days, cells)
        judged = _judge(theme, cells, counts, weights, false_discovery_rate, minimum_count)
        if judged["hot"].null_count == 0:
            rng = np.random.default_rng([seed, *theme.encode()])
            judged = _tried(judged, counts, weights, coarse, false_discovery_rate, draws, rng)
            judged = _for_size(judged, counts, weights, sizes, false_discovery_rate)
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
        return np.asarray(false_discovery(chance(sums, self.weights)) <= rate)[self.of_cell]


def cell_counts(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, window_days: int, cells: list[str]
) -> Floats:
    """Return how many facts of the last days each of the cells holds (n,). View `cube`."""
    first, after = window(city.about.period.end, window_days)
    rows = con.execute(
        "SELECT cell, sum(n) FROM cube WHERE theme = ? AND cell IS NOT NULL "
        "AND time_precision != 'year' AND hour >= ? AND hour < ? GROUP BY cell",
        [theme, first, after],
    ).fetchall()
    found = dict(rows)
    return np.array([float(found.get(cell, 0)) for cell in cells])


def _tried(
    judged: pa.Table,
    counts: Floats,
    weights: sparse.csr_array,
    coarse: Coarse,
    rate: float,
    draws: int,
    rng: np.random.Generator,
) -> pa.Table:
    """Return the table with `stability` and `hot_coarse` of its hot cells."""
    hot = judged["hot"].to_numpy(zero_copy_only=False)
    again = np.zeros(len(counts))
    if hot.any():
        for _ in range(draws):
            drawn = rng.poisson(counts).astype(float)
            again += false_discovery(chance(drawn, weights)) <= rate
    told = hot & (draws > 0)
    stability = pa.array(np.round(again / max(draws, 1), DIGITS), mask=~told)
    both = pa.array(coarse.hot(counts, rate), mask=~hot)
    return _with(_with(judged, "stability", stability), "hot_coarse", both)


def _for_size(
    judged: pa.Table, counts: Floats, weights: sparse.csr_array, sizes: Floats | None, rate: float
) -> pa.Table:
    """Return the table with `hot_for_size`, of the cells whose size is known."""
    if sizes is None:
        return judged
    known = np.flatnonzero(sizes > 0)
    hot = np.zeros(len(counts), dtype=bool)
    among = weights[known][:, known]
    hot[known] = false_discovery(chance(counts[known], among, sizes[known])) <= rate
    return _with(judged, "hot_for_size", pa.array(hot, mask=~(sizes > 0)))


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), SCHEMA.field(name), column)


def _judge(
    theme: str,
    cells: list[str],
    counts: Floats,
    weights: sparse.csr_array,
    rate: float,
    minimum_count: int,
) -> pa.Table:
    total = int(counts.sum())
    if total < minimum_count:
        reason = f"moins de {minimum_count} faits localisés dans la période"
        row = {"theme": theme, "n": total, "status": "abstained", "reason": reason}
        return pa.Table.from_pylist([row], schema=SCHEMA)
    scores = np.round(gi_star(counts, weights), DIGITS)
    adjusted = np.round(false_discovery(chance(counts, weights)), DIGITS)
    columns = {
        "theme": [theme] * len(cells),
        "cell": cells,
        "n": counts.astype(int),
        "z": scores,
        "q": adjusted,
        "hot": adjusted <= rate,
        "stability": [None] * len(cells),
        "hot_coarse": [None] * len(cells),
        "hot_for_size": [None] * len(cells),
        "status": ["ok"] * len(cells),
        "reason": [""] * len(cells),
    }
    return pa.table(columns, schema=SCHEMA)


def draw(con: duckdb.DuckDBPyConnection, table: pa.Table, city: City, columns: int = 3) -> Any:
    """Return a map a theme: zones in grey, cells that stand out in orange. View `zones`."""
    ground = zone_features(con, city.about.main_division)
    rows = table.to_pylist()
    maps = []
    for theme in city.themes:
        mine = [r for r in rows if r["theme"] == theme and r["status"] == "ok"]
        if not mine:
            continue
        hot = [{k: r[k] for k in ("cell", "n", "z")} for r in mine if r["hot"]]
        squares = (
            alt.Chart(figure.data(cell_features(hot, city.about.crs)))
            .mark_geoshape(fill=palette.ORANGE, stroke=None)
            .project(type="mercator")
        )
        title = f"{city.themes[theme].title} ({len(hot)})"
        layers = alt.layer(base_map(ground), squares) if hot else alt.layer(base_map(ground))
        maps.append(layers.properties(width=240, height=220, title=alt.TitleParams(
            title, fontSize=12, fontWeight="normal", offset=2)))  # fmt: skip
    if not maps:
        return base_map(ground).properties(width=240, height=220, title="aucun thème à montrer")
    return alt.concat(*maps, columns=columns, spacing=8)


def in_words(con: duckdb.DuckDBPyConnection, table: pa.Table, city: City) -> str:
    """Return the answer as Markdown: how concentrated each theme is, and where not to conclude."""
    con.register("found", table)
    rows = store.records(
        con,
        "SELECT theme, max(status) AS status, max(reason) AS reason, sum(n) AS n, "
        "count(*) AS cells, count(*) FILTER (hot) AS hot, avg(stability) AS stability, "
        "count(*) FILTER (hot AND stability >= 0.5) AS stable, "
        "count(*) FILTER (hot AND hot_coarse) AS both_sizes, "
        "count(hot_for_size) AS sized, count(*) FILTER (hot AND hot_for_size) AS for_size, "
        "coalesce(sum(n) FILTER (hot), 0) AS inside FROM found GROUP BY theme ORDER BY theme",
    )
    by_theme = {row["theme"]: row for row in rows}
    lines = []
    for name, theme in city.themes.items():
        row = by_theme[name]
        if row["status"] != "ok":
            lines.append(f"- **{theme.title}** : abstention ({row['reason']}).")
        elif not row["hot"]:
            lines.append(f"- **{theme.title}** : aucune maille ne se distingue du hasard.")
        else:
            area, facts = row["hot"] / row["cells"], row["inside"] / row["n"]
            lines.append(
                f"- **{theme.title}** : {plural(row['hot'], 'maille')} à part, soit "
                f"{percent(area, 1)} du territoire et {percent(facts)} des "
                f"{number(row['n'])} faits localisés ; {number(row['both_sizes'])} aussi en "
                "mailles deux fois plus larges"
                + (f", {number(row['stable'])} stables" if row["stability"] is not None else "")
                + (
                    f", {number(row['for_size'])} encore une fois comptées les personnes présentes."
                    if row["sized"]
                    else "."
                )
            )
    if not any(row["sized"] for row in rows):
        lines.append(UNSIZED)
    return "\n".join(lines)
