"""The account of a period, in French: Markdown for the notebook and the council, CSV for both."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from helpers.core.base.french import number, plural, spoken
from helpers.core.base.markup import plain
from helpers.core.city.city import City
from helpers.core.stage.action_words import (
    EXPLORATORY,
    VERDICTS,
    basis,
    exploratory,
    quarter_name,
    size,
)
from helpers.register import words as register_words
from helpers.results import account, followed
from helpers.results.knobs import Knobs

Row = Mapping[str, Any]
NO_REGISTER = (
    "Cette ville n'a pas de registre des décisions parmi ses sources "
    "(`make register-snapshot`) : ce qui a été décidé n'est pas connu."
)
NONE = "Aucune action menée sur cette période."
JUDGED = account.VERDICTS.items()
BY = {"tier": "Par palier", "theme": "Par thème", "quarter": "Par trimestre"}
DECISIONS = {
    followed.PROPOSED: "proposition", followed.RENEWED: "prolongation",
    followed.CHANGED: "hypothèse changée", followed.APPROVED: "accord", followed.REFUSED: "refus",
}  # fmt: skip
SAID = {**VERDICTS, followed.SEEN: "effet demandé assez sûr d'être vu",
        followed.UNSEEN: "effet demandé pas assez sûr d'être vu"}  # fmt: skip
TIERS: Mapping[str, str] = {str(code): told for code, told in register_words.TIERS.items()}
ROLES: Mapping[str, str] = {str(code): told for code, told in register_words.ROLES.items()}
CSV = {
    "action": "action", "problem": "problème", "tier": "palier", "theme": "thème",
    "sector": "secteur", "quarter": "trimestre commençant le", "days": "jours",
    "planned": "heures prévues", "told_planned": "heures prévues selon la source des actions",
    "done": "heures faites", "done_low": "heures faites, au moins",
    "done_high": "heures faites, au plus", "told": "heures selon le service",
    "existing": "heures de patrouille du secteur, aux semaines et plages de l'action",
    "verdict": "effet", "ratio": "rapport",
    "low": "rapport, au moins", "high": "rapport, au plus", "exploratory": "exploratoire",
    "why": "pourquoi exploratoire", "delivered": "dans la source des actions",
}  # fmt: skip
TRUST = (
    "Une heure prévue est celle du registre, à défaut celle de la source des actions. Une heure "
    "faite est estimée d'après les vacations du secteur ; ce que dit un service de lui-même est à "
    "part. Un effet sans inscription préalable est exploratoire. « Pas d'effet "
    "démontré » et « non concluant » sont montrés comme les effets."
)


@dataclass(frozen=True)
class Told:
    """The tables of `results`, what zones are called, and the period (days, both included)."""

    account: pa.Table
    sums: pa.Table
    followed: pa.Table
    city: City
    names: Mapping[str, str]
    period: tuple[dt.date, dt.date]
    has_register: bool
    aside: str = ""  # what of the source of actions is not in the account, as Markdown
    dose: str = ""  # whether effects grow with hours, as Markdown (`with_dose`)

    def key(self, by: str, key: str) -> str:
        """Return what a sum's key is called."""
        if key == account.NOT_KNOWN:
            return "non dit"
        if by == "tier":
            return TIERS[key]
        if by == "quarter":
            return quarter_name(dt.date.fromisoformat(key))
        return plain(self.city.themes[key].title) if key in self.city.themes else "thème ôté"


def answer(told: Told) -> str:
    """Return the answer as Markdown: the whole period in a few sentences."""
    parts = [] if told.has_register else [NO_REGISTER]
    whole = told.sums.to_pylist()[0]
    days = f"du {spoken(told.period[0])} au {spoken(told.period[1])}"
    if not whole["actions"]:
        none = f"{days.capitalize()} : {NONE[0].lower()}{NONE[1:]}"
        return "\n\n".join([*parts, none]) + told.aside
    parts.append(
        f"{days.capitalize()}, **{basis(whole['actions'], whole['delivered'])}**. Heures d'agents "
        f": {hours(whole['planned'])} prévues, {_shown(whole)} faites d'après les "
        f"vacations{_unmeasured(whole)}."
    )
    parts.append(f"**Effets** : {verdicts(whole)}.{_exploratory(whole)}")
    return "\n\n".join([*parts, TRUST]) + told.aside


