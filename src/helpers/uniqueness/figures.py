"""The figure of `uniqueness`: what share of rows stands alone, at each grain."""

from __future__ import annotations

import altair as alt
import pyarrow as pa

from helpers.core.city.city import City
from helpers.core.stage import figure, palette
from helpers.uniqueness.words import grain, share


def alone(table: pa.Table, city: City) -> figure.Drawn:
    """Return a square a source and grain, coloured by the share of rows that stand alone."""
    rows = [
        {
            "source": city.contracts[row["source"]].title,
            "grain": grain(row),
            "part": round(row["alone"] / row["n"], 4),
            "dit": share(row["alone"], row["n"]),
        }
        for row in table.to_pylist()
        if row["n"]
    ]
    grains = list(dict.fromkeys(row["grain"] for row in rows))
    base = alt.Chart(figure.data(rows)).encode(
        x=alt.X("grain:N", title=None, sort=grains, axis=alt.Axis(orient="top", labelAngle=-40)),
        y=alt.Y("source:N", title=None, sort=None, axis=alt.Axis(labelLimit=420)),
    )
    scale = alt.Scale(domain=[0, 1], range=[palette.LAND, palette.HOT], interpolate="rgb")
    squares = base.mark_rect().encode(color=alt.Color("part:Q", scale=scale, legend=None))
    texts = base.mark_text(fontSize=11, color=palette.INK).encode(text="dit:N")
    return figure.Drawn(
        (squares + texts).properties(width=alt.Step(98), height=alt.Step(26)),
        "Part des lignes qui n'ont pas leur pareille, selon la finesse du lieu et du temps",
        "Une ligne par source, une colonne par finesse ; plus la case est orange, plus de lignes "
        "s'y distinguent.",
    )
