"""Measures of how well a map foretold where facts fell.

PAI: Chainey, S., Tompson, L. & Uhlig, S. (2008), The utility of hotspot mapping for predicting
spatial patterns of crime, Security Journal 21. PEI: Hunt, J. M. (2016), Do crime hot spots move?,
American University. The continuous ranked probability score is `scoringrules`'.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def accuracy_index(observed: ArrayLike, foretold: ArrayLike, area: ArrayLike) -> Floats:
    """Return the prediction accuracy index of flagging the 1, 2, … n places foretold highest.

    All of shape (n,). The share of facts caught over the share of area flagged; places foretold
    alike are taken in their given order. NaN where there is no fact.
    """
    n, size = _ranked(observed, foretold), _ranked(area, foretold)
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = np.cumsum(n) / n.sum()
    return np.asarray(hit / (np.cumsum(size) / size.sum()))


def efficiency_index(observed: ArrayLike, foretold: ArrayLike) -> Floats:
    """Return the prediction efficiency index of flagging 1, 2, … n places of equal area.

    The facts caught over the most that as many places could have caught. NaN where none could.
    """
    n = _ranked(observed, foretold)
    best = np.cumsum(np.sort(np.asarray(observed, dtype=float))[::-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.cumsum(n) / best)


def _ranked(values: ArrayLike, foretold: ArrayLike) -> Floats:
    order = np.argsort(-np.asarray(foretold, dtype=float), kind="stable")
    return np.asarray(values, dtype=float)[order]
