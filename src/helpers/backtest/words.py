"""What the year of forecasts was worth, in French: first the figure that anyone would ask for."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from helpers.backtest.scores import CITY
from helpers.core.base.french import percent, plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE

METHODS = {
    "last": "dernier compte connu", "past": "moyenne de tout le passé",
    "mean_52": "moyenne de 52 semaines", "ewma_26": "moyenne récente (demi-vie 26 semaines)",
    "shrunk": "moyenne récente, rapprochée des autres zones",
    "poisson_glm": "modèle log-linéaire", "boosting": "arbres boostés",
    "mean_of_both": "moyenne des deux modèles",
}  # fmt: skip
HORIZONS = {"slot": "prochaine tranche", "day": "lendemain", "week": "7 jours", "month": "28 jours"}
REASONS = {
    "too_few": "trop peu de faits", "short_history": "passé trop court",
    "not_dated": "aucun fait connu au jour près", "no_hour": "heures inconnues",
    "not_whole": "trop peu de semaines entendues en entier",
    "no_skill": "pas mieux, de façon sûre, que le dernier compte connu",
    "silent": "source muette", "not_covered": "non couvert",
}  # fmt: skip
WARNING = (
    "Ces épreuves jugent des méthodes, sur des lieux et des heures ; elles ne peuvent servir à "
    "juger une personne qui habite ou se trouve quelque part."
)


def in_short(tables: dict[str, pa.Table], city: City, named_share: float) -> str:
    """Return the answer as Markdown: of the places named, how many had a fact; a line a theme.

    `named_share`: which share of all places was named.
    """
    lines = ["Sur un an, chaque semaine, les zones où l'on attendait le plus de faits le lendemain "
             f"ont été nommées ({percent(named_share)} des zones, une au moins). Combien en ont "
             "eu ? Les faits sont ceux que signalent des habitants ou dont on ignore qui les "
             "signale, sauf où seuls des agents les relèvent.", ""]  # fmt: skip
    rows = tables["places"].to_pylist()
    skill = {(r["theme"], r["horizon"]): r for r in tables["skill"].to_pylist()
             if r["division"] not in (WHOLE, None)}  # fmt: skip
    chosen = {(r["theme"], r["horizon"]): r["method"] for r in tables["methods"].to_pylist()
              if r["chosen"] and r["role"] != CITY}  # fmt: skip
    for theme, about in city.themes.items():
        mine = [r for r in rows if (r["theme"], r["horizon"], r["part"]) == (theme, "day", "day")
                and r["method"] == chosen.get((theme, "day"))]  # fmt: skip
        title = plain(about.title)
        if mine:
            row = mine[0]
            lines.append(
                f"- **{title}** : {percent(row['with_a_fact'])} des zones nommées ont eu un fait, "
                f"contre {percent(row['chance'])} de zones prises au hasard."
            )
        elif (theme, "day") in skill:
            why = REASONS.get(skill[theme, "day"]["reason"], "")
            lines.append(f"- **{title}** : abstention ({why or 'aucune semaine entière'}).")
    if not rows:  # nothing was named
        lines = lines[2:]
    return "\n".join(lines) or "Aucun thème ne peut être éprouvé."


def chosen(tables: dict[str, pa.Table], city: City) -> str:
    """Return which methods were chosen for the zones of each theme, and how many times."""
    own = {name: about.division or city.about.main_division for name, about in city.themes.items()}
    rows = tables["skill"].to_pylist()
    used = Counter(
        r["method"] for r in rows if r["division"] == own.get(r["theme"]) and r["method"]
    )
    if not used:
        return "Aucune méthode n'a pu être retenue."
    told = [f"{METHODS[name]}, {n} fois" for name, n in used.most_common()]
    return (
        f"Méthodes retenues, un choix par thème et par horizon ({used.total()} choix) : "
        f"{' ; '.join(told)}. Ce que chacune gagne est dans la table `skill`."
    )


def honest(tables: dict[str, pa.Table]) -> str:
    """Return how often intervals held what came, and what a gain is to be believed.

    Zones and the whole city apart: forecasts of zones are so many that they would hide the others.
    """
    rows = [r for r in tables["scores"].to_pylist() if r["chosen"] and r["forecasts"]]
    city = [r for r in rows if r["division"] == WHOLE and r["part"] == ("slots" if r["horizon"]
            == "slot" else "day")]  # fmt: skip
    zones = [r for r in rows if r["division"] != WHOLE]
    if not city or not zones:
        return WARNING
    whole = ", ".join(
        f"{name} {percent(_held([r for r in city if r['horizon'] == horizon]))}"
        for horizon, name in HORIZONS.items()
        if any(r["horizon"] == horizon for r in city)
    )
    return (
        f"Intervalles à 80 % : ils ont tenu {percent(_held(zones), 1)} des comptes par zone "
        f"({plural(sum(r['forecasts'] for r in zones), 'prévision')}) ; de toute la ville, "
        f"{whole} ({plural(sum(r['forecasts'] for r in city), 'prévision')}). Un gain s'entend à "
        "côté de la moyenne de 52 semaines, difficile à battre : quelques pour cent sont "
        "l'ordinaire ; à dix pour cent sur sept jours, chercher ce que la prévision savait de "
        "trop, ou une source dont "
        "le niveau a changé.\n\n"
        f"{WARNING}"
    )


def _held(rows: list[dict[str, Any]]) -> float:
    """Return the share of the intervals at 80 % that held, of some rows of `scores`."""
    held = sum(r["forecasts"] * r["covered_80"] for r in rows)
    return float(held / sum(r["forecasts"] for r in rows))


def set_aside(tables: dict[str, pa.Table], city: City) -> str:
    """Return the origins that were not judged, and why; nothing where all were."""
    rows = tables["origins"].to_pylist()
    lines = []
    for theme, about in city.themes.items():
        mine = [r for r in rows if r["theme"] == theme and r["status"] != "ok"]
        if mine:
            why = ", ".join(sorted({REASONS[r["reason"]] for r in mine}))
            aside = f"{plural(len(mine), 'prévision')} de la ville mise{'s' * (len(mine) > 1)}"
            lines.append(f"- **{plain(about.title)}** : {aside} à part ({why}).")
    return "\n".join(["\n\n**Prévisions qu'on ne peut juger** :", "", *lines]) if lines else ""
