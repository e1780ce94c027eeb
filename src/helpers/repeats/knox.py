"""Do facts come back near, soon after? Knox's table, held against dates dealt out at random.

Knox, E. G. (1964), The detection of space-time interactions, Applied Statistics 13: pairs of facts
are counted by distance and by days apart. Bands are half-open, [from, to): a pair is in one and
one only. If place and date had no link, any date of a zone's season could go with any place of that
zone: shuffling the dates there (Besag & Diggle 1977) says what chance brings, and how widely. Dates
that go anywhere take for repeats the seasons of each zone (a beach in July, a burst somewhere).

Places are used in memory alone: what is written is of cells and of bands, never of points.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import spatial, special
from scipy.stats import false_discovery_control

from helpers.core.city.city import City
from helpers.core.place_time.points import Facts, by_theme
from helpers.core.place_time.territory import cell_names
from helpers.core.stats.intervals import DIGITS
from helpers.repeats.knobs import Knobs

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
EUCLIDEAN, MANHATTAN = 2, 1
AGAIN = 5
POWER = 0.8  # of the ratio that is told as detectable
TOO_FEW = "too_few"  # reason to abstain
MAY_DOUBLE = "may_double"  # two sources may tell the same fact: it would come back at once
TABLE = pa.schema(
    [
        ("theme", pa.string()), ("from_m", pa.int64()), ("to_m", pa.int64()),
        ("from_days", pa.int64()), ("to_days", pa.int64()), ("pairs", pa.int64()),
        ("expected", pa.float64()), ("ratio", pa.float64()), ("low", pa.float64()),
        ("high", pa.float64()), ("p", pa.float64()), ("q", pa.float64()), ("proven", pa.bool_()),
        ("detectable", pa.float64()), ("facts", pa.int64()), ("drawn", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip
RISK = pa.schema(
    [
        ("theme", pa.string()), ("cell", pa.string()), ("ratio", pa.float64()),
        ("until", pa.date32()), ("days_left", pa.int64()), ("facts", pa.int64()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Pairs:
    """Pairs of facts nearer than the last edge: who, and in which band of distance."""

    first: Ints
    second: Ints
    band: Ints
    bands: int


def near_pairs(facts: Facts, edges: Sequence[float], metric: int = EUCLIDEAN) -> Pairs:
    """Return the pairs nearer than the last edge; band k holds [edge k−1, edge k).

    `metric` is Minkowski's power: 2, as the crow flies; 1, along the axes (Manhattan).
    """
    points = np.column_stack([facts.x, facts.y])
    # The tree takes both bounds in: a shade more is asked for, and cut by the exact distance.
    tree = spatial.KDTree(points)
    pairs = tree.query_pairs(float(edges[-1]) * (1 + 1e-9), p=metric, output_type="ndarray")
    first, second = pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64)
    gap = np.abs(points[first] - points[second])
    away = gap.sum(axis=1) if metric == MANHATTAN else np.hypot(gap[:, 0], gap[:, 1])
    band = np.searchsorted(np.asarray(edges, dtype=float), away, side="right")
    near = band < len(edges)
    return Pairs(first[near], second[near], band[near], len(edges))


def table(pairs: Pairs, day: Ints, day_edges: Sequence[int]) -> Ints:
    """Return the pairs by band of distance and of days (bands + 1, day edges + 1).

    The last row is of the pairs beyond the last distance, the last column of those later than the
    last day: nothing is left out.
    """
    columns = len(day_edges) + 1
    apart = np.abs(day[pairs.first] - day[pairs.second])
    of_gap = np.searchsorted(np.asarray(day_edges), np.arange(apart.max(initial=0) + 1), "right")
    column = of_gap[apart]
    flat = np.bincount(pairs.band * columns + column, minlength=pairs.bands * columns)
    near = flat.reshape(pairs.bands, columns)
    return np.vstack([near, pairs_by_days(day, day_edges) - near.sum(axis=0)])


def pairs_by_days(day: Ints, day_edges: Sequence[int]) -> Ints:
    """Return how many pairs there are in each band of days (day edges + 1,), near or far."""
    counts = np.bincount(day - day.min()).astype(np.int64)
    last = min(int(day_edges[-1]), len(counts))
    lags = np.array(
        [(counts * (counts - 1)).sum() // 2]
        + [(counts[:-lag] * counts[lag:]).sum() for lag in range(1, last)],
        dtype=np.int64,
    )
    bands = np.searchsorted(np.asarray(day_edges), np.arange(len(lags)), side="right")
    found = np.bincount(bands, weights=lags, minlength=len(day_edges) + 1).astype(np.int64)
    found[-1] = len(day) * (len(day) - 1) // 2 - found[:-1].sum()
    return found


def strata(facts: Facts, season_days: int) -> Ints:
    """Return the number of the zone and season of each fact (n,): dates are dealt within it.

    Seasons are `season_days` long, from the first fact on.
    """
    season = (facts.day - facts.day.min()) // season_days
    return np.asarray(facts.zone * (int(season.max()) + 1) + season)


def shuffled(
    pairs: Pairs,
    day: Ints,
    within: Ints,
    day_edges: Sequence[int],
    permutations: int,
    rng: np.random.Generator,
) -> Ints:
    """Return the tables of as many shuffles of the dates (permutations, bands + 1, edges + 1).

    A date goes to any fact of the same stratum (`within`, (n,)) alike.
    """
    place = np.argsort(within, kind="stable")
    drawn = np.empty_like(day)
    found = []
    for _ in range(permutations):
        drawn[place] = day[np.lexsort((rng.random(len(day)), within))]
        found.append(table(pairs, drawn, day_edges))
    return np.stack(found)


@dataclass(frozen=True)
class Scores:
    """Bands beside chance: mean, spread (bands + 1, edges + 1), each shuffle's highest score."""

    mean: Floats
    spread: Floats
    highest: Floats

    @staticmethod
    def of(null: Ints) -> Scores:
        """Return those of the shuffles' tables; the last row and column are no near bands."""
        mean, spread = null.mean(axis=0), null.std(axis=0)
        draws = (null - mean) / np.where(spread > 0, spread, np.inf)
        return Scores(mean, spread, draws[:, :-1, :-1].max(axis=(1, 2)))

    def significance(self, observed: Ints) -> Floats:
        """Return the p-value of each band for more pairs than chance, judged together.

        Shape of `observed`. The largest standard score over all near bands of a shuffle is what
        each band's own is held against (Westfall & Young 1993, max-T).
        """
        scores = (observed - self.mean) / np.where(self.spread > 0, self.spread, np.inf)
        above = (self.highest[:, None, None] >= scores[None]).sum(axis=0)
        return np.asarray((above + 1) / (len(self.highest) + 1))

    def detectable(self, level: float) -> Floats:
        """Return the ratio that each band must truly have to be found four times in five.

        Over what a shuffle's highest score reaches with a chance of `level`, by as many spreads as
        a normal excess stays above so often. NaN where chance brings no pair.
        """
        beyond = np.quantile(self.highest, 1 - level) + special.ndtri(POWER)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(self.mean > 0, 1 + beyond * self.spread / self.mean, np.nan))


