"""Connectors: whatever form a source comes in, rows of text go to the door."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from helpers.connect import bytes as connect_bytes
from helpers.connect.reading import Reader, Reading, even, none
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import DRAWN, FileFormat, Format
from helpers.core.city.names import FAULT, GEOMETRY, ROW

__all__ = ["Reading", "open_file"]


def open_file(
    layout: FileFormat, path: Path, permitted: Collection[str], *, shapes: bool = False
) -> Reading:
    """Open the delivered file `path`, laid out as told, for the columns `permitted` alone.

    With `shapes`, each row has its shape (WKB, WGS 84 degrees). A layer offers `@longitude` and
    `@latitude` to whom they are permitted: the point of each row, in degrees with 7 decimals, as
    text. PhareError where the file cannot be read; no message or chained error ever quotes a cell.
    """
    connect_bytes.check(path)
    if shapes and layout.format not in DRAWN:
        raise PhareError(
            f"le format {layout.format} ne porte pas de formes",
            redact.FILE,
            f"livrer la division en {', '.join(DRAWN)}",
        )
    reading = _reader(layout.format)(layout, path, permitted, shapes=shapes)
    reserved = {ROW, FAULT, GEOMETRY} & {*permitted} & {*reading.columns}
    if reserved:
        raise PhareError(
            f"nom de colonne réservé à l'atelier : {redact.known(sorted(reserved), permitted)}",
            redact.FILE,
            "faire renommer cette colonne à la source, ou ne pas la permettre",
        )
    kept = [column for column in reading.columns if column in permitted]
    return Reading(reading.columns, even(reading.batches, none(kept, shapes)))


def _reader(form: Format) -> Reader:
    """Return the reader of a form, imported now: a city of CSV files does not pay for GDAL."""
    match form:
        case "csv":
            from helpers.connect.csv import read
        case "xlsx":
            from helpers.connect.xlsx import read
        case "json":
            from helpers.connect.json import read_document as read
        case "jsonl":
            from helpers.connect.json import read_lines as read
        case "parquet":
            from helpers.connect.parquet import read
        case "geojson":
            from helpers.connect.geojson import read
        case "gpkg":
            from helpers.connect.geopackage import read_geopackage as read
        case "datex":
            from helpers.connect.datex import read
        case "shp":
            from helpers.connect.geopackage import read_shapefile as read
        case _:
            raise PhareError(
                f"la forme {form} ne se lit pas dans un fichier",
                "partie `file` du contrat",
                "donner l'adresse de la source (`url`) dans city.yaml",
            )
    return read
