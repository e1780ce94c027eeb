"""What pages and cards of the portfolio say: each measure as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from helpers.context import words as context_words
from helpers.context.knobs import Knobs as ContextKnobs
from helpers.core.base.french import change, number, percent, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.code_names import spoken_code
from helpers.core.city.questions import Question
from helpers.core.city.surroundings import Surroundings
from helpers.core.city.theme import AXES
from helpers.core.place_time.calendar import HOURS_OF_WEEK
from helpers.core.stage.standing import distinct_words, doubled_words, driven_words
from helpers.hotspots.zones import HIGH
from helpers.portfolio.answers import NOT_IN_FORCE
from helpers.portfolio.asked import Asked
from helpers.portfolio.beside import NOT_MEASURED, TOO_FEW, YEARLY
from helpers.portfolio.measure import NO_FACTS, SAMPLE, WEEK, YEAR, Busiest, equals
from helpers.rhythms import words as rhythms_words
from helpers.rhythms.day_kinds import LIKE_MONTHS
from helpers.trends import words as trends_words
from helpers.trends.words import LABELS

SAMPLED, EMPTY = "échantillon : ni total, ni évolution", "aucun fait ne répond à la question"
MANY = 5  # zones that may equal the first: then none is ahead
UNITS = {WEEK: "par semaine", "month": "par mois", YEAR: "par an"}


@dataclass(frozen=True)
class Names:
    """What codes are called in a city.

    `zones`: (division, code) → name; `left_out`: theme → its state and why, where it is not in
    force; `surroundings` name the features of places.
    """

    city: City
    zones: Mapping[tuple[str, str], str]
    left_out: Mapping[str, str]
    surroundings: Surroundings | None
    minimum_count: int
    minimum_hours: int
    context: ContextKnobs


def why(row: Mapping[str, Any], names: Names) -> str:
    """Return as text why a measure or an answer abstains; nothing where it does not."""
    reason = str(row["reason"])
    own = {
        SAMPLE: SAMPLED,
        NO_FACTS: EMPTY,
        YEARLY: "les faits ne sont connus qu'à l'année",
        TOO_FEW: f"moins de {names.minimum_count} faits d'un côté",
        LIKE_MONTHS: "ces jours ne se distinguent pas des mois où ils tombent",
        NOT_MEASURED: "le carnet `context` ne l'a pas mesuré",
    }
    if reason == NOT_IN_FORCE:
        return names.left_out[row["theme"]]
    return own[reason] if reason in own else trends_words.reason(row, names.minimum_count)


def badge(grade: str | None) -> str:
    """Return the grade of a source as printed beside what rests on it."""
    return f"fiabilité {grade}" if grade else ""


def scope(asked: Asked) -> str:
    """Return in Markdown what the question counts, over which days, and what it leaves aside."""
    question, theme = asked.question, asked.theme
    lines = [
        f"- **Thème** : {plain(theme.title)}"
        + (f", {plain(_natures(question))} seulement" if question.categories else "") + "."
    ]  # fmt: skip
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
    lines.append(f"- **Découpage** : {plain(asked.city.about.divisions[asked.division].title)}.")
    if asked.sample:
        lines.append("- **Échantillon** : le compte n'est pas un total, ni son évolution connue.")
    if theme.may_double:
        lines.append(f"- **Doubles possibles** : {plain(doubled_words(theme, asked.city))}.")
    if theme.distinct:
        lines.append(f"- **Sans double** : {plain(distinct_words(theme, asked.city))}.")
    if question.caveat:
        lines.append(f"- **À savoir** : {plain(question.caveat)}")
    return "\n".join(lines)


def subject(asked: Asked) -> str:
    """Return what is counted, for the title of a figure."""
    question = asked.question
    natures = f", {_natures(question)}" if question.categories else ""
    told = ", ".join(f"de {one.start_h} h à {one.end_h} h" for one in question.hours)
    return f"{asked.theme.title}{natures}{f', {told}' if told else ''}"


def _natures(question: Question) -> str:
    """Return the natures that a question keeps of its theme, by their codes where it names none."""
    if question.called:
        return question.called
    codes = ", ".join(map(spoken_code, question.categories))
    return f"nature{'s' if len(question.categories) > 1 else ''} {codes}"


def moved(row: dict[str, Any], names: Names) -> str:
    """Return the evolution as text (no Markdown), with its interval; or why not."""
    label = LABELS[row["label"]]
    if row["status"] != "ok":
        return f"{label} ({why(row, names)})"
    if row["ratio"] is None or row["high"] is None:
        return f"{label}, aucun fait la période précédente"
    return f"{label}, {change(row['ratio'])} (de {change(row['low'])} à {change(row['high'])})"


def level_in_words(level: dict[str, Any], row: dict[str, Any], names: Names) -> str:
    """Return level and evolution as Markdown sentences, and what the comparison could have seen."""
    told = []
    if level["level"] is not None:
        digits = 0 if level["level"] >= 100 else 1
        value, low, high = (number(level[k], digits) for k in ("level", "level_low", "level_high"))
        noun = "fait" if level["level"] < 2 else "faits"
        told.append(f"{value} {noun} {UNITS[level['unit']]} (de {low} à {high}).")
    told.append(f"Évolution : {plain(moved(row, names))}.")
    if row["detectable"] is not None:
        told.append(f"Une hausse se verrait à partir de {change(row['detectable'])}.")
    remark = trends_words.remark(row)
    return " ".join([*told, f"{plain(_capital(remark))}." if remark else ""]).strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def where_in_words(rows: list[dict[str, Any]], minimum_count: int) -> str:
    """Return in Markdown where facts are most, its equals, and the zones apart for their size."""
    placed = sum(row["n"] for row in rows)
    if placed < minimum_count:
        return f"Lieu : abstention (moins de {minimum_count} faits placés dans une zone)."
    top = rows[0]
    equal = equals(rows)
    text = (
        f"En tête, {plain(top['name'])} : {plural(top['n'], 'fait')} (de {number(top['low'])} à "
        f"{number(top['high'])}), {percent(top['n'] / placed, 1)} de ceux qui ont un lieu"
    )
    if equal:
        text += (
            f" ; {plural(len(equal), 'autre zone')} pourraient l'égaler"
            if len(equal) > 1
            else (f" ; {plain(equal[0]['name'])} pourrait l'égaler")
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
        f"{plain(row['name'])} ({number(row['rate'], 1)} pour 1 000, de "
        f"{number(row['rate_low'], 1)} à {number(row['rate_high'], 1)})" for row in high[:3]
    )  # fmt: skip
    return (
        f" Par personne présente, {plural(len(high), 'zone')} au-dessus de la moyenne et à part "
        f"de {'ses' if len(high) == 1 else 'leurs'} voisines, d'abord {told}."
    )


def when_in_words(
    rows: list[dict[str, Any]],
    found: Busiest | None,
    weight: tuple[float, float] | None,
    names: Names,
) -> str:
    """Return the busiest hours of the week, among those asked, and what share they weigh.

    `weight`: the share of the facts in the hours asked, and their share of the time, if any are.
    """
    if rows[0]["status"] == "abstained":
        reason = rhythms_words.reason(rows[0]["reason"], names.minimum_hours)
        return f"Heures : abstention ({reason})."
    text = "Aucune heure ne se détache du hasard"
    if weight:
        text = "Parmi les heures de la question, aucune ne se détache des autres"
    if found:
        text = (
            f"Le plus souvent {rhythms_words.spoken_hour(found.start)} et après : "
            f"{percent(found.share, 1)} de la semaine en {number(found.length)} h, contre "
            f"{percent(found.length / HOURS_OF_WEEK, 1)} si tout était égal"
        )
    if weight:
        part, time = weight
        text += (
            f". Les heures de la question portent {percent(part)} des faits, pour "
            f"{percent(time)} du temps"
        )
    return f"{text}."


def origin_in_words(row: dict[str, Any]) -> str:
    """Return who starts the records, and the caveat where agents' activity drives the count."""
    counts = (
        f"{plural(row['n_citizen'], 'venu')} des habitants, {plural(row['n_agent'], 'relevé')} par "
        f"les agents, {number(row['n_unknown'])} d'origine inconnue"
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
            f". **Réserve** : le thème est {driven_words(row['patrol'])} ; une hausse peut dire "
            "plus de contrôles, et une zone en tête, plus de passages"
        )
    return f"{text}."


