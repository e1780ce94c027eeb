"""What other designs say of actions, beside the verdict, in French."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from helpers.core.base.french import change, number, percent, plural
from helpers.core.base.markup import plain
from helpers.impact import designs, effects
from helpers.impact.knobs import Knobs

Row = Mapping[str, Any]
NAMES: Mapping[str, str] = {
    designs.PLACES: "lieux sans action",
    designs.SYNTHETIC: "contrôle synthétique",
    designs.TWICE: "différence synthétique",
    designs.BLOCKS: "micro-synthétique",
    designs.SERIES: "sa seule série",
    designs.RING: "zone et couronne, en faits",
    designs.MONTH: "juste avant",
}
WHY: Mapping[str, str] = {
    designs.FEW_PLACES: "trop peu de lieux",
    designs.UNREAD: "sans réponse",
}
GLOSSES = (
    "**Lieux sans action** : la comparaison du verdict, à côté de cercles de même taille. "
    "**Contrôle synthétique**, **différence synthétique** : le mélange de ces lieux qui suivait le "
    "mieux la zone avant. **Micro-synthétique** : le mélange de mailles qui a ses totaux de chaque "
    "trimestre ; d'autres mélanges les ont aussi, et l'étendue de ce qu'ils diraient suit. "
    "**Sa seule série** : la rupture de la zone elle-même, sans témoin, deux ans d'avant au moins. "
    "**Zone et couronne** : faits en plus (+) ou en moins (−) qu'au lieu le plus semblable, un an "
    "après les mêmes semaines, report compris."
)
GLOSS_BEFORE = (
    " **Juste avant** : les {weeks} d'avant le début, à côté de celles qui précèdent ; au-dessus "
    "de 1, un mauvais mois, que le verdict ne compte pas."
)


DOWN, UP, OPEN = "down", "up", "unclear"
WAYS: Mapping[str, str] = {
    DOWN: "moins de faits qu'attendu", UP: "plus de faits qu'attendu", OPEN: "sens non établi",
}  # fmt: skip
SEES: Mapping[str, tuple[str, str]] = {
    DOWN: (f"voit {WAYS[DOWN]}", f"voient {WAYS[DOWN]}"),
    UP: (f"voit {WAYS[UP]}", f"voient {WAYS[UP]}"),
    OPEN: ("laisse le sens ouvert", "laissent le sens ouvert"),
}  # fmt: skip
NO_READING = (
    "Lue aussi autrement : aucune lecture possible, faute de lieux sans action où compter les "
    "mêmes faits."
)


def one_by_one(found: pa.Table, knobs: Knobs) -> str:
    """Return one row an action as a Markdown table, with what each design is."""
    rows = [row for row in found.to_pylist() if row["scope"] == effects.ACTION]
    if not rows:
        return "Aucune action jugée seule : rien à relire autrement."
    by_action: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_action.setdefault(row["key"], {})[row["design"]] = row
    heads = " | ".join(NAMES[name] for name in designs.DESIGNS)
    lines = [f"| action | {heads} |", "|---" * (1 + len(designs.DESIGNS)) + "|"]
    for key, told in by_action.items():
        cells = " | ".join(_cell(told[name]) for name in designs.DESIGNS)
        lines.append(f"| {plain(key)} | {cells} |")
    weeks = plural(knobs.gap_weeks, "semaine")
    return "\n".join([*lines, "", GLOSSES + GLOSS_BEFORE.format(weeks=weeks)])


def _cell(row: Row) -> str:
    if row["reason"]:
        return WHY[row["reason"]]
    if row["design"] in designs.OF_FACTS:
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


def line(rows: Sequence[Row], judged: Row) -> str:
    """Return in a line how many readings of an action go the way of its verdict; "" without any.

    `rows`: those of BESIDE of the action; `judged`: its row of EFFECTS.
    """
    read = [row for row in rows if row["design"] in designs.READINGS]
    ways = Counter(way(row) for row in read if not row["reason"])
    total = ways.total()
    if not read:
        return ""
    if not total:
        return NO_READING
    own = way(judged)
    same = ways.pop(own, 0)
    if not same:
        goes = "va dans le même sens" if own != OPEN else "laisse le sens ouvert comme le verdict"
        said = f"aucune des {number(total)} lectures ne {goes}"
    elif own == OPEN:
        said = f"{plural(same, 'lecture')} sur {number(total)} {SEES[own][same > 1]}, " \
               "comme le verdict"  # fmt: skip
    else:
        goes = "vont" if same > 1 else "va"
        said = (
            f"{plural(same, 'lecture')} sur {number(total)} {goes} dans le même sens, {WAYS[own]}"
        )
    others = [f"{number(n)} {SEES[name][n > 1]}" for name in SEES if (n := ways[name])]
    others += [f"{number(n)} sans réponse"] if (n := len(read) - total) else []
    return " ; ".join([f"Lue aussi autrement : {said}", *others]) + "."


def way(row: Row) -> str:
    """Return which way an interval points, of a row of EFFECTS or BESIDE: DOWN, UP, or OPEN."""
    nothing = 0 if row.get("design") in designs.OF_FACTS else 1
    return DOWN if row["high"] < nothing else UP if row["low"] > nothing else OPEN


def of_one(rows: Sequence[Row], knobs: Knobs) -> str:
    """Return as Markdown each reading of an action with its interval, and what places say of it."""
    by_design = {row["design"]: row for row in rows}
    lines = ["| lecture | écart à l'attendu | sens |", "|---|---|---|"]
    for name in designs.READINGS:
        row = by_design[name]
        sense = "" if row["reason"] else WAYS[way(row)]
        lines.append(f"| {NAMES[name]} | {_change(row)} | {sense} |")
    month, weeks = by_design[designs.MONTH], plural(knobs.gap_weeks, "semaine")
    before = (f"**Les {weeks} juste avant le début**, à côté de celles qui précèdent : "
              f"{_change(month)}. Le verdict ne les compte pas.")  # fmt: skip
    sure = percent(knobs.confidence)
    apart = (f"Chacun de ces intervalles tient à lui seul dans {sure} des cas ; ceux des verdicts "
             "tiennent tous à la fois, et sont plus larges : une lecture peut voir ce que le "
             "verdict n'affirme pas. Le verdict vient de la comparaison choisie d'avance ; aucune "
             "autre ne le change.")  # fmt: skip
    placebo = _wrong(rows, knobs, shared=False)
    said = (apart, placebo, before, GLOSSES)
    return "\n\n".join(["\n".join(lines), *(part for part in said if part)])


def _change(row: Row) -> str:
    if row["reason"]:
        return WHY[row["reason"]]
    if row["design"] in designs.OF_FACTS:
        return (f"{_more(row['value'])} faits (de {_more(row['low'])} à "
                f"{_more(row['high'])})")  # fmt: skip
    said = f"{change(row['value'])} (de {change(row['low'])} à {change(row['high'])})"
    if row["least"] is None:
        return said
    most = "sans borne au-dessus" if math.isinf(row["most"]) else f"au plus {change(row['most'])}"
    return f"{said} ; d'un mélange à l'autre, au moins {change(row['least'])}, {most}"


def of_all(found: pa.Table, judged: pa.Table) -> str:
    """Return in a line of how many actions another design leaves out the ratio; "" without any."""
    rows = [row for row in found.to_pylist() if not row["reason"]]
    keys, apart = _kept_apart(rows, judged)
    if not keys:
        return ""
    kept = len(keys) - len(apart)
    return (f"Lus aussi autrement : pour {plural(kept, 'action')} sur {number(len(keys))}, aucune "
            "autre lecture n'écarte le rapport du verdict.")  # fmt: skip


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
    keys, apart = _kept_apart(rows, judged)
    if not keys:
        return ""
    said = "aucune n'écarte le rapport du verdict"
    if apart:
        named = ", ".join(plain(key) for key in apart)
        said = f"pour {named}, l'une au moins écarte le rapport du verdict, à lire avec réserve"
    return (f"**Autres comparaisons** ({plural(len(keys), 'action')}) : {said}. Le verdict vient "
            "de la comparaison choisie d'avance ; aucune autre ne le change.")  # fmt: skip


def _kept_apart(rows: list[Row], judged: pa.Table) -> tuple[list[str], list[str]]:
    """Return the actions read by another design, and those whose ratio one of these leaves out."""
    ratio = {r["key"]: r["ratio"] for r in judged.to_pylist() if r["scope"] == effects.ACTION}
    own = [r for r in rows if r["scope"] == effects.ACTION and r["design"] in designs.AGREE]
    apart = (r["key"] for r in own if not r["low"] <= ratio[r["key"]] <= r["high"])
    return list(dict.fromkeys(row["key"] for row in own)), list(dict.fromkeys(apart))


def _wrong(rows: Sequence[Row], knobs: Knobs, *, shared: bool = True) -> str:
    own = [row for row in rows if row["tried"]]
    wrong, tried = (sum(row[name] for row in own) for name in ("wrong", "tried"))
    if not tried:
        return ""
    chance = number((1 - knobs.confidence) * tried)
    more = " (les mêmes lieux servent à plusieurs actions)" if shared else ""
    return (f"**Lieux placebo** : aux mêmes dates, là où rien n'a été fait, la comparaison voit un "
            f"changement {number(wrong)} fois sur {number(tried)} ; le hasard seul en amènerait "
            f"{chance}{more}.")  # fmt: skip


def _all(rows: list[Row]) -> str:
    whole = [r for r in rows if r["scope"] == effects.ALL and r["design"] == designs.PLACES]
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
    whole = [r for r in rows if r["scope"] == effects.ALL and r["design"] == designs.MONTH]
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
