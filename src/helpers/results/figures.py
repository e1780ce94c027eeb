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
    held = told.account.to_pylist()
    for quarter in sorted({row["quarter"] for row in held}):
        for tier in TIERS:
            own = [row for row in held if (row["quarter"], row["tier"]) == (quarter, tier)]
            for name, title in (("planned", "prévues"), ("done", "faites")):
                low, value, high = (
                    account.tenths(row[each] for row in own)
                    for each in (
                        ("done_low", "done", "done_high") if name == "done" else [name] * 3
                    )
                )
                if value is not None:  # not known is not none
                    label = f"{quarter_name(quarter)}, {TIERS[tier]}"
                    rows.append({"palier": label, "heures": value, "quoi": title, "low": low,
                                 "high": high})  # fmt: skip
    title = "Heures d'agents prévues et faites, par palier et par trimestre"
    text = (
        "Deux barres par trimestre et palier : prévues, et faites d'après les vacations ; le trait "
        "va de la somme des bas à celle des hauts. Sans barre « faites », rien ne les mesure : ce "
        "n'est pas zéro."
    )
    if not rows:
        return figure.Drawn(figure.nothing("aucune action menée sur la période"), title, text)
    names = ["prévues", "faites"]
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("palier:N", title=None, sort=None, axis=alt.Axis(labelLimit=340)),
        yOffset=alt.YOffset("quoi:N", sort=names),
    )
    colour = alt.Color("quoi:N", title="heures", scale=alt.Scale(domain=names, range=COLOURS))
    bars = base.mark_bar().encode(x=alt.X("heures:Q", title="heures d'agents"), color=colour)
    ends = base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q")
    chart = bars + ends.transform_filter("datum.low < datum.high")
    return figure.Drawn(chart.properties(width=420, height=alt.Step(16)), title, text)
