"""How easily patrols see each kind: the rate δ that gives agents their share of the records."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from helpers.core.base.errors import PhareError
from helpers.simulate.base import Kind
from helpers.simulate.intensity import Ground
from helpers.simulate.presence import HOURS, SLOTS, STARTS_H, Presence
from helpers.simulate.streams import Floats

EVERY = 11  # days: a sample in which each weekday and season has its share
HIGHEST = 1e6


def detections(
    kinds: tuple[Kind, ...], ground: Ground, presence: Presence, recording: Floats
) -> Floats:
    """Return δ of each kind, per agent-hour in a quarter and slot; missions get 0.

    Of the incidents of a kind, patrols see the share E[(1−r)·(1−exp(−δ·hours))], the mean over
    quarters and slots by expected incidents. δ is such that the share of agents among the records
    is that of the settings. `recording` has shape (kinds, days).
    """
    days = np.arange(0, max(1, presence.hours.shape[0] - 1), EVERY)
    hours = presence.hours[days]
    found = np.zeros(len(kinds))
    for index, kind in enumerate(kinds):
        if kind.about.mission or kind.about.agent == 0:
            continue
        weight = _weights(kind, ground, hours.shape[2])[days]
        level = recording[index, days][:, None, None]
        told = kind.reported * level
        aim = (weight * told).sum() * kind.about.agent / (1 - kind.about.agent)
        found[index] = _solved(kind.code, weight * (1 - told), hours * level, aim)
    return found


def _solved(code: str, weight: Floats, hours: Floats, aim: float) -> float:
    """Return δ with Σ weight·(1 − exp(−δ·hours)) = aim."""

    def gap(log_rate: float) -> float:
        return float((weight * -np.expm1(-np.exp(log_rate) * hours)).sum()) - aim

    if gap(np.log(HIGHEST)) <= 0:
        raise PhareError(
            f"les patrouilles ne peuvent pas relever autant de « {code} »",
            "simulation.yaml, world.reported",
            "baisser la part signalée de cette nature, ou sa part `agent`",
        )
    root = optimize.brentq(gap, -12.0, np.log(HIGHEST), xtol=1e-4)
    return float(np.exp(root))


def _weights(kind: Kind, ground: Ground, quarters: int) -> Floats:
    """Return the expected incidents by day, slot and quarter; the night goes with its evening."""
    quarter = ground.territory.quarter[ground.cells]
    total = np.zeros((len(kind.inland) // HOURS, len(SLOTS), quarters))
    starts = np.array(STARTS_H) - STARTS_H[0]
    for on_coast, weights in ((False, kind.inland), (True, kind.coast)):
        here = ground.coast == on_coast
        place = np.bincount(quarter[here], kind.place[here], quarters)
        from_morning = np.concatenate([weights[STARTS_H[0] :], np.zeros(STARTS_H[0])])
        slots = np.add.reduceat(from_morning.reshape(-1, HOURS), starts, axis=1)
        total += slots[:, :, None] * place[None, None, :]
    return total
