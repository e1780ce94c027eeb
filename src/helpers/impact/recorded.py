"""Were facts still written down the same way around an action, once it had begun?

Facts that only go by another name, or by no place, look prevented where they were. Their shadow is
seen: another category of the same sources rises right there, or the facts of the quarter that lie
in no cell do, beyond what the rest of the city did. Then nothing is said of the action: it may be
the pen, or facts of another kind that came instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import duckdb
import numpy as np
from numpy.typing import NDArray
from scipy import stats

from helpers.core.city.city import City
from helpers.core.stage.near_places import Around, others, unplaced
from helpers.core.stats.staggered_counts import Heard, alone
from helpers.impact.knobs import Knobs
from helpers.impact.known import Action, metres

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
RECODED, UNPLACED = "recoded", "unplaced"
ENOUGH = 5  # facts before and after from which the error of `alone` is worth reading


def otherwise(
    con: duckdb.DuckDBPyConnection, city: City, actions: Sequence[Action], able: Sequence[int],
    start: Ints, counted: Mapping[tuple[str, str], Around], knobs: Knobs,
) -> dict[int, str]:  # fmt: skip
    """Return which actions, of those `able` to be judged, have facts written otherwise, and how.

    RECODED: another category of the same sources rose in the action's zone; UNPLACED: facts of the
    category aimed at without a cell rose in the quarters that it touches. All tests hold together
    at `knobs.confidence` (Šidák 1967). Whether the facts aimed at fell is not asked: to leave
    actions out by their result would bend the others'. View `cube`.
    """
    asked = list(_series(con, city, actions, able, start, counted, knobs))
    level = knobs.confidence ** (1 / max(len(asked), 1))
    found: dict[int, str] = {}
    for i, reason, own, controls, heard in asked:
        if i not in found and _rose(own, int(start[i]), controls, heard, level, knobs):
            found[i] = reason
    return found


def _series(
    con: duckdb.DuckDBPyConnection, city: City, actions: Sequence[Action], able: Sequence[int],
    start: Ints, counted: Mapping[tuple[str, str], Around], knobs: Knobs,
) -> Iterator[tuple[int, str, Floats, Floats, Heard]]:  # fmt: skip
    """Yield action, what a rise would mean, its weekly facts, those of controls, what was heard."""
    at = metres(list(actions))
    for pair in sorted({(actions[i].theme or "", actions[i].indicator) for i in able}):
        here = counted[pair]
        lost = unplaced(con, city, *pair, knobs.origins)
        beside = others(con, city, at, *pair, knobs)
        for i in (i for i in able if (actions[i].theme or "", actions[i].indicator) == pair):
            heard, weeks = (
                here.heard.of(np.array([i])),
                np.concatenate(knobs.spans.around(start[i])),
            )
            for zones, controls in beside.values():
                if zones[i, weeks].any():
                    yield i, RECODED, zones[i], controls, heard
            touched = here.touched[i]
            if touched.any() and lost[touched][:, weeks].any():
                apart = Heard(heard.areas, heard.controls[~touched])
                yield i, UNPLACED, lost[touched].sum(axis=0), lost[~touched], apart


def _rose(
    own: Floats, start: int, controls: Floats, heard: Heard, level: float, knobs: Knobs
) -> bool:
    """Return whether a weekly series rose from before the beginning to after it, beyond controls.

    Few facts: exactly, given how many in all (Przyborowski & Wilenski 1940, Biometrika 31), the
    controls' growth taken as known; more: as `alone`, whose error has how areas differ.
    """
    after, before = (weeks[heard.areas[0, weeks]] for weeks in knobs.spans.around(start))
    beside = controls[heard.controls[:, [*before, *after]].all(axis=1)]
    late, early = (float(own[weeks].sum()) for weeks in (after, before))
    ends = [float(beside[:, weeks].sum()) for weeks in (after, before)]
    if min(late, early) >= ENOUGH and min(ends) > 0 and len(beside) > 1:
        return alone(own, start, controls, knobs.spans, heard).within(level)[1] > 1
    usual = len(after) / len(before)  # of controls without any such fact
    growth = (ends[0] + usual) / (ends[1] + 1)
    chance = stats.binom.sf(late - 1, late + early, growth / (1 + growth))
    return bool(chance < (1 - level) / 2)
