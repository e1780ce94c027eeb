"""k-anonymity of the rows kept: how many share the place, the time and the category of each.

Samarati & Sweeney 1998, Protecting privacy when disclosing information. A row that no other
resembles is singled out, in the sense of opinion 05/2014 of the Article 29 Working Party: it names
nobody, and may be recognised by who knows of the fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from helpers.core.base.store import literal, quote
from helpers.core.city.city import City
from helpers.uniqueness.knobs import Knobs

# From the finest grain to the coarsest.
PLACES = ("point", "cell", "zone")
TIMES = {
    "moment": "o.started_at, o.ended_at",
    "day": "CAST(o.hour AS DATE), CAST(o.hour_end AS DATE)",
    "month": "date_trunc('month', o.hour), date_trunc('month', o.hour_end)",
}
UNIQUENESS = pa.schema(
    [
        ("source", pa.string()), ("place", pa.string()), ("time", pa.string()),
        ("division", pa.string()), ("n", pa.int64()), ("alone", pa.int64()), ("few", pa.int64()),
    ]
)  # fmt: skip


def measure(
    con: duckdb.DuckDBPyConnection, city: City, accepted: Mapping[str, Path], knobs: Knobs
) -> pa.Table:
    """Return one row a source, grain of place and grain of time (schema `UNIQUENESS`).

    `n` rows kept; `alone`: those that share place, time and category with no other row of the
    source; `few`: those that share them with fewer than `smallest_group`, themselves counted
    (`alone` among them). `point` is the place as kept, `moment` the time as kept; `zone` is a zone
    of `division`, the one of most zones. Rows without a place are alike in that; rows that no key
    tells apart are placed by their cell. `accepted` gives
    source → file of its accepted rows. View `observations`. These are counts of all rows, not of a
    sample: they have no interval.
    """
    division = finest_division(con, city)
    rows = [
        {"source": source, "place": place, "time": time}
        | {"division": division if place == "zone" else None}
        | _counted(con, city, source, path, _place(division, place), when, knobs.smallest_group)
        for source, path in sorted(accepted.items())
        for place in PLACES
        for time, when in TIMES.items()
    ]
    return pa.Table.from_pylist(rows, schema=UNIQUENESS)


def finest_division(con: duckdb.DuckDBPyConnection, city: City) -> str:
    """Return the division in which the observations lie in most zones; the first, where equal."""
    counts = ", ".join(f"count(DISTINCT {_zone(name)})" for name in city.about.divisions)
    found = con.execute(f"SELECT {counts} FROM observations").fetchone() or ()
    return max(zip(city.about.divisions, found, strict=True), key=lambda pair: pair[1])[0]


def _zone(division: str) -> str:
    return quote(f"zone_{division}")


def _place(division: str, grain: str) -> str:
    """Return the columns that tell a place at a grain; each grain is a cut of the one below."""
    zone = _zone(division)
    return {"point": f"{zone}, cell, lon, lat", "cell": f"{zone}, cell", "zone": zone}[grain]


def _counted(
    con: duckdb.DuckDBPyConnection,
    city: City,
    source: str,
    path: Path,
    place: str,
    when: str,
    smallest: int,
) -> dict[str, int]:
    """Return `n`, `alone` and `few` of one source at one grain."""
    rule = city.contracts[source].observation
    assert rule is not None
    lon, lat = (quote(name) if name else "NULL" for name in (rule.longitude, rule.latitude))
    found = con.execute(
        f"WITH points AS (SELECT record, any_value({lon}) AS lon, any_value({lat}) AS lat "
        f"FROM read_parquet({literal(path)}) GROUP BY record HAVING count(*) = 1), "
        "alike AS (SELECT count(*) AS k FROM observations o LEFT JOIN points USING (record) "
        f"WHERE source = ? GROUP BY category, {place}, {when}) "
        "SELECT CAST(coalesce(sum(k), 0) AS BIGINT), count(*) FILTER (k = 1), "
        "CAST(coalesce(sum(k) FILTER (k < ?), 0) AS BIGINT) FROM alike",
        [source, smallest],
    ).fetchone()
    assert found is not None
    return dict(zip(("n", "alone", "few"), found, strict=True))
