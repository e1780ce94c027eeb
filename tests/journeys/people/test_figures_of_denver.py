"""What the figures of Denver add up to, beside plain DuckDB over the file as published."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from helpers.core.place_time import places
from helpers.core.place_time.calendar import window
from helpers.core.place_time.territory import project
from helpers.core.stage import params
from helpers.hotspots import cells
from helpers.hotspots import words as hotspots_words
from helpers.reliability import grades, silence
from helpers.rhythms import week
from helpers.rhythms import words as rhythms_words
from helpers.situation import levels
from helpers.situation import words as situation_words
from helpers.trends import levels as trends_levels
from helpers.trends import words as trends_words
from helpers.trends.explained_breaks import BREAKS
from helpers.trends.weekly_series import Weeks
from helpers.uniqueness import k_anonymity
from helpers.uniqueness import words as uniqueness_words
from tests.fixtures.real import Built, read_csv
from tests.fixtures.sentences import faults
from tests.fixtures.tables import nothing_late

END = dt.date(2019, 6, 17)


@pytest.fixture(scope="module")
def con(denver: Built, shared: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The city's own views, and `raw`: the published file with theme, start, end, placed or not."""
    con = denver.connect()
    knobs = params.knobs("reliability")
    days, _ = silence.find(con, denver.city, knobs)
    con.register("days", days)
    con.register("weeks", grades.weeks(con, denver.city, days))
    themes = [(c, name) for name, t in denver.city.themes.items() for c in t.categories]
    con.execute("CREATE TABLE themes (category VARCHAR, theme VARCHAR)")
    con.executemany("INSERT INTO themes VALUES (?, ?)", themes)
    moment = "strptime({}, '%-m/%-d/%Y %-I:%M:%S %p')"
    con.execute(
        f"CREATE TABLE raw AS SELECT theme, {moment.format('FIRST_OCCURRENCE_DATE')} AS began, "
        f"coalesce({moment.format('LAST_OCCURRENCE_DATE')}, began) AS ended "
        f"FROM read_csv('{shared / 'denver/crime.csv.gz'}', all_varchar = true) "
        "JOIN themes ON category = OFFENSE_CATEGORY_ID"
    )
    yield con
    con.close()


def plain(con: duckdb.DuckDBPyConnection, where: str) -> dict[str, int]:
    """Return theme → rows of the published file."""
    query = f"SELECT theme, count(*) FROM raw WHERE {where} GROUP BY 1"
    return dict(con.execute(query).fetchall())


def span(days: int) -> str:
    first, after = window(END, days)
    return f"began >= DATE '{first}' AND began < DATE '{after}'"


def test_weekly_curves(con: duckdb.DuckDBPyConnection, denver: Built) -> None:
    nothing_late(con)
    table = trends_levels.weekly(Weeks(con, denver.city, 52, 0.9), 0.95)
    drawn: Counter[str] = Counter()
    for row in table.to_pylist():
        drawn[row["theme"]] += row["n"] or 0
    heard = "date_trunc('week', began) IN (SELECT week FROM weeks WHERE status = 'ok')"
    assert dict(drawn) == plain(con, heard)
    assert sum(drawn.values()) > 40_000


def test_weeks_of_the_source(con: duckdb.DuckDBPyConnection) -> None:
    held = con.execute("SELECT sum(n) FROM weeks").fetchall()[0][0]
    assert held == sum(
        plain(con, "began >= DATE '2018-01-01' AND began < DATE '2019-06-17'").values()
    )


