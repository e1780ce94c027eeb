"""What forecasts say, in French: first what a mayor asks, then why the rest is not told."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from itertools import groupby
from typing import Any

from helpers.core.base.french import number, percent, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.place_time.calendar import FULL_DAYS, PUBLIC_HOLIDAY, all_kinds
from helpers.core.place_time.slots import ACTIVITY, UNPLACED
from helpers.forecast.forecasts import DAY

WARNING = (
    "Ces prévisions portent sur des lieux et des heures, à partir de ce qui est enregistré. Elles "
    "ne disent rien d'une personne et ne peuvent servir à juger quiconque y habite ou s'y trouve."
)
REASONS = {
    "too_few": "trop peu de faits pour prévoir",
    "short_history": "passé trop court pour éprouver une méthode (il faut trois ans et demi)",
    "not_dated": "aucun fait connu au jour près",
    "no_hour": "l'heure des faits n'est pas connue",
    "no_skill": "pas mieux, de façon sûre, que de répéter le dernier compte connu",
    "not_whole": "trop peu de semaines passées entendues en entier pour juger",
    "silent": "la source se tait là en ce moment",
    "part_silent": "la source se tait en ce moment dans une partie de la zone",
    "not_covered": "la source ne couvre pas ces jours-là",
    "mute": "la source s'est tue",
    "below_need": "la source est sous la note qu'il faut",
    "nothing_received": "rien n'est encore entré de la source",
    "few_weeks": "trop peu de semaines reçues",
    "sample": "la source est un échantillon : aucun total",
}
HORIZONS = {"slot": "prochaine tranche de 6 heures", "day": "demain",
            "week": "7 jours", "month": "28 jours"}  # fmt: skip
SCOPE = (
    "Faits qui seraient enregistrés, de ceux que signalent des habitants ou dont on ignore qui les "
    "signale ; ceux que des agents relèvent d'eux-mêmes n'y sont que là où c'est dit. Entre "
    "parenthèses, une fourchette faite pour tenir huit fois sur dix."
)
Span = tuple[str, str]  # where, and how far ahead
FIRST = 3  # themes, or zones, named in a line
# Of the intervals at 80 % that held the city's count: of fifty weeks, fewer are seldom chance.
FEW_HELD = 0.7


def of(word: str) -> str:
    """Return the reason of a code, in words."""
    return REASONS[word]


def day(moment: dt.datetime) -> str:
    """Return a day as it is said: « jeudi 1er janvier 2026 »."""
    return f"{FULL_DAYS[moment.weekday()]} {spoken(moment.date())}"


def interval(row: Mapping[str, Any]) -> str:
    """Return the mean of a forecast and its interval at 80 %."""
    digits = 1 if row["mean"] < 10 else 0
    return f"{number(row['mean'], digits)} ({number(row['q10'])} à {number(row['q90'])})"


def in_short(rows: list[dict[str, Any]], city: City, names: Mapping[str, str]) -> str:
    """Return what is expected tomorrow and within the week: a sentence, then a line a theme.

    `rows`: forecasts that may be shown; `names`: code → name of the zones.
    """
    told = {(r["theme"], r["horizon"]): r for r in rows
            if (r["zone"], r["part"], r["status"]) == (WHOLE, DAY, "ok")}  # fmt: skip
    if not told:
        return "Aucune prévision ne tient aujourd'hui ; les raisons sont plus bas."
    start = min(row["starts_at"] for row in told.values())
    most = most_expected(rows, city) or "rien de sûr"
    lines = [
        f"**Demain, {day(start)}, le plus attendu dans toute la ville : {most}.**",
        "", f"{SCOPE}{holiday(start, city)}", "",
    ]  # fmt: skip
    for theme, about in city.themes.items():
        mine = {horizon: row for (name, horizon), row in told.items() if name == theme}
        spoken_of = [f"{HORIZONS[h]}, {interval(mine[h])}" for h in HORIZONS if h in mine]
        if spoken_of:
            agents = ", activité des agents" if _activity(mine) else ""
            lines.append(f"- **{plain(about.title)}**{agents} : {' ; '.join(spoken_of)}"
                         f"{_most(rows, theme, city, names)}.")  # fmt: skip
    return "\n".join(lines)


def most_expected(rows: list[dict[str, Any]], city: City) -> str:
    """Return the themes most expected tomorrow in the whole city, with their intervals."""
    return ", ".join(f"{plain(city.themes[r['theme']].title)} {interval(r)}"
                     for r in first_expected(rows, city))  # fmt: skip


def first_expected(rows: list[dict[str, Any]], city: City) -> list[dict[str, Any]]:
    """Return the city's forecasts of tomorrow with the most facts, themes of `city` only.

    What agents would do is no demand, and is left out.
    """
    demand = [row for row in rows
              if (row["zone"], row["part"], row["status"]) == (WHOLE, DAY, "ok")
              and row["horizon"] == "day" and row["kind"] != ACTIVITY
              and row["theme"] in city.themes]  # fmt: skip
    return sorted(demand, key=lambda row: (-row["mean"], row["theme"]))[:FIRST]


def holiday(tomorrow: dt.datetime, city: City) -> str:
    """Return that tomorrow is no ordinary day, which no method here knows; may be nothing."""
    at = tomorrow.date()
    days = city.about.holidays.model_copy(update={"events": None})  # told to the period's end only
    if PUBLIC_HOLIDAY not in all_kinds(days, at, at)[at]:
        return ""
    return (
        f" **Le {spoken(at)} est férié** : les méthodes ne connaissent ni les jours "
        f"fériés ni les événements prévus, et disent un {FULL_DAYS[at.weekday()]} ordinaire."
    )


def _activity(mine: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(row["kind"] == ACTIVITY for row in mine.values())


def _most(rows: list[dict[str, Any]], theme: str, city: City, names: Mapping[str, str]) -> str:
    division = city.themes[theme].division or city.about.main_division
    zones = [
        row for row in rows
        if (row["theme"], row["division"], row["part"], row["status"])
        == (theme, division, DAY, "ok") and row["horizon"] == "day" and row["zone"] in names
    ]  # fmt: skip
    ranked = sorted(zones, key=lambda row: (-row["mean"], row["zone"]))[:FIRST]
    return " ; surtout " + ", ".join(plain(names[r["zone"]]) for r in ranked) if ranked else ""


def agents(rows: list[dict[str, Any]], city: City) -> str:
    """Return which themes are forecast as agents' activity, that is not demand; may be nothing."""
    told = {row["theme"] for row in rows if row["kind"] == ACTIVITY and row["status"] == "ok"}
    titles = [plain(about.title) for name, about in city.themes.items() if name in told]
    if not titles:
        return ""
    return (
        f"\n\n**Activité, et non demande** : {' ; '.join(titles)}. Ce sont des relevés d'agents : "
        "la prévision dit ce qu'ils feraient s'ils continuaient ainsi, non ce qui se passe."
    )


