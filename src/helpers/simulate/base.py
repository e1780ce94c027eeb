"""What is expected of each kind of incident, before events, actions and repeats: place × hour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from helpers.simulate import planted
from helpers.simulate.intensity import Ground
from helpers.simulate.rhythm import HOURS, Clock
from helpers.simulate.settings import Initiator, Settings, TypeOfFact
from helpers.simulate.settings_world import WorldSettings
from helpers.simulate.sources.surroundings import Held
from helpers.simulate.streams import Floats, Ints
from helpers.simulate.weather import Weather, heat_factor

LOG = "main_courante"  # the source whose episodes and initiators tell what is recorded
PRESENCE: Initiator = "citizen"  # what happens follows people, never patrols


@dataclass(frozen=True)
class Kind:
    """A kind of incident over the built cells and the hours of the period.

    Expected first incidents (those that no other one caused) of cell c in hour h, at scale 1:
    `place[c]` × (`coast` if c is on the coast, else `inland`)`[h]`. `yearly` incidents are
    expected a year, repeats included; `reported` is the share that somebody tells.
    """

    code: str
    about: TypeOfFact
    place: Floats
    inland: Floats
    coast: Floats
    yearly: float
    reported: float
    branching: float

    @cached_property
    def until(self) -> tuple[Floats, Floats]:
        """Sums of `inland` and of `coast` before each hour, shape (hours + 1,)."""
        inland, coast = (np.concatenate([[0.0], np.cumsum(w)]) for w in (self.inland, self.coast))
        return inland, coast

    def weight(self, on_coast: bool, first: Ints, last: Ints) -> Floats:
        """Return the summed weight of the hours from `first` up to, not including, `last`."""
        until = self.until[int(on_coast)]
        return np.asarray(until[last] - until[first], dtype=np.float64)


def build_kinds(
    settings: Settings, ground: Ground, clock: Clock, weather: Weather, held: Held
) -> tuple[Kind, ...]:
    """Return the kinds of incidents, in the order of the settings.

    Their levels are such that the records, all initiators together, number `records_per_year` a
    year on average over the period, in the shares of `kinds`: of the incidents of a kind, the
    share r is told by somebody; agents find some of the others.
    """
    world = settings.world
    total = sum(kind.share for kind in settings.kinds.values())
    years = len(clock.days) / 365.25
    found = []
    for code, about in settings.kinds.items():
        records = world.records_per_year * about.share / total
        reported = 1.0 if about.mission else world.reported[code]
        told = 1.0 if about.mission else 1 - about.agent
        yearly = records * told / (reported * clock.recording(LOG, code).mean())
        repeat = world.near_repeat.get(code)
        branching = repeat.branching if repeat else 0.0
        heat = np.ones(len(clock.days))
        if not about.mission:
            heat = heat_factor(weather, code, world.climate) * _planted(clock, code, settings)
        inland, coast = (
            _shifted(clock, _weights(clock, code, about, on_coast) * np.repeat(heat, HOURS))
            for on_coast in (False, True)
        )
        share = ground.intensity(LOG, about, PRESENCE, effect_of(code, world, ground, held))
        mass = share[~ground.coast].sum() * inland.sum() + share[ground.coast].sum() * coast.sum()
        place = share * yearly * (1 - branching) * years / mass
        found.append(Kind(code, about, place, inland, coast, yearly, reported, branching))
    return tuple(found)


def _planted(clock: Clock, code: str, settings: Settings) -> Floats:
    """Return the factor of each day: the sway of years, and what school holidays do."""
    rules = settings.planted
    sway = planted.yearly_sway(clock.days, rules.yearly_sway_sd, code, settings.seed)
    return sway * planted.holiday_factor(clock.days, rules.school_holidays.get(code, 1.0))


def effect_of(code: str, world: WorldSettings, ground: Ground, held: Held) -> Floats:
    """Return what the quarter of each built cell adds to the kind's log-intensity; mean 0."""
    quarter = ground.territory.quarter[ground.cells]
    found = np.zeros(len(ground.cells))
    for one in world.surroundings:
        if code in one.kinds:
            found += np.log(one.ratio) / one.step * held.features[one.feature][quarter]
    return np.asarray(found - found.mean(), dtype=np.float64)


def _weights(clock: Clock, code: str, about: TypeOfFact, on_coast: bool) -> Floats:
    return clock.weights(LOG, code, about, coast=on_coast)


def _shifted(clock: Clock, weights: Floats) -> Floats:
    """Return `weights` with those of hours that the clock leaves out put on the next hour."""
    moved = weights.copy()
    missing = clock.missing()
    moved[missing + 1] += moved[missing]
    moved[missing] = 0.0
    return moved
