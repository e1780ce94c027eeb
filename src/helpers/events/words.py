"""Events told in French: the answer first, then each part, each reason in one sentence.

Titles, names of zones and of services are foreign: they go through `plain`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from helpers.core.base.french import change, number, percent, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city import event_rules
from helpers.core.city.city import City
from helpers.core.place_time.calendar import DAYS, FULL_DAYS
from helpers.events import checklist, excess, history, ratios, retex, sizing, slot_words
from helpers.events.around import WHOLE
from helpers.events.plan import NO_COUNTS, Tables
from helpers.events.slot_words import Row, between, clock

LISTED = 12  # lines of a list; the others are counted
REASONS = {
    ratios.FEW_EVENTS: "trop peu d'événements passés de cette classe",
    ratios.FEW_FACTS: "trop peu de faits comptés pendant ces événements",
    ratios.NO_PLACE_ALIKE: "pas assez de jours comparables sans événement",
    history.LASTS: "dure plusieurs jours : ni avant, ni après",
    history.BESIDE: "toujours auprès d'un autre événement : ses effets ne se séparent pas",
    excess.NO_PLACE: "lieu non précisé",
    excess.NOTHING_USUAL: "aucun fait d'ordinaire à ces heures-là",
    NO_COUNTS: "aucun compte par maille",
    sizing.UNKNOWN_CROWD: "affluence non renseignée, et trop peu de passé",
    sizing.NO_RULE: "aucune règle de dimensionnement pour cette classe",
    sizing.NO_MEANS: "moyens existants non renseignés",
    retex.NO_LAST: "moins de trois événements à comparer",
}
STATES = {"to_do": "à faire", "asked": "demandée", "taken": "prise", "unknown": "non dite"}
PHASES = {
    "before": "avant", "during": "pendant", "after": "à la sortie", "late": "ensuite",
    "event": "pendant et à la sortie",
}  # fmt: skip


@dataclass(frozen=True)
class Names:
    """What codes are called: classes of events, zones, orders, measures."""

    city: City
    zones: dict[str, str]

    def kind(self, code: str) -> str:
        """Return what a class of events is called."""
        rule = self.city.about.agenda.events
        return rule.titles.get(code, code) if rule else code

    def zone(self, code: str | None) -> str:
        """Return the name of a zone."""
        return "lieu non précisé" if code is None else self.zones.get(code, code)


def when(at: dt.datetime) -> str:
    """Return a moment as it is said: « vendredi 2 janvier 2026 à 21 h »."""
    return f"{FULL_DAYS[at.weekday()]} {spoken(at.date())} à {clock(at)}"


def mean_facts(value: float, digits: int) -> str:
    """Return a mean number of facts: « 0,3 fait », « 2,4 faits »."""
    return f"{number(value, digits)} fait{'s' if round(value, digits) >= 2 else ''}"


def called(row: Row, names: Names) -> str:
    """Return an event by its class, its place and its start, as Markdown."""
    place = plain(names.zone(row["zone"]))
    return f"{plain(names.kind(row['kind']))}, {place}, {when(row['start_at'])}"


def short(row: Row, names: Names) -> str:
    """Return an event as a list says it, as written: « sam. 3 janvier, 21 h · Sport, Le Panier ».

    Those of a list are of the weeks to come: their year goes without saying.
    """
    at = row["start_at"]
    day = f"{DAYS[at.weekday()]} {spoken(at.date()).rsplit(' ', 1)[0]}"
    return f"{day}, {clock(at)} · {names.kind(row['kind'])}, {names.zone(row['zone'])}"


def crowd(row: Row) -> str:
    """Return how many people are expected; that nobody told is said."""
    if row["expected"] is None:
        return "affluence non renseignée"
    return plural(row["expected"], "personne attendue")


def by_event(tables: Tables, name: str) -> dict[str, Row]:
    """Return event → its row of a table with one row an event."""
    return {row["event"]: row for row in tables[name].to_pylist()}


def of_events(tables: Tables) -> dict[str, list[Row]]:
    """Return event → its rows of `shifts`; none for one that is not sized."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in tables["shifts"].to_pylist():
        found[row["event"]].append(row)
    return found


