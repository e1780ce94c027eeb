"""Breaks of level, and what is known to have happened when they did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from helpers.core.city.about import Milestone
from helpers.core.city.city import City
from helpers.core.city.code_names import off_list
from helpers.core.city.names import WHOLE
from helpers.core.stats.breaks import MINIMUM_WEEKS, STEP, find_breaks
from helpers.trends import milestones
from helpers.trends.knobs import Knobs
from helpers.trends.weekly_series import Series, Weeks

MILESTONE = "milestone"
# A milestone by its title, or a drift of codes by its kind, with its records a week.
EXPLANATION = pa.struct(
    [
        ("kind", pa.string()), ("milestone", pa.string()), ("code", pa.string()),
        ("other", pa.string()), ("before", pa.float64()), ("after", pa.float64()),
    ]
)  # fmt: skip
BREAKS = pa.schema(
    [
        ("source", pa.string()), ("theme", pa.string()), ("week", pa.date32()),
        ("first", pa.date32()), ("last", pa.date32()), ("ratio", pa.float64()),
        ("low", pa.float64()), ("high", pa.float64()), ("p", pa.float64()),
        ("explanations", pa.list_(EXPLANATION)),
    ]
)  # fmt: skip
STEPS = pa.schema(
    [
        ("source", pa.string()), ("milestone", pa.string()), ("start", pa.date32()),
        ("ratio", pa.float64()), ("low", pa.float64()), ("high", pa.float64()),
        ("status", pa.string()), ("reason", pa.string()),
    ]
)  # fmt: skip


def breaks(weeks: Weeks, of_sources: pa.Table, drift: pa.Table, knobs: Knobs) -> pa.Table:
    """Return the breaks of the sources (as found by `reliability`) and of the themes: BREAKS.

    A theme's own are sought in its counts divided by those of the rest of its source, where that
    is the larger part: a break of the whole source is told once. Slow drifts are no breaks. Themes
    of which a code came or went (`drift`) are not of that rest: this one would seem to move.
    `source` is empty of a theme that counts several. `explanations` is what lies in the interval of
    its date: milestones, and codes that came, went or changed their name (`drift`).
    """
    city = weeks.city
    sources = set(city.themed_sources())
    names = ("source", "week", "first", "last", "ratio", "low", "high", "p")
    rows = [
        {"theme": None, **{k: row[k] for k in names}}
        for row in of_sources.to_pylist()
        if row["zone"] == WHOLE
        and row["status"] == "ok"
        and row["kind"] == STEP
        and row["source"] in sources
    ]
    found = {name: weeks.of(name, city.about.main_division) for name in city.themes}
    kept = {name: one for name, one in found.items() if one is not None}
    alpha = knobs.break_alpha / max(len(kept), 1)
    moved = _recoded(city, drift)
    for name, one in kept.items():
        beside = {other: series for other, series in kept.items() if other not in {name, *moved}}
        rows += _theme_breaks(name, one, city, beside, alpha, knobs)
    for row in rows:
        row["explanations"] = _explained(row, city, drift)
    return pa.Table.from_pylist(rows, schema=BREAKS)


def _recoded(city: City, drift: pa.Table) -> set[str]:
    """Return the themes of which a code came, went, was away or changed its name."""
    codes = {(row["source"], row["code"]) for row in drift.to_pylist() if row["kind"] != "jump"}
    return {
        name
        for name, theme in city.themes.items()
        if any((source, code) in codes for source, listed in theme.parts.items() for code in listed)
    }


def marks_of(row: Mapping[str, Any], city: City) -> list[Milestone]:
    """Return the milestones that may concern a break: its theme's, or its whole source's."""
    if row["theme"]:
        return list(milestones.concerning(city, row["theme"]))
    marks = [m for m in city.about.milestones if row["source"] in m.sources]
    return marks + [m for m in city.about.milestones if not m.sources and not m.themes]


def _explained(row: dict[str, Any], city: City, drift: pa.Table) -> list[dict[str, Any]]:
    marks, first, last = marks_of(row, city), row["first"], row["last"]
    codes = [
        {name: one[name] for name in ("kind", "code", "other", "before", "after")}
        for one in drift.to_pylist()
        if first <= one["week"] <= last
        and last - first <= milestones.VAGUE
        and _moves(one, row, city)
    ]
    held = [{"kind": MILESTONE, "milestone": one.title}
            for one in milestones.within(marks, first, last)]  # fmt: skip
    return [*held, *codes]


def _moves(one: dict[str, Any], row: dict[str, Any], city: City) -> bool:
    """Tell whether a drift of codes may have made a break: its categories, and the same way.

    A code that ends, or whose new name is counted nowhere, makes fewer; one that comes makes more.
    A code renamed within a theme moves nothing.
    """
    rule = city.contracts[one["source"]].observation
    theme = city.themes[row["theme"]] if row["theme"] else None
    if one["source"] not in (theme.parts if theme else [row["source"]]):
        return False
    if rule is None or one["field"] != rule.category or one["kind"] == "jump":
        return False
    unnamed = one["kind"] == "renamed" and not one["mapped"]
    lost = one["kind"] in ("vanished", "away") or unnamed
    gained = one["kind"] in ("new", "back") and not off_list(one["code"])
    of_theme = theme is None or one["code"] in theme.parts[one["source"]]
    taken_up = theme and one["other"] in theme.parts[one["source"]]
    if taken_up and not of_theme:
        return bool(one["kind"] == "renamed" and row["ratio"] > 1)
    return of_theme and ((lost and row["ratio"] < 1) or (gained and row["ratio"] > 1))


def _theme_breaks(
    name: str, one: Series, city: City, beside: dict[str, Series], alpha: float, knobs: Knobs
) -> list[dict[str, Any]]:
    sources = city.themes[name].sources
    heard = np.flatnonzero(one.exposure[0] > 0)
    n = one.counts[0, heard]
    if len(heard) < MINIMUM_WEEKS or n.mean() < knobs.break_minimum_count:
        return []
    rest = np.zeros(len(heard))
    for other, series in beside.items():
        if set(city.themes[other].sources) <= set(sources):
            rest = rest + series.counts[0, heard]
    y = np.log((n + 0.5) / one.share_in[heard])
    if rest.sum() > n.sum():
        y = np.log(n + 0.5) - np.log(rest + 0.5)
    found = find_breaks(y, seasonal=True, alpha=alpha, confidence=knobs.confidence)
    mondays = [one.mondays[i] for i in heard]
    return [
        {"source": sources[0] if len(sources) == 1 else None, "theme": name,
         "week": mondays[b.at], "first": mondays[b.first],
         "last": mondays[b.last], "ratio": b.ratio, "low": b.low, "high": b.high, "p": b.p}
        for b in found if b.kind == STEP
    ]  # fmt: skip


def recorded(weeks: Weeks, confidence: float) -> pa.Table:
    """Return what each change of recording did to its source: STEPS."""
    rows = []
    for source in weeks.city.themed_sources():
        for step in weeks.steps(source):
            row = {"source": source, "milestone": step.milestone.title,
                   "start": step.milestone.start, "status": "abstained",
                   "reason": step.reason}  # fmt: skip
            if step.log_ratio is not None:
                value, low, high = step.interval(confidence)
                row |= {"ratio": value, "low": low, "high": high, "status": "ok"}
            rows.append(row)
    return pa.Table.from_pylist(rows, schema=STEPS)
