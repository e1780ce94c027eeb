"""PostgreSQL: a table or a view, in one read-only snapshot, ordered, as text cast by the server.

The SELECT names the permitted columns: nothing else leaves the server. Rows come by COPY through
ADBC, so neither side holds them all. Credentials are libpq's (PGUSER, PGPASSWORD, a password
file); the address in city.yaml has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import adbc_driver_postgresql.dbapi as adbc
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from helpers.connect.pages import Ask, Page, Piece, conform, marked, nothing, opened
from helpers.connect.reading import assemble, even
from helpers.core.base import redact, store
from helpers.core.base.errors import PhareError
from helpers.core.base.store import literal

# What makes the text of a value, and what a session may do, whatever the server's own settings.
SESSION = {
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "repeatable\\ read",
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "client_encoding": "UTF8",
    "search_path": "public",
}
NETWORK = {"connect_timeout": "10", "keepalives_idle": "30", "application_name": "phare"}
TAKEN = {"sslmode", "sslrootcert", "sslcert", "sslkey", "target_session_attrs", "host", "port",
         "passfile", "service", "channel_binding", "gssencmode"}  # fmt: skip
# Types whose text in a cursor is no text of a cell that somebody wrote.
COMPARED = {"smallint", "integer", "bigint", "date", "timestamp without time zone",
            "timestamp with time zone", "uuid"}  # fmt: skip
SAID = {
    "28P01": "mot de passe refusé",
    "28000": "connexion refusée à cet utilisateur",
    "3D000": "base inconnue",
    "42501": "droit de lecture refusé (il faut SELECT sur les colonnes permises)",
    "53300": "trop de connexions au serveur",
    "57014": "lecture interrompue par le serveur",
}
CURSOR = ("after", "rows", "whole")


@dataclass(frozen=True)
class _Column:
    """A column of the source: its type, and whether it sorts by a collation."""

    name: str
    kind: str
    collated: bool

    @property
    def sql(self) -> str:
        # Without the table, ORDER BY would take the text that the SELECT gives the same name.
        return f"told.{store.quote(self.name)}"

    def text(self) -> str:
        """Return the SQL of the value as text, moments in ISO 8601 as the readers of files give."""
        if self.kind.startswith("timestamp"):
            if self.kind.endswith("with time zone"):
                return f"replace(({self.sql} AT TIME ZONE 'UTC')::text, ' ', 'T') || '+00:00'"
            return f"replace({self.sql}::text, ' ', 'T')"
        return f"{self.sql}::text"

    def order(self) -> str:
        """Return the SQL to sort by: text by its bytes, the same on every server."""
        return f'{self.sql} COLLATE "C"' if self.collated else self.sql


def read(ask: Ask, cursor: str | None) -> Iterator[Page]:
    """Yield the rows of a table: those of a whole key by key, then those whose key has a gap.

    The cursor holds the last key (numbers, dates, UUID) and how many rows with it were taken, or
    without such a key how many rows in all.
    """
    told = opened(cursor, CURSOR, ask.where)
    with _connected(ask) as connection:
        found = _columns(connection, ask)
        offered = [one.name for one in found]
        ask = ask.knowing(offered)
        columns = _permitted(found, ask)
        reader = _Reader(ask, connection, columns, tuple(offered))
        start = {"after": [], "rows": 0, "whole": bool(ask.key)}
        empty = Piece(nothing(ask.permitted), start, tuple(offered))
        yield from marked(reader.pieces(told), empty)


class _Reader:
    def __init__(
        self, ask: Ask, connection: Any, columns: dict[str, _Column], offered: tuple[str, ...]
    ) -> None:
        self._ask, self._connection, self._offered = ask, connection, offered
        self._columns = {name: columns[name] for name in ask.permitted if name in columns}
        self._key = [columns[name] for name in ask.key if name in columns]
        if len(self._key) < len(ask.key):
            raise PhareError(
                "une colonne de la clé n'existe pas dans la table",
                f"{ask.where}, table {ask.layout.table}",
                "corriger `key` ou les noms de colonnes du contrat",
            )
        self._seeks = bool(self._key) and all(one.kind in COMPARED for one in self._key)

    def pieces(self, told: dict[str, Any]) -> Iterator[Piece]:
        """Yield the pages after a cursor. `whole` says that rows of a whole key are being read."""
        if self._key and told.get("whole", True):
            yield from self._ordered(told, whole=True)
            told = {}
        yield from self._ordered(told, whole=False)

    def _ordered(self, told: dict[str, Any], *, whole: bool) -> Iterator[Piece]:
        after, rows = list(told.get("after", [])), int(told.get("rows", 0))
        for batch in self._batches(self._query(after, rows, whole=whole)):
            if whole and self._seeks:
                after, rows = self._last(batch, after, rows)
            else:
                rows += batch.num_rows
            cursor = {"after": after, "rows": rows, "whole": whole}
            yield Piece(_table(batch, self._ask.permitted), cursor, self._offered)

    def _query(self, after: Sequence[str], rows: int, *, whole: bool) -> str:
        """Return the SQL of the rows after a cursor; among equal keys, by all the columns."""
        selected = ", ".join(
            f"{one.text()} AS {store.quote(one.name)}" for one in self._columns.values()
        )
        everything = [f'{one.text()} COLLATE "C"' for one in self._columns.values()]
        order = ", ".join([*(one.order() for one in self._key), *everything])
        gap = " OR ".join(f"{one.sql} IS NULL" for one in self._key)
        where = f"NOT ({gap})" if whole else gap
        if after:
            keys = ", ".join(one.sql for one in self._key)
            values = ", ".join(
                f"{literal(value)}::{one.kind}" for one, value in zip(self._key, after, strict=True)
            )
            where += f" AND ({keys}) >= ({values})"
        return (
            f"SELECT {selected} FROM {_relation(self._ask)} AS told "
            f"{'WHERE ' + where if where else ''} ORDER BY {order} OFFSET {rows}"
        )

    def _batches(self, query: str) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query as text, by pages, every one with some."""
        with _errors_told(self._ask), self._connection.cursor() as cursor:
            cursor.execute(query)
            received = cursor.fetch_record_batch()
            empty = pa.RecordBatch.from_pylist([], received.schema)
            yield from (batch for batch in even(received, empty) if batch.num_rows)

    def _last(self, batch: pa.RecordBatch, after: list[str], rows: int) -> tuple[list[str], int]:
        """Return the last key of a page, and how many rows with it were taken up to there."""
        same = np.ones(batch.num_rows, bool)
        key = [str(batch[one.name][-1]) for one in self._key]
        for one, value in zip(self._key, key, strict=True):
            same &= pc.equal(batch[one.name], value).to_numpy(zero_copy_only=False)
        count = int(same.sum())
        # A page of one key alone goes on with the rows of that key of the page before.
        return key, count + (rows if count == batch.num_rows and key == after else 0)


