"""What « Actions » says: how many, what was shown, what asks for a decision; one action's thread.

Names of zones go through `plain`, or `escape` where the text is HTML at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from helpers.actions import words as action_words
from helpers.apps import actions_read as read
from helpers.apps.choice import Option
from helpers.apps.keep import Cell
from helpers.apps.parts import folded
from helpers.core.base.french import change, number, percent, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.stage.action_words import EXPLORATORY, STATES, VERDICTS, last_day
from helpers.impact import beside_words
from helpers.impact import words as impact_words
from helpers.register import rules

Row = Mapping[str, Any]
NO_SOURCE = (
    "La ville n'a pas de fichier `actions.yaml`, qui dit où lire les actions menées : aucune dose "
    "dite par un service, aucun effet mesuré."
)
NOTHING = "**Aucune action connue** : ni inscrite au registre, ni livrée par une source."
NO_MATCH = "**Aucune action ne répond à ce choix**"
QUIET = "Rien n'attend de décision."
CHOOSE = "Choisir une action pour suivre son fil, du problème à ce qui a suivi."
NO_NUMBER = "<p>Aucun effet chiffré : la liste dit pourquoi, action par action.</p>"
UNKNOWN_TIER = "palier inconnu"
MARK = "exploratoire"
ASKING, JUDGED = 4, 12  # actions named in the cards at most
# How many ask for each decision, one and several.
ASKED = {
    read.APPROVE: ("à approuver", "à approuver"),
    read.SOON: (f"finit d'ici {read.SOON_DAYS} jours", f"finissent d'ici {read.SOON_DAYS} jours"),
    read.PAST: ("dont la fin vient de passer", "dont la fin vient de passer"),
    read.UNJUSTIFIED: ("sans motif inscrit pour son palier", "sans motif inscrit pour leur palier"),
}  # fmt: skip
KEPT = ("action", "palier", "réponse", "thème", "lieu", "début", "fin", "état", "verdict",
        "rapport", "rapport, au moins", "rapport, au plus", "faits comptés", "faits attendus",
        "exploratoire", "pourquoi exploratoire")  # fmt: skip
LISTED = ("action", "quoi", "où", "jours", "état", "verdict", "effet")


def offered(rows: Sequence[Row], city: City, names: Mapping[str, str]) -> dict[str, list[Option]]:
    """Return what is offered of tiers, of states and of actions, by the names of their controls.

    `rows` are of STATES; actions come by their numbers.
    """
    tiers = [(told.capitalize(), code) for code, told in action_words.TIERS.items()]
    states = [(f"État : {told}", f"{read.OF_STATE}{code}") for code, told in STATES.items()]
    verdicts = [(f"Verdict : {told}", f"{read.OF_VERDICT}{code}")
                for code, told in VERDICTS.items()]  # fmt: skip
    actions = [(f"{row['action']} · {_what(row)}, {place(row, names)}", row["action"])
               for row in rows]  # fmt: skip
    return {
        "palier": [("Tous les paliers", ""), *tiers, (UNKNOWN_TIER.capitalize(), read.NOT_TOLD)],
        "etat": [("Tous", ""), ("À décider maintenant", read.TO_DECIDE), *states, *verdicts,
                 ("Verdict : aucun encore", f"{read.OF_VERDICT}{read.NO_VERDICT}")],
        "action": [("Toutes les actions", ""), *actions],
    }  # fmt: skip


def _what(row: Row) -> str:
    return action_words.RESPONSES.get(row["response"] or "", "réponse non dite")


def place(row: Row, names: Mapping[str, str]) -> str:
    """Return where an action is, as written."""
    return names.get(row["zone"] or "", row["zone"] or "lieu inconnu")


def theme(row: Row, city: City) -> str:
    """Return what an action's facts are called, as written."""
    return city.themes[row["theme"]].title if row["theme"] in city.themes else "thème inconnu"


