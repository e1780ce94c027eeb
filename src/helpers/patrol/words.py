"""What `patrol` found, told in French."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from helpers.core.base.french import number, percent, plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.stage import standing
from helpers.patrol import bounds, shares

SILENCES = "Les parts sont celles des semaines entendues."
REASONS = {
    shares.NO_HOURS: "pas d'heures de patrouille",
    shares.STEADY: "les heures ne varient pas",
    shares.NO_ORIGIN: "origine inconnue",
    shares.THIN: "trop peu d'enregistrements",
    bounds.NO_CITIZEN: "aucun enregistrement venu des habitants : le niveau n'est pas mesurable",
    bounds.NO_RANGE: "aucune part signalée déclarée pour ce thème",
}


def in_words(themes: pa.Table, zones: pa.Table, city: City) -> str:
    """Return the answer as Markdown: what drives each theme, and within which bounds it lies."""
    levels: dict[str, list[dict[str, Any]]] = {}
    for row in zones.to_pylist():
        levels.setdefault(row["theme"], []).append(row)
    driven = standing.driven(themes)
    lines = []
    for row in themes.to_pylist():
        title, mine = plain(city.themes[row["theme"]].title), levels[row["theme"]]
        if row["status"] != "ok":
            lines.append(f"- **{title}** : abstention ({REASONS[row['reason']]}).")
            continue
        agents = f"agents : {percent(row['share'])} des enregistrements d'origine connue"
        told = driven.get(row["theme"], agents)
        if row["effect_reason"]:
            told += f" ; effet des heures non mesuré ({REASONS[row['effect_reason']]})"
        lines.append(f"- **{title}** : {told}. {_level(mine, city)}")
    return "\n".join(lines) or "Aucun thème à étudier."


def _level(rows: list[dict[str, Any]], city: City) -> str:
    """Return the bounds of the zone that habitants tell most of, or why there are none."""
    if rows[0]["status"] != "ok":
        return f"Niveau : abstention ({REASONS[rows[0]['reason']]})."
    top = min(rows, key=lambda r: (r["rank_citizen"], r["zone"]))
    recorded = top["n_citizen"] + top["n_agent"] + top["n_unknown"]
    return (
        f"{plain(_named(city, top))}, en tête des signalements : entre "
        f"{number(bounds.least(top))} et {number(top['high'])} faits, pour "
        f"{plural(recorded, 'enregistré')}, rang {top['rank_low']} à {top['rank_high']} sur "
        f"{len(rows)}."
    )


def _named(city: City, row: dict[str, Any]) -> str:
    division = city.about.divisions[row["division"]]
    return division.zones.get(row["zone"], f"zone {row['zone']}")
