"""What « Événements » says: is it covered, how many at what hour, what is to be settled.

Quantities, reasons and names come from `helpers.events.words`. Foreign titles go through `plain`,
or `escape` where the text is HTML at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from helpers.apps import keep
from helpers.core.base.french import number, plural
from helpers.core.base.markup import inline, plain
from helpers.core.city.event_rules import EventRules
from helpers.core.place_time.calendar import FULL_DAYS
from helpers.events import slot_words
from helpers.events import words as told
from helpers.events.plan import Tables
from helpers.events.slot_words import Row, clock, spread
from helpers.events.words import Names

LISTED = 4  # lines to settle that are told at once; the others are behind « et n autres »
NO_RULES = (
    "**Cette ville ne décrit pas encore ses événements** : il manque à son dossier le fichier "
    "`events.yaml`, qui dit les mesures attendues et ce qu'une foule demande."
)
NONE = "**Aucun événement connu** dans les jours à venir."
CHOOSE = "Choisir un événement, en haut, pour savoir s'il est couvert."
ASSUMED = "Quantités supposées, à changer plus bas pour voir."
# What the register calls the measures that are sized → the columns of `sizing` that ask for them.
SIZED = {"agents_pm": ("wanted_low", "wanted_high"),
         "barrieres": ("barriers_wanted_low", "barriers_wanted_high")}  # fmt: skip
# What the officers of each slot and the zones around are kept as.
SHIFTS = ("événement", "jour", "tranche", "de", "à", "demandés au moins", "demandés au plus",
          "disponibles", "agents au moins", "agents au plus", "manquants au moins")  # fmt: skip
ZONES = ("code", "zone", "jour", "tranche", "faits d'ordinaire", "excès", "de", "à")


@dataclass(frozen=True)
class Own:
    """All that the tables hold of one event: its row of those with one, its rows of the others."""

    row: Row
    sizing: Row
    foreseen: Row
    rows: dict[str, list[Row]]

    @property
    def missing(self) -> list[Row]:
        """The measures that are not taken, late ones first."""
        rows = sorted(self.rows["checklist"], key=lambda row: row["rank"])
        return [row for row in rows if row["state"] != "taken"]

    @property
    def lacking(self) -> bool:
        """Whether officers, barriers or other material are known to be too few."""
        few = any(one["low"] < one["wanted_low"] for one in self.sizing["others"] or ())
        return bool(self.sizing["officers_short"] or self.sizing["barriers_short"] or few)


def each(tables: Tables) -> dict[str, Own]:
    """Return event → all of it; an incompatibility is of both events."""
    many = ("checklist", "clashes", "excess", "shifts", "similar")
    events = told.by_event(tables, "calendar")
    sized, foreseen = told.by_event(tables, "sizing"), told.by_event(tables, "foreseen")
    found = {
        event: Own(row, sized[event], foreseen[event], {name: [] for name in many})
        for event, row in events.items()
    }
    for name in many:
        for row in tables[name].to_pylist():
            whose = {row["event"], row.get("other") if name == "clashes" else None}
            for event in whose & found.keys():
                found[event].rows[name].append(row)
    return found


def answer(own: Own, names: Names) -> tuple[str, str]:
    """Return whether an event is covered, and with how many, as Markdown; and how grave that is."""
    verdict, level = covered(own)
    needs = told.in_need(own.sizing, own.rows["shifts"])
    head = f"**{told.called(own.row, names)}** ({told.crowd(own.row)})"
    return f"{head} : {verdict}. {needs[:1].upper()}{needs[1:]}.", level


def covered(own: Own) -> tuple[str, str]:
    """Return whether an event is covered as far as sources tell, and how grave it is if not."""
    missing, asked = own.missing, own.rows["checklist"]
    late = sum(row["late"] for row in missing)
    why = []
    if missing:
        unsettled = f"{number(len(missing))} des {plural(len(asked), 'mesure attendue')} "
        if len(asked) == 1:
            unsettled = "la mesure attendue "
        verb = "n'est pas dite prise" if len(missing) == 1 else "ne sont pas dites prises"
        behind = f", dont {number(late)} en retard" if late < len(missing) else ", en retard"
        why.append(unsettled + verb + (behind if late else ""))
    if own.lacking:
        why.append("les moyens ne suffisent pas")
    if own.rows["clashes"]:
        why.append(plural(len(own.rows["clashes"]), "incompatibilité"))
    if why:
        level = "alert" if own.lacking or late else "watch"
        return f"**pas entièrement couvert**, {' ; '.join(why)}", level
    if own.sizing["status"] != "ok" or own.sizing["reason"] or not asked:
        unsaid = "**on ne peut dire s'il est couvert** : aucun manque connu, tout n'est pas dit"
        return unsaid, "usual"
    taken = plural(len(asked), "mesure attendue")
    return f"**couvert d'après les sources**, les {taken} sont prises et rien ne manque", "usual"


# --- HTML ------------------------------------------------------------------------------------


def tiles(own: Own) -> str:
    """Return the few numbers of an event as HTML."""
    sized, seen, asked = own.sizing, own.foreseen, own.rows["checklist"]
    found = [("Mesures prises", f"{number(len(asked) - len(own.missing))} sur {number(len(asked))}",
              "d'après les sources")]  # fmt: skip
    if sized["status"] == "ok":
        slots = own.rows["shifts"]
        need, lack = slot_words.instead(slots)
        sent = spread(sized["officers_low"], sized["officers_high"])
        asked_for = f"demandés {slot_words.ASSUMED} : {lack} ; " if need else ""
        stock = sized["barriers_there"]
        there = "stock non renseigné" if stock is None else f"{number(stock)} en stock"
        there += (f" ; du montage, {clock(own.row['setup_at'])}, au démontage, "
                  f"{clock(own.row['teardown_at'])}")  # fmt: skip
        found = [
            ("Agents", f"{sent} pour {need}" if need else sent,
             f"{asked_for}{slot_words.hours(slots)}"),
            ("Barrières", spread(sized["barriers_low"], sized["barriers_high"]), there),
            *found,
            ("Équipes", spread(sized["crews_low"], sized["crews_high"]), slot_words.peak(slots)),
        ]  # fmt: skip
    if seen["status"] == "ok":
        sure = seen["low"] > 0 or seen["high"] < 0
        ends = f"entre {number(seen['low'], 1)} et {number(seen['high'], 1)}"
        more = f"{number(seen['excess'], 1)} de plus" if sure else "aucun excès établi"
        found += [
            ("Faits attendus autour", spread(seen["count_low"], seen["count_high"]),
             f"{number(seen['usual'], 1)} d'ordinaire ; {more} ({ends})"),
            ("Heure la plus chargée", clock(seen["peak_at"]),
             FULL_DAYS[seen["peak_at"].weekday()]),
        ]  # fmt: skip
    else:
        found.append(("Faits attendus autour", "abstention", told.REASONS[seen["reason"]]))
    items = "".join(
        f'<li><h3>{title}</h3><p class="app-figure"><strong>{value}</strong></p>'
        f"<p>{escape(detail)}</p></li>"
        for title, value, detail in found
    )
    return (
        '<section class="app-tiles" aria-label="Les chiffres de l\'événement">'
        f'<h2>En chiffres</h2><ul tabindex="0" class="app-row">{items}</ul></section>'
    )


def to_settle(
    clashes: Iterable[Row], missing: Iterable[Row], events: dict[str, Row], names: Names,
    ours: Mapping[tuple[str, str], str], *, alone: bool,
) -> str:  # fmt: skip
    """Return what is to be settled as HTML: incompatibilities, then measures, late ones first.

    `ours`: event and measure → how many the city's assumptions ask for. `alone`: all of it is of
    one event, that need not be named.
    """
    lines = [
        f"{told.reason(row, events, names)}. **Prévenir : "
        f"{', '.join(plain(one) for one in row['tell'])}**."
        for row in clashes
    ] + [
        _measure(row, "" if alone else told.called(events[row["event"]], names),
                 ours.get((row["event"], row["measure"]), ""))
        for row in missing
    ]  # fmt: skip
    items = [f"<li>{inline(line)}</li>" for line in lines]
    title = f"À régler : {plural(len(lines), 'point')}" if lines else "Rien à régler de connu"
    inside = f"<ul>{''.join(items[:LISTED])}</ul>" if items else ""
    if more := items[LISTED:]:
        inside += (f"<details><summary>et {plural(len(more), 'autre')}</summary>"
                   f"<ul>{''.join(more)}</ul></details>")  # fmt: skip
    return f'<section class="app-cards" aria-label="À régler"><h2>{title}</h2>{inside}</section>'


def ours(every: Iterable[Own], rules: EventRules | None) -> dict[tuple[str, str], str]:
    """Return event and measure → how many the city's assumptions ask for, of what is sized."""
    found = {}
    for own in every:
        held = rules.classes.get(own.row["kind"]) if rules else None
        for measure in held.measures if held and own.sizing["status"] == "ok" else ():
            if ends := SIZED.get(measure.entered):
                found[own.row["event"], measure.title] = spread(*(own.sizing[n] for n in ends))
    return found


