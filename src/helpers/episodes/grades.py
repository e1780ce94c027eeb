"""Links between traces, held against the truth of the simulated city. `make grade ROOMS=episodes`.

At full scale: what a run of Marseille linked, source by source.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from duckdb.sqltypes import VARCHAR

from helpers.core.base import store
from helpers.core.base.workspace import find_root
from helpers.core.city.city import City
from helpers.core.stats.grading import Line, Trial, seen
from helpers.simulate.truth import write_truth

CITY = "marseille"
# What a delivered line is called, in the words of the truth.
NAMES = {
    "main_courante": "id_mc",  # a hash, as the truth's must be made
    "intervention": "id",
    "signalement": "id",
    "vsi_alerte_agregee": "zone_id || '|' || strftime(heure, '%Y-%m-%dT%H:%M:%S') || '|' || type",
}
# Decision 0018: what is promised of all pairs, and of those that hold a report or an alert.
EASY, HARD = 0.9, 0.75
EASY_PAIR = ("intervention", "main_courante")
PAIRS = (
    "CREATE TABLE {name} AS SELECT DISTINCT a.source AS s, a.record AS a, b.source AS t, "
    "b.record AS b FROM {table} a JOIN {table} b USING ({key}) WHERE a.source < b.source"
)


def _links(seed: int, tries: int) -> Iterator[Line]:
    """Yield precision and recall of the pairs of traces, sources by two."""
    del seed, tries
    root = find_root()
    city, data = City(root / "data/cities" / CITY), root / "data" / CITY
    with tempfile.TemporaryDirectory() as folder:
        write_truth(city.pack, Path(folder))
        con = store.connect()
        con.create_function("hashed", city.key(data).hash, [VARCHAR], VARCHAR)
        store.view(con, "episodes", data / "derived/episodes/episodes.parquet")
        told = " UNION ALL ".join(
            f"SELECT '{name}' AS source, record, {key} AS id FROM "
            f"'{data / 'accepted' / f'{name}.parquet'}'"
            for name, key in NAMES.items()
        )
        con.execute(
            f"CREATE TABLE known AS SELECT DISTINCT source, record, incident FROM ({told}) JOIN "
            "(SELECT * REPLACE (if(contains(id, '|'), id, hashed(id)) AS id) FROM "
            f"'{Path(folder) / 'traces.parquet'}') USING (source, id)"
        )
        for name, table, key in (("truth", "known", "incident"), ("said", "episodes", "episode")):
            con.execute(PAIRS.format(name=name, table=table, key=key))
        for s, t in combinations(sorted(NAMES), 2):
            right, found, there = con.execute(
                f"WITH f AS (SELECT * FROM said WHERE s = '{s}' AND t = '{t}'), k AS (SELECT * "
                f"FROM truth WHERE s = '{s}' AND t = '{t}') SELECT (SELECT count(*) FROM f SEMI "
                "JOIN k USING (s, a, t, b)), (SELECT count(*) FROM f), (SELECT count(*) FROM k)"
            ).fetchall()[0]
            least = EASY if (s, t) == EASY_PAIR else HARD
            for what, total in (("liens dits, justes", found), ("liens vrais, retrouvés", there)):
                if total:
                    hits = [1.0] * right + [0.0] * (total - right)
                    setting = f"Marseille simulée entière, {s} et {t}"
                    yield seen(what, setting, (least, None), hits)
        con.close()


TRIALS = (
    Trial("links", 1, _links, (f"data/{CITY}/derived/episodes/episodes.parquet",), drawn=False),
)
