"""What a page of the portfolio says: each measure as a sentence, and the answer as one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from helpers.core.base.french import change, number, percent, plural, spoken
from helpers.core.city.surroundings import Surroundings
from helpers.core.place_time.calendar import EVENT
from helpers.core.stats.intervals import poisson_interval
from helpers.hotspots.zones import HIGH
from helpers.portfolio.measure import Asked, asked_hours
from helpers.rhythms import week
from helpers.rhythms.words import reason, spoken_hour
from helpers.trends.words import LABELS

MANY = 5  # zones that may equal the first: then none is ahead
ANSWERS = pa.schema(
    [
        ("question", pa.string()), ("title", pa.string()), ("axis", pa.string()),
        ("theme", pa.string()), ("n", pa.int64()), ("unsure", pa.int64()),
        ("level", pa.float64()), ("level_low", pa.float64()), ("level_high", pa.float64()),
        ("unit", pa.string()), ("recent", pa.int64()), ("before", pa.int64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("detectable", pa.float64()), ("remark", pa.string()),
        ("label", pa.string()), ("status", pa.string()), ("reason", pa.string()),
        ("agent", pa.float64()), ("agent_low", pa.float64()), ("agent_high", pa.float64()),
        ("driven", pa.string()), ("badge", pa.string()), ("actor", pa.string()),
        ("sentence", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What a page has measured: rows of `level`, `evolution` (the city's), `zones`, and so on."""

    level: dict[str, Any]
    moved: dict[str, Any]
    zones: list[dict[str, Any]]
    hours: list[dict[str, Any]]
    contrasts: list[dict[str, Any]]
    near: dict[str, Any] | None
    origin: dict[str, Any]


def scope(asked: Asked) -> str:
    """Return in Markdown what the question counts, over which days, and what it leaves aside."""
    question, theme = asked.question, asked.theme
    lines = [
        f"- **Thème** : {theme.title}"
        + (f", natures {', '.join(question.categories)} seulement" if question.categories else "")
        + "."
    ]
    if question.hours:
        told = ", ".join(f"de {one.start_h} h à {one.end_h} h" for one in question.hours)
        lines.append(
            f"- **Heures** : {told}, heure locale. {plural(asked.unsure, 'fait')} de côté, "
            "qu'on ne sait dire ni dedans ni dehors"
            + (f" : le compte est entre {number(asked.n)} et {number(asked.n + asked.unsure)}."
               if asked.unsure else ".")
        )  # fmt: skip
    lines.append(
        f"- **Compte** : {plural(asked.n, 'fait')}, "
        f"du {spoken(asked.days[0])} au {spoken(asked.days[1])}."
    )
    lines.append(f"- **Découpage** : {asked.city.about.divisions[asked.division].title}.")
    if asked.sample:
        lines.append("- **Échantillon** : le compte n'est pas un total, ni son évolution connue.")
    if question.caveat:
        lines.append(f"- **À savoir** : {question.caveat}")
    return "\n".join(lines)


def subject(asked: Asked) -> str:
    """Return what is counted, for the title of a figure."""
    question = asked.question
    natures = f", {', '.join(question.categories)}" if question.categories else ""
    told = ", ".join(f"de {one.start_h} h à {one.end_h} h" for one in question.hours)
    return f"{asked.theme.title}{natures}{f', {told}' if told else ''}"


def moved(row: dict[str, Any]) -> str:
    """Return the evolution in words, with its interval; or why not."""
    label = LABELS[row["label"]]
    if row["status"] != "ok":
        return f"{label} ({row['reason']})"
    if row["ratio"] is None or row["high"] is None:
        return f"{label}, aucun fait la période précédente"
    return f"{label}, {change(row['ratio'])} (de {change(row['low'])} à {change(row['high'])})"


