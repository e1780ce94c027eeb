"""Why no plan exists: each set told is a conflict, and none of its members is there in excess."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings

from helpers.allocation import words
from helpers.allocation.conflict import conflict, conflicts
from helpers.allocation.means import (
    Balance,
    Crew,
    Hours,
    Item,
    Means,
    MinimumService,
    Problem,
    Shift,
)
from helpers.allocation.programme import build
from tests.allocation.made_up import broken, plans, problems, stands
from tests.allocation.towns import town


@settings(max_examples=250, deadline=None)
@given(problems(change=False))
def test_each_conflict_is_irreducible_by_all_plans_counted(problem: Problem) -> None:
    """Every plan breaks a member; with one member left out, some plan breaks none of the rest."""
    programme = build(problem)
    found = conflicts(programme)
    faults = {frozenset(broken(problem, one)) for one in plans(problem) if stands(problem, one)}
    assert bool(found) == (frozenset() not in faults)
    for one in found:
        members = set(one)
        assert all(fault & members for fault in faults)
        for member in members:
            assert any(not fault & (members - {member}) for fault in faults)
    told = [item for one in found for item in one]
    assert len(set(told)) == len(told)
    left_out = set(told)
    assert any(fault <= left_out for fault in faults)


def test_the_conflict_of_a_town_names_hours_and_what_they_are_too_few_for() -> None:
    """A district asks for 20 team-slots; the hours of all crews are 12, the teams could be 72."""
    problem = town(zones=12, slots=6, seed=2, grid=2, band=0.2, teams=3)
    rules = (Hours(), MinimumService(np.array([20, 0, 0, 0])))
    found = conflict(build(replace(problem, rules=rules)))
    assert set(found) == {Item("minimum_service", "d00")} | {
        Item("hours", crew.code) for crew in problem.means.crews
    }


def test_a_conflict_is_told_in_french() -> None:
    items = (Item("hours", "c1"), Item("minimum_service", "13201"))
    said = words.conflict(items, {"c1": "équipages de nuit", "13201": "1er arrondissement"})
    assert said == (
        "Aucun plan ne respecte à la fois les heures existantes (équipages de nuit) ; le service "
        "minimum (1er arrondissement). Assouplir une seule de ces règles met fin à ce conflit."
    )


def test_a_rule_that_teams_alone_make_impossible_is_told_alone() -> None:
    problem = town(zones=12, slots=6, seed=2, grid=2, band=0.2, teams=3)
    rules = (Hours(), MinimumService(np.array([73, 0, 0, 0])))
    found = conflict(build(replace(problem, rules=rules)))
    assert words.conflict(found, {}) == (
        "Aucun plan ne respecte le service minimum (d00), même sans les autres règles : les "
        "équipes et les vacations qui existent n'y suffisent pas."
    )


def test_a_conflict_of_whole_teams_alone_has_all_its_members() -> None:
    """Parts of a team could hold both rules: no proof without whole numbers, and two members."""
    shifts = (Shift("short", 0, 240, (0,)), Shift("long", 0, 360, (0,)))
    crews = (Crew("a", 1, 9999), Crew("b", 1, 9999))
    means = Means(crews, shifts, np.eye(2, dtype=bool), ("z",), ("d",), np.zeros(1, np.int64), 1,
                  np.zeros((2, 1, 1), np.int64))  # fmt: skip
    rules = (Hours(), Balance(0.0), MinimumService(np.array([1])))
    found = conflict(build(Problem(means, np.ones((1, 1, 1)), rules)))
    assert {item.kind for item in found} == {"balance", "minimum_service"}
    assert len(found) == 2
