"""Sorting raw rows: accepted, or set aside with the first rule broken; one version a record.

Nothing is dropped: rows in = accepted + set aside. A row set aside keeps its text as let in, and
the reason: a rule (`hors_liste:type_n2`), `duplicate` (the same record, word for word), `replaced`
(an older version of a record, of which a later one is accepted: the history), `annule` and
`annulation` (a fact and the row that takes it back).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import duckdb

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.base.workspace import scratch
from helpers.core.city import contract_sql, moments
from helpers.core.city.contract import Contract
from helpers.core.city.contract_sql import Frame
from helpers.core.city.names import DUPLICATE, FAULT, GEOMETRY, REPLACED, ROW, SPOT
from helpers.ingest import cancelled_rows, clock_forms, zone_parts
from helpers.ingest.observations import skipped

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
        contract_sql.broken(n, rule, _said(n), quote(n)) for n, rule in contract.fields.items()
    ]
    first = [
        FAULT,
        contract_sql.swapped(contract, quote, frame),
        *broken,
        _between_fields(contract, doubtful),
    ]
    fields = [quote(name) for name in contract.fields]
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


def _said(name: str) -> str:
    return quote(f"said {name}")


def _between_fields(contract: Contract, doubtful: Mapping[str, str]) -> str:
    """Return the SQL of the reason code of the first rule broken between typed fields, or NULL."""
    tests = {**doubtful, **(dict(_time_tests(contract)) if contract.observation else {})}
    below = cancelled_rows.negative(contract)
    if below:
        tests[cancelled_rows.NEGATIVE] = below
    for check in contract.checks:
        sign = "<" if check.at_least else ">"
        tests[check.reason] = f"{quote(check.field)} {sign} {quote(check.other)}"
    if not tests:
        return "NULL"
    return f"CASE {' '.join(f'WHEN {test} THEN {literal(r)}' for r, test in tests.items())} END"


def _remark(contract: Contract, zone: str) -> str:
    """Return the SQL of what is odd in a row that stays accepted, or NULL.

    A wall time that the change to summer time skips: the fact is real, its hour was written by a
    clock that nobody had put forward.
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
) -> dict[str, int]:
    """Write `out/accepted/<source>.parquet` and `out/quarantined/<source>.parquet`.

    Return the count of each fate. Accepted: `row_number`, `record`, `remark`, the typed
    fields, the sign of its point, and the geometry of a division. Set aside: the raw row and its
    `reason`. Both in the file's order. `frame`: where the city is, in the source's coordinates,
    where that is known.
    """
    store.view(con, "raw", raw)
    doubtful = clock_forms.check(con, contract)
    with scratch() as folder:
        path = store.spill(
            con, judged(contract, timezone, doubtful, frame), folder / "judged.parquet"
        )
        store.view(con, "judged", path)
        (zone_parts.find_older if contract.kind == "division" else _find_losers)(con, contract)
        cancelled_rows.find_cancelled(con, contract)
        accepted, quarantined = (
            out / kind / f"{contract.source}.parquet" for kind in ("accepted", "quarantined")
        )
        store.write(
            con,
            "SELECT * EXCLUDE (reason, delivery) FROM judged WHERE reason IS NULL "
            f"AND {ROW} NOT IN (SELECT {ROW} FROM losers)",
            accepted,
            order_by=[ROW],
        )
        hidden = f"{FAULT}, {SPOT}" if contract.point else FAULT
        store.write(
            con,
            f"WITH fates AS (SELECT {ROW}, reason FROM judged WHERE reason IS NOT NULL "
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


def _find_losers(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Make table `losers` (row_number, fate): sound rows that another version of theirs beats.

    The latest revision wins, then the latest delivery, then the greatest content: never the order
    within a file. A row that says nothing of its key is nobody's version.
    """
    fields = ", ".join(quote(name) for name in contract.fields)
    key = ", ".join(quote(name) for name in (contract.key or contract.fields))
    known = " OR ".join(f"{quote(n)} IS NOT NULL" for n in contract.key) or "TRUE"
    if contract.repeats:
        known = "FALSE"
    revised = quote(contract.revised_at) if contract.revised_at else "NULL"
    con.execute("CREATE OR REPLACE TEMP TABLE repeated (record UBIGINT)")
    rows = con.execute("SELECT count(*) FROM judged").fetchall()[0][0]
    parts = rows // KEYS_AT_ONCE + 1
    for part in range(parts):
        con.execute(
            f"INSERT INTO repeated SELECT record FROM judged WHERE reason IS NULL "
            f"AND record % {parts} = {part} GROUP BY record HAVING count(*) > 1"
        )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE losers AS WITH versions AS (SELECT {ROW}, {key}, delivery, "
        f"{revised} AS revised, md5(CAST(row({fields}) AS VARCHAR)) AS content FROM judged "
        f"WHERE reason IS NULL AND ({known}) AND record IN (SELECT record FROM repeated)), "
        f"ranked AS (SELECT {ROW}, content, row_number() OVER best AS place, "
        "first_value(content) OVER best AS winner FROM versions WINDOW best AS (PARTITION BY "
        f"{key} ORDER BY revised DESC NULLS LAST, delivery DESC, content DESC, {ROW})) "
        f"SELECT {ROW}, CASE WHEN content = winner THEN '{DUPLICATE}' ELSE '{REPLACED}' END "
        "AS fate FROM ranked WHERE place > 1"
    )