def contrast_in_words(rows: list[dict[str, Any]], asked: Asked, names: Names) -> list[str]:
    """Return a Markdown sentence for each comparison of days, and what the control leaves."""
    named = {
        "in": "aux heures de la question" if asked.question.hours else "à toute heure",
        "out": "aux autres heures, le témoin",
        "own": "écart propre aux heures de la question",
    }
    head = plain(" contre ".join(_kinds(asked.question, asked.city)))
    lines = []
    for row in rows:
        if row["status"] != "ok":
            lines.append(f"{head}, {named[row['where']]} : abstention ({plain(why(row, names))}).")
            continue
        span = f"de {change(row['low'])} à {change(row['high'])}"
        told = "" if row["where"] != "own" else f", {_established(row['low'], row['high'])}"
        unit = "" if row["where"] == "own" else " de faits par jour"
        lines.append(
            f"{head}, {named[row['where']]} : {change(row['ratio'])}{unit} ({span}){told}."
        )
    if rows and not asked.question.hours:
        lines.append(
            "Sans heures à la question, pas de témoin : autre chose peut être dans l'écart."
        )
    return lines


def _kinds(question: Question, city: City) -> list[str]:
    """Return the two kinds of day compared, by the name that the city gives to its event days."""
    asks, titles = question.compare, rhythms_words.kind_titles(city)
    return [f"« {titles[kind]} »" for kind in asks.kinds] if asks else []


def _established(low: float, high: float) -> str:
    return "établi" if low > 1 or high < 1 else "non établi"


