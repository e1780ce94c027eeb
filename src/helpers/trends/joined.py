"""The parts of a theme that counts several sources, made one: each weighs what it brings.

Each source is silent, late and recorded anew in its own way. A week is held against the others
where all parts were heard; what is in hand of it, and how it was recorded, are those of the parts,
each as far as it makes the theme. With a single part nothing is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers.core.stats.quasi_poisson import Floats
from helpers.trends.milestones import Step

PRIOR = 10.0  # facts' worth of the city's shares in those of a zone, which few facts would toss


@dataclass(frozen=True)
class Part:
    """What one source brings to a theme.

    `counts`, `heard`: (zones, weeks), the city first. `share_in`, `late_error`: (weeks,), the share
    of the entries in hand and its relative error. `steps`: its changes of recording.
    """

    counts: Floats
    heard: Floats
    share_in: Floats
    late_error: Floats
    steps: list[Step]

    @property
    def recorded(self) -> Floats:
        """What was recorded of what would be today, by week (weeks,)."""
        found = np.ones(len(self.share_in))
        for step in self.steps:
            found[: step.at] *= np.exp(-(step.log_ratio or 0.0))
        return found


@dataclass(frozen=True)
class Joined:
    """`heard`, `share_in`, `recorded`: (zones, weeks); `late_error`: (weeks,), of the city."""

    heard: Floats
    share_in: Floats
    recorded: Floats
    late_error: Floats
    steps: list[Step]


def join(parts: Sequence[Part]) -> Joined:
    """Return the parts as one."""
    weights = shares(parts)
    heard = np.prod([part.heard for part in parts], axis=0)
    share_in, recorded = (
        np.asarray(sum(own[:, None] * one for own, one in zip(weights, each, strict=True)))
        for each in ([part.share_in for part in parts], [part.recorded for part in parts])
    )
    if len(parts) == 1:
        return Joined(heard, share_in, recorded, parts[0].late_error, parts[0].steps)
    errors = [
        own[0] * part.share_in * part.late_error for own, part in zip(weights, parts, strict=True)
    ]
    late_error = np.sqrt(np.sum(np.square(errors), axis=0)) / share_in[0]
    return Joined(heard, share_in, recorded, late_error, _steps(parts, weights[:, 0]))


def shares(parts: Sequence[Part]) -> Floats:
    """Return which share of the facts each part brings, as it records today: (parts, zones)."""
    rates = []
    for part in parts:
        exposure = (part.heard * (part.share_in * part.recorded)).sum(axis=1)
        counted = (part.counts * (part.heard > 0)).sum(axis=1)
        rates.append(np.divide(counted, exposure, np.zeros(len(counted)), where=exposure > 0))
    rate = np.array(rates)
    whole = rate[:, 0].sum()
    city = rate[:, 0] / whole if whole else np.full(len(parts), 1 / len(parts))
    facts = rate * len(parts[0].share_in)
    return np.asarray((facts + PRIOR * city[:, None]) / (facts.sum(axis=0) + PRIOR))


def _steps(parts: Sequence[Part], weights: Floats) -> list[Step]:
    """Return the changes of recording as they touch the sum, one a milestone, in time's order.

    The error of a logarithm of a sum, to the first order.
    """
    found: dict[tuple[int, str], list[tuple[float, Step]]] = {}
    for weight, part in zip(weights, parts, strict=True):
        for step in part.steps:
            found.setdefault((step.at, step.milestone.title), []).append((float(weight), step))
    return [_as_one(found[key]) for key in sorted(found)]


def _as_one(touched: Sequence[tuple[float, Step]]) -> Step:
    unmeasured = next((step for _, step in touched if step.log_ratio is None), None)
    if unmeasured:
        return unmeasured
    lost = [(weight * np.exp(-(step.log_ratio or 0.0)), step) for weight, step in touched]
    before = 1 - sum(weight for weight, _ in touched) + sum(one for one, _ in lost)
    error = np.sqrt(sum((one * step.error) ** 2 for one, step in lost)) / before
    return replace(touched[0][1], log_ratio=float(-np.log(before)), error=float(error))
