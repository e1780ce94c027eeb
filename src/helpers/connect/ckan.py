"""A file of a CKAN portal or of data.gouv.fr: what the portal says of it, then the file, checked.

As received, it may hold refused columns: it lies in a folder of the moment, from which only the
permitted ones are read, and goes when done. A file that is not the one announced is not read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec

from helpers.connect import open_file
from helpers.connect.http import Site
from helpers.connect.json import UNREADABLE
from helpers.connect.pages import Ask, Changed, Page, Piece, conform, marked, nothing, opened
from helpers.core.base.errors import PhareError
from helpers.core.base.workspace import scratch
from helpers.core.city.contract import REMOTE, FileFormat, Format

CURSOR = ("rows", "sha256")
DIGESTS = {32: "md5", 40: "sha1", 64: "sha256"}  # of a CKAN `hash`, told by its length
FORMS: dict[str, Format] = {
    **{name: name for name in get_args(Format) if name not in REMOTE},
    "tsv": "csv", "txt": "csv", "xls": "xlsx", "ndjson": "jsonl", "geoparquet": "parquet",
}  # fmt: skip


class _Checksum(msgspec.Struct):
    type: str
    value: str


class Resource(msgspec.Struct):
    """What a portal tells of a file. data.gouv.fr gives `checksum`, CKAN `hash`, if at all."""

    url: str
    format: str | None = None
    checksum: _Checksum | None = None
    hash: str | None = None
    filesize: int | None = None

    def expected(self) -> tuple[str, str] | None:
        """Return the algorithm and the digest announced, or None."""
        if self.checksum:
            return self.checksum.type.lower().replace("-", ""), self.checksum.value.lower()
        value = (self.hash or "").lower().rpartition(":")[2]
        return (DIGESTS[len(value)], value) if len(value) in DIGESTS else None


def read(ask: Ask, cursor: str | None) -> Iterator[Page]:
    """Yield the rows of the file that a resource's address describes. The cursor counts rows."""
    told = opened(cursor, CURSOR, ask.where)
    with scratch() as folder:
        path, layout = fetch(ask, folder)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if told and told["sha256"] != digest:
            raise Changed(ask.where)
        reading = open_file(layout, path, ask.permitted)
        written = ask.knowing(reading.columns)
        if written.permitted != ask.permitted:
            ask, reading = written, open_file(layout, path, written.permitted)
        offered, start = tuple(reading.columns), {"rows": 0, "sha256": digest}
        empty = Piece(nothing(ask.permitted), start, offered)

        def pieces() -> Iterator[Piece]:
            rows = 0
            for batch in reading.batches:
                rows += batch.num_rows
                if rows > told.get("rows", 0):
                    table = conform(batch, ask.permitted)
                    yield Piece(table, {"rows": rows, "sha256": digest}, offered)

        yield from marked(pieces(), empty)


def fetch(ask: Ask, folder: Path) -> tuple[Path, FileFormat]:
    """Download the file into `folder` and check it; return it with its layout.

    PhareError, and nothing is kept, where its size or digest is not what the portal announced.
    """
    with Site(ask.url, ask.source) as site:
        resource = described(site.document(ask.url), ask)
        place = site.led_to(ask.url, resource.url)
        layout = ask.layout.model_copy(update={"format": _form(resource, ask)})
        path = folder / f"{ask.source or 'ressource'}.{layout.format}"
        site.download(place, path)
    wrong = _difference(resource, path)
    if wrong:
        path.unlink()
        raise PhareError(
            f"le fichier reçu n'est pas celui que le portail annonce ({wrong})",
            ask.where,
            "relancer plus tard, puis demander à l'éditeur de corriger sa fiche : rien n'est entré",
        )
    return path, layout


def described(text: bytes, ask: Ask) -> Resource:
    """Return the resource that a portal describes (CKAN, data.gouv.fr API 1 and 2)."""
    try:
        told = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        inner = told.get("result") or told.get("resource") or msgspec.Raw(text)
        return msgspec.json.decode(inner, type=Resource)
    except UNREADABLE:
        raise PhareError(
            "l'adresse ne décrit pas une ressource de CKAN ou de data.gouv.fr",
            ask.where,
            "donner …/api/3/action/resource_show?id=… ou …/api/2/datasets/resources/…/",
        ) from None


def _form(resource: Resource, ask: Ask) -> Format:
    told = (resource.format or "").lower().strip(". ")
    if told not in FORMS:
        raise PhareError(
            "le portail donne à ce fichier une forme qui ne se lit pas",
            ask.where,
            f"choisir une ressource parmi : {', '.join(sorted(FORMS))}",
        )
    return FORMS[told]


def _difference(resource: Resource, path: Path) -> str:
    """Return how the file differs from what was announced, or nothing."""
    size = path.stat().st_size
    if resource.filesize is not None and resource.filesize != size:
        return f"{size} octets au lieu de {resource.filesize}"
    told: Any = resource.expected()
    if not told:
        return ""
    algorithm, value = told
    if algorithm not in DIGESTS.values():
        return "empreinte d'un genre inconnu"
    with path.open("rb") as file:
        found = hashlib.file_digest(file, algorithm).hexdigest()
    return "" if found == value else "empreinte différente"
