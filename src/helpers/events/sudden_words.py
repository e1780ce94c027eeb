"""An accident or an obstruction told in French: how many, for how long, from where, who to tell."""

from __future__ import annotations

import datetime as dt

from helpers.core.base.french import number, plural, trimmed
from helpers.core.base.markup import plain
from helpers.core.city.event_rules import Range, Sudden
from helpers.events.sudden import Response
from helpers.events.words import Names, in_need, when

LISTED = 6  # sectors told one by one


def response(
    found: Response, rule: Sudden, at: dt.datetime, sector: str | None, names: Names
) -> str:
    """Return, as Markdown, who and what can be sent, what it leaves, who must be told."""
    where = "" if sector is None else f", {plain(names.zone(sector))}"
    told = [
        f"**{plain(rule.title)}**{where}, {when(at)}, {lasts(rule.lasts_h)} : "
        f"{in_need(found.sizing, found.shifts)}."
    ]
    if found.at_events:
        kept = plural(found.at_events, "agent")
        told.append(f"Les événements des mêmes heures gardent leur minimum, {kept}.")
    if found.left:
        told.append(f"Viendraient {_from(found, names)}.")
    told.append(f"**Prévenir : {', '.join(plain(one) for one in rule.tell)}**.")
    return " ".join(told)


def lasts(hours: Range) -> str:
    """Return for how long, as it is said: « pour 1 à 3 heures »."""
    low, high = (trimmed(end, 1) for end in hours)
    told = high if low == high else f"{low} à {high}"
    return f"pour {told}\u00a0heure{'s' if hours[1] >= 2 else ''}"


def _from(found: Response, names: Names) -> str:
    said = [f"{number(one.sent)} ({plain(names.zone(one.zone))})" for one in found.left]
    rest = said[LISTED:]
    more = f" et {plural(len(rest), 'autre secteur')}" if rest else ""
    stays = plural(min(one.stays for one in found.left), "agent")
    return f"{', '.join(said[:LISTED])}{more} ; il y resterait {stays} au moins"
