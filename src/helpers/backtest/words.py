"""What the year of forecasts was worth, in French: first the figure that anyone would ask for."""

from __future__ import annotations

from collections import Counter

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


def in_short(tables: dict[str, pa.Table], city: City) -> str:
    """Return the answer as Markdown: of the places named, how many had a fact; a line a theme."""
    lines = ["Sur un an, chaque semaine, les zones où l'on attendait le plus de faits le "
             "lendemain ont été nommées (une zone sur vingt). Combien en ont eu ?", ""]  # fmt: skip
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
    return "\n".join(lines) if len(lines) > 2 else "Aucun thème ne peut être éprouvé."


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
    """Return how often intervals held what came, and what a gain is to be believed."""
    told = [r for r in tables["scores"].to_pylist() if r["chosen"] and r["forecasts"]]
    if not told:
        return WARNING
    total = sum(r["forecasts"] for r in told)
    of_80, of_90 = (sum(r["forecasts"] * r[f"covered_{level}"] for r in told) / total
                    for level in (80, 90))  # fmt: skip
    return (
        f"Intervalles à 80 % : ils ont tenu {percent(of_80, 1)} des comptes ; à 90 %, "
        f"{percent(of_90, 1)} ({plural(total, 'prévision')}). Un gain s'entend à côté de la "
        "moyenne de 52 semaines, difficile à battre : quelques pour cent sont l'ordinaire ; à dix "
        "pour cent sur sept jours, chercher ce que la prévision savait de trop, ou une source dont "
        "le niveau a changé.\n\n"
        f"{WARNING}"
    )


def set_aside(tables: dict[str, pa.Table], city: City) -> str:
    """Return the origins that were not judged, and why; nothing where all were."""
    rows = tables["origins"].to_pylist()
    lines = []
    for theme, about in city.themes.items():
        mine = [r for r in rows if r["theme"] == theme and r["status"] != "ok"]
        if mine:
            why = ", ".join(sorted({REASONS[r["reason"]] for r in mine}))
            lines.append(f"- **{plain(about.title)}** : {plural(len(mine), 'prévision')} de la "
                         f"ville non jugées ({why}).")  # fmt: skip
    return "\n".join(["\n\n**Mises à part** :", "", *lines]) if lines else ""
