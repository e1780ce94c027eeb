"""The figures of reliability: rows received, weeks heard and missing, late entries, grades."""

from __future__ import annotations

import datetime as dt
from typing import Any

import altair as alt
import pyarrow as pa

from helpers.core.base.french import plural
from helpers.core.city.names import WHOLE
from helpers.core.stage import figure, palette
from helpers.reliability.grades import Bounds, parts

FATES = {
    "accepted": "acceptées", "quarantined": "écartées", "duplicates": "en double",
    "replaced": "remplacées",
}  # fmt: skip
FATE_COLOURS = [palette.BLUE, palette.ORANGE, "#B8BEC6", palette.GREEN]
GRADE_COLOURS = {"A": "#0072B2", "B": "#56B4E9", "C": "#E69F00", "D": "#D55E00"}
ON_GRADE = {"A": "#FFFFFF", "B": palette.INK, "C": palette.INK, "D": palette.INK}
MEASURES = ("note", "validité", "lieu", "délai", "silence")
CURVE_DAYS = 60
WEEK, HALF_WEEK = dt.timedelta(weeks=1), dt.timedelta(days=3)


def draw_weeks(table: pa.Table, titles: dict[str, str]) -> Any:
    """Return the records a week, one panel a source; a missing week is a band, never a number."""
    rows = [
        {
            "source": titles[row["source"]],
            "week": row["week"].isoformat(),
            "middle": (row["week"] + HALF_WEEK).isoformat(),
            "end": (row["week"] + WEEK).isoformat(),
            "n": None if row["status"] == "missing" else row["n"],
            "état": "source muette" if row["status"] == "missing" else "reçue",
        }
        for row in table.to_pylist()
    ]
    colours = alt.Scale(domain=["reçue", "source muette"], range=[palette.BLUE, palette.ORANGE])
    colour = alt.Color("état:N", scale=colours, legend=alt.Legend(orient="top", title=None))
    base = alt.Chart().encode(x=figure.days("week", "semaine"), color=colour)
    silent = (
        base.transform_filter(alt.datum["état"] == "source muette")
        .mark_rect(opacity=0.45)
        .encode(x2="end:T")
    )
    heard = (
        base.transform_filter(alt.datum["état"] == "reçue")
        .mark_tick(thickness=3, size=9)
        .encode(
            x=figure.days("middle", "semaine"),
            y=alt.Y("n:Q", title="enregistrements", scale=alt.Scale(zero=True)),
        )
    )
    layers = alt.layer(silent, heard, data=figure.data(rows)).properties(width=600, height=110)
    header = alt.Header(labelAngle=0, labelAlign="left", labelAnchor="start", labelOrient="top")
    return layers.facet(row=alt.Row("source:N", title=None, header=header))


def draw_fates(counted: list[dict[str, Any]], titles: dict[str, str]) -> alt.Chart:
    """Return bars of the shares of each source's rows by what became of them."""
    rows = []
    for one in counted:
        numbers = {**one, "quarantined": sum(one["quarantined"].values())}
        total = max(1, one["rows_in"])
        rows += [
            {
                "source": f"{titles[one['source']]} ({plural(one['rows_in'], 'ligne')})",
                "sort": word,
                "part": round(numbers[fate] / total, 6),
                "rang": rank,
            }
            for rank, (fate, word) in enumerate(FATES.items())
        ]
    colours = alt.Scale(domain=list(FATES.values()), range=FATE_COLOURS)
    return (
        alt.Chart(figure.data(rows))
        .mark_bar()
        .encode(
            x=alt.X("part:Q", title="part des lignes reçues", axis=alt.Axis(format=".0%")),
            y=alt.Y("source:N", title=None, axis=alt.Axis(labelLimit=420)),
            color=alt.Color("sort:N", scale=colours, legend=alt.Legend(orient="top", title=None)),
            order=alt.Order("rang:Q"),
        )
        .properties(width=420, height=alt.Step(26))
    )


def draw_delays(curves: pa.Table, titles: dict[str, str]) -> alt.Chart:
    """Return the delay curves: share of a day's records in hand, by days since."""
    rows = [
        {"source": titles[r["source"]], "jours": r["days"], "part": r["share_in"]}
        for r in curves.to_pylist()
        if r["days"] <= CURVE_DAYS
    ]
    return (
        alt.Chart(figure.data(rows))
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X("jours:Q", title="jours depuis le fait"),
            y=alt.Y(
                "part:Q",
                title="part déjà saisie",
                axis=alt.Axis(format=".0%"),
                scale=alt.Scale(zero=False),
            ),
            color=alt.Color(
                "source:N", legend=alt.Legend(orient="top", title=None, labelLimit=420)
            ),
        )
        .properties(width=600, height=170)
    )


