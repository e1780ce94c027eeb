"""Other designs beside the one that gives the verdict, each held against places without an action.

The verdict is that of `effects`, whose design is chosen before any result is known. What other
designs would have said stands beside it: where they part, the choice of the design matters, and the
reader must know. None of them changes a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.city.city import City
from helpers.core.stats import second_readings as readings
from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.second_readings import Read, Way
from helpers.core.stats.staggered_adoption import Effect
from helpers.core.stats.staggered_counts import Heard, Held, Spans, held, together
from helpers.impact import effects
from helpers.impact.designs import (
    BESIDE,
    BLOCKS,
    DESIGNS,
    FEW_PLACES,
    MONTH,
    OF_FACTS,
    PLACES,
    RING,
    SERIES,
    SYNTHETIC,
    TWICE,
    UNREAD,
)
from helpers.impact.knobs import Knobs
from helpers.impact.known import Action, start_weeks
from helpers.impact.places import Ground, Pair, grounds

Ints = NDArray[np.int64]


def measure(
    con: duckdb.DuckDBPyConnection, city: City, actions: list[Action], found: pa.Table,
    knobs: Knobs, seed: int,
) -> pa.Table:  # fmt: skip
    """Return one row an action judged alone and design, then two of all actions: BESIDE.

    `found`: EFFECTS of the same actions, in the same order. Intervals hold one at a time at
    `knobs.confidence`. `least` and `most`: how far the ratio goes from one micro-synthetic
    weighting to another. `wrong` of `tried` places show an effect, by the design of the verdict.
    Of all actions: the ratio beside the places, ranked among the same beginnings drawn at other
    places, and that of the weeks just before. Views `cube`, `weeks` and `grades_weekly`.
    """
    reasons = [row["reason"] for row in found.to_pylist() if row["scope"] == effects.ACTION]
    pooled = [i for i, why in enumerate(reasons) if why in ("", effects.TOO_FEW)]
    pairs = sorted({_pair(actions[i]) for i in pooled})
    laid = grounds(con, city, actions, pairs, knobs)
    start = start_weeks(city, actions)
    rows = []
    for i in (i for i in pooled if not reasons[i]):
        ground, begun = laid[_pair(actions[i])], int(start[i])
        rows += [{"scope": effects.ACTION, "key": actions[i].id, **one}
                 for one in _action(i, begun, ground, knobs)]  # fmt: skip
    if len(pooled) >= knobs.minimum_areas:
        rows += [{"scope": effects.ALL, "key": "", "design": name,
                  **_all(pooled, actions, begun, laid, spans, knobs, seed)}
                 for name, begun, spans in (
                     (PLACES, start, knobs.spans),
                     (MONTH, start - knobs.gap_weeks, _before(knobs)))]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=BESIDE)


def _pair(one: Action) -> Pair:
    return one.theme or "", one.indicator


def _before(knobs: Knobs) -> Spans:
    """Return the spans that hold the weeks just before a beginning against those before them."""
    return Spans(knobs.before_weeks, 0, knobs.gap_weeks)


def _action(i: int, start: int, ground: Ground, knobs: Knobs) -> Iterator[dict[str, Any]]:
    """Yield what each design reads of an action."""
    places, rows = ground.beside(i)
    spans = knobs.spans
    after, before = spans.around(start)
    kept = np.concatenate([w[places.heard[0, w]] for w in (after, before)])
    blocks = ground.blocks(rows, kept, knobs)
    heard, month = places.heard[0], _before(knobs)
    ways: Mapping[str, Callable[[], Way]] = {
        PLACES: lambda: readings.like_places(places, start, spans),
        SYNTHETIC: lambda: readings.by_weights(places, start, spans, twice=False),
        TWICE: lambda: readings.by_weights(places, start, spans, twice=True),
        BLOCKS: lambda: readings.by_blocks(blocks, heard, start, spans),
        SERIES: lambda: readings.by_own_series(places, start, spans),
        RING: lambda: readings.with_ring(places, start, spans),
        MONTH: lambda: readings.like_places(places, start - knobs.gap_weeks, month),
    }
    for name in DESIGNS:
        row: dict[str, Any] = {"design": name}
        try:
            way = ways[name]()
            row |= _told(name, readings.against(way, knobs.confidence))
            if name == PLACES:
                wrong = readings.wrongly(way, knobs.confidence)
                row |= dict(zip(("wrong", "tried"), wrong, strict=True))
            if name == BLOCKS:
                ends = readings.reach_of_blocks(blocks, heard, start, spans)
                row |= dict(zip(("least", "most"), ends, strict=True))
        except readings.FewPlaces:
            row |= {"reason": FEW_PLACES}
        except ValueError:
            row |= {"reason": UNREAD}
        yield row


def _told(name: str, read: Read) -> dict[str, Any]:
    ends = {"value": read.value, "low": read.low, "high": read.high}
    if name not in OF_FACTS:
        ends = {key: float(np.exp(value)) for key, value in ends.items()}
    told = {**ends, "chance": read.chance}
    return {**{k: round(v, DIGITS) for k, v in told.items()}, "places": read.places, "reason": ""}


def _all(
    those: Sequence[int], actions: Sequence[Action], start: Ints, laid: Mapping[Pair, Ground],
    spans: Spans, knobs: Knobs, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Return what is read of all actions together, ranked among draws: columns of BESIDE.

    Each draw gives the beginnings, each with the facts that it aims at, to places in turn; they are
    held against the places that are left, as the actions are against all.
    """
    by_pair = {pair: [i for i in those if _pair(actions[i]) == pair] for pair in laid}
    first = next(iter(laid.values()))
    size = len(first.at) - first.actions
    rng = np.random.default_rng(seed)

    def ratio(rows: Sequence[int], others: Ints) -> Effect:
        at = dict(zip(those, rows, strict=True))
        parts = [_held(laid[pair], [at[i] for i in own], others, start[own], spans)
                 for pair, own in by_pair.items() if own]  # fmt: skip
        found = together(parts).ratio()
        return Effect(found.value, found.error)

    try:
        everywhere = first.actions + np.arange(size)
        own, never = ratio(those, everywhere), []
        for _ in range(knobs.draws if size >= 2 * len(those) else 0):
            order = first.actions + rng.permutation(size)
            one = ratio(order[: len(those)].tolist(), np.sort(order[len(those) :]))
            never.append(abs(one.value) / one.error)
        return _told(PLACES, readings.ranked(own, never, knobs.confidence)) | {"places": size}
    except readings.FewPlaces:
        return {"reason": FEW_PLACES}
    except ValueError:
        return {"reason": UNREAD}


def _held(ground: Ground, rows: Sequence[int], others: Ints, start: Ints, spans: Spans) -> Held:
    here, at = ground.here, np.array(rows, dtype=np.int64)
    heard = Heard(here.heard.areas[at], here.heard.areas[others])
    return held(here.zones[at], start, here.zones[others], spans, heard)
