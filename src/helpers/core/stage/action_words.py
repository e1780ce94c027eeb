"""Codes of actions and of their effects, as readers see them, in whatever notebook tells them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

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
}


def quarter_name(first: dt.date) -> str:
    """Return the quarter that begins on a day: « 3e trimestre 2024 »."""
    rank = (first.month + 2) // 3
    return f"{rank}{'er' if rank == 1 else 'e'} trimestre {first.year}"
