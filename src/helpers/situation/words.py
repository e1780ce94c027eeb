"""Levels, alerts, what is on today and the reflex sheets, in words.

Titles of themes, names of zones, events and orders are foreign: they go through `plain`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import Any

import pyarrow as pa

from helpers.core.base.french import number, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city import coverage
from helpers.core.city.city import City
from helpers.core.city.code_names import spoken_code
from helpers.core.city.names import WHOLE
from helpers.core.place_time.calendar import last_days
from helpers.core.place_time.months import MEAN_DAYS
from helpers.situation.agenda import Today
from helpers.situation.alerts import MINIMUM_WEEKS, TOO_FEW_WEEKS, lit, power, to_watch
from helpers.situation.held import IN_PART
from helpers.situation.knobs import Knobs
from helpers.situation.levels import CODES, CORRECTED, SILENT, TOO_FEW_REFERENCES
from helpers.situation.monthly import MONTH_ONLY, NOT_TOLD, by_month, last_months
from helpers.situation.reflex_sheets import Opened, Reason

Row = dict[str, Any]
Names = Mapping[str, str]  # code of a zone → its name
LEVELS = {
    "above": "plus que d'habitude",
    "usual": "comme d'habitude",
    "below": "moins que d'habitude",
    "abstained": "abstention",
}
UNDECIDED = "sans que l'on puisse dire si c'est l'habitude"  # of an interval that says nothing
ALERTED = "en alerte, au regard des mêmes jours des semaines d'avant"
PERIODS = {
    1: "dernier jour",
    7: "7 derniers jours",
    28: "28 derniers jours",
    365: "12 derniers mois",
}
REASONS = {
    SILENT: "source muette",
    NOT_TOLD: "non dit par la source",
    coverage.NOT_COVERED: "hors de ce que la source couvre",
    TOO_FEW_REFERENCES: "pas assez de périodes passées comparables",
    IN_PART: "des jours ne sont reçus qu'à demi, et rien ne dit lesquels",
    MONTH_ONLY: "connu au mois seulement : ni jour, ni semaine",
    TOO_FEW_WEEKS: f"moins de {MINIMUM_WEEKS} semaines comparables",
}
CLOSED = {
    "stationnement": "stationnement interdit",
    "circulation": "circulation interdite",
    "occupation_domaine": "espace public occupé",
    "debit_boissons": "débit de boissons réglementé",
}
NO_PLACE = "lieu non précisé"
GREATEST = 3  # events told one by one
LISTED = 12  # closures told one by one; the others are counted
WATCHED = 10  # counts to look at told one by one; the others are counted
VAGUE, SMALL = 3, 10  # ends of an interval that says nothing: their ratio, the count expected


def period_title(days: int) -> str:
    """Return how a period that ends today is called."""
    return PERIODS.get(days, f"{days} derniers jours")


def lasting(days: int) -> str:
    """Return how long so many days are: « 12 mois », « 45 jours »."""
    months = round(days / MEAN_DAYS)
    return f"{number(months)} mois" if months >= 2 else plural(days, "jour")


def reason(row: Row) -> str:
    """Return why a row of `levels` or `alerts` says nothing; nothing where it does."""
    return REASONS[row["reason"]] if row["reason"] else ""


def place(zone: str, names: Names) -> str:
    """Return the name of the zone, as it is written (not yet Markdown)."""
    return "toute la ville" if zone == WHOLE else names.get(zone, zone)


# --- Levels ----------------------------------------------------------------------------------


def levels(
    table: pa.Table, city: City, names: Names, periods_days: Sequence[int],
    alerts: Sequence[Row] = (),
) -> str:  # fmt: skip
    """Return the answer as Markdown: each period over the main division, one line a theme.

    A line tells the city as a whole, its alert of `alerts` (`lit`) if it has one, which is judged
    by other weeks, then the zones that stand out.
    """
    rows = [row for row in table.to_pylist() if row["division"] == city.about.main_division]
    alerted = {(row["theme"], row["period_days"]) for row in alerts if row["zone"] == WHOLE}
    return "\n\n".join(_period(rows, city, days, names, alerted) for days in periods_days)


def _period(
    rows: list[Row], city: City, days: int, names: Names, alerted: Set[tuple[str, int]]
) -> str:
    first, last = last_days(city, days)
    when = spoken(last) if days == 1 else f"du {spoken(first)} au {spoken(last)}"
    head = f"**{period_title(days).capitalize()}** ({when}) :"
    of_city = [r for r in rows if r["period_days"] == days and r["zone"] == WHOLE]
    whys = {reason(r) for r in of_city}
    months = {_whole_months(city, r["theme"], days) for r in of_city}
    alike = len(of_city) > 1 and len(whys) == len(months) == 1
    if alike and all(r["status"] != "ok" for r in of_city):
        told = " ; ".join(one for one in (months.pop().strip(" ()"), whys.pop()) if one)
        return f"{head} aucun thème ne se compare ({told})."
    lines = [head, ""]
    for name, theme in city.themes.items():
        mine = [r for r in rows if r["theme"] == name and r["period_days"] == days]
        if mine:
            when = _whole_months(city, name, days)
            told = sentence(mine, names, alerted=(name, days) in alerted)
            lines.append(f"- **{plain(theme.title)}**{when} : {told}")
    return "\n".join(lines)


def _whole_months(city: City, theme: str, days: int) -> str:
    """Return which months stand for the period, of a theme known by the month; else nothing."""
    held = last_months(city, days) if by_month(city, theme) else []
    if not held:
        return ""
    first, last = (spoken(month).split(" ", 1)[1] for month in (held[0], held[-1]))
    elided = "d'" if first[0] in "ao" else "de "
    return f" ({first})" if len(held) == 1 else f" ({elided}{first} à {last})"


def told_alone(row: Row) -> str:
    """Return the words for one row: count, level, what was expected; or why it abstains."""
    if row["status"] != "ok":
        return f"{LEVELS['abstained']} ({reason(row)})"
    expected = f"on en attendait entre {number(row['low'])} et {number(row['high'])}"
    apart = ""
    if row["aside_n"]:
        days = plural(row["aside_days"], "jour")
        apart = f", dont {number(row['aside_n'])} en {days} hors de l'ordinaire, mis à part"
    level = UNDECIDED if vague(row) else LEVELS[row["level"]]
    return f"{plural(row['n'], 'fait')}{apart}, {level} ({expected})"


def vague(row: Row) -> bool:
    """Tell whether « as usual » says next to nothing: the interval would hold nearly any count."""
    return bool(row["level"] == "usual" and wide(row))


def wide(row: Row) -> bool:
    """Tell whether the interval would hold nearly any count."""
    return bool(row["high"] > VAGUE * max(row["low"], 1) and row["expected"] >= SMALL)


def sentence(rows: list[Row], names: Names, *, alerted: bool = False) -> str:
    """Return the words for one theme and period: rows of the city, then of its zones.

    `alerted`: an alert of the whole city stands over that very period.
    """
    whole = next(row for row in rows if row["zone"] == WHOLE)
    text = told_alone(whole) + (f" ; **{ALERTED}**" if alerted else "")
    if whole["status"] != "ok":
        return f"{text}."
    known = remarks(whole)
    above = [r for r in rows if r["level"] == "above" and r["zone"] != WHOLE]
    above.sort(key=lambda r: (-(r["n"] - r["high"]), r["zone"]))
    if not above:
        return f"{text} ; aucune zone au-dessus de son habitude.{known}"
    listed = ", ".join(plain(place(r["zone"], names)) for r in above[:3])
    more = f" et {plural(len(above) - 3, 'autre')}" if len(above) > 3 else ""
    whose = "leur" if len(above) > 1 else "son"
    return f"{text} ; au-dessus de {whose} habitude : {listed}{more}.{known}"


def remarks(row: Row) -> str:
    """Return what is to be known beside a level, a sentence to put after it; or nothing."""
    told = [remark(one) for one in row["remarks"] if one["kind"] in (CORRECTED, CODES)]
    return f" À savoir : {' ; '.join(dict.fromkeys(told))}." if told else ""


def remark(one: Mapping[str, Any]) -> str:
    """Return what must be known beside a level, in words."""
    if one["kind"] == CORRECTED:
        return f"façon d'enregistrer corrigée ({plain(one['what'])})"
    what = plain(spoken_code(one["what"]))
    if one["other"]:
        return f"{what} est peut-être devenu {plain(spoken_code(one['other']))}"
    if one["gone"]:
        return f"{what} n'arrive plus : le compte peut en être abaissé"
    return f"{what} est apparu : le compte peut en être relevé"


# --- Alerts ----------------------------------------------------------------------------------


def alerts(table: pa.Table, city: City, names: Names, events: list[Row], knobs: Knobs) -> str:
    """Return the alerts as Markdown, or that there is none.

    `events`: those of today, recalled beside an alert of their zone.
    """
    found = lit(table)
    tested = sum(row["status"] == "ok" for row in table.to_pylist())
    promise = (
        f"{plural(tested, 'comparaison')} ; un jour où rien ne change, au plus "
        f"{number(100 * knobs.false_alert_rate)} chances sur 100 qu'une alerte s'allume."
    )
    known = _on_there(events, _titles(city))
    lines = [_alert(row, city, names, known.get(row["zone"], "")) for row in found]
    if not tested:
        return f"**Aucune alerte possible** : rien ne peut être comparé ({_reasons(table)})."
    head = f"**{plural(len(found), 'alerte') if found else 'Aucune alerte'}** ({promise})"
    return "\n".join([head, *(["", *lines] if lines else []), "", _power(table, knobs)])


def watch(table: pa.Table, city: City, names: Names, events: list[Row], knobs: Knobs) -> str:
    """Return what is worth a look as Markdown, the least to be expected first; what chance brings.

    `events`: those of the day, recalled beside a count of their zone.
    """
    found = to_watch(table)
    false = plural(round(knobs.watch_false_a_day), "compte")
    if knobs.watch_false_a_day < 1:
        false = f"{number(knobs.watch_false_a_day, 1)} compte"
    promise = (
        f"le moins attendu d'abord ; le hasard seul y met au plus {false} par jour, en moyenne"
    )
    if not any(row["status"] == "ok" for row in table.to_pylist()):
        return "**Rien à comparer.**"
    if not found:
        return f"**Rien d'autre à regarder** ({promise})."
    known = _on_there(events, _titles(city))
    lines = [_alert(row, city, names, known.get(row["zone"], "")) for row in found[:WATCHED]]
    if len(found) > WATCHED:
        lines.append(f"- et {plural(len(found) - WATCHED, 'autre')}.")
    return "\n".join([f"**À regarder** ({promise}) :", "", *lines])


def _reasons(table: pa.Table) -> str:
    """Return the commonest reason why nothing is said."""
    whys = Counter(reason(row) for row in table.to_pylist())
    return min(whys.items(), key=lambda pair: (-pair[1], pair[0]))[0] if whys else "aucun thème"


def _power(table: pa.Table, knobs: Knobs) -> str:
    """Return what each tier would see of a zone's rise, as a sentence."""
    if not any(row["status"] == "ok" for row in table.to_pylist()):
        return ""
    told = []
    for times, verb in ((2, "double"), (3, "triple"), (4, "quadruple")):
        by_alert, by_either = (number(100 * v) for v in power(table, knobs, times))
        told.append(f"{verb} : {by_alert} fois sur 100, {by_either} avec la liste « à regarder »")
    return f"Une zone à un fait par jour dont la semaine {' ; '.join(told)}."