def _shown(row: Row) -> str:
    """Return the hours that rosters show as done, with the ends that those of actions add up to."""
    if row["done"] is None:
        return hours(None)
    return f"{hours(row['done'])} (de {hours(row['done_low'])} à {hours(row['done_high'])})"


def _unmeasured(row: Row) -> str:
    if not row["unmeasured"]:
        return ""
    return (f" (sans mesure pour {plural(row['unmeasured'], 'action')} ; selon les services, "
            f"{hours(row['told'])} en tout)")  # fmt: skip


def _exploratory(row: Row) -> str:
    n = row["exploratory"]
    return f" Exploratoire pour {plural(n, 'action')}." if n else ""


def verdicts(row: Row) -> str:
    """Return how many actions had each verdict, nulls told as effects are."""
    names = {name: VERDICTS[code] if code else "non mesuré" for name, code in JUDGED}
    return " ; ".join(f"{told} {row[name]}" for name, told in names.items())


def totals(told: Told) -> str:
    """Return the sums as Markdown tables: by tier, theme and quarter."""
    rows = told.sums.to_pylist()
    if not rows[0]["actions"]:
        return NONE
    parts = []
    for by, title in BY.items():
        head = title.removeprefix("Par ")
        lines = [f"### {title}", "",
                 f"| {head} | actions | h prévues | h faites | sans mesure | effets |",
                 "|---|---|---|---|---|---|"]  # fmt: skip
        lines += [
            f"| {told.key(by, row['key'])} | {row['actions']} | {hours(row['planned'])} | "
            f"{_shown(row)} | {row['unmeasured']} | {verdicts(row)} |"
            for row in rows if row["by"] == by
        ]  # fmt: skip
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def one_by_one(told: Told) -> str:
    """Return a Markdown table, a row an action of the period."""
    by_action: dict[str, list[Row]] = {}
    for row in told.account.to_pylist():
        by_action.setdefault(row["action"], []).append(row)
    if not by_action:
        return NONE
    lines = [
        "« h du secteur » : celles que les vacations y montrent, aux semaines et aux plages de "
        "l'action, si sa réponse patrouille ; une semaine incomplète est à la moyenne des autres.",
        "",
        "| action | h prévues | h faites | h du secteur | effet |",
        "|---|---|---|---|---|",
    ]
    for name, rows in sorted(by_action.items()):
        planned, have = _planned(rows), _total(rows, "existing")
        lines.append(f"| {name} ({_about(rows[0], told)}) | {planned} | {_done(rows)} | {have} | "
                     f"{effect(rows[0])} |")  # fmt: skip
    return "\n".join(lines)


def _about(row: Row, told: Told) -> str:
    sector = plain(told.names.get(row["sector"] or "", row["sector"] or "secteur inconnu"))
    theme = told.key("theme", row["theme"] or account.NOT_KNOWN)
    return f"{told.key('tier', row['tier'] or account.NOT_KNOWN)}, {theme}, {sector}"


def _planned(rows: list[Row]) -> str:
    own, told = _total(rows, "planned"), _total(rows, "told_planned")
    if rows[0]["told_planned"] is None or own == told:
        return own
    return f"{own} ({told} selon la source des actions)"


def _total(rows: list[Row], name: str) -> str:
    return hours(account.tenths(row[name] for row in rows))


def hours(value: float | None) -> str:
    """Return hours as a number, or that they are not known."""
    return "non connues" if value is None else number(value)


def _done(rows: list[Row]) -> str:
    if rows[0]["done"] is None:
        told = rows[0]["told"]
        return "sans mesure" if told is None else f"sans mesure ({_total(rows, 'told')} dites)"
    return _shown({n: account.tenths(row[n] for row in rows) for n in account.DONE_HOURS})