def left_out(rows: list[dict[str, Any]], city: City) -> str:
    """Return, in Markdown, what is not forecast and why: a sentence a reason.

    Where a reason holds for a part alone of what was asked (some zones, some slots), it says so.
    """
    asked: dict[str, dict[Span, Counter[str]]] = {}
    for row in rows:
        if row["zone"] != UNPLACED:
            spans = asked.setdefault(row["theme"], {})
            reason = "" if row["status"] == "ok" else row["reason"]
            spans.setdefault((_where(row, city), row["horizon"]), Counter())[reason] += 1
    reasons = {one for spans in asked.values() for told in spans.values() for one in told}
    lines = []
    for reason in sorted(reasons - {""}):
        alike: dict[str, list[str]] = {}
        for theme, about in city.themes.items():
            if theme in asked and any(reason in told for told in asked[theme].values()):
                alike.setdefault(_spans(asked[theme], reason), []).append(plain(about.title))
        parts = [f"{', '.join(titles)} ({spans})" for spans, titles in alike.items()]
        head = f"- {of(reason).capitalize()} :"
        if len(parts) == 1:
            lines.append(f"{head} {parts[0]}.")
        else:
            lines += [head, *(f"    - {part}." for part in parts)]
    return "\n".join(["\n\n**Abstentions** :", "", *lines]) if lines else ""


def _spans(asked: Mapping[Span, Counter[str]], reason: str) -> str:
    """Return where and for which horizons a theme has the reason, in a few words."""
    whole = [span for span, told in asked.items() if set(told) == {reason}]
    part = [span for span, told in asked.items() if reason in told and span not in whole]
    if len(whole) == len(asked):
        return "partout, à tous les horizons"
    told = []
    for spans, more in ((whole, ""), (part, ", en partie")):
        for where in dict.fromkeys(place for place, _ in asked):
            mine = [h for h in HORIZONS if (where, h) in spans]
            every = [h for h in HORIZONS if (where, h) in asked]
            if mine:
                named = (
                    "tous les horizons" if mine == every else ", ".join(HORIZONS[h] for h in mine)
                )
                told.append(f"{where}{more} : {named}")
    return " ; ".join(told)


