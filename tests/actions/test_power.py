"""The smallest effect that would be seen: is it seen, at the rate promised, when it is there?"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from helpers.actions import power, states, words
from helpers.actions.known import Where
from helpers.core.city.city import City
from helpers.core.stage.action_words import least
from helpers.core.stats.staggered_counts import alone
from tests.fixtures.made_up import CITY, write_pack
from tests.impact.test_effects import APART, CONTROLS, FIRST, KNOBS, PERIOD, actions, fill

AT = FIRST + dt.timedelta(weeks=70)


@pytest.fixture
def city(tmp_path: Path) -> City:
    return write_pack(tmp_path, CITY | {"period": PERIOD})


def asked(name: str, least: float | None, day: dt.date | None = AT) -> dict[str, object]:
    return {"action": name, "theme": "bruit", "least_effect": least, "proposed_on": day,
            "indicator": "tapage"}  # fmt: skip


def told(
    con: duckdb.DuckDBPyConnection, city: City, rows: list[dict[str, object]],
    where: dict[str, Where],
) -> list[dict[str, object]]:  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=states.STATES)
    con.execute("CREATE OR REPLACE TABLE zones AS SELECT 'carres' AS division, "
                "'Q' || i AS code FROM range(30) r(i)")  # fmt: skip
    return power.powers(con, city, table, where, KNOBS).to_pylist()


def test_an_effect_of_the_size_told_is_seen_as_often_as_told(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    fill(memory, actions(1), 40.0, 1.0)
    (one,) = told(memory, city, [asked("A0", 0.2)], {"A0": Where(0.0, 0.0, None, None)})
    least = one["detectable"]
    assert one["reason"] == ""
    assert 0.05 < least < 0.5
    assert one["seen"] == (least <= 0.2)
    rng, seen = np.random.default_rng(3), 0
    start = KNOBS.before_weeks + KNOBS.gap_weeks
    weeks, draws = start + KNOBS.after_weeks, 400
    for _ in range(draws):
        zone = rng.poisson(40.0 * np.where(np.arange(weeks) >= start, 1 - least, 1.0))
        controls = rng.poisson(40.0, (CONTROLS + 1, weeks)).astype(float)
        ratio = alone(zone.astype(float), start, controls, KNOBS.spans)
        seen += ratio.within(KNOBS.confidence)[2] < 1
    assert seen / draws == pytest.approx(KNOBS.power, abs=0.08)


def test_it_is_told_by_what_was_known_on_the_day_of_the_proposal(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    fill(memory, actions(1), 40.0, 1.0)
    here = {"A0": Where(0.0, 0.0, None, None)}
    before = told(memory, city, [asked("A0", 0.2)], here)
    memory.execute(f"DELETE FROM cube WHERE hour >= TIMESTAMP '{AT}'")
    assert told(memory, city, [asked("A0", 0.2)], here) == before
    early = told(memory, city, [asked("A0", 0.2, FIRST + dt.timedelta(weeks=20))], here)
    assert (early[0]["reason"], early[0]["seen"]) == (power.TOO_SHORT, None)


def test_too_few_facts_can_show_nothing_and_plain_sql_counts_them(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    fill(memory, actions(2), 0.5, 1.0)
    where = {"A0": Where(0.0, 0.0, None, None), "A1": Where(np.nan, np.nan, "Q1", None),
             "A2": Where(np.nan, np.nan, None, None),
             "A3": Where(APART, 0, None, None)}  # fmt: skip
    rows = [asked("A0", 0.2), asked("A1", 0.9), asked("A2", 0.2), asked("A3", None)]
    found = told(memory, city, rows, where)
    assert [row["reason"] for row in found] == [
        power.TOO_FEW, found[1]["reason"], power.NO_PLACE, power.NOTHING_ASKED,
    ]  # fmt: skip
    assert found[0]["seen"] is False
    assert found[1]["area"] == power.ZONE
    last = AT - dt.timedelta(weeks=KNOBS.after_weeks + KNOBS.gap_weeks)
    first = last - dt.timedelta(weeks=KNOBS.before_weeks)
    span = f"hour >= TIMESTAMP '{first}' AND hour < TIMESTAMP '{last}'"
    zone = memory.execute(f"SELECT sum(n) FROM cube WHERE zone_carres = 'Q1' AND {span}").fetchone()
    circle = memory.execute(
        f"SELECT sum(n) FROM cube WHERE cell = 'CRS3035RES200mN-100E-100' AND {span}"
    ).fetchone()
    assert (found[1]["facts"], found[0]["facts"]) == (zone[0], circle[0])
    days = (first, last - dt.timedelta(days=1))
    assert [(row["first"], row["last"]) for row in found[:2]] == [days, days]
    said = words.power_words(found[0])
    assert f"du {days[0]:%d/%m/%Y} au {days[1]:%d/%m/%Y}" in said
    assert "l'année d'avant" not in said


def test_a_theme_that_is_not_in_force_is_not_computed(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    fill(memory, actions(1), 40.0, 1.0)
    where = {"A0": Where(0.0, 0.0, None, None), "A1": Where(0.0, 0.0, None, None)}
    rows = [{**asked("A0", 0.2), "theme": "rixes", "indicator": None},
            {**asked("A1", 0.2), "indicator": "x"}]  # fmt: skip
    for one in told(memory, city, rows, where):
        assert (one["reason"], one["seen"]) == (power.LEFT_OUT, None)


def test_the_category_that_impact_will_count_is_counted_and_said(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    """Three facts of the theme in four are of another category: they are none of the action's."""
    fill(memory, actions(2), 10.0, 1.0)
    where = {"A0": Where(0.0, 0.0, None, None), "A1": Where(np.nan, np.nan, "Q1", None),
             "A2": Where(APART, 0.0, None, None)}  # fmt: skip
    rows = [asked("A0", 0.2), asked("A1", 0.2), {**asked("A2", 0.2), "indicator": None}]
    alone = told(memory, city, rows, where)
    memory.execute("INSERT INTO cube BY NAME SELECT * REPLACE ('petard' AS category, "
                   "3 * n AS n) FROM cube")  # fmt: skip
    found = told(memory, city, rows, where)
    assert found[:2] == alone[:2]
    assert [row["category"] for row in found] == ["tapage", "tapage", None]
    assert found[2]["facts"] == 4 * alone[2]["facts"] > 0
    assert found[2]["detectable"] < alone[2]["detectable"]
    assert "compté sur les faits `tapage`, autour du lieu" in words.power_words(found[0])
    assert "`tapage`, dans toute la zone" in words.power_words(found[1])
    assert "compté sur tout le thème, autour du lieu" in words.power_words(found[2])


def test_what_is_seen_less_often_than_promised_is_not_said_impossible(
    city: City, memory: duckdb.DuckDBPyConnection
) -> None:
    """An effect of half the least sure one is still seen in more than one case in twenty."""
    fill(memory, actions(1), 40.0, 1.0)
    here = {"A0": Where(0.0, 0.0, None, None)}
    (one,) = told(memory, city, [asked("A0", 0.01)], here)
    (sure,) = told(memory, city, [asked("A0", 0.9)], here)
    needed = least(one["detectable"])
    assert words.power_words(one).startswith(
        f"pas assez sûr d'être vu (pour l'être dans 80\u202f% des cas, il faudrait une baisse de "
        f"{needed}"
    )
    assert words.power_words(sure).startswith(f"assez sûr d'être vu (une baisse de {needed}")
    assert "impossible" not in words.power_words(one)
