"""Forecasts, drawn: where a theme is expected, how many facts in the city, and the zones first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import duckdb

from helpers.core.base.french import number
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.place_time.slots import DEMAND
from helpers.core.stage import figure, maps, palette, zone_map
from helpers.core.stage.figure import Drawn
from helpers.forecast.forecasts import DAY
from helpers.forecast.words import chance, interval

MAP = (720, 500)  # pixels
NAMED = 8
NOT_A_PERSON = " Des lieux, non des personnes."
# From the chance of a fact that is small to one that is nearly sure.
CHANCES = {
    "moins de 10 %": (0.1, palette.LIKE_NEIGHBOURS),
    "10 à 50 %": (0.5, palette.SMOOTHED[0]),
    "50 à 90 %": (0.9, palette.SMOOTHED[1]),
    "plus de 90 %": (1.1, palette.SMOOTHED[2]),
}
NONE = "abstention"
Rows = list[dict[str, Any]]


def drawn_theme(rows: Rows, city: City) -> str:
    """Return the theme whose zones differ most in their chance of a fact tomorrow; may be none.

    A map where every zone is nearly sure, or nearly empty, tells nothing. Of demand alone: a map of
    agents' activity would send them where they were.
    """
    spread: dict[str, float] = {}
    for theme in city.themes:
        told = [r["any"] for r in _zones(rows, theme, "day", city) if r["kind"] == DEMAND]
        if told:
            middle = sum(told) / len(told)
            spread[theme] = sum((one - middle) ** 2 for one in told) / len(told)
    return max(spread, key=lambda theme: spread[theme]) if spread else ""


def _zones(rows: Rows, theme: str, horizon: str, city: City) -> Rows:
    division = city.themes[theme].division or city.about.main_division
    return [
        row for row in rows
        if (row["theme"], row["horizon"], row["division"], row["part"], row["status"])
        == (theme, horizon, division, DAY, "ok")
    ]  # fmt: skip


def chances(
    con: duckdb.DuckDBPyConnection, rows: Rows, city: City, theme: str, names: Mapping[str, str]
) -> Drawn:
    """Return the map of a theme's chance of at least one fact tomorrow. View `zones`."""
    title = "Demain : la chance d'au moins un fait"
    about = city.themes.get(theme)
    division = (about.division if about else None) or city.about.main_division
    features = maps.zone_features(con, division)
    told = {row["zone"]: row for row in _zones(rows, theme, "day", city)} if about else {}
    if about is None or not features or not told:
        return Drawn(figure.nothing("aucune prévision ne tient"), title, title)
    classes = {}
    for feature in features:
        code = feature["properties"]["code"]
        row = told.get(code)
        name = names.get(code, code)
        if row is None:
            classes[code] = (NONE, f"{name} : abstention")
            continue
        kind = next(label for label, (below, _) in CHANCES.items() if row["any"] < below)
        classes[code] = (kind, f"{name} : {chance(row['any'])} ; {interval(row)}")
    first = sorted(told, key=lambda code: (-told[code]["any"], code))[:NAMED]
    colours = {label: colour for label, (_, colour) in CHANCES.items()} | {NONE: palette.ABSTAINED}
    chart = maps.zone_chart(
        zone_map.layout(features, *MAP), classes, colours,
        {code: names[code] for code in first if code in names},
    )  # fmt: skip
    return Drawn(
        chart, f"{title}, {about.title}",
        f"Une carte des zones par chance d'au moins un fait demain.{NOT_A_PERSON}",
    )  # fmt: skip


def expected(rows: Rows, city: City) -> Drawn:
    """Return one line a theme: facts expected in the city tomorrow, beside the usual."""
    told = [
        {"thème": about.title, "attendu": row["mean"], "bas": row["q10"], "haut": row["q90"],
         "habitude": row["usual"]}
        for theme, about in city.themes.items()
        for row in rows
        if (row["theme"], row["horizon"], row["zone"], row["part"], row["status"])
        == (theme, "day", WHOLE, DAY, "ok")
    ]  # fmt: skip
    return Drawn(
        _lines(told, "thème", "faits demain, toute la ville", "log"),
        "Demain : faits attendus (point), 8 fois sur 10 dans la barre",
        "Une ligne par thème : le compte attendu, son intervalle à 80 %, et le trait de la moyenne "
        f"des 52 dernières semaines.{NOT_A_PERSON}",
    )


def first_zones(rows: Rows, city: City, theme: str, names: Mapping[str, str], count: int) -> Drawn:
    """Return the zones where most is expected tomorrow, with their interval."""
    told = sorted(_zones(rows, theme, "day", city) if theme else [],
                  key=lambda row: (-row["mean"], row["zone"]))  # fmt: skip
    drawn = [
        {"zone": names[row["zone"]], "attendu": row["mean"], "bas": row["q10"],
         "haut": row["q90"], "habitude": row["usual"]}
        for row in told if row["zone"] in names
    ][:count]  # fmt: skip
    title = f", {city.themes[theme].title}" if theme else ""
    return Drawn(
        _lines(drawn, "zone", "faits demain", "linear"),
        f"{_most(len(drawn))} où l'on attend le plus demain{title}",
        "Une ligne par zone : le compte attendu, son intervalle à 80 %, et le trait de la moyenne "
        f"des 52 dernières semaines.{NOT_A_PERSON}",
    )


def _most(count: int) -> str:
    return f"Les {number(count)} zones" if count > 1 else "La zone" if count else "Zones"


def _lines(told: Rows, field: str, title: str, scale: str) -> Any:
    if not told:
        return figure.nothing("aucune prévision ne tient")
    kind = "symlog" if scale == "log" else "linear"
    axis = (
        alt.Axis(values=[0, 1, 3, 10, 30, 100, 300, 1000, 3000]) if scale == "log" else alt.Axis()
    )
    x = alt.X("bas:Q", title=title, scale=alt.Scale(type=kind), axis=axis)
    y = alt.Y(f"{field}:N", title=None, sort=None, axis=alt.Axis(labelLimit=340))
    base = alt.Chart(figure.data(told)).encode(y=y)
    spans = base.mark_rule(strokeWidth=4, color=palette.BY_SILENCE).encode(x=x, x2="haut:Q")
    usual = base.mark_tick(color=palette.GREY, thickness=2, size=14).encode(x="habitude:Q")
    points = base.mark_point(filled=True, size=70, opacity=1, color=palette.BLUE)
    chart = spans + usual + points.encode(x="attendu:Q")
    return chart.properties(width=460, height=alt.Step(24))
