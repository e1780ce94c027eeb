"""The commune's yearly staff, told in French."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from helpers.allocation.staff import LATER, LIKE, OWN
from helpers.core.base.french import number
from helpers.core.base.markup import plain
from helpers.core.city import lists, staff_codes
from helpers.core.city.city import City
from helpers.core.city.staff_rules import StaffRules

NOT_HOURS = (
    "Un effectif n'est pas un nombre d'heures ni d'agents présents : aucune heure n'en est tirée, "
    "et le plan n'en tient pas compte."
)
NONE = "Cette ville ne donne pas d'effectifs par an (`staff.yaml`)."
NO_OWN = "`own` de staff.yaml ne dit pas la commune de la ville : aucun effectif n'est montré."
UNKNOWN = "aucun nombre connu"
UNITS = {
    "persons": "en personnes",
    "full_time": "en équivalents temps plein",
    "unknown": "unité non dite par la source (personnes ou équivalents temps plein)",
}
WHY = {
    staff_codes.YEAR_SHIFTED: "années sans doute décalées",
    staff_codes.EDITION_SHIFTED: "une édition est décalée d'un an",
    staff_codes.COLUMN_SHIFTED: "une colonne est décalée d'un an",
    staff_codes.COLUMN_YEAR: "la colonne dit une autre année",
    staff_codes.COLUMN_ABSENT: "la colonne manque dans une édition de cette année",
    staff_codes.REVISED: "revu par la dernière édition",
    staff_codes.PLACEHOLDER: "rien que des neufs : une valeur de remplissage ?",
    staff_codes.CONSTANT: "le même nombre toutes les années",
    staff_codes.BRIDGE_BROKEN: "pont rompu avec une année voisine",
    staff_codes.BRIDGE_MISSING: "pont absent avec une année voisine",
    staff_codes.BRIDGE_COPIED: "aucun pont vers l'année d'après",
    staff_codes.NO_POPULATION: "aucun pont entre les années",
    staff_codes.JUMP: "bond d'un an à l'autre",
    staff_codes.SWAPPED: "deux colonnes interverties ?",
    staff_codes.COPIED: "mêmes nombres que l'année d'avant",
    staff_codes.MERGED: "commune nouvelle",
    staff_codes.POOLED: "agents mis en commun",
}


def told(found: pa.Table, rules: StaffRules | None, city: City) -> str:
    """Return, in Markdown, one line a kind of staff, and where the numbers come from."""
    if rules is None:
        return NONE
    if not rules.own:
        return NO_OWN
    names = lists.read(city.pack, rules.names) if rules.names else {}
    rows = found.to_pylist()
    lines = [
        f"- {_line([row for row in rows if row['kind'] == kind], plain(count.label), names)}"
        for kind, count in rules.counts.items()
    ]
    contract = city.contracts[rules.source]
    return (
        f"{plain(names.get(rules.own, rules.own))}, {UNITS[rules.unit]}. {NOT_HOURS}\n\n"
        + "\n".join(lines)
        + f"\n\nSource : {plain(contract.attribution)}. Les communes de population comparable sont "
        "données sans classement : leurs missions ne sont pas les mêmes."
    )


def _line(rows: Sequence[Mapping[str, Any]], label: str, names: Mapping[str, str]) -> str:
    own = next((row for row in rows if row["role"] == OWN), None)
    later = next((row for row in rows if row["role"] == LATER), None)
    said = [f"**{label[:1].upper()}{label[1:]}** : {_own(own) if own else _without(later)}."]
    if own and later:
        said.append(
            f"Laissé de côté, {_value(later)} en {later['year']} (note "
            f"{later['grade']}, {_why(later)})."
        )
    like = [row for row in rows if row["role"] == LIKE and row["per_thousand"] is not None]
    if like and own and own["value"]:
        beside = [
            f"{plain(names.get(row['commune'], row['commune']))} ({number(row['per_thousand'], 2)})"
            for row in like
        ]
        said.append(f"Population comparable, pour 1\u202f000 habitants : {', '.join(beside)}.")
    return " ".join(said)


def _value(row: Mapping[str, Any]) -> str:
    value: float = row["value"]
    return number(value, 0 if value == round(value) else 1)


def _own(row: Mapping[str, Any]) -> str:
    """Return the number with its year, its grade, and what it is for a thousand inhabitants."""
    note = f"note {row['grade']}" + (f", {_why(row)}" if row["signs"] else "")
    text = f"{_value(row)} en {row['year']} ({note})"
    if row["per_thousand"] is not None and row["value"]:
        text += f", soit {number(row['per_thousand'], 2)} pour 1\u202f000 habitants"
    return text


def _without(later: Mapping[str, Any] | None) -> str:
    if later is None:
        return UNKNOWN
    return (
        f"aucune année à qui se fier ; la dernière dit {_value(later)} en {later['year']} "
        f"(note {later['grade']}, {_why(later)})"
    )


def _why(row: Mapping[str, Any]) -> str:
    return ", ".join(WHY[code] for code in row["signs"])
