"""What reliability says in words: silences, delays, breaks, drifts, grades."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.core.base.french import change, number, percent, plural, spoken
from helpers.core.base.markup import plain, verbatim
from helpers.core.city.city import City
from helpers.core.city.code_names import renaming, spoken_code
from helpers.core.city.names import WHOLE
from helpers.core.stats.breaks import STEP
from helpers.core.stats.nowcast import Floats
from helpers.reliability.delays import known_by_month
from helpers.reliability.weekly_grades import MEASURES

NEARLY_ALL = 0.99  # the share of a day's records whose delay is told
UNMAPPED = "tant que le code n'est ni au contrat ni à son thème, ses lignes manquent au compte"
MOST_BREAKS = 3  # changes of a source told, the largest first
MOST_DAYS = 8  # extraordinary days listed; the others are counted


class Told(NamedTuple):
    """A measure: its name, its grade, what was measured."""

    name: str
    grade: str
    text: str


def decay(table: pa.Table, titles: dict[str, str]) -> str:
    """Return which sources bring far less than they did, from rows of `decay.DECAY`; or none."""
    lines = [
        f"- **{plain(titles[row['source']])}** : du {spoken(row['first'])} à la semaine du "
        f"{spoken(row['last'])}, {percent(row['ratio'])} ({percent(row['low'])} à "
        f"{percent(row['high'])}) de ce qui entrait aux mêmes semaines à partir du "
        f"{spoken(row['against'])}. Un "
        "flux qui se perd en partie, ou une vraie baisse : à demander à qui fournit la source."
        for row in table.to_pylist()
        if row["status"] == "less"
    ]
    return "\n".join(lines) or "Aucune source n'apporte beaucoup moins que dans le passé."


def delay_titles(city: City) -> dict[str, str]:
    """Return the title of each source, that says where its shares are lower bounds."""
    bound = " (au moins)"
    return {
        name: contract.title + (bound if known_by_month(city, name) else "")
        for name, contract in city.contracts.items()
    }


def _nearly(share: float) -> str:
    """Return a share as a percentage, never all of it where something is still to come."""
    return f"plus de {percent(0.999, 1)}" if 0.9995 <= share < 1 else percent(share, 1)


def delays(
    city: City, curves: dict[str, Floats], checks: dict[str, tuple[int, int, int]],
    confidence: float,
) -> str:  # fmt: skip
    """Return one Markdown line a source: when its records are in, and how the forecasts held.

    `curves` and `checks` as `delays.day_curves` and `delays.find` return them; `confidence`: what
    the intervals of the forecasts promise.
    """
    if not curves:
        return "Aucune source ne dit assez quand elle enregistre : ni courbe, ni compte final."
    lines = []
    for source, share in curves.items():
        when = int(np.argmax(share >= NEARLY_ALL))
        first, week = (_nearly(float(share[i])) for i in (0, 7))
        soon = f", {week} à sept jours" if share[0] < NEARLY_ALL else ""
        late = f", {percent(NEARLY_ALL)} à {plural(when, 'jour')}" if when > 7 else ""
        title = plain(city.contracts[source].title)
        line = f"- **{title}** : {first} saisis le jour même{soon}{late}."
        if known_by_month(city, source):
            line += (
                " La saisie n'est connue qu'au mois, et comptée à la fin de ce mois : ces parts "
                "sont des minimums, ces délais des maximums."
            )
        inside, total, weeks = checks.get(source, (0, 0, 0))
        if total:
            line += (
                f" Mises à l'épreuve du passé, {number(total)} prévisions de "
                f"{plural(weeks, 'semaine distincte')} : le compte final tombe dans l'intervalle "
                f"{percent(inside / total)} du temps, pour {percent(confidence)} annoncés."
            )
        lines.append(line)
    return "\n".join(lines)


def breaks(table: pa.Table, titles: dict[str, str]) -> str:
    """Return the changes of volume as Markdown: of each source the largest, the zones counted."""
    rows = table.to_pylist()
    whole = [row for row in rows if row["zone"] == WHOLE and row["status"] == "ok"]
    lines = []
    for source in dict.fromkeys(row["source"] for row in whole):
        own = sorted(
            (row for row in whole if row["source"] == source),
            key=lambda row: (-abs(np.log(row["ratio"])), row["week"]),
        )
        lines += [f"- **{plain(titles[source])}** : {_changed(row)}" for row in own[:MOST_BREAKS]]
        if len(own) > MOST_BREAKS:
            lines.append(
                f"- **{plain(titles[source])}** : {plural(len(own), 'changement')} en tout ; les "
                "moindres sont dans le tableau `breaks`."
            )
    lines += [
        f"- **{plain(titles[row['source']])}** : abstention ({row['heard_weeks']} semaines reçues, "
        f"il en faut {row['needed_weeks']} pour écarter la saison)."
        for row in rows
        if row["status"] == "abstained"
    ]
    zones = [row for row in rows if row["zone"] != WHOLE and row["status"] == "ok"]
    if zones:
        steps = sum(row["kind"] == STEP for row in zones)
        lines.append(
            f"- Dans les zones, {plural(steps, 'rupture propre')} à l'une d'elles et "
            f"{plural(len(zones) - steps, 'dérive lente')}."
        )
    return "\n".join(lines) or "Aucune rupture de volume établie."


def _changed(row: dict[str, Any]) -> str:
    size = f"{change(row['ratio'])} ({change(row['low'])} à {change(row['high'])})"
    if row["kind"] == STEP:
        return (
            f"{size} à partir de la semaine du {spoken(row['week'])} (entre le "
            f"{spoken(row['first'])} et le {spoken(row['last'])})."
        )
    return (
        f"{size} peu à peu, sans date, entre le {spoken(row['first'])} et le {spoken(row['last'])}."
    )


def drift(row: dict[str, Any]) -> str:
    """Return what a drift is, in a few words."""
    code = spoken_code(row["code"])
    match row["kind"]:
        case "renamed":
            return renaming(row["code"], row["other"])
        case "vanished":
            return f"{code} n'arrive plus ({number(row['before'], 1)} par semaine avant)"
        case "new":
            return f"{code} est apparu ({number(row['after'], 1)} par semaine)"
        case "away":
            return (
                f"{code} n'arrive plus ({number(row['before'], 1)} par semaine avant), jusqu'à la "
                f"semaine du {spoken(row['until'])}"
            )
        case "back":
            return f"{code} revient ({number(row['after'], 1)} par semaine)"
        case _:
            shares = f"{percent(row['before'], 1)} à {percent(row['after'], 1)}"
            return f"la part de {code} passe de {shares}"


def drifts(table: pa.Table, titles: dict[str, str]) -> str:
    """Return the drifts as a Markdown list, in the order of time."""
    rows = sorted(table.to_pylist(), key=lambda row: (row["week"], row["source"], row["field"]))
    lines = []
    for row in rows:
        lost = "" if row["mapped"] else f" Code sans place : {UNMAPPED}."
        told = plain(drift(row))
        lines.append(
            f"- Semaine du {spoken(row['week'])}, **{plain(titles[row['source']])}**, champ "
            f"{verbatim(row['field'])} : {told}.{lost}"
        )
    return "\n".join(lines) or "Aucune dérive de codes établie."


def measures(row: dict[str, Any]) -> list[Told]:
    """Return the measures that a source tells, over the whole period, from its row of `grades`."""
    known = "localisés à leur zone" if row["zoned"] else "localisés"
    texts = {
        "valid": ("validité", "valid", "{} de lignes valides", percent),
        "located": ("lieu", "located", f"{{}} d'enregistrements {known}", percent),
        "delay": ("délai", "delay_days", "délai médian de saisie {} j", number),
        "missing": ("silence", "missing", "{} de jours manquants", percent),
        "decay": ("perte", "lately", "dernières semaines à {} des mêmes d'avant", percent),
    }
    return [
        Told(name, row[f"{measure}_grade"], text.format(shown(row[column], 1)))
        for measure, (name, column, text, shown) in texts.items()
        if row[f"{measure}_grade"] is not None
    ]


def why(row: dict[str, Any]) -> str:
    """Return why a source has its grade over the whole period."""
    return " ; ".join(f"{one.text} ({one.grade})" for one in measures(row))


def grades(
    found: list[dict[str, Any]], titles: dict[str, str], graded: pa.Table, drifted: pa.Table
) -> str:
    """Return the answer as Markdown: each source's grade and why, and that of its last week.

    Figures carry the grade of the weeks they show: where the last one is worse than the whole
    period, it is told (`graded`, `drifted` as for `weeks`).
    """
    lines, lately = [], _last_weeks(graded, weeks(graded, drifted))
    for row in found:
        silent = (
            f" ; {plural(row['silent_weeks'], 'semaine muette')}" if row["silent_weeks"] else ""
        )
        title = plain(titles[row["source"]])
        last = lately.get(row["source"], ("A", ""))
        now = f" Semaine du {last[1]}" if last[0] > row["grade"] else ""
        lines.append(f"- **{title}** : {row['grade']}. {why(row)}{silent}.{now}")
    return "\n".join(lines)


def _last_weeks(
    graded: pa.Table, told: dict[tuple[str, dt.date], str]
) -> dict[str, tuple[str, str]]:
    """Return source → the grade of its last graded week, and that week with what lowers it."""
    found: dict[str, tuple[str, str]] = {}
    for row in graded.filter(pc.field("division") == WHOLE).sort_by("week").to_pylist():
        if row["grade"] is not None:
            why_not = plain(told[row["source"], row["week"]])
            text = f"{spoken(row['week'])} : {row['grade']}, {why_not}."
            found[row["source"]] = row["grade"], text
    return found


def weeks(graded: pa.Table, drifted: pa.Table) -> dict[tuple[str, dt.date], str]:
    """Return (source, week) → why the source is not graded A that week; nothing where it is.

    `graded`, `drifted`: what `weekly_grades.grade` and `drift.find` return.
    """
    counted = [row for row in drifted.to_pylist() if row["counted"]]
    whole = graded.filter(pc.field("division") == WHOLE).to_pylist()
    return {
        (row["source"], row["week"]): week(row, [one for one in counted if _moves(one, row)])
        for row in whole
    }


def _moves(one: dict[str, Any], row: dict[str, Any]) -> bool:
    """Tell whether a drift weighs on a source's week: its own, and all later ones until mapped."""
    lasts = one["mapped"] is False and one["week"] < row["week"]
    return bool(one["source"] == row["source"]) and (lasts or one["week"] == row["week"])


