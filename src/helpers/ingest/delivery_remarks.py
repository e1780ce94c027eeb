"""What is odd in one delivery beside the others, and between two: told, never mended.

Judged delivery by delivery, as each may be written in its own way: days and months one for the
other, hours of twelve. Between deliveries: a record that a later one no longer gives, rows given
twice that nothing tells apart, numbers that begin again, an order that the dates inside deny.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city import contract_sql, formats, moments, remark
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.core.city.contract_sql import DAY_AND_MONTH
from helpers.core.city.names import (
    CONFLICT,
    DUPLICATE,
    NAMES,
    OUT_OF_PERIOD,
    REPLACED,
    ROW,
)
from helpers.core.city.remark import Remark
from helpers.core.stage.receipts import read_receipts
from helpers.ingest.clock_forms import LAST_MONTH

# Dates enough that one of them, at least, should fall after the 12th of a month: of ten days drawn
# at random none does once in ten thousand. Days of the month: a source dated the 1st has but one.
DATES, MONTHS, DAYS_OF_MONTH = 10, 3, 3
MIXED, MIXED_SHARE = 2, 0.005  # dates read the other way: fewer are slips of the pen
NOON = 12
HOURS_KNOWN, HOURS_MET = 60, 10  # facts with an hour, and hours of the twelve that have some
# Of the records of earlier deliveries, within the dates of a later one: where so many are in it
# again, it gives these dates anew, and does not only add to them.
AGAIN = 0.5
SPAN = (0.005, 0.995)  # of the dates of a delivery
REUSED, REUSED_DAYS = 10, 31  # rows, and days between two versions of one record
SOUND = (DUPLICATE, REPLACED, CONFLICT, OUT_OF_PERIOD)


def remarks(city: City, out: Path, raw: Path) -> list[Remark]:
    """Return what is odd in the deliveries of each source of facts, from what came and was sorted.

    `raw` holds what the door let in, `out` what `ingest` wrote.
    """
    receipts, told = read_receipts(raw), []
    con = store.connect()
    for source in city.observed_sources():
        contract, many = city.contracts[source], len(receipts[source]["files"]) > 1
        _view(con, city, contract, out, raw, many=many)
        found = [*_dates(con, contract), _twelve_hours(con, contract, many=many)]
        if many:
            found += _between(con, contract, receipts[source])
        told += [one for one in found if one is not None]
    con.close()
    return told


def _view(
    con: duckdb.DuckDBPyConnection, city: City, contract: Contract, out: Path, raw: Path, *,
    many: bool,
) -> None:  # fmt: skip
    """Make table `rows`: of each row, its delivery, fate, number, content, moment and its level.

    `number` is what its key says, or all that it says where it has none: of `many` deliveries.
    """
    rule = contract.observation
    assert rule is not None
    zone = contract.timezone or city.about.timezone
    texts = {n: contract_sql.text(n, field) for n, field in contract.fields.items()}
    names = dict.fromkeys((*_dated(contract), *_moment_fields(contract)))
    typed = ", ".join(
        contract_sql.typed(texts[n], contract.fields[n], contract.file.decimal, zone)
        + f" AS {quote(n)}"
        for n in names
    )
    content = f"md5(CAST(row({', '.join(texts.values())}) AS VARCHAR))"
    number = content
    if contract.key:
        known = " OR ".join(f"{texts[n]} IS NOT NULL" for n in contract.key)
        key = f"md5(CAST(row({', '.join(texts[n] for n in contract.key)}) AS VARCHAR))"
        number = f"CASE WHEN {known} THEN {key} ELSE {content} END"
    if not many:
        number = content = "NULL"
    when = moments.of(rule.started_at, rule, contract.fields)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE rows AS WITH fates AS "
        f"(SELECT {ROW}, reason FROM read_parquet({literal(_aside(contract, out))})), "
        f'told AS MATERIALIZED (SELECT {ROW}, delivery, {number} AS "@number", '
        f'{content} AS "@content", {typed} FROM read_parquet({literal(raw / _file(contract))})) '
        f'SELECT told.*, coalesce(reason, \'accepted\') AS "@fate", {when.first} AS "@began", '
        f'{when.level} AS "@level" FROM told LEFT JOIN fates USING ({ROW})'
    )


def _file(contract: Contract) -> str:
    return f"{contract.source}.parquet"


def _aside(contract: Contract, out: Path) -> Path:
    return out / "quarantined" / _file(contract)


def _moment_fields(contract: Contract) -> list[str]:
    rule = contract.observation
    assert rule is not None
    when = rule.started_at
    return [when] if isinstance(when, str) else when.fields


def _dated(contract: Contract) -> list[str]:
    """Return the fields whose day and month are both written as numbers."""
    return [
        name
        for name, field in contract.fields.items()
        if field.type in ("date", "timestamp") and formats.interchanged(field.format)
    ]


def _sound() -> str:
    return f"\"@fate\" IN ('accepted', {', '.join(map(literal, SOUND))})"


def _dates(con: duckdb.DuckDBPyConnection, contract: Contract) -> list[Remark]:
    """Return a remark on each field whose day and month may be one for the other."""
    found = [
        _mixed(con, contract, name) or _day_or_month(con, contract, name)
        for name in _dated(contract)
    ]
    return [one for one in found if one is not None]


def _mixed(con: duckdb.DuckDBPyConnection, contract: Contract, name: str) -> Remark | None:
    """Return a remark where a delivery has dates in both orders: those of neither are not sure.

    Those that are read in one order alone are set aside or right; of the others, nobody knows.
    """
    off = f'"@fate" = {literal(f"{DAY_AND_MONTH}:{name}")}'
    day = quote(name)
    both = f"{_sound()} AND day({day}) <= {LAST_MONTH} AND day({day}) <> month({day})"
    rows = con.execute(
        f"SELECT count(*) FILTER ({off}) AS off, count(*) FILTER ({both}), "
        f"count(*) FILTER ({day} IS NOT NULL) AS read FROM rows GROUP BY delivery "
        f"HAVING off >= {MIXED} AND off >= {MIXED_SHARE} * read"
    ).fetchall()
    n, of = (sum(row[i] for row in rows) for i in (0, 1))
    return Remark(remark.MIXED_DATES, source=contract.source, field=name, n=n, of=of) if n else None


def _day_or_month(con: duckdb.DuckDBPyConnection, contract: Contract, name: str) -> Remark | None:
    """Return a remark where no date of a delivery, or of several months of it, is after the 12th.

    Day and month interchanged? Of a year so written, the days beyond the 12th are no dates: none
    is left. A spreadsheet interchanges the others alone, and leaves those: of a delivery of few
    months, they fall into all the others. Its last month may well end before the 12th.
    """
    if contract.fields[name].format.replace("-", "").startswith("%Y%m%d"):
        return None
    rows = con.execute(
        f"WITH days AS (SELECT delivery, CAST({quote(name)} AS DATE) AS day FROM rows "
        f"WHERE {_sound()} AND {quote(name)} IS NOT NULL), "
        "months AS (SELECT delivery, date_trunc('month', day) AS month, count(*) AS n, "
        "max(day(day)) AS last, list(DISTINCT day(day)) AS days, list(DISTINCT day) AS dates, "
        "date_trunc('month', max(max(day)) OVER (PARTITION BY delivery)) AS latest "
        "FROM days GROUP BY delivery, month) "
        "SELECT CAST(sum(n) AS BIGINT), CAST(sum(len(dates)) AS BIGINT), max(last), "
        "len(list_distinct(flatten(list(days)))), count(DISTINCT month(month)), "
        f"CAST(coalesce(sum(n) FILTER ({_early()}), 0) AS BIGINT), count(*) FILTER ({_early()}) "
        "FROM months GROUP BY delivery ORDER BY delivery"
    ).fetchall()
    told = 0
    for n, dates, last, days, months, early, early_months in rows:
        none_after = dates >= DATES and days >= DAYS_OF_MONTH and months >= MONTHS
        if last <= LAST_MONTH:
            told += n if none_after else 0
        elif early_months >= MONTHS:
            told += early
    if not told:
        return None
    return Remark(remark.DAY_OR_MONTH, source=contract.source, field=name, n=told)


def _early() -> str:
    """Return the SQL test of a month, not the last, of dates enough and none after the 12th.

    Nor all on the first: that is what publishers write for an unknown day (`pile_ups`).
    """
    return f"n >= {DATES} AND last BETWEEN 2 AND {LAST_MONTH} AND month < latest"


def _twelve_hours(
    con: duckdb.DuckDBPyConnection, contract: Contract, *, many: bool
) -> Remark | None:
    """Return a remark where no known hour lies beyond noon's: mornings and evenings confounded?

    Of hours enough (HOURS_KNOWN), and of nearly all of the twelve (HOURS_MET), noon's among them.
    Those of a delivery, where the source has `many`.
    """
    rule = contract.observation
    assert rule is not None
    if moments.best(rule, contract.fields) > moments.HOUR:
        return None
    rows = con.execute(
        "SELECT delivery, count(*), count(DISTINCT h), min(h), max(h) FROM (SELECT delivery, "
        f'hour("@began") AS h FROM rows WHERE {_sound()} AND "@level" <= {moments.HOUR} '
        'AND "@began" IS NOT NULL) GROUP BY delivery ORDER BY delivery'
    ).fetchall()
    twelve = [
        (delivery, n)
        for delivery, n, met, first, last in rows
        if n >= HOURS_KNOWN and met >= HOURS_MET and (first, last) == (1, NOON)
    ]
    if not twelve:
        return None
    sizes = tuple(float(delivery) for delivery, _ in twelve) if many else ()
    n = sum(n for _, n in twelve)
    return Remark(remark.TWELVE_HOURS, source=contract.source, sizes=sizes, n=n)


def _between(
    con: duckdb.DuckDBPyConnection, contract: Contract, receipt: Mapping[str, Any]
) -> list[Remark | None]:
    """Return what several deliveries of a source say of one another."""
    _find_anew(con)
    return [
        _twice(con, contract), _dropped(con, contract), _reused(con, contract),
        _denied(con, contract) if receipt["order"] == NAMES else None,
    ]  # fmt: skip


def _find_anew(con: duckdb.DuckDBPyConnection) -> None:
    """Make table `anew` (delivery, lo, hi): those that give again dates of the ones before.

    From `lo` to `hi`, the moments that they cover: all, or all but the first and last ones, where a
    lone date is far from the others (SPAN).
    """
    spans = " UNION ".join(
        f"SELECT delivery, quantile_disc(began, {low}) AS lo, quantile_disc(began, {high}) AS hi "
        "FROM sound GROUP BY delivery"
        for low, high in ((0, 1), SPAN)
    )
    con.execute(
        'CREATE OR REPLACE TEMP TABLE anew AS WITH sound AS (SELECT delivery, "@number" AS one, '
        f'"@began" AS began FROM rows WHERE {_sound()} AND "@began" IS NOT NULL), '
        f"spans AS ({spans}), "
        # Of each record, when it was first said: as many as there are records, not as versions.
        "firsts AS (SELECT one, min(delivery) AS first, CAST(arg_min(began, delivery) AS DATE) "
        "AS day FROM sound GROUP BY one), "
        "held AS (SELECT first, day, count(*) AS n FROM firsts GROUP BY ALL), "
        "before AS (SELECT delivery, lo, hi, sum(n) AS n FROM spans JOIN held "
        f"ON first < delivery AND {_within('day')} GROUP BY ALL), "
        "given AS (SELECT DISTINCT delivery, one FROM sound), "
        "again AS (SELECT delivery, lo, hi, count(*) AS n FROM given JOIN firsts USING (one) "
        f"JOIN spans USING (delivery) WHERE first < delivery AND {_within('day')} GROUP BY ALL) "
        "SELECT delivery, lo, hi FROM before JOIN again USING (delivery, lo, hi) "
        f"WHERE again.n >= {AGAIN} * before.n"
    )


def _within(day: str) -> str:
    return f"{day} BETWEEN CAST(lo AS DATE) AND CAST(hi AS DATE)"


def _twice(con: duckdb.DuckDBPyConnection, contract: Contract) -> Remark | None:
    """Return a remark on the rows counted twice: said word for word by a delivery before theirs."""
    n = con.execute(
        "SELECT count(*) FROM rows WHERE delivery IN (SELECT delivery FROM anew) "
        "AND \"@fate\" = 'accepted' "
        "AND EXISTS (SELECT 1 FROM rows AS one WHERE one.\"@fate\" = 'accepted' "
        'AND one."@content" = rows."@content" AND one.delivery < rows.delivery)'
    ).fetchall()[0][0]
    return Remark(remark.TWICE, source=contract.source, n=n) if n else None


def _dropped(con: duckdb.DuckDBPyConnection, contract: Contract) -> Remark | None:
    """Return a remark on the records still counted that a later delivery gives no more.

    Of those deliveries that give anew the dates in which they lie. `field`: the key, if any.
    """
    n = con.execute(
        'SELECT count(*) FROM (SELECT "@number" AS one, max(delivery) AS delivery, '
        'arg_max("@began", delivery) AS began FROM rows WHERE ' + _sound() + " GROUP BY 1 "
        "HAVING bool_or(\"@fate\" = 'accepted')) AS last WHERE EXISTS (SELECT 1 FROM anew "
        "WHERE anew.delivery > last.delivery AND last.began BETWEEN lo AND hi)"
    ).fetchall()[0][0]
    field = ", ".join(contract.key)
    return Remark(remark.DROPPED, source=contract.source, field=field, n=n) if n else None


def _reused(con: duckdb.DuckDBPyConnection, contract: Contract) -> Remark | None:
    """Return a remark where most rows replaced are weeks away from what replaces them.

    A corrected fact seldom changes its day by so much: the number stands for two facts.
    """
    n, of = con.execute(
        'SELECT count(*) FILTER (abs(date_diff(\'day\', old."@began", new."@began")) > '
        f'{REUSED_DAYS}), count(*) FROM rows AS old JOIN rows AS new USING ("@number") '
        f'WHERE old."@fate" = {literal(REPLACED)} AND new."@fate" = \'accepted\''
    ).fetchall()[0]
    if n < REUSED or 2 * n <= of:
        return None
    field = ", ".join(contract.key)
    return Remark(remark.REUSED, source=contract.source, field=field, n=n, of=of)


def _denied(con: duckdb.DuckDBPyConnection, contract: Contract) -> Remark | None:
    """Return a remark where names put last a delivery that ends before the one it replaces."""
    rule = contract.observation
    assert rule is not None
    if contract.revised_at is not None:
        return None
    n, of = con.execute(
        f'WITH ends AS (SELECT delivery, quantile_disc("@began", {SPAN[1]}) AS last FROM rows '
        f"WHERE {_sound()} GROUP BY delivery) SELECT count(*) FILTER (a.last > b.last), count(*) "
        'FROM rows AS old JOIN rows AS new USING ("@number") JOIN ends AS a ON a.delivery = '
        "old.delivery JOIN ends AS b ON b.delivery = new.delivery "
        f'WHERE old."@fate" = {literal(REPLACED)} AND new."@fate" = \'accepted\''
    ).fetchall()[0]
    return Remark(remark.ORDER_DENIED, source=contract.source, n=n, of=of) if n else None
