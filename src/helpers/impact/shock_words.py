"""What is said of grave facts and of what inhabitants answer to them, in French."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from helpers.core.base.french import change, number, percent, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.shock_rules import ShockRules
from helpers.core.stage.action_words import least
from helpers.impact import effects, shocks, survey_change
from helpers.impact.knobs import Knobs

NO_RULES = "Aucun fait grave connu : la ville n'a pas de fichier `shocks.yaml`."
NOTHING = "Aucune source de la ville ne dit ce que les habitants y répondraient."
OUTCOMES = {
    shocks.REPORTS: "signalements des habitants",
    shocks.WALKERS: "passages à pied",
    shocks.SURVEY: "habitants qui se disent tranquilles",
}
VERDICTS = {
    shocks.LESS: "moins qu'attendu",
    shocks.MORE: "plus qu'attendu",
    shocks.NONE_SHOWN: "pas de réponse démontrée",
    shocks.UNCLEAR: "non concluant",
}
CARE = (
    "Ce n'est pas une cause démontrée : ce qui est arrivé au même endroit les mêmes semaines y est "
    "mêlé. Moins de signalements ne veut dire ni moins de troubles ni plus de confiance ; en "
    "recevoir davantage ne dit pas le contraire."
)


def answer(found: pa.Table, rules: ShockRules | None, knobs: Knobs) -> str:
    """Return, as Markdown, what answers to all grave facts together, with the placebo dates."""
    if rules is None or not rules.facts:
        return NO_RULES
    rows = [row for row in found.to_pylist() if row["scope"] == effects.ALL]
    if not rows:
        return NOTHING
    count = plural(len(rules.facts), "fait grave connu")
    lines = [f"- **{OUTCOMES[row['outcome']].capitalize()}** ({plural(row['facts'], 'fait')}) : "
             f"{_told(row, knobs)}{_placebos(row, knobs)}" for row in rows]  # fmt: skip
    weeks = plural(knobs.shock_after_weeks, "semaine")
    head = (f"**{count}.** Leur quartier dans les {weeks} qui suivent, à côté de ceux où rien "
            "n'est arrivé. *Exploratoire.*")  # fmt: skip
    return "\n".join([head, "", *lines, "", CARE])


def one_by_one(found: pa.Table, rules: ShockRules | None, names: Mapping[str, str], knobs: Knobs
               ) -> str:  # fmt: skip
    """Return, as Markdown, one line a fact and what may answer to it."""
    if rules is None or not rules.facts:
        return NO_RULES
    rows = [row for row in found.to_pylist() if row["scope"] == shocks.FACT]
    if not rows:
        return NOTHING
    lines = []
    for one in rules.facts:
        zone = plain(names.get(one.zone, one.zone))
        told = [f"{OUTCOMES[row['outcome']].capitalize()} : {_told(row, knobs)}"
                for row in rows if row["fact"] == one.title]  # fmt: skip
        # In one line, which tells whose it is: several facts have the same reasons for silence.
        lines.append(f"- **{plain(one.title)}**, {zone}, le {spoken(one.day)}. {' '.join(told)}")
    level = (f"Tous ces intervalles tiennent à la fois dans {percent(knobs.confidence)} des cas, "
             "et ceux des faits réunis aussi.")  # fmt: skip
    return "\n".join([*lines, "", level])


def why(row: Mapping[str, Any], knobs: Knobs) -> str:
    """Return why nothing is said: a row of TOLD with a reason."""
    match row["reason"]:
        case shocks.NO_COUNTER:
            return "rien ne le compte dans ce quartier"
        case effects.TOO_SHORT:
            before, after = knobs.shock_before_weeks + 1, knobs.shock_after_weeks
            return f"il faut {before} semaines connues avant, et {after} après"
        case effects.TOO_NEAR:
            return "un autre fait grave a touché le même quartier à ces dates"
        case effects.SILENT:
            return "la source s'est tue sur trop de semaines d'avant ou d'après"
        case effects.TOO_FEW if row["outcome"] == shocks.SURVEY:
            return f"moins de {knobs.minimum_answers} réponses dans le quartier à une des vagues"
        case effects.TOO_FEW:
            return f"moins de {knobs.minimum_count} comptés avant, ou aucun après"
        case survey_change.FEW_CONTROLS:
            return "trop peu de quartiers sans fait grave à qui comparer"
        case survey_change.NO_WAVE:
            return (f"aucune enquête dans les {knobs.wave_weeks} semaines qui suivent, ou aucune "
                    "avant")  # fmt: skip
        case effects.UNLIKE:
            return ("des réponses paraissent trop souvent à des dates où rien n'est arrivé : la "
                    "comparaison ne convient pas ici")  # fmt: skip
        case _:
            facts = plural(row["facts"], "fait lisible")
            return f"{facts}, il en faut {knobs.minimum_areas}"


def _told(row: Mapping[str, Any], knobs: Knobs) -> str:
    if row["reason"]:
        return f"non concluant ({why(row, knobs)})."
    if row["outcome"] == shocks.SURVEY:
        value, low, high = (_points(row[name]) for name in ("value", "low", "high"))
        ends = f"{value}, entre {low} et {high}, à côté des autres quartiers"
        seen = f"{number(100 * row['detectable'])} points"
    else:
        value, low, high = (change(row[name]) for name in ("value", "low", "high"))
        ends = f"{value}, de {low} à {high}"
        seen = least(row["detectable"])
    more = ""
    if row["verdict"] == shocks.UNCLEAR:
        more = (f" Une baisse n'était assez sûre d'être vue ({percent(knobs.power)} des cas) qu'à "
                f"partir de {seen}.")  # fmt: skip
    elif row["verdict"] == shocks.NONE_SHOWN:
        more = f" Une baisse de {seen} aurait été vue dans {percent(knobs.power)} des cas."
    return f"**{VERDICTS[row['verdict']]}** ({ends}).{more}"


def _points(share: float) -> str:
    sign = "+" if share > 0 else "−" if share < 0 else ""
    return f"{sign}{number(abs(100 * share))} points"


def _placebos(row: Mapping[str, Any], knobs: Knobs) -> str:
    if row["outcome"] == shocks.SURVEY:
        return " Dates placebo : aucune, l'enquête n'a qu'une vague par fait à lire."
    if not row["placebos"]:
        return " Dates placebo : aucune ne tient dans la période."
    said, told = plural(row["placebos"], "date"), row["placebos_told"]
    seem = f"{number(told)} paraissent" if told > 1 else ("aucune ne paraît", "une paraît")[told]
    return (f" Dates placebo : sur {said} où rien n'est arrivé, {seem} avoir une réponse (le "
            f"hasard en amène {percent(1 - knobs.confidence)}).")  # fmt: skip
