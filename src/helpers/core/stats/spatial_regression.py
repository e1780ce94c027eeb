"""Counts of places explained by what they hold: overdispersed regression, neighbours alike or not.

The count of place i is Poisson with mean Eᵢ·exp(xᵢβ + uᵢ): E its exposure, u what its features do
not tell, Gaussian, with variance `own` for each place alone and `shared` in common with places
around, correlated as exp(−distance / reach). Without `shared`, this is the log-normal twin of the
negative binomial: the same variance μ + αμ², with α = exp(own) − 1.

Penalised quasi-likelihood (Breslow, N. E. & Clayton, D. G. 1993, JASA 88, eq. 8–12); variances by
restricted likelihood of the working response, average-information steps (Gilmour, A. R.,
Thompson, R. & Cullis, B. R. 1995, Biometrics 51, eq. 7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

Floats = NDArray[np.float64]
TOLERANCE = 1e-9
ROUNDS = 200
FIRST_STEPS = 8  # of the variances, for each reach that is tried
UNBOUNDED = 1e8  # times fewer than one fact expected: a coefficient runs away
SMALLEST = 1e-6  # a variance below is none


@dataclass(frozen=True)
class Fit:
    """What was found: `coefficients` (p,) and their `covariance` (p, p), on the log scale.

    `reach` is in the unit of the distances, NaN without a shared part. `whole` (n,) are the
    residuals on the log scale, `own_part` what is left of them without the shared part.
    """

    coefficients: Floats
    covariance: Floats
    own: float
    shared: float
    reach: float
    whole: Floats
    own_part: Floats
    converged: bool

    @property
    def freedom(self) -> int:
        """Degrees of freedom: places less coefficients."""
        return len(self.whole) - len(self.coefficients)


def fit(
    counts: Floats,
    design: Floats,
    exposure: Floats,
    distances: Floats | None = None,
    reaches: tuple[float, ...] = (),
) -> Fit:
    """Return the fit of `counts` (n,) on `design` (n, p; its first column ones), `exposure` > 0.

    Where a feature sets places without any fact apart from all others, its coefficient has no
    bound: the fit has not `converged`, and nothing may be read from it.

    With `distances` (n, n) the most likely of the `reaches` is kept; without, places are apart.
    """
    n, offset = len(counts), np.log(exposure)
    eta = np.log(counts + 0.5) - offset
    beta = np.asarray(np.linalg.lstsq(design, eta, rcond=None)[0], dtype=np.float64)
    spread = float((eta - design @ beta).var())
    candidates = [[np.eye(n)]]
    if distances is not None:
        candidates = [[np.eye(n), np.exp(-distances / reach)] for reach in reaches]
    response, noise = _working(counts, offset, eta)
    kernels, variances = _likeliest(response, noise, design, candidates, spread)
    converged = False
    for _ in range(ROUNDS):
        response, noise = _working(counts, offset, eta)
        if noise.max() > UNBOUNDED:
            break
        moved = _step(response, noise, design, kernels, variances)[0]
        found, covariance, whole, parts = _estimate(response, noise, design, kernels, moved)
        smooth = design @ found + parts.sum(axis=0)
        change = max(_gap(found, beta), _gap(smooth, eta), _gap(moved, variances))
        beta, eta, variances = found, smooth, moved
        if change < TOLERANCE:
            converged = True
            break
    shared = float(variances[1]) if len(kernels) > 1 else 0.0
    reach = float("nan")
    if shared:
        reach = reaches[next(i for i, one in enumerate(candidates) if one is kernels)]
    own_part = whole - parts[1:].sum(axis=0)
    return Fit(beta, covariance, float(variances[0]), shared, reach, whole, own_part, converged)


def _estimate(
    response: Floats, noise: Floats, design: Floats, kernels: list[Floats], variances: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return coefficients, their covariance, residuals (n,), and what each kernel tells of them.

    Generalised least squares of the response; the last are the predicted parts (kernels, n).
    """
    signals = [variance * kernel for variance, kernel in zip(variances, kernels, strict=True)]
    inverse = _inverse(np.diag(noise) + np.sum(signals, axis=0))[0]
    covariance = np.asarray(np.linalg.inv(design.T @ inverse @ design), dtype=np.float64)
    found = covariance @ (design.T @ (inverse @ response))
    whole = response - design @ found
    pulled = inverse @ whole
    return found, covariance, whole, np.array([signal @ pulled for signal in signals])


