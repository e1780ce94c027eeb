"""Pile-ups: moments and places that come back more than chance gives, hence often unknown ones.

A publisher that does not know the hour may write midnight, or noon; the day, the first of the month
or of the year; the place, one default point. Each is measured, source by source and category by
category, against what the rest of the source leads to expect.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa
from scipy import stats

from helpers.core.base.store import literal
from helpers.core.city.city import City
from helpers.core.city.names import MIDNIGHT, NOON
from helpers.core.place_time.counts import DATED, HOURLY

MONTH_START, YEAR_START, DEFAULT = "month_start", "year_start", "default_point"
# Times what is expected: below, a real habit (New Year's night, bills of the first of the month).
LEAST_RATIO = {MIDNIGHT: 2.0, NOON: 2.0, MONTH_START: 1.5, YEAR_START: 4.0, DEFAULT: 1.0}
CHANCE = 1e-4  # of so many by chance (Poisson), below which a pile-up is told
LEAST_SHARE = 0.005  # of the rows: below, nobody's figures change
WHOLE = ""  # all the categories of a source together
SCHEMA = pa.schema(
    [
        ("source", pa.string()), ("category", pa.string()), ("kind", pa.string()),
        ("n", pa.int64()), ("rows", pa.int64()), ("share", pa.float64()),
        ("expected", pa.float64()), ("told", pa.bool_()),
    ]
)  # fmt: skip
Key = tuple[str, str]
Counts = dict[Key, dict[Any, int]]


def find(con: duckdb.DuckDBPyConnection, city: City) -> pa.Table:
    """Return SCHEMA: each pile-up of each source (category WHOLE) and category, `told` or not.

    `expected` is what chance gives: of an exact hour, what other hours have at 00 minutes, or the
    hours beside; of a day, the other days of the month, or of the year. View `observations`.
    """
    rows = [*_of_hours(con, city), *_of_days(con), *_of_points(con)]
    rows.sort(key=lambda row: (row["source"], row["category"], row["kind"]))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _row(key: Key, kind: str, n: int, rows: int, expected: float) -> dict[str, Any]:
    share = n / rows
    surprising = kind == DEFAULT or float(stats.poisson.sf(n - 1, max(expected, 0.5))) < CHANCE
    many = n >= LEAST_RATIO[kind] * expected and share >= LEAST_SHARE and n > 0
    return {
        "source": key[0], "category": key[1], "kind": kind, "n": n, "rows": rows,
        "share": round(share, 6), "expected": round(expected, 3),
        "told": bool(surprising and many),
    }  # fmt: skip


def _grouped(rows: list[tuple[Any, ...]]) -> Counts:
    """Return (source, category) → value → rows, and the same of each source's categories."""
    found: Counts = defaultdict(lambda: defaultdict(int))
    for source, category, *value, n in rows:
        for key in ((source, category), (source, WHOLE)):
            found[key][tuple(value)] += n
    return found


def _of_hours(con: duckdb.DuckDBPyConnection, city: City) -> list[dict[str, Any]]:
    whens = " ".join(
        f"WHEN {literal(name)} THEN timezone({literal(contract.timezone)}, utc)"
        for name, contract in city.contracts.items()
        if contract.timezone
    )
    own = f"timezone({literal(city.about.timezone)}, utc)"
    local = f"CASE source {whens} ELSE {own} END" if whens else own
    rows = con.execute(
        f"SELECT source, category, hour(wall), minute(wall) = 0, count(*) FROM (SELECT source, "
        f"category, {local} AS wall FROM (SELECT *, timezone('UTC', started_at) AS utc "
        f"FROM observations WHERE {HOURLY})) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found = []
    for key, counts in _grouped(rows).items():
        sharp = {hour: counts.get((hour, True), 0) for hour in range(24)}
        other = {hour: counts.get((hour, False), 0) for hour in range(24)}
        for kind, hour in ((MIDNIGHT, 0), (NOON, 12)):
            expected = _expected(sharp, other, hour)
            found.append(_row(key, kind, sharp[hour], sum(counts.values()), expected))
    return found


def _expected(sharp: Mapping[int, int], other: Mapping[int, int], hour: int) -> float:
    """Return how many facts at this hour sharp the other hours lead to expect."""
    rest = [h for h in range(24) if h not in (0, 12)]
    told, loose = sum(sharp[h] for h in rest), sum(other[h] for h in rest)
    of_rounding = other[hour] * told / loose if loose else 0.0
    beside = (sharp[(hour - 1) % 24] + sharp[(hour + 1) % 24]) / 2
    return max(of_rounding, beside)


def _of_days(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows = con.execute(
        "SELECT source, category, month(hour), day(hour), count(*) FROM observations "
        f"WHERE {DATED} GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found = []
    for key, counts in _grouped(rows).items():
        total = sum(counts.values())
        firsts = sum(n for (month, day), n in counts.items() if day == 1 and month > 1)
        others = sum(n for (month, day), n in counts.items() if 2 <= day <= 28 and month > 1)
        found.append(_row(key, MONTH_START, firsts, total, others / 27))
        new_year = counts.get((1, 1), 0)
        rest = sum(n for (month, day), n in counts.items() if month == 1 and 2 <= day <= 28)
        found.append(_row(key, YEAR_START, new_year, total, rest / 27))
    return found


def _of_points(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    rows = con.execute(
        "SELECT source, category, place_precision = 'default', count(*) FROM observations "
        "WHERE place_precision != 'none' GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return [
        _row(key, DEFAULT, counts.get((True,), 0), sum(counts.values()), 0.0)
        for key, counts in _grouped(rows).items()
    ]
