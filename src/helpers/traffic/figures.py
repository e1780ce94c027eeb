"""The figures of `traffic`: roads by slot, beside road safety; closures; events."""

from __future__ import annotations

from typing import Any

import altair as alt
import pyarrow as pa

from helpers.core.base.french import number
from helpers.core.city.city import City
from helpers.core.city.traffic_rules import TrafficRules
from helpers.core.stage import figure, palette
from helpers.traffic import around_events, closures, fluidity, words
from helpers.traffic.known import Roads

STATES = {
    fluidity.MORE: "plus que d'habitude",
    fluidity.LESS: "moins que d'habitude",
    fluidity.USUAL: "pas d'écart établi",
    fluidity.ABSTAINED: "sans réponse",
}
COLOURS = [palette.MORE, palette.LESS, palette.USUAL, palette.ABSTAINED]
INKS = {fluidity.LESS: palette.PAPER}
PANELS = ("débit", "vitesse", "accidents du quartier")


def beside(flows: pa.Table, safety: pa.Table, roads: Roads | None) -> figure.Drawn:
    """Return roads by slot, three panels: flow, speed, and the safety facts of the road's zone.

    Where a zone has several themes of safety, the first one is drawn.
    """
    title = "Fluidité et sécurité routière, par voie et créneau : écart à l'habitude, en %"
    told = (
        "Une ligne par voie comptée, une colonne par créneau. Le nombre est l'écart à l'habitude "
        "(débit, vitesse), ou à ce qu'a fait le reste de la ville (accidents) ; la couleur ne "
        "paraît que s'il est établi, toutes cases jugées ensemble. Case blanche : sans réponse."
    )
    if roads is None or not roads.places:
        return figure.Drawn(figure.nothing(), title, told)
    names, rules = roads.names, roads.rules
    rows = [
        _cell(row, names[row["site"]], rules, words.MEASURES[row["measure"]])
        for row in flows.to_pylist()
    ]
    first = next(iter(safety.column("theme").to_pylist()), None)
    by_zone: dict[str, list[dict[str, Any]]] = {}
    for row in safety.to_pylist():
        if row["theme"] == first:
            by_zone.setdefault(row["zone"], []).append(row)
    for place in roads.places:
        for row in by_zone.get(place.zone or "", []):
            rows.append(_cell(row, place.name, rules, PANELS[2]))
    order = [one.title for one in rules.slots.values()]
    base = alt.Chart(figure.data(rows)).encode(
        x=alt.X("créneau:N", sort=order, title=None, axis=alt.Axis(labelAngle=-40, orient="top")),
        y=alt.Y("voie:N", title=None, axis=alt.Axis(labelLimit=220)),
    )
    colour = alt.Color(
        "état:N", title=None, scale=alt.Scale(domain=list(STATES.values()), range=COLOURS)
    )
    cells = base.mark_rect(stroke=palette.EDGE, strokeWidth=0.5).encode(color=colour)
    ink = alt.Color("encre:N", scale=None)
    texts = base.mark_text(fontSize=10).encode(text="texte:N", color=ink)
    both = (cells + texts).properties(width=alt.Step(46), height=alt.Step(20))
    chart = both.facet(column=alt.Column("mesure:N", sort=list(PANELS), title=None))
    return figure.Drawn(chart, title, told)


def _cell(row: dict[str, Any], road: str, rules: TrafficRules, measure: str) -> dict[str, Any]:
    known = row["status"] == fluidity.OK and row["ratio"] is not None
    text = ""
    if known:
        value = 100 * (row["ratio"] - 1)
        text = f"{'+' if round(value) > 0 else ''}{number(value)}"
    state = row["level"] if row["status"] == fluidity.OK else fluidity.ABSTAINED
    return {
        "voie": road, "créneau": rules.slots[row["slot"]].title, "mesure": measure,
        "état": STATES[state], "texte": text, "encre": INKS.get(state, palette.INK),
    }  # fmt: skip


def moved(table: pa.Table, roads: Roads | None) -> figure.Drawn:
    """Return one point a closure and road with its interval; 1 is as many as expected."""
    names = roads.names if roads else {}
    rows = [
        {
            "voie": f"{names.get(row['site'], row['site'])} ({row['closure']})",
            "rôle": "voie fermée" if row["role"] == closures.CLOSED else "voie parallèle",
            "rapport": row["ratio"], "low": row["low"], "high": row["high"],
        }
        for row in table.to_pylist()
        if row["status"] == fluidity.OK
    ]  # fmt: skip
    title = "Ce qu'une fermeture déplace : véhicules comptés, rapportés aux attendus (1 : autant)"
    told = (
        "Un point par voie fermée ou parallèle, avec son intervalle. À droite de 1, davantage de "
        "véhicules que d'habitude, au regard des voies témoins des mêmes jours."
    )
    return _points(rows, "voie", "rôle", ("voie fermée", "voie parallèle"), title, told)


def near(table: pa.Table, city: City, roads: Roads | None) -> figure.Drawn:
    """Return one point a road, kind of event and part, with its interval; 1 is as usual."""
    names = roads.names if roads else {}
    titles = city.about.agenda.events.titles if city.about.agenda.events else {}
    rows = [
        {
            "voie": f"{names[row['site']]}, {titles.get(row['kind'], row['kind']).lower()}, "
            f"{words.PARTS[row['part']]}",
            "moment": words.PARTS[row["part"]],
            "rapport": row["ratio"], "low": row["low"], "high": row["high"],
        }
        for row in table.to_pylist()
        if row["status"] == fluidity.OK
    ]  # fmt: skip
    title = "Trafic des voies proches d'un événement, rapporté à l'habitude (1 : autant)"
    told = (
        "Trois points par voie et sorte d'événement : avant, pendant, après. À droite de 1, plus "
        "de trafic que les mêmes heures d'un jour sans événement."
    )
    parts = tuple(words.PARTS[one] for one in around_events.PARTS)
    return _points(rows, "voie", "moment", parts, title, told)


def _points(
    rows: list[dict[str, Any]], y: str, colour: str, domain: tuple[str, ...], title: str, told: str
) -> figure.Drawn:
    if not rows:
        return figure.Drawn(figure.nothing(), title, told)
    scale = alt.Scale(domain=list(domain), range=palette.SERIES[: len(domain)])
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y(f"{y}:N", title=None, sort=None, axis=alt.Axis(labelLimit=420)),
        color=alt.Color(f"{colour}:N", title=None, scale=scale),
    )
    x = figure.ratios(rows, "véhicules comptés, rapportés aux attendus")
    spans = base.mark_rule(strokeWidth=3).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=80, opacity=1).encode(x="rapport:Q")
    one = alt.Chart(figure.data([{"un": 1}])).mark_rule(strokeDash=[4, 4]).encode(x="un:Q")
    chart = (one + spans + points).properties(width=420, height=alt.Step(22))
    return figure.Drawn(chart, title, told)
