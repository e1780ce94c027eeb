"""What is going on, drawn: zones by level, counts least to be expected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import duckdb
import pyarrow as pa

from helpers.core.base.french import number, plural, spoken
from helpers.core.city.city import City
from helpers.core.stage import figure, maps, palette, zone_map
from helpers.core.stage.figure import Drawn
from helpers.core.stage.maps import zone_features
from helpers.situation import judgement, words
from helpers.situation.judgement import Judgement, worst

TIER_COLOURS = {
    judgement.ALERT: palette.ALERT,
    judgement.WATCH: palette.TO_WATCH,
    judgement.BELOW: palette.SKY,
    judgement.USUAL: palette.USUAL,
    judgement.ABSTAINED: palette.ABSTAINED,
}
TIERS = {
    judgement.ALERT: "alerte",
    judgement.WATCH: "à regarder",
    judgement.BELOW: "moins que d'habitude",
    judgement.USUAL: "comme d'habitude",
    judgement.ABSTAINED: "abstention",
}
MAP = (720, 500)  # pixels
NAMED, FIRST = 12, 3  # zones named on the map, and on a theme's line, at most
SHOWN = 10  # comparisons drawn
COUNTERS = 4  # counters drawn


def gathered(table: pa.Table) -> Drawn:
    """Return, of the counters least to be expected, the last day's counts upon their usual."""
    title = "Passages aux compteurs le dernier jour, et ce que l'on attendait"
    told = (
        "Les quatre compteurs où un créneau s'écarte le plus vers le haut. Le point est le compte, "
        "le trait, l'intervalle attendu, une comparaison seule. Un créneau absent n'est pas zéro."
    )
    rows = [row for row in table.to_pylist() if row["status"] == "ok"]
    least = {site: min(r["p"] for r in rows if r["site"] == site)
             for site in {row["site"] for row in rows}}  # fmt: skip
    shown = sorted(least, key=lambda site: (least[site], site))[:COUNTERS]
    listed = [
        {"lieu": row["name"], "heure": row["hour"] + row["hours"] / 2, "passages": row["n"],
         "low": row["low"], "high": row["high"], "état": _state(row)}
        for row in rows if row["site"] in shown
    ]  # fmt: skip
    if not listed:
        return Drawn(figure.nothing(), title, told)
    scale = alt.Scale(
        domain=["alerte", "à regarder", "comme attendu"],
        range=[palette.ALERT, palette.TO_WATCH, palette.WITHIN_CHANCE],
    )
    base = alt.Chart(figure.data(listed)).encode(
        x=alt.X("heure:Q", title="heure", scale=alt.Scale(domain=[0, 24]),
                axis=alt.Axis(values=list(range(0, 25, 6)))),
    )  # fmt: skip
    spans = base.mark_rule(strokeWidth=5, color=palette.EXPECTED, opacity=0.6).encode(
        y=alt.Y("low:Q", title="passages"), y2="high:Q"
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        y="passages:Q", color=alt.Color("état:N", title=None, scale=scale)
    )
    names = [next(r["name"] for r in rows if r["site"] == site) for site in shown]
    chart = (spans + points).properties(width=200, height=150).facet(
        facet=alt.Facet("lieu:N", sort=names, title=None), columns=2
    )  # fmt: skip
    return Drawn(chart.resolve_scale(y="independent"), title, told)


def _state(row: dict[str, Any]) -> str:
    return "alerte" if row["alert"] else "à regarder" if row["watch"] else "comme attendu"


