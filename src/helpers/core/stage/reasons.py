"""Why a row was set aside, in French: the titles of reason codes, `family` or `family:field`."""

from __future__ import annotations

# A family that is not here is told by its own code: a new one is never left out.
TITLES = {
    "annulation": "annulations", "annule": "faits annulés",
    "conflit": "contenus différents sous un même numéro",
    "donnee_personnelle": "donnée personnelle", "hors_bornes": "hors des bornes",
    "hors_forme": "forme inattendue", "hors_liste": "hors de la liste",
    "hors_periode": "hors période", "illisible": "illisible", "incoherent": "incohérent",
    "interverties": "coordonnées interverties", "jour_mois": "jour et mois intervertis",
    "manquant": "manquant",
}  # fmt: skip


def title(reason: str) -> str:
    """Return the reason as it is told: `hors_liste:nature` is « hors de la liste (nature) »."""
    family, _, of = reason.partition(":")
    told = TITLES.get(family, family.replace("_", " "))
    detail = of.replace(":", ", ").replace("_", " ")
    return f"{told} ({detail})" if detail else told
