"""Themes known by the month: trends, situation, reliability and rhythms at the month's grain."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from helpers.core.city.names import WHOLE
from helpers.core.place_time import months as core_months
from helpers.core.stage import figure, params
from helpers.reliability import grades, silence, silence_words
from helpers.reliability import months as reliability_months
from helpers.rhythms import week as rhythms_week
from helpers.rhythms import words as rhythms_words
from helpers.rhythms import year as rhythms_year
from helpers.situation import alerts
from helpers.situation import levels as situation_levels
from helpers.situation import words as situation_words
from helpers.trends import criticality
from helpers.trends import figures as trends_figures
from helpers.trends import levels as trends_levels
from helpers.trends import words as trends_words
from helpers.trends.weekly_series import Weeks
from tests.fixtures import london
from tests.fixtures.real import ROOT, Built, build
from tests.fixtures.tables import nothing_late

RELIABILITY, TRENDS, SITUATION, RHYTHMS = (
    params.knobs(name, ROOT) for name in ("reliability", "trends", "situation", "rhythms")
)


def readied(built: Built) -> duckdb.DuckDBPyConnection:
    """Return a connection that has what reliability leaves, of a city of months alone."""
    con = built.connect()
    days, _ = silence.find(con, built.city, RELIABILITY)
    con.register("days", days)
    con.register("weeks", grades.weeks(con, built.city, days))
    con.register("months", reliability_months.find(con, built.city, RELIABILITY.silence_share))
    nothing_late(con)
    return con


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The real wide file, from its first, partial, month on."""
    folder = tmp_path_factory.mktemp("months")
    city = london.wide(folder, {"start": "2024-03-01", "end": "2026-03-31"})
    return build(city, folder, folder / "out")


@pytest.fixture(scope="module")
def con(wide: Built) -> Any:
    held = readied(wide)
    yield held
    held.close()


def file_sum(category: set[str], months: list[str], borough: str = "") -> int:
    """Return the sum of the file's cells, as Python reads them."""
    return sum(
        int(row[month])
        for row in london.rows(london.WIDE)
        for month in months
        if row["MajorText"] in category and borough in ("", row["LookUp_BoroughName"])
    )


def months(first: int, last: int) -> list[str]:
    """Return the columns of the months, `first` to `last`, 0 being January 2024."""
    return [f"{2024 + i // 12}{i % 12 + 1:02}" for i in range(first, last + 1)]


THEFT, VIOLENCE = {"THEFT", "ROBBERY", "BURGLARY"}, {"VIOLENCE AGAINST THE PERSON"}


def test_a_first_month_nearly_empty_is_missing_and_told(wide: Built, con: Any) -> None:
    """March 2024 has 2 facts in the file where other months have 300 to 500: it is not a fall."""
    table = reliability_months.find(con, wide.city, RELIABILITY.silence_share)
    assert table.num_rows == 25
    gone = [row for row in table.to_pylist() if row["status"] == "missing"]
    assert [(r["month"], r["n"], r["reason"]) for r in gone] == [
        (dt.date(2024, 3, 1), None, "hardly_received")
    ]
    said = silence_words.months(table, {"faits": "Faits"})
    assert "où presque rien n'est venu" in said
    assert "mars 2024" in said


def test_no_day_is_missing_of_a_source_that_tells_months(wide: Built, con: Any) -> None:
    days, series = silence.find(con, wide.city, RELIABILITY)
    assert (days.num_rows, series.num_rows) == (0, 0)
    assert con.execute("SELECT count(*) FROM weeks").fetchall() == [(0,)]
    table = reliability_months.find(con, wide.city, RELIABILITY.silence_share)
    counted = [{"source": "faits", "accepted": 2500, "duplicates": 0, "replaced": 0,
                "quarantined": {}, "rows_in": 2500, "faults": 0, "out_of_period": 0}]  # fmt: skip
    (row,) = grades.grades(con, wide.city, counted, RELIABILITY, table)
    assert row["missing"] == pytest.approx(1 / 25)
    assert (row["located"], row["mute_since"], row["silent_weeks"]) == (None, None, 0)


