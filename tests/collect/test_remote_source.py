"""A source at an address comes in by the same door: a real database, a city, a stopped import."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import pytest
import yaml

from helpers.collect import collect, remote_source
from helpers.connect import spool
from helpers.core.base.errors import PhareError
from helpers.core.city.city import City
from tests.fixtures import servers
from tests.fixtures.made_up import FACTS, deliver, fact, write_pack
from tests.fixtures.real import COLLECT, Built, build

PASSWORD, SECRET = "essai-essai", "Duhamel-Imaginaire"
NUMBERS = 300


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A real PostgreSQL with the facts of the made-up city, and a witness's name in each row."""
    with (
        tempfile.TemporaryDirectory() as made_for_it,
        pytest.MonkeyPatch.context() as patch,
        servers.postgres(Path(made_for_it) / "server", PASSWORD) as found,
    ):
        patch.setenv("PGPASSWORD", PASSWORD)
        execute(
            found,
            "CREATE TABLE faits (id text, nature text, debut timestamp, fin timestamp, "
            "lon numeric, lat numeric, carre text, qui text, nombre integer, temoin text)",
            *(insert(i) for i in range(NUMBERS)),
        )
        yield found


def address(port: int) -> str:
    return f"postgresql://phare@127.0.0.1:{port}/postgres"


