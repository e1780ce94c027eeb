"""The door: the only place where a file from outside is read.

It writes the raw data set with the columns that the contract allows, and a receipt for each file
as it was received: name, size, SHA-256, rows, columns left out. What is refused is never written.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
import shapely
import shapely.errors
import shapely.geometry

from helpers import store
from helpers.city import City, Delivery
from helpers.contract import Contract
from helpers.errors import PhareError
from helpers.receipts import RECEIPTS
from helpers.store import quote
from helpers.words import number, plural

FROM, FETCH = "PHARE_FROM", "PHARE_FETCH"


@contextmanager
def deliveries(city: City, root: Path) -> Iterator[dict[str, Path]]:
    """Yield the file as received of each source; generated and fetched ones go when done."""
    with tempfile.TemporaryDirectory(prefix="phare-") as made:
        folder = Path(made)
        if any(delivery.generator for delivery in city.about.sources.values()):
            from helpers import simulate  # only simulated cities pay for the generator

            simulate.deliver(city.pack, folder)
        yield {
            name: folder / delivery.file
            if delivery.generator
            else _find(city, delivery, root, folder)
            for name, delivery in city.about.sources.items()
        }


def places_to_look(city: City, root: Path) -> list[Path]:
    """Return the folders where delivered files are looked for, in order."""
    given = os.environ.get(FROM)
    if given:
        return [Path(given).expanduser().resolve()]
    return [(root / folder).resolve() for folder in city.about.folders]


def _find(city: City, delivery: Delivery, root: Path, folder: Path) -> Path:
    if delivery.generator:
        return folder / delivery.file
    for place in places_to_look(city, root):
        if (place / delivery.file).is_file():
            return place / delivery.file
    if os.environ.get(FETCH) and delivery.url:
        return _fetch(delivery, folder / delivery.file)
    raise PhareError(
        f"fichier absent : {delivery.file}",
        f"ville « {city.about.name} », {_places(city)}",
        city.about.how_to_get.strip()
        or f"lancer `make data CITY={city.about.name} FROM=dossier` avec le dossier du fichier",
    )


def _places(city: City) -> str:
    given = os.environ.get(FROM)
    looked = [given] if given else [*city.about.folders]
    return "cherché dans : " + (", ".join(looked) or "aucun dossier donné")


def _fetch(delivery: Delivery, path: Path) -> Path:
    try:
        with urllib.request.urlopen(delivery.url, timeout=60) as reply, path.open("wb") as file:
            shutil.copyfileobj(reply, file)
    except (urllib.error.URLError, TimeoutError) as error:
        raise PhareError(
            f"téléchargement impossible : {error}",
            delivery.url + ("" if delivery.url_verified else " (adresse non encore vérifiée)"),
            "vérifier l'accès, ou donner un dossier : `make data CITY=… FROM=dossier`",
        ) from error
    return path


def take_in(contract: Contract, received: Path, raw: Path) -> dict[str, Any]:
    """Write `raw/<source>.parquet` from the file as received; return its receipt.

    Columns: `row_number` (1 for the first data row of the file), then the allowed columns as
    text; for a division, also `geometry` (WKB, WGS 84 degrees).
    """
    reader = _read_geojson if contract.file.format == "geojson" else _read_csv
    con = store.connect()
    columns = reader(con, contract, received)
    allowed = [name for name in contract.fields if name in columns]
    _require(contract, columns, received.name)
    kept = ", ".join(quote(name) for name in allowed)
    shape = ", geometry" if contract.kind == "division" else ""
    path = raw / f"{contract.source}.parquet"
    store.write(
        con, f"SELECT row_number, {kept}{shape} FROM received", path, order_by=["row_number"]
    )
    rows = con.execute("SELECT count(*) FROM received").fetchone()
    con.close()
    return {
        "file": received.name,
        "size": received.stat().st_size,
        "sha256": store.sha256(received),
        "rows": rows[0] if rows else 0,
        "columns_kept": allowed,
        "columns_refused": {c: contract.refused[c] for c in columns if c in contract.refused},
        "columns_not_named": [
            c for c in columns if c not in contract.fields and c not in contract.refused
        ],
        "contract_version": contract.version,
        "publisher": contract.publisher,
        "licence": contract.licence,
        "attribution": contract.attribution,
    }


def _require(contract: Contract, columns: list[str], file: str) -> None:
    for name, rule in contract.fields.items():
        if rule.required and name not in columns:
            raise PhareError(
                f"colonne obligatoire absente : {name}",
                f"fichier {file}, source « {contract.source} »",
                "vérifier le fichier livré, ou corriger le contrat si l'éditeur a changé le nom",
            )


def _read_csv(con: duckdb.DuckDBPyConnection, contract: Contract, path: Path) -> list[str]:
    layout = contract.file
    columns = _header(contract, path)
    named = [name for name in columns if name in contract.fields]
    try:
        with pa.input_stream(path, compression="gzip" if _is_gzip(path) else None) as stream:
            table = pacsv.read_csv(
                stream,
                # One thread: an error then tells its row, and rows keep their order.
                pacsv.ReadOptions(use_threads=False, encoding=layout.encoding),
                pacsv.ParseOptions(delimiter=layout.separator, newlines_in_values=True),
                pacsv.ConvertOptions(
                    column_types=dict.fromkeys(named, pa.string()),
                    include_columns=named,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
    except (pa.ArrowInvalid, UnicodeError) as error:
        # Only the row's number is told: the library's message quotes it, and it may name a person.
        row = re.search(r"Row #(\d+)", str(error))
        raise PhareError(
            "fichier CSV illisible avec la mise en page du contrat",
            f"fichier {path.name}, ligne {row[1] if row else 'inconnue'}",
            f"vérifier séparateur « {layout.separator} », guillemets et encodage {layout.encoding}",
        ) from None
    con.register("parsed", table)
    con.execute("CREATE TABLE received AS SELECT row_number() OVER () AS row_number, * FROM parsed")
    return columns


def _header(contract: Contract, path: Path) -> list[str]:
    """Return the names of the columns, which the file's first line holds."""
    layout = contract.file
    encoding = "utf-8-sig" if layout.encoding == "utf-8" else layout.encoding
    opened = gzip.open if _is_gzip(path) else open
    try:
        with opened(path, "rt", encoding=encoding, newline="") as file:
            names = next(csv.reader(file, delimiter=layout.separator), [])
    except (UnicodeError, LookupError, csv.Error) as error:
        raise PhareError(
            f"la première ligne n'est pas de l'{layout.encoding}",
            f"fichier {path.name}, ligne 1",
            "vérifier l'encodage que dit le contrat",
        ) from error
    if not names or len(set(names)) < len(names) or not all(names):
        raise PhareError(
            "la première ligne ne nomme pas les colonnes, ou en nomme une deux fois",
            f"fichier {path.name}, ligne 1",
            "vérifier le fichier livré et son séparateur",
        )
    return names


