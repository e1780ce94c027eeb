"""What `trends` found, drawn."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import altair as alt
import pyarrow as pa

from helpers.core.base.french import change
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.trends import milestones, words
from helpers.trends.words import CRITICALITY, LABELS

# In the order of LABELS, and of CRITICALITY.
COLOURS = [palette.UP, palette.DOWN, palette.STABLE, palette.UNCLEAR, palette.NO_ANSWER]
LEVEL_COLOURS = [palette.CRITICALITY_LOW, palette.CRITICALITY_MIDDLE, palette.CRITICALITY_HIGH]
NO_WEEKS = "aucun thème n'est connu à la semaine"
MOST_BREAKS = 8  # those of the figure, the largest; all are in the table
SHOWN = 15  # themes and zones of the criticality figure


def weekly(counted: pa.Table, windows: pa.Table, city: City) -> Drawn:
    """Return the weekly counts in grey, the level of each window in blue, one panel a theme.

    What is dated in the pack is marked by an upright line.
    """
    title = "Faits enregistrés chaque semaine, par thème, et niveau de chaque période"
    described = "Une courbe par thème ; un palier par période, avec son intervalle."
    if not counted.num_rows:
        return Drawn(figure.nothing(NO_WEEKS), title=title, description=described)
    weeks = _titled(counted, city, {"week": "x"})
    steps = _titled(windows, city, {"first": "x", "after": "x2"})
    marks = [
        {"theme": city.themes[name].title, "x": one.start.isoformat(), "titre": one.title}
        for name in dict.fromkeys(row["theme"] for row in counted.to_pylist())
        for one in city.about.milestones
        if milestones.touches(one, city, name)
    ]
    rows = [{"kind": "week", **r} for r in weeks] + [{"kind": "level", **r} for r in steps]
    rows += [{"kind": "mark", **r} for r in marks]
    base = alt.Chart().encode(x=figure.days("x"))

    def only(kind: str) -> Any:
        return base.transform_filter(f"datum.kind == '{kind}'")

    thin = only("week").mark_line(
        color=palette.EDGE, strokeWidth=1, invalid="break-paths-show-domains"
    ).encode(y=alt.Y("final:Q", title="par semaine"))  # fmt: skip
    band = (
        only("level")
        .mark_rect(color=palette.BLUE, opacity=0.25)
        .encode(x2="x2:T", y="low:Q", y2="high:Q")
    )
    line = (
        only("level").mark_rule(color=palette.BLUE, strokeWidth=2.5).encode(x2="x2:T", y="level:Q")
    )
    dated = (
        only("mark").mark_rule(color=palette.ORANGE, strokeDash=[4, 3]).encode(tooltip="titre:N")
    )
    chart = (
        alt.layer(thin, band, line, dated, data=figure.data(rows))
        .properties(width=280, height=110)
        .facet(facet=alt.Facet("theme:N", title=None), columns=2)
        .resolve_scale(y="independent")
    )
    return Drawn(
        chart,
        title=title,
        description=described,
    )


def _titled(table: pa.Table, city: City, renamed: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the rows with the theme's title and their days as ISO text, under other names."""
    rows = []
    for row in table.to_pylist():
        told = {renamed.get(k, k): v for k, v in row.items()}
        told |= {k: v.isoformat() for k, v in told.items() if isinstance(v, dt.date)}
        rows.append({**told, "theme": city.themes[row["theme"]].title})
    return rows


def draw_one(
    rows: list[dict[str, Any]], span: tuple[str, str], width: int, height: int
) -> alt.LayerChart:
    """Return one series (week, n, low, high) with the days of `span` shaded."""
    shade = (
        alt.Chart(figure.data([{"from": span[0], "to": span[1]}]))
        .mark_rect(color=palette.GREY, opacity=0.25)
        .encode(x=figure.days("from"), x2="to:T")
    )
    timed = alt.Chart(figure.data(rows)).encode(x=figure.days("week"))
    band = timed.mark_area(opacity=0.25, color=palette.BLUE).encode(
        y=alt.Y("low:Q", title="par semaine"), y2="high:Q"
    )
    line = timed.mark_line(
        color=palette.BLUE, strokeWidth=1.5, invalid="break-paths-show-domains"
    ).encode(y="n:Q")
    return alt.layer(shade, band, line).properties(width=width, height=height)


