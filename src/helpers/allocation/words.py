"""Constraints, conflicts, prices and the answer, in French."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from helpers.allocation.means import Item
from helpers.allocation.prices import Price
from helpers.allocation.tables import Summary
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
    "equity": "la part de présence selon la demande ({of})",
    "balance": "l'équilibre des heures travaillées ({of})",
    "skill": "la compétence demandée ({of}, {at})",
    "fleet": "les véhicules qui existent ({of})",
}
KINDS = {
    "rest": "Repos entre deux vacations",
    "travel": "Trajets d'un créneau au suivant",
    "minimum_service": "Service minimum",
    "dose": "Présence maximale par zone",
    "equity": "Équité envers la demande",
    "balance": "Équilibre des heures travaillées",
    "skill": "Compétences demandées",
    "fleet": "Véhicules qui existent",
    "change": "Coût des changements",
}
NOTHING = "rien"


MOST = 4  # zones that the answer names
LISTED = 6  # names of one kind that a conflict tells


def named(items: Sequence[Item], names: Mapping[str, str]) -> str:
    """Return constraints of one kind as they are read; `names`: code → what people call it."""
    first = items[0]
    told = [names.get(item.of, item.of) for item in items]
    of = ", ".join(told[:LISTED])
    if len(told) > LISTED:
        of += f" et {number(len(told) - LISTED)} autres"
    return FORMS[first.kind].format(of=of, at=names.get(first.at, first.at))


def conflict(items: Sequence[Item], names: Mapping[str, str]) -> str:
    """Return why no plan exists, and what is enough to end this conflict."""
    kinds: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        kinds.setdefault((item.kind, item.of if item.kind == "skill" else ""), []).append(item)
    told = [named(of_kind, names) for of_kind in kinds.values()]
    if len(items) == 1:
        return (
            f"Aucun plan ne respecte {told[0]}, même sans les autres règles : les équipes et les "
            "vacations qui existent n'y suffisent pas."
        )
    if len(told) == 1:
        return (
            f"Aucun plan ne respecte {told[0]} partout à la fois. L'assouplir pour une seule de "
            "ces zones ou plages met fin à ce conflit."
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
    "no_zone": (
        "Aucune zone des vacations n'est du découpage que dit `patrols.division` : aucun plan "
        "n'est proposé."
    ),
    "no_demand": (
        "Aucun fait, hors ceux que relèvent les agents, n'est connu à l'heure et à la zone près : "
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


def answer(found: Summary, names: Mapping[str, str]) -> str:
    """Return the answer as Markdown: what the plan moves and wins, or why there is none."""
    if found.reason in ABSTAINS:
        return ABSTAINS[found.reason]
    if found.conflicts:
        return "\n\n".join(conflict(items, names) for items in found.conflicts)
    hours = plural(found.hours, "heure")
    before, after = found.met[1]
    if not found.moved:
        return (
            f"**Aucune des {hours} d'équipe par semaine n'est à changer de zone** : ce que l'on y "
            f"gagnerait ne paierait pas le changement. {NOT_AVOIDED}{_uncovered(found, names)}"
        )
    told = (
        f"**Avec les mêmes {hours} d'équipe par semaine, en changer {number(found.moved)} "
        f"de zone** ferait passer de {number(before)} à {number(after)} les {UNIT} qui "
        f"rencontrent une équipe{spread(found.met)}. Aucune minute n'est ajoutée, aucune vacation "
        f"n'est déplacée dans le temps. {NOT_AVOIDED}"
    )
    ratios = [then / now for now, then in found.met if now > 0]
    if ratios and min(ratios) < 1 <= max(ratios):
        told += " Sous l'une des hypothèses, il ferait moins bien qu'aujourd'hui."
    if after < before:
        told += " La répartition d'usage en rencontre plus, mais ne respecte pas toutes les règles."
    return told + _uncovered(found, names)


def _uncovered(found: Summary, names: Mapping[str, str]) -> str:
    bare: Counter[str] = Counter()
    for zone, _, days in found.uncovered:
        bare[zone] += days
    return uncovered(bare, found.cells, "aujourd'hui", found.uncovered_today, names)


def uncovered(
    bare: Mapping[str, int], cells: int, beside: str, there: int, names: Mapping[str, str]
) -> str:
    """Return how many zones and slots of the week the plan leaves without a team, and where most.

    `bare`: zone → its slots of the week without a team, of `cells` in all; `there`: how many are
    so in what stands `beside`. `names`: zone → what people call it. Nothing where a team is
    planned everywhere.
    """
    total = sum(bare.values())
    if not total:
        return ""
    ranked = sorted(((zone, n) for zone, n in bare.items() if n), key=lambda o: (-o[1], o[0]))
    listed = ", ".join(f"{plain(names.get(zone, zone))} ({number(n)})" for zone, n in ranked[:MOST])
    rest = len(ranked) - MOST
    now = number(there) if there else "aucun"
    more = f" et {plural(rest, 'autre zone')}" if rest > 0 else ""
    return (
        f" **Le plan laisse sans aucune équipe {number(total)} des {number(cells)} "
        f"couples de zone et plage de la semaine** ({beside}, {now}) : {listed}{more}."
    )


def spread(met: Sequence[tuple[float, float]]) -> str:
    """Return how much more is met, and from what to what by hypothesis; nothing out of nothing.

    `met`: before and after, for each share that an hour of a team is taken to meet; the middle one
    is the one that counts.
    """
    before, after = met[1]
    if not before:
        return ""
    told, ends = change(after / before), changes(met)
    return f" ({ends})" if ends.startswith(told) else f" ({told}, {ends})"


def changes(met: Sequence[tuple[float, float]]) -> str:
    """Return from what to what the change goes by hypothesis; once, where all print alike.

    `met`: before and after, for each hypothesis; one at least has something before.
    """
    ratios = sorted(then / now for now, then in met if now > 0)
    low, high = change(ratios[0]), change(ratios[-1])
    if low == high:
        return f"{low} sous toutes les hypothèses"
    return f"de {low} à {high} selon l'hypothèse"


def trust(found: Summary, city: City, names: Mapping[str, str]) -> str:
    """Return how far the plan is proven, what it was drawn among, and what is left out."""
    if not found.met:
        return ""
    told = [
        f"Aucun plan ne vaudrait plus de {percent(found.short, 2)} de mieux que celui-ci (prouvé).",
        f"Le plan montré est tiré au sort parmi {plural(found.ties, 'plan')} presque équivalents."
        if found.ties > 1
        else "Aucun autre plan presque équivalent n'a été trouvé : rien n'est tiré au sort.",
        f"La demande suit la prévision de la semaine pour {number(found.followed)} des "
        f"{plural(found.pairs, 'couple')} de thème et de zone, la moyenne d'un an ailleurs.",
    ]
    if found.untold > 0:
        told.append(
            f"De cette demande, {percent(found.untold)} viennent de faits dont la source ne dit "
            "pas qui les a signalés ; ce que relèvent les agents de leur initiative n'y entre pas."
        )
    if found.planned < found.hours:
        left = plural(found.hours - found.planned, "heure")
        told.append(f"Sans emploi, les règles n'en laissant pas : {left} d'équipe.")
    told += _never(found, city, names)
    if found.unheard:
        part = f"sur {found.zones}"
        where = [
            (city.themes[one].title,
             "partout" if n == found.zones else f"{plural(n, 'zone')} {part}")
            for one, n in found.unheard
        ]  # fmt: skip
        titles = " ; ".join(f"{plain(title)} ({at})" for title, at in where)
        told.append(f"Laissés de côté, faute de semaine entendue : {titles}.")
    if found.mute:
        days = " ; ".join(f"{plain(names.get(zone, zone))} ({plural(n, 'jour')})"
                          for zone, n in found.mute)  # fmt: skip
        told.append(f"Sans vacation pendant des semaines, ce qui est tenu pour non dit : {days}.")
    if round(found.elsewhere):
        told.append(f"Laissées où elles sont : {plural(round(found.elsewhere), 'heure')} d'agents "
                    "par semaine en des lieux qui ne sont d'aucune zone du découpage.")  # fmt: skip
    if found.placed < 1:
        told.append(f"La demande tient {percent(found.placed)} des faits signalés : les "
                    "autres n'ont pas d'heure ou de zone connues.")  # fmt: skip
    return "\n".join(f"- {one}" for one in told)


def _never(found: Summary, city: City, names: Mapping[str, str]) -> list[str]:
    """Return the zones that the plan leaves without a team all week in a slot of the day."""
    never: dict[str, list[str]] = {}
    for zone, slot, days in found.uncovered:
        if days == len(FULL_DAYS):
            never.setdefault(slot, []).append(plain(names.get(zone, zone)))
    slots = city.about.slots
    told = [f"{plain(slots[slot].title)} ({', '.join(never[slot])})"
            for slot in slots if slot in never]  # fmt: skip
    return [f"Sans aucune équipe de toute la semaine : {' ; '.join(told)}."] if told else []