def alert_title(row: Row, city: City, names: Names) -> tuple[str, str, str]:
    """Return the theme, place and period of a row of `alerts`, as written (not yet Markdown)."""
    days = row["period_days"]
    when = PERIODS[1] if days == 1 else f"{days} derniers jours"
    return city.themes[row["theme"]].title, place(row["zone"], names), when


def _alert(row: Row, city: City, names: Names, known: str) -> str:
    theme, where, when = alert_title(row, city, names)
    note = f" À savoir : {known}." if known else ""
    return (
        f"- **{plain(theme)}, {plain(where)}** ({when}) : {plural(row['n'], 'fait')}, "
        f"{plural(round(row['expected']), 'attendu')} "
        f"(de {number(row['low'])} à {number(row['high'])}).{note}"
    )


def _on_there(events: list[Row], titles: dict[str, str]) -> dict[str, str]:
    """Return zone → what is on there today, as Markdown; `titles` tells the kinds of events."""
    found: dict[str, list[str]] = {}
    for row in events:
        if row["zone"]:
            title = titles.get(row["kind"]) or str(row["kind"])
            found.setdefault(row["zone"], []).append(title)
    return {
        zone: plain(kinds[0]) + (f" et {plural(len(kinds) - 1, 'autre')}" if kinds[1:] else "")
        for zone, kinds in found.items()
    }


