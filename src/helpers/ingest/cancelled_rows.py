"""Rows that take other rows back: a negative count cancels a fact counted before.

Some publishers never rewrite what they have published: a fact that proves unfounded, or is coded
anew, gets a second row of count −1. Adding up the counts gives the right total of a city and a
month, but not of a cell or an hour: the second row often has no place. So each such row is paired
with the row that it takes back, and both are set aside: what is left is the net, everywhere.
"""

from __future__ import annotations

import duckdb

from helpers.core.base.store import quote
from helpers.core.city.contract import Contract
from helpers.core.city.names import OURS, ROW

# The row that takes back, the row taken back, and a row that takes back what is not there.
CANCELS, CANCELLED, ORPHAN = "annulation", "annule", "annulation_sans_fait"
NEGATIVE = "incoherent:compte_negatif"


def negative(contract: Contract) -> str | None:
    """Return the SQL test that a row counts less than nothing; None where that has a meaning."""
    rule = contract.observation
    if rule is None or rule.count is None or rule.cancels:
        return None
    return f"{quote(rule.count)} < 0"


def find_cancelled(con: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Add to table `losers` (row_number, fate) both rows of each pair, and the rows without one.

    Sound rows of view `judged` that no other version beats. In a list of `cancels` a field that
    either row leaves empty agrees with nothing. Of several rows that say the same of a list's
    fields, the first by content is taken back: the order of the rows has no part in it.
    """
    rule = contract.observation
    if rule is None or not rule.cancels:
        return
    count = quote(rule.count or "")
    size, place = (quote(f"{OURS}{name}") for name in ("size", "place"))
    fields = ", ".join(quote(name) for name in contract.fields)
    sound = f"judged WHERE reason IS NULL AND {ROW} NOT IN (SELECT {ROW} FROM losers)"
    con.execute(f"CREATE OR REPLACE TEMP TABLE takers AS SELECT * FROM {sound} AND {count} < 0")
    for names in rule.cancels:
        key = ", ".join([quote(name) for name in names] + [size])
        known = " AND ".join(f"{quote(name)} IS NOT NULL" for name in names)
        ranked = (
            f"SELECT {ROW}, {key}, row_number() OVER (PARTITION BY {key} "
            f"ORDER BY md5(CAST(row({fields}) AS VARCHAR)), {ROW}) AS {place} FROM "
        )
        takers = f"(SELECT *, -{count} AS {size} FROM takers WHERE {known})"
        facts = (
            f"(SELECT *, {count} AS {size} FROM {sound} AND {count} > 0 AND {known}) "
            f"SEMI JOIN {takers} USING ({key})"
        )
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE pairs AS WITH a AS ({ranked}{takers}), "
            f"b AS ({ranked}{facts}) SELECT a.{ROW} AS taker, b.{ROW} AS fact "
            f"FROM a JOIN b USING ({key}, {place})"
        )
        con.execute(
            f"INSERT INTO losers SELECT taker, '{CANCELS}' FROM pairs "
            f"UNION ALL SELECT fact, '{CANCELLED}' FROM pairs"
        )
        con.execute(f"DELETE FROM takers WHERE {ROW} IN (SELECT taker FROM pairs)")
    con.execute(f"INSERT INTO losers SELECT {ROW}, '{ORPHAN}' FROM takers")
