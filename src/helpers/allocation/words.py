"""Constraints, conflicts and prices in French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from helpers.allocation.means import Item
from helpers.allocation.prices import Price
from helpers.core.base.french import number

FORMS = {
    "hours": "les heures existantes ({of})",
    "rest": "le repos entre deux vacations ({of})",
    "travel": "les trajets d'un créneau au suivant",
    "minimum_service": "le service minimum ({of})",
    "dose": "la présence maximale dans une zone ({of})",
    "equity": "la part de présence selon la demande des habitants ({of})",
    "balance": "l'équilibre des heures travaillées ({of})",
    "skill": "la compétence demandée ({of}, {at})",
    "fleet": "les véhicules qui existent ({of})",
}
KINDS = {
    "rest": "Repos entre deux vacations",
    "travel": "Trajets d'un créneau au suivant",
    "minimum_service": "Service minimum",
    "dose": "Présence maximale par zone",
    "equity": "Équité envers la demande des habitants",
    "balance": "Équilibre des heures travaillées",
    "skill": "Compétences demandées",
    "fleet": "Véhicules qui existent",
    "change": "Coût des changements",
}
NOTHING = "rien"


def named(item: Item, names: Mapping[str, str]) -> str:
    """Return a constraint as it is read; `names`: code → what people call it."""
    return FORMS[item.kind].format(of=names.get(item.of, item.of), at=names.get(item.at, item.at))


def conflict(items: Sequence[Item], names: Mapping[str, str]) -> str:
    """Return why no plan exists, and what is enough to end this conflict."""
    told = [named(item, names) for item in items]
    if len(told) == 1:
        return (
            f"Aucun plan ne respecte {told[0]}, même sans les autres règles : les équipes et les "
            "vacations qui existent n'y suffisent pas."
        )
    return (
        f"Aucun plan ne respecte à la fois {' ; '.join(told)}. "
        "Assouplir une seule de ces règles met fin à ce conflit."
    )


def price(one: Price, unit: str) -> str:
    """Return what a rule costs: an amount, or between two amounts where the proof leaves a gap."""
    low, high = number(one.low, 1), number(one.high, 1)
    what = NOTHING if high == number(0, 1) else f"{high} {unit}"
    if low != high:
        what = f"entre {low} et {high} {unit}"
    return f"{KINDS[one.kind]} : {what}"
