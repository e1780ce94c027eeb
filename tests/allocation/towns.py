"""Towns as large as asked for: zones on a map, crews with their hours, a roster in force."""

from __future__ import annotations

import numpy as np

from helpers.allocation.means import (
    Balance,
    Crew,
    Dose,
    EquityBand,
    Fleet,
    Hours,
    Means,
    MinimumService,
    Problem,
    Rest,
    Shift,
    Skill,
    covered_demand,
)

SLOT_MIN = 480
SIDE_KM = 20.0


def town(
    zones: int, slots: int, seed: int, *, levels: int = 3, crews: int = 4, teams: int = 12,
    grid: int = 4, band: float = 0.03,
) -> Problem:  # fmt: skip
    """Return a town under all rules but travel: its shifts are one slot long.

    Each team has five shifts a week; by today's roster a quarter of the teams is out at each slot,
    anywhere. Districts are squares, `grid` a side.
    """
    rng = np.random.default_rng(seed)
    teams = min(teams, zones)
    demand = rng.lognormal(0, 1, (zones, 1)) * rng.uniform(0.5, 2, (1, slots))
    demand = demand * rng.uniform(0.8, 1.2, (zones, slots))
    shifts = tuple(Shift(f"s{t}", t * SLOT_MIN, (t + 1) * SLOT_MIN, (t,)) for t in range(slots))
    fleet = ("car", "bike")
    held = tuple(
        Crew(f"c{c}", teams, teams * (slots * 5 // 21) * SLOT_MIN,
             frozenset(["mediation"] if c == 0 else []), fleet[2 * c // crews])
        for c in range(crews)
    )  # fmt: skip
    at = rng.uniform(0, SIDE_KM, (zones, 2))
    district = (at // (SIDE_KM / grid) @ np.array([grid, 1])).astype(np.int64)
    today = np.zeros((crews, zones, slots), dtype=np.int64)
    for c in range(crews):
        for slot in range(slots):
            today[c, rng.choice(zones, max(1, teams // 4), replace=False), slot] = 1
    means = Means(
        held, shifts, np.ones((crews, slots), dtype=bool),
        tuple(f"z{i:03}" for i in range(zones)), tuple(f"d{i:02}" for i in range(grid**2)),
        district, slots, today,
    )  # fmt: skip
    asked = np.bincount(district, demand.sum(axis=1), grid**2)
    need = np.zeros((zones, slots), dtype=np.int64)
    need[rng.choice(zones, 3, replace=False), rng.choice(slots, 3)] = 1
    rules = (
        Hours(), Rest(660), MinimumService((asked > 0).astype(np.int64) * 2),
        Dose(np.full(zones, 12)), EquityBand(asked, band), Balance(float(SLOT_MIN)),
        Skill("mediation", need), Fleet("car", np.full(slots, 15)),
        Fleet("bike", np.full(slots, 20)),
    )  # fmt: skip
    return Problem(means, covered_demand(demand, 0.3, levels), rules, change=0.05)
