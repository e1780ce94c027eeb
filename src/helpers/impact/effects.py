"""What each action prevented, each kind of action, and all of them; what moved to the rings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from helpers.core.city.city import City
from helpers.core.stage.near_places import Around, around
from helpers.core.stats.event_ratio import Ratio
from helpers.core.stats.intervals import DIGITS
from helpers.core.stats.quasi_poisson import reach
from helpers.core.stats.staggered_counts import Held, alone, held, moved, together
from helpers.impact.knobs import Knobs
from helpers.impact.known import Action, metres, start_weeks, too_near
from helpers.impact.recorded import otherwise

Ints = NDArray[np.int64]
ALL, KIND, ACTION, PLACEBO = "all", "kind", "action", "placebo"
STAGGERED, ALONE = "staggered", "alone"  # designs
EFFECT, NONE_SHOWN, UNCLEAR = "effet", "pas_d_effet_demontre", "non_concluant"
NOT_COUNTED, NO_PLACE, TOO_NEAR, TOO_SHORT, SILENT, TOO_FEW = (
    "not_counted", "no_place", "too_near", "too_short", "silent", "too_few"
)  # fmt: skip
FEW_AREAS, UNLIKE = "few_areas", "unlike"  # UNLIKE: the placebo shows an effect
TWICE = "told_twice"  # two actions of one number: neither place nor beginning is known
Counted = dict[tuple[str, str], Around]  # theme and category → counts
EFFECTS = pa.schema(
    [
        ("scope", pa.string()), ("key", pa.string()), ("kind", pa.string()),
        ("indicator", pa.string()), ("start", pa.date32()), ("design", pa.string()),
        ("areas", pa.int64()), ("counted", pa.int64()), ("expected", pa.float64()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("detectable", pa.float64()), ("verdict", pa.string()), ("reason", pa.string()),
        ("exploratory", pa.bool_()), ("why", pa.string()), ("moved", pa.float64()),
        ("moved_low", pa.float64()), ("moved_high", pa.float64()),
    ]
)  # fmt: skip


def verdict(ratio: Ratio, confidence: float, knobs: Knobs) -> dict[str, Any]:
    """Return ratio, low, high, detectable, verdict: columns of EFFECTS.

    `detectable` is the smallest fall, as a share, that such an error would have shown in
    `knobs.power` of cases. An interval wholly below 1 is an effect. Otherwise none is shown, if
    a fall of `knobs.sought` would have been; if not, nothing can be said.
    """
    value, low, high = ratio.within(confidence)
    freedom = np.array(ratio.freedom)
    far = float(reach(confidence, freedom) + reach(2 * knobs.power - 1, freedom)) * ratio.error
    detectable = 1 - float(np.exp(-far))
    told = UNCLEAR
    if high < 1:
        told = EFFECT
    elif low > 1 or detectable <= knobs.sought:
        told = NONE_SHOWN
    numbers = {"ratio": value, "low": low, "high": high, "detectable": detectable}
    return {**{k: round(v, DIGITS) for k, v in numbers.items()}, "verdict": told, "reason": ""}


def measure(
    con: duckdb.DuckDBPyConnection, city: City, actions: list[Action], knobs: Knobs
) -> pa.Table:
    """Return one row an action, a kind of action, all of them, and a placebo: EFFECTS.

    Views `cube`, `weeks` and `grades_weekly`.

    A kind of action and all together are judged by `staggered_counts.held` where at least
    `minimum_areas` can be counted, each action by `alone`. The intervals of actions hold together
    (Šidák 1967), and so do those of kinds: many are read at once. The placebo is all actions,
    each put back so that its span after ends before the truth begins; where it shows an effect,
    nothing is said of all together. What pools actions was never registered: it is exploratory.
    `why` an action is, null where it is not and for what pools.
    """
    start = start_weeks(city, actions)
    counted = {
        _facts(one): around(con, city, metres(actions), one.theme, knobs, one.indicator)
        for one in actions
        if one.theme is not None
    }
    why = _why_not(actions, start, counted, knobs)
    able = _able(why)
    for i, reason in otherwise(con, city, actions, able, start, counted, knobs).items():
        why[i] = reason
    able = _able(why)
    each = knobs.confidence ** (1 / max(int((why == "").sum()), 1))
    rows = [
        _action_row(i, one, str(why[i]), start, counted, each, knobs)
        for i, one in enumerate(actions)
    ]
    kinds = sorted({one.kind for one in actions})
    by_kind = {kind: [i for i in able if actions[i].kind == kind] for kind in kinds}
    judged = sum(len(those) >= knobs.minimum_areas for those in by_kind.values())
    for kind, those in by_kind.items():
        level = knobs.confidence ** (1 / max(judged, 1))
        rows.append(_pooled_row(KIND, kind, those, actions, start, counted, level, knobs))
    back = knobs.after_weeks + knobs.gap_weeks
    put_back = _why_not(actions, start - back, counted, knobs)
    early = [i for i in able if put_back[i] in ("", TOO_FEW)]
    whole, placebo = (
        _pooled_row(scope, "", those, actions, begun, counted, knobs.confidence, knobs)
        for scope, those, begun in ((ALL, able, start), (PLACEBO, early, start - back))
    )
    if not placebo["reason"] and not placebo["low"] <= 1 <= placebo["high"]:
        nothing = dict.fromkeys(("moved", "moved_low", "moved_high"))
        whole |= {"verdict": UNCLEAR, "reason": whole["reason"] or UNLIKE, **nothing}
    return pa.Table.from_pylist([*rows, whole, placebo], schema=EFFECTS)


def _why_not(
    actions: list[Action], start: Ints, counted: Counted, knobs: Knobs
) -> NDArray[np.str_]:
    """Return why nothing is said of each action, "" where something is."""
    near = too_near(actions, knobs) if actions else np.array([], dtype=bool)
    why = np.full(len(actions), "", dtype="U16")
    for i, one in enumerate(actions):
        here = counted.get(_facts(one))
        if one.twice:
            why[i] = TWICE
        elif here is None:
            why[i] = NOT_COUNTED
        elif np.isnan(one.x):
            why[i] = NO_PLACE
        elif near[i]:
            why[i] = TOO_NEAR
        elif not knobs.spans.fit(start[i : i + 1], here.zones.shape[1])[0]:
            why[i] = TOO_SHORT
        else:
            why[i] = _few(here, i, int(start[i]), knobs)
    return why


def _able(why: NDArray[np.str_]) -> list[int]:
    """Return the actions that can be judged, alone or with others: few facts are read together."""
    return np.flatnonzero((why == "") | (why == TOO_FEW)).tolist()


def _facts(one: Action) -> tuple[str, str]:
    return one.theme or "", one.indicator


def _few(here: Around, i: int, start: int, knobs: Knobs) -> str:
    """Return why too little was heard or counted, "" where there is enough."""
    spans = knobs.spans.around(start)
    kept = [weeks[here.heard.areas[i, weeks]] for weeks in spans]
    if any(
        len(one) < knobs.heard_share * len(weeks) for one, weeks in zip(kept, spans, strict=True)
    ):
        return SILENT
    after, before = kept
    others = here.controls[here.heard.controls[:, [*before, *after]].all(axis=1)]
    if len(others) < 2 or min(others[:, weeks].sum() for weeks in kept) == 0:
        return SILENT
    enough = here.zones[i, before].sum() >= knobs.minimum_count and here.zones[i, after].any()
    return "" if enough else TOO_FEW


def _action_row(
    i: int, one: Action, why: str, start: Ints, counted: Counted, level: float, knobs: Knobs
) -> dict[str, Any]:
    row = {
        "scope": ACTION, "key": one.id, "kind": one.kind, "indicator": one.indicator,
        "start": one.start, "design": ALONE, "areas": 1, "exploratory": bool(one.why),
        "why": one.why or None,
    }  # fmt: skip
    if why:
        return {**row, "verdict": UNCLEAR, "reason": why}
    here = counted[_facts(one)]
    only = np.array([i])
    heard = here.heard.of(only)
    whole = held(here.zones[only], start[only], here.controls, knobs.spans, heard)
    ratio = alone(here.zones[i], int(start[i]), here.controls, knobs.spans, heard)
    return {**row, **_totals(whole), **verdict(ratio, level, knobs)}


def _pooled_row(
    scope: str, key: str, those: Sequence[int], actions: list[Action], start: Ints,
    counted: Counted, level: float, knobs: Knobs,
) -> dict[str, Any]:  # fmt: skip
    row = {"scope": scope, "key": key, "kind": key or None, "design": STAGGERED,
           "areas": len(those), "exploratory": True}  # fmt: skip
    if len(those) < knobs.minimum_areas:
        return {**row, "verdict": UNCLEAR, "reason": FEW_AREAS}
    zones, rings = [], []
    for pair in sorted({_facts(actions[i]) for i in those}):
        at = np.array([i for i in those if _facts(actions[i]) == pair])
        here = counted[pair]
        heard = here.heard.of(at)
        zones.append(held(here.zones[at], start[at], here.controls, knobs.spans, heard))
        rings.append(held(here.rings[at], start[at], here.controls, knobs.spans, heard))
    whole = together(zones)
    if min(whole.after.sum(), whole.expected.sum()) < knobs.minimum_count:
        return {**row, **_totals(whole), "verdict": UNCLEAR, "reason": TOO_FEW}
    share = moved(whole, together(rings), knobs.confidence)
    told = {**row, **_totals(whole), **verdict(whole.ratio(), level, knobs)}
    if scope == PLACEBO or told["verdict"] != EFFECT or not np.isfinite(share.low):
        return told  # without an effect there is nothing that could have moved
    parts = {"moved": share.share, "moved_low": share.low, "moved_high": share.high}
    return {**told, **{name: round(value, DIGITS) for name, value in parts.items()}}


def _totals(whole: Held) -> dict[str, Any]:
    expected = round(float(whole.expected.sum()), DIGITS)
    return {"counted": int(whole.after.sum()), "expected": expected}
