"""How far each source can be trusted: validity, place, delay, silence; a grade A to D."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import duckdb
import pyarrow as pa

from helpers import figure, store
from helpers.calendar import full_weeks
from helpers.city import City
from helpers.receipts import read_receipts
from helpers.words import number, percent, plural

GRADES = "ABCD"
FATES = {"accepted": "acceptées", "quarantined": "écartées", "duplicates": "en double"}
# A reason without a colon says "outside the contract's scope": no fault of the source.
FAULT = ":"


def accounts(city: City, data: Path) -> list[dict[str, Any]]:
    """Return rows in, accepted, quarantined by reason and duplicates of each source.

    Rows in are those of the receipt, counted at the door: the sum is a check, not a definition.
    """
    con = store.connect()
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
        duplicates = reasons.pop("duplicate", 0)
        found.append(
            {
                "source": name,
                "rows_in": receipts[name]["rows"],
                "accepted": accepted,
                "quarantined": reasons,
                "duplicates": duplicates,
            }
        )
    con.close()
    return found


def weeks(con: duckdb.DuckDBPyConnection, city: City, silence_share: float) -> pa.Table:
    """Return source, week (Monday), n, status of each full week of the period.

    A week is `missing` where the source brought fewer records than `silence_share` of its median
    week: silence is told apart from calm. Yearly sources have no weeks. View `observations`.
    """
    mondays = full_weeks(city.about.period.start, city.about.period.end)
    counts = {
        (row[0], row[1]): row[2]
        for row in con.execute(
            "SELECT source, CAST(date_trunc('week', hour) AS DATE), count(*) FROM observations "
            "WHERE time_precision != 'year' GROUP BY ALL"
        ).fetchall()
    }
    rows: list[tuple[str, dt.date, int | None, str]] = []
    for source in sorted({key[0] for key in counts}):
        numbers = [counts.get((source, monday), 0) for monday in mondays]
        floor = silence_share * statistics.median(numbers) if numbers else 0
        rows += [
            (source, monday, n, "ok" if n > floor else "missing")
            for monday, n in zip(mondays, numbers, strict=True)
        ]
    return pa.table(
        {
            "source": pa.array([r[0] for r in rows], pa.string()),
            "week": pa.array([r[1] for r in rows], pa.date32()),
            "n": pa.array([r[2] for r in rows], pa.int64()),
            "status": pa.array([r[3] for r in rows], pa.string()),
        }
    )


def letter(value: float, bounds: Sequence[float], *, more_is_better: bool) -> str:
    """Return the grade of `value` against the bounds of A, B and C."""
    for grade, bound in zip(GRADES, bounds, strict=False):
        if (value >= bound) if more_is_better else (value <= bound):
            return grade
    return GRADES[-1]


def grades(
    con: duckdb.DuckDBPyConnection,
    counted: list[dict[str, Any]],
    located_min: Sequence[float],
    valid_min: Sequence[float],
    delay_max_days: Sequence[float],
) -> list[dict[str, Any]]:
    """Return source, valid, located, delay_days, silent_weeks, grade and reason, one row each.

    The grade is the worst of the three; `located` and `delay_days` are None where the source does
    not tell. Views `observations` and `weeks`.
    """
    measured = {
        row["source"]: row
        for row in store.records(
            con,
            "SELECT source, round(avg(CAST(place_precision = 'point' AS INTEGER)), 6) AS located, "
            "bool_and(time_precision = 'year') AS yearly, "
            "round(median(date_diff('minute', ended_at, recorded_at)) / 1440.0, 3) AS delay_days "
            "FROM observations GROUP BY source",
        )
    }
    silent = dict(
        con.execute(
            "SELECT source, count(*) FROM weeks WHERE status = 'missing' GROUP BY 1"
        ).fetchall()
    )
    found = []
    for one in counted:
        faults = sum(n for reason, n in one["quarantined"].items() if FAULT in reason)
        kept = one["accepted"] + one["duplicates"]
        valid = round(kept / (kept + faults), 6) if kept + faults else 0.0
        here = measured.get(one["source"], {})
        located = None if here.get("yearly") else here.get("located")
        delay = here.get("delay_days")
        parts = [
            (
                letter(valid, valid_min, more_is_better=True),
                f"{percent(valid, 1)} de lignes valides",
            )
        ]
        if located is not None:
            text = f"{percent(located, 1)} d'enregistrements localisés"
            parts.append((letter(located, located_min, more_is_better=True), text))
        if delay is not None:
            text = f"délai médian de saisie {number(delay, 1)} j"
            parts.append((letter(delay, delay_max_days, more_is_better=False), text))
        found.append(
            {
                "source": one["source"],
                "valid": valid,
                "located": located,
                "delay_days": delay,
                "silent_weeks": silent.get(one["source"], 0),
                "grade": max(grade for grade, _ in parts),
                "reason": " ; ".join(f"{text} ({grade})" for grade, text in parts),
            }
        )
    return found


def as_table(rows: list[dict[str, Any]], counted: list[dict[str, Any]]) -> pa.Table:
    """Return the grades joined with the counts of each fate, ready to be written."""
    fates = {
        one["source"]: {
            "rows_in": one["rows_in"],
            "accepted": one["accepted"],
            "quarantined": sum(one["quarantined"].values()),
            "duplicates": one["duplicates"],
        }
        for one in counted
    }
    types = {"located": pa.float64(), "delay_days": pa.float64()}
    merged = [{**row, **fates[row["source"]]} for row in rows]
    return pa.table(
        {name: pa.array([row[name] for row in merged], types.get(name)) for name in merged[0]}
    )


def badge(con: duckdb.DuckDBPyConnection, sources: Sequence[str]) -> str:
    """Return the worst grade of the sources, as printed on a figure. View `grades`."""
    listed = ", ".join(store.literal(name) for name in sources)
    rows = con.execute(f"SELECT max(grade) FROM grades WHERE source IN ({listed})").fetchall()
    return f"fiabilité {rows[0][0]}"


def draw_weeks(table: pa.Table, titles: dict[str, str]) -> alt.Chart:
    """Return a chart of the records a week, one panel a source; silent weeks stand out."""
    rows = [
        {
            "source": titles[row["source"]],
            "week": row["week"].isoformat(),
            "n": row["n"],
            "état": "source muette" if row["status"] == "missing" else "reçue",
        }
        for row in table.to_pylist()
    ]
    colours = alt.Scale(domain=["reçue", "source muette"], range=[figure.BLUE, figure.ORANGE])
    return (
        alt.Chart(figure.data(rows))
        .mark_tick(thickness=3, size=9)
        .encode(
            x=figure.days("week", "semaine"),
            y=alt.Y("n:Q", title="enregistrements"),
            color=alt.Color("état:N", scale=colours, legend=alt.Legend(orient="top", title=None)),
            row=alt.Row("source:N", title=None, header=alt.Header(labelAngle=0, labelAlign="left",
                        labelAnchor="start", labelOrient="top")),
        )
        .properties(width=600, height=110)
    )  # fmt: skip


def draw_fates(counted: list[dict[str, Any]], titles: dict[str, str]) -> alt.Chart:
    """Return bars of the shares accepted, set aside and duplicate of each source's rows."""
    rows = []
    for one in counted:
        numbers = {**one, "quarantined": sum(one["quarantined"].values())}
        total = max(1, one["rows_in"])
        rows += [
            {
                "source": f"{titles[one['source']]} ({plural(one['rows_in'], 'ligne')})",
                "sort": word,
                "part": round(numbers[fate] / total, 6),
                "rang": rank,
            }
            for rank, (fate, word) in enumerate(FATES.items())
        ]
    colours = alt.Scale(domain=list(FATES.values()), range=[figure.BLUE, figure.ORANGE, "#B8BEC6"])
    return (
        alt.Chart(figure.data(rows))
        .mark_bar()
        .encode(
            x=alt.X("part:Q", title="part des lignes reçues", axis=alt.Axis(format=".0%")),
            y=alt.Y("source:N", title=None, axis=alt.Axis(labelLimit=420)),
            color=alt.Color("sort:N", scale=colours, legend=alt.Legend(orient="top", title=None)),
            order=alt.Order("rang:Q"),
        )
        .properties(width=420, height=alt.Step(26))
    )


def in_words(found: list[dict[str, Any]], titles: dict[str, str]) -> str:
    """Return the answer as Markdown: each source's grade and why."""
    lines = []
    for row in found:
        silent = (
            f" ; {plural(row['silent_weeks'], 'semaine muette')}" if row["silent_weeks"] else ""
        )
        lines.append(f"- **{titles[row['source']]}** : {row['grade']}. {row['reason']}{silent}.")
    return "\n".join(lines)
