"""The thread of one action, step by step: problem, decision, dose, verdict, what followed."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from helpers.actions import words as action_words
from helpers.apps import actions_read as read
from helpers.apps import actions_words as said
from helpers.apps.parts import folded
from helpers.core.base.french import percent, spoken
from helpers.core.base.markup import inline, plain, to_html
from helpers.core.stage.action_words import STATES
from helpers.impact import beside_words
from helpers.impact import words as impact_words
from helpers.problems import words as problem_words
from helpers.register import words as register_words
from helpers.results import followed
from helpers.results import words as result_words

NO_PROBLEM = "Aucun problème inscrit au registre"
NO_ENTRY = "Rien au registre : ni but, ni critère, ni accord n'a été inscrit."
ALONE = "Rien d'autre n'est inscrit depuis, sur ce problème."


def steps(one: read.One, found: read.Found) -> str:
    """Return the thread as HTML."""
    told = {
        "Le problème": inline(problem(one, found)),
        "La décision": inline(decision(one, found)),
        "La dose": inline(_sentence(action_words.dose_words(one.row, one.dose))),
        "Le verdict": verdict(one, found),
        "Ce qui a suivi": to_html(after(one, found)),
    }
    items = "".join(f"<li><h3>{number}. {title}</h3><div>{text}</div></li>"
                    for number, (title, text) in enumerate(told.items(), 1))  # fmt: skip
    return (f'<section class="app-cards app-thread" aria-label="Le fil de l\'action">'
            f"<h2>Le fil de l'action {one.name}</h2><ol>{items}</ol></section>")  # fmt: skip


def _sentence(text: str) -> str:
    start = len(text) - len(text.lstrip("*"))
    return f"{text[:start]}{text[start : start + 1].upper()}{text[start + 1 :]}."


def problem(one: read.One, found: read.Found) -> str:
    """Return what, where, since when, why it is thought to be, what was tried, as Markdown."""
    row = one.problem
    if row is None:
        named = one.row["problem"]
        return f"{NO_PROBLEM}{f' ; la source des actions nomme {plain(named)}' if named else ''}."
    told, whole = found.problem, problem_words
    since = f"connu depuis le {spoken(row['since'])}" if row["since"] else "début non dit"
    guesses = ", ".join(whole.HYPOTHESES[code] for code in row["hypotheses"]) or "aucune inscrite"
    tried = ", ".join(whole.TIERS[code] for code in row["tried"]) or "aucun"
    late = " Date passée : à revoir." if row["late"] else ""
    return (
        f"**{row['problem']}** : {told.theme(row['theme']).lower()}, {told.zone(row['zone'])}, "
        f"{since}. Hypothèse : {guesses}. Paliers essayés ici : {tried}. Faits signalés par des "
        f"habitants ou d'origine inconnue : {whole.facts(row, told)}.{late}"
    )


def decision(one: read.One, found: read.Found) -> str:
    """Return what was proposed, who agreed or not and why, what was changed after, as Markdown."""
    if not one.steps:
        return NO_ENTRY if found.has_register else action_words.NO_REGISTER
    row, (first, *_) = one.row, one.steps
    versions = [step for step in one.steps if step["end"]]
    parts = [
        f"Proposée le {_by(first)}. But : {register_words.GOALS[row['goal']]}, "
        f"−{percent(row['fall'])} ; plus petit effet à voir : {percent(row['least_effect'])} ; "
        f"fin le {spoken(versions[-1]['end'])}.",
        *(_version(step) for step in versions[1:]),
        *_opinions(one, versions[-1]["entry"]),
        f"Palier : {action_words.tier(row)}, {action_words.gate(row)}.",
    ]
    if row["changed"]:
        what = ", ".join(register_words.CHANGED[name] for name in row["changed"])
        parts.append(f"**Hypothèse changée après le début** : {what}.")
    if row["registered_before"] is False:
        parts.append("**Inscrite après son début.**")
    return " ".join(parts)


def _by(step: read.Row) -> str:
    return f"{spoken(step['on'])} ({result_words.ROLES[step['role']]})"


def _version(step: read.Row) -> str:
    what = result_words.DECISIONS[step["decision"]]
    return _sentence(f"{what} le {_by(step)}, fin le {spoken(step['end'])}")


def _opinions(one: read.One, last: int) -> Iterator[str]:
    """Yield who is for and who is against the last version, in force; or that nobody is yet."""
    now = [step for step in one.steps if step["about"] == last and step["current"]]
    for kind, title in ((followed.APPROVED, "Pour"), (followed.REFUSED, "Contre")):
        said = [f"{_by(step)}{_why(step)}" for step in now if step["decision"] == kind]
        if said:
            yield f"{title} : {', '.join(said)}."
    if not now:
        yield "Aucun avis encore."


def _why(step: read.Row) -> str:
    if step["decision"] != followed.REFUSED:
        return ""
    if step["motive"] is None:
        return ", sans motif inscrit"
    return f", motif « {register_words.REASONS[step['motive']]} »"


def verdict(one: read.One, found: read.Found) -> str:
    """Return estimate, interval, other readings, method and reasons as HTML, as `impact` says."""
    asked = ""
    if one.row["least_effect"] is not None:
        asked = inline(f"Avant d'approuver, effet demandé {percent(one.row['least_effect'])} : "
                       f"{action_words.power_words(one.power)}.")  # fmt: skip
    if one.effect is None or found.rules is None:
        return f"<p>{inline(_sentence(said.told(one, found)))} {asked}</p>"
    table: pa.Table = found.tables["effects"]
    own = table.filter(
        pc.and_(pc.equal(table["scope"], "action"), pc.equal(table["key"], one.name))
    )
    _, _, estimate = impact_words.one_by_one(own, found.rules, found.impact).partition("\n\n")
    method = f"{impact_words.APART} {said.together(found)}"
    others = ""
    if line := said.beside(one):
        others = folded(line, beside_words.of_one(one.readings, found.impact))
    return f"{to_html(estimate)}{others}<p>{inline(method)}</p><p>{asked}</p>"


def after(one: read.One, found: read.Found) -> str:
    """Return the other actions at the problem and the decisions that came after, as Markdown."""
    lines = []
    for row in found.tables["tasks"].to_pylist():
        if row["problem"] == one.row["problem"] and row["action"] != one.name:
            what = action_words.RESPONSES.get(row["response"] or "", "réponse non dite")
            lines.append(f"- {row['action']}, {what} ({action_words.tier(row)}), depuis le "
                         f"{spoken(row['start'])} : {STATES[row['state']]} ; "
                         f"{problem_words.verdict(row)}.")  # fmt: skip
    for row in found.tables["followed"].to_pylist():
        if row["of"] == one.name and row["figure"] == followed.EFFECT_FIGURE:
            kind = result_words.DECISIONS[row["decision"]]
            lines.append(f"- Le {spoken(row['on'])}, {kind}, {row['action']} "
                         f"({result_words.ROLES[row['role']]}) ; ce qu'une figure disait déjà de "
                         f"{one.name} : {result_words.SAID[row['said']]}.")  # fmt: skip
    return "\n".join(lines) or ALONE
