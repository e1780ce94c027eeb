"""Gi*, smoothing and local permutations, at most 100,000 cells and a million points, beside peers.

Each task is done by ours, by esda where it has it, and in plain scipy; all in this process, in
turn, the best of some rounds each, and the same answer asked of all. Prints seconds and, what is
to be read, our time over the faster peer's. A peer too slow for the whole is timed on a part, and
its time is that of the part times what is left: said by « ~ ».

`OPENBLAS_NUM_THREADS=1 python -m benchmarks.hotspots [--size full] [--rounds N]`; esda, with
benchmarks/requirements-hotspots.txt, is measured where it is installed. Smaller sizes are a smaller
city, as dense.
"""

from __future__ import annotations

import warnings
from typing import Any

import libpysal
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal, sparse, spatial, stats

from benchmarks.parts.measure import Size, at_hand, best, parser, show_ratio
from helpers.core.stats import hot_cells
from helpers.core.stats.density import smoothed
from helpers.core.stats.zone_rates import local_moran

SHAPES: dict[Size, tuple[int, int]] = {"tiny": (20, 30), "small": (80, 125), "full": (250, 400)}
ROUNDS: dict[Size, int] = {"tiny": 1, "small": 3, "full": 5}
DENSITY, SIDE = 10, 200.0  # points a cell, metres
NEEDS = "requirements-hotspots.txt"
RADIUS, BANDWIDTH, DRAWS, PART = 400.0, 2.0, 999, 200
Floats = NDArray[np.float64]


def city(shape: tuple[int, int]) -> tuple[NDArray[np.int64], Floats]:
    """Return the positions (n, 2) of the cells and how many points each holds (n,)."""
    rng = np.random.default_rng(1)
    field = ndimage.gaussian_filter(rng.normal(size=shape), 3)
    rate = np.exp(1.5 * field / field.std()).ravel()
    counts = rng.multinomial(DENSITY * rate.size, rate / rate.sum()).astype(float)
    return np.argwhere(np.ones(shape, dtype=bool)), counts


def told(task: str, ours: float, peers: dict[str, float]) -> None:
    """Print a task's seconds, and our time over the faster peer's."""
    others = ", ".join(f"{name} {seconds:.4f} s" for name, seconds in peers.items())
    print(f"{task} : nous {ours:.4f} s, {others}")
    show_ratio("nous / le plus rapide", ours, min(peers.values()))


def gi_star(cells: NDArray[np.int64], counts: Floats, rounds: int) -> None:
    """Compare weights and statistic: neighbours within 400 m, the cell among them."""
    points = cells * SIDE

    def ours() -> Floats:
        return hot_cells.gi_star(counts, hot_cells.neighbours(points, RADIUS))

    def plain() -> Floats:
        tree = spatial.cKDTree(points)
        near = tree.sparse_distance_matrix(tree, RADIUS, output_type="coo_matrix")
        weights = sparse.csr_array((np.ones(near.nnz), (near.row, near.col)), shape=near.shape)
        size, n, mean = weights.sum(axis=1), len(counts), counts.mean()
        spread = counts.std() * np.sqrt((n * size - size**2) / (n - 1))
        return np.asarray((weights @ counts - mean * size) / spread)

    def theirs() -> Floats:
        import esda

        near = libpysal.weights.DistanceBand(points, RADIUS, silence_warnings=True)
        found = esda.G_Local(counts, near, transform="B", permutations=0, star=True)
        return np.asarray(found.Zs)

    (mine, z), (scipys, same) = best(ours, rounds), best(plain, rounds)
    assert np.allclose(z, same)
    peers = {"scipy": scipys}
    if at_hand("esda", NEEDS):
        peers["esda"], peer = best(theirs)
        assert np.allclose(z, peer)
    told("Gi* et ses poids", mine, peers)


