"""Counts by slot and zone given by hand: sums hold, silence is no zero, agents are no demand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pytest

from helpers.core.city.city import City
from helpers.core.city.names import NO_PLACE, OUTSIDE, WHOLE, Origin
from helpers.core.place_time import slots
from tests.fixtures.made_up import CITY, write_pack
from tests.fixtures.tables import table_of_facts

LAST = dt.datetime.fromisoformat(CITY["period"]["end"])
DEMAND: tuple[Origin, ...] = ("citizen", "unknown")


@pytest.fixture
def city(tmp_path: Path) -> City:
    return write_pack(tmp_path)


def tables(con: duckdb.DuckDBPyConnection, facts: list[dict[str, Any]]) -> None:
    table_of_facts(con, facts)
    con.execute("CREATE OR REPLACE TABLE zones (division VARCHAR, code VARCHAR, area_km2 DOUBLE)")
    con.execute("INSERT INTO zones VALUES ('carres', 'A', 1), ('carres', 'B', 2)")
    con.execute(
        "CREATE OR REPLACE TABLE days (source VARCHAR, division VARCHAR, zone VARCHAR, day DATE, "
        "status VARCHAR)"
    )
    con.execute("CREATE OR REPLACE TABLE delays (source VARCHAR, days BIGINT, share_in DOUBLE)")


def read(con: duckdb.DuckDBPyConnection, city: City, minimum: int = 1) -> slots.Slots:
    return slots.read(con, city, "bruit", DEMAND, minimum, 0.98)


def test_parts_add_up_to_the_day_and_places_to_the_city(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    at = LAST - dt.timedelta(days=3)
    tables(memory, [
        {"hour": at + dt.timedelta(hours=5, minutes=59), "n": 2},
        {"hour": at + dt.timedelta(hours=6), "n": 3, "zone_carres": "B"},
        {"hour": at, "n": 1, "time_precision": "day"},
        {"hour": at + dt.timedelta(hours=23), "n": 10, "zone_carres": NO_PLACE},
        {"hour": at + dt.timedelta(hours=23), "n": 6, "zone_carres": OUTSIDE},
        {"hour": at, "n": 100, "time_precision": "month"},
    ])  # fmt: skip
    found = read(memory, city)
    assert found.parts == (*slots.SLOTS, slots.NO_HOUR)
    assert found.zones == ("A", "B", slots.UNPLACED)
    day = found.counts[-4]
    assert day[:, 0].tolist() == [2, 0, 0, 0, 1]
    assert day[:, 1].tolist() == [0, 3, 0, 0, 0]
    assert day[:, 2].tolist() == [0, 0, 0, 16, 0]
    assert found.counts.sum() == 22
    sums = found.sums()
    assert list(sums) == ["carres", *found.groups, WHOLE]
    assert (sums[WHOLE][1] @ day.sum(axis=0)).tolist() == [22]
    assert found.weekday[-1] == LAST.weekday()


def test_days_not_heard_or_not_covered_are_told_apart_from_zeros(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    tables(memory, [{"hour": LAST, "n": 3}])
    mute = (LAST - dt.timedelta(days=2)).date()
    memory.execute("INSERT INTO days VALUES ('faits', 'carres', 'B', ?, 'missing')", [mute])
    memory.execute("INSERT INTO days VALUES ('faits', 'ville', 'ville', ?, 'missing')",
                   [mute - dt.timedelta(days=5)])  # fmt: skip
    memory.execute("INSERT INTO days VALUES ('faits', 'carres', 'A', ?, 'ok')", [mute])
    found = read(memory, city)
    assert found.why[-3].tolist() == ["", slots.SILENT, ""]
    assert found.why[-8].tolist() == [slots.SILENT] * 3
    assert found.heard.sum() == found.heard.size - 4


def test_last_days_wait_until_their_records_are_in(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    tables(memory, [{"hour": LAST, "n": 3}])
    assert read(memory, city).lag_days is None
    assert read(memory, city).lead == 0
    shares = [(0, 0.5), (1, 0.9), (2, 0.979), (3, 0.98), (4, 1.0)]
    memory.executemany("INSERT INTO delays VALUES ('faits', ?, ?)", shares)
    found = read(memory, city)
    assert (found.lag_days, found.lead) == (3, 3)
    assert found.known == len(found.counts) - 3
    assert found.after == LAST.date() + dt.timedelta(days=1)


def test_agents_are_counted_only_where_nobody_else_tells(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    mixed = [
        {"hour": LAST, "n": 5, "origin": "citizen"},
        {"hour": LAST, "n": 50, "origin": "agent"},
    ]
    tables(memory, mixed)
    found = read(memory, city, 5)
    assert (found.kind, found.counts.sum()) == (slots.DEMAND, 5)
    found = read(memory, city, 6)
    assert (found.kind, found.counts.sum()) == (slots.ACTIVITY, 55)
    found = read(memory, city, 100)
    assert (found.kind, found.counts.sum()) == (slots.DEMAND, 5)


def test_slots_are_not_told_of_a_theme_of_which_many_facts_have_no_hour(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    at = LAST - dt.timedelta(days=3)
    tables(memory, [
        {"hour": at + dt.timedelta(hours=5), "n": 8}, {"hour": at, "n": 2, "time_precision": "day"},
    ])  # fmt: skip
    found = read(memory, city)
    assert found.parts == (slots.NO_HOUR,)
    assert found.counts[-4, :, 0].tolist() == [10]