def effect(row: Row) -> str:
    """Return what is said of an action's effect, from a row of ACCOUNT."""
    if row["verdict"] is None:
        return "non mesuré"
    ends = size(row["ratio"], row["low"], row["high"])
    mark = exploratory(row["exploratory"], row["why"])
    return f"**{VERDICTS[row['verdict']]}**{ends}{mark}"


def with_dose(found: pa.Table, knobs: Knobs) -> str:
    """Return, as Markdown, whether effects grow with the hours done: a table of BY_DOSE."""
    (row,) = found.to_pylist()
    known = plural(row["actions"], "action")
    if row["reason"]:
        return (f"**Selon la dose** : rien n'est dit ({known} dont la dose et l'effet sont "
                f"connus ; il en faut {knobs.minimum_doses}, de doses différentes).")  # fmt: skip
    said = "rien ne montre que l'effet croisse avec les heures"
    if row["high"] < 1:
        said = "plus les heures ajoutées sont nombreuses, moins il reste de faits"
    elif row["low"] > 1:
        said = "plus les heures ajoutées sont nombreuses, moins l'effet est grand"
    return (f"**Selon la dose** : {said}. Pour {number(row['step_h'])} h par semaine de plus, "
            f"rapport {number(row['ratio'], 2)} (de {number(row['low'], 2)} à "
            f"{number(row['high'], 2)}), d'une action à l'autre ({known}, de "
            f"{number(row['least_h'])} à {number(row['most_h'])} h, toutes périodes). "
            "*Exploratoire* : les doses n'ont pas été tirées au sort.")  # fmt: skip


def decided(told: Told) -> str:
    """Return which decisions of the period followed which figure, as a Markdown table."""
    rows = told.followed.to_pylist()
    if not rows:
        return NO_REGISTER if not told.has_register else "Aucune décision sur cette période."
    intro = ("L'ordre dans le temps, rien de plus : le registre ne dit pas ce qui a fait décider. "
             "Une figure se refait par `make figure NAME=…`.")  # fmt: skip
    lines = [
        intro,
        "",
        "| jour | décision | par | ce qu'une figure disait déjà |",
        "|---|---|---|---|",
    ]
    for seq in dict.fromkeys(row["entry"] for row in rows):
        own = [row for row in rows if row["entry"] == seq]
        one = own[0]
        said = " ; ".join(
            f"`{row['figure']}`, {row['of']} : {SAID[row['said']]}"
            f"{exploratory(row['exploratory'], None)}" for row in own if row["figure"]
        )  # fmt: skip
        lines.append(f"| {one['on']:%d/%m/%Y} | {DECISIONS[one['decision']]}, {one['action']} | "
                     f"{ROLES[one['role']]} | {said or 'rien'} |")  # fmt: skip
    return "\n".join(lines)


def report(told: Told) -> tuple[str, str]:
    """Return the title and the Markdown of the council's report."""
    title = f"Compte rendu des actions, du {spoken(told.period[0])} au {spoken(told.period[1])}"
    parts = [
        answer(told), "## Les sommes", totals(told).replace("### ", "#### "),
        "## Action par action", one_by_one(told), told.dose,
        "## Les décisions, et les figures d'avant", decided(told),
    ]  # fmt: skip
    return title, "\n\n".join(part for part in parts if part)


def as_csv(told: Told) -> str:
    """Return the account as CSV for a spreadsheet in French: semicolons, decimal commas."""
    written = io.StringIO()
    rows = csv.writer(written, delimiter=";", lineterminator="\n")
    rows.writerow(CSV.values())
    for row in told.account.to_pylist():
        rows.writerow([_cell(name, row[name], told) for name in CSV])
    return written.getvalue()


def _cell(name: str, value: Any, told: Told) -> str:
    if value is None:
        return ""
    match name:
        case "tier":
            return TIERS[value]
        case "theme":
            return told.city.themes[value].title if value in told.city.themes else str(value)
        case "sector":
            return told.names.get(value, value)
        case "verdict":
            return VERDICTS[value]
        case "why":
            return EXPLORATORY[value]
        case "exploratory" | "delivered":
            return "oui" if value else "non"
    return str(value).replace(".", ",") if isinstance(value, float) else str(value)
