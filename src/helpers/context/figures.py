"""The figures of `context`: effects with intervals, and who can act where."""

from __future__ import annotations

from typing import Any

import altair as alt
import duckdb
import pyarrow as pa

from helpers.context import words
from helpers.context.effects import ABSENT
from helpers.core.base.french import number
from helpers.core.city.city import City
from helpers.core.city.surroundings import Surroundings
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.core.stage.maps import base_map, zone_features


def effects(table: pa.Table, rules: Surroundings | None, city: City) -> Drawn:
    """Return the effects found, each with its interval, on a log scale; 1 is "no link"."""
    return Drawn(
        _effects(table, rules, city),
        title="Ce qui va avec les faits, une fois le hasard et le voisinage écartés",
        description="Pour chaque trait des lieux, le rapport des faits de chaque thème, avec "
        "intervalle.",
    )


def _effects(table: pa.Table, rules: Surroundings | None, city: City) -> Any:
    found = [row for row in table.to_pylist() if rules and row["found"]]
    if rules is None:
        return figure.nothing(words.NONE[ABSENT])
    if not found:
        tried = any(row["status"] == "ok" for row in table.to_pylist())
        return figure.nothing(
            "aucun lien établi avec un trait des lieux" if tried
            else "aucun thème n'a pu être comparé, la réponse dit pourquoi"
        )  # fmt: skip
    rows = [
        {
            **{key: row[key] for key in ("ratio", "low", "high")},
            "effet": f"{rules.features[row['feature']].more} : {city.themes[row['theme']].title}",
            "lecture": f"×{number(row['ratio'], 2)}",
        }
        for row in sorted(found, key=lambda row: (row["feature"], row["theme"]))
    ]
    x = figure.ratios(
        rows, "par combien les faits sont multipliés, à exposition égale (1 : aucun lien)"
    )
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("effet:N", title=None, sort=None, axis=alt.Axis(labelLimit=480))
    )
    one = alt.Chart(figure.data([{"un": 1}])).mark_rule(color=palette.GREY).encode(x="un:Q")
    bars = base.mark_rule(strokeWidth=2, color=palette.BLUE).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=70, color=palette.BLUE).encode(x="ratio:Q")
    told = base.mark_text(dy=-11, fontSize=11).encode(x="ratio:Q", text="lecture:N")
    return alt.layer(one, bars, points, told).properties(width=380, height=alt.Step(38))


def levers(con: duckdb.DuckDBPyConnection, zones: pa.Table, rules: Surroundings | None) -> Drawn:
    """Return the map of the zones by who, other than the police, can act first. View `zones`."""
    return Drawn(
        _levers(con, zones, rules),
        title="Qui, en dehors de la police, peut agir d'abord (gris : aucun trait ne s'y détache)",
        description="Carte des zones, colorées selon le service qui tient le levier principal.",
    )


def _levers(con: duckdb.DuckDBPyConnection, zones: pa.Table, rules: Surroundings | None) -> Any:
    actor = {row["zone"]: row["actor"] for row in zones.to_pylist() if row["status"] == "ok"}
    if rules is None:
        return figure.nothing(words.NONE[ABSENT])
    if not actor:
        return figure.nothing("aucun trait lié aux faits ne pèse plus dans une zone qu'ailleurs")
    ground = zone_features(con, rules.division)
    shown = [
        {**one, "properties": {**one["properties"], "acteur": actor[one["properties"]["code"]]}}
        for one in ground
        if one["properties"]["code"] in actor
    ]
    colour = alt.Color(
        "properties.acteur:N", title="Qui peut agir d'abord", legend=alt.Legend(labelLimit=320)
    )
    filled = (
        alt.Chart(figure.data(shown))
        .mark_geoshape(stroke=palette.PAPER, strokeWidth=0.7)
        .encode(color=colour)
        .project(type="mercator")
    )
    return alt.layer(base_map(ground), filled).properties(width=560, height=460)
