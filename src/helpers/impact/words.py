"""What `impact` found, in French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from helpers.core.base.french import number, percent, plural, spoken
from helpers.core.base.markup import plain, verbatim
from helpers.core.city.action_rules import ActionRules
from helpers.core.city.city import City
from helpers.core.stage.action_words import EXPLORATORY, VERDICTS, least
from helpers.impact import effects, recorded
from helpers.impact.knobs import Knobs
from helpers.impact.known import Action

NO_RULES = "Aucune action connue : la ville n'a pas de fichier `actions.yaml`."
NO_ACTION = "Aucune action commencée dans la période."
TOGETHER = (
    "Comparaison : échelonnée. Les débuts diffèrent d'une zone à l'autre, et chaque zone est tenue "
    "à ce que le reste de la ville a fait entre ses propres dates."
)
APART = (
    "Comparaison : chaque zone seule. Une zone ne dit pas combien les zones diffèrent : l'écart "
    "entre quartiers sans action le dit à sa place."
)
WHY = {
    effects.TWICE: "plusieurs lignes de la source portent ce numéro : laquelle est l'action ?",
    effects.NOT_COUNTED: "aucun thème en service ne compte les faits visés",
    effects.NO_PLACE: "lieu inconnu",
    effects.TOO_NEAR: "une autre action est trop proche, les zones se touchent",
    effects.SILENT: "la source s'est tue, là ou partout, sur trop de semaines d'avant ou d'après",
    recorded.RECODED: (
        "d'autres faits de la même source y ont augmenté depuis le début : les mêmes, notés sous "
        "un autre code, ou d'autres venus à leur place"
    ),
    recorded.UNPLACED: (
        "les faits sans lieu précis du quartier ont augmenté depuis le début : la baisse peut "
        "n'être que des lieux moins bien notés"
    ),
    effects.UNLIKE: "un effet apparaît avant même les vrais débuts : les témoins ne "
    "conviennent pas",
}


def answer(found: pa.Table, rules: ActionRules | None, knobs: Knobs) -> str:
    """Return the answer as Markdown: all actions together, what moved, the placebo, each kind."""
    if rules is None:
        return NO_RULES
    rows = found.to_pylist()
    count = sum(row["scope"] == effects.ACTION for row in rows)
    if not count:
        return NO_ACTION
    by_scope = {row["scope"]: row for row in rows}
    whole, placebo = by_scope[effects.ALL], by_scope[effects.PLACEBO]
    base = f"{plural(whole['areas'], 'action')}, sur {number(count)} que dit leur source"
    parts = [f"**Toutes les actions ensemble** ({base}) : {_told(whole, knobs)}"]
    if whole["moved"] is not None:
        parts.append(_moved(whole))
    kinds = [row for row in rows if row["scope"] == effects.KIND]
    by_kind = (f"- **{plain(rules.title(row['kind']))}** : {_told(row, knobs)}" for row in kinds)
    return "\n\n".join([*parts, _placebo(placebo, knobs), TOGETHER, "\n".join(by_kind)])


def one_by_one(found: pa.Table, rules: ActionRules | None, knobs: Knobs) -> str:
    """Return one line an action as Markdown."""
    rows = [row for row in found.to_pylist() if row["scope"] == effects.ACTION]
    if rules is None or not rows:
        return NO_RULES if rules is None else NO_ACTION
    level = f"Les intervalles tiennent tous à la fois dans {percent(knobs.confidence)} des cas."
    lines = (
        f"- **{plain(row['key'])}**, {plain(rules.title(row['kind']))}, depuis le "
        f"{spoken(row['start'])}, faits visés {verbatim(row['indicator'])} : "
        f"{_told(row, knobs)}"
        for row in rows
    )
    base = f"{plural(len(rows), 'action')} que dit leur source, avec les faits visés."
    return "\n".join([f"{base} {APART} {level}", "", *lines])


def doubtful(actions: Sequence[Action], doubt: Mapping[str, str], city: City) -> str:
    """Return, as Markdown, the themes aimed at whose source is in doubt; may be nothing.

    `doubt`: theme → why (`standing.doubted`).
    """
    aimed = {one.theme for one in actions}
    lines = [f"- **{plain(theme.title)}** : {doubt[name]}."
             for name, theme in city.themes.items() if name in aimed and name in doubt]  # fmt: skip
    said = (
        "Une baisse n'y est peut-être qu'apparente ; elle ne compte que si elle diffère d'ailleurs"
    )
    return "\n".join([f"\n\n**À lire avec réserve.** {said} :", "", *lines]) if lines else ""


def why(row: Mapping[str, Any], knobs: Knobs) -> str:
    """Return, in Markdown, why nothing is said: a row of EFFECTS with a reason."""
    reason = row["reason"]
    if reason in WHY:
        return WHY[reason]
    if reason == effects.TOO_SHORT:
        needed = knobs.before_weeks + knobs.gap_weeks
        return f"il faut {needed} semaines connues avant le début et {knobs.after_weeks} après"
    if reason == effects.TOO_FEW:
        return f"moins de {knobs.minimum_count} faits avant l'action, ou trop peu après"
    return f"{plural(row['areas'], 'zone')} à comparer, il en faut {knobs.minimum_areas}"


def _told(row: Mapping[str, Any], knobs: Knobs) -> str:
    mark = " *Exploratoire.*" if row["exploratory"] else ""
    if row["why"]:
        mark = f" *Exploratoire* : {EXPLORATORY[row['why']]}."
    if row["reason"]:
        return f"non concluant ({why(row, knobs)}).{mark}"
    counted = f"{plural(row['counted'], 'fait')} là où {number(row['expected'])} étaient attendus"
    ends = f"rapport {number(row['ratio'], 2)}, entre {number(row['low'], 2)} et " \
           f"{number(row['high'], 2)}"  # fmt: skip
    more = ""
    fall, sure = least(row["detectable"]), f"dans {percent(knobs.power)} des cas"
    if row["low"] > 1:
        more = " Les faits ont été plus nombreux qu'attendu."
    elif row["verdict"] == effects.UNCLEAR:
        more = f" Une baisse n'était assez sûre d'être vue ({sure}) qu'à partir de {fall}."
    elif row["verdict"] == effects.NONE_SHOWN:
        more = f" Une baisse de {fall} aurait été vue {sure}."
    design = "" if row["design"] == effects.ALONE else f", {plural(row['areas'], 'zone')}"
    return f"**{VERDICTS[row['verdict']]}** ({counted} ; {ends}{design}).{more}{mark}"


def _moved(row: Mapping[str, Any]) -> str:
    low, high = row["moved_low"], row["moved_high"]
    ends = f"de {percent(low)} à {percent(high)}"
    if low > 0:
        return (f"**Report** : {percent(row['moved'])} des faits évités se retrouvent dans la "
                f"couronne ({ends}). *Exploratoire.*")  # fmt: skip
    said = "les données n'écartent ni l'absence de report, ni un report complet"
    if high < 1:
        said = "aucun report établi, et un report complet est écarté"
    return f"**Report dans la couronne** : {said} ({ends} des faits évités). *Exploratoire.*"


def _placebo(row: Mapping[str, Any], knobs: Knobs) -> str:
    if row["reason"]:
        return f"**Date placebo** : non tentée ({why(row, knobs)})."
    ends = f"rapport entre {number(row['low'], 2)} et {number(row['high'], 2)}"
    if row["low"] <= 1 <= row["high"]:
        return (f"**Date placebo** : en plaçant les débuts avant les vrais, aucun effet n'apparaît "
                f"({ends}), comme il se doit.")  # fmt: skip
    return (f"**Date placebo** : un effet apparaît avant même les vrais débuts ({ends}). Les zones "
            "ne suivaient pas leurs témoins : lire chaque verdict avec réserve.")  # fmt: skip
