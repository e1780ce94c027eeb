"""What a week can be held against: silences, late entries, exceptions, recording, season."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from helpers.core.city.city import City
from helpers.core.city.names import Origin
from helpers.core.place_time.calendar import full_weeks
from helpers.trends.weekly_series import Series, Weeks
from tests.fixtures.made_up import CITY, write_pack
from tests.fixtures.tables import nothing_late, table_of_facts

START, END = dt.date(2021, 1, 4), dt.date(2024, 12, 29)
MONDAYS = full_weeks(START, END)


def pack(tmp_path: Path, *marks: dict[str, Any]) -> City:
    city = copy.deepcopy(CITY)
    city["period"] = {"start": START.isoformat(), "end": END.isoformat()}
    city["milestones"] = [{"told_by": "essai", **one} for one in marks]
    return write_pack(tmp_path, city=city)


@pytest.fixture
def con(memory: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Ten facts a week in square A, five in B, of habitants; one of an agent in A."""
    table_of_facts(memory, [])
    memory.execute("CREATE TABLE monday (hour TIMESTAMP)")
    memory.executemany("INSERT INTO monday VALUES (?)", [[m] for m in MONDAYS])
    for zone, n, origin in (("A", 10, "citizen"), ("B", 5, "citizen"), ("A", 1, "agent")):
        memory.execute(
            "INSERT INTO cube (theme, source, zone_carres, hour, hour_end, time_precision, "
            f"origin, n) SELECT 'bruit', 'faits', '{zone}', hour, hour, 'minute', '{origin}', {n} "
            "FROM monday"
        )
    memory.execute("CREATE TABLE zones (division VARCHAR, code VARCHAR)")
    memory.execute("INSERT INTO zones SELECT 'carres', unnest(['A', 'B', 'C'])")
    memory.execute(
        "CREATE TABLE weeks (source VARCHAR, week DATE, status VARCHAR, missing_days BIGINT)"
    )
    nothing_late(memory)
    return memory


def read(con: duckdb.DuckDBPyConnection, city: City, *origins: Origin) -> Series:
    found = Weeks(con, city, 52, 0.9, origins or None).of("bruit", "carres")
    assert found is not None
    return found


def test_counts_by_zone_and_origin(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    city = pack(tmp_path)
    found = read(con, city)
    assert found.zones == ["ville", "A", "B", "C"]
    assert (found.counts == np.array([[16], [11], [5], [0]])).all()
    assert (read(con, city, "citizen", "unknown").counts[:2] == [[15], [10]]).all()
    # A season is fitted, and there is none.
    assert found.season is not None
    assert found.exposure == pytest.approx(1, abs=1e-6)


def test_a_zone_may_be_silent_alone(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute("INSERT INTO weeks VALUES ('faits', ?, 'ok', 2)", [MONDAYS[3]])
    con.execute("INSERT INTO weeks VALUES ('autre', ?, 'missing', 7)", [MONDAYS[4]])
    con.execute("INSERT INTO grades_weekly VALUES ('faits', 'carres', 'B', ?, 1)", [MONDAYS[9]])
    con.execute("INSERT INTO grades_weekly VALUES ('faits', 'moities', 'A', ?, 7)", [MONDAYS[9]])
    heard = read(con, pack(tmp_path)).exposure > 0
    assert not heard[:, 3].any()
    assert heard[:, 4].all()
    assert heard[:, 9].tolist() == [True, True, False, True]
    assert (~heard).sum() == 5


def test_late_entries_are_expected(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    values = ["faits", "ville", "ville", MONDAYS[-1], 0.8, 20.0, 18, 22, "ok"]
    con.execute("INSERT INTO nowcast VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    found = read(con, pack(tmp_path))
    assert found.share_in[-1] == 0.8
    assert found.exposure[0, -1] / found.exposure[0, -2] == pytest.approx(0.8, rel=0.05)
    # Interval of ±10 % at 90 %: 1.645 standard errors; one week of 52.
    error = 0.1 / 1.6449
    assert found.late_error[-1] == pytest.approx(error, rel=1e-3)
    assert found.extra(52)[0] == pytest.approx((error * 0.8 / 51.8) ** 2, rel=0.1)


def test_exceptional_weeks_are_set_aside(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    day = MONDAYS[100]
    mark = {"title": "x", "start": day, "end": day + dt.timedelta(7), "themes": ["bruit"]}
    found = read(con, pack(tmp_path, mark))
    assert np.flatnonzero(found.aside).tolist() == [100, 101]
    assert (found.exposure[:, 100:102] == 0).all()


def test_a_change_of_recording_is_taken_out(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Twice the records from one day on: levels compare as if nothing had changed."""
    at = 150
    con.execute("UPDATE cube SET n = 2 * n WHERE hour >= ?", [MONDAYS[at]])
    mark = {"title": "x", "start": MONDAYS[at], "sources": ["faits"], "recording": True}
    found = read(con, pack(tmp_path, mark))
    assert np.exp(found.steps[0].log_ratio or 0) == pytest.approx(2, rel=1e-3)
    level = found.counts[0] / found.exposure[0]
    assert level == pytest.approx(32, rel=0.02)
    assert not read(con, pack(tmp_path / "none")).steps


def test_the_season_is_in_the_exposure(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Summers three times as busy: their weeks are held against three times as much."""
    con.execute("UPDATE cube SET n = 3 * n WHERE month(hour) IN (6, 7, 8)")
    found = read(con, pack(tmp_path))
    summer = np.array([m.month in (6, 7, 8) for m in MONDAYS])
    middle = np.array([m.month == 7 for m in MONDAYS])
    winter = np.array([m.month in (12, 1, 2) for m in MONDAYS])
    factor = found.exposure[0]
    assert factor[middle].mean() / factor[winter].mean() > 2.5
    assert factor[summer].mean() > factor[~summer].mean()
    assert factor[-52:].mean() == pytest.approx(1, abs=1e-9)


def test_the_order_of_rows_changes_nothing(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    city = pack(tmp_path)
    first = read(con, city)
    con.execute("CREATE TABLE shuffled AS SELECT * FROM cube ORDER BY hash(hour, zone_carres, n)")
    con.execute("DROP TABLE cube")
    con.execute("ALTER TABLE shuffled RENAME TO cube")
    again = read(con, city)
    assert first.counts.tobytes() == again.counts.tobytes()
    assert first.exposure.tobytes() == again.exposure.tobytes()
