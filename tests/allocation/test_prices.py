"""What today's roster leaves, and what each rule costs: against all plans counted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings

from helpers.allocation import words
from helpers.allocation.means import Hours, Problem
from helpers.allocation.prices import CHANGE, Price, prices, today
from helpers.allocation.programme import build
from helpers.allocation.solve import solve
from tests.allocation.made_up import best, problems
from tests.allocation.towns import town

RULES = {
    "Rest": "rest", "Travel": "travel", "MinimumService": "minimum_service", "Dose": "dose",
    "EquityBand": "equity", "Balance": "balance", "Skill": "skill", "Fleet": "fleet",
}  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(problems())
def test_a_price_is_what_all_plans_counted_without_the_rule_win(problem: Problem) -> None:
    programme = build(problem)
    plan, worth = solve(programme), best(problem)
    assume(plan is not None)
    assert plan is not None
    assert worth is not None
    told = {one.kind: one for one in prices(programme, plan)}
    assert "hours" not in told
    for kind, one in told.items():
        if kind == CHANGE:
            freed = replace(problem, change=0.0)
        else:
            kept = [r for r in problem.rules if RULES.get(type(r).__name__) != kind]
            freed = replace(problem, rules=tuple(kept))
        without = best(freed)
        assert without is not None
        assert one.low == pytest.approx(without - worth, abs=1e-4)
        assert one.high == pytest.approx(without - worth, abs=1e-4)
    written = {RULES[type(r).__name__] for r in problem.rules if r != Hours()}
    assert set(told) - {CHANGE} <= written


def test_today_is_worth_what_its_teams_meet() -> None:
    """Counted by hand: of each zone and slot, the first levels that today's teams fill."""
    programme = build(town(zones=20, slots=6, seed=4, grid=2, band=0.15, teams=6))
    problem = programme.problem
    there = problem.means.today.sum(axis=0)
    expected = sum(
        problem.gain[z, t, level]
        for z in range(20) for t in range(6) for level in range(min(3, there[z, t]))
    )  # fmt: skip
    assert today(programme) == pytest.approx(expected)


def test_a_gap_makes_a_price_a_range_that_holds_the_exact_one() -> None:
    programme = build(town(zones=20, slots=6, seed=4, grid=2, band=0.1, teams=6))
    exact_plan, rough_plan = solve(programme), solve(programme, gap=0.02)
    assert exact_plan is not None
    assert rough_plan is not None
    exact = {one.kind: one for one in prices(programme, exact_plan)}
    for one in prices(programme, rough_plan, gap=0.02):
        assert one.low <= exact[one.kind].high + 1e-5
        assert one.high >= exact[one.kind].low - 1e-5


def test_prices_are_told_in_french() -> None:
    assert words.price(Price("equity", 12.34, 12.34), "faits attendus") == (
        "Équité envers la demande : 12,3 faits attendus"
    )
    assert words.price(Price("dose", 0.0, 1.5), "faits attendus") == (
        "Présence maximale par zone : entre 0,0 et 1,5 faits attendus"
    )
    assert words.price(Price("rest", 0.0, 0.0), "faits attendus") == (
        "Repos entre deux vacations : rien"
    )
