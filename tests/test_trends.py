"""Silence is not zero; what doubled is told; chance is seldom taken for a change."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from helpers import reliability, store, trends
from tests.conftest import Built, read_csv, table_of_facts, write_pack


def compare(counts: list[int | None], window: int = 26, minimum: int = 30) -> dict[str, Any]:
    return trends.compare(counts, window, 0.95, minimum)


def shares(labels: list[str]) -> dict[str, float]:
    return {name: n / len(labels) for name, n in Counter(labels).items()}


def drawn(rng: np.random.Generator, mean: float, weeks: int) -> list[int | None]:
    return [int(n) for n in rng.poisson(mean, weeks)]


def test_what_doubled_is_up_and_what_halved_is_down() -> None:
    rng = np.random.default_rng(1)
    for factor, label in ((2.0, "up"), (0.5, "down")):
        labels = [
            compare(drawn(rng, 10, 26) + drawn(rng, 10 * factor, 26))["label"] for _ in range(200)
        ]
        assert shares(labels)[label] > 0.99


@pytest.mark.parametrize("mean", [2, 10, 60])
def test_chance_is_taken_for_a_change_at_most_as_often_as_said(mean: float) -> None:
    rng = np.random.default_rng(int(mean))
    runs = 1000
    labels = [compare(drawn(rng, mean, 52))["label"] for _ in range(runs)]
    found = shares(labels)
    wrong = found.get("up", 0) + found.get("down", 0)
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert found["stable"] >= 0.9


def test_clumped_weeks_are_not_taken_for_a_change() -> None:
    """Variance five times the mean: a plain Poisson test would cry about one time in three."""
    rng = np.random.default_rng(5)
    labels = [
        compare([int(n) for n in rng.negative_binomial(5, 0.2, 52)])["label"] for _ in range(500)
    ]
    found = shares(labels)
    assert found.get("up", 0) + found.get("down", 0) < 0.09


def test_silent_weeks_count_neither_as_zero_nor_at_all() -> None:
    whole = compare([10] * 52)
    half = compare([10] * 26 + [None] * 12 + [10] * 14)
    assert (whole["ratio"], half["ratio"]) == (1.0, 1.0)
    assert half["recent"] == 140
    assert half["label"] == "stable"
    # Were silence zero, this would be a fall by nearly half.
    assert compare([10] * 26 + [0] * 12 + [10] * 14)["ratio"] == pytest.approx(14 / 26, abs=1e-6)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ([10] * 51, "passé"),
        ([], "passé"),
        ([10] * 26 + [None] * 14 + [10] * 12, "muette"),
        ([None] * 14 + [10] * 38, "muette"),
        ([None] * 52, "muette"),
        ([1] * 52, "moins de 30"),
        ([10] * 26 + [0] * 26, "moins de 30"),
    ],
)
def test_abstention_says_why_and_gives_no_ratio(counts: list[int | None], reason: str) -> None:
    found = compare(counts)
    assert (found["status"], found["label"], found["ratio"]) == ("abstained", "abstained", None)
    assert reason in found["reason"]
    assert found["low"] is None
    assert found["high"] is None


def test_only_the_last_two_windows_count() -> None:
    found = compare([1000] * 30 + [5] * 26 + [10] * 26)
    assert (found["before"], found["recent"], found["ratio"]) == (130, 260, 2.0)


# --- From the cube ---------------------------------------------------------------------------


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12))


def weeks_table(con: duckdb.DuckDBPyConnection, silent: list[dt.date]) -> None:
    con.execute("CREATE OR REPLACE TABLE weeks (source VARCHAR, week DATE, n BIGINT, status TEXT)")
    for day in silent:
        con.execute("INSERT INTO weeks VALUES ('faits', ?, 0, 'missing')", [day])


def test_weeks_of_the_cube_are_counted_zone_by_zone(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    city = write_pack(tmp_path)
    first = dt.date(2024, 1, 1)  # a Monday
    second, third = first + dt.timedelta(7), first + dt.timedelta(14)
    table_of_facts(
        memory,
        [
            {"hour": noon(first), "n": 4},
            {"hour": dt.datetime(2024, 1, 7, 23), "n": 1},
            {"hour": noon(second), "zone_carres": "B", "n": 2},
            {"hour": noon(second), "zone_carres": "no_place", "n": 3},
            {"hour": noon(third), "zone_carres": "outside", "n": 1},
            {"hour": noon(second), "theme": "depots", "n": 50},
            {"hour": noon(second), "time_precision": "year", "n": 50},
            {"hour": dt.datetime(2024, 12, 31, 12), "n": 8},  # its week runs into 2025
        ],
    )
    weeks_table(memory, [third])
    series = trends.counted_weeks(memory, city, "bruit", "carres")
    assert [m for m, _ in series["ville"]][:3] == [first, second, third]
    assert len(series["ville"]) == 52
    assert [n for _, n in series["ville"]][:4] == [5, 5, None, 0]
    assert [n for _, n in series["A"]][:4] == [5, 0, None, 0]
    assert [n for _, n in series["B"]][:4] == [0, 2, None, 0]
    weekly = trends.weekly(memory, city, 0.95).to_pylist()
    rows = [row for row in weekly if row["theme"] == "bruit"]
    assert [(row["n"], row["status"]) for row in rows[:4]] == [
        (5, "ok"), (5, "ok"), (None, "missing"), (0, "ok"),
    ]  # fmt: skip
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx((1.6235, 11.6683), abs=1e-4)
    assert (rows[2]["low"], rows[2]["high"]) == (None, None)
    assert rows[3]["high"] == pytest.approx(3.6889, abs=1e-4)


@pytest.fixture(scope="module")
def denver_views(denver: Built) -> duckdb.DuckDBPyConnection:
    con = store.connect()
    for name in ("cube", "observations", "zones"):
        store.view(con, name, denver.out / f"{name}.parquet")
    con.register("weeks", reliability.weeks(con, denver.city, 0.1))
    return con


def test_denvers_gap_is_missing_in_every_series(
    denver: Built, denver_views: duckdb.DuckDBPyConnection
) -> None:
    series = trends.counted_weeks(denver_views, denver.city, "vols", "neighborhoods")
    inside = (dt.date(2018, 8, 13), dt.date(2018, 10, 29))
    for found in series.values():
        gap = [n for monday, n in found if inside[0] <= monday <= inside[1]]
        assert gap == [None] * 12
    assert sum(n is not None for _, n in series["ville"]) >= 45


def test_denvers_levels_are_the_same_counts_as_plain_python(
    denver: Built, denver_views: duckdb.DuckDBPyConnection, shared: Path
) -> None:
    """Burglaries of the last 20 full weeks against the 20 before, gap left out."""
    weeks: Counter[dt.date] = Counter()
    heard: Counter[dt.date] = Counter()
    for row in read_csv(shared / "denver/crime.csv.gz"):
        day = dt.datetime.strptime(row["FIRST_OCCURRENCE_DATE"].split()[0], "%m/%d/%Y").date()
        monday = day - dt.timedelta(day.weekday())
        heard[monday] += 1
        weeks[monday] += row["OFFENSE_CATEGORY_ID"] == "burglary"
    last = dt.date(2019, 6, 10)  # the period ends on Monday 17 June 2019
    mondays = [last - dt.timedelta(weeks=i) for i in range(40)]
    told = denver_views.execute("SELECT week FROM weeks WHERE source = 'crime' AND status = 'ok'")
    audible = {row[0] for row in told.fetchall()}
    normal = float(np.median(list(heard.values())))
    assert all(heard[monday] > 0.1 * normal for monday in audible)
    expected = {
        "recent": sum(weeks[m] for m in mondays[:20] if m in audible),
        "before": sum(weeks[m] for m in mondays[20:] if m in audible),
    }
    table = trends.levels(denver_views, denver.city, 20, 0.95, 30)
    row = next(r for r in table.to_pylist() if (r["theme"], r["zone"]) == ("cambriolages", "ville"))
    assert {k: row[k] for k in expected} == expected
    assert row["step"] == "semaine"


def test_every_zone_has_a_row_even_without_facts(
    denver: Built, denver_views: duckdb.DuckDBPyConnection
) -> None:
    table = trends.levels(denver_views, denver.city, 20, 0.95, 30)
    zones = Counter(row["theme"] for row in table.to_pylist())
    assert set(zones) == set(denver.city.themes)
    assert set(zones.values()) == {79}
    for row in table.to_pylist():
        assert (row["status"] == "ok") == (row["ratio"] is not None)
        assert (row["status"] == "ok") == (row["reason"] == "")


def test_yearly_themes_compare_the_last_year_with_the_one_before(
    open_marseille: Built, shared: Path
) -> None:
    con = store.connect()
    for name in ("cube", "observations", "zones"):
        store.view(con, name, open_marseille.out / f"{name}.parquet")
    con.register("weeks", reliability.weeks(con, open_marseille.city, 0.1))
    table = trends.levels(con, open_marseille.city, 52, 0.95, 30).to_pylist()
    plain: Counter[tuple[str, int]] = Counter()
    for row in read_csv(shared / "marseille/faits_par_service_2012_2020.csv"):
        if row["code_index"] in {"27", "28", "29", "30"} and row["faits"]:
            plain[row["service"], int(row["annee"])] += int(row["faits"])
    services = ("DSP MARSEILLE CENTRE", "DSP MARSEILLE NORD", "DSP MARSEILLE SUD")
    rows = {r["zone"]: r for r in table if r["theme"] == "cambriolages"}
    assert set(rows) == {"ville", *services}
    for zone in services:
        assert rows[zone]["step"] == "an"
        assert rows[zone]["recent"] == plain[zone, 2020]
        assert rows[zone]["before"] == plain[zone, 2019]
        assert rows[zone]["ratio"] == pytest.approx(plain[zone, 2020] / plain[zone, 2019], abs=1e-6)
    assert rows["ville"]["recent"] == sum(plain[zone, 2020] for zone in services)


def test_words_tell_label_change_and_abstention(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    city = write_pack(tmp_path)
    start = dt.date(2024, 1, 1)
    rows = [
        {"hour": noon(start + dt.timedelta(weeks=i)), "n": 20 if i >= 26 else 10} for i in range(52)
    ]
    table_of_facts(memory, [*rows, {"hour": noon(start), "theme": "depots", "n": 1}])
    weeks_table(memory, [])
    memory.execute("CREATE TABLE zones (division VARCHAR, code VARCHAR)")
    table = trends.levels(memory, city, 26, 0.95, 30)
    told = trends.in_words(table, city)
    assert "**Bruit** : en hausse, +100,0" in told
    assert "**Dépôts** : abstention (moins de 30 faits)" in told