def test_trends_compare_twelve_months_with_the_twelve_before(wide: Built, con: Any) -> None:
    weeks = Weeks(con, wide.city, TRENDS.window_weeks, 0.9)
    rows = {
        (row["theme"], row["zone"]): row for row in trends_levels.levels(weeks, TRENDS).to_pylist()
    }
    whole = rows["vols", WHOLE]
    assert (whole["step"], whole["status"]) == ("month", "ok")
    assert whole["recent"] == file_sum(THEFT, months(15, 26))
    assert whole["before"] == file_sum(THEFT, months(3, 14))
    assert whole["ratio"] == pytest.approx(whole["recent"] / whole["before"], rel=0.01)
    assert whole["level"] == pytest.approx(whole["recent"] / 12, rel=0.01)
    assert rows["violences", "Croydon"]["recent"] == file_sum(VIOLENCE, months(15, 26), "Croydon")
    scores = criticality.score(trends_levels.levels(weeks, TRENDS), wide.city, TRENDS).to_pylist()
    scored = next(row for row in scores if (row["theme"], row["zone"]) == ("vols", WHOLE))
    assert scored["per_week"] == pytest.approx(whole["recent"] / 52, rel=0.01)
    assert trends_levels.weekly(weeks, 0.95).num_rows == 0
    said = trends_words.in_words(
        trends_levels.levels(weeks, TRENDS),
        trends_levels.weekly(weeks, 0.95).slice(0, 0),
        {}, wide.city, TRENDS,
    )  # fmt: skip
    assert "par mois" in said


def test_a_city_of_months_is_never_told_in_weeks(wide: Built, con: Any) -> None:
    weeks = Weeks(con, wide.city, TRENDS.window_weeks, 0.9)
    table = trends_levels.levels(weeks, TRENDS)
    assert trends_words.span(table, TRENDS.window_weeks) == "12 mois"
    week = table.set_column(
        table.schema.get_field_index("step"), "step", pa.array(["week"] * table.num_rows)
    )
    assert trends_words.span(week, 52).replace("\u00a0", " ") == "52 semaines"
    none = trends_levels.weekly(weeks, 0.95)
    scores = criticality.score(table, wide.city, TRENDS)
    drawn = (
        trends_figures.weekly(none, none, wide.city),
        trends_figures.levels(table, wide.city, TRENDS.minimum_count),
        trends_figures.criticality(scores, {}, wide.city),
    )
    told = [
        json.dumps(figure.complete(one.chart), ensure_ascii=False) + one.description
        for one in drawn
    ]
    assert trends_figures.NO_WEEKS in told[0]
    assert not [one for one in told if "par semaine" in one or "dernières semaines" in one]


def test_situation_tells_whole_months_and_never_a_day(wide: Built, con: Any) -> None:
    table = situation_levels.find(con, wide.city, SITUATION)
    rows = {(r["theme"], r["period_days"], r["zone"]): r for r in table.to_pylist()}
    assert {r["reason"] for r in table.to_pylist() if r["period_days"] < 28} == {"month_only"}
    month = rows["vols", 28, WHOLE]
    assert month["n"] == file_sum(THEFT, ["202603"])
    assert month["status"] == "ok"
    year = rows["vols", 365, WHOLE]
    assert (year["n"], year["reason"]) == (
        file_sum(THEFT, months(15, 26)), "too_few_references",
    )  # fmt: skip
    said = situation_words.levels(table, wide.city, {}, SITUATION.periods_days)
    assert "**Vols** (mars 2026)" in said
    assert "(de avril 2025 à mars 2026)" not in said
    assert "aucun thème ne se compare (d'avril 2025 à mars 2026 ; pas assez de périodes" in said
    assert "connu au mois seulement" in said