def _table(batch: pa.RecordBatch, permitted: Sequence[str]) -> pa.Table:
    count = batch.num_rows
    columns = {name: batch[name] for name in batch.schema.names}
    numbers = pa.array(range(1, count + 1), pa.int64())
    return conform(assemble(numbers, pa.nulls(count, pa.string()), columns), permitted)


def _relation(ask: Ask) -> str:
    schema, dot, name = ask.layout.table.partition(".")
    return f"{store.quote(schema)}.{store.quote(name)}" if dot else store.quote(schema)


def _columns(connection: Any, ask: Ask) -> list[_Column]:
    """Return all columns of the table, from the catalogue, without any row."""
    query = (
        "SELECT attname::text, format_type(atttypid, NULL), (attcollation <> 0)::text "
        "FROM pg_catalog.pg_attribute WHERE attnum > 0 AND NOT attisdropped "
        f"AND attrelid = to_regclass({literal(_relation(ask))}) ORDER BY attnum"
    )
    with _errors_told(ask), connection.cursor() as cursor:
        cursor.execute(query)
        return [_Column(name, kind, text == "true") for name, kind, text in cursor.fetchall()]


def _permitted(found: Sequence[_Column], ask: Ask) -> dict[str, _Column]:
    """Return the columns that are permitted; PhareError where there is none."""
    there = {one.name: one for one in found if one.name in ask.permitted}
    if not there:
        what = "aucune colonne permise dans la table" if found else "table ou vue introuvable"
        raise PhareError(
            what,
            f"{ask.where}, table {ask.layout.table}",
            "vérifier `table` (schéma.table), les noms de colonnes et les droits de l'utilisateur",
        )
    return there


@contextmanager
def _connected(ask: Ask) -> Iterator[Any]:
    """Yield a connection in one read-only transaction; all it reads is of one moment."""
    address = _address(ask)
    try:
        connection = adbc.connect(address)
    except adbc.Error as error:
        raise PhareError(
            _refusal(str(error)),
            ask.where,
            "vérifier l'adresse, et PGUSER, PGPASSWORD ou le fichier de mots de passe (PGPASSFILE)",
        ) from None
    try:
        yield connection
    finally:
        connection.close()


def _refusal(message: str) -> str:
    """Return why a connection was refused, without what the message quotes."""
    if "password" in message:
        return "PostgreSQL : mot de passe refusé ou absent"
    return "connexion à PostgreSQL impossible"


def _address(ask: Ask) -> str:
    """Return the address with the session's settings; a password in it is refused."""
    parts = urlsplit(ask.url)
    given = parse_qsl(parts.query)
    if parts.password or {name for name, _ in given} & {"password", "sslpassword"}:
        raise PhareError(
            "l'adresse contient un mot de passe",
            ask.where,
            "l'ôter de city.yaml et le donner par PGPASSWORD ou par un fichier (PGPASSFILE)",
        )
    odd = {name for name, _ in given} - TAKEN
    if parts.scheme not in ("postgresql", "postgres") or odd:
        raise PhareError(
            "adresse PostgreSQL illisible, ou qui a un paramètre inconnu",
            ask.where,
            "écrire `url: postgresql://serveur/base`",
        )
    settings = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
    query = urlencode([*given, *NETWORK.items(), ("options", settings)], quote_via=quote)
    return urlunsplit(parts._replace(query=query))


@contextmanager
def _errors_told(ask: Ask) -> Iterator[None]:
    """Tell an error of the server by its code: its message may quote a value."""
    try:
        yield
    except (adbc.Error, pa.ArrowException, OSError) as error:
        code = str(getattr(error, "sqlstate", None))
        raise PhareError(
            SAID.get(code, f"lecture de PostgreSQL interrompue (SQLSTATE {redact.code(code)})"),
            f"{ask.where}, table {ask.layout.table}",
            "vérifier avec qui tient la base, puis relancer : l'import reprendra où il en est",
        ) from None
