"""Pairs of records near enough to tell one fact, and how near: the levels of each comparison.

Blocking: squares and time slots twice as wide as the largest gap, so that a record lies in four
squares and about two slots; a pair is kept in the first slot that both share, hence once.
"""

from __future__ import annotations

from typing import NamedTuple

import duckdb
import pyarrow as pa

from helpers.core.base.store import literal, quote
from helpers.core.city.episode_rules import EpisodeRules, Pair
from helpers.core.city.names import NO_PLACE, OUTSIDE
from helpers.episodes.knobs import Knobs

# What a trace tells its episode, beside its place and moment.
CARRIED = ("cell", "theme", "origin")
# What links look at, the names of records apart: these are hashes, which another key orders anew.
ALIKE = "t0, t1, x, y, zone, category, cell, theme, origin, reference IS NULL"
COMPARISONS = ("place", "gap", "kind", "reference")
WEEK_S = 7 * 86_400
# A fact known to lie within an interval: the longer, the less it says. Hours.
INTERVALS_H = (2, 8)


class Level(NamedTuple):
    """A level of a comparison: code, SQL test, and its bound where it has one (m, h or min)."""

    code: str
    test: str
    bound: int | None = None


Levels = list[Level]


def make_records(
    con: duckdb.DuckDBPyConnection, rules: EpisodeRules, main_division: str, knobs: Knobs
) -> None:
    """Make table `record` of views `observations` and `places`: one row an observation.

    `rec` numbers them by source and by what they tell (`ALIKE`), whatever the order of the rows and
    the city's key, whose hashes part only records that tell the same; `t0`, `t1` (seconds) bound
    the moment; `usable` tells that it is known closely enough to be compared. A default point is no
    place.
    """
    told = [name for name, s in rules.sources.items() if s.moment == "interval"]
    zones = "".join(
        f"WHEN {literal(name)} THEN {quote(f'zone_{source.zone}')} "
        for name, source in sorted(rules.sources.items())
        if source.zone
    )
    main = f"CASE WHEN place_precision != 'default' THEN {quote(f'zone_{main_division}')} END"
    zone = f"CASE source {zones}ELSE {main} END" if zones else main
    listed = ", ".join(literal(name) for name in told) or "NULL"
    place = f"CASE WHEN ({zone}) NOT IN ('{NO_PLACE}', '{OUTSIDE}') THEN {zone} END"
    # Joined and sorted as small integers: a third of the time of texts.
    texts = {"zone": place, **{name: name for name in ("source", "category", *CARRIED)}}
    _make_types(con, texts)
    coded = {name: f"CAST({text} AS {name}_name) AS {name}" for name, text in texts.items()}
    con.execute(
        "CREATE OR REPLACE TABLE record AS WITH timed AS (SELECT *, "
        f"epoch(started_at)::BIGINT AS s, CASE WHEN source IN ({listed}) "
        "THEN epoch(greatest(ended_at, started_at))::BIGINT ELSE s END + CASE time_precision "
        "WHEN 'hour' THEN 3599 WHEN 'day' THEN 86399 WHEN 'month' THEN 2678399 "
        "WHEN 'year' THEN 31535999 ELSE 0 END AS e "
        "FROM observations WHERE n > 0), slim AS (SELECT record, s AS t0, e AS t1, "
        f"e - s <= {knobs.max_interval_h * 3600} AS usable, "
        "CASE WHEN place_precision = 'point' THEN x END AS x, "
        "CASE WHEN place_precision = 'point' THEN y END AS y, key, reference, "
        f"{', '.join(coded.values())} "
        "FROM timed LEFT JOIN places USING (source, record)) "
        "SELECT (row_number() OVER () - 1)::INTEGER AS rec, * FROM "
        f"(SELECT * FROM slim ORDER BY source, {ALIKE}, record)"
    )


