"""A real PostgreSQL server: what leaves it, in which order, and how an import goes on."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.connect import pages as connect_pages
from helpers.connect import postgres, reading, spool
from helpers.connect.pages import Page
from helpers.core.base.errors import PhareError
from helpers.core.city import key
from helpers.core.city.contract import FileFormat
from tests.fixtures import servers

SECRET, PERSON = "secret-imaginaire", "Personne Imaginaire"
KEY = key.public("essai")
TABLES = f"""
CREATE SCHEMA police;
CREATE TABLE police.mc (
  id bigint, nature text, debut timestamptz, fin timestamp, jour date, actif boolean, poids float8,
  prix numeric(10,3), agent text, "Étrange ""de"" nom" text, vide text);
INSERT INTO police.mc
SELECT i, CASE WHEN i % 3 = 0 THEN 'bruit' ELSE 'été; "x"' || chr(10) || 'suite' END,
  timestamptz '2024-03-31 00:30:00+01' + i * interval '17 minutes',
  timestamp '2024-01-01 00:00:00' + i * interval '1500 milliseconds', date '2024-01-01' + i % 400,
  i % 2 = 0, i / 8.0::float8, i / 3.0, '{PERSON}', 'n' || i % 4, CASE WHEN i % 5 > 0 THEN '' END