def exploratory(one: read.One) -> str:
    """Return why what is said of the effect is exploratory, "" where it is not."""
    if not one.exploratory:
        return ""
    why = EXPLORATORY.get(one.why)
    return f"{MARK}\u00a0: {why}" if why else MARK


# --- All of them -----------------------------------------------------------------------------


def answer(
    shown: Sequence[read.One], found: read.Found, chosen: Sequence[str]
) -> tuple[str, str, str]:
    """Return what is said of the actions of a choice as Markdown, how grave, what to know with it.

    How many by tier, how many of each verdict, which decisions are asked for. `chosen`: what the
    choice leaves out the others by, in words.
    """
    of = f" ({plain(_listed(chosen))})" if chosen else ""
    if not found.actions:
        small = [] if found.rules else [NO_SOURCE]
        small += [] if found.has_register else [action_words.NO_REGISTER]
        return NOTHING, "usual", " ".join(small)
    if not shown:
        return f"{NO_MATCH}{of}, sur {plural(len(found.actions), 'connue')}.", "usual", ""
    told = [f"{number(n)} de {name}" for name, n in by_tier(shown).items() if n]
    asked = asks(shown)
    text = (
        f"**{plural(len(shown), 'action')}** au {spoken(found.today)}{of} : {_listed(told)}. "
        f"{verdicts(shown)}. "
        + (f"**À décider maintenant** : {_listed(asked)}." if asked else QUIET)
    )
    return text, "watch" if asked else "usual", " ".join(_beside(shown, found))


def by_tier(shown: Iterable[read.One]) -> dict[str, int]:
    """Return tier, as it is called → how many actions."""
    counted = dict.fromkeys([*action_words.TIERS.values(), UNKNOWN_TIER], 0)
    for one in shown:
        counted[action_words.tier(one.row)] += 1
    return counted


def verdicts(shown: Sequence[read.One]) -> str:
    """Return how many actions have each verdict, nulls told as effects are."""
    parts = []
    for code, told in VERDICTS.items():
        own = [one for one in shown if one.verdict == code]
        parts.append(f"{told}\u00a0: **{number(len(own))}**{_exploratory(own)}")
    none = sum(one.verdict == read.NO_VERDICT for one in shown)
    told = " ; ".join([*parts, f"pas encore de verdict\u00a0: **{number(none)}**"])
    return f"{told[:1].upper()}{told[1:]}"


def _exploratory(own: Sequence[read.One]) -> str:
    n = sum(one.exploratory for one in own)
    if not n:
        return ""
    told = f"{MARK}{'s' if n > 1 else ''}"
    return f" ({told})" if n == len(own) else f" (dont {number(n)} {told})"


def asks(shown: Iterable[read.One]) -> list[str]:
    """Return how many actions ask for each decision, those that none asks for left out."""
    wanted = [one.asks for one in shown]
    return [f"{number(n)} {told[n > 1]}" for code, told in ASKED.items()
            if (n := wanted.count(code))]  # fmt: skip


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts)


def _beside(shown: Sequence[read.One], found: read.Found) -> list[str]:
    parts = [] if found.has_register else [action_words.NO_REGISTER]
    parts += [] if found.rules else [NO_SOURCE]
    alone = sum(not one.row["delivered"] for one in shown)
    if alone and found.rules:
        parts.append(f"D'après le registre seul : {number(alone)} sur {number(len(shown))}.")
    lost = sum(one.row["zone"] is None for one in shown)
    if lost:
        parts.append(f"Sans lieu connu : {number(lost)}, d'aucun quartier ni secteur.")
    return parts


def interval(row: Row) -> str:
    """Return the ends of a ratio's interval as changes: « de −43,5 % à −3,3 % »."""
    return f"de {change(row['low'])} à {change(row['high'])}"


# --- What asks for a decision ----------------------------------------------------------------


