"""Small problems drawn at random, and their best plan by counting all of them.

Nothing here is taken from the programme: rules are checked team by team, by search.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from hypothesis import strategies as st

from helpers.allocation.means import (
    Balance,
    Crew,
    Dose,
    EquityBand,
    Fleet,
    Hours,
    Item,
    Means,
    MinimumService,
    Problem,
    Rest,
    Rule,
    Shift,
    Skill,
    Travel,
)

SLOT_MIN = 240
MOST_BINARIES = 12
# (crews, zones, shifts as slots): all of at most twelve whole columns.
SHAPES: tuple[tuple[int, int, tuple[tuple[int, ...], ...]], ...] = (
    (1, 2, ((0,), (1,))),
    (1, 2, ((0,), (1,), (2,))),
    (2, 2, ((0,), (1,))),
    (1, 3, ((0,), (1,), (2,))),
    (1, 2, ((0, 1), (2,))),
    (1, 2, ((0, 1), (1,), (2,))),
    (1, 3, ((0, 1), (2,))),
    (2, 2, ((0, 1),)),
    (1, 2, ((0, 1), (1, 2))),
    (2, 4, ((0,),)),
    (1, 5, ((0, 1),)),
)


@st.composite
def problems(draw: st.DrawFn, change: bool = True) -> Problem:
    """Draw a problem of at most twelve whole columns and any rules."""
    crews, zones, covered = draw(st.sampled_from(SHAPES))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    one_team = draw(st.booleans())
    slots = 1 + max(slot for shift in covered for slot in shift)
    shifts = tuple(
        Shift(f"s{i}", on[0] * SLOT_MIN, (on[-1] + 1) * SLOT_MIN, on)
        for i, on in enumerate(covered)
    )
    held = min(3, zones)  # districts
    teams = [1 if one_team else int(rng.integers(1, 3)) for _ in range(crews)]
    means = Means(
        tuple(Crew(f"c{i}", teams[i], int(rng.integers(0, 5)) * SLOT_MIN,
                   frozenset(["mediation"] if rng.random() < 0.6 else []),
                   "car" if rng.random() < 0.6 else "bike") for i in range(crews)),
        shifts, np.ones((crews, len(shifts)), dtype=bool),
        tuple(f"z{i}" for i in range(zones)), tuple(f"d{i}" for i in range(held)),
        np.arange(zones) % held, slots,
        rng.integers(0, 2, (crews, zones, slots)),
    )  # fmt: skip
    levels = int(rng.integers(1, 4))
    asked = np.array([rng.uniform(0, 1), rng.choice([np.nan, 0.0, 0.7]), rng.uniform(0, 1)])
    gain = -np.sort(-rng.exponential(1, (zones, slots, levels)), axis=2)
    pool: list[Rule] = [
        Rest(int(rng.choice([SLOT_MIN // 2, SLOT_MIN, 2 * SLOT_MIN]))),
        Travel(rng.uniform(0, 20, (zones, zones)), float(rng.uniform(4, 16)),
               float(rng.choice([0.0, 0.02]))),
        MinimumService(rng.integers(0, 3, held)),
        Dose(rng.integers(0, 3, zones)),
        EquityBand(asked[:held], float(rng.uniform(0.05, 0.5))),
        Balance(float(rng.choice([0.0, rng.uniform(0, SLOT_MIN), SLOT_MIN]))),
        Skill("mediation", (rng.random((zones, slots)) < 0.15).astype(np.int64)),
        Fleet("car", rng.integers(0, 3, slots)),
    ]  # fmt: skip
    chosen = draw(st.lists(st.sampled_from(range(len(pool))), unique=True, max_size=5))
    cost = float(rng.choice([0.0, 0.3])) if change else 0.0
    return Problem(means, gain, (Hours(), *(pool[i] for i in sorted(chosen))), cost)


def whole_columns(problem: Problem) -> int:
    """Return how many whole numbers a plan is made of."""
    means = problem.means
    return sum(1 + len(means.shifts[shift].slots) * len(means.zones) for _, shift in means.duties)


Teams = tuple[tuple[int, ...], ...]  # of a duty: the zone of each team at each slot


def plans(problem: Problem) -> Iterator[tuple[Teams, ...]]:
    """Yield every way to send teams: by duty, each team's zones slot by slot (teams alike)."""
    means = problem.means
    options = []
    for crew, shift in means.duties:
        paths = list(
            itertools.product(range(len(means.zones)), repeat=len(means.shifts[shift].slots))
        )
        options.append([
            chosen for n in range(means.crews[crew].teams + 1)
            for chosen in itertools.combinations_with_replacement(paths, n)
        ])  # fmt: skip
    yield from itertools.product(*options)


def presence(problem: Problem, plan: tuple[Teams, ...]) -> np.ndarray:
    """Return teams (crews, zones, slots) of a plan."""
    means = problem.means
    found = np.zeros((len(means.crews), len(means.zones), means.slots), dtype=np.int64)
    for (crew, shift), teams in zip(means.duties, plan, strict=True):
        for path in teams:
            for slot, zone in zip(means.shifts[shift].slots, path, strict=True):
                found[crew, zone, slot] += 1
    return found


