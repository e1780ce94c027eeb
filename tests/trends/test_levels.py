"""Silence is not zero; what doubled is told; what explains a step is taken out before labels."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from helpers.core.base import store
from helpers.core.city.city import City
from helpers.core.stage import params
from helpers.core.stats.two_windows import How, compare
from helpers.reliability import grades, silence
from helpers.trends import explained_breaks, levels, words
from helpers.trends.knobs import Knobs
from helpers.trends.weekly_series import Weeks, counted_weeks
from tests.fixtures.made_up import write_pack
from tests.fixtures.real import ROOT, Built, read_csv
from tests.fixtures.tables import nothing_late, table_of_facts

KNOBS: Knobs = params.knobs("trends", ROOT).model_copy(
    update={"window_weeks": 26, "confidence": 0.95, "minimum_count": 30}
)


def weeks_of(con: duckdb.DuckDBPyConnection, city: City) -> pa.Table:
    days, _ = silence.find(con, city, params.knobs("reliability"))
    return grades.weeks(con, city, days)


def knobs(window: int) -> Knobs:
    return KNOBS.model_copy(update={"window_weeks": window})


@pytest.mark.parametrize(
    ("moves", "ratio", "label"),
    [
        (True, (1.2, 1.1, 1.3), "up"),
        (True, (0.8, 0.7, 0.9), "down"),
        (False, (1.01, 0.95, 1.08), "stable"),
        (False, (1.01, 0.85, 1.2), "unclear"),
        (False, (1.3, 0.95, 1.8), "unclear"),
    ],
)
def test_stable_is_proven_and_unclear_is_not(
    moves: bool, ratio: tuple[float, float, float], label: str
) -> None:
    assert levels.label(moves, ratio, 0.1) == label


def test_silent_weeks_count_neither_as_zero_nor_at_all() -> None:
    counts = np.array(
        [[10.0] * 52, [10.0] * 26 + [0.0] * 12 + [10.0] * 14, [10.0] * 26 + [0] * 12 + [10] * 14]
    )
    exposure = np.ones((3, 52))
    exposure[1, 26:38] = 0
    ratio = compare(counts, exposure, How(26, 0.95, 30, 0.9), np.zeros(3)).ratio(0.95)[0]
    # Were silence zero, the second would be a fall by nearly half, as the third is.
    assert ratio == pytest.approx([1.0, 1.0, 14 / 26])


# --- From the cube ---------------------------------------------------------------------------


def trends_breaks_none() -> pa.Table:
    return explained_breaks.BREAKS.empty_table()


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12))


def reliability_tables(con: duckdb.DuckDBPyConnection, silent: list[dt.date]) -> None:
    """Make what `reliability` tells: silent weeks of the whole city, nothing late."""
    con.execute(
        "CREATE OR REPLACE TABLE weeks (source VARCHAR, week DATE, n BIGINT, status VARCHAR, "
        "missing_days BIGINT)"
    )
    nothing_late(con)
    for day in silent:
        con.execute("INSERT INTO weeks VALUES ('faits', ?, 0, 'missing', 7)", [day])


def reader(con: duckdb.DuckDBPyConnection, city: City, window: int) -> Weeks:
    return Weeks(con, city, window, 0.9)


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
    reliability_tables(memory, [third])
    series = counted_weeks(memory, city, "bruit", "carres")
    assert [m for m, _ in series["ville"]][:3] == [first, second, third]
    assert len(series["ville"]) == 52
    assert [n for _, n in series["ville"]][:4] == [5, 5, None, 0]
    assert [n for _, n in series["A"]][:4] == [5, 0, None, 0]
    assert [n for _, n in series["B"]][:4] == [0, 2, None, 0]
    memory.execute("CREATE TABLE zones (division VARCHAR, code VARCHAR)")
    weekly = levels.weekly(reader(memory, city, 26), 0.95).to_pylist()
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
    nothing_late(con)
    con.register("weeks", weeks_of(con, denver.city))
    return con


def test_denvers_gap_is_missing_in_every_series(
    denver: Built, denver_views: duckdb.DuckDBPyConnection
) -> None:
    series = counted_weeks(denver_views, denver.city, "vols", "neighborhoods")
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
    table = levels.levels(reader(denver_views, denver.city, 20), knobs(20))
    row = next(r for r in table.to_pylist() if (r["theme"], r["zone"]) == ("cambriolages", "ville"))
    assert {k: row[k] for k in expected} == expected
    assert row["step"] == "week"


def test_every_zone_has_a_row_even_without_facts(
    denver: Built, denver_views: duckdb.DuckDBPyConnection
) -> None:
    table = levels.levels(reader(denver_views, denver.city, 20), knobs(20))
    zones = Counter(row["theme"] for row in table.to_pylist())
    assert set(zones) == set(denver.city.themes)
    assert set(zones.values()) == {79}
    for row in table.to_pylist():
        assert (row["status"] == "ok") == (row["level"] is not None) == (row["p"] is not None)
        assert (row["status"] == "ok") == (row["label"] != "abstained")
        assert (row["status"] == "ok") == (row["reason"] == "")


def test_yearly_themes_compare_the_last_year_with_the_one_before(
    open_marseille: Built, shared: Path
) -> None:
    con = store.connect()
    for name in ("cube", "observations", "zones"):
        store.view(con, name, open_marseille.out / f"{name}.parquet")
    nothing_late(con)
    con.register("weeks", weeks_of(con, open_marseille.city))
    table = levels.levels(reader(con, open_marseille.city, 52), knobs(52)).to_pylist()
    plain: Counter[tuple[str, int]] = Counter()
    for row in read_csv(shared / "marseille/faits_par_service_2012_2020.csv"):
        if row["code_index"] in {"27", "28", "29", "30"} and row["faits"]:
            plain[row["service"], int(row["annee"])] += int(row["faits"])
    services = ("DSP MARSEILLE CENTRE", "DSP MARSEILLE NORD", "DSP MARSEILLE SUD")
    rows = {r["zone"]: r for r in table if r["theme"] == "cambriolages"}
    assert set(rows) == {"ville", *services}
    for zone in services:
        assert rows[zone]["step"] == "year"
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
    reliability_tables(memory, [])
    memory.execute("CREATE TABLE zones (division VARCHAR, code VARCHAR)")
    table = levels.levels(reader(memory, city, 26), KNOBS)
    assert {row["reason"] for row in table.to_pylist()} == {"", "too_few"}
    told = words.in_words(
        table, trends_breaks_none(), {"bruit": "à savoir"}, city, KNOBS, doubted=["bruit"]
    )
    assert "**Bruit** : en hausse en apparence, +100,0" in told
    assert "Attention : à savoir." in told
    assert "**Dépôts** : abstention (moins de 30 faits)" in told
