"""Knox's tables and the risk that runs today, drawn."""

from __future__ import annotations

from typing import Any

import altair as alt
import duckdb
import pyarrow as pa

from helpers.core.base.french import number
from helpers.core.city.city import City
from helpers.core.stage import figure, palette
from helpers.core.stage.figure import Drawn
from helpers.core.stage.maps import base_map, cell_features, zone_features

MORE, LIKE = "plus que le hasard", "comme le hasard"


def bands(found: pa.Table, city: City) -> Drawn:
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
                "sens": MORE if r["proven"] else LIKE,
            }
            for r in mine
        ]
        colour = alt.Color(
            "sens:N",
            title=None,
            scale=alt.Scale(domain=[MORE, LIKE], range=[palette.HOT, palette.CHANCE]),
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
    return Drawn(
        alt.concat(*charts, columns=3, spacing=16) if charts else figure.nothing(),
        "Paires de faits proches, rapportées à celles de dates mêlées dans la zone et la saison",
        "Par thème, distances de haut en bas, jours d'écart en travers.",
    )


def risk(con: duckdb.DuckDBPyConnection, found: pa.Table, city: City) -> Drawn:
    """Return a map a theme with cells at risk today, by days left. View `zones`."""
    return Drawn(
        _risk_maps(con, found.to_pylist(), city),
        "Mailles où le risque de répétition court encore (nombre de mailles)",
        "Une carte par thème qui se répète ; la couleur dit les jours qui restent.",
    )


def _risk_maps(con: duckdb.DuckDBPyConnection, found: list[dict[str, Any]], city: City) -> Any:
    ground = zone_features(con, city.about.main_division)
    maps = []
    for name, theme in city.themes.items():
        rows = [{"cell": r["cell"], "jours": r["days_left"]} for r in found if r["theme"] == name]
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
    return alt.concat(*maps, columns=3, spacing=8).resolve_scale(color="shared")
