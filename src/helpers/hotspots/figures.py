"""What stands out, drawn: hot cells, smoothed facts, concentration beside chance, zones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import altair as alt
import duckdb
import pyarrow as pa
import shapely

from helpers.core.city.city import City
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.core.stage.maps import base_map, cell_features, zone_features
from helpers.hotspots.concentration import GRID
from helpers.hotspots.smoothed import Band
from helpers.hotspots.words import KINDS

BANDS = {2: "2 à 4 fois la moyenne", 4: "4 à 8 fois", 8: "plus de 8 fois"}
ZONE_COLOURS = {
    "high_among_high": palette.HIGH_AMONG_HIGH, "high_among_low": palette.HIGH_AMONG_LOW,
    "low_among_low": palette.LOW_AMONG_LOW, "low_among_high": palette.LOW_AMONG_HIGH,
    "like_neighbours": palette.LIKE_NEIGHBOURS,
}  # fmt: skip
SIDE = {"width": 240, "height": 220}  # of a theme's map


def _titled(text: str) -> alt.TitleParams:
    return alt.TitleParams(text, fontSize=12, fontWeight="normal", offset=2)


def hot_cells(con: duckdb.DuckDBPyConnection, table: pa.Table, city: City) -> Drawn:
    """Return a map a theme: cells that stand out in orange, on the areas where facts gather.

    Zones in grey, areas (Gi*) in a pale tone. View `zones`.
    """
    ground = zone_features(con, city.about.main_division)
    rows = table.to_pylist()
    maps = []
    for theme in city.themes:
        mine = [r for r in rows if r["theme"] == theme and r["status"] == "ok"]
        if not mine:
            continue
        hot = [{k: r[k] for k in ("cell", "n", "z")} for r in mine if r["hot"]]
        area = [{"cell": r["cell"]} for r in mine if r["hot_area"] and not r["hot"]]
        squares = [
            alt.Chart(figure.data(cell_features(some, city.about.crs)))
            .mark_geoshape(fill=fill, stroke=None)
            .project(type="mercator")
            for some, fill in ((area, palette.AREA), (hot, palette.HOT))
            if some
        ]
        title = _titled(f"{city.themes[theme].title} ({len(hot)})")
        maps.append(alt.layer(base_map(ground), *squares).properties(**SIDE, title=title))
    chart = (
        alt.concat(*maps, columns=3, spacing=8)
        if maps
        else base_map(ground).properties(**SIDE, title="aucun thème à montrer")
    )
    return Drawn(
        chart,
        "Mailles à part (orange, et leur nombre) ; secteurs chargés autour (ocre pâle)",
        "Une carte par thème ; en orange, les mailles qui dépassent à elles seules plusieurs fois "
        "la moyenne ; en ocre pâle, les secteurs où les faits se rassemblent.",
    )


def _outline(zones: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the zones as one feature: a hundred outlines, drawn for each theme, cost seconds."""
    shapes = [shapely.geometry.shape(zone["geometry"]) for zone in zones]
    whole = shapely.union_all(shapely.make_valid(shapes))
    return {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(whole))}


def smoothed_facts(
    con: duckdb.DuckDBPyConnection, bands: Mapping[str, list[Band]], city: City
) -> Drawn:
    """Return a map a theme of its smoothed counts, in three bands. View `zones`."""
    ground = [_outline(zone_features(con, city.about.main_division))]
    scale = alt.Scale(domain=list(BANDS.values()), range=palette.SMOOTHED)
    colour = alt.Color("properties.niveau:N", title=None, scale=scale,
                       legend=alt.Legend(orient="top", labelLimit=260))  # fmt: skip
    maps = []
    for theme, mine in bands.items():
        features = [
            {"type": "Feature", "properties": {"niveau": BANDS[b.times]}, "geometry": b.geometry}
            for b in mine
        ]
        shapes = (
            alt.Chart(figure.data(features))
            .mark_geoshape(stroke=None)
            .encode(color=colour)
            .project(type="mercator")
        )
        layers = alt.layer(base_map(ground), shapes)
        maps.append(layers.properties(**SIDE, title=_titled(city.themes[theme].title)))
    return Drawn(
        alt.concat(*maps, columns=3, spacing=8) if maps else figure.nothing(),
        "Image lissée des faits (pour l'œil : n'établit rien)",
        "Par thème, où les faits lissés dépassent 2, 4 et 8 fois leur moyenne.",
    )


