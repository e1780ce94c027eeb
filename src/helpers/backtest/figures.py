"""The year that judges, drawn: methods side by side, intervals that hold, places named."""

from __future__ import annotations

from typing import Any

import altair as alt
import pyarrow as pa

from helpers.backtest.rolled import REFERENCE
from helpers.backtest.words import HORIZONS, METHODS
from helpers.core.city.city import City
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.core.stats.count_levels import BASELINES, LAST

NOT_A_PERSON = " Des lieux, non des personnes."
FAMILIES = {True: "moyenne", False: "modèle"}
Rows = list[dict[str, Any]]


def methods(table: pa.Table, city: City) -> Drawn:
    """Return each method's error over zones within the week, beside the mean of 52 weeks.

    The last count is far off, and told in the tables alone. `table`: `scores`.
    """
    rows = [r for r in table.to_pylist() if (r["horizon"], r["part"]) == ("week", "day")]
    told: Rows = []
    for theme, about in city.themes.items():
        own = about.division or city.about.main_division
        mine = {r["method"]: r for r in rows if r["theme"] == theme and r["division"] == own}
        usual = mine.get(REFERENCE)
        if usual is None or not usual["crps"]:
            continue
        told += [
            {"thème": about.title, "méthode": METHODS[m],
             "écart": 100 * r["crps"] / usual["crps"] - 100,
             "famille": FAMILIES[m in BASELINES], "retenue": "oui" if r["chosen"] else "non"}
            for m, r in mine.items() if m != LAST
        ]  # fmt: skip
    if not told:
        return Drawn(figure.nothing("aucun thème à éprouver"), "Les méthodes", "Rien à montrer.")
    chart = alt.Chart(figure.data(told)).mark_point(filled=True, opacity=0.9).encode(
        x=alt.X("écart:Q", title="erreur (CRPS) rapportée à la moyenne de 52 semaines, en %"),
        y=alt.Y("thème:N", title=None, sort=None, axis=alt.Axis(labelLimit=340)),
        color=alt.Color("famille:N", title=None, legend=alt.Legend(orient="top"),
                        scale=alt.Scale(domain=list(FAMILIES.values()),
                                        range=[palette.GREY, palette.BLUE])),
        size=alt.Size("retenue:N", title="retenue", legend=alt.Legend(orient="top"),
                      scale=alt.Scale(domain=["oui", "non"], range=[140, 40])),
        tooltip=["thème:N", "méthode:N", "écart:Q"],
    )  # fmt: skip
    return Drawn(
        chart.properties(width=460, height=alt.Step(24)),
        "Sept jours, par zone : l'erreur de chaque méthode (à gauche de 0, mieux)",
        "Un point par méthode et par thème : l'erreur sur un an, rapportée à celle de la moyenne "
        f"de 52 semaines.{NOT_A_PERSON}",
    )


def coverage(table: pa.Table, city: City) -> Drawn:
    """Return how often the interval at 80 % held, a point a theme and horizon (`scores`)."""
    rows = [r for r in table.to_pylist() if r["chosen"]]
    told = [
        {"thème": about.title, "horizon": HORIZONS[r["horizon"]], "tenu": r["covered_80"]}
        for theme, about in city.themes.items()
        for r in rows
        if r["theme"] == theme and r["division"] == (about.division or city.about.main_division)
        and (r["part"] == "day" or r["horizon"] == "slot")
    ]  # fmt: skip
    title = "Les intervalles à 80 % ont-ils tenu huit fois sur dix ?"
    if not told:
        return Drawn(figure.nothing("aucun thème à éprouver"), title, "Rien à montrer.")
    points = alt.Chart(figure.data(told)).mark_point(filled=True, size=70, opacity=0.9).encode(
        x=alt.X("tenu:Q", title="part des comptes dans l'intervalle à 80 %",
                scale=alt.Scale(domain=[0.6, 1], clamp=True), axis=alt.Axis(format="%")),
        y=alt.Y("thème:N", title=None, sort=None, axis=alt.Axis(labelLimit=340)),
        color=alt.Color("horizon:N", title=None, sort=list(HORIZONS.values()),
                        legend=alt.Legend(orient="top")),
    )  # fmt: skip
    stated = alt.Chart(figure.data([{"dit": 0.8}])).mark_rule(color=palette.INK).encode(x="dit:Q")
    return Drawn(
        (stated + points).properties(width=460, height=alt.Step(24)), title,
        f"Un point par thème et par horizon ; le trait est ce qui est dit, 80 %.{NOT_A_PERSON}",
    )  # fmt: skip


def places(table: pa.Table, city: City) -> Drawn:
    """Return, of the places named, the share that had a fact next day, beside chance's."""
    rows = [r for r in table.to_pylist() if (r["horizon"], r["part"]) == ("day", "day")]
    told: Rows = []
    for theme, about in city.themes.items():
        mine = [r for r in rows if r["theme"] == theme]
        if mine:
            told.append({"thème": about.title, "nommées": mine[0]["with_a_fact"],
                         "hasard": mine[0]["chance"]})  # fmt: skip
    title = "Des zones nommées la veille, celles qui ont eu un fait (point ; trait : au hasard)"
    if not told:
        return Drawn(figure.nothing("aucun thème à éprouver"), title, "Rien à montrer.")
    base = alt.Chart(figure.data(told)).encode(
        y=alt.Y("thème:N", title=None, sort=None, axis=alt.Axis(labelLimit=340))
    )
    x = alt.X("nommées:Q", title="part des zones", axis=alt.Axis(format="%"),
              scale=alt.Scale(domain=[0, 1]))  # fmt: skip
    chance = base.mark_tick(color=palette.AT_RANDOM, thickness=3, size=16).encode(x="hasard:Q")
    points = base.mark_point(filled=True, size=80, opacity=1, color=palette.COUNTED).encode(x=x)
    return Drawn(
        (chance + points).properties(width=460, height=alt.Step(24)),
        title,
        f"Un point par thème, le trait est ce que le hasard aurait nommé.{NOT_A_PERSON}",
    )
