"""Road safety beside counters: against the rest of the city, silence on neither side."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb
import numpy as np
import pytest

from helpers.core.city.city import City
from helpers.core.place_time.counters import OK, Hours, Place
from helpers.traffic import figures, fluidity, safety, words
from helpers.traffic.knobs import Knobs
from helpers.traffic.known import Roads
from tests.fixtures import counting
from tests.traffic.test_closures import KNOBS as WIDE

KNOBS: Knobs = WIDE.model_copy(update={"safety_weeks": 4})
LAST = dt.date(2024, 12, 29)
START = LAST - dt.timedelta(days=55)
ZONE = "1320101"


def fill(
    con: duckdb.DuckDBPyConnection, rows: list[tuple[str, int, int]], silent: str = ""
) -> None:
    """Make the cube: zone, days from the start, facts at 8 h; and the silent week of its source."""
    con.execute("CREATE OR REPLACE TABLE cube (theme VARCHAR, zone_quartiers VARCHAR, "
                "hour TIMESTAMP, time_precision VARCHAR, n BIGINT)")  # fmt: skip
    for zone, day, n in rows:
        hour = dt.datetime.combine(START + dt.timedelta(days=day), dt.time(8))
        con.execute("INSERT INTO cube VALUES ('accidents', ?, ?, 'minute', ?)", [zone, hour, n])
    con.execute("CREATE OR REPLACE TABLE weeks (source VARCHAR, week DATE, status VARCHAR)")
    if silent:
        con.execute("INSERT INTO weeks VALUES ('main_courante', ?, 'missing')", [silent])


@pytest.fixture
def town() -> tuple[City, Roads]:
    city, rules = counting.city(START, LAST)
    place = (Place("R01", "Boulevard Michelet", ZONE, 0.0, 0.0, ""),)
    flow = np.full((1, 56, 24), 100.0)
    hours = Hours(
        START, place, flow, flow * np.nan, np.full(flow.shape, OK), np.zeros((1, 56), int)
    )
    return city, Roads(rules, hours, np.arange(56) % 7)


def of_morning(con: duckdb.DuckDBPyConnection, town: tuple[City, Roads]) -> dict[str, Any]:
    rows = safety.measure(con, *town, KNOBS).to_pylist()
    found: dict[str, Any] = next(row for row in rows if row["slot"] == "pointe_matin")
    return found


def test_a_rise_of_all_the_city_is_none_of_a_zone(
    memory: duckdb.DuckDBPyConnection, town: tuple[City, Roads]
) -> None:
    """Twice as many are recorded everywhere: so does a change of recording."""
    fill(memory, [(ZONE, 3, 20), (ZONE, 40, 40), ("1320102", 3, 2000), ("1320102", 40, 4000)])
    row = of_morning(memory, town)
    assert (row["n"], row["before"]) == (40, 20)
    assert row["ratio"] == pytest.approx(1.0)
    assert row["level"] == fluidity.USUAL
    fill(memory, [(ZONE, 3, 20), (ZONE, 40, 120), ("1320102", 3, 2000), ("1320102", 40, 4000)])
    row = of_morning(memory, town)
    assert row["level"] == fluidity.MORE
    assert "**Belsunce**, pointe du matin : accidents, 120 après 20" in words.safe(
        safety.measure(memory, *town, KNOBS), *town, {ZONE: "Belsunce"}, KNOBS
    )


def test_a_silent_week_counts_on_neither_side(
    memory: duckdb.DuckDBPyConnection, town: tuple[City, Roads]
) -> None:
    rows = [(ZONE, day, 2) for day in range(56)] + [("1320102", day, 100) for day in range(56)]
    fill(memory, rows)
    assert (of_morning(memory, town)["n"], of_morning(memory, town)["weeks"]) == (56, 4)
    silent = START + dt.timedelta(days=35)
    heard = [row for row in rows if not 35 <= row[1] < 42]
    fill(memory, heard, silent.isoformat())
    row = of_morning(memory, town)
    assert (row["n"], row["before"], row["weeks"]) == (42, 42, 3)
    assert row["level"] == fluidity.USUAL


def test_few_facts_abstain_and_the_figure_shows_three_panels(
    memory: duckdb.DuckDBPyConnection, town: tuple[City, Roads]
) -> None:
    fill(memory, [(ZONE, 3, 4), (ZONE, 40, 4), ("1320102", 3, 900), ("1320102", 40, 900)])
    row = of_morning(memory, town)
    assert (row["status"], row["reason"], row["ratio"]) == ("abstained", fluidity.TOO_FEW, None)
    flows = fluidity.measure(town[1], KNOBS)
    drawn = figures.beside(flows, safety.measure(memory, *town, KNOBS), town[1])
    told = drawn.chart.to_dict()["facet"]["column"]["sort"]
    assert told == ["débit", "vitesse", "accidents du quartier"]
