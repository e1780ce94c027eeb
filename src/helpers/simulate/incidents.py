"""What truly happens in one year: first incidents, excess around events, actions, repeats.

Each kind has a stream of its own for each year and layer. First incidents are Poisson in each cell
and hour; actions prevent some of them, and move some; each incident then has a Poisson number of
offspring, days later and some metres off, which have theirs in turn (Johnson et al. 2007).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from helpers.core.base.errors import PhareError
from helpers.core.place_time.territory import project
from helpers.simulate import planted
from helpers.simulate.base import Kind
from helpers.simulate.happenings import draw_excess
from helpers.simulate.rhythm import HOURS
from helpers.simulate.streams import Floats, Ints, Moments, draw, stream

if TYPE_CHECKING:
    from helpers.simulate.world import World

NONE = -1
SERIALS = 2**32  # incidents of a kind, year and layer at most
KINDS = 64
YEARS = 100
MINUTES = 60


@dataclass(frozen=True)
class Incidents:
    """One row an incident, in the order of time within a chunk (a year and layer).

    `id` is unique in the world. `kind` is a position in the settings' `kinds`, `cell` in the
    territory; `east`, `north` are metres in the territory's CRS; `moment` is the local wall clock
    (datetime64[m]). `parent` is the id of the incident that this one repeats, `event` the position
    of the event and `action` of the action that brought it here; −1 where there is none.
    """

    id: Ints
    kind: Ints
    cell: Ints
    east: Floats
    north: Floats
    moment: Moments
    parent: Ints
    event: Ints
    action: Ints
    chunks: tuple[tuple[int, int, int], ...]  # year, layer, size

    def __len__(self) -> int:
        return len(self.id)


COLUMNS = tuple(f.name for f in fields(Incidents) if f.name != "chunks")


@dataclass
class Drawn:
    """Incidents of one kind: as `Incidents`, with hour (of the period) and minute apart, and the
    parent's position here."""

    cell: Ints
    hour: Ints
    minute: Ints
    east: Floats
    north: Floats
    parent: Ints
    event: Ints
    action: Ints

    def take(self, kept: Ints) -> Drawn:
        return Drawn(*(getattr(self, f.name)[kept] for f in fields(self)))


def draw_kind(world: World, index: int, year: int, layer: int) -> Drawn:
    """Return the incidents of a kind whose first one falls in the year, repeats included."""
    kind = world.kinds[index]
    rng = stream(world.settings.seed, f"incidents/{kind.code}/{year}/{layer}")
    first, last = world.hours_of(year)
    place, hour, event = _first(world, kind, first, last, rng)
    cell, action = _acted(world, index, world.ground.cells[place], hour, rng)
    kept = np.flatnonzero(cell >= 0)
    cell, hour, event, action = cell[kept], hour[kept], event[kept], action[kept]
    size, (east, north) = len(cell), world.territory.points(cell, rng)
    drawn = Drawn(
        cell, hour, rng.integers(0, MINUTES, size, dtype=np.uint8),
        east, north, np.full(size, NONE), event, action,
    )  # fmt: skip
    drawn = _addressed(world, kind, drawn, (first, last), rng)
    return _repeated(world, kind, drawn, rng) if kind.branching else drawn


def _addressed(
    world: World, kind: Kind, drawn: Drawn, hours: tuple[int, int], rng: np.random.Generator
) -> Drawn:
    """Return the incidents, and those of the addresses where the kind comes again and again."""
    parts = [drawn]
    for rule in world.settings.planted.addresses:
        if rule.kind != kind.code:
            continue
        hour = planted.draw_address(kind, rule, world.clock.days, hours, world.layer_scale, rng)
        size, where = len(hour), world.territory
        east, north = project(np.array([rule.longitude]), np.array([rule.latitude]), where.crs)
        cell, east, north = where.settled(east, north)
        if cell[0] < 0:
            raise PhareError(
                f"l'adresse « {rule.title} » n'est dans aucun quartier, ou sur une limite",
                "simulation.yaml, planted.addresses",
                "la déplacer de quelques mètres",
            )
        none = np.full(size, NONE)
        parts.append(
            Drawn(
                np.repeat(cell, size), hour, rng.integers(0, MINUTES, size, dtype=np.uint8),
                np.repeat(east, size), np.repeat(north, size), none, none, none,
            )
        )  # fmt: skip
    if len(parts) == 1:
        return drawn
    return Drawn(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Drawn)))


