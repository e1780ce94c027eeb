"""What an event adds, against real venues published elsewhere, and against sums done by hand."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from helpers.core.stats import event_ratio
from helpers.core.stats.event_ratio import Beside
from helpers.core.stats.quasi_poisson import reach

FEWEST_DAYS = 30
KNOWN = {  # the study's own, as it prints them
    ("Austin (Texas Memorial Stadium)", "FBS"): (2.11, 1.53, 2.83),
    ("Chicago (Soldier Field)", "NFL"): (2.35, 1.94, 2.83),
    ("Chicago (Wrigley Field)", "MLB"): (1.31, 1.23, 1.40),
    ("Los Angeles (Dodger Stadium)", "MLB"): (3.11, 2.69, 3.58),
    ("San Francisco (Candlestick Park)", "NFL"): (13.6, 10.3, 17.7),
    ("Chicago (United Center)", "NBA"): (1.01, 0.93, 1.10),
}


@pytest.fixture(scope="module")
def events_folder(shared: Path) -> Path:
    folder = shared / "events"
    if not (folder / "sports_venue_days.csv.gz").is_file():
        pytest.skip(f"NO REAL VENUES: {folder} lacks sports_venue_days.csv.gz, nothing is checked")
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def estimates(events_folder: Path) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Each venue by itself; days of several sports are a kind of their own."""
    venues: dict[str, list[dict[str, str]]] = {}
    for row in rows(events_folder / "sports_venue_days.csv.gz"):
        if row["offence_type"] == "assault":
            venues.setdefault(row["complex"], []).append(row)
    found = {}
    for venue, held in venues.items():
        days = np.array([row["date"] for row in held], dtype="datetime64[D]")
        counts = np.array([float(row["crime_count"]) for row in held])
        played = np.array([row["sport"] for row in held])
        sports = sorted(set(played) - {"none"})
        events = (played[:, None] == np.array(sports)).astype(float)
        design = event_ratio.calendar_columns(days)
        for sport, ratio in zip(sports, event_ratio.over_days(counts, design, events), strict=True):
            if sport != "multiple" and (played == sport).sum() >= FEWEST_DAYS:
                assert ratio is not None
                found[venue, sport] = ratio.within(0.95)
    return found


@pytest.fixture(scope="module")
def published(events_folder: Path) -> dict[tuple[str, str], tuple[float, float, float]]:
    return {
        (row["complex"], row["sport"]): (
            float(row["r_complex"]), float(row[".lower"]), float(row[".upper"])
        )
        for row in rows(events_folder / "sports_published_ratios.csv.gz")
    }  # fmt: skip


def test_thirty_of_the_34_venues_lie_within_the_published_interval_and_all_overlap(
    estimates: dict[tuple[str, str], tuple[float, float, float]],
    published: dict[tuple[str, str], tuple[float, float, float]],
) -> None:
    assert len(estimates) == 34
    inside = [published[pair][1] <= own[0] <= published[pair][2] for pair, own in estimates.items()]
    assert sum(inside) >= 30
    for pair, (_, low, high) in estimates.items():
        assert low <= published[pair][2], pair
        assert published[pair][1] <= high, pair


def test_the_known_venues_are_found_and_the_file_says_what_the_study_does(
    estimates: dict[tuple[str, str], tuple[float, float, float]],
    published: dict[tuple[str, str], tuple[float, float, float]],
) -> None:
    for pair, told in KNOWN.items():
        assert published[pair] == pytest.approx(told, abs=0.06)
        assert told[1] <= estimates[pair][0] <= told[2], pair


def test_a_kind_never_counted_has_no_ratio_and_leaves_the_others_theirs() -> None:
    rng = np.random.default_rng(3)
    days = np.datetime64("2023-01-02") + np.arange(700)
    events = np.zeros((700, 2))
    events[::10, 0], events[5::175, 1] = 1, 1
    counts = rng.poisson(np.where(events[:, 0] > 0, 20.0, 10.0)).astype(float)
    counts[events[:, 1] > 0] = 0
    first, never = event_ratio.over_days(counts, event_ratio.calendar_columns(days), events)
    assert never is None
    assert first is not None
    value, low, high = first.within(0.95)
    assert low < 2.0 < high
    assert value == pytest.approx(2.0, rel=0.1)


def test_one_stratum_is_the_plain_odds_ratio_of_its_sums() -> None:
    """Mantel & Haenszel's ratio of rows of one table each, done by hand."""
    counts = Beside(*(np.array(v, dtype=float) for v in ([8, 3, 5], [20, 10, 12], [10, 9, 8],
                      [50, 40, 45])), np.array([0, 1, 2]))  # fmt: skip
    more = 8 * 50 / 88 + 3 * 40 / 62 + 5 * 45 / 70
    less = 20 * 10 / 88 + 10 * 9 / 62 + 12 * 8 / 70
    ratio = event_ratio.beside(counts)
    assert ratio is not None
    assert np.exp(ratio.value) == pytest.approx(more / less)


def test_nothing_counted_tells_nothing() -> None:
    nothing = Beside(np.zeros(5), np.ones(5), np.ones(5), np.ones(5), np.arange(5))
    assert event_ratio.beside(nothing) is None
    two = Beside(np.ones(2), np.ones(2), np.ones(2), np.ones(2), np.arange(2))
    assert event_ratio.beside(two) is None  # no error can be read from two strata


def test_places_are_drawn_to_their_mean_the_more_the_less_they_say() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(0.3, 0.2, 400)
    errors = np.where(np.arange(400) % 2, 0.05, 0.5)
    pooled = event_ratio.partially_pooled(truth + rng.normal(0, errors), errors)
    assert pooled.mean == pytest.approx(0.3, abs=0.04)
    assert pooled.between == pytest.approx(0.2, abs=0.04)
    inside = np.abs(pooled.value - truth) <= reach(0.95, np.array(0)) * pooled.error
    assert 0.92 <= inside.mean() <= 0.98
    raw = np.mean(np.abs(rng.normal(0, 0.5, 200)))
    assert np.mean(np.abs(pooled.value - truth)[errors > 0.1]) < 0.6 * raw


def test_places_alike_are_one() -> None:
    pooled = event_ratio.partially_pooled(np.array([0.2, 0.2, 0.2]), np.array([0.1, 0.1, 0.1]))
    assert pooled.between == 0
    assert pooled.elsewhere() == pytest.approx((0.2, 0.1 / np.sqrt(3)))


def test_ends_of_a_count_are_those_of_the_negative_binomial() -> None:
    mean, spread, phi = np.array([3.0, 12.0, 40.0]), np.array([0.1, 0.2, 0.3]), 1.4
    low, high = event_ratio.foreseen(mean, spread, phi, 0.9)
    variance = phi * mean + (spread * mean) ** 2
    law = stats.nbinom(mean**2 / (variance - mean), mean / variance)
    assert low.tolist() == law.ppf(0.05).tolist()
    assert high.tolist() == law.ppf(0.95).tolist()
