"""The grade of each source, week by week, in the city and in each zone of each division.

Set-based: one query measures, one grades. A zone is never graded better than its source that week,
and keeps its source's grade where it brought too few records to be measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city.city import City
from helpers.core.city.contract import Contract
from helpers.core.city.coverage import NOT_COVERED
from helpers.core.city.names import NO_PLACE, OUTSIDE, WHOLE
from helpers.core.place_time.counts import DATED
from helpers.core.stats.breaks import STEP
from helpers.reliability import decay, set_aside
from helpers.reliability.grades import GRADES, located, median_delay
from helpers.reliability.knobs import Knobs

MEASURES = ("valid", "located", "delay", "share_in", "missing", "decay", "drift", "break")
# A real jump of one share is no fault; a code that comes, goes or changes its name breaks series.
DRIFT_GRADE = {
    "renamed": "C", "vanished": "C", "away": "C", "new": "B", "back": "B", "jump": "B",
}  # fmt: skip
BREAK_GRADE = "C"


def read_faults(con: duckdb.DuckDBPyConnection, city: City, data: Path) -> None:
    """Make table `faults`: source, week, faults (rows set aside for one, whose day is legible)."""
    con.execute("CREATE OR REPLACE TEMP TABLE faults (source VARCHAR, week DATE, faults BIGINT)")
    for name, contract in city.contracts.items():
        if contract.observation is not None:
            path = data / "quarantined" / f"{name}.parquet"
            con.execute(f"INSERT INTO faults {_faults(contract, city.about.timezone, path)}")


def _faults(contract: Contract, timezone: str, path: Path) -> str:
    return (
        f"WITH told AS MATERIALIZED ({set_aside.moments(contract, timezone, path)}) "
        f"SELECT {literal(contract.source)}, CAST(date_trunc('week', began) AS DATE), count(*) "
        "FROM told WHERE began IS NOT NULL GROUP BY 2"
    )


def measure(con: duckdb.DuckDBPyConnection, city: City) -> None:
    """Make table `measured`: source, division, zone, week, n, located, delay_days.

    A row for each week of the source, even where a zone brought nothing. Views `observations` and
    `weeks`.
    """
    divisions = list(city.about.divisions)
    columns = "".join(f", {quote(f'zone_{name}')}" for name in divisions)
    sets = ", ".join(
        ["(source, week)", *(f"(source, week, {quote(f'zone_{name}')})" for name in divisions)]
    )
    one = [f"WHEN grouping({quote(f'zone_{n}')}) = 0 THEN" for n in divisions]
    division = " ".join(f"{w} {literal(n)}" for w, n in zip(one, divisions, strict=True))
    zone = " ".join(f"{w} {quote(f'zone_{n}')}" for w, n in zip(one, divisions, strict=True))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE brought AS SELECT source, CASE {division} ELSE '{WHOLE}' "
        f"END AS division, CASE {zone} ELSE '{WHOLE}' END AS zone, week, count(*) AS n, "
        f"round(avg({located(city)}), 4) AS located, "
        f"{median_delay(city)} AS delay_days FROM "
        f"(SELECT source, CAST(date_trunc('week', hour) AS DATE) AS week{columns}, "
        f"place_precision, ended_at, recorded_at FROM observations WHERE {DATED}) "
        f"GROUP BY GROUPING SETS ({sets})"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE measured AS SELECT source, division, zone, week, "
        "coalesce(brought.n, 0) AS n, located, delay_days, weeks.missing_days FROM "
        "(SELECT DISTINCT "
        f"source, division, zone FROM brought WHERE zone NOT IN ('{NO_PLACE}', '{OUTSIDE}') "
        f"UNION SELECT DISTINCT source, '{WHOLE}', '{WHOLE}' FROM weeks) JOIN weeks USING (source) "
        "LEFT JOIN brought USING (source, division, zone, week)"
    )


def _letter(value: str, bounds: Sequence[float], *, more_is_better: bool) -> str:
    sign = ">=" if more_is_better else "<="
    whens = " ".join(
        f"WHEN {value} {sign} {bound} THEN '{grade}'"
        for grade, bound in zip(GRADES, bounds, strict=False)
    )
    return f"CASE WHEN {value} IS NOT NULL THEN CASE {whens} ELSE '{GRADES[-1]}' END END"


def grade(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return one row a source, zone and full week: its measures, the grade of each, the worst.

    Columns source, division, zone, week, n, valid, located, delay_days, share_in, missing_days,
    lately (the ratio of a source that brings far less than it did), break_week, `<measure>_grade`
    for each of MEASURES, grade. A measure and its grade are NULL where it does not concern the row
    or is not known; `n` where all seven days are missing; `break_week` where no break may lie in
    this week. `grade` is also no better than the source's; it is NULL for a week of which the
    contract covers no day.
    Tables `measured`, `faults`; views `days`, `nowcast`, `decay`, `drift`, `breaks` as written by
    this stage.
    """
    letters = {
        "valid": _letter("valid", knobs.valid_min, more_is_better=True),
        "located": _letter("located", knobs.located_min, more_is_better=True),
        "delay": _letter("delay_days", knobs.delay_max_days, more_is_better=False),
        "share_in": _letter("share_in", knobs.complete_min, more_is_better=True),
        # What the contract does not cover is missing, and no fault of the source.
        "missing": "CASE WHEN missing_days > uncovered_days THEN 'D' WHEN missing_days = 0 "
        "THEN 'A' END",
        "decay": f"CASE WHEN lately IS NOT NULL THEN '{decay.GRADE['less']}' END",
        "drift": f"CASE WHEN division = '{WHOLE}' THEN coalesce(drifted, 'A') END",
        "break": f"CASE WHEN break_week IS NULL THEN 'A' ELSE '{BREAK_GRADE}' END",
    }
    marks = ", ".join(f"{letters[name]} AS {name}_grade" for name in MEASURES)
    names = ", ".join(f"z.{name}_grade" for name in MEASURES)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE lettered AS SELECT *, "
        f"CASE WHEN uncovered_days < 7 THEN greatest({names.replace('z.', '')}) END AS own FROM "
        f"(SELECT *, {marks} FROM ({_joined(knobs.minimum_count)}))"
    )
    return store.table(
        con,
        "SELECT z.source, z.division, z.zone, z.week, "
        "CASE WHEN greatest(z.missing_days, s.missing_days) < 7 THEN z.n END AS n, z.valid, "
        "z.located, z.delay_days, z.share_in, "
        "CAST(greatest(z.missing_days, s.missing_days) AS BIGINT) AS missing_days, "
        "z.lately, z.break_week, "
        f"{names}, CASE WHEN z.own IS NOT NULL AND s.own IS NOT NULL THEN "
        "greatest(z.own, s.own) END AS grade FROM lettered z JOIN lettered s "
        f"ON s.source = z.source AND s.week = z.week AND s.division = '{WHOLE}' "
        "ORDER BY z.source, z.division, z.zone, z.week",
    )