def _titles(city: City) -> dict[str, str]:
    """Return what readers see of each kind of event."""
    rule = city.about.agenda.events
    return rule.titles if rule else {}


# --- Today -----------------------------------------------------------------------------------


def day(city: City, today: Today, names: Names) -> str:
    """Return the day as Markdown: warnings, events, closures; said where no source tells."""
    agenda, titles = city.about.agenda, _titles(city)
    lines = [f"**Le {spoken(today.day)}** :", ""]
    if agenda.warnings is not None:
        level = today.warnings[0]["level"] if today.warnings else "aucune"
        lines.append(f"- Vigilance météo : {plain(level)}.")
    if agenda.events is None:
        lines.append("- Événements : aucune source déclarée.")
    else:
        listed = ", ".join(_event(row, names, titles) for row in today.events[:GREATEST])
        more = len(today.events) - GREATEST
        listed += f" et {plural(more, 'autre')}" if more > 0 else ""
        told = plural(len(today.events), "événement")
        lines.append(f"- {told}" + (f" : {listed}." if listed else "."))
    if agenda.closures is None:
        lines.append("- Rues et lieux fermés : aucune source déclarée.")
    else:
        lines.append(f"- Rues et lieux fermés ou restreints : {number(len(today.closures))}.")
        lines += [_closure(row, names, titles) for row in today.closures[:LISTED]]
        if len(today.closures) > LISTED:
            lines.append(f"  - et {plural(len(today.closures) - LISTED, 'autre')}.")
    return "\n".join(lines)


