"""What goes with the index against known truths."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special

from helpers.sentiment import links
from helpers.sentiment.answers import Floats
from helpers.sentiment.features import Feature
from helpers.sentiment.links import fay_herriot
from tests.fixtures.surveys import ALIKE, KNOBS, RULES, world


@pytest.mark.parametrize("answers", [6000, 2500])
def test_effects_cover_their_truth_and_zones_theirs(answers: int) -> None:
    """The truth of the effects is in the settings; zones' true log odds are drawn with them."""
    rng = np.random.default_rng(4)
    runs, covered, nothing, zones = 300, np.zeros(2), 0, []
    for _ in range(runs):
        told, _, burden, lit, share = world(rng, **ALIKE, answers_a_wave=answers)
        odds, noise, _ = links.pooled(told, 2)
        told_of = np.isfinite(odds)  # the smallest quarters may have nobody who answers
        steps = np.column_stack([np.log2(burden), lit / 10, rng.normal(size=111)])[told_of]
        design = np.column_stack([np.ones(len(steps)), steps - steps.mean(axis=0)])
        area = fay_herriot(odds[told_of], noise[told_of], design)
        reach = 1.984 * np.sqrt(np.diag(area.covariance))[1:]
        truth = np.array([RULES.per_doubling, RULES.per_ten_points_lit])
        covered += np.abs(area.beta[1:3] - truth) <= reach[:2]
        nothing += abs(area.beta[3]) > reach[2]
        true = (share * told.adults).sum(axis=(0, 2)) / told.adults.sum(axis=(0, 2))
        away = np.abs(area.predicted - special.logit(true[told_of]))
        zones.append((away <= 1.96 * np.sqrt(area.error)).mean())
    assert ((covered / runs >= 0.93) & (covered / runs <= 0.97)).all()
    assert nothing / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert 0.93 <= np.mean(zones) <= 0.97


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (np.full(111, 100.0), "nothing_of_its_own"),
        (3 - 2 * np.arange(111.0), "nothing_of_its_own"),
        (np.full(111, np.nan), "too_few_zones"),
    ],
    ids=["the same everywhere", "told by the first", "known nowhere"],
)
def test_a_feature_that_cannot_be_read_abstains_alone(other: Floats, reason: str) -> None:
    told, *_ = world(np.random.default_rng(7))
    one = Feature("x", np.arange(111.0))
    alone = links.by_zone(told, [one], np.zeros(111), KNOBS)
    zones, found = links.by_zone(told, [one, Feature("y", other)], np.zeros(111), KNOBS)
    assert found["status"].to_pylist() == ["ok", "abstained"]
    assert found["reason"].to_pylist()[1] == reason
    assert zones == alone[0]
    assert found.slice(0, 1) == alone[1]


def test_area_predictions_cover_their_truth_and_beat_the_survey_alone() -> None:
    rng = np.random.default_rng(5)
    inside, gains = [], []
    for _ in range(300):
        noise = rng.uniform(0.01, 0.3, 111)
        x = np.column_stack([np.ones(111), rng.normal(size=111)])
        truth = x @ np.array([0.4, -0.3]) + rng.normal(0, 0.25, 111)
        y = truth + rng.normal(0, np.sqrt(noise))
        area = fay_herriot(y, noise, x)
        inside.append((np.abs(area.predicted - truth) <= 1.96 * np.sqrt(area.error)).mean())
        gains.append(((area.predicted - truth) ** 2).mean() / ((y - truth) ** 2).mean())
    assert 0.93 <= np.mean(inside) <= 0.97
    assert np.mean(gains) < 0.5


def test_with_its_variances_known_the_fit_is_weighted_least_squares() -> None:
    rng = np.random.default_rng(6)
    noise = rng.uniform(0.05, 0.3, 40)
    x = np.column_stack([np.ones(40), rng.normal(size=40)])
    y = rng.normal(size=40)
    area = fay_herriot(y, noise, x)
    peer = sm.WLS(y, x, weights=1 / (area.variance + noise)).fit()
    assert area.beta == pytest.approx(np.asarray(peer.params))
    assert (peer.wresid**2).sum() == pytest.approx(38, abs=1e-6)
    assert fay_herriot(x @ np.array([1.0, 2.0]), noise, x).variance == 0


def test_reports_are_set_beside_answers_that_lean_on_nothing() -> None:
    """Quarters all feel alike: an index that leaned on facts would follow reports made of them."""
    rng = np.random.default_rng(12)
    runs, wrong = 200, 0
    flat = {"per_doubling": 0.0, "per_ten_points_lit": 0.0, "place_sd": 0.0}
    for _ in range(runs):
        told, _, burden, *_ = world(rng, **ALIKE, **flat)
        facts = Feature("faits", np.log2(burden))
        zones, _ = links.by_zone(told, [facts], burden * 1000, KNOBS)
        found = links.resemblance(zones, 0.95)
        assert found is not None
        wrong += not found[1] <= 0 <= found[2]
    assert wrong / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_too_few_zones_abstain_and_tell_how_many_are_needed() -> None:
    told, *_ = world(np.random.default_rng(7))
    strict = KNOBS.model_copy(update={"minimum_zones": 112})
    one = Feature("x", np.arange(111.0))
    zones, found = links.by_zone(told, [one], np.zeros(111), strict)
    (row,) = found.to_pylist()
    assert (row["status"], row["reason"]) == ("abstained", "too_few_zones")
    assert row["zones_needed"] == 112
    assert set(zones["status"].to_pylist()) == {"abstained"}


def test_each_feature_needs_a_zone_of_its_own() -> None:
    """As many unknowns as zones leave no error to judge by: two zones more than features."""
    told, *_ = world(np.random.default_rng(7))
    some = KNOBS.model_copy(update={"minimum_zones": 15})
    rng = np.random.default_rng(8)
    features = [Feature(str(i), rng.normal(size=111)) for i in range(110)]
    _, found = links.by_zone(told, features, np.zeros(111), some)
    assert set(found["reason"].to_pylist()) == {"too_few_zones"}
    assert set(found["zones_needed"].to_pylist()) == {112}
