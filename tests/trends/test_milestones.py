"""What is dated: exceptional weeks, steps of recording measured, breaks brought near."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from helpers.core.base.errors import PhareError
from helpers.core.city.about import Milestone
from helpers.core.city.city import City
from helpers.core.place_time.calendar import full_weeks
from helpers.core.stats import quasi_poisson
from helpers.trends import milestones, words
from tests.fixtures.made_up import CITY, write_pack

MONDAYS = full_weeks(dt.date(2020, 1, 1), dt.date(2024, 12, 31))


def mark(**changes: Any) -> Milestone:
    told = {"title": "Outil", "start": dt.date(2022, 6, 1), "told_by": "essai", **changes}
    return Milestone.model_validate(told)


def with_marks(tmp_path: Path, *marks: dict[str, Any]) -> City:
    city = copy.deepcopy(CITY)
    city["milestones"] = [{"told_by": "essai", **one} for one in marks]
    return write_pack(tmp_path, city=city)


def test_exceptional_weeks_are_those_touched() -> None:
    """1 Wednesday to 13 Monday: three weeks; what lasts sets none aside."""
    one = mark(start=dt.date(2022, 6, 1), end=dt.date(2022, 6, 13))
    found = milestones.exceptional([one, mark()], MONDAYS)
    days = [dt.date(2022, 5, 30), dt.date(2022, 6, 6), dt.date(2022, 6, 13)]
    assert [m for m, hit in zip(MONDAYS, found, strict=True) if hit] == days


def test_the_step_drawn_is_covered_as_often_as_said() -> None:
    rng = np.random.default_rng(7)
    weeks, at = len(MONDAYS), MONDAYS.index(dt.date(2022, 6, 6))
    wave = np.exp(0.2 * quasi_poisson.harmonics(weeks)[:, 0] + 0.0005 * np.arange(weeks))
    truth, runs, covered = 1.06, 400, 0
    for _ in range(runs):
        counts = rng.negative_binomial(500, 0.5, weeks) / 500 * wave * 300
        counts = rng.poisson(counts * np.where(np.arange(weeks) >= at, truth, 1)).astype(float)
        (step,) = milestones.steps([mark(recording=True)], MONDAYS, counts, np.ones(weeks))
        assert step.at == at
        _, low, high = step.interval(0.95)
        covered += low <= truth <= high
    assert 0.92 <= covered / runs <= 0.99


def test_a_step_too_recent_says_so_and_gives_no_number() -> None:
    late = mark(recording=True, start=dt.date(2024, 11, 4))
    (step,) = milestones.steps([late], MONDAYS, np.full(len(MONDAYS), 9.0), np.ones(len(MONDAYS)))
    assert step.log_ratio is None
    assert step.reason == milestones.UNMEASURED
    row = {"reason": step.reason, "remarks": [{"kind": step.reason, "milestone": "Outil"}]}
    assert words.reason(row, 30) == "moins de 13 semaines entendues avant ou après « Outil »"


def test_only_lasting_changes_of_recording_are_steps() -> None:
    marks = [mark(), mark(recording=True, end=dt.date(2022, 7, 1))]
    assert not milestones.steps(marks, MONDAYS, np.ones(len(MONDAYS)), np.ones(len(MONDAYS)))


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [
        (dt.date(2024, 4, 8), dt.date(2024, 8, 26), False),  # the break, told before as explained
        (dt.date(2024, 4, 8), dt.date(2024, 9, 23), False),
        (dt.date(2024, 4, 8), dt.date(2024, 9, 30), True),
        (dt.date(2024, 9, 30), dt.date(2024, 9, 30), True),
        (dt.date(2024, 10, 7), dt.date(2024, 11, 4), False),
        (dt.date(2022, 1, 3), dt.date(2025, 1, 6), False),  # years explain anything
    ],
)
def test_only_what_lies_in_the_interval_of_a_break_explains_it(
    first: dt.date, last: dt.date, told: bool
) -> None:
    """A change of tool on Tuesday 1 October 2024: in the week of Monday 30 September."""
    tool = mark(start=dt.date(2024, 10, 1))
    assert milestones.within([tool], first, last) == ([tool] if told else [])


def test_milestones_touch_what_they_name(tmp_path: Path) -> None:
    city = with_marks(
        tmp_path,
        {"title": "partout", "start": "2024-03-01", "end": "2024-03-31"},
        {"title": "source", "start": "2024-02-01", "sources": ["faits"]},
        {"title": "thème", "start": "2024-01-01", "themes": ["depots"]},
    )
    assert [m.title for m in milestones.concerning(city, "depots")] == [
        "thème",
        "source",
        "partout",
    ]
    assert [m.title for m in milestones.concerning(city, "bruit")] == ["source", "partout"]


def test_a_milestone_that_names_nothing_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhareError, match="milestones « x » nomme « rien »"):
        with_marks(tmp_path, {"title": "x", "start": "2024-01-01", "sources": ["rien"]})
    city = with_marks(tmp_path, {"title": "y", "start": "2024-01-01", "themes": ["rien"]})
    with pytest.raises(PhareError, match="milestones « y » nomme « rien »"):
        city.themes  # noqa: B018
    with pytest.raises(ValidationError, match="finit avant"):
        mark(end=dt.date(2020, 1, 1))


def test_every_milestone_of_the_packs_says_who_tells_it() -> None:
    packs = sorted((Path(__file__).resolve().parents[2] / "data/cities").glob("*/city.yaml"))
    told = [m for p in packs for m in yaml.safe_load(p.read_text("utf-8")).get("milestones", [])]
    assert told
    assert all(one["told_by"] for one in told)