def _event(row: Row, names: Names, titles: dict[str, str]) -> str:
    size = f", {number(row['size'])} personnes attendues" if row["size"] else ""
    title = titles.get(row["kind"], row["kind"])
    return f"{plain(title)} ({plain(names.get(row['zone'], NO_PLACE))}{size})"


def _closure(row: Row, names: Names, titles: dict[str, str]) -> str:
    what = CLOSED.get(row["kind"], row["kind"])
    radius = f", {number(row['radius_m'])} m alentour" if row["radius_m"] else ""
    why = f" ({plain(titles.get(row['event'], row['event']))})" if row["event"] else ""
    until: dt.datetime = row["end_at"]
    minutes = f" {until.minute:02}" if until.minute else ""
    return (
        f"  - {plain(names.get(row['zone'], NO_PLACE))} : {plain(what)}{radius}, "
        f"jusqu'au {spoken(until.date())} à {until.hour} h{minutes}{why}."
    )


# --- Reflex sheets ---------------------------------------------------------------------------


def sheets(found: list[Opened], city: City, names: Names) -> str:
    """Return the open sheets as Markdown, drills told as such; or that none is open."""
    if not found:
        return "Aucune fiche réflexe n'est ouverte."
    return "\n\n".join(_sheet(one, city, names) for one in found)


def _sheet(one: Opened, city: City, names: Names) -> str:
    head = "**EXERCICE, rien ne s'est passé.**"
    if not one.drill:
        head = f"Ouverte pour : {' ; '.join(_why(r, city, names) for r in one.reasons)}."
    # The sheet's own headings go one level down, below the report's.
    text = one.sheet.text.replace("\n## ", "\n#### ")
    return f"### {plain(one.sheet.title)}\n\n{head}\n\n{text}"


def _why(why: Reason, city: City, names: Names) -> str:
    if why.warning:
        return f"vigilance {plain(why.warning)}"
    return f"{plain(city.themes[why.theme].title)}, {plain(place(why.zone, names))}"
