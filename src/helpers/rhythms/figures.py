"""Rhythms, drawn: the week as a grid, kinds of day and months beside what is usual."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pyarrow as pa

from helpers.core.base.french import MONTHS
from helpers.core.city.city import City
from helpers.core.place_time.calendar import DAYS
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.rhythms.week import Bools, Floats, relative
from helpers.rhythms.words import kind_titles, no_season

MOST = 3  # times the mean hour from which the colour no longer changes


def grid(
    weights: Floats, lived: Floats | None = None, thin: Bools | None = None
) -> list[dict[str, Any]]:
    """Return the weights (168,) as rows to draw: jour, heure, ratio to the mean hour, thin or not.

    With `lived`, weights are first divided by how often the hour was lived.
    """
    ratio = relative(weights, lived)
    unsure = np.zeros(len(weights), dtype=bool) if thin is None else thin
    return [
        {"jour": DAYS[i // 24], "heure": i % 24, "indice": round(float(ratio[i]), 3),
         "faits": round(float(w), 1), "sûr": "écart non établi" if unsure[i] else "oui"}
        for i, w in enumerate(weights)
    ]  # fmt: skip


def heatmap(rows: alt.NamedData, width: int, height: int) -> alt.Chart:
    """Return the rows of `grid` drawn, hours across and days down; 1 is the week's mean hour.

    Thin hours are grey: no colour to read where nothing can be said.
    """
    colour = alt.Color(
        "indice:Q",
        # The same for all themes: one that peaks high must not flatten the colours of the others.
        scale=alt.Scale(scheme=palette.RAMP, domain=[0, MOST], clamp=True),
        title="1 = heure moyenne ; gris = écart non établi",
        legend=alt.Legend(
            orient="top",
            gradientLength=160,
            values=[*range(MOST + 1)],
            titleLimit=320,
            format="d",
            labelExpr=f"datum.value < {MOST} ? datum.label : '{MOST} et plus'",
        ),
    )
    return (
        alt.Chart(rows)
        .mark_rect()
        .encode(
            x=alt.X(
                "heure:O", title="heure", axis=alt.Axis(labelAngle=0, values=[*range(0, 24, 3)])
            ),
            y=alt.Y("jour:O", title=None, sort=list(DAYS)),
            color=alt.condition("datum['sûr'] == 'oui'", colour, alt.value(palette.THIN)),
            tooltip=["jour:N", "heure:O", "faits:Q", "indice:Q", "sûr:N"],
        )
        .properties(width=width, height=height)
    )


def weeks(table: pa.Table, city: City) -> Drawn:
    """Return one grid a theme that has a rhythm to show, from the rows of `week.HOURS`."""
    charts = []
    held = table.to_pylist()
    for name, theme in city.themes.items():
        rows = [r for r in held if r["theme"] == name and r["status"] != "abstained"]
        if rows:
            weights, lived = (np.array([r[k] for r in rows]) for k in ("weight", "lived_h"))
            title = alt.TitleParams(theme.title, fontSize=12, fontWeight="normal")
            told = grid(weights, lived, np.array([r["thin"] for r in rows]))
            charts.append(heatmap(figure.data(told), 280, 110).properties(title=title))
    return Drawn(
        alt.concat(*charts, columns=2, spacing=18).resolve_scale(color="shared"),
        "Rythme de la semaine, par thème",
        "Heures en travers, jours de haut en bas ; 1 est l'heure moyenne, gris : trop peu.",
    )


def kinds_of_day(table: pa.Table, city: City) -> Drawn:
    """Return the ratios with their intervals, one panel a kind of day; 1 is a working day."""
    titles = kind_titles(city)
    rows = [
        {**r, "theme": city.themes[r["theme"]].title, "kind": titles[r["kind"]]}
        for r in table.to_pylist()
        if r["status"] == "ok"
    ]
    base = alt.Chart().encode(y=alt.Y("theme:N", title=None, axis=alt.Axis(labelLimit=320)))
    x = figure.ratios(rows, "1 = jour ouvré")
    bars = base.mark_rule(strokeWidth=2, color=palette.BLUE).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=60, color=palette.BLUE, opacity=1).encode(
        x="ratio:Q"
    )
    one = alt.Chart().mark_rule(color=palette.EDGE).encode(x=alt.datum(1))
    layers = alt.layer(one, bars, points, data=figure.data(rows))
    return Drawn(
        layers.properties(width=200, height=alt.Step(22)).facet(
            column=alt.Column("kind:N", title=None)
        ),
        "Une journée ordinaire, et les autres",
        "Par sorte de jour, le rapport du compte d'un jour à celui d'un jour ouvré, à mois égal.",
    )


def seasons(table: pa.Table, city: City, minimum_count: int) -> Drawn:
    """Return the months' ratios with their intervals, one panel a theme; 1 is the mean day."""
    return Drawn(
        _months(table, city, minimum_count),
        "Saisons : chaque mois, rapporté au jour moyen de l'année",
        "Par thème, de janvier à décembre ; 1 est le jour moyen, le trait son intervalle.",
    )


def _months(table: pa.Table, city: City, minimum_count: int) -> Any:
    rows = [r for r in table.to_pylist() if r["status"] == "ok"]
    if not rows:
        return figure.nothing(no_season(table, minimum_count))
    ends = [min([0.8, *(r["low"] for r in rows)]), max([1.25, *(r["high"] for r in rows)])]
    y = alt.Y("low:Q", title=None, scale=alt.Scale(domain=ends, zero=False, nice=True))
    axis = alt.Axis(labelAngle=0, labelExpr="upper(slice(datum.label, 0, 1))")
    x = alt.X("mois:N", title=None, sort=list(MONTHS), axis=axis)
    charts = []
    for name, theme in city.themes.items():
        mine = [{**r, "mois": MONTHS[r["month"] - 1]} for r in rows if r["theme"] == name]
        if not mine:
            continue
        one = alt.Chart().mark_rule(color=palette.EDGE).encode(y=alt.datum(1))
        base = alt.Chart().encode(x=x)
        spans = base.mark_bar(size=5, color=palette.BLUE, opacity=0.45).encode(y=y, y2="high:Q")
        points = base.mark_tick(size=11, thickness=2, color=palette.BLUE).encode(y="ratio:Q")
        title = alt.TitleParams(theme.title, fontSize=12, fontWeight="normal")
        layers = alt.layer(one, spans, points, data=figure.data(mine))
        charts.append(layers.properties(width=220, height=110, title=title))
    return alt.concat(*charts, columns=3, spacing=18)