def levels(
    table: pa.Table, city: City, minimum_count: int, zone: str = WHOLE,
    where: str = "ville entière",
) -> Drawn:  # fmt: skip
    """Return the ratio of each theme with its interval, on a log scale; 1 is "no change".

    In grey behind, the changes too small to be told. `zone`: whose, of the table's; `where` is what
    it is called.
    """
    rows = [
        {"theme": city.themes[row["theme"]].title, "sens": LABELS[row["label"]],
         **{name: row[name] for name in ("ratio", "low", "high")}, **_unseen(row),
         "reason": words.reason(row, minimum_count)}
        for row in table.to_pylist()
        if row["zone"] == zone
    ]  # fmt: skip
    colours = alt.Scale(domain=list(LABELS.values()), range=COLOURS)
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("theme:N", title=None, sort=None, axis=alt.Axis(labelLimit=360))
    )
    tinted = base.encode(
        color=alt.Color("sens:N", scale=colours, legend=alt.Legend(orient="top", title=None))
    )
    known = [row for row in rows if row["low"] is not None and row["high"] is not None]
    x = figure.ratios(known, "rapport à la période précédente (1 = inchangé)")
    blind = base.mark_bar(color=palette.UNSEEN, height=16, clip=True).encode(
        x="unseen:Q", x2="unseen_to:Q"
    )
    bars = tinted.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q")
    points = tinted.mark_point(filled=True, size=70).encode(x=alt.X("ratio:Q"))
    reasons = tinted.mark_text(align="left", fontSize=11, x=6).encode(text="reason:N")
    one = alt.Chart(figure.data([{"un": 1}])).mark_rule(color=palette.EDGE)
    layers = alt.layer(blind, one.encode(x="un:Q"), bars, points, reasons)
    return Drawn(
        layers.properties(width=420, height=alt.Step(28)),
        title=f"Évolution de chaque thème, {where}",
        description="Le rapport de la dernière période à la précédente, avec son intervalle.",
    )


def _unseen(row: Mapping[str, Any]) -> dict[str, float | None]:
    """Return between which ratios no change would be told; the drawing clips what has no end."""
    if row["status"] != "ok":
        return {"unseen": None, "unseen_to": None}
    return {"unseen": row["detectable_fall"] or 1e-3, "unseen_to": row["detectable"] or 1e3}


def breaks(table: pa.Table, city: City) -> Drawn:
    """Return the largest breaks: the span of its date, its size and what explains it."""
    every = table.to_pylist()
    sizes = sorted((abs(math.log(row["ratio"])) for row in every), reverse=True)
    least = sizes[MOST_BREAKS - 1] if len(sizes) > MOST_BREAKS else 0.0
    rows = [
        {
            "qui": f"{words.whose(row, city)}, {row['week']:%m/%Y}",
            "week": row["week"].isoformat(), "first": row["first"].isoformat(),
            "last": row["last"].isoformat(),
            "texte": f"{change(row['ratio'])} ({change(row['low'])} à {change(row['high'])}) : "
            f"{words.explanation(row)}",
            "sens": "expliquée" if row["explanations"] else "inexpliquée",
        }
        for row in every
        if abs(math.log(row["ratio"])) >= least
    ]  # fmt: skip
    period = city.about.period
    scale = alt.Scale(type="utc", domain=[period.start.isoformat(), period.end.isoformat()])
    colours = alt.Scale(domain=["expliquée", "inexpliquée"], range=[palette.BLUE, palette.ORANGE])
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("qui:N", title=None, sort=None, axis=alt.Axis(labelLimit=300)),
        color=alt.Color("sens:N", scale=colours, legend=alt.Legend(orient="top", title=None)),
    )
    axis = alt.Axis(format="%m/%Y", tickCount=6)
    spans = base.mark_rule(strokeWidth=6, opacity=0.4).encode(
        x=alt.X("first:T", scale=scale, title=None, axis=axis), x2="last:T"
    )
    points = base.mark_point(filled=True, size=80, shape="diamond").encode(x="week:T")
    told = base.mark_text(align="left", fontSize=11, dy=14, x=4, limit=480).encode(text="texte:N")
    return Drawn(
        alt.layer(spans, points, told).properties(width=490, height=alt.Step(44)),
        title="Ruptures de niveau, datées et expliquées",
        description="Un losange par rupture, une barre pour l'intervalle de sa date, son "
        "explication.",
    )


