"""Columns of a contract that a delivery does not have: it says nothing of them, it takes none away.

A later delivery stands for an earlier one, row by row. Of a column that it does not have, what was
told before is kept: nobody has said otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from helpers.core.base.store import quote
from helpers.core.city import remark
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.core.city.names import OURS
from helpers.core.city.remark import Remark

Silent = Mapping[str, Sequence[int]]  # field → numbers of the deliveries without its column


def silent(contract: Contract, files: Sequence[Mapping[str, Any]]) -> dict[str, list[int]]:
    """Return, of each field that may be kept, the deliveries without its column, from receipts.

    Those that an edition says to be `absent` are without it, too. A key, what makes an observation
    and what a check compares go together in a row: they are never taken from two.
    """
    bound = {*contract.key, contract.revised_at, *contract.observed_fields()}
    bound |= {name for check in contract.checks for name in (check.field, check.other)}
    declared = {one.version: one.absent for one in contract.every_edition()}
    found: dict[str, list[int]] = {}
    for number, one in enumerate(files, start=1):
        for name in (*one["fields_absent"], *declared[one["edition"]]):
            if name not in bound:
                found.setdefault(name, []).append(number)
    heard = {name: numbers for name, numbers in found.items() if len(numbers) < len(files)}
    return heard if contract.key and contract.kind != "division" else {}


def kept(con: duckdb.DuckDBPyConnection, contract: Contract, without: Silent) -> str:
    """Return the SQL of the rows of view `judged`, with what earlier versions of them said.

    Of each field of `without`, where the delivery of the row has no such column: what the latest
    version that has it says, if it says one thing. Needs the table `ranks`.
    """
    if not without:
        return "SELECT * FROM judged"
    rank = quote(f"{OURS}rank")
    revised = quote(contract.revised_at) if contract.revised_at else "NULL"
    joins, fields = [], []
    for i, (name, numbers) in enumerate(without.items()):
        listed, view, field = ", ".join(map(str, numbers)), quote(f"{OURS}kept {i}"), quote(name)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {view} AS SELECT record, max({field}) AS told FROM ("
            f"SELECT record, {field}, rank() OVER (PARTITION BY record ORDER BY {revised} DESC "
            f"NULLS LAST, {rank} DESC) AS place FROM judged JOIN ranks USING (delivery) "
            f"WHERE reason IS NULL AND delivery NOT IN ({listed})) WHERE place = 1 GROUP BY record "
            f"HAVING count({field}) = count(*) AND count(DISTINCT {field}) = 1"
        )
        joins.append(f"LEFT JOIN {view} ON {view}.record = judged.record")
        fields.append(
            f"CASE WHEN judged.delivery IN ({listed}) THEN {view}.told ELSE judged.{field} END "
            f"AS {field}"
        )
    return f"SELECT judged.* REPLACE ({', '.join(fields)}) FROM judged {' '.join(joins)}"


def remarks(city: City, receipts: Mapping[str, Mapping[str, Any]]) -> list[Remark]:
    """Return a remark on each file that does not have all the columns of its contract.

    And on each wide one with columns that nobody names, where a period may be lost.
    """
    told = []
    for source, receipt in receipts.items():
        contract = city.contracts[source]
        editions = {one.version: one for one in contract.every_edition()}
        for one in receipt["files"]:
            left = tuple(map(float, one.get("wide_left", ())))
            if left:
                told.append(
                    Remark(remark.WIDE_LEFT, source=source, names=(one["file"],), sizes=left)
                )
            absent, columns = one["fields_absent"], contract.columns(editions[one["edition"]])
            if absent:
                told.append(
                    Remark(
                        remark.COLUMNS_ABSENT,
                        source=source,
                        names=(one["file"], *(columns[name] for name in absent)),
                        sizes=tuple(map(float, absent.values())),
                        n=sum(
                            not {*absent} <= {*other["fields_absent"]} for other in receipt["files"]
                        ),
                    )
                )
    return told
