"""Closures on roads whose truth is drawn: what moved is held, what did not is not said."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from helpers.core.place_time.counters import DEAD
from helpers.traffic import closures, fluidity, grades, words
from helpers.traffic.grades import World
from helpers.traffic.knobs import Knobs
from helpers.traffic.known import Roads

KNOBS = Knobs(
    window_days=28, reference_weeks=52, minimum_flow=20, event_reach_m=1100, event_crowd=5000,
    event_margin_h=2, event_reference_weeks=8, minimum_events=3, safety_weeks=52, minimum_facts=10,
    confidence=0.95,
)  # fmt: skip
RUNS = 150
CHANCE = 2.6 * (0.05 * 0.95 / RUNS) ** 0.5


def town(seed: int, share: float = 0.6) -> Roads:
    """Return a town of which a road is closed, R05; R06 and R07 are beside it."""
    return grades.town(World(share=share), np.random.default_rng(seed))


def rows(roads: Roads) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = closures.measure(roads, KNOBS).to_pylist()
    return found


@pytest.mark.parametrize("world", [World(), World(share=0.0), World(drag=0.8), World(length=1)])
def test_intervals_hold_the_share_moved_and_the_ratios(world: World) -> None:
    found = grades.graded(world, KNOBS, 51, RUNS)
    held, together, moved, beside = (
        np.mean(one) for one in (found.share, found.ratios, found.moved, found.beside)
    )
    assert held == pytest.approx(0.95, abs=0.02 + CHANCE)
    assert together > 0.94 - CHANCE
    if world.share:
        assert moved > 0.95
        assert beside > 0.95
    else:
        assert moved < 0.025 + CHANCE
        assert beside < 0.025 + CHANCE


def test_a_dead_counter_beside_says_nothing_and_no_share_is_told() -> None:
    roads = town(52)
    roads.hours.flow[5, grades.LAST :] = np.nan
    roads.hours.why[5, grades.LAST :] = DEAD
    told = {row["site"]: row for row in rows(roads)}
    assert (told["R06"]["status"], told["R06"]["reason"]) == ("abstained", fluidity.ZEROS)
    assert told["R06"]["ratio"] is None
    assert told["R05"]["moved"] is None, "a part is not the whole"
    assert told["R07"]["level"] == fluidity.MORE
    said = words.shut(closures.measure(roads, KNOBS), roads, KNOBS)
    assert "abstention (compteur en panne : il envoie des zéros)" in said
    assert "Report : rien d'établi" in said


def test_too_few_controls_and_roads_without_a_counter_abstain() -> None:
    roads = town(53)
    roads.hours.flow[[0, 1, 2, 3, 7]] = np.nan
    assert {row["status"] for row in rows(roads)} == {"abstained"}
    closed = roads.rules.closures[0].model_copy(update={"parallel": ("P01",)})
    roads = town(53)
    rules = roads.rules.model_copy(update={"closures": (closed,)})
    told = rows(Roads(rules, roads.hours, roads.kind))
    assert told[1]["reason"] == closures.NOT_COUNTED
    assert told[0]["moved"] is None


def test_a_closure_of_another_year_is_told_as_such() -> None:
    roads = town(54)
    later = {"start": dt.date(2030, 1, 1), "end": dt.date(2030, 1, 2)}
    closed = roads.rules.closures[0].model_copy(update=later)
    rules = roads.rules.model_copy(update={"closures": (closed,)})
    told = rows(Roads(rules, roads.hours, roads.kind))
    assert {row["reason"] for row in told} == {fluidity.SHORT}


def test_a_city_without_counters_is_told_so() -> None:
    assert closures.measure(None, KNOBS).num_rows == 0
    assert fluidity.measure(None, KNOBS).num_rows == 0
    assert words.fluid(fluidity.measure(None, KNOBS), None, KNOBS) == words.NO_RULES
