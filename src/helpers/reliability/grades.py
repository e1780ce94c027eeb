"""How far each source can be trusted: validity, place, delay, silence; a grade A to D."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.core.city.coverage import NOT_COVERED
from helpers.core.city.names import DUPLICATE, OUT_OF_PERIOD, REPLACED, WHOLE
from helpers.core.place_time.calendar import full_weeks
from helpers.core.stage.receipts import read_receipts
from helpers.reliability import decay, set_aside
from helpers.reliability.knobs import Knobs
from helpers.reliability.months import silence

GRADES = "ABCD"
MEASURES = ("valid", "located", "delay", "missing", "decay")
FATES = ("rows_in", "accepted", "quarantined", "duplicates", "replaced", "out_of_period")


def accounts(city: City, data: Path) -> list[dict[str, Any]]:
    """Return, of each source, its rows in and what became of them (FATES), and its `faults`.

    Rows in are those of the receipt, counted at the door: the sum is a check, not a definition.
    `quarantined`, by reason, is without the rows of a sound fact out of the city's period; `faults`
    are those of its rows that broke a rule, but for the facts dated out of the period.
    """
    con = store.connect()
    refused = set_aside.by_day(con, city, data)
    receipts = read_receipts(data / "raw")
    found = []
    for name in city.contracts:
        accepted = con.execute(
            "SELECT count(*) FROM read_parquet(?)", [str(data / "accepted" / f"{name}.parquet")]
        ).fetchall()[0][0]
        reasons = dict(
            con.execute(
                "SELECT reason, count(*) FROM read_parquet(?) GROUP BY 1 ORDER BY 1",
                [str(data / "quarantined" / f"{name}.parquet")],
            ).fetchall()
        )
        duplicates, replaced = reasons.pop(DUPLICATE, 0), reasons.pop(REPLACED, 0)
        outside = reasons.pop(OUT_OF_PERIOD, 0)
        every = sum(n for reason, n in reasons.items() if set_aside.FAULT in reason)
        faults = set_aside.counted(refused.get(name, {None: every}), city.about.period)
        found.append(
            {
                "source": name,
                "rows_in": receipts[name]["rows"],
                "accepted": accepted,
                "quarantined": reasons,
                "duplicates": duplicates,
                "replaced": replaced,
                "out_of_period": outside,
                "faults": faults,
            }
        )
    con.close()
    return found


def weeks(con: duckdb.DuckDBPyConnection, city: City, days: pa.Table) -> pa.Table:
    """Return source, week (Monday), n, status, missing_days, uncovered_days of each full week.

    A week is `missing` where one of its days (rows of `silence.DAYS`) is: what it holds is not the
    week's count; `uncovered_days` are those of them that the contract does not cover. Yearly
    sources have no weeks.
    """
    mondays = full_weeks(city.about.period.start, city.about.period.end)
    con.register("days_given", days)
    con.register("mondays", pa.table({"week": pa.array(mondays, pa.date32())}))
    found = store.table(
        con,
        "SELECT source, week, CAST(sum(n) AS BIGINT) AS n, "
        "CASE WHEN bool_or(status = 'missing') THEN 'missing' ELSE 'ok' END AS status, "
        "count(*) FILTER (status = 'missing') AS missing_days, "
        f"count(*) FILTER (reason = '{NOT_COVERED}') AS uncovered_days FROM days_given "
        "JOIN mondays ON week = date_trunc('week', day) "
        f"WHERE division = {store.literal(WHOLE)} GROUP BY ALL ORDER BY ALL",
    )
    con.unregister("days_given")
    con.unregister("mondays")
    return found


def letter(value: float, bounds: Sequence[float], *, more_is_better: bool) -> str:
    """Return the grade of `value` against the bounds of A, B and C."""
    for grade, bound in zip(GRADES, bounds, strict=False):
        if (value >= bound) if more_is_better else (value <= bound):
            return grade
    return GRADES[-1]


def median_delay(city: City) -> str:
    """Return the SQL of the median delay of entry, in days, of rows of `observations`.

    Of a source that tells the day of entry alone, in whole days: its midnight is no hour.
    """
    by_day = [name for name in city.observed_sources() if _entered_by_day(city.contracts[name])]
    minutes = "date_diff('minute', ended_at, recorded_at)"
    if by_day:
        zone = store.literal(city.about.timezone)
        ended, recorded = (
            f"CAST(timezone({zone}, timezone('UTC', {name})) AS DATE)"
            for name in ("ended_at", "recorded_at")
        )
        listed = ", ".join(map(store.literal, by_day))
        days = f"1440 * ({recorded} - {ended})"
        minutes = f"CASE WHEN source IN ({listed}) THEN {days} ELSE {minutes} END"
    return f"round(median({minutes}) / 1440.0, 3)"


def _entered_by_day(contract: Contract) -> bool:
    name = contract.observation.recorded_at if contract.observation else None
    return bool(name) and contract.fields[name or ""].type == "date"


def located(city: City) -> str:
    """Return the SQL of whether the place of a row of `observations` is known, as 0 or 1.

    By its point; of a source that has none and says the zone, by its zone.
    """
    by_zone = ", ".join(store.literal(name) for name in zoned(city))
    known = "place_precision IN ('point', 'snapped')"
    if by_zone:
        known += f" OR (source IN ({by_zone}) AND place_precision = 'zone')"
    return f"CAST({known} AS INTEGER)"


def zoned(city: City) -> list[str]:
    """Return the sources whose place is a zone that they say, and no point."""
    rules = ((name, city.contracts[name]) for name in city.observed_sources())
    return [
        name for name, one in rules
        if one.point is None and one.observation and one.observation.declared_zones
    ]  # fmt: skip


def _measured(con: duckdb.DuckDBPyConnection, city: City) -> dict[str, dict[str, Any]]:
    rows = store.records(
        con,
        "SELECT source, "
        f"round(avg({located(city)}), 6) AS located, "
        "bool_and(time_precision = 'year' OR (time_precision = 'month' "
        "AND place_precision IN ('zone', 'none'))) AS counted, "
        f"{median_delay(city)} AS delay_days FROM observations GROUP BY source",
    )
    return {row["source"]: row for row in rows}


def _silent(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """Return, of each source with days, its silent days and weeks, and since when it is mute."""
    rows = store.records(
        con,
        "WITH told AS (SELECT source, count(*) AS days, "
        "count(*) FILTER (status = 'missing') AS silent_days, max(day) AS last, "
        # Rows that were set aside did come: the source speaks.
        "max(day) FILTER (status = 'ok' OR reason = 'set_aside') AS heard, min(day) AS first "
        f"FROM days WHERE division = {store.literal(WHOLE)} AND reason IS DISTINCT FROM "
        f"'{NOT_COVERED}' GROUP BY source), "
        "gone AS (SELECT source, count(*) FILTER (missing_days > uncovered_days) AS silent_weeks "
        "FROM weeks "
        "GROUP BY source) SELECT *, CASE WHEN heard IS NULL THEN first WHEN heard < last "
        "THEN heard + 1 END AS mute_since FROM told LEFT JOIN gone USING (source)",
    )
    return {row["source"]: row for row in rows}


def grades(
    con: duckdb.DuckDBPyConnection,
    city: City,
    counted: list[dict[str, Any]],
    knobs: Knobs,
    months: pa.Table | None = None,
    lessened: pa.Table | None = None,
) -> list[dict[str, Any]]:
    """Return the grade of each source over the whole period: one row each.

    The worst of the grades of its measures: valid rows (of the period, each counted once), places
    known, delay of entry, days of silence (of months, for a source known by the month: rows of
    `months.MONTHS`), and whether it brings far less than it did (`lessened`, rows of
    `decay.DECAY`); a measure and its grade are None where the source does not tell.
    `mute_since`: first day of a silence that still lasts; `zoned`: whether its places are zones.
    Views `observations`, `days` and `weeks`.
    """
    measured, silent, by_zone = _measured(con, city), _silent(con), zoned(city)
    by_month = silence(months) if months is not None else {}
    fed = {row["source"]: row for row in (lessened.to_pylist() if lessened is not None else [])}
    found = []
    for one in counted:
        kept, faults = one["accepted"], one["faults"]
        here, gone = measured.get(one["source"], {}), silent.get(one["source"], {})
        row = {
            "source": one["source"],
            "valid": round(kept / (kept + faults), 6) if kept + faults else 0.0,
            "located": None if here.get("counted") else here.get("located"),
            "zoned": one["source"] in by_zone,
            "delay_days": here.get("delay_days"),
            "missing": round(gone["silent_days"] / gone["days"], 6) if gone else None,
            "silent_weeks": gone.get("silent_weeks") or 0,
            "mute_since": gone.get("mute_since"),
            "lately": fed.get(one["source"], {}).get("ratio"),
        }
        row |= by_month.get(one["source"], {})
        row |= _letters(row, knobs)
        row["decay_grade"] = decay.GRADE.get(fed.get(one["source"], {}).get("status", ""))
        worst = max(row[f"{name}_grade"] or GRADES[0] for name in MEASURES)
        found.append({**row, "grade": worst})
    return found


def _letters(row: dict[str, Any], knobs: Knobs) -> dict[str, str | None]:
    """Return the grade of each measure of a source, None where it does not tell."""
    judged = {
        "valid": (row["valid"], knobs.valid_min, True),
        "located": (row["located"], knobs.located_min, True),
        "delay": (row["delay_days"], knobs.delay_max_days, False),
        "missing": (row["missing"], knobs.missing_max, False),
    }
    return {
        f"{name}_grade": None if value is None else letter(value, bounds, more_is_better=more)
        for name, (value, bounds, more) in judged.items()
    }


def as_table(rows: list[dict[str, Any]], counted: list[dict[str, Any]]) -> pa.Table:
    """Return the grades joined with the counts of each fate, ready to be written."""
    fates = {
        one["source"]: {
            name: sum(one[name].values()) if name == "quarantined" else one[name] for name in FATES
        }
        for one in counted
    }
    types = {
        "located": pa.float64(), "delay_days": pa.float64(), "missing": pa.float64(),
        "lately": pa.float64(), "mute_since": pa.date32(),
        **{f"{name}_grade": pa.string() for name in MEASURES},
    }  # fmt: skip
    merged = [{**row, **fates[row["source"]]} for row in rows]
    return pa.table(
        {name: pa.array([row[name] for row in merged], types.get(name)) for name in merged[0]}
    )
