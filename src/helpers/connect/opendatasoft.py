"""Opendatasoft Explore v2.1, as French cities publish: the export of a data set, as JSON Lines.

`/records` gives 100 rows at a time and no more than 10,000 in all; `/exports` has no limit and
takes `select` and `order_by`, so refused columns never leave the portal. An export has no pages:
they are cut here. To go on, the export is asked for again and the rows already taken are skipped,
their digest compared: were they not the same, the import starts again.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from helpers.connect.bytes import as_file
from helpers.connect.http import BROKEN, PIECE, Passing, Site
from helpers.connect.json import BROKEN as NOT_AN_OBJECT
from helpers.connect.json import LINE_BYTES, UNREADABLE, Offered, Row, tabulate
from helpers.connect.pages import (
    PAGE_ROWS,
    Ask,
    Changed,
    Page,
    Piece,
    conform,
    marked,
    nothing,
    opened,
)
from helpers.core.base.errors import PhareError

CURSOR = ("rows", "sha256")
PLACE = re.compile(
    r"^(?P<root>.*?)/(?:api/explore/v2\.\d/catalog/datasets|explore/dataset)/(?P<name>[^/]+)"
)


class _Field(msgspec.Struct):
    name: str


class _Description(msgspec.Struct):
    fields: list[_Field]


class _Count(msgspec.Struct):
    total_count: int


def read(ask: Ask, cursor: str | None) -> Iterator[Page]:
    """Yield the rows of a data set, ordered by the key. The cursor counts rows."""
    told = opened(cursor, CURSOR, ask.where)
    with Site(ask.url, ask.source) as site:
        dataset = _Dataset(ask, site)
        ask = ask.knowing(dataset.offered)
        export = _Export(ask, site, dataset)
        empty = Piece(nothing(ask.permitted), export.cursor(), dataset.offered)
        yield from marked(export.pieces(told), empty)


class _Dataset:
    """A data set of a portal: what it offers, how many rows, and where its export is."""

    def __init__(self, ask: Ask, site: Site) -> None:
        parts = urlsplit(ask.url)
        found = PLACE.match(parts.path)
        if not found:
            raise PhareError(
                "l'adresse n'est pas celle d'un jeu de données Opendatasoft",
                ask.where,
                "donner https://portail/api/explore/v2.1/catalog/datasets/nom-du-jeu",
            )
        path = f"{found['root']}/api/explore/v2.1/catalog/datasets/{found['name']}"
        base = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
        description = _decoded(site.document(base), _Description, ask)
        self.offered = tuple(field.name for field in description.fields)
        ask = ask.knowing(self.offered)
        tops = [name for name in self.offered if _is_wanted(name, ask.permitted)]
        if not tops:
            raise PhareError(
                "aucune colonne permise dans ce jeu de données",
                ask.where,
                "vérifier les noms de colonnes du contrat",
            )
        narrowed = [(k, v) for k, v in parse_qsl(parts.query) if k in ("where", "refine")]
        counted = urlencode([*narrowed, ("select", _named(tops[0])), ("limit", "1")])
        self.count = _decoded(site.document(f"{base}/records?{counted}"), _Count, ask).total_count
        order = [("order_by", ",".join(_named(name) for name in ask.key if name in tops))]
        asked = [
            *narrowed,
            ("select", ",".join(map(_named, tops))),
            *(order if order[0][1] else []),
        ]
        self.export = f"{base}/exports/jsonl?{urlencode([*asked, ('timezone', 'UTC')])}"


class _Export:
    """An export being read, over as many connections as it takes."""

    def __init__(self, ask: Ask, site: Site, dataset: _Dataset) -> None:
        self._ask, self._site, self._dataset = ask, site, dataset
        self._offered = Offered(ask.permitted)
        self._rows, self._digest = 0, hashlib.sha256()  # of the pages given so far
        self._furthest = 0
        self._file: io.BufferedReader | None = None
        self._open = ExitStack()

    def cursor(self) -> dict[str, Any]:
        return {"rows": self._rows, "sha256": self._digest.hexdigest()}

    def pieces(self, told: dict[str, Any]) -> Iterator[Piece]:
        """Yield the pages after the rows that a cursor counts."""
        with self._open:
            if told:
                self._rows = told["rows"]
                self._site.insist(lambda: self._connect(told["sha256"]), lambda: self._furthest)
            while lines := self._site.insist(self._page, lambda: self._furthest):
                for line in lines:
                    self._digest.update(line)
                self._rows += len(lines)
                rows = [_row(self._offered, line) for line in lines]
                table = conform(tabulate(rows, self._ask.permitted, 1), self._ask.permitted)
                yield Piece(table, self.cursor(), self._dataset.offered)
            if self._rows != self._dataset.count:
                raise Changed(self._ask.where)

    def _page(self) -> list[bytes]:
        """Return the lines of the next page, none at the end."""
        if self._file is None:
            self._connect(self._digest.hexdigest())
        return list(self._lines(PAGE_ROWS))

    def _connect(self, expected: str) -> None:
        """Ask for the export, and skip the rows already taken if they are the same."""
        self._open.close()
        reply = self._open.enter_context(
            self._site.open(self._dataset.export, {"Accept-Encoding": "gzip"})
        )
        self._file = self._open.enter_context(as_file(reply.iter_content(PIECE)))
        digest, count, taken = hashlib.sha256(), 0, self._rows
        for line in self._lines(taken):
            digest.update(line)
            count += 1
        if count != taken or digest.hexdigest() != expected:
            raise Changed(self._ask.where)
        self._digest = digest

    def _lines(self, most: int) -> Iterator[bytes]:
        """Yield up to `most` lines that are not blank; Passing where the connection drops."""
        assert self._file is not None
        count = 0
        try:
            while count < most and (line := self._file.readline(LINE_BYTES)):
                if line.strip():
                    count += 1
                    yield line.rstrip(b"\r\n")
        except BROKEN:
            self._file = None
            raise Passing("la connexion s'est interrompue", self._ask.where) from None
        finally:
            self._furthest = max(self._furthest, self._rows + count)


def _decoded(text: bytes, kind: type[Any], ask: Ask) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except UNREADABLE:
        raise PhareError(
            "le portail ne répond pas comme Opendatasoft Explore v2.1",
            ask.where,
            "vérifier l'adresse, et que le portail offre cette version",
        ) from None


def _row(offered: Offered, line: bytes) -> tuple[Row, str | None]:
    try:
        return offered.row(line), None
    except UNREADABLE:
        return {}, NOT_AN_OBJECT


def _is_wanted(name: str, permitted: Iterable[str]) -> bool:
    return any(one == name or one.startswith(f"{name}.") for one in permitted)


def _named(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else f"`{name.replace('`', '')}`"