def judged_map(
    con: duckdb.DuckDBPyConnection, judged: Judgement, city: City, names: Mapping[str, str],
    days: int,
) -> Drawn:  # fmt: skip
    """Return one map of what stands out, all themes together, and a row of words a theme.

    A zone has the colour of its gravest count (`Judgement.rows`). View `zones`.
    """
    division = city.about.main_division
    rows = judged.rows(division, days)
    features = zone_features(con, division) if rows else []
    title = f"{words.period_title(days).capitalize()} : ce qui ressort, et où"
    description = "Une carte, puis une ligne par thème : les zones qui sortent de leur habitude."
    if not features:
        return Drawn(figure.nothing(), title, description)
    shown = worst(rows)
    classes = {zone: (TIERS[row["tier"]], _told(row, city, names)) for zone, row in shown.items()}
    loud = [
        row["zone"] for row in shown.values() if row["tier"] in (judgement.ALERT, judgement.WATCH)
    ]
    named = {zone: names[zone] for zone in loud[:NAMED] if zone in names}
    colours = {TIERS[tier]: colour for tier, colour in TIER_COLOURS.items()}
    layout = zone_map.layout(features, *MAP)
    drawn = maps.zone_chart(layout, classes, colours, named)
    lines = [
        {"rang": i, "texte": f"{city.themes[theme].title} : {_line(rows, theme, names)}"}
        for i, theme in enumerate(t for t in city.themes if any(r["theme"] == t for r in rows))
    ]
    text = (
        alt.Chart(figure.data(lines))
        .mark_text(align="left", fontSize=12, x=0, limit=MAP[0])
        .encode(y=alt.Y("rang:O", axis=None), text="texte:N")
        .properties(width=MAP[0], height=alt.Step(18))
    )
    return Drawn(alt.vconcat(drawn, text, spacing=10), title, description)


def _told(row: Mapping[str, Any], city: City, names: Mapping[str, str]) -> str:
    """Return what the map says of a zone's gravest count."""
    place = words.place(row["zone"], names)
    if row["tier"] in (judgement.USUAL, judgement.ABSTAINED):
        return f"{place} : {TIERS[row['tier']]}"
    span = f"{number(row['low'])} à {number(row['high'])} attendus"
    return f"{place} : {city.themes[row['theme']].title}, {number(row['n'])} faits ({span})"


def _line(rows: Sequence[Mapping[str, Any]], theme: str, names: Mapping[str, str]) -> str:
    """Return which zones of a theme stand out, the least expected first, on one line."""
    mine = [row for row in rows if row["theme"] == theme]
    if all(row["tier"] == judgement.ABSTAINED for row in mine):
        return TIERS[judgement.ABSTAINED]
    told = []
    for tier in (judgement.ALERT, judgement.WATCH, judgement.BELOW):
        own = sorted((row for row in mine if row["tier"] == tier),
                     key=lambda row: (row["surprise"], row["zone"]))  # fmt: skip
        listed = ", ".join(words.place(row["zone"], names) for row in own[:FIRST])
        more = f" et {plural(len(own) - FIRST, 'autre')}" if len(own) > FIRST else ""
        if own:
            told.append(f"{TIERS[tier]}, {listed}{more}")
    return " ; ".join(told) or TIERS[judgement.USUAL]


def recent_weeks(weeks: Sequence[Mapping[str, Any]], count: int, height: int) -> dict[str, Any]:
    """Return the last `count` weeks of `levels.weeks` on their usual range, past years behind.

    The chart's whole specification, as wide as its container. The last week is marked.
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
    return figure.drawn(_weeks, (rows, rows[-1:], behind), count, height)


def _weeks(
    rows: alt.NamedData, last: alt.NamedData, behind: alt.NamedData, count: int, height: int
) -> alt.LayerChart:
    axis = alt.Axis(format="%e %b" if count <= 30 else "%m/%Y", tickCount=8, grid=False)
    x = alt.X("jour:T", title=None, scale=alt.Scale(type="utc"), axis=axis)
    y = alt.Y("n:Q", title="faits par semaine", scale=alt.Scale(zero=True))
    tips = [alt.Tooltip(f"{name}:N", title=name) for name in ("semaine", "faits", "habitude")]
    unread = "break-paths-show-domains"
    timed = alt.Chart(rows).encode(x=x)
    usual_range = timed.mark_area(color=palette.USUAL, opacity=0.7, invalid=unread).encode(
        y=alt.Y("bas:Q", title="faits par semaine"), y2="haut:Q"
    )
    line = timed.mark_line(color=palette.BLUE, strokeWidth=2.5, invalid=unread).encode(y=y)
    points = timed.mark_point(filled=True, size=60, color=palette.BLUE, opacity=1).encode(
        y=y, tooltip=tips
    )
    now = (
        alt.Chart(last)
        .mark_point(filled=True, size=130, color=palette.INK, opacity=1)
        .encode(x=x, y=y, tooltip=tips)
    )
    past = (
        alt.Chart(behind)
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
