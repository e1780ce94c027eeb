"""From links to episodes: the strongest links first, as long as the episode stays one fact.

Constrained single linkage (Kruskal's order): a link joins two groups of records unless together
they would hold two records of a source that leaves one, or reach too far in space or time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass
class Groups:
    """What the records of each group cover; arrays of shape (n,), or (n, 2) for places.

    `alone` has a bit set for each source present that leaves one record an episode. `low`, `high`
    bound the places (metres), +inf and −inf where unknown; `first`, `last` the moments (seconds).
    """

    alone: Ints
    low: Floats
    high: Floats
    first: Ints
    last: Ints

    def joined(self, p: Ints, q: Ints) -> Groups:
        """Return what groups p and q cover together, pair by pair."""
        return Groups(
            self.alone[p] | self.alone[q],
            np.minimum(self.low[p], self.low[q]),
            np.maximum(self.high[p], self.high[q]),
            np.minimum(self.first[p], self.first[q]),
            np.maximum(self.last[p], self.last[q]),
        )

    def put(self, at: Ints, other: Groups) -> None:
        """Set what the groups `at` cover."""
        for name in ("alone", "low", "high", "first", "last"):
            getattr(self, name)[at] = getattr(other, name)


def merge(
    groups: Groups, a: Ints, b: Ints, max_extent_m: float, max_span_s: int
) -> tuple[Ints, NDArray[np.bool_]]:
    """Return each record's group (its smallest record) and which links joined two groups.

    `a`, `b` are the records that each link joins, strongest link first: the order must be total.
    Each round takes every link that is the strongest left for both of its groups, which is what
    taking links one by one would do; a link that the limits forbid stays forbidden, for groups
    only grow. `groups` holds one group a record and is updated.
    """
    group = np.arange(len(groups.alone))
    joins = np.zeros(len(a), dtype=bool)
    live = np.arange(len(a))
    while live.size:
        p, q = group[a[live]], group[b[live]]
        keep = (p != q) & allowed(groups, p, q, max_extent_m, max_span_s)
        live, p, q = live[keep], p[keep], q[keep]
        strongest = np.full(len(group), len(a))
        np.minimum.at(strongest, p, live)
        np.minimum.at(strongest, q, live)
        now = (strongest[p] == live) & (strongest[q] == live)
        joins[live[now]] = True
        into, gone = np.minimum(p[now], q[now]), np.maximum(p[now], q[now])
        groups.put(into, groups.joined(into, gone))
        become = np.arange(len(group))
        become[gone] = into
        group = become[group]
    return group, joins


def allowed(
    groups: Groups, p: Ints, q: Ints, max_extent_m: float, max_span_s: int
) -> NDArray[np.bool_]:
    """Tell which of groups p and q, pair by pair, may be one episode."""
    both = groups.joined(p, q)
    extent = np.max(both.high - both.low, axis=1)
    clash = (groups.alone[p] & groups.alone[q]) != 0
    return np.asarray(~clash & (extent <= max_extent_m) & (both.last - both.first <= max_span_s))
