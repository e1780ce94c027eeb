"""Open311 GeoReport v2: `requests.json`, window of days by window of days, page by page.

The standard lets a server answer at most 90 days or 1,000 requests at once; `page` and
`page_size` are a common extension, which some servers ignore. A window that such a server cannot
give whole is halved until it can.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
import pyarrow as pa

from helpers.connect.http import Refused, Site
from helpers.connect.json import BROKEN, UNREADABLE, Offered, Row, tabulate
from helpers.connect.pages import Ask, Page, Piece, conform, marked, nothing, opened
from helpers.core.base.errors import PhareError

WINDOW = dt.timedelta(days=30)
PAGE_SIZE = 1000  # as many as the standard lets a server give at once
SHORTEST = dt.timedelta(minutes=1)
SECOND = dt.timedelta(seconds=1)
CURSOR = ("from", "to", "page", "seen")

_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True)
class _Window:
    """Both ends are within; `end` is a second before the next window's start."""

    start: dt.datetime
    end: dt.datetime

    def halves(self) -> tuple[_Window, _Window]:
        middle = self.start + (self.end - self.start) / 2
        middle = middle.replace(microsecond=0)
        return _Window(self.start, middle), _Window(middle + SECOND, self.end)


@dataclass(frozen=True)
class _Answer:
    """One page as received: its rows, and a digest that tells it from another page."""

    table: pa.Table
    seen: str
    offered: tuple[str, ...]

    @property
    def rows(self) -> int:
        count: int = self.table.num_rows
        return count


def read(ask: Ask, cursor: str | None) -> Iterator[Page]:
    """Yield the requests made between `start_date` and `end_date` of the address, both days in.

    The cursor names a window, the next page of it, and a digest of the page before.
    """
    told = opened(cursor, CURSOR, ask.where)
    with Site(ask.url, ask.source) as site:
        reader = _Reader(ask, site)
        yield from marked(reader.pieces(told), Piece(nothing(ask.permitted), {}, ()))


class _Reader:
    def __init__(self, ask: Ask, site: Site) -> None:
        self._ask, self._site = ask, site
        parts = urlsplit(ask.url)
        query = dict(parse_qsl(parts.query))
        self._first = _day(query.pop("start_date", ""), ask)
        self._end = _day(query.pop("end_date", ""), ask) + dt.timedelta(days=1) - SECOND
        self._size = int(query.pop("page_size", PAGE_SIZE))
        path = parts.path.rstrip("/")
        path = path if path.endswith("requests.json") else f"{path}/requests.json"
        self._query = query
        self._place = urlunsplit((parts.scheme, parts.netloc, path, "", ""))

    def pieces(self, told: dict[str, Any]) -> Iterator[Piece]:
        """Yield the pages after a cursor, the pages of one window after the other."""
        start, past = self._first, None
        if told:
            window = _Window(_moment(told["from"]), _moment(told["to"]))
            past = window.end
            if told["page"]:
                yield from self._rest(window, int(told["page"]), str(told["seen"]))
        while start <= self._end:
            window = _Window(start, min(start + WINDOW - SECOND, self._end))
            yield from self._window(window, past)
            start = window.end + SECOND

    def _window(self, window: _Window, past: dt.datetime | None = None) -> Iterator[Piece]:
        """Yield the pages of a window, halved as long as the server cannot give it whole.

        What was taken up to `past` is left out. A window that ends later but began before was
        halved then, and is again: pages are the same whether an import was stopped or not.
        """
        if past and window.end <= past:
            return
        if past and window.start <= past:
            for half in window.halves():
                yield from self._window(half, past)
            return
        first = self._fetch(window, 1)
        if first is None or not first.rows:
            return
        second = self._fetch(window, 2)
        if second is None or not second.rows:
            yield self._piece(window, first, 0)
        elif second.seen != first.seen:
            yield self._piece(window, first, 2)
            yield from self._rest(window, 2, first.seen, second)
        elif first.rows < min(self._size, PAGE_SIZE):
            yield self._piece(window, first, 0)  # no paging here, and no need of it
        elif window.end - window.start < SHORTEST:
            raise PhareError(
                f"{first.rows} demandes en moins d'une minute, et le serveur ignore `page`",
                self._ask.where,
                "demander à l'éditeur un serveur qui pagine, ou un fichier",
            )
        else:
            for half in window.halves():
                yield from self._window(half)

    def _rest(
        self, window: _Window, number: int, seen: str, answer: _Answer | None = None
    ) -> Iterator[Piece]:
        """Yield the pages of a window from `number` on; `seen` is the digest of the one before."""
        answer = answer or self._fetch(window, number)
        while answer is not None and answer.rows and answer.seen != seen:
            yield self._piece(window, answer, number + 1)
            seen, number = answer.seen, number + 1
            answer = self._fetch(window, number)

    def _piece(self, window: _Window, answer: _Answer, following: int) -> Piece:
        cursor = {
            "from": window.start.isoformat(),
            "to": window.end.isoformat(),
            "page": following,  # 0: the window is done
            "seen": answer.seen,
        }
        return Piece(answer.table, cursor, answer.offered)

    def _fetch(self, window: _Window, number: int) -> _Answer | None:
        """Return a page, or None beyond the last where a server says so by 404."""
        query = self._query | {
            "start_date": f"{window.start:%Y-%m-%dT%H:%M:%SZ}",
            "end_date": f"{window.end:%Y-%m-%dT%H:%M:%SZ}",
            "page": str(number),
            "page_size": str(self._size),
        }
        try:
            text = self._site.document(f"{self._place}?{urlencode(query)}")
        except Refused as refusal:
            if refusal.status == 404 and number > 1:
                return None
            raise
        return self._parsed(text)

    def _parsed(self, text: bytes) -> _Answer:
        try:
            objects = _list(text)
        except UNREADABLE:
            raise PhareError(
                "la réponse n'est pas une liste de demandes en JSON",
                self._ask.where,
                "vérifier que l'adresse est celle d'un serveur GeoReport v2",
            ) from None
        offered, ask = Offered(self._ask.permitted), self._ask
        rows = [_row(offered, one) for one in objects]
        written = ask.knowing([*offered.names])
        if written.permitted != ask.permitted:
            offered, ask = Offered(written.permitted), written
            rows = [_row(offered, one) for one in objects]
        seen = hashlib.sha256(b"".join(bytes(one) for one in objects)).hexdigest()[:16]
        names = ask.permitted
        table = conform(tabulate(rows, names, 1), names) if rows else nothing(names)
        return _Answer(table, seen, tuple(offered.names))


def _row(offered: Offered, one: msgspec.Raw) -> tuple[Row, str | None]:
    try:
        return offered.row(one), None
    except UNREADABLE:
        return {}, BROKEN


def _day(text: str, ask: Ask) -> dt.datetime:
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text[:10]), dt.time(), dt.UTC)
    except ValueError:
        raise PhareError(
            "l'adresse ne dit pas de quel jour à quel jour demander",
            ask.where,
            "y ajouter `start_date=AAAA-MM-JJ&end_date=AAAA-MM-JJ`",
        ) from None


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
