"""Excel workbooks (.xlsx), read by calamine: typed cells as text, nothing invented."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from helpers.connect import bytes as connect_bytes
from helpers.connect.json import Row, tabulate
from helpers.connect.reading import BATCH_ROWS, Reading
from helpers.connect.typed_text import EXACT
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import FileFormat

WORKBOOK_BYTES = 512 << 20  # unpacked; a sheet is held whole, in about as much memory
MOST_CELLS = 32 << 20  # of the rectangle that holds a sheet's cells: 1 GiB of memory
# A cell that is not closed at once has a value; where it stands is in its reference.
COLUMN = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})\d+"[^>]*[^/>]>')
LINE = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d{1,7})"')
DEEPEST_HEADER = 3  # rows
Cells = list[Any]


def read(layout: FileFormat, path: Path, permitted: Collection[str], *, shapes: bool) -> Reading:
    """Open the sheet that the contract names, or the first one.

    Its first row that is not empty names the columns; where cells of that row are merged
    downwards, so do the rows they cover (3 at most), from the top, with dots (`Lieu.lon`). A
    formula counts for the value last computed; one in error (#N/A) for an empty cell. Empty rows
    are no rows.
    """
    if not connect_bytes.magic(path).startswith(connect_bytes.ZIP):
        raise PhareError(
            "ce n'est pas un classeur .xlsx lisible (ancien .xls, ou protégé par mot de passe ?)",
            redact.FILE,
            "l'enregistrer en .xlsx sans mot de passe, ou en CSV",
        )
    _check_extent(path)
    sheet = _sheet(layout, path)
    names, start = _header(sheet)
    kept = {name: index for index, name in enumerate(names) if name in permitted}
    return Reading(names, _batches(sheet, start, names, kept))


def _check_extent(path: Path) -> None:
    """Refuse a sheet whose cells lie too far apart: calamine holds the whole rectangle."""
    columns, lines = {b"A"}, 1
    with closing(connect_bytes.members(path, WORKBOOK_BYTES)) as pieces:
        left = b""
        for piece in pieces:
            text = left + piece
            cut = text.rfind(b"<")  # a tag cut in two waits for its end
            text, left = text[:cut], text[cut:][: connect_bytes.CHUNK]
            columns.update(COLUMN.findall(text))
            lines = max(lines, *map(int, LINE.findall(text)), 1)
    if lines * max(map(_index, columns)) > MOST_CELLS:
        raise PhareError(
            "feuille trop étendue : une cellule est écrite très loin des autres",
            redact.FILE,
            "supprimer les lignes et colonnes qui suivent le tableau, ou l'enregistrer en CSV",
        )


def _index(letters: bytes) -> int:
    """Return the number of a column from its letters, 1 for A."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _sheet(layout: FileFormat, path: Path) -> CalamineSheet:
    try:
        book = CalamineWorkbook.from_path(path)
        found = book.sheet_names
        if found and (layout.sheet or found[0]) in found:
            return book.get_sheet_by_name(layout.sheet or found[0])
    except (CalamineError, OSError):
        raise PhareError(
            "classeur illisible",
            redact.FILE,
            "l'ouvrir dans un tableur et l'enregistrer de nouveau, ou le livrer en CSV",
        ) from None
    raise PhareError(
        f"feuille « {layout.sheet} » absente" if layout.sheet else "classeur sans feuille",
        f"{redact.FILE}, nombre de feuilles : {len(found)}",
        "corriger `sheet` dans le contrat",
    )


def _header(sheet: CalamineSheet) -> tuple[list[str], int]:
    """Return the names of the columns, and the index of the first row after them."""
    top, left = sheet.start or (0, 0)
    merged = [(a, b) for a, b in sheet.merged_cell_ranges or [] if a[0] == top and a[1] >= left]
    end = max([b[0] for _, b in merged], default=top) + 1
    # A deeper one is a label merged along the data: they would be taken for names, and told.
    end = end if end - top <= DEEPEST_HEADER else top + 1
    rows = [[*row] for row in itertools.islice(sheet.iter_rows(), top, end)]
    for (_, column), (last, until) in merged if rows else ():
        across = range(column - left, min(until - left + 1, len(rows[0])))
        for index in across:
            rows[0][index] = rows[0][column - left]
            for row in rows[1 : last - top + 1]:
                row[index] = ""
    parts = [[_text(cell, False) or "" for cell in column] for column in zip(*rows, strict=True)]
    names = [".".join(filter(None, column)) for column in parts]
    while names and not names[-1]:
        names.pop()
    fault = redact.header_fault(names)
    if fault:
        raise PhareError(
            f"{fault} ; une cellule fusionnée peut en être la cause",
            f"{redact.FILE}, ligne {top + 1} de la feuille",
            "un nom par colonne, sur une seule ligne : ôter un titre ou une seconde ligne "
            "au-dessus, défusionner l'entête",
        )
    return names, end


def _batches(
    sheet: CalamineSheet, start: int, names: list[str], kept: dict[str, int]
) -> Iterator[pa.RecordBatch]:
    timed = _timed(sheet, start, kept)
    rows, first = (_row(row, names, kept, timed) for row in _filled(sheet, start)), 1
    while some := list(itertools.islice(rows, BATCH_ROWS)):
        yield tabulate(some, kept, first)
        first += len(some)


def _filled(sheet: CalamineSheet, start: int) -> Iterator[Cells]:
    return (row for row in itertools.islice(sheet.iter_rows(), start, None) if any_filled(row))


def any_filled(row: Cells) -> bool:
    """Tell whether a row of cells holds anything; zero and false are something."""
    return any(cell != "" for cell in row)


def _timed(sheet: CalamineSheet, start: int, kept: dict[str, int]) -> frozenset[str]:
    """Return the columns where a moment has an hour: midnight is then written as one too."""
    timed: set[str] = set()
    for row in _filled(sheet, start):
        timed.update(name for name, i in kept.items() if type(row[i]) is dt.datetime)
        if len(timed) == len(kept):
            break
    return frozenset(timed)


def _row(
    row: Cells, names: list[str], kept: dict[str, int], timed: frozenset[str]
) -> tuple[Row, str | None]:
    if len(row) > len(names) and any_filled(row[len(names) :]):
        found = max(index for index, cell in enumerate(row, 1) if cell != "")
        return {}, f"colonnes:{found}/{len(names)}"
    return {name: _text(row[index], name in timed) for name, index in kept.items()}, None


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < EXACT else repr(value)


def _duration(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


WRITTEN: dict[type, Callable[[Any], str]] = {
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: _number,
    dt.date: dt.date.isoformat,
    dt.datetime: dt.datetime.isoformat,
    dt.time: dt.time.isoformat,
    dt.timedelta: _duration,
}


def _text(cell: Any, timed: bool) -> str | None:
    if cell == "":
        return None
    text = WRITTEN[type(cell)](cell)
    return f"{text}T00:00:00" if timed and type(cell) is dt.date else text