def _is_gzip(path: Path) -> bool:
    """Tell by content: an address may serve plain text under a name that says otherwise."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _read_geojson(con: duckdb.DuckDBPyConnection, contract: Contract, path: Path) -> list[str]:
    try:
        features = json.loads(path.read_text(encoding=contract.file.encoding))["features"]
        properties = [dict(feature["properties"]) for feature in features]
        shapes = [shapely.geometry.shape(feature["geometry"]) for feature in features]
        if not shapes or any(shape.is_empty for shape in shapes):
            raise ValueError("une zone sans forme")
    except (ValueError, KeyError, TypeError, AttributeError, shapely.errors.ShapelyError) as error:
        raise PhareError(
            f"GeoJSON illisible ({type(error).__name__})",
            f"fichier {path.name}",
            "vérifier que c'est une collection de zones, chacune avec ses propriétés et sa forme",
        ) from error
    columns = list(dict.fromkeys(key for one in properties for key in one))
    data: dict[str, list[Any]] = {"row_number": list(range(1, len(features) + 1))}
    for name in (c for c in columns if c in contract.fields):
        values = [one.get(name) for one in properties]
        data[name] = [None if value is None else str(value) for value in values]
    data["geometry"] = [shapely.to_wkb(shape) for shape in shapes]
    con.register("shapes", pa.table(data))
    con.execute("CREATE TABLE received AS SELECT * FROM shapes")
    return columns


def collect(city: City, root: Path, raw: Path) -> dict[str, dict[str, Any]]:
    """Take in every source of the city; write the raw data sets and `receipts.json`."""
    raw.mkdir(parents=True, exist_ok=True)
    with deliveries(city, root) as files:
        receipts = {
            name: take_in(contract, files[name], raw) for name, contract in city.contracts.items()
        }
    text = json.dumps(receipts, ensure_ascii=False, indent=2) + "\n"
    (raw / RECEIPTS).write_text(text, encoding="utf-8")
    return receipts


def as_markdown(receipts: dict[str, dict[str, Any]]) -> str:
    """Return the receipts as a Markdown table."""
    lines = [
        "| source | fichier reçu | lignes | octets | SHA-256 | colonnes refusées | non nommées |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, receipt in receipts.items():
        refused = ", ".join(f"`{column}`" for column in receipt["columns_refused"]) or "aucune"
        others = ", ".join(f"`{column}`" for column in receipt["columns_not_named"]) or "aucune"
        lines.append(
            f"| {name} | {receipt['file']} | {number(receipt['rows'])} | "
            f"{number(receipt['size'])} | `{receipt['sha256'][:12]}…` | {refused} | {others} |"
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
    """Return the answer: how much came in, what was refused and why."""
    rows = sum(receipt["rows"] for receipt in receipts.values())
    refused = [
        f"- `{column}` ({name}) : {reason.rstrip('.')}."
        for name, receipt in receipts.items()
        for column, reason in receipt["columns_refused"].items()
    ]
    start = f"{plural(len(receipts), 'fichier')} et {plural(rows, 'ligne')} sont entrés."
    if not refused:
        return f"{start} Aucune colonne présente n'était à refuser."
    return "\n".join([f"{start} Refusées à la porte, et écrites nulle part :", "", *refused])