def density(shape: tuple[int, int], cells: NDArray[np.int64], counts: Floats, rounds: int) -> None:
    """Compare a Gaussian kernel, bandwidth 400 m, at all the cells."""
    at = tuple(cells.T)
    reach = np.arange(-8, 9)
    kernel = np.exp(-(reach**2) / (2 * BANDWIDTH**2))
    kernel /= kernel.sum()

    def ours() -> Floats:
        return smoothed(cells, counts, BANDWIDTH, edges=False)

    def folded() -> Floats:
        grid = np.zeros(shape)
        grid[at] = counts
        return np.asarray(signal.fftconvolve(grid, np.outer(kernel, kernel), mode="same")[at])

    def filtered() -> Floats:
        grid = np.zeros(shape)
        grid[at] = counts
        found = ndimage.gaussian_filter(grid, BANDWIDTH, mode="constant", truncate=4.0)
        return np.asarray(found[at])

    rng = np.random.default_rng(2)
    points = (np.repeat(cells, counts.astype(int), axis=0)).T.astype(float)
    chosen = rng.choice(len(cells), PART, replace=False)
    wide = BANDWIDTH / np.sqrt(np.cov(points)[0, 0])

    def exact() -> Floats:
        return np.asarray(stats.gaussian_kde(points, bw_method=wide)(cells[chosen].T))

    (mine, found), (fft, same) = best(ours, 10 * rounds), best(folded, 10 * rounds)
    plain, also = best(filtered, 10 * rounds)
    assert np.allclose(found, same)
    assert np.allclose(found, also)
    told("Densité", mine, {"scipy fftconvolve": fft, "scipy gaussian_filter": plain})
    part, _ = best(exact)
    print(f"  scipy gaussian_kde: ~{part * len(cells) / PART:.0f} s (d'après {PART} mailles)")


def permutations(shape: tuple[int, int], counts: Floats, rounds: int) -> None:
    """Compare local Moran's I and 999 conditional permutations, eight neighbours.

    Counts that are equal would be ties, which esda counts otherwise: each is moved a little.
    """
    counts = counts + np.random.default_rng(5).uniform(0, 0.01, len(counts))
    near = libpysal.weights.lat2W(*shape, rook=False)
    near.transform = "r"
    weights = sparse.csr_array(near.sparse)

    def ours() -> tuple[Floats, Floats]:
        return local_moran(counts, weights, DRAWS, np.random.default_rng(3))

    def theirs() -> Any:
        import esda

        return esda.Moran_Local(counts, near, permutations=DRAWS, seed=3, n_jobs=1)

    z = (counts - counts.mean()) / counts.std()
    rng = np.random.default_rng(4)
    chosen = rng.choice(len(counts), PART, replace=False)

    def plain() -> Floats:
        found = []
        for i in chosen:
            others = np.delete(z, i)
            size = weights.indptr[i + 1] - weights.indptr[i]
            drawn = others[rng.integers(0, len(others), (DRAWS, size))].mean(axis=1)
            found.append((drawn >= (weights[[i]] @ z)[0]).mean())
        return np.array(found)

    mine, (moran, p) = best(ours, rounds)
    part, _ = best(plain)
    peers, told_gap = {"~boucle": part * len(p) / PART}, ""
    if at_hand("esda", NEEDS):
        theirs()  # its loops are compiled once
        peers["esda"], peer = best(theirs)
        assert np.allclose(moran, peer.Is * len(counts) / (len(counts) - 1))
        # esda's p is one-sided; draws differ, so do the last decimals.
        gap = np.abs(np.minimum(1.0, 2 * peer.p_sim) - p)
        assert gap.mean() < 0.03
        told_gap = f"  p : écart moyen à esda {gap.mean():.4f}, le plus grand {gap.max():.3f}"
    told(f"Moran local, {DRAWS} permutations", mine, peers)
    if told_gap:
        print(told_gap)


def main() -> None:
    """Run the three."""
    warnings.filterwarnings("ignore", category=FutureWarning)
    line = parser(__doc__)
    line.add_argument("--rounds", type=int)
    asked = line.parse_args()
    shape, rounds = SHAPES[asked.size], asked.rounds or ROUNDS[asked.size]
    cells, counts = city(shape)
    print(f"mailles : {len(cells):,} ; points : {int(counts.sum()):,} ; passages : {rounds}")
    gi_star(cells, counts, rounds)
    density(shape, cells, counts, rounds)
    permutations(shape, counts, rounds)


if __name__ == "__main__":
    main()
