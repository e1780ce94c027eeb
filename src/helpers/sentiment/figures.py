"""The index of how quiet people feel, drawn."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import altair as alt
import pyarrow as pa

from helpers.core.city.names import WHOLE
from helpers.core.city.surroundings import Surroundings
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.sentiment import words
from helpers.sentiment.knobs import Knobs

CHANCE, SHIFT = "hasard seul", "et si les absents pensaient autrement"
SHADES = alt.Scale(domain=[CHANCE, SHIFT], range=[palette.BY_CHANCE, palette.BY_SILENCE])
SENSES = {"établi": palette.ESTABLISHED, "rien d'établi": palette.UNESTABLISHED}


def by_wave(table: pa.Table) -> Drawn:
    """Return the city's index, wave after wave, with its two intervals."""
    rows = [
        {**row, "wave": row["wave"].isoformat()}
        for row in table.to_pylist()
        if row["zone"] == WHOLE and row["status"] == "ok"
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
    return Drawn(
        _intervals(rows, along, "y").properties(width=480, height=280),
        "Part des répondants qui se disent tranquilles, ramenés à l'âge des habitants",
        "Un point par vague ; foncé, le hasard ; clair, si les absents pensent autrement.",
    )


def by_zone(table: pa.Table, names: Mapping[str, str], knobs: Knobs) -> Drawn:
    """Return the index of each zone at the last wave, from the least quiet to the most.

    Zones with too few answers come last, with the reason where their index would be.
    """
    rows = [row for row in table.to_pylist() if row["zone"] != WHOLE]
    last = max((row["wave"] for row in rows), default=None)
    here = [
        {**row, "wave": row["wave"].isoformat(), "zone": names.get(row["zone"], row["zone"]),
         "reason": words.why(row, knobs)}
        for row in rows
        if row["wave"] == last
    ]  # fmt: skip
    told = sorted((row for row in here if row["status"] == "ok"), key=lambda row: row["value"])
    silent = [row for row in here if row["status"] != "ok"]
    for rank, row in enumerate((*told, *silent)):
        row["rang"] = rank
    # Not a list of names: Vega-Lite makes an expression of it, which some characters break.
    order = alt.EncodingSortField(field="rang", op="min")
    place = alt.Y("zone:N", title=None, sort=order, axis=alt.Axis(labelLimit=280))
    why = alt.Chart(figure.data(silent)).encode(x=alt.value(6), y=place, text="reason:N")
    reasons = why.mark_text(align="left", color=palette.NO_ANSWER)
    chart = alt.layer(_intervals(told, place, "x"), reasons)
    return Drawn(
        chart.properties(width=420, height=alt.Step(22)),
        "Part des répondants qui se disent tranquilles, dernière vague, par zone",
        "De la zone la moins tranquille à la plus tranquille, avec les deux intervalles.",
    )


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


def what_goes_with_it(table: pa.Table, held: Surroundings | None) -> Drawn:
    """Return what goes with the index: points of share for a step more, with its interval.

    `held`: context.yaml, which names the features of places.
    """
    rows = [_link(row, held) for row in table.to_pylist() if row["status"] == "ok"]
    colours = alt.Scale(domain=list(SENSES), range=list(SENSES.values()))
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("more:N", title=None, sort=None, axis=alt.Axis(labelLimit=420)),
        color=alt.Color("sens:N", scale=colours, legend=alt.Legend(orient="top", title=None)),
    )
    x = alt.X("low:Q", title="points de tranquillité en plus ou en moins")
    zero = alt.Chart(figure.data([{"rien": 0}])).mark_rule(color=palette.EDGE).encode(x="rien:Q")
    bars = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q")
    dots = base.mark_point(filled=True, size=70).encode(x="points:Q")
    return Drawn(
        alt.layer(zero, bars, dots).properties(width=380, height=alt.Step(34)),
        "Ce qui va avec le sentiment de tranquillité",
        "Par trait, les points de tranquillité en plus ou en moins, avec leur intervalle.",
    )


def _link(row: dict[str, Any], held: Surroundings | None) -> dict[str, Any]:
    label, more = words.feature(row["feature"], held)
    return {
        **{k: row[k] for k in ("p", "established", "zones", "status", "reason")},
        **{k: 100 * row[k] for k in ("points", "low", "high")},
        "feature": label, "more": more,
        "sens": "établi" if row["established"] else "rien d'établi",
    }  # fmt: skip


def beside_reports(table: pa.Table) -> Drawn:
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
    return Drawn(
        alt.layer(bars, dots).properties(width=420, height=260),
        "Signalements et sentiment : deux mesures, deux biais",
        "Un point par zone : ses signalements pour mille adultes et sa part de tranquilles.",
    )
