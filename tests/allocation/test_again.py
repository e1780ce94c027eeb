"""A plan again: as proven as it says, and near to the one shown; against all plans counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.allocation import again as again_of
from helpers.allocation.again import again, known
from helpers.allocation.means import Fleet, Hours, MinimumService, Problem
from helpers.allocation.programme import build
from helpers.allocation.solve import System, Unsolved, solve, whole
from tests.allocation.made_up import best, problems
from tests.allocation.towns import town

ENOUGH = 0.01


def fewer(problem: Problem, minutes: int, teams: int) -> Problem:
    """Return the problem with less of its first crew."""
    first, *others = problem.means.crews
    less = replace(
        first, minutes=max(0, first.minutes - minutes), teams=max(1, first.teams - teams)
    )
    return replace(problem, means=replace(problem.means, crews=(less, *others)))


@settings(max_examples=200, deadline=None)
@given(problems(), st.sampled_from([0, 240, 480]), st.integers(0, 2), st.integers(0, 99))
def test_it_is_within_what_it_proves_by_all_plans_counted(
    problem: Problem, minutes: int, teams: int, seed: int
) -> None:
    """From what is known of the problem as it was, whatever plan is shown."""
    other = fewer(problem, minutes, teams)
    shape = problem.means.today.shape[1:]
    shown = np.random.default_rng(seed).integers(0, 3, shape)
    programme = build(other)
    found = again(programme, known(build(problem)), shown, gap=0.0, enough=ENOUGH)
    expected = best(other)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert found.bound >= expected - 1e-5
        assert found.net <= expected + 1e-5
        assert found.gap <= ENOUGH + 1e-9
        assert expected - found.net <= ENOUGH * abs(found.net) + 1e-5
        crews = other.means.crews
        worked = [0] * len(crews)
        for (crew, shift), n in zip(other.means.duties, found.duties, strict=True):
            one = other.means.shifts[shift]
            worked[crew] += int(n) * (one.ends - one.starts)
        assert all(n <= crew.minutes for n, crew in zip(worked, crews, strict=True))


def test_what_was_known_proves_a_bound_of_other_limits() -> None:
    """Multipliers of one town bound the best net of it under other limits: weak duality."""
    problem = town(zones=20, slots=6, seed=4, grid=2, band=0.2, teams=6)
    near = known(build(problem))
    assert near is not None
    rules = [replace(r, teams=r.teams + 1) if isinstance(r, MinimumService) else r
             for r in problem.rules]  # fmt: skip
    rules = [replace(r, count=r.count // 4) if isinstance(r, Fleet) else r for r in rules]
    other = build(replace(problem, rules=tuple(rules)))
    exact = solve(other)
    assert exact is not None
    assert exact.net < solve(build(problem)).net  # type: ignore[union-attr]
    found = again(other, near, exact.presence.sum(axis=0), gap=0.0, enough=0.05)
    assert found is not None
    assert found.bound >= exact.net - 1e-6
    assert found.gap <= 0.05


def test_it_stays_where_nothing_asks_it_to_move() -> None:
    """Two zones are worth the same: whichever is shown is kept, hour by hour."""
    problem = town(zones=8, slots=4, seed=3, grid=2, band=0.5, teams=4)
    problem = replace(problem, gain=np.ones_like(problem.gain), rules=(Hours(),), change=0.0)
    programme = build(problem)
    plan = solve(programme)
    assert plan is not None
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(8)
        shown = plan.presence.sum(axis=0)[order]
        found = again(programme, None, shown, gap=0.0, enough=ENOUGH)
        assert found is not None
        assert (found.presence.sum(axis=0) == shown).all()


def test_a_town_again_is_proven_within_what_is_asked() -> None:
    problem = town(zones=60, slots=12, seed=1, grid=3, band=0.1, teams=6)
    base = build(problem)
    plan = solve(base, gap=1e-3)
    assert plan is not None
    other = fewer(problem, 0, 2)
    found = again(build(other), known(base), plan.presence.sum(axis=0), gap=1e-3, enough=ENOUGH)
    exact = solve(build(other), gap=1e-4)
    assert found is not None
    assert exact is not None
    assert found.gap <= ENOUGH
    assert found.bound >= exact.net - 1e-6
    assert found.net == pytest.approx(exact.net, rel=ENOUGH)


@pytest.mark.parametrize("stuck", [0, 1])
def test_whole_teams_are_looked_for_only_where_parts_of_teams_come_near_enough(
    monkeypatch: pytest.MonkeyPatch, stuck: int
) -> None:
    """A plan shown that is far from the best: what is most loyal to it is not searched for.

    And where a search gets stuck (`stuck` of them), a less loyal one answers.
    """
    problem = town(zones=30, slots=6, seed=5, grid=2, band=0.2, teams=6)
    programme = build(problem)
    shown = problem.means.today.sum(axis=0)
    searches = {False: 0, True: 0}  # of whole teams, or of parts of them

    def counted(system: System, *arguments: Any) -> Any:
        searches[bool(system.whole.any())] += 1
        if system.whole.any() and searches[True] <= stuck:
            raise Unsolved("Time limit reached")
        return whole(system, *arguments)

    monkeypatch.setattr(again_of, "whole", counted)
    found = again(programme, None, shown, gap=1e-3, enough=ENOUGH)
    assert found is not None
    assert found.gap <= ENOUGH
    assert searches[True] == stuck + 1
    assert searches[False] > searches[True]
