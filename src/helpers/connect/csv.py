"""CSV and TSV, streamed: any encoding, any separator, each row as Python's csv module sees it.

A row of too many or too few cells is not an error but a fault of that row. Blank lines are no rows
and are not counted. See docs/decisions/0015-les-lecteurs.md for what was measured.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from array import array
from collections.abc import Collection, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from helpers.connect import bytes as connect_bytes
from helpers.connect.reading import Reading, assemble
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import FileFormat

BLOCK = 16 << 20  # bytes parsed at once: the longest row that can be read
Integers = np.ndarray[tuple[int, ...], np.dtype[np.int64]]
DAMAGE = "\ufdd0"  # not a character, says Unicode: no text holds it
SURROGATES = re.compile("[\ud800-\udfff]")
STAND_IN = "\x1f"  # plays a separator that is not ASCII, which pyarrow would not take


def read(layout: FileFormat, path: Path, permitted: Collection[str], *, shapes: bool) -> Reading:
    """Open a delimited file; `shapes` it has none."""
    names = _header(layout, path)
    kept = [index for index, name in enumerate(names) if name in permitted]
    return Reading(names, _batches(layout, path, names, kept))


class _Text:
    """The text of the file as pyarrow takes it: always valid UTF-8, the separator ASCII.

    What is illegible becomes a sign that no text holds, and `damaged` tells that there was some:
    pyarrow fails on a row of the wrong length that is not valid UTF-8.
    """

    def __init__(self, layout: FileFormat, path: Path) -> None:
        encoding = connect_bytes.codec(layout.encoding)
        if connect_bytes.says_utf8(path):
            encoding = "utf-8"  # the file's own word, whatever the contract expects
        self.encoding = "utf-8" if encoding in connect_bytes.UTF8 else encoding
        one, other = ord(layout.separator), ord(STAND_IN)
        self.swapped = None if layout.separator.isascii() else {one: other, other: one}
        self.separator = STAND_IN if self.swapped else layout.separator
        self.damaged = False
        self._path = path

    def pieces(self) -> Iterator[bytes]:
        """Yield the text from the start."""
        raw = connect_bytes.chunks(self._path)
        if self.encoding == "utf-8" and not self.swapped:
            for piece in connect_bytes.whole_characters(raw):
                # Looked at and let through: that costs half of decoding it, and nothing to encode.
                yield (
                    piece
                    if connect_bytes.is_utf8(piece)
                    else self._sound(connect_bytes.legible(piece))
                )
            return
        for text in connect_bytes.decoded(raw, self.encoding):
            yield self._sound(text.translate(self.swapped) if self.swapped else text)

    def _sound(self, text: str) -> bytes:
        try:
            return text.encode()
        except UnicodeEncodeError:
            self.damaged = True
            return SURROGATES.sub(DAMAGE, text).encode()

    def restored(self, cells: pa.Array) -> pa.Array:
        """Return cells (UTF-8) with what stood for something else put back."""
        if self.damaged:
            cells = pc.if_else(pc.match_substring(cells, DAMAGE), b"\xff", cells)
        if self.swapped:
            marks = "|".join(map(chr, self.swapped))
            if pc.any(pc.match_substring_regex(cells, marks)).as_py():
                return pa.array([self._back(cell) for cell in cells.to_pylist()], pa.binary())
        return cells

    def _back(self, cell: bytes | None) -> bytes | None:
        if cell is None or cell == b"\xff" or not self.swapped:
            return cell
        return cell.decode().translate(self.swapped).encode()


def _header(layout: FileFormat, path: Path) -> list[str]:
    """Return the names of the columns, which the file's first line holds."""
    if len(layout.separator) != 1 or layout.separator in '"\r\n\0':
        raise PhareError(
            "le séparateur est un seul caractère, ni guillemet ni fin de ligne",
            "partie `file` du contrat",
            "corriger `separator` dans le contrat",
        )
    text = _Text(layout, path)
    try:
        with connect_bytes.as_file(text.pieces()) as file:
            lines = io.TextIOWrapper(file, "utf-8-sig", newline="")
            names = next(csv.reader(lines, delimiter=text.separator), [])
    except csv.Error:
        names = []
    if text.swapped:
        names = [name.translate(text.swapped) for name in names]
    if text.damaged and any(DAMAGE in name for name in names):
        raise PhareError(
            f"la première ligne n'est pas de l'{layout.encoding}",
            f"{redact.FILE}, ligne 1",
            "écrire `encoding: utf-16` dans la partie `file` du contrat"
            if connect_bytes.says_utf16(path)
            else "vérifier l'encodage que dit le contrat",
        )
    fault = redact.header_fault(names)
    if fault:
        raise PhareError(fault, f"{redact.FILE}, ligne 1", _todo(path, len(names)))
    return names


def _todo(path: Path, columns: int) -> str:
    """Return what to do of a first line that does not name the columns."""
    if connect_bytes.says_utf16(path):
        return "écrire `encoding: utf-16` dans la partie `file` du contrat"
    if columns < 2:
        return "vérifier le séparateur que dit le contrat, et ôter un titre au-dessus de l'entête"
    return (
        "donner un nom à chaque colonne, un seul, sur la première ligne : ôter un titre au-dessus, "
        "une colonne vide au bout"
    )


