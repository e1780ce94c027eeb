"""School and public holidays of the days to come, as the national calendar was published."""

from __future__ import annotations

import datetime as dt

import pytest

from helpers.core.city.city import City
from helpers.events import dates_words
from tests.fixtures.simulated import PACK

SCHOOL = "Vacances scolaires (zone B)"


@pytest.fixture
def city() -> City:
    return City(PACK)


def until(city: City, day: dt.date) -> City:
    city.about.__dict__["period"] = city.about.period.model_copy(update={"end": day})
    return city


@pytest.mark.parametrize(
    ("end", "days", "lines"),
    [
        # The school calendar 2025–2026 of zone B: Christmas from 20 December to 5 January,
        # when classes begin again; winter from 14 February to 2 March.
        (dt.date(2025, 12, 31), 42, [
            f"- {SCHOOL} : du samedi 20 décembre 2025 au dimanche 4 janvier 2026.",
            "- Jour férié : jeudi 1er janvier 2026."]),
        (dt.date(2026, 2, 1), 42, [
            f"- {SCHOOL} : du samedi 14 février 2026 au dimanche 1er mars 2026."]),
        (dt.date(2026, 3, 2), 14, []),
    ],
)  # fmt: skip
def test_holidays_are_those_of_the_published_calendar(
    city: City, end: dt.date, days: int, lines: list[str]
) -> None:
    said = dates_words.coming(until(city, end), days).replace("\xa0", " ")
    assert said.split() == "\n\n".join(["", *lines]).split()


def test_what_nobody_has_published_yet_is_said_unknown(city: City) -> None:
    said = dates_words.coming(until(city, dt.date(2029, 1, 1)), 42)
    assert "inconnues après le 31 août 2028" in said.replace("\xa0", " ")