def _first(
    world: World, kind: Kind, first: int, last: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Return place (among the built cells), hour and event of first incidents and excess."""
    coast = world.ground.coast
    places, hours = [], []
    for on_coast, weights in ((False, kind.inland[first:last]), (True, kind.coast[first:last])):
        here = np.flatnonzero(coast == on_coast)
        mean = kind.place[here] * weights.sum() * world.layer_scale
        place = np.repeat(here, rng.poisson(mean))
        places.append(place)
        hours.append(first + draw(weights, len(place), rng))
    extra = draw_excess(
        kind, world.events, world.around, world.ground, (first, last), world.layer_scale, rng
    )
    more = planted.draw_local(
        kind, world.settings.planted.local, world.ground, world.clock.days, (first, last),
        world.layer_scale, rng,
    )  # fmt: skip
    places, hours = [*places, more[0]], [*hours, more[1]]
    usual = sum(len(p) for p in places)
    return (
        np.concatenate([*places, extra[0]]),
        np.concatenate([*hours, extra[1]]),
        np.concatenate([np.full(usual, NONE), extra[2]]),
    )


def _acted(
    world: World, kind: int, cell: Ints, hour: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Return the cell of each incident after actions (−1: prevented), and the action that moved it.

    An incident of the zone that the action prevents may move to a cell of the ring.
    """
    actions = world.actions
    moved_by = np.full(len(cell), NONE)
    if not actions.aims[:, kind].any():
        return cell, moved_by
    near = np.flatnonzero((actions.zone_of[cell] >= 0) | (actions.ring_of[cell] >= 0))
    action, share = actions.prevented(kind, cell[near], hour[near] // HOURS)
    gone = rng.random(len(near)) < share
    moves = rng.random(len(near)) < actions.displacement[action]
    moves &= gone & (actions.zone_of[cell[near]] >= 0)
    after = cell.copy()
    after[near[gone]] = NONE
    for index in np.unique(action[moves]):
        movers = near[moves & (action == index)]
        ring = actions.rings[index]
        after[movers] = ring[rng.integers(0, len(ring), len(movers))]
        moved_by[movers] = index
    return after, moved_by


def _repeated(world: World, kind: Kind, drawn: Drawn, rng: np.random.Generator) -> Drawn:
    """Return the incidents followed by their offspring, generation after generation."""
    parts, parents, before = [drawn], drawn, 0
    while len(parents.cell):
        number = rng.poisson(kind.branching, len(parents.cell))
        children = _children(world, kind, parents, np.repeat(np.arange(len(number)), number), rng)
        children.parent += before
        before += len(parents.cell)
        parts.append(children)
        parents = children
    return Drawn(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Drawn)))


def _children(
    world: World, kind: Kind, parents: Drawn, of: Ints, rng: np.random.Generator
) -> Drawn:
    """Return one child for each position in `of`, with that parent.

    The delay in days is exponential, the hour that of the kind; one that would fall before its
    parent comes a day later. Outside the city, or on a border, a child stays at its parent's place.
    """
    rules = world.settings.world.near_repeat[kind.code]
    size, up = len(of), parents.take(of)
    delay = rng.exponential(rules.mean_days, size).astype(np.int64)
    hour_of_day = draw(kind.inland.reshape(-1, HOURS).mean(axis=0), size, rng)
    hour = (up.hour // HOURS + delay) * HOURS + hour_of_day
    hour = np.where(hour <= up.hour, hour + HOURS, hour)
    hour += np.isin(hour, world.missing_hours)
    off = rng.standard_normal((2, size)) * rules.spread_m
    cell, east, north = world.territory.settled(up.east + off[0], up.north + off[1])
    lost = cell < 0
    return Drawn(
        np.where(lost, up.cell, cell), hour, rng.integers(0, MINUTES, size, dtype=np.uint8),
        np.where(lost, up.east, east), np.where(lost, up.north, north), of.copy(),
        np.full(size, NONE), np.full(size, NONE),
    )  # fmt: skip


def draw_chunk(world: World, year: int, layer: int) -> Incidents:
    """Return what happens in the year, in the order of time, in one layer of the volume."""
    first, last = world.hours_of(year)
    columns: dict[str, list[np.ndarray[tuple[int, ...], np.dtype[np.generic]]]] = {}
    hours, minutes = [], []
    for index, kind in enumerate(world.kinds):
        # Repeats of last year's incidents may come this year.
        for origin in (year - 1, year) if kind.branching else (year,):
            if origin not in world.years:
                continue
            drawn = draw_kind(world, index, origin, layer)
            zero = ((layer * YEARS + world.years.index(origin)) * KINDS + index) * SERIALS
            serial = np.arange(len(drawn.cell))
            if kind.branching:
                serial = np.flatnonzero((drawn.hour >= first) & (drawn.hour < last))
                drawn = drawn.take(serial)
            hours.append((drawn.hour - first).astype(np.uint16))
            minutes.append(drawn.minute)
            made = {
                "id": zero + serial, "kind": np.full(len(serial), index), "cell": drawn.cell,
                "east": drawn.east, "north": drawn.north,
                "parent": np.where(drawn.parent >= 0, zero + drawn.parent, NONE),
                "event": drawn.event, "action": drawn.action,
            }  # fmt: skip
            for name, values in made.items():
                columns.setdefault(name, []).append(values)
    hour, minute = np.concatenate(hours), np.concatenate(minutes)
    order = np.argsort(minute, kind="stable")  # small integers sort by radix, in linear time
    order = order[np.argsort(hour[order], kind="stable")]
    since = (first + hour[order].astype(np.int64)) * MINUTES + minute[order]
    ordered = {name: np.concatenate(parts)[order] for name, parts in columns.items()}
    moment = world.clock.days[0].astype("datetime64[m]") + since.astype("timedelta64[m]")
    return Incidents(**ordered, moment=moment, chunks=((year, layer, len(order)),))


def joined(parts: list[Incidents]) -> Incidents:
    """Return the incidents of several chunks, one after the other."""
    if len(parts) == 1:
        return parts[0]
    columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in COLUMNS}
    return Incidents(**columns, chunks=tuple(c for p in parts for c in p.chunks))
