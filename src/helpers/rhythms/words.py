"""Rhythms, in words: the busiest hours, kinds of day, seasons, nights of 23 and 25 hours."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from helpers.core.base.french import MONTHS, change, number, percent, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.place_time.calendar import EVENT, FULL_DAYS, HOURS_OF_WEEK
from helpers.rhythms.knobs import Knobs
from helpers.rhythms.year import LEAST_YEARS

KINDS = {
    "working_day": "jour ouvré",
    "public_holiday": "jour férié",
    "school_holidays": "vacances scolaires",
    "weekend": "week-end",
    "event": "événement",
}
NO_SEASON = {
    "not_dated": "aucun fait daté au jour près",
    "too_few_years": f"moins de {LEAST_YEARS} années entières",
    "too_few": "moins de {minimum} faits datés",
    "empty_month": "un mois de l'année n'a aucun fait",
}
# Measured (`make grade ROOMS=rhythms:seasons`): with so few years the test is a little too easy.
FEW_YEARS = 3
SEASON_OF_FEW_YEARS = (
    "Lue sur trois années au plus, une saison est dite à tort jusqu'à 9 fois sur cent, "
    "pour 5 promises."
)


def spoken_hour(hour: int) -> str:
    """Return the hour of the week as it is said: « vendredi 22 h »."""
    return f"{FULL_DAYS[hour // 24 % 7]} {hour % 24} h"


def reason(code: str, minimum_count: int) -> str:
    """Return why a theme has no week, or an hour no rate, in words (`reason` of `week.HOURS`)."""
    return {
        "too_few": f"moins de {minimum_count} faits dont l'heure est connue",
        "day_only": "aucune heure connue : la source ne dit que le jour",
        "month_only": "aucune heure connue : la source ne dit que le mois",
        "year_only": "aucune heure connue : la source ne dit que l'année",
        "never_lived": "heure jamais vécue tant que la source parlait",
    }[code]


def weeks(table: pa.Table, city: City, minimum_count: int) -> str:
    """Return the answer as Markdown: each theme's busiest six hours."""
    lines = []
    held = table.to_pylist()
    for name, theme in city.themes.items():
        rows = [r for r in held if r["theme"] == name]
        if rows[0]["status"] == "abstained":
            why = reason(rows[0]["reason"], minimum_count)
            lines.append(f"- **{plain(theme.title)}** : abstention ({why}).")
            continue
        first = rows[0]
        lines.append(
            f"- **{plain(theme.title)}** : six heures les plus chargées à partir de "
            f"{spoken_hour(first['peak'])}, {percent(first['peak_share'], 1)} de la semaine "
            f"({percent(first['peak_low'], 1)} à {percent(first['peak_high'], 1)}) contre "
            f"{percent(6 / HOURS_OF_WEEK, 1)} si tout était égal"
            f"{_aside(rows[0]['left_out'])}{_thin_told(sum(r['thin'] for r in rows))}."
        )
    return "\n".join(lines)


def _aside(count: int) -> str:
    return f" ; {plural(count, 'fait')} de côté, à l'heure trop incertaine" if count else ""


def _thin_told(count: int) -> str:
    if not count:
        return ""
    return f" ; {plural(count, 'heure')} sur {HOURS_OF_WEEK} sans écart établi à la moyenne"


def kind_titles(city: City) -> dict[str, str]:
    """Return kind of day → its title; the pack names the days of the city's events."""
    events = city.about.holidays.events
    return KINDS | ({EVENT: events.title} if events else {})


def kinds_of_day(table: pa.Table, city: City) -> str:
    """Return one Markdown line a kind of day: the themes found to rise or fall."""
    rows = [r for r in table.to_pylist() if r["status"] == "ok"]
    lines = []
    for kind, title in kind_titles(city).items():
        mine = [r for r in rows if r["kind"] == kind]
        if not mine:
            continue
        told = [
            f"{plain(city.themes[r['theme']].title)} {change(r['ratio'])} "
            f"(de {change(r['low'])} à {change(r['high'])})"
            for r in mine
            if r["found"]
        ]
        text = ", ".join(told) or "aucun écart établi avec un jour ouvré"
        lines.append(f"- **{plain(title[0].upper() + title[1:])}** : {text}.")
    return "\n".join(lines)


def seasons(table: pa.Table, city: City, knobs: Knobs) -> str:
    """Return one Markdown line a theme: its strongest and weakest month, if it has a season.

    Then, if a season is told from so few years that one is told too often, how often.
    """
    lines, few = [], False
    held = table.to_pylist()
    for name, theme in city.themes.items():
        mine = [r for r in held if r["theme"] == name]
        if mine[0]["status"] != "ok":
            why = NO_SEASON[mine[0]["reason"]].format(minimum=knobs.minimum_count)
            lines.append(f"- **{plain(theme.title)}** : abstention ({why}).")
        elif mine[0]["p"] > 1 - knobs.confidence:
            lines.append(f"- **{plain(theme.title)}** : pas de saison établie.")
        else:
            top, least = (pick(mine, key=lambda r: r["ratio"]) for pick in (max, min))
            lines.append(f"- **{plain(theme.title)}** : {_month(top)} ; {_month(least)}.")
            few = few or mine[0]["years"] <= FEW_YEARS
    if few:
        lines.append(f"\n{SEASON_OF_FEW_YEARS}")
    return "\n".join(lines)


def no_season(table: pa.Table, minimum_count: int) -> str:
    """Return why no theme has a season to show: the reasons of all, the commonest first."""
    told = Counter(row["reason"] for row in table.to_pylist())
    return " ; ".join(
        NO_SEASON[code].format(minimum=minimum_count) for code, _ in told.most_common()
    )


def _month(row: dict[str, Any]) -> str:
    span = f"{change(row['low'])} à {change(row['high'])}"
    return f"{MONTHS[row['month'] - 1]} {change(row['ratio'])} ({span})"


def clock_changes(table: pa.Table, city: City) -> str:
    """Return one Markdown line a change of clock: which hour, and the themes out of the usual."""
    rows = table.to_pylist()
    lines = []
    for hour, length in sorted({(r["hour"], r["lived_h"]) for r in rows}):
        head = f"- **{spoken(hour.date())}** : "
        if not length:
            lines.append(f"{head}{hour.hour} h n'existe pas ; cette heure est vide, et non nulle.")
            continue
        mine = [r for r in rows if r["hour"] == hour and r["status"] == "ok"]
        told = [
            f"{plain(city.themes[r['theme']].title)} {number(r['rate'], 1)} par heure vécue "
            f"({number(r['low'], 1)} à {number(r['high'], 1)} ; d'habitude {number(r['usual'], 1)})"
            for r in mine
            if not r["low"] <= r["usual"] <= r["high"]
        ]
        text = ", ".join(told) or f"aucun écart établi ({plural(len(mine), 'thème')})"
        lines.append(f"{head}{hour.hour} h dure {number(length, 0)} heures ; {text}.")
    return "\n".join(lines) or "L'heure n'a pas changé pendant ces jours-là."
