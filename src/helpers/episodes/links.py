"""The links between a city's records: candidates, weights, probabilities, groups."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa

from helpers.core.base.store import literal
from helpers.core.city.episode_rules import EpisodeRules, Pair
from helpers.episodes import candidates as episodes_candidates
from helpers.episodes.candidates import COMPARISONS, WEEK_S, Levels
from helpers.episodes.knobs import Knobs
from helpers.episodes.merging import Floats, Groups, Ints, allowed, merge
from helpers.episodes.scores import Model, fit

# Chance is measured on at most about this many records of the second source.
SAMPLE = 50_000
# Odds are summed as integers, so that no sum depends on its order.
UNIT = 1_000_000
MAX_BITS, MIN_BITS = 30.0, -14.0
KEPT = 0.02  # the least probability that is written
LEVEL_NAMES = ", ".join(f"{name}_level" for name in COMPARISONS)


@dataclass(frozen=True)
class Fitted:
    """One pair of sources: its model, or why there is none; `levels` in order.

    `expected` is how many candidates exceed chance. `tally` counts candidates by weight: bits,
    real, by chance. `lonely` is the share of the first ("a") and of the second ("b") source's
    records that have no counterpart; `single` names the sides that can have one at most.
    """

    pair: Pair
    candidates: int
    expected: float
    levels: dict[str, Levels]
    model: Model | None = None
    reason: str = ""
    tally: tuple[Floats, Ints, Floats] | None = None
    lonely: dict[str, float] = field(default_factory=dict)
    single: tuple[str, ...] = ()

    def least_bits(self, threshold: float) -> float:
        """Return the weight from which a candidate without rivals reaches the threshold."""
        alone = [self.lonely[side] for side in self.single]
        return float(np.log2(threshold / (1 - threshold) * np.prod(alone)))


def link(
    con: duckdb.DuckDBPyConnection, rules: EpisodeRules, main_division: str, knobs: Knobs
) -> list[Fitted]:
    """Make tables `link` and `grouped` from views `observations` and `places`.

    `link`: pair, a, b, gap, distance, the levels, weight, probability, decided, joined (it made
    two groups one); candidates of at least `KEPT`. `grouped`: rec, grp (the smallest
    record of its group), one row a record.
    """
    episodes_candidates.make_records(con, rules, main_division, knobs)
    con.execute(
        "CREATE OR REPLACE TABLE scored (pair INTEGER, a INTEGER, b INTEGER, gap BIGINT, "
        "distance DOUBLE, place_level TINYINT, gap_level TINYINT, kind_level TINYINT, "
        "reference_level TINYINT, weight DOUBLE, probability DOUBLE)"
    )
    fitted = []
    for index, pair in enumerate(rules.pairs):
        con.register("kinds", episodes_candidates.kinds(rules, pair))
        con.execute(
            "CREATE OR REPLACE TEMP TABLE candidate AS "
            + episodes_candidates.pairs_sql(rules, pair, knobs)
        )
        one = _fit(con, rules, pair, knobs)
        if one.model:
            _score(con, one, index)
        fitted.append(one)
    con.execute("DROP TABLE IF EXISTS candidate")
    _group(con, rules, knobs)
    return fitted


def _fit(con: duckdb.DuckDBPyConnection, rules: EpisodeRules, pair: Pair, knobs: Knobs) -> Fitted:
    """Fit the model of table `candidate`; make table `pattern` with the weight of each."""
    levels = episodes_candidates.levels(rules, pair, knobs)
    total = _one(con, "SELECT count(*) FROM candidate")
    part = _make_decoys(con, pair, knobs.shift_weeks)
    if part == 0:
        return Fitted(pair, total, 0.0, levels, reason="short_span")
    decoys = episodes_candidates.pairs_sql(rules, pair, knobs, "decoy")
    rows = con.execute(
        f"SELECT {LEVEL_NAMES}, sum(real)::BIGINT AS real, sum(chance)::BIGINT AS chance FROM ("
        f"SELECT {LEVEL_NAMES}, count(*) AS real, 0 AS chance FROM candidate GROUP BY ALL "
        f"UNION ALL SELECT {LEVEL_NAMES}, 0, count(*) FROM ({decoys}) GROUP BY ALL) "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchnumpy()
    patterns = {name: np.asarray(rows[f"{name}_level"]).astype(int) for name in COMPARISONS}
    sizes = {name: len(found) for name, found in levels.items()}
    drawn = float(rows["chance"].sum())
    expected = max(0.0, total - drawn / part)
    # Three standard deviations of the difference of two counts: below, it may be nothing.
    if expected < max(knobs.minimum_links, 3 * math.sqrt(total + drawn / part**2)):
        return Fitted(pair, total, round(expected, 1), levels, reason="few_links")
    real, chance = np.asarray(rows["real"]), np.asarray(rows["chance"]) / part
    model = fit(patterns, real, chance, sizes)
    bits = model.weights(patterns)
    odds = np.round(np.exp2(np.minimum(bits, MAX_BITS)) * UNIT).astype(np.int64)
    table = {f"{name}_level": pa.array(values, pa.int8()) for name, values in patterns.items()}
    con.register("pattern", pa.table({**table, "weight": bits, "odds": odds}))
    single = tuple(
        side
        for side, other in (("a", pair.second), ("b", pair.first))
        if not rules.sources[other].several
    )
    return Fitted(
        pair, total, round(expected, 1), levels, model, "", (bits, real, chance),
        _lonely(con, pair, model.prior * total), single,
    )  # fmt: skip


def _lonely(con: duckdb.DuckDBPyConnection, pair: Pair, matches: float) -> dict[str, float]:
    found = {}
    for side, source in (("a", pair.first), ("b", pair.second)):
        query = f"SELECT count(*) FROM record WHERE source = {literal(source)} AND usable"
        found[side] = round(max(0.001, 1 - matches / _one(con, query)), 6)
    return found


def _make_decoys(con: duckdb.DuckDBPyConnection, pair: Pair, shift_weeks: int) -> float:
    """Make table `decoy`: records of the second source, moved by whole weeks; return their part.

    They go round within the source's whole weeks. 0 where the source spans less than two weeks.
    """
    name = literal(pair.second)
    low, high, size = con.execute(
        f"SELECT min(t0), max(t0), count(*) FROM record WHERE source = {name} AND usable"
    ).fetchall()[0]
    weeks = (high - low) // WEEK_S if size else 0
    if weeks < 2:
        return 0.0
    shift, every = min(shift_weeks, weeks // 2) * WEEK_S, max(1, size // SAMPLE)
    # Records are numbered by their moments: one in so many is drawn evenly, week after week.
    con.execute(
        "CREATE OR REPLACE TEMP TABLE decoy AS SELECT * EXCLUDE (moved) "
        "REPLACE (t0 + moved AS t0, t1 + moved AS t1) FROM (SELECT *, "
        f"{low} + (t0 - {low} + {shift}) % {weeks * WEEK_S} - t0 AS moved FROM record "
        f"WHERE source = {name} AND usable "
        f"AND rec % {every} = 0)"
    )
    return _one(con, "SELECT count(*) FROM decoy") / int(size)


def _one(con: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(con.execute(query).fetchall()[0][0])


def _score(con: duckdb.DuckDBPyConnection, fitted: Fitted, index: int) -> None:
    """Add to table `scored` the candidates whose probability is at least `KEPT`.

    Where a source leaves one record an episode, the candidates of a record are rivals: at most
    one is right, and with probability 1 − Q none is, Q being the share of records that have a
    counterpart (Sutherland & Saunders 1992, On the likelihood ratio for source identification).
    """
    rivals = [
        f"({round(UNIT * fitted.lonely[side])} + sum(odds) OVER (PARTITION BY {side}) - odds) "
        f"/ {UNIT}"
        for side in fitted.single
    ] or ["1"]
    con.execute(
        f"INSERT INTO scored SELECT {index}, a, b, gap, distance, {LEVEL_NAMES}, weight, "
        f"round(odds / (odds + {UNIT} * {' * '.join(rivals)}), 6) AS probability "
        f"FROM candidate JOIN pattern USING ({LEVEL_NAMES}) WHERE weight >= {MIN_BITS} "
        f"QUALIFY probability >= {KEPT}"
    )


def _group(con: duckdb.DuckDBPyConnection, rules: EpisodeRules, knobs: Knobs) -> None:
    """Make tables `link` and `grouped` of table `scored`.

    Counts of zones come last, each to its likeliest episode: they never join two.
    """
    zoned = [i for i, pair in enumerate(rules.pairs) if rules.sources[pair.second].zone]
    counts = f"pair IN ({', '.join(map(str, zoned)) or 'NULL'})"
    order = "probability DESC, weight DESC, abs(gap), distance, pair, a, b"
    con.execute(
        f"CREATE OR REPLACE TABLE ranked AS SELECT *, {counts} IS TRUE AS zoned, (row_number() "
        f"OVER (ORDER BY {order}) - 1)::INTEGER AS rank FROM scored"
    )
    rows = con.execute(
        "SELECT rank, a, b, probability FROM ranked WHERE NOT zoned ORDER BY rank"
    ).fetchnumpy()
    members = _members(con, rules)
    a, b = (np.searchsorted(members["rec"], rows[side]) for side in "ab")
    strong = rows["probability"] >= knobs.threshold
    groups = _groups(members)
    reach = (knobs.max_extent_m, knobs.max_span_h * 3600)
    group, joins = merge(groups, a[strong], b[strong], *reach)
    same = group[a] == group[b]
    possible = same | allowed(groups, group[a], group[b], *reach)
    joined = np.zeros(len(strong), dtype=bool)
    joined[strong] = joins
    con.register("merged", pa.table({"rec": members["rec"], "grp": members["rec"][group]}))
    con.register(
        "tried",
        pa.table({"rank": rows["rank"], "same": same, "possible": possible, "joined": joined}),
    )
    con.execute(
        "CREATE OR REPLACE TABLE attached AS SELECT b AS rec, arg_min(a, rank) AS onto, "
        f"min(rank) AS rank FROM ranked WHERE zoned AND probability >= {knobs.threshold} "
        "GROUP BY b"
    )
    con.execute(
        "CREATE OR REPLACE TABLE grouped AS SELECT record.rec, "
        "coalesce(upon.grp, own.grp, record.rec)::INTEGER AS grp FROM record "
        "LEFT JOIN merged own USING (rec) LEFT JOIN attached USING (rec) "
        "LEFT JOIN merged upon ON upon.rec = attached.onto"
    )
    con.execute(
        "CREATE OR REPLACE TABLE link AS SELECT ranked.* EXCLUDE (zoned), "
        "coalesce(joined, attached.rank = ranked.rank, false) AS joined, CASE "
        "WHEN coalesce(same, attached.rank = ranked.rank, false) THEN 'kept' "
        f"WHEN probability < {knobs.threshold} AND coalesce(possible, attached.rank IS NULL) "
        "THEN 'below_threshold' ELSE 'excluded' END AS decided FROM ranked "
        "LEFT JOIN tried USING (rank) "
        "LEFT JOIN attached ON attached.rec = CASE WHEN zoned THEN b END"
    )


def _groups(members: dict[str, Floats | Ints]) -> Groups:
    """Return one group a record."""
    low, high = (
        np.column_stack(
            [np.nan_to_num(members[axis].astype(np.float64), nan=edge) for axis in "xy"]
        )
        for edge in (np.inf, -np.inf)
    )
    alone, ends, starts = (members[name].astype(np.int64) for name in ("alone", "t1", "t0"))
    return Groups(alone, low, high, ends, starts)


def _members(con: duckdb.DuckDBPyConnection, rules: EpisodeRules) -> dict[str, Floats | Ints]:
    """Return rec (ascending), t0, t1, x, y and the bit of a source that leaves one record."""
    alone = [name for name, source in sorted(rules.sources.items()) if not source.several]
    bits = " ".join(f"WHEN {literal(name)} THEN {1 << i}" for i, name in enumerate(alone))
    bit = f"CASE source {bits} ELSE 0 END" if bits else "0"
    rows = con.execute(
        f"SELECT rec, t0, t1, x, y, {bit} AS alone FROM record WHERE rec IN "
        "(SELECT a FROM scored UNION ALL SELECT b FROM scored) ORDER BY rec"
    ).fetchnumpy()
    names = ("rec", "t0", "t1", "alone")
    found: dict[str, Floats | Ints] = {n: np.asarray(rows[n]).astype(np.int64) for n in names}
    for axis in "xy":
        found[axis] = np.ma.filled(np.ma.asarray(rows[axis]).astype(float), np.nan)
    return found
