"""What a source steadily tells, and for a time does not: an edition that left it out, or nothing?

A category, or hours of the day, of which nothing came for so long that chance does not explain it,
while the rest of the source came: at the end, at the beginning, or between. Told, so that `covers`
may say it: its zeros are then what they are, missing. A zone that falls silent is the affair of
`reliability.silence`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from helpers.core.city import coverage, remark
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.core.city.names import WHOLE
from helpers.core.city.remark import Remark
from helpers.core.place_time.counts import DATED, HOURLY, MONTHLY
from helpers.core.stats.absences import absences
from helpers.core.stats.days_in_part import days_in_part

HOURS = 3  # of a span of the day


@dataclass(frozen=True)
class Units:
    """The weeks, or months, in which a source brought something; `n` is what it brought of each."""

    starts: list[dt.date]
    n: dict[Any, list[int]]

    def absences(self, what: Any) -> list[tuple[int, int]]:
        """Return when what is steady elsewhere is absent (`absences`), beside all the others."""
        counts = self.n[what]
        rest = [sum(n[i] for n in self.n.values()) - own for i, own in enumerate(counts)]
        return absences(counts, rest)


def of_source(
    con: duckdb.DuckDBPyConnection, city: City, contract: Contract, out: Path
) -> list[Remark]:
    """Return a remark on what a source of facts stops, begins or ceases for a time to tell."""
    if contract.precision == "year":
        return []
    monthly = contract.precision == "month"
    cube = out / "cube.parquet"
    unit, known = ("month", MONTHLY) if monthly else ("week", DATED)
    categories = _units(con, contract.source, cube, unit, "category", known)
    told = _of_categories(city, contract, categories, monthly=monthly)
    if not monthly:
        by_hour = _units(con, contract.source, cube, unit, f"hour(hour) // {HOURS}", HOURLY)
        told += _of_hours(city, contract, by_hour)
        told += _in_part(con, contract, cube)
    return told


def _in_part(con: duckdb.DuckDBPyConnection, contract: Contract, cube: Path) -> list[Remark]:
    """Return a remark where whole days and days of next to nothing make two heaps."""
    rule = contract.observation
    rows = con.execute(
        "SELECT date_diff('day', min(CAST(hour AS DATE)) OVER (), CAST(hour AS DATE)) AS at, "
        "isodow(min(hour) OVER ()) - 1 AS first, CAST(sum(n) AS DOUBLE) AS n "
        f"FROM read_parquet(?) WHERE source = ? AND {DATED} GROUP BY hour",
        [str(cube), contract.source],
    ).fetchnumpy()
    if rule is None or rule.quiet_days or not len(rows["at"]):
        return []
    found = days_in_part(
        np.bincount(rows["at"], rows["n"]).astype(np.float64), int(rows["first"][0])
    )
    told = Remark(remark.IN_PART, source=contract.source, n=int(found.sum()), of=len(found))
    return [told] if told.n else []


def _units(
    con: duckdb.DuckDBPyConnection, source: str, cube: Path, unit: str, of: str, known: str
) -> Units:
    rows = con.execute(
        f"SELECT {of} AS what, CAST(date_trunc('{unit}', hour) AS DATE) AS start, "
        f"CAST(sum(n) AS BIGINT) FROM read_parquet(?) WHERE source = ? AND {known} "
        "GROUP BY 1, 2 HAVING sum(n) > 0 ORDER BY 1, 2",
        [str(cube), source],
    ).fetchall()
    starts = sorted({start for _, start, _ in rows})
    place = {start: i for i, start in enumerate(starts)}
    n: dict[Any, list[int]] = {}
    for what, start, count in rows:
        n.setdefault(what, [0] * len(starts))[place[start]] = count
    return Units(starts, n)


def _of_categories(city: City, contract: Contract, units: Units, *, monthly: bool) -> list[Remark]:
    """Return one remark on the categories that no longer come, one on each other absence."""
    gone: dict[str, float] = {}
    told = []
    for category, counts in units.n.items():
        known = coverage.uncovered(city, contract.source, [category], WHOLE).everywhere
        for first, after in units.absences(category):
            if after == len(counts):
                if city.about.period.end not in known:
                    gone[category] = float(after - first)
            elif units.starts[first] not in known:
                told.append(_away(units, first, after, remark.AWAY, category))
    code = remark.GONE_BY_MONTH if monthly else remark.GONE_BY_WEEK
    if gone:
        told.insert(0, Remark(code, names=tuple(gone), sizes=tuple(gone.values())))
    return told


def _of_hours(city: City, contract: Contract, units: Units) -> list[Remark]:
    """Return a remark on each time of which only some hours of the day are told."""
    known = coverage.uncovered(city, contract.source, None, WHOLE).everywhere
    spans: dict[tuple[int, int], list[int]] = {}
    for part in sorted(units.n):
        for first, after in units.absences(part):
            if units.starts[first] not in known:
                # Of a part of the day, a week may lack by chance at either end.
                near = (one for one in spans if abs(one[0] - first) <= 1 >= abs(one[1] - after))
                spans.setdefault(next(near, (first, after)), []).append(part)
    return [
        _away(units, first, after, remark.HOURS_AWAY, *map(str, parts))
        for (first, after), parts in sorted(spans.items())
    ]


def _away(units: Units, first: int, after: int, code: str, *what: str) -> Remark:
    """Return the remark: what, then the first day told again before and after, empty at an end."""
    since = units.starts[first].isoformat() if first else ""
    again = units.starts[after].isoformat() if after < len(units.starts) else ""
    return Remark(code, names=(since, again, *what), sizes=(float(after - first),))
