"""Panels whose truth is known: bias, coverage, false effects, what moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from helpers.core.stats import staggered_counts
from helpers.core.stats.staggered_counts import Spans, alone, held, moved, together
from helpers.impact import grades
from helpers.impact.grades import SPANS, World, graded

PANELS = 400
CHANCE = 2.6 * (0.05 * 0.95 / PANELS) ** 0.5  # of a share of 5 %, one run in a hundred beyond


@pytest.mark.parametrize("world", [World(), World(level=3.0), World(own=0.2), World(spread=1.0)])
def test_the_effect_is_told_without_bias_and_its_intervals_hold_it(world: World) -> None:
    found = graded(world, 31, PANELS)
    assert abs((found.ratio[:, 0] - found.truth).mean()) < 0.1 * world.effect
    assert found.covered() == pytest.approx(0.95, abs=0.02 + CHANCE)


@pytest.mark.parametrize("level", [3.0, 12.0])
def test_without_effect_one_panel_in_twenty_shows_one(level: float) -> None:
    assert graded(World(effect=0.0, level=level), 32, PANELS).told() == pytest.approx(
        0.05, abs=0.01 + CHANCE
    )


def test_a_beginning_put_a_year_early_shows_nothing() -> None:
    found = graded(World(first=27, periods=52), 33, PANELS, earlier=grades.FALSE_DATE)
    assert found.told() == pytest.approx(0.05, abs=0.01 + CHANCE)


def test_areas_chosen_for_their_worst_month_gain_nothing_once_it_is_left_out() -> None:
    world = World(effect=0.0, chosen=True)
    assert graded(world, 34, PANELS).told() == pytest.approx(0.05, abs=0.01 + CHANCE)
    fooled = graded(world, 34, PANELS, replace(SPANS, gap=0))
    assert fooled.told() > 0.12
    assert fooled.ratio[:, 0].mean() < 0.98, "falls back of itself: what the gap is for"


def test_what_moved_is_told_apart() -> None:
    told = {
        share: graded(World(level=60.0, own=0.05, displaced=share), 35, PANELS)
        for share in (0.0, 0.25, 0.5)
    }
    for share, found in told.items():
        assert np.median(found.share[:, 0]) == pytest.approx(share, abs=0.03)
        assert found.share_covered(share) > 0.93
    assert grades.apart(told[0.0], told[0.25]) > 0.9
    assert grades.apart(told[0.25], told[0.5]) > 0.9
    assert (told[0.5].share[:, 1] > 0).mean() > 0.9
    assert (told[0.0].share[:, 1] > 0).mean() < 0.025 + CHANCE


def test_where_nothing_is_prevented_no_share_is_told() -> None:
    none = graded(World(effect=0.0), 36, 100)
    assert np.isinf(none.share[:, 1]).mean() > 0.9


def test_the_rank_among_actions_that_never_were_is_even() -> None:
    found = grades.by_chance_rejects(World(effect=0.0), 37, 200, 99)
    assert found == pytest.approx(0.05, abs=0.045)
    assert grades.by_chance_rejects(World(effect=0.3), 37, 10, 99) > 0.8


def test_effects_that_grow_mislead_the_two_way_regression_alone() -> None:
    truth, simple, both = grades.growing_effects(38, 200).mean(axis=0)
    assert simple == pytest.approx(truth, rel=0.02)
    assert abs(both - truth) > 0.2 * abs(truth)


@pytest.mark.parametrize("world", [World(effect=0.0), World(), World(level=4.0), World(own=0.2)])
def test_one_area_alone_has_intervals_that_hold_its_truth(world: World) -> None:
    assert grades.alone_covered(world, 39, 40).mean() == pytest.approx(0.95, abs=0.025)


def test_areas_of_two_kinds_of_facts_are_read_as_one() -> None:
    """Parts put together are what the whole is; errors of shared controls are not halved."""
    one = World().draw(np.random.default_rng(40))
    whole = held(one.zones, one.start, one.controls, SPANS)
    halves = [
        held(one.zones[i], one.start[i], one.controls, SPANS) for i in (slice(8), slice(8, 20))
    ]
    told = together(halves).ratio()
    assert told == whole.ratio()


def test_a_ratio_by_hand() -> None:
    """Twice 30 facts before, controls from 100 to 50: 30 expected, 15 counted."""
    counts = np.array([[30.0, 99.0, 15.0, 0.0], [30.0, 99.0, 15.0, 0.0]])
    controls = np.array([[60.0, 1.0, 30.0, 0.0], [40.0, 1.0, 20.0, 0.0]])
    found = held(counts, np.array([2, 2]), controls, Spans(1, 1, 1))
    assert found.expected == pytest.approx([15.0, 15.0])
    assert found.more == pytest.approx(0.0)
    assert np.exp(found.ratio().value) == pytest.approx(1.0)
    rings = held(counts * [1, 1, 2, 1], np.array([2, 2]), controls, Spans(1, 1, 1))
    zones = held(counts / [1, 1, 2, 1], np.array([2, 2]), controls, Spans(1, 1, 1))
    assert moved(zones, rings, 0.95).share == pytest.approx(2.0)


@pytest.mark.parametrize("start", [[1], [4], [-1], []])
def test_spans_that_do_not_fit_are_refused(start: list[int]) -> None:
    at = np.array(start, dtype=np.int64)
    with pytest.raises(ValueError, match="too near the ends"):
        held(np.ones((len(at), 4)), at, np.ones((3, 4)), Spans(1, 1, 1))


def test_nothing_counted_is_no_ratio() -> None:
    with pytest.raises(ValueError, match="nothing counted"):
        held(np.zeros((2, 4)), np.array([2, 2]), np.ones((3, 4)), Spans(1, 1, 1)).ratio()
    with pytest.raises(ValueError, match="nothing counted"):
        alone(np.zeros(4), 2, np.ones((3, 4)), Spans(1, 1, 1))
    with pytest.raises(ValueError, match="in the controls"):
        held(np.ones((1, 4)), np.array([2]), np.zeros((3, 4)), Spans(1, 1, 1))
    with pytest.raises(ValueError, match="too few controls"):
        staggered_counts.by_chance(np.array([2, 2]), np.ones((3, 4)), Spans(1, 1, 1), 9, 1)
