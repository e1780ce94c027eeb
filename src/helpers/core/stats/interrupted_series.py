"""One series with a date at which something changed: what the date did, by two models.

`local_level` lets the level drift of itself, as counts of a town do: a state-space model with a
fixed season (Harvey, A. & Durbin, J. 1986, The effects of seat belt legislation on British road
casualties, JRSS A 149), fitted by statsmodels with an exact diffuse start (Durbin & Koopman 2012,
chapter 5). `segmented` gives the whole series one smooth trend (Wagner, A. et al. 2002, Journal of
Clinical Pharmacy and Therapeutics 27): the two may disagree, and then the model matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from statsmodels.tsa.statespace.structural import UnobservedComponents

from helpers.core.stats.quasi_poisson import quasi_poisson
from helpers.core.stats.staggered_adoption import Effect

Floats = NDArray[np.float64]
ROUNDS = 500


@dataclass(frozen=True)
class Interrupted:
    """The effect of each regressor, on the log scale, and the log-likelihood where there is one."""

    effects: tuple[Effect, ...]
    log_likelihood: float | None


def local_level(log_outcome: Floats, regressors: Floats, season: int) -> Interrupted:
    """Return the effects of `regressors` (periods, k) on `log_outcome` (periods,).

    `season` periods make a year. The season's shape is fixed: let free, its variance settles at
    0, on the edge, and the fit does not end. ValueError where the likelihood has no settled top.
    """
    model = UnobservedComponents(
        log_outcome, level="llevel", seasonal=season, stochastic_seasonal=False,
        exog=regressors, use_exact_diffuse=True,
    )  # fmt: skip
    fit = model.fit(disp=False, maxiter=ROUNDS, method="bfgs")
    if not fit.mle_retvals["converged"]:
        raise ValueError("the likelihood did not settle")
    values, errors = fit.params[-regressors.shape[1] :], fit.bse[-regressors.shape[1] :]
    effects = tuple(Effect(float(v), float(e)) for v, e in zip(values, errors, strict=True))
    return Interrupted(effects, float(fit.llf))


def segmented(counts: Floats, regressors: Floats, season: int) -> Interrupted:
    """Return the effects of `regressors` (periods, k) on `counts` (periods,), quasi-Poisson.

    Beside a level, one effect a season's place, a trend and its square; as `local_level`.
    """
    at = np.arange(len(counts))
    trend = (at - at.mean()) / max(float(at.std()), 1.0)
    places = [at % season == one for one in range(1, season)]
    known = np.column_stack([np.ones(len(at)), *places, trend, trend**2])
    design = np.concatenate([known, regressors], axis=1).astype(np.float64)
    fit = quasi_poisson(counts, design, np.ones(len(at)))
    effects = [
        Effect(float(fit.coefficients[i]), float(np.sqrt(fit.covariance[i, i])), fit.freedom)
        for i in range(known.shape[1], design.shape[1])
    ]
    return Interrupted(tuple(effects), None)
