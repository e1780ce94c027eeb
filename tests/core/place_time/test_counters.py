"""Hours of counters: what is missing is never zero, what is dead is never empty."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from helpers.core.place_time import counters
from helpers.core.place_time.counters import (
    CHANGED,
    CUMULATED,
    DEAD,
    MISSING,
    NO_COUNTER,
    NOT_LIVED,
    OK,
)
from tests.fixtures import counting

START = dt.datetime(2024, 1, 31, 23)  # midnight of 1 February in Paris
FIRST = dt.date(2024, 2, 1)


def read(
    con: duckdb.DuckDBPyConnection, folder: Path, channels: list[dict[str, Any]],
    measures: list[dict[str, Any]], days: int, first: dt.date = FIRST, **told: Any,
) -> counters.Hours:  # fmt: skip
    city, rules = counting.city(first, first + dt.timedelta(days=days - 1))
    counting.no_zones(con)
    files = counting.written(folder, channels, measures)
    return counters.read(con, city, rules, files, "motorises", **told)


def test_an_hour_without_a_row_or_with_an_empty_count_is_missing_and_a_zero_is_zero(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    counts: list[float | None] = [5.0] * 24
    counts[3], counts[4] = 0.0, None
    rows = counting.hourly("R01-VL", START, counts)
    del rows[7]
    found = read(memory, tmp_path, [counting.channel("R01-VL")], rows, 1)
    assert found.flow[0, 0, 3] == 0
    assert np.isnan(found.flow[0, 0, [4, 7]]).all()
    assert found.why[0, 0, [3, 4, 7]].tolist() == [OK, MISSING, MISSING]
    assert np.isfinite(found.flow[0, 0]).sum() == 22
    assert (found.places[0].site, found.places[0].name) == ("R01", "Boulevard Michelet")


def test_a_class_of_which_one_channel_is_missing_is_missing_not_smaller(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    cars = counting.hourly("R01-VL", START, [100.0] * 24)
    lorries = counting.hourly("R01-PL", START, [10.0] * 12)
    channels = [counting.channel("R01-VL"), counting.channel("R01-PL", "TRUCK,BUS")]
    found = read(memory, tmp_path, channels, cars + lorries, 1)
    assert found.flow[0, 0, :12].tolist() == [110.0] * 12
    assert np.isnan(found.flow[0, 0, 12:]).all()


def test_a_channel_of_two_classes_counts_in_neither(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = counting.hourly("R01-VL", START, [100.0] * 24)
    rows += counting.hourly("R02-VL", START, [100.0] * 24)
    channels = [counting.channel("R01-VL"), counting.channel("R02-VL", "CAR,PEDESTRIAN")]
    assert [one.site for one in read(memory, tmp_path, channels, rows, 1).places] == ["R01"]


def test_zeros_longer_than_a_road_is_ever_empty_are_a_dead_counter(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    counts: list[float | None] = ([0.0, 0.0, 2.0, 0.0, 0.0, 8.0] + [300.0] * 18) * 21
    counts[20 * 24 + 6 :] = [0.0] * 18
    rows = counting.hourly("R01-VL", START, counts)
    found = read(memory, tmp_path, [counting.channel("R01-VL")], rows, 21)
    assert (found.why[0, :20] == OK).all(), "an empty night is an empty night"
    assert (found.why[0, 20, 6:] == DEAD).all()
    assert np.isnan(found.flow[0, 20, 6:]).all()
    shut = {("R01", FIRST + dt.timedelta(days=20))}
    told = read(memory, tmp_path, [counting.channel("R01-VL")], rows, 21, closed=shut)
    assert (told.flow[0, 20, 6:] == 0).all(), "a closed road is empty"


def test_another_machine_begins_another_era(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = counting.hourly("R01-VL", START, [100.0] * 24 * 4)
    for row in rows[48:]:
        row["counter_id"] = "another"
    found = read(memory, tmp_path, [counting.channel("R01-VL")], rows, 4)
    assert found.era[0].tolist() == [0, 0, 1, 1]
    assert (found.why[0, 2] == CHANGED).all()
    assert np.isnan(found.flow[0, 2]).all()


def test_a_channel_that_comes_later_begins_an_era_and_is_not_missing_before(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = counting.hourly("R01-VL", START, [100.0] * 24 * 3)
    rows += counting.hourly("R01-PL", START + dt.timedelta(days=1), [10.0] * 48)
    late = counting.channel("R01-PL", "TRUCK", started_at=dt.datetime(2024, 2, 1, 23))
    found = read(memory, tmp_path, [counting.channel("R01-VL"), late], rows, 3)
    assert found.flow[0, :, 12].tolist()[0::2] == [100.0, 110.0]
    assert found.era[0].tolist() == [0, 1, 1]


def test_before_it_was_laid_a_counter_is_none(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = counting.hourly("R01-VL", START + dt.timedelta(days=1), [100.0] * 24)
    laid = counting.channel("R01-VL", started_at=dt.datetime(2024, 2, 1, 23))
    found = read(memory, tmp_path, [laid], rows, 2)
    assert (found.why[0, 0] == NO_COUNTER).all()
    assert found.flow[0, 1].tolist() == [100.0] * 24, "its first day is no change"


def test_the_clock_of_spring_skips_an_hour_and_that_of_autumn_tells_one_twice(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    spring = counting.hourly("R01-VL", dt.datetime(2024, 3, 30, 23), [60.0] * 23)
    found = read(memory, tmp_path, [counting.channel("R01-VL")], spring, 1, dt.date(2024, 3, 31))
    assert found.why[0, 0, 2] == NOT_LIVED
    assert (found.why[0, 0] == OK).sum() == 23
    autumn = counting.hourly("R01-VL", dt.datetime(2024, 10, 26, 22), [60.0] * 25)
    found = read(memory, tmp_path, [counting.channel("R01-VL")], autumn, 1, dt.date(2024, 10, 27))
    assert found.flow[0, 0].tolist() == [60.0] * 24, "passages an hour, not a sum of two"


def test_quarters_of_an_hour_add_up_and_whole_days_are_no_hours(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    quarter = dt.timedelta(minutes=15)
    rows = [
        counting.measure("R01-VL", START + i * quarter, 10.0, end_datetime=None) for i in range(96)
    ]
    rows[22]["count"] = None
    del rows[17]
    rows.append(counting.measure("R02-VL", START, 900.0, end_datetime=START + 96 * quarter))
    channels = [counting.channel("R01-VL", step=900), counting.channel("R02-VL", step=86400)]
    found = read(memory, tmp_path, channels, rows, 1)
    assert found.flow[0, 0, 3] == 40
    assert np.isnan(found.flow[0, 0, 4]), "three quarters are no hour"
    assert np.isnan(found.flow[0, 0, 5]), "an empty quarter is no zero"
    assert np.isnan(found.flow[1]).all()


def test_speed_is_that_of_the_vehicles_and_of_those_who_tell_it(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    cars = [counting.measure("R01-VL", START, 30.0, average_vehicle_speed=50.0)]
    lorries = [counting.measure("R01-PL", START, 10.0, average_vehicle_speed=30.0)]
    channels = [counting.channel("R01-VL"), counting.channel("R01-PL", "TRUCK")]
    found = read(memory, tmp_path, channels, cars + lorries, 1)
    assert found.speed[0, 0, 0] == pytest.approx(45.0)
    assert np.isnan(found.speed[0, 0, 1:]).all()


@pytest.mark.parametrize("again", [None, 24], ids=["for good", "from midnight on"])
def test_a_total_that_only_rises_is_no_count_of_passages(
    again: int | None, memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rng = np.random.default_rng(5)
    usual = rng.poisson(200 * (1.1 + np.sin(np.arange(14 * 24) / 24 * 2 * np.pi))).astype(float)
    risen = usual.copy()
    for hour in range(7 * 24 + 1, 14 * 24):  # the second week
        if again is None or hour % again:
            risen[hour] += risen[hour - 1]
    rows = counting.hourly("R01-VL", START, usual) + counting.hourly("R02-VL", START, risen)
    channels = [counting.channel("R01-VL"), counting.channel("R02-VL")]
    found = read(memory, tmp_path, channels, rows, 14)
    assert set(found.why[0].ravel()) == {OK}
    assert set(found.why[1, :7].ravel()) == {OK}
    assert set(found.why[1, 7:].ravel()) == {CUMULATED}
    assert np.isnan(found.flow[1, 7:]).all()