def near_in_words(row: dict[str, Any] | None, asked: Asked, names: Names) -> list[str]:
    """Return in Markdown whether facts go with the question's feature, from `context`."""
    if row is None or names.surroundings is None:
        return []
    feature = names.surroundings.features[row["feature"]]
    if row["status"] != "ok":
        told = _why_not_near(row, names)
        return [f"Avec les {plain(feature.label)} : abstention ({told})."]
    about = asked.question
    whole = ", sur tout le thème et à toute heure" if about.categories or about.hours else ""
    verdict = "lien établi" if row["found"] else "pas de lien établi"
    return [
        f"Avec {plain(feature.more)} dans la zone, à personnes présentes égales{whole} : "
        f"{change(row['ratio'])} de faits (de {change(row['low'])} à {change(row['high'])}), "
        f"{verdict} (aller avec n'est pas causer). Ces lieux ne sont "
        "connus que par leur nombre dans la zone, non par leur place."
    ]


def _why_not_near(row: dict[str, Any], names: Names) -> str:
    """Return in Markdown why nothing is known of the question's feature."""
    if row["reason"] == NOT_MEASURED:
        return why(row, names)
    if row.get("check"):
        return context_words.why_none(row["check"], names.context)
    assert names.surroundings is not None  # an effect was measured: the pack tells its features
    return context_words.why_apart(row, names.surroundings)


def actors(asked: Asked) -> str:
    """Return who can act, in order, as Markdown."""
    listed = asked.question.actors
    return "\n".join(f"1. **{plain(one.who)}** : {plain(one.lever)}." for one in listed)


def sentence(row: dict[str, Any], names: Names) -> str:
    """Return as text what goes beside an answer's evolution: where, when, with what, a reserve."""
    if row["reason"] == NOT_IN_FORCE:
        return "Rien n'est calculé tant que le thème n'est pas en service."
    told = []
    if row["zone"]:
        equal = row["equals"]
        tied = f", à égalité possible avec {plural(equal, 'autre')}" if equal else ""
        told.append(
            f"en tête {names.zones[row['division'], row['zone']]}{tied}"
            if equal < MANY
            else "aucune zone nettement en tête"
        )
    if row["peak_hour"] is not None:
        told.append(f"pointe : {rhythms_words.spoken_hour(row['peak_hour'])}")
    if row["contrast"]:
        told.append(_days_apart(row, names.city))
    if row["feature"] and names.surroundings:
        label = names.surroundings.features[row["feature"]].label
        about = names.city.questions[row["question"]]
        whole = " (sur tout le thème, à toute heure)" if about.categories or about.hours else ""
        verdict = "établi" if row["feature_found"] else "non établi"
        told.append(f"lien {verdict} avec : {label}{whole}")
    if row["driven"]:
        told.append("réserve : compte sensible à l'activité des agents")
    if _may_double(row, names.city):
        told.append("réserve : un même fait peut y être compté deux fois")
    return _capital(f"{' ; '.join(told) or 'rien ne se détache'}.")


def _may_double(row: dict[str, Any], city: City) -> bool:
    """Tell whether a fact may be counted twice in an answer: in two sources, of what it asks."""
    question = city.questions[row["question"]]
    theme, kept = city.themes[question.theme], question.categories
    asked = [own for own in theme.parts.values() if not kept or set(kept) & set(own)]
    return theme.may_double and len(asked) > 1


def _days_apart(row: dict[str, Any], city: City) -> str:
    named = " et ".join(_kinds(city.questions[row["question"]], city))
    proper = ", propre à ces heures" if row["contrast"] == "own" else ", sans témoin"
    ratio, low, high = (row[f"contrast_{k}"] for k in ("ratio", "low", "high"))
    if _established(low, high) == "établi":
        span = f"de {change(low)} à {change(high)}"
        return f"écart établi entre {named}{proper} : {change(ratio)} ({span})"
    return f"pas d'écart établi entre {named}{proper}"


def as_markdown(table: pa.Table, names: Names) -> str:
    """Return a question's answer as Markdown: who reads only this has read the page."""
    row = table.to_pylist()[0]
    return (
        f"**{plain(row['title'])}**\n\nÉvolution : {plain(moved(row, names))}. "
        f"{plain(sentence(row, names))}\n\n"
        f"Peut agir d'abord : **{plain(row['actor'])}**. Sources : {badge(row['grade'])}."
    )


def footing(row: dict[str, Any]) -> str:
    """Return what an answer rests on: how many facts, and how reliable their source is."""
    count = f"{number(row['n'])} faits · " if row["n"] is not None else ""
    return f"{count}{badge(row['grade'])}"


def ordered(table: pa.Table) -> list[dict[str, Any]]:
    """Return the answers axis by axis, in the order in which the pack asks them."""
    rows: list[dict[str, Any]] = table.to_pylist()
    return sorted(rows, key=lambda row: list(AXES).index(row["axis"]))


def in_words(table: pa.Table) -> str:
    """Return the answer of the whole portfolio: how many questions go which way, and which."""
    rows = table.to_pylist()
    lines = []
    for label, said in LABELS.items():
        mine = [plain(row["title"]) for row in rows if row["label"] == label]
        if mine:
            lines.append(f"- **{_capital(said)}** ({len(mine)}) : {' · '.join(mine)}")
    head = plural(len(rows), "question") if rows else "Aucune question"
    return "\n".join([f"{head}.", "", *lines])
