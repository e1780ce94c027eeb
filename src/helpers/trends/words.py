"""What `trends` found, told in French."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping
from itertools import groupby
from typing import Any

import pyarrow as pa

from helpers.core.base.french import change, number, percent, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.code_names import renaming, spoken_code
from helpers.core.city.names import WHOLE
from helpers.core.city.theme import AXES
from helpers.core.place_time import months
from helpers.core.stats.two_windows import FEW, MUTE, PAST
from helpers.trends import criticality, indicators
from helpers.trends.explained_breaks import MILESTONE, marks_of
from helpers.trends.knobs import Knobs
from helpers.trends.levels import ASIDE, CORRECTED, MONTH, TOUCHED, WEEK, YEAR
from helpers.trends.milestones import FEWEST, UNMEASURED

LABELS = {"up": "en hausse", "down": "en baisse", "stable": "stable",
          "unclear": "rien d'établi", "abstained": "abstention"}  # fmt: skip
SEEMING = " en apparence"
LACKING = " (compte peut-être incomplet)"  # nothing is established: nothing seems so either
CLOSE = dt.timedelta(weeks=8)  # from a break's weeks to a fact said to be close
MOST = 5  # unexplained breaks told, the largest first
STEPS = {WEEK: "semaine", MONTH: "mois", YEAR: "an"}
CRITICALITY = dict(zip(criticality.LEVELS, ("faible", "moyenne", "forte"), strict=True))
GROUPS: Mapping[str, str] = {**AXES, indicators.ALL: "Toute la ville"}
MEASURES = {
    "level": "niveau",
    "change": "évolution",
    "week": "dernière semaine",
    "rising": "hausses établies",
    "critical": "criticités fortes",
}
PLACES = dict(zip(indicators.PLACES, ("Premier", "Deuxième", "Troisième"), strict=True))
REASONS = {
    PAST: "pas assez de passé pour comparer",
    MUTE: "source muette, ou semaines mises à part, plus de la moitié du temps",
    criticality.NO_RATIO: "aucun fait la période précédente : pas de rapport",
    indicators.ABSENT: "thème absent de cette ville, ou pas en service",
    indicators.NO_WEEK: "pas de semaine complète entendue",
    indicators.NO_ZONE: "aucune zone à comparer",
}


def reason(row: Mapping[str, Any], minimum_count: int) -> str:
    """Return why a row of `levels` or `indicators` abstains; nothing where it does not.

    Of an indicator that counts zones, the reason is that of most of them.
    """
    code = row["reason"]
    if code == indicators.NO_RANK:
        if not row["n"]:
            return "aucun thème classé par criticité"
        return f"{plural(row['n'], 'thème classé')} par criticité, pas davantage"
    own = code in (*REASONS, "") and code not in (PAST, MUTE, criticality.NO_RATIO)
    zones = row.get("measure") in ("rising", "critical") and not own
    return f"{'aucune zone jugée : ' if zones else ''}{_why(row, code, minimum_count)}"


def _why(row: Mapping[str, Any], code: str, minimum_count: int) -> str:
    if code == FEW:
        return f"moins de {minimum_count} faits"
    if code == UNMEASURED:
        titles = [one["milestone"] for one in row.get("remarks", ()) if one["kind"] == UNMEASURED]
        change_of = f"« {titles[-1]} »" if titles else "un changement de façon d'enregistrer"
        return f"moins de {FEWEST} semaines entendues avant ou après {change_of}"
    return REASONS[code] if code else ""


def evolution(label: str, *, doubted: bool) -> str:
    """Return an evolution in words; of a count that may lack rows, one told only seems so."""
    if not doubted or label == "abstained":
        return LABELS[label]
    return LABELS[label] + (LACKING if label == "unclear" else SEEMING)


def remark(row: Mapping[str, Any]) -> str:
    """Return what the comparison of a row of `levels` took into account; nothing where nothing."""
    told = []
    for (kind, n), group in groupby(row["remarks"], lambda one: (one["kind"], one["n"])):
        titles = [one["milestone"] for one in group]
        if kind == ASIDE:
            told.append(f"{plural(n, 'semaine')} à part ({', '.join(titles)})")
        elif kind == TOUCHED:
            told.append(f"{n} touchée ({', '.join(titles)})")
        elif kind == CORRECTED:
            told += [f"façon d'enregistrer corrigée ({title})" for title in titles]
    return " ; ".join(told)


def explanation(row: Mapping[str, Any]) -> str:
    """Return what lies in the interval of a break's date; « inexpliquée » where nothing does."""
    return " ; ".join(map(_near, row["explanations"])) or "inexpliquée"


