"""The door: the only place where a file from outside is read.

It writes the raw data set with the columns that the contract allows, and a receipt for each file
as it was received: name, size, SHA-256, rows, columns left out. What is refused is never written.
"""

from __future__ import annotations

import json
import os
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
import shapely
import shapely.geometry

from helpers import store
from helpers.city import City, Delivery
from helpers.contract import Contract
from helpers.errors import PhareError
from helpers.receipts import RECEIPTS
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
    kept = ", ".join(store.quote(name) for name in allowed)
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
    options = (
        f"header = true, all_varchar = true, delim = {store.literal(layout.separator)}, "
        f"encoding = {store.literal(layout.encoding)}, quote = '\"', escape = '\"', "
        f"compression = {'gzip' if _is_gzip(path) else 'none'}, "
        "null_padding = false, parallel = false"
    )
    source = f"read_csv({store.literal(path)}, {options})"
    try:
        columns = [row[0] for row in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
        named = ", ".join(store.quote(c) for c in columns if c in contract.fields)
        con.execute(
            "CREATE TABLE received AS "
            f"SELECT row_number() OVER () AS row_number, {named} FROM {source}"
        )
    except duckdb.Error as error:
        # Only the line is told: DuckDB's own message quotes the row, which may name a person.
        line = next((part for part in str(error).split("\n") if "Line" in part), "ligne inconnue")
        raise PhareError(
            "fichier CSV illisible avec la mise en page du contrat",
            f"fichier {path.name}, {line.split('Original')[0].strip()[:60]}",
            f"vérifier séparateur « {layout.separator} » et encodage {layout.encoding}",
        ) from None
    return columns


def _is_gzip(path: Path) -> bool:
    """Tell by content: an address may serve plain text under a name that says otherwise."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _read_geojson(con: duckdb.DuckDBPyConnection, contract: Contract, path: Path) -> list[str]:
    try:
        features = json.loads(path.read_text(encoding=contract.file.encoding))["features"]
    except (json.JSONDecodeError, KeyError, UnicodeDecodeError) as error:
        raise PhareError(
            "GeoJSON illisible", f"fichier {path.name}", "vérifier le fichier livré"
        ) from error
    columns = list(dict.fromkeys(key for feature in features for key in feature["properties"]))
    data: dict[str, list[Any]] = {"row_number": list(range(1, len(features) + 1))}
    for name in (c for c in columns if c in contract.fields):
        values = [feature["properties"].get(name) for feature in features]
        data[name] = [None if value is None else str(value) for value in values]
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in features]
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