def _measure(row: Row, whose: str, ours: str) -> str:
    late = "**en retard**, " if row["late"] else ""
    wanted = ""
    if row["wanted"] is not None:
        beside = f" ; {ours} d'après les hypothèses de la ville" if ours else ""
        wanted = f" ({number(row['wanted'])} selon la source des événements{beside})"
    of = f" ; {whose}" if whose else ""
    return (
        f"{plain(row['measure'])}{wanted} : {late}{told.STATES[row['state']]}, pour le "
        f"{told.when(row['due_at'])}, {plain(row['owner'])}{of}"
    )


def zone(name: str, rows: Sequence[Row], names: Names) -> str:
    """Return what the map says of a zone, as written: what is expected there, slot by slot."""
    slots = names.city.about.slots
    parts = [
        f"{FULL_DAYS[r['day'].weekday()]}, {slots[r['slot']].title.lower()}, "
        f"{told.mean_facts(r['excess'], 1)} de plus ({number(r['low'], 1)} à "
        f"{number(r['high'], 1)})"
        for r in rows
    ]
    return f"{name} : {' ; '.join(parts) or 'hors des couronnes, ou aucun fait attendu'}"


def established(rows: Iterable[Row]) -> bool:
    """Whether an excess is established in one slot of a zone at least."""
    return any(row["low"] is not None and row["low"] > 0 for row in rows)


# --- Kept ------------------------------------------------------------------------------------


def shifts(rows: Iterable[Row], events: dict[str, Row], names: Names) -> list[list[keep.Cell]]:
    """Return the officers of each slot, as they are kept (`SHIFTS`)."""
    slots = names.city.about.slots
    return [
        [told.short(events[r["event"]], names), str(r["day"]), slots[r["slot"]].title,
         f"{r['from_at']:%Y-%m-%d %H:%M}", f"{r['to_at']:%Y-%m-%d %H:%M}",
         *(r[name] for name in ("wanted_low", "wanted_high", "there", "officers_low",
                                "officers_high", "short"))]
        for r in sorted(rows, key=lambda r: (r["from_at"], r["event"]))
    ]  # fmt: skip


def zones(rows: Iterable[Row], names: Names) -> list[list[keep.Cell]]:
    """Return the excess of each zone and slot, as it is kept (`ZONES`)."""
    slots = names.city.about.slots
    return [
        [r["zone"], names.zone(r["zone"]), str(r["day"]), slots[r["slot"]].title, r["usual"],
         r["excess"], r["low"], r["high"]]
        for r in rows if r["status"] == "ok"
    ]  # fmt: skip
