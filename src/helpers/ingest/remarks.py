"""What is odd in the zones, and in what sources say: told in the notebook and at the end of a run.

Nothing here is wrong enough to stop a run; each may make a count wrong.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city import coverage, moments, remark
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.core.city.names import ILLEGIBLE, NO_PLACE, OUT_OF_BOUNDS, OUTSIDE
from helpers.core.city.remark import Remark
from helpers.core.place_time.counts import DATED
from helpers.ingest import absences
from helpers.ingest.calendar_remarks import of_calendar
from helpers.ingest.divisions import read_zones
from helpers.ingest.point_remarks import of_points

MOSTLY = 0.5  # of the placed facts of a source: more outside of all zones, and it is told
# Series, of months enough, that end well above their start: so many, and so large a part of them.
RISING, RISING_MONTHS, RISEN, MOSTLY_RISING = 3, 6, 20, 0.9
TOTALS = 0.9  # of the rows without zone: that share of them are sums of the others, and it is told


def remarks(city: City, out: Path) -> list[Remark]:
    """Return what is odd, from what `ingest` wrote under `out`: zones, sources, the calendar."""
    drawn = read_zones(city, out)
    codes = {name: [str(code) for code in one.codes] for name, one in drawn.zones.items()}
    codes |= {
        name: list(city.zone_names(name)) for name in city.about.divisions if name not in codes
    }
    con = store.connect()
    told = [*drawn.told, *_declared(con, city, out, codes), *_outside(con, city, out)]
    for source in city.observed_sources():
        contract, path = city.contracts[source], out / "accepted" / f"{source}.parquet"
        found = [
            _unread_places(con, contract, path), _own_totals(con, contract, path, codes),
            *absences.of_source(con, city, contract, out), _not_covered(con, city, contract, out),
            _cumulated(con, city, contract, out),
        ]  # fmt: skip
        found += of_points(con, city, source, out, drawn.zones)
        told += [replace(one, source=source) for one in found if one is not None]
    con.close()
    return [*told, *of_calendar(city.about)]


def _declared(
    con: duckdb.DuckDBPyConnection, city: City, out: Path, codes: dict[str, list[str]]
) -> list[Remark]:
    """Return a remark on each field that names zones which do not exist, with the facts."""
    told = []
    for source in city.observed_sources():
        rule = city.contracts[source].observation
        for declared in rule.declared_zones if rule else ():
            count = f"CAST({quote(rule.count)} AS BIGINT)" if rule and rule.count else "1"
            said = f"CAST({quote(declared.field)} AS VARCHAR)"
            rows = con.execute(
                f"SELECT {said}, CAST(sum({count}) AS BIGINT) FROM read_parquet(?) "
                f"WHERE {said} IS NOT NULL AND NOT list_contains(?, {said}) "
                "GROUP BY 1 ORDER BY 2 DESC, 1",
                [str(out / "accepted" / f"{source}.parquet"), codes[declared.division]],
            ).fetchall()
            if rows:
                names = tuple(name for name, _ in rows)
                alike = _alike(names, codes[declared.division])
                told.append(
                    Remark(
                        remark.WRITTEN_OTHERWISE if alike else remark.UNKNOWN_ZONES,
                        division=declared.division,
                        source=source,
                        field=declared.field,
                        names=names,
                        n=sum(n for _, n in rows),
                    )
                )
    return told


def _alike(said: tuple[str, ...], codes: list[str]) -> bool:
    """Tell whether codes said and codes known differ by their writing alone."""
    bare = {_bare(code) for code in codes}
    return any(_bare(one) in bare for one in said)


def _bare(code: str) -> str:
    return code.strip().removesuffix(".0").lstrip("0").casefold()


def _outside(con: duckdb.DuckDBPyConnection, city: City, out: Path) -> list[Remark]:
    """Return a remark on each source whose placed facts are mostly outside of all zones."""
    column = quote(f"zone_{city.about.main_division}")
    rows = con.execute(
        f"SELECT source, CAST(sum(n) FILTER ({column} = ?) AS BIGINT), CAST(sum(n) AS BIGINT) "
        f"FROM read_parquet(?) WHERE {column} <> ? GROUP BY 1 ORDER BY 1",
        [OUTSIDE, str(out / "cube.parquet"), NO_PLACE],
    ).fetchall()
    return [
        Remark(remark.MOSTLY_OUTSIDE, source=source, n=outside, of=placed)
        for source, outside, placed in rows
        if outside and outside > MOSTLY * placed
    ]


def _unread_places(con: duckdb.DuckDBPyConnection, contract: Contract, path: Path) -> Remark | None:
    """Return a remark on the facts whose point says nothing, though something was written."""
    n, rows = con.execute(
        "SELECT count(*) FILTER (split_part(remark, ':', 1) IN (?, ?)), count(*) "
        "FROM read_parquet(?)",
        [ILLEGIBLE, OUT_OF_BOUNDS, str(path)],
    ).fetchall()[0]
    return Remark(remark.NO_READABLE_PLACE, n=n, of=rows) if n and contract.point else None


def _own_totals(
    con: duckdb.DuckDBPyConnection, contract: Contract, path: Path, codes: dict[str, list[str]]
) -> Remark | None:
    """Return a remark where rows without a zone hold the sums of those with one.

    Of a source already counted: a row of the same moment and category, whose count is theirs.
    """
    rule = contract.observation
    if rule is None or rule.count is None or len(rule.declared_zones) != 1 or contract.point:
        return None
    declared = rule.declared_zones[0]
    began = moments.of(rule.started_at, rule, contract.fields).first
    listed = f"list_contains({_texts(codes[declared.division])}, zone)"
    rows = con.execute(
        f"WITH told AS MATERIALIZED (SELECT CAST({quote(declared.field)} AS VARCHAR) AS zone, "
        f"{quote(rule.category)} AS category, {began} AS began, "
        f"CAST({quote(rule.count)} AS BIGINT) AS n FROM read_parquet(?)), "
        f"sums AS (SELECT category, began, sum(n) AS n, count(*) AS zones FROM told "
        f"WHERE coalesce({listed}, FALSE) GROUP BY ALL) "
        "SELECT count(*), count(*) FILTER (told.n = sums.n AND sums.zones > 1), "
        "CAST(coalesce(sum(told.n) FILTER (told.n = sums.n AND sums.zones > 1), 0) AS BIGINT) "
        "FROM told LEFT JOIN sums USING (category, began) "
        f"WHERE NOT coalesce({listed}, FALSE) AND told.n > 0",
        [str(path)],
    ).fetchall()
    without, sums, facts = rows[0]
    if not sums or sums < TOTALS * without:
        return None
    return Remark(remark.OWN_TOTALS, field=declared.field, n=sums, of=facts)


def _not_covered(
    con: duckdb.DuckDBPyConnection, city: City, contract: Contract, out: Path
) -> Remark | None:
    """Return a remark on the facts, by category, of days that `covers` says not to be covered."""
    if not contract.covers:
        return None
    found: dict[str, int] = {}
    for division in sorted(
        {cover.division or city.about.main_division for cover in contract.covers}
    ):
        rows = con.execute(
            f"SELECT category, coalesce({quote(f'zone_{division}')}, '{NO_PLACE}'), "
            "CAST(hour AS DATE), CAST(sum(n) AS BIGINT) FROM read_parquet(?) WHERE source = ? "
            f"AND {DATED} GROUP BY ALL ORDER BY ALL",
            [str(out / "cube.parquet"), contract.source],
        ).fetchall()
        met: dict[str, int] = {}
        gone = {
            category: coverage.uncovered(city, contract.source, [category], division)
            for category in {row[0] for row in rows}
        }
        for category, zone, day, n in rows:
            if day in gone[category].of(zone):
                met[category] = met.get(category, 0) + n
        # A zone of another division has its own limits: what is told there is not added to this.
        found |= {category: max(n, found.get(category, 0)) for category, n in met.items()}
    names = tuple(sorted(found))
    if not names:
        return None
    sizes = tuple(float(found[name]) for name in names)
    return Remark(remark.NOT_COVERED_FACTS, names=names, sizes=sizes, n=sum(found.values()))


def _cumulated(
    con: duckdb.DuckDBPyConnection, city: City, contract: Contract, out: Path
) -> Remark | None:
    """Return a remark where counts by month only grow from January on: summed since then?

    Of a category and a zone in a year, over RISING_MONTHS at least; of six counts drawn at random,
    none falls once in seven hundred times.
    """
    if contract.precision != "month" or not (contract.observation and contract.observation.count):
        return None
    zone = quote(f"zone_{city.about.main_division}")
    rising, of = con.execute(
        "WITH series AS (SELECT list(n ORDER BY month) AS told FROM (SELECT category, "
        f"{zone} AS zone, date_trunc('month', hour) AS month, sum(n) AS n FROM read_parquet(?) "
        "WHERE source = ? GROUP BY ALL) GROUP BY category, zone, year(month)) "
        "SELECT count(*) FILTER (told = list_sort(told)), count(*) FROM series "
        f"WHERE len(told) >= {RISING_MONTHS} AND told[-1] >= greatest({RISEN}, 2 * told[1])",
        [str(out / "cube.parquet"), contract.source],
    ).fetchall()[0]
    told = rising >= RISING and rising >= MOSTLY_RISING * of
    return Remark(remark.CUMULATED, n=rising, of=of) if told else None


def _texts(codes: list[str]) -> str:
    return f"[{', '.join(map(literal, codes))}]" if codes else "CAST([] AS VARCHAR[])"
