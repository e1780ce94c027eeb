"""One fact, several traces: the episodes that a city's records tell together.

A log entry, a dispatch, a citizen's report and a camera's count may tell one fact. The pack's
`episodes.yaml` says which may; `helpers.episodes` weighs each pair and groups them. Every record
is in one episode, often alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from scipy import special

from helpers.core.base import store
from helpers.core.base.store import literal, quote
from helpers.core.city.city import City
from helpers.core.city.episode_rules import EpisodeRules
from helpers.core.city.names import NO_THEME
from helpers.core.place_time.territory import project
from helpers.core.stage.run import Run
from helpers.episodes.candidates import COMPARISONS
from helpers.episodes.knobs import Knobs
from helpers.episodes.links import Fitted, link

UNDER, VARIANCE = "decided = 'below_threshold'", "probability * (1 - probability)"
SHOWN = 15  # combinations of sources
NO_RULES = EpisodeRules(facts={}, sources={}, pairs=())
WEIGHTS = pa.schema(
    [
        ("pair", pa.int32()), ("first", pa.string()), ("second", pa.string()),
        ("comparison", pa.string()), ("level", pa.string()), ("bound", pa.int64()),
        ("rank", pa.int8()), ("m", pa.float64()), ("u", pa.float64()),
        ("bits", pa.float64()),
    ]
)  # fmt: skip


def register_places(
    con: duckdb.DuckDBPyConnection, city: City, rules: EpisodeRules, files: Mapping[str, Path]
) -> None:
    """Make table `places` of the accepted rows: source, record, x, y (m), key, reference."""
    con.execute(
        "CREATE OR REPLACE TABLE places (source VARCHAR, record UBIGINT, x DOUBLE, y DOUBLE, "
        "key VARCHAR, reference VARCHAR)"
    )
    for name, path in files.items():
        rule = city.contracts[name].observation
        assert rule is not None
        told = [next(iter(fields), None) for fields in (rules.keys(name), rules.references(name))]
        texts = [f"CAST({quote(f) if f else 'NULL'} AS VARCHAR)" for f in told]
        points = [
            f"CAST({quote(c) if c else 'NULL'} AS DOUBLE)" for c in (rule.longitude, rule.latitude)
        ]
        rows = store.table(
            con,
            f"SELECT record, {points[0]} AS lon, {points[1]} AS lat, {texts[0]} AS key, "
            f"{texts[1]} AS reference FROM read_parquet({literal(path)})",
        )
        lon, lat = (rows[c].to_numpy().astype(float) for c in ("lon", "lat"))
        x, y = project(lon, lat, city.about.crs, rule.coordinates_crs)
        known = np.isfinite(x) & np.isfinite(y)
        columns = {c: rows[c] for c in ("record", "key", "reference")}
        axes = {n: pa.array(v, mask=~known) for n, v in (("x", x), ("y", y))}
        con.register("placed", pa.table({**columns, **axes}))
        con.execute(
            f"INSERT INTO places SELECT {literal(name)}, record, x, y, key, reference FROM placed"
        )
        con.unregister("placed")


def find(
    con: duckdb.DuckDBPyConnection, city: City, rules: EpisodeRules, knobs: Knobs
) -> list[Fitted]:
    """Make tables `episodes`, `links` and `weights`; return the model of each pair of sources.

    Views `observations` and `places`. `episodes` has one row a trace: episode, source, record,
    first, last (UTC), cell, theme, n_traces, origin (of the first trace), citizen, agent.
    """
    fitted = link(con, rules, city.about.main_division, knobs)
    con.register("weights", weights_table(fitted))
    pairs = pa.table(
        {
            "pair": pa.array(range(len(fitted)), pa.int32()),
            **{n: pa.array([getattr(f.pair, n) for f in fitted], pa.string())
               for n in ("first", "second")},
            "other_kind": pa.array([len(f.levels["kind"]) - 1 for f in fitted], pa.int8()),
        }
    )  # fmt: skip
    con.register("pairs", pairs)
    _make_links(con)
    _make_episodes(con)
    return fitted


def weights_table(fitted: list[Fitted]) -> pa.Table:
    """Return what each level of each comparison weighs (`WEIGHTS`); the prior odds come first."""
    rows: list[dict[str, Any]] = []
    for index, one in enumerate(fitted):
        if one.model is None:
            continue
        names = {"pair": index, "first": one.pair.first, "second": one.pair.second}
        rows.append({**names, "comparison": "prior", "level": "prior",
                     "rank": 0, "bits": one.model.prior_weight})  # fmt: skip
        for comparison in COMPARISONS:
            parts = zip(
                one.levels[comparison],
                one.model.m[comparison],
                one.model.u[comparison],
                one.model.parts(comparison),
                strict=True,
            )
            rows += [
                {**names, "comparison": comparison, "level": level.code, "bound": level.bound,
                 "rank": rank, "m": m, "u": u, "bits": bits}
                for rank, (level, m, u, bits) in enumerate(parts)
            ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=WEIGHTS)


def _make_links(con: duckdb.DuckDBPyConnection) -> None:
    """Make table `links`: both records, weight and its parts (bits), what they rest on, fate."""
    parts = ", ".join(f"{name}.bits AS {name}_bits" for name in COMPARISONS)
    joins = " ".join(
        f"JOIN (SELECT * FROM weights WHERE comparison = '{name}') {name} "
        f"ON {name}.pair = link.pair AND {name}.rank = {name}_level"
        for name in COMPARISONS
    )
    con.execute(
        "CREATE OR REPLACE TABLE links AS SELECT pairs.first AS source_a, a.record AS record_a, "
        "pairs.second AS source_b, b.record AS record_b, weight, probability, "
        "round(distance)::INTEGER AS distance_m, round(gap / 60, 1) AS gap_min, "
        f"kind_level < other_kind AS same_type, {parts}, decided, joined "
        "FROM link JOIN pairs ON pairs.pair = link.pair JOIN record a ON a.rec = link.a "
        f"JOIN record b ON b.rec = link.b {joins}"
    )


def _make_episodes(con: duckdb.DuckDBPyConnection) -> None:
    first = "(t0 << 32) | rec"  # the earliest trace; two at once in the order of their numbers
    con.execute(
        "CREATE OR REPLACE TABLE episodes AS WITH traced AS (SELECT record.*, grp FROM record "
        "JOIN grouped USING (rec)), several AS (SELECT grp FROM grouped "
        "GROUP BY grp HAVING count(*) > 1), whole AS (SELECT grp, min(t0) AS first, "
        "max(t0) AS last, count(*)::INTEGER AS n_traces, "
        f"arg_min(cell, {first}) FILTER (cell IS NOT NULL) AS cell, "
        f"arg_min(theme, {first}) FILTER (theme != '{NO_THEME}') AS theme, "
        f"arg_min(origin, {first}) AS origin, bool_or(origin = 'citizen') AS citizen, "
        "bool_or(origin = 'agent') AS agent FROM traced SEMI JOIN several USING (grp) "
        "GROUP BY grp) SELECT grp AS episode, source, record, "
        "make_timestamp(1000000 * coalesce(whole.first, t0)) AS first, "
        "make_timestamp(1000000 * coalesce(whole.last, t0)) AS last, "
        "CASE WHEN n_traces IS NULL THEN traced.cell ELSE whole.cell END AS cell, "
        "coalesce(whole.theme, traced.theme) AS theme, coalesce(n_traces, 1) AS n_traces, "
        "coalesce(whole.origin, traced.origin) AS origin, "
        "coalesce(citizen, traced.origin = 'citizen') AS citizen, "
        "coalesce(agent, traced.origin = 'agent') AS agent, "
        "n_traces IS NULL AND (NOT usable OR x IS NULL AND zone IS NULL) AS incomparable "
        "FROM traced LEFT JOIN whole USING (grp)"
    )


def write(run: Run) -> None:
    """Write tables `links`, `episodes` and `weights` as the stage's results.

    Each is ordered by its key: sorting by all columns would cost more than the linking.
    """
    keys = {
        "links": ["source_a", "record_a", "source_b", "record_b"],
        "episodes": ["source", "record"],
        "weights": ["pair", "comparison", "rank"],
    }
    drop = {"episodes": " EXCLUDE (incomparable)"}
    for name, key in keys.items():
        query = f"SELECT *{drop.get(name, '')} FROM {name}"
        run.wrote(store.write(run.con, query, run.folder / f"{name}.parquet", order_by=key))


def count(con: duckdb.DuckDBPyConnection, fitted: list[Fitted], knobs: Knobs) -> pa.Table:
    """Return theme, records, episodes, false_links, missed_links, low, high of table `episodes`.

    A link that joined two groups and is false hid an episode; one that was missed made one too
    many. Links are expected to be false, or missed below the threshold, to the sum of their
    probabilities, and vary as a sum of independent trials. A record that could not be compared
    (no place, or a moment too vague) misses as many links as its source's other records have.
    The interval spans from all expected misses mended to all expected errors mended; it is null
    where nothing could be weighed: then nobody knows how many records tell one fact.
    """
    weighed = "true" if any(one.model for one in fitted) else "false"
    z = float(special.ndtri((1 + knobs.confidence) / 2))
    shares: dict[str, float] = {}
    for one in fitted:
        for source, lonely in zip(
            (one.pair.first, one.pair.second), one.lonely.values(), strict=False
        ):
            shares[source] = max(shares.get(source, 0.0), 1 - lonely)
    con.register(
        "linked_share",
        pa.table({"source": pa.array(list(shares), pa.string()),
                  "share": pa.array(list(shares.values()), pa.float64())}),
    )  # fmt: skip
    return store.table(
        con,
        f"WITH doubt AS (SELECT theme, {_sum('1 - probability', 'joined')} AS wrong, "
        f"{_sum('probability', UNDER)} AS missed, {_sum(VARIANCE, 'joined')} AS v_wrong, "
        f"{_sum(VARIANCE, UNDER)} AS v_missed FROM links JOIN episodes "
        "ON episodes.source = source_a AND episodes.record = record_a GROUP BY theme), "
        "told AS (SELECT theme, count(*) AS records, count(DISTINCT episode) AS episodes, "
        f"{_sum('share', 'incomparable')} AS unseen "
        "FROM episodes LEFT JOIN linked_share USING (source) GROUP BY theme), "
        "filled AS (SELECT theme, records, episodes, coalesce(wrong, 0) AS wrong, "
        "unseen + coalesce(missed, 0) AS missed, coalesce(v_wrong, 0) AS v_wrong, "
        "unseen + coalesce(v_missed, 0) AS v_missed FROM told LEFT JOIN doubt USING (theme)) "
        "SELECT theme, records, episodes, round(wrong, 1) AS false_links, "
        "round(missed, 1) AS missed_links, "
        f"CASE WHEN {weighed} THEN greatest(0, floor(episodes - missed - {z} * sqrt(v_missed))) "
        "END::BIGINT AS low, "
        f"CASE WHEN {weighed} THEN least(records, ceil(episodes + wrong + {z} * sqrt(v_wrong))) "
        "END::BIGINT AS high "
        "FROM filled ORDER BY theme",
    )


def _sum(value: str, test: str) -> str:
    """Return the SQL of an exact sum: of decimals, so that no order of the rows changes it."""
    exact = f"CAST({value} AS DECIMAL(18, 6))"
    return f"coalesce(sum({exact}) FILTER ({test}), 0)::DOUBLE"


def combinations(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return n_traces, sources, n: the combinations that tell most episodes. Table `episodes`."""
    return store.records(
        con,
        "SELECT n_traces, sources, count(*) AS n FROM (SELECT episode, any_value(n_traces) "
        "AS n_traces, list_sort(list(DISTINCT source)) AS sources FROM episodes "
        "WHERE n_traces > 1 GROUP BY episode) GROUP BY ALL ORDER BY n DESC, n_traces, sources "
        f"LIMIT {SHOWN}",
    )


