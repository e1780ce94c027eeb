"""A made-up theme rolled through three years: what is told without hours, and how sums are met."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from helpers.backtest import rolled, scores
from helpers.core.city.names import WHOLE
from helpers.core.place_time.slots import NO_HOUR, SLOTS, UNPLACED, Slots
from helpers.core.stats import rolling
from helpers.core.stats.count_levels import LAST, Target
from tests.fixtures.forecasts import KNOBS, SEED

DAYS, ZONES = 5 * 365, 6


def made(level: float = 1.0) -> Slots:
    """Four slots, six zones and what is in none, at constant levels."""
    rng = np.random.default_rng(6)
    mean = np.linspace(0.1, level, ZONES + 1)[None, None] * np.ones((DAYS, len(SLOTS), 1))
    names = (*(f"z{i}" for i in range(ZONES)), UNPLACED)
    return Slots(
        "bruit", "zones", "demand", dt.date(2021, 1, 1), rng.poisson(mean).astype(float), SLOTS,
        names, np.full((DAYS, ZONES + 1), ""), 4, {},
    )  # fmt: skip


def test_without_hours_no_slot_is_told() -> None:
    whole = made()
    days = replace(whole, counts=whole.counts.sum(axis=1, keepdims=True), parts=(NO_HOUR,))
    found = list(rolled.roll(days, KNOBS, SEED))
    assert [one.horizon for one in found] == ["day", "week", "month"]
    assert {part for one in found for part in one.parts} == {rolled.OF_DAY}


def test_zones_scaled_to_the_city_sum_to_its_own_forecast() -> None:
    held = made()
    panel = rolled.panel(held)
    for one in rolled.roll(held, KNOBS, SEED):
        best = min(one.city_choice.values())
        assert one.city_choice[one.city_method] == pytest.approx(best, rel=1e-9)
        block, parts = one.judged, list(one.parts.values())[-1]
        total = block.means[one.method][:, parts].sum(axis=(1, 2))
        if one.city_method == rolling.BOTTOM_UP:
            continue
        target = Target(held.lead, one.length)
        city = rolling.block(rolling.city_of(panel), block.at, target, None).with_day()
        assert total == pytest.approx(city.means[one.city_method][:, parts].sum(axis=(1, 2)))


def test_of_methods_that_are_one_the_first_is_chosen_whatever_the_last_digits() -> None:
    """Over a city, two baselines are one: their scores differ by what sums lose."""
    for noise in (0, 1e-15, -1e-15):
        assert rolled.least({"a": 2.0, "b": 1.0 + noise, "c": 1.0, "d": 1.0 - noise}) == "b"
    assert rolled.least({"a": 1.0, "b": 1.0 - 1e-6}) == "b"
    held = made()
    chosen = [one.city_choice for one in rolled.roll(held, KNOBS, SEED)]
    for scores_ in chosen:
        shaken = {name: score * (1 + (-1) ** i * 1e-14) for i, (name, score) in
                  enumerate(scores_.items())}  # fmt: skip
        assert rolled.least(shaken) == rolled.least(scores_)


def test_scaling_changes_no_share_and_no_other_method() -> None:
    held = made()
    panel, target = rolled.panel(held), Target(4, 7)
    block = rolling.block(panel, np.array([1500, 1600]), target, None).with_day()
    told = rolling.scaled(block, "mean_52", np.array([10.0, 20.0]), slice(4, 5))
    assert told.means["mean_52"][:, 4].sum(axis=1) == pytest.approx([10, 20])
    before, after = block.means["mean_52"], told.means["mean_52"]
    assert after / after[:, 4:].sum(axis=2, keepdims=True) == pytest.approx(
        before / before[:, 4:].sum(axis=2, keepdims=True)
    )
    assert (told.means["ewma_26"] == block.means["ewma_26"]).all()


def test_nothing_of_the_year_that_judges_chooses() -> None:
    """Destroying the last year, bar its first origin's past, leaves each choice as it was."""
    held = made()
    chosen = {one.horizon: (one.method, one.city_method) for one in rolled.roll(held, KNOBS, SEED)}
    first = int(rolling.origins(held.known, Target(held.lead, 28), 7, 0).min())
    counts = held.counts.copy()
    counts[first + held.lead + 28 :] = 77
    destroyed = replace(held, counts=counts)
    for one in rolled.roll(destroyed, KNOBS, SEED):
        assert (one.method, one.city_method) == chosen[one.horizon]


def test_a_year_of_silence_abstains() -> None:
    """Silent for the whole year that judges: no origin is whole, and nothing is claimed."""
    held = made()
    why = held.why.copy()
    why[-420:] = "silent"
    mute = replace(held, why=why)
    for one in rolled.roll(mute, KNOBS, SEED):
        rows = list(scores.skill(mute, one, KNOBS))
        assert {row["status"] for row in rows} == {"abstained"}
        assert {row["reason"] for row in rows} == {scores.NOT_WHOLE}
        assert not list(scores.scores(mute, one, SEED))
        assert not list(scores.places(mute, one, np.ones(ZONES), KNOBS))


def test_where_nothing_beats_the_last_count_the_city_is_silent_and_never_repeats_it() -> None:
    """A city whose level walks at random from week to week: its last week says all there is."""
    held, rng = made(), np.random.default_rng(5)
    walk = np.exp(np.cumsum(rng.normal(0, 0.35, DAYS // 7 + 1))).clip(0.05, 20).repeat(7)[:DAYS]
    counts = rng.poisson(held.counts.mean(axis=0) * walk[:, None, None] / walk.mean()).astype(float)
    for one in rolled.roll(replace(held, counts=counts), KNOBS, SEED):
        if one.horizon != "week":
            continue
        assert LAST not in one.city_choice
        told = {row["division"]: row for row in scores.skill(held, one, KNOBS)}
        assert (told[WHOLE]["status"], told[WHOLE]["reason"]) == ("abstained", scores.NO_SKILL)
