"""The facts themselves: how many, of which type, where and when, before anybody writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pyproj import Transformer

from helpers.simulate.intensity import Ground
from helpers.simulate.rhythm import Clock
from helpers.simulate.settings import Initiator, Source
from helpers.simulate.streams import Floats, Ints, Moments, draw, stream

EDGE = 0.005  # of a cell: facts stay clear of its sides, so that rounding never moves them out


@dataclass(frozen=True)
class Facts:
    """One row a fact: positions in the source's types and initiators, and in the territory's
    cells; the true moment (local wall clock, minute) and place (degrees, WGS 84)."""

    kind: Ints
    initiator: Ints
    cell: Ints
    moment: Moments
    longitude: Floats
    latitude: Floats


@dataclass(frozen=True)
class Stratum:
    """Facts of one type and initiator, on the coast or inland: the expected number in each
    built cell (`place`, facts), and the relative weight of each hour of the period (`hours`)."""

    name: str
    kind: int
    initiator: int
    cells: Ints
    place: Floats
    hours: Floats


def strata(ground: Ground, clock: Clock, name: str, source: Source, scale: float) -> list[Stratum]:
    """Return the strata of a source; `place` sums to the facts expected over the period.

    The expected number of lines, duplicates included, is `records_per_year` a year on average.
    """
    found = list(_relative(ground, clock, name, source))
    years = len(clock.days) / 365.25
    lines = source.records_per_year * years * scale
    factor = lines * (1 - source.defects.duplicate) / sum(s.place.sum() for s in found)
    return [Stratum(s.name, s.kind, s.initiator, s.cells, s.place * factor, s.hours) for s in found]


def _relative(ground: Ground, clock: Clock, name: str, source: Source) -> Iterator[Stratum]:
    """Yield the strata with `place` up to a common factor."""
    initiators: list[Initiator] = list(source.initiators)
    for index, (code, kind) in enumerate(source.types.items()):
        hours = {c: clock.weights(name, code, kind, coast=c) for c in (False, True)}
        for position, initiator in enumerate(initiators):
            part = kind.share * kind.initiator_share(initiator)
            intensity = ground.intensity(name, kind, initiator)
            for coast, weights in hours.items():
                here = ground.coast == coast
                place = part * weights.mean() * intensity[here]
                label = f"{name}/{code}/{initiator}/{'coast' if coast else 'inland'}"
                yield Stratum(label, index, position, ground.cells[here], place, weights)


def draw_facts(ground: Ground, clock: Clock, found: list[Stratum], seed: int, name: str) -> Facts:
    """Return a Poisson number of facts of each stratum, placed and timed independently."""
    kinds, initiators, cells, hours = [], [], [], []
    for stratum in found:
        rng = stream(seed, f"facts/{stratum.name}")
        count = int(rng.poisson(stratum.place.sum()))
        cells.append(stratum.cells[draw(stratum.place, count, rng)])
        hours.append(draw(stratum.hours, count, rng))
        kinds.append(np.full(count, stratum.kind, dtype=np.int64))
        initiators.append(np.full(count, stratum.initiator, dtype=np.int64))
    cell = np.concatenate(cells)
    rng = stream(seed, f"points/{name}")
    longitude, latitude = _points(ground, cell, rng)
    minutes = np.concatenate(hours) * 60 + rng.integers(0, 60, len(cell))
    moment = clock.days[0].astype("datetime64[m]") + minutes.astype("timedelta64[m]")
    return Facts(
        np.concatenate(kinds),
        np.concatenate(initiators),
        cell,
        clock.existing(moment),
        longitude,
        latitude,
    )


def _points(ground: Ground, cell: Ints, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return a point drawn evenly within each cell (longitude, latitude)."""
    where = ground.territory
    shift = rng.uniform(EDGE, 1 - EDGE, (2, len(cell)))
    to_degrees = Transformer.from_crs(where.crs, "EPSG:4326", always_xy=True)
    longitude, latitude = to_degrees.transform(
        (where.east[cell] + shift[0]) * where.cell_m, (where.north[cell] + shift[1]) * where.cell_m
    )
    return np.asarray(longitude), np.asarray(latitude)
