"""What `actions` found, in French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from helpers.actions import dose, power, states, tiers
from helpers.actions.knobs import Knobs
from helpers.actions.known import Known
from helpers.core.base.french import number, percent, plural, spoken
from helpers.core.base.markup import plain, verbatim
from helpers.core.city.city import City
from helpers.core.stage.action_words import (
    EXPLORATORY,
    STATES,
    basis,
    last_day,
    least,
    planned,
    quarter_name,
)
from helpers.register import beforehand
from helpers.register import words as register_words

Row = Mapping[str, Any]
NO_REGISTER = (
    "Cette ville n'a pas de registre des décisions parmi ses sources "
    "(`make register-snapshot`) : rien de ce qui a été décidé n'est connu ici."
)
NONE = "Aucune action connue."
TIERS: Mapping[str, str] = {str(code): told for code, told in register_words.TIERS.items()}
RESPONSES: Mapping[str, str] = {str(k): told for k, told in register_words.RESPONSES.items()}
GATES = {
    states.LOWEST: "premier palier",
    states.LOWER_TRIED: "un palier inférieur avait déjà commencé sur ce problème",
    states.UNREGISTERED: "rien au registre : nul ne sait si un palier inférieur avait été essayé",
}
FAR = 3  # times the planned dose
NO_DOSE = {
    dose.NO_HOURS: "la ville ne dit pas ses heures de patrouille",
    dose.NO_SECTOR: "son secteur n'a pas d'heures connues",
    dose.NOT_PATROL: "les vacations de patrouille n'en disent rien",
    dose.TOO_SHORT: "trop peu de semaines connues",
    dose.TOGETHER: "une autre action du secteur a eu lieu aux mêmes semaines",
    dose.NOT_BEGUN: "rien à compter",
}
NO_POWER = {
    power.NO_PLACE: "ni lieu ni zone connus",
    power.LEFT_OUT: "aucun thème en service ne compte ces faits",
    power.TOO_SHORT: "trop peu de semaines connues avant la proposition",
    power.SILENT: "la source s'est tue là trop de semaines avant la proposition",
}


def answer(table: pa.Table, seen: pa.Table, known: Known) -> str:
    """Return the answer as Markdown: how many of each state, what to look at."""
    rows = table.to_pylist()
    parts = [] if known.has_register else [NO_REGISTER]
    if not rows:
        return "\n\n".join([*parts, NONE])
    counted = {s: [r for r in rows if r["state"] == s] for s in STATES}
    told = " ; ".join(f"{len(held)} {_agreed(STATES[s], len(held))}"
                     for s, held in counted.items() if held)  # fmt: skip
    parts.append(f"**{plural(len(rows), 'action')}** au {spoken(known.today)}{_base(rows)} : "
                 f"{told}.")  # fmt: skip
    return "\n\n".join([*parts, *_warnings(rows, seen.to_pylist(), counted, known)])


def _base(rows: Sequence[Row]) -> str:
    told = sum(bool(row["delivered"]) for row in rows)
    alone = len(rows) - told
    if not told:
        return " (d'après le registre seul)"
    more = f" ; {number(alone)} d'après le registre seul" if alone else ""
    return f" ({number(told)} d'après la source des actions{more})"


def _agreed(told: str, count: int) -> str:
    if count < 2 or told == STATES["running"]:
        return told
    return " ".join(f"{word}s" if word.endswith(("ée", "te")) else word for word in told.split())


def _warnings(
    rows: Sequence[Row], seen: Sequence[Row], counted: Mapping[str, Sequence[Row]], known: Known
) -> list[str]:
    found = []
    twice = [r["action"] for r in rows if r["twice"]]
    if twice:
        found.append(f"**Numéro porté par plusieurs lignes de la source** : {', '.join(twice)}. Ce "
                     "qui en est dit est d'une seule de ces lignes ; son effet n'est pas lu."
                     )  # fmt: skip
    changed = [r["action"] for r in rows if r["changed"]]
    if changed:
        found.append(f"**Hypothèse changée après le début** : {', '.join(changed)}. "
                     "Ce qui en est dit ensuite est exploratoire.")  # fmt: skip
    late = [r["action"] for r in rows if r["entry"] and not r["registered_before"]]
    if late:
        found.append(f"**Enregistrée après le début** : {', '.join(late)}.")
    if counted["unregistered"] and known.has_register:
        names = ", ".join(r["action"] for r in counted["unregistered"])
        found.append(f"**Menée sans rien au registre** : {names}. Son effet ne peut être lu "
                     "qu'à titre exploratoire.")  # fmt: skip
    for why in (beforehand.OTHER_FACTS, beforehand.PART_OF_FACTS):
        those = [r["action"] for r in rows if r["exploratory"] == why]
        if those:
            found.append(f"**{EXPLORATORY[why].capitalize()}** : {', '.join(those)}. "
                         "Ce qui en est dit est exploratoire.")  # fmt: skip
    state_of = {r["action"]: r["state"] for r in rows}
    ahead = [s for s in seen if state_of[s["action"]] in ("proposed", "approved", "running")]
    unseen = [s for s in ahead if s["seen"] is False]
    if unseen:
        names = ", ".join(f"{s['action']} ({_needed(s)})" for s in unseen)
        found.append(
            f"**À revoir avant d'approuver ou de poursuivre** : {names}. Avec les faits comptés "
            "là, l'effet demandé n'est pas assez sûr d'être vu ; entre parenthèses, la baisse qui "
            f"le serait dans {percent(unseen[0]['power'])} des cas."
        )
    return found


def _needed(asked: Row) -> str:
    return "trop peu de faits" if asked["detectable"] is None else least(asked["detectable"])


def one_by_one(
    table: pa.Table, doses: pa.Table, seen: pa.Table, city: City, names: Mapping[str, str]
) -> str:
    """Return a Markdown table, a row an action, the latest first; `names` are those of zones."""
    beside = zip(table.to_pylist(), doses.to_pylist(), seen.to_pylist(), strict=True)
    rows = sorted(beside, key=lambda one: (one[0]["start"], one[0]["action"]), reverse=True)
    if not rows:
        return NONE
    head = ["action", "réponse", "lieu", "jours", "état", "passage du palier", "but", "dose"]
    lines = [head, ["---"] * len(head), *(_cells(*one, city, names) for one in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cells(row: Row, done: Row, asked: Row, city: City, names: Mapping[str, str]) -> list[str]:
    where = plain(names.get(row["zone"] or "", row["zone"] or "lieu inconnu"))
    theme = city.themes[row["theme"]].title if row["theme"] in city.themes else "thème inconnu"
    what = RESPONSES.get(row["response"] or "", "réponse non dite")
    return [
        f"**{row['action']}** ({row['problem'] or 'sans problème'})",
        f"{tier(row)}, {what}",
        where,
        f"{row['start']:%d/%m/%Y} – {last_day(row['end_in_force'], row['end'], row['renewals'])}",
        f"**{STATES[row['state']]}**{_changed(row)}",
        gate(row),
        f"{plain(theme)} : {_held(row, asked)}",
        dose_words(row, done),
    ]


def tier(row: Row) -> str:
    """Return the tier of an action."""
    return TIERS.get(row["tier"] or "", "palier inconnu")


def gate(row: Row) -> str:
    """Return by what an action went through the gate of tiers."""
    if row["gate"] == states.JUSTIFIED:
        reason = register_words.REASONS[row["justification"]]
        return f"sans palier inférieur essayé, motif « {reason} »"
    return GATES[row["gate"]]


def _held(row: Row, asked: Row) -> str:
    if row["least_effect"] is None:
        return "aucun but inscrit"
    told = (f"but {percent(row['fall'])} de moins, effet détectable demandé "
            f"{percent(row['least_effect'])}")  # fmt: skip
    return f"{told}, {power_words(asked)}"


def power_words(asked: Row) -> str:
    """Return how sure the effect asked for is to be seen, and by what, from a row of POWERS."""
    if asked["reason"] == power.TOO_FEW:
        held = plural(asked["facts"] or 0, "fait")
        return (f"trop peu de faits pour la juger seule ({held} du {asked['first']:%d/%m/%Y} au "
                f"{asked['last']:%d/%m/%Y}, les semaines que la comparaison prendrait pour celles "
                f"d'avant ; {_counted(asked)})")  # fmt: skip
    if asked["reason"]:
        return f"sans calcul possible ({NO_POWER[asked['reason']]})"
    fall, sure = least(asked["detectable"]), percent(asked["power"])
    if asked["seen"]:
        return (f"assez sûr d'être vu (une baisse de {fall} le serait dans {sure} des cas ; "
                f"{_counted(asked)})")  # fmt: skip
    return (f"pas assez sûr d'être vu (pour l'être dans {sure} des cas, il faudrait une baisse de "
            f"{fall} ; {_counted(asked)})")  # fmt: skip


def _counted(asked: Row) -> str:
    where = "autour du lieu" if asked["area"] == power.CIRCLE else "dans toute la zone"
    if asked["category"]:
        return f"compté sur les faits {verbatim(asked['category'])}, {where}"
    return (f"compté sur tout le thème, {where} : la source des actions ne dit pas la nature des "
            "faits visés")  # fmt: skip


def dose_words(row: Row, done: Row) -> str:
    """Return the dose, planned and done, from a row of STATES and one of DOSES."""
    said = "non dite"
    if row["planned_h"] is not None:
        said = planned(row["planned_h"], row["told_planned_h"])
    said = f"dose prévue {said}"
    if done["reason"] == dose.NOT_BEGUN:
        return said
    if done["reason"]:
        told = (
            "non dite" if row["told_h"] is None else f"{number(row['told_h'])} h selon le service"
        )
        beyond = _beyond(row["planned_h"], row["told_h"])
        return f"{said}, faite {told}{beyond} (sans mesure : {NO_DOSE[done['reason']]})"
    ends = f"de {number(done['done_low'])} à {number(done['done_high'])}"
    beyond = _beyond(row["planned_h"], done["done_low"])
    return (f"{said}, faite {number(done['done_h'])} h ({ends}){beyond} sur les "
            f"{number(done['existing_h'])} h de patrouille du secteur à ces plages")  # fmt: skip


def _beyond(planned_h: float | None, done_h: float | None) -> str:
    """Return what is said of a dose done so far above the planned one that one may be mistyped."""
    if not planned_h or done_h is None or done_h <= FAR * planned_h:
        return ""
    return ", **bien plus que prévu : l'un des deux nombres est à vérifier**"


def _changed(row: Row) -> str:
    if not row["changed"]:
        return ""
    what = ", ".join(register_words.CHANGED[name] for name in row["changed"])
    entries = ", ".join(map(str, row["changed_by"]))
    return f" ; **hypothèse changée après le début** : {what} (inscription {entries})"


def shares(found: pa.Table, knobs: Knobs) -> str:
    """Return the share of each tier as Markdown: the whole period, then each quarter told."""
    rows = found.to_pylist()
    lines = []
    for quarter in dict.fromkeys(row["quarter"] for row in rows):
        held = [row for row in rows if row["quarter"] == quarter]
        if not held[0]["of"]:
            continue
        name = "Toute la période" if quarter is None else quarter_name(quarter)
        count = plural(held[0]["of"], "action")
        if held[0]["status"] == tiers.TOO_FEW:
            parts = ", ".join(f"{TIERS[row['tier']]} {row['actions']}" for row in held)
            lines.append(f"- **{name}** ({count}) : {parts} ; trop peu pour une part.")
            continue
        parts = ", ".join(
            f"{TIERS[row['tier']]} {percent(row['share'])} (de {percent(row['low'])} à "
            f"{percent(row['high'])})" for row in held
        )  # fmt: skip
        lines.append(f"- **{name}** ({count}) : {parts}.")
    if not lines:
        return NONE
    whole = next(row for row in rows if row["quarter"] is None)
    base = f"Comptées : {basis(whole['of'], whole['told'])}."
    rule = f"Sous {plural(knobs.minimum_actions, 'action')}, aucune part n'est dite."
    return "\n".join([f"{base} {rule}", "", *lines])
