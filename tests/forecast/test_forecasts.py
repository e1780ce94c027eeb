"""Forecasts of the small simulated city: they add up, expire, and abstain where it is silent."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from helpers.backtest import tables
from helpers.core.base.french import percent
from helpers.core.city.city import City
from helpers.core.city.names import WHOLE
from helpers.core.place_time.slots import ACTIVITY, DEMAND, SILENT, SLOTS, UNPLACED
from helpers.core.stage.standing import restricted
from helpers.core.stats.rolling import HORIZONS, USE
from helpers.forecast import figures, forecasts, words
from tests.fixtures.forecasts import KNOBS, SEED, until, view
from tests.fixtures.simulated import Made

THEMES = ("bruit", "rixes", "stationnement_verbalise", "proprete_signalee", "alertes_video")
MUTE = "alertes_video"  # suspended: its source is mute
QUARTERS, DISTRICTS = "quartiers", "arrondissements"


def made_of(city: City, counted: Path) -> tuple[duckdb.DuckDBPyConnection, pa.Table]:
    """Return the city's forecasts, with the views that they rest on."""
    con = view(counted, city)
    in_force = restricted(city, {name for name in city.themes if name != MUTE})
    for name, table in tables.of_city(con, in_force, KNOBS, SEED).items():
        con.register(f"kept_{name}", table)
        con.execute(f"CREATE TABLE {name} AS SELECT * FROM kept_{name}")
    con.execute(
        "CREATE TABLE states AS SELECT theme, state, "
        "[{'source': 's', 'reason': reason}] AS reasons "
        "FROM (VALUES ('alertes_video', 'suspended', 'below_need')) t(theme, state, reason)"
    )
    return con, forecasts.of_city(con, city, in_force, KNOBS, SEED)


@pytest.fixture(scope="module")
def city(made: Made) -> City:
    return until(made.city, dt.date(2025, 12, 31), THEMES)


@pytest.fixture(scope="module")
def told(city: City, counted: Path) -> tuple[duckdb.DuckDBPyConnection, pa.Table]:
    return made_of(city, counted)


def rows_of(table: pa.Table, **asked: Any) -> list[dict[str, Any]]:
    return [r for r in table.to_pylist() if all(r[name] == v for name, v in asked.items())]


def test_zones_and_slots_add_up(told: Any) -> None:
    _, table = told
    for theme in ("bruit", "proprete_signalee"):
        for horizon in ("day", "week"):
            asked = {"theme": theme, "horizon": horizon}
            for part in (*SLOTS, "day"):
                zones, districts, (whole,) = (
                    rows_of(table, division=name, part=part, **asked)
                    for name in (QUARTERS, DISTRICTS, WHOLE)
                )
                if whole["status"] != "ok":
                    continue
                total = sum(row["mean"] for row in zones)
                assert whole["mean"] == pytest.approx(total, abs=1e-3)
                loose = next(row["mean"] for row in zones if row["zone"] == UNPLACED)
                parts = sum(row["mean"] for row in districts if row["status"] == "ok")
                assert parts + loose == pytest.approx(total, abs=1e-3) or not parts
            day = rows_of(table, division=QUARTERS, part="day", **asked)
            slots = [r for p in SLOTS for r in rows_of(table, division=QUARTERS, part=p, **asked)]
            assert sum(r["mean"] for r in day) == pytest.approx(
                sum(r["mean"] for r in slots), abs=1e-3
            )


def test_each_row_is_a_whole_distribution(told: Any) -> None:
    """Quantiles and the chance of a fact follow from the mean and the dispersion that are kept."""
    _, table = told
    rows = [row for row in table.to_pylist() if row["status"] == "ok"]
    assert len(rows) > 1000
    for row in rows[::97]:
        mean, alpha = row["mean"], row["alpha"]
        law = stats.nbinom(1 / alpha, 1 / (1 + alpha * mean)) if alpha else stats.poisson(mean)
        for share, name in zip(forecasts.QUANTILES, forecasts.NAMES, strict=True):
            k = row[name]
            assert law.cdf(k) >= share - 1e-4
            assert k == 0 or law.cdf(k - 1) <= share + 1e-4
        assert row["any"] == pytest.approx(1 - law.pmf(0), abs=1e-4)


def test_an_expired_forecast_is_not_shown(told: Any, city: City) -> None:
    _, table = told
    now = forecasts.morrow(city)
    assert now == dt.datetime(2026, 1, 1)
    assert len(forecasts.shown(table, now)) == table.num_rows
    later = forecasts.shown(table, now + dt.timedelta(hours=6))
    assert {row["horizon"] for row in later} == {"day", "week", "month"}
    assert all(row["expires_at"] > now + dt.timedelta(hours=6) for row in later)
    next_day = forecasts.shown(table, now + dt.timedelta(days=1))
    assert {row["horizon"] for row in next_day} == {"week", "month"}
    assert forecasts.shown(table, now + dt.timedelta(days=28)) == []
    for row in table.to_pylist():
        assert row["starts_at"] < row["ends_at"] == row["expires_at"]


def test_the_origin_stands_where_records_are_in(told: Any) -> None:
    """Records of the log come in late: four days are left, and forecasts begin after them."""
    _, table = told
    late = rows_of(table, theme="bruit", division=WHOLE)
    assert {(row["last_known"], row["lag_days"]) for row in late} == {(dt.date(2025, 12, 27), 4)}
    assert min(row["starts_at"] for row in late) == dt.datetime(2026, 1, 1)
    other = rows_of(table, theme="proprete_signalee", division=WHOLE)
    assert {row["last_known"] for row in other} == {dt.date(2025, 12, 31)}


