"""What a count is to be read with goes with its theme wherever the count is told."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pyarrow as pa

from helpers.core.stage import standing
from helpers.reliability import decay, drift
from tests.fixtures.made_up import CITY, write_pack


def fading(status: str) -> pa.Table:
    row = {"source": "faits", "first": dt.date(2025, 9, 29), "last": dt.date(2025, 12, 22),
           "against": dt.date(2024, 9, 30), "ratio": 0.3, "low": 0.27, "high": 0.34,
           "status": status, "reason": ""}  # fmt: skip
    return pa.Table.from_pylist([row], schema=decay.DECAY)


def test_a_source_that_dies_casts_doubt_on_its_themes(tmp_path: Path) -> None:
    city, none = write_pack(tmp_path, city=CITY), drift.DRIFT.empty_table()
    mine = {name for name, theme in city.themes.items() if "faits" in theme.sources}
    told = standing.doubted(none, fading("less"), city)
    assert set(told) == mine
    (said,) = set(told.values())
    assert "30\u202f% (27\u202f% à 34\u202f%) de ce qui entrait" in said
    by_agents = pa.Table.from_pylist([{"theme": "bruit", "driven": False}])
    assert standing.caveats(by_agents, none, fading("less"), city) == told
    assert standing.doubted(none, fading("ok"), city) == {}


def test_rows_of_a_source_that_no_account_holds_are_told(tmp_path: Path) -> None:
    city = write_pack(tmp_path, city=CITY)
    con = duckdb.connect()
    con.execute("CREATE TABLE grades AS SELECT 'faits' AS source, 7 AS quarantined, "
                "1 AS duplicates")  # fmt: skip
    said = standing.set_aside(con, city, "faits").replace("\u00a0", " ")
    assert "7 lignes écartées, 1 ligne en double de «" in said
    assert standing.set_aside(con, city, None) == ""
    con.execute("UPDATE grades SET quarantined = 0, duplicates = 0")
    assert standing.set_aside(con, city, "faits") == ""
