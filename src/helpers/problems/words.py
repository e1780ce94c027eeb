"""The files of problems and of the council, in French, as Markdown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from helpers.core.base.french import change, number, percent, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.stage.action_words import (
    EXPLORATORY,
    STATES,
    VERDICTS,
    exploratory,
    last_day,
    least,
    planned,
    size,
)
from helpers.problems import council, files
from helpers.problems.knobs import Knobs
from helpers.register import words as register_words

Row = Mapping[str, Any]
NO_REGISTER = (
    "Cette ville n'a pas de registre des décisions parmi ses sources "
    "(`make register-snapshot`) : aucun dossier à montrer."
)
NONE = "Aucun problème inscrit au registre."
ANSWERS = {
    council.APPROVED: "approuvée", council.REFUSED: "refusée", council.WAITING: "en attente",
    council.REPLACED: "remplacée", council.LAPSED: "sans réponse avant sa fin",
}  # fmt: skip
BESIDE = (
    "Faits signalés par des habitants ou d'origine inconnue, sur les {weeks} dernières semaines, à "
    "côté d'autant avant. Qu'un nombre ait changé n'est pas l'effet de l'action : c'est le verdict "
    "qui le dit, là où il le peut."
)
PROPOSALS = {"recommendation": "recommandation", "sizing": "dimensionnement"}
FOLLOWED = {
    "recommendation": {"accepted": "suivie", "changed": "changée", "refused": "écartée"},
    "sizing": {"accepted": "suivi", "changed": "changé", "refused": "écarté"},
}
ROLES: Mapping[str, str] = {str(code): told for code, told in register_words.ROLES.items()}
TIERS: Mapping[str, str] = {str(code): told for code, told in register_words.TIERS.items()}
RESPONSES: Mapping[str, str] = {str(k): told for k, told in register_words.RESPONSES.items()}
HYPOTHESES: Mapping[str, str] = {str(k): told for k, told in register_words.HYPOTHESES.items()}


@dataclass(frozen=True)
class Told:
    """All tables of `problems`, what zones are called, and the day on which states are told."""

    files: pa.Table
    tasks: pa.Table
    elsewhere: pa.Table
    decisions: pa.Table
    answers: pa.Table
    city: City
    names: Mapping[str, str]
    knobs: Knobs
    today: dt.date
    has_register: bool

    def zone(self, code: str | None) -> str:
        """Return what a zone is called."""
        return plain(self.names.get(code or "", code or "lieu non dit"))

    def theme(self, code: str) -> str:
        """Return what a theme is called."""
        return plain(self.city.themes[code].title) if code in self.city.themes else "thème ôté"


def answer(told: Told) -> str:
    """Return the answer as Markdown: how many problems, which wait for something."""
    if not told.has_register:
        return NO_REGISTER
    rows = told.files.to_pylist()
    if not rows:
        return NONE
    waiting = [r for r in told.decisions.to_pylist() if r["answer"] == council.WAITING]
    late = [r["problem"] for r in rows if r["late"]]
    bare = sorted({r["problem"] for r in rows} - {t["problem"] for t in told.tasks.to_pylist()})
    parts = [f"**{plural(len(rows), 'problème')}** au registre, au {spoken(told.today)}."]
    if waiting:
        names = ", ".join(row["subject"] for row in waiting)
        parts.append(f"**En attente de deux accords** : {names}.")
    if late:
        parts.append(f"**À revoir, leur date est passée** : {', '.join(late)}.")
    if bare:
        parts.append(f"**Sans réponse inscrite** : {', '.join(bare)}.")
    return "\n\n".join(parts)


def overview(told: Told) -> str:
    """Return one row a problem as a Markdown table."""
    rows = told.files.to_pylist()
    if not rows:
        return NONE if told.has_register else NO_REGISTER
    lines = [
        "| problème | quoi | où | depuis | paliers essayés | faits |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        tried = ", ".join(TIERS[tier] for tier in row["tried"]) or "aucun"
        since = f"{row['since']:%d/%m/%Y}" if row["since"] else "non dit"
        what, where = told.theme(row["theme"]), told.zone(row["zone"])
        lines.append(f"| {row['problem']} | {what} | {where} | "
                     f"{since} | {tried} | {facts(row, told)} |")  # fmt: skip
    return "\n".join([joint(told), "", *lines])


def facts(row: Row, told: Told) -> str:
    """Return how many facts were counted, beside as many weeks before."""
    match row["status"]:
        case files.NO_ZONE:
            return "sans zone inscrite, rien à compter"
        case files.LEFT_OUT:
            return "thème qui n'est pas en service"
    weeks, asked = plural(row["weeks"], "semaine"), number(told.knobs.window_weeks)
    if row["status"] == files.SILENT:
        return f"rien de comparable : {weeks} connues là des deux côtés, sur {asked} demandées"
    counted = f"{plural(row['recent'], 'fait')} en {weeks}, {number(row['before'])} avant"
    if row["weeks"] < told.knobs.window_weeks:
        counted += f" ({asked} demandées, les autres ne sont pas connues là des deux côtés)"
    if row["status"] == files.TOO_FEW:
        return f"{counted} (trop peu pour dire une évolution)"
    ends = f"de {change(row['low'])} à {change(row['high'])}"
    return f"{counted} ({change(row['ratio'])}, {ends})"


def joint(told: Told) -> str:
    """Return how the intervals of all the problems hold, as a sentence."""
    return (f"Les intervalles de tous les problèmes tiennent à la fois dans "
            f"{percent(told.knobs.confidence)} des cas.")  # fmt: skip


def sheet(row: Row, told: Told) -> tuple[str, str]:
    """Return the title and the Markdown of a problem's file: the four steps."""
    title = f"{row['problem']} – {told.theme(row['theme'])}, {told.zone(row['zone'])}"
    since = f"connu depuis le {spoken(row['since'])}" if row["since"] else "début non dit"
    review = "date passée : à revoir" if row["late"] else "à revoir ce jour-là"
    found = [
        "## 1. Repérer",
        f"- Quoi : {told.theme(row['theme'])}.",
        f"- Où : {told.zone(row['zone'])}, {since}.",
        f"- Inscrit le {spoken(row['taken_up'])} ({ROLES[row['role']]}) ; échéance le "
        f"{spoken(row['review_on'])} ({review}).",
        f"- Faits signalés par des habitants ou d'origine inconnue : {facts(row, told)}.",
        *(f"- {one['action']} est menée dans une autre zone, {told.zone(one['zone'])} : "
          f"{facts(one, told)}."
          for one in told.elsewhere.to_pylist() if one["problem"] == row["problem"]),
        "\n## 2. Analyser",
        *([f"- Hypothèse : {HYPOTHESES[one]}." for one in row["hypotheses"]]
          or ["- Aucune hypothèse inscrite."]),
        "\n## 3. Répondre",
        f"- Paliers déjà essayés : {', '.join(TIERS[t] for t in row['tried']) or 'aucun'}.",
        "",
        _tasks(row["problem"], told),
        "\n## 4. Évaluer",
        f"- But : une baisse de {percent(row['fall'])} ; plus petit effet que l'on dit pouvoir "
        f"voir : {percent(row['least_effect'])}.",
        *_verdicts(row["problem"], told),
    ]  # fmt: skip
    return title, "\n".join(found)


