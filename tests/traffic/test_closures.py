"""Closures on roads whose truth is drawn: what moved is held, what did not is not said."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from helpers.core.city.traffic_rules import Closure
from helpers.core.place_time.counters import DEAD, OK, Hours, Place
from helpers.traffic import closures, fluidity, words
from helpers.traffic.knobs import Knobs
from helpers.traffic.known import Roads
from tests.fixtures import counting

FIRST = dt.date(2024, 1, 1)
DAYS, LAST = 500, 470
KNOBS = Knobs(
    window_days=28, reference_weeks=52, minimum_flow=20, event_reach_m=1100, event_crowd=5000,
    event_margin_h=2, event_reference_weeks=8, minimum_events=3, safety_weeks=52, minimum_facts=10,
    confidence=0.95,
)  # fmt: skip
RUNS = 150
CHANCE = 2.6 * (0.05 * 0.95 / RUNS) ** 0.5


def town(rng: np.random.Generator, share: float, kept: float = 0.1, length: int = 14) -> Roads:
    """Return ten roads, R05 closed; `share` of what it loses goes half to R06, half to R07."""
    closed = Closure(
        title="Travaux", road="R05", start=FIRST + dt.timedelta(days=LAST),
        end=FIRST + dt.timedelta(days=LAST + length - 1), parallel=("R06", "R07"),
    )  # fmt: skip
    rules = counting.city(FIRST, FIRST)[1].model_copy(update={"closures": (closed,)})
    own = 0.05 * rng.standard_normal((10, DAYS))
    for day in range(1, DAYS):
        own[:, day] = 0.5 * own[:, day - 1] + 0.87 * own[:, day]
    mean = 800 * np.exp(own + 0.08 * rng.standard_normal(DAYS))
    window = slice(LAST, LAST + length)
    gone = mean[4, window] * (1 - kept)
    mean[4, window] *= kept
    mean[5:7, window] += share * gone / 2
    flow = rng.poisson(mean[:, :, None], (10, DAYS, 24)).astype(float)
    places = tuple(Place(f"R{i + 1:02d}", f"Voie {i + 1}", "Z", 0.0, 0.0, "") for i in range(10))
    why, era = np.full(flow.shape, OK), np.zeros((10, DAYS), dtype=np.int64)
    hours = Hours(FIRST, places, flow, np.full(flow.shape, np.nan), why, era)
    return Roads(rules, hours, np.arange(DAYS) % 7)


def rows(roads: Roads) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = closures.measure(roads, KNOBS).to_pylist()
    return found


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_intervals_hold_the_share_moved_and_the_ratios(share: float) -> None:
    held, together, said = [], [], []
    for run in range(RUNS):
        told = rows(town(np.random.default_rng([51, run]), share))
        held.append(told[0]["moved_low"] <= share <= told[0]["moved_high"])
        truth = (0.1, 1 + 0.45 * share, 1 + 0.45 * share)
        together.append(all(r["low"] <= t <= r["high"] for r, t in zip(told, truth, strict=True)))
        said.append(told[0]["moved_low"] > 0)
    assert np.mean(held) == pytest.approx(0.95, abs=0.02 + CHANCE)
    assert np.mean(together) > 0.93 - CHANCE
    assert np.mean(said) > 0.99 if share else np.mean(said) < 0.025 + CHANCE


def test_a_dead_counter_beside_says_nothing_and_no_share_is_told() -> None:
    roads = town(np.random.default_rng(52), 0.6)
    roads.hours.flow[5, LAST:] = np.nan
    roads.hours.why[5, LAST:] = DEAD
    told = {row["site"]: row for row in rows(roads)}
    assert (told["R06"]["status"], told["R06"]["reason"]) == ("abstained", fluidity.ZEROS)
    assert told["R06"]["ratio"] is None
    assert told["R05"]["moved"] is None, "a part is not the whole"
    assert told["R07"]["level"] == fluidity.MORE
    said = words.shut(closures.measure(roads, KNOBS), roads, KNOBS)
    assert "abstention (compteur en panne : il envoie des zéros)" in said
    assert "Report : rien d'établi" in said


def test_too_few_controls_and_roads_without_a_counter_abstain() -> None:
    roads = town(np.random.default_rng(53), 0.6)
    roads.hours.flow[[0, 1, 2, 3, 7]] = np.nan
    assert {row["status"] for row in rows(roads)} == {"abstained"}
    closed = roads.rules.closures[0].model_copy(update={"parallel": ("P01",)})
    roads = town(np.random.default_rng(53), 0.6)
    rules = roads.rules.model_copy(update={"closures": (closed,)})
    told = rows(Roads(rules, roads.hours, roads.kind))
    assert told[1]["reason"] == closures.NOT_COUNTED
    assert told[0]["moved"] is None


def test_a_closure_of_another_year_is_told_as_such() -> None:
    roads = town(np.random.default_rng(54), 0.6)
    later = {"start": dt.date(2030, 1, 1), "end": dt.date(2030, 1, 2)}
    closed = roads.rules.closures[0].model_copy(update=later)
    rules = roads.rules.model_copy(update={"closures": (closed,)})
    told = rows(Roads(rules, roads.hours, roads.kind))
    assert {row["reason"] for row in told} == {fluidity.SHORT}


def test_a_city_without_counters_is_told_so() -> None:
    assert closures.measure(None, KNOBS).num_rows == 0
    assert fluidity.measure(None, KNOBS).num_rows == 0
    assert words.fluid(fluidity.measure(None, KNOBS), None, KNOBS) == words.NO_RULES
