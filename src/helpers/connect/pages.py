"""What every remote source gives: pages of the permitted columns, each with where to go on.

A page is text, like a batch of a file (`reading`): the permitted columns, and `fault`. What is
not permitted is left at the server where it allows that, and is never decoded otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pyarrow as pa

from helpers.core.base import redact
from helpers.core.base.errors import PhareError
from helpers.core.city.contract import FileFormat
from helpers.core.city.names import FAULT

PAGE_ROWS = 50_000  # of a page that we cut ourselves
Alike = Callable[[Sequence[str]], Mapping[str, str]]  # names offered → of those, permitted columns


@dataclass(frozen=True)
class Page:
    """Rows of a remote source, in its order.

    `table`: text columns, `fault` (why a row cannot be read as one, or null) and each permitted
    column by alphabet, null where the source has none such. `cursor` is where to go on after this
    page; it never holds the text of a cell. `offered` are all the names met in this page or told
    by the source, permitted or not, of which `otherwise` are permitted columns that the source
    writes otherwise: here they are called as they are permitted.
    """

    table: pa.Table
    cursor: str
    last: bool
    offered: tuple[str, ...]
    otherwise: tuple[str, ...] = ()


class Changed(PhareError):
    """The source is no longer what it was when the cursor was made: start again from nothing."""

    def __init__(self, where: str) -> None:
        super().__init__(
            "la source a changé pendant l'import, ou ne rend pas deux fois le même ordre",
            where,
            "relancer : l'import reprendra depuis le début",
        )


class Paging(Protocol):
    """Yield the pages of the source at `ask.url` that come after `cursor`, at least one."""

    def __call__(self, ask: Ask, cursor: str | None) -> Iterator[Page]: ...


@dataclass(frozen=True)
class Ask:
    """What is asked of a remote source: by which layout, where, and which columns.

    `key` are the columns that identify a record, `source` its name in city.yaml. `alike` tells
    which of the names that a source offers are permitted columns, written otherwise.
    """

    layout: FileFormat
    url: str
    permitted: tuple[str, ...]
    key: tuple[str, ...] = ()
    source: str = ""
    alike: Alike = lambda _: {}

    def knowing(self, offered: Sequence[str]) -> Ask:
        """Return what is asked for, its columns called as the source that offers these does."""
        written = {column: name for name, column in self.alike(offered).items()}
        permitted, key = (
            tuple(written.get(one, one) for one in names) for names in (self.permitted, self.key)
        )
        return replace(self, permitted=permitted, key=key)

    @property
    def where(self) -> str:
        """The source as it is called in messages, without any secret."""
        return f"source « {self.source} », {redact.address(self.url)}"


def pages(
    layout: FileFormat,
    url: str,
    permitted: Collection[str],
    cursor: str | None = None,
    *,
    source: str = "",
    key: Sequence[str] = (),
    alike: Alike = lambda _: {},
) -> Iterator[Page]:
    """Yield the pages of a remote source that come after `cursor` (None: from its beginning).

    At least one page, the last one marked so; all tables have the same schema. `key` orders the
    rows of a database or portal; `PHARE_TOKEN_<SOURCE>` in the environment is what goes into the
    `Authorization` header. `alike`: as in `Ask`. PhareError where the source cannot be read to its
    end; Changed where it is no longer the one that the cursor was made of.
    """
    ask = Ask(layout, url, tuple(sorted(permitted)), tuple(key), source, alike)
    return (_as_permitted(page, alike(page.offered)) for page in _paging(ask)(ask, cursor))


def _as_permitted(page: Page, names: Mapping[str, str]) -> Page:
    """Return the page with its columns called as they are permitted; `names` offered → that."""
    called = [names.get(name, name) for name in page.table.column_names]
    offered = tuple(names.get(name, name) for name in page.offered)
    table = page.table.rename_columns(called)
    return replace(page, table=table, offered=offered, otherwise=tuple(names.values()))


def _paging(ask: Ask) -> Paging:
    match ask.layout.format:
        case "postgres":
            from helpers.connect.postgres import read
        case "open311":
            from helpers.connect.open311 import read
        case "opendatasoft":
            from helpers.connect.opendatasoft import read
        case "ckan":
            from helpers.connect.ckan import read
        case form:
            raise PhareError(
                f"la forme {form} ne se lit pas à une adresse",
                ask.where,
                "écrire dans le contrat `format:` postgres, open311, opendatasoft ou ckan",
            )
    return read


def conform(batch: pa.RecordBatch, permitted: Sequence[str]) -> pa.Table:
    """Return `fault` and the permitted columns in order, those that are absent null."""
    count = batch.num_rows
    there = set(batch.schema.names)
    columns = {
        name: batch[name] if name in there else pa.nulls(count, pa.string())
        for name in (FAULT, *permitted)
    }
    return pa.table(columns, schema=pa.schema([(name, pa.string()) for name in columns]))


def nothing(permitted: Sequence[str]) -> pa.Table:
    """Return a table of no row."""
    return pa.schema([(name, pa.string()) for name in (FAULT, *permitted)]).empty_table()


@dataclass(frozen=True)
class Piece:
    """A page before it is known whether another one follows; `cursor` is not yet text."""

    table: pa.Table
    cursor: dict[str, Any]
    offered: tuple[str, ...]


def marked(pieces: Iterable[Piece], empty: Piece) -> Iterator[Page]:
    """Yield the pieces as pages, the last one marked so; `empty` alone where there is none."""
    held: Piece | None = None
    for piece in pieces:
        if held is not None:
            yield _page(held, last=False)
        held = piece
    yield _page(held or empty, last=True)


def _page(piece: Piece, *, last: bool) -> Page:
    return Page(piece.table, json.dumps(piece.cursor, sort_keys=True), last, piece.offered)


def opened(cursor: str | None, names: Collection[str], where: str) -> dict[str, Any]:
    """Return what a cursor says, {} for None; one that is not of this kind of source is Changed."""
    if cursor is None:
        return {}
    try:
        told: dict[str, Any] = json.loads(cursor)
    except ValueError:
        raise Changed(where) from None
    if not isinstance(told, dict) or set(told) != set(names):
        raise Changed(where)
    return told
