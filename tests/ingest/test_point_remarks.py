"""Points that were moved: what many of them tell together, which one alone does not."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest

from helpers.core.stage import remark_words
from helpers.ingest import remarks
from tests.fixtures.made_up import (
    CITY,
    FACTS,
    SOUTH,
    STEP_LAT,
    STEP_LON,
    WEST,
    build_made_up,
    fact,
    middle,
)
from tests.fixtures.real import Built

Point = tuple[float, float]
# Crossings a hundred metres apart, none within fifteen metres of an edge.
CROSSINGS = [
    (WEST + 0.001 + 0.0012 * i, SOUTH + 0.0006 + 0.0009 * j) for i in range(18) for j in range(16)
]
BORDER = [(WEST + STEP_LON, SOUTH + 0.0004 + 0.0009 * j) for j in range(9)]  # of A and B


def at(point: Point, number: int, **more: str) -> dict[str, str]:
    when = f"2024-{1 + number % 12:02}-{1 + number % 28:02}T10:00:00"
    lon, lat = point
    return fact(number, lon=f"{lon:.6f}", lat=f"{lat:.6f}", **{"debut": when, **more})


def anywhere(draw: random.Random) -> Point:
    return WEST + draw.random() * 2 * STEP_LON, SOUTH + draw.random() * 2 * STEP_LAT


def taken(folder: Path, rows: list[dict[str, str]], **observation: Any) -> Built:
    facts = copy.deepcopy(FACTS)
    facts["observation"] |= observation
    city = CITY | {"period": {"start": "2023-01-01", "end": "2024-12-31"}}
    return build_made_up(folder, rows, city=city, facts=facts)


def said(built: Built) -> list[str]:
    return [remark_words.sentence(one) for one in remarks.remarks(built.city, built.out)]


def zones(built: Built) -> dict[str, int]:
    return dict(built.rows("SELECT zone_carres, count(*) FROM observations GROUP BY 1"))


def crossing(draw: random.Random) -> Point:
    return draw.choice(CROSSINGS)


def grid(draw: random.Random) -> Point:
    lon, lat = anywhere(draw)
    return round(lon, 3), round(lat, 3)


@pytest.mark.parametrize("moved", [crossing, grid])
def test_points_moved_without_a_word_are_told(moved: Any, tmp_path: Path) -> None:
    """To crossings, or to three decimals: no point has one fact in a hundred, none is a default."""
    draw = random.Random(1)
    built = taken(tmp_path, [at(moved(draw), i) for i in range(2900)])
    assert built.rows("SELECT DISTINCT place_precision FROM observations") == [("point",)]
    (told,) = said(built)
    assert "les 2\u202f900 faits placés tiennent en" in told
    assert "`snapped_points: true`" in told
    again = taken(tmp_path / "b", [at(moved(draw), i) for i in range(2900)], snapped_points=True)
    assert "tiennent en" not in "".join(said(again))


def test_points_moved_in_one_year_alone_are_told_of_that_year(tmp_path: Path) -> None:
    draw = random.Random(2)
    rows = [at(crossing(draw), i) for i in range(1500)]
    rows += [at(anywhere(draw), 5000 + i, debut="2023-05-02T10:00:00") for i in range(1500)]
    (told,) = said(taken(tmp_path, rows))
    assert "les 1\u202f500 faits placés de 2024 tiennent en" in told


@pytest.mark.parametrize("addresses", [False, True])
def test_exact_points_and_close_addresses_are_not_taken_for_moved(
    addresses: bool, tmp_path: Path
) -> None:
    """Points anywhere; and houses some twenty metres apart, each with many facts."""
    draw = random.Random(3)
    houses = [(WEST + 0.002 + 2.5e-4 * (i % 20), SOUTH + 0.002 + 2e-4 * (i // 20))
              for i in range(400)]  # fmt: skip
    places = [draw.choice(houses) if addresses else anywhere(draw) for _ in range(2500)]
    assert said(taken(tmp_path, [at(one, i) for i, one in enumerate(places)])) == []


def test_heap_among_snapped_points_is_told_and_can_be_written(tmp_path: Path) -> None:
    """Snapped points, and a town hall where facts without place are put: its zone has them not."""
    draw = random.Random(4)
    hall = middle("D")
    rows = [at(crossing(draw), i) for i in range(1200)]
    rows += [at(hall, 5000 + i) for i in range(800)]
    built = taken(tmp_path / "a", rows, snapped_points=True)
    (told,) = said(built)
    assert "porte 800\xa0faits (40\u202f%)" in told
    assert "`null_values`" in told
    facts = copy.deepcopy(FACTS)
    facts["observation"]["snapped_points"] = True
    facts["fields"]["lon"]["null_values"] = [f"{hall[0]:.6f}"]
    mended = build_made_up(tmp_path / "b", rows, facts=facts)
    assert zones(mended)["no_place"] == 800
    assert said(mended) == []


def test_snapped_points_on_a_border_are_told_where_the_source_says_no_zone(tmp_path: Path) -> None:
    rows = [at(BORDER[i % 9], i) for i in range(900)]
    (told,) = said(taken(tmp_path, rows, snapped_points=True))
    assert "900\xa0faits sur 900" in told
    assert "`declared_zone`" in told


def test_zone_that_the_source_says_is_kept_where_points_are_snapped(tmp_path: Path) -> None:
    """On the border of A and B, and out of all zones: the publisher knew better."""
    rows = [at(BORDER[i % 9], i, carre="AB"[i % 2]) for i in range(900)]
    rows += [at((WEST - 0.0003, SOUTH + 0.001), 1000 + i, carre="C") for i in range(90)]
    rows += [at(middle("D"), 2000 + i, carre="Z") for i in range(60)]  # no zone is called Z
    built = taken(tmp_path, rows, snapped_points=True)
    assert zones(built) == {"A": 450, "B": 450, "C": 90, "D": 60}
    halves = built.rows("SELECT zone_moities, count(*) FROM observations GROUP BY 1 ORDER BY 1")
    assert halves == [("est", 510), ("ouest", 540)]
    assert not [one for one in said(built) if "limite" in one]


def test_exact_points_that_contradict_the_zone_said_are_told(tmp_path: Path) -> None:
    draw = random.Random(5)
    rows = [at(anywhere(draw), i, carre="B") for i in range(500)]
    built = taken(tmp_path, rows)
    (told,) = said(built)
    assert f"{500 - zones(built)['B']}\xa0faits sur 500" in told
    assert "c'est le point qui compte" in told