def week(row: dict[str, Any], moved: list[dict[str, Any]]) -> str:
    """Return what brings the grade of a row of `weekly_grades` below A.

    `moved`: the drifts of its source that week, of fields that count.
    """
    told = [(name, row[f"{name}_grade"]) for name in MEASURES]
    return " ; ".join(
        f"{_measured(name, row, moved)} ({grade})" for name, grade in told if grade and grade > "A"
    )


def _measured(name: str, row: dict[str, Any], moved: list[dict[str, Any]]) -> str:
    match name:
        case "valid":
            return f"{percent(row['valid'], 1)} de lignes valides"
        case "located":
            return f"{percent(row['located'], 1)} localisés"
        case "delay":
            return f"délai médian {number(row['delay_days'], 1)} j"
        case "share_in":
            return f"{percent(row['share_in'], 1)} déjà saisis"
        case "missing":
            return f"{row['missing_days']} j manquants sur 7"
        case "decay":
            return f"{percent(row['lately'])} de ce qui entrait aux mêmes semaines"
        case "drift":
            return ", ".join(drift(one) for one in sorted(moved, key=_by_field))
        case _:
            return f"rupture de volume vers le {row['break_week']:%d/%m/%Y}"


def _by_field(row: dict[str, Any]) -> tuple[str, str]:
    return row["field"], row["code"]


