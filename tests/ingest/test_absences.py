"""What a source steadily tells and for a time does not: told with its dates, wherever it is."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.core.stage import remark_words
from helpers.ingest import remarks
from helpers.ingest.absences import absences
from tests.fixtures.made_up import CITY, FACTS, build_made_up, fact

FIRST, DAYS = dt.date(2022, 1, 3), 3 * 364
Kept = Callable[[dt.date, str, int], bool]


@pytest.mark.parametrize(
    ("counts", "gone"),
    [
        ([10] * 40 + [0] * 8, 8),
        ([10] * 48, 0),
        ([10] * 10 + [0] * 3, 0),  # too short a past
        ([0, 1] * 20 + [0] * 8, 0),  # not steady
        ([1] * 40 + [0] * 8, 0),  # too rare to tell so soon
        ([1] * 40 + [0] * 24, 24),
        ([10] * 26 + [0] * 26 + [10] * 26 + [0] * 10, 0),  # a beach in winter
        ([0] * 30, 0),
    ],
)
def test_a_steady_count_that_ends_is_told_from_others(counts: list[int], gone: int) -> None:
    ends = [
        after - first
        for first, after in absences(counts, [10] * len(counts))
        if after == len(counts)
    ]
    assert ends == ([gone] if gone else [])


@pytest.mark.parametrize(
    ("counts", "away"),
    [
        ([10] * 20 + [0] * 12 + [10] * 20, [(20, 32)]),  # absent from one edition of three
        ([0] * 12 + [10] * 30, [(0, 12)]),
        ([0] * 12 + [10] * 30 + [0] * 12, [(0, 12), (42, 54)]),  # it came, and went
        ([10] * 20 + [0] * 12 + [10] * 20 + [0] * 12, []),  # a season
        ([10] * 20 + [0] * 12 + [10] * 20 + [0] * 5, [(20, 32)]),
        ([10, 0] * 20, []),
        ([0] * 12 + [10] * 8, []),  # too short a presence
    ],
)
def test_a_steady_count_that_is_away_is_told_wherever(
    counts: list[int], away: list[tuple[int, int]]
) -> None:
    assert absences(counts, [10] * len(counts)) == away


def test_where_the_source_itself_hardly_tells_nothing_is_absent() -> None:
    counts = [10] * 20 + [0] * 12 + [10] * 20
    assert absences(counts, [50] * 20 + [3] * 12 + [50] * 20) == []
    assert absences(counts, [50] * 20 + [9] * 12 + [50] * 20) == [(20, 32)]
    assert absences(counts, [0] * 52) == []


def partly(folder: Path, kept: Kept, **contract: Any) -> list[str]:
    """Return what is odd in three years of two categories at all hours, less some."""
    days = [FIRST + dt.timedelta(days=i) for i in range(DAYS)]
    told = [
        (day, "depot" if part == day.toordinal() % 8 else "tapage", 3 * part + day.day % 3)
        for day in days
        for part in range(8)
    ]
    rows = [
        fact(i, nature=what, debut=f"{day}T{hour:02}:20:00")
        for i, (day, what, hour) in enumerate(told)
        if kept(day, what, hour)
    ]
    city = copy.deepcopy(CITY) | {"period": {"start": str(days[0]), "end": str(days[-1])}}
    built = build_made_up(folder, rows, city=city, facts=FACTS | contract)
    found = [one for one in remarks.remarks(built.city, built.out) if one.source == "faits"]
    return [
        remark_words.sentence(one).replace("\u00a0", " ")
        for one in found
        if one.code in ("category_away", "hours_away", "categories_gone_by_week")
    ]


def no_depot(*years: int) -> Kept:
    return lambda day, what, _: what != "depot" or day.year not in years


def test_a_source_that_tells_all_is_not_doubted(tmp_path: Path) -> None:
    assert partly(tmp_path, lambda *_: True) == []


@pytest.mark.parametrize(
    ("years", "told"),
    [((2023,), "ne vient pas du 2 janvier 2023 au 31 décembre 2023"),
     ((2022,), "ne vient pas jusqu'au 25 décembre 2022"),
     ((2024,), "ne vient plus à la fin de la période")],
)  # fmt: skip
def test_a_category_absent_from_one_edition_is_told_with_its_dates(
    years: tuple[int, ...], told: str, tmp_path: Path
) -> None:
    (said,) = partly(tmp_path, no_depot(*years))
    assert told in said
    assert "« depot »" in said


def test_what_covers_says_is_known(tmp_path: Path) -> None:
    covers = [{"categories": ["depot"], "until": "2022-12-31"},
              {"categories": ["depot"], "from": "2024-01-01"}]  # fmt: skip
    assert partly(tmp_path, no_depot(2023), covers=covers) == []


def test_an_edition_of_the_night_alone_is_told(tmp_path: Path) -> None:
    (said,) = partly(tmp_path, lambda day, _, hour: day.year != 2023 or not 6 <= hour < 18)
    assert "aucun fait de 6 h à 18 h du 2 janvier 2023 au 31 décembre 2023" in said


def test_a_desk_that_is_never_open_at_night_is_not_told(tmp_path: Path) -> None:
    assert partly(tmp_path, lambda _, __, hour: 6 <= hour < 18) == []