Reserves = Mapping[str, list[str]]


def reserves(
    faded: Mapping[str, str],
    moved: Mapping[str, bool],
    held: Mapping[tuple[str, str], float],
    rows: list[dict[str, Any]],
    city: City,
    horizons: Collection[str] = tuple(HORIZONS),
) -> Reserves:
    """Return theme → what its forecast for the city is to be read with, where anything is.

    `faded`: theme → what is known of its source (`standing.faded`). `held`: theme and horizon →
    how often the interval at 80 % held the city's count, in the year that judged. `moved`: themes
    whose last weeks strayed from what was foretold of them, and whether to more.
    """
    told = {(row["theme"], row["horizon"]) for row in rows
            if (row["zone"], row["part"], row["status"]) == (WHOLE, DAY, "ok")}  # fmt: skip
    found = {}
    for theme in city.themes:
        mine = [h for h in HORIZONS if h in horizons and (theme, h) in told]
        few = [f"{percent(held[theme, h])} des fois ({HORIZONS[h]})"
               for h in mine if held.get((theme, h), 1.0) < FEW_HELD]  # fmt: skip
        known = [f"sa fourchette n'a tenu que {', '.join(few)}"] if few else []
        known += [faded[theme]] if mine and theme in faded else []
        if mine and theme in moved:
            known.append(f"{'plus' if moved[theme] else 'moins'} de faits que prévu ces dernières "
                         "semaines : le niveau a peut-être changé, la prévision ne le suit qu'avec "
                         "retard")  # fmt: skip
        if known:
            found[theme] = known
    return found


def doubtful(found: Reserves, city: City) -> str:
    """Return the `reserves` of the themes in Markdown; may be nothing."""
    if not found:
        return ""
    lines = [f"- **{plain(city.themes[theme].title)}** : {' ; '.join(known)}."
             for theme, known in found.items()]  # fmt: skip
    return "\n".join(["\n\n**À lire avec réserve**, d'après l'épreuve d'un an et la source :", "",
                      *lines])  # fmt: skip


def _where(row: Mapping[str, Any], city: City) -> str:
    if row["zone"] == WHOLE:
        return "toute la ville"
    title = city.about.divisions[row["division"]].title
    return f"par {plain(title[:1].lower() + title[1:])}"


def standing(rows: list[dict[str, Any]]) -> str:
    """Return on what the forecasts stand: last complete day, expiry; a sentence each."""
    told = [row for row in rows if row["status"] == "ok"]
    if not told:
        return WARNING
    known = sorted({(row["last_known"], row["lag_days"]) for row in told}, key=str)
    parts = []
    for last, group in groupby(known, key=lambda pair: pair[0]):
        lags = [lag for _, lag in group]
        late = [lag for lag in lags if lag]
        if late:
            parts.append(f"{spoken(last)} pour les sources saisies en retard "
                         f"({plural(max(late), 'jour')} mis à part)")  # fmt: skip
        else:
            parts.append(f"{spoken(last)} pour les autres")
    ends = {row["horizon"]: row["expires_at"] for row in told}
    expiry = " ; ".join(f"{HORIZONS[h]} : {_until(ends[h])}" for h in HORIZONS if h in ends)
    return (
        f"Dernier jour complet : {' ; '.join(parts)}. Valable jusqu'à la fin de ce qui est prévu "
        f"({expiry}) ; passé ce moment, une prévision ne vaut plus. Jours fériés, "
        f"vacances et événements prévus n'y entrent pas.\n\n{WARNING}"
    )


def _until(moment: dt.datetime) -> str:
    if moment.hour:
        return f"{spoken(moment.date())}, {moment.hour} h"
    return f"{spoken((moment - dt.timedelta(days=1)).date())}, minuit"


def chance(share: float) -> str:
    """Return a chance as a percentage that never claims certainty."""
    if share >= 0.995:
        return f"plus de {percent(0.99)}"
    return percent(share) if share >= 0.01 else f"moins de {percent(0.01)}"
