"""What an event adds, in worlds whose truth is known and whose events fall on busy days.

The full size is `make grade ROOMS=events SIZE=full`; its table is in the method note.
"""

from __future__ import annotations

import pytest

from helpers.events import grades


@pytest.fixture(scope="module")
def found() -> grades.Found:
    return grades.found(grades.World(), 2029, 120)


def test_event_days_against_all_others_mislead(found: grades.Found) -> None:
    assert found.naive.mean() == pytest.approx(1.496, abs=0.02)


def test_adjusted_for_what_is_known_the_truth_is_found(found: grades.Found) -> None:
    assert found.adjusted[:, 0].mean() == pytest.approx(1.30, abs=0.02)


def test_beside_a_control_area_the_truth_is_found_and_held(found: grades.Found) -> None:
    """95 % of 120 intervals, give or take two standard errors (0.02 each)."""
    assert found.beside[:, 0].mean() == pytest.approx(1.30, abs=0.02)
    assert 0.91 <= grades.covered(found.beside, 1.3) <= 0.99


def test_where_events_add_nothing_nothing_is_found() -> None:
    none = grades.found(grades.World(truth=1.0), 2029, 60)
    assert none.naive.mean() > 1.1
    assert none.beside[:, 0].mean() == pytest.approx(1.0, abs=0.02)
    assert grades.covered(none.beside, 1.0) >= 0.9
