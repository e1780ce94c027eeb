"""The simulated world: everything that truly happens in a city, and who records it.

    world = build_world(pack)
    for year, layer in world.chunks:
        incidents = world.incidents(year, layer)
        initiator = world.recorded(incidents)      # position in INITIATORS, or −1: nobody

What is delivered is written elsewhere, from this alone. Same pack, same world: each use of chance
has its stream, so that chunks may be drawn in any order, or again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from helpers.core.city.city import City
from helpers.simulate.actions import Actions, plan_actions, plan_idle
from helpers.simulate.base import LOG, Kind, build_kinds
from helpers.simulate.detection import detections
from helpers.simulate.happenings import Around, Happenings, around, draw_happenings
from helpers.simulate.incidents import Incidents, draw_chunk, joined
from helpers.simulate.intensity import Ground, build_ground
from helpers.simulate.presence import Presence, draw_presence
from helpers.simulate.rhythm import HOURS, Clock, build_clock
from helpers.simulate.settings import Settings, load_settings
from helpers.simulate.sources.enquete_tranquillite import Asked, draw_survey
from helpers.simulate.sources.surroundings import Held, draw_held
from helpers.simulate.streams import Floats, Ints, stream
from helpers.simulate.territory import Territory, build_territory
from helpers.simulate.weather import Weather, draw_weather

INITIATORS = ("citizen", "agent", "other")
CITIZEN, AGENT, OTHER = range(3)
NOBODY = -1
LAYER = 1.0  # the largest scale drawn at once: above, the volume comes in equal layers


@dataclass(frozen=True)
class World:
    """A city and all that happens in it over its period. Nothing is drawn before it is asked.

    `planned` are the events of the weeks after the period: known, and not held yet. `idle` are
    actions that prevent nothing.
    """

    city: City
    settings: Settings
    territory: Territory
    ground: Ground
    clock: Clock
    weather: Weather
    kinds: tuple[Kind, ...]
    events: Happenings
    planned: Happenings
    around: Around
    actions: Actions
    idle: Actions
    presence: Presence
    held: Held

    @cached_property
    def years(self) -> tuple[int, ...]:
        """The years of the period."""
        found = np.unique(self.clock.days.astype("datetime64[Y]")).astype(np.int64) + 1970
        return tuple(found.tolist())

    @property
    def layers(self) -> int:
        """How many layers the volume is drawn in: independent Poisson parts of equal mean."""
        return max(1, int(np.ceil(self.settings.scale / LAYER)))

    @property
    def layer_scale(self) -> float:
        """The scale of one layer."""
        return self.settings.scale / self.layers

    @property
    def chunks(self) -> tuple[tuple[int, int], ...]:
        """The years and layers, in the order of time: each is drawn at once, and fits in memory."""
        return tuple((year, layer) for year in self.years for layer in range(self.layers))

    def incidents(self, year: int | None = None, layer: int | None = None) -> Incidents:
        """Return what truly happens: in one chunk, or in all those of a year, a layer, the period.

        Rows are in the order of time within a chunk.
        """
        return joined(
            [
                draw_chunk(self, *chunk)
                for chunk in self.chunks
                if year in (None, chunk[0]) and layer in (None, chunk[1])
            ]
        )

    def recorded(self, incidents: Incidents) -> Ints:
        """Return who starts the record of each incident: a position in `INITIATORS`, or −1: nobody.

        Somebody tells an incident with the chance of its kind. If nobody does, patrols see it with
        the chance 1 − exp(−δ·hours of patrol in its quarter and slot), δ of its kind (Ensign et
        al. 2018). Missions are always recorded. Episodes of the record multiply both.
        """
        ends = np.cumsum([size for *_, size in incidents.chunks])
        initiator = np.empty(len(incidents), dtype=np.int64)
        for (year, layer, size), end in zip(incidents.chunks, ends.tolist(), strict=True):
            part = slice(end - size, end)
            initiator[part] = self._recorded(incidents, part, year, layer)
        return initiator

    def _recorded(self, incidents: Incidents, part: slice, year: int, layer: int) -> Ints:
        kind, cell = incidents.kind[part], incidents.cell[part]
        since = (incidents.moment[part] - self.clock.days[0]).astype(np.int64) // 60
        day, hour = np.divmod(since, HOURS)
        rng = stream(self.settings.seed, f"recorded/{year}/{layer}")
        told, by = rng.random((2, len(kind)))
        reported, detected, third = self._chances
        level = self._recording[kind, day]
        initiator = np.where(by < third[kind], OTHER, CITIZEN)
        untold = np.flatnonzero(told >= reported[kind] * level)
        kind, by, level = kind[untold], by[untold], level[untold]
        quarter = self.territory.quarter[cell[untold]]
        hours = self.presence.at(day[untold], hour[untold], quarter)
        seen = by < -np.expm1(-detected[kind] * hours * level)
        initiator[untold] = np.where(seen, AGENT, NOBODY)
        return self._missions(initiator, incidents.kind[part], rng)

    def _missions(self, initiator: Ints, kind: Ints, rng: np.random.Generator) -> Ints:
        """Return the initiators with those of missions drawn by their shares."""
        missions = np.array([k.about.mission for k in self.kinds])
        agent = np.array([k.about.agent for k in self.kinds])
        other = np.array([k.about.other for k in self.kinds])
        own = np.flatnonzero(missions[kind])
        code, chance = kind[own], rng.random(len(own))
        drawn = np.where(chance < agent[code], AGENT, CITIZEN)
        within = (chance >= agent[code]) & (chance < agent[code] + other[code])
        initiator[own] = np.where(within, OTHER, drawn)
        return initiator

    @cached_property
    def _recording(self) -> Floats:
        """How much more is written than as usual, shape (kinds, days)."""
        return np.array([self.clock.recording(LOG, kind.code) for kind in self.kinds])

    @cached_property
    def _chances(self) -> tuple[Floats, Floats, Floats]:
        """Each kind's share told, rate of detection δ (per agent-hour), third parties' share."""
        third = [k.about.other / max(1 - k.about.agent, k.about.other, 1e-9) for k in self.kinds]
        delta = detections(self.kinds, self.ground, self.presence, self._recording)
        return np.array([k.reported for k in self.kinds]), delta, np.array(third)

    @cached_property
    def survey(self) -> Asked:
        """What a survey of how quiet people feel asks and counts; facts are troubles alone."""
        quarter = self.territory.quarter[self.ground.cells]
        place = np.sum(
            [k.place * k.inland.sum() for k in self.kinds if not k.about.mission], axis=0
        )
        facts = np.bincount(quarter, place, len(self.held.inhabitants)).astype(np.float64)
        rules, lit = self.settings.sources.enquete_tranquillite, self.held.features["eclairage_pct"]
        kept = np.ones((len(rules.waves), len(facts)))
        for one in self.settings.sources.shocks:
            waves = one.over(np.array(rules.waves, dtype="datetime64[D]"))
            kept[waves, self.territory.quarters.code.index(one.quarter)] *= one.quiet
        return draw_survey(rules, self.held.inhabitants, facts, lit, self.settings.seed, kept)

    @cached_property
    def missing_hours(self) -> Ints:
        """Positions, in the period, of the hours that the change to summer time leaves out."""
        return self.clock.missing()

    def hours_of(self, year: int) -> tuple[int, int]:
        """Return the first hour of the year in the period, and the first hour after it."""
        inside = np.flatnonzero(self.clock.days.astype("datetime64[Y]").astype(int) == year - 1970)
        return int(inside[0]) * HOURS, (int(inside[-1]) + 1) * HOURS


def build_world(pack: Path) -> World:
    """Return the world of a pack whose city is simulated; raise `PhareError` where it is wrong."""
    city, settings = City(pack), load_settings(pack)
    about, seed, rules = city.about, settings.seed, settings.world
    territory = build_territory(pack, settings, about.crs)
    ground = build_ground(territory, settings)
    clock = build_clock(about.period.start, about.period.end, settings.time, about.timezone)
    weather = draw_weather(clock.days, rules.climate, seed)
    size = len(territory.quarters.code)
    rules_of_zones = settings.sources.contexte_zone
    held = draw_held(rules_of_zones, ground.lived_in(rules_of_zones.falls_m), seed)
    kinds = build_kinds(settings, ground, clock, weather, held)
    busy = np.sum([k.place * k.inland.sum() for k in kinds if not k.about.mission], axis=0)
    events = draw_happenings(rules.occasions, ground, busy, clock.days, seed)
    coming = clock.days[-1] + np.arange(1, settings.sources.evenement.ahead.days + 1)
    planned = draw_happenings(rules.occasions, ground, busy, coming, seed, "ahead")
    codes, days = tuple(settings.kinds), len(clock.days)
    actions = plan_actions(rules.actions, ground, busy, codes, days, seed)
    idle = plan_idle(rules.actions, ground, busy, codes, days)
    facts = np.bincount(territory.quarter[ground.cells], busy, size).astype(np.float64)
    presence = draw_presence(days, facts, actions.extra_hours(days, size), rules.patrols, seed)
    return World(
        city, settings, territory, ground, clock, weather, kinds, events, planned,
        around(events, ground), actions, idle, presence, held,
    )  # fmt: skip
