"""What `uniqueness` found, in French."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from helpers.core.base.french import percent, plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.uniqueness.knobs import Knobs

PLACES = {"point": "au point", "cell": "à la maille", "zone": "à la zone"}
TIMES = {"moment": "à l'instant", "day": "au jour", "month": "au mois"}
LEAST = 0.001  # a share that would be written 0 %


def grain(row: dict[str, Any]) -> str:
    """Return the grain of a row in words."""
    return f"{PLACES[row['place']]} et {TIMES[row['time']]}"


def share(count: int, total: int) -> str:
    """Return a share in words, never a zero or a whole that is none."""
    if 0 < count < LEAST * total:
        return "moins de 0,1\u202f%"
    if 0 < total - count < LEAST * total:
        return "plus de 99,9\u202f%"
    return percent(count / total, 1) if total else "sans objet"


def in_words(table: pa.Table, city: City, knobs: Knobs) -> str:
    """Return the answer as Markdown: one line a source."""
    sources: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        sources.setdefault(row["source"], []).append(row)
    lines = [
        f"- **{plain(city.contracts[source].title)}** : {_source(rows, knobs)}"
        for source, rows in sources.items()
    ]
    return "\n".join(lines) or "Aucune source à étudier."


def _source(rows: list[dict[str, Any]], knobs: Knobs) -> str:
    total = rows[0]["n"]
    if not total:
        return "aucune ligne gardée."
    finest, coarsest = rows[0], rows[-1]
    told = (
        f"{grain(finest)}, {share(finest['alone'], total)} des lignes n'ont pas leur pareille "
        f"({plural(total, 'ligne')})"
    )
    enough = [row for row in rows if row["few"] <= knobs.tolerated_share * total]
    first = enough[0] if enough else coarsest
    few = f"{grain(first)}, {share(first['few'], total)} sont moins de {knobs.smallest_group}"
    if enough:
        return f"{told} ; {few} à se ressembler."
    return f"{told} ; encore {few} à se ressembler : ne publier que des comptes plus gros."