def _tasks(problem: str, told: Told) -> str:
    rows = [row for row in told.tasks.to_pylist() if row["problem"] == problem]
    if not rows:
        return "Aucune action inscrite."
    lines = ["| qui | quoi | pour quand | où en est-on |", "|---|---|---|---|"]
    for row in rows:
        who = ROLES.get(row["lead"] or "", "rôle non dit")
        what = RESPONSES.get(row["response"] or "", "réponse non dite")
        last = last_day(row["end_in_force"], row["end"], row["renewals"])
        end = f"au {last}" if row["end_in_force"] or row["end"] else last
        dose = ""
        if row["planned_h"] is not None:
            dose = f", {planned(row['planned_h'], row['told_planned_h'])}"
        tier = TIERS.get(row["tier"] or "", "palier non dit")
        lines.append(f"| {who} | {row['action']} : {what} ({tier}{dose}) | du "
                     f"{row['start']:%d/%m/%Y} {end} | {STATES[row['state']]} |")  # fmt: skip
    return "\n".join(lines)


def _verdicts(problem: str, told: Told) -> list[str]:
    rows = [row for row in told.tasks.to_pylist() if row["problem"] == problem]
    found = [f"- {row['action']} : {verdict(row)}." for row in rows]
    return found or ["- Rien à évaluer."]


def verdict(row: Row) -> str:
    """Return what is said of an action's effect, from a row of TASKS."""
    if row["state"] in ("proposed", "approved", "refused"):
        return f"rien à évaluer encore ({STATES[row['state']]}{_unsure(row)})"
    if row["verdict"] is None:
        return "effet non mesuré (l'action n'est pas dans la source des actions)"
    mark = exploratory(row["exploratory"], row["why"])
    said = row["why"] == "changed" or not row["changed"]
    changed = "" if said else f", {EXPLORATORY['changed']}"
    ends = size(row["ratio"], row["low"], row["high"])
    return f"**{VERDICTS[row['verdict']]}**{ends}{mark}{changed}"


def _unsure(row: Row) -> str:
    if row["seen"] is not False:
        return ""
    if row["detectable"] is None:
        return " ; trop peu de faits pour la juger seule"
    return (f" ; l'effet demandé n'est pas assez sûr d'être vu : pour l'être dans "
            f"{percent(row['power'])} des cas, il faudrait une baisse de "
            f"{least(row['detectable'])}")  # fmt: skip


