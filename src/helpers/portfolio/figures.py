"""What the portfolio draws: a page's evolution, zones and hours, and all answers side by side."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pyarrow as pa

from helpers.core.city.theme import AXES
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.core.stage.maps import base_map, zone_features
from helpers.portfolio import words
from helpers.portfolio.asked import Asked
from helpers.portfolio.words import Names
from helpers.rhythms import figures as rhythms_figures
from helpers.trends.figures import COLOURS
from helpers.trends.words import LABELS


def trend(
    asked: Asked, counted: list[dict[str, Any]], means: list[dict[str, Any]], window: int
) -> Drawn:
    """Return facts week after week (`counted`), and the mean of each span of `window` weeks.

    Or year after year, with the interval of each count.
    """
    why = words.SAMPLED if asked.sample else words.EMPTY
    chart = _years(counted) if asked.yearly else figure.nothing(why)
    if not asked.yearly and asked.n and not asked.sample:
        chart = _weeks(counted, means, window)
    return Drawn(
        chart,
        f"{words.subject(asked)} : évolution",
        "Comptes successifs ; deux traits donnent la moyenne de chaque période.",
    )


def _weeks(
    counted: list[dict[str, Any]], means: list[dict[str, Any]], window: int
) -> alt.LayerChart:
    rows = [{**row, "week": row["week"].isoformat()} for row in counted]
    lines = (
        alt.Chart(figure.data(rows))
        .mark_line(color=palette.COUNT, strokeWidth=1, invalid="break-paths-show-domains")
        .encode(x=figure.days("week"), y=alt.Y("n:Q", title="faits par semaine"))
    )
    named = {"recent": f"{window} dernières", "before": "les précédentes"}
    spans = [
        {"semaines": named[one["window"]], "from": one["first"].isoformat(),
         "to": one["last"].isoformat(), "mean": one["mean"]} for one in means
    ]  # fmt: skip
    colour = alt.Color(
        "semaines:N", title="moyenne des semaines",
        scale=alt.Scale(domain=list(named.values()), range=[palette.RECENT, palette.BEFORE]),
        legend=alt.Legend(orient="top"),
    )  # fmt: skip
    bars = (
        alt.Chart(figure.data(spans))
        .mark_rule(strokeWidth=4)
        .encode(x=figure.days("from"), x2="to:T", y="mean:Q", color=colour)
    )
    return alt.layer(lines, bars).properties(width=600, height=180)


def _years(counted: list[dict[str, Any]]) -> alt.LayerChart:
    rows = [
        {"an": str(row["year"]), **{k: row[k] for k in ("n", "low", "high")}} for row in counted
    ]
    base = alt.Chart(figure.data(rows)).encode(x=alt.X("an:O", title=None))
    bars = base.mark_bar(color=palette.BLUE).encode(y=alt.Y("n:Q", title="faits par an"))
    limits = base.mark_rule(color=palette.INK, strokeWidth=2).encode(y="low:Q", y2="high:Q")
    return alt.layer(bars, limits).properties(width=alt.Step(48), height=180)


def zones(table: pa.Table, asked: Asked, shown: int) -> Drawn:
    """Return the `shown` first zones with their interval, and a map where zones have a shape."""
    rows = [row for row in table.to_pylist() if row["n"]]
    return Drawn(
        _zones(rows, asked, shown) if rows else figure.nothing("aucun fait placé dans une zone"),
        f"{words.subject(asked)} : où",
        "Les premières zones avec l'intervalle de leur compte, et la carte des comptes.",
    )


def _zones(rows: list[dict[str, Any]], asked: Asked, shown: int) -> Any:
    first = [
        {"rang": rank, **{k: row[k] for k in ("name", "n", "low", "high")}}
        for rank, row in enumerate(rows[:shown])
    ]
    # Not a list of names: Vega-Lite makes an expression of it, which some characters break.
    y = alt.Y("name:N", title=None, sort=alt.SortField("rang"), axis=alt.Axis(labelLimit=220))
    base = alt.Chart(figure.data(first)).encode(y=y)
    bars = base.mark_rule(strokeWidth=2, color=palette.BLUE).encode(
        x=alt.X("low:Q", title="faits, avec l'intervalle du compte"), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=60, color=palette.BLUE, opacity=1).encode(x="n:Q")
    listed = alt.layer(bars, points).properties(width=280, height=alt.Step(24))
    ground = zone_features(asked.facts, asked.division)
    if not ground:
        return listed
    lookup = alt.LookupData(
        figure.data([{"zone": row["zone"], "faits": row["n"]} for row in rows]), "zone", ["faits"]
    )
    colour = alt.Color("faits:Q", title="faits (gris clair : aucun)",
                       scale=alt.Scale(scheme=palette.RAMP),
                       legend=alt.Legend(orient="bottom", tickCount=4))  # fmt: skip
    shapes = (
        alt.Chart(figure.data(ground))
        .mark_geoshape(stroke=palette.PAPER, strokeWidth=0.4)
        .encode(color=colour)
        .transform_lookup(lookup="properties.code", from_=lookup)
        .transform_filter("isValid(datum.faits)")
        .project(type="mercator")
    )
    drawn = alt.layer(base_map(ground), shapes).properties(width=280, height=260)
    return alt.hconcat(listed, drawn, spacing=24)


def hours(table: pa.Table, asked: Asked) -> Drawn:
    """Return the week as a grid, hours across and days down, of the question's facts."""
    rows = [row for row in table.to_pylist() if row["status"] != "abstained"]
    chart = figure.nothing("trop peu de faits dont l'heure est connue")
    if rows:
        weights, lived = (np.array([row[k] for row in rows]) for k in ("weight", "lived_h"))
        told = rhythms_figures.grid(weights, lived, np.array([row["thin"] for row in rows]))
        chart = rhythms_figures.heatmap(figure.data(told), 520, 150)
    return Drawn(
        chart,
        f"{asked.theme.title} : à quelles heures de la semaine",
        "Heures en travers, jours de haut en bas ; 1 est l'heure moyenne, gris : trop peu.",
    )


def answers(table: pa.Table, names: Names) -> Drawn:
    """Return each question's evolution with its interval, axis by axis; 1 is "no change"."""
    rows = [
        {"rang": rank, "axe": AXES[row["axis"]], "question": row["title"],
         "sens": LABELS[row["label"]], "reason": words.why(row, names),
         **{k: row[k] for k in ("ratio", "low", "high")}}
        for rank, row in enumerate(words.ordered(table))
    ]  # fmt: skip
    return Drawn(
        _answers(rows) if rows else figure.nothing(),
        "Évolution de chaque question, ville entière",
        "Le rapport de la dernière période à la précédente, avec son intervalle.",
    )


def _answers(rows: list[dict[str, Any]]) -> Any:
    scale = alt.Scale(domain=list(LABELS.values()), range=COLOURS)
    y = alt.Y("question:N", title=None, sort=alt.SortField("rang"), axis=alt.Axis(labelLimit=480))
    base = alt.Chart(figure.data(rows)).encode(
        y=y, color=alt.Color("sens:N", scale=scale, legend=alt.Legend(orient="top", title=None))
    )
    known = [row for row in rows if row["ratio"] is not None and row["high"] is not None]
    x = figure.ratios(known, "rapport à la période précédente (1 = inchangé)")
    bars = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x="ratio:Q")
    reasons = base.mark_text(align="left", fontSize=11, x=6).encode(text="reason:N")
    one = alt.Chart(figure.data([{"un": 1}])).mark_rule(color=palette.EDGE).encode(x="un:Q")
    return alt.layer(one, bars, points, reasons).properties(width=320, height=alt.Step(28))