def test_agents_activity_is_said_and_is_no_demand(told: Any, city: City) -> None:
    _, table = told
    kinds = {row["theme"]: row["kind"] for row in table.to_pylist() if row["kind"]}
    assert kinds["stationnement_verbalise"] == ACTIVITY
    assert {kinds[theme] for theme in ("bruit", "rixes", "proprete_signalee")} == {DEMAND}
    assert "Activité, et non demande" in words.agents(table.to_pylist(), city)
    assert figures.drawn_theme(table.to_pylist(), city) != "stationnement_verbalise"


def test_a_theme_not_in_service_abstains_with_its_reason(told: Any, city: City) -> None:
    _, table = told
    rows = rows_of(table, theme=MUTE)
    assert {row["horizon"] for row in rows} == set(HORIZONS)
    assert {(row["status"], row["reason"]) for row in rows} == {("abstained", "below_need")}
    assert "sous la note" in words.left_out(rows, city)


def test_no_skill_no_forecast(told: Any) -> None:
    con, table = told
    judged = con.execute("SELECT theme, horizon, division, status FROM skill").fetchall()
    assert {status for *_, status in judged} >= {"ok"}
    for theme, horizon, division, status in judged:
        mine = rows_of(table, theme=theme, horizon=horizon, division=division)
        if status != "ok":
            assert {row["status"] for row in mine} == {"abstained"}
            assert {row["mean"] for row in mine} == {None}


def test_abstains_exactly_where_the_outage_is(made: Made, counted: Path) -> None:
    """The period ends in the middle of the outage of the 15th district."""
    during = until(made.city, dt.date(2025, 6, 19), ("bruit", "proprete_signalee"))
    _, table = made_of(during, counted)
    zones = rows_of(table, theme="bruit", horizon="day", division=QUARTERS, part="day")
    mute = {row["zone"] for row in zones if row["reason"] == SILENT}
    assert mute == {row["zone"] for row in zones if row["zone"].startswith("13215")}
    assert len(mute) == 11
    assert {r["status"] for r in zones if r["zone"] not in mute} == {"ok"}
    districts = rows_of(table, theme="bruit", horizon="day", division=DISTRICTS, part="day")
    silent = [r["zone"] for r in districts if r["reason"] in (SILENT, forecasts.PART_SILENT)]
    assert silent == ["13215"]
    (whole,) = rows_of(table, theme="bruit", horizon="day", division=WHOLE, part="day")
    assert (whole["status"], whole["reason"]) == ("abstained", forecasts.PART_SILENT)
    other = rows_of(table, theme="proprete_signalee", horizon="day", part="day")
    assert SILENT not in {row["reason"] for row in other}


def test_what_is_read_begins_with_tomorrow_and_judges_nobody(told: Any, city: City) -> None:
    con, table = told
    rows = forecasts.shown(table, forecasts.morrow(city))
    names = dict(con.execute("SELECT code, name FROM zones ORDER BY ALL").fetchall())
    assert words.in_short(rows, city, names).startswith("**Demain, jeudi 1er janvier 2026")
    assert "**Le 1er janvier 2026 est férié**" in words.in_short(rows, city, names)
    ordinary = [{**row, "starts_at": row["starts_at"] + dt.timedelta(days=1)} for row in rows]
    assert "férié" not in words.in_short(ordinary, city, names)
    whole = rows_of(table, horizon="day", part="day", division=WHOLE, status="ok")
    theme = whole[0]["theme"]
    title = city.themes[theme].title
    doubt = words.doubtful(words.reserves({theme: "sa source se perd"}, {}, {}, rows, city), city)
    assert doubt.endswith(f"- **{title}** : sa source se perd.")
    assert words.doubtful({}, city) == ""
    assert words.reserves({theme: "…"}, {theme: True}, {}, [], city) == {}
    few = {(theme, "day"): 0.62, (theme, "week"): 0.8}
    told_few = words.doubtful(words.reserves({}, {}, few, rows, city), city)
    assert told_few.endswith(
        f"{title}** : sa fourchette n'a tenu que {percent(0.62)} des fois (demain)."
    )
    assert words.in_short([], city, names).startswith("Aucune prévision ne tient")
    assert "ne peuvent servir à juger" in words.standing(rows)
    assert set(table.column("use").to_pylist()) == {USE}
    theme = figures.drawn_theme(rows, city)
    assert theme in ("bruit", "rixes", "proprete_signalee")
    drawn = figures.chances(con, rows, city, theme, names)
    assert "non des personnes" in drawn.description
    assert figures.expected(rows, city).chart.to_dict()["layer"]
    assert np.isfinite([row["mean"] for row in rows if row["status"] == "ok"]).all()


def test_a_level_that_moved_is_told_of_the_last_weeks_and_of_no_others() -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE origins (theme VARCHAR, horizon VARCHAR, origin DATE, observed INT, "
                "low INT, high INT, status VARCHAR)")  # fmt: skip
    first = dt.date(2025, 1, 6)
    last_ones = {"more": [9, 9, 5, 9], "less": [1, 1, 1, 5], "mixed": [9, 1, 9, 1], "once": [5] * 4}
    for theme, counts in last_ones.items():
        weeks = [*([9] * 4 if theme == "once" else [5] * 4), *counts]
        con.executemany(
            "INSERT INTO origins VALUES (?, 'week', ?, ?, 3, 7, 'ok')",
            [(theme, first + dt.timedelta(weeks=i), n) for i, n in enumerate(weeks)],
        )
    assert forecasts.moved(con) == {"less": False, "more": True}
