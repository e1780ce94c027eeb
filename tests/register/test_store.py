"""What both stores keep: order, every entry, one entry a key, nothing changed nor removed."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import subprocess
from pathlib import Path

import psycopg
import pytest
from benchmarks.parts import crowd
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from helpers.core.base.errors import PhareError
from helpers.register import chain, engine, snapshot
from helpers.register.register import Register, Unreachable
from tests.fixtures import servers
from tests.register.conftest import SECRET, plain
from tests.register.made import KINDS, made


def filled(register: Register) -> None:
    for kind in KINDS:
        register.append(made(kind, **({"role": "elu"} if kind == "approval" else {})))


def by_hand(register: Register, statement: str) -> None:
    """Run a statement on the base, as somebody would beside the register."""
    with engine.writing(register._engine) as connection:
        connection.execute(text(statement))


def test_every_kind_is_kept_as_it_was_entered(register: Register) -> None:
    filled(register)
    entries = register.entries()
    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert [entry.draft.payload.kind for entry in entries] == list(KINDS)
    told = json.loads(entries[1].text)
    assert (told["proposed"], told["decided"], told["reference"]["number"]) == (12, 8, 123)
    assert entries[0].at <= entries[-1].at
    assert entries[0].at.endswith("Z")
    assert register.faults() == []


def test_twenty_writers_and_some_killed_lose_nothing(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "dits"
    folder.mkdir()
    told = crowd.run(url, folder, seconds=5)
    assert told.killed > 20
    assert told.again == 0, "the store answers: nobody is turned away for writing with others"
    assert len(told.entered) > 20
    assert crowd.lost(crowd.register_at(url), told) == []


def test_the_same_key_enters_once(register: Register) -> None:
    draft = made("measure_taken")
    first, again = register.append(draft), register.append(draft)
    assert first == again
    assert len(register.entries()) == 1
    with pytest.raises(PhareError, match="la clé de cette inscription est celle"):
        register.append(made("measure_taken", subject="f" * 20, key=draft.key))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET role = 'elu'",
        "DELETE FROM entries",
        "DELETE FROM entries WHERE seq = 6",
        "INSERT INTO entries SELECT 8, at, role, kind, subject, payload, NULL, 'k', hash, hash"
        " FROM entries WHERE seq = 6",
        "INSERT INTO entries SELECT 6, at, role, kind, subject, payload, NULL, 'k', hash, hash"
        " FROM entries WHERE seq = 6",
        "INSERT INTO entries SELECT 7, at, role, kind, subject, payload, NULL, 'k', previous, hash"
        " FROM entries WHERE seq = 6",
        "INSERT INTO entries SELECT 7, at, role, kind, subject, payload, NULL, key, hash, hash"
        " FROM entries WHERE seq = 6",
    ],
)  # fmt: skip
def test_the_base_itself_refuses(register: Register, statement: str) -> None:
    filled(register)
    before = register.rows()
    with pytest.raises(DBAPIError, match="append-only"):
        by_hand(register, statement)
    assert register.rows() == before


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_sqlite_replaces_nothing(register: Register) -> None:
    """`OR REPLACE` removes the row in its way, and no trigger on DELETE sees it."""
    filled(register)
    register.append(made("measure_taken", supersedes=1, state="demandee"))
    before = register.rows()
    row = "at, role, kind, subject, payload"
    for values in (
        f"6, {row}, NULL, 'k', previous, hash", f"8, {row}, NULL, key, hash, hash",
        f"8, {row}, 1, 'k', hash, hash",
    ):  # fmt: skip
        with pytest.raises(DBAPIError, match="append-only"):
            by_hand(register, f"INSERT OR REPLACE INTO entries SELECT {values} "
                              "FROM entries WHERE seq = 7")  # fmt: skip
    assert register.rows() == before


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_postgresql_is_not_emptied_nor_replayed(register: Register) -> None:
    filled(register)
    before = register.rows()
    for statement in ("TRUNCATE entries", "SET LOCAL session_replication_role = replica; "
                      "DELETE FROM entries"):  # fmt: skip
        with pytest.raises(DBAPIError, match="append-only"):
            by_hand(register, statement)
    assert register.rows() == before


def without_triggers(url: str, *statements: str) -> None:
    """Change the base as its administrator can: triggers taken away first."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in names.fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
        connection.close()
        return
    with psycopg.connect(plain(url)) as connection:
        connection.execute("ALTER TABLE entries DISABLE TRIGGER ALL")
        for statement in statements:
            connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE entries SET role = 'elu' WHERE seq = 3", "inscription 3 : modifiée"),
        ("UPDATE entries SET at = '2020-01-01T00:00:00.000Z' WHERE seq = 3", "3 : modifiée"),
        ("UPDATE entries SET supersedes = 2 WHERE seq = 3", "inscription 3 : modifiée"),
        ("DELETE FROM entries WHERE seq = 3", "inscription 3 absente"),
        ("DELETE FROM entries WHERE seq = 1", "inscription 1 absente"),
        ("UPDATE entries SET payload = 'Yann Kermadec' WHERE seq = 6", "6 : écrite sans passer"),
    ],
)
def test_what_an_administrator_changes_shows(
    url: str, register: Register, statement: str, said: str
) -> None:
    filled(register)
    without_triggers(url, statement)
    assert any(said in fault for fault in register.faults())


