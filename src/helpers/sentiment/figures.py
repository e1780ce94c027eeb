"""The index of how quiet people feel, drawn and told in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import altair as alt
import pyarrow as pa

from helpers.core.base.french import number, percent, spoken
from helpers.core.stage import figure, palette
from helpers.sentiment.index import CITY, Knobs

CHANCE, SHIFT = "hasard seul", "et si les absents pensaient autrement"
SHADES = alt.Scale(domain=[CHANCE, SHIFT], range=[palette.BLUE, "#9DB7CB"])


def _points(value: float) -> str:
    sign = "+" if value >= 0 else ""
    return f"{sign}{number(100 * value, 1)}"


def draw_waves(table: pa.Table) -> Any:
    """Return the city's index, wave after wave, with its two intervals."""
    rows = [
        {**row, "wave": row["wave"].isoformat()}
        for row in table.to_pylist()
        if row["zone"] == CITY and row["status"] == "ok"
    ]
    marks = [
        1000 * int(dt.datetime.fromisoformat(f"{row['wave']}T00:00:00+00:00").timestamp())
        for row in rows
    ]
    along = (
        figure.days("wave")
        .scale(type="utc", padding=30)
        .axis(format="%m/%Y", values=marks, grid=False)
    )
    return _intervals(rows, along, "y").properties(width=480, height=280)


def draw_zones(table: pa.Table, names: Mapping[str, str]) -> Any:
    """Return the index of each zone at the last wave, from the least quiet to the most.

    Zones with too few answers come last, with the reason where their index would be.
    """
    rows = [row for row in table.to_pylist() if row["zone"] != CITY]
    last = max((row["wave"] for row in rows), default=None)
    here = [
        {**row, "wave": row["wave"].isoformat(), "zone": names.get(row["zone"], row["zone"])}
        for row in rows
        if row["wave"] == last
    ]
    told = sorted((row for row in here if row["status"] == "ok"), key=lambda row: row["value"])
    silent = [row for row in here if row["status"] != "ok"]
    order = [row["zone"] for row in (*told, *silent)]
    place = alt.Y("zone:N", title=None, sort=order, axis=alt.Axis(labelLimit=280))
    why = alt.Chart(figure.data(silent)).encode(x=alt.value(6), y=place, text="reason:N")
    words = why.mark_text(align="left", color=palette.GREY)
    chart = alt.layer(_intervals(told, place, "x"), words)
    return chart.properties(width=420, height=alt.Step(22))


def _intervals(rows: list[dict[str, Any]], along: Any, across: str) -> alt.LayerChart:
    """Return points with the interval of chance over that of non-respondents."""
    scale = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format="%", tickCount=5)
    channel = alt.X if across == "x" else alt.Y
    other = "y" if across == "x" else "x"
    base = alt.Chart(figure.data(rows)).encode(**{other: along})

    def bar(low: str, high: str, kind: str, size: int) -> Any:
        ends = {across: channel(f"{low}:Q", title="part de tranquilles", scale=scale, axis=axis),
                f"{across}2": f"{high}:Q"}  # fmt: skip
        legend = alt.Legend(orient="top", title=None, labelLimit=400)
        colour = alt.Color("kind:N", scale=SHADES, legend=legend)
        return (
            base.transform_calculate(kind=f"'{kind}'")
            .mark_rule(strokeWidth=size)
            .encode(color=colour, **ends)
        )

    # Paler and smaller than the bars: the interval of a whole city is narrower than a point.
    points = base.mark_point(filled=True, size=14, opacity=1, color=palette.PAPER).encode(
        **{across: channel("value:Q")}
    )
    return alt.layer(
        bar("shift_low", "shift_high", SHIFT, 12), bar("low", "high", CHANCE, 8), points
    )


def draw_links(table: pa.Table) -> Any:
    """Return what goes with the index: points of share for a step more, with its interval."""
    rows = [
        {**row, "sens": "établi" if row["established"] else "rien d'établi",
         **{k: 100 * row[k] for k in ("points", "low", "high")}}
        for row in table.to_pylist()
        if row["status"] == "ok"
    ]  # fmt: skip
    colours = alt.Scale(domain=["établi", "rien d'établi"], range=[palette.BLUE, palette.GREY])
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("more:N", title=None, sort=None, axis=alt.Axis(labelLimit=420)),
        color=alt.Color("sens:N", scale=colours, legend=alt.Legend(orient="top", title=None)),
    )
    x = alt.X("low:Q", title="points de tranquillité en plus ou en moins")
    zero = alt.Chart(figure.data([{"rien": 0}])).mark_rule(color=palette.EDGE).encode(x="rien:Q")
    bars = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q")
    dots = base.mark_point(filled=True, size=70).encode(x="points:Q")
    return alt.layer(zero, bars, dots).properties(width=380, height=alt.Step(34))