def in_need(row: Row, shifts: Sequence[Row]) -> str:
    """Return how many officers and barriers, and when: a row of `sizing`, those of its `shifts`."""
    if row["status"] != "ok":
        return f"dimensionnement : abstention ({REASONS[row['reason']]})"
    told = (
        f"{slot_words.officers(shifts, between(row['crews_low'], row['crews_high'], 'équipe'))} ; "
        f"{between(row['barriers_low'], row['barriers_high'], 'barrière')}"
    )
    given = row["barriers_low"], row["barriers_high"]
    wanted = row["barriers_wanted_low"], row["barriers_wanted_high"]
    if wanted[1] > given[1]:
        told += f", au lieu de {slot_words.spread(*wanted)} {slot_words.ASSUMED}"
    if row["barriers_short"]:
        told += f" ; **{slot_words.lacking(given, wanted, 'barrière')}**"
    told += _closed(row) + "".join(_other(one) for one in row["others"])
    return told + (f" ({REASONS[row['reason']]})" if row["reason"] else "")


def _closed(row: Row) -> str:
    """Return how many closures of roads; nothing where none is asked for."""
    low, high = row["closures_low"], row["closures_high"]
    if not high:
        return ""
    ends = slot_words.spread(low, high) if low else f"jusqu'à {number(high)}"
    return f" ; {ends} fermeture{'s' if high >= 2 else ''} de voie"


def _other(one: Row) -> str:
    """Return how many of another material, and what lacks of it; nothing where none is wanted."""
    given, wanted = (one["low"], one["high"]), (one["wanted_low"], one["wanted_high"])
    if not wanted[1]:
        return ""
    title = plain(one["title"])
    lack = f" (**{slot_words.lacking(given, wanted)}**)" if wanted[0] > given[0] else ""
    return f" ; {between(*given, title)}{lack}"


def demanding(sized: Row, own: Row) -> tuple[int, int, int, dt.datetime, str]:
    """Return the key that puts the event that asks for most first: never what it is sent.

    Rows of `sizing` and `calendar`: the most officers asked for, the least, then the crowd.
    """
    return (-(sized["wanted_high"] or 0), -(sized["wanted_low"] or 0), -(own["expected"] or 0),
            own["start_at"], own["event"])  # fmt: skip


def answer(tables: Tables, names: Names, days: int) -> str:
    """Return the answer, in what a mayor reads in ten seconds."""
    events = tables["calendar"].to_pylist()
    if not (names.city.pack / event_rules.FILE).exists():
        return f"**Aucun événement étudié** : la ville n'a pas de `{event_rules.FILE}`."
    if not events:
        return "**Aucun événement connu** dans les jours à venir."
    bare = sum(row["orders_signed"] == 0 for row in events)
    sized = by_event(tables, "sizing")
    ready = [row for row in events if sized.get(row["event"], {}).get("status") == "ok"]
    lines = [
        f"**{plural(len(events), 'événement connu')}** dans les {days} jours qui viennent, dont "
        f"{number(bare)} sans arrêté signé."
    ]
    if ready:
        top = min(ready, key=lambda row: demanding(sized[row["event"]], row))
        lines.append(f"**Le plus exigeant** : {called(top, names)} ({crowd(top)}) : "
                     f"{in_need(sized[top['event']], of_events(tables)[top['event']])}."
                     )  # fmt: skip
    clashes, late = tables["clashes"].num_rows, _late(tables)
    told = f"**À régler** : {plural(clashes, 'incompatibilité')}, {plural(len(late), 'mesure')} "
    lines.append(told + f"en retard{_first(late, events, names)}.")
    return "\n\n".join(lines)


def _late(tables: Tables) -> list[Row]:
    return [row for row in tables["checklist"].to_pylist() if row["late"]]


def _first(late: list[Row], events: list[Row], names: Names) -> str:
    if not late:
        return ""
    own = {row["event"]: row for row in events}
    one = min(late, key=lambda row: row["rank"])
    return f", d'abord : {plain(one['measure'])} ({called(own[one['event']], names)})"


def calendar(tables: Tables, names: Names) -> str:
    """Return the events to come, the largest crowds first; one without an order says so."""
    rows = sorted(tables["calendar"].to_pylist(),
                  key=lambda r: (-(r["expected"] or 0), r["start_at"], r["event"]))  # fmt: skip
    lines = []
    for row in rows:
        orders = ", ".join(plain(one.replace("_", " ")) for one in row["orders"])
        told = f"arrêtés signés : {orders}" if orders else "**sans arrêté signé**"
        allowed = "" if row["allowed"] else ", pas encore autorisé"
        lines.append(f"- {called(row, names)} : {crowd(row)}, {told}{allowed}.")
    return _listed(lines, "événement") or "Aucun événement connu."


def _listed(lines: list[str], word: str) -> str:
    rest = len(lines) - LISTED
    more = [f"- et {plural(rest, word)} de plus, dans la table."] if rest > 0 else []
    return "\n".join([*lines[:LISTED], *more])