def _make_types(con: duckdb.DuckDBPyConnection, texts: dict[str, str]) -> None:
    """Make one enumeration a column of texts, ordered as texts are."""
    for table in ("record", "decoy"):
        con.execute(f"DROP TABLE IF EXISTS {table}")
    found = con.execute(
        f"SELECT {', '.join(f'list(DISTINCT {text})' for text in texts.values())} FROM observations"
    ).fetchall()[0]
    for name, values in zip(texts, found, strict=True):
        con.execute(f"DROP TYPE IF EXISTS {name}_name")
        # An enumeration has one value at least.
        known = sorted({"", *(value for value in values or () if value is not None)})
        listed = ", ".join(literal(value) for value in known)
        con.execute(f"CREATE TYPE {name}_name AS ENUM ({listed})")


def kinds(rules: EpisodeRules, pair: Pair) -> pa.Table:
    """Return category_a, category_b, kind: the place from 1 of the first fact that both tell."""
    rows: dict[tuple[str, str], int] = {}
    for index, fact in enumerate(rules.facts.values(), start=1):
        for a in fact.get(pair.first, ()):
            for b in fact.get(pair.second, ()):
                rows.setdefault((a, b), index)
    return pa.table(
        {
            "category_a": pa.array([a for a, _ in rows], pa.string()),
            "category_b": pa.array([b for _, b in rows], pa.string()),
            "kind": pa.array(list(rows.values()), pa.int8()),
        }
    )


def levels(rules: EpisodeRules, pair: Pair, knobs: Knobs) -> dict[str, Levels]:
    """Return, for each comparison, its levels in order, the last a catch-all.

    The tests read `distance` (m), `gap` (s, positive when the second comes later), `slack` (s,
    the longer of the two intervals), `kind`, `key_a` and `reference_b`. A level of `kind` is named
    as the fact in the pack.
    """
    near = [d for d in knobs.distance_levels_m if d < pair.max_distance_m] + [pair.max_distance_m]
    place = [Level("within_m", f"distance <= {d}", d) for d in near]
    place += [Level("same_zone", "same_zone"), Level("place_unknown", "true")]
    if rules.sources[pair.second].zone:
        place = [Level("counted_zone", "true")]
    facts = [Level(name, f"kind = {i}") for i, name in enumerate(rules.facts, start=1)]
    reference = [Level("no_reference", "true")]
    if pair.reference:
        reference = [
            Level("to_this_record", "key_a = reference_b"),
            Level("to_another", "reference_b IS NOT NULL"),
            *reference,
        ]
    return {
        "place": place,
        "gap": _gaps(pair, knobs),
        "kind": [*facts, Level("other_kind", "true")],
        "reference": reference,
    }


def _gaps(pair: Pair, knobs: Knobs) -> Levels:
    near = [g for g in knobs.gap_levels_min if g < pair.max_gap_min] + [pair.max_gap_min]
    inside = f"gap = 0 AND slack > {60 * near[0]}"
    found = [
        Level("in_interval_up_to_h", f"{inside} AND slack <= {3600 * h}", h) for h in INTERVALS_H
    ]
    found.append(Level("in_interval_over_h", inside, INTERVALS_H[-1]))
    found += [Level("after_up_to_min", f"gap BETWEEN 0 AND {60 * g}", g) for g in near]
    found += [Level("before_up_to_min", f"gap BETWEEN {-60 * g} AND 0", g) for g in near]
    return [*found[:-1], found[-1]._replace(test="true")]


def pairs_sql(rules: EpisodeRules, pair: Pair, knobs: Knobs, second: str = "record") -> str:
    """Return the SQL of candidate pairs: a, b, gap, distance and the level of each comparison.

    `second` is the table that the second source's records are read from. Needs table `kinds`.
    """
    cases = ", ".join(
        f"(CASE {' '.join(f'WHEN {level.test} THEN {i}' for i, level in enumerate(found))} END)"
        f"::TINYINT AS {name}_level"
        for name, found in levels(rules, pair, knobs).items()
    )
    near, far = 60 * pair.max_gap_min, pair.max_distance_m
    join = "JOIN" if rules.sources[pair.second].zone else "LEFT JOIN"
    blocks = " UNION ALL ".join(_blocks(rules, pair, near, far))
    return (
        f"WITH firsts AS (SELECT * FROM record WHERE source = {literal(pair.first)} AND usable), "
        f"seconds AS (SELECT * FROM {second} WHERE source = {literal(pair.second)} AND usable), "
        f"met AS ({blocks}), measured AS (SELECT met.*, a.key AS key_a, "
        "b.reference AS reference_b, coalesce(a.zone = b.zone, false) AS same_zone, "
        "kinds.kind AS kind FROM met JOIN firsts a ON a.rec = met.a "
        "JOIN seconds b ON b.rec = met.b "
        f"{join} kinds ON kinds.category_a = a.category AND kinds.category_b = b.category) "
        f"SELECT a, b, gap, distance, {cases} FROM measured"
    )


