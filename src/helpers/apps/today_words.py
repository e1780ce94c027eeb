"""What « Aujourd'hui » says: sentence of the day, cards, what to look at, the line of the day.

All of it from one judgement (`helpers.situation.judgement`). Foreign titles go through `plain`, or
`escape` where the text is HTML at once.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from helpers.apps import parts
from helpers.apps.choice import Choice
from helpers.core.base.french import number, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.situation import agenda, figures
from helpers.situation import words as situation_words
from helpers.situation.judgement import ABSTAINED, ALERT, BELOW, USUAL, WATCH, Judgement, Row

Names = Mapping[str, str]
Since = Mapping[tuple[str, str, int], dt.date]  # theme, zone, days → day since when
LISTED = 3  # cards and counts told one by one; the others are behind « et n autres »
TIERS = {
    ALERT: "alerte, plus que d'habitude",
    WATCH: "à regarder, plus que d'habitude",
    BELOW: "moins que d'habitude",
    USUAL: "comme d'habitude",
    ABSTAINED: "abstention",
}
SHORT = figures.TIERS


def key(row: Row) -> tuple[str, str, int]:
    """Return what tells a row from another."""
    return row["theme"], row["zone"], row["period_days"]


def lately(day: dt.date) -> str:
    """Return a day of the last weeks, whose year goes without saying."""
    return spoken(day).rsplit(" ", 1)[0]


def when(days: int) -> str:
    """Return over which days a count goes."""
    return "le dernier jour" if days == 1 else f"sur les {situation_words.period_title(days)}"


def against(row: Row) -> str:
    """Return what was awaited of a row that is judged: « 3 attendus, de 0 à 7 »."""
    awaited = plural(round(row["expected"]), "attendu")
    if round(row["expected"]) == 0:
        awaited = "moins d'un attendu"
    return f"{awaited}, de {number(row['low'])} à {number(row['high'])}"


def named(row: Row, city: City, names: Names) -> str:
    """Return theme and place, as they are written."""
    title = city.themes[row["theme"]].title
    return f"{title}, {situation_words.place(row['zone'], names)}"


def _told(row: Row, city: City, names: Names, since: Since) -> str:
    began = f", depuis le {lately(since[key(row)])}" if key(row) in since else ""
    return (
        f"**{plain(named(row, city, names))}** : {plural(row['n'], 'fait')} "
        f"{when(row['period_days'])} ({against(row)}){began}"
    )


def of_the_day(
    found: Sequence[Row], low: Sequence[Row], choice: Choice, city: City, names: Names,
    since: Since, mute: Sequence[Row], themes: int,
) -> str:  # fmt: skip
    """Return the sentence of the day, all themes together: Markdown.

    `found`: what stands out in the territory chosen, the gravest first. `low`: what is less than
    usual there, the least expected first. `mute`: the themes, of `themes`, that say nothing there.
    """
    where = "" if choice.zone == WHOLE else f"{plain(names[choice.zone])} : "
    alerts = [row for row in found if row["tier"] == ALERT]
    fallen = f" ; {_low(low, city, names)}" if low else ""
    if 0 < len(mute) < themes:
        titles = [plain(city.themes[row["theme"]].title) for row in mute]
        fallen += f" ; sans réponse : {_first(titles)} ({_reasons(mute)})"
    if not found and not low and len(mute) == themes:
        said = "rien ne peut être comparé" if where else "Rien ne peut être comparé"
        return f"{where}**{said}** {when(choice.days)} : {_reasons(mute)}."
    if not found:
        said = "rien au-dessus de l'ordinaire" if low else "rien ne sort de l'ordinaire"
        said = said if where else said.capitalize()
        return f"{where}**{said}** {when(choice.days)}{fallen}."
    head = "Alerte" if alerts else "Aucune alerte ; à regarder"
    watch = len(found) - len(alerts)
    others = [plural(len(alerts) - 1, "autre alerte")] if len(alerts) > 1 else []
    if alerts and watch:
        others.append(f"{plural(watch, 'compte')} à regarder")
    elif watch > 1:
        others.append(plural(watch - 1, "autre"))
    more = f" ; et {', '.join(others)}" if others else ""
    return f"{head} : {_told(found[0], city, names, since)}{more}{fallen}."


def _low(rows: Sequence[Row], city: City, names: Names) -> str:
    more = f" et {plural(len(rows) - 1, 'autre compte')}" if len(rows) > 1 else ""
    return f"{SHORT[BELOW]} : {plain(named(rows[0], city, names))}{more}"


def _reasons(rows: Sequence[Row]) -> str:
    """Return why rows say nothing: the commonest reason."""
    whys = Counter(situation_words.reason(row) for row in rows)
    why, n = min(whys.items(), key=lambda pair: (-pair[1], pair[0]))
    return why if n == len(rows) else f"surtout {why}"


def promise(judged: Judgement, choice: Choice) -> str:
    """Return how often what is shown would be there by chance, as a sentence."""
    knobs = judged.knobs
    allowed = knobs.watch_false_a_day
    budget = plural(round(allowed), "compte") if allowed >= 1 else f"{number(allowed, 1)} compte"
    if choice.days in judged.short:
        false = number(100 * knobs.false_alert_rate)
        return (
            f"Un jour ordinaire : {false} chances sur 100 d'une fausse alerte, au plus, et "
            f"{budget} à regarder par hasard, en moyenne."
        )
    n = number(judged.compared(choice.division, choice.days))
    return (
        f"Sur {n} comptes, le hasard en met environ {number(allowed, 0 if allowed >= 1 else 1)} "
        "à regarder ; les alertes portent sur le jour et la semaine."
    )


def of_theme(
    row: Row, found: Sequence[Row], low: Sequence[Row], choice: Choice, names: Names, since: Since,
    badge: str, known: str = "",
) -> str:  # fmt: skip
    """Return the answer about one theme: Markdown. `row`: of the territory chosen.

    `found` and `low`: the zones above and below their usual, told where the whole city is looked
    at. `known`: what its count is to be read with, a sentence.
    """
    told = alone(row)
    if choice.zone == WHOLE and row["status"] == "ok":
        told += f" ; {_zones(found, low, names, since)}"
    other = [one for one in found if one["zone"] == row["zone"] and key(one) != key(row)]
    if other and row["tier"] not in (ALERT, WATCH):
        told += f" ; mais {SHORT[other[0]['tier']]} {when(other[0]['period_days'])}"
    return f"{told}.{situation_words.remarks(row)}{known} {badge[0].upper()}{badge[1:]}."


def alone(row: Row) -> str:
    """Return count, judgement and what was awaited of one row; or why nothing is said."""
    if row["status"] != "ok":
        return f"abstention ({situation_words.reason(row)})"
    awaited = f"on en attendait entre {number(row['low'])} et {number(row['high'])}"
    apart = ""
    if row["aside_n"]:
        days = plural(row["aside_days"], "jour")
        apart = f", dont {number(row['aside_n'])} en {days} hors de l'ordinaire, mis à part"
    n = f"{plural(row['n'], 'fait')}{apart}"
    judged = row["n"] - row["aside_n"]
    if row["tier"] == USUAL and not row["low"] <= judged <= row["high"]:
        side = "plus" if judged > row["high"] else "moins"
        return f"{n} ; {awaited} : {side}, d'un écart que le hasard amène parmi tant de comptes"
    vague = row["tier"] == USUAL and situation_words.wide(row)
    return f"{n}, {situation_words.UNDECIDED if vague else TIERS[row['tier']]} ({awaited})"


def _zones(found: Sequence[Row], low: Sequence[Row], names: Names, since: Since) -> str:
    """Return the zones that stand out on either side, as the map shows them."""
    above = [row for row in found if row["zone"] != WHOLE]
    below = [plain(situation_words.place(row["zone"], names)) for row in low
             if row["zone"] != WHOLE]  # fmt: skip
    if not above and not below:
        return "aucune zone ne ressort"
    told = []
    for row in above:
        began = f", depuis le {lately(since[key(row)])}" if key(row) in since else ""
        told.append(f"{plain(situation_words.place(row['zone'], names))} ({SHORT[row['tier']]}"
                    f"{began})")  # fmt: skip
    said = _first(told) if told else "aucune zone n'en a plus que d'habitude"
    if below:
        said += f" ; {SHORT[BELOW]} dans {plural(len(below), 'zone')} : {_first(below)}"
    return said


def _first(listed: Sequence[str]) -> str:
    more = len(listed) - LISTED
    return ", ".join(listed[:LISTED]) + (f" et {plural(more, 'autre')}" if more > 0 else "")


# --- HTML ------------------------------------------------------------------------------------


def cards(
    found: Sequence[Row], elsewhere: int, everywhere: str, city: City, names: Names, since: Since,
    around: Mapping[tuple[str, str, int], str], on_there: Mapping[str, str], *, tested: bool,
) -> str:  # fmt: skip
    """Return the alerts in force as cards, then what is worth a look, as HTML.

    `found`: `Judgement.standing_out`. `elsewhere`: alerts that the choice hides, `everywhere` the
    link that shows them, or nothing where none does. `tested`: whether any count could be compared.
    """
    alerts = [row for row in found if row["tier"] == ALERT]
    watch = [row for row in found if row["tier"] == WATCH]
    head = "Alertes en vigueur" if alerts else "Aucune alerte en vigueur"
    told_parts = [f"<h2>{head if tested else 'Aucune alerte possible : rien à comparer'}</h2>"]
    if alerts:
        told = [_card(row, city, names, since, around, on_there) for row in alerts]
        told_parts.append(f'<div class="app-row">{"".join(told[:LISTED])}</div>')
        told_parts.append(_more(told[LISTED:]))
    if elsewhere:
        hidden = plural(elsewhere, "autre alerte")
        link = f'<a href="{escape(everywhere)}">{hidden}</a>' if everywhere else hidden
        told_parts.append(f"<p>{link}, hors de ce choix.</p>")
    if watch:
        lines = "".join(f"<li>{_line(row, city, names, since)}</li>" for row in watch)
        heard = list(dict.fromkeys(situation_words.place(row["zone"], names) for row in watch))
        heard = [named(watch[0], city, names)] if len(watch) == 1 else heard
        title = f"{plural(len(watch), 'compte')} à regarder : {_first(heard)}"
        told_parts.append(f"<details><summary>{escape(title)}</summary><ul>{lines}</ul></details>")
    return f'<section class="app-cards" aria-label="Alertes">{"".join(told_parts)}</section>'


def _more(rest: Sequence[str]) -> str:
    if not rest:
        return ""
    return f"<details><summary>et {plural(len(rest), 'autre')}</summary>{''.join(rest)}</details>"


def _line(row: Row, city: City, names: Names, since: Since) -> str:
    began = f", depuis le {lately(since[key(row)])}" if key(row) in since else ""
    return (
        f"<strong>{escape(named(row, city, names))}</strong> : {number(row['n'])} "
        f"{when(row['period_days'])} ({against(row)}){began}"
    )


def _card(
    row: Row, city: City, names: Names, since: Since,
    around: Mapping[tuple[str, str, int], str], on_there: Mapping[str, str],
) -> str:  # fmt: skip
    theme = city.themes[row["theme"]]
    place = situation_words.place(row["zone"], names)
    began = f", depuis le {lately(since[key(row)])}" if key(row) in since else ""
    line = f"{when(row['period_days'])}{began}"
    known = [one for one in (around.get(key(row), ""), on_there.get(row["zone"], "")) if one]
    beside = "".join(f"<p>{escape(one)}</p>" for one in known)
    beside = f"<details><summary>Autour</summary>{beside}</details>" if known else ""
    sheet = ""
    if theme.sheet:
        sheet = f'<a href="#fiche-{escape(theme.sheet, quote=True)}">Fiche réflexe</a>'
    return (
        f'<article class="app-card"><h3>{escape(theme.title)}, {escape(place)}</h3>'
        f'<p class="app-figure"><strong>{number(row["n"])}</strong> '
        f"{'faits' if row['n'] >= 2 else 'fait'}, {against(row)}</p>"
        f'<p>{escape(line[0].upper() + line[1:])}</p><div class="app-next">{sheet}{beside}</div>'
        "</article>"
    )


def on_there(today: agenda.Today, city: City) -> dict[str, str]:
    """Return zone → what is on there today, the greatest, as written."""
    rule = city.about.agenda.events
    titles = rule.titles if rule else {}
    found: dict[str, list[str]] = {}
    for row in today.events:
        if row["zone"]:
            found.setdefault(row["zone"], []).append(titles.get(row["kind"]) or str(row["kind"]))
    return {
        zone: f"Ce jour-là, sur place : {kinds[0]}"
        + (f" et {plural(len(kinds) - 1, 'autre')}" if kinds[1:] else "")
        for zone, kinds in found.items()
    }


def day_line(today: agenda.Today, city: City, names: Names, around: str = "") -> str:
    """Return the day in one line: what is on, what is closed, the warning; as written.

    `around`: the part of the city that `today` is limited to.
    """
    rules = city.about.agenda
    told = []
    if rules.events is not None:
        line = plural(len(today.events), "événement")
        if today.events and today.events[0]["size"]:
            first = today.events[0]
            title = rules.events.titles.get(first["kind"], first["kind"])
            where = names.get(first["zone"], situation_words.NO_PLACE)
            line += f" (dont {title.lower()}, {where}, {number(first['size'])} personnes attendues)"
        told.append(line)
    if rules.closures is not None:
        n = len(today.closures)
        told.append(f"{number(n)} {'rues ou lieux fermés' if n >= 2 else 'rue ou lieu fermé'}")
    if rules.warnings is not None:
        level = today.warnings[0]["level"] if today.warnings else ""
        told.append(f"vigilance météo {level}" if level else "aucune vigilance météo")
    said = " · ".join(told) or "aucune source ne dit ce qui s'y passe"
    return f"Le {spoken(today.day)}{f', {around}' if around else ''} : {said}"


def zone_words(rows: Sequence[Row], city: City, name: str, theme: str) -> str:
    """Return what the map says of a zone: all that stands out there, or the chosen theme's count.

    `rows`: those of the zone, the gravest first; as written.
    """
    if theme:
        return f"{name} : {alone(rows[0])}"
    loud = [row for row in rows if row["tier"] in (ALERT, WATCH, BELOW)]
    if not loud:
        heard = any(row["tier"] != ABSTAINED for row in rows)
        return f"{name} : {SHORT[USUAL if heard else ABSTAINED]}"
    told = [
        f"{city.themes[r['theme']].title}, {SHORT[r['tier']]}, {plural(r['n'], 'fait')} "
        f"{when(r['period_days'])} ({against(r)})"
        for r in loud[:LISTED]
    ]
    more = f" et {plural(len(loud) - LISTED, 'autre')}" if len(loud) > LISTED else ""
    return f"{name} : {' ; '.join(told)}{more}"


def table(rows: Sequence[Row], city: City, names: Names, caption: str) -> str:
    """Return the table behind the map as HTML: a line a theme and zone, the gravest first."""
    lines = []
    for row in rows:
        awaited = f"{number(row['low'])} à {number(row['high'])}" if row["low"] is not None else "–"
        judged = SHORT[row["tier"]]
        if row["tier"] == ABSTAINED:
            judged += f" ({situation_words.reason(row)})"
        lines.append([
            situation_words.place(row["zone"], names), city.themes[row["theme"]].title,
            "manquant" if row["n"] is None else number(row["n"]), awaited, judged,
        ])  # fmt: skip
    heads = ("Zone", "Thème", "Faits", "Attendus", "Jugement")
    return f"<p>{escape(caption)}</p>{parts.table(heads, lines)}"
