"""What is odd in the zones, and in what sources say: told in the notebook and at the end of a run.

Nothing here is wrong enough to stop a run; each may make a count wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city import coverage, moments, remark
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.core.city.names import ILLEGIBLE, NO_PLACE, OUT_OF_BOUNDS, OUTSIDE, WHOLE
from helpers.core.city.remark import Remark
from helpers.core.place_time.counts import DATED, MONTHLY
from helpers.ingest.calendar_remarks import of_calendar
from helpers.ingest.divisions import read_zones
from helpers.ingest.point_remarks import of_points

MOSTLY = 0.5  # of the placed facts of a source: more outside of all zones, and it is told
LAST_MONTH = 12  # a day above it is no month
# Dates enough that one of them, at least, should fall after the 12th of a month: of ten days drawn
# at random none does once in ten thousand. Days of the month: a source dated the 1st has but one.
DATES, MONTHS, DAYS_OF_MONTH = 10, 3, 3
STEADY, STEADY_UNITS, GONE_UNITS, GONE_FACTS = 0.9, 12, 2, 20
NOON, HOURS_KNOWN, HOURS_MET = (
    12,
    60,
    10,
)  # facts with an hour, and hours of the twelve that have some
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
            _unread_places(con, contract, path), _day_or_month(con, contract, path),
            _twelve_hours(con, contract, path), _own_totals(con, contract, path, codes),
            _gone(con, city, contract, out), _not_covered(con, city, contract, out),
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


def _day_or_month(con: duckdb.DuckDBPyConnection, contract: Contract, path: Path) -> Remark | None:
    """Return a remark where no date lies after the 12th of a month: day and month interchanged?

    Of the dates whose format holds both as numbers, in many enough dates (DATES).
    """
    rule = contract.observation
    when = rule.started_at if rule else ""
    name = when if isinstance(when, str) else when.date or ""
    form = contract.fields[name].format.replace("-", "") if name else ""
    if not ("%d" in form and "%m" in form) or form.startswith("%Y%m%d"):
        return None
    rows = con.execute(
        f"SELECT count(DISTINCT day), count(DISTINCT day(day)), count(DISTINCT month(day)), "
        f"max(day(day)) FROM (SELECT CAST({quote(name)} AS DATE) AS day FROM read_parquet(?))",
        [str(path)],
    ).fetchall()
    dates, days, months, last = rows[0]
    few = dates < DATES or days < DAYS_OF_MONTH or months < MONTHS
    return None if few or last > LAST_MONTH else Remark(remark.DAY_OR_MONTH, field=name, n=dates)


def _twelve_hours(con: duckdb.DuckDBPyConnection, contract: Contract, path: Path) -> Remark | None:
    """Return a remark where no known hour lies beyond noon's: mornings and evenings confounded?

    Of hours enough (HOURS_KNOWN), and of nearly all of the twelve (HOURS_MET), noon's among them.
    """
    rule = contract.observation
    if rule is None or moments.best(rule, contract.fields) > moments.HOUR:
        return None
    when = moments.of(rule.started_at, rule, contract.fields)
    rows = con.execute(
        "SELECT count(*), count(DISTINCT h), min(h), max(h) FROM (SELECT hour(began) AS h FROM "
        f"(SELECT {when.first} AS began, {when.level} AS level FROM read_parquet(?)) "
        f"WHERE level <= {moments.HOUR} AND began IS NOT NULL)",
        [str(path)],
    ).fetchall()
    n, met, first, last = rows[0]
    told = n >= HOURS_KNOWN and met >= HOURS_MET and (first, last) == (1, NOON)
    return Remark(remark.TWELVE_HOURS, n=n) if told else None


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


def _gone(
    con: duckdb.DuckDBPyConnection, city: City, contract: Contract, out: Path
) -> Remark | None:
    """Return a remark on the steady categories that no longer come, while the source still does.

    By week, or by month where the source tells no more, over those in which the source brought
    something; what `covers` says not to be covered is known, and not told.
    """
    monthly = contract.precision == "month"
    if contract.precision == "year":
        return None
    unit, known = ("month", MONTHLY) if monthly else ("week", DATED)
    rows = con.execute(
        f"SELECT category, CAST(date_trunc('{unit}', hour) AS DATE), CAST(sum(n) AS BIGINT) "
        f"FROM read_parquet(?) WHERE source = ? AND {known} GROUP BY 1, 2 HAVING sum(n) > 0 "
        "ORDER BY 1, 2",
        [str(out / "cube.parquet"), contract.source],
    ).fetchall()
    heard = {start: i for i, start in enumerate(sorted({start for _, start, _ in rows}))}
    held: dict[str, list[int]] = {}
    for category, start, n in rows:
        held.setdefault(category, [0] * len(heard))[heard[start]] = n
    gone = {}
    for category, counts in held.items():
        known_end = coverage.uncovered(city, contract.source, [category], WHOLE).everywhere
        missing = steady_until(counts)
        if missing and city.about.period.end not in known_end:
            gone[category] = missing
    code = remark.GONE_BY_MONTH if monthly else remark.GONE_BY_WEEK
    sizes = tuple(float(n) for n in gone.values())
    return Remark(code, names=tuple(gone), sizes=sizes) if gone else None


def steady_until(counts: Sequence[int]) -> int:
    """Return for how many units, the last ones, a steady count has been zero; 0 if it has not.

    Steady: there in STEADY of the units from its first to its last, STEADY_UNITS of them at least,
    and never absent half as long before (a beach in winter). Zero for so long that GONE_FACTS were
    awaited at its usual rate: by chance, that happens once in thousands of millions of times.
    """
    there = [i for i, n in enumerate(counts) if n > 0]
    if not there:
        return 0
    span = list(counts[there[0] : there[-1] + 1])
    missing = len(counts) - 1 - there[-1]
    rate = sum(span) / len(span)
    longest = max((b - a - 1 for a, b in itertools.pairwise(there)), default=0)
    steady = len(span) >= STEADY_UNITS and len(there) >= STEADY * len(span)
    told = missing >= GONE_UNITS and rate * missing >= GONE_FACTS and 2 * longest <= missing
    return missing if steady and told else 0


def _texts(codes: list[str]) -> str:
    return f"[{', '.join(map(literal, codes))}]" if codes else "CAST([] AS VARCHAR[])"
