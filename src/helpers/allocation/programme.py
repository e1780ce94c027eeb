"""The problem as a mixed-integer programme: columns, rows, and the name of each row.

Whole numbers: teams of a duty `w`, teams of a duty in a zone at a slot `y`. The rest follows from
them: levels filled `u` (gain is concave: they fill in order), teams where they are today `k`,
team-slots by district `p` (told once, so that shares are short rows), moves `f` between consecutive
slots. Without a team on duty every structural row holds: if nothing is
feasible, named rows are in conflict.

Rest: shifts lengthened by the rest are intervals, and intervals that overlap at most n times are
shared out among n teams (interval graphs are perfect): a row by start of shift is exact, without
a variable by team. Moves are flows between two slots: given whole `y`, whole ones exist.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from helpers.allocation.means import (
    Balance,
    Bools,
    Dose,
    EquityBand,
    Fleet,
    Floats,
    Hours,
    Ints,
    Item,
    Means,
    MinimumService,
    Problem,
    Rest,
    Rule,
    Skill,
    Travel,
)

STRUCTURE = -1  # rows that no one may lift


@dataclass(frozen=True)
class Columns:
    """Where each variable stands: first positions, and the shapes that follow.

    `place` (places,): duty and slot of each place of `y`, by zones: `y` is (places, zones).
    """

    means: Means
    levels: int
    place_duty: Ints
    place_slot: Ints
    kept: Ints  # flat positions (crew, zone, slot) where someone is today
    moves: tuple[tuple[int, int, Ints, Ints], ...]  # place, next place, from, to

    @property
    def y(self) -> int:
        """First of the teams in a zone."""
        return len(self.means.duties)

    @property
    def u(self) -> int:
        """First of the levels."""
        return self.y + len(self.place_duty) * len(self.means.zones)

    @property
    def k(self) -> int:
        """First of the teams kept."""
        return self.u + len(self.means.zones) * self.means.slots * self.levels

    @property
    def p(self) -> int:
        """First of the team-slots by district."""
        return self.k + len(self.kept)

    @property
    def f(self) -> int:
        """First of the moves."""
        return self.p + len(self.means.districts)

    @property
    def count(self) -> int:
        """How many columns."""
        return self.f + sum(len(one[2]) for one in self.moves)

    def y_at(self, places: Ints, zones: Ints) -> Ints:
        """Return columns (places, zones) of teams."""
        return self.y + places[:, None] * len(self.means.zones) + zones[None, :]

    def presence(self, x: Floats) -> Ints:
        """Return teams (crews, zones, slots) of a solution."""
        found = np.zeros((len(self.means.crews), len(self.means.zones), self.means.slots), np.int64)
        y = np.rint(x[self.y : self.u]).astype(np.int64).reshape(-1, len(self.means.zones))
        crew = np.array([one for one, _ in self.means.duties], dtype=np.int64)
        for who, slot, teams in zip(crew[self.place_duty], self.place_slot, y, strict=True):
            found[who, :, slot] += teams
        return found


@dataclass
class Rows:
    """Rows as they are written: sparse entries, bounds, and the item that each one is of."""

    row: list[Ints] = field(default_factory=list)
    column: list[Ints] = field(default_factory=list)
    value: list[Floats] = field(default_factory=list)
    low: list[Floats] = field(default_factory=list)
    high: list[Floats] = field(default_factory=list)
    item: list[Ints] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    count: int = 0

    def block(
        self, parts: list[tuple[Ints, float]], low: float | Floats, high: float | Floats,
        item: Item | None = None,
    ) -> None:  # fmt: skip
        """Add rows: of each part, columns (rows, entries) with one value."""
        n = len(parts[0][0])
        for columns, value in parts:
            self.row.append(self.count + np.repeat(np.arange(n), columns.shape[1]))
            self.column.append(columns.ravel())
            self.value.append(np.full(columns.size, value))
        self.bounds(n, low, high, item)

    def one(
        self, columns: Ints, values: Floats, low: float, high: float, item: Item | None = None
    ) -> None:
        """Add a row; a column told twice has the sum of its values."""
        self.row.append(np.full(len(columns), self.count))
        self.column.append(columns)
        self.value.append(values)
        self.bounds(1, low, high, item)

    def bounds(self, n: int, low: float | Floats, high: float | Floats, item: Item | None) -> None:
        """Close rows whose entries are written: bounds, and the item that they are of."""
        if item is not None and item not in self.items:
            self.items.append(item)
        place = STRUCTURE if item is None else self.items.index(item)
        self.low.append(np.broadcast_to(np.asarray(low, dtype=np.float64), (n,)))
        self.high.append(np.broadcast_to(np.asarray(high, dtype=np.float64), (n,)))
        self.item.append(np.full(n, place))
        self.count += n


@dataclass(frozen=True)
class Programme:
    """Minimise `cost` · x, `low` ≤ A x ≤ `high`, 0 ≤ x ≤ `most`, `whole` columns integer.

    `item` (rows,): position in `items`, or STRUCTURE.
    """

    problem: Problem
    columns: Columns
    cost: Floats
    matrix: sparse.csr_array
    low: Floats
    high: Floats
    item: Ints
    items: tuple[Item, ...]
    most: Floats
    whole: Bools


def build(problem: Problem) -> Programme:
    """Return the programme of a problem; its items stand in the order of the rules."""
    columns = _columns(problem)
    rows = Rows()
    _structure(columns, rows)
    for rule in problem.rules:
        _rule(rule, columns, rows)
    entries = tuple(np.concatenate(part) for part in (rows.row, rows.column))
    shape = (rows.count, columns.count)
    matrix = sparse.coo_array((np.concatenate(rows.value), entries), shape=shape).tocsr()
    matrix.eliminate_zeros()
    low, high, item = np.concatenate(rows.low), np.concatenate(rows.high), np.concatenate(rows.item)
    most, whole = _bounds(columns)
    return Programme(
        problem, columns, _cost(problem, columns), matrix, low, high, item, tuple(rows.items),
        most, whole,
    )  # fmt: skip


def _columns(problem: Problem) -> Columns:
    means = problem.means
    places = [(duty, slot) for duty, (_, shift) in enumerate(means.duties)
              for slot in means.shifts[shift].slots]  # fmt: skip
    at = np.array(places, dtype=np.int64).reshape(-1, 2)
    moves: list[tuple[int, int, Ints, Ints]] = []
    for rule in problem.rules:
        if isinstance(rule, Travel):
            start, end = np.nonzero(rule.minutes <= rule.limit)
            moves = [(i, i + 1, start, end) for i in range(len(places) - 1)
                     if places[i][0] == places[i + 1][0]]  # fmt: skip
    kept = np.flatnonzero(means.today) if problem.change else np.zeros(0, dtype=np.int64)
    return Columns(means, problem.gain.shape[2], at[:, 0], at[:, 1], kept, tuple(moves))


def _bounds(columns: Columns) -> tuple[Floats, Bools]:
    means = columns.means
    teams = np.array([means.crews[crew].teams for crew, _ in means.duties], dtype=np.float64)
    most = np.full(columns.count, np.inf)
    most[: columns.y] = teams
    most[columns.y : columns.u] = np.repeat(teams[columns.place_duty], len(means.zones))
    most[columns.u : columns.k] = 1
    most[columns.k : columns.p] = means.today.ravel()[columns.kept]
    whole = np.arange(columns.count) < columns.u
    return most, whole


def _cost(problem: Problem, columns: Columns) -> Floats:
    cost = np.zeros(columns.count)
    cost[columns.y : columns.u] = problem.change
    cost[columns.u : columns.k] = -problem.gain.ravel()
    cost[columns.k : columns.p] = -problem.change
    first = columns.f
    for rule in problem.rules:
        if isinstance(rule, Travel):
            for _, _, start, end in columns.moves:
                cost[first : first + len(start)] = rule.cost * rule.minutes[start, end]
                first += len(start)
    return cost


def _structure(columns: Columns, rows: Rows) -> None:
    """Teams on duty are each in a zone; levels and what is kept are no more than who is there."""
    means, zones = columns.means, np.arange(len(columns.means.zones))
    places = np.arange(len(columns.place_duty))
    rows.block([(columns.y_at(places, zones), 1.0), (columns.place_duty[:, None], -1.0)], 0.0, 0.0)
    for slot in range(means.slots):
        here = columns.y_at(np.flatnonzero(columns.place_slot == slot), zones).T
        first = columns.u + (zones[:, None] * means.slots + slot) * columns.levels
        rows.block([(here, -1.0), (first + np.arange(columns.levels), 1.0)], -np.inf, 0.0)
    crew = np.array([one for one, _ in means.duties], dtype=np.int64)[columns.place_duty]
    for i, flat in enumerate(columns.kept):
        who, zone, slot = np.unravel_index(flat, means.today.shape)
        here = columns.y_at(np.flatnonzero((crew == who) & (columns.place_slot == slot)),
                            np.array([zone]))  # fmt: skip
        rows.block([(here.T, -1.0), (np.array([[columns.k + i]]), 1.0)], -np.inf, 0.0)
    for district in range(len(means.districts)):
        here = columns.y_at(places, np.flatnonzero(means.district == district)).reshape(1, -1)
        rows.block([(here, -1.0), (np.array([[columns.p + district]]), 1.0)], 0.0, 0.0)
    for who in range(len(means.crews)):
        _no_more_than_teams(columns, rows, who, 0, None)


def _no_more_than_teams(
    columns: Columns, rows: Rows, who: int, rest: int, item: Item | None
) -> None:
    """Hold shifts, lengthened by the rest, to the teams of the crew at the start of each one."""
    held = list(columns.means.of_crew(who))
    for start in sorted({shift.starts for _, shift in held}):
        on = np.array([d for d, s in held if s.starts <= start < s.ends + rest], dtype=np.int64)
        if len(on) > 1:
            rows.one(on, np.ones(len(on)), -np.inf, columns.means.crews[who].teams, item)


def _rule(rule: Rule, columns: Columns, rows: Rows) -> None:
    match rule:
        case Hours():
            for who, crew in enumerate(columns.means.crews):
                on = np.array([d for d, _ in columns.means.of_crew(who)], dtype=np.int64)
                length = np.array([columns.means.length(d) for d in on], dtype=np.float64)
                rows.one(on, length, -np.inf, crew.minutes, Item("hours", crew.code))
        case Rest(minutes):
            for who, crew in enumerate(columns.means.crews):
                _no_more_than_teams(columns, rows, who, minutes, Item("rest", crew.code))
        case Travel():
            _travel(columns, rows)
        case Balance(band):
            _balance(band, columns, rows)
        case MinimumService() | Dose() | EquityBand():
            _where(rule, columns, rows)
        case Skill() | Fleet():
            _which(rule, columns, rows)


def _travel(columns: Columns, rows: Rows) -> None:
    zones, first = np.arange(len(columns.means.zones)), columns.f
    for place, after, start, end in columns.moves:
        moves = first + np.arange(len(start))
        for where, ends in ((place, start), (after, end)):
            size = len(zones)
            rows.row.append(np.concatenate([rows.count + ends, rows.count + zones]))
            rows.column.append(np.concatenate([moves, columns.y_at(np.array([where]), zones)[0]]))
            rows.value.append(np.concatenate([np.ones(len(ends)), np.full(size, -1.0)]))
            rows.bounds(size, 0.0, 0.0, Item("travel"))
        first += len(start)


def _balance(band: float, columns: Columns, rows: Rows) -> None:
    means = columns.means
    length = np.array([means.length(d) for d in range(columns.y)], dtype=np.float64)
    crew = np.array([who for who, _ in means.duties], dtype=np.int64)
    every = sum(one.teams for one in means.crews)
    for who, one in enumerate(means.crews):
        if one.teams:
            own = length * (crew == who) / one.teams
            rows.one(np.arange(columns.y), own - length / every, -band, band,
                     Item("balance", one.code))  # fmt: skip


def _where(rule: MinimumService | Dose | EquityBand, columns: Columns, rows: Rows) -> None:
    """Write rules on the presence of a zone or a district, over all slots and crews."""
    means, places = columns.means, np.arange(len(columns.place_duty))
    match rule:
        case Dose(teams):
            for z, zone in enumerate(means.zones):
                on = columns.y_at(places, np.array([z])).ravel()
                rows.one(on, np.ones(len(on)), -np.inf, float(teams[z]), Item("dose", zone))
        case MinimumService(teams):
            for d in np.flatnonzero(teams > 0):
                item = Item("minimum_service", means.districts[d])
                rows.one(np.array([columns.p + d]), np.ones(1), float(teams[d]), np.inf, item)
        case EquityBand(demand, band):
            told = np.flatnonzero(np.isfinite(demand))
            whole = demand[told].sum()
            for d in told if whole > 0 else ():
                item = Item("equity", means.districts[d])
                for sign, low, high in ((-1, 0.0, np.inf), (1, -np.inf, 0.0)):
                    own = (told == d) - (demand[d] / whole + sign * band)
                    rows.one(columns.p + told, own, low, high, item)


def _which(rule: Skill | Fleet, columns: Columns, rows: Rows) -> None:
    """Write rules on who is there at a slot: skills needed, vehicles that exist."""
    means, zones = columns.means, np.arange(len(columns.means.zones))
    crew = [means.crews[who] for who, _ in means.duties]
    match rule:
        case Skill(skill, teams):
            has = np.array([skill in one.skills for one in crew], dtype=bool)[columns.place_duty]
            for zone, slot in np.argwhere(teams > 0):
                on = columns.y_at(np.flatnonzero(has & (columns.place_slot == slot)), zones)
                mine = on[:, zone]
                rows.one(mine, np.ones(len(mine)), float(teams[zone, slot]), np.inf,
                         Item("skill", skill, means.zones[zone]))  # fmt: skip
        case Fleet(vehicle, count):
            takes = np.array([one.vehicle == vehicle for one in crew], dtype=bool)
            for slot in range(means.slots):
                there = (columns.place_slot == slot) & takes[columns.place_duty]
                on = columns.place_duty[there]
                if len(on):
                    rows.one(on, np.ones(len(on)), -np.inf, float(count[slot]),
                             Item("fleet", vehicle))  # fmt: skip
