"""`make form`: the form that a partner fills in, one page made from the contract of the city.

Lists, bounds, reasons and rules between fields are the contract's: what the form lets through, the
door accepts. The page asks for nothing outside itself: its policy allows its own script alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from helpers.core.base import aside, commands
from helpers.core.base.errors import PhareError
from helpers.core.base.french import number
from helpers.core.base.workspace import find_root
from helpers.core.city import lists
from helpers.core.city.about import EntriesRule, EventsRule
from helpers.core.city.city import City
from helpers.core.city.contract import Contract, FieldRule
from helpers.core.city.event_rules import read_rules
from helpers.workshop.command_line import Parser
from helpers.workshop.run_city import find_pack

FOLDER = Path("templates/saisie")
FILE = "formulaire.html"
SAID = {
    "incoherent:fin_avant_debut": "la fin est avant le début.",
    "incoherent:montage_apres_debut": "le montage commence après le début.",
    "incoherent:demontage_avant_fin": "le démontage finit avant la fin.",
    "incoherent:affluence_min_max": "« au plus » est en dessous de « au moins ».",
}
ASKED = ("enum", "timestamp", "int", "longitude", "latitude")  # the types that the page asks for
GROUPS = ("Qui et quoi", "Quand", "Où", "Combien de personnes")
WALL = "%Y-%m-%dT%H:%M"  # what a browser writes of a moment
NO_REASON = "ces deux réponses ne vont pas ensemble."


def asked(contract: Contract, rule: EventsRule, told: EntriesRule) -> list[str]:
    """Return the fields that a partner fills in: all but the number and the moments of the entry.

    PhareError where one of them could not be asked for in this page as the contract wants it.
    """
    own = {rule.id, told.entered, contract.revised_at}
    names = [name for name in contract.fields if name not in own]
    for name in names:
        field = contract.fields[name]
        fits = field.type in ASKED and not field.separator and field.format in ("", WALL)
        if not fits or (contract.columns(contract.every_edition()[0])[name] != name):
            raise PhareError(
                f"le formulaire ne sait pas demander « {name} »", f"contrat {contract.source}.yaml",
                f"un champ {', '.join(ASKED)}, sans `column` ni `separator` ; moments `{WALL}`",
            )  # fmt: skip
    return names


def spec(city: City) -> dict[str, Any]:
    """Return all that the page knows: fields, bounds, lists with their titles, rules, places."""
    rule = city.about.agenda.events
    if rule is None or rule.entries is None:
        raise PhareError(
            "la ville ne reçoit pas de saisies de partenaires", f"{city.pack.name}/city.yaml",
            "donner `agenda.events.entries` et sa source (docs/guides/annoncer-un-evenement.md)",
        )  # fmt: skip
    told, rules = rule.entries, read_rules(city)
    contract = city.contracts[told.source]
    names = asked(contract, rule, told)
    kept = contract.fields[rule.id]
    shown = {name: _field(city, contract.fields[name], name) for name in names}
    shown[rule.id] = {"type": "id", "pattern": kept.pattern, "label": kept.label}
    checks = [
        {"field": one.field, "other": one.other, "at_least": one.at_least is not None,
         "reason": one.reason, "said": SAID.get(one.reason, NO_REASON)}
        for one in contract.checks if one.field in names and one.other in names
    ]  # fmt: skip
    due = {kind: max(m.due_h for m in one.measures)
           for kind, one in (rules.classes if rules else {}).items() if one.measures}  # fmt: skip
    return {
        "fields": shown, "asked": names, "checks": checks, "records": contract.file.records,
        "since": contract.since, "until": contract.until, "id": rule.id, "entered": told.entered,
        "revised": contract.revised_at, "start": rule.start, "end": rule.end, "kind": rule.kind,
        "zone": told.zone,
        "point": [rule.longitude, rule.latitude], "due": due,
        "venues": [one.model_dump() for one in (rules.venues if rules else ())],
    }  # fmt: skip


def _field(city: City, field: FieldRule, name: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": field.type, "required": field.required, "label": field.label or name,
        "unit": field.unit, "minimum": field.minimum, "maximum": field.maximum,
    }  # fmt: skip
    if field.type == "enum":
        rule = city.about.agenda.events
        titles: dict[str, str] = lists.read(city.pack, field.list) if field.list else {}
        if rule and rule.entries and not field.list:
            titles = {**rule.titles, **rule.entries.titles}
        pairs = [(code, titles.get(code, code.replace("_", " "))) for code in field.values]
        told["values"] = sorted(pairs, key=lambda one: one[1].casefold()) if field.list else pairs
    return told


def page(city: City, root: Path) -> str:
    """Return the page, whole: the same bytes from the same pack and templates."""
    known = spec(city)
    texts = {kind: (root / FOLDER / f"formulaire.{kind}").read_text(encoding="utf-8")
             for kind in ("html", "css", "js")}  # fmt: skip
    policy = f"script-src {_digest(texts['js'])}; style-src {_digest(texts['css'])}"
    data = json.dumps(known, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")
    return Template(texts["html"]).substitute(
        title=escape(city.about.title), policy=policy, style=texts["css"], script=texts["js"],
        spec=data, fields=_groups(known),
    )  # fmt: skip


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _groups(known: dict[str, Any]) -> str:
    """Return the controls, in the contract's order, by what they ask."""
    parts: dict[str, list[str]] = {title: [] for title in GROUPS}
    if known["venues"]:
        options = "".join(f'<option value="{i}">{escape(one["title"])}</option>'
                          for i, one in enumerate(known["venues"]))  # fmt: skip
        parts["Où"].append(
            '<p><label for="venue">Lieu connu (remplit le quartier et le point)</label><select '
            f'id="venue"><option value="">Aucun de ceux-là</option>{options}</select></p>'
        )
    for name in known["asked"]:
        parts[_group(name, known)].append(_control(name, known["fields"][name]))
    return "\n".join(
        f"<fieldset><legend>{title}</legend>\n" + "\n".join(controls) + "\n</fieldset>"
        for title, controls in parts.items() if controls
    )  # fmt: skip


