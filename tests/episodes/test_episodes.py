"""Linking against hand-computed weights, a made truth, and what must never be linked."""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.core.base import store
from helpers.core.base.errors import PhareError
from helpers.core.city.episode_rules import EpisodeRules, read_rules
from helpers.core.stage import params
from helpers.episodes import candidates, episodes, figures, scores, words
from helpers.episodes.merging import Groups, merge
from tests.fixtures.made_up import build_made_up, fact, write_pack
from tests.fixtures.real import ROOT, Built


def _benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("made_truth", ROOT / "benchmarks/episodes.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


truth = _benchmark()
TITLES = {name: name for name in truth.SOURCES}
KNOBS = params.knobs("episodes", ROOT)


class Made:
    """What `find` needs to know of a city, for the made truth."""

    class about:
        main_division = "quartiers"
        title = "Ville inventée"

    contracts: dict[str, Any] = {}  # noqa: RUF012
    themes: dict[str, Any] = {}  # noqa: RUF012


def linked(tables: dict[str, pa.Table], rules: EpisodeRules | None = None) -> Any:
    """Return a connection with the results for the given tables, and the models."""
    con = store.connect()
    for name, table in tables.items():
        con.register(name, table)
    return con, episodes.find(con, Made, rules or truth.rules(), KNOBS)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def made() -> dict[str, pa.Table]:
    """Six weeks of about 41,000 facts, as dense as a city's."""
    found: dict[str, pa.Table] = truth.made(0.025)
    return found


@pytest.fixture(scope="module")
def city(made: dict[str, pa.Table]) -> Iterator[tuple[duckdb.DuckDBPyConnection, Any]]:
    con, fitted = linked(made)
    yield con, fitted
    con.close()


# --- Weights ---------------------------------------------------------------------------------


def test_weight_is_the_sum_written_by_hand() -> None:
    """Prior 1 in 5; near 0.8 against 0.1, same kind 0.9 against 0.3."""
    model = scores.Model(
        0.2,
        {"place": np.array([0.8, 0.2]), "kind": np.array([0.9, 0.1])},
        {"place": np.array([0.1, 0.9]), "kind": np.array([0.3, 0.7])},
    )
    patterns = {"place": np.array([0, 0, 1]), "kind": np.array([0, 1, 1])}
    by_hand = [
        math.log2(0.2 / 0.8) + math.log2(8) + math.log2(3),
        -2 + 3 + math.log2(1 / 7),
        -2 + math.log2(2 / 9) + math.log2(1 / 7),
    ]
    found = model.weights(patterns)
    assert found == pytest.approx(by_hand, abs=1e-5)
    # Bayes, without logarithms: 0.2·0.8·0.9 / (0.2·0.8·0.9 + 0.8·0.1·0.3).
    assert scores.as_probability(found)[0] == pytest.approx(0.144 / (0.144 + 0.024), abs=1e-5)


def test_fit_finds_the_shares_that_made_the_pairs() -> None:
    """10,000 links among 100,000 pairs, counted exactly: nothing is left to chance."""
    m = {"place": np.array([0.7, 0.2, 0.1]), "kind": np.array([0.9, 0.1])}
    u = {"place": np.array([0.05, 0.25, 0.7]), "kind": np.array([0.2, 0.8])}
    every = np.array(list(itertools.product(range(3), range(2))))
    patterns = {"place": every[:, 0], "kind": every[:, 1]}
    of = {k: np.prod([v[n][patterns[n]] for n in v], axis=0) for k, v in (("m", m), ("u", u))}
    chance = 90_000 * of["u"]
    pairs = np.round(10_000 * of["m"] + chance).astype(int)
    model = scores.fit(patterns, pairs, chance, {"place": 3, "kind": 2})
    assert model.prior == pytest.approx(0.1, abs=0.001)
    for name in m:
        assert model.m[name] == pytest.approx(m[name], abs=0.005)
        assert model.u[name] == pytest.approx(u[name], abs=0.001)


# --- Groups ----------------------------------------------------------------------------------


def one_by_one(
    alone: list[int], x: list[float], t: list[int], pairs: list[tuple[int, int]]
) -> list[int]:
    """Return groups as Kruskal would make them, link after link, with plain sets."""
    groups = [{i} for i in range(len(x))]
    for a, b in pairs:
        p = next(g for g in groups if a in g)
        q = next(g for g in groups if b in g)
        both = p | q
        named = [alone[i] for i in both if alone[i]]
        wide = max(x[i] for i in both) - min(x[i] for i in both)
        long = max(t[i] for i in both) - min(t[i] for i in both)
        if p is not q and len(named) == len(set(named)) and wide <= 50 and long <= 60:
            groups = [g for g in groups if g is not p and g is not q] + [both]
    return [min(next(g for g in groups if i in g)) for i in range(len(x))]


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_rounds_make_the_groups_of_link_after_link(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    alone = rng.choice([0, 1, 2], size)
    x, t = rng.uniform(0, 100, size), rng.integers(0, 100, size)
    pairs = list(itertools.combinations(range(size), 2))
    pairs = [pairs[i] for i in rng.permutation(len(pairs))[: 3 * size]]
    place = np.column_stack([x, np.zeros(size)])
    groups = Groups(alone.copy(), place.copy(), place.copy(), t.copy(), t.copy())
    a, b = np.array(pairs).T
    found, joins = merge(groups, a, b, 50, 60)
    assert found.tolist() == one_by_one(alone.tolist(), x.tolist(), t.tolist(), pairs)
    assert joins.sum() == size - len(set(found.tolist()))


# --- Known truth -----------------------------------------------------------------------------


def test_precision_and_recall_on_the_truth(city: tuple[duckdb.DuckDBPyConnection, Any]) -> None:
    con, _ = city
    found = truth.scores(con, truth.OURS)
    right, said, true = (sum(column) for column in zip(*found.values(), strict=True))
    assert right / said >= 0.9
    assert right / true >= 0.9
    dispatch = found["main_courante", "intervention"]
    assert dispatch[0] / dispatch[1] >= 0.97
    assert dispatch[0] / dispatch[2] >= 0.93


def test_without_declared_references_still(made: dict[str, pa.Table]) -> None:
    silent = made["places"].set_column(
        5, "reference", pa.nulls(made["places"].num_rows, pa.string())
    )
    con, _ = linked({**made, "places": silent})
    right, said, true = truth.scores(con, truth.OURS)["main_courante", "intervention"]
    con.close()
    assert right / said >= 0.9
    assert right / true >= 0.88


def test_probabilities_are_kept(city: tuple[duckdb.DuckDBPyConnection, Any]) -> None:
    """Among links said right at 80 % on average, about 80 % are: by deciles, within 8 points."""
    con, _ = city
    truth.scores(con, truth.OURS)
    rows = con.execute(
        "WITH told AS (SELECT DISTINCT a, b, probability, EXISTS (SELECT 1 FROM known p "
        "JOIN known q USING (incident) WHERE p.rec = link.a AND q.rec = link.b) AS kept "
        "FROM link WHERE pair < 3) SELECT avg(probability), avg(kept::INT), count(*) FROM told "
        "GROUP BY floor(least(probability, 0.999) * 5) HAVING count(*) > 300"
    ).fetchall()
    assert len(rows) >= 4
    assert all(abs(said - kept) < 0.1 for said, kept, _ in rows), rows


def test_interval_holds_the_number_of_incidents(
    city: tuple[duckdb.DuckDBPyConnection, Any], made: dict[str, pa.Table]
) -> None:
    con, fitted = city
    counted = episodes.count(con, fitted, KNOBS)
    low, high = (sum(counted[name].to_pylist()) for name in ("low", "high"))
    observed = con.execute("SELECT count(DISTINCT incident) FROM truth").fetchall()[0][0]
    assert low <= observed <= high
    assert sum(counted["records"].to_pylist()) == made["observations"].num_rows


def test_each_observation_is_in_one_episode(
    city: tuple[duckdb.DuckDBPyConnection, Any], made: dict[str, pa.Table]
) -> None:
    con, _ = city
    rows = con.execute("SELECT count(*), count(DISTINCT (source, record)) FROM episodes").fetchall()
    assert rows == [(made["observations"].num_rows,) * 2]
    wrong = con.execute(
        "SELECT count(*) FROM (SELECT episode, any_value(n_traces) AS said, count(*) AS n "
        "FROM episodes GROUP BY episode) WHERE said != n"
    ).fetchall()
    assert wrong == [(0,)]


def test_a_source_that_leaves_one_record_never_leaves_two(
    city: tuple[duckdb.DuckDBPyConnection, Any],
) -> None:
    con, _ = city
    rows = con.execute(
        "SELECT source, max(n) FROM (SELECT episode, source, count(*) AS n FROM episodes "
        "GROUP BY ALL) GROUP BY source ORDER BY source"
    ).fetchall()
    most = dict(rows)
    assert most["main_courante"] == most["intervention"] == 1
    assert most["signalement"] > 1


def test_far_or_late_is_never_linked(city: tuple[duckdb.DuckDBPyConnection, Any]) -> None:
    con, _ = city
    for pair in truth.rules().pairs:
        worst = con.execute(
            "SELECT max(abs(gap_min)), max(distance_m) FROM links WHERE source_a = ? "
            "AND source_b = ?", [pair.first, pair.second],
        ).fetchall()[0]  # fmt: skip
        assert worst[0] <= pair.max_gap_min
        assert worst[1] is None or worst[1] <= pair.max_distance_m
    wide = con.execute(
        "SELECT max(sqrt((max_x - min_x) ** 2 + (max_y - min_y) ** 2)) FROM (SELECT grp, "
        "max(x) AS max_x, min(x) AS min_x, max(y) AS max_y, min(y) AS min_y "
        "FROM grouped JOIN record USING (rec) GROUP BY grp)"
    ).fetchall()[0][0]
    assert wide <= KNOBS.max_extent_m * math.sqrt(2)


def test_a_count_of_a_zone_is_one_trace_and_joins_nothing(
    city: tuple[duckdb.DuckDBPyConnection, Any],
) -> None:
    con, _ = city
    rows = con.execute(
        "SELECT count(*) FROM links l JOIN episodes p ON p.source = source_a "
        "AND p.record = record_a JOIN episodes q ON q.source = source_b AND q.record = record_b "
        "WHERE source_b = 'vsi' AND decided = 'kept' AND p.episode != q.episode"
    ).fetchall()
    assert rows == [(0,)]
    alone = truth.rules().model_copy(update={"pairs": truth.rules().pairs[:3]})
    other, _ = linked({n: con.table(n).to_arrow_table() for n in ("observations", "places")}, alone)
    split = "SELECT count(DISTINCT episode) FROM episodes WHERE source != 'vsi'"
    assert con.execute(split).fetchall() == other.execute(split).fetchall()
    other.close()


# --- Same bytes ------------------------------------------------------------------------------


def test_order_of_rows_and_threads_change_no_byte(
    made: dict[str, pa.Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    small = {
        n: t.filter(pa.compute.less(t["record"], pa.scalar(2**64 // 3, pa.uint64())))
        for n, t in made.items()
    }
    hashes = []
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("PHARE_THREADS", threads)
        mixed = {n: t.take(pa.array(rng.permutation(t.num_rows))) for n, t in small.items()}
        con, _ = linked(mixed)
        keys = {"links": None, "episodes": ["source", "record"], "weights": None}
        hashes.append(
            [store.sha256(store.write(con, f"SELECT * FROM {n}", tmp_path / n, order_by=k))
             for n, k in keys.items()]
        )  # fmt: skip
        assert con.execute("SELECT count(*) FROM links").fetchall()[0][0] > 0
        con.close()
    assert hashes[0] == hashes[1] == hashes[2]


# --- Edges -----------------------------------------------------------------------------------


def test_no_rows_at_all(made: dict[str, pa.Table]) -> None:
    con, fitted = linked({n: t.slice(0, 0) for n, t in made.items()})
    assert con.execute("SELECT count(*) FROM episodes").fetchall() == [(0,)]
    assert {one.reason for one in fitted} == {"short_span"}
    counted = episodes.count(con, fitted, KNOBS)
    assert counted.num_rows == 0
    con.close()


def test_two_sources_that_never_meet_abstain(made: dict[str, pa.Table]) -> None:
    """Each fact thrown anywhere: what is near is so by chance."""
    rng = np.random.default_rng(1)
    whole = made["observations"]
    seen = whole.filter(pa.compute.equal(whole["place_precision"], "point"))
    places = made["places"]
    thrown = [pa.array(rng.uniform(0, 15_600, places.num_rows)) for _ in "xy"]
    moved = places.set_column(2, "x", thrown[0]).set_column(3, "y", thrown[1])
    silent = moved.set_column(5, "reference", pa.nulls(places.num_rows, pa.string()))
    rules = truth.rules().model_copy(update={"pairs": truth.rules().pairs[:1]})
    con, fitted = linked({"observations": seen, "places": silent}, rules)
    assert fitted[0].candidates > 300
    assert fitted[0].reason == "few_links"
    assert con.execute("SELECT count(*) FROM links").fetchall() == [(0,)]
    told = Made()
    told.contracts = {s: SimpleNamespace(title=s) for s in truth.SOURCES}
    counted = episodes.count(con, fitted, KNOBS)
    answer = words.answer(episodes.summary(con), told, fitted, counted, KNOBS)  # type: ignore[arg-type]
    assert "abstention (moins de 30 liens attendus au-delà du hasard)" in answer
    assert "non estimé" in answer
    con.close()


def test_charts_show_what_they_say(city: tuple[duckdb.DuckDBPyConnection, Any]) -> None:
    con, fitted = city
    link = episodes.example(con)
    assert link is not None
    parts = sum(link[f"{name}_bits"] for name in candidates.COMPARISONS)
    pair = next(
        f for f in fitted if (f.pair.first, f.pair.second) == (link["source_a"], link["source_b"])
    )
    assert pair.model.prior_weight + parts == pytest.approx(link["weight"], abs=1e-5)
    for drawn in (
        figures.traces(episodes.combinations(con)),
        figures.weights(fitted, TITLES, 0.5),
        figures.example(link, fitted, TITLES),
    ):
        assert drawn.chart.to_dict()
    assert "Aucun" in json.dumps(figures.figure.complete(figures.weights([], {}, 0.5).chart))


# --- A city's own file -----------------------------------------------------------------------


def test_city_with_one_source_says_why_and_does_not_fail(tmp_path: Path) -> None:
    built: Built = build_made_up(tmp_path, [fact(i) for i in range(3)])
    assert read_rules(built.city) is None
    con = store.connect()
    store.view(con, "observations", built.out / "observations.parquet")
    episodes.register_places(con, built.city, episodes.NO_RULES, {})
    fitted = episodes.find(con, built.city, episodes.NO_RULES, KNOBS)
    counted = episodes.count(con, fitted, KNOBS)
    told = words.answer(episodes.summary(con), built.city, fitted, counted, KNOBS)
    assert "Rien à relier" in told
    assert "une source d'observations" in told
    row = counted.to_pylist()[0]
    assert (row["records"], row["episodes"], row["low"], row["high"]) == (3, 3, None, None)
    assert "non estimé" in words.counts(counted, built.city)
    assert figures.traces(episodes.combinations(con)).chart.to_dict()
    con.close()


SELF: dict[str, Any] = {
    "facts": {"tapage": {"faits": ["tapage"]}},
    "sources": {"faits": {"several": True}},
    "pairs": [{"first": "faits", "second": "faits", "max_gap_min": 60}],
}


def test_places_are_those_of_the_accepted_rows(tmp_path: Path) -> None:
    built = build_made_up(tmp_path, [fact(1), fact(2, lon="", lat="")])
    rules = EpisodeRules.model_validate(SELF)
    con = store.connect()
    episodes.register_places(
        con, built.city, rules, {"faits": built.out / "accepted" / "faits.parquet"}
    )
    store.view(con, "observations", built.out / "observations.parquet")
    rows = con.execute(
        "SELECT cell, floor(x / 200)::INT * 200, floor(y / 200)::INT * 200 "
        "FROM observations JOIN places USING (source, record) ORDER BY cell"
    ).fetchall()
    con.close()
    cell, east, north = rows[0]
    assert cell == f"CRS3035RES200mN{north}E{east}"
    assert rows[1] == (None, None, None)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"facts": {"tapage": {"faits": ["inconnu"]}}}, "inconnu"),
        ({"facts": {"tapage": {"autre": ["tapage"]}}}, "autre"),
        ({"sources": {"faits": {}}}, "several"),
        ({"sources": {"faits": {"several": True, "zone": "lieux"}}}, "zone"),
        ({"pairs": [{**SELF["pairs"][0], "reference": {"field": "nul", "names": "id"}}]}, "nul"),
        ({"pairs": SELF["pairs"] * 2}, "deux fois"),
        ({"pairs": []}, "pairs"),
    ],
)
def test_wrong_rules_are_refused_in_french(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    city = write_pack(tmp_path)
    text = json.dumps({**SELF, **change})
    (city.pack / "episodes.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PhareError, match=told):
        read_rules(city)


def records(rows: Sequence[dict[str, Any]]) -> dict[str, pa.Table]:
    """Return observations and places of rows given by hand."""
    usual = {
        "category": "bruit", "theme": "bruit", "place_precision": "point", "origin": "citizen",
        "time_precision": "minute", "zone_quartiers": "1", "cell": "c", "n": 1, "x": 0.0, "y": 0.0,
        "key": None, "reference": None,
    }  # fmt: skip
    whole = [{**usual, "record": i, **row} for i, row in enumerate(rows)]
    for row in whole:
        row.setdefault("ended_at", row["started_at"])
    table = pa.Table.from_pylist(whole)
    texts = pa.nulls(len(whole), pa.string())
    table = table.set_column(
        table.schema.get_field_index("record"), "record", table["record"].cast(pa.uint64())
    )
    places = table.select(["source", "record", "x", "y"]).append_column("key", texts)
    return {
        "observations": table.drop_columns(["x", "y", "key", "reference"]),
        "places": places.append_column("reference", texts),
    }


def test_candidates_are_exactly_those_within_the_limits() -> None:
    """Against every pair tried one by one: blocking loses none and doubles none."""
    rng = np.random.default_rng(8)
    start = np.datetime64("2024-03-30T20:00", "us")
    rows = []
    for i in range(400):
        began = start + np.timedelta64(int(rng.integers(0, 20_000)), "s")
        long = int(rng.integers(0, 9000)) if i % 3 == 0 else 0
        rows.append({
            "source": "main_courante" if i % 2 else "intervention",
            "started_at": began.item(), "ended_at": (began + np.timedelta64(long, "s")).item(),
            "x": float(rng.uniform(-900, 900)), "y": float(rng.uniform(-900, 900)),
        })  # fmt: skip
    con = store.connect()
    for name, table in records(rows).items():
        con.register(name, table)
    rules = truth.rules()
    candidates.make_records(con, rules, "quartiers", KNOBS)
    con.register("kinds", candidates.kinds(rules, rules.pairs[0]))
    found = con.execute(
        f"SELECT a, b FROM ({candidates.pairs_sql(rules, rules.pairs[0], KNOBS)})"
    ).fetchall()
    every = con.execute(
        "SELECT p.rec, q.rec FROM record p, record q WHERE p.source = 'main_courante' "
        "AND q.source = 'intervention' AND sqrt((p.x - q.x) ** 2 + (p.y - q.y) ** 2) <= 300 "
        "AND q.t0 - p.t1 <= 5400 AND p.t0 - q.t1 <= 5400"
    ).fetchall()
    con.close()
    assert len(every) > 500
    assert sorted(found) == sorted(every)
