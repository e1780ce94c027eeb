"""Gatherings that nothing announces: within the budget, found, explained by events, never dead."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from helpers.core.stage import params
from helpers.situation import alerts, figures, gathering_words, gatherings
from helpers.situation import gathering_grades as grades
from helpers.situation.gathering_grades import HOUR, World, dead, draw, planted
from helpers.situation.gatherings import Occasion
from helpers.situation.knobs import Knobs
from tests.fixtures.real import ROOT

KNOBS: Knobs = params.knobs("situation", ROOT)
DAYS = 40
NOTHING = np.zeros((10, 490, 8), dtype=bool)


def seen(times: float, world: World, seed: int = 3) -> float:
    """Return how often a gathering is an alert, or worth a look."""
    return list(grades.found(world, KNOBS, seed, 25, times))[1].observed


@pytest.mark.parametrize("world", [World(), World(freedom=4.0), World(places=3)])
def test_a_city_without_gatherings_has_no_more_false_alerts_than_the_budget(world: World) -> None:
    own, whole, look, both = grades.false(world, KNOBS, 41, DAYS)
    chance = 2.6 * (0.05 * 0.95 / DAYS) ** 0.5  # one run in a hundred beyond
    assert own.observed <= 0.05 + chance
    assert whole.observed <= 0.05 + chance
    assert look.observed < 0.5, "their part of one a day"
    assert both.observed <= KNOBS.watch_false_a_day + 2.6 * both.error


def test_gatherings_are_found_at_the_rate_that_the_note_tells() -> None:
    assert seen(3.0, World()) > 0.95
    assert seen(2.0, World()) > 0.85
    assert seen(3.0, World(freedom=4.0)) > 0.9
    assert seen(1.0, World()) < 0.1


def test_an_event_known_for_that_place_and_hour_explains_the_count() -> None:
    hours = planted(draw(World(), np.random.default_rng(5)), 0, 6.0, KNOBS)
    last = dt.datetime.combine(hours.first, dt.time()) + dt.timedelta(days=489)
    there = Occasion(last.replace(hour=14), last.replace(hour=19), 100.0, 0.0, 400.0)
    elsewhere = Occasion(there.start, there.end, 3000.0, 0.0, 400.0)
    another_day = Occasion(
        there.start - dt.timedelta(days=1), there.end - dt.timedelta(days=1), 0.0, 0.0, 400.0
    )
    rng = np.random.default_rng(6)
    for known, told in (([there], False), ([elsewhere, another_day], True), ([], True)):
        mask = gatherings.explained(hours, known, KNOBS)
        rows = grades.judged(hours, mask, KNOBS, rng)[: -grades.THEMES]
        row = next(r for r in rows if (r["site"], r["hour"]) == ("P0", HOUR))
        assert row["alert"] == told
        assert (row["reason"] == gatherings.KNOWN) != told
        assert sum(bool(r["alert"]) for r in rows) == told


def test_a_dead_counter_raises_nothing_and_says_so() -> None:
    hours = dead(planted(draw(World(), np.random.default_rng(5)), 0, 6.0, KNOBS), 0)
    rows = gatherings.compared(hours, NOTHING, KNOBS)
    own = [row for row in rows if row["site"] == "P0"]
    assert {(row["status"], row["reason"]) for row in own} == {("missing", gatherings.ZEROS)}
    assert all("p" not in row for row in own)
    told = gatherings.table(alerts.judge(rows, 0.05, 1))
    assert not gatherings.lit(told)
    assert "En panne, zéros qui n'en sont pas : P0." in gathering_words.gathered(told)


def test_another_machine_or_too_few_weeks_say_nothing() -> None:
    hours = planted(draw(World(), np.random.default_rng(5)), 0, 6.0, KNOBS)
    hours.era[0, -10:] = 1
    own = [r for r in gatherings.compared(hours, NOTHING, KNOBS) if r["site"] == "P0"]
    assert {row["reason"] for row in own} == {gatherings.TOO_FEW_WEEKS}
    short = draw(World(weeks=24), np.random.default_rng(5))
    rows = gatherings.compared(short, NOTHING[:, :168], KNOBS)
    assert {row["reason"] for row in rows} == {gatherings.TOO_FEW_WEEKS}


def test_both_sorts_of_tests_share_one_budget() -> None:
    """The more is compared, the less of it stands out: a p-value alone is no alert."""
    hours = draw(World(), np.random.default_rng(5))
    rows = gatherings.compared(hours, NOTHING, KNOBS)
    rows[0]["p"] = 2e-4
    themes = [
        {"theme": "bruit", "zone": str(i), "p": 0.5, "reach": gatherings.GRID, "status": "ok"}
        for i in range(2000)
    ]
    alone, beside = alerts.together([], rows, KNOBS)[1], alerts.together(themes, rows, KNOBS)
    assert len(gatherings.lit(alone)) == 1
    assert not gatherings.lit(beside[1])
    assert [one.num_rows for one in beside] == [2000, 80]
    assert beside[0].schema == alerts.SCHEMA
    assert beside[1].schema == gatherings.GATHERINGS


def test_words_and_figure_name_the_place_the_hours_and_what_to_do() -> None:
    hours = planted(draw(World(), np.random.default_rng(5)), 0, 6.0, KNOBS)
    told = alerts.together([], gatherings.compared(hours, NOTHING, KNOBS), KNOBS)[1]
    said = gathering_words.gathered(told)
    assert "**1\u00a0alerte**" in said
    assert "**P0**, de 15 h à 18 h" in said
    assert "à vérifier sur place" in said
    assert figures.gathered(told).chart.to_dict()["facet"]
    nothing = alerts.together([], [], KNOBS)[1]
    assert gathering_words.gathered(nothing) == (
        "Aucun compteur de piétons : la ville n'en déclare pas."
    )
    assert figures.gathered(nothing).chart.to_dict()