def draw_reports(table: pa.Table) -> Any:
    """Return each zone's citizens' reports beside its answers alone: two things, not one."""
    rows = [
        row for row in table.to_pylist() if row["status"] == "ok" and row["reports"] is not None
    ]
    # Zones without a report have their place, which a logarithmic axis would not give them.
    marks = alt.Axis(values=[0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], format="d")
    scale = alt.Scale(type="symlog", constant=1, nice=False)
    title = "signalements pour mille adultes"
    base = alt.Chart(figure.data(rows)).encode(
        x=alt.X("reports:Q", title=title, scale=scale, axis=marks)
    )
    share = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format="%", tickCount=5)
    bars = base.mark_rule(color=palette.EDGE).encode(
        y=alt.Y("direct_low:Q", title="part de tranquilles", scale=share, axis=axis),
        y2="direct_high:Q",
    )
    dots = base.mark_point(filled=True, size=40, color=palette.BLUE).encode(y="direct:Q")
    return alt.layer(bars, dots).properties(width=420, height=260)


def in_words(
    waves: pa.Table, links: pa.Table, alike: tuple[float, float, float, int] | None, knobs: Knobs,
    question: str,
) -> str:  # fmt: skip
    """Return the answer as Markdown."""
    city = [row for row in waves.to_pylist() if row["zone"] == CITY]
    told = [row for row in city if row["status"] == "ok"]
    if not told:
        return f"Abstention : {city[-1]['reason'] if city else 'aucune vague'}."
    last = told[-1]
    lines = [
        f"**« {question} »** Au {spoken(last['wave'])}, {percent(last['value'])} des adultes se "
        f"disent tranquilles ; le hasard seul laisse {percent(last['low'])} à "
        f"{percent(last['high'])} ({number(last['n'])} réponses).",
        f"- {percent(1 - last['answered'])} des personnes invitées n'ont pas répondu (ou trop peu "
        f"dans leur zone pour que ce soit livré). Si elles se sentent jusqu'à "
        f"{number(100 * knobs.nonresponse_shift)} points plus, ou moins, "
        f"tranquilles que les autres : {percent(last['shift_low'])} à "
        f"{percent(last['shift_high'])}. Sans rien supposer d'elles : "
        f"{percent(last['worst_low'])} à {percent(last['worst_high'])}.",
        _moved(last),
    ]
    lines += [_link(row) for row in links.to_pylist()]
    if alike:
        rho, low, high, zones = alike
        lines.append(
            f"- Signalements et sentiment, {zones} zones : corrélation de rang {number(rho, 2)} "
            f"({number(low, 2)} à {number(high, 2)}). Qui signale n'est pas qui subit : les "
            "signalements sont mis à côté, jamais mêlés à l'indice ; le hasard de l'enquête dilue "
            "cette corrélation."
        )
    return "\n".join(lines)


def _moved(row: dict[str, Any]) -> str:
    if row["change"] is None:
        return "- Pas de vague précédente à laquelle comparer."
    span = f"{_points(row['change_low'])} à {_points(row['change_high'])}"
    sure = row["change_low"] > 0 or row["change_high"] < 0
    word = "établi" if sure else "rien d'établi"
    return (
        f"- Depuis la vague d'avant : {_points(row['change'])} points ({span}), {word}, si ceux "
        "qui répondent n'ont pas changé."
    )


def _link(row: dict[str, Any]) -> str:
    if row["status"] != "ok":
        return f"- {row['feature']} : abstention ({row['reason']})."
    span = f"{_points(row['low'])} à {_points(row['high'])}"
    word = "" if row["established"] else ", rien d'établi"
    return (
        f"- Là où il y a {row['more']} : {_points(row['points'])} points de tranquillité ({span})"
        f"{word}. Cela va avec, ce n'est pas une cause démontrée."
    )