def _group(name: str, known: dict[str, Any]) -> str:
    kind = known["fields"][name]["type"]
    if name in (*known["point"], known["zone"]):
        return "Où"
    return {"timestamp": "Quand", "int": "Combien de personnes"}.get(kind, "Qui et quoi")


def _control(name: str, field: dict[str, Any]) -> str:
    need = "" if field["required"] else " (facultatif)"
    told = f'id="{name}" name="{name}" aria-describedby="{name}-hint {name}-why"'
    told += ' aria-required="true"' if field["required"] else ""
    hint = ""
    if field["type"] == "enum":
        options = "".join(f'<option value="{escape(code)}">{escape(title)}</option>'
                          for code, title in field["values"])  # fmt: skip
        control = f'<select {told}><option value="">Choisir…</option>{options}</select>'
    elif field["type"] == "timestamp":
        control, hint = f'<input type="datetime-local" {told}>', "Heure de la ville."
    else:
        mode = "numeric" if field["type"] == "int" else "decimal"
        control = f'<input type="text" inputmode="{mode}" autocomplete="off" {told}>'
        digits = 0 if field["type"] == "int" else 1
        ends = f"de {number(field['minimum'], digits)} à {number(field['maximum'], digits)}"
        hint = f"{field['unit']}, {ends}"
        hint = hint[:1].upper() + hint[1:]
    return (
        f'<p><label for="{name}">{escape(field["label"])}{need}</label>{control}'
        f'<span class="hint" id="{name}-hint">{escape(hint)}</span>'
        f'<span class="why" id="{name}-why"></span></p>'
    )


@commands.told
def main(arguments: list[str] | None = None) -> int:
    """Write the form of a city; return the command's exit code."""
    parser = Parser(prog="python -m helpers.workshop.entry_form")
    parser.add_argument("city")
    parser.add_argument("--to", type=Path)
    given = parser.parse_args(arguments)
    root = find_root()
    name, pack = find_pack(root, given.city)
    path = given.to or root / "data" / name / "saisie" / FILE
    text = page(City(pack), root)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside.write(path, text.encode())
    print(f"Formulaire à remettre aux partenaires : {path}")
    return 0


if __name__ == "__main__":
    commands.begin()
    sys.exit(main())