def of_sources(weeks: pa.Table, graded: pa.Table) -> pa.Table:
    """Return the weeks of the sources (`grades.weeks`), each with its grade (`grade`)."""
    own = graded.filter(pc.field("division") == WHOLE).select(["source", "week", "grade"])
    return weeks.join(own, ["source", "week"], join_type="inner")


def _joined(minimum_count: int) -> str:
    """Return the SQL of what each source, zone and week is graded on.

    What concerns the whole source (valid rows, share in, drift) counts in its own row; a zone has
    its silence, its breaks, and its places and delays where it brought enough records.
    """
    enough = f"(m.division = '{WHOLE}' OR m.n >= {int(minimum_count)})"
    ranked = " ".join(f"WHEN '{kind}' THEN '{g}'" for kind, g in DRIFT_GRADE.items())
    return (
        "SELECT m.source, m.division, m.zone, m.week, m.n, "
        f"CASE WHEN m.division = '{WHOLE}' THEN "
        "round(m.n / nullif(m.n + coalesce(f.faults, 0), 0), 4) END "
        f"AS valid, CASE WHEN {enough} THEN m.located END AS located, "
        f"CASE WHEN {enough} THEN m.delay_days END AS delay_days, "
        f"CASE WHEN m.division = '{WHOLE}' THEN round(coalesce(w.share_in, 1.0), 4) END "
        "AS share_in, "
        f"CASE WHEN m.division = '{WHOLE}' THEN m.missing_days ELSE coalesce(q.silent, 0) END "
        "AS missing_days, coalesce(u.uncovered, 0) AS uncovered_days, "
        "y.ratio AS lately, d.drifted, b.break_week "
        "FROM measured m "
        "LEFT JOIN faults f ON f.source = m.source AND f.week = m.week "
        f"LEFT JOIN nowcast w ON w.source = m.source AND w.week = m.week "
        f"AND w.division = '{WHOLE}' "
        "LEFT JOIN (SELECT source, division, zone, CAST(date_trunc('week', day) AS DATE) AS week, "
        f"count(*) AS silent FROM days WHERE status = 'missing' AND division <> '{WHOLE}' "
        "GROUP BY ALL) q ON q.source = m.source AND q.division = m.division AND q.zone = m.zone "
        "AND q.week = m.week "
        "LEFT JOIN (SELECT source, division, zone, CAST(date_trunc('week', day) AS DATE) AS week, "
        f"count(*) AS uncovered FROM days WHERE reason = '{NOT_COVERED}' GROUP BY ALL) u "
        "ON u.source = m.source AND u.division = m.division AND u.zone = m.zone "
        "AND u.week = m.week "
        "LEFT JOIN decay y ON y.source = m.source AND m.week BETWEEN y.first AND y.last "
        f"AND y.status = 'less' AND m.division = '{WHOLE}' "
        f"LEFT JOIN (SELECT w.source, w.week, max(CASE kind {ranked} END) AS drifted FROM weeks w "
        "JOIN drift USING (source) WHERE counted AND (drift.week = w.week OR "
        "(NOT mapped AND drift.week < w.week)) GROUP BY ALL) d ON d.source = m.source "
        f"AND d.week = m.week AND m.division = '{WHOLE}' "
        "LEFT JOIN (SELECT source, division, zone, doubted AS week, min(week) AS break_week "
        "FROM (SELECT *, unnest(generate_series(first, last, INTERVAL 7 DAY)) AS doubted "
        f"FROM breaks WHERE status = 'ok' AND kind = '{STEP}') "
        "GROUP BY source, division, zone, doubted) b "
        "ON b.source = m.source AND b.division = m.division AND b.zone = m.zone "
        "AND b.week = m.week"
    )
