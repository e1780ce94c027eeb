"""Whether effects grow with doses, from one action to the next: a line through log ratios.

Weighted least squares, each effect by the inverse of its variance, which need be known up to a
factor alone: how actions depart from the line tells it (Knapp, G. & Hartung, J. 2003, Improved
tests for a random effects meta-regression, Statistics in Medicine 22, without a variance between).
Doses were not drawn: a place that was given more hours may differ in other ways.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from helpers.core.stats.staggered_adoption import Effect

Floats = NDArray[np.float64]


def slope(doses: Floats, effects: Floats, errors: Floats) -> Effect:
    """Return what one more unit of dose adds to the log ratio, with n − 2 degrees of freedom.

    All (n,); `errors` up to a factor. ValueError with fewer than three effects, or one dose alone.
    """
    if len(doses) < 3 or not np.ptp(doses) > 0:
        raise ValueError("fewer than three effects, or all of one dose")
    weight = 1 / errors**2
    off = doses - weight @ doses / weight.sum()
    spread = float(weight @ off**2)
    value = float(weight @ (off * effects)) / spread
    left = effects - weight @ effects / weight.sum() - value * off
    freedom = len(doses) - 2
    return Effect(value, float(np.sqrt(weight @ left**2 / freedom / spread)), freedom)
