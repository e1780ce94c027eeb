"""The figures of `events`: what classes add, who is needed beside who is there."""

from __future__ import annotations

from typing import Any

import altair as alt

from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.events.plan import Tables
from helpers.events.slot_words import Row, clock
from helpers.events.words import Names, by_event

SHOWN = 12


def effects(tables: Tables, names: Names) -> Drawn:
    """Return one point a class and theme with its interval; 1 is a day without an event."""
    rows = [
        {
            "classe et thème": f"{names.kind(row['kind'])} : {_theme(row['theme'], names)}",
            "rapport": row["ratio"], "low": row["low"], "high": row["high"],
        }
        for row in tables["ratios"].to_pylist()
        if row["status"] == "ok" and row["area"] == "rings"
    ]  # fmt: skip
    title = "Faits pendant et juste après un événement, rapportés à un jour sans"
    description = (
        "Un point par classe et thème, avec son intervalle, chacun pris seul ; au-delà de 1, plus "
        "de faits."
    )
    if not rows:
        return Drawn(figure.nothing("aucune classe assez connue"), title, description)
    y = alt.Y("classe et thème:N", title=None, sort=None, axis=alt.Axis(labelLimit=340))
    base = alt.Chart(figure.data(rows)).encode(y=y)
    x = figure.ratios(rows, "rapport à un jour sans événement, témoin du même jour")
    spans = base.mark_rule(strokeWidth=3, color=palette.BLUE).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=80, opacity=1, color=palette.BLUE)
    chart = (spans + points.encode(x="rapport:Q")).properties(width=420, height=alt.Step(24))
    return Drawn(chart, title, description)


def _theme(code: str, names: Names) -> str:
    return "ensemble" if code == "all" else names.city.themes[code].title


def officers(tables: Tables, names: Names) -> Drawn:
    """Return, for the slots that ask for most, officers wanted (a bar) and there (a mark)."""
    events = by_event(tables, "calendar")
    ranked = sorted(tables["shifts"].to_pylist(),
                    key=lambda r: (-r["wanted_high"], r["from_at"], r["event"]))  # fmt: skip
    rows = [shift(row, events[row["event"]], names) for row in ranked[:SHOWN]]
    title = "Agents demandés (barres) et agents qu'on peut envoyer (traits), par plage"
    description = "Une ligne par événement et plage, les plus demandées d'abord."
    if not rows:
        return Drawn(figure.nothing("aucun événement dimensionné"), title, description)
    return Drawn(wanted_beside_there(figure.data(rows), 380), title, description)


def shift(row: Row, own: Row | None, names: Names) -> dict[str, Any]:
    """Return what is drawn of a slot, from rows of `shifts` and `calendar`; without, unnamed."""
    moment = f"{row['from_at']:%d/%m}, {clock(row['from_at'])} à {clock(row['to_at'])}"
    return {
        "événement": moment if own is None
        else f"{names.kind(own['kind'])}, {names.zone(own['zone'])}, {moment}",
        "low": row["wanted_low"], "high": row["wanted_high"], "there": row["there"],
    }  # fmt: skip


def wanted_beside_there(data: Any, width: int) -> alt.LayerChart:
    """Return the chart of rows of `shift`: officers wanted (a bar) and there (a mark)."""
    y = alt.Y("événement:N", title=None, sort=None, axis=alt.Axis(labelLimit=width))
    base = alt.Chart(data).encode(y=y)
    bars = base.mark_rule(strokeWidth=6, color=palette.SKY).encode(
        x=alt.X("low:Q", title="agents", scale=alt.Scale(zero=True)), x2="high:Q"
    )
    ticks = base.mark_tick(thickness=3, size=18, color=palette.ORANGE).encode(x="there:Q")
    chart: alt.LayerChart = (bars + ticks).properties(width=width, height=alt.Step(24))
    return chart