def thinned(facts: Facts, reach: float, maximum_pairs: int) -> Facts:
    """Return as many of the facts, from the start, as have at most `maximum_pairs` near pairs."""
    kept = len(facts)
    while kept > 1:
        points = np.column_stack([facts.x[:kept], facts.y[:kept]])
        tree = spatial.KDTree(points)
        pairs = (tree.count_neighbors(tree, reach) - kept) // 2
        if pairs <= maximum_pairs:
            break
        # Pairs go as the square of the facts; a little less, so as not to try twice.
        kept = min(kept - 1, int(kept * (maximum_pairs / pairs) ** 0.5 * 0.98))
    return Facts(facts.x[:kept], facts.y[:kept], facts.day[:kept], facts.zone[:kept])


def assess(
    theme: str, facts: Facts, knobs: Knobs, seed: int, themes: int = 1
) -> list[dict[str, Any]]:
    """Return the rows of TABLE of one theme; one row where there are too few (TOO_FEW).

    `detectable` is for a theme that alone repeats among `themes`, judged together with them.

    A theme that seems to repeat is shuffled `AGAIN` times as often, from the start: its p-value is
    then fine enough to be judged together with those of the other themes.
    """
    placed = len(facts)
    if placed < knobs.minimum_count:
        return [_abstained(theme, facts, TOO_FEW)]
    kept = thinned(facts, float(knobs.distance_edges_m[-1]), knobs.maximum_pairs)
    pairs = near_pairs(kept, knobs.distance_edges_m)
    observed, within = table(pairs, kept.day, knobs.day_edges), strata(kept, knobs.season_days)
    for times in (1, AGAIN):
        rng = np.random.default_rng([seed, *theme.encode()])
        draws = times * knobs.permutations
        null = shuffled(pairs, kept.day, within, knobs.day_edges, draws, rng)
        scores = Scores.of(null)
        p = scores.significance(observed)
        if p[:-1, :-1].min() > knobs.significance:
            break
    mean, seen = scores.mean, scores.detectable(knobs.significance / themes)
    low, high = np.quantile(null, [0.025, 0.975], axis=0)
    rows = []
    distances, days = [0, *knobs.distance_edges_m], [0, *knobs.day_edges]
    for i in range(len(distances)):
        for j in range(len(days)):
            near = i < len(distances) - 1 and j < len(days) - 1
            known = mean[i, j] > 0
            rows.append(
                {
                    "theme": theme,
                    "from_m": distances[i],
                    "to_m": distances[i + 1] if i + 1 < len(distances) else None,
                    "from_days": days[j],
                    "to_days": days[j + 1] if j + 1 < len(days) else None,
                    "pairs": int(observed[i, j]),
                    "expected": _rounded(mean[i, j]),
                    "ratio": _rounded(observed[i, j] / mean[i, j]) if known else None,
                    "low": _rounded(low[i, j] / mean[i, j]) if known else None,
                    "high": _rounded(high[i, j] / mean[i, j]) if known else None,
                    "p": _rounded(p[i, j]) if near else None,
                    "detectable": _rounded(seen[i, j]) if near and known else None,
                    "facts": placed,
                    "drawn": _rounded(len(kept) / placed),
                    "status": "ok",
                    "reason": "",
                }
            )
    return rows