def example(con: duckdb.DuckDBPyConnection) -> dict[str, Any] | None:
    """Return one link to take apart: of middling weight, in the episode with the most sources.

    A link without declared reference where there is one: what is told needs no weighing.
    """
    rows = store.records(
        con,
        "WITH best AS (SELECT episode, count(DISTINCT source) AS sources FROM episodes "
        "WHERE n_traces > 1 GROUP BY episode), told AS (SELECT links.*, episode, sources "
        "FROM links JOIN episodes ON episodes.source = source_a AND episodes.record = record_a "
        "JOIN best USING (episode) WHERE joined), few AS (SELECT *, "
        "percent_rank() OVER (PARTITION BY sources ORDER BY weight) AS part FROM told) "
        "SELECT * EXCLUDE (part, joined, episode) FROM few "
        "ORDER BY sources DESC, abs(reference_bits) > 5, "
        "abs(part - 0.5), episode, gap_min, distance_m, record_a, record_b LIMIT 1",
    )
    return rows[0] if rows else None


def summary(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return several (episodes of more than one trace), joined (links), sure, vague (records).

    `sure`: mean probability of the links that joined two groups, None without. `vague`: records
    that could not be compared. Tables `episodes` and `links`.
    """
    return store.records(
        con,
        "SELECT (SELECT count(DISTINCT episode) FROM episodes WHERE n_traces > 1) AS several, "
        "count(*) FILTER (joined) AS joined, avg(probability) FILTER (joined) AS sure, "
        "(SELECT count(*) FROM episodes WHERE incomparable) AS vague FROM links",
    )[0]