def level_in_words(level: dict[str, Any], row: dict[str, Any]) -> str:
    """Return level and evolution as sentences, and what the comparison could have seen."""
    told = []
    if level["level"] is not None:
        digits = 0 if level["level"] >= 100 else 1
        value, low, high = (number(level[k], digits) for k in ("level", "level_low", "level_high"))
        told.append(f"{value} faits {level['unit']} (de {low} à {high}).")
    told.append(f"Évolution : {moved(row)}.")
    if row["detectable"] is not None:
        told.append(f"Une hausse se verrait à partir de {change(row['detectable'])}.")
    return " ".join([*told, f"{_capital(row['remark'])}." if row["remark"] else ""]).strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def where_in_words(rows: list[dict[str, Any]], asked: Asked, minimum_count: int) -> str:
    """Return where facts are most, who may equal it, and which zones stand out for their size."""
    placed = sum(row["n"] for row in rows)
    if placed < minimum_count:
        return f"Lieu : abstention (moins de {minimum_count} faits placés dans une zone)."
    top = rows[0]
    equal = [row for row in rows[1:] if row["high"] >= top["low"]]
    text = (
        f"En tête, {top['name']} : {plural(top['n'], 'fait')} (de {number(top['low'])} à "
        f"{number(top['high'])}), {percent(top['n'] / placed, 1)} de ceux qui ont un lieu"
    )
    if equal:
        text += (
            f" ; {plural(len(equal), 'autre zone')} pourraient l'égaler"
            if len(equal) > 1
            else (f" ; {equal[0]['name']} pourrait l'égaler")
        )
    return f"{text}.{_for_size(rows)}"


def _for_size(rows: list[dict[str, Any]]) -> str:
    if not any(row["kind"] for row in rows):
        return " Rien n'est rapporté à la taille des zones : pas de couche de population, ici."
    high = [row for row in rows if row["kind"] in HIGH]
    if not high:
        return " Rapportée aux personnes présentes, aucune zone ne se détache par le haut."
    high.sort(key=lambda row: (-row["rate"], row["zone"]))
    told = ", ".join(
        f"{row['name']} ({number(row['rate'], 1)} pour 1 000, de {number(row['rate_low'], 1)} à "
        f"{number(row['rate_high'], 1)})" for row in high[:3]
    )  # fmt: skip
    return (
        f" Rapportées aux personnes présentes, {plural(len(high), 'zone')} au-dessus de la "
        f"moyenne et à part de leurs voisines, d'abord {told}."
    )


def _weights(rows: list[dict[str, Any]]) -> week.Floats:
    return np.array([row["weight"] for row in rows], dtype=float)


def peak(
    rows: list[dict[str, Any]], asked: Asked, confidence: float
) -> tuple[int, int] | None:  # fmt: skip
    """Return the first hour of the busiest run among the hours asked, and how long it is.

    None where it does not stand out: its exact Poisson limit, at a level for as many runs as the
    week has (Bonferroni), must exceed what the mean hour asked would hold.
    """
    length = min([6, *(one.length for one in asked.question.hours)])
    kept = asked_hours(asked.question)
    weights = np.where(kept, _weights(rows), 0.0)
    if not weights.any():
        return None
    start = week.peak(weights, length)[0]
    held = sum(weights[(start + i) % len(weights)] for i in range(length))
    low, _ = poisson_interval(held, 1 - (1 - confidence) / len(weights))
    return (start, length) if low > weights.sum() * length / kept.sum() else None


def when_in_words(
    rows: list[dict[str, Any]], asked: Asked, confidence: float, minimum_hours: int
) -> str:
    """Return the busiest hours of the week, among those asked, and what share they weigh."""
    if rows[0]["status"] == "abstained":
        return f"Heures : abstention ({reason(rows[0]['reason'], minimum_hours)})."
    weights, kept = _weights(rows), asked_hours(asked.question)
    found = peak(rows, asked, confidence)
    text = "Aucune heure ne se détache du hasard"
    if found:
        start, length = found
        share = sum(weights[(start + i) % len(weights)] for i in range(length)) / weights.sum()
        text = (
            f"Le plus souvent {spoken_hour(start)} et après : {percent(share, 1)} de la "
            f"semaine en {number(length)} h, contre {percent(length / len(weights), 1)} si tout "
            "était égal"
        )
    if asked.question.hours:
        part = weights[kept].sum() / weights.sum()
        text += (
            f". Les heures de la question portent {percent(part)} des faits, pour "
            f"{percent(kept.mean())} du temps"
        )
    return f"{text}."