def test_no_alert_is_made_of_days_that_nobody_tells(wide: Built, con: Any) -> None:
    assert alerts.find(con, wide.city, SITUATION).num_rows == 0


def test_rhythms_abstain_and_say_that_the_month_alone_is_known(wide: Built, con: Any) -> None:
    hours = rhythms_week.find(con, wide.city, RHYTHMS)
    assert {row["reason"] for row in hours.to_pylist()} == {"month_only"}
    said = rhythms_words.weeks(hours, wide.city, RHYTHMS.minimum_count)
    assert "la source ne dit que le mois" in said
    seasons = rhythms_year.seasons(con, wide.city, RHYTHMS)
    assert {row["reason"] for row in seasons.to_pylist()} == {"not_dated"}


# --- What is not told is missing ---------------------------------------------------------------


def cut(folder: Path, text: str) -> Built:
    """Return London with a wide file given by hand."""
    city = london.wide(folder, {"start": "2024-03-01", "end": "2026-03-31"})
    (city.pack / "livraison" / london.WIDE).write_text(text, encoding="utf-8")
    return build(city, folder, folder / "out")


def made(keep: Any) -> str:
    """Return the real wide file, the cells for which `keep(row, month)` is false left empty."""
    held = london.rows(london.WIDE)
    lines = [",".join(held[0])]
    for row in held:
        cells = (
            cell if not name.startswith("20") or keep(row, name) else ""
            for name, cell in row.items()
        )
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def test_a_category_absent_from_months_is_missing_and_no_fall(tmp_path: Path) -> None:
    """No cell of robbery in the last year: thefts, of which they are a part, cannot be compared."""
    last = set(months(15, 26))
    built = cut(tmp_path, made(lambda row, m: row["MajorText"] != "ROBBERY" or m not in last))
    con = readied(built)
    held = core_months.of_theme(con, built.city, "vols", "boroughs")
    assert not held.told[0, -12:].any()
    assert held.told[0, 1:13].all()
    weeks = Weeks(con, built.city, TRENDS.window_weeks, 0.9)
    rows = trends_levels.levels(weeks, TRENDS).to_pylist()
    whole = {row["theme"]: row for row in rows if row["zone"] == WHOLE}
    assert (whole["vols"]["status"], whole["vols"]["reason"]) == ("abstained", "silent")
    assert whole["violences"]["status"] == "ok"
    con.close()


def test_a_zone_absent_from_months_is_missing_and_so_is_the_city(tmp_path: Path) -> None:
    built = cut(
        tmp_path, made(lambda row, m: row["LookUp_BoroughName"] != "Croydon" or m != "202603")
    )
    con = readied(built)
    rows = {
        (r["theme"], r["zone"]): r
        for r in situation_levels.find(con, built.city, SITUATION).to_pylist()
        if r["period_days"] == 28
    }
    assert (rows["vols", "Croydon"]["n"], rows["vols", "Croydon"]["status"]) == (None, "missing")
    assert rows["vols", WHOLE]["status"] == "missing"
    assert rows["vols", "Ealing"]["n"] == file_sum(THEFT, ["202603"], "Ealing")
    con.close()


def test_a_month_that_never_came_is_missing(tmp_path: Path) -> None:
    built = cut(tmp_path, made(lambda row, m: m != "202602"))
    con = readied(built)
    table = reliability_months.find(con, built.city, RELIABILITY.silence_share).to_pylist()
    gone = {row["month"]: row["reason"] for row in table if row["status"] == "missing"}
    assert gone[dt.date(2026, 2, 1)] == "nothing_received"
    con.close()


def test_months_lie_whole_in_the_period() -> None:
    found = core_months.full_months(dt.date(2024, 1, 2), dt.date(2024, 4, 29))
    assert found == [dt.date(2024, 2, 1), dt.date(2024, 3, 1)]
    assert core_months.full_months(dt.date(2024, 2, 1), dt.date(2024, 2, 29)) == found[:1]
