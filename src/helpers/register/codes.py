"""The closed lists of the register: what an entry may say, in codes.

Measures, their states and tiers are the codes of the sources (`evenement`, `action`), so that what
was decided and what was delivered can be laid side by side.
"""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal[
    "analyste", "chef_de_poste", "chef_de_service", "coordination_prevention", "direction", "elu"
]
Kind = Literal["measure_taken", "sizing", "recommendation", "problem", "action", "approval"]
Verdict = Literal["accepted", "changed", "refused"]
Opinion = Literal["approved", "refused"]
Measure = Literal[
    "barrieres", "agents_pm", "fourriere", "secours", "nettoyage", "info_riverains", "deviation"
]
State = Literal["a_faire", "demandee", "prise"]
Tier = Literal["prevention", "dissuasion", "repression"]
Goal = Literal["baisse_des_faits", "baisse_des_signalements"]
# Why a proposal was not followed.
Reason = Literal[
    "moyens_insuffisants", "autre_priorite", "deja_en_place", "connaissance_du_terrain",
    "donnee_douteuse", "affluence_revue", "decision_hierarchique", "cadre_juridique",
]  # fmt: skip
# Why a higher tier comes first: in writing, by a code of this list.
Justification = Literal[
    "danger_immediat", "atteinte_grave", "decision_de_justice", "palier_essaye_ailleurs",
    "palier_impossible",
]  # fmt: skip

# What a problem is thought to rest on: something of the place, never somebody.
Hypothesis = Literal[
    "concentration_horaire", "lieu_sans_gardien", "eclairage", "debits_de_boissons", "ecole_sortie",
    "transports", "dechets", "stationnement", "chantier", "saison",
]  # fmt: skip
# What is done, as the source of actions writes it.
Response = Literal[
    "mediation", "presence_ecole", "amenagement_eclairage", "nettoyage", "patrouille_pedestre",
    "point_fixe", "operation_conjointe", "campagne_info", "controle", "verbalisation_ciblee",
]  # fmt: skip
Shift = Literal["matin", "apres_midi", "soir", "nuit"]

TIERS: tuple[Tier, ...] = get_args(Tier)  # from the least to the most
