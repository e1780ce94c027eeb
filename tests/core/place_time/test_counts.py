"""The one reader of the cube, held against counting the facts one by one in Python."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from helpers.core.place_time.counts import counts, counts_in
from tests.fixtures.tables import table_of_facts

Fact = dict[str, Any]
MONDAY = dt.datetime(2024, 3, 4)
ZONES = ["A", "B", "outside", "no_place", None]


def facts() -> list[Fact]:
    """Every combination of what a fact may be, each with a number of its own."""
    parts = itertools.product(
        ("bruit", "depots"), ("citizen", "agent", "unknown"), ZONES, ("minute", "day", "year"),
        (MONDAY, MONDAY + dt.timedelta(days=6, hours=23), MONDAY + dt.timedelta(days=7)),
    )  # fmt: skip
    return [
        {"theme": theme, "source": f"s_{theme}", "origin": origin, "zone_carres": zone,
         "time_precision": precision, "hour": hour, "cell": zone and f"cell {zone}",
         "n": 1 + i % 7 - 2 * (i % 11 == 0)}
        for i, (theme, origin, zone, precision, hour) in enumerate(parts)
    ]  # fmt: skip


DIMENSIONS: dict[str, Callable[[Fact], Any]] = {
    "theme": lambda f: f["theme"],
    "source": lambda f: f["source"],
    "origin": lambda f: f["origin"],
    "cell": lambda f: f["cell"],
    "zone": lambda f: f["zone_carres"],
    "hour": lambda f: f["hour"],
    "day": lambda f: f["hour"].date(),
    "week": lambda f: (f["hour"] - dt.timedelta(days=f["hour"].weekday())).date(),
    "year": lambda f: f["hour"].year,
}
SPAN = (MONDAY.date(), MONDAY.date() + dt.timedelta(days=7))
FILTERS: list[tuple[dict[str, Any], Callable[[Fact], bool]]] = [
    ({}, lambda f: f["time_precision"] != "year"),
    ({"yearly": True}, lambda f: True),
    ({"theme": "bruit"}, lambda f: f["theme"] == "bruit" and f["time_precision"] != "year"),
    ({"themes": ["depots"], "yearly": True}, lambda f: f["theme"] == "depots"),
    ({"source": "s_bruit"}, lambda f: f["source"] == "s_bruit" and f["time_precision"] != "year"),
    ({"origins": ["citizen", "unknown"]},
     lambda f: f["origin"] != "agent" and f["time_precision"] != "year"),
    ({"span": SPAN}, lambda f: f["hour"] < MONDAY + dt.timedelta(days=7)
     and f["time_precision"] != "year"),
    ({"placed": True}, lambda f: f["zone_carres"] in ("A", "B") and f["time_precision"] != "year"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "kept"), FILTERS, ids=[",".join(a) or "all" for a, _ in FILTERS])
@pytest.mark.parametrize(
    "by", [[], ["theme"], ["zone", "week"], ["theme", "zone", "origin"], ["cell"], ["day"],
           ["source", "year"], ["hour", "zone"]], ids=",".join,
)  # fmt: skip
def test_counts_are_those_of_facts_taken_one_by_one(
    memory: duckdb.DuckDBPyConnection, by: Any, asked: dict[str, Any],
    kept: Callable[[Fact], bool],
) -> None:  # fmt: skip
    table_of_facts(memory, facts())
    plain: Counter[tuple[Any, ...]] = Counter()
    for fact in facts():
        unknown_hour = "hour" in by and fact["time_precision"] != "minute"
        if kept(fact) and not unknown_hour and not ("cell" in by and fact["cell"] is None):
            plain[tuple(DIMENSIONS[name](fact) for name in by)] += fact["n"]
    rows = counts(memory, by, division="carres", **asked)
    assert {row[:-1]: row[-1] for row in rows} == dict(plain)
    assert len(rows) == len(plain)
    known = [row for row in rows if None not in row]
    assert known == sorted(known), "in the order of their values"


def test_no_fact_at_all_is_a_count_of_zero(memory: duckdb.DuckDBPyConnection) -> None:
    table_of_facts(memory, facts())
    assert counts(memory, [], theme="absent") == [(0,)]
    assert counts(memory, ["zone"], theme="absent", division="carres") == []


def test_windows_are_counted_zone_by_zone(memory: duckdb.DuckDBPyConnection) -> None:
    table_of_facts(memory, facts())
    after = (SPAN[1], SPAN[1] + dt.timedelta(days=1))
    found = counts_in(memory, "bruit", "carres", [SPAN, after])
    for zone in ZONES:
        mine = [f for f in facts() if (f["theme"], f["zone_carres"]) == ("bruit", zone)
                and f["time_precision"] != "year"]  # fmt: skip
        first = sum(f["n"] for f in mine if f["hour"].date() < SPAN[1])
        assert found[zone] == [first, sum(f["n"] for f in mine) - first]  # type: ignore[index]
