"""The register in French: an entry, an action, in a line each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from helpers.core.base.french import number, percent, spoken
from helpers.register.codes import Hypothesis, Kind, Response, Role, Tier
from helpers.register.entries import (
    Action,
    Approval,
    Entry,
    MeasureTaken,
    Problem,
    Recommendation,
    Sizing,
)
from helpers.register.rules import Standing, Status

ROLES: Mapping[Role, str] = {
    "analyste": "Analyste",
    "chef_de_poste": "Chef de poste",
    "chef_de_service": "Chef de service",
    "coordination_prevention": "Coordination de la prévention",
    "direction": "Direction",
    "elu": "Élu",
}
KINDS: Mapping[Kind, str] = {
    "measure_taken": "mesure",
    "sizing": "dimensionnement",
    "recommendation": "recommandation",
    "problem": "problème",
    "action": "action",
    "approval": "accord",
}
TIERS: Mapping[Tier, str] = {
    "prevention": "prévention",
    "dissuasion": "dissuasion",
    "repression": "répression",
}
STATUSES: Mapping[Status, str] = {
    "planned": "pas encore commencée",
    "on": "en cours",
    "off": "éteinte (fin passée) : à renouveler ou à laisser",
}
VERDICTS = {"accepted": "accepté", "changed": "changé", "refused": "refusé"}
OPINIONS = {"approved": "pour", "refused": "contre"}
MEASURES = {
    "barrieres": "barrières",
    "agents_pm": "agents de police municipale",
    "fourriere": "fourrière",
    "secours": "secours",
    "nettoyage": "nettoyage",
    "info_riverains": "information des riverains",
    "deviation": "déviation",
}
STATES = {"a_faire": "à faire", "demandee": "demandée", "prise": "prise"}
GOALS = {
    "baisse_des_faits": "baisse des faits",
    "baisse_des_signalements": "baisse des signalements",
}
REASONS = {
    "moyens_insuffisants": "moyens insuffisants",
    "autre_priorite": "autre priorité",
    "deja_en_place": "déjà en place",
    "connaissance_du_terrain": "connaissance du terrain",
    "donnee_douteuse": "donnée douteuse",
    "affluence_revue": "affluence revue",
    "decision_hierarchique": "décision hiérarchique",
    "cadre_juridique": "cadre juridique",
    "danger_immediat": "danger immédiat",
    "atteinte_grave": "atteinte grave",
    "decision_de_justice": "décision de justice",
    "palier_essaye_ailleurs": "palier essayé ailleurs",
    "palier_impossible": "palier impossible",
}
HYPOTHESES: Mapping[Hypothesis, str] = {
    "concentration_horaire": "quelques heures concentrent les faits",
    "lieu_sans_gardien": "lieu sans gardien",
    "eclairage": "éclairage",
    "debits_de_boissons": "débits de boissons",
    "ecole_sortie": "sorties d'école",
    "transports": "transports",
    "dechets": "déchets",
    "stationnement": "stationnement",
    "chantier": "chantier",
    "saison": "saison",
}
RESPONSES: Mapping[Response, str] = {
    "mediation": "médiation",
    "presence_ecole": "présence devant les écoles",
    "amenagement_eclairage": "éclairage",
    "nettoyage": "nettoyage",
    "patrouille_pedestre": "patrouille pédestre",
    "point_fixe": "point fixe",
    "operation_conjointe": "opération conjointe",
    "campagne_info": "campagne d'information",
    "controle": "contrôle",
    "verbalisation_ciblee": "verbalisation ciblée",
}
CHANGED = {
    "goal": "le but",
    "criterion": "le critère",
    "least_effect": "l'effet détectable",
    "start": "le début",
    "end": "la fin, avancée",
    "problem": "ce à quoi tient son problème",
}


def line(entry: Entry, zone: str) -> str:
    """Return an entry in a line: number, local time of the city's `zone`, role, what it says."""
    moment = dt.datetime.fromisoformat(entry.at).astimezone(ZoneInfo(zone))
    draft = entry.draft
    told = f"{entry.seq:>6}  {moment:%d/%m/%Y %H:%M}  {ROLES[draft.role]} – {_subject(entry)} : "
    replaced = f" (remplace {draft.supersedes})" if draft.supersedes else ""
    return told + _said(entry) + replaced


def action_line(standing: Standing) -> str:
    """Return how an action stands, in a line; what was changed after its start is said below."""
    told = (
        f"{standing.action} ({TIERS[standing.tier]}, {standing.problem}) : "
        f"{STATUSES[standing.status]}, fin le {spoken(standing.end)}, "
        f"{'approuvée par deux rôles' if standing.approved else 'non approuvée par deux rôles'}"
    )
    if standing.renewals:
        told += f"\n    Renouvelée : {_by(standing.renewals)}"
    if "entered" in standing.changed:
        told += f"\n    Inscrite après son début : {_by(standing.changed_by[:1])}"
    changes = [CHANGED[name] for name in standing.changed if name != "entered"]
    if changes:
        by = standing.changed_by["entered" in standing.changed :]
        told += f"\n    Hypothèse changée après le début : {', '.join(changes)} ({_by(by)})"
    return told


def _by(entries: Sequence[int]) -> str:
    return f"inscription{'s' if len(entries) > 1 else ''} {', '.join(map(str, entries))}"


def _subject(entry: Entry) -> str:
    kind = entry.draft.payload.kind
    name = entry.draft.subject
    return f"{KINDS[kind]} {name if '-' in name else name[:8] + '…'}"


def _said(entry: Entry) -> str:
    match entry.draft.payload:
        case MeasureTaken() as one:
            return f"{MEASURES[one.measure]}, {STATES[one.state]}"
        case Sizing() as one:
            return f"{MEASURES[one.measure]}, {_numbers(one)}{VERDICTS[one.verdict]}{_why(one)}"
        case Recommendation() as one:
            return f"{_numbers(one)}{VERDICTS[one.verdict]}{_why(one)}"
        case Problem() as one:
            return _held(one)
        case Action() as one:
            why = f", motif : {REASONS[one.justification]}" if one.justification else ""
            return f"{TIERS[one.tier]} sur {one.problem}, {_held(one)}{why}"
        case Approval() as one:
            why = f" ({REASONS[one.reason]})" if one.reason else ""
            return f"{OPINIONS[one.opinion]} l'inscription {one.entry}{why}"


def _held(one: Problem | Action) -> str:
    return (
        f"{GOALS[one.goal]}, critère {one.criterion.theme} −{percent(one.criterion.fall)}, effet "
        f"détectable {percent(one.least_effect)}, jusqu'au {one.end:%d/%m/%Y}"
    )


def _numbers(one: Sizing | Recommendation) -> str:
    if one.proposed is None:
        return ""
    unit = " h" if isinstance(one, Recommendation) else ""
    decided = "" if one.decided is None else f"décidé {number(one.decided)}{unit}, "
    return f"proposé {number(one.proposed)}{unit}, {decided}"


def _why(one: Sizing | Recommendation) -> str:
    if one.reason is None:
        return ""
    paper = f", pièce {one.reference.year}-{one.reference.number}" if one.reference else ""
    return f" ({REASONS[one.reason]}{paper})"