def _blocks(rules: EpisodeRules, pair: Pair, near: int, far: int) -> list[str]:
    """Return queries of pairs (a, b) that may be near: by square, by zone, by declared link."""
    # The margin is the second source's: the smaller one, as a rule.
    first, second = _slotted("firsts", near, 0), _slotted("seconds", near, near)
    has_zone = "zone IS NOT NULL"
    if rules.sources[pair.second].zone:
        return [_block(pair, "zone", f"SELECT * FROM {first}", f"SELECT * FROM {second}", has_zone)]
    wide = 2 * far
    own = f"SELECT *, floor(x / {wide})::INTEGER AS cx, floor(y / {wide})::INTEGER AS cy FROM "
    around = second
    for axis in "xy":
        low, high = (f"floor(({axis} {sign} {far}) / {wide})::INTEGER" for sign in "-+")
        around = f"(SELECT *, unnest(range({low}, {high} + 1)) AS c{axis} FROM {around})"
    pointless = f"(SELECT * FROM {{}} WHERE x IS NULL AND {has_zone})"
    placed = f"(SELECT * FROM {{}} WHERE x IS NOT NULL AND {has_zone})"
    blocks = [
        _block(pair, "cx, cy", f"{own}{first}", f"SELECT * FROM {around}", "x IS NOT NULL"),
        _block(pair, "zone", f"SELECT * FROM {pointless.format(first)}",
               f"SELECT * FROM {second}", has_zone),
        _block(pair, "zone", f"SELECT * FROM {placed.format(first)}",
               f"SELECT * FROM {pointless.format(second)}", has_zone),
    ]  # fmt: skip
    if pair.reference:
        blocks.append(
            _met(pair, "firsts p JOIN seconds q ON p.key = q.reference")
            + " AND (p.x IS NULL OR q.x IS NULL) AND (p.zone = q.zone) IS NOT TRUE"
        )
    return blocks


def _slotted(name: str, near: int, margin: int) -> str:
    """Return the SQL of the records, once for each time slot that they or their margin touch."""
    low, high = f"(t0 - {margin}) // {2 * near}", f"(t1 + {margin}) // {2 * near}"
    return (
        f"(SELECT rec, t0, t1, x, y, zone, {low} AS low, unnest(range({low}, {high} + 1)) AS slot "
        f"FROM {name})"
    )


def _block(pair: Pair, keys: str, first: str, second: str, where: str) -> str:
    joined = (
        f"(SELECT * FROM ({first}) WHERE {where}) p "
        f"JOIN (SELECT * FROM ({second}) WHERE {where}) q USING (slot, {keys})"
    )
    return f"{_met(pair, joined)} AND slot = greatest(p.low, q.low)"


def _met(pair: Pair, joined: str) -> str:
    """Return the SQL of the pairs p, q of `joined` that lie within the pair's limits."""
    gap = "CASE WHEN q.t0 > p.t1 THEN q.t0 - p.t1 WHEN q.t1 < p.t0 THEN q.t1 - p.t0 ELSE 0 END"
    distance = "sqrt((p.x - q.x) ** 2 + (p.y - q.y) ** 2)"
    once = " AND p.rec < q.rec" if pair.first == pair.second else ""
    return (
        f"SELECT p.rec AS a, q.rec AS b, {gap} AS gap, {distance} AS distance, "
        "greatest(p.t1 - p.t0, q.t1 - q.t0) AS slack "
        f"FROM {joined} WHERE abs({gap}) <= {60 * pair.max_gap_min} "
        f"AND coalesce({distance}, 0) <= {pair.max_distance_m}{once}"
    )
