"""When facts happen in the week: hour by hour, intervals shared out, thin hours told as such."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import altair as alt
import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import special

from helpers import figure, store
from helpers.calendar import (
    DAYS,
    EVENT,
    FULL_DAYS,
    HOURS_OF_WEEK,
    WORKING,
    hour_of_week,
    window,
)
from helpers.city import City
from helpers.estimate import DIGITS, rate_ratio
from helpers.run import Run
from helpers.words import change, percent, plural

Floats = NDArray[np.float64]
KINDS = pa.schema(
    [
        ("theme", pa.string()), ("kind", pa.string()), ("days", pa.int64()), ("n", pa.int64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def aoristic(starts: Sequence[int], lengths: Sequence[int], counts: Sequence[int]) -> Floats:
    """Return the weight of each hour of the week (168,), which sum to the sum of `counts`.

    `starts` are hours of the week, `lengths` how many hours each interval touches (1 to 168): a
    fact weighs 1 / length in each. Ratcliffe, J. H. (2000), Aoristic analysis, International
    Journal of Geographical Information Science 14.
    """
    weights = np.zeros(HOURS_OF_WEEK)
    for start, length, count in sorted(zip(starts, lengths, counts, strict=True)):
        hours = np.arange(start, start + length) % HOURS_OF_WEEK
        weights[hours] += count / length
    return weights


def profile(
    con: duckdb.DuckDBPyConnection,
    theme: str,
    start: dt.date,
    after: dt.date,
    max_interval_h: int,
    zone: tuple[str, str] | None = None,
) -> tuple[Floats, int]:
    """Return the week's weights (168,) of a theme from `start` to before `after`, and the left out.

    Left out are facts whose interval is longer than `max_interval_h`, or known by the day only.
    `zone` is a division and a zone of it. View `cube`.
    """
    where = f"AND {store.quote(f'zone_{zone[0]}')} = ?" if zone else ""
    length = "CASE WHEN time_precision != 'day' THEN date_diff('hour', hour, hour_end) + 1 END"
    rows = con.execute(
        f"SELECT {hour_of_week('hour')}, {length}, sum(n) FROM cube "
        "WHERE theme = ? AND hour >= ? AND hour < ? AND time_precision != 'year' "
        f"{where} GROUP BY ALL",
        [theme, start, after, *((zone[1],) if zone else ())],
    ).fetchall()
    kept = [row for row in rows if row[1] is not None and row[1] <= max_interval_h]
    left_out = sum(int(row[2]) for row in rows) - sum(int(row[2]) for row in kept)
    columns = list(zip(*kept, strict=True)) if kept else [(), (), ()]
    return aoristic(columns[0], columns[1], [int(n) for n in columns[2]]), left_out


def shares(weights: Floats, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Return each hour's share of the week with its interval (3 × (168,)).

    Jeffreys interval of a proportion, weights taken as counts: Brown, Cai & DasGupta (2001),
    Interval estimation for a binomial proportion, Statistical Science 16.
    """
    total, tail = weights.sum(), (1 - confidence) / 2
    a, b = weights + 0.5, total - weights + 0.5
    low = np.where(weights > 0, special.betaincinv(a, b, tail), 0.0)
    high = special.betaincinv(a, b, 1 - tail)
    return tuple(np.round(v, DIGITS) for v in (weights / total, low, high))  # type: ignore[return-value]


def find(
    con: duckdb.DuckDBPyConnection,
    city: City,
    window_days: int,
    max_interval_h: int,
    confidence: float,
    minimum_count: int,
) -> pa.Table:
    """Return theme, hour_of_week, weight, share, low, high, left_out, status, reason."""
    first, after = window(city.about.period.end, window_days)
    parts = []
    for theme in city.themes:
        weights, left_out = profile(con, theme, first, after, max_interval_h)
        total = round(float(weights.sum()))
        if total < minimum_count:
            reason = f"moins de {minimum_count} faits dont l'heure est connue"
            parts.append(_rows(theme, None, left_out, reason, total))
        else:
            weights = np.round(weights, DIGITS)
            parts.append(_rows(theme, (weights, *shares(weights, confidence)), left_out, "", total))
    return pa.concat_tables(parts or [_rows("", None, 0, "", 0).slice(0, 0)])


