"""What is going on, drawn: zones by level, counts least to be expected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import duckdb
import pyarrow as pa

from helpers.core.base.french import number, spoken
from helpers.core.city.city import City
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.core.stage.maps import zone_features
from helpers.situation import judgement, words

COLOURS = {
    "above": palette.MORE,
    "usual": palette.USUAL,
    "below": palette.LESS,
    "abstained": palette.ABSTAINED,
}
TIER_COLOURS = {
    judgement.ALERT: palette.ALERT,
    judgement.WATCH: palette.TO_WATCH,
    judgement.BELOW: palette.SKY,
    judgement.USUAL: palette.USUAL,
    judgement.ABSTAINED: palette.ABSTAINED,
}
SHOWN = 10  # comparisons drawn


def level_maps(con: duckdb.DuckDBPyConnection, table: pa.Table, city: City, days: int) -> Drawn:
    """Return a map of levels a theme over the main division, for one period. View `zones`."""
    division = city.about.main_division
    ground = zone_features(con, division)
    rows = table.to_pylist() if ground else []
    maps = []
    for name, theme in city.themes.items():
        mine = [
            r for r in rows
            if (r["theme"], r["period_days"], r["division"]) == (name, days, division)
        ]  # fmt: skip
        if mine:
            title = alt.TitleParams(theme.title, fontSize=12, fontWeight="normal", offset=2)
            maps.append(level_map(ground, mine, 240, 220).properties(title=title))
    return Drawn(
        alt.concat(*maps, columns=3, spacing=8) if maps else figure.nothing(),
        f"{words.period_title(days).capitalize()} : plus, autant ou moins que d'habitude ?",
        "Une carte par thème ; chaque zone est colorée selon son écart à l'habitude.",
    )


def level_map(
    features: list[dict[str, Any]], rows: list[dict[str, Any]], width: int, height: int,
    chosen: str = "",
) -> Any:  # fmt: skip
    """Return the zones coloured by level, the `chosen` one outlined.

    The tooltip gives count and usual range.
    """
    told = [
        {
            "zone": row["zone"],
            "niveau": words.LEVELS[row["level"]],
            "faits": "manquant" if row["n"] is None else number(row["n"]),
            "habitude": f"{number(row['low'])} à {number(row['high'])}"
            if row["status"] == "ok"
            else f"abstention : {words.reason(row)}",
        }
        for row in rows
    ]
    colour = alt.Color(
        "niveau:N",
        title=None,
        scale=alt.Scale(
            domain=[words.LEVELS[level] for level in COLOURS], range=[*COLOURS.values()]
        ),
        legend=alt.Legend(orient="top", columns=2, symbolStrokeColor=palette.EDGE),
    )
    tips = [
        alt.Tooltip("properties.nom:N", title="zone"),
        alt.Tooltip("niveau:N", title="niveau"),
        alt.Tooltip("faits:N", title="faits"),
        alt.Tooltip("habitude:N", title="d'habitude"),
    ]
    held = alt.LookupData(figure.data(told), "zone", ["niveau", "faits", "habitude"])
    zones = (
        alt.Chart(figure.data(features))
        .mark_geoshape(stroke=palette.OUTLINE, strokeWidth=0.5)
        .encode(color=colour, tooltip=tips)
        .transform_lookup(lookup="properties.code", from_=held)
        .project(type="mercator")
    )
    marked = [zone for zone in features if zone["properties"]["code"] == chosen]
    if not marked:
        return zones.properties(width=width, height=height)
    around = (  # it lies above its zone, whose tooltip it must give
        alt.Chart(figure.data(marked))
        .mark_geoshape(filled=False, stroke=palette.CHOSEN, strokeWidth=3)
        .encode(tooltip=tips)
        .transform_lookup(lookup="properties.code", from_=held)
        .project(type="mercator")
    )
    return alt.layer(zones, around).properties(width=width, height=height)


def recent_weeks(weeks: Sequence[Mapping[str, Any]], count: int, height: int) -> Any:
    """Return the last `count` weeks of `levels.weeks` on their usual range, past years behind.

    As wide as its container. The last week is marked.
    """
    rows, behind = [], []
    for one in reversed(weeks[:count]):
        last = one["first"] + dt.timedelta(days=6)
        usual = (
            "non dite" if one["low"] is None else f"{number(one['low'])} à {number(one['high'])}"
        )
        rows.append({
            "jour": last.isoformat(), "n": one["n"], "bas": one["low"], "haut": one["high"],
            "semaine": f"du {spoken(one['first'])} au {spoken(last)}", "habitude": usual,
            "faits": "manquant" if one["n"] is None else number(one["n"]),
        })  # fmt: skip
        behind += [
            {"jour": last.isoformat(), "n": n, "an": str(years)}
            for years, n in enumerate(one["before"], 1)
        ]
    axis = alt.Axis(format="%e %b" if count <= 30 else "%m/%Y", tickCount=8, grid=False)
    x = alt.X("jour:T", title=None, scale=alt.Scale(type="utc"), axis=axis)
    y = alt.Y("n:Q", title="faits par semaine", scale=alt.Scale(zero=True))
    tips = [alt.Tooltip(f"{name}:N", title=name) for name in ("semaine", "faits", "habitude")]
    unread = "break-paths-show-domains"
    timed = alt.Chart(figure.data(rows)).encode(x=x)
    usual_range = timed.mark_area(color=palette.USUAL, opacity=0.7, invalid=unread).encode(
        y=alt.Y("bas:Q", title="faits par semaine"), y2="haut:Q"
    )
    line = timed.mark_line(color=palette.BLUE, strokeWidth=2.5, invalid=unread).encode(y=y)
    points = timed.mark_point(filled=True, size=60, color=palette.BLUE, opacity=1).encode(
        y=y, tooltip=tips
    )
    now = (
        alt.Chart(figure.data(rows[-1:]))
        .mark_point(filled=True, size=130, color=palette.INK, opacity=1)
        .encode(x=x, y=y, tooltip=tips)
    )
    past = (
        alt.Chart(figure.data(behind))
        .mark_line(color=palette.EDGE, strokeWidth=1, invalid=unread)
        .encode(x=x, y=y, detail="an:N")
    )
    return alt.layer(usual_range, past, line, points, now).properties(
        width="container", height=height
    )


def unexpected(table: pa.Table, city: City, names: Mapping[str, str]) -> Drawn:
    """Return, for the counts least to be expected, the count (point) beside the expected (bar)."""
    rows = [row for row in table.to_pylist() if row["status"] == "ok"]
    rows.sort(key=lambda r: (r["p"], r["theme"], r["period_days"], r["zone"]))
    drawn = [
        {
            "rang": rank,
            "quoi": " · ".join(words.alert_title(r, city, names)),
            "constaté": r["n"],
            "attendu": r["expected"],
            "bas": r["low"],
            "haut": r["high"],
            "sens": "alerte" if r["alert"] else "à regarder" if r["watch"] else "dans le hasard",
        }
        for rank, r in enumerate(rows[:SHOWN])
    ]
    base = alt.Chart(figure.data(drawn)).encode(
        y=alt.Y("quoi:N", title=None, sort=alt.SortField("rang"), axis=alt.Axis(labelLimit=560))
    )
    colours = alt.Scale(
        domain=["alerte", "à regarder", "dans le hasard"],
        range=[palette.ALERT, palette.TO_WATCH, palette.WITHIN_CHANCE],
    )
    colour = alt.Color("sens:N", title=None, scale=colours, legend=alt.Legend(orient="top"))
    bars = base.mark_bar(color=palette.EXPECTED, opacity=0.4, height=10).encode(
        x=alt.X("attendu:Q", title="faits attendus (barre, trait à 95 %) et constatés (point)")
    )
    spans = base.mark_rule(color=palette.EDGE).encode(x="bas:Q", x2="haut:Q")
    points = base.mark_point(filled=True, size=80, opacity=1).encode(x="constaté:Q", color=colour)
    return Drawn(
        alt.layer(bars, spans, points).properties(width=320, height=alt.Step(22)),
        "Les comptes les plus inattendus, et ceux qui font alerte",
        "Par thème et zone, le compte constaté et celui que l'on attendait.",
    )
