"""What is said of agents' activity, held against known truths. `make grade ROOMS=patrol`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from helpers.core.stats.grading import Line, Trial, seen
from helpers.patrol import bounds, shares

CONFIDENCE = 0.95
RANGE = (0.1, 0.4)  # of facts that inhabitants tell: declared
LEVEL = 150.0  # facts a zone
MORE_HOURS = 1.1  # of what the effect is told


def _bounds(seed: int, tries: int) -> Iterator[Line]:
    for share in (0.1, 0.2, 0.4):
        rng = np.random.default_rng([seed, int(100 * share)])
        told = rng.poisson(np.full(tries, LEVEL * share)).astype(float)
        met = rng.poisson(np.full(tries, LEVEL * (1 - share) * 0.3)).astype(float)
        low, high = bounds.bounds(told, met, np.zeros(tries), RANGE, CONFIDENCE)
        n = told + met
        ends = (stats.chi2.ppf(0.025, 2 * n) / 2, stats.chi2.ppf(0.975, 2 * n + 2) / 2)
        yield seen("faits vrais d'une zone, entre leurs bornes", f"{100 * share:.0f} % signalés",
                   (0.94, None), (low <= LEVEL) & (high >= LEVEL), "comptes pris tels quels",
                   (ends[0] <= LEVEL) & (ends[1] >= LEVEL))  # fmt: skip


def _elasticity(seed: int, tries: int) -> Iterator[Line]:
    rng, inside, plain = np.random.default_rng(seed), [], []
    for _ in range(tries):
        stratum = np.repeat(np.arange(40), 30)
        # Hours go where facts are many: what a plain regression takes for their effect.
        level = rng.lognormal(-3, 1, 40)[stratum]
        hours = rng.gamma(4, 5, stratum.size) * np.sqrt(level / level.mean())
        n = rng.poisson(level * hours**0.8).astype(float)
        found = shares.elasticity(n, hours, stratum, CONFIDENCE)
        if found is not None:
            inside.append(found[1] <= MORE_HOURS**0.8 <= found[2])
            slope = stats.linregress(np.log(hours), np.log(n + 0.5))
            plain.append(abs(slope.slope - 0.8) <= 1.96 * slope.stderr)
    yield seen("effet d'un dixième d'heures en plus, dans son intervalle à 95 %",
               "élasticité 0,8, patrouilles là où il y a des faits", (0.93, 0.98), inside,
               "régression simple", plain)  # fmt: skip


TRIALS = (Trial("bounds", 4000, _bounds), Trial("elasticity", 300, _elasticity))
