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
from helpers.calendar import DAYS, FULL_DAYS, HOURS_OF_WEEK, hour_of_week, window
from helpers.city import City
from helpers.estimate import DIGITS
from helpers.words import percent, plural

Floats = NDArray[np.float64]


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
    return pa.concat_tables(parts)


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