def _near(one: Mapping[str, Any]) -> str:
    match one["kind"]:
        case kind if kind == MILESTONE:
            return str(one["milestone"])
        case "renamed":
            return renaming(one["code"], one["other"])
        case "vanished" | "away":
            before = number(one["before"], 1)
            return f"{spoken_code(one['code'])} n'arrive plus ({before} par semaine avant)"
        case kind:
            after = number(one["after"], 1)
            told = "revient" if kind == "back" else "est apparu"
            return f"{spoken_code(one['code'])} {told} ({after} par semaine)"


def dated(row: Mapping[str, Any]) -> str:
    """Return when a break took place: its likeliest week, and those that it may lie in."""
    first, last = row["first"], row["last"]
    # What both days share is said once.
    shared = 0 if first.year != last.year else 1 if first.month != last.month else 2
    start = spoken(first).rsplit(" ", shared)[0]
    weeks = f"semaines du {start} au {spoken(last)}"
    alone = first == last
    return f"vers le {spoken(row['week'])}{'' if alone else f' ({weeks})'}"


def whose(row: Mapping[str, Any], city: City) -> str:
    """Return whose break it is: a theme's, or a whole source's."""
    if row["theme"]:
        return city.themes[row["theme"]].title
    return f"toute la source « {city.contracts[row['source']].title} »"


def in_words(
    levels: pa.Table,
    breaks: pa.Table,
    caveats: Mapping[str, str],
    city: City,
    knobs: Knobs,
    doubted: Collection[str] = (),
) -> str:
    """Return the answer as Markdown: one line a theme, then the breaks nobody explains.

    `caveats`: theme → what its count is to be read with (`standing.caveats`). `doubted`: themes
    whose count may lack rows (`standing.doubted`): see `evolution`.
    """
    lately = _lately(breaks, city, knobs.window_weeks, caveats)
    lines = []
    for row in levels.to_pylist():
        if row["zone"] == WHOLE:
            theme = row["theme"]
            known = [remark(row), *lately.get(theme, []), caveats.get(theme, "")]
            label = evolution(row["label"], doubted=theme in doubted)
            lines.append(_line(row, label, " ; ".join(filter(None, known)), city, knobs))
    lines += [_zones(levels, knobs.minimum_count)]
    if knobs.yearly_sway:
        sway = percent(knobs.yearly_sway)
        lines.append(
            f"- Hypothèse : d'un an à l'autre, un niveau balance de {sway} sans que rien ait "
            "changé ; les intervalles en tiennent compte."
        )
    unknown = [row for row in breaks.to_pylist() if not row["explanations"]]
    unknown.sort(key=lambda row: (-abs(math.log(row["ratio"])), row["week"]))
    lines += [
        f"- Rupture inexpliquée, {plain(whose(row, city))}, {dated(row)} : "
        f"{change(row['ratio'])} (de {change(row['low'])} à {change(row['high'])}). "
        f"{plain(_nearest(row, city))}"
        for row in unknown[:MOST]
    ]
    if len(unknown) > MOST:
        lines.append(
            f"- {plural(len(unknown), 'rupture inexpliquée')} en tout ; les moindres sont dans le "
            "tableau `breaks`."
        )
    return "\n".join(lines)


def _nearest(row: Mapping[str, Any], city: City) -> str:
    """Return the dated fact that a break just misses, or the question that nothing answers.

    One date in twenty lies outside its own interval: what was declared close by is worth a look.
    """
    start, after = row["first"], row["last"] + dt.timedelta(weeks=1)
    marks = [
        (max(start - mark.start, mark.start - after, dt.timedelta(0)), mark.start, mark.title)
        for mark in marks_of(row, city)
    ]
    near = min(marks, default=(CLOSE, start, ""))
    if near[0] >= CLOSE:
        return "Que s'est-il passé ?"
    return f"Au plus près, hors de ces semaines : {near[2]} ({spoken(near[1])})."