def half_shares(table: pa.Table, city: City) -> Drawn:
    """Return, a line a theme, the share of cells that holds half the facts, and chance's."""
    rows = [
        {**row, "theme": city.themes[row["theme"]].title}
        for row in table.to_pylist()
        if row["status"] == "ok"
    ]
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("theme:N", title=None, sort=None, axis=alt.Axis(labelLimit=360))
    )
    axis = alt.Axis(format="%")
    x = alt.X("share:Q", title="part des mailles qui porte la moitié des faits", axis=axis)
    points = base.mark_point(filled=True, size=80, opacity=1, color=palette.COUNTED).encode(x=x)
    chance = base.mark_tick(color=palette.AT_RANDOM, thickness=5, size=16).encode(x="chance:Q")
    links = base.mark_rule(color=palette.AT_RANDOM).encode(x="share:Q", x2="chance:Q")
    return Drawn(
        alt.layer(links, chance, points).properties(width=380, height=alt.Step(22)),
        "Quelle part des mailles étudiées porte la moitié des faits ? (gris : jetés au hasard)",
        "Par thème, la part des mailles étudiées qui porte la moitié des faits, et celle "
        "d'autant de faits jetés au hasard sur elles.",
    )


def curves(table: pa.Table, city: City) -> Drawn:
    """Return, a panel a theme, the share of facts in the busiest cells, and chance's in grey."""
    rows = [{**row, "theme": city.themes[row["theme"]].title} for row in table.to_pylist()]
    scale = alt.Scale(type="log", domain=[GRID[0], 1])
    axis = alt.Axis(format=".1~%", values=[0.001, 0.01, 0.1, 1])
    base = alt.Chart().encode(
        x=alt.X("cells:Q", title="part des mailles", scale=scale, axis=axis),
    )
    shares = alt.Axis(format="%", tickCount=3)
    band = base.mark_area(color=palette.AT_RANDOM, opacity=0.5).encode(
        y=alt.Y("chance_low:Q", title="part des faits", axis=shares), y2="chance_high:Q"
    )
    middle = base.mark_line(color=palette.AT_RANDOM, strokeWidth=2).encode(y="chance:Q")
    line = base.mark_line(color=palette.COUNTED, strokeWidth=2).encode(y="facts:Q")
    layers = alt.layer(band, middle, line, data=figure.data(rows)).properties(width=190, height=110)
    return Drawn(
        layers.facet(facet=alt.Facet("theme:N", title=None), columns=3),
        "Part des faits dans les mailles les plus chargées (gris : jetés au hasard)",
        "Par thème, la courbe de concentration, et la bande d'autant de faits jetés au hasard.",
    )


def zones_apart(con: duckdb.DuckDBPyConnection, table: pa.Table, city: City) -> Drawn:
    """Return a map a theme of the zones that stand out from their neighbours. View `zones`."""
    ground = zone_features(con, city.about.main_division)
    colour = alt.Color(
        "sens:N",
        title=None,
        scale=alt.Scale(domain=[KINDS[k] for k in ZONE_COLOURS], range=[*ZONE_COLOURS.values()]),
        legend=alt.Legend(orient="top", columns=3, labelLimit=260, symbolStrokeColor=palette.EDGE),
    )
    maps = []
    rows = table.to_pylist()
    for name, theme in city.themes.items():
        told = [{"zone": r["zone"], "sens": KINDS[r["kind"]]} for r in rows
                if r["theme"] == name and r["status"] == "ok"]  # fmt: skip
        if not told:
            continue
        lookup = alt.LookupData(figure.data(told), "zone", ["sens"])
        shapes = (
            alt.Chart(figure.data(ground))
            .mark_geoshape(stroke=palette.OUTLINE, strokeWidth=0.5)
            .encode(color=colour)
            .transform_lookup(lookup="properties.code", from_=lookup)
            .project(type="mercator")
        )
        layers = alt.layer(base_map(ground), shapes)
        maps.append(layers.properties(**SIDE, title=_titled(theme.title)))
    return Drawn(
        alt.concat(*maps, columns=3, spacing=8) if maps else figure.nothing(),
        "Zones qui se distinguent de leurs voisines, à taille égale",
        "Une carte par thème ; en gris, les zones non distinguables de leurs voisines.",
    )
