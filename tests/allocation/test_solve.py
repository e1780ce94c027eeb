"""The best plan: against all plans counted, and what must hold of every one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import OptimizeResult

from helpers.allocation import solve as solving
from helpers.allocation.means import (
    Balance,
    Crew,
    Dose,
    EquityBand,
    Hours,
    Means,
    MinimumService,
    Problem,
    Rest,
    Rule,
    Shift,
    Skill,
    Travel,
    covered_demand,
)
from helpers.allocation.programme import build
from helpers.allocation.solve import Plan, Unsolved, solve
from tests.allocation.made_up import (
    MOST_BINARIES,
    allowed,
    best,
    presence,
    problems,
    whole_columns,
)
from tests.allocation.towns import town

SMALL: dict[str, Any] = {"grid": 2, "band": 0.15, "teams": 6}
TRIES = settings(max_examples=100, deadline=None)


def planned(problem: Problem) -> Plan | None:
    return solve(build(problem))


def worked(problem: Problem, plan: Plan) -> list[int]:
    """Return the minutes of each crew, counted from the plan's duties."""
    means, found = problem.means, [0] * len(problem.means.crews)
    for (crew, shift), teams in zip(means.duties, plan.duties, strict=True):
        found[crew] += int(teams) * (means.shifts[shift].ends - means.shifts[shift].starts)
    return found


@settings(max_examples=400, deadline=None)
@given(problems())
def test_equals_the_best_of_all_plans(problem: Problem) -> None:
    assert whole_columns(problem) <= MOST_BINARIES
    found, expected = planned(problem), best(problem)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found.net == pytest.approx(expected, abs=1e-5)
        assert found.bound == pytest.approx(expected, abs=1e-5)


@TRIES
@given(problems(), st.just(1) | st.integers(0, 200))
def test_hours_are_never_exceeded_by_a_minute(problem: Problem, fewer: int) -> None:
    """Hours that are no multiple of a shift's: what is left over is left unused."""
    crews = tuple(replace(c, minutes=max(0, c.minutes - fewer)) for c in problem.means.crews)
    problem = replace(problem, means=replace(problem.means, crews=crews))
    found = planned(problem)
    assume(found is not None)
    assert found is not None
    for minutes, crew in zip(worked(problem, found), crews, strict=True):
        assert minutes <= crew.minutes
    there = found.presence.sum(axis=(1, 2))
    for c in range(len(crews)):
        sent = sum(int(n) * len(problem.means.shifts[s].slots)
                   for (who, s), n in zip(problem.means.duties, found.duties, strict=True)
                   if who == c)  # fmt: skip
        assert there[c] == sent  # nobody is anywhere off duty


@TRIES
@given(problems(), st.integers(1, 600))
def test_more_hours_are_never_worse(problem: Problem, more: int) -> None:
    crews = tuple(replace(c, minutes=c.minutes + more) for c in problem.means.crews)
    richer = replace(problem, means=replace(problem.means, crews=crews))
    before, after = planned(problem), planned(richer)
    if before is not None:
        assert after is not None
        assert after.net >= before.net - 1e-6


def permuted(problem: Problem, order: list[int]) -> Problem:
    """Return the same city, its zones told in another order."""
    means = problem.means
    rules: list[Rule] = []
    for rule in problem.rules:
        match rule:
            case Travel(minutes, limit, cost):
                rules.append(Travel(minutes[np.ix_(order, order)], limit, cost))
            case Dose(teams):
                rules.append(Dose(teams[order]))
            case Skill(skill, teams):
                rules.append(Skill(skill, teams[order]))
            case _:
                rules.append(rule)
    zones = tuple(means.zones[i] for i in order)
    moved = replace(means, zones=zones, district=means.district[order],
                    today=means.today[:, order])  # fmt: skip
    return Problem(moved, problem.gain[order], tuple(rules), problem.change)


@TRIES
@given(problems(), st.data())
def test_permuted_zones_give_the_permuted_plan(problem: Problem, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(problem.means.zones))))
    nets = sorted(((net, plan) for plan, net in allowed(problem)), key=lambda one: -one[0])
    assume(nets)
    top = [presence(problem, plan).sum(axis=0) for net, plan in nets if net > nets[0][0] - 1e-4]
    assume(all((one == top[0]).all() for one in top))  # else any of several is right
    found = planned(permuted(problem, order))
    assert found is not None
    assert (found.presence.sum(axis=0) == top[0][order]).all()


def test_a_town_is_solved_to_a_proven_gap_and_every_rule_holds() -> None:
    """A problem too large to count: rules are checked on the plan, the gain against today's."""
    problem = town(zones=40, slots=9, seed=3, **SMALL)
    found = solve(build(problem), gap=1e-3)
    assert found is not None
    assert 0 <= found.gap <= 1e-3
    means, there = problem.means, found.presence
    of_district = np.bincount(means.district, there.sum(axis=(0, 2)), len(means.districts))
    for rule in problem.rules:
        match rule:
            case MinimumService(teams):
                assert (of_district >= teams).all()
            case Dose(teams):
                assert (there.sum(axis=(0, 2)) <= teams).all()
            case EquityBand(demand, band):
                share = of_district / of_district.sum() - demand / demand.sum()
                assert np.abs(share).max() <= band + 1e-9
    assert all(n <= c.minutes for n, c in zip(worked(problem, found), means.crews, strict=True))
    assert found.gain > problem.gain_of(means.today.sum(axis=0))


