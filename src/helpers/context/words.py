"""What `context` found, told in French."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from helpers.context import effects, levers
from helpers.context.knobs import Knobs
from helpers.core.base.french import number, plural
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.surroundings import Surroundings

SILENCES = "Chaque zone n'est comptée que sur les semaines où elle a été entendue."
# Beyond so many, zones are read in the table.
SENTENCES = 12
NONE = {
    effects.ABSENT: "pas de couche de contexte",
    effects.NO_FEATURE: "aucun trait des lieux n'est exploitable",
    effects.UNSTABLE: "le calcul ne se stabilise pas",
}


def in_words(
    found: pa.Table, checks: pa.Table, rules: Surroundings | None, city: City, knobs: Knobs
) -> str:
    """Return the answer as Markdown: one line a theme, then what could not be told apart."""
    rows = found.to_pylist()
    lines = [_theme_line(check, rows, rules, city, knobs) for check in checks.to_pylist()]
    if rules is None:
        return "\n".join(lines)
    apart = {(row["feature"], why_apart(row, rules)) for row in rows if row["status"] != "ok"}
    if apart:
        lines += ["", "Traits sans effet propre :", ""]
        lines += [
            f"- **{plain(rules.features[name].label)}** : {why}." for name, why in sorted(apart)
        ]
    return "\n".join(lines)


def why_apart(row: Mapping[str, Any], rules: Surroundings) -> str:
    """Return, in Markdown, why a feature has no effect of its own: an abstaining row of effects."""
    match row["reason"]:
        case effects.UNKNOWN:
            return f"non renseigné pour {row['reason_n']} zones"
        case effects.STEADY:
            return f"ne varie que dans {row['reason_n']} zones"
        case effects.LIKE_FEATURE:
            label = plain(rules.features[row["reason_feature"]].label)
            return f"ne se distingue pas de « {label} »"
        case _:
            return "ne se distingue pas des semaines"


def why_none(check: Mapping[str, Any], knobs: Knobs) -> str:
    """Return, in Markdown, why a theme has no effects: a row of the checks that abstains."""
    match check["reason"]:
        case effects.FEW:
            held = plural(check["n"], "fait")
            return f"{held} d'une origine retenue (`origins`) ; il en faut {knobs.minimum_count}"
        case effects.FEW_ZONES:
            held = f"{check['zones']} zones dessinées et renseignées"
            return f"{held} ; il en faut {knobs.minimum_zones}"
        case code:
            return NONE[code]


def _theme_line(
    check: dict[str, Any], rows: list[dict[str, Any]], rules: Surroundings | None, city: City,
    knobs: Knobs,
) -> str:  # fmt: skip
    title = plain(city.themes[check["theme"]].title)
    if check["status"] != "ok" or rules is None:
        return f"- **{title}** : abstention ({why_none(check, knobs)})."
    found = [row for row in rows if row["theme"] == check["theme"] and row["found"]]
    told = [_effect(row, rules) for row in found]
    text = " ; ".join(told) if told else "aucun lien établi avec un trait des lieux"
    alike = " Des zones voisines restent semblables : lire avec réserve." if check["alike"] else ""
    return f"- **{title}** ({plural(check['n'], 'fait')}) : {text}.{alike}"


def _effect(row: dict[str, Any], rules: Surroundings) -> str:
    against = "" if levers.makes_sense(rules, row) else ", à l'inverse de l'attendu"
    return (
        f"avec {plain(rules.features[row['feature']].more)}, ×{number(row['ratio'], 2)} "
        f"(de {number(row['low'], 2)} à {number(row['high'], 2)}{against})"
    )


def sentences(zones: pa.Table, rules: Surroundings | None, city: City) -> str:
    """Return the first zones' sentences as Markdown, those with most facts behind them first."""
    rows = [row for row in zones.to_pylist() if row["status"] == "ok"]
    if not rows or rules is None:
        return "Aucune zone : rien n'y pèse plus qu'ailleurs, ou rien n'a pu être calculé."
    rows.sort(key=lambda row: (-row["weight"], row["zone"]))
    lines = [f"- {sentence(row, rules, city)}" for row in rows[:SENTENCES]]
    rest = len(rows) - len(lines)
    more = [f"\n{plural(rest, 'autre zone')} dans la table `zones`."] if rest > 0 else []
    return "\n".join([*lines, *more])


def sentence(row: Mapping[str, Any], rules: Surroundings, city: City) -> str:
    """Return, in Markdown, what weighs most in a zone, and who can act there."""
    name = plain(row["name"])
    if row["status"] != "ok":
        return f"{name} : aucun trait du lieu n'y pèse plus que dans la zone médiane."
    feature = rules.features[row["feature"]]
    interval = f"de {number(row['low'], 2)} à {number(row['high'], 2)}"
    return (
        f"{name} — {plain(feature.label)} : {_short(row['value'])} (zone médiane : "
        f"{_short(row['usual'])}). À exposition égale, avec {plain(feature.more)}, on compte "
        f"{number(row['ratio'], 2)} fois les faits de « {plain(city.themes[row['theme']].title)} » "
        f"({interval}). Qui peut agir : {plain(feature.actor)} ({plain(feature.lever)})."
    )


def _short(value: float) -> str:
    return number(value, 0 if value == round(value) else 1)
