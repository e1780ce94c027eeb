"""The index against known truths: who lives there, who did not answer."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from helpers.core.city.names import WHOLE
from helpers.sentiment import index
from helpers.sentiment.answers import Floats, Survey
from tests.fixtures.surveys import ALIKE, KNOBS, made_up, world


def test_answers_stand_for_the_adults_of_their_age() -> None:
    """Worked by hand: ages of 300 and 100 adults, 40 of 50 and 10 of 50 quiet."""
    found = index.post_stratified(
        made_up(adults=[[300, 100]], invited=[[200, 100]], answers=[[50, 50]], quiet=[[40, 10]])
    )
    assert found.value[0] == pytest.approx([0.75 * 0.8 + 0.25 * 0.2] * 2)
    assert found.answered[0] == pytest.approx([0.75 * 0.25 + 0.25 * 0.5] * 2)
    share = np.array([40.5, 10.5]) / 51
    expected = (np.array([0.75, 0.25]) ** 2 * share * (1 - share) / 49).sum()
    assert found.variance[0] == pytest.approx([expected] * 2)


def test_what_is_not_told_is_neither_zero_nor_lost() -> None:
    """The second zone's answers are hidden: its adults are taken for those of their age."""
    found = index.post_stratified(
        made_up(
            adults=[[100, 100], [300, 100]], invited=[[40, 40], [9, 9]],
            answers=[[20, 20], [np.nan, np.nan]], quiet=[[20, 0], [np.nan, np.nan]],
        )
    )  # fmt: skip
    assert found.value[0, 0] == pytest.approx(400 / 600)
    assert found.n[0, 0] == 40
    # Nothing is known of those hidden: they are among the silent, 20 told of 49 invited.
    assert found.answered[0, 0] == pytest.approx(20 / 49)


def test_a_place_where_nothing_is_told_does_not_weigh_as_zero() -> None:
    """Two places of as many adults; in the first all of 40 are quiet, the second tells nothing."""
    one = made_up(
        adults=[[100], [100]], invited=[[80], [9]], answers=[[40], [np.nan]], quiet=[[40], [np.nan]]
    )
    found = index.post_stratified(
        dataclasses.replace(one, groups=["a", "b"], group=np.array([0, 1]))
    )
    assert found.value[0, -1] == 1
    assert found.answered[0, -1] == pytest.approx(0.25)
    assert found.n[0].tolist() == [40, 0, 40]


@pytest.mark.parametrize(("quiet", "n"), [(0, 50), (3, 400), (25, 50), (49, 50), (50, 50)])
def test_one_stratum_has_wilson_s_interval(quiet: int, n: int) -> None:
    """But for the half answer by which the variance is kept from nothing: wider at the ends."""
    found = index.post_stratified(
        made_up(adults=[[900]], invited=[[2 * n]], answers=[[n]], quiet=[[quiet]])
    )
    low, high = index.interval(found.value, found.variance, 0.95)
    expected = proportion_confint(quiet, n, method="wilson")
    assert (low[0, 0], high[0, 0]) == pytest.approx(expected, abs=0.04)
    assert 0 <= low[0, 0] <= found.value[0, 0] <= high[0, 0] <= 1
    assert 0.98 <= (high[0, 0] - low[0, 0]) / (expected[1] - expected[0]) <= 1.4


def by_district(told: Survey, share: Floats) -> Floats:
    """Return the true share of each group, of shape (waves, groups)."""
    member = (told.group[:, None] == np.arange(len(told.groups))).astype(float)
    quiet = np.einsum("wzs,zg->wg", share * told.adults, member)
    return np.asarray(quiet / np.einsum("wzs,zg->wg", told.adults, member))


@pytest.mark.parametrize("answers", [6000, 1500])
def test_intervals_cover_where_those_who_answer_are_like_the_others(answers: int) -> None:
    """In the city and in its districts; 1,500 answers leave some districts about fifty."""
    rng = np.random.default_rng(1)
    runs, inside, districts = 500, 0, []
    for _ in range(runs):
        told, truth, *_, share = world(rng, **ALIKE, answers_a_wave=answers)
        found = index.post_stratified(told)
        low, high = index.interval(found.value, found.variance, 0.95)
        inside += low[-1, -1] <= truth[-1] <= high[-1, -1]
        true = by_district(told, share)[-1]
        districts.append(((low[-1, :-1] <= true) & (true <= high[-1, :-1])).mean())
    assert 0.93 <= inside / runs <= 0.97
    assert 0.93 <= np.mean(districts) <= 0.97


def test_where_they_are_not_the_index_is_wrong_and_the_band_holds_the_truth() -> None:
    rng = np.random.default_rng(2)
    runs, naive, shifted, worst = 200, 0, 0, 0
    for _ in range(runs):
        told, truth, *_ = world(rng)
        rows = index.by_wave(told, KNOBS).to_pylist()
        last = [row for row in rows if row["zone"] == WHOLE][-1]
        naive += last["low"] <= truth[-1] <= last["high"]
        shifted += last["shift_low"] <= truth[-1] <= last["shift_high"]
        worst += last["worst_low"] <= truth[-1] <= last["worst_high"]
    assert naive / runs < 0.1
    assert shifted / runs > 0.95
    assert worst == runs


def test_a_change_is_told_apart_from_chance_as_often_as_said() -> None:
    rng = np.random.default_rng(3)
    runs, missed = 400, 0
    for _ in range(runs):
        told, truth, *_ = world(rng)
        last = [r for r in index.by_wave(told, KNOBS).to_pylist() if r["zone"] == WHOLE][-1]
        # Who answers has not changed: the bias of both waves is nearly the same.
        missed += not last["change_low"] <= truth[1] - truth[0] <= last["change_high"]
    assert 0.02 <= missed / runs <= 0.09


def test_too_few_answers_abstain() -> None:
    told, *_ = world(np.random.default_rng(7))
    strict = KNOBS.model_copy(update={"minimum_answers": 10**6})
    rows = index.by_wave(told, strict).to_pylist()
    assert {(row["status"], row["reason"]) for row in rows} == {("abstained", "too_few_answers")}
    assert {row["value"] for row in rows} == {None}