def execute(port: int, *statements: str) -> None:
    with adbc.connect(address(port)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


def insert(number: int, **changes: str) -> str:
    row = fact(number, temoin=SECRET, **changes)
    told = ", ".join(f"'{value}'" if value else "NULL" for value in row.values())
    return f"INSERT INTO faits VALUES ({told})"


def pack(folder: Path, port: int) -> City:
    """Return the made-up city, whose facts are in the database."""
    facts: dict[str, Any] = copy.deepcopy(FACTS)
    facts["file"] = {"format": "postgres", "table": "faits"}
    city = write_pack(folder, facts=facts)
    about = city.pack / "city.yaml"
    written = yaml.safe_load(about.read_text(encoding="utf-8"))
    written["sources"]["faits"] = {"url": address(port)}
    about.write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
    deliver(folder, [])
    return City(city.pack)


def built(folder: Path, port: int) -> Built:
    return build(pack(folder, port), folder, folder / "out")


def test_rows_of_a_database_pass_the_same_door(port: int, tmp_path: Path) -> None:
    here = built(tmp_path, port)
    assert here.fates["faits"] == {"accepted": NUMBERS}
    receipt = here.receipts["faits"]
    assert receipt["rows"] == NUMBERS
    assert receipt["columns_refused"] == {"temoin": "identité d'une personne"}
    assert PASSWORD not in str(receipt)
    for path in tmp_path.rglob("*"):
        if path.is_file() and "livraison" not in path.parts:
            content = path.read_bytes()
            assert SECRET.encode() not in content, path
            assert PASSWORD.encode() not in content, path


def test_what_came_whole_is_asked_for_again_only_when_told(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = built(tmp_path, port)
    bytes_of = (first.raw / "faits.parquet").read_bytes()
    execute(port, insert(9001))
    try:
        assert built(tmp_path, port).receipts["faits"]["rows"] == NUMBERS
        assert (first.raw / "faits.parquet").read_bytes() == bytes_of
        monkeypatch.setenv("PHARE_FETCH", "1")
        assert built(tmp_path, port).receipts["faits"]["rows"] == NUMBERS + 1
    finally:
        execute(port, "DELETE FROM faits WHERE id = 'F9001'")


def test_names_in_permitted_columns_stay_out_of_the_pages_too(port: int, tmp_path: Path) -> None:
    execute(port, insert(9002, carre="Mme Papazian, 06 12 34 56 78"))
    try:
        here = built(tmp_path, port)
        assert here.fates["faits"]["donnee_personnelle:telephone:carre"] == 1
        pages = sorted(remote_source.spool_folder(tmp_path, "essai", "faits").rglob("*.parquet"))
        assert pages
        for path in [*pages, here.raw / "faits.parquet"]:
            told = str(duckdb.sql(f"SELECT * FROM '{path}'").fetchall())
            assert "Papazian" not in told
    finally:
        execute(port, "DELETE FROM faits WHERE id = 'F9002'")


def test_import_that_was_stopped_goes_on_and_ends_the_same(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = built(tmp_path / "calm", port)
    monkeypatch.setattr("helpers.connect.reading.BATCH_ROWS", 40)
    write = spool.write_whole
    calls = 0

    def stop_at_the_fifth(path: Path, content: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(spool, "write_whole", stop_at_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        built(tmp_path / "shaken", port)
    monkeypatch.setattr(spool, "write_whole", write)
    shaken = built(tmp_path / "shaken", port)
    assert (shaken.out / "cube.parquet").read_bytes() == (calm.out / "cube.parquet").read_bytes()
    assert shaken.fates == calm.fates


def test_source_without_address_is_told_where_to_write_it(port: int, tmp_path: Path) -> None:
    city = pack(tmp_path, port)
    about = city.pack / "city.yaml"
    text = about.read_text(encoding="utf-8").replace("url: postgresql", "file: postgresql")
    about.write_text(text, encoding="utf-8")
    with pytest.raises(PhareError, match="pas d'adresse"):
        collect.collect(City(city.pack), tmp_path, tmp_path / "raw", COLLECT)


WRITTEN = {"nature": "Nature", "debut": "DEBUT", "lon": "Lon\u00a0", "id": "ID"}


def written_otherwise(port: int, names: dict[str, str]) -> None:
    renamed = (f'ALTER TABLE autrement RENAME COLUMN {a} TO "{b}"' for a, b in names.items())
    made = "CREATE TABLE autrement AS SELECT * FROM faits ORDER BY id LIMIT 40"
    execute(port, "DROP TABLE IF EXISTS autrement", made, *renamed)


def of_table(folder: Path, port: int, table: str, **changes: Any) -> City:
    city = pack(folder, port)
    path = city.pack / "contracts/faits.yaml"
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    told["file"]["table"] = table
    path.write_text(yaml.safe_dump(told | changes, allow_unicode=True), encoding="utf-8")
    return City(city.pack)


def test_columns_of_a_database_written_otherwise_are_read_and_told(
    port: int, tmp_path: Path
) -> None:
    """As those of a file are: the same rows, the same bytes; the receipt says which."""
    written_otherwise(port, {})
    one = build(of_table(tmp_path / "same", port, "autrement"), tmp_path / "same",
                tmp_path / "same/out")  # fmt: skip
    written_otherwise(port, WRITTEN)
    other = build(of_table(tmp_path / "other", port, "autrement"), tmp_path / "other",
                  tmp_path / "other/out")  # fmt: skip
    assert one.fates["faits"] == other.fates["faits"] == {"accepted": 40}
    assert (one.raw / "faits.parquet").read_bytes() == (other.raw / "faits.parquet").read_bytes()
    (told,) = other.receipts["faits"]["files"]
    assert set(told["columns_otherwise"]) == set(WRITTEN)
    assert told["fields_absent"] == {}
    assert one.receipts["faits"]["files"][0]["columns_otherwise"] == []


@pytest.mark.parametrize("gone", ["debut", "lon", "qui"])
def test_a_column_that_facts_depend_on_stops_a_database_that_lacks_it(
    gone: str, port: int, tmp_path: Path
) -> None:
    """As it stops a file: without it, every fact would be of no moment, no place, nobody."""
    written_otherwise(port, {gone: f"ancien_{gone}"})
    with pytest.raises(PhareError, match=f"colonne absente : {gone}"):
        build(of_table(tmp_path, port, "autrement"), tmp_path, tmp_path / "out")


def test_pages_that_another_contract_asked_for_are_left(port: int, tmp_path: Path) -> None:
    """A contract of wider bounds reads the source again: a page holds what the old one let in."""
    written_otherwise(port, {})
    execute(port, "UPDATE autrement SET nombre = 60 WHERE id = (SELECT min(id) FROM autrement)")
    old = build(of_table(tmp_path, port, "autrement"), tmp_path, tmp_path / "out")
    assert old.fates["faits"]["accepted"] == 39
    fields = copy.deepcopy(FACTS["fields"])
    fields["nombre"]["maximum"] = 99
    new = build(of_table(tmp_path, port, "autrement", fields=fields), tmp_path, tmp_path / "out")
    assert new.fates["faits"] == {"accepted": 40}
