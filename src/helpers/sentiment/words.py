"""The index of how quiet people feel, and what goes with it, in words."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from helpers.core.base.french import number, percent, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.names import WHOLE
from helpers.core.city.surroundings import Surroundings
from helpers.sentiment.features import FACTS, PATROL
from helpers.sentiment.index import NO_SURVEY, TOO_FEW_ANSWERS
from helpers.sentiment.knobs import Knobs
from helpers.sentiment.links import NOTHING_OF_ITS_OWN, TOO_FEW_ZONES

# Feature → what it is called, and what a step more of it is.
OWN = {
    FACTS: ("faits signalés par habitant", "deux fois plus de faits par habitant"),
    PATROL: (
        "heures de patrouille par habitant",
        "deux fois plus d'heures de patrouille par habitant",
    ),
}


def feature(name: str, held: Surroundings | None) -> tuple[str, str]:
    """Return what a feature is called, and a step more of it, as context.yaml (`held`) has them."""
    if name in OWN or held is None:
        return OWN[name]
    return held.features[name].label, held.features[name].more


def why(row: dict[str, Any], knobs: Knobs) -> str:
    """Return why a row of the index, or of what goes with it, abstains."""
    return {
        "": "",
        NO_SURVEY: "pas d'enquête de tranquillité dans ce paquet de ville",
        TOO_FEW_ANSWERS: f"moins de {knobs.minimum_answers} réponses",
        TOO_FEW_ZONES: f"moins de {row.get('zones_needed')} zones renseignées",
        NOTHING_OF_ITS_OWN: "le même partout, ou déjà dit par un autre trait",
    }[row["reason"]]


def in_words(
    waves: pa.Table, links: pa.Table, alike: tuple[float, float, float, int] | None, knobs: Knobs,
    question: str, held: Surroundings | None,
) -> str:  # fmt: skip
    """Return the answer as Markdown; `held`: context.yaml, which names the features of places."""
    city = [row for row in waves.to_pylist() if row["zone"] == WHOLE]
    told = [row for row in city if row["status"] == "ok"]
    if not told:
        return f"Abstention : {why(city[-1], knobs) if city else 'aucune vague'}."
    lines = [*_level(told[-1], knobs, question), _moved(told[-1])]
    order = [*OWN, *(held.features if held else ())]
    found = sorted(links.to_pylist(), key=lambda row: order.index(row["feature"]))
    lines += [_link(row, knobs, held) for row in found]
    if any(row["established"] for row in found):
        lines.append("- Ce qui va avec n'est pas une cause démontrée.")
    return "\n".join([*lines, *_reports(alike)])


def _level(last: dict[str, Any], knobs: Knobs, question: str) -> list[str]:
    """Return what adults feel, as widely as non-respondents leave it; then what answers alone say.

    The wide band comes first: the interval of chance alone is that of respondents, not of adults.
    """
    return [
        f"**« {plain(question)} »** Au {spoken(last['wave'])}, de {percent(last['shift_low'])} à "
        f"{percent(last['shift_high'])} des adultes seraient tranquilles, si les "
        f"{percent(1 - last['answered'])} d'invités sans réponse (ou trop peu nombreux dans leur "
        f"zone pour être livrés) se sentent jusqu'à {number(100 * knobs.nonresponse_shift)} points "
        "plus, ou moins, tranquilles que les autres.",
        f"- Sans rien supposer d'eux : de {percent(last['worst_low'])} à "
        f"{percent(last['worst_high'])}.",
        f"- Les répondants seuls ({plural(last['n'], 'réponse')}), ramenés à l'âge et au secteur "
        f"des adultes : {percent(last['value'])} (de {percent(last['low'])} à "
        f"{percent(last['high'])}, le hasard seul).",
    ]


def _points(value: float) -> str:
    sign = "+" if value >= 0 else ""
    return f"{sign}{number(100 * value, 1)}"


def _unit(value: float) -> str:
    """Return the unit of what is shown, plural from two on."""
    return "points" if round(abs(100 * value), 1) >= 2 else "point"


def _moved(row: dict[str, Any]) -> str:
    if row["change"] is None:
        return "- Pas de vague précédente à laquelle comparer."
    span = f"{_points(row['change_low'])} à {_points(row['change_high'])}"
    sure = row["change_low"] > 0 or row["change_high"] < 0
    word = "établi" if sure else "rien d'établi"
    return (
        f"- Depuis la vague d'avant : {_points(row['change'])} {_unit(row['change'])} ({span}), "
        f"{word}, si ceux qui répondent n'ont pas changé."
    )


def _link(row: dict[str, Any], knobs: Knobs, held: Surroundings | None) -> str:
    label, more = map(plain, feature(row["feature"], held))
    if row["status"] != "ok":
        return f"- {label} : abstention ({why(row, knobs)})."
    span = f"{_points(row['low'])} à {_points(row['high'])}"
    word = "" if row["established"] else ", rien d'établi"
    unit = f"{_unit(row['points'])} de tranquillité"
    return f"- Là où il y a {more} : {_points(row['points'])} {unit} ({span}){word}."


def _reports(alike: tuple[float, float, float, int] | None) -> list[str]:
    if not alike:
        return []
    rho, low, high, zones = alike
    return [
        f"- Signalements et sentiment, {zones} zones : corrélation de rang {number(rho, 2)} "
        f"({number(low, 2)} à {number(high, 2)}). Qui signale n'est pas qui subit : les "
        "signalements sont mis à côté, jamais mêlés à l'indice ; le hasard de l'enquête dilue "
        "cette corrélation."
    ]
