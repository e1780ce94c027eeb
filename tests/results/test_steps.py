"""Every decision on an action, as the register's snapshot tells it."""

from __future__ import annotations

import datetime as dt

import pytest

from helpers.core.base.errors import PhareError
from helpers.register import words
from helpers.register.entries import draft
from helpers.results import steps
from tests.fixtures import decisions
from tests.fixtures.decisions import END, action, approve, problem

FIRST = dt.date(2024, 1, 10)
DAY = dt.timedelta(days=1)


def test_versions_and_opinions_come_in_order_each_with_what_it_is_about() -> None:
    held = decisions.register()
    problem(held, "PB-001", FIRST)
    first = action(held, "ACT-001", FIRST + DAY, "PB-001")
    approve(held, "ACT-001", FIRST + 2 * DAY, first, "approved", "refused")
    later = END + 60 * DAY
    second = action(held, "ACT-001", FIRST + 3 * DAY, "PB-001", first, end=later)
    found = steps.steps(held.entries).to_pylist()
    assert [row["decision"] for row in found] == ["proposed", "approved", "refused", "renewed"]
    assert [row["entry"] for row in found] == sorted(row["entry"] for row in found)
    assert [row["end"] for row in found] == [END, None, None, later]
    assert [row["about"] for row in found] == [None, first, first, None]
    assert [row["current"] for row in found] == [False, True, True, True]
    assert found[-1]["entry"] == second
    assert {row["motive"] for row in found} == {None}


def test_a_refusal_says_why_and_an_approval_does_not() -> None:
    held = decisions.register()
    problem(held, "PB-001", FIRST)
    first = action(held, "ACT-001", FIRST + DAY, "PB-001")
    told = {"kind": "approval", "entry": first, "opinion": "refused", "reason": "autre_priorite"}
    held.add(FIRST + 2 * DAY, "elu", "ACT-001", told)
    (*_, last) = steps.steps(held.entries).to_pylist()
    assert (last["role"], last["motive"]) == ("elu", "autre_priorite")
    assert f"contre l'inscription {first} (autre priorité)" in words.line(
        held.entries[-1], "Europe/Paris"
    )
    with pytest.raises(PhareError, match="motif ne se donne qu'à un refus"):
        draft('{"role": "elu", "subject": "ACT-001", "payload": {"kind": "approval", "entry": 2, '
              '"opinion": "approved", "reason": "autre_priorite"}}')  # fmt: skip


def test_the_day_is_told_and_a_city_without_register_has_no_count() -> None:
    assert steps.register(None, FIRST).to_pylist() == [{"today": FIRST, "entries": None}]
    assert steps.register([], FIRST).to_pylist() == [{"today": FIRST, "entries": 0}]
