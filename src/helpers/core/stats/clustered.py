"""Counts explained by several things at once, their errors shared within groups of days.

Log-linear Poisson model (McCullagh & Nelder 1989, chapter 6). Errors are those of the sandwich
summed by group (Liang & Zeger 1986, Biometrika 73), its residuals corrected for the leverage of
their group, with Student's degrees of freedom to match (Bell & McCaffrey 2002, Survey Methodology
28; "CR2"): whatever makes the days of one group alike widens the intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]
ROUNDS = 50
TOLERANCE = 1e-9
SINGULAR = 1e-8  # of a group's leverage: what its own coefficients take up wholly


@dataclass(frozen=True)
class Clustered:
    """Coefficients (p,) on the log scale, and what their errors are read from.

    `scaled` (n, p) and `left` (n,): the design and the residuals in units of a count's own error;
    `bread` (p, p): the inverse information; `members` and `halves`: each group's rows, and the
    matrix that corrects their residuals.
    """

    coefficients: Floats
    scaled: Floats
    left: Floats
    bread: Floats
    members: list[NDArray[np.intp]]
    halves: list[Floats]

    def spread(self, row: Floats) -> tuple[float, float]:
        """Return the error of `row` (p,) times the coefficients, and its degrees of freedom.

        Satterthwaite's degrees of freedom, the counts being Poisson (Bell & McCaffrey 2002).
        """
        owed = self.scaled @ (self.bread @ row)  # each day's influence on the value
        forms = np.zeros((len(owed), len(self.members)))
        square = 0.0
        for g, (rows, half) in enumerate(zip(self.members, self.halves, strict=True)):
            influence = half @ owed[rows]
            square += float(self.left[rows] @ influence) ** 2
            # The group's term as a form of independent unit errors: residuals are (I - H) of them.
            forms[:, g] = -self.scaled @ (self.bread @ (self.scaled[rows].T @ influence))
            forms[rows, g] += influence
        alike = forms.T @ forms
        freedom = float(np.trace(alike)) ** 2 / max(float((alike**2).sum()), 1e-300)
        return float(np.sqrt(square)), freedom


def interval(value: float, error: float, freedom: float, confidence: float) -> tuple[float, float]:
    """Return the two ends of Student's interval."""
    reach = float(special.stdtrit(freedom, (1 + confidence) / 2)) * error
    return value - reach, value + reach


def p_value(value: float, error: float, freedom: float) -> float:
    """Return the chance of so great a value, either way, were there none (Student)."""
    return 2 * float(special.stdtr(freedom, -abs(value) / error))


def clustered_poisson(counts: Floats, design: Floats, groups: ArrayLike) -> Clustered:
    """Return the fit of `counts` (n,) on `design` (n, p), with errors by `groups` (n,).

    ValueError where it does not settle (a coefficient without bound) or two columns are alike.
    """
    fitted, information = _maximum(counts, design)
    bread = np.asarray(np.linalg.inv(information), dtype=np.float64)
    means = np.exp(design @ fitted)
    scaled = design * np.sqrt(means)[:, None]
    labels = np.unique(np.asarray(groups), return_inverse=True)[1]
    members = [np.flatnonzero(labels == one) for one in range(int(labels.max()) + 1)]
    halves = []
    for rows in members:
        x = scaled[rows]
        values, vectors = np.linalg.eigh(np.eye(len(rows)) - x @ bread @ x.T)
        free = values > SINGULAR
        halves.append((vectors[:, free] / np.sqrt(values[free])) @ vectors[:, free].T)
    left = (counts - means) / np.sqrt(means)
    return Clustered(fitted, scaled, left, bread, members, halves)


def _maximum(counts: Floats, design: Floats) -> tuple[Floats, Floats]:
    """Return the coefficients of greatest likelihood and their information (Newton's method)."""
    beta = np.asarray(np.linalg.lstsq(design, np.log(counts + 0.5), rcond=None)[0])
    for _ in range(ROUNDS):
        mean = np.exp(np.clip(design @ beta, -30, 30))
        information = (design * mean[:, None]).T @ design
        if np.linalg.cond(information) > 1e14:
            raise ValueError("two columns cannot be told apart")
        step = np.linalg.solve(information, design.T @ (counts - mean))
        beta = beta + step
        if np.abs(step).max() < TOLERANCE:
            return beta, information
    raise ValueError("the regression did not settle")
