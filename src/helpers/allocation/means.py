"""What there is to allocate, and the rules of its use: typed, named, in arrays.

A crew is a kind of team of which there are several alike, never a person. Times are whole minutes
from the start of the plan. A zone stands in one district.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Shift:
    """An existing shift: when it begins and ends (minutes), the consecutive slots it covers."""

    code: str
    starts: int
    ends: int
    slots: tuple[int, ...]


@dataclass(frozen=True)
class Crew:
    """Teams alike: how many, the minutes that all of them have, their skills and their vehicle.

    A crew of one makes every rule exact for that one; of several, the hours are those of all.
    """

    code: str
    teams: int
    minutes: int
    skills: frozenset[str] = frozenset()
    vehicle: str = ""


@dataclass(frozen=True)
class Means:
    """Crews, their shifts, and the zones where they may be.

    `works` (crews, shifts): whether a crew has the shift. `district` (zones,): position in
    `districts`. `today` (crews, zones, slots): teams present by the roster in force; ValueError
    where shapes differ, or where a shift's slots do not follow one another.
    """

    crews: tuple[Crew, ...]
    shifts: tuple[Shift, ...]
    works: Bools
    zones: tuple[str, ...]
    districts: tuple[str, ...]
    district: Ints
    slots: int
    today: Ints

    def __post_init__(self) -> None:
        crews, zones = len(self.crews), len(self.zones)
        if self.works.shape != (crews, len(self.shifts)):
            raise ValueError("works is not (crews, shifts)")
        if self.district.shape != (zones,) or self.today.shape != (crews, zones, self.slots):
            raise ValueError("district is not (zones,) or today not (crews, zones, slots)")
        for shift in self.shifts:
            if not shift.slots or (np.diff(shift.slots) != 1).any() or shift.ends <= shift.starts:
                raise ValueError(f"shift {shift.code} has no slots, or not consecutive ones")

    @cached_property
    def duties(self) -> tuple[tuple[int, int], ...]:
        """Each crew with each of its shifts: positions (crew, shift)."""
        return tuple((int(crew), int(shift)) for crew, shift in np.argwhere(self.works))

    def length(self, duty: int) -> int:
        """Return the minutes of a duty."""
        shift = self.shifts[self.duties[duty][1]]
        return shift.ends - shift.starts

    def of_crew(self, crew: int) -> Iterator[tuple[int, Shift]]:
        """Yield a crew's duties with their shifts."""
        for duty, (held, shift) in enumerate(self.duties):
            if held == crew:
                yield duty, self.shifts[shift]


@dataclass(frozen=True)
class Hours:
    """No crew works a minute more than it has. Always in force: no plan is made without it."""


@dataclass(frozen=True)
class Rest:
    """Minutes between the end of a team's shift and its next one."""

    minutes: int


@dataclass(frozen=True)
class Travel:
    """From a slot to the next of a shift, a team goes no further than `limit` minutes.

    `minutes` (zones, zones); `cost`: gain lost by minute and team.
    """

    minutes: Floats
    limit: float
    cost: float = 0.0


@dataclass(frozen=True)
class MinimumService:
    """Team-slots that each district has at least over the plan (districts,)."""

    teams: Ints


@dataclass(frozen=True)
class Dose:
    """Team-slots that each zone has at most over the plan (zones,)."""

    teams: Ints


@dataclass(frozen=True)
class EquityBand:
    """A district's share of presence lies within `band` (0 to 1) of its share of demand.

    `demand` (districts,): what citizens report, never what agents record; NaN where it is not
    known: the district is then held to no share, and left out of the others'.
    """

    demand: Floats
    band: float


@dataclass(frozen=True)
class Balance:
    """Minutes worked by team of a crew lie within `band` minutes of the mean of all teams."""

    band: float


@dataclass(frozen=True)
class Skill:
    """Teams with the skill that must be in a zone at a slot, at least (zones, slots)."""

    skill: str
    teams: Ints


@dataclass(frozen=True)
class Fleet:
    """Vehicles of a kind that exist at each slot (slots,): a team on duty takes one."""

    vehicle: str
    count: Ints


Rule = Hours | Rest | Travel | MinimumService | Dose | EquityBand | Balance | Skill | Fleet


@dataclass(frozen=True)
class Item:
    """One constraint by its name: the kind of rule, the crew, district, zone… it holds for.

    `at`: the zone that needs a skill.
    """

    kind: str
    of: str = ""
    at: str = ""


@dataclass(frozen=True)
class Problem:
    """Means, what presence is worth, and the rules. ValueError where a rule is told twice.

    `gain` (zones, slots, levels): what the first team adds at a zone and slot, the second, …:
    never negative, never growing from a level to the next (ValueError), so that gain is concave.
    `change`: gain that one must win to put a team elsewhere than today.
    """

    means: Means
    gain: Floats
    rules: tuple[Rule, ...] = (Hours(),)
    change: float = 0.0

    def __post_init__(self) -> None:
        if self.gain.ndim != 3 or self.gain.shape[:2] != (len(self.means.zones), self.means.slots):
            raise ValueError("gain is not (zones, slots, levels)")
        if not np.isfinite(self.gain).all() or (self.gain < 0).any():
            raise ValueError("a gain is negative or unknown")
        if (np.diff(self.gain, axis=2) > 1e-12).any():
            raise ValueError("a level adds more than the one before it")
        told = [(type(rule), getattr(rule, "skill", getattr(rule, "vehicle", "")))
                for rule in self.rules]  # fmt: skip
        if len(set(told)) < len(told):
            raise ValueError("a rule is told twice")
        if Hours() not in self.rules:
            raise ValueError("a plan without the hours that exist is not made")

    def gain_of(self, teams: Ints) -> float:
        """Return what presence is worth: `teams` (zones, slots), of all crews."""
        filled = np.arange(self.gain.shape[2]) < teams[:, :, None]
        return float((self.gain * filled).sum())


def covered_demand(demand: Floats, share: float, levels: int) -> Floats:
    """Return gains (zones, slots, levels) of expected demand (zones, slots).

    Each team answers `share` (0 to 1) of what those before it leave: demand that meets a presence,
    not facts avoided, which no roster tells.
    """
    left = share * (1 - share) ** np.arange(levels)
    return np.asarray(demand[:, :, None] * left, dtype=np.float64)
