"""Other designs, ranked among places: known truths, ranks by hand, silences."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from helpers.core.stats import second_readings as readings
from helpers.core.stats.second_readings import Blocks, FewPlaces, Places, Way
from helpers.core.stats.staggered_adoption import Effect
from helpers.core.stats.staggered_counts import Spans

Floats = NDArray[np.float64]
SPANS = Spans(52, 5, 26)
WEEKS, START, OTHERS, CITIES = 234, 182, 40, 200
FALL = 0.3
WAYS: dict[str, Callable[[Places, int], Way]] = {
    "places": lambda p, s: readings.like_places(p, s, SPANS),
    "synthetic": lambda p, s: readings.by_weights(p, s, SPANS, twice=False),
    "synthetic_difference": lambda p, s: readings.by_weights(p, s, SPANS, twice=True),
    "own_series": lambda p, s: readings.by_own_series(p, s, SPANS),
    "weighted_displacement": lambda p, s: readings.with_ring(p, s, SPANS),
}


def town(rng: np.random.Generator, fall: float, came: float, worst: bool) -> tuple[Places, int]:
    """Draw a treated place and others: uneven levels, a season, a drift, what drags on in each."""
    level = 2 * np.exp(rng.normal(0, 0.5, OTHERS + 1))
    level[0] = 4.0
    week = np.arange(WEEKS)
    whole = 0.15 * np.cos(2 * np.pi * week / 52) + rng.normal(0, 0.01, WEEKS).cumsum()
    own = rng.normal(0, 0.1, (OTHERS + 1, WEEKS))
    for i in range(1, WEEKS):
        own[:, i] = 0.9 * own[:, i - 1] + (1 - 0.81) ** 0.5 * own[:, i]
    mean = level[:, None] * np.exp(whole + own)
    zones, rings = rng.poisson(mean), rng.poisson(1.5 * mean)
    start = START
    if worst:  # just after its four worst weeks
        start = 110 + int(np.convolve(zones[0], np.ones(4), "valid")[106:200].argmax())
    prevented = rng.binomial(zones[0], fall * (week >= start))
    zones[0] -= prevented
    rings[0] += rng.binomial(prevented, came)
    heard = np.ones(zones.shape, dtype=bool)
    return Places(zones.astype(np.float64), rings.astype(np.float64), heard), start


def tried(seed: int, fall: float, came: float = 0.0, worst: bool = False) -> dict[str, Floats]:
    """Return of each way, of each city: error of the estimate, truth inside, effect told."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in WAYS}
    for _ in range(CITIES):
        places, start = town(rng, fall, came, worst)
        after = slice(start, start + SPANS.after)
        expected = places.zones[0, after].sum() / (1 - fall)
        for name, way in WAYS.items():
            told = readings.against(way(places, start), 0.95)
            truth = math.log(1 - fall)
            if name == "weighted_displacement":
                truth = -fall * (1 - came) * expected
            found[name].append(
                (told.value - truth, told.low <= truth <= told.high, told.chance <= 0.05)
            )
    return {name: np.array(rows, dtype=np.float64) for name, rows in found.items()}


@pytest.fixture(scope="module")
def fallen() -> dict[str, Floats]:
    return tried(3, FALL, came=0.25)


@pytest.fixture(scope="module")
def chosen() -> dict[str, Floats]:
    return tried(4, 0.0, worst=True)


@pytest.mark.parametrize("name", WAYS)
def test_an_effect_is_read_without_bias_and_its_interval_holds_it(
    name: str, fallen: dict[str, Floats]
) -> None:
    off, inside, _ = fallen[name].T
    assert 0.92 <= inside.mean() <= 0.985  # 200 cities: 1.5 points of chance
    if name != "weighted_displacement":
        assert abs(off.mean()) < 0.1 * -math.log(1 - FALL)
    else:
        assert abs(off.mean()) < 2 * off.std() / CITIES**0.5


@pytest.mark.parametrize("name", WAYS)
def test_a_place_chosen_for_its_worst_month_shows_no_effect(
    name: str, chosen: dict[str, Floats]
) -> None:
    off, _, told = chosen[name].T
    assert told.mean() <= 0.085
    assert abs(off.mean()) < 3 * off.std() / CITIES**0.5


def test_a_fall_of_three_tenths_is_seen_more_often_than_nothing(
    fallen: dict[str, Floats], chosen: dict[str, Floats]
) -> None:
    for name in ("places", "synthetic", "synthetic_difference"):
        assert fallen[name][:, 2].mean() > 0.3 > 3 * chosen[name][:, 2].mean()


def fixed(values: list[float], error: float = 1.0) -> Way:
    return Way(lambda row: Effect(values[row], error), np.ones(len(values)))


