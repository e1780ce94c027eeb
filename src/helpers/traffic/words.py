"""What `traffic` found, in French; names of roads, zones and events go through `plain`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from helpers.core.base.french import number, percent, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.traffic_rules import TrafficRules
from helpers.traffic import around_events, closures, fluidity
from helpers.traffic.knobs import Knobs
from helpers.traffic.known import Roads

Row = dict[str, Any]
Names = Mapping[str, str]  # code → name
SMALL = 0.2  # ratios below which a third digit is told
NO_EVENT = "rien n'est mesuré, faute d'événement comparable près d'un compteur"
NO_SAFETY = "rien n'est mesuré, faute de thème en service ou de faits en nombre"
NO_RULES = "Aucun compteur connu : la ville n'a pas de fichier `traffic.yaml`."
COUNTER = (
    "le même rapport à toute heure : peut-être le compteur lui-même (réglage, remplacement) plutôt "
    "que le trafic"
)
MEASURES = {fluidity.FLOW: "débit", fluidity.SPEED: "vitesse"}
PARTS = {
    around_events.BEFORE: "avant",
    around_events.DURING: "pendant",
    around_events.AFTER: "après",
}
REASONS = {
    fluidity.NOT_TOLD: "vitesse non mesurée",
    fluidity.MUTE: "compteur muet plus de la moitié du temps",
    fluidity.ZEROS: "compteur en panne : il envoie des zéros",
    fluidity.TOTALS: "compteur qui envoie son total depuis l'origine, non les passages",
    fluidity.MOVED: "compteur changé : trop peu de jours depuis",
    fluidity.TOO_FEW: "trop peu de passages",
    fluidity.SHORT: "trop peu de jours comparables",
    closures.NOT_COUNTED: "voie sans compteur",
    closures.FEW_CONTROLS: "trop peu de voies témoins",
    around_events.OUTSIDE: "hors de la période",
    around_events.UNHEARD: "compteur muet à ces heures",
}


def fluid(table: pa.Table, roads: Roads | None, knobs: Knobs) -> str:
    """Return, as Markdown, which roads and slots depart from their usual, which are mute."""
    if roads is None:
        return NO_RULES
    rules, names = roads.rules, roads.names
    rows = table.to_pylist()
    told = [row for row in rows if row["status"] == fluidity.OK]
    apart = [row for row in told if row["level"] != fluidity.USUAL]
    head = (
        f"{plural(len(told), 'comparaison')} (voie, créneau, débit ou vitesse) sur les "
        f"{plural(knobs.window_days, 'dernier jour')}, jugées ensemble ; "
        f"si rien n'avait changé, aucune ne sortirait de son intervalle dans "
        f"{percent(knobs.confidence)} des cas."
    )
    said = "**Aucune voie ne s'écarte de son habitude.**"
    if apart:
        said = f"**{plural(len(apart), 'écart établi')}** :"
    apart.sort(key=lambda row: (-abs(row["ratio"] - 1), row["site"], row["slot"]))
    lines = [_apart(row, rules, names) for row in apart]
    said = "\n".join([said, *(["", *lines] if lines else []), *_counters(apart, names)])
    parts = [said, head, _silent(rows, names), _in_part(told, names, knobs), *_copies(roads)]
    return "\n\n".join(parts).strip()


def _copies(roads: Roads) -> list[str]:
    """Return which counters tell the same at every hour, in a sentence a pair."""
    return [
        f"{plain(roads.names[one])} et {plain(roads.names[other])} disent le même nombre à toute "
        "heure : le même capteur sous deux noms ? Rien ne dit de quelle voie il est."
        for one, other in fluidity.copies(roads)
    ]


def _counters(apart: list[Row], names: Names) -> list[str]:
    """Return what may be the counter's doing rather than traffic's, of rows that depart."""
    sites = sorted({row["site"] for row in apart if row["all_hours"]})
    return ["", *(f"{plain(names[site])}, {COUNTER}." for site in sites)] if sites else []


def _apart(row: Row, rules: TrafficRules, names: Names) -> str:
    unit = "véhicules par heure" if row["measure"] == fluidity.FLOW else "km/h"
    shut = " Une fermeture touche la voie pendant ces jours." if row["closed"] else ""
    known = f", {plural(row['days'], 'jour connu')}"
    return (
        f"- **{plain(names[row['site']])}**, {plain(rules.slots[row['slot']].title)}, "
        f"{MEASURES[row['measure']]} : {number(row['value'])} {unit} là où l'habitude est "
        f"{number(row['usual'])} ({between(row)}{known}).{shut}"
    )


def between(row: Row) -> str:
    """Return the ratio of a row with its interval."""
    digits = 2 if row["high"] > SMALL else 3
    ends = f"de {number(row['low'], digits)} à {number(row['high'], digits)}"
    return f"rapport {number(row['ratio'], digits)}, {ends}"


def _silent(rows: list[Row], names: Names) -> str:
    """Return which roads are not told, and why: a line each, of the flow alone."""
    why: dict[str, set[str]] = {}
    for row in rows:
        if row["status"] != fluidity.OK and row["measure"] == fluidity.FLOW:
            why.setdefault(row["site"], set()).add(REASONS[row["reason"]])
    if not why:
        return "Tous les compteurs parlent."
    lines = [f"- {plain(names[site])} : {' ; '.join(sorted(why[site]))}." for site in sorted(why)]
    return "\n".join(["Sans réponse (absent n'est pas zéro) :", "", *lines])


def _in_part(told: list[Row], names: Names, knobs: Knobs) -> str:
    """Return which roads are told by some of the days alone; nothing where none is."""
    days = {row["site"]: row["days"] for row in told if row["measure"] == fluidity.FLOW}
    short = {site: n for site, n in days.items() if n < knobs.window_days}
    if not short:
        return ""
    lines = (f"{plain(names[site])} ({number(n)} jours sur {number(knobs.window_days)})"
             for site, n in sorted(short.items()))  # fmt: skip
    return f"Connues en partie, le compteur s'étant tu : {' ; '.join(lines)}."


def shut(table: pa.Table, roads: Roads | None, knobs: Knobs) -> str:
    """Return what each closure moves, as Markdown."""
    rows, names = table.to_pylist(), roads.names if roads else {}
    if not rows:
        return "Aucune fermeture déclarée."
    found, unsaid = [], []
    for title in dict.fromkeys(row["closure"] for row in rows):
        own = [row for row in rows if row["closure"] == title]
        first, last = spoken(own[0]["start"]), spoken(own[0]["end"])
        when = f"le {first}" if first == last else f"du {first} au {last}"
        moved = _moved(own[0])
        unsaid += [] if moved else [plain(title)]
        lines = [*(_road(row, names) for row in own), *moved]
        found.append("\n".join([f"**{plain(title)}** ({when}) :", "", *lines]))
    if unsaid:
        found.append("Report : rien d'établi, faute d'une perte établie ou d'un compteur qui "
                     f"parle : {', '.join(unsaid)}.")  # fmt: skip
    level = f"Les intervalles tiennent tous à la fois dans {percent(knobs.confidence)} des cas."
    return "\n\n".join([*found, level])


def _road(row: Row, names: Names) -> str:
    name = plain(names.get(row["site"], row["site"]))
    role = "voie fermée" if row["role"] == closures.CLOSED else "voie parallèle"
    if row["status"] != fluidity.OK:
        return f"- {name} ({role}) : abstention ({REASONS[row['reason']]})."
    said = {
        fluidity.MORE: "davantage de véhicules",
        fluidity.LESS: "moins de véhicules",
        fluidity.USUAL: "pas d'écart établi",
    }[row["level"]]
    return (
        f"- {name} ({role}) : **{said}**, {number(row['counted'])} en "
        f"{plural(row['days'], 'jour connu')}, "
        f"{number(row['expected'])} attendus ({between(row)} ; "
        f"{plural(row['controls'], 'voie témoin')})."
    )


def _moved(lost: Row) -> list[str]:
    """Return the line of what moved to the roads named; none where no loss is established."""
    if lost["moved"] is None:
        return []
    ends = f"de {percent(lost['moved_low'])} à {percent(lost['moved_high'])}"
    if lost["moved_low"] <= 0:
        return [f"- Report vers les voies nommées : aucun d'établi ({ends} du trafic perdu)."]
    return [
        f"- **Report vers les voies nommées : {percent(lost['moved'])} du trafic perdu** ({ends}). "
        "Le reste est passé ailleurs, a changé d'heure ou n'est pas venu."
    ]


def events(table: pa.Table, city: City, roads: Roads | None, knobs: Knobs) -> str:
    """Return what events do to the roads near them, before, during and after, as Markdown."""
    names = roads.names if roads else {}
    rows = table.to_pylist()
    rule = city.about.agenda.events
    if not rows or rule is None:
        return "Aucun événement assez grand et assez court près d'un compteur."
    lines, told = [], [row for row in rows if row["status"] == fluidity.OK]
    for site, kind in dict.fromkeys((row["site"], row["kind"]) for row in rows):
        own = [row for row in rows if (row["site"], row["kind"]) == (site, kind)]
        title = plain(rule.titles.get(kind, kind))
        said = " ; ".join(_part(row, knobs) for row in own)
        lines.append(f"- **{plain(names[site])}**, {title.lower()} : {said}.{_left_out(own)}")
    head = (
        f"Événements d'au moins {number(knobs.event_crowd)} personnes, à moins de "
        f"{number(knobs.event_reach_m)} m d'un compteur, depuis son premier compte. Les mêmes "
        "heures, d'autres jours et sur d'autres voies, servent d'habitude. "
        f"{plural(len(told), 'comparaison')}, dont les "
        f"intervalles tiennent ensemble dans {percent(knobs.confidence)} des cas."
    )
    return "\n".join([head, "", *lines])


def _part(row: Row, knobs: Knobs) -> str:
    when = PARTS[row["part"]]
    if row["part"] != around_events.DURING:
        when = f"{plural(knobs.event_margin_h, 'heure')} {when}"
    if row["status"] != fluidity.OK:
        return f"{when}, abstention ({_events(row)})"
    said = {
        fluidity.MORE: f"**trafic multiplié par {number(row['ratio'], 2)}**",
        fluidity.LESS: f"**trafic multiplié par {number(row['ratio'], 2)}**",
        fluidity.USUAL: "pas d'écart établi",
    }[row["level"]]
    ends = f"de {number(row['low'], 2)} à {number(row['high'], 2)}"
    return f"{when}, {said} ({ends} ; {_events(row)})"


def _events(row: Row) -> str:
    """Return how many events a row is told from, and of how many near where not of them all."""
    told = plural(row["events"], "événement")
    return told if row["events"] == row["near"] else f"{told} sur {number(row['near'])}"


def _left_out(rows: list[Row]) -> str:
    """Return how many events near a road each part leaves out, and why; parts alike as one."""
    parts: dict[str, list[str]] = {}
    for row in rows:
        if row["left_out"]:
            why = [f"{REASONS[one['reason']]} ({number(one['events'])})" for one in row["left_out"]]
            parts.setdefault(", ".join(why), []).append(PARTS[row["part"]])
    if not parts:
        return ""
    said = [f"{'' if len(when) == len(PARTS) else ' et '.join(when) + ', '}{why}"
            for why, when in parts.items()]  # fmt: skip
    return f" Laissés de côté : {' ; '.join(said)}."


def safe(table: pa.Table, city: City, roads: Roads | None, zones: Names, knobs: Knobs) -> str:
    """Return what road safety says beside, as Markdown; `zones`: code → name."""
    rows = table.to_pylist()
    if not rows or roads is None:
        return "Aucun thème de sécurité routière en service."
    told = [row for row in rows if row["status"] == fluidity.OK]
    apart = [row for row in told if row["level"] != fluidity.USUAL]
    weeks = rows[0]["weeks"]
    head = (
        f"{plural(weeks, 'semaine entendue')}, à côté d'autant juste avant, et de ce qu'a fait le "
        f"reste de la ville dans le même créneau : {plural(len(told), 'comparaison')} de quartier "
        f"et créneau jugées ensemble, {plural(len(rows) - len(told), 'abstention')} (moins de "
        f"{number(knobs.minimum_facts)} faits)."
    )
    lines = [
        f"- **{plain(zones.get(row['zone'], row['zone']))}**, "
        f"{plain(roads.rules.slots[row['slot']].title)} : "
        f"{plain(city.themes[row['theme']].title.lower())}, {number(row['n'])} après "
        f"{number(row['before'])} (rapport au reste de la ville, à partir de "
        f"{number(row['low'], 2)}"
        f"{'' if row['high'] is None else ', au plus ' + number(row['high'], 2)})."
        for row in apart
    ]
    said = "**Aucun quartier et créneau ne se distingue du reste de la ville.**"
    if apart:
        said = f"**{plural(len(apart), 'écart établi')}** :"
    note = (
        "Un compteur est un point, un quartier est plus grand que lui : les deux se lisent côte à "
        "côte, et rien ici ne dit un taux d'accidents par véhicule."
    )
    return "\n".join([said, *(["", *lines, ""] if lines else [""]), head, "", note])


def answer(
    flows: pa.Table, moved: pa.Table, near: pa.Table, safety: pa.Table, roads: Roads | None
) -> str:
    """Return the answer in a few lines, as Markdown."""
    if roads is None:
        return NO_RULES
    names = roads.names
    said = flows.to_pylist()
    told = [row for row in said if row["status"] == fluidity.OK]
    apart = {row["site"] for row in told if row["level"] != fluidity.USUAL}
    mute = {row["site"] for row in said} - {row["site"] for row in told}
    lines = [f"- **Fluidité** : {_departing(len(apart), len({r['site'] for r in told}))}."]
    alike = sorted({row["site"] for row in told if row["all_hours"]})
    if alike:
        lines[0] += f" {' et '.join(plain(names[site]) for site in alike)}, {COUNTER}."
    if mute:
        listed = ", ".join(plain(names[site]) for site in sorted(mute))
        lines.append(f"- **Sans réponse** : {listed}.")
    lines += [f"- **Compteurs à vérifier** : {one}" for one in _copies(roads)]
    for row in moved.to_pylist():
        if row["role"] == closures.CLOSED and row["moved"] is not None:
            title, share = plain(row["closure"]), percent(row["moved"])
            ends = f"de {percent(row['moved_low'])} à {percent(row['moved_high'])}"
            if row["moved_low"] <= 0:
                lines.append(f"- **{title}** : aucun report établi ({ends} du trafic perdu).")
            else:
                lines.append(f"- **{title}** : {share} du trafic perdu passe par les voies "
                             f"nommées ({ends}).")  # fmt: skip
    busy = {row["site"] for row in near.to_pylist()
            if row["status"] == fluidity.OK and row["level"] != fluidity.USUAL}  # fmt: skip
    beside = any(row["status"] == fluidity.OK for row in near.to_pylist())
    lines.append(f"- **Événements** : {_moved_by(len(busy)) if beside else NO_EVENT}.")
    risen = [row for row in safety.to_pylist() if row["level"] == fluidity.MORE]
    told_safe = "aucune hausse établie à côté des compteurs"
    if not any(row["status"] == fluidity.OK for row in safety.to_pylist()):
        told_safe = NO_SAFETY
    if risen:
        told_safe = f"hausse établie dans {plural(len(risen), 'quartier')} et créneau"
    lines.append(f"- **Sécurité routière** : {told_safe}.")
    return "\n".join(lines)


def _departing(apart: int, told: int) -> str:
    if not told:
        return "aucun compteur ne permet de répondre"
    if not apart:
        return f"{plural(told, 'voie comptée')}, aucune ne s'écarte de son habitude"
    verb = "s'écartent de leur" if apart > 1 else "s'écarte de son"
    return f"{plural(apart, 'voie')} sur {number(told)} {verb} habitude"


def _moved_by(busy: int) -> str:
    if not busy:
        return "aucun écart établi sur les voies proches"
    return f"écart établi sur {plural(busy, 'voie proche')}, avant, pendant ou après"
