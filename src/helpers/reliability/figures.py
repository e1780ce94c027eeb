"""The figures of reliability: rows received, weeks heard and missing, late entries, grades."""

from __future__ import annotations

import datetime as dt
from typing import Any

import altair as alt
import pyarrow as pa

from helpers.core.base.french import plural
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.reliability import words

FATES = {
    "accepted": "acceptées", "quarantined": "écartées", "duplicates": "en double",
    "replaced": "remplacées", "out_of_period": "hors période",
}  # fmt: skip
FATE_COLOURS = [
    palette.ACCEPTED,
    palette.SET_ASIDE,
    palette.DOUBLE,
    palette.REPLACED,
    palette.OUT_OF_PERIOD,
]
MEASURES = ("note", "validité", "lieu", "délai", "silence", "perte")
CURVE_DAYS = 60
WEEK, HALF_WEEK = dt.timedelta(weeks=1), dt.timedelta(days=3)


def weeks(table: pa.Table, titles: dict[str, str]) -> Drawn:
    """Return the records a week, one panel a source; a missing week is a band, never a number."""
    rows = [
        {
            "source": titles[row["source"]],
            "week": row["week"].isoformat(),
            "middle": (row["week"] + HALF_WEEK).isoformat(),
            "end": (row["week"] + WEEK).isoformat(),
            "n": None if row["status"] == "missing" else row["n"],
            "état": "semaine manquante" if row["status"] == "missing" else "reçue",
        }
        for row in table.to_pylist()
    ]
    colours = alt.Scale(
        domain=["reçue", "semaine manquante"], range=[palette.RECEIVED, palette.SILENT]
    )
    colour = alt.Color("état:N", scale=colours, legend=alt.Legend(orient="top", title=None))
    base = alt.Chart().encode(x=figure.days("week", "semaine"), color=colour)
    silent = (
        base.transform_filter(alt.datum["état"] == "semaine manquante")
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
    return Drawn(
        layers.facet(row=alt.Row("source:N", title=None, header=header)),
        "Enregistrements reçus chaque semaine",
        "Un trait par semaine et par source ; une semaine manquante est une bande orange.",
    )


def fates(counted: list[dict[str, Any]], titles: dict[str, str]) -> Drawn:
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
    chart = (
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
    return Drawn(
        chart,
        "Que sont devenues les lignes reçues ?",
        "Par source, la part des lignes acceptées, écartées, en double, remplacées, hors période.",
    )


def delays(curves: pa.Table, nowcast: pa.Table, city: City) -> Drawn:
    """Return the delay curves, and under them the final count of the last weeks."""
    titles = {name: contract.title for name, contract in city.contracts.items()}
    return Drawn(
        _curves(curves, words.delay_titles(city)) & final_counts(nowcast, titles),
        "Délai de saisie, et compte final attendu des dernières semaines",
        "En haut, la part d'un jour déjà saisie selon l'âge. En bas, par semaine : un rond pour ce "
        "qui est vu, un trait pour le compte final attendu et une barre pour son intervalle.",
    )


def _curves(curves: pa.Table, titles: dict[str, str]) -> alt.Chart:
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


def final_counts(nowcast: pa.Table, titles: dict[str, str]) -> Any:
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
    gone = base.transform_filter(alt.datum["muette"]).mark_rect(opacity=0.45, color=palette.SILENT)
    count = alt.Scale(zero=False)
    heard = base.transform_filter(~alt.datum["muette"])
    layers = alt.layer(
        gone.encode(x=figure.days("week", "semaine"), x2="end:T"),
        heard.mark_rule(strokeWidth=4, color=palette.SKY).encode(
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
    scale = alt.Scale(domain=list(palette.GRADES), range=list(palette.GRADES.values()))
    return alt.Color("note:N", scale=scale, legend=alt.Legend(orient="top", title="note"))


def strip(weekly: pa.Table, drifted: pa.Table, titles: dict[str, str]) -> Drawn:
    """Return the grade of each source, week by week, and why."""
    why = words.weeks(weekly, drifted)
    rows = [
        {
            "source": titles[r["source"]], "week": r["week"].isoformat(),
            "end": (r["week"] + WEEK).isoformat(), "note": r["grade"],
            "pourquoi": why[r["source"], r["week"]] or "rien à signaler",
        }
        for r in weekly.to_pylist()
        if r["division"] == WHOLE and r["grade"]
    ]  # fmt: skip
    chart = (
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
    return Drawn(
        chart,
        "Note de chaque source, semaine par semaine",
        "Une ligne par source, une case par semaine, de A (bleu) à D (orange) ; sans case, une "
        "semaine que la source ne couvre pas.",
    )


def grades(found: list[dict[str, Any]], titles: dict[str, str]) -> Drawn:
    """Return the published grades: a row a source, its grade and the letter of each measure."""
    rows = []
    for row in found:
        told = [("note", row["grade"], words.why(row)), *words.measures(row)]
        rows += [
            {"source": titles[row["source"]], "mesure": name, "note": grade, "mots": text,
             "encre": palette.ON_GRADE[grade]}
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
    return Drawn(
        layers.resolve_scale(color="independent").properties(
            width=alt.Step(80), height=alt.Step(30)
        ),
        "Jusqu'où se fier à chaque source",
        "Une ligne par source : sa note, et la lettre de chacune de ses mesures.",
    )