def until(start: dt.datetime, end: dt.datetime) -> str:
    """Return when something ends, beside its start: the hour alone on the same day."""
    return f"à {clock(end)}" if start.date() == end.date() else f"au {when(end)}"


def _beside(held: Row | None, own: Row, names: Names) -> str:
    """Return another event by what sets it apart from one: its class, its place, its day."""
    if held is None:
        return "un autre événement"
    place = "" if held["zone"] == own["zone"] else f", {plain(names.zone(held['zone']))}"
    start = held["start_at"]
    day = "" if start.date() == own["start_at"].date() else f", dès le {spoken(start.date())}"
    return f"{plain(names.kind(held['kind']))}{place}{day}"


def reason(row: Row, events: dict[str, Row], names: Names) -> str:
    """Return in one sentence why two things cannot both be, from a row of `clashes`."""
    event = events[row["event"]]
    own = called(event, names)
    other = _beside(events.get(row["other"] or ""), event, names)
    apart = f"à {plural(row['distance_m'], 'mètre')}" if row["distance_m"] else "sur place"
    match row["clash"]:
        case "same_place":
            held, since = events.get(row["other"] or ""), clock(row["from_at"])
            if held and not _together(event, held):
                day = row["from_at"]
                since = since if day.date() == event["start_at"].date() else f"le {when(day)}"
                return (f"{own} : même lieu qu'un autre ({other}), le montage ou le démontage de "
                        f"l'un tombe sur l'autre, dès {since}")  # fmt: skip
            return f"{own} : même lieu et même moment qu'un autre ({other}), dès {since}"
        case "crowds":
            return (f"{own} : avec un autre ({other}) {apart}, {number(row['crowd'])} personnes en "
                    f"même temps, plus que {number(row['limit'])}")  # fmt: skip
        case "over_capacity":
            return (f"{own} : jusqu'à {number(row['crowd'])} personnes attendues dans un lieu qui "
                    f"en contient {number(row['limit'])}")  # fmt: skip
        case "order":
            return f"{own} : la place est prise par l'arrêté d'un autre événement ({other})"
        case "works":
            return f"{own} : des travaux {apart} gênent l'événement ({other})"
        case _:
            return f"{own} : la {plain(row['stop'])} qui le dessert est coupée par un arrêté"


def _together(one: Row, other: Row) -> bool:
    """Return whether two events last at the same time, setups and teardowns left out."""
    return bool(one["start_at"] < other["end_at"] and other["start_at"] < one["end_at"])


def clashes(tables: Tables, names: Names) -> str:
    """Return each incompatibility with its reason, and who must be told."""
    events = by_event(tables, "calendar")
    lines = [
        f"- {reason(row, events, names)}. Prévenir : {', '.join(plain(t) for t in row['tell'])}."
        for row in tables["clashes"].to_pylist()
    ]
    none = "Aucune incompatibilité trouvée." if events else "Aucun événement connu à comparer."
    return _listed(lines, "incompatibilité") or none


def measures(tables: Tables, names: Names, *, alone: bool = False) -> str:
    """Return what is missing, late ones first, and who owes it.

    `alone`: all of it is of one event, that need not be named on every line.
    """
    events = by_event(tables, "calendar")
    rows = tables["checklist"].to_pylist()
    missing = [row for row in rows if row["state"] != "taken"]
    lines = []
    for row in missing:
        silent = " (la source ne dit rien)" if row["reason"] == checklist.SILENT else ""
        late = "**en retard**, " if row["late"] else ""
        wanted = f" ({number(row['wanted'])} selon la source)" if row["wanted"] else ""
        whose = "" if alone else f" ; {called(events[row['event']], names)}"
        lines.append(
            f"- {plain(row['measure'])}{wanted} : {late}{STATES[row['state']]}{silent}, pour le "
            f"{when(row['due_at'])}, {plain(row['owner'])}{whose}."
        )
    taken = f"{number(len(rows) - len(missing))} sur {plural(len(rows), 'mesure attendue')} "
    told = sum(row["reason"] == checklist.ENTERED for row in rows if row["state"] == "taken")
    taken += "déjà prises" + (f", dont {number(told)} d'après le registre." if told else ".")
    return "\n".join([taken, "", _listed(lines, "mesure")]) if rows else "Aucune mesure attendue."


