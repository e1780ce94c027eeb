"""A city younger than a window: no day before its data is counted, told, or divided by."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.allocation import usual_week
from helpers.core.city.about import Patrols
from helpers.core.city.city import City
from helpers.core.place_time import calendar, heard
from helpers.core.stage import params, silence_words
from helpers.events import sizing
from helpers.traffic import safety
from tests.fixtures.made_up import CITY, SQUARES, write_pack
from tests.fixtures.tables import all_heard, silent, table_of_facts

START, END = dt.date(2024, 8, 14), dt.date(2024, 12, 29)  # a Wednesday; nineteen whole weeks
MONDAYS = calendar.full_weeks(START, END)
HOUSE = Path(__file__).parents[3]


@pytest.fixture
def young(tmp_path: Path) -> City:
    """Return the made-up city, which began nineteen weeks and five days ago."""
    city = write_pack(tmp_path, {**CITY, "period": {"start": str(START), "end": str(END)}})
    assert city.themes  # read before hours are told of, whose source has no contract
    rule = Patrols(source="vacation", division="carres", hours="heures", zone="zone",
                   slot="plage", day="jour")  # fmt: skip
    city.about = city.about.model_copy(update={"patrols": rule})
    return city


@pytest.fixture
def told(memory: Any) -> Any:
    """One fact a day at nine in A, every day of the period; four hours of patrol each morning."""
    days = [START + dt.timedelta(days=i) for i in range((END - START).days + 1)]
    table_of_facts(memory, [{"hour": dt.datetime.combine(day, dt.time(9))} for day in days])
    memory.execute("ALTER TABLE cube ADD COLUMN slot VARCHAR DEFAULT 'matin'")
    memory.execute("ALTER TABLE cube ADD COLUMN working_day DATE")
    memory.execute("UPDATE cube SET slot = 'matin', working_day = CAST(hour AS DATE)")
    all_heard(memory)
    memory.execute("CREATE TABLE zones AS SELECT 'carres' AS division, code, 'Carré ' || code AS "
                   f"name, NULL AS geometry FROM (VALUES {', '.join(f'({c!r})' for c in SQUARES)}) "
                   "t(code)")  # fmt: skip
    memory.execute("CREATE TABLE vacation (jour DATE, plage VARCHAR, zone VARCHAR, heures DOUBLE)")
    memory.executemany("INSERT INTO vacation VALUES (?, 'matin', 'A', 4)", [[day] for day in days])
    memory.execute(
        "CREATE TABLE forecasts (theme VARCHAR, horizon VARCHAR, division VARCHAR, zone VARCHAR, "
        "part VARCHAR, kind VARCHAR, status VARCHAR, mean DOUBLE, usual DOUBLE)"
    )
    return memory


@given(st.dates(dt.date(2000, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 900),
       st.integers(1, 900))  # fmt: skip
def test_a_window_is_the_last_days_of_the_period_and_none_before(
    start: dt.date, length: int, days: int
) -> None:
    period = SimpleNamespace(start=start, end=start + dt.timedelta(days=length))
    city: Any = SimpleNamespace(about=SimpleNamespace(period=period))
    every = [start + dt.timedelta(days=i) for i in range(length + 1)]
    first, last = calendar.last_days(city, days)
    assert (first, last) == (every[-days:][0], every[-1])
    assert calendar.last_window(city, days) == (first, last + dt.timedelta(days=1))


def test_the_sentence_of_silences_counts_the_weeks_that_there_were(told: Any, young: City) -> None:
    silent(told, "faits", ["B"], MONDAYS[3:5])
    said = silence_words.unheard(told, young, 365, "Fait.").replace("\u00a0", " ")
    assert f"sur {len(MONDAYS)} semaines" in said
    assert len(MONDAYS) == 19
    assert "Carré B (2 semaines)" in said


def test_no_week_before_the_period_was_heard(told: Any, young: City) -> None:
    weeks = [MONDAYS[0] + dt.timedelta(weeks=i) for i in range(-3, 3)]
    found = heard.of_theme(told, young, "bruit", "carres", ["A", "B"], weeks)
    assert found.tolist() == [[False] * 3 + [True] * 3] * 2
    assert heard.share_heard(told, young, "bruit", "carres", ["A"], 365).tolist() == [1.0]


def test_a_usual_week_asks_for_what_a_week_had(told: Any, young: City) -> None:
    """Seven facts a week: divided by a year's weeks, it would be two and a half."""
    knobs = params.knobs("allocation").model_copy(update={"origins": ("citizen",)})
    week = usual_week.read(told, young, young, knobs)
    assert isinstance(week, usual_week.Week)
    assert week.asked.sum() == pytest.approx(7)
    assert week.present.sum() == 7 * (4 // knobs.team_officers)


def test_usual_facts_of_an_event_are_a_mean_of_the_days_heard(told: Any, young: City) -> None:
    rules: Any = SimpleNamespace(themes=("bruit",))
    knobs = params.knobs("events").model_copy(update={"baseline_weeks": 52})
    one_a_day = {(day, "matin", "A"): 1.0 for day in range(7)}
    assert sizing.usual_facts(told, young, rules, knobs) == one_a_day
    gone = MONDAYS[-2]
    told.execute("INSERT INTO weeks VALUES ('faits', ?, 'missing', 7)", [gone])
    told.execute("DELETE FROM cube WHERE working_day BETWEEN ? AND ?",
                 [gone, gone + dt.timedelta(days=6)])  # fmt: skip
    assert sizing.usual_facts(told, young, rules, knobs) == one_a_day


def test_safety_compares_only_weeks_that_both_halves_had(told: Any, young: City) -> None:
    rules = SimpleNamespace(slots=("jour",), slot_hours=lambda _: range(24), safety=("bruit",))
    roads: Any = SimpleNamespace(rules=rules, places=[SimpleNamespace(zone="A")])
    knobs = params.knobs("traffic").model_copy(update={"safety_weeks": 12})
    (row,) = safety.measure(told, young, roads, knobs).to_pylist()
    assert row["n"] == row["before"] == (END - START).days + 1 - 7 * 12  # a fact a day
    assert row["weeks"] == row["n"] // 7 == 7


def test_where_a_window_may_start_is_written_once() -> None:
    """Nobody else counts days back from the end of the period."""
    found = [
        path.relative_to(HOUSE).as_posix()
        for path in sorted((HOUSE / "src/helpers").rglob("*.py"))
        if "window(city.about.period.end" in path.read_text(encoding="utf-8")
    ]
    # Days before its window, kept only where they are all within the period.
    assert found == ["src/helpers/core/place_time/calendar.py", "src/helpers/hotspots/cells.py"]
