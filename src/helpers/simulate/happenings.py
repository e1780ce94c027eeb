"""Events of the public space, and the incidents that they bring around them.

An event multiplies the level of some kinds in rings around it, from a little before its start
until some hours after its end: the excess is drawn apart, so that each such incident knows its
event. Overlapping events add their excesses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pyproj import Transformer
from scipy.spatial import KDTree

from helpers.simulate.base import Kind
from helpers.simulate.intensity import Ground
from helpers.simulate.settings_world import Occasion
from helpers.simulate.streams import Floats, Ints, Moments, stream

HOUR = np.timedelta64(60, "m")
BUSIEST = 0.05  # of the built cells: where places of events are drawn
EXPECTED_SD = 0.08  # how far the expected crowd lies from the true one (log, assumed)


@dataclass(frozen=True)
class Happenings:
    """One row an event, in the order of its start.

    `occasion` is a position in `names`; `start` and `end` are local wall clock (datetime64[m]);
    `cell` a position in the territory; `longitude`, `latitude` in degrees (WGS 84).
    `radius_m` is the farthest ring's, `factor` the nearest ring's: the level of the occasion's
    kinds there, from `first_hour` to `last_hour` (positions in the period, the last excluded).
    """

    names: tuple[str, ...]
    rules: tuple[Occasion, ...]
    occasion: Ints
    start: Moments
    end: Moments
    cell: Ints
    longitude: Floats
    latitude: Floats
    attendance_expected: Ints
    attendance: Ints
    radius_m: Floats
    factor: Floats
    first_hour: Ints
    last_hour: Ints

    def __len__(self) -> int:
        return len(self.occasion)

    @property
    def category(self) -> list[str]:
        """The code of each event in the events' files."""
        return [self.rules[i].category for i in self.occasion.tolist()]

    @property
    def title(self) -> list[str]:
        """The title of each event, in French."""
        return [self.rules[i].title for i in self.occasion.tolist()]

    @property
    def capacity(self) -> Ints:
        """How many people the place of each event holds."""
        return np.array([rule.capacity for rule in self.rules], dtype=np.int64)[self.occasion]


@dataclass(frozen=True)
class Around:
    """Built cells around events: one row a pair of event and cell (a position among the built
    cells), with the factor there."""

    event: Ints
    place: Ints
    factor: Floats


def draw_happenings(
    rules: dict[str, Occasion], ground: Ground, busy: Floats, days: Moments, seed: int,
    part: str = "",
) -> Happenings:  # fmt: skip
    """Return the events of the days; `busy` weighs the built cells (expected incidents).

    `part` names days drawn apart (those after the period): at the same places, by other draws.
    """
    parts = [
        _one_occasion(index, name, rule, ground, busy, days, seed, part)
        for index, (name, rule) in enumerate(rules.items())
    ]
    occasion, start, end, cell, expected, seen = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    order = np.lexsort((cell, occasion, start))
    occasion, start, end, cell = occasion[order], start[order], end[order], cell[order]
    before, after, radius, factor = (
        np.array(values, dtype=np.float64)[occasion]
        for values in (
            [r.before_h for r in rules.values()],
            [r.after_h for r in rules.values()],
            [r.rings[-1].radius_m for r in rules.values()],
            [r.rings[0].factor for r in rules.values()],
        )
    )
    zero, hours = days[0].astype("datetime64[m]"), len(days) * 24
    first = np.floor((start - zero) / HOUR - before).astype(np.int64)
    last = np.ceil((end - zero) / HOUR + after).astype(np.int64)
    where = ground.territory
    to_degrees = Transformer.from_crs(where.crs, "EPSG:4326", always_xy=True)
    longitude, latitude = to_degrees.transform(
        (where.east[cell] + 0.5) * where.cell_m, (where.north[cell] + 0.5) * where.cell_m
    )
    return Happenings(
        tuple(rules), tuple(rules.values()), occasion, start, end, cell,
        np.asarray(longitude), np.asarray(latitude), expected[order], seen[order], radius, factor,
        first.clip(0, hours), last.clip(0, hours),
    )  # fmt: skip


def _one_occasion(
    index: int, name: str, rule: Occasion, ground: Ground, busy: Floats, days: Moments, seed: int,
    part: str,
) -> tuple[Ints, Moments, Moments, Ints, Ints, Ints]:  # fmt: skip
    """Return occasion, start, end, cell, expected and true crowd of the events of one family."""
    rng = stream(seed, f"happenings/{name}")
    places = _places(rule, ground, busy, rng)
    rng = stream(seed, f"happenings/{name}/{part}") if part else rng
    day = _days(rule, len(places), days, rng)
    size = len(day)
    minutes = rng.choice(rule.start_h, size) * 60
    start: Moments = day.astype("datetime64[m]") + minutes.astype("timedelta64[m]")
    length = rng.uniform(*rule.duration_h, size)
    end = start + np.rint(length * 60).astype("timedelta64[m]")
    low, high = (np.log(max(1, crowd)) for crowd in rule.crowd)
    seen = np.rint(np.exp(rng.uniform(low, high, size))).astype(np.int64) * (rule.crowd[1] > 0)
    expected = np.rint(seen * np.exp(EXPECTED_SD * rng.standard_normal(size)) / 50) * 50
    if rule.capacity:
        expected = np.minimum(expected, rule.capacity)
    cell = places[rng.integers(0, len(places), size)]
    return np.full(size, index), start, end, cell, expected.astype(np.int64), seen


