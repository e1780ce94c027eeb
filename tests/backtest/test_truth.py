"""A year of forecasts of the small simulated city, whose outages are known."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from helpers.backtest import figures, rolled, tables, words
from helpers.core.city.city import City
from helpers.core.place_time import slots
from helpers.core.stats import rolling
from helpers.core.stats.count_levels import BASELINES, LAST
from tests.fixtures.forecasts import KNOBS, SEED, outages, until, view
from tests.fixtures.simulated import Made

THEMES = ("bruit", "rixes", "accidents", "stationnement", "vente_sauvette", "proprete_signalee")
END = dt.date(2025, 12, 31)
Tables = dict[str, pa.Table]


@pytest.fixture(scope="module")
def city(made: Made) -> City:
    return until(made.city, END, THEMES)


@pytest.fixture(scope="module")
def found(city: City, counted: Path) -> Tables:
    return tables.of_city(view(counted, city), city, KNOBS, SEED)


def chosen(found: Tables, **asked: str) -> list[dict[str, Any]]:
    return [
        row for row in found["scores"].to_pylist()
        if row["chosen"] and all(row[name] == value for name, value in asked.items())
    ]  # fmt: skip


def test_intervals_at_80_hold_four_times_in_five(found: Tables) -> None:
    """Over all zones of a division; the city's 52 weeks alone would swing more by chance."""
    for horizon in ("slot", "day", "week", "month"):
        for level, nominal, margin in (("covered_80", 0.8, 0.02), ("covered_90", 0.9, 0.02)):
            rows = chosen(found, horizon=horizon, division="quartiers")
            assert rows
            total = sum(row["forecasts"] for row in rows)
            held = sum(row[level] * row["forecasts"] for row in rows) / total
            assert held == pytest.approx(nominal, abs=margin), (horizon, level)


def test_each_theme_is_judged_on_52_weeks_beside_baselines(found: Tables) -> None:
    methods = found["methods"].to_pylist()
    for theme in THEMES:
        for horizon in rolling.HORIZONS:
            both = [r for r in methods if (r["theme"], r["horizon"]) == (theme, horizon)]
            mine = [r for r in both if r["role"] != "city"]
            city_rows = [r for r in both if r["role"] == "city"]
            assert {r["method"] for r in city_rows} == {*BASELINES, rolling.BOTTOM_UP} - {LAST}
            assert sum(r["chosen"] for r in city_rows) == 1
            assert {r["method"] for r in mine} >= set(BASELINES)
            assert sum(r["chosen"] for r in mine) == 1
            (own,) = [r for r in mine if r["chosen"]]
            assert own["crps"] == min(r["crps"] for r in mine)  # as written: two may tie
            weeks = [r for r in found["origins"].to_pylist()
                     if (r["theme"], r["horizon"]) == (theme, horizon)]  # fmt: skip
            assert len(weeks) == 52
            assert len({r["origin"] for r in weeks}) == 52


def test_no_method_is_far_better_than_the_means(found: Tables) -> None:
    """Where nothing but level and weekday is to be known, a gain of a tenth is a leak."""
    for row in found["skill"].to_pylist():
        if row["division"] == "quartiers" and row["horizon"] in ("slot", "day", "week"):
            assert row["gain"] < 0.1, row


def test_weeks_are_set_aside_exactly_where_an_outage_touches_them(
    found: Tables, city: City
) -> None:
    for row in found["origins"].to_pylist():
        (source,) = city.themes[row["theme"]].sources
        told = [(row["origin"], row["origin"]), (row["starts"], row["ends"])]
        hit = any(
            one["source"] == source and first <= one["end"] and one["start"] <= last
            for one in outages() for first, last in told
        )  # fmt: skip
        assert (row["status"] == "abstained") == hit, row
        assert row["reason"] == (slots.SILENT if hit else "")
        assert (row["observed"] is None) == hit
        if hit and source == "main_courante":
            assert row["zones_aside"] == 11  # those of the 15th district, and no other
    assert any(r["status"] == "abstained" for r in found["origins"].to_pylist())


def test_the_plain_figure_beats_chance_and_agrees_with_the_named_share(found: Tables) -> None:
    rows = found["places"].to_pylist()
    assert {row["share"] for row in rows} == {0.01, 0.02, 0.05, 0.1}
    assert {row["named"] for row in rows} == {6}
    for row in rows:
        assert 0 <= row["pei"] <= 1
        assert row["pai"] == pytest.approx(row["hit_rate"] / row["share"], rel=1e-4)
    days = [row for row in rows if row["horizon"] == "week"]
    assert all(row["with_a_fact"] > row["chance"] for row in days)


def test_every_table_says_that_it_judges_no_person(found: Tables) -> None:
    for name, table in found.items():
        assert table.num_rows, name
        assert set(table.column("use").to_pylist()) == {rolling.USE}, name


def test_same_seed_same_tables_and_no_other_theme_matters(
    found: Tables, city: City, counted: Path
) -> None:
    alone = until(city, END, ("rixes",))
    again = tables.of_city(view(counted, alone), alone, KNOBS, SEED)
    for name, table in again.items():
        mine = [row for row in found[name].to_pylist() if row["theme"] == "rixes"]
        assert table.to_pylist() == mine, name


def test_a_short_past_or_few_facts_abstain_with_the_reason(city: City, counted: Path) -> None:
    short = until(city, dt.date(2023, 6, 30), ("bruit",))
    told = tables.of_city(view(counted, short), short, KNOBS, SEED)
    assert {row["reason"] for row in told["skill"].to_pylist()} == {rolled.SHORT}
    assert "abstention (passé trop court)" in words.in_short(told, short, KNOBS.named_share)
    few = KNOBS.model_copy(update={"minimum_count": 100_000})
    told = tables.of_city(view(counted, city), city, few, SEED)
    assert {row["reason"] for row in told["skill"].to_pylist()} == {rolled.FEW}
    assert not any(told[name].num_rows for name in ("scores", "origins", "places"))
    for drawn in (figures.places, figures.methods, figures.coverage):
        name = "places" if drawn is figures.places else "scores"
        assert drawn(told[name], city).chart.to_dict()["mark"]["type"] == "text"


def test_words_begin_with_the_figure_that_anyone_asks_for(found: Tables, city: City) -> None:
    told = words.in_short(found, city, KNOBS.named_share)
    assert told.startswith("Sur un an, chaque semaine")
    assert "des zones nommées ont eu un fait, contre" in told
    assert "ne peuvent servir à juger" in words.honest(found)
    assert "source muette" in words.set_aside(found, city)
    times = [int(n) for n in re.findall(r"(\d+) fois", words.chosen(found, city))]
    assert times == sorted(times, reverse=True)
    assert f"({sum(times)} choix)" in words.chosen(found, city)
