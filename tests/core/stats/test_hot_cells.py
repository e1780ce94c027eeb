"""Local statistics: published values, every arrangement counted, and chance told as chance."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse, spatial, stats
from scipy.ndimage import gaussian_filter

from helpers.core.stats import hot_cells
from helpers.core.stats.density import smoothed
from helpers.core.stats.zone_rates import local_moran

# Example of the PySAL documentation (esda.G_Local), distance band 15.
POINTS = np.array([(10, 10), (20, 10), (40, 10), (15, 20), (30, 20), (30, 30)], dtype=float)
Y = np.array([2, 3, 3.2, 5, 8, 7])
SIDE, RATE, RUNS = 40, 0.05, 500
Floats = NDArray[np.float64]


def lattice(side: int, step: float = 200.0) -> np.ndarray[Any, Any]:
    return np.array([(i * step, j * step) for i in range(side) for j in range(side)])


GRID = lattice(SIDE)
NEAR = hot_cells.neighbours(GRID, 400)


def test_gi_star_of_the_published_example() -> None:
    z = hot_cells.gi_star(Y, hot_cells.neighbours(POINTS, 15))
    assert (z.min(), z.max()) == pytest.approx((-1.39727626, 2.02424331), abs=1e-6)
    assert int(z.argmin()) == 0
    assert int(z.argmax()) == 5


@given(st.integers(0, 10_000), st.floats(100, 700))
@settings(max_examples=25, deadline=None)
def test_gi_star_is_that_of_the_formula_written_out(seed: int, radius: float) -> None:
    """Getis & Ord's definition with a full matrix of weights, cell by cell."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 2000, (40, 2))
    counts = rng.poisson(2, 40).astype(float)
    if counts.std() == 0:
        return
    weights = (spatial.distance_matrix(points, points) <= radius).astype(float)
    n, mean = len(counts), counts.mean()
    s = np.sqrt(sum(c * c for c in counts) / n - mean * mean)
    expected = []
    for row in weights:
        top = sum(w * c for w, c in zip(row, counts, strict=True)) - mean * row.sum()
        bottom = s * np.sqrt((n * (row**2).sum() - row.sum() ** 2) / (n - 1))
        expected.append(top / bottom if bottom else np.nan)
    found = hot_cells.gi_star(counts, hot_cells.neighbours(points, radius))
    assert found == pytest.approx(np.array(expected), abs=1e-9, nan_ok=True)


def test_neighbours_are_those_of_another_library() -> None:
    libpysal = pytest.importorskip("libpysal", reason="libpysal is absent: weights not compared")
    points = lattice(12)
    ours = hot_cells.neighbours(points, 400).toarray()
    theirs, _ = libpysal.weights.DistanceBand(points, 400, silence_warnings=True).full()
    np.fill_diagonal(theirs, 1)
    assert np.array_equal(ours, theirs)
    assert ours.diagonal().min() == 1
    # Two cells away along an axis, not diagonally: thirteen cells in the open field.
    assert ours[6 * 12 + 6].sum() == 13


@pytest.mark.parametrize("even", [0.0, 5.0])
def test_undefined_score_is_never_a_discovery(even: float) -> None:
    """Where all cells are alike Gi* is not defined: its chance is 1, and no number is lacking."""
    weights = hot_cells.neighbours(lattice(8), 400)
    assert np.isnan(hot_cells.gi_star(np.full(64, even), weights)).all()
    assert (hot_cells.chance(np.full(64, even), weights) == 1).all()


def test_gi_of_the_published_example() -> None:
    expected = [-1.0136729, -0.04361589, 1.31558703, -0.31412676, 1.15373986, 1.77833941]
    assert hot_cells.gi(Y, hot_cells.neighbours(POINTS, 15)) == pytest.approx(expected, abs=1e-6)


