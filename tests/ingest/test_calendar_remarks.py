"""Holidays left as the template has them, and days of which no school holiday is known."""

from __future__ import annotations

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from vacances_scolaires_france import SchoolHolidayDates

from helpers.core.city import remark
from helpers.core.place_time import calendar
from helpers.core.stage import remark_words
from helpers.ingest import remarks
from tests.fixtures import made_up
from tests.fixtures.made_up import build_made_up, fact


def codes(folder: Path, **changes: Any) -> dict[str, str]:
    """Return code → sentence of the remarks of the made-up city, with these changes."""
    city = copy.deepcopy(made_up.CITY) | changes
    built = build_made_up(folder, [fact(1)], city=city)
    return {one.code: remark_words.sentence(one) for one in remarks.remarks(built.city, built.out)}


@pytest.mark.parametrize(
    ("timezone", "country", "told"),
    [("Europe/Madrid", "FR", True), ("Europe/Madrid", "ES", False), ("Europe/Paris", "FR", False),
     ("Indian/Reunion", "FR", False)],
)  # fmt: skip
def test_holidays_of_france_elsewhere_are_told(
    timezone: str, country: str, told: bool, tmp_path: Path
) -> None:
    said = codes(tmp_path, timezone=timezone, holidays={"country": country})
    assert (remark.HOLIDAYS_OF_FRANCE in said) is told
    if told:
        assert "« holidays » de city.yaml" in said[remark.HOLIDAYS_OF_FRANCE]
        assert timezone in said[remark.HOLIDAYS_OF_FRANCE]


def test_days_beyond_the_known_school_holidays_are_counted(tmp_path: Path) -> None:
    holidays = {"country": "FR", "school_zone": "B"}
    beyond = {"start": "2024-01-01", "end": "2029-01-31"}
    said = codes(tmp_path / "a", holidays=holidays, period=beyond)[remark.SCHOOL_YEARS]
    # September to December 2028, and January 2029.
    assert said.endswith("(153\u00a0jours de la période)")
    assert remark.SCHOOL_YEARS not in codes(tmp_path / "b", holidays=holidays)


def test_the_days_known_are_those_of_the_package() -> None:
    days = SchoolHolidayDates()
    every = [day for year in (1990, 2028) for day in days.holidays_for_year(year)]
    assert (min(every), max(every)) == calendar.SCHOOL_KNOWN
    about = made_up.CITY["holidays"] | {"school_zone": "B"}
    asked = calendar.Holidays(**about)
    kinds = calendar.day_kinds(asked, dt.date(2029, 7, 17), dt.date(2029, 7, 18))
    assert set(kinds.values()) == {calendar.WORKING}
