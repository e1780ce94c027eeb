"""What Knox's tables and the risk that runs today look like, and what they say in words."""

from __future__ import annotations

from typing import Any

import altair as alt
import duckdb
import pyarrow as pa

from helpers.core.base.french import number, plural, spoken
from helpers.core.city.city import City
from helpers.core.stage import figure, palette
from helpers.core.stage.maps import base_map, cell_features, zone_features


def draw(found: pa.Table, city: City) -> Any:
    """Return a table a theme: the ratio in each near band, in colour where it is proven."""
    charts = []
    rows = found.to_pylist()
    for name, theme in city.themes.items():
        mine = [r for r in rows if r["theme"] == name and r["p"] is not None]
        if not mine:
            continue
        told = [
            {
                "distance": f"{r['from_m']} à {r['to_m']} m",
                "jours": f"{r['from_days']} à {r['to_days'] - 1} j",
                "rang_d": r["from_m"],
                "rang_j": r["from_days"],
                "texte": "–" if r["ratio"] is None else f"×{number(r['ratio'], 2)}",
                "sens": "plus que le hasard" if r["proven"] else "comme le hasard",
            }
            for r in mine
        ]
        colour = alt.Color(
            "sens:N",
            title=None,
            scale=alt.Scale(
                domain=["plus que le hasard", "comme le hasard"], range=[palette.ORANGE, "#E4E9EE"]
            ),
            legend=alt.Legend(orient="top"),
        )
        base = alt.Chart(figure.data(told)).encode(
            x=alt.X("jours:N", title=None, sort=alt.SortField("rang_j"),
                    axis=alt.Axis(labelAngle=0)),
            y=alt.Y("distance:N", title=None, sort=alt.SortField("rang_d")),
        )  # fmt: skip
        layers = alt.layer(
            base.mark_rect().encode(color=colour), base.mark_text().encode(text="texte:N")
        )
        title = alt.TitleParams(theme.title, fontSize=12, fontWeight="normal")
        charts.append(layers.properties(width=240, height=alt.Step(22), title=title))
    return alt.concat(*charts, columns=3, spacing=16) if charts else figure.nothing()


def draw_risk(con: duckdb.DuckDBPyConnection, risk: pa.Table, city: City, columns: int = 3) -> Any:
    """Return a map a theme with cells at risk today, by days left. View `zones`."""
    ground = zone_features(con, city.about.main_division)
    maps = []
    for name, theme in city.themes.items():
        rows = [
            {"cell": r["cell"], "jours": r["days_left"]}
            for r in risk.to_pylist()
            if r["theme"] == name
        ]
        if not rows:
            continue
        colour = alt.Color(
            "properties.jours:Q",
            title="jours avant la fin",
            scale=alt.Scale(scheme=palette.RAMP, domainMin=0),
            legend=alt.Legend(orient="top", gradientLength=120, tickCount=3),
        )
        squares = (
            alt.Chart(figure.data(cell_features(rows, city.about.crs)))
            .mark_geoshape(stroke=None)
            .encode(color=colour)
            .project(type="mercator")
        )
        title = alt.TitleParams(
            f"{theme.title} ({len(rows)})", fontSize=12, fontWeight="normal", offset=2
        )
        maps.append(
            alt.layer(base_map(ground), squares).properties(width=240, height=220, title=title)
        )
    if not maps:
        return figure.nothing()
    return alt.concat(*maps, columns=columns, spacing=8).resolve_scale(color="shared")


def in_words(found: pa.Table, risk: pa.Table, city: City) -> str:
    """Return the answer as Markdown: a line a theme."""
    rows, at = found.to_pylist(), risk.to_pylist()
    lines = []
    for name, theme in city.themes.items():
        mine = [r for r in rows if r["theme"] == name]
        if mine[0]["status"] != "ok":
            lines.append(f"- **{theme.title}** : abstention ({mine[0]['reason']}).")
            continue
        proven = [r for r in mine if r["proven"]]
        part = mine[0]["drawn"]
        draw_told = "" if part == 1 else f" (tirage de {number(100 * part)} % des faits)"
        if not proven:
            lines.append(f"- **{theme.title}** : pas de répétition proche établie{draw_told}.")
            continue
        best = max(proven, key=lambda r: (r["ratio"], -r["from_m"], -r["from_days"]))
        cells = [r for r in at if r["theme"] == name]
        until = max((r["until"] for r in cells), default=None)
        told = (
            f" ; {plural(len(cells), 'maille')} à surveiller, au plus tard jusqu'au {spoken(until)}"
            if until
            else ""
        )
        lines.append(
            f"- **{theme.title}** : les faits reviennent à moins de {best['to_m']} m et "
            f"{best['to_days']} jours {number(best['ratio'], 2)} fois autant que si rien ne liait "
            f"lieux et dates (hasard : de {number(best['low'], 2)} à {number(best['high'], 2)})"
            f"{draw_told}{told}."
        )
    return "\n".join(lines)
