"""Codes of actions and of their effects, as readers see them, in whatever notebook tells them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping

from helpers.core.base.french import number, percent, plural

SEMICOLON = " ; "
VERDICTS: Mapping[str, str] = {
    "effet": "effet",
    "pas_d_effet_demontre": "pas d'effet démontré",
    "non_concluant": "non concluant",
}
STATES: Mapping[str, str] = {
    "proposed": "proposée",
    "approved": "approuvée et à venir",
    "running": "en cours",
    "off": "éteinte",
    "refused": "refusée",
    "unregistered": "non enregistrée",
}
# Why what is said of an action's effect is exploratory.
EXPLORATORY: Mapping[str, str] = {
    "not_registered": "rien n'a été inscrit",
    "registered_late": "inscrite après son début",
    "changed": "hypothèse changée après le début",
    "other_facts": "jugée sur d'autres faits que ceux de son critère",
    "part_of_facts": "jugée sur une partie seulement des faits de son critère",
}


def basis(count: int, told: int) -> str:
    """Return how many actions were done, and how many of them the source of actions tells."""
    found = plural(count, "action menée")
    if told == count:
        return f"{found} d'après la source des actions"
    alone = count - told
    approved = "approuvées et commencées" if alone > 1 else "approuvée et commencée"
    return (f"{found} ({told} d'après la source des actions, {alone} {approved} d'après le "
            "registre seul)")  # fmt: skip


def planned(own: float, told: float | None) -> str:
    """Return a planned dose, agent-hours a week: the register's `own`, and the source's `told`."""
    if told is None or told == own:
        return f"{number(own)} h par semaine"
    return (f"{number(own, 1)} h par semaine au registre, {number(told, 1)} h selon la source des "
            "actions")  # fmt: skip


def last_day(in_force: dt.date | None, told: dt.date | None, renewals: int | None) -> str:
    """Return an action's last day: the register's, else the source's `told`; both where unlike."""
    last = in_force or told
    if last is None:
        return "fin non dite"
    more = [f"prolongée {number(renewals)} fois"] if renewals else []
    if told and told != last:
        more.append(f"fin le {told:%d/%m/%Y} selon la source des actions")
    return f"{last:%d/%m/%Y}{f' ({SEMICOLON.join(more)})' if more else ''}"


def least(detectable: float) -> str:
    """Return the smallest fall that is sure enough to be seen, as a whole percentage.

    Rounded up: one of « 20 % » that is 20,4 % would not be told from the 20 % asked for.
    """
    return percent(math.ceil(100 * detectable) / 100)


def size(ratio: float | None, low: float | None, high: float | None) -> str:
    """Return an effect's ratio with its interval, in brackets; or that `impact` says why none."""
    if ratio is None or low is None or high is None:
        return " (sans chiffre : le carnet `impact` dit pourquoi)"
    return f" (rapport {number(ratio, 2)}, de {number(low, 2)} à {number(high, 2)})"


def exploratory(mark: bool, why: str | None) -> str:
    """Return that what is said of an effect is exploratory, and why, after a comma; or nothing."""
    if not mark:
        return ""
    return f", *exploratoire* : {EXPLORATORY[why]}" if why else ", *exploratoire*"


def quarter_name(first: dt.date) -> str:
    """Return the quarter that begins on a day: « 3e trimestre 2024 »."""
    rank = (first.month + 2) // 3
    return f"{rank}{'er' if rank == 1 else 'e'} trimestre {first.year}"
