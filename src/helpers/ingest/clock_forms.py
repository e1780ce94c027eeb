"""Whether the hours of a source are written as its contract says, before any number comes out.

A column of hours (0 to 23) read as the digits of 24 h time puts every fact within half an hour of
midnight; the reverse sets nearly all of them aside. The values tell which it is.
"""

from __future__ import annotations

import duckdb

from helpers.core.base.errors import PhareError
from helpers.core.base.store import quote
from helpers.core.city import contract_sql, moments
from helpers.core.city.contract import Contract
from helpers.core.city.observation_rule import TimeParts

ENOUGH = 2  # rows: a single one may happen to be at 00:14


def check(con: duckdb.DuckDBPyConnection, contract: Contract) -> dict[str, str]:
    """Return reason code → SQL test of rows of a doubtful hour.

    Raise PhareError where the hours are not in the form that the contract tells: judged delivery by
    delivery, as an edition may differ from the one before. View `raw`.
    """
    doubtful: dict[str, str] = {}
    rule = contract.observation
    for when in (rule.started_at, rule.ended_at) if rule else ():
        if isinstance(when, TimeParts) and (field := when.hhmm or when.hour):
            doubtful |= _check(con, contract, field, digits=when.hhmm is not None)
    return doubtful


def _check(
    con: duckdb.DuckDBPyConnection, contract: Contract, field: str, *, digits: bool
) -> dict[str, str]:
    text = contract_sql.text(field, contract.fields[field])
    rows = con.execute(
        "SELECT delivery, max(v), count(*) FILTER (v > 0), "
        "count(*) FILTER (v > 24 AND v <= 2400 AND v % 100 < 60), "
        "count(*) FILTER (v BETWEEN 1 AND 59 AND v != 24), bool_or(v = 24) "
        f"FROM (SELECT delivery, TRY_CAST({text} AS BIGINT) AS v FROM raw) "
        "GROUP BY delivery ORDER BY delivery"
    ).fetchall()
    doubtful = []
    for delivery, most, told, clocks, past_midnight, bare in rows:
        if digits and told >= ENOUGH and most <= moments.LAST_HOUR:
            raise _wrong(contract, field, delivery, "hhmm", "hour", f"ne dépasse pas {most}")
        if not digits and clocks >= ENOUGH:
            raise _wrong(contract, field, delivery, "hour", "hhmm", f"va jusqu'à {most}")
        if digits and bare and not past_midnight:
            doubtful.append(str(delivery))
    if not doubtful:
        return {}
    # « 24 » where no other minute after midnight is ever written: 0 h 24, or 24 h?
    listed, value = ", ".join(doubtful), f"TRY_CAST({quote(field)} AS BIGINT)"
    test = f"{value} = {moments.LAST_HOUR} AND delivery IN ({listed})"
    return {f"{moments.DOUBTFUL}:{field}": test}


def _wrong(
    contract: Contract, field: str, delivery: int, told: str, right: str, why: str
) -> PhareError:
    forms = {"hhmm": "des heures et minutes (930 pour 9 h 30)", "hour": "des heures (0 à 23)"}
    return PhareError(
        f"le contrat dit que « {field} » donne {forms[told]}, mais ce champ {why} : "
        f"il donne {forms[right]}",
        f"source « {contract.source} », livraison n° {delivery}",
        f"écrire `{right}: {field}` à la place de `{told}: {field}` dans le contrat",
    )
