"""The figures and the words of `context`: effects with intervals, and who can act where."""

from __future__ import annotations

from typing import Any

import altair as alt
import duckdb
import pyarrow as pa

from helpers.context.effects import makes_sense
from helpers.core.base.french import number, plural
from helpers.core.city.city import City
from helpers.core.city.surroundings import Surroundings
from helpers.core.stage import figure, palette
from helpers.core.stage.maps import base_map, zone_features

# Beyond so many, the sentences of zones are read in the table.
SENTENCES = 12


def draw_effects(effects: pa.Table, rules: Surroundings | None, city: City) -> Any:
    """Return the effects found, each with its interval, on a log scale; 1 is "no link"."""
    found = [row for row in effects.to_pylist() if rules and row["found"]]
    if rules is None or not found:
        return figure.nothing()
    rows = [
        {
            **{key: row[key] for key in ("ratio", "low", "high")},
            "effet": f"{rules.features[row['feature']].more} : {city.themes[row['theme']].title}",
            "lecture": f"×{number(row['ratio'], 2)}",
        }
        for row in sorted(found, key=lambda row: (row["feature"], row["theme"]))
    ]
    x = figure.ratios(
        rows, "par combien les faits sont multipliés, à exposition égale (1 : aucun lien)"
    )
    base = alt.Chart(figure.data(rows)).encode(
        y=alt.Y("effet:N", title=None, sort=None, axis=alt.Axis(labelLimit=480))
    )
    one = alt.Chart(figure.data([{"un": 1}])).mark_rule(color=palette.GREY).encode(x="un:Q")
    bars = base.mark_rule(strokeWidth=2, color=palette.BLUE).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=70, color=palette.BLUE).encode(x="ratio:Q")
    words = base.mark_text(dy=-11, fontSize=11).encode(x="ratio:Q", text="lecture:N")
    return alt.layer(one, bars, points, words).properties(width=380, height=alt.Step(38))


def draw_levers(con: duckdb.DuckDBPyConnection, zones: pa.Table, rules: Surroundings | None) -> Any:
    """Return the map of the zones by who, other than the police, can act first. View `zones`."""
    actor = {row["zone"]: row["actor"] for row in zones.to_pylist() if row["status"] == "ok"}
    if not actor or rules is None:
        return figure.nothing()
    ground = zone_features(con, rules.division)
    shown = [
        {**one, "properties": {**one["properties"], "acteur": actor[one["properties"]["code"]]}}
        for one in ground
        if one["properties"]["code"] in actor
    ]
    colour = alt.Color(
        "properties.acteur:N", title="Qui peut agir d'abord", legend=alt.Legend(labelLimit=320)
    )
    filled = (
        alt.Chart(figure.data(shown))
        .mark_geoshape(stroke=palette.PAPER, strokeWidth=0.7)
        .encode(color=colour)
        .project(type="mercator")
    )
    return alt.layer(base_map(ground), filled).properties(width=560, height=460)


def in_words(
    effects: pa.Table, checks: pa.Table, rules: Surroundings | None, city: City
) -> str:  # fmt: skip
    """Return the answer as Markdown: one line a theme, then what could not be told apart."""
    rows = effects.to_pylist()
    lines = [_theme_line(check, rows, rules, city) for check in checks.to_pylist()]
    apart = sorted({(row["feature"], row["reason"]) for row in rows if row["status"] != "ok"})
    if rules and apart:
        lines += ["", "Traits sans effet propre :", ""]
        lines += [f"- **{rules.features[name].label}** : {why}." for name, why in apart]
    return "\n".join(lines)


def _theme_line(
    check: dict[str, Any], rows: list[dict[str, Any]], rules: Surroundings | None, city: City
) -> str:
    title = city.themes[check["theme"]].title
    if check["status"] != "ok" or rules is None:
        return f"- **{title}** : abstention ({check['reason']})."
    found = [row for row in rows if row["theme"] == check["theme"] and row["found"]]
    told = [_effect(row, rules) for row in found]
    text = " ; ".join(told) if told else "aucun lien établi avec un trait des lieux"
    alike = " Des zones voisines restent semblables : lire avec réserve." if check["alike"] else ""
    return f"- **{title}** ({plural(check['n'], 'fait')}) : {text}.{alike}"


def _effect(row: dict[str, Any], rules: Surroundings) -> str:
    against = "" if makes_sense(rules, row) else ", à l'inverse de l'attendu"
    return (
        f"avec {rules.features[row['feature']].more}, ×{number(row['ratio'], 2)} "
        f"(de {number(row['low'], 2)} à {number(row['high'], 2)}{against})"
    )


def sentences(zones: pa.Table) -> str:
    """Return the first zones' sentences as Markdown, those with most facts behind them first."""
    rows = [row for row in zones.to_pylist() if row["status"] == "ok"]
    if not rows:
        return "Aucune zone : rien n'y pèse plus qu'ailleurs, ou rien n'a pu être calculé."
    rows.sort(key=lambda row: (-row["weight"], row["zone"]))
    lines = [f"- {row['sentence']}" for row in rows[:SENTENCES]]
    rest = len(rows) - len(lines)
    more = [f"\n{plural(rest, 'autre zone')} dans la table `zones`."] if rest > 0 else []
    return "\n".join([*lines, *more])
