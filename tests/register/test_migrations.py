"""The schema of the register: from nothing, from an earlier version, never from a later one."""

from __future__ import annotations

from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from benchmarks.parts import crowd
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from helpers.core.base.errors import PhareError
from helpers.register import chain, engine
from helpers.register.tables import ENTRIES, METADATA, NEWEST
from tests.register.made import made


def old(url: str, entries: int) -> None:
    """Make a register of the first schema, with entries as it wrote them."""
    store = engine.make(make_url(url))
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir()
    previous = chain.first(crowd.CITY)
    with engine.writing(store) as connection:
        engine.upgrade(connection, "0001")
        for seq in range(1, entries + 1):
            draft = made("measure_taken", subject=f"e{seq:019x}")
            row = chain.row_of(draft, seq, "2026-01-01T00:00:00.000Z", previous)
            connection.execute(ENTRIES.insert(), row)
            previous = row["hash"]


def versions(register: crowd.Register) -> list[str]:
    with engine.reading(register._engine) as connection:
        return list(connection.execute(text(engine.VERSIONS)).scalars())


def test_an_earlier_register_keeps_all_that_it_has(url: str) -> None:
    old(url, 3)
    register = crowd.register_at(url)
    assert versions(register) == [NEWEST]
    assert [row["seq"] for row in register.rows()] == [1, 2, 3]
    assert register.append(made("measure_taken")).seq == 4
    assert register.faults() == []


@pytest.mark.parametrize("from_old", [False, True])
def test_both_ways_lead_to_the_same_schema(url: str, from_old: bool) -> None:
    if from_old:
        old(url, 1)
    register = crowd.register_at(url)
    with engine.reading(register._engine) as connection:
        context = MigrationContext.configure(connection)
        differences = compare_metadata(context, METADATA)
        indexes = {one["name"] for one in inspect(connection).get_indexes("entries")}
    assert {"entries_subject", "entries_superseded"} <= indexes
    told = [one for one in differences if one[0] not in ("remove_index", "remove_constraint")]
    assert told == [], "tables.py says what the migrations make"


def test_what_the_second_version_refuses_the_first_did_not(url: str) -> None:
    old(url, 3)
    fork = (
        "INSERT INTO entries SELECT {seq}, at, role, kind, subject, payload, 1, '{seq}', hash, "
        "'{seq}' FROM entries WHERE seq = {seq} - 1"
    )
    store = engine.make(make_url(url))
    with engine.writing(store) as connection:
        connection.execute(text(fork.format(seq=4)))
    register = crowd.register_at(url)
    with pytest.raises(DBAPIError, match="append-only"), engine.writing(store) as connection:
        connection.execute(text(fork.format(seq=5)))
    assert len(register.rows()) == 4


def test_a_later_register_is_left_alone(url: str) -> None:
    register = crowd.register_at(url)
    with engine.writing(register._engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(PhareError, match="d'un Phare plus récent"):
        crowd.register_at(url)


def test_a_migration_that_stops_leaves_the_version_before(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old(url, 2)
    upgrade = engine.upgrade

    def stops(connection: engine.Connection) -> None:
        upgrade(connection)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(engine, "upgrade", stops)
        with pytest.raises(KeyboardInterrupt):
            crowd.register_at(url)
    store = engine.make(make_url(url))
    with engine.reading(store) as connection:
        assert connection.execute(text(engine.VERSIONS)).scalar() == "0001"
        indexes = {one["name"] for one in inspect(connection).get_indexes("entries")}
        assert "entries_superseded" not in indexes
    assert len(crowd.register_at(url).rows()) == 2


def _open_and_enter(url: str, together: Barrier, number: int) -> None:
    together.wait()
    crowd.register_at(url).append(made("measure_taken", subject=f"e{number:019x}"))


def test_a_new_register_may_be_opened_by_many_at_once(url: str) -> None:
    together = crowd.FORK.Barrier(8)
    opening = [
        crowd.FORK.Process(target=_open_and_enter, args=(url, together, n)) for n in range(8)
    ]
    for one in opening:
        one.start()
    for one in opening:
        one.join()
    assert [one.exitcode for one in opening] == [0] * 8
    register = crowd.register_at(url)
    assert len(register.rows()) == 8
    assert register.faults() == []