def origin_in_words(row: dict[str, Any]) -> str:
    """Return who starts the records, and the caveat where agents' activity drives the count."""
    counts = (
        f"{number(row['n_citizen'])} venus des habitants, {number(row['n_agent'])} relevés par les "
        f"agents, {number(row['n_unknown'])} d'origine inconnue"
    )
    if row["agent"] is None:
        return (
            f"{_capital(counts)} : part des agents inconnue, le niveau peut suivre leur présence."
        )
    text = (
        f"{_capital(counts)} : les agents en ouvrent {percent(row['agent'], 1)} (de "
        f"{percent(row['agent_low'], 1)} à {percent(row['agent_high'], 1)}), parmi ceux "
        "d'origine connue"
    )
    if row["driven"]:
        text += (
            f". **Réserve** : le thème est {row['driven']} ; une hausse peut dire plus de "
            "contrôles, et une zone en tête, plus de passages"
        )
    return f"{text}."


def contrast_in_words(rows: list[dict[str, Any]], asked: Asked) -> list[str]:
    """Return one sentence for each comparison of days, and what the control leaves of it."""
    named = {
        "in": "aux heures de la question" if asked.question.hours else "à toute heure",
        "out": "aux autres heures, le témoin",
        "own": "écart propre aux heures de la question",
    }
    head = " contre ".join(_kinds(asked))
    lines = []
    for row in rows:
        if row["status"] != "ok":
            lines.append(f"{head}, {named[row['where']]} : abstention ({row['reason']}).")
            continue
        span = f"de {change(row['low'])} à {change(row['high'])}"
        told = "" if row["where"] != "own" else f", {_established(row)}"
        unit = "" if row["where"] == "own" else " de faits par jour"
        lines.append(
            f"{head}, {named[row['where']]} : {change(row['ratio'])}{unit} ({span}){told}."
        )
    if rows and not asked.question.hours:
        lines.append("Sans heures à la question, pas de témoin : la saison peut être dans l'écart.")
    return lines


def _kinds(asked: Asked) -> list[str]:
    """Return the two kinds of day compared, by the name that the city gives to its event days."""
    asks, events = asked.question.compare, asked.city.about.holidays.events
    told = ((asks.days, asks.kinds[0]), (asks.against, asks.kinds[1])) if asks else ()
    return [f"« {events.title if events and kind == EVENT else day} »" for day, kind in told]


def _days_apart(row: dict[str, Any], asked: Asked) -> str:
    named = " et ".join(_kinds(asked))
    proper = ", propre à ces heures" if row["where"] == "own" else ", sans témoin"
    if _established(row) == "établi":
        span = f"de {change(row['low'])} à {change(row['high'])}"
        return f"écart établi entre {named}{proper} : {change(row['ratio'])} ({span})"
    return f"pas d'écart établi entre {named}{proper}"


def _established(row: dict[str, Any]) -> str:
    return "établi" if row["low"] > 1 or row["high"] < 1 else "non établi"


def near_in_words(
    row: dict[str, Any] | None, rules: Surroundings | None, asked: Asked
) -> list[str]:
    """Return whether facts go with the question's feature of places, from `context`."""
    if row is None or rules is None:
        return []
    feature = rules.features[row["feature"]]
    if row["status"] != "ok":
        return [f"Avec les {feature.label} : abstention ({row['reason']})."]
    about = asked.question
    whole = ", sur tout le thème et à toute heure" if about.categories or about.hours else ""
    verdict = "lien établi" if row["found"] else "pas de lien établi"
    return [
        f"Avec {feature.more} dans la zone, à personnes présentes égales{whole} : "
        f"{change(row['ratio'])} de faits (de {change(row['low'])} à {change(row['high'])}), "
        f"{verdict} (aller avec n'est pas causer). Ces lieux ne sont "
        "connus que par leur nombre dans la zone, non par leur place."
    ]