def _rows(
    theme: str,
    columns: tuple[Floats, ...] | None,
    left_out: int,
    reason: str,
    total: int,
) -> pa.Table:
    values = columns or tuple(np.array([v], dtype=object) for v in (total, None, None, None))
    n = len(values[0])
    return pa.table(
        {
            "theme": pa.array([theme] * n, pa.string()),
            "hour_of_week": pa.array(range(n) if columns else [None], pa.int64()),
            **{
                name: pa.array(list(column), pa.float64())
                for name, column in zip(("weight", "share", "low", "high"), values, strict=True)
            },
            "left_out": pa.array([left_out] * n, pa.int64()),
            "status": pa.array(["ok" if columns else "abstained"] * n, pa.string()),
            "reason": pa.array([reason] * n, pa.string()),
        }
    )


def grid(weights: Floats) -> list[dict[str, Any]]:
    """Return the weights as rows to draw: jour, heure, part of the week's mean hour."""
    mean = weights.mean() or 1.0
    return [
        {"jour": DAYS[i // 24], "heure": i % 24, "indice": round(float(w / mean), 3),
         "faits": round(float(w), 1)}
        for i, w in enumerate(weights)
    ]  # fmt: skip


def heatmap(rows: list[dict[str, Any]], width: int, height: int) -> alt.Chart:
    """Return the week as a grid, hours across and days down; 1 is the week's mean hour."""
    colour = alt.Color(
        "indice:Q",
        scale=alt.Scale(scheme=figure.SEQUENTIAL, domainMin=0),
        title="1 = heure moyenne",
        legend=alt.Legend(orient="top", gradientLength=160, tickCount=4),
    )
    return (
        alt.Chart(figure.data(rows))
        .mark_rect()
        .encode(
            x=alt.X(
                "heure:O", title="heure", axis=alt.Axis(labelAngle=0, values=[*range(0, 24, 3)])
            ),
            y=alt.Y("jour:O", title=None, sort=list(DAYS)),
            color=colour,
            tooltip=["jour:N", "heure:O", "faits:Q", "indice:Q"],
        )
        .properties(width=width, height=height)
    )


def draw(table: pa.Table, city: City, columns: int = 2) -> Any:
    """Return one grid a theme that has a rhythm to show."""
    charts = []
    for name, theme in city.themes.items():
        rows = [r for r in table.to_pylist() if r["theme"] == name and r["status"] == "ok"]
        if rows:
            weights = np.array([r["weight"] for r in rows])
            title = alt.TitleParams(theme.title, fontSize=12, fontWeight="normal")
            charts.append(heatmap(grid(weights), 280, 110).properties(title=title))
    return alt.concat(*charts, columns=columns, spacing=18).resolve_scale(color="shared")


def peak(weights: Floats, hours: int = 6) -> tuple[int, float]:
    """Return the first hour of the week of the busiest run of `hours`, and its share."""
    sums = sum(np.roll(weights, -i) for i in range(hours))
    top = int(np.argmax(np.round(np.asarray(sums), 6)))
    return top, float(np.asarray(sums)[top] / weights.sum())


def spoken_hour(hour: int) -> str:
    """Return the hour of the week as it is said: « vendredi 22 h »."""
    return f"{FULL_DAYS[hour // 24 % 7]} {hour % 24} h"


def in_words(table: pa.Table, city: City) -> str:
    """Return the answer as Markdown: each theme's busiest six hours."""
    lines = []
    for name, theme in city.themes.items():
        rows = [r for r in table.to_pylist() if r["theme"] == name]
        if rows[0]["status"] != "ok":
            lines.append(f"- **{theme.title}** : abstention ({rows[0]['reason']}).")
            continue
        start, share = peak(np.array([r["weight"] for r in rows]))
        lines.append(
            f"- **{theme.title}** : six heures les plus chargées à partir de "
            f"{spoken_hour(start)}, {percent(share)} de la semaine contre "
            f"{percent(6 / HOURS_OF_WEEK, 1)} si tout était égal ; "
            f"{plural(rows[0]['left_out'], 'fait')} de côté, à l'heure trop incertaine."
        )
    return "\n".join(lines)


def event_days(run: Run) -> set[dt.date]:
    """Return the days of the city's events, from the context source that names them, if any."""
    events = run.city.about.holidays.events
    if events is None:
        return set()
    path = run.read(f"accepted/{events.source}.parquet")
    rows = run.con.execute(f"SELECT {store.quote(events.day)} FROM read_parquet(?)", [str(path)])
    return {row[0] for row in rows.fetchall()}


def by_kind(
    con: duckdb.DuckDBPyConnection,
    city: City,
    kinds: dict[dt.date, str],
    confidence: float,
    minimum_count: int,
) -> pa.Table:
    """Return theme, kind, days, n, ratio, low, high, status, reason: each kind of day compared.

    The ratio is that of a day's mean count to a working day's, over the whole period; days of
    weeks in which the source was silent are left out. Views `cube` and `weeks`.
    """
    rows = []
    for theme, about in city.themes.items():
        counts = _daily(con, theme, about.source, kinds)
        ordinary = counts.pop(WORKING, [])
        for kind, numbers in sorted(counts.items()):
            row = {"theme": theme, "kind": kind, "days": len(numbers), "n": sum(numbers)}
            enough = min(sum(numbers), sum(ordinary)) >= minimum_count and len(numbers) >= 5
            if enough:
                ratio, low, high = rate_ratio(numbers, ordinary, confidence)
                row |= {"ratio": ratio, "low": low, "high": high, "status": "ok", "reason": ""}
            else:
                row |= {"status": "abstained", "reason": "trop peu de jours ou de faits"}
            rows.append(row)
    return pa.Table.from_pylist(rows, schema=KINDS)


def _daily(
    con: duckdb.DuckDBPyConnection, theme: str, source: str, kinds: dict[dt.date, str]
) -> dict[str, list[int]]:
    rows = con.execute(
        "SELECT CAST(hour AS DATE), CAST(sum(n) AS BIGINT) FROM cube "
        "WHERE theme = ? AND time_precision != 'year' GROUP BY 1",
        [theme],
    ).fetchall()
    silent = con.execute("SELECT week FROM weeks WHERE source = ? AND status = 'missing'", [source])
    missing = {week + dt.timedelta(days=i) for (week,) in silent.fetchall() for i in range(7)}
    found = dict(rows)
    counts: dict[str, list[int]] = {}
    for day, kind in kinds.items():
        if found and day not in missing:
            counts.setdefault(kind, []).append(found.get(day, 0))
    return counts


def draw_kinds(table: pa.Table, city: City) -> Any:
    """Return the ratios with their intervals, one panel a kind of day; 1 is a working day."""
    events = city.about.holidays.events
    names = {EVENT: events.title} if events else {}
    rows = [
        {**r, "theme": city.themes[r["theme"]].title, "kind": names.get(r["kind"], r["kind"])}
        for r in table.to_pylist()
        if r["status"] == "ok"
    ]
    base = alt.Chart().encode(y=alt.Y("theme:N", title=None, axis=alt.Axis(labelLimit=320)))
    x = figure.ratios(rows, "1 = jour ouvré")
    bars = base.mark_rule(strokeWidth=2, color=figure.BLUE).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=60, color=figure.BLUE, opacity=1).encode(x="ratio:Q")
    one = alt.Chart().mark_rule(color=figure.EDGE).encode(x=alt.datum(1))
    layers = alt.layer(one, bars, points, data=figure.data(rows))
    return layers.properties(width=200, height=alt.Step(22)).facet(
        column=alt.Column("kind:N", title=None)
    )


def kinds_in_words(table: pa.Table, city: City) -> str:
    """Return one Markdown line a kind of day: the themes that clearly rise or fall."""
    events = city.about.holidays.events
    rows = [r for r in table.to_pylist() if r["status"] == "ok"]
    lines = []
    for kind in sorted({r["kind"] for r in rows}):
        told = [
            f"{city.themes[r['theme']].title} {change(r['ratio'])}"
            for r in rows
            if r["kind"] == kind and (r["low"] > 1 or r["high"] < 1)
        ]
        name = events.title if events and kind == EVENT else kind
        text = ", ".join(told) or "aucun écart établi avec un jour ouvré"
        lines.append(f"- **{name[0].upper()}{name[1:]}** : {text}.")
    return "\n".join(lines)
