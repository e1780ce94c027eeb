"""What the episodes say in words: how many, how sure, what was not linked."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from helpers.core.base.french import number, percent, plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.episodes.knobs import Knobs
from helpers.episodes.links import Fitted


def counts(counted: pa.Table, city: City) -> str:
    """Return the table of `episodes.count`, themes by their titles."""
    lines = [
        "| thème | enregistrements | épisodes | intervalle | liens faux attendus | manqués |",
        "|---|---|---|---|---|---|",
    ]
    for row in counted.to_pylist():
        theme = city.themes.get(row["theme"])
        lines.append(
            f"| {plain(theme.title) if theme else 'Sans thème'} | {number(row['records'])} | "
            f"{number(row['episodes'])} | {_interval(row['low'], row['high'])} | "
            f"{number(row['false_links'], 1)} | {number(row['missed_links'], 1)} |"
        )
    return "\n".join(lines)


def _interval(low: int | None, high: int | None) -> str:
    return "non estimé" if low is None or high is None else f"{number(low)} à {number(high)}"


def answer(
    told: dict[str, Any], city: City, fitted: list[Fitted], counted: pa.Table, knobs: Knobs
) -> str:
    """Return the answer as Markdown. `told`: what `episodes.summary` returns."""
    records, episodes = (sum(counted[name].to_pylist()) for name in ("records", "episodes"))
    if not fitted:
        return (
            f"**Rien à relier** : {_why_nothing(city)}. Chaque enregistrement reste seul dans son "
            f"épisode ({number(records)})."
        )
    low, high = (
        sum(counted[name].to_pylist()) if any(one.model for one in fitted) else None
        for name in ("low", "high")
    )
    prose = [
        f"{plural(records, 'enregistrement')} racontent {plural(episodes, 'épisode')} "
        "(intervalle, liens faux et manqués attendus compris : "
        f"{_interval(low, high)}) ; {number(told['several'])} ont plusieurs traces."
    ]
    if told["joined"]:
        prose.append(
            f"Les {plural(told['joined'], 'lien retenu')} ont en moyenne "
            f"{percent(told['sure'], 1)} de chances d'être justes, selon le modèle."
        )
    if told["vague"]:
        prose.append(
            f"Sans lieu ou au moment trop vague, {plural(told['vague'], 'enregistrement')} n'ont "
            "pu être comparés : l'intervalle en tient compte."
        )
    titles = {name: plain(contract.title) for name, contract in city.contracts.items()}
    listed = [
        f"- **{titles[one.pair.first]} – {titles[one.pair.second]}** : abstention "
        f"({why(one.reason, knobs)})."
        for one in fitted
        if one.reason
    ]
    return "\n\n".join([" ".join(prose), "\n".join(listed)]).strip()


def why(reason: str, knobs: Knobs) -> str:
    """Return why a pair of sources has no model."""
    if reason == "short_span":
        return "moins de deux semaines d'enregistrements"
    return f"moins de {knobs.minimum_links} liens attendus au-delà du hasard"


def _why_nothing(city: City) -> str:
    sources = city.observed_sources()
    if len(sources) < 2:
        title, told = plain(city.about.title), plain(", ".join(sources))
        return f"{title} n'a qu'une source d'observations ({told})"
    return f"la ville n'a pas de fichier episodes.yaml pour ses {len(sources)} sources"
