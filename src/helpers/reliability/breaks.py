"""Changes of volume of a source, or of a zone's share of it: dated steps, and slow drifts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from helpers.core.base.store import quote
from helpers.core.city.city import City
from helpers.core.city.names import NO_PLACE, OUTSIDE, WHOLE
from helpers.core.place_time.counts import DATED
from helpers.core.stats.breaks import MINIMUM_WEEKS, Floats, find_breaks
from helpers.reliability.knobs import Knobs


def weekly_counts(
    con: duckdb.DuckDBPyConnection, weeks: list[dt.date], division: str | None
) -> dict[str, dict[str, Floats]]:
    """Return source → zone → counts of the weeks. View `observations`."""
    zone = quote(f"zone_{division}") if division else f"'{WHOLE}'"
    rows = con.execute(
        f"SELECT source, {zone} AS zone, CAST(date_trunc('week', hour) AS DATE) AS week, "
        f"count(*) AS n FROM observations WHERE {DATED} "
        f"AND {zone} NOT IN ('{NO_PLACE}', '{OUTSIDE}') GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    at = {week: i for i, week in enumerate(weeks)}
    found: dict[str, dict[str, Floats]] = {}
    for source, place, week, n in rows:
        if week in at:
            series = found.setdefault(source, {})
            series.setdefault(place, np.zeros(len(weeks)))[at[week]] = n
    return found


def find(con: duckdb.DuckDBPyConnection, city: City, knobs: Knobs) -> pa.Table:
    """Return the changes (rows of BREAKS): `kind` is `step` or `drift`.

    `break_alpha` holds for each source, and for all the zones of one division together. A zone's
    series is its share of the source: a break of the source is told once. Series of less than
    `break_minimum_count` records a week are left out; a source that was heard for less than
    `needed_weeks` has one row, `abstained`: `too_short`. Views `observations` and `weeks`.
    """
    heard: dict[str, list[dt.date]] = {}
    for source, week in con.execute(
        "SELECT source, week FROM weeks WHERE status = 'ok' ORDER BY ALL"
    ).fetchall():
        heard.setdefault(source, []).append(week)
    rows: list[dict[str, Any]] = []
    for division in (None, *city.about.divisions):
        every = sorted({week for weeks in heard.values() for week in weeks})
        place = {week: i for i, week in enumerate(every)}
        counts = weekly_counts(con, every, division)
        for source, weeks in heard.items():
            kept = [place[week] for week in weeks]
            series = {z: n[kept] for z, n in sorted(counts.get(source, {}).items())}
            if len(weeks) >= MINIMUM_WEEKS:
                rows += _of_series(source, division, weeks, series, knobs)
            elif division is None:
                rows.append(_abstained(source, len(weeks)))
    return pa.Table.from_pylist(rows, schema=BREAKS)


BREAKS = pa.schema(
    [
        ("source", pa.string()), ("division", pa.string()), ("zone", pa.string()),
        ("week", pa.date32()), ("first", pa.date32()), ("last", pa.date32()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("p", pa.float64()), ("heard_weeks", pa.int64()), ("needed_weeks", pa.int64()),
        ("kind", pa.string()), ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def _abstained(source: str, weeks: int) -> dict[str, Any]:
    return {
        "source": source, "division": WHOLE, "zone": WHOLE, "status": "abstained",
        "reason": "too_short", "heard_weeks": weeks, "needed_weeks": MINIMUM_WEEKS,
    }  # fmt: skip


def _of_series(
    source: str,
    division: str | None,
    weeks: list[dt.date],
    series: dict[str, Floats],
    knobs: Knobs,
) -> list[dict[str, Any]]:
    large = {zone: n for zone, n in series.items() if n.mean() >= knobs.break_minimum_count}
    whole = np.sum(list(series.values()), axis=0) if series else np.zeros(len(weeks))
    rows = []
    for zone, n in large.items():
        rest = whole - n if division else np.zeros(len(weeks))
        y = np.log(n + 0.5) - (np.log(rest + 0.5) if division else 0.0)
        for one in find_breaks(
            y,
            seasonal=True,
            alpha=knobs.break_alpha / len(large),
            confidence=knobs.break_confidence,
        ):
            rows.append(
                {
                    "source": source, "division": division or WHOLE, "zone": zone,
                    "week": weeks[one.at], "first": weeks[one.first], "last": weeks[one.last],
                    "ratio": one.ratio, "low": one.low, "high": one.high, "p": one.p,
                    "heard_weeks": len(weeks), "needed_weeks": MINIMUM_WEEKS,
                    "kind": one.kind, "status": "ok", "reason": "",
                }
            )  # fmt: skip
    return rows
