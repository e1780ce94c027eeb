"""How early partners told, in French."""

from __future__ import annotations

from helpers.core.base.french import number, plural
from helpers.core.base.markup import plain
from helpers.events import early
from helpers.events.plan import Tables
from helpers.events.slot_words import Row
from helpers.events.words import Names

DAY_H = 24


def lead(hours: float) -> str:
    """Return a delay as it is said: « 21 jours avant », « 5 heures avant », « après le début »."""
    if hours < 0:
        return "après le début"
    if hours < 2 * DAY_H:
        return f"{plural(int(hours), 'heure')} avant"
    return f"{plural(int(hours / DAY_H), 'jour')} avant"


def partner(code: str, names: Names) -> str:
    """Return what a partner is called."""
    rule = names.city.about.agenda.events
    titles = rule.entries.titles if rule and rule.entries else {}
    return plain(titles.get(code, code))


def report(tables: Tables, names: Names) -> str:
    """Return one line a partner: how many entries, how early, how many too late for what is due."""
    rule = names.city.about.agenda.events
    if rule is None or rule.entries is None:
        return "La ville ne reçoit pas de saisies de partenaires."
    rows = tables["early"].to_pylist()
    if not rows:
        return "Aucun partenaire n'a rien saisi d'avance."
    lines = []
    for one in early.by_partner(rows):
        told = f"la plus tardive {lead(one['least_h'])}"
        if one["n"] > 1:
            told = f"la moitié au moins {lead(one['median_h'])}, {told}"
        due = ""
        if one["judged"]:
            count = f"{number(one['late'])} sur {number(one['judged'])}"
            due = f" ; trop tard pour la première mesure à prendre : {count}"
        lines.append(f"- {partner(one['by'], names)} : {plural(one['n'], 'saisie')}, {told}{due}.")
    waiting = sum(row["taken_over"] is None for row in rows)
    lines += [
        "",
        f"Pas encore reprises par la ville sous un numéro à elle : {number(waiting)}. L'heure "
        "d'une saisie est celle de l'appareil du partenaire.",
    ]
    return "\n".join(lines)


def of_event(rows: list[Row], event: str, names: Names) -> str:
    """Return who told of an event and how early, as a sentence; empty where no partner did."""
    row = next((r for r in rows if event in (r["event"], r["taken_over"])), None)
    if row is None:
        return ""
    waiting = "" if row["taken_over"] else ", pas encore reprise par la ville"
    late = ", trop tard pour la première mesure à prendre" if row["in_time"] is False else ""
    by = partner(row["by"], names)
    return f"Saisie d'un partenaire ({by}), {lead(row['lead_h'])}{late}{waiting}."
