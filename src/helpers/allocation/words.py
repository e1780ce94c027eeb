"""Constraints, conflicts, prices and the answer, in French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from helpers.allocation.allocate import Found
from helpers.allocation.means import Item
from helpers.allocation.prices import Price
from helpers.core.base.french import change, number, percent, plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.place_time.calendar import FULL_DAYS

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


ABSTAINS = {
    "no_hours": "Cette ville ne dit pas ses heures de patrouille : aucun plan n'est proposé.",
    "no_demand": (
        "Aucun fait signalé par des habitants n'est connu à l'heure et à la zone près : "
        "aucun plan n'est proposé."
    ),
}
UNIT = "faits attendus par semaine"
NOT_AVOIDED = "Le gain est une hypothèse sur la présence, non des faits évités."


def shifts(city: City) -> dict[str, str]:
    """Return what the hours of each slot of the week are called: « lundi, matin »."""
    return {
        f"{day}_{code}": f"{title}, {slot.title}"
        for day, title in enumerate(FULL_DAYS) for code, slot in city.about.slots.items()
    }  # fmt: skip


def answer(found: Found, names: Mapping[str, str]) -> str:
    """Return the answer as Markdown: what the plan moves and wins, or why there is none."""
    if found.reason in ABSTAINS:
        return ABSTAINS[found.reason]
    if found.chosen is None or found.week is None:
        return "\n\n".join(conflict(items, names) for items in found.conflicts)
    hours = plural(int(found.week.present.sum()), "heure")
    before, after = found.met[1]
    if not found.chosen.moved:
        return (
            f"**Aucune des {hours} d'équipe par semaine n'est à changer de zone** : ce que l'on y "
            f"gagnerait ne paierait pas le changement. {NOT_AVOIDED}"
        )
    ratios = sorted(then / now for now, then in found.met if now > 0)
    spread = f" ({change(after / before)}, de {change(ratios[0])} à {change(ratios[-1])} selon " \
             "l'hypothèse)" if before else ""  # fmt: skip
    told = (
        f"**Avec les mêmes {hours} d'équipe par semaine, en changer {number(found.chosen.moved)} "
        f"de zone** ferait passer de {number(before)} à {number(after)} les {UNIT} qui "
        f"rencontrent une équipe{spread}. Aucune minute n'est ajoutée, aucune vacation n'est "
        f"déplacée dans le temps. {NOT_AVOIDED}"
    )
    if ratios and ratios[0] < 1 <= ratios[-1]:
        told += " Sous l'une des hypothèses, il ferait moins bien qu'aujourd'hui."
    if after < before:
        told += " La répartition d'usage en rencontre plus, mais ne respecte pas toutes les règles."
    return told


def trust(found: Found, city: City) -> str:
    """Return how far the plan is proven, what it was drawn among, and what is left out."""
    if found.best is None or found.chosen is None or found.week is None:
        return ""
    short = max(0.0, found.best.bound - found.chosen.net) / max(found.chosen.net, 1e-9)
    followed, pairs = found.week.forecast
    told = [
        f"Aucun plan ne vaudrait plus de {percent(short, 2)} de mieux que celui-ci (prouvé).",
        f"Le plan montré est tiré au sort parmi {plural(found.ties, 'plan')} presque équivalents."
        if found.ties > 1
        else "Aucun autre plan presque équivalent n'a été trouvé : rien n'est tiré au sort.",
        f"La demande suit la prévision de la semaine pour {number(followed)} des "
        f"{plural(pairs, 'couple')} de thème et de zone, la moyenne d'un an ailleurs.",
    ]
    if found.week.unheard:
        zones = len(found.week.zones)
        part = f"sur {zones}"
        where = [
            (city.themes[one].title, "partout" if n == zones else f"{plural(n, 'zone')} {part}")
            for one, n in found.week.unheard
        ]
        titles = " ; ".join(f"{plain(title)} ({at})" for title, at in where)
        told.append(f"Laissés de côté, faute de semaine entendue : {titles}.")
    if found.week.placed < 1:
        told.append(f"La demande tient {percent(found.week.placed)} des faits signalés : les "
                    "autres n'ont pas d'heure ou de zone connues.")  # fmt: skip
    return "\n".join(f"- {one}" for one in told)
