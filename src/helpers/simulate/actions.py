"""Actions on hot zones: when, where, what they prevent, where part of it goes.

In its zone an action prevents a share of the incidents it aims at (Braga and Weisburd 2020: −16 %)
while it lasts; afterwards the share halves every so many weeks. Of what it prevents, a share moves
to the ring around (displacement); and the ring gets a part of the effect too (diffusion).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from helpers.simulate.intensity import Ground
from helpers.simulate.settings_world import ActionPlan
from helpers.simulate.streams import Bools, Floats, Ints, stream

NONE = -1
SMOOTH_M = 300.0  # zones are chosen by the incidents within this distance
WEEK = 7


@dataclass(frozen=True)
class Actions:
    """One row an action. Days are positions in the period, both included.

    `zones` and `rings` hold the cells (positions in the territory) of each; `zone_of` and
    `ring_of` give the action of each cell of the territory, or −1; no cell is in two. `aims` tells
    which kinds each action concerns, shape (actions, kinds). `dose_h` is in agent-hours a week,
    `patrol_h` the part of it that patrols. `effect`, `displacement` and `diffusion` are shares.
    """

    type: tuple[str, ...]
    shade: tuple[str, ...]
    centre: Ints
    quarter: Ints
    zones: tuple[Ints, ...]
    rings: tuple[Ints, ...]
    zone_of: Ints
    ring_of: Ints
    first_day: Ints
    last_day: Ints
    dose_h: Floats
    patrol_h: Floats
    effect: Floats
    half_life_days: float
    displacement: Floats
    diffusion: float
    aims: Bools

    def __len__(self) -> int:
        return len(self.type)

    def effect_at(self, action: Ints, day: Ints) -> Floats:
        """Return the share of the incidents aimed at that the action prevents in its zone."""
        after = np.maximum(day - self.last_day[action], 0)
        begun = day >= self.first_day[action]
        return np.asarray(self.effect[action] * begun * 0.5 ** (after / self.half_life_days))

    def prevented(self, kind: int, cell: Ints, day: Ints) -> tuple[Ints, Floats]:
        """Return the action whose zone or ring holds each cell, or −1, and the share prevented."""
        zone, ring = self.zone_of[cell], self.ring_of[cell]
        action = np.maximum(zone, ring)
        share = self.effect_at(action, day) * np.where(zone >= 0, 1.0, self.diffusion)
        return action, share * ((action >= 0) & self.aims[action, kind])

    def extra_hours(self, days: int, quarters: int) -> Floats:
        """Return the agent-hours a day that actions put on patrol, shape (days, quarters)."""
        added = np.zeros((days, quarters))
        for a in range(len(self)):
            lasting = slice(int(self.first_day[a]), int(self.last_day[a]) + 1)
            added[lasting, self.quarter[a]] += self.patrol_h[a] / WEEK
        return added


def plan_actions(
    plan: ActionPlan, ground: Ground, busy: Floats, kinds: tuple[str, ...], days: int, seed: int
) -> Actions:
    """Return the actions that begin in a period of `days` days; `busy` weighs the built cells."""
    rng = stream(seed, "actions")
    centre, zones, rings = _zones(plan, ground, busy)
    order = rng.permutation(len(centre))  # the busiest zone is not always the first served
    first = plan.first_day + plan.every_days * np.arange(len(centre))
    first = first[first < days]
    size = len(first)
    order, names = order[:size], list(plan.types)
    types = [names[i % len(names)] for i in range(size)]
    last = np.minimum(first + plan.lasting_days, days) - 1
    about = [plan.types[name] for name in types]
    aims = np.array([[code in one.kinds for code in kinds] for one in about], dtype=bool)
    where = ground.territory
    zones, rings = [zones[i] for i in order], [rings[i] for i in order]
    dose = np.array([one.dose_h for one in about]) * rng.uniform(0.8, 1.2, size)
    cells = ground.cells[centre[order]]
    displacement = rng.permutation(np.resize(plan.displacement, size))
    return Actions(
        tuple(types), tuple(one.shade for one in about), cells, where.quarter[cells],
        tuple(ground.cells[z] for z in zones), tuple(ground.cells[r] for r in rings),
        _owner(zones, ground), _owner(rings, ground), first, last,
        dose, dose * np.array([one.patrol_share for one in about]),
        np.full(size, plan.effect), plan.half_life_weeks * WEEK, displacement, plan.diffusion,
        aims.reshape(size, len(kinds)),
    )  # fmt: skip


def plan_idle(
    plan: ActionPlan, ground: Ground, busy: Floats, kinds: tuple[str, ...], days: int
) -> Actions:
    """Return the actions that prevent nothing, in the busiest zones that the others leave.

    Nothing that happens depends on them: no cell is theirs in `zone_of` nor `ring_of`.
    """
    idle = [one for one in plan.idle if one.first_day < days]
    wider = plan.model_copy(update={"zones": plan.zones + len(idle)})
    centre, zones, rings = (part[plan.zones :] for part in _zones(wider, ground, busy))
    idle, size = idle[: len(centre)], min(len(centre), len(idle))
    first = np.array([one.first_day for one in idle], dtype=np.int64)
    last = np.minimum(first + np.array([one.lasting_days for one in idle], dtype=np.int64), days)
    nowhere, where = np.full(len(ground.territory.east), NONE, dtype=np.int64), ground.territory
    aims = np.array([[code in one.kinds for code in kinds] for one in idle], dtype=bool)
    cells, none = ground.cells[np.asarray(centre, dtype=np.int64)], np.zeros(size)
    return Actions(
        tuple(one.type for one in idle), tuple(one.shade for one in idle), cells,
        where.quarter[cells], tuple(ground.cells[z] for z in zones),
        tuple(ground.cells[r] for r in rings), nowhere, nowhere, first, last - 1,
        np.array([one.dose_h for one in idle]), none, none, plan.half_life_weeks * WEEK, none, 0.0,
        aims.reshape(size, len(kinds)),
    )  # fmt: skip


def _zones(plan: ActionPlan, ground: Ground, busy: Floats) -> tuple[Ints, list[Ints], list[Ints]]:
    """Return the centres of the busiest zones far enough apart, their cells and their rings.

    All are positions among the built cells.
    """
    centres = ground.centres()
    tree = KDTree(centres)
    near = tree.query_ball_point(centres, SMOOTH_M)
    level = np.array([busy[n].sum() for n in near])
    free = np.ones(len(centres), dtype=bool)
    chosen: list[int] = []
    zones, rings = [], []
    apart = max(plan.apart_m, 2 * (plan.zone_radius_m + plan.ring_m) + ground.territory.cell_m)
    while len(chosen) < plan.zones and free.any():
        best = int(np.where(free, level, -1.0).argmax())
        away = np.hypot(*(centres - centres[best]).T)
        free &= away >= apart
        chosen.append(best)
        zones.append(np.flatnonzero(away <= plan.zone_radius_m))
        rings.append(
            np.flatnonzero((away > plan.zone_radius_m) & (away <= plan.zone_radius_m + plan.ring_m))
        )
    return np.array(chosen), zones, rings


def _owner(parts: list[Ints], ground: Ground) -> Ints:
    """Return, for each cell of the territory, the part that holds it, or −1."""
    owner = np.full(len(ground.territory.east), NONE, dtype=np.int64)
    for index, part in enumerate(parts):
        owner[ground.cells[part]] = index
    return owner