def worth(problem: Problem, plan: tuple[Teams, ...]) -> float:
    """Return what a plan is worth, by the sentence: gain, less changes, less travel."""
    there = presence(problem, plan)
    net = sum(
        problem.gain[zone, slot, : min(n, problem.gain.shape[2])].sum()
        for (zone, slot), n in np.ndenumerate(there.sum(axis=0))
    )
    net -= problem.change * sum(
        max(0, int(n - was))
        for n, was in zip(there.ravel(), problem.means.today.ravel(), strict=True)
    )
    for rule in problem.rules:
        if isinstance(rule, Travel):
            net -= rule.cost * sum(
                rule.minutes[a, b]
                for teams in plan for path in teams for a, b in itertools.pairwise(path)
            )  # fmt: skip
    return float(net)


def stands(problem: Problem, plan: tuple[Teams, ...]) -> bool:
    """Tell whether no team is on two shifts at a time, which no rule is needed for."""
    return all(_rosters(problem, plan, crew, 0) for crew in range(len(problem.means.crews)))


def _rosters(problem: Problem, plan: tuple[Teams, ...], crew: int, rest: int) -> bool:
    """Tell whether a crew's duties can be given to teams, each with its rest: by search."""
    means = problem.means
    worked = [
        means.shifts[shift]
        for (who, shift), teams in zip(means.duties, plan, strict=True) if who == crew
        for _ in teams
    ]  # fmt: skip
    return any(
        all(
            a.ends + rest <= b.starts or b.ends + rest <= a.starts
            for (i, a), (j, b) in itertools.combinations(enumerate(worked), 2)
            if given[i] == given[j]
        )
        for given in itertools.product(range(means.crews[crew].teams), repeat=len(worked))
    )


def minutes(problem: Problem, plan: tuple[Teams, ...]) -> list[int]:
    """Return the minutes that each crew works."""
    means, found = problem.means, [0] * len(problem.means.crews)
    for (crew, shift), teams in zip(means.duties, plan, strict=True):
        found[crew] += len(teams) * (means.shifts[shift].ends - means.shifts[shift].starts)
    return found


def broken(problem: Problem, plan: tuple[Teams, ...]) -> set[Item]:
    """Return the constraints that a plan breaks, by the names that people know them by."""
    return {
        item for rule in problem.rules for told in (_by_whom, _where, _what)
        for item in told(rule, problem, plan)
    }  # fmt: skip


def _by_whom(rule: Rule, problem: Problem, plan: tuple[Teams, ...]) -> Iterator[Item]:
    means, worked = problem.means, minutes(problem, plan)
    match rule:
        case Hours():
            over = [n > c.minutes for n, c in zip(worked, means.crews, strict=True)]
            yield from (Item("hours", c.code) for c, o in zip(means.crews, over, strict=True) if o)
        case Rest(rest):
            for i, crew in enumerate(means.crews):
                if not _rosters(problem, plan, i, rest):
                    yield Item("rest", crew.code)
        case Balance(band):
            mean = sum(worked) / sum(c.teams for c in means.crews)
            for n, crew in zip(worked, means.crews, strict=True):
                if abs(n / crew.teams - mean) > band + 1e-9:
                    yield Item("balance", crew.code)


def _where(rule: Rule, problem: Problem, plan: tuple[Teams, ...]) -> Iterator[Item]:
    means = problem.means
    of_zone = presence(problem, plan).sum(axis=(0, 2))
    of_district = [of_zone[means.district == d].sum() for d in range(len(means.districts))]
    match rule:
        case MinimumService(least):
            yield from (Item("minimum_service", f"d{d}") for d, n in enumerate(of_district)
                        if n < least[d])  # fmt: skip
        case Dose(most):
            yield from (Item("dose", f"z{z}") for z, n in enumerate(of_zone) if n > most[z])
        case EquityBand(demand, band):
            yield from (Item("equity", f"d{d}") for d in _unfair(demand, band, of_district))


def _what(rule: Rule, problem: Problem, plan: tuple[Teams, ...]) -> Iterator[Item]:
    means, there = problem.means, presence(problem, plan)
    match rule:
        case Travel(far, limit):
            if any(far[a, b] > limit for teams in plan for path in teams
                   for a, b in itertools.pairwise(path)):  # fmt: skip
                yield Item("travel")
        case Skill(skill, need):
            has = there[[skill in c.skills for c in means.crews]].sum(axis=0)
            yield from (Item("skill", skill, f"z{z}") for z in range(len(need))
                        if (has[z] < need[z]).any())  # fmt: skip
        case Fleet(vehicle, count):
            takes = there[[c.vehicle == vehicle for c in means.crews]].sum(axis=(0, 1))
            if (takes > count).any():
                yield Item("fleet", vehicle)


def _unfair(demand: np.ndarray, band: float, of_district: list[int]) -> Iterator[int]:
    known = [d for d in range(len(demand)) if not np.isnan(demand[d])]
    asked, sent = sum(demand[d] for d in known), sum(of_district[d] for d in known)
    for d in known if asked and sent else ():
        if abs(of_district[d] / sent - demand[d] / asked) > band + 1e-9:
            yield d


def best(problem: Problem) -> float | None:
    """Return the net of the best plan there is, None where none is: by counting all."""
    nets = [net for _, net in allowed(problem)]
    return max(nets, default=None)


def allowed(problem: Problem) -> Iterator[tuple[tuple[Teams, ...], float]]:
    """Yield each plan that breaks nothing, with its net."""
    for plan in plans(problem):
        if stands(problem, plan) and not broken(problem, plan):
            yield plan, worth(problem, plan)
