"""What is odd in the points of a source: few places for many facts, zones that say otherwise.

A point that was moved (to a crossing, to the node of a grid, to a town hall) is in no cell, and may
be in no zone, of the fact: nobody can tell from one point, many of them tell it together.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np
import shapely

from helpers.core.base.store import quote
from helpers.core.city import remark
from helpers.core.city.city import City
from helpers.core.city.names import NO_PLACE
from helpers.core.city.observation_rule import ObservationRule
from helpers.core.city.remark import Remark
from helpers.core.place_time.territory import Floats, Zones, project

# Moved points are far from one another, and hold nearly all the facts: addresses are some ten
# metres apart, and exact points hold one fact each.
APART_M, SHARED, EACH, FACTS = 50.0, 0.9, 3, 200
HEAP, TIMES, LEAST = 0.05, 10, 50  # one moved point: share of facts, times another's, facts
EDGE_M, ON_EDGE = 15.0, 0.05  # the door's grid moves a point by seven metres
OTHERWISE, MET = 0.05, 20  # share, and facts with a point and a zone said: outlines differ a bit


def of_points(
    con: duckdb.DuckDBPyConnection, city: City, source: str, out: Path, zones: Mapping[str, Zones]
) -> list[Remark]:
    """Return the remarks on the points of a source, from what `ingest` wrote under `out`."""
    contract = city.contracts[source]
    rule, point = contract.observation, contract.point
    if rule is None or point is None:
        return []
    lon, lat = (f"a.{quote(name)}" for name in point)
    said = [  # under names of ours: a source may call its fields as we do ours
        f", CAST(a.{quote(one.field)} AS VARCHAR) AS said_{i}"
        for i, one in enumerate(rule.declared_zones)
    ]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE located AS SELECT o.record, year(o.started_at) AS own_year, "
        f"CAST({lon} AS DOUBLE) AS own_lon, CAST({lat} AS DOUBLE) AS own_lat{''.join(said)} "
        "FROM read_parquet(?) o JOIN read_parquet(?) a ON o.record = a.record "
        "WHERE o.source = ? AND o.place_precision IN ('point', 'snapped')",
        [str(out / "observations.parquet"), str(out / "accepted" / f"{source}.parquet"), source],
    )
    told = [*_otherwise(con, city, rule, out, source)]
    if rule.snapped_points:
        return [*_heap(con), *_on_edge(con, city, rule, zones), *told]
    return [*_few_points(con, city, rule), *told]


def _few_points(con: duckdb.DuckDBPyConnection, city: City, rule: ObservationRule) -> list[Remark]:
    """Return a remark where the facts, of all years or of one, lie on few points far apart."""
    rows = con.execute(
        "SELECT own_year, own_lon, own_lat, count(*) FROM located "
        "GROUP BY GROUPING SETS ((own_lon, own_lat), (own_year, own_lon, own_lat)) "
        "ORDER BY own_year NULLS FIRST, own_lon, own_lat"
    ).fetchnumpy()
    years = np.ma.filled(rows["own_year"].astype(float), 0.0)
    x, y = project(
        np.asarray(rows["own_lon"], float), np.asarray(rows["own_lat"], float),
        city.about.crs, rule.coordinates_crs,
    )  # fmt: skip
    n = np.asarray(rows["count_star()"], dtype=np.int64)
    for year in np.unique(years):  # all of them first: 0
        of = years == year
        apart = _apart(x[of], y[of], n[of])
        if apart:
            name = (f"{year:.0f}",) if year else ()
            facts, points = int(n[of].sum()), int(of.sum())
            return [Remark(remark.FEW_POINTS, names=name, sizes=(apart,), n=facts, of=points)]
    return []


def _apart(x: Floats, y: Floats, n: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
    """Return how far apart (metres, the median) points with many facts are; 0 if not so many."""
    facts = int(n.sum())
    many = facts >= max(FACTS, EACH * len(n)) and n[n > 1].sum() >= SHARED * facts
    if not many or len(n) < EACH:
        return 0.0
    points = np.asarray(shapely.points(x, y))
    _, metres = shapely.STRtree(points).query_nearest(
        points, exclusive=True, return_distance=True, all_matches=False
    )
    apart = float(np.median(metres))
    return round(apart) if apart >= APART_M else 0.0


def _heap(con: duckdb.DuckDBPyConnection) -> list[Remark]:
    """Return a remark where one of the moved points holds many times what another does."""
    rows = con.execute(
        "SELECT count(*) FROM located GROUP BY own_lon, own_lat ORDER BY 1 DESC"
    ).fetchall()
    counts = [n for (n,) in rows]
    if len(counts) < TIMES:
        return []
    first, whole = counts[0], sum(counts)
    usual = (whole - first) / (len(counts) - 1)
    told = first >= max(LEAST, HEAP * whole) and first >= TIMES * usual
    return [Remark(remark.HEAP_AMONG_SNAPPED, n=first, of=whole)] if told else []


def _on_edge(
    con: duckdb.DuckDBPyConnection, city: City, rule: ObservationRule, zones: Mapping[str, Zones]
) -> list[Remark]:
    """Return a remark where moved points, whose zone the source does not say, lie on an edge."""
    main = city.about.main_division
    if main not in zones:
        return []
    fields = [i for i, one in enumerate(rule.declared_zones) if one.division == main]
    said = f"list_contains(?, said_{fields[0]})" if fields else "len(?) < 0"
    rows = con.execute(
        f"SELECT own_lon, own_lat, count(*) FROM located WHERE NOT coalesce({said}, FALSE) "
        "GROUP BY ALL ORDER BY ALL",
        [[str(code) for code in zones[main].codes]],
    ).fetchnumpy()
    x, y = project(
        np.asarray(rows["own_lon"], float), np.asarray(rows["own_lat"], float),
        city.about.crs, rule.coordinates_crs,
    )  # fmt: skip
    n = np.asarray(rows["count_star()"], dtype=np.int64)
    edges = shapely.STRtree(shapely.boundary(zones[main].shapes))
    near = edges.query(shapely.points(x, y), predicate="dwithin", distance=EDGE_M)
    facts = int(n[np.unique(near[0])].sum())
    if not facts or facts < ON_EDGE * n.sum():
        return []
    return [
        Remark(remark.SNAPPED_ON_EDGE, division=main, sizes=(EDGE_M,), n=facts, of=int(n.sum()))
    ]


def _otherwise(
    con: duckdb.DuckDBPyConnection, city: City, rule: ObservationRule, out: Path, source: str
) -> list[Remark]:
    """Return a remark on each drawn division in which points and zones said do not agree."""
    told = []
    for i, declared in () if rule.snapped_points else enumerate(rule.declared_zones):
        drawn, field = f"o.{quote(f'zone_{declared.division}')}", f"l.said_{i}"
        known = list(city.zone_names(declared.division))
        facts, both = con.execute(
            f"SELECT count(*) FILTER ({drawn} <> {field}), count(*) FROM read_parquet(?) o "
            f"JOIN located l ON o.record = l.record "
            f"WHERE o.source = ? AND {drawn} <> ? AND list_contains(?, {field})",
            [str(out / "observations.parquet"), source, NO_PLACE, known],
        ).fetchall()[0]
        if both >= MET and facts >= OTHERWISE * both:
            told.append(
                Remark(remark.ZONE_SAID_OTHERWISE, division=declared.division,
                       field=declared.field, n=facts, of=both)
            )  # fmt: skip
    return told
