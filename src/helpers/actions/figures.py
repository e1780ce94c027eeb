"""The figures of `actions`: when each was, and whether what it asks could be seen."""

from __future__ import annotations

import datetime as dt

import altair as alt
import pyarrow as pa

from helpers.actions import words
from helpers.core.base.french import percent
from helpers.core.stage import figure, palette
from helpers.core.stage.action_words import STATES, quarter_name

COLOURS = {"prevention": palette.BLUE, "dissuasion": palette.AMBER, "repression": palette.ORANGE}
SIZES = [palette.BLUE, palette.ORANGE]  # asked for, and the smallest that would be seen


def calendar(states: pa.Table, today: dt.date) -> figure.Drawn:
    """Return one bar an action from its first to its last day, by tier; `today` is a line."""
    rows = [
        {
            "action": f"{row['action']}, {STATES[row['state']]}",
            "palier": words.tier(row),
            "début": row["start"].isoformat(),
            "fin": (row["end_in_force"] or row["end"] or today).isoformat(),
            "faite": "non" if row["state"] in ("proposed", "approved", "refused") else "oui",
        }
        for row in states.to_pylist()
        if row["start"]
    ]
    title = "Les actions, de leur début à leur fin"
    told = (
        "Une barre par action, de la couleur de son palier ; claire si elle n'a pas commencé ou "
        "n'a pas été approuvée. La fin est celle en vigueur au registre, s'il en dit une. Le trait "
        "est le jour où l'état est dit."
    )
    if not rows:
        return figure.Drawn(figure.nothing("aucune action connue"), title, told)
    domain = [words.TIERS[code] for code in COLOURS]
    colour = alt.Color("palier:N", title="palier",
                       scale=alt.Scale(domain=domain, range=list(COLOURS.values())))  # fmt: skip
    faint = alt.Opacity("faite:N", scale=alt.Scale(domain=["oui", "non"], range=[1, 0.4]),
                        legend=None)  # fmt: skip
    bars = alt.Chart(figure.data(rows)).mark_bar(height=12).encode(
        x=figure.days("début"), x2="fin:T", color=colour, opacity=faint,
        y=alt.Y("action:N", title=None, sort=None, axis=alt.Axis(labelLimit=340)),
    )  # fmt: skip
    now = alt.Chart(figure.data([{"jour": today.isoformat()}])).mark_rule(strokeDash=[4, 4])
    chart = (bars + now.encode(x="jour:T")).properties(width=460, height=alt.Step(18))
    return figure.Drawn(chart, title, told)


def detectable(states: pa.Table, powers: pa.Table) -> figure.Drawn:
    """Return, for each action, the effect asked for beside the smallest sure to be seen."""
    asked = {row["action"]: row["least_effect"] for row in states.to_pylist()}
    held = powers.to_pylist()
    sure = f"assez sûr d'être vu ({percent(held[0]['power'])} des cas)" if held else ""
    rows = [
        {"action": row["action"], "part": value, "effet": name}
        for row in held
        if row["detectable"] is not None
        for name, value in (
            ("demandé", asked[row["action"]]),
            (sure, row["detectable"]),
        )
    ]
    title = "L'effet demandé, et le plus petit assez sûr d'être vu"
    told = (
        "Deux points par action : la baisse qu'elle dit détecter, et la plus petite que les faits "
        "connus avant elle rendaient assez sûre d'être vue, l'action étant jugée seule. Si le "
        "second est à droite du premier, l'effet demandé est vu moins souvent que cela. Une action "
        "sans point a trop peu de faits, ou rien d'inscrit."
    )
    if not rows:
        why = "aucune action n'a assez de faits autour d'elle"
        return figure.Drawn(figure.nothing(why), title, told)
    x = alt.X("part:Q", title="baisse", axis=alt.Axis(format=".0%"))
    y = alt.Y("action:N", title=None, sort=None)
    domain = ["demandé", sure]
    colour = alt.Color("effet:N", title="effet",
                       scale=alt.Scale(domain=domain, range=SIZES))  # fmt: skip
    chart = alt.Chart(figure.data(rows)).mark_point(filled=True, size=80, opacity=1)
    drawn = chart.encode(x=x, y=y, color=colour).properties(width=420, height=alt.Step(18))
    return figure.Drawn(drawn, title, told)


def shares(found: pa.Table) -> figure.Drawn:
    """Return the actions of each quarter by tier: counts, which need no interval."""
    rows = [
        {"trimestre": quarter_name(row["quarter"]), "palier": words.tier(row),
         "actions": row["actions"], "rang": rank}
        for rank, row in enumerate(found.to_pylist()) if row["quarter"] and row["of"]
    ]  # fmt: skip
    title = "Les actions de chaque trimestre, par palier"
    told = (
        "Une barre par trimestre : le nombre d'actions qui y ont eu lieu, par palier, d'après la "
        "source des actions, ou d'après le registre seul."
    )
    if not rows:
        return figure.Drawn(figure.nothing("aucune action menée"), title, told)
    domain = [words.TIERS[code] for code in COLOURS]
    colour = alt.Color("palier:N", title="palier",
                       scale=alt.Scale(domain=domain, range=list(COLOURS.values())))  # fmt: skip
    chart = alt.Chart(figure.data(rows)).mark_bar().encode(
        x=alt.X("trimestre:N", title=None, sort=None, axis=alt.Axis(labelAngle=-60)),
        y=alt.Y("actions:Q", title="actions", axis=alt.Axis(tickMinStep=1)),
        color=colour, order="rang:Q",
    )  # fmt: skip
    return figure.Drawn(chart.properties(width=460, height=220), title, told)
