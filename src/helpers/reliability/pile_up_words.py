"""What pile-ups, and clocks of two time zones, say in words."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from helpers.core.base.french import number, percent, plural
from helpers.core.base.markup import plain, verbatim
from helpers.core.city.city import City
from helpers.core.city.names import MIDNIGHT, NOON
from helpers.reliability.pile_ups import DEFAULT, MONTH_START, WHOLE, YEAR_START

CLOCKED = ("minute", "hour")  # of a source that tells no hour, none is moved
WHERE = {
    MIDNIGHT: "à 0 h 00 juste",
    NOON: "à 12 h 00 juste",
    MONTH_START: "au premier d'un mois",
    YEAR_START: "au 1er janvier",
    DEFAULT: "à un point par défaut",
}
TODO = {
    MIDNIGHT: ("une heure inconnue", 'unknown_hour: ["00:00"]'),
    NOON: ("une heure inconnue", 'unknown_hour: ["12:00"]'),
    MONTH_START: ("un jour inconnu", 'unknown_day: ["01"]'),
    YEAR_START: ("un jour et un mois inconnus", 'unknown_day: ["01-01"]'),
}


def pile_ups(table: pa.Table, city: City) -> str:
    """Return the pile-ups told as a Markdown list; then the sources of another time zone."""
    told = [row for row in table.to_pylist() if row["told"]]
    whole = {(row["source"], row["kind"]) for row in told if row["category"] == WHOLE}
    lines = [
        _line(row, city)
        for row in told
        # What is told of the source is not told again of each of its categories.
        if row["category"] == WHOLE or (row["source"], row["kind"]) not in whole
    ]
    lines += [
        f"- **{plain(contract.title)}** : ses heures sont celles du fuseau "
        f"{verbatim(contract.timezone)}, et celles de la ville du fuseau "
        f"{verbatim(city.about.timezone)} ; elles sont comptées à l'heure de la ville, et un jour "
        "écrit sans heure reste ce jour."
        for contract in (city.contracts[name] for name in city.observed_sources())
        if contract.timezone and contract.timezone != city.about.timezone
        if contract.precision in CLOCKED
    ]
    return (
        "\n".join(lines) or "Aucune heure, aucun jour ni aucun point ne revient plus que le hasard."
    )


def _line(row: dict[str, Any], city: City) -> str:
    contract = city.contracts[row["source"]]
    of = f", catégorie {verbatim(row['category'])}" if row["category"] != WHOLE else ""
    line = (
        f"- **{plain(contract.title)}**{of} : {plural(row['n'], 'fait')} sur "
        f"{number(row['rows'])} ({percent(row['share'], 1)}) {WHERE[row['kind']]}"
    )
    if row["kind"] == DEFAULT:
        return f"{line} : leur lieu n'est pas connu."
    unknown, todo = TODO[row["kind"]]
    return (
        f"{line}, pour {number(row['expected'], 1)} attendus. C'est peut-être ainsi que l'éditeur "
        f"écrit {unknown} : si oui, le dire dans le contrat (`{todo}`)."
    )