def test_an_entry_rewritten_with_its_hash_breaks_the_chain(url: str, register: Register) -> None:
    filled(register)
    row = dict(register.rows()[2])
    row["role"] = "elu"
    without_triggers(
        url, f"UPDATE entries SET role = 'elu', hash = '{chain.hash_of(row)}' WHERE seq = 3"
    )
    assert register.faults() == ["inscription 4 : ne suit pas la précédente"]


def test_the_last_entries_removed_show_beside_a_snapshot(
    url: str, register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(register)
    snapshot.write(register.entries(), tmp_path / snapshot.FILE)
    kept = snapshot.read(tmp_path / snapshot.FILE)
    assert snapshot.differs(kept, register.entries()) == []
    without_triggers(url, "DELETE FROM entries WHERE seq = 6")
    assert register.faults() == []
    assert snapshot.differs(kept, register.entries()) == [
        "l'instantané va jusqu'à l'inscription 6, le registre jusqu'à 5"
    ]
    monkeypatch.setattr(engine, "unguarded", lambda _: [])
    crowd.register_at(url).append(made("measure_taken", subject="f" * 20))
    assert snapshot.differs(kept, register.entries()) == [
        "inscription 6 : autre que dans l'instantané"
    ]


def test_a_store_is_of_one_city(url: str, register: Register) -> None:
    register.append(made("measure_taken"))
    with pytest.raises(PhareError, match="celui d'une autre ville"):
        crowd.register_at(url, "ailleurs")


def test_a_refused_entry_leaves_no_gap(register: Register) -> None:
    register.append(made("measure_taken"))
    with pytest.raises(PhareError):
        register.append(made("action"))
    assert register.append(made("measure_taken", subject="f" * 20)).seq == 2


def test_a_clock_that_goes_back_keeps_the_order(
    url: str, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = register.append(made("measure_taken"))
    back = dt.datetime.fromisoformat(first.at) - dt.timedelta(minutes=4)
    monkeypatch.setattr(engine, "now", lambda _: f"{back:%FT%T}.000Z")
    assert register.append(made("measure_taken", subject="f" * 20)).at == first.at
    monkeypatch.setattr(engine, "now", lambda _: "2001-01-01T00:00:00.000Z")
    for one in (register, crowd.register_at(url)):
        with pytest.raises(PhareError, match="datée de plus tard que maintenant"):
            one.append(made("measure_taken", subject="e" * 20))
    assert len(register.rows()) == 2


def test_a_store_that_waits_too_long_says_that_nothing_is_entered(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = crowd.register_at(url)
    monkeypatch.setattr(engine, "PATIENCE_S", 0.2)
    monkeypatch.setitem(engine.NETWORK, "options", "-c lock_timeout=200ms")
    hurried = crowd.register_at(url)
    draft = made("measure_taken")
    with engine.writing(register._engine), pytest.raises(Unreachable) as told:
        hurried.append(draft)
    assert told.value.entered is False
    assert "trop de personnes écrivent à la fois) : rien n'a été inscrit" in told.value.what
    assert hurried.append(draft).seq == 1


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_an_account_that_only_reads_and_adds_is_enough(url: str, register: Register) -> None:
    """As the guide grants it; and without the right to add, a sentence."""
    with psycopg.connect(plain(url)) as connection:
        for name, right in (("pages", "SELECT, INSERT"), ("lecteur", "SELECT")):
            who = f"{name}_{connection.info.dbname}"
            connection.execute(f"CREATE ROLE {who} LOGIN PASSWORD '{SECRET}'".encode())
            connection.execute(f"GRANT SELECT ON alembic_version TO {who}".encode())
            connection.execute(f"GRANT {right} ON entries TO {who}".encode())
        base = connection.info.dbname
        secret = Path(url.partition("?passfile=")[2])
        secret.write_text(f"*:*:*:*:{SECRET}\n", encoding="utf-8")
    pages = crowd.register_at(url.replace("phare@", f"pages_{base}@"))
    assert pages.append(made("measure_taken")).seq == 1
    with pytest.raises(DBAPIError, match="permission denied"):
        by_hand(pages, "UPDATE entries SET role = 'elu'")
    reader = crowd.register_at(url.replace("phare@", f"lecteur_{base}@"))
    assert reader.faults() == []
    with pytest.raises(Unreachable, match=r"droit refusé .*: rien n'a été inscrit"):
        reader.append(made("sizing"))


def test_a_backup_is_taken_up_again(url: str, register: Register, tmp_path: Path) -> None:
    """As the guide says it, by each store's own tools; entries go on after it."""
    filled(register)
    if url.startswith("sqlite"):
        copy = tmp_path / "sauvegarde.sqlite"
        with sqlite3.connect(url.removeprefix("sqlite:///")) as held, sqlite3.connect(copy) as to:
            held.backup(to)
        again = f"sqlite:///{copy}"
    else:
        dump, again = tmp_path / "sauvegarde.dump", url.replace("?", "x?")
        with psycopg.connect(plain(url), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {connection.info.dbname}x".encode())
        for tool, arguments in (
            ("pg_dump", ["--format=custom", f"--file={dump}", plain(url)]),
            ("pg_restore", ["--exit-on-error", f"--dbname={plain(again)}", str(dump)]),
        ):
            subprocess.run([servers.program(tool, "postgresql"), *arguments], check=True)
    taken_up = crowd.register_at(again)
    assert taken_up.rows() == register.rows()
    assert taken_up.append(made("measure_taken", subject="f" * 20)).seq == 7
    assert taken_up.faults() == []
    with pytest.raises(DBAPIError, match="append-only"):
        by_hand(taken_up, "DELETE FROM entries")
