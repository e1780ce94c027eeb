"""What other designs say of actions, beside the verdict, in French."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from helpers.core.base.french import number, percent, plural
from helpers.core.base.markup import plain
from helpers.impact import beside, effects
from helpers.impact.knobs import Knobs

Row = Mapping[str, Any]
NAMES: Mapping[str, str] = {
    beside.PLACES: "lieux sans action",
    beside.SYNTHETIC: "contrôle synthétique",
    beside.TWICE: "différence synthétique",
    beside.BLOCKS: "micro-synthétique",
    beside.SERIES: "sa seule série",
    beside.RING: "zone et couronne, en faits",
    beside.MONTH: "juste avant",
}
WHY: Mapping[str, str] = {
    beside.FEW_PLACES: "trop peu de lieux",
    beside.UNREAD: "sans réponse",
}
GLOSSES = (
    "**Lieux sans action** : la comparaison du verdict, à côté de cercles de même taille. "
    "**Contrôle synthétique**, **différence synthétique** : le mélange de ces lieux qui suivait le "
    "mieux la zone avant. **Micro-synthétique** : le mélange de mailles qui a ses totaux de chaque "
    "trimestre ; d'autres mélanges les ont aussi, et l'étendue de ce qu'ils diraient suit. "
    "**Sa seule série** : la rupture de la zone elle-même, sans témoin, deux ans d'avant au moins. "
    "**Zone et couronne** : faits en plus (+) ou en moins (−) qu'au lieu le plus semblable, un an "
    "après les mêmes semaines, report compris. **Juste avant** : les {weeks} d'avant le début, à "
    "côté de celles qui précèdent ; au-dessus de 1, un mauvais mois, que le verdict ne compte pas."
)


def one_by_one(found: pa.Table, knobs: Knobs) -> str:
    """Return one row an action as a Markdown table, with what each design is."""
    rows = [row for row in found.to_pylist() if row["scope"] == effects.ACTION]
    if not rows:
        return "Aucune action jugée seule : rien à relire autrement."
    by_action: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_action.setdefault(row["key"], {})[row["design"]] = row
    heads = " | ".join(NAMES[name] for name in beside.DESIGNS)
    lines = [f"| action | {heads} |", "|---" * (1 + len(beside.DESIGNS)) + "|"]
    for key, told in by_action.items():
        cells = " | ".join(_cell(told[name]) for name in beside.DESIGNS)
        lines.append(f"| {plain(key)} | {cells} |")
    weeks = plural(knobs.gap_weeks, "semaine")
    return "\n".join([*lines, "", GLOSSES.format(weeks=weeks)])


def _cell(row: Row) -> str:
    if row["reason"]:
        return WHY[row["reason"]]
    if row["design"] in beside.OF_FACTS:
        return (f"{_more(row['value'])} (de {_more(row['low'])} à "
                f"{_more(row['high'])})")  # fmt: skip
    ends = _ends(row["value"], row["low"], row["high"])
    if row["least"] is None:
        return ends
    most = "sans borne" if math.isinf(row["most"]) else number(row["most"], 2)
    return f"{ends} ; étendue : {number(row['least'], 2)} à {most}"


def _ends(value: float, low: float, high: float) -> str:
    return f"{number(value, 2)} (de {number(low, 2)} à {number(high, 2)})"


def _more(facts: float) -> str:
    return f"{'+' if round(facts) > 0 else ''}{number(facts)}"


def answer(found: pa.Table, judged: pa.Table, knobs: Knobs) -> str:
    """Return in Markdown whether designs agree, what placebo places say, the month before.

    `judged`: EFFECTS of the same actions.
    """
    rows = [row for row in found.to_pylist() if not row["reason"]]
    if not found.num_rows:
        return ""
    if not rows:
        return ("**Autres comparaisons** : aucune n'a pu être tentée, faute de lieux sans action "
                "où compter les mêmes faits.")  # fmt: skip
    parts = [_agreement(rows, judged), _wrong(rows, knobs), _all(rows), _month(rows, knobs)]
    return "\n\n".join(part for part in parts if part)


def _agreement(rows: list[Row], judged: pa.Table) -> str:
    """Say of which actions a design's interval leaves out the ratio of the verdict."""
    ratio = {r["key"]: r["ratio"] for r in judged.to_pylist() if r["scope"] == effects.ACTION}
    own = [r for r in rows if r["scope"] == effects.ACTION and r["design"] in beside.AGREE]
    keys = list(dict.fromkeys(row["key"] for row in own))
    if not keys:
        return ""
    apart = dict.fromkeys(r["key"] for r in own if not r["low"] <= ratio[r["key"]] <= r["high"])
    said = "aucune n'écarte le rapport du verdict"
    if apart:
        named = ", ".join(plain(key) for key in apart)
        said = f"pour {named}, l'une au moins écarte le rapport du verdict, à lire avec réserve"
    return (f"**Autres comparaisons** ({plural(len(keys), 'action')}) : {said}. Le verdict vient "
            "de la comparaison choisie d'avance ; aucune autre ne le change.")  # fmt: skip


def _wrong(rows: list[Row], knobs: Knobs) -> str:
    own = [row for row in rows if row["tried"]]
    wrong, tried = (sum(row[name] for row in own) for name in ("wrong", "tried"))
    if not tried:
        return ""
    chance = number((1 - knobs.confidence) * tried)
    return (f"**Lieux placebo** : aux mêmes dates, là où rien n'a été fait, la comparaison voit un "
            f"changement {number(wrong)} fois sur {number(tried)} ; le hasard seul en amènerait "
            f"{chance} (les mêmes lieux servent à plusieurs actions).")  # fmt: skip


def _all(rows: list[Row]) -> str:
    whole = [r for r in rows if r["scope"] == effects.ALL and r["design"] == beside.PLACES]
    if not whole:
        return ""
    (row,) = whole
    ends = _ends(row["value"], row["low"], row["high"])
    chance = "moins de 1 fois sur 100" if row["chance"] < 0.01 else \
        f"{percent(row['chance'])} du temps"  # fmt: skip
    return (f"**Tirage** : à côté de {number(row['places'])} lieux sans action, toutes "
            f"les actions ensemble ont un rapport de {ends}. Les mêmes débuts tirés au sort en "
            f"d'autres lieux s'en écartent autant {chance}. *Exploratoire.*")  # fmt: skip


def _month(rows: list[Row], knobs: Knobs) -> str:
    whole = [r for r in rows if r["scope"] == effects.ALL and r["design"] == beside.MONTH]
    if not whole:
        return ""
    (row,) = whole
    said = "rien ne montre qu'un mauvais mois ait fait choisir ces zones"
    if row["low"] > 1:
        said = "un mauvais mois a précédé les débuts : compté, il aurait fait voir un faux effet"
    weeks = plural(knobs.gap_weeks, "semaine")
    return (f"**Retour à la moyenne** : les {weeks} d'avant, rapport de "
            f"{_ends(row['value'], row['low'], row['high'])} à l'habitude : {said}. Elles ne sont "
            "pas comptées.")  # fmt: skip
