"""What came in, and what was refused at the door, in words."""

from __future__ import annotations

from typing import Any

from helpers.core.base.french import number, plural
from helpers.core.base.markup import plain, verbatim
from helpers.core.city.city import City
from helpers.core.city.names import LISTED, NAMES


def receipts(received: dict[str, dict[str, Any]]) -> str:
    """Return the receipts as a Markdown table, one line a file."""
    lines = [
        "| source | fichier reçu | édition | lignes | octets | SHA-256 | colonnes refusées "
        "| non nommées | valeurs retirées |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, receipt in received.items():
        for one in receipt["files"]:
            refused = ", ".join(verbatim(column) for column in one["columns_refused"]) or "aucune"
            others = number(len(one["columns_not_named"])) if one["columns_not_named"] else "aucune"
            lines.append(
                f"| {plain(name)} | {plain(one['file'])} | {plain(one['edition'])} | "
                f"{number(one['rows'])} | {number(one['size'])} | `{one['sha256'][:12]}…` | "
                f"{refused} | {others} | {number(sum(one['personal'].values()))} |"
            )
    return "\n".join(lines)


def contracts(city: City) -> str:
    """Return what each source is for, by what right it is kept and how long, and its caveats."""
    lines = [
        "| source | à quoi elle sert | de quel droit | conservation | convention | réserves |",
        "|---|---|---|---|---|---|",
    ]
    for contract in city.contracts.values():
        caveats = " ; ".join(caveat.rstrip(".") for caveat in contract.caveats) or "aucune"
        sample = "**échantillon, jamais un total** ; " if contract.coverage == "sample" else ""
        lines.append(
            f"| {plain(contract.title)} | {plain(contract.purpose)} | "
            f"{plain(contract.legal_basis)} | {plain(contract.retention)} | "
            f"{plain(contract.convention or 'sans objet')} | {sample}{plain(caveats)} |"
        )
    return "\n".join(lines)


def published(city: City) -> str:
    """Return the published figures of the pack as a Markdown table, or a sentence without any."""
    if not city.about.published_figures:
        return "Aucun chiffre publié n'est noté pour cette ville."
    lines = ["| chiffre publié | valeur | année | source |", "|---|---|---|---|"]
    for one in city.about.published_figures:
        value = number(one.value, 0 if one.value == int(one.value) else 2)
        lines.append(
            f"| {plain(one.label)} | {value} {plain(one.unit)} | {one.year or ''} | "
            f"{plain(one.source)} |"
        )
    return "\n".join(lines)


def answer(received: dict[str, dict[str, Any]]) -> str:
    """Return the answer: how much came in, what was refused or taken away, and why."""
    rows = sum(receipt["rows"] for receipt in received.values())
    files = sum(len(receipt["files"]) for receipt in received.values())
    lines = [f"{plural(files, 'fichier')} et {plural(rows, 'ligne')} sont entrés."]
    refused = [
        f"- {verbatim(column)} ({plain(name)}) : {plain(reason.rstrip('.'))}."
        for name, receipt in received.items()
        for column, reason in receipt["columns_refused"].items()
    ]
    if refused:
        lines += ["", "Colonnes refusées à la porte, et écrites nulle part :", "", *refused]
    else:
        lines.append("Aucune colonne présente n'était à refuser.")
    lines += [*_columns(received), *_layouts(received)]
    met = [
        f"- {plain(name)} : {plural(n, 'valeur')} ({plain(reason.replace(':', ', champ '))})."
        for name, receipt in received.items()
        for reason, n in receipt["personal"].items()
    ]
    if met:
        lines += [
            "",
            "Données personnelles reconnues dans des colonnes permises, retirées à la porte ; "
            "leurs lignes sont écartées :",
            "",
            *met,
        ]
    return "\n".join(lines)


def _columns(received: dict[str, dict[str, Any]]) -> list[str]:
    """Return which columns of the contract a file writes otherwise, and which it does not have."""
    lines = []
    for name, receipt in received.items():
        for one in receipt["files"]:
            where = f"{plain(name)}, {plain(one['file'])}"
            otherwise, absent = one["columns_otherwise"], one["fields_absent"]
            if otherwise:
                listed = ", ".join(map(verbatim, otherwise))
                read = "lue" if len(otherwise) == 1 else "lues"
                lines.append(
                    f"- {where} : {plural(len(otherwise), 'colonne')} dont le nom s'écrit "
                    f"autrement (apostrophe, espace, casse), {read} quand même : {listed}."
                )
            if absent:
                listed = ", ".join(
                    verbatim(field) + (f" (la colonne {place} lui ressemble)" if place else "")
                    for field, place in absent.items()
                )
                lines.append(
                    f"- {where} : {plural(len(absent), 'champ')} du contrat sans colonne dans ce "
                    f"fichier, qui n'en dit donc rien : {listed}."
                )
    return ["", *lines] if lines else []


def _layouts(received: dict[str, dict[str, Any]]) -> list[str]:
    """Return in what order deliveries were read where no one said it, and which files are wide."""
    lines = []
    for name, receipt in received.items():
        if receipt["order"] != LISTED:
            listed = ", puis ".join(plain(one["file"]) for one in receipt["files"])
            how = (
                "lu dans leurs noms"
                if receipt["order"] == NAMES
                else "que leurs noms ne disent pas : les dates qu'elles contiennent en décident"
            )
            lines.append(f"- {plain(name)}, ordre des livraisons, {how} : {listed}.")
        lines += [
            f"- {plain(name)}, {plain(one['file'])} : fichier large, "
            f"{plural(one['lines'], 'ligne')} × {plural(one['wide_columns'], 'colonne')} = "
            f"{plural(one['rows'], 'compte')}."
            for one in receipt["files"]
            if "lines" in one
        ]
    if any(receipt["order"] != LISTED for receipt in received.values()):
        lines.append("- Un autre ordre des livraisons se dit dans `files` (city.yaml).")
    return ["", *lines] if lines else []
