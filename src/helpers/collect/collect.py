"""Everything that comes from outside: found or fetched, then taken in at the door, with receipts.

The raw data set holds the fields that the contract allows; the receipt tells, of each file as it
was received: name, size, SHA-256, rows, columns left out. What is refused is never written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.collect import delivery_order, gate, own_lists, own_texts
from helpers.collect.knobs import Knobs
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import INBOX, scratch
from helpers.core.city.about import Delivery
from helpers.core.city.city import City
from helpers.core.city.contract import REMOTE
from helpers.core.stage.receipts import RECEIPTS

FROM, FETCH = "PHARE_FROM", "PHARE_FETCH"


@contextmanager
def deliveries(city: City, root: Path, only: str = "") -> Iterator[dict[str, list[Path]]]:
    """Yield the files as received of each source, or of one; those generated go when done."""
    with scratch() as folder:
        if any(delivery.generator for delivery in city.about.sources.values()):
            from helpers import simulate  # only simulated cities pay for the generator

            simulate.deliver(city.pack, folder)
        names = (
            [only]
            if only
            else [
                name
                for name in city.about.sources
                if city.contracts[name].file.format not in REMOTE
            ]
        )
        yield {name: _find(city, name, root, folder) for name in names}


def given() -> list[Path]:
    """Return the folders given by hand, separated as in PATH; PhareError where one is no folder.

    A name with the separator in it is that of one folder, or has its neighbours a line each.
    """
    told = os.environ[FROM]
    lines = told.split("\n")
    alone = len(lines) == 1 and not Path(told).expanduser().is_dir()
    found = [Path(one).expanduser() for one in (told.split(os.pathsep) if alone else lines)]
    for i, one in enumerate(found, 1):
        if not one.is_dir():  # its name may be somebody's
            raise PhareError(
                "FROM ne donne pas un dossier",
                f"FROM=… (dossier n° {i})",
                "donner le dossier des fichiers reçus",
            )
    return [one.resolve() for one in found]


def joined(places: list[Path]) -> str:
    """Return folders as `given` reads them, whatever their names hold."""
    return "\n".join(map(str, places))


def places_to_look(city: City, root: Path) -> list[Path]:
    """Return the folders where delivered files are looked for, in order.

    Those given by hand (`given`), or else the pack's own `livraison` and the folders that
    city.yaml names.
    """
    if os.environ.get(FROM):
        return given()
    named = [(root / folder).resolve() for folder in city.about.folders]
    own = (city.pack / INBOX).resolve()
    return [own, *named] if own.is_dir() else named


def received(places: list[Path], name: str) -> list[Path]:
    """Return the files of that name, or pattern, in the first of the places that has any.

    In the order that their names tell (`delivery_order`).
    """
    found = (delivery_order.matching(place, name) for place in places)
    return next((files for files in found if files), [])


def _find(city: City, source: str, root: Path, folder: Path) -> list[Path]:
    delivery = city.about.sources[source]
    places = [folder] if delivery.generator else places_to_look(city, root)
    found: list[Path] = []
    for name in delivery.names:
        here = received(places, name)
        if not here and os.environ.get(FETCH) and delivery.url:
            here = [_fetch(source, delivery, folder / name)]
        if not here and not delivery.optional:
            raise PhareError(
                f"fichier absent : {redact.known([name], delivery.names)}",
                f"ville « {city.about.name} », {_places(city)}",
                city.about.how_to_get.strip()
                or f"lancer `make data CITY={city.about.name} FROM=dossier` avec ce dossier",
            )
        found += here
    return found


def _places(city: City) -> str:
    if os.environ.get(FROM):
        return "cherché dans le dossier donné par FROM"
    return f"cherché dans : {', '.join(city.about.folders) or 'aucun dossier donné'}"


def _fetch(source: str, delivery: Delivery, path: Path) -> Path:
    """Download a file; an address that ends with a slash is that of the folder of all of them."""
    from helpers.connect import http  # cities of files alone do not pay for the network's libraries

    address = f"{delivery.url}{path.name}" if delivery.url.endswith("/") else delivery.url
    try:
        with http.Site(address, source) as site:
            site.download(address, path)
    except PhareError as error:
        todo = "vérifier l'accès" if isinstance(error, http.Passing) else error.todo
        raise PhareError(
            f"téléchargement impossible : {error.what}",
            redact.address(address)
            + ("" if delivery.url_verified else " (adresse non encore vérifiée)"),
            f"{todo}, ou donner un dossier : `make data CITY=… FROM=dossier`",
        ) from None
    return path


def collect(city: City, root: Path, raw: Path, knobs: Knobs) -> dict[str, dict[str, Any]]:
    """Take in every source of the city; write the raw data sets and `receipts.json`."""
    own_lists.check(city)
    own_texts.check(city)
    raw.mkdir(parents=True, exist_ok=True)
    door = gate.Gate(city.key(root), knobs.place_step_m)
    with deliveries(city, root) as files:
        receipts = {
            name: gate.take_in(door, contract, files[name], raw, city.about.sources[name].names)
            if name in files
            else _from_afar(city, root, name, raw, door)
            for name, contract in city.contracts.items()
        }
    receipts = {n: {**one, "key": door.key.fingerprint} for n, one in receipts.items()}
    door.con.close()
    text = json.dumps(receipts, ensure_ascii=False, indent=2) + "\n"
    (raw / RECEIPTS).write_text(text, encoding="utf-8")
    return receipts


def _from_afar(city: City, root: Path, name: str, raw: Path, door: gate.Gate) -> dict[str, Any]:
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
    return remote_source.take_in(door, city.contracts[name], delivery.url, folder, raw, again=again)
