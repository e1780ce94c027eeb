"""A plan drawn among near-ties: none loses more than said, and chances are what they are said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.allocation.means import Crew, Hours, Means, Problem, Shift
from helpers.allocation.near_ties import choice, draw, near_ties
from helpers.allocation.programme import build
from helpers.allocation.solve import solve
from tests.allocation.made_up import best, problems

SEED = 20260101


@settings(max_examples=60, deadline=None)
@given(problems(), st.floats(0.0, 0.3), st.integers(0, 99))
def test_no_plan_drawn_loses_more_than_the_tolerance(
    problem: Problem, tolerance: float, seed: int
) -> None:
    programme = build(problem)
    plan, worth = solve(programme), best(problem)
    assume(plan is not None)
    assert plan is not None
    assert worth is not None
    drawn = draw(programme, plan, tolerance, 6, seed, "2026-01")
    for one in drawn.plans:
        assert one.net >= worth - tolerance * plan.gain - 1e-5
    if problem.change == 0 and not any(hasattr(rule, "cost") for rule in problem.rules):
        assert len(drawn.plans) == 6  # each turn finds one: at half the tolerance it must


def ties(zones: int = 6, order: tuple[int, ...] = ()) -> Problem:
    """Return zones that are all worth the same, and one team for one slot."""
    names = [f"z{i}" for i in order or range(zones)]
    means = Means(
        (Crew("c", 1, 480),), (Shift("s", 0, 480, (0,)),), np.ones((1, 1), dtype=bool),
        tuple(names), ("d",), np.zeros(zones, dtype=np.int64), 1,
        np.zeros((1, zones, 1), dtype=np.int64),
    )  # fmt: skip
    return Problem(means, np.ones((zones, 1, 1)), (Hours(),))


def test_chances_are_the_shares_of_the_list() -> None:
    programme = build(ties())
    plan = solve(programme)
    assert plan is not None
    found = draw(programme, plan, 0.01, 60, SEED, "2026-01")
    there = np.array([one.presence.sum(axis=0)[:, 0] for one in found.plans])
    assert found.propensity[:, 0] == pytest.approx(there.sum(axis=0) / 60)
    assert found.propensity.sum() == pytest.approx(1)
    assert any(found.chosen is one for one in found.plans)


def test_zones_that_tie_share_the_chances() -> None:
    """Six equal zones: no zone is forgotten; chi-squared at one in ten thousand."""
    programme = build(ties())
    plan = solve(programme)
    assert plan is not None
    plans = near_ties(programme, plan, 0.01, 120, SEED)
    n = np.sum([one.presence.sum(axis=(0, 2)) for one in plans], axis=0)
    assert stats.chisquare(n).pvalue > 1e-4


def test_each_plan_of_the_list_is_drawn_as_often() -> None:
    n = np.bincount([choice(8, SEED, f"week {i}") for i in range(4000)], minlength=8)
    assert stats.chisquare(n).pvalue > 1e-4


def test_a_draw_has_its_own_stream_and_is_the_same_again() -> None:
    programme = build(ties())
    plan = solve(programme)
    assert plan is not None
    first, again = (draw(programme, plan, 0.01, 10, SEED, "2026-01") for _ in range(2))
    assert first.chosen.presence.tobytes() == again.chosen.presence.tobytes()
    assert first.propensity.tobytes() == again.propensity.tobytes()
    weeks = {draw(programme, plan, 0.01, 10, SEED, f"w{i}").chosen.presence.tobytes()
             for i in range(6)}  # fmt: skip
    assert len(weeks) > 1


def test_ties_are_broken_by_the_names_of_zones_not_their_order() -> None:
    order = (3, 0, 5, 1, 4, 2)
    straight, turned = build(ties()), build(ties(order=order))
    best_one, best_other = solve(straight), solve(turned)
    assert best_one is not None
    assert best_other is not None
    one = draw(straight, best_one, 0.01, 12, SEED, "2026-01")
    other = draw(turned, best_other, 0.01, 12, SEED, "2026-01")
    assert (one.propensity[list(order)] == other.propensity).all()
    assert (one.chosen.presence[:, list(order)] == other.chosen.presence).all()


def test_where_nothing_ties_the_best_is_drawn() -> None:
    problem = ties()
    gain = np.arange(1.0, 7.0).reshape(6, 1, 1)
    programme = build(replace(problem, gain=gain))
    plan = solve(programme)
    assert plan is not None
    found = draw(programme, plan, 0.05, 10, SEED, "2026-01")
    assert found.propensity[:, 0].tolist() == [0, 0, 0, 0, 0, 1]
    assert found.distinct == 1


def test_a_plan_nearly_as_good_is_found_past_the_cost_of_change() -> None:
    """Two zones a hundredth apart, a change dearer than that: the other one is drawn at times."""
    problem = ties(2)
    today = problem.means.today.copy()
    today[0, 0, 0] = 1
    gain = np.array([100.0, 101.0]).reshape(2, 1, 1)
    programme = build(replace(problem, gain=gain, change=2.0,
                              means=replace(problem.means, today=today)))  # fmt: skip
    plan = solve(programme)
    assert plan is not None
    assert plan.presence[0, :, 0].tolist() == [1, 0]
    found = draw(programme, plan, 0.02, 40, SEED, "2026-01")
    assert found.distinct == 2
    assert 0 < found.propensity[1, 0] < 1
