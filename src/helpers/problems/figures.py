"""The figure of `problems`: the facts of each, beside as many weeks before."""

from __future__ import annotations

import altair as alt

from helpers.core.stage import figure, palette
from helpers.problems import files
from helpers.problems.words import Told


def changes(told: Told) -> figure.Drawn:
    """Return one point a problem with its interval; 1 is as many facts as before."""
    rows = [
        {"problème": f"{row['problem']}, {told.city.themes[row['theme']].title.lower()}",
         "rapport": row["ratio"], "low": row["low"], "high": row["high"]}
        for row in told.files.to_pylist() if row["status"] == files.OK
    ]  # fmt: skip
    title = "Les faits de chaque problème, à côté de l'année d'avant (1 : autant)"
    few = sum(row["status"] in (files.TOO_FEW, files.SILENT) for row in told.files.to_pylist())
    text = (
        "Un point par problème, dans sa zone, sur son thème, avec son intervalle ; à gauche de 1, "
        f"moins de faits. Ce n'est pas l'effet des actions. Sans point, trop peu de faits "
        f"ou de semaines entendues : {few}."
    )
    if not rows:
        return figure.Drawn(figure.nothing("trop peu de faits, ou aucun problème"), title, text)
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("problème:N", title=None, sort=None, axis=alt.Axis(labelLimit=340))
    )
    x = figure.ratios(rows, "faits, rapportés à autant de semaines avant")
    spans = base.mark_rule(strokeWidth=3, color=palette.BLUE).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=80, opacity=1, color=palette.BLUE)
    one = alt.Chart(figure.data([{"un": 1}])).mark_rule(strokeDash=[4, 4]).encode(x="un:Q")
    chart = one + spans + points.encode(x="rapport:Q")
    return figure.Drawn(chart.properties(width=420, height=alt.Step(22)), title, text)
