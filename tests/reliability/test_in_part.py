"""A real file that brings whole days and days of next to nothing: Denver's sample."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.core.base import store
from helpers.core.city import remark
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.stage import params, remark_words
from helpers.ingest import remarks
from helpers.reliability import extraordinary, in_part, silence, silence_words
from tests.fixtures.real import ROOT, Built

KNOBS = params.knobs("reliability", ROOT)
Heard = tuple[Any, City, Any, Any]


@pytest.fixture(scope="module")
def heard(denver: Built) -> Heard:
    con = store.connect()
    store.view(con, "observations", denver.out / "observations.parquet")
    city = City(denver.city.pack)
    days, series = silence.find(con, city, KNOBS)
    return con, city, days, series


def test_denvers_days_in_part_bring_less_than_half_of_the_days_around(heard: Heard) -> None:
    _, city, days, series = heard
    partly = in_part.days(days, "crime")
    rows = [row for row in days.to_pylist() if row["division"] == WHOLE and row["status"] == "ok"]
    little = [row["n"] for row in rows if row["day"] in partly]
    whole = sorted(row["n"] for row in rows if row["day"] not in partly)
    assert len(little) > 90
    assert max(little) < 130
    assert whole[len(whole) // 2] > 150
    said = silence_words.silences(days, series, {"crime": "Denver"}, city, {})
    assert "peut-être à demi reçus, entre le " in said


def test_a_whole_day_among_them_is_not_extraordinary(heard: Heard) -> None:
    """Before: 61 accidents « instead of 7 » on an ordinary Monday."""
    con, city, days, _ = heard
    assert extraordinary.find(con, city, days).num_rows == 0


def test_who_knows_the_source_may_say_that_they_are_quiet_days(heard: Heard) -> None:
    _, city, days, _ = heard
    contract = city.contracts["crime"]
    assert contract.observation is not None
    quiet = contract.observation.model_copy(update={"quiet_days": True})
    told = City(city.pack)
    told.contracts["crime"] = contract.model_copy(update={"observation": quiet})
    reasons = [None if one == in_part.IN_PART else one for one in days["reason"].to_pylist()]
    plain = days.set_column(days.schema.get_field_index("reason"), "reason", [reasons])
    assert in_part.days(in_part.marked(plain, told), "crime") == set()
    assert in_part.days(in_part.marked(plain, city), "crime")


def test_every_report_says_it(denver: Built) -> None:
    found = [one for one in remarks.remarks(denver.city, denver.out) if one.code == remark.IN_PART]
    assert [one.source for one in found] == ["crime"]
    said = remark_words.sentence(found[0]).replace("\u00a0", " ")
    assert f"{found[0].n} jours sur 533 n'apportent presque rien" in said
    assert "`quiet_days: true`" in said
