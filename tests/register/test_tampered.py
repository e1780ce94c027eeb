"""A register emptied, changed, without its lock or its triggers: told, and nothing follows it."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
from pathlib import Path

import psycopg
import pytest
from benchmarks.parts import crowd

from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from helpers.register import engine, snapshot
from helpers.register.entries import draft
from helpers.register.register import Register, Unreachable, open_register
from helpers.workshop import register as command
from tests.fixtures.given import city_of
from tests.register.conftest import plain
from tests.register.made import made
from tests.register.test_store import filled, without_triggers

GUARDS = {
    "sqlite": ["entries_update", "entries_delete", "entries_follow", "entries_fork",
               "entries_moment", "entries_held", "entries_forms", "entries_names"],
    "postgresql": ["entries_kept", "entries_follow", "entries_fork", "entries_whole",
                   "entries_moment", "entries_held", "entries_forms", "entries_names"],
}  # fmt: skip
ADD = made("measure_taken", subject="e" * 20)


def by_hand(url: str, *statements: str) -> None:
    """Run statements by each store's own driver."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()
        return
    with psycopg.connect(plain(url)) as session:
        for statement in statements:
            session.execute(statement.encode())


@pytest.mark.parametrize("number", range(8))
def test_a_trigger_taken_away_is_told_and_nothing_is_entered(
    url: str, register: Register, number: int
) -> None:
    filled(register)
    kind = url.partition(":")[0].partition("+")[0]
    name = GUARDS[kind][number]
    on = " ON entries" if kind == "postgresql" else ""
    by_hand(url, f"DROP TRIGGER {name}{on}")
    for use in (
        lambda: command.check(register, None),
        lambda: command.told(register, "Europe/Paris", 9),
        lambda: register.append(ADD),
        lambda: crowd.register_at(url).append(ADD),
    ):
        with pytest.raises(PhareError, match=f"déclencheur {name} absent, inactif ou changé"):
            use()
    assert len(register.rows()) == 6


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("how", ["DISABLE TRIGGER", "ENABLE TRIGGER", "ENABLE REPLICA TRIGGER"])
def test_a_trigger_that_does_not_always_fire_is_told(
    url: str, register: Register, how: str
) -> None:
    by_hand(url, f"ALTER TABLE entries {how} entries_kept")
    assert register.unguarded() == [
        "déclencheur entries_kept absent, inactif ou changé : la base se laisserait changer"
    ]


NOTHING_DONE = {
    "sqlite": [
        "DROP TRIGGER entries_delete",
        "CREATE TRIGGER entries_delete BEFORE DELETE ON entries WHEN 0 "
        "BEGIN SELECT RAISE(ABORT, 'append-only'); END",
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION entries_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN OLD; END $$",
    ],
}
LEAVES_OUT = {
    "sqlite": [
        "CREATE TRIGGER kermadec BEFORE INSERT ON entries BEGIN SELECT RAISE(IGNORE); END",
    ],
    "postgresql": [
        "CREATE FUNCTION kermadec() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN NULL; END $$",
        "CREATE TRIGGER kermadec BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION kermadec()",
    ],
}


def test_a_trigger_of_the_same_name_that_does_nothing_is_told(url: str, register: Register) -> None:
    filled(register)
    assert register.unguarded() == []
    by_hand(url, *NOTHING_DONE[url.partition(":")[0].partition("+")[0]])
    (told,) = register.unguarded()
    assert told.endswith("la base se laisserait changer")
    with pytest.raises(PhareError, match="la base se laisserait changer"):
        register.append(ADD)


