"""Seeded random streams, one for each use: adding a use never shifts the draws of another."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Moments = npt.NDArray[np.datetime64]


def stream(seed: int, use: str) -> np.random.Generator:
    """Return the stream of `use`; the name is hashed with SHA-256, the same everywhere."""
    key = int.from_bytes(hashlib.sha256(use.encode("utf-8")).digest()[:8], "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, key])))


def draw(weights: Floats, size: int, rng: np.random.Generator) -> Ints:
    """Return `size` positions drawn with the given weights (inverse of the cumulative sum)."""
    cumulative = np.cumsum(weights)
    positions = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right")
    return np.asarray(np.minimum(positions, len(weights) - 1), dtype=np.int64)
