"""The months of the sources whose facts are known by the month alone: received, missing, covered.

A month is missing where nothing of it came, or hardly anything (`silence_share` of the usual month,
where that is enough for chance not to explain it): a table that ends, or begins, in the middle of
a month. A month that the contract does not cover is neither missing nor zero: it is not the
source's to tell.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.place_time.months import after, full_months
from helpers.reliability.silence import DENSE

MONTHS = pa.schema(
    [
        ("source", pa.string()), ("month", pa.date32()), ("n", pa.int64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def monthly_sources(city: City) -> list[str]:
    """Return the sources whose facts are known by the month alone."""
    return sorted(
        name for name, contract in city.contracts.items() if contract.precision == "month"
    )


def find(con: duckdb.DuckDBPyConnection, city: City, share: float) -> pa.Table:
    """Return a row of MONTHS for each full month of the period and each monthly source.

    `n` is the sum of its counts, null where the month is not `ok`; `share` is `silence_share`.
    View `observations`.
    """
    rows: list[dict[str, Any]] = []
    every = full_months(city.about.period.start, city.about.period.end)
    for source in monthly_sources(city):
        came = dict(
            con.execute(
                "SELECT CAST(date_trunc('month', hour) AS DATE), CAST(sum(n) AS BIGINT) "
                "FROM observations WHERE source = ? GROUP BY 1 ORDER BY 1",
                [source],
            ).fetchall()
        )
        gone = coverage.uncovered(city, source, None, WHOLE).everywhere
        covered = [month for month in every if not _touched(month, gone)]
        brought = [came[month] for month in covered if came.get(month, 0) > 0]
        usual = float(np.median(brought)) if brought else 0.0
        for month in every:
            reason = (
                coverage.NOT_COVERED if month not in covered
                else "nothing_received" if month not in came
                else "hardly_received" if usual >= DENSE and came[month] <= share * usual
                else ""
            )  # fmt: skip
            status = "missing" if reason else "ok"
            rows.append({"source": source, "month": month, "status": status, "reason": reason,
                         "n": None if reason else came[month]})  # fmt: skip
    return pa.Table.from_pylist(rows, schema=MONTHS)


def _touched(month: dt.date, days: coverage.Days) -> bool:
    return any(month <= day < after(month) for day in days)


def silence(months: pa.Table) -> dict[str, dict[str, Any]]:
    """Return, of each monthly source, the share of covered months that are missing, and since when.

    `mute_since`: first day of a silence that still lasts, None where the last month came.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for row in months.to_pylist():
        if row["reason"] != coverage.NOT_COVERED:
            found.setdefault(row["source"], []).append(row)
    told = {}
    for source, rows in found.items():
        missing = [row["status"] == "missing" for row in rows]
        lasting = next((i for i, gone in enumerate(reversed(missing)) if not gone), len(rows))
        told[source] = {
            "missing": round(sum(missing) / len(rows), 6),
            "mute_since": rows[-lasting]["month"] if lasting else None,
        }
    return told
