"""Four counts round an action, and two counts alone: what is told with few facts.

The weighted displacement difference adds the ring's change to the zone's, each less that of a
control, with the error of Poisson counts (Wheeler, A. & Ratcliffe, J. 2018, A simple weighted
displacement difference test to evaluate place based crime interventions, Crime Science 7). The
e-test holds one count before against one after (Krishnamoorthy, K. & Thomson, J. 2004, A more
powerful test for comparing two Poisson means, Journal of Statistical Planning and Inference 119).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from helpers.core.stats.staggered_adoption import Effect

FAR = 1e-14  # probability beyond which counts are left out of the e-test


@dataclass(frozen=True)
class Change:
    """Counts of one area before and after."""

    before: int
    after: int

    @property
    def more(self) -> int:
        """Facts more after than before."""
        return self.after - self.before


def weighted_difference(
    zone: Change, control: Change, ring: Change | None = None, ring_control: Change | None = None
) -> Effect:
    """Return the facts more in zone and ring than their controls' change would have made.

    Below 0: prevented, all displacement to the ring counted. Control areas are as large as the
    areas they stand for, and spans equally long. ValueError where a ring lacks its control.
    """
    if (ring is None) != (ring_control is None):
        raise ValueError("a ring and its control go together")
    areas = [(zone, 1), (control, -1)]
    if ring is not None and ring_control is not None:
        areas += [(ring, 1), (ring_control, -1)]
    value = sum(sign * area.more for area, sign in areas)
    total = sum(area.before + area.after for area, _ in areas)
    return Effect(float(value), float(np.sqrt(total)))


def detectable(total: float, confidence: float, power: float = 0.5) -> float:
    """Return the facts that must be prevented to be told, `total` being all counts without action.

    In `power` of cases, by `weighted_difference` and a two-sided interval. Solves
    p = (z_confidence + z_power) √(total − p): what is prevented is not there to be counted.
    """
    reach = float(special.ndtri((1 + confidence) / 2) + special.ndtri(power))
    return reach * (float(np.sqrt(reach**2 + 4 * total)) - reach) / 2


def e_test(first: int, second: int, exposures: tuple[float, float] = (1.0, 1.0)) -> float:
    """Return the chance of two counts so unlike, either way, were their rates the same.

    `exposures`: how long, or how large, each was counted. 1 where both counts are 0.
    """
    if first + second == 0:
        return 1.0
    rate = (first + second) / sum(exposures)
    reach = [int(stats.poisson.isf(FAR, rate * one)) + 1 for one in exposures]
    i, j = np.arange(reach[0] + 1)[:, None], np.arange(reach[1] + 1)[None, :]
    chance = stats.poisson.pmf(i, rate * exposures[0]) * stats.poisson.pmf(j, rate * exposures[1])
    spread = i / exposures[0] ** 2 + j / exposures[1] ** 2
    with np.errstate(invalid="ignore"):
        apart = np.abs(i / exposures[0] - j / exposures[1]) / np.sqrt(spread)
    seen = abs(first / exposures[0] - second / exposures[1])
    seen /= (first / exposures[0] ** 2 + second / exposures[1] ** 2) ** 0.5
    return float(chance[np.nan_to_num(apart) >= seen * (1 - 1e-12)].sum())
