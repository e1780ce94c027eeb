"""Everything that comes from outside: found or fetched, then taken in at the door, with receipts.

The raw data set holds the fields that the contract allows; the receipt tells, of each file as it
was received: name, size, SHA-256, rows, columns left out. What is refused is never written.
"""

from __future__ import annotations

import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.collect import gate
from helpers.core.base.errors import PhareError
from helpers.core.base.french import number, plural
from helpers.core.base.workspace import INBOX, scratch
from helpers.core.city.city import City, Delivery
from helpers.core.city.contract import REMOTE
from helpers.core.stage.receipts import RECEIPTS

FROM, FETCH = "PHARE_FROM", "PHARE_FETCH"


@contextmanager
def deliveries(city: City, root: Path) -> Iterator[dict[str, list[Path]]]:
    """Yield the files as received of each source; generated and fetched ones go when done."""
    with scratch() as folder:
        if any(delivery.generator for delivery in city.about.sources.values()):
            from helpers import simulate  # only simulated cities pay for the generator

            simulate.deliver(city.pack, folder)
        yield {
            name: _find(city, delivery, root, folder)
            for name, delivery in city.about.sources.items()
            if city.contracts[name].file.format not in REMOTE
        }


def places_to_look(city: City, root: Path) -> list[Path]:
    """Return the folders where delivered files are looked for, in order.

    Those given by hand (separated as in PATH), or else the pack's own `livraison` and the folders
    that city.yaml names.
    """
    given = os.environ.get(FROM)
    if given:
        return [Path(one).expanduser().resolve() for one in given.split(os.pathsep)]
    named = [(root / folder).resolve() for folder in city.about.folders]
    own = (city.pack / INBOX).resolve()
    return [own, *named] if own.is_dir() else named


def received(places: list[Path], name: str) -> list[Path]:
    """Return the files of that name, or pattern, in the first of the places that has any."""
    return next((files for place in places if (files := sorted(place.glob(name)))), [])


def _find(city: City, delivery: Delivery, root: Path, folder: Path) -> list[Path]:
    places = [folder] if delivery.generator else places_to_look(city, root)
    found: list[Path] = []
    for name in delivery.names:
        here = received(places, name)
        if not here and os.environ.get(FETCH) and delivery.url:
            here = [_fetch(delivery, folder / name)]
        if not here:
            raise PhareError(
                f"fichier absent : {name}",
                f"ville « {city.about.name} », {_places(city)}",
                city.about.how_to_get.strip()
                or f"lancer `make data CITY={city.about.name} FROM=dossier` avec ce dossier",
            )
        found += here
    return found


def _places(city: City) -> str:
    given = os.environ.get(FROM)
    looked = [given] if given else [*city.about.folders]
    return "cherché dans : " + (", ".join(looked) or "aucun dossier donné")


def _fetch(delivery: Delivery, path: Path) -> Path:
    """Download a file; an address that ends with a slash is that of the folder of all of them."""
    address = f"{delivery.url}{path.name}" if delivery.url.endswith("/") else delivery.url
    try:
        with urllib.request.urlopen(address, timeout=60) as reply, path.open("wb") as file:
            shutil.copyfileobj(reply, file)
    except (urllib.error.URLError, TimeoutError) as error:
        raise PhareError(
            f"téléchargement impossible : {error}",
            address + ("" if delivery.url_verified else " (adresse non encore vérifiée)"),
            "vérifier l'accès, ou donner un dossier : `make data CITY=… FROM=dossier`",
        ) from error
    return path


def collect(city: City, root: Path, raw: Path) -> dict[str, dict[str, Any]]:
    """Take in every source of the city; write the raw data sets and `receipts.json`."""
    raw.mkdir(parents=True, exist_ok=True)
    with deliveries(city, root) as files:
        receipts = {
            name: gate.take_in(contract, files[name], raw)
            if name in files
            else _from_afar(city, root, name, raw)
            for name, contract in city.contracts.items()
        }
    text = json.dumps(receipts, ensure_ascii=False, indent=2) + "\n"
    (raw / RECEIPTS).write_text(text, encoding="utf-8")
    return receipts