def extraordinary(table: pa.Table, city: City) -> str:
    """Return the extraordinary days as Markdown, the furthest from the ordinary first.

    `table`: rows of `extraordinary.EXTRAORDINARY`. What readers cannot use is counted, not listed.
    """
    rows = table.to_pylist()
    by_day: dict[dt.date, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["p"], row["day"], row["theme"])):
        by_day.setdefault(row["day"], []).append(row)
    if not by_day:
        return "Aucun jour hors de l'ordinaire."
    lines = [
        f"- **{spoken(day)}** : "
        + ", ".join(
            f"{plain(city.themes[row['theme']].title)} {number(row['n'])} au lieu "
            f"d'environ {number(row['expected'])}"
            for row in told
        )
        + (" (un premier du mois, seul : dates par défaut ?)." if _alone(day, by_day) else ".")
        for day, told in list(by_day.items())[:MOST_DAYS]
    ]
    if len(by_day) > MOST_DAYS:
        lines.append(
            f"- {plural(len(by_day), 'jour')} hors de l'ordinaire en tout ; les autres sont dans "
            "le tableau `extraordinary`."
        )
    return "\n".join(lines)


def _alone(day: dt.date, found: dict[dt.date, list[dict[str, Any]]]) -> bool:
    """Tell whether a day is the first of a month and its neighbours are ordinary."""
    near = (day - dt.timedelta(1), day + dt.timedelta(1))
    return day.day == 1 and not any(one in found for one in near)
