"""What is said of features of places, held against known truths. `make grade ROOMS=context`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import special
from scipy.spatial import distance

from helpers.context.effects import reaches_of
from helpers.core.stats.fixed_effects import within
from helpers.core.stats.grading import Line, Trial, seen
from helpers.core.stats.spatial_regression import Fit, Floats, fit

ZONES, SIDE_M = 111, 12_000.0
TRUTH = np.array([0.3, 0.0, -0.3, 0.0, 0.1])  # log effects of five features
REACH_M = 3000.0  # over which neighbours are alike
COMES = 0.2  # log effect of what comes and goes


def covered(found: Fit, truth: Floats) -> Floats:
    """Return which effects lie within their interval at 95 %."""
    error = np.sqrt(np.diag(found.covariance))[1:]
    reach = special.stdtrit(found.freedom, 0.975) * error
    return np.asarray(np.abs(found.coefficients[1:] - truth) <= reach, dtype=np.float64)


def _lasting(seed: int, tries: int) -> Iterator[Line]:
    for alike in (False, True):
        ours, plain = [], []
        for turn in range(tries):
            rng = np.random.default_rng([seed, int(alike), turn])
            apart = distance.squareform(distance.pdist(rng.uniform(0, SIDE_M, (ZONES, 2))))
            root = np.linalg.cholesky(np.exp(-apart / REACH_M) + 1e-9 * np.eye(ZONES))
            features = rng.standard_normal((ZONES, len(TRUTH)))
            rest = np.log(rng.gamma(1 / 0.8, 0.8, ZONES))
            if alike:
                features = root @ features
                rest = 0.8 * (root @ rng.standard_normal(ZONES)) + 0.4 * rng.standard_normal(ZONES)
            exposure = rng.uniform(1000, 20_000, ZONES)
            mean = 0.02 * exposure * np.exp(features @ TRUTH + rest)
            counts = rng.poisson(mean).astype(float)
            design = np.column_stack([np.ones(ZONES), features])
            found = fit(counts, design, exposure, apart, reaches_of(apart))
            ours.append(covered(found, TRUTH).mean())
            plain.append(covered(fit(counts, design, exposure), TRUTH).mean())
        setting = "zones voisines qui se ressemblent" if alike else "zones sans ressemblance"
        yield seen("effets de cinq traits, dans leur intervalle à 95 %", setting, (0.93, 0.98),
                   ours, "zones prises pour indépendantes", plain)  # fmt: skip


def _coming(seed: int, tries: int) -> Iterator[Line]:
    ours, plain = [], []
    for turn in range(tries):
        rng = np.random.default_rng([seed, 9, turn])
        level = rng.lognormal(1, 1, 60)
        present = (rng.random((60, 40)) < 0.1 * (level / level.mean())[:, None]).astype(float)
        season = np.exp(0.3 * np.sin(np.arange(40) / 6))
        noise = rng.gamma(4, 1 / 4, (60, 40))
        mean = level[:, None] * season * np.exp(COMES * present) * noise
        counts = rng.poisson(mean).astype(float)
        found = within(counts, present)
        if found is not None:
            ours.append(abs(found[0] - COMES) <= special.stdtrit(59, 0.975) * found[1])
            there, gone = counts[present > 0], counts[present == 0]
            error = np.sqrt(1 / there.sum() + 1 / gone.sum())
            ratio = np.log(there.mean() / gone.mean())
            plain.append(abs(ratio - COMES) <= 1.96 * error)
    yield seen("effet de ce qui vient et s'en va, dans son intervalle à 95 %",
               "chantiers là où il y a du monde", (0.92, 0.98), ours,
               "zones avec contre zones sans", plain)  # fmt: skip


TRIALS = (Trial("lasting", 60, _lasting), Trial("coming", 150, _coming))
