"""The figure of `results`: hours planned and done, by tier and quarter."""

from __future__ import annotations

import altair as alt

from helpers.core.stage import figure, palette
from helpers.core.stage.action_words import quarter_name
from helpers.results import account
from helpers.results.words import TIERS, Told

COLOURS = [palette.GREY, palette.BLUE]  # planned, done


def hours(told: Told) -> figure.Drawn:
    """Return, by tier and quarter, the hours planned and those that rosters show as done."""
    rows = []
    for tier in TIERS:
        own = [row for row in told.account.to_pylist() if row["tier"] == tier]
        for quarter in sorted({row["quarter"] for row in own}):
            there = [row for row in own if row["quarter"] == quarter]
            for name, title in (("planned", "prévues"), ("done", "faites")):
                if all(row[name] is None for row in there):
                    continue  # not known, which is not none
                value = account.tenths(row[name] for row in there)
                rows.append({"palier": TIERS[tier], "trimestre": quarter_name(quarter),
                             "heures": value, "quoi": title})  # fmt: skip
    title = "Heures d'agents prévues et faites, par palier et par trimestre"
    text = (
        "Deux barres par trimestre et palier : prévues, et faites d'après les vacations. Sans "
        "barre « faites », rien ne les mesure : ce n'est pas zéro."
    )
    if not rows:
        return figure.Drawn(figure.nothing("aucune action menée sur la période"), title, text)
    colour = alt.Color("quoi:N", title="heures",
                       scale=alt.Scale(domain=["prévues", "faites"], range=COLOURS))  # fmt: skip
    chart = alt.Chart(figure.data(rows)).mark_bar().encode(
        x=alt.X("heures:Q", title="heures d'agents"), y=alt.Y("quoi:N", title=None, sort=None,
                                                             axis=None),
        color=colour,
        row=alt.Row("palier:N", title=None, sort=list(TIERS.values())),
        column=alt.Column("trimestre:N", title=None, sort=None),
    )  # fmt: skip
    return figure.Drawn(chart.properties(width=120, height=alt.Step(18)), title, text)
