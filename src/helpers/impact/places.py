"""Places where nothing was done, alike in size to those of actions: what actions are held against.

Circles as large as an action's zone, far from every action and from one another, the busiest first.
They are chosen by all the facts of the period, before and after alike: no date has a part in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from helpers.core.city.city import City
from helpers.core.place_time.calendar import full_weeks
from helpers.core.place_time.counts import counts
from helpers.core.place_time.heard import of_theme
from helpers.core.place_time.territory import cell_size, corners
from helpers.core.stage.near_places import Around, around
from helpers.core.stats.second_readings import Blocks, Places
from helpers.impact.knobs import Knobs
from helpers.impact.known import Action, metres

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Pair = tuple[str, str]  # theme and category
LIKE = 0.1  # of the facts around an action, in the whole period, that a place has at least


@dataclass(frozen=True)
class Cells:
    """Weekly facts (cells, weeks), where heard, the middle of each cell (cells, 2), in metres."""

    counts: Floats
    heard: Bools
    middle: Floats


@dataclass(frozen=True)
class Ground:
    """What is counted of one pair: around actions, then places (`here`), and cell by cell.

    `at` (actions + places, 2), in metres; the first `actions` rows are those of the actions.
    """

    here: Around
    cells: Cells
    at: Floats
    actions: int

    def beside(self, i: int) -> tuple[Places, Ints]:
        """Return action `i` with the places that have a tenth of its facts at least (`LIKE`).

        And which rows of `at` they are, that of the action first.
        """
        whole = self.here.zones.sum(axis=1)
        busy = whole[self.actions :] >= LIKE * whole[i]
        rows = np.array([i, *(self.actions + np.flatnonzero(busy))], dtype=np.int64)
        told = Places(self.here.zones[rows], self.here.rings[rows], self.here.heard.areas[rows])
        return told, rows

    def blocks(self, rows: Ints, weeks: Ints, knobs: Knobs) -> Blocks:
        """Return the cells heard in all these weeks, beside the places `rows`, the action's first.

        A cell that no fact was ever counted in has no row.
        """
        told = self.cells.heard[:, weeks].all(axis=1)
        away = _away(self.at[rows], self.cells.middle[told])
        reach = knobs.zone_m + knobs.ring_m
        acted = _away(self.at[: self.actions], self.cells.middle[told])
        return Blocks(self.cells.counts[told], away <= knobs.zone_m, away <= reach,
                      np.asarray(~(acted <= reach).any(axis=0)))  # fmt: skip


def grounds(
    con: duckdb.DuckDBPyConnection, city: City, actions: Sequence[Action], pairs: Sequence[Pair],
    knobs: Knobs,
) -> Mapping[Pair, Ground]:  # fmt: skip
    """Return what is counted of each pair; the places are the same for all.

    Views `cube`, `weeks` and `grades_weekly`.
    """
    own = metres(list(actions))
    laid = {pair: _cells(con, city, *pair, knobs) for pair in pairs}
    at = np.vstack([own, _chosen([*laid.values()], own, knobs)])
    return {
        pair: Ground(around(con, city, at, pair[0], knobs, pair[1]), cells, at, len(own))
        for pair, cells in laid.items()
    }


def _chosen(laid: Sequence[Cells], own: Floats, knobs: Knobs) -> Floats:
    """Return the middles of the places (places, 2): the busiest first, then by where they lie."""
    middle = np.unique(np.vstack([one.middle for one in laid]), axis=0) if laid else own[:0]
    if not len(middle):
        return middle
    busy, tree = np.zeros(len(middle)), KDTree(middle)
    for one in laid:
        if len(one.middle):
            _, at = tree.query(one.middle)
            np.add.at(busy, at, one.counts.sum(axis=1))
    level = np.array([busy[near].sum() for near in tree.query_ball_point(middle, knobs.zone_m)])
    apart = 2 * (knobs.zone_m + knobs.ring_m)
    free = ~(_away(own, middle) < apart).any(axis=0)
    found: list[int] = []
    while free.any() and len(found) < knobs.placebo_places:
        best = int(np.where(free, level, -1.0).argmax())
        found.append(best)
        free &= np.hypot(*(middle - middle[best]).T) >= apart
    return np.asarray(middle[found])


def _cells(
    con: duckdb.DuckDBPyConnection, city: City, theme: str, wanted: str, knobs: Knobs
) -> Cells:
    mondays = full_weeks(city.about.period.start, city.about.period.end)
    place = {monday: i for i, monday in enumerate(mondays)}
    rows = [
        (cell, zone, place[week], n)
        for category, cell, zone, week, n in counts(
            con, ["category", "cell", "zone", "week"], theme=theme, origins=knobs.origins,
            division=city.about.main_division, placed=True,
        )
        if category == wanted and week in place and zone is not None
    ]  # fmt: skip
    names, which = np.unique([cell for cell, *_ in rows], return_inverse=True)
    shape = len(names), len(mondays)
    found, heard = np.zeros(shape, dtype=np.float64), np.ones(shape, dtype=bool)
    if not rows:
        return Cells(found, heard, np.zeros((0, 2)))
    weeks = np.array([week for *_, week, _ in rows])
    np.add.at(found, (which, weeks), [n for *_, n in rows])
    quarters = sorted({zone for _, zone, *_ in rows})
    told = of_theme(con, city, theme, city.about.main_division, quarters, mondays)
    for cell, zone in sorted({(c, row[1]) for c, row in zip(which.tolist(), rows, strict=True)}):
        heard[cell] &= told[quarters.index(zone)]
    middle = (corners(names.tolist()) + (cell_size(con) or 0) / 2).astype(np.float64)
    return Cells(found, heard, middle)


def _away(at: Floats, middle: Floats) -> Floats:
    """Return how far each cell is from each place (places, cells); ∞ where no place is known."""
    away = np.hypot(*(at[:, None] - middle[None, :]).transpose(2, 0, 1))
    return np.asarray(np.where(np.isnan(away), np.inf, away))
