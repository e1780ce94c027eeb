"""The weeks when nothing was heard are told beside what was counted in the others."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import duckdb
import pytest

from helpers.core.stage import silence_words
from tests.fixtures.made_up import build_made_up, fact
from tests.fixtures.real import Built
from tests.fixtures.tables import all_heard, silent

MONDAYS = [dt.date(2024, 9, 30) + dt.timedelta(weeks=i) for i in range(6)]


@pytest.fixture
def con(tmp_path: Path) -> tuple[Built, duckdb.DuckDBPyConnection]:
    built = build_made_up(tmp_path, [fact(1)])
    con = built.connect()
    all_heard(con)
    return built, con


def test_nothing_is_said_where_all_was_heard(con: tuple[Built, duckdb.DuckDBPyConnection]) -> None:
    built, found = con
    silent(found, "faits", ["A"], [dt.date(2023, 1, 2)])  # before the window
    assert silence_words.unheard(found, built.city, 365, "Fait.") == ""


def test_the_city_and_the_worst_zones_are_named(
    con: tuple[Built, duckdb.DuckDBPyConnection],
) -> None:
    built, found = con
    found.execute("INSERT INTO weeks VALUES ('faits', DATE '2024-06-03', 'missing', 7)")
    for count, zone in ((1, "A"), (6, "B"), (2, "C"), (1, "D")):
        silent(found, "faits", [zone], MONDAYS[:count])
    told = silence_words.unheard(found, built.city, 365, "Fait.").replace("\u00a0", " ")
    assert "**Silences.** Fait." in told
    assert "2 semaines dans toute la ville, " in told  # one known of, one in every zone
    assert re.search(r"ville, [^,]+ \(5 semaines\), [^,]+ \(1 semaine\)\.", told)