def _days(rule: Occasion, places: int, days: Moments, rng: np.random.Generator) -> Moments:
    """Return the days of the events; one place has one a day, if there are days enough.

    Whole years are drawn, and what falls in the period is kept.
    """
    drawn: list[Moments] = []
    for year in np.unique(days.astype("datetime64[Y]")):
        possible = np.arange(year, year + 1, dtype="datetime64[D]")
        month = possible.astype("datetime64[M]").astype(np.int64) % 12 + 1
        weekday = (possible.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
        possible = possible[np.isin(month, rule.months) & np.isin(weekday, rule.weekdays)]
        number = int(rng.integers(rule.per_year[0], rule.per_year[1] + 1))
        again = places > 1 or number > len(possible)
        drawn.append(rng.choice(possible, number, replace=again))
    found = np.concatenate(drawn)
    return np.asarray(found[(found >= days[0]) & (found <= days[-1])])


def _places(rule: Occasion, ground: Ground, busy: Floats, rng: np.random.Generator) -> Ints:
    """Return the cells (positions in the territory) where events of the family take place.

    Each holds its centre, for there the event is: in the quarter of the cell.
    """
    if rule.venue is None:
        busy = busy * ground.territory.central()[ground.cells]
        limit = np.quantile(busy, 1 - BUSIEST)
        some = rng.choice(np.flatnonzero(busy >= limit), rule.places, replace=False)
        return np.asarray(ground.cells[np.sort(some)], dtype=np.int64)
    to_metres = Transformer.from_crs("EPSG:4326", ground.territory.crs, always_xy=True)
    east, north = to_metres.transform(*rule.venue)
    central = ground.territory.central()[ground.cells]
    away = np.hypot(*(ground.centres() - np.array([east, north])).T)
    away[~central] = np.inf
    return np.asarray(ground.cells[[int(away.argmin())]], dtype=np.int64)


def around(events: Happenings, ground: Ground) -> Around:
    """Return the built cells in the rings of each event; distances between cell centres."""
    centres, where = ground.centres(), ground.territory
    tree = KDTree(centres)
    nothing = np.zeros(0, dtype=np.int64)
    event, place, factor = [nothing], [nothing], [np.ones(0)]
    for index, rule in enumerate(events.rules):
        for cell in np.unique(events.cell[events.occasion == index]):
            here = np.flatnonzero((events.occasion == index) & (events.cell == cell))
            centre = (np.array([where.east[cell], where.north[cell]]) + 0.5) * where.cell_m
            near = np.sort(np.array(tree.query_ball_point(centre, rule.rings[-1].radius_m), int))
            away = np.hypot(*(centres[near] - centre).T)
            ring = np.searchsorted([r.radius_m for r in rule.rings], away, side="left")
            event.append(np.repeat(here, len(near)))
            place.append(np.tile(near, len(here)))
            factor.append(np.tile(np.array([r.factor for r in rule.rings])[ring], len(here)))
    return Around(np.concatenate(event), np.concatenate(place), np.concatenate(factor))


def expected_excess(
    kind: Kind, events: Happenings, pairs: Around, ground: Ground, first: int, last: int
) -> tuple[Floats, Ints]:
    """Return the first incidents that each pair adds between two hours of the period, at scale 1.

    Beside, the positions of the pairs concerned.
    """
    touched = np.array([kind.code in rule.kinds for rule in events.rules])[events.occasion]
    start, end = events.first_hour.clip(first, last), events.last_hour.clip(first, last)
    own = np.flatnonzero((touched & (end > start))[pairs.event])
    event, place = pairs.event[own], pairs.place[own]
    weight = np.where(
        ground.coast[place],
        kind.weight(True, start[event], end[event]),
        kind.weight(False, start[event], end[event]),
    )
    return kind.place[place] * weight * (pairs.factor[own] - 1), own


def draw_excess(
    kind: Kind, events: Happenings, pairs: Around, ground: Ground,
    hours: tuple[int, int], scale: float, rng: np.random.Generator,
) -> tuple[Ints, Ints, Ints]:  # fmt: skip
    """Return place (among the built cells), hour and event of the excess between two hours."""
    mean, own = expected_excess(kind, events, pairs, ground, *hours)
    drawn = np.repeat(own, rng.poisson(mean * scale))
    event, place = pairs.event[drawn], pairs.place[drawn]
    start, end = events.first_hour.clip(*hours)[event], events.last_hour.clip(*hours)[event]
    aim, hour = rng.random(len(drawn)), np.zeros(len(drawn), dtype=np.int64)
    for on_coast in (False, True):
        here = ground.coast[place] == on_coast
        until = kind.until[int(on_coast)]
        low, high = until[start[here]], until[end[here]]
        found = np.searchsorted(until, low + aim[here] * (high - low), side="right") - 1
        hour[here] = np.clip(found, start[here], end[here] - 1)
    return place, hour, event
