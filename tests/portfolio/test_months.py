"""A question on facts known by the month: its window is whole months, not a year hardly begun."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, cast

from helpers.portfolio import asked
from tests.fixtures import london
from tests.fixtures.real import build


def test_the_window_of_months_ends_with_the_period(tmp_path: Path) -> None:
    """Three months of 2026 are no year of facts."""
    city = london.wide(tmp_path, {"start": "2024-04-01", "end": "2026-03-31"})
    con = build(city, tmp_path, tmp_path / "out").connect()
    span, coarse = cast(Any, asked)._window(con, city, 364)
    assert span == (dt.date(2025, 4, 1), dt.date(2026, 4, 1))
    assert coarse
    con.close()