def _abstained(theme: str, facts: Facts, reason: str) -> dict[str, Any]:
    return {"theme": theme, "facts": len(facts), "status": "abstained", "reason": reason}


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)


def find(
    con: duckdb.DuckDBPyConnection,
    city: City,
    files: Mapping[str, Path],
    knobs: Knobs,
    seed: int,
) -> tuple[pa.Table, pa.Table]:
    """Return Knox's table of each theme (TABLE) and the cells at risk today (RISK).

    `files` gives the accepted rows of each source. View `observations`.
    """
    facts = by_theme(con, city, files, knobs.window_days)
    judged = [
        row
        for theme, mine in facts.items()
        for row in (
            [_abstained(theme, mine, MAY_DOUBLE)] if city.themes[theme].may_double
            else assess(theme, mine, knobs, seed, len(facts))
        )
    ]  # fmt: skip
    rows = together(judged, knobs.significance)
    risks = [
        row
        for theme, mine in facts.items()
        for row in at_risk(
            theme, mine, [r for r in rows if r["theme"] == theme and r["proven"]], city
        )
    ]
    return (
        pa.Table.from_pylist(rows, schema=TABLE),
        pa.Table.from_pylist(risks, schema=RISK),
    )


def together(rows: list[dict[str, Any]], level: float) -> list[dict[str, Any]]:
    """Return the rows with `q`, their theme's adjusted p-value, and `proven`.

    A theme is as sure as its surest band; of the themes said to repeat, a share `level` at most
    does so by chance (Benjamini & Hochberg 1995). A band is proven in such a theme alone.
    """
    least: dict[str, float] = {}
    for row in rows:
        if row.get("p") is not None:
            least[row["theme"]] = min(row["p"], least.get(row["theme"], 1.0))
    q = dict(zip(least, false_discovery_control(list(least.values())), strict=True))
    return [
        {
            **row,
            "q": _rounded(q[row["theme"]]) if row["theme"] in q else None,
            "proven": row.get("p") is not None and max(row["p"], q[row["theme"]]) <= level,
        }
        for row in rows
    ]


def at_risk(
    theme: str, facts: Facts, proven: list[dict[str, Any]], city: City, size_m: int = 200
) -> list[dict[str, Any]]:
    """Return the rows of RISK: cells that a recent fact puts in a band proven to repeat.

    A fact opens its band around it for the band's days, and the risk is over after: the row of a
    cell tells its last day, and the greatest ratio open there today.
    """
    end = (city.about.period.end - dt.date(1970, 1, 1)).days
    found: dict[tuple[int, int], list[float]] = {}
    for row in proven:
        age = end + 1 - facts.day  # days from the fact to tomorrow
        for i in np.flatnonzero((age >= row["from_days"]) & (age < row["to_days"])):
            last = int(facts.day[i]) + row["to_days"] - 1
            for cell in _cells_near(facts.x[i], facts.y[i], row["to_m"], size_m):
                ratio, until, count = found.get(cell, [0.0, 0.0, 0.0])
                found[cell] = [max(ratio, row["ratio"]), max(until, last), count + 1]
    if not found:
        return []
    keys = sorted(found)
    places = np.array(keys, dtype=float) * size_m + size_m / 2
    names = cell_names(places[:, 0], places[:, 1], city.about.crs, size_m).to_pylist()
    return [
        {
            "theme": theme, "cell": name, "ratio": round(ratio, DIGITS),
            "until": dt.date(1970, 1, 1) + dt.timedelta(days=int(until)),
            "days_left": int(until) - end, "facts": int(count),
        }
        for name, (ratio, until, count) in zip(names, map(found.__getitem__, keys), strict=True)
    ]  # fmt: skip


def _cells_near(x: float, y: float, reach: float, size: int) -> list[tuple[int, int]]:
    """Return the cell of a point and those whose centre is nearer than `reach`: east, north."""
    own = (int(x // size), int(y // size))
    span = range(-int(reach // size) - 1, int(reach // size) + 2)
    around = [(own[0] + i, own[1] + j) for i in span for j in span]
    near = [c for c in around if np.hypot((c[0] + 0.5) * size - x, (c[1] + 0.5) * size - y) < reach]
    return sorted({own, *near})