def people(rng: np.random.Generator, kind: str) -> Floats:
    """Return people by cell: the same everywhere, or uneven from one part of the city to another.

    Log-normal, log-sd 1.5, smooth over 400 m: a tenth of the cells hold about half of them.
    """
    if kind == "even":
        return np.ones(SIDE**2)
    field = gaussian_filter(rng.normal(size=(SIDE, SIDE)), 2, mode="wrap")
    found = np.exp(1.5 * field / field.std()).ravel()
    return np.asarray(found / found.mean())


def hot(counts: Floats, exposure: Floats | None) -> NDArray[np.bool_]:
    return np.asarray(
        stats.false_discovery_control(hot_cells.crowded(counts, 1.0, exposure)) <= RATE
    )


@pytest.mark.parametrize("kind", ["even", "uneven"])
@pytest.mark.parametrize("mean", [0.1, 1.0, 10.0])
def test_facts_that_follow_the_people_make_nothing_hot(kind: str, mean: float) -> None:
    """Every hot cell is false, so the rate bounds cities with any, and far more so cells."""
    rng = np.random.default_rng([int(10 * mean), len(kind)])
    wrong, share = 0, 0.0
    for _ in range(RUNS):
        exposure = people(rng, kind)
        found = hot(rng.poisson(mean * exposure).astype(float), exposure)
        wrong += bool(found.any())
        share += found.mean() / RUNS
    error = np.sqrt(RATE * (1 - RATE) / RUNS)
    assert wrong / RUNS <= RATE + 3 * error
    assert share <= RATE


def test_without_the_people_the_same_cities_are_full_of_hot_cells() -> None:
    """What the test above would see if the exposure were not used."""
    rng = np.random.default_rng(3)
    counts = [rng.poisson(5 * people(rng, "uneven")).astype(float) for _ in range(20)]
    assert np.mean([hot(n, None).mean() for n in counts]) > RATE


def test_a_place_of_many_facts_for_its_people_is_found_in_an_uneven_city() -> None:
    rng = np.random.default_rng(8)
    middle = SIDE * SIDE // 2 + SIDE // 2
    crowd = NEAR[[middle]].toarray().ravel() > 0
    found = 0
    for _ in range(50):
        exposure = np.maximum(people(rng, "uneven"), 0.3)
        counts = rng.poisson(8 * exposure * np.where(crowd, 9.0, 1.0)).astype(float)
        found += bool(hot(counts, exposure)[middle])
    assert found >= 45


def test_the_same_people_everywhere_change_nothing() -> None:
    counts = np.random.default_rng(1).poisson(0.7, SIDE**2).astype(float)
    plain = hot_cells.crowded(counts, 2.0)
    for each in (1.0, 37.5):
        found = hot_cells.crowded(counts, 2.0, np.full(SIDE**2, each))
        assert found == pytest.approx(plain, abs=1e-12)


def test_a_cells_own_count_is_judged_by_the_exact_binomial_test() -> None:
    """SciPy's own test, cell by cell: more than twice the mean of the ground?"""
    counts = np.random.default_rng(4).poisson(1.5, 60).astype(float)
    size = np.random.default_rng(5).uniform(0.5, 3, 60)
    found = hot_cells.crowded(counts, 2.0, size)
    for k, share in enumerate(2 * size / size.sum()):
        test = stats.binomtest(int(counts[k]), int(counts.sum()), share, alternative="greater")
        assert found[k] == pytest.approx(test.pvalue, abs=1e-12)


@pytest.mark.parametrize("mean", [0.3, 3.0])
def test_of_cells_at_the_very_limit_no_more_are_said_than_the_rate(mean: float) -> None:
    """A third of the cells at exactly twice the mean, the others below: all that is said is false.

    Twice for a third leaves half for the others: the mean is 1.
    """
    rng = np.random.default_rng(int(10 * mean))
    true = np.where(np.arange(SIDE**2) % 3 == 0, 2.0, 0.5)
    wrong = 0
    for _ in range(RUNS):
        counts = rng.multinomial(int(mean * SIDE**2), true / true.sum()).astype(float)
        p = hot_cells.crowded(counts, 2.0)
        wrong += bool((stats.false_discovery_control(p) <= RATE).any())
    assert wrong / RUNS <= RATE + 3 * np.sqrt(RATE * (1 - RATE) / RUNS)


