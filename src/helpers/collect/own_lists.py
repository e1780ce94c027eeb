"""The closed lists of a pack: what they hold comes in as it is, so no list of persons is taken.

A contract is tried on canonical values when it loads (`core.city.battery`); here each code, and
each name of a zone, is looked at by the detectors. A number of a person is refused wherever it
stands. A name is refused where most of the list is of names: a single one may well be a place's
(« Félix Pyat »), and whoever wrote the list has read it. Zones that have a shape keep the names
that the pack says to be published, and by whom: 7 of Barcelona's 10 districts read as persons.
That vouches for names alone: what is left of the list is judged as any other.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from helpers.collect import persons
from helpers.core.base.errors import PhareError
from helpers.core.city import lists, staff_rules, traffic_rules
from helpers.core.city.city import City

# Reasons that a number or a form gives: no code of a list looks like one by chance.
NUMBERS = frozenset(
    ("courriel", "compte", "nir", "identifiant", "telephone", "plaque", "naissance")
)
FIELD = "inscrire la colonne dans `refused`, ou dire que c'est un identifiant (`type: id`)"
CODES = "appeler chaque zone par son code (« District 5 »)"
ZONES = (
    f"{CODES} ; ou, si vous avez lu que ce sont des "
    "lieux, dire qui en publie la liste (`names_published_by: Ville de …`)"
)
PLACES = "n'y laisser que des noms de lieux"
MOST = 0.5  # share of a list that makes it one of persons; 0.19 in the worst of the cities here


def check(city: City) -> None:
    """Raise PhareError where a list of the pack's contracts, or of its zones, is of persons.

    What it holds is told by its rank alone.
    """
    found = [*_lists(city)]
    every = sorted({text for texts, *_ in found for text in texts})
    # All at once: a call for each list would take as long as all of them.
    told = persons.screen(pa.array(every, pa.string())).to_pylist()
    reasons = dict(zip(every, told, strict=True))
    for texts, where, todo, published in found:
        # Who vouches for names vouches for nothing else: they are set aside, the rest is judged.
        judged = [rank for rank, text in enumerate(texts, start=1)
                  if not (published and reasons[text] == "nom")]  # fmt: skip
        ranks = [rank for rank in judged if reasons[texts[rank - 1]]]
        numbers = [rank for rank in ranks if reasons[texts[rank - 1]] in NUMBERS]
        if numbers:
            raise PhareError(
                "une liste fermée laisse entrer un numéro, un compte ou une plaque",
                f"{where}, valeur n° {numbers[0]}",
                "l'ôter de la liste, ou dire que le champ est un identifiant (`type: id`)",
            )
        if len(ranks) > MOST * len(judged):
            raise PhareError(
                f"une liste fermée semble faite de personnes ({len(ranks)} sur {len(judged)})",
                f"{where}, valeur n° {ranks[0]}",
                todo,
            )


def _lists(city: City) -> Iterator[tuple[list[str], str, str, bool]]:
    """Yield each list of texts that come in as they are: how messages call it, and what to do.

    Last, whether the pack says who publishes it.
    """
    for source, contract in city.contracts.items():
        for name, rule in contract.fields.items():
            if rule.values:
                of = f", {lists.shown(rule.list)}" if rule.list else ""
                yield [*rule.values], f"source « {source} », champ « {name} »{of}", FIELD, False
    for division, about in city.about.divisions.items():
        names = city.zone_names(division)
        if names:
            where = f"noms des zones du découpage « {division} »"
            published = bool(about.names_published_by)
            # Zones without an outline are a list like any other: nobody vouches for its names.
            shaped = bool(about.source or about.grouping_of)
            yield [*names.values()], where, ZONES if shaped and not published else CODES, published
    roads, staff = traffic_rules.read_rules(city), staff_rules.read_rules(city)
    naming = [roads.sites.names if roads else "", staff.names if staff else ""]
    for listed in filter(None, naming):
        named = [*lists.read(city.pack, listed).values()]
        if named:
            yield named, f"noms de {lists.shown(listed)}", PLACES, False