FROM generate_series(1, 1000) i ORDER BY md5(i::text);
CREATE TABLE police.versions (id integer, rang integer, nature text, agent text);
INSERT INTO police.versions
SELECT nullif(i % 10, 0), nullif(i % 3, 0), 'n' || i % 7, '{PERSON}' FROM generate_series(1, 400) i
ORDER BY md5(i::text);
CREATE TABLE police.textes (code text, nature text);
INSERT INTO police.textes SELECT code, 'n' FROM unnest(ARRAY['é','E','e','Z','a','','É','b']) code;
CREATE TABLE police.rien (id integer);
CREATE VIEW police.vue AS SELECT id, nature FROM police.mc WHERE id <= 3;
CREATE VIEW police.fautive AS SELECT agent::integer AS id FROM police.mc;
CREATE ROLE lecteur LOGIN PASSWORD '{SECRET}';
GRANT USAGE ON SCHEMA police TO lecteur;
GRANT SELECT (id, nature) ON police.mc TO lecteur;
"""


@dataclass(frozen=True)
class Server:
    port: int
    log: Path

    def url(self, query: str = "", user: str = "phare") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/postgres{query}"

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the owner; return the rows of the last one."""
        with adbc.connect(self.url(), autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            found: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server with a few tables, whose password libpq finds in its environment."""
    with (
        tempfile.TemporaryDirectory() as made_for_it,
        pytest.MonkeyPatch.context() as patch,
        servers.postgres(folder := Path(made_for_it) / "server", SECRET) as port,
    ):
        patch.setenv("PGPASSWORD", SECRET)
        made = Server(port, folder / "log")
        made.run(*(one for one in TABLES.split(";\n") if one.strip()))
        yield made


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH_ROWS", 60)


def pages(
    server: Server, table: str, permitted: list[str], key: list[str], cursor: str | None = None
) -> list[Page]:
    layout = FileFormat(format="postgres", table=table)
    return list(connect_pages.pages(layout, server.url(), permitted, cursor, source="mc", key=key))


def rows(found: list[Page]) -> list[dict[str, Any]]:
    return [row for page in found for row in page.table.to_pylist()]


COLUMNS = ["id", "nature", "debut", "fin", "jour", "actif", "poids", "prix", 'Étrange "de" nom',
           "vide", "absente"]  # fmt: skip


def test_a_table_comes_whole_in_the_order_of_its_key(server: Server) -> None:
    """Values are compared with what they were made of, and with other SQL of the server."""
    found = pages(server, "police.mc", COLUMNS, ["id"])
    assert [page.table.num_rows for page in found] == [60] * 16 + [40]
    assert [page.last for page in found] == [False] * 16 + [True]
    got = rows(found)
    assert [row["id"] for row in got] == [str(i) for i in range(1, 1001)]
    assert got[0] == {
        "fault": None, "id": "1", "nature": 'été; "x"\nsuite', "debut": "2024-03-30T23:47:00+00:00",
        "fin": "2024-01-01T00:00:01.5", "jour": "2024-01-02", "actif": "false", "poids": "0.125",
        "prix": "0.333", 'Étrange "de" nom': "n1", "vide": None, "absente": None,
    }  # fmt: skip
    assert got[7]["poids"] == "1"
    ((count, noise),) = server.run(
        "SELECT count(*), count(*) FILTER (WHERE nature = 'bruit') FROM police.mc"
    )
    assert (len(got), sum(row["nature"] == "bruit" for row in got)) == (count, noise)
    assert found[0].offered[-3:] == ("agent", 'Étrange "de" nom', "vide")


def test_what_is_refused_never_leaves_the_server(server: Server) -> None:
    """No such column in the log of statements; a user without a right to it can read the rest."""
    layout = FileFormat(format="postgres", table="police.mc")
    mark = server.log.stat().st_size
    url = server.url(user="lecteur")
    found = list(connect_pages.pages(layout, url, ["id", "nature"], source="mc", key=["id"]))
    assert len(rows(found)) == 1000
    assert PERSON not in str(rows(found))
    said = server.log.read_bytes()[mark:].decode()
    assert 'FROM "police"."mc" AS told' in said
    assert not re.search(r"\bagent\b|SELECT \*", said)
    with pytest.raises(PhareError, match="SELECT sur les colonnes") as caught:
        list(connect_pages.pages(layout, url, ["id", "agent"], source="mc", key=["id"]))
    assert SECRET not in str(caught.value)


CASES: list[tuple[str, list[str], list[str]]] = [
    ("police.mc", ["id", "nature", "debut"], ["id"]),
    ("police.mc", ["id", "debut"], ["debut"]),
    ("police.mc", ["jour", "id"], ["jour"]),
    ("police.mc", ["nature", "id"], ["nature"]),
    ("police.mc", ["id", "nature"], []),
    ("police.versions", ["id", "rang", "nature"], ["id", "rang"]),
    ("police.versions", ["id", "nature"], ["id"]),
    ("police.versions", ["rang", "nature"], ["rang"]),
    ("police.versions", ["nature"], ["nature"]),
]


@pytest.mark.parametrize(("table", "permitted", "key"), CASES)
def test_reading_goes_on_from_any_page(
    server: Server, table: str, permitted: list[str], key: list[str]
) -> None:
    """Keys that fill pages, gaps in the key, equal rows: nothing is lost nor comes twice."""
    whole = pages(server, table, permitted, key)
    listed = ", ".join(f'"{name}"::text' for name in sorted(permitted) if name != "debut")
    expected = server.run(f"SELECT {listed} FROM {table}")
    names = [name for name in sorted(permitted) if name != "debut"]
    got = [tuple(row[name] for name in names) for row in rows(whole)]
    assert sorted(map(repr, got)) == sorted(map(repr, expected))
    for i, page in list(enumerate(whole[:-1]))[:: 1 if len(whole) < 10 else 5]:
        rest = pages(server, table, permitted, key, page.cursor)
        assert len(rest) == len(whole) - i - 1
        for one, two in zip(rest, whole[i + 1 :], strict=True):
            assert (one.table, one.cursor, one.last) == (two.table, two.cursor, two.last)


@pytest.mark.parametrize(("table", "permitted", "key"), CASES)
def test_a_cursor_holds_no_text_of_a_cell(
    server: Server, table: str, permitted: list[str], key: list[str]
) -> None:
    cursors = "".join(page.cursor for page in pages(server, table, permitted, key))
    assert "bruit" not in cursors
    assert "n1" not in cursors


def test_text_is_ordered_by_its_bytes(server: Server) -> None:
    found = rows(pages(server, "police.textes", ["code", "nature"], ["code"]))
    codes = [row["code"] or "" for row in found]
    assert codes == sorted(codes, key=str.encode)
    assert len(codes) == 8


def test_a_view_and_an_empty_table(server: Server) -> None:
    assert [row["id"] for row in rows(pages(server, "police.vue", ["id"], ["id"]))] == list("123")
    (page,) = pages(server, "police.rien", ["id", "nature"], ["id"])
    assert page.last
    assert page.table.schema.names == ["fault", "id", "nature"]
    assert page.table.num_rows == 0


def test_one_moment_is_read_and_nothing_can_be_written(server: Server) -> None:
    """Rows that come while a table is read are for the next time."""
    layout = FileFormat(format="postgres", table="police.versions")
    going = connect_pages.pages(layout, server.url(), ["id", "nature"], source="mc", key=["id"])
    first = next(going)
    server.run("INSERT INTO police.versions VALUES (3, 3, 'tardif', ''), (NULL, 3, 'tardif', '')")
    try:
        found = rows([first, *going])
    finally:
        server.run("DELETE FROM police.versions WHERE nature = 'tardif'")
    assert len(found) == 400
    assert "tardif" not in {row["nature"] for row in found}


def test_nothing_can_be_written(server: Server) -> None:
    ask = connect_pages.Ask(FileFormat(format="postgres"), server.url(), ("id",))
    write = "INSERT INTO police.rien VALUES (1)"
    with (
        postgres._connected(ask) as connection,
        connection.cursor() as cursor,
        pytest.raises(adbc.Error, match="read-only"),
    ):
        cursor.execute(write)
    server.run(write, "DELETE FROM police.rien")  # who may write, may


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ("police.absente", "introuvable"),
        ("absente", "introuvable"),
        ('police.mc"; DROP TABLE police.mc; --', "introuvable"),
        ("police.mc' OR true --", "introuvable"),
        ("police.textes", "aucune colonne permise"),
        ("police.fautive", "lecture de PostgreSQL interrompue"),
    ],
)
def test_what_cannot_be_read_is_told_without_a_value(server: Server, table: str, what: str) -> None:
    with pytest.raises(PhareError) as caught:
        pages(server, table, ["id"], ["id"])
    told = str(caught.value)
    assert what in told
    assert PERSON not in told
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert len(server.run("SELECT 1 FROM police.mc")) == 1000


def test_a_key_that_the_table_has_not(server: Server) -> None:
    with pytest.raises(PhareError, match="clé"):
        pages(server, "police.mc", ["id", "numero"], ["numero"])


def test_passwords_are_never_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = FileFormat(format="postgres", table="police.mc")
    places = [
        f"postgresql://phare:{SECRET}@127.0.0.1:{server.port}/postgres",
        server.url(f"?password={SECRET}"),
        server.url(f"?options={SECRET}"),
        f"mysql://phare@127.0.0.1/{SECRET[:0]}",
        f"postgresql://phare@127.0.0.1:{servers.free_port()}/postgres",
    ]
    for place in places:
        with pytest.raises(PhareError) as caught:
            list(connect_pages.pages(layout, place, ["id"], source="mc", key=["id"]))
        assert SECRET not in str(caught.value)
    monkeypatch.setenv("PGPASSWORD", f"faux-{SECRET}")
    with pytest.raises(PhareError, match="mot de passe refusé") as caught:
        pages(server, "police.mc", ["id"], ["id"])
    assert SECRET not in str(caught.value)


def test_a_password_file_is_enough(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "pgpass"
    secret.write_text(f"127.0.0.1:{server.port}:*:phare:{SECRET}\n", encoding="utf-8")
    secret.chmod(0o600)
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv("PGPASSFILE", str(secret))
    assert len(rows(pages(server, "police.mc", ["id"], ["id"]))) == 1000


def test_an_import_that_was_cut_ends_with_the_same_bytes(server: Server, tmp_path: Path) -> None:
    """The server drops the connection in the middle, as an administrator would."""

    def pages_from(cut: int) -> Callable[[str | None], Iterator[Page]]:
        def start(cursor: str | None) -> Iterator[Page]:
            layout = FileFormat(format="postgres", table="police.versions")
            going = connect_pages.pages(
                layout, server.url(), ["id", "nature"], cursor, source="mc", key=["id"]
            )
            for i, page in enumerate(going):
                if i == cut:
                    raise PhareError("coupure", "essai", "relancer")
                yield page

        return start

    def clean(table: pa.Table) -> pa.Table:
        return table

    calm = spool.take_pages(pages_from(-1), tmp_path / "calm", clean, list, KEY)
    for _ in range(3):
        with pytest.raises(PhareError, match="coupure"):
            spool.take_pages(pages_from(1), tmp_path / "cut", clean, list, KEY)
    shaken = spool.take_pages(pages_from(-1), tmp_path / "cut", clean, list, KEY)
    assert [one.read_bytes() for one in shaken] == [one.read_bytes() for one in calm]
    assert pq.read_table(shaken).num_rows == 400


def test_a_server_that_stops_is_told(server: Server) -> None:
    """Whole pages before; then an error that says what to do."""
    server.run("CREATE TABLE IF NOT EXISTS police.longue AS SELECT i AS id, repeat('x', 500) AS t "
               "FROM generate_series(1, 200000) i")  # fmt: skip
    layout = FileFormat(format="postgres", table="police.longue")
    going = connect_pages.pages(layout, server.url(), ["id", "t"], source="mc", key=["id"])
    next(going)
    server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'phare' AND pid <> pg_backend_pid()"
    )
    with pytest.raises(PhareError, match="interrompue") as caught:
        list(going)
    assert "reprendra" in caught.value.todo
