"""How strongly two records seem to tell one fact: Fellegi–Sunter weights, in bits.

A pair's weight is log2 of the prior odds plus, for each comparison, log2(m / u): how much more
often its level is seen between two traces of one fact (m) than between traces of two (u).
Fellegi & Sunter 1969, A theory for record linkage, JASA 64. What two facts look like side by side
is not guessed: records are paired with those of whole weeks later, at the same place and hour of
the week, where every pair is chance. With u so known, m and the prior come by expectation and
maximisation (Winkler 1988; Enamorado, Fifield & Imai 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from helpers.core.stats.intervals import DIGITS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MAX_ITERATIONS, CONVERGED = 500, 1e-9
# Half a pair seen at every level, so that no level is held impossible.
HALF = 0.5


@dataclass(frozen=True)
class Model:
    """The weights of one pair of sources: `prior` among candidate pairs; m, u a comparison."""

    prior: float
    m: Mapping[str, Floats]
    u: Mapping[str, Floats]

    @property
    def prior_weight(self) -> float:
        """Bits of the prior odds."""
        return float(np.round(np.log2(self.prior / (1 - self.prior)), DIGITS))

    def parts(self, comparison: str) -> Floats:
        """Return the bits that each level of `comparison` adds."""
        ratio = self.m[comparison] / self.u[comparison]
        return np.asarray(np.round(np.log2(ratio), DIGITS), dtype=np.float64)

    def weights(self, patterns: Mapping[str, Ints]) -> Floats:
        """Return the weight of each pattern (a level a comparison), in bits; shape (n,)."""
        parts = [self.parts(name)[patterns[name]] for name in self.m]
        total: Floats = np.round(self.prior_weight + np.sum(parts, axis=0), DIGITS)
        return total


def shares(counts: Floats) -> Floats:
    """Return counts as shares, after adding half a pair at each level."""
    smooth = counts + HALF
    return np.asarray(smooth / smooth.sum())


def fit(
    patterns: Mapping[str, Ints], pairs: Ints, chance: Floats, sizes: Mapping[str, int]
) -> Model:
    """Return the model of candidate pairs counted by pattern.

    `patterns` gives the level of each comparison, `pairs` how many candidate pairs show the
    pattern, `chance` how many would by chance; arrays of shape (n,). `sizes` is the number of
    levels of each comparison. Sums are over few patterns, in the order given: sort them first.
    """
    u = _level_shares(patterns, chance, sizes)
    total = float(pairs.sum())
    prior = float(np.clip(1 - chance.sum() / total, 1 / (total + 2), 1 - 1 / (total + 2)))
    # Start from what is left when chance is taken away, level by level.
    excess = np.maximum(pairs - chance, 0)
    m = _level_shares(patterns, excess, sizes)
    for _ in range(MAX_ITERATIONS):
        belief = _posterior(patterns, prior, m, u) * pairs
        new = float(np.clip(belief.sum() / total, 1 / (total + 2), 1 - 1 / (total + 2)))
        m = _level_shares(patterns, belief, sizes)
        if abs(new - prior) < CONVERGED:
            break
        prior = new
    return Model(round(prior, 9), _rounded(m), _rounded(u))


def _level_shares(
    patterns: Mapping[str, Ints], counts: Floats, sizes: Mapping[str, int]
) -> dict[str, Floats]:
    return {
        name: shares(np.bincount(patterns[name], counts, size).astype(float))
        for name, size in sizes.items()
    }


def _rounded(parts: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name: np.round(values, 9) for name, values in parts.items()}


def _posterior(
    patterns: Mapping[str, Ints], prior: float, m: Mapping[str, Floats], u: Mapping[str, Floats]
) -> Floats:
    bits = np.log2(prior / (1 - prior)) + np.sum(
        [np.log2(m[name] / u[name])[patterns[name]] for name in m], axis=0
    )
    return as_probability(bits)


def as_probability(bits: Floats) -> Floats:
    """Return the probability whose odds are 2 to the power of `bits`."""
    found: Floats = 1 / (1 + np.exp2(-bits))
    return found