def test_a_trigger_of_somebody_else_is_told_and_nothing_passes_for_entered(
    url: str, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves out what is inserted, and no error comes."""
    by_hand(url, *LEAVES_OUT[url.partition(":")[0].partition("+")[0]])
    (told,) = register.unguarded()
    assert told.startswith("un déclencheur qui n'est pas du registre")
    with pytest.raises(PhareError, match="qui n'est pas du registre"):
        register.append(ADD)
    monkeypatch.setattr(engine, "unguarded", lambda _: [])
    with pytest.raises(PhareError, match="la base n'a pas gardé l'inscription telle quelle"):
        register.append(ADD)
    assert register.rows() == []


def test_a_column_of_somebody_else_is_told(url: str, register: Register) -> None:
    """A place for a name, that no snapshot and no hash holds."""
    filled(register)
    by_hand(url, "ALTER TABLE entries ADD COLUMN kermadec TEXT DEFAULT 'Yann'")
    assert register.unguarded() == ["des colonnes qui ne sont pas celles du registre"]
    with pytest.raises(PhareError, match="des colonnes qui ne sont pas celles du registre"):
        register.append(ADD)


@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE entries RENAME COLUMN role TO kermadec",
     "UPDATE alembic_version SET version_num = '0002'"],
)  # fmt: skip
def test_a_table_that_was_changed_is_no_connection_lost(
    url: str, register: Register, statement: str
) -> None:
    filled(register)
    by_hand(url, statement)
    with pytest.raises(Unreachable, match="table changée à côté du registre"):
        crowd.register_at(url).append(ADD)


@pytest.mark.parametrize("seq", [1, 3, 6])
def test_what_was_changed_is_told_before_it_is_shown_or_followed(
    url: str, register: Register, seq: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(register)
    monkeypatch.setattr(engine, "unguarded", lambda _: [])
    without_triggers(url, f"UPDATE entries SET role = 'analyste' WHERE seq = {seq}")
    fresh = crowd.register_at(url)
    for use in (lambda: command.told(fresh, "Europe/Paris", 9), lambda: fresh.append(ADD)):
        with pytest.raises(PhareError, match=f"inscription {seq} : modifiée depuis son écriture"):
            use()
    assert len(register.rows()) == 6


def test_what_is_missing_beside_a_snapshot_is_told_with_the_triggers(
    url: str, register: Register, tmp_path: Path
) -> None:
    """Who takes the last entries away took the triggers away first: both are told, at once."""
    filled(register)
    snapshot.write(register.entries(), tmp_path / snapshot.FILE)
    without_triggers(url, "DELETE FROM entries WHERE seq = 6")
    with pytest.raises(PhareError) as error:
        command.check(crowd.register_at(url), tmp_path / snapshot.FILE)
    kind = url.partition(":")[0].partition("+")[0]
    assert error.value.what == (
        f"déclencheurs {', '.join(GUARDS[kind])} absents, inactifs ou changés : la base se "
        "laisserait changer ; l'instantané va jusqu'à l'inscription 6, le registre jusqu'à 5"
    )


def test_a_page_that_stays_open_sees_the_last_entry_go(
    url: str, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has checked the chain once: what it has read since is looked at again."""
    filled(register)
    monkeypatch.setattr(engine, "unguarded", lambda _: [])
    without_triggers(url, "DELETE FROM entries WHERE seq = 6")
    with pytest.raises(PhareError, match="inscription 6 : ôtée ou changée depuis"):
        register.append(ADD)


@pytest.mark.parametrize(
    "statements",
    [["DROP TABLE entries"], ["DROP TABLE alembic_version"],
     ["DROP TABLE entries", "DROP TABLE alembic_version"], ["DELETE FROM alembic_version"],
     ["UPDATE alembic_version SET version_num = 'Kermadec'"]],
)  # fmt: skip
def test_a_base_without_its_tables_is_no_new_register(
    url: str, register: Register, statements: list[str]
) -> None:
    filled(register)
    by_hand(url, *statements)
    with pytest.raises(PhareError, match="le registre a été vidé") as error:
        crowd.register_at(url)
    assert "Kermadec" not in str(error.value)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_file_of_no_length_is_no_new_register(url: str, register: Register) -> None:
    filled(register)
    path = Path(url.removeprefix("sqlite:///"))
    for left in path.parent.glob("*.sqlite-*"):
        left.unlink()
    path.write_bytes(b"")
    with pytest.raises(PhareError, match="le registre a été vidé"):
        crowd.register_at(url)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_missing_lock_is_told_until_checked_beside_a_snapshot(
    url: str, register: Register, tmp_path: Path
) -> None:
    filled(register)
    kept = tmp_path / snapshot.FILE
    snapshot.write(register.entries(), kept)
    assert "ce fichier était déjà là" not in command.told(register, "Europe/Paris", 9)
    Path(url.removeprefix("sqlite:///")).with_suffix(".lock").unlink()
    for _ in range(2):
        found = crowd.register_at(url)
        assert "Rien ne dit que ce fichier était déjà là" in command.told(found, "Europe/Paris", 9)
        assert "Rien ne dit que ce fichier était déjà là" in command.check(found, None)
    assert "contient l'instantané (jusqu'à 6)" in command.check(found, kept)
    assert "déjà là" not in command.told(crowd.register_at(url), "Europe/Paris", 9)


def test_an_empty_register_beside_a_snapshot_is_no_new_one(tmp_path: Path) -> None:
    """File and lock taken away together: the snapshot of the city remembers."""
    city = city_of(tmp_path)
    register = open_register(tmp_path, city.pack)
    register.append(made("measure_taken"))
    snapshot.write(register.entries(), city.pack / "livraison" / snapshot.FILE)
    shutil.rmtree(tmp_path / "data/.registers")
    with pytest.raises(PhareError, match="n'a aucune inscription, et l'instantané"):
        open_register(tmp_path, city.pack)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "change",
    ["payload = x'4a65616e00ff'", "hash = CAST(x'ff' AS TEXT)", "supersedes = 1e300",
     "supersedes = 'Kermadec'", "role = x'00'", "at = x'00'", "key = x'ff'", "previous = 12.5",
     "seq = 'Kermadec'", "seq = 2.5"],
)  # fmt: skip
def test_a_value_of_another_type_is_told_in_a_sentence(
    url: str, register: Register, change: str
) -> None:
    filled(register)
    without_triggers(
        url, "DROP TABLE IF EXISTS held", "CREATE TABLE held AS SELECT * FROM entries",
        "DROP TABLE entries",
        "CREATE TABLE entries (seq, at, role, kind, subject, payload, supersedes, key, previous, "
        "hash)", "INSERT INTO entries SELECT * FROM held", "DROP TABLE held",
        f"UPDATE entries SET {change} WHERE seq = 2",
    )  # fmt: skip
    fresh = crowd.register_at(url)
    for use in (
        lambda: command.check(fresh, None),
        lambda: command.told(fresh, "Europe/Paris", 9),
        lambda: fresh.append(ADD),
        lambda: command.export(fresh, None, Path(url.removeprefix("sqlite:///")).with_name("s")),
    ):
        with pytest.raises(PhareError) as error:
            use()
        assert "Kermadec" not in str(error.value)
        assert "Jean" not in str(error.value)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "change", ["seq = 7.5", "supersedes = x'00'", "key = x'ff'", "role = x'656c75'", "at = 12"]
)
def test_sqlite_takes_no_value_of_another_type(url: str, register: Register, change: str) -> None:
    filled(register)
    name, _, value = change.partition(" = ")
    row = ["seq + 1", "at", "role", "kind", "subject", "payload", "NULL", "'k'", "hash", "hash"]
    columns = ["seq", "at", "role", "kind", "subject", "payload", "supersedes", "key", "previous",
               "hash"]  # fmt: skip
    row[columns.index(name)] = value
    with pytest.raises(sqlite3.DatabaseError, match="append-only"):
        by_hand(url, f"INSERT INTO entries SELECT {', '.join(row)} FROM entries WHERE seq = 6")
    assert len(register.rows()) == 6


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_who_opens_does_not_wait_for_ever(
    url: str, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program holds the lock, and stopped there."""
    monkeypatch.setattr(engine, "PATIENCE_S", 0.1)
    lock = Path(url.removeprefix("sqlite:///")).with_suffix(".lock")
    with lock.open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(PhareError, match="un autre programme ouvre le registre, et n'en finit"):
            crowd.register_at(url)
    assert crowd.register_at(url).append(made("measure_taken")).seq == 1


@pytest.mark.parametrize("name", ["essai.sqlite", "essai.lock", ""])
def test_a_folder_in_the_place_of_a_file_is_told(name: str, tmp_path: Path) -> None:
    place = tmp_path / "registre"
    if name:
        (place / name).mkdir(parents=True)
    else:
        place.write_text("un fichier", encoding="utf-8")
    with pytest.raises(Unreachable):
        crowd.register_at(f"sqlite:///{place}/essai.sqlite")


def test_a_city_of_one_entry_keeps_it_when_opened_again(tmp_path: Path) -> None:
    """What is refused above is not refused to a register that is whole."""
    city: City = city_of(tmp_path)
    one = draft(made("measure_taken").model_dump_json())
    assert open_register(tmp_path, city.pack).append(one).seq == 1
    again = open_register(tmp_path, city.pack)
    assert (again.unsure, again.faults(), again.unguarded()) == (False, [], [])
    assert again.append(one).seq == 1