def test_leaving_columns_out_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole programme given to the solver at once, no column left out: no better plan."""
    programme = build(town(zones=25, slots=6, seed=8, **SMALL))
    found = solve(programme)
    monkeypatch.setattr(solving, "FIRST", 100.0)
    entire = solve(programme)
    assert found is not None
    assert entire is not None
    assert found.net == pytest.approx(entire.net, abs=1e-5)


def test_the_same_problem_has_the_same_plan_twice() -> None:
    problem = town(zones=30, slots=6, seed=5, **SMALL)
    first, again = solve(build(problem), gap=1e-3), solve(build(problem), gap=1e-3)
    assert first is not None
    assert again is not None
    assert first.presence.tobytes() == again.presence.tobytes()


def test_a_plan_that_breaks_a_row_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that calls optimal what its constraints forbid is not believed."""
    programme = build(a_slot((Hours(),)))
    lie = OptimizeResult(status=0, x=np.ones(len(programme.cost)), mip_dual_bound=0.0, message="")
    monkeypatch.setattr(solving, "milp", lambda *a, **k: lie)
    with pytest.raises(Unsolved, match="breaks a row"):
        solve(programme)


def a_slot(rules: tuple[Rule, ...], minutes: int = 480, gain: float = 1.0) -> Problem:
    """Return two zones of a district each, two slots of eight hours, one crew of one team."""
    shifts = (Shift("m", 0, 480, (0,)), Shift("e", 480, 960, (1,)))
    means = Means((Crew("c", 1, minutes),), shifts, np.ones((1, 2), dtype=bool), ("a", "b"),
                  ("A", "B"), np.array([0, 1]), 2, np.zeros((1, 2, 2), dtype=np.int64))  # fmt: skip
    return Problem(means, np.full((2, 2, 1), gain), rules)


def test_rest_is_counted_from_end_to_start() -> None:
    both = a_slot((Hours(), Rest(0)), minutes=960)
    assert planned(both).net == pytest.approx(2)  # type: ignore[union-attr]
    rested = replace(both, rules=(Hours(), Rest(1)))
    assert planned(rested).net == pytest.approx(1)  # type: ignore[union-attr]


def test_demand_not_known_is_not_a_demand_of_zero() -> None:
    """A district whose demand no one knows may be served; one that asks for nothing may not."""
    unknown = a_slot((Hours(), EquityBand(np.array([1.0, np.nan]), 0.0)))
    nothing = a_slot((Hours(), EquityBand(np.array([1.0, 0.0]), 0.0)))
    gain = np.array([[[0.0], [0.0]], [[1.0], [1.0]]])
    assert planned(replace(unknown, gain=gain)).net == pytest.approx(1)  # type: ignore[union-attr]
    assert planned(replace(nothing, gain=gain)).net == pytest.approx(0)  # type: ignore[union-attr]


def test_districts_whose_demand_is_known_share_among_themselves() -> None:
    """Two ask for as much, no one knows of the third: what the first has, the second has too."""
    shifts = (Shift("m", 0, 480, (0,)), Shift("e", 480, 960, (1,)))
    crew, today = Crew("c", 1, 960), np.zeros((1, 3, 2), dtype=np.int64)
    means = Means((crew,), shifts, np.ones((1, 2), dtype=bool), ("a", "b", "x"),
                  ("A", "B", "X"), np.arange(3), 2, today)  # fmt: skip
    gain = np.array([5.0, 1.0, 2.5])[:, None, None] * np.ones((3, 2, 1))
    equity = EquityBand(np.array([1.0, 1.0, np.nan]), 0.0)
    found = planned(Problem(means, gain, (Hours(), equity)))
    assert found is not None
    assert found.net == pytest.approx(6)  # once here, once there: not twice in the first
    assert found.presence.sum(axis=(0, 2)).tolist() == [1, 1, 0]


def test_covered_demand_is_what_is_left_times_the_share() -> None:
    """Of 100, two teams that answer half each: 50, then half of the 50 left."""
    assert covered_demand(np.array([[100.0]]), 0.5, 3).tolist() == [[[50.0, 25.0, 12.5]]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gain": np.array([[[1.0, 2.0]] * 2] * 2)}, "more than the one before"),
        ({"gain": np.full((2, 2, 1), np.nan)}, "negative or unknown"),
        ({"gain": np.ones((2, 3, 1))}, "zones, slots, levels"),
        ({"rules": (Hours(), Rest(1), Rest(2))}, "told twice"),
        ({"rules": ()}, "without the hours"),
    ],
)
def test_a_problem_that_makes_no_sense_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(a_slot((Hours(),)), **change)  # type: ignore[arg-type]


def test_balance_holds_below_the_mean_as_above_it() -> None:
    """One team of a crew idle, two of another at work: it is the idle one that is too far off."""
    shifts = (Shift("m", 0, 240, (0,)), Shift("e", 240, 480, (1,)))
    crews = (Crew("idle", 1, 0), Crew("two", 2, 960))
    means = Means(crews, shifts, np.ones((2, 2), dtype=bool), ("z",), ("d",), np.zeros(1, np.int64),
                  2, np.zeros((2, 1, 2), np.int64))  # fmt: skip
    problem = Problem(means, np.ones((1, 2, 1)), (Hours(), Balance(120.0)))
    found = planned(problem)  # of two shifts, the mean is 160: the idle team is 160 below it
    assert found is not None
    assert worked(problem, found) == [0, 240]
    assert found.net == pytest.approx(1.0)
