"""Rows of a division: several of one code, in one delivery, are parts of a zone, not versions.

An islet and the mainland, as shapefiles have them: their fields are the same, their shapes are not.
A later delivery (or revision, where the contract tells it) replaces all the parts of an older one.
"""

from __future__ import annotations

import duckdb

from helpers.core.base.store import quote
from helpers.core.city.contract import Contract
from helpers.core.city.names import DUPLICATE, GEOMETRY, OURS, REPLACED, ROW


def find_older(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Make table `losers` (row_number, fate) of the sound rows of view `judged`.

    Parts of an older version of a zone, and rows that repeat another word for word, shape included.
    """
    fields = ", ".join(quote(name) for name in contract.fields)
    key = ", ".join(quote(name) for name in (contract.key or contract.fields))
    revised = quote(contract.revised_at) if contract.revised_at else "NULL"
    when, content = (quote(f"{OURS}{name}") for name in ("revised", "content"))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE losers AS WITH versions AS (SELECT {ROW}, {key}, delivery, "
        f"{revised} AS {when}, md5(CAST(row({fields}, {GEOMETRY}) AS VARCHAR)) AS {content} "
        "FROM judged WHERE reason IS NULL), "
        f"ranked AS (SELECT {ROW}, rank() OVER newest AS age, "
        f"row_number() OVER (PARTITION BY {key}, {content} ORDER BY {when} DESC NULLS LAST, "
        f"delivery DESC, {ROW}) AS place FROM versions WINDOW newest AS (PARTITION BY {key} "
        f"ORDER BY {when} DESC NULLS LAST, delivery DESC)) "
        f"SELECT {ROW}, CASE WHEN place > 1 THEN '{DUPLICATE}' ELSE '{REPLACED}' END AS fate "
        "FROM ranked WHERE place > 1 OR age > 1"
    )