def effects(tables: Tables, names: Names, confidence: float) -> str:
    """Return what each class of events adds, while it lasts and just after; or why not told.

    All themes together, then the themes whose own interval leaves 1 out, and how many were read.
    """
    rows = [row for row in tables["ratios"].to_pylist() if row["area"] == "rings"]
    told = [row for row in rows if row["theme"] != WHOLE and row["status"] == "ok"]
    lines = []
    for row in (row for row in rows if row["theme"] == WHOLE):
        title = plain(names.kind(row["kind"]))
        if row["status"] != "ok":
            lines.append(f"- **{title}** : abstention ({REASONS[row['reason']]}).")
            continue
        ends = f"de {change(row['low'])} à {change(row['high'])}"
        whole = change(row["ratio"]) if _apart(row) else "pas d'effet établi"
        own = [one for one in told if one["kind"] == row["kind"]]
        lines.append(f"- **{title}** : tous thèmes ensemble, {whole} ({ends}), sur "
                     f"{plural(row['events'], 'événement')} et {plural(row['n'], 'fait')}"
                     f"{_by_theme(own, names)}.")  # fmt: skip
    if told:
        chance = number((1 - confidence) * len(told), 1)
        lines += ["", (
            f"Par thème, {plural(len(told), 'intervalle')} à {percent(confidence)}, chacun lu seul "
            f": même sans aucun effet, le hasard en éloignerait de zéro {chance} en moyenne. Un "
            "thème qui ressort ici est à surveiller, non établi."
        )]  # fmt: skip
    return "\n".join(lines) or "Aucune classe à étudier."


def _apart(row: Row) -> bool:
    return bool(row["low"] > 1 or row["high"] < 1)


def _by_theme(rows: list[Row], names: Names) -> str:
    """Return the themes that stand apart by themselves, of a class's rows of `ratios`."""
    if not rows:
        return ""
    apart = [
        f"{plain(names.city.themes[row['theme']].title.lower())} {change(row['ratio'])} "
        f"(de {change(row['low'])} à {change(row['high'])})"
        for row in rows if _apart(row)
    ]  # fmt: skip
    return f" ; thème par thème, {', '.join(apart) or 'aucun ne ressort'}"


def needs(tables: Tables, names: Names) -> str:
    """Return the sizing of the events to come that ask for most, then those that abstain."""
    sized = by_event(tables, "sizing")
    own = by_event(tables, "calendar")
    ranked = sorted(sized.values(), key=lambda row: (
        row["status"] != "ok", *demanding(row, own[row["event"]])))  # fmt: skip
    slots = of_events(tables)
    lines = [f"- {called(own[row['event']], names)} : {in_need(row, slots[row['event']])}."
             for row in ranked]  # fmt: skip
    return _listed(lines, "événement") or "Aucun événement à dimensionner."


def thin(tables: Tables, names: Names) -> str:
    """Return the sectors that sizing would leave thinnest, and those whose roster is not told."""
    rows = [row for row in tables["thin"].to_pylist() if row["per_officer_after"] is not None]
    rows.sort(key=lambda r: (-r["per_officer_after"], r["day"], r["slot"], r["zone"]))
    slots = names.city.about.slots
    lines = [
        f"- {plain(names.zone(row['zone']))}, {spoken(row['day'])}, {slots[row['slot']].title} : "
        f"{plural(row['left'], 'agent')} au lieu de {number(row['present'])} à l'heure la plus "
        f"dégarnie, pour {mean_facts(row['usual'], 1)} d'ordinaire en tout le créneau."
        for row in rows
    ]
    told = _listed(lines, "secteur") or "Aucun secteur dégarni."
    return told + slot_words.untold(tables["means"].to_pylist(), names.zone)


def similar_ones(rows: Iterable[Row], names: Names) -> str:
    """Return the past events most like one, and what happened."""
    lines = []
    for row in rows:
        seen = "affluence inconnue" if row["seen"] is None else plural(row["seen"], "personne")
        counted = "comptes absents" if row["n"] is None else (
            f"{plural(row['n'], 'fait')} pour {number(row['usual'], 1)} d'ordinaire")  # fmt: skip
        told = f" ; {plain(row['outcome'].replace('_', ' '))}" if row["outcome"] else ""
        place = plain(names.zone(row["zone"]))
        lines.append(f"- {spoken(row['start_at'].date())}, {place}, {seen} : {counted}{told}.")
    return "\n".join(lines) or "Aucun événement passé de cette classe."


def pages(names: list[str]) -> str:
    """Return what briefings were written, and where."""
    if not names:
        return "Aucune fiche : aucun événement connu."
    listed = "\n".join(f"- `derived/events/fiches/{name}`" for name in names)
    return f"{plural(len(names), 'fiche écrite')}, chacune aussi en PDF (`.pdf`) :\n\n{listed}"