def actors(asked: Asked) -> str:
    """Return who can act, in order, as Markdown."""
    return "\n".join(f"1. **{one.who}** : {one.lever}." for one in asked.question.actors)


def in_short(
    asked: Asked, found: Measured, rules: Surroundings | None, confidence: float
) -> str:  # fmt: skip
    """Return in one sentence what goes beside the evolution: where, when, with what, a reserve."""
    told, places = [], found.zones
    if places and places[0]["n"]:
        equal = sum(one["high"] >= places[0]["low"] for one in places[1:])
        tied = f", à égalité possible avec {plural(equal, 'autre')}" if equal else ""
        told.append(
            f"en tête {places[0]['name']}{tied}"
            if equal < MANY
            else "aucune zone nettement en tête"
        )
    busy = None
    if found.hours[0]["status"] != "abstained":
        busy = peak(found.hours, asked, confidence)
    if busy:
        told.append(f"pointe : {spoken_hour(busy[0])}")
    told += [_days_apart(one, asked) for one in found.contrasts[-1:] if one["status"] == "ok"]
    if found.near and rules:
        linked = found.near["status"] == "ok" and found.near["found"]
        label = rules.features[found.near["feature"]].label
        told.append(f"lien {'établi' if linked else 'non établi'} avec : {label}")
    if found.origin["driven"]:
        told.append("réserve : compte porté par l'activité des agents")
    return _capital(f"{' ; '.join(told) or 'rien ne se détache'}.")


def answer(asked: Asked, found: Measured, sentence: str, badge: str) -> pa.Table:
    """Return the answer as one row of ANSWERS."""
    evolution = ("recent", "before", "ratio", "low", "high", "detectable", "label", "remark",
                 "status", "reason")  # fmt: skip
    origin = ("agent", "agent_low", "agent_high", "driven")
    row = {
        "question": asked.name, "title": asked.question.title, "axis": asked.theme.axis,
        "theme": asked.question.theme, "n": asked.n, "unsure": asked.unsure, **found.level,
        **{k: found.moved[k] for k in evolution}, **{k: found.origin[k] for k in origin},
        "badge": badge, "actor": asked.question.actors[0].who, "sentence": sentence,
    }  # fmt: skip
    return pa.Table.from_pylist([row], schema=ANSWERS)


def as_markdown(table: pa.Table) -> str:
    """Return a question's answer as Markdown: who reads only this has read the page."""
    row = table.to_pylist()[0]
    return (
        f"**{row['title']}**\n\nÉvolution : {moved(row)}. {row['sentence']}\n\n"
        f"Peut agir d'abord : **{row['actor']}**. Sources : {row['badge']}."
    )


def in_words(table: pa.Table) -> str:
    """Return the answer of the whole portfolio: how many questions go which way, and which."""
    rows = table.to_pylist()
    lines = []
    for label, words in LABELS.items():
        mine = [row["title"] for row in rows if row["label"] == label]
        if mine:
            lines.append(f"- **{_capital(words)}** ({len(mine)}) : {' · '.join(mine)}")
    return "\n".join([f"{plural(len(rows), 'question')}.", "", *lines])


def left_out(name: str, title: str, axis: str, theme: str, actor: str, why: str) -> dict[str, Any]:
    """Return the row of a question whose theme is not in force: nothing of it is computed."""
    return {
        "question": name, "title": title, "axis": axis, "theme": theme, "label": "abstained",
        "status": "abstained", "reason": why, "driven": "", "badge": "", "actor": actor,
        "sentence": "Rien n'est calculé tant que le thème n'est pas en service.",
    }  # fmt: skip