def test_a_rank_by_hand() -> None:
    """Nineteen places within chance: the interval reaches as far as the farthest of them."""
    never = [0.1 * i * (-1) ** i for i in range(1, 20)]
    told = readings.against(fixed([5.0, *never]), 0.95)
    assert (told.low, told.high) == pytest.approx((5 - 1.9, 5 + 1.9))
    assert (told.chance, told.places) == (1 / 20, 19)
    within = readings.against(fixed([-1.0, *never]), 0.95)
    assert within.chance == (1 + 10) / 20


def test_too_few_places_give_no_interval() -> None:
    assert readings.fewest(0.95) == 19
    assert readings.fewest(0.9) == 9
    with pytest.raises(FewPlaces):
        readings.against(fixed([1.0] * 19), 0.95)


def test_a_large_place_is_not_far_for_what_makes_all_places_differ() -> None:
    """Small places have much chance in them, the treated one little: what is left is common."""
    rng = np.random.default_rng(2)
    values = [0.5, *rng.normal(0, math.hypot(0.5, 0.3), 200)]
    way = Way(lambda row: Effect(values[row], 0.5 if row else 0.05), np.ones(201))
    told = readings.against(way, 0.95)
    assert told.high - told.value == pytest.approx(1.96 * math.hypot(0.05, 0.3), rel=0.25)


def test_a_week_not_heard_is_no_week_of_zeros() -> None:
    """Silent weeks at the treated place, and a place silent when it speaks, change nothing."""
    places, start = town(np.random.default_rng(5), 0.0, 0.0, worst=False)
    mute = places.heard.copy()
    zones = places.zones.copy()
    mute[0, start + 3], mute[7, start + 8] = False, False
    zones[0, start + 3], zones[7, start + 8] = 0.0, 0.0
    silent = Places(zones, places.rings, mute)
    other = zones.copy()
    other[:, start + 3] = 999.0
    other[7] = 999.0
    for name in ("places", "synthetic", "synthetic_difference", "weighted_displacement"):
        one = readings.against(WAYS[name](silent, start), 0.95)
        assert one.places == OTHERS - 1
        if name != "weighted_displacement":  # its other weeks tell which place is like which
            same = readings.against(WAYS[name](Places(other, places.rings, mute), start), 0.95)
            assert one == same
    with pytest.raises(ValueError, match="too short, or with silences"):
        readings.by_own_series(silent, start, SPANS)


def test_the_displacement_difference_of_counts_by_hand() -> None:
    """Two places alike but for their fall: −8 in the zone, +3 in the ring, nothing elsewhere."""
    zones, rings = np.full((3, 120), 1.0), np.full((3, 120), 2.0)
    zones[2] = 9.0
    zones[0, 80:88] = 0.0
    rings[0, 80:83] = 3.0
    way = readings.with_ring(Places(zones, rings, np.ones(zones.shape, dtype=bool)), 80, SPANS)
    effect = way.of(0)
    assert effect.value == -5
    # 26 weeks a year apart, of 1 + 2 facts a week, at the place and at the one like it.
    assert effect.error == pytest.approx(math.sqrt(4 * 26 * 3 - 5))


def test_weights_of_blocks_are_of_those_far_away_and_reach_its_quarters() -> None:
    rng = np.random.default_rng(8)
    counts = rng.poisson(1.5, (300, 200)).astype(np.float64)
    of = np.zeros((2, 300), dtype=bool)
    of[0, :6], of[1, 50:56] = True, True
    near = of.copy()
    near[0, 6:20], near[1, 40:60] = True, True
    free = ~near[0]
    counts[:6, 150:] = np.round(0.5 * counts[:6, 150:])
    counts[6:20] = 500.0  # the ring of the treated place: no control of anything
    blocks = Blocks(counts, of, near, free)
    heard = np.ones(200, dtype=bool)
    ratio = math.exp(readings.by_blocks(blocks, heard, 150, SPANS).of(0).value)
    assert ratio == pytest.approx(0.5, abs=0.12)
    least, most = readings.reach_of_blocks(blocks, heard, 150, SPANS)
    assert least < ratio < most
    assert math.exp(readings.by_blocks(blocks, heard, 150, SPANS).of(1).value) == pytest.approx(
        1, abs=0.3
    )


def test_false_effects_are_counted_by_each_place() -> None:
    values = [9.0, 3.0, 0.1, -3.0, math.nan]

    def of(row: int) -> Effect:
        if row == 4:
            raise ValueError
        return Effect(values[row], 1.0)

    assert readings.wrongly(Way(of, np.ones(5)), 0.95) == (2, 3)


def test_the_treated_place_is_never_among_the_others() -> None:
    """What happens to it changes nothing of what is read of the places."""
    places, start = town(np.random.default_rng(6), 0.0, 0.0, worst=False)
    moved = places.zones.copy()
    moved[0, start:] *= 7
    again = Places(moved, places.rings, places.heard)
    for name, row in itertools.product(("places", "synthetic", "synthetic_difference"), (1, 9)):
        assert WAYS[name](places, start).of(row) == WAYS[name](again, start).of(row)
