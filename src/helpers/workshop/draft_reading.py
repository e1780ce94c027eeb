"""What is read of a file first seen: how it is laid out, its columns, and its first rows.

The rows pass through memory (table `sample`, all of it text); no message names the file or a cell.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from glob import escape
from itertools import takewhile
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import shapely
from charset_normalizer import from_bytes

from helpers.connect import bytes as connect_bytes
from helpers.connect import open_file
from helpers.core.base import machine
from helpers.core.base.errors import PhareError
from helpers.core.base.french import number
from helpers.core.base.store import literal, quote
from helpers.core.base.workspace import scratch
from helpers.core.city.contract import POINT, FileFormat, Format
from helpers.core.city.names import FAULT, GEOMETRY
from helpers.workshop.ordinary import is_ordinary

START_BYTES, TOLD_BYTES = 32_000_000, 500_000
# A draft takes seconds: so many rows, fewer where they are wide, of so many columns.
ROWS, CELLS, MOST_COLUMNS = 100_000, 3_000_000, 300
SEPARATORS = (",", ";", "\t", "|")
WEIGHED_LINES = 200  # by which the separator is chosen
# What French tools write. Left to choose among all, a few words of French pass for cp1250.
ENCODINGS = ("cp1252", "mac_roman", "utf_16")
GIVEN, MACHINE = "le fichier donné par FILE=", "cet ordinateur"
VALUE = re.compile(r"[+-]?[0-9][0-9 .,:/T+-]*")  # a number or a moment: no column is called so
DRAWN: tuple[Format, ...] = ("geojson", "gpkg", "shp")
SURFACES = (3, 6)  # polygons, as Shapely numbers them
MAGIC: dict[bytes, Format] = {
    b"SQLite format 3\0": "gpkg", b"\0\0\x27\x0a": "shp", b"PAR1": "parquet",
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """How the file is laid out (keys of the contract's `file`), and its columns.

    `names` of the columns, in order; `places`, what they are called in the table `sample`.
    `points`: each row has a point (`POINT` in the table); `surfaces`: each row is a zone.
    """

    layout: dict[str, str]
    names: list[str]
    places: list[str]
    points: bool = False
    surfaces: bool = False


def read_sample(con: duckdb.DuckDBPyConnection, file: Path, vouched_for: Collection[int]) -> Sample:
    """Make table `sample` of the file's first rows, all of it text; PhareError if unreadable."""
    try:
        connect_bytes.check(file.resolve())
        form = _form(file)
        found = _of_csv(con, file, vouched_for) if form == "csv" else _of_rows(con, file, form)
    except OSError as error:
        refused = machine.BY_NUMBER.get(error.errno or 0)
        if refused:
            raise refused(GIVEN if isinstance(error, PermissionError) else MACHINE) from None
        raise PhareError("fichier illisible", GIVEN, "donner le chemin d'un fichier") from None
    except PhareError as error:  # it may name the file, whose name may be somebody's
        raise PhareError(error.what, GIVEN, error.todo) from None
    if not found.names or not con.execute("SELECT count(*) FROM sample").fetchall()[0][0]:
        raise PhareError("fichier sans aucune ligne", GIVEN, "en donner un rempli")
    return found


def _form(file: Path) -> Format:
    """Return the form of the file, by what it holds: its name may say anything."""
    with file.open("rb") as opened:
        head = opened.read(16)
    known = next((form for magic, form in MAGIC.items() if head.startswith(magic)), None)
    if known:
        return known
    if head.startswith(b"PK") and _holds_workbook(file):
        return "xlsx"
    start = _start(file, TOLD_BYTES).lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith(b"["):
        return "json"
    if not start.startswith(b"{"):
        return "csv"
    lines = [line.strip() for line in start.splitlines()[:3] if line.strip()]
    if len(lines) > 1 and all(line.startswith(b"{") and line.endswith(b"}") for line in lines):
        return "jsonl"
    return "geojson" if b'"features"' in start or b'"FeatureCollection"' in start else "json"


def _holds_workbook(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as packed:
            return "xl/workbook.xml" in packed.namelist()
    except zipfile.BadZipFile:
        return False


def _start(file: Path, most: int = START_BYTES) -> bytes:
    """Return the beginning of the file, unpacked, up to the end of a line past `most` bytes."""
    held = b""
    with closing(connect_bytes.chunks(file)) as pieces:
        for piece in pieces:
            held += piece
            if len(held) > most:
                return held[: held.rfind(b"\n") + 1] or held
    return held


# --- Rows that a reader of the door gives -----------------------------------------------------


def _of_rows(con: duckdb.DuckDBPyConnection, file: Path, form: Format) -> Sample:
    told = {"format": form, **_encoding_of_shapefile(file, form)}
    layout = FileFormat.model_validate(told)
    names = open_file(layout, file.resolve(), ()).columns
    _check_width(len(names))
    surfaces = form in DRAWN and _draws_surfaces(layout, file)
    points = form in DRAWN and not surfaces
    asked = [*names, *(POINT if points else ())]
    held: list[pa.RecordBatch] = []
    most = min(ROWS, CELLS // max(1, len(asked)))
    for batch in open_file(layout, file.resolve(), asked).batches:
        held.append(batch)
        if sum(one.num_rows for one in held) >= most:
            break
    rows = pa.Table.from_batches(held).slice(0, most)
    con.register("rows", rows)
    kept = ", ".join(quote(name) for name in asked) or "NULL AS nothing"
    con.execute(f"CREATE TABLE sample AS SELECT {kept} FROM rows WHERE {FAULT} IS NULL")
    con.unregister("rows")
    return Sample(told, names, names, points, surfaces)


def _draws_surfaces(layout: FileFormat, file: Path) -> bool:
    """Tell whether each row is drawn, as a polygon or several."""
    try:
        batch = next(iter(open_file(layout, file.resolve(), (), shapes=True).batches))
    except PhareError:  # a row without shape, or none: no division
        return False
    kinds = shapely.get_type_id(shapely.from_wkb(batch[GEOMETRY].to_numpy(zero_copy_only=False)))
    return len(kinds) > 0 and bool(np.isin(kinds, SURFACES).all())


def _encoding_of_shapefile(file: Path, form: Format) -> dict[str, str]:
    """Return the encoding to write for a shapefile whose .cpg is not there to say it."""
    beside = {
        one.suffix.lower(): one for one in file.resolve().parent.glob(f"{escape(file.stem)}.*")
    }
    if form != "shp" or ".cpg" in beside or ".dbf" not in beside:
        return {}
    content = beside[".dbf"].read_bytes()[:START_BYTES]
    cells = content[int.from_bytes(content[8:10], "little") :]
    if cells.isascii():
        return {}
    return {"encoding": "utf-8" if connect_bytes.is_utf8(cells) else ENCODINGS[0]}


def _check_width(columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise PhareError(
            f"{number(columns)} colonnes : plus de {MOST_COLUMNS}, personne ne relirait l'ébauche",
            GIVEN,
            "donner un fichier qui n'a que les colonnes utiles",
        )


# --- CSV --------------------------------------------------------------------------------------


def _of_csv(con: duckdb.DuckDBPyConnection, file: Path, vouched_for: Collection[int]) -> Sample:
    start = _start(file)
    encoding = _encoding(start)
    with scratch() as folder:
        (folder / "start.csv").write_bytes(start.decode(encoding, "replace").encode())
        separator = _load(con, folder / "start.csv")
    layout = {
        "format": "csv",
        **({} if encoding == "utf_8" else {"encoding": encoding}),
        "separator": separator,
    }
    places = [row[0] for row in con.execute("DESCRIBE sample").fetchall()]
    return Sample(layout, _header(con, vouched_for), places)


def _encoding(start: bytes) -> str:
    """Return the encoding to propose; the door obeys the contract, but for UTF-8's mark."""
    if connect_bytes.is_utf8(start):
        return "utf_8"
    best = from_bytes(start[:TOLD_BYTES], cp_isolation=list(ENCODINGS)).best()
    return best.encoding if best else ENCODINGS[0]


def _separator(lines: list[str]) -> str:
    """Return the separator that cuts most lines as it cuts the header; a comma may be a decimal."""
    bare = [re.sub('"[^"]*"', "", line) for line in lines]

    def weight(sign: str) -> tuple[float, int]:
        cuts = bare[0].count(sign)
        alike = sum(line.count(sign) == cuts for line in bare) / len(bare)
        return (alike if cuts else 0.0, cuts)

    return max(SEPARATORS, key=weight)


def _load(con: duckdb.DuckDBPyConnection, text: Path) -> str:
    """Make tables `sample` and `header` (its first line) of a CSV; return the separator."""
    with text.open(encoding="utf-8") as file:
        lines = [line for line, _ in zip(file, range(WEIGHED_LINES), strict=False)]
    if not lines or not lines[0].strip("\ufeff \r\n"):
        raise PhareError("fichier sans aucune ligne", GIVEN, "en donner un rempli")
    separator = _separator(list(takewhile(str.strip, lines)))
    read = (
        f"read_csv({literal(text)}, delim = {literal(separator)}, quote = '\"', escape = '\"', "
        "header = false, skip = 0, all_varchar = true)"
    )
    try:
        width = len(con.execute(f"DESCRIBE SELECT * FROM {read}").fetchall())
        _check_width(width)
        most = min(ROWS, CELLS // max(1, width)) + 1
        con.execute(f"CREATE TABLE sample AS SELECT * FROM {read} LIMIT {most}")
        con.execute("CREATE TABLE header AS SELECT * FROM sample LIMIT 1")
        con.execute("DELETE FROM sample WHERE rowid = 0")
    except duckdb.Error:
        raise PhareError("fichier CSV illisible", GIVEN, "partir du modèle, sans FILE=") from None
    return separator


def _header(con: duckdb.DuckDBPyConnection, vouched_for: Collection[int]) -> list[str]:
    """Return the names of the columns; PhareError where the first line names none."""
    names = [cell or "" for cell in con.execute("SELECT * FROM header").fetchall()[0]]
    names = [name.removeprefix("\ufeff") for name in names]
    values = any(VALUE.fullmatch(name.strip()) for name in names)
    if values or not (vouched_for or any(is_ordinary(name) for name in names)):
        raise PhareError(
            "la première ligne ne semble pas nommer les colonnes, mais dire déjà des données",
            GIVEN,
            "y ajouter une première ligne de noms de colonnes (date, nature, quartier…), puis "
            "recommencer ; si elle les nomme bien, donner leurs positions : "
            'COLUMNS="1 2 3"',
        )
    return names
