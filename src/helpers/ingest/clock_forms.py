"""Whether days and hours are written as the contract says, before any number comes out.

A column of hours (0 to 23) read as the digits of 24 h time puts every fact within half an hour of
midnight; the reverse sets nearly all of them aside. Dates whose day and month are one for the
other are set aside where the day is after the 12th, and on another day where it is not. The values
tell which it is.
"""

from __future__ import annotations

import duckdb

from helpers.core.base.errors import PhareError
from helpers.core.base.store import quote
from helpers.core.city import contract_sql, formats, moments
from helpers.core.city.contract import Contract
from helpers.core.city.contract_sql import INTERCHANGED, OFF
from helpers.core.city.observation_rule import TimeParts

LAST_MONTH = 12  # a day above it is no month
ENOUGH = 2  # rows: a single one may happen to be at 00:14


def check(con: duckdb.DuckDBPyConnection, contract: Contract) -> dict[str, str]:
    """Return reason code → SQL test of rows of a doubtful hour.

    Raise PhareError where the hours are not in the form that the contract tells: judged delivery by
    delivery, as an edition may differ from the one before. View `raw`.
    """
    for name, told in contract.fields.items():
        if told.type in ("date", "timestamp") and formats.interchanged(told.format):
            _check_day_and_month(con, contract, name)
    doubtful: dict[str, str] = {}
    rule = contract.observation
    for when in (rule.started_at, rule.ended_at) if rule else ():
        if isinstance(when, TimeParts) and (field := when.hhmm or when.hour):
            doubtful |= _check(con, contract, field, digits=when.hhmm is not None)
    return doubtful


def _check_day_and_month(con: duckdb.DuckDBPyConnection, contract: Contract, name: str) -> None:
    rule = contract.fields[name]
    said = contract_sql.text(name, rule)
    off = f"starts_with(said, '{OFF}{INTERCHANGED}')"
    day = f"day({contract_sql.typed('said', rule, contract.file.decimal, 'UTC')})"
    counted = con.execute(
        f"SELECT delivery, count(*) FILTER ({off}) AS n FROM (SELECT delivery, {said} AS said "
        f"FROM raw) GROUP BY delivery HAVING n >= {ENOUGH} ORDER BY delivery"
    ).fetchall()
    for delivery, interchanged in counted:  # of these alone, all dates are read
        [(last,)] = con.execute(
            f"SELECT max({day}) FROM (SELECT {said} AS said FROM raw WHERE delivery = {delivery}) "
            f"WHERE NOT {off}"
        ).fetchall()
        if (last or 0) <= LAST_MONTH:
            right = formats.interchanged(rule.format)
            raise PhareError(
                f"le contrat dit que « {name} » s'écrit {rule.format}, mais {interchanged} dates "
                "de cette livraison ne se lisent que jour et mois échangés, et aucune n'y tombe "
                "après le 12",
                f"source « {contract.source} », livraison n° {delivery}",
                f"écrire `format: \"{right}\"` ; si d'autres livraisons sont dans l'autre ordre, "
                "les demander toutes dans le même",
            )


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