def to_decide(shown: Sequence[read.One], found: read.Found, at: Callable[[str], str]) -> str:
    """Return what asks for a decision, then the clearest verdicts, as HTML.

    `at`: action → the address of its thread.
    """
    if not found.actions:
        return ""
    asked = [one for one in shown if one.asks]
    lines = "".join(f"<li>{_asked(one, found, at)}</li>" for one in asked[:ASKING])
    more = f"<p>… et {number(len(asked) - ASKING)} autres.</p>" if asked[ASKING:] else ""
    inside = f"<ul>{lines}</ul>{more}" if asked else f"<p>{QUIET}</p>"
    judged = [one for one in shown if one.effect and not one.effect["reason"]]
    judged.sort(key=lambda one: ([*VERDICTS].index(one.verdict), one.row["start"]))
    told = "".join(f"<li>{_judged(one, found, at)}</li>" for one in judged[:JUDGED])
    more = f"<p>… et {number(len(judged) - JUDGED)} autres.</p>" if judged[JUDGED:] else ""
    told = f"<ul>{told}</ul>{more}<p>{together(found)}</p>" if told else NO_NUMBER
    told += read_otherwise(found)
    return (
        '<section class="app-cards" aria-label="À décider maintenant"><h2>À décider maintenant</h2>'
        f'{inside}<div class="app-judged"><h2>Les verdicts chiffrés</h2>{told}'
        f"<p>{CHOOSE}</p></div></section>"
    )


def together(found: read.Found) -> str:
    """Return how the intervals of all actions hold."""
    sure = percent(found.impact.confidence)
    return f"Les intervalles des actions tiennent tous à la fois dans {sure} des cas."


def read_otherwise(found: read.Found) -> str:
    """Return, as HTML under one line, what other designs say of all actions of the city; or ""."""
    table, judged = found.tables["beside"], found.tables["effects"]
    line = beside_words.of_all(table, judged)
    inside = [beside_words.answer(table, judged, found.impact), found.result.dose]
    return folded(line, "\n\n".join(inside)) if line else ""


def _link(one: read.One, at: Callable[[str], str]) -> str:
    return f'<a href="{escape(at(one.name))}">{escape(one.name)}</a>'


def _asked(one: read.One, found: read.Found, at: Callable[[str], str]) -> str:
    return (f"{_link(one, at)}, {escape(_what(one.row))}, {escape(place(one.row, found.names))} : "
            f"<strong>{escape(asked(one))}</strong>")  # fmt: skip


def asked(one: read.One) -> str:
    """Return the decision that an action asks for, as written; "" where none."""
    row, last = one.row, read.end(one.row)
    until = spoken(last) if last else "jour non dit"
    match one.asks:
        case read.APPROVE:
            return f"à approuver ({row['approvals'] or 0} accord sur {rules.NEEDED})"
        case read.SOON:
            return f"finit le {until} : à prolonger ou à laisser"
        case read.PAST:
            return f"finie depuis le {until} : à prolonger ou à laisser"
        case read.UNJUSTIFIED:
            return f"{action_words.tier(row)} sans rien au registre : aucun motif inscrit"
        case _:
            return ""


def _judged(one: read.One, found: read.Found, at: Callable[[str], str]) -> str:
    mark = f", {MARK}" if one.exploratory else ""
    assert one.effect is not None
    return (f"{_link(one, at)}, {escape(_what(one.row))}, {escape(place(one.row, found.names))} : "
            f"<strong>{VERDICTS[one.verdict]}</strong>, {change(one.effect['ratio'])} "
            f"({interval(one.effect)}){mark}")  # fmt: skip


# --- The list --------------------------------------------------------------------------------


