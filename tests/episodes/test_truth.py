"""Links between traces, scored against the truth of the simulated city."""

from __future__ import annotations

import copy
from pathlib import Path

from duckdb.sqltypes import VARCHAR

from helpers.core.base import store
from helpers.core.city.episode_rules import read_rules
from helpers.core.stage import params
from helpers.episodes import episodes
from helpers.ingest import ingest
from tests.fixtures.real import INGEST
from tests.fixtures.simulated import Made

# What a delivered line is called, in the words of the truth.
NAMES = {
    "main_courante": "id_mc",  # a hash, as the truth's must be made
    "intervention": "id",
    "signalement": "id",
    "vsi_alerte_agregee": "zone_id || '|' || strftime(heure, '%Y-%m-%dT%H:%M:%S') || '|' || type",
}


def test_links_are_those_of_the_truth(made: Made, tmp_path: Path) -> None:
    """Precision and recall of pairs of traces, all sources together: at least nine in ten.

    Pairs with a report or an alert are harder (about eight in ten at full scale).
    """
    city = copy.copy(made.city)
    wanted = {"quartiers", *NAMES}
    city.__dict__["contracts"] = {n: c for n, c in made.city.contracts.items() if n in wanted}
    city.__dict__["themes"] = {
        n: t for n, t in made.city.themes.items() if wanted.issuperset(t.sources)
    }
    ingest.ingest(city, made.raw, tmp_path, INGEST)
    rules = read_rules(city)
    assert rules is not None
    con = store.connect(tmp_path)
    con.create_function("hashed", city.key(tmp_path).hash, [VARCHAR], VARCHAR)
    store.view(con, "observations", tmp_path / "observations.parquet")
    files = {name: tmp_path / "accepted" / f"{name}.parquet" for name in rules.sources}
    episodes.register_places(con, city, rules, files)
    episodes.find(con, city, rules, params.knobs("episodes"))
    told = " UNION ALL ".join(
        f"SELECT '{name}' AS source, record, {key} AS id FROM '{files[name]}'"
        for name, key in NAMES.items()
    )
    con.execute(
        f"CREATE TABLE known AS SELECT DISTINCT source, record, incident FROM ({told}) "
        f"JOIN (SELECT * REPLACE (if(contains(id, '|'), id, hashed(id)) AS id) "
        f"FROM '{made.truth}/traces.parquet') USING (source, id)"
    )
    pairs = (
        "SELECT DISTINCT a.source AS s, a.record AS a, b.source AS t, b.record AS b FROM {table} a "
        "JOIN {table} b USING ({key}) WHERE a.source < b.source"
    )
    true, said = (
        pairs.format(table=table, key=key)
        for table, key in (("known", "incident"), ("episodes", "episode"))
    )
    right, found, there = con.execute(
        f"SELECT (SELECT count(*) FROM ({said}) SEMI JOIN ({true}) USING (s, a, t, b)), "
        f"(SELECT count(*) FROM ({said})), (SELECT count(*) FROM ({true}))"
    ).fetchall()[0]
    con.close()
    assert there > 5_000
    assert right / found >= 0.9
    assert right / there >= 0.9