def meeting(sector: str | None, told: Told) -> tuple[str, str]:
    """Return the title and the Markdown of the council's page, of a sector or of the city."""
    where = told.zone(sector) if sector else "toute la ville"
    if not told.has_register:
        return f"Conseil local – {where}", NO_REGISTER
    rows = [r for r in told.decisions.to_pylist() if sector is None or r["sector"] == sector]
    held = [r for r in told.files.to_pylist() if sector is None or r["sector"] == sector]
    came = [r for r in told.elsewhere.to_pylist() if sector and r["sector"] == sector]
    days = plural(told.knobs.recent_days, "dernier jour")
    found = [f"## Décisions des {days}", _decided([r for r in rows if r["recent"]], told)]
    found += ["## Ce qui a suivi", _followed(held, came, told)]
    found += ["## Ce qui attend une réponse", _waiting(rows, told)]
    if sector is None:
        found += ["## Recommandations, et suite donnée", answered(told)]
    return f"Conseil local – {where}", "\n\n".join(found)


def _called(action: str, told: Told) -> str:
    """Return an action's number, with what is done where the register or the source tells it."""
    of = next((one for one in told.tasks.to_pylist() if one["action"] == action), None)
    response = RESPONSES.get((of["response"] if of else None) or "")
    return f"{action} ({response})" if response else action


def _decided(rows: list[Row], told: Told) -> str:
    if not rows:
        return "Aucune décision sur cette période."
    lines = ["| jour | décision | par | réponse |", "|---|---|---|---|"]
    for row in sorted(rows, key=lambda r: (r["on"], r["entry"])):
        what = f"problème inscrit, {row['subject']}"
        if row["kind"] == "action":
            what = f"{_called(row['subject'], told)}, pour {row['problem']}"
        reply = ANSWERS[row["answer"]] if row["answer"] else "sans avis à rendre"
        when = f" le {row['answered_on']:%d/%m/%Y}" if row["answered_on"] else ""
        who = ROLES[row["role"]]
        lines.append(f"| {row['on']:%d/%m/%Y} | {what} | {who} | "
                     f"{reply}{when} |")  # fmt: skip
    return "\n".join(lines)


def _followed(held: list[Row], came: list[Row], told: Told) -> str:
    """Return the problems of a place with their actions, and the actions of problems elsewhere."""
    if not held and not came:
        return "Aucun problème inscrit ici."
    tasks = told.tasks.to_pylist()
    lines = []
    for row in held:
        what, where = told.theme(row["theme"]), told.zone(row["zone"])
        lines.append(f"- **{row['problem']}**, {what}, {where} : {facts(row, told)}.")
        lines += [f"    - {_called(task['action'], told)} : {verdict(task)}."
                  f"{_away(task['action'], told)}"
                  for task in tasks if task["problem"] == row["problem"]]  # fmt: skip
    of = {task["action"]: task for task in tasks}
    for row in came:
        if row["problem"] not in {one["problem"] for one in held}:
            what, where = told.theme(row["theme"]), told.zone(row["zone"])
            lines += [f"- **{row['action']}**, menée ici pour un problème inscrit ailleurs "
                      f"({row['problem']}), {what}, {where} : {facts(row, told)}.",
                      f"    - {_called(row['action'], told)} : {verdict(of[row['action']])}."
                      ]  # fmt: skip
    return "\n".join([BESIDE.format(weeks=told.knobs.window_weeks), "", *lines])


def _away(action: str, told: Told) -> str:
    """Return where an action is led, and the facts of there, if not in its problem's zone."""
    for row in told.elsewhere.to_pylist():
        if row["action"] == action:
            return f" Menée dans une autre zone, {told.zone(row['zone'])} : {facts(row, told)}."
    return ""


def _waiting(rows: list[Row], told: Told) -> str:
    lines = [
        f"- {_called(row['subject'], told)}, proposée le {spoken(row['on'])} "
        f"({ROLES[row['role']]}) : deux accords d'autres rôles sont attendus."
        for row in rows
        if row["answer"] == council.WAITING
    ]
    return "\n".join(lines) or "Rien n'attend de réponse."


def answered(told: Told) -> str:
    """Return what became of the proposals of notebooks, as Markdown; if changed, both numbers."""
    rows = told.answers.to_pylist()
    if not rows:
        return "Aucune réponse inscrite sur cette période."
    total = sum(row["count"] for row in rows)
    lines = [f"{plural(total, 'réponse')} sur cette période.", ""]
    for row in rows:
        why = f" ({register_words.REASONS[row['motive']]})" if row["motive"] else ""
        followed = FOLLOWED[row["kind"]][row["answer"]] + ("s" if row["count"] > 1 else "")
        what = f"{plural(row['count'], PROPOSALS[row['kind']])} {followed}"
        lines.append(f"- {what}{why}{_numbers(row)}")
    return "\n".join(lines)


def _numbers(row: Row) -> str:
    if row["answer"] != council.CHANGED:
        return ""
    if row["proposed"] is None:
        return " : les nombres n'ont pas été inscrits"
    unit = register_words.MEASURES[row["measure"]] if row["measure"] else "h d'équipe par semaine"
    return f" : proposé {number(row['proposed'])} {unit}, décidé {number(row['decided'])}"