def _from_afar(city: City, root: Path, name: str, raw: Path) -> dict[str, Any]:
    """Take in a source at its address; what has come whole is asked for again by `make data`."""
    from helpers.collect import (
        remote_source,  # cities of files alone do not pay for the network's libraries
    )

    delivery = city.about.sources[name]
    if not delivery.url:
        raise PhareError(
            f"la source « {name} » n'a pas d'adresse",
            f"{city.pack.name}/city.yaml",
            f"écrire `sources.{name}.url`",
        )
    folder = remote_source.spool_folder(root, city.about.name, name)
    again = bool(os.environ.get(FETCH))
    return remote_source.take_in(city.contracts[name], delivery.url, folder, raw, again=again)


def as_markdown(receipts: dict[str, dict[str, Any]]) -> str:
    """Return the receipts as a Markdown table, one line a file."""
    lines = [
        "| source | fichier reçu | édition | lignes | octets | SHA-256 | colonnes refusées "
        "| non nommées | valeurs retirées |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, receipt in receipts.items():
        for one in receipt["files"]:
            refused = ", ".join(f"`{column}`" for column in one["columns_refused"]) or "aucune"
            others = ", ".join(f"`{column}`" for column in one["columns_not_named"]) or "aucune"
            lines.append(
                f"| {name} | {one['file']} | {one['edition']} | {number(one['rows'])} | "
                f"{number(one['size'])} | `{one['sha256'][:12]}…` | {refused} | {others} | "
                f"{number(sum(one['personal'].values()))} |"
            )
    return "\n".join(lines)


def contracts_as_markdown(city: City) -> str:
    """Return what each source is for, by what right it is kept and how long, and its caveats."""
    lines = [
        "| source | à quoi elle sert | de quel droit | conservation | convention | réserves |",
        "|---|---|---|---|---|---|",
    ]
    for contract in city.contracts.values():
        caveats = " ; ".join(caveat.rstrip(".") for caveat in contract.caveats) or "aucune"
        sample = "**échantillon, jamais un total** ; " if contract.coverage == "sample" else ""
        lines.append(
            f"| {contract.title} | {contract.purpose} | {contract.legal_basis} | "
            f"{contract.retention} | {contract.convention or 'sans objet'} | {sample}{caveats} |"
        )
    return "\n".join(lines)


def published_as_markdown(city: City) -> str:
    """Return the published figures of the pack as a Markdown table, or a sentence without any."""
    if not city.about.published_figures:
        return "Aucun chiffre publié n'est noté pour cette ville."
    lines = ["| chiffre publié | valeur | année | source |", "|---|---|---|---|"]
    for one in city.about.published_figures:
        value = number(one.value, 0 if one.value == int(one.value) else 2)
        lines.append(f"| {one.label} | {value} {one.unit} | {one.year or ''} | {one.source} |")
    return "\n".join(lines)


def in_words(receipts: dict[str, dict[str, Any]]) -> str:
    """Return the answer: how much came in, what was refused or taken away, and why."""
    rows = sum(receipt["rows"] for receipt in receipts.values())
    files = sum(len(receipt["files"]) for receipt in receipts.values())
    lines = [f"{plural(files, 'fichier')} et {plural(rows, 'ligne')} sont entrés."]
    refused = [
        f"- `{column}` ({name}) : {reason.rstrip('.')}."
        for name, receipt in receipts.items()
        for column, reason in receipt["columns_refused"].items()
    ]
    if refused:
        lines += ["", "Colonnes refusées à la porte, et écrites nulle part :", "", *refused]
    else:
        lines.append("Aucune colonne présente n'était à refuser.")
    met = [
        f"- {name} : {plural(n, 'valeur')} ({reason.replace(':', ', champ ')})."
        for name, receipt in receipts.items()
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
