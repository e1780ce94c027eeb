"""The figure of `results`: a day of weekend beside any other day."""

from __future__ import annotations

import altair as alt
import pyarrow as pa

from helpers.core.city.city import City
from helpers.core.stage import figure, palette


def ratios(table: pa.Table, city: City) -> figure.Drawn:
    """Return one point a theme with its interval, on a scale of ratios; 1 is any other day."""
    rows = [
        {
            "thème": city.themes[row["theme"]].title,
            "rapport": row["ratio"],
            "low": row["low"],
            "high": row["high"],
        }
        for row in table.to_pylist()
        if row["status"] == "ok"
    ]
    y = alt.Y("thème:N", title=None, sort=None, axis=alt.Axis(labelLimit=340))
    base = alt.Chart(figure.data(rows)).encode(y=y)
    x = figure.ratios(rows, "un jour de week-end, rapporté à un autre jour")
    spans = base.mark_rule(strokeWidth=3, color=palette.BLUE).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=80, opacity=1, color=palette.BLUE)
    chart = spans + points.encode(x="rapport:Q")
    return figure.Drawn(
        chart.properties(width=420, height=alt.Step(24)),
        "Un jour de week-end, à côté des autres jours (1 : pareil)",
        "Un point par thème, avec son intervalle ; à droite de 1, plus de faits le week-end.",
    )