def test_maps_of_what_stands_out(
    con: duckdb.DuckDBPyConnection, denver: Built, shared: Path
) -> None:
    knobs = params.knobs("hotspots")
    table = cells.find(con, denver.city, knobs, 1)
    drawn: Counter[str] = Counter()
    for row in table.to_pylist():
        drawn[row["theme"]] += row["n"]
    studied = set(cells.study_cells(con, denver.city, knobs.radius_m))
    theme_of = {c: name for name, t in denver.city.themes.items() for c in t.categories}
    first, after = window(END, knobs.window_days)
    expected: Counter[str] = Counter()
    for row in read_csv(shared / "denver/crime.csv.gz"):
        began = dt.datetime.strptime(row["FIRST_OCCURRENCE_DATE"], "%m/%d/%Y %I:%M:%S %p")
        if row["GEO_LON"] and first <= began.date() < after:
            x, y = project(float(row["GEO_LON"]), float(row["GEO_LAT"]), "EPSG:26913")
            north, east = int(y // 200 * 200), int(x // 200 * 200)
            inside = f"CRS26913RES200mN{north}E{east}" in studied
            expected[theme_of[row["OFFENSE_CATEGORY_ID"]]] += inside
    # Moved onto the grid of ten metres, one fact of a theme may leave the ground that is studied.
    assert set(drawn) == set(expected)
    assert all(abs(drawn[theme] - n) <= 1 for theme, n in expected.items())


def test_rhythms_of_the_week(con: duckdb.DuckDBPyConnection, denver: Built) -> None:
    knobs = params.knobs("rhythms")
    table = week.find(con, denver.city, knobs)
    found: dict[str, float] = {}
    for row in table.to_pylist():
        found[row["theme"]] = found.get(row["theme"], 0) + row["weight"]
    short = f"date_diff('hour', began, ended) < {knobs.max_interval_h}"
    expected = plain(con, f"{span(knobs.window_days)} AND {short}")
    assert found == pytest.approx(expected, abs=1e-3)


def nothing_known(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of what corrects an expectation, empty: counts are as they came."""
    for table in (
        "delays (source VARCHAR, days BIGINT, in_hand DOUBLE)",
        "extraordinary (day DATE, theme VARCHAR, zone VARCHAR)",
        "recorded (source VARCHAR, milestone VARCHAR, start DATE, ratio DOUBLE, low DOUBLE, "
        "high DOUBLE, status VARCHAR)",
        "breaks (theme VARCHAR, week DATE, explanations STRUCT(kind VARCHAR, code VARCHAR, "
        "other VARCHAR)[])",
    ):
        con.execute(f"CREATE OR REPLACE TABLE {table}")


def test_situation_of_the_month(con: duckdb.DuckDBPyConnection, denver: Built) -> None:
    nothing_known(con)
    knobs = params.knobs("situation").model_copy(update={"periods_days": (28,)})
    rows = levels.find(con, denver.city, knobs).to_pylist()
    whole = {row["theme"]: row["n"] for row in rows if row["zone"] == "ville"}
    assert whole == plain(con, span(28))
    zones = Counter(dict.fromkeys(whole, 0))
    for row in rows:
        if row["zone"] != "ville":
            zones[row["theme"]] += row["n"]
    nowhere = con.execute(
        "SELECT theme, CAST(sum(n) AS BIGINT) FROM cube WHERE zone_neighborhoods IN "
        f"('outside', 'no_place') AND {span(28).replace('began', 'hour')} GROUP BY 1"
    ).fetchall()
    zones.update(dict(nowhere))
    assert dict(zones) == whole


def test_no_sentence_of_denver_can_be_caught_out(
    con: duckdb.DuckDBPyConnection, denver: Built
) -> None:
    """Real counts, real names: what trends, rhythms, situation, hotspots and uniqueness say."""
    nothing_known(con)
    nothing_late(con)
    city = denver.city
    names = places.zone_names(con, city, every=True)
    knobs: dict[str, Any] = {
        name: params.knobs(name) for name in ("trends", "rhythms", "situation", "hotspots")
    }
    moved = trends_levels.levels(Weeks(con, city, 52, 0.9), knobs["trends"])
    levels_now = levels.find(con, city, knobs["situation"])
    hours = week.find(con, city, knobs["rhythms"])
    hot = cells.by_theme(con, cells.find(con, city, knobs["hotspots"], 1))
    files = {s: denver.out / f"accepted/{s}.parquet" for s in city.observed_sources()}
    alone: Any = params.knobs("uniqueness")
    said = [
        trends_words.in_words(moved, BREAKS.empty_table(), {}, city, knobs["trends"]),
        situation_words.levels(levels_now, city, names, knobs["situation"].periods_days),
        rhythms_words.weeks(hours, city, knobs["rhythms"].minimum_count),
        hotspots_words.cells(hot, city, knobs["hotspots"]),
        uniqueness_words.in_words(k_anonymity.measure(con, city, files, alone), city, alone),
    ]
    assert [one for text in said for one in faults(text)] == []
