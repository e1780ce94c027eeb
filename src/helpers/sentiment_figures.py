"""The index of how quiet people feel, drawn and told in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pyarrow as pa

from helpers import figure
from helpers.calendar import spoken
from helpers.sentiment import CITY, Knobs
from helpers.words import number, percent

CHANCE, SHIFT = "hasard seul", "et si les absents pensaient autrement"
SHADES = alt.Scale(domain=[CHANCE, SHIFT], range=[figure.BLUE, "#9DB7CB"])


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
    return _intervals(rows, figure.days("wave"), "y").properties(width=480, height=220)


def draw_zones(table: pa.Table, names: Mapping[str, str]) -> Any:
    """Return the index of each zone at the last wave, from the least quiet to the most."""
    rows = [row for row in table.to_pylist() if row["status"] == "ok" and row["zone"] != CITY]
    last = max((row["wave"] for row in rows), default=None)
    shown = sorted((row for row in rows if row["wave"] == last), key=lambda row: row["value"])
    told = [
        {**row, "wave": row["wave"].isoformat(), "zone": names.get(row["zone"], row["zone"])}
        for row in shown
    ]
    place = alt.Y("zone:N", title=None, sort=None, axis=alt.Axis(labelLimit=280))
    return _intervals(told, place, "x").properties(width=420, height=alt.Step(22))


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

    points = base.mark_point(filled=True, size=60, opacity=1, color=figure.INK).encode(
        **{across: channel("value:Q")}
    )
    return alt.layer(
        bar("shift_low", "shift_high", SHIFT, 9), bar("low", "high", CHANCE, 4), points
    )


def draw_links(table: pa.Table) -> Any:
    """Return what goes with the index: points of share for a step more, with its interval."""
    rows = [
        {**row, "sens": "établi" if row["established"] else "rien d'établi",
         **{k: 100 * row[k] for k in ("points", "low", "high")}}
        for row in table.to_pylist()
        if row["status"] == "ok"
    ]  # fmt: skip
    colours = alt.Scale(domain=["établi", "rien d'établi"], range=[figure.BLUE, figure.GREY])
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("more:N", title=None, sort=None, axis=alt.Axis(labelLimit=420)),
        color=alt.Color("sens:N", scale=colours, legend=alt.Legend(orient="top", title=None)),
    )
    x = alt.X("low:Q", title="points de tranquillité en plus ou en moins")
    zero = alt.Chart(figure.data([{"rien": 0}])).mark_rule(color=figure.EDGE).encode(x="rien:Q")
    bars = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q")
    dots = base.mark_point(filled=True, size=70).encode(x="points:Q")
    return alt.layer(zero, bars, dots).properties(width=380, height=alt.Step(34))


def draw_reports(table: pa.Table) -> Any:
    """Return each zone's citizens' reports beside its index: two things, not one."""
    rows = [row for row in table.to_pylist() if row["status"] == "ok" and (row["reports"] or 0) > 0]
    base = alt.Chart(figure.data(rows)).encode(
        x=alt.X("reports:Q", title="signalements pour mille adultes", scale=alt.Scale(type="log"))
    )
    share = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format="%", tickCount=5)
    bars = base.mark_rule(color=figure.EDGE).encode(
        y=alt.Y("low:Q", title="part de tranquilles", scale=share, axis=axis), y2="high:Q"
    )
    dots = base.mark_point(filled=True, size=40, color=figure.BLUE).encode(y="value:Q")
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
        f"- {percent(1 - last['answered'])} des personnes invitées n'ont pas répondu. Si elles se "
        f"sentent jusqu'à {number(100 * knobs.nonresponse_shift)} points plus, ou moins, "
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
            "signalements sont mis à côté, jamais mêlés à l'indice."
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
