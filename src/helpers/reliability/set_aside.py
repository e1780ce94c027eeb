"""Rows that our own door or rules set aside: what is missing for it is not the source's silence."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pyarrow as pa

from helpers.core.base.store import literal, quote
from helpers.core.city import contract_sql
from helpers.core.city import moments as told_moments
from helpers.core.city.about import Period
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.core.city.names import WHOLE
from helpers.reliability.drift import moment_fields

# A reason with a colon is a fault; without, the row is outside the contract's scope.
FAULT = ":"
SET_ASIDE = "set_aside"  # why a day is missing: its rows came, and were set aside
Days = dict[dt.date | None, int]


def moments(contract: Contract, timezone: str, path: Path) -> str:
    """Return the SQL of `began` of each row of the file set aside for a fault, NULL if illegible.

    Materialised by whoever groups it: DuckDB 1.5.5 fails to bind a TRY(…) that it pushes below a
    GROUP BY.
    """
    rule = contract.observation
    assert rule is not None
    zone, decimal = contract.timezone or timezone, contract.file.decimal
    columns = ", ".join(
        f"{contract_sql.typed(quote(n), contract.fields[n], decimal, zone)} AS {quote(n)}"
        for n in moment_fields(rule)
    )
    when = told_moments.of(rule.started_at, rule, contract.fields)
    return (
        f"SELECT {when.dated} AS began FROM (SELECT {columns} "
        f"FROM read_parquet({literal(path)}) WHERE contains(reason, '{FAULT}'))"
    )


def by_day(con: duckdb.DuckDBPyConnection, city: City, data: Path) -> dict[str, Days]:
    """Return source → day → rows set aside for a fault; under None, those whose day is illegible.

    Reads `quarantined/` of `data`.
    """
    found: dict[str, Days] = {}
    for name, contract in city.contracts.items():
        if contract.observation is not None:
            path = data / "quarantined" / f"{name}.parquet"
            told = moments(contract, city.about.timezone, path)
            rows = con.execute(
                f"WITH told AS MATERIALIZED ({told}) SELECT CAST(began AS DATE), count(*) "
                "FROM told GROUP BY 1 ORDER BY 1"
            ).fetchall()
            found[name] = dict(rows)
    return found


def counted(refused: Days, period: Period) -> int:
    """Return the rows set aside for a fault, but for those whose day lies out of the period."""
    return sum(n for day, n in refused.items() if day is None or period.start <= day <= period.end)


def explained(days: pa.Table, refused: dict[str, Days]) -> pa.Table:
    """Return the days of `silence.find`, the reason SET_ASIDE where set-aside rows explain them.

    Those of a day, added to what it brought, make it more than low. Rows whose day is illegible
    may be of any day: where they are more than all that a source's other missing days lack to be
    heard, none of these is told as its silence.
    """
    rows = days.to_pylist()
    left: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        if row["division"] != WHOLE or row["reason"] not in ("nothing_received", "hardly_received"):
            continue
        here = refused.get(row["source"], {})
        if here.get(row["day"], 0) and row["n"] + here.get(row["day"], 0) > row["low"]:
            row["reason"] = SET_ASIDE
        else:
            left.setdefault(row["source"], []).append(row)
    for source, missing in left.items():
        lacking = sum(int(str(row["low"])) + 1 - int(str(row["n"])) for row in missing)
        if refused.get(source, {}).get(None, 0) >= lacking:
            for row in missing:
                row["reason"] = SET_ASIDE
    return pa.Table.from_pylist(rows, schema=days.schema)