class _Ragged:
    """Rows of the wrong length: their numbers (0 for the header) and how many cells they have.

    `ended` tells whether the last of them is `ending`, word for word: a row that an open quote
    made out of it would hold that quote.
    """

    def __init__(self, ending: str) -> None:
        self.count = 0
        self.ended = False
        self._ending = ending
        self._pairs = array("q")  # 16 bytes a row, and whole at any moment: parsing runs ahead

    def note(self, row: Any) -> str:
        """Take note of a row that pyarrow cannot align; its text is compared and never kept."""
        self.count += 1
        self.ended = row.text == self._ending
        self._pairs.extend((row.number - 1, row.actual_columns))
        return "skip"

    def take(self, row: int, sound: int | None) -> tuple[Integers, Integers]:
        """Return, and forget, the rows that come before the last of `sound` ones from `row` on.

        All of them where `sound` is None.
        """
        numbers, found = np.array(self._pairs).reshape(-1, 2).T
        if sound is not None:
            sound_before = numbers - row - np.arange(len(numbers))
            count = int(np.searchsorted(sound_before, sound, "left"))
            numbers, found = numbers[:count], found[:count]
        del self._pairs[: 2 * len(numbers)]
        return numbers, found


def _batches(
    layout: FileFormat, path: Path, names: list[str], kept: list[int]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows; the header is parsed as row 0 and left out."""
    text, row = _Text(layout, path), 0
    # One row more, too long to be valid: if it never shows up, an open quote has swallowed it.
    ending = text.separator * (len(names) + 1)
    ragged = _Ragged(ending)
    pieces = itertools.chain(text.pieces(), [f"\n{ending}\n".encode()])
    with closing(_parsed(layout, pieces, text.separator, len(names), kept, ragged)) as parsed:
        for batch in parsed:
            places, found = ragged.take(row, batch.num_rows)
            yield _numbered(batch, row, places, found, names, kept, text)
            row += batch.num_rows + len(places)
    places, found = ragged.take(row, None)
    last = row + len(places) - 1
    if not len(places) or places[-1] != last or not ragged.ended:
        raise PhareError(
            "un guillemet ouvert n'est jamais refermé",
            f"{redact.FILE}, au plus tard ligne de données {last}",
            "recevoir le fichier de nouveau, ou corriger cette ligne à la source",
        )
    if len(places) > 1:
        nothing = pa.RecordBatch.from_pydict({str(i): pa.array([], pa.binary()) for i in kept})
        yield _numbered(nothing, row, places[:-1], found[:-1], names, kept, text)


def _parsed(
    layout: FileFormat,
    pieces: Iterator[bytes],
    separator: str,
    width: int,
    kept: list[int],
    ragged: _Ragged,
) -> Generator[pa.RecordBatch, None, None]:
    """Yield the well-formed rows as bytes, in columns named by their position."""
    columns = [str(index) for index in kept or [0]]
    row = 0
    try:
        with (
            connect_bytes.as_file(pieces) as file,
            pacsv.open_csv(
                file,
                # One thread: rows then have numbers. More threads measured no faster.
                pacsv.ReadOptions(
                    use_threads=False, block_size=BLOCK, column_names=[*map(str, range(width))]
                ),
                pacsv.ParseOptions(
                    delimiter=separator, newlines_in_values=True, invalid_row_handler=ragged.note
                ),
                pacsv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.binary()), include_columns=columns
                ),
            ) as reader,
        ):
            for batch in reader:
                yield batch
                row += batch.num_rows
    except pa.ArrowException:
        before = max(0, row + ragged.count - 1)  # the header is none
        # The library's message quotes the row, which may name a person.
        raise PhareError(
            "fichier CSV illisible avec la mise en page du contrat : une ligne de plus de "
            f"{BLOCK >> 20} Mio, sans doute un guillemet jamais refermé",
            f"{redact.FILE}, après la ligne de données {before}",
            f"vérifier séparateur « {layout.separator} », guillemets et encodage {layout.encoding}",
        ) from None


def _numbered(
    batch: pa.RecordBatch,
    row: int,
    places: Integers,
    found: Integers,
    names: list[str],
    kept: list[int],
    text: _Text,
) -> pa.RecordBatch:
    """Return the rows from number `row` on, those at `places` with their fault."""
    size = batch.num_rows + len(places)
    wrong = np.zeros(size, bool)
    wrong[places - row] = True
    indices = pa.array(np.cumsum(~wrong) - 1, mask=wrong)
    columns = {names[i]: text.restored(batch[str(i)]) for i in kept}
    faults = pa.nulls(size, pa.string())
    if len(places):
        columns = {name: column.take(indices) for name, column in columns.items()}
        told = np.full(size, None, object)
        told[places - row] = [f"colonnes:{count}/{len(names)}" for count in found]
        faults = pa.array(told, pa.string())
    numbers = pa.array(np.arange(row, row + size))
    rows = assemble(numbers, faults, columns)
    return rows.slice(1) if row == 0 else rows
