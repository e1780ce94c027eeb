"""What became of each row received, in words."""

from __future__ import annotations

from typing import Any

from helpers.core.base.french import number, percent, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.city.names import (
    CONFLICT,
    DUPLICATE,
    LISTED,
    NAMES,
    NO_PLACE,
    OUT_OF_PERIOD,
    OUTSIDE,
    REPLACED,
    UNTOLD,
)
from helpers.core.city.remark import Remark
from helpers.core.stage import remark_words

# Fates that have a column of their own, and what they are called.
APART = {
    "accepted": "acceptées",
    DUPLICATE: "en double",
    REPLACED: "remplacées",
    CONFLICT: "même numéro, contenus différents",
    OUT_OF_PERIOD: "hors période",
}


def fates(city: City, told: dict[str, dict[str, int]]) -> str:
    """Return a Markdown table of what became of the rows of each source."""
    lines = [
        f"| source | reçues | {' | '.join(APART.values())} | écartées, par motif |",
        "|---|---|" + "---|" * len(APART) + "---|",
    ]
    for name, fate in told.items():
        reasons = {k: v for k, v in fate.items() if k not in APART}
        listed = ", ".join(f"{plain(reason)} : {number(n)}" for reason, n in reasons.items())
        counts = [fate.get(key, 0) for key in APART]
        lines.append(
            f"| {plain(city.contracts[name].title)} | {number(sum(fate.values()))} | "
            f"{' | '.join(number(n) for n in counts)} | {listed or 'aucune'} |"
        )
    return "\n".join(lines)


def versions(city: City, told: dict[str, dict[str, int]], orders: dict[str, str]) -> str:
    """Return what is to be known of numbers that come back, and of what the period leaves out.

    `orders`: source → by what the order of its deliveries is told. Empty where nothing is.
    """
    lines = []
    for name, fate in told.items():
        title, known = plain(city.contracts[name].title), city.contracts[name].revised_at
        n = fate.get(CONFLICT, 0)
        if n:
            undated = "sans date de révision" if known is None else "à la même date de révision"
            why = (
                "l'ordre des livraisons n'est pas dit : les lister dans `files` (city.yaml)"
                if orders[name] == UNTOLD
                else "la clé du contrat ne suffit sans doute pas à distinguer deux faits"
            )
            lines.append(
                f"- {title} : {plural(n, 'ligne')} sous un même numéro, contenus différents, "
                f"{undated}. Une seule ligne par numéro est comptée, sans que rien dise laquelle "
                f"est la bonne ; {why}."
            )
        if fate.get(REPLACED) and known is None and orders[name] != LISTED:
            order = "leurs noms" if orders[name] == NAMES else "les dates qu'elles contiennent"
            lines.append(
                f"- {title} : l'ordre des livraisons, qui a décidé de "
                f"{plural(fate[REPLACED], 'remplacement')}, est lu dans {order}. S'il est autre, "
                "les lister dans `files` (city.yaml)."
            )
        if fate.get(OUT_OF_PERIOD):
            period = city.about.period
            lines.append(
                f"- {title} : {plural(fate[OUT_OF_PERIOD], 'ligne')} hors période (du "
                f"{spoken(period.start)} au {spoken(period.end)}), dans aucun résultat."
            )
    return "\n".join(lines)


def totals(city: City, found: dict[str, dict[str, int]]) -> str:
    """Return a Markdown table of `ingest.totals`."""
    lines = [
        "| découpage | dans une zone | hors territoire | sans lieu | total |",
        "|---|---|---|---|---|",
    ]
    for name, row in found.items():
        title = "Mailles" if name == "cell" else plain(city.about.divisions[name].title)
        cells = [number(row[key]) for key in ("inside", OUTSIDE, NO_PLACE)]
        lines.append(f"| {title} | {' | '.join(cells)} | {number(sum(row.values()))} |")
    return "\n".join(lines)


def default_points(city: City, found: dict[str, dict[str, Any]]) -> str:
    """Return one Markdown line a source that has default or snapped points (`default_points`)."""
    lines = []
    for name, row in found.items():
        title = plain(city.contracts[name].title)
        if row["snapped"]:
            lines.append(
                f"- **{title}** : les points sont ramenés par l'éditeur à des carrefours ou à des "
                "milieux de rue. Ils donnent la zone (celle que dit la source, si elle en dit "
                "une), jamais la maille."
            )
        elif row["points"]:
            share = percent(row["rows"] / row["located"], 1)
            lines.append(
                f"- **{title}** : {plural(row['points'], 'point')} "
                f"{'pris pour un point' if row['points'] == 1 else 'pris pour des points'} par "
                f"défaut, avec {plural(row['rows'], 'fait')} ({share} des faits situés), qui "
                "comptent comme sans lieu. Si ce sont de vrais lieux, ou des points ramenés à des "
                "carrefours, écrire `snapped_points: true` dans le contrat : la zone sera gardée."
            )
    return "\n".join(lines) or "Aucun point n'est pris pour un point par défaut."


def answer(told: dict[str, dict[str, int]], found: dict[str, dict[str, int]]) -> str:
    """Return the answer: rows in and their fates, and whether all divisions agree."""
    rows = sum(sum(fate.values()) for fate in told.values())
    each = {key: sum(fate.get(key, 0) for fate in told.values()) for key in APART}
    sums = {sum(row.values()) for row in found.values()}
    agree = "sont égaux" if len(sums) == 1 else "**diffèrent : c'est une erreur**"
    return (
        f"{plural(rows, 'ligne reçue')} = {plural(each['accepted'], 'acceptée')} + "
        f"{plural(rows - sum(each.values()), 'écartée')} + {number(each[DUPLICATE])} en double + "
        f"{plural(each[REPLACED], 'remplacée')} par une version plus récente + "
        f"{number(each[CONFLICT])} de même numéro mais de contenu différent + "
        f"{number(each[OUT_OF_PERIOD])} hors période. "
        f"Les totaux des {len(found)} découpages {agree} ({number(max(sums))} faits)."
    )


def remarks(told: list[Remark]) -> str:
    """Return a Markdown list of what is odd in the zones and the sources, or that nothing is."""
    if not told:
        return "Zones et sources : rien à signaler."
    said = [remark_words.sentence(one) for one in told]
    return "**À vérifier** :\n\n" + "\n".join(f"- {plain(one)}" for one in said)