def criticality(table: pa.Table, names: Mapping[str, str], city: City) -> Drawn:
    """Return the themes and zones of the highest scores, with interval and rank."""
    found = [row for row in table.to_pylist() if row["rank"] is not None]
    rows = [
        {
            "quoi": f"{names.get(row['zone'], row['zone'])} · {city.themes[row['theme']].title}",
            "score": row["score"], "low": row["low"], "high": row["high"],
            "criticité": CRITICALITY[row["level"]], "rang": words.ranks(row),
        }
        for row in sorted(found, key=lambda row: row["rank"])[:SHOWN]
    ]  # fmt: skip
    colours = alt.Scale(domain=list(CRITICALITY.values()), range=LEVEL_COLOURS)
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("quoi:N", title=None, sort=None, axis=alt.Axis(labelLimit=420)),
        color=alt.Color("criticité:N", scale=colours, legend=alt.Legend(orient="top", title=None)),
    )
    x = alt.X("low:Q", title="points : faits, ramenés à la semaine, × gravité × évolution")
    bars = base.mark_rule(strokeWidth=3).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=70).encode(x="score:Q")
    ranks = base.mark_text(align="left", dx=8, fontSize=11, color=palette.INK).encode(
        x="high:Q", text="rang:N", color=alt.value(palette.INK)
    )
    return Drawn(
        alt.layer(bars, points, ranks).properties(width=380, height=alt.Step(24)),
        title="Où et sur quoi la criticité est la plus forte",
        description="Les couples zone et thème de plus fort score, avec intervalle et rangs "
        "possibles.",
    )


def indicators(table: pa.Table, city: City, minimum_count: int) -> Drawn:
    """Return each role's indicators as a table: what, how much, how far to trust it."""
    rows = [
        {
            "role": row["role"], "titre": words.indicator_title(row, city),
            "valeur": words.indicator_value(row) if row["status"] == "ok"
            else f"abstention : {words.reason(row, minimum_count)}",
            "note": f"fiabilité {row['reliability']}" if row["status"] == "ok" else "",
            "place": row["position"],
        }
        for row in table.to_pylist()
    ]  # fmt: skip
    header = alt.Header(
        labelAngle=0, labelOrient="top", labelAnchor="start", labelFontWeight="bold",
        labelFontSize=13,
    )  # fmt: skip
    base = alt.Chart().encode(y=alt.Y("place:O", axis=None))
    texts = [
        base.mark_text(align="left", fontSize=12, x=at, limit=limit, fontWeight=weight).encode(
            text=f"{field}:N"
        )
        for field, at, limit, weight in (
            ("titre", 0, 370, "normal"), ("valeur", 380, 250, "bold"), ("note", 640, 90, "normal"),
        )
    ]  # fmt: skip
    chart = (
        alt.layer(*texts, data=figure.data(rows))
        .properties(width=730, height=alt.Step(22))
        .facet(row=alt.Row("role:N", title=None, sort=None, header=header))
        .resolve_scale(y="independent")
    )
    return Drawn(
        chart,
        title="Les indicateurs de chaque rôle, huit au plus",
        description="Une ligne par indicateur : ce qu'il mesure, sa valeur et son intervalle.",
    )
