"""The two figures of `patrol`: who starts the records, and the bounds of the level by zone."""

from __future__ import annotations

from typing import Any

import altair as alt
import pyarrow as pa

from helpers.core.city.city import City
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.patrol.bounds import least

DRIVEN, OTHERS = "sensible à l'activité des agents", "aucun effet établi des agents"
SHOWN = 3


def shares(table: pa.Table, city: City) -> Drawn:
    """Return the share of agents by theme with its interval, the highest first."""
    return Drawn(
        _shares(table, city),
        title="Part des enregistrements d'origine connue dus à l'initiative des agents",
        description="Un point par thème, avec son intervalle ; orange : suit leur activité.",
    )


def _shares(table: pa.Table, city: City) -> Any:
    found = [r for r in table.to_pylist() if r["status"] == "ok"]
    rows = [
        {
            "thème": city.themes[r["theme"]].title,
            "part": r["share"],
            "low": r["share_low"],
            "high": r["share_high"],
            "compte": DRIVEN if r["driven"] else OTHERS,
        }
        for r in sorted(found, key=lambda r: (-r["share"], r["theme"]))
    ]
    if not rows:
        return figure.nothing()
    axis = alt.Axis(format=".0%")
    y = alt.Y("thème:N", title=None, sort=None, axis=alt.Axis(labelLimit=340))
    colour = alt.Color(
        "compte:N",
        scale=alt.Scale(domain=[DRIVEN, OTHERS], range=[palette.BY_AGENTS, palette.NOT_BY_AGENTS]),
        legend=alt.Legend(orient="top", title=None, labelLimit=300),
    )
    scale = alt.Scale(domain=[0, 1])
    base = alt.Chart(figure.data(rows)).encode(y=y, color=colour)
    spans = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", scale=scale, axis=axis, title="part des agents (origine connue)"),
        x2="high:Q",
    )
    points = base.mark_point(filled=True, size=80, opacity=1).encode(x="part:Q")
    return (spans + points).properties(width=420, height=alt.Step(24))


def bounds(themes: pa.Table, zones: pa.Table, city: City) -> Drawn:
    """Return, for the themes that agents drive most, recorded facts and bounds of each zone."""
    return Drawn(
        _bounds(themes, zones, city),
        title="Faits enregistrés (points) et niveau possible (barres), par zone",
        description="Pour trois thèmes, une barre par zone : les bornes du nombre réel de faits.",
    )


def _bounds(themes: pa.Table, zones: pa.Table, city: City) -> Any:
    part = {r["theme"]: r["share"] or 0.0 for r in themes.to_pylist()}
    rows = [r for r in zones.to_pylist() if r["status"] == "ok"]
    kept = sorted({r["theme"] for r in rows}, key=lambda name: (-part[name], name))[:SHOWN]
    if not kept:
        return figure.nothing()
    panels = [_panel([r for r in rows if r["theme"] == name], city, name) for name in kept]
    return alt.hconcat(*panels, spacing=16)


def _panel(rows: list[dict[str, Any]], city: City, theme: str) -> Any:
    titles = city.about.divisions[rows[0]["division"]].zones
    data = [
        {
            "zone": titles.get(r["zone"], r["zone"]) if titles else r["zone"],
            "low": least(r),
            "high": r["high"],
            "n": r["n_citizen"] + r["n_agent"] + r["n_unknown"],
        }
        for r in sorted(rows, key=lambda r: (r["rank_citizen"], r["zone"]))[:20]
    ]
    y = alt.Y("zone:N", title=None, sort=None)
    base = alt.Chart(figure.data(data)).encode(y=y)
    bars = base.mark_rule(strokeWidth=5, color=palette.POSSIBLE).encode(
        x=alt.X("low:Q", title="faits", axis=alt.Axis(tickCount=3)), x2="high:Q"
    )
    dots = base.mark_point(filled=True, color=palette.RECORDED, size=50, opacity=1).encode(x="n:Q")
    return (bars + dots).properties(
        width=190,
        height=alt.Step(20),
        title=alt.TitleParams(city.themes[theme].title, fontSize=12, fontWeight="normal"),
    )
