"""Sorting raw rows: accepted, or set aside with the first rule broken; one version a record.

Nothing is dropped: rows in = accepted + set aside. A row set aside keeps its text as let in, and
the reason: a rule (`hors_liste:type_n2`), `duplicate` (the same record, word for word), `replaced`
(an older version of a record, of which a later one is accepted: the history), `conflit:cle`
(another content under the key of an accepted row, and nothing tells which is the later one),
`annule` and `annulation` (a fact and the row that takes it back), `hors_periode` (a sound row whose
fact lies outside the period that the city keeps).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import duckdb

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.base.workspace import scratch
from helpers.core.city import contract_sql, moments
from helpers.core.city.about import Period
from helpers.core.city.contract import Contract
from helpers.core.city.contract_sql import NOT_BOUNDED, OFF, Frame
from helpers.core.city.names import (
    CONFLICT,
    DUPLICATE,
    FAULT,
    GEOMETRY,
    ILLEGIBLE,
    LISTED,
    OURS,
    OUT_OF_BOUNDS,
    OUT_OF_PERIOD,
    REPLACED,
    ROW,
    SPOT,
    UNTOLD,
)
from helpers.ingest import cancelled_rows, clock_forms, silent_columns, zone_parts
from helpers.ingest.observations import DEFAULT_MINIMUM, skipped

# Keys looked at in one go when looking for repeated ones: bounds the memory of the search.
KEYS_AT_ONCE = 8_000_000


def judged(
    contract: Contract,
    timezone: str,
    doubtful: Mapping[str, str] = MappingProxyType({}),
    frame: Frame | None = None,
) -> str:
    """Return the SQL of the raw rows judged (view `raw`): typed fields, record, reason, remark.

    `record` identifies the record by the contract's key alone (without one, by all that it says,
    and where rows that repeat are facts, by how many said the same before): the order of the rows
    has no part in it. `doubtful`: what `clock_forms.check` returns. `reason` is NULL where no rule
    is broken. Text, then value, then judgement: three nested selections, so that each is computed
    once.
    """
    decimal, zone = contract.file.decimal, contract.timezone or timezone
    shape = [GEOMETRY] if contract.kind == "division" else [SPOT] if contract.point else []
    kept = [ROW, "delivery", FAULT, *shape]
    texts = [f"{contract_sql.text(n, rule)} AS {_said(n)}" for n, rule in contract.fields.items()]
    values = [
        f"{contract_sql.typed(_said(n), rule, decimal, zone)} AS {quote(n)}"
        for n, rule in contract.fields.items()
    ]
    broken = [
        contract_sql.broken(n, rule, _said(n), quote(n), lenient=n in _places(contract))
        for n, rule in contract.fields.items()
    ]
    first = [
        FAULT,
        contract_sql.swapped(contract, quote, frame),
        *broken,
        _between_fields(contract, doubtful),
    ]
    fields = [_kept(contract, name) for name in contract.fields]
    key = ", ".join(quote(name) for name in (contract.key or contract.fields))
    said = f"CAST(row({key}) AS VARCHAR)"
    if contract.repeats:
        said += f" || row_number() OVER (PARTITION BY {key} ORDER BY {ROW})"
    return (
        f"SELECT {ROW}, delivery, {', '.join([*fields, *shape])}, coalesce({', '.join(first)}) "
        f"AS reason, {_remark(contract, zone)} AS remark, "
        # MD5, not DuckDB's `hash`: that one gave two texts of 16 characters in twelve the same.
        f"md5_number_lower({said}) AS record "
        f"FROM (SELECT *, {', '.join(values)} "
        f"FROM (SELECT {', '.join([*kept, *texts])} FROM raw))"
    )


def _places(contract: Contract) -> list[str]:
    """Return the optional coordinates: a fact whose place cannot be read is still a fact.

    Where the contract gives the reason why a point beyond its bounds is left out, it means it.
    """
    fields = contract.fields
    return [n for n in contract.point or () if not (fields[n].required or fields[n].reason)]


def _kept(contract: Contract, name: str) -> str:
    """Return the SQL of the field as kept: of an optional point, nothing unless it is in bounds."""
    places = _places(contract)
    if name not in places:
        return quote(name)
    inside = " AND ".join(_in_bounds(contract, one) for one in places)
    return f"CASE WHEN {inside} THEN {quote(name)} END AS {quote(name)}"


def _in_bounds(contract: Contract, name: str) -> str:
    rule, value = contract.fields[name], quote(name)
    return contract_sql.within(rule, value) if rule.minimum is not None else f"{value} IS NOT NULL"


def _said(name: str) -> str:
    return quote(f"{OURS}said {name}")


def _between_fields(contract: Contract, doubtful: Mapping[str, str]) -> str:
    """Return the SQL of the reason code of the first rule broken between typed fields, or NULL."""
    tests = {**doubtful, **(dict(_time_tests(contract)) if contract.observation else {})}
    tests |= _fractions(contract)
    below = cancelled_rows.negative(contract)
    if below:
        tests[cancelled_rows.NEGATIVE] = below
    for check in contract.checks:
        sign = "<" if check.at_least else ">"
        tests[check.reason] = f"{quote(check.field)} {sign} {quote(check.other)}"
    if not tests:
        return "NULL"
    return f"CASE {' '.join(f'WHEN {test} THEN {literal(r)}' for r, test in tests.items())} END"


def _fractions(contract: Contract) -> dict[str, str]:
    """Return reason code and test of a count that is no whole number: « 1.234 » is 1 234 to some.

    Rounded, it would be a number that nobody wrote.
    """
    count = contract.observation.count if contract.observation else None
    if count is None or contract.fields[count].type != "float":
        return {}
    return {"incoherent:compte_decimal": f"{quote(count)} <> round({quote(count)})"}


def _remark(contract: Contract, zone: str) -> str:
    """Return the SQL of what is odd in a row that stays accepted, or NULL.

    A wall time that the change to summer time skips: the fact is real, its hour was written by a
    clock that nobody had put forward. Coordinates that cannot be read, or lie out of their bounds:
    the place is not known.
    """
    rule = contract.observation
    if rule is None:
        return "CAST(NULL AS VARCHAR)"
    whens = []
    for key, told in (("debut", rule.started_at), ("fin", rule.ended_at), ("", rule.recorded_at)):
        if told is not None:
            when = moments.of(told, rule, contract.fields)
            name = told if isinstance(told, str) else key
            test = f"{when.level} <= {moments.HOUR} AND {skipped(when.first, zone)}"
            whens.append(f"WHEN {test} THEN {literal(f'heure_inexistante:{name}')}")
    for name in _places(contract):
        off = f"starts_with({_said(name)}, '{OFF}{NOT_BOUNDED}')"
        beyond = f"{off} OR NOT ({_in_bounds(contract, name)})"
        whens.append(f"WHEN {beyond} THEN {literal(f'{OUT_OF_BOUNDS}:{name}')}")
        unread = f"{_said(name)} IS NOT NULL AND {quote(name)} IS NULL"
        whens.append(f"WHEN {unread} THEN {literal(f'{ILLEGIBLE}:{name}')}")
    return f"CASE {' '.join(whens)} END"


def _time_tests(contract: Contract) -> list[tuple[str, str]]:
    """Return reason code and test: no day, an hour that cannot be, an end before the beginning."""
    rule = contract.observation
    assert rule is not None
    began = moments.of(rule.started_at, rule, contract.fields)
    tests = [*moments.unreadable(rule.started_at).items()]
    tests.append(("incoherent:date", f"{began.first} IS NULL"))
    if rule.ended_at:
        ended = moments.of(rule.ended_at, rule, contract.fields)
        tests += moments.unreadable(rule.ended_at).items()
        tests.append(("incoherent:fin_avant_debut", f"{ended.last} < {began.first}"))
    return tests


def sort_rows(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    raw: Path,
    out: Path,
    timezone: str,
    frame: Frame | None = None,
    period: Period | None = None,
    order: str = LISTED,
    without: silent_columns.Silent = MappingProxyType({}),
) -> dict[str, int]:
    """Write `out/accepted/<source>.parquet` and `out/quarantined/<source>.parquet`.

    Return the count of each fate. Accepted: `row_number`, `record`, `remark`, the typed
    fields, the sign of its point, and the geometry of a division. Set aside: the raw row and its
    `reason`. Both in the file's order. `frame`: where the city is, in the source's coordinates,
    where that is known. Facts outside `period`, if given, are set aside; `order` is by what the
    order of the deliveries is told (`delivery_order.told_by`), `without` which of them lack the
    column of which field (`silent_columns.silent`).
    """
    store.view(con, "raw", raw)
    doubtful = clock_forms.check(con, contract)
    with scratch() as folder:
        path = store.spill(
            con, judged(contract, timezone, doubtful, frame), folder / "judged.parquet"
        )
        store.view(con, "judged", path)
        if contract.kind == "division":
            zone_parts.find_older(con, contract)
        else:
            _find_losers(con, contract, order)
        cancelled_rows.find_cancelled(con, contract)
        if period is not None:
            _find_outside(con, contract, period, timezone)
        accepted, quarantined = (
            out / kind / f"{contract.source}.parquet" for kind in ("accepted", "quarantined")
        )
        store.write(
            con,
            f"SELECT * EXCLUDE (reason, delivery){_few_spots(contract)} "
            f"FROM ({silent_columns.kept(con, contract, without)}) WHERE reason IS NULL "
            f"AND {ROW} NOT IN (SELECT {ROW} FROM losers)",
            accepted,
            order_by=[ROW],
        )
        hidden = f"{FAULT}, {SPOT}" if contract.point else FAULT
        store.write(
            con,
            f"WITH fates AS (SELECT {ROW}, {_told(contract, period)} AS reason FROM judged "
            "WHERE reason IS NOT NULL "
            f"UNION ALL SELECT {ROW}, fate FROM losers) "
            f"SELECT raw.* EXCLUDE ({hidden}), reason FROM raw JOIN fates USING ({ROW})",
            quarantined,
            order_by=[ROW],
        )
    con.execute("DROP VIEW judged")
    rows = con.execute(
        "SELECT 'accepted', count(*) FROM read_parquet(?) HAVING count(*) > 0 UNION ALL "
        "SELECT reason, count(*) FROM read_parquet(?) GROUP BY 1 ORDER BY 1",
        [str(accepted), str(quarantined)],
    ).fetchall()
    return dict(rows)


def _few_spots(contract: Contract) -> str:
    """Return the SQL that takes away the signs of points that are no default: too few rows each.

    Left, they would tell facts of one house from those of its neighbours, which the grid hides.
    """
    if contract.point is None:
        return ""
    many = (
        f"SELECT {SPOT} FROM judged WHERE reason IS NULL GROUP BY {SPOT} "
        f"HAVING count(*) >= {DEFAULT_MINIMUM}"
    )
    return f" REPLACE (CASE WHEN {SPOT} IN ({many}) THEN {SPOT} END AS {SPOT})"


def _told(contract: Contract, period: Period | None) -> str:
    """Return the SQL of the reason that is told of a row: a year beyond the period is out of it.

    The door has taken away a moment out of the contract's years; where those hold the city's whole
    period, it lies outside of both.
    """
    rule = contract.observation
    if rule is None or period is None or contract.precision == "year":
        return "reason"
    when = rule.started_at
    name = when if isinstance(when, str) else when.date or when.year
    assert name is not None
    field = contract.fields[name]
    first, last = (
        (field.minimum, field.maximum) if field.type == "int" else (contract.since, contract.until)
    )
    if first is None or last is None or period.start.year < first or period.end.year > last:
        return "reason"
    beyond = literal(contract_sql.beyond(name, field))
    return f"CASE reason WHEN {beyond} THEN '{OUT_OF_PERIOD}' ELSE reason END"


def _find_outside(
    con: duckdb.DuckDBPyConnection, contract: Contract, period: Period, timezone: str
) -> None:
    """Add to table `losers` the sound rows left whose fact begins outside the city's period.

    A fact known by its month is outside where no day of that month is kept. Those of a source that
    knows the year alone are compared year by year, whatever the period.
    """
    rule = contract.observation
    if rule is None or contract.precision == "year":
        return
    began = moments.of(rule.started_at, rule, contract.fields)
    zone = contract.timezone or timezone
    told = [moments.in_city(one, began.level, zone, timezone) for one in (began.first, began.last)]
    first, after = (
        f"TIMESTAMP '{day}'" for day in (period.start, period.end + dt.timedelta(days=1))
    )
    con.execute(
        f"INSERT INTO losers SELECT {ROW}, '{OUT_OF_PERIOD}' FROM judged WHERE reason IS NULL "
        f"AND {ROW} NOT IN (SELECT {ROW} FROM losers) "
        f"AND NOT ({told[0]} < {after} AND {told[1]} >= {first})"
    )


def _ranks(con: duckdb.DuckDBPyConnection, contract: Contract, order: str) -> None:
    """Make table `ranks` (delivery, @rank): the later a delivery, the greater; equal if unknown.

    Where names tell no order, the dates inside do: the last entry of each, or else its last fact.
    """
    rule = contract.observation
    last = "delivery"
    if order == UNTOLD:
        last = "NULL"
        if rule is not None:
            began = moments.of(rule.started_at, rule, contract.fields).first
            told = quote(rule.recorded_at) if rule.recorded_at else began
            last = f"max(CAST({told} AS TIMESTAMP)) FILTER (reason IS NULL)"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE ranks AS SELECT delivery, dense_rank() OVER (ORDER BY last) "
        f"AS {quote(f'{OURS}rank')} "
        f"FROM (SELECT delivery, {last} AS last FROM judged GROUP BY delivery)"
    )


def _find_losers(con: duckdb.DuckDBPyConnection, contract: Contract, order: str) -> None:
    """Make table `losers` (row_number, fate): sound rows that another version of theirs beats.

    The latest revision wins, then the latest delivery, then the greatest content: never the order
    within a file, and hashed identifiers, which another key changes, come last. What the content
    alone parts is no version but a conflict: the key is wrong, or the source does not say what is
    new. A row that says nothing of its key is nobody's version.
    """
    _ranks(con, contract, order)
    fields = ", ".join(quote(name) for name in contract.fields)
    plain = [quote(name) for name, rule in contract.fields.items() if rule.type != "id"]
    key = ", ".join(quote(name) for name in (contract.key or contract.fields))
    known = " OR ".join(f"{quote(n)} IS NOT NULL" for n in contract.key) or "TRUE"
    if contract.repeats:
        known = "FALSE"
    revised = quote(contract.revised_at) if contract.revised_at else "NULL"
    rank, when, content, told = (
        quote(f"{OURS}{name}") for name in ("rank", "revised", "content", "told")
    )
    con.execute("CREATE OR REPLACE TEMP TABLE repeated (record UBIGINT)")
    rows = con.execute("SELECT count(*) FROM judged").fetchall()[0][0]
    parts = rows // KEYS_AT_ONCE + 1
    for part in range(parts):
        con.execute(
            f"INSERT INTO repeated SELECT record FROM judged WHERE reason IS NULL "
            f"AND record % {parts} = {part} GROUP BY record HAVING count(*) > 1"
        )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE losers AS WITH versions AS (SELECT {ROW}, {key}, {rank}, "
        f"{revised} AS {when}, md5(CAST(row({fields}) AS VARCHAR)) AS {content}, "
        f"md5(CAST(row({', '.join(plain) or 'NULL'}) AS VARCHAR)) AS {told} "
        f"FROM judged JOIN ranks USING (delivery) WHERE reason IS NULL AND ({known}) "
        "AND record IN (SELECT record FROM repeated)), "
        f"ranked AS (SELECT {ROW}, {content} AS content, row_number() OVER best AS place, "
        f"first_value({content}) OVER best AS winner, {when} AS revised, first_value({when}) "
        f"OVER best AS last_revised, {rank} AS rank, first_value({rank}) OVER best AS last_rank "
        f"FROM versions WINDOW best AS (PARTITION BY {key} "
        f"ORDER BY {when} DESC NULLS LAST, {rank} DESC, {told} DESC, {content} DESC, {ROW})) "
        f"SELECT {ROW}, CASE WHEN content = winner THEN '{DUPLICATE}' "
        "WHEN revised IS NOT DISTINCT FROM last_revised AND rank = last_rank "
        f"THEN '{CONFLICT}' ELSE '{REPLACED}' END AS fate FROM ranked WHERE place > 1"
    )
