"""What yearly numbers of staff show that is shifted, missing or copied, in French."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from helpers.core.base.french import number, plural
from helpers.core.base.markup import plain
from helpers.core.city import lists
from helpers.core.city import staff_codes as signs
from helpers.core.city.city import City
from helpers.ingest.staff_signs import Sign
from helpers.ingest.staff_tables import Staff, size

Labels = Mapping[str, str]  # field → what people call it
LISTED = 40  # of one sign, by name; the others are in the table
NONE = "Cette ville ne donne pas d'effectifs par an (`staff.yaml`)."
TITLES = {
    signs.REFUSED: "clé écrite deux fois avec des contenus différents, aucun n'est retenu",
    signs.SET_ASIDE: "ligne écartée par le contrat",
    signs.MISSING: "années absentes, jamais interpolées",
    signs.UNTOLD: "nombres que la ligne ne dit pas (« NA »), jamais zéro",
    signs.YEAR_SHIFTED: "années sans doute décalées : la population dit une autre année",
    signs.EDITION_SHIFTED: "une édition dit ce que disait la précédente, un an à côté",
    signs.COLUMN_SHIFTED: "une colonne dit ce que dit une autre, un an à côté",
    signs.COLUMN_ABSENT: "colonne absente d'une édition, qui n'en dit rien : ce que disait "
                         "une autre est gardé",
    signs.REVISED: "nombres qu'une édition change, le dernier l'emporte ; le plus grand écart "
                   "d'abord",
    signs.PLACEHOLDER: "rien que des neufs : sans doute une valeur de remplissage",
    signs.CONSTANT: "le même nombre toutes les années dites : recopie ou stabilité, rien ne le dit",
    signs.COLUMN_YEAR: "le nom de la colonne dit une autre année que ses lignes",
    signs.BRIDGE_BROKEN: "pont rompu : la population annoncée n'est pas celle de l'année d'après",
    signs.BRIDGE_MISSING: "pont absent : rien ne vérifie que ces années se suivent",
    signs.BRIDGE_COPIED: "pont sans contenu : la population de l'année d'après recopie celle de "
                         "l'année",
    signs.NO_POPULATION: "aucun pont : la source ne dit pas la population de l'année d'après",
    signs.EDITIONS_APART: "pont absent entre deux éditions : aucune année commune",
    signs.NO_OVERLAP: "pont absent entre deux décomptes : aucune année ne porte les deux",
    signs.PARTIAL: "décompte connu certaines années seulement",
    signs.JUMP: "bonds, laissés tels quels",
    signs.SWAPPED: "deux colonnes interverties une année ?",
    signs.COPIED: "mêmes nombres que l'année d'avant : recopie ou stabilité, rien ne le dit",
    signs.MERGED: "commune nouvelle, nombres additionnés de plusieurs",
    signs.POOLED: "agents mis en commun avec d'autres communes",
}  # fmt: skip


def told(found: Staff | None, city: City) -> str:
    """Return a Markdown list of the signs, one line a kind."""
    if found is None:
        return NONE
    held, rules = found.held, found.rules
    names = lists.read(city.pack, rules.names) if rules.names else {}
    fields = city.contracts[rules.source].fields
    labels = {name: rules.counts[name].label if name in rules.counts else rule.label or name
              for name, rule in fields.items()}  # fmt: skip
    rows = sum(len(series) for series in held.rows.values())
    said = [
        f"Effectifs par an : {plural(rows, 'ligne')} de {plural(len(held.rows), 'commune')}"
        + (f", de {held.years[0]} à {held.years[-1]}" if held.years else "")
        + f". {UNITS[rules.unit]} Rien n'est lissé, corrigé ni complété."
    ]
    for code, title in TITLES.items():
        of = [one for one in found.signs if one.code == code]
        if of:
            if code == signs.REVISED:
                of.sort(key=_change_size, reverse=True)
            of.sort(key=lambda one: one.commune != rules.own)  # one's own first
            items = [_item(one, labels, names) for one in of[:LISTED]]
            if len(of) > LISTED:
                rest = plural(len(of) - LISTED, "autre")
                items.append(f"{rest} dans la table `staff_signs`")
            listed = f" {plain(' ; '.join(filter(None, items)))}." if any(items) else ""
            said.append(
                f"- **{title[:1].upper()}{title[1:]}** ({number(sum(map(size, of)))}).{listed}"
            )
    if len(said) == 1:
        said.append("Aucun signe d'année décalée, de pont absent ou de recopie.")
    return f"{said[0]}\n\n" + "\n".join(said[1:])


UNITS = {
    "persons": "Ce sont des personnes.",
    "full_time": "Ce sont des équivalents temps plein.",
    "unknown": "L'unité n'est pas dite : agents ou équivalents temps plein.",
}


def _item(one: Sign, labels: Labels, names: Mapping[str, str]) -> str:
    """Return where a sign is, and the numbers that make it one."""
    where = names.get(one.commune, one.commune)
    kinds = ", ".join(labels[kind] for kind in one.kinds)
    start = ", ".join(filter(None, (where, kinds)))
    return SAID[one.code](one, start, labels)


def _change_size(one: Sign) -> float:
    """Return by how much a number is changed; one taken back, by all of it."""
    return abs((one.after or 0.0) - (one.before or 0.0))


def _years(one: Sign) -> str:
    return f"{one.first}" if one.first == one.last else f"{one.first}–{one.last}"


def _known(value: float | None) -> str:
    assert value is not None  # of signs that tell two numbers
    return number(value, 0 if value == round(value) else 1)


def _plain(one: Sign, start: str, _: Labels) -> str:
    return f"{start} ({_years(one)})"


def _nothing(_: Sign, __: str, ___: Labels) -> str:
    return ""


def _refused(one: Sign, start: str, _: Labels) -> str:
    lines = " et ".join(map(str, one.lines))
    fields = f", champs {', '.join(one.names[1:])}" if len(one.names) > 1 else ""
    return f"{start} {one.first} ({one.names[0]}, lignes {lines}{fields})"


def _aside(one: Sign, start: str, _: Labels) -> str:
    told = " ".join(filter(None, (start, f"{one.first or ''}"))) or "sans clé"
    return f"{told} ({one.names[0]}, ligne {one.lines[0]}, {one.names[1]})"


def _bridge(one: Sign, start: str, _: Labels) -> str:
    if one.first == one.last:
        return f"{start} ({one.first}, seule année)"
    told = [
        f"{number(value)} annoncés en {one.first}" if i == 0 else f"{number(value)} en {one.last}"
        for i, value in enumerate((one.before, one.after))
        if value is not None
    ]
    return f"{start} (de {one.first} à {one.last}{' : ' if told else ''}{', '.join(told)})"


def _change(one: Sign, start: str, _: Labels) -> str:
    return f"{start} ({one.first} : {_known(one.before)}, {one.last} : {_known(one.after)})"


def _revised(one: Sign, start: str, _: Labels) -> str:
    after = "non dit" if one.after is None else _known(one.after)
    return f"{start} ({one.first} : {_known(one.before)}, puis {after} dans {one.names[1]})"


def _all_years(one: Sign, start: str, _: Labels) -> str:
    return f"{start} ({_years(one)} : {_known(one.after)})"


def _absent(one: Sign, start: str, _: Labels) -> str:
    near = f", la colonne {one.lines[0]} du fichier lui ressemble" if one.lines else ""
    return f"{start} ({one.names[0]}, {_years(one)}{near})"


def _pair(one: Sign, start: str, _: Labels) -> str:
    return f"{start} ({one.first} : {_known(one.before)} et {_known(one.after)})"


def _column(one: Sign, start: str, _: Labels) -> str:
    return f"{start} (nommée {one.names[0]}, lignes de {_years(one)})"


def _overlap(one: Sign, start: str, labels: Labels) -> str:
    return f"{labels[one.names[0]]} (jusqu'en {one.first}), puis {start} (à partir de {one.last})"


def _step(one: Sign, start: str, _: Labels) -> str:
    side = "après" if one.after == 1 else "avant"
    files = f", {one.names[1]} à côté de {one.names[0]}" if one.names else ""
    return f"{start} (un an {side}{files})"


def _apart(one: Sign, _: str, __: Labels) -> str:
    return f"{one.names[0]} (jusqu'en {one.first}) et {one.names[1]} (à partir de {one.last})"


SAID: dict[str, Callable[[Sign, str, Labels], str]] = {
    signs.REFUSED: _refused, signs.SET_ASIDE: _aside, signs.MISSING: _plain, signs.UNTOLD: _plain,
    signs.YEAR_SHIFTED: _bridge, signs.EDITION_SHIFTED: _step, signs.COLUMN_SHIFTED: _step,
    signs.COLUMN_ABSENT: _absent, signs.REVISED: _revised, signs.PLACEHOLDER: _all_years,
    signs.CONSTANT: _all_years, signs.COLUMN_YEAR: _column,
    signs.BRIDGE_BROKEN: _bridge, signs.BRIDGE_MISSING: _bridge,
    signs.BRIDGE_COPIED: _plain, signs.NO_POPULATION: _nothing, signs.EDITIONS_APART: _apart,
    signs.NO_OVERLAP: _overlap, signs.PARTIAL: _plain, signs.JUMP: _change, signs.SWAPPED: _pair,
    signs.COPIED: _plain, signs.MERGED: _plain, signs.POOLED: _plain,
}  # fmt: skip