def draw_nowcast(nowcast: pa.Table, titles: dict[str, str]) -> Any:
    """Return the last weeks of each source: records seen, and the final count with its interval."""
    rows = [
        {
            "source": titles[r["source"]], "week": r["week"].isoformat(),
            "middle": (r["week"] + HALF_WEEK).isoformat(),
            "end": (r["week"] + WEEK).isoformat(), "low": r["low"], "high": r["high"],
            "attendu": r["value"], "vu": r["seen"] if r["status"] == "ok" else None,
            "muette": r["status"] != "ok",
        }
        for r in nowcast.to_pylist()
        if r["division"] == WHOLE
    ]  # fmt: skip
    base = alt.Chart().encode(x=figure.days("middle", "semaine"))
    gone = base.transform_filter(alt.datum["muette"]).mark_rect(opacity=0.45, color=palette.ORANGE)
    count = alt.Scale(zero=False)
    heard = base.transform_filter(~alt.datum["muette"])
    layers = alt.layer(
        gone.encode(x=figure.days("week", "semaine"), x2="end:T"),
        heard.mark_rule(strokeWidth=4, color="#56B4E9").encode(
            y=alt.Y("low:Q", title="enregistrements", scale=count), y2="high:Q"
        ),
        heard.mark_tick(thickness=2, size=10, color=palette.BLUE).encode(y="attendu:Q"),
        heard.mark_point(shape="circle", color=palette.INK, size=30).encode(y="vu:Q"),
        data=figure.data(rows),
    ).properties(width=600, height=150)
    header = alt.Header(labelAngle=0, labelAlign="left", labelAnchor="start", labelOrient="top")
    return layers.facet(row=alt.Row("source:N", title=None, header=header)).resolve_scale(
        y="independent"
    )


def _grade_colour() -> alt.Color:
    scale = alt.Scale(domain=list(GRADE_COLOURS), range=list(GRADE_COLOURS.values()))
    return alt.Color("note:N", scale=scale, legend=alt.Legend(orient="top", title="note"))


def draw_strip(weekly: pa.Table, titles: dict[str, str]) -> alt.Chart:
    """Return the grade of each source, week by week."""
    rows = [
        {
            "source": titles[r["source"]], "week": r["week"].isoformat(),
            "end": (r["week"] + WEEK).isoformat(), "note": r["grade"],
            "pourquoi": r["reason"] or "rien à signaler",
        }
        for r in weekly.to_pylist()
        if r["division"] == WHOLE
    ]  # fmt: skip
    return (
        alt.Chart(figure.data(rows))
        .mark_rect()
        .encode(
            x=figure.days("week", "semaine"),
            x2="end:T",
            y=alt.Y("source:N", title=None, axis=alt.Axis(labelLimit=320)),
            color=_grade_colour(),
            tooltip=["week:N", "note:N", "pourquoi:N"],
        )
        .properties(width=600, height=alt.Step(34))
    )


def draw_grades(found: list[dict[str, Any]], bounds: Bounds, titles: dict[str, str]) -> Any:
    """Return the published grades: a row a source, its grade and the letter of each measure."""
    rows = []
    for row in found:
        told = [("note", row["grade"], row["reason"]), *parts(row, bounds)]
        rows += [
            {"source": titles[row["source"]], "mesure": name, "note": grade, "mots": text,
             "encre": ON_GRADE[grade]}
            for name, grade, text in told
        ]  # fmt: skip
    base = alt.Chart().encode(
        x=alt.X("mesure:N", sort=list(MEASURES), title=None,
                axis=alt.Axis(orient="top", labelAngle=0)),
        y=alt.Y("source:N", title=None, axis=alt.Axis(labelLimit=420)),
    )  # fmt: skip
    squares = base.mark_rect(stroke=palette.PAPER, strokeWidth=2).encode(
        color=_grade_colour(), tooltip=["source:N", "mesure:N", "mots:N"]
    )
    letters = base.mark_text(fontWeight="bold").encode(
        text="note:N", color=alt.Color("encre:N", scale=None, legend=None)
    )
    layers = alt.layer(squares, letters, data=figure.data(rows))
    return layers.resolve_scale(color="independent").properties(
        width=alt.Step(80), height=alt.Step(30)
    )
