"""The figure of waves: each theme, its state and why."""

from __future__ import annotations

import altair as alt
import pyarrow as pa

from helpers.core.city.city import City
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.core.stage.standing import TITLES, why
from helpers.waves.states import ORDER

COLOURS = [palette.ACTIVE, palette.PILOT, palette.SUSPENDED, palette.NOT_YET]


def states(table: pa.Table, city: City) -> Drawn:
    """Return one row a theme: its wave, its state as a coloured square, and why."""
    rows = [
        {
            "theme": city.themes[row["theme"]].title,
            "vague": row["wave"],
            "état": TITLES[row["state"]],
            "motif": why(row, city),
            "rang": rank,
        }
        for rank, row in enumerate(table.to_pylist())
    ]
    scale = alt.Scale(domain=[TITLES[state] for state in ORDER], range=COLOURS)
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("theme:N", title=None, sort=alt.SortField("rang"), axis=alt.Axis(labelLimit=300))
    )
    squares = base.mark_square(size=260, opacity=1).encode(
        x=alt.value(12),
        color=alt.Color("état:N", scale=scale, legend=alt.Legend(orient="top", title=None)),
    )
    words = base.mark_text(align="left", dx=28, limit=560).encode(x=alt.value(0), text="motif:N")
    return Drawn(
        (squares + words).properties(width=600, height=alt.Step(26)),
        "Thèmes en service",
        "Un carré par thème, de la couleur de son état, et la raison de cet état.",
    )