def _lately(
    breaks: pa.Table, city: City, window_weeks: int, caveats: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return theme → its breaks within the two windows compared, and what explains them.

    A renaming that the theme's caveats tell is named there, and here pointed at.
    """
    start = city.about.period.end - dt.timedelta(weeks=2 * window_weeks)
    found: dict[str, list[str]] = {}
    for row in breaks.to_pylist():
        if row["theme"] and row["week"] >= start:
            moved = [renaming(one["code"], one["other"]) for one in row["explanations"]
                     if one["kind"] == "renamed"]  # fmt: skip
            known = caveats.get(row["theme"], "")
            told_after = len(moved) == len(row["explanations"]) == 1 and moved[0] in known
            why = "le changement de code qui suit" if told_after else explanation(row)
            found.setdefault(row["theme"], []).append(f"rupture {dated(row)} : {why}")
    return found


def _line(row: Mapping[str, Any], label: str, known: str, city: City, knobs: Knobs) -> str:
    title = plain(city.themes[row["theme"]].title)
    if row["status"] != "ok":
        return f"- **{title}** : abstention ({plain(reason(row, knobs.minimum_count))})."
    known = f" Attention : {plain(known)}." if known else ""
    if row["ratio"] is None or row["high"] is None:
        return f"- **{title}** : {label}, aucun fait la période précédente.{known}"
    span = f"de {change(row['low'])} à {change(row['high'])}"
    return (
        f"- **{title}** : {label}, {change(row['ratio'])} ({span}) ; "
        f"{number(row['level'])} par {STEPS[row['step']]} ; "
        f"{detectable(row['detectable'], row['detectable_fall'])}.{known}"
    )


def span(levels: pa.Table, window_weeks: int) -> str:
    """Return how long the spans compared are: « 52 semaines », « 12 mois » of a city of months."""
    steps = set(levels.column("step").to_pylist())
    if steps == {MONTH}:
        return f"{max(1, round(window_weeks * 7 / months.MEAN_DAYS))} mois"
    return "1 an" if steps == {YEAR} else plural(window_weeks, "semaine")


def _zones(levels: pa.Table, minimum_count: int) -> str:
    every = [row for row in levels.to_pylist() if row["zone"] != WHOLE]
    local = [row for row in every if row["status"] == "ok"]
    if not local:
        why = plain(reason(indicators.none_judged(every), minimum_count))
        return f"- Zones : aucune évolution jugée ({why})."
    up, down = (sum(row["label"] == one for row in local) for one in ("up", "down"))
    rise, fall = (_middle(local, name, none) for name, none in
                  (("detectable", math.inf), ("detectable_fall", 0.0)))  # fmt: skip
    return (
        f"- Zones : {plural(up, 'hausse établie')}, {plural(down, 'baisse établie')}, sur "
        f"{number(len(local))} comparaisons ; dans la zone médiane : {detectable(rise, fall)}."
    )


def _middle(rows: list[dict[str, Any]], name: str, none: float) -> float | None:
    """Return the median of a column whose empty values stand for `none`, then empty too."""
    values = sorted(none if row[name] is None else row[name] for row in rows)
    found = float(values[len(values) // 2])
    return None if found == none else found


def detectable(rise: float | None, fall: float | None) -> str:
    """Return from which rise and which fall on a change would be seen; None: none would."""
    told = [change(one) for one in (rise, fall) if one is not None]
    if not told:
        return "aucun changement ne serait décelable"
    none = " ; aucune hausse ne le serait" if rise is None else ""
    none = " ; aucune baisse ne le serait" if fall is None else none
    return f"décelable à partir de {' ou de '.join(told)}{none}"


def critical(table: pa.Table, names: Mapping[str, str], city: City, minimum_count: int) -> str:
    """Return the three highest scores, with their ranks' intervals; `names`: zone → its name."""
    found = [row for row in table.to_pylist() if row["rank"] is not None]
    if not found:
        zones = [row for row in table.to_pylist() if row["zone"] != WHOLE]
        why = plain(reason(indicators.none_judged(zones), minimum_count))
        return f"Criticité, faits signalés seuls : aucune zone classée ({why})."
    told = [
        f"{plain(city.themes[row['theme']].title)} à {plain(names.get(row['zone'], row['zone']))} "
        f"({ranks(row)})"
        for row in sorted(found, key=lambda row: row["rank"])[:3]
    ]
    return f"Criticité, sur {number(len(found))} couples jugés : {' ; '.join(told)}."


def ranks(row: Mapping[str, Any]) -> str:
    """Return the interval of a rank."""
    return f"rang {row['rank_low']} à {row['rank_high']}"


def indicator_title(row: Mapping[str, Any], city: City) -> str:
    """Return what an indicator measures, and of what."""
    return f"{_about(row, city)} : {MEASURES[row['measure']]}"


def _about(row: Mapping[str, Any], city: City) -> str:
    if row["target"] in GROUPS:
        return GROUPS[row["target"]]
    if row["theme"]:
        return city.themes[row["theme"]].title
    if row["target"] in PLACES:
        return f"{PLACES[row['target']]} thème par criticité"
    return f"Thème « {row['target']} »"


def indicator_value(row: Mapping[str, Any]) -> str:
    """Return an indicator's value with its interval, whose `status` is ok."""
    value, low, high = row["value"], row["low"], row["high"]
    span = f"({number(low)} à {number(high)})"
    match row["measure"]:
        case "level":
            return f"{number(value)} par {STEPS[row['step']]} {span}"
        case "change":
            return f"{change(value)} ({change(low)} à {change(high)})"
        case "rising":
            unclear = number(high - value)
            return f"{number(value)} sur {number(row['n'])} ({unclear} sans conclusion)"
        case "critical":
            return f"{number(value)} {span} sur {number(row['n'])}"
        case _:
            return f"{number(value)} {span}"