def _gap(one: Floats, other: Floats) -> float:
    return float(np.abs(one - other).max())


def _inverse(total: Floats) -> tuple[Floats, float]:
    """Return the inverse of a positive matrix, and the logarithm of its determinant."""
    root = np.linalg.cholesky(total)
    half = linalg.solve_triangular(root, np.eye(len(root)), lower=True, check_finite=False)
    return half.T @ half, 2 * float(np.log(np.diag(root)).sum())


def _working(counts: Floats, offset: Floats, eta: Floats) -> tuple[Floats, Floats]:
    """Return the working response (n,) around the log-rates `eta`, and its Poisson variance."""
    mean = np.exp(np.clip(offset + eta, -30, 30))
    return eta + (counts - mean) / mean, 1 / mean


def _likeliest(
    response: Floats, noise: Floats, design: Floats, candidates: list[list[Floats]], spread: float
) -> tuple[list[Floats], Floats]:
    """Return the kernels under which the response is most likely, with their variances."""
    best: tuple[float, list[Floats], Floats] | None = None
    for kernels in candidates:
        variances = np.full(len(kernels), spread / len(kernels))
        for _ in range(FIRST_STEPS):
            variances, level = _step(response, noise, design, kernels, variances)
        if best is None or level > best[0] + TOLERANCE:
            best = level, kernels, variances
    assert best is not None
    return best[1], best[2]


def _step(
    response: Floats, noise: Floats, design: Floats, kernels: list[Floats], variances: Floats
) -> tuple[Floats, float]:
    """Return the variances one step on, and the restricted log-likelihood before it.

    A variance never falls below a tenth of itself at once; at zero it stays, unless the slope
    there goes up.
    """
    total = np.diag(noise) + np.tensordot(variances, np.asarray(kernels), 1)
    inverse, determinant = _inverse(total)
    weighted = inverse @ design
    information = design.T @ weighted
    projector = inverse - weighted @ np.linalg.solve(information, weighted.T)
    pulled = projector @ response
    pulls = [kernel @ pulled for kernel in kernels]
    slope = np.array(
        [pulled @ pull - np.sum(projector * k) for k, pull in zip(kernels, pulls, strict=True)]
    )
    average = np.array([[one @ projector @ other for other in pulls] for one in pulls])
    free = np.flatnonzero((variances > 0) | (slope > 0))
    moved = variances.copy()
    if len(free):
        among = average[np.ix_(free, free)] + SMALLEST**2 * np.eye(len(free))
        moved[free] += np.linalg.solve(among, slope[free])
    moved = np.maximum(moved, variances / 10)
    moved[moved < SMALLEST] = 0.0
    level = determinant + np.linalg.slogdet(information)[1] + response @ pulled
    return moved, -0.5 * float(level)


def inflation(features: Floats) -> Floats:
    """Return the variance inflation factor of each column (k,), inf where others determine it.

    1 / (1 − R²) of the column on the others (Belsley, Kuh & Welsch 1980, §3.1).
    """
    n, k = features.shape
    found = np.ones(k)
    for j in range(k):
        others = np.column_stack([np.ones(n), np.delete(features, j, axis=1)])
        own = features[:, j] - features[:, j].mean()
        left = features[:, j] - others @ np.linalg.lstsq(others, features[:, j], rcond=None)[0]
        unexplained = float(left @ left) / float(own @ own)
        found[j] = 1 / unexplained if unexplained > TOLERANCE else np.inf
    return found
