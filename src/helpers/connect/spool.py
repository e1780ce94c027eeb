"""An import that can be stopped at any moment and goes on where it was.

Each page is cleaned, then written as a part of its own; a journal says which parts count and
where to go on. Both are written aside, flushed to the disk, then renamed: whatever the moment of
a stop, the folder holds whole parts that the journal names, and perhaps one that it does not,
which is taken away and asked for again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from helpers.connect.pages import Changed, Page
from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.city.key import Key

JOURNAL, LOCK, ASIDE, PARTS = "journal.json", "verrou", ".part", "part-*.parquet"
MOST_STARTS = 3  # of one call, when the source changes under it


class Part(msgspec.Struct):
    """A part that counts; `sha256` is that of its file."""

    name: str
    rows: int
    sha256: str


class Journal(msgspec.Struct):
    """How far an import is: the parts, where to go on (sealed), the columns offered (`called`).

    `otherwise`: those of the contract that the source writes otherwise. `asked`: what the pages
    were asked and cleaned by; they answer to nothing else.
    """

    parts: list[Part]
    cursor: str | None
    offered: list[str]
    done: bool
    otherwise: list[str] = []
    asked: str = ""


def take_pages(
    pages_from: Callable[[str | None], Iterator[Page]],
    folder: Path,
    clean: Callable[[pa.Table], pa.Table],
    called: Callable[[Sequence[str]], list[str]],
    key: Key,
    asked: str = "",
) -> list[Path]:
    """Write each page that `pages_from` a cursor gives, cleaned, as a Parquet part of `folder`.

    Return the parts in order. An import that was stopped goes on from its last whole part; one
    that is done is not asked for again (empty the folder for that). The bytes depend on the rows
    and on the version of Arrow only. Where the source changed meanwhile, or the pages were not
    `asked` for like this, it is read from its beginning. What `clean` takes away is never written;
    a column offered is noted as `called` calls it. Where to go on, which may tell an identifier, is
    encrypted by the `key` of the city: with another one, the source is read from its beginning.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder):
        for start in range(MOST_STARTS):
            journal = _trusted(folder, key, asked)
            try:
                if not journal.done:
                    _take(pages_from, folder, clean, called, key, journal)
                return [folder / part.name for part in journal.parts]
            except Changed:
                if start == MOST_STARTS - 1:
                    raise
                write_whole(folder / JOURNAL, msgspec.json.encode(_blank(asked)))
        raise AssertionError


def read_journal(folder: Path) -> Journal:
    """Return how far the import of this folder is; one never begun, or illegible, has no part."""
    try:
        return msgspec.json.decode((folder / JOURNAL).read_bytes(), type=Journal)
    except (FileNotFoundError, msgspec.MsgspecError):
        return _blank()


def _blank(asked: str = "") -> Journal:
    return Journal([], None, [], done=False, asked=asked)


def _take(
    pages_from: Callable[[str | None], Iterator[Page]],
    folder: Path,
    clean: Callable[[pa.Table], pa.Table],
    called: Callable[[Sequence[str]], list[str]],
    key: Key,
    journal: Journal,
) -> None:
    for page in pages_from(key.unsealed(journal.cursor) if journal.cursor else None):
        table = clean(page.table)
        name = f"part-{len(journal.parts) + 1:06}.parquet"
        encoded = pa.BufferOutputStream()
        pq.write_table(table, encoded, compression="zstd")
        content = encoded.getvalue().to_pybytes()
        write_whole(folder / name, content)
        digest = hashlib.sha256(content).hexdigest()
        journal.parts.append(Part(name, table.num_rows, digest))
        journal.offered = list(dict.fromkeys([*journal.offered, *called(page.offered)]))
        journal.otherwise = list(dict.fromkeys([*journal.otherwise, *page.otherwise]))
        journal.cursor, journal.done = key.sealed(page.cursor), page.last
        write_whole(folder / JOURNAL, msgspec.json.encode(journal))


def _trusted(folder: Path, key: Key, asked: str) -> Journal:
    """Return the journal, of which every part is whole; take away what it does not name.

    A blank one where its pages were not asked for like this.
    """
    journal = read_journal(folder)
    sound = journal.asked == asked
    sound &= journal.cursor is None or key.unsealed(journal.cursor) is not None
    sound = sound and all(
        (folder / part.name).is_file() and store.sha256(folder / part.name) == part.sha256
        for part in journal.parts
    )
    if not sound:
        journal = _blank(asked)
        write_whole(folder / JOURNAL, msgspec.json.encode(journal))
    kept = {part.name for part in journal.parts}
    for path in (*folder.glob(PARTS), folder / ASIDE):
        if path.name not in kept:
            path.unlink(missing_ok=True)
    return journal


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, for good once this returns; alone in its folder."""
    aside = path.with_name(ASIDE)
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep others out of the folder; the lock of a process that was killed goes with it."""
    with (folder / LOCK).open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PhareError(
                "un autre import, ou une autre écoute, de cette source est en cours",
                "dossier de cette source",
                "attendre qu'il finisse",
            ) from None
        yield
