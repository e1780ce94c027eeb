"""What is usual: the same days of the week, the same season, periods that were heard."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.core.city.names import WHOLE
from helpers.core.stage import params
from helpers.core.stats import two_windows
from helpers.situation import expected, grades, held, words
from helpers.situation import levels as situation_levels
from helpers.situation.held import Held
from helpers.situation.knobs import Knobs
from helpers.trends import levels as trends_levels
from helpers.trends import words as trends_words
from tests.fixtures.made_up import write_pack
from tests.fixtures.real import ROOT
from tests.fixtures.tables import table_of_facts

END = dt.date(2024, 12, 31)
KNOBS: Knobs = params.knobs("situation", ROOT).model_copy(
    update={"reference_periods": 8, "minimum_references": 2, "confidence": 0.95}
)
PERIODS = st.sampled_from([1, 2, 7, 10, 28, 30, 90, 200, 365])
Window = tuple[dt.date, dt.date]


@given(PERIODS, st.integers(1, 12), st.integers(0, 5000), st.dates(dt.date(2020, 1, 1), END))
@example(365, 8, 5000, END)
@example(28, 8, 1095, END)
@example(200, 8, 5000, END)
def test_reference_windows_are_comparable_and_do_not_overlap(
    days: int, count: int, past: int, end: dt.date
) -> None:
    """As long as the period, before it, in the data, each day once; whole weeks or years away."""
    earliest = end - dt.timedelta(past)
    first = end - dt.timedelta(days - 1)
    found = situation_levels.reference_windows(end, days, count, earliest)
    seen: set[dt.date] = set()
    for start, after in found:
        assert (after - start).days == days
        last = after - dt.timedelta(1)
        same_date = (last.month, last.day) in {(end.month, end.day), (2, 28)}
        assert same_date if days >= 365 else (first - start).days % 7 == 0
        assert earliest <= start
        assert after <= first
        held = {start + dt.timedelta(i) for i in range(days)}
        assert not held & seen, "des références qui se chevauchent comptent deux fois"
        seen |= held


@pytest.mark.parametrize(("first_year", "count"), [(2018, 6), (2020, 4), (2021, 3)])
def test_a_year_stands_beside_every_past_year(first_year: int, count: int) -> None:
    """Four whole past years give four references: none is skipped, none cut."""
    found = situation_levels.reference_windows(END, 365, 8, dt.date(first_year, 1, 1))
    assert [after for _, after in found] == [dt.date(2024 - i, 1, 1) for i in range(count)]


def test_with_a_short_past_the_windows_just_before_serve() -> None:
    found = situation_levels.reference_windows(END, 7, 8, END - dt.timedelta(70))
    starts = [start for start, _ in found]
    assert starts == [END - dt.timedelta(6 + 7 * i) for i in range(1, 9)]


def test_without_past_there_is_nothing_to_compare_with() -> None:
    assert situation_levels.reference_windows(END, 28, 8, END - dt.timedelta(20)) == []


def made(counts: np.ndarray, first: dt.date, **more: Any) -> Held:
    """Return counts (zones, days) as `held.read` would, the calendar as it finds it."""
    width = counts.shape[1]
    ones, none = np.ones(width), np.zeros(width, dtype=bool)
    told = held.calendar(grades.FRANCE, first, counts[0], ones)
    zones = [WHOLE, *"ABCD"[: len(counts) - 1]]
    whole: dict[str, Any] = {
        "first": first, "zones": zones, "counts": counts, "exposure": told.factor,
        "calendar": told, "share_in": ones, "heard": ~none, "aside": none, "steps": [],
        "unknown": 0, "uncovered": none,
    }  # fmt: skip
    return Held(**whole | more)


@pytest.mark.parametrize("world", list(grades.WORLDS))
def test_false_levels_are_no_more_frequent_than_said(world: str) -> None:
    """Nothing changes: season, weeks that drag on, years that sway. A seed of its own."""
    for one in grades.false_levels(grades.WORLDS[world], KNOBS, 14, 120):
        assert one.observed <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / one.tried), one


def test_a_year_like_no_other_is_told_and_a_trend_that_goes_on_is_usual() -> None:
    """Eight years that rise by a tenth: the ninth is expected on their slope, not on their mean."""
    n = np.array([[1800.0, 1700, 1600, 1500, 1400, 1300, 1200, 1100]])
    found = expected.by_references(n, np.ones(8), 1.0, 0.95, years=True)
    assert found.value[0] == pytest.approx(1900)
    assert found.low[0] <= 1900 <= found.high[0] < 2100
    flat = expected.by_references(np.full((1, 8), 1000.0), np.ones(8), 1.0, 0.95, years=True)
    assert 1050 < flat.high[0] < 1150


def test_references_heard_in_part_are_held_against_what_was_heard() -> None:
    """Half of the year was heard, half of its facts came: the rate is the same."""
    found = expected.by_references(np.array([[500.0, 1000, 1000]]), np.array([0.5, 1, 1]), 1, 0.95)
    assert found.value[0] == pytest.approx(1000)


def test_season_is_no_rise() -> None:
    """Summers bring twice as much as winters: a July is held against what Julys bring."""
    first, end = dt.date(2020, 8, 1), dt.date(2024, 7, 31)
    days = np.arange((end - first).days + 1)
    mean = 20 * np.exp(0.35 * np.cos(2 * np.pi * (days + 17) / 365.25))
    counts = np.random.default_rng(4).poisson(mean, (1, len(days))).astype(float)
    found = situation_levels.expect(made(counts, first), 28, KNOBS)
    assert found is not None
    assert found.value[0] == pytest.approx(mean[-28:].sum(), rel=0.05)
    assert found.low[0] <= counts[0, -28:].sum() <= found.high[0]
    assert counts[0, -28:].sum() > 1.2 * counts[0].mean() * 28


def test_a_real_rise_is_told_in_every_period() -> None:
    rng = np.random.default_rng(9)
    first = dt.date(2020, 1, 1)
    for days, more in ((7, 1.6), (28, 1.3), (365, 1.3)):
        counts = rng.poisson(20, (1, 1827)).astype(float)
        counts[0, -days:] = rng.poisson(20 * more, days)
        found = situation_levels.expect(made(counts, first), days, KNOBS)
        assert found is not None
        assert counts[0, -days:].sum() > found.high[0], days


def test_a_change_of_recording_that_was_measured_is_no_rise() -> None:
    """The tool records a fifth more from October of the year before: corrected, nothing moves."""
    rng = np.random.default_rng(3)
    first, width = dt.date(2020, 1, 1), 1827
    at = width - 457
    counts = rng.poisson(30 * np.where(np.arange(width) < at, 1.0, 1.2), (1, width)).astype(float)
    recorded = np.where(np.arange(width) < at, 1 / 1.2, 1.0)
    plain = made(counts, first)
    right = made(counts, first, exposure=recorded, steps=[held.Step(at, 0.01, "Outil")])
    n = counts[0, -365:].sum()
    said = [situation_levels.expect(one, 365, KNOBS) for one in (plain, right)]
    assert all(said)
    assert n > said[0].value[0] * 1.1
    assert n == pytest.approx(said[1].value[0], rel=0.03)


def test_days_aside_are_no_reference() -> None:
    """A riot a year ago: with it the week expects more, without it as much as ever."""
    first, width = dt.date(2020, 1, 1), 1827
    counts = np.full((1, width), 10.0)
    counts[0, -200] = 3000
    aside = np.arange(width) == width - 200
    found = [
        situation_levels.expect(made(counts, first, exposure=np.ones(width), aside=one), 7, KNOBS)
        for one in (aside, ~aside & False)
    ]
    assert found[0].value[0] == pytest.approx(70)
    assert found[1].value[0] > 100


def test_a_past_that_was_not_covered_is_no_reference() -> None:
    """A source that began half-way through its past: too few years, nothing is said."""
    first, width = dt.date(2020, 1, 1), 1827
    counts = np.full((1, width), 10.0)
    counts[0, :900] = 0
    heard = np.arange(width) >= 900
    assert situation_levels.expect(made(counts, first, heard=heard), 365, KNOBS) is None
    assert situation_levels.expect(made(counts, first), 365, KNOBS) is not None


@given(st.lists(st.integers(900, 1100), min_size=3, max_size=8), st.floats(0.5, 2))
def test_a_year_is_never_said_above_beside_a_stable_or_falling_trend(
    years: list[int], ratio: float
) -> None:
    """`trends` says stable within a tenth of the year before; whatever the other years."""
    n = round(years[0] * ratio)
    found = expected.by_references(
        np.array([years], dtype=float), np.ones(len(years)), 1.0, 0.95, years=True
    )
    found = expected.never_against(found, np.array([years[0]]), KNOBS.stable_margin)
    if ratio <= 1.1:
        assert n <= found.high[0]
    if ratio >= 1 / 1.1:
        assert n >= found.low[0]


@pytest.mark.parametrize("seed", range(40))
def test_the_year_is_never_told_against_the_sense_of_trends(seed: int) -> None:
    """Words of the one beside words of the other, on the same made-up facts, whatever they do."""
    rng = np.random.default_rng([22, seed])
    first, width = dt.date(2020, 1, 6), 1820  # Monday; 260 weeks
    years = np.exp(rng.normal(0, rng.choice([0.0, 0.05, 0.2]), 5))
    mean = np.repeat(years, 364) * rng.choice([5, 50, 300])
    series = made(rng.poisson(mean, (1, width)).astype(float), first)
    found = situation_levels.expect(series, 365, KNOBS)
    assert found is not None
    n = series.counts[0, -365:].sum()
    level = "above" if n > found.high[0] else "below" if n < found.low[0] else "usual"
    weekly = series.counts.reshape(1, 260, 7).sum(axis=2)
    how = two_windows.How(52, 0.95, 30, 0.9)
    trend = two_windows.compare(weekly, np.ones((1, 260)), how, np.zeros(1))
    told = tuple(float(value[0]) for value in trend.ratio(0.95))
    said = trends_levels.label(float(trend.p()[0]) <= 0.05, told, 0.1)
    pair = (words.LEVELS[level], trends_words.LABELS[said])
    against = {("above", "down"), ("above", "stable"), ("below", "up"), ("below", "stable")}
    assert pair not in {(words.LEVELS[a], trends_words.LABELS[b]) for a, b in against}


# --- From the cube ---------------------------------------------------------------------------


def days_table(con: duckdb.DuckDBPyConnection, *weeks: dt.date, day: dt.date | None = None) -> None:
    """Make table `days`: the source is mute for these weeks (Mondays), or on one day."""
    con.execute(
        "CREATE OR REPLACE TABLE days (source VARCHAR, division VARCHAR, zone VARCHAR, day DATE, "
        "status VARCHAR, reason VARCHAR)"
    )
    silent = [monday + dt.timedelta(i) for monday in weeks for i in range(7)]
    rows = [("autre", WHOLE, "ville", dt.date(2024, 12, 23), "missing"),
            ("faits", "carres", "A", dt.date(2024, 12, 24), "missing"),
            ("faits", WHOLE, "ville", dt.date(2024, 12, 16), "ok")]  # fmt: skip
    rows += [
        ("faits", WHOLE, "ville", one, "missing") for one in [*silent, *([day] if day else [])]
    ]
    con.executemany("INSERT INTO days VALUES (?, ?, ?, ?, ?, '')", rows)
    con.execute("CREATE OR REPLACE TABLE delays (source VARCHAR, days BIGINT, in_hand DOUBLE)")
    con.execute("CREATE OR REPLACE TABLE extraordinary (day DATE, theme VARCHAR, zone VARCHAR)")
    con.execute(
        "CREATE OR REPLACE TABLE recorded (source VARCHAR, milestone VARCHAR, start DATE, "
        "ratio DOUBLE, low DOUBLE, high DOUBLE, status VARCHAR)"
    )
    con.execute(
        "CREATE OR REPLACE TABLE breaks (theme VARCHAR, week DATE, "
        "explanations STRUCT(kind VARCHAR, code VARCHAR, other VARCHAR)[])"
    )


def zones_table(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE OR REPLACE TABLE zones (division VARCHAR, code VARCHAR, name VARCHAR)")
    for code in "ABCD":
        con.execute("INSERT INTO zones VALUES ('carres', ?, ?)", [code, f"Carré {code}"])


def daily(zone: str, n: int, first: dt.date, days: int) -> list[dict[str, Any]]:
    noon = dt.time(12)
    return [
        {
            "hour": dt.datetime.combine(first + dt.timedelta(i), noon),
            "zone_carres": zone,
            "n": n,
        }
        for i in range(days)
    ]


@pytest.fixture
def quiet_city(memory: duckdb.DuckDBPyConnection, tmp_path: Path) -> Any:
    """Two facts a day in A, ten in B; B doubles in the last week; one a day without place."""
    start = dt.date(2024, 10, 1)
    rows = daily("A", 2, start, 92) + daily("B", 10, start, 92)
    rows += daily("B", 10, dt.date(2024, 12, 25), 7) + daily("no_place", 1, start, 92)
    table_of_facts(memory, rows)
    zones_table(memory)
    pack = tmp_path / "ville"
    city = write_pack(pack)
    city.about = city.about.model_copy(
        update={"period": city.about.period.model_copy(update={"start": start, "end": END})}
    )
    return city


def by_zone(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["zone"]: row for row in rows}


def test_zone_that_doubled_is_told_and_the_others_are_usual(
    memory: duckdb.DuckDBPyConnection, quiet_city: Any
) -> None:
    days_table(memory)
    rows = by_zone(situation_levels.assess(memory, quiet_city, "bruit", "carres", 7, KNOBS))
    assert set(rows) == {"ville", "A", "B", "C", "D"}
    assert (rows["A"]["n"], rows["A"]["level"], rows["A"]["expected"]) == (14, "usual", 14)
    assert (rows["B"]["n"], rows["B"]["level"], rows["B"]["expected"]) == (140, "above", 70)
    assert (rows["C"]["n"], rows["C"]["level"]) == (0, "usual")
    # The city counts what has no place too.
    assert (rows["ville"]["n"], rows["ville"]["expected"]) == (161, 91)
    assert rows["ville"]["remarks"] == []
    assert {row["references"] for row in rows.values()} == {8}


def test_silent_weeks_are_no_reference(memory: duckdb.DuckDBPyConnection, quiet_city: Any) -> None:
    memory.execute("DELETE FROM cube WHERE hour >= '2024-11-25' AND hour < '2024-12-09'")
    days_table(memory, dt.date(2024, 11, 25), dt.date(2024, 12, 2))
    rows = by_zone(situation_levels.assess(memory, quiet_city, "bruit", "carres", 7, KNOBS))
    assert rows["A"]["expected"] == 14
    assert rows["A"]["references"] == 5  # the silent fortnight touches three windows


def test_days_received_in_part_compare_with_nothing(
    memory: duckdb.DuckDBPyConnection, quiet_city: Any
) -> None:
    days_table(memory)
    memory.execute(
        "INSERT INTO days VALUES ('faits', 'ville', 'ville', '2024-10-08', 'ok', 'in_part')"
    )
    for row in situation_levels.assess(memory, quiet_city, "bruit", "carres", 7, KNOBS):
        assert (row["status"], row["reason"]) == ("abstained", "in_part")
        assert row["n"] is not None
        assert row["expected"] is None


def test_silence_now_is_missing_and_never_zero(
    memory: duckdb.DuckDBPyConnection, quiet_city: Any
) -> None:
    memory.execute("DELETE FROM cube WHERE hour >= '2024-12-23'")
    days_table(memory, dt.date(2024, 12, 23))
    for days in (7, 28):
        for row in situation_levels.assess(memory, quiet_city, "bruit", "carres", days, KNOBS):
            assert (row["n"], row["status"], row["level"]) == (None, "missing", "abstained")
            assert row["reason"] == "silent"
    days_table(memory)
    rows = by_zone(situation_levels.assess(memory, quiet_city, "bruit", "carres", 7, KNOBS))
    assert rows["B"]["level"] == "below", "entendue mais vide : un vrai zéro"


def test_feed_that_died_yesterday_is_missing_at_once(
    memory: duckdb.DuckDBPyConnection, quiet_city: Any
) -> None:
    days_table(memory, day=END)
    for days in (1, 7):
        rows = situation_levels.assess(memory, quiet_city, "bruit", "carres", days, KNOBS)
        assert {(row["n"], row["status"]) for row in rows} == {(None, "missing")}


def test_a_theme_without_a_dated_fact_is_not_offered(
    memory: duckdb.DuckDBPyConnection, quiet_city: Any
) -> None:
    """Known by the year only, or never delivered: a count of the week would be a false zero."""
    days_table(memory)
    assert situation_levels.dated_themes(memory, quiet_city) == ["bruit"]
    memory.execute("UPDATE cube SET time_precision = 'year'")
    assert situation_levels.dated_themes(memory, quiet_city) == []