def listed(shown: Sequence[read.One], found: read.Found, at: Callable[[str], str]) -> str:
    """Return the actions of a choice as an HTML table, the latest first, each to its thread."""
    ordered = sorted(shown, key=lambda one: (one.row["start"], one.name), reverse=True)
    head = "".join(f'<th scope="col">{title}</th>' for title in LISTED)
    lines = "".join(
        f"<tr><td>{_link(one, at)}</td>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(one, found))
        + "</tr>"
        for one in ordered
    )
    return (
        '<div class="app-scroll" tabindex="0" role="group" aria-label="Tableau des actions">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _cells(one: read.One, found: read.Found) -> list[str]:
    row = one.row
    until = last_day(row["end_in_force"], row["end"], row["renewals"])
    wanted = asked(one)
    return [
        f"{action_words.tier(row)}, {_what(row)} ({theme(row, found.city)})",
        place(row, found.names),
        f"{row['start']:%d/%m/%Y}\u00a0–\u00a0{until}",  # the days whole; what follows may wrap
        STATES[row["state"]] + (f" ; {wanted}" if wanted else ""),
        VERDICTS.get(one.verdict, "aucun encore"),
        effect_words(one, found),
    ]


def effect_words(one: read.One, found: read.Found) -> str:
    """Return the size of an effect with its interval, or why there is none, as written."""
    if one.effect is None:
        return "pas menée" if not read.begun(one) else "hors de la source des actions"
    mark = exploratory(one)
    if one.effect["reason"]:
        told = impact_words.why(one.effect, found.impact)
    else:
        told = f"{change(one.effect['ratio'])} ({interval(one.effect)})"
    return f"{told} ; {mark}" if mark else told


def kept(shown: Sequence[read.One], found: read.Found) -> list[list[Cell]]:
    """Return the actions of a choice as they are kept (`KEPT`)."""
    return [
        [one.name, action_words.tier(one.row), _what(one.row), theme(one.row, found.city),
         place(one.row, found.names), one.row["start"].isoformat(),
         last.isoformat() if (last := read.end(one.row)) else None, STATES[one.row["state"]],
         VERDICTS.get(one.verdict), *_numbers(one), "oui" if one.exploratory else "non",
         EXPLORATORY.get(one.why)]
        for one in shown
    ]  # fmt: skip


def _numbers(one: read.One) -> list[Cell]:
    names = ("ratio", "low", "high", "counted", "expected")
    held = one.effect if one.effect and not one.effect["reason"] else dict.fromkeys(names)
    return [held[name] for name in names]


# --- One action ------------------------------------------------------------------------------


def answer_of(one: read.One, found: read.Found) -> tuple[str, str, str]:
    """Return what is said of one action as Markdown, how grave it is, what to know with it."""
    row = one.row
    about = (f"**{one.name}, {_what(row)}, {plain(place(row, found.names))}** "
             f"({action_words.tier(row)}, {plain(theme(row, found.city)).lower()})")  # fmt: skip
    wanted = asked(one)
    small = " ".join(part for part in (beside(one), "Montrée quel que soit le reste du choix.")
                     if part)  # fmt: skip
    text = f"{about} : {told(one, found)}."
    if wanted:
        text += f" **À décider** : {wanted}."
    return text, "watch" if wanted else "usual", small


def beside(one: read.One) -> str:
    """Return how many other readings go the way of the verdict; "" where it has no number."""
    return beside_words.line(one.readings, one.effect) if one.effect else ""


def told(one: read.One, found: read.Found) -> str:
    """Return the verdict of one action in a sentence's part, as Markdown."""
    if one.effect is None:
        why = "l'action n'est pas dans la source des actions"
        if not read.begun(one):
            why = f"elle est {STATES[one.row['state']]}"
        return f"**aucun verdict encore**, {why}"
    mark = f", *{exploratory(one)}*" if one.exploratory else ""
    said = f"**{VERDICTS[one.verdict]}**"
    if one.effect["reason"]:
        return f"{said}, {impact_words.why(one.effect, found.impact)}{mark}"
    way = ""
    if beside_words.way(one.effect) == beside_words.UP:
        way = " ; les faits ont été plus nombreux qu'attendu"
    return (f"{said}, {change(one.effect['ratio'])} de faits par rapport à l'attendu "
            f"({interval(one.effect)}){way}{mark}")  # fmt: skip
