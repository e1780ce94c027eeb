"""Hours of a team, today and by the plan, by zone and slot of the day; what each rule costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pyarrow as pa

from helpers.allocation.words import KINDS
from helpers.core.city.city import City
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn

PALE = 1.5  # times the greatest difference, where colours end: numbers are read on all of them


def moved(table: pa.Table, city: City, names: Mapping[str, str]) -> Drawn:
    """Return the hours that the plan adds to or takes from each zone and slot, over a week."""
    sums: dict[tuple[str, str], list[int]] = {}
    for row in table.to_pylist():
        if row["status"] == "ok":
            held = sums.setdefault((row["zone"], row["slot"]), [0, 0])
            held[0] += row["today_h"]
            held[1] += row["planned_h"]
    rows: list[dict[str, Any]] = [
        {"zone": names.get(zone, zone), "plage": city.about.slots[slot].title,
         "début": city.about.slots[slot].start_h, "aujourd'hui": now, "plan": then,
         "écart": then - now}
        for (zone, slot), (now, then) in sums.items()
    ]  # fmt: skip
    most = PALE * max([1, *(abs(row["écart"]) for row in rows)])
    base = alt.Chart(figure.data(rows)).encode(
        x=alt.X("plage:N", title=None, sort=alt.SortField("début"), axis=alt.Axis(labelAngle=0)),
        y=alt.Y("zone:N", title=None, sort=None, axis=alt.Axis(labelLimit=260)),
    )
    scale = alt.Scale(domain=[-most, 0, most], interpolate="rgb",
                      range=[palette.LESS, palette.PAPER, palette.MORE])  # fmt: skip
    colour = alt.Color("écart:Q", scale=scale, title="heures d'équipe par semaine")
    chart = base.mark_rect().encode(color=colour) + base.mark_text(fontSize=12).encode(
        text=alt.Text("écart:Q", format="+d"), color=alt.value(palette.INK)
    )
    return Drawn(
        chart.properties(width=420, height=alt.Step(22)) if rows else figure.nothing(),
        "Heures d'équipe que le plan ajoute ou retire, par semaine",
        "Un carré par zone et plage ; orange : plus d'heures, bleu : moins ; même total.",
    )


def prices(table: pa.Table) -> Drawn:
    """Return what would be won if each rule were lifted, the dearest first."""
    dearest = sorted(table.to_pylist(), key=lambda row: (-row["high"], row["rule"]))
    rows = [
        {"règle": KINDS[row["rule"]], "low": row["low"], "high": row["high"]} for row in dearest
    ]
    y = alt.Y("règle:N", title=None, sort=None, axis=alt.Axis(labelLimit=340))
    base = alt.Chart(figure.data(rows)).encode(y=y)
    x = alt.X("high:Q", title="faits attendus de plus, par semaine, si la règle était levée")
    bars = base.mark_bar(color=palette.USUAL).encode(x=x)
    chart = bars + base.mark_tick(color=palette.INK).encode(x="low:Q")
    return Drawn(
        chart.properties(width=420, height=alt.Step(24)) if rows else figure.nothing(),
        "Ce que coûte chaque règle",
        "Une barre par règle : le plus que l'on gagnerait sans elle ; le trait : le moins.",
    )
