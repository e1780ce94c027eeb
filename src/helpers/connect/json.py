"""JSON Lines, streamed, and JSON documents: objects become rows, their keys columns.

A key inside an object is named with a dot (`lieu.lon`), a list is text in JSON, a number keeps
the digits that were written. Only permitted values are ever decoded.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import msgspec
import pyarrow as pa

from helpers.connect import bytes as connect_bytes
from helpers.connect.reading import BATCH_ROWS, TOO_LARGE, Reading, assemble
from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import FileFormat

DOCUMENT_BYTES = 512 << 20  # a JSON document is held whole
LINE_BYTES = 16 << 20
BROKEN = "json"
UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
Row = dict[str, str | None]

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_string = msgspec.json.Decoder(str).decode


class Offered:
    """The names met so far, in order, and those of them whose values are wanted."""

    def __init__(self, permitted: Collection[str]) -> None:
        self.names: dict[str, None] = {}
        self._permitted = frozenset(permitted)

    def row(self, text: bytes | msgspec.Raw) -> Row:
        """Return the permitted values of an object; raise one of UNREADABLE if it is none."""
        row: Row = {}
        self._into(row, _object(text), "")
        return row

    def _into(self, row: Row, members: Mapping[str, msgspec.Raw], prefix: str) -> None:
        for key, raw in members.items():
            name, value = prefix + key, memoryview(raw)
            if value[0] == ord("{"):
                self._into(row, _object(raw), name + ".")
                if name in self._permitted:
                    # Its text would let in what the contract does not name.
                    raise msgspec.DecodeError("un objet, où le contrat attend une valeur")
                continue
            self.names[name] = None
            if name in row:
                raise msgspec.DecodeError("deux valeurs pour un même nom")
            if name in self._permitted:
                row[name] = None if value[0] == ord("n") else _text(raw)


def _text(raw: msgspec.Raw) -> str:
    """Return a value as text; a list as JSON whose strings are plain, for the gate to read."""
    written = bytes(raw)
    if written[:1] == b'"':
        return _string(written)
    return _compact(raw) if written[:1] == b"[" else written.decode()


def _compact(raw: msgspec.Raw) -> str:
    written = bytes(raw)
    if written[:1] == b'"':
        return json.dumps(_string(written), ensure_ascii=False)
    if written[:1] == b"[":
        return "[" + ",".join(map(_compact, _list(written))) + "]"
    if written[:1] == b"{":
        members = _object(written).items()
        pairs = (json.dumps(key, ensure_ascii=False) + ":" + _compact(v) for key, v in members)
        return "{" + ",".join(pairs) + "}"
    return written.decode()


def tabulate(
    rows: Iterable[tuple[Row, str | None]], names: Iterable[str], first: int
) -> pa.RecordBatch:
    """Return rows, each with its fault or None, as a batch; the first has number `first`."""
    held, faults = zip(*rows, strict=True)
    columns = {name: pa.array([row.get(name) for row in held], pa.string()) for name in names}
    numbers = pa.array(range(first, first + len(held)), pa.int64())
    return assemble(numbers, pa.array(faults, pa.string()), columns)


def _parsed(
    offered: Offered, objects: Iterable[bytes | msgspec.Raw | None]
) -> Iterator[tuple[Row, str | None]]:
    for one in objects:
        try:
            yield (offered.row(one), None) if one is not None else ({}, TOO_LARGE)
        except UNREADABLE:
            yield {}, BROKEN


def _batches(
    offered: Offered, names: list[str], objects: Iterable[bytes | msgspec.Raw | None]
) -> Iterator[pa.RecordBatch]:
    rows, first = _parsed(offered, objects), 1
    while some := list(itertools.islice(rows, BATCH_ROWS)):
        yield tabulate(some, names, first)
        first += len(some)


def read_lines(
    layout: FileFormat, path: Path, permitted: Collection[str], *, shapes: bool
) -> Reading:
    """Open JSON Lines. Blank lines are no rows. It is read twice: first for the names."""
    survey = Offered(())
    for _ in _parsed(survey, _lines(layout, path)):
        pass
    names = [name for name in survey.names if name in permitted]
    offered = Offered(permitted)
    return Reading([*survey.names], _batches(offered, names, _lines(layout, path)))


def _lines(layout: FileFormat, path: Path) -> Iterator[bytes | None]:
    """Yield each line in UTF-8, or None for one that is too long."""
    encoding = connect_bytes.codec(layout.encoding)
    pieces: Iterator[bytes] = connect_bytes.chunks(path)
    if encoding not in connect_bytes.UTF8:
        pieces = connect_bytes.as_utf8(pieces, encoding)
    with closing(connect_bytes.as_file(pieces)) as file:
        file.read(3 if file.peek(3).startswith(b"\xef\xbb\xbf") else 0)
        while line := file.readline(LINE_BYTES):
            if len(line) == LINE_BYTES and not line.endswith(b"\n"):
                while (rest := file.readline(LINE_BYTES)) and not rest.endswith(b"\n"):
                    pass
                yield None
            elif line.strip():
                yield line


def read_document(
    layout: FileFormat, path: Path, permitted: Collection[str], *, shapes: bool
) -> Reading:
    """Open a JSON document: a list of objects, on its own or under the key `records` (dotted)."""
    objects = rows_of(layout, path, layout.records)
    survey = Offered(())
    for _ in _parsed(survey, objects):
        pass
    names = [name for name in survey.names if name in permitted]
    return Reading([*survey.names], _batches(Offered(permitted), names, objects))


def rows_of(layout: FileFormat, path: Path, records: str) -> list[msgspec.Raw]:
    """Return the list under the key `records` of the document, each member as written."""
    document = connect_bytes.whole(path, layout.encoding, DOCUMENT_BYTES)
    try:
        found = msgspec.Raw(document)
        for key in filter(None, records.split(".")):
            found = _object(found)[key]
        return _list(found)
    except (*UNREADABLE, KeyError):
        place = f"une liste sous la clé « {records} »" if records else "une liste à la racine"
        raise PhareError(
            f"document JSON illisible, ou sans {place}",
            redact.FILE,
            "vérifier le fichier livré et son encodage, et `records` dans le contrat",
        ) from None