def test_other_years_have_the_spread_of_the_truth_not_of_the_counts() -> None:
    """Gamma rates known: the counts' law again; a cell's draws, Robbins' mean given its count."""
    rng = np.random.default_rng(7)
    shape, mean = 0.5, 1.0
    counts = rng.poisson(rng.gamma(shape, mean / shape, 20_000)).astype(float)
    years = hot_cells.OtherYears(counts)
    drawn = np.mean([years.draw(rng) for _ in range(60)], axis=0)
    for n in (0, 1, 4):
        due = (shape + n) / (shape / mean + 1)
        assert drawn[counts == n].mean() == pytest.approx(due, rel=0.12)
    assert years.draw(rng).var() == pytest.approx(mean + mean**2 / shape, rel=0.15)


def ring(n: int) -> sparse.csr_array:
    """Return the row-standardised weights of places in a ring, each with those on both sides."""
    rows = np.repeat(np.arange(n), 2)
    columns = np.array([((i - 1) % n, (i + 1) % n) for i in range(n)]).ravel()
    return sparse.csr_array((np.full(2 * n, 0.5), (rows, columns)), shape=(n, n))


def test_local_moran_is_that_of_every_arrangement() -> None:
    """Values by Anselin's formula, p among all the ways to put two of the others on both sides."""
    values = np.array([1.0, 2.0, 2.0, 8.0, 9.0, 7.5, 3.0, 0.5])
    n, z = len(values), values - values.mean()
    moran, p = local_moran(values, ring(n), 200_000, np.random.default_rng(2))
    for i in range(n):
        lag = (z[i - 1] + z[(i + 1) % n]) / 2
        assert moran[i] == pytest.approx(z[i] * lag / (z @ z / n))
        ways = [sum(pair) / 2 for pair in permutations(np.delete(z, i).tolist(), 2)]
        above, below = (np.mean([sign * (w - lag) >= -1e-9 for w in ways]) for sign in (1, -1))
        assert p[i] == pytest.approx(min(1.0, 2 * min(above, below)), abs=0.01)


def test_gi_star_does_not_depend_on_the_order_of_places() -> None:
    rng = np.random.default_rng(6)
    counts: Any = rng.poisson(1, SIDE**2).astype(float)
    order = rng.permutation(SIDE**2)
    moved = hot_cells.chance(counts[order], hot_cells.neighbours(GRID[order], 400))
    assert moved == pytest.approx(hot_cells.chance(counts, NEAR)[order], abs=1e-12)


def test_smoothing_is_the_sum_of_kernels_and_keeps_a_flat_city_flat() -> None:
    """Each square's Gaussian written out; edges mended, no place of an even city stands out."""
    rng = np.random.default_rng(9)
    squares = np.argwhere(rng.random((25, 30)) < 0.7) + np.array([1000, -40])
    counts = rng.poisson(2, len(squares)).astype(float)
    away = ((squares[:, None, :] - squares[None, :, :]) ** 2).sum(axis=2)
    kernel = np.exp(-away / (2 * 1.5**2)) / (2 * np.pi * 1.5**2)
    assert smoothed(squares, counts, 1.5, edges=False) == pytest.approx(kernel @ counts, abs=2e-3)
    assert smoothed(squares, np.full(len(squares), 3.0), 1.5) == pytest.approx(3.0)


def test_local_moran_asks_for_equal_weights() -> None:
    uneven = ring(6)
    uneven.data[0] = 0.9
    with pytest.raises(ValueError, match="not equal"):
        local_moran(np.arange(6.0), uneven, 99, np.random.default_rng(1))
